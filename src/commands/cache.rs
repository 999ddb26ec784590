//! `hookscope cache`: where it is, and how to be rid of it.

use crate::base::files;
use crate::base::text::clean;
use crate::cache;
use crate::cli::{CacheCommand, Global};
use crate::error::{Error, Exit, reason};
use crate::output::Output;
use crate::safe;

pub(super) fn run(command: &CacheCommand, global: &Global) -> Result<Exit, Error> {
    let directory = files::cache_dir().ok_or_else(|| Error::NotKept {
        message: "no home directory for the cache".into(),
        advice: "Set HOME or XDG_CACHE_HOME to an absolute path.".into(),
    })?;
    let shown = clean(&directory.to_string_lossy());
    match command {
        CacheCommand::Path => Output::stdout().send(|out| out.line(&shown)).map(|_reader| Exit::Done),
        CacheCommand::Clear { .. } if global.config.is_some() => Err(Error::Usage {
            message: "cache clear does not take --config: it clears the caches of all configs".into(),
            advice: Some("Remove it.".into()),
        }),
        CacheCommand::Clear { history } => {
            let removed = cache::clear(*history).map_err(|error| Error::NotKept {
                message: safe!("cannot clear the cache {}: {}", shown, reason(&error)),
                advice: "Check the permissions of the directory.".into(),
            })?;
            let files = if removed == 1 { "file" } else { "files" };
            global.say().note(&safe!("removed {} {}", removed, files));
            Ok(Exit::Done)
        }
    }
}
