//! Times of creation, `created:`, by age or by date.

use std::ops::{Bound, RangeBounds};

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// Seconds in each unit of an age. Months and years have their mean length, as in the ages that are shown: an age is read,
/// not computed with.
const UNITS: [(&str, i64); 6] =
    [("m", 60), ("h", 3_600), ("d", 86_400), ("w", 7 * 86_400), ("mo", 2_629_746), ("y", 31_556_952)];

/// The times that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeRange(Bound<Timestamp>, Bound<Timestamp>);

impl TimeRange {
    pub(super) fn contains(&self, at: Timestamp) -> bool {
        (self.0, self.1).contains(&at)
    }
}

/// The comparison operators, as they are spelled.
pub(super) const OPERATORS: &[&str] = &["<=", "<", ">=", ">"];

/// The reason why a text is not a valid age or date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeError {
    /// It is neither an age nor a date.
    Unreadable,
    /// A number without a unit.
    NoUnit,
    /// It looks like a date, but the calendar does not have it.
    NoSuchDate,
    /// An age without `<` or `>`.
    BareAge,
}

/// Reads the value of `created:` with its operator, which may be empty.
pub(super) fn read(operator: &str, text: &str, now: Timestamp) -> Result<TimeRange, TimeError> {
    use Bound::{Excluded, Included, Unbounded};
    if let Some(age) = age(text)? {
        // An age beyond the smallest timestamp means the smallest timestamp.
        let then = now.checked_sub(age).unwrap_or(Timestamp::MIN);
        return Ok(match operator {
            ">" => TimeRange(Unbounded, Excluded(then)),
            ">=" => TimeRange(Unbounded, Included(then)),
            "<" => TimeRange(Excluded(then), Unbounded),
            "<=" => TimeRange(Included(then), Unbounded),
            _ => return Err(TimeError::BareAge),
        });
    }
    let WrittenTime { start, end, instant } = given(text)?;
    let (until_end, from_end) = if instant { (Included(start), Excluded(start)) } else { (Excluded(end), Included(end)) };
    Ok(match operator {
        "<" => TimeRange(Unbounded, Excluded(start)),
        "<=" => TimeRange(Unbounded, until_end),
        ">" => TimeRange(from_end, Unbounded),
        ">=" => TimeRange(Included(start), Unbounded),
        _ if start == end => TimeRange(Included(start), Included(start)),
        _ => TimeRange(Included(start), Excluded(end)),
    })
}

/// Reads a time in the past as people write it: `yesterday` and ages such as `2h` before now, a date as the start of its day
/// in UTC, RFC 3339.
pub fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    let ago = |age: SignedDuration| Some(now.checked_sub(age).unwrap_or(Timestamp::MIN));
    if text == "yesterday" {
        return ago(SignedDuration::from_hours(24));
    }
    match age(text) {
        Ok(Some(age)) => ago(age),
        Ok(None) => given(text).ok().map(|given| given.start).or_else(|| text.parse().ok()),
        Err(_) => None,
    }
}

/// Reads an age, such as `30d`; `None` when the text is not one.
fn age(text: &str) -> Result<Option<SignedDuration>, TimeError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let Some((number, unit)) = text.split_at_checked(digits).filter(|_| digits > 0) else { return Ok(None) };
    if unit.is_empty() && digits != 4 {
        return Err(TimeError::NoUnit);
    }
    let Some(&(_, seconds)) = UNITS.iter().find(|(name, _)| *name == unit) else { return Ok(None) };
    // A number that overflows is treated as the longest possible age.
    let number = number.parse::<i64>().unwrap_or(i64::MAX);
    Ok(Some(SignedDuration::from_secs(number.saturating_mul(seconds))))
}

/// A date or time as it was written: it covers the times from `start` to before `end`. A time of day is compared as the
/// instant `start`.
struct WrittenTime {
    start: Timestamp,
    end: Timestamp,
    instant: bool,
}

