//! The context of a command: its options, environment and config, and how it reports.

use jiff::Timestamp;

use crate::analysis::audit::{Audit, FactKind};
use crate::analysis::query::Query;
use crate::base::text::Safe;
use crate::cli::args::OutputArgs;
use crate::cli::{ColorArg, Global};
use crate::config::{Config, Environment};
use crate::error::{Error, Exit};
use crate::fetch::{Summary, explain};
use crate::model::RowRef;
use crate::output::{Cells, Format, Output, OutputState, Record, Sheet, Verbosity};
use crate::safe;

/// The options and settings of a command that reads webhooks.
pub(super) struct Context<'a> {
    pub(super) global: &'a Global,
    pub(super) env: &'a Environment,
    pub(super) config: &'a Config,
    pub(super) say: Verbosity,
    pub(super) now: Timestamp,
}

/// The handling of malformed rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum MalformedRows {
    Passed,
    LeftOut,
}

impl MalformedRows {
    const fn words(self) -> &'static str {
        match self {
            Self::Passed => "passed through as received",
            Self::LeftOut => "left out",
        }
    }
}

/// Parses the text of `--filter`.
pub fn parse_filter(text: &str, now: Timestamp) -> Result<Query, Error> {
    Query::parse(text, now).map_err(|error| Error::Usage {
        message: safe!("--filter, column {}: {}", error.column(text), error.message),
        advice: Some(error.advice.unwrap_or_else(|| "Run hookscope help filter for the syntax.".into())),
    })
}

/// Refuses a filter by findings of rules that the audit does not run.
pub(super) fn refuse_unknown_findings(query: &Query, audit: &Audit) -> Result<(), Error> {
    let Some(rule) = audit.lacks(query.findings()) else { return Ok(()) };
    let (why, advice) = match rule.needs().filter(|&needs| !audit.context.facts.has(needs)).map(FactKind::option) {
        Some(option) => {
            let advice = safe!("Run: hookscope audit {} --rule {}", option, rule.id);
            (safe!("{} needs {}", rule.id, option), Some(advice))
        }
        None => (safe!("the rule {} is not run", rule.id), None),
    };
    Err(Error::Usage { message: safe!("--filter: finding: {}", why), advice })
}

/// The row filter for a query; `None` if it is empty.
pub(super) fn row_filter<'f>(
    query: &Query,
    matches: &'f dyn Fn(RowRef<'_>) -> bool,
) -> Option<&'f dyn Fn(RowRef<'_>) -> bool> {
    (!query.is_empty()).then_some(matches)
}

/// The exit code of a read: incomplete unless everything was read.
pub(super) fn exit_of(summary: &Summary) -> Exit {
    if summary.is_whole() { Exit::Done } else { Exit::Incomplete }
}

impl Context<'_> {
    /// Prepares the output of records.
    pub(super) fn sheet<T: Record, W: std::io::Write>(
        &self,
        out: &Output<W>,
        args: OutputArgs,
        columns: Option<&str>,
    ) -> Result<Sheet<T>, Error> {
        let format = args.format.unwrap_or(Format::usual(out.is_terminal()));
        let mut sheet = Sheet::new(format, columns, self.global.all_profiles, self.now)
            .map_err(|why| Error::Usage { message: safe!("--columns: {}", why), advice: None })?;
        sheet.width = out.terminal_width();
        sheet.colored = self.is_colored(out);
        sheet.cells = if args.raw { Cells::Raw } else { Cells::Guarded };
        Ok(sheet)
    }

    /// Returns true if output for people has colors.
    pub(super) fn is_colored<W: std::io::Write>(&self, out: &Output<W>) -> bool {
        let color = self.global.color;
        color.enabled(self.env.no_color) && (out.is_terminal() || color == ColorArg::Always)
    }

    /// Parses a filter that needs only the webhook itself.
    pub(super) fn query(&self, text: Option<&str>) -> Result<Query, Error> {
        let query = self.query_of_findings(text)?;
        if query.asks_for_findings() {
            let message = "--filter: finding: works only in list, audit and the explorer".into();
            let advice = "To get the ids, run: hookscope list --filter finding:RULE -o ids".into();
            return Err(Error::Usage { message, advice: Some(advice) });
        }
        Ok(query)
    }

    /// Parses a filter that may use the findings of an audit.
    pub(super) fn query_of_findings(&self, text: Option<&str>) -> Result<Query, Error> {
        let query = parse_filter(text.unwrap_or_default(), self.now)?;
        if let Some(hint) = query.hint() {
            self.say.note(&safe!("--filter: {}", hint));
        }
        if query.asks_for_flags() {
            let message = "--filter: is: works only in the explorer".into();
            return Err(Error::Usage { message, advice: Some("Remove it, or open the explorer.".into()) });
        }
        if query.asks_for_probes() {
            let message = "--filter: probe: works only in the explorer".into();
            let advice = "Filter the output of hookscope probe -o ndjson by its fields state and error.";
            return Err(Error::Usage { message, advice: Some(advice.into()) });
        }
        Ok(query)
    }

    /// Reports on stderr why a listing is incomplete, and returns [`exit_of`] it.
    pub(super) fn report(&self, summary: &Summary, malformed: MalformedRows, place: &Safe) -> Exit {
        if summary.scope_ignored {
            self.say.note(&safe!("{}: the server ignores is_active; filtering locally", place));
        }
        if summary.malformed > 0 {
            let rows = if summary.malformed == 1 { "row" } else { "rows" };
            self.say.problem(&safe!("{}: {} malformed {} ({})", place, summary.malformed, rows, malformed.words()));
        }
        for problem in explain(&summary.problems) {
            self.say.problem(&safe!("{}: incomplete: {}", place, problem));
        }
        exit_of(summary)
    }

    /// Reports all listings, unless the pipe is closed, and returns the worst exit code.
    pub(super) fn report_all(&self, summaries: &[(Summary, Safe)], malformed: MalformedRows, state: OutputState) -> Exit {
        let exit = |(summary, place): &(Summary, Safe)| match state {
            OutputState::Open => self.report(summary, malformed, place),
            OutputState::Closed => exit_of(summary),
        };
        summaries.iter().map(exit).max().unwrap_or(Exit::Done)
    }

    /// Reports a failure and returns `None` with `--all-profiles`, so that the other workspaces are read; without it, the failure
    /// ends the command.
    pub(super) fn skip_failed<T>(&self, result: Result<T, Error>, exit: &mut Exit) -> Result<Option<T>, Error> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if !self.global.all_profiles => Err(error),
            Err(error) => {
                self.say.error(&error);
                *exit = (*exit).max(error.exit());
                Ok(None)
            }
        }
    }
}
