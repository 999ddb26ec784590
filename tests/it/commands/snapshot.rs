//! `hookscope snapshot`: bytes that are the same whenever the workspace is, and a file that is whole or as it was.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::{Ended, Home, ONCE, ask, feed, serving};
use crate::faults::server::{Envelope, Listing, Reply, Server, gate, rows};

const A: &str = r#"{"id":"a","url":"https://a.example.com","events":["y","x"],"is_active":true,"created_at":"2024-01-01T00:00:00Z","more":1e3,"also":{"z":1,"b":2}}"#;
const A_CANONICAL: &str = r#"{"id":"a","url":"https://a.example.com","events":["y","x"],"is_active":true,"created_at":"2024-01-01T00:00:00Z","also":{"z":1,"b":2},"more":1e3}"#;
/// The same webhook as another version of the API may send it.
const A_OTHERWISE: &str = r#"{"also":{"z":1,"b":2},"createdAt":"2024-01-01T00:00:00Z","secret":"****","is_active":true,"url":"https:\/\/a.example.com","more":1e3,"events":["y","x"],"id":"\u0061"}"#;
const B: &str = r#"{"id":"b","url":"https://b.example.com"}"#;
const SECRETS: &str = r#"{"id":"s","url":"https://joe:hunter2@c.example.com/?token=t0ps3cret&x=1","hook":"https://x/?api_key=als0s3cret"},{"id":"t","url":"https://c.example.com/?token=t0ps3cret"}"#;

async fn into_file(home: &Home, server: &Server, arguments: &[&str]) -> Ended {
    Ended::of(home.at(&server.base_url(), &[&["snapshot"], arguments].concat())).await
}

fn mode(home: &Home, name: &str) -> u32 {
    home.path(name).metadata().unwrap().permissions().mode() & 0o777
}

/// The names in the working directory, but for what the program remembers.
fn files(home: &Home) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(home.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !matches!(name.as_str(), "cache" | "state"));
    names.sort();
    names
}

#[tokio::test]
async fn the_bytes_tell_what_is_in_the_workspace_and_nothing_else() {
    let expected = format!("[\n{A_CANONICAL},\n{B}\n]\n");
    for rows in [format!("{A},{B}"), format!("{B},{A}"), format!("{B},{A_OTHERWISE}")] {
        assert_eq!(ask(&serving(&rows).await, &["snapshot"]).await.data(), expected, "{rows}");
        assert_eq!(ask(&serving(&rows).await, &["snapshot", "-"]).await.data(), expected);
    }
    assert_eq!(ask(&serving("").await, &["snapshot"]).await.data(), "[]\n");
}

#[tokio::test]
async fn many_pages_are_one_sorted_document() {
    let server = Server::start(|request| Listing::of(450).reply(request)).await;
    let ended = ask(&server, &["snapshot"]).await;
    let read: Vec<serde_json::Value> = serde_json::from_str(ended.data()).unwrap();
    let ids: Vec<_> = read.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert!(ids.len() == 450 && ids.is_sorted(), "{ids:?}");
    // One webhook a line, between the brackets.
    assert_eq!(ended.lines().len(), 452);
}

#[tokio::test]
async fn what_it_writes_it_reads_again() {
    let odd = r#"{"id":"n","url":"https://n","n":1000000000000000000000000000000,"is_active":"yes","events":[1]}"#;
    let server = serving(&format!("{A},{SECRETS},{odd}")).await;
    let home = Home::with_config(ONCE);
    let live = Ended::of(home.at(&server.base_url(), &["list", "-o", "json", "--sort", "id"])).await;
    into_file(&home, &server, &["w.json", "-q"]).await.data();
    let read = home.run(&["list", "-o", "json", "--from", "w.json"]).await;
    let values = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(values(read.data()), values(live.data()));
    assert!(read.stdout.contains("1000000000000000000000000000000"));
    let again = home.run(&["snapshot", "-q", "--from", "w.json"]).await;
    assert_eq!(again.data(), home.read("w.json"));
}

#[tokio::test]
async fn a_new_file_is_its_owners_alone_and_an_old_one_keeps_its_permissions() {
    let server = serving(B).await;
    let home = Home::with_config(ONCE);
    assert_eq!(into_file(&home, &server, &["new.json"]).await.data(), "");
    assert_eq!((mode(&home, "new.json"), home.read("new.json")), (0o600, format!("[\n{B}\n]\n")));
    home.write("old.json", "old");
    fs::set_permissions(home.path("old.json"), fs::Permissions::from_mode(0o644)).unwrap();
    into_file(&home, &server, &["old.json"]).await.data();
    assert_eq!((mode(&home, "old.json"), home.read("old.json")), (0o644, format!("[\n{B}\n]\n")));
    assert_eq!(files(&home), ["config", "new.json", "old.json"], "nothing else is left behind");
}

#[tokio::test]
async fn directories_that_are_made_for_it_are_its_owners_alone() {
    let server = serving(B).await;
    let home = Home::with_config(ONCE);
    into_file(&home, &server, &["new/dir/w.json"]).await.data();
    assert_eq!((mode(&home, "new"), mode(&home, "new/dir"), mode(&home, "new/dir/w.json")), (0o700, 0o700, 0o600));
}

#[tokio::test]
async fn a_symlink_stays_one() {
    let server = serving(B).await;
    let home = Home::with_config(ONCE);
    home.write("repo/w.json", "old");
    symlink("repo/w.json", home.path("link.json")).unwrap();
    into_file(&home, &server, &["link.json"]).await.data();
    assert!(home.path("link.json").symlink_metadata().unwrap().is_symlink());
    assert_eq!(home.read("repo/w.json"), format!("[\n{B}\n]\n"));
}

