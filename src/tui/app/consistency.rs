//! Retries inconsistent reads of everything: those that do not show the workspace as it was at one moment. The fetch task
//! detects them.

use super::{Action, App, Effect, Everything};
use crate::fetch::Problem;
use crate::safe;

/// The maximum number of reads before an inconsistent one is shown as it is.
const READS: u32 = 3;

#[derive(Debug, Default)]
pub(super) struct Consistency {
    /// The number of inconsistent reads in a row.
    inconsistent: u32,
}

impl Consistency {
    /// Resets the count: the next read is not a retry.
    pub(super) fn start_over(&mut self) {
        *self = Self::default();
    }
}

impl App {
    /// Judges a finished read. If it is inconsistent, everything is read again, up to [`READS`] times in all. A listing that
    /// is too large for that is shown as it is.
    pub(super) fn judge_read(&mut self, problems: &[Problem]) -> Vec<Effect> {
        let everything = std::mem::take(&mut self.everything);
        if self.listing.has_failures() {
            // The errors are shown in place of the rows.
            return vec![Effect::Draw];
        }
        self.listing.judge(problems.is_empty());
        let Some(problem) = problems.first() else {
            self.consistency.start_over();
            return vec![Effect::Draw];
        };
        self.consistency.inconsistent += 1;
        let is_little = self.listing.extent().known() <= self.setup.auto_load_limit;
        if is_little && problems.iter().all(Problem::may_pass) && self.consistency.inconsistent < READS {
            self.refresh();
            self.everything = everything.max(Everything::Needed);
            let read = self.consistency.inconsistent + 1;
            return self.inform(safe!("{}; reading again ({} of {})", problem.explain(), read, READS));
        }
        let again = if is_little { Action::Refresh } else { Action::LoadEverything };
        let key = self.setup.keymap.key(again).unwrap_or_default();
        self.warn(safe!("{}. Webhooks may be missing; {} reloads", problem.explain(), key))
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use tokio::sync::{mpsc, watch};
    use tokio::time::Instant;

    use super::*;
    use crate::base_url::BaseUrl;
    use crate::clock::Moment;
    use crate::config::Config;
    use crate::fetch::histories::{Server, Tally, seeds};
    use crate::fetch::{self, Demand, FetchEvent, Policy};
    use crate::redact::ApiKey;
    use crate::tui::app::Setup;
    use crate::tui::listing::Cell;
    use crate::tui::message::Message;

    /// The explorer's state and its fetch task, without a terminal.
    struct Explorer {
        app: App,
        demand: watch::Sender<Demand>,
        events: mpsc::Receiver<FetchEvent>,
    }

    impl Explorer {
        fn new(server: &Server, policy: Policy) -> Self {
            let connection = Config::demo_connection(BaseUrl::default(), ApiKey::new("id:secret").unwrap());
            let setup = Setup { page_size: policy.page_size, ..Setup::new(&Config::default(), &connection) };
            let app = App::new(setup, Self::now());
            let (demand, receiver) = watch::channel(app.demand().clone());
            let source = server.source();
            let (events, _) = fetch::spawn(move || Ok(source), policy, receiver, app.packer().clone());
            Self { app, demand, events }
        }

        fn now() -> Moment {
            Moment { instant: Instant::now(), wall: "2026-06-15T12:00:00Z".parse().unwrap() }
        }

        fn update(&mut self, message: Message) {
            for effect in self.app.update(message, Self::now()) {
                if let Effect::Demand(demand) = effect {
                    self.demand.send_replace(demand);
                }
            }
        }

        /// Reads everything; the ids if the header says "all".
        async fn read_all(&mut self) -> Option<Vec<u32>> {
            self.update(Message::Key(KeyEvent::new(KeyCode::Char('L'), KeyModifiers::SHIFT)));
            while self.app.everything != Everything::No {
                let event = self.events.recv().await.unwrap();
                self.update(Message::Fetch(event));
            }
            let listing = &self.app.listing;
            assert_eq!(listing.is_consistent(), listing.is_whole_read(), "what was consistent before says nothing");
            let ids = (0..listing.len()).filter_map(|place| match listing.cell(place) {
                Cell::Row(row) => Some(row.id().parse().unwrap()),
                // A selected webhook that left the listing stays on screen, and is not counted.
                _ => None,
            });
            listing.is_consistent().then(|| ids.collect())
        }
    }

    #[tokio::test]
    async fn all_is_said_of_the_workspace_at_one_moment_only() {
        let mut tally = Tally::default();
        for seed in seeds(250) {
            let server = Server::new(seed);
            let policy = server.policy();
            let mut explorer = Explorer::new(&server, policy);
            for read in 1..=2 {
                server.begin();
                let ids = explorer.read_all().await;
                tally.check(seed, &server, ids.as_deref(), !server.has_total());
                let (pages, requests) = (server.pages(policy), server.requests());
                let is_cheap = !server.is_quiet() || !server.has_total() || requests <= pages + 2;
                assert!(is_cheap, "seed {seed}, read {read}: {requests} requests for {pages} pages");
            }
        }
        tally.finish();
    }
}
