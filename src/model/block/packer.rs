//! Making blocks: texts that many rows share are kept once.

use std::borrow::{Borrow, Cow};
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;

use super::{Block, EventList, NEVER, NONE, Named, Packed, State};
use crate::model::draft::{Draft, Drafted, Drafts, PlainDraft, usual_time};
use crate::model::host::host_and_respelled;
use crate::model::letters::Letters;
use crate::model::row::Row;
use crate::model::{CreatedAt, Elements, EventEntry, EventName, Field, Webhook};

/// Packs rows. Texts that were packed before and are still in use somewhere are shared: rows of one listing must be of one
/// packer, wherever they came from. Several threads may use it, through clones.
#[derive(Debug, Default, Clone)]
pub struct Packer(Arc<RwLock<Texts>>);

impl Packer {
    /// Packs the rows of a page.
    pub fn pack(&self, page: &Drafts) -> Block {
        let mut build = Build::new(self);
        build.reserve(page);
        page.views().for_each(|draft| build.add(&draft));
        build.finish()
    }

    /// As [`Packer::pack`], for rows that come one by one.
    pub fn pack_rows(&self, rows: impl IntoIterator<Item = Draft>) -> Block {
        let mut build = Build::new(self);
        rows.into_iter().for_each(|draft| build.add(&draft.view()));
        build.finish()
    }

    /// Forgets the texts that no block has any more.
    pub fn forget_unused(&self) {
        let mut texts = self.write();
        texts.lists.retain(|_, list| Arc::strong_count(list) > 1);
        texts.hosts.forget_unused();
        texts.events.forget_unused();
    }

    // What a panic left is complete as far as it goes: texts are added one by one.
    fn read(&self) -> RwLockReadGuard<'_, Texts> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Texts> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The texts that are known.
#[derive(Debug, Default)]
struct Texts {
    hosts: Names,
    events: Names,
    /// By the names, with a line break behind each.
    lists: HashMap<Box<str>, Arc<EventList>>,
    next_list: u32,
}

impl Texts {
    fn add_list(&mut self, key: &str) -> Arc<EventList> {
        if let Some(list) = self.lists.get(key) {
            return Arc::clone(list);
        }
        let names = key.split_terminator('\n').map(|name| self.events.add(&unescape(name)));
        let events: Box<[Arc<Named>]> = names.collect();
        let letters = events.iter().fold(Letters::default(), |letters, event| letters.with(event.letters));
        let list = Arc::new(EventList { number: self.next_list, events, letters });
        self.next_list += 1;
        self.lists.insert(key.into(), Arc::clone(&list));
        list
    }
}

/// Whether a webhook is nothing but its packed fields.
fn is_plain(webhook: &Webhook) -> bool {
    let names_only = |events: &Vec<EventEntry>| events.iter().all(|entry| matches!(entry, EventEntry::Name(_)));
    webhook.unknown.is_empty()
        && webhook.events.value().is_some_and(names_only)
        && webhook.is_active.value().is_some()
        && webhook.created_at.value().is_some_and(|created| usual_time(created.raw()).is_some())
}

/// Names as one text that stands for their list: a line break behind each, those within them escaped.
fn key<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut key = String::new();
    for name in names {
        if name.contains(['\n', '\\']) {
            key.push_str(&name.replace('\\', "\\\\").replace('\n', "\\n"));
        } else {
            key.push_str(name);
        }
        key.push('\n');
    }
    key
}

fn unescape(name: &str) -> Cow<'_, str> {
    if !name.contains('\\') {
        return Cow::Borrowed(name);
    }
    let mut text = String::with_capacity(name.len());
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(if chars.next() == Some('n') { '\n' } else { '\\' }),
            c => text.push(c),
        }
    }
    Cow::Owned(text)
}

/// Texts of one kind, each once.
#[derive(Debug, Default)]
struct Names {
    known: HashSet<ByName>,
    next: u32,
}

impl Names {
    fn get(&self, name: &str) -> Option<Arc<Named>> {
        self.known.get(name).map(|ByName(named)| Arc::clone(named))
    }

    fn add(&mut self, name: &str) -> Arc<Named> {
        if let Some(named) = self.get(name) {
            return named;
        }
        let named = Arc::new(Named { number: self.next, name: name.into(), letters: Letters::of(name) });
        self.next += 1;
        self.known.insert(ByName(Arc::clone(&named)));
        named
    }

