//! Recovery after a failure: the explorer tries again by itself, slowly, and reports when the API is back.

use std::time::Duration;

use jiff::Timestamp;

use super::{Action, App, Effect, Notice, Overlay, Stage};
use crate::clock;
use crate::config::TimeFormat;
use crate::safe;
use crate::text::Safe;
use crate::tui::health::Health;

/// The first pause before another try; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// What a wait in whole seconds may leave out.
const ROUNDING: Duration = Duration::from_secs(1);

/// What is known of a failure until it is over.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    /// Since when.
    since: Option<Timestamp>,
    /// Tries so far.
    tries: u32,
    /// The failure stopped auto-refresh, which goes on when the API is back.
    resumes_auto_refresh: bool,
}

impl Recovery {
    fn pause(&self) -> Duration {
        (FIRST_PAUSE * (1 << self.tries.min(8))).min(LONGEST_PAUSE)
    }
}

impl App {
    /// Names the time of the next try when something failed for good, and notices when nothing is wrong any more.
    pub(super) fn watch_recovery(&mut self) -> Vec<Effect> {
        let has_come = !self.is_loading() && self.listing.fresh_pages() > 0;
        match &mut self.health {
            Health::Trouble(trouble) if trouble.stage == Stage::Failed => {
                self.recovery.since.get_or_insert(trouble.since);
                if trouble.again_at.is_none() && trouble.error.may_recover() {
                    let asked = trouble.error.wait().map_or(Duration::ZERO, |wait| wait.saturating_add(ROUNDING));
                    trouble.again_at = self.now.instant.checked_add(self.recovery.pause().max(asked));
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
        if std::mem::take(&mut self.recovery).resumes_auto_refresh {
            self.auto_refresh = Some(self.now.instant + self.setup.refresh_every);
        }
        // A warning counts for more than good news.
        if !matches!(self.notice, Some(Notice::Warning(_))) {
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

    /// The next try is due.
    pub(super) fn recover_when_due(&mut self) {
        let due = self.health.trouble().and_then(|trouble| trouble.again_at);
        if due.is_some_and(|due| due <= self.now.instant) {
            self.recovery.tries += 1;
            self.consistency.start_over();
            self.refresh();
        }
    }

    /// Stops auto-refresh at a failure that another request would only meet again. Returns the words for it.
    pub(super) fn suspend_auto_refresh(&mut self, what: &Safe, may_recover: bool) -> Option<Safe> {
        self.auto_refresh.take()?;
        if may_recover {
            self.recovery.resumes_auto_refresh = true;
            return Some(safe!("auto-refresh stopped: {}; it resumes when the API is back", what));
        }
        let key = self.setup.keymap.key(Action::Refresh).unwrap_or_default();
        Some(safe!("auto-refresh stopped: {}; {} tries again", what, key))
    }

    /// Whether auto-refresh is on, or goes on when the API is back; either way it is off from now on.
    pub(super) fn end_auto_refresh(&mut self) -> bool {
        let resumed = std::mem::take(&mut self.recovery.resumes_auto_refresh);
        self.auto_refresh.take().is_some() || resumed
    }

    /// Whether the line or the panel that counts down is on screen.
    pub(super) fn shows_countdown(&self) -> bool {
        let is_covered = matches!(self.overlay, Overlay::PlainText(_));
        !is_covered && (self.layout().banner.height > 0 || self.listing.is_empty())
    }
}
