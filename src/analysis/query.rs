//! The filter language of the explorer and of every `--filter`.
//!
//! A query is terms separated by spaces, and a webhook must match all. A term is alternatives separated by `|`, negated as a
//! whole by a leading `-` or `!`. An alternative is a word, a field with a value, or a fuzzy word. [`help()`] explains it to
//! users.
//!
//! Start with [`Query`], then [`Matcher`]. To add a field, add a row to the table in `fields` and a condition that it reads
//! into.

mod condition;
mod error;
mod fields;
mod fuzzy;
mod help;
mod highlight;
mod hint;
mod matcher;
mod needle;
mod parsed;
mod parser;
mod pattern;
mod time;
mod value;

pub use self::error::QueryError;
pub use self::fields::field_values;
pub use self::help::{fields, help};
pub use self::matcher::{FilterFacts, Matcher, Ranker};
pub use self::parsed::Query;
pub use self::time::moment;
pub use self::value::quote;

#[cfg(test)]
mod tests;
