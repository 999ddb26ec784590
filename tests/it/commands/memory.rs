//! What is remembered: the cache, the history, and what a broken place for them does to a command (nothing).

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::{Ended, Home, ONCE, serving};
use crate::faults::server::{Listing, Reply, SECRET, Server, nobody, rows};

const A: &str =
    r#"{"id":"a","url":"https://a.example.com","events":["e"],"is_active":true,"created_at":"2024-01-01T00:00:00.000Z"}"#;
const A2: &str =
    r#"{"id":"a","url":"https://a.example.com/2","events":["e"],"is_active":true,"created_at":"2024-01-01T00:00:00.000Z"}"#;
const B: &str = r#"{"id":"b","url":"https://b.example.com","secret":"whsec_0123"}"#;

/// A server whose rows can be changed under one address.
struct Changing {
    server: Server,
    rows: std::sync::Arc<std::sync::Mutex<Option<String>>>,
}

impl Changing {
    async fn new(rows: &str) -> Self {
        let rows = std::sync::Arc::new(std::sync::Mutex::new(Some(rows.to_owned())));
        let shared = std::sync::Arc::clone(&rows);
        let server = Server::start(move |request| {
            let Some(rows) = shared.lock().unwrap().clone() else {
                return Reply::status("503 Service Unavailable", "{}");
            };
            if request.page() == 0 {
                return Reply::status("404 Not Found", "{}");
            }
            let count = serde_json::from_str::<Vec<serde_json::Value>>(&format!("[{rows}]")).unwrap().len();
            Reply::json(format!(r#"{{"data":[{rows}],"meta":{{"page":1,"limit":100,"total":{count}}}}}"#))
        })
        .await;
        Self { server, rows }
    }

    fn set(&self, rows: Option<&str>) {
        *self.rows.lock().unwrap() = rows.map(str::to_owned);
    }

    async fn run(&self, home: &Home, arguments: &[&str]) -> Ended {
        Ended::of(home.at(&self.server.base_url(), arguments)).await
    }
}

/// Every file below a directory, and its text.
fn below(directory: PathBuf) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(below(path));
        } else {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

fn cache_file(home: &Home) -> PathBuf {
    let files = below(home.path("cache"));
    files.into_iter().map(|(path, _)| path).find(|path| path.extension().is_some_and(|name| name == "cache")).unwrap()
}

#[tokio::test]
async fn every_full_read_is_cached_and_used_when_asked_for() {
    for command in [&["list"] as &[&str], &["snapshot"], &["events"], &["diff", "empty.json"]] {
        let (home, api) = (Home::with_config(ONCE), Changing::new(&format!("{A},{B}")).await);
        home.write("empty.json", "[]");
        api.run(&home, command).await;
        api.set(None);
        let ended = api.run(&home, &["list", "-o", "ids"]).await;
        ended.says(4, &["--cached reads what there was at 20"]);
        assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("", 2), "{}", ended.stderr);
        let cached = api.run(&home, &["list", "-o", "ids", "--cached"]).await;
        cached.says(0, &["from the cache, as it was"]);
        assert_eq!((cached.stdout.as_str(), cached.stderr.lines().count()), ("a\nb\n", 1), "{command:?}");
        assert_eq!(
            api.run(&home, &["--cached", "get", "b", "-o", "json"]).await.stdout,
            "{\"id\":\"b\",\"url\":\"https://b.example.com\"}\n"
        );
        assert_eq!(
            api.run(&home, &["snapshot", "--cached", "-q"]).await.data(),
            format!("[\n{A},\n{{\"id\":\"b\",\"url\":\"https://b.example.com\"}}\n]\n")
        );
        assert_eq!(
            api.run(&home, &["list", "--cached", "-q", "-o", "ndjson", "--limit", "1"]).await.data(),
            format!("{A}\n")
        );
    }
}

#[tokio::test]
async fn a_part_is_never_cached() {
    let part = Server::start(|request| match request.page() {
        2 => Reply::status("500 Internal Server Error", "{}"),
        _ => Listing::of(230).reply(request),
    })
    .await;
    for (server, arguments) in [
        (&part, &["list"] as &[&str]),
        (&serving(A).await, &["list", "--scope", "active"]),
        (&serving(A).await, &["list", "--limit", "1"]),
        (&serving(A).await, &["list", "--filter", "a"]),
        (&serving(A).await, &["get", "a"]),
    ] {
        let home = Home::with_config(ONCE);
        Ended::of(home.at(&server.base_url(), arguments)).await;
        let ended = Ended::of(home.at(&server.base_url(), &["list", "--cached"])).await;
        assert!(ended.refusal(4).contains("there is no cache of it"), "{arguments:?}");
    }
}

#[tokio::test]
async fn files_and_the_demo_leave_nothing_behind() {
    let home = Home::new();
    home.write("w.json", format!("[{A}]"));
    home.run(&["list", "--from", "w.json"]).await.data();
    home.run(&["--demo", "snapshot", "d.json", "-q"]).await.data();
    assert_eq!((below(home.path("cache")), below(home.path("state"))), (vec![], vec![]));
    for option in ["--demo", "--from=w.json"] {
        home.run(&[option, "history"]).await.refusal(2);
        home.run(&[option, "list", "--cached"]).await.refusal(2);
        home.run(&[option, "diff", "2h"]).await.refusal(2);
    }
    home.run(&["--cached"]).await.refusal(2);
}

#[tokio::test]
async fn neither_key_nor_secret_is_written_and_nobody_else_may_read() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(&format!("{A},{B}")).await);
    api.run(&home, &["list"]).await.data();
    let files = [below(home.path("cache")), below(home.path("state"))].concat();
    assert_eq!(files.len(), 3, "{files:?}");
    for (path, text) in files {
        assert!(!text.contains(SECRET) && !text.contains("whsec") && !text.contains("key_of_tests"), "{text}");
        assert!(!path.to_string_lossy().contains("key_of_tests"));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[tokio::test]
async fn one_workspace_is_never_shown_under_anothers_name() {
    let home = Home::with_config(ONCE);
    let (one, other) = (serving(A).await, serving(B).await);
    Ended::of(home.at(&one.base_url(), &["list"])).await.data();
    Ended::of(home.at(&other.base_url(), &["list", "--cached"])).await.refusal(4);
    let mut another_key = home.at(&one.base_url(), &["list", "--cached"]);
    another_key.env("DIALNEXA_API_KEY", "another:secret");
    Ended::of(another_key).await.refusal(4);
}

#[tokio::test]
async fn a_read_that_finds_no_change_writes_nothing() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(&format!("{A},{B}")).await);
    api.run(&home, &["list"]).await.data();
    let inode = || std::os::unix::fs::MetadataExt::ino(&cache_file(&home).metadata().unwrap());
    let before = (inode(), below(home.path("state")));
    api.run(&home, &["snapshot"]).await.data();
    assert_eq!((inode(), below(home.path("state"))), before);
}

