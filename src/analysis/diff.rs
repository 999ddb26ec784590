//! The differences of two listings: webhooks that were added, removed or changed.
//!
//! Start at [`Diff::of`]. Its users choose which differences to show, in which order and how many: `hookscope diff`, the view of
//! changes ([`changes`](super::changes)) and the marks after a refresh ([`refresh_diff`](super::refresh_diff)).

use std::collections::{BTreeSet, HashMap};

use super::field_changes::{IgnoredFields, differ, purpose};
use crate::model::{RowNumber, RowRef, RowTable, Rows};

/// A row with its number in its listing.
pub type NumberedRow<'r> = (RowNumber, RowRef<'r>);

/// The differences of two listings, by id. Of webhooks that share an id, the first one counts.
#[derive(Debug, Clone, Default)]
pub struct Diff<'r> {
    /// In the order of the later listing.
    pub added: Vec<NumberedRow<'r>>,
    /// In the order of the earlier listing.
    pub removed: Vec<NumberedRow<'r>>,
    /// Before and after, in the order of the later listing. A different spelling of a value does not count.
    pub changed: Vec<(NumberedRow<'r>, NumberedRow<'r>)>,
    /// The number of ids that are in both.
    pub shared: usize,
    /// The later listing has an id more than once.
    pub repeats_ids: bool,
}

/// One of the two listings that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffSide {
    Before,
    After,
}

impl<'r> Diff<'r> {
    /// Compares two listings.
    pub fn of(before: &'r Rows, after: &'r Rows, ignored: &IgnoredFields) -> Self {
        let webhooks = |rows: &'r Rows| rows.iter().filter(|(_, row)| row.is_webhook());
        let table = RowTable::new(before);
        let mut diff = Self::default();
        // The number in the earlier listing, and true once the id was found in the later one.
        let mut ids: HashMap<&str, (RowNumber, bool)> = HashMap::new();
        for (number, row) in webhooks(before) {
            ids.entry(row.id()).or_insert((number, false));
        }
        for (number, row) in webhooks(after) {
            match ids.get_mut(row.id()) {
                None => {
                    ids.insert(row.id(), (number, true));
                    diff.added.push((number, row));
                }
                Some((_, true)) => diff.repeats_ids = true,
                Some((former, is_found)) => {
                    *is_found = true;
                    diff.shared += 1;
                    let old = table.row(*former).filter(|old| differ(*old, row, ignored));
                    diff.changed.extend(old.map(|old| ((*former, old), (number, row))));
                }
            }
        }
        let mut removed: Vec<_> = ids.into_values().filter(|&(_, is_found)| !is_found).map(|(number, _)| number).collect();
        removed.sort_unstable();
        diff.removed.extend(removed.into_iter().filter_map(|number| Some((number, table.row(number)?))));
        diff
    }

    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// The number of differences.
    pub fn count(&self) -> usize {
        self.added.len() + self.removed.len() + self.changed.len()
    }

