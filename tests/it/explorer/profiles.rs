//! Switching between workspaces, message by message.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

use std::time::Duration;

use hookscope::api::{ApiError, ErrorKind};
use hookscope::base::base_url::BaseUrl;
use hookscope::base::redact::ApiKey;
use hookscope::config::{Config, KeySource, Profile};
use hookscope::fetch::FetchEvent;
use hookscope::tui::app::Setup;
use hookscope::tui::list_pane::ViewList as _;
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::session::health::Health;
use hookscope::tui::session::workspace::WorkspaceInfo;
use hookscope::tui::theme::Theme;
use hookscope::tui::ui::{Focus, Overlay};
use ratatui::style::{Color, Modifier};

use crate::support::{Stage, page, setup, with};

pub(crate) fn profile(name: &'static str, colour: Option<Color>) -> Profile {
    Profile { name: Some(name.to_owned()), shown: name.into(), host: "api.dialnexa.com".into(), colour, asks: false }
}

fn with_profiles() -> Setup {
    let profiles = vec![
        profile("eu", None),
        profile("production", Some(Color::Red)),
        profile("staging", Some(Color::Green)),
        profile("test", None),
    ];
    with(setup(120, 24), |setup| {
        setup.settings.profiles = profiles;
        setup.workspace.at = 1;
    })
}

/// The explorer with a first page of `production` and three more profiles.
fn loaded() -> Stage {
    let mut stage = Stage::with(with_profiles());
    stage.load(page(1, 0..100, Some(1234)));
    stage
}

pub(crate) fn staging() -> Message {
    let base_url = BaseUrl::parse("https://staging.example").unwrap();
    let mut connection = Config::demo_connection(base_url, ApiKey::new("id:secret").unwrap());
    connection.profile = "staging".into();
    connection.key_source = KeySource::Config;
    connection.policy.page_size = 50;
    let invocation = ["hookscope", "--profile", "staging"].map(str::to_owned).into();
    Message::Switched(Box::new(WorkspaceInfo::new(2, &connection, None, invocation)))
}

#[test]
fn the_picker_names_each_with_its_host_and_its_colour_in_words() {
    let mut stage = loaded();
    let frame = stage.keys("w").frame();
    for words in [" 1   eu", " 2 ● production  api.dialnexa.com  red", " 3   staging     api.dialnexa.com  green"] {
        assert!(frame.contains(words), "{words:?} is missing\n{frame}");
    }
    assert!(stage.keys("esc").effects.iter().all(|effect| *effect == Effect::Draw));
    assert!(matches!(stage.app.ui.overlay, Overlay::None));
}

#[test]
fn the_picker_is_drawn_at_every_size() {
    for profiles in [2, 4, 40] {
        for (width, height) in [(0, 0), (1, 1), (3, 2), (20, 3), (40, 10), (60, 15), (80, 24)] {
            let mut setup = with(with_profiles(), |setup| setup.size = (width, height));
            setup.settings.profiles = setup.settings.profiles.into_iter().cycle().take(profiles).collect();
            let mut stage = Stage::with(with(setup, |setup| setup.settings.glyphs = hookscope::tui::theme::Glyphs::ascii()));
            for keys in ["w", "down down", "/ t", "z", "enter", "backspace", "ctrl-u"] {
                assert!(stage.keys(keys).frame().is_ascii(), "{keys}: {}", stage.frame());
            }
        }
    }
}

