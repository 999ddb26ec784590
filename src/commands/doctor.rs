//! `hookscope doctor`: diagnoses why something does not work. It checks each step from the config to the API, prints a line
//! for each, and names the one that is broken. The lines are for a ticket: they contain no secret.

mod network;
mod report;
mod terminal;

use std::time::Duration;

use self::report::{DoctorReport, StepMark, Stop};
use super::open::start_demo;
use crate::api::ClientSettings;
use crate::base::redact::ApiKey;
use crate::base::text::{Safe, clean};
use crate::cache::Store;
use crate::cli::Global;
use crate::config::{
    Config, ConfigError, ConfigPath, ConfigPermissions, Connection, Environment, KeySource, KeyStorage, ProxySetting,
    StoredKey, UiConfig, WorkspaceOptions, shown_id,
};
use crate::error::{Error, Exit};
use crate::safe;

/// Time of the whole request beyond the time for connecting, so that the two limits differ.
const SLACK: Duration = Duration::from_millis(100);

/// Checks everything between here and the API.
pub(super) async fn run(global: &Global, env: &Environment) -> Result<Exit, Error> {
    let mut report = DoctorReport::default();
    match examine(&mut report, global, env).await {
        Ok(()) | Err(Stop::Broken(_)) => Ok(report.exit()),
        Err(Stop::ReaderGone) => Ok(Exit::Done),
        Err(Stop::Failed(error)) => Err(error),
    }
}

async fn examine(report: &mut DoctorReport, global: &Global, env: &Environment) -> Result<(), Stop> {
    let options = WorkspaceOptions { profile: global.profile.clone(), base_url: global.base_url.clone() };
    let demo = if global.demo { Some(start_demo().await?) } else { None };
    let setup = DoctorRun { global, env, options, demo: demo.as_ref().map(|(_, connection)| connection) };
    let (ui, chain) = match setup.config(report) {
        Ok(config) => {
            let chain = setup.chain(report, &config).await;
            (config.ui, chain)
        }
        Err(stop) => (UiConfig::default(), Err(stop)),
    };
    report.skip_rest(chain)?;
    terminal::examine(report, &ui, env, global.color).await?;
    report.sum_up()
}

/// The options and the environment of the run.
struct DoctorRun<'a> {
    global: &'a Global,
    env: &'a Environment,
    options: WorkspaceOptions,
    demo: Option<&'a Connection>,
}

