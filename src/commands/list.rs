//! `hookscope list`: the webhooks of the workspace.

use std::cmp::Reverse;
use std::io::{self, IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::context::{Context, MalformedRows, refuse_unknown_findings, row_filter};
use super::workspace::Workspace;
use crate::analysis::audit::Audit;
use crate::analysis::query::{Query, Ranker};
use crate::analysis::sort::Sort;
use crate::api::MAX_PAGE_SIZE;
use crate::base::text::grouped;
use crate::cli::args::ListArgs;
use crate::error::{Error, Exit};
use crate::fetch::{Limit, Reading, Summary, Wanted};
use crate::model::{RowNumber, RowPage, RowRef, Rows, Scope};
use crate::output::{Cells, Format, ListedWebhook, Output, OutputState, Sheet, SheetEntry};
use crate::safe;

/// Reads the listing and writes it.
pub(super) async fn run(args: &ListArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let mut out = Output::stdout();
    let sheet = sheet(args, &out, context)?;
    let list = ListRun::new(args, context, sheet)?;
    let workspaces = context.workspaces().await?;
    if list.streams() { list.stream(workspaces, &mut out).await } else { list.read(workspaces, &mut out).await }
}

/// Builds the sheet that writes the webhooks. `--excel` implies csv.
fn sheet<W: Write>(args: &ListArgs, out: &Output<W>, context: &Context<'_>) -> Result<Sheet<ListedWebhook>, Error> {
    let mut output = args.output;
    if args.excel {
        if output.format.is_some_and(|format| format != Format::Csv) {
            let advice = Some("Remove -o, or use -o csv.".into());
            return Err(Error::Usage { message: "--excel works only with csv".into(), advice });
        }
        output.format = Some(Format::Csv);
    }
    let mut sheet = context.sheet(out, output, args.columns.as_deref())?;
    if args.excel {
        sheet.cells = Cells::Excel;
    }
    Ok(sheet)
}

/// A listing to write: its rows, order and format.
struct ListRun<'a> {
    context: &'a Context<'a>,
    args: &'a ListArgs,
    query: Query,
    /// The audit, if the query filters by findings.
    audit: Option<Audit>,
    sort: Option<Sort>,
    sheet: Sheet<ListedWebhook>,
}

impl<'a> ListRun<'a> {
    fn new(args: &'a ListArgs, context: &'a Context<'a>, sheet: Sheet<ListedWebhook>) -> Result<Self, Error> {
        let query = context.query_of_findings(args.filter.as_deref())?;
        let audit = query.asks_for_findings().then(|| audit(&query, args, context)).transpose()?;
        let sort = args
            .sort
            .as_deref()
            .map(Sort::parse)
            .transpose()
            .map_err(|why| Error::Usage { message: safe!("--sort: {}", why), advice: None })?;
        if args.page.is_some() && args.limit.is_some_and(|limit| limit > MAX_PAGE_SIZE.into()) {
            return Err(Error::Usage {
                message: safe!("--limit: a page holds at most {} webhooks", MAX_PAGE_SIZE),
                advice: Some("Remove --page to use a larger limit.".into()),
            });
        }
        if args.page.is_some() && context.global.all_profiles {
            return Err(Error::Usage {
                message: "--page works with one workspace, not with --all-profiles".into(),
                advice: None,
            });
        }
        let list = Self { context, args, query, audit, sort, sheet };
        list.refuse_to_verify_a_part()?;
        Ok(list)
    }

    /// Refuses `--verify` unless the whole list is read from the API.
    fn refuse_to_verify_a_part(&self) -> Result<(), Error> {
        let message = if self.args.limit.is_some() && !self.needs_all() {
            "--verify needs the whole list, but --limit reads part of it"
        } else if self.context.global.from.is_some() || self.context.global.cached {
            "--verify works only with the API, not with a file or the cache"
        } else {
            return Ok(());
        };
        if self.args.verify { Err(Error::Usage { message: message.into(), advice: None }) } else { Ok(()) }
    }

    /// Returns true if rows can be written as they arrive, without reading all of them first.
    fn streams(&self) -> bool {
        self.sheet.format == Format::Ndjson && !self.needs_all() && self.args.page.is_none()
    }

    /// Malformed rows match no filter.
    fn malformed(&self) -> MalformedRows {
        if self.sheet.format.passes_malformed() && self.query.is_empty() {
            MalformedRows::Passed
        } else {
            MalformedRows::LeftOut
        }
    }

