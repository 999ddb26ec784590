//! The configuration as it is told to people: every value with its source, and of keys only what is public.

use std::path::Path;

use ratatui::style::Color;

use super::document::{clean_path, shown_profile};
use super::key::StoredKey;
use super::settings::{CLIPBOARDS, Proxy, SEVERITIES, TIMES, colour_name};
use super::{Config, ConfigError, DEFAULT, Environment, Selection, key_of_environment};
use crate::analysis::audit::{Pattern, Rule, Severity, Waiver, Whose};
use crate::api;
use crate::base_url::BaseUrl;
use crate::keymap::ACTIONS;
use crate::redact::{self, ApiKey, MASK};
use crate::safe;
use crate::text::{Safe, clean};

/// Who may do what with the config file.
#[derive(Debug, Clone)]
pub struct Permissions {
    /// The permission bits, such as `0o600`.
    pub mode: u32,
    /// The user id of whom it belongs to.
    pub owner: u32,
    /// A key stands in the file itself.
    pub holds_key: bool,
    /// Why the file is not used, with what to do.
    pub refusal: Option<ConfigError>,
}

/// One value in effect, as a line of TOML has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The full name, such as `network.timeout`.
    pub key: Safe,
    /// `None` when there is none, and no default either.
    pub value: Option<Safe>,
    /// `default`, or `path:line`.
    pub source: Safe,
}

/// A key that is stored somewhere, and where.
#[derive(Debug, Clone)]
pub struct StoredAt {
    /// `DIALNEXA_API_KEY`, or the line of the config.
    pub source: Safe,
    pub stored: Stored,
}

/// How a key is stored.
#[derive(Debug, Clone)]
pub enum Stored {
    /// In a variable or in the config itself.
    Here { public_id: Option<Safe> },
    /// In a file of its own.
    File { path: Safe },
    /// With a command, of which only the program is named.
    Command { program: Safe },
}

impl Config {
    /// The profile in effect, and what chose it.
    pub fn profile_and_source(&self, selection: &Selection, env: &Environment) -> Result<(Safe, Safe), ConfigError> {
        let chosen = self.profile(selection, env)?;
        Ok((chosen.shown_name(), chosen.source))
    }

    /// The names of the profiles, as messages may show them.
    pub fn profile_names(&self) -> Vec<Safe> {
        self.profiles.keys().map(|name| clean(shown_profile(name))).collect()
    }

    /// The default profile of the file.
    pub fn default_profile(&self) -> Option<Safe> {
        self.default_profile.as_deref().map(|name| clean(shown_profile(name)))
    }

    /// The address in effect, and where it is from.
    pub fn base_url_and_source(&self, selection: &Selection, env: &Environment) -> Result<(BaseUrl, Safe), ConfigError> {
        self.base_url(&self.profile(selection, env)?, selection, env)
    }

    /// The colour that marks the profile in effect, and where it is from; `None` without a profile.
    pub fn colour_and_source(&self, selection: &Selection, env: &Environment) -> Result<Option<(Safe, Safe)>, ConfigError> {
        let chosen = self.profile(selection, env)?;
        if chosen.name.is_none() {
            return Ok(None);
        }
        let found = chosen.level.colour.as_ref();
        let colour = found.map_or(Color::Reset, |found| found.value);
        Ok(Some((colour_name(colour).into(), found.map_or_else(|| DEFAULT.into(), |found| found.place.clone()))))
    }

