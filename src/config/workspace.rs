//! The choice of a workspace: a profile or the top level of the config, and its base URL and key.

use std::ffi::OsStr;

use ratatui::style::Color;

use super::document::Located;
use super::environment::Environment;
use super::error::ConfigError;
use super::kinds::color_name;
use super::loaded::{Config, ProfileConfig};
use super::shown::{DEFAULT, clean_path, shown_profile};
use super::stored_key::StoredKey;
use crate::base::base_url::BaseUrl;
use crate::base::text::{Safe, clean, clean_head};
use crate::safe;

/// The workspace options of the command line.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceOptions {
    pub profile: Option<String>,
    pub base_url: Option<String>,
}

/// A workspace of the config, with what the command line and the environment set for it.
#[derive(Debug)]
pub struct ChosenWorkspace<'a> {
    pub(super) config: &'a Config,
    /// The profile; `None` is the top level.
    pub(super) name: Option<&'a str>,
    level: &'a ProfileConfig,
    /// The option, variable or line of the config that chose it, or `default`.
    pub source: Safe,
    /// The base URL of an option or a variable, and its name.
    base_url: Option<(&'a str, &'static str)>,
    /// The key of the environment.
    pub(super) api_key: Option<&'a OsStr>,
}

impl Config {
    /// Chooses the workspace by the options, the environment and the default profile, in this order.
    pub fn workspace<'a>(
        &'a self,
        options: &'a WorkspaceOptions,
        env: &'a Environment,
    ) -> Result<ChosenWorkspace<'a>, ConfigError> {
        let (name, source) = match (&options.profile, &env.profile, &self.default_profile) {
            (Some(name), _, _) => (Some(name), "--profile".into()),
            (None, Some(name), _) => (Some(name), "HOOKSCOPE_PROFILE".into()),
            (None, None, Some(name)) => (Some(name), self.place_of("default_profile").unwrap_or_default()),
            (None, None, None) => (None, Safe::from(DEFAULT)),
        };
        let workspace = self.stored_workspace(name.map(String::as_str)).map_err(|error| error.at(&source))?;
        let base_url = match (&options.base_url, &env.base_url) {
            (Some(text), _) => Some((text.as_str(), "--base-url")),
            (None, Some(text)) => Some((text.as_str(), "DIALNEXA_BASE_URL")),
            (None, None) => None,
        };
        Ok(ChosenWorkspace { source, base_url, api_key: env.api_key.as_deref(), ..workspace })
    }

    /// The workspace according to the config alone.
    pub(super) fn stored_workspace(&self, name: Option<&str>) -> Result<ChosenWorkspace<'_>, ConfigError> {
        let (name, level) = match name {
            None => (None, &self.top),
            Some(name) => match self.profiles.get_key_value(name) {
                Some((name, level)) => (Some(name.as_str()), level),
                None => return Err(self.unknown_profile(safe!("unknown profile {}", clean_head(name, 40)))),
            },
        };
        Ok(ChosenWorkspace { config: self, name, level, source: DEFAULT.into(), base_url: None, api_key: None })
    }

    /// The name of the profile in effect; `None` if the config has no profiles.
    ///
    /// # Errors
    ///
    /// There is no such profile.
    pub fn profile_label(&self, options: &WorkspaceOptions, env: &Environment) -> Result<Option<String>, ConfigError> {
        if self.profiles.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.workspace(options, env)?.name.unwrap_or(DEFAULT).to_owned()))
    }
}

impl ChosenWorkspace<'_> {
    /// The name of the profile, or `default`, as messages may show it.
    pub fn shown_name(&self) -> Safe {
        self.name.map_or_else(|| DEFAULT.into(), |name| clean_head(shown_profile(name), 40))
    }

    /// The color that marks the workspace.
    pub(super) fn color(&self) -> Option<Color> {
        self.level.color.as_ref().map(|found| found.value).filter(|&color| color != Color::Reset)
    }

    /// The name of the profile's color, and its source; `None` without a profile.
    pub fn color_and_source(&self) -> Option<(&'static str, Safe)> {
        self.name?;
        Some(match &self.level.color {
            Some(Located { value, place }) => (color_name(*value), place.clone()),
            None => (color_name(Color::Reset), DEFAULT.into()),
        })
    }

    /// The base URL in effect, and its source.
    pub fn base_url(&self) -> Result<(BaseUrl, Safe), ConfigError> {
        match self.base_url {
            Some((text, source)) => match BaseUrl::parse(text) {
                Ok(url) => Ok((url, source.into())),
                Err(why) => Err(ConfigError::new(clean(&why.to_string())).at(&source.into())),
            },
            None => Ok(self.stored_base_url(self.level)),
        }
    }

    /// The base URL of a level, else of the top level, else of the vendor.
    fn stored_base_url(&self, level: &ProfileConfig) -> (BaseUrl, Safe) {
        match level.base_url.as_ref().or(self.config.top.base_url.as_ref()) {
            Some(found) => (found.value.clone(), found.place.clone()),
            None => (BaseUrl::default(), DEFAULT.into()),
        }
    }

    /// The key in effect. Reads no file and runs no command.
    ///
    /// # Errors
    ///
    /// No key is set, or the variable does not hold a valid one.
    pub fn key(&self) -> Result<StoredKey, ConfigError> {
        self.key_and_home().map(|(key, _)| key)
    }

    /// The key in effect, if it may be sent to the base URL. A key of the config may be sent only to the origin of the base
    /// URL of its own level.
    pub fn key_for(&self, base_url: &BaseUrl) -> Result<StoredKey, ConfigError> {
        match self.key_and_home()? {
            (key, Some(home)) if !home.same_origin(base_url) => {
                let message = safe!(
                    "the API key is stored for {} and is not sent to {}: nothing was sent",
                    origin(&home),
                    origin(base_url)
                );
                Err(ConfigError::new(message)
                    .at(&key.place)
                    .advise("Set DIALNEXA_API_KEY to a key for that base URL, or add a profile for it."))
            }
            (key, _) => Ok(key),
        }
    }

    /// The key in effect, and the base URL that it is stored for.
    fn key_and_home(&self) -> Result<(StoredKey, Option<BaseUrl>), ConfigError> {
        if let Some(value) = self.api_key {
            return Ok((StoredKey::of_environment(value)?, None));
        }
        let levels = [self.level, &self.config.top];
        let found = levels.into_iter().find_map(|level| Some((level.key.clone()?, Some(self.stored_base_url(level).0))));
        found.ok_or_else(|| self.no_key())
    }

    fn no_key(&self) -> ConfigError {
        let error = match self.name {
            Some(_) => ConfigError::new(safe!("no API key for profile {}", self.shown_name())),
            None => ConfigError::new("no API key"),
        };
        if self.name.is_none() && !self.config.profiles.is_empty() {
            return error.advise(safe!(
                "Choose a profile with --profile ({}), or set default_profile; hookscope --demo needs no key.",
                self.config.listed_profiles()
            ));
        }
        let way = match &self.config.path {
            Some(path) if path.exists() => safe!("Add api_key to {}, or set DIALNEXA_API_KEY", clean_path(path)),
            Some(path) => {
                safe!("Run hookscope config init (it writes {}), or set DIALNEXA_API_KEY", clean_path(path))
            }
            None => "Set DIALNEXA_API_KEY, or run hookscope config init --config FILE".into(),
        };
        error.advise(safe!("{}. hookscope --demo needs no key.", way))
    }
}

/// Scheme, host and port: what a key is bound to.
fn origin(url: &BaseUrl) -> Safe {
    clean(&url.as_url().origin().ascii_serialization())
}