impl DoctorRun<'_> {
    /// Checks the file, the profile and the file's permissions.
    fn config(&self, report: &mut DoctorReport) -> Result<Config, Stop> {
        let named = self.global.config.as_deref();
        let found = Config::locate(named, self.env).and_then(|located| {
            Config::examine(named, self.env).map(|(config, permissions)| (located, config, permissions))
        });
        let (located, config, permissions) = match found {
            Ok(found) => found,
            Err(error) => {
                let stop = report.fail_config("config", &error);
                report.skip("permissions", &"config failed".into())?;
                return Err(stop);
            }
        };
        let profile = self.profile(report, &config, &shown_file(located.as_ref(), permissions.is_some()));
        if let Err(stop @ (Stop::ReaderGone | Stop::Failed(_))) = profile {
            return Err(stop);
        }
        let permissions = say_permissions(report, permissions.as_ref());
        profile.and(permissions).map(|()| config)
    }

    fn profile(&self, report: &mut DoctorReport, config: &Config, file: &Safe) -> Result<(), Stop> {
        match config.workspace(&self.options, self.env) {
            // The demo has a workspace of its own.
            _ if self.demo.is_some() => report.ok("config", file),
            Ok(_) if config.profiles().next().is_none() => report.ok("config", file),
            Ok(workspace) => {
                let profile = workspace.shown_name();
                report.ok("config", &safe!("{}, profile {} ({})", file, profile, workspace.source))
            }
            Err(error) => Err(report.fail_config("config", &error)),
        }
    }

    /// Checks the steps from the key to the API.
    async fn chain(&self, report: &mut DoctorReport, config: &Config) -> Result<(), Stop> {
        let base_url = match self.demo {
            Some(demo) => Ok((demo.api.base_url.clone(), "demo".into())),
            None => config.workspace(&self.options, self.env).and_then(|workspace| workspace.base_url()),
        };
        let key = match self.key(report, config).await {
            Ok(key) => Some(key),
            Err(stop) => stop.unless_broken().map(|()| None)?,
        };
        let (base_url, source) = base_url.map_err(|error| report.fail_config("base URL", &error))?;
        report.ok("base URL", &safe!("{} ({})", base_url.clean(), source))?;
        let timeout = self.global.timeout.map_or(config.network.timeout, Duration::from_secs);
        let patience = config.network.connect_timeout.min(timeout);
        let proxy = if self.demo.is_some() { &ProxySetting::None } else { &config.network.proxy };
        network::reach(report, config, proxy, &base_url, patience).await?;
        let key = key.ok_or(Stop::Broken("key"))?;
        let settings = match self.demo {
            Some(demo) => demo.api.clone(),
            None => config.api_settings(base_url, key).map_err(|error| report.fail_config("TLS", &error))?,
        };
        self.history(report, config, &settings)?;
        network::ask(report, &ClientSettings { timeout: timeout + SLACK, connect_timeout: patience, ..settings }).await
    }

    /// Reports the history of an earlier version if it is not used.
    fn history(&self, report: &mut DoctorReport, config: &Config, settings: &ClientSettings) -> Result<(), Stop> {
        let Ok(workspace) = config.workspace(&self.options, self.env) else { return Ok(()) };
        let (api, policy) = (settings.clone(), config.network.policy());
        let key_source = if self.demo.is_some() { KeySource::Demo } else { KeySource::Config };
        let store = Store::of(&Connection { profile: workspace.shown_name(), key_source, api, policy });
        let Some(path) = store.as_ref().and_then(Store::unused_history) else { return Ok(()) };
        let words = safe!(
            "not used: {} is from an earlier version and may belong to another workspace, or could not be renamed",
            clean(&path.to_string_lossy())
        );
        report.line(StepMark::Note, "history", &words)
    }

    /// Gets the key, and reports where it is from.
    async fn key(&self, report: &mut DoctorReport, config: &Config) -> Result<ApiKey, Stop> {
        if let Some(demo) = self.demo {
            report.ok("key", &safe!("demo key, {}", shown_id(&demo.api.key)))?;
            return Ok(demo.api.key.clone());
        }
        let (stored, key) = self.read_key(config).await.map_err(|error| report.fail_config("key", &error))?;
        let shown = safe!("{}, {}", shown_place(&stored), shown_id(&key));
        if key.is_too_short() {
            let words = safe!("{}: not a valid key: the secret has fewer than 8 characters", shown);
            let advice = "Copy the whole key, key_id:secret, from the DialNexa dashboard.".into();
            // The API may accept it all the same.
            report.fail("key", words, Some(advice), Exit::Usage).unless_broken()?;
        } else {
            report.ok("key", &shown)?;
        }
        Ok(key)
    }

    async fn read_key(&self, config: &Config) -> Result<(StoredKey, ApiKey), ConfigError> {
        let workspace = config.workspace(&self.options, self.env)?;
        let stored = match workspace.base_url() {
            Ok((base_url, _)) => workspace.key_for(&base_url)?,
            // The base URL has a line of its own.
            Err(_) => workspace.key()?,
        };
        let key = stored.read().await?;
        Ok((stored, key))
    }
}

fn shown_file(located: Option<&ConfigPath>, exists: bool) -> Safe {
    match located {
        Some(located) if exists => safe!("{} ({})", clean(&located.path.to_string_lossy()), located.source),
        Some(located) => safe!("no config file (optional); default: {}", clean(&located.path.to_string_lossy())),
        None => "no config file (optional), and no home directory for one".into(),
    }
}

fn say_permissions(report: &mut DoctorReport, permissions: Option<&ConfigPermissions>) -> Result<(), Stop> {
    let Some(permissions) = permissions else {
        return report.skip("permissions", &"no config file".into());
    };
    if let Some(refusal) = &permissions.refusal {
        return Err(report.fail_config("permissions", refusal));
    }
    let owner = match permissions.owner {
        me if me == rustix::process::geteuid().as_raw() => "owned by you".into(),
        0 => "owned by root".into(),
        other => safe!("owned by user {}", other),
    };
    let content = if permissions.holds_key { "contains a key" } else { "contains no key" };
    let mode = clean(&format!("{:04o}", permissions.mode));
    report.ok("permissions", &safe!("{}, {}; {}", mode, owner, content))
}

fn shown_place(stored: &StoredKey) -> Safe {
    let shown = stored.shown().unwrap_or_default();
    match stored.storage {
        KeyStorage::Inline(_) => stored.place.clone(),
        KeyStorage::File(_) => safe!("{} (file {})", stored.place, shown),
        KeyStorage::Command(_) => safe!("{} (command {})", stored.place, shown),
    }
}
