//! The rows that are here, by page. A snapshot of them costs nothing: whoever works on one in the background shares all of it.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

use crate::model::{Block, RowRef};

/// The number of a row among all rows of its listing, from 0.
pub type RowNumber = u32;

/// Rows by the number of their page. Rows that are numbered beyond [`RowNumber::MAX`] are not found here: only a server that
/// claims billions of webhooks has some.
#[derive(Clone)]
pub struct Rows {
    pages: RedBlackTreeMapSync<u64, Segment>,
    page_size: u64,
    count: u64,
    gone: Arc<[Gone]>,
}

/// A row that was there before the last read. Its number is [`RowNumber::MAX`] less its place among all that are gone.
#[derive(Debug, Clone)]
pub struct Gone {
    pub block: Arc<Block>,
    pub index: usize,
    /// The number that it had.
    pub former: RowNumber,
}

impl Gone {
    pub fn row(&self) -> Option<RowRef<'_>> {
        self.block.row(self.index)
    }
}

/// A row that lives on when its page is replaced.
#[derive(Clone)]
pub struct Standing {
    block: Arc<Block>,
    index: usize,
}

impl Standing {
    pub fn new(block: Arc<Block>, index: usize) -> Self {
        Self { block, index }
    }

    pub fn row(&self) -> Option<RowRef<'_>> {
        self.block.row(self.index)
    }

    /// Whether a row is this one, changed or not: a webhook by its id, anything else by its content.
    pub fn is_of(&self, row: RowRef<'_>) -> bool {
        self.row().is_some_and(|own| match (own.is_webhook(), row.is_webhook()) {
            (true, true) => own.id() == row.id(),
            (false, false) => own.is_same(row),
            _ => false,
        })
    }
}

impl PartialEq for Standing {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.block, &other.block) && self.index == other.index
            || self.row().zip(other.row()).is_some_and(|(one, other)| one.is_same(other))
    }
}

impl Eq for Standing {}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standing").field("index", &self.index).finish_non_exhaustive()
    }
}

/// The number of a row that is gone.
fn gone_number(place: usize) -> Option<RowNumber> {
    RowNumber::try_from(place).ok().map(|place| RowNumber::MAX - place)
}

/// The row that is gone under a number.
fn gone_row(gone: &[Gone], number: RowNumber) -> Option<&Gone> {
    gone.get((RowNumber::MAX - number) as usize)
}

/// Ids that are there more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeated {
    /// Webhooks that have the id of an earlier one.
    pub count: usize,
    pub example: Box<str>,
}

/// The rows of one page that count.
#[derive(Debug, Clone)]
pub struct Segment {
    pub block: Arc<Block>,
    /// How many of them: a listing may have become shorter than its last page.
    pub rows: usize,
}

impl Segment {
    /// Whether both are the same rows in memory.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.block, &other.block) && self.rows == other.rows
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = RowRef<'_>> {
        self.block.rows().take(self.rows)
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

impl Rows {
    /// No rows yet, so many to a page.
    pub fn new(page_size: u64) -> Self {
        Self { pages: RedBlackTreeMapSync::new_sync(), page_size: page_size.max(1), count: 0, gone: [].into() }
    }

    /// The rows that are gone, with their numbers.
    pub fn gone(&self) -> impl DoubleEndedIterator<Item = (RowNumber, &Gone)> {
        self.gone.iter().enumerate().filter_map(|(place, gone)| Some((gone_number(place)?, gone)))
    }

    /// Takes others for the rows that are gone.
    pub fn set_gone(&mut self, gone: Vec<Gone>) {
        self.gone = gone.into();
    }

    /// Whether a number is that of a row that is gone.
    pub fn is_gone(&self, number: u64) -> bool {
        RowNumber::try_from(number).is_ok_and(|number| gone_row(&self.gone, number).is_some())
    }

    /// No rows but those that are gone, so many to a page.
    #[must_use]
    pub fn laid_out_anew(&self, page_size: u64) -> Self {
        Self { gone: Arc::clone(&self.gone), ..Self::new(page_size) }
    }

    /// How many rows are here.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many pages are here.
    pub fn pages(&self) -> u64 {
        self.pages.size() as u64
    }

    pub fn page_size(&self) -> u64 {
        self.page_size
    }

    pub fn segment(&self, page: u64) -> Option<&Segment> {
        self.pages.get(&page)
    }

    /// Puts a page in place of what was there.
    pub fn put(&mut self, page: u64, segment: Segment) {
        self.count += segment.rows as u64;
        if let Some(before) = self.pages.get(&page) {
            self.count -= before.rows as u64;
        }
        self.pages.insert_mut(page, segment);
    }

