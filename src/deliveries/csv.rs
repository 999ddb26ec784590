//! Rows of a CSV file with a header: RFC 4180 with commas, semicolons or tabs. `csv_core` splits each record. A quote that
//! is never closed would turn the rest of the file into one record; here only its own line is lost. Start at [`records`].

use std::borrow::Cow;
use std::io::{self, Read};

use csv_core::{ReadRecordResult, ReaderBuilder, Terminator};

use super::attempt_fields::{AttemptField, AttemptFields};
use super::problem::{ExportError, TOO_LONG, UNCLOSED_QUOTE};
use super::window::{MAX_ROW_BYTES, ReadWindow, RowEnd, line_end};
use crate::base::text::{Safe, clean_head};
use crate::safe;

/// The most lines of one record. Error messages have line breaks, but not many.
const MAX_LINES: usize = 1_000;

/// Reads each record after the header. Rows come with their line, from 1.
pub(super) fn records<R: Read>(
    window: &mut ReadWindow<R>,
    mut each: impl FnMut(u64, Result<AttemptFields<'_>, Safe>),
) -> Result<(), ExportError> {
    let (mut splitter, columns) = header(window)?;
    while window.skip(|bytes| bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')))? {
        let line = window.line;
        match splitter.split(window)? {
            Err(why) => each(line, Err(why)),
            Ok(length) => {
                if !window.head(length).trim_ascii().is_empty() {
                    each(line, fields(&splitter, &columns));
                }
                window.consume(length);
            }
        }
    }
    Ok(())
}

/// Reads the header. The separator is the one that finds the most known fields.
fn header<R: Read>(window: &mut ReadWindow<R>) -> Result<(RecordSplitter, Vec<Option<AttemptField>>), ExportError> {
    let length = RecordSplitter::new(b',').split(window)?.map_err(ExportError::Columns)?;
    let record = window.head(length);
    let known = |separator: &u8| {
        let names = record.split(|byte| byte == separator).map(String::from_utf8_lossy);
        names.filter(|name| AttemptField::named(name).is_some()).count()
    };
    // Of several that are equally good, the last is used.
    let separator = [b'\t', b';', b','].into_iter().max_by_key(known).unwrap_or(b',');
    let quoted = clean_head(String::from_utf8_lossy(record).trim(), 120);
    let mut splitter = RecordSplitter::new(separator);
    let length = splitter.split(window)?.map_err(ExportError::Columns)?;
    let columns: Vec<_> = splitter.fields().map(|name| AttemptField::named(&name)).collect();
    if !AttemptField::suffice(&columns) {
        return Err(ExportError::Columns(quoted));
    }
    window.consume(length);
    Ok((splitter, columns))
}

fn fields<'a>(record: &'a RecordSplitter, columns: &[Option<AttemptField>]) -> Result<AttemptFields<'a>, Safe> {
    if record.field_count != columns.len() {
        return Err(safe!("{} fields, but the header has {}", record.field_count, columns.len()));
    }
    let mut fields = AttemptFields::default();
    for (column, text) in columns.iter().zip(record.fields()) {
        if let Some(field) = column
            && !matches!(text.trim(), "null" | "NULL" | "None" | "\\N")
        {
            fields.set(*field, text);
        }
    }
    Ok(fields)
}

/// Splits one record at a time into fields without quotes.
struct RecordSplitter {
    core: csv_core::Reader,
    /// The fields, one after the other, and the ends of the first `field_count` of them.
    text: Vec<u8>,
    text_length: usize,
    ends: Vec<usize>,
    field_count: usize,
}

impl RecordSplitter {
    fn new(separator: u8) -> Self {
        let core = ReaderBuilder::new().delimiter(separator).terminator(Terminator::Any(b'\n')).build();
        Self { core, text: vec![0; 1 << 10], text_length: 0, ends: vec![0; 32], field_count: 0 }
    }

    /// Splits the record at the start of the window, and returns its length. Of a record without an end, the first line is
    /// consumed.
    fn split<R: Read>(&mut self, window: &mut ReadWindow<R>) -> io::Result<Result<usize, Safe>> {
        self.core.reset();
        (self.text_length, self.field_count) = (0, 0);
        let end = match window.find(|bytes| self.feed(bytes))? {
            RowEnd::At(length) => Some(length),
            // A line break ends the record, unless a quote is open.
            RowEnd::EndOfFile => self.feed(b"\n").map(|_| window.rest().len()),
            RowEnd::TooLong => None,
        };
        let is_short = |length: &usize| memchr::memchr_iter(b'\n', window.head(*length)).count() <= MAX_LINES;
        if let Some(length) = end.filter(is_short) {
            return Ok(Ok(length));
        }
        let first_line = line_end(window.rest()).unwrap_or(window.rest().len());
        window.skip(line_end)?;
        Ok(Err(if first_line > MAX_ROW_BYTES { TOO_LONG } else { UNCLOSED_QUOTE }.into()))
    }

    /// Splits more of the record, and returns the number of bytes up to its end.
    fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut used = 0;
        loop {
            // Without input, the splitter would assume the end of the file.
            let rest = bytes.get(used..).filter(|rest| !rest.is_empty())?;
            let text = self.text.get_mut(self.text_length..).unwrap_or_default();
            let ends = self.ends.get_mut(self.field_count..).unwrap_or_default();
            let (result, read, written, fields) = self.core.read_record(rest, text, ends);
            used += read;
            self.text_length += written;
            self.field_count += fields;
            match result {
                ReadRecordResult::Record => return Some(used),
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return None,
            }
        }
    }

    /// The fields of the record that was split. Invalid UTF-8 loses a few characters, not the row.
    fn fields(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let places = starts.zip(&self.ends).take(self.field_count);
        places.map(|(&start, &end)| String::from_utf8_lossy(self.text.get(start..end).unwrap_or_default()))
    }
}
