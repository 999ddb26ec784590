//! `hookscope list` as scripts see it: exit codes, what is on stdout, what is on stderr, and what is on neither.
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its work fails the test")]

use std::fs::{self, File};
use std::process::{Output, Stdio};

use tempfile::TempDir;
use tokio::process::Command;

use super::server::{Envelope, KEY, Listing, Reply, SECRET, Server, gate, nobody, row, rows};

/// The program, alone with its config.
struct Program {
    home: TempDir,
    base_url: String,
    /// Of `[network]`.
    network: String,
}

/// How it ended, and what it said.
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Program {
    fn new(base_url: &str) -> Self {
        Self { home: TempDir::new().unwrap(), base_url: base_url.to_owned(), network: "retries = 0".to_owned() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let config = self.home.path().join("config.toml");
        fs::write(&config, format!("[network]\n{}\n", self.network)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookscope"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("HOOKSCOPE_CONFIG", config)
            .env("DIALNEXA_API_KEY", KEY)
            .env("DIALNEXA_BASE_URL", &self.base_url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments)).await
    }
}

impl Ended {
    /// Whatever happens, the key is not told and nothing panics.
    async fn of(mut command: Command) -> Self {
        let Output { status, stdout, stderr } = command.spawn().unwrap().wait_with_output().await.unwrap();
        let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        for text in [&stdout, &stderr] {
            assert!(!text.contains(SECRET), "the key is shown: {text}");
            assert!(!text.contains("panicked"), "{text}");
        }
        Self { code: status.code(), stdout, stderr }
    }

    fn is_quiet(&self) -> bool {
        self.stdout.is_empty() && self.stderr.is_empty()
    }
}

async fn list(server: &Server, arguments: &[&str]) -> Ended {
    Program::new(&server.base_url()).run(&[&["list"], arguments].concat()).await
}

#[tokio::test]
async fn a_good_listing_is_data_and_nothing_else() {
    let server = Server::start(|request| Listing::of(230).reply(request)).await;
    let ids = list(&server, &["-o", "ids"]).await;
    let expected: Vec<_> = (0..230).map(|number| format!("w{number}")).collect();
    assert_eq!(
        (ids.code, ids.stdout.lines().collect::<Vec<_>>(), ids.stderr.as_str()),
        (Some(0), expected.iter().map(String::as_str).collect(), "")
    );

    let tsv = list(&server, &["-o", "tsv", "--limit", "2"]).await;
    assert_eq!(
        tsv.stdout,
        "w0\tactive\thttps://hooks.example.com/0\tcall.completed\t2024-03-01T10:00:00.000Z\n\
         w1\tactive\thttps://hooks.example.com/1\tcall.completed\t2024-03-01T10:00:00.000Z\n"
    );

    let json = list(&server, &["-o", "json"]).await;
    let read: Vec<serde_json::Value> = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.code, read.len(), json.stderr.as_str()), (Some(0), 230, ""));
    assert_eq!(read[7], serde_json::from_str::<serde_json::Value>(&row(7)).unwrap());
}

#[tokio::test]
async fn an_empty_workspace_is_no_error() {
    let server = Server::start(|request| Listing::of(0).reply(request)).await;
    for (format, expected) in [("ids", ""), ("tsv", ""), ("json", "[]\n")] {
        let ended = list(&server, &["-o", format]).await;
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), expected, ""));
    }
}