    fn forget_unused(&mut self) {
        self.known.retain(|ByName(named)| Arc::strong_count(named) > 1);
    }
}

#[derive(Debug)]
struct ByName(Arc<Named>);

impl Borrow<str> for ByName {
    fn borrow(&self) -> &str {
        &self.0.name
    }
}

impl Hash for ByName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for ByName {}

impl Packed {
    const NOTHING: Self = Self {
        start: 0,
        url: 0,
        id: 0,
        list: NONE,
        host: NONE,
        state: State::Malformed,
        is_host_in_url: false,
        is_respelled: false,
        created: NEVER,
    };
}

/// A block that is being filled.
struct Build<'p> {
    packer: &'p Packer,
    /// Held from row to row, since nearly all texts are known: others read them meanwhile too.
    known: Option<RwLockReadGuard<'p, Texts>>,
    text: String,
    rows: Vec<Packed>,
    letters: Vec<Letters>,
    lists: Vec<Arc<EventList>>,
    hosts: Vec<Arc<Named>>,
    json: Vec<(u32, u32, u32)>,
}

/// Shared texts that are looked for among those of the block already, from the end.
const LOOKED_BACK: usize = 16;

impl<'p> Build<'p> {
    fn new(packer: &'p Packer) -> Self {
        Self {
            packer,
            known: None,
            text: String::new(),
            rows: Vec::new(),
            letters: Vec::new(),
            lists: Vec::new(),
            hosts: Vec::new(),
            json: Vec::new(),
        }
    }

    /// Makes room for a page, so that nothing has to grow, and leave its former places behind in memory.
    fn reserve(&mut self, page: &Drafts) {
        let length = |draft: Drafted<'_>| match draft {
            Drafted::Plain(plain) => plain.url.len() + plain.id.len() + 2,
            Drafted::Row(_) => 0,
        };
        self.text.reserve_exact(page.views().map(length).sum());
        self.rows.reserve_exact(page.count());
        self.letters.reserve_exact(page.count());
    }

    fn add(&mut self, draft: &Drafted<'_>) {
        match draft {
            Drafted::Plain(plain) => self.add_plain(plain),
            Drafted::Row(row) => self.add_row(row),
        }
    }

    fn add_plain(&mut self, plain: &PlainDraft<'_>) {
        let state = if plain.active { State::Active } else { State::Inactive };
        let list = self.list(plain.names);
        self.push(plain.url, plain.id, Packed { list, state, created: plain.created, ..Packed::NOTHING });
    }

    fn add_row(&mut self, row: &Row) {
        let webhook = match row {
            Row::Webhook(webhook) => webhook,
            Row::Malformed(_) => {
                self.push("", "", Packed::NOTHING);
                return self.add_json(row);
            }
        };
        let list = match &webhook.events {
            Field::Value(_) => self.list(&key(webhook.event_names().map(EventName::raw))),
            Field::Missing | Field::Odd(_) => NONE,
        };
        let state = match webhook.active() {
            Some(true) => State::Active,
            Some(false) => State::Inactive,
            None => State::Unknown,
        };
        let created = webhook.created_at.value().and_then(CreatedAt::at).map_or(NEVER, Timestamp::as_millisecond);
        self.push(webhook.url.raw(), webhook.id.raw(), Packed { list, state, created, ..Packed::NOTHING });
        if !is_plain(webhook) {
            self.add_json(row);
        }
    }

    /// Adds a row, of which everything is there that its URL and its id do not tell.
    fn push(&mut self, url: &str, id: &str, packed: Packed) {
        let start = size(self.text.len());
        for part in [url, "\n", id, "\n"] {
            self.text.push_str(part);
        }
        let mut letters = Letters::of(url);
        let (host, respelled) = host_and_respelled(url, letters);
        if let Some(respelled) = &respelled {
            self.text.push_str(respelled);
            self.text.push('\n');
            letters = letters.with(Letters::of(respelled));
        }
        self.letters.push(letters.with(Letters::of(id)));
        let (is_host_in_url, is_respelled) = (matches!(host, Some(Cow::Borrowed(_))), respelled.is_some());
        let host = host.map_or(NONE, |host| self.host(&host));
        let (url, id) = (size(url.len()), size(id.len()));
        self.rows.push(Packed { start, url, id, host, is_host_in_url, is_respelled, ..packed });
    }

    /// Keeps all of the last row.
    fn add_json(&mut self, row: &Row) {
        let start = self.text.len();
        self.text.push_str(&serde_json::to_string(row).unwrap_or_default());
        self.json.push((size(self.rows.len().saturating_sub(1)), size(start), size(self.text.len() - start)));
    }

    /// The place of the list of these names, each with a line break behind it.
    fn list(&mut self, key: &str) -> u32 {
        let list = self.shared(|texts| texts.lists.get(key).map(Arc::clone), |texts| texts.add_list(key));
        place(&mut self.lists, &list)
    }

    /// The place of a host.
    fn host(&mut self, host: &str) -> u32 {
        let host = self.shared(|texts| texts.hosts.get(host), |texts| texts.hosts.add(host));
        place(&mut self.hosts, &host)
    }

    /// A text that is known, or that is added now.
    fn shared<T>(&mut self, get: impl FnOnce(&Texts) -> Option<T>, add: impl FnOnce(&mut Texts) -> T) -> T {
        let packer = self.packer;
        if let Some(known) = get(self.known.get_or_insert_with(|| packer.read())) {
            return known;
        }
        // Nobody can write what is being read.
        self.known = None;
        add(&mut packer.write())
    }

    fn finish(self) -> Block {
        let of_events = self.lists.iter().map(|list| list.letters);
        let all_letters = self.letters.iter().copied().chain(of_events).fold(Letters::default(), Letters::with);
        Block {
            text: self.text.into(),
            rows: self.rows.into(),
            letters: self.letters.into(),
            all_letters,
            lists: self.lists.into(),
            hosts: self.hosts.into(),
            json: self.json.into(),
        }
    }
}

