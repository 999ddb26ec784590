//! Writes records in the format of a sheet, at once or in parts. A new format is one file and one arm of each `match` here.

use std::io::{self, Write};

use super::record::{Format, Record, SheetEntry};
use super::sheet::Sheet;
use super::stdout::Output;
use super::{csv, json, markdown, table, tsv};

impl<T: Record> Sheet<T> {
    /// Writes a whole document.
    pub fn write<W: Write>(&self, out: &mut Output<W>, entries: &[SheetEntry<T>]) -> io::Result<()> {
        if self.format == Format::Table {
            return table::write(out, self, &records(entries).collect::<Vec<_>>());
        }
        let mut document = self.begin(out)?;
        document.add(entries)?;
        document.end()
    }

    /// Begins a document that is written in parts. A table cannot be: its columns are as wide as their widest cells.
    pub fn begin<'a, W: Write>(&'a self, out: &'a mut Output<W>) -> io::Result<Document<'a, T, W>> {
        match self.format {
            Format::Json => out.raw(b"[")?,
            Format::Csv => csv::header(out, self)?,
            Format::Markdown => markdown::header(out, self)?,
            Format::Ndjson | Format::Ids | Format::Tsv => {}
            Format::Table => return Err(io::Error::other("a table cannot be written in parts")),
        }
        Ok(Document { sheet: self, out, is_empty: true })
    }

    /// Writes entries as JSON, one per line: a part of a document.
    pub fn write_lines<W: Write>(&self, out: &mut Output<W>, entries: &[SheetEntry<T>]) -> io::Result<()> {
        entries.iter().try_for_each(|entry| {
            json::write(out, self, entry)?;
            out.raw(b"\n")
        })
    }
}

/// A document that is being written.
pub struct Document<'a, T: Record, W: Write> {
    sheet: &'a Sheet<T>,
    out: &'a mut Output<W>,
    is_empty: bool,
}

impl<T: Record, W: Write> Document<'_, T, W> {
    /// Writes some more entries.
    pub fn add(&mut self, entries: &[SheetEntry<T>]) -> io::Result<()> {
        let Self { sheet, out, .. } = self;
        match sheet.format {
            Format::Json => {
                for entry in entries {
                    out.raw(if self.is_empty { b"\n" } else { b",\n" })?;
                    json::write(out, sheet, entry)?;
                    self.is_empty = false;
                }
                Ok(())
            }
            Format::Ndjson => sheet.write_lines(out, entries),
            Format::Ids => records(entries).try_for_each(|record| out.line(&record.id())),
            Format::Tsv => tsv::write(out, sheet, records(entries)),
            Format::Csv => csv::write(out, sheet, records(entries)),
            Format::Markdown => markdown::write(out, sheet, records(entries)),
            Format::Table => Ok(()),
        }
    }

    /// Ends the document.
    pub fn end(self) -> io::Result<()> {
        match self.sheet.format {
            Format::Json => self.out.raw(if self.is_empty { b"]\n" } else { b"\n]\n" }),
            _ => Ok(()),
        }
    }
}

fn records<T>(entries: &[SheetEntry<T>]) -> impl Iterator<Item = &T> {
    entries.iter().filter_map(SheetEntry::record)
}
