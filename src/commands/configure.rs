//! `hookscope config init|path|show`: writes the sample config, prints its path or the effective values.

mod ask;

use std::path::Path;
use std::time::Duration;

use self::ask::{Dialog, DialogAnswer};
use crate::api::{ApiError, Client, ClientSettings, ErrorKind};
use crate::base::base_url::BaseUrl;
use crate::base::files::{self, Existing};
use crate::base::redact::{ApiKey, MASK};
use crate::base::text::{Safe, clean, grouped};
use crate::cli::{ConfigCommand, Global};
use crate::config::{
    Config, ConfigError, ConfigPath, ConfigValue, Environment, KeyStorage, StoredKey, WorkspaceOptions, example, shown_id,
    toml_string,
};
use crate::error::{Error, Exit};
use crate::output::{self, Output};
use crate::safe;

/// The lines of the sample config that a key and a base URL replace.
const KEY_LINE: &str = "#api_key = \"key_id:secret\"";
const BASE_URL_LINE: &str = "#base_url = \"https://api.dialnexa.com/v1\"";
/// Columns of a value before its source.
const VALUE_COLUMNS: usize = 38;

pub(super) async fn run(command: &ConfigCommand, global: &Global, env: &Environment) -> Result<Exit, Error> {
    match command {
        ConfigCommand::Init { force } => init(*force, global, env).await,
        ConfigCommand::Path => path(global, env),
        ConfigCommand::Show => show(global, env),
    }
}

/// The path of the config file, whether it exists or not.
fn locate(global: &Global, env: &Environment) -> Result<ConfigPath, Error> {
    Config::locate(global.config.as_deref(), env)?.ok_or_else(|| Error::Usage {
        message: "no home directory for a config file".into(),
        advice: Some("Set HOME, or name a file with --config or HOOKSCOPE_CONFIG.".into()),
    })
}

fn shown(path: &Path) -> Safe {
    clean(&path.to_string_lossy())
}

fn path(global: &Global, env: &Environment) -> Result<Exit, Error> {
    let located = locate(global, env)?;
    Output::stdout().send(|out| out.line(&shown(&located.path)))?;
    Ok(Exit::Done)
}

async fn init(force: bool, global: &Global, env: &Environment) -> Result<Exit, Error> {
    let path = locate(global, env)?.path;
    let failed = |error: std::io::Error| Error::unwritable(&path, &error);
    let target = files::target(&path).map_err(failed)?;
    if !force && target.symlink_metadata().is_ok() {
        return Err(exists(&path));
    }
    let base_url = env.base_url.as_deref().map(BaseUrl::parse).transpose();
    let base_url = base_url.map_err(|why| Error::Usage {
        message: safe!("DIALNEXA_BASE_URL: {}", clean(&why.to_string())),
        advice: Some("Correct or unset the variable.".into()),
    })?;
    let mut dialog = Dialog::open()?;
    let answer = match &mut dialog {
        Some(dialog) => dialog.key().await?,
        None => DialogAnswer::Nothing,
    };
    let key = match answer {
        DialogAnswer::Given(key) => Some(key),
        DialogAnswer::Nothing => None,
        DialogAnswer::Interrupted(signal) => return Ok(Exit::Signal(signal)),
    };
    let text = filled_in(key.as_ref(), base_url.as_ref());
    if force {
        back_up(&target, global).map_err(failed)?;
    }
    let existing = if force { Existing::Replaced } else { Existing::Stays };
    let written = files::write(&target, existing, |out| out.write_all(text.as_bytes()));
    if written.map_err(failed)?.is_none() {
        return Err(exists(&path));
    }
    if !global.quiet {
        output::message(&safe!("hookscope: wrote {} (readable only by you)", shown(&path)));
    }
    let mut exit = Exit::Done;
    if let (Some(dialog), Some(key)) = (&mut dialog, &key) {
        let mut settings = Config::load(Some(&path), env)?.api_settings(base_url.unwrap_or_default(), key.clone())?;
        settings.timeout = global.timeout.map_or(settings.timeout, Duration::from_secs);
        exit = check(dialog, settings).await?;
    }
    if !global.quiet && !matches!(exit, Exit::Signal(_)) {
        say_next(key.as_ref(), env);
    }
    Ok(exit)
}

/// Keeps the config that is replaced beside the new one.
fn back_up(target: &Path, global: &Global) -> std::io::Result<()> {
    if !target.is_file() {
        return Ok(());
    }
    let mut name = target.as_os_str().to_owned();
    name.push(".bak");
    let backup = Path::new(&name);
    let before = std::fs::read(target)?;
    files::write(backup, Existing::Replaced, |out| out.write_all(&before))?;
    if !global.quiet {
        output::message(&safe!("hookscope: kept the old file as {}", shown(backup)));
    }
    Ok(())
}

