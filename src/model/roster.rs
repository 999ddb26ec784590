//! All webhooks of a workspace at one moment, as little more than their JSON texts: two of a million webhooks each fit into
//! memory beside each other, and what is the same in both is seen without reading a field.

use std::cmp::Ordering;

use serde_json::value::RawValue;

use super::Webhook;
use super::row::{Element, Row};

/// Texts are kept in pieces of so many bytes, so that adding one never copies all the others.
const PIECE: usize = 1 << 20;

/// The rows of a workspace: in the order they came, and by id.
#[derive(Debug, Default, Clone)]
pub struct Roster {
    texts: Vec<String>,
    rows: Vec<Place>,
    /// The places of the webhooks, sorted by id, each id once.
    by_id: Vec<u32>,
    malformed: u64,
    repeated: Vec<u32>,
}

/// Where a row stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    piece: u32,
    start: u32,
    len: u32,
    /// Where the id stands within its piece, spelled as it is and not as JSON spells it.
    id_start: u32,
    /// [`NONE`] for what is no webhook.
    id_len: u32,
}

const NONE: u32 = u32::MAX;

/// One row of a roster.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    roster: &'a Roster,
    place: &'a Place,
}

impl<'a> Entry<'a> {
    /// The row as JSON in one line, the fields of a webhook in the contract's order.
    pub fn json(self) -> &'a str {
        self.roster.slice(self.place.piece, self.place.start, self.place.len)
    }

    /// The true id; empty for what is no webhook.
    pub fn id(self) -> &'a str {
        if self.place.id_len == NONE {
            return "";
        }
        self.roster.slice(self.place.piece, self.place.id_start, self.place.id_len)
    }

    /// The whole row.
    pub fn row(self) -> Option<Row> {
        Row::decode(serde_json::from_str::<&RawValue>(self.json()).ok()?).ok()
    }

    /// The whole webhook; `None` for what is none.
    pub fn webhook(self) -> Option<Webhook> {
        match self.row()? {
            Row::Webhook(webhook) => Some(webhook),
            Row::Malformed(_) => None,
        }
    }
}

impl Roster {
    /// Rows that were read.
    pub fn of_rows<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Self {
        let mut roster = Self::default();
        for row in rows {
            roster.push_row(row);
        }
        roster.sort();
        roster
    }

    /// Adds a row in its canonical form; [`Roster::sort`] must follow.
    pub fn push_row(&mut self, row: &Row) {
        self.push_text(row.id_text(), &row.canonical_json());
    }

    /// Adds an element as it is spelled; [`Roster::sort`] must follow.
    pub fn push_text(&mut self, id: Option<&str>, json: &str) {
        // A first piece grows as it has to: most workspaces are small.
        let needed = json.len() + id.map_or(0, str::len);
        let is_full = self.texts.last().is_none_or(|piece| !piece.is_empty() && piece.len() + needed > PIECE);
        if is_full {
            let capacity = if self.texts.is_empty() { needed } else { PIECE.max(needed) };
            self.texts.push(String::with_capacity(capacity));
        }
        let piece = size(self.texts.len().saturating_sub(1));
        let Some(text) = self.texts.last_mut() else { return };
        let start = text.len();
        text.push_str(json);
        let (id_start, id_len) = match id {
            None => {
                self.malformed += 1;
                (start, NONE)
            }
            // Nearly always it stands in the JSON as it is, at the start.
            Some(id)
                if json.get(ID_START.len()..).is_some_and(|rest| rest.starts_with(id)) && json.starts_with(ID_START) =>
            {
                (start + ID_START.len(), size(id.len()))
            }
            Some(id) => {
                let at = text.len();
                text.push_str(id);
                (at, size(id.len()))
            }
        };
        self.rows.push(Place { piece, start: size(start), len: size(json.len()), id_start: size(id_start), id_len });
    }

    /// Puts the webhooks in the order of their ids. Of those that share one, the first counts.
    pub fn sort(&mut self) {
        let mut by_id: Vec<u32> =
            (0..).zip(&self.rows).filter(|(_, place)| place.id_len != NONE).map(|(number, _)| number).collect();
        let compare = |one: &u32, other: &u32| self.id_of(*one).cmp(self.id_of(*other)).then(one.cmp(other));
        // A snapshot is sorted already.
        if !by_id.is_sorted_by(|one, other| compare(one, other) != Ordering::Greater) {
            by_id.sort_unstable_by(compare);
        }
        let mut repeated = Vec::new();
        let mut last: Option<u32> = None;
        by_id.retain(|&number| {
            let is_new = last.is_none_or(|last| self.id_of(last) != self.id_of(number));
            if is_new {
                last = Some(number);
            } else {
                repeated.push(number);
            }
            is_new
        });
        self.by_id = by_id;
        self.repeated = repeated;
    }

    /// Adds rows that were found elsewhere, such as one that a listing had left out.
    pub fn add(&mut self, rows: impl IntoIterator<Item = (String, String)>) {
        for (id, json) in rows {
            self.push_text(Some(&id), &json);
        }
        self.sort();
    }

