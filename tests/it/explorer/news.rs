//! What a refresh found new, changed and gone, until it was looked at.

use crate::support::{SentPage, Stage, page, setup, webhook, with};
use hookscope::tui::list_pane::ViewList as _;
use hookscope::tui::message::Effect;

/// Page 1 of so few webhooks that it is all.
fn all(rows: Vec<String>) -> SentPage {
    SentPage { total: Some(rows.len() as u64), rows, ..page(1, 0..0, None) }
}

/// Five webhooks; then the second is gone, the fourth has another URL, and there is a new one at the end.
fn refreshed() -> Stage {
    let mut stage = Stage::new(120, 40);
    stage.load(all((0..5).map(webhook).collect()));
    stage.keys("j j r");
    stage.load(all(vec![webhook(0), webhook(2), changed(), webhook(4), webhook(5)]));
    stage
}

fn changed() -> String {
    r#"{"id":"whk_000000000003","url":"https://elsewhere.example.com/","events":[],"is_active":true}"#.to_owned()
}

fn counts(stage: &Stage) -> [usize; 3] {
    stage.app.session.unread.counts().map(|(_, count)| count)
}

#[test]
fn what_came_changed_and_went_is_marked_and_counted() {
    let stage = refreshed();
    let frame = stage.frame();
    assert!(frame.lines().next().unwrap().contains("+1 ~1 -1"), "{frame}");
    assert_eq!(stage.selected().as_deref(), Some("whk_000000000002"), "the selection stays with its webhook");
    assert_eq!(stage.app.session.list.selected(), 2, "and on its line, since the one that is gone is still shown");
    assert!(stage.line("elsewhere").contains("~elsewhere.example.com"), "{frame}");
    let places: Vec<_> = (0..6).filter_map(|place| Some(stage.app.session.change_at(place)?.sign())).collect();
    assert_eq!(places, ["-", "~", "+"]);
}

#[test]
fn what_a_refresh_left_out_is_old_until_it_is_read_and_then_it_is_news() {
    let mut stage = Stage::with(with(setup(120, 30), |setup| setup.settings.auto_load_limit = 100));
    stage.load(page(1, 0..100, Some(200))).keys("L").load(page(2, 100..200, Some(200)));
    assert!(stage.header().contains("all 200  live "), "{}", stage.frame());
    stage.keys("r").load(page(1, 0..100, Some(200)));
    assert!(stage.header().contains("all 200  live 12:00:00, rest stale"), "page 2 is as it was: {}", stage.frame());
    let of_second = |rows: std::ops::Range<u64>, total| {
        let mut second = page(2, rows, Some(total));
        second.rows[50] =
            r#"{"id":"whk_000000000150","url":"https://elsewhere.example.com/","events":[],"is_active":true}"#.to_owned();
        second
    };
    stage.keys("L").load(page(1, 0..100, Some(199))).load(of_second(100..199, 199));
    assert_eq!(counts(&stage), [0, 1, 1], "{}", stage.frame());
    assert!(stage.header().contains("~1 -1  all 199  live "), "{}", stage.frame());
    stage.keys("L");
    assert!(
        stage.app.session.demand().everything && stage.app.session.is_loading(),
        "it reads all again: {}",
        stage.frame()
    );
    // What a filter needs is read as well, where it is not of now.
    let mut stage = Stage::with(with(setup(120, 30), |setup| setup.settings.auto_load_limit = 500));
    stage.load(page(1, 0..100, Some(300))).load(page(2, 100..200, Some(300)));
    stage.keys("r").load(page(1, 0..100, Some(300)));
    assert!(stage.header().contains("200 of 300  live 12:00:00, rest stale"), "{}", stage.frame());
    stage.keys("/ h").load(of_second(100..200, 300)).load(page(3, 200..300, Some(300)));
    assert_eq!(counts(&stage), [0, 1, 0], "{}", stage.frame());
}

