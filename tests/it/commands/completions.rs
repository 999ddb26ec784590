//! Completions in the real shells: a script is loaded, a word is typed, and tab completes it.
#![expect(clippy::print_stderr, reason = "a shell that is not installed is named")]

use std::process::{Command, Stdio};

use super::{Ended, Home};
use crate::faults::server::{KEY, Listing, Reply, Server};
use crate::pty::session::{HOOKSCOPE, Session, Setup};

const CONFIG: &str = "[profiles.production]\n[profiles.staging]\n";

/// The typed text, and the line after tab.
const WORDS: &[(&str, &str)] = &[
    ("hookscope snap", "hookscope snapshot"),
    ("hookscope list --verif", "hookscope list --verify"),
    ("hookscope --profile stag", "hookscope --profile staging"),
    ("hookscope --view find", "hookscope --view findings"),
    ("hookscope list --scope ina", "hookscope list --scope inactive"),
    ("hookscope list -o nd", "hookscope list -o ndjson"),
    ("hookscope list --sort host:", "hookscope list --sort host:desc"),
    ("hookscope list --columns id,ho", "hookscope list --columns id,host"),
    ("hookscope audit --rule insec", "hookscope audit --rule insecure-url"),
    ("hookscope audit --fail-on nev", "hookscope audit --fail-on never"),
    ("hookscope help exit", "hookscope help exit-codes"),
    ("hookscope diff yest", "hookscope diff yesterday"),
    ("hookscope list --filter finding:insec", "hookscope list --filter finding:insecure-url"),
    ("hookscope list --filter event:alert.trig", "hookscope list --filter event:alert.triggered"),
    ("hookscope --demo list --filter -host:api.smile", "hookscope --demo list --filter -host:api.smilebook.example.net"),
    ("hookscope --demo get whk_c9v", "hookscope --demo get whk_c9v3nz8rq4pm"),
];

/// Returns true if a program is installed; otherwise prints a note that it is not.
fn is_installed(program: &str) -> bool {
    let status = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_installed = status.is_ok_and(|status| status.success());
    if !is_installed {
        eprintln!("{program} is not installed, so its completions are not tested");
    }
    is_installed
}

/// A shell that has loaded its completions.
fn start(shell: &str, options: &[&str], load: &str) -> Session {
    start_with(CONFIG, shell, options, load)
}

fn start_with(config: &str, shell: &str, options: &[&str], load: &str) -> Session {
    let directory = std::path::Path::new(HOOKSCOPE).parent().unwrap().display();
    let path = format!("{directory}:{}", std::env::var("PATH").unwrap());
    let setup = Setup::new(shell, options).config(config).size(120, 24).env("PATH", &path).env("PS1", "> ");
    let mut session = setup.start();
    session.type_keys(&format!("{load}; echo load''ed\n"));
    session.wait("the script to be loaded", |seen| seen.text().lines().any(|line| line.trim() == "loaded"));
    session
}

fn complete_all(mut session: Session) {
    for (typed, completed) in WORDS {
        session.type_keys(&format!("\x15{typed}\t"));
        session.wait(completed, |seen| seen.text().lines().any(|line| line.contains(completed)));
    }
}

#[test]
fn bash_completes_words() {
    complete_all(start("bash", &["--noprofile", "--norc", "-i"], "source <(hookscope completions bash)"));
}

#[test]
fn zsh_completes_words() {
    if is_installed("zsh") {
        let load = "autoload -U compinit && compinit -u -D && source <(hookscope completions zsh)";
        complete_all(start("zsh", &["-f", "-i"], load));
    }
}

#[test]
fn fish_completes_words() {
    if is_installed("fish") {
        complete_all(start("fish", &["--no-config", "-i"], "hookscope completions fish | source"));
    }
}

/// The candidates of the last word.
async fn candidates(home: &Home, words: &[&str]) -> Vec<String> {
    candidates_in("bash", home, words).await
}

