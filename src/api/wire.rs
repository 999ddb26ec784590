//! The envelopes of the API's responses, all read into one [`Page`].
//!
//! They are distinguished by their own keys, never by their rows:
//!
//! | envelope | rows | numbers |
//! |---|---|---|
//! | contract | `data` | `meta.page`, `meta.limit`, `meta.total`, sometimes `meta.totalPages` |
//! | without meta | `data` | none |
//! | `OpenAPI` | `webhooks` | `page`, `limit`, `total`, `totalPages` beside them |
//! | bare array | the root | none |
//! | status code | `data` | none |
//! | workflow | `data` | `meta.currentPage`, `meta.totalPages` |

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::kind::Nonsense;
use super::server_message::server_message;
use crate::base::text::grouped;
use crate::model::{Elements, RawFields, Row, TooDeep, raw_array};

/// One page of a listing, from any envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<R = Vec<Row>> {
    /// The requested page, from 1.
    pub number: u64,
    /// The rows, including malformed ones.
    pub rows: R,
    /// The number of this page, according to the server.
    pub reported: Option<u64>,
    /// Rows per page, according to the server. It may be wrong: see [`crate::fetch::Extent`].
    pub limit: Option<u64>,
    /// Rows in the whole listing, according to the server; `None` also if it is not a valid count.
    pub total: Option<u64>,
    /// Pages in the whole listing, according to the server.
    pub total_pages: Option<u64>,
    /// Size of the response in bytes.
    pub bytes: u64,
}

/// The numbers of a page, without its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    pub number: u64,
    /// Rows on this page.
    pub rows: u64,
    pub limit: Option<u64>,
    pub total: Option<u64>,
    pub total_pages: Option<u64>,
    /// Bytes of the answer.
    pub bytes: u64,
}

impl<R: Elements> From<&Page<R>> for Numbers {
    fn from(page: &Page<R>) -> Self {
        let &Page { number, limit, total, total_pages, bytes, .. } = page;
        Self { number, rows: page.rows.count() as u64, limit, total, total_pages, bytes }
    }
}

/// The reason why a body cannot be used, and the parser's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) why: Nonsense,
    pub(super) detail: String,
}

impl Unreadable {
    fn new(why: Nonsense) -> Self {
        Self { why, detail: String::new() }
    }
}

impl From<TooDeep> for Unreadable {
    fn from(_: TooDeep) -> Self {
        Self::new(Nonsense::TooDeep)
    }
}

/// Reads the body of a list request.
pub(super) fn page<R: Elements>(body: &[u8], number: u64) -> Result<Page<R>, Unreadable> {
    let text = text(body)?;
    // Nearly always, all rows are valid webhooks, and one pass over the body reads them.
    if let Ok(plain) = serde_json::from_str::<PlainPage<'_, R>>(text) {
        return Ok(Page { bytes: body.len() as u64, ..plain.into_page(number) });
    }
    let envelope = PageEnvelope::read(text)?;
    let (rows, fields) = match &envelope {
        PageEnvelope::Bare(rows) => (Some(*rows), None),
        PageEnvelope::Object(fields) => {
            (fields.get("data").filter(|rows| is_array(rows)).or_else(|| fields.get("webhooks")), Some(fields))
        }
    };
    let rows = rows
        .filter(|rows| is_array(rows))
        .ok_or_else(|| Unreadable { why: Nonsense::NoWebhooks, detail: server_message(body).unwrap_or_default() })?;
    let mut decoded = R::default();
    for row in raw_array(rows).unwrap_or_default() {
        decoded.decode(row)?;
    }
    Ok(Page { bytes: body.len() as u64, ..Page::new(number, decoded, fields) })
}

impl<R> Page<R> {
    /// A page from its rows, and the numbers in or beside `meta`.
    fn new(number: u64, rows: R, fields: Option<&RawFields<'_>>) -> Self {
        let meta = fields.and_then(|fields| fields.get("meta")).and_then(RawFields::of);
        let numbers = meta.as_ref().or(fields);
        let count = |name| numbers.and_then(|numbers| count(numbers, name));
        Self {
            number,
            rows,
            reported: count("page").or_else(|| count("currentPage")),
            limit: count("limit").filter(|&limit| limit > 0),
            total: count("total"),
            total_pages: count("totalPages"),
            bytes: 0,
        }
    }
}

/// A page with one array of rows that are all valid webhooks; anything else is an error.
struct PlainPage<'a, R> {
    rows: R,
    /// The fields beside the rows; none for a bare array.
    fields: Option<RawFields<'a>>,
}

impl<R> PlainPage<'_, R> {
    fn into_page(self, number: u64) -> Page<R> {
        Page::new(number, self.rows, self.fields.as_ref())
    }
}

