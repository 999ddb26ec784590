//! The rate-limit headers: `X-RateLimit-*` in every response, `Retry-After` in a 429 (api-reference/rate-limits) or a 503.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::base::clock;

/// Larger numbers would overflow instants.
const LONGEST: Duration = Duration::from_hours(365 * 24);
/// The longest plausible wait: a quota may be daily.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// The rate limit of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests in a window.
    pub limit: u64,
    /// Requests left in the window.
    pub remaining: u64,
    /// Time until the window resets, by the server's own clock; `None` if the server does not report it.
    pub resets_in: Option<Duration>,
}

impl RateLimit {
    /// Requests that may be sent now. A tenth of the limit stays unused for production, which shares the key.
    pub fn spendable(&self) -> u64 {
        self.remaining.saturating_sub(self.limit.div_ceil(10))
    }

    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        // A limit of 0 would have forbidden this request.
        let limit = number(headers, "x-ratelimit-limit").filter(|&limit| limit > 0)?;
        let remaining = number(headers, "x-ratelimit-remaining")?;
        let resets_in = number(headers, "x-ratelimit-reset").map(|reset| {
            let now = server_time(headers).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Duration::from_secs(reset).saturating_sub(now).min(LONGEST)
        });
        Some(Self { limit, remaining, resets_in })
    }
}

/// The wait that a 429 or a 503 asks for, in seconds or as a date. `None` if there is none, or one that is not plausible: 0,
/// a fraction, or more than a day, which is an epoch or milliseconds.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(text.parse().ok()?)
    } else {
        httpdate::parse_http_date(text).ok()?.duration_since(server_time(headers)).ok()?
    };
    Some(wait).filter(|&wait| !wait.is_zero() && wait <= LONGEST_WAIT)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The server's clock, else ours. Ours may be wrong, while the difference of two times of the server is always right.
fn server_time(headers: &HeaderMap) -> SystemTime {
    let date = headers.get(DATE).and_then(|value| value.to_str().ok());
    date.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(clock::system_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    const NOW: (&str, &str) = ("date", "Mon, 01 Apr 2024 08:00:00 GMT");

    #[test]
    fn the_reset_is_measured_by_the_servers_clock() {
        let read = RateLimit::read(&headers(&[
            ("x-ratelimit-limit", "600"),
            ("x-ratelimit-remaining", "61"),
            ("x-ratelimit-reset", "1711958430"),
            NOW,
        ]));
        let rate = RateLimit { limit: 600, remaining: 61, resets_in: Some(Duration::from_secs(30)) };
        assert_eq!(read, Some(rate));
        assert_eq!(rate.spendable(), 1);
    }

    #[test]
    fn without_a_date_our_own_clock_has_to_do() {
        let soon = clock::system_time().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + 30;
        let read = RateLimit::read(&headers(&[
            ("x-ratelimit-limit", "600"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", &soon.to_string()),
        ]));
        let wait = read.unwrap().resets_in.unwrap();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(30), "{wait:?}");
    }

    #[test]
    fn nonsense_in_the_headers_is_no_rate_limit() {
        for limit in ["many", "-1", "0", ""] {
            let read = RateLimit::read(&headers(&[("x-ratelimit-limit", limit), ("x-ratelimit-remaining", "1")]));
            assert_eq!(read, None, "{limit:?}");
        }
        let past = headers(&[
            ("x-ratelimit-limit", "10"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "18446744073709551615"),
            NOW,
        ]);
        assert_eq!(RateLimit::read(&past).unwrap().resets_in, Some(LONGEST));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_within_a_day() {
        let wait = |value: &str| retry_after(&headers(&[("retry-after", value), NOW]));
        assert_eq!(wait("2"), Some(Duration::from_secs(2)));
        assert_eq!(wait(" 86400 "), Some(Duration::from_hours(24)));
        assert_eq!(wait("Mon, 01 Apr 2024 08:00:05 GMT"), Some(Duration::from_secs(5)));
        let unusable = ["-1", "soon", "", "1.5", "0", "1711958430", "90000", "1000000000000000000000000000000"];
        for value in unusable.into_iter().chain(["Mon, 01 Apr 2024 07:00:00 GMT", "Mon, 01 Apr 2044 08:00:00 GMT"]) {
            assert_eq!(wait(value), None, "{value:?}");
        }
        assert_eq!(retry_after(&headers(&[])), None);
    }
}
