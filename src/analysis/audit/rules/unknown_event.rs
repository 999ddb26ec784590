//! `unknown-event`: subscribed to an unknown event.

use std::collections::HashSet;
use std::sync::PoisonError;

use crate::analysis::audit::{AuditContext, AuditInput, Check, Rule, Severity, quoted};
use crate::analysis::vocabulary::{LEGACY, WILDCARD};
use crate::analysis::words::nearest;
use crate::base::text::{Safe, clean_head};
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "unknown-event",
    severity: Severity::Warning,
    about: "subscribed to an unknown event",
    why: "The API accepts any name; a mistyped one is never delivered.",
    advice: "Correct the name, or add it to known_events in [audit] if it is valid.",
    check: Check::Webhook(check),
};

/// The most unknown names to remember. No reasonable workspace has more.
const REMEMBERED: usize = 10_000;

fn check(webhook: &AuditInput<'_>, context: &AuditContext) -> Option<Safe> {
    let is_known = |name: &str| context.knows(name) || LEGACY.iter().any(|&(legacy, _)| legacy == name);
    // A known name with spaces around it is found by padded-event.
    let is_unknown = |name: &&&str| !is_known(name) && !is_known(name.trim());
    let mut unknown: Vec<&str> = webhook.events.iter().filter(is_unknown).copied().collect();
    if unknown.len() > 1 {
        let mut seen = HashSet::new();
        unknown.retain(|name| seen.insert(*name));
    }
    let (first, others) = unknown.split_first()?;
    let mut message = describe(first, context);
    for name in others.iter().take(SHOWN - 1) {
        message.push(&safe!(", {}", describe(name, context)));
    }
    if unknown.len() > SHOWN {
        message.push(&safe!(" and {} more", unknown.len() - SHOWN));
    }
    Some(message)
}

/// The most names in a message.
const SHOWN: usize = 5;

/// The name, and the known one that was probably meant.
fn describe(name: &str, context: &AuditContext) -> Safe {
    let shown = match name {
        "" => "(empty)".into(),
        name if name.trim().len() < name.len() => quoted(name),
        name => clean_head(name, 60),
    };
    match meant(name, context) {
        Some(meant) => safe!("{} (did you mean {}?)", shown, clean_head(&meant, 60)),
        None => shown,
    }
}

fn meant(name: &str, context: &AuditContext) -> Option<Box<str>> {
    let names = || context.known.iter().map(|known| &**known).filter(|known| *known != WILDCARD);
    let compare = || nearest(name, names()).map(Box::from);
    // The map is valid between any two statements.
    let mut remembered = context.meant.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(meant) = remembered.get(name) {
        return meant.clone();
    }
    let meant = compare();
    if remembered.len() < REMEMBERED && name.len() <= 100 {
        remembered.insert(name.into(), meant.clone());
    }
    meant
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::{audit, row, run};
    use crate::analysis::audit::{Audit, AuditContext};
    use crate::analysis::vocabulary;

    fn found(audit: &Audit, events: &[&str]) -> Vec<String> {
        let report = run(audit, &[row("a", "https://a.example.com", events, true)]);
        report.findings.iter().map(|finding| finding.message.to_string()).collect()
    }

    #[test]
    fn a_mistyped_name_is_found_with_what_was_meant() {
        let audit = audit("unknown-event");
        for (events, message) in [
            (&["call.complete"] as &[&str], "call.complete (did you mean call.completed?)"),
            (&["call.failed", "campain.completed"], "campain.completed (did you mean campaign.completed?)"),
            (&["call.no-answer", "call.no-answer"], "call.no-answer (did you mean call.no_answer?)"),
            (
                &["workflow.lead.complete", "order.paid"],
                "workflow.lead.complete (did you mean workflow.lead.completed?), order.paid",
            ),
            (&["alert.\u{1b}[31mred"], "alert.^[[31mred"),
            (&[""], "(empty)"),
            (&[" "], "\" \""),
            (&[" order.paid"], "\" order.paid\""),
        ] {
            assert_eq!(found(&audit, events), [message]);
        }
    }

    #[test]
    fn known_and_legacy_names_and_those_of_the_config_are_not() {
        let mut audit = audit("unknown-event");
        assert!(found(&audit, &vocabulary::CURRENT).is_empty());
        assert!(found(&audit, &["call_ended", "call_initiated", "transfer_completed"]).is_empty());
        assert!(found(&audit, &[" call.failed", "call_ended "]).is_empty(), "padded-event finds them");
        audit.context = AuditContext::new(audit.context.now, ["order.paid"].into_iter());
        assert!(found(&audit, &["order.paid"]).is_empty());
        assert_eq!(found(&audit, &["order.pad"]), ["order.pad (did you mean order.paid?)"]);
        audit.context = AuditContext::new(audit.context.now, ["*"].into_iter());
        assert_eq!(found(&audit, &["*", "x"]), ["x"], "a wildcard is not a typo");
    }

    #[test]
    fn ten_thousand_names_are_a_short_message() {
        let names: Vec<String> = (0..10_000).map(|i| format!("x.{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = found(&audit("unknown-event"), &names);
        assert_eq!(found, ["x.0, x.1, x.2, x.3, x.4 and 9995 more"]);
    }
}
