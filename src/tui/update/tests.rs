//! Tests that a read reported as complete is the workspace at one moment: random histories of a server, read by the
//! explorer.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::base::base_url::BaseUrl;
use crate::base::clock::Moment;
use crate::base::redact::ApiKey;
use crate::config::Config;
use crate::fetch::histories::{Server, Tally, seeds};
use crate::fetch::{self, Demand, FetchEvent, Policy};
use crate::tui::app::{App, Setup};
use crate::tui::message::{Effect, Message};
use crate::tui::session::listing::Cell;
use crate::tui::session::loading::LoadAll;

/// The explorer's state and its fetch task, without a terminal.
struct Explorer {
    app: App,
    demand: watch::Sender<Demand>,
    events: mpsc::Receiver<FetchEvent>,
}

impl Explorer {
    fn new(server: &Server, policy: Policy) -> Self {
        let connection = Config::demo_connection(BaseUrl::default(), ApiKey::new("id:secret").unwrap());
        let mut setup = Setup::new(&Config::default(), &connection);
        setup.workspace.page_size = policy.page_size;
        let app = App::new(setup, Self::now());
        let (demand, receiver) = watch::channel(app.session.demand().clone());
        let source = server.source();
        let (events, _) = fetch::spawn(move || Ok(source), policy, receiver, app.session.load.interner.clone());
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

    /// Reads everything. Returns the ids if the header shows "all".
    async fn read_all(&mut self) -> Option<Vec<u32>> {
        self.update(Message::Key(KeyEvent::new(KeyCode::Char('L'), KeyModifiers::SHIFT)));
        while self.app.session.load.all != LoadAll::No {
            let event = self.events.recv().await.unwrap();
            self.update(Message::Fetch(event));
        }
        let listing = &self.app.session.list.lines;
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
