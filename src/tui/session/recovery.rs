//! The recovery from a failure: retries at growing intervals, and what resumes when the API is back.

use std::time::Duration;

use jiff::Timestamp;

use crate::base::text::Safe;
use crate::tui::notice::Notice;

/// The pause before the first retry; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// Added to waits in whole seconds, which may be rounded down.
pub const ROUNDING: Duration = Duration::from_secs(1);

/// The state of a failure until it is over.
#[derive(Debug, Default)]
pub struct Recovery {
    pub since: Option<Timestamp>,
    /// Retries so far.
    pub tries: u32,
    /// True if the failure paused auto-refresh, which resumes when the API is back.
    pub resumes_auto_refresh: bool,
    /// The notice about the failure.
    pub notice: Option<Notice>,
    /// The reason why running the key command again failed.
    pub unread_key: Option<Safe>,
}

impl Recovery {
    pub fn pause(&self) -> Duration {
        (FIRST_PAUSE * (1 << self.tries.min(8))).min(LONGEST_PAUSE)
    }

    /// Forgets that reason, since the key command is about to run again.
    pub fn forget_unread_key(&mut self) {
        self.unread_key = None;
    }
}
