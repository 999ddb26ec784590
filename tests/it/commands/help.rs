//! Help and what is generated: without a config, a key or a network, and the same wherever it is asked for.

use hookscope::error::EXIT_CODES;

use super::{Ended, Home, ONCE};
use crate::faults::server::{Listing, Server};

/// What help prints in a home whose config cannot be read, and with an API that must not be asked.
async fn help(arguments: &[&str]) -> String {
    let server = Server::start(|request| Listing::of(1).reply(request)).await;
    let home = Home::with_config("this is no TOML");
    home.write("broken.toml", "nor is this");
    let mut command = home.at(&server.base_url(), arguments);
    command.env("HOOKSCOPE_CONFIG", home.path("broken.toml"));
    let text = Ended::of(command).await.data().to_owned();
    assert_eq!(server.log().connections, 0);
    text
}

#[tokio::test]
async fn topics_are_explained() {
    assert_eq!(help(&["help", "filter"]).await, hookscope::analysis::query::help());
    let config = help(&["help", "config"]).await;
    assert!(config.contains(include_str!("../../../config.example.toml")) && config.contains("HOOKSCOPE_CONFIG"));
    let codes = help(&["help", "exit-codes"]).await;
    assert!(codes.lines().all(|line| line.len() <= 80), "{codes}");
    let codes = codes.split_whitespace().collect::<Vec<_>>().join(" ");
    for (code, meaning) in EXIT_CODES {
        assert!(codes.contains(&format!("{code} {meaning}")), "{code}");
    }
    let formats = help(&["help", "formats"]).await;
    assert!(formats.is_ascii() && formats.lines().all(|line| line.len() <= 80), "{formats}");
    let named = ["table", "tsv", "json", "ndjson", "csv", "markdown", "ids", "event_count", "hosts", "created", "status"];
    for name in named {
        assert!(formats.lines().any(|line| line.split_whitespace().next() == Some(name)), "{name}");
    }
    let keys = help(&["help", "keys"]).await;
    assert!(keys.is_ascii() && keys.lines().all(|line| line.len() <= 80), "{keys}");
    for entry in hookscope::keymap::ACTIONS {
        let line = keys.lines().find(|line| line.trim().starts_with(&format!("{}  ", entry.keys.join(" "))));
        assert!(line.is_some_and(|line| line.ends_with(entry.help)), "{}", entry.name);
    }
}

#[tokio::test]
async fn a_command_is_explained_as_it_explains_itself() {
    assert_eq!(help(&["help"]).await, help(&["--help"]).await);
    for command in
        [&["list"] as &[&str], &["get"], &["events"], &["snapshot"], &["config", "init"], &["demo", "serve"], &["help"]]
    {
        let text = help(&[&["help"], command].concat()).await;
        assert_eq!(text, help(&[command, &["--help"]].concat()).await);
        assert!(text.contains(&format!("Usage: hookscope {}", command.join(" "))) && text.contains("Examples:"), "{text}");
    }
}

#[tokio::test]
async fn what_cannot_be_explained_is_told_with_what_can() {
    for words in [&["lst"] as &[&str], &["list", "all"], &["filter", "list"], &["\u{1b}[31m"]] {
        let ended = Home::new().run(&[&["help"], words].concat()).await;
        let words = ended.refusal(2);
        assert!(words.contains("filter, config, exit-codes"), "{words}");
        assert!(words.contains("--help") || words.contains("Commands: list, get"), "{words}");
    }
    for (words, near) in [
        (&["fliter"] as &[&str], "Did you mean filter?"),
        (&["exit"], "Did you mean exit-codes?"),
        (&["key"], "Did you mean keys?"),
        (&["snapshto"], "Did you mean snapshot?"),
        (&["config", "shwo"], "Did you mean show?"),
    ] {
        let ended = Home::new().run(&[&["help"], words].concat()).await;
        assert!(ended.refusal(2).contains(near), "{}", ended.stderr);
    }
    assert!(!Home::new().run(&["help", "filter", "list"]).await.stderr.contains("Did you mean"));
    let unknown = Home::new().run(&["lst"]).await;
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(2), ""));
    assert!(unknown.stderr.contains("list"), "{}", unknown.stderr);
}

