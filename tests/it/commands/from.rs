//! `--from`: workspaces in files, good ones and all kinds of others. No key, no config and no network are needed.

use super::{Ended, Home, feed};
use crate::faults::server::{Envelope, rows};

const ROW: &str =
    r#"{"id":"a","url":"https://a.example.com","events":["x"],"is_active":true,"created_at":"2024-01-01T00:00:00Z"}"#;
const OTHER: &str = r#"{"id":"b","url":"https://b.example.com"}"#;

async fn list(content: impl AsRef<[u8]>) -> Ended {
    let home = Home::new();
    home.write("w.json", content);
    home.run(&["list", "-o", "ids", "--from", "w.json"]).await
}

#[tokio::test]
async fn everything_that_holds_webhooks_is_read() {
    for content in [
        format!("[{ROW},{OTHER}]"),
        format!("\n \t[\n{ROW},\n{OTHER}\n]\n\n"),
        format!("\u{feff}[{ROW},{OTHER}]"),
        format!("{ROW}\n{OTHER}\n"),
        format!("{ROW}\r\n\r\n{OTHER}"),
        format!("\u{feff}{ROW}{OTHER}"),
        format!("{}[{ROW},{OTHER}]", "\n".repeat(100_000)),
    ] {
        assert_eq!(list(&content).await.data(), "a\nb\n");
        assert_eq!(feed(&content, &["list", "-o", "ids", "--from", "-"]).await.data(), "a\nb\n");
    }
    assert_eq!(list(ROW).await.data(), "a\n");
    assert_eq!(list("[]").await.data(), "");
}

#[tokio::test]
async fn every_envelope_of_the_api_is_read() {
    for envelope in Envelope::ALL {
        let page = envelope.wrap(&rows(0..2), 1, 20, "2");
        assert_eq!(list(&page).await.data(), "w0\nw1\n", "{envelope:?}");
        assert_eq!(list(format!("\u{feff}\n{page}\n")).await.data(), "w0\nw1\n", "{envelope:?}");
    }
}

#[tokio::test]
async fn every_reading_command_reads_it() {
    let home = Home::new();
    home.write("w.json", format!("[{ROW},{OTHER}]"));
    let run = async |arguments: &[&str]| home.run(&[arguments, &["--from", "w.json"]].concat()).await;
    // One that does not say what it is belongs to every scope.
    assert_eq!(run(&["list", "-o", "ids", "--scope", "active"]).await.data(), "a\nb\n");
    assert_eq!(run(&["list", "-o", "ids", "--scope", "inactive"]).await.data(), "b\n");
    assert_eq!(run(&["list", "-o", "ids", "--page", "2", "--limit", "1"]).await.data(), "b\n");
    assert_eq!(run(&["list", "-o", "ids", "--limit", "1"]).await.data(), "a\n");
    assert_eq!(run(&["get", "b", "-o", "json"]).await.data(), format!("{OTHER}\n"));
    run(&["get", "c"]).await.says(1, &["w.json", "webhook c not found"]);
    assert_eq!(run(&["snapshot"]).await.data(), format!("[\n{ROW},\n{OTHER}\n]\n"));
    assert!(run(&["events"]).await.data().contains("x\tfalse\t1\t0\t1\n"));
    // Whatever the environment says of an API that is not asked.
    let mut command = home.at("http://127.0.0.1:1", &["list", "-o", "ids", "--from", "w.json"]);
    command.env("HTTP_PROXY", "http://127.0.0.1:1");
    assert_eq!(Ended::of(command).await.data(), "a\nb\n");
}

