//! Copies: the copy menu, and the text for the clipboard.

use std::sync::Arc;

use crate::base::text::{Safe, Untrusted, clean_head};
use crate::config::Clipboard;
use crate::keymap::{Action, COPIES, Copy};
use crate::model::RowRef;
use crate::safe;
use crate::tui::app::App;
use crate::tui::copy::{self, CopyContext, PlainText};
use crate::tui::copy_menu::{CopyMenu, CopySubject, CopyWords, ID, LOOKED_THROUGH, NAMED, NOTICE_EDGES};
use crate::tui::jobs::Task;
use crate::tui::message::Effect;
use crate::tui::picker::Picker;
use crate::tui::ui::Overlay;

impl App {
    pub(super) fn open_copy_menu(&mut self) -> Vec<Effect> {
        let place = CopyContext {
            base_url: self.session.workspace.base_url.clone(),
            invocation: self.session.workspace.invocation.clone(),
            scope: self.session.load.scope,
            filter: self.session.filter.applied().to_owned(),
            sort: self.session.filter_sort.sort,
            reveal: self.session.reveal,
        };
        let of = if self.session.marks.is_empty() {
            self.row_to_copy().map_or(CopySubject::Nothing, CopySubject::One)
        } else {
            self.marked_to_copy()
        };
        self.ui.overlay = Overlay::CopyMenu(Box::new(CopyMenu { picker: Picker::copies(), of, place }));
        vec![Effect::Draw]
    }

    fn marked_to_copy(&self) -> CopySubject {
        let count = self.session.marks.len();
        let rows = self.session.chosen();
        let is_marked = |row: &RowRef<'_>| row.is_webhook() && self.session.marks.contains(row.id());
        let on_screen = self.visible().filter_map(|place| self.session.list.row(place)).filter(is_marked).count();
        let all = self.session.list.lines.rows().segments().flat_map(|(_, _, segment)| segment.iter());
        let looked_through = usize::try_from(LOOKED_THROUGH).unwrap_or(usize::MAX);
        let ids = all.take(looked_through).filter(is_marked).take(NAMED).map(|row| clean_head(row.id(), ID)).collect();
        CopySubject::Marked { rows, count, on_screen, ids }
    }

    /// Returns true if `list` would refuse the filter, since it has no marks, unread changes, probe results or deliveries.
    fn is_filter_refused_by_list(&self) -> bool {
        let query = self.session.filter.query();
        let audit = || self.settings.audit.prepare(self.now.wall, Arc::default());
        query.asks_for_flags()
            || query.asks_for_probes()
            || query.asks_for_findings() && audit().lacks(query.findings()).is_some()
    }

    pub(super) fn copy(&mut self, menu: CopyMenu, what: Copy) -> Vec<Effect> {
        let CopyMenu { of, place, .. } = menu;
        if what == Copy::ListCommand {
            if self.is_filter_refused_by_list() {
                return self.warn("no list command: this filter works in the explorer only");
            }
            return self.copied(what, &CopyWords::one(what, &Safe::default()), copy::list_command(&place));
        }
        match of {
            CopySubject::Nothing => self.warn("no webhook to copy from"),
            CopySubject::One(row) => {
                let whose = CopySubject::One(row.clone()).words(self.settings.glyphs.ellipsis);
                let row = row.row();
                match copy::text(what, row, &place) {
                    Some(text) => self.copied(what, &CopyWords::one(what, &whose), text),
                    None => self.warn(copy::refusal(row)),
                }
            }
            CopySubject::Marked { rows, count, on_screen, .. } => {
                self.session.jobs.run(Task::Copy { rows, what, place, marked: count, on_screen })
            }
        }
    }

    /// Copies a text to the clipboard. Copying the same text again shows it on a plain screen, unless an overlay is open.
    pub(super) fn copied(&mut self, what: Copy, words: &CopyWords, text: String) -> Vec<Effect> {
        let again = self.session.last_copy.as_ref().is_some_and(|last| (last.0, last.1.as_str()) == (what, text.as_str()));
        if again || self.settings.clipboard == Clipboard::Screen || copy::is_too_long(&text) {
            self.session.last_copy = None;
            if !matches!(self.ui.overlay, Overlay::None) {
                return self.warn("a copy to select by hand needs the whole screen: copy again");
            }
            self.ui.overlay = Overlay::PlainText(PlainText::new(what, text, self.ui.size.0));
            return vec![Effect::Draw];
        }
        self.session.last_copy = Some((what, text.clone()));
        let mut effects = self.inform(self.copied_in_words(what, words));
        effects.push(Effect::Copy(Untrusted::from(text)));
        effects
    }

    /// `copied Markdown of whk_9f2k; y m again shows it`. If that is too wide, the webhook is left out first.
    fn copied_in_words(&self, what: Copy, words: &CopyWords) -> Safe {
        let key = COPIES.iter().find(|(_, copy, _)| *copy == what).map(|(key, ..)| clean_head(&key.to_string(), 1));
        let again = match (self.settings.keymap.key(Action::Copy), key) {
            (Some(menu), Some(key)) => safe!("; {} {} again shows {}", menu, key, words.it),
            _ => Safe::default(),
        };
        let whose_key = self.whose_key(what);
        let must = "copied ".len() + words.what.width() + whose_key.width();
        let mut room = usize::from(self.ui.size.0).saturating_sub(NOTICE_EDGES + must);
        let mut if_it_fits = |part: Safe| {
            let fits = part.width() <= room;
            room -= if fits { part.width() } else { 0 };
            if fits { part } else { Safe::default() }
        };
        let again = if_it_fits(again);
        let beside = if_it_fits(words.beside.clone());
        safe!("copied {}{}{}{}", words.what, beside, whose_key, again)
    }
}
