//! Storage of an API key: inline in the config or in a variable, in a file of its own, or behind a command that prints it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::document::{Located, Section};
use super::error::ConfigError;
use super::file::{expand_home, read_text};
use super::shown::{shown_path, toml_string};
use crate::api::without_number;
use crate::base::redact::ApiKey;
use crate::base::text::{Safe, clean};
use crate::safe;
use crate::signals::{stops, unblocked};

/// The variable that holds a key.
pub(super) const KEY_VARIABLE: &str = "DIALNEXA_API_KEY";
/// The largest key file or command output that is read, in bytes: a key with room for white space.
const MAX_BYTES: u64 = 2 * ApiKey::MAX_BYTES as u64;
/// Time limit of a key command, which may prompt for a passphrase.
const COMMAND_TIME: Duration = Duration::from_mins(1);

/// The storage of a key. A key in a file or behind a command is not read yet.
#[derive(Debug, Clone)]
pub enum KeyStorage {
    Inline(ApiKey),
    File(PathBuf),
    /// A program and its arguments. Only the program may be shown.
    Command(Vec<String>),
}

/// A stored key, and the place that names it.
#[derive(Debug, Clone)]
pub struct StoredKey {
    pub storage: KeyStorage,
    /// The line of the config, or `DIALNEXA_API_KEY`.
    pub place: Safe,
}

impl StoredKey {
    /// Reads `api_key`, `api_key_file` and `api_key_command` of one level; two of them are an error.
    pub(super) fn find(section: &mut Section<'_>) -> Result<Option<Self>, ConfigError> {
        let mut found = Vec::new();
        if let Some(Located { value, place }) = section.string("api_key")? {
            let key = ApiKey::new(&value).map_err(|why| section.wrong("api_key", &clean(&why.to_string()), &place))?;
            found.push(("api_key", Self { storage: KeyStorage::Inline(key), place }));
        }
        if let Some(Located { value, place }) = section.string("api_key_file")? {
            if value.is_empty() {
                return Err(section.wrong("api_key_file", &"must name a file".into(), &place));
            }
            let path = section.path(&expand_home(&value));
            found.push(("api_key_file", Self { storage: KeyStorage::File(path), place }));
        }
        if let Some(Located { value: words, place }) = section.strings("api_key_command")? {
            if words.first().is_none_or(String::is_empty) {
                return Err(section.wrong("api_key_command", &"must name a program".into(), &place));
            }
            found.push(("api_key_command", Self { storage: KeyStorage::Command(words), place }));
        }
        if let Some((name, second)) = found.get(1) {
            let message = "only one of api_key, api_key_file and api_key_command is allowed here".into();
            return Err(section.wrong(name, &message, &second.place));
        }
        Ok(found.pop().map(|(_, key)| key))
    }

    /// The key of `DIALNEXA_API_KEY`.
    pub(super) fn of_environment(value: &OsStr) -> Result<Self, ConfigError> {
        // Invalid UTF-8 becomes a character that keys cannot contain.
        match ApiKey::new(&value.to_string_lossy()) {
            Ok(key) => Ok(Self { storage: KeyStorage::Inline(key), place: KEY_VARIABLE.into() }),
            Err(why) => Err(ConfigError::new(clean(&why.to_string()))
                .at(&KEY_VARIABLE.into())
                .advise("Set it to key_id:secret, or unset it to use the key of the config.")),
        }
    }

    /// Returns true for a command, which may ask a person on the terminal.
    pub fn asks(&self) -> bool {
        matches!(self.storage, KeyStorage::Command(_))
    }

    /// The place, and the name of the key in the config unless it is `api_key`.
    pub(super) fn source(&self) -> Safe {
        match &self.storage {
            KeyStorage::Inline(_) => self.place.clone(),
            KeyStorage::File(_) => safe!("{} (api_key_file)", self.place),
            KeyStorage::Command(_) => safe!("{} (api_key_command)", self.place),
        }
    }

    /// The path or the program as messages may show it.
    pub fn shown(&self) -> Option<Safe> {
        match &self.storage {
            KeyStorage::Inline(_) => None,
            KeyStorage::File(path) => Some(shown_path(path)),
            KeyStorage::Command(words) => words.first().map(|program| shown_path(Path::new(program))),
        }
    }

    /// Gets the key. A command gets this program's stdin and stderr, so that it can ask for a passphrase.
    pub async fn read(&self) -> Result<ApiKey, ConfigError> {
        match &self.storage {
            KeyStorage::Inline(key) => Ok(key.clone()),
            // The line of the config, not the path: a key that was pasted in place of the path must stay hidden.
            KeyStorage::File(path) => read_file(path).map_err(|error| error.about("api_key_file").at(&self.place)),
            KeyStorage::Command(words) => {
                run_command(words, COMMAND_TIME).await.map_err(|error| error.about("api_key_command").at(&self.place))
            }
        }
    }
}

fn read_file(path: &Path) -> Result<ApiKey, ConfigError> {
    let (text, access) = read_text(path, MAX_BYTES)?;
    access.check_owner(path)?;
    // Secrets that are mounted into a container belong to root, are read-only, and are shared through a group.
    let is_mounted_secret = access.owner == 0 && access.mode & 0o227 == 0;
    if !is_mounted_secret {
        access.check_readers(path)?;
    }
    ApiKey::new(&text).map_err(|why| ConfigError::new(clean(&why.to_string())))
}

