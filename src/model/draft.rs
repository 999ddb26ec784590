//! A row on its way from a page to a [`Block`](super::Block).

use std::fmt;
use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json::{RawFields, TooDeep};
use super::row::{Element, Malformed, Reason, Row};

/// Room for the texts of most webhooks.
const USUAL_LENGTH: usize = 256;

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
    /// The URL, the id and the names of the events, in whatever order they came.
    text: String,
    url: Range<usize>,
    id: Range<usize>,
    names: Range<usize>,
    pub(super) active: bool,
    /// Milliseconds since 1970.
    pub(super) created: i64,
}

impl Plain {
    pub(super) fn url(&self) -> &str {
        self.text.get(self.url.clone()).unwrap_or_default()
    }

    pub(super) fn id(&self) -> &str {
        self.text.get(self.id.clone()).unwrap_or_default()
    }

    /// The names of the events, a line break behind each.
    pub(super) fn names(&self) -> &str {
        self.text.get(self.names.clone()).unwrap_or_default()
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
    let two = |at: usize| text.get(at..at + 2)?.parse::<i8>().ok();
    let (year, millis) = (text.get(..4)?.parse().ok()?, text.get(20..23)?.parse::<i32>().ok()?);
    let time = DateTime::new(year, two(5)?, two(8)?, two(11)?, two(14)?, two(17)?, millis * 1_000_000).ok()?;
    Offset::UTC.to_timestamp(time).ok().map(Timestamp::as_millisecond)
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
        let mut text = String::with_capacity(USUAL_LENGTH);
        let (mut id, mut url, mut active, mut created, mut names) = (None, None, None, None, None);
        while let Some(name) = map.next_key::<&'de str>()? {
            let repeated = match name {
                "id" => id.replace(append(&mut text, map.next_value()?)).is_some(),
                "url" => url.replace(append(&mut text, map.next_value()?)).is_some(),
                "is_active" => active.replace(map.next_value::<bool>()?).is_some(),
                "created_at" | "createdAt" => created.replace(map.next_value::<&'de str>()?).is_some(),
                "events" => names.replace(map.next_value_seed(Names(&mut text))?).is_some(),
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
        Ok(Plain { text, url, id, names, active, created })
    }
}

fn append(text: &mut String, part: &str) -> Range<usize> {
    let start = text.len();
    text.push_str(part);
    start..text.len()
}

/// Appends a list of names without escapes, a line break behind each.
struct Names<'t>(&'t mut String);

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = Range<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Range<usize>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = Range<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Range<usize>, A::Error> {
        let start = self.0.len();
        while let Some(name) = seq.next_element::<&'de str>()? {
            self.0.push_str(name);
            self.0.push('\n');
        }
        Ok(start..self.0.len())
    }
}
