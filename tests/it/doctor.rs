//! `hookscope doctor` against everything that can be broken between a config and the API.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests: what fails here fails the test, and clippy allows that in test functions only"
)]

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tempfile::TempDir;
use tokio::process::Command;

use crate::faults::server::{End, KEY, Listing, Reply, SECRET, Server, gate, nobody};

/// Every step, in order.
const STEPS: [&str; 15] = [
    "config",
    "permissions",
    "key",
    "base URL",
    "proxy",
    "DNS",
    "TCP",
    "TLS",
    "clock",
    "API",
    "rate limit",
    "terminal",
    "colors",
    "unicode",
    "clipboard",
];
/// Those that need no network.
const LOCAL: [&str; 4] = ["terminal", "colors", "unicode", "clipboard"];

/// A name that no resolver asks anybody for: one of its labels is too long.
fn unknown_host() -> String {
    format!("{}.invalid", "a".repeat(64))
}

/// A home with nothing of the real environment.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// The config at its usual place.
    fn config(self, text: &str, mode: u32) -> Self {
        self.write("hookscope/config.toml", text, mode);
        self
    }

    /// Without a key of the environment.
    fn keyless(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookscope"));
        command
            .arg("doctor")
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.0.path())
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.keyless(arguments);
        command.env("DIALNEXA_API_KEY", KEY);
        command
    }

    async fn at(&self, base_url: &str) -> Said {
        Said::of(self.command(&["--base-url", base_url])).await
    }
}

/// What it said, and how it ended.
struct Said {
    code: Option<i32>,
    text: String,
    stderr: String,
}

impl Said {
    /// Whatever happens, the key is told nowhere.
    async fn of(mut command: Command) -> Self {
        let Output { status, stdout, stderr } = command.spawn().unwrap().wait_with_output().await.unwrap();
        let [text, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        for said in [&text, &stderr] {
            assert!(!said.contains(SECRET) && !said.contains("hunter2"), "a secret is shown: {said}");
            assert!(!said.contains("panicked") && !said.contains('\u{1b}'), "{said}");
        }
        Self { code: status.code(), text, stderr }
    }

    /// The mark and the words of a step.
    fn step(&self, step: &str) -> (&str, &str) {
        let line = self.text.lines().find_map(|line| {
            let (mark, rest) = line.split_at_checked(6)?;
            let (name, words) = rest.split_at_checked(13)?;
            (name.trim_end() == step).then_some((mark.trim_end(), words))
        });
        line.unwrap_or_else(|| panic!("no step {step} in\n{}{}", self.text, self.stderr))
    }

    fn last(&self) -> &str {
        self.text.lines().last().unwrap_or_default()
    }

    /// The step is what is broken: with these words, this code, and nothing after it but what needs no network.
    fn assert_broken(&self, step: &str, code: i32, words: &[&str]) {
        let (mark, said) = self.step(step);
        assert_eq!((mark, self.code), ("FAIL", Some(code)), "{}{}", self.text, self.stderr);
        assert_eq!(self.stderr, "");
        assert!(self.last().starts_with(&format!("failed: {step}: {said}")), "{}", self.text);
        for word in words {
            assert!(self.last().contains(word), "{word} is missing in {}", self.text);
        }
        assert_eq!(self.text.lines().filter(|line| line.starts_with("FAIL")).count(), 1, "{}", self.text);
        for local in LOCAL {
            assert!(matches!(self.step(local).0, "ok" | "note"), "{}", self.text);
        }
    }

    fn assert_skipped(&self, steps: &[&str], cause: &str) {
        for step in steps {
            assert_eq!(self.step(step), ("skip", format!("{cause} failed").as_str()), "{}", self.text);
        }
    }

    fn assert_marks(&self, mark: &str, steps: &[&str]) {
        for step in steps {
            assert_eq!(self.step(step).0, mark, "{step} in\n{}", self.text);
        }
    }
}

async fn listing() -> Server {
    Server::start(|request| Listing::of(230).reply(request)).await
}

mod whole {
    use super::*;

    #[tokio::test]
    async fn the_demo_works_without_anything() {
        let place = Place::new();
        let said = Said::of(place.keyless(&["--demo"])).await;
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{}", said.text);
        let steps: Vec<_> =
            said.text.lines().take(STEPS.len()).map(|line| line.split_at(6).1.split_at(13).0.trim_end()).collect();
        assert_eq!(steps, STEPS);
        assert_eq!(said.text.lines().count(), STEPS.len() + 1);
        assert_eq!(said.step("API").1.split_once(": ").unwrap().1, "1,200 webhooks");
        assert_eq!(said.last(), "everything works; 1 note");
        assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 0, "nothing is written");
    }

