//! The rows of a listing, by page. Cloning shares all pages, so background work can keep a version of its own.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

use super::page::{OwnedRow, RowPage, RowRef};

/// The number of a row in its listing, from 0.
pub type RowNumber = u32;

/// Rows by the number of their page. Rows beyond number [`RowNumber::MAX`] are left out: only a server that claims billions
/// of webhooks has any.
#[derive(Clone)]
pub struct Rows {
    pages: RedBlackTreeMapSync<u64, Segment>,
    page_size: u64,
    count: u64,
    removed: Arc<[RemovedRow]>,
}

/// A row that is missing from the last read. Its number is [`RowNumber::MAX`] minus its index among all removed rows.
#[derive(Debug, Clone)]
pub struct RemovedRow {
    pub row: OwnedRow,
    /// Its former number.
    pub former: RowNumber,
}

fn removed_number(index: usize) -> Option<RowNumber> {
    RowNumber::try_from(index).ok().map(|index| RowNumber::MAX - index)
}

fn removed_row(removed: &[RemovedRow], number: RowNumber) -> Option<&RemovedRow> {
    removed.get((RowNumber::MAX - number) as usize)
}

/// Ids that appear more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepeatedIds {
    /// The number of webhooks that have the id of an earlier one.
    pub count: usize,
    pub example: Box<str>,
}

/// The rows of one page that belong to the listing.
#[derive(Debug, Clone)]
pub struct Segment {
    pub page: Arc<RowPage>,
    /// The number of rows, from the start of the page: a listing can become shorter than its last page.
    pub rows: usize,
}

impl Segment {
    /// Returns true if both are the same rows in memory.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.page, &other.page) && self.rows == other.rows
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = RowRef<'_>> {
        self.page.rows().take(self.rows)
    }

    pub fn row(&self, index: usize) -> Option<RowRef<'_>> {
        self.page.row(index).filter(|_| index < self.rows)
    }
}

impl From<Arc<RowPage>> for Segment {
    fn from(page: Arc<RowPage>) -> Self {
        Self { rows: page.len(), page }
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("pages", &self.pages.size()).field("count", &self.count).finish_non_exhaustive()
    }
}

impl Default for Rows {
    fn default() -> Self {
        Self::new(1)
    }
}

/// The rows of these pages, in this order and numbered without gaps. They are copied to new pages unless all but the last
/// page have the same length.
impl FromIterator<Arc<RowPage>> for Rows {
    fn from_iter<I: IntoIterator<Item = Arc<RowPage>>>(pages: I) -> Self {
        let mut pages: Vec<_> = pages.into_iter().filter(|page| !page.is_empty()).collect();
        let longest = pages.iter().map(|page| page.len()).max().unwrap_or(1);
        let is_even = pages.iter().rev().skip(1).all(|page| page.len() == longest);
        if !is_even {
            let all: Vec<RowRef<'_>> = pages.iter().flat_map(|page| page.rows()).collect();
            pages = all.chunks(longest).map(|rows| RowPage::of_rows(rows.iter().copied())).collect();
        }
        let mut rows = Self::new(longest as u64);
        for (number, page) in (1..).zip(pages) {
            rows.put(number, page.into());
        }
        rows
    }
}

impl Rows {
    pub fn new(page_size: u64) -> Self {
        Self { pages: RedBlackTreeMapSync::new_sync(), page_size: page_size.max(1), count: 0, removed: [].into() }
    }

    /// No rows but the removed ones, with a different page size.
    #[must_use]
    pub fn emptied(&self, page_size: u64) -> Self {
        Self { removed: Arc::clone(&self.removed), ..Self::new(page_size) }
    }

    /// The removed rows, with their numbers.
    pub fn removed(&self) -> impl DoubleEndedIterator<Item = (RowNumber, &RemovedRow)> {
        self.removed.iter().enumerate().filter_map(|(index, removed)| Some((removed_number(index)?, removed)))
    }

    pub fn set_removed(&mut self, removed: Vec<RemovedRow>) {
        self.removed = removed.into();
    }

    /// Returns true if a number is that of a removed row.
    pub fn is_removed(&self, number: u64) -> bool {
        RowNumber::try_from(number).is_ok_and(|number| removed_row(&self.removed, number).is_some())
    }

    /// The number of rows, without removed ones.
    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn pages(&self) -> u64 {
        self.pages.size() as u64
    }

    pub fn page_size(&self) -> u64 {
        self.page_size
    }

    pub fn segment(&self, page: u64) -> Option<&Segment> {
        self.pages.get(&page)
    }

    /// Sets or replaces a page. Pages are numbered from 1.
    pub fn put(&mut self, page: u64, segment: Segment) {
        self.count += segment.rows as u64;
        if let Some(before) = self.pages.get(&page) {
            self.count -= before.rows as u64;
        }
        self.pages.insert_mut(page, segment);
    }