#[tokio::test]
async fn the_history_lists_what_changed_and_diff_finds_it_by_time() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
    assert_eq!(api.run(&home, &["history", "-o", "json"]).await.data(), "[]\n");
    api.run(&home, &["diff", "yesterday"]).await.says(4, &["there is no history of it yet"]);
    api.run(&home, &["list"]).await.data();
    api.set(Some(&format!("{A2},{B}")));
    api.run(&home, &["list"]).await.data();
    api.run(&home, &["list"]).await.data();
    let history = api.run(&home, &["history", "-o", "json"]).await;
    let history: Vec<serde_json::Value> = serde_json::from_str(history.data()).unwrap();
    let facts: Vec<_> =
        history.iter().map(|kept| ["webhooks", "added", "removed", "changed"].map(|field| kept[field].as_u64())).collect();
    assert_eq!(facts, [[Some(2), Some(1), Some(0), Some(1)], [Some(1), None, None, None]]);
    // Each is a snapshot like any other.
    let first = history[1]["path"].as_str().unwrap();
    assert_eq!(fs::read_to_string(first).unwrap(), format!("[\n{A}\n]\n"));
    assert_eq!(api.run(&home, &["diff", first, "cache", "-o", "ids", "-q"]).await.lines(), ["b", "a"]);

    // As if the first had been read two days ago.
    let old = first.replace(history[1]["time"].as_str().unwrap().get(..4).unwrap(), "2020");
    assert_ne!(first, old);
    fs::rename(first, &old).unwrap();
    for time in ["yesterday", "2h", "2021-01-01", "2021-01-01T00:00:00+01:00"] {
        let ended = api.run(&home, &["diff", time, "-o", "ids"]).await;
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(1), "b\na\n", ""), "{time}");
    }
    api.run(&home, &["diff", "2019-01-01"]).await.says(4, &["the history begins 2020", "nothing is known of 2019-01-01"]);
    api.run(&home, &["diff", "0m"]).await.data();
    api.run(&home, &["diff", "2021-01-01", "0m", "-o", "ids"]).await.says(1, &[]);
}

