//! The view of changes: what is compared with what, and what is said to be gone.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

use hookscope::model::Row;
use hookscope::tui::app::{Focus, Overlay};
use hookscope::tui::changes_pane::{Counts, Fate};
use hookscope::tui::jobs::{Done, Outcome, Question};
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::views::View;

use super::memory::{Home, all, webhooks};
use crate::support::{Stage, page, row, webhook};

/// The fourth webhook with another host, other events and an unknown field.
fn changed() -> Row {
    row(
        r#"{"id":"whk_000000000003","url":"https://elsewhere.example.com/dialnexa/crm/3","events":["call.completed","call.ended"],"is_active":false,"created_at":"2024-05-04T08:00:00.000Z","retries":3}"#,
    )
}

fn now() -> Vec<Row> {
    vec![webhook(0), webhook(2), changed(), webhook(4), webhook(5)]
}

/// Three hours ago there were five; then the second went, the fourth changed and a sixth came.
fn looked(home: &Home, width: u16, height: u16) -> Stage {
    home.remember(&webhooks(0..5), 3);
    let mut stage = home.stage(width, height);
    stage.send(Message::Begun).load(all(now()));
    stage
}

/// What is asked of the API, if anything is.
fn question(stage: &Stage) -> Option<Question> {
    stage.effects.iter().find_map(|effect| match effect {
        Effect::Ask(question) => Some(question.clone()),
        _ => None,
    })
}

fn answer(stage: &mut Stage, fate: &Fate) {
    let Question { number, ids } = question(stage).unwrap();
    let fates = ids.iter().map(|id| (id.raw().into(), fate.clone())).collect();
    stage.send(Message::Done(Box::new(Done { number, outcome: Outcome::Asked(fates) })));
}

fn title(stage: &Stage) -> String {
    stage.frame().lines().nth(1).unwrap_or_default().split('│').next().unwrap_or_default().trim().to_owned()
}

#[test]
fn what_changed_since_the_last_look_is_told_field_by_field() {
    let home = Home::new();
    let mut stage = looked(&home, 80, 24);
    stage.keys("5");
    assert_eq!(title(&stage), "since your last look, 3h ago: +1 ~1 ?1");
    answer(&mut stage, &Fate::Gone);
    assert_eq!(title(&stage), "since your last look, 3h ago: +1 ~1 -1");
    stage.keys("j");
    let frame = stage.frame();
    for words in [
        "~ changed",
        "url.host",
        "- n8n.ops.initech.example.org",
        "+ elsewhere.example.com",
        "- call.failed",
        "+ call.ended",
    ] {
        assert!(frame.contains(words), "{words:?} is missing\n{frame}");
    }
    insta::assert_snapshot!("changes", frame);
}

#[test]
fn only_what_the_api_does_not_know_is_gone() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5");
    let ids: Vec<_> = question(&stage).unwrap().ids.iter().map(|id| id.raw().to_owned()).collect();
    assert_eq!(ids, ["whk_000000000001"]);
    assert!(stage.frame().contains("? gone or unknown: it is not listed, and"), "{}", stage.frame());
    answer(&mut stage, &Fate::Unknown("503 unavailable".into()));
    assert!(stage.frame().contains("? gone or unknown: 503 unavailable"), "{}", stage.frame());
    assert_eq!(stage.app.changes.counts(), Counts { added: 1, changed: 1, removed: 0, unknown: 1 });
    // After the next read it is asked for again.
    stage.keys("r").load(all(now()));
    answer(&mut stage, &Fate::There);
    assert_eq!(stage.app.changes.counts(), Counts { added: 1, changed: 1, removed: 0, unknown: 0 });
    assert_eq!(stage.app.changes.len(), 2, "what the listing left out is no change\n{}", stage.frame());
}

#[test]
fn no_more_than_a_hundred_are_asked_for() {
    let home = Home::new();
    home.remember(&webhooks(0..150), 3);
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).load(all(webhooks(140..150)));
    stage.keys("5");
    assert_eq!(question(&stage).unwrap().ids.len(), 100);
    answer(&mut stage, &Fate::Gone);
    assert_eq!(stage.app.changes.counts(), Counts { removed: 100, unknown: 40, ..Counts::default() });
    stage.keys("1 5");
    assert_eq!(question(&stage), None);
}

#[test]
fn enter_shows_the_webhook_and_esc_comes_back() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5 j enter");
    assert_eq!((stage.app.view, stage.selected().as_deref()), (View::Webhooks, Some("whk_000000000003")));
    stage.keys("esc");
    assert_eq!((stage.app.view, stage.app.filter.applied()), (View::Changes, ""));
    stage.keys("g enter");
    assert_eq!((stage.app.view, stage.app.focus), (View::Changes, Focus::Detail), "as it was is all that is known of it");
    stage.keys("esc");
    assert_eq!(stage.app.focus, Focus::List);
    stage.keys("esc");
    assert_eq!(stage.app.view, View::Webhooks);
}

