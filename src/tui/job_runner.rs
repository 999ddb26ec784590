//! Runs jobs in the background and reports their results. The jobs themselves are in [`super::jobs`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::{JoinError, JoinSet};

use super::jobs::{Done, Job, Outcome, RemovalQuestion, Task};
use crate::fetch::{Policy, Source};

/// The jobs in progress, of all sessions.
#[derive(Debug, Default)]
pub struct JobRunner {
    running: JoinSet<Done>,
    /// The number of those that write the cache.
    caching: usize,
    /// The number of those that write a file for the user.
    exporting: usize,
    /// True once exports are canceled.
    is_stopped: Arc<AtomicBool>,
}

impl JobRunner {
    /// Starts a job on a thread of its own.
    pub fn start(&mut self, job: Job) {
        let is_stopped = Arc::clone(&self.is_stopped);
        self.start_with(job, move |job| job.run(&|| !is_stopped.load(Ordering::Relaxed)));
    }

    /// Starts a job that runs `run`.
    pub fn start_with(&mut self, job: Job, run: impl FnOnce(Job) -> Done + Send + 'static) {
        self.caching += usize::from(matches!(job.task, Task::Keep { .. }));
        self.exporting += usize::from(matches!(job.task, Task::Export(_)));
        drop(self.running.spawn_blocking(move || run(job)));
    }

    /// Requests webhooks by their ids.
    pub fn ask(&mut self, question: RemovalQuestion, source: Source, policy: Policy) {
        drop(self.running.spawn(async move { question.ask(&source, policy).await }));
    }

    /// The next result; `None` if no job is running.
    pub async fn next(&mut self) -> Option<Result<Done, JoinError>> {
        let done = self.running.join_next().await;
        if let Some(Ok(done)) = &done {
            let is_export =
                matches!(done.outcome, Outcome::Exported { .. } | Outcome::Exists { .. } | Outcome::NotExported { .. });
            self.exporting = self.exporting.saturating_sub(usize::from(is_export));
            self.caching = self.caching.saturating_sub(usize::from(matches!(done.outcome, Outcome::Kept(_))));
        }
        done
    }

    pub fn is_caching(&self) -> bool {
        self.caching > 0
    }

    pub fn is_exporting(&self) -> bool {
        self.exporting > 0
    }

    /// Cancels the exports in progress, without writing their files.
    pub fn stop_exports(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    /// A flag that is set once exports are canceled.
    pub fn stopped(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_stopped)
    }
}
