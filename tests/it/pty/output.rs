//! What goes to the terminal: all of it when keys come in a burst, and never more than the terminal or the user wants.

use std::net::TcpListener;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookscope::demo::{self, DemoOptions, DemoServer};
use hookscope::keymap::{ACTIONS, Action, COPIES};

use super::session::{ENTER, Exit, HOOKSCOPE, Seen, Session, Setup};

/// A burst is more than the 4,096 bytes of the line discipline.
#[test]
fn a_burst_of_keys_is_applied_whole() {
    let mut session = Setup::demo().start();
    session.wait_rows();
    session.type_keys(&"j".repeat(5_000));
    session.wait_text("1,200/1,200");
    session.type_keys(&"k".repeat(1_100));
    session.wait_text(" 100/1,200");
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
}

/// Braille displays and input methods follow the terminal's cursor.
#[test]
fn the_cursor_is_at_the_selected_row_and_shown_where_text_is_typed() {
    let mut session = Setup::demo().start();
    session.wait_rows();
    let is_at =
        |seen: &Seen, at, is_shown: bool| seen.screen().cursor_position() == at && seen.screen().hide_cursor() != is_shown;
    session.wait("the first row", |seen| is_at(seen, (1, 0), false));
    session.type_keys("jj");
    session.wait("the third row", |seen| is_at(seen, (3, 0), false));
    session.type_keys("/voi\x1b[D");
    session.wait("the place before the last letter", |seen| {
        seen.text().contains(" / voi") && seen.screen().cursor_position().1 == 5
    });
    session.look(|seen| assert!(!seen.screen().hide_cursor()));
    session.type_keys("\x1b");
    session.wait("the end of the prompt", |seen| seen.screen().hide_cursor() && seen.screen().cursor_position().1 == 0);
    session.type_keys(":qu");
    session.wait("the end of the palette's input", |seen| is_at(seen, (23, 4), true));
    session.type_keys("\x03");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

#[test]
fn gnu_screen_gets_copies_in_an_envelope() {
    let mut session = Setup::demo().env("STY", "1234.pts-0.host").env("TERM", "screen").start();
    session.wait_rows();
    session.type_keys("yi");
    session.wait("the copy", |seen| seen.count("\x1bP\x1b]52;c;") == 1 && seen.count("\x07\x1b\\") == 1);
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
}

#[test]
fn a_list_that_matches_nothing_says_so_on_a_terminal() {
    for (arguments, words) in [
        (&["--demo", "list", "--filter", "host:nobody"] as &[&str], "0 of 1,200 match"),
        (&["--demo", "list", "--filter", "host:nobody", "-o", "ndjson"], "0 of 1,200 match"),
    ] {
        let mut session = Setup::new(HOOKSCOPE, arguments).start();
        session.wait_text(words);
        assert_eq!(session.exit_and_drain(), Exit::Code(0));
    }
}

#[test]
fn without_colours_no_colour_is_set() {
    for setup in [Setup::demo().env("NO_COLOR", "1"), Setup::new(HOOKSCOPE, &["--demo", "--color", "never"])] {
        let session = press_every_key(setup);
        session.look(|seen| {
            let codes = style_codes(seen.raw());
            assert!(codes.contains(&7), "the selection is reversed");
            let coloured = |code: &&u32| matches!(code, 30..=49 | 58 | 59 | 90..=107);
            assert_eq!(codes.iter().find(coloured), None);
        });
    }
}

#[test]
fn with_colours_there_are_some() {
    let session = press_every_key(Setup::demo());
    session.look(|seen| assert!(style_codes(seen.raw()).contains(&32)));
}

#[test]
fn a_locale_without_utf8_and_the_linux_console_get_ascii() {
    let c = Setup::demo().env("LANG", "C");
    let none = Setup::demo().without_env("LANG");
    let posix = Setup::demo().env("LC_ALL", "POSIX");
    for setup in [c, none, posix, Setup::demo().env("TERM", "linux")] {
        let session = press_every_key(setup);
        session.look(|seen| {
            let other = seen.raw().iter().position(|byte| !byte.is_ascii());
            let around = other.map(|at| String::from_utf8_lossy(&seen.raw()[at.saturating_sub(40)..at + 4]));
            assert_eq!(around, None);
        });
    }
}

#[test]
fn the_key_is_never_written_without_an_api() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let session = press_every_key(
        Setup::new(HOOKSCOPE, &[])
            .env("DIALNEXA_BASE_URL", &format!("http://127.0.0.1:{closed}"))
            .env("DIALNEXA_API_KEY", "kid:SENTINEL"),
    );
    session.look(|seen| assert_never(seen, "SENTINEL"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_never_written_with_an_api() {
    let server = DemoServer::start(DemoOptions::default()).await.unwrap();
    let (_, secret) = demo::KEY.split_once(':').unwrap();
    let setup = Setup::new(HOOKSCOPE, &[]).env("DIALNEXA_BASE_URL", &server.base_url()).env("DIALNEXA_API_KEY", demo::KEY);
    let session = tokio::task::spawn_blocking(|| press_every_key(setup)).await.unwrap();
    session.look(|seen| {
        assert!(seen.raw().windows(4).any(|bytes| bytes == b"whk_"), "no webhooks were shown");
        assert!(copied(seen.raw()).any(|text| text.contains("$DIALNEXA_API_KEY")), "no curl command was copied");
        assert_never(seen, secret);
    });
}

/// Neither on the screen nor on the clipboard.
fn assert_never(seen: &Seen, secret: &str) {
    assert_eq!(seen.count(secret), 0, "on the screen");
    assert!(copied(seen.raw()).all(|text| !text.contains(secret)), "on the clipboard");
}

/// What was put on the clipboard.
fn copied(raw: &[u8]) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(raw).into_owned();
    let parts: Vec<String> = text.split("\x1b]52;c;").skip(1).map(str::to_owned).collect();
    parts.into_iter().map(|part| {
        let encoded = part.split(['\x07', '\x1b']).next().unwrap_or_default();
        String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
    })
}

/// Every number of every sequence that sets a style.
fn style_codes(raw: &[u8]) -> Vec<u32> {
    let text = String::from_utf8_lossy(raw);
    let sequences = text.split("\x1b[").skip(1).filter_map(|rest| {
        let (codes, _) = rest.split_once(|c: char| !c.is_ascii_digit() && c != ';')?;
        rest.strip_prefix(codes)?.starts_with('m').then(|| codes.to_owned())
    });
    sequences.flat_map(|codes| codes.split(';').filter_map(|code| code.parse().ok()).collect::<Vec<_>>()).collect()
}

/// Opens the explorer, does everything that its help lists, each on the screen before the next, and quits.
fn press_every_key(setup: Setup) -> Session {
    let mut session = setup.start();
    session.wait("the alternate screen", |seen| seen.count(ENTER) == 1);
    session.wait("rows or a failure", |seen| ["/1,200", "failed"].iter().any(|word| seen.text().contains(word)));
    let later = [Action::Quit, Action::Mark, Action::MarkAll];
    for entry in ACTIONS.iter().filter(|entry| !later.contains(&entry.action)) {
        for key in entry.keys {
            press(&mut session, &bytes_of(key));
            match entry.action {
                // A backspace leaves an empty palette, and any other key the copy menu.
                Action::Palette => press(&mut session, "\x7f"),
                Action::Help => press(&mut session, key),
                Action::Copy => press(&mut session, " "),
                Action::Filter | Action::Export => press(&mut session, "\x1b"),
                _ => {}
            }
        }
    }
    press(&mut session, "1");
    for (key, ..) in COPIES {
        // The second time the text is shown; a key without a meaning leaves it.
        press(&mut session, &format!("y{key}"));
        press(&mut session, &format!("y{key}"));
        press(&mut session, "z");
    }
    // With marks, copies are about other webhooks.
    press(&mut session, " ");
    press(&mut session, "*");
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
    session
}

/// A key, and a new size to see that it has been dealt with.
fn press(session: &mut Session, keys: &str) {
    session.wait_redraw(|session| {
        let (rows, columns) = session.look(|seen| seen.screen().size());
        session.type_keys(keys);
        session.resize(columns, if rows == 24 { 25 } else { 24 });
    });
}

/// What a terminal sends for a key, as the config spells it.
fn bytes_of(key: &str) -> String {
    let named = match key {
        "down" => "\x1b[B",
        "up" => "\x1b[A",
        "right" => "\x1b[C",
        "left" => "\x1b[D",
        "home" => "\x1b[H",
        "end" => "\x1b[F",
        "pgup" => "\x1b[5~",
        "pgdn" => "\x1b[6~",
        "enter" => "\r",
        "esc" => "\x1b",
        "tab" => "\t",
        "space" => " ",
        _ => "",
    };
    if !named.is_empty() {
        return named.to_owned();
    }
    if let Some(letter) = key.strip_prefix("ctrl-") {
        return char::from(letter.as_bytes()[0] & 0x1f).to_string();
    }
    assert_eq!(key.chars().count(), 1, "what does a terminal send for {key}?");
    key.to_owned()
}
