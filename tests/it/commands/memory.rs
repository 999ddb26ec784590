//! What is remembered: the cache, the history, and what a broken place for them does to a command (nothing).

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use hookscope::base::base_url::BaseUrl;
use hookscope::base::redact::ApiKey;
use hookscope::config::{Config, Connection};

use super::{Ended, Home, ONCE, serving};
use crate::faults::server::{KEY, Listing, Reply, SECRET, Server, nobody, rows};

const A: &str =
    r#"{"id":"a","url":"https://a.example.com","events":["e"],"is_active":true,"created_at":"2024-01-01T00:00:00.000Z"}"#;
const A2: &str =
    r#"{"id":"a","url":"https://a.example.com/2","events":["e"],"is_active":true,"created_at":"2024-01-01T00:00:00.000Z"}"#;
const B: &str = r#"{"id":"b","url":"https://b.example.com","secret":"whsec_0123"}"#;

/// A server whose rows can be changed under one address.
struct Changing {
    server: Server,
    state: Arc<Mutex<State>>,
}

/// What it answers with.
#[derive(Default)]
struct State {
    /// The listing; without one the API is down.
    rows: Option<String>,
    /// Rows that are not listed, and are there.
    hidden: Vec<String>,
    /// The answer to every request by id.
    by_id: Option<Reply>,
}

