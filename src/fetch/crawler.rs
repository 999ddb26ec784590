//! Decides which pages of a listing to read, where it ends, and whether the pages are consistent. Does no IO and uses no
//! clock: the complete read and the explorer's task drive it.
//!
//! A driver requests [`Crawler::next`] as long as there is room, reports what happens, and calls [`Crawler::conclude`] when
//! nothing is in flight and nothing is left to request. Some listings have to be read a second time to be certain; see
//! `pass.rs`.

use std::collections::BTreeSet;

use super::layout::PageLayout;
use super::pass::{Pass, SecondPass, Verdict};
use super::{Policy, Problem};
use crate::api::{ApiError, ErrorKind, Page, PageNumbers};

/// A listing with more pages than this is treated as endless.
const MAX_PAGES: u64 = super::problem::MAX_PAGES;
/// Empty pages in a row that end a listing whose total claims more.
const EMPTY_PAGES: u64 = 3;
/// Pages that failed for good after which no further ones are requested.
const FAILED_PAGES: usize = 3;

/// One reading of a listing.
#[derive(Debug)]
pub(super) struct Crawler {
    policy: Policy,
    /// Read every page a second time, even if totals all but certify the first reading.
    verify: bool,
    layout: PageLayout,
    pass: Pass,
    /// Pages of the first reading that were received, or failed for good.
    settled: BTreeSet<u64>,
    /// The first page that is not settled.
    frontier: u64,
    /// The last page that was requested.
    requested: u64,
    failures: usize,
    /// No further page of the first reading is requested.
    is_stopped: bool,
    second: Option<SecondPass>,
    problems: Vec<Problem>,
    is_concluded: bool,
}

impl Crawler {
    pub(super) fn new(policy: Policy, verify: bool) -> Self {
        Self {
            policy,
            verify,
            layout: PageLayout::default(),
            pass: Pass::default(),
            settled: BTreeSet::new(),
            frontier: 1,
            requested: 0,
            failures: 0,
            is_stopped: false,
            second: None,
            problems: Vec::new(),
            is_concluded: false,
        }
    }

    /// Starts another reading. It keeps the page size if the listing is the same.
    pub(super) fn restart(&mut self, is_same_listing: bool) {
        let mut layout = std::mem::take(&mut self.layout);
        layout.restart();
        let layout = if is_same_listing { layout } else { PageLayout::default() };
        *self = Self { layout, ..Self::new(self.policy, self.verify) };
    }

    pub(super) fn layout(&self) -> &PageLayout {
        &self.layout
    }

    /// Returns true once a page was received or has failed.
    pub(super) fn has_begun(&self) -> bool {
        !self.settled.is_empty()
    }

    /// The number of pages received.
    pub(super) fn pages(&self) -> u64 {
        self.pass.pages()
    }

    /// Returns true if a page of the first reading is neither settled nor in flight.
    pub(super) fn is_open(&self, page: u64, is_under_way: impl Fn(u64) -> bool) -> bool {
        !self.settled.contains(&page) && !is_under_way(page)
    }

    /// The next page to request. It is at most `ahead` pages past those that came in order.
    pub(super) fn next(&self, ahead: u64, is_under_way: impl Fn(u64) -> bool) -> Option<u64> {
        if let Some(second) = &self.second {
            return second.next();
        }
        if self.is_stopped || self.is_concluded {
            return None;
        }
        if !self.layout.is_known() {
            // Page 1 reveals the page size.
            return self.is_open(1, is_under_way).then_some(1);
        }
        // Without a known end, double the range with each step, so that few requests go past the end.
        let last = self.layout.last_page().unwrap_or_else(|| (self.pass.pages() * 2).max(1));
        let end = self.frontier.saturating_add(ahead).min(last.saturating_add(1)).min(MAX_PAGES + 1);
        (self.frontier..end).find(|&page| self.is_open(page, &is_under_way))
    }

    /// Records that a page was requested.
    pub(super) fn started(&mut self, page: u64) {
        match &mut self.second {
            Some(second) if self.settled.contains(&page) => second.started(),
            _ => self.requested = self.requested.max(page),
        }
    }

    /// Adds a page. Returns true if it belongs to the first reading, so that its rows are used.
    pub(super) fn take(&mut self, page: &Page) -> bool {
        let digest = self.pass.digest(page);
        if self.settled.contains(&page.numbers.number) {
            self.confirm(|second, pass| second.take(pass, &digest));
            return false;
        }
        self.layout.observe(page.numbers, self.policy.page_size);
        self.pass.add(digest);
        self.settle(page.numbers.number);
        if self.layout.ends_in_empty_pages(EMPTY_PAGES) {
            self.is_stopped = true;
        }
        if let Some(problem) = self.pass.exceeds(&self.policy) {
            self.give_up(problem);
        }
        true
    }

