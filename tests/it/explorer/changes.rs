//! The view of changes: what is compared with what, and what is said to be gone.

use hookscope::analysis::changes::ChangeEntry;
use hookscope::analysis::reach::Trouble;
use hookscope::api::{ErrorKind, Network};
use hookscope::tui::jobs::{Done, Job, Outcome, RemovalQuestion};
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::session::changes::{ChangeCounts, RemovalCheck};
use hookscope::tui::ui::{Focus, Overlay};
use hookscope::tui::view_kind::View;

use super::memory::{Home, all, webhooks};
use crate::support::{Stage, page, webhook, with};

/// The fourth webhook with another host, other events and an unknown field.
fn changed() -> String {
    r#"{"id":"whk_000000000003","url":"https://elsewhere.example.com/dialnexa/crm/3","events":["call.completed","call.ended"],"is_active":false,"created_at":"2024-05-04T08:00:00.000Z","retries":3}"#.to_owned()
}

fn now() -> Vec<String> {
    vec![webhook(0), webhook(2), changed(), webhook(4), webhook(5)]
}

/// Three hours ago there were five; then the second went, the fourth changed and a sixth came.
pub(super) fn looked(home: &Home, width: u16, height: u16) -> Stage {
    home.remember(&webhooks(0..5), 3);
    let mut stage = home.stage(width, height);
    stage.send(Message::Begun).load(all(now()));
    stage
}

/// What is asked of the API and not answered yet, if anything is.
fn question(stage: &Stage) -> Option<RemovalQuestion> {
    stage.asked.first().cloned()
}

fn answer(stage: &mut Stage, fate: &RemovalCheck) {
    stage.answer(std::iter::repeat(fate.clone()));
}

fn title(stage: &Stage) -> String {
    stage.frame().lines().nth(1).unwrap_or_default().split('│').next().unwrap_or_default().trim().to_owned()
}

#[test]
fn what_changed_since_the_last_look_is_told_field_by_field() {
    let home = Home::new();
    let mut stage = looked(&home, 80, 24);
    stage.keys("5");
    assert_eq!(title(&stage), "since you last looked, 3h ago: +1 ~1 ?1");
    answer(&mut stage, &RemovalCheck::Removed);
    assert_eq!(title(&stage), "since you last looked, 3h ago: +1 ~1 -1");
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
fn the_json_of_a_change_scrolls_to_its_end_however_long_it_is() {
    let home = Home::new();
    home.remember(&webhooks(0..1), 3);
    let mut stage = home.stage(80, 24);
    let lines = vec!["1"; 66_000].join(",");
    let long = format!(r#"{{"id":"a","url":"https://x.com","other":[{lines}],"last":"the end"}}"#);
    stage.send(Message::Begun).load(all(vec![webhook(0), long])).keys("5 v tab G");
    assert!(stage.app.session.changes.list.scroll > 65_600, "{}\n{}", stage.app.session.changes.list.scroll, stage.frame());
    assert!(stage.frame().contains("the end"), "{}", stage.frame());
}

#[test]
fn only_what_the_api_does_not_know_is_gone() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5");
    let ids: Vec<_> = question(&stage).unwrap().ids.iter().map(|id| id.raw().to_owned()).collect();
    assert_eq!(ids, ["whk_000000000001"]);
    assert!(stage.frame().contains("? unconfirmed: not listed; asking"), "{}", stage.frame());
    answer(&mut stage, &RemovalCheck::Unknown("503 unavailable".into()));
    assert!(stage.frame().contains("? unconfirmed: not listed; 503 unavailable"), "{}", stage.frame());
    assert_eq!(stage.app.session.changes.counts(), ChangeCounts { added: 1, changed: 1, removed: 0, unknown: 1 });
    // After the next read it is asked for again.
    stage.keys("r").load(all(now()));
    answer(&mut stage, &RemovalCheck::Present);
    assert_eq!(stage.app.session.changes.counts(), ChangeCounts { added: 1, changed: 1, removed: 0, unknown: 0 });
    assert_eq!(stage.app.session.changes.listed(), 2, "what the listing left out is no change\n{}", stage.frame());
    assert_eq!(
        stage.app.session.changes.selected().map(ChangeEntry::id),
        Some("whk_000000000001"),
        "the selection does not slip"
    );
    assert_eq!(stage.keys("j").app.session.changes.len(), 2, "{}", stage.frame());
}

#[test]
fn no_more_than_a_hundred_are_asked_for() {
    let home = Home::new();
    home.remember(&webhooks(0..150), 3);
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).load(all(webhooks(140..150)));
    stage.keys("5");
    assert_eq!(question(&stage).unwrap().ids.len(), 100);
    answer(&mut stage, &RemovalCheck::Removed);
    assert_eq!(stage.app.session.changes.counts(), ChangeCounts { removed: 100, unknown: 40, ..ChangeCounts::default() });
    stage.keys("1 5");
    assert_eq!(question(&stage), None);
}