#[tokio::test]
async fn diff_reads_the_cache_before_it_is_replaced() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
    api.run(&home, &["list"]).await.data();
    api.set(Some(A2));
    let ended = api.run(&home, &["diff", "cache"]).await;
    ended.says(1, &["from the cache"]);
    assert_eq!(ended.stdout, "changed\ta\turl.path\t/\t/2\n");
    api.set(None);
    api.run(&home, &["diff", "cache", "--cached", "-q"]).await.data();
}

#[tokio::test]
async fn a_cache_that_cannot_be_used_is_told_and_made_anew() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
    api.run(&home, &["list"]).await.data();
    let good = fs::read_to_string(cache_file(&home)).unwrap();
    for (text, why) in [
        (good.replace("https://a.", "https://c."), "it is damaged"),
        (good.replacen(":1,", ":99,", 1), "a newer version of hookscope wrote it"),
        (String::new(), "it is damaged"),
    ] {
        fs::write(cache_file(&home), text).unwrap();
        let ended = api.run(&home, &["list", "--cached"]).await;
        ended.says(4, &["the cache is ignored", why, "there is no cache of it"]);
        api.run(&home, &["list"]).await.data();
        assert_eq!(api.run(&home, &["list", "--cached", "-q", "-o", "ids"]).await.data(), "a\n");
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_a_note_and_no_failure() {
    let api = Changing::new(A).await;
    let is_root = rustix::process::geteuid().is_root();
    for (place, by_mode) in [("cache/hookscope", true), ("cache", false), ("state", false)] {
        let home = Home::with_config(ONCE);
        if by_mode {
            // Who may write everywhere is kept out by nothing.
            if is_root {
                continue;
            }
            fs::create_dir_all(home.path(place)).unwrap();
            fs::set_permissions(home.path("cache"), fs::Permissions::from_mode(0o500)).unwrap();
        } else {
            home.write(place, "in the way");
        }
        let ended = api.run(&home, &["list", "-o", "ids"]).await;
        ended.says(0, &["the cache cannot be written"]);
        assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("a\n", 1));
        assert_eq!(api.run(&home, &["list", "-o", "ids", "-q"]).await.data(), "a\n");
    }
    let homeless = Home::with_config(ONCE);
    let mut command = homeless.at(&api.server.base_url(), &["list", "-o", "ids"]);
    command.env("HOME", "relative").env_remove("XDG_CACHE_HOME").env_remove("XDG_STATE_HOME");
    assert_eq!(Ended::of(command).await.data(), "a\n");
    assert!(!homeless.path("relative").exists());
}

