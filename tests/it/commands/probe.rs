//! `hookscope probe`: where webhooks deliver to, and whether that is reachable from here.

use std::fs::File;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use super::{Ended, Home, profile, serving};
use crate::faults::server::{Reply, Server};
use crate::tls::Authority;

/// A destination that answers.
async fn alive(status: &str) -> Server {
    Server::always(Reply::status(status, "")).await
}

/// A destination where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn row(id: &str, url: &str, active: bool) -> String {
    format!(r#"{{"id":"{id}","url":"{url}","events":["e"],"is_active":{active}}}"#)
}

/// The command over these rows, from a file, in a home with certificates of its own.
fn over(rows: &[String], arguments: &[&str]) -> (Home, Command) {
    let home = Home::new();
    home.write("rows.json", format!("[{}]", rows.join(",")));
    let system = home.write("system.pem", &Authority::new("The system").pem);
    let mut command = home.command(&[&["probe", "--from", "rows.json", "--allow-private"], arguments].concat());
    command.env("SSL_CERT_FILE", system);
    (home, command)
}

async fn probe(rows: &[String], arguments: &[&str]) -> Ended {
    let (_home, command) = over(rows, arguments);
    Ended::of(command).await
}

fn parsed(ended: &Ended) -> Vec<Value> {
    serde_json::from_str(&ended.stdout).unwrap()
}

fn of<'a>(records: &'a [Value], origin: &str) -> &'a Value {
    records.iter().find(|record| record["origin"] == origin).unwrap()
}

#[tokio::test]
async fn each_origin_is_told_once_with_its_webhooks() {
    let server = alive("200 OK").await;
    let (up, down) = (format!("http://{}", server.address), nobody().await);
    let rows = [
        row("a", &format!("{up}/1"), true),
        row("b", &format!("{up}/2"), false),
        row("c", &down, true),
        row("d", "no url", true),
        row("e", "https://a.invalid/x", false),
    ];
    let ended = probe(&rows, &["-o", "json"]).await;
    ended.says(1, &["1 of 4 reachable from this host, 2 unreachable, 1 not tried"]);
    assert!(!ended.stderr.contains("healthy") && !ended.stderr.contains("does DNS work"));
    let unnamed = [row("a", "https://a.invalid/", true), row("b", "https://b.invalid/", true)];
    probe(&unnamed, &["-o", "json"]).await.says(1, &["2 unreachable: no host name was found; check DNS on this host"]);
    let records = parsed(&ended);
    let origins: Vec<_> = records.iter().map(|record| record["origin"].as_str().unwrap()).collect();
    assert!(origins.len() == 4 && origins.is_sorted(), "{origins:?}");
    let record = of(&records, &up);
    assert_eq!(
        (&record["state"], &record["error"], &record["address"]),
        (&"reachable".into(), &Value::Null, &"127.0.0.1".into())
    );
    assert_eq!((&record["active"], &record["inactive"]), (&1.into(), &1.into()));
    assert_eq!(record["webhooks"], serde_json::json!(["a", "b"]));
    assert!(record["tcp_ms"].is_u64() && record["total_ms"].is_u64() && record["tls_ms"].is_null());
    assert_eq!((&of(&records, &down)["error"], &of(&records, &down)["step"]), (&"refused".into(), &"tcp".into()));
    assert_eq!(of(&records, &down)["detail"], "Connection refused");
    assert_eq!(of(&records, "no url")["error"], "invalid-url");
    assert_eq!(of(&records, "https://a.invalid")["error"], "dns");
    // Nothing is asked of a destination unless it is wished.
    assert_eq!(server.log().requests().count(), 0);
}

