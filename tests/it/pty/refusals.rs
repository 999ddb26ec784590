//! Without a terminal that can be used there is an explanation and nothing else.

use super::session::{Exit, Seen, Session, Setup};

fn assert_refused(mut session: Session, why: &str) {
    assert_eq!(session.exit_and_drain(), Exit::Code(2));
    // Before the mark that ends the reading.
    let said = session.look(|seen| String::from_utf8(seen.raw().to_vec()).unwrap().replace(Seen::MARK, ""));
    assert!(said.contains(why) && said.contains("hookscope list"), "{said}");
    assert!(!said.contains('\x1b'), "{said:?}");
    session.assert_restored();
}

#[test]
fn stdin_must_be_a_terminal() {
    assert_refused(Setup::bash(r#"exec "$0" --demo </dev/null"#).start(), "stdin");
}

#[test]
fn stdout_must_be_a_terminal() {
    let session = Setup::bash(r#""$0" --demo >out; code=$?; cat out; exit $code"#).start();
    assert_refused(session, "stdout");
}

#[test]
fn term_must_be_useful() {
    assert_refused(Setup::demo().without_env("TERM").start(), "TERM is not set");
    assert_refused(Setup::demo().env("TERM", "").start(), "TERM is not set");
    assert_refused(Setup::demo().env("TERM", "dumb").start(), "TERM=dumb");
}

#[test]
fn nothing_at_all_is_a_terminal() {
    use std::process::{Command, Stdio};
    let mut command = Command::new(super::session::HOOKSCOPE);
    let output = command.arg("--demo").env("TERM", "xterm").stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("hookscope list") && !said.contains('\x1b'), "{said:?}");
    assert_eq!(output.stdout, b"");
}

#[test]
fn deliveries_cannot_come_from_where_the_keys_do() {
    let mut session = Setup::bash(r#"exec "$0" --demo --deliveries -"#).start();
    assert_eq!(session.exit_and_drain(), Exit::Code(2));
    let said = session.look(|seen| String::from_utf8(seen.raw().to_vec()).unwrap().replace(Seen::MARK, ""));
    assert!(said.contains("--deliveries: the explorer reads keys from stdin") && !said.contains('\x1b'), "{said:?}");
}
