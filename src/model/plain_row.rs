//! Reads rows that have exactly the contract's fields, all of the contract's types. Nearly every row is one, and its texts
//! are borrowed from the response.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::interner::push_name;

/// A webhook whose JSON can be written again from its fields alone.
#[derive(Debug)]
pub(super) struct PlainRow<'de> {
    pub(super) id: &'de str,
    pub(super) url: &'de str,
    pub(super) active: bool,
    /// Milliseconds since 1970.
    pub(super) created: i64,
}

/// Reads a plain row and appends its event names to `names`, encoded by [`push_name`]. `None` for any other value.
pub(super) fn read<'de>(json: &'de str, names: &mut String) -> Option<PlainRow<'de>> {
    serde_json::Deserializer::from_str(json).deserialize_map(Fields(names)).ok()
}

/// Parses a time in the spelling of the API, `2024-04-01T08:00:00.000Z`, as milliseconds since 1970. Other spellings are
/// `None`, since they could not be written again from the number.
pub(super) fn usual_time(text: &str) -> Option<i64> {
    const PATTERN: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    let is_usual = text.len() == PATTERN.len()
        && text
            .bytes()
            .zip(PATTERN)
            .all(|(byte, &wanted)| if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted });
    // A leap second would be read as the second before it.
    if !is_usual || text.get(17..19) == Some("60") {
        return None;
    }
    let two = |at: usize| text.get(at..at + 2)?.parse::<i8>().ok();
    let (year, millis) = (text.get(..4)?.parse().ok()?, text.get(20..23)?.parse::<i32>().ok()?);
    let time = DateTime::new(year, two(5)?, two(8)?, two(11)?, two(14)?, two(17)?, millis * 1_000_000).ok()?;
    Offset::UTC.to_timestamp(time).ok().map(Timestamp::as_millisecond)
}

struct Fields<'n>(&'n mut String);

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = PlainRow<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain webhook")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PlainRow<'de>, A::Error> {
        let odd = || A::Error::custom("not plain");
        let names = self.0;
        let (mut id, mut url, mut active, mut created, mut events) = (None, None, None, None, None);
        while let Some(name) = map.next_key::<&'de str>()? {
            let is_repeated = match name {
                "id" => id.replace(map.next_value::<&'de str>()?).is_some(),
                "url" => url.replace(map.next_value::<&'de str>()?).is_some(),
                "is_active" => active.replace(map.next_value::<bool>()?).is_some(),
                "created_at" | "createdAt" => created.replace(map.next_value::<&'de str>()?).is_some(),
                "events" => events.replace(map.next_value_seed(EventNames(names))?).is_some(),
                "secret" => {
                    map.next_value::<IgnoredAny>()?;
                    false
                }
                _ => return Err(odd()),
            };
            if is_repeated {
                return Err(odd());
            }
        }
        let (Some(id), Some(url), Some(active), Some(())) = (id, url, active, events) else { return Err(odd()) };
        let created = created.and_then(usual_time).ok_or_else(odd)?;
        Ok(PlainRow { id, url, active, created })
    }
}

/// A list of names without escapes.
struct EventNames<'n>(&'n mut String);

impl<'de> DeserializeSeed<'de> for EventNames<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for EventNames<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("event names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(name) = seq.next_element::<&'de str>()? {
            push_name(self.0, name);
        }
        Ok(())
    }
}
