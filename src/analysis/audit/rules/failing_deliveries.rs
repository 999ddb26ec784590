//! `failing-deliveries`: more than 10% of at least 20 delivery attempts failed.

use crate::analysis::audit::{AuditContext, AuditInput, Check, FactKind, Limits, Rule, Severity};
use crate::analysis::deliveries::DeliveryStats;
use crate::base::redact::mask_url;
use crate::base::text::{Safe, clean, clean_head};
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "failing-deliveries",
    severity: Severity::Error,
    about: "more than 10% of at least 20 delivery attempts failed",
    why: "Events are lost once their retries are exhausted.",
    advice: "Check the receiver; if it was shut down, deactivate the webhook.",
    check: Check::Facts(FactKind::Deliveries, check),
};

fn check(webhook: &AuditInput<'_>, context: &AuditContext) -> Option<Safe> {
    let stats = context.facts.deliveries.as_ref()?.of(webhook.id(), webhook.url())?;
    describe_failures(&stats, context.facts.limits)
}

fn describe_failures(stats: &DeliveryStats, limits: Limits) -> Option<Safe> {
    if !stats.fails(limits.failure_percent, limits.attempts) {
        return None;
    }
    let mut message = safe!("{} of {} attempts failed", stats.failures, stats.attempts);
    if let Some((error, _)) = &stats.top_error {
        message.push(&safe!(", mostly: {}", clean_head(&mask_url(error.raw()), 80)));
    }
    if let Some(last) = stats.last_failure {
        message.push(&safe!("; last failure at {}", clean(&last.to_string())));
    }
    Some(message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::analysis::audit::tests::{audit, row, run};
    use crate::analysis::deliveries::{DeliveryAttempt, DeliveryTally, WebhookKey};

    fn found(attempts: u64, failures: u64) -> Option<String> {
        let last_failure = "2026-06-30T23:59:00Z".parse().ok();
        let top_error = Some(("status 500".into(), 1));
        let stats = DeliveryStats { attempts, failures, last_failure, top_error, ..DeliveryStats::default() };
        describe_failures(&stats, Limits::default()).map(|message| message.to_string())
    }

    #[test]
    fn the_rate_counts_when_there_are_enough_attempts() {
        let message = "3 of 20 attempts failed, mostly: status 500; last failure at 2026-06-30T23:59:00Z";
        assert_eq!(found(20, 3).as_deref(), Some(message));
        assert!(found(1000, 101).is_some() && found(u64::MAX, u64::MAX).is_some());
        assert!(found(20, 2).is_none() && found(19, 19).is_none() && found(0, 0).is_none());
    }

    #[test]
    fn attempts_are_those_of_the_webhook() {
        let mut audit = audit("failing-deliveries");
        let mut tally = DeliveryTally::default();
        let attempt =
            |webhook| DeliveryAttempt { webhook, is_success: false, is_retry: false, status: None, error: None, at: None };
        for _ in 0..20 {
            tally.add(&attempt(WebhookKey::Id("a")));
            tally.add(&attempt(WebhookKey::Url("https://C.example.com:443")));
        }
        Arc::make_mut(&mut audit.context.facts).deliveries = Some(Arc::new(tally));
        let rows = ["a", "b", "c"].map(|id| row(id, &format!("https://{id}.example.com"), &["call.failed"], true));
        let numbers: Vec<_> = run(&audit, &rows).findings.into_iter().map(|finding| finding.webhooks).collect();
        assert_eq!(numbers, [[0], [2]]);
    }
}