impl Changing {
    async fn new(rows: &str) -> Self {
        let state = Arc::new(Mutex::new(State { rows: Some(rows.to_owned()), ..State::default() }));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| {
            let state = shared.lock().unwrap();
            let Some(rows) = &state.rows else { return Reply::status("503 Service Unavailable", "{}") };
            if request.page() == 0 {
                let id = request.target.rsplit('/').next().unwrap_or_default();
                let hidden = state.hidden.iter().find(|row| row.contains(&format!("\"id\":\"{id}\"")));
                let found = hidden.map_or_else(Reply::not_found, |row| Reply::json(row.clone()));
                return state.by_id.clone().unwrap_or(found);
            }
            let rows: Vec<serde_json::Value> = serde_json::from_str(&format!("[{rows}]")).unwrap();
            let first = usize::try_from((request.page() - 1) * 100).unwrap();
            let page: Vec<_> = rows.iter().skip(first).take(100).map(ToString::to_string).collect();
            let (page, total) = (page.join(","), rows.len());
            Reply::json(format!(r#"{{"data":[{page}],"meta":{{"page":{},"limit":100,"total":{total}}}}}"#, request.page()))
        })
        .await;
        Self { server, state }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    fn set(&self, rows: Option<&str>) {
        self.change(|state| state.rows = rows.map(str::to_owned));
    }

    /// Requests by id so far.
    fn by_id(&self) -> usize {
        self.server.log().requests().filter(|request| request.page() == 0).count()
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
        ended.says(4, &["try again later. Meanwhile, --cached uses the listing read ", "s ago."]);
        assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("", 2), "{}", ended.stderr);
        let cached = api.run(&home, &["list", "-o", "ids", "--cached"]).await;
        cached.says(0, &["from the cache, read "]);
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
async fn the_history_of_an_earlier_version_is_named_once_where_it_may_be_of_another_workspace() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
    let base_url = BaseUrl::parse(&api.server.base_url()).unwrap();
    let connection = Config::demo_connection(base_url, ApiKey::new(KEY).unwrap());
    let name = Connection { profile: "default".into(), ..connection }.old_fingerprint();
    let old =
        home.write(&format!("state/hookscope/history/{name}/00000001_20260101T000000Z_1.json"), format!("[\n{A}\n]\n"));
    let old = old.parent().unwrap();
    let place = format!("is not used, as it may belong to another workspace or could not be renamed: {}", old.display());
    let doctor = api.run(&home, &["doctor"]).await;
    assert!(doctor.stdout.contains(&format!("note  history      not used: {}", old.display())), "{}", doctor.stdout);
    let ended = api.run(&home, &["history", "-o", "tsv"]).await;
    ended.says(0, &[&place]);
    assert_eq!(ended.stdout, "");
    api.run(&home, &["list"]).await.says(0, &[&place]);
    for command in ["list", "history", "snapshot"] {
        api.run(&home, &[command]).await.data();
    }
    assert!(old.exists());
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
        assert!(ended.refusal(4).contains("no cached listing yet"), "{arguments:?}");
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
    api.run(&home, &["diff", "yesterday"]).await.says(4, &["no history yet"]);
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
    api.run(&home, &["diff", "2019-01-01"]).await.says(4, &["no snapshot from 2019-01-01", "the history starts 2020"]);
    let ended = api.run(&home, &["diff", "2019-01-01"]).await;
    let (_, oldest) = ended.stderr.split_once("Oldest to compare with: hookscope diff ").unwrap();
    api.run(&home, &["diff", oldest.trim(), "-o", "ids"]).await.says(1, &[]);
    home.run(&["--demo", "diff", "yesterday"]).await.says(2, &["Try it with hookscope demo serve."]);
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
}

#[tokio::test]
async fn the_cache_is_never_compared_with_itself() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
    api.run(&home, &["list"]).await.data();
    api.set(None);
    for sides in
        [&["diff", "cache", "cache"] as &[&str], &["diff", "cache", "--cached"], &["diff", "live", "cache", "--cached"]]
    {
        let ended = api.run(&home, sides).await;
        assert!(ended.refusal(2).contains("diff: both sides are the cache"), "{}", ended.stderr);
        assert!(ended.stderr.contains("must be live, a file or a time"), "{}", ended.stderr);
    }
    // Nor does advice lead there.
    for sides in [["diff", "cache", "live"], ["diff", "live", "cache"]] {
        let ended = api.run(&home, &sides).await;
        ended.says(4, &["try again later"]);
        assert!(!ended.stderr.contains("--cached"), "{}", ended.stderr);
    }
    home.write("old.json", format!("[{A2}]"));
    api.run(&home, &["diff", "old.json"]).await.says(4, &["Meanwhile, --cached uses the listing read "]);
    api.run(&home, &["diff", "old.json", "--cached", "-o", "ids"]).await.says(1, &["from the cache"]);
    let ended = api.run(&home, &["diff", "old.json", "--from", "old.json"]).await;
    assert!(ended.refusal(2).contains("OLD and NEW are the same"), "{}", ended.stderr);
}

#[tokio::test]
async fn the_hint_about_the_cache_comes_after_the_advice() {
    let home = Home::with_config(ONCE);
    let cached = "Meanwhile, --cached uses the listing read ";
    let listing = format!(r#"{{"data":[{A}],"meta":{{"page":1,"limit":100,"total":1}}}}"#);
    for (reply, advice) in [
        (Reply::json("<html>"), "A login page or a proxy answered"),
        (Reply::status("429 Too Many Requests", "{}").header("Retry-After", "3600"), "wait 60 min"),
        (Reply::status("500 Internal Server Error", "{}"), "try again later."),
    ] {
        let state = Arc::new(Mutex::new(true));
        let (is_up, listing) = (Arc::clone(&state), listing.clone());
        let server =
            Server::start(move |_| if *is_up.lock().unwrap() { Reply::json(listing.clone()) } else { reply.clone() }).await;
        Ended::of(home.at(&server.base_url(), &["list"])).await.data();
        *state.lock().unwrap() = false;
        for command in ["list", "audit", "snapshot", "metrics"] {
            let ended = Ended::of(home.at(&server.base_url(), &[command])).await;
            assert_eq!(ended.code, Some(4), "{command}: {}", ended.stderr);
            let (before, after) = ended.stderr.split_once(cached).unwrap_or_else(|| panic!("{command}: {}", ended.stderr));
            assert!(before.contains(advice) && after.trim_end().ends_with("ago."), "{command}: {}", ended.stderr);
        }
    }
}

#[tokio::test]
async fn a_cache_that_cannot_be_used_is_told_and_made_anew() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
    api.run(&home, &["list"]).await.data();
    let good = fs::read_to_string(cache_file(&home)).unwrap();
    for (text, why) in [
        (good.replace("https://a.", "https://c."), ": damaged"),
        (good.replacen(":1,", ":99,", 1), "written by a newer version of hookscope"),
        (String::new(), ": damaged"),
    ] {
        fs::write(cache_file(&home), text).unwrap();
        let ended = api.run(&home, &["list", "--cached"]).await;
        ended.says(4, &["cache unusable", why, "no cached listing yet"]);
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
        ended.says(0, &["cannot write the cache"]);
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
    ended.says(0, &["cannot write the cache"]);
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
    api.run(&home, &["list", "--cached"]).await.says(4, &["cache unusable"]);
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
    home.run(&["cache", "clear"]).await.says(0, &["removed 2 files"]);
    api.run(&home, &["list", "--cached"]).await.refusal(4);
    assert_eq!(api.run(&home, &["history"]).await.lines().len(), 1);
    home.run(&["cache", "clear", "--history"]).await.says(0, &["removed 1 file"]);
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
    assert!(ended.refusal(4).contains("Any full read fills the cache"));
    let ended = Ended::of(home.at(&nobody().await, &["list"])).await;
    assert!(!ended.refusal(4).contains("--cached"));
}

/// What is stored: the ids of the cache, and how many snapshots there are.
async fn stored(api: &Changing, home: &Home) -> (String, usize) {
    let cached = api.run(home, &["list", "--cached", "-q", "-o", "ids"]).await;
    (cached.data().replace('\n', " "), api.run(home, &["history"]).await.lines().len())
}

#[tokio::test]
async fn what_a_listing_left_out_is_neither_reported_nor_stored_as_removed() {
    for command in [&["diff", "cache"] as &[&str], &["list"], &["snapshot"], &["events"], &["snapshot", "out.json"]] {
        let (home, api) = (Home::with_config(ONCE), Changing::new(&format!("{A},{B}")).await);
        api.run(&home, &["list"]).await.data();
        api.change(|state| {
            state.rows = Some(B.to_owned());
            state.hidden = vec![A.to_owned()];
        });
        let ended = api.run(&home, command).await;
        if command[0] == "diff" {
            ended.says(0, &["the listing omitted 1 existing webhook"]);
        } else {
            ended.says(5, &["incomplete: the listing omitted a, which exists"]);
        }
        assert_eq!((api.by_id(), home.path("out.json").exists()), (1, false), "{command:?}");
        assert_eq!(stored(&api, &home).await, ("b a ".to_owned(), 1), "{command:?}");
        // Once it is removed, that is stored.
        api.change(|state| state.hidden.clear());
        api.run(&home, &["list"]).await.data();
        assert_eq!(stored(&api, &home).await, ("b ".to_owned(), 2));
    }
}

#[tokio::test]
async fn an_empty_listing_replaces_nothing_until_every_removal_is_confirmed() {
    let no_route = r#"{"statusCode":404,"message":"Cannot GET /v1/user-webhooks/a","error":"Not Found"}"#;
    for (by_id, why) in [
        (Reply::status("500 Internal Server Error", "{}"), "500"),
        (Reply::status("404 Not Found", "<html>"), "404"),
        (Reply::status("404 Not Found", no_route), "404"),
        (Reply::json(A2.replace("\"a\"", "\"other\"")), "a different webhook"),
        // Too long to wait for.
        (Reply::status("429 Too Many Requests", "{}").header("Retry-After", "50"), "429"),
    ] {
        let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
        api.run(&home, &["list"]).await.data();
        api.change(|state| {
            state.rows = Some(String::new());
            state.by_id = Some(by_id);
        });
        let ended = api.run(&home, &["list"]).await;
        ended.says(0, &["cache not updated: 1 cached webhook is neither listed nor confirmed as removed: a: ", why]);
        assert_eq!(stored(&api, &home).await, ("a ".to_owned(), 1), "{why}");
        // So do malformed rows in place of it.
        api.set(Some(r#"{"id":"a"},7"#));
        api.run(&home, &["list", "-o", "ids"]).await.says(5, &["cache not updated: ", "2 malformed rows"]);
        assert_eq!(stored(&api, &home).await, ("a ".to_owned(), 1), "{why}");
        api.change(|state| state.by_id = None);
        api.run(&home, &["list", "-o", "ids"]).await.says(5, &["2 malformed rows"]);
        assert_eq!(api.run(&home, &["history"]).await.lines().len(), 2);
        api.set(Some(""));
        api.run(&home, &["list"]).await.data();
        assert_eq!(stored(&api, &home).await.0, "");
    }
}

#[tokio::test]
async fn a_hundred_removals_are_confirmed_with_each_read() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(&rows(0..150)).await);
    api.run(&home, &["list"]).await;
    api.set(Some(""));
    let ended = api.run(&home, &["list"]).await;
    ended.says(0, &["cache not updated: 50 cached webhooks are neither listed", "each read requests up to 100 by id"]);
    assert_eq!(api.by_id(), 100);
    let cached = api.run(&home, &["list", "--cached", "-q", "-o", "ids"]).await;
    assert_eq!((cached.lines().len(), api.run(&home, &["history"]).await.lines().len()), (150, 1));
    api.run(&home, &["list"]).await.data();
    assert_eq!((api.by_id(), stored(&api, &home).await), (150, (String::new(), 2)));
}

#[tokio::test]
async fn a_live_side_is_stored_after_the_stored_side_is_read() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
    api.run(&home, &["list"]).await.data();
    api.set(Some(&format!("{A2},{B}")));
    let ended = api.run(&home, &["diff", "live", "cache", "-o", "json"]).await;
    ended.says(1, &["from the cache"]);
    let found: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&found["removed"][0]["id"], &found["changed"][0]["id"]), (&"b".into(), &"a".into()));
    assert_eq!(stored(&api, &home).await, ("a b ".to_owned(), 2));
    api.run(&home, &["diff", "live", "cache", "-q"]).await.data();
}

