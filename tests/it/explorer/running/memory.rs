//! The cache through the real loop: written at the end, shown at the next start, and what is gone asked for.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use hookscope::base::base_url::BaseUrl;
use hookscope::base::clock::Moment;
use hookscope::base::files::Existing;
use hookscope::base::redact::ApiKey;
use hookscope::cache::{CachedListing, Store};
use hookscope::config::Config;
use hookscope::demo::{self, DemoOptions, DemoServer};
use hookscope::fetch::FetchEvent;
use hookscope::model::{Interner, Rows};
use hookscope::output::Format;
use hookscope::tui::events::Ended;
use hookscope::tui::job_id::{JobId, SessionId};
use hookscope::tui::jobs::{ChosenRows, ExportTask, Job, Task};
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::terminal::console::ConsoleEvent;
use hookscope::tui::workspaces::Workspaces;

use super::{Running, run};
use crate::support::{SentPage, moment, page, rows_of, setup, webhook, with};

fn id(number: u64) -> JobId {
    JobId { session: SessionId::default(), number }
}

fn explorer(base_url: &BaseUrl, store: &Store) -> Running {
    let mut connection = Config::demo_connection(base_url.clone(), ApiKey::new(demo::KEY).unwrap());
    connection.policy.retries = 0;
    let setup = with(setup(120, 40), |setup| {
        setup.workspace.base_url = base_url.clone();
        setup.workspace.store = Some(store.clone());
    });
    run(setup, &connection, Workspaces::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_is_shown_at_the_next_start_when_the_api_is_gone() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path().join("cache"), &home.path().join("history"), "w".to_owned());
    let server = DemoServer::start(DemoOptions { webhooks: 250, ..DemoOptions::default() }).await.unwrap();
    let base_url = BaseUrl::parse(&server.base_url()).unwrap();
    let mut running = explorer(&base_url, &store);
    running.explorer.begin().await.unwrap();
    running.press("L");
    running.until("all of them", |frame| frame.contains("all 250")).await;
    running.press("q");
    let ended = loop {
        if let Some(ended) = running.explorer.advance().await.unwrap() {
            break ended;
        }
    };
    assert_eq!(ended, Ended::Quit);
    running.explorer.part().await.unwrap();
    assert_eq!(store.history().len(), 1, "the end waits for it");
    drop(server);
    let mut running = explorer(&base_url, &store);
    running.explorer.begin().await.unwrap();
    let frame = running.until("the cache", |frame| frame.contains("list cached")).await;
    assert!(frame.contains("all 250 cached"), "{frame}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_listed_any_more_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path().join("cache"), &home.path().join("history"), "w".to_owned());
    let before = rows_of(&[webhook(1), webhook(2)]);
    let earlier = Moment::now().wall - Duration::from_hours(2);
    store.keep(&before, earlier, earlier, &BTreeSet::new()).unwrap();
    let server = DemoServer::start(DemoOptions { webhooks: 3, ..DemoOptions::default() }).await.unwrap();
    let mut running = explorer(&BaseUrl::parse(&server.base_url()).unwrap(), &store);
    running.explorer.begin().await.unwrap();
    running.press("5");
    running.until("what came and went", |frame| frame.contains("since you last looked, 2h ago: +3 -2")).await;
}

/// A job that begins when it is told to.
fn later(running: &mut Running, job: Job) -> std::sync::mpsc::Sender<()> {
    let (begin, wait) = std::sync::mpsc::channel();
    running.explorer.jobs.start_with(job, move |job| {
        let _begun = wait.recv();
        job.run(&|| true)
    });
    begin
}

fn unreachable_explorer(store: &Store) -> Running {
    explorer(&BaseUrl::parse("http://127.0.0.1:9").unwrap(), store)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_waits_for_what_is_written_of_another_workspace() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path().join("cache"), &home.path().join("history"), "w".to_owned());
    let mut running = unreachable_explorer(&store);
    let past = Arc::new(CachedListing { rows: Rows::new(100), read_at: moment().wall });
    let task = Task::Keep { store: store.clone(), past, last: None, removed: BTreeSet::new(), now: moment().wall };
    // Its number is that of a job whose answer nobody takes any more.
    let begin = later(&mut running, Job { id: id(0), task });
    let (parted, ()) = tokio::join!(running.explorer.part(), async { begin.send(()).unwrap() });
    parted.unwrap();
    assert_eq!((running.explorer.jobs.is_caching(), store.history().len()), (false, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_what_was_read_while_something_was_written_is_written_too() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path().join("cache"), &home.path().join("history"), "w".to_owned());
    let mut running = unreachable_explorer(&store);
    let interner = Interner::default();
    let read = |running: &mut Running, count: u64| {
        let app = &mut running.explorer.app;
        let page = SentPage { total: Some(count), ..page(1, 0..count, None) };
        let (generation, page) = (app.session.demand().generation, page.pack(&interner));
        app.update(Message::Fetch(FetchEvent::Loaded { generation, page }), Moment::now())
    };
    let effects = read(&mut running, 5);
    let keeps = effects.into_iter().find_map(|effect| match effect {
        Effect::Run(job) if matches!(job.task, Task::Keep { .. }) => Some(*job),
        _ => None,
    });
    let begin = later(&mut running, keeps.unwrap());
    let refresh = KeyEvent::new(KeyCode::Char('r'), KeyModifiers::NONE);
    running.explorer.app.update(Message::Key(refresh), Moment::now());
    read(&mut running, 6);
    let (parted, ()) = tokio::join!(running.explorer.part(), async { begin.send(()).unwrap() });
    parted.unwrap();
    assert_eq!(store.read(&Interner::default(), jiff::Timestamp::MAX).unwrap().unwrap().rows.count(), 6);
}

/// An export that begins when it is told to, or that nobody waits for any more.
fn export(running: &mut Running, path: PathBuf) -> std::sync::mpsc::Sender<()> {
    let rows = ChosenRows { rows: rows_of(&page(1, 0..2_000, None).rows), order: None, only: None };
    let export =
        ExportTask { rows, format: Format::Json, path, existing: Existing::Stays, now: moment().wall, marked: None };
    let job = Job { id: id(1), task: Task::Export(export) };
    let (begin, wait) = std::sync::mpsc::channel();
    let is_stopped = running.explorer.jobs.stopped();
    running.explorer.jobs.start_with(job, move |job| {
        while !is_stopped.load(Ordering::Relaxed) && wait.try_recv().is_err() {
            std::thread::yield_now();
        }
        job.run(&|| !is_stopped.load(Ordering::Relaxed))
    });
    begin
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_was_asked_for_is_finished_before_the_end() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path().join("cache"), &home.path().join("history"), "w".to_owned());
    let mut running = unreachable_explorer(&store);
    let path = home.path().join("a.json");
    let begin = export(&mut running, path.clone());
    let (parted, ()) = tokio::join!(running.explorer.part(), async { begin.send(()).unwrap() });
    parted.unwrap();
    assert!(path.exists());
    // Nothing is lost in silence.
    let mut running = unreachable_explorer(&store);
    let begin = export(&mut running, path.clone());
    let (parted, ()) = tokio::join!(running.explorer.part(), async { begin.send(()).unwrap() });
    assert!(parted.unwrap_err().to_string().contains("a.json: this file exists, nothing was written"));
    // A signal ends the wait, whatever else happens to the terminal, and nothing half is left.
    let mut running = unreachable_explorer(&store);
    let begin = export(&mut running, home.path().join("b.json"));
    running.console.send(ConsoleEvent::Resized).unwrap();
    running.console.send(ConsoleEvent::Signal(2)).unwrap();
    let why = running.explorer.part().await.unwrap_err();
    assert!(why.to_string().contains("b.json: stopped before everything was written"), "{why}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "the first one");
    drop(begin);
}
