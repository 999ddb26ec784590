//! Whole workspaces, one after the other, for commands that look at all of what they read.

use std::sync::Arc;

use super::{Context, Exit, workspace};
use crate::base::clock::Moment;
use crate::base::text::Safe;
use crate::cache::Store;
use crate::error::Error;
use crate::fetch::{Reading, Wanted};
use crate::model::Scope;

/// A workspace that was read.
pub(super) struct Read {
    /// The profile, when several are read.
    pub(super) profile: Option<Arc<str>>,
    pub(super) place: Safe,
    pub(super) reading: Reading,
    /// Where it is remembered.
    pub(super) memory: Option<Store>,
    /// Seconds that it took.
    pub(super) seconds: f64,
}

/// What a sweep brought.
pub(super) struct Sweep {
    pub(super) workspaces: Vec<Read>,
    /// The profiles that could not be read at all.
    pub(super) failed: Vec<Arc<str>>,
    /// The worst of what kept workspaces from being read; they are told already.
    pub(super) exit: Exit,
}

/// Reads the one workspace that the options name, or with `--all-profiles` each of them. One of several that fails is told, and
/// the others are read; the only one that fails is the failure of the command.
pub(super) async fn read_all(context: &Context<'_>, scope: Scope) -> Result<Sweep, Error> {
    let all = context.global.all_profiles;
    let workspaces = if all {
        workspace::open_all(context.global, context.config, context.env, context.say).await?
    } else {
        vec![Ok(context.workspace().await?)]
    };
    let mut sweep = Sweep { workspaces: Vec::new(), failed: Vec::new(), exit: Exit::Done };
    // Those of a sweep are in the order of the profiles.
    let mut names = context.config.profiles().filter(|_| all);
    for opened in workspaces {
        let name = names.next();
        let start = Moment::now().instant;
        let read = match opened {
            Ok(workspace) => {
                let (profile, place) = (workspace.profile.clone(), workspace.place().clone());
                let memory = workspace.memory().cloned();
                let reading = workspace.read(Wanted::all(scope)).await;
                let seconds = Moment::now().instant.saturating_duration_since(start).as_secs_f64();
                reading.map(|reading| Read { profile, place, reading, memory, seconds })
            }
            Err(error) => Err(error),
        };
        match read {
            Ok(read) => sweep.workspaces.push(read),
            Err(error) if !all => return Err(error),
            Err(error) => {
                context.say.error(&error);
                sweep.failed.extend(name.map(Arc::from));
                sweep.exit = sweep.exit.max(error.exit());
            }
        }
    }
    Ok(sweep)
}
