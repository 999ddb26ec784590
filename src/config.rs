//! From the config file, the environment and the command line to settings that have no holes: a [`Config`] is validated as a
//! whole, and [`Config::connection`] says which workspace is read with which key.

mod document;
mod environment;
mod key;
mod settings;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use self::document::{Document, Section, clean_path, shown_profile};
pub use self::environment::Environment;
use self::key::StoredKey;
pub use self::settings::{Audit, Clipboard, Network, Severity, Theme, TimeFormat, Ui};
use crate::api::{self, Proxy};
use crate::base_url::BaseUrl;
use crate::fetch::Policy;
use crate::keymap::{ACTIONS, Entry, Key, Keymap};
use crate::redact::ApiKey;
use crate::safe;
use crate::text::{Safe, clean, clean_head};

/// The file name below the user's config directory.
const FILE: &str = "config.toml";
/// The largest certificate bundle that is read, in bytes.
const MAX_CA_BYTES: u64 = 4 << 20;

/// What is wrong with the configuration, where, and what to do. It never carries a value from the file: that might be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}{message}")]
pub struct ConfigError {
    /// `config.toml:3: `, `DIALNEXA_API_KEY: ` or nothing.
    place: Safe,
    message: Safe,
    /// What to do, as one more sentence.
    pub advice: Option<Safe>,
}

impl ConfigError {
    fn new(message: impl Into<Safe>) -> Self {
        Self { place: Safe::default(), message: message.into(), advice: None }
    }

    fn at(mut self, place: &Safe) -> Self {
        self.place = safe!("{}: ", place);
        self
    }

    /// Names the key whose file cannot be used.
    fn about(mut self, key: &'static str) -> Self {
        self.message = safe!("{}: {}", key, self.message);
        self
    }

    fn advise(mut self, advice: impl Into<Safe>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// A validated configuration.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Where it is, or would be; `None` when there is no home directory to have one in.
    pub path: Option<PathBuf>,
    pub network: Network,
    pub ui: Ui,
    pub audit: Audit,
    pub keymap: Keymap,
    top: Level,
    profiles: BTreeMap<String, Level>,
    default_profile: Option<String>,
}

/// The keys that stand at the top level and in each profile.
#[derive(Debug, Clone, Default)]
struct Level {
    key: Option<StoredKey>,
    base_url: Option<BaseUrl>,
}

/// What the command line says of the workspace.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    pub profile: Option<String>,
    pub base_url: Option<String>,
}

/// One workspace, and how to reach it.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The profile's name; `default` without profiles, `demo` for the demo.
    pub profile: Safe,
    pub key_source: KeySource,
    pub api: api::Settings,
    pub policy: Policy,
}

/// Where the key of a connection is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    Config,
    /// `DIALNEXA_API_KEY`.
    Environment,
    Demo,
}

impl KeySource {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Config => "the config",
            Self::Environment => "DIALNEXA_API_KEY",
            Self::Demo => "the demo",
        }
    }
}

impl Config {
    /// Reads the file that was named, or the one at the usual place if there is one.
    pub fn load(named: Option<&Path>, env: &Environment) -> Result<Self, ConfigError> {
        let named = match (named, &env.config) {
            (Some(path), _) => Some(path.to_owned()),
            (None, Some(path)) if path.as_os_str().is_empty() => {
                return Err(ConfigError::new("it is empty").at(&"HOOKSCOPE_CONFIG".into()));
            }
            (None, path) => path.clone(),
        };
        if let Some(path) = named {
            return Self::read(Document::open(&path)?);
        }
        let usual = usual_path();
        match &usual {
            Some(path) if path.exists() => Self::read(Document::open(path)?),
            _ => Ok(Self { path: usual, ..Self::default() }),
        }
    }

    fn read(document: Document) -> Result<Self, ConfigError> {
        let tables = document.parse()?;
        let mut root = Section::root(&document, &tables);
        let top = Level::read(&mut root)?;
        let default_profile = root.string("default_profile")?;
        let profiles = read_profiles(&mut root)?;
        let network = Network::read(&mut root.section("network")?)?;
        let ui = Ui::read(&mut root.section("ui")?)?;
        let audit = Audit::read(&mut root.section("audit")?)?;
        let keymap = read_keys(&mut root.section("keys")?)?;
        root.finish()?;
        if let Some(found) = default_profile.as_ref().filter(|found| !profiles.contains_key(&found.value)) {
            let message = "default_profile: there is no such profile".into();
            return Err(unknown_profile(message, &profiles).at(&found.place));
        }
        let holds_key = top.holds_key() || profiles.values().any(Level::holds_key);
        if holds_key {
            document.refuse_loose_mode()?;
        }
        Ok(Self {
            path: Some(document.path),
            network,
            ui,
            audit,
            keymap,
            top,
            profiles,
            default_profile: default_profile.map(|found| found.value),
        })
    }