    #[tokio::test]
    async fn one_request_is_all_it_sends() {
        let server = listing().await;
        let said = Place::new().at(&server.base_url()).await;
        assert_eq!(said.code, Some(0), "{}", said.text);
        assert_eq!(said.step("API").1.split_once(": ").unwrap().1, "230 webhooks");
        let log = server.log();
        let request = log.requests().next().unwrap();
        assert_eq!((log.requests().count(), request.target.as_str()), (1, "/v1/user-webhooks?page=1&limit=1"));
    }

    #[tokio::test]
    async fn the_config_and_its_profile_are_named() {
        let server = listing().await;
        let text = format!("[profiles.staging]\napi_key = \"{KEY}\"\nbase_url = \"{}\"\n", server.base_url());
        let place = Place::new().config(&text, 0o600);
        let said = Said::of(place.keyless(&["--profile", "staging"])).await;
        assert_eq!(said.code, Some(0), "{}", said.text);
        let config = place.path("hookscope/config.toml").display().to_string();
        assert_eq!(said.step("config").1, format!("{config} (default location), profile staging (--profile)"));
        assert_eq!(said.step("permissions"), ("ok", "0600, owned by you; contains a key"));
        assert_eq!(said.step("key").1, format!("{config}:2, id key_of_tests"));
        assert_eq!(said.step("base URL").1, format!("{} ({config}:3)", server.base_url()));
    }

    #[tokio::test]
    async fn a_key_may_be_in_a_file_or_come_from_a_command() {
        let server = listing().await;
        let place = Place::new();
        place.write("key", KEY, 0o600);
        for (line, shown) in [
            (format!("api_key_file = \"{}\"", place.path("key").display()), "key), id key_of_tests"),
            (format!("api_key_command = [\"printf\", \"{KEY}\"]"), "(command printf), id key_of_tests"),
        ] {
            let config = place.write("x.toml", format!("{line}\nbase_url = \"{}\"", server.base_url()), 0o644);
            let said = Said::of(place.keyless(&["--config", config.to_str().unwrap()])).await;
            assert_eq!(said.code, Some(0), "{}", said.text);
            assert!(said.step("key").1.ends_with(shown), "{}", said.text);
            assert_eq!(said.step("permissions"), ("ok", "0644, owned by you; contains no key"));
        }
    }

    #[tokio::test]
    async fn it_asks_the_api_and_only_one_workspace() {
        for option in [&["--from", "x.json"][..], &["--all-profiles"]] {
            let said = Said::of(Place::new().command(option)).await;
            assert_eq!((said.code, said.text.as_str()), (Some(2), ""), "{}", said.stderr);
            assert!(said.stderr.contains(option.first().unwrap()), "{}", said.stderr);
        }
    }

    #[tokio::test]
    async fn a_closed_pipe_is_silence_and_a_full_disk_an_error() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let place = Place::new();
        let mut command = place.command(&["--demo"]);
        command.stdout(writer);
        let said = Said::of(command).await;
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
        let mut command = place.command(&["--demo"]);
        command.stdout(File::options().write(true).open("/dev/full").unwrap());
        let said = Said::of(command).await;
        assert_eq!(said.code, Some(4));
        assert!(said.stderr.contains("cannot write"), "{}", said.stderr);
    }
}

mod configuration {
    use super::*;

    const AFTER: [&str; 9] = ["key", "base URL", "proxy", "DNS", "TCP", "TLS", "clock", "API", "rate limit"];

    #[tokio::test]
    async fn a_config_that_cannot_be_read() {
        let place = Place::new().config(&format!("api_key = {KEY}\n"), 0o600);
        let said = Said::of(place.command(&[])).await;
        said.assert_broken("config", 2, &["config.toml:1:"]);
        said.assert_skipped(&["permissions"], "config");
        said.assert_skipped(&AFTER, "config");
        let said = Said::of(place.command(&["--config", "missing.toml"])).await;
        said.assert_broken("config", 2, &["missing.toml: No such file"]);
        let said = Said::of(Place::new().config("[profiles.a]", 0o600).command(&["--profile", "b"])).await;
        said.assert_broken("config", 2, &["--profile: unknown profile b", "Profiles: a"]);
        said.assert_skipped(&AFTER, "config");
    }