#[tokio::test]
async fn stdout_may_be_named_as_a_file() {
    let server = serving(B).await;
    let home = Home::with_config(ONCE);
    assert_eq!(into_file(&home, &server, &["/dev/stdout"]).await.data(), format!("[\n{B}\n]\n"));
    assert_eq!(into_file(&home, &server, &["/dev/null"]).await.data(), "");
}

#[tokio::test]
async fn an_old_file_stays_when_the_workspace_could_not_be_read() {
    let fails = Server::start(|request| match request.page() {
        2 => Reply::status("500 Internal Server Error", "{}"),
        _ => Listing::of(230).reply(request),
    })
    .await;
    let moves = Server::start(|request| {
        let rows = rows(Listing::of(230).on_page(request.page(), 100));
        Reply::json(Envelope::Seed.wrap(&rows, request.page(), 100, "250"))
    })
    .await;
    for (server, code, word) in [
        (&fails, 5, "page 2"),
        (&moves, 5, "250"),
        (&Server::always(Reply::status("401 Unauthorized", "{}")).await, 3, "401"),
        (&Server::always(Reply::json("<html>")).await, 4, "HTML"),
    ] {
        let home = Home::with_config(ONCE);
        home.write("w.json", "old");
        let ended = into_file(&home, server, &["w.json"]).await;
        ended.says(code, &[word]);
        assert_eq!(
            (ended.stdout.as_str(), home.read("w.json"), files(&home)),
            ("", "old".to_owned(), vec!["config".to_owned(), "w.json".to_owned()])
        );
        if code == 5 {
            ended.says(5, &["w.json was not written"]);
            // On stdout, what was read is data all the same.
            let ended = ask(server, &["snapshot"]).await;
            ended.says(5, &["incomplete"]);
            assert!(serde_json::from_str::<Vec<serde_json::Value>>(&ended.stdout).unwrap().len() >= 130);
        }
    }
}

#[tokio::test]
async fn an_old_file_stays_when_the_program_is_interrupted() {
    let hold = gate();
    let server = Server::start(move |request| {
        let reply = Listing::of(230).reply(request);
        if request.page() == 1 { reply } else { reply.behind(&hold) }
    })
    .await;
    let home = Home::with_config(ONCE);
    home.write("w.json", "old");
    let child = home.at(&server.base_url(), &["snapshot", "w.json"]).spawn().unwrap();
    server.until(|log| log.pages().len() > 1).await;
    let pid = rustix::process::Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ended = child.wait_with_output().await.unwrap();
    assert!(!ended.status.success() && ended.stdout.is_empty(), "{ended:?}");
    assert_eq!((home.read("w.json"), files(&home)), ("old".to_owned(), vec!["config".to_owned(), "w.json".to_owned()]));
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let server = serving(B).await;
    let home = Home::with_config(ONCE);
    home.write("w.json", "old");
    for file in ["w.json/x.json", "config", "/proc/no/x.json", "/dev/full"] {
        let ended = into_file(&home, &server, &[file]).await;
        let words = ended.refusal(4);
        assert!(words.contains("cannot write") && words.contains(file), "{words}");
    }
    assert_eq!(home.read("w.json"), "old");
}

#[tokio::test]
async fn credentials_are_warned_of_or_replaced() {
    let server = serving(&format!("{B},{SECRETS}")).await;
    let home = Home::with_config(ONCE);
    for arguments in [&["w.json"] as &[&str], &[]] {
        let ended = into_file(&home, &server, arguments).await;
        ended.says(0, &["2 webhooks have credentials in the URL", "--redact"]);
        assert_eq!(ended.stderr.lines().count(), 1);
    }
    assert!(home.read("w.json").contains("joe:hunter2@"));
    into_file(&home, &server, &["w.json", "-q"]).await.data();

    let redacted = into_file(&home, &server, &["--redact"]).await.data().to_owned();
    for secret in ["joe", "hunter2", "t0ps3cret", "als0s3cret"] {
        assert!(!redacted.contains(secret), "{secret}: {redacted}");
    }
    let hashes: Vec<_> = redacted.split("redacted-").skip(1).map(|rest| rest.chars().take(8).collect::<String>()).collect();
    assert!(hashes.len() == 4 && hashes.iter().all(|hash| u32::from_str_radix(hash, 16).is_ok()), "{redacted}");
    assert!(redacted.contains("@c.example.com/?token=redacted-") && redacted.contains("&x=1"), "{redacted}");
    // Equal credentials of two webhooks do not look equal; those of one do, on every day.
    let tokens: Vec<_> =
        redacted.split("token=redacted-").skip(1).map(|rest| rest.chars().take(8).collect::<String>()).collect();
    assert!(tokens.len() == 2 && tokens[0] != tokens[1], "{redacted}");
    assert_eq!(into_file(&home, &server, &["--redact"]).await.data(), redacted);
    // What was replaced is no credential any more.
    assert_eq!(feed(&redacted, &["snapshot", "--from", "-"]).await.stdout, redacted);
    assert_eq!(feed(&redacted, &["snapshot", "--redact", "--from", "-"]).await.stdout, redacted);
}

#[tokio::test]
async fn rows_that_are_no_webhooks_are_kept_at_the_end() {
    let server = serving(&format!(r#"{{"id":5}},null,{B}"#)).await;
    let home = Home::with_config(ONCE);
    let ended = into_file(&home, &server, &["w.json"]).await;
    ended.says(5, &["2 malformed rows (passed through as received)"]);
    assert_eq!(home.read("w.json"), format!("[\n{B},\nnull,\n{{\"id\":5}}\n]\n"));
}
