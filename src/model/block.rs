//! The rows of a page, packed: a million of them fit into memory, and a search reads little more than their texts.

mod packer;

use std::fmt;
use std::hash::{Hash as _, Hasher};
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;

pub use self::packer::Packer;
use super::letters::Letters;
use super::row::{HashContract, Row};
use super::{CreatedAt, Destination, EventEntry, EventName, Field, Webhook, WebhookId};

/// A text that many rows share, with the number that stands for it among all of its kind.
pub struct Named {
    /// From 0, in the order in which they first came.
    pub number: u32,
    pub name: Box<str>,
    pub letters: Letters,
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The events of webhooks that subscribe to the same ones in the same order.
#[derive(Debug)]
pub struct EventList {
    pub number: u32,
    pub events: Box<[Arc<Named>]>,
    /// Of all names together.
    pub letters: Letters,
}

/// The rows of one page. It never changes.
pub struct Block {
    /// URL and id of each row, and the other spelling of some URLs, a line break behind each; the JSON of some.
    text: Box<str>,
    rows: Box<[Packed]>,
    letters: Box<[Letters]>,
    /// Of all rows together, events included.
    all_letters: Letters,
    lists: Box<[Arc<EventList>]>,
    hosts: Box<[Arc<Named>]>,
    /// Where the JSON stands of the rows that are more than their packed fields, by row.
    json: Box<[(u32, u32, u32)]>,
}

/// One row: places in its block.
#[derive(Debug, Clone, Copy)]
struct Packed {
    start: u32,
    url: u32,
    id: u32,
    /// [`NONE`] when it has no list of events.
    list: u32,
    /// [`NONE`] when the URL does not parse.
    host: u32,
    state: State,
    /// The URL has the host in it just as it is resolved.
    is_host_in_url: bool,
    /// The URL stands behind the id in another spelling.
    is_respelled: bool,
    /// Milliseconds since 1970, or [`NEVER`].
    created: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Active,
    Inactive,
    /// The API does not say plainly whether it delivers.
    Unknown,
    Malformed,
}

const NONE: u32 = u32::MAX;
const NEVER: i64 = i64::MIN;

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

impl Block {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether its rows are webhooks that are nothing but their packed fields.
    pub fn is_plain(&self) -> bool {
        self.json.is_empty()
    }

    /// The letters of everything that can be searched in its rows.
    pub fn letters(&self) -> Letters {
        self.all_letters
    }

    pub fn row(&self, index: usize) -> Option<RowRef<'_>> {
        let packed = self.rows.get(index)?;
        Some(RowRef { block: self, index, packed })
    }

    pub fn rows(&self) -> impl DoubleEndedIterator<Item = RowRef<'_>> + ExactSizeIterator {
        self.rows.iter().enumerate().map(|(index, packed)| RowRef { block: self, index, packed })
    }

    /// The URLs and the ids of all rows, in their order, and the other spelling of some URLs, a line break behind each; the JSON of
    /// some between them.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn slice(&self, start: u32, len: u32) -> &str {
        let (start, len) = (start as usize, len as usize);
        self.text.get(start..start.saturating_add(len)).unwrap_or_default()
    }
}

/// A row of a block. Reading it costs nothing; [`RowRef::unpack`] makes the whole of it.
#[derive(Debug, Clone, Copy)]
pub struct RowRef<'a> {
    block: &'a Block,
    index: usize,
    packed: &'a Packed,
}

impl<'a> RowRef<'a> {
    /// Whether it is a webhook, and not something that the API sent in place of one.
    pub fn is_webhook(self) -> bool {
        self.packed.state != State::Malformed
    }

