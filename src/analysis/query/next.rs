//! What one more letter of a query will find, before it is typed.

use std::ops::Range;

use super::find::{Bytes, Finder};
use super::scan::Known;
use super::{Condition, Query, Term};
use crate::model::{Letters, RowRef};

/// The word that is written last in a query, where more letters are typed.
#[derive(Debug)]
struct Word<'q> {
    finder: &'q Finder,
    part: Part,
}

/// Where a word is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Anywhere,
    Url,
    Id,
}

impl Query {
    /// The letter that was typed behind the other query, if one was, and a set of letters tells of it.
    pub fn letter_behind(&self, other: &Self) -> Option<Letters> {
        let (word, before) = (self.word()?, other.word()?);
        let letter = word.finder.letter_behind(before.finder).filter(|_| word.part == before.part)?;
        let is_kept = |(place, (this, that)): (usize, (&Term, &Term))| {
            Some(place) == self.last || this.implies(that) && that.implies(this)
        };
        let is_like = self.last == other.last && self.terms.len() == other.terms.len();
        (is_like && self.terms.iter().zip(&*other.terms).enumerate().all(is_kept)).then_some(letter)
    }

    /// The word that is written last, if it is looked for in the texts that each row has of its own.
    fn word(&self) -> Option<Word<'_>> {
        let term = self.terms.get(self.last?).filter(|term| !term.negated)?;
        let (finder, part) = match &*term.any {
            [Condition::Anywhere(finder)] => (finder, Part::Anywhere),
            [Condition::Url(finder)] => (finder, Part::Url),
            [Condition::Id(finder)] => (finder, Part::Id),
            _ => return None,
        };
        Some(Word { finder, part })
    }
}

/// Tells of rows which letters stand behind the last word of a query. A query with one letter more finds those that have that
/// letter.
#[derive(Debug)]
pub struct NextLetters<'q> {
    bytes: Bytes<'q>,
    part: Part,
    /// By the number of a list of events.
    lists: Known<Letters>,
}

impl<'q> NextLetters<'q> {
    /// `None` when letters tell nothing of what a longer query finds.
    pub fn new(query: &'q Query) -> Option<Self> {
        let word = query.word()?;
        let bytes = word.finder.bytes().filter(|bytes| !bytes.is_exact())?;
        Some(Self { bytes, part: word.part, lists: Known::default() })
    }

    /// The letters behind the word in a row that the query finds.
    pub fn of(&mut self, row: RowRef<'_>) -> Letters {
        let (url, id) = row.places();
        match self.part {
            Part::Anywhere => self.in_text(row, row.place_of_all()).with(self.in_events(row)),
            Part::Url => {
                let respelled = row.place_of_respelled().map(|place| self.in_text(row, place));
                self.in_text(row, url).with(respelled.unwrap_or_default())
            }
            Part::Id => self.in_text(row, id),
        }
    }

    fn in_text(&self, row: RowRef<'_>, place: Range<usize>) -> Letters {
        let text = row.block().text().as_bytes().get(place).filter(|_| row.letters().is_ascii());
        text.map_or(Letters::UNKNOWN, |text| self.behind(text))
    }

    fn in_events(&mut self, row: RowRef<'_>) -> Letters {
        let Some(list) = row.events() else { return Letters::default() };
        if let Some(known) = self.lists.get(list.number) {
            return known;
        }
        let letters = if list.letters.is_ascii() {
            list.events.iter().fold(Letters::default(), |letters, event| letters.with(self.behind(event.name.as_bytes())))
        } else {
            Letters::UNKNOWN
        };
        self.lists.set(list.number, letters)
    }

    fn behind(&self, text: &[u8]) -> Letters {
        self.bytes.letters_behind(text).unwrap_or(Letters::UNKNOWN)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn behind(longer: &str, shorter: &str) -> Option<Letters> {
        let parse = |text: &str| Query::parse(text, Timestamp::UNIX_EPOCH).unwrap();
        parse(longer).letter_behind(&parse(shorter))
    }

    #[test]
    fn a_letter_was_typed_behind_a_query_that_is_the_same_without_it() {
        let letter = Some(Letters::of("o"));
        for (longer, shorter) in [
            ("ho", "h"),
            ("url:ho", "url:h"),
            ("id:ho", "id:h"),
            ("active:yes ho", "active:yes h"),
            ("url:acme -x ho", "url:acme -x h"),
            ("-x|y ~fu ho", "-x|y ~fu h"),
        ] {
            assert_eq!(behind(longer, shorter), letter, "{longer}");
        }
        for (longer, shorter) in [
            ("h", ""),
            ("ho", "o"),
            ("hoo", "h"),
            ("ho", "ho"),
            ("h", "ho"),
            ("hO", "h"),
            ("hé", "h"),
            ("h!", "h"),
            ("-ho", "-h"),
            ("x|ho", "x|h"),
            ("url:ho", "h"),
            ("event:ho", "event:h"),
            ("host:ho", "host:h"),
            ("~ho", "~h"),
            ("ho x", "h x"),
            ("x ho", "x|y h"),
            ("x|y ho", "x h"),
            ("y ho", "x h"),
            ("x ho", "h"),
            ("-x ho", "x h"),
        ] {
            assert_eq!(behind(longer, shorter), None, "{longer}");
        }
    }
}
