//! The consistent full read: every row of a listing once, or a list of what is wrong.
//!
//! While pages are read the workspace can change, and pages shift; the [`Pass`] decides whether that happened.
//! [`read_listing`] reads an inconsistent listing again, up to three times, and then delivers it with its [`Problem`]s.
//! [`stream_listing`] hands on each page as soon as its turn has come: what is handed on cannot be taken back, so it reads
//! once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::pass::{PageDigest, Pass, SecondPass, Verdict};
use super::problem::MAX_PAGES;
use super::requests::{Pages, Progress, Requests};
use super::{Extent, Policy, Problem, RowCount, Source};
use crate::api::{ApiError, ErrorKind, Numbers, Page};
use crate::model::{Element, HashContract, Row, Scope};

/// Times that a listing is read before its problems are reported.
const TRIES: u32 = 3;
/// Empty pages in a row that end a listing whose total claims more.
const EMPTY_PAGES: usize = 3;
/// Pages that failed for good after which no further ones are tried.
const FAILED_PAGES: usize = 3;
/// How many times the concurrency the reading may run ahead of a page that is late: pages behind it are kept until it comes.
const AHEAD: u64 = 4;

/// Which rows are wanted.
pub struct Wanted<'a, E = Row> {
    pub scope: Scope,
    pub limit: Limit,
    /// What is left out here, whatever the server sends. A malformed row passes no filter.
    pub filter: Option<&'a dyn Fn(&E) -> bool>,
    /// Read every page a second time even where totals certify the first reading, all but surely.
    pub verify: bool,
}

impl<E> Wanted<'_, E> {
    /// Every row of a scope.
    pub const fn all(scope: Scope) -> Self {
        Self { scope, limit: Limit::Everything, filter: None, verify: false }
    }
}

impl<E> Clone for Wanted<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Wanted<'_, E> {}

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
    pub rows: Vec<Row>,
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
pub async fn stream_listing<E: Element + HashContract>(
    source: &Source,
    policy: Policy,
    wanted: Wanted<'_, E>,
    mut watch: impl FnMut(&Progress<Page<Vec<E>>>),
    sink: impl FnMut(Vec<E>) -> ControlFlow<()>,
) -> Result<Summary, ApiError> {
    let mut requests = Requests::new(pages(source, policy, wanted), policy);
    Attempt::new(policy, wanted, sink).read(&mut requests, &mut watch).await
}

/// Judges a page that stands for the whole listing, such as a saved one, as if it had been read.
pub fn judge(page: Page, wanted: Wanted<'_>) -> Reading {
    let mut rows = Vec::new();
    let summary = judge_into(page, wanted, |page| {
        rows.extend(page);
        ControlFlow::Continue(())
    });
    Reading { rows, summary }
}

/// As [`judge`], handing on the wanted rows.
pub fn judge_into<E: Element + HashContract>(
    page: Page<Vec<E>>,
    wanted: Wanted<'_, E>,
    sink: impl FnMut(Vec<E>) -> ControlFlow<()>,
) -> Summary {
    let mut attempt = Attempt::new(Policy::default(), wanted, sink);
    attempt.take(Page { number: 1, ..page });
    // It cannot be read again.
    let _second = attempt.judge();
    Summary { scope_ignored: false, ..attempt.finish() }
}

fn pages<E>(source: &Source, policy: Policy, wanted: Wanted<'_, E>) -> Pages<Vec<E>> {
    Pages::new(source, policy.page_size, wanted.scope)
}

async fn read_once(
    requests: &mut Requests<Pages>,
    policy: Policy,
    wanted: Wanted<'_>,
    watch: &mut impl FnMut(&Progress),
) -> Result<Reading, ApiError> {
    let mut rows = Vec::new();
    let keep = |page: Vec<Row>| {
        rows.extend(page);
        ControlFlow::Continue(())
    };
    let summary = Attempt::new(policy, wanted, keep).read(requests, watch).await?;
    Ok(Reading { rows, summary })
}

/// One try: a reading of all pages, and what confirms it.
struct Attempt<'a, E, S> {
    policy: Policy,
    wanted: Wanted<'a, E>,
    sink: S,
    extent: Extent,
    /// Every page that came.
    pass: Pass,
    /// Pages that came before their turn.
    early: BTreeMap<u64, Page<Vec<E>>>,
    failed: BTreeSet<u64>,
    /// The next page to ask for, and the next one to hand on.
    next: u64,
    turn: u64,
    /// Rows handed on.
    accepted: u64,
    summary: Summary,
    /// No further page is asked for.
    stopped: bool,
    /// Nothing more is to be handed on.
    done: bool,
}

