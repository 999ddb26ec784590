//! A stage for the explorer's state machine: an [`App`] at a fixed time, fed by hand, and its frames as text.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a fixture that cannot be made is a failed test"
)]

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use hookscope::analysis::audit::{AuditWork, Auditor};
use hookscope::analysis::destinations::Origin;
use hookscope::analysis::probed::{Probed, Seen};
use hookscope::analysis::reach::{Lasts, Reach, Step, Times, Trouble};
use hookscope::api::{ApiError, ErrorKind, Page, PageNumbers};
use hookscope::base::base_url::BaseUrl;
use hookscope::base::clock::Moment;
use hookscope::base::redact::ApiKey;
use hookscope::config::{Config, KeySource};
use hookscope::fetch::{FetchEvent, Generation, Problem};
use hookscope::model::{Interner, OwnedRow, PageBuilder, RowPage, Rows, WebhookId};
use hookscope::tui::app::{App, Setup};
use hookscope::tui::jobs::{Done, Outcome, RemovalQuestion, Task};
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::prober::ProbeEvent;
use hookscope::tui::session::changes::RemovalCheck;
use hookscope::tui::terminal::canvas::Canvas;
use hookscope::tui::view;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::value::RawValue;

/// Where every frame of these tests is drawn at.
pub(crate) const NOW: &str = "2026-06-15T12:00:00Z";

pub(crate) fn moment() -> Moment {
    Moment { instant: tokio::time::Instant::now(), wall: NOW.parse().unwrap() }
}

pub(crate) fn setup(width: u16, height: u16) -> Setup {
    let connection = Config::demo_connection(BaseUrl::default(), ApiKey::new("id:secret").unwrap());
    let setup = Setup::new(&Config::default(), &connection);
    with(setup, |setup| {
        setup.workspace.profile = "production".into();
        setup.workspace.key_source = KeySource::Config;
        setup.size = (width, height);
    })
}

/// A setup with some changes.
pub(crate) fn with(mut setup: Setup, change: impl FnOnce(&mut Setup)) -> Setup {
    change(&mut setup);
    setup
}

/// Rows of these texts, as a page.
fn row_page(interner: &Interner, jsons: &[String]) -> Arc<RowPage> {
    let mut page = PageBuilder::new(interner);
    for json in jsons {
        page.push(&RawValue::from_string(json.clone()).expect("JSON")).unwrap();
    }
    page.finish()
}

/// A listing of one page.
pub(crate) fn rows_of(jsons: &[String]) -> Rows {
    [row_page(&Interner::default(), jsons)].into_iter().collect()
}

pub(crate) fn id_of(json: &str) -> String {
    OwnedRow::decode(json).unwrap().row().id().to_owned()
}

/// The JSON of a webhook like those of a real workspace, made from a number.
pub(crate) fn webhook(number: u64) -> String {
    let hosts =
        ["hooks.acme.example.com", "billing.acme.example.com", "partners.globex.example.net", "n8n.ops.initech.example.org"];
    let paths = ["dialnexa/crm", "v1/events/voice", "tenants/acme/inbound/webhooks/dialnexa-production", "in"];
    let events = ["call.completed", "call.failed", "call.no_answer", "campaign.completed", "campaign.paused"];
    let host = hosts[usize::try_from(number % 4).unwrap()];
    let path = paths[usize::try_from(number / 4 % 4).unwrap()];
    let events = events[..usize::try_from(1 + number % 5).unwrap()].join("\",\"");
    let (active, year, day) = (number % 7 != 3, 2021 + number % 6, 1 + number % 28);
    format!(
        r#"{{"id":"whk_{number:012}","url":"https://{host}/{path}/{number}","events":["{events}"],"is_active":{active},"created_at":"{year}-05-{day:02}T08:00:00.000Z"}}"#
    )
}

/// A page of a listing, before it is packed.
#[derive(Debug, Clone)]
pub(crate) struct SentPage {
    pub(crate) number: u64,
    /// The JSON of each row.
    pub(crate) rows: Vec<String>,
    pub(crate) limit: Option<u64>,
    pub(crate) total: Option<u64>,
}

impl SentPage {
    pub(crate) fn pack(self, interner: &Interner) -> Page {
        let Self { number, rows, limit, total } = self;
        let numbers = PageNumbers { number, rows: rows.len() as u64, limit, total, ..PageNumbers::default() };
        Page { numbers, rows: row_page(interner, &rows) }
    }
}

pub(crate) fn page(number: u64, rows: Range<u64>, total: Option<u64>) -> SentPage {
    SentPage { number, rows: rows.map(webhook).collect(), limit: Some(100), total }
}