#[tokio::test]
async fn what_is_no_workspace_is_told_with_its_place() {
    let deep = format!(r#"{{"id":"d","url":"u","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    for (content, place, word) in [
        (String::new(), "w.json: ", "empty"),
        (" \n\t\r\n".to_owned(), "w.json: ", "empty"),
        ("\u{feff}".to_owned(), "w.json: ", "empty"),
        (format!("[{ROW},"), "w.json:1:", "ends early"),
        (format!("[\n{ROW},\n{{\"id\":\"b"), "w.json:3:8: ", "ends early"),
        (format!("[\n{ROW}\n"), "w.json:3:0: ", "ends early"),
        (format!("{ROW}\n{{\"id\""), "w.json:2:5: ", "ends early"),
        (format!("[\n{ROW}\n{OTHER}]"), "w.json:3:1: ", "expected"),
        (format!("[{ROW}]\n]"), "w.json:2:1: ", "trailing"),
        (format!("[\n{deep}]"), "w.json:2:", "too deep"),
        (format!("{ROW}\n{deep}\n"), "w.json: webhook 2 ", "too deep"),
        (deep.clone(), "w.json: webhook 1 ", "too deep"),
        (format!(r#"{{"data":[{deep}]}}"#), "w.json: ", "too deep"),
        ("[".repeat(1_000_000), "w.json:1:", ""),
        ("{\"a\":".repeat(1_000_000), "w.json:1:", ""),
        (r#"{"statusCode":401,"message":"no"}"#.to_owned(), "w.json: ", "no webhooks"),
        ("42".to_owned(), "w.json: ", "no webhooks"),
        ("\"text\"".to_owned(), "w.json: ", "no webhooks"),
        ("null".to_owned(), "w.json: ", "no webhooks"),
        ("<!doctype html>".to_owned(), "w.json:1:1: ", "not valid JSON: expected value"),
        ("id\turl\na\tb\n".to_owned(), "w.json:1:1: ", "expected value"),
    ] {
        let ended = list(&content).await;
        let words = ended.refusal(2);
        let head: String = content.chars().take(60).collect();
        assert!(words.contains(&format!("hookscope: {place}")) && words.contains(word), "{head}: {words}");
        assert!(words.contains("Expected: a snapshot"), "{words}");
        // It is told where, not what: a file may hold anything.
        assert!(!words.contains("a.example.com"), "{words}");
    }
}

#[tokio::test]
async fn noise_ends_at_its_first_wrong_byte() {
    let mut noise = vec![0xfe];
    noise.extend((0..1_u32 << 20).map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0]));
    assert!(list(&noise).await.refusal(2).contains("w.json:1:1: "));
    assert!(feed(&noise, &["list", "--from", "-"]).await.refusal(2).contains("stdin:1:1: "));
    // As `yes` says it, more than any pipe takes: whoever writes is left alone with the rest.
    assert!(feed("y\n".repeat(1 << 20), &["list", "--from", "-"]).await.refusal(2).contains("stdin:1:1: "));
    for latin in [&b"[\"caf\xe9\"]"[..], b"[{\"id\":\"\xff\"}]"] {
        assert!(list(latin).await.refusal(2).contains("w.json:1:"));
    }
}

#[tokio::test]
async fn what_never_ends_takes_no_memory() {
    let home = Home::new();
    // A gigabyte of address space is enough for the program, its threads and the largest value.
    let mut bounded = tokio::process::Command::new("bash");
    bounded.args(["-c", "ulimit -v 1000000; exec \"$0\" list --from /dev/zero", env!("CARGO_BIN_EXE_hookscope")]);
    bounded.env_clear().env("HOME", home.path("")).stdin(std::process::Stdio::null());
    bounded.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).kill_on_drop(true);
    assert!(Ended::of(bounded).await.refusal(2).contains("/dev/zero:1:1: "));
    let endless = format!("[\"{}", "y".repeat(65 << 20));
    assert!(feed(endless, &["list", "--from", "-"]).await.refusal(2).contains("larger than 64 MiB"));
}

#[tokio::test]
async fn a_workspace_may_be_larger_than_any_single_value() {
    let row = |number| format!(r#"{{"id":"w{number}","url":"https://x/{}"}}"#, "y".repeat(6 << 20));
    let rows: Vec<_> = (0..11).map(row).collect();
    for content in [format!("[{}]", rows.join(",")), rows.join("\n")] {
        assert_eq!(feed(content, &["list", "--from", "-", "-o", "ids"]).await.data().lines().count(), 11);
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_named() {
    let home = Home::new();
    home.write("w.json", "[]");
    for (file, word) in [(".", "directory"), ("missing.json", "No such file"), ("w.json/x", "Not a directory")] {
        let ended = home.run(&["list", "--from", file]).await;
        let words = ended.refusal(2);
        assert!(words.contains(word) && words.contains(file) && !words.contains("os error"), "{words}");
    }
    let hostile = home.run(&["list", "--from", "a\u{1b}[31m\nb"]).await;
    assert!(hostile.refusal(2).contains("a^[[31m^Jb"));
}

#[tokio::test]
async fn what_is_not_whole_is_delivered_and_said() {
    for (content, words, expected) in [
        (format!("[{ROW},{OTHER},{ROW}]"), ["more than once", "a"], "a\nb\n"),
        (format!("{ROW}\n{ROW}"), ["more than once", "a"], "a\n"),
        (Envelope::Seed.wrap(ROW, 1, 1, "3"), ["3", "1"], "a\n"),
        (Envelope::Seed.wrap(ROW, 2, 1, "2"), ["2", "1"], "a\n"),
        (Envelope::OpenApi.wrap(ROW, 1, 10, "7"), ["7", "1"], "a\n"),
        (Envelope::Workflow.wrap(ROW, 1, 1, "3"), ["3 pages", "1"], "a\n"),
        (format!("[{ROW},7,null]"), ["2 malformed rows", "left out"], "a\n"),
        // Two saved pages behind each other are no workspace.
        (format!(r#"{{"data":[{ROW}]}}{{"data":[{OTHER}]}}"#), ["2 malformed rows", "left out"], ""),
    ] {
        let ended = list(&content).await;
        ended.says(5, &[&["w.json"], &words[..]].concat());
        assert_eq!(ended.stdout, expected, "{content}");
    }
}

#[tokio::test]
async fn it_excludes_every_other_source() {
    let home = Home::new();
    home.write("w.json", "[]");
    for arguments in [
        &["list", "--from", "w.json", "--demo"] as &[&str],
        &["--demo", "list", "--from", "w.json"],
        &["list", "--from", "w.json", "--base-url", "https://x.example.com"],
        &["--from", "w.json", "snapshot", "--base-url", "https://x.example.com"],
        &["list", "--from", "w.json", "--all-profiles"],
        &["--all-profiles", "list", "--from", "w.json"],
    ] {
        let ended = home.run(arguments).await;
        assert!(ended.refusal(2).contains("cannot be used together"), "{arguments:?}");
    }
}