#[tokio::test]
async fn with_http_each_url_is_told() {
    let server = Server::start(|request| match request.target.as_str() {
        "/ok" => Reply::status("200 OK", ""),
        "/trouble" => Reply::status("503 Service Unavailable", ""),
        _ => Reply::status("404 Not Found", ""),
    })
    .await;
    let at = |path: &str| format!("http://{}{path}", server.address);
    let rows = [
        row("a", &at("/ok"), true),
        row("b", &at("/trouble"), true),
        row("c", &at("/gone?token=hunter2"), true),
        row("d", &at("/ok#x"), true),
    ];
    let ended = probe(&rows, &["--http", "-o", "json"]).await;
    ended.says(0, &["3 of 3 reachable from this host"]);
    let records = parsed(&ended);
    let figures: Vec<_> = records.iter().map(|record| (record["url"].as_str().unwrap(), &record["http_status"])).collect();
    let expected = [(at("/gone?token=hunter2"), 404), (at("/ok"), 200), (at("/trouble"), 503)];
    assert_eq!(
        figures,
        expected.each_ref().map(|(url, status)| (url.as_str(), &*Box::leak(Box::new(Value::from(*status)))))
    );
    assert_eq!(records[1]["webhooks"], serde_json::json!(["a", "d"]));
    assert_eq!(records[2]["warnings"], serde_json::json!(["server-error"]));
    assert!(server.log().requests().all(|request| request.method == "HEAD"));
    let table = probe(&rows, &["--http", "-o", "table"]).await;
    assert!(table.stdout.contains("token=***") && !table.stdout.contains("hunter2"), "{}", table.stdout);
    assert!(table.stdout.contains("server error"));
}

#[tokio::test]
async fn a_redirect_is_reachable_with_a_warning_and_the_origin_of_its_target() {
    let server = Server::start(|request| {
        let (status, target) = match request.target.as_str() {
            "/301" => ("301 Moved Permanently", Some("https://New.example.com:443/hooks?token=hunter2hunter2")),
            "/302" => ("302 Found", Some("/sign-in")),
            "/303" => ("303 See Other", Some("http://[")),
            "/307" => ("307 Temporary Redirect", Some("https://u:hunter2hunter2@c.example.com/")),
            "/308" => ("308 Permanent Redirect", None),
            _ => ("204 No Content", Some("https://not.example.com/")),
        };
        let reply = Reply::status(status, "");
        target.map_or(reply.clone(), |target| reply.header("Location", target))
    })
    .await;
    let own = format!("http://{}", server.address);
    let paths = ["204", "301", "302", "303", "307", "308"];
    let rows: Vec<_> = paths.iter().map(|path| row(path, &format!("{own}/{path}"), true)).collect();
    let ended = probe(&rows, &["--http", "-o", "json"]).await;
    ended.says(0, &["6 of 6 reachable from this host"]);
    assert!(!ended.stdout.contains("hunter2"));
    let records = parsed(&ended);
    let targets: Vec<_> = records.iter().map(|record| record["redirects_to"].as_str()).collect();
    let new = Some("https://new.example.com");
    assert_eq!(targets, [None, new, Some(own.as_str()), None, Some("https://c.example.com"), None]);
    for (record, path) in records.iter().zip(paths) {
        let warnings = if path == "204" { serde_json::json!([]) } else { serde_json::json!(["redirects"]) };
        assert_eq!((&record["warnings"], &record["state"]), (&warnings, &"reachable".into()), "{path}");
    }
    let table = probe(&rows, &["--http", "-o", "table"]).await;
    assert!(table.stdout.contains("redirects to https://new.example.com; DialNexa requires a 2xx"), "{}", table.stdout);
}

