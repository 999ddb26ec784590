//! The length of a listing and the layout of its rows on pages, learned from the pages received. Servers clamp limits, omit
//! totals, and report totals that their own rows contradict, so nothing here relies on a number alone.

use crate::api::PageNumbers;

/// The length of a listing, as far as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowCount {
    Exactly(u64),
    /// There may be more.
    AtLeast(u64),
}

impl RowCount {
    /// The number of rows known to exist.
    pub fn known(self) -> u64 {
        match self {
            Self::Exactly(rows) | Self::AtLeast(rows) => rows,
        }
    }
}

/// The number of layout changes to accept. Without a limit, a server that varies the length of its pages would never be
/// done.
const LAYOUTS: u32 = 8;

/// The shape of a listing: learned from page 1, corrected by every page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageLayout {
    page_size: Option<u64>,
    /// True while the page size comes from an earlier read and page 1 has not confirmed it.
    is_remembered: bool,
    /// The number of times that the page size changed.
    layouts: u32,
    /// The server's total, unless rows contradicted it.
    total: Option<u64>,
    /// The server's number of pages, unless rows contradicted it.
    total_pages: Option<u64>,
    /// The number of rows up to the last one seen.
    seen: u64,
    /// The same, but in this read only.
    received: u64,
    /// The end of the page that must be the last one.
    end: Option<u64>,
    /// The first page known to be empty with no rows after it, and the last such page.
    empty_from: Option<u64>,
    last_empty: Option<u64>,
}

impl PageLayout {
    /// A listing remembered from an earlier read, with this many rows in total and per page.
    pub fn remembered(page_size: u64, rows: u64) -> Self {
        Self { page_size: Some(page_size), is_remembered: true, total: Some(rows), seen: rows, ..Self::default() }
    }

    /// Learns from a page. `asked` is the requested limit, which is used only if nothing else shows the page size.
    pub fn observe(&mut self, page: PageNumbers, asked: u32) {
        let rows = page.rows;
        self.learn_page_size(page, asked);
        let size = self.page_size();
        let start = self.first_row(page.number);
        let stop = start.saturating_add(rows);
        let short = rows < size;
        if rows > 0 {
            self.received = self.received.max(stop);
        }
        let received = self.received;
        // More rows than a total claims refute the total, even if later pages repeat it. Fewer rows do not: rows may be
        // missing from the page.
        self.total = page.total.filter(|&total| total >= received);
        self.total_pages = page.total_pages.filter(|&pages| pages.saturating_mul(size) >= received);
        if rows == 0 {
            self.empty_from = Some(self.empty_from.map_or(page.number, |earlier| earlier.min(page.number)));
            self.last_empty = self.last_empty.max(Some(page.number));
        } else {
            self.seen = self.seen.max(stop);
            let is_last = match self.total_pages {
                Some(pages) => page.number == pages,
                None => short && page.number > 1,
            };
            if is_last {
                self.end = Some(stop);
            }
        }
        let seen = self.seen;
        // An empty page followed by rows was not the end.
        self.empty_from = self.empty_from.filter(|&empty| seen <= self.first_row(empty));
    }

    /// Learns the page size, which is the length of the longest page. A shorter page 1 later may only mean that there are
    /// fewer rows: the size is smaller only if the page reports so, or reports that more pages follow.
    fn learn_page_size(&mut self, page: PageNumbers, asked: u32) {
        let rows = page.rows;
        let known = self.page_size.filter(|_| !self.is_remembered);
        let learned = match known {
            None if page.number > 1 => self.page_size.map(|size| size.max(rows)),
            None => Some(if rows > 0 { rows } else { page.limit.unwrap_or(asked.into()) }),
            Some(size) if rows > size => Some(rows),
            Some(size) => {
                let is_full = page.limit == Some(rows)
                    || page.total.is_some_and(|total| total > rows)
                    || page.total_pages.is_some_and(|pages| pages > 1);
                let is_smaller = page.number <= 1 && rows > 0 && is_full && self.is_steady();
                Some(if is_smaller { rows } else { size })
            }
        };
        self.is_remembered &= page.number > 1;
        // A workspace of one page may grow any number of times.
        let may_be_all = page.number <= 1
            && page.total.is_none_or(|total| total <= rows)
            && page.total_pages.is_none_or(|pages| pages <= 1);
        if known.is_some() && learned != known && !may_be_all {
            self.layouts += 1;
        }
        self.page_size = learned;
    }