    /// The true URL; empty for what is no webhook.
    pub fn url(self) -> &'a str {
        self.block.slice(self.packed.start, self.packed.url)
    }

    /// The true id; empty for what is no webhook.
    pub fn id(self) -> &'a str {
        self.block.slice(self.packed.start.saturating_add(self.packed.url).saturating_add(1), self.packed.id)
    }

    /// The URL as software will read it, where that is spelled otherwise.
    pub fn respelled_url(self) -> Option<&'a str> {
        self.block.text.get(self.place_of_respelled()?)
    }

    pub fn block(self) -> &'a Block {
        self.block
    }

    /// Where in the text of its block its URL and its id stand.
    pub fn places(self) -> (Range<usize>, Range<usize>) {
        let (start, url, id) = (self.packed.start as usize, self.packed.url as usize, self.packed.id as usize);
        let behind = start.saturating_add(url);
        (start..behind, behind.saturating_add(1)..behind.saturating_add(1).saturating_add(id))
    }

    /// As [`RowRef::places`], of the other spelling of the URL.
    pub fn place_of_respelled(self) -> Option<Range<usize>> {
        let start = self.places().1.end.saturating_add(1);
        let rest = self.block.text.get(start..).filter(|_| self.packed.is_respelled)?;
        // A parser leaves no line break in a URL.
        let length = rest.find('\n').unwrap_or(rest.len());
        Some(start..start.saturating_add(length))
    }

    /// As [`RowRef::places`], of all that can be searched: one text for one search.
    pub fn place_of_all(self) -> Range<usize> {
        let (url, id) = self.places();
        url.start..self.place_of_respelled().map_or(id.end, |respelled| respelled.end)
    }

    /// The letters of URL and id, in each of their spellings.
    pub fn letters(self) -> Letters {
        self.block.letters.get(self.index).copied().unwrap_or_default()
    }

    pub fn active(self) -> Option<bool> {
        match self.packed.state {
            State::Active => Some(true),
            State::Inactive => Some(false),
            State::Unknown | State::Malformed => None,
        }
    }

    /// What it is subscribed to; `None` when that is no list. Entries that are no names are left out.
    pub fn events(self) -> Option<&'a Arc<EventList>> {
        self.block.lists.get(self.packed.list as usize)
    }

    /// How many entries its list of events has, names or not.
    pub fn event_count(self) -> Option<usize> {
        let list = self.events()?;
        match self.json() {
            None => Some(list.events.len()),
            Some(_) => self.unpack().webhook()?.events.value().map(Vec::len),
        }
    }

    /// The host that the URL really names.
    pub fn host(self) -> Option<&'a Arc<Named>> {
        self.block.hosts.get(self.packed.host as usize)
    }

    /// The host, if the URL has it in it just so: what is in the host is in the URL then.
    pub fn host_in_url(self) -> Option<&'a Arc<Named>> {
        self.host().filter(|_| self.packed.is_host_in_url)
    }

    /// When it was created, in milliseconds since 1970.
    pub fn created_ms(self) -> Option<i64> {
        (self.packed.created != NEVER).then_some(self.packed.created)
    }

    pub fn created_at(self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.created_ms()?).ok()
    }

    /// The JSON of a row that is more than its packed fields.
    fn json(self) -> Option<&'a str> {
        let number = u32::try_from(self.index).ok()?;
        let place = self.block.json.binary_search_by_key(&number, |&(row, ..)| row).ok()?;
        let &(_, start, len) = self.block.json.get(place)?;
        Some(self.block.slice(start, len))
    }

    /// Whether the two are the same row of the API, field by field.
    pub fn is_same(self, other: RowRef<'_>) -> bool {
        let created = (self.packed.created, other.packed.created);
        self.packed.state == other.packed.state
            && created.0 == created.1
            && (self.url(), self.id()) == (other.url(), other.id())
            && is_same_list(self.events(), other.events())
            && self.json() == other.json()
    }

    /// The row as it came, with everything that the API sent of it.
    pub fn unpack(self) -> Row {
        if let Some(json) = self.json() {
            let raw = serde_json::from_str::<&RawValue>(json);
            if let Some(row) = raw.ok().and_then(|raw| Row::decode(raw).ok()) {
                return row;
            }
        }
        let names = self.events().map(|list| list.events.iter().map(|event| EventEntry::Name(EventName::new(&event.name))));
        Row::Webhook(Webhook {
            id: WebhookId::new(self.id()),
            url: Destination::new(self.url()),
            events: names.map_or(Field::Missing, |names| Field::Value(names.collect())),
            is_active: self.active().map_or(Field::Missing, Field::Value),
            created_at: self.created_at().map_or(Field::Missing, |at| {
                Field::Value(CreatedAt::new(&at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()))
            }),
            unknown: Vec::new(),
        })
    }
}

impl HashContract for RowRef<'_> {
    fn is_webhook(&self) -> bool {
        RowRef::is_webhook(*self)
    }

    fn hash_contract(&self, hasher: &mut impl Hasher) {
        if !RowRef::is_webhook(*self) {
            return self.json().hash(hasher);
        }
        (self.id(), self.url(), self.active(), self.packed.created).hash(hasher);
        self.events().into_iter().flat_map(|list| &list.events).for_each(|event| event.name.hash(hasher));
    }
}

