//! `hookscope metrics`, read by a parser that forgives nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;

use hookscope::analysis::probed::{Probed, Seen};
use hookscope::analysis::reach::Trouble;
use hookscope::output::{Measured, openmetrics};

use super::{Ended, Home, ONCE, ask, profile, serving};
use crate::faults::server::{Listing, Reply, Server};
use crate::support::{NOW, origin, probed, reach};

type Sample = (String, BTreeMap<String, String>);

/// The samples of an OpenMetrics text of gauges: each family described before its samples and in one piece, no sample twice,
/// no timestamps, `# EOF` at the end.
#[track_caller]
fn parse(text: &str) -> BTreeMap<Sample, f64> {
    let body = text.strip_suffix("# EOF\n").unwrap();
    assert!(text.is_ascii() || !text.contains('\u{202e}'));
    let mut samples = BTreeMap::new();
    let mut described: Vec<&str> = Vec::new();
    let mut typed: Vec<&str> = Vec::new();
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(!help.is_empty() && !described.contains(&name), "{line}");
            described.push(name);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!((kind, described.last()), ("gauge", Some(&name)), "{line}");
            typed.push(name);
        } else {
            let (sample, value) = sample(line);
            assert_eq!(typed.last(), Some(&sample.0.as_str()), "{line}");
            assert!(samples.insert(sample, value).is_none(), "twice: {line}");
        }
    }
    assert_eq!(described, typed);
    samples
}

#[track_caller]
fn sample(line: &str) -> (Sample, f64) {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").unwrap();
            assert!(label.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
            let mut value = String::new();
            let mut letters = after.char_indices();
            let closed = loop {
                let (at, letter) = letters.next().unwrap();
                match letter {
                    '"' => break at,
                    '\\' => {
                        let escaped = letters.next().unwrap().1;
                        assert!(matches!(escaped, 'n' | '\\' | '"'), "{line}");
                        value.push(if escaped == 'n' { '\n' } else { escaped });
                    }
                    letter => value.push(letter),
                }
            };
            assert!(!value.contains(char::is_control) && value.chars().count() <= 80, "{value:?}");
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            rest = after.get(closed + 1..).unwrap();
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix('}').unwrap();
    }
    let value = rest.strip_prefix(' ').unwrap();
    assert!(!value.contains(' '), "a timestamp: {line}");
    ((name.to_owned(), labels), value.parse().unwrap())
}

fn of(samples: &BTreeMap<Sample, f64>, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    samples.get(&(name.to_owned(), labels)).copied()
}

const ROWS: &str = r#"{"id":"1","url":"http://a.example.com/1","events":["call.completed"],"is_active":true},
{"id":"2","url":"https://a.example.com/2","events":["call.completed","x\"\\\n\u202e"],"is_active":false},
{"id":"3","url":"https://a.example.com/3","events":[],"is_active":"true"}"#;

#[tokio::test]
async fn everything_is_counted() {
    let ended = ask(&serving(ROWS).await, &["metrics"]).await;
    let samples = parse(ended.data());
    for (name, labels, value) in [
        ("dialnexa_webhooks", &[("active", "true")] as &[_], 1.0),
        ("dialnexa_webhooks", &[("active", "false")], 1.0),
        ("dialnexa_webhooks", &[("active", "unknown")], 1.0),
        ("dialnexa_webhook_subscriptions", &[("event", "call.completed"), ("active", "true")], 1.0),
        ("dialnexa_webhook_subscriptions", &[("event", "call.completed"), ("active", "false")], 1.0),
        ("dialnexa_webhook_subscriptions", &[("event", "call.failed"), ("active", "true")], 0.0),
        ("dialnexa_webhook_subscriptions", &[("event", "x\"\\^J<U+202E>"), ("active", "false")], 1.0),
        ("dialnexa_webhook_findings", &[("rule", "insecure-url"), ("severity", "error")], 1.0),
        ("dialnexa_webhook_findings", &[("rule", "invalid-url"), ("severity", "error")], 0.0),
        ("dialnexa_webhook_findings", &[("rule", "uncovered-event"), ("severity", "info")], 11.0),
        ("dialnexa_webhook_findings_waived", &[], 0.0),
        ("dialnexa_webhook_malformed_rows", &[], 0.0),
        ("dialnexa_webhook_read_complete", &[], 1.0),
    ] {
        assert_eq!(of(&samples, name, labels), Some(value), "{name} {labels:?}\n{}", ended.stdout);
    }
    assert!(of(&samples, "dialnexa_webhook_read_seconds", &[]).unwrap() >= 0.0);
    // A rule that could not look has not passed.
    assert!(!ended.stdout.contains("dead-destination"));
    let firsts: Vec<_> = ended.lines().into_iter().filter(|line| line.starts_with("# TYPE")).collect();
    assert_eq!(firsts.len(), 7);
}

