//! What each format looks like, to the byte: scripts rely on it.

use super::{ask, feed, serving};
use crate::faults::server::{Envelope, Listing, Reply, Server, rows};

/// A good webhook with secrets and a field that nobody knows, one whose id is a formula, and a hostile one.
const ROWS: &str = r#"{"id":"whk_1","url":"https://user:pw@hooks.example.com/in?token=abc&x=1","events":["call.completed","call.failed"],"is_active":true,"created_at":"2024-04-01T08:00:00.000Z","retries":1000000000000000000000000000000,"note":{"b":1,"a":[1.0,2e3]},"secret":"whsec_1"},
{"secret":"whsec_2","createdAt":"2023-01-01T00:00:00Z","is_active":false,"events":[],"url":"https://b.example.com/a|b/`x`?q=\"1,2\"","id":"-1+1"},
{"id":"c\n\t\u001b[31m","url":"https://c.example.com/\u202e","events":["e\tf"],"is_active":"yes"}"#;

async fn list(arguments: &[&str]) -> String {
    let server = serving(ROWS).await;
    ask(&server, &[&["list"], arguments].concat()).await.data().to_owned()
}

#[tokio::test]
async fn tsv_is_one_line_a_webhook_and_what_a_pipe_gets() {
    let expected = [
        "whk_1\tactive\thttps://user:pw@hooks.example.com/in?token=abc&x=1\tcall.completed,call.failed\t2024-04-01T08:00:00.000Z\n",
        "-1+1\tinactive\thttps://b.example.com/a|b/`x`?q=\"1,2\"\t\t2023-01-01T00:00:00Z\n",
        "c^J^I^[[31m\t\"yes\"\thttps://c.example.com/<U+202E>\te^If\t\n",
    ]
    .concat();
    assert_eq!(list(&["-o", "tsv"]).await, expected);
    assert_eq!(list(&[]).await, expected);
    assert_eq!(list(&["--color", "always"]).await, expected);
}

#[tokio::test]
async fn csv_has_a_header_true_values_and_no_formulas() {
    let expected = concat!(
        "id,url,events,is_active,created_at\r\n",
        "whk_1,https://user:pw@hooks.example.com/in?token=abc&x=1,\"call.completed,call.failed\",true,2024-04-01T08:00:00.000Z\r\n",
        "'-1+1,\"https://b.example.com/a|b/`x`?q=\"\"1,2\"\"\",,false,2023-01-01T00:00:00Z\r\n",
        "\"c\n\t\u{1b}[31m\",https://c.example.com/\u{202e},e\tf,\"\"\"yes\"\"\",\r\n",
    );
    assert_eq!(list(&["-o", "csv"]).await, expected);
    assert_eq!(list(&["-o", "csv", "--raw"]).await, expected.replace("'-1", "-1"));
}

#[tokio::test]
async fn csv_for_excel_has_a_byte_order_mark_and_keeps_ids_as_text() {
    let rows = r#"{"id":"0012345678901234567","url":"https://a.example.com/é","events":["call.failed","7"],"is_active":true,"created_at":"2024-04-01T08:00:00.000Z"},
        {"id":"1e5","url":"https://b.example.com/","events":["1-2"],"is_active":false},
        {"id":"=1+1","url":"https://c.example.com/","events":[]}"#;
    let server = serving(rows).await;
    let expected = concat!(
        "\u{feff}id,url,events,is_active,created_at\r\n",
        "\"=\"\"0012345678901234567\"\"\",https://a.example.com/é,\"call.failed,7\",true,2024-04-01T08:00:00.000Z\r\n",
        "\"=\"\"1e5\"\"\",https://b.example.com/,\"=\"\"1-2\"\"\",false,\r\n",
        "'=1+1,https://c.example.com/,,,\r\n",
    );
    assert_eq!(ask(&server, &["list", "--excel"]).await.data(), expected);
    assert_eq!(ask(&server, &["list", "--excel", "-o", "csv"]).await.data(), expected);
    let counted = ask(&server, &["list", "--excel", "--columns", "event_count"]).await;
    assert_eq!(counted.data(), "\u{feff}event_count\r\n2\r\n1\r\n0\r\n");
    ask(&server, &["list", "--excel", "-o", "json"]).await.says(2, &["--excel works only with csv"]);
}