    /// Adds rows after the last page, on as many pages as they need.
    pub fn append(&mut self, more: &Arc<RowPage>) {
        let rows: Vec<RowRef<'_>> = more.rows().collect();
        for part in rows.chunks(usize::try_from(self.page_size).unwrap_or(usize::MAX)) {
            let last = self.pages.last().map_or(0, |(&page, _)| page);
            self.put(last.saturating_add(1), RowPage::of_rows(part.iter().copied()).into());
        }
    }

    /// Removes everything after the first `rows` rows of a page.
    pub fn truncate(&mut self, page: u64, rows: usize) {
        let after: Vec<u64> = self.pages.range(page.saturating_add(1)..).map(|(&page, _)| page).collect();
        for page in after {
            self.count -= self.pages.get(&page).map_or(0, |segment| segment.rows as u64);
            self.pages.remove_mut(&page);
        }
        if let Some(segment) = self.pages.get(&page).filter(|segment| segment.rows > rows) {
            let shorter = Segment { rows, ..segment.clone() };
            self.put(page, shorter);
        }
    }

    /// Every page with the number of its first row.
    pub fn segments(&self) -> impl Iterator<Item = (u64, RowNumber, &Segment)> {
        self.pages.iter().filter_map(|(&page, segment)| {
            let first = page.saturating_sub(1).saturating_mul(self.page_size);
            let last = first.saturating_add(segment.rows as u64);
            RowNumber::try_from(last).ok().and(RowNumber::try_from(first).ok()).map(|first| (page, first, segment))
        })
    }

    /// Every row with its number, without removed ones.
    pub fn iter(&self) -> impl Iterator<Item = (RowNumber, RowRef<'_>)> {
        self.segments().flat_map(|(_, first, segment)| (first..).zip(segment.iter()))
    }

    /// Every valid webhook, without removed ones.
    pub fn webhooks(&self) -> impl Iterator<Item = RowRef<'_>> {
        self.iter().map(|(_, row)| row).filter(|row| row.is_webhook())
    }

    /// The wanted rows, in their order, with new numbers.
    #[must_use]
    pub fn select(&self, mut is_wanted: impl FnMut(RowNumber, RowRef<'_>) -> bool) -> Self {
        let select = |(_, first, segment): (u64, RowNumber, &Segment)| {
            let mut numbers = first..;
            segment.page.select(|row| {
                let number = numbers.next();
                number.is_some_and(|number| ((number - first) as usize) < segment.rows && is_wanted(number, row))
            })
        };
        self.segments().map(select).collect()
    }

    pub fn row(&self, number: u64) -> Option<RowRef<'_>> {
        if let Some(removed) = RowNumber::try_from(number).ok().and_then(|number| removed_row(&self.removed, number)) {
            return Some(removed.row.row());
        }
        let (segment, index) = self.place(number)?;
        segment.row(index)
    }

    /// As [`Rows::row`], as an [`OwnedRow`].
    pub fn owned_row(&self, number: u64) -> Option<OwnedRow> {
        if let Some(removed) = RowNumber::try_from(number).ok().and_then(|number| removed_row(&self.removed, number)) {
            return Some(removed.row.clone());
        }
        let (segment, index) = self.place(number)?;
        OwnedRow::new(&segment.page, index).filter(|_| index < segment.rows)
    }

    fn place(&self, number: u64) -> Option<(&Segment, usize)> {
        let segment = self.pages.get(&(number / self.page_size).saturating_add(1))?;
        Some((segment, usize::try_from(number % self.page_size).ok()?))
    }

    /// Counts webhooks that have the id of an earlier one; `None` if there are none.
    pub fn repeated(&self) -> Option<RepeatedIds> {
        // Eight bytes per id. It is practically impossible that two of a million ids have the same hash.
        let random = RandomState::new();
        let mut hashes = Vec::with_capacity(usize::try_from(self.count).unwrap_or_default());
        hashes.extend(self.webhooks().map(|row| random.hash_one(row.id())));
        hashes.sort_unstable();
        let mut repeated = hashes.iter().zip(hashes.iter().skip(1)).filter(|(one, next)| one == next);
        let (&example, _) = repeated.next()?;
        let count = 1 + repeated.count();
        let example = self.webhooks().find(|row| random.hash_one(row.id()) == example)?.id().into();
        Some(RepeatedIds { count, example })
    }

    /// The number of a version of this row on a page.
    pub fn find_on(&self, page: u64, row: &OwnedRow) -> Option<u64> {
        let index = self.pages.get(&page)?.iter().position(|other| row.is_version_of(other))?;
        Some(page.saturating_sub(1).saturating_mul(self.page_size).saturating_add(index as u64))
    }

    /// The number of a version of this row among the removed ones.
    pub fn find_removed(&self, row: &OwnedRow) -> Option<u64> {
        let index = self.removed.iter().position(|removed| row.is_version_of(removed.row.row()))?;
        removed_number(index).map(u64::from)
    }

    /// The number of a version of this row, wherever it is.
    pub fn find(&self, row: &OwnedRow) -> Option<u64> {
        let listed = || self.pages.keys().find_map(|&page| self.find_on(page, row));
        listed().or_else(|| self.find_removed(row))
    }
}

