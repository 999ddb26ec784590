//! `padded-event`: event name with leading or trailing spaces.

use crate::analysis::audit::{AuditContext, AuditInput, Check, Rule, Severity, enumerate_safe, quoted};
use crate::base::text::Safe;

pub(super) const RULE: Rule = Rule {
    id: "padded-event",
    severity: Severity::Warning,
    about: "event name with leading or trailing spaces",
    why: "Names are compared exactly: with the spaces it is a different event, which is never delivered but looks right in a list.",
    advice: "Subscribe to the name without the spaces.",
    check: Check::Webhook(check),
};

/// Returns true if the name has white space around it, and is not only that.
pub(super) fn is_padded(name: &str) -> bool {
    let trimmed = name.trim();
    !trimmed.is_empty() && trimmed.len() < name.len()
}

fn check(webhook: &AuditInput<'_>, _: &AuditContext) -> Option<Safe> {
    let padded = || webhook.events.iter().filter(|name| is_padded(name));
    padded().next()?;
    Some(enumerate_safe(padded().map(|name| quoted(name))))
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::{audit, row, run};

    fn found(events: &[&str]) -> Vec<String> {
        let report = run(&audit("padded-event"), &[row("a", "https://a.example.com", events, true)]);
        report.findings.iter().map(|finding| finding.message.to_string()).collect()
    }

    #[test]
    fn spaces_around_a_name_are_found_and_can_be_seen() {
        assert_eq!(found(&["call.failed ", "call.ended"]), [r#""call.failed ""#]);
        assert_eq!(found(&["  call.failed", "call.ended\t"]), [r#""  call.failed", "call.ended^I""#]);
        assert_eq!(found(&["a ", "b ", "c ", "d ", "e ", "f "]), [r#""a ", "b ", "c ", "d ", "e " and 1 more"#]);
    }

    #[test]
    fn spaces_within_a_name_are_not() {
        for events in [&[][..], &["call failed"], &["", " "]] {
            assert!(found(events).is_empty(), "{events:?}");
        }
    }
}
