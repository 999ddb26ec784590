//! A row on its way from a page to a [`Block`](super::Block).

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json::{RawFields, TooDeep};
use super::row::{Element, Malformed, Reason, Row};

/// An element of a page that will be packed: a plain webhook as little more than its texts, everything else as a [`Row`].
#[derive(Debug, Clone)]
pub struct Draft(pub(super) Content);

#[derive(Debug, Clone)]
pub(super) enum Content {
    Plain(Plain),
    Row(Box<Row>),
}

/// A webhook that has the contract's fields and no others, all of the contract's types and in their usual spelling.
#[derive(Debug, Clone)]
pub(super) struct Plain {
    /// The URL, the id and the name of each event, a line break behind each.
    text: Box<str>,
    url: usize,
    id: usize,
    pub(super) active: bool,
    /// Milliseconds since 1970.
    pub(super) created: i64,
}

impl Plain {
    /// The URL and the id, a line break behind each.
    pub(super) fn texts(&self) -> &str {
        self.text.get(..self.url + self.id + 2).unwrap_or_default()
    }

    pub(super) fn url_len(&self) -> usize {
        self.url
    }

    pub(super) fn id_len(&self) -> usize {
        self.id
    }

    pub(super) fn url(&self) -> &str {
        self.text.get(..self.url).unwrap_or_default()
    }

    fn id(&self) -> &str {
        self.text.get(self.url + 1..self.url + 1 + self.id).unwrap_or_default()
    }

    /// The names of the events, a line break behind each.
    pub(super) fn names(&self) -> &str {
        self.text.get(self.url + self.id + 2..).unwrap_or_default()
    }
}

/// The milliseconds since 1970 of a time that is spelled `2024-04-01T08:00:00.000Z`, as the API does. Of other spellings
/// `None`: they could not be written again from the number.
pub(super) fn usual_time(text: &str) -> Option<i64> {
    const PATTERN: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    let is_usual = text.len() == PATTERN.len()
        && text
            .bytes()
            .zip(PATTERN)
            .all(|(byte, &wanted)| if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted });
    // A leap second is read as the one before it.
    if !is_usual || text.get(17..19) == Some("60") {
        return None;
    }
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

impl Element for Draft {
    fn of_fields(fields: &RawFields<'_>) -> Result<Result<Self, Reason>, TooDeep> {
        Ok(Row::of_fields(fields)?.map(Self::of_row))
    }

    fn read_plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields).map(|plain| Self(Content::Plain(plain)))
    }

    fn of_malformed(malformed: Malformed) -> Self {
        Self::of_row(Row::Malformed(malformed))
    }

    fn of_row(row: Row) -> Self {
        Self(Content::Row(Box::new(row)))
    }

    fn id_text(&self) -> Option<&str> {
        match &self.0 {
            Content::Plain(plain) => Some(plain.id()),
            Content::Row(row) => row.id_text(),
        }
    }

    fn active(&self) -> Option<bool> {
        match &self.0 {
            Content::Plain(plain) => Some(plain.active),
            Content::Row(row) => row.active(),
        }
    }
}

/// Reads the fields of a plain webhook, in whatever order. Anything else is an error.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain webhook")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Plain, A::Error> {
        let odd = || A::Error::custom("not plain");
        let (mut id, mut url, mut active, mut created, mut names) = (None, None, None, None, None);
        while let Some(name) = map.next_key::<&'de str>()? {
            let repeated = match name {
                "id" => id.replace(map.next_value::<&'de str>()?).is_some(),
                "url" => url.replace(map.next_value::<&'de str>()?).is_some(),
                "is_active" => active.replace(map.next_value::<bool>()?).is_some(),
                "created_at" | "createdAt" => created.replace(map.next_value::<&'de str>()?).is_some(),
                "events" => names.replace(map.next_value_seed(Names)?).is_some(),
                "secret" => {
                    map.next_value::<IgnoredAny>()?;
                    false
                }
                _ => return Err(odd()),
            };
            if repeated {
                return Err(odd());
            }
        }
        let (Some(id), Some(url), Some(active), Some(names)) = (id, url, active, names) else { return Err(odd()) };
        let created = created.and_then(usual_time).ok_or_else(odd)?;
        let mut text = String::with_capacity(url.len() + id.len() + names.len() + 2);
        for part in [url, "\n", id, "\n", &names] {
            text.push_str(part);
        }
        Ok(Plain { text: text.into(), url: url.len(), id: id.len(), active, created })
    }
}

/// Reads a list of names without escapes.
struct Names;

impl<'de> DeserializeSeed<'de> for Names {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Names {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<String, A::Error> {
        // Enough for the events of most webhooks.
        let mut names = String::with_capacity(128);
        while let Some(name) = seq.next_element::<&'de str>()? {
            names.push_str(name);
            names.push('\n');
        }
        Ok(names)
    }
}
