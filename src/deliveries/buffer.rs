//! What is held of a file while it is read: one row, and what was read beyond it.

use std::io::{self, Read};

/// Read at once, in bytes.
const CHUNK: usize = 64 << 10;

/// A window over what is read.
pub(super) struct Buffer<R> {
    reader: R,
    data: Vec<u8>,
    start: usize,
    /// The line that the window starts in, from 1.
    pub(super) line: u64,
    ended: bool,
    /// The most that was held, in bytes.
    pub(super) peak: usize,
}

impl<R: Read> Buffer<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, data: Vec::new(), start: 0, line: 1, ended: false, peak: 0 }
    }

    /// What is read and not consumed.
    pub(super) fn rest(&self) -> &[u8] {
        self.data.get(self.start..).unwrap_or_default()
    }

    /// Reads some more; `false` at the end.
    pub(super) fn more(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.data.drain(..self.start);
        self.start = 0;
        let held = self.data.len();
        self.data.resize(held + CHUNK, 0);
        let room = self.data.get_mut(held..).unwrap_or_default();
        let read = loop {
            match self.reader.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.data.truncate(held + *read.as_ref().unwrap_or(&0));
        self.peak = self.peak.max(self.data.capacity());
        self.ended = read? == 0;
        Ok(!self.ended)
    }

    /// Moves the window on.
    pub(super) fn consume(&mut self, bytes: usize) {
        let passed = self.rest().get(..bytes).unwrap_or(self.rest());
        let lines = memchr::memchr_iter(b'\n', passed).count();
        self.start += passed.len();
        self.line += lines as u64;
    }
}
