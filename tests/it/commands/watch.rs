//! `hookscope watch`: a line a change, whatever happens to the API, until a signal comes or nobody reads.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use super::{Ended, Home, ONCE};
use crate::faults::server::{Envelope, Log, Reply, Server, row};

/// How long a line, or the end, is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Rows as they are now, and what is answered for a single one.
#[derive(Debug, Default)]
struct State {
    rows: Vec<String>,
    hidden: Vec<String>,
    down: bool,
    refused: bool,
    /// Counts what was asked for by id.
    by_id: Option<&'static str>,
    /// Nothing is listed, and a gateway answers for single ones.
    glitch: bool,
}

struct Watching {
    state: Arc<Mutex<State>>,
    server: Server,
    home: Home,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

async fn api(state: &Arc<Mutex<State>>) -> Server {
    let state = Arc::clone(state);
    Server::start(move |request| {
        let state = state.lock().unwrap();
        if state.down {
            return Reply::status("503 Service Unavailable", "{}");
        }
        if state.refused {
            return Reply::status("401 Unauthorized", "{}");
        }
        if state.glitch && request.page() == 0 {
            return Reply::status("404 Not Found", "<html><h1>404 Not Found</h1></html>");
        }
        if request.page() > 0 {
            let nothing = Vec::new();
            let rows = if state.glitch { &nothing } else { &state.rows };
            return Reply::json(Envelope::Seed.wrap(&rows.join(","), 1, 100, &rows.len().to_string()));
        }
        if let Some(status) = state.by_id {
            return Reply::status(status, "{}");
        }
        let id = request.target.rsplit('/').next().unwrap_or_default();
        let found = state.hidden.iter().find(|row| row.contains(&format!("\"id\":\"{id}\"")));
        found.map_or_else(Reply::not_found, |row| Reply::json(row.clone()))
    })
    .await
}

impl Watching {
    async fn start(rows: &[u64], arguments: &[&str]) -> Self {
        let state = Arc::new(Mutex::new(State { rows: rows.iter().map(|&n| row(n)).collect(), ..State::default() }));
        Self::of(state, arguments).await
    }

    async fn of(state: Arc<Mutex<State>>, arguments: &[&str]) -> Self {
        let (server, home) = (api(&state).await, Home::with_config(ONCE));
        let command = [&["watch", "--every", "1"], arguments].concat();
        let mut child = home.at(&server.base_url(), &command).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { state, server, home, child, lines }
    }

    /// Waits until the workspace was read so often.
    async fn reads(&self, times: usize) {
        self.server.until(|log| log.pages().iter().filter(|&&page| page == 1).count() > times).await;
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    async fn line(&mut self) -> serde_json::Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.unwrap().unwrap();
        serde_json::from_str(&line.unwrap()).unwrap()
    }

    async fn kind_and_id(&mut self) -> (String, String) {
        let line = self.line().await;
        (line["kind"].as_str().unwrap().to_owned(), line["id"].as_str().unwrap_or("-").to_owned())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id().unwrap().cast_signed()).unwrap(), signal).unwrap();
    }

    async fn end(mut self, signal: Signal) -> Ended {
        self.signal(signal);
        let ended = async {
            while self.lines.next_line().await.unwrap().is_some() {}
            Ended::from(&self.child.wait_with_output().await.unwrap())
        };
        // Where tests run with the signal ignored, so does what they start.
        tokio::time::timeout(PATIENCE, ended).await.unwrap_or_else(|_| panic!("signal {signal:?} does not end it"))
    }
}

fn pair(kind: &str, id: &str) -> (String, String) {
    (kind.to_owned(), id.to_owned())
}

#[tokio::test]
async fn each_change_is_a_line_at_once() {
    let mut watching = Watching::start(&[0, 1], &[]).await;
    watching.reads(1).await;
    let changed = row(1).replace("call.completed", "call.failed");
    watching.change(|state| state.rows = vec![changed.clone(), row(2)]);
    let mut found = Vec::new();
    for _ in 0..3 {
        let line = watching.line().await;
        let time = line["time"].as_str().unwrap();
        assert!(time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(), "{time}");
        found.push((line["kind"].as_str().unwrap().to_owned(), line["before"].clone(), line["after"].clone()));
    }
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let null = serde_json::Value::Null;
    let expected = [
        ("added", null.clone(), value(&row(2))),
        ("removed", value(&row(0)), null),
        ("changed", value(&row(1)), value(&changed)),
    ];
    assert_eq!(found, expected.map(|(kind, before, after)| (kind.to_owned(), before, after)));
    let ended = watching.end(Signal::TERM).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(143), ""));
}

