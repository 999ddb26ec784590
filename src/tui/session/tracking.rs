//! Unread changes: finding them after a refresh, and dropping those that the user has looked at.

use std::collections::HashSet;
use std::sync::Arc;

use super::context::SessionContext;
use super::listing::Cell;
use super::state::Session;
use super::unread::{RowsBefore, UnreadChange, UnreadChanges};
use crate::analysis::refresh_diff::{RefreshDiff, RefreshedRows};
use crate::base::text::{Safe, grouped};
use crate::keymap::Action;
use crate::model::RemovedRow;
use crate::model::{IdSet, RowRef};
use crate::safe;
use crate::tui::job_id::JobId;
use crate::tui::jobs::Task;
use crate::tui::message::{Effect, inform};

/// The most webhooks to list as removed. The newest ones are kept.
const MOST_GONE: usize = 1_000;

impl Session {
    /// The change of the webhook at a place, until the user has looked at it.
    pub fn change_at(&self, place: u64) -> Option<UnreadChange> {
        match self.list.cell(place) {
            Cell::Removed(_) => Some(UnreadChange::Removed),
            Cell::Row(row) if self.unread.seen.contains_key(row.id()) => None,
            Cell::Row(row) if self.unread.new.contains(row.id()) => Some(UnreadChange::New),
            Cell::Row(row) if self.unread.changed.contains(row.id()) => Some(UnreadChange::Changed),
            _ => None,
        }
    }

    /// Keeps the current rows, to compare them with those of the next read.
    pub fn remember_rows(&mut self) {
        // An empty listing counts too, since removed webhooks may return. An inconsistent read cannot be compared with.
        if self.unread.before.is_none() && self.list.lines.is_known() && !self.list.lines.is_inconsistent() {
            let was_complete = self.list.lines.is_consistent();
            self.unread.before = Some(RowsBefore { rows: self.list.lines.rows().clone(), was_complete });
        }
    }

    /// Compares the rows with those before the refresh, once loading has ended.
    pub fn compare_when_read(&mut self) -> Vec<Effect> {
        // Only one comparison at a time.
        let is_busy = self.is_loading() || self.unread.comparing.is_some();
        if is_busy || self.list.lines.is_inconsistent() || self.list.lines.fresh_pages() == 0 {
            return Vec::new();
        }
        let Some(before) = self.unread.before.take() else { return Vec::new() };
        let RowsBefore { rows, was_complete } = before.clone();
        let after = self.list.lines.rows().clone();
        let is_complete = self.list.lines.is_whole_read();
        let read = self.list.lines.pages_read();
        let reads = RefreshedRows { before: rows, after, was_complete, is_complete, read };
        let (id, effect) = self.jobs.start(Task::Compare(Box::new(reads)));
        self.unread.comparing = Some((id, before));
        vec![effect]
    }

    /// Schedules the comparison in progress again, for when its scope is shown.
    pub fn compare_again(&mut self) {
        self.compare_with_last_look_again();
        if let Some((_, before)) = self.unread.comparing.take() {
            self.unread.before = Some(before);
        }
    }

    /// Takes the changes that a comparison found.
    pub fn take_news(&mut self, id: JobId, news: RefreshDiff) -> Vec<Effect> {
        self.unread.comparing.take_if(|(job, _)| *job == id);
        self.compared_with_last_look(id);
        let seen = self.unread.settle();
        if seen.is_empty() && news.is_empty() {
            return Vec::new();
        }
        let came: HashSet<&str> = news.new.iter().chain(&news.back).map(|id| &**id).collect();
        let is_past = |row: RowRef<'_>| came.contains(row.id()) || seen.get(row.id()) == Some(&UnreadChange::Removed);
        self.unmark_gone(|id| seen.get(id) == Some(&UnreadChange::Removed) && !came.contains(id));
        let mut gone = self.gone();
        gone.retain(|gone| !is_past(gone.row.row()));
        gone.extend(news.gone);
        // Each of them keeps its page alive.
        gone.drain(..gone.len().saturating_sub(MOST_GONE));
        let unseen = &mut self.unread;
        let (new, changed) = (Arc::make_mut(&mut unseen.new), Arc::make_mut(&mut unseen.changed));
        for id in &news.new {
            new.insert(id);
        }
        for id in news.changed.iter().filter(|id| !new.contains(id)) {
            changed.insert(id);
        }
        for row in gone.iter().map(|removed| removed.row.row()) {
            new.remove(row.id());
            changed.remove(row.id());
        }
        self.set_gone(gone);
        vec![Effect::Draw]
    }

    /// The rows that are listed as removed.
    fn gone(&self) -> Vec<RemovedRow> {
        self.list.lines.rows().removed().map(|(_, gone)| gone.clone()).collect()
    }

    /// Drops the changes that the user has looked at, since a filter for changes matches only unread ones.
    pub fn settle_news(&mut self) {
        let seen = self.unread.settle();
        if seen.values().any(|change| *change == UnreadChange::Removed) {
            self.unmark_gone(|id| seen.contains_key(id));
            let mut gone = self.gone();
            gone.retain(|gone| !seen.contains_key(gone.row.row().id()));
            self.set_gone(gone);
        }
    }

    fn set_gone(&mut self, gone: Vec<RemovedRow>) {
        let mut ids = IdSet::default();
        for row in gone.iter().map(|removed| removed.row.row()) {
            ids.insert(row.id());
        }
        self.unread.gone = Arc::new(ids);
        self.list.lines.set_removed(gone);
        self.flagged_anew();
    }

    /// Acknowledges all changes, and reports their numbers.
    pub fn acknowledge(&mut self, cx: SessionContext<'_>) -> Vec<Effect> {
        let counts = self.unread.counts();
        if !self.unread.is_empty() || !self.unread.seen.is_empty() {
            self.unmark_gone(|_| true);
            let UnreadChanges { before, comparing, .. } = std::mem::take(&mut self.unread);
            self.unread = UnreadChanges { before, comparing, ..UnreadChanges::default() };
            self.set_gone(Vec::new());
            // A removed webhook that is selected counts as seen.
            self.list.let_go_of_lost();
        }
        let mut words = Safe::default();
        for (change, count) in counts.into_iter().filter(|&(_, count)| count > 0) {
            words.push(&safe!(" {}{}", change.sign(), grouped(count as u64)));
        }
        if words.is_empty() {
            return inform("no changes to acknowledge");
        }
        let key = cx.settings.key(Action::ViewChanges);
        inform(safe!("acknowledged{}; {} still lists the changes", words, key))
    }

    /// Removes the marks of webhooks that will no longer be listed as removed, since the user could not remove them later.
    fn unmark_gone(&mut self, is_left: impl Fn(&str) -> bool) {
        let gone = self.gone();
        let marked =
            gone.iter().map(|removed| removed.row.row()).map(RowRef::id).filter(|id| is_left(id) && self.marks.contains(id));
        let ids: Vec<&str> = marked.collect();
        if !ids.is_empty() {
            let marks = Arc::make_mut(&mut self.marks);
            for id in ids {
                marks.remove(id);
            }
        }
    }
}
