//! Rows of a JSON array, or one JSON object per line. `serde_json` parses each row; this file finds the end of a row, so
//! that only one is held at a time and a malformed one does not affect others. Start at [`lines`] and [`elements`].

use std::borrow::Cow;
use std::io::{self, Read};

use serde_json::value::RawValue;

use super::attempt_fields::{AttemptField, AttemptFields};
use super::problem::{TOO_LONG, UNCLOSED_QUOTE};
use super::window::{ReadWindow, RowEnd, blank_end, line_end};
use crate::base::text::{Safe, clean_head};
use crate::model::RawFields;
use crate::safe;

/// Reads the object of each line that is not blank. Rows come with their line, from 1.
pub(super) fn lines<R: Read>(
    window: &mut ReadWindow<R>,
    mut each: impl FnMut(u64, Result<AttemptFields<'_>, Safe>),
) -> io::Result<()> {
    while window.skip(blank_end)? {
        let line = window.line;
        let length = match window.find(line_end)? {
            RowEnd::At(length) => length,
            RowEnd::EndOfFile => window.rest().len(),
            RowEnd::TooLong => {
                each(line, Err(TOO_LONG.into()));
                window.skip(line_end)?;
                continue;
            }
        };
        let row = window.head(length);
        each(line, fields(&String::from_utf8_lossy(row.strip_suffix(b"\n").unwrap_or(row))));
        window.consume(length);
    }
    Ok(())
}

/// Reads each element of an array after its opening bracket; `false` if the file ends before the array does.
pub(super) fn elements<R: Read>(
    window: &mut ReadWindow<R>,
    mut each: impl FnMut(u64, Result<AttemptFields<'_>, Safe>),
) -> io::Result<bool> {
    while window.skip(blank_end)? {
        let line = window.line;
        let mut scan = ElementScan::default();
        match window.find(|bytes| scan.end(bytes))? {
            RowEnd::EndOfFile => return Ok(false),
            RowEnd::TooLong => {
                scan = ElementScan::default();
                if window.skip(|bytes| scan.end(bytes))? {
                    each(line, Err(TOO_LONG.into()));
                }
            }
            RowEnd::At(length) => {
                let element = window.head(length - 1);
                if scan.in_string {
                    each(line, Err(UNCLOSED_QUOTE.into()));
                } else if !element.is_empty() {
                    each(line, fields(&String::from_utf8_lossy(element)));
                }
                window.consume(length);
            }
        }
        if scan.is_last {
            if window.skip(blank_end)? {
                each(window.line, Err("text after the end of the array".into()));
            }
            return Ok(true);
        }
    }
    Ok(false)
}

/// A scan for the end of an array element: a comma, the closing bracket, or a line break inside a string, which JSON does
/// not allow.
#[derive(Debug, Clone, Copy, Default)]
struct ElementScan {
    depth: u64,
    in_string: bool,
    is_escaped: bool,
    /// The closing bracket was found.
    is_last: bool,
}

impl ElementScan {
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|&byte| self.ends_at(byte)).map(|at| at + 1)
    }

    fn ends_at(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                b'\n' => return true,
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b',' | b']' if self.depth == 0 => {
                self.is_last = byte == b']';
                return true;
            }
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }
}

fn fields(row: &str) -> Result<AttemptFields<'_>, Safe> {
    let row: &RawValue = serde_json::from_str(row).map_err(|error| {
        let why = if error.is_eof() { "it ends early".into() } else { clean_head(&error.to_string(), 80) };
        safe!("not valid JSON: {}", why)
    })?;
    let members = RawFields::of(row).ok_or("not an object")?;
    let mut fields = AttemptFields::default();
    for (name, value) in members.iter() {
        let Some(field) = AttemptField::named(name) else { continue };
        if let Some(text) = scalar(field, value) {
            fields.set(field, text);
        }
    }
    Ok(fields)
}

/// Returns a value as text. Objects and arrays are accepted only for fields that take any text.
fn scalar(field: AttemptField, value: &RawValue) -> Option<Cow<'_, str>> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'n') => None,
        Some(b'"') => serde_json::from_str::<String>(json).ok().map(Cow::Owned),
        Some(b'{' | b'[') if field != AttemptField::Error => None,
        _ => Some(Cow::Borrowed(json)),
    }
}
