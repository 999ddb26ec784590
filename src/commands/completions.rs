//! `hookscope completions`: shell completions. The scripts ask the program for the candidates of each word, so that profiles,
//! hosts, events and ids are completed too.

mod values;

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::Command;
use clap_complete::engine::ArgValueCompleter;
use clap_complete::env::{Bash, CompleteEnv, EnvCompleter, Shells};
use clap_complete::{Shell, env};

use self::values::{ValueCandidates, is_harmless};
use crate::cli;
use crate::error::{Error, Exit};
use crate::output::Output;

/// Set by a completion script that requests candidates. Without it, the program runs as usual.
const VARIABLE: &str = "HOOKSCOPE_COMPLETE";
/// Time limit for candidates, so that a file system that hangs does not block the command line.
const PATIENCE: Duration = Duration::from_secs(3);
const NAME: &str = "hookscope";
const SHELLS: Shells<'static> = Shells(&[&JoinedBash, &env::Elvish, &env::Fish, &env::Powershell, &env::Zsh]);

/// Prints the script for a shell.
pub(super) fn script(shell: Shell) -> Result<Exit, Error> {
    let mut script = Vec::new();
    let completer = SHELLS.completer(&shell.to_string()).ok_or_else(|| io::Error::other("unknown shell"));
    let written = completer.and_then(|completer| completer.write_registration(VARIABLE, NAME, NAME, NAME, &mut script));
    written.map_err(|error| Error::start(&error))?;
    Output::stdout().send(|out| out.raw(&script)).map(|_reader| Exit::Done)
}

/// Answers a completion script, which names its shell in `HOOKSCOPE_COMPLETE` and passes the command line after `--`.
/// Returns false in any other run.
pub fn answer(words: &[OsString]) -> bool {
    let shell = std::env::var(VARIABLE).unwrap_or_default();
    if SHELLS.completer(&shell).is_none() || words.get(1).is_none_or(|word| word != "--") {
        return false;
    }
    let words = words.to_vec();
    let (tell, told) = mpsc::channel();
    let answering = thread::Builder::new().spawn(move || {
        let directory = std::env::current_dir().ok();
        let environment = CompleteEnv::with_factory(|| command(&words)).var(VARIABLE);
        let environment = environment.bin(NAME).completer(NAME).shells(SHELLS);
        // Errors are dropped: a message would appear in the middle of the command line.
        drop(environment.try_complete(words.iter().cloned(), directory.as_deref()));
        let _gave_up = tell.send(());
    });
    if answering.is_ok() {
        let _answered = told.recv_timeout(PATIENCE);
    }
    true
}

/// Builds the command line with candidates for its values.
fn command(words: &[OsString]) -> Command {
    let values = ValueCandidates::new(words);
    add_to(cli::help::command(None), &values, "")
}

/// Adds candidates to the arguments of a command and its subcommands.
fn add_to(command: Command, values: &ValueCandidates, parent: &str) -> Command {
    let name = format!("{parent} {}", command.get_name()).trim_start().to_owned();
    let command = command.mut_args(|arg| match values.of(&name, arg.get_id().as_str()) {
        Some(candidates) => arg.add(ArgValueCompleter::new(candidates)),
        None => arg,
    });
    command.mut_subcommands(|below| add_to(below, values, &name))
}

/// The library's Bash completion, with a script that joins the words that Bash splits at `=` and `:`. Bash inserts
/// candidates without quoting, so file names that need quotes are left out.
struct JoinedBash;

impl EnvCompleter for JoinedBash {
    fn name(&self) -> &'static str {
        Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        Bash.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        _name: &str,
        _bin: &str,
        _completer: &str,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        out.write_all(include_str!("completions/hookscope.bash").replace("VARIABLE", variable).as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        directory: Option<&Path>,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let index = std::env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse::<usize>().ok());
        let typed = index.and_then(|index| words.get(index)).map(|word| word.to_string_lossy().into_owned());
        let typed = typed.unwrap_or_default();
        let separator = std::env::var("_CLAP_IFS").ok().filter(|text| !text.is_empty()).unwrap_or_else(|| "\n".into());
        let mut candidates = Vec::new();
        Bash.write_complete(command, words, directory, &mut candidates)?;
        let candidates = String::from_utf8_lossy(&candidates);
        let harmless = |candidate: &&str| is_harmless(candidate.strip_prefix(&*typed).unwrap_or(candidate));
        let kept: Vec<_> = candidates.split(&*separator).filter(harmless).collect();
        out.write_all(kept.join(&separator).as_bytes())
    }
}
