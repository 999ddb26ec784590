//! The background task of the explorer. It follows the latest [`Demand`], never a queue of old ones.

use std::collections::BTreeSet;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::packed::{PackedPage, PackedPages};
use super::pass::{Pass, SecondPass, Verdict};
use super::problem::MAX_PAGES;
use super::requests::{Progress, Requests};
use super::{Extent, Policy, Problem, Source};
use crate::api::{ApiError, ErrorKind, Nonsense};
use crate::model::{Packer, RowRef, Scope};

/// Events that may wait for the explorer before the task waits for it: as many as come while it gathers them.
const EVENTS_AHEAD: usize = 128;

/// Empty pages in a row after which *everything* ends, whatever the totals claim.
const EMPTY_PAGES: u64 = 3;

/// Counts the wishes for fresh data. Answers to an older generation are dropped before they touch anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Generation(u64);

impl Generation {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// What the explorer needs now. The latest one counts: what an older one wanted and this one does not is not fetched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Demand {
    /// A new one asks for everything wanted anew: refresh, retry, another scope.
    pub generation: Generation,
    pub scope: Scope,
    /// Pages that are missing, the most urgent first: visible ones, then those that will be visible next.
    pub pages: Vec<u64>,
    /// All the rest too.
    pub everything: bool,
}

/// What the task reports.
#[derive(Debug, Clone)]
pub enum FetchEvent {
    /// A page is being asked for.
    Started {
        generation: Generation,
        page: u64,
    },
    Loaded {
        generation: Generation,
        page: PackedPage,
    },
    /// `attempt` of `of` failed; it will be tried again.
    Retrying {
        generation: Generation,
        page: u64,
        attempt: u32,
        of: u32,
        error: ApiError,
    },
    /// Given up until the next generation.
    Failed {
        generation: Generation,
        page: u64,
        error: ApiError,
    },
    /// Nothing is sent until then, because of the rate limit.
    Paused {
        generation: Generation,
        until: Instant,
        error: ApiError,
    },
    /// Everything was wanted, and nothing is left to be read; what is missing then will not come. Without problems, it is the
    /// workspace as it was at one moment.
    Swept {
        generation: Generation,
        problems: Vec<Problem>,
    },
}

impl FetchEvent {
    pub fn generation(&self) -> Generation {
        match self {
            Self::Started { generation, .. }
            | Self::Loaded { generation, .. }
            | Self::Retrying { generation, .. }
            | Self::Failed { generation, .. }
            | Self::Paused { generation, .. }
            | Self::Swept { generation, .. } => *generation,
        }
    }
}

/// Starts the task. It makes its source itself, since a client reads the certificate store; it ends when the demand's sender or
/// the receiver of its events is dropped.
pub fn spawn(
    connect: impl FnOnce() -> Result<Source, ApiError> + Send + 'static,
    policy: Policy,
    demand: watch::Receiver<Demand>,
    packer: Packer,
) -> (mpsc::Receiver<FetchEvent>, JoinHandle<()>) {
    let (events, receiver) = mpsc::channel(EVENTS_AHEAD);
    let task = tokio::spawn(async move {
        match connect() {
            Ok(source) => {
                let requests = Requests::new(PackedPages::new(&source, policy.page_size, packer.clone()), policy);
                // The explorer is gone: nobody is left to tell.
                drop(Task::new(policy, demand, events, requests, packer).run().await);
            }
            Err(error) => report_no_client(demand, &events, &error).await,
        }
    });
    (receiver, task)
}

async fn report_no_client(mut demand: watch::Receiver<Demand>, events: &mpsc::Sender<FetchEvent>, error: &ApiError) {
    loop {
        let (generation, page) = {
            let wish = demand.borrow_and_update();
            (wish.generation, wish.pages.first().copied().or(wish.everything.then_some(1)))
        };
        if let Some(page) = page {
            let failed = FetchEvent::Failed { generation, page, error: error.clone() };
            if events.send(failed).await.is_err() {
                return;
            }
        }
        tokio::select! {
            changed = demand.changed() => if changed.is_err() {
                return;
            },
            () = events.closed() => return,
        }
    }
}

/// The explorer has gone; the task ends.
struct Gone;

struct Task {
    policy: Policy,
    demand: watch::Receiver<Demand>,
    events: mpsc::Sender<FetchEvent>,
    requests: Requests<PackedPages>,
    wish: Demand,
    extent: Extent,
    /// Pages of this generation that came or failed for good.
    settled: BTreeSet<u64>,
    /// Why no page of this generation can succeed.
    refusal: Option<ApiError>,
    /// The pages of this generation that came.
    pass: Pass,
    /// The first page that did not.
    missing: Option<Problem>,
    /// Pages that are read again to confirm the first reading.
    second: Option<SecondPass>,
    packer: Packer,
    /// The end of *everything* was told.
    swept: bool,
    /// Where the search for the next page of *everything* goes on.
    sweep: u64,
}

