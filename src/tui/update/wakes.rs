//! The times at which the screen changes without a message.

use std::time::Duration;

use tokio::time::Instant;

use crate::base::clock;
use crate::config::TimeFormat;
use crate::model::RowRef;
use crate::tui::app::App;
use crate::tui::session::health::Health;

impl App {
    /// The time of the next change without a message: a countdown, an age, an automatic refresh.
    pub fn next_wake(&self) -> Option<Instant> {
        let ages = (self.settings.time == TimeFormat::Relative).then(|| self.next_age_change()).flatten();
        let now = self.now.instant;
        let released = self.ui.moves.released_at(now).into_iter().chain(self.ui.presses.released_at(now)).min();
        let live = match self.session.load.health {
            Health::Live { at } if self.session.workspace.file.is_none() && self.session.cached_at().is_none() => {
                self.next_live_age(at)
            }
            _ => None,
        };
        let past = self.session.cached_at().into_iter().chain(self.changes_since());
        let past = past.map(|at| clock::recent_age_changes_in(at, self.now.wall)).min();
        let past = past.map(|seconds| self.now.instant + Duration::from_secs(u64::try_from(seconds).unwrap_or(60).max(1)));
        let told = self.settles_at().filter(|_| !self.session.broken_at(self.session.list.selected()).is_empty());
        let other = [
            self.session.load.health.next_wake(self.now.instant, self.shows_countdown()),
            self.session.load.auto_refresh,
            self.session.keeps_at(),
        ];
        other.into_iter().chain([ages, released, past, told, live]).flatten().min()
    }

    /// The time of the next change of the age of live rows, or of its color.
    fn next_live_age(&self, read_at: jiff::Timestamp) -> Option<Instant> {
        let age = u64::try_from(self.now.wall.duration_since(read_at).as_secs()).ok()?;
        let stale = self.fresh_for().as_secs().saturating_add(1).checked_sub(age).filter(|&left| left > 0);
        let changes = u64::try_from(clock::age_changes_in(read_at, self.now.wall)).ok()?;
        let seconds = stale.into_iter().chain([changes.max(1)]).min()?;
        self.now.instant.checked_add(Duration::from_secs(seconds))
    }

    /// The time at which the selection has stayed long enough to show its details, if it is yet to come.
    pub fn settles_at(&self) -> Option<Instant> {
        self.ui.moves.settles_at(self.now.instant)
    }

    /// Returns true while a key that moves the selection is held: only the list is drawn then.
    pub fn is_hurried(&self) -> bool {
        self.ui.moves.is_held(self.now.instant)
    }

    /// Returns true while any key is held: frames are then spaced by their size.
    pub fn is_repeating(&self) -> bool {
        self.is_hurried() || self.ui.presses.is_held(self.now.instant)
    }

    fn next_age_change(&self) -> Option<Instant> {
        let visible = self.visible().filter_map(|place| self.session.list.row(place)).filter_map(RowRef::created_at);
        let seconds = visible.map(|then| clock::age_changes_in(then, self.now.wall)).min()?;
        // Ages are updated at most once per minute, although different rows change at different seconds.
        Some(self.now.instant + Duration::from_secs(u64::try_from(seconds).unwrap_or_default().max(60)))
    }
}
