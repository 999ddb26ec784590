//! The rate limit of the demo API: a fixed-window request counter, and the headers that report it. Uses hyper's header
//! types; start at [`RateWindow`].

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue, RETRY_AFTER};

pub(super) const RATE_WINDOW_SECONDS: u64 = 60;

const RATE_LIMIT_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const RATE_LIMIT_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Counts the requests of all connections. A window starts with the first request after the previous one ended.
pub(super) struct RateWindow {
    limit: u64,
    started: u64,
    used: u64,
}

impl RateWindow {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, started: 0, used: 0 }
    }

    /// Counts one request at the given Unix time.
    pub(super) fn take(&mut self, now: u64) -> RateAllowance {
        // A clock that was set back starts a window too, or the old one could last for hours.
        if !(self.started..self.started.saturating_add(RATE_WINDOW_SECONDS)).contains(&now) {
            self.started = now;
            self.used = 0;
        }
        self.used = self.used.saturating_add(1);
        let reset = self.started.saturating_add(RATE_WINDOW_SECONDS);
        RateAllowance {
            limit: self.limit,
            remaining: self.limit.saturating_sub(self.used),
            reset,
            retry_after: reset.saturating_sub(now),
            is_exceeded: self.used > self.limit,
        }
    }
}

/// The state of the rate limit at a request.
pub(super) struct RateAllowance {
    limit: u64,
    remaining: u64,
    /// Unix seconds.
    reset: u64,
    /// Seconds until the reset.
    retry_after: u64,
    pub(super) is_exceeded: bool,
}

impl RateAllowance {
    pub(super) fn write_headers(&self, headers: &mut HeaderMap) {
        headers.insert(RATE_LIMIT_LIMIT, HeaderValue::from(self.limit));
        headers.insert(RATE_LIMIT_REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RATE_LIMIT_RESET, HeaderValue::from(self.reset));
        if self.is_exceeded {
            headers.insert(RETRY_AFTER, HeaderValue::from(self.retry_after));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_window_starts_again_after_its_end() {
        let mut window = RateWindow::new(2);
        let taken: Vec<_> = [1000, 1030, 1059, 1060, 500]
            .map(|now| window.take(now))
            .iter()
            .map(|allowance| (allowance.remaining, allowance.reset, allowance.retry_after, allowance.is_exceeded))
            .collect();
        let expected =
            [(1, 1060, 60, false), (0, 1060, 30, false), (0, 1060, 1, true), (1, 1120, 60, false), (1, 560, 60, false)];
        assert_eq!(taken, expected);
    }
}
