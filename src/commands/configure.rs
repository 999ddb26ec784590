//! `hookscope config init|path|show`: write the example, say where the config is, print the values in effect.

mod ask;

use std::path::PathBuf;
use std::time::Duration;

use self::ask::Asked;
use crate::cli::{ConfigCommand, Global};
use crate::config::{Config, ConfigError, Environment, Located, Selection, Stored, StoredAt, Value, toml_string};
use crate::error::{Error, Exit};
use crate::files::{self, Existing};
use crate::output::{self, Output};
use crate::redact::{ApiKey, MASK};
use crate::safe;
use crate::text::{Safe, clean};

/// The documentation of the config, and the config that `init` writes.
const EXAMPLE: &str = include_str!("../../config.example.toml");
/// The line of the example that a key takes the place of.
const KEY_LINE: &str = "#api_key = \"key_id:secret\"";
/// Columns of a value before its source.
const VALUE_COLUMNS: usize = 38;

pub(super) async fn run(command: &ConfigCommand, global: &Global, env: &Environment) -> Result<Exit, Error> {
    match command {
        ConfigCommand::Init { force } => init(*force, global, env).await,
        ConfigCommand::Path => path(global, env),
        ConfigCommand::Show => show(global, env),
    }
}

/// Where the file is, or would be.
fn locate(global: &Global, env: &Environment) -> Result<Located, Error> {
    Config::locate(global.config.as_deref(), env)?.ok_or_else(|| Error::Usage {
        message: "there is no home directory to have a config file in".into(),
        advice: Some("Name a file with --config or HOOKSCOPE_CONFIG.".into()),
    })
}

fn shown(path: &std::path::Path) -> Safe {
    clean(&path.to_string_lossy())
}

fn path(global: &Global, env: &Environment) -> Result<Exit, Error> {
    let located = locate(global, env)?;
    Output::stdout().send(|out| out.line(&shown(&located.path)))?;
    Ok(Exit::Done)
}

async fn init(force: bool, global: &Global, env: &Environment) -> Result<Exit, Error> {
    let path = locate(global, env)?.path;
    let failed = |error: std::io::Error| Error::Output(safe!("{}: {}", shown(&path), clean(&error.to_string())));
    let target = files::target(&path).map_err(failed)?;
    if !force && target.symlink_metadata().is_ok() {
        return Err(exists(&path));
    }
    let key = match ask::for_key().await? {
        Asked::Key(key) => Some(key),
        Asked::Nothing => None,
        Asked::Interrupted(signal) => return Ok(Exit::Signal(signal)),
    };
    let existing = if force { Existing::Replaced } else { Existing::Stays };
    let written = files::write(&target, existing, |out| out.write_all(example(key.as_ref()).as_bytes()));
    if written.map_err(failed)?.is_none() {
        return Err(exists(&path));
    }
    if !global.quiet {
        report(path, key.as_ref(), env);
    }
    Ok(Exit::Done)
}

fn exists(path: &std::path::Path) -> Error {
    Error::Usage {
        message: safe!("{} is there already, and was left as it is", shown(path)),
        advice: Some("To replace it: hookscope config init --force".into()),
    }
}

/// The example, with a key if there is one.
fn example(key: Option<&ApiKey>) -> String {
    match key {
        // A key is printable ASCII, which the gate passes as it is.
        Some(key) => EXAMPLE.replacen(KEY_LINE, &format!("api_key = {}", toml_string(&clean(key.expose()))), 1),
        None => EXAMPLE.to_owned(),
    }
}

fn report(path: PathBuf, key: Option<&ApiKey>, env: &Environment) {
    output::message(&safe!(
        "hookscope: wrote {}, which you alone can read",
        clean(&path.into_os_string().to_string_lossy())
    ));
    let next = match (key, &env.api_key) {
        (_, Some(_)) => "DIALNEXA_API_KEY is set and goes before a key of the file. Try: hookscope doctor",
        (Some(_), None) => "Try: hookscope doctor",
        (None, None) => "Next, put your key into the line api_key, then try: hookscope doctor",
    };
    output::message(&next.into());
}

