//! Arguments → configuration → explorer or command → exit code. The only place that ends the process.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use hookscope::cli::{Cli, Command, DemoCommand, Global};
use hookscope::commands::{configure, demo_serve, doctor, list, start_demo};
use hookscope::config::{Config, Environment, Selection};
use hookscope::demo;
use hookscope::error::{Error, Exit};
use hookscope::fetch::Limit;
use hookscope::model::Scope;
use hookscope::output;
use hookscope::tui::{self, Start, console};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            // Help into a closed pipe is no failure.
            drop(error.print());
            return exit.into();
        }
    };
    let exit = run(cli).unwrap_or_else(|error| {
        error.lines().iter().for_each(output::message);
        error.exit()
    });
    exit.into()
}

fn run(cli: Cli) -> Result<Exit, Error> {
    let env = Environment::read()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Error::start(&error))?;
    let exit = runtime.block_on(dispatch(cli, &env));
    // A name lookup that hangs must not keep the program from ending.
    runtime.shutdown_background();
    exit
}

async fn dispatch(cli: Cli, env: &Environment) -> Result<Exit, Error> {
    if let Some(Command::Demo { command: DemoCommand::Serve { webhooks, latency, port } }) = cli.command {
        return demo_serve::run(demo::Options { webhooks, latency: Duration::from_millis(latency), port }).await;
    }
    match &cli.command {
        Some(Command::Doctor) => return doctor::run(&cli.global, env).await,
        Some(Command::Config { command }) => return configure::run(command, &cli.global, env).await,
        _ => {}
    }
    let config = Config::load(cli.global.config.as_deref(), env)?;
    if cli.command.is_none() {
        // Before anything else happens: a key command, for one.
        console::check(env.term.as_deref()).map_err(|why| Error::NoTerminal { why: why.into() })?;
    }
    let demo = if cli.global.demo { Some(start_demo().await?) } else { None };
    let invocation = invocation(&cli.global);
    let mut connection = match &demo {
        Some((_, connection)) => connection.clone(),
        None => {
            let selection = Selection { profile: cli.global.profile, base_url: cli.global.base_url };
            config.connection(&selection, env).await?
        }
    };
    if let Some(seconds) = cli.global.timeout {
        connection.api.timeout = Duration::from_secs(seconds);
    }
    match cli.command {
        Some(Command::List(args)) => {
            let limit = args.limit.map_or(Limit::Everything, Limit::Rows);
            list::run(
                &connection,
                list::Request {
                    scope: Scope::from(args.scope),
                    limit,
                    format: args.output.format.unwrap_or(hookscope::cli::Format::Tsv),
                },
            )
            .await
        }
        Some(_) => Ok(Exit::Done),
        None => {
            let start = Start {
                config: &config,
                connection: &connection,
                invocation,
                env,
                scope: cli.scope.map_or(Scope::All, Scope::from),
                refresh: cli.refresh,
                coloured: cli.global.color.enabled(env.no_color),
            };
            tui::run(start).await
        }
    }
}

/// The options that a command needs to reach the same workspace. What stands in variables is there for the command too.
fn invocation(global: &Global) -> Vec<String> {
    let config = global.config.as_ref().map(|path| path.to_string_lossy().into_owned());
    let named = [("--config", config), ("--profile", global.profile.clone()), ("--base-url", global.base_url.clone())];
    let demo = global.demo.then(|| "--demo".to_owned());
    demo.into_iter().chain(named.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?])).flatten()).collect()
}
