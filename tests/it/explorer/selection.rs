//! Whatever arrives between two keys, the second one is about what the last frame showed as selected, or about nothing; and keys
//! that were typed ahead are about the line that the user counted to in that frame, or about nothing.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a history that cannot be played is a failed test")]

use std::collections::BTreeSet;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use hookscope::analysis::audit::Auditor;
use hookscope::analysis::destinations::Origin;
use hookscope::analysis::groups::GroupKind;
use hookscope::api::{ApiError, ErrorKind};
use hookscope::base::base_url::BaseUrl;
use hookscope::base::clock::Moment;
use hookscope::base::redact::ApiKey;
use hookscope::config::Config;
use hookscope::fetch::{FetchEvent, Generation};
use hookscope::model::Interner;
use hookscope::tui::app::App;
use hookscope::tui::jobs::{Done, Job, Outcome, RemovalQuestion, Task};
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::prober::ProbeEvent;
use hookscope::tui::session::changes::RemovalCheck;
use hookscope::tui::session::workspace::WorkspaceInfo;
use hookscope::tui::terminal::canvas::Canvas;
use hookscope::tui::ui::Focus;
use hookscope::tui::view;
use hookscope::tui::view_kind::View;
use hookscope::tui::workers::RowsRequest;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::profiles::profile;
use crate::support::{SentPage, Stage, id_of, moment, page, press, setup, webhook, with};

/// Random histories of each kind. `HISTORIES` asks for more.
fn histories() -> u64 {
    std::env::var("HISTORIES").ok().and_then(|count| count.parse().ok()).unwrap_or(100)
}

/// Keys in each of them, and messages between two of them at most.
const KEYS: u64 = 14;
const MESSAGES: u64 = 6;
const PAGE: usize = 5;

/// xorshift64*: the same history for the same seed.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// A workspace that changes. Both have the same ids.
#[derive(Default)]
struct Server {
    /// The numbers of the webhooks, and how often each was changed.
    rows: Vec<(u64, u64)>,
    next: u64,
    has_total: bool,
}

/// A webhook: the index of its workspace, and its number.
type Seen = (usize, u64);

/// The explorer with two changing workspaces, and everything in flight to it.
struct History {
    app: App,
    now: Moment,
    random: Random,
    interner: Interner,
    auditor: Auditor,
    servers: [Server; 2],
    /// The generation of each read so far, and the index of its workspace. Answers to older ones are late.
    generations: Vec<(Generation, usize)>,
    wishes: Vec<RowsRequest>,
    jobs: Vec<Job>,
    questions: Vec<RemovalQuestion>,
    late: Vec<Message>,
    probes: Vec<Origin>,
    /// The webhook that the last frame showed as selected.
    seen: Option<Seen>,
    /// All lines of the view when it was drawn, on screen or not, and the index of the selected one.
    lines: Vec<Option<Seen>>,
    place: usize,
    /// The screen lines that show lines of the view, and the indexes of those.
    on_screen: Vec<(u16, usize)>,
    effects: Vec<Effect>,
    log: Vec<String>,
}

fn json((number, version): (u64, u64)) -> String {
    let scheme = if number.is_multiple_of(3) { "http" } else { "https" };
    let active = !(number + version).is_multiple_of(5);
    format!(
        r#"{{"id":"w{number}","url":"{scheme}://h{number}.example.com/{version}","events":["call.completed"],"is_active":{active}}}"#
    )
}

