//! The end of the explorer: exports are finished, and the cache and the filter history are written.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::events::Explorer;
use super::jobs::{Done, Outcome, Task};
use super::message::{Effect, Message};
use super::session::Session;
use super::terminal::console::{Console, ConsoleEvent};
use crate::base::clock::Moment;
use crate::base::text::clean;
use crate::error::Error;
use crate::safe;

/// The longest wait for the cache and the filter history.
pub(super) const PARTING: Duration = Duration::from_secs(1);
/// The longest wait for an export.
const EXPORTING: Duration = Duration::from_secs(20);
impl<C: Console, I> Explorer<C, I> {
    /// Finishes the exports and writes the cache and the filter history, for a limited time: the user waits for the shell.
    ///
    /// # Errors
    ///
    /// An export was not written.
    pub async fn part(&mut self) -> Result<(), Error> {
        let exported = self.finish_exports().await;
        if timeout(self.parting, self.write_the_last()).await.is_err() {
            tracing::warn!("writing the filter history and the cache timed out");
        }
        exported
    }

    async fn finish_exports(&mut self) -> Result<(), Error> {
        let mut ends_at = Instant::now() + EXPORTING;
        let mut is_stopped = false;
        let mut exported = Ok(());
        while self.jobs.is_exporting() {
            tokio::select! {
                biased;
                done = self.jobs.next() => {
                    let Some(Ok(done)) = done else { return Err(Error::Output("an export failed".into())) };
                    exported = exported.and(unexported(&done.outcome));
                    self.take_at_last(done);
                    continue;
                }
                event = self.console.event(false), if !is_stopped => {
                    if !matches!(event, ConsoleEvent::Signal(_) | ConsoleEvent::Vanished) {
                        continue;
                    }
                }
                () = sleep_until(ends_at) => {}
            }
            if is_stopped {
                return Err(Error::Output("an export timed out and is unfinished".into()));
            }
            is_stopped = true;
            self.jobs.stop_exports();
            ends_at = Instant::now() + self.parting;
        }
        exported
    }

    /// Handles the result of a job, and starts the write of the cache that follows from it.
    fn take_at_last(&mut self, done: Done) {
        for effect in self.app.update(Message::Done(Box::new(done)), Moment::now()) {
            if let Effect::Run(job) = effect
                && matches!(job.task, Task::Keep { .. })
            {
                self.jobs.start(*job);
            }
        }
    }

    async fn write_the_last(&mut self) {
        self.history.written().await;
        // Twice, for rows that were read during the first write. A write that fails is not repeated endlessly.
        for _ in 0..2 {
            if let Some(job) = self.app.in_session(Session::keep_at_last) {
                self.jobs.start(job);
            }
            while self.jobs.is_caching()
                && let Some(done) = self.jobs.next().await
            {
                let Ok(done) = done else { return };
                self.take_at_last(done);
            }
        }
    }
}

/// The error of an export that was not written.
fn unexported(outcome: &Outcome) -> Result<(), Error> {
    match outcome {
        Outcome::NotExported { path, words, .. } => {
            Err(Error::Output(safe!("{}: {}", clean(&path.to_string_lossy()), words)))
        }
        Outcome::Exists { path } => {
            Err(Error::Output(safe!("{}: this file exists, nothing was written", clean(&path.to_string_lossy()))))
        }
        _ => Ok(()),
    }
}
