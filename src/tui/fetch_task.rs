//! The fetch task, as used by the loop.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::app::App;
use crate::api::{ApiError, Client, ClientSettings};
use crate::fetch::{self, Demand, FetchEvent, Policy, Source};

/// The time between two batches of pages while everything is loaded.
const GATHERING: Duration = Duration::from_millis(3);

/// The task and its channels.
#[derive(Debug)]
pub struct Fetch {
    pub demand: watch::Sender<Demand>,
    pub events: mpsc::Receiver<FetchEvent>,
    pub task: JoinHandle<()>,
    /// The source that it reads from, once that is open.
    pub source: Arc<OnceLock<Source>>,
    pub policy: Policy,
    /// The settings of its API client; `None` for a file.
    pub api: Option<ClientSettings>,
    /// The end of the current batch, while everything is loaded.
    gathered_at: Option<Instant>,
}

impl Fetch {
    /// Starts the task of a workspace.
    pub fn start(
        open: impl FnOnce() -> Result<Source, ApiError> + Send + 'static,
        policy: Policy,
        api: Option<ClientSettings>,
        app: &App,
    ) -> Self {
        let (demand, wishes) = watch::channel(app.session.demand().clone());
        let source = Arc::<OnceLock<Source>>::default();
        let opened = Arc::clone(&source);
        let open = move || {
            let source = open()?;
            // The cell is set only here.
            Ok(opened.get_or_init(|| source).clone())
        };
        let (events, task) = fetch::spawn(open, policy, wishes, app.session.load.interner.clone());
        Self { demand, events, task, source, policy, api, gathered_at: None }
    }

    /// The task of an API.
    pub fn of_api(settings: ClientSettings, policy: Policy, app: &App) -> Self {
        let never_asking = settings.clone().never_asking();
        let open = move || Ok(Source::from(Arc::new(Client::new(&never_asking)?)));
        Self::start(open, policy, Some(settings), app)
    }

    /// Returns the next event; `None` if the task has panicked. While everything is loaded, pages are taken in batches every
    /// few milliseconds, since waking the loop costs more than handling most pages. Nothing is lost if the call is canceled.
    pub async fn next(&mut self, is_loading_all: bool) -> Option<FetchEvent> {
        let then = self.gathered_at.filter(|_| is_loading_all);
        let event = tokio::select! {
            biased;
            Some(event) = gathered(&mut self.events, then) => event,
            _panicked = &mut self.task => return None,
        };
        self.gathered_at = Some(Instant::now() + GATHERING);
        Some(event)
    }
}

/// The next event of the fetch task, but not before `then`.
async fn gathered(events: &mut mpsc::Receiver<FetchEvent>, then: Option<Instant>) -> Option<FetchEvent> {
    if let Some(then) = then {
        sleep_until(then).await;
    }
    events.recv().await
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;
    use crate::fetch::Generation;

    #[tokio::test(start_paused = true)]
    async fn pages_are_gathered_until_their_time_and_no_longer() {
        let (send, mut events) = mpsc::channel(8);
        let swept = || FetchEvent::Swept { generation: Generation::default(), problems: Vec::new() };
        let start = Instant::now();
        send.send(swept()).await.unwrap();
        assert!(gathered(&mut events, Some(start + GATHERING)).await.is_some());
        assert!(start.elapsed() >= GATHERING);
        let start = Instant::now();
        send.send(swept()).await.unwrap();
        assert!(gathered(&mut events, None).await.is_some());
        send.send(swept()).await.unwrap();
        assert!(gathered(&mut events, Some(start)).await.is_some());
        assert_eq!(start.elapsed(), Duration::ZERO, "nothing is held back outside a batch, or after its time");
        // A wait that is canceled takes no event.
        send.send(swept()).await.unwrap();
        let wait = gathered(&mut events, Some(start + GATHERING));
        assert!(timeout(Duration::from_millis(1), wait).await.is_err());
        assert_eq!(events.len(), 1);
    }
}
