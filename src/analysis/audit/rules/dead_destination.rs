//! `dead-destination`: active, but the destination is unreachable.

use crate::analysis::audit::{AuditContext, AuditInput, Check, FactKind, Rule, Severity, origin_of};
use crate::base::text::{Safe, clean_head};
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "dead-destination",
    severity: Severity::Error,
    about: "active, but the destination is unreachable",
    why: "Every delivery to it fails.",
    advice: "Contact the owner of the receiver; the message names the step that failed.",
    check: Check::Facts(FactKind::Probe, check),
};

fn check(webhook: &AuditInput<'_>, context: &AuditContext) -> Option<Safe> {
    let url = webhook.parsed.as_ref().filter(|_| webhook.is_active())?;
    let word = context.facts.probe(url)?.dead?;
    Some(safe!("{}: {}", clean_head(&origin_of(url), 100), word))
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::Probe;
    use crate::analysis::audit::tests::{audit, row, run};

    #[test]
    fn an_active_webhook_with_an_unreachable_destination_is_found() {
        let mut audit = audit("dead-destination");
        let dead = Probe { dead: Some("refused"), tls_days_left: None };
        let alive = Probe { dead: None, tls_days_left: Some(40) };
        std::sync::Arc::make_mut(&mut audit.context.facts).probes =
            Some([("https://dead.example.com:8443".into(), dead), ("https://a.example.com".into(), alive)].into());
        let rows = [
            row("a", "https://a.example.com/x", &["call.failed"], true),
            row("b", "https://DEAD.example.com.:8443/x", &["call.failed"], true),
            row("c", "https://dead.example.com:8443/y", &["call.failed"], false),
            row("d", "https://dead.example.com/never-probed", &["call.failed"], true),
        ];
        let found: Vec<_> =
            run(&audit, &rows).findings.into_iter().map(|finding| (finding.webhooks, finding.message.to_string())).collect();
        assert_eq!(found, [(vec![1], "https://dead.example.com:8443: refused".to_owned())]);
    }
}