    #[tokio::test]
    async fn a_key_that_others_can_read() {
        let place = Place::new().config(&format!("api_key = \"{KEY}\""), 0o644);
        let said = Said::of(place.keyless(&[])).await;
        said.assert_broken("permissions", 2, &["others can read it", "Run: chmod 600 /"]);
        said.assert_marks("ok", &["config"]);
        said.assert_skipped(&AFTER, "permissions");
    }

    #[tokio::test]
    async fn a_config_that_others_can_write() {
        let place = Place::new().config("[ui]\nmouse = true\n", 0o666);
        let said = Said::of(place.keyless(&[])).await;
        said.assert_broken("permissions", 2, &["its group or others can write to it", "Run: chmod go-w /"]);
        said.assert_skipped(&AFTER, "permissions");
    }

    #[tokio::test]
    async fn a_key_that_is_too_short() {
        let server = listing().await;
        let place = Place::new().config("", 0o600);
        let mut command = place.keyless(&[]);
        command.env("DIALNEXA_API_KEY", "k:s").env("DIALNEXA_BASE_URL", server.base_url());
        let said = Said::of(command).await;
        said.assert_broken("key", 2, &["DIALNEXA_API_KEY, id k: not a valid key", "fewer than 8 characters"]);
        said.assert_marks("ok", &["base URL", "TCP", "API"]);
    }

    #[tokio::test]
    async fn no_key() {
        let server = listing().await;
        let place = Place::new();
        place.write("key", KEY, 0o644);
        for (line, words) in [
            ("", "no API key. Add api_key to "),
            ("api_key_file = \"key\"", "Run: chmod 600 "),
            ("api_key_command = [\"false\"]", "api_key_command: \"false\" failed"),
        ] {
            let config = format!("{line}\nbase_url = \"{}\"", server.base_url());
            let config = place.write("x.toml", &config, 0o600);
            let said = Said::of(place.keyless(&["--config", config.to_str().unwrap()])).await;
            said.assert_broken("key", 2, &[words]);
            // What does not need the key is looked at all the same.
            said.assert_marks("ok", &["base URL", "proxy", "TCP"]);
            said.assert_skipped(&["TLS", "clock", "API", "rate limit"], "key");
        }
        let mut command = place.keyless(&["--base-url", &server.base_url()]);
        command.env("DIALNEXA_API_KEY", "");
        Said::of(command).await.assert_broken(
            "key",
            2,
            &["DIALNEXA_API_KEY: the API key is empty", "unset it to use the key of the config"],
        );
        assert_eq!(server.log().requests().count(), 0);
    }

    #[tokio::test]
    async fn a_key_for_another_address_is_not_sent() {
        let server = listing().await;
        let place = Place::new().config(&format!("api_key = \"{KEY}\""), 0o600);
        let said = Said::of(place.keyless(&["--base-url", &server.base_url()])).await;
        said.assert_broken("key", 2, &["nothing was sent", "add a profile for it"]);
        assert_eq!(server.log().requests().count(), 0);
    }

    #[tokio::test]
    async fn an_address_that_is_none() {
        for wrong in ["ftp://x", "http://api.example", ""] {
            let said = Place::new().at(wrong).await;
            said.assert_broken("base URL", 2, &["--base-url: "]);
            said.assert_marks("ok", &["key"]);
            said.assert_skipped(&["proxy", "DNS", "TCP", "TLS", "clock", "API", "rate limit"], "base URL");
        }
    }
}

mod network {
    use super::*;

    const AFTER_TCP: [&str; 4] = ["TLS", "clock", "API", "rate limit"];

    #[tokio::test]
    async fn a_name_that_nobody_knows() {
        let said = Place::new().at(&format!("https://{}", unknown_host())).await;
        said.assert_broken("DNS", 4, &["host name not found", "Check base_url and the DNS settings"]);
        said.assert_marks("ok", &["key", "base URL", "proxy"]);
        said.assert_skipped(&["TCP"], "DNS");
        said.assert_skipped(&AFTER_TCP, "DNS");
    }

    #[tokio::test]
    async fn a_name_that_is_known() {
        let server = listing().await;
        let said = Place::new().at(&format!("http://localhost:{}/v1", server.address.port())).await;
        let (mark, words) = said.step("DNS");
        assert!(mark == "ok" && words.starts_with("localhost resolved to ") && words.contains("127.0.0.1"), "{words}");
        assert_eq!(said.code, Some(0), "{}", said.text);
    }

