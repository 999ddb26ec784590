//! Scopes: what is found out about the rows of one says nothing about another, and nothing of it is lost.

use hookscope::api::{ErrorKind, Network};
use hookscope::tui::list_pane::ViewList as _;
use hookscope::tui::view_kind::View;

use super::memory::all;
use crate::support::{Stage, page, webhook};

fn webhooks(numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers.map(webhook).collect()
}

fn active() -> Vec<String> {
    webhooks(0..3)
}

fn changed() -> String {
    r#"{"id":"whk_000000000003","url":"https://elsewhere.example.com/","events":[],"is_active":true}"#.to_owned()
}

/// Five webhooks of which one changed, one is gone, and there is a new one, before that is known.
fn read_anew() -> Vec<String> {
    vec![webhook(0), webhook(2), changed(), webhook(4), webhook(5)]
}

fn counts(stage: &Stage) -> [usize; 3] {
    stage.app.session.unread.counts().map(|(_, count)| count)
}

#[test]
fn news_of_a_scope_are_not_marked_in_another_and_come_back_with_it() {
    let mut stage = Stage::new(120, 40);
    stage.load(all(webhooks(0..5))).keys("r");
    let late = stage.late_load(all(read_anew()));
    assert_eq!(late.len(), 1, "it is compared");
    stage.keys("a");
    for message in late {
        stage.send(message);
    }
    assert!(stage.app.session.unread.is_empty(), "{}", stage.frame());
    stage.load(all(active()));
    assert_eq!(stage.app.session.list.len(), 3, "no row of all is among the active ones\n{}", stage.frame());
    stage.keys("a a").load(all(read_anew()));
    assert_eq!(counts(&stage), [1, 1, 1], "{}", stage.frame());
}

#[test]
fn marks_of_news_survive_a_round_of_the_scopes() {
    let mut stage = Stage::new(120, 40);
    stage.load(all(webhooks(0..5))).keys("r").load(all(read_anew()));
    assert_eq!(counts(&stage), [1, 1, 1], "{}", stage.frame());
    stage.keys("a");
    assert!(stage.app.session.unread.is_empty(), "{}", stage.frame());
    stage.load(all(active())).keys("a a");
    assert_eq!((counts(&stage), stage.app.session.list.len()), ([1, 1, 1], 6), "{}", stage.frame());
    stage.load(all(read_anew()));
    assert_eq!((counts(&stage), stage.app.session.list.len()), ([1, 1, 1], 6), "{}", stage.frame());
}

#[test]
fn what_came_while_another_scope_was_shown_is_new() {
    let mut stage = Stage::new(120, 40);
    stage.load(all(webhooks(0..5))).keys("a").load(all(active())).keys("a a").load(all(webhooks(0..7)));
    assert_eq!(counts(&stage), [2, 0, 0], "{}", stage.frame());
}

#[test]
fn what_was_to_be_marked_or_probed_of_one_scope_is_not_done_in_another() {
    for key in ["*", "P"] {
        let mut stage = Stage::new(120, 40);
        stage.load(all(webhooks(0..5)));
        let late = stage.late_key(key);
        assert_eq!(late.len(), 1, "{key}");
        stage.keys("a").load(all(active()));
        for message in late {
            stage.send(message);
        }
        assert!(stage.app.session.marks.is_empty() && !stage.app.session.probes.is_running(), "{key}\n{}", stage.frame());
        // What waits for all of them waits for nothing any more.
        let mut stage = Stage::loaded(120, 40);
        stage.keys(key).keys("a").load(all(active()));
        assert!(stage.app.session.marks.is_empty() && !stage.app.session.probes.is_running(), "{key}\n{}", stage.frame());
    }
}

#[test]
fn groups_of_one_scope_are_not_shown_for_another() {
    let mut stage = Stage::new(120, 40);
    stage.load(page(1, 0..100, Some(250))).keys("2");
    assert!(stage.app.group_pane().is_some_and(|pane| pane.groups().is_some()));
    stage.keys("a");
    assert_eq!(stage.app.ui.view, View::Hosts);
    assert!(stage.app.group_pane().is_some_and(|pane| pane.groups().is_none()), "{}", stage.frame());
    stage.load(all(active()));
    assert!(stage.app.group_pane().is_some_and(|pane| pane.list.len() == 3), "{}", stage.frame());
}

#[test]
fn groups_of_one_workspace_are_not_shown_for_another() {
    let mut stage = Stage::new(120, 40);
    stage.load(all(webhooks(0..5))).keys("2").send(super::profiles::staging());
    assert!(stage.app.group_pane().is_none_or(|pane| pane.groups().is_none()), "{}", stage.frame());
    stage.load(all(active()));
    assert!(stage.app.group_pane().is_some_and(|pane| pane.list.len() == 3), "{}", stage.frame());
}

#[test]
fn what_was_read_of_all_is_shown_of_a_scope_until_that_is_read() {
    let mut stage = Stage::new(120, 40);
    stage.load(all(webhooks(0..5))).keys("a");
    stage.fail(1, ErrorKind::Network(Network::Refused), "connection refused");
    let frame = stage.frame();
    assert_eq!(stage.app.session.list.len(), 4, "{frame}");
    assert!(frame.contains("active 4 cached") && frame.contains("! connection refused"), "{frame}");
    stage.keys("r").load(all(active()));
    assert_eq!((stage.app.session.list.len(), stage.app.session.list.lines.remembered()), (3, 0), "{}", stage.frame());
}

#[test]
fn trouble_hides_no_answer_to_a_filter() {
    let mut stage = Stage::new(120, 40);
    stage.load(all(webhooks(0..5))).keys("r").fail(1, ErrorKind::Network(Network::Refused), "refused");
    stage.keys("/").paste("nowhere").keys("enter");
    let frame = stage.frame();
    assert!(frame.contains("No webhooks match") && frame.contains("! connection refused"), "{frame}");
}
