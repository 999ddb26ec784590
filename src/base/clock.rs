//! Time as an input: state machines get a [`Moment`] with each message and never read a clock themselves. Also ages and
//! times as text. Uses `text`.

use std::path::Path;
use std::time::{Duration, SystemTime};
use std::{env, fs};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use crate::base::text::{Safe, clean};
use crate::safe;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Mean lengths, in seconds: ages are only shown.
const MONTH: i64 = 2_629_746;
const YEAR: i64 = 31_556_952;

/// A point in time by both clocks: the monotonic one, and the one that people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub instant: Instant,
    pub wall: Timestamp,
}

/// Returns the current time in the form that HTTP headers use.
#[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
pub fn system_time() -> SystemTime {
    SystemTime::now()
}

impl Moment {
    #[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
    pub fn now() -> Self {
        Self { instant: Instant::now(), wall: Timestamp::now() }
    }
}

/// Formats an age in one unit: `now`, `8m`, `3h`, `5d`, `7mo`, `2y`. A time in the future has a minus sign.
pub fn age(then: Timestamp, now: Timestamp) -> Safe {
    let seconds = now.as_second().saturating_sub(then.as_second());
    let sign = if seconds < 0 { "-" } else { "" };
    match seconds.saturating_abs() {
        s if s < MINUTE => "now".into(),
        s if s < HOUR => safe!("{}{}m", sign, s / MINUTE),
        s if s < DAY => safe!("{}{}h", sign, s / HOUR),
        s if s < 2 * MONTH => safe!("{}{}d", sign, s / DAY),
        s if s < 2 * YEAR => safe!("{}{}mo", sign, s / MONTH),
        s => safe!("{}{}y", sign, s / YEAR),
    }
}

/// `2y ago`, `now`, `in 5d`.
pub fn age_in_words(then: Timestamp, now: Timestamp) -> Safe {
    let age = age(then, now);
    match age.as_str().strip_prefix('-') {
        _ if age.as_str() == "now" => age,
        Some(ahead) => safe!("in {}", clean(ahead)),
        None => safe!("{} ago", age),
    }
}

/// Formats the age of something that happened on this machine: `3h ago`, or in seconds below a minute: `37s ago`. A time in
/// the future comes from a clock that was wrong.
pub fn recent_age_in_words(then: Timestamp, now: Timestamp) -> Safe {
    match now.as_second().saturating_sub(then.as_second()) {
        seconds @ 0..MINUTE => safe!("{}s ago", seconds),
        seconds if seconds <= -MINUTE => "at an unknown time".into(),
        _ => age_in_words(then, now),
    }
}

/// Returns the seconds until the text of an age changes.
pub fn age_changes_in(then: Timestamp, now: Timestamp) -> i64 {
    let seconds = now.as_second().saturating_sub(then.as_second());
    let unit = match seconds.saturating_abs() {
        s if s < HOUR => MINUTE,
        s if s < DAY => HOUR,
        _ => DAY,
    };
    unit - seconds.rem_euclid(unit)
}

/// As [`age_changes_in`], for [`recent_age_in_words`].
pub fn recent_age_changes_in(then: Timestamp, now: Timestamp) -> i64 {
    let seconds = now.as_second().saturating_sub(then.as_second());
    if (0..MINUTE).contains(&seconds) { 1 } else { age_changes_in(then, now) }
}

