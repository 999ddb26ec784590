//! CSV as RFC 4180 has it: a header, quotes where they are needed, lines that end in CR LF.

use std::io::{self, Write};

use super::{Output, Record, Sheet};
use crate::text::clean;

pub(super) fn header<W: Write, T: Record>(out: &mut Output<W>, sheet: &Sheet<T>) -> io::Result<()> {
    let mut writer = writer(&mut out.writer);
    writer.write_record(sheet.columns.iter().map(|column| column.name)).map_err(io_error)?;
    writer.flush()
}

fn writer<W: Write>(out: W) -> csv::Writer<W> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out)
}

pub(super) fn write<'a, W: Write, T: Record>(
    out: &mut Output<W>,
    sheet: &Sheet<T>,
    records: impl Iterator<Item = &'a T>,
) -> io::Result<()> {
    let terminal = out.terminal;
    let mut writer = writer(&mut out.writer);
    for record in records {
        let cells = sheet.columns.iter().map(|column| {
            let text = (column.text)(record, sheet.view);
            // The true value is for programs; a terminal acts on what it gets.
            let text = if terminal { clean(&text).to_string() } else { text };
            if sheet.raw { text } else { guarded(text) }
        });
        writer.write_record(cells).map_err(io_error)?;
    }
    writer.flush()
}

/// A cell that a spreadsheet would take for a formula, as text. Spreadsheets also trim what stands before the sign, and some
/// read full-width signs.
fn guarded(text: String) -> String {
    let first = text.trim_start().chars().next();
    let runs =
        matches!(first, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')) || text.starts_with(['\t', '\r', '\n']);
    if runs { format!("'{text}") } else { text }
}

/// The cause, so that a closed pipe is told from a full disk.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
            assert_eq!(guarded(cell.to_owned()), format!("'{cell}"));
        }
        for cell in ["", "https://a.com/?a=b", "whk_1", "a-b", "1+1"] {
            assert_eq!(guarded(cell.to_owned()), cell);
        }
    }
}
