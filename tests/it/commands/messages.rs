//! What is on stderr, and in the log: enough to act on, nothing that is not asked for, and never the key.

use std::os::unix::fs::PermissionsExt;

use super::{Ended, Home, ONCE, ask, serving};
use crate::faults::server::{Listing, Reply, SECRET, Server, nobody, row};

#[tokio::test]
async fn success_is_silent() {
    let server = serving(&row(1)).await;
    for arguments in [&["list"] as &[&str], &["list", "-o", "ndjson"], &["events"], &["snapshot"], &["list", "-q"]] {
        ask(&server, arguments).await.data();
    }
}

#[tokio::test]
async fn quiet_hides_notes_and_no_problems() {
    let ignores = Server::start(|request| Listing::of(30).reply(request)).await;
    ask(&ignores, &["list", "--scope", "inactive"]).await.says(0, &["the server ignores is_active"]);
    ask(&ignores, &["list", "--scope", "inactive", "-q"]).await.data();
    let odd = serving("null").await;
    ask(&odd, &["list", "-q"]).await.says(5, &["1 malformed row"]);
    let refuses = Server::always(Reply::status("403 Forbidden", "{}")).await;
    assert!(ask(&refuses, &["list", "-q"]).await.refusal(3).contains("403"));
    assert!(ask(&refuses, &["list", "-q", "--sort", "x"]).await.refusal(2).contains("--sort"));
}

#[tokio::test]
async fn verbose_tells_whom_it_asks_with_which_key() {
    let server = serving(&row(1)).await;
    let ended = ask(&server, &["list", "-v", "-o", "ids"]).await;
    ended.says(0, &[&server.address.to_string(), "key_of_tests", "DIALNEXA_API_KEY"]);
    assert_eq!(ended.stdout, "w1\n");
}

#[tokio::test]
async fn verbose_tells_what_was_tried_again() {
    let server = Server::start(|request| match request.time {
        1 => Reply::status("503 Service Unavailable", "{}"),
        2 => Reply::status("429 Too Many Requests", "{}").header("Retry-After", "0"),
        _ => Listing::of(3).reply(request),
    })
    .await;
    let home = Home::with_config("[network]\nretries = 3\n");
    let ended = Ended::of(home.at(&server.base_url(), &["list", "-v", "-o", "ids"])).await;
    ended.says(0, &["page 1: 503 Service Unavailable; attempt 1 of 4 failed", "429 rate limited"]);
    assert_eq!(ended.lines().len(), 3);
    // It needs no try more, and without -v nothing is said of one.
    Ended::of(home.at(&server.base_url(), &["list", "-o", "ids"])).await.data();
    // Ids have no pages.
    let server = Server::start(|request| match request.time {
        1 => Reply::status("503 Service Unavailable", "{}"),
        _ => Reply::json(row(1)),
    })
    .await;
    let ended = Ended::of(home.at(&server.base_url(), &["get", "w1", "-v", "-o", "ids"])).await;
    ended.says(0, &["id 1: 503 Service Unavailable; attempt 1 of 4 failed"]);
}

#[tokio::test]
async fn verbose_adds_the_causes() {
    let home = Home::with_config("[network]\nretries = 0\n");
    let address = nobody().await;
    let plain = Ended::of(home.at(&address, &["list"])).await;
    assert!(plain.refusal(4).contains("refused") && !plain.stderr.contains("caused by"), "{}", plain.stderr);
    let verbose = Ended::of(home.at(&address, &["list", "-v"])).await;
    verbose.says(4, &["refused", "  caused by: "]);
}

#[tokio::test]
async fn an_error_is_what_where_and_what_to_do() {
    let echo = format!(r#"{{"message":"bad key {SECRET} \u001b]0;x\u0007 at line\n2 of\u202e {}"}}"#, "x".repeat(2_000));
    let server = Server::always(Reply::status("401 Unauthorized", echo)).await;
    for command in [&["list"] as &[&str], &["get", "a"], &["events"], &["snapshot"], &["list", "-v"]] {
        let ended = ask(&server, command).await;
        ended.says(3, &[&server.address.to_string(), "401", "bad key ***", "DIALNEXA_API_KEY"]);
        let lines: Vec<_> = ended.stderr.lines().collect();
        // Verbose also says whom it asks, and what it gave up.
        assert!(
            lines.len() == if command.contains(&"-v") { 4 } else { 2 } && lines.iter().all(|line| line.len() < 600),
            "{}",
            ended.stderr
        );
    }
}

#[tokio::test]
async fn the_log_is_the_owners_alone_and_has_no_key() {
    let echo = format!(r#"{{"message":"{SECRET}"}}"#);
    let server = Server::always(Reply::status("500 Internal Server Error", echo)).await;
    let home = Home::with_config("[network]\nretries = 0\n");
    let mut command = home.at(&server.base_url(), &["list"]);
    command.env("HOOKSCOPE_LOG", "trace");
    Ended::of(command).await.refusal(4);
    let log = home.path("state/hookscope/hookscope.log");
    let mode = |name: &str| home.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("state/hookscope/hookscope.log"), mode("state/hookscope")), (0o600, 0o700));
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.contains("hookscope") && text.contains("500") && !text.contains(SECRET), "{text}");
    // Without the variable, there is none.
    std::fs::remove_file(&log).unwrap();
    for filter in ["", " "] {
        let mut command = home.at(&server.base_url(), &["list"]);
        command.env("HOOKSCOPE_LOG", filter);
        Ended::of(command).await.refusal(4);
        assert!(!log.exists());
    }
}

