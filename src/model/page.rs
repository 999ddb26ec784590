//! Pages of packed rows: the one form in which webhooks are kept in memory.
//!
//! A page never changes. It is built once, where JSON becomes rows ([`PageBuilder`](super::PageBuilder)), and every consumer
//! reads it: the explorer, commands, cache, history, diff and search. Start reading at [`RowRef`].

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash as _, Hasher};
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use serde::ser::{Error as _, Serialize, SerializeMap as _, Serializer};
use serde_json::value::RawValue;

use super::fields::{CreatedAt, Destination, EventEntry, EventName, Field, WebhookId};
use super::interner::{EventList, SharedName};
use super::json;
use super::webhook::{MalformedReason, Webhook};
use crate::base::text::Safe;

/// The rows of one page of a listing.
pub struct RowPage {
    /// For each row its URL, its id, the URL as parsers spell it if that differs, each with a line feed behind it, and the
    /// JSON of rows that have one.
    pub(super) text: Box<str>,
    pub(super) rows: Box<[PackedRow]>,
    pub(super) lists: Box<[Arc<EventList>]>,
    pub(super) hosts: Box<[Arc<SharedName>]>,
    /// Row index, start and length of the JSON of rows that have more than their packed fields, by row index.
    pub(super) json: Box<[(u32, u32, u32)]>,
}

/// The fields of one row, as places in its page.
#[derive(Debug, Clone, Copy)]
pub(super) struct PackedRow {
    /// The start of the URL in the text.
    pub(super) start: u32,
    /// The length of the URL, and of the id.
    pub(super) url: u32,
    pub(super) id: u32,
    /// The index of its events; [`NONE`] if it has no list of events.
    pub(super) list: u32,
    /// The index of its host; [`NONE`] if the URL does not parse.
    pub(super) host: u32,
    pub(super) state: RowState,
    /// The URL contains the host exactly as it is resolved.
    pub(super) is_host_in_url: bool,
    /// The URL as parsers spell it follows the id.
    pub(super) is_respelled: bool,
    /// Milliseconds since 1970, or [`NEVER`].
    pub(super) created: i64,
}

impl PackedRow {
    pub(super) const MALFORMED: Self = Self {
        start: 0,
        url: 0,
        id: 0,
        list: NONE,
        host: NONE,
        state: RowState::Malformed,
        is_host_in_url: false,
        is_respelled: false,
        created: NEVER,
    };
}

/// The state of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowState {
    Active,
    Inactive,
    /// `is_active` is missing or not a boolean.
    Unknown,
    Malformed,
}

pub(super) const NONE: u32 = u32::MAX;
pub(super) const NEVER: i64 = i64::MIN;

impl fmt::Debug for RowPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowPage").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

impl RowPage {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns true if the text has only searchable parts: no row has JSON of its own.
    pub fn is_plain(&self) -> bool {
        self.json.is_empty()
    }

    pub fn row(&self, index: usize) -> Option<RowRef<'_>> {
        let packed = self.rows.get(index)?;
        Some(RowRef { page: self, index, packed })
    }

    pub fn rows(&self) -> impl DoubleEndedIterator<Item = RowRef<'_>> + ExactSizeIterator {
        self.rows.iter().enumerate().map(|(index, packed)| RowRef { page: self, index, packed })
    }

    /// All rows, as [`OwnedRow`]s.
    pub fn owned_rows(self: &Arc<Self>) -> impl Iterator<Item = OwnedRow> {
        (0..self.len()).filter_map(|index| OwnedRow::new(self, index))
    }

    /// The text that searches read; see [`RowRef::places`] for the position of each part.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The wanted rows, in their order, as a page of their own.
    #[must_use]
    pub fn select(self: &Arc<Self>, mut is_wanted: impl FnMut(RowRef<'_>) -> bool) -> Arc<Self> {
        let kept: Vec<RowRef<'_>> = self.rows().filter(|&row| is_wanted(row)).collect();
        if kept.len() == self.len() { Arc::clone(self) } else { Self::of_rows(kept) }
    }

    /// Copies rows, which may be of several pages, to a new page.
    pub fn of_rows<'r>(copied: impl IntoIterator<Item = RowRef<'r>>) -> Arc<Self> {
        let (mut text, mut rows, mut json) = (String::new(), Vec::new(), Vec::new());
        let (mut lists, mut hosts) = (Vec::new(), Vec::new());
        for row in copied {
            let start = text.len();
            text.push_str(row.page.text.get(row.place_of_all()).unwrap_or_default());
            text.push('\n');
            if let Some(own) = row.own_json() {
                json.push((size(rows.len()), size(text.len()), size(own.len())));
                text.push_str(own);
            }
            let list = row.events().map_or(NONE, |list| table_index(&mut lists, list));
            let host = row.host().map_or(NONE, |host| table_index(&mut hosts, host));
            rows.push(PackedRow { start: size(start), list, host, ..*row.packed });
        }
        Arc::new(Self { text: text.into(), rows: rows.into(), lists: lists.into(), hosts: hosts.into(), json: json.into() })
    }

    fn slice(&self, start: u32, len: u32) -> &str {
        let (start, len) = (start as usize, len as usize);
        self.text.get(start..start.saturating_add(len)).unwrap_or_default()
    }
}

