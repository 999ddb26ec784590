//! Decides whether the pages of a read are the listing at one moment. Does no IO and uses no clock.
//!
//! Pages are read one after another, and the listing can change in between: a deletion shifts every later row one place
//! toward the front, and the read misses a row that is shifted onto a page already read. A read is certified in one of these
//! ways:
//!
//! - A listing that fits on one page was read at one moment.
//! - If every page reports the same total, there are that many rows, and each id appeared once, [`Verdict::ReadAgain`] asks
//!   for page 1 and the last page. A deletion and an insertion between the same two requests can still hide a row behind
//!   equal totals.
//! - Otherwise, or to close that gap, every page is read a second time and must be the same. That is exact: ids are never
//!   reused, so every row in both passes existed between them. The first answer of the second pass proves that there were no
//!   other rows at that moment, by its total or because it is the page on which the listing ends. That page is therefore
//!   read alone, before the rest.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, Hasher as _, RandomState};

use super::{Policy, Problem};
use crate::api::{Page, PageNumbers};
use crate::model::{IdSet, WebhookId};

/// Returns true if this page is known to hold the whole listing, which makes it consistent by itself.
pub fn is_whole_listing(page: PageNumbers) -> bool {
    page.number == 1
        && match page.total {
            Some(total) => total == page.rows,
            None => page.rows == 0 && page.total_pages.is_none_or(|pages| pages <= 1),
        }
}

/// A summary of a page, kept after its rows were passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageDigest {
    pub(super) numbers: PageNumbers,
    /// The number of rows that are valid webhooks.
    webhooks: u64,
    /// The sum of the row hashes, which does not depend on the order of the rows.
    hash: u64,
}

impl PageDigest {
    /// Returns true if a second reading of the page is the same.
    fn is_confirmed_by(&self, again: &Self) -> bool {
        let shown = |page: &Self| (page.numbers.rows, page.numbers.total, page.numbers.total_pages, page.hash);
        shown(self) == shown(again)
    }
}

/// One reading of the pages of a listing.
#[derive(Debug, Default)]
pub(super) struct Pass {
    pages: BTreeMap<u64, PageDigest>,
    rows: u64,
    bytes: u64,
    ids: IdSet,
    repeated: usize,
    example: Option<WebhookId>,
    hasher: RandomState,
}

/// The result of checking the pages of a read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Consistent,
    Inconsistent(Vec<Problem>),
    /// Consistent if these pages are the same when they are read again.
    ReadAgain(SecondPass),
}

impl Pass {
    /// Summarizes a page. Only the contract's fields of its rows count, since others may differ each time.
    pub(super) fn digest(&self, page: &Page) -> PageDigest {
        let (mut hash, mut webhooks) = (0_u64, 0);
        for row in page.rows.rows() {
            let mut hasher = self.hasher.build_hasher();
            row.hash_contract(&mut hasher);
            hash = hash.wrapping_add(hasher.finish());
            webhooks += u64::from(row.is_webhook());
        }
        PageDigest { numbers: page.numbers, webhooks, hash }
    }

    /// Adds a page of the first reading.
    pub(super) fn add(&mut self, page: PageDigest) {
        self.rows += page.numbers.rows;
        self.bytes += page.numbers.bytes;
        self.pages.insert(page.numbers.number, page);
    }

    /// Adds a listing that is not read again, so its rows do not matter.
    pub(super) fn add_saved(&mut self, numbers: PageNumbers) {
        self.add(PageDigest { numbers, webhooks: 0, hash: 0 });
    }

    /// Records an id. Returns true if it is new.
    pub(super) fn is_new(&mut self, id: &str) -> bool {
        let is_new = self.ids.insert(id);
        if !is_new {
            self.repeated += 1;
            self.example.get_or_insert_with(|| WebhookId::new(id));
        }
        is_new
    }

    /// Returns true if a page already added repeats an earlier one; see [`Pass::repeats_earlier`].
    pub(super) fn is_repeated_page(&self, number: u64) -> bool {
        self.pages.get(&number).is_some_and(|page| self.repeats_earlier(page))
    }

