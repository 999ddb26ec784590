//! The configuration as read from its file: found, checked and validated as a whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use ratatui::style::Color;

use super::document::{ConfigDocument, Located, Section};
use super::environment::Environment;
use super::error::ConfigError;
use super::kinds::{COLORS, ProxySetting};
use super::shown::{DEFAULT, clean_path, shown_profile, toml_array};
use super::stored_key::{KeyStorage, StoredKey};
use super::table::{AuditConfig, NetworkConfig, ThemeConfig, UiConfig};
use crate::api::{self, ProxyServer, ProxyVariables};
use crate::base::base_url::BaseUrl;
use crate::base::redact::ApiKey;
use crate::base::text::{Safe, clean};
use crate::keymap::{ACTIONS, Entry, Key, Keymap};
use crate::safe;

/// The file name below the user's config directory.
pub(super) const FILE: &str = "config.toml";

/// A validated configuration.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The path of the file, even if it does not exist; `None` without a home directory.
    pub path: Option<PathBuf>,
    pub network: NetworkConfig,
    pub ui: UiConfig,
    pub theme: ThemeConfig,
    pub audit: AuditConfig,
    pub keymap: Keymap,
    /// The proxy variables that [`ProxySetting::Environment`] uses.
    proxies: ProxyVariables,
    pub(super) top: ProfileConfig,
    pub(super) profiles: BTreeMap<String, ProfileConfig>,
    pub(super) default_profile: Option<String>,
    /// `path:line` of each key that the file has, by its full name.
    places: BTreeMap<String, Safe>,
}

/// The keys of a profile. Those of the top level are the same, without the color: one color for all would not distinguish
/// them.
#[derive(Debug, Clone, Default)]
pub(super) struct ProfileConfig {
    pub(super) key: Option<StoredKey>,
    pub(super) base_url: Option<Located<BaseUrl>>,
    pub(super) color: Option<Located<Color>>,
}

/// The path of the config file, which may not exist.
#[derive(Debug, Clone)]
pub struct ConfigPath {
    pub path: PathBuf,
    /// `--config`, `HOOKSCOPE_CONFIG` or `default location`.
    pub source: &'static str,
    /// True if the user named the file, so it must exist.
    pub is_named: bool,
}

/// The permissions of the config file.
#[derive(Debug, Clone)]
pub struct ConfigPermissions {
    /// The permission bits, such as `0o600`.
    pub mode: u32,
    /// The user id of the owner.
    pub owner: u32,
    /// True if the file itself contains a key.
    pub holds_key: bool,
    /// The reason to refuse the file. Only its owner may write to it, or read it if it holds a key.
    pub refusal: Option<ConfigError>,
}

impl ConfigPermissions {
    fn of(document: &ConfigDocument, holds_key: bool) -> Self {
        let (path, access) = (&document.path, document.access);
        let check = || {
            access.check_owner(path)?;
            if holds_key {
                access.check_readers(path)?;
            }
            access.check_writers(path)
        };
        let refusal = check().err().map(|refusal| refusal.at(&clean_path(path)));
        Self { mode: access.mode, owner: access.owner, holds_key, refusal }
    }
}

