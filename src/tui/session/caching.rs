//! The cache: it is shown until rows from the API are loaded, and every consistent read of everything is written to it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::cache::{CacheUse, CacheWarnings};
use super::changes::RemovalCheck;
use super::context::SessionContext;
use super::past::Layout;
use super::state::Session;
use crate::analysis::refresh_diff::RefreshedRows;
use crate::base::text::{Safe, clean, clean_head};
use crate::cache::{CachedListing, Kept, MAX_CONFIRMED, Unusable};
use crate::model::Rows;
use crate::model::Scope;
use crate::safe;
use crate::tui::job_id::JobId;
use crate::tui::jobs::{Job, Task};
use crate::tui::message::{Effect, warn};

/// The minimum time between two writes of a listing.
const KEPT: Duration = Duration::from_mins(1);

/// The most webhooks for which the first read is kept. With more, keeping it would use too much memory.
const MOST_KEPT: u64 = 300_000;

impl Session {
    /// The time at which the cached rows on screen were read, if there are any.
    pub fn cached_at(&self) -> Option<Timestamp> {
        self.list.lines.remembered_at()
    }

    /// Reads the cache, at the start of a session.
    pub fn recall(&mut self, cx: SessionContext<'_>) -> Vec<Effect> {
        let Some(store) = self.workspace.store.clone() else { return Vec::new() };
        self.cache.cache = CacheUse::Reading;
        let layout = self.past_layout();
        self.jobs.run(Task::Recall { store, layout, now: cx.now.wall })
    }

    /// The layout for the rows of an earlier listing, the same as for rows from the API.
    pub fn past_layout(&self) -> Layout {
        let is_known = self.list.lines.is_known() && self.list.lines.remembered() < self.list.lines.loaded();
        let page_size = if is_known { self.list.lines.page_size() } else { u64::from(self.workspace.page_size.max(1)) };
        Layout { interner: self.load.interner.clone(), page_size, is_known }
    }

    /// Takes the listing in the cache.
    pub fn recalled(&mut self, found: Result<Option<Arc<CachedListing>>, Unusable>) -> Vec<Effect> {
        self.cache.cache = CacheUse::Idle;
        let mut effects = match found {
            Ok(past) => {
                self.cache.to_compare.clone_from(&past);
                self.cache.last_look = past;
                self.show_last_look()
            }
            Err(why) => warn(safe!("cache unusable, rebuilding it: {}", clean(&why.to_string()))),
        };
        // Live rows may have arrived first.
        effects.extend(self.compare_with_last_look());
        effects
    }

    /// Shows the cached listing where no rows are loaded. Rows from the API replace it.
    pub fn show_last_look(&mut self) -> Vec<Effect> {
        let Some(past) = self.cache.latest().cloned() else { return Vec::new() };
        if self.list.lines.is_known() && self.list.lines.is_complete() {
            return Vec::new();
        }
        let layout = self.past_layout();
        if self.load.scope == Scope::All && (!layout.is_known || past.rows.page_size() == layout.page_size) {
            return self.remember(self.load.scope, &past.rows, past.read_at);
        }
        if self.cache.sifting.is_some() {
            // A different scope may be shown by the time the job is done.
            return Vec::new();
        }
        let scope = self.load.scope;
        self.cache.sifting = Some((scope, layout.page_size, past.read_at));
        self.jobs.run(Task::Sift { past, scope, layout })
    }

    /// Takes the cached rows of a scope.
    pub fn sifted(&mut self, scope: Scope, rows: &Rows) -> Vec<Effect> {
        let sifted = self.cache.sifting.take();
        if let Some((of, size, at)) = sifted
            && (of, size) == (self.load.scope, self.past_layout().page_size)
        {
            return self.remember(scope, rows, at);
        }
        self.show_last_look()
    }

    fn remember(&mut self, scope: Scope, rows: &Rows, at: Timestamp) -> Vec<Effect> {
        if scope != self.load.scope || !self.list.lines.remember(rows, at) {
            return Vec::new();
        }
        // All rows were known, so all are read again, as after a refresh.
        self.need_everything();
        vec![Effect::Draw]
    }

    /// Records a consistent read of everything, once.
    pub fn take_full_read(&mut self) -> Vec<Effect> {
        let is_taken = self.cache.full.as_ref().is_some_and(|(generation, _)| *generation == self.load.generation);
        if self.load.scope != Scope::All || is_taken || !self.list.lines.is_whole_read() {
            return Vec::new();
        }
        let past = CachedListing { rows: self.list.lines.rows().clone(), read_at: self.load.asked_at };
        let past = Arc::new(past);
        if self.cache.full.is_none() && past.rows.count() <= MOST_KEPT {
            self.cache.first = Some(Arc::clone(&past));
        }
        self.changes.forget_fates(&past.rows);
        self.cache.full = Some((self.load.generation, past));
        self.cache.is_unkept = true;
        self.compare_with_last_look()
    }

    /// Finds the changes since the last look, once.
    pub fn compare_with_last_look(&mut self) -> Vec<Effect> {
        if self.load.scope != Scope::All {
            // Compare once all webhooks are shown again.
            return Vec::new();
        }
        let Some((_, after)) = &self.cache.full else { return Vec::new() };
        let Some(past) = self.cache.to_compare.take() else { return Vec::new() };
        let read = after.rows.segments().map(|(page, ..)| page).collect();
        let (before, after) = (past.rows.clone(), after.rows.clone());
        // This comparison also covers the changes since the last refresh.
        self.unread.before = None;
        let reads = RefreshedRows { before, after, was_complete: true, is_complete: true, read };
        let (id, effect) = self.jobs.start(Task::Compare(Box::new(reads)));
        self.cache.being_compared = Some((id, past));
        vec![effect]
    }

