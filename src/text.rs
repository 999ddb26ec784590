//! The gate between text from outside and a terminal.
//!
//! Everything that the API, a file or the environment hands us is an [`Untrusted`] string: it has no `Display` and no
//! `Deref`, so it cannot be printed or drawn by accident. What a terminal may receive is [`Safe`], and there are only three
//! ways to make one: a literal of the program, [`Untrusted::clean`] (or [`clean`]), and [`safe!`](crate::safe), which
//! composes safe parts. The screen ([`crate::tui`]) accepts nothing else; that is checked by the compiler.
//!
//! Text is cleaned by character class after decoding, not by looking for escape sequences: a list of sequences is never
//! complete, while an ESC that has become `^[` is harmless whatever follows it.

use std::borrow::Cow;
use std::fmt;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

/// Code points that one grapheme cluster may have on screen; the rest is counted instead of shown. A letter can carry a
/// million combining marks, and terminals that try to draw them stall.
const MAX_GRAPHEME_CHARS: usize = 8;

/// The bytes looked at for each column that can be shown, so that a huge value costs no more than the part that fits.
const BYTES_PER_COLUMN: usize = 32;

/// A string from outside. It carries the true value, for comparing, for requests and for machine formats; it reaches a
/// terminal only through [`Untrusted::clean`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Untrusted(Box<str>);

impl Untrusted {
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The true value. Never for a terminal: that is what [`Untrusted::clean`] is for.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The whole value with every control, bidi and invisible character made visible.
    pub fn clean(&self) -> Safe {
        clean(&self.0)
    }

