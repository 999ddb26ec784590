//! CSV, by records: RFC 4180 with commas, semicolons or tabs. A quote that is never closed would make one record of the rest
//! of the file; here it costs its own line and no other.

use std::borrow::Cow;
use std::io::{self, Read};

use super::buffer::Buffer;
use super::{Failure, MAX_ROW_BYTES};
use crate::analysis::deliveries::{Field, Reason, Values};
use crate::text::clean_head;

/// Lines that one record may have: error messages have line breaks, but not many.
const MAX_LINES: usize = 1_000;

/// Where in a record the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    FieldStart,
    Plain,
    Quoted,
    /// Behind a quote inside quotes: the end of the field, or the first half of a quote that is meant.
    Quote,
}

impl Place {
    fn next(self, byte: u8, separator: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::Quote,
            (Self::FieldStart | Self::Quote, b'"') | (Self::Quoted, _) => Self::Quoted,
            (_, byte) if byte == separator => Self::FieldStart,
            _ => Self::Plain,
        }
    }
}

/// The columns that mean something.
struct Header {
    separator: u8,
    columns: Vec<Option<Field>>,
}

impl Header {
    /// Reads the first record; the separator is the one with which it makes most sense.
    fn read(record: &[u8]) -> Result<Self, Failure> {
        let with = |separator: u8| {
            let columns = fields(record, separator).map(|name| Field::named(&String::from_utf8_lossy(&name))).collect();
            Self { separator, columns }
        };
        // Of equals the last one is taken, which is the comma.
        let best = [b'\t', b';', b','].map(with).into_iter().max_by_key(Self::known);
        best.filter(|header| Field::suffice(&header.columns.iter().flatten().copied().collect::<Vec<_>>()))
            .ok_or_else(|| Failure::Columns(clean_head(&String::from_utf8_lossy(record), 120)))
    }

    fn known(&self) -> usize {
        self.columns.iter().flatten().count()
    }
}

