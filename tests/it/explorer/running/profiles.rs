//! Switching between two workspaces of one config: whose rows are seen, and what either server gets.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crossterm::event::{Event, KeyCode};
use hookscope::config::{Config, Environment, Profiles, WorkspaceOptions};
use hookscope::tui::app::Setup;
use hookscope::tui::events::Ended;
use hookscope::tui::terminal::console::ConsoleEvent;
use hookscope::tui::workspaces::Workspaces;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Running, run};
use crate::support::with;

/// The answer for a workspace of three webhooks that say whose they are.
fn body(name: &str) -> String {
    let row = |i| format!(r#"{{"id":"whk_{name}_{i}","url":"https://{name}.example/{i}","events":[],"is_active":true}}"#);
    let rows: Vec<_> = (0..3).map(row).collect();
    format!(r#"{{"data":[{}],"meta":{{"page":1,"limit":100,"total":3}}}}"#, rows.join(","))
}

async fn api(name: &str) -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_raw(body(name), "application/json");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// The keys that a server got, each once.
async fn keys(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    let key = |request: &wiremock::Request| request.headers.get("authorization").unwrap().to_str().unwrap().to_owned();
    let mut keys: Vec<_> = requests.iter().map(key).collect();
    keys.dedup();
    keys
}

/// A workspace that is asked and does not answer.
struct Silent(TcpListener);

impl Silent {
    async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn uri(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    /// The next request's connection.
    async fn asked(&self) -> TcpStream {
        let (mut stream, _) = self.0.accept().await.unwrap();
        let _head = stream.read(&mut [0; 4096]).await.unwrap();
        stream
    }
}

/// The explorer on the profile `production` of a config; the profiles stand in the order of their names.
pub(super) async fn start(config: &str, env: &Environment) -> (Running, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config.toml");
    fs::write(&path, format!("default_profile = 'production'\n{config}")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let config = Config::load(Some(&path), env).unwrap();
    let selection = WorkspaceOptions::default();
    let connection = config.connection(&selection, env).await.unwrap();
    let profiles = Profiles::new(&config, &selection, env, &connection).unwrap();
    let words = |words: &str| words.split(' ').map(str::to_owned).collect();
    let workspaces = Workspaces::new(Some(profiles), words("hookscope --here"), words("env -u X hookscope"));
    let setup = with(Setup::new(&config, &connection), |setup| {
        setup.settings.profiles = workspaces.all().to_vec();
        setup.workspace.at = workspaces.start_at();
        setup.workspace.invocation = workspaces.invocation(workspaces.start_at());
        setup.size = (120, 40);
    });
    (run(setup, &connection, workspaces), home)
}

pub(super) fn profile(name: &str, url: &str, key: &str) -> String {
    format!("[profiles.{name}]\nbase_url = '{url}'\n{key}\n")
}

/// Whether a frame has a workspace's rows; under another's name it must not.
fn shows(frame: &str, name: &str) -> bool {
    let header = frame.lines().next().unwrap_or_default();
    for of in ["production", "staging", "third"] {
        let has_rows = frame.contains(&format!("{of}.example/")) || frame.contains(&format!("whk_{of}"));
        assert!(!has_rows || header.contains(of), "rows of {of} under another name:\n{frame}");
    }
    header.contains(name) && frame.contains(&format!("{name}.example/0"))
}

#[tokio::test(flavor = "multi_thread")]
async fn there_and_back_each_with_its_own_key() {
    let (production, staging) = (api("production").await, api("staging").await);
    let config =
        profile("production", &production.uri(), "") + &profile("staging", &staging.uri(), "api_key = 'id:staging'");
    let env = Environment { api_key: Some("id:env".into()), ..Environment::default() };
    let (mut running, _home) = start(&config, &env).await;
    let frame = running.until("production", |frame| shows(frame, "production")).await;
    assert!(frame.contains("key: env"), "{frame}");
    running.press("w2");
    let frame = running.until("staging", |frame| shows(frame, "staging")).await;
    assert!(!frame.contains("key: env"), "{frame}");
    assert_eq!(keys(&staging).await, ["Bearer id:staging"], "the key of the variable is not for this one");
    let before = production.received_requests().await.unwrap().len();
    running.press("w1");
    let frame = running.until("production again", |frame| shows(frame, "production")).await;
    assert!(frame.contains("key: env"), "{frame}");
    assert_eq!(keys(&production).await, ["Bearer id:env"]);
    assert!(production.received_requests().await.unwrap().len() > before, "it is read again");
    assert_eq!(keys(&staging).await, ["Bearer id:staging"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_first_one_loads() {
    let (production, staging) = (Silent::start().await, api("staging").await);
    let config = profile("production", &production.uri(), "api_key = 'id:production'")
        + &profile("staging", &staging.uri(), "api_key = 'id:staging'");
    let (mut running, _home) = start(&config, &Environment::default()).await;
    let mut asked = production.asked().await;
    running.until("the wait", |frame| frame.contains("production") && frame.contains("loading")).await;
    running.press("w2");
    running.until("staging", |frame| shows(frame, "staging")).await;
    // Nobody waits for this answer any more. Whether it can still be written depends on the moment.
    let answer = body("production");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", answer.len());
    drop(asked.write_all(format!("{head}{answer}").as_bytes()).await);
    let end = asked.read(&mut [0; 1]).await;
    assert!(matches!(end, Ok(0) | Err(_)), "the request of the last workspace has ended: {end:?}");
    running.press("r");
    running.until("staging still", |frame| shows(frame, "staging") && frame.contains("live")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn until_it_answers_the_new_one_has_no_rows() {
    let (production, staging) = (api("production").await, Silent::start().await);
    let config = profile("production", &production.uri(), "api_key = 'id:production'")
        + &profile("staging", &staging.uri(), "api_key = 'id:staging'");
    let (mut running, _home) = start(&config, &Environment::default()).await;
    running.until("production", |frame| shows(frame, "production")).await;
    running.press("w2");
    let named = |frame: &str| frame.lines().next().unwrap_or_default().contains("staging");
    let frame = running.until("the other name", |frame| shows(frame, "staging") || named(frame)).await;
    assert!(!frame.contains(".example/") && !frame.contains("whk_"), "{frame}");
    let _asked = staging.asked().await;
    running.press("w1");
    running.until("production again", |frame| shows(frame, "production")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_the_old_one_stays() {
    let production = api("production").await;
    let config = profile("production", &production.uri(), "api_key = 'id:production'")
        + "[profiles.command]\napi_key_command = ['false']\n"
        + "[profiles.file]\napi_key_file = 'missing.key'\n"
        + "[profiles.none]\n"
        + "[profiles.wrong]\napi_key_command = ['printf', 'SENT INEL']\n";
    let env = Environment { api_key: Some("id:env".into()), ..Environment::default() };
    let (mut running, _home) = start(&config, &env).await;
    running.until("production", |frame| shows(frame, "production")).await;
    for (keys, words) in [
        ("w1", "cannot switch to command: api_key_command: \"false\" failed"),
        ("w2", "cannot switch to file: api_key_file: No such file"),
        ("w3", "cannot switch to none: no API key for profile none"),
        ("w5", "cannot switch to wrong: api_key_command: "),
    ] {
        running.press(keys);
        let frame = running.until(words, |frame| frame.contains(words)).await;
        assert!(shows(&frame, "production") && !frame.contains("SENT"), "{frame}");
    }
    running.press("Lr");
    running.until("an answer", |frame| shows(frame, "production") && frame.contains("live")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_command_gets_the_terminal_and_that_of_the_start_runs_once() {
    let (production, staging) = (api("production").await, api("staging").await);
    let command = |name: &str| format!("api_key_command = ['sh', '-c', 'echo x >>\"$0\"; echo id:{name}', 'RUNS.{name}']");
    let home = tempfile::tempdir().unwrap();
    let runs = |name: &str| home.path().join(name).display().to_string();
    let config = profile("production", &production.uri(), &command("production"))
        + &profile("staging", &staging.uri(), &command("staging"));
    let config = config.replace("RUNS", &runs("runs"));
    let (mut running, _home) = start(&config, &Environment::default()).await;
    running.until("production", |frame| shows(frame, "production")).await;
    assert_eq!(running.released.lock().unwrap().len(), 0);
    running.press("w2");
    running.until("staging", |frame| shows(frame, "staging")).await;
    let told = ["hookscope: getting the key of staging; ctrl-c cancels"];
    assert_eq!(*running.released.lock().unwrap(), told);
    running.press("w1");
    running.until("production again", |frame| shows(frame, "production")).await;
    assert_eq!(*running.released.lock().unwrap(), told, "its key is known");
    let count = |name: &str| fs::read_to_string(runs(name)).unwrap().lines().count();
    assert_eq!((count("runs.production"), count("runs.staging")), (1, 1));
    assert_eq!(keys(&staging).await, ["Bearer id:staging"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_a_key_command_alone_and_other_signals_end_the_explorer() {
    let production = api("production").await;
    let config = profile("production", &production.uri(), "api_key = 'id:production'")
        + "[profiles.staging]\napi_key_command = ['sleep', '1000']\n";
    let (mut running, _home) = start(&config, &Environment::default()).await;
    running.until("production", |frame| shows(frame, "production")).await;
    running.explorer.console.meanwhile = vec![ConsoleEvent::Continued, ConsoleEvent::Resized, ConsoleEvent::Signal(2)];
    running.press("w2");
    let frame = running.until("the end of it", |frame| frame.contains("the key command was stopped")).await;
    assert!(shows(&frame, "production"), "{frame}");
    for (event, ended) in [
        (ConsoleEvent::Signal(15), Ended::Signal(15)),
        (ConsoleEvent::Vanished, Ended::Vanished),
        (ConsoleEvent::Panicked, Ended::Panicked),
    ] {
        running.explorer.console.meanwhile = vec![event];
        running.press("w2");
        assert_eq!(running.explorer.run().await.unwrap(), ended);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_of_several_wins() {
    let (production, staging, third) = (api("production").await, api("staging").await, api("third").await);
    let config = profile("production", &production.uri(), "api_key = 'id:production'")
        + &profile("staging", &staging.uri(), "api_key = 'id:staging'")
        + &profile("third", &third.uri(), "api_key = 'id:third'");
    let (mut running, _home) = start(&config, &Environment::default()).await;
    running.until("production", |frame| shows(frame, "production")).await;
    running.press("w2w3");
    running.until("the third", |frame| shows(frame, "third")).await;
    running.press("w2w3");
    running.until("the end of it", |frame| frame.contains("staying with third")).await;
    running.press("r");
    running.until("the third still", |frame| shows(frame, "third") && frame.contains("live")).await;
    assert_eq!(staging.received_requests().await.unwrap().len(), 0, "nobody wanted that one in the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn copied_commands_name_the_one_that_is_shown() {
    use base64::Engine as _;
    let (production, staging) = (api("production").await, api("staging").await);
    let config = profile("production", &production.uri(), "api_key = 'id:production'")
        + &profile("staging", &staging.uri(), "api_key = 'id:staging'");
    let (mut running, _home) = start(&config, &Environment::default()).await;
    for (keys, name, command) in [
        ("", "production", "hookscope --here list"),
        ("w2", "staging", "env -u X hookscope --profile staging list"),
        ("w1", "production", "hookscope --here list"),
    ] {
        running.press(keys);
        running.until(name, |frame| shows(frame, name)).await;
        running.sent.lock().unwrap().clear();
        running.press("yl");
        running.until("the notice", |frame| frame.contains("copied list command; y l again shows it")).await;
        let sent = running.sent.lock().unwrap().clone();
        let wanted = base64::engine::general_purpose::STANDARD.encode(command);
        assert!(String::from_utf8(sent).unwrap().contains(&wanted), "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_that_were_typed_belong_to_the_config() {
    let (production, staging) = (api("production").await, api("staging").await);
    let config =
        profile("production", &production.uri(), "") + &profile("staging", &staging.uri(), "api_key = 'id:staging'");
    let env = Environment { api_key: Some("id:env".into()), ..Environment::default() };
    let (mut running, _home) = start(&config, &env).await;
    running.until("production", |frame| shows(frame, "production")).await;
    running.press("/example");
    running.keys.send(Event::Key(KeyCode::Enter.into())).unwrap();
    running.until("the filter", |frame| frame.contains("⌕ example")).await;
    running.press("w2");
    running.until("staging", |frame| shows(frame, "staging") && !frame.contains("⌕")).await;
    running.press("/");
    running.keys.send(Event::Key(KeyCode::Up.into())).unwrap();
    running.until("the filter of before", |frame| shows(frame, "staging") && frame.contains("⌕ example")).await;
}