/// Asks the API whether the key works, if the user agrees.
async fn check(dialog: &mut Dialog, settings: ClientSettings) -> Result<Exit, Error> {
    let host = settings.base_url.host();
    match dialog.confirm(&safe!("Check the key against the API ({}) now?", host)).await? {
        DialogAnswer::Given(true) => {}
        DialogAnswer::Given(false) | DialogAnswer::Nothing => return Ok(Exit::Done),
        DialogAnswer::Interrupted(signal) => return Ok(Exit::Signal(signal)),
    }
    let page = match Client::inspector(&settings) {
        Ok(client) => match dialog.wait(async { client.inspect().await.page }).await {
            DialogAnswer::Given(page) => page,
            DialogAnswer::Nothing => return Ok(Exit::Done),
            DialogAnswer::Interrupted(signal) => return Ok(Exit::Signal(signal)),
        },
        Err(error) => Err(error),
    };
    let exit = if page.as_ref().is_err_and(ApiError::is_refusal) { Exit::Refused } else { Exit::Done };
    let lines = match page {
        Ok(page) => vec![match page.numbers.total {
            Some(1) => safe!("The key works: {} has 1 webhook.", host),
            Some(total) => safe!("The key works: {} has {} webhooks.", host, grouped(total)),
            None => safe!("The key works: {} accepts it.", host),
        }],
        Err(error) if error.kind == ErrorKind::Unauthorized => vec![
            safe!("The key does not work: {}: {}", host, clean(&error.to_string())),
            "Copy the whole key from the dashboard, and set api_key in the file to it.".into(),
        ],
        Err(error) if error.is_refusal() => {
            vec![safe!("The key does not work: {}: {}", host, clean(&error.to_string())), error.advice().clone()]
        }
        Err(error) => {
            vec![safe!("The key could not be checked: {}: {}", host, clean(&error.to_string())), error.advice().clone()]
        }
    };
    lines.iter().for_each(output::message);
    Ok(exit)
}

fn exists(path: &Path) -> Error {
    Error::Usage {
        message: safe!("{} already exists", shown(path)),
        advice: Some("To replace it and keep it as a .bak file: hookscope config init --force".into()),
    }
}

/// The sample config, with the key and the base URL if there are any. The key is bound to the base URL.
fn filled_in(key: Option<&ApiKey>, base_url: Option<&BaseUrl>) -> String {
    let mut text = example();
    if let Some(key) = key {
        // A key is printable ASCII, which `clean` leaves as it is.
        text = text.replacen(KEY_LINE, &format!("api_key = {}", toml_string(&clean(key.expose()))), 1);
    }
    if let Some(base_url) = base_url {
        // A parsed URL is printable ASCII too. Masked, it would be another address.
        let address = clean(base_url.as_url().as_str());
        text = text.replacen(BASE_URL_LINE, &format!("base_url = {}", toml_string(&address)), 1);
    }
    text
}

fn say_next(key: Option<&ApiKey>, env: &Environment) {
    if env.api_key.is_some() {
        output::message(&"DIALNEXA_API_KEY is set and overrides the key in the file.".into());
    } else if key.is_none() {
        output::message(&"Next: set api_key in the file. Then:".into());
    }
    output::message(&"  hookscope doctor    checks config, key and network".into());
    output::message(&"  hookscope           opens the explorer".into());
}

fn show(global: &Global, env: &Environment) -> Result<Exit, Error> {
    let located = Config::locate(global.config.as_deref(), env)?;
    let config = Config::load(global.config.as_deref(), env)?;
    let options = WorkspaceOptions { profile: global.profile.clone(), base_url: global.base_url.clone() };
    let workspace = config.workspace(&options, env)?;
    let (base_url, base_url_source) = workspace.base_url()?;
    let key = workspace.key();
    let mut lines = vec![file_line(located)];
    lines.push(line("profile", Some(&toml_string(&workspace.shown_name())), &workspace.source));
    lines.extend(key_lines(&key));
    lines.push(line("base_url", Some(&toml_string(&base_url.clean())), &base_url_source));
    if let Some((color, source)) = workspace.color_and_source() {
        lines.push(line("color", Some(&toml_string(&color.into())), &source));
    }
    let default_profile = config.default_profile().map(|name| toml_string(&name));
    let source = config.place_of("default_profile").unwrap_or_else(|| "not set".into());
    lines.push(line("default_profile", default_profile.as_ref(), &source));
    let profiles = config.profile_names();
    if !profiles.is_empty() {
        let names: Vec<_> = profiles.iter().map(Safe::as_str).collect();
        lines.push(safe!("# profiles: {}", clean(&names.join(", "))));
    }
    for ConfigValue { key, value, source } in config.values() {
        lines.push(match global.timeout {
            Some(timeout) if key.as_str() == "network.timeout" => {
                line(key, Some(&safe!("{}", timeout)), &"--timeout".into())
            }
            _ => line(key, value.as_ref(), &source),
        });
    }
    // The line of a key that cannot be used already says why.
    if let Some(conflict) = key.ok().and_then(|_| workspace.key_for(&base_url).err()) {
        lines.push(safe!("# note: {}", clean(&conflict.to_string())));
        lines.extend(conflict.advice.map(|advice| safe!("# note: {}", advice)));
    }
    Output::stdout().send(|out| lines.iter().try_for_each(|line| out.line(line)))?;
    Ok(Exit::Done)
}

