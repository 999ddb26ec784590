//! Builds complete settings from the config file, the environment and the command line. A [`Config`] is validated as a
//! whole, and [`Config::connection`] selects the workspace and its key.

mod document;
mod environment;
mod explain;
mod key;
mod mapping;
mod profiles;
mod renewal;
mod settings;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use ratatui::style::Color;

use self::document::{Document, Found, Section, clean_path, shown_profile};
pub use self::environment::{Environment, Multiplexer};
pub use self::explain::{Permissions, Stored, StoredAt, Value, toml_string};
use self::key::StoredKey;
pub use self::mapping::MapFile;
pub use self::profiles::{Profile, Profiles};
use self::settings::COLOURS;
pub use self::settings::{Audit, Clipboard, Network, Proxy, Theme, TimeFormat, Ui, colour_name};
use crate::api;
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
/// The source of a value that is not set, and the name of the top level.
const DEFAULT: &str = "default";

/// A configuration error: the problem, its place and advice. It never quotes a value from the file, which might be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}{message}")]
pub struct ConfigError {
    /// `config.toml:3: `, `DIALNEXA_API_KEY: ` or nothing.
    place: Safe,
    message: Safe,
    /// Advice in a sentence of its own.
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

    /// The message without the place, for output that has only one line for it.
    pub fn brief(&self) -> &Safe {
        &self.message
    }

    /// Names the key whose file cannot be used.
    fn about(mut self, key: &'static str) -> Self {
        self.message = safe!("{}: {}", key, self.message);
        self
    }

    /// Names the file that cannot be used.
    fn of(mut self, file: &Safe) -> Self {
        self.message = safe!("{} ({})", self.message, file);
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
    /// The path of the file, even if it does not exist; `None` without a home directory.
    pub path: Option<PathBuf>,
    pub network: Network,
    pub ui: Ui,
    pub audit: Audit,
    pub keymap: Keymap,
    top: Level,
    profiles: BTreeMap<String, Level>,
    default_profile: Option<String>,
    /// `path:line` of each key that the file has, by its full name.
    sources: BTreeMap<String, Safe>,
}

/// The path of the config file, which may not exist.
#[derive(Debug, Clone)]
pub struct Located {
    pub path: PathBuf,
    /// `--config`, `HOOKSCOPE_CONFIG` or `default location`.
    pub source: &'static str,
    /// True if the user named the file, so it must exist.
    pub is_named: bool,
}

/// The keys allowed both at the top level and in a profile, and those of profiles alone.
#[derive(Debug, Clone, Default)]
struct Level {
    key: Option<StoredKey>,
    base_url: Option<Found<BaseUrl>>,
    /// Only in profiles: the same color for all would not distinguish them.
    colour: Option<Found<Color>>,
}

/// The profile in effect and the source of that choice.
#[derive(Debug)]
struct Chosen<'a> {
    /// `None` is the top level.
    name: Option<&'a str>,
    level: &'a Level,
    source: Safe,
}

/// The workspace options of the command line.
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

impl Connection {
    /// The id of this workspace in file names: a hash of the base URL, the profile and the key, which reveals none of them.
    pub fn fingerprint(&self) -> String {
        let text = format!("{}\n{}\n{}", self.api.base_url.as_url(), self.profile, self.api.key.tag());
        fingerprint(text.as_bytes())
    }

    /// The fingerprint of earlier versions, which ignored the path of the base URL and, of the key, everything but its
    /// public id.
    pub fn old_fingerprint(&self) -> String {
        let origin = self.api.base_url.as_url().origin().ascii_serialization();
        let id = self.api.key.public_id().unwrap_or_default();
        fingerprint(format!("{origin}\n{}\n{id}", self.profile).as_bytes())
    }

    /// Returns true if the old fingerprint identifies a single workspace: at the vendor's own address, a key with a public
    /// id belongs to only one.
    pub fn old_fingerprint_is_certain(&self) -> bool {
        self.api.base_url == BaseUrl::default() && self.api.key.public_id().is_some()
    }
}

