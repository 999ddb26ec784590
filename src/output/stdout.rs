//! stdout: data for programs and people. It is written through a handle, so that a closed pipe ends the program silently and a full
//! disk is an error instead of a panic.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::OFlags;
use serde::Serialize;

use crate::base::text::{Safe, escape_json};
use crate::error::{Error, reason};

/// The state of the pipe that the output goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputState {
    Open,
    /// The pipe was closed: the program ends silently and successfully.
    Closed,
}

/// A destination for data: stdout, or any writer.
pub struct Output<W> {
    pub(super) writer: W,
    terminal: bool,
    closed: bool,
}

/// True if stdout was closed when the program started.
static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Records whether stdout is closed (`>&-`). To be called before `main`: see there.
pub fn look_at_stdout() {
    WAS_CLOSED.store(rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err(), Ordering::Relaxed);
}

/// Returns true if nothing can be written to stdout: it is closed, or open for reading only, in which case writes would seem to
/// succeed.
pub fn is_stdout_closed() -> bool {
    let is_for_reading = |flags: OFlags| flags & OFlags::ACCMODE == OFlags::RDONLY;
    WAS_CLOSED.load(Ordering::Relaxed) || rustix::fs::fcntl_getfl(rustix::stdio::stdout()).is_ok_and(is_for_reading)
}

/// The error of a stdout that is closed.
pub fn closed() -> Error {
    Error::Output("stdout is closed".into())
}

impl Output<BufWriter<io::StdoutLock<'static>>> {
    pub fn stdout() -> Self {
        let stdout = io::stdout().lock();
        let terminal = stdout.is_terminal();
        Self { writer: BufWriter::with_capacity(64 << 10, stdout), terminal, closed: is_stdout_closed() }
    }
}

impl<W: Write> Output<W> {
    /// Output to a writer that is not a terminal.
    pub fn to(writer: W) -> Self {
        Self { writer, terminal: false, closed: false }
    }

    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// The width of the terminal; `None` if the output is not a terminal.
    pub fn terminal_width(&self) -> Option<usize> {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok().filter(|_| self.terminal)?;
        (size.ws_col > 0).then(|| size.ws_col.into())
    }

    /// Runs `write` and flushes, so that a full disk is reported.
    pub fn send(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) -> Result<OutputState, Error> {
        if self.closed {
            return Err(closed());
        }
        match write(self).and_then(|()| self.writer.flush()) {
            Ok(()) => Ok(OutputState::Open),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(OutputState::Closed),
            Err(error) => Err(Error::Output(reason(&error))),
        }
    }

    /// Writes a line.
    pub fn line(&mut self, line: &Safe) -> io::Result<()> {
        writeln!(self.writer, "{line}")
    }

    /// Writes JSON in one line, without the line break, escaped further for a terminal.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        if self.terminal {
            return self.json_text(&serde_json::to_string(value)?);
        }
        serde_json::to_writer(&mut self.writer, value)?;
        Ok(())
    }

    /// Writes text that is JSON already; see [`Output::json`].
    pub fn json_text(&mut self, text: &str) -> io::Result<()> {
        if self.terminal {
            return self.writer.write_all(escape_json(text).as_bytes());
        }
        self.writer.write_all(text.as_bytes())
    }

    /// Writes texts that are JSON already, one per line.
    pub fn json_lines<'a>(&mut self, mut texts: impl Iterator<Item = &'a str>) -> io::Result<()> {
        texts.try_for_each(|text| {
            self.json_text(text)?;
            self.raw(b"\n")
        })
    }

    /// Writes text of the program itself, such as separators or a generated script.
    pub fn raw(&mut self, text: &[u8]) -> io::Result<()> {
        self.writer.write_all(text)
    }
}
