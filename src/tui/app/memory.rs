//! What is remembered of the workspace: the cache is shown until live rows are here, and every consistent read of everything is
//! written to it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{App, Effect, Generation, Scope};
use crate::analysis::news::Reads;
use crate::analysis::rows::Rows;
use crate::cache::{Kept, MAX_CONFIRMED, Unconfirmed, Unusable};
use crate::safe;
use crate::text::{Safe, clean, clean_head};
use crate::tui::changes_pane::Fate;
use crate::tui::jobs::{Job, Task};
use crate::tui::past::{Layout, Past};

/// The minimum time between two writes of a listing.
const KEPT: Duration = Duration::from_mins(1);

/// The most webhooks of which the first read is kept: with more, that would double the memory used.
const MOST_KEPT: u64 = 300_000;

/// The operation in progress on the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Cache {
    #[default]
    Idle,
    /// The cache must not be written until it has been read.
    Reading,
    Writing,
}

/// Earlier listings of the workspace, and the state of the cache.
#[derive(Debug, Default)]
pub struct Memory {
    /// The listing in the cache at the start.
    last_look: Option<Arc<Past>>,
    /// The same, until it is compared with a full read.
    to_compare: Option<Arc<Past>>,
    /// The same, and the number of the job, while it is being compared.
    being_compared: Option<(u64, Arc<Past>)>,
    cache: Cache,
    /// While a job filters the rows by scope: the scope, the page size and the time of the listing.
    sifting: Option<(Scope, u64, Timestamp)>,
    /// The first consistent read of everything, if it is no more than [`MOST_KEPT`].
    first: Option<Arc<Past>>,
    /// The last consistent read of everything, and its generation.
    full: Option<(Generation, Arc<Past>)>,
    /// True while the last consistent read has yet to be written.
    is_unkept: bool,
    /// The number of writes.
    written: u64,
    /// The listing last written, and the one being written.
    kept: Option<Arc<Past>>,
    writing: Option<Arc<Past>>,
    kept_at: Option<Instant>,
    /// A read that is held back until these webhooks are confirmed as removed.
    unconfirmed: Option<(Unconfirmed, Arc<Past>)>,
    warned: Warned,
}

/// The warnings shown since the last write, so that none is repeated.
#[derive(Debug, Default)]
struct Warned {
    /// The cache cannot be written.
    of_failure: bool,
    /// The cache was not updated: some removals are unconfirmed.
    of_doubt: bool,
}

impl Memory {
    /// The listing in the cache at the start.
    pub fn last_look(&self) -> Option<&Arc<Past>> {
        self.last_look.as_ref()
    }

    /// The first consistent read of everything.
    pub fn first(&self) -> Option<&Arc<Past>> {
        self.first.as_ref()
    }

    /// Returns true while the cache is being read or written.
    pub(super) fn is_busy(&self) -> bool {
        self.cache != Cache::Idle
    }

    /// The number of writes.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// The last consistent read of everything, in this session or, failing that, an earlier one.
    fn latest(&self) -> Option<&Arc<Past>> {
        self.full().or(self.last_look.as_ref())
    }

    /// The last consistent read of everything, and its generation.
    pub fn full_read(&self) -> Option<&(Generation, Arc<Past>)> {
        self.full.as_ref()
    }

    /// The last consistent read of everything.
    pub fn full(&self) -> Option<&Arc<Past>> {
        self.full.as_ref().map(|(_, past)| past)
    }
}

impl App {
    /// When the rows were read that are shown in place of live ones.
    pub fn cached_at(&self) -> Option<Timestamp> {
        self.listing.remembered_at()
    }

    /// What is to be done at the start of a workspace: its cache is read.
    pub(super) fn recall(&mut self) -> Vec<Effect> {
        let Some(store) = self.setup.store.clone() else { return Vec::new() };
        self.memory.cache = Cache::Reading;
        let layout = self.past_layout();
        self.run(Task::Recall { store, layout, now: self.now.wall })
    }

    pub(super) fn past_layout(&self) -> Layout {
        let is_known = self.listing.is_known() && self.listing.remembered() < self.listing.loaded();
        let page_size = if is_known { self.listing.page_size() } else { u64::from(self.setup.page_size.max(1)) };
        Layout { packer: self.packer.clone(), page_size, is_known }
    }

