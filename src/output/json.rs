//! JSON: one array, or one value a line.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Column, Entry, Output, Record, View};

/// One value a line.
pub(super) fn lines<W: Write>(out: &mut Output<W>, elements: impl Iterator<Item = impl Serialize>) -> io::Result<()> {
    for element in elements {
        out.json(&element)?;
        out.raw(b"\n")?;
    }
    Ok(())
}

/// An entry with all of its fields, or with the chosen ones. What is no record is passed as it came in both cases.
pub(super) struct Fields<'a, T: 'static> {
    pub(super) entry: &'a Entry<T>,
    pub(super) columns: Option<&'a Vec<&'static Column<T>>>,
    pub(super) view: View,
}

impl<T: Record> Serialize for Fields<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (Entry::Record(record), Some(columns)) = (self.entry, self.columns) else {
            return self.entry.serialize(serializer);
        };
        let mut map = serializer.serialize_map(None)?;
        for column in columns {
            if let Some(value) = (column.json)(record, self.view) {
                map.serialize_entry(column.name, &value)?;
            }
        }
        map.end()
    }
}
