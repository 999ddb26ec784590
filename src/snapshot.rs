//! Workspaces in files: input for `--from`, output of `snapshot`.
//!
//! A file is read as a stream, one value at a time, so that invalid input of any size ends at its first wrong byte, and a
//! valid file needs no more memory than its rows.

mod lines;

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

pub use self::lines::id_lines;
use crate::api::{self, Page, PageNumbers, without_number};
use crate::base::text::{Safe, clean};
use crate::error::{Error, reason};
use crate::model::{self, Interner, RawFields, RowRef, Rows, RowsBuilder, raw_array};
use crate::output::Output;
use crate::safe;

/// The rows per page of a listing read from a file.
pub const STORED_PAGE: u64 = 1_000;

/// The largest single value that is read, in bytes: a webhook, or a whole saved page.
const MAX_VALUE: usize = 64 << 20;

/// A listing read from a file.
#[derive(Debug, Clone)]
pub struct FileListing {
    pub rows: Rows,
    /// For all rows together. A saved page may claim more rows than it has.
    pub numbers: PageNumbers,
}

impl FileListing {
    /// A listing without any sign that it is incomplete.
    pub fn whole(rows: Rows) -> Self {
        let count = rows.count();
        Self { numbers: PageNumbers { number: 1, rows: count, total: Some(count), ..PageNumbers::default() }, rows }
    }
}

/// Reads a workspace from a file, or from stdin if the path is `-`: an array of webhooks (such as a snapshot), a saved page
/// of the API, or one webhook per line. Invalid webhooks become malformed rows.
///
/// # Errors
///
/// The file is not valid. The message has the file, line and column.
pub fn read(path: &Path, interner: &Interner) -> Result<FileListing, Error> {
    read_in_pages(path, interner, STORED_PAGE)
}

/// As [`read`], with this many rows per page.
///
/// # Errors
///
/// As [`read`].
pub fn read_in_pages(path: &Path, interner: &Interner, page_size: u64) -> Result<FileListing, Error> {
    let rows = RowsBuilder::new(interner, page_size);
    let name = name(path);
    if path == Path::new("-") {
        return read_from(io::stdin().lock(), &name, rows);
    }
    let failed = |error: io::Error| unreadable(&name, &error);
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(Error::Usage { message: safe!("{} is a directory", name), advice: None });
    }
    read_from(file, &name, rows)
}

/// The name of the file in messages.
pub fn name(path: &Path) -> Safe {
    if path == Path::new("-") { "stdin".into() } else { clean(&path.to_string_lossy()) }
}

fn wrong(message: Safe) -> Error {
    let advice = "Expected: a snapshot, a JSON array of webhooks, a saved page of the API, or one webhook per line.";
    Error::Usage { message, advice: Some(advice.into()) }
}

fn unreadable(name: &Safe, error: &io::Error) -> Error {
    Error::Usage { message: safe!("cannot read {}: {}", name, reason(error)), advice: None }
}

fn read_from(reader: impl Read, name: &Safe, mut rows: RowsBuilder) -> Result<FileListing, Error> {
    let mut reader = BufReader::with_capacity(64 << 10, reader);
    let head = reader.fill_buf().map_err(|error| unreadable(name, &error))?;
    if head.is_empty() {
        // Reading a terminal again would wait for more input.
        return Err(wrong(safe!("{}: empty input", name)));
    }
    if head.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    let left = Cell::new(MAX_VALUE);
    let mut reader = Bounded { reader, left: &left };
    let first = first_byte(&mut reader.reader).map_err(|error| unreadable(name, &error))?;
    match first {
        None => Err(wrong(safe!("{}: empty input", name))),
        Some(b'[') => {
            read_array(&mut reader, &mut rows).map_err(|error| at(name, &error))?;
            Ok(FileListing::whole(rows.finish()))
        }
        Some(_) => read_objects(&mut reader, name, rows),
    }
}

/// Returns the first byte that is not white space. White space before it is not consumed, so that positions stay correct,
/// unless it fills the buffer.
fn first_byte(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        if let Some(&byte) = buffer.iter().find(|byte| !byte.is_ascii_whitespace()) {
            return Ok(Some(byte));
        }
        let blanks = buffer.len();
        reader.consume(blanks);
    }
}

/// The error at `file:line:column`, with the parser's message. It never quotes the file.
fn at(name: &Safe, error: &serde_json::Error) -> Error {
    let what = if error.is_syntax() || error.is_eof() { "not valid JSON: " } else { "" };
    let words = without_number(&error.to_string());
    let words = if error.is_eof() { "it ends early" } else { words.split(" at line ").next().unwrap_or_default() };
    wrong(safe!("{}:{}:{}: {}{}", name, error.line(), error.column(), what, clean(words)))
}

/// A reader that returns at most `left` bytes per value.
struct Bounded<'a, R> {
    reader: R,
    left: &'a Cell<usize>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        match self.left.get().checked_sub(count) {
            Some(left) => self.left.set(left),
            None => return Err(io::Error::other("a single value is larger than 64 MiB")),
        }
        Ok(count)
    }
}

