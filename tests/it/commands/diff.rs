//! `hookscope diff`: files, the live workspace, and what neither of them can say.

use super::{Ended, Home, ONCE, serving};
use crate::faults::server::{Listing, Reply, Server, row, rows};

const A: &str = r#"{"id":"a","url":"https://a.example.com/x","events":["e","f"],"is_active":true,"created_at":"t"}"#;
const A_MOVED: &str = r#"{"id":"a","url":"https://b.example.com/x","events":["f","g"],"is_active":false,"created_at":"t"}"#;
const B: &str = r#"{"id":"b","url":"https://b.example.com"}"#;
const C: &str = r#"{"id":"c","url":"https://b.example.com"}"#;

fn values(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// Runs diff on two files.
async fn files(old: &str, new: &str, arguments: &[&str]) -> Ended {
    let home = Home::new();
    home.write("old.json", old);
    home.write("new.json", new);
    home.run(&[&["diff", "old.json", "new.json"], arguments].concat()).await
}

#[tokio::test]
async fn two_files_are_compared() {
    let (old, new) = (format!("[{A},{B}]"), format!("[{C},{A_MOVED}]"));
    let ended = files(&old, &new, &["-o", "json"]).await;
    ended.says(1, &[]);
    let expected = format!(
        r#"{{"added":[{C}],"removed":[{B}],"changed":[{{"id":"a","before":{A},"after":{A_MOVED}}}],"moved":[{{"from":"b","to":"c"}}]}}"#
    );
    assert_eq!(values(&ended.stdout), values(&expected));
    let ended = files(&old, &new, &[]).await;
    let expected = "added\tc\turl\t\thttps://b.example.com\nremoved\tb\turl\thttps://b.example.com\t\nchanged\ta\turl.host\ta.example.com\tb.example.com\nchanged\ta\tevents\t-e\t+g\nchanged\ta\tis_active\ttrue\tfalse\nmoved\tb\tid\tb\tc\n";
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(1), expected, ""));
    assert_eq!(files(&old, &new, &["-o", "ids"]).await.lines(), ["c", "b", "a"]);
    let table = files(&old, &new, &["-o", "table"]).await;
    assert!(
        table.stdout.ends_with("1 added, 1 removed, 1 changed, 1 possibly re-registered; 1 with a different destination\n"),
        "{}",
        table.stdout
    );
    let lines = files(&old, &new, &["-o", "ndjson"]).await;
    let kinds: Vec<_> = lines.lines().into_iter().map(|line| values(line)["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["added", "removed", "changed"]);
    assert_eq!(files(&old, &new, &["--exit-zero"]).await.code, Some(0));
    assert!(files(&old, &new, &["-o", "markdown"]).await.stdout.starts_with("| change | id |"));
}

#[tokio::test]
async fn what_is_the_same_is_no_difference_however_it_is_spelled() {
    let spelled = r#"[{"createdAt":"t","events":["f","e","e"],"id":"\u0061","is_active":true,"secret":"s","url":"https:\/\/a.example.com\/x"}]"#;
    for format in ["tsv", "ndjson", "ids"] {
        assert_eq!(files(&format!("[{A}]"), spelled, &["-o", format]).await.data(), "");
    }
    let none = values(r#"{"added":[],"removed":[],"changed":[]}"#);
    assert_eq!(values(files(spelled, A, &["-o", "json"]).await.data()), none);
    assert_eq!(files("[]", "[]", &["-o", "table"]).await.data(), "no differences\n");
}

#[tokio::test]
async fn a_snapshot_without_credentials_is_compared_by_their_hashes() {
    let row = |path: &str, token: &str| {
        format!(
            r#"{{"id":"a","url":"https://joe:pw@a.com/{path}?token={token}&v=1","more":{{"back":"https://b.com/?key={token}"}}}}"#
        )
    };
    let home = Home::new();
    for (name, row) in [("old", row("x", "s3cret")), ("moved", row("y", "s3cret")), ("rotated", row("x", "0ther"))] {
        home.write(&format!("{name}.json"), format!("[{row}]"));
    }
    home.run(&["snapshot", "--from", "old.json", "--redact", "redacted.json"]).await.data();
    let compare = async |old: &str, new: &str| home.run(&["diff", old, new]).await;
    for [old, new] in [["redacted.json", "old.json"], ["old.json", "redacted.json"]] {
        assert_eq!(compare(old, new).await.data(), "");
    }
    assert_eq!(compare("redacted.json", "moved.json").await.lines(), ["changed\ta\turl.path\t/x\t/y"]);
    // What changed is told from what did not, and neither is shown.
    let rotated = compare("redacted.json", "rotated.json").await;
    let fields: Vec<_> = rotated.lines().iter().map(|line| line.split('\t').nth(2).unwrap().to_owned()).collect();
    assert_eq!(fields, ["url.query", "more"]);
    assert!(!rotated.stdout.contains("s3cret") && !rotated.stdout.contains("0ther"), "{}", rotated.stdout);
}

#[tokio::test]
async fn fields_can_be_ignored_and_webhooks_left_out() {
    let (old, new) = (format!("[{A},{B}]"), format!("[{A_MOVED},{C}]"));
    let ignored = ["-o", "ids", "--ignore", "url", "--ignore", "events", "--ignore", "is_active"];
    assert_eq!(files(&old, &new, &ignored).await.lines(), ["c", "b"]);
    assert_eq!(files(&old, &new, &["-o", "ids", "--filter", "host:a.example.com"]).await.lines(), ["a"]);
    files(&old, &new, &["--filter", "host:nowhere"]).await.data();
    files(&old, &new, &["--filter", "host:("]).await;
    files(&old, &new, &["--filter", "created:x"]).await.refusal(2);
}

#[tokio::test]
async fn edited_and_foreign_snapshots_are_explained() {
    let twice = files(&format!("[{A},{A_MOVED},{B}]"), &format!("[{A},{B}]"), &[]).await;
    twice.says(5, &["old.json: incomplete: the id a is listed more than once"]);
    assert_eq!(twice.stdout, "");
    let odd = files(&format!("[{A},{{\"id\":7}},null]"), &format!("[{A}]"), &[]).await;
    odd.says(5, &["2 malformed rows (left out)"]);
    let foreign = files(&format!("[{A}]"), &format!("[{B}]"), &[]).await;
    foreign.says(1, &["have no ids in common", "from the same workspace?"]);
    let page = format!(r#"{{"data":[{A}],"meta":{{"page":1,"limit":1,"total":3}}}}"#);
    files(&page, &format!("[{A}]"), &[]).await.says(5, &["the API reported 3 webhooks but sent 1"]);
    files(&format!(r#"{{"message":"ok","webhooks":[{A}],"page":1,"total":1}}"#), &format!("[{A}]"), &[]).await.data();
    files("[{]", "[]", &[]).await.refusal(2);
    files("", "[]", &[]).await.refusal(2);
}

#[tokio::test]
async fn sides_that_cannot_be_are_refused() {
    let home = Home::new();
    home.write("a.json", "[]");
    for (sides, word) in [
        (&["none.json"] as &[&str], "no such file, and not a valid time: none.json"),
        (&["a.json", ""], "no such file, and not a valid time"),
        (&["a.json", "a.json"], "OLD and NEW are the same"),
        (&["live", "live"], "OLD and NEW are the same"),
        (&["live"], "OLD is live, and so is NEW by default"),
        (&["\u{1b}[31m"], "no such file, and not a valid time"),
    ] {
        let ended = home.run(&[&["diff"], sides].concat()).await;
        assert!(ended.refusal(2).contains(word), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_file_is_compared_with_the_live_workspace() {
    let server = serving(&format!("{A},{C}")).await;
    let home = Home::with_config(ONCE);
    home.write("same.json", format!("[{C},{A}]"));
    home.write("old.json", format!("[{A_MOVED}]"));
    Ended::of(home.at(&server.base_url(), &["diff", "same.json"])).await.data();
    let ended = Ended::of(home.at(&server.base_url(), &["diff", "old.json", "live", "-o", "json"])).await;
    assert_eq!((ended.code, values(&ended.stdout)["added"].clone()), (Some(1), values(&format!("[{C}]"))));
    // The other way round nothing has to be asked for.
    let back = Ended::of(home.at(&server.base_url(), &["diff", "live", "old.json", "-o", "ids"])).await;
    assert_eq!(back.lines(), ["c", "a"]);
    assert!(server.log().requests().all(|request| request.target.contains("page=")));
}

/// Webhooks 0 to 9 are listed but for those that are hidden; by id, each has an answer of its own.
async fn hiding(by_id: impl Fn(u64) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |request| match request.target.rsplit_once("/w") {
        Some((_, number)) if !request.target.contains('?') => by_id(number.parse().unwrap()),
        _ => Listing::of(5).reply(request),
    })
    .await
}

#[tokio::test]
async fn only_a_404_says_that_a_webhook_is_gone() {
    let server = hiding(|number| match number {
        5 => Reply::json(row(5)),
        6 => Reply::json(row(6).replace("call.completed", "call.failed")),
        7 => Reply::not_found(),
        8 => Reply::status("500 Internal Server Error", "{}"),
        _ => Reply::json(row(1)),
    })
    .await;
    let home = Home::with_config(ONCE);
    home.write("old.json", format!("[{}]", rows(0..10)));
    for (sides, gone, none) in [(["old.json", "live"], "removed", "added"), (["live", "old.json"], "added", "removed")] {
        let ended = Ended::of(home.at(&server.base_url(), &["diff", sides[0], sides[1], "-o", "json"])).await;
        ended
            .says(5, &["2 webhooks are neither listed nor confirmed as removed", "the listing omitted 2 existing webhooks"]);
        let found = values(&ended.stdout);
        let ids = |kind: &str| {
            let rows = found[kind].as_array().unwrap();
            rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            (ids(none), ids(gone), ids("changed"), ids("unknown")),
            (vec![], vec!["w7".to_owned()], vec!["w6".to_owned()], vec!["w8".to_owned(), "w9".to_owned()]),
            "{sides:?}"
        );
    }
}

#[tokio::test]
async fn at_most_a_hundred_ids_are_asked_for() {
    let server = hiding(|_| Reply::not_found()).await;
    let home = Home::with_config(ONCE);
    home.write("old.json", format!("[{}]", rows(0..155)));
    let ended = Ended::of(home.at(&server.base_url(), &["diff", "old.json"])).await;
    ended.says(5, &["50 webhooks are neither listed nor confirmed as removed", "only 100 were requested by id"]);
    let count = |word: &str| ended.lines().iter().filter(|line| line.starts_with(word)).count();
    assert_eq!((count("removed"), count("unknown")), (100, 50));
    assert_eq!(server.log().requests().filter(|request| !request.target.contains('?')).count(), 100);
    let few = Ended::of(home.at(&server.base_url(), &["diff", "old.json", "--filter", "id:w7"])).await;
    assert_eq!((few.code, few.lines().len()), (Some(1), 11));
}

#[tokio::test]
async fn a_live_workspace_that_cannot_be_read_is_no_difference() {
    let home = Home::with_config(ONCE);
    home.write("old.json", format!("[{A}]"));
    let refused = Server::always(Reply::status("403 Forbidden", "{}")).await;
    Ended::of(home.at(&refused.base_url(), &["diff", "old.json"])).await.refusal(3);
    let part = Server::start(|request| match request.page() {
        2 => Reply::status("500 Internal Server Error", "{}"),
        0 => Reply::not_found(),
        _ => Listing::of(230).reply(request),
    })
    .await;
    let ended = Ended::of(home.at(&part.base_url(), &["diff", "old.json", "-o", "json"])).await;
    ended.says(5, &["incomplete", "page 2"]);
    assert_eq!(values(&ended.stdout)["added"].as_array().unwrap().len(), 130);
}

#[tokio::test]
async fn credentials_are_masked_in_tables_and_true_in_machine_formats() {
    let old = r#"[{"id":"s","url":"https://u:hunter2@a/?token=t0ps3cret","hook":"https://x/?key=als0"}]"#;
    let new = r#"[{"id":"s","url":"https://u:hunter3@a/?token=t1ps3cret","hook":"https://x/?key=als1"}]"#;
    for format in ["table", "markdown"] {
        let shown = files(old, new, &["-o", format]).await.stdout;
        assert!(shown.contains("(different)"), "{shown}");
        for secret in ["hunter", "t0ps", "t1ps", "als0", "als1"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
    assert!(files(old, new, &[]).await.stdout.contains("token=t1ps3cret"));
}