/// Finds rows by number without a search in a tree.
#[derive(Debug)]
pub struct RowTable<'r> {
    segments: Vec<(RowNumber, &'r Segment)>,
    removed: &'r [RemovedRow],
    page_size: u64,
}

impl<'r> RowTable<'r> {
    pub fn new(rows: &'r Rows) -> Self {
        let segments = rows.segments().map(|(_, first, segment)| (first, segment)).collect();
        Self { segments, removed: &rows.removed, page_size: rows.page_size() }
    }

    pub fn row(&self, number: RowNumber) -> Option<RowRef<'r>> {
        if let Some(removed) = removed_row(self.removed, number) {
            return Some(removed.row.row());
        }
        // Unless pages are missing, the page is where it is expected.
        let expected = usize::try_from(u64::from(number) / self.page_size).ok();
        let there = expected.and_then(|place| self.segments.get(place));
        let (first, segment) = match there {
            Some(&(first, segment)) if first <= number && ((number - first) as usize) < segment.rows => (first, segment),
            _ => {
                let place = self.segments.partition_point(|&(first, _)| first <= number).checked_sub(1)?;
                *self.segments.get(place)?
            }
        };
        segment.row((number - first) as usize)
    }
}

/// The valid webhooks of a listing, sorted by id. Of webhooks that share an id, the first one counts.
#[derive(Debug)]
pub struct RowsById<'r> {
    rows: Vec<RowRef<'r>>,
    repeated: Option<RepeatedIds>,
}

impl<'r> RowsById<'r> {
    pub fn new(listing: &'r Rows) -> Self {
        let mut rows: Vec<RowRef<'r>> = listing.webhooks().collect();
        if !rows.is_sorted_by_key(|row| row.id()) {
            // A stable sort keeps the first of equal ids first.
            rows.sort_by_key(|row| row.id());
        }
        let all = rows.len();
        let mut example = None;
        rows.dedup_by(|next, one| {
            let is_repeated = next.id() == one.id();
            if is_repeated {
                example.get_or_insert_with(|| Box::from(one.id()));
            }
            is_repeated
        });
        let repeated = example.map(|example| RepeatedIds { count: all - rows.len(), example });
        Self { rows, repeated }
    }

    pub fn iter(&self) -> impl Iterator<Item = RowRef<'r>> {
        self.rows.iter().copied()
    }

    pub fn get(&self, id: &str) -> Option<RowRef<'r>> {
        let index = self.rows.binary_search_by(|row| row.id().cmp(id)).ok()?;
        self.rows.get(index).copied()
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn repeated(&self) -> Option<&RepeatedIds> {
        self.repeated.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::model::{Interner, PageBuilder};

    fn page(ids: &[&str]) -> Arc<RowPage> {
        let mut builder = PageBuilder::new(&Interner::default());
        for id in ids {
            let json = if id.is_empty() { "null".to_owned() } else { format!(r#"{{"id":"{id}","url":"u"}}"#) };
            builder.push(&RawValue::from_string(json).unwrap()).unwrap();
        }
        builder.finish()
    }

    fn ids<'r>(rows: impl Iterator<Item = RowRef<'r>>) -> Vec<&'r str> {
        rows.map(RowRef::id).collect()
    }

    #[test]
    fn pages_of_different_lengths_keep_their_order() {
        let mut rows: Rows = [page(&["d", "c"]), page(&[]), page(&["b"]), page(&["a", ""])].into_iter().collect();
        assert_eq!(rows.count(), 5);
        assert_eq!(ids(rows.webhooks()), ["d", "c", "b", "a"]);
        rows.append(&page(&["x", "y", "z"]));
        assert_eq!(ids(rows.webhooks()), ["d", "c", "b", "a", "x", "y", "z"]);
        for (number, row) in rows.iter() {
            assert!(RowTable::new(&rows).row(number).unwrap().is_same(row));
            assert!(rows.row(number.into()).unwrap().is_same(row));
        }
    }

    #[test]
    fn of_webhooks_that_share_an_id_the_first_counts() {
        let rows: Rows = [page(&["b", "a"]), page(&["b", ""])].into_iter().collect();
        let by_id = RowsById::new(&rows);
        assert_eq!(ids(by_id.iter()), ["a", "b"]);
        assert_eq!(by_id.repeated(), Some(&RepeatedIds { count: 1, example: "b".into() }));
        assert_eq!(rows.repeated().map(|repeated| repeated.count), Some(1));
        assert!(by_id.get("a").is_some() && by_id.get("c").is_none() && by_id.get("").is_none());
    }
}
