//! JSON: an array of objects, or one object a line. An array is taken apart by its brackets and quotes, so that only one
//! element is held at a time.

use std::borrow::Cow;
use std::io::{self, Read};

use serde_json::value::RawValue;

use super::MAX_ROW_BYTES;
use super::buffer::Buffer;
use crate::analysis::deliveries::{Field, Reason, Values};
use crate::model::RawFields;
use crate::text::clean_head;

/// Hands on each line that is not blank, or why it cannot be had, with its number.
pub(super) fn lines<R: Read>(buffer: &mut Buffer<R>, mut each: impl FnMut(u64, Result<&[u8], Reason>)) -> io::Result<()> {
    // Bytes of the window in which no line ends.
    let mut seen = 0;
    let mut skipping = false;
    loop {
        let fresh = buffer.rest().get(seen..).unwrap_or_default();
        let (end, consumed) = match memchr::memchr(b'\n', fresh) {
            Some(at) => (seen + at, seen + at + 1),
            None => {
                seen += fresh.len();
                if seen > MAX_ROW_BYTES {
                    skipping = true;
                    buffer.consume(seen);
                    seen = 0;
                }
                if buffer.more()? {
                    continue;
                }
                if seen == 0 && !skipping {
                    return Ok(());
                }
                (seen, seen)
            }
        };
        let line = buffer.rest().get(..end).unwrap_or_default();
        if skipping || end > MAX_ROW_BYTES {
            each(buffer.line, Err(Reason::TooLong));
        } else if !line.trim_ascii().is_empty() {
            each(buffer.line, Ok(line));
        }
        buffer.consume(consumed);
        (seen, skipping) = (0, false);
    }
}

/// Where in an array the reading is.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    depth: u64,
    in_string: bool,
    escaped: bool,
    /// In an element, of which the start is not held any more.
    skipping: bool,
}

/// What a byte of an array is.
enum Mark {
    Inside,
    /// White space between elements.
    Between,
    /// A comma between elements.
    Comma,
    /// The end of the array.
    End,
    /// A line ends inside a string, which no JSON has: a quote is missing.
    Broken,
}

impl Place {
    /// Goes on to the first byte that is not inside an element: how far that is, and what it is.
    fn run(&mut self, bytes: &[u8], mut is_inside: bool) -> (usize, Option<Mark>) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.in_string && !self.escaped {
                let text = bytes.get(at..).unwrap_or_default();
                let plain = memchr::memchr3(b'"', b'\\', b'\n', text).unwrap_or(text.len());
                if plain > 0 {
                    at += plain;
                    continue;
                }
            }
            match self.step(byte, is_inside) {
                Mark::Inside => at += 1,
                mark => return (at, Some(mark)),
            }
            is_inside = true;
        }
        (at, None)
    }

    fn step(&mut self, byte: u8, is_inside: bool) -> Mark {
        if self.in_string {
            match byte {
                b'\n' => return Mark::Broken,
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return Mark::Inside;
        }
        match byte {
            b',' if self.depth == 0 => return Mark::Comma,
            b']' if self.depth == 0 => return Mark::End,
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            b' ' | b'\t' | b'\r' | b'\n' if !is_inside => return Mark::Between,
            _ => {}
        }
        Mark::Inside
    }
}

/// Hands on each element of an array, whose bracket is consumed already, with the line that it starts in. `false` when the
/// file ends before the array does.
pub(super) fn elements<R: Read>(
    buffer: &mut Buffer<R>,
    mut each: impl FnMut(u64, Result<&[u8], Reason>),
) -> io::Result<bool> {
    let mut place = Place::default();
    // Bytes of the window that belong to the element under way, and the line that it started in.
    let mut seen = 0;
    let mut line = buffer.line;
    loop {
        let is_inside = seen > 0 || place.skipping;
        if !is_inside {
            line = buffer.line;
        }
        let (more, mark) = place.run(buffer.rest().get(seen..).unwrap_or_default(), is_inside);
        seen += more;
        let Some(mark) = mark else {
            if seen > MAX_ROW_BYTES {
                place.skipping = true;
                buffer.consume(seen);
                seen = 0;
            }
            if buffer.more()? {
                continue;
            }
            return Ok(false);
        };
        match mark {
            Mark::Broken => each(line, Err(Reason::Quote)),
            Mark::Comma | Mark::End if place.skipping || seen > MAX_ROW_BYTES => each(line, Err(Reason::TooLong)),
            Mark::Comma | Mark::End if seen > 0 => each(line, Ok(buffer.rest().get(..seen).unwrap_or_default())),
            Mark::Inside | Mark::Between | Mark::Comma | Mark::End => {}
        }
        buffer.consume(seen + 1);
        (seen, place) = (0, Place::default());
        if matches!(mark, Mark::End) {
            return rest_is_blank(buffer, each).map(|()| true);
        }
    }
}

/// Looks at what stands behind the array.
fn rest_is_blank<R: Read>(buffer: &mut Buffer<R>, mut each: impl FnMut(u64, Result<&[u8], Reason>)) -> io::Result<()> {
    loop {
        let blank = buffer.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        buffer.consume(blank);
        if !buffer.rest().is_empty() {
            each(buffer.line, Err(Reason::Behind));
            return Ok(());
        }
        if !buffer.more()? {
            return Ok(());
        }
    }
}

/// The values of an object.
pub(super) fn with_values<T>(row: &[u8], then: impl FnOnce(&Values<'_>) -> Result<T, Reason>) -> Result<T, Reason> {
    // A wrong encoding costs a few characters, not the row.
    let text = String::from_utf8_lossy(row);
    let raw: &RawValue = serde_json::from_str(&text).map_err(|error| {
        Reason::NoJson(if error.is_eof() { "it ends early".into() } else { clean_head(&error.to_string(), 80) })
    })?;
    let fields = RawFields::of(raw).ok_or(Reason::NoObject)?;
    let mut values = Values::default();
    for (name, value) in fields.iter() {
        if let Some((field, text)) = Field::named(name).and_then(|field| Some((field, scalar(field, value)?))) {
            values.set(field, text);
        }
    }
    then(&values)
}

/// A value as text. What is nested is a text only where any text will do.
fn scalar(field: Field, value: &RawValue) -> Option<Cow<'_, str>> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'n') => None,
        Some(b'"') => serde_json::from_str::<String>(json).ok().map(Cow::Owned),
        Some(b'{' | b'[') if field != Field::Error => None,
        _ => Some(Cow::Borrowed(json)),
    }
}
