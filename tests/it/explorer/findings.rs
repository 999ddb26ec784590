//! The findings of an audit in the list, the detail, the view of findings and the filter, and the work that they take.

use std::sync::Arc;
use std::time::Duration;

use hookscope::analysis::audit::{AuditWork, Rule, Severity, Waiver, WaiverTarget};
use hookscope::analysis::reach::Trouble;
use hookscope::api::ErrorKind;
use hookscope::base::text::Untrusted;
use hookscope::config;
use hookscope::tui::list_pane::ViewList as _;
use hookscope::tui::message::Message;
use hookscope::tui::theme::{Glyphs, Theme};
use hookscope::tui::ui::Focus;
use hookscope::tui::view_kind::View;

use super::memory::Home;
use crate::support::{SentPage, Stage, page, setup, with};

/// A webhook without a fault, or with the URL that is one.
fn at(id: &str, url: &str) -> String {
    format!(
        r#"{{"id":"{id}","url":"{url}","events":["call.completed"],"is_active":true,"created_at":"2026-01-01T00:00:00Z"}}"#
    )
}

fn faulty() -> Vec<String> {
    vec![
        at("good", "https://good.example.com/x"),
        at("twin1", "https://twins.example.com/x"),
        at("plain", "http://plain.example.com/x"),
        at("twin2", "https://TWINS.example.com:443/x"),
        r#"{"id":"old","url":"https://old.example.com/","events":[],"is_active":false,"created_at":"2020-01-01T00:00:00Z"}"#
            .to_owned(),
        "null".to_owned(),
    ]
}

/// All rows of a workspace on one page.
fn all(rows: Vec<String>) -> SentPage {
    SentPage { total: Some(rows.len() as u64), rows, ..page(1, 0..0, None) }
}

fn with_faults(width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height);
    stage.load(all(faulty()));
    stage
}

fn shown(stage: &Stage) -> Vec<String> {
    (0..stage.app.session.list.len()).filter_map(|place| Some(stage.app.session.list.row(place)?.id().to_owned())).collect()
}

fn filter(stage: &mut Stage, text: &str) -> Vec<String> {
    stage.keys("/").paste(text).keys("enter");
    let ids = shown(stage);
    stage.keys("esc");
    ids
}

#[test]
fn the_list_shows_how_bad_the_worst_finding_is() {
    let stage = with_faults(80, 24);
    for (part, sign) in [("plain.example", "1 event ✗"), ("twins", "1 event !"), ("old.example", "0 events i")] {
        assert!(stage.line(part).contains(sign), "{part}: {}", stage.frame());
    }
    assert!(stage.line("good.example.com/x").contains("1 event    "), "{}", stage.frame());
    // With the name of the rule where there is room.
    let stage = with_faults(200, 24);
    assert!(stage.line("plain.example").contains("✗ insecure-url"), "{}", stage.frame());
}

#[test]
fn signs_differ_without_colours_and_in_ascii() {
    let colourless = Theme::new(&config::ThemeConfig::default(), false);
    let mut stage = Stage::with(with(setup(80, 24), |setup| {
        setup.settings.glyphs = Glyphs::ascii();
        setup.settings.theme = colourless;
    }));
    stage.load(all(faulty()));
    for (part, sign) in [("plain.example", "1 event X"), ("twins", "1 event !"), ("old.example", "0 events i")] {
        assert!(stage.line(part).contains(sign), "{part}: {}", stage.frame());
    }
    let frame = stage.keys("4").frame();
    assert!(frame.is_ascii() && frame.contains("X insecure-url"), "{frame}");
}

#[test]
fn the_detail_says_what_is_wrong_and_what_to_do() {
    let mut stage = with_faults(120, 40);
    assert!(!stage.frame().contains("findings"), "{}", stage.frame());
    stage.keys("j j");
    let frame = stage.frame();
    assert!(frame.contains("findings ✗ insecure-url: "), "{frame}");
    let advice = Rule::named("insecure-url").unwrap().advice.split(' ').take(3).collect::<Vec<_>>().join(" ");
    assert!(frame.contains(&format!("What to do: {advice}")), "{frame}");
    // Of several webhooks it names the others.
    stage.keys("j");
    assert!(stage.frame().contains("also twin1"), "{}", stage.frame());
    stage.keys("k k");
    assert!(stage.frame().contains("also twin2"), "{}", stage.frame());
}

