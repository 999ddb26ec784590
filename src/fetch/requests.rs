//! Sends requests for pages or single webhooks within the limits of concurrency and rate, and retries them after pauses. An
//! overloaded API pauses all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::budget::{Budget, ROUNDING};
use super::window::Window;
use super::{Policy, Source};
use crate::api::{ApiAnswer, ApiError, ApiFailure, ErrorKind, Network, Page, PageRequest, RateLimit};
use crate::model::{OwnedRow, Scope, WebhookId};

/// The pause while other readers use up all requests that may be in flight.
const OTHERS: Duration = Duration::from_millis(200);

/// The progress of a request. Its number is that of a page, or an index into a list of ids.
#[derive(Debug, Clone)]
pub enum Progress<T = Page> {
    Loaded {
        number: u64,
        value: T,
    },
    /// It will be retried; `attempt` of `of` has failed.
    Retrying {
        number: u64,
        attempt: u32,
        of: u32,
        error: ApiError,
    },
    /// The request has failed for good.
    Failed {
        number: u64,
        error: ApiError,
    },
    /// No request is sent until then.
    Paused {
        until: Instant,
        error: ApiError,
    },
    /// The pause is over, and nothing is in flight.
    Resumed,
}

/// A kind of request, made by number.
pub(super) trait Ask {
    type Value: Send + 'static;

    fn source(&self) -> &Source;

    /// The total time of one request.
    fn timeout(&self) -> Duration {
        self.source().timeout()
    }

    fn ask(&self, number: u64) -> impl Future<Output = Result<ApiAnswer<Self::Value>, ApiFailure>> + Send + 'static;
}

/// Requests pages of a listing.
#[derive(Debug)]
pub(super) struct Pages {
    source: Source,
    /// Rows per page.
    limit: u32,
    scope: Scope,
}

impl Ask for Pages {
    type Value = Page;

    fn source(&self) -> &Source {
        &self.source
    }

    fn ask(&self, number: u64) -> impl Future<Output = Result<ApiAnswer<Page>, ApiFailure>> + Send + 'static {
        let source = self.source.clone();
        let request = PageRequest { number, limit: self.limit, scope: self.scope };
        async move { source.list(request).await }
    }
}

impl Pages {
    pub(super) fn new(source: &Source, limit: u32, scope: Scope) -> Self {
        Self { source: source.clone(), limit, scope }
    }

    pub(super) fn set_scope(&mut self, scope: Scope) {
        self.scope = scope;
    }
}

/// Requests single webhooks.
#[derive(Debug)]
pub(super) struct Webhooks {
    pub(super) source: Source,
    pub(super) ids: Arc<[WebhookId]>,
}

impl Ask for Webhooks {
    type Value = OwnedRow;

    fn source(&self) -> &Source {
        &self.source
    }

    fn ask(&self, number: u64) -> impl Future<Output = Result<ApiAnswer<OwnedRow>, ApiFailure>> + Send + 'static {
        let (source, ids) = (self.source.clone(), Arc::clone(&self.ids));
        async move {
            match usize::try_from(number).ok().and_then(|place| ids.get(place)) {
                Some(id) => source.get(id).await,
                None => Err(ApiFailure { error: ApiError::new(ErrorKind::NotFound), rate: None }),
            }
        }
    }
}

/// One attempt of a request.
#[derive(Debug, Clone, Copy)]
struct Try {
    number: u64,
    attempt: u32,
    /// The number of answers to all requests when this one was started or last failed.
    answers: u64,
}

/// An attempt that has ended.
#[derive(Debug)]
struct Finished<T> {
    tried: Try,
    sent: Instant,
    result: Result<ApiAnswer<T>, ApiFailure>,
}

/// An attempt that is delayed.
#[derive(Debug)]
struct Waiting {
    next: Try,
    at: Instant,
}

/// The requests of one reader. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Requests<A: Ask> {
    ask: A,
    policy: Policy,
    running: JoinSet<Finished<A::Value>>,
    aborts: BTreeMap<u64, AbortHandle>,
    waiting: Vec<Waiting>,
    paused_until: Option<Instant>,
    window: Window,
    /// Answers received, including errors.
    answers: u64,
    /// Reports of overload since the last answer.
    stalls: u32,
    /// Shared by all readers of the source.
    budget: Arc<Mutex<Budget>>,
}