    /// Returns true unless the layout has changed too often.
    pub fn is_steady(&self) -> bool {
        self.layouts < LAYOUTS
    }

    /// Sets the end that a refresh found: rows seen past it were removed.
    pub fn end_at(&mut self, rows: u64) {
        self.seen = rows;
        self.end = Some(rows);
        self.empty_from = None;
    }

    /// Starts another read of the listing. Known values are kept until pages contradict them.
    pub fn read_again(&mut self) {
        self.received = 0;
    }

    /// Returns true if the total is known and no row has contradicted it.
    pub fn is_told(&self) -> bool {
        self.total.is_some()
    }

    /// Returns true if the server reports this page as the last one.
    pub fn is_said_to_be_last(&self, page: u64) -> bool {
        self.total_pages == Some(page)
    }

    /// Forgets everything but the page size, to read the same listing again.
    pub fn restart(&mut self) {
        let Self { page_size, is_remembered, layouts, .. } = *self;
        *self = Self { page_size, is_remembered, layouts, ..Self::default() };
    }

    /// Returns true if the page size is known.
    pub fn is_known(&self) -> bool {
        self.page_size.is_some()
    }

    /// Rows per page as returned by the server, or the maximum while that is unknown; at least 1.
    pub fn page_size(&self) -> u64 {
        self.page_size.unwrap_or(u64::from(crate::api::MAX_PAGE_SIZE)).max(1)
    }

    pub fn rows(&self) -> RowCount {
        if let Some(total) = self.total {
            return RowCount::Exactly(total);
        }
        let ends_short = self.end == Some(self.seen);
        // The page after the last row, whether or not the last row's page is full.
        let behind = self.seen.checked_sub(1).map_or(1, |last| self.page_of(last).saturating_add(1));
        let ends_empty = self.total_pages.is_none() && self.empty_from == Some(behind);
        if ends_short || ends_empty {
            return RowCount::Exactly(self.seen);
        }
        let before_last = self.total_pages.map_or(0, |pages| self.first_row(pages).saturating_add(u64::from(pages > 0)));
        RowCount::AtLeast(self.seen.max(before_last))
    }

    /// Returns true if at least `pages` empty pages follow the last row.
    pub fn ends_in_empty_pages(&self, pages: u64) -> bool {
        match (self.empty_from, self.last_empty) {
            (Some(first), Some(last)) => last.saturating_sub(first) + 1 >= pages,
            _ => false,
        }
    }

    /// The page that contains a row, from 1.
    pub fn page_of(&self, row: u64) -> u64 {
        (row / self.page_size()).saturating_add(1)
    }

    /// The first row of a page.
    pub fn first_row(&self, page: u64) -> u64 {
        page.saturating_sub(1).saturating_mul(self.page_size())
    }

