//! The jobs of a session, and the actions that wait until all rows are loaded.

use std::collections::BTreeMap;

use crate::tui::job_id::{JobId, SessionId};
use crate::tui::jobs::{Job, Task};
use crate::tui::message::Effect;

/// An action on all listed webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeferredAction {
    Mark,
    Probe,
}

impl DeferredAction {
    /// The reason for loading all rows.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Mark => "to mark all",
            Self::Probe => "to probe all",
        }
    }
}

/// The jobs that a session has started.
#[derive(Debug)]
pub struct SessionJobs {
    pub session: SessionId,
    started: u64,
    /// The last job about another scope, whose rows are no longer shown.
    of_other_scopes: u64,
    /// The actions that wait until all rows are loaded, each with its filter.
    pub deferred: BTreeMap<DeferredAction, String>,
}

impl SessionJobs {
    pub fn new(session: SessionId) -> Self {
        Self { session, started: 0, of_other_scopes: 0, deferred: BTreeMap::new() }
    }

    /// The id of a new job.
    pub fn next_id(&mut self) -> JobId {
        self.started += 1;
        JobId { session: self.session, number: self.started }
    }

    /// Starts a job. Returns its id, by which its result is recognized.
    pub fn start(&mut self, task: Task) -> (JobId, Effect) {
        let job = self.job(task);
        (job.id, Effect::Run(Box::new(job)))
    }

    pub fn run(&mut self, task: Task) -> Vec<Effect> {
        vec![self.start(task).1]
    }

    /// A new job.
    pub fn job(&mut self, task: Task) -> Job {
        Job { id: self.next_id(), task }
    }

    /// Records that a different scope is shown.
    pub fn leave_scope(&mut self) {
        self.of_other_scopes = self.started;
        self.deferred.clear();
    }

    /// Returns true if a job was about another scope.
    pub fn is_of_other_scope(&self, id: JobId) -> bool {
        id.number <= self.of_other_scopes
    }
}
