//! An export of deliveries beside the webhooks.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

use std::fs;

use hookscope::base::base_url::BaseUrl;
use hookscope::base::redact::ApiKey;
use hookscope::config::Config;
use hookscope::tui::message::Message;
use hookscope::tui::session::workspace::WorkspaceInfo;

use crate::support::{Stage, page};

/// The second fails too often, the third once in a while, and the fifth is named by its URL.
const ROWS: &str = "whk_000000000001,,false,503,upstream timed out,1,2026-06-15T10:00:00Z
whk_000000000001,,false,503,\"\u{1b}[31mred\",0,2026-06-14T10:00:00Z
whk_000000000001,,false,500,upstream timed out,0,2026-06-13T10:00:00Z
whk_000000000002,,false,504,,0,2026-06-15T11:00:00Z
,https://hooks.acme.example.com:443/v1/events/voice/4,true,200,,0,
";

fn export(more: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deliveries.csv");
    let good: String = ["whk_000000000001", "whk_000000000002"]
        .iter()
        .flat_map(|id| std::iter::repeat_n(format!("{id},,true,200,,0,\n"), 19))
        .collect();
    let header = "webhook_id,url,is_success,response_status,error_message,retry_attempt,created_at\n";
    fs::write(&path, format!("{header}{ROWS}{good}{more}")).unwrap();
    (folder, path)
}

fn whole(width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height);
    stage.load(page(1, 0..20, Some(20)));
    stage
}

#[test]
fn the_list_says_how_many_fail_and_the_detail_how() {
    let (_folder, path) = export("");
    let mut stage = whole(80, 24);
    stage.deliveries(&path);
    assert!(stage.footer().contains("deliveries.csv: 43 delivery attempts"), "{}", stage.footer());
    assert!(stage.line("billing.acme.example.com/dialnexa/crm/1 ").ends_with("!13%  2 events ✗   4y"), "{}", stage.frame());
    assert!(
        stage.line("partners.globex.example.net/dialnexa/crm/2 ").ends_with("  5%  3 events     3y"),
        "{}",
        stage.frame()
    );
    // Without a failure there is nothing to say, as without an attempt.
    assert!(!stage.line("hooks.acme.example.com/v1/events/voice/4 ").contains('%'), "{}", stage.frame());
    let frame = stage.keys("j").frame();
    assert!(frame.contains("attempts ! 22, 3 failed (13%), 1 retries\n"), "{frame}");
    assert!(frame.contains("         last failure 2h ago · 2× 503 · 2× upstream timed out\n"), "{frame}");
    let frame = stage.keys("j").frame();
    assert!(frame.contains("attempts 20, 1 failed (5%)\n") && frame.contains("last failure 1h ago · 1× 504\n"), "{frame}");
    assert!(stage.keys("j").frame().contains("attempts none in the file\n"));
    assert!(stage.keys("j").frame().contains("attempts 1, 0 failed, matched by URL\n"), "{}", stage.frame());
    let mut wide = whole(200, 24);
    assert!(
        wide.deliveries(&path).line("hooks.acme.example.com/v1/events/voice/4 ").contains("  0%  5 events"),
        "{}",
        wide.frame()
    );
}

#[test]
fn hostile_messages_are_shown_harmless() {
    let (_folder, path) = export("");
    let rows = fs::read_to_string(&path).unwrap().replace("upstream timed out", "\u{1b}]0;x\u{202e}");
    fs::write(&path, rows).unwrap();
    let mut stage = whole(80, 24);
    let frame = stage.deliveries(&path).keys("j").frame();
    assert!(!frame.contains(['\u{1b}', '\u{202e}']) && frame.contains("2× ^[]0;x<U+202E>"), "{frame}");
}

#[test]
fn it_is_being_read_until_it_is_there() {
    let (_folder, path) = export("");
    let mut stage = whole(80, 24);
    let job = stage.app.read_deliveries(path);
    let frame = stage.frame();
    assert!(frame.contains("attempts reading the file") && stage.footer().contains("reading deliveries from"), "{frame}");
    let done = job.run(&|| true);
    stage.send(Message::Done(Box::new(done)));
    assert!(stage.frame().contains("attempts none in the file"));
}

#[test]
fn rows_that_cannot_be_used_and_files_that_cannot_be_read_are_told() {
    let (folder, path) = export("whk_1,,perhaps,,,,\n");
    let mut stage = whole(100, 24);
    stage.deliveries(&path);
    let words = "! deliveries.csv: 1 malformed row, at line 45: is_success is perhaps";
    assert!(stage.footer().contains(words), "{}", stage.footer());
    assert!(stage.keys("j").frame().contains("! 22, 3 failed"));
    let mut stage = whole(120, 24);
    stage.deliveries(&folder.path().join("missing"));
    assert!(stage.footer().contains("No such file"), "{}", stage.footer());
    assert!(stage.keys("j").frame().contains("attempts ! --deliveries"), "{}", stage.frame());
}

#[test]
fn attempts_that_belong_to_no_webhook_are_counted_once_all_webhooks_are_here() {
    let (_folder, path) = export("gone,,true,,,,\ngone,,true,,,,\n");
    let mut stage = Stage::loaded(80, 24);
    stage.deliveries(&path);
    assert!(!stage.frame().contains("match no webhook"), "nothing is said of a part");
    stage.keys("L");
    for number in 2..=13 {
        stage.load(page(number, (number - 1) * 100..(number * 100).min(1234), Some(1234)));
    }
    assert!(stage.footer().contains("! deliveries: 2 attempts match no webhook: gone"), "{}", stage.footer());
    // Once is enough.
    stage.keys("j r");
    for number in 1..=13 {
        stage.load(page(number, (number - 1) * 100..(number * 100).min(1234), Some(1234)));
    }
    assert!(!stage.footer().contains("belong"), "{}", stage.footer());
}

#[test]
fn they_are_of_the_workspace_of_the_start() {
    let (_folder, path) = export("");
    let connection = |name: &'static str| {
        let base_url = BaseUrl::parse(name).unwrap();
        Config::demo_connection(base_url, ApiKey::new("id:secret").unwrap())
    };
    let mut stage = whole(80, 24);
    let job = stage.app.read_deliveries(path);
    let switched =
        |at| Message::Switched(Box::new(WorkspaceInfo::new(at, &connection("https://x.example"), None, Vec::new())));
    stage.send(switched(1)).load(page(1, 0..20, Some(20)));
    let done = job.run(&|| true);
    stage.send(Message::Done(Box::new(done)));
    assert!(!stage.keys("j").frame().contains("attempts "), "{}", stage.frame());
    stage.send(switched(0)).load(page(1, 0..20, Some(20)));
    assert!(stage.keys("j").frame().contains("attempts ! 22, 3 failed"), "{}", stage.frame());
}

#[test]
fn any_size_is_enough() {
    let (_folder, path) = export("");
    for (width, height) in (0..=110).flat_map(|width| [(width, 3), (width, 24)]) {
        let mut stage = whole(width, height);
        let _frame = stage.deliveries(&path).keys("j P enter").frame();
    }
}
