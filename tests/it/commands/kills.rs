//! A writer that is killed at any moment: the cache is the old listing or the new one, and the history loses nothing.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hookscope::cache::Store;
use hookscope::model::{Interner, RowRef, Rows};
use hookscope::snapshot::STORED_PAGE;
use rustix::process::{Pid, Signal, kill_process};

use super::{Ended, Home, ONCE};
use crate::faults::server::{Envelope, Reply, Server};

/// Rows a listing; with their padding a good deal to write.
const ROWS: usize = 100;

/// The row of one version of the workspace.
fn row(number: usize, version: u64) -> String {
    let padding = "x".repeat(3_000);
    format!(r#"{{"id":"w{number:03}","url":"https://hooks.example.com/{version}","padding":"{padding}"}}"#)
}

/// A workspace all of whose webhooks change together, and a home where it is remembered.
struct Place {
    home: Home,
    server: Server,
    version: Arc<AtomicU64>,
}

impl Place {
    async fn new() -> Self {
        let version = Arc::new(AtomicU64::new(0));
        let current = Arc::clone(&version);
        let server = Server::start(move |_| {
            let version = current.load(Ordering::SeqCst);
            let rows: Vec<_> = (0..ROWS).map(|number| row(number, version)).collect();
            Reply::json(Envelope::Seed.wrap(&rows.join(","), 1, 100, &ROWS.to_string()))
        })
        .await;
        Self { home: Home::with_config(ONCE), server, version }
    }

    fn writer(&self) -> tokio::process::Command {
        self.home.at(&self.server.base_url(), &["list", "-o", "ids", "-q"])
    }

    fn store(&self) -> Store {
        let directory = self.home.path("cache/hookscope");
        let names = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
        let cache: PathBuf = names.into_iter().find(|path| path.extension().is_some_and(|name| name == "cache")).unwrap();
        let name = cache.file_stem().unwrap().to_str().unwrap().to_owned();
        Store::new(directory, &self.home.path("state/hookscope/history"), name)
    }
}

/// The one version that all rows of a whole listing are of.
fn version_of(rows: &Rows) -> u64 {
    assert_eq!(rows.webhooks().count(), ROWS);
    let version = |row: RowRef<'_>| row.url().rsplit('/').next().unwrap().parse::<u64>().unwrap();
    let mut versions: Vec<_> = rows.webhooks().map(version).collect();
    versions.dedup();
    assert_eq!(versions.len(), 1, "{versions:?}");
    versions.first().copied().unwrap()
}

/// Kills so many writers. Returns how many of them wrote nothing, and how many the history and not the cache.
async fn kill(times: u64) -> (u64, u64) {
    let place = Place::new().await;
    let started = Instant::now();
    Ended::of(place.writer()).await.data();
    let mut usual = started.elapsed();
    let store = place.store();
    let now = jiff::Timestamp::MAX;
    let (mut cached, mut kept) = (0, store.history().len());
    let (mut early, mut between) = (0, 0);
    for _ in 0..times {
        let version = place.version.fetch_add(1, Ordering::SeqCst) + 1;
        let mut child = place.writer().spawn().unwrap();
        // Most moments are those towards the end, when it writes.
        let moment = usual.mul_f64(0.6 + 0.6 * fastrand::f64());
        let ended = tokio::time::timeout(moment, child.wait()).await.is_ok();
        child.kill().await.unwrap_or_default();
        // A machine that has more or less to do than before moves that end.
        usual = usual.mul_f64(if ended { 0.98 } else { 1.01 });
        let found = version_of(&store.read(&Interner::default(), now).unwrap().unwrap().rows);
        assert!(found == cached || found == version, "version {found} after {cached} and before {version}");
        let history = store.history();
        assert!(history.len() >= kept.min(190), "{} snapshots after {kept}", history.len());
        let last = history.last().unwrap();
        let newest = version_of(&last.read(&Interner::default(), STORED_PAGE).unwrap());
        assert!(newest >= found && newest <= version);
        early += u64::from(newest < version);
        between += u64::from(newest != found);
        (cached, kept) = (found, history.len());
    }
    // One that is not killed cleans up behind the others, and writes what they could not.
    place.version.fetch_add(1, Ordering::SeqCst);
    tokio::time::timeout(Duration::from_secs(20), Ended::of(place.writer())).await.unwrap().data();
    assert_eq!(version_of(&store.read(&Interner::default(), now).unwrap().unwrap().rows), times + 1);
    (early, between)
}

#[tokio::test]
async fn a_killed_writer_leaves_the_old_listing_or_the_new_one() {
    // At which moments they are killed is chance, and how fast the machine is; what must hold holds at each.
    kill(30).await;
}

#[tokio::test]
#[ignore = "takes some minutes"]
async fn a_writer_that_is_killed_a_thousand_times_loses_nothing() {
    let (early, between) = kill(1_000).await;
    // Else the moments would have been none.
    assert!(early > 0 && early < 1_000 && between > 0, "{early} early, {between} between");
}

#[tokio::test]
async fn a_writer_that_is_interrupted_leaves_nothing_beside_its_file() {
    let place = Place::new().await;
    let padding = "x".repeat(20_000);
    let rows: Vec<_> = (0..ROWS).map(|number| format!(r#"{{"id":"{number}","url":"u","padding":"{padding}"}}"#)).collect();
    place.home.write("large.json", format!("[{}]", rows.join(",")));
    let unfinished = || {
        let names = std::fs::read_dir(place.home.path("out")).into_iter().flatten();
        names.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".hookscope-")).count()
    };
    std::fs::create_dir(place.home.path("out")).unwrap();
    let mut interrupted = 0;
    for (signal, number) in [(Signal::TERM, 15), (Signal::INT, 2), (Signal::HUP, 1)] {
        let mut child = place.home.command(&["snapshot", "--from", "large.json", "out/file.json"]).spawn().unwrap();
        let pid = Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
        let begun = async {
            while unfinished() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), begun).await.unwrap();
        kill_process(pid, signal).unwrap();
        let status = child.wait().await.unwrap();
        // On a fast disk it may have come to its end.
        assert!(status.signal() == Some(number) || status.success(), "{status}");
        interrupted += usize::from(status.signal() == Some(number));
        assert_eq!(unfinished(), 0, "after {signal:?}");
    }
    assert!(interrupted > 0, "each of them came to its end");
    // What is killed cannot clean up: the next one does.
    std::fs::write(place.home.path("out/.hookscope-a1B2c3.tmp"), "half").unwrap();
    place.home.run(&["snapshot", "--from", "large.json", "out/file.json"]).await.data();
    assert_eq!(unfinished(), 0);
    assert_eq!(std::fs::read_dir(place.home.path("out")).unwrap().count(), 1);
}
