//! Names that scripts and configs rely on: the pages have those of the code, in its order.

use clap::ValueEnum as _;
use hookscope::analysis::coverage::EventCoverage;
use hookscope::analysis::sort::SORT_KEYS;
use hookscope::keymap::{Key, Keymap};
use hookscope::model::OwnedRow;
use hookscope::output::{Format, ListedWebhook, Measured, ProbeRecord, Record, openmetrics};

use super::page::Page;

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A page in one line.
fn line(path: &str) -> String {
    Page::named(path).text.replace('\n', " ")
}

#[test]
fn the_readme_has_keys_that_work() {
    let readme = Page::named("README.md").text;
    let table = readme.split("## Keys").nth(1).unwrap().split("\n## ").next().unwrap();
    let keys: Vec<_> = table.split('`').skip(1).step_by(2).collect();
    assert!(keys.len() >= 12, "{keys:?}");
    for key in keys {
        let known = Key::parse(&key.to_lowercase()).filter(|_| key.len() > 1).or_else(|| Key::parse(key));
        let action = known.and_then(|key| Keymap::default().action(key));
        assert!(action.is_some(), "README has the key {key}, which does nothing");
    }
}

#[test]
fn the_readme_counts_the_rules() {
    let readme = Page::named("README.md").text;
    assert!(readme.contains(&format!("{} audit rules", hookscope::analysis::audit::RULES.len())));
}

#[test]
fn formats_have_the_names_and_orders_that_are_stable() {
    let all: Vec<_> = ListedWebhook::COLUMNS.iter().map(|column| column.name).collect();
    let keys: Vec<_> = SORT_KEYS.iter().map(|entry| entry.name).collect();
    for (path, stable) in [
        ("docs/formats.md", format!("| `tsv` | {}, separated by tabs", quoted(ListedWebhook::usual(Format::Tsv)))),
        ("docs/formats.md", format!("with the header `{}`", ListedWebhook::usual(Format::Csv).join(","))),
        ("docs/formats.md", format!("`--columns` chooses among {}", quoted(&all))),
        ("docs/formats.md", format!("`--sort` takes one of {}", quoted(&keys))),
        ("docs/formats.md", format!("`events -o json` is an array of {}", quoted(EventCoverage::usual(Format::Json)))),
        ("docs/probe.md", format!("`tsv` has {}; `json`", quoted(ProbeRecord::usual(Format::Tsv)))),
    ] {
        assert!(line(path).contains(&stable), "{path} does not say: {stable}");
    }
    for name in Format::value_variants().iter().filter_map(Format::to_possible_value) {
        assert!(
            Page::named("docs/formats.md").text.contains(&format!("\n| `{}` |", name.get_name())),
            "{}",
            name.get_name()
        );
    }
}

#[test]
fn webhooks_are_written_in_the_order_that_is_stable() {
    let row = OwnedRow::decode(r#"{"x":1,"created_at":"t","is_active":true,"events":[],"url":"u","id":"a"}"#).unwrap();
    let json = r#"{"id":"a","url":"u","events":[],"is_active":true,"created_at":"t","x":1}"#;
    assert_eq!(serde_json::to_string(&row.row()).unwrap(), json);
    let order = "one array of objects with `id`, `url`, `events`, `is_active`, `created_at`, then the fields that hookscope does not know";
    assert!(line("docs/formats.md").contains(order));
}

#[test]
fn metrics_have_every_gauge() {
    let page = Page::named("docs/metrics.md").text;
    let probed = Some(crate::support::probed());
    let text = openmetrics(vec![Measured { seconds: Some(0.0), probed, ..Measured::default() }]).unwrap();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(page.contains(&format!("\n| `{name}")), "docs/metrics.md does not have {name}");
    }
}

#[test]
fn the_configuration_has_every_key_of_the_example() {
    let page = Page::named("docs/configuration.md").text;
    let mut section = "";
    for line in include_str!("../../../config.example.toml").lines() {
        let code = line.trim_start_matches('#');
        if let Some(name) = code.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            section = name;
        }
        let Some((key, _)) = code.split_once(" = ").filter(|(key, _)| !key.contains([' ', '"'])) else { continue };
        let known = section == "keys" || page.contains(&format!("`{key}`"));
        assert!(known, "docs/configuration.md does not have {key} of [{section}]");
    }
}