    /// The number of the last page, if known; at least 1.
    pub fn last_page(&self) -> Option<u64> {
        let last = match self.rows() {
            RowCount::Exactly(rows) => Some(rows.div_ceil(self.page_size())),
            RowCount::AtLeast(_) => self.total_pages.or(self.empty_from.map(|empty| empty.saturating_sub(1))),
        };
        last.map(|page| page.max(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A page of this many rows.
    fn page(number: u64, rows: u64) -> PageNumbers {
        PageNumbers { number, rows, ..PageNumbers::default() }
    }

    fn observed(pages: impl IntoIterator<Item = PageNumbers>) -> PageLayout {
        let mut extent = PageLayout::default();
        for page in pages {
            extent.observe(page, 100);
        }
        extent
    }

    #[test]
    fn a_total_tells_the_end_at_once() {
        let extent = observed([PageNumbers { limit: Some(100), total: Some(100_000), ..page(1, 100) }]);
        assert_eq!(extent.rows(), RowCount::Exactly(100_000));
        assert_eq!(extent.last_page(), Some(1000));
        assert_eq!(extent.page_of(99_999), 1000);
    }

    #[test]
    fn a_clamped_limit_is_the_page_size() {
        let extent = observed([PageNumbers { limit: Some(100), total: Some(70), ..page(1, 20) }]);
        assert_eq!((extent.page_size(), extent.last_page()), (20, Some(4)));
        let extent = observed([PageNumbers { limit: Some(20), total: Some(70), ..page(1, 20) }]);
        assert_eq!((extent.page_size(), extent.last_page()), (20, Some(4)));
    }

    #[test]
    fn no_page_is_longer_than_the_page_size() {
        let extent = observed([page(1, 60), page(2, 80)]);
        assert_eq!((extent.page_size(), extent.first_row(3)), (80, 160));
        let again = observed([page(1, 60), page(2, 80), page(1, 60)]);
        assert_eq!(again.page_size(), 80, "page 1 is as short as it was");
        let fewer = observed([page(1, 100), page(1, 70)]);
        assert_eq!(fewer.page_size(), 100, "there may be fewer rows now");
        let clamped = observed([page(1, 100), PageNumbers { total: Some(500), ..page(1, 20) }]);
        assert_eq!(clamped.page_size(), 20, "there are more rows, on shorter pages");
    }

    #[test]
    fn a_workspace_of_one_page_grows_as_often_as_it_likes() {
        let mut extent = PageLayout::default();
        for rows in 5..=50 {
            extent.observe(PageNumbers { limit: Some(100), total: Some(rows), ..page(1, rows) }, 100);
            assert!(extent.is_steady(), "{rows}");
            extent.restart();
        }
    }

    #[test]
    fn a_page_size_that_never_settles_is_found_out() {
        let mut extent = PageLayout::default();
        for rows in [99, 100].into_iter().cycle().take(50) {
            extent.observe(PageNumbers { total: Some(1000), ..page(1, rows) }, 100);
            extent.restart();
        }
        assert_eq!((extent.page_size(), extent.is_steady()), (100, false));
    }

    #[test]
    fn a_remembered_page_size_is_what_page_one_makes_of_it() {
        let mut extent = PageLayout::remembered(100, 250);
        extent.observe(page(1, 60), 100);
        assert_eq!((extent.page_size(), extent.is_steady()), (60, true));
    }

    #[test]
    fn without_totals_the_end_is_a_short_or_empty_later_page() {
        assert_eq!(observed([page(1, 70)]).rows(), RowCount::AtLeast(70));
        assert_eq!(observed([page(1, 70), page(2, 0)]).rows(), RowCount::Exactly(70));
        assert_eq!(observed([page(1, 100), page(2, 100)]).rows(), RowCount::AtLeast(200));
        assert_eq!(observed([page(1, 100), page(2, 30)]).rows(), RowCount::Exactly(130));
        assert_eq!(observed([page(1, 0)]).rows(), RowCount::Exactly(0));
    }

    #[test]
    fn a_number_of_pages_tells_where_the_last_page_is() {
        let with_pages = |page: PageNumbers| PageNumbers { total_pages: Some(3), ..page };
        let extent = observed([with_pages(page(1, 100))]);
        assert_eq!((extent.last_page(), extent.rows()), (Some(3), RowCount::AtLeast(201)));
        let extent = observed([with_pages(page(1, 100)), with_pages(page(3, 30))]);
        assert_eq!(extent.rows(), RowCount::Exactly(230));
    }

    #[test]
    fn a_total_that_rows_contradict_is_not_believed() {
        let small = PageNumbers { total: Some(10), ..page(1, 100) };
        assert_eq!(observed([small]).rows(), RowCount::AtLeast(100));
        let full = PageNumbers { total: Some(5000), ..page(1, 100) };
        let short = PageNumbers { total: Some(5000), ..page(2, 30) };
        let fewer = observed([full, short]);
        assert_eq!(fewer.rows(), RowCount::Exactly(5000), "rows are missing, and must not look complete");
    }

    #[test]
    fn an_empty_page_never_restores_a_total_that_rows_refuted() {
        let small = |page: PageNumbers| PageNumbers { total: Some(35), total_pages: Some(1), ..page };
        let mut extent = observed([page(1, 100), page(4, 50), page(5, 0)].map(small));
        assert_eq!((extent.rows(), extent.last_page()), (RowCount::Exactly(350), Some(4)));
        extent.observe(small(page(2, 100)), 100);
        assert_eq!(extent.rows(), RowCount::Exactly(350));
    }

    #[test]
    fn an_empty_page_behind_a_short_one_is_the_end() {
        let mut extent = observed([page(1, 9), page(2, 0)]);
        extent.restart();
        extent.observe(page(1, 4), 100);
        assert_eq!(extent.rows(), RowCount::AtLeast(4));
        extent.observe(page(2, 0), 100);
        assert_eq!(extent.rows(), RowCount::Exactly(4));
    }

    #[test]
    fn an_empty_page_does_not_refute_the_total_that_it_reports() {
        let nothing = PageNumbers { total: Some(250), limit: Some(100), ..page(1, 0) };
        assert_eq!(observed([nothing]).rows(), RowCount::Exactly(250));
    }

    #[test]
    fn some_empty_pages_in_a_row_are_an_end() {
        let total = |page: PageNumbers| PageNumbers { total: Some(1000), ..page };
        let mut extent = observed([total(page(1, 100)), total(page(2, 0)), total(page(3, 0))]);
        assert!(!extent.ends_in_empty_pages(3));
        extent.observe(total(page(4, 0)), 100);
        assert!(extent.ends_in_empty_pages(3));
        extent.observe(total(page(5, 100)), 100);
        assert!(!extent.ends_in_empty_pages(3), "there are rows behind them");
    }

    #[test]
    fn an_empty_page_in_the_middle_is_not_the_end() {
        let extent = observed([page(1, 100), page(3, 100), page(2, 0)]);
        assert_eq!(extent.rows(), RowCount::AtLeast(300));
    }

    #[test]
    fn an_empty_page_far_out_bounds_the_listing_without_ending_it() {
        let extent = observed([page(1, 100), page(10_000, 0)]);
        assert_eq!((extent.rows(), extent.last_page()), (RowCount::AtLeast(100), Some(9999)));
    }

    #[test]
    fn a_refresh_can_find_the_end_nearer() {
        let mut extent = observed([page(1, 100), page(2, 100), page(3, 30)]);
        assert_eq!(extent.rows(), RowCount::Exactly(230));
        extent.end_at(150);
        assert_eq!(extent.rows(), RowCount::Exactly(150));
        extent.restart();
        assert_eq!((extent.rows(), extent.page_size()), (RowCount::AtLeast(0), 100));
    }

    proptest! {
        #[test]
        fn absurd_numbers_never_overflow(
            number in prop_oneof![1_u64..5, Just(u64::MAX)],
            rows in 0_u64..5,
            limit in proptest::option::of(any::<u64>()),
            total in proptest::option::of(any::<u64>()),
            total_pages in proptest::option::of(any::<u64>()),
        ) {
            let mut extent = observed([PageNumbers { limit, total, total_pages, ..page(1, rows) }]);
            extent.observe(PageNumbers { limit, total, total_pages, ..page(number, rows) }, 100);
            let _ = (extent.last_page(), extent.first_row(u64::MAX), extent.page_of(u64::MAX));
            prop_assert!(extent.page_size() >= 1);
        }
    }
}
