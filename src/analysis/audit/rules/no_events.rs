//! `no-events`: active, but subscribed to no events.

use crate::analysis::audit::{AuditContext, AuditInput, Check, Rule, Severity};
use crate::base::text::Safe;

pub(super) const RULE: Rule = Rule {
    id: "no-events",
    severity: Severity::Error,
    about: "active, but subscribed to no events",
    why: "It looks healthy but never receives anything.",
    advice: "Subscribe it to the events that its receiver expects, or delete it.",
    check: Check::Webhook(check),
};

fn check(webhook: &AuditInput<'_>, _: &AuditContext) -> Option<Safe> {
    (webhook.is_active() && webhook.row.event_count() == Some(0)).then(|| "event list is empty".into())
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::{audit, row, run};

    fn is_found(row: String) -> bool {
        !run(&audit("no-events"), &[row]).findings.is_empty()
    }

    #[test]
    fn an_empty_list_of_an_active_webhook_is_found() {
        assert!(is_found(row("a", "https://a.example.com", &[], true)));
    }

    #[test]
    fn inactive_webhooks_and_those_with_events_are_not_found() {
        assert!(!is_found(row("a", "https://a.example.com", &[], false)));
        assert!(!is_found(row("a", "https://a.example.com", &["x"], true)));
        // Of another type, or missing: its events are unknown.
        for events in ["7", "null", r#""call.failed""#, "[7]"] {
            let text = format!(r#"{{"id":"a","url":"https://a.example.com","events":{events},"is_active":true}}"#);
            assert!(!is_found(text), "{events}");
        }
        assert!(!is_found(r#"{"id":"a","url":"https://a.example.com","is_active":true}"#.to_owned()));
    }
}