#[test]
fn a_webhook_that_was_looked_at_is_no_news() {
    let mut stage = refreshed();
    stage.keys("j");
    assert!(stage.line("changed since the last refresh").contains('~'), "{}", stage.frame());
    stage.keys("j");
    assert!(stage.frame().lines().next().unwrap().contains("+1 -1"), "{}", stage.frame());
    stage.keys("g j");
    assert!(stage.frame().contains("no longer listed since the last refresh"), "{}", stage.frame());
    stage.keys("k");
    assert!(stage.frame().lines().next().unwrap().contains("  +1  all 5"), "{}", stage.frame());
    assert_eq!(stage.app.session.list.len(), 6, "no row moves below the hand");
    let again = || all(vec![webhook(0), webhook(2), changed(), webhook(4), webhook(5)]);
    stage.keys("r").load(again());
    assert_eq!(stage.app.session.list.len(), 5, "a webhook that is gone is not shown any longer once it was looked at");
    stage.keys("esc esc esc");
    assert!(!stage.app.session.unread.is_empty(), "esc discards nothing");
    stage.keys(".");
    assert!(
        stage.app.session.unread.is_empty() && stage.footer().contains("acknowledged +1; 5 still lists"),
        "{}",
        stage.frame()
    );
    assert!(stage.keys(".").footer().contains("no changes to acknowledge"), "{}", stage.frame());
    let mut stage = refreshed();
    stage.keys("g j .");
    assert_eq!(
        (stage.app.session.list.len(), stage.selected().as_deref()),
        (5, Some("whk_000000000002")),
        "{}",
        stage.frame()
    );
}

#[test]
fn to_leave_a_row_that_is_gone_costs_nothing_however_many_are() {
    let mut stage = Stage::new(120, 40);
    stage.load(all((0..90).map(webhook).collect()));
    stage.keys("r").load(all((80..90).map(webhook).collect()));
    assert_eq!(counts(&stage), [0, 0, 80], "{}", stage.frame());
    let version = stage.keys("g").app.session.list.lines.version();
    for _ in 0..40 {
        stage.keys("j");
        assert!(!stage.effects.iter().any(|effect| matches!(effect, Effect::FilterSort(_))));
    }
    assert_eq!((stage.app.session.list.lines.version(), counts(&stage)), (version, [0, 0, 40]), "no row was touched");
    // What was looked at is not found, either.
    stage.keys("/").paste("is:removed").keys("enter");
    assert_eq!(stage.app.session.list.len(), 40, "{}", stage.frame());
}

#[test]
fn an_empty_answer_lists_nothing_twice() {
    let mut stage = Stage::new(120, 40);
    stage.load(all((0..5).map(webhook).collect()));
    stage.keys("r").load(all(Vec::new()));
    assert_eq!((counts(&stage), stage.app.session.list.len()), ([0, 0, 5], 5), "{}", stage.frame());
    stage.keys("r").load(all((0..5).map(webhook).collect()));
    assert_eq!((counts(&stage)[2], stage.app.session.list.len()), (0, 5), "{}", stage.frame());
}

#[test]
fn news_can_be_searched_for() {
    let mut stage = refreshed();
    let [added, changed, removed] = ["whk_000000000005", "whk_000000000003", "whk_000000000001"];
    let earlier_spellings = [("new", added), ("gone", removed)];
    for (word, id) in [("added", added), ("changed", changed), ("removed", removed)].into_iter().chain(earlier_spellings) {
        stage.keys("/").paste(&format!("is:{word}")).keys("enter");
        assert_eq!((stage.app.session.list.len(), stage.selected().as_deref()), (1, Some(id)), "{word}");
        stage.keys("esc");
    }
}

#[test]
fn what_comes_back_is_not_gone() {
    let mut stage = refreshed();
    stage.keys("r").load(all((0..6).map(webhook).collect()));
    assert_eq!(counts(&stage), [2, 1, 0], "{}", stage.frame());
}

#[test]
fn nothing_is_new_or_gone_when_not_all_was_seen() {
    let mut stage = Stage::loaded(120, 40);
    stage.keys("r").load(SentPage { rows: (50..150).map(webhook).collect(), ..page(1, 0..0, Some(1234)) });
    assert!(stage.app.session.unread.is_empty(), "{}", stage.frame());
}

#[test]
fn a_sort_shows_what_is_gone_in_its_order() {
    let mut stage = refreshed();
    stage.keys("s s s s s s");
    let ids: Vec<_> = (0..6).filter_map(|place| Some(stage.app.session.list.row(place)?.id().to_owned())).collect();
    assert!(ids.len() == 6 && ids.is_sorted(), "{ids:?}");
}