impl<'a, E: Element + HashContract, S: FnMut(Vec<E>) -> ControlFlow<()>> Attempt<'a, E, S> {
    fn new(policy: Policy, wanted: Wanted<'a, E>, sink: S) -> Self {
        Self {
            policy,
            wanted,
            sink,
            extent: Extent::default(),
            pass: Pass::default(),
            early: BTreeMap::new(),
            failed: BTreeSet::new(),
            next: 1,
            turn: 1,
            accepted: 0,
            summary: Summary::default(),
            stopped: false,
            done: false,
        }
    }

    async fn read(
        mut self,
        requests: &mut Requests<Pages<Vec<E>>>,
        watch: &mut impl FnMut(&Progress<Page<Vec<E>>>),
    ) -> Result<Summary, ApiError> {
        self.run(requests, watch).await?;
        requests.retain(|_| false);
        if let Some(second) = self.judge() {
            let problem = self.confirm(second, requests, watch).await;
            requests.retain(|_| false);
            self.summary.problems.extend(problem);
        }
        Ok(self.finish())
    }

    /// Judges a reading that came to the end of the listing. What has to be read again, if anything has.
    fn judge(&mut self) -> Option<SecondPass> {
        if self.done || !self.summary.problems.is_empty() {
            self.summary.problems.extend(self.pass.repeated_ids());
            return None;
        }
        match self.pass.verdict(self.wanted.verify) {
            Verdict::Consistent => None,
            Verdict::Inconsistent(problems) => {
                self.summary.problems = problems;
                None
            }
            Verdict::ReadAgain(second) => Some(second),
        }
    }

    /// Reads pages again. What differs, or keeps them from being read.
    async fn confirm(
        &self,
        mut second: SecondPass,
        requests: &mut Requests<Pages<Vec<E>>>,
        watch: &mut impl FnMut(&Progress<Page<Vec<E>>>),
    ) -> Option<Problem> {
        while !second.is_done() {
            while requests.has_room()
                && let Some(page) = second.next()
            {
                requests.start(page);
                second.started();
            }
            if let Some(page) = second.next() {
                match requests.pause_if_spent() {
                    Ok(Some(pause)) => watch(&pause),
                    Ok(None) => {}
                    Err(error) => return Some(Problem::Unconfirmed { page, error }),
                }
            }
            let progress = requests.next().await?;
            match &progress {
                Progress::Loaded { value: page, .. } => {
                    if let Err(problem) = second.take(&self.pass, &self.digest(page)) {
                        return Some(problem);
                    }
                }
                Progress::Failed { number, error } => {
                    return Some(Problem::Unconfirmed { page: *number, error: error.clone() });
                }
                Progress::Retrying { .. } | Progress::Paused { .. } | Progress::Resumed => watch(&progress),
            }
        }
        None
    }

    fn digest(&self, page: &Page<Vec<E>>) -> PageDigest {
        self.pass.digest(Numbers::from(page), page.rows.iter())
    }

    async fn run(
        &mut self,
        requests: &mut Requests<Pages<Vec<E>>>,
        watch: &mut impl FnMut(&Progress<Page<Vec<E>>>),
    ) -> Result<(), ApiError> {
        while !self.done {
            while requests.has_room() && self.wants(self.next) {
                requests.start(self.next);
                self.next += 1;
            }
            if self.wants(self.next) {
                match requests.pause_if_spent() {
                    Ok(Some(pause)) => watch(&pause),
                    Ok(None) => {}
                    Err(error) => {
                        self.next += 1;
                        self.give_up(self.next - 1, error)?;
                    }
                }
            }
            let Some(progress) = requests.next().await else { return Ok(()) };
            watch(&progress);
            match progress {
                Progress::Loaded { value: page, .. } => self.take(page),
                Progress::Failed { number, error } => self.give_up(number, error)?,
                Progress::Retrying { .. } | Progress::Paused { .. } | Progress::Resumed => {}
            }
        }
        Ok(())
    }

    fn take(&mut self, page: Page<Vec<E>>) {
        self.extent.observe(&page, self.policy.page_size);
        self.pass.add(self.digest(&page));
        self.early.insert(page.number, page);
        self.hand_on();
        if self.pass.empty_tail() >= EMPTY_PAGES {
            self.stopped = true;
        }
        if let Some(problem) = self.pass.exceeds(&self.policy)
            && !self.done
        {
            self.summary.problems.push(problem);
            self.done = true;
        }
        if self.next > MAX_PAGES && !self.stopped {
            self.summary.problems.push(Problem::NeverEnds);
            self.stopped = true;
        }
    }

