//! The consistent full read: every row of a listing once, or a list of what is wrong.
//!
//! While pages are read the workspace can change, and pages shift. A read is consistent when it came to a proper end with
//! unique ids, every page reported the same totals, and the count agrees with them. [`read_listing`] reads again what was
//! not, up to three times, and then delivers it with its [`Problem`]s. [`stream_listing`] hands on each page as soon as its
//! turn has come: what is handed on cannot be taken back, so it reads once.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::ops::ControlFlow;

use super::requests::{Pages, Progress, Requests};
use super::{Extent, Policy, RowCount, Source};
use crate::api::{ApiError, ErrorKind, Page};
use crate::model::{Element, IdSet, Row, Scope, WebhookId};
use crate::safe;
use crate::text::{Safe, clean};

/// Times that a listing is read before its problems are reported.
const TRIES: u32 = 3;
/// Empty pages in a row that end a listing whose total claims more.
const EMPTY_PAGES: usize = 3;
/// Pages that failed for good after which no further ones are tried.
const FAILED_PAGES: usize = 3;
/// A listing of more pages than this never ends.
const MAX_PAGES: u64 = 1_000_000;
/// How many times the concurrency the reading may run ahead of a page that is late: pages behind it are kept until it comes.
const AHEAD: u64 = 4;

/// Which rows are wanted.
pub struct Wanted<'a, E = Row> {
    pub scope: Scope,
    pub limit: Limit,
    /// What is left out here, whatever the server sends. A malformed row passes no filter.
    pub filter: Option<&'a dyn Fn(&E) -> bool>,
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

/// What keeps a read from being complete and consistent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    PageFailed {
        page: u64,
        error: ApiError,
    },
    /// Pages were not even tried, after others had failed.
    NotRead {
        from: u64,
    },
    RepeatedIds {
        count: usize,
        example: WebhookId,
    },
    TotalChanged {
        first: u64,
        last: u64,
    },
    CountDiffers {
        claimed: u64,
        sent: u64,
    },
    PagesDiffer {
        claimed: u64,
        sent: u64,
    },
    IgnoresPage {
        page: u64,
    },
    NeverEnds,
    /// Webhooks that were there before and are there still.
    LeftOut {
        count: usize,
        example: WebhookId,
    },
    /// A single page was asked for, and pages are of another size than was asked for.
    PageSizeDiffers {
        asked: u64,
        used: u64,
    },
}

impl Problem {
    /// One sentence for stderr.
    pub fn explain(&self) -> Safe {
        match self {
            Self::PageFailed { page, error } => {
                safe!("page {} could not be read: {}. {}", page, clean(&error.to_string()), error.advice())
            }
            Self::NotRead { from } => safe!("pages from {} on were not read", from),
            Self::RepeatedIds { count, example } => {
                let example = example.clean().fit(80, "…");
                match count {
                    1 => safe!("the id {} came more than once", example),
                    _ => safe!("{} ids came more than once, {} among them", *count, example),
                }
            }
            Self::TotalChanged { first, last } => {
                safe!("the total changed from {} to {} while reading", first, last)
            }
            Self::CountDiffers { claimed, sent } => safe!("the API says {} webhooks, but sent {}", claimed, sent),
            Self::PagesDiffer { claimed, sent } => safe!("the API says {} pages, but sent {}", claimed, sent),
            Self::IgnoresPage { page } => {
                safe!("the server ignores the page parameter: page {} is an earlier page again", page)
            }
            Self::PageSizeDiffers { asked, used } => {
                safe!("the server has {} webhooks on a page, not {}: this is another part of the listing", used, asked)
            }
            Self::LeftOut { count: 1, example } => {
                safe!("the listing left out {}, which is there: it changed while it was read", example.clean().fit(80, "…"))
            }
            Self::LeftOut { count, example } => {
                let example = example.clean().fit(80, "…");
                safe!("the listing left out {} webhooks that are there, {} among them", *count, example)
            }
            Self::NeverEnds => safe!("the listing did not end within {} pages", MAX_PAGES),
        }
    }

