//! The explorer's state machine, message by message, and its real loop on a test backend against the demo server.

mod changes;
mod deliveries;
mod filter;
mod findings;
mod marks;
mod memory;
mod mouse;
mod news;
mod probes;
mod profiles;
mod recovery;
mod running;
mod scopes;
mod selection;
mod views;

use std::time::Duration;

use hookscope::api::{ErrorKind, Network};
use hookscope::config::{Clipboard, TimeFormat};
use hookscope::fetch::Problem;
use hookscope::model::{OwnedRow, Scope};
use hookscope::tui::list_pane::ViewList as _;
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::session::health::Health;
use hookscope::tui::session::loading::LoadAll;
use hookscope::tui::ui::{Focus, Overlay};

use crate::support::{Stage, page, setup, webhook, with};

fn pages(stage: &Stage) -> Vec<u64> {
    stage.app.session.demand().pages.clone()
}

#[test]
fn the_first_wish_is_page_1() {
    assert_eq!(pages(&Stage::new(80, 24)), [1]);
}

#[test]
fn looking_at_the_first_screen_asks_for_one_page() {
    let stage = Stage::loaded(80, 24);
    assert_eq!((pages(&stage), stage.selected().as_deref()), (vec![], Some("whk_000000000000")));
}

#[test]
fn pages_are_fetched_before_they_are_reached_in_the_direction_of_travel() {
    let mut stage = Stage::loaded(120, 40);
    stage.keys("ctrl-d");
    assert!(pages(&stage).is_empty(), "far from the next page, it is not asked for");
    stage.keys("pgdn");
    assert_eq!(pages(&stage), [2], "the selection comes within half a page of the next one");
    stage.load(page(2, 100..200, Some(1234)));
    assert!(pages(&stage).is_empty());
    stage.keys("G").load(page(13, 1200..1234, Some(1234)));
    assert_eq!(pages(&stage), [12], "at the end, the page before is next");
}

#[test]
fn the_last_of_a_hundred_thousand_is_one_page_away() {
    let mut stage = Stage::new(120, 40);
    stage.load(page(1, 0..100, Some(100_000))).keys("G");
    assert_eq!(pages(&stage), [1000]);
    stage.load(page(1000, 99_900..100_000, Some(100_000)));
    assert_eq!((stage.selected().as_deref(), pages(&stage)), (Some("whk_000000099999"), vec![]));
    assert_eq!(stage.app.session.list.lines.loaded(), 200);
}

#[test]
fn what_scrolled_away_is_not_wanted_any_more() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("G");
    assert_eq!(pages(&stage), [13]);
    stage.keys("g");
    assert!(pages(&stage).is_empty());
}

#[test]
fn without_a_total_the_end_is_approached_page_by_page() {
    let mut stage = Stage::new(80, 24);
    stage.load(page(1, 0..100, None)).keys("G");
    assert_eq!((pages(&stage), stage.app.session.list.selected()), (vec![2], 100));
    stage.load(page(2, 100..200, None));
    assert_eq!(stage.app.session.list.selected(), 200, "the end is followed");
    stage.load(page(3, 200..200, None));
    assert_eq!((stage.app.session.list.selected(), stage.selected().as_deref()), (199, Some("whk_000000000199")));
}

#[test]
fn stale_answers_change_nothing() {
    let mut stage = Stage::loaded(80, 24);
    let generation = stage.generation();
    stage.keys("a");
    let page = page(1, 0..100, Some(1234));
    stage.load_of(generation, page);
    assert!(stage.effects.is_empty() && stage.app.session.list.is_empty());
}

#[test]
fn a_refresh_keeps_the_rows_and_follows_the_selected_webhook() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("j j j r");
    assert_eq!((pages(&stage), stage.selected().as_deref()), (vec![1], Some("whk_000000000003")));
    let mut moved = page(1, 0..99, Some(1235));
    moved.rows.insert(0, webhook(5000));
    stage.load(moved);
    assert_eq!((stage.app.session.list.selected(), stage.selected().as_deref()), (4, Some("whk_000000000003")));
}

