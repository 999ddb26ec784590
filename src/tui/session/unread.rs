//! The webhooks that were added, changed or removed since the last read, until the user has looked at them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::IdSet;
use crate::model::Rows;
use crate::tui::job_id::JobId;

/// The webhooks with unread changes.
#[derive(Debug, Default)]
pub struct UnreadChanges {
    pub new: Arc<IdSet>,
    pub changed: Arc<IdSet>,
    pub gone: Arc<IdSet>,
    /// Changes that the user has looked at, and their numbers. They are removed from the sets in bulk, so that leaving a row
    /// has a constant cost.
    pub seen: HashMap<Box<str>, UnreadChange>,
    pub seen_counts: [usize; 3],
    /// The rows before the last refresh, until they are compared.
    pub before: Option<RowsBefore>,
    /// The comparison in progress: its job, and the rows before the refresh.
    pub comparing: Option<(JobId, RowsBefore)>,
}

/// A change of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadChange {
    New,
    Changed,
    Removed,
}

impl UnreadChange {
    pub const fn sign(self) -> &'static str {
        match self {
            Self::New => "+",
            Self::Changed => "~",
            Self::Removed => "-",
        }
    }

    pub const fn words(self) -> &'static str {
        match self {
            Self::New => "added since the last refresh",
            Self::Changed => "changed since the last refresh",
            Self::Removed => "no longer listed since the last refresh",
        }
    }
}

impl UnreadChanges {
    pub fn is_empty(&self) -> bool {
        self.counts().iter().all(|&(_, count)| count == 0)
    }

    /// The numbers of added, changed and removed webhooks.
    pub fn counts(&self) -> [(UnreadChange, usize); 3] {
        let [new, changed, gone] = self.seen_counts;
        [
            (UnreadChange::New, self.new.len().saturating_sub(new)),
            (UnreadChange::Changed, self.changed.len().saturating_sub(changed)),
            (UnreadChange::Removed, self.gone.len().saturating_sub(gone)),
        ]
    }

    pub fn look_at(&mut self, id: &str, change: UnreadChange) {
        if self.seen.insert(id.into(), change).is_some() {
            return;
        }
        let [new, changed, gone] = &mut self.seen_counts;
        *match change {
            UnreadChange::New => new,
            UnreadChange::Changed => changed,
            UnreadChange::Removed => gone,
        } += 1;
    }

    /// Removes and returns the changes that the user has looked at.
    pub fn settle(&mut self) -> HashMap<Box<str>, UnreadChange> {
        self.seen_counts = [0; 3];
        let seen = std::mem::take(&mut self.seen);
        for (id, change) in &seen {
            let of = match change {
                UnreadChange::New => &mut self.new,
                UnreadChange::Changed => &mut self.changed,
                UnreadChange::Removed => &mut self.gone,
            };
            Arc::make_mut(of).remove(id);
        }
        seen
    }

    pub fn flags(&self) -> (Arc<IdSet>, Arc<IdSet>, Arc<IdSet>) {
        (Arc::clone(&self.new), Arc::clone(&self.changed), Arc::clone(&self.gone))
    }
}

/// The rows before a refresh.
#[derive(Debug, Clone)]
pub struct RowsBefore {
    pub rows: Rows,
    pub was_complete: bool,
}