#[test]
fn what_a_probe_found_is_there_for_what_was_tried() {
    let measured = |profile: Option<&str>, probed| Measured {
        profile: profile.map(Into::into),
        seconds: Some(0.0),
        probed: Some(probed),
        ..Measured::default()
    };
    let samples = parse(&openmetrics(vec![measured(None, probed())]).unwrap());
    let labels = |origin| [("origin", origin)];
    for (name, origin, value) in [
        ("dialnexa_webhook_probe_success", "https://alive.example.com", Some(1.0)),
        ("dialnexa_webhook_probe_success", "https://gone.example.com:8443", Some(0.0)),
        ("dialnexa_webhook_probe_success", "https://10.0.0.1", None),
        ("dialnexa_webhook_probe_tls_days_left", "https://alive.example.com", Some(43.0)),
        ("dialnexa_webhook_probe_tls_days_left", "https://soon.example.com", Some(5.0)),
        ("dialnexa_webhook_probe_tls_days_left", "https://gone.example.com:8443", None),
    ] {
        assert_eq!(of(&samples, name, &labels(origin)), value, "{name} {origin}");
    }
    assert_eq!(of(&samples, "dialnexa_webhook_probe_untried", &[]), Some(1.0));
    assert_eq!(of(&samples, "dialnexa_webhook_probe_omitted", &[]), Some(0.0));
    // Two profiles may deliver to the same place.
    let samples = parse(&openmetrics(vec![measured(Some("a"), probed()), measured(Some("b"), probed())]).unwrap());
    let both = ["a", "b"].map(|profile| {
        let labels = [("profile", profile), ("origin", "https://alive.example.com")];
        of(&samples, "dialnexa_webhook_probe_success", &labels)
    });
    assert_eq!(both, [Some(1.0); 2]);
}

#[test]
fn thousands_of_destinations_are_a_bounded_number_of_samples() {
    let mut many = Probed::default();
    for number in 0..3_000 {
        let found = if number % 100 == 7 { Err(Trouble::Refused) } else { Ok(number) };
        let seen = Seen { reach: reach(found), at: NOW.parse().unwrap() };
        many.insert(origin(&format!("https://h{number}.example")), seen);
    }
    let measured = Measured { seconds: Some(0.0), probed: Some(many), ..Measured::default() };
    let samples = parse(&openmetrics(vec![measured]).unwrap());
    let success: Vec<_> = samples.iter().filter(|((name, _), _)| name == "dialnexa_webhook_probe_success").collect();
    assert_eq!(success.len(), 1_000);
    assert_eq!(success.iter().filter(|(_, value)| **value < 0.5).count(), 30, "the dead come first");
    assert_eq!(of(&samples, "dialnexa_webhook_probe_omitted", &[]), Some(2_000.0));
    let days: Vec<_> = samples.iter().filter(|((name, _), _)| name == "dialnexa_webhook_probe_tls_days_left").collect();
    assert!(days.len() == 970 && days.iter().all(|(_, value)| **value < 1_000.0), "then what ends first");
}

#[tokio::test]
async fn a_probe_brings_gauges_and_findings_of_its_own() {
    let rows = r#"{"id":"1","url":"https://nobody.invalid/1","events":["call.completed"],"is_active":true},
{"id":"2","url":"https://10.0.0.1/","events":["call.completed"],"is_active":true},
{"id":"3","url":"https://nobody-else.invalid/","events":["call.completed"],"is_active":false}"#;
    let server = serving(rows).await;
    let ended = ask(&server, &["metrics", "--probe", "--step-timeout", "60"]).await;
    let samples = parse(ended.data());
    let success: Vec<_> = samples.iter().filter(|((name, _), _)| name == "dialnexa_webhook_probe_success").collect();
    assert_eq!(success.len(), 1, "nothing is delivered to the inactive one: {}", ended.stdout);
    assert_eq!(of(&samples, "dialnexa_webhook_probe_success", &[("origin", "https://nobody.invalid")]), Some(0.0));
    assert_eq!(of(&samples, "dialnexa_webhook_probe_untried", &[]), Some(1.0));
    let findings = |rule, severity| of(&samples, "dialnexa_webhook_findings", &[("rule", rule), ("severity", severity)]);
    assert_eq!(findings("dead-destination", "error"), Some(1.0));
    assert_eq!(findings("tls-expiring", "warning"), Some(0.0));
}

