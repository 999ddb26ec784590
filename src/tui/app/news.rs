//! What came, changed and went since the last read, until it was looked at.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Action, App, Effect, Safe, grouped, safe};
use crate::analysis::news::{News, Reads};
use crate::analysis::rows::{Gone, Rows};
use crate::model::{IdSet, RowRef};
use crate::tui::jobs::Task;
use crate::tui::listing::Cell;

/// Webhooks that are listed as gone at most; the newest stay.
const MOST_GONE: usize = 1_000;

/// The webhooks that nobody has looked at since they changed.
#[derive(Debug, Default)]
pub struct Unseen {
    new: Arc<IdSet>,
    changed: Arc<IdSet>,
    gone: Arc<IdSet>,
    /// Those of them that were looked at since, and how many of each. They are taken out in bulk: to leave a row costs the same
    /// however many others there are.
    seen: HashMap<Box<str>, Change>,
    seen_counts: [usize; 3],
}

/// What happened to a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    New,
    Changed,
    Gone,
}

impl Change {
    pub const fn sign(self) -> &'static str {
        match self {
            Self::New => "+",
            Self::Changed => "~",
            Self::Gone => "-",
        }
    }

    pub const fn words(self) -> &'static str {
        match self {
            Self::New => "added since the last refresh",
            Self::Changed => "changed since the last refresh",
            Self::Gone => "no longer listed since the last refresh",
        }
    }
}

impl Unseen {
    pub fn is_empty(&self) -> bool {
        self.counts().iter().all(|&(_, count)| count == 0)
    }

    /// How many are new, changed and gone.
    pub fn counts(&self) -> [(Change, usize); 3] {
        let [new, changed, gone] = self.seen_counts;
        [
            (Change::New, self.new.len().saturating_sub(new)),
            (Change::Changed, self.changed.len().saturating_sub(changed)),
            (Change::Gone, self.gone.len().saturating_sub(gone)),
        ]
    }

    fn look_at(&mut self, id: &str, change: Change) {
        if self.seen.insert(id.into(), change).is_some() {
            return;
        }
        let [new, changed, gone] = &mut self.seen_counts;
        *match change {
            Change::New => new,
            Change::Changed => changed,
            Change::Gone => gone,
        } += 1;
    }

    /// Takes out what was looked at, which is no news any more.
    fn settle(&mut self) -> HashMap<Box<str>, Change> {
        self.seen_counts = [0; 3];
        let seen = std::mem::take(&mut self.seen);
        for (id, change) in &seen {
            let of = match change {
                Change::New => &mut self.new,
                Change::Changed => &mut self.changed,
                Change::Gone => &mut self.gone,
            };
            Arc::make_mut(of).remove(id);
        }
        seen
    }

    pub(super) fn flags(&self) -> (Arc<IdSet>, Arc<IdSet>, Arc<IdSet>) {
        (Arc::clone(&self.new), Arc::clone(&self.changed), Arc::clone(&self.gone))
    }
}

/// What was there before a refresh.
#[derive(Debug, Clone)]
pub(super) struct Before {
    rows: Rows,
    was_complete: bool,
}

impl App {
    /// What happened to the webhook at a place, as long as nobody looked at it.
    pub fn change_at(&self, place: u64) -> Option<Change> {
        match self.listing.cell(place) {
            Cell::Gone(_) => Some(Change::Gone),
            Cell::Row(row) if self.unseen.seen.contains_key(row.id()) => None,
            Cell::Row(row) if self.unseen.new.contains(row.id()) => Some(Change::New),
            Cell::Row(row) if self.unseen.changed.contains(row.id()) => Some(Change::Changed),
            _ => None,
        }
    }

    /// Keeps what is there, to compare it with what will come.
    pub(super) fn remember_rows(&mut self) {
        // That there was nothing is worth knowing, too: what is listed as gone may come back.
        // An inconsistent read is nothing to compare with.
        if self.before.is_none() && self.listing.is_known() && !self.listing.is_inconsistent() {
            let was_complete = self.listing.is_consistent();
            self.before = Some(Before { rows: self.listing.rows().clone(), was_complete });
        }
    }

    /// Compares what came with what was there, once all that was wanted has come.
    pub(super) fn compare_when_read(&mut self) -> Vec<Effect> {
        // One after the other: what came last is what counts.
        let is_busy = self.is_loading() || self.comparing.is_some();
        if is_busy || self.listing.is_inconsistent() || self.listing.fresh_pages() == 0 {
            return Vec::new();
        }
        let Some(before) = self.before.take() else { return Vec::new() };
        let Before { rows, was_complete } = before.clone();
        let after = self.listing.rows().clone();
        let is_complete = self.listing.is_whole_read();
        let read = self.listing.pages_read();
        let effects = self.run(Task::Compare(Box::new(Reads { before: rows, after, was_complete, is_complete, read })));
        self.comparing = Some((self.jobs.started, before));
        effects
    }

