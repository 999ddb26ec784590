//! What commands show on a terminal: a line that tells how far they are, and tables that fit.

use unicode_width::UnicodeWidthStr;

use super::serving;
use crate::faults::server::{Gate, KEY, Listing, Reply, SECRET, Server, gate, row};
use crate::pty::session::{Exit, HOOKSCOPE, Seen, Session, Setup};

/// A server whose later pages wait for the gate.
async fn slow(hold: &Gate) -> Server {
    let hold = hold.clone();
    Server::start(move |request| {
        let reply = Listing::of(2_300).reply(request);
        if request.page() == 1 { reply } else { reply.behind(&hold) }
    })
    .await
}

fn on_a_terminal(server: &Server, program: &str, arguments: &[&str]) -> Setup {
    Setup::new(program, arguments).env("DIALNEXA_API_KEY", KEY).env("DIALNEXA_BASE_URL", &server.base_url())
}

/// What was written to the terminal, whole.
fn written(session: &Session) -> String {
    let text = session.look(|seen| String::from_utf8_lossy(seen.raw()).replace(Seen::MARK, ""));
    assert!(!text.contains(SECRET), "{text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_counts_pages_and_rows_and_is_gone_at_the_end() {
    let hold = gate();
    let server = slow(&hold).await;
    // Data to a file, progress to the terminal.
    let script = "\"$0\" list -o ids > ids.txt; echo code $?; wc -l < ids.txt";
    let mut session = on_a_terminal(&server, "bash", &["--noprofile", "--norc", "-c", script, HOOKSCOPE]).start();
    session.wait_text("1 page, 100 of 2,300 webhooks");
    hold.add_permits(3);
    session.wait_text("4 pages, 400 of 2,300 webhooks");
    hold.add_permits(100);
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.look(|seen| {
        let lines: Vec<_> = seen.text().lines().map(|line| line.trim().to_owned()).collect();
        assert_eq!(lines, ["code 0", "2300"], "the line was not cleared");
    });
    written(&session);
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_and_verbose_draw_no_line() {
    for option in ["-q", "-v"] {
        let hold = gate();
        let server = slow(&hold).await;
        let script = format!("\"$0\" list -o ids {option} > ids.txt; wc -l < ids.txt");
        let mut session = on_a_terminal(&server, "bash", &["--noprofile", "--norc", "-c", &script, HOOKSCOPE]).start();
        server.until(|log| log.pages().len() > 1).await;
        // Another one, that began later and waits for the same, has its line: this one would have had it as well.
        let other = on_a_terminal(&server, HOOKSCOPE, &["list", "-o", "ids"]).start();
        other.wait_text("1 page, 100 of 2,300 webhooks");
        hold.add_permits(100);
        assert_eq!(session.exit_and_drain(), Exit::Code(0));
        let text = written(&session);
        assert!(!text.contains("pages") && !text.contains('\x1b'), "{option}: {text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_tells_of_a_pause() {
    let server = Server::start(|request| match request.page() {
        1 => Listing::of(230).reply(request),
        _ => Reply::status("429 Too Many Requests", "{}").header("Retry-After", "50"),
    })
    .await;
    let session = on_a_terminal(&server, HOOKSCOPE, &["list"]).start();
    session.wait("the pause", |seen| seen.text().contains("100 of 230 webhooks · rate limit: resuming in"));
    // It counts down; that is seen, and not waited for to its end.
    session.wait("a later second", |seen| {
        let text = String::from_utf8_lossy(seen.raw()).into_owned();
        let seconds: std::collections::BTreeSet<_> =
            text.split("resuming in ").skip(1).filter_map(|rest| rest.split(' ').next()).collect();
        seconds.len() > 1
    });
    written(&session);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_wait_leaves_the_terminal_as_it_was() {
    let hold = gate();
    let server = slow(&hold).await;
    let mut session = on_a_terminal(&server, HOOKSCOPE, &["list"]).start();
    session.wait_text("1 page, 100 of 2,300 webhooks");
    session.type_keys("\x03");
    assert!(matches!(session.exit_and_drain(), Exit::Signal(2) | Exit::Code(130)));
    session.assert_restored();
}

/// Rows whose every column is wide, and hostile ones.
fn wide() -> String {
    let long = format!(
        r#"{{"id":"whk_{}","url":"https://hooks.example.com/{}","events":["{}"],"is_active":true,"created_at":"2024-01-01T00:00:00Z"}}"#,
        "i".repeat(30),
        "漢字".repeat(50),
        "e".repeat(200)
    );
    let hostile = r#"{"id":"a\u001b[2J\u001b]0;t\u0007\r\nb","url":"https://x/\u202e\u009b31m\u200b","events":["👩‍👩‍👧\t","\u0000"],"is_active":"\u001b[31m","created_at":"\u001bc"}"#;
    [&row(1), long.as_str(), hostile].join(",")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_never_wraps_and_nothing_in_it_acts_on_the_terminal() {
    let server = serving(&wide()).await;
    for columns in [80, 40, 20, 1] {
        for arguments in [
            &["list"] as &[&str],
            &["list", "--columns", "id,url,events,is_active,created_at,status,host,event_count,age,profile"],
            &["events"],
        ] {
            let arguments = [arguments, &["--color", "never"]].concat();
            let mut session = on_a_terminal(&server, HOOKSCOPE, &arguments).size(columns, 24).start();
            assert_eq!(session.exit_and_drain(), Exit::Code(0));
            let text = written(&session);
            let lines: Vec<_> = text.split_terminator("\r\n").collect();
            assert!(lines.len() == if arguments[0] == "list" { 4 } else { 16 }, "{columns}: {text:?}");
            for line in lines {
                assert!(line.width() <= columns.into(), "{columns}: {line:?}");
                assert!(!line.contains(hookscope::base::text::is_unsafe), "{columns}: {line:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_format_acts_on_the_terminal() {
    let server = serving(&wide()).await;
    for format in ["table", "tsv", "json", "ndjson", "csv", "markdown", "ids"] {
        for command in [&["list"] as &[&str], &["list", "--raw", "--columns", "id,url,events,is_active,created_at"]] {
            let arguments = [command, &["-o", format, "--color", "never"]].concat();
            let mut session = on_a_terminal(&server, HOOKSCOPE, &arguments).size(200, 24).start();
            assert_eq!(session.exit_and_drain(), Exit::Code(0));
            let text = written(&session);
            // Tabs are what parts the cells of tsv.
            let text =
                text.replace("\r\r\n", "\r\n").replace("\r\n", "").replace(if format == "tsv" { "\t" } else { "\n" }, "");
            assert!(!text.contains(hookscope::base::text::is_unsafe), "{format}: {text:?}");
        }
    }
    let mut session = on_a_terminal(&server, HOOKSCOPE, &["snapshot"]).start();
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    assert!(!written(&session).replace("\r\n", "").contains(hookscope::base::text::is_unsafe));
}

#[tokio::test(flavor = "multi_thread")]
async fn output_is_colored_on_a_terminal_unless_disabled() {
    let server = serving(&row(1)).await;
    for (arguments, no_color, coloured) in [
        (&["list"] as &[&str], "", true),
        (&["list"], "1", false),
        (&["list", "--color", "always"], "1", true),
        (&["list", "--color", "never"], "", false),
        (&["list", "-o", "tsv"], "", false),
    ] {
        let mut session = on_a_terminal(&server, HOOKSCOPE, arguments).env("NO_COLOR", no_color).start();
        assert_eq!(session.exit_and_drain(), Exit::Code(0));
        assert_eq!(written(&session).contains("\x1b[32m"), coloured, "{arguments:?} {no_color}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_run_until_ctrl_c_say_so_on_a_terminal() {
    let server = serving(&row(1)).await;
    for (arguments, note) in [
        (&["demo", "serve"] as &[&str], "serving 1,200 webhooks; paste these lines into another shell; ctrl-c stops"),
        (&["watch"], "watching every 60 s; ctrl-c stops"),
    ] {
        let mut session = on_a_terminal(&server, HOOKSCOPE, arguments).size(100, 24).start();
        session.wait_text(note);
        session.type_keys("\x03");
        assert!(matches!(session.exit_and_drain(), Exit::Signal(2) | Exit::Code(130)));
    }
    // `--quiet` prints no note.
    let mut session = on_a_terminal(&server, HOOKSCOPE, &["demo", "serve", "-q"]).size(100, 24).start();
    session.wait_text("DIALNEXA_API_KEY");
    session.type_keys("\x03");
    session.exit_and_drain();
    assert!(!written(&session).contains("ctrl-c"));
}
