//! The consistent full read: every row of a listing once, or a list of what is wrong.
//!
//! While pages are read the workspace can change, and pages shift. A read is consistent when it came to a proper end with
//! unique ids, every page reported the same totals, and the count agrees with them. Otherwise it is read again, up to three
//! times; then it is delivered with its [`Problem`]s.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::requests::{Progress, Requests};
use super::{Extent, Policy, RowCount};
use crate::api::{ApiError, Client, ErrorKind, Page};
use crate::model::{Row, Scope, WebhookId};
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

/// How much is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Everything,
    /// The first so many rows of the scope, and no more requests than they need.
    Rows(u64),
}

/// What was read.
#[derive(Debug)]
pub struct Reading {
    /// The rows of the scope in the API's order, each id once.
    pub rows: Vec<Row>,
    /// Why this is not all, or not surely all. Empty for a consistent read.
    pub problems: Vec<Problem>,
    /// The server took no notice of `is_active`; rows of the other kind were left out here.
    pub scope_ignored: bool,
}

impl Reading {
    /// Rows that are no webhooks.
    pub fn malformed(&self) -> usize {
        self.rows.iter().filter(|row| row.webhook().is_none()).count()
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
                safe!(
                    "{} ids came more than once, {} among them: rows moved while reading",
                    count,
                    example.clean().fit(80, "…")
                )
            }
            Self::TotalChanged { first, last } => {
                safe!("the total changed from {} to {} while reading", first, last)
            }
            Self::CountDiffers { claimed, sent } => safe!("the API says {} webhooks, but sent {}", claimed, sent),
            Self::PagesDiffer { claimed, sent } => safe!("the API says {} pages, but sent {}", claimed, sent),
            Self::IgnoresPage { page } => {
                safe!("the server ignores the page parameter: page {} is an earlier page again", page)
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
    client: &Arc<Client>,
    policy: Policy,
    scope: Scope,
    limit: Limit,
    mut watch: impl FnMut(&Progress),
) -> Result<Reading, ApiError> {
    // One for all tries: what is left of the rate limit is not forgotten between them.
    let mut requests = Requests::new(Arc::clone(client), policy, scope);
    let mut reading = Attempt::new(policy, scope, limit).read(&mut requests, &mut watch).await?;
    for _ in 1..TRIES {
        if reading.problems.is_empty() || !reading.came_to_its_end() {
            break;
        }
        match Attempt::new(policy, scope, limit).read(&mut requests, &mut watch).await {
            Ok(again) if again.came_to_its_end() => reading = again,
            // All rows, if not surely of one moment, are better than some of them.
            Ok(_) | Err(_) => break,
        }
    }
    Ok(reading)
}

/// One pass over the pages.
struct Attempt {
    policy: Policy,
    scope: Scope,
    limit: Limit,
    extent: Extent,
    pages: BTreeMap<u64, Page>,
    problems: Vec<Problem>,
    failed: usize,
    next: u64,
    /// Rows of the scope on the pages read so far.
    in_scope: u64,
    /// A page with rows follows on none of this many pages at the end.
    stopped: bool,
}

impl Attempt {
    fn new(policy: Policy, scope: Scope, limit: Limit) -> Self {
        Self {
            policy,
            scope,
            limit,
            extent: Extent::default(),
            pages: BTreeMap::new(),
            problems: Vec::new(),
            failed: 0,
            next: 1,
            in_scope: 0,
            stopped: false,
        }
    }

    async fn read(mut self, requests: &mut Requests, watch: &mut impl FnMut(&Progress)) -> Result<Reading, ApiError> {
        self.run(requests, watch).await?;
        Ok(self.finish())
    }

    async fn run(&mut self, requests: &mut Requests, watch: &mut impl FnMut(&Progress)) -> Result<(), ApiError> {
        loop {
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
                Progress::Loaded(page) => self.take(page),
                Progress::Failed { page, error } => self.give_up(page, error)?,
                Progress::Retrying { .. } | Progress::Paused { .. } | Progress::Resumed => {}
            }
        }
    }

    fn take(&mut self, page: Page) {
        self.extent.observe(&page, self.policy.page_size);
        self.in_scope += page.rows.iter().filter(|row| self.scope.admits(row)).count() as u64;
        if self.repeats_another(&page) {
            self.problems.push(Problem::IgnoresPage { page: page.number });
            self.stopped = true;
            return;
        }
        self.pages.insert(page.number, page);
        let empty_tail = self.pages.values().rev().take_while(|page| page.rows.is_empty()).count();
        if empty_tail >= EMPTY_PAGES {
            self.stopped = true;
        }
        if self.next > MAX_PAGES {
            self.problems.push(Problem::NeverEnds);
            self.stopped = true;
        }
    }