#[tokio::test]
async fn keys_without_a_public_id_and_other_paths_have_caches_of_their_own() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
    let run = async |key: &str, path: &str, arguments: &[&str]| {
        let mut command = home.at(&format!("{}{path}", api.server.base_url()), arguments);
        Ended::of({
            command.env("DIALNEXA_API_KEY", key);
            command
        })
        .await
    };
    run("onlysecretA", "", &["list"]).await.data();
    for (key, path) in [("onlysecretB", ""), ("onlysecretA", "/other"), (":onlysecretA", ""), ("id:onlysecretA", "")] {
        run(key, path, &["list", "--cached"]).await.refusal(4);
        run(key, path, &["diff", "0m"]).await.says(4, &["no history yet"]);
    }
    assert_eq!(run("onlysecretA", "", &["list", "--cached", "-q", "-o", "ids"]).await.data(), "a\n");
    assert_eq!(run("onlysecretA", "/", &["list", "--cached", "-q", "-o", "ids"]).await.data(), "a\n");
    // A public id is what tells a key apart: a new secret is the same workspace.
    run("id:old", "", &["list"]).await.data();
    assert_eq!(run("id:new", "", &["list", "--cached", "-q", "-o", "ids"]).await.data(), "a\n");
    for (path, _) in [below(home.path("cache")), below(home.path("state"))].concat() {
        assert!(!path.to_string_lossy().contains("onlysecret"), "{path:?}");
    }
}

