//! `hookscope plan`: what it says, and that its script does exactly that and can be run again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use hookscope::demo::{self, DemoOptions, DemoServer, KEY};
use tokio::process::Command;

use super::{Ended, Home};

/// A stand-in for machines without curl: as much of it as the script uses.
const CURL: &str = r#"#!/usr/bin/env python3
import sys, urllib.error, urllib.request
given, rest, flags = {}, [], {"--fail-with-body", "--silent", "--show-error", "--globoff", "--path-as-is"}
arguments = iter(sys.argv[1:])
for argument in arguments:
    if argument in flags:
        continue
    if argument.startswith("--"):
        given.setdefault(argument, []).append(next(arguments))
    else:
        rest.append(argument)
lines = [line for header in given["--header"] for line in (sys.stdin.read().splitlines() if header == "@-" else [header])]
headers = dict(line.split(": ", 1) for line in lines)
(method,), (body,), (url,) = given["--request"], given["--data-raw"], rest
request = urllib.request.Request(url, body.encode(), headers, method=method)
try:
    answer, code = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request), 0
except urllib.error.HTTPError as error:
    answer, code = error, 22
sys.stdout.write(answer.read().decode() + "\n")
sys.exit(code)
"#;

const MAP: &str = r#"
[events]
"call.completed" = ["call.ended", "call.analysis_ready"]
"call.no_answer" = []
"call.failed" = ["call.ended"]
[hosts]
"n8n.ops.northwind.example.org" = "n8n.example.org"
[urls]
"https://crm.northwind.example.com/webhooks/dialnexa" = "https://crm.example.org/it's?a=$HOME&b=`x`"
"#;

/// A demo server, and a home that plans against it.
struct Place {
    home: Home,
    demo: DemoServer,
}

impl Place {
    async fn new(webhooks: u64) -> Self {
        let home = Home::new();
        home.write("map.toml", MAP);
        let demo = DemoServer::start(DemoOptions { webhooks, ..DemoOptions::default() }).await.unwrap();
        Self { home, demo }
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = self.home.at(&self.demo.base_url(), arguments);
        command.env("DIALNEXA_API_KEY", KEY);
        Ended::of(command).await
    }

    /// Runs the script with a key, without anything else of this environment.
    async fn sh(&self, script: &str, key: Option<&str>) -> Ended {
        let script = self.home.write("plan.sh", script);
        let curl = self.home.write("bin/curl", CURL);
        fs::set_permissions(&curl, fs::Permissions::from_mode(0o700)).unwrap();
        let there = std::env::var("PATH").unwrap();
        let has_curl = std::env::split_paths(&there).any(|directory| directory.join("curl").is_file());
        let stand_in = format!("{}:{there}", self.home.path("bin").display());
        let mut command = Command::new("sh");
        command.arg(script).env_clear().env("PATH", if has_curl { there } else { stand_in }).env("HOME", self.home.path(""));
        if let Some(key) = key {
            command.env("DIALNEXA_API_KEY", key);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Ended::of(command).await
    }
}

fn values(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn the_script_does_what_was_planned_and_can_be_run_again() {
    let place = Place::new(130).await;
    let plan = values(&place.run(&["plan", "map.toml", "-o", "json", "-q"]).await.stdout);
    let changes = plan["changes"].as_array().unwrap();
    assert!(changes.len() > 40 && plan["doubts"] == values("[]"), "{} {}", changes.len(), plan["doubts"]);
    place.run(&["snapshot", "before.json", "-q"]).await.data();
    let script = place.run(&["plan", "map.toml", "-o", "sh", "-q"]).await;
    assert!(script.data().starts_with("#!/bin/sh\n") && !script.stdout.contains("not-a-secret"));
    // Nothing was sent by planning it.
    place.run(&["diff", "before.json"]).await.data();

    for _ in 0..2 {
        let ended = place.sh(&script.stdout, Some(KEY)).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("[{0}/{0}]", changes.len())), "{}", ended.stderr);
        let diff = values(&place.run(&["diff", "before.json", "-o", "json"]).await.stdout);
        let found: Vec<_> =
            diff["changed"].as_array().unwrap().iter().map(|change| (&change["id"], &change["after"])).collect();
        let mut planned: Vec<_> = changes.iter().map(|change| (&change["id"], &change["after"])).collect();
        planned.sort_by_key(|(id, _)| id.as_str().unwrap());
        assert_eq!((found, &diff["added"], &diff["removed"]), (planned, &values("[]"), &values("[]")));
    }
    let nothing = values(&place.run(&["plan", "map.toml", "-o", "json", "-q"]).await.stdout);
    assert_eq!(nothing["changes"], values("[]"));
    let script = place.run(&["plan", "map.toml", "-o", "sh", "-q"]).await;
    place.sh(&script.stdout, Some(KEY)).await.says(0, &["nothing to change"]);
}