/// Whether both have the same events in the same order.
fn is_same_list(one: Option<&Arc<EventList>>, other: Option<&Arc<EventList>>) -> bool {
    match (one, other) {
        // Nearly always one packer made them both.
        (Some(one), Some(other)) => {
            Arc::ptr_eq(one, other)
                || one.events.len() == other.events.len()
                    && one.events.iter().zip(&other.events).all(|(one, other)| one.name == other.name)
        }
        (one, other) => one.is_none() && other.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Element;
    use crate::model::draft::Draft;
    use crate::model::host::host;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    /// The row by the patient way, and by the fast one if it is plain.
    fn drafts(json: &str) -> Vec<Draft> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let fast = Draft::read_plain(&mut deserializer).ok();
        let patient = Draft::decode(&raw(json)).unwrap();
        [patient].into_iter().chain(fast).collect()
    }

    /// What is packed comes out again as it was.
    fn assert_same(json: &str) {
        let row = Row::decode(&raw(json)).unwrap();
        let packer = Packer::default();
        let block = packer.pack_rows(drafts(json));
        for packed in block.rows() {
            assert_eq!(packed.unpack(), row, "{json}");
            assert_eq!(packed.is_webhook().then(|| packed.id()), row.id().map(WebhookId::raw), "{json}");
            assert_eq!(packed.active(), row.active(), "{json}");
            assert!(packed.is_same(block.row(0).unwrap()), "{json}");
            assert!(block.letters().cover(packed.letters()), "{json}");
            assert!(packed.events().is_none_or(|list| block.letters().cover(list.letters)), "{json}");
            let Some(webhook) = row.webhook() else { continue };
            assert_eq!(packed.url(), webhook.url.raw());
            let texts = packed.block.text().get(packed.place_of_all()).unwrap();
            let parts = [Some(webhook.url.raw()), Some(webhook.id.raw()), packed.respelled_url()];
            assert_eq!(texts, parts.into_iter().flatten().collect::<Vec<_>>().join("\n"));
            assert!(parts.into_iter().flatten().all(|part| packed.letters().cover(Letters::of(part))), "{json}");
            assert_eq!(packed.respelled_url(), webhook.url.respelled().as_deref(), "{json}");
            assert_eq!(packed.host().map(|host| &*host.name), host(webhook.url.raw()).as_deref());
            assert!(packed.host_in_url().is_none_or(|host| packed.url().contains(&*host.name)));
            assert_eq!(
                packed.created_at(),
                webhook
                    .created_at
                    .value()
                    .and_then(CreatedAt::at)
                    .map(|at| { Timestamp::from_millisecond(at.as_millisecond()).unwrap() })
            );
            let names: Option<Vec<_>> = packed.events().map(|list| list.events.iter().map(|event| &*event.name).collect());
            assert_eq!(names, webhook.events.value().map(|_| webhook.event_names().map(EventName::raw).collect()));
        }
    }

    #[test]
    fn a_plain_row_is_read_the_fast_way_and_needs_no_json() {
        let json = r#"{"id":"a","url":"https://x.com/","events":["e","f"],"is_active":true,"createdAt":"2024-03-01T10:00:00.123Z","secret":"*"}"#;
        assert_eq!(drafts(json).len(), 2);
        assert_same(json);
        let block = Packer::default().pack_rows(drafts(json));
        assert!(block.json.is_empty() && block.rows().all(|row| row.json().is_none()));
        assert_eq!((block.lists.len(), block.hosts.len()), (1, 1), "shared texts are there once");
        assert!(block.rows().all(|row| row.host_in_url().is_some()));
    }

    #[test]
    fn whatever_is_odd_is_kept_whole() {
        for json in [
            "null",
            r#"{"id":7,"url":"u"}"#,
            r#"{"id":"a","url":"no url"}"#,
            r#"{"id":"a","url":"u","events":["a\nb","a\\nb","",7],"is_active":null,"created_at":5}"#,
            r#"{"id":"a","url":"u","events":["a\nb","\\","",""],"is_active":false,"created_at":"2024-03-01T10:00:00.000Z"}"#,
            r#"{"id":"a","url":"u","events":[],"is_active":false,"created_at":"2024-03-01T10:00:00Z"}"#,
            r#"{"id":"a","url":"u","events":[],"is_active":false,"created_at":"2016-12-31T23:59:60.000Z"}"#,
            r#"{"id":"a","url":"u","events":[],"is_active":false,"created_at":"2024-03-01T10:00:00.000Z","n":1e400}"#,
            r#"{"id":"\u212a\n","url":"u\n\nv","events":[],"is_active":false,"created_at":"2024-03-01T10:00:00.000Z"}"#,
        ] {
            assert_same(json);
        }
    }

    proptest! {
        #[test]
        fn any_row_comes_out_as_it_was(
            url in r"(https://[a-z.]{1,8}/[a-z\\n]{0,4}|[a-zé]{0,5})",
            events in r#"(\["[a-z\\]{0,3}","b"\]|\[\]|null|"x")"#,
            active in "(true|false|null|1)",
            created in r#""20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\.[0-9]{3}Z""#,
            more in r#"(,"n":[0-9]|)"#,
        ) {
            let json = format!(r#"{{"id":"a","url":"{url}","events":{events},"is_active":{active},"created_at":{created}{more}}}"#);
            prop_assume!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
            assert_same(&json);
        }
    }
}
