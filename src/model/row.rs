//! One row of a page: a webhook, or something that cannot be used as one and is shown all the same.

use std::hash::{Hash as _, Hasher};

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::json::{Json, RawFields, TooDeep, raw_array, text_of};
use super::{CreatedAt, Destination, EventEntry, EventName, Field, Webhook, WebhookId};
use crate::base::text::{Safe, Untrusted};

/// The names under which the vendor's material has the time of creation; the contract's comes first.
const CREATED_AT: [&str; 2] = ["created_at", "createdAt"];

/// One row as the API sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    Webhook(Webhook),
    Malformed(Malformed),
}

/// A row without a usable id or URL. It is counted and shown, never dropped in silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What the API sent, less `secret`.
    pub json: Json,
    pub reason: Reason,
}

/// Why a row cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    NoObject,
    NoId,
    NoUrl,
}

impl Reason {
    pub const fn explain(self) -> &'static str {
        match self {
            Self::NoObject => "not an object",
            Self::NoId => "id missing or not a string",
            Self::NoUrl => "url missing or not a string",
        }
    }
}

/// One element of a page, with as much of it as its reader needs: a [`Row`] for all of it, a [`Line`](super::Line) for what is
/// passed on.
pub trait Element: Sized + Send + 'static {
    /// Reads the members of an object; the inner error is why it cannot be used as a webhook.
    fn of_fields(fields: &RawFields<'_>) -> Result<Result<Self, Reason>, TooDeep>;

    /// Reads an object that is nothing but a webhook. Whatever is odd about it may be an error: then it is decoded again, with
    /// more patience.
    fn read_plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Self::of_fields(&RawFields::deserialize(deserializer)?) {
            Ok(Ok(element)) => Ok(element),
            Ok(Err(_)) | Err(_) => Err(D::Error::custom("not a webhook")),
        }
    }

    fn of_malformed(malformed: Malformed) -> Self;

    fn of_row(row: Row) -> Self;

    /// The true id; `None` for what is no webhook.
    fn id_text(&self) -> Option<&str>;

    /// Whether it delivers, as far as the API said so.
    fn active(&self) -> Option<bool>;

    /// Reads one element of a page. Unusable ones become [`Malformed`]; only absurd nesting is an error.
    fn decode(raw: &RawValue) -> Result<Self, TooDeep> {
        let reason = match RawFields::of(raw) {
            None => Reason::NoObject,
            Some(fields) => match Self::of_fields(&fields)? {
                Ok(element) => return Ok(element),
                Err(reason) => reason,
            },
        };
        Json::new(raw).map(|json| Self::of_malformed(Malformed { json, reason }))
    }
}

/// A row that can be compared with a second reading of it.
pub trait HashContract {
    fn is_webhook(&self) -> bool;

    /// Hashes the fields of the contract, or all of what is not a webhook. Other fields may be different each time.
    fn hash_contract(&self, hasher: &mut impl Hasher);
}

/// The rows of a page, kept the way that their reader needs them.
pub trait Elements: Default + Send + 'static {
    /// See [`Element::read_plain`].
    fn read_plain<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error>;

    /// See [`Element::decode`].
    fn decode(&mut self, raw: &RawValue) -> Result<(), TooDeep>;

    fn push_row(&mut self, row: Row);

    fn count(&self) -> usize;
}

impl<E: Element> Elements for Vec<E> {
    fn read_plain<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        self.push(E::read_plain(deserializer)?);
        Ok(())
    }

    fn decode(&mut self, raw: &RawValue) -> Result<(), TooDeep> {
        self.push(E::decode(raw)?);
        Ok(())
    }

    fn push_row(&mut self, row: Row) {
        self.push(E::of_row(row));
    }

    fn count(&self) -> usize {
        self.len()
    }
}

impl Element for Row {
    fn of_fields(fields: &RawFields<'_>) -> Result<Result<Self, Reason>, TooDeep> {
        Ok(Webhook::of_fields(fields)?.map(Self::Webhook))
    }

    fn of_malformed(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }

    fn of_row(row: Row) -> Self {
        row
    }

    fn id_text(&self) -> Option<&str> {
        self.id().map(WebhookId::raw)
    }

    fn active(&self) -> Option<bool> {
        self.webhook().and_then(Webhook::active)
    }
}

impl<T: HashContract> HashContract for &T {
    fn is_webhook(&self) -> bool {
        (**self).is_webhook()
    }

    fn hash_contract(&self, hasher: &mut impl Hasher) {
        (**self).hash_contract(hasher);
    }
}

impl HashContract for Row {
    fn is_webhook(&self) -> bool {
        self.webhook().is_some()
    }

    fn hash_contract(&self, hasher: &mut impl Hasher) {
        match self {
            Self::Webhook(webhook) => {
                (webhook.id.raw(), webhook.url.raw(), webhook.active()).hash(hasher);
                webhook.event_names().for_each(|name| name.raw().hash(hasher));
                webhook.created_at.value().map(CreatedAt::raw).hash(hasher);
            }
            Self::Malformed(malformed) => malformed.json.raw().hash(hasher),
        }
    }
}

impl Row {
    pub fn webhook(&self) -> Option<&Webhook> {
        match self {
            Self::Webhook(webhook) => Some(webhook),
            Self::Malformed(_) => None,
        }
    }

    pub fn id(&self) -> Option<&WebhookId> {
        self.webhook().map(|webhook| &webhook.id)
    }

    /// See [`Element::decode`].
    pub fn decode(raw: &RawValue) -> Result<Self, TooDeep> {
        Element::decode(raw)
    }

