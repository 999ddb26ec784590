//! The sample config, which `config init` writes: every key with its default and help, commented out.

use super::kinds::COLORS;
use super::table::{AuditConfig, KeyHelp, NetworkConfig, ThemeConfig, UiConfig};
use crate::keymap::ACTIONS;
use crate::text::clean;

/// Columns of a comment.
const COLUMNS: usize = 126;

const TOP: &str = r##"# Configuration of hookscope. Every key is shown with its default; to change one, remove the "#".
#
# The API key is all you need. A file that holds a key must be readable only by you (chmod 600). Any config must belong to you
# or root, and no other user may have write permission.
#api_key = "key_id:secret"

# Instead of api_key: a file that holds only the key, or a command that prints it (and may prompt for a passphrase).
#api_key_file = "~/.config/hookscope/key"
#api_key_command = ["pass", "show", "dialnexa"]

# Base URL of the API. The key is sent to this address only.
#base_url = "https://api.dialnexa.com/v1"

# For several workspaces: the key and base URL of a profile override those above. The color, one of those of [ui.theme] below,
# marks the profile's name on the screen.
#default_profile = "production"
#[profiles.production]
#color = "red"
#api_key_command = ["pass", "show", "dialnexa/production"]
#[profiles.staging]
#api_key_command = ["pass", "show", "dialnexa/staging"]
"##;

const WAIVERS: &str = r#"
# Waivers: findings to accept. Each names a rule, a webhook (by id) or a url (by pattern), a reason and, if it expires, the last
# day.
#[[audit.allow]]
#rule = "private-destination"
#webhook = "whk_c9v3nz8rq4pm"
#url = "https://10.20.0.14/*"
#reason = "reached through the gateway"
#expires = "2026-12-31"
"#;

/// Returns the text of the sample config.
pub fn example() -> String {
    let colors: Vec<_> = COLORS.iter().map(|(name, _)| *name).collect();
    let colors = comment(&format!("Colors of the terminal: {}.", colors.join(", ")));
    let theme: String = ThemeConfig::keys().iter().map(line).collect();
    let keys = ACTIONS.iter().map(|entry| format!("#{} = {:?}\n", entry.name, entry.keys)).collect::<Vec<_>>().concat();
    let severities = comment("Severity overrides: rule = \"error\", \"warning\" or \"info\".");
    [
        TOP,
        "\n[network]\n",
        &documented(&NetworkConfig::keys()),
        "\n[ui]\n",
        &documented(&UiConfig::keys()),
        "\n",
        &colors,
        "[ui.theme]\n",
        &theme,
        "\n",
        &comment("Keys of each action, written as j, G, ctrl-d, alt-x, enter, esc, tab, space, pgdn or f5."),
        "[keys]\n",
        &keys,
        "\n[audit]\n",
        &documented(&AuditConfig::keys()),
        WAIVERS,
        "\n",
        &severities,
        "[audit.severity]\n",
    ]
    .concat()
}

/// Keys with their help. A range follows the first sentence.
fn documented(keys: &[KeyHelp]) -> String {
    let about = |key: &KeyHelp| {
        let (first, rest) = key.help.split_once(". ").unwrap_or((key.help, ""));
        let range = key.range.as_ref().map(|range| format!(" ({} to {})", range.start(), range.end()));
        let rest = if rest.is_empty() { String::new() } else { format!(" {rest}.") };
        format!("{first}{}.{rest}", range.unwrap_or_default())
    };
    keys.iter().map(|key| comment(&about(key)) + &line(key)).collect()
}

fn line(key: &KeyHelp) -> String {
    format!("#{} = {}\n", key.name, key.value)
}

fn comment(text: &str) -> String {
    clean(text).paragraph(COLUMNS).iter().map(|line| format!("# {line}\n")).collect::<Vec<_>>().concat()
}