fn given(text: &str) -> Result<WrittenTime, TimeError> {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let whole = match shape.as_str() {
        "0000" => Some((format!("{text}-01-01"), 1.year())),
        "0000-00" => Some((format!("{text}-01"), 1.month())),
        "0000-00-00" => Some((text.to_owned(), 1.day())),
        _ => None,
    };
    if let Some((day, length)) = whole {
        let first: Date = day.parse().map_err(|_no_such_day| TimeError::NoSuchDate)?;
        let next = first.checked_add(length).unwrap_or(Date::MAX);
        return Ok(WrittenTime { start: utc(first.into()), end: utc(next.into()), instant: false });
    }
    let (day, time) = shape.split_once(['T', 't', ' ']).ok_or(TimeError::Unreadable)?;
    let length = time.find(|c| !matches!(c, '0' | ':' | '.')).unwrap_or(time.len());
    let (time, zone) = time.split_at_checked(length).ok_or(TimeError::Unreadable)?;
    let leaves_open = match time {
        "00:00" => SignedDuration::from_mins(1),
        "00:00:00" => SignedDuration::from_secs(1),
        _ if time.strip_prefix("00:00:00.").is_some_and(|fraction| !fraction.contains([':', '.'])) => SignedDuration::ZERO,
        _ => return Err(TimeError::Unreadable),
    };
    if day != "0000-00-00" || !matches!(zone, "" | "Z" | "z" | "+00:00" | "-00:00") {
        return Err(TimeError::Unreadable);
    }
    let start = if zone.is_empty() {
        text.parse::<DateTime>().map(utc).map_err(|_no_such_time| TimeError::NoSuchDate)?
    } else {
        text.parse::<Timestamp>().map_err(|_no_such_time| TimeError::NoSuchDate)?
    };
    Ok(WrittenTime { start, end: start.checked_add(leaves_open).unwrap_or(Timestamp::MAX), instant: true })
}

