//! Questions to the arranger, and the hits that it keeps for later ones.

use std::sync::Arc;

use crate::analysis::groups::Grouping;
use crate::analysis::query::{Flags, Query};
use crate::analysis::rows::{RowNumber, Rows};
use crate::analysis::sort::Sort;
use crate::model::Scope;

/// Pages that a thread takes together. Cancellation is checked after each such group.
pub(super) const PAGES_AT_ONCE: usize = 32;

/// Which rows to show, and in what order.
#[derive(Debug, Clone, Default)]
pub struct Question {
    pub rows: Rows,
    pub query: Query,
    /// The scope, when the server does not see to it.
    pub scope: Scope,
    pub flags: Flags,
    pub sort: Option<Sort>,
    /// Also put them into groups.
    pub grouping: Option<Grouping>,
}

/// The hits of a query, in the order of the listing.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) rows: Rows,
    pub(super) query: Query,
    pub(super) scope: Scope,
    pub(super) flags: Flags,
    pub(super) hits: Arc<[RowNumber]>,
}
