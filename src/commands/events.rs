//! `hookscope events`: subscribers per event, and known events without any.

use super::context::{Context, MalformedRows, exit_of, row_filter};
use crate::analysis::coverage::{EventCoverage, coverage};
use crate::cli::args::EventsArgs;
use crate::error::{Error, Exit};
use crate::fetch::Wanted;
use crate::model::{RowRef, Scope};
use crate::output::{Output, OutputState, Sheet, SheetEntry};

/// Reads all webhooks and counts their events.
pub(super) async fn run(args: &EventsArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let mut out = Output::stdout();
    let sheet: Sheet<EventCoverage> = context.sheet(&out, args.output, None)?;
    let query = context.query(args.filter.as_deref())?;
    let mut workspace = context.workspace().await?;
    let matches = |row: RowRef<'_>| query.matches(row);
    let filter = row_filter(&query, &matches);
    let reading = workspace.read(Wanted { filter, ..Wanted::all(Scope::All) }).await?;
    let known = context.config.audit.known_events.iter().map(crate::base::text::Untrusted::raw);
    let entries: Vec<_> = coverage(&reading.rows, known).into_iter().map(SheetEntry::Record).collect();
    if out.send(|out| sheet.write(out, &entries))? == OutputState::Closed {
        return Ok(exit_of(&reading.summary));
    }
    // No count includes a malformed row.
    Ok(context.report(&reading.summary, MalformedRows::LeftOut, &workspace.place))
}
