//! `--filter`: the language itself is tested where it is; here, what commands make of it.

use super::{ask, feed, serving};
use crate::faults::server::{Envelope, Listing, Reply, Server, row, rows};

const ROWS: &str = r#"{"id":"one","url":"https://hooks.acme.example.com/crm","events":["call.completed"],"is_active":true,"created_at":"2024-01-01T00:00:00Z"},
{"id":"two-x","url":"https://hooks.globex.example.com/crm","events":["call.failed"],"is_active":false,"created_at":"2025-01-01T00:00:00Z"},
{"id":"three","url":"https://a-c-m-e.example.net/","events":[],"is_active":true}"#;

async fn ids(query: &str) -> String {
    let ended = ask(&serving(ROWS).await, &["list", "-o", "ids", "--filter", query]).await;
    ended.data().replace('\n', " ")
}

#[tokio::test]
async fn only_what_matches_is_listed() {
    for (query, expected) in [
        ("", "one two-x three "),
        ("acme", "one "),
        ("crm active:yes", "one "),
        ("acme|globex", "one two-x "),
        ("event:=call.failed", "two-x "),
        ("created:<2024-06", "one "),
        ("re:^https://a-", "three "),
        ("nothing-like-it", ""),
        // Values that look like options.
        ("-two-x", "one three "),
        ("-active:yes", "two-x "),
        ("--limit", "one two-x three "),
    ] {
        assert_eq!(ids(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_fuzzy_word_puts_the_best_match_first() {
    assert_eq!(ids("~acme").await, "one three ");
    // The order of the listing does not matter, and a stream waits for it.
    let reversed = r#"[{"id":"far","url":"https://a.example.com/c/m/e"},{"id":"near","url":"https://acme.example.com/"}]"#;
    for format in ["ids", "ndjson"] {
        let ended = feed(reversed, &["list", "--from", "-", "-o", format, "--filter", "~acme"]).await;
        let [first, second] = ended.lines()[..] else { panic!("{}", ended.stdout) };
        assert!(first.contains("near") && second.contains("far"), "{format}: {}", ended.stdout);
    }
    let best = feed(reversed, &["list", "--from", "-", "-o", "ids", "--filter", "~acme", "--limit", "1"]).await;
    assert_eq!(best.data(), "near\n");
}

#[tokio::test]
async fn a_mistake_is_told_with_its_column_before_anything_is_sent() {
    let server = serving(ROWS).await;
    for command in ["list", "events"] {
        for (query, column, word) in [
            ("re:[", "column 4", "regular expression"),
            ("acme hsot:x", "column 6", "hsot"),
            ("acme \"open", "column 6", "quote"),
            ("created:soon", "column 9", "soon"),
            ("é active:maybe", "column 10", "maybe"),
        ] {
            let ended = ask(&server, &[command, "--filter", query]).await;
            let words = ended.refusal(2);
            assert!(words.contains(column) && words.contains(word), "{query}: {words}");
        }
    }
    assert_eq!(server.log().connections, 0);
}

#[tokio::test]
async fn no_filter_matches_a_row_that_is_no_webhook() {
    let odd = r#"{"id":7,"url":"https://acme.example.com"}"#;
    let server = serving(&format!("{},{odd},null", row(0))).await;
    for (format, filtered, plain) in [("json", 1, 3), ("ndjson", 1, 3), ("ids", 1, 1), ("csv", 2, 2)] {
        let ended = ask(&server, &["list", "-o", format, "--filter", "hooks"]).await;
        ended.says(5, &["2 malformed rows (left out)"]);
        let count = |text: &str| text.lines().filter(|line| !matches!(*line, "[" | "]")).count();
        assert_eq!(count(&ended.stdout), filtered, "{format}: {}", ended.stdout);
        let ended = ask(&server, &["list", "-o", format]).await;
        let fate = if plain == 3 { "passed through as received" } else { "left out" };
        ended.says(5, &[&format!("2 malformed rows ({fate})")]);
        assert_eq!(count(&ended.stdout), plain, "{format}: {}", ended.stdout);
    }
    let ended = ask(&server, &["list", "-o", "json", "--page", "1", "--filter", "hooks"]).await;
    ended.says(5, &["left out"]);
    assert!(!ended.stdout.contains("acme") && !ended.stdout.contains("null"), "{}", ended.stdout);
}

#[tokio::test]
async fn with_a_limit_only_the_pages_are_read_that_it_takes() {
    for format in ["ids", "ndjson"] {
        let server = Server::start(|request| Listing::of(10_000).reply(request)).await;
        // Every page has some: two thirds are active.
        let ended = ask(&server, &["list", "-o", format, "--filter", "active:yes", "--limit", "60"]).await;
        assert_eq!((ended.data().lines().count(), server.log().pages()), (60, vec![1]), "{format}");
    }
    let server = Server::start(|request| Listing::of(10_000).reply(request)).await;
    let ended = ask(&server, &["list", "-o", "ids", "--filter", "id:w250", "--limit", "1"]).await;
    assert_eq!(ended.data(), "w250\n");
    assert!(server.log().pages().len() < 20, "{:?}", server.log().pages());
}

#[tokio::test]
async fn a_page_is_filtered_and_stays_one_request() {
    let server = Server::start(|request| {
        Reply::json(Envelope::Seed.wrap(&rows(Listing::of(230).on_page(request.page(), 100)), request.page(), 100, "230"))
    })
    .await;
    let ended = ask(&server, &["list", "-o", "ids", "--page", "2", "--filter", "id:w15|w250"]).await;
    let expected: Vec<_> = (150..160).map(|number| format!("w{number}")).collect();
    assert_eq!(
        (ended.data().lines().collect::<Vec<_>>(), server.log().pages()),
        (expected.iter().map(String::as_str).collect(), vec![2])
    );
}

#[tokio::test]
async fn what_only_the_explorer_knows_is_refused_with_another_way() {
    let server = serving(ROWS).await;
    for (query, words) in [("is:marked", "only in the explorer"), ("acme|probe:dead", "hookscope probe -o ndjson")] {
        let ended = ask(&server, &["list", "--filter", query]).await;
        ended.refusal(2);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
    let ended = ask(&server, &["list", "--filter", "probe:daed"]).await;
    ended.refusal(2);
    assert!(ended.stderr.contains("column 7") && ended.stderr.contains("Did you mean probe:dead?"), "{}", ended.stderr);
    assert_eq!(server.log().requests().count(), 0);
}

#[tokio::test]
async fn what_an_audit_finds_can_be_listed() {
    let rows = r#"{"id":"plain","url":"http://plain.example.com/","events":["call.failed"],"is_active":true},
{"id":"twin1","url":"https://twins.example.com/","events":["call.failed"],"is_active":true},
{"id":"twin2","url":"https://TWINS.example.com/","events":["call.failed"],"is_active":true},
{"id":"good","url":"https://good.example.com/","events":["call.failed"],"is_active":true}"#;
    let server = serving(rows).await;
    for (query, expected) in [
        ("finding:insecure-url", "plain "),
        ("finding:warning", "twin1 twin2 "),
        ("finding:any", "plain twin1 twin2 "),
        ("-finding:any", "good "),
        // Only one of the two is asked for, and the other is a reason nevertheless.
        ("finding:duplicate-destination twin2", "twin2 "),
    ] {
        for format in ["ids", "ndjson"] {
            let ended = ask(&server, &["list", "-o", format, "--filter", query]).await;
            let ids: Vec<_> = expected.split_whitespace().collect();
            assert_eq!(ended.lines().len(), ids.len(), "{query}: {}", ended.stdout);
            assert!(ended.lines().iter().zip(ids).all(|(line, id)| line.contains(id)), "{query}: {}", ended.stdout);
        }
    }
    let ended = ask(&server, &["list", "-o", "ids", "--limit", "1", "--filter", "finding:warning"]).await;
    assert_eq!(ended.data(), "twin1\n");
    let ended = ask(&server, &["audit", "-o", "json", "--filter", "finding:error"]).await;
    assert!(ended.stdout.contains("plain") && !ended.stdout.contains("twin"), "{}", ended.stdout);
}

#[tokio::test]
async fn findings_that_cannot_be_known_are_refused_before_anything_is_sent() {
    let server = serving(ROWS).await;
    for (arguments, words) in [
        (&["events", "--filter", "finding:any"][..], &["finding:", "list, audit and the explorer"][..]),
        (&["list", "--page", "1", "--filter", "finding:any"], &["--page"]),
        (&["list", "--filter", "finding:dead-destination"], &["--probe", "dead-destination"]),
        (&["audit", "--filter", "finding:dead-destination"], &["--probe", "dead-destination"]),
        (&["audit", "--skip", "no-events", "--filter", "finding:no-events"], &["no-events is not run"]),
        (&["list", "--filter", "finding:insecure-urk"], &["column 9", "finding:insecure-url?"]),
    ] {
        let ended = ask(&server, arguments).await;
        let said = ended.refusal(2);
        assert!(words.iter().all(|word| said.contains(word)), "{arguments:?}: {said}");
    }
    assert_eq!(server.log().connections, 0);
}

#[tokio::test]
async fn a_filter_in_another_language_gets_a_hint() {
    let rows = r#"[{"id":"a","url":"https://a.x/"},{"id":"b","url":"https://b.x/"}]"#;
    for (filter, words) in [("host:*.x", "host:.x"), ("a OR b", "a|b")] {
        for command in ["list", "audit", "events", "probe"] {
            let ended = feed(rows, &[command, "--from", "-", "--filter", filter]).await;
            assert!(ended.stderr.contains("--filter: ") && ended.stderr.contains(words), "{command}: {}", ended.stderr);
        }
        let quiet = feed(rows, &["list", "--from", "-", "--filter", filter, "-q"]).await;
        assert_eq!(quiet.data(), "");
    }
    // On a pipe nothing more is said of an empty response.
    assert_eq!(feed(rows, &["list", "--from", "-", "--filter", "host:nobody"]).await.data(), "");
}
