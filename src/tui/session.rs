//! Everything that belongs to the workspace on screen. A switch to another workspace replaces it as a whole, so that nothing of the
//! last one is left: no row, no error, no text to copy. One file for each part; none of them knows the screen or the loop.

pub mod auditing;
pub mod cache;
pub mod caching;
pub mod changes;
pub mod comparing;
pub mod context;
pub mod deferred;
pub mod deliveries;
pub mod fetching;
pub mod filter;
pub mod filter_sort;
pub mod findings;
pub mod groups;
pub mod health;
pub mod listing;
pub mod loading;
pub mod marking;
pub mod past;
pub mod probes;
pub mod probing;
pub mod recovery;
pub mod refreshing;
pub mod shown_rows;
pub mod state;
pub mod tracking;
pub mod unread;
pub mod webhook_list;
pub mod workspace;

pub use self::state::{Session, SessionStart};