    fn wanted<'w>(&self, limit: Limit, filter: Option<&'w dyn Fn(RowRef<'_>) -> bool>) -> Wanted<'w> {
        Wanted { scope: self.args.scope, limit, filter, verify: self.args.verify }
    }

    /// Returns true if all rows must be read before the first can be written.
    fn needs_all(&self) -> bool {
        self.sort.is_some() || self.query.is_ranked() || self.audit.is_some()
    }

    async fn stream(&self, workspaces: Vec<Result<Workspace, Error>>, out: &mut Output<impl Write>) -> Result<Exit, Error> {
        let matches = |row: RowRef<'_>| self.query.matches(row);
        let filter = row_filter(&self.query, &matches);
        let mut tally = ListTally::new(self);
        let drawn = !out.is_terminal();
        for workspace in workspaces {
            let opened = self.context.skip_failed(workspace, &mut tally.exit)?;
            let (Some(workspace), Some(limit)) = (opened, tally.limit()) else { continue };
            let profile = workspace.profile.as_ref();
            let mut written = 0;
            let mut state = Ok(OutputState::Open);
            let sink = |page: Arc<RowPage>| {
                written += page.len() as u64;
                let entries: Vec<_> = page.owned_rows().map(|row| ListedWebhook::entry(profile, row)).collect();
                state = out.send(|out| self.sheet.write_lines(out, &entries));
                if matches!(state, Ok(OutputState::Open)) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let summary = workspace.stream(self.wanted(limit, filter), drawn, sink).await;
            if state? == OutputState::Closed {
                return Ok(Exit::Done);
            }
            tally.rows += written;
            if let Some(summary) = self.context.skip_failed(summary, &mut tally.exit)? {
                tally.add_total(&summary);
                tally.exit = tally.exit.max(self.context.report(&summary, self.malformed(), &workspace.place));
            }
        }
        tally.say_if_nothing();
        Ok(tally.exit)
    }

    async fn read(&self, workspaces: Vec<Result<Workspace, Error>>, out: &mut Output<impl Write>) -> Result<Exit, Error> {
        let mut tally = ListTally::new(self);
        let mut all = CombinedRows::default();
        let mut summaries: Vec<(Summary, _)> = Vec::new();
        for workspace in workspaces {
            let opened = self.context.skip_failed(workspace, &mut tally.exit)?;
            let (Some(mut workspace), Some(limit)) = (opened, tally.limit()) else { continue };
            let read = self.read_one(&mut workspace, limit).await;
            let Some(Reading { rows, summary }) = self.context.skip_failed(read, &mut tally.exit)? else { continue };
            tally.rows += rows.count();
            tally.add_total(&summary);
            all.add(&rows, workspace.profile.as_ref());
            summaries.push((summary, workspace.place));
        }
        let all = self.arrange(all);
        if self.args.limit.is_some() && !all.iter().any(|entry| matches!(entry, SheetEntry::Malformed(_))) {
            // Malformed rows beyond the limit do not count.
            for (summary, _) in &mut summaries {
                summary.malformed = 0;
            }
        }
        // If nothing could be read, do not write an empty listing.
        let nothing = summaries.is_empty() && tally.exit != Exit::Done;
        let state = if nothing { OutputState::Open } else { out.send(|out| self.sheet.write(out, &all))? };
        tally.exit = tally.exit.max(self.context.report_all(&summaries, self.malformed(), state));
        if state == OutputState::Open {
            tally.say_if_nothing();
        }
        Ok(tally.exit)
    }

    async fn read_one(&self, workspace: &mut Workspace, limit: Limit) -> Result<Reading, Error> {
        if let Some(audit) = &self.audit {
            // A finding on one webhook may depend on another that the query does not match.
            let mut reading = workspace.read(self.wanted(limit, None)).await?;
            let found = audit.run(&reading.rows, false).rule_sets();
            reading.rows = reading.rows.select(|number, row| {
                row.is_webhook() && self.query.matches_found(row, found.get(&number).copied().unwrap_or_default())
            });
            return Ok(reading);
        }
        let matches = |row: RowRef<'_>| self.query.matches(row);
        let filter = row_filter(&self.query, &matches);
        let Some(page) = self.args.page else {
            return workspace.read(self.wanted(limit, filter)).await;
        };
        let size = self.args.limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(MAX_PAGE_SIZE);
        let mut reading = workspace.read_page(self.args.scope, page, size).await?;
        reading.rows = reading.rows.select(|_, row| filter.is_none_or(|filter| row.is_webhook() && filter(row)));
        if let Some(total) = reading.summary.total {
            let pages = total.div_ceil(size.into());
            self.context.say.detail(&safe!("page {} of {}, {} webhooks in total", page, pages, total));
        }
        Ok(reading)
    }

    /// Sorts the rows, or ranks them by how well they match, and applies the limit.
    fn arrange(&self, all: CombinedRows) -> Vec<SheetEntry<ListedWebhook>> {
        let rows: Rows = all.pages.into_iter().collect();
        let mut order: Vec<RowNumber> = rows.iter().map(|(number, _)| number).collect();
        if let Some(sort) = self.sort {
            order = sort.rows(&rows, &order);
        } else if self.query.is_ranked() {
            let mut ranker = Ranker::new(&self.query);
            order.sort_by_cached_key(|&number| Reverse(rows.row(number.into()).map(|row| ranker.score(row))));
        }
        let limit = self.args.limit.and_then(|limit| usize::try_from(limit).ok());
        order.truncate(limit.unwrap_or(usize::MAX));
        let entry = |number: RowNumber| {
            let workspace = all.ends.partition_point(|(end, _)| *end <= u64::from(number));
            let profile = all.ends.get(workspace).and_then(|(_, profile)| profile.as_ref());
            Some(ListedWebhook::entry(profile, rows.owned_row(number.into())?))
        };
        order.into_iter().filter_map(entry).collect()
    }
}

/// The rows of several workspaces as one listing.
#[derive(Default)]
struct CombinedRows {
    pages: Vec<Arc<RowPage>>,
    rows: u64,
    /// The number after the last row of each workspace, and its profile.
    ends: Vec<(u64, Option<Arc<str>>)>,
}

impl CombinedRows {
    fn add(&mut self, rows: &Rows, profile: Option<&Arc<str>>) {
        self.pages.extend(rows.segments().map(|(_, _, segment)| Arc::clone(&segment.page)));
        self.rows += rows.count();
        self.ends.push((self.rows, profile.cloned()));
    }
}

/// The audit for a query that filters by findings.
fn audit(query: &Query, args: &ListArgs, context: &Context<'_>) -> Result<Audit, Error> {
    if args.page.is_some() {
        let message = "--filter: finding: needs the whole list, but --page reads one page".into();
        return Err(Error::Usage { message, advice: Some("Remove --page.".into()) });
    }
    let audit = context.config.audit.prepare(context.now, Arc::default());
    refuse_unknown_findings(query, &audit)?;
    Ok(audit)
}

/// The progress of reading several workspaces.
struct ListTally<'a> {
    list: &'a ListRun<'a>,
    rows: u64,
    /// The number of webhooks in all workspaces; `None` if it is not known.
    total: Option<u64>,
    exit: Exit,
}

impl<'a> ListTally<'a> {
    fn new(list: &'a ListRun<'a>) -> Self {
        Self { list, rows: 0, total: Some(0), exit: Exit::Done }
    }

    fn add_total(&mut self, summary: &Summary) {
        self.total = self.total.zip(summary.total).map(|(one, other)| one + other);
    }

    /// Notes on a terminal that nothing matches, as an empty table could also be a listing in progress.
    fn say_if_nothing(&self) {
        let is_page = self.list.args.page.is_some();
        if self.rows > 0 || is_page || self.exit != Exit::Done || !(io::stdout().is_terminal() || io::stderr().is_terminal())
        {
            return;
        }
        self.list.context.say.note(&match self.total {
            Some(0) => match self.list.args.scope {
                Scope::All => "no webhooks".into(),
                Scope::Active => "no active webhooks".into(),
                Scope::Inactive => "no inactive webhooks".into(),
            },
            Some(total) => safe!("0 of {} match", grouped(total)),
            None => "no webhooks match".into(),
        });
    }

    /// The limit for the next workspace; `None` once enough rows were read.
    fn limit(&self) -> Option<Limit> {
        match self.list.args.limit {
            Some(limit) if !self.list.needs_all() => (limit > self.rows).then(|| Limit::Rows(limit - self.rows)),
            _ => Some(Limit::Everything),
        }
    }
}
