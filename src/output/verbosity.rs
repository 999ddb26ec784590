//! Messages on stderr, by verbosity.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use crate::base::text::Safe;
use crate::error::Error;
use crate::safe;

/// Prints a message on stderr. If stderr is closed too, nothing can be reported.
pub fn message(line: &Safe) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// The verbosity of messages on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verbosity {
    /// Only errors and problems that affect the exit code.
    Quiet,
    #[default]
    Normal,
    Verbose,
}

impl Verbosity {
    /// Prints a problem that affects the exit code, even with `--quiet`.
    pub fn problem(self, line: &Safe) {
        message(&safe!("hookscope: {}", line));
    }

    /// Prints a note, unless `--quiet`.
    pub fn note(self, line: &Safe) {
        if self != Self::Quiet {
            message(&safe!("hookscope: {}", line));
        }
    }

    /// Prints a note only on a terminal, where the program could seem to hang.
    pub fn note_at_terminal(self, line: &Safe) {
        if io::stderr().is_terminal() {
            self.note(line);
        }
    }

    /// Notes that stdin is a terminal, where the program waits for input.
    pub fn note_stdin_terminal(self, path: &Path, content: &'static str) {
        if path == Path::new("-") && io::stdin().is_terminal() {
            self.note(&safe!("reading {} from the terminal; press ctrl-d to finish", content));
        }
    }

    /// Prints a detail for troubleshooting, with `--verbose`.
    pub fn detail(self, line: &Safe) {
        if self == Self::Verbose {
            message(&safe!("hookscope: {}", line));
        }
    }

    /// Prints an error (what, where, what to do), with its causes if `--verbose`.
    pub fn error(self, error: &Error) {
        tracing::error!("{error}");
        error.lines().iter().for_each(message);
        if self == Self::Verbose {
            error.causes().iter().for_each(|cause| message(&safe!("  caused by: {}", cause)));
        }
    }
}
