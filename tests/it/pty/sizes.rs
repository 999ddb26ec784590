//! Terminals of every size, and of changing size.

use super::session::{ENTER, Exit, Session, Setup};

const ODD: [(u16, u16); 5] = [(0, 0), (1, 1), (65_535, 65_535), (0, 24), (65_535, 1)];
/// In KiB.
const MEMORY: u64 = 200 * 1024;
const MOUSE_ON: &str = "\x1b[?1000h";
const MOUSE_OFF: &str = "\x1b[?1000l";

fn assert_well(mut session: Session) {
    if let Some(memory) = session.peak_memory() {
        assert!(memory < MEMORY, "{memory} KiB");
    }
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

/// Waits until the program has seen everything up to now, also where it has no cell to show it in.
fn wait_noticed(session: &mut Session) {
    for sequence in [MOUSE_ON, MOUSE_OFF] {
        let before = session.count(sequence);
        session.type_keys("m");
        session.wait("the mouse", |seen| seen.count(sequence) > before);
    }
}

#[test]
fn it_survives_every_size() {
    let mut session = Setup::demo().start();
    session.wait_rows();
    for (columns, rows) in ODD {
        session.resize(columns, rows);
        wait_noticed(&mut session);
        session.type_keys("j");
        session.wait_redraw(|session| session.resize(80, 24));
        session.wait_rows();
    }
    assert_well(session);
}

#[test]
fn it_starts_at_every_size() {
    for (columns, rows) in ODD {
        let mut session = Setup::demo().size(columns, rows).start();
        session.wait("the alternate screen", |seen| seen.count(ENTER) == 1);
        wait_noticed(&mut session);
        session.wait_redraw(|session| session.resize(80, 24));
        session.wait_rows();
        assert_well(session);
    }
}

/// A window manager gives a new terminal its size while the program in it starts.
#[test]
fn a_size_that_changes_during_the_start_is_noticed() {
    for _ in 0..5 {
        let session = Setup::demo().start();
        session.wait("the alternate screen", |seen| seen.count(ENTER) == 1);
        session.resize(120, 30);
        session.wait("the new size", |seen| seen.line(29).contains("1/1,200") && seen.line(15).contains('│'));
        assert_well(session);
    }
}

#[test]
fn a_storm_of_sizes_ends_in_the_last_one() {
    let session = Setup::demo().start();
    session.wait_rows();
    for step in 0..300 {
        session.resize(20 + step % 150, 3 + step % 60);
    }
    session.resize(120, 30);
    session.wait("the last size", |seen| seen.line(29).contains("1/1,200") && seen.line(15).contains('│'));
    assert_well(session);
}
