//! Whole frames, in every state that has a face of its own and at four sizes.

use hookscope::analysis::reach::Trouble;
use hookscope::api::{ErrorKind, Network};
use hookscope::keymap::Keymap;
use hookscope::model::Scope;
use hookscope::tui::theme::{Glyphs, Theme};
use proptest::prelude::*;

use crate::support::{Stage, page, setup, with};

const SIZES: [(u16, u16); 4] = [(120, 40), (80, 24), (60, 15), (40, 10)];

/// The frames of a state at every size, as one snapshot.
fn snapshot(name: &str, play: impl Fn(&mut Stage)) {
    let mut frames = String::new();
    for (width, height) in SIZES {
        let mut stage = Stage::new(width, height);
        play(&mut stage);
        frames.push_str(&format!("== {width}x{height}\n{}\n", stage.frame()));
    }
    insta::assert_snapshot!(name, frames);
}

fn rows(stage: &mut Stage) {
    stage.load(page(1, 0..100, Some(1234)));
}

#[test]
fn first_load() {
    snapshot("first_load", |_| {});
}

#[test]
fn loaded() {
    snapshot("loaded", |stage| {
        rows(stage);
        stage.keys("j j j");
    });
}

#[test]
fn detail_has_the_focus() {
    snapshot("detail_focus", |stage| {
        rows(stage);
        stage.keys("enter");
    });
}

#[test]
fn raw_json() {
    snapshot("raw_json", |stage| {
        rows(stage);
        stage.keys("v");
    });
}

#[test]
fn rows_that_are_not_here_yet() {
    snapshot("placeholders", |stage| {
        rows(stage);
        stage.keys("G");
    });
}

#[test]
fn the_end_is_not_known() {
    snapshot("unknown_end", |stage| {
        stage.load(page(1, 0..100, None)).keys("G");
    });
}

#[test]
fn empty_workspace() {
    snapshot("empty_workspace", |stage| {
        stage.load(page(1, 0..0, Some(0)));
    });
}

#[test]
fn empty_scope() {
    snapshot("empty_scope", |stage| {
        rows(stage);
        stage.keys("a a").load(page(1, 0..0, Some(0)));
        assert_eq!(stage.app.session.load.scope, Scope::Inactive);
    });
}

#[test]
fn unauthorized() {
    snapshot("unauthorized", |stage| {
        stage.fail(1, ErrorKind::Unauthorized, "API key is missing or invalid");
    });
}

#[test]
fn forbidden() {
    snapshot("forbidden", |stage| {
        stage.fail(1, ErrorKind::Forbidden, "You do not have permission to access this resource");
    });
}

#[test]
fn unreachable() {
    snapshot("unreachable", |stage| {
        stage.fail(1, ErrorKind::Network(Network::Dns), "failed to lookup address information");
    });
}

#[test]
fn rate_limited() {
    snapshot("rate_limited", |stage| {
        stage.pause(17).wait(5).send(hookscope::tui::message::Message::Tick);
    });
}

#[test]
fn server_error_before_any_row() {
    snapshot("server_error", |stage| {
        stage.retry(1, 2, ErrorKind::Status(503), "Service Unavailable");
    });
}

#[test]
fn rows_are_kept_after_a_failure() {
    snapshot("partial", |stage| {
        rows(stage);
        stage.keys("r").wait(60).retry(1, 1, ErrorKind::Status(500), "Internal server error");
        stage.fail(1, ErrorKind::Status(500), "Internal server error");
    });
}

#[test]
fn rows_and_pages_that_failed() {
    snapshot("failed_page", |stage| {
        rows(stage);
        stage.keys("G").fail(13, ErrorKind::Status(502), "Bad gateway");
    });
}

#[test]
fn help() {
    snapshot("help", |stage| {
        rows(stage);
        stage.keys("?");
    });
}

#[test]
fn palette() {
    snapshot("palette", |stage| {
        rows(stage);
        stage.keys(": r e");
    });
}

