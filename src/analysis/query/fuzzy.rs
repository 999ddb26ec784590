//! Fuzzy words, `~word`: their letters must occur in the same order, and a score rates the match.

use nucleo_matcher::chars::{normalize, to_lower_case};
use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::needle::has_capital;

/// The longest fuzzy word, in bytes. Longer ones are not typed in practice, and their scores could overflow.
pub(super) const MAX_BYTES: usize = 200;

/// A word to match letter by letter, with other letters allowed in between.
#[derive(Debug, Clone)]
pub(super) struct Fuzzy {
    atom: Atom,
    /// The letters as the atom has them.
    letters: Box<[char]>,
    any_case: bool,
    /// A letter without an accent also matches one with it.
    any_accent: bool,
}

impl Fuzzy {
    /// Creates a matcher for at most [`MAX_BYTES`]. Smart case: a capital letter makes it case-sensitive.
    pub(super) fn new(word: &str) -> Self {
        let any_case = !has_capital(word);
        let case = if any_case { CaseMatching::Ignore } else { CaseMatching::Respect };
        let atom = |word: &str| Atom::new(word, case, Normalization::Smart, AtomKind::Fuzzy, false);
        let mut needle = atom(word);
        let letters: Box<[char]> = needle.needle_text().chars().collect();
        if !word.is_ascii() && letters.iter().all(char::is_ascii) {
            // Combining marks are left out. The rest must be ASCII, or it would not be found in an ASCII text.
            needle = atom(&letters.iter().collect::<String>());
        }
        let any_accent = letters.iter().all(|&letter| normalize(letter) == letter);
        Self { atom: needle, letters, any_case, any_accent }
    }

    /// Returns true if the letters occur in this order. The matcher gives the same answer, but needs much working memory.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let mut wanted = self.letters.iter();
        let Some(mut next) = wanted.next() else { return true };
        for letter in text.chars() {
            if self.plain(letter) == *next {
                match wanted.next() {
                    Some(letter) => next = letter,
                    None => return true,
                }
            }
        }
        false
    }

    /// The score of a text that matches.
    pub(super) fn score(&self, text: Utf32Str<'_>, matcher: &mut Matcher) -> Option<u16> {
        self.atom.score(text, matcher)
    }

    /// The letters of the best match, as character indices of the text.
    pub(super) fn indices(&self, text: &str) -> Vec<u32> {
        let mut indices = Vec::new();
        let mut buffer = Vec::new();
        let mut matcher = Matcher::new(Config::DEFAULT);
        let _score = self.atom.indices(letters(text, &mut buffer), &mut matcher, &mut indices);
        indices.sort_unstable();
        indices.dedup();
        indices
    }

    fn plain(&self, letter: char) -> char {
        match letter {
            'A'..='Z' if self.any_case => letter.to_ascii_lowercase(),
            _ if letter.is_ascii() => letter,
            _ => {
                let letter = if self.any_accent { normalize(letter) } else { letter };
                if self.any_case { to_lower_case(letter) } else { letter }
            }
        }
    }
}

/// Converts a text for the matcher.
pub(super) fn letters<'t>(text: &'t str, buffer: &'t mut Vec<char>) -> Utf32Str<'t> {
    if text.is_ascii() {
        return Utf32Str::Ascii(text.as_bytes());
    }
    buffer.clear();
    buffer.extend(text.chars());
    Utf32Str::Unicode(buffer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn score(word: &str, text: &str) -> Option<u16> {
        Fuzzy::new(word).atom.score(letters(text, &mut Vec::new()), &mut Matcher::default())
    }

    #[test]
    fn letters_in_their_order_match() {
        for (word, text, found) in [
            ("acmcrm", "https://hooks.acme.com/crm", true),
            ("crmacm", "https://hooks.acme.com/crm", false),
            ("acm", "ACME", true),
            ("Acm", "ACME", false),
            ("ete", "ÉTÉ", true),
            ("été", "ete", false),
            ("a b", "a-- b", true),
            ("a\u{301}", "A", true),
        ] {
            assert_eq!(Fuzzy::new(word).is_in(text), found, "{word} in {text}");
            assert_eq!(score(word, text).is_some(), found, "{word} in {text}");
        }
    }

    #[test]
    fn a_huge_text_and_the_longest_word_have_a_score() {
        let text = "ab".repeat(500_000);
        let long = "a".repeat(MAX_BYTES);
        assert!(score(&long, &text).is_some_and(|score| score < u16::MAX));
        assert!(score(&long, &long).is_some_and(|score| score < u16::MAX));
        assert!(score("abb", &format!("é{text}")).is_some());
        assert_eq!(score("abc", &text), None);
    }

    proptest! {
        #[test]
        fn what_matches_is_what_the_matcher_matches(word in "[abAéÉß\u{301}/]{1,5}", text in "[abABéÉßĲ\u{301}/]{0,30}") {
            prop_assert_eq!(Fuzzy::new(&word).is_in(&text), score(&word, &text).is_some(), "{} in {}", word, text);
        }
    }
}
