//! Workspaces in files: what `--from` reads, and what `snapshot` writes.
//!
//! A file is read as a stream, a value at a time, so that noise of any size ends at its first wrong byte, and a good file
//! costs no more memory than its rows.

mod lines;

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

pub use self::lines::id_lines;
use crate::api::{self, Page, without_number};
use crate::base::text::{Safe, clean};
use crate::error::{Error, reason};
use crate::model::{self, CanonicalRows, Element, Line, RawFields, Roster, Row, TooDeep, WebhookId, raw_array};
use crate::output::Output;
use crate::safe;

/// The largest single value that is read, in bytes: a webhook, or a whole saved page.
const MAX_VALUE: usize = 64 << 20;

/// Reads a workspace from a file, or from stdin when it is called `-`: an array of webhooks (such as a snapshot), a saved page
/// of the API, or one webhook a line. What is no webhook among them becomes a malformed row.
///
/// # Errors
///
/// What is wrong, with file, line and column.
pub fn read(path: &Path) -> Result<Page, Error> {
    let mut rows = Vec::new();
    let page = read_each(path, |row| rows.push(row))?;
    Ok(Page { rows, ..page })
}

/// As [`read`], as little more than its texts.
pub fn read_roster(path: &Path) -> Result<(Roster, Page<Vec<Line>>), Error> {
    let mut roster = Roster::default();
    let page = read_each(path, |line: Line| roster.push_text(line.id_text(), &line.json))?;
    roster.sort();
    Ok((roster, page))
}

/// As [`read`], handing on each row. The page has everything but them.
fn read_each<E: Element>(path: &Path, mut sink: impl FnMut(E)) -> Result<Page<Vec<E>>, Error> {
    let name = name(path);
    if path == Path::new("-") {
        return read_from(io::stdin().lock(), &name, &mut sink);
    }
    let failed = |error: io::Error| unreadable(&name, &error);
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(Error::Usage { message: safe!("{} is a directory", name), advice: None });
    }
    read_from(file, &name, &mut sink)
}

/// What messages call it.
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

fn read_from<E: Element>(reader: impl Read, name: &Safe, sink: &mut dyn FnMut(E)) -> Result<Page<Vec<E>>, Error> {
    let mut reader = BufReader::with_capacity(64 << 10, reader);
    let head = reader.fill_buf().map_err(|error| unreadable(name, &error))?;
    if head.is_empty() {
        // A terminal would be read once more.
        return Err(wrong(safe!("{}: empty input", name)));
    }
    if head.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    let left = Cell::new(MAX_VALUE);
    let mut reader = Bounded { reader, left: &left };
    let first = first_byte(&mut reader.reader).map_err(|error| unreadable(name, &error))?;
    let rows = match first {
        None => return Err(wrong(safe!("{}: empty input", name))),
        Some(b'[') => read_array(&mut reader, sink),
        Some(_) => return read_objects(&mut reader, name, sink),
    };
    rows.map(whole).map_err(|error| at(name, &error))
}

/// The first byte that is no blank; nothing before it is consumed, so that positions stay true, unless it is long.
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

/// `file:line:column` and what the parser says. It never quotes the file.
fn at(name: &Safe, error: &serde_json::Error) -> Error {
    let what = if error.is_syntax() || error.is_eof() { "not valid JSON: " } else { "" };
    let words = without_number(&error.to_string());
    let words = if error.is_eof() { "it ends early" } else { words.split(" at line ").next().unwrap_or_default() };
    wrong(safe!("{}:{}:{}: {}{}", name, error.line(), error.column(), what, clean(words)))
}

/// All of a listing, of so many rows.
fn whole<E>(rows: u64) -> Page<Vec<E>> {
    Page { number: 1, rows: Vec::new(), reported: None, limit: None, total: Some(rows), total_pages: None, bytes: 0 }
}

/// A reader that gives no more than `left` bytes for one value.
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

/// Returns how many rows there are.
fn read_array<R: Read, E: Element>(reader: &mut Bounded<'_, R>, sink: &mut dyn FnMut(E)) -> Result<u64, serde_json::Error> {
    struct Rows<'a, 's, E>(&'a Cell<usize>, &'s mut dyn FnMut(E));

    impl<'de, E: Element> Visitor<'de> for Rows<'_, '_, E> {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<u64, A::Error> {
            let mut rows = 0;
            while let Some(value) = seq.next_element::<Box<RawValue>>()? {
                (self.1)(row(&value)?);
                rows += 1;
                self.0.set(MAX_VALUE);
            }
            Ok(rows)
        }
    }

    let left = reader.left;
    let mut parser = serde_json::Deserializer::from_reader(reader);
    let rows = parser.deserialize_seq(Rows(left, sink))?;
    parser.end()?;
    Ok(rows)
}

