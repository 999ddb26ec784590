//! Shares host names, event names and lists of events between rows, so that a million rows hold each of them once.

use std::borrow::{Borrow, Cow};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A text that many rows share. Within one interner, equal numbers mean equal texts.
pub struct SharedName {
    /// Counted from 0, in the order of first use.
    pub number: u32,
    pub name: Box<str>,
}

impl fmt::Debug for SharedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedName").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The event names of all webhooks that list the same names in the same order.
#[derive(Debug)]
pub struct EventList {
    /// Counted from 0, in the order of first use.
    pub number: u32,
    pub events: Box<[Arc<SharedName>]>,
}

/// Interns names. All pages of a listing must use one interner, since names are compared by their numbers. Clones share
/// their names, and several threads can use them at once.
#[derive(Debug, Default, Clone)]
pub struct Interner(Arc<RwLock<Names>>);

impl Interner {
    /// Interns a host name.
    pub(super) fn host(&self, host: &str) -> Arc<SharedName> {
        let known = self.read().hosts.get(host);
        known.unwrap_or_else(|| self.write().hosts.add(host))
    }

    /// Interns a list of event names, encoded by [`push_name`].
    pub(super) fn event_list(&self, names: &str) -> Arc<EventList> {
        let known = self.read().lists.get(names).map(Arc::clone);
        known.unwrap_or_else(|| self.write().add_list(names))
    }

    /// Drops the names that no page uses.
    pub fn forget_unused(&self) {
        let mut names = self.write();
        names.lists.retain(|_, list| Arc::strong_count(list) > 1);
        names.hosts.forget_unused();
        names.events.forget_unused();
    }

    // Names are added one by one, so a panic leaves the tables complete.
    fn read(&self) -> RwLockReadGuard<'_, Names> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Names> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Appends a name to an encoded list of names: each ends with a line feed, and line feeds and backslashes in names are
/// escaped.
pub(super) fn push_name(list: &mut String, name: &str) {
    if name.contains(['\n', '\\']) {
        list.push_str(&name.replace('\\', "\\\\").replace('\n', "\\n"));
    } else {
        list.push_str(name);
    }
    list.push('\n');
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

#[derive(Debug, Default)]
struct Names {
    hosts: NameTable,
    events: NameTable,
    /// By the encoded names.
    lists: HashMap<Box<str>, Arc<EventList>>,
    next_list: u32,
}

impl Names {
    fn add_list(&mut self, key: &str) -> Arc<EventList> {
        if let Some(list) = self.lists.get(key) {
            return Arc::clone(list);
        }
        let names = key.split_terminator('\n').map(|name| self.events.add(&unescape(name)));
        let list = Arc::new(EventList { number: self.next_list, events: names.collect() });
        self.next_list += 1;
        self.lists.insert(key.into(), Arc::clone(&list));
        list
    }
}

/// Names of one kind.
#[derive(Debug, Default)]
struct NameTable {
    known: HashSet<ByName>,
    next: u32,
}

impl NameTable {
    fn get(&self, name: &str) -> Option<Arc<SharedName>> {
        self.known.get(name).map(|ByName(shared)| Arc::clone(shared))
    }

    fn add(&mut self, name: &str) -> Arc<SharedName> {
        if let Some(shared) = self.get(name) {
            return shared;
        }
        let shared = Arc::new(SharedName { number: self.next, name: name.into() });
        self.next += 1;
        self.known.insert(ByName(Arc::clone(&shared)));
        shared
    }

    fn forget_unused(&mut self) {
        self.known.retain(|ByName(shared)| Arc::strong_count(shared) > 1);
    }
}

/// A shared name that a table finds by its text.
#[derive(Debug)]
struct ByName(Arc<SharedName>);

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

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(interner: &Interner) -> (usize, usize, usize) {
        let names = interner.read();
        (names.hosts.known.len(), names.events.known.len(), names.lists.len())
    }

    #[test]
    fn unused_names_are_dropped() {
        let interner = Interner::default();
        let (host, list) = (interner.host("x.com"), interner.event_list("e\n"));
        interner.forget_unused();
        assert_eq!(counts(&interner), (1, 1, 1));
        assert_eq!(interner.host("x.com").number, host.number);
        drop((host, list));
        interner.forget_unused();
        assert_eq!(counts(&interner), (0, 0, 0));
    }

    #[test]
    fn names_with_line_feeds_stay_apart() {
        let interner = Interner::default();
        let mut encoded = String::new();
        for name in ["a\nb", "a\\nb", "", "\\"] {
            push_name(&mut encoded, name);
        }
        let list = interner.event_list(&encoded);
        let names: Vec<&str> = list.events.iter().map(|event| &*event.name).collect();
        assert_eq!(names, ["a\nb", "a\\nb", "", "\\"]);
    }

    #[test]
    fn threads_share_names_that_they_add_at_once() {
        let interner = Interner::default();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let interner = &interner;
                scope.spawn(move || {
                    for number in 0..200 {
                        let (host, event) = ((number + thread) % 10, (number * 7 + thread) % 10);
                        assert_eq!(&*interner.host(&format!("h{host}")).name, format!("h{host}"));
                        interner.event_list(&format!("e{event}\nf\n"));
                    }
                });
            }
        });
        // Nothing holds them, but they stay until they are forgotten.
        assert_eq!(counts(&interner), (10, 11, 10));
    }
}
