//! Pure functions over webhooks, the same for the explorer and for the commands: no IO, no clock, no terminal.

mod host;
mod words;
pub mod coverage;
pub mod query;
pub mod sort;
pub mod vocabulary;