    /// Where the key is. No file is read for it and no command run.
    ///
    /// # Errors
    ///
    /// There is no key, or the variable holds none.
    pub fn key_place(&self, selection: &Selection, env: &Environment) -> Result<StoredAt, ConfigError> {
        if let Some(text) = &env.api_key {
            let key = key_of_environment(text)?;
            return Ok(StoredAt { source: "DIALNEXA_API_KEY".into(), stored: Stored::Here { public_id: key.public_id() } });
        }
        let (key, _) = self.stored_key(&self.profile(selection, env)?)?;
        let stored = match key {
            StoredKey::Inline { key, .. } => Stored::Here { public_id: key.public_id() },
            StoredKey::File { path, .. } => Stored::File { path: shown_path(path) },
            StoredKey::Command { words, .. } => {
                let program = words.first().map_or_else(Safe::default, |program| shown_path(Path::new(program)));
                Stored::Command { program }
            }
        };
        Ok(StoredAt { source: key.place().clone(), stored })
    }

    /// Whether the key in effect may be sent to the address in effect.
    pub fn check_binding(&self, selection: &Selection, env: &Environment) -> Result<(), ConfigError> {
        let chosen = self.profile(selection, env)?;
        let (base_url, _) = self.base_url(&chosen, selection, env)?;
        match env.api_key {
            Some(_) => Ok(()),
            None => self.bound_key(&chosen, &base_url).map(|_| ()),
        }
    }

    /// Gets the key in effect; a key command runs here. Whether it may be sent anywhere is another question.
    pub async fn read_key(&self, selection: &Selection, env: &Environment) -> Result<ApiKey, ConfigError> {
        match &env.api_key {
            Some(text) => key_of_environment(text),
            None => self.stored_key(&self.profile(selection, env)?)?.0.read().await,
        }
    }

    /// What a client is made of, with further certificates read.
    pub fn api_settings(&self, base_url: BaseUrl, key: ApiKey) -> Result<api::Settings, ConfigError> {
        self.network.api_settings(base_url, key)
    }

    /// Everything below the top level, in the order of the example.
    pub fn values(&self) -> Vec<Value> {
        let network = &self.network;
        let ui = &self.ui;
        let theme = &ui.theme;
        let proxy = match &network.proxy {
            Proxy::Environment => "environment".into(),
            Proxy::None => "none".into(),
            Proxy::Server(server) => server.shown(),
        };
        let mut values = vec![
            self.value("network.timeout", safe!("{}", network.timeout.as_secs())),
            self.value("network.connect_timeout", safe!("{}", network.connect_timeout.as_secs())),
            self.value("network.retries", safe!("{}", network.retries)),
            self.value("network.max_concurrency", safe!("{}", network.max_concurrency)),
            self.value("network.page_size", safe!("{}", network.page_size)),
            self.value("network.max_page_bytes", safe!("{}", network.max_page_bytes)),
            self.value("network.max_rows", safe!("{}", network.max_rows)),
            self.value("network.max_bytes", safe!("{}", network.max_bytes)),
            self.value("network.proxy", toml_string(&proxy)),
            Value {
                key: "network.ca_file".into(),
                value: network.ca_file().map(|path| toml_string(&shown_path(path))),
                source: self.place_of("network.ca_file").unwrap_or_else(|| "not set".into()),
            },
            self.value("ui.refresh", safe!("{}", ui.refresh.as_secs())),
            self.value("ui.time", word(&TIMES, ui.time)),
            self.value("ui.mouse", truth(ui.mouse)),
            self.value("ui.ascii", truth(ui.ascii)),
            self.value("ui.clipboard", word(&CLIPBOARDS, ui.clipboard)),
            self.value("ui.auto_load_limit", safe!("{}", ui.auto_load_limit)),
        ];
        for (name, colour) in [
            ("accent", theme.accent),
            ("active", theme.active),
            ("inactive", theme.inactive),
            ("warning", theme.warning),
            ("error", theme.error),
            ("quiet", theme.quiet),
        ] {
            values.push(self.value_of(safe!("ui.theme.{}", name), toml_string(&colour_name(colour).into())));
        }
        for entry in ACTIONS {
            values.push(self.value_of(safe!("keys.{}", entry.name), array(&self.keymap.keys(entry.action))));
        }
        let audit = &self.audit;
        let retired: Vec<_> = audit.retired.iter().map(Pattern::shown).collect();
        values.push(self.value("audit.retired", array(&retired)));
        let known: Vec<_> = audit.known_events.iter().map(|name| clean(&redact::mask_url(name.raw()))).collect();
        values.push(self.value("audit.known_events", array(&known)));
        values.push(self.value("audit.allow", waivers(&audit.allow)));
        values.extend(self.severities());
        values
    }