fn read_array<R: Read>(reader: &mut Bounded<'_, R>, rows: &mut RowsBuilder) -> Result<(), serde_json::Error> {
    struct Elements<'a>(&'a Cell<usize>, &'a mut RowsBuilder);

    impl<'de> Visitor<'de> for Elements<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
            while let Some(value) = seq.next_element::<Box<RawValue>>()? {
                self.1.push(&value).map_err(|_too_deep| A::Error::custom("a webhook is nested too deeply"))?;
                self.0.set(MAX_VALUE);
            }
            Ok(())
        }
    }

    let left = reader.left;
    let mut parser = serde_json::Deserializer::from_reader(reader);
    parser.deserialize_seq(Elements(left, rows))?;
    parser.end()
}

/// Reads one object that is a page or a webhook, or several that are webhooks.
fn read_objects<R: Read>(reader: &mut Bounded<'_, R>, name: &Safe, mut rows: RowsBuilder) -> Result<FileListing, Error> {
    let left = reader.left;
    let mut values = serde_json::Deserializer::from_reader(reader).into_iter::<Box<RawValue>>();
    let mut next = || {
        left.set(MAX_VALUE);
        values.next().transpose().map_err(|error| at(name, &error))
    };
    let Some(first) = next()? else { return Err(wrong(safe!("{}: empty input", name))) };
    let mut value = next()?;
    if value.is_none() {
        return one_object(&first, name, rows);
    }
    push_numbered(&mut rows, &first, 1, name)?;
    let mut number = 1;
    while let Some(found) = value {
        number += 1;
        push_numbered(&mut rows, &found, number, name)?;
        value = next()?;
    }
    Ok(FileListing::whole(rows.finish()))
}

/// Adds one of several objects. The parser does not know their positions in the file.
fn push_numbered(rows: &mut RowsBuilder, value: &RawValue, number: u64, name: &Safe) -> Result<(), Error> {
    rows.push(value).map_err(|_too_deep| wrong(safe!("{}: webhook {} is nested too deeply", name, number)))
}

fn one_object(value: &RawValue, name: &Safe, mut rows: RowsBuilder) -> Result<FileListing, Error> {
    let fields = RawFields::of(value);
    let has_rows = |field| fields.as_ref().and_then(|fields| fields.get(field)).and_then(raw_array).is_some();
    let is_page = has_rows("data") || has_rows("webhooks");
    if !is_page && fields.as_ref().is_some_and(|fields| fields.get("id").is_some()) {
        push_numbered(&mut rows, value, 1, name)?;
        return Ok(FileListing::whole(rows.finish()));
    }
    let Page { numbers, rows } = api::saved_page(value.get().as_bytes(), rows.interner())
        .map_err(|error| wrong(safe!("{}: {}", name, clean(&error.to_string()))))?;
    Ok(FileListing { rows: [rows].into_iter().collect(), numbers })
}

/// Writes the canonical form: an array, one webhook per line, sorted by id, with the fields in one order, so that two
/// snapshots differ only where webhooks do. Malformed rows come last. Returns the number of lines with credentials.
pub fn write<W: Write>(out: &mut Output<W>, rows: &Rows, redact: bool) -> io::Result<u64> {
    let mut with_credentials = 0;
    write_lines(rows, &mut |separator, row| {
        let mut line = row.canonical_json();
        if model::holds_secret(&line) {
            if redact {
                line = model::hash_secrets(&line, row.id()).into();
            } else {
                with_credentials += 1;
            }
        }
        out.raw(separator)?;
        out.json_text(&line)
    })?;
    out.raw(if rows.is_empty() { b"[]\n" } else { b"\n]\n" })?;
    Ok(with_credentials)
}

/// As [`write()`], to a file of the history.
pub fn write_listing(out: &mut dyn Write, rows: &Rows) -> io::Result<()> {
    write_lines(rows, &mut |separator, row| {
        out.write_all(separator)?;
        out.write_all(row.canonical_json().as_bytes())
    })?;
    out.write_all(if rows.is_empty() { b"[]\n" } else { b"\n]\n" })
}

/// Passes each row to `write` in the order of snapshots, with the separator before it.
fn write_lines(rows: &Rows, write: &mut dyn FnMut(&[u8], RowRef<'_>) -> io::Result<()>) -> io::Result<()> {
    let (mut sorted, malformed): (Vec<RowRef<'_>>, Vec<RowRef<'_>>) =
        rows.iter().map(|(_, row)| row).partition(|row| row.is_webhook());
    sorted.sort_by_key(|row| row.id());
    let mut malformed: Vec<_> = malformed.into_iter().map(|row| (row.json(), row)).collect();
    malformed.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut separator: &[u8] = b"[\n";
    for row in sorted.into_iter().chain(malformed.into_iter().map(|(_, row)| row)) {
        write(separator, row)?;
        separator = b",\n";
    }
    Ok(())
}