fn show(global: &Global, env: &Environment) -> Result<Exit, Error> {
    let located = Config::locate(global.config.as_deref(), env)?;
    let config = Config::load(global.config.as_deref(), env)?;
    let selection = Selection { profile: global.profile.clone(), base_url: global.base_url.clone() };
    let mut lines = Vec::new();
    lines.push(match located {
        Some(Located { path, source, is_named }) => {
            let missing = if is_named || path.exists() { "" } else { ", not there" };
            line(&"config".into(), Some(&toml_string(&shown(&path))), &safe!("{}{}", source, missing))
        }
        None => line(&"config".into(), None, &"no home directory to have one in".into()),
    });
    let (profile, source) = config.profile_and_source(&selection, env)?;
    lines.push(line(&"profile".into(), Some(&toml_string(&profile)), &source));
    let (base_url, base_url_source) = config.base_url_and_source(&selection, env)?;
    lines.extend(key_lines(&config.key_place(&selection, env)));
    lines.push(line(&"base_url".into(), Some(&toml_string(&base_url.clean())), &base_url_source));
    if let Some((colour, source)) = config.colour_and_source(&selection, env)? {
        lines.push(line(&"color".into(), Some(&toml_string(&colour)), &source));
    }
    let default_profile = config.default_profile().map(|name| toml_string(&name));
    let source = config.place_of("default_profile").unwrap_or_else(|| "not set".into());
    lines.push(line(&"default_profile".into(), default_profile.as_ref(), &source));
    let profiles = config.profile_names();
    if !profiles.is_empty() {
        let names: Vec<_> = profiles.iter().map(Safe::as_str).collect();
        lines.push(safe!("# profiles: {}", clean(&names.join(", "))));
    }
    for Value { key, value, source } in config.values() {
        match global.timeout.map(Duration::from_secs) {
            Some(timeout) if key.as_str() == "network.timeout" => {
                lines.push(line(&key, Some(&safe!("{}", timeout.as_secs())), &"--timeout".into()));
            }
            _ => lines.push(line(&key, value.as_ref(), &source)),
        }
    }
    if let Err(conflict) =
        config.check_binding(&selection, env).or_else(|error| only_conflict(&config, &selection, env, error))
    {
        lines.push(safe!("# note: {}", clean(&conflict.to_string())));
        lines.extend(conflict.advice.map(|advice| safe!("# note: {}", advice)));
    }
    Output::stdout().send(|out| lines.iter().try_for_each(|line| out.line(line)))?;
    Ok(Exit::Done)
}

/// That there is no key is said in the key's own line.
fn only_conflict(config: &Config, selection: &Selection, env: &Environment, error: ConfigError) -> Result<(), ConfigError> {
    if config.key_place(selection, env).is_err() { Ok(()) } else { Err(error) }
}

/// The three ways to store a key, of which one at most is in use.
fn key_lines(place: &Result<StoredAt, ConfigError>) -> Vec<Safe> {
    let names = ["api_key", "api_key_file", "api_key_command"];
    let unset = |name: &'static str| line(&name.into(), None, &"not set".into());
    let StoredAt { source, stored } = match place {
        Ok(place) => place,
        Err(error) => {
            let mut lines = vec![line(&"api_key".into(), None, &clean(&error.to_string()))];
            lines.extend(names.into_iter().skip(1).map(unset));
            return lines;
        }
    };
    let (used, value, source) = match stored {
        Stored::Here { public_id } => {
            let id = match public_id {
                Some(id) => safe!("id {}", id.fit(40, "…")),
                None => "without a public id".into(),
            };
            ("api_key", toml_string(&MASK.into()), safe!("{}, {}", source, id))
        }
        Stored::File { path } => ("api_key_file", toml_string(path), safe!("{}, not read", source)),
        Stored::Command { program } => {
            let words = safe!("[{}]", toml_string(program));
            ("api_key_command", words, safe!("{}, not run; its arguments are not shown", source))
        }
    };
    let shown = |name: &'static str| if name == used { line(&name.into(), Some(&value), &source) } else { unset(name) };
    names.into_iter().map(shown).collect()
}

/// `key = value   # source`, or `#key   # source` where there is no value.
fn line(key: &Safe, value: Option<&Safe>, source: &Safe) -> Safe {
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
    fn the_example_has_one_line_for_a_key() {
        assert_eq!(EXAMPLE.lines().filter(|line| *line == KEY_LINE).count(), 1);
    }

    #[tokio::test]
    async fn what_is_written_is_a_config_with_the_key_or_without() {
        let home = tempfile::tempdir().unwrap();
        let env = Environment::default();
        for (i, key) in [None, Some("kid:secret"), Some(r#"kid:"quo\ted\""#), Some("nocolon'#=")].into_iter().enumerate() {
            let key = key.map(|key| ApiKey::new(key).unwrap());
            let path = home.path().join(format!("{i}.toml"));
            files::write(&path, Existing::Stays, |out| out.write_all(example(key.as_ref()).as_bytes())).unwrap().unwrap();
            let config = Config::load(Some(&path), &env).unwrap();
            assert_eq!(config.read_key(&Selection::default(), &env).await.ok(), key);
        }
    }
}
