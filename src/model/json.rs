//! JSON kept verbatim: numbers keep their spelling, objects their order, and nothing is read deeper than it is looked at.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::text::{Safe, clean, clean_head, escape_json};

/// Nesting that is accepted, the limit that `serde_json` has for typed values.
const MAX_DEPTH: usize = 128;

/// The field that is never shown, exported, cached or logged, at whatever depth it stands.
const SECRET_FIELD: &str = "secret";

/// A JSON value as the API spelled it, less every `secret` field. At most 128 levels deep.
#[derive(Clone)]
pub struct Json(Box<RawValue>);

/// The value is nested deeper than 128 levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooDeep;

impl Json {
    pub fn new(raw: &RawValue) -> Result<Self, TooDeep> {
        if depth_exceeds(raw.get(), MAX_DEPTH) {
            return Err(TooDeep);
        }
        if !may_hold_secret(raw.get()) {
            return Ok(Self(raw.to_owned()));
        }
        let mut text = String::with_capacity(raw.get().len());
        push_without_secret(&mut text, raw);
        Ok(Self(RawValue::from_string(text).unwrap_or_else(|_impossible| RawValue::NULL.to_owned())))
    }

    /// The JSON text.
    pub fn raw(&self) -> &str {
        self.0.get()
    }

    /// The JSON text as a terminal may show it, in one line.
    pub fn clean(&self) -> Safe {
        clean(&escape_json(self.0.get()))
    }

    /// As [`Json::clean`], reading no more than `columns` columns can show.
    pub fn clean_head(&self, columns: usize) -> Safe {
        clean_head(self.0.get(), columns)
    }

    /// Indented for people, a line a string.
    pub fn pretty(&self) -> Vec<Safe> {
        pretty(self.0.get())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for Json {}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.clean_head(200))
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The members of a JSON object in their order, values unread. Of a repeated name the last value counts, as in every JSON
/// library.
pub struct RawFields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> RawFields<'a> {
    /// `None` when the value is no object.
    pub fn of(raw: &'a RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }

    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|&(_, value)| value)
    }

    /// Every member once, in the order in which the names first appeared.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().enumerate().filter_map(|(i, (key, _))| {
            let seen = self.0.iter().take(i).any(|(earlier, _)| earlier == key);
            if seen { None } else { self.get(key).map(|value| (key.as_ref(), value)) }
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawFields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                #[derive(serde::Deserialize)]
                struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

                let mut members = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    members.push((key, value));
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Members).map(RawFields)
    }
}

/// The elements of a JSON array, unread; `None` when the value is no array.
pub fn raw_array(raw: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

fn depth_exceeds(json: &str, limit: usize) -> bool {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Whether the text could name a `secret` field; a name may be spelled with escapes.
fn may_hold_secret(json: &str) -> bool {
    json.contains(SECRET_FIELD) || json.contains("\\u")
}

/// The recursion is bounded: a [`Json`] is at most [`MAX_DEPTH`] deep.
fn push_without_secret(out: &mut String, raw: &RawValue) {
    if let Some(fields) = RawFields::of(raw) {
        out.push('{');
        let kept = fields.iter().filter(|(name, _)| *name != SECRET_FIELD);
        for (i, (name, value)) in kept.enumerate() {
            if i > 0 {
                out.push(',');
            }
            out.push_str(&serde_json::Value::from(name).to_string());
            out.push(':');
            push_without_secret(out, value);
        }
        out.push('}');
    } else if let Some(elements) = raw_array(raw) {
        out.push('[');
        for (i, element) in elements.into_iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            push_without_secret(out, element);
        }
        out.push(']');
    } else {
        out.push_str(raw.get());
    }
}

/// Indents JSON text without touching a token, which a parse and a print would.
pub(super) fn pretty(json: &str) -> Vec<Safe> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    let mut chars = json.chars().peekable();
    let mut end_line = |line: &mut String, depth: usize| {
        lines.push(clean(&escape_json(line)));
        *line = "  ".repeat(depth);
    };
    while let Some(c) = chars.next() {
        if in_string {
            line.push(c);
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match c {
            '"' => {
                in_string = true;
                line.push(c);
            }
            '{' | '[' => {
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                line.push(c);
                if let Some(close) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    line.push(close);
                } else {
                    depth += 1;
                    end_line(&mut line, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                end_line(&mut line, depth);
                line.push(c);
            }
            ',' => {
                line.push(c);
                end_line(&mut line, depth);
            }
            ':' => line.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => line.push(c),
        }
    }
    end_line(&mut line, 0);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn numbers_and_order_keep_their_spelling() {
        let text = r#"{"z": 1000000000000000000000000000000, "a": 1.50, "e": 1E400}"#;
        assert_eq!(Json::new(&raw(text)).unwrap().raw(), text);
    }

    #[test]
    fn a_secret_is_dropped_at_every_depth_and_in_every_spelling() {
        let text = r#"{"a":[{"secret":"x","b":1.0}],"\u0073ecret":{"c":2},"secrets":3}"#;
        assert_eq!(Json::new(&raw(text)).unwrap().raw(), r#"{"a":[{"b":1.0}],"secrets":3}"#);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(Json::new(&raw(&deep(128))).is_ok());
        assert_eq!(Json::new(&raw(&deep(129))), Err(TooDeep));
        assert!(Json::new(&raw(r#""[[[[[""#)).is_ok());
    }

    #[test]
    fn the_last_of_a_repeated_name_counts() {
        let text = raw(r#"{"a":1,"b":2,"a":3}"#);
        let fields = RawFields::of(&text).unwrap();
        assert_eq!(fields.get("a").unwrap().get(), "3");
        assert_eq!(fields.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn pretty_json_is_the_same_json() {
        let text = r#"{"a": [1, {"b":"x, {\"y\"}: \\"}, [], {}], "n": 1e30}"#;
        let lines = pretty(text);
        assert_eq!(lines[1].as_str(), "  \"a\": [");
        let glued: String = lines.iter().map(Safe::as_str).collect();
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(parse(&glued), parse(text));
    }
}
