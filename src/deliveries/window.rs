//! A window over a file as it is read: the current row, and the bytes read beyond it. Uses the standard library only; start
//! at [`ReadWindow::find`].

use std::io::{self, Read};

/// The longest row that is read, in bytes. A longer one is malformed, and is not held as a whole.
pub(super) const MAX_ROW_BYTES: usize = 1 << 20;

/// The least free space for a read, in bytes.
const CHUNK: usize = 64 << 10;

pub(super) struct ReadWindow<R> {
    reader: R,
    /// The window is `start..end`; the bytes after it are free space for the next read.
    data: Vec<u8>,
    start: usize,
    end: usize,
    /// The line that the window starts in, from 1.
    pub(super) line: u64,
    is_at_end: bool,
}

/// The end of the row at the start of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowEnd {
    /// After this many bytes, which include the one that ends the row.
    At(usize),
    EndOfFile,
    /// Beyond [`MAX_ROW_BYTES`].
    TooLong,
}

impl<R: Read> ReadWindow<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, data: Vec::new(), start: 0, end: 0, line: 1, is_at_end: false }
    }

    /// Bytes that were read and are not consumed.
    pub(super) fn rest(&self) -> &[u8] {
        self.data.get(self.start..self.end).unwrap_or_default()
    }

    /// The first bytes of the window.
    pub(super) fn head(&self, bytes: usize) -> &[u8] {
        self.rest().get(..bytes).unwrap_or(self.rest())
    }

    /// The most bytes that were held at once.
    pub(super) fn peak(&self) -> usize {
        self.data.len()
    }

    /// Reads more bytes; `false` at the end of the file.
    pub(super) fn more(&mut self) -> io::Result<bool> {
        if self.is_at_end {
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
        self.is_at_end = read == 0;
        Ok(!self.is_at_end)
    }

    /// Moves the start of the window.
    pub(super) fn consume(&mut self, bytes: usize) {
        let passed = self.head(bytes);
        let (bytes, lines) = (passed.len(), memchr::memchr_iter(b'\n', passed).count());
        self.start += bytes;
        self.line += lines as u64;
    }

    /// Reads until `scan` finds the end of the row. `scan` gets each byte once, and returns the number of bytes up to the
    /// end.
    pub(super) fn find(&mut self, mut scan: impl FnMut(&[u8]) -> Option<usize>) -> io::Result<RowEnd> {
        let mut seen = 0;
        loop {
            let fresh = self.rest().get(seen..).unwrap_or_default();
            let end = scan(fresh);
            seen += end.unwrap_or(fresh.len());
            if seen > MAX_ROW_BYTES {
                return Ok(RowEnd::TooLong);
            }
            if end.is_some() {
                return Ok(RowEnd::At(seen));
            }
            if !self.more()? {
                return Ok(RowEnd::EndOfFile);
            }
        }
    }

    /// Consumes up to the end that `scan` finds, without a limit; `false` if the file ends before.
    pub(super) fn skip(&mut self, mut scan: impl FnMut(&[u8]) -> Option<usize>) -> io::Result<bool> {
        loop {
            let end = scan(self.rest());
            self.consume(end.unwrap_or(usize::MAX));
            if end.is_some() {
                return Ok(true);
            }
            if !self.more()? {
                return Ok(false);
            }
        }
    }
}

/// A scan for the end of a line.
pub(super) fn line_end(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(b'\n', bytes).map(|at| at + 1)
}

/// A scan for the first byte that is not white space.
pub(super) fn blank_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| !byte.is_ascii_whitespace())
}
