//! The state of the workspace on screen. Switching to another workspace replaces all of it, so that no row, error or copied
//! text of the previous one remains. One file per part; none of them uses the screen or the loop.

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
