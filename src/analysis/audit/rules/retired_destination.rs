//! `retired-destination`: destination is retired, according to the config or --retired.

use crate::analysis::audit::{AuditContext, AuditInput, Check, Rule, Severity};
use crate::base::text::Safe;
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "retired-destination",
    severity: Severity::Error,
    about: "destination is retired, according to the config or --retired",
    why: "Its deliveries fail, or reach the next owner of the host name.",
    advice: "Point the webhook to the new destination, or delete it.",
    check: Check::Webhook(check),
};

fn check(webhook: &AuditInput<'_>, context: &AuditContext) -> Option<Safe> {
    let pattern = context.retired.find(webhook.parsed.as_ref()?)?;
    Some(safe!("matches the retired {}", pattern.shown()))
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::Pattern;
    use crate::analysis::audit::tests::{audit, row, run};

    #[test]
    fn only_destinations_that_match_a_pattern_are_found() {
        let mut audit = audit("retired-destination");
        for pattern in ["old.example.com", "*.legacy.example.com", "https://b.example.com/v1"] {
            audit.context.retired.add(Pattern::parse(pattern).unwrap());
        }
        let urls = [
            "https://old.example.com/x",
            "https://a.example.com/old.example.com",
            "http://crm.legacy.example.com:8080/",
            "https://b.example.com/v1/calls",
            "https://b.example.com/v2/calls",
            "old.example.com",
        ];
        let rows: Vec<_> =
            urls.iter().enumerate().map(|(i, url)| row(&i.to_string(), url, &["call.failed"], true)).collect();
        let report = run(&audit, &rows);
        let found: Vec<_> = report.findings.iter().map(|finding| (finding.webhooks[0], finding.message.as_str())).collect();
        assert_eq!(
            found,
            [
                (0, "matches the retired old.example.com"),
                (2, "matches the retired *.legacy.example.com"),
                (3, "matches the retired https://b.example.com/v1"),
            ]
        );
    }
}
