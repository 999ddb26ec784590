//! The rows of the explorer, page by page, and the order in which they are shown. Memory grows with the pages loaded, not
//! with the size of the workspace.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;

use crate::analysis::filter_sort::FilterSortResult;
use crate::api::{ApiError, Page, PageNumbers};
use crate::fetch::{Generation, PageLayout, RowCount};
use crate::model::{RemovedRow, RowNumber, Rows};
use crate::model::{RowRef, Scope};

/// The state of one page besides its rows.
#[derive(Debug, Default)]
struct Slot {
    /// The generation of its rows; `None` if none have been fetched.
    generation: Option<Generation>,
    /// The number of its rows that are cached: from an earlier read, in this session or before.
    remembered: u64,
    request: Request,
}

/// The request for a page in this generation.
#[derive(Debug, Default)]
enum Request {
    #[default]
    Idle,
    InFlight,
    Failed(ApiError),
}

/// The consistency of a read of all pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Certainty {
    /// No read has been judged.
    #[default]
    Unknown,
    /// The rows are the workspace at one moment.
    Consistent,
    /// The list changed while loading, or the pages do not fit together.
    Inconsistent,
}

/// The content of a row of the list.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    Row(RowRef<'a>),
    /// A row that is missing from the last read.
    Removed(RowRef<'a>),
    /// The selected row, if its page no longer has it: it may have been removed or moved to another page.
    Left(RowRef<'a>),
    /// Not loaded yet.
    Loading,
    /// Its page failed.
    Failed(&'a ApiError),
    /// Its page was loaded without it.
    Absent,
}

/// The listing of one scope. The *index* of a row is its position among the rows shown, its *number* its position in the
/// API's order. The two are the same until a filter or sort order applies.
#[derive(Debug, Default)]
pub struct Listing {
    extent: PageLayout,
    rows: Rows,
    slots: BTreeMap<u64, Slot>,
    generation: Generation,
    asked: u32,
    /// The number of pages loaded in this generation.
    fresh: u64,
    /// The number of pages whose request failed in this generation.
    failed: u64,
    /// The number of cached rows, and the time of the oldest read that they are from.
    remembered: u64,
    remembered_at: Option<Timestamp>,
    /// The consistency of the last read that was judged, and the generation of that read.
    certainty: Certainty,
    judged: Option<Generation>,
    /// The number of changes to the rows.
    version: u64,
    order: Option<FilterSortResult>,
    /// The number of removed rows in `order`.
    gone: u64,
    /// The scope to filter by if the server does not.
    kept: Option<Scope>,
}

impl Listing {
    /// Creates an empty listing whose pages will be requested with this limit.
    pub fn new(generation: Generation, asked: u32) -> Self {
        Self { generation, asked, ..Self::default() }
    }

    /// Starts a new generation. Rows stay until newer ones arrive.
    pub fn refresh(&mut self, generation: Generation) {
        self.generation = generation;
        self.fresh = 0;
        self.failed = 0;
        self.extent.read_again();
        for slot in self.slots.values_mut() {
            slot.request = Request::Idle;
        }
    }

    pub fn extent(&self) -> RowCount {
        self.extent.rows()
    }

    /// The loaded rows.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// A number that changes whenever the rows do.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Returns true once any page is loaded or cached.
    pub fn is_known(&self) -> bool {
        self.extent.is_known()
    }

    /// Shows only rows of this scope from now on, since the server also sends others.
    pub fn keep_only(&mut self, scope: Scope) {
        self.kept = Some(scope);
        // Show none until they are found.
        self.order = Some(FilterSortResult::default());
    }

    /// The scope to filter by if the server does not.
    pub fn kept(&self) -> Option<Scope> {
        self.kept
    }

    /// Shows these rows in this order; `None` shows all of them in the order of the API.
    pub fn arrange(&mut self, order: Option<FilterSortResult>) {
        let is_gone = |number: &&RowNumber| self.rows.is_removed(u64::from(**number));
        self.gone = match &order {
            Some(answer) if self.rows.removed().next().is_some() => answer.order.iter().filter(is_gone).count() as u64,
            _ => 0,
        };
        self.order = order;
    }

    /// The number of rows shown, without removed ones.
    pub fn shown_here(&self) -> u64 {
        self.order.as_ref().map_or_else(|| self.loaded(), |answer| (answer.order.len() as u64).saturating_sub(self.gone))
    }

    /// The rows shown, in order, if they are filtered or sorted.
    pub fn order(&self) -> Option<&FilterSortResult> {
        self.order.as_ref()
    }

    /// The number of the row at an index.
    pub fn number(&self, index: u64) -> Option<u64> {
        match &self.order {
            Some(answer) => {
                usize::try_from(index).ok().and_then(|index| answer.order.get(index)).map(|&number| number.into())
            }
            None => Some(index),
        }
    }

    /// The index of a row, if it is shown.
    pub fn index_of(&self, number: u64) -> Option<u64> {
        match &self.order {
            Some(answer) => {
                let number = RowNumber::try_from(number).ok()?;
                Some(answer.order.iter().position(|&shown| shown == number)? as u64)
            }
            None => Some(number).filter(|&number| !self.rows.is_removed(number)),
        }
    }

    /// Returns true if a page of this generation failed for good.
    pub fn has_failures(&self) -> bool {
        self.failed > 0
    }

    /// The number of rows shown, and while the end is unknown one more, which loads the next page when it comes into view.
    pub fn len(&self) -> u64 {
        if let Some(answer) = &self.order {
            return answer.order.len() as u64;
        }
        match self.extent.rows() {
            RowCount::Exactly(rows) => rows,
            RowCount::AtLeast(rows) => rows.saturating_add(u64::from(self.is_known())),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of loaded rows.
    pub fn loaded(&self) -> u64 {
        self.rows.count()
    }

    /// Returns true if every row is loaded or cached. Statements about all webhooks also need
    /// [`Listing::is_all_here`].
    pub fn is_complete(&self) -> bool {
        matches!(self.extent.rows(), RowCount::Exactly(rows) if rows == self.loaded())
    }

    /// Returns true if every row is loaded, none is cached, and the read is not known to be inconsistent.
    pub fn is_all_here(&self) -> bool {
        self.is_complete() && self.remembered == 0 && !self.is_inconsistent()
    }

    /// Returns true if every row is loaded, none is cached, and the last judged read showed the workspace as it was at one
    /// moment.
    pub fn is_consistent(&self) -> bool {
        self.is_complete() && self.remembered == 0 && self.certainty == Certainty::Consistent
    }

    /// Returns true if the last judged read was inconsistent, so that rows may be missing.
    pub fn is_inconsistent(&self) -> bool {
        self.certainty == Certainty::Inconsistent
    }

    /// Returns true once the consistency of this read is known.
    pub fn is_judged(&self) -> bool {
        self.judged == Some(self.generation)
    }

    /// Records the consistency of this read.
    pub fn judge(&mut self, is_consistent: bool) {
        self.judged = Some(self.generation);
        self.certainty = if is_consistent { Certainty::Consistent } else { Certainty::Inconsistent };
    }

    /// Returns the qualifier for a count of rows, so that it does not overstate what was loaded.
    pub fn of_which(&self) -> &'static str {
        match (self.remembered, self.is_complete() && !self.is_inconsistent()) {
            (0, true) => "",
            (0, false) => " (loaded only)",
            (remembered, _) if remembered == self.loaded() => " (cached)",
            _ => " (some cached)",
        }
    }

    /// Returns true if every row was loaded in this generation.
    pub fn is_all_fresh(&self) -> bool {
        self.is_complete() && self.fresh == self.slots.len() as u64
    }

    /// Returns true if some rows are older than the last refresh, which only covers the rows on screen. False while any row
    /// is cached.
    pub fn has_old_rows(&self) -> bool {
        self.remembered == 0 && self.fresh < self.rows.pages()
    }

    /// Returns true if every row was loaded in this generation without filtering by scope here, and the read was judged
    /// consistent.
    pub fn is_whole_read(&self) -> bool {
        self.is_all_fresh() && self.kept.is_none() && self.is_judged() && self.is_consistent()
    }

    /// The number of cached rows that have yet to be replaced.
    pub fn remembered(&self) -> u64 {
        self.remembered
    }

    /// Fills in cached rows where none are loaded. Returns false if there are none, or if their page size differs.
    pub fn remember(&mut self, rows: &Rows, at: Timestamp) -> bool {
        let (known, had_some) = (self.extent.is_known(), self.remembered > 0);
        if rows.count() == 0 || (known && self.extent.page_size() != rows.page_size()) {
            return false;
        }
        if !known {
            self.extent = PageLayout::remembered(rows.page_size(), rows.count());
            self.rows = self.rows.emptied(rows.page_size());
        }
        let last = self.extent.last_page().unwrap_or(u64::MAX);
        for (page, _, segment) in rows.segments().filter(|&(page, ..)| page <= last) {
            let slot = self.slots.entry(page).or_default();
            if self.rows.segment(page).is_none() && slot.generation != Some(self.generation) {
                slot.remembered = segment.rows as u64;
                self.remembered += slot.remembered;
                self.rows.put(page, segment.clone());
            }
        }
        if let RowCount::Exactly(rows) = self.extent.rows() {
            self.truncate(rows);
        }
        let before = self.remembered_at.filter(|_| had_some);
        self.remembered_at = Some(before.map_or(at, |before| before.min(at)));
        self.version += 1;
        true
    }

    /// The time of the oldest cached rows; `None` if there are none.
    pub fn remembered_at(&self) -> Option<Timestamp> {
        self.remembered_at.filter(|_| self.remembered > 0)
    }

    /// The row at an index, or the reason why there is none.
    pub fn cell(&self, index: u64) -> Cell<'_> {
        self.number(index).map_or(Cell::Absent, |number| self.cell_of(number))
    }

    /// The row with a number, or the reason why there is none.
    pub fn cell_of(&self, number: u64) -> Cell<'_> {
        if let Some(row) = self.rows.row(number) {
            return if self.rows.is_removed(number) { Cell::Removed(row) } else { Cell::Row(row) };
        }
        match self.slots.get(&self.extent.page_of(number)) {
            Some(Slot { request: Request::Failed(error), .. }) => Cell::Failed(error),
            Some(Slot { request: Request::Idle, generation, .. }) if *generation == Some(self.generation) => Cell::Absent,
            Some(Slot { request: Request::Idle | Request::InFlight, .. }) | None => Cell::Loading,
        }
    }

    /// The existing pages that contain the rows at these indexes, and the row with the number `besides`, without duplicates.
    pub fn pages_of(&self, indexes: &Range<u64>, besides: Option<u64>) -> Vec<u64> {
        if !self.is_known() {
            return vec![1];
        }
        if self.order.is_some() {
            let mut pages: Vec<u64> = indexes
                .clone()
                .filter_map(|index| self.number(index))
                .chain(besides)
                .filter(|&number| !self.rows.is_removed(number))
                .map(|number| self.extent.page_of(number))
                .collect();
            pages.sort_unstable();
            pages.dedup();
            // Nothing is shown yet, so use page 1.
            return if pages.is_empty() { vec![1] } else { pages };
        }
        let end = indexes.end.min(self.len().max(1));
        if indexes.start >= end {
            return Vec::new();
        }
        (self.extent.page_of(indexes.start)..=self.extent.page_of(end - 1)).collect()
    }

    pub fn page_size(&self) -> u64 {
        self.extent.page_size()
    }

    /// Returns true if a page has neither loaded nor failed in this generation.
    pub fn needs(&self, page: u64) -> bool {
        self.slots
            .get(&page)
            .is_none_or(|slot| slot.generation != Some(self.generation) && !matches!(slot.request, Request::Failed(_)))
    }

    /// Returns true if a page was loaded in this generation.
    pub fn is_fresh(&self, page: u64) -> bool {
        self.slots.get(&page).is_some_and(|slot| slot.generation == Some(self.generation))
    }

    /// Sets the removed rows that are shown among the others, in place of earlier ones.
    pub fn set_removed(&mut self, gone: Vec<RemovedRow>) {
        self.rows.set_removed(gone);
        self.version += 1;
    }

    /// The pages loaded in this generation, in order.
    pub fn pages_read(&self) -> Vec<u64> {
        self.slots.iter().filter(|(_, slot)| slot.generation == Some(self.generation)).map(|(&page, _)| page).collect()
    }

    /// The number of pages loaded in this generation.
    pub fn fresh_pages(&self) -> u64 {
        self.fresh
    }

    pub fn started(&mut self, page: u64) {
        self.set_request(page, Request::InFlight);
    }

    /// Records that a page failed. Its earlier rows stay.
    pub fn failed(&mut self, page: u64, error: ApiError) {
        self.set_request(page, Request::Failed(error));
    }

    fn set_request(&mut self, page: u64, request: Request) {
        let slot = self.slots.entry(page).or_default();
        let is_failure = |request: &Request| u64::from(matches!(request, Request::Failed(_)));
        self.failed = self.failed + is_failure(&request) - is_failure(&slot.request);
        slot.request = request;
    }

    /// Returns true if an empty page cannot be right: it has rows here, and should have some according to its own total.
    pub fn is_refuted_by(&self, page: PageNumbers) -> bool {
        let has_rows = self.rows.segment(page.number).is_some_and(|segment| segment.rows > 0);
        page.rows == 0 && has_rows && page.total.is_some_and(|total| total > self.extent.first_row(page.number))
    }

    /// Returns true if a later page repeats page 1 of this generation: the server ignores the page parameter.
    pub fn is_repeated_by(&self, page: &Page) -> bool {
        let Some(first) = self.rows.segment(1).filter(|_| page.numbers.number > 1 && self.is_fresh(1)) else { return false };
        first.rows > 0 && first.iter().map(RowRef::id).eq(page.rows.rows().map(RowRef::id))
    }

    /// Adds a page. Returns true if it changed the page size, so that all other pages have to be read again.
    pub fn load(&mut self, page: Page) -> bool {
        let Page { numbers, rows } = page;
        let number = numbers.number;
        let size_before = self.extent.is_known().then(|| self.extent.page_size());
        self.extent.observe(numbers, self.asked);
        let laid_out_anew = size_before.is_some_and(|size| size != self.extent.page_size());
        if laid_out_anew {
            self.slots.clear();
            self.fresh = 0;
            self.failed = 0;
            self.remembered = 0;
            self.extent.restart();
            self.extent.observe(numbers, self.asked);
        }
        if laid_out_anew || size_before.is_none() {
            self.rows = self.rows.emptied(self.extent.page_size());
        }
        self.rows.put(number, rows.into());
        self.fresh += u64::from(!self.is_fresh(number));
        self.set_request(number, Request::Idle);
        let slot = self.slots.entry(number).or_default();
        slot.generation = Some(self.generation);
        self.remembered -= std::mem::take(&mut slot.remembered);
        self.drop_what_is_gone();
        self.version += 1;
        laid_out_anew
    }

    /// Moves the pages of the current generation to a new one.
    pub fn adopt(&mut self, generation: Generation) {
        for slot in self.slots.values_mut().filter(|slot| slot.generation == Some(self.generation)) {
            slot.generation = Some(generation);
        }
        self.judged = self.judged.filter(|&judged| judged == self.generation).map(|_| generation);
        self.generation = generation;
    }

    /// Drops the rows beyond the end of the listing if a refresh found it shorter.
    fn drop_what_is_gone(&mut self) {
        if let Some(end) = self.end_of_read().filter(|_| !self.extent.is_told()) {
            self.extent.end_at(end);
        }
        if let RowCount::Exactly(rows) = self.extent.rows() {
            self.truncate(rows);
        }
    }

    /// Returns the number of rows according to the pages of this generation alone, if they show the end: a short page, the
    /// last one by the server's number of pages, or an empty page after it.
    fn end_of_read(&self) -> Option<u64> {
        let is_fresh = |slot: &Slot| slot.generation == Some(self.generation);
        let rows = |page: u64| self.rows.segment(page).map_or(0, |segment| segment.rows as u64);
        let fresh = self.slots.iter().rev().filter(|(_, slot)| is_fresh(slot)).map(|(&page, _)| page);
        let last = fresh.clone().find(|&page| rows(page) > 0).unwrap_or(0);
        let is_short = last > 0 && rows(last) < self.extent.page_size();
        let is_end = is_short || self.extent.is_said_to_be_last(last) || self.is_fresh(last + 1);
        is_end.then(|| self.extent.first_row(last) + rows(last))
    }

    fn truncate(&mut self, rows: u64) {
        // Page 1 stays even if it is empty, to record that.
        let last = self.extent.page_of(rows.saturating_sub(1));
        let behind = self.slots.split_off(&last.saturating_add(1));
        self.failed -= behind.values().filter(|slot| matches!(slot.request, Request::Failed(_))).count() as u64;
        self.fresh -= behind.values().filter(|slot| slot.generation == Some(self.generation)).count() as u64;
        self.remembered -= behind.values().map(|slot| slot.remembered).sum::<u64>();
        let room = rows - self.extent.first_row(last).min(rows);
        if let Some(slot) = self.slots.get_mut(&last).filter(|slot| slot.remembered > room) {
            self.remembered -= slot.remembered - room;
            slot.remembered = room;
        }
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        self.rows.truncate(last, room);
    }
}

#[cfg(test)]
pub(crate) mod tests;
