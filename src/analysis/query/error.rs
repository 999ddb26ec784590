//! Errors of the filter language, each with its place in the text.

use std::fmt;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::base::text::Safe;

/// Why a text is not a valid query, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// The bytes of the query that are wrong, on character boundaries. Never beyond its end.
    pub span: Range<usize>,
    pub message: Safe,
    /// The correction, if one is known.
    pub advice: Option<Safe>,
}

impl QueryError {
    /// The column where the error begins: 1 at the first character, as a reader counts them.
    pub fn column(&self, query: &str) -> usize {
        let whole = |&(start, cluster): &(usize, &str)| start + cluster.len() <= self.span.start;
        query.grapheme_indices(true).take_while(whole).count() + 1
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl std::error::Error for QueryError {}