    /// The webhooks by id, each once.
    pub fn sorted(&self) -> impl Iterator<Item = Entry<'_>> {
        self.by_id.iter().filter_map(|&number| self.entry(number))
    }

    /// Every row in the order it came, those that are no webhooks included.
    pub fn rows(&self) -> impl Iterator<Item = Entry<'_>> {
        self.rows.iter().map(|place| Entry { roster: self, place })
    }

    /// The rows that are no webhooks, in the order they came.
    pub fn malformed_rows(&self) -> impl Iterator<Item = Entry<'_>> {
        self.rows().filter(|entry| entry.place.id_len == NONE)
    }

    pub fn get(&self, id: &str) -> Option<Entry<'_>> {
        let place = self.by_id.binary_search_by(|&number| self.id_of(number).cmp(id)).ok()?;
        self.entry(*self.by_id.get(place)?)
    }

    /// How many webhooks there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is nothing, not even something that is no webhook.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows are no webhooks.
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    /// How many rows repeat the id of an earlier one, and one of these ids.
    pub fn repeated(&self) -> Option<(usize, &str)> {
        Some((self.repeated.len(), self.id_of(*self.repeated.first()?)))
    }

    fn entry(&self, number: u32) -> Option<Entry<'_>> {
        let place = self.rows.get(number as usize)?;
        Some(Entry { roster: self, place })
    }

    fn id_of(&self, number: u32) -> &str {
        self.entry(number).map_or("", Entry::id)
    }

    fn slice(&self, piece: u32, start: u32, len: u32) -> &str {
        let (start, len) = (start as usize, len as usize);
        let piece = self.texts.get(piece as usize);
        piece.and_then(|piece| piece.get(start..start.saturating_add(len))).unwrap_or_default()
    }
}

/// What every webhook's JSON starts with.
const ID_START: &str = r#"{"id":""#;

/// A row is at most 64 MiB, and a piece one row more than [`PIECE`].
fn size(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Row {
        Row::decode(&RawValue::from_string(json.to_owned()).unwrap()).unwrap()
    }

    fn roster(rows: &[&str]) -> Roster {
        Roster::of_rows(&rows.iter().map(|json| row(json)).collect::<Vec<_>>())
    }

    #[test]
    fn rows_come_out_as_they_went_in_and_by_id() {
        let jsons =
            [r#"{"id":"b","url":"u","z":1}"#, r#"{"id":7}"#, r#"{"id":"a\"\n","url":"v"}"#, r#"{"id":"a","url":"w"}"#];
        let roster = roster(&jsons);
        assert_eq!(roster.rows().map(Entry::json).collect::<Vec<_>>(), jsons);
        assert_eq!(roster.sorted().map(Entry::id).collect::<Vec<_>>(), ["a", "a\"\n", "b"]);
        assert_eq!((roster.len(), roster.malformed(), roster.repeated()), (3, 1, None));
        assert_eq!(roster.get("a\"\n").and_then(Entry::webhook).unwrap().url.raw(), "v");
        assert!(roster.get("c").is_none() && roster.get("").is_none());
        assert_eq!(roster.malformed_rows().map(Entry::json).collect::<Vec<_>>(), [r#"{"id":7}"#]);
    }

    #[test]
    fn of_rows_that_share_an_id_the_first_counts() {
        let roster = roster(&[r#"{"id":"b","url":"1"}"#, r#"{"id":"a","url":"2"}"#, r#"{"id":"b","url":"3"}"#]);
        assert_eq!(roster.get("b").and_then(Entry::webhook).unwrap().url.raw(), "1");
        assert_eq!((roster.len(), roster.repeated()), (2, Some((1, "b"))));
    }

    #[test]
    fn unknown_fields_have_one_order() {
        let one = roster(&[r#"{"z":1,"url":"u","a":2,"id":"x"}"#]);
        let other = roster(&[r#"{"id":"x","url":"u","a":2,"z":1}"#]);
        assert_eq!(one.get("x").unwrap().json(), other.get("x").unwrap().json());
    }

    #[test]
    fn many_rows_and_huge_ones_are_kept_in_pieces() {
        let huge = format!(r#"{{"id":"huge","url":"{}"}}"#, "x".repeat(3 * PIECE));
        let mut rows: Vec<_> =
            (0..20_000).map(|n| row(&format!(r#"{{"id":"{n:05}","url":"{}"}}"#, "y".repeat(99)))).collect();
        rows.insert(10_000, row(&huge));
        let roster = Roster::of_rows(&rows);
        assert!(roster.texts.len() > 3);
        assert_eq!(roster.get("huge").unwrap().json(), huge);
        assert!(rows.iter().all(|row| roster.get(row.id_text().unwrap()).unwrap().row().as_ref() == Some(row)));
    }

    #[test]
    fn what_is_added_later_is_found_too() {
        let mut roster = roster(&[r#"{"id":"b","url":"u"}"#]);
        roster.add([("a".to_owned(), r#"{"id":"a","url":"v"}"#.to_owned())]);
        assert_eq!(roster.sorted().map(Entry::id).collect::<Vec<_>>(), ["a", "b"]);
    }
}
