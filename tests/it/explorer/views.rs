//! Hosts and events: the webhooks in groups.

use crate::support::{SentPage, Stage, page, setup, webhook, with};
use hookscope::tui::list_pane::ViewList as _;
use hookscope::tui::view_kind::View;

fn forty() -> Stage {
    let mut stage = Stage::new(110, 30);
    stage.load(page(1, 0..40, Some(40)));
    stage
}

#[test]
fn hosts_are_counted_and_open_into_paths() {
    let mut stage = forty();
    stage.keys("2");
    assert_eq!(stage.app.ui.view, View::Hosts);
    let hosts = stage.frame();
    for host in ["hooks.acme.example.com", "billing.acme.example.com", "partners.globex.example.net"] {
        assert!(hosts.contains(host), "{hosts}");
    }
    let counts = stage.line("hooks.acme.example.com");
    assert!(counts.contains("25.0%"), "{counts}");
    stage.keys("g enter");
    let open = stage.frame();
    assert!(open.contains("dialnexa/crm/0") || open.contains("/dialnexa/crm"), "{open}");
    stage.keys("esc");
    let closed = stage.frame();
    assert!(!closed.contains("/dialnexa/crm") && closed.contains("hooks.acme.example.com"), "{closed}");
    assert_eq!(stage.app.ui.view, View::Hosts, "esc closes the host first");
    stage.keys("esc");
    assert_eq!(stage.app.ui.view, View::Webhooks);
}

