//! Recovery after a failure: retries at growing intervals, and a notice when the API is back.

use std::time::Duration;

use jiff::Timestamp;

use super::{Action, App, Effect, Notice, Overlay, Stage};
use crate::api::{ApiError, ErrorKind, unread_key};
use crate::clock;
use crate::config::TimeFormat;
use crate::safe;
use crate::text::Safe;
use crate::tui::health::Health;

/// The first pause before another try; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// The part of a second that a wait in whole seconds may lack.
const ROUNDING: Duration = Duration::from_secs(1);

/// State of a failure until it is over.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    since: Option<Timestamp>,
    /// Retries so far.
    tries: u32,
    /// The failure stopped auto-refresh, which resumes when the API is back.
    resumes_auto_refresh: bool,
    /// The notice that came with the failure.
    notice: Option<Notice>,
    /// Why the key command, run again, gave no key.
    unread_key: Option<Safe>,
}

impl Recovery {
    fn pause(&self) -> Duration {
        (FIRST_PAUSE * (1 << self.tries.min(8))).min(LONGEST_PAUSE)
    }

    /// The key command is about to run again.
    pub(super) fn forget_unread_key(&mut self) {
        self.unread_key = None;
    }
}

impl App {
    /// Schedules the next retry after a failure, and notices when the API is back.
    pub(super) fn watch_recovery(&mut self) -> Vec<Effect> {
        let has_come = !self.is_loading() && self.listing.fresh_pages() > 0;
        match &mut self.health {
            Health::Trouble(trouble) if trouble.stage == Stage::Failed => {
                self.recovery.since.get_or_insert(trouble.since);
                if trouble.again_at.is_none() && trouble.error.may_recover() {
                    let asked = trouble.error.wait().map_or(Duration::ZERO, |wait| wait.saturating_add(ROUNDING));
                    trouble.again_at = self.now.instant.checked_add(self.recovery.pause().max(asked));
                    self.recovery.notice.clone_from(&self.notice);
                }
                Vec::new()
            }
            Health::Trouble(trouble) => {
                trouble.again_at = None;
                Vec::new()
            }
            Health::Live { .. } if has_come => self.recovered(),
            Health::Live { .. } | Health::Unknown => Vec::new(),
        }
    }

    fn recovered(&mut self) -> Vec<Effect> {
        let Some(since) = self.recovery.since.take() else { return Vec::new() };
        let recovery = std::mem::take(&mut self.recovery);
        if recovery.resumes_auto_refresh {
            self.auto_refresh = Some(self.now.instant + self.setup.refresh_every);
        }
        // A warning counts for more than good news, except one about the failure that is over.
        if self.notice == recovery.notice || !matches!(self.notice, Some(Notice::Warning(_))) {
            let zone = match self.time {
                TimeFormat::Utc => jiff::tz::TimeZone::UTC,
                TimeFormat::Relative | TimeFormat::Local => self.setup.zone.clone(),
            };
            let auto = if self.auto_refresh.is_some() { "; auto-refresh is on" } else { "" };
            let words = safe!("the API is back (failing since {}){}", clock::time_of_day(since, &zone), auto);
            self.notice = Some(Notice::Info(words));
        }
        vec![Effect::Draw]
    }

    /// The key command gave no key. The failure that the API reported stays, and from now on carries the reason.
    pub(super) fn not_renewed(&mut self, why: Safe) -> Vec<Effect> {
        let words = unread_key(&why);
        if let Health::Trouble(trouble) = &mut self.health {
            trouble.error.unread_key = Some(Box::new(why.clone()));
        }
        self.recovery.unread_key = Some(why);
        self.warn(words)
    }

    /// Adds to a failure that another key could end why there is none.
    pub(super) fn with_unread_key(&self, mut error: ApiError) -> ApiError {
        if error.kind == ErrorKind::Unauthorized && error.unread_key.is_none() {
            error.unread_key = self.recovery.unread_key.clone().map(Box::new);
        }
        error
    }

    /// Retries when it is time to.
    pub(super) fn recover_when_due(&mut self) {
        let due = self.health.trouble().and_then(|trouble| trouble.again_at);
        if due.is_some_and(|due| due <= self.now.instant) {
            self.recovery.tries += 1;
            self.consistency.start_over();
            self.refresh();
        }
    }

    /// Stops auto-refresh at a failure that the next request would meet again. Returns the notice.
    pub(super) fn suspend_auto_refresh(&mut self, what: &Safe, may_recover: bool) -> Option<Safe> {
        self.auto_refresh.take()?;
        if may_recover {
            self.recovery.resumes_auto_refresh = true;
            return Some(safe!("auto-refresh paused: {}; it resumes when the API is back", what));
        }
        let key = self.setup.keymap.key(Action::Refresh).unwrap_or_default();
        Some(safe!("auto-refresh stopped: {}; {} retries", what, key))
    }

    /// Turns auto-refresh off. Returns true if it was on, or paused until the API recovers.
    pub(super) fn end_auto_refresh(&mut self) -> bool {
        let resumed = std::mem::take(&mut self.recovery.resumes_auto_refresh);
        self.auto_refresh.take().is_some() || resumed
    }

    /// Returns true if the countdown to the next retry is on screen, in the banner or the panel.
    pub(super) fn shows_countdown(&self) -> bool {
        let is_covered = matches!(self.overlay, Overlay::PlainText(_));
        !is_covered && (self.layout().banner.height > 0 || self.listing.is_empty())
    }
}
