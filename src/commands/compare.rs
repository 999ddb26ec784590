//! Two listings compared, with what the live one leaves out requested by id: a listing that shifts while it is read can hide a
//! webhook, so only a 404 says that one is gone.

use jiff::Timestamp;

use super::workspace::{Live, Missing};
use crate::analysis::diff::{Diff, Ignored};
use crate::analysis::query::Query;
use crate::api::ApiError;
use crate::model::{Rows, RowsById};
use crate::output::Differences;

/// What counts as a difference.
pub(super) struct Comparison {
    pub(super) ignored: Ignored,
    pub(super) query: Query,
    /// The query as it was written.
    pub(super) filter: Option<String>,
}

impl Comparison {
    /// Reads the query again: an age is one of now.
    pub(super) fn renew(&mut self, now: Timestamp) {
        if let Some(Ok(query)) = self.filter.as_deref().map(|filter| Query::parse(filter, now)) {
            self.query = query;
        }
    }

    /// The differences, as far as they are wanted.
    pub(super) fn diff<'a>(&self, before: &'a Rows, after: &'a Rows) -> Diff<'a> {
        let mut diff = Diff::of(&RowsById::new(before), &RowsById::new(after), &self.ignored);
        if !self.query.is_empty() {
            diff.retain(|row| self.query.matches(row));
        }
        diff
    }

    /// The differences as they are written.
    pub(super) fn differences<'a>(&self, before: &'a Rows, after: &'a Rows, missing: &Missing) -> Differences<'a> {
        let mut diff = self.diff(before, after);
        let mut unknown = Vec::new();
        // Removed, or added if the older side is the live one.
        for entries in [&mut diff.removed, &mut diff.added] {
            unknown.extend(entries.extract_if(.., |entry| missing.unknown.contains(entry.id())));
        }
        let moved = diff.moved();
        let Diff { added, removed, changed, .. } = diff;
        Differences { added, removed, changed, unknown, moved }
    }

    /// Asks for the webhooks of the other side that the live one leaves out, and adds those that are there to it.
    ///
    /// # Errors
    ///
    /// The key is refused.
    pub(super) async fn confirm(&self, other: &Rows, listed: &mut Rows, live: &Live) -> Result<Missing, ApiError> {
        let ids: Vec<_> = self.diff(other, listed).removed.iter().map(|entry| entry.id().to_owned()).collect();
        let missing = live.confirm(&ids).await?;
        missing.complete(listed);
        Ok(missing)
    }
}
