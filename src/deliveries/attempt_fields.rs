//! The fields of a delivery attempt: the names under which exports have them, and how their values are read. Uses the
//! tally's types and the text gate. Start at [`AttemptFields::attempt`].

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::analysis::deliveries::{DeliveryAttempt, WebhookKey};
use crate::base::text::{Safe, clean_head};
use crate::safe;

/// The fields that an export must have, for messages.
pub(super) const EXPECTED_FIELDS: &str = "webhook_id or url, and is_success or response_status (optional: error_message, \
                                          retry_attempt, parent_delivery_id, and a time such as created_at)";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttemptField {
    Id,
    Url,
    Success,
    Status,
    Error,
    Retry,
    Parent,
    Time,
}

impl AttemptField {
    /// Returns the field with the name of a column or key, in any letter case and with any separators between words.
    pub(super) fn named(name: &str) -> Option<Self> {
        // Longer than every name, so it is a value in place of a name.
        if name.len() > 64 {
            return None;
        }
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        // The first name of each field is the vendor's; the others are common in exports.
        Some(match letters.as_str() {
            "webhookid" | "subscriptionid" => Self::Id,
            "url" | "webhookurl" | "destination" | "destinationurl" | "endpoint" | "targeturl" | "requesturl" => Self::Url,
            "issuccess" | "success" | "succeeded" | "successful" => Self::Success,
            "responsestatus" | "statuscode" | "httpstatus" | "responsecode" | "responsestatuscode" | "httpstatuscode" => {
                Self::Status
            }
            "errormessage" | "error" => Self::Error,
            "retryattempt" | "retry" | "retrycount" => Self::Retry,
            "parentdeliveryid" => Self::Parent,
            "deliveredat" | "deliverytime" | "createdat" | "timestamp" | "sentat" | "attemptedat" | "deliverytimestamp"
            | "time" | "date" => Self::Time,
            _ => return None,
        })
    }

    /// Returns true if rows with these fields have a webhook and a result.
    pub(super) fn suffice(fields: &[Option<Self>]) -> bool {
        let has = |field| fields.contains(&Some(field));
        (has(Self::Id) || has(Self::Url)) && (has(Self::Success) || has(Self::Status))
    }
}

/// The values of one row, as text. A field that is missing, null or blank has none.
#[derive(Debug, Default, Clone)]
pub(super) struct AttemptFields<'a>(Vec<(AttemptField, Cow<'a, str>)>);

impl<'a> AttemptFields<'a> {
    /// Sets a value. Of several columns for the same field, the first with a value counts.
    pub(super) fn set(&mut self, field: AttemptField, value: Cow<'a, str>) {
        if !value.trim().is_empty() && self.get(field).is_none() {
            self.0.push((field, value));
        }
    }

    fn get(&self, field: AttemptField) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == field).map(|(_, value)| value.trim())
    }

    /// Reads the values.
    ///
    /// # Errors
    ///
    /// The row is malformed, with the reason.
    pub(super) fn attempt(&self) -> Result<DeliveryAttempt<'_>, Safe> {
        let by_id = self.get(AttemptField::Id).map(WebhookKey::Id);
        let by_url = || self.get(AttemptField::Url).map(WebhookKey::Url);
        let webhook = by_id.or_else(by_url).ok_or("neither webhook_id nor url")?;
        let status = self.get(AttemptField::Status).map(|text| (text, parse_status(text)));
        let error = self.get(AttemptField::Error);
        let is_success = match (self.get(AttemptField::Success), status) {
            (Some(text), _) => parse_bool(text).ok_or_else(|| safe!("is_success is {}", clean_head(text, 40)))?,
            (None, Some((_, Some(status)))) => (200..300).contains(&status),
            (None, Some((text, None))) => return Err(safe!("response_status is {}", clean_head(text, 40))),
            // An error without a response.
            (None, None) if error.is_some() => false,
            (None, None) => return Err("neither is_success nor response_status".into()),
        };
        let is_retry = |text: &str| !matches!(text, "0" | "0.0") && parse_bool(text) != Some(false);
        Ok(DeliveryAttempt {
            webhook,
            is_success,
            is_retry: self.get(AttemptField::Retry).is_some_and(is_retry) || self.get(AttemptField::Parent).is_some(),
            status: status.and_then(|(_, status)| status).filter(|status| *status != 0),
            error,
            at: self.get(AttemptField::Time).and_then(parse_time),
        })
    }
}

/// Parses a status; 0 is one without a response.
fn parse_status(text: &str) -> Option<u16> {
    let digits = text.strip_suffix(".0").unwrap_or(text);
    digits.parse().ok().filter(|status| matches!(status, 0 | 100..=999))
}

fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" | "success" | "succeeded" | "delivered" | "ok" => Some(true),
        "false" | "f" | "no" | "n" | "0" | "failure" | "failed" | "error" => Some(false),
        _ => None,
    }
}

/// Parses a time: RFC 3339, the same without a zone (UTC), or seconds or milliseconds since 1970.
fn parse_time(text: &str) -> Option<Timestamp> {
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

    fn values<'a>(fields: &[(&str, &'a str)]) -> AttemptFields<'a> {
        let mut values = AttemptFields::default();
        for (name, value) in fields {
            values.set(AttemptField::named(name).unwrap(), Cow::Borrowed(*value));
        }
        values
    }

    #[test]
    fn names_are_known_however_they_are_spelled() {
        for (name, field) in [
            ("webhook_id", Some(AttemptField::Id)),
            ("Webhook ID", Some(AttemptField::Id)),
            ("responseStatus", Some(AttemptField::Status)),
            ("IS-SUCCESS", Some(AttemptField::Success)),
            ("call_id", None),
            ("", None),
        ] {
            assert_eq!(AttemptField::named(name), field, "{name}");
        }
        assert!(AttemptField::suffice(&[Some(AttemptField::Url), None, Some(AttemptField::Status)]));
        assert!(!AttemptField::suffice(&[Some(AttemptField::Url), Some(AttemptField::Id), Some(AttemptField::Error)]));
        assert!(!AttemptField::suffice(&[Some(AttemptField::Success), Some(AttemptField::Status)]));
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
            assert_eq!(values(fields).attempt().unwrap_err().as_str(), reason);
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
            assert_eq!(parse_time(text), Some(expected), "{text}");
        }
        for text in ["yesterday", "9223372036854775807", "-9223372036854775808", "99999999999999999999"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_row(id in ".{0,8}", success in ".{0,8}", status in "[0-9.e+-]{0,8}", time in "[0-9TZ:. -]{0,24}") {
            let mut values = AttemptFields::default();
            for (field, text) in [(AttemptField::Id, &id), (AttemptField::Success, &success), (AttemptField::Status, &status), (AttemptField::Time, &time)] {
                values.set(field, Cow::Borrowed(text));
            }
            match values.attempt() {
                Ok(attempt) => prop_assert_eq!(attempt.webhook, WebhookKey::Id(id.trim())),
                Err(reason) => prop_assert!(!reason.is_empty()),
            }
        }
    }
}
