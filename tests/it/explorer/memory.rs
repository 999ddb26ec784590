//! The cache in the explorer: what it shows of it, and when it writes it.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use hookscope::api::{ErrorKind, Network};
use hookscope::cache::{Kept, Store};
use hookscope::model::{Interner, RowRef};
use hookscope::tui::list_pane::ViewList as _;
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::session::Session;
use hookscope::tui::session::changes::RemovalCheck;
use tempfile::TempDir;

use crate::support::{NOW, SentPage, Stage, id_of, page, rows_of, setup, webhook, with};

/// A home, and what an earlier session left in it.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn store(&self) -> Store {
        Store::new(self.0.path().join("cache"), &self.0.path().join("history"), "w".to_owned())
    }

    fn cache(&self) -> PathBuf {
        self.0.path().join("cache/w.cache")
    }

    /// So many hours ago these were all webhooks.
    pub(crate) fn remember(&self, rows: &[String], hours: i64) {
        let at = NOW.parse::<jiff::Timestamp>().unwrap() - jiff::SignedDuration::from_hours(hours);
        let rows = rows_of(rows);
        let mut kept = self.store().keep(&rows, at, at, &BTreeSet::new()).unwrap();
        if let Kept::Unconfirmed(unconfirmed) = kept {
            kept = self.store().keep(&rows, at, at, &unconfirmed.ids.into_iter().collect()).unwrap();
        }
        assert_eq!(kept, Kept::Written { new: true });
    }

    pub(crate) fn stage(&self, width: u16, height: u16) -> Stage {
        Stage::with(with(setup(width, height), |setup| setup.workspace.store = Some(self.store())))
    }

    /// The ids in the cache.
    fn cached(&self) -> Vec<String> {
        let cached = self.store().read(&Interner::default(), jiff::Timestamp::MAX).unwrap();
        let rows = cached.map(|cached| cached.rows).unwrap_or_default();
        rows.webhooks().map(RowRef::id).map(str::to_owned).collect()
    }
}

pub(crate) fn webhooks(numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers.map(webhook).collect()
}

/// Page 1 of so few webhooks that it is all.
pub(crate) fn all(rows: Vec<String>) -> SentPage {
    SentPage { total: Some(rows.len() as u64), rows, ..page(1, 0..0, None) }
}

/// A stage that shows a cache of 250 webhooks of three hours ago.
fn remembering(home: &Home) -> Stage {
    home.remember(&webhooks(0..250), 3);
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun);
    stage
}

#[test]
fn the_cache_is_shown_at_the_start_with_its_age_until_live_rows_replace_it() {
    let home = Home::new();
    let mut stage = remembering(&home);
    assert!(stage.header().contains("all 250 cached 3h ago"), "{}", stage.frame());
    assert!(!stage.frame().contains("live"), "{}", stage.frame());
    assert!(stage.frame().contains("hooks.acme.example.com/dialnexa/crm/0"), "{}", stage.frame());
    assert!(stage.app.session.demand().everything, "everything was known, so everything is read again");
    stage.load(page(1, 0..100, Some(250)));
    assert!(stage.header().contains("100 of 250, rest cached 3h ago"), "{}", stage.frame());
    stage.load(page(2, 100..200, Some(250))).load(page(3, 200..250, Some(250)));
    assert!(stage.header().contains("all 250") && stage.header().contains("live"), "{}", stage.frame());
    assert!(!stage.frame().contains("cached") && stage.app.session.unread.is_empty(), "{}", stage.frame());
    assert!(!stage.app.session.demand().everything);
}

#[test]
fn the_selection_follows_its_webhook_from_the_cache_to_live_rows() {
    let home = Home::new();
    let mut stage = remembering(&home);
    stage.keys("j j j");
    let (selected, place) = (stage.selected(), stage.app.session.list.selected());
    let rows = [webhook(900), webhook(901)].into_iter().chain(webhooks(0..98)).collect();
    stage.load(SentPage { rows, ..page(1, 0..0, Some(252)) });
    assert_eq!(stage.selected(), selected);
    assert_eq!(stage.app.session.list.selected(), place + 2);
}

