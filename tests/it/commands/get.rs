//! `hookscope get`: webhooks by their ids.

use super::{Ended, Home, ask, feed};
use crate::faults::server::{Reply, Request, Server, row};

/// What the API says of one webhook: `w1` and so on exist.
fn one(request: &Request) -> Reply {
    let id = request.target.rsplit('/').next().unwrap_or_default();
    match id.strip_prefix('w').and_then(|number| number.parse().ok()) {
        Some(number) => Reply::json(row(number)),
        None => Reply::not_found(),
    }
}

fn targets(server: &Server) -> Vec<String> {
    server.log().requests().map(|request| request.target.clone()).collect()
}

#[tokio::test]
async fn one_id_is_one_object_and_several_are_an_array_in_their_order() {
    let server = Server::start(one).await;
    assert_eq!(ask(&server, &["get", "w7", "-o", "json"]).await.data(), format!("{}\n", row(7)));
    let several = ask(&server, &["get", "w9", "w2", "w5", "-o", "json"]).await;
    assert_eq!(several.data(), format!("[\n{},\n{},\n{}\n]\n", row(9), row(2), row(5)));
    // An id that is there twice is asked for once, and still one object.
    let before = targets(&server).len();
    assert_eq!(ask(&server, &["get", "w7", "w7", "-o", "json"]).await.data(), format!("{}\n", row(7)));
    assert_eq!(targets(&server)[before..], ["/v1/user-webhooks/w7"]);
}

#[tokio::test]
async fn lines_and_tables_are_those_of_list() {
    let server = Server::start(one).await;
    for (format, expected) in [
        ("ndjson", format!("{}\n{}\n", row(2), row(1))),
        (
            "tsv",
            "w2\tinactive\thttps://hooks.example.com/2\tcall.completed\t2024-03-01T10:00:00.000Z\n\
             w1\tactive\thttps://hooks.example.com/1\tcall.completed\t2024-03-01T10:00:00.000Z\n"
                .to_owned(),
        ),
        ("ids", "w2\nw1\n".to_owned()),
    ] {
        assert_eq!(ask(&server, &["get", "w2", "w1", "-o", format]).await.data(), expected);
    }
    let table = ask(&server, &["get", "w2", "-o", "table"]).await;
    let starts: Vec<_> = table.lines().iter().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(starts, ["ID", "w2"]);
    assert_eq!(ask(&server, &["get", "w2"]).await.data().split('\t').next(), Some("w2"));
}

#[tokio::test]
async fn an_id_that_does_not_exist_is_named_and_the_others_are_data() {
    let server = Server::start(one).await;
    let ended = ask(&server, &["get", "gone", "-o", "json"]).await;
    assert!(ended.refusal(1).contains("webhook gone not found"));
    let ended = ask(&server, &["get", "w3", "gone", "w4", "lost", "-o", "json"]).await;
    ended.says(1, &["webhook gone not found", "webhook lost not found"]);
    assert_eq!(ended.stdout, format!("[\n{},\n{}\n]\n", row(3), row(4)));
    // Of several, what is left of them is an array all the same.
    let ended = ask(&server, &["get", "gone", "lost", "-o", "json"]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), "[]\n"));
}

/// Answers with 404 that say nothing about a webhook: of a gateway, of a framework without a route, of another API.
const NO_PROOF: [&str; 4] = [
    "<html><head><title>404 Not Found</title></head></html>",
    r#"{"statusCode":404,"message":"Cannot GET /v1/user-webhooks/w1","error":"Not Found"}"#,
    r#"{"message":"no Route matched with those values"}"#,
    "{}",
];

#[tokio::test]
async fn a_404_that_is_not_the_apis_own_leaves_it_unknown() {
    for body in NO_PROOF {
        let server = Server::always(Reply::status("404 Not Found", body)).await;
        for arguments in [&["get", "w1"] as &[&str], &["get", "w1", "w2"], &["probe", "w1"]] {
            let ended = ask(&server, arguments).await;
            let words = ended.refusal(4);
            assert!(words.contains("404") && words.contains("base_url") && !words.contains("no webhook"), "{words}");
        }
    }
    // Where the API answers for others, one that is unknown is only that.
    let server = Server::start(|request| match request.target.as_str() {
        "/v1/user-webhooks/w2" => Reply::status("404 Not Found", NO_PROOF[1]),
        "/v1/user-webhooks/w3" => Reply::redirect("/v1/user-webhooks/gone"),
        _ => one(request),
    })
    .await;
    let ended = ask(&server, &["get", "w1", "w2", "w3", "-o", "ids"]).await;
    ended.says(5, &["incomplete: w2: 404", "incomplete: w3: 404"]);
    assert_eq!(ended.stdout, "w1\n");
}

