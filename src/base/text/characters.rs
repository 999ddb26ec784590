//! Characters on a terminal: those that could deceive it or its user, their visible marks, and the width of the rest. Uses
//! the Unicode crates only; [`super::clean`] makes safe text of it.

use std::borrow::Cow;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

/// Code points that one grapheme cluster may have on screen; the rest is counted instead of shown. A letter can carry a
/// million combining marks, and terminals that try to draw them stall.
const MAX_GRAPHEME_CHARS: usize = 8;

/// Appends text with every unsafe character replaced by a visible mark.
pub(super) fn push_clean(out: &mut String, text: &str) {
    if text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
        out.push_str(text);
        return;
    }
    for cluster in text.graphemes(true) {
        let mut shown = 0;
        let mut left_out = 0_usize;
        let mut takes_accents = true;
        for c in cluster.chars() {
            let is_base = shown == 0;
            if is_unsafe(c) || is_base && is_disputed(c) {
                push_mark(out, c);
                shown = 0;
                continue;
            }
            if shown >= MAX_GRAPHEME_CHARS {
                left_out += 1;
                continue;
            }
            takes_accents &= is_base || is_accent(c);
            if takes_accents {
                // An accent without a letter would attach to the character before it.
                if is_base && is_accent(c) {
                    out.push('\u{25cc}');
                }
                out.push(c);
            } else {
                out.push_str(&format!("<+{:X}>", u32::from(c)));
            }
            shown += 1;
        }
        if left_out > 0 {
            out.push_str("<+");
            out.push_str(&left_out.to_string());
            out.push('>');
        }
    }
}

/// Returns the width of clean text in columns. Its clusters are characters with accents, so the widths of its characters add
/// up.
pub(super) fn columns_of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().filter_map(UnicodeWidthChar::width).sum() }
}

/// Returns true if all terminals draw this on top of the character before it, in the same columns.
pub(super) fn is_accent(c: char) -> bool {
    c.width() == Some(0) && c.general_category() == GeneralCategory::NonspacingMark
}

/// Returns true if terminals disagree on the width of a character on its own: the letters of flags, the skin tones of emoji,
/// and characters that combine with another letter.
fn is_disputed(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f3fb}'..='\u{1f3ff}')
        || !is_accent(c) && (c.width() == Some(0) || !c.is_ascii() && attaches(c))
}

/// Returns true if a character forms one cluster with the character before it, even with the `>` that ends our own marks.
fn attaches(c: char) -> bool {
    String::from_iter(['>', c]).graphemes(true).count() == 1
}

/// Returns true if all terminals agree on the width of a cell: ASCII, and the letters of East Asia. Most other characters
/// are ambiguous (one column, or two in an East Asian terminal), and the widths of symbols and emoji depend on the version
/// of Unicode.
pub fn is_width_certain(symbol: &str) -> bool {
    let mut chars = symbol.chars();
    match (chars.next(), chars.next()) {
        (Some(' '..='~'), None) => true,
        (Some('\u{2e80}'..='\u{ffff}' | '\u{20000}'..), None) => symbol.chars().all(|c| c.width() == Some(2)),
        _ => false,
    }
}

/// Appends `^[` for an ESC as `cat -v` shows it, `<U+202E>` for everything else, as `less` does: plain ASCII in every case.
fn push_mark(out: &mut String, c: char) {
    match c {
        '\0'..='\x1f' => {
            out.push('^');
            out.push(char::from_u32(u32::from(c) + 0x40).unwrap_or('?'));
        }
        '\x7f' => out.push_str("^?"),
        _ => out.push_str(&format!("<U+{:04X}>", u32::from(c))),
    }
}

/// Returns JSON text with the characters that [`super::clean`] would mark escaped as `\uXXXX`. Outside strings JSON is
/// ASCII, so replacing them anywhere keeps the document and its values equal.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(|c| is_unsafe(c) && c != '\n') {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if c == '\n' || !is_unsafe(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    Cow::Owned(out)
}

/// Returns true if this character could deceive a terminal or its user: Cc, Cf, Zl and Zp, the invisible default-ignorable
/// characters, and non-characters.
pub fn is_unsafe(c: char) -> bool {
    match c {
        '\x20'..='\x7e' => false,
        _ => c.is_control() || UNSAFE.binary_search_by(|&(first, last)| cmp_range(first, last, c)).is_ok() || is_nonchar(c),
    }
}

fn cmp_range(first: char, last: char, c: char) -> std::cmp::Ordering {
    use std::cmp::Ordering::{Equal, Greater, Less};
    if last < c {
        Less
    } else if first > c {
        Greater
    } else {
        Equal
    }
}

fn is_nonchar(c: char) -> bool {
    matches!(u32::from(c) & 0xffff, 0xfffe | 0xffff) || matches!(c, '\u{fdd0}'..='\u{fdef}')
}

/// Format characters, separators, fillers, variation selectors and tags, in order (Unicode 16; a test compares them with the
/// general categories of the Unicode Character Database).
const UNSAFE: &[(char, char)] = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(c: char) -> String {
        let mut out = String::new();
        push_clean(&mut out, c.encode_utf8(&mut [0; 4]));
        out
    }

    #[test]
    fn every_control_format_and_separator_character_is_marked() {
        for c in '\0'..=char::MAX {
            let category = c.general_category();
            if matches!(
                category,
                GeneralCategory::Control
                    | GeneralCategory::Format
                    | GeneralCategory::LineSeparator
                    | GeneralCategory::ParagraphSeparator
            ) {
                assert!(is_unsafe(c), "U+{:04X} ({category:?}) would reach the terminal", u32::from(c));
                let shown = cleaned(c);
                assert!(shown.is_ascii() && !shown.is_empty(), "U+{:04X} became {shown:?}", u32::from(c));
            }
        }
    }

    #[test]
    fn letters_digits_and_symbols_pass() {
        for c in '\0'..=char::MAX {
            use GeneralCategory as G;
            let category = c.general_category();
            let filler = matches!(c, '\u{115f}'..='\u{1160}' | '\u{3164}' | '\u{ffa0}') || is_disputed(c);
            if matches!(
                category,
                G::UppercaseLetter | G::LowercaseLetter | G::OtherLetter | G::DecimalNumber | G::MathSymbol | G::OtherSymbol
            ) && !filler
                && c.width() != Some(0)
            {
                assert_eq!(cleaned(c), c.to_string(), "U+{:04X}", u32::from(c));
            }
        }
    }

    #[test]
    fn the_width_of_plain_letters_is_certain() {
        for symbol in ["a", " ", "~", "漢", "한", "、"] {
            assert!(is_width_certain(symbol), "{symbol}");
        }
        for symbol in ["", "é", "Ж", "ก", "●", "│", "…", "─", "▌", "e\u{301}", "👍", "✓", "⌕", "\u{301}"]
        {
            assert!(!is_width_certain(symbol), "{symbol}");
        }
    }

    #[test]
    fn json_for_a_terminal_parses_equal() {
        let value = serde_json::json!({"a": "\u{202e}\u{7f}\u{9b}\u{e0041}漢"});
        let text = serde_json::to_string(&value).unwrap();
        let escaped = escape_json(&text);
        assert!(!escaped.chars().any(is_unsafe));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }
}
