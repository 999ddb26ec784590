//! A workspace that a command reads: the API, the demo, the cache, or a file.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::progress::ReadingProgress;
use crate::api::{ApiError, ErrorKind};
use crate::base::clock;
use crate::base::text::{Safe, clean};
use crate::cache::{Kept, MAX_CONFIRMED, Store, Unconfirmed};
use crate::demo::DemoServer;
use crate::error::{Error, reason};
use crate::fetch::{self, Held, Limit, MissingWebhooks, Policy, Reading, RemovalAnswers, Source, Summary, Wanted};
use crate::model::{OwnedRow, RowPage, Rows, Scope, WebhookId};
use crate::output::Verbosity;
use crate::safe;
use crate::snapshot::FileListing;

/// All rows of a workspace, of any scope.
pub(super) const EVERYTHING: Wanted<'static> = Wanted::all(Scope::All);

/// One workspace, and how to read it.
pub(super) struct Workspace {
    /// The profile's name, when several workspaces are read.
    pub(super) profile: Option<Arc<str>>,
    /// The name for messages.
    pub(super) place: Safe,
    /// The cache and history, if it has them; a file has none.
    pub(super) store: Option<Store>,
    pub(super) say: Verbosity,
    pub(super) origin: RowOrigin,
}

/// The origin of a workspace's rows.
pub(super) enum RowOrigin {
    Api(Box<ApiOrigin>),
    /// A file, or the cache.
    Saved(FileListing),
}

/// A connection to the API that can be read repeatedly.
pub(super) struct ApiOrigin {
    pub(super) source: Source,
    pub(super) policy: Policy,
    pub(super) removals: RemovalAnswers,
    /// The last reported reason for not updating the cache.
    pub(super) reported: Option<Safe>,
    /// The running demo server.
    pub(super) demo: Option<DemoServer>,
}

impl Workspace {
    fn progress(&self, drawn: bool) -> ReadingProgress {
        ReadingProgress::start(self.place.clone(), self.say, drawn)
    }