/// The paths of the snapshots, the oldest first.
async fn snapshots(api: &Changing, home: &Home) -> Vec<String> {
    let history = api.run(home, &["history", "-o", "json"]).await;
    let history: Vec<serde_json::Value> = serde_json::from_str(history.data()).unwrap();
    history.iter().rev().map(|kept| kept["path"].as_str().unwrap().to_owned()).collect()
}

/// Gives a snapshot another year, as if the clock had said so.
fn redate(path: &str, year: &str) -> String {
    let (directory, name) = path.rsplit_once('/').unwrap();
    let (sequence, rest) = name.split_once('_').unwrap();
    let redated = format!("{directory}/{sequence}_{year}{}", rest.get(4..).unwrap());
    fs::rename(path, &redated).unwrap();
    redated
}

#[tokio::test]
async fn a_damaged_snapshot_is_named_and_the_others_stay_usable() {
    let flipped = format!("[\n{}\n]\n", A2.replace("\"url\":", "\"url\";"));
    for damage in ["", "[\n{\"id\":\"a\",", "[\n]\n", "nonsense", &flipped] {
        let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
        api.run(&home, &["list"]).await.data();
        api.set(Some(A2));
        api.run(&home, &["list"]).await.data();
        let [first, second] = <[String; 2]>::try_from(snapshots(&api, &home).await).unwrap();
        let (first, second) = (redate(&first, "2020"), redate(&second, "2021"));
        fs::write(&second, damage).unwrap();
        let ended = api.run(&home, &["diff", "2022-01-01"]).await;
        let words = ended.refusal(4);
        assert!(words.contains(second.rsplit('/').next().unwrap()) && !words.contains("--from"), "{words}");
        let damaged = api.run(&home, &["history", "-o", "json"]).await;
        let damaged: Vec<serde_json::Value> = serde_json::from_str(damaged.data()).unwrap();
        assert_eq!([&damaged[0]["damaged"], &damaged[1]["damaged"]], [true, false]);
        assert!(api.run(&home, &["history", "-o", "table"]).await.lines()[1].ends_with("damaged"));
        assert_eq!(api.run(&home, &["diff", "2020-12-31", "-o", "ids"]).await.lines(), ["a"], "{first}");
        // And the next read is kept.
        api.set(Some(&format!("{A2},{B}")));
        api.run(&home, &["list"]).await.data();
        assert_eq!(api.run(&home, &["diff", "0m"]).await.data(), "");
    }
}

