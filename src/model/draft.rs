//! A row on its way from a page to a [`Block`](super::Block).

use std::fmt;
use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::json::{RawFields, TooDeep};
use super::row::{Element, Elements, Malformed, Reason, Row};

/// Room for the texts of most webhooks, and of most pages.
const USUAL_LENGTH: usize = 256;
const USUAL_PAGE: usize = 16 << 10;

/// A row that will be packed.
#[derive(Debug, Clone)]
pub struct Draft {
    text: String,
    content: Content,
}

/// The rows of a page that will be packed: their texts are one, so that a row costs nothing but its bytes.
#[derive(Debug, Default)]
pub struct Drafts {
    text: String,
    rows: Vec<Content>,
}

/// A plain webhook as little more than places in a text, everything else as a [`Row`].
#[derive(Debug, Clone)]
enum Content {
    Plain(Plain),
    Row(Box<Row>),
}

/// A webhook that has the contract's fields and no others, all of the contract's types and in their usual spelling.
#[derive(Debug, Clone)]
struct Plain {
    url: Range<usize>,
    id: Range<usize>,
    names: Range<usize>,
    active: bool,
    created: i64,
}

/// What a draft is of.
pub(super) enum Drafted<'d> {
    Plain(PlainDraft<'d>),
    Row(&'d Row),
}

pub(super) struct PlainDraft<'d> {
    pub(super) url: &'d str,
    pub(super) id: &'d str,
    /// The names of the events, a line break behind each.
    pub(super) names: &'d str,
    pub(super) active: bool,
    /// Milliseconds since 1970.
    pub(super) created: i64,
}

impl Content {
    fn view<'d>(&'d self, text: &'d str) -> Drafted<'d> {
        let plain = match self {
            Self::Row(row) => return Drafted::Row(row),
            Self::Plain(plain) => plain,
        };
        let part = |place: &Range<usize>| text.get(place.clone()).unwrap_or_default();
        Drafted::Plain(PlainDraft {
            url: part(&plain.url),
            id: part(&plain.id),
            names: part(&plain.names),
            active: plain.active,
            created: plain.created,
        })
    }

    fn of_row(row: Row) -> Self {
        Self::Row(Box::new(row))
    }
}

impl Draft {
    pub(super) fn view(&self) -> Drafted<'_> {
        self.content.view(&self.text)
    }
}

impl Drafts {
    pub(super) fn views(&self) -> impl Iterator<Item = Drafted<'_>> {
        self.rows.iter().map(|row| row.view(&self.text))
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
        let mut text = String::with_capacity(USUAL_LENGTH);
        let plain = deserializer.deserialize_map(Fields(&mut text))?;
        Ok(Self { text, content: Content::Plain(plain) })
    }

    fn of_malformed(malformed: Malformed) -> Self {
        Self::of_row(Row::Malformed(malformed))
    }

    fn of_row(row: Row) -> Self {
        Self { text: String::new(), content: Content::of_row(row) }
    }

    fn id_text(&self) -> Option<&str> {
        match self.view() {
            Drafted::Plain(plain) => Some(plain.id),
            Drafted::Row(row) => row.id_text(),
        }
    }

    fn active(&self) -> Option<bool> {
        match self.view() {
            Drafted::Plain(plain) => Some(plain.active),
            Drafted::Row(row) => row.active(),
        }
    }
}

impl Elements for Drafts {
    fn read_plain<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        if self.text.is_empty() {
            self.text.reserve(USUAL_PAGE);
        }
        let plain = deserializer.deserialize_map(Fields(&mut self.text))?;
        self.rows.push(Content::Plain(plain));
        Ok(())
    }

    fn decode(&mut self, raw: &RawValue) -> Result<(), TooDeep> {
        Row::decode(raw).map(|row| self.push_row(row))
    }

    fn push_row(&mut self, row: Row) {
        self.rows.push(Content::of_row(row));
    }

    fn count(&self) -> usize {
        self.rows.len()
    }
}

/// Reads the fields of a plain webhook, in whatever order, and appends its texts. Anything else is an error.
struct Fields<'t>(&'t mut String);

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain webhook")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Plain, A::Error> {
        let odd = || A::Error::custom("not plain");
        let text = self.0;
        let (mut id, mut url, mut active, mut created, mut names) = (None, None, None, None, None);
        while let Some(name) = map.next_key::<&'de str>()? {
            let repeated = match name {
                "id" => id.replace(append(text, map.next_value()?)).is_some(),
                "url" => url.replace(append(text, map.next_value()?)).is_some(),
                "is_active" => active.replace(map.next_value::<bool>()?).is_some(),
                "created_at" | "createdAt" => created.replace(map.next_value::<&'de str>()?).is_some(),
                "events" => names.replace(map.next_value_seed(Names(text))?).is_some(),
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
        Ok(Plain { url, id, names, active, created })
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