#[test]
fn the_selection_stays_on_a_webhook_that_is_gone_and_says_so() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("j j j r");
    let mut fewer = page(1, 0..101, Some(1233));
    fewer.rows.remove(3);
    stage.load(fewer);
    assert_eq!(stage.selected().as_deref(), Some("whk_000000000003"));
    let frame = stage.frame();
    assert!(frame.contains("whk_000000000003 is no longer on this page"), "{frame}");
    assert!(frame.contains("? removed, or on another page"), "{frame}");
    assert!(stage.line("dialnexa/crm/3").starts_with("▌○?"), "{frame}");
    // It is let go when the selection moves on, and no other row is skipped.
    assert_eq!(stage.keys("j").selected().as_deref(), Some("whk_000000000004"));
    assert!(!stage.frame().contains("dialnexa/crm/3 "), "{}", stage.frame());
    assert_eq!(stage.keys("k").selected().as_deref(), Some("whk_000000000002"));
}

#[test]
fn a_refresh_that_is_waited_for_is_not_started_anew() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("r");
    let first = stage.generation();
    stage.keys("r");
    assert_eq!(stage.generation(), first);
    assert!(stage.footer().contains("still loading; press r again to start over"), "{}", stage.frame());
    stage.keys("r");
    assert!(stage.generation() > first, "an answer that never comes is not waited for by who says so twice");
    let second = stage.generation();
    stage.keys("r");
    assert_eq!(stage.generation(), second, "each time anew");
}

#[test]
fn what_is_tried_again_is_not_said_to_have_failed() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("r").fail(1, ErrorKind::Status(500), "boom");
    assert!(stage.frame().contains("retry in 30 s \u{b7} r retries"), "{}", stage.frame());
    stage.keys("r");
    let frame = stage.frame();
    assert!(frame.contains("retrying") && !frame.contains("failed") && !frame.contains("retry in 30 s"), "{frame}");
    stage.fail(1, ErrorKind::Status(500), "boom");
    assert!(stage.frame().contains("retry in 30 s \u{b7} r retries"), "{}", stage.frame());
}

#[test]
fn the_same_refresh_twice_is_asked_for_twice_when_there_is_trouble() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("r").retry(1, 1, ErrorKind::Status(500), "boom");
    let first = stage.generation();
    stage.keys("r");
    assert!(stage.generation() > first);
    assert!(stage.effects.iter().any(|effect| matches!(effect, Effect::Demand(_))), "{:?}", stage.effects);
}

#[test]
fn a_refresh_reads_everything_only_if_everything_was_here() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("r");
    assert!(!stage.app.session.demand().everything);
    let mut stage = Stage::new(80, 24);
    stage.load(page(1, 0..50, Some(50))).keys("r");
    assert!(stage.app.session.demand().everything);
}

#[test]
fn a_failed_refresh_keeps_the_rows_and_is_not_repeated_at_once() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("r").fail(1, ErrorKind::Status(500), "boom");
    assert!(pages(&stage).is_empty());
    assert_eq!(stage.selected().as_deref(), Some("whk_000000000000"));
    assert!(stage.frame().contains("500 Internal Server Error"));
    stage.keys("r");
    assert_eq!(pages(&stage), [1]);
    stage.load(page(1, 0..100, Some(1234)));
    assert!(!stage.frame().contains("500"));
}

#[test]
fn the_scope_goes_to_the_server() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("j a");
    let demand = stage.app.session.demand();
    assert_eq!((demand.scope, demand.pages.as_slice()), (Scope::Active, &[1][..]));
    stage.keys("a a");
    assert_eq!(stage.app.session.demand().scope, Scope::All);
}

#[test]
fn a_server_that_ignores_the_scope_is_noticed_and_filtered_here() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("a a").load(page(1, 0..100, Some(250)));
    assert!(stage.app.session.demand().everything, "a filter needs all rows");
    assert!(stage.frame().contains("the server ignores is_active; filtering here"));
    assert!(stage.frame().contains("inactive 14 of 100 loaded (of 250)"), "{}", stage.frame());
    stage.load(page(2, 100..200, Some(250))).load(page(3, 200..250, Some(250)));
    assert!(!stage.app.session.demand().everything);
    assert_eq!(stage.app.session.list.len(), (0..250).filter(|i| i % 7 == 3).count() as u64);
    assert!(stage.frame().contains("inactive 36 of 250"), "{}", stage.frame());
    stage.keys("G");
    assert_eq!(stage.selected().as_deref(), Some("whk_000000000248"));
}

#[test]
fn more_than_the_limit_is_loaded_only_when_asked() {
    let mut stage = Stage::with(with(setup(80, 24), |setup| setup.settings.auto_load_limit = 100));
    stage.load(page(1, 0..100, Some(250))).keys("a a").load(page(1, 0..100, Some(250)));
    assert!(!stage.app.session.demand().everything);
    stage.keys("L");
    assert!(stage.app.session.demand().everything);
    assert!(stage.footer().contains(" loading: 1 of 3 pages  esc stops"), "{}", stage.footer());
    stage.keys("esc");
    assert!(!stage.app.session.demand().everything);
}

