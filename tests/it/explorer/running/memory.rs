//! The cache through the real loop: written at the end, shown at the next start, and what is gone asked for.

use std::time::Duration;

use hookscope::base_url::BaseUrl;
use hookscope::cache::Store;
use hookscope::config::Config;
use hookscope::demo::{self, server::Server};
use hookscope::model::{Roster, Row};
use hookscope::redact::ApiKey;
use hookscope::tui::app::Setup;
use hookscope::tui::events::Ended;
use hookscope::tui::workspaces::Workspaces;

use super::{Running, run};
use crate::support::{setup, webhook};

fn explorer(base_url: &BaseUrl, store: &Store) -> Running {
    let mut connection = Config::demo_connection(base_url.clone(), ApiKey::new(demo::KEY).unwrap());
    connection.policy.retries = 0;
    let setup = Setup { base_url: base_url.clone(), store: Some(store.clone()), ..setup(120, 40) };
    run(setup, &connection, Workspaces::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_is_shown_at_the_next_start_when_the_api_is_gone() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path().join("cache"), &home.path().join("history"), "w".to_owned());
    let server = Server::start(demo::Options { webhooks: 250, ..demo::Options::default() }).await.unwrap();
    let base_url = BaseUrl::parse(&server.base_url()).unwrap();
    let mut running = explorer(&base_url, &store);
    running.explorer.begin().await.unwrap();
    running.press("L");
    running.until("all of them", |frame| frame.contains("all 250")).await;
    running.press("q");
    let ended = loop {
        if let Some(ended) = running.explorer.advance().await.unwrap() {
            break ended;
        }
    };
    assert_eq!(ended, Ended::Quit);
    running.explorer.part().await;
    assert_eq!(store.history().len(), 1, "a part of a second is enough for so few");
    drop(server);
    let mut running = explorer(&base_url, &store);
    running.explorer.begin().await.unwrap();
    let frame = running.until("the cache", |frame| frame.contains("rows cached")).await;
    assert!(frame.contains("all 250 cached"), "{frame}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_listed_any_more_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path().join("cache"), &home.path().join("history"), "w".to_owned());
    let before: Vec<Row> = vec![webhook(1), webhook(2)];
    let earlier = hookscope::clock::Moment::now().wall - Duration::from_hours(2);
    store.keep(&Roster::of_rows(&before), earlier).unwrap();
    let server = Server::start(demo::Options { webhooks: 3, ..demo::Options::default() }).await.unwrap();
    let mut running = explorer(&BaseUrl::parse(&server.base_url()).unwrap(), &store);
    running.explorer.begin().await.unwrap();
    running.press("5");
    running.until("what came and went", |frame| frame.contains("since your last look, 2h ago: +3 -2")).await;
}
