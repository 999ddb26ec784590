//! The background task of the explorer. It follows the latest [`Demand`], never a queue of old ones.

use std::collections::BTreeSet;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::packed::{PackedPage, PackedPages};
use super::requests::{Progress, Requests};
use super::{Extent, Policy, Source};
use crate::api::{ApiError, ErrorKind, Nonsense};
use crate::model::{Packer, Scope};

/// Events that may wait for the explorer before the task waits for it: as many as come while it gathers them.
const EVENTS_AHEAD: usize = 128;

/// Empty pages in a row after which *everything* ends, whatever the totals claim.
const EMPTY_PAGES: u64 = 3;
/// Pages after which *everything* ends, since a listing may have no end at all.
const MAX_PAGES: u64 = 100_000;

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
    /// Everything was wanted, and nothing is left to be read; what is missing then will not come.
    Swept {
        generation: Generation,
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
            | Self::Swept { generation } => *generation,
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
    /// Page 1 of this generation, to notice a server that sends it for every page.
    first: Option<PackedPage>,
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
            first: None,
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
            self.first = None;
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
        self.wish = wish;
    }

    async fn start_pages(&mut self) -> Result<(), Gone> {
        while let Some(page) = self.next_page() {
            if let Some(error) = self.refusal.clone() {
                // It would fail like the others; whoever waits for it is told so.
                self.settled.insert(page);
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
        self.tell_the_end().await
    }

    /// Says once that of *everything* nothing is left to be read.
    async fn tell_the_end(&mut self) -> Result<(), Gone> {
        let done = self.wish.everything && !self.swept && !self.requests.is_busy() && !self.settled.is_empty();
        if done {
            self.swept = true;
            self.send(FetchEvent::Swept { generation: self.wish.generation }).await?;
        }
        Ok(())
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
        if self.extent.ends_in_empty_pages(EMPTY_PAGES) || self.sweep > MAX_PAGES {
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
            Progress::Loaded { number, value: page } if self.repeats_first(&page) => {
                let error = ApiError::new(ErrorKind::Nonsense(Nonsense::SamePage));
                self.settled.insert(number);
                self.refusal = Some(error.clone());
                FetchEvent::Failed { generation, page: number, error }
            }
            Progress::Loaded { number, value: page } => {
                let before = self.extent.is_known().then(|| self.extent.page_size());
                self.extent.observe(page.numbers, self.policy.page_size);
                self.settled.insert(number);
                let is_laid_out_anew = before.is_some_and(|size| size != self.extent.page_size());
                if is_laid_out_anew && !self.extent.is_steady() {
                    let error = ApiError::new(ErrorKind::Nonsense(Nonsense::Unsteady));
                    self.refusal = Some(error.clone());
                    FetchEvent::Failed { generation, page: number, error }
                } else {
                    FetchEvent::Loaded { generation, page }
                }
            }
            Progress::Failed { number: page, error } => {
                self.settled.insert(page);
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

    /// Whether a later page is page 1 again: then the server ignores the parameter, and would be asked for ever.
    fn repeats_first(&mut self, page: &PackedPage) -> bool {
        if page.numbers.number == 1 {
            self.first = Some(page.clone());
            return false;
        }
        self.first.as_ref().is_some_and(|first| page.repeats(first))
    }

    async fn send(&self, event: FetchEvent) -> Result<(), Gone> {
        self.events.send(event).await.map_err(|_closed| Gone)
    }
}
