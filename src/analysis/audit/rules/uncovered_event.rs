//! `uncovered-event`: known event without an active subscriber.

use std::collections::BTreeSet;

use crate::analysis::audit::{AuditContext, AuditInput, Check, Gather, Rule, Severity};
use crate::analysis::vocabulary::WILDCARD;
use crate::base::text::{Safe, clean_head};
use crate::model::{RowNumber, Rows};
use crate::safe;

pub(super) const RULE: Rule = Rule {
    id: "uncovered-event",
    severity: Severity::Info,
    about: "known event without an active subscriber",
    why: "When it occurs, it is not delivered to anyone.",
    advice: "Subscribe a webhook to it if you need it.",
    check: Check::Absence(|| Box::new(Covered::default())),
};

/// The known events that have an active subscriber.
#[derive(Default)]
struct Covered {
    events: BTreeSet<Box<str>>,
    /// An active webhook is subscribed to every event.
    all: bool,
}

impl Gather for Covered {
    fn see(&mut self, webhook: &AuditInput<'_>, context: &AuditContext) {
        if !webhook.is_active() || self.all || self.events.len() == context.known.len() {
            return;
        }
        for &event in &webhook.events {
            if context.knows(event) && !self.events.contains(event) {
                self.events.insert(event.into());
            }
        }
        self.all = context.has_wildcard() && self.events.contains(WILDCARD);
    }

    fn finish(self: Box<Self>, _: &Rows, context: &AuditContext, report: &mut dyn FnMut(Vec<RowNumber>, Safe)) {
        if self.all {
            return;
        }
        // A wildcard is a way to subscribe, not an event that happens.
        for event in context.known.iter().filter(|event| !self.events.contains(*event) && &***event != WILDCARD) {
            report(Vec::new(), safe!("{} has no active subscriber", clean_head(event, 60)));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::analysis::audit::AuditContext;
    use crate::analysis::audit::tests::{audit, row, run};
    use crate::analysis::vocabulary;
    use crate::model::testing::rows_of;

    #[test]
    fn an_event_with_only_inactive_subscribers_is_found() {
        let [quiet, heard @ ..] = vocabulary::CURRENT;
        let rows = [
            row("a", "https://a.example.com", &heard, true),
            row("b", "https://a.example.com", &[quiet, "order.paid"], false),
        ];
        let audit = audit("uncovered-event");
        let report = run(&audit, &rows);
        let found: Vec<_> =
            report.findings.iter().map(|finding| (finding.webhooks.len(), finding.message.as_str())).collect();
        assert_eq!(found, [(0, "call.completed has no active subscriber")]);
        assert!(audit.run(&rows_of(&rows), true).findings.is_empty());
    }

    #[test]
    fn a_wildcard_covers_every_event_where_the_config_knows_it() {
        let rows = [row("a", "https://a.example.com", &["*"], true)];
        let of = |known: &[&str], rows: &[String]| {
            let mut audit = audit("uncovered-event");
            audit.context = AuditContext::new(audit.context.now, known.iter().copied());
            run(&audit, rows).findings.len()
        };
        assert_eq!(of(&["*", "mine"], &rows), 0);
        assert_eq!(of(&["mine"], &rows), vocabulary::CURRENT.len() + 1);
        let inactive = [row("a", "https://a.example.com", &["*"], false)];
        assert_eq!(of(&["*"], &inactive), vocabulary::CURRENT.len(), "* is not an event itself");
    }

    #[test]
    fn an_empty_workspace_covers_no_event() {
        assert_eq!(run(&audit("uncovered-event"), &[]).findings.len(), vocabulary::CURRENT.len());
    }
}
