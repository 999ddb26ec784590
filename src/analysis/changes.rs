//! What differs between two listings of a workspace, webhook by webhook, as people look at it: a bounded part of it, and how
//! much there is of the rest.

use std::collections::HashMap;

use super::audit::RuleSet;
use super::diff::{FieldChange, Ignored, Kind, changes, purpose};
use super::query::{FilterFacts, Matcher, Query};
use crate::model::{OwnedRow, RowRef, Rows};

/// Webhooks that are told of; the others are counted.
pub const SHOWN: usize = 10_000;
/// Bytes of the values of one webhook that are kept, and of all together. Of what is longer only the names of fields are.
const LONGEST: usize = 64 << 10;
const MOST: usize = 32 << 20;

/// What happened to one webhook.
#[derive(Debug, Clone)]
pub enum Entry {
    Added(OwnedRow),
    /// It is not in the later listing. That it is gone is another question.
    Removed(OwnedRow),
    /// As it is now, and what of it was something else.
    Changed(OwnedRow, Vec<FieldChange>),
}

impl Entry {
    /// The webhook as it is now, or as it was.
    pub fn row(&self) -> RowRef<'_> {
        self.owned_row().row()
    }

    pub fn owned_row(&self) -> &OwnedRow {
        match self {
            Self::Added(standing) | Self::Removed(standing) | Self::Changed(standing, _) => standing,
        }
    }

    pub fn id(&self) -> &str {
        self.row().id()
    }
}

/// The differences of two listings: what went, what changed, then what came, each in the order of its listing.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub entries: Vec<Entry>,
    pub added: u64,
    pub removed: u64,
    pub changed: u64,
    /// The same of all webhooks, whatever is asked for.
    pub all: u64,
    /// Webhooks that seem to have been registered anew, among those that are told of: one that went and one that came with the
    /// same URL and events. The id of either by that of the other.
    pub moved: HashMap<Box<str>, Box<str>>,
}

/// Two listings of one packer without repeated ids, and which webhooks of them are asked for.
#[derive(Debug, Clone)]
pub struct Sides {
    pub before: Rows,
    pub after: Rows,
    pub query: Query,
    pub facts: FilterFacts,
}

impl Sides {
    /// Compares them by the ids. A webhook counts when either side of it is asked for.
    pub fn compare(&self) -> Changes {
        let mut matcher = Matcher::new(&self.query, &self.facts);
        let mut before: HashMap<&str, (u64, usize)> = HashMap::new();
        let mut found = Found::default();
        for (page, _, segment) in self.before.segments() {
            for (index, row) in segment.iter().enumerate().filter(|(_, row)| row.is_webhook()) {
                before.insert(row.id(), (page, index));
            }
        }
        let unknown = RuleSet::default();
        for (page, _, segment) in self.after.segments() {
            let verdicts = self.facts.verdicts.of_page(self.after.page_size(), page);
            for (index, row) in segment.iter().enumerate().filter(|(_, row)| row.is_webhook()) {
                let broken = verdicts.at(segment, index);
                let owned = || OwnedRow::new(&segment.page, index);
                match before.remove(row.id()).and_then(|(page, index)| self.before.segment(page)?.row(index)) {
                    None => {
                        found.changes.all += 1;
                        if matcher.matches(row, broken) {
                            found.add(owned);
                        }
                    }
                    Some(former) if !former.is_same(row) => {
                        let is_asked = matcher.matches(row, broken) || matcher.matches(former, unknown);
                        found.change(former, row, is_asked, owned);
                    }
                    Some(_) => {}
                }
            }
        }
        let mut gone: Vec<_> = before.into_values().collect();
        gone.sort_unstable();
        found.changes.all += gone.len() as u64;
        for (page, index) in gone {
            let Some(segment) = self.before.segment(page) else { continue };
            if segment.row(index).is_some_and(|row| matcher.matches(row, unknown)) {
                found.remove(|| OwnedRow::new(&segment.page, index));
            }
        }
        found.finish()
    }
}

/// Differences that are being gathered.
#[derive(Default)]
struct Found {
    changes: Changes,
    added: Vec<Entry>,
    changed: Vec<Entry>,
    removed: Vec<Entry>,
    bytes: usize,
}

impl Found {
    fn add(&mut self, owned: impl FnOnce() -> Option<OwnedRow>) {
        self.changes.added += 1;
        if self.added.len() < SHOWN {
            self.added.extend(owned().map(Entry::Added));
        }
    }

    fn remove(&mut self, owned: impl FnOnce() -> Option<OwnedRow>) {
        self.changes.removed += 1;
        if self.removed.len() < SHOWN {
            self.removed.extend(owned().map(Entry::Removed));
        }
    }

    fn change(&mut self, before: RowRef<'_>, after: RowRef<'_>, is_asked: bool, owned: impl FnOnce() -> Option<OwnedRow>) {
        let Some((before, after)) = before.webhook().zip(after.webhook()) else { return };
        let mut fields = changes(&before, &after, &Ignored::default());
        if fields.is_empty() {
            // It is only spelled in another way.
            return;
        }
        self.changes.all += 1;
        if !is_asked {
            return;
        }
        self.changes.changed += 1;
        if self.changed.len() >= SHOWN {
            return;
        }
        let bytes: usize = fields.iter().map(size).sum();
        if bytes > LONGEST || self.bytes + bytes > MOST {
            fields.iter_mut().for_each(forget_values);
        } else {
            self.bytes += bytes;
        }
        self.changed.extend(owned().map(|row| Entry::Changed(row, fields)));
    }