impl Task {
    fn new(
        policy: Policy,
        demand: watch::Receiver<Demand>,
        events: mpsc::Sender<FetchEvent>,
        requests: Requests<PackedPages>,
        packer: Packer,
    ) -> Self {
        Self {
            policy,
            demand,
            events,
            requests,
            wish: Demand::default(),
            extent: Extent::default(),
            settled: BTreeSet::new(),
            refusal: None,
            pass: Pass::default(),
            missing: None,
            second: None,
            packer,
            swept: false,
            sweep: 1,
        }
    }

    async fn run(mut self) -> Result<(), Gone> {
        let wish = self.demand.borrow_and_update().clone();
        self.requests.change(|pages| pages.set_scope(wish.scope));
        self.wish = wish;
        loop {
            self.start_pages().await?;
            tokio::select! {
                biased;
                changed = self.demand.changed() => {
                    changed.map_err(|_closed| Gone)?;
                    let wish = self.demand.borrow_and_update().clone();
                    self.follow(wish);
                }
                () = self.events.closed() => return Err(Gone),
                Some(progress) = self.requests.next() => self.report(progress).await?,
            }
        }
    }

    fn follow(&mut self, wish: Demand) {
        if wish.scope != self.wish.scope {
            self.requests.change(|pages| pages.set_scope(wish.scope));
            self.extent = Extent::default();
        }
        if wish.generation != self.wish.generation {
            self.requests.retain(|_| false);
            self.requests.end_pause();
            self.packer.forget_unused();
            self.extent.restart();
            self.settled.clear();
            self.pass = Pass::default();
            self.missing = None;
            self.second = None;
            if self.refusal.as_ref().is_some_and(|error| error.kind == ErrorKind::Nonsense(Nonsense::SamePage)) {
                // Page 1 goes alone again, to be told from the others.
                self.extent = Extent::default();
            }
            self.refusal = None;
            self.swept = false;
            self.sweep = 1;
        }
        let first_page_only = !self.extent.is_known();
        let needed = |page: u64| wish.everything || wish.pages.contains(&page) || (first_page_only && page == 1);
        self.requests.retain(needed);
        self.swept &= wish.everything;
        self.second = self.second.take().filter(|_| wish.everything);
        self.wish = wish;
    }

    async fn start_pages(&mut self) -> Result<(), Gone> {
        while let Some(page) = self.next_page() {
            if let Some(error) = self.refusal.clone() {
                // It would fail like the others; whoever waits for it is told so.
                self.give_up(page, &error);
                self.send(FetchEvent::Failed { generation: self.wish.generation, page, error }).await?;
                continue;
            }
            if !self.requests.has_room() {
                match self.requests.pause_if_spent() {
                    Ok(Some(pause)) => self.report(pause).await?,
                    Ok(None) => {}
                    Err(error) => {
                        self.refusal = Some(error.clone());
                        self.report(Progress::Failed { number: page, error }).await?;
                        continue;
                    }
                }
                return Ok(());
            }
            self.requests.start(page);
            self.send(FetchEvent::Started { generation: self.wish.generation, page }).await?;
        }
        self.conclude().await
    }

    /// Judges the pages once nothing is left to be read of *everything*, and reads some again if need be.
    async fn conclude(&mut self) -> Result<(), Gone> {
        let is_wanted = self.wish.everything && !self.swept && !self.settled.is_empty();
        if !is_wanted || (self.second.is_none() && self.requests.is_busy()) {
            return Ok(());
        }
        if self.second.is_none() {
            match self.judge() {
                Verdict::Consistent => return self.end_everything(Vec::new()).await,
                Verdict::Inconsistent(problems) => return self.end_everything(problems).await,
                Verdict::ReadAgain(second) => self.second = Some(second),
            }
        }
        self.read_again().await
    }

    fn judge(&self) -> Verdict {
        let never_ends = (self.sweep > MAX_PAGES).then_some(Problem::NeverEnds);
        let problem = self.missing.clone().or_else(|| self.pass.exceeds(&self.policy)).or(never_ends);
        problem.map_or_else(|| self.pass.verdict(false), |problem| Verdict::Inconsistent(vec![problem]))
    }

    async fn read_again(&mut self) -> Result<(), Gone> {
        while let Some(second) = self.second.as_mut().filter(|second| !second.is_done()) {
            let Some(page) = second.next() else { return Ok(()) };
            if self.requests.has_room() {
                self.requests.start(page);
                second.started();
                continue;
            }
            return match self.requests.pause_if_spent() {
                Ok(Some(pause)) => self.report(pause).await,
                Ok(None) => Ok(()),
                Err(error) => self.end_everything(vec![Problem::Unconfirmed { page, error }]).await,
            };
        }
        self.end_everything(Vec::new()).await
    }

