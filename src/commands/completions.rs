//! `hookscope completions` and `hookscope man`: generated from the command line that the program really has.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::{Error, Exit};
use crate::output::Output;

/// Prints the completions for a shell.
pub(super) fn script(shell: Shell) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "hookscope", &mut script);
    Output::stdout().send(|out| out.raw(&script)).map(|_reader| Exit::Done)
}

/// Prints the manual page.
pub(super) fn manual() -> Result<Exit, Error> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(|error| Error::start(&error))?;
    Output::stdout().send(|out| out.raw(&page)).map(|_reader| Exit::Done)
}
