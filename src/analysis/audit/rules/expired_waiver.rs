//! `expired-waiver`: waiver past its expiry date.

use crate::analysis::audit::{AuditContext, Check, Rule, Severity, Waiver, WaiverTarget};
use crate::base::text::{Safe, clean};
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "expired-waiver",
    severity: Severity::Warning,
    about: "waiver past its expiry date",
    why: "The waived finding should have been fixed by then.",
    advice: "Fix the finding and remove the waiver from the config, or extend its date.",
    check: Check::Waiver(check),
};

fn check(waiver: &Waiver, context: &AuditContext) -> Option<Safe> {
    let date = waiver.expires.filter(|_| waiver.is_expired(context.now))?;
    let target = match &waiver.target {
        WaiverTarget::Webhook(id) => id.clean_head(60),
        WaiverTarget::Url(pattern) => pattern.shown(),
    };
    let (date, reason) = (clean(&date.to_string()), waiver.reason.clean_head(120));
    Some(safe!("waiver of {} for {} expired on {}: {}", waiver.rule, target, date, reason))
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::{audit, run, waiver};

    #[test]
    fn a_waiver_holds_through_its_last_day() {
        let mut audit = audit("expired-waiver");
        audit
            .set_waivers(vec![waiver("no-events", "w1", Some("2026-06-30")), waiver("no-events", "w2", Some("2026-07-01"))]);
        let report = run(&audit, &[]);
        let found: Vec<_> = report.findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(found, ["waiver of no-events for w1 expired on 2026-06-30: it is known"]);
    }
}