#[test]
fn the_worst_is_told_first() {
    let mut stage = Stage::new(160, 40);
    let url = format!("http://bad.example.com/{}", "x".repeat(200));
    stage.load(all(vec![at("bad", &url)]));
    let severities: Vec<_> = stage.app.told().iter().map(|told| told.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Warning], "{}", stage.frame());
}

#[test]
fn only_pages_that_changed_are_audited_again() {
    let mut stage = Stage::new(80, 24);
    let pages = |stage: &mut Stage| {
        for number in 1..=3 {
            stage.load(page(number, (number - 1) * 100..number * 100, Some(300)));
        }
    };
    stage.keys("L");
    pages(&mut stage);
    let work = std::mem::take(&mut stage.work);
    let checked: u64 = work.iter().map(|work| work.checked).sum();
    let gathered: u64 = work.iter().map(|work| work.gathered).sum();
    assert_eq!((checked, gathered), (300, 300), "each row once, and all together once they are here: {work:?}");
    // The same rows again.
    stage.keys("r");
    pages(&mut stage);
    assert!(stage.app.session.is_audited());
    assert!(stage.work.iter().all(|work| *work == AuditWork::default()), "{:?}", stage.work);
    // One of them is another one now.
    stage.work.clear();
    stage.keys("r");
    let mut second = page(2, 100..200, Some(300));
    second.rows[7] = at("other", "http://other.example.com/");
    stage.load(page(1, 0..100, Some(300))).load(second).load(page(3, 200..300, Some(300)));
    let checked: u64 = stage.work.iter().map(|work| work.checked).sum();
    let gathered: u64 = stage.work.iter().map(|work| work.gathered).sum();
    assert_eq!((checked, gathered), (100, 300), "{:?}", stage.work);
}

#[test]
fn while_everything_loads_only_the_screen_is_audited() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("L");
    stage.work.clear();
    for number in 2..=12 {
        stage.load(page(number, (number - 1) * 100..number * 100, Some(1234)));
    }
    assert_eq!(stage.work, [], "nothing of it is on screen");
    // A page on screen is audited by itself meanwhile.
    stage.keys("pgdn pgdn pgdn pgdn pgdn pgdn pgdn pgdn pgdn pgdn");
    assert_eq!(stage.work, [AuditWork { checked: 100, gathered: 0 }]);
    stage.work.clear();
    stage.load(page(13, 1200..1234, Some(1234)));
    assert_eq!(stage.work, [AuditWork { checked: 1034, gathered: 1234 }]);
    assert!(stage.app.session.is_audited());
}

#[test]
fn a_held_key_waits_for_no_audit() {
    let mut stage = Stage::loaded(80, 24);
    stage.work.clear();
    stage.hold("j", 30);
    assert!(stage.app.is_hurried());
    stage.load(page(2, 100..200, Some(1234)));
    assert_eq!(stage.work, []);
    stage.wait(1).send(Message::Tick);
    assert_eq!(stage.work, [AuditWork { checked: 100, gathered: 200 }]);
}

#[test]
fn a_row_that_changed_shows_no_finding_of_the_one_before() {
    let mut stage = with_faults(80, 24);
    stage.keys("r");
    // The answer is here, and was not audited yet.
    let mut rows = faulty();
    rows.swap(0, 2);
    stage.hold("j", 1).hold("k", 1);
    stage.load(all(rows));
    assert_eq!(stage.work.last().map(|work| work.checked), Some(6), "{}", stage.frame());
    assert!(stage.line("plain.example").contains('✗'), "{}", stage.frame());
    assert!(!stage.line("good.example.com/x").contains('✗'), "{}", stage.frame());
}

