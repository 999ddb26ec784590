//! A notice in the footer, shown until the next key.

use crate::base::text::Safe;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    Info(Safe),
    Warning(Safe),
}
