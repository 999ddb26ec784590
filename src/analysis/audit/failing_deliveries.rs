//! `failing-deliveries`: more than 10% of at least 20 delivery attempts failed.

use super::{Basis, Candidate, Check, Needs, Rule, Severity};
use crate::safe;
use crate::text::{Safe, clean};

pub(super) const RULE: Rule = Rule {
    id: "failing-deliveries",
    severity: Severity::Error,
    about: "more than 10% of at least 20 delivery attempts failed",
    why: "Events are lost once their retries are spent.",
    advice: "Look at the receiver; if it is gone, deactivate the webhook.",
    check: Check::Facts(Needs::Deliveries, check),
};

fn check(webhook: &Candidate<'_>, basis: &Basis) -> Option<Safe> {
    let deliveries = basis.facts.deliveries.as_ref()?.get(webhook.id)?;
    let limits = basis.facts.limits;
    let is_bad =
        u128::from(deliveries.failures) * 100 > u128::from(deliveries.attempts) * u128::from(limits.failure_percent);
    if deliveries.attempts < limits.attempts || !is_bad {
        return None;
    }
    let mut message = safe!("{} of {} attempts failed", deliveries.failures, deliveries.attempts);
    if let Some(error) = &deliveries.top_error {
        message.push(&safe!(", mostly: {}", error.fit(80, "…")));
    }
    if let Some(last) = deliveries.last_failure {
        message.push(&safe!("; the last one at {}", clean(&last.to_string())));
    }
    Some(message)
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::Deliveries;
    use crate::analysis::audit::tests::{audit, row, run};

    fn found(attempts: u64, failures: u64) -> Vec<String> {
        let mut audit = audit("failing-deliveries");
        let deliveries = Deliveries {
            attempts,
            failures,
            last_failure: "2026-06-30T23:59:00Z".parse().ok(),
            top_error: Some("status 500".into()),
        };
        std::sync::Arc::make_mut(&mut audit.basis.facts).deliveries = Some([("a".into(), deliveries)].into());
        let rows = ["a", "b"].map(|id| row(id, "https://a.example.com", &["call.failed"], true));
        run(&audit, &rows).findings.iter().map(|finding| finding.message.to_string()).collect()
    }

    #[test]
    fn the_rate_counts_when_there_are_enough_attempts() {
        assert_eq!(found(20, 3), ["3 of 20 attempts failed, mostly: status 500; the last one at 2026-06-30T23:59:00Z"]);
        assert_eq!(found(1000, 101).len(), 1);
        assert!(found(20, 2).is_empty() && found(19, 19).is_empty() && found(0, 0).is_empty());
        assert_eq!(found(u64::MAX, u64::MAX).len(), 1);
    }
}
