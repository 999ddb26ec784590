//! SARIF 2.1.0, which code scanning and many viewers read.
//!
//! Source: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>. A webhook is no file: it is a logical location.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{AuditSheet, Audited, Output};
use crate::analysis::audit::{Candidate, Finding, Severity, shown_url};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The version of the fingerprints: another way to make them gets another name.
const FINGERPRINT: &str = "hookscope/v1";

pub(super) fn write<W: Write>(out: &mut Output<W>, sheet: &AuditSheet<'_>, audited: &[Audited]) -> io::Result<()> {
    out.raw(b"{\"$schema\":")?;
    out.json(&SCHEMA)?;
    out.raw(b",\"version\":\"2.1.0\",\"runs\":[{\"tool\":")?;
    out.json(&tool(sheet))?;
    out.raw(b",\"columnKind\":\"unicodeCodePoints\",\"invocations\":[")?;
    out.json(&invocation(audited))?;
    out.raw(b"],\"results\":[")?;
    let mut is_first = true;
    for one in audited {
        let waived = one.report.waived.iter().map(|waived| (&waived.finding, Some(waived.reason.as_str())));
        for (finding, reason) in one.report.findings.iter().map(|finding| (finding, None)).chain(waived) {
            out.raw(if is_first { b"\n" } else { b",\n" })?;
            out.json(&result(sheet, one, finding, reason))?;
            is_first = false;
        }
    }
    out.raw(b"\n]}]}\n")
}

fn tool(sheet: &AuditSheet<'_>) -> Value {
    let rules: Vec<_> = sheet
        .audit
        .rules()
        .map(|(rule, severity)| {
            json!({
                "id": rule.id,
                "name": pascal(rule.id),
                "shortDescription": { "text": rule.about },
                "fullDescription": { "text": rule.why },
                "help": { "text": rule.advice },
                "defaultConfiguration": { "level": level(severity) },
            })
        })
        .collect();
    json!({ "driver": {
        "name": env!("CARGO_PKG_NAME"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    } })
}

/// Whether everything could be read: a report of a part never looks complete.
fn invocation(audited: &[Audited]) -> Value {
    let partial: Vec<_> = audited.iter().filter(|one| one.is_partial).collect();
    let notes: Vec<_> = partial
        .iter()
        .map(|one| {
            let text = format!("{}: not all webhooks could be read", one.place);
            json!({ "level": "error", "message": { "text": text } })
        })
        .collect();
    json!({ "executionSuccessful": partial.is_empty(), "toolExecutionNotifications": notes })
}

fn result(sheet: &AuditSheet<'_>, one: &Audited, finding: &Finding, reason: Option<&str>) -> Value {
    let locations: Vec<_> = one
        .webhooks(finding)
        .map(|(number, webhook)| {
            let url = shown_url(&Candidate::new(number, webhook), super::URL_COLUMNS);
            json!({
                "logicalLocations": [{
                    "name": webhook.id.raw(),
                    "fullyQualifiedName": qualified(one, webhook.id.raw()),
                    "kind": "resource",
                }],
                "message": { "text": url.as_str() },
            })
        })
        .collect();
    let index = sheet.audit.rules().position(|(rule, _)| rule == finding.rule);
    let mut result = json!({
        "ruleId": finding.rule.id,
        "level": level(finding.severity),
        "message": { "text": format!("{}: {}", finding.rule.about, finding.message) },
        "locations": locations,
        "partialFingerprints": { FINGERPRINT: one.fingerprint(finding) },
    });
    if let Some(fields) = result.as_object_mut() {
        if let Some(index) = index {
            fields.insert("ruleIndex".to_owned(), index.into());
        }
        let suppression = |reason| json!([{ "kind": "external", "status": "accepted", "justification": reason }]);
        fields.insert("suppressions".to_owned(), reason.map_or_else(|| json!([]), suppression));
    }
    result
}

fn qualified(one: &Audited, id: &str) -> String {
    match &one.profile {
        Some(profile) => format!("{profile}/user-webhooks/{id}"),
        None => format!("user-webhooks/{id}"),
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// `NoEvents` of `no-events`: names of rules are words to SARIF's viewers.
fn pascal(id: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    id.split('-').map(word).collect()
}