    /// Leaves out everything behind so many rows of a page.
    pub fn truncate(&mut self, page: u64, rows: usize) {
        let behind: Vec<u64> = self.pages.range(page.saturating_add(1)..).map(|(&page, _)| page).collect();
        for page in behind {
            self.count -= self.pages.get(&page).map_or(0, |segment| segment.rows as u64);
            self.pages.remove_mut(&page);
        }
        if let Some(segment) = self.pages.get(&page).filter(|segment| segment.rows > rows) {
            let shorter = Segment { rows, ..segment.clone() };
            self.put(page, shorter);
        }
    }

    /// Every page with the number of its first row, as far as it has one.
    pub fn segments(&self) -> impl Iterator<Item = (u64, RowNumber, &Segment)> {
        self.pages.iter().filter_map(|(&page, segment)| {
            let first = page.saturating_sub(1).saturating_mul(self.page_size);
            let last = first.saturating_add(segment.rows as u64);
            RowNumber::try_from(last).ok().and(RowNumber::try_from(first).ok()).map(|first| (page, first, segment))
        })
    }

    /// The row with a number.
    pub fn row(&self, number: u64) -> Option<RowRef<'_>> {
        if let Some(gone) = RowNumber::try_from(number).ok().and_then(|number| gone_row(&self.gone, number)) {
            return gone.row();
        }
        let page = (number / self.page_size).saturating_add(1);
        let offset = usize::try_from(number % self.page_size).ok()?;
        let segment = self.pages.get(&page).filter(|segment| offset < segment.rows)?;
        segment.block.row(offset)
    }

    /// How many webhooks have the id of an earlier one, and one of these ids; `None` when each has its own.
    pub fn repeated(&self) -> Option<Repeated> {
        // Eight bytes an id; that two of a million have the same hash by chance happens as good as never.
        let random = RandomState::new();
        let webhooks = || self.segments().flat_map(|(_, _, segment)| segment.iter()).filter(|row| row.is_webhook());
        let mut hashes = Vec::with_capacity(usize::try_from(self.count).unwrap_or_default());
        hashes.extend(webhooks().map(|row| random.hash_one(row.id())));
        hashes.sort_unstable();
        let mut repeated = hashes.iter().zip(hashes.iter().skip(1)).filter(|(one, next)| one == next);
        let (&example, _) = repeated.next()?;
        let count = 1 + repeated.count();
        let example = webhooks().find(|row| random.hash_one(row.id()) == example)?.id().into();
        Some(Repeated { count, example })
    }

    /// The row with a number, to be kept.
    pub fn standing(&self, number: u64) -> Option<Standing> {
        if let Some(gone) = RowNumber::try_from(number).ok().and_then(|number| gone_row(&self.gone, number)) {
            return Some(Standing::new(Arc::clone(&gone.block), gone.index));
        }
        let page = (number / self.page_size).saturating_add(1);
        let offset = usize::try_from(number % self.page_size).ok()?;
        let segment = self.pages.get(&page).filter(|segment| offset < segment.rows)?;
        segment.block.row(offset).map(|_| Standing::new(Arc::clone(&segment.block), offset))
    }

    /// The number of a row on a page.
    pub fn find_on(&self, page: u64, standing: &Standing) -> Option<u64> {
        let offset = self.pages.get(&page)?.iter().position(|row| standing.is_of(row))?;
        Some(page.saturating_sub(1).saturating_mul(self.page_size).saturating_add(offset as u64))
    }

    /// The number of a row among those that are gone.
    pub fn find_gone(&self, standing: &Standing) -> Option<u64> {
        let place = self.gone.iter().position(|gone| gone.row().is_some_and(|row| standing.is_of(row)))?;
        gone_number(place).map(u64::from)
    }

    /// The number of a row, wherever it is now.
    pub fn find(&self, standing: &Standing) -> Option<u64> {
        let listed = || self.pages.keys().find_map(|&page| self.find_on(page, standing));
        listed().or_else(|| self.find_gone(standing))
    }
}

/// The rows again, where each is found by its number without a search.
#[derive(Debug)]
pub struct Table<'r> {
    segments: Vec<(RowNumber, &'r Segment)>,
    gone: &'r [Gone],
    page_size: u64,
}

impl<'r> Table<'r> {
    pub fn new(rows: &'r Rows) -> Self {
        let segments = rows.segments().map(|(_, first, segment)| (first, segment)).collect();
        Self { segments, gone: &rows.gone, page_size: rows.page_size() }
    }

    pub fn row(&self, number: RowNumber) -> Option<RowRef<'r>> {
        if let Some(gone) = gone_row(self.gone, number) {
            return gone.row();
        }
        // Without gaps the page is where it is expected.
        let expected = usize::try_from(u64::from(number) / self.page_size).ok();
        let there = expected.and_then(|place| self.segments.get(place));
        let (first, segment) = match there {
            Some(&(first, segment)) if first <= number && ((number - first) as usize) < segment.rows => (first, segment),
            _ => {
                let place = self.segments.partition_point(|&(first, _)| first <= number).checked_sub(1)?;
                *self.segments.get(place)?
            }
        };
        segment.block.row((number - first) as usize)
    }
}
