//! Pure functions over webhooks, the same for the explorer and for the commands: no IO, no clock, no terminal.

pub mod audit;
pub mod changes;
pub mod coverage;
pub mod deliveries;
pub mod destinations;
pub mod diff;
pub mod field_changes;
pub mod filter_sort;
pub mod groups;
pub mod migration;
pub mod origins;
pub mod probed;
pub mod query;
pub mod reach;
pub mod refresh_diff;
pub mod sort;
pub mod vocabulary;
mod words;

pub(crate) use self::words::nearest;

/// Returns false once a result is no longer needed. Long-running work checks it repeatedly, on each of its threads.
pub type IsNeeded<'a> = &'a (dyn Fn() -> bool + Sync + 'a);
