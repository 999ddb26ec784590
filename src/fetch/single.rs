//! Reads single pages, and webhooks by their ids.

use super::requests::{Ask, Pages, Progress, Requests, Webhooks};
use super::{Policy, Problem, Reading, Source, Summary};
use crate::api::{ApiError, Page};
use crate::model::{IdSet, OwnedRow, Scope, WebhookId};

/// Reads one page of `size` rows. A response for a different page is a [`Problem`].
pub async fn read_page(
    source: &Source,
    policy: Policy,
    scope: Scope,
    number: u64,
    size: u32,
    watch: impl FnMut(&Progress),
) -> Result<Reading, ApiError> {
    let ask = Pages::new(source, size, scope);
    let mut pages = Vec::new();
    run(Requests::new(ask, policy), [number], watch, |_, result| result.map(|page| pages.push(page))).await?;
    let mut summary = Summary { pages: pages.len() as u64, ..Summary::default() };
    let mut seen = IdSet::default();
    let mut repeated: Vec<WebhookId> = Vec::new();
    let select = |page: Page| {
        let numbers = page.numbers;
        summary.total = numbers.total;
        if numbers.reported.is_some_and(|reported| reported != number) {
            summary.problems.push(Problem::IgnoresPage { page: number });
        }
        // With a different page size, later pages hold other rows than requested; page 1 is only shorter.
        let used = numbers.limit.unwrap_or(size.into()).max(numbers.rows);
        let is_short = numbers.total.is_some_and(|total| total > used);
        if used != u64::from(size) && (number > 1 || is_short) {
            summary.problems.push(Problem::PageSizeDiffers { asked: size.into(), used });
        }
        page.rows.select(|row| {
            if !scope.admits(row.active()) {
                summary.scope_ignored = true;
                return false;
            }
            summary.malformed += u64::from(!row.is_webhook());
            let is_new = !row.is_webhook() || seen.insert(row.id());
            if !is_new {
                repeated.push(WebhookId::new(row.id()));
            }
            is_new
        })
    };
    let rows = pages.into_iter().map(select).collect();
    if let Some(example) = repeated.first() {
        summary.problems.push(Problem::RepeatedIds { count: repeated.len(), example: example.clone() });
    }
    Ok(Reading { rows, summary })
}

/// Reads webhooks by their ids, in the order of the ids. Each has its own result, which may be a 404.
///
/// # Errors
///
/// The key is refused, so no id can be read.
pub async fn read_webhooks(
    source: &Source,
    policy: Policy,
    ids: &[WebhookId],
    watch: impl FnMut(&Progress<OwnedRow>),
) -> Result<Vec<Result<OwnedRow, ApiError>>, ApiError> {
    let ask = Webhooks { source: source.clone(), ids: ids.into() };
    let mut results: Vec<(u64, Result<OwnedRow, ApiError>)> = Vec::new();
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

/// Sends the numbered requests, as many at once as allowed, until each has a result.
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
