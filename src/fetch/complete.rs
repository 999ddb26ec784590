//! The full read: every row of a listing once, or a list of problems.
//!
//! The workspace can change during a read, which shifts its pages; the [`Crawler`] detects that. [`read_listing`] reads an
//! inconsistent listing again, up to three times in all, and then returns it with its [`Problem`]s. [`stream_listing`]
//! passes on each page in order as soon as it arrives. It reads only once, since rows that were passed on cannot be taken
//! back.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::crawler::Crawler;
use super::requests::{Pages, Progress, Requests};
use super::{Policy, Problem, RowCount, Source};
use crate::api::{ApiError, Page, PageNumbers};
use crate::model::{RowPage, RowRef, Rows, Scope};

/// The number of reads before the problems of a listing are reported.
const TRIES: u32 = 3;
/// Pages are requested ahead of a late page, up to this many times the concurrency. They are held until the late page
/// arrives.
const AHEAD: u64 = 4;

/// Selects the rows to read.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub scope: Scope,
    pub limit: Limit,
    /// A filter that is applied locally. Malformed rows never match a filter.
    pub filter: Option<&'a dyn Fn(RowRef<'_>) -> bool>,
    /// Read every page a second time, even if totals all but certify the first reading.
    pub verify: bool,
}

impl Wanted<'_> {
    /// All rows of a scope.
    pub const fn all(scope: Scope) -> Self {
        Self { scope, limit: Limit::Everything, filter: None, verify: false }
    }
}

/// The number of rows to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Everything,
    /// At most this many rows, with no more requests than they need.
    Rows(u64),
}

/// The result of a read.
#[derive(Debug)]
pub struct Reading {
    /// The wanted rows in the API's order, without repeated ids.
    pub rows: Rows,
    pub summary: Summary,
}

/// The properties of a read besides its rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// The reasons why the rows are incomplete or may be. Empty for a consistent read.
    pub problems: Vec<Problem>,
    /// The server ignored `is_active`, so rows outside the scope were left out locally.
    pub scope_ignored: bool,
    /// Malformed rows of the scope.
    pub malformed: u64,
    /// Pages received.
    pub pages: u64,
    /// Rows in the whole listing, if known.
    pub total: Option<u64>,
}

impl Summary {
    /// Returns true if there are neither problems nor malformed rows.
    pub fn is_whole(&self) -> bool {
        self.problems.is_empty() && self.malformed == 0
    }

    /// Returns true if all problems may come from changes during the read, so that reading again could help.
    fn came_to_its_end(&self) -> bool {
        self.problems.iter().all(Problem::may_pass)
    }
}

/// Reads a listing. `watch` is called on every step, for a progress line.
///
/// # Errors
///
/// The error of page 1 when nothing at all could be read.
pub async fn read_listing(
    source: &Source,
    policy: Policy,
    wanted: Wanted<'_>,
    mut watch: impl FnMut(&Progress),
) -> Result<Reading, ApiError> {
    // Shared by all attempts, so that the rate limit is not forgotten between them.
    let mut requests = Requests::new(pages(source, policy, wanted), policy);
    let mut reading = read_once(&mut requests, policy, wanted, &mut watch).await?;
    for _ in 1..TRIES {
        if reading.summary.problems.is_empty() || !reading.summary.came_to_its_end() {
            break;
        }
        match read_once(&mut requests, policy, wanted, &mut watch).await {
            Ok(again) if again.summary.came_to_its_end() => reading = again,
            // All rows, even if not from one moment, are better than some of them.
            Ok(_) | Err(_) => break,
        }
    }
    Ok(reading)
}

/// Reads a listing once and passes on the wanted rows of each page, in the API's order, as soon as they arrive: those of
/// page 1 before page 2 is requested. `sink` ends the read by breaking.
///
/// # Errors
///
/// The error of page 1 when nothing at all could be read.
pub async fn stream_listing(
    source: &Source,
    policy: Policy,
    wanted: Wanted<'_>,
    mut watch: impl FnMut(&Progress),
    sink: impl FnMut(Arc<RowPage>) -> ControlFlow<()>,
) -> Result<Summary, ApiError> {
    let mut requests = Requests::new(pages(source, policy, wanted), policy);
    Attempt::new(policy, wanted, sink).read(&mut requests, &mut watch).await
}

