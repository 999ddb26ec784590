//! The rows that the explorer has, page by page. A million webhooks cost what was looked at.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::api::{ApiError, Page};
use crate::fetch::{Extent, Generation, RowCount};
use crate::model::{Row, Scope, WebhookId};

/// One page: its last good rows, and what is known of the request for newer ones.
#[derive(Debug, Default)]
struct Slot {
    rows: Vec<Row>,
    /// When the rows came; `None` before the first.
    generation: Option<Generation>,
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

/// What stands in a row of the list.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    Row(&'a Row),
    /// Not here yet.
    Loading,
    /// Its page failed.
    Failed(&'a ApiError),
    /// Its page came without it.
    Absent,
}

/// The listing of one scope.
#[derive(Debug, Default)]
pub struct Listing {
    extent: Extent,
    slots: BTreeMap<u64, Slot>,
    generation: Generation,
    asked: u32,
    loaded: u64,
    /// When the server does not filter by scope, it is done here: the scope, and the rows of it that are here.
    kept: Option<(Scope, Vec<u64>)>,
}

/// Rows are counted as they are shown: all of them, or those that [`Listing::keep_only`] keeps.
impl Listing {
    /// An empty listing whose pages will be asked for with this limit.
    pub fn new(generation: Generation, asked: u32) -> Self {
        Self { generation, asked, ..Self::default() }
    }

    /// Wants everything anew. Rows stay until newer ones come.
    pub fn refresh(&mut self, generation: Generation) {
        self.generation = generation;
        for slot in self.slots.values_mut() {
            slot.request = Request::Idle;
        }
    }

    pub fn rows(&self) -> RowCount {
        self.extent.rows()
    }

    /// Whether any page came.
    pub fn is_known(&self) -> bool {
        self.extent.is_known()
    }

    /// Shows only the rows of a scope from now on.
    pub fn keep_only(&mut self, scope: Scope) {
        self.kept = Some((scope, Vec::new()));
        self.update_kept();
    }

    /// Whether rows are filtered here, since the server does not.
    pub fn filters(&self) -> bool {
        self.kept.is_some()
    }

    /// Finds the rows to keep among all that are here.
    fn update_kept(&mut self) {
        if let Some((_, kept)) = &mut self.kept {
            kept.clear();
        }
        let pages: Vec<u64> = self.slots.keys().copied().collect();
        for page in pages {
            self.update_kept_of(page);
        }
    }

    /// Finds the rows to keep on one page.
    fn update_kept_of(&mut self, page: u64) {
        let Some((scope, kept)) = &mut self.kept else { return };
        let first = self.extent.first_row(page);
        let stop = first.saturating_add(self.extent.page_size());
        let rows = self.slots.get(&page).map_or(&[][..], |slot| &slot.rows);
        let admitted = (first..).zip(rows).filter(|(_, row)| scope.admits(*row)).map(|(index, _)| index);
        let place = kept.partition_point(|&index| index < first)..kept.partition_point(|&index| index < stop);
        kept.splice(place, admitted);
    }

    /// The row of the whole listing that is shown at a place, to find it again when rows are kept or dropped around it.
    pub fn anchor(&self, place: u64) -> Option<u64> {
        self.index(place)
    }

    /// Where a row of the whole listing is shown.
    pub fn place_of(&self, anchor: u64) -> Option<u64> {
        match &self.kept {
            Some((_, kept)) => kept.binary_search(&anchor).ok().map(|place| place as u64),
            None => Some(anchor),
        }
    }

    /// Whether a page failed for good in this generation.
    pub fn has_failures(&self) -> bool {
        self.slots.values().any(|slot| matches!(slot.request, Request::Failed(_)))
    }

