//! Which letters a text has, as a set of 64 bits: a search skips what cannot hold its text without reading it.

/// A set of letters in whatever case. A text can hold another one only if its letters [`cover`](Letters::cover) the other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Letters(u64);

/// Where the bits begin that other characters share: 26 letters, 10 digits and the punctuation of URLs and ids have their own.
const SHARED: u32 = 49;
/// Bits that they share.
const SHARES: u32 = 63 - SHARED;
/// Set by every character outside ASCII.
const WIDE: u64 = 1 << 63;

/// The bit of each ASCII character.
#[expect(clippy::indexing_slicing, reason = "the compiler would notice")]
const ASCII: [u64; 128] = {
    let mut bits = [0; 128];
    let mut byte = 0;
    while byte < 128_u8 {
        bits[byte as usize] = 1 << place(byte.to_ascii_lowercase());
        byte += 1;
    }
    bits
};

/// The bit of an ASCII character that is no capital letter.
const fn place(byte: u8) -> u32 {
    match byte {
        b'a'..=b'z' => (byte - b'a') as u32,
        b'0'..=b'9' => 26 + (byte - b'0') as u32,
        b'.' => 36,
        b'/' => 37,
        b':' => 38,
        b'-' => 39,
        b'_' => 40,
        b'?' => 41,
        b'=' => 42,
        b'&' => 43,
        b'%' => 44,
        b'@' => 45,
        b'#' => 46,
        b'~' => 47,
        b'+' => 48,
        _ => SHARED + byte as u32 % SHARES,
    }
}

impl Letters {
    /// Of a text that may have letters which no set tells of: whatever it is joined with, what is not in it may be there.
    pub const UNKNOWN: Self = Self(WIDE);

    /// The letter that a byte is.
    pub fn of_byte(byte: u8) -> Self {
        // Bytes outside ASCII have no entry.
        Self(ASCII.get(usize::from(byte)).copied().unwrap_or(WIDE))
    }

    /// The letters of a text.
    pub fn of(text: &str) -> Self {
        let mut bits = text.bytes().fold(0, |bits, byte| bits | Self::of_byte(byte).0);
        if bits & WIDE != 0 {
            bits |= text.chars().filter(|c| !c.is_ascii()).fold(0, |bits, c| bits | bit(fold(c)));
        }
        Self(bits)
    }

    /// The letters of both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all letters of the other set are in this one. The bit of all characters outside ASCII says nothing: some of them
    /// stand for letters within it.
    pub const fn cover(self, other: Self) -> bool {
        other.0 & !WIDE & !self.0 == 0
    }

    /// Whether the text has nothing but ASCII letters, digits, and what stands between them in most URLs.
    pub const fn are_usual(self) -> bool {
        self.0 >> SHARED == 0
    }

    /// Whether the text is ASCII only.
    pub const fn is_ascii(self) -> bool {
        self.0 & WIDE == 0
    }

    /// Whether the letter is in the set, which is one that [tells](Letters::tell); `None` when the set does not tell.
    pub const fn has(self, letter: Self) -> Option<bool> {
        match (self.cover(letter), self.is_ascii()) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    /// Whether a text is one character that shares its bit with no other, so that covering it is having it.
    pub fn tell(text: &str) -> bool {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => c.is_ascii() && bit(c.to_ascii_lowercase()).trailing_zeros() < SHARED,
            _ => false,
        }
    }
}

/// The bit of a folded character.
fn bit(c: char) -> u64 {
    let code = u32::from(c);
    let ascii = usize::try_from(code).ok().and_then(|code| ASCII.get(code)).copied();
    ascii.unwrap_or(1 << (SHARED + code % SHARES))
}

/// The letter that stands for all cases of a letter. By way of the capital, since small letters can share one: `σ` and `ς`.
pub fn fold(letter: char) -> char {
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

    #[test]
    fn a_letter_tells_when_its_bit_is_its_own() {
        for text in ["a", "Z", "7", "/", "-"] {
            assert!(Letters::tell(text), "{text}");
        }
        for text in ["", "ab", "é", " ", "!", "\u{212a}"] {
            assert!(!Letters::tell(text), "{text}");
        }
        for one in "abcdefghijklmnopqrstuvwxyz0123456789./:-_?=&%@#~+".chars() {
            let text: String = (0..128_u8).map(char::from).filter(|c| c.to_ascii_lowercase() != one).collect();
            assert!(!Letters::of(&text).cover(Letters::of(&one.to_string())), "{one}");
        }
    }

    #[test]
    fn letters_outside_ascii_stand_for_those_within() {
        assert!(Letters::of("\u{212a}").cover(Letters::of("k")) && Letters::of("ſ").cover(Letters::of("S")));
        assert!(!Letters::of("é").is_ascii() && Letters::of("e").is_ascii());
    }

    proptest! {
        #[test]
        fn a_text_covers_its_parts_in_any_case(before in ".{0,8}", part in ".{0,8}", after in ".{0,8}") {
            let whole = Letters::of(&format!("{before}{part}{after}"));
            let folded: String = part.chars().map(fold).collect();
            prop_assert!(whole.cover(Letters::of(&part)) && whole.cover(Letters::of(&folded)));
        }
    }
}
