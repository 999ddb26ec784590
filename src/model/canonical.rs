//! A whole listing in its canonical form, however it is held in memory: what can be written must not have to be copied first.

use std::borrow::Cow;

use super::roster::{Entry, Roster};

/// A webhook in its canonical form.
#[derive(Debug)]
pub struct Canonical<'a> {
    /// The true id.
    pub id: &'a str,
    /// JSON in one line, as [`super::Row::canonical_json`] writes it.
    pub json: Cow<'a, str>,
}

/// All webhooks of a workspace, to be gone through as often as needed.
pub trait CanonicalRows {
    /// Every row as JSON in one line, in the API's order.
    fn rows(&self) -> impl Iterator<Item = Cow<'_, str>>;

    /// The webhooks by id, each id once.
    fn by_id(&self) -> impl Iterator<Item = Canonical<'_>>;

    /// The ids of the webhooks, sorted, each once.
    fn ids(&self) -> impl Iterator<Item = &str>;

    /// The rows that are no webhooks, as JSON in one line.
    fn malformed(&self) -> impl Iterator<Item = Cow<'_, str>>;

    /// How many webhooks there are.
    fn webhooks(&self) -> usize;
}

impl CanonicalRows for Roster {
    fn rows(&self) -> impl Iterator<Item = Cow<'_, str>> {
        Self::rows(self).map(|entry| Cow::Borrowed(entry.json()))
    }

    fn by_id(&self) -> impl Iterator<Item = Canonical<'_>> {
        self.sorted().map(|entry| Canonical { id: entry.id(), json: Cow::Borrowed(entry.json()) })
    }

    fn ids(&self) -> impl Iterator<Item = &str> {
        self.sorted().map(Entry::id)
    }

    fn malformed(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.malformed_rows().map(|entry| Cow::Borrowed(entry.json()))
    }

    fn webhooks(&self) -> usize {
        self.len()
    }
}
