//! `hookscope history`: the saved snapshots of the workspace.

use super::context::Context;
use crate::cli::args::HistoryArgs;
use crate::error::{Error, Exit};
use crate::output::{Output, SavedSnapshot, Sheet, SheetEntry};

/// Lists them, the newest first.
pub(super) async fn run(args: &HistoryArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let mut out = Output::stdout();
    let sheet: Sheet<SavedSnapshot> = context.sheet(&out, args.output, None)?;
    let (store, _) = context.remembered().await?;
    let kept = store.history().into_iter().rev().map(|snapshot| SavedSnapshot {
        time: snapshot.at,
        webhooks: snapshot.webhooks,
        added: snapshot.counts.map(|counts| counts.added),
        removed: snapshot.counts.map(|counts| counts.removed),
        changed: snapshot.counts.map(|counts| counts.changed),
        damaged: snapshot.is_damaged(),
        path: snapshot.path.to_string_lossy().into_owned(),
    });
    let entries: Vec<_> = kept.map(SheetEntry::Record).collect();
    out.send(|out| sheet.write(out, &entries)).map(|_reader| Exit::Done)
}
