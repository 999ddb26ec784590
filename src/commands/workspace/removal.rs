//! Confirms removals. A listing that changes while it is read can leave out a webhook, so each one that was there before and is
//! not listed now is requested by id: only the API's own 404 confirms that it was removed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::{Live, note_unused_history};
use crate::api::ApiError;
use crate::base::clock;
use crate::base::text::Safe;
use crate::cache::{Kept, MAX_CONFIRMED, Unconfirmed};
use crate::error::reason;
use crate::fetch::{self, Policy, Problem, RemovalStatus};
use crate::model::{OwnedRow, RowPage, RowRef, Rows, WebhookId};
use crate::safe;

/// Result of requesting by id the webhooks that a listing left out.
#[derive(Debug, Default)]
pub(in crate::commands) struct Missing {
    /// Confirmed as removed.
    pub(in crate::commands) removed: BTreeSet<String>,
    /// Still there.
    pub(in crate::commands) present: Vec<OwnedRow>,
    /// Neither listed nor confirmed as removed.
    pub(in crate::commands) unknown: BTreeSet<String>,
    /// Why some are unknown, in one sentence.
    pub(in crate::commands) why: Option<Safe>,
}

impl Missing {
    /// Adds the webhooks that are there to the listing that left them out.
    pub(in crate::commands) fn complete(&self, rows: &mut Rows) {
        rows.append(&RowPage::of_rows(self.present.iter().map(OwnedRow::row)));
    }

    /// The problem of a listing that left out webhooks.
    pub(in crate::commands) fn problem(&self) -> Option<Problem> {
        let example = WebhookId::new(self.present.first()?.row().id());
        Some(Problem::LeftOut { count: self.present.len(), example })
    }
}

/// Answers since the last read, so that no webhook is requested twice.
#[derive(Debug, Default)]
pub(super) struct Confirmations(Mutex<Answers>);

#[derive(Debug, Default)]
struct Answers {
    statuses: BTreeMap<String, RemovalStatus>,
    /// Requests since the last read.
    requested: usize,
    /// Why the cache stays, as reported last.
    said: Option<Safe>,
    /// The last read was stored, so its confirmations are no longer needed.
    is_settled: bool,
}

impl Confirmations {
    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another read begins: of the answers only removals hold, as long as the cache has those webhooks.
    pub(super) fn start_over(&self) {
        let mut answers = self.answers();
        let is_settled = std::mem::take(&mut answers.is_settled);
        answers.statuses.retain(|_, status| !is_settled && *status == RemovalStatus::Removed);
        answers.requested = 0;
    }

    /// Drops the answers for webhooks that are listed again.
    pub(super) fn forget_listed(&self, rows: &Rows) {
        let mut answers = self.answers();
        if !answers.statuses.is_empty() {
            for id in rows.webhooks().map(RowRef::id) {
                answers.statuses.remove(id);
            }
        }
    }
}

impl Answers {
    /// The ids still to be requested, up to the limit.
    fn open(&self, ids: &[String]) -> Vec<WebhookId> {
        let open = ids.iter().filter(|id| !self.statuses.contains_key(*id));
        open.take(MAX_CONFIRMED.saturating_sub(self.requested)).map(|id| WebhookId::new(id)).collect()
    }

    fn learn(&mut self, ids: &[WebhookId], statuses: Vec<RemovalStatus>) {
        self.requested += ids.len();
        self.statuses.extend(ids.iter().map(|id| id.raw().to_owned()).zip(statuses));
    }

    fn missing(&self, ids: &[String]) -> Missing {
        let mut missing = Missing::default();
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
                    missing.why.get_or_insert_with(|| safe!("only {} were requested by id", MAX_CONFIRMED));
                    missing.unknown.insert(id.clone());
                }
            }
        }
        missing
    }
}

impl Live {
    /// Requests by id the webhooks that the last read left out.
    ///
    /// # Errors
    ///
    /// The key is refused.
    pub(in crate::commands) async fn confirm(&self, ids: &[String]) -> Result<Missing, ApiError> {
        self.request(ids, self.policy).await
    }

    async fn request(&self, ids: &[String], policy: Policy) -> Result<Missing, ApiError> {
        let open = self.confirmations.answers().open(ids);
        if !open.is_empty() {
            let progress = self.progress(true);
            let statuses = fetch::confirm_removed(&self.source, policy, &open, |step| progress.note(step)).await?;
            self.confirmations.answers().learn(&open, statuses);
        }
        Ok(self.confirmations.answers().missing(ids))
    }

