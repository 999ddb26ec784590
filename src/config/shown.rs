//! Text from the config as messages may show it. Any name or value may be an API key that was pasted into the wrong place.

use std::path::Path;

use crate::base::redact::{ApiKey, MASK};
use crate::base::text::{Safe, clean};
use crate::safe;

/// The source of a value that is not set, and the name of the top level.
pub(super) const DEFAULT: &str = "default";

pub(super) fn clean_path(path: &Path) -> Safe {
    clean(&path.to_string_lossy())
}

/// A path from the config; one with a colon may be an API key.
pub(super) fn shown_path(path: &Path) -> Safe {
    let shown = clean_path(path);
    if shown.as_str().contains(':') { MASK.into() } else { shown }
}

/// A path as a shell reads it.
pub(super) fn quoted(path: &Path) -> Safe {
    shlex::try_quote(&path.to_string_lossy()).map_or_else(|_| clean_path(path), |quoted| clean(&quoted))
}

/// A name of the program's own, which consists of lower-case letters, `_` and `-`.
pub(super) fn shown_key(name: &str) -> &str {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-');
    if name.bytes().all(is_word) { name } else { MASK }
}

/// A profile's name, which is the user's choice; one with a colon may be an API key.
pub(super) fn shown_profile(name: &str) -> &str {
    if name.contains(':') { MASK } else { name }
}

/// The public id of a key; ids are short, but the key is the user's.
pub fn shown_id(key: &ApiKey) -> Safe {
    match key.public_id() {
        Some(id) => safe!("id {}", id.fit(40, "…")),
        None => "no public id".into(),
    }
}

/// A basic string of TOML, with its quotes.
pub fn toml_string(text: &Safe) -> Safe {
    let escaped = clean(&text.as_str().replace('\\', "\\\\").replace('"', "\\\""));
    safe!("\"{}\"", escaped)
}

/// An array of strings.
pub(super) fn toml_array(texts: &[Safe]) -> Safe {
    let quoted: Vec<_> = texts.iter().map(|text| toml_string(text).to_string()).collect();
    safe!("[{}]", clean(&quoted.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toml_string_is_what_it_quotes() {
        for text in ["", "plain", "a\"b", "a\\b", "\\\"", "ключ"] {
            let line = format!("x = {}", toml_string(&clean(text)));
            let table = toml::de::DeTable::parse(&line).unwrap();
            let value = table.get_ref().get("x").unwrap().get_ref();
            assert_eq!(value.as_str(), Some(text), "{line}");
        }
    }

    #[test]
    fn a_path_that_looks_like_a_key_is_masked() {
        assert_eq!(shown_path(Path::new("/run/secrets/key")).as_str(), "/run/secrets/key");
        assert_eq!(shown_path(Path::new("/etc/kid:SENTINEL")).as_str(), MASK);
    }
}
