//! Reads one workspace, or with `--all-profiles` each of them, for commands that need all rows before they write.

use std::sync::Arc;

use super::context::Context;
use crate::base::clock::Moment;
use crate::base::text::Safe;
use crate::cache::Store;
use crate::error::{Error, Exit};
use crate::fetch::{Reading, Wanted};

/// A workspace that was read.
pub(super) struct WorkspaceReading {
    /// The profile, when several are read.
    pub(super) profile: Option<Arc<str>>,
    pub(super) place: Safe,
    pub(super) reading: Reading,
    /// The cache and history; `None` for a file.
    pub(super) store: Option<Store>,
    /// The duration in seconds.
    pub(super) seconds: f64,
}

/// The results of reading all workspaces.
pub(super) struct WorkspaceReadings {
    pub(super) workspaces: Vec<WorkspaceReading>,
    /// The profiles that could not be read at all.
    pub(super) failed: Vec<Arc<str>>,
    /// The worst failure; it is already reported.
    pub(super) exit: Exit,
}

/// Reads the wanted rows of each workspace; see [`Context::workspaces`] and [`Context::skip_failed`].
pub(super) async fn read_all(context: &Context<'_>, wanted: Wanted<'_>) -> Result<WorkspaceReadings, Error> {
    let mut all = WorkspaceReadings { workspaces: Vec::new(), failed: Vec::new(), exit: Exit::Done };
    let mut names = context.config.profiles();
    for opened in context.workspaces().await? {
        let name = names.next();
        let result = match opened {
            Ok(mut workspace) => {
                let start = Moment::now().instant;
                workspace.read(wanted).await.map(|reading| WorkspaceReading {
                    profile: workspace.profile,
                    place: workspace.place,
                    reading,
                    store: workspace.store,
                    seconds: Moment::now().instant.saturating_duration_since(start).as_secs_f64(),
                })
            }
            Err(error) => Err(error),
        };
        match context.skip_failed(result, &mut all.exit)? {
            Some(reading) => all.workspaces.push(reading),
            None => all.failed.extend(name.map(Arc::from)),
        }
    }
    Ok(all)
}