/// Hashes a text for use in a file name that must not reveal it.
fn fingerprint(of: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, of);
    digest.as_ref().iter().take(12).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The source of a connection's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    Config,
    /// `api_key_command` of the config.
    Command,
    /// `DIALNEXA_API_KEY`.
    Environment,
    Demo,
}

impl KeySource {
    /// The source of a key from the config, given how it is renewed.
    fn of(renewal: Option<&api::Renewal>) -> Self {
        if renewal.is_some_and(|renewal| renewal.asks) { Self::Command } else { Self::Config }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Config | Self::Command => "the config",
            Self::Environment => "DIALNEXA_API_KEY",
            Self::Demo => "the demo",
        }
    }
}

impl Config {
    /// Reads the named file, or the one at the default path if it exists.
    pub fn load(named: Option<&Path>, env: &Environment) -> Result<Self, ConfigError> {
        let (config, permissions) = Self::examine(named, env)?;
        match permissions.and_then(|permissions| permissions.refusal) {
            Some(refusal) => Err(refusal),
            None => Ok(config),
        }
    }

    /// Like [`Config::load`], but returns the file's permissions instead of refusing a file that others can read. They are
    /// `None` without a file.
    pub fn examine(named: Option<&Path>, env: &Environment) -> Result<(Self, Option<Permissions>), ConfigError> {
        let (mut config, permissions) = match Self::locate(named, env)? {
            Some(located) if located.is_named || located.path.exists() => {
                let document = Document::open(&located.path)?;
                let config = Self::read(&document)?;
                let permissions = document.permissions(config.holds_key());
                (config, Some(permissions))
            }
            located => (Self { path: located.map(|located| located.path), ..Self::default() }, None),
        };
        config.network.proxies = env.proxies.clone();
        Ok((config, permissions))
    }

    /// Returns the named file, or the default path even if there is no file; `None` without a home directory.
    pub fn locate(named: Option<&Path>, env: &Environment) -> Result<Option<Located>, ConfigError> {
        match (named, &env.config) {
            (Some(path), _) => Ok(Some(Located { path: path.to_owned(), source: "--config", is_named: true })),
            (None, Some(path)) if path.as_os_str().is_empty() => Err(ConfigError::new("it is empty")
                .at(&"HOOKSCOPE_CONFIG".into())
                .advise("Name a config file, or unset the variable.")),
            (None, Some(path)) => Ok(Some(Located { path: path.clone(), source: "HOOKSCOPE_CONFIG", is_named: true })),
            (None, None) => Ok(usual_path().map(|path| Located { path, source: "default location", is_named: false })),
        }
    }

    fn read(document: &Document) -> Result<Self, ConfigError> {
        tracing::debug!("config {}", clean_path(&document.path));
        let tables = document.parse()?;
        let mut root = Section::root(document, &tables);
        let top = Level::read(&mut root)?;
        let default_profile = root.string("default_profile")?;
        let profiles = read_profiles(&mut root)?;
        let network = Network::read(&mut root.section("network")?)?;
        let ui = Ui::read(&mut root.section("ui")?)?;
        let audit = Audit::read(&mut root.section("audit")?)?;
        let keymap = read_keys(&mut root.section("keys")?)?;
        root.finish()?;
        if let Some(found) = default_profile.as_ref().filter(|found| !profiles.contains_key(&found.value)) {
            let message = "default_profile: no such profile".into();
            return Err(unknown_profile(message, &profiles).at(&found.place));
        }
        Ok(Self {
            path: Some(document.path.clone()),
            network,
            ui,
            audit,
            keymap,
            top,
            profiles,
            default_profile: default_profile.map(|found| found.value),
            sources: document.sources(),
        })
    }

    /// The id of this config in file names: a hash of its absolute path.
    pub fn fingerprint(&self) -> String {
        let path = self.path.as_ref().and_then(|path| std::path::absolute(path).ok()).unwrap_or_default();
        fingerprint(path.as_os_str().as_encoded_bytes())
    }

