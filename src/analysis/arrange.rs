//! Which rows are shown, and in what order: a filter and a sort over everything that is here, done in the background and never
//! from the beginning when what was found before can be used.

mod ahead;
mod order;
mod question;

use std::mem;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use self::ahead::Ahead;
use self::order::by_score;
pub use self::question::Question;
use self::question::{Found, PAGES_AT_ONCE};
use super::GoesOn;
use super::audit::{RuleSet, Verdicts};
use super::groups::Groups;
use super::query::Scan;
use super::rows::{RowNumber, Rows, Segment};
use crate::model::Letters;

/// Hits after which the first ones are told of: more than a screen shows.
const FIRST: usize = 256;
/// Rows whose texts take longer to read than a thread takes to start.
const WORTH_A_THREAD: usize = 50_000;
/// More threads than these wait for memory.
const THREADS: usize = 4;
/// Results that are kept to start later ones from, and the rows that they may have together.
const KEPT: usize = 24;
const KEPT_ROWS: usize = 3_000_000;

/// Rows in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    pub order: Arc<[RowNumber]>,
    /// Whether these are all, and not just the first ones.
    pub is_whole: bool,
    /// The same rows in groups, if that was asked.
    pub groups: Option<Arc<Groups>>,
}

/// Answers questions, and remembers what it found.
#[derive(Debug, Default)]
pub struct Arranger {
    /// The newest last.
    kept: Vec<Found>,
    /// What is known of the next letter.
    ahead: Option<Ahead>,
}

/// The rows that are gone and are asked for: the numbers that they had, in their order, and those that they have now.
fn gone(question: &Question) -> Vec<(RowNumber, RowNumber)> {
    let mut scan = Scan::new(&question.query, &question.flags);
    let mut gone: Vec<_> = question
        .rows
        .gone()
        .filter(|&(_, gone)| {
            gone.row().is_some_and(|row| question.scope.admits_state(row.active()) && scan.admits(row, RuleSet::default()))
        })
        .map(|(number, gone)| (gone.former, number))
        .collect();
    gone.sort_unstable();
    gone
}

/// The hits with those that are gone between them, each where it was.
fn in_their_places(hits: &[RowNumber], gone: &[(RowNumber, RowNumber)]) -> Vec<RowNumber> {
    let mut order = Vec::with_capacity(hits.len() + gone.len());
    let mut rest = hits;
    for (before, &(former, number)) in (0..).zip(gone) {
        // Every one that went moved those behind it up by one.
        let (here, behind) = rest.split_at(rest.partition_point(|&hit| hit < former.saturating_sub(before)));
        order.extend_from_slice(here);
        order.push(number);
        rest = behind;
    }
    order.extend_from_slice(rest);
    order
}

/// What lets the rows through that are asked for.
struct Sieve<'q> {
    question: &'q Question,
    scan: Scan<'q>,
    /// What an audit found, when that is asked for.
    verdicts: Option<&'q Verdicts>,
    hits: Vec<RowNumber>,
}

impl<'q> Sieve<'q> {
    fn new(question: &'q Question) -> Self {
        let Question { query, flags, .. } = question;
        let verdicts = query.asks_for_findings().then_some(&*flags.verdicts);
        Self { question, scan: Scan::new(query, flags), verdicts, hits: Vec::new() }
    }

    /// Keeps those of some rows of a page, the first of which has this number.
    fn take(
        &mut self,
        page: u64,
        segment: &'q Segment,
        first: RowNumber,
        offsets: impl ExactSizeIterator<Item = RowNumber>,
    ) {
        if !self.scan.enter(&segment.block, offsets.len()) {
            return;
        }
        let found = self.verdicts.map(|verdicts| verdicts.of_page(self.question.rows.page_size(), page));
        for offset in offsets {
            let Some(row) = segment.block.row(offset as usize) else { continue };
            let found = found.map_or_else(RuleSet::default, |found| found.at(segment, offset as usize));
            if self.question.scope.admits_state(row.active()) && self.scan.admits(row, found) {
                self.hits.push(first + offset);
            }
        }
    }
}