    /// A line for each rule with a severity of its own; one line when there is none.
    fn severities(&self) -> Vec<Value> {
        if self.audit.severity.is_empty() {
            return vec![self.value("audit.severity", "{}".into())];
        }
        let value = |(rule, severity): &(&Rule, Severity)| {
            self.value_of(safe!("audit.severity.{}", rule.id), word(&SEVERITIES, *severity))
        };
        self.audit.severity.iter().map(value).collect()
    }

    fn value(&self, key: &'static str, value: Safe) -> Value {
        self.value_of(key.into(), value)
    }

    fn value_of(&self, key: Safe, value: Safe) -> Value {
        let source = self.source(key.as_str());
        Value { key, value: Some(value), source }
    }

    /// Where a value is from.
    pub(super) fn source(&self, key: &str) -> Safe {
        self.sources.get(key).cloned().unwrap_or_else(|| DEFAULT.into())
    }

    /// Where the file has a key of the top level or of a profile.
    pub fn place_of(&self, key: &str) -> Option<Safe> {
        self.sources.get(key).cloned()
    }
}

/// A path as messages may show it; what has a colon may be an API key that was pasted in place of a path.
pub(super) fn shown_path(path: &Path) -> Safe {
    let shown = clean_path(path);
    if shown.as_str().contains(':') { MASK.into() } else { shown }
}

/// A basic string of TOML, with its quotes.
pub fn toml_string(text: &Safe) -> Safe {
    let mut quoted = Safe::literal("\"");
    quoted.push(&clean(&text.as_str().replace('\\', "\\\\").replace('"', "\\\"")));
    quoted.push(&Safe::literal("\""));
    quoted
}

/// Waivers as an array of inline tables.
fn waivers(waivers: &[Waiver]) -> Safe {
    let mut out = Safe::literal("[");
    for (place, waiver) in waivers.iter().enumerate() {
        let separator = if place > 0 { ", " } else { "" };
        let (key, value) = match &waiver.of {
            Whose::Webhook(id) => ("webhook", id.clean_head(120)),
            Whose::Url(pattern) => ("url", pattern.shown()),
        };
        let (rule, value) = (toml_string(&waiver.rule.into()), toml_string(&value));
        let reason = toml_string(&waiver.reason.clean_head(200));
        out.push(&safe!("{}{{ rule = {}, {} = {}, reason = {}", separator, rule, key, value, reason));
        if let Some(date) = waiver.expires {
            out.push(&safe!(", expires = {}", toml_string(&clean(&date.to_string()))));
        }
        out.push(&safe!(" }}"));
    }
    out.push(&safe!("]"));
    out
}

fn array(texts: &[Safe]) -> Safe {
    let quoted: Vec<_> = texts.iter().map(|text| toml_string(text).to_string()).collect();
    safe!("[{}]", clean(&quoted.join(", ")))
}

fn truth(value: bool) -> Safe {
    if value { "true".into() } else { "false".into() }
}

fn word<T: Copy + PartialEq>(words: &[(&'static str, T)], value: T) -> Safe {
    let found = words.iter().find(|(_, known)| *known == value);
    toml_string(&found.map_or("?", |(word, _)| *word).into())
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
    fn what_looks_like_a_key_is_no_path_to_show() {
        assert_eq!(shown_path(Path::new("/run/secrets/key")).as_str(), "/run/secrets/key");
        assert_eq!(shown_path(Path::new("/etc/kid:SENTINEL")).as_str(), MASK);
    }
}
