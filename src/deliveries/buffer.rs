//! What is held of a file while it is read: one row, and what was read beyond it.

use std::io::{self, Read};

/// The least room for a read, in bytes; the window grows by as much.
const CHUNK: usize = 64 << 10;

/// A window over what is read.
pub(super) struct Buffer<R> {
    reader: R,
    /// What is held stands from `start` to `end`; the rest is room.
    data: Vec<u8>,
    start: usize,
    end: usize,
    /// The line that the window starts in, from 1.
    pub(super) line: u64,
    ended: bool,
}

impl<R: Read> Buffer<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, data: Vec::new(), start: 0, end: 0, line: 1, ended: false }
    }

    /// What is read and not consumed.
    pub(super) fn rest(&self) -> &[u8] {
        self.data.get(self.start..self.end).unwrap_or_default()
    }

    /// The most that was held at once, in bytes.
    pub(super) fn peak(&self) -> usize {
        self.data.len()
    }

    /// Reads some more; `false` at the end.
    pub(super) fn more(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.data.len() - self.end < CHUNK {
            self.data.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.data.len() - self.end < CHUNK {
            self.data.resize(self.data.len() + 2 * CHUNK, 0);
        }
        let room = self.data.get_mut(self.end..).unwrap_or_default();
        let read = loop {
            match self.reader.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.end += read;
        self.ended = read == 0;
        Ok(!self.ended)
    }

    /// Moves the window on.
    pub(super) fn consume(&mut self, bytes: usize) {
        let passed = self.rest().get(..bytes).unwrap_or(self.rest());
        let (bytes, lines) = (passed.len(), memchr::memchr_iter(b'\n', passed).count());
        self.start += bytes;
        self.line += lines as u64;
    }
}
