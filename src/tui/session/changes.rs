//! The view of changes: what is compared, what came of it, and what is selected.

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

/// Since when changes are told.
#[derive(Debug, Clone, Default)]
pub enum Baseline {
    /// The cache as it was at the start.
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

/// A baseline that can be chosen.
#[derive(Debug, Clone)]
pub enum BaselineChoice {
    LastLook,
    Start,
    Snapshot(Snapshot),
}

/// The check of a webhook that is no longer listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemovalCheck {
    /// The answer is waited for.
    Asked,
    Removed,
    /// It exists: the listing left it out.
    Present,
    /// Why nothing was learned.
    Unknown(Safe),
}

/// The listing that is compared with the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparedListing {
    /// The last full read, which is of this generation.
    Read(Generation),
    /// The cache, while nothing can be read.
    Cached,
}

/// The identity of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The time of the basis, and which one it is.
    pub basis: (jiff::Timestamp, u64),
    pub later: ComparedListing,
    pub filter: String,
    pub knowledge: KnownVersions,
}

/// The versions of the facts that the filter asks for besides fields; `None` for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KnownVersions {
    pub findings: Option<u64>,
    pub probes: Option<u64>,
    pub flags: Option<u64>,
}

/// The numbers of webhooks that were added, changed, removed, and perhaps removed.
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
    /// The snapshot before the cache, once it was asked for and is here.
    pub earlier: EarlierSnapshot,
    /// Another number after each change of what is marked, added, changed or removed.
    pub flags: u64,
    /// The time since when these are the changes, and the filter.
    found_of: Option<((jiff::Timestamp, u64), String)>,
    counts: ChangeCounts,
    /// The comparison that is wanted.
    wish: Option<Comparison>,
    /// The comparison in progress, or the last one, and its job until that is done.
    comparison: Option<Comparison>,
    job: Option<JobId>,
    fates: HashMap<Box<str>, RemovalCheck>,
    /// Ids that were asked for since the last read.
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

    /// Changes that are listed; one more is shown while it is selected.
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

    /// Returns true while the changes on screen are not those that are wanted.
    pub fn is_waiting(&self) -> bool {
        self.job.is_some() || self.comparison != self.wish
    }

    /// Takes note of what is to be compared, and says whether to begin with it now: never while another comparison goes on.
    /// Changes since another baseline are not shown any longer.
    pub fn wish(&mut self, wish: Comparison) -> bool {
        if self.comparison.as_ref().is_none_or(|before| before.basis != wish.basis) {
            self.forget_found();
        }
        self.wish = Some(wish);
        self.job.is_none() && self.comparison != self.wish
    }

    /// Waits for the answer of a job that compares what is wished for.
    pub fn wait(&mut self, job: JobId) {
        self.comparison.clone_from(&self.wish);
        self.job = Some(job);
    }

    /// There is nothing to be compared.
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

    /// Takes what was found, if it is what is waited for and since the time that is wished for. The selection stays with its
    /// webhook.
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

    /// After another read, what was not known may be; and what it lists is there, whatever was confirmed before.
    pub fn forget_fates(&mut self, listed: &Rows) {
        self.fates.retain(|_, fate| *fate == RemovalCheck::Removed);
        if !self.fates.is_empty() {
            for row in listed.segments().flat_map(|(_, _, segment)| segment.iter()).filter(|row| row.is_webhook()) {
                self.fates.remove(row.id());
            }
        }
        self.asked = 0;
    }

    /// The ids to be asked for: from now on they are.
    pub fn questions(&mut self) -> Vec<WebhookId> {
        let removed = self.entries().iter().take_while(|entry| matches!(entry, ChangeEntry::Removed(_)));
        let open = removed.filter(|entry| !self.fates.contains_key(entry.id())).map(ChangeEntry::id);
        let ids: Vec<_> = open.take(MAX_CONFIRMED.saturating_sub(self.asked)).map(WebhookId::new).collect();
        self.ask(&ids);
        ids
    }

    /// Which of these ids are to be asked for: from now on they are. As [`Self::questions`], never too many after one read.
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

    /// Leaves out what the API has, though it does not list it, and counts the rest.
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