/// One value in effect, as a line of TOML has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigValue {
    /// The full name, such as `network.timeout`.
    pub key: Safe,
    /// `None` if it is not set and has no default.
    pub value: Option<Safe>,
    /// `default`, `not set` or `path:line`.
    pub source: Safe,
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
    pub fn examine(named: Option<&Path>, env: &Environment) -> Result<(Self, Option<ConfigPermissions>), ConfigError> {
        let (mut config, permissions) = match Self::locate(named, env)? {
            Some(located) if located.is_named || located.path.exists() => Self::read(&located.path)?,
            located => (Self { path: located.map(|located| located.path), ..Self::default() }, None),
        };
        config.proxies = env.proxies.clone();
        Ok((config, permissions))
    }

    /// Returns the named file, or the default path even if that file does not exist; `None` without a home directory.
    pub fn locate(named: Option<&Path>, env: &Environment) -> Result<Option<ConfigPath>, ConfigError> {
        match (named, &env.config) {
            (Some(path), _) => Ok(Some(ConfigPath { path: path.to_owned(), source: "--config", is_named: true })),
            (None, Some(path)) if path.as_os_str().is_empty() => Err(ConfigError::new("it is empty")
                .at(&"HOOKSCOPE_CONFIG".into())
                .advise("Name a config file, or unset the variable.")),
            (None, Some(path)) => Ok(Some(ConfigPath { path: path.clone(), source: "HOOKSCOPE_CONFIG", is_named: true })),
            (None, None) => Ok(default_path().map(|path| ConfigPath { path, source: "default location", is_named: false })),
        }
    }

    fn read(path: &Path) -> Result<(Self, Option<ConfigPermissions>), ConfigError> {
        tracing::debug!("config {}", clean_path(path));
        let document = ConfigDocument::open(path)?;
        let tables = document.parse()?;
        let mut root = Section::root(&document, &tables);
        let mut config = Self { path: Some(path.to_owned()), top: ProfileConfig::read(&mut root)?, ..Self::default() };
        let default_profile = root.string("default_profile")?;
        config.profiles = read_profiles(&mut root.section("profiles")?)?;
        config.network = NetworkConfig::read(&mut root.section("network")?)?;
        let mut ui = root.section("ui")?;
        config.theme = ThemeConfig::read(&mut ui.section("theme")?)?;
        config.ui = UiConfig::read(&mut ui)?;
        config.audit = AuditConfig::read(&mut root.section("audit")?)?;
        config.keymap = read_keymap(&mut root.section("keys")?)?;
        root.finish()?;
        if let Some(Located { value, place }) = default_profile {
            if !config.profiles.contains_key(&value) {
                return Err(config.unknown_profile("default_profile: no such profile".into()).at(&place));
            }
            config.default_profile = Some(value);
        }
        let holds_key = [&config.top].into_iter().chain(config.profiles.values()).any(ProfileConfig::holds_key);
        let permissions = ConfigPermissions::of(&document, holds_key);
        drop(tables);
        config.places = document.places();
        Ok((config, Some(permissions)))
    }

    /// The names of the profiles.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    /// The names of the profiles, as messages may show them.
    pub fn profile_names(&self) -> Vec<Safe> {
        self.profiles().map(|name| clean(shown_profile(name))).collect()
    }

    /// The default profile of the file.
    pub fn default_profile(&self) -> Option<Safe> {
        self.default_profile.as_deref().map(|name| clean(shown_profile(name)))
    }

    /// An error that lists the profiles.
    pub(super) fn unknown_profile(&self, message: Safe) -> ConfigError {
        let error = ConfigError::new(message);
        if self.profiles.is_empty() {
            return error.advise("The config has no profiles; add a section [profiles.NAME].");
        }
        error.advise(safe!("Profiles: {}", self.listed_profiles()))
    }

    /// The names of the profiles in one line.
    pub(super) fn listed_profiles(&self) -> Safe {
        let names: Vec<_> = self.profiles().map(shown_profile).collect();
        clean(&names.join(", ")).fit(200, "…")
    }

    /// Every value below the top level, in the order of the sample config.
    pub fn values(&self) -> Vec<ConfigValue> {
        let mut entries = self.network.entries("network");
        entries.extend(self.ui.entries("ui"));
        entries.extend(self.theme.entries("ui.theme"));
        entries.extend(
            ACTIONS.iter().map(|entry| (format!("keys.{}", entry.name), Some(toml_array(&self.keymap.keys(entry.action))))),
        );
        entries.extend(self.audit.entries("audit"));
        let value = |(key, value): (String, Option<Safe>)| {
            let unset = if value.is_some() { DEFAULT } else { "not set" };
            ConfigValue { source: self.place_of(&key).unwrap_or_else(|| unset.into()), key: clean(&key), value }
        };
        entries.into_iter().map(value).collect()
    }

    /// `path:line` of a key that the file has.
    pub fn place_of(&self, key: &str) -> Option<Safe> {
        self.places.get(key).cloned()
    }

    /// The settings of an API client, with the additional certificates read.
    pub fn api_settings(&self, base_url: BaseUrl, key: ApiKey) -> Result<api::ClientSettings, ConfigError> {
        let extra_roots = self.network.extra_roots()?;
        let proxy = self.proxy_server(&base_url)?;
        Ok(api::ClientSettings { proxy, extra_roots, ..self.network.direct(base_url, key) })
    }

    /// The proxy that requests go through; none for loopback.
    ///
    /// # Errors
    ///
    /// A variable that names a proxy has a value that is not the address of one.
    pub fn proxy_server(&self, base_url: &BaseUrl) -> Result<Option<ProxyServer>, ConfigError> {
        match &self.network.proxy {
            _ if base_url.is_loopback() => Ok(None),
            ProxySetting::None => Ok(None),
            ProxySetting::Server(server) => Ok(Some(server.clone())),
            ProxySetting::Environment => self.proxies.server_for(base_url).map_err(|(name, why)| {
                ConfigError::new(clean(&why.to_string()))
                    .at(&name.into())
                    .advise("Correct or unset the variable, or set network.proxy.")
            }),
        }
    }
}