async fn run_command(words: &[String], time: Duration) -> Result<ApiKey, ConfigError> {
    let Some((program, arguments)) = words.split_first() else { return Err(ConfigError::new("must name a program")) };
    let shown = toml_string(&shown_path(Path::new(program)));
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::inherit()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    // Ctrl-z stops it as usual: a child inherits the signals that are blocked, and the explorer blocks these.
    let mut child = unblocked(stops(), || command.spawn()).map_err(|error| not_started(program, &shown, &error))?;
    let stdout = child.stdout.take();
    let failed = |why: Safe| ConfigError::new(safe!("{} {}", shown, why));
    let system = |error: std::io::Error| failed(safe!("failed: {}", clean(&without_number(&error.to_string()))));
    let run = async {
        let mut output = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(MAX_BYTES + 1).read_to_end(&mut output).await.map_err(system)?;
        }
        if output.len() as u64 > MAX_BYTES {
            return Err(failed("printed more than a key".into()).advise("It must print the key and nothing else."));
        }
        let status = child.wait().await.map_err(system)?;
        if !status.success() {
            return Err(failed(safe!("failed ({})", clean(&status.to_string()))).advise("Run it in a shell to see why."));
        }
        let not_a_key =
            |why: Safe| failed(safe!("printed no valid key: {}", why)).advise("It must print the key and nothing else.");
        let text = String::from_utf8(output).map_err(|_may_hold_a_key| not_a_key("it is not UTF-8".into()))?;
        ApiKey::new(&text).map_err(|why| not_a_key(clean(&why.to_string())))
    };
    match tokio::time::timeout(time, run).await {
        Ok(result) => result,
        Err(_elapsed) => {
            let error = failed(safe!("did not finish within {} s", time.as_secs()));
            Err(error.advise("Run it in a shell to see what it waits for."))
        }
    }
}

/// Returns true if the program exists, at its path or in a directory of `PATH`.
fn is_there(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).exists();
    }
    let directories = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&directories).any(|directory| directory.join(program).is_file())
}

/// The error for a key command that could not be started.
fn not_started(program: &str, shown: &Safe, error: &std::io::Error) -> ConfigError {
    match error.kind() {
        // If the file exists but is "not found", it is a script whose interpreter is missing.
        std::io::ErrorKind::NotFound if is_there(program) => {
            ConfigError::new(safe!("{} cannot be run: the interpreter on its first line is missing", shown))
                .advise("Install the interpreter, or correct the first line of the script.")
        }
        std::io::ErrorKind::NotFound => {
            ConfigError::new(safe!("{} not found", shown)).advise("Install it, or set api_key_file.")
        }
        _ => ConfigError::new(safe!("{} cannot be run: {}", shown, clean(&without_number(&error.to_string()))))
            .advise("Correct the command, or set api_key_file."),
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::SigSet;

    use super::*;

    #[tokio::test]
    async fn a_command_can_be_stopped_even_if_its_parent_cannot() {
        stops().thread_block().unwrap();
        let key = run(&["awk", "/^SigBlk/ { print \"id:\" $2 }", "/proc/self/status"]).await.unwrap();
        let blocked = u64::from_str_radix(key.expose().strip_prefix("id:").unwrap(), 16).unwrap();
        for stop in &stops() {
            assert_eq!(blocked >> (stop as u32 - 1) & 1, 0, "{blocked:x}");
            assert!(SigSet::thread_get_mask().unwrap().contains(stop), "as it was before");
        }
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    async fn run(command: &[&str]) -> Result<ApiKey, ConfigError> {
        run_command(&words(command), Duration::from_secs(30)).await
    }

    #[tokio::test]
    async fn a_command_prints_the_key() {
        assert_eq!(run(&["printf", "id:secret\\n"]).await.unwrap(), ApiKey::new("id:secret").unwrap());
    }

    #[tokio::test]
    async fn a_command_that_fails_is_named() {
        for (command, message, advice) in [
            (&["no-such-program"][..], r#""no-such-program" not found"#, "Install it, or set api_key_file."),
            (&["/dev/null"], r#""/dev/null" cannot be run: Permission denied"#, "Correct the command, or set api_key_file."),
            (&["kid:SENTINEL"], r#""***" not found"#, "Install it"),
            (&["false"], r#""false" failed (exit status: 1)"#, "Run it in a shell"),
            (&["true"], r#""true" printed no valid key: the API key is empty"#, "nothing else"),
            (&["printf", "a b"], r#""printf" printed no valid key: "#, "nothing else"),
            (&["printf", r"\377"], r#""printf" printed no valid key: it is not UTF-8"#, "nothing else"),
            (&["cat", "/dev/zero"], r#""cat" printed more than a key"#, "nothing else"),
        ] {
            let error = run(command).await.unwrap_err();
            assert!(error.to_string().starts_with(message), "{command:?}: {error}");
            assert!(error.advice.is_some_and(|words| words.as_str().contains(advice)), "{command:?}");
        }
    }

    #[tokio::test]
    async fn a_script_without_its_interpreter_is_not_a_missing_file() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let script = home.path().join("key");
        std::fs::write(&script, "#!/no/such/program\n").unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
        let error = run(&[script.to_str().unwrap()]).await.unwrap_err();
        assert!(error.to_string().contains("the interpreter on its first line is missing"), "{error}");
        assert!(error.advice.is_some_and(|words| words.as_str().contains("Install the interpreter")));
        let error = run(&["/no/such/program"]).await.unwrap_err();
        assert!(error.to_string().contains("not found"), "{error}");
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_ended() {
        let error = run_command(&words(&["sleep", "600"]), Duration::from_millis(20)).await.unwrap_err();
        assert!(error.to_string().contains(r#""sleep" did not finish within"#), "{error}");
    }
}
