//! What the audit reports as a credential in a URL is masked wherever people read, and true where programs do.

use std::fmt::Write as _;
use std::process::Stdio;

use tokio::process::Command;

use super::{Ended, Home, feed};
use crate::faults::server::{Reply, Server, row};

/// Secret in each of these.
const MARK: &str = "hunter2XyZw09kLmN4pQr";

/// URLs that `credentials-in-url` finds, each with a secret of a kind of its own.
fn urls() -> Vec<String> {
    let urls = [
        "https://bob:MARK@a.example.com/",
        "https://MARK@a.example.com/x",
        "https://bob:pa/MARK@h/",
        "https://bob:pw#MARK@h/",
        "https://bob:p?MARK@h/",
        "ht\ttps://bob:MARK@a.example.com/",
        "https:\t//MARK@a.example.com/",
        "https://a.example.com/?token=MARK",
        "https://a.example.com/?x-vercel-protection-bypass=MARK&x=1",
        "https://a.example.com/?accessKeyId=MARK&otp=MARK&pin=MARK",
        "https://a.example.com/#access_token=MARK",
        "https://hooks.slack.com/services/T0AAAAAAA/B0BBBBBBB/MARK",
        "https://canary.discord.com/api/webhooks/123456789012345678/MARK",
        "https://acme.webhook.office.com/webhookb2/MARK@x/IncomingWebhook/9f",
        "https://api.telegram.org/bot123456:MARK/sendMessage",
        "https://events.pagerduty.com/integration/MARK/enqueue",
        "https://hooks.zapier.com/hooks/catch/123456/MARK/",
        "https://hook.eu1.make.com/MARK",
        "https://maker.ifttt.com/trigger/x/with/key/MARK",
    ];
    urls.map(|url| url.replace("MARK", MARK)).into()
}

fn rows(urls: &[String]) -> String {
    let mut rows = String::new();
    for (number, url) in (0..).zip(urls) {
        let comma = if number > 0 { "," } else { "" };
        let url = serde_json::Value::from(url.as_str());
        write!(
            rows,
            r#"{comma}{{"id":"w{number:02}","url":{url},"events":["call.completed"],"is_active":true,"fallback":{url}}}"#
        )
        .unwrap();
    }
    format!("[{rows}]")
}

#[tokio::test]
async fn every_credential_that_the_audit_finds_is_masked_wherever_people_read() {
    let home = Home::new();
    let urls = urls();
    home.write("w.json", rows(&urls));
    home.write("before.json", rows(&urls.iter().map(|url| url.replace("Qr", "Qs")).collect::<Vec<_>>()));
    home.write(
        "map.toml",
        format!("[urls]\n{:?} = \"https://new.example.com/\"\n\"https://x/?token={MARK}\" = \"https://y/\"\n", urls[0]),
    );
    let found = home.run(&["audit", "--from", "w.json", "--rule", "credentials-in-url", "-o", "tsv"]).await;
    assert_eq!(found.lines().len(), urls.len(), "{}", found.stdout);
    for arguments in [
        &["list", "--from", "w.json", "-o", "table"] as &[&str],
        &["list", "--from", "w.json", "-o", "markdown"],
        &["audit", "--from", "w.json", "-o", "table"],
        &["audit", "--from", "w.json", "-o", "markdown"],
        &["audit", "--from", "w.json", "-o", "sarif"],
        &["audit", "--from", "w.json", "-o", "junit"],
        &["diff", "before.json", "w.json", "-o", "table"],
        &["plan", "map.toml", "--from", "w.json", "-o", "table"],
        &["snapshot", "--from", "w.json", "--redact"],
    ] {
        let ended = home.run(arguments).await;
        assert!(!ended.stdout.is_empty(), "{arguments:?}: {}", ended.stderr);
        for text in [&ended.stdout, &ended.stderr] {
            assert!(!text.contains("hunter2"), "{arguments:?}: {text}");
        }
    }
    for format in ["json", "ndjson", "csv", "tsv"] {
        let ended = home.run(&["list", "--from", "w.json", "-o", format]).await;
        assert!(ended.stdout.matches("hunter2").count() >= urls.len(), "{format}: {}{}", ended.stdout, ended.stderr);
    }
}

/// The same command, started where core files may be as large as the system lets them be.
fn allowing_cores(command: &Command) -> Command {
    let command = command.as_std();
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"ulimit -S -c "$(ulimit -H -c)"; exec "$0" "$@""#]).arg(command.get_program());
    shell.args(command.get_args()).env_clear().current_dir(command.get_current_dir().unwrap());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    shell
}

#[tokio::test]
async fn no_core_dump_can_hold_the_key() {
    let server = Server::always(Reply::json(format!("[{}]", row(1)))).await;
    let home = Home::new();
    let mut child = allowing_cores(&home.at(&server.base_url(), &["watch", "--every", "60"])).spawn().unwrap();
    server.until(|log| log.requests().count() > 0).await;
    let of = format!("/proc/{}", child.id().unwrap());
    let limits = std::fs::read_to_string(format!("{of}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    // What cannot be dumped belongs to root.
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(format!("{of}/environ")).unwrap());
    assert_eq!(owner, 0);
    child.kill().await.unwrap();
    // Its own descriptors are open to it all the same.
    let listed = feed(format!("[{}]", row(1)), &["list", "--from", "/dev/stdin", "-o", "ids"]).await;
    assert_eq!(listed.data(), "w1\n");
}

#[tokio::test]
async fn a_key_command_may_dump_as_little() {
    let server = Server::always(Reply::status("401 Unauthorized", "{}")).await;
    let home = Home::new();
    let out = home.path("limit");
    home.write(
        "config/hookscope/config.toml",
        format!(
            "api_key_command = [\"sh\", \"-c\", \"ulimit -c >'{}'; echo id:some-secret\"]\nbase_url = \"{}\"\n",
            out.display(),
            server.base_url()
        ),
    );
    Ended::of(allowing_cores(&home.command(&["list"]))).await.says(3, &["401"]);
    assert_eq!(home.read("limit").trim(), "0");
}
