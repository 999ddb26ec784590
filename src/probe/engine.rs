//! Many destinations at once, bounded, and what is found of them as it comes.

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

/// Connections that are made at once.
pub const MAX_AT_ONCE: usize = 16;
/// Of which so many to one origin: it may be somebody's production.
const MAX_AT_ONE_ORIGIN: usize = 4;
/// Answers that may wait to be taken.
const WAITING: usize = 64;

/// What is to be probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub origin: Origin,
    /// URLs of this origin to ask for their heads; none of them to end with the connection.
    pub urls: Vec<Url>,
}

impl Wanted {
    /// Everything of a target, or its connection alone.
    pub fn of(target: &Target, http: bool) -> Self {
        let urls = target.resources.iter().filter(|_| http).map(|resource| resource.url.clone());
        Self { origin: target.origin.clone(), urls: urls.collect() }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub origin: Origin,
    /// The URL that was asked for its head, or would have been; `None` when none was wanted.
    pub url: Option<Url>,
    pub reach: Reach,
}

/// A probe under way. Dropping it ends everything at once.
#[derive(Debug)]
pub struct Probing {
    answers: mpsc::Receiver<Answer>,
    more: Option<mpsc::UnboundedSender<Vec<Wanted>>>,
    _task: JoinSet<()>,
}

impl Probing {
    /// The next answer: one for each URL that is wanted, and one for each origin without any; `None` after the last, unless
    /// more can be added. A call that is cancelled loses none.
    pub async fn next(&mut self) -> Option<Answer> {
        self.answers.recv().await
    }

    /// Probes these too, before what still waits: somebody has just asked for them. Only for one that is [`open`].
    pub fn add(&self, wanted: Vec<Wanted>) {
        if let Some(more) = &self.more {
            // It ends with this, so it is there.
            drop(more.send(wanted));
        }
    }
}

/// Starts a probe that has nothing to do yet, see [`Probing::add`]. It does not end by itself.
pub fn open(settings: Settings) -> Probing {
    let (more, wanted) = mpsc::unbounded_channel();
    Probing { more: Some(more), ..spawn(VecDeque::new(), wanted, settings) }
}

/// Starts to probe. The answers come in the order in which they are found. A reader that is slow slows the probe down.
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

/// Something that is done one connection at a time.
#[derive(Debug)]
enum Job {
    Whole(Wanted),
    /// Further URLs of an origin that is known to answer at this address.
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
                // What an origin still has comes before the next origin.
                done.into_iter().flatten().for_each(|job| waiting.push_front(job));
            }
            else => return,
        }
    }
}

impl Job {
    /// Does it, and gives back what is to be done next.
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

/// Probes an origin, with its first URL over the same connection. `None` when nothing is left to do for it, or nobody listens
/// any more.
async fn whole(wanted: Wanted, settings: &Settings, answers: &mpsc::Sender<Answer>) -> Option<Vec<Job>> {
    let Wanted { origin, urls } = wanted;
    let send = async |url, reach| answers.send(Answer { origin: origin.clone(), url, reach }).await.ok();
    let mut walk = Walk::new(settings, &origin, !urls.is_empty(), Reach::default());
    let addresses = walk.addresses().await;
    // What all its URLs have in common.
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