/// The number of entries of a page's table that are searched for a shared value, from the end.
const SEARCHED_BACK: usize = 16;

/// The index of a shared value in a table of the page, which may have it twice.
pub(super) fn table_index<T>(table: &mut Vec<Arc<T>>, value: &Arc<T>) -> u32 {
    let recent = table.iter().enumerate().rev().take(SEARCHED_BACK).find(|(_, known)| Arc::ptr_eq(known, value));
    let index = match recent {
        Some((index, _)) => index,
        None => {
            table.push(Arc::clone(value));
            table.len() - 1
        }
    };
    size(index)
}

/// Lengths fit: a page is at most 1 GiB, the most that `max_page_bytes` allows.
pub(super) fn size(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(NONE)
}

/// A row of a page. Reading its fields costs nothing; [`RowRef::webhook`] decodes all of it.
#[derive(Debug, Clone, Copy)]
pub struct RowRef<'a> {
    page: &'a RowPage,
    index: usize,
    packed: &'a PackedRow,
}

impl<'a> RowRef<'a> {
    /// Returns true unless the row is malformed.
    pub fn is_webhook(self) -> bool {
        self.packed.state != RowState::Malformed
    }

    /// Why the row is malformed; `None` for a webhook.
    pub fn malformed(self) -> Option<MalformedReason> {
        if self.is_webhook() { None } else { Webhook::decode_text(self.own_json()?).err() }
    }