    /// The names of the profiles.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    /// The name of the profile in effect; `None` if the config has no profiles.
    ///
    /// # Errors
    ///
    /// There is no such profile.
    pub fn profile_label(&self, selection: &Selection, env: &Environment) -> Result<Option<String>, ConfigError> {
        if self.profiles.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.profile(selection, env)?.name.unwrap_or(DEFAULT).to_owned()))
    }

    /// Returns true if the file itself contains a key.
    fn holds_key(&self) -> bool {
        self.top.holds_key() || self.profiles.values().any(Level::holds_key)
    }

    /// Selects the workspace and gets its key. This runs the key command, so call it before the explorer takes over the
    /// terminal.
    pub async fn connection(&self, selection: &Selection, env: &Environment) -> Result<Connection, ConfigError> {
        let chosen = self.profile(selection, env)?;
        let (base_url, url_place) = self.base_url(&chosen, selection, env)?;
        let (key, renewal, key_source, key_place) = match &env.api_key {
            Some(text) => {
                let source = KeySource::Environment;
                (key_of_environment(text)?, None, source, source.name().into())
            }
            None => {
                let stored = self.bound_key(&chosen, &base_url)?;
                let renewal = self.renewal(&chosen, &base_url);
                let source = KeySource::of(renewal.as_ref());
                (stored.read().await?, renewal, source, stored.described())
            }
        };
        let sources = api::Sources { key: Some(key_place), base_url: Some(url_place) };
        Ok(Connection {
            profile: chosen.shown_name(),
            key_source,
            api: api::Settings { renewal, sources, ..self.network.api_settings(base_url, key)? },
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
                renewal: None,
                timeout: network.timeout,
                connect_timeout: network.connect_timeout,
                max_page_bytes: network.max_page_bytes,
                proxy: None,
                extra_roots: None,
                sources: api::Sources::default(),
            },
        }
    }

    fn profile<'a>(&'a self, selection: &'a Selection, env: &'a Environment) -> Result<Chosen<'a>, ConfigError> {
        let named = match (&selection.profile, &env.profile) {
            (Some(name), _) => Some((name, "--profile")),
            (None, Some(name)) => Some((name, "HOOKSCOPE_PROFILE")),
            (None, None) => None,
        };
        if let Some((name, source)) = named {
            let Some((name, level)) = self.profiles.get_key_value(name) else {
                let message = safe!("unknown profile {}", clean_head(name, 40));
                return Err(unknown_profile(message, &self.profiles).at(&source.into()));
            };
            return Ok(Chosen { name: Some(name), level, source: source.into() });
        }
        match self.default_profile.as_ref().and_then(|name| self.profiles.get_key_value(name)) {
            Some((name, level)) => Ok(Chosen { name: Some(name), level, source: self.source("default_profile") }),
            None => Ok(Chosen { name: None, level: &self.top, source: DEFAULT.into() }),
        }
    }

    /// The address in effect, and where it is from.
    fn base_url(
        &self,
        chosen: &Chosen<'_>,
        selection: &Selection,
        env: &Environment,
    ) -> Result<(BaseUrl, Safe), ConfigError> {
        let given = match (&selection.base_url, &env.base_url) {
            (Some(text), _) => Some((text, "--base-url")),
            (None, Some(text)) => Some((text, "DIALNEXA_BASE_URL")),
            (None, None) => None,
        };
        match given {
            Some((text, source)) => BaseUrl::parse(text)
                .map(|url| (url, source.into()))
                .map_err(|why| ConfigError::new(clean(&why.to_string())).at(&source.into())),
            None => Ok(match self.found_home(chosen.level) {
                Some(found) => (found.value.clone(), found.place.clone()),
                None => (BaseUrl::default(), DEFAULT.into()),
            }),
        }
    }

    /// The base URL in effect at a level: its own, else the top's, else the vendor's.
    fn home_of(&self, level: &Level) -> BaseUrl {
        self.found_home(level).map(|found| found.value.clone()).unwrap_or_default()
    }

    fn found_home<'a>(&'a self, level: &'a Level) -> Option<&'a Found<BaseUrl>> {
        level.base_url.as_ref().or(self.top.base_url.as_ref())
    }

    /// The key stored for a level, and the address that it is stored for.
    fn stored_key<'a>(&'a self, chosen: &Chosen<'a>) -> Result<(&'a StoredKey, BaseUrl), ConfigError> {
        match (&chosen.level.key, &self.top.key) {
            (Some(key), _) => Ok((key, self.home_of(chosen.level))),
            (None, Some(key)) => Ok((key, self.home_of(&self.top))),
            (None, None) => Err(self.no_key(chosen.name)),
        }
    }

    /// The key stored for a level, which may be sent only to the origin it was stored for.
    fn bound_key<'a>(&'a self, chosen: &Chosen<'a>, base_url: &BaseUrl) -> Result<&'a StoredKey, ConfigError> {
        let (key, home) = self.stored_key(chosen)?;
        if !home.same_origin(base_url) {
            let message = safe!(
                "the API key is stored for {} and is not sent to {}: nothing was sent",
                origin(&home),
                origin(base_url)
            );
            return Err(ConfigError::new(message)
                .at(key.place())
                .advise("Set DIALNEXA_API_KEY to a key for that base URL, or add a profile for it."));
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
            return error.advise(safe!(
                "Choose a profile with --profile ({}), or set default_profile; hookscope --demo needs no key.",
                names
            ));
        }
        error.advise(match &self.path {
            Some(path) if path.exists() => {
                safe!("Add api_key to {}, or set DIALNEXA_API_KEY. hookscope --demo needs no key.", clean_path(path))
            }
            Some(path) => {
                safe!(
                    "Run hookscope config init (it writes {}), or set DIALNEXA_API_KEY. hookscope --demo needs no key.",
                    clean_path(path)
                )
            }
            None => {
                "Set DIALNEXA_API_KEY, or run hookscope config init --config FILE. hookscope --demo needs no key.".into()
            }
        })
    }
}