impl ProfileConfig {
    fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let key = StoredKey::find(section)?;
        let base_url = match section.string("base_url")? {
            Some(Located { value, place }) => match BaseUrl::parse(&value) {
                Ok(value) => Some(Located { value, place }),
                Err(why) => return Err(section.wrong("base_url", &clean(&why.to_string()), &place)),
            },
            None => None,
        };
        Ok(Self { key, base_url, color: None })
    }

    /// Returns true if the file itself contains the key.
    fn holds_key(&self) -> bool {
        self.key.as_ref().is_some_and(|key| matches!(key.storage, KeyStorage::Inline(_)))
    }
}

/// The default path of the config file. `None` if it would be relative: a file below the working directory may belong to
/// anyone.
pub fn default_path() -> Option<PathBuf> {
    let dirs = ProjectDirs::from("", "", "hookscope")?;
    let path = dirs.config_dir().join(FILE);
    path.is_absolute().then_some(path)
}

fn read_profiles(tables: &mut Section<'_>) -> Result<BTreeMap<String, ProfileConfig>, ConfigError> {
    let mut profiles = BTreeMap::new();
    for name in tables.names() {
        let mut section = tables.section(&name)?;
        // The older spelling stays valid.
        let key = if section.has("colour") && !section.has("color") { "colour" } else { "color" };
        let color = section.choice(key, COLORS)?;
        let profile = ProfileConfig { color, ..ProfileConfig::read(&mut section)? };
        section.finish()?;
        profiles.insert(name, profile);
    }
    Ok(profiles)
}

fn read_keymap(section: &mut Section<'_>) -> Result<Keymap, ConfigError> {
    let mut replaced = BTreeMap::new();
    let mut places = BTreeMap::new();
    for Entry { action, name, .. } in ACTIONS {
        let Some(Located { value: texts, place }) = section.strings(name)? else { continue };
        let keys = texts.iter().map(|text| Key::parse(text)).collect::<Option<Vec<_>>>();
        let keys = keys.ok_or_else(|| {
            section.wrong(name, &"keys are written as j, G, ctrl-d, alt-x, enter, pgdn or f5".into(), &place)
        })?;
        replaced.insert(*action, keys);
        places.insert(*name, place);
    }
    section.finish()?;
    Keymap::new(&replaced).map_err(|conflict| {
        let place = places.get(conflict.action).cloned().unwrap_or_default();
        section.wrong(conflict.action, &conflict.message, &place)
    })
}
