//! An export of delivery attempts, read beside the loop, and what it says of a webhook.

use std::path::PathBuf;
use std::sync::Arc;

use super::{App, Effect, Notice, RowRef, Safe, Scope, grouped, safe};
use crate::analysis::audit::Limits;
use crate::analysis::deliveries::{DeliveryStats, DeliveryTally, UnmatchedAttempts};
use crate::snapshot;
use crate::text::clean_head;
use crate::tui::jobs::{Job, Read, Task};

/// The export, as far as it is read.
#[derive(Debug)]
pub struct Deliveries {
    file: Safe,
    /// The place of the workspace that it is of, among the profiles.
    profile_at: usize,
    /// `None` while it is being read, or when it cannot be.
    tally: Option<Arc<DeliveryTally>>,
    problem: Option<Safe>,
    /// It was compared with the whole workspace, or is being compared.
    is_matched: bool,
    is_being_matched: bool,
}

/// What the export says of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figures {
    /// It is being read.
    Reading,
    /// It cannot be read, for this reason.
    Failed(Safe),
    None,
    Known {
        stats: DeliveryStats,
        /// More fail than is good, as the audit counts.
        fails: bool,
    },
}

impl App {
    /// Begins to read an export.
    pub fn read_deliveries(&mut self, path: PathBuf) -> Job {
        let file = path.file_name().map_or_else(|| snapshot::name(&path), |name| clean_head(&name.to_string_lossy(), 40));
        self.notice = Some(Notice::Info(safe!("reading deliveries from {}", file)));
        let profile_at = self.setup.profile_at;
        self.deliveries =
            Some(Deliveries { file, profile_at, tally: None, problem: None, is_matched: false, is_being_matched: false });
        self.job(Task::ReadDeliveries { path })
    }

    pub(super) fn take_deliveries(&mut self, read: Result<Read, Safe>) -> Vec<Effect> {
        let Some(deliveries) = &mut self.deliveries else { return Vec::new() };
        let Read { tally, problems } = match read {
            Ok(read) => read,
            Err(why) => {
                deliveries.problem = Some(why.clone());
                return self.warn(why);
            }
        };
        let file = deliveries.file.clone();
        let rows = grouped(tally.rows());
        deliveries.tally = Some(tally);
        self.facts_changed();
        match problems.first() {
            Some(problem) => self.warn(safe!("{}: {}", file, problem)),
            None => self.inform(safe!("{}: {} delivery attempts", file, rows)),
        }
    }

    /// Looks for attempts that belong to no webhook, once every webhook is here: what is remembered of another time may name others.
    pub(super) fn match_deliveries(&mut self) -> Vec<Effect> {
        let is_whole = self.scope == Scope::All && self.listing.is_all_here();
        let profile_at = self.setup.profile_at;
        let Some(deliveries) = self.deliveries.as_mut().filter(|deliveries| {
            let is_due = !deliveries.is_matched && !deliveries.is_being_matched;
            is_whole && deliveries.profile_at == profile_at && is_due && deliveries.tally.is_some()
        }) else {
            return Vec::new();
        };
        deliveries.is_being_matched = true;
        let Some(tally) = deliveries.tally.clone() else { return Vec::new() };
        let rows = self.listing.rows().clone();
        self.run(Task::MatchDeliveries { tally, rows })
    }

    /// An answer that is still to come will not be taken.
    pub(super) fn match_again(&mut self) {
        if let Some(deliveries) = &mut self.deliveries {
            deliveries.is_being_matched = false;
        }
    }

    pub(super) fn take_unmatched(&mut self, unmatched: &UnmatchedAttempts) -> Vec<Effect> {
        if let Some(deliveries) = &mut self.deliveries {
            deliveries.is_matched = true;
            deliveries.is_being_matched = false;
        }
        match (unmatched.words(), &self.notice) {
            // What is wrong with the file itself counts for more.
            (None, _) | (Some(_), Some(Notice::Warning(_))) => Vec::new(),
            (Some(words), _) => self.warn(safe!("deliveries: {}", words)),
        }
    }

    /// What the export says of a webhook; `None` when there is no export of this workspace.
    pub fn figures_of(&self, row: RowRef<'_>) -> Option<Figures> {
        let deliveries = self.deliveries_here()?;
        Some(match (&deliveries.tally, &deliveries.problem) {
            (_, Some(problem)) => Figures::Failed(problem.clone()),
            (None, None) => Figures::Reading,
            (Some(tally), None) => match tally.of(row.id(), row.url()) {
                Some(stats) => {
                    let Limits { failure_percent, attempts, .. } = Limits::default();
                    Figures::Known { fails: stats.fails(failure_percent, attempts), stats }
                }
                None => Figures::None,
            },
        })
    }

    /// What was counted of deliveries to this workspace, once it is read.
    pub fn tally(&self) -> Option<&Arc<DeliveryTally>> {
        self.deliveries_here()?.tally.as_ref()
    }

    /// The export, if it is of the workspace that is shown.
    fn deliveries_here(&self) -> Option<&Deliveries> {
        self.deliveries.as_ref().filter(|of| of.profile_at == self.setup.profile_at)
    }
}
