//! What the API, the network and the operating system do wrong, and what becomes of it: every test talks through a real
//! socket.

mod binary;
mod client;
mod listing;
mod proxies;
pub(crate) mod server;
mod task;
