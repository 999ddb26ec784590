//! `long-inactive`: inactive, and older than 180 days.

use super::{Basis, Candidate, Check, Rule, Severity};
use crate::safe;
use crate::text::Safe;

pub(super) const RULE: Rule = Rule {
    id: "long-inactive",
    severity: Severity::Info,
    about: "inactive, and older than 180 days",
    why: "Nobody misses it; what lies about is switched on again by mistake, with a receiver that is long gone.",
    advice: "Delete it if nobody knows what it is for.",
    check: Check::Webhook(check),
};

/// Days that an inactive webhook may be old. When it was switched off is not known.
const MOST: i64 = 180;
const DAY: i64 = 86_400;

fn check(webhook: &Candidate<'_>, basis: &Basis) -> Option<Safe> {
    if webhook.active != Some(false) {
        return None;
    }
    let seconds = basis.now.as_second().saturating_sub(webhook.created_at?.as_second());
    (seconds > MOST * DAY).then(|| safe!("it was created {} days ago", seconds / DAY))
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::{NOW, audit, decoded, run};

    fn found(created: &str, active: &str) -> Vec<String> {
        let text = format!(r#"{{"id":"a","url":"https://a.example.com","is_active":{active},"created_at":{created}}}"#);
        run(&audit("long-inactive"), &[decoded(&text)]).findings.iter().map(|finding| finding.message.to_string()).collect()
    }

    #[test]
    fn the_age_of_inactive_webhooks_is_looked_at() {
        assert_eq!(NOW, "2026-07-01T00:00:00Z");
        assert_eq!(found(r#""2026-01-01T00:00:00.000Z""#, "false"), ["it was created 181 days ago"]);
        assert!(found(r#""2026-01-02T00:00:00.000Z""#, "false").is_empty());
        for active in ["true", "null", r#""false""#] {
            assert!(found(r#""2020-01-01T00:00:00.000Z""#, active).is_empty());
        }
        for created in [r#""yesterday""#, "1711958400", r#""2099-01-01T00:00:00Z""#, "null"] {
            assert!(found(created, "false").is_empty(), "{created}");
        }
    }
}