/// One search through everything that is here.
struct Search<'q> {
    question: &'q Question,
    /// What was found before and holds all that is asked for.
    base: Option<&'q Found>,
    /// The base was asked for the same, maybe of other rows.
    is_same: bool,
    next: Option<Next<'q>>,
    pages: Vec<Page<'q>>,
    /// Pages that a thread takes together.
    at_once: usize,
}

/// The letter that is asked for behind the hits of the base, and which letters stand behind the first of them.
struct Next<'q> {
    letter: Letters,
    letters: &'q [Letters],
}

/// A page that is searched.
struct Page<'q> {
    number: u64,
    /// The number of its first row.
    first: RowNumber,
    segment: &'q Segment,
    /// The base is about this page as it is now.
    is_known: bool,
}

impl<'q> Search<'q> {
    fn new(question: &'q Question, base: Option<&'q Found>, ahead: Option<&'q Ahead>) -> Self {
        let is_same = base.is_some_and(|base| base.query.narrows(&question.query));
        let pages = question.rows.segments().map(|(number, first, segment)| {
            let known = base.and_then(|base| base.rows.segment(number));
            Page { number, first, segment, is_known: known.is_some_and(|known| known.is_same(segment)) }
        });
        let next = base.zip(ahead).filter(|_| !is_same).and_then(|(base, ahead)| {
            Some(Next { letter: question.query.letter_behind(&base.query)?, letters: ahead.letters(base)? })
        });
        Self { question, base, is_same, next, pages: pages.collect(), at_once: PAGES_AT_ONCE }
    }

    /// On how many threads it is worth it.
    fn threads(&self) -> usize {
        let unknown: usize = self.pages.iter().filter(|page| !page.is_known).map(|page| page.segment.rows).sum();
        let known = self.base.filter(|_| !self.is_same).map_or(0, |base| base.hits.len());
        let known = known.saturating_sub(self.next.as_ref().map_or(0, |next| next.letters.len()));
        if unknown + known < WORTH_A_THREAD || !self.question.query.reads_texts() {
            return 1;
        }
        thread::available_parallelism().map_or(1, NonZero::get).min(THREADS)
    }

    /// All hits in the order of the listing; `None` when the result is no longer needed. `tell` is for the first of them.
    ///
    /// This thread goes through the pages from the front, so that the first hits come first, and the others come towards it from
    /// behind: which of them gets how much of a processor decides where they meet.
    fn run(&self, threads: usize, goes_on: GoesOn<'_>, tell: &mut dyn FnMut(&[RowNumber])) -> Option<Vec<RowNumber>> {
        let pages = Mutex::new(self.pages.chunks(self.at_once));
        let left = || pages.lock().unwrap_or_else(PoisonError::into_inner);
        thread::scope(|scope| {
            let help =
                |_| thread::Builder::new().spawn_scoped(scope, || self.backwards(|| left().next_back(), goes_on)).ok();
            // Where no thread can be had, this one does it all.
            let helpers: Vec<_> = (1..threads).map_while(help).collect();
            let mut hits = self.forwards(|| left().next(), goes_on, tell)?;
            let mut behind = Vec::new();
            for helper in helpers {
                behind.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic))?);
            }
            behind.sort_unstable_by_key(|hits| hits.first().copied());
            hits.reserve_exact(behind.iter().map(Vec::len).sum());
            for more in behind {
                hits.extend_from_slice(&more);
            }
            Some(hits)
        })
    }

    /// The hits on the pages that `next` hands out.
    fn forwards(
        &self,
        next: impl Fn() -> Option<&'q [Page<'q>]>,
        goes_on: GoesOn<'_>,
        tell: &mut dyn FnMut(&[RowNumber]),
    ) -> Option<Vec<RowNumber>> {
        let mut sieve = Sieve::new(self.question);
        let mut told = false;
        while let Some(pages) = next() {
            self.sift(pages, &mut sieve, goes_on)?;
            if !told && sieve.hits.len() >= FIRST {
                told = true;
                tell(&sieve.hits);
            }
        }
        Some(sieve.hits)
    }

    /// As [`Search::forwards`], apart for all pages that were handed out together.
    fn backwards(&self, next: impl Fn() -> Option<&'q [Page<'q>]>, goes_on: GoesOn<'_>) -> Option<Vec<Vec<RowNumber>>> {
        let mut sieve = Sieve::new(self.question);
        let mut found = Vec::new();
        while let Some(pages) = next() {
            self.sift(pages, &mut sieve, goes_on)?;
            found.push(mem::take(&mut sieve.hits));
        }
        Some(found)
    }

    /// Puts some pages through the sieve; `None` when the result is no longer needed.
    fn sift(&self, pages: &[Page<'q>], sieve: &mut Sieve<'q>, goes_on: GoesOn<'_>) -> Option<()> {
        if !goes_on() {
            return None;
        }
        let mut left = self.before(pages.first().map_or(0, |page| page.first));
        for &Page { number, first, segment, is_known } in pages {
            let stop = first.saturating_add(RowNumber::try_from(segment.rows).unwrap_or(RowNumber::MAX));
            left.take_before(first);
            let before = left.take_before(stop);
            if !is_known {
                sieve.take(number, segment, first, 0..stop - first);
            } else if self.is_same {
                sieve.hits.extend_from_slice(before.hits);
            } else {
                self.sift_again(&before, number, segment, first, sieve);
            }
        }
        Some(())
    }

    /// Takes those hits of a page that are still hits. Of the first of them the letters tell, if they do.
    fn sift_again(&self, before: &Before<'_>, page: u64, segment: &'q Segment, first: RowNumber, sieve: &mut Sieve<'q>) {
        let has_next = |letters: &Letters| self.next.as_ref().and_then(|next| letters.has(next.letter));
        let mut hits = before.hits;
        for letters in before.letters.chunk_by(|one, other| has_next(one) == has_next(other)) {
            let (alike, rest) = hits.split_at(letters.len());
            hits = rest;
            match letters.first().and_then(has_next) {
                Some(true) => sieve.hits.extend_from_slice(alike),
                Some(false) => {}
                None => sieve.take(page, segment, first, alike.iter().map(|&hit| hit - first)),
            }
        }
        sieve.take(page, segment, first, hits.iter().map(|&hit| hit - first));
    }

    /// What was found before of a row and those behind it.
    fn before(&self, first: RowNumber) -> Before<'q> {
        let hits: &[RowNumber] = self.base.map_or(&[], |base| &base.hits);
        let letters = self.next.as_ref().map_or(&[][..], |next| next.letters);
        let mut before = Before { hits, letters };
        before.take(hits.partition_point(|&hit| hit < first));
        before
    }
}