    /// Keeps the differences of which either side is wanted.
    pub fn retain(&mut self, mut is_wanted: impl FnMut(DiffSide, NumberedRow<'r>) -> bool) {
        self.added.retain(|&row| is_wanted(DiffSide::After, row));
        self.changed.retain(|&(before, after)| is_wanted(DiffSide::After, after) || is_wanted(DiffSide::Before, before));
        self.removed.retain(|&row| is_wanted(DiffSide::Before, row));
    }

    /// Returns true if these look like different workspaces: both have webhooks, but none of the same id.
    pub fn shares_nothing(&self) -> bool {
        self.shared == 0 && !self.added.is_empty() && !self.removed.is_empty()
    }

    pub fn sort_by_id(&mut self) {
        let by_id = |one: &NumberedRow<'r>, other: &NumberedRow<'r>| one.1.id().cmp(other.1.id());
        self.added.sort_unstable_by(by_id);
        self.removed.sort_unstable_by(by_id);
        self.changed.sort_unstable_by(|(_, one), (_, other)| by_id(one, other));
    }

    /// Keeps the first differences of each kind.
    pub fn truncate(&mut self, most: usize) {
        self.added.truncate(most);
        self.removed.truncate(most);
        self.changed.truncate(most);
    }

    /// Pairs of a removed and an added webhook with the same URL and events, which is probably the former registered again.
    /// Each webhook is in one pair at most.
    pub fn registered_again(&self) -> Vec<(RowRef<'r>, RowRef<'r>)> {
        if self.added.is_empty() || self.removed.is_empty() {
            return Vec::new();
        }
        let mut removed: HashMap<(String, BTreeSet<String>), Vec<RowRef<'r>>> = HashMap::new();
        for &(_, row) in self.removed.iter().rev() {
            if let Some(webhook) = row.webhook() {
                removed.entry(purpose(&webhook)).or_default().push(row);
            }
        }
        let former = |&(_, row): &NumberedRow<'r>| Some((removed.get_mut(&purpose(&row.webhook()?))?.pop()?, row));
        self.added.iter().filter_map(former).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::rows_of;

    fn compared<'r>(before: &'r Rows, after: &'r Rows) -> Diff<'r> {
        Diff::of(before, after, &IgnoredFields::default())
    }

    fn ids<'r>(rows: &[NumberedRow<'r>]) -> Vec<&'r str> {
        rows.iter().map(|(_, row)| row.id()).collect()
    }

    #[test]
    fn added_removed_and_changed_webhooks_are_found() {
        let before = rows_of(&[r#"{"id":"c","url":"u"}"#, r#"{"id":"a","url":"u"}"#, r#"{"id":"b","url":"u"}"#]);
        let after = rows_of(&[r#"{"id":"d","url":"u"}"#, r#"{"id":"b","url":"v"}"#, r#"{"id":"a","url":"u"}"#]);
        let diff = compared(&before, &after);
        assert_eq!((ids(&diff.added), ids(&diff.removed)), (vec!["d"], vec!["c"]));
        assert_eq!(diff.changed.iter().map(|(before, after)| (before.0, after.0)).collect::<Vec<_>>(), [(2, 1)]);
        assert!(diff.shared == 2 && !diff.shares_nothing() && !diff.repeats_ids);
        assert!(compared(&before, &before).is_empty());
    }

    #[test]
    fn differences_are_in_the_order_of_their_listings_or_sorted_by_id() {
        let of = |ids: [&str; 3]| rows_of(&ids.map(|id| format!(r#"{{"id":"{id}","url":"u"}}"#)));
        let (before, after) = (of(["c", "a", "b"]), of(["z", "x", "y"]));
        let mut diff = compared(&before, &after);
        assert_eq!((ids(&diff.removed), ids(&diff.added)), (vec!["c", "a", "b"], vec!["z", "x", "y"]));
        diff.sort_by_id();
        assert_eq!((ids(&diff.removed), ids(&diff.added)), (vec!["a", "b", "c"], vec!["x", "y", "z"]));
    }

    #[test]
    fn of_webhooks_that_share_an_id_the_first_counts() {
        let before = rows_of(&[r#"{"id":"a","url":"1"}"#, r#"{"id":"a","url":"2"}"#]);
        let after = rows_of(&[r#"{"id":"a","url":"1"}"#, r#"{"id":"n","url":"1"}"#, r#"{"id":"n","url":"2"}"#]);
        let diff = compared(&before, &after);
        assert_eq!((ids(&diff.added), diff.count(), diff.repeats_ids), (vec!["n"], 1, true));
        assert!(!compared(&before, &before.select(|number, _| number == 0)).repeats_ids);
    }

    #[test]
    fn a_webhook_that_was_registered_again_is_recognized_once() {
        let hook = |id: &str, events: &str| format!(r#"{{"id":"{id}","url":"https://a.com/","events":{events}}}"#);
        let before = rows_of(&[&hook("a", r#"["x","y"]"#), &hook("b", r#"["x","y"]"#), &hook("c", r#"["z"]"#)]);
        let after = rows_of(&[&hook("n", r#"["y","x"]"#), &hook("o", r#"["other"]"#)]);
        let diff = compared(&before, &after);
        assert!(diff.shares_nothing());
        let again = diff.registered_again();
        assert_eq!(again.iter().map(|(old, new)| (old.id(), new.id())).collect::<Vec<_>>(), [("a", "n")]);
    }

    #[test]
    fn a_filter_looks_at_both_sides() {
        let before = rows_of(&[r#"{"id":"a","url":"https://old/"}"#, r#"{"id":"b","url":"https://old/"}"#]);
        let after = rows_of(&[r#"{"id":"a","url":"https://new/"}"#, r#"{"id":"c","url":"https://new/"}"#]);
        let wanted = |word: &'static str| {
            let mut diff = compared(&before, &after);
            diff.retain(|_, (_, row)| row.url().contains(word));
            (diff.added.len(), diff.removed.len(), diff.changed.len())
        };
        assert_eq!((wanted("old"), wanted("new"), wanted("none")), ((0, 1, 1), (1, 0, 1), (0, 0, 0)));
    }
}