fn lock(budget: &Mutex<Budget>) -> MutexGuard<'_, Budget> {
    // A panic cannot leave it half-changed.
    budget.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<A: Ask> Requests<A> {
    pub(super) fn new(ask: A, policy: Policy) -> Self {
        Self {
            budget: ask.source().budget(),
            ask,
            policy,
            running: JoinSet::new(),
            aborts: BTreeMap::new(),
            waiting: Vec::new(),
            paused_until: None,
            window: Window::new(policy.max_concurrency),
            answers: 0,
            stalls: 0,
        }
    }

    /// Changes the kind of requests. Everything in flight is canceled.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut A)) {
        change(&mut self.ask);
        self.retain(|_| false);
    }

    /// Cancels the requests that are no longer wanted.
    pub(super) fn retain(&mut self, wanted: impl Fn(u64) -> bool) {
        let mut budget = lock(&self.budget);
        self.aborts.retain(|&number, abort| {
            let keep = wanted(number);
            if !keep {
                abort.abort();
                budget.given_up();
            }
            keep
        });
        self.waiting.retain(|waiting| wanted(waiting.next.number));
    }

    /// Ends the pause, since the user asked to try now.
    pub(super) fn end_pause(&mut self) {
        self.paused_until = None;
    }

    pub(super) fn is_under_way(&self, number: u64) -> bool {
        self.aborts.contains_key(&number) || self.waiting.iter().any(|waiting| waiting.next.number == number)
    }

    /// Returns true if any request is in flight or delayed.
    pub(super) fn is_busy(&self) -> bool {
        !self.aborts.is_empty() || !self.waiting.is_empty()
    }

    /// Returns true if another request may be started now.
    pub(super) fn has_room(&self) -> bool {
        let under_way = self.aborts.len() + self.waiting.len();
        under_way < self.window.size()
            && self.paused_until.is_none_or(|until| until <= Instant::now())
            && lock(&self.budget).has_room_for(self.waiting.len() as u64 + 1, Instant::now())
    }

    /// Starts a request. The caller must have checked [`Requests::has_room`].
    pub(super) fn start(&mut self, number: u64) {
        self.spawn(Try { number, attempt: 1, answers: self.answers });
    }

    /// Pauses if the rate limit is spent and no answer in flight could change that. Returns an error if the wait is too
    /// long. Call it before waiting for [`Requests::next`] with requests left to start.
    pub(super) fn pause_if_spent(&mut self) -> Result<Option<Progress<A::Value>>, ApiError> {
        let now = Instant::now();
        if self.paused_until.is_some_and(|until| until > now) || !self.aborts.is_empty() {
            return Ok(None);
        }
        let budget = lock(&self.budget);
        if budget.requests(now) > 0 {
            if !budget.has_room_for(1, now) {
                // Other readers have sent the requests, and their answers will report the limit.
                self.paused_until = Some(now + OTHERS);
            }
            return Ok(None);
        }
        let resets_in = budget.resets_in(now);
        let error = ApiError::new(ErrorKind::LimitNearlySpent { resets_in });
        match resets_in {
            Some(wait) if wait <= self.policy.longest_wait => {
                let until = now + wait + ROUNDING;
                self.paused_until = Some(until);
                Ok(Some(Progress::Paused { until, error }))
            }
            _ => Err(error),
        }
    }

    fn spawn(&mut self, tried: Try) {
        let answer = self.ask.ask(tried.number);
        let sent = Instant::now();
        let abort = self.running.spawn(async move { Finished { tried, sent, result: answer.await } });
        lock(&self.budget).send();
        self.aborts.insert(tried.number, abort);
    }

    /// Returns the next progress; `None` if nothing is in flight or delayed. Canceling the wait loses nothing.
    pub(super) async fn next(&mut self) -> Option<Progress<A::Value>> {
        loop {
            let now = Instant::now();
            self.paused_until = self.paused_until.filter(|&until| until > now);
            if self.paused_until.is_none()
                && let Some(progress) = self.start_due(now)
            {
                return Some(progress);
            }
            // A due attempt without room waits for an answer, not for a time.
            let due = self.waiting.iter().map(|waiting| waiting.at).filter(|&at| at > now).min();
            let wake = self.paused_until.or(due);
            if self.running.is_empty() && wake.is_none() {
                return None;
            }
            tokio::select! {
                Some(finished) = self.running.join_next_with_id() => match finished {
                    Ok((id, finished)) => if let Some(progress) = self.settle(id, finished) {
                        return Some(progress);
                    },
                    Err(error) if error.is_cancelled() => {}
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
                () = sleep_until(wake.unwrap_or(now)), if wake.is_some() => {
                    if self.paused_until.take().is_some() && self.waiting.is_empty() && self.running.is_empty() {
                        return Some(Progress::Resumed);
                    }
                }
            }
        }
    }

    /// Starts the attempts that are due, lowest number first, as far as both limits allow. Returns a pause or a failure if
    /// the rate limit allows none, and no answer in flight could change that.
    fn start_due(&mut self, now: Instant) -> Option<Progress<A::Value>> {
        while self.aborts.len() < self.window.size()
            && let Some(at) = self.first_due(now)
        {
            if lock(&self.budget).has_room_for(1, now) {
                let due = self.waiting.swap_remove(at);
                self.spawn(due.next);
                continue;
            }
            return match self.pause_if_spent() {
                Ok(pause) => pause,
                Err(error) => Some(Progress::Failed { number: self.waiting.swap_remove(at).next.number, error }),
            };
        }
        None
    }

    fn first_due(&self, now: Instant) -> Option<usize> {
        let due = self.waiting.iter().enumerate().filter(|(_, waiting)| waiting.at <= now);
        due.min_by_key(|(_, waiting)| waiting.next.number).map(|(at, _)| at)
    }

    /// Handles an attempt that has ended. `None` if its answer is no longer wanted: it arrived before the request could be
    /// canceled.
    fn settle(&mut self, id: Id, finished: Finished<A::Value>) -> Option<Progress<A::Value>> {
        let Finished { tried, sent, result } = finished;
        let Try { number, .. } = tried;
        let is_wanted = self.aborts.get(&number).is_some_and(|abort| abort.id() == id);
        match rate_of(&result) {
            Some(rate) => lock(&self.budget).told(rate, sent, Instant::now()),
            None if is_wanted => lock(&self.budget).spend_unseen(),
            // The budget was updated when the request was canceled.
            None => {}
        }
        if !is_wanted {
            return None;
        }
        self.aborts.remove(&number);
        lock(&self.budget).answered();
        Some(match result {
            Ok(answer) => {
                self.count_answer(sent);
                Progress::Loaded { number, value: answer.value }
            }
            Err(ApiFailure { error, .. }) => self.retry(tried, sent, error),
        })
    }

    fn count_answer(&mut self, sent: Instant) {
        self.answers += 1;
        self.stalls = 0;
        self.window.answered(sent.elapsed() < self.ask.timeout() / 4);
    }

    fn retry(&mut self, tried: Try, sent: Instant, error: ApiError) -> Progress<A::Value> {
        let Try { number, attempt, answers } = tried;
        let now = Instant::now();
        let is_overload = error.is_overload();
        if !error.is_transient() {
            self.count_answer(sent);
        } else if (is_overload || error.kind == ErrorKind::Network(Network::Timeout)) && self.window.reduce(sent, now) {
            self.stalls += 1;
        }
        let asked = error.wait();
        let too_long = asked.is_some_and(|wait| wait > self.policy.longest_wait);
        // While other requests are answered, overload only means waiting, so it uses up no attempt.
        let is_free = is_overload && self.answers > answers;
        if !error.is_transient() || too_long || (!is_free && attempt > self.policy.retries) {
            tracing::warn!(number, attempt, "given up: {error}");
            return Progress::Failed { number, error };
        }
        tracing::warn!(number, attempt, "{error}");
        let pause = if is_overload { self.overload_pause(asked) } else { self.jitter(attempt) };
        let next = Try { number, attempt: attempt + u32::from(!is_free), answers: self.answers };
        self.waiting.push(Waiting { next, at: now + pause });
        if is_overload {
            let until = self.paused_until.unwrap_or(now).max(now + pause);
            self.paused_until = Some(until);
            if asked.is_some() || matches!(error.kind, ErrorKind::RateLimited { .. }) {
                return Progress::Paused { until, error };
            }
        }
        Progress::Retrying { number, attempt, of: self.policy.retries + 1, error }
    }

    /// The pause that an overloaded API asks for. If it names none, or the last one proved too short, the pause is at least
    /// one that doubles with every report of overload until an answer arrives.
    fn overload_pause(&self, asked: Option<Duration>) -> Duration {
        let doubled = self.policy.backoff.saturating_mul(1 << self.stalls.min(16));
        let own = doubled.min(self.policy.longest_backoff).mul_f64(1.0 + fastrand::f64() / 10.0);
        match asked {
            Some(asked) if self.stalls <= 1 => asked,
            _ => asked.unwrap_or_default().max(own),
        }
    }

    /// A random part of a pause that doubles with each attempt ("full jitter").
    fn jitter(&self, attempt: u32) -> Duration {
        let doubled = self.policy.backoff.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        doubled.min(self.policy.longest_backoff).mul_f64(fastrand::f64())
    }
}

impl<A: Ask> Drop for Requests<A> {
    fn drop(&mut self) {
        let mut budget = lock(&self.budget);
        self.aborts.values().for_each(|_| budget.given_up());
    }
}

/// The rate limit that an answer reports. A failure that reports no reset time uses the wait that it asks for instead.
fn rate_of<T>(result: &Result<ApiAnswer<T>, ApiFailure>) -> Option<RateLimit> {
    match result {
        Ok(answer) => answer.rate,
        Err(ApiFailure { error, rate }) => rate.map(|rate| RateLimit { resets_in: rate.resets_in.or(error.wait()), ..rate }),
    }
}

#[cfg(test)]
mod tests;
