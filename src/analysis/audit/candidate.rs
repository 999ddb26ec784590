//! A webhook as the rules look at it.

use jiff::Timestamp;
use url::{Host, Url};

use crate::model::{MalformedReason, RowRef, without_final_dot};
use crate::model::{RowNumber, RowTable, Rows};

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
    pub fn new(number: u32, webhook: RowRef<'a>) -> Self {
        Self {
            number,
            id: webhook.id(),
            url: webhook.url(),
            parsed: Url::parse(webhook.url()).ok().filter(Url::has_host),
            events: webhook.event_names().collect(),
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
        self.parsed.as_ref()?.domain().map(without_final_dot)
    }
}

/// What stands in a row.
#[derive(Debug)]
pub enum Item<'a> {
    Webhook(Candidate<'a>),
    /// No webhook, with its number.
    Malformed(u32, MalformedReason),
}

/// Rows by their numbers, however they are kept.
pub trait Source {
    /// Hands the row of that number to the visitor, if there is one.
    fn visit(&self, number: u32, visitor: &mut dyn FnMut(Item<'_>));
    /// Hands on every row, in their order.
    fn visit_all(&self, visitor: &mut dyn FnMut(Item<'_>));
    /// Only some of the rows of the workspace are here.
    fn is_part(&self) -> bool {
        false
    }
}

/// The rows that the explorer has. The number of one is that among all rows of the listing.
#[derive(Debug)]
pub struct Loaded<'r> {
    rows: &'r Rows,
    table: RowTable<'r>,
    is_part: bool,
}

impl<'r> Loaded<'r> {
    pub fn new(rows: &'r Rows, is_part: bool) -> Self {
        Self { rows, table: RowTable::new(rows), is_part }
    }
}

/// A packed row as the rules look at it.
pub(super) fn with_item(number: RowNumber, row: RowRef<'_>, visitor: &mut dyn FnMut(Item<'_>)) {
    match row.malformed() {
        None => visitor(Item::Webhook(Candidate::new(number, row))),
        Some(reason) => visitor(Item::Malformed(number, reason)),
    }
}

impl Source for Loaded<'_> {
    fn visit(&self, number: u32, visitor: &mut dyn FnMut(Item<'_>)) {
        if let Some(row) = self.table.row(number) {
            with_item(number, row, visitor);
        }
    }

    fn visit_all(&self, visitor: &mut dyn FnMut(Item<'_>)) {
        for (_, first, segment) in self.rows.segments() {
            for (number, row) in (first..).zip(segment.iter()) {
                with_item(number, row, visitor);
            }
        }
    }

    fn is_part(&self) -> bool {
        self.is_part
    }
}
