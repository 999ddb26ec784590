//! The progress line on stderr: only on a terminal, and only for work that takes a while.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep};

use crate::api::Page;
use crate::base::text::{Safe, grouped};
use crate::fetch;
use crate::model::OwnedRow;
use crate::output::Verbosity;
use crate::safe;

/// The delay before the line appears.
const SILENCE: Duration = Duration::from_millis(300);
/// The time between two updates of the line.
const STEP: Duration = Duration::from_millis(200);

/// The state behind a progress line.
pub(super) trait ProgressWords: Send + 'static {
    /// The text, most important part first: a narrow terminal cuts the rest.
    fn words(&self, now: Instant) -> Safe;
}

/// A progress line, removed when dropped.
pub(super) struct ProgressLine<S> {
    state: Arc<Mutex<S>>,
    bar: ProgressBar,
    drawing: Option<JoinHandle<()>>,
}

impl<S: ProgressWords> ProgressLine<S> {
    /// `drawn` is false if the data itself shows the progress; a verbose run prints its steps instead.
    pub(super) fn start(state: S, say: Verbosity, drawn: bool) -> Self {
        let state = Arc::new(Mutex::new(state));
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let wanted = drawn && say == Verbosity::Normal && std::io::stderr().is_terminal();
        let drawing = wanted.then(|| tokio::spawn(draw(bar.clone(), Arc::clone(&state))));
        Self { state, bar, drawing }
    }

    fn is_drawn(&self) -> bool {
        self.drawing.is_some()
    }

    /// Changes the state.
    pub(super) fn update(&self, change: impl FnOnce(&mut S)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Pauses longer than this, in seconds, are reported even without a progress line.
const LONG_WAIT: u64 = 5;

/// The progress of reading webhooks.
pub(super) struct ReadingProgress {
    line: ProgressLine<ReadProgress>,
    say: Verbosity,
}

/// The numbers of [`ReadingProgress`].
#[derive(Debug, Clone)]
struct ReadProgress {
    place: Safe,
    since: Instant,
    /// Loaded pages; 0 for requests by id.
    pages: u64,
    rows: u64,
    total: Option<u64>,
    paused_until: Option<Instant>,
    trouble: Option<Safe>,
}

impl ProgressWords for ReadProgress {
    fn words(&self, now: Instant) -> Safe {
        let mut words = safe!("reading: ");
        if self.pages > 0 {
            words.push(&safe!("{} {}, ", grouped(self.pages), if self.pages == 1 { "page" } else { "pages" }));
        }
        words.push(&grouped(self.rows));
        if let Some(total) = self.total {
            words.push(&safe!(" of {}", grouped(total)));
        }
        words.push(&safe!(" {}", if self.total.unwrap_or(self.rows) == 1 { "webhook" } else { "webhooks" }));
        match (self.paused_until.filter(|&until| until > now), &self.trouble) {
            (Some(until), _) => {
                let left = until.duration_since(now).as_secs() + 1;
                words.push(&safe!(" · rate limit: resuming in {} s", left));
            }
            (None, Some(trouble)) => words.push(&safe!(" · {}", trouble)),
            (None, None) => words.push(&safe!(" · {} s", now.duration_since(self.since).as_secs())),
        }
        words.push(&safe!(" · {}", self.place));
        words
    }
}

/// A loaded value.
pub(super) trait ProgressValue {
    /// True for a page, false for a single webhook.
    const PAGE: bool;
    fn rows(&self) -> u64;
    fn total(&self) -> Option<u64>;
}

impl ProgressValue for Page {
    const PAGE: bool = true;

    fn rows(&self) -> u64 {
        self.numbers.rows
    }

    fn total(&self) -> Option<u64> {
        self.numbers.total
    }
}

impl ProgressValue for OwnedRow {
    const PAGE: bool = false;

    fn rows(&self) -> u64 {
        1
    }

    fn total(&self) -> Option<u64> {
        None
    }
}

impl ReadingProgress {
    pub(super) fn start(place: Safe, say: Verbosity, drawn: bool) -> Self {
        let since = Instant::now();
        let state = ReadProgress { place, since, pages: 0, rows: 0, total: None, paused_until: None, trouble: None };
        Self { line: ProgressLine::start(state, say, drawn), say }
    }

    /// Records a step.
    pub(super) fn note<T: ProgressValue>(&self, progress: &fetch::Progress<T>) {
        self.line.update(|state| self.take(state, progress));
    }

    fn take<T: ProgressValue>(&self, state: &mut ReadProgress, progress: &fetch::Progress<T>) {
        match progress {
            fetch::Progress::Loaded { value, .. } => {
                state.pages += u64::from(T::PAGE);
                state.rows += value.rows();
                state.total = value.total().or(state.total);
                state.trouble = None;
                state.paused_until = None;
            }
            fetch::Progress::Retrying { number, attempt, of, error } => {
                let words = safe!("{}: {}; attempt {} of {} failed", request::<T>(*number), error.short(), *attempt, *of);
                self.say.detail(&words);
                state.trouble = Some(words);
            }
            fetch::Progress::Paused { until, error } => {
                let wait = until.saturating_duration_since(Instant::now()).as_secs() + 1;
                let words = safe!("{}: waiting {} s", error.short(), wait);
                // The line shows it too.
                if wait > LONG_WAIT && !self.line.is_drawn() {
                    self.say.note(&words);
                } else {
                    self.say.detail(&words);
                }
                state.paused_until = Some(*until);
            }
            fetch::Progress::Failed { number, error } => {
                self.say.detail(&safe!("{}: {}; giving up", request::<T>(*number), error.short()));
            }
            fetch::Progress::Resumed => state.paused_until = None,
        }
    }
}

/// The name of a request in messages: ids are numbered from 0, pages from 1.
fn request<T: ProgressValue>(number: u64) -> Safe {
    if T::PAGE { safe!("page {}", number) } else { safe!("id {}", number + 1) }
}

async fn draw(bar: ProgressBar, state: Arc<Mutex<impl ProgressWords>>) {
    sleep(SILENCE).await;
    if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
        bar.set_style(style);
    }
    bar.set_draw_target(ProgressDrawTarget::stderr());
    let mut steps = interval(STEP);
    loop {
        steps.tick().await;
        let words = state.lock().unwrap_or_else(PoisonError::into_inner).words(Instant::now());
        bar.set_message(words.to_string());
    }
}

impl<S> Drop for ProgressLine<S> {
    fn drop(&mut self) {
        if let Some(drawing) = &self.drawing {
            drawing.abort();
            self.bar.finish_and_clear();
        }
    }
}
