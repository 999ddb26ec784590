//! stdout is data, stderr is everything else. Both are written through handles, so that a closed pipe is silence and a full
//! disk is an error instead of a panic.

use std::io::{self, BufWriter, IsTerminal, Write};

use serde::Serialize;

use crate::error::Error;
use crate::text::{Safe, clean, escape_json};

/// Whether anybody still reads the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    Listening,
    /// The pipe was closed: the program ends in silence, and successfully.
    Gone,
}

/// Writes to stdout what `write` produces.
pub fn to_stdout(write: impl FnOnce(&mut Output<BufWriter<io::StdoutLock<'_>>>) -> io::Result<()>) -> Result<Reader, Error> {
    let stdout = io::stdout().lock();
    let terminal = stdout.is_terminal();
    let mut output = Output { writer: BufWriter::new(stdout), terminal };
    // What is still in the buffer counts: a full disk shows at the last flush.
    match write(&mut output).and_then(|()| output.writer.flush()) {
        Ok(()) => Ok(Reader::Listening),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // The writer would try to write the rest again when it is dropped.
            let _unwritten = output.writer.into_parts();
            Ok(Reader::Gone)
        }
        Err(error) => {
            let _unwritten = output.writer.into_parts();
            Err(Error::Output(clean(&error.to_string())))
        }
    }
}

/// Where data goes, and whether that is a terminal.
pub struct Output<W> {
    writer: W,
    terminal: bool,
}

impl<W: Write> Output<W> {
    /// A line for people.
    pub fn line(&mut self, line: &Safe) -> io::Result<()> {
        writeln!(self.writer, "{line}")
    }

    /// One value a line, without the line break: JSON, escaped further when a terminal would act on it.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        if self.terminal {
            let text = serde_json::to_string(value)?;
            return self.writer.write_all(escape_json(&text).as_bytes());
        }
        serde_json::to_writer(&mut self.writer, value)?;
        Ok(())
    }

    /// Fixed text between values.
    pub fn raw(&mut self, text: &'static str) -> io::Result<()> {
        self.writer.write_all(text.as_bytes())
    }
}

/// A message for people. If stderr is gone too, nobody is left to tell.
pub fn message(line: &Safe) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}
