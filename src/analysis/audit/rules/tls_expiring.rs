//! `tls-expiring`: certificate of the destination expires soon.

use crate::analysis::audit::{AuditContext, AuditInput, Check, FactKind, Rule, Severity, origin_of};
use crate::base::text::{Safe, clean_head};
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "tls-expiring",
    severity: Severity::Warning,
    about: "certificate of the destination expires soon",
    why: "Every delivery fails once it has expired.",
    advice: "Renew it; if renewal is automatic, find out why it did not run.",
    check: Check::Facts(FactKind::Probe, check),
};

fn check(webhook: &AuditInput<'_>, context: &AuditContext) -> Option<Safe> {
    let url = webhook.parsed.as_ref().filter(|_| webhook.is_active())?;
    let probe = context.facts.probe(url).filter(|probe| probe.dead.is_none())?;
    let days = probe.tls_days_left.filter(|&days| days < context.facts.limits.tls_days)?;
    Some(safe!("{}: {} {} left", clean_head(&origin_of(url), 100), days, if days == 1 { "day" } else { "days" }))
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::Probe;
    use crate::analysis::audit::tests::{audit, row, run};

    fn found(probe: Probe) -> Vec<String> {
        let mut audit = audit("tls-expiring");
        std::sync::Arc::make_mut(&mut audit.context.facts).probes = Some([("https://a.example.com".into(), probe)].into());
        let rows = [row("a", "https://a.example.com/x", &["call.failed"], true)];
        run(&audit, &rows).findings.iter().map(|finding| finding.message.to_string()).collect()
    }

    #[test]
    fn days_are_counted_of_what_is_alive() {
        let days = |days| Probe { dead: None, tls_days_left: days };
        assert_eq!(found(days(Some(1))), ["https://a.example.com: 1 day left"]);
        assert_eq!(found(days(Some(13))), ["https://a.example.com: 13 days left"]);
        assert!(found(days(Some(14))).is_empty() && found(days(None)).is_empty());
        assert!(found(Probe { dead: Some("tls-expired"), tls_days_left: Some(-3) }).is_empty());
    }
}
