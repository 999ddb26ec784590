//! The real program in real pseudo-terminals: what it does to a terminal, and what a terminal can do to it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers around the tests are not in a test function, and a test that cannot go on has failed"
)]

mod endings;
mod files;
mod jobs;
mod keyboard;
mod output;
mod panics;
mod profiles;
mod refusals;
pub(crate) mod session;
mod sizes;
