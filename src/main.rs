//! The entry point: arguments → configuration → explorer or command → exit code. The only place that ends the process.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Command, FromArgMatches};
use hookscope::base::clock::Moment;
use hookscope::base::files;
use hookscope::base::log;
use hookscope::base::text::clean;
use hookscope::cli::{Cli, Global, help, placement, usage};
use hookscope::commands::{self, completions};
use hookscope::config::{Config, Environment, Profiles, WorkspaceOptions};
use hookscope::deliveries;
use hookscope::demo::DemoServer;
use hookscope::error::{Error, Exit};
use hookscope::fetch::{self, Held, Wanted};
use hookscope::model::{Interner, Scope};
use hookscope::output::{self, Verbosity};
use hookscope::safe;
use hookscope::snapshot::{self, FileListing};
use hookscope::tui::terminal::console;
use hookscope::tui::view_kind::View;
use hookscope::tui::workspaces::Workspaces;
use hookscope::tui::{self, Origin, Start};

/// Before `main`, the runtime opens `/dev/null` in place of a closed descriptor, and writes to it seem to succeed. So this
/// is the last chance to detect that stdout is closed.
#[ctor::ctor]
fn look_at_stdout() {
    output::look_at_stdout();
}

fn main() -> ExitCode {
    hide_memory();
    console::restore_on_panic();
    let words: Vec<_> = std::env::args_os().collect();
    if completions::answer(&words) {
        return ExitCode::SUCCESS;
    }
    let command = placement::command();
    let parsed = command.clone().try_get_matches_from(&words).and_then(|found| Ok((Cli::from_arg_matches(&found)?, found)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return explain(&error, &command, &words).into(),
    };
    let say = cli.global.say();
    let exit = exit_of(placement::check(&command, &matches, &words).and_then(|()| run(&cli)), say);
    // Unfinished writes of other threads are abandoned.
    files::remove_unfinished();
    exit.into()
}

/// Keeps the key out of core dumps, before it is read: neither core files nor the kernel's core handler receive it. Child
/// processes also start without core dumps, since they handle keys too, but can raise the limit.
fn hide_memory() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Core).maximum;
    let _as_before = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
    #[cfg(target_os = "linux")]
    let _as_before = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Prints the help, the version, or the error in the command line.
fn explain(error: &clap::Error, root: &Command, words: &[OsString]) -> Exit {
    if error.use_stderr() {
        return exit_of(Err(usage::explain(error, root, words)), Verbosity::Normal);
    }
    if output::is_stdout_closed() {
        return exit_of(Err(output::closed()), Verbosity::Normal);
    }
    // The parsed tree has no examples, since adding them would slow down every start.
    let help =
        if error.kind() == ErrorKind::DisplayHelp { help::command(None).try_get_matches_from(words).err() } else { None };
    match help.as_ref().unwrap_or(error).print() {
        // Help that is cut off by a closed pipe is not an error; a full disk is one.
        Err(why) if why.kind() != std::io::ErrorKind::BrokenPipe => {
            exit_of(Err(Error::Output(clean(&why.to_string()))), Verbosity::Normal)
        }
        _ => Exit::Done,
    }
}

fn exit_of(ended: Result<Exit, Error>, say: Verbosity) -> Exit {
    ended.unwrap_or_else(|error| {
        say.error(&error);
        error.exit()
    })
}

fn run(cli: &Cli) -> Result<Exit, Error> {
    let env = Environment::read();
    let (ended, env) = match env {
        Ok(env) => (start(cli, &env), Some(env)),
        Err(error) => (Err(error.into()), None),
    };
    if let (Err(error), Some(command)) = (&ended, &cli.command) {
        commands::fail(command, &cli.global, env.as_ref(), error).inspect_err(|_| cli.global.say().error(error))?;
    }
    ended
}

/// Longer than the program runs.
const BLOCKING_THREADS_STAY: Duration = Duration::from_hours(24 * 365);

