//! The facts for an audit from outside the listing: delivery attempts, and the destinations that are reachable from this host.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::context::Context;
use super::probe::{note_proxy, settings};
use crate::analysis::audit::ExternalFacts;
use crate::analysis::deliveries::DeliveryTally;
use crate::analysis::destinations::Grouping;
use crate::analysis::probed::{Probed, Seen};
use crate::deliveries;
use crate::error::{Error, Exit};
use crate::model::Rows;
use crate::probe;
use crate::safe;

/// The sources of facts.
pub(super) struct Sources {
    deliveries: Option<Arc<DeliveryTally>>,
    probe: Option<probe::Settings>,
}

impl Sources {
    /// Reads the deliveries. Unusable rows are reported and affect the exit code.
    pub(super) fn open(
        file: Option<&Path>,
        step_timeout: Option<u64>,
        context: &Context<'_>,
    ) -> Result<(Self, Exit), Error> {
        let mut exit = Exit::Done;
        let deliveries = match file {
            Some(path) => {
                context.say.note_stdin_terminal(path, "delivery attempts");
                let mut tally = DeliveryTally::default();
                for problem in deliveries::load(path, &mut tally)?.problems() {
                    context.say.problem(&safe!("--deliveries: {}", problem));
                    exit = Exit::Incomplete;
                }
                Some(Arc::new(tally))
            }
            None => None,
        };
        let probe = match step_timeout {
            Some(seconds) => {
                note_proxy(context);
                Some(settings(seconds, false, context)?)
            }
            None => None,
        };
        Ok((Self { deliveries, probe }, exit))
    }

    /// The kinds of facts that there will be, without any.
    pub(super) fn kinds(&self) -> ExternalFacts {
        ExternalFacts {
            deliveries: self.deliveries.clone(),
            probes: self.probe.as_ref().map(|_| HashMap::new()),
            ..ExternalFacts::default()
        }
    }

    /// The facts about the webhooks of a workspace.
    pub(super) async fn gather(&self, rows: &Rows, context: &Context<'_>) -> ExternalFacts {
        let mut facts = self.kinds();
        if let Some(tally) = &self.deliveries {
            let webhooks = rows.webhooks().map(|row| (row.id(), row.url()));
            if let Some(words) = tally.unmatched(webhooks).words() {
                context.say.note(&safe!("--deliveries: {}", words));
            }
        }
        facts.probes = self.probe(rows).await.map(|probed| probed.facts());
        facts
    }

    /// Probes the destinations of the active webhooks; `None` without `--probe`.
    pub(super) async fn probe(&self, rows: &Rows) -> Option<Probed> {
        let settings = self.probe.as_ref()?;
        let mut grouping = Grouping::default();
        // Inactive webhooks receive no deliveries.
        for row in rows.webhooks().filter(|row| row.active() == Some(true)) {
            grouping.add(row, 0);
        }
        let wanted: Vec<_> = grouping.finish().targets.iter().map(|target| probe::Wanted::of(target, false)).collect();
        let mut probing = probe::start(wanted, settings.clone());
        let mut probed = Probed::default();
        while let Some(answer) = probing.next().await {
            probed.insert(answer.origin, Seen { reach: answer.reach, at: settings.now });
        }
        Some(probed)
    }
}
