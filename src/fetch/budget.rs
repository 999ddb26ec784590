//! How many requests may be out without touching the tenth of the rate limit that belongs to production, which shares the
//! key.

use std::time::Duration;

use tokio::time::Instant;

use crate::api::RateLimit;

/// What is left of the rate limit, as far as answers told.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// The rate limit, and when its window ends by our clock.
    told: Option<(RateLimit, Option<Instant>)>,
}

impl Budget {
    /// Takes note of an answer, or of a request without one: the server has counted that too.
    pub(super) fn spent(&mut self, answer: Option<RateLimit>, now: Instant) {
        let Some(mut rate) = answer else {
            if let Some((rate, _)) = &mut self.told {
                rate.remaining = rate.remaining.saturating_sub(1);
            }
            return;
        };
        let mut ends = rate.resets_in.map(|wait| now + wait);
        // Answers overtake each other, and within a window what is left only shrinks. A later window has a later reset.
        if let Some((known, known_ends)) = self.told
            && rate.resets_at.is_some()
            && rate.resets_at <= known.resets_at
        {
            rate.remaining = rate.remaining.min(known.remaining);
            ends = ends.or(known_ends);
        }
        self.told = Some((rate, ends));
    }

    /// Requests that may be out at once.
    pub(super) fn requests(&self, now: Instant) -> u64 {
        match self.told {
            None => u64::MAX,
            Some((rate, ends)) if ends.is_none_or(|ends| ends > now) => rate.spendable(),
            // A new window, of which nobody has told yet. Even the smallest limit allows the request that tells.
            Some((rate, _)) => RateLimit { remaining: rate.limit, ..rate }.spendable().max(1),
        }
    }

    /// How long until the limit is reset, if the server said so.
    pub(super) fn resets_in(&self, now: Instant) -> Option<Duration> {
        let (_, ends) = self.told?;
        ends.map(|ends| ends.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(remaining: u64, resets_at: u64) -> RateLimit {
        let resets_in = Some(Duration::from_secs(resets_at));
        RateLimit { limit: 100, remaining, resets_in, resets_at: Some(resets_at) }
    }

    #[test]
    fn a_tenth_is_not_ours() {
        let now = Instant::now();
        let mut budget = Budget::default();
        assert_eq!(budget.requests(now), u64::MAX);
        budget.spent(Some(told(15, 60)), now);
        assert_eq!(budget.requests(now), 5);
        budget.spent(None, now);
        assert_eq!(budget.requests(now), 4);
        budget.spent(Some(told(3, 60)), now);
        assert_eq!(budget.requests(now), 0);
        assert_eq!(budget.resets_in(now), Some(Duration::from_mins(1)));
    }

    #[test]
    fn an_answer_that_was_overtaken_makes_nothing_larger() {
        let now = Instant::now();
        let mut budget = Budget::default();
        budget.spent(Some(told(12, 60)), now);
        budget.spent(Some(told(14, 60)), now);
        assert_eq!(budget.requests(now), 2);
        budget.spent(Some(told(90, 120)), now);
        assert_eq!(budget.requests(now), 80);
    }

    #[test]
    fn a_new_window_is_full_until_an_answer_tells() {
        let now = Instant::now();
        let mut budget = Budget::default();
        budget.spent(Some(told(10, 60)), now);
        assert_eq!(budget.requests(now + Duration::from_mins(1)), 90);
        let smallest = RateLimit { limit: 1, remaining: 0, resets_in: Some(Duration::ZERO), resets_at: Some(0) };
        budget.spent(Some(smallest), now);
        assert_eq!(budget.requests(now), 1);
    }
}