#[test]
fn what_is_selected_can_be_copied_gone_or_not() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5 y i");
    assert!(stage.effects.contains(&Effect::Copy("whk_000000000001".into())), "{:?}", stage.effects);
}

#[test]
fn without_a_cache_changes_are_those_since_the_start() {
    let mut stage = Stage::new(100, 30);
    stage.load(all(webhooks(0..5))).keys("5");
    assert_eq!(title(&stage), "since the start, 12:00:00: no change");
    stage.wait(60).keys("r").load(all(now()));
    answer(&mut stage, &Fate::Gone);
    assert_eq!(title(&stage), "since the start, 12:00:00: +1 ~1 -1");
    stage.keys("s");
    assert!(matches!(stage.app.overlay, Overlay::Bases(_)) && stage.frame().contains("the start"), "{}", stage.frame());
}

#[test]
fn a_snapshot_of_the_history_can_be_compared_with() {
    let home = Home::new();
    home.remember(&webhooks(2..5), 50);
    let mut stage = looked(&home, 80, 24);
    stage.keys("5 s");
    let frame = stage.frame();
    for words in ["1 ● your last look", "2   the start", "3   2026-06-15 12:00:00", "3 webhooks"] {
        assert!(frame.contains(words), "{words:?} is missing\n{frame}");
    }
    insta::assert_snapshot!("changes_basis", frame);
    stage.keys("5");
    assert_eq!(title(&stage), "since 2026-06-13 10:00:00, 2d ago: +2 ~1");
    stage.keys("s 2");
    assert_eq!(title(&stage), "since the start, 12:00:00: no change");
    stage.keys("s").paste("look");
    stage.keys("enter");
    assert!(title(&stage).starts_with("since your last look"), "{}", stage.frame());
    stage.keys("s esc");
    assert!(matches!(stage.app.overlay, Overlay::None));
}

#[test]
fn of_a_part_nothing_is_said_and_the_rest_is_asked_for() {
    let home = Home::new();
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).load(page(1, 0..100, Some(150))).keys("5");
    assert!(stage.app.demand().everything && stage.frame().contains("everything is being read"), "{}", stage.frame());
    stage.load(page(2, 99..149, Some(150)));
    assert!(stage.frame().contains("an id came twice"), "{}", stage.frame());
    let mut stage = home.stage(100, 30);
    stage.load(page(1, 0..100, Some(15_000))).keys("5");
    assert!(!stage.app.demand().everything && stage.frame().contains("L loads them"), "{}", stage.frame());
    let mut stage = home.stage(100, 30);
    stage.keys("a").load(page(1, 0..100, Some(150))).keys("5");
    assert!(stage.frame().contains("only active are asked for: a shows all"), "{}", stage.frame());
}

#[test]
fn a_read_whose_totals_differ_is_no_basis_for_changes() {
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..100, Some(150))).keys("5").load(page(2, 100..151, Some(151)));
    assert!(stage.frame().contains("changed while they were read: r reads them again"), "{}", stage.frame());
}

#[test]
fn a_filter_narrows_the_changes() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5 /").paste("host:elsewhere").keys("enter");
    assert_eq!(title(&stage), "since your last look, 3h ago: ~1");
}

#[test]
fn credentials_are_masked_until_they_are_revealed() {
    let home = Home::new();
    home.remember(&[row(r#"{"id":"a","url":"https://x.example.com/?token=old1"}"#)], 3);
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).load(all(vec![row(r#"{"id":"a","url":"https://x.example.com/?token=new2"}"#)]));
    stage.keys("5");
    assert!(!stage.frame().contains("old1") && !stage.frame().contains("new2"), "{}", stage.frame());
    stage.keys("x");
    assert!(stage.frame().contains("token=old1") && stage.frame().contains("token=new2"), "{}", stage.frame());
}

#[test]
fn nothing_breaks_in_whatever_size_it_is_looked_at() {
    let home = Home::new();
    let mut stage = looked(&home, 80, 24);
    stage.keys("5 j");
    for (width, height) in [(1, 1), (2, 3), (10, 4), (40, 8), (79, 15), (100, 16), (200, 60)] {
        stage.resize(width, height).keys("tab j j k tab G g s down up esc");
        assert_eq!(stage.frame().lines().count(), usize::from(height), "{width}x{height}");
    }
}

#[test]
fn a_late_answer_about_another_workspace_is_dropped() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5");
    let Question { number, ids } = question(&stage).unwrap();
    stage.send(super::profiles::staging());
    stage.load(all(webhooks(0..5)));
    let fates = ids.iter().map(|id| (id.raw().into(), Fate::Gone)).collect();
    stage.send(Message::Done(Box::new(Done { number, outcome: Outcome::Asked(fates) })));
    assert_eq!(stage.app.changes.counts(), Counts::default());
    assert_eq!(title(&stage), "since the start, 12:00:00: no change");
}
