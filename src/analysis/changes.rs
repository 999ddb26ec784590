//! The differences of two listings for the view of changes: a bounded number of them, and counts of all.

use std::collections::HashMap;

use super::diff::{Diff, DiffSide, NumberedRow};
use super::field_changes::{FieldChange, FieldChangeKind, IgnoredFields, field_changes};
use super::query::{FilterFacts, Matcher, Query};
use crate::model::{OwnedRow, RowRef, Rows, Webhook};

/// The most webhooks to list; the others are counted.
pub const SHOWN: usize = 10_000;
/// The most bytes of values to keep for one webhook, and for all together. Of longer ones only the names of fields are kept.
const LONGEST: usize = 64 << 10;
const MOST: usize = 32 << 20;

/// The change of one webhook.
#[derive(Debug, Clone)]
pub enum ChangeEntry {
    Added(OwnedRow),
    /// It is not in the later listing, which does not prove that it was removed.
    Removed(OwnedRow),
    /// The webhook as it is now, and its changes.
    Changed(OwnedRow, Vec<FieldChange>),
}

impl ChangeEntry {
    /// The webhook as it is now, or as it was.
    pub fn row(&self) -> RowRef<'_> {
        self.owned_row().row()
    }

    pub fn owned_row(&self) -> &OwnedRow {
        match self {
            Self::Added(row) | Self::Removed(row) | Self::Changed(row, _) => row,
        }
    }

    pub fn id(&self) -> &str {
        self.row().id()
    }
}

/// The differences of two listings: removed webhooks, changed ones, then added ones, each in the order of its listing.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub entries: Vec<ChangeEntry>,
    pub added: u64,
    pub removed: u64,
    pub changed: u64,
    /// The number of differences, whatever the query matches.
    pub all: u64,
    /// Webhooks in `entries` that were probably registered again: one was removed and one added with the same URL and events.
    /// The id of either by that of the other.
    pub moved: HashMap<Box<str>, Box<str>>,
}

/// A request for the differences of two listings that a query matches.
#[derive(Debug, Clone)]
pub struct ChangesRequest {
    pub before: Rows,
    pub after: Rows,
    pub query: Query,
    pub facts: FilterFacts,
}

impl ChangesRequest {
    /// Compares the listings. A difference matches if either side of it does.
    pub fn compare(&self) -> Changes {
        let mut diff = Diff::of(&self.before, &self.after, &IgnoredFields::default());
        let all = diff.count() as u64;
        let mut matcher = Matcher::new(&self.query, &self.facts);
        let mut findings = self.facts.findings.reader(&self.after);
        diff.retain(|side, (number, row)| {
            let broken = if side == DiffSide::After { findings.find(number) } else { None };
            matcher.matches(row, broken.unwrap_or_default())
        });
        let (added, removed, changed) = (diff.added.len() as u64, diff.removed.len() as u64, diff.changed.len() as u64);
        diff.truncate(SHOWN);
        let mut moved = HashMap::new();
        for (former, again) in diff.registered_again() {
            moved.insert(former.id().into(), again.id().into());
            moved.insert(again.id().into(), former.id().into());
        }
        let mut bytes = 0;
        let changed_entry = |&((_, before), (number, after)): &(NumberedRow<'_>, NumberedRow<'_>)| {
            let fields = bounded_changes(&before.webhook()?, &after.webhook()?, &mut bytes);
            Some(ChangeEntry::Changed(self.after.owned_row(number.into())?, fields))
        };
        let row = |rows: &Rows, &(number, _): &NumberedRow<'_>| rows.owned_row(number.into());
        let removed_entries = diff.removed.iter().filter_map(|of| row(&self.before, of)).map(ChangeEntry::Removed);
        let mut entries: Vec<_> = removed_entries.collect();
        entries.extend(diff.changed.iter().filter_map(changed_entry));
        entries.extend(diff.added.iter().filter_map(|of| row(&self.after, of)).map(ChangeEntry::Added));
        entries.truncate(SHOWN);
        Changes { entries, added, removed, changed, all, moved }
    }
}

/// The changes of a webhook, without values that are too long to keep. `bytes`: the length of all values that are kept.
fn bounded_changes(before: &Webhook, after: &Webhook, bytes: &mut usize) -> Vec<FieldChange> {
    let mut fields = field_changes(before, after, &IgnoredFields::default());
    let more: usize = fields.iter().map(size).sum();
    if more > LONGEST || *bytes + more > MOST {
        fields.iter_mut().for_each(forget_values);
    } else {
        *bytes += more;
    }
    fields
}

fn size(change: &FieldChange) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    match &change.kind {
        FieldChangeKind::Url { before, after } => [before, after].into_iter().flatten().map(|part| part.raw.len()).sum(),
        FieldChangeKind::Value { before, after } => length(before) + length(after),
        FieldChangeKind::Events { added, removed } => added.iter().chain(removed).map(String::len).sum(),
    }
}

fn forget_values(change: &mut FieldChange) {
    change.kind = FieldChangeKind::Value { before: None, after: None };
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
        ChangesRequest { before, after, query, facts: FilterFacts::default() }.compare()
    }

    fn lines_of(changes: &Changes) -> Vec<String> {
        let line = |entry: &ChangeEntry| match entry {
            ChangeEntry::Added(_) => format!("+{}", entry.id()),
            ChangeEntry::Removed(_) => format!("-{}", entry.id()),
            ChangeEntry::Changed(_, fields) => {
                let names: Vec<_> = fields.iter().map(|change| change.field.as_str()).collect();
                format!("~{} {}", entry.id(), names.join(","))
            }
        };
        changes.entries.iter().map(line).collect()
    }

    const A: &str =
        r#"{"id":"a","url":"https://a/","events":["x","y"],"is_active":true,"created_at":"2024-01-01T00:00:00.000Z"}"#;

    #[test]
    fn removed_changed_and_added_webhooks_are_listed_in_this_order() {
        let paused = A.replace("true", "false").replace("https://a/", "https://b/");
        let before = [r#"{"id":"c","url":"u"}"#, A, r#"{"id":"b","url":"u"}"#];
        let changes = compared(&before, &[&paused, r#"{"id":"n","url":"u"}"#, r#"{"id":"b","url":"u"}"#], "");
        assert_eq!(lines_of(&changes), ["-c", "~a url.host,is_active", "+n"]);
        assert_eq!((changes.added, changes.removed, changes.changed), (1, 1, 1));
    }

    #[test]
    fn a_webhook_registered_again_is_recognized() {
        let again = |id| A.replace(r#""id":"a""#, &format!(r#""id":"{id}""#));
        let (b, c) = (again("b"), again("c").replace(r#","y""#, ""));
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
        let Some(ChangeEntry::Changed(_, fields)) = changes.entries.first() else { panic!("{changes:?}") };
        assert_eq!(fields[0].kind, FieldChangeKind::Value { before: None, after: None });
    }
}
