//! The results of background jobs.

use std::sync::Arc;

use crate::base::text::grouped;
use crate::keymap::Action;
use crate::model::IdSet;
use crate::safe;
use crate::tui::app::App;
use crate::tui::copy_menu::CopyWords;
use crate::tui::jobs::{Done, Outcome};
use crate::tui::message::Effect;

impl App {
    /// Handles the result of a job. Results of an earlier session are dropped here, and only here.
    pub(super) fn done(&mut self, done: Done) -> Vec<Effect> {
        match done.outcome {
            // The file does not depend on the workspace on screen.
            Outcome::Deliveries(read) => self.take_deliveries(read),
            _ if done.id.session != self.session.jobs.session => Vec::new(),
            Outcome::Matched(_) | Outcome::Marked { .. } | Outcome::Gathered(_) | Outcome::Compared(_)
                if self.session.jobs.is_of_other_scope(done.id) =>
            {
                Vec::new()
            }
            Outcome::Matched(unmatched) => self.take_unmatched(&unmatched),
            Outcome::Marked { rows, before, .. } if !Arc::ptr_eq(&before, &self.session.marks) => {
                // The user has changed the marks in the meantime.
                self.session.mark_all_of(rows)
            }
            Outcome::Marked { marks, webhooks, on, .. } => self.marked(marks, webhooks, on),
            Outcome::Copied { text: None, .. } => self.warn("none of the marked webhooks is loaded"),
            Outcome::Copied { what, text: Some(text), webhooks, marked, on_screen } => {
                self.copied(what, &CopyWords::many(what, webhooks, marked, on_screen), text)
            }
            Outcome::Exported { path, webhooks, marked } => self.exported(done.id, &path, webhooks, marked),
            Outcome::Exists { path } => self.export_exists(done.id, &path),
            Outcome::Gathered(gathered) => self.in_session(|session, cx| session.gathered(cx, done.id, gathered)),
            Outcome::Compared(news) => self.session.take_news(done.id, news),
            Outcome::Recalled(found) => self.session.recalled(found),
            Outcome::Sifted { scope, rows } => self.session.sifted(scope, &rows),
            Outcome::Kept(kept) => self.in_session(|session, cx| session.kept(cx, kept)),
            Outcome::Searched(searched) => self.in_session(|session, cx| session.take_searched(cx, done.id, searched)),
            Outcome::Differences(changes) => self.session.take_changes(done.id, changes),
            Outcome::Histories(snapshots) => self.choose_baseline(snapshots),
            Outcome::OpenedEarlier(found) => self.session.opened_earlier(found),
            Outcome::Opened { snapshot, past } => self.session.opened(snapshot, past),
            Outcome::Asked(fates) => self.in_session(|session, cx| session.take_fates(cx, fates)),
            Outcome::NotCopied { words } => self.warn(words),
            Outcome::NotExported { path, words, is_of_system } => self.not_exported(done.id, &path, words, is_of_system),
        }
    }

    fn marked(&mut self, marks: Arc<IdSet>, webhooks: u64, on: bool) -> Vec<Effect> {
        self.session.marks = marks;
        self.session.flagged_anew();
        let did = if on { "marked" } else { "unmarked" };
        let words = safe!("{} {} {}", did, grouped(webhooks), if webhooks == 1 { "webhook" } else { "webhooks" });
        if self.session.list.lines.is_all_here() {
            return self.inform(words);
        }
        if self.session.list.lines.is_complete() {
            return self.warn(safe!("{}{}", words, self.session.list.lines.of_which()));
        }
        let key = self.settings.key(Action::LoadEverything);
        self.warn(safe!("{}; not all are loaded, {} loads the rest", words, key))
    }
}