/// What a probe of a URL's destination found: nothing wrong, and a certificate with so many days left; or some trouble.
pub(crate) fn reach(found: Result<i64, Trouble>) -> Reach {
    let days_left = found.unwrap_or(-1);
    let not_after = NOW.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_hours(24 * days_left);
    let certificate = found.is_ok().then_some(Lasts { not_after, days_left });
    let mut times = Times::default();
    times.set(Step::Dns, Duration::from_millis(7));
    times.set(Step::Tls, Duration::from_millis(80));
    Reach { trouble: found.err(), certificate, times, ..Reach::default() }
}

pub(crate) fn origin(url: &str) -> Origin {
    Origin::of_text(url).unwrap()
}

/// What probes of a few destinations found.
pub(crate) fn probed() -> Probed {
    let mut probed = Probed::default();
    for (url, found) in [
        ("https://alive.example.com", Ok(43)),
        ("https://soon.example.com", Ok(5)),
        ("https://gone.example.com:8443", Err(Trouble::Dns)),
        ("https://10.0.0.1", Err(Trouble::Private)),
    ] {
        probed.insert(origin(url), Seen { reach: reach(found), at: NOW.parse().unwrap() });
    }
    probed
}

/// An explorer under test.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) now: Moment,
    pub(crate) effects: Vec<Effect>,
    /// What was asked by id and not answered yet.
    pub(crate) asked: Vec<RemovalQuestion>,
    /// The totals of the pages that came, and the generations that they are of.
    totals: Vec<(Generation, Option<u64>)>,
    interner: Interner,
    /// Audits in place of the thread, and the work that it had so far.
    auditor: Auditor,
    pub(crate) work: Vec<AuditWork>,
}

impl Stage {
    pub(crate) fn new(width: u16, height: u16) -> Self {
        Self::with(setup(width, height))
    }

    pub(crate) fn with(setup: Setup) -> Self {
        let now = moment();
        Self {
            app: App::new(setup, now),
            now,
            effects: Vec::new(),
            asked: Vec::new(),
            totals: Vec::new(),
            interner: Interner::default(),
            auditor: Auditor::default(),
            work: Vec::new(),
        }
    }

    /// With a first page of a larger workspace.
    pub(crate) fn loaded(width: u16, height: u16) -> Self {
        let mut stage = Self::new(width, height);
        stage.load(page(1, 0..100, Some(1234)));
        stage
    }

    /// Sends a message, and draws what comes of it.
    pub(crate) fn send(&mut self, message: Message) -> &mut Self {
        self.effects = self.app.update(message, self.now);
        self.follow_up();
        let asked = self.effects.iter().filter_map(|effect| match effect {
            Effect::Ask(question) => Some(question.clone()),
            _ => None,
        });
        self.asked.extend(asked);
        self.draw()
    }

    /// From here on keys are about what is shown now.
    pub(crate) fn draw(&mut self) -> &mut Self {
        self.app.update(Message::Drawn, self.now);
        self
    }

    /// Answers what was asked first, each id with one of these.
    pub(crate) fn answer(&mut self, fates: impl IntoIterator<Item = RemovalCheck>) -> &mut Self {
        let RemovalQuestion { id, ids } = self.asked.remove(0);
        let fates = ids.iter().map(|id| id.raw().into()).zip(fates).collect();
        self.send(Message::Done(Box::new(Done { id, outcome: Outcome::Asked(fates) })))
    }

    /// Does at once what the last message asked for beside the loop.
    fn follow_up(&mut self) {
        self.arrange();
        while let Some(place) = self.effects.iter().position(|effect| matches!(effect, Effect::Run(_))) {
            let Effect::Run(job) = self.effects.remove(place) else { break };
            let is_astray = matches!(&job.task, Task::Export(export) if export.path.is_relative());
            let done = if is_astray {
                // Keys that chance pressed: nothing is written where the tests happen to run.
                Done {
                    id: job.id,
                    outcome: Outcome::NotExported { path: "not".into(), words: "not in a test".into(), is_of_system: false },
                }
            } else {
                job.run(&|| true)
            };
            let more = self.app.update(Message::Done(Box::new(done)), self.now);
            self.effects.extend(more);
            self.arrange();
        }
    }

