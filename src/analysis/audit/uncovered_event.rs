//! `uncovered-event`: a known event that no active webhook is subscribed to.

use std::collections::BTreeSet;

use super::{Basis, Candidate, Check, Gather, Rule, Severity, Source};
use crate::safe;
use crate::text::{Safe, clean_head};

pub(super) const RULE: Rule = Rule {
    id: "uncovered-event",
    severity: Severity::Info,
    about: "a known event that no active webhook is subscribed to",
    why: "When it happens, nobody hears of it.",
    advice: "Subscribe a webhook to it if somebody should hear of it.",
    check: Check::Absence(|| Box::new(Heard::default())),
};

/// The known events that somebody hears.
#[derive(Default)]
struct Heard(BTreeSet<Box<str>>);

impl Gather for Heard {
    fn see(&mut self, webhook: &Candidate<'_>, basis: &Basis) {
        if !webhook.is_active() || self.0.len() == basis.known.len() {
            return;
        }
        for &event in &webhook.events {
            if basis.knows(event) && !self.0.contains(event) {
                self.0.insert(event.into());
            }
        }
    }

    fn finish(self: Box<Self>, source: &dyn Source, basis: &Basis, found: &mut dyn FnMut(Vec<u32>, Safe)) {
        if basis.is_part || source.is_part() {
            return;
        }
        for event in basis.known.iter().filter(|event| !self.0.contains(*event)) {
            found(Vec::new(), safe!("{} reaches nobody", clean_head(event, 60)));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::tests::{audit, row, run};
    use crate::analysis::vocabulary;

    #[test]
    fn what_only_inactive_webhooks_hear_reaches_nobody() {
        let [quiet, heard @ ..] = vocabulary::CURRENT;
        let rows = [
            row("a", "https://a.example.com", &heard, true),
            row("b", "https://a.example.com", &[quiet, "order.paid"], false),
        ];
        let mut audit = audit("uncovered-event");
        let report = run(&audit, &rows);
        let found: Vec<_> =
            report.findings.iter().map(|finding| (finding.webhooks.len(), finding.message.as_str())).collect();
        assert_eq!(found, [(0, "call.completed reaches nobody")]);
        audit.basis.is_part = true;
        assert!(run(&audit, &rows).findings.is_empty());
    }

    #[test]
    fn an_empty_workspace_hears_nothing() {
        assert_eq!(run(&audit("uncovered-event"), &[]).findings.len(), vocabulary::CURRENT.len());
    }
}
