//! Recovery after a failure: the next retry, and a notice when the API is back.

use std::time::Duration;

use crate::api::unread_key;
use crate::base::clock;
use crate::base::text::Safe;
use crate::safe;
use crate::tui::app::App;
use crate::tui::list_pane::ViewList as _;
use crate::tui::message::Effect;
use crate::tui::notice::Notice;
use crate::tui::session::health::{Health, IssueStage};
use crate::tui::session::recovery::ROUNDING;
use crate::tui::ui::Overlay;

impl App {
    /// Schedules the next retry after a failure, and notices when the API is back.
    pub(super) fn watch_recovery(&mut self) -> Vec<Effect> {
        let has_come = !self.session.is_loading() && self.session.list.lines.fresh_pages() > 0;
        match &mut self.session.load.health {
            Health::Trouble(trouble) if trouble.stage == IssueStage::Failed => {
                self.session.load.recovery.since.get_or_insert(trouble.since);
                if trouble.again_at.is_none() && trouble.error.may_recover() {
                    let asked = trouble.error.wait().map_or(Duration::ZERO, |wait| wait.saturating_add(ROUNDING));
                    trouble.again_at = self.now.instant.checked_add(self.session.load.recovery.pause().max(asked));
                    self.session.load.recovery.notice.clone_from(&self.ui.notice);
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
        let Some(since) = self.session.load.recovery.since.take() else { return Vec::new() };
        let recovery = std::mem::take(&mut self.session.load.recovery);
        if recovery.resumes_auto_refresh {
            self.session.load.auto_refresh = Some(self.now.instant + self.settings.refresh_every);
        }
        // A warning is more important than good news, except one about the failure that is over.
        if self.ui.notice == recovery.notice || !matches!(self.ui.notice, Some(Notice::Warning(_))) {
            let zone = self.settings.shown_zone();
            let auto = if self.session.load.auto_refresh.is_some() { "; auto-refresh is on" } else { "" };
            let words = safe!("the API is back (failing since {}){}", clock::time_of_day(since, &zone), auto);
            self.ui.notice = Some(Notice::Info(words));
        }
        vec![Effect::Draw]
    }

    /// Handles a key command that failed. The API's error stays, with the reason added.
    pub(super) fn not_renewed(&mut self, why: Safe) -> Vec<Effect> {
        let words = unread_key(&why);
        if let Health::Trouble(trouble) = &mut self.session.load.health {
            trouble.error.unread_key = Some(Box::new(why.clone()));
        }
        self.session.load.recovery.unread_key = Some(why);
        self.warn(words)
    }

    /// Returns true if the countdown to the next retry is on screen, in the banner or the panel.
    pub(super) fn shows_countdown(&self) -> bool {
        let is_covered = matches!(self.ui.overlay, Overlay::PlainText(_));
        !is_covered && (self.layout().banner.height > 0 || self.session.list.is_empty())
    }
}
