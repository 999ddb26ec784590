//! The commands that need no terminal: one file each, over the same fetching and the same model as the explorer.

mod audit;
mod cache;
mod compare;
pub mod completions;
mod configure;
mod demo_serve;
mod diff;
mod doctor;
mod events;
mod facts;
mod get;
mod help;
mod history;
mod list;
mod man;
mod metrics;
mod plan;
mod probe;
mod progress;
mod side;
mod signals;
mod snapshot;
mod sweep;
mod watch;
mod workspace;

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use self::workspace::Workspace;
pub use self::workspace::connect;
use self::workspace::start_demo;
use crate::analysis::audit::{Audit, Needs};
use crate::analysis::query::Query;
use crate::base::clock;
use crate::base::text::Safe;
use crate::cache::Store;
use crate::cli::args::OutputArgs;
use crate::cli::{ColorArg, Command, DemoCommand, Global};
use crate::config::{Config, Environment};
use crate::demo::DemoOptions;
use crate::error::{Error, Exit};
use crate::fetch::{Summary, explain};
use crate::output::{Cells, Format, Output, Record, Say, Sheet, View};
use crate::safe;

/// Runs a command to its end.
pub async fn run(command: &Command, global: &Global, env: &Environment) -> Result<Exit, Error> {
    global.check()?;
    if let Command::Metrics(args) = command {
        metrics::check(args)?;
    }
    match command {
        Command::Doctor => return doctor::run(global, env).await,
        Command::Config { command } => return configure::run(command, global, env).await,
        Command::Completions { shell } => return completions::script(*shell),
        Command::Cache { command } => return cache::run(command, global),
        Command::Man { dir } => return man::run(dir.as_deref()),
        Command::Help { topic } => return help::run(topic),
        Command::Demo { command: DemoCommand::Serve { webhooks, latency, port } } => {
            let latency = Duration::from_millis(*latency);
            return demo_serve::run(DemoOptions { webhooks: *webhooks, latency, port: *port }, global.say()).await;
        }
        Command::Audit(args) if args.list_rules || args.explain.is_some() => return audit::explain(args),
        _ => {}
    }
    // `watch` listens to signals itself, and `probe` to ctrl-c.
    if !matches!(command, Command::Watch(_)) {
        signals::end_clean(!matches!(command, Command::Probe(_))).map_err(|error| Error::start(&error))?;
    }
    let config = Config::load(global.config.as_deref(), env)?;
    let context = Context { global, env, config: &config, say: global.say(), now: clock::Moment::now().wall };
    match command {
        Command::List(args) => list::run(args, &context).await,
        Command::Get(args) => get::run(args, &context).await,
        Command::Events(args) => events::run(args, &context).await,
        Command::Probe(args) => probe::run(args, &context).await,
        Command::Audit(args) => audit::run(args, &context).await,
        Command::Metrics(args) => metrics::run(args, &context).await,
        Command::Snapshot(args) => snapshot::run(args, &context).await,
        Command::Diff(args) => diff::run(args, &context).await,
        Command::History(args) => history::run(args, &context).await,
        Command::Watch(args) => watch::run(args, &context).await,
        Command::Plan(args) => plan::run(args, &context).await,
        _ => Ok(Exit::Done),
    }
}

/// Does what is left to do when a command fails, before or while it runs. `env` is there if it could be read.
///
/// # Errors
///
/// Not even that works.
pub fn fail(command: &Command, global: &Global, env: Option<&Environment>, why: &Error) -> Result<(), Error> {
    match command {
        Command::Metrics(args) => metrics::write_unread(args, global, env, why),
        _ => Ok(()),
    }
}

/// What every reading command gets.
struct Context<'a> {
    global: &'a Global,
    env: &'a Environment,
    config: &'a Config,
    say: Say,
    now: Timestamp,
}