    /// The true URL; empty if malformed.
    pub fn url(self) -> &'a str {
        self.page.slice(self.packed.start, self.packed.url)
    }

    /// The true id; empty if malformed.
    pub fn id(self) -> &'a str {
        self.page.slice(self.packed.start.saturating_add(self.packed.url).saturating_add(1), self.packed.id)
    }

    /// The URL as parsers spell it, if that differs.
    pub fn respelled_url(self) -> Option<&'a str> {
        self.page.text.get(self.place_of_respelled()?)
    }

    pub fn page(self) -> &'a RowPage {
        self.page
    }

    /// The positions of its URL and its id in the text of its page.
    pub fn places(self) -> (Range<usize>, Range<usize>) {
        let (start, url, id) = (self.packed.start as usize, self.packed.url as usize, self.packed.id as usize);
        let end = start.saturating_add(url);
        (start..end, end.saturating_add(1)..end.saturating_add(1).saturating_add(id))
    }

    /// The position of its respelled URL in the text of its page.
    pub fn place_of_respelled(self) -> Option<Range<usize>> {
        if !self.packed.is_respelled {
            return None;
        }
        let start = self.places().1.end.saturating_add(1);
        let rest = self.page.text.get(start..)?;
        // Parsers leave no line feed in a URL.
        let length = rest.find('\n').unwrap_or(rest.len());
        Some(start..start.saturating_add(length))
    }

    /// The position of all its searchable text in the text of its page.
    pub fn place_of_all(self) -> Range<usize> {
        let (url, id) = self.places();
        url.start..self.place_of_respelled().map_or(id.end, |respelled| respelled.end)
    }

    /// The `is_active` field; `None` if it is missing or not a boolean.
    pub fn active(self) -> Option<bool> {
        match self.packed.state {
            RowState::Active => Some(true),
            RowState::Inactive => Some(false),
            RowState::Unknown | RowState::Malformed => None,
        }
    }

    /// The events that it is subscribed to; `None` if `events` is not a list. Entries that are not strings are left out.
    pub fn events(self) -> Option<&'a Arc<EventList>> {
        self.page.lists.get(self.packed.list as usize)
    }

    /// The names of the events that it is subscribed to.
    pub fn event_names(self) -> impl Iterator<Item = &'a str> {
        self.events().into_iter().flat_map(|list| list.events.iter().map(|event| &*event.name))
    }

    /// The number of entries of `events`, strings or not; `None` if it is not a list.
    pub fn event_count(self) -> Option<usize> {
        let list = self.events()?;
        match self.own_json() {
            None => Some(list.events.len()),
            Some(_) => self.webhook()?.events.value().map(Vec::len),
        }
    }

    /// The host of the URL in normalized form; `None` if the URL does not parse.
    pub fn host(self) -> Option<&'a Arc<SharedName>> {
        self.page.hosts.get(self.packed.host as usize)
    }

    /// The host, if the URL contains it in exactly this spelling: text found in the host is then found in the URL.
    pub fn host_in_url(self) -> Option<&'a Arc<SharedName>> {
        self.host().filter(|_| self.packed.is_host_in_url)
    }

    /// The time of creation, in milliseconds since 1970.
    pub fn created_ms(self) -> Option<i64> {
        (self.packed.created != NEVER).then_some(self.packed.created)
    }

    pub fn created_at(self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.created_ms()?).ok()
    }

    /// Returns true if both are the same row, field by field.
    pub fn is_same(self, other: RowRef<'_>) -> bool {
        self.packed.state == other.packed.state
            && self.packed.created == other.packed.created
            && (self.url(), self.id()) == (other.url(), other.id())
            && has_same_events(self.events(), other.events())
            && self.own_json() == other.own_json()
    }

    /// Hashes the fields of the contract, or all of a malformed row. Other fields may differ each time they are read.
    pub fn hash_contract(self, hasher: &mut impl Hasher) {
        if !self.is_webhook() {
            return self.own_json().hash(hasher);
        }
        (self.id(), self.url(), self.active(), self.packed.created).hash(hasher);
        self.event_names().for_each(|name| name.hash(hasher));
    }

    /// Decodes the whole webhook; `None` if malformed.
    pub fn webhook(self) -> Option<Webhook> {
        if let Some(json) = self.own_json() {
            return Webhook::decode_text(json).ok();
        }
        self.is_webhook().then(|| Webhook {
            id: WebhookId::new(self.id()),
            url: Destination::new(self.url()),
            events: Field::Value(self.event_names().map(|name| EventEntry::Name(EventName::new(name))).collect()),
            is_active: self.active().map_or(Field::Missing, Field::Value),
            created_at: self.created_text().map_or(Field::Missing, |text| Field::Value(CreatedAt::new(&text))),
            unknown: Vec::new(),
        })
    }

    /// The row as JSON in one line: the contract's fields in its order, then the others as received, without `secret`.
    pub fn json(self) -> Cow<'a, str> {
        self.own_json().map_or_else(|| serde_json::to_string(&self).unwrap_or_default().into(), Cow::Borrowed)
    }

    /// The row as JSON in one line that is the same for equal webhooks: as [`RowRef::json`], with the other fields sorted by
    /// name.
    pub fn canonical_json(self) -> Cow<'a, str> {
        if self.own_json().is_some()
            && let Some(mut webhook) = self.webhook()
            && !webhook.unknown.is_sorted_by_key(|(name, _)| name)
        {
            webhook.unknown.sort_by(|(name, _), (other, _)| name.cmp(other));
            return serde_json::to_string(&webhook).unwrap_or_default().into();
        }
        self.json()
    }

    /// The row as indented JSON for people, one string per line, credentials in URLs masked unless `reveal`.
    pub fn pretty_json(self, reveal: bool) -> Vec<Safe> {
        json::pretty(&self.json(), reveal)
    }

    /// The JSON of a row that has more than its packed fields.
    fn own_json(self) -> Option<&'a str> {
        let number = u32::try_from(self.index).ok()?;
        let found = self.page.json.binary_search_by_key(&number, |&(row, ..)| row).ok()?;
        let &(_, start, len) = self.page.json.get(found)?;
        Some(self.page.slice(start, len))
    }

    /// The time of creation as the API spells it.
    fn created_text(self) -> Option<String> {
        self.created_at().map(|at| format!("{at:.3}"))
    }
}

impl Serialize for RowRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(json) = self.own_json() {
            return serde_json::from_str::<&RawValue>(json).map_err(S::Error::custom)?.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", self.id())?;
        map.serialize_entry("url", self.url())?;
        map.serialize_entry("events", &SharedNames(self.events().map_or(&[], |list| &list.events)))?;
        map.serialize_entry("is_active", &self.active())?;
        map.serialize_entry("created_at", &self.created_text())?;
        map.end()
    }
}

struct SharedNames<'a>(&'a [Arc<SharedName>]);

impl Serialize for SharedNames<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|event| &*event.name))
    }
}

