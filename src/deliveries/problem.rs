//! Messages about an export: why a file cannot be used, and why a row is malformed. Uses the text gate only.

use std::io;

use crate::base::text::{Safe, clean_head};
use crate::error::reason;

pub(super) const TOO_LONG: &str = "longer than 1 MiB";
pub(super) const UNCLOSED_QUOTE: &str = "missing closing quote";

/// An export from which nothing could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    #[error("{0}")]
    Io(Safe),
    #[error("the file is empty")]
    Empty,
    #[error("not UTF-8 but {0}")]
    Encoding(&'static str),
    /// The header lacks columns. It is quoted.
    #[error("not the expected columns: {0}")]
    Columns(Safe),
    /// Every row is malformed. The first one is named.
    #[error("no valid row; line {line}: {why}")]
    NoRows { line: u64, why: Safe },
}

impl From<io::Error> for ExportError {
    fn from(error: io::Error) -> Self {
        Self::Io(clean_head(reason(&error).as_str(), 200))
    }
}