#[test]
fn enter_shows_the_webhook_and_esc_comes_back() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5 j enter");
    assert_eq!((stage.app.ui.view, stage.selected().as_deref()), (View::Webhooks, Some("whk_000000000003")));
    stage.keys("esc");
    assert_eq!((stage.app.ui.view, stage.app.session.filter.applied()), (View::Changes, ""));
    stage.keys("g enter");
    assert_eq!(
        (stage.app.ui.view, stage.app.ui.focus),
        (View::Changes, Focus::Detail),
        "as it was is all that is known of it"
    );
    stage.keys("esc");
    assert_eq!(stage.app.ui.focus, Focus::List);
    stage.keys("esc");
    assert_eq!(stage.app.ui.view, View::Webhooks);
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
    assert_eq!(title(&stage), "since startup, 12:00:00: no changes");
    stage.wait(60).keys("r").load(all(now()));
    answer(&mut stage, &RemovalCheck::Removed);
    assert_eq!(title(&stage), "since startup, 12:00:00: +1 ~1 -1");
    stage.keys("s");
    assert!(
        matches!(stage.app.ui.overlay, Overlay::Baselines(_)) && stage.frame().contains("startup  "),
        "{}",
        stage.frame()
    );
}

#[test]
fn a_snapshot_of_the_history_can_be_compared_with() {
    let home = Home::new();
    home.remember(&webhooks(2..5), 50);
    let mut stage = looked(&home, 80, 24);
    answer(&mut stage, &RemovalCheck::Removed);
    stage.keys("5 s");
    let frame = stage.frame();
    for words in ["1 ● you last looked", "2   startup", "3   2026-06-15 12:00:00", "3 webhooks"] {
        assert!(frame.contains(words), "{words:?} is missing\n{frame}");
    }
    insta::assert_snapshot!("changes_basis", frame);
    stage.keys("5");
    assert_eq!(title(&stage), "since 2026-06-13 10:00:00, 2d ago: +2 ~1");
    stage.keys("s 2");
    assert_eq!(title(&stage), "since startup, 12:00:00: no changes");
    stage.keys("s / l o o k enter");
    assert!(title(&stage).starts_with("since you last looked"), "{}", stage.frame());
    stage.keys("s esc");
    assert!(matches!(stage.app.ui.overlay, Overlay::None));
}

#[test]
fn of_a_part_nothing_is_said_and_the_rest_is_asked_for() {
    let home = Home::new();
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).load(page(1, 0..100, Some(150))).keys("5");
    assert!(
        stage.app.session.demand().everything && stage.frame().contains("loading all webhooks: changes need"),
        "{}",
        stage.frame()
    );
    stage.load(page(2, 99..149, Some(150)));
    for _ in 0..2 {
        stage.load(page(1, 0..100, Some(150))).load(page(2, 99..149, Some(150)));
    }
    assert!(stage.frame().contains("the list changed while loading"), "{}", stage.frame());
    let mut stage = home.stage(100, 30);
    stage.load(page(1, 0..100, Some(15_000))).keys("5");
    assert!(!stage.app.session.demand().everything && stage.frame().contains("L loads it"), "{}", stage.frame());
    let mut stage = home.stage(100, 30);
    stage.keys("a").load(page(1, 0..100, Some(150))).keys("5");
    assert!(stage.frame().contains("changes need scope all, not active; a shows all"), "{}", stage.frame());
}

