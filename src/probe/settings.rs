//! Settings of a probe.

use std::time::Duration;

use jiff::Timestamp;

use super::trust::Trust;

/// Settings that all destinations of a probe share.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Time limit of each step.
    pub step_timeout: Duration,
    /// Also connect to private addresses.
    pub allow_private: bool,
    pub trust: Trust,
    /// The time from which the remaining days of certificates are counted.
    pub now: Timestamp,
}