#[tokio::test]
async fn every_shell_gets_completions() {
    for (shell, words) in [
        ("bash", "complete -F _hookscope hookscope"),
        ("zsh", "#compdef hookscope"),
        ("fish", "--command hookscope"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = help(&["completions", shell]).await;
        for words in [words, "HOOKSCOPE_COMPLETE"] {
            assert!(script.contains(words), "{shell} has no {words}");
        }
    }
    let ended = Home::new().run(&["completions", "tcsh"]).await;
    assert!(ended.refusal(2).contains("bash, elvish, fish, powershell or zsh"), "{}", ended.stderr);
}

#[tokio::test]
async fn the_man_page_needs_nothing_else() {
    assert!(help(&["man"]).await.contains(".TH HOOKSCOPE 1 "));
}

/// The short help of a command and of those below it, with their names.
fn short_help(command: &clap::Command, parent: &str) -> Vec<(String, String)> {
    let name = format!("{parent} {}", command.get_name()).trim_start().to_owned();
    let help = command.clone().render_help().to_string();
    let below = command.get_subcommands().flat_map(|below| short_help(below, &name));
    std::iter::once((name.clone(), help)).chain(below).collect()
}

#[test]
fn the_short_help_fits_a_terminal_of_24_lines() {
    let all = short_help(&hookscope::cli::help::command(Some(80)), "");
    assert!(all.len() > 20);
    for (name, help) in all {
        let lines = help.trim_end().lines().count();
        assert!(lines <= 24, "{name} -h has {lines} lines:\n{help}");
        // A terminal in the locale C shows nothing else.
        assert!(help.is_ascii() && help.lines().all(|line| line.len() <= 80), "{help}");
        let collapsed = help.contains("Global options: ") || name == "hookscope";
        assert!(collapsed && !help.contains("--base-url"), "{help}");
    }
}

#[test]
fn the_help_fits_a_narrow_terminal() {
    for columns in [20, 40] {
        for (name, help) in short_help(&hookscope::cli::help::command(Some(columns)), "") {
            assert!(help.contains("Usage:") && help.contains("--help"), "{name}: {help}");
            // The parser does not wrap the line of usage.
            let lines = help.lines().filter(|line| !line.starts_with("Usage:"));
            let widest = lines.map(|line| line.chars().count()).max().unwrap();
            assert!(columns < 40 || widest <= columns, "{name} has a line of {widest} columns:\n{help}");
        }
    }
}

#[tokio::test]
async fn every_option_that_the_help_leaves_out_is_described_once() {
    let root = help(&["--help"]).await;
    let tree = <hookscope::cli::Cli as clap::CommandFactory>::command();
    for argument in tree.get_arguments().filter_map(clap::Arg::get_long) {
        assert!(root.contains(&format!("--{argument}")), "{argument}");
    }
    for command in ["list", "audit", "config init"] {
        let words: Vec<_> = command.split(' ').chain(["--help"]).collect();
        assert!(!help(&words).await.contains("--base-url"), "{command}");
    }
}

#[tokio::test]
async fn the_place_of_the_config_is_told_whatever_is_in_it() {
    assert!(help(&["config", "path"]).await.trim_end().ends_with("broken.toml"));
    let home = Home::with_config(ONCE);
    let usual = home.run(&["config", "path"]).await;
    assert_eq!(usual.data(), format!("{}\n", home.path("config/hookscope/config.toml").display()));
}

#[tokio::test]
async fn the_demo_needs_nothing_at_all() {
    let home = Home::new();
    let ended = home.run(&["--demo", "list", "-o", "ids"]).await;
    assert_eq!(ended.data().lines().count(), 1_200);
    let mut command = home.command(&["list", "--demo", "-o", "ids", "--limit", "3"]);
    command.env("DIALNEXA_API_KEY", "").env("DIALNEXA_BASE_URL", "no url");
    assert_eq!(Ended::of(command).await.data().lines().count(), 3);
}
