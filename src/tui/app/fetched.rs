//! What the fetch task reports, and asking it again.

use super::{
    Action, App, Cursor, Effect, Everything, FetchEvent, GroupPane, Listing, Notice, PackedPage, RowRef, Safe, Shelved,
    Stage, Unseen, grouped, safe,
};
use crate::analysis::rows::Repeated;
use crate::api::{ApiError, ErrorKind, Nonsense, unread_key};
use crate::fetch::{Problem, is_whole_listing};
use crate::model::WebhookId;
use crate::text::clean_head;

impl App {
    pub(super) fn fetched(&mut self, event: FetchEvent) -> Vec<Effect> {
        if event.generation() != self.generation {
            // An answer to a question that nobody asks any more.
            return Vec::new();
        }
        match event {
            FetchEvent::Started { page, .. } => {
                self.listing.started(page);
                return Vec::new();
            }
            FetchEvent::Loaded { page, generation } => {
                if let Some(why) = self.refuted(&page) {
                    let error = ApiError::new(ErrorKind::Nonsense(why));
                    return self.fetched(FetchEvent::Failed { generation, page: page.numbers.number, error });
                }
                let mut effects = self.loaded(page);
                effects.push(Effect::Draw);
                return effects;
            }
            FetchEvent::Retrying { attempt, of, error, .. } => {
                self.health.bad(error, Stage::Retrying { attempt, of }, self.now);
            }
            FetchEvent::Paused { until, error, .. } => self.health.bad(error, Stage::Paused { until }, self.now),
            FetchEvent::Failed { page, error, .. } => {
                let error = self.with_unread_key(error);
                self.listing.failed(page, error.clone());
                let short = error.short();
                let may_recover = error.may_recover();
                let is_hopeless = !error.is_transient() || self.listing.fresh_pages() == 0;
                let stopped = if is_hopeless { self.suspend_auto_refresh(&short, may_recover) } else { None };
                let unread_key = error.unread_key.as_deref().map(unread_key);
                self.health.bad(error, Stage::Failed, self.now);
                if self.everything != Everything::No {
                    self.everything = Everything::No;
                    let at = if page > 1 { safe!(" at page {}", page) } else { Safe::default() };
                    let words = unread_key.unwrap_or_else(|| safe!("refresh failed{}: {}", at, short));
                    return self.warn(match stopped {
                        None => words,
                        Some(_) if may_recover => safe!("{}; auto-refresh paused", words),
                        Some(_) => safe!("{}; auto-refresh stopped", words),
                    });
                }
                if let Some(words) = stopped {
                    return self.warn(words);
                }
            }
            FetchEvent::Swept { problems, .. } => {
                self.swept = Some(self.generation);
                return self.judge_read(&problems);
            }
        }
        vec![Effect::Draw]
    }

    /// Why a page is no answer, seen beside those that are here.
    fn refuted(&self, page: &PackedPage) -> Option<Nonsense> {
        if self.listing.is_refuted_by(page.numbers) {
            return Some(Nonsense::NoWebhooks);
        }
        self.listing.is_repeated_by(page).then_some(Nonsense::SamePage)
    }

    fn loaded(&mut self, page: PackedPage) -> Vec<Effect> {
        let number = page.numbers.number;
        let is_of_scope = |row: RowRef<'_>| self.scope.admits_state(row.active());
        let ignored = self.listing.kept().is_none() && !page.block.rows().all(is_of_scope);
        let is_whole = is_whole_listing(page.numbers);
        let mut effects = Vec::new();
        if self.listing.load(page) {
            self.generation = self.generation.next();
            self.listing.adopt(self.generation);
            effects = self.show_last_look();
        }
        if self.listing.has_failures() {
            self.health.good_besides_failures(self.now);
        } else {
            self.health.good(self.now);
        }
        if ignored {
            self.filter_here();
        }
        if self.everything == Everything::Needed && self.listing.extent().known() > self.setup.auto_load_limit {
            self.everything = Everything::No;
        }
        self.follow_selection(number);
        if is_whole {
            effects.extend(self.judge_page());
        }
        effects
    }

    /// A page that holds the whole listing was read at one moment, so nothing has to confirm it.
    fn judge_page(&mut self) -> Vec<Effect> {
        let repeated = self.listing.rows().repeated();
        let problem =
            repeated.map(|Repeated { count, example }| Problem::RepeatedIds { count, example: WebhookId::new(&example) });
        self.judge_read(problem.as_slice())
    }

    /// The server sends what was not asked for: from now on the scope is a filter of ours, which needs all rows.
    fn filter_here(&mut self) {
        self.listing.keep_only(self.scope);
        self.need_everything();
        let words = if self.everything == Everything::No {
            safe!("the server ignores is_active; filtering here; L loads more than {}", grouped(self.setup.auto_load_limit))
        } else {
            "the server ignores is_active; filtering here".into()
        };
        self.notice = Some(Notice::Warning(words));
    }

    /// Loads all rows, unless they are more than may be loaded without asking.
    pub(super) fn need_everything(&mut self) {
        let is_little = self.listing.extent().known() <= self.setup.auto_load_limit;
        let is_settled = self.listing.is_judged() || self.is_swept() || self.is_down();
        if self.everything == Everything::No && is_little && !is_settled {
            if self.listing.has_old_rows() {
                // The last refresh skipped these rows, so changes to them have yet to be reported.
                self.remember_rows();
            }
            self.everything = Everything::Needed;
        }
    }