#[test]
fn the_view_of_findings_opens_rules_and_goes_to_webhooks() {
    let mut stage = with_faults(100, 30);
    stage.keys("4");
    assert_eq!(stage.app.ui.view, View::Findings);
    let frame = stage.frame();
    let places: Vec<_> = ["insecure-url", "malformed-row", "duplicate-destination", "uncovered-event", "long-inactive"]
        .map(|rule| frame.find(rule).unwrap_or_else(|| panic!("{rule}: {frame}")))
        .into();
    assert!(places.is_sorted(), "the worst first: {frame}");
    assert!(frame.contains("What to do: "), "{frame}");
    // Open, go to the second twin, look around, come back.
    stage.keys("j j enter");
    assert!(stage.line("duplicate-destination").contains('▾'), "{}", stage.frame());
    stage.keys("j j enter");
    assert_eq!((stage.app.ui.view, stage.selected().as_deref()), (View::Webhooks, Some("twin2")), "{}", stage.frame());
    assert_eq!(shown(&stage), ["twin1", "twin2"], "its companions are shown with it");
    assert_eq!(stage.app.session.filter.applied(), "finding:duplicate-destination");
    stage.keys("k esc");
    assert_eq!((stage.app.ui.view, stage.app.session.filter.applied()), (View::Findings, ""), "{}", stage.frame());
    let selected = stage.app.group_pane().unwrap().list.cursor().selected();
    assert_eq!(selected, 4, "{}", stage.frame());
    // Esc closes the rule, then leaves the view.
    stage.keys("esc");
    assert!(stage.line("duplicate-destination").contains('▸'), "{}", stage.frame());
    stage.keys("esc");
    assert_eq!((stage.app.ui.view, stage.app.ui.focus), (View::Webhooks, Focus::List));
}

#[test]
fn what_is_said_of_a_line_waits_until_the_key_is_released() {
    let mut stage = with_faults(100, 30);
    stage.keys("4").hold("j", 3);
    assert!(stage.app.is_hurried() && !stage.frame().contains("What to do: "), "{}", stage.frame());
    stage.wait(1).send(Message::Tick);
    assert!(stage.frame().contains("What to do: "), "{}", stage.frame());
}

#[test]
fn a_row_that_is_no_webhook_is_gone_to_without_a_filter() {
    let mut stage = with_faults(100, 30);
    stage.keys("4 j enter j");
    assert!(stage.line("row 6").contains("not an object"), "{}", stage.frame());
    stage.keys("enter");
    assert_eq!(
        (stage.app.ui.view, stage.app.session.list.selected(), stage.app.session.filter.applied()),
        (View::Webhooks, 5, "")
    );
    stage.keys("esc");
    assert_eq!(stage.app.ui.view, View::Findings);
}

#[test]
fn the_view_is_about_the_rows_that_the_filter_admits() {
    let mut stage = with_faults(100, 30);
    stage.keys("/").paste("twins").keys("enter 4");
    let frame = stage.frame();
    assert!(frame.contains("duplicate-destination") && frame.contains("in the listed webhooks"), "{frame}");
    assert!(!frame.contains("insecure-url") && !frame.contains("uncovered-event"), "{frame}");
    stage.keys("enter j enter");
    assert_eq!(stage.app.session.filter.applied(), "twins finding:duplicate-destination");
    stage.keys("esc");
    assert_eq!((stage.app.ui.view, stage.app.session.filter.applied()), (View::Findings, "twins"));
}

#[test]
fn a_rule_of_many_webhooks_stays_readable() {
    let mut stage = Stage::new(100, 30);
    stage.keys("4");
    let rows =
        |range: std::ops::Range<u64>| range.map(|i| at(&format!("w{i}"), &format!("http://x{i}.example.com/"))).collect();
    for number in 1..=11 {
        let rows = rows((number - 1) * 100..number * 100);
        stage.load(SentPage { rows, ..page(number, 0..0, Some(1100)) });
    }
    stage.keys("enter G k");
    assert_eq!(stage.app.group_pane().unwrap().list.len(), 1 + 1000 + 1 + 1, "{}", stage.frame());
    assert!(stage.frame().contains("and 100 more"), "{}", stage.frame());
}

#[test]
fn of_a_part_nothing_is_said_that_holds_for_the_whole() {
    let mut stage = Stage::new(100, 30);
    stage.load(SentPage { rows: faulty(), total: Some(20_000), ..page(1, 0..0, None) });
    stage.keys("4");
    let frame = stage.frame();
    assert!(frame.contains("in the loaded webhooks") && frame.contains("insecure-url"), "{frame}");
    assert!(!frame.contains("uncovered-event"), "{frame}");
    // And of one scope neither.
    let mut stage = with_faults(100, 30);
    stage.keys("a").load(all(faulty().into_iter().take(4).collect())).keys("4");
    let frame = stage.frame();
    assert!(frame.contains("in the loaded webhooks") && !frame.contains("uncovered-event"), "{frame}");
}

