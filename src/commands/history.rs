//! `hookscope history`: the snapshots that were kept of the workspace.

use super::{Context, Exit};
use crate::cli::args::HistoryArgs;
use crate::error::Error;
use crate::output::{Entry, Kept, Output, Sheet};

/// Lists them, the newest first.
pub(super) async fn run(args: &HistoryArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let mut out = Output::stdout();
    let sheet: Sheet<Kept> = context.sheet(&out, args.output, None)?;
    let (store, _) = context.remembered().await?;
    let kept = store.history().into_iter().rev().map(|snapshot| Kept {
        time: snapshot.at,
        webhooks: snapshot.webhooks,
        added: snapshot.counts.map(|counts| counts.added),
        removed: snapshot.counts.map(|counts| counts.removed),
        changed: snapshot.counts.map(|counts| counts.changed),
        damaged: snapshot.is_damaged(),
        path: snapshot.path.to_string_lossy().into_owned(),
    });
    let entries: Vec<_> = kept.map(Entry::Record).collect();
    out.send(|out| sheet.write(out, &entries)).map(|_reader| Exit::Done)
}