impl History {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let servers = [(); 2].map(|()| {
            let next = 3 + random.below(20);
            Server { rows: (0..next).map(|number| (number, 0)).collect(), next, has_total: random.below(3) > 0 }
        });
        let now = moment();
        let profiles = ["one", "other"].map(|name| profile(name, None)).into();
        let setup = with(setup(60, 12), |setup| {
            setup.workspace.page_size = 5;
            setup.auto_refresh = true;
            setup.settings.mouse = true;
            setup.settings.profiles = profiles;
        });
        Self {
            app: App::new(setup, now),
            now,
            random,
            interner: Interner::default(),
            auditor: Auditor::default(),
            servers,
            generations: vec![(Generation::default().next(), 0)],
            wishes: Vec::new(),
            jobs: Vec::new(),
            questions: Vec::new(),
            late: Vec::new(),
            probes: Vec::new(),
            seen: None,
            lines: Vec::new(),
            place: 0,
            on_screen: Vec::new(),
            effects: Vec::new(),
            log: Vec::new(),
        }
    }

    /// The workspace that is shown.
    fn at(&self) -> usize {
        self.app.session.workspace.at
    }

    fn server(&mut self) -> &mut Server {
        let at = self.at();
        &mut self.servers[at]
    }

    fn send(&mut self, message: Message) {
        self.effects = self.app.update(message, self.now);
        for effect in &self.effects {
            match effect {
                Effect::FilterSort(wish) => self.wishes.push(wish.clone()),
                Effect::Run(job) => self.jobs.push((**job).clone()),
                Effect::Ask(question) => self.questions.push(question.clone()),
                Effect::Probe(origins) => self.probes.extend(origins.iter().cloned()),
                Effect::Audit(case) => {
                    let index = self.auditor.answer(case, &|| true).unwrap();
                    self.late.push(Message::Audited(Box::new(index)));
                }
                _ => {}
            }
        }
        let asked = (self.app.session.demand().generation, self.at());
        if self.generations.last() != Some(&asked) {
            self.generations.push(asked);
        }
    }

    /// Shows the other workspace. What was asked of the last one may still be answered.
    fn switch(&mut self) {
        let at = 1 - self.at();
        let mut connection = Config::demo_connection(BaseUrl::default(), ApiKey::new("id:secret").unwrap());
        connection.policy.page_size = 5;
        self.log.push(format!("  switched to {at}"));
        self.interner = Interner::default();
        self.send(Message::Switched(Box::new(WorkspaceInfo::new(at, &connection, None, Vec::new()))));
    }

    /// Draws a frame, and reads the selected line of it.
    fn draw(&mut self) {
        let (width, height) = self.app.ui.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        view::draw(&self.app, &mut Canvas::new(&mut buffer, self.app.settings.glyphs));
        let lines = buffer.content().chunks(usize::from(width));
        let lines: Vec<String> = lines.map(|line| line.iter().map(ratatui::buffer::Cell::symbol).collect()).collect();
        let row = lines.iter().position(|line| line.starts_with('\u{258c}'));
        let line = row.map(|row| &lines[row]);
        self.seen = line.and_then(|line| number_in(line)).map(|number| (self.at(), number));
        (self.lines, self.place) = self.counted();
        let place_of = |at: usize| (self.place + at).checked_sub(row?);
        let shows = |at: usize, place: usize| {
            let shown = number_in(&lines[at]).map(|number| (self.at(), number));
            shown.is_some() && self.lines.get(place) == Some(&shown)
        };
        let on_screen = (0..lines.len()).filter_map(|at| place_of(at).map(|place| (at, place)));
        let on_screen = on_screen.filter(|&(at, place)| shows(at, place));
        self.on_screen = on_screen.map(|(at, place)| (u16::try_from(at).unwrap(), place)).collect();
        self.send(Message::Drawn);
        self.log.push(format!("    drawn: {:?} of {:?}", self.seen, line.map(|line| line.trim().to_owned())));
    }

    /// The webhooks of the lines of the view, and the place of the selected line.
    fn counted(&self) -> (Vec<Option<Seen>>, usize) {
        let app = &self.app;
        let of = |id: &str| Some((self.at(), number_of(id)?));
        let list = app.list();
        let id_at = |place| match app.group_pane() {
            Some(pane) => match &pane.group(place)?.kind {
                GroupKind::RowFinding { row, .. } => of(row.row().id()),
                _ => None,
            },
            None if app.ui.view == View::Changes => of(app.session.changes.entry(place)?.id()),
            None => of(app.session.list.row(place)?.id()),
        };
        let lines = (0..list.len()).map(id_at).collect();
        let place = list.cursor().selected();
        (lines, usize::try_from(place).unwrap())
    }

    /// A page, of what is asked for now or of what was asked for before.
    fn load(&mut self) {
        let is_late = self.random.below(5) == 0;
        let (generation, at) = match self.generations.len() as u64 {
            asked if is_late => self.generations[usize::try_from(self.random.below(asked)).unwrap()],
            _ => (self.app.session.demand().generation, self.at()),
        };
        let Server { rows, has_total, .. } = &self.servers[at];
        let pages = (rows.len().div_ceil(PAGE) as u64).max(1) + u64::from(!has_total);
        let number = 1 + self.random.below(pages);
        let from = (usize::try_from(number).unwrap() - 1) * PAGE;
        let rows: Vec<_> = rows.iter().skip(from).take(PAGE).copied().collect();
        let total = has_total.then_some(self.servers[at].rows.len() as u64);
        self.log.push(format!("  page {number} of {at}, {generation:?}: {rows:?}"));
        let rows = rows.into_iter().map(json).collect();
        let page = SentPage { number, rows, limit: Some(PAGE as u64), total }.pack(&self.interner);
        self.send(Message::Fetch(FetchEvent::Loaded { generation, page }));
    }

    fn change_server(&mut self) {
        let (at, kind) = (self.random.below(1000), self.random.below(4));
        let server = self.server();
        let at = usize::try_from(at).unwrap() % (server.rows.len() + 1);
        match kind {
            0 | 1 if at < server.rows.len() => {
                server.rows.remove(at);
            }
            2 if at < server.rows.len() => server.rows[at].1 += 1,
            _ => {
                server.rows.insert(at, (server.next, 0));
                server.next += 1;
            }
        }
    }

    /// An answer of the finder, to what it was asked last or before that.
    fn arrange(&mut self) {
        let is_late = self.random.below(3) == 0;
        let wish = if is_late && !self.wishes.is_empty() { Some(self.wishes.remove(0)) } else { self.wishes.pop() };
        if let Some(wish) = wish {
            self.log.push("  answer of the finder".into());
            let arranged = wish.run(&|| true, &mut |_| {}).unwrap();
            self.send(Message::Rows(arranged));
        }
    }

    /// Answers by id, to what was asked last or before that.
    fn answer(&mut self) {
        if self.questions.is_empty() {
            return;
        }
        let at = usize::try_from(self.random.below(self.questions.len() as u64)).unwrap();
        let RemovalQuestion { id, ids } = self.questions.remove(at);
        let is_unknown = self.random.below(4) == 0;
        let rows = &self.server().rows;
        let fate = |id: &str| match number_of(id) {
            _ if is_unknown => RemovalCheck::Unknown("timeout".into()),
            Some(number) if rows.iter().any(|of| of.0 == number) => RemovalCheck::Present,
            _ => RemovalCheck::Removed,
        };
        let fates = ids.iter().map(|id| (id.raw().into(), fate(id.raw()))).collect();
        self.log.push("  answers by id".into());
        self.send(Message::Done(Box::new(Done { id, outcome: Outcome::Asked(fates) })));
    }

    /// Something of a probe, be it one that was stopped, or a failure of a page.
    fn probe_or_fail(&mut self) {
        if !self.probes.is_empty() {
            let at = usize::try_from(self.random.below(self.probes.len() as u64)).unwrap();
            let origin = self.probes.remove(at);
            let seen = hookscope::analysis::probed::Seen { reach: crate::support::reach(Ok(40)), at: self.now.wall };
            self.log.push("  probe".into());
            self.send(Message::Probed(ProbeEvent::Reach(origin, Box::new(seen))));
        } else if self.random.below(6) == 0 {
            let generation = self.app.session.demand().generation;
            let error = ApiError::new(ErrorKind::Status(500));
            self.log.push("  page 1 fails".into());
            self.send(Message::Fetch(FetchEvent::Failed { generation, page: 1, error }));
        }
    }

    fn resize(&mut self) {
        let (width, height) = (50 + self.random.below(11), 8 + self.random.below(5));
        self.log.push(format!("  resized to {width}x{height}"));
        let (width, height) = (u16::try_from(width).unwrap(), u16::try_from(height).unwrap());
        self.send(Message::Resize { width, height });
    }

    /// Clicks a line that the last frame showed. The place of that.
    fn click(&mut self) -> Option<usize> {
        let (at, place) = match self.on_screen.len() as u64 {
            0 => return None,
            lines => self.on_screen[usize::try_from(self.random.below(lines)).unwrap()],
        };
        self.log.push(format!("click {at}, place {place} (view {:?})", self.app.ui.view));
        let kind = MouseEventKind::Down(MouseButton::Left);
        self.send(Message::Mouse(MouseEvent { kind, column: 5, row: at, modifiers: KeyModifiers::NONE }));
        Some(place)
    }

    /// One thing that arrives.
    fn arrive(&mut self) {
        match self.random.below(43) {
            0..=12 => self.load(),
            13..=16 => self.change_server(),
            17..=19 => {
                self.now.instant += self.app.settings.refresh_every;
                self.log.push("  tick".into());
                self.send(Message::Tick);
            }
            20..=25 => self.arrange(),
            26..=29 => {
                if !self.jobs.is_empty() {
                    let job = self.jobs.remove(0);
                    self.log.push(format!("  job {}", job.id.number));
                    if !matches!(job.task, Task::Export(_)) {
                        self.send(Message::Done(Box::new(job.run(&|| true))));
                    }
                }
            }
            30..=32 => {
                if let Some(message) = self.late.pop() {
                    self.log.push("  audit".into());
                    self.late.clear();
                    self.send(message);
                }
            }
            33..=35 => self.answer(),
            36..=38 => self.probe_or_fail(),
            39..=41 => self.resize(),
            _ => self.switch(),
        }
    }

    /// Lets things arrive. Frames are drawn in between, or not.
    fn meanwhile(&mut self) {
        for _ in 0..self.random.below(MESSAGES) {
            self.arrive();
            if self.random.below(2) == 0 {
                self.draw();
            }
        }
    }

    /// Presses a key. What was marked by it.
    fn press(&mut self, key: &str) -> Vec<Seen> {
        let numbers = 0..self.server().next;
        let is_marked = |app: &App, number: &u64| app.session.marks.contains(&format!("w{number}"));
        let before: BTreeSet<_> = numbers.clone().filter(|number| is_marked(&self.app, number)).collect();
        self.now.instant += std::time::Duration::from_millis(200);
        self.log.push(format!("key {key} (seen {:?}, view {:?})", self.seen, self.app.ui.view));
        self.send(Message::Key(press(key)));
        let after: BTreeSet<_> = numbers.filter(|number| is_marked(&self.app, number)).collect();
        before.symmetric_difference(&after).map(|&number| (self.at(), number)).collect()
    }

    fn copied(&self) -> Option<Seen> {
        let copied = self.effects.iter().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text.raw()),
            _ => None,
        })?;
        let number = number_of(copied).or_else(|| copied.rsplit('/').next().and_then(number_of));
        number.map(|number| (self.at(), number))
    }

    fn story(&self) -> String {
        self.log.join("\n")
    }
}

