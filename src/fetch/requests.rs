//! Requests under way: started within the limits of concurrency and rate, tried again with pauses, one pause for all when
//! the API says 429.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::Policy;
use crate::api::{Answer, ApiError, Client, ErrorKind, Failure, Page, PageRequest, RateLimit};
use crate::model::Scope;

/// What became of a request.
#[derive(Debug, Clone)]
pub enum Progress {
    Loaded(Page),
    /// It will be tried again; `attempt` of `of` has failed.
    Retrying {
        page: u64,
        attempt: u32,
        of: u32,
        error: ApiError,
    },
    /// Given up.
    Failed {
        page: u64,
        error: ApiError,
    },
    /// Nothing is sent until then.
    Paused {
        until: Instant,
        error: ApiError,
    },
    /// The pause is over, and nothing is under way.
    Resumed,
}

type Finished = (u64, u32, Result<Answer<Page>, Failure>);

/// A try that waits for its time.
#[derive(Debug)]
struct Waiting {
    page: u64,
    attempt: u32,
    at: Instant,
}

/// The requests of one listing. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Requests {
    client: Arc<Client>,
    policy: Policy,
    scope: Scope,
    running: JoinSet<Finished>,
    aborts: BTreeMap<u64, AbortHandle>,
    waiting: Vec<Waiting>,
    paused_until: Option<Instant>,
    /// The rate limit and when it was told.
    rate: Option<(RateLimit, Instant)>,
}

impl Requests {
    pub(super) fn new(client: Arc<Client>, policy: Policy, scope: Scope) -> Self {
        Self {
            client,
            policy,
            scope,
            running: JoinSet::new(),
            aborts: BTreeMap::new(),
            waiting: Vec::new(),
            paused_until: None,
            rate: None,
        }
    }

    /// Turns to another scope: everything under way is ended.
    pub(super) fn set_scope(&mut self, scope: Scope) {
        self.scope = scope;
        self.retain(|_| false);
    }

    /// Ends the requests of pages that nobody wants any more.
    pub(super) fn retain(&mut self, wanted: impl Fn(u64) -> bool) {
        self.aborts.retain(|&page, abort| {
            let keep = wanted(page);
            if !keep {
                abort.abort();
            }
            keep
        });
        self.waiting.retain(|waiting| wanted(waiting.page));
    }

    /// Ends the pause, because a person asked to try now.
    pub(super) fn end_pause(&mut self) {
        self.paused_until = None;
    }

    pub(super) fn is_under_way(&self, page: u64) -> bool {
        self.aborts.contains_key(&page) || self.waiting.iter().any(|waiting| waiting.page == page)
    }

    /// Whether another page may be started now.
    pub(super) fn has_room(&self) -> bool {
        let under_way = self.aborts.len() + self.waiting.len();
        under_way < self.policy.max_concurrency && self.paused_until.is_none() && self.budget() > under_way as u64
    }

    /// Starts a page; the caller asked [`Requests::has_room`].
    pub(super) fn start(&mut self, page: u64) {
        self.spawn(page, 1);
    }

    /// Requests that may be out at once without touching the tenth of the limit that belongs to production.
    fn budget(&self) -> u64 {
        match self.rate {
            Some((rate, told)) if rate.resets_in.is_none_or(|wait| told + wait > Instant::now()) => rate.spendable(),
            Some(_) | None => u64::MAX,
        }
    }

    /// Pauses when the limit is spent and nothing is under way that could tell more; an error when the wait is too long.
    /// Call it before waiting for [`Requests::next`] with pages still to start.
    pub(super) fn pause_if_spent(&mut self) -> Result<Option<Progress>, ApiError> {
        let Some((rate, told)) = self.rate else { return Ok(None) };
        if self.budget() > 0 || self.paused_until.is_some() || !self.aborts.is_empty() {
            return Ok(None);
        }
        let now = Instant::now();
        let resets_in = rate.resets_in.map(|wait| (told + wait).saturating_duration_since(now));
        let error = ApiError::new(ErrorKind::LimitNearlySpent { resets_in });
        match resets_in {
            Some(wait) if wait <= self.policy.longest_wait => {
                self.paused_until = Some(now + wait);
                Ok(Some(Progress::Paused { until: now + wait, error }))
            }
            _ => Err(error),
        }
    }

    fn spawn(&mut self, page: u64, attempt: u32) {
        let client = Arc::clone(&self.client);
        let request = PageRequest { number: page, limit: self.policy.page_size, scope: self.scope };
        let abort = self.running.spawn(async move { (page, attempt, client.list(request).await) });
        self.aborts.insert(page, abort);
    }

    /// The next thing that happens; `None` when nothing is under way or waiting. Cancelling the wait loses nothing.
    pub(super) async fn next(&mut self) -> Option<Progress> {
        loop {
            let now = Instant::now();
            self.paused_until = self.paused_until.filter(|&until| until > now);
            if self.paused_until.is_none() {
                self.start_due(now);
            }
            let wake = self.paused_until.or_else(|| self.waiting.iter().map(|waiting| waiting.at).min());
            if self.running.is_empty() && wake.is_none() {
                return None;
            }
            let far = now + Duration::from_hours(1);
            tokio::select! {
                Some(finished) = self.running.join_next() => match finished {
                    Ok(finished) => return Some(self.settle(finished)),
                    Err(error) if error.is_cancelled() => {}
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
                () = sleep_until(wake.unwrap_or(far)), if wake.is_some() => {
                    if self.paused_until.take().is_some() && self.waiting.is_empty() && self.running.is_empty() {
                        return Some(Progress::Resumed);
                    }
                }
            }
        }
    }

    fn start_due(&mut self, now: Instant) {
        while let Some(at) = self.waiting.iter().position(|waiting| waiting.at <= now) {
            let due = self.waiting.swap_remove(at);
            self.spawn(due.page, due.attempt);
        }
    }

    fn settle(&mut self, (page, attempt, result): Finished) -> Progress {
        self.aborts.remove(&page);
        let rate = match &result {
            Ok(answer) => answer.rate,
            Err(failure) => failure.rate,
        };
        if let Some(rate) = rate {
            self.rate = Some((rate, Instant::now()));
        }
        match result {
            Ok(answer) => Progress::Loaded(answer.value),
            Err(Failure { error, .. }) => self.retry(page, attempt, error),
        }
    }

    fn retry(&mut self, page: u64, attempt: u32, error: ApiError) -> Progress {
        let asked = match error.kind {
            ErrorKind::RateLimited { retry_after } => retry_after,
            _ => None,
        };
        let too_long = asked.is_some_and(|wait| wait > self.policy.longest_wait);
        if !error.is_transient() || attempt > self.policy.retries || too_long {
            return Progress::Failed { page, error };
        }
        let now = Instant::now();
        let pause = asked.unwrap_or_else(|| self.jitter(attempt));
        self.waiting.push(Waiting { page, attempt: attempt + 1, at: now + pause });
        if matches!(error.kind, ErrorKind::RateLimited { .. }) {
            let until = self.paused_until.unwrap_or(now).max(now + pause);
            self.paused_until = Some(until);
            return Progress::Paused { until, error };
        }
        Progress::Retrying { page, attempt, of: self.policy.retries + 1, error }
    }

    /// A random part of a pause that doubles with each attempt ("full jitter").
    fn jitter(&self, attempt: u32) -> Duration {
        let doubled = self.policy.backoff.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        doubled.min(self.policy.longest_backoff).mul_f64(fastrand::f64())
    }
}
