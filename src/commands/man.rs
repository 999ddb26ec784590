//! `hookscope man`: the man pages, generated from the command line, its examples, the keymap and the topics of the help.

mod pages;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use self::pages::ManPage;
use crate::base::files::{self, Existing};
use crate::cli;
use crate::error::{Error, Exit};
use crate::output::Output;

/// Prints hookscope(1), or writes every page to a directory.
pub(super) fn run(directory: Option<&Path>) -> Result<Exit, Error> {
    let root = cli::help::command(Some(80));
    let Some(directory) = directory else {
        return Output::stdout().send(|out| out.raw(pages::main(&root).text.as_bytes())).map(|_reader| Exit::Done);
    };
    fs::create_dir_all(directory).map_err(|error| Error::unwritable(directory, &error))?;
    for ManPage { name, text } in pages::all(&root) {
        let path = directory.join(name);
        write(&path, &text).map_err(|error| Error::unwritable(&path, &error))?;
    }
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let write = |out: &mut dyn Write| out.write_all(text.as_bytes());
    files::write_to(path, Existing::ReplacedShared, write).map(|_| ())
}