/// The number of a webhook by its id.
fn number_of(id: &str) -> Option<u64> {
    id.strip_prefix('w')?.parse().ok()
}

/// The number of the webhook in a line, by its host.
fn number_in(line: &str) -> Option<u64> {
    let host = || line.split_once(".example.com").and_then(|(before, _)| before.rsplit('h').next()?.parse().ok());
    // The detail begins with the id.
    host().or_else(|| line.trim_start_matches('\u{258c}').split(' ').next().and_then(number_of))
}

/// What the user does next, and what of it is about the selection.
fn step(history: &mut History, seed: u64) {
    let marked_all = |history: &History| history.jobs.iter().any(|job| matches!(job.task, Task::MarkAll { .. }));
    match history.random.below(10) {
        0 => {
            let shown = history.seen;
            let marked = history.press("space");
            let is_right = marked.is_empty() || marked == shown.into_iter().collect::<Vec<_>>();
            assert!(is_right, "seed {seed}: marked {marked:?}, seen {shown:?}\n{}", history.story());
        }
        1 | 2 if history.app.session.marks.is_empty() && !marked_all(history) => {
            let shown = history.seen;
            history.press("y");
            history.draw();
            history.meanwhile();
            let key = history.random.of(&["i", "d", "c", "p"]);
            history.press(key);
            let copied = history.copied();
            assert!(
                copied.is_none() || copied == shown,
                "seed {seed}: copied {copied:?}, seen {shown:?}\n{}",
                history.story()
            );
        }
        3 => {
            let shown = history.seen;
            history.probes.clear();
            history.jobs.retain(|job| !matches!(job.task, Task::Gather { .. }));
            history.press("p");
            let of = |text: &str| number_in(text).map(|number| (history.at(), number));
            let probed: Vec<_> = history.probes.iter().filter_map(|origin| of(&origin.to_string())).collect();
            let is_right = probed.is_empty() || probed == shown.into_iter().collect::<Vec<_>>();
            assert!(is_right, "seed {seed}: probed {probed:?}, seen {shown:?}\n{}", history.story());
            let host = history.jobs.last().and_then(|job| match &job.task {
                Task::Gather { host: Some(host), .. } => of(host),
                _ => None,
            });
            assert!(host.is_none() || host == shown, "seed {seed}: gathers {host:?}, seen {shown:?}\n{}", history.story());
        }
        4 => {
            let view = history.random.of(&["1", "2", "3", "4", "5"]);
            history.press(view);
        }
        5 => {
            let keys =
                history.random.of(&["/ h 1", "/ 2", "/ h esc", "esc", "r", "L", "a", "*", ".", "s", "S", "enter", "h"]);
            for key in keys.split(' ') {
                history.press(key);
            }
            if keys.starts_with('/') {
                history.draw();
                history.meanwhile();
                let key = history.random.of(&["enter", "esc"]);
                history.press(key);
            }
        }
        _ => {
            let key = history.random.of(&["j", "k", "j", "k", "G", "g", "pgdn"]);
            history.press(key);
        }
    }
}

