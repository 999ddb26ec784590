//! A decoded webhook, for code that inspects a single one.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::fields::{CreatedAt, Destination, EventEntry, EventName, Field, WebhookId};
use super::json::{Json, RawFields, TooDeep, raw_array, text_of};
use crate::base::text::Untrusted;

/// The names of the creation time in the vendor's documentation; the contract's comes first.
const CREATED_AT: [&str; 2] = ["created_at", "createdAt"];

/// One webhook subscription of a workspace.
///
/// Serializes in the contract's order (`id`, `url`, `events`, `is_active`, `created_at`), followed by the fields that the
/// contract does not have, verbatim. A signing secret is dropped before a webhook is made.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub url: Destination,
    pub events: Field<Vec<EventEntry>>,
    pub is_active: Field<bool>,
    pub created_at: Field<CreatedAt>,
    /// Fields that the contract does not have, in the order received.
    pub unknown: Vec<(Untrusted, Json)>,
}

impl Webhook {
    /// The events that it is subscribed to, without entries that are not strings.
    pub fn event_names(&self) -> impl Iterator<Item = &EventName> {
        self.events.value().into_iter().flatten().filter_map(|entry| match entry {
            EventEntry::Name(name) => Some(name),
            EventEntry::Odd(_) => None,
        })
    }

    /// The `is_active` field; `None` if it is missing or not a boolean.
    pub fn active(&self) -> Option<bool> {
        self.is_active.value().copied()
    }

    /// Decodes an element of a listing; the inner error is why it is not a valid webhook.
    ///
    /// # Errors
    ///
    /// The element is nested too deeply.
    pub fn decode(raw: &RawValue) -> Result<Result<Self, MalformedReason>, TooDeep> {
        RawFields::of(raw).map_or(Ok(Err(MalformedReason::NotAnObject)), |fields| Self::of_fields(&fields))
    }

    /// As [`Webhook::decode`], from JSON that was decoded before.
    pub(super) fn decode_text(json: &str) -> Result<Self, MalformedReason> {
        let raw: &RawValue = serde_json::from_str(json).map_err(|_not_json| MalformedReason::NotAnObject)?;
        Self::decode(raw).unwrap_or(Err(MalformedReason::NotAnObject))
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("id", &self.id).field("url", &self.url.clean(false)).finish_non_exhaustive()
    }
}

impl Webhook {
    /// Serializes its fields into a JSON object: the contract's, then the wanted ones of the others.
    pub fn serialize_fields<M: SerializeMap>(&self, map: &mut M, wanted: impl Fn(&str) -> bool) -> Result<(), M::Error> {
        map.serialize_entry("id", self.id.raw())?;
        map.serialize_entry("url", self.url.raw())?;
        match &self.events {
            Field::Missing => {}
            Field::Value(events) => map.serialize_entry("events", events)?,
            Field::Odd(json) => map.serialize_entry("events", json)?,
        }
        match &self.is_active {
            Field::Missing => {}
            Field::Value(active) => map.serialize_entry("is_active", active)?,
            Field::Odd(json) => map.serialize_entry("is_active", json)?,
        }
        match &self.created_at {
            Field::Missing => {}
            Field::Value(created) => map.serialize_entry("created_at", created.raw())?,
            Field::Odd(json) => map.serialize_entry("created_at", json)?,
        }
        for (name, value) in self.unknown.iter().filter(|(name, _)| wanted(name.raw())) {
            map.serialize_entry(name.raw(), value)?;
        }
        Ok(())
    }
}

impl Serialize for Webhook {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_fields(&mut map, |_| true)?;
        map.end()
    }
}

/// Why a row is not a valid webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedReason {
    NotAnObject,
    NoId,
    NoUrl,
}

impl MalformedReason {
    pub const fn explain(self) -> &'static str {
        match self {
            Self::NotAnObject => "not an object",
            Self::NoId => "id missing or not a string",
            Self::NoUrl => "url missing or not a string",
        }
    }
}