    #[tokio::test]
    async fn nobody_listens() {
        let said = Place::new().at(&nobody().await).await;
        said.assert_broken("TCP", 4, &["connection refused: 127.0.0.1:"]);
        said.assert_skipped(&AFTER_TCP, "TCP");
    }

    #[tokio::test]
    async fn a_proxy_that_opens_no_tunnel() {
        let proxy = Server::always(Reply::status("407 Proxy Authentication Required", "")).await;
        let place = Place::new();
        let through = format!("http://bob:hunter2@{}", proxy.address);
        let named = place.write("proxy.toml", format!("[network]\nproxy = \"{through}\""), 0o600);
        let base_url = ["--base-url", "https://api.example.invalid"];
        let mut by_variable = place.command(&base_url);
        by_variable.env("HTTPS_PROXY", &through);
        let mut by_config = place.command(&base_url);
        by_config.env("HOOKSCOPE_CONFIG", named);
        for (command, source) in [(by_variable, "(HTTPS_PROXY)"), (by_config, "(network.proxy)")] {
            let said = Said::of(command).await;
            said.assert_broken("tunnel", 4, &["proxy: 407, wrong user name or password", source, "sent only once"]);
            assert!(said.step("proxy").1.ends_with(source), "{}", said.text);
            assert!(
                said.step("TCP").1.starts_with(&format!("connected to the proxy at {}", proxy.address)),
                "{}",
                said.text
            );
            said.assert_skipped(&["TLS", "clock", "API", "rate limit"], "tunnel");
        }
        assert!(proxy.log().requests().all(|request| request.method == "CONNECT"));
    }

    #[tokio::test]
    async fn a_proxy_that_is_not_for_this_address() {
        let proxy = Server::always(Reply::status("502 Bad Gateway", "")).await;
        let host = unknown_host();
        let place = Place::new();
        let mut excepted = place.command(&["--base-url", &format!("https://{host}")]);
        excepted.env("HTTPS_PROXY", format!("http://{}", proxy.address)).env("NO_PROXY", "x.example,invalid");
        let said = Said::of(excepted).await;
        assert_eq!(said.step("proxy"), ("ok", "none: no proxy variable applies to this host"));
        said.assert_broken("DNS", 4, &[]);
        let server = listing().await;
        let mut loopback = place.command(&["--base-url", &server.base_url()]);
        loopback.env("ALL_PROXY", format!("http://{}", proxy.address));
        let said = Said::of(loopback).await;
        assert_eq!((said.step("proxy").0, said.code), ("ok", Some(0)), "{}", said.text);
        assert_eq!(proxy.log().connections, 0);
    }

    #[tokio::test]
    async fn a_proxy_that_is_not_there_is_named() {
        let nobody = nobody().await.replace("/v1", "");
        let place = Place::new();
        let mut command = place.command(&["--base-url", "https://api.example.invalid"]);
        command.env("https_proxy", &nobody);
        Said::of(command).await.assert_broken("TCP", 4, &["proxy: connection refused", "(https_proxy), at 127.0.0.1:"]);
    }
}

mod answers {
    use super::*;

