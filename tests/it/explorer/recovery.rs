//! Automatic recovery of the explorer after a failure.

use std::time::Duration;

use hookscope::api::{ApiError, ErrorKind, Network, ProxyFault};
use hookscope::config::KeySource;
use hookscope::fetch::FetchEvent;
use hookscope::tui::message::Message;

use crate::support::{Stage, page, setup, with};

const DOWN: ErrorKind = ErrorKind::Network(Network::Refused);

/// Seconds until the next automatic step.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn wakes_in(stage: &Stage) -> u64 {
    let wake = stage.app.next_wake().unwrap();
    wake.saturating_duration_since(stage.now.instant).as_secs()
}

/// Waits until another read is requested. Returns the seconds that it took, or 0 if there was none.
fn until_next_try(stage: &mut Stage) -> u64 {
    let before = stage.generation();
    (1..=1000).find(|_| stage.wait(1).send(Message::Tick).generation() > before).unwrap_or(0)
}

#[test]
fn it_tries_again_slowly_and_reports_when_the_api_is_back() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("r").fail(1, DOWN, "");
    for pause in [30, 60, 120, 240, 300, 300] {
        assert!(stage.frame().contains(&format!("retry in {pause} s")), "{}", stage.frame());
        assert_eq!(until_next_try(&mut stage), pause);
        assert!(stage.frame().contains("retrying"), "{}", stage.frame());
        stage.fail(1, DOWN, "");
    }
    until_next_try(&mut stage);
    stage.load(page(1, 0..100, Some(1234)));
    assert!(stage.footer().contains("the API is back (failing since 12:00"), "{}", stage.frame());
    // The next failure starts with the first pause again.
    stage.keys("r").fail(1, DOWN, "");
    assert_eq!(until_next_try(&mut stage), 30);
}

#[test]
fn the_warning_about_a_failure_ends_with_it() {
    let mut stage = Stage::new(120, 24);
    stage.load(page(1, 0..50, Some(50))).keys("R r").fail(1, DOWN, "");
    assert!(stage.footer().contains("paused"), "{}", stage.frame());
    until_next_try(&mut stage);
    stage.fail(1, DOWN, "");
    until_next_try(&mut stage);
    stage.load(page(1, 0..50, Some(50)));
    let footer = stage.footer();
    assert!(footer.contains("the API is back") && !footer.contains("paused"), "{}", stage.frame());
    // A warning about something else stays.
    stage.keys("r").fail(1, DOWN, "").send(Message::NotSuspended("it is the first process"));
    until_next_try(&mut stage);
    stage.load(page(1, 0..50, Some(50)));
    assert!(stage.footer().contains("first process"), "{}", stage.frame());
}

#[test]
fn one_failed_page_among_others_is_not_reported_as_over_with_every_try() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("L").fail(7, ErrorKind::Status(500), "boom");
    assert_eq!(until_next_try(&mut stage), 30);
    stage.load(page(1, 0..100, Some(1234)));
    stage.keys("L").fail(7, ErrorKind::Status(500), "boom");
    assert!(!stage.frame().contains("the API is back"), "{}", stage.frame());
}

#[test]
fn a_countdown_changes_once_a_second_and_only_where_it_is_seen() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("t r").fail(1, DOWN, "");
    assert_eq!(wakes_in(&stage), 1);
    // Copying twice opens the plain text, which covers everything.
    stage.keys("y u y u");
    assert!(!stage.frame().contains("retry in"), "{}", stage.frame());
    assert!(wakes_in(&stage) > 25, "{}", wakes_in(&stage));
    let covered = stage.wait(40).send(Message::Tick).generation();
    assert!(stage.fail(1, DOWN, "").generation() == covered && wakes_in(&stage) > 55);
}

#[test]
fn an_api_that_asks_to_wait_longer_is_left_alone_for_as_long() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("r").fail(1, ErrorKind::LimitNearlySpent { resets_in: Some(Duration::from_mins(10)) }, "");
    assert_eq!(until_next_try(&mut stage), 601);
}

#[test]
fn what_would_do_harm_is_not_tried_again() {
    for kind in
        [ErrorKind::Proxy(ProxyFault::Login), ErrorKind::Proxy(ProxyFault::Tunnel { has_login: true }), ErrorKind::Setup]
    {
        let mut stage = Stage::loaded(80, 24);
        stage.keys("r").fail(1, kind, "");
        assert!(stage.frame().contains("r retries"), "{}", stage.frame());
        assert_eq!(until_next_try(&mut stage), 0, "{kind:?}");
    }
}

#[test]
fn why_the_key_command_gave_no_key_is_shown_until_it_runs_again() {
    const WHY: &str = "api_key_command: it failed (exit status: 1)";
    for loaded in [true, false] {
        let mut stage = Stage::new(80, 24);
        if loaded {
            stage.load(page(1, 0..3, Some(3))).keys("r");
        }
        stage.fail(1, ErrorKind::Unauthorized, "revoked").keys("r");
        // The command fails, and then the API refuses the old key, before the next frame.
        stage.late(Message::NotRenewed(WHY.into()));
        stage.fail(1, ErrorKind::Unauthorized, "revoked");
        let whole = format!("the key cannot be read again: {WHY}");
        assert!(stage.footer().contains(&whole), "{}", stage.frame());
        // The next key clears the notice. The failure keeps its reason through automatic retries.
        stage.keys("j");
        until_next_try(&mut stage);
        stage.fail(1, ErrorKind::Unauthorized, "revoked").keys("j");
        let kept =
            if loaded { "! 401 unauthorized · no new key: api_key_command" } else { "the key cannot be read again: api" };
        assert!(stage.frame().contains(kept), "{}", stage.frame());
        stage.keys("r").fail(1, ErrorKind::Unauthorized, "revoked");
        assert!(!stage.frame().contains("api_key_command: it failed"), "{}", stage.frame());
    }
}

