//! Finding text in text, without allocating and in time that grows with the text alone, whatever it contains.

/// A text to look for.
#[derive(Debug, Clone)]
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
}

/// Whether a text as it was typed asks for its case to matter.
pub(super) fn has_capital(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
}

/// A text to be found in any case, one letter for one letter: `ß` is not `SS`.
///
/// This is Knuth, Morris and Pratt's search: ids and URLs come from outside, and a search that starts over at every letter
/// could be made to take the product of both lengths.
#[derive(Debug, Clone)]
pub(super) struct AnyCase {
    /// The letters, folded.
    letters: Box<[char]>,
    /// For each letter: how many letters up to and with it are also the first letters of the text.
    borders: Box<[usize]>,
    ascii: bool,
}

impl AnyCase {
    fn new(text: &str) -> Self {
        let letters: Box<[char]> = text.chars().map(fold).collect();
        let ascii = letters.iter().all(char::is_ascii);
        let mut found = Self { letters, borders: Box::default(), ascii };
        let mut borders = Vec::with_capacity(found.letters.len());
        let mut border = 0;
        for (place, &letter) in found.letters.iter().enumerate() {
            if place > 0 {
                border = step(&found.letters, &borders, border, letter);
            }
            borders.push(border);
        }
        found.borders = borders.into();
        found
    }

    fn is_in(&self, text: &str) -> bool {
        if text.is_ascii() {
            self.ascii && self.occurs(text.bytes().map(|byte| char::from(byte.to_ascii_lowercase())))
        } else {
            self.occurs(text.chars().map(fold))
        }
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

/// The letter that stands for all cases of a letter. By way of the capital, since small letters can share one: `σ` and `ς`.
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