fn has_same_events(one: Option<&Arc<EventList>>, other: Option<&Arc<EventList>>) -> bool {
    match (one, other) {
        // Pages of one interner share their lists.
        (Some(one), Some(other)) => {
            Arc::ptr_eq(one, other)
                || one.events.len() == other.events.len()
                    && one.events.iter().zip(&other.events).all(|(one, other)| one.name == other.name)
        }
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// A row that keeps its page alive.
#[derive(Clone)]
pub struct OwnedRow {
    page: Arc<RowPage>,
    index: usize,
    packed: PackedRow,
}

impl OwnedRow {
    /// The row with an index on a page; `None` if the page has fewer rows.
    pub fn new(page: &Arc<RowPage>, index: usize) -> Option<Self> {
        let packed = *page.rows.get(index)?;
        Some(Self { page: Arc::clone(page), index, packed })
    }

    pub fn row(&self) -> RowRef<'_> {
        RowRef { page: &self.page, index: self.index, packed: &self.packed }
    }

    /// Returns true if a row is a version of this one: a webhook with the same id, or a malformed row with the same content.
    pub fn is_version_of(&self, row: RowRef<'_>) -> bool {
        let own = self.row();
        match (own.is_webhook(), row.is_webhook()) {
            (true, true) => own.id() == row.id(),
            (false, false) => own.is_same(row),
            _ => false,
        }
    }
}

impl PartialEq for OwnedRow {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.page, &other.page) && self.index == other.index || self.row().is_same(other.row())
    }
}

impl Eq for OwnedRow {}

