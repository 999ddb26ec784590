//! JSON: a record with its default fields or the chosen ones; a malformed row as received.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::record::{CellValue, Record, SheetEntry};
use super::sheet::Sheet;
use super::stdout::Output;

pub(super) fn write<W: Write, T: Record>(out: &mut Output<W>, sheet: &Sheet<T>, entry: &SheetEntry<T>) -> io::Result<()> {
    match entry {
        SheetEntry::Malformed(row) => out.json_text(&row.row().json()),
        SheetEntry::Record(record) => match record.json().filter(|_| !sheet.has_chosen_columns) {
            Some(json) => out.json_text(&json),
            None => out.json(&RecordFields { record, sheet }),
        },
    }
}

/// A record as an object of its columns.
struct RecordFields<'a, T: Record> {
    record: &'a T,
    sheet: &'a Sheet<T>,
}

impl<T: Record> Serialize for RecordFields<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for column in &self.sheet.columns {
            let value = (column.value)(self.record, self.sheet.now);
            if value != CellValue::Missing {
                map.serialize_entry(column.name, &value)?;
            }
        }
        map.end()
    }
}