    /// Does at once what the filter and the audit would do in the background.
    fn arrange(&mut self) {
        while let Some(place) = self.effects.iter().position(|effect| matches!(effect, Effect::Audit(_))) {
            let Effect::Audit(case) = self.effects.remove(place) else { break };
            let index = self.auditor.answer(&case, &|| true).expect("nobody cancels");
            self.work.push(index.work());
            let more = self.app.update(Message::Audited(Box::new(index)), self.now);
            self.effects.extend(more);
        }
        while let Some(wish) = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::FilterSort(wish) => Some(wish.clone()),
            _ => None,
        }) {
            self.effects.retain(|effect| !matches!(effect, Effect::FilterSort(_)));
            let arranged = wish.run(&|| true, &mut |_| {}).expect("nobody cancels");
            let more = self.app.update(Message::Rows(arranged), self.now);
            self.effects.extend(more);
        }
    }

    /// Presses keys, as the config spells them, with blanks between.
    pub(crate) fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ') {
            // No key is held.
            self.now.instant += Duration::from_millis(200);
            self.send(Message::Key(press(key)));
        }
        self.rest();
        self
    }

    /// Leaves the selection where it is until it can be read about.
    fn rest(&mut self) {
        let rested = self.now.instant + Duration::from_millis(150);
        if let Some(wake) = self.app.next_wake().filter(|&wake| wake <= rested) {
            self.now.instant = wake;
            let more = self.app.update(Message::Tick, self.now);
            self.effects.extend(more);
            self.follow_up();
        }
    }

    /// A key that is held: so many presses, faster than anybody's hand.
    pub(crate) fn hold(&mut self, key: &str, presses: u32) -> &mut Self {
        for _ in 0..presses {
            self.now.instant += Duration::from_millis(16);
            self.send(Message::Key(press(key)));
        }
        self
    }

    pub(crate) fn paste(&mut self, text: &str) -> &mut Self {
        self.send(Message::Paste(text.into()))
    }

    pub(crate) fn wait(&mut self, seconds: u64) -> &mut Self {
        self.now.instant += Duration::from_secs(seconds);
        self.now.wall += jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap());
        self
    }

    pub(crate) fn generation(&self) -> Generation {
        self.app.session.demand().generation
    }

    /// An answer to the demand of a generation, which may be an old one.
    pub(crate) fn load_of(&mut self, generation: Generation, page: SentPage) -> &mut Self {
        let page = page.pack(&self.interner);
        self.totals.push((generation, page.numbers.total));
        self.send(Message::Fetch(FetchEvent::Loaded { generation, page })).judge_read()
    }

    /// Judges a read once every page of it is here, in place of the fetch task.
    fn judge_read(&mut self) -> &mut Self {
        let (listing, generation) = (&self.app.session.list.lines, self.generation());
        if !listing.is_all_fresh() || listing.is_judged() || listing.fresh_pages() == 0 {
            return self;
        }
        let repeated = listing.rows().repeated();
        let mut problems: Vec<_> = repeated
            .map(|repeated| Problem::RepeatedIds { count: repeated.count, example: WebhookId::new(&repeated.example) })
            .into_iter()
            .collect();
        let mut totals = self.totals.iter().filter(|(of, _)| *of == generation).filter_map(|(_, total)| *total);
        if let Some(first) = totals.next()
            && let Some(last) = totals.find(|&total| total != first)
        {
            problems.push(Problem::TotalChanged { first, last });
        }
        self.swept(problems)
    }

    /// Nothing more will come of the read of everything.
    pub(crate) fn swept(&mut self, problems: Vec<Problem>) -> &mut Self {
        let generation = self.generation();
        self.send(Message::Fetch(FetchEvent::Swept { generation, problems }))
    }

    pub(crate) fn load(&mut self, page: SentPage) -> &mut Self {
        let generation = self.generation();
        self.load_of(generation, page)
    }

    /// Takes a message, and keeps back what comes of the jobs that it starts.
    pub(crate) fn late(&mut self, message: Message) -> Vec<Message> {
        self.effects = self.app.update(message, self.now);
        self.arrange();
        let jobs = self.effects.iter().filter_map(|effect| if let Effect::Run(job) = effect { Some(job) } else { None });
        jobs.map(|job| Message::Done(Box::new(job.clone().run(&|| true)))).collect()
    }

    pub(crate) fn late_load(&mut self, page: SentPage) -> Vec<Message> {
        let (generation, page) = (self.generation(), page.pack(&self.interner));
        self.late(Message::Fetch(FetchEvent::Loaded { generation, page }))
    }

    pub(crate) fn send_all(&mut self, messages: Vec<Message>) -> &mut Self {
        for message in messages {
            self.send(message);
        }
        self
    }

    pub(crate) fn late_key(&mut self, key: &str) -> Vec<Message> {
        self.now.instant += Duration::from_millis(200);
        self.late(Message::Key(press(key)))
    }

    pub(crate) fn fail(&mut self, page: u64, kind: ErrorKind, detail: &'static str) -> &mut Self {
        let (generation, error) = (self.generation(), ApiError::new(kind).with(detail.into()));
        self.send(Message::Fetch(FetchEvent::Failed { generation, page, error }))
    }

    pub(crate) fn retry(&mut self, page: u64, attempt: u32, kind: ErrorKind, detail: &'static str) -> &mut Self {
        let (generation, error) = (self.generation(), ApiError::new(kind).with(detail.into()));
        self.send(Message::Fetch(FetchEvent::Retrying { generation, page, attempt, of: 4, error }))
    }

    pub(crate) fn pause(&mut self, seconds: u64) -> &mut Self {
        let error = ApiError::new(ErrorKind::RateLimited { retry_after: Some(Duration::from_secs(seconds)) });
        let (generation, until) = (self.generation(), self.now.instant + Duration::from_secs(seconds));
        self.send(Message::Fetch(FetchEvent::Paused { generation, until, error }))
    }

    /// What a probe found of a URL's destination.
    pub(crate) fn found(&mut self, url: &str, found: Result<i64, Trouble>) -> &mut Self {
        let seen = Seen { reach: reach(found), at: self.now.wall };
        self.send(Message::Probed(ProbeEvent::Reach(origin(url), Box::new(seen))))
    }

    /// The destinations that the last message asked to be probed, in the order of their names.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = self.effects.iter().filter_map(|effect| match effect {
            Effect::Probe(origins) => Some(origins),
            _ => None,
        });
        let mut asked: Vec<_> = asked.flatten().map(ToString::to_string).collect();
        asked.sort();
        asked
    }

    /// Reads an export of deliveries, as at the start.
    pub(crate) fn deliveries(&mut self, path: &std::path::Path) -> &mut Self {
        let done = self.app.read_deliveries(path.to_owned()).run(&|| true);
        self.send(Message::Done(Box::new(done)))
    }

    pub(crate) fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.send(Message::Resize { width, height })
    }

    /// The id of the selected webhook.
    pub(crate) fn selected(&self) -> Option<String> {
        Some(self.app.session.list.selected_row()?.id().to_owned())
    }

    /// The frame as it would be drawn, a line a row, without blanks at the ends.
    pub(crate) fn frame(&self) -> String {
        let (width, height) = self.app.ui.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        view::draw(&self.app, &mut Canvas::new(&mut buffer, self.app.settings.glyphs));
        text(&buffer)
    }
}

