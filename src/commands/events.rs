//! `hookscope events`: who hears which event, and which known events nobody hears.

use super::{Context, Exit, Fate, exit_of};
use crate::analysis::coverage::{EventCoverage, coverage};
use crate::cli::args::EventsArgs;
use crate::error::Error;
use crate::fetch::Wanted;
use crate::model::{RowRef, Scope};
use crate::output::{Entry, Output, Reader, Sheet};

/// Reads all webhooks and counts their events.
pub(super) async fn run(args: &EventsArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let mut out = Output::stdout();
    let sheet: Sheet<EventCoverage> = context.sheet(&out, args.output, None)?;
    let query = context.query(args.filter.as_deref())?;
    let workspace = context.workspace().await?;
    let place = workspace.place().clone();
    let filter = |row: RowRef<'_>| query.matches(row);
    let filter: Option<&dyn Fn(RowRef<'_>) -> bool> = if query.is_empty() { None } else { Some(&filter) };
    let reading = workspace.read(Wanted { filter, ..Wanted::all(Scope::All) }).await?;
    let known = context.config.audit.known_events.iter().map(crate::base::text::Untrusted::raw);
    let entries: Vec<_> = coverage(&reading.rows, known).into_iter().map(Entry::Record).collect();
    if out.send(|out| sheet.write(out, &entries))? == Reader::Gone {
        return Ok(exit_of(&reading.summary));
    }
    // A row that is no webhook is in no count.
    Ok(context.report(&reading.summary, Fate::LeftOut, &place))
}
