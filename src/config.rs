//! Builds complete settings from the config file, the environment and the command line. A [`Config`] is validated as a
//! whole; [`Config::workspace`] chooses the workspace, and [`Config::connection`] gets its key.
//!
//! Start at `table`, which has a row for each key. A file may use those before it in this order: `error`, `shown`, `file`,
//! `document`, `kinds`, `table`, `example`, `environment`, `stored_key`, `loaded`, `workspace`, `renewal`, `connection`,
//! `profiles`; `mapping` reads another kind of file.

mod connection;
mod document;
mod environment;
mod error;
mod example;
mod file;
mod kinds;
mod loaded;
mod mapping;
mod profiles;
mod renewal;
mod shown;
mod stored_key;
mod table;
mod workspace;

pub use self::connection::{Connection, KeySource};
pub use self::environment::{Environment, Multiplexer, VARIABLES};
pub use self::error::ConfigError;
pub use self::example::example;
pub use self::kinds::{ProxySetting, color_name};
pub use self::loaded::{Config, ConfigPath, ConfigPermissions, ConfigValue, default_path};
pub use self::mapping::MapFile;
pub use self::profiles::{Profile, Profiles};
pub use self::shown::{shown_id, toml_string};
pub use self::stored_key::{KeyStorage, StoredKey};
pub use self::table::{AuditConfig, Clipboard, KeyHelp, NetworkConfig, ThemeConfig, TimeFormat, UiConfig};
pub use self::workspace::{ChosenWorkspace, WorkspaceOptions};

#[cfg(test)]
mod tests;
