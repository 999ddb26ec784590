//! The reference tables of the pages, generated from the tables of the code. A page has one between
//! `<!-- table: NAME -->` and `<!-- end -->`.

use std::fmt::Write as _;

use clap::CommandFactory as _;
use hookscope::analysis::audit::RULES;
use hookscope::analysis::sort::SORT_KEYS;
use hookscope::cli::Cli;
use hookscope::config::{AuditConfig, KeyHelp, NetworkConfig, ThemeConfig, UiConfig, VARIABLES};
use hookscope::error::EXIT_CODES;
use hookscope::keymap::{ACTIONS, COPIES};
use hookscope::output::columns_help;

/// Every table: its name, and its text in Markdown.
pub(crate) fn all() -> Vec<(&'static str, String)> {
    vec![
        ("actions", actions()),
        ("copies", table(["`y` and", "copies"], COPIES.iter().map(|(key, _, help)| [code(key), (*help).to_owned()]))),
        ("rules", rules()),
        (
            "exit-codes",
            table(["exit code", "meaning"], EXIT_CODES.map(|(code, meaning)| [code, meaning].map(str::to_owned))),
        ),
        ("sort-keys", table(["key", "sorts by"], SORT_KEYS.iter().map(|key| [code(key.name), key.help.to_owned()]))),
        ("columns", columns()),
        ("commands", commands()),
        ("global-options", options(true)),
        ("explorer-options", options(false)),
        ("variables", variables()),
        ("config-network", numbers(NetworkConfig::keys())),
        ("config-ui", numbers(UiConfig::keys())),
        ("config-theme", keys("used for", ThemeConfig::keys())),
        ("config-audit", keys("meaning", AuditConfig::keys())),
    ]
}

fn code(text: impl std::fmt::Display) -> String {
    format!("`{text}`")
}

fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(N));
    for row in rows {
        writeln!(text, "| {} |", row.map(|cell| cell.replace('|', "\\|")).join(" | ")).unwrap();
    }
    text
}

fn actions() -> String {
    table(
        ["key", "name", "does"],
        ACTIONS.iter().map(|entry| {
            let keys: Vec<_> = entry.keys.iter().map(code).collect();
            [keys.join(" "), code(entry.name), entry.help.to_owned()]
        }),
    )
}

fn rules() -> String {
    table(
        ["rule", "severity", "finds", "needs"],
        RULES.iter().map(|rule| {
            let needs = rule.needs().map(|needs| code(needs.option())).unwrap_or_default();
            [code(rule.id), rule.severity.name().to_owned(), rule.about.to_owned(), needs]
        }),
    )
}

fn columns() -> String {
    columns_help().into_iter().fold(String::new(), |mut text, (commands, columns)| {
        let rows = columns.into_iter().map(|(name, about)| [code(name), about.to_owned()]);
        write!(text, "{}{commands}:\n\n{}", if text.is_empty() { "" } else { "\n" }, table(["column", "value"], rows))
            .unwrap();
        text
    })
}

fn commands() -> String {
    let command = Cli::command();
    table(
        ["command", "does"],
        command
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
            .map(|command| [code(command.get_name()), command.get_about().map(ToString::to_string).unwrap_or_default()]),
    )
}

fn options(global: bool) -> String {
    let command = Cli::command();
    let arguments = command.get_arguments().filter(|argument| argument.is_global_set() == global && !argument.is_hide_set());
    table(
        ["option", "does"],
        arguments.filter_map(|argument| {
            let value = argument.get_value_names().filter(|_| argument.get_action().takes_values());
            let value = value.map(|names| format!(" {}", names.join(" "))).unwrap_or_default();
            let short = argument.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
            let long = argument.get_long()?;
            Some([code(format!("{short}--{long}{value}")), argument.get_help()?.to_string()])
        }),
    )
}

fn variables() -> String {
    table(
        ["variable", "meaning"],
        VARIABLES.iter().map(|(names, meaning)| {
            let names: Vec<_> = names.split(", ").map(code).collect();
            [names.join(", "), (*meaning).to_owned()]
        }),
    )
}

/// Keys of the config with their ranges.
fn numbers(keys: Vec<KeyHelp>) -> String {
    table(
        ["key", "default", "range", "meaning"],
        keys.into_iter().map(|key| {
            let range = key.range.as_ref().map(|range| format!("{} to {}", range.start(), range.end()));
            [code(key.name), default_of(&key), range.unwrap_or_default(), key.help.to_owned()]
        }),
    )
}

/// Keys of the config without ranges.
fn keys(meaning: &str, keys: Vec<KeyHelp>) -> String {
    table(["key", "default", meaning], keys.into_iter().map(|key| [code(key.name), default_of(&key), key.help.to_owned()]))
}

fn default_of(key: &KeyHelp) -> String {
    if key.has_default { code(&key.value) } else { String::new() }
}
