//! JSON kept verbatim: numbers keep their spelling, objects their order, and nothing is parsed deeper than needed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::base::redact;
use crate::base::text::{Safe, clean, clean_head, escape_json, grouped};
use crate::safe;

/// The most bytes of a row's JSON to show.
const MAX_SHOWN: usize = 256 << 10;

/// The deepest nesting accepted, which is the limit of `serde_json` for typed values.
const MAX_DEPTH: usize = 128;

/// The name of a field that is never shown, exported, cached or logged, at any depth.
const SECRET_FIELD: &str = "secret";

/// The most members of an object to search without a table.
const FEW: usize = 16;

/// A JSON value as the API spelled it, without `secret` fields. At most 128 levels deep.
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
        // A row must fit on one line of a stream, whatever line breaks the server uses.
        if !may_hold_secret(raw.get()) && !raw.get().contains(['\n', '\r']) {
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

    /// Indented for people, one string per line; credentials in URLs masked unless `reveal`.
    pub fn pretty(&self, reveal: bool) -> Vec<Safe> {
        pretty(self.0.get(), reveal)
    }

    /// In one line for people, in at most `columns` columns; credentials in URLs masked unless `reveal`.
    pub fn summary(&self, columns: usize, reveal: bool) -> Safe {
        let text = head(self.0.get());
        if reveal { clean_head(text, columns) } else { clean_head(&masked(text), columns) }
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

/// The members of a JSON object in their order, with values not yet parsed. The last value of a repeated name counts, as in
/// every JSON library.
pub struct RawFields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> RawFields<'a> {
    /// Reads the members; `None` if the value is not an object.
    pub fn of(raw: &'a RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }

    /// Creates it from members read earlier, in their order; the last value of a repeated name counts.
    pub fn unique(members: Vec<(Cow<'a, str>, &'a RawValue)>) -> Self {
        let mut unique: Vec<(Cow<'a, str>, &'a RawValue)> = Vec::new();
        let mut places: HashMap<Cow<'a, str>, usize> = HashMap::new();
        for (name, value) in members {
            match places.get(&name).and_then(|&place| unique.get_mut(place)) {
                Some(member) => member.1 = value,
                None => {
                    places.insert(name.clone(), unique.len());
                    unique.push((name, value));
                }
            }
        }
        Self(unique)
    }

    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(key, _)| key == name).map(|&(_, value)| value)
    }

    /// Each member once, in the order in which the names first appeared.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), *value))
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
                // Enough for a webhook. It is dropped after one row.
                let mut members: Self::Value = Vec::with_capacity(8);
                // Nearly every object has few members, and a search among few needs no table.
                let mut places: HashMap<Cow<'de, str>, usize> = HashMap::new();
                while let Some(key) = map.next_key_seed(Text)? {
                    let value = map.next_value::<&RawValue>()?;
                    let place = if members.len() < FEW {
                        members.iter().position(|(name, _)| *name == key)
                    } else {
                        if places.is_empty() {
                            places.extend(members.iter().enumerate().map(|(place, (name, _))| (name.clone(), place)));
                        }
                        places.get(&key).copied()
                    };
                    match place.and_then(|place| members.get_mut(place)) {
                        Some(member) => member.1 = value,
                        None => {
                            if !places.is_empty() {
                                places.insert(key.clone(), members.len());
                            }
                            members.push((key, value));
                        }
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Members).map(RawFields)
    }
}

/// The text of a JSON string. A lone surrogate becomes a replacement character: a name that other programs can read must not
/// be unreadable here.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
        Ok(String::from_utf8_lossy(bytes))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(Cow::Owned(String::from_utf8_lossy(bytes).into_owned()))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// The text of a JSON string; `None` if the value is not a string.