#[test]
fn the_progress_tells_pages_time_left_and_pauses_and_moves_nothing() {
    let mut stage = Stage::new(80, 24);
    stage.load(page(1, 0..100, Some(1_000))).keys("j j j L");
    let selected = stage.selected();
    for number in 2..=4 {
        stage.wait(1).load(page(number, (number - 1) * 100..number * 100, Some(1_000)));
    }
    assert!(stage.footer().contains(" loading: 4 of 10 pages, 6 s left  esc stops"), "{}", stage.footer());
    stage.pause(55);
    assert!(stage.footer().contains(" loading: 4 of 10 pages, resumes in 55 s  esc stops"), "{}", stage.footer());
    assert_eq!((stage.selected(), stage.app.session.list.cursor().offset()), (selected, 0));
}

#[test]
fn the_selection_scrolls_the_list_and_keeps_its_place() {
    let mut stage = Stage::loaded(80, 24);
    let height = u64::from(stage.app.layout().panes.list().height);
    for _ in 0..height + 4 {
        stage.keys("j");
    }
    let step = height / 3;
    assert_eq!(
        (stage.app.session.list.selected(), stage.app.session.list.cursor().offset()),
        (height + 4, 2 * step),
        "by a third of the list"
    );
    stage.keys("k k");
    assert_eq!((stage.app.session.list.selected(), stage.app.session.list.cursor().offset()), (height + 2, 2 * step));
    stage.keys("pgdn ctrl-u g");
    stage.send(Message::Key(crate::support::press("up")));
    assert_eq!((stage.app.session.list.selected(), stage.app.session.list.cursor().offset()), (0, 0));
    assert!(stage.effects.is_empty(), "at the top, up changes nothing and draws nothing");
}

#[test]
fn while_a_key_is_held_only_the_list_goes_along() {
    let mut stage = Stage::loaded(120, 40);
    stage.keys("j");
    let has_detail = |stage: &Stage| stage.frame().contains("created  ");
    assert!(has_detail(&stage));
    stage.hold("j", 20);
    assert_eq!(stage.app.session.list.selected(), 21);
    assert!(!has_detail(&stage), "what stood there is about another webhook");
    let released = stage.app.next_wake().expect("it is released at some time");
    assert!(released - stage.now.instant < Duration::from_millis(100));
    stage.now.instant = released;
    stage.send(Message::Tick);
    assert!(stage.effects.contains(&Effect::Draw) && has_detail(&stage));
    assert_eq!(stage.app.next_wake().filter(|&wake| wake < released + Duration::from_secs(1)), None);
}

#[test]
fn whatever_comes_after_the_release_shows_what_waited_for_it() {
    for (milliseconds, what) in [(60, "the detail"), (200, "what is wrong with it")] {
        let mut stage = Stage::loaded(120, 40);
        stage.keys("j").hold("j", 20);
        stage.now.instant += Duration::from_millis(milliseconds);
        stage.effects.clear();
        stage.send(Message::Key(crate::support::press("Z")));
        assert!(stage.effects.contains(&Effect::Draw), "a key that does nothing is no reason to leave out {what}");
    }
}

#[test]
fn of_a_part_no_view_says_what_holds_for_the_whole() {
    let mut stage = Stage::new(120, 40);
    stage.load(page(1, 0..100, Some(100))).keys("3");
    let whole = stage.frame();
    assert!(whole.contains("% of webhooks") && whole.contains("no active subscriber"), "{whole}");
    stage.keys("/ 1 enter");
    let filtered = stage.frame();
    assert!(
        !filtered.contains("no active subscriber") && !filtered.contains("! "),
        "healthy events are no alarm: {filtered}"
    );
    let mut stage = Stage::new(120, 40);
    stage.load(page(1, 0..100, Some(1_000_000))).keys("3");
    let part = stage.frame();
    assert!(part.contains("% of listed") && part.contains("100 of 1,000,000"), "{part}");
    assert!(!part.contains("no active subscriber") && !part.contains("% of webhooks"), "{part}");
}

