//! Filters the rows of a request, page by page: on one thread, since searching texts is about as fast as reading them, or on
//! several for regular expressions and fuzzy words.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use super::request::FilterSortRequest;
use crate::analysis::IsNeeded;
use crate::analysis::audit::{FindingsReader, RuleSet};
use crate::analysis::query::{Matcher, Ranker};
use crate::model::RowRef;
use crate::model::{RowNumber, Segment};

/// Pages between two checks for cancellation.
const PAGES_AT_ONCE: usize = 32;
/// The number of matches that are reported before the others: more than a screen shows.
const FIRST: usize = 256;
/// Rows that take longer to match than a thread takes to start.
const WORTH_A_THREAD: u64 = 50_000;
/// More threads than these wait for memory.
const MAX_THREADS: usize = 4;

/// A page with its number and that of its first row.
type Page<'q> = (u64, RowNumber, &'q Segment);

/// Rows that match, in the order of the listing.
#[derive(Debug, Default)]
pub(super) struct MatchedRows {
    pub(super) rows: Vec<RowNumber>,
    /// The score of each row; empty unless the request orders rows by score.
    pub(super) scores: Vec<u32>,
}

/// Lets the rows through that a request asks for.
pub(super) struct RowFilter<'q> {
    request: &'q FilterSortRequest,
    matcher: Matcher<'q>,
    /// The findings, if the query asks for them.
    findings: Option<FindingsReader<'q>>,
    ranker: Option<Ranker<'q>>,
    pub(super) matched: MatchedRows,
}

impl<'q> RowFilter<'q> {
    pub(super) fn new(request: &'q FilterSortRequest) -> Self {
        let FilterSortRequest { query, facts, .. } = request;
        Self {
            request,
            matcher: Matcher::new(query, facts),
            findings: query.asks_for_findings().then(|| facts.findings.reader(&request.rows)),
            ranker: orders_by_score(request).then(|| Ranker::new(query)),
            matched: MatchedRows::default(),
        }
    }

    /// Adds the row if it matches. Returns true if it does.
    pub(super) fn take(&mut self, number: RowNumber, row: RowRef<'q>, findings: RuleSet) -> bool {
        let matches = self.request.scope.admits(row.active()) && self.matcher.matches(row, findings);
        if matches {
            self.matched.rows.push(number);
            if let Some(ranker) = &mut self.ranker {
                self.matched.scores.push(ranker.score(row));
            }
        }
        matches
    }

    fn take_page(&mut self, (_, first, segment): Page<'q>) {
        self.matcher.enter(&segment.page);
        for (number, row) in (first..).zip(segment.iter()) {
            let findings = self.findings.as_mut().and_then(|findings| findings.find(number)).unwrap_or_default();
            self.take(number, row, findings);
        }
    }
}

/// Returns true if the best matches come first.
pub(super) fn orders_by_score(request: &FilterSortRequest) -> bool {
    request.sort.is_none() && request.query.is_ranked()
}

/// Returns the rows that match; `None` when they are no longer needed. `report` is called once with the first of many.
pub(super) fn matching_rows(
    request: &FilterSortRequest,
    is_needed: IsNeeded<'_>,
    report: &mut dyn FnMut(&[RowNumber]),
) -> Option<MatchedRows> {
    let is_worth_threads = request.query.is_slow() && request.rows.count() >= WORTH_A_THREAD;
    let threads =
        if is_worth_threads { thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS) } else { 1 };
    matching_rows_on(threads, request, is_needed, report)
}

fn matching_rows_on(
    threads: usize,
    request: &FilterSortRequest,
    is_needed: IsNeeded<'_>,
    report: &mut dyn FnMut(&[RowNumber]),
) -> Option<MatchedRows> {
    let pages: Vec<Page<'_>> = request.rows.segments().collect();
    let mut parts = pages.chunks(pages.len().div_ceil(threads).max(1));
    let first = parts.next().unwrap_or_default();
    thread::scope(|scope| {
        let start = |pages| {
            let work = move || filter_pages(request, pages, is_needed, &mut |_| {});
            (pages, thread::Builder::new().spawn_scoped(scope, work))
        };
        let others: Vec<_> = parts.map(start).collect();
        let mut matched = filter_pages(request, first, is_needed, report)?;
        for (pages, thread) in others {
            let more = match thread {
                Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic))?,
                Err(_no_thread) => filter_pages(request, pages, is_needed, &mut |_| {})?,
            };
            matched.rows.extend(more.rows);
            matched.scores.extend(more.scores);
        }
        Some(matched)
    })
}

