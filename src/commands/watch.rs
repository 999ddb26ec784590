//! `hookscope watch`: reads the workspace repeatedly, and prints each change as one line.
//!
//! It survives failures of the API, the network and the machine: the beginning and end of a failure are reported, and then the
//! changes. It ends with a signal, or when the pipe is closed.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::compare::ListingComparison;
use super::context::Context;
use super::side::ListingName;
use super::signals::Signals;
use super::workspace::{EVERYTHING, Workspace};
use crate::api::{ApiError, ErrorKind};
use crate::base::clock::Moment;
use crate::base::text::Safe;
use crate::cli::args::WatchArgs;
use crate::error::{Error, Exit};
use crate::fetch::{MissingWebhooks, Problem, Reading};
use crate::model::{RowPage, RowRef, Rows, RowsById};
use crate::output::{ChangeKind, Output, OutputState, Verbosity, change_line};
use crate::safe;

/// The longest time between two checks of the clock and the pipe: a machine that slept notices by the clock.
const SLICE: Duration = Duration::from_secs(5);
/// The shortest pause between two reads.
const BREATH: Duration = Duration::from_secs(1);
/// The longest wait that the API can ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// The shortest time between two writes of the cache.
const REMEMBERED: Duration = Duration::from_mins(1);
/// The time to finish writing a line at the end.
const LAST_LINE: Duration = Duration::from_millis(500);

/// Watches until a signal arrives or the pipe is closed.
pub(super) async fn run(args: &WatchArgs, context: &Context<'_>) -> Result<Exit, Error> {
    // A closed stdout is reported now, since there may be nothing to write for days.
    Output::stdout().send(|_| Ok(()))?;
    let comparison = ListingComparison::new(&args.compare, context)?;
    let since = args.since.as_deref().map(|word| ListingName::read(word, context.now)).transpose()?;
    if since == Some(ListingName::Live) {
        return Err(Error::Usage {
            message: "--since cannot be live".into(),
            advice: Some("Use a file, cache, or a time such as yesterday or 2h.".into()),
        });
    }
    let mut signals = Signals::new().map_err(|error| Error::start(&error))?;
    // The history is read before the first read of the API can change it.
    let before = match since {
        Some(since) => Some(since.load(context, "watch --since").await?.rows),
        None => None,
    };
    let workspace = context.workspace().await?;
    if !workspace.is_live() {
        return Ok(Exit::Done);
    }
    context.say.note_at_terminal(&safe!("watching every {} s; ctrl-c stops", args.every));
    let mut watch = Watch {
        workspace,
        say: context.say,
        comparison,
        every: Duration::from_secs(args.every),
        before,
        has_read: false,
        unknown: BTreeSet::new(),
        is_failing: false,
        remembered: None,
        writing: None,
    };
    let signal = tokio::select! {
        biased;
        signal = signals.next() => signal,
        ended = watch.run() => return ended,
    };
    watch.finish_line().await;
    Ok(Exit::Signal(signal))
}

struct Watch {
    workspace: Workspace,
    say: Verbosity,
    comparison: ListingComparison,
    every: Duration,
    /// The listing of the last read.
    before: Option<Rows>,
    /// True once a read has succeeded.
    has_read: bool,
    /// Unconfirmed ids that are already reported.
    unknown: BTreeSet<String>,
    is_failing: bool,
    remembered: Option<Instant>,
    /// The pending write to stdout.
    writing: Option<JoinHandle<Result<OutputState, Error>>>,
}

/// The reason that a read does not count.
enum ReadFailure {
    Api(ApiError),
    Inconsistent(Vec<Problem>),
}

impl ReadFailure {
    fn explain(&self) -> Safe {
        match self {
            Self::Api(error) => crate::base::text::clean(&error.to_string()),
            Self::Inconsistent(problems) => problems.first().map(Problem::explain).unwrap_or_default(),
        }
    }

    /// The wait that the API asked for.
    fn wait(&self) -> Duration {
        let longest = match self {
            Self::Api(error) => error.wait(),
            Self::Inconsistent(problems) => {
                let of_page = |problem: &Problem| match problem {
                    Problem::PageFailed { error, .. } => error.wait(),
                    _ => None,
                };
                problems.iter().filter_map(of_page).max()
            }
        };
        longest.unwrap_or_default().min(LONGEST_WAIT)
    }
}

impl Watch {
    async fn run(&mut self) -> Result<Exit, Error> {
        loop {
            let started = Instant::now();
            let (lines, wait) = match self.read().await {
                Ok(lines) => (lines, Duration::ZERO),
                // A key that never worked, or a client that cannot be set up, will not recover.
                Err(ReadFailure::Api(error)) if !self.has_read && (error.is_refusal() || error.kind == ErrorKind::Setup) => {
                    return Err(Error::Api { place: self.workspace.place.clone(), error });
                }
                Err(trouble) => (self.fail(&trouble), trouble.wait()),
            };
            if self.write(lines).await? == OutputState::Closed {
                return Ok(Exit::Done);
            }
            let pause = self.every.saturating_sub(started.elapsed()).max(BREATH.min(self.every)).max(wait);
            if pause_for(pause).await == OutputState::Closed {
                return Ok(Exit::Done);
            }
        }
    }

