//! Stopped and continued: by a shell, by nobody, from outside.

use rustix::process::Signal;

use super::session::{Exit, Session, Setup};

/// A shell with job control that is not interactive: it restores nothing by itself, so what is restored the program restored.
const SHELL: &str = r#"set -m; "$0" --demo; echo "STOPPED $?"; read -r line; fg; echo "ENDED $?""#;

fn stopped_job() -> Session {
    let mut session = Setup::bash(SHELL).start();
    session.wait_rows();
    session.type_keys("\x1a");
    // 128 and SIGTSTP.
    session.wait_text("STOPPED 148");
    session
}

fn quit_job(session: &mut Session) {
    session.type_keys("q");
    session.wait_text("ENDED 0");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

/// Continues the stopped explorer with `fg`, which the script runs on enter; it works as before, and quits.
fn continue_and_quit(session: &mut Session) {
    session.type_keys("\n");
    session.wait_rows();
    assert!(session.is_raw());
    session.look(|seen| assert!(seen.screen().hide_cursor() && seen.screen().bracketed_paste()));
    session.type_keys("j");
    session.wait_text(" 2/1,200");
    quit_job(session);
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back() {
    let mut session = stopped_job();
    session.assert_restored();
    continue_and_quit(&mut session);
}

#[test]
fn a_stop_from_outside_gives_the_terminal_back_too() {
    for stop in [Signal::TSTP, Signal::TTIN, Signal::TTOU] {
        let mut session = Setup::bash(SHELL).start();
        session.wait_rows();
        session.type_keys("m");
        session.signal_job(stop);
        session.wait_text("STOPPED 148");
        session.assert_restored();
        continue_and_quit(&mut session);
    }
}

/// The terminal is the shell's then, and so is what is typed.
#[test]
fn continued_in_the_background_it_stops_again_and_leaves_the_terminal_alone() {
    let script = r#"set -m; "$0" --demo; echo "STOPPED $?"
        bg >/dev/null; until jobs -s | grep -q demo; do read -rt 0.01; done
        echo AGAIN; read -r line; echo "READ $line"; fg; echo "ENDED $?""#;
    let mut session = Setup::bash(script).start();
    session.wait_rows();
    session.type_keys("\x1a");
    session.wait_text("STOPPED 148");
    session.wait_text("AGAIN");
    session.assert_restored();
    session.type_keys("line\n");
    session.wait_rows();
    quit_job(&mut session);
    session.look(|seen| assert!(seen.text().contains("READ line"), "{}", seen.text()));
}

/// No shell could continue it.
#[test]
fn a_stop_from_outside_does_not_wedge_a_session_leader() {
    let mut session = Setup::demo().start();
    session.wait_rows();
    session.signal(Signal::TSTP);
    session.wait_text("no shell to suspend to");
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

#[test]
fn ctrl_z_works_again_and_again() {
    // A stop ends loops of the shell.
    let again = |i| format!(r#"echo "STOPPED {i}"; read -r line; fg; "#);
    let script = format!(r#"set -m; "$0" --demo; {}{}{}echo "ENDED $?""#, again(1), again(2), again(3));
    let mut session = Setup::bash(&script).start();
    for i in 1..=3 {
        session.wait_rows();
        session.type_keys("\x1a");
        session.wait_text(&format!("STOPPED {i}"));
        session.assert_restored();
        session.type_keys("\n");
    }
    session.wait_rows();
    quit_job(&mut session);
}

/// The size changes for the shell: only the processes in the foreground are told.
#[test]
fn a_new_size_is_known_after_fg() {
    let mut session = stopped_job();
    session.resize(120, 30);
    session.type_keys("\n");
    session.wait("the new size", |seen| {
        seen.screen().alternate_screen() && seen.line(29).contains("1/1,200") && seen.line(15).contains('│')
    });
    quit_job(&mut session);
}

#[test]
fn the_mouse_is_off_in_the_shell_and_on_again_after_fg() {
    let mut session = Setup::bash(SHELL).start();
    session.wait_rows();
    let reports = |seen: &super::session::Seen| seen.screen().mouse_protocol_mode() != vt100::MouseProtocolMode::None;
    session.type_keys("m");
    session.wait("mouse reports", reports);
    session.type_keys("\x1a");
    session.wait_text("STOPPED 148");
    session.assert_restored();
    session.type_keys("\n");
    session.wait_rows();
    session.wait("mouse reports again", reports);
    quit_job(&mut session);
}

#[test]
fn a_session_leader_stays() {
    let mut session = Setup::demo().start();
    session.wait_rows();
    session.type_keys("\x1a");
    session.wait_text("no shell to suspend to");
    session.type_keys("j");
    session.wait_text(" 2/1,200");
    assert!(session.is_raw());
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

/// Here the stop comes to nothing: the shell has no job control, so the kernel discards it.
#[test]
fn without_job_control_it_comes_back_by_itself() {
    let mut session = Setup::bash(r#""$0" --demo; echo "ENDED $?""#).start();
    session.wait_rows();
    session.wait_redraw(|session| session.type_keys("\x1a"));
    session.wait_rows();
    session.type_keys("j");
    session.wait_text(" 2/1,200");
    quit_job(&mut session);
}

#[test]
fn continued_from_outside_it_draws_everything_again() {
    let mut session = Setup::demo().start();
    session.wait_rows();
    session.signal(Signal::STOP);
    session.wait_stopped();
    // Whoever had the terminal in between left it in another state.
    session.scribble("\x1b[?1049l\x1b[?25h\x1b[?2004l\x1b[2J\x1b[HGARBAGE");
    session.wait_text("GARBAGE");
    let cooked = {
        let mut modes = rustix::termios::tcgetattr(session.tty()).unwrap();
        modes.local_modes |= rustix::termios::LocalModes::ICANON | rustix::termios::LocalModes::ECHO;
        modes
    };
    rustix::termios::tcsetattr(session.tty(), rustix::termios::OptionalActions::Now, &cooked).unwrap();
    session.signal(Signal::CONT);
    session.wait_rows();
    session.wait("the end of the garbage", |seen| !seen.text().contains("GARBAGE"));
    session.look(|seen| assert!(seen.screen().hide_cursor() && seen.screen().bracketed_paste()));
    assert!(session.is_raw());
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

#[test]
fn a_stopped_program_ends_when_it_goes_on_with_a_signal_pending() {
    let mut session = Setup::demo().start();
    session.wait_rows();
    session.signal(Signal::STOP);
    session.wait_stopped();
    session.signal(Signal::TERM);
    session.signal(Signal::CONT);
    assert_eq!(session.exit_and_drain(), Exit::Code(143));
    session.assert_restored();
}

#[test]
fn a_stopped_job_ends_when_the_shell_ends_it() {
    let script = r#"set -m; "$0" --demo; echo "STOPPED $?"; kill %1; while jobs %1; do :; done"#;
    let mut session = Setup::bash(script).start();
    session.wait_rows();
    session.type_keys("\x1a");
    session.wait_text("Exit 143");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}
