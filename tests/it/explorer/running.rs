//! The real loop: keys in, frames out, the real fetch task and the real client against the demo server on loopback.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a stage that cannot be set is a failed test")]

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use futures_core::Stream;
use hookscope::api::{ApiError, Client};
use hookscope::base::base_url::BaseUrl;
use hookscope::base::redact::ApiKey;
use hookscope::base::text::Safe;
use hookscope::config::{Config, Connection};
use hookscope::demo::{self, DemoOptions, DemoServer};
use hookscope::fetch::{Held, Source};
use hookscope::model::{RowRef, Rows};
use hookscope::probe::Trust;
use hookscope::tui::app::{App, Setup};
use hookscope::tui::events::{Ended, Explorer, PendingFrame};
use hookscope::tui::fetch_task::Fetch;
use hookscope::tui::history::History;
use hookscope::tui::job_runner::JobRunner;
use hookscope::tui::prober::Prober;
use hookscope::tui::terminal::console::{Console, ConsoleEvent};
use hookscope::tui::terminal::frame_limiter::FrameLimiter;
use hookscope::tui::terminal::input::Keyboard;
use hookscope::tui::terminal::screen::Screen;
use hookscope::tui::workers::Workers;
use hookscope::tui::workspaces::Workspaces;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::support::{moment, setup, text, with};

mod memory;
mod probes;
mod profiles;
mod rotation;
mod shrinking;

/// Nothing here takes as long; only a test that fails waits for so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A terminal made of channels.
struct TestConsole {
    events: mpsc::UnboundedReceiver<ConsoleEvent>,
    sent: Arc<Mutex<Vec<u8>>>,
    suspended: Arc<Mutex<u32>>,
    released: Arc<Mutex<Vec<String>>>,
    /// What happens while something else has the terminal.
    meanwhile: Vec<ConsoleEvent>,
    happen: mpsc::UnboundedSender<ConsoleEvent>,
}

impl Console for TestConsole {
    fn send(&self, bytes: &[u8]) {
        self.sent.lock().unwrap().extend_from_slice(bytes);
    }

    fn is_free(&self) -> bool {
        true
    }

    async fn event(&mut self, _frame_waits: bool) -> ConsoleEvent {
        match self.events.recv().await {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }

    async fn suspend(&mut self, _mouse: bool) -> Result<Option<u8>, &'static str> {
        *self.suspended.lock().unwrap() += 1;
        Ok(None)
    }

    fn release(&mut self, words: &Safe) {
        self.released.lock().unwrap().push(words.to_string());
        for event in self.meanwhile.drain(..) {
            self.happen.send(event).unwrap();
        }
    }

    fn retake(&mut self, _mouse: bool) {}
}

struct Keys(mpsc::UnboundedReceiver<Event>);

impl Stream for Keys {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(Ok))
    }
}

impl Keyboard for Keys {
    async fn pause(&mut self) {}

    fn resume(&mut self) {}
}

/// A running explorer, and the ends of its channels.
struct Running {
    explorer: Explorer<TestConsole, Keys>,
    keys: mpsc::UnboundedSender<Event>,
    console: mpsc::UnboundedSender<ConsoleEvent>,
    sent: Arc<Mutex<Vec<u8>>>,
    suspended: Arc<Mutex<u32>>,
    released: Arc<Mutex<Vec<String>>>,
    _server: Option<DemoServer>,
}

