//! The envelopes that the API may answer with, read into one [`Page`].
//!
//! They are told apart by their own keys, never by what the rows look like:
//!
//! | envelope | rows | numbers |
//! |---|---|---|
//! | contract | `data` | `meta.page`, `meta.limit`, `meta.total`, at times `meta.totalPages` |
//! | without meta | `data` | none |
//! | `OpenAPI` | `webhooks` | `page`, `limit`, `total`, `totalPages` beside them |
//! | bare array | the root | none |
//! | status code | `data` | none |
//! | workflow | `data` | `meta.currentPage`, `meta.totalPages` |

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::value::RawValue;

use super::error::Nonsense;
use crate::model::{Element, RawFields, Row, TooDeep, raw_array};

/// One page of a listing, whatever the envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<E = Row> {
    /// The page that was asked for, from 1.
    pub number: u64,
    /// The rows as they came, unusable ones included.
    pub rows: Vec<E>,
    /// The page that this is, as the server says.
    pub reported: Option<u64>,
    /// Rows a page, as the server says. It may be wrong: see [`crate::fetch::Extent`].
    pub limit: Option<u64>,
    /// Rows in the whole listing, as the server says; `None` also when what it says is no count.
    pub total: Option<u64>,
    /// Pages in the whole listing, as the server says.
    pub total_pages: Option<u64>,
}

/// Why a body is no answer, and the parser's own words.
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
pub(super) fn page<E: Element>(body: &[u8], number: u64) -> Result<Page<E>, Unreadable> {
    let text = text(body)?;
    let envelope = Envelope::read(text)?;
    let mut page = Page { number, rows: Vec::new(), reported: None, limit: None, total: None, total_pages: None };
    let rows = match &envelope {
        Envelope::Bare(rows) => rows,
        Envelope::Object(fields) => {
            let rows = fields.get("data").filter(|rows| is_array(rows)).or_else(|| fields.get("webhooks"));
            let meta = fields.get("meta").and_then(RawFields::of);
            let numbers = meta.as_ref().unwrap_or(fields);
            page.reported = count(numbers, "page").or_else(|| count(numbers, "currentPage"));
            page.limit = count(numbers, "limit").filter(|&limit| limit > 0);
            page.total = count(numbers, "total");
            page.total_pages = count(numbers, "totalPages");
            rows.filter(|rows| is_array(rows)).ok_or_else(|| Unreadable {
                why: Nonsense::NoWebhooks,
                detail: super::error::server_message(body).unwrap_or_default(),
            })?
        }
    };
    page.rows = rows_of(rows)?;
    Ok(page)
}

/// The root of a page.
enum Envelope<'a> {
    Bare(&'a RawValue),
    Object(RawFields<'a>),
}

impl<'a> Envelope<'a> {
    fn read(text: &'a str) -> Result<Self, Unreadable> {
        match text.as_bytes().first() {
            Some(b'{') => parse(text).map(Self::Object),
            Some(b'[') => parse(text).map(Self::Bare),
            // Something else, or no JSON at all.
            _ => parse::<&RawValue>(text).and(Err(Unreadable::new(Nonsense::NoWebhooks))),
        }
    }
}

fn is_array(raw: &RawValue) -> bool {
    raw.get().starts_with('[')
}

/// The elements of an array of rows. Nearly always all of them are webhooks, and one pass reads them; else they are read one
/// by one.
fn rows_of<E: Element>(rows: &RawValue) -> Result<Vec<E>, TooDeep> {
    if let Ok(elements) = serde_json::from_str::<Vec<Usable<E>>>(rows.get()) {
        return Ok(elements.into_iter().map(|Usable(element)| element).collect());
    }
    raw_array(rows).unwrap_or_default().into_iter().map(E::decode).collect()
}

/// An element that can be used as a webhook; whatever else it may be is an error.
struct Usable<E>(E);

impl<'de, E: Element> Deserialize<'de> for Usable<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match E::of_fields(&RawFields::deserialize(deserializer)?) {
            Ok(Ok(element)) => Ok(Self(element)),
            Ok(Err(_)) | Err(_) => Err(D::Error::custom("not a webhook")),
        }
    }
}

/// Reads the body of a get-by-id request: the webhook itself, or wrapped as `webhook` or `data`.
pub(super) fn webhook(body: &[u8]) -> Result<Row, Unreadable> {
    let root: &RawValue = parse(text(body)?)?;
    let fields = RawFields::of(root).ok_or_else(|| Unreadable::new(Nonsense::NoWebhooks))?;
    let inner = if fields.get("id").is_some() { None } else { fields.get("webhook").or_else(|| fields.get("data")) };
    Ok(Row::decode(inner.unwrap_or(root))?)
}

/// The text of a body, without a byte-order mark and blanks around it.
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
    serde_json::from_str(text).map_err(|error| Unreadable { why: Nonsense::NotJson, detail: error.to_string() })
}

/// A non-negative integer. Whatever else stands there (`-1`, `"250"`, `1.5`, 2^64) is no count and counts as not said.
fn count(fields: &RawFields<'_>, name: &str) -> Option<u64> {
    serde_json::from_str(fields.get(name)?.get()).ok()
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
    fn nonsense_is_told_apart() {
        let why = |body: &[u8]| page::<Row>(body, 1).unwrap_err().why;
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