/// Hits of the base, and the letters that stand behind the first of them.
struct Before<'q> {
    hits: &'q [RowNumber],
    letters: &'q [Letters],
}

impl Before<'_> {
    /// Takes the hits before a row, which are few, off the front.
    fn take_before(&mut self, row: RowNumber) -> Self {
        // Not by halves: those of a page are next to each other, and what is far behind them is in no cache.
        self.take(self.hits.iter().take_while(|&&hit| hit < row).count())
    }

    fn take(&mut self, count: usize) -> Self {
        let (hits, hits_left) = self.hits.split_at(count);
        let (letters, letters_left) = self.letters.split_at(count.min(self.letters.len()));
        *self = Self { hits: hits_left, letters: letters_left };
        Before { hits, letters }
    }
}

impl Arranger {
    /// Answers a question: in two parts when the first screenful is there long before the rest, with `tell` for the first of
    /// them. `None` when `goes_on` says that the result is no longer needed.
    pub fn answer(&mut self, question: &Question, goes_on: GoesOn<'_>, tell: &mut dyn FnMut(Answer)) -> Option<Answer> {
        let is_ranked = question.query.is_ranked();
        let in_order = question.sort.is_none() && !is_ranked;
        let hits = self.find(question, goes_on, &mut |first| {
            if in_order {
                tell(Answer { order: first.into(), is_whole: false, groups: None });
            }
        })?;
        let gone = gone(question);
        let groups = question.grouping.as_ref().map(|grouping| Arc::new(grouping.group(&question.rows, &hits)));
        let with_gone = || match &*gone {
            [] => Arc::clone(&hits),
            gone => hits.iter().copied().chain(gone.iter().map(|&(_, number)| number)).collect(),
        };
        let order = match question.sort {
            Some(sort) => sort.rows(&question.rows, &with_gone()).into(),
            None if is_ranked => by_score(question, &with_gone(), goes_on)?.into(),
            None if gone.is_empty() => hits,
            None => in_their_places(&hits, &gone).into(),
        };
        Some(Answer { order, is_whole: true, groups })
    }