    /// Adds the numbers of a saved listing, which is not read page by page.
    pub(super) fn take_saved(&mut self, numbers: PageNumbers) {
        self.layout.observe(numbers, self.policy.page_size);
        self.pass.add_saved(numbers);
        self.settle(numbers.number);
        self.is_stopped = true;
    }

    /// Records that a page failed for good. Returns true if it belongs to the first reading.
    pub(super) fn fail(&mut self, page: u64, error: &ApiError) -> bool {
        if self.settled.contains(&page) {
            self.confirm(|_, _| Err(Problem::Unconfirmed { page, error: error.clone() }));
            return false;
        }
        self.settle(page);
        self.failures += 1;
        self.problems.push(Problem::PageFailed { page, error: error.clone() });
        let is_spent = matches!(error.kind, ErrorKind::LimitNearlySpent { .. });
        if (error.is_refusal() || is_spent || self.failures >= FAILED_PAGES) && !self.is_stopped {
            self.is_stopped = true;
            let from = self.requested.max(page) + 1;
            if self.layout.last_page().is_none_or(|last| from <= last) {
                self.problems.push(Problem::NotRead { from });
            }
        }
        true
    }

    /// Ends the reading with a problem.
    pub(super) fn give_up(&mut self, problem: Problem) {
        self.problems.push(problem);
        self.is_stopped = true;
        self.second = None;
    }

    fn settle(&mut self, page: u64) {
        self.settled.insert(page);
        // A second reading in progress does not cover this page.
        self.second = None;
        while self.settled.contains(&self.frontier) {
            self.frontier += 1;
        }
        if self.frontier > MAX_PAGES && !self.is_stopped {
            self.give_up(Problem::NeverEnds);
        }
    }

    /// Compares a page with its first reading. The page may no longer be needed.
    fn confirm(&mut self, compare: impl FnOnce(&mut SecondPass, &Pass) -> Result<(), Problem>) {
        if let Some(second) = &mut self.second
            && let Err(problem) = compare(second, &self.pass)
        {
            self.give_up(problem);
        }
    }

    /// Returns true if a page that was received repeats an earlier one: the server ignores the page parameter.
    pub(super) fn is_repeated(&self, page: u64) -> bool {
        self.pass.is_repeated_page(page)
    }

    /// Records an id. Returns true if it is new.
    pub(super) fn is_new(&mut self, id: &str) -> bool {
        self.pass.is_new(id)
    }

    /// Stops reading pages a second time, since that is no longer needed.
    pub(super) fn stop_confirming(&mut self) {
        self.second = None;
    }

    /// Checks the pages once nothing is in flight and [`Crawler::next`] has nothing to request. Returns true if the reading
    /// is over; otherwise there are pages to read again.
    pub(super) fn conclude(&mut self) -> bool {
        if !self.is_concluded {
            if !self.problems.is_empty() {
                self.problems.extend(self.pass.repeated_ids());
            } else if self.second.take().is_none() {
                match self.pass.verdict(self.verify) {
                    Verdict::Consistent => {}
                    Verdict::Inconsistent(problems) => self.problems = problems,
                    Verdict::ReadAgain(second) => {
                        self.second = Some(second);
                        return false;
                    }
                }
            }
            self.is_concluded = true;
        }
        true
    }

    /// As [`Crawler::conclude`] for a reading that stops before the end of the listing: only certain problems count.
    pub(super) fn cut_short(&mut self) {
        self.problems.extend(self.pass.repeated_ids());
        self.is_concluded = true;
    }

    /// The reasons why the pages may not be the listing. Empty if they are.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::api::{Network, Nonsense};
    use crate::model::testing::page_of;