    /// Hands on the pages whose turn it is.
    fn hand_on(&mut self) {
        while !self.done {
            if self.failed.contains(&self.turn) {
                self.turn += 1;
                continue;
            }
            let Some(page) = self.early.remove(&self.turn) else { return };
            self.turn += 1;
            if self.pass.is_repeated_page(page.number) {
                // Of such a server nothing that comes later is new.
                self.summary.problems.push(Problem::IgnoresPage { page: page.number });
                self.done = true;
                return;
            }
            let rows = self.wanted_rows(page);
            self.accepted += rows.len() as u64;
            let is_enough = matches!(self.wanted.limit, Limit::Rows(limit) if self.accepted >= limit);
            let is_refused = !rows.is_empty() && (self.sink)(rows).is_break();
            self.done = is_enough || is_refused;
        }
    }

    fn wanted_rows(&mut self, page: Page<Vec<E>>) -> Vec<E> {
        let room = match self.wanted.limit {
            Limit::Everything => usize::MAX,
            Limit::Rows(limit) => usize::try_from(limit - self.accepted).unwrap_or(usize::MAX),
        };
        let mut rows = page.rows;
        let mut taken = 0;
        rows.retain(|row| {
            // Rows past the limit are not even checked, so that malformed or repeated ones among them are not reported.
            let is_taken = taken < room && self.is_wanted(row);
            taken += usize::from(is_taken);
            is_taken
        });
        rows
    }

    fn is_wanted(&mut self, row: &E) -> bool {
        let is_new = row.id_text().is_none_or(|id| self.pass.is_new(id));
        if !self.wanted.scope.admits(row) {
            self.summary.scope_ignored = true;
            return false;
        }
        if row.id_text().is_none() {
            self.summary.malformed += 1;
            return self.wanted.filter.is_none();
        }
        is_new && self.wanted.filter.is_none_or(|admits| admits(row))
    }

    fn give_up(&mut self, page: u64, error: ApiError) -> Result<(), ApiError> {
        if page == 1 {
            return Err(error);
        }
        self.failed.insert(page);
        let is_spent = matches!(error.kind, ErrorKind::LimitNearlySpent { .. });
        let is_hopeless = error.is_refusal() || is_spent || self.failed.len() >= FAILED_PAGES;
        self.summary.problems.push(Problem::PageFailed { page, error });
        if is_hopeless && !self.stopped {
            self.stopped = true;
            if self.claimed_last_page().is_none_or(|last| self.next <= last) {
                self.summary.problems.push(Problem::NotRead { from: self.next });
            }
        }
        self.hand_on();
        Ok(())
    }

    fn wants(&self, page: u64) -> bool {
        if self.stopped {
            return false;
        }
        if page == 1 {
            return true;
        }
        if self.pass.pages() == 0 || page >= self.turn + AHEAD * self.policy.max_concurrency as u64 {
            return false;
        }
        if page - self.turn >= self.pages_for_the_limit() {
            return false;
        }
        match (self.claimed_last_page(), self.extent.rows()) {
            (Some(last), _) => page <= last,
            (None, RowCount::Exactly(rows)) => page <= rows.div_ceil(self.first_page_size()),
            // Nobody knows where the end is: twice as far with each step, so that few requests go beyond it.
            (None, RowCount::AtLeast(_)) => page <= self.pass.pages() * 2,
        }
    }

    /// How many pages from the next turn on the limit will need, to judge by those that were handed on.
    fn pages_for_the_limit(&self) -> u64 {
        let Limit::Rows(limit) = self.wanted.limit else { return u64::MAX };
        let missing = limit.saturating_sub(self.accepted);
        let pages = self.turn - 1;
        match self.accepted {
            0 => pages,
            accepted => missing.saturating_mul(pages).div_ceil(accepted),
        }
    }

    /// The last page by the server's own words on page 1, unless there were more rows than it claims. A short page in the
    /// middle is no reason to stop: the claim may be right, and the page wrong.
    fn claimed_last_page(&self) -> Option<u64> {
        let first = self.pass.first()?;
        let size = self.first_page_size();
        let seen = self.extent.rows().known();
        match first.total {
            Some(total) => (total >= seen).then(|| total.div_ceil(size)),
            None => first.total_pages,
        }
    }

    /// How many rows page 1 had: others may be longer, and are counted as they come.
    fn first_page_size(&self) -> u64 {
        let rows = self.pass.first().map(|first| first.rows).filter(|&rows| rows > 0);
        rows.unwrap_or_else(|| self.extent.page_size())
    }

    fn finish(self) -> Summary {
        let total = match self.extent.rows() {
            RowCount::Exactly(rows) => Some(rows),
            RowCount::AtLeast(_) => None,
        };
        Summary { pages: self.pass.pages(), total, ..self.summary }
    }
}