pub(super) fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    // Without an escape, the text is the string itself.
    if inner.contains('\\') { serde_json::from_str(raw.get()).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

/// The elements of a JSON array, not yet parsed; `None` if the value is not an array.
pub fn raw_array(raw: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

/// Returns true if two JSON texts mean the same value, regardless of the order of members and the spelling of strings and
/// numbers. Numbers are compared digit by digit, so that 10^30 and 10^30 + 1 differ. At most 128 levels deep.
pub fn same_value(one: &str, other: &str) -> bool {
    fn raw(text: &str) -> Option<&RawValue> {
        serde_json::from_str(text).ok()
    }
    one == other || raw(one).zip(raw(other)).is_some_and(|(one, other)| same_raw(one, other))
}

/// The recursion is bounded: a [`Json`] is at most [`MAX_DEPTH`] deep.
fn same_raw(one: &RawValue, other: &RawValue) -> bool {
    if one.get() == other.get() {
        return true;
    }
    match (one.get().as_bytes().first(), other.get().as_bytes().first()) {
        (Some(b'{'), Some(b'{')) => RawFields::of(one).zip(RawFields::of(other)).is_some_and(|(one, other)| {
            let same = |(name, value)| other.get(name).is_some_and(|other| same_raw(value, other));
            one.0.len() == other.0.len() && one.iter().all(same)
        }),
        (Some(b'['), Some(b'[')) => raw_array(one).zip(raw_array(other)).is_some_and(|(one, other)| {
            one.len() == other.len() && one.into_iter().zip(other).all(|(one, other)| same_raw(one, other))
        }),
        (Some(b'"'), Some(b'"')) => text_of(one).is_some_and(|text| Some(text) == text_of(other)),
        _ => number(one.get()).is_some_and(|value| Some(value) == number(other.get())),
    }
}

/// A JSON number as its sign, its digits without zeros at either end, and the exponent.
fn number(text: &str) -> Option<(bool, String, i64)> {
    let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    let kept = all.trim_end_matches('0');
    let zeros = i64::try_from(all.len() - kept.len()).ok()?;
    let digits = kept.trim_start_matches('0');
    if digits.is_empty() {
        return Some((false, String::new(), 0));
    }
    let power = exponent.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(zeros)?;
    Some((is_negative, digits.to_owned(), power))
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

/// Returns true if the text may contain a `secret` field, whose name may be spelled with escapes.
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

/// The part of a JSON text to show. Copies contain all of it.
fn head(json: &str) -> &str {
    json.get(..json.floor_char_boundary(MAX_SHOWN)).unwrap_or(json)
}

/// Returns true if a string of the JSON text may be a URL with a credential.
pub fn holds_secret(json: &str) -> bool {
    masked(json) != json
}

/// The text with a short salted hash in place of each credential in a URL; see [`redact::hash_url`].
pub fn hash_secrets(json: &str, salt: &str) -> String {
    map_strings(json, &|text| redact::has_secret(text).then(|| redact::hash_url(text, salt)))
}

/// The text with the credentials masked in every string that may be a URL.
fn masked(json: &str) -> String {
    map_strings(json, &|text| redact::has_secret(text).then(|| redact::mask_url(text)))
}

/// Replaces strings of the text. A string that is cut off is masked if it may hold a credential, since its contents are
/// unknown.
fn map_strings(json: &str, replace: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(start) = rest.find('"') {
        let (before, from_quote) = rest.split_at(start);
        let (token, after) = from_quote.split_at(string_length(from_quote));
        out.push_str(before);
        match serde_json::from_str::<String>(token).map(|text| replace(&text)) {
            Ok(Some(replaced)) => out.push_str(&serde_json::Value::from(replaced).to_string()),
            Err(_) if token.contains(['@', '=']) => out.push_str("\"***\""),
            Ok(None) | Err(_) => out.push_str(token),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The length of the string at the start of a text, quotes included, in bytes.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Indents JSON text without changing a token, unlike parsing and printing it. Only credentials in URLs are masked, unless
/// `reveal`.
pub(super) fn pretty(json: &str, reveal: bool) -> Vec<Safe> {
    let shown = head(json);
    let mut lines = if reveal { indented(shown) } else { indented(&masked(shown)) };
    if shown.len() < json.len() {
        let more = grouped((json.len() - shown.len()) as u64);
        lines.push(safe!("(cut here: {} more bytes, which a copy has)", more));
    }
    lines
}

fn indented(json: &str) -> Vec<Safe> {
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
    fn values_are_the_same_however_they_are_spelled() {
        for (one, other) in [
            (r#"{"a":1,"b":[1,2]}"#, r#"{ "b": [1, 2], "a": 1.0 }"#),
            ("100", "1e2"),
            ("0.5", "5E-1"),
            ("-0", "0.000"),
            ("1.50", "1.5"),
            (r#""a\u0062""#, r#""ab""#),
            ("[]", "[ ]"),
        ] {
            assert!(same_value(one, other) && same_value(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("1000000000000000000000000000000", "1000000000000000000000000000001"),
            ("1e400", "1e401"),
            ("1", "-1"),
            ("1", "\"1\""),
            ("[1,2]", "[2,1]"),
            ("[1]", "[1,1]"),
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#),
            ("null", "false"),
            ("{}", "[]"),
            ("1e99999999999999999999", "1e99999999999999999998"),
        ] {
            assert!(!same_value(one, other) && !same_value(other, one), "{one} {other}");
        }
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
    fn half_a_surrogate_pair_hides_no_secret() {
        let text = r#"{"secret":"x","\ud800":{"secret":"y","b":1}}"#;
        let kept = Json::new(&raw(text)).unwrap();
        assert_eq!(kept.raw(), "{\"\u{fffd}\u{fffd}\u{fffd}\":{\"b\":1}}");
    }

    #[test]
    fn an_object_of_many_names_is_read_in_one_go() {
        let members: Vec<_> = (0..200_000).map(|i| format!("\"k{i}\":{i}")).collect();
        let text = raw(&format!("{{{},\"k7\":\"last\"}}", members.join(",")));
        let fields = RawFields::of(&text).unwrap();
        assert_eq!((fields.iter().count(), fields.get("k7").unwrap().get()), (200_000, "\"last\""));
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
    fn credentials_are_masked_in_whatever_string_they_are() {
        let text =
            r#"{"url":"https://bob:hunter2@x.com/?token=hunter3","n":["a \" b","https:\/\/x.com\/?sig=hunter4"],"e":1E400}"#;
        let shown: String = pretty(text, false).iter().map(Safe::as_str).collect();
        assert!(!shown.contains("hunter") && shown.contains("1E400") && shown.contains("***@x.com/?token=***"), "{shown}");
        let revealed: String = pretty(text, true).iter().map(Safe::as_str).collect();
        assert!(revealed.contains("bob:hunter2") && revealed.contains("hunter4"), "{revealed}");
        assert!(!masked(r#"{"url":"https://bob@hunter2"#).contains("hunter2"), "a string that is cut off is masked");
    }

    #[test]
    fn pretty_json_is_the_same_json() {
        let text = r#"{"a": [1, {"b":"x, {\"y\"}: \\"}, [], {}], "n": 1e30}"#;
        let lines = pretty(text, false);
        assert_eq!(lines[1].as_str(), "  \"a\": [");
        let glued: String = lines.iter().map(Safe::as_str).collect();
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(parse(&glued), parse(text));
    }
}