    pub(super) fn recalled(&mut self, found: Result<Option<Arc<Past>>, Unusable>) -> Vec<Effect> {
        self.memory.cache = Cache::Idle;
        let mut effects = match found {
            Ok(past) => {
                self.memory.to_compare.clone_from(&past);
                self.memory.last_look = past;
                self.show_last_look()
            }
            Err(why) => self.warn(safe!("cache unusable, rebuilding it: {}", clean(&why.to_string()))),
        };
        // Live rows may have been faster.
        effects.extend(self.compare_with_last_look());
        effects
    }

    /// Shows what was seen at the last look where nothing else is here. Live rows replace it.
    pub(super) fn show_last_look(&mut self) -> Vec<Effect> {
        let Some(past) = self.memory.latest().cloned() else { return Vec::new() };
        if self.listing.is_known() && self.listing.is_complete() {
            return Vec::new();
        }
        let layout = self.past_layout();
        if self.scope == Scope::All && (!layout.is_known || past.rows.page_size() == layout.page_size) {
            return self.remember(self.scope, &past.rows, past.at);
        }
        if self.memory.sifting.is_some() {
            // Once that is done it is seen what is wanted then.
            return Vec::new();
        }
        let scope = self.scope;
        self.memory.sifting = Some((scope, layout.page_size, past.at));
        self.run(Task::Sift { past, scope, layout })
    }

    pub(super) fn sifted(&mut self, scope: Scope, rows: &Rows) -> Vec<Effect> {
        let sifted = self.memory.sifting.take();
        if let Some((of, size, at)) = sifted
            && (of, size) == (self.scope, self.past_layout().page_size)
        {
            return self.remember(scope, rows, at);
        }
        self.show_last_look()
    }

    fn remember(&mut self, scope: Scope, rows: &Rows, at: Timestamp) -> Vec<Effect> {
        if scope != self.scope || !self.listing.remember(rows, at) {
            return Vec::new();
        }
        // Everything was known, so everything is read again, as after a refresh.
        self.need_everything();
        vec![Effect::Draw]
    }

    /// Takes note of a consistent read of everything, once.
    pub(super) fn take_full_read(&mut self) -> Vec<Effect> {
        let is_taken = self.memory.full.as_ref().is_some_and(|(generation, _)| *generation == self.generation);
        if self.scope != Scope::All || is_taken || !self.listing.is_whole_read() {
            return Vec::new();
        }
        let past = Past { rows: self.listing.rows().clone(), at: self.asked_at };
        let past = Arc::new(past);
        if self.memory.full.is_none() && past.rows.count() <= MOST_KEPT {
            self.memory.first = Some(Arc::clone(&past));
        }
        self.changes.forget_fates(&past.rows);
        self.memory.full = Some((self.generation, past));
        self.memory.is_unkept = true;
        self.compare_with_last_look()
    }

    /// Finds what changed since the last look, once.
    fn compare_with_last_look(&mut self) -> Vec<Effect> {
        if self.scope != Scope::All {
            // It waits until all are shown again.
            return Vec::new();
        }
        let Some((_, after)) = &self.memory.full else { return Vec::new() };
        let Some(past) = self.memory.to_compare.take() else { return Vec::new() };
        let read = after.rows.segments().map(|(page, ..)| page).collect();
        let (before, after) = (past.rows.clone(), after.rows.clone());
        // It has everything that was there at the last refresh too.
        self.before = None;
        let effects =
            self.run(Task::Compare(Box::new(Reads { before, after, was_complete: true, is_complete: true, read })));
        self.memory.being_compared = Some((self.jobs.started, past));
        effects
    }

    /// What differs from the last look is known, if this job looked for it.
    pub(super) fn compared_with_last_look(&mut self, number: u64) {
        self.memory.being_compared.take_if(|(job, _)| *job == number);
    }

    /// What differs from the last look is still to be found.
    pub(super) fn compare_with_last_look_again(&mut self) {
        if let Some((_, past)) = self.memory.being_compared.take() {
            self.memory.to_compare = Some(past);
        }
    }

    /// When what was read is written, if it is not yet.
    pub(super) fn keeps_at(&self) -> Option<Instant> {
        let at = self.memory.kept_at.filter(|_| self.is_to_be_kept())?;
        at.checked_add(KEPT)
    }

