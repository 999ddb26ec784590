//! Options where they do not belong: none is ignored.

use clap::Command;
use hookscope::cli::placement;

use super::{Ended, Home, ONCE, feed};
use crate::faults::server::nobody;

const MAP: &str = "[hosts]\n\"webhook.site\" = \"hooks.example.com\"\n";

#[tokio::test]
async fn a_filter_of_the_explorer_before_a_command_is_refused_with_the_right_spelling() {
    let home = Home::new();
    home.write("map.toml", MAP);
    for (words, spelled) in [
        (&["list"] as &[&str], "hookscope list --filter QUERY"),
        (&["plan", "map.toml", "-o", "sh"], "hookscope plan --filter QUERY"),
        (&["audit"], "hookscope audit --filter QUERY"),
    ] {
        let ended = home.run(&[&["--demo", "--filter", "host:webhook.site"], words].concat()).await;
        assert_eq!(ended.stdout, "");
        ended.says(2, &["--filter", spelled]);
    }
    home.run(&["--scope", "active", "--demo", "list"]).await.says(2, &["hookscope list --scope SCOPE"]);
    for option in [["--view", "hosts"], ["--refresh", "30"], ["--deliveries", "d.json"]] {
        home.run(&[&option[..], &["--demo", "list"]].concat()).await.says(2, &["list does not take", option[0]]);
    }
}

#[tokio::test]
async fn a_source_that_a_command_does_not_read_is_refused() {
    let home = Home::new();
    for (words, command) in [
        (["--cached", "doctor"], "doctor"),
        (["doctor", "--cached"], "doctor"),
        (["--demo", "history"], "history"),
        (["watch", "--cached"], "watch"),
    ] {
        home.run(&words).await.says(2, &[&format!("{command} does not take --")]);
    }
    // It would empty the cache of every profile.
    home.run(&["--profile", "staging", "cache", "clear"]).await.says(2, &["cache clear does not take --profile"]);
    home.run(&["--all-profiles"])
        .await
        .says(2, &["the explorer does not take --all-profiles", "list, audit, probe, metrics"]);
}

#[tokio::test]
async fn what_is_only_a_setting_may_be_given_to_every_command() {
    for words in [["--timeout", "5", "help", "filter"], ["--color", "never", "completions", "bash"]] {
        feed("", &words).await.data();
    }
    feed("", &["--demo", "help", "list"]).await.data();
}

/// Returns the arguments that run each command, with values for the required ones.
fn command_lines(command: &Command, words: &[String]) -> Vec<Vec<String>> {
    let below: Vec<_> = command.get_subcommands().collect();
    if below.is_empty() {
        let value = |arg: &clap::Arg| match arg.get_id().as_str() {
            "shell" => "bash",
            "map" => "map.toml",
            "old" => "empty.json",
            _ => "some-id",
        };
        let required = command.get_arguments().filter(|arg| arg.is_required_set()).map(value).map(str::to_owned);
        return vec![words.iter().cloned().chain(required).collect()];
    }
    below.into_iter().flat_map(|inner| command_lines(inner, &[words, &[inner.get_name().to_owned()]].concat())).collect()
}

/// Global options that select the input, each with a value that cannot work and the message that it causes.
const SOURCES: [(&str, Option<&str>, &str); 6] = [
    ("config", Some("no-such.toml"), "no-such.toml"),
    ("profile", Some("no-such"), "unknown profile no-such"),
    ("all-profiles", None, "--all-profiles"),
    ("from", Some("no-such.json"), "no-such.json"),
    ("cached", None, "no cached listing"),
    ("base-url", Some("ftp://x"), "--base-url: "),
];
/// Settings, which are harmless with commands that do not use them.
const SETTINGS: [&str; 4] = ["color", "timeout", "quiet", "verbose"];
/// Commands that read no workspace, so that the input does not affect their output.
const READS_NOTHING: [&str; 3] = ["help", "completions", "man"];

#[tokio::test]
async fn a_global_option_works_or_is_refused_with_every_command() {
    let root = placement::command();
    let globals = root.get_arguments().filter(|arg| arg.is_global_set()).filter_map(clap::Arg::get_long);
    let known: Vec<_> = SOURCES.iter().map(|source| source.0).chain(SETTINGS).chain(["demo"]).collect();
    let unknown: Vec<_> = globals.filter(|long| !known.contains(long)).collect();
    assert_eq!(unknown, [""; 0], "each global option has a test");

    let (nobody, mut works, mut refused) = (nobody().await, 0, 0);
    for line in command_lines(&root, &[]) {
        let command = line.join(" ");
        if READS_NOTHING.contains(&&*line[0]) {
            continue;
        }
        for (option, value, words) in SOURCES {
            let takes_no_config = option == "config" && matches!(&*command, "cache path" | "demo serve");
            if takes_no_config {
                continue;
            }
            let option = format!("--{option}");
            let option: Vec<_> = [&*option].into_iter().chain(value).collect();
            let line: Vec<_> = line.iter().map(String::as_str).collect();
            for arguments in [[&option[..], &line].concat(), [&line[..], &option].concat()] {
                let home = Home::with_config(ONCE);
                home.write("map.toml", MAP);
                home.write("empty.json", "[]");
                let ended = Ended::of(home.at(&nobody, &arguments)).await;
                if ended.stderr.contains(&format!("does not take {}", option[0])) {
                    ended.refusal(2);
                    refused += 1;
                } else {
                    assert!(format!("{}{}", ended.stdout, ended.stderr).contains(words), "{arguments:?}: {ended:?}");
                    works += 1;
                }
            }
        }
    }
    assert!(works > 100 && refused > 60, "{works} {refused}");
}

#[tokio::test]
async fn two_files_are_compared_whatever_the_workspace_and_an_option_that_names_one_is_refused() {
    let home = Home::new();
    home.write("a.json", "[]");
    home.write("b.json", "[]");
    home.run(&["diff", "a.json", "b.json", "--timeout", "5"]).await.data();
    for option in ["--demo", "--cached", "--from=a.json", "--profile=x", "--base-url=https://a.example.com"] {
        let ended = home.run(&["diff", "a.json", "b.json", option]).await;
        assert!(ended.refusal(2).contains(option.split('=').next().unwrap()), "{ended:?}");
    }
}

#[tokio::test]
async fn the_last_value_of_a_setting_wins_and_a_repeated_source_is_refused() {
    let home = Home::new();
    home.write("a.json", r#"[{"id":"a","url":"https://a.example.com","events":["e"],"is_active":true}]"#);
    let list = |words: &'static str| {
        let words: Vec<_> = words.split(' ').collect();
        home.command(&words)
    };
    for words in [
        "--color never --from a.json list -o table --color always",
        "--color never --color always --from a.json list -o table",
        "--from a.json list --color never -o csv -o table --color always --timeout 3 --timeout 4 -q -q",
    ] {
        let ended = Ended::of(list(words)).await;
        assert!(ended.data().contains("\u{1b}["), "{words}: {ended:?}");
    }
    let ended = Ended::of(list("--color always --from a.json list -o json -o ids --color never")).await;
    assert_eq!(ended.data(), "a\n");
    for words in [
        "--from a.json list --from b.json",
        "list --from a.json --from b.json",
        "list --from a.json --filter a --filter b",
        "--profile a list --profile b",
        "--config a list --config b",
        "list --base-url https://a --base-url https://b",
    ] {
        Ended::of(list(words)).await.refusal(2);
    }
}
