//! Whatever arrives between two keys, the second one is about what the last frame showed as selected, or about nothing.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a history that cannot be played is a failed test")]

use std::collections::BTreeSet;

use hookscope::analysis::arrange::Arranger;
use hookscope::analysis::audit::Auditor;
use hookscope::api::{ApiError, ErrorKind, Page};
use hookscope::clock::Moment;
use hookscope::fetch::{FetchEvent, PackedPage};
use hookscope::model::{Packer, Row};
use hookscope::tui::app::{App, Setup};
use hookscope::tui::canvas::Canvas;
use hookscope::tui::changes_pane::Fate;
use hookscope::tui::finder::Wish;
use hookscope::tui::jobs::{Done, Job, Outcome, Question, Task};
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::prober::Found;
use hookscope::tui::view;
use hookscope::tui::views::View;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::support::{Stage, moment, page, press, row, setup, webhook};

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

/// The explorer with a workspace that changes, and everything that is on its way to it.
struct History {
    app: App,
    now: Moment,
    random: Random,
    packer: Packer,
    arranger: Arranger,
    auditor: Auditor,
    /// The numbers of the webhooks, and how often each was changed.
    server: Vec<(u64, u64)>,
    next: u64,
    has_total: bool,
    wish: Option<Wish>,
    jobs: Vec<Job>,
    questions: Vec<Question>,
    late: Vec<Message>,
    probes: Vec<hookscope::analysis::destinations::Origin>,
    /// What the last frame showed as selected.
    seen: Option<u64>,
    effects: Vec<Effect>,
    log: Vec<String>,
}

fn json((number, version): (u64, u64)) -> Row {
    let scheme = if number.is_multiple_of(3) { "http" } else { "https" };
    let active = !(number + version).is_multiple_of(5);
    row(&format!(
        r#"{{"id":"w{number}","url":"{scheme}://h{number}.example.com/{version}","events":["call.completed"],"is_active":{active}}}"#
    ))
}

