//! Random histories of a workspace that changes while it is read, and checks of what a read may report.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use fastrand::Rng;
use tokio::task::yield_now;

use super::source::Fake;
use super::{Policy, Source, Summary, Wanted, read_listing, stream_listing};
use crate::api::{Page, PageNumbers, PageRequest};
use crate::model::testing::page_of;
use crate::model::{Rows, Scope};

/// The number of histories for each kind of read.
const HISTORIES: u64 = 900;

/// The envelope around the rows of a page, in each form found in the vendor's material.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Envelope {
    Seed,
    SeedWithPages,
    NoMeta,
    OpenApi,
    Bare,
    StatusCode,
    Workflow,
}

impl Envelope {
    const ALL: [Self; 7] =
        [Self::Seed, Self::SeedWithPages, Self::NoMeta, Self::OpenApi, Self::Bare, Self::StatusCode, Self::Workflow];

    fn has_total(self) -> bool {
        matches!(self, Self::Seed | Self::SeedWithPages | Self::OpenApi)
    }

    fn has_pages(self) -> bool {
        matches!(self, Self::SeedWithPages | Self::OpenApi | Self::Workflow)
    }
}

/// The sort order of the listing, which decides where new webhooks appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    NewestFirst,
    OldestFirst,
    ById,
}

/// A workspace with the history of its changes.
#[derive(Debug)]
struct Workspace {
    rng: Rng,
    envelope: Envelope,
    order: Order,
    /// The most rows on a page, whatever is requested.
    clamp: usize,
    /// The probability of a change between two requests.
    unrest: f64,
    ids: Vec<u32>,
    next_id: u32,
    states: Vec<Vec<u32>>,
    requests: usize,
    /// True once a row was deleted and another one inserted between the same two requests.
    has_swapped: bool,
}

impl Workspace {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let envelope = Envelope::ALL[rng.usize(..Envelope::ALL.len())];
        let order = [Order::NewestFirst, Order::OldestFirst, Order::ById][rng.usize(..3)];
        let unrest = [0.0, 0.02, 0.1, 0.2][rng.usize(..4)];
        let ids: Vec<u32> = (0..rng.u32(..60)).map(|number| number * 1000).collect();
        let (clamp, next_id) = (rng.usize(3..12), 1_000_000);
        let states = vec![ids.clone()];
        Self { rng, envelope, order, clamp, unrest, ids, next_id, states, requests: 0, has_swapped: false }
    }

    fn insert(&mut self) {
        self.next_id += 1;
        match self.order {
            Order::NewestFirst => self.ids.insert(0, self.next_id),
            Order::OldestFirst => self.ids.push(self.next_id),
            Order::ById => self.ids.insert(self.rng.usize(..=self.ids.len()), self.next_id),
        }
    }

    /// Changes the workspace at random, as may happen between two requests.
    fn change(&mut self) {
        let (mut inserted, mut deleted) = (false, false);
        while self.rng.f64() < self.unrest {
            if self.rng.bool() && !self.ids.is_empty() {
                let place = self.rng.usize(..self.ids.len());
                self.ids.remove(place);
                deleted = true;
            } else {
                self.insert();
                inserted = true;
            }
            self.states.push(self.ids.clone());
        }
        self.has_swapped |= inserted && deleted;
    }

    fn answer(&mut self, request: PageRequest) -> Page {
        self.change();
        self.requests += 1;
        let size = (request.limit as usize).min(self.clamp);
        let start = usize::try_from(request.number - 1).unwrap().saturating_mul(size).min(self.ids.len());
        let end = (start + size).min(self.ids.len());
        let total = self.ids.len() as u64;
        let numbers = PageNumbers {
            number: request.number,
            rows: (end - start) as u64,
            limit: self.envelope.has_total().then_some(size as u64),
            total: self.envelope.has_total().then_some(total),
            total_pages: self.envelope.has_pages().then(|| total.div_ceil(size as u64)),
            ..PageNumbers::default()
        };
        let json = |id: &u32| format!(r#"{{"id":"{id}","url":"https://x.com/{id}"}}"#);
        Page { numbers, rows: page_of(&self.ids[start..end].iter().map(json).collect::<Vec<_>>()) }
    }
}

/// A server whose workspace changes between requests, and which answers them in any order.
#[derive(Debug, Clone)]
pub(crate) struct Server(Arc<Mutex<Workspace>>);

