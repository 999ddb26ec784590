//! `malformed-row`: the API sent an entry that is not a valid webhook.

use crate::analysis::audit::{AuditInput, Check, Rule, Severity};
use crate::base::text::Safe;
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "malformed-row",
    severity: Severity::Error,
    about: "the API sent an entry that is not a valid webhook",
    why: "It cannot be audited, and other programs that read the listing may fail on it.",
    advice: "Inspect it with hookscope list -o json, and report it to the vendor.",
    check: Check::Malformed(check),
};

/// Names the row by its number: it has no id.
fn check(input: &AuditInput<'_>) -> Option<Safe> {
    let reason = input.row.malformed()?;
    Some(safe!("row {}: {}", u64::from(input.number) + 1, reason.explain()))
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::{audit, row, run};

    #[test]
    fn rows_are_named_by_their_number() {
        let rows = [
            row("a", "https://a.example.com", &[], true),
            "null".to_owned(),
            r#"{"id":7}"#.to_owned(),
            r#"{"id":"x"}"#.to_owned(),
        ];
        let report = run(&audit("malformed-row"), &rows);
        let found: Vec<_> = report.findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(
            found,
            ["row 2: not an object", "row 3: id missing or not a string", "row 4: url missing or not a string",]
        );
        assert_eq!(report.webhooks, 1);
    }
}
