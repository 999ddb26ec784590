//! A Markdown table for tickets and pull requests. Credentials in URLs are masked.

use std::io::{self, Write};

use super::record::Record;
use super::sheet::Sheet;
use super::stdout::Output;
use crate::base::text::{Safe, clean};
use crate::safe;

pub(super) fn header<W: Write, T: Record>(out: &mut Output<W>, sheet: &Sheet<T>) -> io::Result<()> {
    let mut header = safe!("|");
    let mut rule = safe!("|");
    for column in &sheet.columns {
        header.push(&safe!(" {} |", column.name));
        rule.push(&Safe::from(if column.right { " ---: |" } else { " --- |" }));
    }
    out.line(&header)?;
    out.line(&rule)
}

pub(super) fn write<'a, W: Write, T: Record>(
    out: &mut Output<W>,
    sheet: &Sheet<T>,
    records: impl Iterator<Item = &'a T>,
) -> io::Result<()> {
    for record in records {
        let mut line = safe!("|");
        for column in &sheet.columns {
            line.push(&safe!(" {} |", cell(&(column.value)(record, sheet.now).shown())));
        }
        out.line(&line)?;
    }
    Ok(())
}

/// A cell that shows the text and nothing else: no link, no mention, no markup. A bar would end the cell even inside code.
pub(super) fn cell(text: &Safe) -> Safe {
    let is_plain = text.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric());
    if text.is_empty() || is_plain { text.clone() } else { clean(&code(text).as_str().replace('|', "\\|")) }
}

/// A Markdown code span, whatever backquotes the text has.
pub fn code(text: &Safe) -> Safe {
    if text.is_empty() {
        // Two backquotes alone would begin a longer fence.
        return "` `".into();
    }
    let longest = text.as_str().split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = clean(&"`".repeat(longest + 1));
    // One space is dropped at both ends where there is one at both.
    let is_padded = text.as_str().starts_with(' ') && text.as_str().ends_with(' ');
    let padding = if longest > 0 || is_padded { " " } else { "" };
    safe!("{}{}{}{}{}", fence, padding, text, padding, fence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_shows_the_text_and_nothing_else() {
        assert_eq!(cell(&"active".into()).as_str(), "active");
        assert_eq!(cell(&"https://a.com/x|y".into()).as_str(), "`https://a.com/x\\|y`");
        assert_eq!(cell(&"@team **now** `x`".into()).as_str(), "`` @team **now** `x` ``");
    }
}