#[test]
fn a_digit_or_enter_switches_and_letters_narrow_after_a_slash() {
    for (keys, at) in [
        ("w 1", 0),
        ("w 4", 3),
        ("w enter", 2),
        ("w down enter", 3),
        ("w / t g enter", 2),
        ("w / e u enter", 0),
        ("w k k enter", 0),
        ("w j enter", 3),
        ("w G enter", 3),
    ] {
        let mut stage = loaded();
        stage.keys(keys);
        assert!(stage.effects.contains(&Effect::Switch(at)), "{keys}: {:?}", stage.effects);
        assert!(stage.frame().contains("switching to"), "{keys}: {}", stage.frame());
        assert!(stage.frame().starts_with(" hookscope  production"), "the old one until the new one is there");
    }
    let mut stage = loaded();
    for keys in ["w 9", "0", "/ z z z", "enter", "enter"] {
        stage.keys(keys);
        assert!(matches!(stage.app.ui.overlay, Overlay::Profiles(_)), "{keys}");
        assert!(!stage.effects.iter().any(|effect| matches!(effect, Effect::Switch(_))), "{keys}: {:?}", stage.effects);
    }
}

#[test]
fn pasted_digits_switch_nothing() {
    let mut stage = loaded();
    stage.keys("w").send(Message::Paste("1".into()));
    assert!(matches!(stage.app.ui.overlay, Overlay::Profiles(_)) && stage.frame().contains("no matching profile"));
    assert_eq!(stage.effects, [Effect::Draw]);
}

#[test]
fn choosing_the_one_that_is_shown_ends_a_switch_that_is_under_way() {
    let mut stage = loaded();
    assert_eq!(stage.keys("w 2").effects, [Effect::Draw]);
    assert!(stage.frame().contains("production is already shown"));
    assert!(stage.keys("w 3").effects.contains(&Effect::Switch(2)));
    assert!(stage.keys("w 1").effects.contains(&Effect::Switch(0)), "the latest wins");
    assert!(stage.keys("w 2").effects.contains(&Effect::Stay));
    assert_eq!(stage.keys("w 2").effects, [Effect::Draw], "it is over");
}

#[test]
fn where_there_is_nothing_to_switch_to_a_notice_says_so() {
    for (setup, words) in [
        (with(setup(120, 24), |setup| setup.workspace.file = Some("x.json".into())), "reading from a file"),
        (with(setup(120, 24), |setup| setup.workspace.key_source = KeySource::Demo), "this is the demo"),
        (
            with(setup(120, 24), |setup| setup.settings.profiles = vec![profile("a", None)]),
            "add a section [profiles.NAME] to the config",
        ),
    ] {
        let mut stage = Stage::with(setup);
        assert!(stage.keys("w").frame().contains(words), "{}", stage.frame());
        assert!(matches!(stage.app.ui.overlay, Overlay::None));
    }
}

#[test]
fn after_the_switch_nothing_of_the_last_workspace_is_left() {
    for keys in ["G", "enter v", "a a", "y i", "y i y i", "y", "x", "L", "R", "?", ": q", "w", "w 3"] {
        let mut stage = loaded();
        stage.keys(keys).fail(2, ErrorKind::Status(500), "boom");
        let before = stage.generation();
        stage.send(staging());
        assert!(stage.generation() > before, "{keys}");
        assert!(stage.effects.contains(&Effect::Demand(stage.app.session.demand().clone())), "{keys}");
        assert_eq!(
            (stage.app.session.demand().pages.as_slice(), stage.app.session.demand().everything),
            (&[1][..], false),
            "{keys}"
        );
        let frame = stage.frame();
        assert!(frame.lines().next().unwrap().contains("staging · staging.example"), "{keys}: {frame}");
        for old in ["example.com", "example.net", "example.org", "whk_", "1,234", "boom"] {
            assert!(!frame.contains(old), "{keys}: {old} is left\n{frame}");
        }
        assert!(stage.app.session.list.is_empty() && stage.app.session.list.selected_row().is_none(), "{keys}");
        assert!(matches!(stage.app.session.load.health, Health::Unknown) && !stage.app.session.reveal, "{keys}");
        assert_eq!((stage.app.session.list.selected(), stage.app.ui.focus), (0, Focus::List), "{keys}");
        assert_eq!(stage.app.session.workspace.page_size, 50, "{keys}");
    }
}