#[test]
fn nothing_wrong_is_said_once_that_is_known() {
    let mut stage = Stage::new(100, 30);
    let rows = (0..100).map(|i| at(&format!("w{i}"), &format!("https://x{i}.example.com/"))).collect();
    stage.load(SentPage { rows, total: Some(20_000), ..page(1, 0..0, None) });
    stage.keys("4");
    assert!(stage.frame().contains("no findings in the loaded webhooks"), "{}", stage.frame());
}

#[test]
fn accepted_findings_are_not_shown_but_counted() {
    let waiver = |rule: &str, id: &str, expires: Option<&str>| Waiver {
        rule: Rule::named(rule).unwrap().id,
        target: WaiverTarget::Webhook(Untrusted::from(id)),
        reason: "it is known".into(),
        expires: expires.map(|date| date.parse().unwrap()),
    };
    let audit = config::AuditConfig {
        allow: vec![
            waiver("insecure-url", "plain", None),
            waiver("duplicate-destination", "twin1", None),
            waiver("long-inactive", "old", Some("2026-06-01")),
        ],
        severity: vec![(Rule::named("long-inactive").unwrap(), Severity::Error)],
        ..config::AuditConfig::default()
    };
    let mut stage = Stage::with(with(setup(100, 30), |setup| setup.settings.audit = Arc::new(audit)));
    stage.load(all(faulty()));
    assert!(!stage.line("plain.example").contains('✗'), "{}", stage.frame());
    assert!(!stage.line("twins").contains('!'), "{}", stage.frame());
    assert!(stage.line("old.example").contains('✗'), "its time is over, and it is severe here: {}", stage.frame());
    stage.keys("4");
    let frame = stage.frame();
    assert!(frame.contains("2 waived") && frame.contains("expired-waiver"), "{frame}");
    assert!(!frame.contains("insecure-url") && !frame.contains("duplicate-destination"), "{frame}");
}

#[test]
fn findings_can_be_searched_for() {
    let mut stage = with_faults(100, 30);
    assert_eq!(filter(&mut stage, "finding:insecure-url"), ["plain"]);
    assert_eq!(filter(&mut stage, "finding:warning"), ["twin1", "twin2"]);
    assert_eq!(filter(&mut stage, "finding:info|error"), ["plain", "old"]);
    assert_eq!(filter(&mut stage, "finding:any -host:twins"), ["plain", "old"]);
    assert_eq!(filter(&mut stage, "-finding:any"), ["good"]);
    stage.keys("/").paste("finding:insecure-urk");
    assert!(stage.frame().contains("Did you mean finding:insecure-url?"), "{}", stage.frame());
}

#[test]
fn a_search_for_findings_follows_what_is_found() {
    let mut stage = with_faults(100, 30);
    stage.keys("/").paste("finding:error").keys("enter");
    assert_eq!(shown(&stage), ["plain"]);
    stage.keys("r");
    let mut rows = faulty();
    rows[0] = at("good", "http://good.example.com/x");
    stage.load(all(rows));
    assert_eq!(shown(&stage), ["good", "plain"], "{}", stage.frame());
}

#[test]
fn how_many_have_a_finding_is_said_once_it_is_known() {
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..100, Some(300)));
    stage.keys("/").paste("finding:any").keys("enter");
    assert!(stage.header().contains("12 of 100 loaded (of 300)"), "{}", stage.header());
    stage.load(page(2, 100..200, Some(300)));
    assert!(stage.header().contains("? of 200 loaded (of 300)"), "{}", stage.header());
    stage.load(page(3, 200..300, Some(300)));
    assert!(stage.header().contains("36 of 300"), "{}", stage.header());
}

#[test]
fn what_fails_to_load_is_audited_as_far_as_it_came() {
    let mut stage = Stage::loaded(100, 30);
    stage.keys("L").fail(2, ErrorKind::Status(500), "Internal server error");
    assert!(stage.app.session.is_audited(), "{}", stage.frame());
}

#[test]
fn another_scope_has_its_own_findings() {
    let mut stage = with_faults(80, 24);
    stage.keys("a");
    assert_eq!(stage.app.told(), []);
    assert!(!stage.app.session.is_audited());
    stage.load(all(vec![at("good", "https://good.example.com/x")]));
    assert!(stage.app.session.is_audited() && !stage.frame().contains('✗'), "{}", stage.frame());
}

