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

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer as _, Error as _, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::kind::Nonsense;
use super::server_message::server_message;
use crate::base::text::grouped;
use crate::model::{Interner, OwnedRow, PageBuilder, RawFields, RowPage, TooDeep};

/// One page of a listing, from any envelope.
#[derive(Debug, Clone)]
pub struct Page {
    pub numbers: PageNumbers,
    /// The rows as received, malformed ones included.
    pub rows: Arc<RowPage>,
}

/// The numbers that a page reports about itself and its listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PageNumbers {
    /// The page that was requested, from 1.
    pub number: u64,
    /// Rows on this page.
    pub rows: u64,
    /// The number of this page according to the server.
    pub reported: Option<u64>,
    /// Rows per page according to the server. It may be wrong: see [`crate::fetch::PageLayout`].
    pub limit: Option<u64>,
    /// Rows in the whole listing according to the server; `None` if that is not a count.
    pub total: Option<u64>,
    /// Pages in the whole listing according to the server.
    pub total_pages: Option<u64>,
    /// Bytes of the response.
    pub bytes: u64,
}

/// Why a body is not a valid response, and the parser's own words.
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
pub(super) fn page(body: &[u8], number: u64, interner: &Interner) -> Result<Page, Unreadable> {
    let envelope = PageEnvelope::read(text(body)?)?;
    let (rows, fields) = match &envelope {
        PageEnvelope::Bare(rows) => (Some(*rows), None),
        PageEnvelope::Object(fields) => {
            (fields.get("data").filter(|rows| is_array(rows)).or_else(|| fields.get("webhooks")), Some(fields))
        }
    };
    let rows = rows
        .filter(|rows| is_array(rows))
        .ok_or_else(|| Unreadable { why: Nonsense::NoWebhooks, detail: server_message(body).unwrap_or_default() })?;
    let rows = read_rows(rows, interner)?;
    let numbers = PageNumbers { number, rows: rows.len() as u64, bytes: body.len() as u64, ..numbers(fields) };
    Ok(Page { numbers, rows })
}

/// The numbers in or beside `meta`.
fn numbers(fields: Option<&RawFields<'_>>) -> PageNumbers {
    let meta = fields.and_then(|fields| fields.get("meta")).and_then(RawFields::of);
    let numbers = meta.as_ref().or(fields);
    let count = |name| numbers.and_then(|numbers| count(numbers, name));
    PageNumbers {
        reported: count("page").or_else(|| count("currentPage")),
        limit: count("limit").filter(|&limit| limit > 0),
        total: count("total"),
        total_pages: count("totalPages"),
        ..PageNumbers::default()
    }
}