#[tokio::test]
async fn what_decides_the_exit_code_is_what_somebody_relies_on() {
    let up = format!("http://{}", alive("200 OK").await.address);
    let down = nobody().await;
    let rows = [row("up", &up, true), row("down", &down, false)];
    for (arguments, code) in [
        (&[][..], 0),
        (&["down"], 1),
        (&["up"], 0),
        (&["--scope", "inactive"], 1),
        (&["--scope", "active"], 0),
        (&["--filter", "id:down"], 0),
        (&["down", "--exit-zero"], 0),
        (&["nobody"], 1),
        (&["nobody", "--exit-zero"], 0),
    ] {
        let server = alive("200 OK").await;
        let rows = [row("up", &format!("http://{}", server.address), true), rows[1].clone()];
        let ended = probe(&rows, &[arguments, &["-o", "json"]].concat()).await;
        assert_eq!(ended.code, Some(code), "{arguments:?} {}", ended.stderr);
    }
    let active = probe(&[row("down", &down, true)], &[]).await;
    active.says(1, &["0 of 1 reachable"]);
    let unsaid = probe(&[format!(r#"{{"id":"x","url":"{down}"}}"#)], &[]).await;
    assert_eq!(unsaid.code, Some(1));
}

#[tokio::test]
async fn private_destinations_are_not_tried_unless_allowed() {
    let server = alive("200 OK").await;
    let home = Home::new();
    home.write("rows.json", format!("[{}]", row("a", &format!("http://localhost:{}", server.address.port()), true)));
    let system = home.write("system.pem", &Authority::new("The system").pem);
    let mut command = home.command(&["probe", "--from", "rows.json", "-o", "json"]);
    command.env("SSL_CERT_FILE", system);
    let ended = Ended::of(command).await;
    ended.says(1, &["1 not tried"]);
    assert_eq!((&parsed(&ended)[0]["state"], &parsed(&ended)[0]["error"]), (&"untried".into(), &"private".into()));
    assert_eq!(server.log().connections, 0);
}

#[tokio::test]
async fn every_format_has_its_columns() {
    let down = nobody().await;
    let rows = [row("a", &down, true), row("b", &down, false)];
    let starts = async |format: &str| probe(&rows, &["-o", format]).await.stdout;
    assert!(starts("tsv").await.starts_with(&format!("dead\t{down}\trefused\t127.0.0.1\t")));
    assert!(
        starts("csv").await.starts_with("state,origin,error,address,total_ms,days_left,http_status,active,inactive,url\r\n")
    );
    assert_eq!(starts("ids").await, format!("{down}\n"));
    assert!(starts("table").await.starts_with("STATE  URL"));
    assert!(starts("markdown").await.starts_with("| state | url | error |"));
    let line: Value = serde_json::from_str(&starts("ndjson").await).unwrap();
    assert_eq!(line["webhooks"], serde_json::json!(["a", "b"]));
}

#[tokio::test]
async fn incomplete_data_wins_over_what_was_found() {
    let rows = [row("a", &nobody().await, true), "null".to_owned()];
    let ended = probe(&rows, &["-o", "json"]).await;
    ended.says(5, &["1 malformed row (left out)", "0 of 1 reachable"]);
    assert_eq!(parsed(&ended).len(), 1);
    assert_eq!(probe(&rows, &["--exit-zero"]).await.code, Some(5));
}

#[tokio::test]
async fn a_proxy_is_bypassed_and_that_is_said() {
    let server = alive("200 OK").await;
    let proxy = alive("200 OK").await;
    let rows = [row("a", &format!("http://{}", server.address), true)];
    let (_home, mut command) = over(&rows, &["--http"]);
    command.env("http_proxy", format!("http://{}", proxy.address)).env("HTTPS_PROXY", "");
    Ended::of(command)
        .await
        .says(0, &["http_proxy is not used: probe connects to destinations directly", "1 of 1 reachable"]);
    assert_eq!((proxy.log().connections, server.log().requests().count()), (0, 1));
}

#[tokio::test]
async fn the_config_names_further_certificates() {
    let authority = Authority::new("Test CA");
    let config = authority.sign("127.0.0.1", -1, 10);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let _serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(acceptor.accept(stream).await);
        }
    });
    let rows = [row("a", &url, true)];
    let (home, untrusted) = over(&rows, &["-o", "json"]);
    let ended = Ended::of(untrusted).await;
    assert_eq!((ended.code, &parsed(&ended)[0]["error"]), (Some(1), &"tls-untrusted".into()));
    home.write("ca.pem", &authority.pem);
    home.write("config/hookscope/config.toml", format!("[network]\nca_file = \"{}\"\n", home.path("ca.pem").display()));
    let mut trusted = home.command(&["probe", "--from", "rows.json", "--allow-private", "-o", "json"]);
    trusted.env("SSL_CERT_FILE", home.path("system.pem"));
    let ended = Ended::of(trusted).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let record = &parsed(&ended)[0];
    assert!((8..=10).contains(&record["days_left"].as_i64().unwrap()), "{record}");
    assert_eq!(record["warnings"], serde_json::json!(["tls-expiring"]));
    assert!(record["not_after"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn a_destination_of_several_workspaces_is_probed_once() {
    let server = alive("200 OK").await;
    let url = format!("http://{}/", server.address);
    let (one, two) = (serving(&row("a", &url, true)).await, serving(&row("b", &url, false)).await);
    let mut text = "[network]\nretries = 0\n".to_owned();
    for (name, server) in [("one", &one), ("two", &two)] {
        text.push_str(&profile(name, server));
    }
    let home = Home::with_config(&text);
    let system = home.write("system.pem", &Authority::new("The system").pem);
    let mut command = home.command(&["probe", "--all-profiles", "--allow-private", "--http", "-o", "json"]);
    command.env("SSL_CERT_FILE", &system);
    let ended = Ended::of(command).await;
    ended.says(0, &["1 of 1 reachable"]);
    let records = parsed(&ended);
    let told: Vec<_> = records.iter().map(|record| (record["profile"].as_str().unwrap(), &record["webhooks"])).collect();
    assert_eq!(told, [("one", &serde_json::json!(["a"])), ("two", &serde_json::json!(["b"]))]);
    let asked = server.log().requests().count();
    assert_eq!(asked, 1);
    let ids = home.run(&["probe", "--all-profiles", "a"]).await;
    assert!(ids.refusal(2).contains("ids cannot be combined with --all-profiles"));
}

#[tokio::test]
async fn nothing_is_summed_up_when_nothing_is_probed() {
    let ended = probe(&[], &["gone", "-o", "json"]).await;
    ended.says(1, &["rows.json: webhook gone not found"]);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    for (arguments, words) in [
        (&["probe", ""][..], "empty id"),
        (&["probe", "--step-timeout", "0"], "step-timeout"),
        (&["probe", "--step-timeout", "61"], "step-timeout"),
        (&["probe", "--filter", "host:"], "--filter"),
    ] {
        let home = Home::new();
        home.write("rows.json", "[]");
        let ended = home.run(&[arguments, &["--from", "rows.json"]].concat()).await;
        assert!(ended.refusal(2).contains(words), "{}", ended.stderr);
    }
}

/// A destination that never speaks TLS, and the command that waits for it.
async fn waiting(rows: &[String], arguments: &[&str]) -> (Home, Child, tokio::net::TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let silent = row("hole", &format!("https://{}", listener.local_addr().unwrap()), true);
    let rows = [rows, &[silent]].concat();
    let (home, mut command) = over(&rows, &[&["--step-timeout", "60"], arguments].concat());
    let child = command.spawn().unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    (home, child, stream)
}

fn interrupt(child: &Child) {
    kill_process(Pid::from_raw(child.id().unwrap().cast_signed()).unwrap(), Signal::INT).unwrap();
}

#[tokio::test]
async fn ctrl_c_ends_it_at_once_with_what_is_known() {
    let (_home, child, mut hole) = waiting(&[row("a", "no url", true)], &["-o", "table"]).await;
    assert_eq!(hole.read_u8().await.unwrap(), 0x16, "a TLS handshake is begun");
    interrupt(&child);
    let ended = Ended::from(&child.wait_with_output().await.unwrap());
    ended.says(130, &["interrupted: 1 of 2 destinations probed"]);
    assert!(ended.stdout.contains("invalid-url") && ended.lines().len() == 2, "{}", ended.stdout);
}

#[tokio::test]
async fn ndjson_has_each_destination_as_it_is_found() {
    let server = alive("200 OK").await;
    let rows = [row("a", &format!("http://{}", server.address), true)];
    let (_home, mut child, _hole) = waiting(&rows, &["-o", "ndjson"]).await;
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!(line["state"], "reachable");
    interrupt(&child);
    assert_eq!(lines.next_line().await.unwrap(), None);
    let ended = Ended::from(&child.wait_with_output().await.unwrap());
    ended.says(130, &["interrupted: 1 of 2 destinations probed"]);
}

#[tokio::test]
async fn a_closed_pipe_is_silence_and_a_full_disk_an_error() {
    let rows = [row("a", "no url", true)];
    // A stream ends where nobody reads; of the others all is known by then.
    for (format, code) in [("table", 1), ("ndjson", 0), ("json", 1), ("tsv", 1)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (_home, mut command) = over(&rows, &["-o", format]);
        command.stdout(writer);
        let ended = Ended::of(command).await;
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(code), "", ""), "{format}");
        let (_home, mut command) = over(&rows, &["-o", format]);
        command.stdout(File::options().write(true).open("/dev/full").unwrap());
        assert!(Ended::of(command).await.refusal(4).contains("cannot write the output"), "{format}");
    }
}
