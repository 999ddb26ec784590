//! The view of changes: the comparison, its results, and the selection.

use std::collections::HashMap;
use std::sync::Arc;

use crate::analysis::changes::{ChangeEntry, Changes};
use crate::base::text::Safe;
use crate::cache::{CachedListing, MAX_CONFIRMED, Snapshot};
use crate::fetch::Generation;
use crate::model::Rows;
use crate::model::WebhookId;
use crate::tui::job_id::JobId;
use crate::tui::list_pane::{LineKey, Lines, ListPane, Shown, ViewList as _};

/// The baseline of the comparison.
#[derive(Debug, Clone, Default)]
pub enum Baseline {
    /// The cache at the start of the session.
    #[default]
    LastLook,
    /// The first consistent read of this session.
    Start,
    Snapshot(Snapshot, Arc<CachedListing>),
}

/// The snapshot that a cache is compared with, unless another baseline was chosen.
#[derive(Debug, Clone, Default)]
pub enum EarlierSnapshot {
    #[default]
    NotAsked,
    Asked,
    /// No snapshot is older than the cache.
    Nothing,
    Here(Baseline),
}

/// A choice of baseline.
#[derive(Debug, Clone)]
pub enum BaselineChoice {
    LastLook,
    Start,
    Snapshot(Snapshot),
}

/// The check of a webhook that is no longer listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemovalCheck {
    /// Waiting for the answer.
    Asked,
    Removed,
    /// It exists, and is missing from the listing.
    Present,
    /// The request failed, for this reason.
    Unknown(Safe),
}

/// The listing that is compared with the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparedListing {
    /// The last full read, and its generation.
    Read(Generation),
    /// The cache, while the API cannot be read.
    Cached,
}

/// The identity of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The time of the baseline, and a number that identifies it.
    pub basis: (jiff::Timestamp, u64),
    pub later: ComparedListing,
    pub filter: String,
    pub knowledge: KnownVersions,
}

/// The versions of the facts that the filter uses besides fields; `None` for unused ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KnownVersions {
    pub findings: Option<u64>,
    pub probes: Option<u64>,
    pub flags: Option<u64>,
}

/// The numbers of added, changed, removed and unconfirmed webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChangeCounts {
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
    pub unknown: u64,
}

/// The state of the view.
#[derive(Debug, Default)]
pub struct ChangesPane {
    /// The changes; `None` until they are found.
    pub list: ListPane<Option<Changes>>,
    pub basis: Baseline,
    /// The snapshot before the cache, once it is requested and loaded.
    pub earlier: EarlierSnapshot,
    /// A number that changes whenever marks or unread changes do.
    pub flags: u64,
    /// The baseline of the changes, and their filter.
    found_of: Option<((jiff::Timestamp, u64), String)>,
    counts: ChangeCounts,
    /// The requested comparison.
    wish: Option<Comparison>,
    /// The comparison in progress, or the last one, and its job until that is done.
    comparison: Option<Comparison>,
    job: Option<JobId>,
    fates: HashMap<Box<str>, RemovalCheck>,
    /// The number of ids requested since the last read.
    asked: usize,
}

impl Lines for Option<Changes> {
    type Line = ChangeEntry;

    fn count(&self) -> u64 {
        self.as_ref().map_or(0, |changes| changes.entries.len() as u64)
    }

    fn line(&self, index: u64) -> Option<ChangeEntry> {
        self.as_ref()?.entries.get(usize::try_from(index).ok()?).cloned()
    }

    fn find(&self, line: &mut ChangeEntry) -> Option<u64> {
        let index = self.as_ref()?.entries.iter().position(|entry| entry.id() == line.id())? as u64;
        *line = self.line(index)?;
        Some(index)
    }

    fn is_at(&self, index: u64, line: &mut ChangeEntry) -> bool {
        let there = self.line(index).filter(|there| there.id() == line.id());
        there.map(|there| *line = there).is_some()
    }

    fn key(line: &ChangeEntry, _place: u64) -> LineKey {
        LineKey::Webhook(line.id().into())
    }
}

impl ChangesPane {
    /// The changes; `None` until they are found.
    pub fn found(&self) -> Option<&Changes> {
        self.list.lines.as_ref()
    }

    fn entries(&self) -> &[ChangeEntry] {
        self.found().map_or(&[], |found| &found.entries)
    }

    pub fn len(&self) -> u64 {
        self.list.len()
    }

