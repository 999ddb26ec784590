//! `hookscope audit`: what it finds, how it is written, and how it ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Value, json};

use super::{Ended, Home, ONCE, ask, feed, profile, serving};
use crate::faults::server::{Envelope, Listing, Reply, Server};

const CREATED: &str = r#""created_at":"2024-04-01T08:00:00.000Z""#;

/// A workspace in which something is wrong, and text that wants to do harm.
fn rows() -> String {
    let row = |id: &str, url: &str, events: &str| {
        format!(r#"{{"id":"{id}","url":"{url}","events":[{events}],"is_active":true,{CREATED}}}"#)
    };
    [
        row("w1", "http://hooks.acme.com/a", r#""call.completed""#),
        row("w2", "https://10.0.0.5/hook", r#""call.completed""#),
        row("w3", "https://webhook.site/abc", r#""call.complete""#),
        row("w4", "https://ok.acme.com/x", r#""call.failed""#),
        row("w5", "https://OK.acme.com:443/x", r#""call.failed""#),
        row("w6", "https://ok.acme.com/y?token=hunter2hunter2", ""),
        row("w7\\u001b[31m|<b>&\\\"", "http://0x7f.1/\\u202e|`x`<i>", r#""ev\u001b]0;x\u0007il""#),
    ]
    .join(",")
}

const CLEAN: &str = r#"{"id":"a","url":"https://a.example.com","events":["call.completed","call.failed","call.no_answer","campaign.completed","campaign.paused","workflow.lead.completed","call.started","call.ended","call.transcript_ready","call.analysis_ready","call.function_error","alert.triggered"],"is_active":true}"#;

#[track_caller]
fn findings(ended: &Ended) -> Vec<Value> {
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The rules that were broken, with their webhooks.
fn found(findings: &[Value]) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for finding in findings {
        let ids = finding["webhooks"].as_array().unwrap().iter().map(|id| id.as_str().unwrap());
        found.entry(finding["rule"].as_str().unwrap()).or_default().extend(ids);
    }
    found
}

async fn audit(home: &Home, server: &Server, arguments: &[&str]) -> Ended {
    Ended::of(home.at(&server.base_url(), &[&["audit"], arguments].concat())).await
}

#[tokio::test]
async fn findings_have_the_shape_that_scripts_rely_on() {
    let server = serving(&rows()).await;
    let ended = ask(&server, &["audit", "-o", "json"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    assert!(!ended.stdout.contains("hunter2"));
    let all = findings(&ended);
    let evil = "w7\u{1b}[31m|<b>&\"";
    let found = found(&all);
    assert_eq!(found["insecure-url"], ["w1", evil]);
    assert_eq!(found["private-destination"], ["w2", evil]);
    assert_eq!(found["no-events"], ["w6"]);
    assert_eq!(found["duplicate-destination"], ["w4", "w5"]);
    assert_eq!(found["credentials-in-url"], ["w6"]);
    assert_eq!(found["test-endpoint"], ["w3"]);
    assert_eq!(found["unknown-event"], ["w3", evil]);
    assert_eq!(found["uncovered-event"], [""; 0]);
    assert_eq!(found.len(), 8);
    let first = &all[0];
    assert_eq!(
        *first,
        json!({
            "rule": "insecure-url", "severity": "error", "webhooks": ["w1"], "message": "scheme is http",
            "advice": "Register the https:// URL of the receiver.",
        })
    );
    let line = ended.lines()[1];
    assert!(line.starts_with(r#"{"rule":"insecure-url","severity":"error","webhooks":["w1"],"message":"#), "{line}");
    let lines = ask(&server, &["audit", "-o", "ndjson"]).await;
    let of_lines: Vec<Value> = lines.lines().into_iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(of_lines, all);
}

#[tokio::test]
async fn the_exit_code_follows_the_threshold() {
    let server = serving(&rows()).await;
    for (arguments, code) in [
        (&[] as &[&str], 1),
        (&["--fail-on", "never"], 0),
        (&["--exit-zero"], 0),
        (&["--rule", "test-endpoint"], 0),
        (&["--rule", "test-endpoint", "--fail-on", "warning"], 1),
        (&["--rule", "uncovered-event", "--fail-on", "warning"], 0),
        (&["--rule", "uncovered-event", "--fail-on", "info"], 1),
        (&["--rule", "insecure-url,no-events", "test-endpoint"], 1),
        (&["--skip", "insecure-url,private-destination,no-events"], 0),
        (&["--filter", "id:w3"], 0),
        (&["--filter", "id:w1"], 1),
    ] {
        let ended = ask(&server, &[&["audit"], arguments].concat()).await;
        assert_eq!(ended.code, Some(code), "{arguments:?} {}", ended.stderr);
    }
    for (arguments, words) in [
        (&["--rule", "no-event"] as &[&str], "did you mean no-events?"),
        (&["--skip", "\u{1b}[31m"], "unknown rule ^[[31m"),
        (&["--rule", "dead-destination"], "dead-destination needs --probe"),
        (&["--rule", "no-events", "--skip", "no-events"], "no rules left to run"),
        (&["--retired", "*"], "would match everything"),
        (&["--retired-file", "/no/such/file"], "No such file"),
    ] {
        let ended = ask(&server, &[&["audit"], arguments].concat()).await;
        assert!(ended.refusal(2).contains(words), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_filter_chooses_findings_and_not_what_they_rest_on() {
    let ended = ask(&serving(&rows()).await, &["audit", "-o", "json", "--filter", "id:w4"]).await;
    assert_eq!(found(&findings(&ended)), [("duplicate-destination", vec!["w4", "w5"])].into());
    let inactive = ask(&serving(&rows()).await, &["audit", "-o", "json", "--scope", "inactive"]).await;
    assert_eq!((inactive.stdout.as_str(), inactive.code), ("[]\n", Some(0)));
    inactive.says(0, &["no findings in 0 webhooks"]);
}

#[tokio::test]
async fn nothing_found_is_said_where_it_can_be() {
    let server = serving(CLEAN).await;
    for format in ["tsv", "json", "ndjson", "csv", "sarif", "junit"] {
        ask(&server, &["audit", "-o", format]).await.says(0, &["no findings in 1 webhook"]);
    }
    let table = ask(&server, &["audit", "-o", "table"]).await;
    assert_eq!(table.data(), "no findings in 1 webhook\n");
    assert!(ask(&server, &["audit", "-o", "markdown"]).await.data().contains("no findings in 1 webhook"));
    assert_eq!(ask(&server, &["audit", "-q"]).await.data(), "");
}

#[tokio::test]
async fn a_part_is_never_called_clean() {
    let odd = serving(&format!("{CLEAN},{{\"id\":7}}")).await;
    let ended = ask(&odd, &["audit", "-o", "json"]).await;
    ended.says(5, &["1 malformed row"]);
    assert_eq!(found(&findings(&ended)).into_keys().collect::<Vec<_>>(), ["malformed-row"]);
    let skipped = ["audit", "--skip", "malformed-row", "-o"];
    for format in ["table", "tsv", "markdown", "json", "sarif", "junit"] {
        let ended = ask(&odd, &[&skipped[..], &[format]].concat()).await;
        assert_eq!(ended.code, Some(5));
        assert!(!ended.stdout.contains("no findings") && !ended.stderr.contains("no findings"), "{format}");
    }
    let sarif = ask(&odd, &[&skipped[..], &["sarif"]].concat()).await;
    let sarif: Value = serde_json::from_str(&sarif.stdout).unwrap();
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
    let junit = ask(&odd, &[&skipped[..], &["junit"]].concat()).await;
    assert!(junit.stdout.contains("errors=\"1\"") && junit.stdout.contains("incomplete"), "{}", junit.stdout);
    let server = Server::start(|request| match request.page() {
        2 => Reply::status("500 Internal Server Error", "{}"),
        _ => Listing::of(230).reply(request),
    })
    .await;
    ask(&server, &["audit", "--fail-on", "never"]).await.says(5, &["incomplete", "page 2"]);
    let nothing = Server::always(Reply::status("403 Forbidden", "{}")).await;
    ask(&nothing, &["audit"]).await.refusal(3);
}

#[tokio::test]
async fn people_get_harmless_text_that_fits() {
    let server = serving(&rows()).await;
    for format in ["table", "tsv", "markdown", "csv", "junit"] {
        let ended = ask(&server, &["audit", "-o", format]).await;
        let hostile = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r') || c == '\u{202e}';
        // csv has true ids, with which a terminal does nothing on a pipe.
        assert!(format == "csv" || !ended.stdout.contains(hostile), "{format}: {}", ended.stdout);
        assert!(!ended.stdout.contains("hunter2"), "{format}");
    }
    let table = ask(&server, &["audit", "-o", "table"]).await;
    assert!(table.lines().iter().all(|line| line.chars().count() <= 80), "{}", table.stdout);
    assert!(table.stdout.contains("error: insecure-url (2) URL does not use https://\n  w1  http://hooks.acme.com/a\n"));
    // The host that is resolved.
    assert!(table.stdout.contains("http://127.0.0.1/"), "{}", table.stdout);
    assert!(table.stdout.ends_with("5 errors, 5 warnings, 10 info in 7 webhooks\n"), "{}", table.stdout);
    let coloured = ask(&server, &["audit", "-o", "table", "--color", "always"]).await;
    assert!(coloured.stdout.contains("\x1b[1;31merror: insecure-url\x1b[0m "));
    let tsv = ask(&server, &["audit"]).await;
    let line = tsv.lines().into_iter().find(|line| line.contains("duplicate")).unwrap();
    let cells: Vec<_> = line.split('\t').collect();
    assert_eq!(cells[..3], ["warning", "duplicate-destination", "w4,w5"]);
    assert_eq!(cells.len(), 5);
}

#[tokio::test]
async fn markdown_is_a_table_for_each_rule() {
    let ended = ask(&serving(&rows()).await, &["audit", "-o", "markdown"]).await;
    let text = &ended.stdout;
    assert!(text.starts_with("## Webhook audit\n\n5 errors, 5 warnings, 10 info in 7 webhooks.\n"), "{text}");
    assert!(text.contains("\n#### error: `no-events`, active, but subscribed to no events (1)\n"), "{text}");
    assert!(text.contains("| w6 | `https://ok.acme.com/y?token=***` | `event list is empty` |"), "{text}");
    assert!(text.contains("| w4<br>w5 | `https://ok.acme.com/x`<br>`https://OK.acme.com:443/x` |"), "{text}");
    assert!(text.contains("`w7^[[31m\\|<b>&\"`"), "{text}");
    for line in ended.lines().into_iter().filter(|line| line.starts_with('|')) {
        assert_eq!(line.replace("\\|", "").matches('|').count(), 4, "{line}");
    }
}

/// What GitHub demands of a result beyond the standard: locations in files, by URIs that are relative, and lines.
#[track_caller]
fn assert_physical(result: &Value) {
    let locations = result["locations"].as_array().unwrap();
    assert!((1..=100).contains(&locations.len()), "{result}");
    for location in locations {
        let place = &location["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.starts_with('/') && !uri.contains("//") && !uri.contains(['\\', ' ', '<', '>', '"']), "{uri}");
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
    }
    assert!(result["partialFingerprints"]["primaryLocationLineHash"].is_string());
}

#[tokio::test]
async fn sarif_of_a_file_points_to_its_lines() {
    let home = Home::new();
    let webhook =
        |id: &str| format!(r#"{{"id":"{id}","url":"http://{id}.example.com/","events":[" call.failed"],"is_active":true}}"#);
    home.write("my snapshots/w 1.json", format!("[\n{},\n{}\n]\n", webhook("a"), webhook("b")));
    let pretty = "{\n  \"data\": [\n    {\n      \"id\": \"c\",\n      \"url\": \"http://c.example.com\"\n    }\n  ]\n}\n";
    home.write("p:q.json", pretty);
    let file = home.path("my snapshots/w 1.json");
    let absolute = file.to_str().unwrap();
    for (from, uri, lines) in [
        ("my snapshots/w 1.json", "my%20snapshots/w%201.json", &[2, 3][..]),
        (absolute, "my%20snapshots/w%201.json", &[2, 3]),
        ("p:q.json", "./p:q.json", &[4]),
    ] {
        let ended = home.run(&["--from", from, "audit", "-o", "sarif"]).await;
        let sarif: Value = serde_json::from_str(&ended.stdout).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        results.iter().for_each(assert_physical);
        let place = |result: &Value| result["locations"][0]["physicalLocation"].clone();
        assert!(results.iter().all(|result| place(result)["artifactLocation"]["uri"] == uri), "{from}");
        let insecure = results.iter().filter(|result| result["ruleId"] == "insecure-url");
        let found: Vec<_> = insecure.map(|result| place(result)["region"]["startLine"].as_u64().unwrap()).collect();
        assert_eq!(found, lines, "{from}");
    }
    // A pipe is read once, and has no lines.
    let pipe = home.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let text = format!("[{}]", webhook("a"));
    let written = tokio::task::spawn_blocking({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, text)
    });
    let asked = home.run(&["--from", "pipe", "audit", "-o", "sarif"]);
    let ended = tokio::time::timeout(std::time::Duration::from_mins(1), asked).await.unwrap();
    written.await.unwrap().unwrap();
    let sarif: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "pipe");
    // stdin has no name.
    let ended = feed(format!("[{}]", webhook("a")), &["--from", "-", "audit", "-o", "sarif"]).await;
    let sarif: Value = serde_json::from_str(&ended.stdout).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "user-webhooks/a.json");
}

#[tokio::test]
async fn sarif_of_a_large_finding_is_one_that_github_takes() {
    let webhook =
        |id: u32| format!(r#"{{"id":"w{id}","url":"https://a.example.com/","events":["call.failed"],"is_active":true}}"#);
    let rows: Vec<_> = (0..1_500).map(webhook).collect();
    let ended = feed(format!("[{}]", rows.join(",")), &["--from", "-", "audit", "-o", "sarif"]).await;
    let sarif: Value = serde_json::from_str(&ended.stdout).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    results.iter().for_each(assert_physical);
    let duplicate = results.iter().find(|result| result["ruleId"] == "duplicate-destination").unwrap();
    let message = duplicate["message"]["text"].as_str().unwrap();
    assert!(message.ends_with("(the first 100 of 1500 locations)"), "{message}");
}

#[tokio::test]
async fn sarif_has_what_the_standard_demands() {
    let home = Home::with_config(&format!(
        "{ONCE}[[audit.allow]]\nrule = \"insecure-url\"\nwebhook = \"w1\"\nreason = \"until spring\"\n"
    ));
    let server = serving(&rows()).await;
    let ended = audit(&home, &server, &["-o", "sarif"]).await;
    ended.says(1, &["1 waived"]);
    let sarif: Value = serde_json::from_str(&ended.stdout).unwrap();
    // As OASIS publishes it, but for a pattern of language codes that has a bracket too many.
    let schema = include_str!("../schemas/sarif-2.1.0.json").replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let errors = |sarif: &Value| schema.iter_errors(sarif).map(|error| error.to_string()).collect::<Vec<_>>();
    assert_eq!(errors(&sarif), [""; 0]);
    assert!(!errors(&serde_json::json!({"version": "2.1.0", "runs": [{"tool": {}}]})).is_empty(), "the schema is in force");
    let clean = serving("").await;
    let nothing = audit(&home, &clean, &["-o", "sarif"]).await;
    assert_eq!(errors(&serde_json::from_str(&nothing.stdout).unwrap()), [""; 0]);
    assert_eq!(sarif["version"], "2.1.0");
    assert!(sarif["$schema"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    let run = &sarif["runs"][0];
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "hookscope");
    assert!(driver["informationUri"].as_str().unwrap().starts_with("https://"));
    let rules = driver["rules"].as_array().unwrap();
    for rule in rules {
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(rule[text]["text"].is_string(), "{rule}");
        }
        assert!(["error", "warning", "note"].contains(&rule["defaultConfiguration"]["level"].as_str().unwrap()));
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 20);
    let mut fingerprints = Vec::new();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(result["message"]["text"].is_string());
        fingerprints.push(result["partialFingerprints"]["hookscope/v1"].as_str().unwrap());
        let hash = result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap();
        assert_eq!(hash.strip_suffix(":1"), fingerprints.last().copied());
        assert_physical(result);
        for location in result["locations"].as_array().unwrap() {
            let uri = location["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
            let Some(place) = location.get("logicalLocations").map(|places| &places[0]) else {
                assert_eq!(uri, "user-webhooks.json");
                continue;
            };
            let name = place["name"].as_str().unwrap();
            assert_eq!(place["fullyQualifiedName"], format!("user-webhooks/{name}"));
            let encoded = if name.len() == 2 { name } else { "w7%1B%5B31m%7C%3Cb%3E%26%22" };
            assert_eq!(uri, format!("user-webhooks/{encoded}.json"));
        }
    }
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), results.len(), "a fingerprint is of one finding");
    let again = audit(&home, &server, &["-o", "sarif"]).await;
    assert_eq!(again.stdout, ended.stdout, "the same findings are the same report");
    let suppressed: Vec<_> = results.iter().filter(|result| result["suppressions"] != json!([])).collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0]["suppressions"][0]["justification"], "until spring");
}

#[tokio::test]
async fn junit_is_xml_whose_counts_are_true() {
    let ended = ask(&serving(&rows()).await, &["audit", "-o", "junit"]).await;
    let mut reader = Reader::from_str(&ended.stdout);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut told = BTreeMap::new();
    let mut names = Vec::new();
    let mut depth = 0;
    loop {
        let event = reader.read_event().unwrap();
        let element = match &event {
            Event::Start(element) => {
                depth += 1;
                element
            }
            Event::Empty(element) => element,
            Event::End(_) => {
                depth -= 1;
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let name = element.name().as_ref().to_owned();
        for attribute in element.attributes() {
            let attribute = attribute.unwrap();
            let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
            match (name.as_str(), attribute.key.as_ref()) {
                ("testsuites", "tests" | "failures" | "errors" | "skipped") => {
                    told.insert(attribute.key.as_ref().to_owned(), value.parse::<usize>().unwrap());
                }
                ("testcase", "name") => names.push(value),
                _ => {}
            }
        }
        *counts.entry(name).or_default() += 1;
    }
    assert_eq!(depth, 0);
    let count = |name: &str| counts.get(name).copied().unwrap_or_default();
    assert_eq!(
        told,
        [
            ("tests", count("testcase")),
            ("failures", count("failure")),
            ("errors", count("error")),
            ("skipped", count("skipped"))
        ]
        .map(|(name, count)| (name.to_owned(), count))
        .into()
    );
    assert_eq!(told["failures"], 5);
    assert!(names.iter().any(|name| name.starts_with("w7^[[31m|<b>&\" http://127.0.0.1/")), "{names:?}");
    assert!(names.iter().any(|name| name == "URL is not valid"), "{names:?}");
}

#[tokio::test]
async fn what_is_accepted_is_set_aside_until_its_time_is_over() {
    let server = serving(&rows()).await;
    let waiver =
        |rule: &str, of: &str, more: &str| format!("[[audit.allow]]\nrule = \"{rule}\"\n{of}\nreason = \"known\"\n{more}\n");
    let home = Home::with_config(&format!(
        "{ONCE}{}{}{}",
        waiver("insecure-url", "webhook = \"w1\"", "expires = 2999-01-01"),
        waiver("private-destination", "url = \"10.0.0.*\"", ""),
        waiver("no-events", "webhook = \"w6\"", "expires = \"2020-01-01\""),
    ));
    let ended = audit(&home, &server, &["-o", "json"]).await;
    ended.says(1, &["2 waived"]);
    let all = findings(&ended);
    let of = found(&all);
    assert!(!of["insecure-url"].contains(&"w1") && !of["private-destination"].contains(&"w2"));
    assert_eq!(of["no-events"], ["w6"]);
    let expired = all.iter().find(|finding| finding["rule"] == "expired-waiver").unwrap();
    assert_eq!(expired["message"], "waiver of no-events for w6 expired on 2020-01-01: known");
    let without = audit(&home, &server, &["-o", "json", "--no-waivers"]).await;
    assert_eq!((without.code, without.stderr.as_str()), (Some(1), ""));
    let all = findings(&without);
    assert!(found(&all)["insecure-url"].contains(&"w1") && !found(&all).contains_key("expired-waiver"));
}

#[tokio::test]
async fn retired_destinations_come_from_config_option_and_file() {
    let server = serving(&rows()).await;
    let home = Home::with_config(&format!("{ONCE}[audit]\nretired = [\"hooks.acme.com\"]\n"));
    home.write("retired.txt", "# old ones\r\n10.0.0.5   # the first\n\nhttps://webhook.site/abc\n");
    let arguments =
        ["-o", "json", "--rule", "retired-destination", "--retired", "ok.acme.com/y", "--retired-file", "retired.txt"];
    let ended = audit(&home, &server, &arguments).await;
    assert_eq!(found(&findings(&ended))["retired-destination"], ["w1", "w2", "w3", "w6"]);
    home.write("retired.txt", "good.example.com\na b\n");
    let ended = audit(&home, &server, &["--retired-file", "retired.txt"]).await;
    assert!(ended.refusal(2).contains("retired.txt: line 2 is not a valid pattern"), "{}", ended.stderr);
    home.write("retired.txt", "x".repeat(5 << 20));
    let ended = audit(&home, &server, &["--retired-file", "retired.txt"]).await;
    assert!(ended.refusal(2).contains("larger than 4 MiB"), "{}", ended.stderr);
}

#[tokio::test]
async fn the_config_changes_severities() {
    let server = serving(&rows()).await;
    let home = Home::with_config(&format!(
        "{ONCE}[audit]\nknown_events = [\"call.complete\"]\n[audit.severity]\ninsecure-url = \"info\"\ntest-endpoint = \"error\"\n"
    ));
    let ended = audit(&home, &server, &["-o", "json"]).await;
    let all = findings(&ended);
    let severity = |rule: &str| all.iter().find(|finding| finding["rule"] == rule).unwrap()["severity"].clone();
    assert_eq!((severity("insecure-url"), severity("test-endpoint")), (json!("info"), json!("error")));
    assert!(!found(&all)["unknown-event"].contains(&"w3"));
}

#[tokio::test]
async fn a_sweep_names_the_profile_first() {
    let (one, two) = (serving(CLEAN).await, serving(&rows()).await);
    let refused = Server::always(Reply::status("401 Unauthorized", "{}")).await;
    let config = format!("{ONCE}{}{}", profile("one", &one), profile("two", &two));
    let home = Home::with_config(&config);
    let ended = home.run(&["audit", "--all-profiles", "-o", "json"]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.lines()[1].starts_with(r#"{"profile":"two","rule":"insecure-url","#), "{}", ended.stdout);
    let tsv = home.run(&["audit", "--all-profiles"]).await;
    assert!(tsv.stdout.starts_with("two\terror\tinsecure-url\tw1\t"), "{}", tsv.stdout);
    let table = home.run(&["audit", "--all-profiles", "-o", "table"]).await;
    assert!(table.stdout.starts_with("profile one: no findings in 1 webhook\n\nprofile two: 5 errors"), "{}", table.stdout);
    let home = Home::with_config(&format!("{config}{}", profile("aaa", &refused)));
    home.run(&["audit", "--all-profiles"]).await.says(3, &["aaa", "401"]);
}

#[tokio::test]
async fn a_report_says_which_workspace_it_leaves_out() {
    let clean = serving(CLEAN).await;
    let refused = Server::always(Reply::status("401 Unauthorized", "{}")).await;
    let home = Home::with_config(&format!("{ONCE}{}{}", profile("bad", &refused), profile("ok", &clean)));
    for (format, words) in [
        ("sarif", "\"executionSuccessful\":false"),
        ("sarif", "bad: not all webhooks could be read"),
        ("junit", "<testsuite name=\"bad\" tests=\"1\" failures=\"0\" errors=\"1\""),
        ("markdown", "### Profile `bad`: nothing found in the 0 webhooks that were read; the listing is incomplete"),
        ("table", "profile bad: nothing found in the 0 webhooks that were read; the listing is incomplete"),
    ] {
        let ended = home.run(&["audit", "--all-profiles", "-o", format]).await;
        assert_eq!(ended.code, Some(3));
        assert!(ended.stdout.contains(words), "{}", ended.stdout);
    }
}

#[tokio::test]
async fn of_a_part_nothing_is_said_to_be_missing() {
    let part = r#"{"data":[{"id":"a","url":"https://a.example.com/","events":["call.failed"],"is_active":true}],"meta":{"page":1,"limit":100,"total":500}}"#;
    let ended = feed(part, &["audit", "--from", "-", "--rule", "uncovered-event"]).await;
    ended.says(5, &["the API reported 500 webhooks but sent 1"]);
    assert_eq!(ended.stdout, "");
}

#[tokio::test]
async fn rules_are_listed_and_explained_without_a_config() {
    let home = Home::with_config("this is no TOML");
    let list = home.run(&["audit", "--list-rules"]).await;
    let lines: Vec<_> = list.data().lines().collect();
    assert_eq!(lines.len(), hookscope::analysis::audit::RULES.len());
    for (rule, line) in hookscope::analysis::audit::RULES.iter().zip(lines) {
        assert!(line.starts_with(rule.id) && line.contains(rule.severity.name()) && line.ends_with(rule.about), "{line}");
        let explained = home.run(&["audit", "--explain", rule.id]).await;
        let words = explained.data().replace('\n', " ");
        assert!(words.contains(rule.about) && words.contains(rule.why) && words.contains(rule.advice), "{words}");
        assert!(explained.lines().iter().all(|line| line.len() <= 80), "{words}");
    }
    let unknown = home.run(&["audit", "--explain", "no-event"]).await;
    assert!(unknown.refusal(2).contains("did you mean no-events?"));
}

#[tokio::test]
async fn huge_values_do_no_harm() {
    let url = format!("https://a.example.com/{}", "x".repeat(1 << 20));
    let events: Vec<_> = (0..10_000).map(|i| format!("\"x.{i}\"")).collect();
    let rows = format!(
        r#"{{"id":"a","url":"{url}","events":[{}],"is_active":true}},{{"id":"b","url":"{url}","events":["x.7",7],"is_active":true}},
           {{"id":"c","url":"https://b.example.com","events":"all","is_active":"yes","created_at":7}}"#,
        events.join(",")
    );
    let ended = ask(&serving(&rows).await, &["audit", "-o", "json"]).await;
    assert_eq!(ended.code, Some(0));
    assert_eq!(found(&findings(&ended))["duplicate-destination"], ["a", "b"]);
    let table = ask(&serving(&rows).await, &["audit", "-o", "markdown"]).await;
    assert!(table.stdout.len() < 20_000, "{}", table.stdout.len());
}

#[tokio::test]
async fn the_demo_has_every_kind_of_finding_that_a_listing_can_have() {
    let home = Home::with_config("[audit]\nretired = [\"legacy.northwind.example.com\"]\n");
    let ended = home.run(&["--demo", "audit", "-o", "json"]).await;
    assert_eq!(ended.code, Some(1));
    let all = findings(&ended);
    for (rule, count) in [
        ("invalid-url", 4),
        ("insecure-url", 3),
        ("private-destination", 5),
        ("retired-destination", 4),
        ("no-events", 3),
        ("duplicate-destination", 3),
        ("credentials-in-url", 4),
        ("test-endpoint", 5),
        ("unknown-event", 5),
        ("legacy-event", 4),
        ("confusable-host", 3),
        ("url-too-long", 2),
        ("uncovered-event", 1),
    ] {
        assert_eq!(all.iter().filter(|finding| finding["rule"] == rule).count(), count, "{rule}");
    }
}

#[tokio::test]
async fn deliveries_and_a_probe_bring_rules_of_their_own() {
    let dead = CLEAN.replace("a.example.com", "nobody.invalid");
    let server = serving(&dead).await;
    let home = Home::with_config(ONCE);
    let rows = "a,false\na,true\na,true\na,true\n".repeat(5);
    home.write("deliveries.csv", format!("webhook_id,is_success\n{rows}gone,false\n,\n"));
    let file = home.path("deliveries.csv");
    let failing = audit(&home, &server, &["--deliveries", file.to_str().unwrap(), "-o", "json"]).await;
    assert_eq!(failing.code, Some(5), "a row cannot be used: {}", failing.stderr);
    assert_eq!(found(&findings(&failing)), BTreeMap::from([("failing-deliveries", vec!["a"])]));
    assert!(failing.stderr.contains("1 attempt matches no webhook: gone"), "{}", failing.stderr);
    assert!(failing.stderr.contains("1 malformed row"), "{}", failing.stderr);
    let probed = audit(&home, &server, &["--probe", "-o", "json"]).await;
    assert_eq!(probed.code, Some(1), "{}", probed.stderr);
    assert_eq!(found(&findings(&probed)), BTreeMap::from([("dead-destination", vec!["a"])]));
    let refused = audit(&home, &server, &["--deliveries", "/no/such/file"]).await;
    refused.refusal(2);
}

#[tokio::test]
async fn a_webhook_that_the_history_saw_active_is_not_called_long_gone() {
    let is_active = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&is_active);
    let server = Server::start(move |_| {
        let is_active = state.load(Ordering::SeqCst);
        let row = format!(r#"{{"id":"a","url":"https://a.example.com","events":["call.failed"],"is_active":{is_active},"created_at":"2020-01-01T00:00:00Z"}}"#);
        Reply::json(Envelope::Seed.wrap(&row, 1, 100, "1"))
    })
    .await;
    let home = Home::with_config(ONCE);
    Ended::of(home.at(&server.base_url(), &["list"])).await.data();
    is_active.store(false, Ordering::SeqCst);
    let today = || hookscope::base::clock::Moment::now().wall.strftime("%Y-%m-%d").to_string();
    // The second time from the cache.
    for cached in [&[][..], &["--cached"]] {
        let before = today();
        let options = [cached, &["audit", "--rule", "long-inactive", "-o", "json"]].concat();
        let ended = Ended::of(home.at(&server.base_url(), &options)).await;
        let findings: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
        let (message, advice) = (findings[0]["message"].as_str().unwrap(), findings[0]["advice"].as_str().unwrap());
        let is_of_today = message.ends_with(&today()) || message.ends_with(&before);
        assert!(message.contains("became inactive ") && is_of_today, "{message}");
        assert!(!advice.to_ascii_lowercase().contains("delete"), "{advice}");
    }
}
