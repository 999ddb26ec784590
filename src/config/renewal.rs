//! Re-reads the API key from where the config stores it, after the API refused it.

use std::path::Path;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::environment::Environment;
use super::error::ConfigError;
use super::loaded::Config;
use super::stored_key::StoredKey;
use super::workspace::ChosenWorkspace;
use crate::api::Renewal;
use crate::base::base_url::BaseUrl;
use crate::base::redact::ApiKey;
use crate::base::text::{Safe, clean};
use crate::safe;

/// Time limit for reading the key, for a file system that hangs; longer than that of a key command.
const TIME: Duration = Duration::from_secs(90);

/// Re-reads the key of a workspace from the current config file, since the file may hold the key itself. The new key stays
/// bound to the base URL of the first one.
pub(super) fn renewal(workspace: &ChosenWorkspace<'_>, first: &StoredKey, base_url: &BaseUrl) -> Option<Renewal> {
    let path = workspace.config.path.clone()?;
    let (name, base_url, asks) = (workspace.name.map(str::to_owned), base_url.clone(), first.asks());
    Some(Renewal::new(asks, move || {
        let (path, name, base_url) = (path.clone(), name.clone(), base_url.clone());
        let runtime = Handle::current();
        async move {
            let reading = async {
                // A file system that hangs must not hold up the other requests.
                let found = spawn_blocking(move || {
                    let stored = find(&path, name.as_deref(), &base_url, asks).map_err(|error| clean(&error.to_string()))?;
                    // A command runs outside of this thread, so that dropping the future ends it.
                    let key = if stored.asks() { None } else { Some(runtime.block_on(read(&stored))?) };
                    Ok::<_, Safe>((stored, key))
                });
                match found.await.map_err(|error| clean(&error.to_string()))?? {
                    (_, Some(key)) => Ok(key),
                    (stored, None) => read(&stored).await,
                }
            };
            let read = tokio::time::timeout(TIME, reading).await;
            read.unwrap_or_else(|_elapsed| Err(safe!("timed out after {} s", TIME.as_secs())))
        }
    }))
}

/// Reads the key. The message names the config key, and there is one line for it.
async fn read(stored: &StoredKey) -> Result<ApiKey, Safe> {
    stored.read().await.map_err(|error| error.brief().clone())
}

/// Finds where the current config file stores the key.
fn find(path: &Path, name: Option<&str>, base_url: &BaseUrl, asks: bool) -> Result<StoredKey, ConfigError> {
    let config = Config::load(Some(path), &Environment::default())?;
    let workspace = config.stored_workspace(name);
    let workspace = workspace.map_err(|_unknown| ConfigError::new("the config no longer has this profile"))?;
    let key = workspace.key_for(base_url)?;
    if key.asks() && !asks {
        // The caller was promised that nothing prompts.
        return Err(ConfigError::new("the config now uses api_key_command: restart hookscope"));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

    use super::*;
    use crate::config::WorkspaceOptions;

    struct Home(tempfile::TempDir);

    impl Home {
        fn write(&self, name: &str, text: &str) {
            let path = self.0.path().join(name);
            drop(fs::remove_file(&path));
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(path).unwrap();
            std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        }

        async fn renewal(&self, config: &str) -> (ApiKey, Renewal) {
            self.write("config.toml", config);
            let config = Config::load(Some(&self.0.path().join("config.toml")), &Environment::default()).unwrap();
            let api = config.connection(&WorkspaceOptions::default(), &Environment::default()).await.unwrap().api;
            (api.key, api.renewal.unwrap())
        }
    }

    async fn exposed(renewal: &Renewal) -> String {
        match renewal.read().await {
            Ok(key) => key.expose().to_owned(),
            Err(why) => format!("error: {why}"),
        }
    }

    #[tokio::test]
    async fn a_rotated_key_is_found_wherever_it_is_stored() {
        let home = Home(tempfile::tempdir().unwrap());
        home.write("key", "id:first-key");
        for (config, asks, rotate) in [
            ("api_key = 'id:first-key'", false, ("config.toml", "api_key = 'id:second-key'")),
            ("api_key_file = 'key'", false, ("key", "id:second-key")),
            ("api_key_command = ['cat', 'PATH/key']", true, ("key", "id:third-key")),
            ("default_profile = 'a'\n[profiles.a]\napi_key_file = 'key'", false, ("key", "id:second-key")),
        ] {
            let (before, renewal) = home.renewal(&config.replace("PATH", &home.0.path().to_string_lossy())).await;
            assert_eq!(renewal.asks, asks);
            let (name, text) = rotate;
            home.write(name, text);
            let after = exposed(&renewal).await;
            assert!(text.contains(&after) && after != before.expose(), "{config}: {after}");
            home.write("key", "id:first-key");
        }
    }

    #[tokio::test]
    async fn dropping_the_future_ends_the_command() {
        let home = Home(tempfile::tempdir().unwrap());
        let fifo = home.0.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let (_, renewal) = home.renewal("api_key_command = ['echo', 'id:first-key']").await;
        let command = format!("trap '' INT; exec 3>'{}'; echo >&3; exec sleep 600", fifo.display());
        home.write("config.toml", &format!("api_key_command = ['sh', '-c', \"{command}\"]"));
        let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(fs::File::open(fifo).unwrap()).lines();
            while started.send(lines.next().is_some()).is_ok() {}
        });
        let ran = tokio::select! {
            read = renewal.read() => panic!("{read:?}"),
            ran = starts.recv() => ran,
        };
        assert_eq!(ran, Some(true));
        // The command holds the other end open until it exits.
        let ended = tokio::time::timeout(Duration::from_secs(20), starts.recv()).await;
        assert_eq!(ended, Ok(Some(false)));
    }

    #[tokio::test]
    async fn another_address_profile_or_file_mode_is_refused() {
        let home = Home(tempfile::tempdir().unwrap());
        home.write("key", "id:first-key");
        let (_, renewal) = home.renewal("default_profile = 'a'\n[profiles.a]\napi_key_file = 'key'\n").await;
        for (config, word) in [
            ("[profiles.b]\napi_key = 'id:other-key'", "no longer has this profile"),
            ("[profiles.a]\napi_key = 'id:other-key'\nbase_url = 'https://b.example'", "is not sent to"),
            ("[profiles.a]\napi_key_command = ['echo', 'id:other-key']", "restart hookscope"),
            ("[profiles.a", "TOML"),
        ] {
            home.write("config.toml", config);
            let error = exposed(&renewal).await;
            assert!(error.starts_with("error: ") && error.contains(word), "{error}");
        }
        home.write("config.toml", "[profiles.a]\napi_key_file = 'key'");
        assert_eq!(exposed(&renewal).await, "id:first-key");
        fs::set_permissions(home.0.path().join("key"), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(exposed(&renewal).await.contains("others can read it"));
    }
}
