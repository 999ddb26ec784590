//! Which module may use which: the rules of `src/lib.rs`, held against the source.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a source that cannot be read is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules that each top-level module, and each module of `base`, may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("redact", &["text"]),
    ("clock", &["text"]),
    ("base_url", &["redact", "text"]),
    ("model", &["text", "redact"]),
    ("analysis", &["model", "redact", "text"]),
    ("keymap", &["text"]),
    ("log", &["files", "redact", "text"]),
    ("api", &["base_url", "clock", "log", "model", "redact", "text"]),
    ("fetch", &["api", "model", "text"]),
    ("probe", &["analysis", "api", "model", "text"]),
    ("deliveries", &["analysis", "error", "model", "snapshot", "text"]),
    ("config", &["analysis", "api", "base_url", "fetch", "keymap", "model", "redact", "signals", "text"]),
    ("demo", &["clock"]),
    ("files", &[]),
    ("signals", &[]),
    ("error", &["api", "config", "text"]),
    ("output", &["analysis", "clock", "error", "model", "redact", "text"]),
    ("snapshot", &["api", "error", "model", "output", "text"]),
    ("cache", &["analysis", "config", "files", "model", "snapshot", "text"]),
    ("cli", &["analysis", "error", "model", "output", "text"]),
    (
        "commands",
        &[
            "analysis",
            "api",
            "base_url",
            "cache",
            "cli",
            "clock",
            "config",
            "deliveries",
            "demo",
            "error",
            "fetch",
            "files",
            "keymap",
            "model",
            "output",
            "probe",
            "redact",
            "signals",
            "snapshot",
            "text",
        ],
    ),
    (
        "tui",
        &[
            "analysis",
            "api",
            "base_url",
            "cache",
            "clock",
            "config",
            "deliveries",
            "error",
            "fetch",
            "files",
            "keymap",
            "model",
            "output",
            "probe",
            "snapshot",
            "signals",
            "text",
        ],
    ),
];

/// Parts of ratatui that can put text on the screen, and the only files that may name them.
const DRAWING: &[&str] = &["Buffer", "Frame", "Span", "Line", "Paragraph", "widgets"];
const MAY_DRAW: &[&str] = &["tui/terminal/canvas.rs", "tui/terminal/screen.rs"];

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(&root).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

/// The code of a file without its unit tests and comments.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn module(path: &Path) -> String {
    let path = path.strip_prefix("base").unwrap_or(path);
    let first = path.components().next().expect("a file has a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn uses_of(code: &str) -> BTreeSet<String> {
    code.split("crate::")
        .skip(1)
        .map(|rest| rest.strip_prefix("base::").unwrap_or(rest))
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .filter(|name: &String| name != "safe")
        .collect()
}

#[test]
fn modules_use_only_what_they_may() {
    let allowed: BTreeMap<_, BTreeSet<_>> =
        MAY_USE.iter().map(|(module, uses)| (*module, uses.iter().copied().collect())).collect();
    let mut seen = BTreeSet::new();
    for (path, text) in sources() {
        let module = module(&path);
        if matches!(module.as_str(), "main" | "lib" | "base") || path.ends_with("tests.rs") {
            continue;
        }
        let allowed = allowed.get(module.as_str()).unwrap_or_else(|| panic!("{module} has no row in MAY_USE"));
        for used in uses_of(&code(&text)) {
            assert!(used == module || allowed.contains(used.as_str()), "{} uses crate::{used}", path.display());
            seen.insert((module.clone(), used));
        }
    }
    for (module, uses) in MAY_USE {
        for used in *uses {
            assert!(seen.contains(&((*module).to_owned(), (*used).to_owned())), "{module} does not use {used} any more");
        }
    }
}

#[test]
fn nothing_but_the_canvas_can_draw_text() {
    for (path, text) in sources() {
        let name = path.to_string_lossy().replace('\\', "/");
        if MAY_DRAW.contains(&name.as_str()) {
            continue;
        }
        let code = code(&text);
        for part in DRAWING {
            for import in code.split("ratatui::").skip(1).map(|rest| rest.split(';').next().unwrap_or_default()) {
                let named = import.split(|c: char| !c.is_alphanumeric()).any(|word| word == *part);
                assert!(!named, "{name} names ratatui's {part}");
            }
        }
    }
}

#[test]
fn safe_text_is_composed_by_its_macro_only() {
    for (path, text) in sources() {
        let made = code(&text).contains("Safe::composed(");
        assert!(!made || path == Path::new("base/text.rs"), "{} makes safe text without the gate", path.display());
    }
}

#[test]
fn the_state_machine_the_views_and_the_analysis_do_no_io_and_look_at_no_clock() {
    let pure = [
        "tui/app.rs",
        "tui/change_detail.rs",
        "tui/copy.rs",
        "tui/cursor.rs",
        "tui/detail.rs",
        "tui/list_pane.rs",
        "tui/notes.rs",
        "tui/picker.rs",
        "tui/typed_ahead.rs",
        "tui/ui.rs",
    ];
    for (path, text) in sources() {
        let name = path.to_string_lossy().replace('\\', "/");
        let is_pure = pure.contains(&name.as_str())
            || ["analysis", "tui/session", "tui/update", "tui/view"].iter().any(|folder| name.starts_with(folder));
        if !is_pure || name == "tui/session/past.rs" || name == "tui/update/tests.rs" {
            continue;
        }
        for forbidden in ["std::fs", "std::io", "std::net", "async ", "::now()", "tokio::spawn", "api::Client::new"] {
            assert!(!code(&text).contains(forbidden), "{name} has {forbidden}");
        }
    }
}

#[test]
fn only_get_is_ever_sent() {
    for (path, text) in sources().into_iter().filter(|(path, _)| path.starts_with("api")) {
        for method in [".post(", ".put(", ".patch(", ".delete(", "Method::POST", "Method::PATCH", "Method::DELETE"] {
            assert!(!code(&text).contains(method), "{} has {method}", path.display());
        }
    }
}

#[test]
fn a_destination_gets_nothing_but_head_and_no_key() {
    for (path, text) in sources().into_iter().filter(|(path, _)| path.starts_with("probe") || path == Path::new("probe.rs"))
    {
        let code = code(&text);
        for method in code.split("Method::").skip(1) {
            assert!(method.starts_with("HEAD)"), "{} has another method", path.display());
        }
        for forbidden in ["ApiKey", "AUTHORIZATION", "COOKIE", "redact"] {
            assert!(!code.contains(forbidden), "{} has {forbidden}", path.display());
        }
    }
}

#[test]
fn the_clock_is_read_in_one_place() {
    for (path, text) in sources() {
        for clock in ["Timestamp::now()", "SystemTime::now()", "Zoned::now()"] {
            assert!(
                path == Path::new("base/clock.rs") || !code(&text).contains(clock),
                "{} looks at {clock}",
                path.display()
            );
        }
    }
}

#[test]
fn every_view_can_be_the_first_one() {
    use clap::Parser;
    for entry in hookscope::tui::views::VIEWS {
        let parsed = hookscope::cli::Cli::try_parse_from(["hookscope", "--view", entry.name]).unwrap();
        assert_eq!(parsed.view.as_deref().and_then(hookscope::tui::view_kind::View::named), Some(entry.view));
    }
}