/// The place of a shared value in a block's own table.
fn place<T>(table: &mut Vec<Arc<T>>, value: &Arc<T>) -> u32 {
    let recent = table.iter().enumerate().rev().take(LOOKED_BACK).find(|(_, known)| Arc::ptr_eq(known, value));
    let place = match recent {
        Some((place, _)) => place,
        None => {
            table.push(Arc::clone(value));
            table.len() - 1
        }
    };
    size(place)
}

/// A page is at most 1 GiB, the most that `max_page_bytes` allows.
fn size(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use serde_json::value::RawValue;

    use super::*;
    use crate::model::Element;

    fn drafts(json: &str) -> Vec<Draft> {
        vec![Draft::decode(&RawValue::from_string(json.to_owned()).unwrap()).unwrap()]
    }

    fn counts(packer: &Packer) -> (usize, usize, usize) {
        let texts = packer.read();
        (texts.hosts.known.len(), texts.events.known.len(), texts.lists.len())
    }

    #[test]
    fn texts_that_nobody_has_any_more_are_forgotten() {
        let json =
            r#"{"id":"a","url":"https://x.com/","events":["e"],"is_active":true,"created_at":"2024-03-01T10:00:00.123Z"}"#;
        let packer = Packer::default();
        let block = packer.pack_rows(drafts(json));
        packer.forget_unused();
        assert_eq!(counts(&packer), (1, 1, 1));
        let again = packer.pack_rows(drafts(json));
        assert_eq!(again.row(0).unwrap().host().unwrap().number, block.row(0).unwrap().host().unwrap().number);
        drop((block, again));
        packer.forget_unused();
        assert_eq!(counts(&packer), (0, 0, 0));
    }

    #[test]
    fn threads_share_what_they_pack_at_once() {
        let packer = Packer::default();
        let blocks: Vec<Block> = thread::scope(|scope| {
            let pack = |thread: usize| {
                let packer = packer.clone();
                let one = move |number: usize| {
                    let (host, event) = ((number + thread) % 10, (number * 7 + thread) % 10);
                    drafts(&format!(r#"{{"id":"{number}","url":"https://h{host}.com/","events":["e{event}","f"]}}"#))
                };
                scope.spawn(move || packer.pack_rows((0..200).flat_map(one)))
            };
            let threads: Vec<_> = (0..4).map(pack).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(counts(&packer), (10, 11, 10));
        let mut hosts = HashMap::new();
        for row in blocks.iter().flat_map(Block::rows) {
            let host = row.host().unwrap();
            assert_eq!(*hosts.entry(&host.name).or_insert(host.number), host.number, "one number a host");
            assert_eq!(row.url(), format!("https://{}/", host.name));
        }
    }
}