/// Writes a file that is the owner's alone.
fn write_private(path: &std::path::Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

async fn start(webhooks: u64) -> Running {
    let server = DemoServer::start(DemoOptions { webhooks, ..DemoOptions::default() }).await.unwrap();
    let base_url = BaseUrl::parse(&server.base_url()).unwrap();
    let connection = Config::demo_connection(base_url.clone(), ApiKey::new(demo::KEY).unwrap());
    let setup = with(setup(120, 40), |setup| setup.workspace.base_url = base_url);
    Running { _server: Some(server), ..run(setup, &connection, Workspaces::default()) }
}

fn run(setup: Setup, connection: &Connection, workspaces: Workspaces) -> Running {
    let settings = connection.api.clone().never_asking();
    run_from(setup, connection, workspaces, move || Ok(Source::from(Arc::new(Client::new(&settings)?))))
}

fn run_from(
    setup: Setup,
    connection: &Connection,
    workspaces: Workspaces,
    open: impl FnOnce() -> Result<Source, ApiError> + Send + 'static,
) -> Running {
    let app = App::new(setup, moment());
    let fetch = Fetch::start(open, connection.policy, Some(connection.api.clone()), &app);
    let (keys, pressed) = mpsc::unbounded_channel();
    let (console, happened) = mpsc::unbounded_channel();
    let (sent, suspended, released) = (Arc::default(), Arc::default(), Arc::default());
    let explorer = Explorer {
        workers: Workers::start().unwrap(),
        history: History::default(),
        store: |_| None,
        jobs: JobRunner::default(),
        screen: Screen::new(app.ui.size),
        app,
        console: TestConsole {
            events: happened,
            sent: Arc::clone(&sent),
            suspended: Arc::clone(&suspended),
            released: Arc::clone(&released),
            meanwhile: Vec::new(),
            happen: console.clone(),
        },
        input: Keys(pressed),
        fetch,
        workspaces,
        prober: Prober::new(|| Trust::new(None).map_err(|error| error.short())),
        multiplexer: None,
        pending: PendingFrame::Urgent,
        frame_limiter: FrameLimiter::default(),
        parting: PATIENCE,
    };
    Running { explorer, keys, console, sent, suspended, released, _server: None }
}

impl Running {
    fn press(&self, keys: &str) {
        for c in keys.chars() {
            self.keys.send(Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))).unwrap();
        }
    }

    /// Runs until a frame satisfies a condition.
    async fn until(&mut self, what: &str, seen: impl Fn(&str) -> bool) -> String {
        loop {
            self.explorer.draw();
            let frame = text(self.explorer.screen.shown());
            if seen(&frame) {
                return frame;
            }
            let advanced = tokio::time::timeout(PATIENCE, self.explorer.advance()).await;
            let ended = advanced.unwrap_or_else(|_| panic!("{what} is never seen:\n{frame}"));
            assert_eq!(ended.unwrap(), None, "it ended before {what} was seen:\n{frame}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_from_the_server_and_keys_move_over_them() {
    let mut running = start(1200).await;
    running.until("the first row", |frame| frame.contains("100 of 1,200")).await;
    let id = |row: RowRef<'_>| row.id().to_owned();
    let first = running.explorer.app.session.list.selected_row().map(id);
    running.press("jj");
    running.until("the third row", |frame| frame.contains("3/1,200")).await;
    assert_ne!(running.explorer.app.session.list.selected_row().map(id), first);
    running.press("G");
    let frame = running.until("the last row", |frame| frame.contains("1,200/1,200") && !frame.contains("loading")).await;
    assert!(frame.contains("200 of 1,200"), "{frame}");
    running.press("q");
    assert_eq!(running.explorer.run().await.unwrap(), Ended::Quit);
}

#[tokio::test(start_paused = true)]
async fn whatever_a_held_key_does_its_frames_wait_for_the_link() {
    let connection = Config::demo_connection(BaseUrl::default(), ApiKey::new(demo::KEY).unwrap());
    let held = Arc::new(Held::new(Rows::default()));
    let mut running = run_from(setup(120, 40), &connection, Workspaces::default(), move || Ok(Source::from(held)));
    running.press("?");
    let before = running.until("the help", |frame| frame.contains("move down, or")).await;
    let start = Instant::now();
    running.explorer.frame_limiter.sent(10_000, start);
    running.press("jjj");
    let after = running.until("the rest of the help", |frame| frame != before).await;
    assert_ne!(before, after);
    assert_eq!(start.elapsed(), Duration::from_millis(50), "the key is released, and the link is not free yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_come_from_a_thread_of_their_own() {
    let mut running = start(1200).await;
    running.until("a finding in the list", |frame| frame.contains("✗")).await;
    running.press("4");
    let frame = running.until("what nobody hears", |frame| frame.contains("uncovered-event")).await;
    assert!(frame.contains("insecure-url") && !frame.contains("auditing"), "{frame}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_webhooks_cost_two_pages() {
    let mut running = start(1_000_000).await;
    running.until("the first row", |frame| frame.contains("100 of 1,000,000")).await;
    running.press("G");
    running.until("the last row", |frame| frame.contains("200 of 1,000,000")).await;
    assert_eq!(running.explorer.app.session.list.lines.loaded(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_loaded_when_it_is_asked_for() {
    let mut running = start(1200).await;
    running.press("L");
    running.until("all rows", |frame| frame.contains("all 1,200")).await;
    assert!(running.explorer.app.session.list.lines.is_complete());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_is_what_the_server_says_it_is() {
    let mut running = start(1200).await;
    running.until("the first row", |frame| frame.contains(" 100 of 1,200")).await;
    running.press("aa");
    let frame = running.until("the inactive ones", |frame| frame.contains("inactive 100 of 180")).await;
    assert!(!frame.contains('●'), "{frame}");
}

#[tokio::test(flavor = "multi_thread")]
async fn copied_text_goes_to_the_terminal() {
    let mut running = start(10).await;
    running.until("the first row", |frame| frame.contains("all 10")).await;
    running.press("yi");
    running.until("the notice", |frame| frame.contains("copied id ")).await;
    let sent = String::from_utf8(running.sent.lock().unwrap().clone()).unwrap();
    let (_, copied) = sent.split_once("\x1b]52;c;").unwrap_or_else(|| panic!("nothing was copied: {sent:?}"));
    assert!(copied.contains('\x07'), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_and_a_vanished_terminal_end_it() {
    for (event, ended) in [(ConsoleEvent::Signal(15), Ended::Signal(15)), (ConsoleEvent::Vanished, Ended::Vanished)] {
        let mut running = start(10).await;
        running.console.send(event).unwrap();
        assert_eq!(running.explorer.run().await.unwrap(), ended);
    }
    let mut running = start(10).await;
    let (keys, _) = mpsc::unbounded_channel();
    running.keys = keys;
    assert_eq!(running.explorer.run().await.unwrap(), Ended::Vanished, "no more input can come");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_ends_with_a_full_redraw() {
    let mut running = start(10).await;
    let before = running.until("the rows", |frame| frame.contains("all 10")).await;
    running.keys.send(Event::Key(KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL))).unwrap();
    let suspended = Arc::clone(&running.suspended);
    running.until("the suspension", |_| *suspended.lock().unwrap() == 1).await;
    let after = running.until("the rows again", |frame| frame.contains("all 10")).await;
    assert_eq!(before, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_fetch_task_ends_it() {
    let mut running = start(10).await;
    running.explorer.fetch.task.abort();
    assert_eq!(running.explorer.run().await.unwrap(), Ended::Panicked);
}
