//! Pure functions over webhooks, the same for the explorer and for the commands: no IO, no clock, no terminal.

pub mod coverage;
mod host;
pub mod query;
pub mod sort;
pub mod vocabulary;
mod words;