/// Lines of the frame.
impl Stage {
    /// The first one.
    pub(crate) fn header(&self) -> String {
        self.frame().lines().next().unwrap_or_default().to_owned()
    }

    /// The first one below the header that has this; empty when none has.
    pub(crate) fn line(&self, part: &str) -> String {
        self.frame().lines().skip(1).find(|line| line.contains(part)).unwrap_or_default().to_owned()
    }

    /// The last one.
    pub(crate) fn footer(&self) -> String {
        self.frame().lines().last().unwrap_or_default().to_owned()
    }
}

/// Limits the memory of a running program so that it cannot start another thread. A limit on processes would not stop root.
pub(crate) fn allow_no_more_threads(pid: Pid) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB")).unwrap();
    // Less than the 2 MiB that a stack takes.
    let current = (size.parse::<u64>().unwrap() + 1_792) << 10;
    let limit = Rlimit { current: Some(current), maximum: getrlimit(Resource::As).maximum };
    prlimit(Some(pid), Resource::As, limit).unwrap();
}

/// The text of a buffer. A wide character hides the cell after it.
pub(crate) fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width.max(1));
    let line = |cells: &[ratatui::buffer::Cell]| {
        let mut hidden = 0;
        let mut line = String::new();
        for cell in cells {
            if hidden == 0 {
                line.push_str(cell.symbol());
                hidden = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            } else {
                hidden -= 1;
            }
        }
        line.trim_end().to_owned()
    };
    buffer.content().chunks(width).map(line).collect::<Vec<_>>().join("\n")
}

pub(crate) fn press(key: &str) -> KeyEvent {
    let prefixes = [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT)];
    let modified = prefixes.iter().find_map(|(prefix, modifier)| Some((*modifier, key.strip_prefix(prefix)?)));
    let (modifiers, name) = modified.unwrap_or((KeyModifiers::NONE, key));
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "pgdn" => KeyCode::PageDown,
        "pgup" => KeyCode::PageUp,
        "home" => KeyCode::Home,
        "left" => KeyCode::Left,
        "end" => KeyCode::End,
        "backspace" => KeyCode::Backspace,
        "space" => KeyCode::Char(' '),
        _ => KeyCode::Char(name.chars().next().unwrap()),
    };
    KeyEvent::new(code, modifiers)
}