    /// Stores a consistent listing once every stored webhook that it lacks is confirmed as removed. Those that are still there are
    /// added to it. A failure to store it is only a note.
    pub(in crate::commands) async fn keep(&self, mut rows: Rows, read_at: Timestamp) -> (Rows, Missing) {
        let mut kept = self.store(&rows, read_at, BTreeSet::new()).await;
        let mut missing = Missing::default();
        if let Some(Kept::Unconfirmed(unconfirmed)) = &kept {
            // The caller waits for the listing, not for the cache.
            let policy = Policy { retries: self.policy.retries.min(1), longest_wait: Duration::ZERO, ..self.policy };
            match self.request(&unconfirmed.ids, policy).await {
                Ok(found) => missing = found,
                Err(error) => missing.why = Some(error.short()),
            }
            missing.complete(&mut rows);
            if !(missing.removed.is_empty() && missing.present.is_empty()) {
                kept = self.store(&rows, read_at, missing.removed.clone()).await;
            }
        }
        match kept {
            Some(Kept::Unconfirmed(unconfirmed)) => self.say_unconfirmed(&unconfirmed, missing.why.as_ref()),
            Some(Kept::Busy) => self.say.detail(&"another hookscope is writing the cache".into()),
            Some(Kept::Written { .. } | Kept::Unchanged | Kept::Outdated) | None => {
                let mut answers = self.confirmations.answers();
                answers.said = None;
                answers.is_settled = true;
            }
        }
        (rows, missing)
    }

    /// `None` when it cannot be stored, which is reported.
    async fn store(&self, rows: &Rows, read_at: Timestamp, removed: BTreeSet<String>) -> Option<Kept> {
        let store = self.memory.clone()?;
        let rows = rows.clone();
        let write = move || {
            let unused = store.unused_history().filter(|_| store.history().is_empty()).map(Path::to_owned);
            store.keep(&rows, read_at, clock::Moment::now().wall, &removed).map(|kept| (kept, unused))
        };
        let kept = tokio::task::spawn_blocking(write).await;
        match kept {
            Ok(Ok((kept, unused))) => {
                if let (Kept::Written { .. }, Some(path)) = (&kept, unused) {
                    note_unused_history(&path, &self.place, self.say);
                }
                return Some(kept);
            }
            Ok(Err(error)) => {
                self.say.note(&safe!("cannot write the cache: {}", reason(&error)));
            }
            Err(error) => tracing::error!("the cache could not be written: {error}"),
        }
        None
    }

    /// Reports why the cache stays, once for each reason.
    fn say_unconfirmed(&self, unconfirmed: &Unconfirmed, why: Option<&Safe>) {
        let (webhooks, are) = if unconfirmed.count == 1 { ("webhook", "is") } else { ("webhooks", "are") };
        let why = match why {
            Some(why) => why.clone(),
            None => safe!("each read requests up to {} by id, and the next one continues", MAX_CONFIRMED),
        };
        let words = safe!(
            "{}: cache not updated: {} cached {} {} neither listed nor confirmed as removed: {}",
            self.place,
            unconfirmed.count,
            webhooks,
            are,
            why
        );
        let said = self.confirmations.answers().said.replace(words.clone());
        if said.as_ref() != Some(&words) {
            self.say.note(&words);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::rows_of;

    fn confirmations(ids: &[String]) -> Confirmations {
        let confirmations = Confirmations::default();
        let removed = ids.iter().map(|_| RemovalStatus::Removed).collect();
        let asked: Vec<_> = ids.iter().map(|id| WebhookId::new(id)).collect();
        confirmations.answers().learn(&asked, removed);
        confirmations
    }

    #[test]
    fn what_is_listed_again_is_requested_again() {
        let ids = ["w6".to_owned(), "w7".to_owned()];
        let confirmations = confirmations(&ids);
        confirmations.start_over();
        confirmations.forget_listed(&rows_of(&[r#"{"id":"w7","url":"u"}"#]));
        let open = confirmations.answers().open(&ids);
        assert_eq!(open.iter().map(WebhookId::raw).collect::<Vec<_>>(), ["w7"]);
        let missing = confirmations.answers().missing(&ids);
        assert_eq!((missing.removed.contains("w6"), missing.removed.contains("w7")), (true, false));
    }

    #[test]
    fn what_was_removed_is_remembered_no_longer_than_until_it_is_kept() {
        let ids = ["w6".to_owned()];
        let confirmations = confirmations(&ids);
        confirmations.start_over();
        assert!(confirmations.answers().open(&ids).is_empty());
        confirmations.answers().is_settled = true;
        assert!(confirmations.answers().open(&ids).is_empty(), "within one read nothing is requested twice");
        confirmations.start_over();
        assert!(confirmations.answers().statuses.is_empty());
    }
}