    /// Compares a page with its first reading.
    async fn reread(&mut self, number: u64, again: Result<&PackedPage, ApiError>) -> Result<(), Gone> {
        // It may be one that is not wanted any more.
        let Some(second) = &mut self.second else { return Ok(()) };
        let problem = match again {
            Ok(page) => second.take(&self.pass, &self.pass.digest(page.numbers, page.block.rows())).err(),
            Err(error) => Some(Problem::Unconfirmed { page: number, error }),
        };
        match problem {
            Some(problem) => self.end_everything(vec![problem]).await,
            None => Ok(()),
        }
    }

    /// Says once that nothing is left to be read of *everything*.
    async fn end_everything(&mut self, problems: Vec<Problem>) -> Result<(), Gone> {
        self.swept = true;
        self.second = None;
        self.requests.retain(|page| !self.settled.contains(&page));
        self.send(FetchEvent::Swept { generation: self.wish.generation, problems }).await
    }

    /// A page will not come.
    fn give_up(&mut self, page: u64, error: &ApiError) {
        self.settled.insert(page);
        self.missing.get_or_insert_with(|| Problem::PageFailed { page, error: error.clone() });
    }

    /// The most urgent page that is neither settled nor under way.
    fn next_page(&mut self) -> Option<u64> {
        if !self.extent.is_known() {
            // Page 1 tells how large pages are: until it came, no other page can be told.
            let wanted = self.wish.everything || !self.wish.pages.is_empty();
            return (wanted && self.is_open(1)).then_some(1);
        }
        let urgent = self.wish.pages.iter().copied().find(|&page| self.is_open(page));
        urgent.or_else(|| if self.wish.everything && self.refusal.is_none() { self.sweep_on() } else { None })
    }

    fn sweep_on(&mut self) -> Option<u64> {
        // Without a known end: as many pages ahead as there are settled ones, so that few requests go beyond it.
        let last = self.extent.last_page().unwrap_or_else(|| (self.settled.len() as u64 * 2).max(1));
        while self.settled.contains(&self.sweep) {
            self.sweep += 1;
        }
        let is_enough = self.extent.ends_in_empty_pages(EMPTY_PAGES) || self.pass.exceeds(&self.policy).is_some();
        if is_enough || self.sweep > MAX_PAGES {
            return None;
        }
        (self.sweep..=last).take(self.policy.max_concurrency * 2).find(|&page| self.is_open(page))
    }

    fn is_open(&self, page: u64) -> bool {
        !self.settled.contains(&page) && !self.requests.is_under_way(page)
    }

    async fn report(&mut self, progress: Progress<PackedPage>) -> Result<(), Gone> {
        let generation = self.wish.generation;
        let event = match progress {
            Progress::Loaded { number, value: page } if self.settled.contains(&number) => {
                return self.reread(number, Ok(&page)).await;
            }
            Progress::Failed { number, error } if self.settled.contains(&number) => {
                return self.reread(number, Err(error)).await;
            }
            Progress::Loaded { number, value: page } => match self.take(&page) {
                Ok(()) => FetchEvent::Loaded { generation, page },
                Err(error) => {
                    self.give_up(number, &error);
                    self.refusal = Some(error.clone());
                    FetchEvent::Failed { generation, page: number, error }
                }
            },
            Progress::Failed { number: page, error } => {
                self.give_up(page, &error);
                if error.is_refusal() {
                    self.refusal = Some(error.clone());
                }
                FetchEvent::Failed { generation, page, error }
            }
            Progress::Retrying { number: page, attempt, of, error } => {
                FetchEvent::Retrying { generation, page, attempt, of, error }
            }
            Progress::Paused { until, error } => FetchEvent::Paused { generation, until, error },
            Progress::Resumed => return Ok(()),
        };
        self.send(event).await
    }

    /// Adds a page of the first reading. Fails if the server's pages make no sense.
    fn take(&mut self, page: &PackedPage) -> Result<(), ApiError> {
        let digest = self.pass.digest(page.numbers, page.block.rows());
        if self.pass.repeats_earlier(&digest) {
            return Err(ApiError::new(ErrorKind::Nonsense(Nonsense::SamePage)));
        }
        let before = self.extent.is_known().then(|| self.extent.page_size());
        self.extent.observe(page.numbers, self.policy.page_size);
        self.settled.insert(page.numbers.number);
        self.pass.add(digest);
        for id in page.block.rows().filter(|row| row.is_webhook()).map(RowRef::id) {
            let _is_new = self.pass.is_new(id);
        }
        // A second pass that is under way does not cover this page.
        self.second = None;
        let is_laid_out_anew = before.is_some_and(|size| size != self.extent.page_size());
        if is_laid_out_anew && !self.extent.is_steady() {
            return Err(ApiError::new(ErrorKind::Nonsense(Nonsense::Unsteady)));
        }
        Ok(())
    }

    async fn send(&self, event: FetchEvent) -> Result<(), Gone> {
        self.events.send(event).await.map_err(|_closed| Gone)
    }
}