/// Returns the time in UTC; the last days of the calendar are beyond the last timestamp.
fn utc(time: DateTime) -> Timestamp {
    TimeZone::UTC.to_timestamp(time).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-06-15T12:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_moment_of_the_past_is_named_in_many_ways() {
        for (text, expected) in [
            ("yesterday", "2026-06-14T12:00:00Z"),
            ("2h", "2026-06-15T10:00:00Z"),
            ("3d", "2026-06-12T12:00:00Z"),
            ("2026-06-01", "2026-06-01T00:00:00Z"),
            ("2026", "2026-01-01T00:00:00Z"),
            ("2026-06-01T10:30", "2026-06-01T10:30:00Z"),
            ("2026-06-01T10:30:00Z", "2026-06-01T10:30:00Z"),
            ("2026-06-01T10:30:00+02:00", "2026-06-01T08:30:00Z"),
        ] {
            assert_eq!(moment(text, at(NOW)), Some(at(expected)), "{text}");
        }
        for text in ["", "tomorrow", "2", "2026-13-01", "h", "2h ago", "-2h"] {
            assert_eq!(moment(text, at(NOW)), None, "{text}");
        }
    }

    fn matching(operator: &str, text: &str) -> TimeRange {
        read(operator, text, at(NOW)).unwrap_or_else(|error| panic!("{operator}{text}: {error:?}"))
    }

    #[test]
    fn an_age_is_older_or_younger() {
        let then = at("2026-05-16T12:00:00Z");
        let second = SignedDuration::from_secs(1);
        for (operator, before, on, after) in
            [(">", true, false, false), (">=", true, true, false), ("<", false, false, true), ("<=", false, true, true)]
        {
            let when = matching(operator, "30d");
            let found = [then - second, then, then + second].map(|at| when.contains(at));
            assert_eq!(found, [before, on, after], "{operator}30d");
        }
        assert!(matching("<", "30d").contains(at("2030-01-01T00:00:00Z")), "the future is younger than everything");
    }

    #[test]
    fn ages_have_the_units_that_are_shown() {
        for (text, seconds) in
            [("90m", 5_400), ("2h", 7_200), ("1w", 604_800), ("1mo", 2_629_746), ("2y", 63_113_904), ("0d", 0)]
        {
            let then = at(NOW) - SignedDuration::from_secs(seconds);
            assert_eq!(matching("<=", text), TimeRange(Bound::Included(then), Bound::Unbounded), "{text}");
        }
        let shown = crate::base::clock::age(at(NOW) - SignedDuration::from_secs(63_113_904), at(NOW));
        assert_eq!(shown.as_str(), "2y");
    }

    #[test]
    fn an_age_beyond_all_time_is_one() {
        for age in ["99999999999y", "99999999999999999999999999d", "9223372036854775807y"] {
            assert!(!matching(">", age).contains(at("1970-01-01T00:00:00Z")), "{age}");
            assert!(matching("<", age).contains(at("1970-01-01T00:00:00Z")), "{age}");
        }
    }

    #[test]
    fn a_date_covers_what_it_leaves_open() {
        for (text, first, after) in [
            ("2024", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("2024-12", "2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2024-06-01T10:30", "2024-06-01T10:30:00Z", "2024-06-01T10:31:00Z"),
            ("2024-06-01 10:30:05", "2024-06-01T10:30:05Z", "2024-06-01T10:30:06Z"),
            ("2024-06-01t10:30:05z", "2024-06-01T10:30:05Z", "2024-06-01T10:30:06Z"),
            ("2024-06-01T10:30:05+02:00", "2024-06-01T08:30:05Z", "2024-06-01T08:30:06Z"),
        ] {
            let nano = SignedDuration::from_nanos(1);
            let moments = [at(first) - nano, at(first), at(after) - nano, at(after)];
            let found = |operator| moments.map(|at| matching(operator, text).contains(at));
            assert_eq!(found(""), [false, true, true, false], "{text}");
            assert_eq!(found("<"), [true, false, false, false], "<{text}");
            assert_eq!(found(">="), [false, true, true, true], ">={text}");
            // A time of day is an instant: what comes later in its second comes later.
            let time = text.len() > 10;
            assert_eq!(found("<="), [true, true, !time, false], "<={text}");
            assert_eq!(found(">"), [false, false, time, true], ">{text}");
        }
        let exact = "2024-06-01T10:30:05.250Z";
        assert_eq!(matching("", exact), TimeRange(Bound::Included(at(exact)), Bound::Included(at(exact))));
    }

    #[test]
    fn the_ends_of_the_calendar_are_no_error() {
        assert!(matching("", "9999").contains(at("9999-05-01T00:00:00Z")));
        assert!(!matching(">", "9999-12-31").contains(at("9999-05-01T00:00:00Z")));
        assert!(matching(">", "0000").contains(at("1970-01-01T00:00:00Z")));
    }

    #[test]
    fn what_is_no_moment_says_why() {
        for (operator, text, why) in [
            ("", "30d", TimeError::BareAge),
            (">", "30", TimeError::NoUnit),
            (">", "20240601", TimeError::NoUnit),
            (">", "30D", TimeError::Unreadable),
            (">", "1.5d", TimeError::Unreadable),
            (">", "-3d", TimeError::Unreadable),
            (">", "1d12h", TimeError::Unreadable),
            ("", "yesterday", TimeError::Unreadable),
            ("", "2024-6-1", TimeError::Unreadable),
            ("", "2024-13", TimeError::NoSuchDate),
            ("", "2023-02-29", TimeError::NoSuchDate),
            ("", "2024-06-01T25:00", TimeError::NoSuchDate),
            ("", "2024-06-01T10", TimeError::Unreadable),
            ("", "2024-06-01T10:00:00.", TimeError::NoSuchDate),
            ("", "2024-06-01T10:00+99:99", TimeError::NoSuchDate),
            ("", "2024-06-01T10:00Z[Europe/Paris]", TimeError::Unreadable),
            ("", "٢٠٢٤", TimeError::Unreadable),
        ] {
            assert_eq!(read(operator, text, at(NOW)), Err(why), "{operator}{text}");
        }
    }
}
