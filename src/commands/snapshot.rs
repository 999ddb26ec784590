//! `hookscope snapshot`: the workspace as canonical JSON.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::{Context, Exit};
use crate::cli::SnapshotArgs;
use crate::error::Error;
use crate::fetch::{Limit, Reading, Wanted};
use crate::model::Scope;
use crate::output::{Format, Output, Reader};
use crate::safe;
use crate::snapshot;
use crate::text::{Safe, clean};

/// Reads the whole workspace and writes it. A file is replaced as a whole, and only by a consistent snapshot.
pub(super) async fn run(args: &SnapshotArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let file = args.file.as_deref().filter(|file| *file != Path::new("-"));
    let workspace = context.workspace().await?;
    let place = workspace.place().clone();
    let reading = workspace.read(Wanted { scope: Scope::All, limit: Limit::Everything, filter: None }).await?;
    let with_credentials = match file {
        Some(file) if !reading.summary.problems.is_empty() => {
            let exit = context.report(&reading.summary, Format::Json, &place);
            context.say.problem(&safe!("{} was not written", clean_path(file)));
            return Ok(exit);
        }
        Some(file) => replace(file, &reading, args.redact)
            .map_err(|error| Error::Output(safe!("{}: {}", clean_path(file), clean(&error.to_string()))))?,
        None => {
            let mut out = Output::stdout();
            let mut count = 0;
            let reader = out.send(|out| {
                count = snapshot::write(out, &reading.rows, args.redact)?;
                Ok(())
            })?;
            if reader == Reader::Gone {
                return Ok(Exit::Done);
            }
            count
        }
    };
    if with_credentials > 0 {
        let (webhooks, have) = if with_credentials == 1 { ("webhook", "has") } else { ("webhooks", "have") };
        context.say.note(&safe!(
            "the snapshot holds secrets: {} {} {} credentials in a URL; --redact replaces them",
            with_credentials,
            webhooks,
            have
        ));
    }
    Ok(context.report(&reading.summary, Format::Json, &place))
}

fn clean_path(path: &Path) -> Safe {
    clean(&path.to_string_lossy())
}

/// Writes beside the file, and puts the whole in its place once it is on the disk. A link stays one: its target is replaced.
fn replace(file: &Path, reading: &Reading, redact: bool) -> io::Result<u64> {
    let target = fs::canonicalize(file).unwrap_or_else(|_not_there_yet| file.to_owned());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hookscope-");
    // Readable by its owner alone, unless somebody chose otherwise for the file that is there.
    if let Ok(metadata) = fs::metadata(&target) {
        if !metadata.is_file() {
            // A device or a pipe is written to, not replaced.
            return write(fs::OpenOptions::new().write(true).open(&target)?, reading, redact);
        }
        builder.permissions(metadata.permissions());
    }
    let directory = match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let beside = builder.tempfile_in(directory)?;
    let count = write(beside.as_file(), reading, redact)?;
    beside.as_file().sync_all()?;
    beside.persist(&target).map_err(|error| error.error)?;
    fs::File::open(directory)?.sync_all()?;
    Ok(count)
}

fn write(writer: impl Write, reading: &Reading, redact: bool) -> io::Result<u64> {
    let mut writer = io::BufWriter::new(writer);
    let count = snapshot::write(&mut Output::to(&mut writer), &reading.rows, redact)?;
    writer.flush()?;
    Ok(count)
}
