//! `malformed-row`: the API sent something that is not a webhook.

use super::{Check, Rule, Severity};
use crate::model::Reason;
use crate::safe;
use crate::text::Safe;

pub(super) const RULE: Rule = Rule {
    id: "malformed-row",
    severity: Severity::Error,
    about: "the API sent something that is not a webhook",
    why: "Nobody can say what it is, and a program that reads the listing may fail at it.",
    advice: "Look at it with hookscope list -o json, and tell the vendor.",
    check: Check::Malformed,
};

/// What is told of a row, which has no id to be called by.
pub(super) fn message(number: u32, reason: Reason) -> Safe {
    safe!("row {}: {}", u64::from(number) + 1, reason.explain())
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::{audit, decoded, row, run};

    #[test]
    fn rows_are_told_by_their_place() {
        let rows = [
            row("a", "https://a.example.com", &[], true),
            decoded("null"),
            decoded(r#"{"id":7}"#),
            decoded(r#"{"id":"x"}"#),
        ];
        let report = run(&audit("malformed-row"), &rows);
        let found: Vec<_> = report.findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(
            found,
            ["row 2: not an object", "row 3: its id is missing or no string", "row 4: its url is missing or no string",]
        );
        assert_eq!(report.webhooks, 1);
    }
}
