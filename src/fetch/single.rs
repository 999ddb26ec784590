//! What was named: one page, or webhooks by their ids.

use super::requests::{Ask, Pages, Progress, Requests, Webhooks};
use super::{Policy, Problem, Reading, Source, Summary};
use crate::api::{ApiError, ErrorKind};
use crate::base::text::Safe;
use crate::model::IdSet;
use crate::model::{Row, Scope, WebhookId};

/// What a request by id says of a webhook that a listing left out.
#[derive(Debug, Clone, PartialEq)]
pub enum RemovalStatus {
    /// Confirmed: the API's own 404.
    Removed,
    /// It is there; the listing should have had it.
    Present(Box<Row>),
    /// Neither is known, for this reason.
    Unknown(Safe),
}

/// Reads one page of `size` rows. A server that reports another page than the asked one is a [`Problem`].
pub async fn read_page(
    source: &Source,
    policy: Policy,
    scope: Scope,
    number: u64,
    size: u32,
    watch: impl FnMut(&Progress),
) -> Result<Reading, ApiError> {
    let ask = Pages::<Vec<Row>>::new(source, size, scope);
    let mut pages = Vec::new();
    run(Requests::new(ask, policy), [number], watch, |_, result| result.map(|page| pages.push(page))).await?;
    let mut summary = Summary { pages: pages.len() as u64, ..Summary::default() };
    let mut rows = Vec::new();
    for page in pages {
        summary.total = page.total;
        let is_another = page.reported.is_some_and(|reported| reported != number);
        if is_another {
            summary.problems.push(Problem::IgnoresPage { page: number });
        }
        // Further pages are elsewhere than asked when the size is another; the first one is only shorter than it could be.
        let used = page.limit.unwrap_or(size.into()).max(page.rows.len() as u64);
        let is_short = page.total.is_some_and(|total| total > used);
        if used != u64::from(size) && (number > 1 || is_short) {
            summary.problems.push(Problem::PageSizeDiffers { asked: size.into(), used });
        }
        rows.extend(page.rows);
    }
    let before = rows.len();
    rows.retain(|row| scope.admits(row));
    summary.scope_ignored = rows.len() < before;
    summary.malformed = rows.iter().filter(|row| row.webhook().is_none()).count() as u64;
    let mut seen = IdSet::default();
    let mut repeated = Vec::new();
    rows.retain(|row| {
        row.id().is_none_or(|id| {
            seen.insert(id.raw()) || {
                repeated.push(id.clone());
                false
            }
        })
    });
    if let Some(example) = repeated.first() {
        summary.problems.push(Problem::RepeatedIds { count: repeated.len(), example: example.clone() });
    }
    Ok(Reading { rows, summary })
}

/// Reads webhooks by their ids, in the order of the ids. Each has a result of its own; a 404 is one of them.
///
/// # Errors
///
/// The key is refused: no id can be read.
pub async fn read_webhooks(
    source: &Source,
    policy: Policy,
    ids: &[WebhookId],
    watch: impl FnMut(&Progress<Row>),
) -> Result<Vec<Result<Row, ApiError>>, ApiError> {
    let ask = Webhooks { source: source.clone(), ids: ids.into() };
    let mut results: Vec<(u64, Result<Row, ApiError>)> = Vec::new();
    run(Requests::new(ask, policy), 0..ids.len() as u64, watch, |number, result| match result {
        Err(error) if error.is_refusal() => Err(error),
        result => {
            results.push((number, result));
            Ok(())
        }
    })
    .await?;
    results.sort_by_key(|&(number, _)| number);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// Requests webhooks that a listing left out, to confirm that they were removed.
///
/// # Errors
///
/// The key is refused.
pub async fn confirm_removed(
    source: &Source,
    policy: Policy,
    ids: &[WebhookId],
    watch: impl FnMut(&Progress<Row>),
) -> Result<Vec<RemovalStatus>, ApiError> {
    let results = read_webhooks(source, policy, ids, watch).await?;
    let status = |(id, result): (&WebhookId, Result<Row, ApiError>)| match result {
        Ok(row) if row.id() == Some(id) => RemovalStatus::Present(Box::new(row)),
        Ok(_) => RemovalStatus::Unknown("the API sent a different webhook".into()),
        Err(ApiError { kind: ErrorKind::NotFound, .. }) => RemovalStatus::Removed,
        Err(error) => RemovalStatus::Unknown(error.short()),
    };
    Ok(ids.iter().zip(results).map(status).collect())
}

/// Sends the numbered requests, as many at once as there may be, until each was settled.
async fn run<A: Ask>(
    mut requests: Requests<A>,
    numbers: impl IntoIterator<Item = u64>,
    mut watch: impl FnMut(&Progress<A::Value>),
    mut settle: impl FnMut(u64, Result<A::Value, ApiError>) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    let mut numbers = numbers.into_iter().peekable();
    loop {
        while requests.has_room()
            && let Some(number) = numbers.next()
        {
            requests.start(number);
        }
        if let Some(&number) = numbers.peek() {
            match requests.pause_if_spent() {
                Ok(Some(pause)) => watch(&pause),
                Ok(None) => {}
                Err(error) => {
                    numbers.next();
                    settle(number, Err(error))?;
                    continue;
                }
            }
        }
        let Some(progress) = requests.next().await else { return Ok(()) };
        watch(&progress);
        match progress {
            Progress::Loaded { number, value } => settle(number, Ok(value))?,
            Progress::Failed { number, error } => settle(number, Err(error))?,
            Progress::Retrying { .. } | Progress::Paused { .. } | Progress::Resumed => {}
        }
    }
}