impl fmt::Debug for OwnedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedRow").field("index", &self.index).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::host::host;
    use crate::model::{Interner, Json, PageBuilder};

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    fn page(jsons: &[&str]) -> Arc<RowPage> {
        let mut builder = PageBuilder::new(&Interner::default());
        for json in jsons {
            builder.push(&raw(json)).unwrap();
        }
        builder.finish()
    }

    /// Checks that a row is decoded to what its JSON says, and that its packed fields agree with it.
    fn assert_kept(json: &str) {
        let page = page(&[json]);
        let row = page.row(0).unwrap();
        let Ok(webhook) = Webhook::decode_text(json) else {
            assert!(!row.is_webhook() && row.malformed().is_some(), "{json}");
            assert_eq!(row.json(), Json::new(&raw(json)).unwrap().raw());
            return;
        };
        assert_eq!(row.webhook().as_ref(), Some(&webhook), "{json}");
        assert_eq!(row.json(), serde_json::to_string(&webhook).unwrap(), "{json}");
        assert!(!row.json().contains('\n'), "{json}");
        assert_eq!((row.id(), row.url(), row.active()), (webhook.id.raw(), webhook.url.raw(), webhook.active()), "{json}");
        let searched = page.text().get(row.place_of_all()).unwrap();
        let parts = [Some(webhook.url.raw()), Some(webhook.id.raw()), row.respelled_url()];
        assert_eq!(searched, parts.into_iter().flatten().collect::<Vec<_>>().join("\n"));
        assert_eq!(row.respelled_url(), webhook.url.respelled().as_deref(), "{json}");
        assert_eq!(row.host().map(|host| &*host.name), host(webhook.url.raw()).as_deref());
        assert!(row.host_in_url().is_none_or(|host| row.url().contains(&*host.name)));
        let created = webhook.created_at.value().and_then(CreatedAt::at).map(Timestamp::as_millisecond);
        assert_eq!(row.created_ms(), created, "{json}");
        let names: Option<Vec<_>> = row.events().map(|_| row.event_names().collect());
        assert_eq!(names, webhook.events.value().map(|_| webhook.event_names().map(EventName::raw).collect()));
        assert_eq!(row.event_count(), webhook.events.value().map(Vec::len));
    }

    #[test]
    fn a_plain_row_needs_no_json_and_loses_its_secret() {
        let json = r#"{"secret":"*","id":"a","url":"https://x.com/","events":["e","f"],"is_active":true,"createdAt":"2024-03-01T10:00:00.123Z"}"#;
        assert_kept(json);
        let page = page(&[json, json]);
        assert!(page.is_plain());
        assert_eq!((page.lists.len(), page.hosts.len()), (1, 1), "shared names are there once");
        let expected = r#"{"id":"a","url":"https://x.com/","events":["e","f"],"is_active":true,"created_at":"2024-03-01T10:00:00.123Z"}"#;
        assert!(page.rows().all(|row| row.json() == expected && row.host_in_url().is_some()));
    }

    #[test]
    fn odd_rows_are_kept_whole() {
        for json in [
            "null",
            r#"{"id":7,"url":"u"}"#,
            r#"{"id":"a","url":"no url"}"#,
            r#"{"id":"a","url":"u","events":["a\nb","a\\nb","",7],"is_active":null,"created_at":5}"#,
            r#"{"id":"a","url":"u","events":["a\nb","\\","",""],"is_active":false,"created_at":"2024-03-01T10:00:00.000Z"}"#,
            r#"{"id":"a","url":"u","events":[],"is_active":false,"created_at":"2024-03-01T10:00:00Z"}"#,
            r#"{"id":"a","url":"u","events":[],"is_active":false,"created_at":"2016-12-31T23:59:60.000Z"}"#,
            r#"{"id":"a","url":"u","events":[],"is_active":false,"created_at":"2024-03-01T10:00:00.000Z","n":1e400}"#,
            "{\"id\":\"a\",\"url\":\"u\",\"x\":{\n\"secret\": 1,\n\"y\": [\n1\n]\n}}",
            r#"{"url":"u","id":"\\u0041\\/","events":[{"secret":1,"z":2}]}"#,
            r#"{"id":"\u212a\n","url":"u\n\nv","events":[],"is_active":false,"created_at":"2024-03-01T10:00:00.000Z"}"#,
        ] {
            assert_kept(json);
        }
    }

    #[test]
    fn absurd_nesting_is_an_error() {
        let json = format!(r#"{{"id":"a","url":"u","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        assert!(PageBuilder::default().push(&raw(&json)).is_err());
    }

    #[test]
    fn only_the_canonical_json_sorts_unknown_fields() {
        let page = page(&[r#"{"z":1,"url":"u","a":2,"id":"x"}"#]);
        let row = page.row(0).unwrap();
        assert_eq!(row.json(), r#"{"id":"x","url":"u","z":1,"a":2}"#);
        assert_eq!(row.canonical_json(), r#"{"id":"x","url":"u","a":2,"z":1}"#);
    }

    #[test]
    fn selected_rows_are_the_same_rows() {
        let jsons = [
            r#"{"id":"a","url":"https://x.com/","events":["e"],"is_active":true,"created_at":"2024-03-01T10:00:00.123Z"}"#,
            r#"{"id":"b","url":"https://X.com:443/b","events":["f"],"is_active":true,"created_at":"2024-03-01T10:00:00.123Z","n":1}"#,
            "null",
            r#"{"id":"c","url":"https://ü.com/","events":["e"],"is_active":false,"created_at":"2024-03-01T10:00:00.123Z"}"#,
        ];
        let page = page(&jsons);
        let selected = page.select(|row| row.id() != "a");
        assert_eq!(selected.len(), 3);
        for (one, other) in page.rows().skip(1).zip(selected.rows()) {
            assert!(one.is_same(other));
            assert_eq!((one.json(), one.respelled_url()), (other.json(), other.respelled_url()));
            assert_eq!(one.host().map(|host| host.number), other.host().map(|host| host.number));
        }
        assert!(Arc::ptr_eq(&page, &page.select(|_| true)));
    }

    proptest! {
        #[test]
        fn any_object_is_kept_as_it_was(
            members in prop::collection::vec(
                (
                    "(id|url|events|is_active|created_at|createdAt|secret|[a-z\"]{1,3})",
                    r#"(null|true|-1\.5e3|"[a-z\\"\n]{0,4}"|\["a", ?"b"\]|\{ "secret":1,"q":\[\]\}|\[ \{"secret":1\}\])"#,
                ),
                0..8,
            ),
            is_webhook: bool,
        ) {
            let is_json = |value: &str| serde_json::from_str::<serde_json::Value>(value).is_ok();
            let members = members.into_iter().filter(|(_, value)| is_json(value));
            let mut members: Vec<_> =
                members.map(|(name, value)| format!("{}:{value}", serde_json::Value::from(name))).collect();
            if is_webhook {
                members.push(r#""url":"https://X.com","id":"a""#.to_owned());
            }
            assert_kept(&format!("{{{}}}", members.join(",")));
        }

        #[test]
        fn any_row_is_kept_as_it_was(
            url in r"(https://[a-z.]{1,8}/[a-z\\n]{0,4}|[a-zé]{0,5})",
            events in r#"(\["[a-z\\]{0,3}","b"\]|\[\]|null|"x"|\[\{"secret":1\}\])"#,
            active in "(true|false|null|1)",
            created in r#""20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\.[0-9]{3}Z""#,
            more in r#"(,"n":[0-9]|,"[a-z"]{1,3}":\{ "secret":1,"q":\[\]\}|,"secret":5|)"#,
        ) {
            let json = format!(r#"{{"id":"a","url":"{url}","events":{events},"is_active":{active},"created_at":{created}{more}}}"#);
            prop_assume!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
            assert_kept(&json);
        }
    }
}