#[test]
fn live_rows_that_were_faster_stay() {
    let home = Home::new();
    home.remember(&webhooks(500..750), 3);
    let mut stage = home.stage(100, 30);
    stage.load(page(1, 0..100, Some(250))).send(Message::Begun);
    assert_eq!(stage.selected().as_deref(), Some("whk_000000000000"));
    assert!(stage.header().contains("100 of 250, rest cached 3h ago"), "{}", stage.frame());
    let mut stage = home.stage(100, 30);
    stage.load(all(webhooks(0..5))).send(Message::Begun);
    assert!(stage.header().contains("all 5"), "{}", stage.frame());
}

#[test]
fn pages_of_another_size_are_filled_from_the_cache_too() {
    let home = Home::new();
    let mut stage = remembering(&home);
    stage.load(SentPage { limit: Some(50), ..page(1, 0..50, Some(250)) });
    assert!(stage.header().contains("50 of 250, rest cached 3h ago"), "{}", stage.frame());
    assert_eq!((stage.app.session.list.lines.page_size(), stage.app.session.list.lines.loaded()), (50, 250));
}

/// The active ones of fourteen that were read three hours ago.
fn cached_scope(home: &Home) -> Stage {
    home.remember(&webhooks(0..14), 3);
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).keys("a");
    stage
}

#[test]
fn a_scope_shows_its_part_of_the_cache() {
    let home = Home::new();
    let mut stage = cached_scope(&home);
    assert!(stage.header().contains("active 12 cached 3h ago"), "{}", stage.frame());
    stage.keys("a");
    assert!(stage.header().contains("inactive 2 cached 3h ago"), "{}", stage.frame());
}

#[test]
fn when_the_api_is_down_the_cache_is_what_there_is() {
    let home = Home::new();
    let mut stage = remembering(&home);
    stage.fail(1, ErrorKind::Network(Network::Refused), "127.0.0.1:9");
    let frame = stage.frame();
    let banner = frame.lines().nth(1).unwrap();
    assert_eq!(banner, " ! connection refused since 12:00:00 · list cached 09:00:00 · retry in 30 s · r retries");
    assert!(stage.header().contains("all 250 cached 3h ago"), "{frame}");
    assert!(frame.contains("hooks.acme.example.com/dialnexa/crm/0"), "{frame}");
    // However narrow it is, it is said what is wrong and of when the rows are; keys are last.
    stage.resize(80, 24);
    let line = |stage: &Stage| stage.frame().lines().nth(1).unwrap_or_default().to_owned();
    assert_eq!(line(&stage), " ! connection refused · list cached 09:00:00 · retry in 30 s · r retries");
    stage.resize(60, 15);
    assert_eq!(line(&stage), " ! connection refused · list cached 09:00:00 · retry in 30 s");
    stage.wait(24 * 3600).send(Message::Tick);
    assert_eq!(line(&stage), " ! connection refused · list cached 2026-06-15 09:00:00");
    stage.resize(80, 24);
    assert_eq!(line(&stage), " ! connection refused since 12:00:00 · list cached 2026-06-15 09:00:00");
    let other = Home::new();
    let mut stage = remembering(&other);
    stage.fail(1, ErrorKind::Network(Network::Refused), "127.0.0.1:9");
    stage.wait(2 * 3600).keys("r");
    assert!(stage.header().contains("cached 5h ago"), "{}", stage.frame());
    assert!(stage.app.session.demand().everything);
}

#[test]
fn a_cache_that_cannot_be_used_is_ignored_and_made_anew() {
    let home = Home::new();
    home.remember(&webhooks(0..5), 3);
    fs::write(home.cache(), "{\"hookscope_cache\":1}\nnoise\n").unwrap();
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun);
    assert!(stage.frame().contains("cache unusable, rebuilding it: damaged"), "{}", stage.frame());
    stage.load(all(webhooks(0..6)));
    assert_eq!(home.cached().len(), 6);
}

#[test]
fn what_changed_since_the_last_look_is_marked_once_everything_was_read() {
    let home = Home::new();
    home.remember(&webhooks(0..5), 3);
    let mut stage = home.stage(120, 40);
    stage.send(Message::Begun);
    let changed =
        r#"{"id":"whk_000000000003","url":"https://elsewhere.example.com/","events":[],"is_active":true}"#.to_owned();
    stage.load(all(vec![webhook(0), webhook(2), changed, webhook(4), webhook(5)]));
    assert!(stage.header().contains("+1 ~1 -1"), "{}", stage.frame());
    for (word, id) in [("added", "whk_000000000005"), ("changed", "whk_000000000003"), ("removed", "whk_000000000001")] {
        stage.keys("/").paste(&format!("is:{word}")).keys("enter");
        assert_eq!((stage.app.session.list.len(), stage.selected().as_deref()), (1, Some(id)), "{word}");
        stage.keys("esc");
    }
}