#[test]
fn the_detail_scrolls_when_it_has_the_focus() {
    let events: Vec<_> = (0..50).map(|i| format!("\"event.{i}\"")).collect();
    let mut long = page(1, 0..0, Some(1));
    long.rows = vec![format!(r#"{{"id":"a","url":"https://x.com","events":[{}]}}"#, events.join(","))];
    let mut stage = Stage::new(80, 24);
    stage.load(long).keys("tab j j j");
    assert_eq!(
        (stage.app.ui.focus, stage.app.session.list.scroll, stage.app.session.list.selected()),
        (Focus::Detail, 3, 0)
    );
    assert!(stage.frame().contains("created"));
    stage.keys("G");
    assert!(stage.frame().contains("event.49"), "{}", stage.frame());
    stage.keys("j");
    assert!(stage.effects.is_empty(), "the end is the end");
    stage.keys("g esc");
    assert_eq!((stage.app.ui.focus, stage.app.session.list.scroll), (Focus::List, 0));
}

#[test]
fn on_a_low_screen_enter_opens_the_detail() {
    let mut stage = Stage::loaded(60, 15);
    assert!(!stage.frame().contains("whk_000000000000"));
    assert!(stage.keys("enter").frame().contains("whk_000000000000"));
    assert!(!stage.keys("esc").frame().contains("whk_000000000000"));
    assert!(stage.keys("v").frame().contains("\"is_active\""), "{}", stage.frame());
}

#[test]
fn esc_never_quits_and_ctrl_c_always_does() {
    let mut stage = Stage::loaded(80, 24);
    for keys in ["esc esc esc", "enter esc esc", "? esc", ": esc", "y esc", "y p y p esc", "v esc esc"] {
        stage.keys(keys);
        assert!(!stage.effects.contains(&Effect::Quit), "{keys}");
    }
    for keys in ["", "?", ":", "y", "enter"] {
        let mut stage = Stage::loaded(80, 24);
        if !keys.is_empty() {
            stage.keys(keys);
        }
        stage.keys("ctrl-c");
        assert_eq!(stage.effects, [Effect::Quit], "{keys}");
    }
    assert_eq!(stage.keys("q").effects, [Effect::Quit]);
}

#[test]
fn copies_go_to_the_clipboard_once_and_to_the_screen_the_second_time() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("y u");
    let url = "https://hooks.acme.example.com/dialnexa/crm/0";
    assert!(stage.effects.contains(&Effect::Copy(url.into())), "{:?}", stage.effects);
    assert!(stage.frame().contains("copied URL of "));
    stage.keys("y u");
    assert!(matches!(&stage.app.ui.overlay, Overlay::PlainText(plain) if plain.text() == url));
    assert!(stage.frame().starts_with(url));
    stage.keys("x");
    assert!(matches!(stage.app.ui.overlay, Overlay::None));
}

#[test]
fn without_a_clipboard_copies_go_to_the_screen_at_once() {
    let mut stage = Stage::with(with(setup(80, 24), |setup| setup.settings.clipboard = Clipboard::Screen));
    stage.load(page(1, 0..1, Some(1))).keys("y i");
    assert!(matches!(&stage.app.ui.overlay, Overlay::PlainText(plain) if plain.text() == "whk_000000000000"));
}

#[test]
fn a_text_too_long_for_the_terminal_goes_to_the_screen() {
    let mut huge = page(1, 0..0, Some(1));
    huge.rows = vec![format!(r#"{{"id":"a","url":"https://x.com/{}"}}"#, "y".repeat(80_000))];
    let mut stage = Stage::new(80, 24);
    stage.load(huge).keys("y u");
    assert!(matches!(stage.app.ui.overlay, Overlay::PlainText(_)));
    stage.keys("j j pgdn k");
    let Overlay::PlainText(plain) = &stage.app.ui.overlay else { panic!() };
    assert_eq!(plain.lines().len(), 80_014_usize.div_ceil(80) - 25);
    stage.send(Message::Resize { width: 100, height: 24 });
    assert!(stage.frame().starts_with("https://x.com/"));
    stage.send(Message::Resize { width: 80, height: 24 });
    stage.keys(&["pgdn"; 100].join(" "));
    let frame = stage.frame();
    let lines: Vec<_> = frame.lines().collect();
    assert_eq!((lines[0], lines[1]), (&*"y".repeat(80_014 % 80), ""), "the end is as far as it goes");
    assert_eq!(lines[23].trim_end(), "j k scroll; any other key closes; 80,014 bytes, too long to copy: e exports");
    assert!(matches!(stage.keys("e").app.ui.overlay, Overlay::Export(_)));
}

#[test]
fn nothing_can_be_copied_from_nothing() {
    let mut stage = Stage::new(80, 24);
    stage.keys("y u");
    assert!(stage.frame().contains("no webhook to copy"));
    stage.keys("y l");
    assert!(stage.effects.contains(&Effect::Copy("hookscope list".into())), "{:?}", stage.effects);
}

#[test]
fn secrets_in_urls_are_shown_only_on_demand() {
    let mut secret = page(1, 0..0, Some(1));
    secret.rows = vec![r#"{"id":"a","url":"https://bob:hunter2@x.com/?token=hunter3"}"#.to_owned()];
    let mut stage = Stage::new(120, 40);
    stage.load(secret);
    assert!(!stage.frame().contains("hunter"));
    assert!(stage.keys("x").frame().contains("bob:hunter2@x.com/?token=hunter3"));
    assert!(!stage.keys("x").frame().contains("hunter"));
}

#[test]
fn the_raw_json_never_hides_a_field() {
    let mut stage = Stage::new(120, 40);
    let mut one = page(1, 0..0, Some(1));
    one.rows = vec![r#"{"id":"a","url":"https://x.com","new_field":{"x":1e30},"secret":"********"}"#.to_owned()];
    let frame = stage.load(one).keys("v").frame();
    assert!(frame.contains("\"new_field\": {") && frame.contains("\"x\": 1e30") && !frame.contains("secret"), "{frame}");
}

#[test]
fn times_are_shown_in_three_ways() {
    let mut stage = Stage::loaded(120, 40);
    assert!(stage.frame().contains(" 5y"));
    stage.keys("t");
    assert_eq!(stage.app.settings.time, TimeFormat::Utc);
    assert!(stage.frame().contains("2021-05-01"));
    stage.keys("t");
    assert!(stage.frame().contains("2021-05-01 08:00:00 +00:00"), "{}", stage.frame());
    assert_eq!(stage.keys("t").app.settings.time, TimeFormat::Relative);
}

#[test]
fn nothing_wakes_the_explorer_but_what_moves() {
    let mut stage = Stage::with(with(setup(80, 24), |setup| setup.settings.time = TimeFormat::Utc));
    stage.load(page(1, 0..100, Some(1234)));
    let minute = stage.now.instant + Duration::from_mins(1);
    assert_eq!(stage.app.next_wake(), Some(minute), "nothing moves but the age of what was read");
    stage.keys("R");
    assert_eq!(stage.app.next_wake(), Some(stage.now.instant + Duration::from_secs(30)));
    stage.keys("R").keys("t t");
    let wake = stage.app.next_wake().expect("an age changes one day");
    assert!(wake >= stage.now.instant + Duration::from_mins(1), "years old webhooks change their age rarely");
    stage.keys("r").pause(3);
    assert_eq!(stage.app.next_wake(), Some(stage.now.instant + Duration::from_secs(1)));
}

#[test]
fn the_age_of_what_was_read_is_shown_and_stands_out_once_it_is_old() {
    use hookscope::tui::terminal::canvas::Canvas;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    let is_yellow = |stage: &Stage| {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 100, 24));
        hookscope::tui::view::draw(&stage.app, &mut Canvas::new(&mut buffer, stage.app.settings.glyphs));
        let x = u16::try_from(stage.header().chars().take_while(|&c| c != '1').count()).unwrap();
        let at = (x..100).rev().find(|&x| buffer.cell((x, 0)).unwrap().symbol() == ":").unwrap();
        buffer.cell((at, 0)).unwrap().fg == ratatui::style::Color::Yellow
    };
    let mut stage = Stage::new(100, 24);
    stage.load(page(1, 0..50, Some(50)));
    assert!(stage.header().ends_with("live 12:00:00") && !is_yellow(&stage), "{}", stage.header());
    stage.wait(299).send(Message::Tick);
    assert!(stage.header().ends_with("live 12:00:00 4m ago") && !is_yellow(&stage), "{}", stage.header());
    assert_eq!(stage.app.next_wake(), Some(stage.now.instant + Duration::from_secs(1)));
    stage.wait(2).send(Message::Tick);
    assert!(stage.header().ends_with("live 12:00:00 5m ago") && is_yellow(&stage), "{}", stage.header());
    stage.keys("r").load(page(1, 0..50, Some(50)));
    assert!(stage.header().ends_with("live 12:05:01") && !is_yellow(&stage), "{}", stage.header());
    // With automatic refresh, what is older than that is old.
    stage.wait(40).send(Message::Tick);
    assert!(!is_yellow(&stage), "{}", stage.header());
    stage.keys("R");
    assert!(is_yellow(&stage), "{}", stage.header());
}

#[test]
fn revealed_credentials_are_said_to_be_for_as_long_as_they_are() {
    for width in [40, 60, 80, 120] {
        let mut stage = Stage::loaded(width, 24);
        assert!(!stage.header().contains("revealed"));
        stage.keys("x j j 4 1 /").paste("acme").keys("enter");
        assert!(stage.header().contains("! reveal"), "{width}: {}", stage.header());
        assert!(!stage.keys("x").header().contains("revealed"));
    }
}

#[test]
fn going_left_never_clears_a_filter() {
    let mut stage = Stage::new(80, 24);
    stage.load(page(1, 0..40, Some(40))).keys("/").paste("acme").keys("enter");
    for key in ["h", "left", "enter h h left", "2 h", "3 left h", "5 h"] {
        stage.keys(key);
        assert_eq!(stage.app.session.filter.applied(), "acme", "{key}");
    }
    assert_eq!(stage.keys("esc").app.session.filter.applied(), "");
}

#[test]
fn raw_json_scrolls_to_its_end_however_long_it_is() {
    for (events, has_end) in [(66_000, true), (140_000, false)] {
        let events = vec!["1"; events].join(",");
        let mut long = page(1, 0..0, Some(1));
        long.rows = vec![format!(r#"{{"id":"a","url":"https://x.com","other":[{events}],"last":"the end"}}"#)];
        let mut stage = Stage::new(80, 24);
        stage.load(long).keys("v enter G");
        let frame = stage.frame();
        assert!(stage.app.session.list.scroll > 65_600, "{}", stage.app.session.list.scroll);
        assert!(frame.contains("the end") == has_end && frame.contains("(cut here: ") != has_end, "{frame}");
    }
}

#[test]
fn an_automatic_refresh_comes_when_it_is_due_and_waits_for_the_last_one() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("R");
    let before = stage.generation();
    stage.wait(30).send(Message::Tick);
    assert!(stage.generation() > before);
    let second = stage.generation();
    stage.wait(30).send(Message::Tick);
    assert_eq!(stage.generation(), second, "the last one is still under way");
    stage.load(page(1, 0..100, Some(1234))).wait(30).send(Message::Tick);
    assert!(stage.generation() > second);
    stage.keys("R");
    assert!(stage.app.session.load.auto_refresh.is_none());
}

#[test]
fn the_palette_runs_what_it_finds() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys(": r a w enter");
    assert!(stage.frame().contains("\"is_active\""), "{}", stage.frame());
    stage.keys(": q u i t enter");
    assert!(stage.effects.contains(&Effect::Quit));
    stage.keys(":").send(Message::Paste("help\n".into()));
    stage.keys("enter");
    assert!(matches!(stage.app.ui.overlay, Overlay::Help { .. }));
}

#[test]
fn pasted_text_is_no_command() {
    let mut stage = Stage::loaded(80, 24);
    stage.send(Message::Paste("qjjaR".into()));
    assert!(stage.effects.is_empty());
    assert_eq!((stage.app.session.list.selected(), stage.app.session.load.scope), (0, Scope::All));
}

#[test]
fn a_letter_with_alt_or_ctrl_is_not_the_letter() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("alt-j alt-q ctrl-j");
    assert_eq!((stage.app.session.list.selected(), stage.effects.contains(&Effect::Quit)), (0, false));
    for key in ["alt-d", "ctrl-d", "alt-i"] {
        stage.keys("y").keys(key);
        let has_copied = stage.effects.iter().any(|effect| matches!(effect, Effect::Copy(_)));
        assert!(!has_copied && matches!(stage.app.ui.overlay, Overlay::None), "{key}");
    }
    stage.keys(": alt-x");
    assert!(matches!(&stage.app.ui.overlay, Overlay::Palette(palette) if palette.input().is_empty()));
}

#[test]
fn a_suspension_that_fails_is_explained() {
    let mut stage = Stage::loaded(80, 24);
    assert_eq!(stage.keys("ctrl-z").effects, [Effect::Suspend]);
    stage.send(Message::NotSuspended("no shell to suspend to"));
    assert!(stage.frame().contains("no shell to suspend to"));
    assert!(!stage.keys("j").frame().contains("no shell"));
}

#[test]
fn a_resize_keeps_the_selection_on_screen() {
    let mut stage = Stage::loaded(120, 40);
    stage.keys("pgdn");
    for (width, height) in [(80, 24), (40, 10), (1, 1), (0, 0), (65_535, 65_535), (80, 24)] {
        stage.resize(width, height);
        let visible = stage.app.visible();
        assert!(height == 0 || visible.contains(&stage.app.session.list.selected()), "{width}x{height}: {visible:?}");
        assert!(stage.app.ui.size.0 <= 1000 && stage.app.ui.size.1 <= 400);
    }
}

#[test]
fn a_scope_that_comes_back_shows_what_was_seen_of_it() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("j j j a a a");
    assert_eq!(stage.selected().as_deref(), Some("whk_000000000003"));
    assert_eq!(pages(&stage), [1], "and it is read again");
    stage.fail(1, ErrorKind::Status(500), "boom");
    assert_eq!(stage.selected().as_deref(), Some("whk_000000000003"));
}

#[test]
fn fewer_rows_than_the_total_says_never_look_complete() {
    let mut stage = Stage::new(80, 24);
    stage.load(page(1, 0..0, Some(250)));
    assert!(
        stage.frame().contains("0 of 250") && stage.frame().contains("the API did not send this row"),
        "{}",
        stage.frame()
    );
    let mut stage = Stage::loaded(80, 24);
    stage.keys("L");
    assert!(stage.frame().contains("loading all"));
    for read in 2..=3 {
        stage.swept(vec![Problem::CountDiffers { claimed: 1_234, sent: 100 }]);
        assert!(stage.frame().contains(&format!("reading again ({read} of 3)")), "{}", stage.frame());
        stage.load(page(1, 0..100, Some(1_234)));
    }
    stage.swept(vec![Problem::CountDiffers { claimed: 1_234, sent: 100 }]);
    assert!(stage.frame().contains("the API reported 1,234 webhooks but sent 100"), "{}", stage.frame());
    assert!(!stage.app.session.demand().everything);
}

#[test]
fn loading_everything_stops_at_a_page_that_failed_and_says_so() {
    let mut stage = Stage::loaded(120, 24);
    stage.keys("L").fail(7, ErrorKind::Status(502), "bad gateway");
    assert!(!stage.app.session.demand().everything);
    assert!(stage.frame().contains("refresh failed at page 7: "), "{}", stage.frame());
    stage.load(page(8, 700..800, Some(1234)));
    assert!(stage.frame().contains("502 Bad Gateway"), "a page that came does not mend one that failed: {}", stage.frame());
}

#[test]
fn trouble_with_a_page_that_nobody_wants_any_more_is_over() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("G").retry(13, 1, ErrorKind::Status(500), "boom");
    assert!(stage.frame().contains("attempt 1 of 4"));
    stage.keys("g");
    assert!(!stage.frame().contains("attempt"), "{}", stage.frame());
}