#[tokio::test]
async fn json_has_the_fields_of_the_contract_first_and_the_others_as_they_came() {
    let objects = [
        r#"{"id":"whk_1","url":"https://user:pw@hooks.example.com/in?token=abc&x=1","events":["call.completed","call.failed"],"is_active":true,"created_at":"2024-04-01T08:00:00.000Z","retries":1000000000000000000000000000000,"note":{"b":1,"a":[1.0,2e3]}}"#,
        r#"{"id":"-1+1","url":"https://b.example.com/a|b/`x`?q=\"1,2\"","events":[],"is_active":false,"created_at":"2023-01-01T00:00:00Z"}"#,
        "{\"id\":\"c\\n\\t\\u001b[31m\",\"url\":\"https://c.example.com/\u{202e}\",\"events\":[\"e\\tf\"],\"is_active\":\"yes\"}",
    ];
    assert_eq!(list(&["-o", "json"]).await, format!("[\n{}\n]\n", objects.join(",\n")));
    assert_eq!(list(&["-o", "ndjson"]).await, format!("{}\n", objects.join("\n")));
}

#[tokio::test]
async fn ids_are_one_a_line() {
    assert_eq!(list(&["-o", "ids"]).await, "whk_1\n-1+1\nc^J^I^[[31m\n");
}

#[tokio::test]
async fn markdown_shows_text_and_nothing_else_and_masks_credentials() {
    let expected = concat!(
        "| id | status | url | events | created_at |\n",
        "| --- | --- | --- | --- | --- |\n",
        "| `whk_1` | active | `https://***@hooks.example.com/in?token=***&x=1` | `call.completed,call.failed` | `2024-04-01T08:00:00.000Z` |\n",
        "| `-1+1` | inactive | `` https://b.example.com/a\\|b/`x`?q=\"1,2\" `` |  | `2023-01-01T00:00:00Z` |\n",
        "| `c^J^I^[[31m` | `\"yes\"` | `https://c.example.com/<U+202E>` | `e^If` |  |\n",
    );
    assert_eq!(list(&["-o", "markdown"]).await, expected);
    let counted = list(&["-o", "markdown", "--columns", "event_count"]).await;
    assert_eq!(counted, "| event_count |\n| ---: |\n| 2 |\n| 0 |\n| 1 |\n");
}

