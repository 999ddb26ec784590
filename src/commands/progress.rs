//! The progress line on stderr: only on a terminal, and only when the work takes longer than a person wants to wait without a
//! word.

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
use crate::output::Say;
use crate::safe;

/// How long nothing is shown.
const SILENCE: Duration = Duration::from_millis(300);
/// How often the line may change: it counts seconds while nothing comes.
const STEP: Duration = Duration::from_millis(200);

/// What a progress line tells.
pub(super) trait Words: Send + 'static {
    /// What matters most comes first: a narrow terminal cuts the rest.
    fn words(&self, now: Instant) -> Safe;
}

/// A progress line, as long as the value lives.
pub(super) struct ProgressLine<S> {
    state: Arc<Mutex<S>>,
    bar: ProgressBar,
    drawing: Option<JoinHandle<()>>,
}

impl<S: Words> ProgressLine<S> {
    /// `drawn` is false where the data itself shows the progress; a verbose run tells its steps instead.
    pub(super) fn start(state: S, say: Say, drawn: bool) -> Self {
        let state = Arc::new(Mutex::new(state));
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let wanted = drawn && say == Say::Normal && std::io::stderr().is_terminal();
        let drawing = wanted.then(|| tokio::spawn(draw(bar.clone(), Arc::clone(&state))));
        Self { state, bar, drawing }
    }

    /// Whether anybody sees it.
    fn is_drawn(&self) -> bool {
        self.drawing.is_some()
    }

    /// Takes note of something.
    pub(super) fn update(&self, change: impl FnOnce(&mut S)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Seconds of a pause that is told also where no line is drawn.
const LONG_WAIT: u64 = 5;

/// The line of a read.
pub(super) struct Progress {
    line: ProgressLine<State>,
    say: Say,
}

/// What the line tells.
#[derive(Debug, Clone)]
struct State {
    place: Safe,
    since: Instant,
    /// Answers that came, by pages; none of them when webhooks are asked for by their ids.
    pages: u64,
    rows: u64,
    total: Option<u64>,
    paused_until: Option<Instant>,
    trouble: Option<Safe>,
}

impl Words for State {
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

/// What a step brought.
pub(super) trait Brought {
    /// Whether it is a page.
    const PAGE: bool;
    fn rows(&self) -> u64;
    fn total(&self) -> Option<u64>;
}

impl Brought for Page {
    const PAGE: bool = true;

    fn rows(&self) -> u64 {
        self.numbers.rows
    }

    fn total(&self) -> Option<u64> {
        self.numbers.total
    }
}

impl Brought for OwnedRow {
    const PAGE: bool = false;

    fn rows(&self) -> u64 {
        1
    }

    fn total(&self) -> Option<u64> {
        None
    }
}

impl Progress {
    /// Starts the clock.
    pub(super) fn start(place: Safe, say: Say, drawn: bool) -> Self {
        let since = Instant::now();
        let state = State { place, since, pages: 0, rows: 0, total: None, paused_until: None, trouble: None };
        Self { line: ProgressLine::start(state, say, drawn), say }
    }

    /// Takes note of a step.
    pub(super) fn note<T: Brought>(&self, progress: &fetch::Progress<T>) {
        self.line.update(|state| self.take(state, progress));
    }

    fn take<T: Brought>(&self, state: &mut State, progress: &fetch::Progress<T>) {
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
                // A line that is drawn tells it anyway.
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

/// What messages call a request: ids are numbered from 0, pages from 1.
fn request<T: Brought>(number: u64) -> Safe {
    if T::PAGE { safe!("page {}", number) } else { safe!("id {}", number + 1) }
}

async fn draw(bar: ProgressBar, state: Arc<Mutex<impl Words>>) {
    sleep(SILENCE).await;
    if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
        bar.set_style(style);
    }
    bar.set_draw_target(ProgressDrawTarget::stderr());
    let mut steps = interval(STEP);
    loop {
        steps.tick().await;
        let words = state.lock().unwrap_or_else(PoisonError::into_inner).words(Instant::now());
        // It draws only what differs from what is there.
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
