//! ndjson as the pages arrive, and what becomes of it when something breaks on the way.

use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};

use hookscope::model::OwnedRow;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use super::{Ended, Home, ONCE, ask, serving};
use crate::faults::server::{Envelope, Listing, Reply, Server, gate, row, rows};

/// The ids of lines that are whole objects, every one of them.
fn ids(ended: &Ended) -> Vec<String> {
    assert!(ended.stdout.is_empty() || ended.stdout.ends_with('\n'), "the last row is cut off");
    ended.stdout.lines().map(|line| OwnedRow::decode(line).unwrap().row().id().to_owned()).collect()
}

fn numbered(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("w{number}")).collect()
}

#[tokio::test]
async fn rows_are_written_while_the_next_page_is_still_on_its_way() {
    let hold = gate();
    let closed = hold.clone();
    let server = Server::start(move |request| {
        let reply = Listing::of(230).reply(request);
        if request.page() > 1 { reply.behind(&closed) } else { reply }
    })
    .await;
    let mut child = Home::with_config(ONCE).at(&server.base_url(), &["list", "-o", "ndjson"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for number in 0..100 {
        // The gate is closed: this comes from page 1 alone.
        assert_eq!(lines.next_line().await.unwrap().unwrap(), row(number));
    }
    server.until(|log| log.pages().len() == 3).await;
    hold.add_permits(2 + 1);
    for number in 100..230 {
        assert_eq!(lines.next_line().await.unwrap().unwrap(), row(number));
    }
    assert_eq!(lines.next_line().await.unwrap(), None);
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test]
async fn page_2_is_not_asked_for_before_page_1_is_out() {
    // More than a pipe and every buffer on the way hold.
    let wide = |number: u64| format!(r#"{{"id":"w{number}","url":"https://x/{}"}}"#, "y".repeat(3_000));
    let server = Server::start(move |request| {
        let rows: Vec<_> = Listing::of(200).on_page(request.page(), 100).map(wide).collect();
        Reply::json(Envelope::Seed.wrap(&rows.join(","), request.page(), 100, "200"))
    })
    .await;
    let mut child = Home::with_config(ONCE).at(&server.base_url(), &["list", "-o", "ndjson"]).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut some = vec![0; 100_000];
    stdout.read_exact(&mut some).await.unwrap();
    assert_eq!(server.log().pages(), [1]);
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).await.unwrap();
    assert_eq!(server.log().pages()[..2], [1, 2]);
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test]
async fn a_page_that_fails_for_good_leaves_whole_rows_and_all_the_others() {
    for reply in [
        Reply::status("500 Internal Server Error", r#"{"message":"no database"}"#),
        Reply::json(r#"{"data":[{"id":"half"#),
        Reply::json("<html>"),
    ] {
        let server = Server::start(move |request| match request.page() {
            3 => reply.clone(),
            _ => Listing::of(450).reply(request),
        })
        .await;
        let ended = ask(&server, &["list", "-o", "ndjson"]).await;
        ended.says(5, &["incomplete", "page 3"]);
        assert_eq!(ids(&ended), numbered((0..200).chain(300..450)));
    }
}

#[tokio::test]
async fn the_rest_that_is_not_tried_is_named_too() {
    let server = Server::start(|request| match request.page() {
        1 => Listing::of(2_000).reply(request),
        _ => Reply::status("403 Forbidden", r#"{"message":"revoked"}"#),
    })
    .await;
    let ended = ask(&server, &["list", "-o", "ndjson"]).await;
    ended.says(5, &["pages 2 to 4 could not be read: 403", "were not read"]);
    assert_eq!(ids(&ended), numbered(0..100));
}

#[tokio::test]
async fn an_id_is_never_written_twice() {
    // As if something had been deleted on page 1 while page 2 was asked for.
    let server = Server::start(|request| {
        let start = if request.page() == 1 { 0 } else { 97 };
        Reply::json(Envelope::Seed.wrap(&rows(start..start + 100), request.page(), 100, "200"))
    })
    .await;
    let ended = ask(&server, &["list", "-o", "ndjson"]).await;
    ended.says(5, &["3 ids are listed more than once", "w97"]);
    assert_eq!(ids(&ended), numbered(0..197));
}

#[tokio::test]
async fn a_server_that_ignores_the_page_is_named_and_left() {
    for envelope in [Envelope::Seed, Envelope::Bare] {
        let server = Server::always(Reply::json(envelope.wrap(&rows(0..100), 1, 100, "100000"))).await;
        let ended = ask(&server, &["list", "-o", "ndjson"]).await;
        ended.says(5, &["ignores the page"]);
        assert_eq!(ids(&ended), numbered(0..100));
        assert!(server.log().pages().len() < 40, "{:?}", server.log().pages());
    }
}

#[tokio::test]
async fn a_limit_ends_the_stream_in_the_middle_of_a_page() {
    let server = Server::start(|request| Listing::of(10_000).reply(request)).await;
    let ended = ask(&server, &["list", "-o", "ndjson", "--limit", "150"]).await;
    ended.data();
    assert_eq!(ids(&ended), numbered(0..150));
    assert_eq!(server.log().pages(), [1, 2]);
}

#[tokio::test]
async fn nobody_who_reads_any_more_means_no_further_requests() {
    let hold = gate();
    let closed = hold.clone();
    let answered = AtomicU64::new(0);
    let server = Server::start(move |request| {
        let reply = Listing::of(100_000).reply(request);
        if answered.fetch_add(1, Ordering::Relaxed) == 0 { reply } else { reply.behind(&closed) }
    })
    .await;
    let home = Home::with_config("[network]\nretries = 0\nmax_concurrency = 1\n");
    let mut child = home.at(&server.base_url(), &["list", "-o", "ndjson"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next_line().await.unwrap().unwrap();
    drop(lines);
    hold.add_permits(1_000);
    let ended = Ended::from(&child.wait_with_output().await.unwrap());
    assert_eq!(ended.data(), "");
    // Page 2 may have been under way; its rows are what could not be written.
    assert!(server.log().pages().len() <= 2, "{:?}", server.log().pages());
}

#[tokio::test]
async fn a_closed_pipe_is_silence_in_every_format() {
    let server = Server::start(|request| match request.page() {
        0 => Reply::json(row(1)),
        _ => Listing::of(230).reply(request),
    })
    .await;
    for arguments in [
        &["list", "-o", "table"] as &[&str],
        &["list", "-o", "csv"],
        &["list", "-o", "ndjson"],
        &["list", "-o", "markdown"],
        &["get", "w1", "-o", "json"],
        &["events"],
        &["snapshot"],
        &["help", "filter"],
        &["help"],
        &["--help"],
        &["--version"],
        &["man"],
        &["completions", "zsh"],
        &["config", "path"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let home = Home::with_config(ONCE);
        let mut command = home.at(&server.base_url(), arguments);
        command.stdout(writer);
        Ended::of(command).await.data();
    }
}

#[tokio::test]
async fn what_is_known_when_nobody_reads_any_more_is_in_the_exit_code() {
    let server = serving(&rows(0..3)).await;
    let home = Home::with_config(ONCE);
    home.write("empty.json", "[]");
    home.write("dead.json", r#"[{"id":"a","url":"https://a.invalid/","is_active":true}]"#);
    home.write("part.json", r#"{"data":[{"id":"a","url":"https://a.com/"}],"meta":{"page":1,"limit":100,"total":500}}"#);
    for (code, arguments) in [
        (1, &["audit", "--fail-on", "info"] as &[&str]),
        (1, &["diff", "empty.json"]),
        (1, &["get", "nobody", "--from", "empty.json"]),
        (5, &["audit", "--fail-on", "never", "--from", "part.json"]),
        (5, &["list", "-o", "json", "--from", "part.json"]),
        (5, &["events", "--from", "part.json"]),
        (0, &["diff", "empty.json", "--exit-zero"]),
        (1, &["probe", "-o", "json", "--from", "dead.json"]),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = home.at(&server.base_url(), arguments);
        command.stdout(writer);
        let ended = Ended::of(command).await;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error_in_every_format() {
    let server = serving(&rows(0..3)).await;
    for arguments in [
        &["list", "-o", "table"] as &[&str],
        &["list", "-o", "tsv"],
        &["list", "-o", "csv"],
        &["list", "-o", "json"],
        &["list", "-o", "ndjson"],
        &["list", "-o", "markdown"],
        &["list", "-o", "ids"],
        &["list", "-o", "json", "--page", "1"],
        &["events"],
        &["snapshot"],
        &["snapshot", "/dev/full"],
        &["help"],
        &["help", "filter"],
        &["help", "list"],
        &["--help"],
        &["list", "--help"],
        &["--version"],
        &["man"],
        &["completions", "bash"],
        &["config", "path"],
        &["config", "show"],
    ] {
        let home = Home::with_config(ONCE);
        let mut command = home.at(&server.base_url(), arguments);
        command.stdout(File::options().write(true).open("/dev/full").unwrap());
        let ended = Ended::of(command).await;
        assert!(ended.refusal(4).contains("cannot write the output"), "{arguments:?}: {}", ended.stderr);
    }
}