    /// Whether reading again could help.
    fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::RepeatedIds { .. } | Self::TotalChanged { .. } | Self::CountDiffers { .. } | Self::PagesDiffer { .. }
        )
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
pub async fn stream_listing<E: Element>(
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
pub fn judge_into<E: Element>(
    page: Page<Vec<E>>,
    wanted: Wanted<'_, E>,
    sink: impl FnMut(Vec<E>) -> ControlFlow<()>,
) -> Summary {
    let mut attempt = Attempt::new(Policy::default(), wanted, sink);
    attempt.take(Page { number: 1, ..page });
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

/// What is kept of a page whose rows were handed on.
#[derive(Debug, Clone, Copy)]
struct Facts {
    rows: u64,
    total: Option<u64>,
    total_pages: Option<u64>,
    /// See [`Attempt::fingerprint`].
    ids: Option<u64>,
}

/// One pass over the pages.
struct Attempt<'a, E, S> {
    policy: Policy,
    wanted: Wanted<'a, E>,
    sink: S,
    extent: Extent,
    /// Every page that came.
    facts: BTreeMap<u64, Facts>,
    /// Pages that came before their turn.
    early: BTreeMap<u64, Page<Vec<E>>>,
    failed: BTreeSet<u64>,
    /// The next page to ask for, and the next one to hand on.
    next: u64,
    turn: u64,
    /// Rows handed on.
    accepted: u64,
    seen: IdSet,
    repeated: usize,
    example: Option<WebhookId>,
    summary: Summary,
    hasher: RandomState,
    /// No further page is asked for.
    stopped: bool,
    /// Nothing more is to be handed on.
    done: bool,
}

impl<'a, E: Element, S: FnMut(Vec<E>) -> ControlFlow<()>> Attempt<'a, E, S> {
    fn new(policy: Policy, wanted: Wanted<'a, E>, sink: S) -> Self {
        Self {
            policy,
            wanted,
            sink,
            extent: Extent::default(),
            facts: BTreeMap::new(),
            early: BTreeMap::new(),
            failed: BTreeSet::new(),
            next: 1,
            turn: 1,
            accepted: 0,
            seen: IdSet::default(),
            repeated: 0,
            example: None,
            summary: Summary::default(),
            hasher: RandomState::new(),
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
        Ok(self.finish())
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
        let ids = self.fingerprint(&page.rows);
        let Page { total, total_pages, .. } = page;
        self.facts.insert(page.number, Facts { rows: page.rows.len() as u64, total, total_pages, ids });
        self.early.insert(page.number, page);
        self.hand_on();
        let empty_tail = self.facts.values().rev().take_while(|facts| facts.rows == 0).count();
        if empty_tail >= EMPTY_PAGES {
            self.stopped = true;
        }
        if self.next > MAX_PAGES && !self.stopped {
            self.summary.problems.push(Problem::NeverEnds);
            self.stopped = true;
        }
    }

    /// The ends of a page and how much lies between them: no other part of a listing has the same. `None` without ids.
    fn fingerprint(&self, rows: &[E]) -> Option<u64> {
        let mut ids = rows.iter().filter_map(E::id_text);
        let first = ids.next()?;
        Some(self.hasher.hash_one((rows.len(), first, ids.next_back())))
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
            if self.repeats_another(page.number) {
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
        rows.retain(|row| self.is_wanted(row));
        rows.truncate(room);
        rows
    }

    fn is_wanted(&mut self, row: &E) -> bool {
        if !self.wanted.scope.admits(row) {
            self.summary.scope_ignored = true;
            return false;
        }
        let Some(id) = row.id_text() else {
            self.summary.malformed += 1;
            return self.wanted.filter.is_none();
        };
        if !self.seen.insert(id) {
            self.repeated += 1;
            self.example.get_or_insert_with(|| WebhookId::new(id));
            return false;
        }
        self.wanted.filter.is_none_or(|admits| admits(row))
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

    /// Whether a page is the first one, or the one before it, once more: the same ids in the same order.
    fn repeats_another(&self, page: u64) -> bool {
        let ids = |page: u64| self.facts.get(&page).and_then(|facts| facts.ids);
        let own = ids(page);
        own.is_some() && page > 1 && (own == ids(1) || own == ids(page - 1))
    }

    fn wants(&self, page: u64) -> bool {
        if self.stopped {
            return false;
        }
        if page == 1 {
            return true;
        }
        if self.facts.is_empty() || page >= self.turn + AHEAD * self.policy.max_concurrency as u64 {
            return false;
        }
        if page - self.turn >= self.pages_for_the_limit() {
            return false;
        }
        match (self.claimed_last_page(), self.extent.rows()) {
            (Some(last), _) => page <= last,
            (None, RowCount::Exactly(rows)) => page <= rows.div_ceil(self.first_page_size()),
            // Nobody knows where the end is: twice as far with each step, so that few requests go beyond it.
            (None, RowCount::AtLeast(_)) => page <= self.facts.len() as u64 * 2,
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
        let first = self.facts.get(&1)?;
        let size = self.first_page_size();
        let seen = self.extent.rows().known();
        match first.total {
            Some(total) => (total >= seen).then(|| total.div_ceil(size)),
            None => first.total_pages,
        }
    }

    /// How many rows page 1 had: others may be longer, and are counted as they come.
    fn first_page_size(&self) -> u64 {
        let rows = self.facts.get(&1).map(|facts| facts.rows).filter(|&rows| rows > 0);
        rows.unwrap_or_else(|| self.extent.page_size())
    }

    fn finish(mut self) -> Summary {
        if self.wanted.limit == Limit::Everything && self.summary.problems.is_empty() {
            self.compare_totals();
        }
        if let Some(example) = self.example {
            self.summary.problems.push(Problem::RepeatedIds { count: self.repeated, example });
        }
        let total = match self.extent.rows() {
            RowCount::Exactly(rows) => Some(rows),
            RowCount::AtLeast(_) => None,
        };
        Summary { pages: self.facts.len() as u64, total, ..self.summary }
    }

    fn compare_totals(&mut self) {
        let sent: u64 = self.facts.values().map(|facts| facts.rows).sum();
        let totals = || self.facts.values().map(|facts| facts.total);
        let with_rows = self.facts.values().filter(|facts| facts.rows > 0).count() as u64;
        let (Some(first), Some(last)) = (totals().next(), totals().next_back()) else { return };
        if let (Some(first), Some(last)) = (first, totals().find(|&total| total != first).unwrap_or(last)) {
            if first != last {
                self.summary.problems.push(Problem::TotalChanged { first, last });
            } else if first != sent {
                self.summary.problems.push(Problem::CountDiffers { claimed: first, sent });
            }
        } else if let Some(claimed) = first.or(last) {
            // Some pages told a total and others did not: what they told must be right at least.
            if claimed != sent {
                self.summary.problems.push(Problem::CountDiffers { claimed, sent });
            }
        } else if let Some(claimed) = self.facts.values().find_map(|facts| facts.total_pages) {
            let first = self.facts.first_key_value().and_then(|(_, facts)| facts.total_pages);
            let agree = self.facts.values().all(|facts| facts.total_pages == first);
            let empty = claimed <= 1 && with_rows == 0;
            if !agree || (claimed != with_rows && !empty) {
                self.summary.problems.push(Problem::PagesDiffer { claimed, sent: with_rows });
            }
        }
    }
}
