//! Where rows come from: the API, or rows that are here already. Whoever reads cannot tell the difference.

use std::sync::Arc;

use crate::api::{Answer, ApiError, Client, ErrorKind, Failure, Page, PageRequest};
use crate::model::{Element, Row, Scope, WebhookId};

/// Answers for pages and single webhooks. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Source {
    Api(Arc<Client>),
    Rows(Arc<Held>),
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

    fn page<E: Element>(&self, request: PageRequest) -> Page<E> {
        let size = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let skip = usize::try_from(request.number.saturating_sub(1)).unwrap_or(usize::MAX).saturating_mul(size);
        let of = |places: &[usize]| {
            let chosen = places.iter().skip(skip).take(size);
            let rows = chosen.filter_map(|&place| self.rows.get(place)).cloned();
            (places.len(), rows.map(E::of_row).collect())
        };
        let (total, rows) = match request.scope {
            Scope::All => (self.rows.len(), self.rows.iter().skip(skip).take(size).cloned().map(E::of_row).collect()),
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
        }
    }
}

impl Source {
    /// One page; see [`Client::list`].
    pub(super) async fn list<E: Element>(&self, request: PageRequest) -> Result<Answer<Page<E>>, Failure> {
        match self {
            Self::Api(client) => client.list(request).await,
            Self::Rows(held) => Ok(Answer { value: held.page(request), rate: None }),
        }
    }

    /// One webhook; see [`Client::get`].
    pub(super) async fn get(&self, id: &WebhookId) -> Result<Answer<Row>, Failure> {
        match self {
            Self::Api(client) => client.get(id).await,
            Self::Rows(held) => match held.rows.iter().find(|row| row.id() == Some(id)) {
                Some(row) => Ok(Answer { value: row.clone(), rate: None }),
                None => Err(Failure { error: ApiError::new(ErrorKind::NotFound), rate: None }),
            },
        }
    }
}

impl From<Arc<Client>> for Source {
    fn from(client: Arc<Client>) -> Self {
        Self::Api(client)
    }
}