#[test]
fn a_page_that_failed_is_told_for_as_long_as_it_has() {
    let mut stage = Stage::new(80, 24);
    for number in 1..=3 {
        stage.load(page(number, (number - 1) * 100..number * 100, Some(300)));
    }
    stage.keys("r").fail(1, ErrorKind::Network(Network::Refused), "refused");
    // Others are still being tried when everything is given up.
    stage.retry(2, 3, ErrorKind::Network(Network::Refused), "refused");
    stage.keys("j");
    let frame = stage.frame();
    assert!(frame.contains("! connection refused") && frame.contains("retry in 30 s"), "{frame}");
    assert!(stage.header().contains("failed"), "{frame}");
}

#[test]
fn an_empty_page_that_says_that_it_is_not_takes_no_rows_away() {
    let mut stage = Stage::new(80, 24);
    stage.load(page(1, 0..100, Some(300))).keys("r").load(page(1, 0..0, Some(300)));
    let frame = stage.frame();
    assert_eq!(stage.app.session.list.lines.loaded(), 100, "{frame}");
    assert!(frame.contains("! no webhooks in the response") && stage.header().contains("100 of 300"), "{frame}");
    stage.keys("r").load(page(1, 0..0, Some(0)));
    assert_eq!(stage.app.session.list.lines.loaded(), 0, "of an empty workspace it is true");
}