impl Webhook {
    fn of_fields(fields: &RawFields<'_>) -> Result<Result<Self, MalformedReason>, TooDeep> {
        let Some(id) = fields.get("id").and_then(text_of) else { return Ok(Err(MalformedReason::NoId)) };
        let Some(url) = fields.get("url").and_then(text_of) else { return Ok(Err(MalformedReason::NoUrl)) };
        let created_name = created_name(fields);
        let mut unknown = Vec::new();
        for (name, value) in unknown_fields(fields) {
            unknown.push((Untrusted::from(name), Json::new(value)?));
        }
        Ok(Ok(Self {
            id: WebhookId::new(&id),
            url: Destination::new(&url),
            events: field(fields.get("events"), events)?,
            is_active: field(fields.get("is_active"), |raw| Ok(raw.get().parse().ok()))?,
            created_at: field(created_name.and_then(|name| fields.get(name)), |raw| {
                Ok(text_of(raw).map(|text| CreatedAt::new(&text)))
            })?,
            unknown,
        }))
    }
}

/// The name of an object's creation time.
fn created_name(fields: &RawFields<'_>) -> Option<&'static str> {
    CREATED_AT.into_iter().find(|name| fields.get(name).is_some())
}

/// The fields that the contract does not have, in the order received.
fn unknown_fields<'a>(fields: &'a RawFields<'_>) -> impl Iterator<Item = (&'a str, &'a RawValue)> {
    let created_name = created_name(fields);
    fields.iter().filter(move |(name, _)| {
        !matches!(*name, "id" | "url" | "events" | "is_active" | "secret") && Some(*name) != created_name
    })
}

/// A field of its contract type, or as received.
fn field<'a, T>(
    raw: Option<&'a RawValue>,
    read: impl FnOnce(&'a RawValue) -> Result<Option<T>, TooDeep>,
) -> Result<Field<T>, TooDeep> {
    let Some(raw) = raw else { return Ok(Field::Missing) };
    Ok(match read(raw)? {
        Some(value) => Field::Value(value),
        None => Field::Odd(Json::new(raw)?),
    })
}

fn events(raw: &RawValue) -> Result<Option<Vec<EventEntry>>, TooDeep> {
    let Some(elements) = raw_array(raw) else { return Ok(None) };
    let entry = |element| match text_of(element) {
        Some(name) => Ok(EventEntry::Name(EventName::new(&name))),
        None => Json::new(element).map(EventEntry::Odd),
    };
    elements.into_iter().map(entry).collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Webhook {
        Webhook::decode_text(text).unwrap()
    }

    #[test]
    fn a_webhook_round_trips_with_its_unknown_fields() {
        let text = r#"{"id":"a","url":"https://x.com","events":["e"],"is_active":true,"created_at":"2024-03-01T10:00:00.000Z","n":1000000000000000000000000000000}"#;
        assert_eq!(serde_json::to_string(&decode(text)).unwrap(), text);
    }

    #[test]
    fn the_signing_secret_is_dropped_and_created_at_gets_its_contract_name() {
        let webhook = decode(r#"{"id":"a","url":"u","createdAt":"2024-03-01T10:00:00.000Z","secret":"********"}"#);
        let json = serde_json::to_string(&webhook).unwrap();
        assert_eq!(json, r#"{"id":"a","url":"u","created_at":"2024-03-01T10:00:00.000Z"}"#);
        assert!(webhook.created_at.value().unwrap().at().is_some());
    }

    #[test]
    fn wrong_types_are_kept_as_received() {
        let text = r#"{"id":"a","url":"u","events":[1,null,"x"],"is_active":"true","created_at":1711958400}"#;
        let webhook = decode(text);
        assert_eq!(webhook.active(), None);
        assert!(matches!(webhook.is_active, Field::Odd(_)));
        assert_eq!(webhook.event_names().count(), 1);
        assert_eq!(serde_json::to_string(&webhook).unwrap(), text);
    }

    #[test]
    fn rows_without_id_or_url_are_malformed() {
        for (text, reason) in [
            ("null", MalformedReason::NotAnObject),
            ("[1]", MalformedReason::NotAnObject),
            ("{}", MalformedReason::NoId),
            (r#"{"id":5,"url":"u"}"#, MalformedReason::NoId),
            (r#"{"id":"a","url":null}"#, MalformedReason::NoUrl),
        ] {
            assert_eq!(Webhook::decode_text(text).unwrap_err(), reason, "{text}");
        }
    }
}
