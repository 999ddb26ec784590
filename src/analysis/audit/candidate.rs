//! A webhook as the rules look at it.

use jiff::Timestamp;
use url::{Host, Url};

use crate::analysis::query::Subject;
use crate::analysis::rows::{RowNumber, Rows, Table};
use crate::model::{Reason, Row};

/// A webhook with its URL parsed.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// Its number among all rows, from 0.
    pub number: u32,
    pub id: &'a str,
    /// As it was registered.
    pub url: &'a str,
    /// As software will read it; `None` when it does not parse or names no host.
    pub parsed: Option<Url>,
    /// The names subscribed to, as often as they are there.
    pub events: Vec<&'a str>,
    /// The entries of `events`, names or not; `None` when it is no array.
    pub event_count: Option<usize>,
    /// Whether it delivers, as far as the API said so.
    pub active: Option<bool>,
    pub created_at: Option<Timestamp>,
}

impl<'a> Candidate<'a> {
    pub fn new(number: u32, webhook: &'a impl Subject) -> Self {
        Self {
            number,
            id: webhook.id(),
            url: webhook.url(),
            parsed: Url::parse(webhook.url()).ok().filter(Url::has_host),
            events: webhook.names().collect(),
            event_count: webhook.event_count(),
            active: webhook.active(),
            created_at: webhook.created_at(),
        }
    }

    /// Whether it surely delivers.
    pub fn is_active(&self) -> bool {
        self.active == Some(true)
    }

    /// The host that the URL really names.
    pub fn host(&self) -> Option<Host<&str>> {
        self.parsed.as_ref()?.host()
    }

    /// The name of the host, without the dot that may end it; `None` for an address.
    pub fn domain(&self) -> Option<&str> {
        self.parsed.as_ref()?.domain().map(|name| name.trim_end_matches('.'))
    }
}

/// What stands in a row.
#[derive(Debug)]
pub enum Item<'a> {
    Webhook(Candidate<'a>),
    /// No webhook.
    Malformed(Reason),
}

/// Rows by their numbers, however they are kept.
pub trait Source {
    fn count(&self) -> u32;
    /// Hands the row of that number to the visitor, if there is one.
    fn visit(&self, number: u32, visitor: &mut dyn FnMut(Item<'_>));
}

impl Source for &[Row] {
    fn count(&self) -> u32 {
        u32::try_from(self.len()).unwrap_or(u32::MAX)
    }

    fn visit(&self, number: u32, visitor: &mut dyn FnMut(Item<'_>)) {
        match self.get(number as usize) {
            Some(Row::Webhook(webhook)) => visitor(Item::Webhook(Candidate::new(number, webhook))),
            Some(Row::Malformed(malformed)) => visitor(Item::Malformed(malformed.reason)),
            None => {}
        }
    }
}

/// Some of the rows that the explorer has. The number of one is its place among them.
#[derive(Debug)]
pub struct Loaded<'r> {
    table: Table<'r>,
    numbers: &'r [RowNumber],
}

impl<'r> Loaded<'r> {
    pub fn new(rows: &'r Rows, numbers: &'r [RowNumber]) -> Self {
        Self { table: Table::new(rows), numbers }
    }
}

impl Source for Loaded<'_> {
    fn count(&self) -> u32 {
        u32::try_from(self.numbers.len()).unwrap_or(u32::MAX)
    }

    fn visit(&self, number: u32, visitor: &mut dyn FnMut(Item<'_>)) {
        let Some(row) = self.numbers.get(number as usize).and_then(|&number| self.table.row(number)) else { return };
        if row.is_webhook() {
            visitor(Item::Webhook(Candidate::new(number, &row)));
        } else if let Row::Malformed(malformed) = row.unpack() {
            visitor(Item::Malformed(malformed.reason));
        }
    }
}