/// Reads the elements of an array into a page.
fn read_rows(array: &RawValue, interner: &Interner) -> Result<Arc<RowPage>, TooDeep> {
    struct Elements<'b>(&'b mut PageBuilder);

    impl<'de> Visitor<'de> for Elements<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
            while let Some(element) = seq.next_element::<&RawValue>()? {
                self.0.push(element).map_err(|_too_deep| A::Error::custom("nested too deeply"))?;
            }
            Ok(())
        }
    }

    let mut rows = PageBuilder::new(interner);
    // The array is valid JSON, so only the depth of an element can be wrong.
    let read = serde_json::Deserializer::from_str(array.get()).deserialize_seq(Elements(&mut rows));
    read.map(|()| rows.finish()).map_err(|_too_deep| TooDeep)
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
pub(super) fn webhook(body: &[u8], interner: &Interner) -> Result<OwnedRow, Unreadable> {
    let root: &RawValue = parse(text(body)?)?;
    let fields = RawFields::of(root).ok_or_else(|| Unreadable::new(Nonsense::NoWebhooks))?;
    let inner = if fields.get("id").is_some() { None } else { fields.get("webhook").or_else(|| fields.get("data")) };
    let mut row = PageBuilder::new(interner);
    row.push(inner.unwrap_or(root))?;
    OwnedRow::new(&row.finish(), 0).ok_or_else(|| Unreadable::new(Nonsense::NoWebhooks))
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

/// A non-negative integer, written as `150` or `150.0`. Anything else (`-1`, `"250"`, `1.5`, 2^64) is not a count, and
/// ignored.
fn count(fields: &RawFields<'_>, name: &str) -> Option<u64> {
    let text = fields.get(name)?.get();
    let integral = || serde_json::from_str::<f64>(text).ok()?.to_string().parse().ok();
    serde_json::from_str(text).ok().or_else(integral)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RowRef;

    fn read(body: &str) -> Page {
        page(body.as_bytes(), 1, &Interner::default()).unwrap()
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
            assert_eq!(page.rows.row(0).unwrap().id(), "a", "{name}");
            assert_eq!(
                (page.numbers.limit, page.numbers.total, page.numbers.total_pages),
                (limit, total, total_pages),
                "{name}"
            );
        }
    }

    #[test]
    fn a_total_that_is_no_count_is_not_said() {
        for total in ["-1", "\"250\"", "null", "250.5", "18446744073709551616", "[]"] {
            assert_eq!(
                read(&format!(r#"{{"data":[],"meta":{{"total":{total},"limit":0}}}}"#)).numbers.total,
                None,
                "{total}"
            );
        }
    }

    #[test]
    fn an_integral_float_is_a_count() {
        for total in ["150", "150.0", "1.5e2", "150.000"] {
            let page =
                read(&format!(r#"{{"data":[],"meta":{{"total":{total},"limit":20.0,"page":1.0,"totalPages":8.0}}}}"#));
            assert_eq!(
                (page.numbers.total, page.numbers.limit, page.numbers.reported),
                (Some(150), Some(20), Some(1)),
                "{total}"
            );
            assert_eq!(page.numbers.total_pages, Some(8), "{total}");
        }
    }

    #[test]
    fn nonsense_is_told_apart() {
        let why = |body: &[u8]| page(body, 1, &Interner::default()).unwrap_err().why;
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
        let detail = |body: &str| page(body.as_bytes(), 1, &Interner::default()).unwrap_err().detail;
        let whole = format!(r#"{{"data":[{}]"#, [ROW; 20].join(","));
        assert_eq!(detail(&whole), format!("the JSON ends early, after {} bytes", grouped(whole.len() as u64)));
        assert_eq!(detail("{\n\"data\": nil}"), "syntax error in line 2, column 10");
    }

    #[test]
    fn of_a_repeated_name_the_last_value_counts() {
        let page = read(&format!(r#"{{"data":[],"total":1,"data":[{ROW}],"total":2}}"#));
        assert_eq!((page.rows.len(), page.numbers.total), (1, Some(2)));
        let page = read(&format!(r#"{{"data":[{ROW}],"total":1,"total":2}}"#));
        assert_eq!((page.rows.len(), page.numbers.total), (1, Some(2)));
        let page = read(&format!(r#"{{"webhooks":[],"data":[{ROW}]}}"#));
        assert_eq!(page.rows.len(), 1);
    }

    #[test]
    fn rows_that_cannot_be_used_stand_between_those_that_can() {
        let page = read(&format!(r#"[{ROW},null,{{"id":7,"url":"u"}},{ROW}]"#));
        let usable: Vec<_> = page.rows.rows().map(RowRef::is_webhook).collect();
        assert_eq!(usable, [true, false, false, true]);
        assert_eq!(page.rows.row(2).unwrap().json(), r#"{"id":7,"url":"u"}"#);
    }

    #[test]
    fn a_webhook_comes_bare_or_wrapped() {
        for body in [ROW.to_owned(), format!(r#"{{"message":"ok","webhook":{ROW}}}"#), format!(r#"{{"data":{ROW}}}"#)] {
            assert_eq!(webhook(body.as_bytes(), &Interner::default()).unwrap().row().id(), "a");
        }
    }
}
