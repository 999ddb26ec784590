//! The threads of a session: one filters and sorts, one audits. Each works on its latest request. A switch to another
//! workspace replaces them and drops their channels, with all answers about the previous one.

use std::io;

use super::worker::{WorkRequest, Worker};
use crate::analysis::IsNeeded;
use crate::analysis::audit::{AuditRequest, Auditor, FindingsIndex};
use crate::analysis::filter_sort::{FilterSortRequest, FilterSortResult};

/// The threads of a session.
#[derive(Debug)]
pub struct Workers {
    pub filter_sort: Worker<RowsRequest>,
    pub audit: Worker<AuditRequest>,
}

/// An answer of one of them.
#[derive(Debug)]
pub enum WorkersAnswer {
    Rows(RowsAnswer),
    Audit(Box<FindingsIndex>),
    /// A thread has panicked.
    Ended,
}

impl Workers {
    /// # Errors
    ///
    /// The threads cannot be started.
    pub fn start() -> io::Result<Self> {
        Ok(Self { filter_sort: Worker::start()?, audit: Worker::start()? })
    }

    /// The next answer. Nothing is lost if the call is canceled.
    pub async fn next(&mut self) -> WorkersAnswer {
        tokio::select! {
            biased;
            answer = self.filter_sort.answer() => answer.map_or(WorkersAnswer::Ended, WorkersAnswer::Rows),
            answer = self.audit.answer() => answer.map_or(WorkersAnswer::Ended, |answer| WorkersAnswer::Audit(Box::new(answer))),
        }
    }
}

/// A request for the rows to show.
#[derive(Debug, Clone)]
pub struct RowsRequest {
    /// Changes with the criteria. A request that differs only in its rows keeps its number and is not canceled, so that rows
    /// that keep arriving cannot delay the answer forever.
    pub epoch: u64,
    /// The version of the rows.
    pub version: u64,
    pub request: FilterSortRequest,
}

impl PartialEq for RowsRequest {
    fn eq(&self, other: &Self) -> bool {
        (self.epoch, self.version) == (other.epoch, other.version)
    }
}

impl Eq for RowsRequest {}

/// The rows to show.
#[derive(Debug, Clone)]
pub struct RowsAnswer {
    pub epoch: u64,
    pub version: u64,
    pub answer: FilterSortResult,
}

impl RowsRequest {
    /// Finds the rows; see [`FilterSortRequest::run`].
    pub fn run(&self, is_needed: IsNeeded<'_>, tell: &mut dyn FnMut(RowsAnswer)) -> Option<RowsAnswer> {
        let addressed = |answer| RowsAnswer { epoch: self.epoch, version: self.version, answer };
        let answer = self.request.run(is_needed, &mut |first| tell(addressed(first)))?;
        Some(addressed(answer))
    }
}

impl WorkRequest for RowsRequest {
    type Answer = RowsAnswer;
    type Memory = ();

    fn is_needed_beside(&self, newer: &Self) -> bool {
        newer.epoch == self.epoch
    }

    fn work(&self, (): &mut (), is_needed: IsNeeded<'_>, tell: &mut dyn FnMut(RowsAnswer)) -> Option<RowsAnswer> {
        self.run(is_needed, tell)
    }
}

impl WorkRequest for AuditRequest {
    type Answer = FindingsIndex;
    type Memory = Auditor;

    fn is_needed_beside(&self, _newer: &Self) -> bool {
        false
    }

    fn work(
        &self,
        auditor: &mut Auditor,
        is_needed: IsNeeded<'_>,
        _tell: &mut dyn FnMut(FindingsIndex),
    ) -> Option<FindingsIndex> {
        auditor.answer(self, is_needed)
    }
}
