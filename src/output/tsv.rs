//! Tab-separated values for pipes: no header, one record per line, true values without masking.

use std::io::{self, Write};

use super::record::Record;
use super::sheet::Sheet;
use super::stdout::Output;
use crate::base::text::{Safe, clean};
use crate::safe;

pub(super) fn write<'a, W: Write, T: Record>(
    out: &mut Output<W>,
    sheet: &Sheet<T>,
    records: impl Iterator<Item = &'a T>,
) -> io::Result<()> {
    for record in records {
        let mut line = Safe::default();
        for (i, column) in sheet.columns.iter().enumerate() {
            if i > 0 {
                line.push(&safe!("\t"));
            }
            // Tabs and line breaks inside a value become marks here.
            line.push(&clean(&(column.value)(record, sheet.now).text()));
        }
        out.line(&line)?;
    }
    Ok(())
}
