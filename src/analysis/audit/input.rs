//! A row as the rules read it.

use jiff::Timestamp;
use url::{Host, Url};

use crate::model::{RowNumber, RowRef, without_final_dot};

/// A row with its URL parsed.
#[derive(Debug)]
pub(super) struct AuditInput<'a> {
    /// Its number among all rows, from 0.
    pub(super) number: RowNumber,
    pub(super) row: RowRef<'a>,
    /// The URL as software reads it; `None` if it is not valid or has no host.
    pub(super) parsed: Option<Url>,
    /// The names of the events that it is subscribed to, as often as they are listed.
    pub(super) events: Vec<&'a str>,
}

impl<'a> AuditInput<'a> {
    pub(super) fn new(number: RowNumber, row: RowRef<'a>) -> Self {
        let parsed = Url::parse(row.url()).ok().filter(Url::has_host);
        Self { number, row, parsed, events: row.event_names().collect() }
    }

    pub(super) fn id(&self) -> &'a str {
        self.row.id()
    }

    /// The URL as it was registered.
    pub(super) fn url(&self) -> &'a str {
        self.row.url()
    }

    /// Returns true if it is known to be active.
    pub(super) fn is_active(&self) -> bool {
        self.row.active() == Some(true)
    }

    pub(super) fn created_at(&self) -> Option<Timestamp> {
        self.row.created_at()
    }

    /// The host that the URL really names.
    pub(super) fn host(&self) -> Option<Host<&str>> {
        self.parsed.as_ref()?.host()
    }

    /// The name of the host, without a dot at its end; `None` for an IP address.
    pub(super) fn domain(&self) -> Option<&str> {
        self.parsed.as_ref()?.domain().map(without_final_dot)
    }
}