impl<'de, R: Elements> Deserialize<'de> for PlainPage<'de, R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Root<R>(PhantomData<R>);

        impl<'de, R: Elements> Visitor<'de> for Root<R> {
            type Value = PlainPage<'de, R>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array or an object")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Ok(PlainPage { rows: Usable(R::default()).visit_seq(seq)?, fields: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut rows: Option<R> = None;
                let mut fields = Vec::new();
                while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                    if !matches!(&*name, "data" | "webhooks") {
                        fields.push((name, map.next_value()?));
                    } else if rows.replace(map.next_value_seed(Usable(R::default()))?).is_some() {
                        return Err(A::Error::custom("two lists of rows"));
                    }
                }
                let rows = rows.ok_or_else(|| A::Error::custom("no rows"))?;
                Ok(PlainPage { rows, fields: Some(RawFields::unique(fields)) })
            }
        }

        deserializer.deserialize_any(Root(PhantomData))
    }
}

/// An array of valid webhooks; anything else is an error.
struct Usable<R>(R);

impl<'de, R: Elements> DeserializeSeed<'de> for Usable<R> {
    type Value = R;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<R, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, R: Elements> Visitor<'de> for Usable<R> {
    type Value = R;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of webhooks")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<R, A::Error> {
        while seq.next_element_seed(NextRow(&mut self.0))?.is_some() {}
        Ok(self.0)
    }
}

struct NextRow<'r, R>(&'r mut R);

impl<'de, R: Elements> DeserializeSeed<'de> for NextRow<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.read_plain(deserializer)
    }
}

/// The root of a page.
enum PageEnvelope<'a> {
    Bare(&'a RawValue),
    Object(RawFields<'a>),
}

impl<'a> PageEnvelope<'a> {
    fn read(text: &'a str) -> Result<Self, Unreadable> {
        match text.as_bytes().first() {
            Some(b'{') => parse(text).map(Self::Object),
            Some(b'[') => parse(text).map(Self::Bare),
            // Another type, or not JSON at all.
            _ => parse::<&RawValue>(text).and(Err(Unreadable::new(Nonsense::NoWebhooks))),
        }
    }
}

fn is_array(raw: &RawValue) -> bool {
    raw.get().starts_with('[')
}

/// Reads the body of a get-by-id request: the webhook itself, or wrapped as `webhook` or `data`.
pub(super) fn webhook(body: &[u8]) -> Result<Row, Unreadable> {
    let root: &RawValue = parse(text(body)?)?;
    let fields = RawFields::of(root).ok_or_else(|| Unreadable::new(Nonsense::NoWebhooks))?;
    let inner = if fields.get("id").is_some() { None } else { fields.get("webhook").or_else(|| fields.get("data")) };
    Ok(Row::decode(inner.unwrap_or(root))?)
}

/// The text of a body, without a byte-order mark and surrounding white space.
fn text(body: &[u8]) -> Result<&str, Unreadable> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    match body.first() {
        None => return Err(Unreadable::new(Nonsense::Empty)),
        Some(b'<') => return Err(Unreadable::new(Nonsense::Html)),
        Some(_) => {}
    }
    std::str::from_utf8(body).map_err(|_where| Unreadable::new(Nonsense::NotUtf8))
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| {
        let detail = match error.classify() {
            Category::Eof => format!("the JSON ends early, after {} bytes", grouped(text.len() as u64)),
            _ => format!("syntax error in line {}, column {}", error.line(), error.column()),
        };
        Unreadable { why: Nonsense::NotJson, detail }
    })
}