#[tokio::test]
async fn a_refused_key_ends_it_all() {
    let server = Server::always(Reply::status("401 Unauthorized", r#"{"message":"bad key"}"#)).await;
    for ids in [&["w1"] as &[&str], &["w1", "w2", "w3"]] {
        let ended = ask(&server, &[&["get", "-o", "json"], ids].concat()).await;
        let words = ended.refusal(3);
        assert!(words.contains("401") && words.contains("bad key"), "{words}");
    }
}

#[tokio::test]
async fn one_of_several_that_fails_is_incomplete_and_named() {
    let server = Server::start(|request| match request.target.as_str() {
        "/v1/user-webhooks/w2" => Reply::status("500 Internal Server Error", "{}"),
        _ => one(request),
    })
    .await;
    let ended = ask(&server, &["get", "w1", "w2", "w3", "gone", "-o", "json"]).await;
    // Incomplete outranks not found.
    ended.says(5, &["incomplete: w2: 500", "webhook gone not found"]);
    assert_eq!(ended.stdout, format!("[\n{},\n{}\n]\n", row(1), row(3)));
    assert!(ask(&server, &["get", "w2"]).await.refusal(4).contains("500"));
}

#[tokio::test]
async fn an_answer_that_is_no_webhook_is_passed_and_said() {
    let server = Server::always(Reply::json(r#"{"id":5,"url":"https://x","secret":"whsec_1"}"#)).await;
    let ended = ask(&server, &["get", "w1", "-o", "json"]).await;
    ended.says(5, &["w1", "not a valid webhook", "id missing or not a string"]);
    assert_eq!(ended.stdout, "{\"id\":5,\"url\":\"https://x\"}\n");
    let nonsense = Server::always(Reply::json("<html>")).await;
    assert!(ask(&nonsense, &["get", "w1"]).await.refusal(4).contains("HTML"));
}

#[tokio::test]
async fn another_webhook_than_the_one_asked_for_is_not_passed_for_it() {
    let server = Server::always(Reply::json(row(9))).await;
    let ended = ask(&server, &["get", "w1", "-o", "json"]).await;
    ended.says(5, &["w1: the API returned w9 instead"]);
    assert_eq!(ended.stdout, "");
    let ended = ask(&server, &["get", "w1", "w9", "-o", "ids"]).await;
    ended.says(5, &["w1: the API returned w9 instead"]);
    assert_eq!(ended.stdout, "w9\n");
}

#[tokio::test]
async fn an_id_stays_in_its_segment_of_the_path() {
    let server = Server::start(one).await;
    for (id, target) in [
        ("../../admin", "/v1/user-webhooks/..%2F..%2Fadmin"),
        ("a/../b", "/v1/user-webhooks/a%2F..%2Fb"),
        ("a?limit=1#x", "/v1/user-webhooks/a%3Flimit%3D1%23x"),
        ("a b\u{1b}[31m", "/v1/user-webhooks/a%20b%1B%5B31m"),
        ("a\nb", "/v1/user-webhooks/a%0Ab"),
        ("w1\r", "/v1/user-webhooks/w1%0D"),
        ("\tw1", "/v1/user-webhooks/%09w1"),
        ("a\\b", "/v1/user-webhooks/a%5Cb"),
        ("%2e%2e", "/v1/user-webhooks/%252e%252e"),
        ("-not-an-option", "/v1/user-webhooks/-not-an-option"),
    ] {
        let before = targets(&server).len();
        ask(&server, &["get", "--", id]).await.refusal(1);
        assert_eq!(targets(&server)[before..], [target], "{id}");
    }
}

#[tokio::test]
async fn an_id_that_no_path_can_hold_is_never_asked_for() {
    let server = Server::start(one).await;
    // It would ask for the listing.
    assert!(ask(&server, &["get", "w1", ""]).await.refusal(2).contains("get: empty id"));
    assert!(ask(&server, &["get"]).await.refusal(2).contains("get needs an argument: ID"));
    for arguments in [["get", ".", "w1"], ["get", "w1", ".."], ["probe", "..", "w1"]] {
        let ended = ask(&server, &arguments).await;
        assert!(ended.refusal(2).contains("not a valid id: ."), "{}", ended.stderr);
    }
    assert_eq!(server.log().connections, 0);
}

#[tokio::test]
async fn the_rest_of_the_rate_limit_belongs_to_production() {
    let server = Server::start(|request| one(request).rate(600, 60, 3_600)).await;
    let home = Home::with_config("[network]\nretries = 0\nmax_concurrency = 1\n");
    let ended = Ended::of(home.at(&server.base_url(), &["get", "w1", "w2", "-o", "ids"])).await;
    ended.says(5, &["w2", "rate limit nearly exhausted"]);
    assert_eq!((ended.stdout.as_str(), targets(&server).len()), ("w1\n", 1));
}

#[tokio::test]
async fn what_a_part_does_not_have_may_be_elsewhere() {
    let part = r#"{"data":[{"id":"a","url":"https://a.com/"}],"meta":{"page":1,"limit":100,"total":500}}"#;
    feed(part, &["get", "a", "--from", "-"]).await.data();
    feed(part, &["get", "b", "--from", "-"]).await.says(5, &["b not found in a partial listing"]);
    feed("[]", &["get", "b", "--from", "-"]).await.says(1, &["webhook b not found"]);
}

#[tokio::test]
async fn a_host_or_url_gets_the_command_that_takes_it() {
    let server = Server::start(one).await;
    let advice = "takes ids; for a host: hookscope probe --filter host:crm.example.com";
    let ended = ask(&server, &["probe", "https://crm.example.com/hook?t=1"]).await;
    assert!(ended.refusal(2).contains(&format!("probe takes ids, not URLs\nprobe {advice}")), "{}", ended.stderr);
    assert_eq!(server.log().connections, 0);
    let advice = "takes ids; for a host: hookscope list --filter host:crm.example.com";
    ask(&server, &["get", "crm.example.com"]).await.says(1, &["crm.example.com not found", &format!("get {advice}")]);
    let ended = ask(&server, &["get", "gone"]).await;
    assert!(!ended.stderr.contains("takes ids"), "{}", ended.stderr);
}