    /// Reads everything, and returns a line for each change since the last read.
    async fn read(&mut self) -> Result<Vec<String>, ReadFailure> {
        self.comparison.renew(Moment::now().wall);
        let read_at = Moment::now().wall;
        let read = self.workspace.read_unstored(EVERYTHING, false).await;
        let Reading { mut rows, summary } = read.map_err(ReadFailure::Api)?;
        if !summary.problems.is_empty() {
            return Err(ReadFailure::Inconsistent(summary.problems));
        }
        let time = time_of(read_at);
        let mut lines = Vec::new();
        let mut missing = MissingWebhooks::default();
        if let Some(before) = &self.before {
            missing = self.comparison.confirm(before, &mut rows, &mut self.workspace).await.map_err(ReadFailure::Api)?;
        }
        if self.remembered.is_none_or(|at| at.elapsed() >= REMEMBERED) {
            (rows, _) = self.workspace.keep(rows, read_at).await;
            self.remembered = Some(Instant::now());
        }
        if let Some(before) = &self.before {
            // Unconfirmed webhooks count as present.
            let by_id = RowsById::new(before);
            let unknown: Vec<RowRef<'_>> = missing.unknown.iter().filter_map(|id| by_id.get(id)).collect();
            for row in unknown.iter().filter(|row| !self.unknown.contains(row.id())) {
                lines.push(change_line(Some(&time), ChangeKind::Unknown, row.id(), Some(*row), None));
            }
            rows.append(&RowPage::of_rows(unknown));
            self.unknown = missing.unknown;
            let differences = self.comparison.differences(before, &rows, &MissingWebhooks::default());
            lines.extend(differences.lines(Some(&time)));
        }
        if self.is_failing {
            lines.insert(0, state_line(&time, "recovered", None));
            self.is_failing = false;
        }
        if !self.has_read {
            self.say.detail(&safe!("{}: watching {} webhooks", self.workspace.place, rows.webhooks().count()));
        }
        self.has_read = true;
        self.before = Some(rows);
        Ok(lines)
    }

    /// Reports a failure, as a line when it begins.
    fn fail(&mut self, trouble: &ReadFailure) -> Vec<String> {
        let words = trouble.explain();
        if self.is_failing {
            self.say.detail(&safe!("{}: {}", self.workspace.place, words));
            return Vec::new();
        }
        self.is_failing = true;
        self.say.note(&safe!("{}: {}; retrying", self.workspace.place, words));
        vec![state_line(&time_of(Moment::now().wall), "failing", Some(words.as_str()))]
    }

    /// Writes lines on a thread, since the reader of the pipe may be slow.
    async fn write(&mut self, lines: Vec<String>) -> Result<OutputState, Error> {
        if lines.is_empty() {
            return Ok(OutputState::Open);
        }
        let writing = tokio::task::spawn_blocking(move || {
            Output::stdout().send(|out| out.json_lines(lines.iter().map(String::as_str)))
        });
        let written = self.writing.insert(writing).await;
        self.writing = None;
        written.unwrap_or_else(|error| {
            tracing::error!("the lines were not written: {error}");
            Err(Error::Output("an internal error".into()))
        })
    }

    /// Waits for a line that is being written.
    async fn finish_line(&mut self) {
        if let Some(writing) = self.writing.take() {
            drop(timeout(LAST_LINE, writing).await);
        }
    }
}

fn time_of(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A line about the watch itself, with the same keys as every line.
fn state_line(time: &str, kind: &str, reason: Option<&str>) -> String {
    let reason = reason.map(|reason| format!(r#","reason":{}"#, serde_json::Value::from(reason))).unwrap_or_default();
    format!(r#"{{"time":"{time}","kind":"{kind}","id":null,"before":null,"after":null{reason}}}"#)
}

/// Waits by both clocks: the monotonic one stops while the machine sleeps, and the wall clock can be set.
async fn pause_for(time: Duration) -> OutputState {
    let start = Moment::now();
    loop {
        let now = Moment::now();
        let slept = Duration::try_from(now.wall.duration_since(start.wall)).unwrap_or_default();
        let left = time.saturating_sub(now.instant.duration_since(start.instant).max(slept));
        if is_unread() {
            return OutputState::Closed;
        }
        if left.is_zero() {
            return OutputState::Open;
        }
        sleep(left.min(SLICE)).await;
    }
}

/// Returns true if stdout is a pipe that was closed at its other end.
fn is_unread() -> bool {
    let stdout = std::io::stdout();
    let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&at_once)).is_ok_and(|count| count > 0) && fds.iter().any(|fd| fd.revents().contains(PollFlags::ERR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_that_asks_for_patience_gets_it_within_reason() {
        let wait = |kind| ReadFailure::Api(ApiError::new(kind)).wait().as_secs();
        let asked = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(wait(ErrorKind::RateLimited { retry_after: asked(90) }), 90);
        assert_eq!(wait(ErrorKind::RateLimited { retry_after: asked(u64::MAX) }), 3600);
        assert_eq!(wait(ErrorKind::LimitNearlySpent { resets_in: asked(30) }), 30);
        assert_eq!(wait(ErrorKind::LimitNearlySpent { resets_in: None }), 0);
        assert_eq!(wait(ErrorKind::Status(503)), 0);
        assert_eq!(ReadFailure::Inconsistent(vec![Problem::NeverEnds]).wait(), Duration::ZERO);
        let of_page = |page, seconds| Problem::PageFailed {
            page,
            error: ApiError::new(ErrorKind::LimitNearlySpent { resets_in: asked(seconds) }),
        };
        assert_eq!(ReadFailure::Inconsistent(vec![of_page(3, 20), of_page(4, 40), of_page(5, 30)]).wait().as_secs(), 40);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_as_long_as_it_should_be() {
        let start = Instant::now();
        assert_eq!(pause_for(Duration::from_secs(12)).await, OutputState::Open);
        assert_eq!(start.elapsed().as_secs(), 12);
    }
}