#[test]
fn a_later_page_that_is_page_one_again_is_no_page() {
    let mut stage = Stage::new(80, 24);
    stage.load(page(1, 0..15, None)).load(page(2, 0..15, None));
    assert!(stage.frame().contains("! the server ignores the page parameter"), "{}", stage.frame());
    assert_eq!(stage.app.session.list.lines.loaded(), 15);
    // What was page 1 is page 2 now.
    let mut stage = Stage::new(80, 24);
    stage.load(page(1, 0..100, Some(200))).load(page(2, 100..200, Some(200))).keys("G r");
    stage.load(page(2, 0..100, Some(300)));
    assert_eq!(stage.app.session.list.lines.loaded(), 200, "{}", stage.frame());
}

#[test]
fn what_failed_was_not_left_out() {
    let mut stage = Stage::new(80, 24);
    stage.load(page(1, 0..100, Some(300))).keys("/").paste("acme");
    stage.fail(2, ErrorKind::Status(500), "boom").fail(3, ErrorKind::Status(500), "boom");
    stage.swept(vec![Problem::CountDiffers { claimed: 300, sent: 100 }]);
    assert!(!stage.frame().contains("but sent"), "{}", stage.frame());
}

#[test]
fn everything_that_came_is_not_waited_for_again() {
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..100, Some(300))).keys("/").paste("acme");
    for _ in 1..=3 {
        for (number, rows) in [(1, 0..100), (2, 100..200), (3, 200..250)] {
            stage.load(page(number, rows, Some(300)));
        }
        stage.swept(vec![Problem::CountDiffers { claimed: 300, sent: 250 }]);
    }
    let generation = stage.generation();
    assert!(stage.frame().contains("the API reported 300 webhooks but sent 250"), "{}", stage.frame());
    stage.keys("x");
    assert_eq!(stage.app.session.load.all, LoadAll::No, "nothing more comes");
    stage.keys("enter");
    assert!(stage.frame().contains("250 loaded; the rest failed to load"), "{}", stage.frame());
    stage.keys("esc L");
    assert!(stage.generation() > generation && stage.app.session.demand().everything, "asked for, it is read again");
}

