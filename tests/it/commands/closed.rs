//! Commands with a closed stdout: the output is lost, and that is an error.

use std::process::Stdio;

use hookscope::cli::placement;
use tokio::process::Command;

use super::{Ended, Home};

const ROWS: &str = r#"[{"id":"a","url":"https://a.example.com/","events":["call.failed"],"is_active":true}]"#;

/// Every command that prints data, with all the arguments that it needs.
const COMMANDS: &[&str] = &[
    "--from rows.json list",
    "--from rows.json list -o ndjson",
    "--from rows.json list -o json --filter id:nobody",
    "--from rows.json get a",
    "--from rows.json events",
    "--from rows.json audit --fail-on never",
    "--from rows.json audit --list-rules",
    "--from rows.json audit --explain no-events",
    "--from rows.json probe --filter id:nobody",
    "--from rows.json metrics",
    "--from rows.json snapshot",
    "--from rows.json plan map.toml",
    "diff rows.json other.json",
    "--demo watch",
    "config path",
    "config show",
    "cache path",
    "completions bash",
    "man",
    "help",
    "help filter",
    "--demo doctor",
    "--help",
    "-h",
    "list --help",
    "--version",
    "-V",
    "demo serve",
];

/// Builds a shell command that runs the program with these arguments and this redirection.
fn shell(home: &Home, words: &str, redirection: &str) -> Command {
    let program = env!("CARGO_BIN_EXE_hookscope");
    let mut command = home.command(&[]);
    let environment: Vec<_> =
        command.as_std().get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    let directory = command.as_std().get_current_dir().unwrap().to_owned();
    command = Command::new("/bin/sh");
    command.args(["-c", &format!("exec {program} {words} {redirection}")]).env_clear().envs(environment);
    command.current_dir(directory).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

fn home() -> Home {
    let home = Home::new();
    home.write("rows.json", ROWS);
    home.write("other.json", "[]");
    home.write("map.toml", "[events]\n\"call.failed\" = []\n");
    home
}

#[tokio::test]
async fn a_closed_stdout_is_an_error_of_every_command_that_prints() {
    let home = home();
    // Commands that need a key or print nothing, and groups of commands.
    let others = ["history", "cache", "config", "demo"];
    for command in placement::command().get_subcommands().map(clap::Command::get_name) {
        let is_there = COMMANDS.iter().any(|words| words.split(' ').any(|word| word == command));
        assert!(is_there || others.contains(&command), "{command} is not tried");
    }
    for words in COMMANDS {
        Ended::of(shell(&home, words, ">&-")).await.says(4, &["stdout is closed"]);
    }
    // Open, but not for writing.
    Ended::of(shell(&home, "--from rows.json list", "1</dev/null")).await.says(4, &["stdout is closed"]);
    // Closed with all the others.
    let ended = Ended::of(shell(&home, "--from rows.json list", "<&- >&- 2>&-")).await;
    assert_eq!(ended.code, Some(4));
}

#[tokio::test]
async fn dev_null_is_a_stdout_like_any_other() {
    let home = home();
    let ends =
        |words: &&&str| !["watch", "serve", "doctor"].iter().any(|word| words.contains(word)) && !words.starts_with("diff");
    for words in COMMANDS.iter().filter(ends) {
        assert_eq!(Ended::of(shell(&home, words, ">/dev/null")).await.code, Some(0), "{words}");
    }
    for redirection in ["1<>/dev/null", "<&- >/dev/null", "| cat >/dev/null"] {
        assert_eq!(Ended::of(shell(&home, "--from rows.json list", redirection)).await.code, Some(0), "{redirection}");
    }
    // A command that writes a file needs no stdout.
    assert_eq!(Ended::of(shell(&home, "--from rows.json snapshot new.json", ">&-")).await.code, Some(0));
}
