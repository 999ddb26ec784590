//! `legacy-event`: subscribed to the `event_type` of a delivery, not to an event.

use crate::analysis::audit::{AuditContext, AuditInput, Check, Rule, Severity};
use crate::analysis::vocabulary::LEGACY;
use crate::base::text::Safe;
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "legacy-event",
    severity: Severity::Warning,
    about: "subscribed to the event_type of a delivery, not to an event",
    why: "Names such as call_ended appear as event_type in deliveries; a subscription to one may never receive anything.",
    advice: "Subscribe to the dotted name that the message suggests.",
    check: Check::Webhook(check),
};

fn check(webhook: &AuditInput<'_>, context: &AuditContext) -> Option<Safe> {
    let mut message = Safe::default();
    for (name, meant) in LEGACY {
        if !webhook.events.contains(&name) || context.knows(name) {
            continue;
        }
        if !message.is_empty() {
            message.push(&", ".into());
        }
        message.push(&match meant {
            Some(meant) => safe!("{} (did you mean {}?)", name, meant),
            None => name.into(),
        });
    }
    (!message.is_empty()).then_some(message)
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::AuditContext;
    use crate::analysis::audit::tests::{audit, row, run};

    #[test]
    fn names_of_deliveries_are_found_once_for_each_webhook() {
        let rows = [
            row("a", "https://a.example.com", &["call_ended", "transfer_completed", "call_ended"], true),
            row("b", "https://a.example.com", &["call.completed", "call_initiated"], false),
            row("c", "https://a.example.com", &["call.ended", "Call_Ended"], true),
        ];
        let found: Vec<_> =
            run(&audit("legacy-event"), &rows).findings.into_iter().map(|finding| finding.message.to_string()).collect();
        assert_eq!(
            found,
            [
                "call_ended (did you mean call.completed or call.ended?), transfer_completed",
                "call_initiated (did you mean call.started?)"
            ]
        );
    }

    #[test]
    fn an_event_that_the_config_knows_is_not_found() {
        let mut audit = audit("legacy-event");
        audit.context = AuditContext::new(audit.context.now, ["call_ended"].into_iter());
        assert!(run(&audit, &[row("a", "https://a.example.com", &["call_ended"], true)]).findings.is_empty());
    }
}