    fn finish(self) -> Changes {
        let mut changes = self.changes;
        changes.moved = moved(&self.removed, &self.added);
        changes.entries = self.removed;
        changes.entries.extend(self.changed);
        changes.entries.extend(self.added);
        changes.entries.truncate(SHOWN);
        changes
    }
}

fn moved(removed: &[Entry], added: &[Entry]) -> HashMap<Box<str>, Box<str>> {
    if removed.is_empty() || added.is_empty() {
        return HashMap::new();
    }
    let purpose_of = |entry: &Entry| entry.row().webhook().map(|webhook| purpose(&webhook));
    let mut gone: HashMap<_, Vec<&str>> = HashMap::new();
    for entry in removed.iter().rev() {
        if let Some(purpose) = purpose_of(entry) {
            gone.entry(purpose).or_default().push(entry.id());
        }
    }
    let mut pairs = HashMap::new();
    for entry in added {
        if let Some(former) = purpose_of(entry).and_then(|purpose| gone.get_mut(&purpose)?.pop()) {
            pairs.insert(former.into(), entry.id().into());
            pairs.insert(entry.id().into(), former.into());
        }
    }
    pairs
}

fn size(change: &FieldChange) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    match &change.kind {
        Kind::Url { before, after } => [before, after].into_iter().flatten().map(|part| part.raw.len()).sum(),
        Kind::Value { before, after } => length(before) + length(after),
        Kind::Events { added, removed } => added.iter().chain(removed).map(String::len).sum(),
    }
}

fn forget_values(change: &mut FieldChange) {
    change.kind = Kind::Value { before: None, after: None };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Interner;
    use crate::model::testing::interned_page;

    fn compared(before: &[&str], after: &[&str], query: &str) -> Changes {
        let interner = Interner::default();
        let [before, after] = [before, after].map(|jsons| [interned_page(&interner, jsons)].into_iter().collect());
        let query = Query::parse(query, jiff::Timestamp::UNIX_EPOCH).unwrap();
        Sides { before, after, query, facts: FilterFacts::default() }.compare()
    }

    fn told(changes: &Changes) -> Vec<String> {
        let line = |entry: &Entry| match entry {
            Entry::Added(_) => format!("+{}", entry.id()),
            Entry::Removed(_) => format!("-{}", entry.id()),
            Entry::Changed(_, fields) => {
                let names: Vec<_> = fields.iter().map(|change| change.field.as_str()).collect();
                format!("~{} {}", entry.id(), names.join(","))
            }
        };
        changes.entries.iter().map(line).collect()
    }

    const A: &str =
        r#"{"id":"a","url":"https://a/","events":["x","y"],"is_active":true,"created_at":"2024-01-01T00:00:00.000Z"}"#;

    #[test]
    fn what_went_changed_and_came_is_told_in_this_order() {
        let paused = A.replace("true", "false").replace("https://a/", "https://b/");
        let before = [r#"{"id":"c","url":"u"}"#, A, r#"{"id":"b","url":"u"}"#];
        let changes = compared(&before, &[&paused, r#"{"id":"n","url":"u"}"#, r#"{"id":"b","url":"u"}"#], "");
        assert_eq!(told(&changes), ["-c", "~a url.host,is_active", "+n"]);
        assert_eq!((changes.added, changes.removed, changes.changed), (1, 1, 1));
    }

    #[test]
    fn what_came_back_under_another_id_is_known() {
        let anew = |id| A.replace(r#""id":"a""#, &format!(r#""id":"{id}""#));
        let (b, c) = (anew("b"), anew("c").replace(r#","y""#, ""));
        let changes = compared(&[A], &[&b, &c], "");
        let moved = |id: &str| changes.moved.get(id).map(|id| &**id);
        assert_eq!((moved("a"), moved("b"), moved("c")), (Some("b"), Some("a"), None));
    }

    #[test]
    fn another_spelling_is_no_change() {
        let turned = A.replace(r#"["x","y"]"#, r#"["y","x"]"#);
        assert!(compared(&[A], &[&turned], "").entries.is_empty());
        let (one, other) = (r#"{"id":"a","url":"u","m":1,"n":2}"#, r#"{"url":"u","id":"a","n":2.0,"m":1}"#);
        assert!(compared(&[one], &[other], "").entries.is_empty());
    }

    #[test]
    fn a_filter_looks_at_both_sides() {
        let moved = A.replace("https://a/", "https://b/");
        for (query, count) in [("host:=a", 1), ("host:=b", 1), ("host:=c", 0)] {
            assert_eq!(compared(&[A], &[&moved], query).entries.len(), count, "{query}");
        }
    }

    #[test]
    fn many_are_counted_and_long_values_are_not_kept() {
        let many: Vec<String> = (0..SHOWN + 5).map(|number| format!(r#"{{"id":"{number}","url":"u"}}"#)).collect();
        let changes = compared(&[], &many.iter().map(String::as_str).collect::<Vec<_>>(), "");
        assert_eq!((changes.entries.len(), changes.added), (SHOWN, SHOWN as u64 + 5));
        let long = format!(r#"{{"id":"a","url":"u","n":"{}"}}"#, "x".repeat(LONGEST));
        let changes = compared(&[r#"{"id":"a","url":"u"}"#], &[&long], "");
        let Some(Entry::Changed(_, fields)) = changes.entries.first() else { panic!("{changes:?}") };
        assert_eq!(fields[0].kind, Kind::Value { before: None, after: None });
    }
}
