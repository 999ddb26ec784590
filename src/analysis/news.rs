//! What is new, changed or gone between two reads of a workspace.

use std::collections::{HashMap, HashSet};

use super::diff::is_changed;
use crate::model::{IdSet, OwnedRow, RemovedRow, RowNumber, RowRef, Rows};

/// Two reads of the same listing.
#[derive(Debug, Clone)]
pub struct Reads {
    pub before: Rows,
    pub after: Rows,
    /// Whether everything was there: what was not seen before is new only then, and what is not seen now is gone only if all
    /// is there now.
    pub was_complete: bool,
    pub is_complete: bool,
    /// The pages that were read again, in order.
    pub read: Vec<u64>,
}

/// What differs.
#[derive(Debug, Clone, Default)]
pub struct News {
    pub new: Vec<Box<str>>,
    pub changed: Vec<Box<str>>,
    pub gone: Vec<RemovedRow>,
    /// What is listed as gone, and is there again.
    pub back: Vec<Box<str>>,
}

impl News {
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.changed.is_empty() && self.gone.is_empty() && self.back.is_empty()
    }
}

impl Reads {
    /// Compares the webhooks of both reads by their ids.
    pub fn compare(&self) -> News {
        let mut before: HashMap<&str, (RowNumber, u64, usize)> = HashMap::new();
        for (page, first, segment) in self.before.segments() {
            for (offset, row) in segment.iter().enumerate().filter(|(_, row)| row.is_webhook()) {
                let number = first.saturating_add(RowNumber::try_from(offset).unwrap_or(RowNumber::MAX));
                before.insert(row.id(), (number, page, offset));
            }
        }
        let gone: HashSet<&str> = self.after.removed().map(|(_, gone)| gone.row.row().id()).collect();
        let mut news = News::default();
        let mut repeats = IdSet::default();
        let mut is_complete = self.was_complete && self.is_complete;
        for (page, _, segment) in self.after.segments() {
            let is_read = self.read.binary_search(&page).is_ok();
            for row in segment.iter().filter(|row| row.is_webhook()) {
                // A row that came twice came in the place of another one.
                is_complete = is_complete && repeats.insert(row.id());
                if gone.contains(row.id()) {
                    news.back.push(row.id().into());
                }
                match before.remove(row.id()) {
                    Some((_, page, offset)) if is_read && self.is_changed(page, offset, row) => {
                        news.changed.push(row.id().into());
                    }
                    None if is_read && self.was_complete => news.new.push(row.id().into()),
                    Some(_) | None => {}
                }
            }
        }
        if is_complete {
            let gone = before.into_values().filter_map(|(former, page, index)| {
                let row = OwnedRow::new(&self.before.segment(page)?.page, index)?;
                Some(RemovedRow { row, former })
            });
            news.gone.extend(gone);
        }
        news
    }

    fn is_changed(&self, page: u64, offset: usize, row: RowRef<'_>) -> bool {
        let before = self.before.segment(page).and_then(|segment| segment.row(offset));
        before.is_some_and(|before| is_changed(before, row))
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

    fn compared(reads: &Reads) -> (Vec<String>, Vec<String>, Vec<(String, RowNumber)>) {
        let news = reads.compare();
        let ids = |ids: Vec<Box<str>>| ids.into_iter().map(String::from).collect();
        let mut gone: Vec<_> = news.gone.iter().map(|gone| (gone.row.row().id().to_owned(), gone.former)).collect();
        gone.sort();
        (ids(news.new), ids(news.changed), gone)
    }

    #[test]
    fn what_came_changed_and_went_is_told() {
        let interner = Interner::default();
        let before = rows(&interner, &[&[("a", "1"), ("b", "1")], &[("c", "1")]]);
        let after = rows(&interner, &[&[("n", "1"), ("a", "1")], &[("c", "2")]]);
        let reads = Reads { before, after, was_complete: true, is_complete: true, read: vec![1, 2] };
        assert_eq!(compared(&reads), (vec!["n".into()], vec!["c".into()], vec![("b".into(), 1)]));
        let only_one_page = Reads { read: vec![2], is_complete: false, ..reads.clone() };
        assert_eq!(compared(&only_one_page), (vec![], vec!["c".into()], vec![]));
        let not_all_known = Reads { was_complete: false, ..reads.clone() };
        assert_eq!(compared(&not_all_known), (vec![], vec!["c".into()], vec![]));
        // What is listed as gone and is there again is told, however little was known before.
        let mut after = rows(&interner, &[&[("a", "1"), ("b", "1")]]);
        after.set_removed(reads.compare().gone);
        assert_eq!(Reads { after, ..not_all_known }.compare().back, ["b".into()]);
    }
}
