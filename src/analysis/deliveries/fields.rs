//! The fields of a row: under which names they come, and what their values mean. A file of any format is a table of texts
//! here.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Attempt, Key};
use crate::safe;
use crate::text::{Safe, clean_head};

/// What a file must have, for messages.
pub const EXPECTED: &str = "webhook_id or url, and is_success or response_status (optional: error_message, \
                            retry_attempt, parent_delivery_id, and a time such as created_at)";

/// The fields that mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Id,
    Url,
    Success,
    Status,
    Error,
    Retry,
    Parent,
    Time,
}

/// Names of fields, letters and digits alone. Those of api.md come first; the others are what exports call them.
const NAMES: [(Field, &[&str]); 8] = [
    (Field::Id, &["webhookid", "subscriptionid"]),
    (Field::Url, &["url", "webhookurl", "destination", "destinationurl", "endpoint", "targeturl", "requesturl"]),
    (Field::Success, &["issuccess", "success", "succeeded", "successful"]),
    (Field::Status, &["responsestatus", "statuscode", "httpstatus", "responsecode", "responsestatuscode", "httpstatuscode"]),
    (Field::Error, &["errormessage", "error"]),
    (Field::Retry, &["retryattempt", "retry", "retrycount"]),
    (Field::Parent, &["parentdeliveryid"]),
    (
        Field::Time,
        &[
            "deliveredat",
            "deliverytime",
            "createdat",
            "timestamp",
            "sentat",
            "attemptedat",
            "deliverytimestamp",
            "time",
            "date",
        ],
    ),
];

impl Field {
    /// The field that a column or a key is; letter case and what stands between words do not matter.
    pub fn named(name: &str) -> Option<Self> {
        // Longer than every name: a value that stands where a name should.
        if name.len() > 64 {
            return None;
        }
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        NAMES.into_iter().find(|(_, names)| names.contains(&letters.as_str())).map(|(field, _)| field)
    }

    /// How messages call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Id => "webhook_id",
            Self::Url => "url",
            Self::Success => "is_success",
            Self::Status => "response_status",
            Self::Error => "error_message",
            Self::Retry => "retry_attempt",
            Self::Parent => "parent_delivery_id",
            Self::Time => "created_at",
        }
    }

    /// Whether rows with these fields can be joined and judged at all.
    pub fn suffice(fields: &[Self]) -> bool {
        let any = |wanted: &[Self]| wanted.iter().any(|field| fields.contains(field));
        any(&[Self::Id, Self::Url]) && any(&[Self::Success, Self::Status])
    }
}

/// Why a row cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    TooLong,
    /// A quote that is opened and not closed.
    Quote,
    NoJson(Safe),
    NoObject,
    /// Of a CSV row, and of the header.
    Fields {
        has: usize,
        header: usize,
    },
    NoWebhook,
    NoOutcome,
    Odd(Field, Safe),
    /// Something stands behind the end of the array.
    Behind,
}

impl Reason {
    /// In words.
    pub fn explain(&self) -> Safe {
        match self {
            Self::TooLong => "longer than 1 MiB".into(),
            Self::Quote => "missing closing quote".into(),
            Self::NoJson(why) => safe!("not valid JSON: {}", why),
            Self::NoObject => "not an object".into(),
            Self::Fields { has, header } => safe!("{} fields, but the header has {}", has, header),
            Self::NoWebhook => "neither webhook_id nor url".into(),
            Self::NoOutcome => "neither is_success nor response_status".into(),
            Self::Odd(field, value) => safe!("{} is {}", field.name(), value),
            Self::Behind => "text after the end of the array".into(),
        }
    }
}

/// The values of one row, as texts. A field that is missing, null or empty has none.
#[derive(Debug, Default, Clone)]
pub struct Values<'a>([Option<Cow<'a, str>>; NAMES.len()]);

impl<'a> Values<'a> {
    /// Sets a value. Of two columns for the same field the first one that has a value counts.
    pub fn set(&mut self, field: Field, value: Cow<'a, str>) {
        let is_empty = value.trim().is_empty();
        if let Some(place) = self.0.get_mut(field as usize).filter(|place| place.is_none() && !is_empty) {
            *place = Some(value);
        }
    }

    fn get(&self, field: Field) -> Option<&str> {
        self.0.get(field as usize)?.as_deref().map(str::trim)
    }

    /// What the row says.
    ///
    /// # Errors
    ///
    /// Why it cannot be used.
    pub fn attempt(&self) -> Result<Attempt<'_>, Reason> {
        let by_id = self.get(Field::Id).map(Key::Id);
        let webhook = by_id.or_else(|| self.get(Field::Url).map(Key::Url)).ok_or(Reason::NoWebhook)?;
        let odd = |field: Field, text: &str| Reason::Odd(field, clean_head(text, 40));
        let status = self.get(Field::Status).map(|text| status(text).map_err(|_none| odd(Field::Status, text)));
        let error = self.get(Field::Error);
        let is_success = match (self.get(Field::Success), &status) {
            (Some(text), _) => truth(text).ok_or_else(|| odd(Field::Success, text))?,
            (None, Some(Ok(status))) => status.is_some_and(|status| (200..300).contains(&status)),
            (None, Some(Err(why))) => return Err(why.clone()),
            // Nothing was answered, and why is told.
            (None, None) if error.is_some() => false,
            (None, None) => return Err(Reason::NoOutcome),
        };
        let retries = self.get(Field::Retry).is_some_and(|text| !matches!(text, "0" | "0.0") && truth(text) != Some(false));
        Ok(Attempt {
            webhook,
            is_success,
            is_retry: retries || self.get(Field::Parent).is_some(),
            status: status.and_then(Result::ok).flatten(),
            error,
            at: self.get(Field::Time).and_then(moment),
        })
    }
}