    /// Finds out what one more letter of the newest query will find, as long as nobody wants to know anything else.
    pub fn look_ahead(&mut self, goes_on: GoesOn<'_>) {
        let newest = self.kept.last().filter(|newest| newest.hits.len() >= WORTH_A_THREAD);
        self.ahead = newest.and_then(|newest| Ahead::of(newest, goes_on));
    }

    /// The rows that the question is about, in the order of the listing.
    fn find<'q>(
        &mut self,
        question: &'q Question,
        goes_on: GoesOn<'_>,
        tell: &mut dyn FnMut(&[RowNumber]),
    ) -> Option<Arc<[RowNumber]>> {
        let base = self.base(question);
        // Of no use but to the next question, and large.
        let ahead = self.ahead.take();
        let search = Search::new(question, base.as_ref(), ahead.as_ref());
        let hits: Arc<[RowNumber]> = search.run(search.threads(), goes_on, tell)?.into();
        self.keep(question, &hits);
        Some(hits)
    }

    /// The earlier result with the fewest hits that has all that the question asks for, the newest of equals; one of rows that were
    /// read again since only if there is no other.
    fn base(&self, question: &Question) -> Option<Found> {
        let usable = self.kept.iter().filter(|found| {
            found.rows.page_size() == question.rows.page_size()
                && found.scope == question.scope
                && found.flags.are_same_to(&found.query, &question.flags)
                && question.query.narrows(&found.query)
        });
        usable.rev().min_by_key(|found| (is_read_again(found, &question.rows), found.hits.len())).cloned()
    }

    fn keep(&mut self, question: &Question, hits: &Arc<[RowNumber]>) {
        let Question { rows, query, scope, flags, .. } = question.clone();
        // What was found in older rows serves no more once it was found in these.
        self.kept.retain(|found| !(found.query.narrows(&query) && query.narrows(&found.query)));
        // Of rows that were read again since, one result is enough to begin with: the others would keep all of them in memory.
        let newest_old = self.kept.iter().rposition(|found| is_read_again(found, &rows));
        let mut place = 0;
        self.kept.retain(|found| {
            let stays = !is_read_again(found, &rows) || newest_old == Some(place);
            place += 1;
            stays
        });
        self.kept.push(Found { rows, query, scope, flags, hits: Arc::clone(hits) });
        let mut room = KEPT_ROWS;
        let mut newest = 0;
        for found in self.kept.iter().rev().take(KEPT) {
            room = room.saturating_sub(found.hits.len());
            newest += usize::from(room > 0);
        }
        self.kept.drain(..self.kept.len().saturating_sub(newest.max(1)));
    }
}