#[test]
fn a_consistent_read_of_everything_is_written_and_nothing_else_is() {
    let home = Home::new();
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).load(page(1, 0..100, Some(150)));
    assert_eq!(home.cached().len(), 0, "not all is here");
    stage.load(page(2, 100..150, Some(151)));
    assert_eq!(home.cached().len(), 0, "the total changed");
    stage.keys("r L").load(page(1, 0..100, Some(150))).load(page(2, 99..149, Some(150)));
    assert_eq!(home.cached().len(), 0, "an id came twice");
    stage.wait(60).keys("r L").load(page(1, 0..100, Some(150))).load(page(2, 100..150, Some(150)));
    assert_eq!(home.cached().len(), 150);
    let mut stage = Stage::with(with(setup(80, 24), |setup| {
        setup.workspace.store = Some(home.store());
        setup.scope = hookscope::model::Scope::Active;
    }));
    stage.send(Message::Begun).load(all(webhooks(0..2)));
    assert_eq!(home.cached().len(), 150, "another scope is not everything");
}

#[test]
fn it_is_written_once_a_minute_at_most_and_at_the_end() {
    let home = Home::new();
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).load(all(webhooks(0..5)));
    assert_eq!(home.cached().len(), 5);
    assert!(stage.app.in_session(Session::keep_at_last).is_none(), "nothing new was read");
    stage.wait(30).keys("r").load(all(webhooks(0..6)));
    assert_eq!(home.cached().len(), 5);
    let job = stage.app.in_session(Session::keep_at_last).unwrap();
    assert!(stage.app.in_session(Session::keep_at_last).is_none());
    let done = job.run(&|| true);
    stage.send(Message::Done(Box::new(done)));
    assert_eq!(home.cached().len(), 6);
    stage.wait(60).keys("r").load(all(webhooks(0..7)));
    assert_eq!(home.cached().len(), 7);
}

#[test]
fn a_refresh_without_changes_writes_nothing_but_its_time() {
    use std::os::unix::fs::MetadataExt;
    let home = Home::new();
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).load(all(webhooks(0..5)));
    let written = fs::metadata(home.cache()).unwrap();
    stage.wait(60).keys("r").load(all(webhooks(0..5)));
    let touched = fs::metadata(home.cache()).unwrap();
    assert_eq!(written.ino(), touched.ino(), "it is the same file");
    assert_eq!(touched.mtime() - written.mtime(), 60, "and the time of the read is known");
    // Another program kept something else meanwhile.
    let then = stage.now.wall + jiff::SignedDuration::from_secs(1);
    let removed = webhooks(2..5).iter().map(|json| id_of(json)).collect();
    home.store().keep(&rows_of(&webhooks(0..2)), then, then, &removed).unwrap();
    stage.wait(60).keys("r").load(all(webhooks(0..5)));
    assert_eq!(home.cached().len(), 5);
}

#[test]
fn the_start_and_a_dead_api_look_like_this() {
    let home = Home::new();
    home.remember(&webhooks(0..250), 3);
    let mut stage = home.stage(80, 24);
    stage.send(Message::Begun);
    insta::assert_snapshot!("cached", stage.frame());
    stage.load(page(1, 0..100, Some(250)));
    insta::assert_snapshot!("partly_cached", stage.frame());
    stage.keys("r").fail(1, ErrorKind::Network(Network::Refused), "127.0.0.1:9");
    insta::assert_snapshot!("cached_partly_and_api_down", stage.frame());
    let mut stage = home.stage(80, 24);
    stage.send(Message::Begun).fail(1, ErrorKind::Network(Network::Refused), "127.0.0.1:9").keys("m m j");
    insta::assert_snapshot!("cached_and_api_down", stage.frame());
}

#[test]
fn of_cached_rows_nothing_is_said_that_holds_for_live_ones() {
    let home = Home::new();
    let mut stage = remembering(&home);
    stage.fail(1, ErrorKind::Network(Network::Refused), "127.0.0.1:9");
    stage.keys("3");
    assert!(!stage.frame().contains("nobody hears it"), "{}", stage.frame());
    stage.keys("1 /").paste("nothing-like-this").keys("enter");
    assert!(!stage.frame().contains("Searched all 250"), "{}", stage.frame());
    stage.keys("esc L");
    assert!(stage.app.session.demand().everything, "cached rows are not loaded ones\n{}", stage.frame());
}

