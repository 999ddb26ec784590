//! The consistent full read: every row of a listing once, or a list of what is wrong.
//!
//! While pages are read the workspace can change, and pages shift; the [`Crawler`] decides whether that happened.
//! [`read_listing`] reads an inconsistent listing again, up to three times, and then delivers it with its [`Problem`]s.
//! [`stream_listing`] hands on each page as soon as its turn has come: what is handed on cannot be taken back, so it reads
//! once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::crawler::Crawler;
use super::requests::{Pages, Progress, Requests};
use super::{Policy, Problem, RowCount, Source};
use crate::api::{ApiError, Page, PageNumbers};
use crate::model::{RowPage, RowRef, Rows, Scope};

/// Times that a listing is read before its problems are reported.
const TRIES: u32 = 3;
/// Pages are requested this many times the concurrency ahead of a page that is late; those that arrive are kept until it comes.
const AHEAD: u64 = 4;

/// Which rows are wanted.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub scope: Scope,
    pub limit: Limit,
    /// What is left out here, whatever the server sends. A malformed row passes no filter.
    pub filter: Option<&'a dyn Fn(RowRef<'_>) -> bool>,
    /// Read every page a second time even where totals certify the first reading, all but surely.
    pub verify: bool,
}

impl Wanted<'_> {
    /// Every row of a scope.
    pub const fn all(scope: Scope) -> Self {
        Self { scope, limit: Limit::Everything, filter: None, verify: false }
    }
}

/// How much is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Everything,
    /// The first so many rows, and no more requests than they need.
    Rows(u64),
}

/// What was read.
#[derive(Debug)]
pub struct Reading {
    /// The wanted rows in the API's order, each id once.
    pub rows: Rows,
    pub summary: Summary,
}

/// What is known of a read besides its rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Why this is not all, or not surely all. Empty for a consistent read.
    pub problems: Vec<Problem>,
    /// The server took no notice of `is_active`; rows of the other kind were left out here.
    pub scope_ignored: bool,
    /// Rows of the scope that are no webhooks.
    pub malformed: u64,
    /// Pages that came.
    pub pages: u64,
    /// Rows of the whole listing, where that is known.
    pub total: Option<u64>,
}

impl Summary {
    /// Whether nothing is missing or doubtful.
    pub fn is_whole(&self) -> bool {
        self.problems.is_empty() && self.malformed == 0
    }

    /// Whether nothing but changes while reading is wrong, so that reading again could help.
    fn came_to_its_end(&self) -> bool {
        self.problems.iter().all(Problem::may_pass)
    }
}

/// Reads a listing. `watch` is told of every step, for a progress line.
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
    // One for all tries: what is left of the rate limit is not forgotten between them.
    let mut requests = Requests::new(pages(source, policy, wanted), policy);
    let mut reading = read_once(&mut requests, policy, wanted, &mut watch).await?;
    for _ in 1..TRIES {
        if reading.summary.problems.is_empty() || !reading.summary.came_to_its_end() {
            break;
        }
        match read_once(&mut requests, policy, wanted, &mut watch).await {
            Ok(again) if again.summary.came_to_its_end() => reading = again,
            // All rows, if not surely of one moment, are better than some of them.
            Ok(_) | Err(_) => break,
        }
    }
    Ok(reading)
}

/// Reads a listing once and hands on the wanted rows of each page, in the API's order, as soon as they are there: those of
/// page 1 before page 2 is asked for. `sink` ends the reading by breaking.
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

/// Checks a saved listing as if it had been read, and selects the wanted rows. `numbers` are of all rows together.
pub fn check_saved(rows: &Rows, numbers: PageNumbers, wanted: Wanted<'_>) -> Reading {
    let mut pages = Vec::new();
    let summary = stream_saved(rows, numbers, wanted, |page| {
        pages.push(page);
        ControlFlow::Continue(())
    });
    Reading { rows: pages.into_iter().collect(), summary }
}

/// As [`check_saved`], handing on the wanted rows page by page.
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
        // It cannot be read a second time.
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

/// One try: a reading of all pages in order, and what confirms it.
struct Attempt<'a, S> {
    policy: Policy,
    wanted: Wanted<'a>,
    sink: S,
    crawler: Crawler,
    /// Pages that came before their turn.
    early: BTreeMap<u64, Page>,
    failed: BTreeSet<u64>,
    /// The next page to hand on.
    turn: u64,
    /// Rows handed on.
    accepted: u64,
    summary: Summary,
    /// Nothing more is to be handed on.
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

    /// The next page to request, as far as the limit needs it.
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

    /// Hands on the pages whose turn it is.
    fn hand_on(&mut self) {
        while !self.is_done {
            if self.failed.contains(&self.turn) {
                self.turn += 1;
                continue;
            }
            let Some(page) = self.early.remove(&self.turn) else { return };
            if self.crawler.is_repeated(self.turn) {
                // Such a server sends nothing new on later pages either.
                self.crawler.give_up(Problem::IgnoresPage { page: self.turn });
                self.is_done = true;
                return;
            }
            self.turn += 1;
            self.deliver(&page.rows);
        }
    }

    /// Hands on the wanted rows of a page.
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
            // Rows past the limit are not even checked, so that malformed or repeated ones among them are not reported.
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

    /// How many pages from the next turn on the limit will need, estimated from those that were handed on.
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