#[tokio::test]
async fn a_failure_is_told_when_it_begins_and_when_it_ends() {
    let mut watching = Watching::start(&[0], &[]).await;
    watching.reads(1).await;
    watching.change(|state| state.down = true);
    let failing = watching.line().await;
    assert_eq!(failing["kind"], "failing");
    assert!(failing["reason"].as_str().unwrap().contains("503"), "{failing}");
    let asked = watching.server.log().pages().len();
    watching.server.until(|log| log.pages().len() > asked + 1).await;
    watching.change(|state| {
        state.down = false;
        state.rows.push(row(1));
    });
    // One line only, however often it failed.
    assert_eq!(watching.kind_and_id().await, pair("recovered", "-"));
    assert_eq!(watching.kind_and_id().await, pair("added", "w1"));
    let ended = watching.end(Signal::INT).await;
    ended.says(130, &["; retrying"]);
}

#[tokio::test]
async fn a_rotated_key_is_read_again_and_used_at_once() {
    for source in ["api_key_file = 'KEY'", "api_key_command = ['cat', 'KEY']"] {
        let accepted = Arc::new(Mutex::new("id:first-key".to_owned()));
        let refused = Arc::new(Mutex::new(Vec::new()));
        let (valid, refusals) = (Arc::clone(&accepted), Arc::clone(&refused));
        let server = Server::start(move |request| {
            let key = request.header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
            if key == *valid.lock().unwrap() {
                return Reply::json(Envelope::Seed.wrap(&row(1), 1, 100, "1"));
            }
            refusals.lock().unwrap().push(key.to_owned());
            Reply::status("401 Unauthorized", "{}")
        })
        .await;
        let home = Home::new();
        let path = home.write("key", "id:first-key");
        let source = source.replace("KEY", &path.to_string_lossy());
        home.write("config/hookscope/config.toml", format!("{source}\nbase_url = \"{}\"\n{ONCE}", server.base_url()));
        let mut child = home.command(&["watch", "--every", "1"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let good = |log: &Log, key: &str| {
            log.requests().filter(|request| request.header("authorization").unwrap().ends_with(key)).count()
        };
        server.until(|log| log.requests().count() > 1).await;
        // The source first: one request is refused, and not one round fails.
        home.write("key", "id:second-key");
        "id:second-key".clone_into(&mut accepted.lock().unwrap());
        server.until(|log| good(log, "second-key") > 2).await;
        assert_eq!(*refused.lock().unwrap(), ["id:first-key"]);
        // The API first: it recovers as soon as the source has the new key.
        "id:third-key".clone_into(&mut accepted.lock().unwrap());
        let line: serde_json::Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        assert_eq!(line["kind"], "failing");
        assert!(line["reason"].as_str().unwrap().contains("401"), "{line}");
        home.write("key", "id:third-key");
        let line: serde_json::Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        assert_eq!(line["kind"], "recovered");
        server.until(|log| good(log, "third-key") > 2).await;
        child.kill().await.unwrap();
        // No key is used again once there is another one.
        let log = server.log();
        let mut keys: Vec<_> = log.requests().map(|request| request.header("authorization").unwrap()).collect();
        keys.dedup();
        assert_eq!(keys, ["Bearer id:first-key", "Bearer id:second-key", "Bearer id:third-key"]);
        assert_eq!(refused.lock().unwrap().iter().filter(|key| *key == "id:first-key").count(), 1);
    }
}

#[tokio::test]
async fn an_api_that_is_down_at_the_start_is_waited_for_but_a_refused_key_is_not() {
    let state = Arc::new(Mutex::new(State { down: true, ..State::default() }));
    let mut watching = Watching::of(state, &[]).await;
    assert_eq!(watching.kind_and_id().await, pair("failing", "-"));
    watching.change(|state| {
        state.down = false;
        state.rows.push(row(1));
    });
    // What is there at the first read is no change.
    assert_eq!(watching.kind_and_id().await, pair("recovered", "-"));
    watching.change(|state| state.refused = true);
    assert_eq!(watching.kind_and_id().await, pair("failing", "-"));
    assert_eq!(watching.end(Signal::TERM).await.code, Some(143));

    let state = Arc::new(Mutex::new(State { refused: true, ..State::default() }));
    let refused = Watching::of(state, &[]).await;
    Ended::from(&refused.child.wait_with_output().await.unwrap()).says(3, &["401"]);
}

#[tokio::test]
async fn what_a_listing_leaves_out_is_gone_only_when_it_is_not_found() {
    let mut watching = Watching::start(&[0, 1, 2], &[]).await;
    watching.reads(1).await;
    // It is there, though not listed: no word of it.
    watching.change(|state| {
        state.hidden = vec![state.rows.remove(0)];
        state.rows.push(row(3));
    });
    assert_eq!(watching.kind_and_id().await, pair("added", "w3"));
    // Nobody knows.
    watching.change(|state| {
        state.by_id = Some("500 Internal Server Error");
        state.rows.retain(|listed| *listed != row(1));
        state.rows.push(row(4));
    });
    assert_eq!(watching.kind_and_id().await, pair("unknown", "w0"));
    assert_eq!(watching.kind_and_id().await, pair("unknown", "w1"));
    assert_eq!(watching.kind_and_id().await, pair("added", "w4"));
    // Told once; then it is known.
    let asked = watching.server.log().pages().len();
    watching.server.until(|log| log.pages().len() > asked + 4).await;
    watching.change(|state| state.by_id = None);
    assert_eq!(watching.kind_and_id().await, pair("removed", "w1"));
    watching.change(|state| state.hidden.clear());
    assert_eq!(watching.kind_and_id().await, pair("removed", "w0"));
    assert_eq!(watching.end(Signal::TERM).await.code, Some(143));
}

#[tokio::test]
async fn a_glitch_of_a_gateway_is_no_removal() {
    let all: Vec<u64> = (0..90).collect();
    let mut watching = Watching::start(&all, &[]).await;
    watching.reads(1).await;
    watching.change(|state| state.glitch = true);
    for _ in 0..90 {
        assert_eq!(watching.line().await["kind"], "unknown");
    }
    watching.change(|state| {
        state.glitch = false;
        state.rows.push(row(200));
    });
    assert_eq!(watching.kind_and_id().await, pair("added", "w200"));
    assert_eq!(watching.end(Signal::TERM).await.code, Some(143));
}

#[tokio::test]
async fn it_can_begin_with_what_is_remembered_and_leave_fields_out() {
    let state = Arc::new(Mutex::new(State { rows: vec![row(0), row(1)], ..State::default() }));
    let (server, home) = (api(&state).await, Home::with_config(ONCE));
    home.write("old.json", format!("[{},{}]", row(0).replace("/0", "/old"), row(1).replace("call.completed", "x")));
    let arguments = ["watch", "--every", "1", "--since", "old.json", "--ignore", "events"];
    let mut child = home.at(&server.base_url(), &arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line: serde_json::Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!((&line["kind"], &line["id"]), (&"changed".into(), &"w0".into()));
    server.until(|log| log.pages().len() > 2).await;
    kill_process(Pid::from_raw(child.id().unwrap().cast_signed()).unwrap(), Signal::TERM).unwrap();
    assert_eq!(lines.next_line().await.unwrap(), None);
    assert_eq!(Ended::from(&child.wait_with_output().await.unwrap()).code, Some(143));
}

#[tokio::test]
async fn a_closed_pipe_ends_it_in_silence_even_when_nothing_changes() {
    let Watching { lines, child, server: _server, home: _home, .. } = Watching::start(&[0], &[]).await;
    drop(lines);
    let ended = Ended::from(&child.wait_with_output().await.unwrap());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_reader_that_does_not_read_keeps_no_signal_from_ending_it() {
    // More than any pipe takes.
    let rows: Vec<_> = (0..100).map(|n| row(n).replace("/hooks", &format!("/{}", "x".repeat(20_000)))).collect();
    let long: Vec<_> =
        rows.iter().map(|row| row.replacen("https://", &format!("https://{}.", "y".repeat(20_000)), 1)).collect();
    let state = Arc::new(Mutex::new(State { rows: Vec::new(), ..State::default() }));
    let watching = Watching::of(state, &[]).await;
    watching.reads(1).await;
    watching.change(|state| state.rows = long);
    watching.reads(2).await;
    // It writes now, and nobody reads.
    let pid = watching.child.id().unwrap();
    let blocked = async {
        while std::fs::read_to_string(format!("/proc/{pid}/wchan")).is_ok_and(|name| name.is_empty()) {
            tokio::task::yield_now().await;
        }
    };
    drop(tokio::time::timeout(Duration::from_millis(500), blocked).await);
    watching.signal(Signal::TERM);
    let Watching { mut child, lines, server: _server, home: _home, .. } = watching;
    let status = tokio::time::timeout(Duration::from_secs(10), child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(143));
    drop(lines);
}

#[tokio::test]
async fn a_full_disk_is_an_error() {
    let state = Arc::new(Mutex::new(State { rows: vec![row(0)], ..State::default() }));
    let (server, home) = (api(&state).await, Home::with_config(ONCE));
    home.write("old.json", "[]");
    let mut command = home.at(&server.base_url(), &["watch", "--every", "1", "--since", "old.json"]);
    command.stdout(Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap()));
    Ended::of(command).await.says(4, &["cannot write the output"]);
}

#[tokio::test]
async fn what_cannot_be_watched_is_refused() {
    let home = Home::new();
    home.write("w.json", "[]");
    for arguments in [
        &["watch", "--from", "w.json"] as &[&str],
        &["watch", "--cached"],
        &["watch", "--since", "live"],
        &["watch", "--since", "nothing"],
        &["watch", "--every", "0"],
        &["watch", "--every", "86401"],
        &["watch", "--filter", "created:x"],
    ] {
        home.run(arguments).await.refusal(2);
    }
}
