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
    for (code, meaning) in EXIT_CODES {
        assert!(codes.lines().any(|line| line.trim_start().starts_with(code) && line.ends_with(meaning)), "{code}");
    }
    let formats = help(&["help", "formats"]).await;
    let named = ["table", "tsv", "json", "ndjson", "csv", "markdown", "ids", "event_count", "hosts", "created", "status"];
    for name in named {
        assert!(formats.lines().any(|line| line.split_whitespace().next() == Some(name)), "{name}");
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
        assert!(text.contains(&format!("Usage: hookscope {}", command.join(" "))), "{text}");
    }
}

#[tokio::test]
async fn what_cannot_be_explained_is_told_with_what_can() {
    for words in [&["lst"] as &[&str], &["list", "all"], &["filter", "list"], &["\u{1b}[31m"]] {
        let ended = Home::new().run(&[&["help"], words].concat()).await;
        let words = ended.refusal(2);
        assert!(words.contains("filter, config, exit-codes") && words.contains("--help"), "{words}");
    }
    let unknown = Home::new().run(&["lst"]).await;
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(2), ""));
    assert!(unknown.stderr.contains("list"), "{}", unknown.stderr);
}

#[tokio::test]
async fn every_shell_gets_completions() {
    for (shell, word) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef hookscope"),
        ("fish", "complete -c hookscope"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = help(&["completions", shell]).await;
        for word in [word, "snapshot", "all-profiles"] {
            assert!(script.contains(word), "{shell} has no {word}");
        }
    }
    let ended = Home::new().run(&["completions", "tcsh"]).await;
    assert_eq!(ended.stdout, "");
    ended.says(2, &["bash, elvish, fish, powershell, zsh"]);
}

#[tokio::test]
async fn the_manual_is_one_for_troff() {
    let page = help(&["man"]).await;
    assert!(page.contains(".TH hookscope 1") && page.contains(".SH"), "{page}");
    assert!(page.contains("snapshot") && page.contains("\\-\\-filter") | page.contains("\\-\\-from"), "{page}");
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
