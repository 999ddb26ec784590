//! The connection to a workspace: its key, and the settings of requests.

use super::environment::Environment;
use super::error::ConfigError;
use super::loaded::Config;
use super::renewal::renewal;
use super::stored_key::KEY_VARIABLE;
use super::table::NetworkConfig;
use super::workspace::{ChosenWorkspace, WorkspaceOptions};
use crate::api;
use crate::base::base_url::BaseUrl;
use crate::base::redact::ApiKey;
use crate::base::text::Safe;
use crate::fetch::Policy;

/// One workspace, and how to reach it.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The profile's name; `default` without profiles, `demo` for the demo.
    pub profile: Safe,
    pub key_source: KeySource,
    pub api: api::ClientSettings,
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
    pub const fn name(self) -> &'static str {
        match self {
            Self::Config | Self::Command => "the config",
            Self::Environment => KEY_VARIABLE,
            Self::Demo => "the demo",
        }
    }
}

impl ChosenWorkspace<'_> {
    /// Gets the key. This may run a command, which may ask for a passphrase on the terminal.
    pub(super) async fn connection(&self) -> Result<Connection, ConfigError> {
        let (base_url, url_place) = self.base_url()?;
        let stored = self.key_for(&base_url)?;
        let (renewal, key_source) = match self.api_key {
            Some(_) => (None, KeySource::Environment),
            None if stored.asks() => (renewal(self, &stored, &base_url), KeySource::Command),
            None => (renewal(self, &stored, &base_url), KeySource::Config),
        };
        let key = stored.read().await?;
        let sources = api::SettingSources { key: Some(stored.source()), base_url: Some(url_place) };
        Ok(Connection {
            profile: self.shown_name(),
            key_source,
            api: api::ClientSettings { renewal, sources, ..self.config.api_settings(base_url, key)? },
            policy: self.config.network.policy(),
        })
    }
}

impl Config {
    /// Chooses the workspace and gets its key. This may run the key command, so call it before the explorer takes over the
    /// terminal.
    pub async fn connection(&self, options: &WorkspaceOptions, env: &Environment) -> Result<Connection, ConfigError> {
        self.workspace(options, env)?.connection().await
    }

    /// The embedded demo: its own address and key, without the user's `[network]`.
    pub fn demo_connection(base_url: BaseUrl, key: ApiKey) -> Connection {
        let network = NetworkConfig::default();
        Connection {
            profile: "demo".into(),
            key_source: KeySource::Demo,
            policy: network.policy(),
            api: network.direct(base_url, key),
        }
    }

    /// The id of this config in file names: a hash of its absolute path.
    pub fn fingerprint(&self) -> String {
        let path = self.path.as_ref().and_then(|path| std::path::absolute(path).ok()).unwrap_or_default();
        fingerprint(path.as_os_str().as_encoded_bytes())
    }
}