#[tokio::test]
async fn thousands_of_events_are_a_bounded_number_of_samples() {
    let long = "y".repeat(5000);
    let events: Vec<_> =
        (0..3000).map(|i| format!("\"x.{i}\"")).chain([format!("\"{long}a\""), format!("\"{long}b\"")]).collect();
    let row = format!(r#"{{"id":"1","url":"https://a.example.com/","events":[{}],"is_active":true}}"#, events.join(","));
    let ended = ask(&serving(&row).await, &["metrics"]).await;
    let samples = parse(ended.data());
    let subscriptions: Vec<_> = samples.iter().filter(|((name, _), _)| name == "dialnexa_webhook_subscriptions").collect();
    assert_eq!(subscriptions.len(), 2 * 201);
    let sum: f64 = subscriptions.iter().map(|(_, value)| **value).sum();
    assert!((sum - 3002.0).abs() < 0.5, "{sum}");
    assert_eq!(
        of(&samples, "dialnexa_webhook_subscriptions", &[("event", "(other)"), ("active", "true")]),
        Some(3002.0 - 188.0)
    );
}

#[tokio::test]
async fn a_part_is_told_as_one() {
    let server = Server::start(|request| match request.page() {
        2 => Reply::status("500 Internal Server Error", "{}"),
        _ => Listing::of(230).reply(request),
    })
    .await;
    let ended = ask(&server, &["metrics"]).await;
    ended.says(5, &["incomplete", "page 2"]);
    assert_eq!(of(&parse(&ended.stdout), "dialnexa_webhook_read_complete", &[]), Some(0.0));
    let refused = Server::always(Reply::status("403 Forbidden", "{}")).await;
    let ended = ask(&refused, &["metrics"]).await;
    assert_eq!(ended.code, Some(3));
    let samples = parse(&ended.stdout);
    assert_eq!(of(&samples, "dialnexa_webhook_read_complete", &[]), Some(0.0), "what was written last must not stay true");
    assert!(!ended.stdout.contains("dialnexa_webhooks{"), "{}", ended.stdout);
}

#[tokio::test]
async fn a_file_is_replaced_as_a_whole_and_stays_readable() {
    let server = serving(ROWS).await;
    let home = Home::with_config(ONCE);
    let run = async || Ended::of(home.at(&server.base_url(), &["metrics", "--file", "x.prom"])).await;
    assert_eq!(run().await.data(), "");
    let first = parse(&home.read("x.prom"));
    home.write("x.prom", "stale");
    fs::set_permissions(home.path("x.prom"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(run().await.data(), "");
    assert_eq!(fs::metadata(home.path("x.prom")).unwrap().permissions().mode() & 0o777, 0o644);
    let second = parse(&home.read("x.prom"));
    assert!(first.keys().eq(second.keys()));
    let piped = Ended::of(home.at(&server.base_url(), &["metrics", "--file", "/dev/stdout"])).await;
    assert!(first.keys().eq(parse(piped.data()).keys()));
    let missing = Ended::of(home.at(&server.base_url(), &["metrics", "--file", "no/such/x.prom"])).await;
    missing.refusal(4);
    // When nothing could be read, what was there must not go on saying that all is well.
    let down = Server::always(Reply::status("403 Forbidden", "{}")).await;
    Ended::of(home.at(&down.base_url(), &["metrics", "--file", "x.prom"])).await.refusal(3);
    let unread = parse(&home.read("x.prom"));
    assert_eq!((unread.len(), of(&unread, "dialnexa_webhook_read_complete", &[])), (1, Some(0.0)));
    let names = fs::read_dir(home.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: BTreeSet<_> = names.filter(|name| !matches!(name.as_str(), "cache" | "state")).collect();
    assert_eq!(names.len(), 2, "the config and the metrics, and nothing half written: {names:?}");
}

#[tokio::test]
async fn a_sweep_tells_the_profiles_apart_and_which_of_them_failed() {
    let good = serving(ROWS).await;
    let refused = Server::always(Reply::status("401 Unauthorized", "{}")).await;
    let home = Home::with_config(&format!("{ONCE}{}{}", profile("good", &good), profile("lost", &refused)));
    let ended = home.run(&["metrics", "--all-profiles"]).await;
    ended.says(3, &["lost", "401"]);
    let samples = parse(&ended.stdout);
    assert_eq!(of(&samples, "dialnexa_webhook_read_complete", &[("profile", "good")]), Some(1.0));
    assert_eq!(of(&samples, "dialnexa_webhook_read_complete", &[("profile", "lost")]), Some(0.0));
    assert_eq!(of(&samples, "dialnexa_webhooks", &[("profile", "good"), ("active", "true")]), Some(1.0));
    assert_eq!(of(&samples, "dialnexa_webhooks", &[("profile", "lost"), ("active", "true")]), None);
}

#[tokio::test]
async fn a_file_says_so_when_key_or_config_cannot_be_had() {
    let config = "api_key_command = [\"false\"]\n";
    let readable = "api_key = \"a:b\"\n";
    for (name, text, mode, variable) in [
        ("command", config, 0o600, None),
        ("permissions", readable, 0o644, None),
        ("syntax", "api_key =\n", 0o600, None),
        ("key", "", 0o600, Some(("DIALNEXA_API_KEY", ""))),
        ("no key", "", 0o600, None),
        ("url", readable, 0o600, Some(("DIALNEXA_BASE_URL", "nowhere"))),
        ("profile", readable, 0o600, Some(("HOOKSCOPE_PROFILE", "nobody"))),
        ("log", readable, 0o600, Some(("HOOKSCOPE_LOG", "="))),
    ] {
        let home = Home::with_config(text);
        fs::set_permissions(home.path("config/hookscope/config.toml"), fs::Permissions::from_mode(mode)).unwrap();
        home.write("x.prom", "dialnexa_webhook_read_complete 1\n# EOF\n");
        let mut command = home.command(&["metrics", "--file", "x.prom"]);
        command.envs(variable);
        let ended = Ended::of(command).await;
        ended.refusal(2);
        let samples = parse(&home.read("x.prom"));
        let complete: Vec<_> = samples.iter().filter(|((name, _), _)| name == "dialnexa_webhook_read_complete").collect();
        assert!(matches!(complete[..], [(_, value)] if *value == 0.0) && samples.len() == 1, "{name}: {samples:?}");
    }
}

#[tokio::test]
async fn files_of_two_profiles_have_no_series_in_common() {
    let (one, other) = (serving(ROWS).await, serving(ROWS).await);
    let home = Home::with_config(&format!("{ONCE}{}{}", profile("one", &one), profile("other", &other)));
    let mut series = Vec::new();
    for name in ["one", "other"] {
        home.run(&["metrics", "--profile", name, "--file", "x.prom"]).await.data();
        let samples = parse(&home.read("x.prom"));
        assert!(samples.keys().all(|(_, labels)| labels.get("profile").is_some_and(|label| label == name)), "{samples:?}");
        series.extend(samples.into_keys());
    }
    let count = series.len();
    series.sort();
    series.dedup();
    assert_eq!(series.len(), count);
    // They are those of a sweep, and what cannot be read has the same label.
    let sweep = parse(home.run(&["metrics", "--all-profiles"]).await.data());
    assert!(sweep.into_keys().eq(series));
    let config = home.path("config/hookscope/config.toml");
    fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
    home.run(&["metrics", "--profile", "other", "--file", "x.prom"]).await.refusal(2);
    let unread = parse(&home.read("x.prom"));
    assert_eq!(of(&unread, "dialnexa_webhook_read_complete", &[("profile", "other")]), Some(0.0));
    assert_eq!(unread.len(), 1);
}

#[tokio::test]
async fn output_is_a_format_everywhere_and_makes_no_file() {
    let (home, server) = (Home::with_config(ONCE), serving(ROWS).await);
    for arguments in [["--output", "json"], ["-o", "x.prom"]] {
        let ended = Ended::of(home.at(&server.base_url(), &[&["metrics"], &arguments[..]].concat())).await;
        assert!(ended.refusal(2).contains("--file FILE"), "{}", ended.stderr);
    }
    assert!(!home.path("json").exists() && !home.path("x.prom").exists());
}
