//! SARIF 2.1.0, which code scanning and many viewers read.
//!
//! Sources: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>, and for what GitHub demands beyond it
//! <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>: each
//! result needs a physical location. That is the file that the webhooks were read from, or else a URI that stays the same.

use std::io::{self, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use serde_json::{Value, json};

use super::report::{AuditSheet, Audited, URL_COLUMNS};
use crate::analysis::audit::{Finding, Severity, shown_url};
use crate::output::stdout::Output;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The page of the API whose answers are audited.
const INFORMATION: &str = "https://dialnexa.mintlify.app/api-reference/webhooks/list";

/// The name and version of our fingerprints. Change it if they are computed differently.
const FINGERPRINT: &str = "hookscope/v1";
/// The only fingerprint that GitHub compares.
const GITHUB_FINGERPRINT: &str = "primaryLocationLineHash";

/// Characters to encode in a path segment. Dots are encoded, since `.` and `..` are not valid names.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// The maximum number of locations for one result. GitHub shows at most 100, and refuses a report with more than 1,000.
const MAX_LOCATIONS: usize = 100;

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
        "informationUri": INFORMATION,
        "rules": rules,
    } })
}

/// The success of the run: a report of an incomplete listing never looks complete.
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
    let mut locations: Vec<_> = one
        .webhooks(finding)
        .take(MAX_LOCATIONS)
        .map(|(_, webhook)| {
            let url = shown_url(webhook.url(), URL_COLUMNS);
            json!({
                "physicalLocation": physical(sheet, one, Some(webhook.id())),
                "logicalLocations": [{
                    "name": webhook.id(),
                    "fullyQualifiedName": qualified(one, webhook.id()),
                    "kind": "resource",
                }],
                "message": { "text": url.as_str() },
            })
        })
        .collect();
    if locations.is_empty() {
        locations.push(json!({ "physicalLocation": physical(sheet, one, None) }));
    }
    let mut message = format!("{}: {}", finding.rule.about, finding.message);
    if finding.webhooks.len() > MAX_LOCATIONS {
        message.push_str(&format!(" (the first {MAX_LOCATIONS} of {} locations)", finding.webhooks.len()));
    }
    let fingerprint = one.fingerprint(finding);
    let index = sheet.audit.rules().position(|(rule, _)| rule == finding.rule);
    let mut result = json!({
        "ruleId": finding.rule.id,
        "level": level(finding.severity),
        "message": { "text": message },
        "locations": locations,
        "partialFingerprints": { GITHUB_FINGERPRINT: format!("{fingerprint}:1"), FINGERPRINT: fingerprint },
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

/// The location of a webhook, or of all of them: in the file, or a made-up one that stays the same from run to run.
fn physical(sheet: &AuditSheet<'_>, one: &Audited, id: Option<&str>) -> Value {
    let (uri, line) = if let Some(file) = &sheet.file {
        (file.uri.clone(), id.and_then(|id| file.lines.get(id)).copied().unwrap_or(1))
    } else {
        let encoded = |text| utf8_percent_encode(text, RESERVED);
        let profile = one.profile.as_deref().map(|profile| format!("{}/", encoded(profile))).unwrap_or_default();
        let name = id.map(|id| format!("/{}", encoded(id))).unwrap_or_default();
        (format!("{profile}user-webhooks{name}.json"), 1)
    };
    json!({ "artifactLocation": { "uri": uri }, "region": { "startLine": line } })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_path_segment_reserves_is_encoded() {
        let encoded = |text| utf8_percent_encode(text, RESERVED).to_string();
        assert_eq!(encoded("whk_c9v3-nz~8"), "whk_c9v3-nz~8");
        assert_eq!(encoded("../a b%?#é"), "%2E%2E%2Fa%20b%25%3F%23%C3%A9");
    }
}
