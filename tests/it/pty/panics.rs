//! Panics, in the main thread and elsewhere. The program itself has none to offer, so this binary runs itself in the terminal
//! with a child that takes it as the explorer does.

use hookscope::tui::terminal::console::{Console, ConsoleEvent, Terminal, restore_on_panic};

use super::session::{ENTER, Exit, Session, Setup};

/// Set in the children, and only there.
const CHILD: &str = "HOOKSCOPE_TEST_PTY_CHILD";
const MESSAGE: &str = "first line\nsecond \x1b[31mline";

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

fn run_child(name: &str) -> Session {
    let this = std::env::current_exe().unwrap();
    let name = format!("pty::panics::{name}");
    let arguments = ["--exact", &name, "--ignored", "--nocapture", "--test-threads=1"];
    // Wide enough that no message is wrapped.
    Setup::new(this.to_str().unwrap(), &arguments).env(CHILD, "1").size(300, 40).start()
}

fn assert_said_and_restored(mut session: Session) {
    assert_eq!(session.exit_and_drain(), Exit::Code(101));
    session.assert_restored();
    assert_eq!(session.count(ENTER), 1, "the child did not take the terminal");
    session.look(|seen| {
        let text = seen.text();
        let message = text.lines().find(|line| line.contains("hookscope: internal error at tests/it/pty/panics.rs:"));
        let message = message.unwrap_or_else(|| panic!("no message on the screen:\n{text}"));
        assert!(message.contains("first line") && message.contains("second") && message.contains("line"), "{message}");
        assert_eq!(seen.count("\x1b[31m"), 0, "the message got through as it was");
        assert!(text.contains("This is a bug; please report it"));
    });
}

#[test]
fn a_panic_in_the_main_thread_gives_the_terminal_back_first() {
    assert_said_and_restored(run_child("child_main_thread"));
}

#[test]
fn a_panic_in_a_task_gives_the_terminal_back_and_ends_the_loop() {
    assert_said_and_restored(run_child("child_task"));
}

#[tokio::test]
#[ignore = "runs in a terminal of its own, started by another test"]
async fn child_main_thread() {
    if is_child() {
        restore_on_panic();
        let _terminal = Terminal::take(true).unwrap();
        panic!("{MESSAGE}");
    }
}

/// Nobody waits for this task, as for a connection's: the loop has to hear of it in another way.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs in a terminal of its own, started by another test"]
async fn child_task() {
    if is_child() {
        restore_on_panic();
        let mut terminal = Terminal::take(true).unwrap();
        drop(tokio::spawn(async { panic!("{MESSAGE}") }));
        assert_eq!(terminal.event(false).await, ConsoleEvent::Panicked);
        // The test runner's way to exit code 101, past the hook.
        std::panic::resume_unwind(Box::new(()));
    }
}