#[test]
fn copy_menu() {
    snapshot("copy_menu", |stage| {
        rows(stage);
        stage.keys("y");
    });
}

#[test]
fn copied_and_shown() {
    snapshot("copied", |stage| {
        rows(stage);
        stage.keys("y u");
    });
    snapshot("plain_text", |stage| {
        rows(stage);
        stage.keys("y p y p");
    });
}

#[test]
fn probed() {
    snapshot("probed", |stage| {
        rows(stage);
        stage.keys("p").found("https://hooks.acme.example.com", Ok(43));
        stage.keys("j p").found("https://billing.acme.example.com", Err(Trouble::TlsName));
        stage.keys("j p").found("https://partners.globex.example.net", Ok(5));
        stage.keys("j p k k");
    });
}

#[test]
fn deliveries() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deliveries.csv");
    let rows_of = |id: &str, rows: &str, times| format!("{id},{rows}\n").repeat(times);
    let text = [
        "webhook_id,is_success,response_status,error_message,created_at\n".to_owned(),
        rows_of("whk_000000000000", "true,200,,", 60),
        rows_of("whk_000000000000", "false,503,upstream connect error,2026-06-15T09:00:00Z", 38),
        rows_of("whk_000000000001", "true,200,,", 200),
        rows_of("whk_000000000001", "false,,timed out,2026-06-14T09:00:00Z", 1),
        rows_of("whk_000000000003", "true,200,,", 5),
    ];
    std::fs::write(&path, text.concat()).unwrap();
    snapshot("deliveries", |stage| {
        rows(stage);
        stage.deliveries(&path).keys("x x");
    });
}

#[test]
fn odd_and_hostile_rows() {
    snapshot("odd_rows", |stage| {
        let mut odd = page(1, 0..0, Some(8));
        odd.rows = [
            r#"{"id":"\u001b[31mid","url":"https://x.com/\u202egpj.exe","events":["a\u001b]52;c;eA==\u0007"],"is_active":true}"#,
            r#"{"id":"wide","url":"https://漢字.example/漢字","events":[],"is_active":true,"created_at":"yesterday"}"#,
            r#"{"id":"types","url":"not a url","events":"call.completed","is_active":"true","created_at":1711958400}"#,
            r#"{"id":"secret","url":"https://bob:hunter2@x.com/?token=hunter2","events":["call.failed"],"is_active":false}"#,
            r#"{"id":7,"url":"https://x.com"}"#,
            "null",
            r#"{"id":"extra","url":"https://x.com","events":["e"],"is_active":true,"created_at":"2026-06-15T11:48:00Z","description":"for the night shift","limits":{"rate":1e30}}"#,
            r#"{"id":"bare","url":"https://x.com"}"#,
        ]
        .map(str::to_owned)
        .into();
        stage.load(odd);
    });
}

