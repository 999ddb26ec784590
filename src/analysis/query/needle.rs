//! Text search within short texts and whole pages: a part or the whole, exactly or in any case.
//!
//! Every search takes time in proportion to the text alone: ids and URLs come from outside.

use std::ops::Range;

use memchr::memmem;

/// A text to search for.
#[derive(Debug)]
pub(super) struct Needle {
    /// Holds the text, folded if the needle ignores case.
    finder: memmem::Finder<'static>,
    ignores_case: bool,
    /// The needle must be all of the text.
    is_whole: bool,
    fits_one_line: bool,
}

impl Needle {
    /// A part of the text. Smart case: a capital letter makes it case-sensitive.
    pub(super) fn part(text: &str) -> Self {
        Self::new(text, !has_capital(text), false)
    }

    pub(super) fn part_any_case(text: &str) -> Self {
        Self::new(text, true, false)
    }

    pub(super) fn whole(text: &str) -> Self {
        Self::new(text, false, true)
    }

    pub(super) fn whole_any_case(text: &str) -> Self {
        Self::new(text, true, true)
    }

    fn new(text: &str, ignores_case: bool, is_whole: bool) -> Self {
        let mut folded = String::new();
        let text = if ignores_case { fold_text(text, &mut folded) } else { text };
        let fits_one_line = !is_whole && !text.is_empty() && !text.contains('\n');
        Self { finder: memmem::Finder::new(text).into_owned(), ignores_case, is_whole, fits_one_line }
    }

    pub(super) fn ignores_case(&self) -> bool {
        self.ignores_case
    }

    /// Returns true for a part that is found only in the case in which it was written.
    pub(super) fn is_case_sensitive_part(&self) -> bool {
        !self.ignores_case && !self.is_whole
    }

    /// Returns true if the needle can be searched for in several texts at once that are joined by line breaks.
    pub(super) fn fits_one_line(&self) -> bool {
        self.fits_one_line
    }

    /// Searches one text. `buffer` is scratch space.
    pub(super) fn is_in(&self, text: &str, buffer: &mut String) -> bool {
        let text = if self.ignores_case { fold_text(text, buffer) } else { text };
        if self.is_whole { text.as_bytes() == self.finder.needle() } else { self.finder.find(text.as_bytes()).is_some() }
    }

    /// Returns the first occurrence at or after `from` in bytes that are already folded if the needle ignores case.
    pub(super) fn find_folded(&self, bytes: &[u8], from: usize) -> Option<Range<usize>> {
        let start = from + self.finder.find(bytes.get(from..)?)?;
        Some(start..start + self.finder.needle().len())
    }

    /// Returns where the text has the needle, at most `most` places that do not overlap.
    pub(super) fn places(&self, text: &str, most: usize) -> Vec<Range<usize>> {
        let mut buffer = String::new();
        if self.finder.needle().is_empty() {
            return Vec::new();
        }
        if self.is_whole {
            return self.is_in(text, &mut buffer).then_some(0..text.len()).into_iter().take(most).collect();
        }
        let searched = if self.ignores_case { fold_text(text, &mut buffer) } else { text };
        // Folding keeps the number of characters, but not that of bytes.
        let unfolded = |end: usize| {
            let characters = searched.get(..end).map_or(0, |before| before.chars().count());
            text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at)
        };
        let length = self.finder.needle().len();
        let starts = self.finder.find_iter(searched.as_bytes()).take(most);
        starts.map(|start| unfolded(start)..unfolded(start + length)).collect()
    }
}

/// Returns true if a text has a capital letter, which makes its search case-sensitive.
pub(super) fn has_capital(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
}

/// Folds a text into the buffer, character by character: `ß` does not become `ss`.
fn fold_text<'b>(text: &str, buffer: &'b mut String) -> &'b str {
    buffer.clear();
    if text.is_ascii() {
        buffer.push_str(text);
        buffer.make_ascii_lowercase();
    } else {
        buffer.extend(text.chars().map(fold));
    }
    buffer
}

/// Returns the same letter for all cases of a letter. Goes through the capital, since small letters can share one: `σ` and
/// `ς`.
fn fold(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    let capital = only(letter.to_uppercase()).unwrap_or(letter);
    only(capital.to_lowercase()).unwrap_or(capital)
}

/// The letter, if it is a single one.
fn only(mut letters: impl ExactSizeIterator<Item = char>) -> Option<char> {
    if letters.len() == 1 { letters.next() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(part: &str, text: &str) -> bool {
        Needle::part(part).is_in(text, &mut String::new())
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
        assert!(found("\u{130}", "x\u{130}") && !found("i", "\u{130}"));
    }

    #[test]
    fn nothing_is_in_everything() {
        assert!(found("", "") && found("", "a") && !found("a", ""));
    }

    #[test]
    fn text_that_repeats_itself_is_searched_in_one_pass() {
        assert!(found("aab", "aaab") && found("abab-abac", "xABAB-ABAB-ABACx") && !found("aab", "aaaa"));
        // The product of the lengths would be 4 * 10^9 steps.
        let text = "a".repeat(1_000_000);
        assert!(!found(&format!("{}b", "a".repeat(4_000)), &text));
        assert!(!found(&format!("{}é", "a".repeat(4_000)), &format!("é{text}")));
    }

    #[test]
    fn the_whole_is_not_a_part() {
        let is_in = |needle: Needle, text: &str| needle.is_in(text, &mut String::new());
        assert!(is_in(Needle::whole("a"), "a") && !is_in(Needle::whole("a"), "ab") && !is_in(Needle::whole("a"), "A"));
        assert!(is_in(Needle::whole_any_case("a"), "A") && !is_in(Needle::whole_any_case("a"), "AB"));
    }

    #[test]
    fn places_are_those_of_the_text_as_it_is_spelled() {
        let places = |part: &str, text: &str| -> Vec<String> {
            Needle::part(part).places(text, 2).into_iter().map(|place| text.get(place).unwrap().to_owned()).collect()
        };
        assert_eq!(places("kb", "\u{212a}bé\u{212a}B kb"), ["\u{212a}b", "\u{212a}B"]);
        assert_eq!(places("é", "aÉ"), ["É"]);
        assert_eq!(places("aa", "aaa"), ["aa"]);
        assert_eq!(places("", "a"), [""; 0]);
        assert!(Needle::whole("ab").places("abc", 2).is_empty());
        assert_eq!(Needle::whole("ab").places("ab", 2).first(), Some(&(0..2)));
    }

    proptest! {
        #[test]
        fn the_search_finds_what_the_standard_library_finds(part in "[ab]{0,6}", text in "[ab]{0,40}") {
            prop_assert_eq!(found(&part, &text), text.contains(&part));
            prop_assert_eq!(found(&part, &text.to_uppercase()), text.contains(&part));
            prop_assert_eq!(found(&part, &format!("é{text}")), text.contains(&part));
        }

        #[test]
        fn folding_twice_is_folding_once(letter: char) {
            prop_assert_eq!(fold(fold(letter)), fold(letter));
        }
    }
}
