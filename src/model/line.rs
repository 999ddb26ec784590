//! A webhook on its way from the API to a stream: its JSON, and what a reader of listings has to know of it.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash as _, Hasher};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::json::{Json, RawFields, TooDeep, text_of};
use super::row::{self, Element, HashContract, Malformed, Reason, Row};

/// An element of a page that is passed on and not looked at: a tenth of the work of a [`Row`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The object as a [`Webhook`](super::Webhook) serialises, in one line. Values are spelled as the API spelled them.
    pub json: String,
    /// Bytes of the JSON up to the end of the contract's fields.
    contract: usize,
    id: Id,
    active: Option<bool>,
}

/// Where the id is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Id {
    /// It is no webhook.
    None,
    /// So many bytes of the JSON behind [`START`], which is nearly always so.
    Here(usize),
    /// It is spelled with escapes there.
    Spelled(Box<str>),
}

/// What every webhook's JSON starts with.
const START: &str = r#"{"id":""#;

impl Element for Line {
    fn of_fields(fields: &RawFields<'_>) -> Result<Result<Self, Reason>, TooDeep> {
        let (Some(id), Some(id_text)) = (fields.get("id"), fields.get("id").and_then(text_of)) else {
            return Ok(Err(Reason::NoId));
        };
        let Some(url) = fields.get("url").filter(|url| text_of(url).is_some()) else { return Ok(Err(Reason::NoUrl)) };
        let created = row::created_name(fields).and_then(|name| fields.get(name));
        let (events, active) = (fields.get("events"), fields.get("is_active"));
        let mut json = String::with_capacity(256);
        push_member(&mut json, r#"{"id":"#, Some(id))?;
        push_member(&mut json, r#","url":"#, Some(url))?;
        push_member(&mut json, r#","events":"#, events)?;
        push_member(&mut json, r#","is_active":"#, active)?;
        push_member(&mut json, r#","created_at":"#, created)?;
        let contract = json.len();
        for (name, value) in row::unknown_fields(fields) {
            push_unknown(&mut json, name, value)?;
        }
        json.push('}');
        let id = match id_text {
            Cow::Borrowed(text) => Id::Here(text.len()),
            Cow::Owned(text) => Id::Spelled(text.into()),
        };
        Ok(Ok(Self { json, contract, id, active: active.and_then(row::boolean) }))
    }

    fn read_plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Plain)
    }

    fn of_malformed(malformed: Malformed) -> Self {
        let json = malformed.json.raw().to_owned();
        Self { contract: json.len(), json, id: Id::None, active: None }
    }

    fn of_row(row: Row) -> Self {
        let json = serde_json::to_string(&row).unwrap_or_default();
        let id = row.id().map_or(Id::None, |id| Id::Spelled(id.raw().into()));
        Self { contract: json.len(), json, id, active: row.active() }
    }

    fn id_text(&self) -> Option<&str> {
        match &self.id {
            Id::None => None,
            Id::Here(length) => self.json.get(START.len()..START.len() + length),
            Id::Spelled(text) => Some(text),
        }
    }

    fn active(&self) -> Option<bool> {
        self.active
    }
}

impl HashContract for Line {
    fn is_webhook(&self) -> bool {
        !matches!(self.id, Id::None)
    }

    fn hash_contract(&self, hasher: &mut impl Hasher) {
        self.json.get(..self.contract).hash(hasher);
    }
}

/// Reads a webhook whose known fields are as the contract has them, in its order, and spelled without escapes. That is nearly
/// every webhook, and its texts can be copied as they stand.
struct Plain;

impl<'de> Visitor<'de> for Plain {
    type Value = Line;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain webhook")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line, A::Error> {
        let odd = || A::Error::custom("not plain");
        let mut json = String::with_capacity(384);
        // How many of the contract's fields are behind us: an id, a url, and then perhaps the others.
        let mut place = 0;
        let (mut id_length, mut active) = (0, None);
        let mut contract = 0;
        let mut unknown: Vec<Cow<'de, str>> = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            let field = match &*name {
                "id" => 1,
                "url" => 2,
                "events" => 3,
                "is_active" => 4,
                "created_at" | "createdAt" => 5,
                "secret" => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                _ => 6,
            };
            let is_next = if field <= 2 { field == place + 1 } else { place >= 2 && (field > place || field == 6) };
            if !is_next {
                return Err(odd());
            }
            place = field;
            match field {
                1 => {
                    let id: &str = map.next_value()?;
                    id_length = id.len();
                    push_text(&mut json, START, id);
                }
                2 => push_text(&mut json, r#","url":""#, map.next_value()?),
                3 => map.next_value_seed(Names(&mut json))?,
                4 => {
                    let value: bool = map.next_value()?;
                    json.push_str(if value { r#","is_active":true"# } else { r#","is_active":false"# });
                    active = Some(value);
                }
                5 => push_text(&mut json, r#","created_at":""#, map.next_value()?),
                _ => {
                    if unknown.len() == FEW || unknown.contains(&name) {
                        return Err(odd());
                    }
                    push_unknown(&mut json, &name, map.next_value()?).map_err(|_too_deep| odd())?;
                    unknown.push(name);
                    continue;
                }
            }
            contract = json.len();
        }
        if place < 2 {
            return Err(odd());
        }
        json.push('}');
        Ok(Line { json, contract, id: Id::Here(id_length), active })
    }
}

/// Appends a text without escapes, and what stands before it.
fn push_text(json: &mut String, before: &str, text: &str) {
    json.push_str(before);
    json.push_str(text);
    json.push('"');
}

/// Unknown fields that are compared with each other.
const FEW: usize = 16;

/// The name of a member; borrowed unless it has escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// Appends the events: a list of names without escapes.
struct Names<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.0.push_str(r#","events":["#);
        let mut before = "\"";
        while let Some(name) = seq.next_element::<&str>()? {
            push_text(self.0, before, name);
            before = ",\"";
        }
        self.0.push(']');
        Ok(())
    }
}

fn push_unknown(json: &mut String, name: &str, value: &RawValue) -> Result<(), TooDeep> {
    json.push(',');
    json.push_str(&serde_json::Value::from(name).to_string());
    push_member(json, ":", Some(value))
}

/// Appends what stands before a value, and the value, if it is there.
fn push_member(json: &mut String, before: &str, value: Option<&RawValue>) -> Result<(), TooDeep> {
    let Some(value) = value else { return Ok(()) };
    let text = value.get();
    json.push_str(before);
    let is_flat_list = || text.strip_prefix('[').is_some_and(|list| !list.contains(['[', '{', '\n', '\r']));
    // Such values hold nothing that would have to be dropped, or is too deep.
    if !text.starts_with(['[', '{']) || is_flat_list() {
        json.push_str(text);
    } else {
        json.push_str(Json::new(value)?.raw());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    /// Whatever a plain reading accepts is what a patient one makes of it.
    fn assert_plain_is_same(json: &str) {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        if let Ok(line) = Line::read_plain(&mut deserializer) {
            let patient = Line::decode(&raw(json)).unwrap();
            let parse = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
            assert_eq!(parse(&line.json), parse(&patient.json), "{json}");
            assert_eq!((line.id_text(), line.active()), (patient.id_text(), patient.active()), "{json}");
        }
    }

    /// Whatever the object: the same JSON, or malformed for both, or too deep for both.
    fn assert_same(json: &str) {
        assert_plain_is_same(json);
        let raw = raw(json);
        match (Line::decode(&raw), Row::decode(&raw)) {
            (Ok(line), Ok(row)) => {
                let parse = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
                assert_eq!(parse(&line.json), parse(&serde_json::to_string(&row).unwrap()), "{json}");
                assert_eq!((line.id_text(), line.active()), (row.id_text(), row.active()), "{json}");
                assert!(!line.json.contains('\n'), "{json}");
            }
            (line, row) => assert_eq!((line.err(), row.err()), (Some(TooDeep), Some(TooDeep)), "{json}"),
        }
    }

    #[test]
    fn a_line_is_what_a_row_would_be() {
        for json in [
            r#"{"id":"a","url":"u","events":["x"],"is_active":true,"created_at":"t","n":1e30}"#,
            r#"{"createdAt":"t","secret":"s","is_active":null,"url":"u\u0041","id":"a"}"#,
            "{\"id\":\"a\",\"url\":\"u\",\"x\":{\n\"secret\": 1,\n\"y\": [\n1\n]\n}}",
            r#"{"id":"a","url":"u","events":[{"secret":1,"z":2}],"is_active":"true"}"#,
            r#"{"url":"u","id":"\\u0041\\/"}"#,
            r#"{"id":7}"#,
            "null",
        ] {
            assert_same(json);
        }
        let deep = format!(r#"{{"id":"a","url":"u","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        assert_same(&deep);
        let hidden = format!(r#"{{"id":"a","url":"u","x":[1,{}{}]}}"#, "[".repeat(200), "]".repeat(200));
        assert_same(&hidden);
    }

    proptest! {
        #[test]
        fn any_members_come_out_the_same(
            members in proptest::collection::vec(
                ("(id|url|events|is_active|created_at|createdAt|secret|[a-z\"]{1,3})", r#"(null|true|-1\.5e3|"[a-z\\"\n]{0,4}"|\["a", ?"b"\]|\{ "secret":1,"q":\[\]\}|\[ \{"secret":1\}\])"#),
                0..8,
            )
        ) {
            let members: Vec<_> = members
                .into_iter()
                .filter(|(_, value)| serde_json::from_str::<serde_json::Value>(value).is_ok())
                .map(|(name, value)| format!("{}:{value}", serde_json::Value::from(name)))
                .collect();
            assert_same(&format!("{{{}}}", members.join(",")));
        }
    }
}