    /// The row as JSON in one line, in the form that is the same whenever the webhook is: the contract's fields in its order,
    /// then the others by name.
    pub fn canonical_json(&self) -> String {
        let text = match self {
            Self::Webhook(webhook) if !webhook.unknown.is_sorted_by_key(|(name, _)| name) => {
                let mut webhook = webhook.clone();
                // The API may send them in any order.
                webhook.unknown.sort_by(|(name, _), (other, _)| name.cmp(other));
                serde_json::to_string(&webhook)
            }
            row => serde_json::to_string(row),
        };
        text.unwrap_or_default()
    }

    /// The row as indented JSON for people, a line a string.
    pub fn pretty_json(&self, reveal: bool) -> Vec<Safe> {
        match self {
            Self::Webhook(webhook) => webhook.pretty_json(reveal),
            Self::Malformed(malformed) => malformed.json.pretty(reveal),
        }
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Webhook(webhook) => webhook.serialize(serializer),
            Self::Malformed(malformed) => malformed.json.serialize(serializer),
        }
    }
}

impl Webhook {
    /// Reads the members of an object; the inner error is why it cannot be used as a webhook.
    fn of_fields(fields: &RawFields<'_>) -> Result<Result<Self, Reason>, TooDeep> {
        let Some(id) = fields.get("id").and_then(text_of) else { return Ok(Err(Reason::NoId)) };
        let Some(url) = fields.get("url").and_then(text_of) else { return Ok(Err(Reason::NoUrl)) };
        let created_name = created_name(fields);
        let mut unknown = Vec::new();
        for (name, value) in unknown_fields(fields) {
            unknown.push((Untrusted::from(name), Json::new(value)?));
        }
        Ok(Ok(Self {
            id: WebhookId::new(&id),
            url: Destination::new(&url),
            events: field(fields.get("events"), events)?,
            is_active: field(fields.get("is_active"), |raw| Ok(boolean(raw)))?,
            created_at: field(created_name.and_then(|name| fields.get(name)), |raw| {
                Ok(text_of(raw).map(|text| CreatedAt::new(&text)))
            })?,
            unknown,
        }))
    }
}

/// The name under which an object has its time of creation.
pub(super) fn created_name(fields: &RawFields<'_>) -> Option<&'static str> {
    CREATED_AT.into_iter().find(|name| fields.get(name).is_some())
}

/// The fields that the contract does not have, in the order they came.
pub(super) fn unknown_fields<'a>(fields: &'a RawFields<'_>) -> impl Iterator<Item = (&'a str, &'a RawValue)> {
    let created_name = created_name(fields);
    fields.iter().filter(move |(name, _)| {
        !matches!(*name, "id" | "url" | "events" | "is_active" | "secret") && Some(*name) != created_name
    })
}

pub(super) fn boolean(raw: &RawValue) -> Option<bool> {
    raw.get().parse().ok()
}

/// A field by its contract type, or as it came.
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

    fn decode(text: &str) -> Row {
        Row::decode(&RawValue::from_string(text.to_owned()).unwrap()).unwrap()
    }

    #[test]
    fn a_webhook_round_trips_with_its_unknown_fields() {
        let text = r#"{"id":"a","url":"https://x.com","events":["e"],"is_active":true,"created_at":"2024-03-01T10:00:00.000Z","n":1000000000000000000000000000000}"#;
        assert_eq!(serde_json::to_string(&decode(text)).unwrap(), text);
    }

    #[test]
    fn the_signing_secret_is_dropped_and_created_at_gets_its_contract_name() {
        let row = decode(r#"{"id":"a","url":"u","createdAt":"2024-03-01T10:00:00.000Z","secret":"********"}"#);
        assert_eq!(serde_json::to_string(&row).unwrap(), r#"{"id":"a","url":"u","created_at":"2024-03-01T10:00:00.000Z"}"#);
        assert!(row.webhook().unwrap().created_at.value().unwrap().at().is_some());
    }

    #[test]
    fn wrong_types_are_kept_as_they_came() {
        let text = r#"{"id":"a","url":"u","events":[1,null,"x"],"is_active":"true","created_at":1711958400}"#;
        let row = decode(text);
        let webhook = row.webhook().unwrap();
        assert_eq!(webhook.active(), None);
        assert!(matches!(webhook.is_active, Field::Odd(_)));
        assert_eq!(webhook.event_names().count(), 1);
        assert_eq!(serde_json::to_string(&row).unwrap(), text);
    }

    #[test]
    fn rows_without_id_or_url_are_malformed_not_lost() {
        for (text, reason) in [
            ("null", Reason::NoObject),
            ("[1]", Reason::NoObject),
            ("{}", Reason::NoId),
            (r#"{"id":5,"url":"u"}"#, Reason::NoId),
            (r#"{"id":"a","url":null}"#, Reason::NoUrl),
        ] {
            let Row::Malformed(malformed) = decode(text) else { panic!("{text} is usable") };
            assert_eq!((malformed.reason, malformed.json.raw()), (reason, text));
        }
        let row = decode(r#"{"id":7,"secret":"whsec"}"#);
        assert_eq!(serde_json::to_string(&row).unwrap(), r#"{"id":7}"#);
    }

    #[test]
    fn absurd_nesting_is_an_error() {
        let text = format!(r#"{{"id":"a","url":"u","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        assert_eq!(Row::decode(&RawValue::from_string(text).unwrap()), Err(TooDeep));
    }
}
