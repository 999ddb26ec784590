//! The events of a read: pages, failures, and the check of a complete read.

use super::context::SessionContext;
use super::health::IssueStage;
use super::loading::LoadAll;
use super::state::Session;
use crate::api::{ApiError, ErrorKind, Nonsense, Page, unread_key};
use crate::base::text::{Safe, clean_head, grouped};
use crate::fetch::{FetchEvent, Problem, is_whole_listing};
use crate::keymap::Action;
use crate::model::RepeatedIds;
use crate::model::{RowRef, WebhookId};
use crate::safe;
use crate::tui::message::{Effect, inform, warn};

/// The maximum number of reads before an inconsistent one is shown as it is.
const READS: u32 = 3;

impl Session {
    /// Handles an event of the fetch task.
    pub fn fetched(&mut self, cx: SessionContext<'_>, event: FetchEvent) -> Vec<Effect> {
        if event.generation() != self.load.generation {
            // This answers an earlier demand.
            return Vec::new();
        }
        match event {
            FetchEvent::Started { page, .. } => {
                self.list.lines.started(page);
                return Vec::new();
            }
            FetchEvent::Loaded { page, generation } => {
                if let Some(why) = self.refuted(&page) {
                    let error = ApiError::new(ErrorKind::Nonsense(why));
                    return self.fetched(cx, FetchEvent::Failed { generation, page: page.numbers.number, error });
                }
                let mut effects = self.loaded(cx, page);
                effects.push(Effect::Draw);
                return effects;
            }
            FetchEvent::Retrying { attempt, of, error, .. } => {
                self.load.health.bad(error, IssueStage::Retrying { attempt, of }, cx.now);
            }
            FetchEvent::Paused { until, error, .. } => self.load.health.bad(error, IssueStage::Paused { until }, cx.now),
            FetchEvent::Failed { page, error, .. } => {
                let error = self.with_unread_key(error);
                self.list.lines.failed(page, error.clone());
                let short = error.short();
                let may_recover = error.may_recover();
                let is_hopeless = !error.is_transient() || self.list.lines.fresh_pages() == 0;
                let stopped = if is_hopeless { self.suspend_auto_refresh(cx, &short, may_recover) } else { None };
                let unread_key = error.unread_key.as_deref().map(unread_key);
                self.load.health.bad(error, IssueStage::Failed, cx.now);
                if self.load.all != LoadAll::No {
                    self.load.all = LoadAll::No;
                    let at = if page > 1 { safe!(" at page {}", page) } else { Safe::default() };
                    let words = unread_key.unwrap_or_else(|| safe!("refresh failed{}: {}", at, short));
                    return warn(match stopped {
                        None => words,
                        Some(_) if may_recover => safe!("{}; auto-refresh paused", words),
                        Some(_) => safe!("{}; auto-refresh stopped", words),
                    });
                }
                if let Some(words) = stopped {
                    return warn(words);
                }
            }
            FetchEvent::Swept { problems, .. } => {
                self.load.swept = Some(self.load.generation);
                return self.judge_read(cx, &problems);
            }
        }
        vec![Effect::Draw]
    }

    /// The reason why a page cannot be right, given the other pages.
    fn refuted(&self, page: &Page) -> Option<Nonsense> {
        if self.list.lines.is_refuted_by(page.numbers) {
            return Some(Nonsense::NoWebhooks);
        }
        self.list.lines.is_repeated_by(page).then_some(Nonsense::SamePage)
    }

    fn loaded(&mut self, cx: SessionContext<'_>, page: Page) -> Vec<Effect> {
        let number = page.numbers.number;
        let is_of_scope = |row: RowRef<'_>| self.load.scope.admits(row.active());
        let ignored = self.list.lines.kept().is_none() && !page.rows.rows().all(is_of_scope);
        let is_whole = is_whole_listing(page.numbers);
        let mut effects = Vec::new();
        if self.list.lines.load(page) {
            self.load.generation = self.load.generation.next();
            self.list.lines.adopt(self.load.generation);
            effects = self.show_last_look();
        }
        if self.list.lines.has_failures() {
            self.load.health.good_besides_failures(cx.now);
        } else {
            self.load.health.good(cx.now);
        }
        if ignored {
            effects.extend(self.filter_here());
        }
        if self.load.all == LoadAll::Needed && self.list.lines.extent().known() > self.load.limit {
            self.load.all = LoadAll::No;
        }
        effects.extend(self.follow_selection(number));
        if is_whole {
            effects.extend(self.judge_page(cx));
        }
        effects
    }

    /// Handles a page that holds the whole listing: it was read at one moment, so it needs no confirmation.
    fn judge_page(&mut self, cx: SessionContext<'_>) -> Vec<Effect> {
        let repeated = self.list.lines.rows().repeated();
        let problem =
            repeated.map(|RepeatedIds { count, example }| Problem::RepeatedIds { count, example: WebhookId::new(&example) });
        self.judge_read(cx, problem.as_slice())
    }

