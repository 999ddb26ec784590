//! Where rows come from: the API, or rows that are here already. Whoever reads cannot tell the difference.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::budget::Budget;
use crate::api::{ApiAnswer, ApiError, ApiFailure, Client, ErrorKind, Page, PageRequest};
use crate::model::{Elements, Row, Scope, WebhookId};

/// Answers for pages and single webhooks. Cheap to clone: whoever reads shares one rate limit with all others.
#[derive(Debug, Clone)]
pub struct Source {
    origin: Origin,
    budget: Arc<Mutex<Budget>>,
}

#[derive(Debug, Clone)]
enum Origin {
    Api(Arc<Client>),
    Rows(Arc<Held>),
    #[cfg(test)]
    Fake(Fake),
}

/// A server in the same process.
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
        Self { origin: Origin::Fake(fake), budget: Arc::default() }
    }
}

/// Rows that are here already, such as those of a file.
#[derive(Debug, Default)]
pub struct Held {
    rows: Vec<Row>,
    /// The places of the rows that belong to the scopes active and inactive.
    active: Vec<usize>,
    inactive: Vec<usize>,
}

impl Held {
    pub fn new(rows: Vec<Row>) -> Self {
        let places = |scope: Scope| (0..).zip(&rows).filter(|(_, row)| scope.admits(*row)).map(|(place, _)| place).collect();
        Self { active: places(Scope::Active), inactive: places(Scope::Inactive), rows }
    }

    fn page<R: Elements>(&self, request: PageRequest) -> Page<R> {
        let size = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let skip = usize::try_from(request.number.saturating_sub(1)).unwrap_or(usize::MAX).saturating_mul(size);
        let mut rows = R::default();
        let mut of = |places: &[usize]| {
            let chosen = places.iter().skip(skip).take(size).filter_map(|&place| self.rows.get(place));
            chosen.for_each(|row| rows.push_row(row.clone()));
            places.len()
        };
        let total = match request.scope {
            Scope::All => {
                self.rows.iter().skip(skip).take(size).for_each(|row| rows.push_row(row.clone()));
                self.rows.len()
            }
            Scope::Active => of(&self.active),
            Scope::Inactive => of(&self.inactive),
        };
        Page {
            number: request.number,
            rows,
            reported: Some(request.number),
            limit: Some(request.limit.into()),
            total: Some(total as u64),
            total_pages: None,
            bytes: 0,
        }
    }
}

impl Source {
    /// What is left of the rate limit.
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

    /// One page; see [`Client::list`].
    pub(super) async fn list<R: Elements>(&self, request: PageRequest) -> Result<ApiAnswer<Page<R>>, ApiFailure> {
        match &self.origin {
            Origin::Api(client) => client.list(request).await,
            Origin::Rows(held) => Ok(ApiAnswer { value: held.page(request), rate: None }),
            #[cfg(test)]
            Origin::Fake(fake) => {
                let Page { number, rows, reported, limit, total, total_pages, bytes } = fake.0(request).await;
                let mut elements = R::default();
                for row in rows {
                    elements.push_row(row);
                }
                Ok(ApiAnswer {
                    value: Page { number, rows: elements, reported, limit, total, total_pages, bytes },
                    rate: None,
                })
            }
        }
    }

    /// One webhook; see [`Client::get`].
    pub(super) async fn get(&self, id: &WebhookId) -> Result<ApiAnswer<Row>, ApiFailure> {
        match &self.origin {
            Origin::Api(client) => client.get(id).await,
            Origin::Rows(held) => match held.rows.iter().find(|row| row.id() == Some(id)) {
                Some(row) => Ok(ApiAnswer { value: row.clone(), rate: None }),
                None => Err(ApiFailure { error: ApiError::new(ErrorKind::NotFound), rate: None }),
            },
            #[cfg(test)]
            Origin::Fake(_) => Err(ApiFailure { error: ApiError::new(ErrorKind::NotFound), rate: None }),
        }
    }
}

impl From<Arc<Client>> for Source {
    fn from(client: Arc<Client>) -> Self {
        Self { origin: Origin::Api(client), budget: Arc::default() }
    }
}

impl From<Arc<Held>> for Source {
    fn from(held: Arc<Held>) -> Self {
        Self { origin: Origin::Rows(held), budget: Arc::default() }
    }
}