/// Checks a saved listing as if it had been read, and selects the wanted rows. `numbers` are those of the whole listing.
pub fn check_saved(rows: &Rows, numbers: PageNumbers, wanted: Wanted<'_>) -> Reading {
    let mut pages = Vec::new();
    let summary = stream_saved(rows, numbers, wanted, |page| {
        pages.push(page);
        ControlFlow::Continue(())
    });
    Reading { rows: pages.into_iter().collect(), summary }
}

/// As [`check_saved`], but passes on the wanted rows page by page.
pub fn stream_saved(
    rows: &Rows,
    numbers: PageNumbers,
    wanted: Wanted<'_>,
    sink: impl FnMut(Arc<RowPage>) -> ControlFlow<()>,
) -> Summary {
    let mut attempt = Attempt::new(Policy::default(), wanted, sink);
    attempt.crawler.take_saved(PageNumbers { number: 1, ..numbers });
    for (_, _, segment) in rows.segments() {
        if attempt.is_done {
            break;
        }
        attempt.deliver(&segment.page);
    }
    if attempt.is_done {
        attempt.crawler.cut_short();
    } else {
        // A file cannot be read a second time.
        attempt.crawler.conclude();
    }
    Summary { scope_ignored: false, ..attempt.finish() }
}

fn pages(source: &Source, policy: Policy, wanted: Wanted<'_>) -> Pages {
    Pages::new(source, policy.page_size, wanted.scope)
}

async fn read_once(
    requests: &mut Requests<Pages>,
    policy: Policy,
    wanted: Wanted<'_>,
    watch: &mut impl FnMut(&Progress),
) -> Result<Reading, ApiError> {
    let mut pages = Vec::new();
    let keep = |page| {
        pages.push(page);
        ControlFlow::Continue(())
    };
    let summary = Attempt::new(policy, wanted, keep).read(requests, watch).await?;
    Ok(Reading { rows: pages.into_iter().collect(), summary })
}

/// One attempt: a read of all pages in order, with its confirmation.
struct Attempt<'a, S> {
    policy: Policy,
    wanted: Wanted<'a>,
    sink: S,
    crawler: Crawler,
    /// Pages that arrived before their turn.
    early: BTreeMap<u64, Page>,
    failed: BTreeSet<u64>,
    /// The next page to pass on.
    turn: u64,
    /// Rows passed on.
    accepted: u64,
    summary: Summary,
    /// True once nothing more is to be passed on.
    is_done: bool,
}

impl<'a, S: FnMut(Arc<RowPage>) -> ControlFlow<()>> Attempt<'a, S> {
    fn new(policy: Policy, wanted: Wanted<'a>, sink: S) -> Self {
        Self {
            policy,
            wanted,
            sink,
            crawler: Crawler::new(policy, wanted.verify),
            early: BTreeMap::new(),
            failed: BTreeSet::new(),
            turn: 1,
            accepted: 0,
            summary: Summary::default(),
            is_done: false,
        }
    }

    async fn read(mut self, requests: &mut Requests<Pages>, watch: &mut impl FnMut(&Progress)) -> Result<Summary, ApiError> {
        while !self.is_done {
            while let Some(page) = self.next(requests).filter(|_| requests.has_room()) {
                requests.start(page);
                self.crawler.started(page);
            }
            if let Some(page) = self.next(requests) {
                match requests.pause_if_spent() {
                    Ok(Some(pause)) => watch(&pause),
                    Ok(None) => {}
                    Err(error) => self.fail(page, error)?,
                }
            }
            match requests.next().await {
                Some(progress) => self.take(progress, watch)?,
                None if self.next(requests).is_none() && self.crawler.conclude() => break,
                None => {}
            }
        }
        if self.is_done {
            self.crawler.cut_short();
        }
        requests.retain(|_| false);
        Ok(self.finish())
    }