#[test]
fn a_key_is_about_what_the_last_frame_showed_or_about_nothing() {
    for seed in 0..histories() {
        let mut history = History::new(seed);
        history.draw();
        for _ in 0..KEYS {
            history.meanwhile();
            step(&mut history, seed);
            history.draw();
        }
    }
}

/// Keys that are typed ahead, in one read, while things arrive between them or not.
const TYPED_AHEAD: [&str; 22] = [
    "space space",
    "t space",
    "space t space",
    "t y i",
    "space y d",
    "y t i",
    "j space",
    "j y d",
    "j j space",
    "k space",
    "j k space",
    "j space k space",
    "k j y i",
    "space space j space",
    "g j space",
    "j j j y c",
    "click y d",
    "click space",
    "j click y i",
    "click j space",
    "space click y d",
    "click click space",
];

/// Several keys between two frames. Each of them is about the line that the user counted to in the last one, or about nothing.
fn burst(history: &mut History, seed: u64, arrivals: u64) {
    let can_copy =
        history.app.session.marks.is_empty() && !history.jobs.iter().any(|job| matches!(job.task, Task::MarkAll { .. }));
    let keys = match history.random.of(&TYPED_AHEAD) {
        keys if keys.contains('y') && !can_copy => "t t space",
        keys => keys,
    };
    let last = history.lines.len().saturating_sub(1);
    // One that is not listed any more goes once the selection leaves it; then it cannot be counted on.
    let is_held = history.app.session.list.held().is_some();
    let mut place = history.place;
    for key in keys.split(' ') {
        for _ in 0..history.random.below(arrivals + 1) {
            history.arrive();
        }
        if key == "click" {
            place = history.click().unwrap_or(place);
            continue;
        }
        let meant = history.lines.get(place).copied().flatten();
        let marked = history.press(key);
        let did = marked.into_iter().chain(history.copied()).collect::<Vec<_>>();
        let is_right = did.is_empty() || did == meant.into_iter().collect::<Vec<_>>();
        assert!(is_right, "seed {seed}: {keys}: {did:?}, not {meant:?}\n{}", history.story());
        let is_copy = keys.ends_with(&format!("y {key}")) && history.app.session.marks.is_empty();
        let acts = (is_copy || key == "space") && history.app.ui.view == View::Webhooks && !is_held;
        let is_refused = arrivals == 0 && acts && meant.is_some() && did.is_empty();
        assert!(!is_refused, "seed {seed}: {keys}: nothing arrived, and {key} is refused\n{}", history.story());
        place = match key {
            "j" => (place + 1).min(last),
            // It goes on to the next.
            "space" if !did.is_empty() => (place + 1).min(last),
            "k" => place.saturating_sub(1),
            "g" => 0,
            _ => place,
        };
    }
}