#[test]
fn the_order_of_the_api_and_its_odd_rows_are_written_and_no_secret_is() {
    let home = Home::new();
    let mut stage = home.stage(100, 30);
    let rows = vec![
        r#"{"id":"z","url":"https://x.example.com/","secret":"whsec_5","b":1e400,"a":2}"#.to_owned(),
        r#"{"id":7,"secret":"whsec_5"}"#.to_owned(),
        r#"{"id":"a","url":"https://x.example.com/"}"#.to_owned(),
    ];
    stage.send(Message::Begun).load(all(rows));
    let text = fs::read_to_string(home.cache()).unwrap();
    let lines: Vec<_> = text.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            r#"{"id":"z","url":"https://x.example.com/","a":2,"b":1e400}"#,
            r#"{"id":7}"#,
            r#"{"id":"a","url":"https://x.example.com/"}"#
        ]
    );
    // What was spelled in another order is no change.
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun);
    stage.load(all(vec![
        r#"{"url":"https://x.example.com/","id":"z","b":1e400,"a":2}"#.to_owned(),
        r#"{"id":7}"#.to_owned(),
        r#"{"id":"a","url":"https://x.example.com/"}"#.to_owned(),
    ]));
    assert!(stage.app.session.unread.is_empty(), "{}", stage.frame());
}

#[test]
fn a_cache_that_cannot_be_written_is_one_word_and_no_more() {
    let home = Home::new();
    fs::write(home.0.path().join("cache"), "no directory").unwrap();
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun);
    stage.load(all(webhooks(0..5)));
    assert!(stage.frame().contains("cannot write the cache"), "{}", stage.frame());
    stage.wait(120).keys("r").load(all(webhooks(0..6)));
    assert!(!stage.frame().contains("cannot be written"), "{}", stage.frame());
}

#[test]
fn the_answer_about_another_workspace_is_dropped() {
    let home = Home::new();
    home.remember(&webhooks(0..5), 3);
    let mut stage = home.stage(100, 30);
    let effects = stage.app.update(Message::Begun, stage.now);
    let [Effect::Run(job)] = effects.as_slice() else { panic!("{effects:?}") };
    let late = job.clone().run(&|| true);
    stage.send(super::profiles::staging());
    stage.send(Message::Done(Box::new(late)));
    assert!(!stage.app.session.list.lines.is_known() && stage.app.session.cached_at().is_none(), "{}", stage.frame());
    stage.load(all(webhooks(0..6)));
    assert_eq!(home.cached().len(), 5, "nothing of one workspace is written to the cache of another");
}

#[test]
fn attempts_are_matched_with_live_webhooks_and_not_with_cached_ones() {
    let home = Home::new();
    let file = home.0.path().join("deliveries.csv");
    fs::write(&file, "webhook_id,is_success\nwhk_000000000001,true\nwhk_000000000007,true\n").unwrap();
    home.remember(&webhooks(0..5), 3);
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).deliveries(&file);
    assert!(!stage.frame().contains("no webhook"), "{}", stage.frame());
    stage.load(all(webhooks(2..8)));
    assert!(stage.frame().contains("1 attempt matches no webhook: whk_000000000001"), "{}", stage.frame());
}

#[test]
fn what_is_done_with_cached_rows_says_so() {
    let home = Home::new();
    let mut stage = remembering(&home);
    stage.fail(1, ErrorKind::Network(Network::Refused), "127.0.0.1:9").keys("P");
    stage.fail(1, ErrorKind::Network(Network::Refused), "127.0.0.1:9");
    assert!(stage.frame().contains("probing 4 destinations (cached)"), "{}", stage.frame());
    stage.keys("esc *").fail(1, ErrorKind::Network(Network::Refused), "127.0.0.1:9");
    assert!(stage.frame().contains("marked 250 webhooks (cached)"), "{}", stage.frame());
    stage.keys("* e");
    assert!(!stage.frame().contains("unmarked"), "it waits for live rows\n{}", stage.frame());
    stage.keys("esc esc").fail(1, ErrorKind::Network(Network::Refused), "127.0.0.1:9").keys("/");
    stage.paste("billing").keys("enter").fail(1, ErrorKind::Network(Network::Refused), "127.0.0.1:9");
    assert!(stage.app.session.is_part(), "what is said of a whole workspace is not said of a cached one");
}

