//! The background task of the explorer. It follows the latest [`Demand`], never a queue of old ones.

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::crawler::Crawler;
use super::requests::{Pages, Progress, Requests};
use super::{Policy, Problem, Source};
use crate::api::{ApiError, ErrorKind, Nonsense, Page};
use crate::model::{Interner, Scope};

/// Events to buffer before the task waits for the explorer: as many as arrive while it collects them.
const EVENTS_AHEAD: usize = 128;

/// When everything is read, pages are requested ahead of the first missing one, up to this many times the concurrency.
const AHEAD: u64 = 2;

/// Counts requests for fresh data. Answers of an older generation are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Generation(u64);

impl Generation {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The data that the explorer needs now. Only the latest demand counts: pages that only an older one wanted are not fetched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Demand {
    /// A new generation fetches everything again: refresh, retry, a change of scope.
    pub generation: Generation,
    pub scope: Scope,
    /// Missing pages, the most urgent first: visible ones, then those that will be visible next.
    pub pages: Vec<u64>,
    /// Also fetch all other pages.
    pub everything: bool,
}

/// An event of the task.
#[derive(Debug, Clone)]
pub enum FetchEvent {
    /// A page is being requested.
    Started {
        generation: Generation,
        page: u64,
    },
    Loaded {
        generation: Generation,
        page: Page,
    },
    /// `attempt` of `of` failed; it will be retried.
    Retrying {
        generation: Generation,
        page: u64,
        attempt: u32,
        of: u32,
        error: ApiError,
    },
    /// Failed for good in this generation.
    Failed {
        generation: Generation,
        page: u64,
        error: ApiError,
    },
    /// No request is sent until then, because of the rate limit.
    Paused {
        generation: Generation,
        until: Instant,
        error: ApiError,
    },
    /// Everything was requested, and nothing is left to read: pages that are still missing will not arrive. Without
    /// problems, the rows are the workspace at one moment.
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

/// Starts the task. It creates its source itself, since a client loads the certificate store. It ends when the sender of its
/// demands or the receiver of its events is dropped.
pub fn spawn(
    connect: impl FnOnce() -> Result<Source, ApiError> + Send + 'static,
    policy: Policy,
    demand: watch::Receiver<Demand>,
    interner: Interner,
) -> (mpsc::Receiver<FetchEvent>, JoinHandle<()>) {
    let (events, receiver) = mpsc::channel(EVENTS_AHEAD);
    let task = tokio::spawn(async move {
        match connect() {
            Ok(source) => {
                let source = source.interning(interner.clone());
                let requests = Requests::new(Pages::new(&source, policy.page_size, Scope::All), policy);
                // An error means that the explorer has ended.
                drop(Task::new(policy, demand, events, requests, interner).run().await);
            }
            Err(error) => report_no_client(demand, &events, &error).await,
        }
    });
    (receiver, task)
}

async fn report_no_client(mut demand: watch::Receiver<Demand>, events: &mpsc::Sender<FetchEvent>, error: &ApiError) {
    loop {
        let (generation, page) = {
            let demand = demand.borrow_and_update();
            (demand.generation, demand.pages.first().copied().or(demand.everything.then_some(1)))
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

/// The explorer has ended, and so does the task.
struct Gone;

struct Task {
    policy: Policy,
    demand: watch::Receiver<Demand>,
    events: mpsc::Sender<FetchEvent>,
    requests: Requests<Pages>,
    interner: Interner,
    /// The demand in effect.
    current: Demand,
    crawler: Crawler,
    /// The reason why no page of this generation can succeed.
    refusal: Option<ApiError>,
    /// True once [`FetchEvent::Swept`] was sent.
    is_swept: bool,
}

impl Task {
    fn new(
        policy: Policy,
        demand: watch::Receiver<Demand>,
        events: mpsc::Sender<FetchEvent>,
        requests: Requests<Pages>,
        interner: Interner,
    ) -> Self {
        Self {
            policy,
            demand,
            events,
            requests,
            interner,
            current: Demand::default(),
            crawler: Crawler::new(policy, false),
            refusal: None,
            is_swept: false,
        }
    }

    async fn run(mut self) -> Result<(), Gone> {
        let demand = self.demand.borrow_and_update().clone();
        self.requests.change(|pages| pages.set_scope(demand.scope));
        self.current = demand;
        loop {
            self.start_pages().await?;
            if self.conclude().await? {
                continue;
            }
            tokio::select! {
                biased;
                changed = self.demand.changed() => {
                    changed.map_err(|_closed| Gone)?;
                    let demand = self.demand.borrow_and_update().clone();
                    self.follow(demand);
                }
                () = self.events.closed() => return Err(Gone),
                Some(progress) = self.requests.next() => self.report(progress).await?,
            }
        }
    }

    fn follow(&mut self, demand: Demand) {
        let is_same_scope = demand.scope == self.current.scope;
        if !is_same_scope {
            self.requests.change(|pages| pages.set_scope(demand.scope));
        }
        if !is_same_scope || demand.generation != self.current.generation {
            self.requests.retain(|_| false);
            self.requests.end_pause();
            self.interner.forget_unused();
            let repeats = ErrorKind::Nonsense(Nonsense::SamePage);
            // After repeated pages, page 1 is read alone again, so that other pages can be compared with it.
            let is_layout_right = self.refusal.as_ref().is_none_or(|error| error.kind != repeats);
            self.crawler.restart(is_same_scope && is_layout_right);
            self.refusal = None;
            self.is_swept = false;
        }
        let first_page_only = !self.crawler.layout().is_known();
        let is_needed = |page: u64| demand.everything || demand.pages.contains(&page) || (first_page_only && page == 1);
        self.requests.retain(is_needed);
        self.is_swept &= demand.everything;
        if !demand.everything {
            self.crawler.stop_confirming();
        }
        self.current = demand;
    }

    async fn start_pages(&mut self) -> Result<(), Gone> {
        while let Some(page) = self.next_page() {
            if let Some(error) = self.refusal.clone() {
                // It would fail in the same way.
                self.crawler.fail(page, &error);
                self.send(FetchEvent::Failed { generation: self.current.generation, page, error }).await?;
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
            let is_first_reading = self.crawler.is_open(page, |_| false);
            self.requests.start(page);
            self.crawler.started(page);
            if is_first_reading {
                self.send(FetchEvent::Started { generation: self.current.generation, page }).await?;
            }
        }
        Ok(())
    }

    /// Reports once that nothing is left to read. Returns true if pages have to be read again first.
    async fn conclude(&mut self) -> Result<bool, Gone> {
        let is_wanted = self.current.everything && !self.is_swept && !self.requests.is_busy();
        if !is_wanted || !self.crawler.has_begun() || self.next_page().is_some() {
            return Ok(false);
        }
        if !self.crawler.conclude() {
            return Ok(true);
        }
        self.is_swept = true;
        let problems = self.crawler.problems().to_vec();
        self.send(FetchEvent::Swept { generation: self.current.generation, problems }).await?;
        Ok(false)
    }

    /// The most urgent page that is neither settled nor in flight.
    fn next_page(&self) -> Option<u64> {
        let is_under_way = |page| self.requests.is_under_way(page);
        let everything = || {
            let ahead = AHEAD * self.policy.max_concurrency as u64;
            self.crawler.next(ahead, is_under_way).filter(|_| self.current.everything && self.refusal.is_none())
        };
        if !self.crawler.layout().is_known() {
            // Page 1 reveals the page size, so no other page is requested before it.
            let is_wanted = self.current.everything || !self.current.pages.is_empty();
            return (is_wanted && self.crawler.is_open(1, is_under_way)).then_some(1);
        }
        let urgent = self.current.pages.iter().copied().find(|&page| self.crawler.is_open(page, is_under_way));
        urgent.or_else(everything)
    }

    async fn report(&mut self, progress: Progress) -> Result<(), Gone> {
        let generation = self.current.generation;
        let event = match progress {
            Progress::Loaded { number, value: page } => match self.take(&page) {
                Ok(false) => return Ok(()),
                Ok(true) => FetchEvent::Loaded { generation, page },
                Err(why) => {
                    let error = ApiError::new(ErrorKind::Nonsense(why));
                    self.refusal = Some(error.clone());
                    self.crawler.give_up(Problem::PageFailed { page: number, error: error.clone() });
                    FetchEvent::Failed { generation, page: number, error }
                }
            },
            Progress::Failed { number: page, error } => {
                if !self.crawler.fail(page, &error) {
                    return Ok(());
                }
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

    /// Adds a page. Returns true if its rows are to be shown.
    fn take(&mut self, page: &Page) -> Result<bool, Nonsense> {
        let size_before = self.crawler.layout().is_known().then(|| self.crawler.layout().page_size());
        if !self.crawler.take(page) {
            return Ok(false);
        }
        if self.crawler.is_repeated(page.numbers.number) {
            return Err(Nonsense::SamePage);
        }
        for row in page.rows.rows().filter(|row| row.is_webhook()) {
            let _is_new = self.crawler.is_new(row.id());
        }
        let layout = self.crawler.layout();
        let has_new_layout = size_before.is_some_and(|size| size != layout.page_size());
        if has_new_layout && !layout.is_steady() { Err(Nonsense::Unsteady) } else { Ok(true) }
    }

    async fn send(&self, event: FetchEvent) -> Result<(), Gone> {
        self.events.send(event).await.map_err(|_closed| Gone)
    }
}
