//! The gate between text from outside and a terminal.
//!
//! Every string from the API, a file or the environment is an [`Untrusted`] string: it has no `Display` and no `Deref`, so
//! it cannot be printed or drawn by accident. A terminal receives only [`Safe`] text, and there are only three ways to make
//! it: a literal of the program, [`Untrusted::clean`] (or [`clean`]), and [`safe!`](crate::safe), which composes safe parts.
//! The screen ([`crate::tui`]) accepts nothing else; the compiler checks that.
//!
//! Text is cleaned by character class after decoding, not by looking for escape sequences: a list of sequences is never
//! complete, while an ESC that has become `^[` is harmless whatever follows it. Uses no other module; start at [`clean`].

mod characters;

use std::borrow::Cow;
use std::fmt;

use unicode_segmentation::UnicodeSegmentation;

use self::characters::{columns_of, push_clean};
pub use self::characters::{escape_json, is_unsafe, is_width_certain};

/// The bytes read for each column that can be shown, so that a huge value costs no more than the part that fits.
const BYTES_PER_COLUMN: usize = 32;

/// A string from outside. It holds the true value, for comparisons, requests and machine formats; it reaches a terminal only
/// through [`Untrusted::clean`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Untrusted(Box<str>);

impl Untrusted {
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The true value. Not for a terminal: use [`Untrusted::clean`] for that.
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

/// Text that a terminal may receive: without control, bidi or invisible characters and line breaks, and with at most seven
/// accents on a character. Terminals disagree on the look and the width of other grapheme clusters.
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

    /// The width in columns on a terminal.
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

    /// Returns the text in at most `columns` columns. A text that is cut ends in `mark`.
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

    /// As [`Self::fit`], with the mark in the middle, for text whose end matters most, such as a path.
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

    /// Returns the text in lines of at most `columns` columns, broken between words where that is possible. A grapheme
    /// cluster that is wider than that has a line of its own.
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

    /// Returns the text as prose, in lines of at most `columns` columns: broken at spaces, and inside a word only if the
    /// word is longer than a line.
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

    /// Returns the text in pieces of `columns` columns, as a terminal itself would wrap it: nothing is trimmed, so that what
    /// a user selects by hand is the value. A grapheme cluster that is wider has a piece of its own.
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

/// A part that [`safe!`](crate::safe) accepts: safe text, or a number.
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

/// Returns true if a format string has no `{name}`: a captured variable would bypass [`Trusted`].
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
        const { assert!($crate::base::text::captures_nothing($format), "safe! takes its parts as arguments only") };
        $crate::base::text::Safe::composed(format!($format $(, $crate::base::text::only_trusted(&$part))*))
    }};
}

/// Formats a number with thousands separators: `1,234`.
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
    push_clean(&mut out, text);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::characters::is_accent;
    use super::*;

    #[test]
    fn prose_breaks_at_spaces_and_keeps_its_commas() {
        let lines = |text: &str, columns| clean(text).paragraph(columns).iter().map(Safe::to_string).collect::<Vec<_>>();
        assert_eq!(lines("if it is not yours, pause it", 18), ["if it is not", "yours, pause it"]);
        assert_eq!(lines("see https://a.example.com/x", 12).concat(), "seehttps://a.example.com/x");
        assert!(lines("see https://a.example.com/x", 12).iter().all(|line| line.len() <= 12));
        assert_eq!(lines("", 5), [""]);
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