    /// Returns true if a page repeats page 1 or the page before it, which means that the server ignores the page parameter.
    pub(super) fn repeats_earlier(&self, page: &PageDigest) -> bool {
        let number = page.numbers.number;
        let is_same = |other: &PageDigest| (other.numbers.rows, other.hash) == (page.numbers.rows, page.hash);
        let mut earlier = [1, number.saturating_sub(1)].into_iter().filter_map(|number| self.pages.get(&number));
        number > 1 && page.webhooks > 0 && earlier.any(is_same)
    }

    pub(super) fn first(&self) -> Option<PageNumbers> {
        self.pages.get(&1).map(|page| page.numbers)
    }

    /// The number of pages received.
    pub(super) fn pages(&self) -> u64 {
        self.pages.len() as u64
    }

    /// Returns a problem if there are more rows or bytes than the policy allows.
    pub(super) fn exceeds(&self, policy: &Policy) -> Option<Problem> {
        let &Policy { max_rows, max_bytes, .. } = policy;
        if self.rows > max_rows {
            Some(Problem::TooManyRows { limit: max_rows })
        } else {
            (self.bytes > max_bytes).then_some(Problem::TooManyBytes { limit: max_bytes })
        }
    }

    /// Returns a problem if any id appeared more than once.
    pub(super) fn repeated_ids(&self) -> Option<Problem> {
        self.example.clone().map(|example| Problem::RepeatedIds { count: self.repeated, example })
    }

    /// Checks a reading that reached the end of the listing. With `verify`, every page has to be read again.
    pub(super) fn verdict(&self, verify: bool) -> Verdict {
        let problems: Vec<_> = self.contradiction().into_iter().chain(self.repeated_ids()).collect();
        if !problems.is_empty() {
            return Verdict::Inconsistent(problems);
        }
        let last = self.last_with_rows();
        if last <= 1 && self.first().is_none_or(is_whole_listing) {
            return Verdict::Consistent;
        }
        let all = || self.pages.range(..=last).map(|(&number, _)| number);
        let (pages, begins_alone): (VecDeque<u64>, bool) = match (self.has_total(), verify) {
            (true, false) => ([1, last].into(), false),
            (true, true) => (all().collect(), false),
            (false, _) => {
                let end = self.end();
                (std::iter::once(end).chain(all().filter(|&page| page != end)).collect(), true)
            }
        };
        Verdict::ReadAgain(SecondPass { pages, begins_alone, out: 0 })
    }

    fn last_with_rows(&self) -> u64 {
        self.pages.iter().rev().find(|(_, page)| page.numbers.rows > 0).map_or(0, |(&number, _)| number)
    }

    /// Returns true if every page with rows reports a total.
    fn has_total(&self) -> bool {
        self.pages.values().filter(|page| page.numbers.rows > 0).all(|page| page.numbers.total.is_some())
    }

    /// Returns the page that shows where a listing without a total ends: the last page with rows if it is short or reported
    /// as the last, else the one after it.
    fn end(&self) -> u64 {
        let last = self.last_with_rows();
        let longest = self.pages.values().map(|page| page.numbers.rows).max().unwrap_or_default();
        let is_end =
            |page: &PageDigest| page.numbers.rows < longest || page.numbers.total_pages == Some(page.numbers.number);
        if self.pages.get(&last).is_some_and(is_end) { last } else { last + 1 }
    }

    /// Compares the reported totals, or else page counts, with each other and with what the server sent.
    fn contradiction(&self) -> Option<Problem> {
        let numbers = || self.pages.values().map(|page| page.numbers);
        let mut totals = numbers().filter_map(|page| page.total);
        if let Some(first) = totals.next() {
            // Some pages may report none; the reported totals must at least be right.
            return match totals.find(|&total| total != first) {
                Some(last) => Some(Problem::TotalChanged { first, last }),
                None => (first != self.rows).then_some(Problem::CountDiffers { claimed: first, sent: self.rows }),
            };
        }
        let claimed = numbers().find_map(|page| page.total_pages)?;
        let sent = numbers().filter(|page| page.rows > 0).count() as u64;
        let agree = numbers().all(|page| page.total_pages == Some(claimed));
        let is_right = claimed == sent || claimed <= 1 && sent == 0;
        (!agree || !is_right).then_some(Problem::PagesDiffer { claimed, sent })
    }
}