#[test]
fn a_path_that_is_a_credential_is_masked_wherever_it_stands() {
    let mut stage = Stage::new(110, 30);
    let json = |url: &str| format!(r#"{{"id":"whk_1","url":"{url}","events":[],"is_active":true}}"#);
    let rows = vec![json("https://hooks.slack.com/services/T0/B0/hunter2XyZw09kLmN4pQr")];
    stage.load(SentPage { rows, ..page(1, 0..0, Some(1)) });
    let hidden = |stage: &Stage, what: &str| {
        let frame = stage.frame();
        assert!(frame.contains("/services/T0/B0/") && !frame.contains("hunter2"), "{what}: {frame}");
    };
    hidden(&stage, "the list and the detail");
    stage.keys("v");
    hidden(&stage, "the raw JSON");
    stage.keys("v 4 j enter");
    hidden(&stage, "the findings");
    stage.keys("2 g enter");
    hidden(&stage, "the hosts");
    stage.keys("x");
    assert!(stage.frame().contains("hunter2"), "{}", stage.frame());
    stage.keys("x j enter");
    assert_eq!(stage.selected().as_deref(), Some("whk_1"));
    hidden(&stage, "the filter of a path");
}

#[test]
fn a_narrow_screen_has_room_for_the_whole_share() {
    for (webhooks, share) in [(1, "100.0%"), (40, "25.0%")] {
        let mut stage = Stage::new(80, 24);
        stage.load(page(1, 0..webhooks, Some(webhooks))).keys("2");
        let frame = stage.frame();
        assert!(frame.contains(share) && frame.lines().any(|line| line.trim_end().ends_with(" share")), "{frame}");
    }
}

#[test]
fn enter_on_a_path_shows_its_webhooks_and_esc_leads_back() {
    let mut stage = forty();
    stage.keys("2 g enter j enter");
    assert_eq!(stage.app.ui.view, View::Webhooks);
    assert_eq!(stage.app.session.list.len(), 1);
    assert!(
        stage.app.session.filter.applied().starts_with("host:=billing.acme.example.com path:=/")
            || stage.app.session.filter.applied().starts_with("host:=hooks.acme.example.com path:=/"),
        "{}",
        stage.app.session.filter.applied()
    );
    stage.keys("esc");
    assert_eq!((stage.app.ui.view, stage.app.session.filter.applied()), (View::Hosts, ""));
}

#[test]
fn an_event_that_nobody_hears_stands_out_and_enter_filters_by_an_event() {
    let mut stage = forty();
    stage.keys("3");
    let frame = stage.frame();
    assert!(stage.line("call.completed").contains("40") || frame.contains("call.completed"), "{frame}");
    assert!(frame.contains("no active subscriber"), "{frame}");
    let heard = frame.lines().position(|line| line.contains("campaign.paused")).unwrap();
    let top = frame.lines().position(|line| line.contains("active")).unwrap();
    for _ in 0..heard - top - 1 {
        stage.keys("j");
    }
    stage.keys("enter");
    assert_eq!(stage.app.session.filter.applied(), "event:=campaign.paused");
    assert_eq!(stage.app.session.list.len(), 8, "every fifth has all five events");
    stage.keys("esc");
    assert_eq!(stage.app.ui.view, View::Events);
}

#[test]
fn groups_follow_the_filter() {
    let mut stage = forty();
    stage.keys("2 /").paste("globex").keys("enter");
    let frame = stage.frame();
    assert!(frame.contains("partners.globex") && !frame.contains("hooks.acme.example.com"), "{frame}");
}

#[test]
fn a_view_of_groups_loads_everything_it_may() {
    let mut stage = Stage::new(110, 30);
    stage.load(page(1, 0..100, Some(900))).keys("2");
    assert!(stage.app.session.demand().everything);
    let mut stage = Stage::with(with(setup(110, 30), |setup| setup.settings.auto_load_limit = 500));
    stage.load(page(1, 0..100, Some(900))).keys("2");
    assert!(!stage.app.session.demand().everything);
    assert!(stage.frame().contains("L loads the rest"), "{}", stage.frame());
    stage.keys("L");
    assert!(stage.app.session.demand().everything);
}

#[test]
fn hostile_hosts_and_events_are_grouped_and_never_run() {
    let mut stage = Stage::new(110, 30);
    let rows = vec![
        r#"{"id":"a","url":"no url at all","events":["\u001b[31mred","call.completed"],"is_active":true}"#.to_owned(),
        r#"{"id":"b","url":"https://xn--80ak6aa92e.com/\u0007","events":[7,null],"is_active":true}"#.to_owned(),
        "null".to_owned(),
        webhook(1),
    ];
    stage.load(SentPage { rows, ..page(1, 0..0, Some(4)) });
    for keys in ["2", "g enter j enter esc", "3", "j j enter esc", "1"] {
        let frame = stage.keys(keys).frame();
        assert!(!frame.contains(['\u{1b}', '\u{7}']), "{frame}");
    }
}

#[test]
fn keys_of_webhooks_say_where_they_work() {
    let mut stage = forty();
    for key in ["y", "v", "s", "space"] {
        assert!(
            stage.keys("2").keys(key).frame().contains("not available in this view; 1 shows the webhooks"),
            "{key}: {}",
            stage.frame()
        );
        stage.keys("1");
    }
}

#[test]
fn hosts_open_on_the_first_row_while_rows_load() {
    // Each page is of a host of its own, and its first rows are of the host that ends up first.
    let on_page = |number: u64, of_last: u64| {
        let json = |place: u64| {
            let host = if place < of_last { 4 } else { number };
            format!(r#"{{"id":"w{number}-{place}","url":"https://h{host}.example.com/","events":[],"is_active":true}}"#)
        };
        SentPage { rows: (0..100).map(json).collect(), ..page(number, 0..0, Some(400)) }
    };
    for is_opened_first in [true, false] {
        let mut stage = Stage::new(80, 24);
        if is_opened_first {
            stage.keys("2");
        }
        for (number, of_last, first) in [(1, 10, "h1"), (2, 30, "h1"), (3, 60, "h4"), (4, 100, "h4")] {
            stage.load(on_page(number, of_last));
            if number == 1 && !is_opened_first {
                stage.keys("2");
            }
            let frame = stage.frame();
            assert!(stage.line("\u{258c}").contains(first), "page {number}: {frame}");
            assert!(stage.footer().contains(" 1/"), "page {number}: {frame}");
        }
    }
}

#[test]
fn a_long_count_of_events_leaves_a_column_before_it() {
    for (width, count) in [(60, 99), (60, 100), (80, 100), (80, 1000)] {
        let names: Vec<_> = (0..count).map(|number| format!("e{number}")).collect();
        let url = format!("https://{}.example.com/", "h".repeat(60));
        let json = serde_json::json!({"id": "w", "url": url, "events": names, "is_active": true});
        let mut stage = Stage::new(width, 24);
        stage.load(SentPage { rows: vec![json.to_string()], ..page(1, 0..0, Some(1)) });
        let frame = stage.frame();
        assert!(frame.contains("… 99"), "{frame}");
    }
}

#[test]
fn a_narrow_view_leaves_out_numbers_before_names() {
    let mut stage = Stage::new(40, 15);
    stage.load(page(1, 0..20, Some(20)));
    let frame = stage.keys("3").frame();
    assert!(frame.contains("call.completed ") && frame.contains("active"), "{frame}");
    assert!(!frame.contains("inactive") && !frame.contains("hosts"), "{frame}");
    stage.resize(60, 15);
    let frame = stage.frame();
    assert!(frame.contains("inactive") && frame.contains("hosts"), "{frame}");
}