    /// Records that the comparison with the cached listing is done, if this job did it.
    pub fn compared_with_last_look(&mut self, id: JobId) {
        self.cache.being_compared.take_if(|(job, _)| *job == id);
    }

    /// Schedules the comparison with the cached listing again.
    pub fn compare_with_last_look_again(&mut self) {
        if let Some((_, past)) = self.cache.being_compared.take() {
            self.cache.to_compare = Some(past);
        }
    }

    /// The time at which the last read is written, if it is yet to be.
    pub fn keeps_at(&self) -> Option<Instant> {
        let at = self.cache.kept_at.filter(|_| self.is_to_be_kept())?;
        at.checked_add(KEPT)
    }

    fn is_to_be_kept(&self) -> bool {
        self.cache.is_unkept && self.cache.cache == CacheUse::Idle && self.workspace.store.is_some()
    }

    /// Writes the last read, unless one was written shortly before.
    pub fn keep_when_due(&mut self, cx: SessionContext<'_>) -> Vec<Effect> {
        let is_due = self.cache.kept_at.is_none_or(|at| cx.now.instant.saturating_duration_since(at) >= KEPT);
        match self.keeping(cx).filter(|_| is_due) {
            Some(task) => {
                self.cache.is_unkept = false;
                self.cache.kept_at = Some(cx.now.instant);
                self.cache.cache = CacheUse::Writing;
                self.cache.writing = self.cache.full().cloned();
                self.jobs.run(task)
            }
            None => Vec::new(),
        }
    }

    /// The write of the last read, if it is yet to be written.
    fn keeping(&self, cx: SessionContext<'_>) -> Option<Task> {
        let store = self.workspace.store.clone()?;
        let past = self.cache.full().filter(|_| self.is_to_be_kept())?;
        let removed = self.changes.removed().map(str::to_owned).collect();
        let last = self.cache.kept.clone();
        Some(Task::Keep { store, past: Arc::clone(past), last, removed, now: cx.now.wall })
    }

    /// Writes the last read at the end of the session, without the minimum time between two writes.
    pub fn keep_at_last(&mut self, cx: SessionContext<'_>) -> Option<Job> {
        let task = self.keeping(cx)?;
        self.cache.is_unkept = false;
        self.cache.cache = CacheUse::Writing;
        self.cache.writing = self.cache.full().cloned();
        Some(self.jobs.job(task))
    }

    /// Takes the result of a write.
    pub fn kept(&mut self, cx: SessionContext<'_>, kept: Result<Kept, Safe>) -> Vec<Effect> {
        self.cache.cache = CacheUse::Idle;
        let written = self.cache.writing.take();
        match kept {
            Ok(Kept::Written { .. } | Kept::Unchanged) => {
                self.cache.kept = written;
                self.cache.written += 1;
                self.cache.warned = CacheWarnings::default();
                Vec::new()
            }
            Ok(Kept::Unconfirmed(unconfirmed)) => {
                self.cache.unconfirmed = written.map(|past| (unconfirmed, past));
                self.confirm_removed(cx)
            }
            Ok(Kept::Outdated) => Vec::new(),
            Ok(Kept::Busy) => {
                self.cache.is_unkept = true;
                Vec::new()
            }
            Err(why) => {
                self.cache.is_unkept = true;
                if std::mem::replace(&mut self.cache.warned.of_failure, true) {
                    return Vec::new();
                }
                warn(safe!("cannot write the cache: {}", why))
            }
        }
    }

    /// Requests the cached webhooks that are missing from the last read, by their ids. Once all of them are confirmed as
    /// removed, the read is written; otherwise the cache is kept, and a warning gives the reason.
    pub fn confirm_removed(&mut self, cx: SessionContext<'_>) -> Vec<Effect> {
        let Some((unconfirmed, past)) = self.cache.unconfirmed.take() else { return Vec::new() };
        if self.cache.full().is_none_or(|full| !Arc::ptr_eq(full, &past)) {
            // A later read replaced this one, and is written instead.
            return Vec::new();
        }
        let ids = self.changes.questions_of(&unconfirmed.ids);
        let fates = || unconfirmed.ids.iter().map(|id| (id, self.changes.fate_of(id)));
        if !ids.is_empty() || fates().any(|(_, fate)| fate == Some(&RemovalCheck::Asked)) {
            self.cache.unconfirmed = Some((unconfirmed, past));
            return self.ask_for(ids);
        }
        let known = fates().filter(|(_, fate)| *fate == Some(&RemovalCheck::Removed)).count();
        let reason = fates().find_map(|(id, fate)| match fate {
            Some(RemovalCheck::Unknown(why)) => Some(safe!("{}: {}", clean_head(id, 30), why)),
            Some(RemovalCheck::Present) => Some(safe!("{} still exists", clean_head(id, 30))),
            _ => None,
        });
        if reason.is_none() && known > 0 {
            // Save the confirmed removals. If there are more to confirm, the next read continues with them.
            self.cache.is_unkept = true;
            self.cache.kept_at = None;
            return self.keep_when_due(cx);
        }
        let reason = reason.unwrap_or_else(|| safe!("each read requests up to {} by id", MAX_CONFIRMED));
        if std::mem::replace(&mut self.cache.warned.of_doubt, true) {
            return Vec::new();
        }
        warn(safe!("cache not updated: {} of its webhooks not confirmed as removed: {}", unconfirmed.count, reason))
    }
}
