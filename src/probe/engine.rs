//! Probes many destinations at once within limits, and reports each result as it arrives.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use url::Url;

use super::settings::Settings;
use super::steps::Walk;
use crate::analysis::destinations::{Origin, Target};
use crate::analysis::reach::Reach;

/// The most connections at once.
pub const MAX_AT_ONCE: usize = 16;
/// The most connections at once to one origin, since it may be a production server.
const MAX_AT_ONE_ORIGIN: usize = 4;
/// The most results to buffer.
const WAITING: usize = 64;

/// A destination to probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub origin: Origin,
    /// URLs of this origin to send a `HEAD` to; if empty, only the connection is probed.
    pub urls: Vec<Url>,
}

impl Wanted {
    /// Probes a target with all its URLs, or only its connection.
    pub fn of(target: &Target, http: bool) -> Self {
        let urls = target.resources.iter().filter(|_| http).map(|resource| resource.url.clone());
        Self { origin: target.origin.clone(), urls: urls.collect() }
    }
}

/// The result for one destination or URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub origin: Origin,
    /// The URL of the `HEAD`, even if it was not sent because the connection failed; `None` without a `HEAD`.
    pub url: Option<Url>,
    pub reach: Reach,
}

/// A probe in progress. Dropping it cancels everything at once.
#[derive(Debug)]
pub struct Probing {
    answers: mpsc::Receiver<Answer>,
    more: Option<mpsc::UnboundedSender<Vec<Wanted>>>,
    _task: JoinSet<()>,
}

impl Probing {
    /// Returns the next result: one for each URL to probe, and one for each origin without any. `None` after the last,
    /// unless more can be added. Canceling the call loses no result.
    pub async fn next(&mut self) -> Option<Answer> {
        self.answers.recv().await
    }

    /// Adds destinations to a probe from [`open`]. They come before those that are still waiting, since the user is waiting
    /// for them.
    pub fn add(&self, wanted: Vec<Wanted>) {
        if let Some(more) = &self.more {
            // The receiver lives as long as this value.
            drop(more.send(wanted));
        }
    }
}

/// Starts a probe without destinations, see [`Probing::add`]. It does not end by itself.
pub fn open(settings: Settings) -> Probing {
    let (more, wanted) = mpsc::unbounded_channel();
    Probing { more: Some(more), ..spawn(VecDeque::new(), wanted, settings) }
}

/// Starts a probe. Results are returned in the order in which they arrive. A slow reader slows down the probe.
pub fn start(wanted: impl IntoIterator<Item = Wanted>, settings: Settings) -> Probing {
    let jobs = wanted.into_iter().map(Job::Whole).collect();
    let (_nobody, more) = mpsc::unbounded_channel();
    spawn(jobs, more, settings)
}

fn spawn(jobs: VecDeque<Job>, more: mpsc::UnboundedReceiver<Vec<Wanted>>, settings: Settings) -> Probing {
    let (sender, answers) = mpsc::channel(WAITING);
    let mut task = JoinSet::new();
    task.spawn(run(jobs, more, Arc::new(settings), sender));
    Probing { answers, more: None, _task: task }
}

/// Work that uses one connection at a time.
#[derive(Debug)]
enum Job {
    Whole(Wanted),
    /// Further URLs of an origin that accepted a connection at this address.
    Urls {
        origin: Origin,
        known: Reach,
        address: SocketAddr,
        urls: Vec<Url>,
    },
}

async fn run(
    mut waiting: VecDeque<Job>,
    mut more: mpsc::UnboundedReceiver<Vec<Wanted>>,
    settings: Arc<Settings>,
    answers: mpsc::Sender<Answer>,
) {
    let mut running = JoinSet::new();
    loop {
        while running.len() < MAX_AT_ONCE {
            let Some(job) = waiting.pop_front() else { break };
            running.spawn(job.run(Arc::clone(&settings), answers.clone()));
        }
        tokio::select! {
            Some(wanted) = more.recv() => wanted.into_iter().rev().for_each(|wanted| waiting.push_front(Job::Whole(wanted))),
            Some(done) = running.join_next() => {
                // The rest of an origin comes before the next origin.
                done.into_iter().flatten().for_each(|job| waiting.push_front(job));
            }
            else => return,
        }
    }
}

impl Job {
    /// Does the work, and returns the jobs that follow from it.
    async fn run(self, settings: Arc<Settings>, answers: mpsc::Sender<Answer>) -> Vec<Self> {
        match self {
            Self::Whole(wanted) => whole(wanted, &settings, &answers).await.unwrap_or_default(),
            Self::Urls { origin, known, address, urls } => {
                for url in urls {
                    let mut walk = Walk::new(&settings, &origin, true, known.clone());
                    if let Some((stream, _)) = walk.connect(&[address]).await {
                        walk.head(stream, &url).await;
                    }
                    let answer = Answer { origin: origin.clone(), url: Some(url), reach: walk.reach };
                    if answers.send(answer).await.is_err() {
                        break;
                    }
                }
                Vec::new()
            }
        }
    }
}

/// Probes an origin, and sends a `HEAD` to its first URL over the same connection. `None` if the origin is done, or the
/// results are no longer wanted.
async fn whole(wanted: Wanted, settings: &Settings, answers: &mpsc::Sender<Answer>) -> Option<Vec<Job>> {
    let Wanted { origin, urls } = wanted;
    let send = async |url, reach| answers.send(Answer { origin: origin.clone(), url, reach }).await.ok();
    let mut walk = Walk::new(settings, &origin, !urls.is_empty(), Reach::default());
    let addresses = walk.addresses().await;
    // The part of the result that all URLs share.
    let known = walk.reach.clone();
    let connection = match &addresses {
        Some(addresses) => walk.connect(addresses).await,
        None => None,
    };
    let mut urls = urls.into_iter();
    let Some(first) = urls.next() else {
        send(None, walk.reach).await?;
        return None;
    };
    let Some((stream, address)) = connection else {
        for url in std::iter::once(first).chain(urls) {
            send(Some(url), walk.reach.clone()).await?;
        }
        return None;
    };
    walk.head(stream, &first).await;
    send(Some(first), walk.reach).await?;
    let rest: Vec<_> = urls.collect();
    let lanes = rest.chunks(rest.len().div_ceil(MAX_AT_ONE_ORIGIN).max(1));
    let job = |urls: &[Url]| Job::Urls { origin: origin.clone(), known: known.clone(), address, urls: urls.to_vec() };
    Some(lanes.map(job).collect())
}
