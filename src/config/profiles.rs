//! The workspaces of one config: what a picker shows of each, and the way to another one than that of the start.

use ratatui::style::Color;

use super::key::StoredKey;
use super::{Chosen, Config, ConfigError, Connection, DEFAULT, Environment, KeySource, Level, Selection};
use crate::text::Safe;

/// What a picker shows of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What `--profile` calls it; `None` is the top level of the config.
    pub name: Option<String>,
    /// What messages call it.
    pub shown: Safe,
    pub host: Safe,
    /// What marks it, if anything does.
    pub colour: Option<Color>,
    /// Its key is with a command, which may ask a person on the terminal.
    pub asks: bool,
}

/// The workspaces that can be switched between, the one of the start among them.
///
/// What the command line and the environment say of a workspace they say of the one at the start: `DIALNEXA_API_KEY`,
/// `--base-url` and `DIALNEXA_BASE_URL` apply to no other. A connection to another one is made of the config alone.
#[derive(Debug)]
pub struct Profiles {
    config: Config,
    all: Vec<Profile>,
    start_at: usize,
    start: Connection,
}

impl Profiles {
    /// All profiles of a config, in the order of their names. The top level comes first where a run without a profile reads
    /// it: in the run that this one is, or in another one.
    pub fn new(config: &Config, selection: &Selection, env: &Environment, start: &Connection) -> Result<Self, ConfigError> {
        let chosen = config.profile(selection, env)?;
        let top = Chosen { name: None, level: &config.top, source: DEFAULT.into() };
        let top_is_read = config.default_profile.is_none() && env.profile.is_none() && config.top.key.is_some();
        let offers_top = chosen.name.is_none() || top_is_read;
        let named = config.profiles.iter().map(|(name, level)| Chosen { name: Some(name), level, source: DEFAULT.into() });
        let all: Vec<_> =
            offers_top.then_some(top).into_iter().chain(named).map(|chosen| config.describe(&chosen)).collect();
        let start_at = all.iter().position(|profile| profile.name.as_deref() == chosen.name).unwrap_or_default();
        let mut profiles = Self { config: config.clone(), all, start_at, start: start.clone() };
        if let Some(profile) = profiles.all.get_mut(start_at) {
            profile.host = start.api.base_url.host();
            // Its key is here already.
            profile.asks = false;
        }
        Ok(profiles)
    }

    pub fn all(&self) -> &[Profile] {
        &self.all
    }

    /// The place of the one at the start.
    pub fn start_at(&self) -> usize {
        self.start_at
    }

    /// The way to one of them. To that of the start it is the one that was taken then; for another one its key is read anew,
    /// which may run a command.
    pub async fn connection(&self, at: usize) -> Result<Connection, ConfigError> {
        if at == self.start_at {
            return Ok(self.start.clone());
        }
        let profile = self.all.get(at).ok_or_else(|| ConfigError::new("no such profile"))?;
        let level = match &profile.name {
            None => Some(&self.config.top),
            Some(name) => self.config.profiles.get(name),
        };
        let level = level.ok_or_else(|| ConfigError::new("no such profile"))?;
        let chosen = Chosen { name: profile.name.as_deref(), level, source: DEFAULT.into() };
        let base_url = self.config.home_of(level);
        let stored = self.config.bound_key(&chosen, &base_url)?;
        let url_place = self.config.found_home(level).map_or_else(|| DEFAULT.into(), |found| found.place.clone());
        let sources = crate::api::Sources { key: Some(stored.described()), base_url: Some(url_place) };
        let key = stored.read().await?;
        let renewal = self.config.renewal(&chosen, &base_url);
        let mut api = self.config.network.api_settings(base_url, key)?;
        api.renewal = renewal;
        api.sources = sources;
        // That may be the one of --timeout, which is about requests, not about a workspace.
        api.timeout = self.start.api.timeout;
        Ok(Connection {
            profile: profile.shown.clone(),
            key_source: KeySource::of(api.renewal.as_ref()),
            api,
            policy: self.config.network.policy(),
        })
    }
}

impl Config {
    fn describe(&self, chosen: &Chosen<'_>) -> Profile {
        Profile {
            name: chosen.name.map(str::to_owned),
            shown: chosen.shown_name(),
            host: self.home_of(chosen.level).host(),
            colour: chosen.level.mark(),
            asks: self.stored_key(chosen).is_ok_and(|(key, _)| matches!(key, StoredKey::Command { .. })),
        }
    }
}

impl Level {
    /// The colour that marks the workspace.
    fn mark(&self) -> Option<Color> {
        self.colour.as_ref().map(|found| found.value).filter(|&colour| colour != Color::Reset)
    }
}
