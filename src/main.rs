//! Arguments → configuration → explorer or command → exit code. The only place that ends the process.

use std::process::ExitCode;

use clap::Parser;
use hookscope::cli::{Cli, Global};
use hookscope::commands;
use hookscope::config::{Config, Environment};
use hookscope::error::{Error, Exit};
use hookscope::log;
use hookscope::model::Scope;
use hookscope::output::Say;
use hookscope::safe;
use hookscope::text::clean;
use hookscope::tui::{self, Start, console};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain(&error).into(),
    };
    let say = cli.global.say();
    exit_of(run(cli), say).into()
}

/// Prints help, the version, or what is wrong with the command line.
fn explain(error: &clap::Error) -> Exit {
    match error.print() {
        _ if error.use_stderr() => Exit::Usage,
        // Help into a closed pipe is no failure; on a full disk nobody got it.
        Err(why) if why.kind() != std::io::ErrorKind::BrokenPipe => {
            exit_of(Err(Error::Output(clean(&why.to_string()))), Say::Normal)
        }
        _ => Exit::Done,
    }
}

fn exit_of(ended: Result<Exit, Error>, say: Say) -> Exit {
    ended.unwrap_or_else(|error| {
        say.error(&error);
        error.exit()
    })
}

fn run(cli: Cli) -> Result<Exit, Error> {
    let env = Environment::read()?;
    log::start(env.log.as_deref()).map_err(|why| Error::Usage { message: safe!("HOOKSCOPE_LOG: {}", why), advice: None })?;
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
    match &cli.command {
        Some(command) => commands::run(command, &cli.global, env).await,
        None => explore(&cli, env).await,
    }
}

async fn explore(cli: &Cli, env: &Environment) -> Result<Exit, Error> {
    cli.global.check()?;
    let config = Config::load(cli.global.config.as_deref(), env)?;
    // Before anything else happens: a key command, for one.
    console::check(env.term.as_deref()).map_err(|why| Error::NoTerminal { why: why.into() })?;
    let (connection, _demo) = commands::connect(&cli.global, &config, env).await?;
    let start = Start {
        config: &config,
        connection: &connection,
        invocation: invocation(&cli.global),
        env,
        scope: cli.scope.map_or(Scope::All, Scope::from),
        refresh: cli.refresh,
        coloured: cli.global.color.enabled(env.no_color),
    };
    tui::run(start).await
}

/// The options that a command needs to reach the same workspace. What stands in variables is there for the command too.
fn invocation(global: &Global) -> Vec<String> {
    let config = global.config.as_ref().map(|path| path.to_string_lossy().into_owned());
    let named = [("--config", config), ("--profile", global.profile.clone()), ("--base-url", global.base_url.clone())];
    let demo = global.demo.then(|| "--demo".to_owned());
    demo.into_iter().chain(named.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?])).flatten()).collect()
}