/// Reads the text of `--filter`.
pub fn parse_filter(text: &str, now: Timestamp) -> Result<Query, Error> {
    Query::parse(text, now).map_err(|error| Error::Usage {
        message: safe!("--filter, column {}: {}", error.column(text), error.message),
        advice: Some(error.advice.unwrap_or_else(|| "Run hookscope help filter for the syntax.".into())),
    })
}

/// A filter may not ask for what an audit does not look for.
fn refuse_unknown_findings(query: &Query, audit: &Audit) -> Result<(), Error> {
    let Some(rule) = audit.lacks(query.findings()) else { return Ok(()) };
    let (why, advice) = match rule.needs().filter(|&needs| !audit.basis.facts.has(needs)).map(Needs::option) {
        Some(option) => {
            let advice = safe!("Run: hookscope audit {} --rule {}", option, rule.id);
            (safe!("{} needs {}", rule.id, option), Some(advice))
        }
        None => (safe!("the rule {} is not run", rule.id), None),
    };
    Err(Error::Usage { message: safe!("--filter: finding: {}", why), advice })
}

impl Context<'_> {
    async fn workspace(&self) -> Result<Workspace, Error> {
        workspace::open(self.global, self.config, self.env, self.say).await
    }

    /// Where the workspace is remembered, and what messages call it.
    async fn remembered(&self) -> Result<(Store, Safe), Error> {
        workspace::remembered(self.global, self.config, self.env).await
    }

    /// How records of a kind are written, or why they cannot be so.
    fn sheet<T: Record, W: std::io::Write>(
        &self,
        out: &Output<W>,
        args: OutputArgs,
        columns: Option<&str>,
    ) -> Result<Sheet<T>, Error> {
        let format = args.format.unwrap_or(Format::usual(out.is_terminal()));
        let view = View { now: self.now };
        let mut sheet = Sheet::new(format, columns, self.global.all_profiles, view)
            .map_err(|why| Error::Usage { message: safe!("--columns: {}", why), advice: None })?;
        let color = self.global.color;
        sheet.width = out.is_terminal().then(terminal_width).flatten();
        sheet.coloured = color.enabled(self.env.no_color) && (out.is_terminal() || color == ColorArg::Always);
        sheet.cells = if args.raw { Cells::Raw } else { Cells::Guarded };
        Ok(sheet)
    }

    /// A filter that needs nothing but the webhook itself.
    fn query(&self, text: Option<&str>) -> Result<Query, Error> {
        let query = self.query_of_findings(text)?;
        if query.asks_for_findings() {
            let message = "--filter: finding: works only in list, audit and the explorer".into();
            let advice = "To get the ids, run: hookscope list --filter finding:RULE -o ids".into();
            return Err(Error::Usage { message, advice: Some(advice) });
        }
        Ok(query)
    }

    /// A filter that may ask for what an audit finds.
    fn query_of_findings(&self, text: Option<&str>) -> Result<Query, Error> {
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

    /// Says on stderr what keeps a reading from being whole; see [`exit_of`].
    fn report(&self, summary: &Summary, malformed: Fate, place: &Safe) -> Exit {
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
}

/// Whether a reading is all there is.
fn exit_of(summary: &Summary) -> Exit {
    if summary.is_whole() { Exit::Done } else { Exit::Incomplete }
}

/// What becomes of rows that are no webhooks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Passed,
    LeftOut,
}

impl Fate {
    const fn words(self) -> &'static str {
        match self {
            Self::Passed => "passed through as received",
            Self::LeftOut => "left out",
        }
    }
}

/// Says what is waited for when stdin is read and is a terminal.
fn note_terminal(path: &Path, what: &'static str, say: Say) {
    if path == Path::new("-") && std::io::stdin().is_terminal() {
        say.note(&safe!("reading {} from the terminal; press ctrl-d to finish", what));
    }
}

/// Columns of the terminal that stdout is.
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then(|| size.ws_col.into())
}