    fn page(number: u64, ids: std::ops::Range<u32>, total: Option<u64>) -> Page {
        let jsons: Vec<String> = ids.map(|id| format!(r#"{{"id":"{id}","url":"u"}}"#)).collect();
        let numbers = PageNumbers { number, rows: jsons.len() as u64, total, ..PageNumbers::default() };
        Page { numbers, rows: page_of(&jsons) }
    }

    fn crawler() -> Crawler {
        Crawler::new(Policy::default(), false)
    }

    /// Requests all pages that may be requested now.
    fn requested(crawler: &mut Crawler, ahead: u64) -> Vec<u64> {
        let mut under_way = Vec::new();
        while let Some(page) = crawler.next(ahead, |page| under_way.contains(&page)) {
            crawler.started(page);
            under_way.push(page);
        }
        under_way
    }

    /// Reads pages of 2 rows in order until the crawler is done. Returns the requests.
    fn read(crawler: &mut Crawler, rows: u32, total: Option<u64>) -> Vec<u64> {
        let mut requests = Vec::new();
        loop {
            let mut under_way: VecDeque<u64> = requested(crawler, 8).into();
            if under_way.is_empty() && crawler.conclude() {
                return requests;
            }
            while let Some(number) = under_way.pop_front() {
                requests.push(number);
                let first = (u32::try_from(number).unwrap() - 1) * 2;
                crawler.take(&page(number, first.min(rows)..(first + 2).min(rows), total));
            }
        }
    }

    #[test]
    fn page_1_is_requested_alone_and_then_as_far_as_there_is_room() {
        let mut crawler = crawler();
        assert_eq!(requested(&mut crawler, 4), [1]);
        assert!(crawler.take(&page(1, 0..2, Some(100))));
        assert_eq!(requested(&mut crawler, 4), [2, 3, 4, 5]);
    }

    #[test]
    fn a_listing_with_totals_is_confirmed_by_two_pages_and_one_without_by_all() {
        let mut with_totals = crawler();
        assert_eq!(read(&mut with_totals, 7, Some(7)), [1, 2, 3, 4, 1, 4]);
        let mut without = crawler();
        assert_eq!(read(&mut without, 7, None), [1, 2, 3, 4, 4, 1, 2, 3]);
        assert!(with_totals.problems().is_empty() && without.problems().is_empty());
    }

    #[test]
    fn a_page_that_differs_when_read_again_is_a_problem() {
        let mut crawler = crawler();
        for (number, ids) in [(1, 0..2), (2, 2..4)] {
            crawler.take(&page(number, ids, Some(4)));
        }
        assert!(!crawler.conclude(), "pages have to be read again");
        assert_eq!(requested(&mut crawler, 8), [1, 2]);
        assert!(!crawler.take(&page(1, 0..2, Some(4))), "the rows are there already");
        crawler.take(&page(2, 3..5, Some(4)));
        assert!(crawler.conclude());
        assert_eq!(crawler.problems(), [Problem::PageChanged { page: 2 }]);
    }

    #[test]
    fn after_three_failed_pages_the_rest_is_not_requested() {
        let mut crawler = crawler();
        crawler.take(&page(1, 0..2, Some(100)));
        for page in requested(&mut crawler, 3) {
            crawler.fail(page, &ApiError::new(ErrorKind::Network(Network::Timeout)));
        }
        assert!(requested(&mut crawler, 3).is_empty());
        assert!(crawler.conclude());
        assert_eq!(crawler.problems().len(), 4);
        assert_eq!(crawler.problems().last(), Some(&Problem::NotRead { from: 5 }));
    }

    #[test]
    fn a_refusal_stops_at_once() {
        let mut crawler = crawler();
        crawler.take(&page(1, 0..2, Some(100)));
        crawler.fail(2, &ApiError::new(ErrorKind::Unauthorized));
        assert!(requested(&mut crawler, 3).is_empty());
    }

    #[test]
    fn empty_pages_end_a_listing_whose_total_claims_more() {
        let mut crawler = crawler();
        let requests = read(&mut crawler, 4, Some(1_000));
        assert!(requests.len() < 20, "{requests:?}");
        assert!(matches!(crawler.problems(), [Problem::CountDiffers { claimed: 1_000, sent: 4 }]));
    }

    #[test]
    fn a_page_that_was_not_covered_restarts_the_second_reading() {
        let mut crawler = crawler();
        crawler.take(&page(1, 0..2, None));
        crawler.take(&page(2, 2..3, None));
        assert!(!crawler.conclude());
        assert_eq!(requested(&mut crawler, 8), [2], "the end is read alone");
        // The explorer scrolled past the end.
        assert!(crawler.take(&page(3, 0..0, None)));
        assert!(!crawler.conclude(), "it starts again");
    }

    #[test]
    fn a_server_that_repeats_page_1_is_recognized() {
        let mut crawler = crawler();
        crawler.take(&page(1, 0..2, None));
        crawler.take(&page(2, 0..2, None));
        assert!(crawler.is_repeated(2) && !crawler.is_repeated(1));
        crawler.give_up(Problem::PageFailed { page: 2, error: ApiError::new(ErrorKind::Nonsense(Nonsense::SamePage)) });
        assert!(crawler.conclude());
        assert_eq!(crawler.problems().len(), 1);
    }
}
