//! The profiles that the explorer can switch between.

use ratatui::style::Color;

use super::connection::Connection;
use super::environment::Environment;
use super::error::ConfigError;
use super::loaded::Config;
use super::workspace::{ChosenWorkspace, WorkspaceOptions};
use crate::base::text::Safe;

/// A profile as a picker shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name for `--profile`; `None` is the top level of the config.
    pub name: Option<String>,
    /// The name in messages.
    pub shown: Safe,
    pub host: Safe,
    /// The color that marks it.
    pub colour: Option<Color>,
    /// True if its key comes from a command, which may ask a person on the terminal.
    pub asks: bool,
}

/// The workspaces to switch between, including the initial one.
///
/// `DIALNEXA_API_KEY`, `--base-url` and `DIALNEXA_BASE_URL` apply to the initial workspace only. The connection to any other
/// one uses only the config.
#[derive(Debug)]
pub struct Profiles {
    config: Config,
    all: Vec<Profile>,
    start_at: usize,
    start: Connection,
}

impl Profiles {
    /// All profiles of a config, sorted by name. The top level comes first if a run without a profile reads it, be it this
    /// run or another one.
    pub fn new(
        config: &Config,
        options: &WorkspaceOptions,
        env: &Environment,
        start: &Connection,
    ) -> Result<Self, ConfigError> {
        let chosen = config.workspace(options, env)?;
        let top_is_read = config.default_profile.is_none() && env.profile.is_none() && config.top.key.is_some();
        let top = (chosen.name.is_none() || top_is_read).then_some(None);
        let names = top.into_iter().chain(config.profiles().map(Some));
        let mut all = Vec::new();
        for name in names {
            all.push(describe(&config.stored_workspace(name)?)?);
        }
        let start_at = all.iter().position(|profile| profile.name.as_deref() == chosen.name).unwrap_or_default();
        if let Some(profile) = all.get_mut(start_at) {
            profile.host = start.api.base_url.host();
            // Its key has already been read.
            profile.asks = false;
        }
        Ok(Self { config: config.clone(), all, start_at, start: start.clone() })
    }

    pub fn all(&self) -> &[Profile] {
        &self.all
    }

    /// The index of the initial workspace.
    pub fn start_at(&self) -> usize {
        self.start_at
    }

    /// The connection to a workspace. For the initial one, it is reused; for any other one, the key is read again, which may
    /// run a command.
    pub async fn connection(&self, at: usize) -> Result<Connection, ConfigError> {
        if at == self.start_at {
            return Ok(self.start.clone());
        }
        let profile = self.all.get(at).ok_or_else(|| ConfigError::new("no such profile"))?;
        let mut connection = self.config.stored_workspace(profile.name.as_deref())?.connection().await?;
        // This may come from --timeout, which is about requests, not about a workspace.
        connection.api.timeout = self.start.api.timeout;
        Ok(connection)
    }
}

fn describe(workspace: &ChosenWorkspace<'_>) -> Result<Profile, ConfigError> {
    Ok(Profile {
        name: workspace.name.map(str::to_owned),
        shown: workspace.shown_name(),
        host: workspace.base_url()?.0.host(),
        colour: workspace.color(),
        asks: workspace.key().is_ok_and(|key| key.asks()),
    })
}
