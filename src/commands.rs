//! The commands that need no terminal: one file each, over the same fetching and the same model as the explorer.

mod audit;
mod cache;
mod compare;
pub mod completions;
mod configure;
mod context;
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
mod open;
mod plan;
mod probe;
mod progress;
mod read_all;
mod side;
mod signals;
mod snapshot;
mod watch;
mod workspace;

use std::time::Duration;

use self::context::Context;
pub use self::context::parse_filter;
pub use self::open::connect;
use crate::base::clock;
use crate::cli::{Command, DemoCommand, Global};
use crate::config::{Config, Environment};
use crate::demo::DemoOptions;
use crate::error::{Error, Exit};

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

/// Cleans up after a command that failed, before or while it ran. `env` is `None` if it could not be read.
///
/// # Errors
///
/// The cleanup fails.
pub fn fail(command: &Command, global: &Global, env: Option<&Environment>, why: &Error) -> Result<(), Error> {
    match command {
        Command::Metrics(args) => metrics::write_unread(args, global, env, why),
        _ => Ok(()),
    }
}