#[test]
fn a_shelved_scope_of_the_last_workspace_does_not_come_back() {
    let mut stage = loaded();
    stage.keys("a").load(page(1, 0..100, Some(1000))).send(staging());
    for _ in 0..3 {
        assert!(stage.keys("a").app.session.list.is_empty());
    }
}

#[test]
fn what_the_last_workspace_still_says_is_not_heard() {
    let mut stage = loaded();
    let old = stage.generation();
    stage.send(staging());
    stage.load_of(old, page(1, 0..100, Some(1234)));
    let error = ApiError::new(ErrorKind::Unauthorized);
    stage.send(Message::Fetch(FetchEvent::Failed { generation: old, page: 1, error }));
    assert!(
        stage.app.session.list.is_empty() && matches!(stage.app.session.load.health, Health::Unknown),
        "{}",
        stage.frame()
    );
}

#[test]
fn a_switch_that_fails_leaves_everything_as_it_is_and_says_why() {
    let mut stage = loaded();
    let before = stage.keys("j j").frame();
    stage.keys("w 3").send(Message::NotSwitched("cannot switch to staging: no API key for profile staging".into()));
    let frame = stage.frame();
    assert!(frame.contains("! cannot switch to staging: no API key for profile staging"), "{frame}");
    assert_eq!(frame.lines().take(23).collect::<Vec<_>>(), before.lines().take(23).collect::<Vec<_>>());
    assert_eq!(stage.keys("w 2").effects, [Effect::Draw], "nothing is under way");
}

#[test]
fn an_automatic_refresh_goes_on_in_the_other_workspace() {
    let mut stage = loaded();
    stage.keys("R").wait(20).send(staging());
    assert_eq!(stage.app.session.load.auto_refresh, Some(stage.now.instant + Duration::from_secs(30)));
}

#[test]
fn copied_commands_name_the_profile() {
    let mut stage = loaded();
    stage.send(staging()).load(page(1, 0..10, Some(10)));
    stage.keys("y l");
    assert!(stage.effects.contains(&Effect::Copy("hookscope --profile staging list".into())), "{:?}", stage.effects);
}

#[test]
fn a_copied_request_says_whose_key_it_needs() {
    let mut stage = loaded();
    stage.send(staging()).load(page(1, 0..10, Some(10)));
    for (keys, said) in [("y c", true), ("y p", true), ("y d", true), ("y u", false), ("y l", false)] {
        let frame = stage.keys(keys).frame();
        assert_eq!(frame.contains("; it needs the key of staging; y "), said, "{keys}: {frame}");
    }
}

#[test]
fn the_colour_marks_the_name_in_the_header() {
    use hookscope::tui::terminal::canvas::Canvas;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    let first_cell = |setup: Setup| {
        let stage = Stage::with(setup);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 120, 24));
        hookscope::tui::view::draw(&stage.app, &mut Canvas::new(&mut buffer, stage.app.settings.glyphs));
        let cell = buffer.cell((12, 0)).unwrap().clone();
        (cell.symbol().to_owned(), cell.fg, cell.modifier.contains(Modifier::REVERSED))
    };
    assert_eq!(first_cell(with_profiles()), ("p".to_owned(), Color::Red, true));
    assert_eq!(first_cell(with(with_profiles(), |setup| setup.workspace.at = 0)), ("p".to_owned(), Color::Cyan, false));
    let theme = Theme::new(&hookscope::config::ThemeConfig::default(), false);
    assert_eq!(
        first_cell(with(with_profiles(), |setup| setup.settings.theme = theme)),
        ("p".to_owned(), Color::Reset, false)
    );
}

#[test]
fn a_view_of_groups_shows_those_of_the_other_workspace() {
    let mut stage = loaded();
    stage.keys("2").send(staging());
    stage.load(page(1, 0..100, Some(100)));
    assert!(stage.frame().contains("hooks.acme.example.com"), "{}", stage.frame());
}