fn file_line(located: Option<ConfigPath>) -> Safe {
    match located {
        Some(ConfigPath { path, source, is_named }) => {
            let missing = if is_named || path.exists() { "" } else { ", does not exist" };
            line("config", Some(&toml_string(&shown(&path))), &safe!("{}{}", source, missing))
        }
        None => line("config", None, &"no home directory".into()),
    }
}

/// The three ways to store a key; at most one is in use.
fn key_lines(key: &Result<StoredKey, ConfigError>) -> Vec<Safe> {
    let mut lines = ["api_key", "api_key_file", "api_key_command"].map(|name| line(name, None, &"not set".into()));
    let [inline, file, command] = &mut lines;
    match key {
        Err(error) => *inline = line("api_key", None, &clean(&error.to_string())),
        Ok(stored) => {
            let shown = toml_string(&stored.shown().unwrap_or_else(|| MASK.into()));
            match &stored.storage {
                KeyStorage::Inline(key) => {
                    *inline = line("api_key", Some(&shown), &safe!("{}, {}", stored.place, shown_id(key)));
                }
                KeyStorage::File(_) => {
                    *file = line("api_key_file", Some(&shown), &safe!("{}, not read", stored.place));
                }
                KeyStorage::Command(_) => {
                    let source = safe!("{}, not run; its arguments are not shown", stored.place);
                    *command = line("api_key_command", Some(&safe!("[{}]", shown)), &source);
                }
            }
        }
    }
    lines.into()
}

/// `key = value   # source`, or `#key   # source` without a value.
fn line(key: impl Into<Safe>, value: Option<&Safe>, source: &Safe) -> Safe {
    let key = key.into();
    let start = match value {
        Some(value) => safe!("{} = {}", key, value),
        None => safe!("#{}", key),
    };
    let padding = clean(&" ".repeat(VALUE_COLUMNS.saturating_sub(start.width())));
    safe!("{}{}  # {}", start, padding, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_url_is_written_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.toml");
        for text in ["https://gateway.example.com/token=abc123/v1", "https://b\u{fc}cher.example/a%22b\"c\u{202e}/v1"] {
            let base_url = BaseUrl::parse(text).unwrap();
            let written = filled_in(None, Some(&base_url));
            files::write(&path, Existing::Replaced, |out| out.write_all(written.as_bytes())).unwrap().unwrap();
            let env = Environment::default();
            let config = Config::load(Some(&path), &env).unwrap();
            assert!(
                config.workspace(&WorkspaceOptions::default(), &env).unwrap().base_url().unwrap().0 == base_url,
                "{written}"
            );
        }
    }

    #[test]
    fn the_example_has_one_line_for_a_key_and_one_for_a_base_url() {
        for replaced in [KEY_LINE, BASE_URL_LINE] {
            assert_eq!(example().lines().filter(|line| *line == replaced).count(), 1, "{replaced}");
        }
    }

    #[tokio::test]
    async fn what_is_written_is_a_config_with_the_key_or_without() {
        let home = tempfile::tempdir().unwrap();
        let env = Environment::default();
        for (i, key) in [None, Some("kid:secret"), Some(r#"kid:"quo\ted\""#), Some("nocolon'#=")].into_iter().enumerate() {
            let key = key.map(|key| ApiKey::new(key).unwrap());
            let path = home.path().join(format!("{i}.toml"));
            files::write(&path, Existing::Stays, |out| out.write_all(filled_in(key.as_ref(), None).as_bytes()))
                .unwrap()
                .unwrap();
            let config = Config::load(Some(&path), &env).unwrap();
            assert_eq!(
                config.connection(&WorkspaceOptions::default(), &env).await.ok().map(|connection| connection.api.key),
                key
            );
        }
    }
}
