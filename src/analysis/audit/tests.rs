use std::collections::BTreeSet;

use super::*;
use crate::base::text::Untrusted;
use crate::model::Interner;
use crate::model::testing::{paged_rows, rows_of};

/// When the tests run.
pub(super) const NOW: &str = "2026-07-01T00:00:00Z";

/// An audit of one rule.
pub(super) fn audit(rule: &str) -> Audit {
    let mut audit = whole();
    audit.choose(|chosen| chosen.id == rule);
    assert_eq!(audit.rules().count(), 1, "{rule}");
    audit
}

fn whole() -> Audit {
    Audit::new(AuditContext::new(NOW.parse().unwrap(), std::iter::empty()))
}

/// The JSON of a webhook.
pub(super) fn row(id: &str, url: &str, events: &[&str], active: bool) -> String {
    let json = serde_json::json!({
        "id": id, "url": url, "events": events, "is_active": active, "created_at": "2026-06-01T00:00:00.000Z",
    });
    json.to_string()
}

pub(super) fn waiver(rule: &str, id: &str, expires: Option<&str>) -> Waiver {
    Waiver {
        rule: Rule::find(rule).unwrap().id,
        target: WaiverTarget::Webhook(Untrusted::from(id)),
        reason: "it is known".into(),
        expires: expires.map(|date| date.parse().unwrap()),
    }
}

pub(super) fn run(audit: &Audit, rows: &[String]) -> Report {
    audit.run(&rows_of(rows), false)
}

/// The messages of a rule about one active webhook with this URL.
pub(super) fn messages(rule: &str, url: &str) -> Vec<String> {
    let report = run(&audit(rule), &[row("a", url, &["call.failed"], true)]);
    report.findings.iter().map(|finding| finding.message.to_string()).collect()
}

fn found(report: &Report) -> Vec<(&str, Vec<u32>)> {
    report.findings.iter().map(|finding| (finding.rule.id, finding.webhooks.clone())).collect()
}

#[test]
fn the_table_has_every_rule_once_with_all_its_words() {
    let ids: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!((ids.len(), RULES.len()), (21, 21));
    for rule in RULES {
        assert!(rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", rule.id);
        for text in [rule.about, rule.why, rule.advice] {
            assert!(!text.is_empty() && text.is_ascii() && text.len() < 200, "{}: {text}", rule.id);
        }
        assert!(!rule.about.ends_with('.') && rule.why.ends_with('.') && rule.advice.ends_with('.'), "{}", rule.id);
        assert_eq!(Rule::find(rule.id).unwrap().id, rule.id);
    }
}

#[test]
fn a_mistyped_rule_suggests_the_one_that_was_meant() {
    let message = |name| Rule::find(name).unwrap_err().to_string();
    assert_eq!(
        message("duplicate-destinations"),
        "unknown rule duplicate-destinations; did you mean duplicate-destination?"
    );
    assert_eq!(message("no-event"), "unknown rule no-event; did you mean no-events?");
    assert_eq!(message("\u{1b}[31m"), "unknown rule ^[[31m");
}

#[test]
fn findings_come_by_severity_then_by_rule_then_by_row() {
    let rows = [
        row("0", "https://webhook.site/x", &["call.failed"], true),
        row("1", "http://a.example.com/x", &[], true),
        "null".to_owned(),
        row("3", "http://b.example.com/x", &["call.failed"], true),
    ];
    let mut audit = whole();
    audit.choose(|rule| rule.id != "uncovered-event");
    let order = |audit: &Audit| {
        let report = run(audit, &rows);
        assert_eq!(report.webhooks, 3);
        found(&report).into_iter().map(|(rule, numbers)| (rule.to_owned(), numbers)).collect::<Vec<_>>()
    };
    let expected = |list: &[(&str, &[u32])]| -> Vec<_> {
        list.iter().map(|(rule, numbers)| ((*rule).to_owned(), numbers.to_vec())).collect()
    };
    assert_eq!(
        order(&audit),
        expected(&[
            ("insecure-url", &[1]),
            ("insecure-url", &[3]),
            ("no-events", &[1]),
            ("malformed-row", &[]),
            ("test-endpoint", &[0]),
        ])
    );
    audit.set_severity(Rule::find("test-endpoint").unwrap(), Severity::Error);
    audit.set_severity(Rule::find("insecure-url").unwrap(), Severity::Info);
    assert_eq!(order(&audit)[2], ("malformed-row".to_owned(), vec![]));
    assert_eq!(order(&audit).last().unwrap().0, "insecure-url");
}

#[test]
fn waived_findings_are_set_aside_and_counted() {
    let rows = [
        row("w1", "http://a.example.com/x", &["call.failed"], true),
        row("w2", "http://b.example.com/x", &["call.failed"], true),
        row("w3", "http://c.example.com/x", &["call.failed"], true),
    ];
    let mut audit = audit("insecure-url");
    let by_url = Waiver {
        target: WaiverTarget::Url(Box::new(Pattern::parse("b.example.com").unwrap())),
        ..waiver("insecure-url", "", None)
    };
    audit.set_waivers(vec![
        waiver("insecure-url", "w1", Some("2026-07-01")),
        by_url,
        waiver("insecure-url", "w3", Some("2026-06-30")),
        waiver("no-events", "w3", None),
    ]);
    let report = run(&audit, &rows);
    assert_eq!(found(&report), [("insecure-url", vec![2])]);
    let waived: Vec<_> = report.waived.iter().map(|waived| (waived.finding.webhooks[0], waived.reason.as_str())).collect();
    assert_eq!(waived, [(0, "it is known"), (1, "it is known")]);
}

#[test]
fn a_group_is_waived_if_no_finding_is_left_of_it() {
    let rows = ["w1", "w2", "w3"].map(|id| row(id, "https://a.example.com/x", &["call.failed"], true));
    let mut audit = audit("duplicate-destination");
    audit.set_waivers(vec![waiver("duplicate-destination", "w1", None)]);
    assert_eq!(run(&audit, &rows).findings.len(), 1);
    audit.set_waivers(vec![waiver("duplicate-destination", "w1", None), waiver("duplicate-destination", "w3", None)]);
    let report = run(&audit, &rows);
    assert_eq!((report.findings.len(), report.waived.len()), (0, 1));
}

#[test]
fn findings_are_the_same_on_any_pages() {
    let jsons = [
        r#"{"id":"w1","url":"http://a.example.com/x","events":["call.failed","oops"],"is_active":true}"#,
        "null",
        r#"{"id":"w2","url":"https://b.example.com/x","events":[],"is_active":true,"created_at":"2024-01-01T00:00:00.000Z"}"#,
        r#"{"id":"w3","url":"https://B.example.com:443/x","events":["call.failed"],"is_active":true}"#,
        r#"{"id":"w4","url":"https://b.example.com/x","events":["call.failed",7],"is_active":true}"#,
    ];
    let rows = paged_rows(&Interner::default(), &jsons, 2);
    let audit = whole();
    let report = audit.run(&rows, false);
    let texts = |report: &Report| -> Vec<_> {
        let text = |finding: &Finding| (finding.rule.id, finding.webhooks.clone(), finding.message.to_string());
        report.findings.iter().map(text).collect()
    };
    assert_eq!(texts(&report), texts(&audit.run(&rows_of(&jsons), false)));
    assert!(found(&report).contains(&("duplicate-destination", vec![3, 4])));
    let report = audit.run(&rows, true);
    assert!(!report.findings.iter().any(|finding| finding.rule.id == "uncovered-event"), "nothing is reported as missing");
}