fn start(cli: &Cli, env: &Environment) -> Result<Exit, Error> {
    log::start(env.log.as_deref()).map_err(|why| Error::Usage {
        message: safe!("HOOKSCOPE_LOG: {}", why),
        advice: Some("Correct or unset the variable.".into()),
    })?;
    if cli.command.is_none() {
        console::hold_stops().map_err(|error| Error::start(&error))?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .thread_keep_alive(BLOCKING_THREADS_STAY)
        .build()
        .map_err(|error| Error::start(&error))?;
    // Starts one blocking thread now: if no more threads can be created later, work queues for this one instead of
    // panicking.
    drop(runtime.spawn_blocking(|| ()));
    let exit = runtime.block_on(dispatch(cli, env));
    // A name lookup that hangs must not keep the program from exiting.
    runtime.shutdown_background();
    exit
}

async fn dispatch(cli: &Cli, env: &Environment) -> Result<Exit, Error> {
    match &cli.command {
        Some(command) => commands::run(command, &cli.global, env).await,
        None => Box::pin(explore(cli, env)).await,
    }
}

async fn explore(cli: &Cli, env: &Environment) -> Result<Exit, Error> {
    cli.global.check()?;
    let config = Config::load(cli.global.config.as_deref(), env)?;
    if let Some(text) = &cli.filter {
        commands::parse_filter(text, Moment::now().wall)?;
    }
    if cli.deliveries.as_deref() == Some(Path::new("-")) {
        return Err(Error::Usage {
            message: "--deliveries: the explorer reads keys from stdin, not data".into(),
            advice: Some("Name a file, or use hookscope audit --deliveries -.".into()),
        });
    }
    if let Some(path) = &cli.deliveries {
        deliveries::check(path)?;
    }
    // Before anything else happens, such as a key command.
    console::check(env.term.as_deref()).map_err(|why| Error::NoTerminal { why: why.into() })?;
    let (origin, _demo) = origin(cli, &config, env).await?;
    let profiles = profiles(&cli.global, &config, env, &origin)?;
    let start = Start {
        config: &config,
        origin,
        workspaces: Workspaces::new(profiles, invocation(&cli.global), elsewhere(&cli.global, env)),
        env,
        scope: cli.scope.unwrap_or_default(),
        refresh: cli.refresh,
        filter: cli.filter.clone().unwrap_or_default(),
        view: cli.view.as_deref().and_then(View::named).unwrap_or_default(),
        deliveries: cli.deliveries.clone(),
        coloured: cli.global.color.enabled(env.no_color),
    };
    Box::pin(tui::run(start)).await
}

/// Returns the source of the explorer's webhooks, and the demo server if it is used, which runs until the value is dropped.
async fn origin(cli: &Cli, config: &Config, env: &Environment) -> Result<(Origin, Option<DemoServer>), Error> {
    let Some(path) = &cli.global.from else {
        let (connection, server) = commands::connect(&cli.global, config, env).await?;
        return Ok((Origin::Api(Box::new(connection)), server));
    };
    if path == Path::new("-") {
        return Err(Error::Usage {
            message: "--from: the explorer reads keys from stdin, not data".into(),
            advice: Some("Name a file, or use a command, such as hookscope list --from -.".into()),
        });
    }
    let selection = WorkspaceOptions { profile: cli.global.profile.clone(), base_url: None };
    let (base_url, _) = config.workspace(&selection, env)?.base_url()?;
    let FileListing { rows, numbers } = snapshot::read(path, &Interner::default())?;
    let reading = fetch::check_saved(&rows, numbers, Wanted::all(Scope::All));
    // An incomplete listing must be recognizable.
    let part = if reading.summary.problems.is_empty() { "" } else { " (incomplete)" };
    let name = safe!("{}{}", snapshot::name(path), part);
    Ok((Origin::File { name, rows: Arc::new(Held::new(reading.rows)), base_url }, None))
}

/// The workspaces of the config to switch between; none for the demo or a file.
fn profiles(global: &Global, config: &Config, env: &Environment, origin: &Origin) -> Result<Option<Profiles>, Error> {
    let Origin::Api(start) = origin else { return Ok(None) };
    if global.demo {
        return Ok(None);
    }
    let selection = WorkspaceOptions { profile: global.profile.clone(), base_url: global.base_url.clone() };
    Ok(Some(Profiles::new(config, &selection, env, start)?))
}

/// The start of a command for another workspace: without the variables and options of the initial one.
fn elsewhere(global: &Global, env: &Environment) -> Vec<String> {
    let set = [("DIALNEXA_API_KEY", env.api_key.is_some()), ("DIALNEXA_BASE_URL", env.base_url.is_some())];
    let mut words = Vec::new();
    for (name, _) in set.into_iter().filter(|(_, is_set)| *is_set) {
        if words.is_empty() {
            words.push("env".to_owned());
        }
        words.extend(["-u".to_owned(), name.to_owned()]);
    }
    words.push("hookscope".to_owned());
    if let Some(path) = &global.config {
        words.extend(["--config".to_owned(), path.to_string_lossy().into_owned()]);
    }
    words
}

/// The start of a command for the same workspace. Variables are left out, since the command inherits them.
fn invocation(global: &Global) -> Vec<String> {
    let config = global.config.as_ref().map(|path| path.to_string_lossy().into_owned());
    let from = global.from.as_ref().map(|path| path.to_string_lossy().into_owned());
    let named = [
        ("--config", config),
        ("--from", from),
        ("--profile", global.profile.clone()),
        ("--base-url", global.base_url.clone()),
    ];
    let demo = global.demo.then(|| "--demo".to_owned());
    let words = std::iter::once("hookscope".to_owned()).chain(demo);
    words.chain(named.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?])).flatten()).collect()
}
