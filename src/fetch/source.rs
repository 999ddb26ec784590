//! The source of rows: the API, or a file that is served in the same way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::budget::Budget;
use crate::api::{ApiAnswer, ApiError, ApiFailure, Client, ErrorKind, Page, PageNumbers, PageRequest};
use crate::model::{Interner, OwnedRow, RowNumber, RowPage, Rows, Scope, WebhookId};

/// Answers requests for pages and single webhooks. Cheap to clone. All clones share one rate limit.
#[derive(Debug, Clone)]
pub struct Source {
    origin: Origin,
    budget: Arc<Mutex<Budget>>,
    /// The interner of all rows from this source.
    interner: Interner,
}

#[derive(Debug, Clone)]
enum Origin {
    Api(Arc<Client>),
    Rows(Arc<Held>),
    #[cfg(test)]
    Fake(Fake),
}

/// A server in this process.
#[cfg(test)]
#[derive(Clone)]
pub(super) struct Fake(pub(super) Arc<dyn Fn(PageRequest) -> Answering + Send + Sync>);

#[cfg(test)]
pub(super) type Answering = std::pin::Pin<Box<dyn Future<Output = Page> + Send>>;

#[cfg(test)]
impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fake")
    }
}

#[cfg(test)]
impl From<Fake> for Source {
    fn from(fake: Fake) -> Self {
        Self { origin: Origin::Fake(fake), budget: Arc::default(), interner: Interner::default() }
    }
}

/// The rows of a file, served like those of the API.
#[derive(Debug, Default)]
pub struct Held {
    rows: Rows,
    all: Vec<RowNumber>,
    active: Vec<RowNumber>,
    inactive: Vec<RowNumber>,
}

impl Held {
    pub fn new(rows: Rows) -> Self {
        let numbers = |scope: Scope| {
            let admitted = rows.iter().filter(|(_, row)| scope.admits(row.active()));
            admitted.map(|(number, _)| number).collect()
        };
        let (all, active, inactive) = (numbers(Scope::All), numbers(Scope::Active), numbers(Scope::Inactive));
        Self { rows, all, active, inactive }
    }

    fn page(&self, request: PageRequest) -> Page {
        let size = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let skipped = usize::try_from(request.number.saturating_sub(1)).unwrap_or(usize::MAX).saturating_mul(size);
        let numbers = match request.scope {
            Scope::All => &self.all,
            Scope::Active => &self.active,
            Scope::Inactive => &self.inactive,
        };
        let on_page = numbers.iter().skip(skipped).take(size);
        let rows = RowPage::of_rows(on_page.filter_map(|&number| self.rows.row(number.into())));
        let numbers = PageNumbers {
            number: request.number,
            rows: rows.len() as u64,
            reported: Some(request.number),
            limit: Some(request.limit.into()),
            total: Some(numbers.len() as u64),
            ..PageNumbers::default()
        };
        Page { numbers, rows }
    }

    fn get(&self, id: &WebhookId) -> Option<OwnedRow> {
        self.rows
            .iter()
            .find(|(_, row)| row.is_webhook() && row.id() == id.raw())
            .and_then(|(number, _)| self.rows.owned_row(number.into()))
    }
}

impl Source {
    /// The request budget.
    pub(super) fn budget(&self) -> Arc<Mutex<Budget>> {
        Arc::clone(&self.budget)
    }

    /// The total time of one request.
    pub(super) fn timeout(&self) -> Duration {
        match &self.origin {
            Origin::Api(client) => client.timeout(),
            Origin::Rows(_) => Duration::MAX,
            #[cfg(test)]
            Origin::Fake(_) => Duration::MAX,
        }
    }

    /// Reads one page; see [`Client::list`].
    pub(super) async fn list(&self, request: PageRequest) -> Result<ApiAnswer<Page>, ApiFailure> {
        match &self.origin {
            Origin::Api(client) => client.list(request, &self.interner).await,
            Origin::Rows(held) => Ok(ApiAnswer { value: held.page(request), rate: None }),
            #[cfg(test)]
            Origin::Fake(fake) => Ok(ApiAnswer { value: fake.0(request).await, rate: None }),
        }
    }

    /// Reads one webhook; see [`Client::get`].
    pub(super) async fn get(&self, id: &WebhookId) -> Result<ApiAnswer<OwnedRow>, ApiFailure> {
        let not_found = || ApiFailure { error: ApiError::new(ErrorKind::NotFound), rate: None };
        match &self.origin {
            Origin::Api(client) => client.get(id, &self.interner).await,
            Origin::Rows(held) => held.get(id).map(|value| ApiAnswer { value, rate: None }).ok_or_else(not_found),
            #[cfg(test)]
            Origin::Fake(_) => Err(not_found()),
        }
    }

    /// Uses another interner, to share names with its rows.
    #[must_use]
    pub fn interning(self, interner: Interner) -> Self {
        Self { interner, ..self }
    }
}

impl From<Arc<Client>> for Source {
    fn from(client: Arc<Client>) -> Self {
        Self { origin: Origin::Api(client), budget: Arc::default(), interner: Interner::default() }
    }
}

impl From<Arc<Held>> for Source {
    fn from(held: Arc<Held>) -> Self {
        Self { origin: Origin::Rows(held), budget: Arc::default(), interner: Interner::default() }
    }
}