    /// Rows to move over: those known, and while the end is unknown one more, whose being looked at asks for it.
    pub fn len(&self) -> u64 {
        if let Some((_, kept)) = &self.kept {
            return kept.len() as u64;
        }
        match self.extent.rows() {
            RowCount::Exactly(rows) => rows,
            RowCount::AtLeast(rows) => rows.saturating_add(u64::from(self.is_known())),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows that are here.
    pub fn loaded(&self) -> u64 {
        self.loaded
    }

    /// Whether every row is here.
    pub fn is_complete(&self) -> bool {
        matches!(self.extent.rows(), RowCount::Exactly(rows) if rows == self.loaded)
    }

    /// The row of the whole listing that is shown at a place.
    fn index(&self, place: u64) -> Option<u64> {
        match &self.kept {
            Some((_, kept)) => usize::try_from(place).ok().and_then(|place| kept.get(place)).copied(),
            None => Some(place),
        }
    }

    pub fn cell(&self, place: u64) -> Cell<'_> {
        let Some(index) = self.index(place) else { return Cell::Absent };
        let page = self.extent.page_of(index);
        let Some(slot) = self.slots.get(&page) else { return Cell::Loading };
        let offset = usize::try_from(index - self.extent.first_row(page)).unwrap_or(usize::MAX);
        match (slot.rows.get(offset), &slot.request) {
            (Some(row), _) => Cell::Row(row),
            (None, Request::Failed(error)) => Cell::Failed(error),
            (None, Request::Idle) if slot.generation == Some(self.generation) => Cell::Absent,
            (None, Request::Idle | Request::InFlight) => Cell::Loading,
        }
    }

    pub fn row(&self, place: u64) -> Option<&Row> {
        match self.cell(place) {
            Cell::Row(row) => Some(row),
            Cell::Loading | Cell::Failed(_) | Cell::Absent => None,
        }
    }

    /// The pages on which some rows lie, as far as there are such pages.
    pub fn pages_of(&self, places: &Range<u64>) -> Range<u64> {
        if !self.is_known() {
            return 1..2;
        }
        let rows = match &self.kept {
            Some(_) => {
                let ends = (self.index(places.start), places.end.min(self.len()).checked_sub(1).and_then(|i| self.index(i)));
                // Nothing is shown yet: page 1 stands for the screen.
                let (Some(first), Some(last)) = ends else { return 1..2 };
                return self.extent.page_of(first)..self.extent.page_of(last).saturating_add(1);
            }
            None => places,
        };
        let end = rows.end.min(self.len().max(1));
        if rows.start >= end {
            return 1..1;
        }
        self.extent.page_of(rows.start)..self.extent.page_of(end - 1).saturating_add(1)
    }

    pub fn page_size(&self) -> u64 {
        self.extent.page_size()
    }

    /// Whether a page has yet to come in this generation, and has not failed in it.
    pub fn needs(&self, page: u64) -> bool {
        self.slots
            .get(&page)
            .is_none_or(|slot| slot.generation != Some(self.generation) && !matches!(slot.request, Request::Failed(_)))
    }

    /// Whether the rows of a page are those of this generation.
    pub fn is_fresh(&self, page: u64) -> bool {
        self.slots.get(&page).is_some_and(|slot| slot.generation == Some(self.generation))
    }

    pub fn started(&mut self, page: u64) {
        self.slots.entry(page).or_default().request = Request::InFlight;
    }

    /// The rows that a page had stay.
    pub fn failed(&mut self, page: u64, error: ApiError) {
        self.slots.entry(page).or_default().request = Request::Failed(error);
    }

    /// Takes a page. True when the rows lie on other pages now: then all others have to be read again.
    pub fn load(&mut self, page: Page) -> bool {
        let number = page.number;
        let size_before = self.extent.is_known().then(|| self.extent.page_size());
        self.extent.observe(&page, self.asked);
        let laid_out_anew = size_before.is_some_and(|size| size != self.extent.page_size());
        if laid_out_anew {
            self.slots.clear();
            self.loaded = 0;
            self.extent.restart();
            self.extent.observe(&page, self.asked);
        }
        let rows = page.rows.len() as u64;
        let slot = self.slots.entry(number).or_default();
        self.loaded = self.loaded - slot.rows.len() as u64 + rows;
        *slot = Slot { rows: page.rows, generation: Some(self.generation), request: Request::Idle };
        let first = self.extent.first_row(number);
        let before = self.slots.len();
        self.drop_what_is_gone(number, first + rows, rows < self.extent.page_size());
        if laid_out_anew || self.slots.len() != before {
            self.update_kept();
        } else {
            self.update_kept_of(number);
        }
        laid_out_anew
    }

    /// Counts what came in the last generation as what came in this one.
    pub fn adopt(&mut self, generation: Generation) {
        for slot in self.slots.values_mut().filter(|slot| slot.generation == Some(self.generation)) {
            slot.generation = Some(generation);
        }
        self.generation = generation;
    }

    /// A refresh that finds the end nearer than before takes away what lay behind it.
    fn drop_what_is_gone(&mut self, number: u64, stop: u64, short: bool) {
        let RowCount::Exactly(rows) = self.extent.rows() else {
            let stale = self.slots.range(number + 1..).all(|(_, slot)| slot.generation != Some(self.generation));
            let had_more = self.slots.range(number + 1..).any(|(_, slot)| !slot.rows.is_empty());
            if short && stale && had_more {
                self.extent.end_at(stop);
                self.truncate(stop);
            }
            return;
        };
        self.truncate(rows);
    }

    fn truncate(&mut self, rows: u64) {
        // Page 1 stays even when it is empty: that it is empty is worth knowing.
        let last = self.extent.page_of(rows.saturating_sub(1));
        let gone = self.slots.split_off(&last.saturating_add(1));
        self.loaded -= gone.values().map(|slot| slot.rows.len() as u64).sum::<u64>();
        let room = usize::try_from(rows - self.extent.first_row(last).min(rows)).unwrap_or(usize::MAX);
        if let Some(slot) = self.slots.get_mut(&last) {
            self.loaded -= slot.rows.len().saturating_sub(room) as u64;
            slot.rows.truncate(room);
        }
    }

    /// Where a webhook is shown, if it is on a page that came in this generation.
    pub fn find(&self, id: &WebhookId) -> Option<u64> {
        let fresh = self.slots.iter().filter(|(_, slot)| slot.generation == Some(self.generation));
        let index = fresh.filter_map(|(&page, slot)| {
            let offset = slot.rows.iter().position(|row| row.id() == Some(id))?;
            Some(self.extent.first_row(page) + offset as u64)
        });
        index.min().and_then(|index| self.place_of(index))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::model::raw_array;

    /// A page of 100 rows at most, with the ids `w<start>` and so on.
    pub(crate) fn page(number: u64, ids: Range<u64>, total: Option<u64>) -> Page {
        let rows: Vec<_> = ids.map(|i| format!(r#"{{"id":"w{i}","url":"https://x{i}.com/","is_active":true}}"#)).collect();
        let raw = RawValue::from_string(format!("[{}]", rows.join(","))).unwrap();
        let rows = raw_array(&raw).unwrap().into_iter().map(|row| Row::decode(row).unwrap()).collect();
        Page { number, rows, reported: None, limit: Some(100), total, total_pages: None }
    }

    fn id(listing: &Listing, index: u64) -> Option<String> {
        Some(listing.row(index)?.id()?.raw().to_owned())
    }

    #[test]
    fn a_million_rows_cost_what_was_looked_at() {
        let mut listing = Listing::new(Generation::default(), 100);
        assert_eq!((listing.len(), listing.pages_of(&(0..40))), (0, 1..2));
        listing.load(page(1, 0..100, Some(1_000_000)));
        assert_eq!(listing.len(), 1_000_000);
        assert_eq!(listing.pages_of(&(999_960..1_000_000)), 10_000..10_001);
        assert!(matches!(listing.cell(999_999), Cell::Loading));
        listing.load(page(10_000, 999_900..1_000_000, Some(1_000_000)));
        assert_eq!(id(&listing, 999_999).as_deref(), Some("w999999"));
        assert_eq!((listing.loaded(), listing.slots.len()), (200, 2));
    }

    #[test]
    fn an_empty_listing_is_complete_and_asks_for_nothing() {
        for total in [Some(0), None] {
            let mut listing = Listing::new(Generation::default(), 100);
            listing.load(page(1, 0..0, total));
            assert!(listing.is_complete() && listing.is_empty() && !listing.needs(1), "{total:?}");
        }
    }

    #[test]
    fn missing_rows_are_shown_as_missing() {
        let mut listing = Listing::new(Generation::default(), 100);
        listing.load(page(1, 0..100, Some(300)));
        listing.load(page(2, 100..150, Some(300)));
        listing.load(page(3, 200..200, Some(300)));
        assert_eq!((listing.len(), listing.loaded(), listing.is_complete()), (300, 150, false));
        assert!(matches!((listing.cell(160), listing.cell(299)), (Cell::Absent, Cell::Absent)));
    }

    #[test]
    fn without_a_total_one_more_row_can_be_looked_at() {
        let mut listing = Listing::new(Generation::default(), 100);
        listing.load(page(1, 0..100, None));
        assert_eq!((listing.len(), listing.pages_of(&(70..110))), (101, 1..3));
        listing.load(page(2, 100..100, None));
        assert_eq!((listing.len(), listing.is_complete()), (100, true));
    }

    #[test]
    fn a_failure_keeps_the_rows_of_its_page() {
        let mut listing = Listing::new(Generation::default(), 100);
        listing.load(page(1, 0..100, Some(150)));
        listing.refresh(Generation::default().next());
        assert!(listing.needs(1) && !listing.is_fresh(1));
        listing.failed(1, ApiError::new(crate::api::ErrorKind::Status(500)));
        assert_eq!(id(&listing, 5).as_deref(), Some("w5"));
        assert!(!listing.needs(1), "a failed page is not asked for again in its generation");
        listing.failed(2, ApiError::new(crate::api::ErrorKind::Status(500)));
        assert!(matches!(listing.cell(120), Cell::Failed(_)));
    }

    #[test]
    fn a_refresh_that_finds_fewer_rows_drops_the_others() {
        let mut listing = Listing::new(Generation::default(), 100);
        listing.load(page(1, 0..100, Some(250)));
        listing.load(page(2, 100..200, Some(250)));
        listing.load(page(3, 200..250, Some(250)));
        assert!(listing.is_complete());
        listing.refresh(Generation::default().next());
        listing.load(page(1, 0..100, Some(120)));
        assert_eq!((listing.len(), listing.loaded()), (120, 120), "no more rows are here than there are");
        listing.load(page(2, 100..120, Some(120)));
        assert!(listing.is_complete());
    }

    #[test]
    fn without_a_total_a_refresh_finds_the_end_nearer_too() {
        let mut listing = Listing::new(Generation::default(), 100);
        listing.load(page(1, 0..100, None));
        listing.load(page(2, 100..200, None));
        listing.load(page(3, 200..230, None));
        listing.refresh(Generation::default().next());
        listing.load(page(2, 100..150, None));
        assert_eq!((listing.len(), listing.loaded()), (150, 150));
    }

    #[test]
    fn another_page_size_lays_the_rows_out_anew() {
        let mut listing = Listing::new(Generation::default(), 100);
        listing.load(page(1, 0..100, Some(250)));
        listing.load(page(3, 200..250, Some(250)));
        listing.refresh(Generation::default().next());
        listing.load(page(1, 0..50, Some(250)));
        assert_eq!((listing.page_size(), listing.loaded(), listing.pages_of(&(240..250))), (50, 50, 5..6));
    }

    #[test]
    fn a_scope_that_the_server_ignores_is_kept_here() {
        let mut listing = Listing::new(Generation::default(), 100);
        let mut mixed = page(1, 0..100, Some(150));
        mixed.rows.truncate(50);
        mixed.rows.extend(page(1, 0..50, None).rows.into_iter().map(|row| {
            let text = serde_json::to_string(&row).unwrap().replace("true", "false").replace("\"w", "\"i");
            Row::decode(&RawValue::from_string(text).unwrap()).unwrap()
        }));
        listing.load(mixed);
        listing.keep_only(Scope::Inactive);
        assert_eq!((listing.len(), id(&listing, 0).as_deref()), (50, Some("i0")));
        assert_eq!(listing.find(&WebhookId::new("i7")), Some(7));
        assert_eq!(listing.find(&WebhookId::new("w7")), None);
        listing.load(page(2, 100..150, Some(150)));
        assert_eq!((listing.len(), listing.loaded(), listing.is_complete()), (50, 150, true));
    }

    #[test]
    fn a_webhook_is_found_by_its_id() {
        let mut listing = Listing::new(Generation::default(), 100);
        listing.load(page(1, 0..100, Some(250)));
        listing.load(page(2, 100..200, Some(250)));
        assert_eq!(listing.find(&WebhookId::new("w150")), Some(150));
        listing.refresh(Generation::default().next());
        assert_eq!(listing.find(&WebhookId::new("w150")), None, "where it was before says nothing");
    }
}