    /// Returns true if the rows come from the API.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.origin, RowOrigin::Api(_))
    }

    /// Builds the error for a workspace that could not be read. After a transient error it mentions the cached listing, if there
    /// is one.
    pub(super) fn failed(&self, error: ApiError) -> Error {
        let place = self.place.clone();
        match self.store.as_ref().filter(|_| error.is_transient()).and_then(Store::read_at) {
            Some(read_at) => {
                let cached = Box::new(clock::recent_age_in_words(read_at, clock::Moment::now().wall));
                Error::Unread { place, error, cached }
            }
            None => Error::Api { place, error },
        }
    }

    /// Reads the wanted rows of the whole listing, consistently, and stores a full listing.
    pub(super) async fn read(&mut self, wanted: Wanted<'_>) -> Result<Reading, Error> {
        let started = clock::Moment::now().wall;
        let read = self.read_unstored(wanted, true).await;
        let mut reading = read.map_err(|error| self.failed(error))?;
        let is_all = wanted.scope == Scope::All && wanted.limit == Limit::Everything && wanted.filter.is_none();
        if let RowOrigin::Api(api) = &self.origin
            && is_all
            && reading.summary.problems.is_empty()
        {
            if self.store.is_some() {
                let (_, missing) = self.keep(reading.rows.clone(), started).await;
                reading.summary.problems.extend(missing.problem());
            } else if api.demo.is_none() {
                self.say.detail(&"this read is not cached: no home directory for the cache".into());
            }
        }
        Ok(reading)
    }

    /// Reads the wanted rows of the whole listing, consistently, without storing them.
    pub(super) async fn read_unstored(&mut self, wanted: Wanted<'_>, drawn: bool) -> Result<Reading, ApiError> {
        let progress = self.progress(drawn);
        match &mut self.origin {
            RowOrigin::Api(api) => {
                api.removals.start_over();
                let reading = fetch::read_listing(&api.source, api.policy, wanted, |step| progress.note(step)).await?;
                api.removals.forget_listed(&reading.rows);
                Ok(reading)
            }
            RowOrigin::Saved(FileListing { rows, numbers }) => Ok(fetch::check_saved(rows, *numbers, wanted)),
        }
    }

    /// Passes the wanted rows to `sink`, page by page.
    pub(super) async fn stream(
        &self,
        wanted: Wanted<'_>,
        drawn: bool,
        sink: impl FnMut(Arc<RowPage>) -> ControlFlow<()>,
    ) -> Result<Summary, Error> {
        let progress = self.progress(drawn);
        match &self.origin {
            RowOrigin::Api(api) => {
                let watch = |step: &fetch::Progress| progress.note(step);
                let summary = fetch::stream_listing(&api.source, api.policy, wanted, watch, sink).await;
                summary.map_err(|error| self.failed(error))
            }
            RowOrigin::Saved(FileListing { rows, numbers }) => Ok(fetch::stream_saved(rows, *numbers, wanted, sink)),
        }
    }

    /// Reads one page of `size` rows.
    pub(super) async fn read_page(&self, scope: Scope, number: u64, size: u32) -> Result<Reading, Error> {
        let progress = self.progress(true);
        let (source, policy) = match &self.origin {
            RowOrigin::Api(api) => (api.source.clone(), api.policy),
            RowOrigin::Saved(listing) => saved(listing.rows.clone()),
        };
        let reading = fetch::read_page(&source, policy, scope, number, size, |step| progress.note(step)).await;
        reading.map_err(|error| Error::Api { place: self.place.clone(), error })
    }

    /// Reads webhooks by id; `None` for each one not found. The flag is true if such a webhook does not exist: always with
    /// the API, and with a file only if it is complete.
    pub(super) async fn get(&self, ids: &[WebhookId]) -> Result<(Vec<Result<Option<OwnedRow>, ApiError>>, bool), Error> {
        let progress = self.progress(true);
        let ((source, policy), is_whole) = match &self.origin {
            RowOrigin::Api(api) => ((api.source.clone(), api.policy), true),
            RowOrigin::Saved(FileListing { rows, numbers }) => {
                let Reading { rows, summary } = fetch::check_saved(rows, *numbers, EVERYTHING);
                (saved(rows), summary.is_whole())
            }
        };
        let results = fetch::read_webhooks(&source, policy, ids, |step| progress.note(step)).await;
        let results = results.map_err(|error| Error::Api { place: self.place.clone(), error })?;
        let found = |result| match result {
            Ok(row) => Ok(Some(row)),
            Err(ApiError { kind: ErrorKind::NotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        };
        Ok((results.into_iter().map(found).collect(), is_whole))
    }

    /// Requests by id the webhooks that the last read left out.
    ///
    /// # Errors
    ///
    /// The key is refused.
    pub(super) async fn confirm(&mut self, ids: &[String]) -> Result<MissingWebhooks, ApiError> {
        self.confirm_with(ids, |policy| policy).await
    }

    async fn confirm_with(
        &mut self,
        ids: &[String],
        adjust: impl FnOnce(Policy) -> Policy,
    ) -> Result<MissingWebhooks, ApiError> {
        let progress = self.progress(true);
        let RowOrigin::Api(api) = &mut self.origin else { return Ok(MissingWebhooks::default()) };
        let open = api.removals.open(ids);
        if !open.is_empty() {
            let policy = adjust(api.policy);
            let statuses = fetch::confirm_removed(&api.source, policy, &open, |step| progress.note(step)).await?;
            api.removals.learn(&open, statuses);
        }
        Ok(api.removals.missing(ids))
    }

    /// Stores a consistent listing once every stored webhook that it lacks is confirmed as removed. Those that are still there are
    /// added to it. A failure to store it is only a note.
    pub(super) async fn keep(&mut self, mut rows: Rows, read_at: Timestamp) -> (Rows, MissingWebhooks) {
        let mut kept = self.write_cache(&rows, read_at, BTreeSet::new()).await;
        let mut missing = MissingWebhooks::default();
        if let Some(Kept::Unconfirmed(unconfirmed)) = &kept {
            // The caller waits for the listing, not for the cache.
            let impatient =
                |policy: Policy| Policy { retries: policy.retries.min(1), longest_wait: Duration::ZERO, ..policy };
            match self.confirm_with(&unconfirmed.ids, impatient).await {
                Ok(found) => missing = found,
                Err(error) => missing.why = Some(error.short()),
            }
            missing.complete(&mut rows);
            if !(missing.removed.is_empty() && missing.present.is_empty()) {
                kept = self.write_cache(&rows, read_at, missing.removed.clone()).await;
            }
        }
        match kept {
            Some(Kept::Unconfirmed(unconfirmed)) => self.report_unconfirmed(&unconfirmed, missing.why.as_ref()),
            Some(Kept::Busy) => self.say.detail(&"another hookscope is writing the cache".into()),
            Some(Kept::Written { .. } | Kept::Unchanged | Kept::Outdated) | None => {
                if let RowOrigin::Api(api) = &mut self.origin {
                    api.reported = None;
                    api.removals.settle();
                }
            }
        }
        (rows, missing)
    }

    /// Writes the cache; `None` if that fails, which is reported.
    async fn write_cache(&self, rows: &Rows, read_at: Timestamp, removed: BTreeSet<String>) -> Option<Kept> {
        let store = self.store.clone()?;
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

    /// Reports why the cache is not updated, once for each reason.
    fn report_unconfirmed(&mut self, unconfirmed: &Unconfirmed, why: Option<&Safe>) {
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
        if let RowOrigin::Api(api) = &mut self.origin
            && api.reported.as_ref() != Some(&words)
        {
            self.say.note(&words);
            api.reported = Some(words);
        }
    }
}

/// The source of single pages and webhooks of a saved listing.
fn saved(rows: Rows) -> (Source, Policy) {
    (Source::from(Arc::new(Held::new(rows))), Policy::default())
}

/// Notes that the history of an earlier version is not used. Called only while the workspace has no history of its own.
pub(super) fn note_unused_history(path: &Path, place: &Safe, say: Verbosity) {
    let path = clean(&path.to_string_lossy());
    say.note(&safe!(
        "{}: the history of an earlier version is not used, as it may belong to another workspace or could not be renamed: {}",
        place,
        path
    ));
}