    /// The names of the profiles.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    /// Decides which workspace is read, and gets its key. A key command runs here, so this belongs before the screen is
    /// taken.
    pub async fn connection(&self, selection: &Selection, env: &Environment) -> Result<Connection, ConfigError> {
        let (name, level) = self.profile(selection, env)?;
        let base_url = self.base_url(level, selection, env)?;
        let (key, key_source) = match &env.api_key {
            Some(text) => (key_of_environment(text)?, KeySource::Environment),
            None => (self.stored_key(name, level, &base_url)?.read().await?, KeySource::Config),
        };
        Ok(Connection {
            profile: name.map_or_else(|| "default".into(), |name| clean_head(name, 40)),
            key_source,
            api: self.network.api_settings(base_url, key)?,
            policy: self.network.policy(),
        })
    }

    /// The embedded demo: its own address and key, with the user's `[network]` left aside.
    pub fn demo_connection(base_url: BaseUrl, key: ApiKey) -> Connection {
        let network = Network::default();
        Connection {
            profile: "demo".into(),
            key_source: KeySource::Demo,
            policy: network.policy(),
            api: api::Settings {
                base_url,
                key,
                timeout: network.timeout,
                connect_timeout: network.connect_timeout,
                max_page_bytes: network.max_page_bytes,
                proxy: Proxy::None,
                extra_roots: None,
            },
        }
    }

    fn profile<'a>(
        &'a self,
        selection: &'a Selection,
        env: &'a Environment,
    ) -> Result<(Option<&'a str>, &'a Level), ConfigError> {
        let chosen = match (&selection.profile, &env.profile) {
            (Some(name), _) => Some((name, "--profile")),
            (None, Some(name)) => Some((name, "HOOKSCOPE_PROFILE")),
            (None, None) => None,
        };
        if let Some((name, source)) = chosen {
            let Some((name, level)) = self.profiles.get_key_value(name) else {
                let message = safe!("there is no profile {}", clean_head(name, 40));
                return Err(unknown_profile(message, &self.profiles).at(&source.into()));
            };
            return Ok((Some(name), level));
        }
        match self.default_profile.as_ref().and_then(|name| self.profiles.get_key_value(name)) {
            Some((name, level)) => Ok((Some(name), level)),
            None => Ok((None, &self.top)),
        }
    }

    fn base_url(&self, level: &Level, selection: &Selection, env: &Environment) -> Result<BaseUrl, ConfigError> {
        let given = match (&selection.base_url, &env.base_url) {
            (Some(text), _) => Some((text, "--base-url")),
            (None, Some(text)) => Some((text, "DIALNEXA_BASE_URL")),
            (None, None) => None,
        };
        match given {
            Some((text, source)) => {
                BaseUrl::parse(text).map_err(|why| ConfigError::new(clean(&why.to_string())).at(&source.into()))
            }
            None => Ok(self.home_of(level)),
        }
    }

    /// The base URL in effect at a level: its own, else the top's, else the vendor's.
    fn home_of(&self, level: &Level) -> BaseUrl {
        level.base_url.clone().or_else(|| self.top.base_url.clone()).unwrap_or_default()
    }

    /// The key stored for a level, which may be sent only to the origin it was stored for.
    fn stored_key<'a>(
        &'a self,
        name: Option<&str>,
        level: &'a Level,
        base_url: &BaseUrl,
    ) -> Result<&'a StoredKey, ConfigError> {
        let (key, home) = match (&level.key, &self.top.key) {
            (Some(key), _) => (key, self.home_of(level)),
            (None, Some(key)) => (key, self.home_of(&self.top)),
            (None, None) => return Err(self.no_key(name)),
        };
        if !home.same_origin(base_url) {
            let message = safe!(
                "the API key is stored for {} and is not sent to {}: nothing was sent",
                origin(&home),
                origin(base_url)
            );
            return Err(ConfigError::new(message)
                .at(key.place())
                .advise("Another address needs a key of its own: DIALNEXA_API_KEY, or api_key in a profile."));
        }
        Ok(key)
    }

    fn no_key(&self, name: Option<&str>) -> ConfigError {
        let message = match name {
            Some(name) => safe!("no API key for profile {}", clean_head(shown_profile(name), 40)),
            None => "no API key".into(),
        };
        let error = ConfigError::new(message);
        if name.is_none() && !self.profiles.is_empty() {
            let names = profile_names(&self.profiles);
            return error.advise(safe!("Choose a profile with --profile ({}), or set default_profile.", names));
        }
        let Some(path) = &self.path else {
            return error
                .advise("Set DIALNEXA_API_KEY, or name a config file with --config; hookscope --demo needs neither.");
        };
        error.advise(safe!(
            "Put api_key = \"key_id:secret\" into the config file {} (chmod 600), or set DIALNEXA_API_KEY; hookscope --demo needs none.",
            clean_path(path)
        ))
    }
}

