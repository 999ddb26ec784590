//! Every way out, and what it leaves behind.

use rustix::process::Signal;

use super::session::{CLEAR, ENTER, Exit, LEAVE, Session, Setup};

fn demo() -> Session {
    let session = Setup::demo().start();
    session.wait_rows();
    session
}

#[test]
fn it_takes_the_terminal_and_gives_it_back() {
    let mut session = demo();
    session.look(|seen| {
        assert!(seen.screen().hide_cursor() && seen.screen().bracketed_paste());
        assert_eq!(seen.count(ENTER), 1);
        assert!(seen.line(0).contains("demo · 127.0.0.1"), "{}", seen.line(0));
        assert!(seen.line(1).contains("crm.northwind.example.com/webhooks/dialnexa"), "{}", seen.line(1));
    });
    assert!(session.is_raw());
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
    assert_eq!(session.count(LEAVE), 1);
}

#[test]
fn the_mouse_is_given_back_too() {
    let mut session = demo();
    session.type_keys("m");
    session.wait("mouse reports", |seen| seen.screen().mouse_protocol_mode() != vt100::MouseProtocolMode::None);
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

#[test]
fn ctrl_c_quits() {
    let mut session = demo();
    session.type_keys("\x03");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

#[test]
fn ctrl_c_quits_from_an_input() {
    let mut session = demo();
    session.type_keys(":");
    session.wait_text("move-down");
    session.type_keys("qu\x03");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

#[test]
fn signals_end_it_in_order() {
    for (signal, code) in [
        (Signal::TERM, 143),
        (Signal::INT, 130),
        (Signal::HUP, 129),
        (Signal::QUIT, 131),
        (Signal::ABORT, 134),
        (Signal::USR1, 138),
        (Signal::USR2, 140),
        (Signal::ALARM, 142),
        (Signal::XCPU, 152),
    ] {
        let mut session = demo();
        session.signal(signal);
        assert_eq!(session.exit_and_drain(), Exit::Code(code), "{signal:?}");
        session.assert_restored();
    }
}

#[test]
fn a_stalled_link_does_not_keep_it_from_ending() {
    for (signal, code) in [(Some(Signal::TERM), 143), (None, 0)] {
        let mut session = demo();
        session.stall();
        match signal {
            Some(signal) => session.signal(signal),
            None => session.type_keys("q"),
        }
        assert_eq!(session.exit(), Exit::Code(code));
        session.assert_modes_restored();
    }
}

#[test]
fn a_stalled_link_that_recovers_shows_the_latest_state() {
    let mut session = demo();
    session.stall();
    session.resize(80, 24);
    session.type_keys("jjj");
    session.resume();
    session.wait_text(" 4/1,200");
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

/// The terminal goes, and with it the program: soon, quietly, and without turning in circles.
fn assert_ends_with_its_terminal(mut session: Session) {
    let before = session.cpu_seconds();
    session.vanish();
    assert_eq!(session.exit(), Exit::Code(129));
    if let (Some(before), Some(after)) = (before, session.cpu_seconds()) {
        assert!(after - before < 1.0, "{:.2} s of CPU time on a dead terminal", after - before);
    }
}

#[test]
fn a_vanished_terminal_ends_it() {
    assert_ends_with_its_terminal(demo());
}

#[test]
fn a_vanished_terminal_ends_it_with_hangups_ignored() {
    let session = Setup::bash(r#"trap "" HUP; exec "$0" --demo"#).start();
    session.wait_rows();
    assert_ends_with_its_terminal(session);
}

#[test]
fn a_vanished_terminal_ends_it_without_any_hangup() {
    let session = Setup::demo().foreign_terminal().start();
    session.wait_rows();
    assert_ends_with_its_terminal(session);
}

#[test]
fn a_vanished_terminal_ends_it_with_another_stderr() {
    let session = Setup::bash(r#"trap "" HUP; exec "$0" --demo 2>stderr"#).start();
    session.wait_rows();
    assert_ends_with_its_terminal(session);
}

#[test]
fn a_terminal_that_vanishes_while_it_is_written_to_ends_it() {
    let mut session = Setup::demo().foreign_terminal().start();
    session.wait_rows();
    session.type_keys(&"jk".repeat(200));
    assert_ends_with_its_terminal(session);
}

#[test]
fn a_stalled_terminal_that_vanishes_ends_it() {
    let mut session = demo();
    session.stall();
    assert_ends_with_its_terminal(session);
}

#[test]
fn a_terminal_that_vanishes_at_once_ends_it() {
    let session = Setup::demo().foreign_terminal().start();
    session.wait("the alternate screen", |seen| seen.count(ENTER) == 1);
    assert_ends_with_its_terminal(session);
}

#[test]
fn a_paste_that_is_no_utf_8_is_text() {
    let mut session = demo();
    session.type_keys("/");
    session.type_bytes(b"\x1b[200~voi\xff\xfe\xc3ce\x1b[201~");
    // The parser of the tests shows no such sign.
    session.wait("the text", |seen| seen.count("voi\u{fffd}") > 0 && seen.count("\u{fffd}") >= 3);
    session.type_keys("\x15voice");
    session.wait_text(" / voice ");
    session.type_keys("\rq");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
}

#[test]
fn a_whole_paste_is_no_command() {
    let mut session = demo();
    session.type_keys("\x1b[200~q\x03q\x1b[201~");
    session.wait_redraw(|session| session.type_keys("\x0c"));
    assert!(session.count(CLEAR) >= 2);
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
}
