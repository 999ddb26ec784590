//! The loading of the listing: its demand, its progress, and the state of the API.

use std::collections::HashMap;

use jiff::Timestamp;
use tokio::time::Instant;

use super::health::{Health, IssueStage};
use super::listing::Listing;
use super::recovery::Recovery;
use super::unread::UnreadChanges;
use crate::base::clock::Moment;
use crate::fetch::{Demand, Generation};
use crate::model::{Interner, Scope};
use crate::tui::list_pane::ListPane;

/// The extent of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LoadAll {
    /// Only the rows on screen.
    #[default]
    No,
    /// All rows, because a view or a filter needs them, up to the limit.
    Needed,
    /// All rows, because the user asked for them.
    Asked,
}

/// The start of a load of everything, and the number of pages loaded by then.
#[derive(Debug)]
pub struct LoadAllStart {
    pub since: Instant,
    pub pages: u64,
}

/// The rows of a scope that is not on screen.
#[derive(Debug)]
pub struct ShelvedScope {
    pub list: ListPane<Listing>,
    pub unread: UnreadChanges,
}

/// The state of loading.
#[derive(Debug)]
pub struct Loading {
    pub scope: Scope,
    /// The other scopes, for when the user returns to them.
    pub shelf: HashMap<Scope, ShelvedScope>,
    pub generation: Generation,
    /// The time at which the rows of this generation were requested.
    pub asked_at: Timestamp,
    /// The demand last sent to the fetch task.
    pub demanded: Demand,
    /// The read that starts over if the user presses refresh again.
    pub insisted_on: Option<Generation>,
    pub all: LoadAll,
    pub all_start: Option<LoadAllStart>,
    /// The last generation whose load of everything has ended.
    pub swept: Option<Generation>,
    /// The number of inconsistent reads in a row.
    pub inconsistent: u32,
    pub health: Health,
    pub recovery: Recovery,
    /// The time of the next automatic refresh.
    pub auto_refresh: Option<Instant>,
    /// The most rows to load without confirmation.
    pub limit: u64,
    /// The interner of the workspace's names.
    pub interner: Interner,
}

impl Loading {
    pub fn new(scope: Scope, generation: Generation, now: Moment, auto_refresh: Option<Instant>, limit: u64) -> Self {
        Self {
            scope,
            shelf: HashMap::new(),
            generation,
            asked_at: now.wall,
            demanded: Demand { generation, scope, pages: vec![1], everything: false },
            insisted_on: None,
            all: LoadAll::No,
            all_start: None,
            swept: None,
            inconsistent: 0,
            health: Health::default(),
            recovery: Recovery::default(),
            auto_refresh,
            limit,
            interner: Interner::default(),
        }
    }

    /// Returns true if the last read failed and is not being retried.
    pub fn has_given_up(&self) -> bool {
        self.health.trouble().is_some_and(|trouble| trouble.stage == IssueStage::Failed)
    }

    /// Returns true if the load of everything has ended for this generation, even if pages of it failed.
    pub fn is_swept(&self) -> bool {
        self.swept == Some(self.generation)
    }

    /// Turns auto-refresh off. Returns true if it was on, or paused until the API recovers.
    pub fn end_auto_refresh(&mut self) -> bool {
        let resumed = std::mem::take(&mut self.recovery.resumes_auto_refresh);
        self.auto_refresh.take().is_some() || resumed
    }
}
