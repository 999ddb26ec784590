//! Values of a query, as fields read them.

use std::borrow::Cow;
use std::ops::Range;

use super::QueryError;
use crate::text::{Safe, clean_head};

/// Columns of the query that a message repeats.
pub(super) const SHOWN: usize = 40;

/// The value of a field, or a word without one.
#[derive(Debug)]
pub(super) struct Value<'q> {
    /// One of the field's operators, or nothing.
    pub(super) operator: &'static str,
    /// The value without its quotes.
    pub(super) text: Cow<'q, str>,
    /// Its bytes in the query.
    pub(super) span: Range<usize>,
}

impl Value<'_> {
    /// The value as a message repeats it.
    pub(super) fn shown(&self) -> Safe {
        clean_head(&self.text, SHOWN)
    }

    /// An error about this value.
    pub(super) fn wrong(&self, message: Safe, advice: Option<Safe>) -> QueryError {
        problem(self.span.clone(), message, advice)
    }
}

/// An error at a place of the query.
pub(super) fn problem(span: Range<usize>, message: Safe, advice: Option<Safe>) -> QueryError {
    QueryError { span, message, advice }
}