#[test]
fn a_read_whose_totals_differ_is_no_basis_for_changes() {
    let mut stage = Stage::new(100, 30);
    stage.keys("5");
    for _ in 0..3 {
        stage.load(page(1, 0..100, Some(150))).load(page(2, 100..151, Some(151)));
    }
    assert!(stage.frame().contains("the list changed while loading; r reloads it"), "{}", stage.frame());
}

#[test]
fn a_filter_narrows_the_changes() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5 /").paste("host:elsewhere").keys("enter");
    assert_eq!(title(&stage), "since you last looked, 3h ago: ~1 \u{b7} 3 in total");
    let words = "since you last looked, 3h ago: no changes among the 1 listed \u{b7} 3 in total";
    let home = Home::new();
    let mut wide = looked(&home, 120, 15);
    wide.keys("5 /").paste("id:whk_000000000002").keys("enter");
    assert!(wide.frame().contains(words), "{}", wide.frame());
}

#[test]
fn credentials_are_masked_until_they_are_revealed() {
    let home = Home::new();
    home.remember(&[r#"{"id":"a","url":"https://x.example.com/?token=old1"}"#.to_owned()], 3);
    let mut stage = home.stage(100, 30);
    stage.send(Message::Begun).load(all(vec![r#"{"id":"a","url":"https://x.example.com/?token=new2"}"#.to_owned()]));
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
fn the_detail_of_a_change_waits_until_the_key_is_released() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5 j");
    let at_rest = stage.frame();
    stage.hold("j", 1).hold("k", 1).hold("j", 1).hold("k", 1);
    assert!(stage.app.is_hurried());
    let held = stage.frame();
    let list = |frame: &str| frame.lines().map(|line| line.split('│').next().unwrap().to_owned()).collect::<Vec<_>>();
    assert!(list(&held) == list(&at_rest) && held != at_rest, "{held}");
    stage.wait(1).send(Message::Tick);
    assert_eq!(stage.frame(), at_rest);
}

#[test]
fn a_late_answer_about_another_workspace_is_dropped() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5");
    let RemovalQuestion { id, ids } = question(&stage).unwrap();
    stage.send(super::profiles::staging());
    stage.load(all(webhooks(0..5)));
    let fates = ids.iter().map(|id| (id.raw().into(), RemovalCheck::Removed)).collect();
    stage.send(Message::Done(Box::new(Done { id, outcome: Outcome::Asked(fates) })));
    assert_eq!(stage.app.session.changes.counts(), ChangeCounts::default());
    assert_eq!(title(&stage), "since startup, 12:00:00: no changes");
}

#[test]
fn probes_are_of_the_changes_and_not_of_the_list_behind_them() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5 p");
    assert_eq!(stage.asked(), ["https://billing.acme.example.com"], "that of the second webhook, which went");
    stage.keys("esc P");
    let all = ["https://billing.acme.example.com", "https://billing.acme.example.com", "https://elsewhere.example.com"];
    assert_eq!(stage.asked(), all[1..], "the sixth webhook is at the host of the second");
    stage.keys("esc /").paste("nothing-like-this").keys("enter p");
    assert!(stage.asked().is_empty() && stage.frame().contains("no change selected"), "{}", stage.frame());
    stage.keys("P");
    assert!(stage.asked().is_empty() && stage.frame().contains("no changes, nothing to probe"), "{}", stage.frame());
}

#[test]
fn an_export_is_of_webhooks_and_changes_say_so() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5 e");
    assert!(matches!(stage.app.ui.overlay, Overlay::None));
    assert!(stage.frame().contains("not available in this view; 1 shows the webhooks"), "{}", stage.frame());
}

#[test]
fn what_is_learned_of_webhooks_narrows_the_changes_anew() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5 /").paste("finding:any").keys("enter");
    let found = stage.app.session.changes.len();
    assert!(found > 0, "the fourth webhook has an event that nobody knows\n{}", stage.frame());
    stage.keys("esc g j p /").paste("probe:dead").keys("enter");
    assert_eq!(stage.app.session.changes.len(), 0);
    stage.found("https://elsewhere.example.com", Err(Trouble::Dns));
    assert_eq!(stage.app.session.changes.len(), 1, "what is found later counts too\n{}", stage.frame());
    stage.keys("esc /").paste("-is:marked").keys("enter");
    assert_eq!(stage.app.session.changes.len(), 3);
    stage.keys("1 G space 5");
    assert_eq!(stage.app.session.changes.len(), 2, "the sixth webhook is marked\n{}", stage.frame());
}

/// The jobs that an update begins.
fn begun(stage: &mut Stage, message: Message) -> Vec<Job> {
    let effects = stage.app.update(message, stage.now);
    let jobs = effects.into_iter().filter_map(|effect| match effect {
        Effect::Run(job) => Some(*job),
        _ => None,
    });
    jobs.collect()
}

#[test]
fn one_comparison_goes_on_at_a_time_and_the_last_wish_is_met() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5 /");
    let jobs: Vec<_> =
        "host:elsewhere".chars().flat_map(|c| begun(&mut stage, Message::Paste(c.to_string().into()))).collect();
    let [job] = <[Job; 1]>::try_from(jobs).unwrap();
    assert!(stage.frame().contains("comparing"), "{}", stage.frame());
    let [job] = <[Job; 1]>::try_from(begun(&mut stage, Message::Done(Box::new(job.run(&|| true))))).unwrap();
    assert!(begun(&mut stage, Message::Done(Box::new(job.run(&|| true)))).is_empty());
    assert_eq!(title(&stage), "since you last looked, 3h ago: ~1 \u{b7} 3 in total");
}

