//! The changes between two reads of a workspace, for the marks of a refresh.

use std::collections::HashSet;

use super::diff::Diff;
use super::field_changes::IgnoredFields;
use crate::model::{RemovedRow, RowNumber, Rows};

/// The rows before and after a refresh.
#[derive(Debug, Clone)]
pub struct RefreshedRows {
    pub before: Rows,
    pub after: Rows,
    /// All rows were loaded before: only then is a webhook that was not there a new one.
    pub was_complete: bool,
    /// All rows are loaded: only then is a webhook that is not there removed.
    pub is_complete: bool,
    /// The pages that were loaded again, in order.
    pub read: Vec<u64>,
}

/// The changes that a refresh found.
#[derive(Debug, Clone, Default)]
pub struct RefreshDiff {
    pub new: Vec<Box<str>>,
    pub changed: Vec<Box<str>>,
    pub gone: Vec<RemovedRow>,
    /// Webhooks that were listed as removed, but exist.
    pub back: Vec<Box<str>>,
}

impl RefreshDiff {
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.changed.is_empty() && self.gone.is_empty() && self.back.is_empty()
    }
}

impl RefreshedRows {
    pub fn compare(&self) -> RefreshDiff {
        let diff = Diff::of(&self.before, &self.after, &IgnoredFields::default());
        let page_of = |number: RowNumber| u64::from(number) / self.after.page_size() + 1;
        let is_read = |number: RowNumber| self.read.binary_search(&page_of(number)).is_ok();
        let removed: HashSet<&str> = self.after.removed().map(|(_, removed)| removed.row.row().id()).collect();
        let mut found = RefreshDiff::default();
        if !removed.is_empty() {
            let back = self.after.webhooks().filter(|row| removed.contains(row.id()));
            found.back.extend(back.map(|row| Box::from(row.id())));
        }
        let changed = diff.changed.iter().filter(|&&(_, (number, _))| is_read(number));
        found.changed.extend(changed.map(|(_, (_, row))| Box::from(row.id())));
        if self.was_complete {
            let new = diff.added.iter().filter(|&&(number, _)| is_read(number));
            found.new.extend(new.map(|(_, row)| Box::from(row.id())));
        }
        // A webhook that is listed twice is there in place of another one.
        if self.was_complete && self.is_complete && !diff.repeats_ids {
            let gone = diff.removed.iter().filter_map(|&(former, _)| {
                let row = self.before.owned_row(former.into())?;
                Some(RemovedRow { row, former })
            });
            found.gone.extend(gone);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Interner;
    use crate::model::testing::interned_page;

    fn rows(interner: &Interner, pages: &[&[(&str, &str)]]) -> Rows {
        let mut rows = Rows::new(2);
        for (page, webhooks) in (1..).zip(pages) {
            let jsons: Vec<_> = webhooks.iter().map(|(id, url)| format!(r#"{{"id":"{id}","url":"{url}"}}"#)).collect();
            rows.put(page, interned_page(interner, &jsons).into());
        }
        rows
    }

    fn compared(reads: &RefreshedRows) -> (Vec<String>, Vec<String>, Vec<(String, RowNumber)>) {
        let found = reads.compare();
        let ids = |ids: Vec<Box<str>>| ids.into_iter().map(String::from).collect();
        let mut gone: Vec<_> = found.gone.iter().map(|gone| (gone.row.row().id().to_owned(), gone.former)).collect();
        gone.sort();
        (ids(found.new), ids(found.changed), gone)
    }

    #[test]
    fn new_changed_and_removed_webhooks_are_found() {
        let interner = Interner::default();
        let before = rows(&interner, &[&[("a", "1"), ("b", "1")], &[("c", "1")]]);
        let after = rows(&interner, &[&[("n", "1"), ("a", "1")], &[("c", "2")]]);
        let reads = RefreshedRows { before, after, was_complete: true, is_complete: true, read: vec![1, 2] };
        assert_eq!(compared(&reads), (vec!["n".into()], vec!["c".into()], vec![("b".into(), 1)]));
        let only_one_page = RefreshedRows { read: vec![2], is_complete: false, ..reads.clone() };
        assert_eq!(compared(&only_one_page), (vec![], vec!["c".into()], vec![]));
        let not_all_known = RefreshedRows { was_complete: false, ..reads.clone() };
        assert_eq!(compared(&not_all_known), (vec![], vec!["c".into()], vec![]));
        // A webhook that was listed as removed is found again, even if not all were known before.
        let mut after = rows(&interner, &[&[("a", "1"), ("b", "1")]]);
        after.set_removed(reads.compare().gone);
        assert_eq!(RefreshedRows { after, ..not_all_known }.compare().back, ["b".into()]);
    }
}
