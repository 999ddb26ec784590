//! The explorer: an event loop that pairs a pure state machine with a view.
//!
//! ```text
//!  keys, signals ──► events ──Message──► app::App::update ──► Effects
//!                      ▲                        │ state
//!                      │                        ▼
//!                      │                  view::draw(&App) ──► screen ──► terminal
//!                      │ FetchEvent                │
//!                  fetch task ◄──── Demand ────────┘
//! ```

pub mod app;
pub mod change_detail;
pub mod copy;
pub mod copy_menu;
pub mod cursor;
pub mod detail;
pub mod events;
pub mod export_prompt;
pub mod fetch_task;
pub mod history;
pub mod job_id;
pub mod job_runner;
pub mod jobs;
pub mod layout;
mod lending;
pub mod list_pane;
pub mod message;
pub mod notes;
pub mod notice;
mod parting;
pub mod picker;
pub mod prober;
pub mod prompt;
pub mod session;
pub mod settings;
pub mod terminal;
pub mod theme;
pub mod typed_ahead;
pub mod ui;
pub mod update;
pub mod view;
pub mod view_kind;
pub mod views;
pub mod worker;
pub mod workers;
pub mod workspaces;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use self::app::{App, Setup};
use self::events::{Ended, Explorer, PendingFrame};
use self::fetch_task::Fetch;
use self::history::History;
use self::job_runner::JobRunner;
use self::parting::PARTING;
use self::prober::Prober;
use self::terminal::console::{self, Console as _, Terminal};
use self::terminal::frame_limiter::FrameLimiter;
use self::terminal::input::Input;
use self::terminal::screen::Screen;
use self::theme::{Glyphs, Theme};
use self::view_kind::View;
use self::workers::Workers;
use self::workspaces::Workspaces;
use crate::api::{ApiError, Client, ClientSettings};
use crate::base::base_url::BaseUrl;
use crate::base::clock::{Moment, local_zone};
use crate::base::text::{Safe, clean};
use crate::cache::Store;
use crate::config::{Config, Connection, Environment};
use crate::error::{Error, Exit};
use crate::fetch::{Held, Policy, Source};
use crate::model::Scope;
use crate::probe::Trust;

/// The inputs of the explorer at startup.
pub struct Start<'a> {
    pub config: &'a Config,
    pub origin: Origin,
    /// The workspaces that the user can switch to.
    pub workspaces: Workspaces,
    pub env: &'a Environment,
    pub scope: Scope,
    /// Refresh automatically, with this interval in seconds.
    pub refresh: Option<u64>,
    /// The initial filter, which is a valid query, or empty.
    pub filter: String,
    pub view: View,
    /// The path of an export of delivery attempts.
    pub deliveries: Option<PathBuf>,
    pub coloured: bool,
}

/// The source of the webhooks.
pub enum Origin {
    Api(Box<Connection>),
    File {
        /// The name of the file on screen.
        name: Safe,
        rows: Arc<Held>,
        /// The base URL of copied requests.
        base_url: BaseUrl,
    },
}

impl Origin {
    /// Opens the source for the background task. For the API, this loads the certificate store, which takes milliseconds.
    fn open(self) -> Result<Source, ApiError> {
        match self {
            Self::Api(connection) => Ok(Source::from(Arc::new(Client::new(&connection.api.never_asking())?))),
            Self::File { rows, .. } => Ok(Source::from(rows)),
        }
    }

    fn history(&self, config: &Config) -> History {
        match self {
            Self::Api(connection) => History::of(config, connection),
            Self::File { .. } => History::default(),
        }
    }

    fn api(&self) -> Option<ClientSettings> {
        match self {
            Self::Api(connection) => Some(connection.api.clone()),
            Self::File { .. } => None,
        }
    }

    fn policy(&self) -> Policy {
        match self {
            Self::Api(connection) => connection.policy,
            Self::File { .. } => Policy::default(),
        }
    }
}