fn play_bursts(arrivals: u64) {
    for seed in 0..histories() {
        let mut history = History::new(seed);
        history.draw();
        for _ in 0..KEYS {
            history.meanwhile();
            history.draw();
            let key = history.random.of(&["j", "j", "k", "G", "pgdn", "1", "2", "r", "s", "h", "4", "enter"]);
            history.press(key);
            if history.app.ui.focus == Focus::Detail {
                history.press("esc");
            }
            history.draw();
            burst(&mut history, seed, arrivals);
            history.press("esc");
            history.draw();
        }
    }
}

#[test]
fn keys_that_are_typed_ahead_are_about_the_lines_that_were_counted() {
    play_bursts(MESSAGES);
}

#[test]
fn keys_that_are_typed_ahead_work_while_nothing_arrives() {
    play_bursts(0);
}

#[test]
fn a_refused_or_harmless_key_makes_nothing_seen() {
    for keys in ["space space", "t space", "t y i", "space y i"] {
        let mut stage = Stage::loaded(80, 24);
        stage.keys("G");
        let generation = stage.app.session.demand().generation;
        let page = page(13, 1200..1234, Some(1234)).pack(&stage.app.session.load.interner);
        stage.app.update(Message::Fetch(FetchEvent::Loaded { generation, page }), stage.now);
        for key in keys.split(' ') {
            let effects = stage.app.update(Message::Key(press(key)), stage.now);
            assert!(!effects.iter().any(|effect| matches!(effect, Effect::Copy(_))), "{keys}");
        }
        assert!(stage.app.session.marks.is_empty(), "{keys}");
        // Once a frame showed it, it is marked.
        stage.draw().keys("esc space");
        assert_eq!(stage.app.session.marks.len(), 1, "{keys}");
    }
}