#[test]
fn what_a_probe_saw_is_a_finding_too() {
    let mut stage = with_faults(100, 30);
    stage.keys("/").paste("good.example").keys("enter");
    assert!(!stage.line("good.example.com/x").contains('✗'), "{}", stage.frame());
    stage.keys("p").found("https://good.example.com", Err(Trouble::Refused));
    assert!(stage.line("good.example.com/x").contains('✗'), "{}", stage.frame());
    stage.keys("esc");
    assert_eq!(filter(&mut stage, "finding:dead-destination"), ["good"]);
}

#[test]
fn webhooks_in_the_view_of_findings_can_be_copied_and_marked() {
    use hookscope::tui::message::Effect;
    let mut stage = with_faults(100, 30);
    stage.keys("4 enter j");
    assert!(stage.frame().contains("plain  http://plain.example.com/x"), "{}", stage.frame());
    stage.keys("y i");
    let copies = |effect: &Effect| matches!(effect, Effect::Copy(text) if text.raw() == "plain");
    assert!(stage.effects.iter().any(copies), "{:?}", stage.effects);
    stage.keys("space");
    assert!(stage.app.session.marks.contains("plain") && stage.app.session.marks.len() == 1);
    assert!(stage.keys("k k y").frame().contains("not available in this view"), "{}", stage.frame());
}

#[test]
fn a_filter_is_typed_behind_the_one_that_a_view_set_and_the_way_back_is_said() {
    let mut stage = with_faults(100, 30);
    stage.keys("4 enter j enter");
    assert!(stage.frame().lines().last().unwrap().contains("esc back to findings"), "{}", stage.frame());
    stage.keys("/").paste("plain").keys("enter");
    assert_eq!(stage.app.session.filter.applied(), "finding:insecure-url plain");
    assert!(!stage.frame().lines().last().unwrap().contains("back to findings"), "{}", stage.frame());
}

#[test]
fn what_is_wrong_is_told_once_the_selection_stays() {
    let mut stage = with_faults(120, 40);
    let now = stage.now;
    let move_at = |stage: &mut Stage, millis: u64| {
        stage.now.instant = now.instant + Duration::from_millis(millis);
        stage.send(Message::Key(crate::support::press("j")));
    };
    move_at(&mut stage, 1000);
    move_at(&mut stage, 1100);
    assert!(!stage.frame().contains("findings"), "passed by: {}", stage.frame());
    let wake = stage.app.next_wake().unwrap();
    assert_eq!(wake, now.instant + Duration::from_millis(1250));
    stage.now.instant = wake;
    stage.send(Message::Tick);
    assert!(stage.frame().contains("findings ✗ insecure-url"), "{}", stage.frame());
    // Of a webhook that nothing is wrong with there is nothing to wait for.
    stage.keys("g");
    assert!(stage.app.next_wake().is_none_or(|wake| wake > stage.now.instant + Duration::from_secs(1)));
}

fn of_2020(is_active: bool) -> String {
    format!(
        r#"{{"id":"old","url":"https://old.example.com/","events":["call.failed"],"is_active":{is_active},"created_at":"2020-01-01T00:00:00Z"}}"#
    )
}

#[test]
fn a_webhook_that_the_history_saw_active_yesterday_is_not_called_long_gone() {
    let home = Home::new();
    home.remember(&[of_2020(true)], 24);
    let mut stage = home.stage(129, 30);
    stage.send(Message::Begun).load(all(vec![of_2020(false)]));
    let is_told = |stage: &mut Stage| {
        let detail = stage.keys("1").frame();
        assert!(detail.contains("i long-inactive: created"), "{detail}");
        assert!(detail.contains("inactive between 2026-06-14 and 2026-06-15"), "{detail}");
        let findings = stage.keys("4 G enter G").frame();
        let words = "created 2357 days ago, became inactive between 2026-06-14 and 2026-06-15";
        assert!(findings.contains(words), "{findings}");
    };
    is_told(&mut stage);
    // And of the cache, while the API does not answer.
    let mut stage = home.stage(129, 30);
    stage.send(Message::Begun).fail(1, ErrorKind::Status(500), "");
    is_told(&mut stage);
    // A webhook that became active again is none, and another workspace has another history.
    stage.keys("r").load(all(vec![of_2020(true)]));
    assert!(!stage.frame().contains("long-inactive"), "{}", stage.frame());
    let other = Home::new();
    let mut stage = other.stage(129, 30);
    stage.send(Message::Begun).load(all(vec![of_2020(false)]));
    assert!(stage.keys("1").frame().contains("long-inactive") && !stage.frame().contains("became"), "{}", stage.frame());
}