    fn is_to_be_kept(&self) -> bool {
        self.memory.is_unkept && self.memory.cache == Cache::Idle && self.setup.store.is_some()
    }

    pub(super) fn keep_when_due(&mut self) -> Vec<Effect> {
        let is_due = self.memory.kept_at.is_none_or(|at| self.now.instant.saturating_duration_since(at) >= KEPT);
        match self.keeping().filter(|_| is_due) {
            Some(task) => {
                self.memory.is_unkept = false;
                self.memory.kept_at = Some(self.now.instant);
                self.memory.cache = Cache::Writing;
                self.memory.writing = self.memory.full().cloned();
                self.run(task)
            }
            None => Vec::new(),
        }
    }

    /// What has to be written yet.
    fn keeping(&self) -> Option<Task> {
        let store = self.setup.store.clone()?;
        let past = self.memory.full().filter(|_| self.is_to_be_kept())?;
        let removed = self.changes.removed().map(str::to_owned).collect();
        let last = self.memory.kept.clone();
        Some(Task::Keep { store, past: Arc::clone(past), last, removed, now: self.now.wall })
    }

    /// What has to be written yet, whenever that was done last: the workspace is left.
    pub fn keep_at_last(&mut self) -> Option<Job> {
        let task = self.keeping()?;
        self.memory.is_unkept = false;
        self.memory.cache = Cache::Writing;
        self.memory.writing = self.memory.full().cloned();
        self.jobs.started += 1;
        Some(Job { number: self.jobs.started, task })
    }

    pub(super) fn kept(&mut self, kept: Result<Kept, Safe>) -> Vec<Effect> {
        self.memory.cache = Cache::Idle;
        let written = self.memory.writing.take();
        match kept {
            Ok(Kept::Written { .. } | Kept::Unchanged) => {
                self.memory.kept = written;
                self.memory.written += 1;
                self.memory.warned = Warned::default();
                Vec::new()
            }
            Ok(Kept::Unconfirmed(unconfirmed)) => {
                self.memory.unconfirmed = written.map(|past| (unconfirmed, past));
                self.confirm_removed()
            }
            Ok(Kept::Outdated) => Vec::new(),
            Ok(Kept::Busy) => {
                self.memory.is_unkept = true;
                Vec::new()
            }
            Err(why) => {
                self.memory.is_unkept = true;
                if std::mem::replace(&mut self.memory.warned.of_failure, true) {
                    return Vec::new();
                }
                self.warn(safe!("cannot write the cache: {}", why))
            }
        }
    }

    /// Asks for the webhooks of the cache that the last read lacks. What is asked for already is waited for. Once all of them are
    /// confirmed as removed the read is written; else the cache stays, and it is said why.
    pub(super) fn confirm_removed(&mut self) -> Vec<Effect> {
        let Some((unconfirmed, past)) = self.memory.unconfirmed.take() else { return Vec::new() };
        if self.memory.full().is_none_or(|full| !Arc::ptr_eq(full, &past)) {
            // Another read came meanwhile, and is written in its place.
            return Vec::new();
        }
        let ids = self.changes.questions_of(&unconfirmed.ids);
        let fates = || unconfirmed.ids.iter().map(|id| (id, self.changes.fate_of(id)));
        if !ids.is_empty() || fates().any(|(_, fate)| fate == Some(&Fate::Asked)) {
            self.memory.unconfirmed = Some((unconfirmed, past));
            return self.ask_for(ids);
        }
        let known = fates().filter(|(_, fate)| *fate == Some(&Fate::Gone)).count();
        let reason = fates().find_map(|(id, fate)| match fate {
            Some(Fate::Unknown(why)) => Some(safe!("{}: {}", clean_head(id, 30), why)),
            Some(Fate::There) => Some(safe!("{} still exists", clean_head(id, 30))),
            _ => None,
        });
        if reason.is_none() && known > 0 {
            // They are noted at least. When there are more, the next read goes on with those.
            self.memory.is_unkept = true;
            self.memory.kept_at = None;
            return self.keep_when_due();
        }
        let reason = reason.unwrap_or_else(|| safe!("each read requests up to {} by id", MAX_CONFIRMED));
        if std::mem::replace(&mut self.memory.warned.of_doubt, true) {
            return Vec::new();
        }
        self.warn(safe!("cache not updated: {} of its webhooks not confirmed as removed: {}", unconfirmed.count, reason))
    }
}