#[test]
fn an_export_of_cached_rows_is_called_that() {
    let home = Home::new();
    let mut stage = remembering(&home);
    stage.fail(1, ErrorKind::Network(Network::Refused), "127.0.0.1:9").keys("e");
    assert!(stage.frame().contains("export 250 (cached) to"), "{}", stage.frame());
    stage.keys("esc r").load(page(1, 0..100, Some(250))).keys("e");
    assert!(stage.frame().contains("export 250 (some cached) to"), "{}", stage.frame());
}

#[test]
fn what_changed_since_the_last_look_waits_for_the_scope_that_it_is_about() {
    let home = Home::new();
    home.remember(&webhooks(0..14), 3);
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun);
    let late = stage.late_load(all(webhooks(0..15)));
    stage.keys("a");
    for message in late {
        stage.send(message);
    }
    assert!(
        stage.app.session.unread.is_empty(),
        "what is new among all is not new among the active ones\n{}",
        stage.frame()
    );
    stage.keys("a a").load(all(webhooks(0..15)));
    assert!(stage.header().contains("+1"), "{}", stage.frame());
}

#[test]
fn a_cache_that_comes_late_is_compared_when_all_are_shown_again() {
    let home = Home::new();
    home.remember(&webhooks(0..14), 3);
    let mut stage = home.stage(100, 30);
    let begun = stage.app.update(Message::Begun, stage.now);
    stage.load(all(webhooks(0..15))).keys("a");
    for effect in begun {
        if let Effect::Run(job) = effect {
            stage.send(Message::Done(Box::new(job.run(&|| true))));
        }
    }
    assert!(stage.app.session.unread.is_empty(), "{}", stage.frame());
    stage.keys("a a").load(all(webhooks(0..15)));
    assert!(stage.header().contains("+1"), "{}", stage.frame());
}

#[test]
fn the_rows_of_one_scope_are_looked_for_at_a_time() {
    let home = Home::new();
    home.remember(&webhooks(0..14), 3);
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun);
    let press = |stage: &mut Stage| {
        let key = crossterm::event::KeyCode::Char('a');
        let message = Message::Key(crossterm::event::KeyEvent::new(key, crossterm::event::KeyModifiers::NONE));
        jobs_of(stage.app.update(message, stage.now))
    };
    let first = press(&mut stage);
    assert_eq!((first.len(), press(&mut stage).len()), (1, 0));
    let done = first.into_iter().next().unwrap().run(&|| true);
    stage.send(Message::Done(Box::new(done)));
    assert!(stage.header().contains("inactive 2 cached 3h ago"), "{}", stage.frame());
}

fn jobs_of(effects: Vec<Effect>) -> Vec<hookscope::tui::jobs::Job> {
    let job = |effect| match effect {
        Effect::Run(job) => Some(*job),
        _ => None,
    };
    effects.into_iter().filter_map(job).collect()
}

#[test]
fn what_was_read_soon_after_the_last_is_written_without_another_event() {
    let home = Home::new();
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).load(all(webhooks(0..5)));
    let written = stage.now.instant;
    stage.wait(30).keys("r").load(all(webhooks(0..6)));
    assert_eq!(stage.app.next_wake(), Some(written + std::time::Duration::from_mins(1)));
    stage.wait(30).send(Message::Tick);
    assert_eq!(home.cached().len(), 6);
    assert!(stage.app.next_wake().is_none_or(|wake| wake > stage.now.instant), "it is not woken for that again");
}

#[test]
fn a_webhook_that_is_still_selected_is_not_called_gone() {
    let home = Home::new();
    home.remember(&webhooks(0..250), 3);
    let mut stage = Stage::with(with(setup(120, 40), |setup| {
        setup.settings.auto_load_limit = 100;
        setup.workspace.store = Some(home.store());
    }));
    // The API was faster than the cache.
    stage.load(page(1, 0..100, Some(250))).send(Message::Begun);
    let selected = stage.selected();
    stage.keys("s").load(page(2, 100..200, Some(250))).load(page(3, 200..250, Some(250)));
    assert_eq!(stage.selected(), selected);
    assert!(!stage.frame().contains("not on this page"), "{}", stage.frame());
}

#[test]
fn rows_are_as_old_as_they_are_whatever_was_read_since() {
    let home = Home::new();
    let mut stage = cached_scope(&home);
    assert!(stage.header().contains("cached 3h ago"), "{}", stage.frame());
    stage.keys("a a").load(all(webhooks(0..14))).keys("a");
    assert!(stage.header().contains("cached 3h ago"), "{}", stage.frame());
}