/// Whether a result is of rows that were all read again since: two pages far from each other tell.
fn is_read_again(found: &Found, rows: &Rows) -> bool {
    let is_another = |page| match (rows.segment(page), found.rows.segment(page)) {
        (Some(segment), Some(known)) => !known.is_same(segment),
        (segment, _) => segment.is_some(),
    };
    is_another(1) && is_another(rows.pages())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;
    use crate::analysis::query::Query;
    use crate::model::{Draft, Element, Packer, Row};

    const QUERIES: [&str; 23] = [
        "",
        "z",
        "k",
        "é",
        "ac",
        "-z",
        "a|z",
        "Acme",
        "url:/x",
        "url:acme",
        "url:=acme.com",
        "xn--",
        "acme.com/",
        "url:acme.com/x",
        "k%c3",
        "-url:com/",
        "id:w3",
        "host:xn--",
        "host:acme",
        "event:fail",
        "~kb",
        "re:a.m",
        "-host:acme e active:no",
    ];

    pub(super) fn row(url: &str, id: usize, event: &str, active: bool, is_plain: bool) -> Row {
        let created = if is_plain { r#","created_at":"2024-04-01T08:00:00.000Z""# } else { "" };
        let json = format!(r#"{{"id":"w{id}","url":"{url}","events":["{event}"],"is_active":{active}{created}}}"#);
        Row::decode(&RawValue::from_string(json).unwrap()).unwrap()
    }

    #[test]
    fn texts_that_were_made_to_be_searched_for_long_are_searched_all_the_same() {
        let urls = (0..20).map(|id| format!("https://x/{}{}", "a".repeat(2_000), if id % 4 == 3 { "c" } else { "" }));
        let drafts = (0..).zip(urls).map(|(id, url)| Draft::of_row(row(&url, id, "e", true, true)));
        let block = Arc::new(Packer::default().pack_rows(drafts));
        let mut rows = Rows::new(20);
        rows.put(1, Segment { rows: block.len(), block });
        let query = Query::parse(&format!("{}c", "a".repeat(40)), jiff::Timestamp::UNIX_EPOCH).unwrap();
        let question = Question { rows, query, ..Question::default() };
        let found = Arranger::default().answer(&question, &|| true, &mut |_| {}).unwrap();
        assert_eq!(&*found.order, [3, 7, 11, 15, 19]);
    }

    fn searched(rows: &Rows, text: &str) -> Question {
        let query = Query::parse(text, jiff::Timestamp::UNIX_EPOCH).unwrap();
        Question { rows: rows.clone(), query, ..Question::default() }
    }

    fn laid_out(packer: &Packer, rows: usize, page_size: usize) -> Rows {
        let mut laid_out = Rows::new(page_size as u64);
        for (page, first) in (1..).zip((0..rows).step_by(page_size)) {
            let urls = (first..rows.min(first + page_size)).map(|id| (id, format!("https://h{id}.test/in/{id}")));
            let drafts = urls.map(|(id, url)| Draft::of_row(row(&url, id, "e", true, true)));
            let block = Arc::new(packer.pack_rows(drafts));
            laid_out.put(page, Segment { rows: block.len(), block });
        }
        laid_out
    }

    #[test]
    fn hosts_without_end_are_searched_like_any_text() {
        let rows = laid_out(&Packer::default(), 20_000, 1_000);
        for (text, found) in [("h19999.t", vec![19_999]), ("url:h17.t", vec![17]), ("in/1899", vec![1899, 18_990])] {
            let answer = Arranger::default().answer(&searched(&rows, text), &|| true, &mut |_| {}).unwrap();
            assert_eq!(answer.order.get(..found.len().min(2)), Some(&*found), "{text}");
        }
    }

    #[test]
    fn threads_are_for_texts_that_are_read() {
        let packer = Packer::default();
        let (rows, again) = (laid_out(&packer, 60_000, 1_000), laid_out(&packer, 60_000, 1_000));
        let most = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS);
        let mut arranger = Arranger::default();
        let mut threads = |rows: &Rows, text: &str| {
            let question = searched(rows, text);
            let base = arranger.base(&question);
            let threads = Search::new(&question, base.as_ref(), arranger.ahead.as_ref()).threads();
            arranger.answer(&question, &|| true, &mut |_| {}).unwrap();
            threads
        };
        assert_eq!((threads(&rows, "h"), threads(&rows, "active:yes"), threads(&rows, "host:h1")), (1, 1, 1), "shared");
        assert_eq!((threads(&rows, "h12"), threads(&rows, "h123"), threads(&rows, "h12")), (most, 1, 1), "few are left");
        assert_eq!(threads(&again, "h123"), most, "all were read again");
        assert_eq!((threads(&again, "h12"), threads(&again, "h1234")), (most, 1), "an old result is not the base");
    }

    #[test]
    fn a_letter_that_was_looked_ahead_to_needs_no_texts() {
        let rows = laid_out(&Packer::default(), 60_000, 1_000);
        let mut arranger = Arranger::default();
        let mut typed = |text: &str| {
            let question = searched(&rows, text);
            let base = arranger.base(&question);
            let search = Search::new(&question, base.as_ref(), arranger.ahead.as_ref());
            let is_told = search.next.as_ref().is_some_and(|next| next.letters.len() == search.before(0).hits.len());
            let threads = search.threads();
            let found = arranger.answer(&question, &|| true, &mut |_| {}).unwrap().order.len();
            arranger.look_ahead(&|| true);
            (found, is_told, threads)
        };
        assert_eq!(typed("h"), (60_000, false, 1));
        assert_eq!(typed("ht"), (60_000, true, 1), "the newest of equals is the base");
        assert_eq!(typed("htt"), (60_000, true, 1));
        typed("http h");
        assert_eq!(typed("http ht"), (60_000, false, 1), "it is what was asked before, in other words");
        assert_eq!(typed("id:w"), (60_000, false, thread::available_parallelism().map_or(1, NonZero::get).min(THREADS)));
        assert_eq!(typed("id:w5"), (11_111, true, 1));
        assert_eq!(typed("id:w59"), (1_111, false, 1), "few are soon searched");
        arranger.look_ahead(&|| false);
        assert!(arranger.ahead.is_none());
    }

    #[test]
    fn results_keep_no_rows_that_were_read_again_but_once() {
        let packer = Packer::default();
        let mut arranger = Arranger::default();
        let mut blocks = Vec::new();
        for read in 0..6 {
            let rows = laid_out(&packer, 40, 20);
            blocks.extend(rows.segments().map(|(_, _, segment)| Arc::downgrade(&segment.block)));
            for letter in ["h", "in", "9"] {
                arranger.answer(&searched(&rows, &format!("{letter} -x{read}")), &|| true, &mut |_| {}).unwrap();
            }
        }
        assert_eq!(blocks.iter().filter(|block| block.strong_count() > 0).count(), 4, "of the last read and of one before");
    }

    proptest! {
        /// Whatever is skipped, and from whatever it starts: what is found is what the query says of each row.
        #[test]
        fn a_row_is_found_if_the_query_says_so(
            webhooks in proptest::collection::vec(
                (
                    r"https://(acme|ACME|zoo|b\u{fc}cher|\u{212a}b)\.(com|test)(:443)?/[xyzk\u{e9}]{0,2}",
                    "(call\\.failed|call\\.ended|\u{e9}t\u{e9}|)",
                    any::<bool>(),
                ),
                1..40,
            ),
            page_size in 1_u32..40,
            threads in 1_usize..5,
            at_once in 1_usize..4,
            patience in 0_usize..9,
            odd in proptest::option::of(0_usize..40),
            asked in proptest::collection::vec((proptest::sample::select(QUERIES.to_vec()), proptest::option::of(0_usize..40)), 1..6),
        ) {
            let mut rows: Vec<Row> =
                (0..).zip(&webhooks).map(|(id, (url, event, active))| row(url, id, event, *active, odd != Some(id))).collect();
            let packer = Packer::default();
            let segment = |rows: &[Row]| {
                let block = Arc::new(packer.pack_rows(rows.iter().cloned().map(Draft::of_row)));
                Segment { rows: block.len(), block }
            };
            let mut laid_out = Rows::new(page_size.into());
            for (page, rows) in (1..).zip(rows.chunks(page_size as usize)) {
                laid_out.put(page, segment(rows));
            }
            let mut arranger = Arranger::default();
            for (text, read_again) in asked {
                // A page has other rows now.
                let mut pages = (1..).zip(rows.chunks_mut(page_size as usize));
                if let Some((page, rows)) = read_again.and_then(|place| pages.nth(place)) {
                    rows.reverse();
                    laid_out.put(page, segment(rows));
                }
                let query = Query::parse(text, jiff::Timestamp::UNIX_EPOCH).unwrap();
                let question = Question { rows: laid_out.clone(), query, ..Question::default() };
                let base = arranger.base(&question);
                let search = Search { at_once, ..Search::new(&question, base.as_ref(), None) };
                let by_several = search.run(threads, &|| true, &mut |_| {});
                let asked = AtomicUsize::new(0);
                let goes_on = || asked.fetch_add(1, Ordering::Relaxed) < patience;
                let is_done = search.pages.len().div_ceil(at_once) <= patience;
                let given_up = search.run(threads, &goes_on, &mut |_| {});
                prop_assert_eq!(given_up, by_several.clone().filter(|_| is_done), "the result is no longer needed");
                let found = arranger.answer(&question, &|| true, &mut |_| {}).unwrap();
                prop_assert!(question.query.is_ranked() || by_several.as_deref() == Some(&*found.order), "{}", text);
                let mut found = found.order.to_vec();
                found.sort_unstable();
                let query = &question.query;
                let expected: Vec<RowNumber> =
                    (0..).zip(&rows).filter(|(_, row)| query.matches(row.webhook().unwrap())).map(|(at, _)| at).collect();
                prop_assert_eq!(found, expected, "{}", text);
            }
        }
    }
}