/// `2024-04-01 08:00:00 UTC`.
pub fn utc(at: Timestamp) -> Safe {
    clean(&at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// `2024-04-01T08:00:00Z`: the moment itself, or the next whole second.
pub fn rfc3339_not_before(at: Timestamp) -> Safe {
    let seconds = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    let whole = Timestamp::from_second(seconds).unwrap_or(at);
    clean(&whole.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// `2024-04-01 10:00:00 +02:00`.
pub fn local(at: Timestamp, zone: &TimeZone) -> Safe {
    clean(&at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string())
}

/// `2024-04-01`, for a narrow column.
pub fn day(at: Timestamp, zone: &TimeZone) -> Safe {
    clean(&at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d").to_string())
}

/// Returns the time zone of this machine.
pub fn local_zone() -> TimeZone {
    zone_of(env::var_os("TZ").is_some(), Path::new("/etc/localtime"))
}

/// Reads the zone from its file unless it is named: to find a zone by name, the library lists all zones in dozens of
/// folders, and the first frame would wait for that.
fn zone_of(is_named: bool, file: &Path) -> TimeZone {
    let rules = if is_named { None } else { fs::read(file).ok() };
    rules.and_then(|rules| TimeZone::tzif("local", &rules).ok()).unwrap_or_else(TimeZone::system)
}

/// `08:00:00`.
pub fn time_of_day(at: Timestamp, zone: &TimeZone) -> Safe {
    clean(&at.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S").to_string())
}

/// Formats a span of time in its two largest units at most: `9 s`, `2 min 5 s`, `1 h 10 min`.
pub fn seconds_in_words(span: Duration) -> Safe {
    let seconds = span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0));
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => safe!("{} s", seconds),
        (0, minutes, seconds) => safe!("{} min {} s", minutes, seconds),
        (hours, minutes, _) => safe!("{} h {} min", hours, minutes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_of_the_machine_is_read_from_its_file() {
        // A header and one type of time, twice; then the rules.
        let block = |version: char| {
            let counts = [0_u32, 0, 0, 0, 1, 4].map(u32::to_be_bytes).concat();
            [format!("TZif{version}").as_bytes(), &[0; 15], &counts, &3600_i32.to_be_bytes(), &[0, 0], b"CET\0"].concat()
        };
        let rules = [&*block('2'), &*block('2'), b"\nCET-1CEST,M3.5.0,M10.5.0/3\n"].concat();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("localtime");
        fs::write(&file, rules).unwrap();
        let at = |text: &str| time_of_day(text.parse().unwrap(), &zone_of(false, &file)).to_string();
        assert_eq!([at("2026-01-15T12:00:00Z"), at("2026-07-15T12:00:00Z")], ["13:00:00", "14:00:00"]);
        fs::write(&file, "no zone").unwrap();
        assert_eq!(zone_of(false, &file), TimeZone::system());
        assert_eq!(zone_of(false, &folder.path().join("missing")), TimeZone::system());
    }

    #[test]
    fn an_age_has_one_unit() {
        let now: Timestamp = "2026-06-15T12:00:00Z".parse().unwrap();
        for (then, short, words) in [
            ("2026-06-15T11:59:30Z", "now", "now"),
            ("2026-06-15T11:52:00Z", "8m", "8m ago"),
            ("2026-06-15T09:00:00Z", "3h", "3h ago"),
            ("2026-06-10T12:00:00Z", "5d", "5d ago"),
            ("2026-01-01T12:00:00Z", "5mo", "5mo ago"),
            ("2024-04-01T08:00:00Z", "2y", "2y ago"),
            ("2026-06-20T13:00:00Z", "-5d", "in 5d"),
        ] {
            let then = then.parse().unwrap();
            assert_eq!((age(then, now).as_str(), age_in_words(then, now).as_str()), (short, words));
        }
    }

    #[test]
    fn a_recent_age_is_in_seconds() {
        let now: Timestamp = "2026-06-15T12:00:00Z".parse().unwrap();
        for (seconds, words) in [(0, "0s ago"), (37, "37s ago"), (60, "1m ago"), (-5, "now"), (-90, "at an unknown time")] {
            assert_eq!(recent_age_in_words(now - jiff::SignedDuration::from_secs(seconds), now).as_str(), words);
        }
        let changes_in = |seconds| recent_age_changes_in(now - jiff::SignedDuration::from_secs(seconds), now);
        assert_eq!((changes_in(0), changes_in(59), changes_in(60)), (1, 1, 60));
    }

    #[test]
    fn the_text_of_an_age_changes_when_it_says_so() {
        let now: Timestamp = "2026-06-15T12:00:00Z".parse().unwrap();
        for seconds in [0, 1, 59, 61, 3599, 3601, 90_000, 400_000] {
            let then = now - jiff::SignedDuration::from_secs(seconds);
            let wait = age_changes_in(then, now);
            assert!((1..=DAY).contains(&wait));
            let before = now + jiff::SignedDuration::from_secs(wait - 1);
            assert_eq!(age(then, before), age(then, now), "{seconds} s old, {wait} s to go");
        }
    }
}