/// Hands on the values of each record, or why it cannot be had, with the line that it starts in.
pub(super) fn records<R: Read>(
    buffer: &mut Buffer<R>,
    mut each: impl FnMut(u64, Result<&Values<'_>, Reason>),
) -> Result<(), Failure> {
    let mut header: Option<Header> = None;
    loop {
        let separator = header.as_ref().map_or(b',', |header| header.separator);
        let line = buffer.line;
        let found = record(buffer, separator)?;
        let (length, consumed) = match found {
            Found::Nothing => return Ok(()),
            Found::Record { length, consumed } => (length, consumed),
            Found::Broken(reason) => {
                if header.is_none() {
                    return Err(Failure::Columns(reason.explain()));
                }
                each(line, Err(reason));
                continue;
            }
        };
        let bytes = buffer.rest().get(..length).unwrap_or_default();
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if !bytes.trim_ascii().is_empty() {
            match &header {
                None => header = Some(Header::read(bytes)?),
                Some(header) => row(bytes, header, |values| each(line, values)),
            }
        }
        buffer.consume(consumed);
    }
}

fn row(bytes: &[u8], header: &Header, each: impl FnOnce(Result<&Values<'_>, Reason>)) {
    let mut values = Values::default();
    let mut has = 0;
    for field in fields(bytes, header.separator) {
        if let Some(Some(column)) = header.columns.get(has) {
            let text = match field {
                // A wrong encoding costs a few characters, not the row.
                Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
                Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
            };
            if !matches!(&*text, "null" | "NULL" | "None" | "\\N") {
                values.set(*column, text);
            }
        }
        has += 1;
    }
    let header = header.columns.len();
    each(if has == header { Ok(&values) } else { Err(Reason::Fields { has, header }) });
}

/// What the next record is.
enum Found {
    Nothing,
    /// It stands at the start of the window: its bytes, and those up to the next one.
    Record {
        length: usize,
        consumed: usize,
    },
    /// It cannot be had, and is consumed.
    Broken(Reason),
}

/// Looks for the end of the record at the start of the window.
fn record<R: Read>(buffer: &mut Buffer<R>, separator: u8) -> io::Result<Found> {
    let mut place = Place::default();
    let (mut seen, mut lines) = (0, 0);
    loop {
        for &byte in buffer.rest().get(seen..).unwrap_or_default() {
            match byte {
                b'\n' if place != Place::Quoted => return Ok(Found::Record { length: seen, consumed: seen + 1 }),
                b'\n' => lines += 1,
                // It may be a part of the line break.
                b'\r' => {}
                byte => place = place.next(byte, separator),
            }
            if lines > MAX_LINES {
                return skip_line(buffer, Reason::Quote);
            }
            seen += 1;
        }
        if seen > MAX_ROW_BYTES || !buffer.more()? {
            return match place {
                _ if seen == 0 => Ok(Found::Nothing),
                Place::Quoted => skip_line(buffer, Reason::Quote),
                _ if seen > MAX_ROW_BYTES => skip_line(buffer, Reason::TooLong),
                _ => Ok(Found::Record { length: seen, consumed: seen }),
            };
        }
    }
}

/// Consumes up to the end of the line, however long it is.
fn skip_line<R: Read>(buffer: &mut Buffer<R>, reason: Reason) -> io::Result<Found> {
    loop {
        if let Some(at) = memchr::memchr(b'\n', buffer.rest()) {
            let reason = if at > MAX_ROW_BYTES { Reason::TooLong } else { reason };
            buffer.consume(at + 1);
            return Ok(Found::Broken(reason));
        }
        buffer.consume(buffer.rest().len());
        if !buffer.more()? {
            return Ok(Found::Broken(reason));
        }
    }
}

/// The fields of a record, without their quotes.
fn fields(record: &[u8], separator: u8) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let mut rest = Some(record);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut place = Place::default();
        let end = text.iter().position(|&byte| {
            let is_end = byte == separator && place != Place::Quoted;
            place = place.next(byte, separator);
            is_end
        });
        rest = end.and_then(|end| text.get(end + 1..));
        Some(unquoted(text.get(..end.unwrap_or(text.len())).unwrap_or_default()))
    })
}

fn unquoted(field: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = field.strip_prefix(b"\"") else { return Cow::Borrowed(field) };
    if let Some(plain) = inner.strip_suffix(b"\"").filter(|plain| !plain.contains(&b'"')) {
        return Cow::Borrowed(plain);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut place = Place::Quoted;
    for &byte in inner {
        // Quotes are marks, except for the second of a pair, and behind the end of the quoted part.
        if byte != b'"' || matches!(place, Place::Quote | Place::Plain) {
            out.push(byte);
        }
        // No separator can stand here outside of quotes.
        place = place.next(byte, 0);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(record: &str) -> Vec<String> {
        fields(record.as_bytes(), b',').map(|field| String::from_utf8(field.into_owned()).unwrap()).collect()
    }

    #[test]
    fn fields_lose_their_quotes() {
        assert_eq!(split("a,b"), ["a", "b"]);
        assert_eq!(split("\"a,\"\"b\"\"\",\"\",c\"d,"), ["a,\"b\"", "", "c\"d", ""]);
        assert_eq!(split("\"a\nb\"x,\"open"), ["a\nbx", "open"]);
        assert_eq!(split(""), [""]);
    }

    proptest! {
        #[test]
        fn what_a_writer_wrote_is_read(row in proptest::collection::vec("[a-z,\"\n ;é]{0,8}", 1..6)) {
            let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            writer.write_record(&row).unwrap();
            let written = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let mut buffer = Buffer::new(written.as_bytes());
            let Found::Record { length, consumed } = record(&mut buffer, b',').unwrap() else { panic!("no record") };
            prop_assert_eq!(consumed, written.len());
            prop_assert_eq!(split(written.get(..length).unwrap()), row);
        }
    }
}