    /// What is being compared now is compared once its scope comes back.
    pub(super) fn compare_again(&mut self) {
        self.compare_with_last_look_again();
        if let Some((_, before)) = self.comparing.take() {
            self.before = Some(before);
        }
    }

    pub(super) fn take_news(&mut self, number: u64, news: News) -> Vec<Effect> {
        self.comparing.take_if(|(job, _)| *job == number);
        self.compared_with_last_look(number);
        let seen = self.unseen.settle();
        if seen.is_empty() && news.is_empty() {
            return Vec::new();
        }
        let came: HashSet<&str> = news.new.iter().chain(&news.back).map(|id| &**id).collect();
        let is_past = |row: RowRef<'_>| came.contains(row.id()) || seen.get(row.id()) == Some(&Change::Gone);
        self.unmark_gone(|id| seen.get(id) == Some(&Change::Gone) && !came.contains(id));
        let mut gone = self.gone();
        gone.retain(|gone| gone.row().is_some_and(|row| !is_past(row)));
        gone.extend(news.gone);
        // Each of them keeps the page that it was on.
        gone.drain(..gone.len().saturating_sub(MOST_GONE));
        let unseen = &mut self.unseen;
        let (new, changed) = (Arc::make_mut(&mut unseen.new), Arc::make_mut(&mut unseen.changed));
        for id in &news.new {
            new.insert(id);
        }
        for id in news.changed.iter().filter(|id| !new.contains(id)) {
            changed.insert(id);
        }
        for row in gone.iter().filter_map(Gone::row) {
            new.remove(row.id());
            changed.remove(row.id());
        }
        self.set_gone(gone);
        vec![Effect::Draw]
    }

    /// The rows that are listed as gone.
    fn gone(&self) -> Vec<Gone> {
        self.listing.rows().gone().map(|(_, gone)| gone.clone()).collect()
    }

    /// Takes out what was looked at: of what is new, changed or gone is to be found only what is news.
    pub(super) fn settle_news(&mut self) {
        let seen = self.unseen.settle();
        if seen.values().any(|change| *change == Change::Gone) {
            self.unmark_gone(|id| seen.contains_key(id));
            let mut gone = self.gone();
            gone.retain(|gone| gone.row().is_some_and(|row| !seen.contains_key(row.id())));
            self.set_gone(gone);
        }
    }

    fn set_gone(&mut self, gone: Vec<Gone>) {
        let mut ids = IdSet::default();
        for row in gone.iter().filter_map(Gone::row) {
            ids.insert(row.id());
        }
        self.unseen.gone = Arc::new(ids);
        self.listing.set_gone(gone);
        self.flagged_anew();
    }

    /// The selected webhook is left: it was looked at. One that is gone stays where it is until the next read.
    pub(super) fn looked_at(&mut self, place: u64) {
        if let Some((change, row)) = self.change_at(place).zip(self.listing.row(place)) {
            self.unseen.look_at(row.id(), change);
        }
    }

    /// Acknowledges all changes, and says how many.
    pub(super) fn acknowledge(&mut self) -> Vec<Effect> {
        let counts = self.unseen.counts();
        if !self.unseen.is_empty() || !self.unseen.seen.is_empty() {
            self.unmark_gone(|_| true);
            self.unseen = Unseen::default();
            self.set_gone(Vec::new());
            // One that is removed and selected has been seen now.
            self.let_go_of_lost();
        }
        let mut words = Safe::default();
        for (change, count) in counts.into_iter().filter(|&(_, count)| count > 0) {
            words.push(&safe!(" {}{}", change.sign(), grouped(count as u64)));
        }
        if words.is_empty() {
            return self.inform("no changes to acknowledge");
        }
        let key = self.setup.keymap.key(Action::ViewChanges).unwrap_or_default();
        self.inform(safe!("acknowledged{}; {} still lists the changes", words, key))
    }

    /// Takes the marks off webhooks that are not listed as gone any longer: they could not be taken off by hand.
    fn unmark_gone(&mut self, is_left: impl Fn(&str) -> bool) {
        let gone = self.gone();
        let marked = gone.iter().filter_map(Gone::row).map(RowRef::id).filter(|id| is_left(id) && self.marks.contains(id));
        let ids: Vec<&str> = marked.collect();
        if !ids.is_empty() {
            let marks = Arc::make_mut(&mut self.marks);
            for id in ids {
                marks.remove(id);
            }
        }
    }
}
