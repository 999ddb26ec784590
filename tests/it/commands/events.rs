//! `hookscope events`: who hears which event.

use serde_json::{Value, json};

use super::{Ended, Home, ask, serving};
use crate::faults::server::{Listing, Reply, Server};

const ROWS: &str = r#"{"id":"1","url":"https://a.example.com/1","events":["call.completed","order.paid","call.completed"],"is_active":true},
{"id":"2","url":"https://A.example.com:443/2","events":["call.completed",7],"is_active":true},
{"id":"3","url":"https://b.example.com/","events":["call.completed","order.paid"],"is_active":false},
{"id":"4","url":"https://c.example.com/","events":["call.failed"],"is_active":"true"}"#;

/// The events that have a word to say, of the JSON.
fn of<'a>(events: &'a [Value], name: &str) -> &'a Value {
    events.iter().find(|event| event["event"] == name).unwrap()
}

fn parsed(ended: &Ended) -> Vec<Value> {
    serde_json::from_str(&ended.stdout).unwrap()
}

#[tokio::test]
async fn each_event_is_counted_by_webhook_and_host() {
    let ended = ask(&serving(ROWS).await, &["events", "-o", "json"]).await;
    ended.data();
    let events = parsed(&ended);
    for (name, known, active, inactive, hosts) in [
        ("call.completed", true, 2, 1, 1),
        ("order.paid", false, 1, 1, 1),
        // Neither active nor inactive.
        ("call.failed", true, 0, 0, 0),
        ("alert.triggered", true, 0, 0, 0),
    ] {
        let expected = json!({"event": name, "known": known, "active": active, "inactive": inactive, "hosts": hosts});
        assert_eq!(*of(&events, name), expected);
    }
    // The 12 of the vendor's pages and the one of the rows, in the order of their names, each in one line.
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert!(names.len() == 13 && names.is_sorted(), "{names:?}");
    let line = ended.lines().into_iter().find(|line| line.contains("call.completed"));
    assert_eq!(line, Some(r#"{"event":"call.completed","known":true,"active":2,"inactive":1,"hosts":1},"#));
}

#[tokio::test]
async fn every_format_has_the_same_columns() {
    let server = serving(ROWS).await;
    let starts = async |format: &str| {
        let ended = ask(&server, &["events", "-o", format]).await;
        ended.data().lines().find(|line| line.contains("order.paid")).unwrap().to_owned()
    };
    assert_eq!(starts("tsv").await, "order.paid\tfalse\t1\t1\t1");
    assert_eq!(starts("csv").await, "order.paid,false,1,1,1");
    assert_eq!(starts("ids").await, "order.paid");
    assert_eq!(starts("ndjson").await, r#"{"event":"order.paid","known":false,"active":1,"inactive":1,"hosts":1}"#);
    assert_eq!(starts("markdown").await, "| `order.paid` | no | 1 | 1 | 1 |");
    assert_eq!(starts("table").await, "order.paid               no          1         1      1");
    let csv = ask(&server, &["events", "-o", "csv"]).await;
    assert_eq!(csv.lines()[0], "event,known,active,inactive,hosts");
}

#[tokio::test]
async fn the_config_knows_further_events() {
    let server = serving(ROWS).await;
    let home = Home::with_config("[audit]\nknown_events = [\"order.paid\", \"order.shipped\"]\n");
    let ended = Ended::of(home.at(&server.base_url(), &["events", "-o", "json"])).await;
    ended.data();
    let events = parsed(&ended);
    assert_eq!(of(&events, "order.paid")["known"], true);
    let expected = json!({"event": "order.shipped", "known": true, "active": 0, "inactive": 0, "hosts": 0});
    assert_eq!(*of(&events, "order.shipped"), expected);
}

#[tokio::test]
async fn a_filter_chooses_whose_events_are_counted() {
    let ended = ask(&serving(ROWS).await, &["events", "-o", "json", "--filter", "host:b.example.com"]).await;
    ended.data();
    let events = parsed(&ended);
    assert_eq!(
        (&of(&events, "call.completed")["active"], &of(&events, "call.completed")["inactive"]),
        (&json!(0), &json!(1))
    );
}

#[tokio::test]
async fn counts_of_a_part_never_look_complete() {
    let server = Server::start(|request| match request.page() {
        2 => Reply::status("500 Internal Server Error", "{}"),
        _ => Listing::of(230).reply(request),
    })
    .await;
    let ended = ask(&server, &["events", "-o", "json"]).await;
    ended.says(5, &["incomplete", "page 2"]);
    assert_eq!(of(&parsed(&ended), "call.completed")["active"], 87);
    let odd = serving(&format!("{ROWS},null")).await;
    ask(&odd, &["events", "-o", "json"]).await.says(5, &["1 malformed row (left out)"]);
}
