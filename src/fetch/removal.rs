//! Confirms removals. A listing that changes while it is read may omit a webhook, so each missing one is requested by id:
//! only the API's own 404 confirms that it was removed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Policy, Problem, Progress, Source, read_webhooks};
use crate::api::{ApiError, ErrorKind};
use crate::base::text::Safe;
use crate::model::{OwnedRow, RowPage, RowRef, Rows, WebhookId};
use crate::safe;

/// The result of requesting a webhook that is missing from a listing.
#[derive(Debug, Clone, PartialEq)]
pub enum RemovalStatus {
    /// Confirmed: the API itself answered 404.
    Removed,
    /// It still exists, so the listing is incomplete.
    Present(OwnedRow),
    /// Unknown, for this reason.
    Unknown(Safe),
}

/// Requests webhooks that are missing from a listing, to confirm that they were removed.
///
/// # Errors
///
/// The key is refused.
pub async fn confirm_removed(
    source: &Source,
    policy: Policy,
    ids: &[WebhookId],
    watch: impl FnMut(&Progress<OwnedRow>),
) -> Result<Vec<RemovalStatus>, ApiError> {
    let results = read_webhooks(source, policy, ids, watch).await?;
    let status = |(id, result): (&WebhookId, Result<OwnedRow, ApiError>)| match result {
        Ok(row) if row.row().is_webhook() && row.row().id() == id.raw() => RemovalStatus::Present(row),
        Ok(_) => RemovalStatus::Unknown("the API sent a different webhook".into()),
        Err(ApiError { kind: ErrorKind::NotFound, .. }) => RemovalStatus::Removed,
        Err(error) => RemovalStatus::Unknown(error.short()),
    };
    Ok(ids.iter().zip(results).map(status).collect())
}

/// The answers about missing webhooks, so that none is requested twice.
#[derive(Debug)]
pub struct RemovalAnswers {
    /// The most requests per read.
    limit: usize,
    statuses: BTreeMap<String, RemovalStatus>,
    /// Requests since the last read.
    requested: usize,
    /// True if the last read was stored, so that its confirmations are no longer needed.
    is_settled: bool,
}

impl RemovalAnswers {
    /// Allows at most `limit` requests per read.
    pub fn new(limit: usize) -> Self {
        Self { limit, statuses: BTreeMap::new(), requested: 0, is_settled: false }
    }

    /// Starts another read. Confirmed removals are kept until a read is stored, all other answers are dropped.
    pub fn start_over(&mut self) {
        let is_settled = std::mem::take(&mut self.is_settled);
        self.statuses.retain(|_, status| !is_settled && *status == RemovalStatus::Removed);
        self.requested = 0;
    }

    /// Records that the last read was stored.
    pub fn settle(&mut self) {
        self.is_settled = true;
    }

    /// Drops the answers about webhooks that are listed again.
    pub fn forget_listed(&mut self, rows: &Rows) {
        if !self.statuses.is_empty() {
            for id in rows.webhooks().map(RowRef::id) {
                self.statuses.remove(id);
            }
        }
    }

    /// The ids that are still to be requested, up to the limit.
    pub fn open(&self, ids: &[String]) -> Vec<WebhookId> {
        let open = ids.iter().filter(|id| !self.statuses.contains_key(*id));
        open.take(self.limit.saturating_sub(self.requested)).map(|id| WebhookId::new(id)).collect()
    }

    /// Adds the answers for some ids.
    pub fn learn(&mut self, ids: &[WebhookId], statuses: Vec<RemovalStatus>) {
        self.requested += ids.len();
        self.statuses.extend(ids.iter().map(|id| id.raw().to_owned()).zip(statuses));
    }

    /// Groups some ids by what is known about them.
    pub fn missing(&self, ids: &[String]) -> MissingWebhooks {
        let mut missing = MissingWebhooks::default();
        for id in ids {
            match self.statuses.get(id) {
                Some(RemovalStatus::Removed) => {
                    missing.removed.insert(id.clone());
                }
                Some(RemovalStatus::Present(row)) => missing.present.push(row.clone()),
                Some(RemovalStatus::Unknown(why)) => {
                    missing.why = Some(safe!("{}: {}", WebhookId::new(id).clean_head(80), why));
                    missing.unknown.insert(id.clone());
                }
                None => {
                    missing.why.get_or_insert_with(|| safe!("only {} were requested by id", self.limit));
                    missing.unknown.insert(id.clone());
                }
            }
        }
        missing
    }
}

/// Webhooks that are missing from a listing, grouped by what is known about them.
#[derive(Debug, Default)]
pub struct MissingWebhooks {
    /// Confirmed as removed.
    pub removed: BTreeSet<String>,
    /// They still exist.
    pub present: Vec<OwnedRow>,
    /// Neither listed nor confirmed as removed.
    pub unknown: BTreeSet<String>,
    /// The reason why some are unknown, in one sentence.
    pub why: Option<Safe>,
}

impl MissingWebhooks {
    /// Adds the existing webhooks to the listing that omits them.
    pub fn complete(&self, rows: &mut Rows) {
        rows.append(&RowPage::of_rows(self.present.iter().map(OwnedRow::row)));
    }

    /// The problem of a listing that omits webhooks.
    pub fn problem(&self) -> Option<Problem> {
        let example = WebhookId::new(self.present.first()?.row().id());
        Some(Problem::LeftOut { count: self.present.len(), example })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::rows_of;

    fn removed(ids: &[String]) -> RemovalAnswers {
        let mut answers = RemovalAnswers::new(2);
        let requested: Vec<_> = ids.iter().map(|id| WebhookId::new(id)).collect();
        answers.learn(&requested, ids.iter().map(|_| RemovalStatus::Removed).collect());
        answers
    }

    #[test]
    fn webhooks_that_are_listed_again_are_requested_again() {
        let ids = ["w6".to_owned(), "w7".to_owned()];
        let mut answers = removed(&ids);
        answers.start_over();
        answers.forget_listed(&rows_of(&[r#"{"id":"w7","url":"u"}"#]));
        assert_eq!(answers.open(&ids).iter().map(WebhookId::raw).collect::<Vec<_>>(), ["w7"]);
        let missing = answers.missing(&ids);
        assert_eq!((missing.removed.contains("w6"), missing.removed.contains("w7")), (true, false));
    }

    #[test]
    fn removals_are_remembered_until_they_are_stored() {
        let ids = ["w6".to_owned()];
        let mut answers = removed(&ids);
        answers.start_over();
        assert!(answers.open(&ids).is_empty());
        answers.settle();
        assert!(answers.open(&ids).is_empty(), "within one read nothing is requested twice");
        answers.start_over();
        assert_eq!(answers.open(&ids).len(), 1);
    }

    #[test]
    fn one_read_requests_a_limited_number_of_webhooks() {
        let ids: Vec<_> = (0..3).map(|number| format!("w{number}")).collect();
        let mut answers = RemovalAnswers::new(2);
        let open = answers.open(&ids);
        assert_eq!(open.len(), 2);
        answers.learn(&open, open.iter().map(|_| RemovalStatus::Removed).collect());
        assert!(answers.open(&ids).is_empty());
        let missing = answers.missing(&ids);
        assert_eq!((missing.removed.len(), missing.unknown.len()), (2, 1));
        assert_eq!(missing.why.unwrap().as_str(), "only 2 were requested by id");
    }
}