#[test]
fn reads_are_compared_one_after_the_other() {
    let mut stage = Stage::new(120, 40);
    stage.load(all((0..5).map(webhook).collect())).keys("r");
    let first = stage.late_load(all((0..4).map(webhook).collect()));
    stage.keys("r");
    let second = stage.late_load(all((0..5).map(webhook).collect()));
    assert!(!first.is_empty() && second.is_empty(), "the second one waits");
    stage.send_all(first);
    assert_eq!((stage.app.session.list.len(), counts(&stage)), (5, [1, 0, 0]), "it went, and came back");
}

#[test]
fn only_the_newest_of_what_is_gone_is_kept() {
    let mut stage = Stage::new(120, 40);
    stage.load(all((0..1_500).map(webhook).collect())).keys("r");
    stage.load(all(vec![webhook(0)]));
    assert_eq!(stage.app.session.list.lines.rows().removed().count(), 1_000);
}

#[test]
fn what_moved_while_it_was_read_is_read_again() {
    let mut stage = Stage::new(120, 40);
    stage.keys("L").load(page(1, 0..100, Some(200))).load(page(2, 99..199, Some(200)));
    let frame = stage.frame();
    assert!(frame.contains("whk_000000000099 is listed more than once; reading again (2 of 3)"), "{frame}");
    assert!(stage.app.session.demand().everything);
    stage.load(page(1, 1..101, Some(200))).load(page(2, 101..201, Some(200)));
    let header = stage.header();
    assert!(header.contains("all 200  live") && counts(&stage) == [0, 0, 0], "{header}: nobody was gone or is new");
}

#[test]
fn what_keeps_moving_is_said_to() {
    for shift in [page(2, 99..199, Some(200)), page(2, 100..199, Some(199))] {
        let mut stage = Stage::new(120, 40);
        stage.keys("L");
        for _ in 0..3 {
            stage.load(page(1, 0..100, Some(200))).load(shift.clone());
        }
        let frame = stage.frame();
        assert!(frame.contains("Webhooks may be missing; r reloads"), "{frame}");
        assert!(!stage.app.session.demand().everything && stage.header().contains("loaded  inconsistent"), "{frame}");
        assert!(!stage.keys("4").frame().contains("duplicate-destination"), "{}", stage.frame());
        stage.keys("1 j r");
        for number in 1..=2 {
            stage.load(page(number, (number - 1) * 100..number * 100, Some(200)));
        }
        assert!(stage.header().contains("all 200  live"), "{}", stage.frame());
    }
}

#[test]
fn a_large_listing_is_not_read_again_by_itself() {
    let mut stage = Stage::with(with(setup(120, 40), |setup| setup.settings.auto_load_limit = 100));
    stage.keys("L").load(page(1, 0..150, Some(300))).load(page(2, 149..299, Some(300)));
    assert!(
        !stage.app.session.demand().everything && stage.header().contains("300 loaded  inconsistent"),
        "{}",
        stage.frame()
    );
    assert!(stage.footer().contains("Webhooks may be missing; L reloads"), "{}", stage.frame());
}

#[test]
fn an_inconsistent_read_is_compared_with_nothing() {
    let mut stage = Stage::new(120, 40);
    stage.keys("L");
    for _ in 0..3 {
        stage.load(page(1, 0..100, Some(200))).load(page(2, 99..199, Some(200)));
    }
    assert!(stage.header().contains("200 loaded  inconsistent"), "{}", stage.frame());
    stage.keys("L").load(page(1, 0..100, Some(201))).load(page(2, 100..200, Some(201))).load(page(3, 200..201, Some(201)));
    assert!(stage.header().contains("all 201  live") && counts(&stage) == [0, 0, 0], "{}", stage.frame());
}

#[test]
fn news_wait_until_it_is_known_whether_rows_moved() {
    for (size, total) in [(5_000_u64, 10_000_u64), (15_000, 30_000)] {
        let mut stage = Stage::with(with(setup(120, 40), |setup| setup.settings.auto_load_limit = 100_000));
        stage.keys("L").load(page(1, 0..size, Some(total))).load(page(2, size..total, Some(total))).keys("r");
        // The last one of page 1 comes twice; then all is well, and the last webhook is gone.
        stage.load(page(1, 0..size, Some(total - 1))).load(page(2, size - 1..total - 2, Some(total - 1)));
        stage.load(page(1, 0..size, Some(total - 1))).load(page(2, size..total - 1, Some(total - 1)));
        assert_eq!(counts(&stage), [0, 0, 1], "{total}: {}", stage.header());
    }
}
