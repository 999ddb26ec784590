//! The workspace of a session: its name, its source, and the start of commands that use it.

use crate::base::base_url::BaseUrl;
use crate::base::text::Safe;
use crate::cache::Store;
use crate::config::{Connection, KeySource};

/// The properties of a workspace that the screen shows.
#[derive(Debug, Clone)]
pub struct WorkspaceInfo {
    /// Its index among the profiles.
    pub at: usize,
    pub profile: Safe,
    /// The file that the rows are from; `None` if they are from the API.
    pub file: Option<Safe>,
    /// The base URL of copied requests.
    pub base_url: BaseUrl,
    pub key_source: KeySource,
    /// The cache of the workspace; `None` for the demo and for files.
    pub store: Option<Store>,
    pub page_size: u32,
    /// The start of a command that reaches the same workspace.
    pub invocation: Vec<String>,
}

impl WorkspaceInfo {
    pub fn new(at: usize, connection: &Connection, store: Option<Store>, invocation: Vec<String>) -> Self {
        Self {
            at,
            profile: connection.profile.clone(),
            file: None,
            base_url: connection.api.base_url.clone(),
            key_source: connection.key_source,
            store,
            page_size: connection.policy.page_size,
            invocation,
        }
    }
}