    /// As [`Untrusted::clean`], reading no more of a long value than `columns` columns can show.
    pub fn clean_head(&self, columns: usize) -> Safe {
        clean_head(&self.0, columns)
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(clean_head(&self.0, 200).as_str(), f)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// Text that a terminal may receive: it has no control, bidi or invisible character, no line break, and no grapheme cluster but a
/// character and at most seven accents on it. Terminals disagree on what others look like and how wide they are.
#[derive(Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Safe(Cow<'static, str>);

impl Safe {
    /// Text of the program itself.
    pub const fn literal(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Columns that the text takes on a terminal.
    pub fn width(&self) -> usize {
        columns_of(&self.0)
    }

    /// Appends another safe text.
    pub fn push(&mut self, more: &Self) {
        self.0.to_mut().push_str(&more.0);
    }

    /// The grapheme clusters with the columns of each.
    pub fn cells(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.graphemes(true).map(|cluster| (cluster, columns_of(cluster)))
    }

    /// The text in at most `columns` columns; what had to be cut shows as `mark` at the end.
    #[must_use]
    pub fn fit(&self, columns: usize, mark: &'static str) -> Self {
        if self.width() <= columns {
            return self.clone();
        }
        let room = columns.saturating_sub(columns_of(mark));
        if self.0.is_ascii() && columns >= columns_of(mark) {
            let kept = self.0.get(..room).unwrap_or_default();
            return Self(Cow::Owned(format!("{kept}{mark}")));
        }
        let mut used = 0;
        let mut kept = String::new();
        for (cluster, width) in self.cells() {
            if used + width > room {
                break;
            }
            used += width;
            kept.push_str(cluster);
        }
        if columns >= columns_of(mark) {
            kept.push_str(mark);
        }
        Self(Cow::Owned(kept))
    }

    /// As [`Self::fit`], with the mark in the middle: the end counts for more than what is before it, as in a path.
    #[must_use]
    pub fn fit_middle(&self, columns: usize, mark: &'static str) -> Self {
        let room = columns.saturating_sub(columns_of(mark));
        if self.width() <= columns || room == 0 {
            return self.fit(columns, mark);
        }
        let mut tail = Vec::new();
        let mut used = 0;
        for cluster in self.0.graphemes(true).rev() {
            let width = columns_of(cluster);
            if used + width > room - room / 4 {
                break;
            }
            used += width;
            tail.push(cluster);
        }
        let mut fitted = self.fit(columns - used, mark).0.into_owned();
        fitted.extend(tail.into_iter().rev());
        Self(Cow::Owned(fitted))
    }

    /// The text in lines of at most `columns` columns, broken between words where that is possible. A grapheme cluster that is
    /// wider than that has a line of its own.
    pub fn wrap(&self, columns: usize) -> Vec<Self> {
        let columns = columns.max(1);
        let mut lines = Vec::new();
        let mut line = String::new();
        let mut used = 0;
        for word in self.0.split_word_bounds() {
            let width = columns_of(word);
            if used + width > columns && used > 0 {
                lines.push(Self(Cow::Owned(std::mem::take(&mut line).trim_end().to_owned())));
                used = 0;
                if word == " " {
                    continue;
                }
            }
            if width <= columns {
                line.push_str(word);
                used += width;
                continue;
            }
            for cluster in word.graphemes(true) {
                let width = columns_of(cluster);
                if used + width > columns && used > 0 {
                    lines.push(Self(Cow::Owned(std::mem::take(&mut line))));
                    used = 0;
                }
                line.push_str(cluster);
                used += width;
            }
        }
        if !line.is_empty() || lines.is_empty() {
            lines.push(Self(Cow::Owned(line)));
        }
        lines
    }

    /// The text in lines of at most `columns` columns, as prose: broken at blanks, and inside a word only if it has no room on a
    /// line of its own.
    pub fn paragraph(&self, columns: usize) -> Vec<Self> {
        let mut lines: Vec<Self> = Vec::new();
        let mut used = 0;
        for word in self.0.split(' ').filter(|word| !word.is_empty()) {
            let width = columns_of(word);
            match lines.last_mut().filter(|_| used + 1 + width <= columns) {
                Some(line) => {
                    line.0.to_mut().push(' ');
                    line.0.to_mut().push_str(word);
                    used += 1 + width;
                }
                None => {
                    lines.extend(Self(Cow::Owned(word.to_owned())).wrap(columns));
                    used = lines.last().map_or(0, Self::width);
                }
            }
        }
        if lines.is_empty() {
            lines.push(Self::default());
        }
        lines
    }

    /// The text in pieces of `columns` columns, as a terminal itself would wrap it: nothing is trimmed, so that what a user
    /// selects by hand is the value. A grapheme cluster that is wider has a piece of its own.
    pub fn chunks(&self, columns: usize) -> Vec<Self> {
        let columns = columns.max(1);
        let mut lines = Vec::new();
        let mut line = String::new();
        let mut used = 0;
        for (cluster, width) in self.cells() {
            if used + width > columns && used > 0 {
                lines.push(Self(Cow::Owned(std::mem::take(&mut line))));
                used = 0;
            }
            line.push_str(cluster);
            used += width;
        }
        lines.push(Self(Cow::Owned(line)));
        lines
    }

    #[doc(hidden)]
    pub fn composed(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl fmt::Display for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl From<&'static str> for Safe {
    fn from(text: &'static str) -> Self {
        Self::literal(text)
    }
}

impl From<&Self> for Safe {
    fn from(text: &Self) -> Self {
        text.clone()
    }
}

/// What [`safe!`](crate::safe) may compose: text that is safe already, and numbers.
pub trait Trusted: fmt::Display {}

macro_rules! trusted {
    ($($kind:ty),*) => { $(impl Trusted for $kind {})* };
}
trusted!(Safe, &'static str, u8, u16, u32, u64, usize, i16, i32, i64, std::num::NonZeroU64);

impl<T: Trusted> Trusted for &T {}

#[doc(hidden)]
pub fn only_trusted<T: Trusted + ?Sized>(part: &T) -> &T {
    part
}

/// Whether a format string has no `{name}`: a captured variable would pass by [`Trusted`].
#[doc(hidden)]
pub const fn captures_nothing(format: &str) -> bool {
    let mut rest = format.as_bytes();
    loop {
        rest = match rest {
            [] => return true,
            [b'{', b'{' | b'}', after @ ..] => after,
            [b'{', ..] => return false,
            [_, after @ ..] => after,
        };
    }
}

/// `format!` for [`Safe`] text: every argument must be [`Trusted`], and variables are not captured, so an unclean string
/// does not compile.
///
/// ```compile_fail
/// let raw = String::from("\x1b[31m");
/// hookscope::safe!("{}", raw);
/// ```
///
/// ```compile_fail
/// let raw = String::from("\x1b[31m");
/// hookscope::safe!("{raw}");
/// ```
#[macro_export]
macro_rules! safe {
    ($format:literal $(, $part:expr)* $(,)?) => {{
        const { assert!($crate::text::captures_nothing($format), "safe! takes its parts as arguments only") };
        $crate::text::Safe::composed(format!($format $(, $crate::text::only_trusted(&$part))*))
    }};
}

/// A number with its thousands set apart: `1,234`.
pub fn grouped(number: u64) -> Safe {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    Safe(Cow::Owned(out))
}

/// The one function between a string from outside and a terminal: see the [module](self).
pub fn clean(text: &str) -> Safe {
    let mut out = String::with_capacity(text.len());
    clean_into(&mut out, text);
    Safe(Cow::Owned(out))
}

/// As [`clean`], in at most `columns` columns, reading no more of a long text than they can show.
pub fn clean_head(text: &str, columns: usize) -> Safe {
    let enough = columns.saturating_add(2).saturating_mul(BYTES_PER_COLUMN);
    let head = text.get(..text.floor_char_boundary(enough)).unwrap_or(text);
    let mut safe = clean(head);
    if head.len() < text.len() {
        safe.push(&Safe::literal("…"));
    }
    safe.fit(columns, "…")
}

fn clean_into(out: &mut String, text: &str) {
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

/// The width of a text in columns. Its clusters are characters with accents, so the widths of its characters add up.
fn columns_of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().filter_map(UnicodeWidthChar::width).sum() }
}

/// Returns true if all terminals draw this on top of the character before it, in the same columns.
fn is_accent(c: char) -> bool {
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

/// `^[` for an ESC as `cat -v` shows it, `<U+202E>` for everything else, as `less` does: plain ASCII in every case.
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

/// JSON text with the characters that [`clean`] would mark escaped as `\uXXXX`. Outside strings JSON is ASCII, so replacing
/// them anywhere keeps the document and its values equal.
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prose_breaks_at_blanks_and_keeps_its_commas() {
        let lines = |text: &str, columns| clean(text).paragraph(columns).iter().map(Safe::to_string).collect::<Vec<_>>();
        assert_eq!(lines("if it is not yours, pause it", 18), ["if it is not", "yours, pause it"]);
        assert_eq!(lines("see https://a.example.com/x", 12).concat(), "seehttps://a.example.com/x");
        assert!(lines("see https://a.example.com/x", 12).iter().all(|line| line.len() <= 12));
        assert_eq!(lines("", 5), [""]);
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
                let shown = clean(&c.to_string());
                assert!(shown.as_str().is_ascii() && !shown.is_empty(), "U+{:04X} became {shown:?}", u32::from(c));
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
                assert_eq!(clean(&c.to_string()).as_str(), c.to_string(), "U+{:04X}", u32::from(c));
            }
        }
    }

    #[test]
    fn sequences_become_visible_marks() {
        assert_eq!(clean("\x1b]52;c;eA==\x07").as_str(), "^[]52;c;eA==^G");
        assert_eq!(clean("\u{9b}31m").as_str(), "<U+009B>31m");
        assert_eq!(clean("a\r\nb\tc\x7f").as_str(), "a^M^Jb^Ic^?");
        assert_eq!(clean("\u{202e}gpj.exe").as_str(), "<U+202E>gpj.exe");
        assert_eq!(clean("\u{301}x").as_str(), "\u{25cc}\u{301}x");
        assert_eq!(clean("漢字 é").as_str(), "漢字 é");
    }

    #[test]
    fn what_terminals_disagree_on_is_marked() {
        for (text, shown) in [
            ("👍🏽.done", "👍<+1F3FD>.done"),
            ("🏽", "<U+1F3FD>"),
            ("🇩🇪", "<U+1F1E9><U+1F1EA>"),
            ("👩\u{200d}💻", "👩<U+200D>💻"),
            ("क्ष", "क्<+937>"),
            ("का", "क<+93E>"),
            ("\u{1112}\u{1161}\u{11ab}", "\u{1112}<+1161><+11AB>"),
            ("1\u{20e3}", "1<+20E3>"),
            ("café cafe\u{301} 漢字 한 กิ", "café cafe\u{301} 漢字 한 กิ"),
        ] {
            assert_eq!(clean(text).as_str(), shown);
        }
        assert_eq!(clean("لا").width(), 2, "a ligature in some terminals, and two letters in most");
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
    fn a_grapheme_of_a_million_marks_is_cut_and_counted() {
        let flood = format!("a{}b", "\u{301}".repeat(1_000_000));
        assert_eq!(clean(&flood).as_str(), format!("a{}<+999993>b", "\u{301}".repeat(7)));
        assert!(clean_head(&flood, 80).as_str().len() < 100);
    }

    #[test]
    fn fitting_never_splits_a_wide_character() {
        let text = clean("漢字漢字");
        assert_eq!(text.fit(8, "…").as_str(), "漢字漢字");
        assert_eq!(text.fit(7, "…").as_str(), "漢字漢…");
        assert_eq!(text.fit(6, "…").as_str(), "漢字…");
        assert_eq!(text.fit(1, "…").as_str(), "…");
        assert_eq!(text.fit(0, "…").as_str(), "");
    }

    #[test]
    fn a_cluster_wider_than_the_line_has_a_line_of_its_own() {
        let lines = |text: &str| clean(text).wrap(2).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(lines("a漢b"), ["a", "漢", "b"]);
        assert_eq!(clean("漢漢").fit(2, "…").width(), 1);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(|n| grouped(n).to_string()), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_vowel_sign_does_not_attach_itself_to_a_mark() {
        assert_eq!(clean("\u{d7cb}\u{bc6}").as_str(), "<U+D7CB><U+0BC6>");
        assert_eq!(clean("\u{e33}").as_str(), "<U+0E33>");
        assert_eq!(clean("漢é").as_str(), "漢é");
    }

    #[test]
    fn json_for_a_terminal_parses_equal() {
        let value = serde_json::json!({"a": "\u{202e}\u{7f}\u{9b}\u{e0041}漢"});
        let text = serde_json::to_string(&value).unwrap();
        let escaped = escape_json(&text);
        assert!(!escaped.chars().any(is_unsafe));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }

    proptest! {
        #[test]
        fn clean_text_has_nothing_left_to_clean(text in "\\PC*|(?s).{0,200}") {
            let once = clean(&text);
            let is_accented = |(cluster, _): (&str, usize)| cluster.chars().skip(1).all(is_accent);
            prop_assert!(once.cells().all(is_accented), "{once:?}");
            prop_assert!(!once.as_str().chars().any(is_unsafe));
            prop_assert!(!clean_head(&text, 20).as_str().chars().any(is_unsafe));
        }

        #[test]
        fn fitted_and_wrapped_text_is_never_wider_than_asked(text in "(?s).{0,80}", columns in 0_usize..30) {
            let safe = clean(&text);
            prop_assert!(safe.fit(columns, "…").width() <= columns);
            let fits = |line: &Safe| line.width() <= columns.max(1) || line.cells().count() == 1;
            prop_assert!(safe.wrap(columns).iter().all(fits), "{:?}", safe.wrap(columns));
            prop_assert!(safe.chunks(columns).iter().all(fits), "{:?}", safe.chunks(columns));
            let glued: String = safe.chunks(columns).iter().map(Safe::as_str).collect();
            prop_assert_eq!(glued, safe.as_str());
        }
    }
}
