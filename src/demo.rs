//! The embedded demo: a made-up workspace, and an API server that serves it. May use `clock`. Start at [`DemoServer`].
//!
//! The explorer talks to this server over a real socket, exactly as it talks to the real API, so that the demo shows the
//! product. The workspace belongs to a fictional chain of dental clinics; it is the same on every run, and contains at least
//! one example of everything that an audit can find in a listing.

mod api;
mod changes;
mod company;
mod ids;
mod rate_limit;
mod server;
mod workspace;

pub use self::api::{FORBIDDEN_KEY, KEY};
pub use self::server::{DemoOptions, DemoServer};
pub use self::workspace::{DemoWebhook, DemoWorkspace};