/// The pages to read again, which must be the same as before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SecondPass {
    pages: VecDeque<u64>,
    /// True while the other pages wait for the first one.
    begins_alone: bool,
    /// Requests in flight.
    out: usize,
}

impl SecondPass {
    /// The next page to request, if one may be requested now.
    pub(super) fn next(&self) -> Option<u64> {
        if self.begins_alone && self.out > 0 { None } else { self.pages.front().copied() }
    }

    /// Records that the next page was requested.
    pub(super) fn started(&mut self) {
        self.pages.pop_front();
        self.out += 1;
    }

    /// Compares a page with its first reading.
    pub(super) fn take(&mut self, first: &Pass, again: &PageDigest) -> Result<(), Problem> {
        self.out = self.out.saturating_sub(1);
        self.begins_alone = false;
        let page = again.numbers.number;
        // The page after the end may not have been requested before.
        let is_same = first.pages.get(&page).map_or(again.numbers.rows == 0, |first| first.is_confirmed_by(again));
        if is_same { Ok(()) } else { Err(Problem::PageChanged { page }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(number: u64, rows: u64, total: Option<u64>, total_pages: Option<u64>) -> PageNumbers {
        PageNumbers { number, rows, total, total_pages, ..PageNumbers::default() }
    }

    fn page(numbers: PageNumbers) -> PageDigest {
        PageDigest { numbers, webhooks: numbers.rows, hash: numbers.number }
    }

    fn pass(pages: impl IntoIterator<Item = PageNumbers>) -> Pass {
        let mut pass = Pass::default();
        pages.into_iter().for_each(|numbers| pass.add(page(numbers)));
        pass
    }

    /// The pages to read again, and true if the first of them goes alone.
    fn again(pass: &Pass, verify: bool) -> (Vec<u64>, bool) {
        match pass.verdict(verify) {
            Verdict::ReadAgain(second) => (second.pages.into(), second.begins_alone),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_page_that_holds_everything_needs_nothing_else() {
        for verify in [false, true] {
            assert_eq!(pass([numbers(1, 70, Some(70), None)]).verdict(verify), Verdict::Consistent);
            assert_eq!(pass([numbers(1, 0, None, None)]).verdict(verify), Verdict::Consistent);
        }
    }

    #[test]
    fn with_totals_the_first_page_and_the_last_are_read_again() {
        let pages = [numbers(1, 100, Some(230), None), numbers(2, 100, Some(230), None), numbers(3, 30, Some(230), None)];
        assert_eq!(again(&pass(pages), false), (vec![1, 3], false));
        assert_eq!(again(&pass(pages), true), (vec![1, 2, 3], false));
    }

    #[test]
    fn without_totals_every_page_is_read_again_and_the_end_goes_first() {
        let short = [numbers(1, 100, None, None), numbers(2, 30, None, None)];
        assert_eq!(again(&pass(short), false), (vec![2, 1], true));
        let full = [numbers(1, 100, None, None), numbers(2, 100, None, None), numbers(3, 0, None, None)];
        assert_eq!(again(&pass(full), false), (vec![3, 1, 2], true));
        let counted = [numbers(1, 100, None, Some(2)), numbers(2, 100, None, Some(2))];
        assert_eq!(again(&pass(counted), false), (vec![2, 1], true));
        assert_eq!(again(&pass([numbers(1, 9, None, None)]), false), (vec![2, 1], true), "an end that nothing shows");
    }

    #[test]
    fn a_page_that_is_another_one_disproves_the_first_reading() {
        let first = pass([numbers(1, 100, None, None), numbers(2, 30, None, None)]);
        let Verdict::ReadAgain(mut second) = first.verdict(false) else { panic!("nothing to read again") };
        assert_eq!(second.next(), Some(2));
        second.started();
        assert_eq!(second.next(), None, "the end goes alone");
        assert_eq!(second.take(&first, &page(numbers(2, 30, None, None))), Ok(()));
        assert_eq!(second.next(), Some(1));
        second.started();
        let other = PageDigest { hash: 7, ..page(numbers(1, 100, None, None)) };
        assert_eq!(second.take(&first, &other), Err(Problem::PageChanged { page: 1 }));
    }
}
