//! The sample config, which `config init` writes: every key with its default and help, commented out.

use super::kinds::COLORS;
use super::table::{AuditConfig, KeyHelp, NetworkConfig, ThemeConfig, UiConfig};
use crate::base::text::clean;
use crate::keymap::ACTIONS;

/// The text around the keys of the table.
const TEMPLATE: &str = include_str!("sample.toml");
/// Columns of a comment.
const COLUMNS: usize = 126;

/// Returns the text of the sample config.
pub fn example() -> String {
    let colors: Vec<_> = COLORS.iter().map(|(name, _)| *name).collect();
    let keys: Vec<_> = ACTIONS.iter().map(|entry| format!("#{} = {:?}", entry.name, entry.keys)).collect();
    let parts = [
        ("{network}", documented(&NetworkConfig::keys())),
        ("{ui}", documented(&UiConfig::keys())),
        ("{colors}", comment(&format!("Colors of the terminal: {}.", colors.join(", ")))),
        ("{theme}", ThemeConfig::keys().iter().map(line).collect::<Vec<_>>().join("\n")),
        ("{keys}", keys.join("\n")),
        ("{audit}", documented(&AuditConfig::keys())),
    ];
    parts.iter().fold(TEMPLATE.to_owned(), |text, (name, part)| text.replace(name, part))
}

/// Keys with their help. A range follows the first sentence.
fn documented(keys: &[KeyHelp]) -> String {
    let about = |key: &KeyHelp| {
        let (first, rest) = key.help.split_once(". ").unwrap_or((key.help, ""));
        let range = key.range.as_ref().map(|range| format!(" ({} to {})", range.start(), range.end()));
        let rest = if rest.is_empty() { String::new() } else { format!(" {rest}.") };
        format!("{first}{}.{rest}", range.unwrap_or_default())
    };
    let lines: Vec<_> = keys.iter().flat_map(|key| [comment(&about(key)), line(key)]).collect();
    lines.join("\n")
}

fn line(key: &KeyHelp) -> String {
    format!("#{} = {}", key.name, key.value)
}

fn comment(text: &str) -> String {
    let lines: Vec<_> = clean(text).paragraph(COLUMNS).iter().map(|line| format!("# {line}")).collect();
    lines.join("\n")
}
