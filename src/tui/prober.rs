//! Runs probes for the loop in the background, and reports each result as it arrives.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};

use crate::analysis::destinations::Origin;
use crate::analysis::probed::Seen;
use crate::base::clock::Moment;
use crate::base::text::Safe;
use crate::probe::{self, Answer, Probing, Settings, Trust, Wanted};

/// The time limit of each step of a probe.
pub const STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// Loads the trusted certificates, which takes milliseconds, or returns an error.
type OpenTrust = dyn Fn() -> Result<Trust, Safe> + Send + Sync;

/// The result of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeEvent {
    Reach(Origin, Box<Seen>),
    /// Probing is not possible, for this reason.
    Failed(Safe),
}

/// The probe in progress, if any.
pub struct Prober {
    open: Arc<OpenTrust>,
    trust: Option<Trust>,
    step_timeout: Duration,
    allow_private: bool,
    state: ProberState,
}

enum ProberState {
    Idle,
    /// The certificates are being loaded.
    Opening(JoinHandle<Result<Trust, Safe>>, Vec<Vec<Origin>>),
    /// Probing, and the number of results still to come.
    Running(Probing, usize),
}

impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prober")
    }
}

impl Prober {
    /// Creates a prober that does not connect to private addresses.
    pub fn new(open: impl Fn() -> Result<Trust, Safe> + Send + Sync + 'static) -> Self {
        let open = Arc::new(open);
        Self { open, trust: None, step_timeout: STEP_TIMEOUT, allow_private: false, state: ProberState::Idle }
    }

    /// Also connects to private addresses, for tests on loopback.
    #[must_use]
    pub fn allowing_private(self) -> Self {
        Self { allow_private: true, ..self }
    }

    /// Probes these origins, before those that are still waiting.
    pub fn ask(&mut self, origins: Vec<Origin>) {
        match &mut self.state {
            ProberState::Idle => match &self.trust {
                Some(trust) => self.run(trust.clone(), vec![origins]),
                None => {
                    let open = Arc::clone(&self.open);
                    self.state = ProberState::Opening(spawn_blocking(move || open()), vec![origins]);
                }
            },
            ProberState::Opening(_, waiting) => waiting.push(origins),
            ProberState::Running(probing, left) => {
                *left += origins.len();
                probing.add(wanted(origins));
            }
        }
    }

    /// Cancels the probe in progress.
    pub fn stop(&mut self) {
        self.state = ProberState::Idle;
    }

    /// Waits for the next result. Canceling the call loses nothing.
    pub async fn next(&mut self) -> ProbeEvent {
        loop {
            match &mut self.state {
                ProberState::Idle => return pending().await,
                ProberState::Opening(task, waiting) => {
                    // A panic in the task has already ended the explorer through the panic hook.
                    let opened = task.await.unwrap_or_else(|_panicked| Err("cannot load the trusted certificates".into()));
                    let waiting = std::mem::take(waiting);
                    match opened {
                        Ok(trust) => self.run(trust, waiting),
                        Err(why) => {
                            self.state = ProberState::Idle;
                            return ProbeEvent::Failed(why);
                        }
                    }
                }
                ProberState::Running(_, 0) => self.state = ProberState::Idle,
                ProberState::Running(probing, left) => {
                    let Some(Answer { origin, reach, .. }) = probing.next().await else {
                        self.state = ProberState::Idle;
                        return ProbeEvent::Failed("the probe ended unexpectedly".into());
                    };
                    *left -= 1;
                    return ProbeEvent::Reach(origin, Box::new(Seen { reach, at: Moment::now().wall }));
                }
            }
        }
    }

    fn run(&mut self, trust: Trust, asked: Vec<Vec<Origin>>) {
        let Self { step_timeout, allow_private, .. } = *self;
        let settings = Settings { step_timeout, allow_private, trust: trust.clone(), now: Moment::now().wall };
        self.trust = Some(trust);
        let probing = probe::open(settings);
        let left = asked.iter().map(Vec::len).sum();
        for origins in asked {
            probing.add(wanted(origins));
        }
        self.state = ProberState::Running(probing, left);
    }
}

fn wanted(origins: Vec<Origin>) -> Vec<Wanted> {
    origins.into_iter().map(|origin| Wanted { origin, urls: Vec::new() }).collect()
}