fn row<E: Element, Error: serde::de::Error>(value: &RawValue) -> Result<E, Error> {
    decode(value).map_err(|_too_deep| Error::custom("a webhook is nested too deeply"))
}

/// Nearly every value is a webhook and nothing else, which is read in one go.
fn decode<E: Element>(value: &RawValue) -> Result<E, TooDeep> {
    E::read_plain(&mut serde_json::Deserializer::from_str(value.get())).or_else(|_odd| E::decode(value))
}

/// One object that is a page or a webhook, or several that are webhooks.
fn read_objects<R: Read, E: Element>(
    reader: &mut Bounded<'_, R>,
    name: &Safe,
    sink: &mut dyn FnMut(E),
) -> Result<Page<Vec<E>>, Error> {
    let left = reader.left;
    let mut values = serde_json::Deserializer::from_reader(reader).into_iter::<Box<RawValue>>();
    let mut next = || {
        left.set(MAX_VALUE);
        values.next().transpose().map_err(|error| at(name, &error))
    };
    let Some(first) = next()? else { return Err(wrong(safe!("{}: empty input", name))) };
    let Some(second) = next()? else { return one_object(&first, name, sink) };
    sink(numbered_row(&first, 1, name)?);
    let mut rows = 1;
    let mut value = Some(second);
    while let Some(found) = value {
        rows += 1;
        sink(numbered_row(&found, rows, name)?);
        value = next()?;
    }
    Ok(whole(rows))
}

/// One of several objects, of which the parser knows no place any more.
fn numbered_row<E: Element>(value: &RawValue, number: u64, name: &Safe) -> Result<E, Error> {
    decode(value).map_err(|_too_deep| wrong(safe!("{}: webhook {} is nested too deeply", name, number)))
}

fn one_object<E: Element>(value: &RawValue, name: &Safe, sink: &mut dyn FnMut(E)) -> Result<Page<Vec<E>>, Error> {
    let fields = RawFields::of(value);
    let has_rows = |field| fields.as_ref().and_then(|fields| fields.get(field)).and_then(raw_array).is_some();
    let is_page = has_rows("data") || has_rows("webhooks");
    if !is_page && fields.as_ref().is_some_and(|fields| fields.get("id").is_some()) {
        sink(numbered_row(value, 1, name)?);
        return Ok(whole(1));
    }
    let page =
        api::saved_page(value.get().as_bytes()).map_err(|error| wrong(safe!("{}: {}", name, clean(&error.to_string()))))?;
    let Page { number, rows, reported, limit, total, total_pages, bytes } = page;
    rows.into_iter().map(E::of_row).for_each(sink);
    Ok(Page { number, rows: Vec::new(), reported, limit, total, total_pages, bytes })
}

/// Writes the canonical form: an array, one webhook a line, sorted by id, the fields in one order, so that a difference of two
/// snapshots is what changed and nothing else. What is no webhook comes last. Returns how many lines hold credentials.
pub fn write<W: Write>(out: &mut Output<W>, rows: &[Row], redact: bool) -> io::Result<u64> {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by_cached_key(|row| match row {
        Row::Webhook(webhook) => (false, webhook.id.raw().to_owned()),
        Row::Malformed(malformed) => (true, malformed.json.raw().to_owned()),
    });
    let mut with_credentials = 0;
    out.raw(b"[")?;
    for (i, row) in rows.iter().enumerate() {
        let mut line = row.canonical_json();
        if model::holds_secret(&line) {
            if redact {
                line = model::hash_secrets(&line, row.id().map_or("", WebhookId::raw));
            } else {
                with_credentials += 1;
            }
        }
        out.raw(if i == 0 { b"\n" } else { b",\n" })?;
        out.json_text(&line)?;
    }
    out.raw(if rows.is_empty() { b"]\n" } else { b"\n]\n" })?;
    Ok(with_credentials)
}

/// As [`write()`], to a file that is this program's own.
pub fn write_listing(out: &mut dyn Write, listing: &impl CanonicalRows) -> io::Result<()> {
    let mut malformed: Vec<_> = listing.malformed().collect();
    malformed.sort_unstable();
    let all = listing.by_id().map(|webhook| webhook.json).chain(malformed);
    let mut is_empty = true;
    out.write_all(b"[")?;
    for json in all {
        out.write_all(if is_empty { b"\n" } else { b",\n" })?;
        out.write_all(json.as_bytes())?;
        is_empty = false;
    }
    out.write_all(if is_empty { b"]\n" } else { b"\n]\n" })
}
