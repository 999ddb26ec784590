//! Reloading: by the user, automatically, after a failure, and for another scope.

use super::context::SessionContext;
use super::health::IssueStage;
use super::listing::Listing;
use super::loading::{LoadAll, ShelvedScope};
use super::state::Session;
use super::unread::UnreadChanges;
use crate::api::ErrorKind;
use crate::base::text::grouped;
use crate::keymap::Action;
use crate::safe;
use crate::tui::list_pane::ListPane;
use crate::tui::message::{Effect, draw_if, inform};
use crate::tui::view_kind::View;

impl Session {
    /// Reloads the rows on screen, or all rows if all were loaded or are needed.
    pub fn refresh(&mut self, cx: SessionContext<'_>) {
        // Cached rows count, since all of them are to be replaced.
        let was_complete = self.list.lines.is_complete() && self.list.lines.loaded() > 0;
        // The view needs all rows, but the last read failed.
        let is_awaited = self.load.has_given_up() && cx.view != View::Webhooks;
        self.remember_rows();
        self.new_generation(cx);
        self.list.lines.refresh(self.load.generation);
        self.load.health.try_again();
        self.load.all = LoadAll::No;
        if was_complete || is_awaited || self.is_arranged() {
            self.need_everything();
        }
        if self.load.auto_refresh.is_some() {
            self.load.auto_refresh = Some(cx.now.instant + cx.settings.refresh_every);
        }
    }

    /// Refreshes by hand. While an answer is pending, another request would only restart the wait, so the user has to press
    /// the key twice. A load of everything retries by itself, so it is not restarted.
    pub fn ask_again(&mut self, cx: SessionContext<'_>) -> Vec<Effect> {
        let stage = self.load.health.trouble().map(|trouble| trouble.stage);
        let waits = self.is_loading() && matches!(stage, None | Some(IssueStage::Again));
        if waits && self.load.insisted_on.replace(self.load.generation) != Some(self.load.generation) {
            let key = cx.settings.key(Action::Refresh);
            return inform(safe!("still loading; press {} again to start over", key));
        }
        let is_tried = matches!(stage, Some(IssueStage::Retrying { .. } | IssueStage::Paused { .. }));
        if is_tried && self.load.all != LoadAll::No {
            return inform("still loading: it retries by itself; esc stops it");
        }
        let is_refused = self.load.health.trouble().is_some_and(|trouble| trouble.error.kind == ErrorKind::Unauthorized);
        self.load.inconsistent = 0;
        self.refresh(cx);
        self.load.recovery.forget_unread_key();
        is_refused.then_some(Effect::RenewKey).into_iter().chain([Effect::Draw]).collect()
    }

    /// Shows the next scope. Its rows from an earlier load are shown at once, and reloaded.
    pub fn change_scope(&mut self, cx: SessionContext<'_>) -> Vec<Effect> {
        self.leave_scope();
        self.new_generation(cx);
        self.swap_shelved();
        self.remember_rows();
        let was_complete = self.list.lines.is_complete() && self.list.lines.loaded() > 0;
        self.list.lines.refresh(self.load.generation);
        self.load.all = LoadAll::No;
        self.filter_sort.start_over();
        self.findings.start_over();
        self.load.inconsistent = 0;
        self.groups.forget();
        if was_complete || self.is_arranged() || self.groups.of(cx.view).is_some() {
            self.need_everything();
        }
        self.list.scroll = 0;
        let mut effects = self.show_last_look();
        effects.push(Effect::Draw);
        effects
    }

    /// Drops the jobs about the rows of this scope. A comparison in progress is repeated when the scope is shown again.
    fn leave_scope(&mut self) {
        self.jobs.leave_scope();
        self.stop_gathering();
        self.compare_again();
    }

    /// Swaps the rows of this scope for those of the next one.
    fn swap_shelved(&mut self) {
        let scope = self.load.scope;
        self.load.scope = scope.next();
        let next = self.load.shelf.remove(&self.load.scope).unwrap_or_else(|| ShelvedScope {
            list: ListPane::new(Listing::new(self.load.generation, self.workspace.page_size)),
            unread: UnreadChanges::default(),
        });
        let list = std::mem::replace(&mut self.list, next.list);
        let unread = std::mem::replace(&mut self.unread, next.unread);
        self.load.shelf.insert(scope, ShelvedScope { list, unread });
    }

    /// Starts a new read. Answers to the previous one no longer count.
    fn new_generation(&mut self, cx: SessionContext<'_>) {
        self.load.generation = self.load.generation.next();
        self.load.asked_at = cx.now.wall;
        self.filter.renew(cx.now.wall);
    }

    /// Does the work that is due: a retry after a failure, or an automatic refresh.
    pub fn tick(&mut self, cx: SessionContext<'_>) -> Vec<Effect> {
        self.recover_when_due(cx);
        if self.load.auto_refresh.is_some_and(|due| due <= cx.now.instant) {
            if self.is_loading() {
                // The previous refresh is still in progress.
                self.load.auto_refresh = Some(cx.now.instant + cx.settings.refresh_every);
            } else {
                self.load.inconsistent = 0;
                self.refresh(cx);
            }
        }
        vec![Effect::Draw]
    }

    /// Retries if that is due.
    fn recover_when_due(&mut self, cx: SessionContext<'_>) {
        let due = self.load.health.trouble().and_then(|trouble| trouble.again_at);
        if due.is_some_and(|due| due <= cx.now.instant) {
            self.load.recovery.tries += 1;
            self.load.inconsistent = 0;
            self.refresh(cx);
        }
    }

    /// Stops loading everything. Loaded pages stay.
    pub fn stop_loading(&mut self) -> Vec<Effect> {
        self.load.all = LoadAll::No;
        inform(safe!("loading stopped: {} loaded", grouped(self.list.lines.loaded())))
    }

    pub fn toggle_auto_refresh(&mut self, cx: SessionContext<'_>) -> Vec<Effect> {
        let every = cx.settings.refresh_every;
        if self.load.end_auto_refresh() {
            return inform("auto-refresh off");
        }
        self.load.auto_refresh = Some(cx.now.instant + every);
        inform(safe!("auto-refresh every {} s", every.as_secs()))
    }

    /// Loads the missing rows. If none are missing, or some are older than the others, reloads everything.
    pub fn load_everything(&mut self, cx: SessionContext<'_>) -> Vec<Effect> {
        let is_done = self.list.lines.is_all_fresh() || self.list.lines.has_old_rows() || self.load.is_swept();
        if self.load.all == LoadAll::No && is_done {
            self.load.inconsistent = 0;
            self.refresh(cx);
        }
        self.load.all = LoadAll::Asked;
        // The progress display is the feedback.
        draw_if(true)
    }
}
