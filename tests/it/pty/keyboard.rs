//! What terminals send besides keys, and keys that arrive in pieces.

use std::time::{Duration, Instant};

use rustix::event::{Timespec, poll};
use rustix::process::Signal;

use super::session::{Exit, Session, Setup};

fn demo() -> Session {
    let session = Setup::demo().start();
    session.wait_rows();
    session
}

fn quit(mut session: Session) {
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

#[test]
fn replies_to_other_programs_are_no_keys() {
    let mut session = demo();
    for report in [
        "\x1bP1$r2 q\x1b\\",
        "\x1b]11;rgb:1c1c/1c1c/1c1c\x1b\\",
        "\x1b]4;1;rgb:cdcd/0000/0000\x07",
        "\x1b]52;c;cXVpdA==\x07",
        "\x1b[>41;330;0c",
        "\x1bP>|XTerm(380)\x1b\\",
        "\x1b[?997;1n",
        "\x1b[?2026;2$y",
    ] {
        session.type_keys(report);
    }
    session.type_keys("j");
    session.wait_text(" 2/1,200");
    session.look(|seen| assert!(seen.line(0).contains("demo") && seen.text().contains("? help"), "{}", seen.text()));
    quit(session);
}

#[test]
fn an_unfinished_report_locks_nothing() {
    for report in ["\x1b[?1;2", "\x1b[<0;10", "\x1b]11;rgb:1c1c", "\x1b[Ow", "\x1bOw"] {
        let mut session = demo();
        session.type_keys(report);
        session.type_keys("\x03");
        assert_eq!(session.exit_and_drain(), Exit::Code(0), "{report:?}");
        session.assert_restored();
    }
}

/// The longest pause within a key. On a busy machine a piece may be later than that, and then another key is typed.
const GAP: Duration = Duration::from_millis(25);
/// Keys that have to come out whole, and keys that are typed for that at most.
const WHOLE: usize = 20;
const MOST: usize = 1_000;

/// Types a key in pieces, each of which is read alone. Returns whether all of them were in time.
fn in_pieces(session: &mut Session, pieces: &[&str], between: Duration) -> bool {
    let mut is_in_time = true;
    for (number, piece) in pieces.iter().enumerate() {
        let start = Instant::now();
        if number > 0 {
            let between = Timespec::try_from(between).unwrap();
            poll(&mut [], Some(&between)).unwrap();
        }
        session.type_keys(piece);
        is_in_time &= start.elapsed() < GAP;
    }
    is_in_time
}

#[test]
fn keys_that_arrive_in_pieces_are_whole() {
    for (pieces, between) in [
        (&["\x1b", "[B"][..], Duration::from_micros(300)),
        // As at 9,600 baud.
        (&["\x1b", "[", "B"], Duration::from_millis(1)),
        (&["\x1b", "OB"], Duration::from_millis(10)),
    ] {
        let mut session = demo();
        let (mut row, mut whole, mut typed) = (1, 0, 0);
        while whole < WHOLE {
            assert!(typed < MOST, "this machine is too slow: only {whole} of {MOST} keys were typed in time");
            typed += 1;
            if in_pieces(&mut session, pieces, between) {
                (row, whole) = (row + 1, whole + 1);
                session.wait_text(&format!(" {row}/1,200"));
            } else {
                // Whatever became of the pieces.
                session = demo();
                row = 1;
            }
        }
        quit(session);
    }
}

#[test]
fn esc_counts_after_some_silence() {
    let mut session = demo();
    session.type_keys("/voice");
    session.wait_text(" / voice");
    session.type_keys("\x1b");
    session.wait("the end of the prompt", |seen| seen.text().contains("? help"));
    quit(session);
}

#[test]
fn an_unfinished_paste_is_text_after_a_while_and_keys_work_again() {
    let mut session = demo();
    session.type_keys("/\x1b[200~voice");
    session.wait_text(" / voice");
    session.type_keys("\x03");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

#[test]
fn a_signal_ends_it_while_a_paste_is_unfinished() {
    let mut session = demo();
    session.type_keys("\x1b[200~abcq");
    session.signal(Signal::TERM);
    assert_eq!(session.exit_and_drain(), Exit::Code(143));
    session.assert_restored();
}

#[test]
fn words_are_jumped_over_in_prompts() {
    let mut session = demo();
    session.type_keys("/voice crm");
    session.wait_text(" / voice crm");
    // Alt-b in every terminal, then Ctrl-Left as xterm sends it.
    session.type_keys("\x1bb-\x1b[1;5D\x1b[1;5D+");
    session.wait_text(" / +voice -crm");
    session.type_keys("\x1bf\x1b\x7f");
    session.wait_text(" /  -crm");
    session.type_keys("\x03");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
}
