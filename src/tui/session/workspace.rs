//! The workspace of a session: its name, where it is read from, and how a command reaches it.

use crate::base::base_url::BaseUrl;
use crate::base::text::Safe;
use crate::cache::Store;
use crate::config::{Connection, KeySource};

/// A workspace, as far as it concerns the screen.
#[derive(Debug, Clone)]
pub struct WorkspaceInfo {
    /// Its place among the profiles.
    pub at: usize,
    pub profile: Safe,
    /// The file that the rows are from, if they are from one: then nothing is asked of the API.
    pub file: Option<Safe>,
    /// The target of copied requests.
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