impl Server {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Workspace::new(seed))))
    }

    fn lock(&self) -> MutexGuard<'_, Workspace> {
        self.0.lock().unwrap()
    }

    pub(crate) fn source(&self) -> Source {
        let server = self.clone();
        Source::from(Fake(Arc::new(move |request| {
            let server = server.clone();
            Box::pin(async move {
                let (before, after) = server.delays();
                for _ in 0..before {
                    yield_now().await;
                }
                let page = server.lock().answer(request);
                for _ in 0..after {
                    yield_now().await;
                }
                page
            })
        })))
    }

    fn delays(&self) -> (u32, u32) {
        let rng = &mut self.lock().rng;
        (rng.u32(..8), rng.u32(..8))
    }

    pub(crate) fn policy(&self) -> Policy {
        let mut workspace = self.lock();
        let page_size = workspace.rng.u32(4..14);
        Policy { page_size, max_concurrency: workspace.rng.usize(1..=8), ..Policy::default() }
    }

    /// Forgets the history: only states and requests from now on count.
    pub(crate) fn begin(&self) {
        let mut workspace = self.lock();
        workspace.states = vec![workspace.ids.clone()];
        workspace.requests = 0;
        workspace.has_swapped = false;
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.lock().unrest == 0.0
    }

    pub(crate) fn has_total(&self) -> bool {
        self.lock().envelope.has_total()
    }

    pub(crate) fn requests(&self) -> usize {
        self.lock().requests
    }

    /// Returns true if a row was deleted and another one inserted between two requests.
    pub(crate) fn has_swapped(&self) -> bool {
        self.lock().has_swapped
    }

    /// The current number of pages in the workspace.
    pub(crate) fn pages(&self, policy: Policy) -> usize {
        let workspace = self.lock();
        workspace.ids.len().div_ceil(workspace.clamp.min(policy.page_size as usize)).max(1)
    }

    pub(crate) fn describe(&self) -> String {
        let workspace = self.lock();
        format!("{:?}, {:?}, unrest {}", workspace.envelope, workspace.order, workspace.unrest)
    }

    /// Finds the error in a read that was reported as complete, if there is one.
    pub(crate) fn fault(&self, read: &[u32]) -> Option<&'static str> {
        let workspace = self.lock();
        let unique: HashSet<u32> = read.iter().copied().collect();
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        workspace.states.iter().flatten().for_each(|&id| *counts.entry(id).or_default() += 1);
        if unique.len() < read.len() {
            Some("an id is there twice")
        } else if read.iter().any(|id| !counts.contains_key(id)) {
            Some("an id was never there")
        } else if counts.iter().any(|(id, &count)| count == workspace.states.len() && !unique.contains(id)) {
            Some("an id is missing that was there throughout")
        } else {
            (!workspace.states.iter().any(|state| state == read)).then_some("the workspace was never like this")
        }
    }
}

/// The seeds. `HISTORIES_FROM` and `HISTORIES` choose others, or more.
pub(crate) fn seeds(count: u64) -> impl Iterator<Item = u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let from = number("HISTORIES_FROM").unwrap_or_default();
    from..from + number("HISTORIES").unwrap_or(count)
}

pub(crate) fn ids(rows: &Rows) -> Vec<u32> {
    rows.webhooks().map(|row| row.id().parse().unwrap()).collect()
}

/// The results of all histories for one kind of read.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    runs: usize,
    complete: usize,
    /// Reads that need not be exact, and the wrong ones among them.
    inexact: usize,
    wrong: usize,
}

impl Tally {
    /// Checks a read: its ids if it was reported as complete. Without `is_exact` a swap can hide a row.
    pub(crate) fn check(&mut self, seed: u64, server: &Server, read: Option<&[u32]>, is_exact: bool) {
        self.runs += 1;
        self.inexact += usize::from(!is_exact);
        let about = || format!("seed {seed}: {}", server.describe());
        let Some(read) = read else {
            return assert!(!server.is_quiet(), "{}: nothing happened, and yet the read is incomplete", about());
        };
        self.complete += 1;
        if let Some(fault) = server.fault(read) {
            assert!(!is_exact, "{}: {fault}", about());
            assert!(server.has_swapped(), "{}: {fault}, and not by a deletion and an insertion at once", about());
            self.wrong += 1;
        }
    }

    /// Checks that enough reads were complete and few were wrong.
    pub(crate) fn finish(&self) {
        assert!(self.complete * 2 > self.runs, "{self:?}: too few are complete for this to say anything");
        assert!(self.wrong * 200 <= self.inexact, "{self:?}: more than 0.5%");
    }
}

async fn stream(source: &Source, policy: Policy) -> (Rows, Summary) {
    let mut pages = Vec::new();
    let sink = |page| {
        pages.push(page);
        std::ops::ControlFlow::Continue(())
    };
    let summary = stream_listing(source, policy, Wanted::all(Scope::All), |_| {}, sink).await.unwrap();
    (pages.into_iter().collect(), summary)
}

#[tokio::test]
async fn a_list_is_the_workspace_at_one_moment() {
    let mut tally = Tally::default();
    for seed in seeds(HISTORIES) {
        let server = Server::new(seed);
        let policy = server.policy();
        let reading = read_listing(&server.source(), policy, Wanted::all(Scope::All), |_| {}).await.unwrap();
        let read = reading.summary.problems.is_empty().then(|| ids(&reading.rows));
        tally.check(seed, &server, read.as_deref(), !server.has_total());
        if server.is_quiet() {
            let (pages, requests) = (server.pages(policy), server.requests());
            let first = usize::try_from(reading.summary.pages).unwrap();
            let most = if server.has_total() { pages + if pages > 1 { 2 } else { 0 } } else { first * 2 };
            assert!(requests <= most, "seed {seed}: {}: {requests} requests for {pages} pages", server.describe());
        }
    }
    tally.finish();
}

#[tokio::test]
async fn a_verified_list_is_exact_with_totals_too() {
    let mut tally = Tally::default();
    for seed in seeds(HISTORIES) {
        let server = Server::new(seed);
        let wanted = Wanted { verify: true, ..Wanted::all(Scope::All) };
        let reading = read_listing(&server.source(), server.policy(), wanted, |_| {}).await.unwrap();
        let read = reading.summary.problems.is_empty().then(|| ids(&reading.rows));
        tally.check(seed, &server, read.as_deref(), true);
    }
    tally.finish();
}

#[tokio::test]
async fn a_stream_is_the_workspace_at_one_moment_or_says_that_it_is_not() {
    let mut tally = Tally::default();
    for seed in seeds(HISTORIES) {
        let server = Server::new(seed);
        let (rows, summary) = stream(&server.source(), server.policy()).await;
        let read = summary.problems.is_empty().then(|| ids(&rows));
        tally.check(seed, &server, read.as_deref(), !server.has_total());
    }
    tally.finish();
}
