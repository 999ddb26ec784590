//! CSV as RFC 4180 has it: a header, quotes where they are needed, lines that end in CR LF.

use std::io::{self, Write};

use super::record::Record;
use super::sheet::{Cells, Sheet};
use super::stdout::Output;
use crate::base::text::clean;

pub(super) fn header<W: Write, T: Record>(out: &mut Output<W>, sheet: &Sheet<T>) -> io::Result<()> {
    if sheet.cells == Cells::Excel {
        // Without it, Excel reads UTF-8 as the code page of the country.
        out.writer.write_all("\u{feff}".as_bytes())?;
    }
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
    let terminal = out.is_terminal();
    let mut writer = writer(&mut out.writer);
    for record in records {
        let cells = sheet.columns.iter().map(|column| {
            let value = (column.value)(record, sheet.now);
            // A terminal must not interpret the value.
            let text = if terminal { clean(&value.text()).to_string() } else { value.text().into_owned() };
            match sheet.cells {
                Cells::Excel if !column.right && looks_like_number(&text) => format!("=\"{text}\""),
                Cells::Excel | Cells::Guarded => guarded(text),
                Cells::Raw => text,
            }
        });
        writer.write_record(cells).map_err(io_error)?;
    }
    writer.flush()
}

/// Returns true if Excel would show the text as a number or a date: `007`, `12345678901234567890`, `1e5`, `3-4`. A formula that is a text
/// in quotes is shown as it is.
fn looks_like_number(text: &str) -> bool {
    let is_of_number =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b',' | b'/' | b':' | b'%' | b' ');
    let is_of_number = |byte: u8| is_of_number(byte) || matches!(byte, b'e' | b'E');
    text.bytes().all(is_of_number) && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// A cell that a spreadsheet would take for a formula, as text. Spreadsheets also trim text before the sign, and some read
/// full-width signs.
fn guarded(text: String) -> String {
    let first = text.trim_start().chars().next();
    let runs =
        matches!(first, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')) || text.starts_with(['\t', '\r', '\n']);
    if runs { format!("'{text}") } else { text }
}

/// Unwraps the cause, to tell a closed pipe from a full disk.
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
    fn what_excel_would_take_for_a_number_is_known() {
        for text in ["7", "007", "12345678901234567890", "1e5", "3E10", "3-4", "1/2", "1.5", "-1", "12:30", "50%", " 7"] {
            assert!(looks_like_number(text), "{text}");
        }
        for text in ["", "e", "-", "whk_1", "a1", "1a", "2024-04-01T08:00:00.000Z", "call.failed", "1\"", "٣"] {
            assert!(!looks_like_number(text), "{text}");
        }
    }

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
