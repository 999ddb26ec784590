//! `list --all-profiles`: several workspaces in one listing.

use super::{Ended, Home, profile, serving};
use crate::faults::server::{KEY, Listing, Reply, Server};

/// A config with a profile for each server.
fn config(servers: &[(&str, &Server)]) -> Home {
    let mut text = "[network]\nretries = 0\n".to_owned();
    for (name, server) in servers {
        text.push_str(&profile(name, server));
    }
    Home::with_config(&text)
}

async fn list(home: &Home, arguments: &[&str]) -> Ended {
    home.run(&[&["list", "--all-profiles"], arguments].concat()).await
}

const A: &str =
    r#"{"id":"a","url":"https://a.example.com","events":["e"],"is_active":true,"created_at":"2024-01-01T00:00:00Z"}"#;
const B: &str = r#"{"id":"b","profile":"its own","url":"https://b.example.com","is_active":false}"#;

#[tokio::test]
async fn the_profile_comes_first_in_every_format() {
    let (one, two) = (serving(A).await, serving(B).await);
    let home = config(&[("one", &one), ("two", &two)]);
    let a = r#""id":"a","url":"https://a.example.com","events":["e"],"is_active":true,"created_at":"2024-01-01T00:00:00Z"}"#;
    let b = r#""id":"b","url":"https://b.example.com","is_active":false}"#;
    for (format, expected) in [
        ("tsv", "one\ta\tactive\thttps://a.example.com\te\t2024-01-01T00:00:00Z\ntwo\tb\tinactive\thttps://b.example.com\t\t\n".to_owned()),
        (
            "csv",
            "profile,id,url,events,is_active,created_at\r\none,a,https://a.example.com,e,true,2024-01-01T00:00:00Z\r\ntwo,b,https://b.example.com,,false,\r\n".to_owned(),
        ),
        // A field of the webhook that is called so as well would be there twice.
        ("json", format!("[\n{{\"profile\":\"one\",{a},\n{{\"profile\":\"two\",{b}\n]\n")),
        ("ndjson", format!("{{\"profile\":\"one\",{a}\n{{\"profile\":\"two\",{b}\n")),
        ("ids", "a\nb\n".to_owned()),
    ] {
        assert_eq!(list(&home, &["-o", format]).await.data(), expected, "{format}");
    }
    let table = list(&home, &["-o", "table"]).await;
    let firsts: Vec<_> = table.data().lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(firsts, ["PROFILE", "one", "two"]);
    let markdown = list(&home, &["-o", "markdown"]).await;
    assert!(markdown.data().starts_with("| profile | id |"));
    // Without the sweep, the field is the webhook's.
    let one = home.run(&["list", "--profile", "two", "-o", "json"]).await;
    assert!(one.data().contains(r#""profile":"its own""#));
}

#[tokio::test]
async fn one_that_fails_does_not_keep_the_others_from_being_read() {
    let good = serving(A).await;
    let also = serving(B).await;
    let refused = Server::always(Reply::status("401 Unauthorized", r#"{"message":"revoked"}"#)).await;
    let down = Server::always(Reply::status("500 Internal Server Error", "{}")).await;
    for (bad, code, word) in [(&refused, 3, "401"), (&down, 4, "500")] {
        let home = config(&[("good", &good), ("lost", bad), ("zed", &also)]);
        for (format, expected) in [("ids", "a\nb\n"), ("ndjson", "")] {
            let ended = list(&home, &["-o", format]).await;
            ended.says(code, &["lost", word]);
            assert!(ended.stdout == expected || format == "ndjson" && ended.lines().len() == 2, "{}", ended.stdout);
        }
    }
    // The worst of several counts, and nothing at all is no empty listing.
    let home = config(&[("lost", &refused), ("worse", &down)]);
    let ended = list(&home, &["-o", "json"]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(4), ""));
    ended.says(4, &["lost", "worse", "401", "500"]);
}

#[tokio::test]
async fn a_profile_whose_key_cannot_be_had_is_named() {
    let good = serving(A).await;
    let home = Home::with_config(&format!(
        "[profiles.good]\napi_key = \"{KEY}\"\nbase_url = \"{}\"\n[profiles.keyless]\nbase_url = \"{}\"\n",
        good.base_url(),
        good.base_url(),
    ));
    let ended = list(&home, &["-o", "ids"]).await;
    ended.says(2, &["keyless"]);
    assert_eq!(ended.stdout, "a\n");
}

#[tokio::test]
async fn a_limit_is_of_all_of_them() {
    let one = Server::start(|request| Listing::of(150).reply(request)).await;
    let two = Server::start(|request| Listing::of(150).reply(request)).await;
    let home = config(&[("one", &one), ("two", &two)]);
    for format in ["ids", "ndjson"] {
        assert_eq!(list(&home, &["-o", format, "--limit", "120"]).await.data().lines().count(), 120, "{format}");
        assert_eq!(two.log().connections, 0, "nobody needed it");
    }
    let before = two.log().connections;
    assert_eq!(list(&home, &["-o", "tsv", "--limit", "151"]).await.data().matches("two\t").count(), 1);
    assert_eq!(two.log().connections, before + 1);
    // Sorted, any of them may have the first.
    let sorted = list(&home, &["-o", "tsv", "--columns", "profile,id", "--sort", "id:desc", "--limit", "3"]).await;
    assert_eq!(sorted.data(), "one\tw99\ntwo\tw99\none\tw98\n");
}

#[tokio::test]
async fn what_makes_no_sense_with_it_is_refused() {
    let server = serving(A).await;
    let home = config(&[("one", &server)]);
    let mut with_key = home.command(&["list", "--all-profiles"]);
    with_key.env("DIALNEXA_API_KEY", KEY);
    assert!(Ended::of(with_key).await.refusal(2).contains("DIALNEXA_API_KEY"));
    for (arguments, word) in [
        (&["list", "--all-profiles", "--page", "1"] as &[&str], "--page"),
        (&["list", "--all-profiles", "--demo"], "--demo"),
        (&["list", "--all-profiles", "--profile", "one"], "--profile"),
        (&["snapshot", "--all-profiles"], "--all-profiles"),
        (&["get", "a", "--all-profiles"], "--all-profiles"),
        (&["events", "--all-profiles"], "--all-profiles"),
    ] {
        assert!(home.run(arguments).await.refusal(2).contains(word), "{arguments:?}");
    }
    assert!(Home::new().run(&["list", "--all-profiles"]).await.refusal(2).contains("no profiles"));
    assert_eq!(server.log().connections, 0);
}