    #[tokio::test]
    async fn refusals_and_nonsense_are_told_apart() {
        let message = format!(r#"{{"statusCode":0,"message":"no {KEY} \u001b[31m here"}}"#);
        for (reply, code, words) in [
            (Reply::status("401 Unauthorized", message.clone()), 3, &["401 unauthorized: no ***", "wrong or revoked"][..]),
            (Reply::status("403 Forbidden", message.clone()), 3, &["403 forbidden", "permission to read webhooks"]),
            (Reply::status("404 Not Found", ""), 4, &["404 not found", "The server has no /v1/user-webhooks"]),
            (Reply::status("500 Internal Server Error", ""), 4, &["500 Internal Server Error", "try again later"]),
            (Reply::status("429 Too Many Requests", "").header("Retry-After", "61"), 4, &["429", "61 s"]),
            (Reply::json("<!doctype html>"), 4, &["HTML instead of JSON", "A login page or a proxy"]),
            (Reply::json(""), 4, &["empty response"]),
            (Reply::raw(""), 4, &["connection lost"]),
            (Reply::json("{\"data\":[").declaring(400).ending(End::Reset), 4, &["connection lost"]),
            (Reply::redirect("https://login.example/?token=hunter2"), 4, &["unexpected redirect"]),
        ] {
            let server = Server::always(reply).await;
            let said = Place::new().at(&server.base_url()).await;
            said.assert_broken("API", code, words);
            said.assert_marks("ok", &["key", "base URL", "proxy", "TCP"]);
            assert_eq!(server.log().requests().count(), 1, "nothing is tried again");
        }
    }

    #[tokio::test]
    async fn an_answer_that_never_comes() {
        let hold = gate();
        let server = Server::start(move |request| Listing::of(1).reply(request).behind(&hold)).await;
        let place = Place::new();
        let said = Said::of(place.command(&["--base-url", &server.base_url(), "--timeout", "1"])).await;
        said.assert_broken("API", 4, &["timed out", "--timeout"]);
        assert_eq!(said.step("clock"), ("skip", "no response"));
        assert_eq!(said.step("rate limit"), ("skip", "no response"));
    }

    #[tokio::test]
    async fn clock_and_rate_limit_are_told_with_refusals_too() {
        // Its date is one of 2024.
        let reply = Reply::status("401 Unauthorized", "{}").rate(600, 119, 30);
        let said = Place::new().at(&Server::always(reply).await.base_url()).await;
        said.assert_broken("API", 3, &[]);
        let (mark, words) = said.step("clock");
        assert!(mark == "note" && words.ends_with(" s ahead of the server"), "{words}");
        assert_eq!(said.step("rate limit"), ("note", "119 of 600 requests left, resets in 30 s"));
    }

    #[tokio::test]
    async fn what_the_server_does_not_tell_is_skipped() {
        let said = Place::new().at(&Server::always(Reply::json("[]")).await.base_url()).await;
        assert_eq!(said.code, Some(0), "{}", said.text);
        assert_eq!(said.step("clock"), ("skip", "not reported by the server"));
        assert_eq!(said.step("rate limit"), ("skip", "not reported by the server"));
        assert!(said.step("API").1.ends_with(": 0 on the page, total unknown"), "{}", said.text);
        let plenty = Server::always(Reply::json("[]").rate(600, 120, 30)).await;
        assert_eq!(Place::new().at(&plenty.base_url()).await.step("rate limit").0, "ok");
    }
}

mod tls {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinSet;
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::tls::Authority;

    /// A server that answers every request with an empty workspace, until it is dropped.
    struct Secure {
        address: SocketAddr,
        _accepting: JoinSet<()>,
    }

