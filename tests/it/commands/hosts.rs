//! One normalization of hosts and URLs: whatever looks for a destination finds every spelling of it.

use super::{Home, feed};

/// Spellings of one destination.
const SPELLINGS: [&str; 9] = [
    "https://old.example.com/x",
    "https://OLD.example.com/x",
    "https://old.example.com./x",
    "https://old.example.com:443/x",
    "https://old.example.com/x ",
    " https://old.example.com/x",
    "https://old%2Eexample.com/%78",
    "https://\u{ff4f}ld.example.com/x#top",
    "https://old.example.com/x/",
];

fn rows() -> String {
    let row = |(id, url): (usize, &&str)| {
        serde_json::json!({"id": format!("w{id}"), "url": url, "events": ["call.failed"], "is_active": true}).to_string()
    };
    let other = r#"{"id":"other","url":"https://sold.example.com/x","events":["call.failed"],"is_active":true}"#.to_owned();
    let rows: Vec<_> = SPELLINGS.iter().enumerate().map(row).chain([other]).collect();
    format!("[{}]", rows.join(","))
}

fn all_ids() -> Vec<String> {
    (0..SPELLINGS.len()).map(|id| format!("w{id}")).collect()
}

#[tokio::test]
async fn every_spelling_is_found_by_every_filter() {
    for filter in [
        "host:=old.example.com",
        "host:=OLD.Example.com.",
        "host:=\" old.example.com \"",
        "host:old.example.com. -host:sold",
        "host:=\u{ff4f}ld.example.com",
    ] {
        let ended = feed(rows(), &["--from", "-", "list", "-o", "ids", "--filter", filter]).await;
        assert_eq!(ended.lines(), all_ids(), "{filter}");
    }
}

#[tokio::test]
async fn every_spelling_is_retired_planned_and_a_duplicate() {
    for retired in ["old.example.com", "OLD.example.com.", "https://old.example.com/x", "old.example.com:443"] {
        let arguments = ["--from", "-", "audit", "-o", "json", "--rule", "retired-destination", "--retired", retired];
        let found: Vec<serde_json::Value> = serde_json::from_str(&feed(rows(), &arguments).await.stdout).unwrap();
        let ids: Vec<_> = found.iter().map(|finding| finding["webhooks"][0].as_str().unwrap()).collect();
        assert_eq!(ids, all_ids(), "{retired}");
    }
    let duplicates = feed(rows(), &["--from", "-", "audit", "-o", "tsv", "--rule", "duplicate-destination"]).await;
    assert_eq!(duplicates.lines().len(), 1);
    assert!(duplicates.stdout.contains(&all_ids().join(",")), "{}", duplicates.stdout);
    let home = Home::new();
    home.write("rows.json", rows());
    for map in [
        "[hosts]\n\"old.example.com\" = \"new.example.com\"\n",
        "[hosts]\n\"OLD.example.com.\" = \"new.example.com\"\n",
        "[urls]\n\"https://old.example.com/x\" = \"https://new.example.com/x\"\n",
    ] {
        home.write("map.toml", map);
        let ended = home.run(&["--from", "rows.json", "plan", "map.toml", "-o", "json"]).await;
        let plan: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        let changes = plan["changes"].as_array().unwrap();
        let ids: Vec<_> = changes.iter().map(|change| change["id"].as_str().unwrap()).collect();
        assert_eq!(ids, all_ids(), "{map}");
        let is_new = |change: &serde_json::Value| {
            change["after"]["url"]
                .as_str()
                .is_some_and(|url| url.starts_with("https://new.example.com") && url.trim() == url)
        };
        assert!(changes.iter().all(is_new), "{}", ended.stdout);
    }
}

#[tokio::test]
async fn every_spelling_is_one_host_and_one_origin() {
    let listed = feed(rows(), &["--from", "-", "list", "-o", "tsv", "--columns", "host"]).await;
    let hosts: std::collections::BTreeSet<_> = listed.lines().into_iter().collect();
    assert_eq!(hosts, ["old.example.com", "sold.example.com"].into());
    let events = feed(rows(), &["--from", "-", "events", "-o", "json"]).await;
    let events: Vec<serde_json::Value> = serde_json::from_str(&events.stdout).unwrap();
    let failed = events.iter().find(|event| event["event"] == "call.failed").unwrap();
    assert_eq!((&failed["hosts"], &failed["active"]), (&2.into(), &10.into()));
}