    /// The number of listed changes, without one that is only shown because it is selected.
    pub fn listed(&self) -> u64 {
        self.list.lines.count()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn entry(&self, place: u64) -> Option<&ChangeEntry> {
        match self.list.shown(place) {
            Shown::Held(entry) => Some(entry),
            Shown::Listed(index) => self.entries().get(usize::try_from(index).ok()?),
        }
    }

    pub fn selected(&self) -> Option<&ChangeEntry> {
        self.entry(self.list.selected())
    }

    pub fn fate(&self, entry: &ChangeEntry) -> Option<&RemovalCheck> {
        self.fates.get(entry.id())
    }

    /// The numbers of changes. Only webhooks for which the API answers 404 count as removed.
    pub fn counts(&self) -> ChangeCounts {
        self.counts
    }

    /// Returns true while the changes on screen are not those of the requested comparison.
    pub fn is_waiting(&self) -> bool {
        self.job.is_some() || self.comparison != self.wish
    }

    /// Requests a comparison. Returns true if it should start now, which is never the case while another one is in progress.
    /// Changes since a different baseline are removed.
    pub fn wish(&mut self, wish: Comparison) -> bool {
        if self.comparison.as_ref().is_none_or(|before| before.basis != wish.basis) {
            self.forget_found();
        }
        self.wish = Some(wish);
        self.job.is_none() && self.comparison != self.wish
    }

    /// Waits for the result of the job that makes the requested comparison.
    pub fn wait(&mut self, job: JobId) {
        self.comparison.clone_from(&self.wish);
        self.job = Some(job);
    }

    /// Cancels the request, since there is nothing to compare.
    pub fn wish_for_nothing(&mut self) {
        self.forget_found();
        self.wish = None;
        if self.job.is_none() {
            self.comparison = None;
        }
    }

    fn forget_found(&mut self) {
        self.list.lines = None;
        self.list.release();
        self.counts = ChangeCounts::default();
    }

    /// Takes the result of the comparison in progress, if it has the requested baseline. The selection stays on its webhook.
    pub fn take(&mut self, job: JobId, changes: Changes) -> bool {
        if self.job != Some(job) {
            return false;
        }
        self.job = None;
        let basis = |comparison: &Option<Comparison>| comparison.as_ref().map(|comparison| comparison.basis);
        if basis(&self.comparison) != basis(&self.wish) {
            return false;
        }
        let of = self.comparison.as_ref().map(|comparison| (comparison.basis, comparison.filter.clone()));
        let are_others = std::mem::replace(&mut self.found_of, of.clone()) != of;
        self.list.lines = Some(changes);
        self.count();
        self.list.keep(are_others);
        true
    }

    /// After another read, forgets all checks except confirmed removals, and those too if the webhook is listed again.
    pub fn forget_fates(&mut self, listed: &Rows) {
        self.fates.retain(|_, fate| *fate == RemovalCheck::Removed);
        if !self.fates.is_empty() {
            for row in listed.segments().flat_map(|(_, _, segment)| segment.iter()).filter(|row| row.is_webhook()) {
                self.fates.remove(row.id());
            }
        }
        self.asked = 0;
    }

    /// Returns the ids to check, and records them as requested.
    pub fn questions(&mut self) -> Vec<WebhookId> {
        let removed = self.entries().iter().take_while(|entry| matches!(entry, ChangeEntry::Removed(_)));
        let open = removed.filter(|entry| !self.fates.contains_key(entry.id())).map(ChangeEntry::id);
        let ids: Vec<_> = open.take(MAX_CONFIRMED.saturating_sub(self.asked)).map(WebhookId::new).collect();
        self.ask(&ids);
        ids
    }

    /// Returns those of the ids that need a check, and records them as requested. Like [`Self::questions`], limited per
    /// read.
    pub fn questions_of(&mut self, ids: &[String]) -> Vec<WebhookId> {
        let open = ids.iter().filter(|id| !self.fates.contains_key(id.as_str())).map(|id| WebhookId::new(id));
        let ids: Vec<_> = open.take(MAX_CONFIRMED.saturating_sub(self.asked)).collect();
        self.ask(&ids);
        ids
    }

    fn ask(&mut self, ids: &[WebhookId]) {
        self.asked += ids.len();
        self.fates.extend(ids.iter().map(|id| (id.raw().into(), RemovalCheck::Asked)));
    }

    /// The check of a webhook that is not listed.
    pub fn fate_of(&self, id: &str) -> Option<&RemovalCheck> {
        self.fates.get(id)
    }

    /// The ids of the webhooks that are confirmed as removed.
    pub fn removed(&self) -> impl Iterator<Item = &str> {
        self.fates.iter().filter(|(_, fate)| **fate == RemovalCheck::Removed).map(|(id, _)| &**id)
    }

    pub fn learn(&mut self, fates: Vec<(Box<str>, RemovalCheck)>) {
        self.fates.extend(fates);
        self.count();
        self.list.keep(false);
    }

    /// Drops missing webhooks that still exist according to the API, and counts the others.
    fn count(&mut self) {
        let fates = &self.fates;
        let Some(found) = &mut self.list.lines else { return };
        let before = found.entries.len();
        found.entries.retain(|entry| {
            !matches!(entry, ChangeEntry::Removed(_)) || fates.get(entry.id()) != Some(&RemovalCheck::Present)
        });
        let listed_after_all = (before - found.entries.len()) as u64;
        found.removed = found.removed.saturating_sub(listed_after_all);
        found.all = found.all.saturating_sub(listed_after_all);
        let is_gone = |entry: &&ChangeEntry| fates.get(entry.id()) == Some(&RemovalCheck::Removed);
        let removed = found.entries.iter().take_while(|entry| matches!(entry, ChangeEntry::Removed(_))).filter(is_gone);
        let removed = removed.count() as u64;
        let unknown = found.removed.saturating_sub(removed);
        self.counts = ChangeCounts { added: found.added, changed: found.changed, removed, unknown };
    }
}
