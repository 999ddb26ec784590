//! `long-inactive`: inactive and created more than 180 days ago.

use jiff::Timestamp;

use crate::analysis::audit::{AuditContext, AuditInput, Check, LastActive, Rule, Severity};
use crate::base::text::{Safe, clean};
use crate::model::RowRef;
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "long-inactive",
    severity: Severity::Info,
    about: "inactive and created more than 180 days ago",
    why: "Probably unused. Re-enabling it by mistake would deliver to a stale endpoint.",
    advice: "Ask its owner whether it is still needed.",
    check: Check::Webhook(check),
};

/// The age in days up to which an inactive webhook is not reported. The API does not say when it became inactive; the
/// history may.
const MOST: i64 = 180;
const DAY: i64 = 86_400;

fn check(webhook: &AuditInput<'_>, context: &AuditContext) -> Option<Safe> {
    let days = days_too_old(webhook.row.active(), webhook.created_at(), context.now)?;
    let since = context.facts.last_active.get(webhook.id()).map(became_inactive).unwrap_or_default();
    Some(safe!("created {} days ago{}", days, since))
}

/// Returns the age in days of an inactive webhook that is old enough to report.
fn days_too_old(active: Option<bool>, created_at: Option<Timestamp>, now: Timestamp) -> Option<i64> {
    let seconds = now.as_second().saturating_sub(created_at?.as_second());
    (active == Some(false) && seconds > MOST * DAY).then_some(seconds / DAY)
}

/// Returns true if the rule is this one and reports the webhook.
pub(in crate::analysis::audit) fn is_reported(rule: &Rule, webhook: RowRef<'_>, now: Timestamp) -> bool {
    rule.id == RULE.id && days_too_old(webhook.active(), webhook.created_at(), now).is_some()
}

fn became_inactive(active: &LastActive) -> Safe {
    let day = |at: Timestamp| clean(&at.strftime("%Y-%m-%d").to_string());
    let seen = day(active.seen);
    match active.inactive_by.map(day) {
        None => safe!(", last seen active on {}", seen),
        Some(by) if by == seen => safe!(", became inactive on {}", by),
        Some(by) => safe!(", became inactive between {} and {}", seen, by),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::analysis::audit::ExternalFacts;
    use crate::analysis::audit::tests::{NOW, audit, run};
    use crate::model::testing::row_of;

    #[test]
    fn the_message_says_when_the_history_has_it_as_active() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let message = |seen: &str, inactive_by: Option<&str>| {
            let mut audit = audit("long-inactive");
            let active = LastActive { seen: at(seen), inactive_by: inactive_by.map(at) };
            audit.context.facts =
                Arc::new(ExternalFacts { last_active: Arc::new([("a".into(), active)].into()), ..ExternalFacts::default() });
            let row = r#"{"id":"a","url":"u","is_active":false,"created_at":"2026-01-01T00:00:00Z"}"#;
            let found = run(&audit, &[row.to_owned()]).findings.remove(0);
            assert!(!found.rule.advice.to_ascii_lowercase().contains("delete"));
            found.message.to_string()
        };
        let (first, second) = ("2026-06-29T08:00:00Z", "2026-06-30T09:00:00Z");
        assert_eq!(message(first, Some(second)), "created 181 days ago, became inactive between 2026-06-29 and 2026-06-30");
        assert_eq!(message(first, Some(first)), "created 181 days ago, became inactive on 2026-06-29");
        assert_eq!(message(first, None), "created 181 days ago, last seen active on 2026-06-29");
    }

    #[test]
    fn the_history_is_searched_only_for_webhooks_with_a_finding() {
        let asks = |rule: &str, active: bool, created: &str| {
            let row = format!(r#"{{"id":"a","url":"u","is_active":{active},"created_at":"{created}T00:00:00Z"}}"#);
            audit(rule).asks_for_last_active(row_of(&row).row())
        };
        assert!(asks("long-inactive", false, "2026-01-01"));
        assert!(!asks("long-inactive", false, "2026-01-02"));
        assert!(!asks("long-inactive", true, "2026-01-01"));
        assert!(!asks("no-events", false, "2026-01-01"));
    }

    fn found(created: &str, active: &str) -> Vec<String> {
        let text = format!(r#"{{"id":"a","url":"https://a.example.com","is_active":{active},"created_at":{created}}}"#);
        run(&audit("long-inactive"), &[text]).findings.iter().map(|finding| finding.message.to_string()).collect()
    }

    #[test]
    fn old_inactive_webhooks_are_found() {
        assert_eq!(NOW, "2026-07-01T00:00:00Z");
        assert_eq!(found(r#""2026-01-01T00:00:00.000Z""#, "false"), ["created 181 days ago"]);
        assert!(found(r#""2026-01-02T00:00:00.000Z""#, "false").is_empty());
        for active in ["true", "null", r#""false""#] {
            assert!(found(r#""2020-01-01T00:00:00.000Z""#, active).is_empty());
        }
        for created in [r#""yesterday""#, "1711958400", r#""2099-01-01T00:00:00Z""#, "null"] {
            assert!(found(created, "false").is_empty(), "{created}");
        }
    }
}
