//! The export of delivery attempts: reading it, and matching it with the webhooks.

use std::path::PathBuf;
use std::sync::Arc;

use crate::analysis::audit::Limits;
use crate::analysis::deliveries::{DeliveryTally, UnmatchedAttempts};
use crate::base::text::{Safe, clean_head, grouped};
use crate::model::{RowRef, Scope};
use crate::safe;
use crate::snapshot;
use crate::tui::app::App;
use crate::tui::jobs::{DeliveriesRead, Job, Task};
use crate::tui::message::Effect;
use crate::tui::notice::Notice;
use crate::tui::session::Session;
use crate::tui::session::deliveries::{Deliveries, Figures};

impl App {
    /// Starts reading an export.
    pub fn read_deliveries(&mut self, path: PathBuf) -> Job {
        let file = path.file_name().map_or_else(|| snapshot::name(&path), |name| clean_head(&name.to_string_lossy(), 40));
        self.ui.notice = Some(Notice::Info(safe!("reading deliveries from {}", file)));
        let profile_at = self.session.workspace.at;
        self.deliveries =
            Some(Deliveries { file, profile_at, tally: None, problem: None, is_matched: false, is_being_matched: false });
        self.session.jobs.job(Task::ReadDeliveries { path })
    }

    pub(super) fn take_deliveries(&mut self, read: Result<DeliveriesRead, Safe>) -> Vec<Effect> {
        let Some(deliveries) = &mut self.deliveries else { return Vec::new() };
        let DeliveriesRead { tally, problems } = match read {
            Ok(read) => read,
            Err(why) => {
                deliveries.problem = Some(why.clone());
                return self.warn(why);
            }
        };
        let file = deliveries.file.clone();
        let rows = grouped(tally.rows());
        deliveries.tally = Some(tally);
        self.in_session(Session::facts_changed);
        match problems.first() {
            Some(problem) => self.warn(safe!("{}: {}", file, problem)),
            None => self.inform(safe!("{}: {} delivery attempts", file, rows)),
        }
    }

    /// Finds attempts that match no webhook, once all webhooks are loaded. Cached rows do not count, since they may be
    /// outdated.
    pub(super) fn match_deliveries(&mut self) -> Vec<Effect> {
        let is_whole = self.session.load.scope == Scope::All && self.session.list.lines.is_all_here();
        let profile_at = self.session.workspace.at;
        let Some(deliveries) = self.deliveries.as_mut().filter(|deliveries| {
            let is_due = !deliveries.is_matched && !deliveries.is_being_matched;
            is_whole && deliveries.profile_at == profile_at && is_due && deliveries.tally.is_some()
        }) else {
            return Vec::new();
        };
        deliveries.is_being_matched = true;
        let Some(tally) = deliveries.tally.clone() else { return Vec::new() };
        let rows = self.session.list.lines.rows().clone();
        self.session.jobs.run(Task::MatchDeliveries { tally, rows })
    }

    pub(super) fn take_unmatched(&mut self, unmatched: &UnmatchedAttempts) -> Vec<Effect> {
        if let Some(deliveries) = &mut self.deliveries {
            deliveries.is_matched = true;
            deliveries.is_being_matched = false;
        }
        match (unmatched.words(), &self.ui.notice) {
            // A problem with the file itself is more important.
            (None, _) | (Some(_), Some(Notice::Warning(_))) => Vec::new(),
            (Some(words), _) => self.warn(safe!("deliveries: {}", words)),
        }
    }

    /// The delivery statistics of a webhook; `None` without an export for this workspace.
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

    /// The tally of this workspace's deliveries, once it is read.
    pub fn tally(&self) -> Option<&Arc<DeliveryTally>> {
        self.deliveries_here()?.tally.as_ref()
    }

    /// The export, if it belongs to the workspace on screen.
    fn deliveries_here(&self) -> Option<&Deliveries> {
        self.deliveries.as_ref().filter(|of| of.profile_at == self.session.workspace.at)
    }
}