fn filter_pages<'q>(
    request: &'q FilterSortRequest,
    pages: &[Page<'q>],
    is_needed: IsNeeded<'_>,
    report: &mut dyn FnMut(&[RowNumber]),
) -> Option<MatchedRows> {
    let mut filter = RowFilter::new(request);
    let mut is_reported = false;
    for pages in pages.chunks(PAGES_AT_ONCE) {
        if !is_needed() {
            return None;
        }
        for &page in pages {
            filter.take_page(page);
        }
        if !is_reported && filter.matched.rows.len() >= FIRST {
            is_reported = true;
            report(&filter.matched.rows);
        }
    }
    Some(filter.matched)
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::query::Query;
    use crate::model::Interner;
    use crate::model::Rows;
    use crate::model::testing::paged_rows;

    const QUERIES: [&str; 24] = [
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
        "\"m/\nw\"",
    ];

    pub(in super::super) fn row(url: &str, id: usize, event: &str, active: bool, is_plain: bool) -> String {
        let created = if is_plain { r#","created_at":"2024-04-01T08:00:00.000Z""# } else { "" };
        format!(r#"{{"id":"w{id}","url":"{url}","events":["{event}"],"is_active":{active}{created}}}"#)
    }

    pub(in super::super) fn listing(rows: &[String], page_size: usize) -> Rows {
        paged_rows(&Interner::default(), rows, page_size)
    }

    pub(in super::super) fn request(rows: &Rows, text: &str) -> FilterSortRequest {
        let query = Query::parse(text, Timestamp::UNIX_EPOCH).unwrap();
        FilterSortRequest { rows: rows.clone(), query, ..FilterSortRequest::default() }
    }

    fn matched(rows: &Rows, text: &str) -> Vec<RowNumber> {
        matching_rows(&request(rows, text), &|| true, &mut |_| {}).unwrap().rows
    }

    #[test]
    fn repetitive_texts_are_searched_like_any_other() {
        let urls = (0..20).map(|id| format!("https://x/{}{}", "a".repeat(2_000), if id % 4 == 3 { "c" } else { "" }));
        let rows: Vec<_> = (0..).zip(urls).map(|(id, url)| row(&url, id, "e", true, true)).collect();
        assert_eq!(matched(&listing(&rows, 20), &format!("{}c", "a".repeat(40))), [3, 7, 11, 15, 19]);
    }

    #[test]
    fn many_hosts_are_searched_like_any_text() {
        let rows: Vec<_> = (0..20_000).map(|id| row(&format!("https://h{id}.test/in/{id}"), id, "e", true, true)).collect();
        let rows = listing(&rows, 1_000);
        assert_eq!(matched(&rows, "h19999.t"), [19_999]);
        assert_eq!(matched(&rows, "url:h17.t"), [17]);
        assert_eq!(matched(&rows, "host:h17.t"), [17]);
        assert_eq!(
            matched(&rows, "in/1899"),
            [1_899, 18_990, 18_991, 18_992, 18_993, 18_994, 18_995, 18_996, 18_997, 18_998, 18_999]
        );
    }

    proptest! {
        /// A row is found in its page, on any thread, if and only if it matches alone.
        #[test]
        fn a_row_is_found_if_it_matches_alone(
            webhooks in proptest::collection::vec(
                (
                    r"https://(acme|ACME|zoo|b\u{fc}cher|\u{212a}b)\.(com|test)(:443)?/[xyzk\u{e9}]{0,2}",
                    "(call\\.failed|call\\.ended|\u{e9}t\u{e9}|)",
                    any::<bool>(),
                ),
                1..40,
            ),
            page_size in 1_usize..40,
            threads in 1_usize..5,
            patience in 0_usize..3,
            odd in proptest::option::of(0_usize..40),
            text in proptest::sample::select(QUERIES.to_vec()),
        ) {
            let rows: Vec<String> =
                (0..).zip(&webhooks).map(|(id, (url, event, active))| row(url, id, event, *active, odd != Some(id))).collect();
            let request = request(&listing(&rows, page_size), text);
            let found = matching_rows_on(threads, &request, &|| true, &mut |_| {}).unwrap();
            let mut matcher = Matcher::new(&request.query, &request.facts);
            let numbers = 0..RowNumber::try_from(rows.len()).unwrap();
            let expected: Vec<RowNumber> = numbers
                .filter(|&number| matcher.matches(request.rows.row(number.into()).unwrap(), RuleSet::default()))
                .collect();
            prop_assert_eq!(&found.rows, &expected, "{}", text);
            prop_assert_eq!(found.scores.len(), if request.query.is_ranked() { expected.len() } else { 0 });
            let checks = AtomicUsize::new(0);
            let is_needed = || checks.fetch_add(1, Ordering::Relaxed) < patience;
            let parts = rows.len().div_ceil(page_size).min(threads);
            let cancelled = matching_rows_on(threads, &request, &is_needed, &mut |_| {});
            prop_assert_eq!(cancelled.map(|found| found.rows), (checks.into_inner() <= patience).then_some(expected), "{} parts", parts);
        }
    }
}