    /// Returns true if this read failed before its first page, and is not being retried.
    fn is_down(&self) -> bool {
        self.has_given_up() && self.listing.fresh_pages() == 0
    }

    fn has_given_up(&self) -> bool {
        self.health.trouble().is_some_and(|trouble| trouble.stage == Stage::Failed)
    }

    /// Returns true if the load of everything has ended for this generation, even if pages of it failed.
    pub(super) fn is_swept(&self) -> bool {
        self.swept == Some(self.generation)
    }

    /// Keeps the selection on its webhook after a refresh. `page` has just arrived and may contain it.
    fn follow_selection(&mut self, page: u64) {
        let Some(anchor) = &mut self.anchor else { return };
        let was_here = anchor.number().is_some();
        anchor.renew(self.listing.rows());
        anchor.look_on(self.listing.rows(), page);
        if was_here && anchor.number().is_none() && self.everything == Everything::No {
            let id = anchor.row().map_or_else(Safe::default, |row| clean_head(row.id(), 30));
            self.notice = Some(Notice::Warning(safe!("{} is no longer on this page", id)));
        }
    }

    pub(super) fn refresh(&mut self) {
        // Those that are remembered count: all of them are to be replaced.
        let was_complete = self.listing.is_complete() && self.listing.loaded() > 0;
        // A view that needs all rows did not get them.
        let is_awaited = self.has_given_up() && !self.shows_webhooks();
        self.remember_rows();
        self.new_generation();
        self.listing.refresh(self.generation);
        self.health.try_again();
        self.everything = Everything::No;
        if was_complete || is_awaited || self.is_arranged() {
            self.need_everything();
        }
        if self.auto_refresh.is_some() {
            self.auto_refresh = Some(self.now.instant + self.setup.refresh_every);
        }
    }

    /// A refresh by hand. While an answer is waited for, asking again would only start the waiting anew: who wants that says so
    /// twice. While everything is read it is tried again by itself, and what came of it would be read again.
    pub(super) fn ask_again(&mut self) -> Vec<Effect> {
        let stage = self.health.trouble().map(|trouble| trouble.stage);
        let waits = self.is_loading() && matches!(stage, None | Some(Stage::Again));
        if waits && self.insisted_on.replace(self.generation) != Some(self.generation) {
            let key = self.setup.keymap.key(Action::Refresh).unwrap_or_default();
            return self.inform(safe!("still loading; press {} again to start over", key));
        }
        let is_tried = matches!(stage, Some(Stage::Retrying { .. } | Stage::Paused { .. }));
        if is_tried && self.everything != Everything::No {
            return self.inform("still loading: it retries by itself; esc stops it");
        }
        let is_refused = self.health.trouble().is_some_and(|trouble| trouble.error.kind == ErrorKind::Unauthorized);
        self.consistency.start_over();
        self.refresh();
        self.recovery.forget_unread_key();
        is_refused.then_some(Effect::RenewKey).into_iter().chain([Effect::Draw]).collect()
    }

    /// What was seen of a scope is shown again at once when it comes back, and read again.
    pub(super) fn change_scope(&mut self) -> Vec<Effect> {
        self.forget_jobs_of_scope();
        self.new_generation();
        self.swap_shelved();
        self.remember_rows();
        let was_complete = self.listing.is_complete() && self.listing.loaded() > 0;
        self.listing.refresh(self.generation);
        self.everything = Everything::No;
        self.arranging.start_over();
        self.findings.start_over();
        self.consistency.start_over();
        self.group_panes.values_mut().for_each(GroupPane::forget);
        if was_complete || self.is_arranged() || self.shows_groups() {
            self.need_everything();
        }
        self.detail_scroll = 0;
        let mut effects = self.show_last_look();
        effects.push(Effect::Draw);
        effects
    }

    /// Takes what was seen of the next scope in place of what is seen of this one, which says nothing about another.
    fn swap_shelved(&mut self) {
        let next = self.shelf.remove(&self.scope.next()).unwrap_or_else(|| Shelved {
            listing: Listing::new(self.generation, self.setup.page_size),
            cursor: Cursor::default(),
            anchor: None,
            unseen: Unseen::default(),
            before: None,
        });
        let seen = Shelved {
            listing: std::mem::replace(&mut self.listing, next.listing),
            cursor: std::mem::replace(&mut self.cursor, next.cursor),
            anchor: std::mem::replace(&mut self.anchor, next.anchor),
            unseen: std::mem::replace(&mut self.unseen, next.unseen),
            before: std::mem::replace(&mut self.before, next.before),
        };
        self.shelf.insert(self.scope, seen);
        self.scope = self.scope.next();
    }

    /// What was asked for before is not waited for any more.
    pub(super) fn new_generation(&mut self) {
        self.generation = self.generation.next();
        self.asked_at = self.now.wall;
        self.filter.renew(self.now.wall);
    }

    pub(super) fn tick(&mut self) -> Vec<Effect> {
        self.recover_when_due();
        if self.auto_refresh.is_some_and(|due| due <= self.now.instant) {
            if self.is_loading() {
                // The last one is still under way.
                self.auto_refresh = Some(self.now.instant + self.setup.refresh_every);
            } else {
                self.consistency.start_over();
                self.refresh();
            }
        }
        vec![Effect::Draw]
    }
}