#[tokio::test]
async fn failures_have_codes_words_and_advice() {
    let message = r#"{"statusCode":0,"message":"as the server \u001b[31msays\u001b[0m","error":"x"}"#;
    for (reply, code, named) in [
        (Reply::status("401 Unauthorized", message), 3, "401"),
        (Reply::status("403 Forbidden", message), 3, "403"),
        (Reply::status("404 Not Found", message), 4, "404"),
        (Reply::status("500 Internal Server Error", message), 4, "500"),
        (Reply::status("429 Too Many Requests", message).header("Retry-After", "7200"), 4, "2 h"),
        (Reply::status("429 Too Many Requests", message).header("Retry-After", "61"), 4, "61 s"),
        (Reply::json("<!doctype html><script>alert(1)</script>"), 4, "HTML"),
        (Reply::json(""), 4, "empty"),
        (Reply::json(r#"{"data":[{"#), 4, "JSON"),
        (Reply::raw(""), 4, "connection lost"),
        (Reply::redirect("https://login.example.com/?token=abc"), 4, "https://login.example.com"),
    ] {
        let server = Server::always(reply).await;
        for format in ["json", "ids", "tsv"] {
            let ended = list(&server, &["-o", format]).await;
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{named}: {}", ended.stderr);
            assert!(ended.stderr.contains(named), "{named}: {}", ended.stderr);
            assert!(ended.stderr.contains(&server.address.to_string()), "{}", ended.stderr);
            assert!((1..=2).contains(&ended.stderr.lines().count()), "{}", ended.stderr);
            assert!(!ended.stderr.contains('\u{1b}'), "{}", ended.stderr);
            assert!(!ended.stderr.contains("token=abc"), "{}", ended.stderr);
        }
        assert_eq!(server.log().pages(), [1, 1, 1], "{named}");
    }
}

#[tokio::test]
async fn nobody_to_talk_to_is_named() {
    let ended = Program::new(&nobody().await).run(&["list"]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(4), ""));
    assert!(ended.stderr.contains("refused"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_page_that_fails_is_missing_and_named() {
    let server = Server::start(|request| match request.page() {
        2 => Reply::status("500 Internal Server Error", r#"{"message":"no database"}"#),
        _ => Listing::of(230).reply(request),
    })
    .await;
    for format in ["ids", "tsv", "json"] {
        let ended = list(&server, &["-o", format]).await;
        assert_eq!(ended.code, Some(5), "{}", ended.stderr);
        assert!(ended.stdout.contains("w99") && ended.stdout.contains("w229") && !ended.stdout.contains("w100"));
        for named in ["incomplete", "page 2", "500", "no database"] {
            assert!(ended.stderr.contains(named), "{named}: {}", ended.stderr);
        }
        if format == "json" {
            assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&ended.stdout).unwrap().len(), 130);
        }
    }
}

#[tokio::test]
async fn rows_that_are_no_webhooks_are_passed_by_json_and_counted() {
    let odd = r#"{"id":7,"url":"https://x","secret":"whsec_1"}"#;
    let server = Server::always(Reply::json(Envelope::Seed.wrap(&format!("{},{odd}", rows(0..2)), 1, 100, "3"))).await;
    let json = list(&server, &["-o", "json"]).await;
    let read: Vec<serde_json::Value> = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.code, &read[2]), (Some(5), &serde_json::json!({"id": 7, "url": "https://x"})));
    assert!(json.stderr.contains("1 malformed row"), "{}", json.stderr);
    for format in ["ids", "tsv"] {
        let lines = list(&server, &["-o", format]).await;
        assert_eq!((lines.code, lines.stdout.lines().count()), (Some(5), 2));
        assert!(lines.stderr.contains("left out"), "{}", lines.stderr);
    }
}

#[tokio::test]
async fn what_keeps_changing_is_delivered_with_a_warning() {
    let server = Server::start(|request| {
        let numbers = Listing::of(230).on_page(request.page(), 100);
        Reply::json(Envelope::Seed.wrap(&rows(numbers), request.page(), 100, "250"))
    })
    .await;
    let ended = list(&server, &["-o", "ids"]).await;
    assert_eq!((ended.code, ended.stdout.lines().count()), (Some(5), 230));
    assert!(ended.stderr.contains("250") && ended.stderr.contains("230"), "{}", ended.stderr);
}

#[tokio::test]
async fn an_ignored_scope_is_said_and_is_no_failure() {
    let server = Server::start(|request| Listing::of(30).reply(request)).await;
    let ended = list(&server, &["-o", "ids", "--scope", "inactive"]).await;
    assert_eq!((ended.code, ended.stdout.lines().count()), (Some(0), 10));
    assert!(ended.stderr.contains("is_active"), "{}", ended.stderr);
}

#[tokio::test]
async fn one_webhook_is_one_line_whatever_it_contains() {
    let row = r#"{"id":"a\nb\tc","url":"https://x/\u001b[2J\r\n","events":["e,f","\u202e"],"is_active":true,"created_at":"\u0000"}"#;
    let server = Server::always(Reply::json(format!("[{row}]"))).await;
    for (format, tabs) in [("ids", 0), ("tsv", 4)] {
        // The same page comes for every number: one is enough here.
        let ended = list(&server, &["-o", format, "--limit", "1"]).await;
        assert_eq!((ended.stdout.lines().count(), ended.stdout.matches('\t').count()), (1, tabs), "{}", ended.stdout);
        assert!(!ended.stdout.contains(['\u{1b}', '\r', '\u{202e}', '\0']), "{}", ended.stdout);
    }
}

#[tokio::test]
async fn a_closed_pipe_is_silence() {
    let server = Server::start(|request| Listing::of(2_000).reply(request)).await;
    for format in ["json", "ids", "tsv"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let program = Program::new(&server.base_url());
        let mut command = program.command(&["list", "-o", format]);
        command.stdout(writer);
        let ended = Ended::of(command).await;
        assert!(ended.code == Some(0) && ended.is_quiet(), "{:?} {}", ended.code, ended.stderr);
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error() {
    // Also what fits into the buffer, and so fails only when it is flushed.
    for rows in [1, 2_000] {
        let server = Server::start(move |request| Listing::of(rows).reply(request)).await;
        for format in ["json", "ids", "tsv"] {
            let program = Program::new(&server.base_url());
            let mut command = program.command(&["list", "-o", format]);
            command.stdout(File::options().write(true).open("/dev/full").unwrap());
            let ended = Ended::of(command).await;
            assert_eq!(ended.code, Some(4), "{}", ended.stderr);
            assert!(ended.stderr.contains("cannot write"), "{}", ended.stderr);
        }
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let hold = gate();
    let server = Server::start(move |request| Listing::of(1).reply(request).behind(&hold)).await;
    let ended = list(&server, &["--timeout", "1"]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(4), ""));
    assert!(ended.stderr.contains("timed out") && ended.stderr.contains("--timeout"), "{}", ended.stderr);
    server.until(|log| log.hung_up().contains(&1)).await;
}

#[tokio::test]
async fn an_answer_over_the_cap_of_the_config_is_named() {
    let server = Server::start(|request| Listing::of(2_000).reply(request)).await;
    let wide = format!(r#"[{{"id":"a","url":"https://x/{}"}}]"#, "y".repeat(70_000));
    let heavy = Server::always(Reply::json(wide)).await;
    let run = async |server: &Server| {
        let network = "max_page_bytes = 65536".to_owned();
        Program { network, ..Program::new(&server.base_url()) }.run(&["list"]).await
    };
    assert_eq!(run(&server).await.code, Some(0));
    let ended = run(&heavy).await;
    assert_eq!(ended.code, Some(4));
    assert!(ended.stderr.contains("max_page_bytes"), "{}", ended.stderr);
}

#[tokio::test]
async fn no_proxy_sees_what_goes_to_loopback() {
    let proxy = Server::always(Reply::status("502 Bad Gateway", "")).await;
    let server = Server::start(|request| Listing::of(3).reply(request)).await;
    let through = format!("http://{}", proxy.address);
    for network in ["retries = 0".to_owned(), format!("proxy = \"{through}\"")] {
        let program = Program { network, ..Program::new(&server.base_url()) };
        let mut command = program.command(&["list", "-o", "ids"]);
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env(name, &through);
        }
        let ended = Ended::of(command).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "w0\nw1\nw2\n"), "{}", ended.stderr);
    }
    assert_eq!(proxy.log().connections, 0);
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel_and_not_told_the_key() {
    let proxy = Server::always(Reply::status("502 Bad Gateway", "")).await;
    let program = Program::new("https://api.example.invalid");
    let mut command = program.command(&["list"]);
    command.env("HTTPS_PROXY", format!("http://{}", proxy.address));
    let ended = Ended::of(command).await;
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    let log = proxy.log();
    let tunnel = log.requests().next().unwrap();
    assert_eq!((tunnel.method.as_str(), tunnel.target.as_str()), ("CONNECT", "api.example.invalid:443"));
    assert_eq!(tunnel.header("authorization"), None);
    assert!(tunnel.headers.iter().all(|(_, value)| !value.contains(SECRET)));
}

#[tokio::test]
async fn a_variable_that_names_no_proxy_is_an_error_and_nothing_goes_straight() {
    let program = Program::new("https://api.example.invalid");
    for (value, words) in [
        ("http://bob:12#hunter2@proxy.example:3128", "write # as %23"),
        ("ftp://bob:hunter2@proxy.example", "must start with http://"),
    ] {
        let mut command = program.command(&["list"]);
        command.env("HTTPS_PROXY", value);
        let ended = Ended::of(command).await;
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains("HTTPS_PROXY: ") && ended.stderr.contains(words), "{}", ended.stderr);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    }
}
