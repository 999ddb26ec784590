//! Two rosters compared, with what the newer one leaves out asked for by id: a listing that shifts while it is read can hide a
//! webhook, so only a 404 says that one is gone.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::workspace::Live;
use crate::analysis::diff::{Diff, Ignored};
use crate::analysis::query::Query;
use crate::api::ApiError;
use crate::model::{Element, Roster, Row, WebhookId};
use crate::output::Differences;
use crate::safe;
use crate::text::Safe;

/// Ids that are asked for at most.
const ASKED: usize = 100;

/// What counts as a difference.
pub(super) struct Comparison {
    pub(super) ignored: Ignored,
    pub(super) query: Query,
    /// The query as it was written.
    pub(super) filter: Option<String>,
}

/// What was learned of webhooks that a listing left out.
#[derive(Debug, Default)]
pub(super) struct Missing {
    /// They are neither listed nor surely gone.
    pub(super) unknown: BTreeSet<String>,
    /// How many the listing left out that are there.
    pub(super) found: usize,
    /// Why some are unknown, in one sentence.
    pub(super) why: Option<Safe>,
}

impl Comparison {
    /// Reads the query again: an age is one of now.
    pub(super) fn renew(&mut self, now: Timestamp) {
        if let Some(Ok(query)) = self.filter.as_deref().map(|filter| Query::parse(filter, now)) {
            self.query = query;
        }
    }

    /// The differences, as far as they are wanted.
    pub(super) fn diff<'a>(&self, before: &'a Roster, after: &'a Roster) -> Diff<'a> {
        let mut diff = Diff::of(before, after, &self.ignored);
        if !self.query.is_empty() {
            diff.retain(|webhook| self.query.matches(webhook));
        }
        diff
    }

    /// The differences as they are written.
    pub(super) fn differences<'a>(&self, before: &'a Roster, after: &'a Roster, missing: &Missing) -> Differences<'a> {
        let mut diff = self.diff(before, after);
        let (unknown, removed) = diff.removed.into_iter().partition(|entry| missing.unknown.contains(entry.id()));
        diff.removed = removed;
        let moved = diff.moved();
        let Diff { added, removed, changed, .. } = diff;
        Differences { added, removed, changed, unknown, moved }
    }

    /// Asks for the webhooks that the live side leaves out, and adds those that are there to it.
    ///
    /// # Errors
    ///
    /// The key is refused.
    pub(super) async fn confirm(&self, before: &Roster, after: &mut Roster, live: &Live) -> Result<Missing, ApiError> {
        let mut ids: Vec<_> = self.diff(before, after).removed.iter().map(|entry| WebhookId::new(entry.id())).collect();
        if ids.is_empty() {
            return Ok(Missing::default());
        }
        let mut missing = Missing::default();
        let beyond = ids.split_off(ids.len().min(ASKED));
        if !beyond.is_empty() {
            missing.why = Some(safe!("{} ids were asked for and no more", ASKED));
            missing.unknown.extend(beyond.iter().map(|id| id.raw().to_owned()));
        }
        let mut found = Vec::new();
        for (id, result) in ids.iter().zip(live.get(&ids).await?) {
            match result {
                Ok(None) => {}
                Ok(Some(row)) if row.id_text() == Some(id.raw()) => found.push(row),
                Ok(Some(_)) => {
                    missing.why = Some(safe!("{}: the API sent something else instead", id.clean_head(80)));
                    missing.unknown.insert(id.raw().to_owned());
                }
                Err(error) => {
                    missing.why = Some(safe!("{}: {}", id.clean_head(80), error.short()));
                    missing.unknown.insert(id.raw().to_owned());
                }
            }
        }
        missing.found = found.len();
        after.add(found.iter().map(named));
        Ok(missing)
    }
}

fn named(row: &Row) -> (String, String) {
    (row.id_text().unwrap_or_default().to_owned(), row.canonical_json())
}