/// A non-negative integer, written as `150` or `150.0`. Anything else (`-1`, `"250"`, `1.5`, 2^64) is not a count, and ignored.
fn count(fields: &RawFields<'_>, name: &str) -> Option<u64> {
    let text = fields.get(name)?.get();
    let integral = || serde_json::from_str::<f64>(text).ok()?.to_string().parse().ok();
    serde_json::from_str(text).ok().or_else(integral)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Page {
        page(body.as_bytes(), 1).unwrap()
    }

    const ROW: &str = r#"{"id":"a","url":"https://x.com","events":[],"is_active":true}"#;

    #[test]
    fn every_envelope_becomes_the_same_page() {
        for (name, body, limit, total, total_pages) in [
            ("contract", format!(r#"{{"data":[{ROW}],"meta":{{"page":1,"limit":20,"total":1}}}}"#), Some(20), Some(1), None),
            ("no meta", format!(r#"{{"data":[{ROW}]}}"#), None, None, None),
            (
                "openapi",
                format!(r#"{{"message":"ok","webhooks":[{ROW}],"page":1,"limit":10,"total":1,"totalPages":1}}"#),
                Some(10),
                Some(1),
                Some(1),
            ),
            ("bare", format!("[{ROW}]"), None, None, None),
            ("status code", format!(r#"{{"statusCode":200,"data":[{ROW}]}}"#), None, None, None),
            ("workflow", format!(r#"{{"data":[{ROW}],"meta":{{"currentPage":1,"totalPages":3}}}}"#), None, None, Some(3)),
            ("byte-order mark", format!("\u{feff}[{ROW}]\n"), None, None, None),
        ] {
            let page = read(&body);
            assert_eq!(page.rows.len(), 1, "{name}");
            assert_eq!(page.rows[0].id().unwrap().raw(), "a", "{name}");
            assert_eq!((page.limit, page.total, page.total_pages), (limit, total, total_pages), "{name}");
        }
    }

    #[test]
    fn a_total_that_is_no_count_is_not_said() {
        for total in ["-1", "\"250\"", "null", "250.5", "18446744073709551616", "[]"] {
            assert_eq!(read(&format!(r#"{{"data":[],"meta":{{"total":{total},"limit":0}}}}"#)).total, None, "{total}");
        }
    }

    #[test]
    fn an_integral_float_is_a_count() {
        for total in ["150", "150.0", "1.5e2", "150.000"] {
            let page =
                read(&format!(r#"{{"data":[],"meta":{{"total":{total},"limit":20.0,"page":1.0,"totalPages":8.0}}}}"#));
            assert_eq!((page.total, page.limit, page.reported), (Some(150), Some(20), Some(1)), "{total}");
            assert_eq!(page.total_pages, Some(8), "{total}");
        }
    }

    #[test]
    fn nonsense_is_told_apart() {
        let why = |body: &[u8]| page::<Vec<Row>>(body, 1).unwrap_err().why;
        assert_eq!(why(b""), Nonsense::Empty);
        assert_eq!(why(b" \n"), Nonsense::Empty);
        assert_eq!(why(b"<!doctype html>"), Nonsense::Html);
        assert_eq!(why(b"[\"\xe9\"]"), Nonsense::NotUtf8);
        assert_eq!(why(br#"{"data":[{"#), Nonsense::NotJson);
        assert_eq!(why(br#"{"ok":true}"#), Nonsense::NoWebhooks);
        assert_eq!(why(br#"{"data":{"id":"a"}}"#), Nonsense::NoWebhooks);
        assert_eq!(why(b"42"), Nonsense::NoWebhooks);
        let deep = format!(r#"{{"data":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(why(deep.as_bytes()), Nonsense::TooDeep);
    }

    #[test]
    fn json_that_ends_early_is_told_from_other_errors() {
        let detail = |body: &str| page::<Vec<Row>>(body.as_bytes(), 1).unwrap_err().detail;
        let whole = format!(r#"{{"data":[{}]"#, [ROW; 20].join(","));
        assert_eq!(detail(&whole), format!("the JSON ends early, after {} bytes", grouped(whole.len() as u64)));
        assert_eq!(detail("{\n\"data\": nil}"), "syntax error in line 2, column 10");
    }

    #[test]
    fn of_a_repeated_name_the_last_value_counts() {
        let page = read(&format!(r#"{{"data":[],"total":1,"data":[{ROW}],"total":2}}"#));
        assert_eq!((page.rows.len(), page.total), (1, Some(2)));
        let page = read(&format!(r#"{{"data":[{ROW}],"total":1,"total":2}}"#));
        assert_eq!((page.rows.len(), page.total), (1, Some(2)));
        let page = read(&format!(r#"{{"webhooks":[],"data":[{ROW}]}}"#));
        assert_eq!(page.rows.len(), 1);
    }

    #[test]
    fn rows_that_cannot_be_used_stand_between_those_that_can() {
        let page = read(&format!(r#"[{ROW},null,{{"id":7,"url":"u"}},{ROW}]"#));
        let usable: Vec<_> = page.rows.iter().map(|row| row.webhook().is_some()).collect();
        assert_eq!(usable, [true, false, false, true]);
        assert_eq!(serde_json::to_string(&page.rows[2]).unwrap(), r#"{"id":7,"url":"u"}"#);
    }

    #[test]
    fn a_webhook_comes_bare_or_wrapped() {
        for body in [ROW.to_owned(), format!(r#"{{"message":"ok","webhook":{ROW}}}"#), format!(r#"{{"data":{ROW}}}"#)] {
            assert_eq!(webhook(body.as_bytes()).unwrap().id().unwrap().raw(), "a");
        }
    }
}
