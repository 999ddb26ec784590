//! The request budget: how many requests may be in flight without using the last tenth of the rate limit, which is reserved
//! for production, as it shares the key.

use std::time::Duration;

use tokio::time::Instant;

use crate::api::RateLimit;

/// The assumed length of a rate-limit window when the server does not report its end.
const UNTOLD_WINDOW: Duration = Duration::from_mins(1);
/// Allowance for reported times, which are in whole seconds and often rounded down.
pub(super) const ROUNDING: Duration = Duration::from_secs(1);

/// The rate limit as last reported, and the requests in flight. Outlives a single read.
#[derive(Debug, Default)]
pub(super) struct Budget {
    told: Option<Told>,
    /// Requests in flight.
    out: u64,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    rate: RateLimit,
    at: Instant,
}

impl Told {
    /// The end of the window by our clock, as reported; otherwise a minute after the report.
    fn ends(&self) -> Instant {
        self.at + self.rate.resets_in.unwrap_or(UNTOLD_WINDOW)
    }

    fn is_over(&self, now: Instant) -> bool {
        self.ends() + ROUNDING <= now
    }
}

impl Budget {
    /// Records the rate limit that an answer reports.
    pub(super) fn told(&mut self, rate: RateLimit, sent: Instant, now: Instant) {
        // Answers overtake each other. One whose request was sent before the last report arrived may be older than that
        // report, and trusting it could spend the same request twice.
        let may_be_older = |known: &Told| sent < known.at && !known.is_over(now) && rate.remaining >= known.rate.remaining;
        if !self.told.as_ref().is_some_and(may_be_older) {
            self.told = Some(Told { rate, at: now });
        }
    }

    /// Counts a request as sent.
    pub(super) fn send(&mut self) {
        self.out += 1;
    }

    /// Counts a request as answered.
    pub(super) fn answered(&mut self) {
        self.out = self.out.saturating_sub(1);
    }

    /// Counts a request as abandoned. The server may have counted it, so it is spent.
    pub(super) fn given_up(&mut self) {
        self.answered();
        self.spend_unseen();
    }

    /// Returns true if this many more requests may be sent now.
    pub(super) fn has_room_for(&self, requests: u64, now: Instant) -> bool {
        self.requests(now) >= self.out.saturating_add(requests)
    }

    /// Deducts a request whose answer reports no limit or is never read: the server counted it anyway.
    pub(super) fn spend_unseen(&mut self) {
        if let Some(Told { rate, .. }) = &mut self.told {
            rate.remaining = rate.remaining.saturating_sub(1);
        }
    }

    /// Returns how many requests may be in flight at once.
    pub(super) fn requests(&self, now: Instant) -> u64 {
        match self.told {
            None => u64::MAX,
            // A new window that no answer has reported yet. Even the smallest limit allows one request to find out.
            Some(told) if told.is_over(now) => RateLimit { remaining: told.rate.limit, ..told.rate }.spendable().max(1),
            Some(told) => told.rate.spendable(),
        }
    }

    /// The time until the limit is reset, as reported: it may be up to [`ROUNDING`] more.
    pub(super) fn resets_in(&self, now: Instant) -> Option<Duration> {
        self.told.map(|told| told.ends().saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_mins(1);
    const STEP: Duration = Duration::from_secs(1);

    fn rate(remaining: u64) -> RateLimit {
        RateLimit { limit: 100, remaining, resets_in: Some(WINDOW) }
    }

    #[test]
    fn a_tenth_is_not_ours() {
        let now = Instant::now();
        let mut budget = Budget::default();
        assert_eq!(budget.requests(now), u64::MAX);
        budget.told(rate(15), now, now);
        assert_eq!(budget.requests(now), 5);
        budget.spend_unseen();
        assert_eq!(budget.requests(now), 4);
        budget.told(rate(3), now, now);
        assert_eq!(budget.requests(now), 0);
        assert_eq!(budget.resets_in(now + STEP), Some(Duration::from_secs(59)));
    }

    #[test]
    fn an_answer_that_was_overtaken_makes_nothing_larger() {
        let sent = Instant::now();
        let [first, second, third] = [1, 2, 3].map(|steps| sent + STEP * steps);
        let mut budget = Budget::default();
        budget.told(rate(12), sent, first);
        budget.told(rate(14), sent, second);
        assert_eq!(budget.requests(second), 2);
        budget.told(rate(11), sent, second);
        assert_eq!(budget.requests(second), 1);
        // The answer to a later request is more recent.
        budget.told(rate(90), second, third);
        assert_eq!(budget.requests(third), 80);
    }

    #[test]
    fn a_new_window_is_full_until_an_answer_tells() {
        let now = Instant::now();
        let mut budget = Budget::default();
        budget.told(rate(10), now, now);
        assert_eq!(budget.requests(now), 0);
        assert_eq!(budget.requests(now + WINDOW), 0, "its end may have been rounded down");
        assert_eq!(budget.requests(now + WINDOW + ROUNDING), 90);
        budget.told(RateLimit { limit: 1, remaining: 0, resets_in: Some(Duration::ZERO) }, now, now);
        assert_eq!(budget.requests(now + ROUNDING), 1);
    }
}