/// The fifth of 80 rows is selected, and the menu of copies is open, while a refresh is under way.
fn about_to_copy_the_fifth() -> (Stage, String) {
    let mut stage = Stage::new(120, 24);
    stage.load(page(1, 0..80, Some(80))).keys("L").load(page(1, 0..80, Some(80)));
    stage.keys("j j j j r y");
    (stage, id_of(&webhook(4)))
}

fn copies(stage: &mut Stage, id: &str) {
    assert!(stage.frame().contains(id), "the menu names it\n{}", stage.frame());
    stage.keys("d");
    let copied = stage.effects.iter().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.raw()),
        _ => None,
    });
    assert!(copied.is_some_and(|text| text.contains(id)), "{copied:?}");
    assert!(stage.footer().contains(id), "the confirmation names it\n{}", stage.frame());
}

#[test]
fn a_copy_is_of_the_selected_webhook_although_it_was_deleted_meanwhile() {
    let (mut stage, id) = about_to_copy_the_fifth();
    let mut left = page(1, 0..80, Some(79));
    left.rows.remove(4);
    stage.load(left);
    copies(&mut stage, &id);
}

#[test]
fn a_copy_is_of_the_selected_webhook_although_150_came_before_it_meanwhile() {
    let (mut stage, id) = about_to_copy_the_fifth();
    let rows: Vec<_> = (1000..1150).chain(0..80).collect();
    for (rows, number) in rows.chunks(100).zip(1..) {
        let rows = rows.iter().copied().map(webhook).collect();
        stage.load(SentPage { rows, ..page(number, 0..0, Some(230)) });
    }
    copies(&mut stage, &id);
}

/// Where a selection may change by itself: a view that is still being loaded begins at its top.
fn is_at_rest(history: &History) -> bool {
    !history.app.session.is_loading() && !history.app.session.is_searching()
}

#[test]
fn a_selection_never_slips_to_another_line() {
    for seed in 0..histories() {
        let mut history = History::new(seed);
        history.server().rows = (0..12).map(|number| (number, 0)).collect();
        history.server().next = 12;
        for view in [View::Webhooks, View::Hosts, View::Findings, View::Changes] {
            let key = view.entry().action;
            for _ in 0..40 {
                history.load();
                history.arrive();
            }
            history.press(&history.app.settings.keymap.key(key).unwrap().to_string());
            if view == View::Findings {
                history.press("enter");
            }
            for _ in 0..60 {
                history.load();
                history.arrive();
                if is_at_rest(&history) && history.wishes.is_empty() && history.jobs.is_empty() {
                    break;
                }
            }
            for _ in 0..2 {
                history.press("j");
            }
            history.draw();
            let Some(selected) = history.seen else { continue };
            for _ in 0..20 {
                history.arrive();
                if history.at() != selected.0 {
                    // Another workspace is shown from its top.
                    break;
                }
                history.draw();
                let shown = history.seen;
                assert_eq!(shown, Some(selected), "seed {seed}, {view:?}\n{}", history.story());
            }
        }
    }
}
