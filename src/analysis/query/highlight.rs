//! Finds the parts of a displayed text that a query matches.

use std::ops::Range;

use super::condition::Condition;
use super::parsed::Query;

/// The most highlighted places in one text. More would not help a reader.
const MAX_PLACES: usize = 32;

impl Query {
    /// Returns the matching byte ranges of a displayed URL, in order and separated by at least one byte. If the URL is cut,
    /// only the displayed part is searched.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut places: Vec<Range<usize>> = Vec::new();
        for condition in self.wanted() {
            let room = MAX_PLACES.saturating_sub(places.len());
            match condition {
                Condition::Anywhere(needle) | Condition::Url(needle) | Condition::Host(needle) | Condition::Path(needle) => {
                    places.extend(needle.places(text, room));
                }
                Condition::Pattern(regex) => {
                    places.extend(
                        regex.find_iter(text).map(|found| found.range()).filter(|place| !place.is_empty()).take(room),
                    );
                }
                Condition::Fuzzy(fuzzy) => places.extend(characters(text, &fuzzy.indices(text)).take(room)),
                _ => {}
            }
        }
        merged(places)
    }

    /// Returns true if the query searches event names and matches this one.
    pub fn is_event_wanted(&self, name: &str) -> bool {
        self.wanted().any(|condition| match condition {
            Condition::Anywhere(needle) | Condition::Event(needle) => needle.is_in(name, &mut String::new()),
            Condition::Pattern(regex) => regex.is_match(name),
            Condition::Fuzzy(fuzzy) => fuzzy.is_in(name),
            _ => false,
        })
    }

    fn wanted(&self) -> impl Iterator<Item = &Condition> {
        self.terms.iter().filter(|term| !term.negated).flat_map(|term| &term.any)
    }
}

fn characters(text: &str, indices: &[u32]) -> impl Iterator<Item = Range<usize>> {
    let wanted = |&(index, _): &(u32, _)| indices.binary_search(&index).is_ok();
    (0..).zip(text.char_indices()).filter(wanted).map(|(_, (at, c))| at..at + c.len_utf8())
}

fn merged(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|place| place.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(places.len());
    for place in places {
        match merged.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => merged.push(place),
        }
    }
    merged
}
