//! Keys that are rotated while the explorer runs.

use std::fs;
use std::sync::{Arc, Mutex};

use hookscope::config::Environment;

use super::profiles::{profile, start};
use crate::faults::server::{Reply, Server};

/// A server that accepts one key, which can be changed.
async fn api(accepted: &Arc<Mutex<String>>) -> Server {
    let accepted = Arc::clone(accepted);
    Server::start(move |request| match request.header("authorization") {
        Some(key) if *key == format!("Bearer {}", accepted.lock().unwrap()) => Reply::json(
            r#"{"data":[{"id":"whk_1","url":"https://production.example/0","events":[],"is_active":true}],"meta":{"page":1,"limit":100,"total":1}}"#,
        ),
        _ => Reply::status("401 Unauthorized", r#"{"message":"revoked"}"#),
    })
    .await
}

fn is_live(frame: &str) -> bool {
    frame.contains("production.example/0") && frame.contains("live")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_file_is_read_again_by_itself() {
    let accepted = Arc::new(Mutex::new("id:first-key".to_owned()));
    let server = api(&accepted).await;
    let keys = tempfile::tempdir().unwrap();
    let path = keys.path().join("key");
    super::write_private(&path, "id:first-key");
    let config = profile("production", &server.base_url(), &format!("api_key_file = '{}'", path.display()));
    let (mut running, _home) = start(&config, &Environment::default()).await;
    running.until("its rows", is_live).await;
    "id:second-key".clone_into(&mut accepted.lock().unwrap());
    running.press("r");
    running.until("the refusal", |frame| frame.contains("401")).await;
    fs::remove_file(&path).unwrap();
    running.press("r");
    running.until("the reason", |frame| frame.contains("the key cannot be read again: api_key_file: No such file")).await;
    // The API was the first to know.
    super::write_private(&path, "id:second-key");
    running.press("r");
    running.until("its rows again", |frame| is_live(frame) && !frame.contains("401")).await;
    assert!(running.released.lock().unwrap().is_empty(), "a file needs no terminal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_command_runs_again_when_it_is_asked_for_and_has_the_terminal() {
    let accepted = Arc::new(Mutex::new("id:first-key".to_owned()));
    let server = api(&accepted).await;
    let keys = tempfile::tempdir().unwrap();
    let path = keys.path().join("key");
    super::write_private(&path, "id:first-key");
    let config = profile("production", &server.base_url(), &format!("api_key_command = ['cat', '{}']", path.display()));
    let (mut running, _home) = start(&config, &Environment::default()).await;
    running.until("its rows", is_live).await;
    "id:second-key".clone_into(&mut accepted.lock().unwrap());
    running.press("r");
    running.until("what to press", |frame| frame.contains("401") && frame.contains("r runs api_key_command again")).await;
    assert!(running.released.lock().unwrap().is_empty(), "the screen is the explorer's");
    super::write_private(&path, "id:second-key");
    running.press("r");
    let frame = running.until("its rows again", |frame| is_live(frame) && !frame.contains("401")).await;
    assert!(!frame.contains("second-key"), "{frame}");
    accepted.lock().unwrap().clear();
    fs::remove_file(&path).unwrap();
    running.press("r");
    running.until("the refusal", |frame| frame.contains("401")).await;
    running.press("r");
    let frame = running
        .until("the reason", |frame| frame.contains("the key cannot be read again: api_key_command: \"cat\" failed"))
        .await;
    assert!(frame.contains("! 401 unauthorized"), "{frame}");
    let told = "hookscope: getting the key of production; ctrl-c cancels".to_owned();
    assert_eq!(*running.released.lock().unwrap(), [told.clone(), told]);
}