#[test]
fn a_refresh_throws_nothing_away_that_is_on_its_way() {
    let mut stage = Stage::new(100, 30);
    stage.load(page(1, 0..100, Some(5_000))).keys("L").load(page(2, 100..200, Some(5_000)));
    let generation = stage.generation();
    stage.pause(55);
    assert!(!stage.frame().contains("r retries"), "{}", stage.frame());
    stage.keys("r");
    assert!(stage.footer().contains("still loading"), "{}", stage.frame());
    assert_eq!((stage.generation(), stage.app.session.demand().everything), (generation, true));
}

#[test]
fn the_selection_stays_with_its_row_while_rows_are_filtered_here() {
    let mut stage = Stage::loaded(80, 24);
    stage.keys("a a").load(page(1, 0..100, Some(300))).load(page(3, 200..300, Some(300)));
    stage.keys("G");
    let selected = stage.selected();
    stage.load(page(2, 100..200, Some(300)));
    assert_eq!(stage.selected(), selected);
}

#[test]
fn a_filter_that_found_nothing_yet_says_what_it_looked_at() {
    let mut stage = Stage::with(with(setup(80, 24), |setup| setup.settings.auto_load_limit = 100));
    stage.load(page(1, 0..100, Some(30_000))).keys("a a");
    let mut only_active = page(1, 0..100, Some(30_000));
    only_active.rows.retain(|json| OwnedRow::decode(json).unwrap().row().active() == Some(true));
    stage.load(only_active);
    assert!(stage.frame().contains("None of the 86 loaded is inactive; L loads the rest"), "{}", stage.frame());
    stage.keys("L");
    assert!(stage.app.session.demand().everything);
}

