//! The state of a failure until the API is back: retries at growing intervals, and what resumes then.

use std::time::Duration;

use jiff::Timestamp;

use crate::base::text::Safe;
use crate::tui::notice::Notice;

/// The first pause before another try; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// The part of a second that a wait in whole seconds may lack.
pub const ROUNDING: Duration = Duration::from_secs(1);

/// State of a failure until it is over.
#[derive(Debug, Default)]
pub struct Recovery {
    pub since: Option<Timestamp>,
    /// Retries so far.
    pub tries: u32,
    /// The failure stopped auto-refresh, which resumes when the API is back.
    pub resumes_auto_refresh: bool,
    /// The notice that came with the failure.
    pub notice: Option<Notice>,
    /// Why the key command, run again, gave no key.
    pub unread_key: Option<Safe>,
}

impl Recovery {
    pub fn pause(&self) -> Duration {
        (FIRST_PAUSE * (1 << self.tries.min(8))).min(LONGEST_PAUSE)
    }

    /// The key command is about to run again.
    pub fn forget_unread_key(&mut self) {
        self.unread_key = None;
    }
}