#[test]
fn an_older_read_is_not_shown_as_the_present() {
    let home = Home::new();
    let mut stage = looked(&home, 120, 30);
    stage.wait(3600).keys("a 5");
    assert!(title(&stage).starts_with("! as of 12:00:00, a shows all: +1 ~1 ?1"), "{}", stage.frame());
    assert!(stage.frame().contains("changes are as of 12:00:00, a shows all"), "{}", stage.frame());
}

#[test]
fn of_many_webhooks_only_those_on_screen_are_read_again_and_changes_say_so() {
    let mut stage = Stage::with(with(crate::support::setup(120, 30), |setup| setup.settings.auto_load_limit = 100));
    stage.load(page(1, 0..100, Some(150))).keys("L").load(page(2, 100..150, Some(150))).keys("5");
    assert_eq!(title(&stage), "since startup, 12:00:00: no changes");
    stage.wait(3600).keys("1 r").load(page(1, 1..101, Some(150))).keys("5");
    assert!(title(&stage).starts_with("! as of 12:00:00, L reloads all: no changes"), "{}", stage.frame());
    assert!(stage.frame().contains("changes are as of 12:00:00, L reloads all"), "{}", stage.frame());
    stage.keys("L").load(page(1, 1..101, Some(150))).load(page(2, 101..151, Some(150)));
    assert_eq!(title(&stage), "since startup, 12:00:00: +1 ?1");
    stage.keys("r").fail(1, ErrorKind::Network(Network::Refused), "127.0.0.1:9");
    assert!(stage.frame().contains("! as of 13:00:00, r refreshes: +1 ?1"), "{}", stage.frame());
}

#[test]
fn a_first_read_in_which_an_id_came_twice_is_no_start() {
    let mut stage = Stage::new(100, 30);
    stage.keys("5");
    for _ in 0..3 {
        stage.load(page(1, 0..100, Some(150))).load(page(2, 99..149, Some(150)));
    }
    assert!(stage.frame().contains("the list changed while loading"), "{}", stage.frame());
    stage.wait(60).keys("r").load(page(1, 0..100, Some(150))).load(page(2, 100..150, Some(150)));
    assert_eq!(title(&stage), "since startup, 12:01:00: no changes");
}

