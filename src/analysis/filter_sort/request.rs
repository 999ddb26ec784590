//! Requests for rows, and their results.

use std::sync::Arc;

use crate::analysis::groups::{Groups, RowGrouping};
use crate::analysis::query::{FilterFacts, Query};
use crate::analysis::sort::Sort;
use crate::model::Scope;
use crate::model::{RowNumber, Rows};

/// The rows to show, and their order.
#[derive(Debug, Clone, Default)]
pub struct FilterSortRequest {
    pub rows: Rows,
    pub query: Query,
    /// The scope, unless the server applies it.
    pub scope: Scope,
    pub facts: FilterFacts,
    pub sort: Option<Sort>,
    /// Also put the rows into groups.
    pub grouping: Option<RowGrouping>,
}

/// Rows in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilterSortResult {
    pub order: Arc<[RowNumber]>,
    /// False for the first rows of a longer result.
    pub is_whole: bool,
    /// The same rows in groups, if the request asks for that.
    pub groups: Option<Arc<Groups>>,
}