#[tokio::test]
async fn a_table_on_a_pipe_is_whole_and_plain() {
    let columns = ["-o", "table", "--columns", "id,status,url,event_count,created_at"];
    let expected = concat!(
        "ID           STATUS    URL                                             EVENT COUNT  CREATED AT\n",
        "whk_1        active    https://***@hooks.example.com/in?token=***&x=1            2  2024-04-01T08:00:00.000Z\n",
        "-1+1         inactive  https://b.example.com/a|b/`x`?q=\"1,2\"                     0  2023-01-01T00:00:00Z\n",
        "c^J^I^[[31m  \"yes\"     https://c.example.com/<U+202E>                            1\n",
    );
    assert_eq!(list(&columns).await, expected);
    let header = list(&["-o", "table"]).await;
    let header: Vec<_> = header.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["ID", "STATUS", "URL", "EVENTS", "AGE"]);
    let long = format!(r#"{{"id":"a","url":"https://x/{}"}}"#, "y".repeat(5_000));
    let whole = ask(&serving(&long).await, &["list", "-o", "table"]).await;
    assert!(whole.data().contains(&"y".repeat(5_000)));
    // A cell that is wider than a format argument can be, and that does not widen the other rows.
    let long = format!(r#"{{"id":"a","url":"https://x/{}"}},{{"id":"b","url":"https://x/"}}"#, "y".repeat(70_000));
    let whole = ask(&serving(&long).await, &["list", "-o", "table"]).await;
    let [header, long, short] = whole.lines()[..] else { panic!("{}", whole.stdout.len()) };
    assert!(long.contains(&"y".repeat(70_000)) && header.len() < 1_100 && short.len() < 1_100);
}

#[tokio::test]
async fn colours_are_on_a_pipe_only_when_asked_for() {
    let coloured = list(&["-o", "table", "--columns", "id,status", "--color", "always"]).await;
    let expected = concat!(
        "\x1b[1mID\x1b[0m           \x1b[1mSTATUS\x1b[0m\n",
        "whk_1        \x1b[32mactive\x1b[0m\n",
        "-1+1         \x1b[2minactive\x1b[0m\n",
        "c^J^I^[[31m  \x1b[33m\"yes\"\x1b[0m\n",
    );
    assert_eq!(coloured, expected);
    for color in ["auto", "never"] {
        assert!(!list(&["-o", "table", "--color", color]).await.contains('\x1b'), "{color}");
    }
}

#[tokio::test]
async fn columns_are_those_that_were_chosen_in_their_order() {
    let row = r#"{"id":"a","url":"https://U:p@Hooks.example.com/x","events":["e"],"is_active":true,"n":1}"#;
    let columns = "host,event_count,status,id,is_active,created_at,profile";
    for (format, expected) in [
        ("tsv", "hooks.example.com\t1\tactive\ta\ttrue\t\t\n"),
        ("csv", "host,event_count,status,id,is_active,created_at,profile\r\nhooks.example.com,1,active,a,true,,\r\n"),
        (
            "ndjson",
            "{\"host\":\"hooks.example.com\",\"event_count\":1,\"status\":\"active\",\"id\":\"a\",\"is_active\":true,\"profile\":null}\n",
        ),
        (
            "json",
            "[\n{\"host\":\"hooks.example.com\",\"event_count\":1,\"status\":\"active\",\"id\":\"a\",\"is_active\":true,\"profile\":null}\n]\n",
        ),
        (
            "markdown",
            "| host | event_count | status | id | is_active | created_at | profile |\n| --- | ---: | --- | --- | --- | --- | --- |\n| `hooks.example.com` | 1 | active | a | true |  |  |\n",
        ),
        (
            "table",
            "HOST               EVENT COUNT  STATUS  ID  IS ACTIVE  CREATED AT  PROFILE\nhooks.example.com            1  active  a   true\n",
        ),
        ("ids", "a\n"),
    ] {
        let ended = ask(&serving(row).await, &["list", "-o", format, "--columns", columns]).await;
        assert_eq!(ended.data(), expected, "{format}");
    }
}

#[tokio::test]
async fn what_is_not_allowed_is_told_with_what_is_before_anything_is_sent() {
    let server = serving(ROWS).await;
    let columns = "id, url, events, is_active, created_at, status, host, event_count, age, profile";
    for (arguments, words) in [
        (["--columns", "id,ids"], ["ids", columns]),
        (["--columns", "id,,url"], ["missing", columns]),
        (["--columns", ""], ["missing", columns]),
        // An object with one name twice is read differently by every reader.
        (["--columns", "id,url,id"], ["column id is given twice", columns]),
        (["--sort", "age"], ["age", "created, url, host, events, status, id"]),
        (["--sort", "event"], ["did you mean events?", "created, url, host, events, status, id"]),
        (["--sort", "id:down"], ["id:asc", "id:desc"]),
        (["--output", "xml"], ["xml", "table, tsv, json, ndjson, csv, markdown or ids"]),
        (["--scope", "none"], ["none", "all, active or inactive"]),
        (["--color", "red"], ["red", "auto, always or never"]),
        (["--limit", "0"], ["--limit", "at least 1"]),
        (["--page", "0"], ["--page", "at least 1"]),
        (["--page", "x"], ["--page", "whole number"]),
    ] {
        let ended = ask(&server, &["list", arguments[0], arguments[1]]).await;
        assert_eq!(ended.stdout, "");
        ended.says(2, &words);
    }
    ask(&server, &["list", "--page", "1", "--limit", "101"]).await.says(2, &["--limit", "100"]);
    assert_eq!(server.log().connections, 0);
}

#[tokio::test]
async fn every_sort_key_goes_both_ways() {
    let rows = r#"[
        {"id":"b","url":"https://two.example.com/1","events":["x"],"is_active":false,"created_at":"2024-02-01T00:00:00Z"},
        {"id":"a","url":"https://one.example.com/2","events":["x","y"],"is_active":true,"created_at":"2024-01-01T00:00:00Z"},
        {"id":"c","url":"https://two.example.com/0","events":[],"is_active":false,"created_at":"2024-01-31T23:00:00-05:00"},
        {"id":"d","url":"no url"}]"#;
    // What has no value comes last both ways, and equal rows stay as they were.
    for (key, up, down) in [
        ("id", "abcd", "dcba"),
        ("created", "abcd", "cbad"),
        ("url", "acbd", "bcad"),
        ("host", "abcd", "bcad"),
        ("events", "cbad", "abcd"),
        ("status", "abcd", "bcad"),
    ] {
        for (sort, expected) in [(key.to_owned(), up), (format!("{key}:asc"), up), (format!("{key}:desc"), down)] {
            let ended = feed(rows, &["list", "--from", "-", "-o", "ids", "--sort", &sort]).await;
            assert_eq!(ended.data().replace('\n', ""), expected, "{sort}");
            // One that would stream waits for all rows too.
            let ended = feed(rows, &["list", "--from", "-", "-o", "ndjson", "--columns", "id", "--sort", &sort]).await;
            let ids: Vec<_> = expected.chars().map(|id| format!("{{\"id\":\"{id}\"}}")).collect();
            assert_eq!(ended.lines(), ids, "{sort}");
        }
    }
    // Every entry of events counts, whatever it is.
    let odd = r#"[{"id":"a","url":"https://a","events":["x",1,2]},{"id":"b","url":"https://b","events":["x","y"]}]"#;
    let ended = feed(odd, &["list", "--from", "-", "-o", "tsv", "--columns", "id,event_count", "--sort", "events"]).await;
    assert_eq!(ended.data(), "b\t2\na\t3\n");
    let ended = feed(rows, &["list", "--from", "-", "-o", "ids", "--sort", "id:desc", "--limit", "2"]).await;
    assert_eq!(ended.data(), "d\nc\n");
}

