//! Finding text in text, without allocating and in time that grows with the text alone, whatever it contains.

use std::ops::Range;

use memchr::memchr2;

use crate::model::{Letters, fold};

/// A text to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finder {
    /// Anywhere in the text, case as written.
    Part(Box<str>),
    /// Anywhere in the text, in any case.
    PartAnyCase(AnyCase),
    /// The text itself.
    Whole(Box<str>),
    /// The text itself, but for the case of ASCII letters.
    WholeAnyCase(Box<str>),
}

impl Finder {
    /// Smart case: a capital letter makes it matter.
    pub(super) fn part(text: &str) -> Self {
        if has_capital(text) { Self::Part(text.into()) } else { Self::part_any_case(text) }
    }

    pub(super) fn part_any_case(text: &str) -> Self {
        Self::PartAnyCase(AnyCase::new(text))
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Part(part) => text.contains(&**part),
            Self::PartAnyCase(part) => part.is_in(text),
            Self::Whole(whole) => **whole == *text,
            Self::WholeAnyCase(whole) => whole.eq_ignore_ascii_case(text),
        }
    }

    /// The letters that a text must have to be worth looking into.
    pub(super) fn letters(&self) -> Letters {
        match self {
            Self::PartAnyCase(part) => part.letter_set,
            Self::Part(text) | Self::Whole(text) | Self::WholeAnyCase(text) => Letters::of(text),
        }
    }

    /// Whether a text that has the letters has what is looked for.
    pub(super) fn is_told_by_letters(&self) -> bool {
        matches!(self, Self::PartAnyCase(part) if part.is_told_by_letters)
    }

    /// Whether it can be looked for in several texts at once, a line break between them.
    pub(super) fn is_within_a_line(&self) -> bool {
        match self {
            Self::Part(part) => !part.contains('\n'),
            Self::PartAnyCase(part) => !part.letters.contains(&'\n'),
            Self::Whole(_) | Self::WholeAnyCase(_) => false,
        }
    }

    /// Whether every text with this one in it has the other one in it too.
    pub(super) fn implies(&self, other: &Self) -> bool {
        self == other
            || match (self, other) {
                (Self::Part(this) | Self::Whole(this), Self::Part(part)) => this.contains(&**part),
                (Self::Part(this) | Self::Whole(this), Self::PartAnyCase(part)) => part.is_in(this),
                (Self::PartAnyCase(this), Self::PartAnyCase(part)) => part.occurs(this.letters.iter().copied()),
                _ => false,
            }
    }

    /// The first place at or behind `from` where the text has it.
    pub(super) fn place(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let rest = text.get(from..)?;
        match self {
            Self::Part(part) => rest.find(&**part).map(|at| from + at..from + at + part.len()),
            Self::PartAnyCase(part) => part.place(rest).map(|place| from + place.start..from + place.end),
            Self::Whole(_) | Self::WholeAnyCase(_) => (from == 0 && self.is_in(text)).then_some(0..text.len()),
        }
        .filter(|place| !place.is_empty())
    }
}

/// Whether a text as it was typed asks for its case to matter.
pub(super) fn has_capital(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
}

/// A text to be found in any case, one letter for one letter: `ß` is not `SS`.
///
/// In ASCII its rarest letter is looked for first. Where that is found too often for nothing, and in other texts, this is Knuth,
/// Morris and Pratt's search: ids and URLs come from outside, and a search that starts over at every letter could be made to
/// take the product of both lengths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AnyCase {
    /// The letters, folded.
    letters: Box<[char]>,
    /// For each letter: how many letters up to and with it are also the first letters of the text.
    borders: Box<[usize]>,
    letter_set: Letters,
    is_told_by_letters: bool,
    /// What to look for in ASCII; `None` when ASCII cannot have it.
    ascii: Option<Ascii>,
}

/// The same text as bytes, and which of them is likely to be the rarest.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ascii {
    bytes: Box<[u8]>,
    rare_at: usize,
    rare: (u8, u8),
}

/// Letters of URLs and ids from the most frequent on; any other is rarer.
const FREQUENT: &[u8] = b"e/ostc.ahniprlm:dk-uwbg_0123456789fvyxjqz";

impl Ascii {
    fn new(letters: &[char]) -> Option<Self> {
        let bytes: Box<[u8]> =
            letters.iter().map(|&letter| u8::try_from(letter).ok().filter(u8::is_ascii)).collect::<Option<_>>()?;
        let rarity = |byte: u8| FREQUENT.iter().position(|&other| other == byte).unwrap_or(FREQUENT.len());
        let (rare_at, rare) = bytes.iter().copied().enumerate().max_by_key(|&(_, byte)| rarity(byte)).unwrap_or_default();
        Some(Self { bytes, rare_at, rare: (rare, rare.to_ascii_uppercase()) })
    }