    fn give_up(&mut self, page: u64, error: ApiError) -> Result<(), ApiError> {
        if page == 1 {
            return Err(error);
        }
        self.failed += 1;
        let is_spent = matches!(error.kind, ErrorKind::LimitNearlySpent { .. });
        let is_hopeless = error.is_refusal() || is_spent || self.failed >= FAILED_PAGES;
        self.problems.push(Problem::PageFailed { page, error });
        if is_hopeless && !self.stopped {
            self.stopped = true;
            if self.claimed_last_page().is_none_or(|last| self.next <= last) {
                self.problems.push(Problem::NotRead { from: self.next });
            }
        }
        Ok(())
    }

    /// Whether a page is a page that came before: the same ids in the same order.
    fn repeats_another(&self, page: &Page) -> bool {
        let same = |other: &Page| {
            other.number != page.number
                && other.rows.len() == page.rows.len()
                && other.rows.iter().map(Row::id).eq(page.rows.iter().map(Row::id))
        };
        let has_ids = page.rows.iter().any(|row| row.id().is_some());
        let neighbours = [self.pages.first_key_value(), self.pages.range(..page.number).next_back()];
        has_ids && neighbours.into_iter().flatten().any(|(_, other)| same(other))
    }

    fn wants(&self, page: u64) -> bool {
        if self.stopped {
            return false;
        }
        if page == 1 {
            return true;
        }
        if self.pages.is_empty() {
            return false;
        }
        let size = self.extent.page_size();
        if let Limit::Rows(rows) = self.limit {
            let missing = rows.saturating_sub(self.in_scope);
            let in_flight = page - 1 - self.pages.len() as u64 - self.failed as u64;
            if missing.div_ceil(size) <= in_flight {
                return false;
            }
        }
        match (self.claimed_last_page(), self.extent.rows()) {
            (Some(last), _) => page <= last,
            (None, RowCount::Exactly(rows)) => page <= rows.div_ceil(size),
            // Nobody knows where the end is: twice as far with each step, so that few requests go beyond it.
            (None, RowCount::AtLeast(_)) => page <= self.pages.len() as u64 * 2,
        }
    }

    /// The last page by the server's own words on page 1, unless there were more rows than it claims. A short page in the
    /// middle is no reason to stop: the claim may be right, and the page wrong.
    fn claimed_last_page(&self) -> Option<u64> {
        let first = self.pages.get(&1)?;
        let size = self.extent.page_size();
        let seen = self.extent.rows().known();
        match first.total {
            Some(total) => (total >= seen).then(|| total.div_ceil(size)),
            None => first.total_pages,
        }
    }

    fn finish(mut self) -> Reading {
        let everything = self.limit == Limit::Everything;
        if everything && self.problems.is_empty() {
            self.compare_totals();
        }
        let mut seen: HashSet<WebhookId> = HashSet::new();
        let mut repeated = 0;
        let mut example = None;
        let mut scope_ignored = false;
        let mut rows = Vec::new();
        for row in self.pages.into_values().flat_map(|page| page.rows) {
            if !self.scope.admits(&row) {
                scope_ignored = true;
                continue;
            }
            match row.id() {
                Some(id) if !seen.insert(id.clone()) => {
                    repeated += 1;
                    example.get_or_insert_with(|| id.clone());
                }
                _ => rows.push(row),
            }
        }
        if let Some(example) = example {
            self.problems.push(Problem::RepeatedIds { count: repeated, example });
        }
        if let Limit::Rows(limit) = self.limit {
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        Reading { rows, problems: self.problems, scope_ignored }
    }

    fn compare_totals(&mut self) {
        let sent: u64 = self.pages.values().map(|page| page.rows.len() as u64).sum();
        let totals = || self.pages.values().map(|page| page.total);
        let with_rows = self.pages.values().filter(|page| !page.rows.is_empty()).count() as u64;
        let (Some(first), Some(last)) = (totals().next(), totals().next_back()) else { return };
        if let (Some(first), Some(last)) = (first, totals().find(|&total| total != first).unwrap_or(last)) {
            if first != last {
                self.problems.push(Problem::TotalChanged { first, last });
            } else if first != sent {
                self.problems.push(Problem::CountDiffers { claimed: first, sent });
            }
        } else if let Some(claimed) = first.or(last) {
            // Some pages told a total and others did not: what they told must be right at least.
            if claimed != sent {
                self.problems.push(Problem::CountDiffers { claimed, sent });
            }
        } else if let Some(claimed) = self.pages.values().find_map(|page| page.total_pages) {
            let first = self.pages.first_key_value().and_then(|(_, page)| page.total_pages);
            let agree = self.pages.values().all(|page| page.total_pages == first);
            let empty = claimed <= 1 && with_rows == 0;
            if !agree || (claimed != with_rows && !empty) {
                self.problems.push(Problem::PagesDiffer { claimed, sent: with_rows });
            }
        }
    }
}