    /// Filters by scope locally from now on, since the server ignores the parameter. This needs all rows.
    fn filter_here(&mut self) -> Vec<Effect> {
        self.list.lines.keep_only(self.load.scope);
        self.need_everything();
        if self.load.all != LoadAll::No {
            return warn("the server ignores is_active; filtering here");
        }
        warn(safe!("the server ignores is_active; filtering here; L loads more than {}", grouped(self.load.limit)))
    }

    /// Loads all rows, unless there are more than may be loaded without confirmation.
    pub fn need_everything(&mut self) {
        let is_little = self.list.lines.extent().known() <= self.load.limit;
        let is_settled = self.list.lines.is_judged() || self.load.is_swept() || self.is_down();
        if self.load.all == LoadAll::No && is_little && !is_settled {
            if self.list.lines.has_old_rows() {
                // The last refresh skipped these rows, so changes to them have yet to be reported.
                self.remember_rows();
            }
            self.load.all = LoadAll::Needed;
        }
    }

    /// Returns true if this read failed before its first page, and is not being retried.
    fn is_down(&self) -> bool {
        self.load.has_given_up() && self.list.lines.fresh_pages() == 0
    }

    /// Keeps the selection on its webhook after a refresh. `page` has just arrived and may contain it.
    fn follow_selection(&mut self, page: u64) -> Vec<Effect> {
        let rows = self.list.lines.rows().clone();
        let Some(anchor) = self.list.anchor_mut() else { return Vec::new() };
        let was_here = anchor.number().is_some();
        anchor.renew(&rows);
        anchor.look_on(&rows, page);
        if was_here && anchor.number().is_none() && self.load.all == LoadAll::No {
            let id = clean_head(anchor.row().id(), 30);
            return warn(safe!("{} is no longer on this page", id));
        }
        Vec::new()
    }

    /// Returns the words for how many of the loaded rows come from the cache. At least one must.
    pub fn how_many_cached(&self) -> &'static str {
        if self.list.lines.remembered() == self.list.lines.loaded() { "all" } else { "some of them" }
    }

    /// Loads everything if that needs no confirmation; otherwise returns a message about what is missing.
    pub fn need_everything_or_say(&mut self, cx: SessionContext<'_>) -> Option<Safe> {
        self.need_everything();
        let is_here = self.list.lines.is_all_here();
        let is_coming = self.load.all != LoadAll::No || is_here || !self.list.lines.is_known();
        if is_coming {
            return None;
        }
        if self.list.lines.remembered() > 0 && self.list.lines.is_complete() {
            let loaded = grouped(self.list.lines.loaded());
            return Some(safe!("{} loaded, {} from the cache", loaded, self.how_many_cached()));
        }
        if self.load.is_swept() {
            return Some(safe!("{} loaded; the rest failed to load", grouped(self.list.lines.loaded())));
        }
        let key = cx.settings.key(Action::LoadEverything);
        let live = self.list.lines.loaded().saturating_sub(self.list.lines.remembered());
        let loaded = if live == 1 { "is" } else { "are" };
        Some(safe!("only {} {} loaded; {} loads the rest", grouped(live), loaded, key))
    }

    /// Checks a finished read. If it is inconsistent, everything is read again, up to [`READS`] times in all. A listing that
    /// is too large for that is shown as it is.
    fn judge_read(&mut self, cx: SessionContext<'_>, problems: &[Problem]) -> Vec<Effect> {
        let everything = std::mem::take(&mut self.load.all);
        if self.list.lines.has_failures() {
            // The errors are shown in place of the rows.
            return vec![Effect::Draw];
        }
        self.list.lines.judge(problems.is_empty());
        let Some(problem) = problems.first() else {
            self.load.inconsistent = 0;
            return vec![Effect::Draw];
        };
        self.load.inconsistent += 1;
        let is_little = self.list.lines.extent().known() <= self.load.limit;
        if is_little && problems.iter().all(Problem::may_pass) && self.load.inconsistent < READS {
            self.refresh(cx);
            self.load.all = everything.max(LoadAll::Needed);
            let read = self.load.inconsistent + 1;
            return inform(safe!("{}; reading again ({} of {})", problem.explain(), read, READS));
        }
        let again = if is_little { Action::Refresh } else { Action::LoadEverything };
        let key = cx.settings.key(again);
        warn(safe!("{}. Webhooks may be missing; {} reloads", problem.explain(), key))
    }

    /// Adds the reason why the key could not be read again to an error that a new key could fix.
    fn with_unread_key(&self, mut error: ApiError) -> ApiError {
        if error.kind == ErrorKind::Unauthorized && error.unread_key.is_none() {
            error.unread_key = self.load.recovery.unread_key.clone().map(Box::new);
        }
        error
    }

    /// Stops auto-refresh after a failure that would recur with the next request. Returns the notice.
    fn suspend_auto_refresh(&mut self, cx: SessionContext<'_>, what: &Safe, may_recover: bool) -> Option<Safe> {
        self.load.auto_refresh.take()?;
        if may_recover {
            self.load.recovery.resumes_auto_refresh = true;
            return Some(safe!("auto-refresh paused: {}; it resumes when the API is back", what));
        }
        let key = cx.settings.key(Action::Refresh);
        Some(safe!("auto-refresh stopped: {}; {} retries", what, key))
    }
}
