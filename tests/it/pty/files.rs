//! The explorer on a file: what it shows, and that it asks nobody.

use std::fs;

use super::session::{Exit, HOOKSCOPE, Setup};

fn rows(count: u64) -> String {
    let row = |number| {
        format!(
            r#"{{"id":"w{number}","url":"https://h{number}.example.com/in","events":[],"is_active":{}}}"#,
            number % 2 == 0
        )
    };
    format!("[{}]", (0..count).map(row).collect::<Vec<_>>().join(","))
}

#[test]
fn a_snapshot_is_explored_without_key_and_api() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("snapshot.json");
    fs::write(&path, rows(250)).unwrap();
    let mut session = Setup::new(HOOKSCOPE, &["--from", path.to_str().unwrap()]).size(120, 30).start();
    session.wait_text("h0.example.com");
    session.wait_text("file · ");
    session.wait_text("offline");
    session.type_keys("G");
    session.wait_text("h249.example.com");
    session.type_keys("a");
    // How many of them are read depends on whether all rows were here when the scope was asked for.
    session.wait("the active ones", |seen| {
        let text = seen.text();
        text.contains("active 100 of 125") || text.contains("active 125")
    });
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

#[test]
fn a_part_of_a_listing_says_so() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("page.json");
    fs::write(&path, format!(r#"{{"data":{},"meta":{{"page":1,"limit":100,"total":1234}}}}"#, rows(3))).unwrap();
    let mut session = Setup::new(HOOKSCOPE, &["--from", path.to_str().unwrap()]).size(120, 30).start();
    session.wait_text("(incomplete)");
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
}

#[test]
fn stdin_and_files_that_are_none_are_refused_before_the_screen_is_taken() {
    for (from, word) in [("-", "reads keys from stdin"), ("/nonexistent.json", "/nonexistent.json")] {
        let mut session = Setup::new(HOOKSCOPE, &["--from", from]).size(120, 30).start();
        assert_eq!(session.exit_and_drain(), Exit::Code(2));
        session.look(|seen| assert!(seen.text().contains(word), "{}", seen.text()));
        session.assert_restored();
    }
}

#[test]
fn deliveries_and_probes_are_shown_beside_a_file() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("snapshot.json");
    fs::write(&path, r#"[{"id":"w0","url":"https://10.0.0.1/in","events":[],"is_active":true}]"#).unwrap();
    let deliveries = home.path().join("log.csv");
    fs::write(&deliveries, format!("webhook_id,is_success\n{}", "w0,false\nw0,true\n".repeat(20))).unwrap();
    let arguments = ["--from", path.to_str().unwrap(), "--deliveries", deliveries.to_str().unwrap()];
    let mut session = Setup::new(HOOKSCOPE, &arguments).size(120, 30).start();
    session.wait_text("log.csv: 40 delivery attempts");
    session.wait_text("! 40, 20 failed (50%)");
    session.type_keys("P");
    session.wait_text("private: private address, not tried");
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

#[test]
fn a_command_that_reads_the_terminal_says_what_it_waits_for() {
    for (arguments, what) in [
        (&["list", "--from", "-", "-o", "ids"] as &[&str], "reading webhooks from the terminal"),
        (&["diff", "-", "/dev/null"], "reading webhooks from the terminal"),
        (&["audit", "--demo", "--deliveries", "-"], "reading delivery attempts from the terminal"),
    ] {
        let mut session = Setup::new(HOOKSCOPE, arguments).start();
        session.wait_text(what);
        session.wait_text("press ctrl-d to finish");
        // Nothing was typed.
        session.type_keys("\x04\x04\x04\x04");
        assert_ne!(session.exit_and_drain(), Exit::Code(0));
    }
}