impl History {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let rows = 3 + random.below(20);
        let has_total = random.below(3) > 0;
        let now = moment();
        let setup = Setup { page_size: 5, auto_refresh: true, ..setup(60, 12) };
        Self {
            app: App::new(setup, now),
            now,
            random,
            packer: Packer::default(),
            arranger: Arranger::default(),
            auditor: Auditor::default(),
            server: (0..rows).map(|number| (number, 0)).collect(),
            next: rows,
            has_total,
            wish: None,
            jobs: Vec::new(),
            questions: Vec::new(),
            late: Vec::new(),
            probes: Vec::new(),
            seen: None,
            effects: Vec::new(),
            log: Vec::new(),
        }
    }

    fn send(&mut self, message: Message) {
        self.effects = self.app.update(message, self.now);
        for effect in &self.effects {
            match effect {
                Effect::Arrange(wish) => self.wish = Some(wish.clone()),
                Effect::Run(job) => self.jobs.push((**job).clone()),
                Effect::Ask(question) => self.questions.push(question.clone()),
                Effect::Probe(origins) => self.probes.extend(origins.iter().cloned()),
                Effect::Judge(case) => {
                    let judged = case.clone().judge(&mut self.auditor, &|| true).unwrap();
                    self.late.push(Message::Judged(Box::new(judged)));
                }
                _ => {}
            }
        }
    }

    /// Draws a frame, and reads the selected line of it.
    fn draw(&mut self) {
        let (width, height) = self.app.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        view::draw(&self.app, &mut Canvas::new(&mut buffer, self.app.setup.glyphs));
        let mut lines = buffer.content().chunks(usize::from(width));
        let line = lines
            .find(|line| line[0].symbol() == "\u{258c}")
            .map(|line| line.iter().map(ratatui::buffer::Cell::symbol).collect::<String>());
        self.seen = line.as_deref().and_then(number_in);
        self.send(Message::Drawn);
        self.log.push(format!("    drawn: {:?} of {:?}", self.seen, line.map(|line| line.trim().to_owned())));
    }

    fn load(&mut self) {
        let pages = (self.server.len().div_ceil(PAGE) as u64).max(1) + u64::from(!self.has_total);
        let number = 1 + self.random.below(pages);
        let from = (usize::try_from(number).unwrap() - 1) * PAGE;
        let rows: Vec<_> = self.server.iter().skip(from).take(PAGE).copied().map(json).collect();
        let total = self.has_total.then_some(self.server.len() as u64);
        self.log.push(format!("  page {number}: {:?}", self.server.iter().skip(from).take(PAGE).collect::<Vec<_>>()));
        let page = Page { number, rows, reported: None, limit: Some(PAGE as u64), total, total_pages: None, bytes: 0 };
        let page = PackedPage::of_rows(&self.packer, page);
        let generation = self.app.demand().generation;
        self.send(Message::Fetch(FetchEvent::Loaded { generation, page }));
    }

    fn change_server(&mut self) {
        let at = usize::try_from(self.random.below(self.server.len() as u64 + 1)).unwrap();
        match self.random.below(4) {
            0 | 1 if at < self.server.len() => {
                self.server.remove(at);
            }
            2 if at < self.server.len() => self.server[at].1 += 1,
            _ => {
                self.server.insert(at, (self.next, 0));
                self.next += 1;
            }
        }
    }

    /// One thing that arrives.
    fn arrive(&mut self) {
        match self.random.below(12) {
            0..=3 => self.load(),
            4 => self.change_server(),
            5 => {
                self.now.instant += self.app.setup.refresh_every;
                self.log.push("  tick".into());
                self.send(Message::Tick);
            }
            6 | 7 => {
                if let Some(wish) = self.wish.take() {
                    self.log.push("  answer of the finder".into());
                    let arranged = wish.work(&mut self.arranger, &|| true, &mut |_| {}).unwrap();
                    self.send(Message::Arranged(arranged));
                }
            }
            8 => {
                if !self.jobs.is_empty() {
                    let job = self.jobs.remove(0);
                    self.log.push(format!("  job {}", job.number));
                    if !matches!(job.task, Task::Export(_)) {
                        self.send(Message::Done(Box::new(job.run(&|| true))));
                    }
                }
            }
            9 => {
                if let Some(message) = self.late.pop() {
                    self.log.push("  audit".into());
                    self.late.clear();
                    self.send(message);
                }
            }
            10 => {
                if let Some(Question { number, ids }) = self.questions.pop() {
                    let fate = |id: &str| {
                        let is_there = number_of(id).is_some_and(|number| self.server.iter().any(|of| of.0 == number));
                        if is_there { Fate::There } else { Fate::Gone }
                    };
                    let fates = ids.iter().map(|id| (id.raw().into(), fate(id.raw()))).collect();
                    self.log.push("  answers by id".into());
                    self.send(Message::Done(Box::new(Done { number, outcome: Outcome::Asked(fates) })));
                }
            }
            _ => {
                if let Some(origin) = self.probes.pop() {
                    let seen = hookscope::analysis::probed::Seen { reach: crate::support::reach(Ok(40)), at: self.now.wall };
                    self.log.push("  probe".into());
                    self.send(Message::Probed(Found::Reach(origin, Box::new(seen))));
                } else if self.random.below(6) == 0 {
                    let generation = self.app.demand().generation;
                    let error = ApiError::new(ErrorKind::Status(500));
                    self.send(Message::Fetch(FetchEvent::Failed { generation, page: 1, error }));
                }
            }
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
    fn press(&mut self, key: &str) -> Vec<u64> {
        let is_marked = |app: &App, number: &u64| app.marks.contains(&format!("w{number}"));
        let before: BTreeSet<_> = (0..self.next).filter(|number| is_marked(&self.app, number)).collect();
        self.now.instant += std::time::Duration::from_millis(200);
        self.log.push(format!("key {key} (seen {:?}, view {:?})", self.seen, self.app.view));
        self.send(Message::Key(press(key)));
        let after: BTreeSet<_> = (0..self.next).filter(|number| is_marked(&self.app, number)).collect();
        before.symmetric_difference(&after).copied().collect()
    }

    fn copied(&self) -> Option<u64> {
        let copied = self.effects.iter().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text.raw()),
            _ => None,
        })?;
        number_of(copied).or_else(|| copied.rsplit('/').next().and_then(number_of))
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
        1 | 2 if history.app.marks.is_empty() && !marked_all(history) => {
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
            let probed: Vec<_> = history.probes.iter().filter_map(|origin| number_in(&origin.to_string())).collect();
            let is_right = probed.is_empty() || probed == shown.into_iter().collect::<Vec<_>>();
            assert!(is_right, "seed {seed}: probed {probed:?}, seen {shown:?}\n{}", history.story());
            let host = history.jobs.last().and_then(|job| match &job.task {
                Task::Gather { host: Some(host), .. } => number_in(host),
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

/// Several keys between two frames, while things arrive. Once one of them does something the next ones are about what it did.
fn burst(history: &mut History, seed: u64) {
    let shown = history.seen;
    let can_copy = history.app.marks.is_empty() && !history.jobs.iter().any(|job| matches!(job.task, Task::MarkAll { .. }));
    let keys = match history.random.of(&["space space", "t space", "space t space", "t y i", "space y d", "y t i"]) {
        keys if keys.contains('y') && !can_copy => "t t space",
        keys => keys,
    };
    for key in keys.split(' ') {
        for _ in 0..history.random.below(MESSAGES) {
            history.arrive();
        }
        let marked = history.press(key);
        let did = marked.into_iter().chain(history.copied()).collect::<Vec<_>>();
        if !did.is_empty() {
            assert_eq!(did, shown.into_iter().collect::<Vec<_>>(), "seed {seed}: {keys}\n{}", history.story());
            return;
        }
    }
}

#[test]
fn no_key_between_two_frames_is_about_what_neither_showed() {
    for seed in 0..histories() {
        let mut history = History::new(seed);
        history.draw();
        for _ in 0..KEYS {
            history.meanwhile();
            history.draw();
            let key = history.random.of(&["j", "j", "k", "G", "pgdn", "1", "2", "r", "s", "h"]);
            history.press(key);
            history.draw();
            burst(&mut history, seed);
            history.press("esc");
            history.draw();
        }
    }
}

#[test]
fn a_refused_or_harmless_key_makes_nothing_seen() {
    for keys in ["space space", "t space", "t y i", "space y i"] {
        let mut stage = Stage::loaded(80, 24);
        stage.keys("G");
        let generation = stage.app.demand().generation;
        let page = PackedPage::of_rows(stage.app.packer(), page(13, 1200..1234, Some(1234)));
        stage.app.update(Message::Fetch(FetchEvent::Loaded { generation, page }), stage.now);
        for key in keys.split(' ') {
            let effects = stage.app.update(Message::Key(press(key)), stage.now);
            assert!(!effects.iter().any(|effect| matches!(effect, Effect::Copy(_))), "{keys}");
        }
        assert!(stage.app.marks.is_empty(), "{keys}");
        // Once a frame showed it, it is marked.
        stage.draw().keys("esc space");
        assert_eq!(stage.app.marks.len(), 1, "{keys}");
    }
}

/// The fifth of 80 rows is selected, and the menu of copies is open, while a refresh is under way.
fn about_to_copy_the_fifth() -> (Stage, String) {
    let mut stage = Stage::new(120, 24);
    stage.load(page(1, 0..80, Some(80))).keys("L").load(page(1, 0..80, Some(80)));
    stage.keys("j j j j r y");
    (stage, webhook(4).id().unwrap().raw().to_owned())
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
        stage.load(Page { rows, ..page(number, 0..0, Some(230)) });
    }
    copies(&mut stage, &id);
}

/// Where a selection may change by itself: a view that is still being loaded begins at its top.
fn is_at_rest(history: &History) -> bool {
    !history.app.is_loading() && !history.app.is_searching()
}

#[test]
fn a_selection_never_slips_to_another_line() {
    for seed in 0..histories() {
        let mut history = History::new(seed);
        history.server = (0..12).map(|number| (number, 0)).collect();
        for view in [View::Webhooks, View::Hosts, View::Findings, View::Changes] {
            let key = view.entry().action;
            for _ in 0..40 {
                history.load();
                history.arrive();
            }
            history.press(&history.app.setup.keymap.key(key).unwrap().to_string());
            if view == View::Findings {
                history.press("enter");
            }
            for _ in 0..60 {
                history.load();
                history.arrive();
                if is_at_rest(&history) && history.wish.is_none() && history.jobs.is_empty() {
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
                history.draw();
                let shown = history.seen;
                assert_eq!(shown, Some(selected), "seed {seed}, {view:?}\n{}", history.story());
            }
        }
    }
}