fn down(stage: &mut Stage) {
    stage.fail(1, ErrorKind::Network(Network::Refused), "127.0.0.1:9");
}

#[test]
fn while_the_api_is_down_the_cache_is_compared_with_what_was_before_it() {
    let home = Home::new();
    home.remember(&webhooks(0..5), 50);
    home.remember(&now(), 3);
    let mut stage = home.stage(120, 24);
    down(stage.send(Message::Begun));
    stage.keys("5");
    let title = "! cached 3h ago: +1 ~1 ?1, since 2026-06-13 10:00:00, 2d";
    assert!(stage.frame().contains(title), "{}", stage.frame());
    assert_eq!(question(&stage), None, "an API that is down is asked nothing");
    insta::assert_snapshot!("changes_of_the_cache", stage.frame());
    // When it answers again, changes are those since the last look.
    stage.keys("r").load(all(webhooks(0..5)));
    assert!(stage.frame().contains("  since you last looked, 3h ago: +1 ~1 ?1"), "{}", stage.frame());
    assert!(question(&stage).is_some());
}

#[test]
fn a_cache_is_never_compared_with_itself() {
    let home = Home::new();
    home.remember(&webhooks(0..5), 3);
    let mut stage = home.stage(80, 24);
    down(stage.send(Message::Begun));
    let frame = stage.keys("5").frame();
    assert!(frame.contains("  not known: the API has not answered, and no snapshot is older than the cache\n"), "{frame}");
    assert!(frame.contains("  ! cached 3h ago\n") && !frame.contains("no changes"), "{frame}");
    // Nor can it be chosen as the baseline.
    let frame = stage.keys("s").frame();
    assert!(frame.contains("nothing to compare with yet"), "{frame}");
    stage.resize(40, 15);
    assert!(stage.frame().contains("\n  cache\n"), "{}", stage.frame());
    // The other views say that nothing is of now.
    let frame = stage.keys("4").frame();
    assert!(frame.contains("! 5 loaded, all from the cache"), "{frame}");
}

#[test]
fn what_is_gone_is_not_shown_as_active() {
    let home = Home::new();
    let mut stage = looked(&home, 100, 30);
    stage.keys("5");
    assert!(stage.frame().contains("unconfirmed, was active"), "{}", stage.frame());
    answer(&mut stage, &RemovalCheck::Removed);
    assert!(stage.frame().contains("whk_000000000001       removed, was active"), "{}", stage.frame());
    stage.keys("j");
    assert!(stage.frame().contains("○ inactive") && !stage.frame().contains("was"), "{}", stage.frame());
}

#[test]
fn what_came_back_under_another_id_is_said_on_both_sides() {
    let home = Home::new();
    home.remember(&webhooks(0..5), 3);
    let mut stage = home.stage(120, 30);
    let again = r#"{"id":"again","url":"https://billing.acme.example.com/dialnexa/crm/1","events":["call.failed","call.completed"],"is_active":true}"#.to_owned();
    stage.send(Message::Begun).load(all(vec![webhook(0), webhook(2), webhook(3), webhook(4), again])).keys("5");
    assert!(stage.frame().contains("possibly re-registered as again: same URL and"), "{}", stage.frame());
    stage.keys("j");
    assert!(stage.frame().contains("possibly re-registered from whk_000000000001: same"), "{}", stage.frame());
}

#[test]
fn a_look_of_a_moment_ago_is_told_in_seconds() {
    let home = Home::new();
    home.remember(&webhooks(0..5), 0);
    let mut stage = home.stage(100, 30);
    stage.wait(37).send(Message::Begun).load(all(webhooks(0..6))).keys("5");
    assert_eq!(title(&stage), "since you last looked, 37s ago: +1");
    assert_eq!(stage.app.next_wake(), Some(stage.now.instant + std::time::Duration::from_secs(1)));
    stage.keys("s");
    assert!(stage.frame().contains("you last looked      37s ago"), "{}", stage.frame());
}
