//! Compares two listings. Webhooks that the live one leaves out are requested by id: a listing that changes while it is read can
//! leave out a webhook, so only a 404 confirms that it was removed.

use jiff::Timestamp;

use super::workspace::Workspace;
use crate::analysis::diff::{Diff, NumberedRow};
use crate::analysis::field_changes::IgnoredFields;
use crate::analysis::query::Query;
use crate::api::ApiError;
use crate::fetch::MissingWebhooks;
use crate::model::Rows;
use crate::output::Differences;

/// The definition of a difference.
pub(super) struct ListingComparison {
    pub(super) ignored: IgnoredFields,
    pub(super) query: Query,
    /// The text of the query.
    pub(super) filter: Option<String>,
}

impl ListingComparison {
    /// Parses the query again, since ages are relative to the current time.
    pub(super) fn renew(&mut self, now: Timestamp) {
        if let Some(Ok(query)) = self.filter.as_deref().map(|filter| Query::parse(filter, now)) {
            self.query = query;
        }
    }

    /// The differences that match the query.
    pub(super) fn diff<'a>(&self, before: &'a Rows, after: &'a Rows) -> Diff<'a> {
        let mut diff = Diff::of(before, after, &self.ignored);
        diff.sort_by_id();
        if !self.query.is_empty() {
            diff.retain(|_, (_, row)| self.query.matches(row));
        }
        diff
    }

    /// The differences to write, with the unconfirmed ones apart.
    pub(super) fn differences<'a>(&self, before: &'a Rows, after: &'a Rows, missing: &MissingWebhooks) -> Differences<'a> {
        let mut diff = self.diff(before, after);
        let mut unknown = Vec::new();
        // Removed, or added if the older side is the live one.
        for entries in [&mut diff.removed, &mut diff.added] {
            unknown.extend(entries.extract_if(.., |(_, row)| missing.unknown.contains(row.id())).map(|(_, row)| row));
        }
        let moved = diff.registered_again();
        let rows = |numbered: Vec<NumberedRow<'a>>| numbered.into_iter().map(|(_, row)| row).collect();
        let changed = diff.changed.into_iter().map(|((_, before), (_, after))| (before, after)).collect();
        Differences { added: rows(diff.added), removed: rows(diff.removed), changed, unknown, moved }
    }

    /// Requests the webhooks of the other side that the live one leaves out, and adds those that exist to it.
    ///
    /// # Errors
    ///
    /// The key is refused.
    pub(super) async fn confirm(
        &self,
        other: &Rows,
        listed: &mut Rows,
        live: &mut Workspace,
    ) -> Result<MissingWebhooks, ApiError> {
        let ids: Vec<_> = self.diff(other, listed).removed.iter().map(|(_, row)| row.id().to_owned()).collect();
        let missing = live.confirm(&ids).await?;
        missing.complete(listed);
        Ok(missing)
    }
}
