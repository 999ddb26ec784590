//! `hookscope snapshot`: the workspace as canonical JSON.

use std::io::{self, Write};
use std::path::Path;

use super::context::{Context, MalformedRows, exit_of};
use super::workspace::EVERYTHING;
use crate::base::files::{self, Existing};
use crate::base::text::{Safe, clean};
use crate::cli::args::SnapshotArgs;
use crate::error::{Error, Exit, reason};
use crate::fetch::{Reading, Wanted};
use crate::output::{Output, OutputState};
use crate::safe;
use crate::snapshot;

/// Reads the whole workspace and writes it. A file is replaced as a whole, and only by a consistent snapshot.
pub(super) async fn run(args: &SnapshotArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let file = args.file.as_deref().filter(|file| *file != Path::new("-"));
    let mut workspace = context.workspace().await?;
    let reading = workspace.read(Wanted { verify: true, ..EVERYTHING }).await?;
    let with_credentials = match file {
        Some(file) if !reading.summary.problems.is_empty() => {
            let exit = context.report(&reading.summary, MalformedRows::Passed, &workspace.place);
            context.say.problem(&safe!("{} was not written", clean_path(file)));
            return Ok(exit);
        }
        Some(file) => write(file, &reading, args.redact)
            .map_err(|error| Error::Output(safe!("{}: {}", clean_path(file), reason(&error))))?,
        None => {
            let mut out = Output::stdout();
            let mut count = 0;
            let reader = out.send(|out| {
                count = snapshot::write(out, &reading.rows, args.redact)?;
                Ok(())
            })?;
            if reader == OutputState::Closed {
                return Ok(exit_of(&reading.summary));
            }
            count
        }
    };
    if with_credentials > 0 {
        let (webhooks, have) = if with_credentials == 1 { ("webhook", "has") } else { ("webhooks", "have") };
        context.say.note(&safe!(
            "the snapshot contains secrets: {} {} {} credentials in the URL; --redact replaces them",
            with_credentials,
            webhooks,
            have
        ));
    }
    Ok(context.report(&reading.summary, MalformedRows::Passed, &workspace.place))
}

fn clean_path(path: &Path) -> Safe {
    clean(&path.to_string_lossy())
}

/// Returns the number of webhooks with credentials.
fn write(file: &Path, reading: &Reading, redact: bool) -> io::Result<u64> {
    let snapshot = |out: &mut dyn Write| snapshot::write(&mut Output::to(out), &reading.rows, redact);
    // An existing file keeps its permissions; a new one is private, as it may contain credentials.
    files::write_to(file, Existing::ReplacedAlike, snapshot).map(Option::unwrap_or_default)
}
