//! The embedded demo: a made-up workspace, and the API server that serves it.
//!
//! The explorer talks to this server over a real socket, exactly as it talks to the real API, so
//! the demo shows the product and not a stand-in for it. The workspace belongs to a fictional chain
//! of dental clinics; it is the same on every run, and it contains at least one example of
//! everything that an audit can find in a listing.

mod overlay;
pub mod server;
pub mod workspace;

use std::time::Duration;

/// The API key that the demo server accepts.
pub const KEY: &str = "demo_3f9a1c:not-a-secret";

/// An API key that the demo server knows but refuses with `403`, for trying out that failure.
pub const FORBIDDEN_KEY: &str = "demo_forbid:not-a-secret";

/// How the demo server is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many webhooks the workspace has.
    pub webhooks: u64,
    /// How long the server waits before each answer.
    pub latency: Duration,
    /// The port on the loopback interface; 0 takes any free one.
    pub port: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self { webhooks: 1_200, latency: Duration::ZERO, port: 0 }
    }
}