#[test]
fn a_read_that_lacks_webhooks_is_written_once_they_are_confirmed_as_removed() {
    let home = Home::new();
    home.remember(&webhooks(0..5), 3);
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).load(all(webhooks(0..3)));
    assert_eq!((home.cached().len(), home.store().history().len()), (5, 1));
    stage.answer([RemovalCheck::Removed, RemovalCheck::Removed]);
    assert_eq!((home.cached().len(), home.store().history().len()), (3, 2));
}

#[test]
fn a_read_that_may_lack_what_is_there_leaves_the_cache_as_it_is() {
    for fate in [RemovalCheck::Present, RemovalCheck::Unknown("503 unavailable".into())] {
        let home = Home::new();
        home.remember(&webhooks(0..5), 3);
        let mut stage = home.stage(100, 30);
        stage.send(Message::Begun).load(all(Vec::new()));
        stage.answer([
            RemovalCheck::Removed,
            RemovalCheck::Removed,
            fate.clone(),
            RemovalCheck::Removed,
            RemovalCheck::Removed,
        ]);
        assert_eq!((home.cached().len(), home.store().history().len()), (5, 1), "{fate:?}");
        assert!(
            stage.frame().contains("cache not updated: 5 of its webhooks not confirmed as removed"),
            "{}",
            stage.frame()
        );
        // The next read has all of them.
        stage.wait(60).keys("r").load(all(webhooks(0..6)));
        assert_eq!((home.cached().len(), home.store().history().len()), (6, 2));
    }
}

#[test]
fn that_the_cache_cannot_be_written_is_said_although_it_was_said_that_it_stays() {
    let home = Home::new();
    home.remember(&webhooks(0..5), 3);
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).load(all(Vec::new())).answer(vec![RemovalCheck::Present; 5]);
    assert!(stage.frame().contains("cache not updated"), "{}", stage.frame());
    fs::remove_dir_all(home.0.path().join("cache")).unwrap();
    fs::write(home.0.path().join("cache"), "no directory").unwrap();
    stage.wait(60).keys("r").load(all(webhooks(0..6)));
    assert!(stage.frame().contains("cannot write the cache"), "{}", stage.frame());
}

#[test]
fn a_webhook_that_is_listed_again_is_asked_for_when_it_is_not() {
    let home = Home::new();
    home.remember(&webhooks(0..5), 3);
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).load(all(webhooks(0..3)));
    stage.answer([RemovalCheck::Removed, RemovalCheck::Removed]);
    stage.wait(60).keys("r").load(all(webhooks(0..5)));
    assert_eq!(home.cached().len(), 5);
    stage.wait(60).keys("r").load(all(webhooks(0..3)));
    assert_eq!(stage.asked[0].ids.len(), 2);
    assert_eq!(home.cached().len(), 5);
    stage.answer([RemovalCheck::Present, RemovalCheck::Present]);
    assert_eq!(home.cached().len(), 5);
}

#[test]
fn more_removals_than_are_asked_for_at_once_are_written_after_a_few_reads() {
    let home = Home::new();
    home.remember(&webhooks(0..150), 3);
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).load(all(Vec::new()));
    assert_eq!(stage.asked[0].ids.len(), 100);
    stage.answer(vec![RemovalCheck::Removed; 100]);
    assert_eq!((home.cached().len(), home.store().history().len()), (150, 1));
    stage.wait(60).keys("r").load(all(Vec::new()));
    assert_eq!(stage.asked[0].ids.len(), 50);
    stage.answer(vec![RemovalCheck::Removed; 50]);
    assert_eq!((home.cached().len(), home.store().history().len()), (0, 2));
}

#[test]
fn only_what_the_api_does_not_know_is_called_removed() {
    for (fate, words) in [
        (RemovalCheck::Removed, "- removed (the API answers 404)"),
        (RemovalCheck::Present, "- missing from the list, but the API still has it"),
        (RemovalCheck::Unknown("404 not found".into()), "- missing from the list, removal unconfirmed: 404 not found"),
    ] {
        let home = Home::new();
        home.remember(&webhooks(0..1), 3);
        let mut stage = home.stage(140, 30);
        stage.send(Message::Begun).load(all(Vec::new()));
        stage.answer([fate]);
        assert!(stage.frame().contains(words), "{}", stage.frame());
    }
}