#[tokio::test]
async fn the_script_stops_at_the_first_error_and_needs_a_key() {
    let place = Place::new(60).await;
    let script = place.run(&["plan", "map.toml", "-o", "sh", "-q"]).await.stdout;
    for (key, word) in [(None, "DIALNEXA_API_KEY"), (Some(""), "DIALNEXA_API_KEY"), (Some(demo::FORBIDDEN_KEY), "[1/")] {
        let ended = place.sh(&script, key).await;
        assert!(ended.code.is_some_and(|code| code != 0) && ended.stderr.contains(word), "{ended:?}");
        assert!(!ended.stderr.contains("[2/") && !ended.stderr.contains("done"), "{}", ended.stderr);
    }
    let snapshot = place.run(&["snapshot", "-q"]).await;
    assert!(snapshot.data().contains("https://crm.northwind.example.com/webhooks/dialnexa"));
}

#[tokio::test]
async fn hostile_ids_and_urls_are_data_to_the_shell() {
    let home = Home::new();
    home.write("w.json", r#"[{"id":"../../x'; touch pwned #\u001b[31m$(touch pwned)\n","url":"https://old.com/'$(touch pwned)`touch pwned`\u202e","events":["a'b\n"]},{"id":"whk_1\n","url":"https://old.com/"},{"id":"..","url":"https://old.com/"}]"#);
    home.write("map.toml", "[hosts]\n\"old.com\" = \"new.com\"\n[events]\n\"a'b\\n\" = [\"$(touch pwned)\"]\n");
    let mut command = home.at("http://127.0.0.1:1/v1", &["plan", "map.toml", "-o", "sh", "--from", "w.json"]);
    command.env_remove("DIALNEXA_API_KEY").env_remove("DIALNEXA_BASE_URL");
    let script = Ended::of(command).await;
    assert_eq!(script.code, Some(0), "{}", script.stderr);
    assert!(!script.stdout.contains(|c: char| c.is_control() && c != '\n') && !script.stdout.contains('\u{202e}'));
    assert!(script.stdout.contains("https://api.dialnexa.com/v1/user-webhooks/"), "{}", script.stdout);
    // The requests as the shell understands them.
    let stub = script.stdout.replace("patch() {", "real() {").replacen(
        "\npatch 1/",
        "\npatch() { printf '%s\\n' \"$#\" \"$2\" \"$3\"; }\npatch 1/",
        1,
    );
    let stub = home.write("stub.sh", stub);
    let output =
        Command::new("sh").arg(stub).env("DIALNEXA_API_KEY", "k").current_dir(home.path("")).output().await.unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!((lines.len(), lines[0], lines[3]), (6, "3", "3"), "{lines:?}");
    let body = values(lines[2]);
    assert_eq!(body["url"], "https://new.com/'$(touch pwned)`touch pwned`\u{202e}");
    assert_eq!(body["events"], values(r#"["$(touch pwned)"]"#));
    assert_eq!(values(lines[5]), values(r#"{"url":"https://new.com/"}"#));
    assert!(!home.path("pwned").exists());
    let last = |url: &str| url.rsplit('/').next().unwrap().to_owned();
    assert!(last(lines[1]).starts_with("..%2F..%2Fx%27%3B"), "{}", lines[1]);
    assert_eq!(last(lines[4]), "whk_1%0A");
    assert!(script.stdout.contains("# to review: ..: its id cannot be used in a URL"), "{}", script.stdout);
}

#[tokio::test]
async fn what_a_person_should_know_is_said() {
    let home = Home::new();
    home.write(
        "w.json",
        r#"[{"id":"a","url":"https://old.com/","events":["x","y"],"is_active":true},{"id":"b","url":"https://new.com/","events":["x"],"is_active":true},{"id":"c","url":"https://c.com/","events":["gone"]},{"id":"d","url":"https://d.com/","events":"x"}]"#,
    );
    home.write("map.toml", "[hosts]\n\"old.com\" = \"new.com\"\n\"never.com\" = \"x.com\"\n[events]\ngone = []\n");
    let run = async |format: &str| home.run(&["plan", "map.toml", "-o", format, "--from", "w.json"]).await;
    let words = [
        "events without a mapping: x (2 webhooks); y (1 webhook)",
        "would deliver the same events to the same URL as another webhook: a with b (x)",
        "would have no events left: c",
        "to review: d: its events are not a list",
        "mappings that match nothing: never.com",
    ];
    run("tsv").await.says(0, &words);
    assert_eq!(run("tsv").await.stdout, "changed\ta\turl.host\told.com\tnew.com\nchanged\tc\tevents\t-gone\t\n");
    assert!(run("table").await.stdout.ends_with("\n2 webhooks to change\n"));
    let script = run("sh").await.stdout;
    for word in words {
        assert!(script.contains(&format!("\n# {word}")), "{word}: {script}");
    }
    let json = values(&run("json").await.stdout);
    assert_eq!(json["collisions"], values(r#"[{"id":"a","with":"b","events":["x"]}]"#));
    assert_eq!((&json["without_events"], &json["unused"]), (&values(r#"["c"]"#), &values(r#"["never.com"]"#)));
    let request = &json["changes"][0]["request"];
    assert_eq!((&request["method"], &request["body"]), (&"PATCH".into(), &values(r#"{"url":"https://new.com/"}"#)));
    let scoped = home.run(&["plan", "map.toml", "-q", "--from", "w.json", "--filter", "id:c"]).await;
    assert_eq!(scoped.data(), "changed\tc\tevents\t-gone\t\n");
}

#[tokio::test]
async fn a_wrong_map_is_told_with_its_line_before_anything_is_read() {
    let home = Home::new();
    for (map, word) in [
        ("[event]\na = []\n", "map.toml:1: event: unknown key"),
        ("[events]\na = \"b\"\n", "map.toml:2: events.a: must be an array of strings"),
        ("[hosts\n", "map.toml:1"),
        ("", "map.toml: maps nothing"),
    ] {
        home.write("map.toml", map);
        let ended = home.run(&["plan", "map.toml"]).await;
        assert!(ended.refusal(2).contains(word), "{}", ended.stderr);
    }
    home.run(&["plan", "none.toml"]).await.refusal(2);
    home.write("map.toml", MAP);
    home.run(&["--demo", "plan", "map.toml", "-o", "sh"]).await.refusal(2);
}

#[tokio::test]
async fn no_script_is_made_of_a_part() {
    let home = Home::new();
    home.write("map.toml", MAP);
    home.write(
        "page.json",
        r#"{"data":[{"id":"a","url":"https://n8n.ops.northwind.example.org/"}],"meta":{"page":1,"limit":1,"total":5}}"#,
    );
    let ended = home.run(&["plan", "map.toml", "-o", "sh", "--from", "page.json"]).await;
    ended.says(5, &["incomplete listing: no script was written"]);
    assert_eq!(ended.stdout, "");
}