#[test]
fn auto_refresh_that_stops_is_reported_and_goes_on_when_the_api_is_back() {
    let mut stage = Stage::loaded(120, 24);
    stage.keys("R").wait(30).send(Message::Tick);
    stage.fail(1, ErrorKind::Unauthorized, "revoked");
    assert!(stage.app.session.load.auto_refresh.is_none());
    assert_eq!(stage.selected().as_deref(), Some("whk_000000000000"));
    let words = "auto-refresh paused: 401 unauthorized; it resumes when the API is back";
    assert!(stage.footer().contains(words), "{}", stage.frame());
    assert_eq!(until_next_try(&mut stage), 30);
    stage.load(page(1, 0..100, Some(1234)));
    assert_eq!(until_next_try(&mut stage), 30, "the next automatic refresh");
}

#[test]
fn auto_refresh_that_was_turned_off_stays_off() {
    let mut stage = Stage::loaded(120, 24);
    stage.keys("R").wait(30).send(Message::Tick);
    stage.fail(1, DOWN, "").keys("R");
    assert!(stage.footer().contains("auto-refresh off"), "{}", stage.frame());
    until_next_try(&mut stage);
    stage.load(page(1, 0..100, Some(1234)));
    assert!(stage.app.session.load.auto_refresh.is_none());
}

#[test]
fn a_failure_while_all_is_loaded_stops_auto_refresh_with_a_word() {
    for (kind, words) in [
        (DOWN, "refresh failed: connection refused; auto-refresh paused"),
        (ErrorKind::Setup, "; auto-refresh stopped"),
        (ErrorKind::Unauthorized, "the key cannot be read again: no key; auto-refresh paused"),
    ] {
        let mut stage = Stage::new(120, 24);
        stage.load(page(1, 0..50, Some(50))).keys("R r");
        let mut error = ApiError::new(kind);
        error.unread_key = (error.kind == ErrorKind::Unauthorized).then(|| Box::new("no key".into()));
        let generation = stage.generation();
        stage.send(Message::Fetch(FetchEvent::Failed { generation, page: 1, error }));
        assert!(stage.footer().contains(words), "{}", stage.frame());
    }
}

#[test]
fn a_list_without_any_row_is_not_said_to_be_all() {
    let mut stage = Stage::new(80, 24);
    assert!(stage.header().ends_with("   loading"), "{}", stage.frame());
    stage.fail(1, DOWN, "");
    assert!(stage.header().ends_with("no rows  failed"), "{}", stage.frame());
    stage.keys("a").fail(1, DOWN, "");
    assert!(stage.header().ends_with("active  failed"), "{}", stage.frame());
}

#[test]
fn a_refused_key_of_the_environment_needs_another_start() {
    let restart = "restart hookscope with another DIALNEXA_API_KEY";
    let mut stage = Stage::with(with(setup(80, 24), |setup| setup.workspace.key_source = KeySource::Environment));
    let frame = stage.fail(1, ErrorKind::Unauthorized, "").frame();
    assert!(frame.contains(restart) && !frame.contains("r refresh") && !frame.contains("api_key in"), "{frame}");
    let mut stage = Stage::with(with(setup(80, 24), |setup| setup.workspace.key_source = KeySource::Environment));
    stage.load(page(1, 0..50, Some(50))).keys("r").fail(1, ErrorKind::Unauthorized, "");
    let banner = |stage: &Stage| stage.frame().lines().nth(1).unwrap_or_default().to_owned();
    assert_eq!(banner(&stage), " ! 401 unauthorized \u{b7} list from 12:00:00 \u{b7} restart with a new DIALNEXA_API_KEY");
    assert!(!stage.footer().contains("r refresh"), "{}", stage.frame());
    stage.resize(110, 24);
    assert!(banner(&stage).contains(restart), "{}", stage.frame());
    // A key from elsewhere is not.
    let mut stage = Stage::loaded(110, 24);
    stage.keys("r").fail(1, ErrorKind::Unauthorized, "");
    assert!(banner(&stage).ends_with("r retries \u{b7} check the key in the config"), "{}", stage.frame());
    let mut stage = Stage::new(80, 24);
    let frame = stage.fail(1, ErrorKind::Unauthorized, "").frame();
    assert!(frame.contains("check the key in the config.") && !frame.contains("DIALNEXA_API_KEY"), "{frame}");
}

#[test]
fn a_wide_banner_over_rows_has_the_advice() {
    let mut stage = Stage::loaded(140, 24);
    stage.keys("r").fail(1, DOWN, "");
    assert!(
        stage.frame().contains("r retries \u{b7} Check the network, the proxy settings and base_url."),
        "{}",
        stage.frame()
    );
}

#[test]
fn a_view_of_all_rows_gets_them_once_the_api_is_back() {
    // The API is down, or one page of many fails.
    for fails_in_the_middle in [false, true] {
        let mut stage = Stage::new(80, 24);
        stage.keys("2");
        if fails_in_the_middle {
            stage.load(page(1, 0..100, Some(250))).load(page(2, 100..200, Some(250))).fail(3, ErrorKind::Status(500), "");
        } else {
            stage.fail(1, DOWN, "").keys("3 2");
        }
        assert!(!stage.app.session.demand().everything, "{}", stage.frame());
        assert!(!stage.footer().contains("loading:"), "{}", stage.frame());
        until_next_try(&mut stage);
        assert!(stage.app.session.demand().everything, "{}", stage.frame());
    }
}