    impl Secure {
        async fn start(config: rustls::ServerConfig) -> Self {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let address = listener.local_addr().unwrap();
            let acceptor = TlsAcceptor::from(Arc::new(config));
            let mut accepting = JoinSet::new();
            accepting.spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    // A client that does not trust us breaks off.
                    drop(answer(&acceptor, stream).await);
                }
            });
            Self { address, _accepting: accepting }
        }
    }

    async fn answer(acceptor: &TlsAcceptor, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = acceptor.accept(stream).await?;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]").await?;
        stream.shutdown().await
    }

    /// What it says of a server while only one authority is trusted.
    async fn examine(address: &str, place: &Place, trusted: &Authority) -> Said {
        // In place of the certificates of this machine.
        let system = place.write("system.pem", &Authority::new("Some other authority").pem, 0o644);
        let ca = place.write("ca.pem", &trusted.pem, 0o644);
        let config = place.write("tls.toml", format!("[network]\nca_file = \"{}\"", ca.display()), 0o600);
        run(address, place, &system, Some(&config)).await
    }

    async fn run(address: &str, place: &Place, system: &Path, config: Option<&Path>) -> Said {
        let mut command = place.command(&["--base-url", &format!("https://{address}"), "--timeout", "20"]);
        command.env("SSL_CERT_FILE", system).envs(config.map(|config| ("HOOKSCOPE_CONFIG", config)));
        Said::of(command).await
    }

    #[tokio::test]
    async fn a_certificate_that_is_accepted_has_an_issuer_and_days() {
        let authority = Authority::new("Test CA");
        for (days, mark) in [(60, "ok"), (10, "note")] {
            let server = Secure::start(authority.sign("127.0.0.1", -1, days)).await;
            let said = examine(&server.address.to_string(), &Place::new(), &authority).await;
            assert_eq!(said.code, Some(0), "{}", said.text);
            let (found, words) = said.step("TLS");
            assert_eq!(found, mark, "{words}");
            let left = words
                .strip_prefix("certificate issued by Test CA (Tests), expires in ")
                .and_then(|rest| rest.strip_suffix(" days"));
            let left: i64 = left.unwrap_or_else(|| panic!("{words}")).parse().unwrap();
            assert!((days - 2..=days).contains(&left), "{words}");
        }
    }

    #[tokio::test]
    async fn a_certificate_that_is_not_accepted_says_why() {
        let authority = Authority::new("Test CA");
        let stranger = Authority::new("A stranger");
        for (config, words) in [
            (authority.sign("127.0.0.1", -30, -3), &["certificate expired: it was valid until 2", "the clock"][..]),
            (authority.sign("127.0.0.1", 3, 30), &["certificate not yet valid: it is valid from 2", "the clock"]),
            (stranger.sign("127.0.0.1", -1, 60), &["certificate not trusted", "network.ca_file"]),
            (authority.sign("other.example", -1, 60), &["name mismatch", "other.example", "127.0.0.1", "base_url"]),
        ] {
            let server = Secure::start(config).await;
            let said = examine(&server.address.to_string(), &Place::new(), &authority).await;
            said.assert_broken("TLS", 4, words);
            said.assert_marks("ok", &["key", "base URL", "proxy", "TCP"]);
            said.assert_skipped(&["clock", "API", "rate limit"], "TLS");
        }
    }

    #[tokio::test]
    async fn what_does_not_speak_tls_is_no_api() {
        let place = Place::new();
        let authority = Authority::new("Test CA");
        let plain = Server::always(Reply::status("400 Bad Request", "")).await;
        examine(&plain.address.to_string(), &place, &authority).await.assert_broken(
            "TLS",
            4,
            &["failed: TLS: the response is not TLS"],
        );
        let closes = Server::always(Reply::raw("")).await;
        examine(&closes.address.to_string(), &place, &authority).await.assert_broken("TLS", 4, &[]);
    }

    #[tokio::test]
    async fn a_handshake_that_never_ends() {
        // The system takes the connection, and nobody ever looks at it.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base_url = format!("https://{}", listener.local_addr().unwrap());
        let place = Place::new();
        let said = Said::of(place.command(&["--base-url", &base_url, "--timeout", "1"])).await;
        said.assert_broken("TLS", 4, &["timed out"]);
    }

    /// `probe` reads the file by itself.
    #[tokio::test]
    async fn certificates_may_be_in_der_and_in_the_home_directory() {
        let authority = Authority::new("Test CA");
        let server = Secure::start(authority.sign("127.0.0.1", -1, 60)).await;
        let place = Place::new();
        let system = place.write("system.pem", &Authority::new("Some other authority").pem, 0o644);
        let config = place.write("below/tls.toml", "[network]\nca_file = \"~/own/ca.der\"\n", 0o600);
        let address = server.address.to_string();
        for (content, works) in [(&authority.der, true), (&authority.pem.into_bytes(), true), (&vec![0x30, 0x03], false)] {
            place.write("own/ca.der", content, 0o644);
            let said = run(&address, &place, &system, Some(&config)).await;
            if works {
                said.assert_marks("ok", &["TLS", "API"]);
            } else {
                said.assert_broken("TLS", 2, &["cannot set up the connection", "network.ca_file"]);
            }
            let rows = format!(r#"[{{"id":"a","url":"https://{address}/","events":[],"is_active":true}}]"#);
            place.write("rows.json", rows, 0o600);
            let mut probe = Command::new(env!("CARGO_BIN_EXE_hookscope"));
            probe.args(["probe", "--from", "rows.json", "--allow-private", "-o", "json", "--config"]).arg(&config);
            probe.env_clear().env("HOME", place.0.path()).env("SSL_CERT_FILE", &system).current_dir(place.0.path());
            let output = probe.output().await.unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert_eq!((output.status.success(), text.contains(r#""days_left""#)), (works, works), "{output:?}");
        }
    }

    #[tokio::test]
    async fn certificates_that_cannot_be_read() {
        let authority = Authority::new("Test CA");
        let server = Secure::start(authority.sign("127.0.0.1", -1, 60)).await;
        let place = Place::new();
        let system = place.write("system.pem", &authority.pem, 0o644);
        for (file, words) in [
            ("missing.pem", &["network.ca_file: No such file", "missing.pem"][..]),
            ("~/missing.pem", &["network.ca_file: No such file", "/missing.pem"]),
            ("broken.pem", &["cannot set up the connection"]),
        ] {
            place.write("broken.pem", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", 0o644);
            let config = place.write("tls.toml", format!("[network]\nca_file = \"{file}\""), 0o600);
            let said = run(&server.address.to_string(), &place, &system, Some(&config)).await;
            said.assert_broken("TLS", 2, words);
        }
    }
}

mod terminal {
    use super::*;
    use crate::pty::session::{Exit, HOOKSCOPE, Setup};

    async fn with(setting: impl FnOnce(&Place, &mut Command)) -> Said {
        let place = Place::new();
        let mut command = place.command(&["--demo"]);
        setting(&place, &mut command);
        let said = Said::of(command).await;
        assert_eq!(said.code, Some(0), "notes change nothing: {}", said.text);
        said
    }

    #[test]
    fn its_size_is_told() {
        let mut session = Setup::new(HOOKSCOPE, &["doctor", "--demo"]).size(133, 41).start();
        assert_eq!(session.exit_and_drain(), Exit::Code(0));
        let text = session.look(|seen| String::from_utf8_lossy(seen.raw()).into_owned());
        assert!(text.contains("ok    terminal     133 columns, 41 rows, TERM=xterm-256color"), "{text}");
        assert!(text.contains("\neverything works\r\n"), "{text}");
    }

    #[tokio::test]
    async fn what_limits_it_is_noted() {
        let said = with(|_, command| {
            command.env("NO_COLOR", "1").env("LANG", "C").env("TERM", "dumb");
        })
        .await;
        assert_eq!(said.step("terminal").0, "note");
        assert_eq!(said.step("colors"), ("note", "off: NO_COLOR is set; --color always overrides it"));
        assert_eq!(said.step("unicode"), ("note", "LANG=C: not UTF-8, so the explorer draws only ASCII"));
        assert_eq!(said.last(), "everything works; 3 notes");
        let said = with(|_, command| {
            command.arg("--color=never").env("COLORTERM", "truecolor\u{1b}[31m").env_remove("LANG");
        })
        .await;
        assert_eq!(said.step("colors"), ("note", "off: --color never"));
        assert!(said.step("unicode").1.starts_with("no locale set"));
    }

    #[tokio::test]
    async fn tmux_is_asked_what_it_does_with_the_clipboard() {
        let tmux = async |script: &str| {
            with(|place, command| {
                let program = place.write("bin/tmux", format!("#!/bin/sh\n{script}\n"), 0o755);
                let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
                command.env("TMUX", "/tmp/tmux-0/default,1,0").env("PATH", path);
            })
            .await
        };
        let stops = tmux(r#"case "$*" in "show-options -gv set-clipboard") echo external;; *) echo off;; esac"#).await;
        let (mark, words) = stops.step("clipboard");
        assert!(mark == "note" && words.contains("tmux set -s set-clipboard on"), "{words}");
        assert_eq!(tmux("echo on").await.step("clipboard").0, "ok");
        for script in ["exit 1", "exec sleep 600", "yes '\u{1b}[31m'"] {
            assert_eq!(tmux(script).await.step("clipboard").0, "note", "{script}");
        }
    }

    #[tokio::test]
    async fn gnu_screen_and_the_linux_console_are_known() {
        let said = with(|_, command| {
            command.env("STY", "1234.pts-0.host").env("TERM", "screen");
        })
        .await;
        let (mark, words) = said.step("clipboard");
        assert!(mark == "ok" && words.contains("wrapped for GNU screen"), "{words}");
        let said = with(|_, command| {
            command.env("TERM", "linux").env("LANG", "C.UTF-8");
        })
        .await;
        assert!(said.step("unicode").1.contains("TERM=linux"), "{}", said.text);
    }

    #[tokio::test]
    async fn a_plain_screen_needs_no_tmux() {
        let said = with(|place, command| {
            let config = place.write("x.toml", "[ui]\nclipboard = \"screen\"\nascii = true", 0o644);
            command.env("HOOKSCOPE_CONFIG", config).env("TMUX", "x");
        })
        .await;
        assert_eq!(said.step("clipboard"), ("ok", "plain screen for selecting by hand (ui.clipboard)"));
        assert!(said.step("unicode").1.starts_with("off: ui.ascii"));
    }
}
