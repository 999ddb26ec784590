//! Options where they do not belong: none is ignored.

use super::{Home, feed};

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