/// Rows with faults of every severity.
fn faulty(stage: &mut Stage) {
    let mut faulty = page(1, 0..0, Some(7));
    let active = |id: &str, url: &str, event: &str| {
        format!(r#"{{"id":"{id}","url":"{url}","events":["{event}"],"is_active":true,"created_at":"2026-06-01T08:00:00Z"}}"#)
    };
    faulty.rows = vec![
        active("whk_good", "https://good.example.com/in", "call.failed"),
        active("whk_twin1", "https://twins.example.com/in", "call.failed"),
        active("whk_twin2", "https://twins.example.com:443/in", "call.failed"),
        active("whk_plain", "http://plain.example.com/in", "call.faild"),
        active("whk_test", "https://webhook.site/3f1d6a2e", "call.failed"),
        r#"{"id":"whk_old","url":"https://old.example.com/","events":["call.failed"],"is_active":false,"created_at":"2020-01-01T00:00:00Z"}"#.to_owned(),
        "null".to_owned(),
    ];
    stage.load(faulty);
}

/// The frames of a state at the size of a small and of a large terminal, and in ASCII without colours.
fn snapshot_of_findings(name: &str, keys: &str) {
    let mut frames = String::new();
    for (width, height, is_plain) in [(80, 24, false), (200, 60, false), (80, 24, true)] {
        let setup = setup(width, height);
        let plain = Theme::new(&hookscope::config::ThemeConfig::default(), false);
        let setup = if is_plain {
            with(setup, |setup| {
                setup.settings.glyphs = Glyphs::ascii();
                setup.settings.theme = plain;
            })
        } else {
            setup
        };
        let mut stage = Stage::with(setup);
        faulty(&mut stage);
        stage.keys(keys);
        let word = if is_plain { " NO_COLOR ascii" } else { "" };
        frames.push_str(&format!("== {width}x{height}{word}\n{}\n", stage.frame()));
    }
    insta::assert_snapshot!(name, frames);
}

#[test]
fn findings() {
    snapshot_of_findings("findings_list", "j j j");
    snapshot_of_findings("findings_view", "4 j j enter j");
}

#[test]
fn ascii_terminals_get_ascii() {
    let glyphs = Glyphs::ascii();
    let mut stage = Stage::with(with(setup(80, 24), |setup| setup.settings.glyphs = glyphs));
    stage.load(page(1, 0..100, None));
    stage.keys("j j");
    for keys in ["enter", "v", "?", "esc", ":", "esc", "y"] {
        let frame = stage.keys(keys).frame();
        assert!(frame.is_ascii(), "{frame}");
    }
}

/// The states that the sizes are tried in.
const STATES: [&str; 10] = ["", "j j", "enter", "v", "?", ": x", "y", "y p y p", "G", "4 enter j j"];

#[test]
fn every_small_size_is_drawn_in_every_state() {
    for keys in STATES {
        let mut stage = Stage::new(60, 20);
        stage.load(page(1, 0..100, Some(1234)));
        if !keys.is_empty() {
            stage.keys(keys);
        }
        for fails in [false, true] {
            if fails {
                stage.fail(1, ErrorKind::Status(500), "Internal server error");
            }
            for (width, height) in (0..=60).flat_map(|width| (0..=20).map(move |height| (width, height))) {
                let frame = stage.resize(width, height).frame();
                let selected = stage.app.session.list.selected();
                let seen = height == 0 || stage.app.visible().contains(&selected);
                assert!(seen, "{width}x{height} {keys}: the selected row is out of sight\n{frame}");
            }
        }
    }
}

#[test]
fn whose_webhooks_and_how_many_is_always_said() {
    for width in 52..=200 {
        let header = Stage::loaded(width, 24).frame().lines().next().unwrap_or_default().to_owned();
        for word in ["production", "api.dialnexa.com", "100 of 1,234"] {
            assert!(header.contains(word), "{width} columns: {header}");
        }
    }
}

#[test]
fn help_names_every_bound_key() {
    let mut stage = Stage::loaded(120, 60);
    let frame = stage.keys("?").frame();
    let keymap = Keymap::default();
    for entry in hookscope::keymap::ACTIONS {
        assert!(frame.contains(entry.help), "{} is not in the help", entry.name);
        for key in keymap.keys(entry.action) {
            assert!(frame.contains(key.as_str()), "{key} is not in the help");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is pressed in whatever order at whatever size: no panic, and the selected row stays on screen.
    #[test]
    fn any_keys_at_any_size(
        keys in proptest::collection::vec("[a-zA-Z:?]|enter|esc|tab|ctrl-d|ctrl-u|pgdn|end|home|backspace", 0..30),
        width in 0_u16..150,
        height in 0_u16..50,
        total in proptest::option::of(0_u64..500),
    ) {
        let mut stage = Stage::new(width, height);
        stage.load(page(1, 0..total.unwrap_or(100).min(100), total));
        for key in keys {
            stage.keys(&key);
            let _ = stage.frame();
            let visible = stage.app.visible();
            prop_assert!(visible.is_empty() || visible.contains(&stage.app.session.list.selected()));
        }
    }
}