impl Start<'_> {
    fn setup(&self, size: (u16, u16)) -> Setup {
        let mut setup = match &self.origin {
            Origin::Api(connection) => Setup::new(self.config, connection),
            Origin::File { name, base_url, .. } => Setup::of_file(self.config, name.clone(), base_url.clone()),
        };
        let at = self.workspaces.start_at();
        setup.workspace.at = at;
        setup.workspace.invocation = self.workspaces.invocation(at);
        setup.workspace.store = match &self.origin {
            Origin::Api(connection) => Store::of(connection),
            Origin::File { .. } => None,
        };
        let settings = &mut setup.settings;
        settings.profiles = self.workspaces.all().to_vec();
        settings.theme = Theme::new(&self.config.theme, self.coloured);
        if !self.env.utf8 || self.env.is_linux_console() {
            settings.glyphs = Glyphs::ascii();
        }
        settings.zone = local_zone();
        settings.refresh_every = self.refresh.map_or(settings.refresh_every, Duration::from_secs);
        Setup { auto_refresh: self.refresh.is_some(), scope: self.scope, size, ..setup }
    }
}

/// Runs the explorer until it ends, and restores the terminal. The caller must have checked the terminal with
/// [`console::check`].
pub async fn run(start: Start<'_>) -> Result<Exit, Error> {
    let size = crossterm::terminal::size().map_err(|error| Error::terminal(&error))?;
    let app = App::new(start.setup(size), Moment::now());
    let console = Terminal::take(app.settings.mouse).map_err(|error| Error::terminal(&error))?;
    let ended = Box::pin(explore(app, console, start)).await;
    match ended {
        Ok(Ended::Vanished) => console::abandon(),
        _ => drop(console::restore()),
    }
    ended.map(Exit::from)
}

/// The prober of the explorer, which trusts the same certificates as the API client.
fn prober(config: &Config) -> Prober {
    let network = config.network.clone();
    Prober::new(move || {
        let extra_roots = network.extra_roots().map_err(|error| error.brief().clone())?;
        Trust::new(extra_roots.as_deref()).map_err(|error| clean(&error.to_string()))
    })
}

async fn explore(mut app: App, console: Terminal, start: Start<'_>) -> Result<Ended, Error> {
    let mut screen = Screen::new(app.ui.size);
    // The first frame needs nothing slow.
    console.send(&screen.draw(app.settings.glyphs, |canvas| view::draw(&app, canvas)));
    let policy = start.origin.policy();
    let history = start.origin.history(start.config);
    app.session.filter.recall(history.read());
    app.start_with(&start.filter, start.view);
    let mut jobs = JobRunner::default();
    if let Some(path) = start.deliveries {
        let job = app.read_deliveries(path);
        jobs.start(job);
    }
    let origin = start.origin;
    let api = origin.api();
    let fetch = Fetch::start(move || origin.open(), policy, api, &app);
    let mut explorer = Explorer {
        app,
        screen,
        console,
        input: Input::start().map_err(|error| Error::terminal(&error))?,
        fetch,
        workers: Workers::start().map_err(|error| Error::start(&error))?,
        history,
        store: Store::of,
        jobs,
        workspaces: start.workspaces,
        prober: prober(start.config),
        multiplexer: start.env.multiplexer,
        pending: PendingFrame::None,
        frame_limiter: FrameLimiter::default(),
        parting: PARTING,
    };
    let ended = explorer.run().await;
    explorer.fetch.task.abort();
    if !matches!(ended, Ok(Ended::Vanished | Ended::Panicked)) {
        // Restore the terminal first, so that the screen does not appear frozen.
        let _was_taken = console::restore();
        if explorer.jobs.is_exporting() {
            drop(writeln!(io::stderr(), "hookscope: finishing the export; ctrl-c stops it"));
        }
        let parted = explorer.part().await;
        return ended.and_then(|ended| parted.map(|()| ended));
    }
    ended
}