#[tokio::test]
async fn a_filter_of_the_log_that_is_none_is_a_mistake() {
    let server = serving(&row(1)).await;
    let home = Home::new();
    for filter in ["hookscope=loud", "a=b=c", "=debug,["] {
        let mut command = home.at(&server.base_url(), &["list"]);
        command.env("HOOKSCOPE_LOG", filter);
        let ended = Ended::of(command).await;
        assert!(
            ended.refusal(2).starts_with("hookscope: HOOKSCOPE_LOG: not a valid filter; use a level"),
            "{}",
            ended.stderr
        );
    }
    assert_eq!(server.log().connections, 0);
}

#[tokio::test]
async fn a_refused_key_is_named_by_its_id_and_source() {
    let server = Server::always(Reply::status("401 Unauthorized", r#"{"message":"Unauthorized"}"#)).await;
    let home = Home::new();
    let refused = "it is wrong, revoked or of another workspace.";
    let ended = Ended::of(home.at(&server.base_url(), &["list"])).await;
    ended.says(3, &["401 unauthorized\nThe API refused key \"key_of_tests\" from DIALNEXA_API_KEY: ", refused]);
    home.write("key", "kid:0123456789abcdef");
    let base_url = format!("base_url = '{}'\n", server.base_url());
    for (setting, named) in [
        ("api_key = 'kid:0123456789abcdef'", "key \"kid\" from CONFIG:2: it is wrong"),
        ("api_key_file = '../../key'", "key \"kid\" from CONFIG:2 (api_key_file): it is wrong"),
        ("api_key_command = ['cat', 'key']", "key \"kid\" from CONFIG:2 (api_key_command): it is wrong"),
        ("api_key = '0123456789abcdef'", "the key from CONFIG:2: it is not of the form key_id:secret"),
        ("api_key = ':0123456789abcdef'", "the key from CONFIG:2: it is not of the form key_id:secret"),
        ("api_key = '0123456789abcdef:'", "the key from CONFIG:2: it is not of the form key_id:secret"),
    ] {
        home.write("config/hookscope/config.toml", format!("{base_url}{setting}\n"));
        let ended = home.run(&["list"]).await;
        let named = named.replace("CONFIG", &home.path("config/hookscope/config.toml").display().to_string());
        ended.says(3, &[&format!("The API refused {named}")]);
        assert!(!ended.stderr.contains("0123456789abcdef"), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_text_that_repeats_the_status_is_left_out() {
    for (status, text, said) in [
        ("403 Forbidden", "Forbidden", "403 forbidden\n"),
        ("404 Not Found", "Not Found", "404 not found\n"),
        ("500 Internal Server Error", "Internal Server Error", "500 Internal Server Error\n"),
        ("500 Internal Server Error", "no database", "500 Internal Server Error: no database\n"),
    ] {
        let server = Server::always(Reply::status(status, format!(r#"{{"message":"{text}"}}"#))).await;
        let ended = Ended::of(Home::with_config(ONCE).at(&server.base_url(), &["list"])).await;
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_404_says_which_path_and_which_base_url() {
    let page = Reply::status("404 Not Found", "<!doctype html>").header("Content-Type", "text/html");
    let html = "/v1/user-webhooks is an HTML page, so this is probably not the API. Check base_url (DIALNEXA_BASE_URL).\n";
    for (reply, path, said) in [
        (page.clone(), "/v1", html),
        (Reply::status("404 Not Found", "\n<html>"), "/v1", html),
        (page, "/api", "probably not the API. Check base_url (DIALNEXA_BASE_URL); it usually ends in /v1.\n"),
        (
            Reply::status("404 Not Found", "{}"),
            "/v1",
            "The server has no /v1/user-webhooks. Check base_url (DIALNEXA_BASE_URL).\n",
        ),
        (Reply::status("404 Not Found", "{}"), "/api", "\nCheck base_url (DIALNEXA_BASE_URL); it usually ends in /v1.\n"),
    ] {
        let server = Server::always(reply).await;
        let base_url = server.base_url().replace("/v1", path);
        let ended = Ended::of(Home::new().at(&base_url, &["list"])).await;
        assert!(ended.refusal(4).contains(said), "{}", ended.stderr);
    }
}