    /// Where the text has it; an error when that takes too long to find out.
    fn find(&self, text: &[u8]) -> Result<Option<usize>, TooLong> {
        let mut effort = 0;
        let mut from = self.rare_at;
        while let Some(at) = text.get(from..).and_then(|rest| memchr2(self.rare.0, self.rare.1, rest)) {
            let start = from + at - self.rare_at;
            match text.get(start..start + self.bytes.len()) {
                None => return Ok(None),
                Some(there) if there.eq_ignore_ascii_case(&self.bytes) => return Ok(Some(start)),
                Some(there) => effort += there.len(),
            }
            if effort > 4 * text.len() + 4096 {
                return Err(TooLong);
            }
            from += at + 1;
        }
        Ok(None)
    }
}

struct TooLong;

impl AnyCase {
    fn new(text: &str) -> Self {
        let letters: Box<[char]> = text.chars().map(fold).collect();
        let mut borders = Vec::with_capacity(letters.len());
        let mut border = 0;
        for (place, &letter) in letters.iter().enumerate() {
            if place > 0 {
                border = step(&letters, &borders, border, letter);
            }
            borders.push(border);
        }
        let folded: String = letters.iter().collect();
        Self {
            ascii: Ascii::new(&letters),
            letter_set: Letters::of(&folded),
            is_told_by_letters: Letters::tell(&folded),
            borders: borders.into(),
            letters,
        }
    }

    fn is_in(&self, text: &str) -> bool {
        if self.letters.is_empty() {
            return true;
        }
        match &self.ascii {
            Some(ascii) => match ascii.find(text.as_bytes()) {
                Ok(Some(_)) => true,
                // Letters outside ASCII can stand for letters within.
                Ok(None) => !text.is_ascii() && self.occurs(text.chars().map(fold)),
                Err(TooLong) => self.occurs(text.chars().map(fold)),
            },
            None => !text.is_ascii() && self.occurs(text.chars().map(fold)),
        }
    }

    /// Where a text that is short has it.
    fn place(&self, text: &str) -> Option<Range<usize>> {
        let mut starts = text.char_indices().map(|(at, _)| at);
        starts.find_map(|start| {
            let mut rest = text.get(start..)?.char_indices();
            let is_there = self.letters.iter().all(|&letter| rest.next().is_some_and(|(_, c)| fold(c) == letter));
            is_there.then(|| start..text.len() - rest.as_str().len())
        })
    }

    fn occurs(&self, mut text: impl Iterator<Item = char>) -> bool {
        let Some(&first) = self.letters.first() else { return true };
        while text.any(|letter| letter == first) {
            let mut found = 1;
            while found > 0 {
                if found == self.letters.len() {
                    return true;
                }
                let Some(letter) = text.next() else { return false };
                found = step(&self.letters, &self.borders, found, letter);
            }
        }
        false
    }
}

/// How many letters are found once `letter` follows the `found` first ones, which are not all.
fn step(letters: &[char], borders: &[usize], mut found: usize, letter: char) -> usize {
    loop {
        if letters.get(found) == Some(&letter) {
            return found + 1;
        }
        let Some(last) = found.checked_sub(1) else { return 0 };
        found = borders.get(last).copied().unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(part: &str, text: &str) -> bool {
        Finder::part(part).is_in(text)
    }

    #[test]
    fn case_matters_when_there_is_a_capital() {
        assert!(found("acme", "https://ACME.com") && found("acme", "https://acme.com"));
        assert!(found("Acme", "Acme") && !found("Acme", "acme") && !found("Acme", "ACME"));
        assert!(found("été", "L'ÉTÉ") && !found("Été", "ÉTÉ"));
        assert!(found("σ", "Σ") && found("σ", "ς") && found("ς", "Σ"));
        assert!(found("k", "\u{212a}") && found("s", "ſ") && found("ſ", "S"), "letters outside ASCII with ASCII cases");
        assert!(!found("ss", "ß") && found("ß", "ẞ"));
        assert!(!found("é", "e") && !found("é", "E"));
    }

    #[test]
    fn nothing_is_in_everything() {
        assert!(found("", "") && found("", "a") && !found("a", ""));
    }

    #[test]
    fn text_that_repeats_itself_is_found_in_one_pass() {
        assert!(found("aab", "aaab") && found("abab-abac", "xABAB-ABAB-ABACx") && !found("aab", "aaaa"));
        // The product of the lengths would be 4 * 10^9 steps.
        let text = "a".repeat(1_000_000);
        assert!(!found(&format!("{}b", "a".repeat(4_000)), &text));
        assert!(!found(&format!("{}é", "a".repeat(4_000)), &format!("é{text}")));
    }

    #[test]
    fn the_whole_is_not_a_part() {
        assert!(Finder::Whole("a".into()).is_in("a") && !Finder::Whole("a".into()).is_in("ab"));
        assert!(Finder::WholeAnyCase("a".into()).is_in("A") && !Finder::Whole("a".into()).is_in("A"));
    }

    proptest! {
        #[test]
        fn the_search_finds_what_the_standard_library_finds(part in "[ab]{0,6}", text in "[ab]{0,40}") {
            prop_assert_eq!(found(&part, &text), text.contains(&part));
            prop_assert_eq!(found(&part, &text.to_uppercase()), text.contains(&part));
            prop_assert_eq!(found(&part, &format!("é{text}")), text.contains(&part));
        }
    }
}