#[test]
fn masked_credentials_are_masked_in_the_raw_json_too() {
    let mut stage = Stage::new(120, 40);
    let mut odd = page(1, 0..0, Some(2));
    odd.rows = vec![
        r#"{"id":"a","url":"https://bob:hunter2@x.com/","backup":"https://x.com/?token=hunter3"}"#.to_owned(),
        r#"{"id":5,"url":"https://bob:hunter4@x.com/"}"#.to_owned(),
    ];
    for keys in ["g", "v", "j", "v"] {
        assert!(!stage.load(odd.clone()).keys(keys).frame().contains("hunter"), "{keys}: {}", stage.frame());
    }
    assert!(stage.keys("x").frame().contains("hunter4"));
}

#[test]
fn trouble_is_remembered_until_an_answer_comes() {
    let mut stage = Stage::new(80, 24);
    stage.retry(1, 1, ErrorKind::Status(500), "boom").wait(3).retry(1, 2, ErrorKind::Status(500), "boom");
    let Health::Trouble(trouble) = &stage.app.session.load.health else { panic!("{:?}", stage.app.session.load.health) };
    assert_eq!(trouble.since.to_string(), crate::support::NOW);
    assert!(stage.frame().contains("attempt 2 of 4"));
    stage.load(page(1, 0..100, Some(1234)));
    assert!(matches!(stage.app.session.load.health, Health::Live { .. }));
}
