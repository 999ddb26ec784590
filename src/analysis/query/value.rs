//! Values of a query: the text that fields parse, and the quoting of any text as a value.

use std::borrow::Cow;
use std::ops::Range;

use super::error::QueryError;
use crate::base::text::{Safe, clean_head};

/// The most columns of a query that a message repeats.
pub(super) const SHOWN: usize = 40;

/// The value of a field, or a word without one.
#[derive(Debug)]
pub(super) struct FieldValue<'q> {
    /// One of the field's operators, or nothing.
    pub(super) operator: &'static str,
    /// The value without its quotes.
    pub(super) text: Cow<'q, str>,
    /// Its bytes in the query.
    pub(super) span: Range<usize>,
}

impl FieldValue<'_> {
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

/// Quotes a text so that a query searches for it literally. A text that means nothing else stays without quotes.
pub fn quote(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-');
    if !text.is_empty() && !text.starts_with('-') && text.bytes().all(plain) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}
