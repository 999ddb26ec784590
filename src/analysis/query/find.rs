//! Finding text in text, without allocating and in time that grows with the text alone, whatever it contains.

use std::ops::Range;

use aho_corasick::packed::Searcher;
use memchr::{memchr2, memmem};

use crate::model::{Letters, fold};

/// A text to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finder {
    /// Anywhere in the text, case as written.
    Part(Exact),
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
        if has_capital(text) { Self::Part(Exact::new(text)) } else { Self::part_any_case(text) }
    }

    pub(super) fn part_any_case(text: &str) -> Self {
        Self::PartAnyCase(AnyCase::new(text))
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Part(part) => part.is_in(text),
            Self::PartAnyCase(part) => part.is_in(text),
            Self::Whole(whole) => **whole == *text,
            Self::WholeAnyCase(whole) => whole.eq_ignore_ascii_case(text),
        }
    }

    /// Whether it is a part that is found only as it is written.
    pub(super) fn minds_case(&self) -> bool {
        matches!(self, Self::Part(_))
    }

    /// Whether a text has it as soon as a part of the text does.
    pub(super) fn is_part(&self) -> bool {
        matches!(self, Self::Part(_) | Self::PartAnyCase(_))
    }

    /// The letters that a text must have to be worth looking into.
    pub(super) fn letters(&self) -> Letters {
        match self {
            Self::PartAnyCase(part) => part.letter_set,
            Self::Part(part) => Letters::of(&part.text),
            Self::Whole(text) | Self::WholeAnyCase(text) => Letters::of(text),
        }
    }

    /// Whether a text that has the letters has what is looked for.
    pub(super) fn is_told_by_letters(&self) -> bool {
        matches!(self, Self::PartAnyCase(part) if part.is_told_by_letters)
    }

    /// The same as bytes, to be looked for in many texts at once that have line breaks between them; `None` when that cannot be.
    /// Of texts outside ASCII it says nothing in which the case does not matter.
    pub(super) fn bytes(&self) -> Option<Bytes<'_>> {
        match self {
            Self::Part(part) => (!part.text.is_empty() && !part.text.contains('\n')).then_some(Bytes::Exact(part)),
            Self::PartAnyCase(part) => {
                let ascii = part.ascii.as_ref().filter(|ascii| !ascii.bytes.is_empty() && !ascii.bytes.contains(&b'\n'));
                ascii.map(Bytes::AnyCase)
            }
            Self::Whole(_) | Self::WholeAnyCase(_) => None,
        }
    }

    /// The letter that this one has behind all of the other one, if a set of letters tells of it.
    pub(super) fn letter_behind(&self, other: &Self) -> Option<Letters> {
        let (Self::PartAnyCase(this), Self::PartAnyCase(that)) = (self, other) else { return None };
        let (last, before) = this.letters.split_last()?;
        let last = last.to_string();
        (*before == *that.letters && Letters::tell(&last)).then(|| Letters::of(&last))
    }

    /// Whether every text with this one in it has the other one in it too.
    pub(super) fn implies(&self, other: &Self) -> bool {
        self == other
            || match (self, other) {
                (Self::Part(Exact { text: this, .. }) | Self::Whole(this), Self::Part(part)) => part.is_in(this),
                (Self::Part(Exact { text: this, .. }) | Self::Whole(this), Self::PartAnyCase(part)) => part.is_in(this),
                (Self::PartAnyCase(this), Self::PartAnyCase(part)) => part.occurs(this.letters.iter().copied()),
                _ => false,
            }
    }

    /// The first place at or behind `from` where the text has it.
    pub(super) fn place(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let rest = text.get(from..)?;
        match self {
            Self::Part(part) => rest.find(&*part.text).map(|at| from + at..from + at + part.text.len()),
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

/// A text to be found as it is written.
#[derive(Debug, Clone)]
pub(super) struct Exact {
    text: Box<str>,
    finder: memmem::Finder<'static>,
}

impl Exact {
    fn new(text: &str) -> Self {
        Self { text: text.into(), finder: memmem::Finder::new(text).into_owned() }
    }

    fn is_in(&self, text: &str) -> bool {
        self.finder.find(text.as_bytes()).is_some()
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Exact {}

/// What to look for in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bytes<'f> {
    Exact(&'f Exact),
    AnyCase(&'f Ascii),
}

impl Bytes<'_> {
    /// Whether texts outside ASCII have it only where their bytes do.
    pub(super) fn is_exact(self) -> bool {
        matches!(self, Self::Exact(_))
    }

    /// The letters that stand behind it, wherever the bytes have it.
    pub(super) fn letters_behind(self, bytes: &[u8]) -> Result<Letters, TooLong> {
        let mut patience = Patience::with(bytes.len());
        let mut letters = Letters::default();
        let mut rest = bytes;
        while let Some(found) = self.find(rest, &mut patience)? {
            letters = rest.get(found.end).map_or(letters, |&next| letters.with(Letters::of_byte(next)));
            // Places that overlap are not many, or it would take long.
            patience.spend(found.len())?;
            rest = rest.get(found.start + 1..).unwrap_or_default();
        }
        Ok(letters)
    }

    /// The first place where the bytes have it.
    pub(super) fn find(self, bytes: &[u8], patience: &mut Patience) -> Result<Option<Range<usize>>, TooLong> {
        let (found, length) = match self {
            Self::Exact(part) => (part.finder.find(bytes), part.text.len()),
            Self::AnyCase(ascii) => (ascii.find(bytes, patience)?, ascii.bytes.len()),
        };
        Ok(found.map(|start| start..start + length))
    }
}

/// A text to be found in any case, one letter for one letter: `ß` is not `SS`.
///
/// In ASCII its rarest letters are looked for first. Where they are found too often for nothing, and in other texts, this is
/// Knuth, Morris and Pratt's search: ids and URLs come from outside, and a search that starts over at every letter could be made
/// to take the product of both lengths.
#[derive(Debug, Clone)]
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

impl PartialEq for AnyCase {
    fn eq(&self, other: &Self) -> bool {
        self.letters == other.letters
    }
}

impl Eq for AnyCase {}

/// The same text as bytes, and the part of it that is looked for first.
#[derive(Debug, Clone)]
pub(super) struct Ascii {
    bytes: Box<[u8]>,
    rare: Rare,
    rare_at: usize,
    /// What is looked for first is all there is.
    rare_is_all: bool,
}

/// Letters that are looked for in each of their cases at once.
#[derive(Debug, Clone)]
enum Rare {
    One(u8, u8),
    Few(Searcher, usize),
}

/// Rare letters that are looked for together: more of them have more cases.
const TOGETHER: usize = 3;

impl Rare {
    /// At most [`TOGETHER`] letters.
    fn new(letters: &[u8]) -> Self {
        let mut cases = vec![Vec::new()];
        for letter in letters {
            let both = [letter.to_ascii_lowercase(), letter.to_ascii_uppercase()];
            let both = if both.first() == both.last() { both.get(..1) } else { both.get(..) }.unwrap_or_default();
            cases = cases.iter().flat_map(|case| both.iter().map(move |&letter| [&**case, &[letter]].concat())).collect();
        }
        let first = letters.first().copied().unwrap_or_default();
        // Some processors have no way to look for several texts at once.
        let searcher = (letters.len() > 1).then(|| Searcher::new(&cases)).flatten();
        searcher.map_or(Self::One(first, first.to_ascii_uppercase()), |searcher| Self::Few(searcher, letters.len()))
    }

    /// How many letters are looked for.
    fn letters(&self) -> usize {
        match self {
            Self::One(..) => 1,
            Self::Few(_, letters) => *letters,
        }
    }

    fn find(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::One(small, capital) => memchr2(*small, *capital, bytes),
            Self::Few(searcher, _) => searcher.find(bytes).map(|found| found.start()),
        }
    }
}

/// Letters of URLs and ids from the most frequent on; any other is rarer.
const FREQUENT: &[u8] = b"e/ostc.ahniprlm:dk-uwbg_0123456789fvyxjqz";

impl Ascii {
    fn new(letters: &[char]) -> Option<Self> {
        let bytes: Box<[u8]> =
            letters.iter().map(|&letter| u8::try_from(letter).ok().filter(u8::is_ascii)).collect::<Option<_>>()?;
        let rarity = |byte: u8| FREQUENT.iter().position(|&other| other == byte).unwrap_or(FREQUENT.len());
        let width = bytes.len().clamp(1, TOGETHER);
        let rarity_of = |part: &[u8]| part.iter().map(|&byte| rarity(byte)).sum::<usize>();
        let (rare_at, rare) = bytes.windows(width).enumerate().max_by_key(|(_, part)| rarity_of(part)).unwrap_or_default();
        let rare = Rare::new(rare);
        Some(Self { rare_is_all: bytes.len() == rare.letters(), rare, rare_at, bytes })
    }

    /// Where the text has it.
    fn find(&self, text: &[u8], patience: &mut Patience) -> Result<Option<usize>, TooLong> {
        let mut from = self.rare_at;
        while let Some(at) = text.get(from..).and_then(|rest| self.rare.find(rest)) {
            let start = from + at - self.rare_at;
            match text.get(start..start + self.bytes.len()) {
                None => return Ok(None),
                Some(there) if self.rare_is_all || there.eq_ignore_ascii_case(&self.bytes) => return Ok(Some(start)),
                Some(there) => patience.spend(there.len())?,
            }
            from += at + 1;
        }
        Ok(None)
    }
}

/// How many bytes may be compared for nothing in a text, in one search or in many.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Patience(usize);

impl Patience {
    pub(super) fn with(length: usize) -> Self {
        Self(length.saturating_mul(4).saturating_add(4096))
    }

    fn spend(&mut self, bytes: usize) -> Result<(), TooLong> {
        self.0 = self.0.checked_sub(bytes).ok_or(TooLong)?;
        Ok(())
    }
}

/// A search gave up: its text was made to be searched for long.
#[derive(Debug)]
pub(super) struct TooLong;

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
            Some(ascii) => match ascii.find(text.as_bytes(), &mut Patience::with(text.len())) {
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
    fn letters_behind_a_word_are_those_of_every_place() {
        let behind = |part: &str, text: &str| Finder::part(part).bytes().unwrap().letters_behind(text.as_bytes());
        assert_eq!(behind("aa", "aaab aac aA-aa").unwrap(), Letters::of("abc-"));
        assert_eq!(behind("aa", "ab ba").unwrap(), Letters::default());
        assert!(behind(&"a".repeat(1_000), &"a".repeat(100_000)).is_err(), "it would take long");
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