async fn candidates_in(shell: &str, home: &Home, words: &[&str]) -> Vec<String> {
    let mut command = home.command(&[&["--", "hookscope"], words].concat());
    command.env("HOOKSCOPE_COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", words.len().to_string()).env("_CLAP_IFS", "\n");
    Ended::of(command).await.data().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn ids_hosts_and_events_come_from_the_cache() {
    let server = Server::start(|request| Listing::of(3).reply(request)).await;
    let config = format!("api_key = \"{KEY}\"\nbase_url = \"{}\"\n", server.base_url());
    let home = Home::with_config(&config);
    home.run(&["list"]).await.data();
    let asked = server.log().requests().count();
    assert_eq!(candidates(&home, &["get", "w"]).await, ["w0", "w1", "w2"]);
    assert_eq!(candidates(&home, &["get", "w0", "w1"]).await, ["w1"]);
    assert_eq!(candidates(&home, &["list", "--filter", "active:yes host:"]).await, ["active:yes host:hooks.example.com"]);
    let events = candidates(&home, &["events", "--filter", "event:call.com"]).await;
    assert_eq!(events, ["event:call.completed"]);
    assert_eq!(server.log().requests().count(), asked, "nothing is requested");
}

#[tokio::test]
async fn a_key_command_is_never_run_for_a_candidate() {
    let home = Home::with_config("api_key_command = [\"touch\", \"ran\"]\n[profiles.staging]\n");
    assert_eq!(candidates(&home, &["get", "w"]).await, Vec::<String>::new());
    assert_eq!(candidates(&home, &["--profile", ""]).await, ["staging"]);
    assert!(!home.path("ran").exists());
}

#[tokio::test]
async fn candidates_are_few_plain_and_harmless() {
    let home = Home::new();
    let ids = candidates(&home, &["--demo", "get", ""]).await;
    assert_eq!(ids.iter().filter(|id| id.starts_with("whk_")).count(), 1_000);
    let events = candidates(&home, &["--demo", "events", "--filter", "event:"]).await;
    assert!(events.len() > 12 && events.iter().all(|event| !event.contains(char::is_control)), "{events:?}");
    assert!(events.iter().all(|event| !event.contains("alert.\u{1b}")), "{events:?}");
}

#[tokio::test]
async fn nothing_is_completed_unless_a_script_asks() {
    let home = Home::new();
    for value in ["", "0"] {
        let mut command = home.command(&["--demo", "list", "--limit", "1", "-o", "ids"]);
        command.env("HOOKSCOPE_COMPLETE", value).env("COMPLETE", "bash");
        assert_eq!(Ended::of(command).await.data().lines().count(), 1);
    }
    // A broken config says nothing in the middle of a command line.
    let broken = Home::with_config("nonsense");
    assert_eq!(candidates(&broken, &["--profile", ""]).await, Vec::<String>::new());
}

#[tokio::test]
async fn only_a_known_shell_with_a_command_line_is_answered() {
    let home = Home::new();
    for value in ["1", "tcsh", "/x", "bash", "zsh"] {
        let mut command = home.command(&["--demo", "list", "--limit", "1", "-o", "ids"]);
        command.env("HOOKSCOPE_COMPLETE", value);
        assert_eq!(Ended::of(command).await.data().lines().count(), 1, "{value}");
    }
    let mut command = home.command(&["--", "hookscope", ""]);
    command.env("HOOKSCOPE_COMPLETE", "tcsh");
    Ended::of(command).await.refusal(2);
}

#[tokio::test]
async fn a_profile_that_may_be_a_key_is_left_out() {
    let home = Home::with_config("[profiles.staging]\n[profiles.'kid:SENTINEL']\n[profiles.'a b']\n[profiles.'$(x)']\n");
    assert_eq!(candidates(&home, &["--profile", ""]).await, ["staging"]);
    assert_eq!(candidates(&home, &["--profile", "kid:"]).await, Vec::<String>::new());
}

/// A workspace whose webhooks have a name that a shell would run.
fn hostile(name: &str) -> String {
    let row = |id: &str, host: &str, event: &str| {
        format!(
            r#"{{"id":"{id}","url":"https://{host}/","events":["{event}"],"is_active":true,"created_at":"2026-01-01T00:00:00Z"}}"#
        )
    };
    let rows = [
        row(name, "a.example.com", "call.completed"),
        row("whk_2", name, "call.completed"),
        row("whk_3", "b.example.com", name),
    ];
    format!(r#"{{"data":[{}],"total":3}}"#, rows.join(","))
}

/// Names that a shell would run, or take for something else than a word.
const HOSTILE: [&str; 8] = [
    "whk_1;touch${IFS}ran",
    "whk_1`touch${IFS}ran`",
    "whk_1$(touch${IFS}ran)",
    "whk_1'",
    "whk_1&touch${IFS}ran",
    "whk_1>ran",
    "-whk_1",
    "whk_1 --from",
];

#[tokio::test]
async fn what_a_shell_would_run_is_no_candidate() {
    for name in HOSTILE {
        let body = hostile(name);
        let server = Server::start(move |_| Reply::json(body.clone())).await;
        let home = Home::with_config(&format!("api_key = \"{KEY}\"\nbase_url = \"{}\"\n", server.base_url()));
        home.run(&["list"]).await.data();
        for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
            for (words, wanted) in [
                (&["get", "whk_"][..], "whk_2"),
                (&["get", "-"], "-h"),
                (&["list", "--filter", "id:"], "id:whk_2"),
                (&["list", "--filter", "event:"], "event:call.completed"),
                (&["list", "--filter", "-host:"], "-host:b.example.com"),
            ] {
                let found = candidates_in(shell, &home, words).await;
                assert!(
                    found.iter().any(|found| found.replace('\\', "").starts_with(wanted)),
                    "{shell} {words:?}: {found:?}"
                );
                assert!(!found.iter().any(|found| found.contains("whk_1")), "{shell} {words:?}: {found:?}");
            }
        }
    }
}

#[tokio::test]
async fn bash_gets_no_name_of_a_file_that_it_would_run() {
    let home = Home::new();
    home.write("old;touch ran.json", "");
    home.write("old-1.json", "");
    assert_eq!(candidates(&home, &["diff", "old"]).await, ["old-1.json"]);
    assert_eq!(candidates(&home, &["--from", "old"]).await, ["old-1.json"]);
}

/// Tab completes the start of a hostile id, and enter runs the completed line.
#[tokio::test(flavor = "multi_thread")]
async fn tab_and_enter_run_nothing_in_a_shell() {
    let body = hostile("whk_1;touch${IFS}ran;:");
    let server = Server::start(move |_| Reply::json(body.clone())).await;
    let config = format!("api_key = \"{KEY}\"\nbase_url = \"{}\"\n", server.base_url());
    for (shell, options, load) in [
        ("bash", &["--noprofile", "--norc", "-i"][..], "source <(hookscope completions bash)"),
        ("zsh", &["-f", "-i"], "autoload -U compinit && compinit -u -D && source <(hookscope completions zsh)"),
        ("fish", &["--no-config", "-i"], "hookscope completions fish | source"),
    ] {
        if !is_installed(shell) {
            continue;
        }
        let config = config.clone();
        tokio::task::spawn_blocking(move || {
            let mut session = start_with(&config, shell, options, &format!("cd \"$HOME\"; hookscope list -q; {load}"));
            let words = ["hookscope get whk_1", "hookscope list --filter event:whk_1", "hookscope list --filter host:whk_1"];
            for (number, typed) in words.into_iter().enumerate() {
                session.type_keys(&format!("\x15{typed}\t\r"));
                session.type_keys(&format!("test -e ran && echo dan''ger; echo ru''n-{number}\n"));
                let end = format!("run-{number}");
                session.wait(&end, |seen| seen.text().contains(&end));
            }
            assert!(session.look(|seen| !seen.text().contains("danger")), "{shell}");
        })
        .await
        .unwrap();
    }
}
