//! What an audit knows besides the listing: how deliveries went, and which destinations are reachable from this host.

use std::collections::HashMap;
use std::path::Path;

use url::Url;

use super::Context;
use super::probe::{note_proxy, settings};
use crate::analysis::audit::{Deliveries, Facts, Probe, origin_of};
use crate::analysis::deliveries::{Stats, Tally};
use crate::analysis::destinations::Grouping;
use crate::analysis::reach::{Reach, State, Trouble};
use crate::deliveries;
use crate::error::{Error, Exit};
use crate::model::{Row, Webhook};
use crate::probe;
use crate::safe;

/// Where facts come from.
pub(super) struct Sources {
    deliveries: Option<Tally>,
    probe: Option<probe::Settings>,
}

impl Sources {
    /// Reads the deliveries. Rows that cannot be used are told, and are in the exit code.
    pub(super) fn open(
        file: Option<&Path>,
        step_timeout: Option<u64>,
        context: &Context<'_>,
    ) -> Result<(Self, Exit), Error> {
        let mut exit = Exit::Done;
        let deliveries = match file {
            Some(path) => {
                let mut tally = Tally::default();
                for problem in deliveries::load(path, &mut tally)?.problems() {
                    context.say.problem(&safe!("--deliveries: {}", problem));
                    exit = Exit::Incomplete;
                }
                Some(tally)
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
    pub(super) fn kinds(&self) -> Facts {
        Facts {
            deliveries: self.deliveries.as_ref().map(|_| HashMap::new()),
            probes: self.probe.as_ref().map(|_| HashMap::new()),
            ..Facts::default()
        }
    }

    /// The facts about the webhooks of a workspace.
    pub(super) async fn gather(&self, rows: &[Row], context: &Context<'_>) -> Facts {
        let mut facts = self.kinds();
        let webhooks = || rows.iter().filter_map(Row::webhook);
        if let (Some(tally), Some(known)) = (&self.deliveries, &mut facts.deliveries) {
            let joined = tally.join(webhooks());
            if let Some(words) = joined.unmatched.words() {
                context.say.note(&safe!("--deliveries: {}", words));
            }
            known.extend(joined.stats.into_iter().map(|(id, stats)| (id.raw().into(), told(stats))));
        }
        if let (Some(settings), Some(known)) = (&self.probe, &mut facts.probes) {
            let mut grouping = Grouping::default();
            // Nothing is delivered to the others.
            for webhook in webhooks().filter(|webhook| Webhook::active(webhook) == Some(true)) {
                grouping.add(webhook, 0);
            }
            let wanted: Vec<_> = grouping.finish().targets.iter().map(|target| probe::Wanted::of(target, false)).collect();
            let mut probing = probe::start(wanted, settings.clone());
            while let Some(answer) = probing.next().await {
                let Ok(url) = Url::parse(&answer.origin.to_string()) else { continue };
                known.insert(origin_of(&url).into(), seen(&answer.reach));
            }
        }
        facts
    }
}

fn told(stats: Stats) -> Deliveries {
    Deliveries {
        attempts: stats.attempts,
        failures: stats.failures,
        last_failure: stats.last_failure,
        top_error: stats.top_error.map(|(error, _)| error.clean_head(80)),
    }
}

fn seen(reach: &Reach) -> Probe {
    Probe {
        dead: reach.trouble.filter(|_| reach.state() == State::Dead).map(Trouble::word),
        tls_days_left: reach.certificate.map(|lasts| lasts.days_left),
    }
}