impl Level {
    fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let key = StoredKey::find(section)?;
        let base_url = match section.string("base_url")? {
            Some(found) => Some(
                BaseUrl::parse(&found.value)
                    .map_err(|why| section.wrong("base_url", &clean(&why.to_string()), &found.place))?,
            ),
            None => None,
        };
        Ok(Self { key, base_url })
    }

    fn holds_key(&self) -> bool {
        matches!(self.key, Some(StoredKey::Inline { .. }))
    }
}

/// The usual place of the config file. A relative home would put it below the working directory, whoever owns that.
pub fn usual_path() -> Option<PathBuf> {
    let dirs = ProjectDirs::from("", "", "hookscope")?;
    let path = dirs.config_dir().join(FILE);
    path.is_absolute().then_some(path)
}

fn read_profiles(root: &mut Section<'_>) -> Result<BTreeMap<String, Level>, ConfigError> {
    let mut profiles = BTreeMap::new();
    let mut tables = root.section("profiles")?;
    for name in tables.names() {
        let mut section = tables.section(&name)?;
        let level = Level::read(&mut section)?;
        section.finish()?;
        profiles.insert(name, level);
    }
    tables.finish()?;
    Ok(profiles)
}

fn read_keys(section: &mut Section<'_>) -> Result<Keymap, ConfigError> {
    let mut replaced = BTreeMap::new();
    let mut places = BTreeMap::new();
    for Entry { action, name, .. } in ACTIONS {
        let Some(found) = section.strings(name)? else { continue };
        let mut keys = Vec::new();
        for text in &found.value {
            let key = Key::parse(text).ok_or_else(|| {
                section.wrong(name, &"a key is written as j, G, ctrl-d, alt-x, enter, pgdn or f5".into(), &found.place)
            })?;
            keys.push(key);
        }
        replaced.insert(*action, keys);
        places.insert(*name, found.place);
    }
    section.finish()?;
    Keymap::new(&replaced).map_err(|conflict| {
        let place = places.get(conflict.action).cloned().unwrap_or_default();
        section.wrong(conflict.action, &conflict.message, &place)
    })
}

fn key_of_environment(value: &OsStr) -> Result<ApiKey, ConfigError> {
    // What is not UTF-8 becomes characters that no key may have.
    ApiKey::new(&value.to_string_lossy()).map_err(|why| {
        ConfigError::new(clean(&why.to_string()))
            .at(&"DIALNEXA_API_KEY".into())
            .advise("Unset the variable to use the key of the config.")
    })
}

/// Scheme, host and port: what a key is bound to.
fn origin(url: &BaseUrl) -> Safe {
    clean(&url.as_url().origin().ascii_serialization())
}

fn unknown_profile(message: Safe, profiles: &BTreeMap<String, Level>) -> ConfigError {
    let error = ConfigError::new(message);
    if profiles.is_empty() {
        return error.advise("The config file has no [profiles.NAME] section.");
    }
    error.advise(safe!("The profiles are: {}.", profile_names(profiles)))
}

fn profile_names(profiles: &BTreeMap<String, Level>) -> Safe {
    let names: Vec<_> = profiles.keys().map(|name| shown_profile(name)).collect();
    clean(&names.join(", ")).fit(200, "…")
}

#[cfg(test)]
mod tests;