/// The text is no status.
struct NoStatus;

/// A status; `None` when it says that nothing was answered.
fn status(text: &str) -> Result<Option<u16>, NoStatus> {
    let digits = text.strip_suffix(".0").unwrap_or(text);
    match digits.parse() {
        Ok(0) => Ok(None),
        Ok(status @ 100..=999) => Ok(Some(status)),
        _ => Err(NoStatus),
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" | "success" | "succeeded" | "delivered" | "ok" => Some(true),
        "false" | "f" | "no" | "n" | "0" | "failure" | "failed" | "error" => Some(false),
        _ => None,
    }
}

/// RFC 3339; the same without a zone, which then is UTC; seconds or milliseconds since 1970.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<i64>() {
        let milliseconds = if number.unsigned_abs() < 100_000_000_000 { number.checked_mul(1000)? } else { number };
        return Timestamp::from_millisecond(milliseconds).ok();
    }
    let zoned = text.parse().ok();
    zoned.or_else(|| TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values<'a>(fields: &[(&str, &'a str)]) -> Values<'a> {
        let mut values = Values::default();
        for (name, value) in fields {
            values.set(Field::named(name).unwrap(), Cow::Borrowed(*value));
        }
        values
    }

    #[test]
    fn every_field_has_its_place() {
        for (place, (field, names)) in NAMES.into_iter().enumerate() {
            assert_eq!(field as usize, place);
            assert_eq!(Field::named(field.name()), Some(field));
            for name in names {
                assert_eq!(Field::named(name), Some(field), "{name}");
            }
        }
    }

    #[test]
    fn names_are_known_however_they_are_spelled() {
        for (name, field) in [
            ("webhook_id", Some(Field::Id)),
            ("Webhook ID", Some(Field::Id)),
            ("responseStatus", Some(Field::Status)),
            ("IS-SUCCESS", Some(Field::Success)),
            ("call_id", None),
            ("", None),
        ] {
            assert_eq!(Field::named(name), field, "{name}");
        }
        assert!(Field::suffice(&[Field::Url, Field::Status]));
        assert!(!Field::suffice(&[Field::Url, Field::Id, Field::Error]));
        assert!(!Field::suffice(&[Field::Success, Field::Status]));
    }

    #[test]
    fn a_row_says_how_an_attempt_ended() {
        for (fields, is_success, status) in [
            (&[("is_success", "true"), ("response_status", "200")][..], true, Some(200)),
            (&[("is_success", "1"), ("response_status", "503")], true, Some(503)),
            (&[("is_success", "False")], false, None),
            (&[("response_status", " 204 ")], true, Some(204)),
            (&[("response_status", "200.0")], true, Some(200)),
            (&[("response_status", "302")], false, Some(302)),
            (&[("response_status", "0")], false, None),
            (&[("is_success", "no"), ("response_status", "none")], false, None),
            (&[("error_message", "timed out")], false, None),
        ] {
            let values = values(&[&[("webhook_id", "a")], fields].concat());
            let attempt = values.attempt().unwrap();
            assert_eq!((attempt.is_success, attempt.status), (is_success, status), "{fields:?}");
        }
    }

    #[test]
    fn a_row_that_says_too_little_has_a_reason() {
        for (fields, reason) in [
            (&[("is_success", "true")][..], "neither webhook_id nor url"),
            (&[("url", "https://a.example")], "neither is_success nor response_status"),
            (&[("webhook_id", " "), ("is_success", "1")], "neither webhook_id nor url"),
            (&[("webhook_id", "a"), ("is_success", "per\u{1b}haps")], "is_success is per^[haps"),
            (&[("webhook_id", "a"), ("response_status", "99999")], "response_status is 99999"),
        ] {
            assert_eq!(values(fields).attempt().unwrap_err().explain().as_str(), reason);
        }
    }

    #[test]
    fn retries_are_told_by_their_number_or_their_parent() {
        let is_retry = |fields: &[(&str, &str)]| {
            values(&[&[("url", "https://a.example"), ("is_success", "1")], fields].concat()).attempt().unwrap().is_retry
        };
        assert!(!is_retry(&[]));
        assert!(!is_retry(&[("retry_attempt", "0"), ("parent_delivery_id", "")]));
        assert!(is_retry(&[("retry_attempt", "2")]));
        assert!(is_retry(&[("retry_attempt", "0"), ("parent_delivery_id", "d1")]));
    }

    #[test]
    fn times_come_in_several_spellings() {
        let expected: Timestamp = "2024-03-01T10:00:00Z".parse().unwrap();
        for text in [
            "2024-03-01T10:00:00.000Z",
            "2024-03-01T12:00:00+02:00",
            "2024-03-01 10:00:00",
            "2024-03-01T10:00:00",
            "1709287200",
            "1709287200000",
        ] {
            assert_eq!(moment(text), Some(expected), "{text}");
        }
        for text in ["yesterday", "9223372036854775807", "-9223372036854775808", "99999999999999999999"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_row(id in ".{0,8}", success in ".{0,8}", status in "[0-9.e+-]{0,8}", time in "[0-9TZ:. -]{0,24}") {
            let mut values = Values::default();
            for (field, text) in [(Field::Id, &id), (Field::Success, &success), (Field::Status, &status), (Field::Time, &time)] {
                values.set(field, Cow::Borrowed(text));
            }
            match values.attempt() {
                Ok(attempt) => prop_assert_eq!(attempt.webhook, Key::Id(id.trim())),
                Err(reason) => prop_assert!(!reason.explain().is_empty()),
            }
        }
    }
}