    /// The next page to request, unless the limit makes it unnecessary.
    fn next(&self, requests: &Requests<Pages>) -> Option<u64> {
        let ahead = (AHEAD * self.policy.max_concurrency as u64).min(self.pages_for_the_limit());
        self.crawler.next(ahead, |page| requests.is_under_way(page))
    }

    fn take(&mut self, progress: Progress, watch: &mut impl FnMut(&Progress)) -> Result<(), ApiError> {
        match progress {
            Progress::Loaded { ref value, .. } => {
                if self.crawler.take(value) {
                    watch(&progress);
                    if let Progress::Loaded { value, .. } = progress {
                        self.early.insert(value.numbers.number, value);
                        self.hand_on();
                    }
                }
                Ok(())
            }
            Progress::Failed { number, ref error } => {
                watch(&progress);
                self.fail(number, error.clone())
            }
            Progress::Retrying { .. } | Progress::Paused { .. } | Progress::Resumed => {
                watch(&progress);
                Ok(())
            }
        }
    }

    fn fail(&mut self, page: u64, error: ApiError) -> Result<(), ApiError> {
        if self.crawler.fail(page, &error) {
            if page == 1 {
                return Err(error);
            }
            self.failed.insert(page);
            self.hand_on();
        }
        Ok(())
    }

    /// Passes on the pages whose turn has come.
    fn hand_on(&mut self) {
        while !self.is_done {
            if self.failed.contains(&self.turn) {
                self.turn += 1;
                continue;
            }
            let Some(page) = self.early.remove(&self.turn) else { return };
            if self.crawler.is_repeated(self.turn) {
                // Later pages of such a server have nothing new either.
                self.crawler.give_up(Problem::IgnoresPage { page: self.turn });
                self.is_done = true;
                return;
            }
            self.turn += 1;
            self.deliver(&page.rows);
        }
    }

    /// Passes on the wanted rows of a page.
    fn deliver(&mut self, page: &Arc<RowPage>) {
        let rows = self.wanted_rows(page);
        self.accepted += rows.len() as u64;
        let is_enough = matches!(self.wanted.limit, Limit::Rows(limit) if self.accepted >= limit);
        let is_refused = !rows.is_empty() && (self.sink)(rows).is_break();
        self.is_done = is_enough || is_refused;
    }

    fn wanted_rows(&mut self, page: &Arc<RowPage>) -> Arc<RowPage> {
        let room = match self.wanted.limit {
            Limit::Everything => usize::MAX,
            Limit::Rows(limit) => usize::try_from(limit - self.accepted).unwrap_or(usize::MAX),
        };
        let mut taken = 0;
        page.select(|row| {
            // Rows past the limit are not checked, so malformed or repeated ones among them are not reported.
            let is_taken = taken < room && self.is_wanted(row);
            taken += usize::from(is_taken);
            is_taken
        })
    }

    fn is_wanted(&mut self, row: RowRef<'_>) -> bool {
        let is_new = !row.is_webhook() || self.crawler.is_new(row.id());
        if !self.wanted.scope.admits(row.active()) {
            self.summary.scope_ignored = true;
            return false;
        }
        if !row.is_webhook() {
            self.summary.malformed += 1;
            return self.wanted.filter.is_none();
        }
        is_new && self.wanted.filter.is_none_or(|admits| admits(row))
    }

    /// The number of further pages that the limit needs, estimated from those passed on so far.
    fn pages_for_the_limit(&self) -> u64 {
        let Limit::Rows(limit) = self.wanted.limit else { return u64::MAX };
        let missing = limit.saturating_sub(self.accepted);
        let pages = self.turn - 1;
        match self.accepted {
            0 => pages.max(1),
            accepted => missing.saturating_mul(pages).div_ceil(accepted),
        }
    }

    fn finish(self) -> Summary {
        let total = match self.crawler.layout().rows() {
            RowCount::Exactly(rows) => Some(rows),
            RowCount::AtLeast(_) => None,
        };
        let problems = self.crawler.problems().to_vec();
        Summary { pages: self.crawler.pages(), total, problems, ..self.summary }
    }
}