#[tokio::test]
async fn the_order_of_the_history_counts_where_clocks_disagree() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
    for rows in [A.to_owned(), format!("{A},{B}"), format!("{A2},{B}")] {
        api.set(Some(&rows));
        api.run(&home, &["list"]).await.data();
    }
    let kept = snapshots(&api, &home).await;
    redate(&kept[0], "2020");
    redate(&kept[1], "2021");
    redate(&kept[2], "1990");
    let ended = api.run(&home, &["diff", "2020-12-31", "-o", "ids"]).await;
    ended.says(1, &["1 snapshot in the history has a time that cannot be right"]);
    assert_eq!(ended.lines(), ["b", "a"]);
    let ended = api.run(&home, &["diff", "yesterday", "-o", "ids"]).await;
    ended.says(0, &["that cannot be right"]);
    api.run(&home, &["diff", "2000-01-01"]).await.says(4, &["the history starts 2020"]);
}

#[tokio::test]
async fn the_age_of_a_cache_from_the_future_is_unknown() {
    let (home, api) = (Home::with_config(ONCE), Changing::new(A).await);
    api.run(&home, &["list"]).await.data();
    let cache = cache_file(&home);
    let text = fs::read_to_string(&cache).unwrap();
    let (before, after) = text.split_once("\"read_at\":\"20").unwrap();
    fs::write(&cache, format!("{before}\"read_at\":\"2098{}", after.get(2..).unwrap())).unwrap();
    let ended = api.run(&home, &["list", "--cached"]).await;
    ended.says(0, &["from the cache, read at an unknown time (2098-"]);
    api.run(&home, &["list"]).await.data();
    api.run(&home, &["list", "--cached"]).await.says(0, &["s ago (20"]);
}