#[tokio::test]
async fn a_limit_asks_for_no_more_pages_than_it_needs() {
    for (limit, pages) in [("1", 1), ("100", 1), ("101", 2), ("230", 3), ("1000", 3 + 2)] {
        for format in ["ids", "json", "ndjson", "csv"] {
            let server = Server::start(|request| Listing::of(230).reply(request)).await;
            let ended = ask(&server, &["list", "-o", format, "--columns", "id", "--limit", limit]).await;
            let count = ended.data().matches('w').count();
            assert_eq!(count, limit.parse::<usize>().unwrap().min(230), "{format}");
            assert_eq!(server.log().pages().len(), pages, "{format} {limit}");
        }
    }
}

#[tokio::test]
async fn a_page_is_one_request() {
    let server = Server::start(|request| Listing::of(230).reply(request)).await;
    for (arguments, target, first, count) in [
        (vec!["--page", "1"], "/v1/user-webhooks?page=1&limit=100", Some("w0"), 100),
        (vec!["--page", "3"], "/v1/user-webhooks?page=3&limit=100", Some("w200"), 30),
        (vec!["--page", "3", "--limit", "7"], "/v1/user-webhooks?page=3&limit=7", Some("w14"), 7),
        (vec!["--page", "99"], "/v1/user-webhooks?page=99&limit=100", None, 0),
        (vec!["--page", "1", "--scope", "active"], "/v1/user-webhooks?page=1&limit=100&is_active=true", Some("w0"), 67),
    ] {
        let before = server.log().requests().count();
        let ended = ask(&server, &[&["list", "-o", "ids"], arguments.as_slice()].concat()).await;
        assert_eq!((ended.code, ended.lines().first().copied(), ended.lines().len()), (Some(0), first, count));
        let targets: Vec<_> = server.log().requests().skip(before).map(|request| request.target.clone()).collect();
        assert_eq!(targets, [target]);
    }
    let whole = ask(&server, &["list", "-o", "json", "--page", "1", "--limit", "2", "-v"]).await;
    assert_eq!(whole.stdout, format!("[\n{}\n]\n", rows(0..2).replace("},{", "},\n{")));
    assert!(whole.stderr.contains("page 1 of 115, 230 webhooks in total"), "{}", whole.stderr);
}

#[tokio::test]
async fn a_page_has_no_id_twice() {
    let body = Envelope::Seed.wrap(&format!("{},{}", rows(1..2), rows(1..2)), 1, 100, "2");
    let server = Server::always(Reply::json(body)).await;
    let ended = ask(&server, &["list", "-o", "ids", "--page", "1"]).await;
    ended.says(5, &["w1", "more than once"]);
    assert_eq!(ended.stdout, "w1\n");
}

#[tokio::test]
async fn a_first_page_that_is_shorter_than_asked_is_said() {
    let server = Server::start(|request| Listing::of(230).clamped(20).reply(request)).await;
    ask(&server, &["list", "-o", "ids", "--page", "1", "--limit", "50"]).await.says(5, &["20", "50"]);
}

#[tokio::test]
async fn a_page_that_is_another_one_is_incomplete() {
    let ignores = Server::always(Reply::json(Envelope::Seed.wrap(&rows(0..50), 1, 50, "230"))).await;
    let ended = ask(&ignores, &["list", "-o", "ids", "--page", "2", "--limit", "50"]).await;
    ended.says(5, &["ignores the page parameter", "page 2"]);
    let clamps = Server::start(|request| Listing::of(230).clamped(20).reply(request)).await;
    let ended = ask(&clamps, &["list", "-o", "ids", "--page", "2", "--limit", "50"]).await;
    ended.says(5, &["20 webhooks per page, not 50"]);
    assert_eq!(ended.lines().len(), 20);
}
