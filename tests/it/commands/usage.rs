//! Mistakes on the command line: two lines each, what is wrong and what to do.

use super::Home;

#[tokio::test]
async fn each_mistake_is_told_in_two_lines() {
    let home = Home::new();
    for (line, message, advice) in [
        ("list --limit 0", "--limit must be at least 1", "hookscope list --help describes the options."),
        ("list --limit -5", "--limit must be at least 1", "hookscope list --help"),
        ("list --limit x", "--limit must be a whole number", "hookscope list --help"),
        ("list --limit 1.5", "--limit must be a whole number", "hookscope list --help"),
        ("list --limit 99999999999999999999", "--limit must be at most 18446744073709551615", "hookscope list --help"),
        ("--refresh 1", "--refresh must be a whole number from 5 to 86400", "hookscope --help"),
        ("--timeout 601 list", "--timeout must be a whole number from 1 to 600", "hookscope list --help"),
        ("demo serve --port 99999", "--port must be a whole number from 0 to 65535", "hookscope demo serve --help"),
        ("list --limit", "--limit needs a value: N", "hookscope list --help"),
        ("list --scope=", "--scope needs a value: all, active or inactive", "hookscope list --help"),
        ("list --scope activ", "--scope must be all, active or inactive, not activ", "Did you mean active?"),
        ("list -o xml", "--output must be table, tsv, json, ndjson, csv, markdown or ids, not xml", "hookscope list --help"),
        (
            "completions tcsh",
            "SHELL must be bash, elvish, fish, powershell or zsh, not tcsh",
            "hookscope completions --help",
        ),
        ("list --lmit 5", "list: unknown option --lmit", "Did you mean --limit? hookscope list --help"),
        ("list --interval 5", "list: unknown option --interval", "hookscope list --help"),
        ("list --nope", "list: unknown option --nope", "hookscope list --help"),
        ("list --colunms id", "list: unknown option --colunms", "Did you mean --columns? hookscope list --help"),
        ("list --verif", "list: unknown option --verif", "Did you mean --verify? hookscope list --help"),
        ("lits", "unknown command lits", "Did you mean list? Commands: list"),
        ("--port 5", "unknown option --port", "hookscope --help lists the options and commands."),
        ("list -Z", "list: unknown option -Z", "hookscope list --help"),
        ("list --verbose=3", "--verbose takes no value", "hookscope list --help"),
        ("lst", "unknown command lst", "Did you mean list? Commands: list, get, events, probe, audit,"),
        ("zzz", "unknown command zzz", "Commands: list, get, events, probe, audit,"),
        ("config ini", "config: unknown command ini", "Did you mean init? Commands: init, path, show"),
        ("config", "config needs a command: init, path or show", "hookscope config --help"),
        ("demo", "demo needs a command: serve", "hookscope demo --help"),
        ("doctor now", "doctor takes no argument now", "hookscope doctor --help"),
        ("get", "get needs an argument: ID", "hookscope get --help"),
        ("plan", "plan needs an argument: MAP.toml", "hookscope plan --help"),
        ("list --verify --page 1", "--verify and --page cannot be used together", "Leave one of them out."),
        ("-q list -v", "--quiet and --verbose cannot be used together", "Leave one of them out."),
    ] {
        let words: Vec<_> = line.split(' ').collect();
        let ended = home.run(&words).await;
        let mut said = ended.refusal(2).lines();
        assert_eq!(said.next(), Some(format!("hookscope: {message}").as_str()), "{line}");
        let second = said.next().unwrap_or_default();
        assert!(second.starts_with(advice), "{line}: {second}");
    }
}

#[tokio::test]
async fn what_was_typed_is_shown_whole() {
    let home = Home::new();
    for (words, message) in [
        (&["foo bar"][..], "unknown command foo bar"),
        (&["<foo>"], "unknown command <foo>"),
        (&["list", "-o", "<json>"], "--output must be table, tsv, json, ndjson, csv, markdown or ids, not <json>"),
        (&["doctor", "now then"], "doctor takes no argument now then"),
        (&["config", "[init]"], "config: unknown command [init]"),
    ] {
        let ended = home.run(words).await;
        assert_eq!(ended.refusal(2).lines().next(), Some(format!("hookscope: {message}").as_str()));
    }
}

#[tokio::test]
async fn what_was_typed_is_shown_without_harm() {
    let home = Home::new();
    let long = "x".repeat(5_000);
    for word in ["\u{1b}[31m", "a\nb", "\u{202e}abc", &long] {
        for words in [&[word] as &[&str], &["list", "--scope", word], &["list", word], &["--", word]] {
            let ended = home.run(words).await;
            assert!(ended.refusal(2).len() < 600, "{}", ended.stderr);
        }
    }
    let mut command = home.command(&["list", "--filter"]);
    command.arg(std::os::unix::ffi::OsStrExt::from_bytes(b"\xff") as &std::ffi::OsStr);
    super::Ended::of(command).await.refusal(2);
}