#[tokio::test]
async fn a_full_disk_leaves_the_old_cache_and_no_half_file() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
    api.run(&home, &["list"]).await.data();
    let names = || [below(home.path("cache")), below(home.path("state"))].concat();
    let before = names();
    api.set(Some(&rows(0..90)));
    // No file may grow beyond some kilobytes, as if that were all there is.
    let limited = r#"trap '' 25; ulimit -f 4; exec "$0" list -o ids"#;
    let command = home.at(&api.server.base_url(), &[]);
    let mut shell = tokio::process::Command::new("/bin/sh");
    shell.arg("-c").arg(limited).arg(command.as_std().get_program()).env_clear().current_dir(home.path(""));
    for (name, value) in command.as_std().get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    shell.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let ended = Ended::of(shell).await;
    ended.says(0, &["the cache cannot be written"]);
    assert_eq!((ended.lines().len(), names()), (90, before));
}

#[tokio::test]
async fn links_that_were_planted_are_not_followed() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
    api.run(&home, &["list"]).await.data();
    let victim = home.write("victim", "precious");
    let cache = cache_file(&home);
    fs::remove_file(&cache).unwrap();
    symlink(&victim, &cache).unwrap();
    api.run(&home, &["list", "--cached"]).await.says(4, &["the cache is ignored"]);
    api.run(&home, &["list"]).await.data();
    assert_eq!(home.read("victim"), "precious");
    assert!(cache.symlink_metadata().unwrap().is_file());
}

#[tokio::test]
async fn the_cache_says_where_it_is_and_can_be_emptied() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
    let path = home.run(&["cache", "path"]).await;
    assert_eq!(path.data(), format!("{}\n", home.path("cache/hookscope").display()));
    home.run(&["cache", "clear", "-q"]).await.data();
    api.run(&home, &["list"]).await.data();
    home.run(&["cache", "clear"]).await.says(0, &["2 files removed"]);
    api.run(&home, &["list", "--cached"]).await.refusal(4);
    assert_eq!(api.run(&home, &["history"]).await.lines().len(), 1);
    home.run(&["cache", "clear", "--history"]).await.says(0, &["1 file removed"]);
    assert_eq!(api.run(&home, &["history"]).await.data(), "");
}

#[tokio::test]
async fn many_at_once_leave_one_whole_cache() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(&rows(0..90)).await);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let command = home.at(&api.server.base_url(), &["list", "-o", "ids"]);
        all.spawn(Ended::of(command));
    }
    while let Some(ended) = all.join_next().await {
        assert_eq!(ended.unwrap().data().lines().count(), 90);
    }
    assert_eq!(api.run(&home, &["list", "--cached", "-q", "-o", "ids"]).await.data().lines().count(), 90);
    assert_eq!(api.run(&home, &["history"]).await.lines().len(), 1);
}

#[tokio::test]
async fn every_profile_has_a_cache_of_its_own() {
    let (one, other) = (serving(A).await, serving(B).await);
    let home = Home::with_config(&format!(
        "{ONCE}[profiles.one]\napi_key = \"k:1\"\nbase_url = \"{}\"\n[profiles.other]\napi_key = \"k:2\"\nbase_url = \"{}\"\n",
        one.base_url(),
        other.base_url()
    ));
    home.run(&["list", "--all-profiles"]).await.data();
    drop((one, other));
    let ended = home.run(&["list", "--all-profiles", "--cached", "-o", "csv", "--columns", "profile,id"]).await;
    ended.says(0, &["one (", "other ("]);
    assert_eq!(ended.stdout, "profile,id\r\none,a\r\nother,b\r\n");
}

#[tokio::test]
async fn nobody_there_and_nothing_cached_is_said_plainly() {
    let home = Home::with_config(ONCE);
    let ended = Ended::of(home.at(&nobody().await, &["list", "--cached"])).await;
    assert!(ended.refusal(4).contains("Every consistent read"));
    let ended = Ended::of(home.at(&nobody().await, &["list"])).await;
    assert!(!ended.refusal(4).contains("--cached"));
}