impl Chosen<'_> {
    fn shown_name(&self) -> Safe {
        self.name.map_or_else(|| DEFAULT.into(), |name| clean_head(shown_profile(name), 40))
    }
}

impl Level {
    fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let key = StoredKey::find(section)?;
        let base_url = match section.string("base_url")? {
            Some(found) => {
                let url = BaseUrl::parse(&found.value)
                    .map_err(|why| section.wrong("base_url", &clean(&why.to_string()), &found.place))?;
                Some(Found { value: url, place: found.place })
            }
            None => None,
        };
        Ok(Self { key, base_url, colour: None })
    }

    fn read_profile(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        // The older spelling stays valid.
        let key = if section.has("colour") && !section.has("color") { "colour" } else { "color" };
        let colour = section.found_choice(key, &COLOURS)?;
        Ok(Self { colour, ..Self::read(section)? })
    }

    fn holds_key(&self) -> bool {
        matches!(self.key, Some(StoredKey::Inline { .. }))
    }
}

/// The default path of the config file. `None` if it would be relative: a file below the working directory may belong to
/// anyone.
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
        let level = Level::read_profile(&mut section)?;
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
                section.wrong(name, &"keys are written as j, G, ctrl-d, alt-x, enter, pgdn or f5".into(), &found.place)
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
    // Invalid UTF-8 becomes a character that keys cannot contain.
    ApiKey::new(&value.to_string_lossy()).map_err(|why| {
        ConfigError::new(clean(&why.to_string()))
            .at(&"DIALNEXA_API_KEY".into())
            .advise("Set it to key_id:secret, or unset it to use the key of the config.")
    })
}

/// Scheme, host and port: what a key is bound to.
fn origin(url: &BaseUrl) -> Safe {
    clean(&url.as_url().origin().ascii_serialization())
}

fn unknown_profile(message: Safe, profiles: &BTreeMap<String, Level>) -> ConfigError {
    let error = ConfigError::new(message);
    if profiles.is_empty() {
        return error.advise("The config has no profiles; add a section [profiles.NAME].");
    }
    error.advise(safe!("Profiles: {}", profile_names(profiles)))
}

fn profile_names(profiles: &BTreeMap<String, Level>) -> Safe {
    let names: Vec<_> = profiles.keys().map(|name| shown_profile(name)).collect();
    clean(&names.join(", ")).fit(200, "…")
}

#[cfg(test)]
mod tests;
