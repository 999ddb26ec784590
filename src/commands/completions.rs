//! `hookscope completions`: shell completions. The scripts ask the program for the candidates of each word, so that profiles,
//! hosts, events and ids are completed too.

mod values;

use std::ffi::OsString;
use std::io;
use std::path::Path;

use clap::Command;
use clap_complete::engine::ArgValueCompleter;
use clap_complete::env::{Bash, CompleteEnv, EnvCompleter, Shells};
use clap_complete::{Shell, env};

use self::values::Values;
use crate::cli;
use crate::error::{Error, Exit};
use crate::output::Output;

/// The variable by which a script asks for candidates. Without it, the program runs as usual.
const VARIABLE: &str = "HOOKSCOPE_COMPLETE";
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

/// Answers a script that asks for candidates. False in every other run.
pub fn answer(words: &[OsString]) -> bool {
    if std::env::var_os(VARIABLE).is_none() {
        return false;
    }
    let directory = std::env::current_dir().ok();
    let environment = CompleteEnv::with_factory(|| command(words)).var(VARIABLE).bin(NAME).completer(NAME).shells(SHELLS);
    // Whatever goes wrong: in the middle of a command line there is no place for a message.
    environment.try_complete(words.iter().cloned(), directory.as_deref()).unwrap_or(true)
}

/// The command line with the candidates of values.
fn command(words: &[OsString]) -> Command {
    let values = Values::new(words);
    add_to(cli::help::command(None), &values, "")
}

/// Adds candidates to the arguments of a command and of those below it.
fn add_to(command: Command, values: &Values, parent: &str) -> Command {
    let name = format!("{parent} {}", command.get_name()).trim_start().to_owned();
    let command = command.mut_args(|arg| match values.of(&name, arg.get_id().as_str()) {
        Some(candidates) => arg.add(ArgValueCompleter::new(candidates)),
        None => arg,
    });
    command.mut_subcommands(|below| add_to(below, values, &name))
}

/// As the library's Bash, with a script that joins the words that Bash splits at `=` and `:`.
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
        Bash.write_complete(command, words, directory, out)
    }
}
