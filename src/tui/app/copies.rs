//! The copy menu: it is about the webhooks that were selected or marked when it opened.

use std::sync::Arc;

use crossterm::event::KeyCode;

use super::{App, COPIES, Clipboard, Copy, Effect, Overlay, Place, PlainText, Safe, Untrusted, copy, grouped, safe};
use crate::analysis::rows::Standing;
use crate::model::RowRef;
use crate::text::clean_head;
use crate::tui::jobs::{Chosen, Task};

/// Columns of an id.
const ID: usize = 40;
/// Marked webhooks that are named.
const NAMED: usize = 3;
/// Rows that are looked through for their names.
const LOOKED_THROUGH: u64 = 20_000;

/// What the menu copies.
#[derive(Debug, Clone)]
pub struct CopyMenu {
    pub of: CopySubject,
    place: Place,
}

/// The webhooks that a copy is about.
#[derive(Debug, Clone)]
pub enum CopySubject {
    /// None: only the command that lists what is shown.
    Nothing,
    One(Standing),
    Marked {
        rows: Chosen,
        count: usize,
        on_screen: usize,
        /// The first of them.
        ids: Vec<Safe>,
    },
}

impl CopySubject {
    /// Which ones, in a few words.
    pub fn words(&self, ellipsis: &'static str) -> Safe {
        match self {
            Self::Nothing => Safe::default(),
            Self::One(row) => row
                .row()
                .filter(|row| row.is_webhook())
                .map_or_else(|| "a malformed row".into(), |row| clean_head(row.id(), ID)),
            Self::Marked { count, on_screen, ids, .. } => {
                let mut words = safe!("{} marked", grouped(*count as u64));
                // They may be forgotten, and some copies are commands that delete.
                if on_screen < count {
                    words.push(&safe!(", {} on screen", *on_screen));
                }
                for (number, id) in ids.iter().enumerate() {
                    words.push(&safe!("{}{}", if number == 0 { " (" } else { ", " }, id));
                }
                if !ids.is_empty() {
                    words.push(&safe!("{})", if ids.len() < *count { safe!(", {}", ellipsis) } else { Safe::default() }));
                }
                words
            }
        }
    }
}

impl App {
    pub(super) fn open_copy_menu(&mut self) -> Vec<Effect> {
        let place = Place {
            base_url: self.setup.base_url.clone(),
            invocation: self.setup.invocation.clone(),
            scope: self.scope,
            filter: self.filter.applied().to_owned(),
            sort: self.sort,
            reveal: self.reveal,
        };
        let of = if self.marks.is_empty() {
            self.row_to_copy().map_or(CopySubject::Nothing, CopySubject::One)
        } else {
            self.marked_to_copy()
        };
        self.overlay = Overlay::CopyMenu(Box::new(CopyMenu { of, place }));
        vec![Effect::Draw]
    }

    fn marked_to_copy(&self) -> CopySubject {
        let count = self.marks.len();
        let rows = self.chosen();
        let is_marked = |row: &RowRef<'_>| row.is_webhook() && self.marks.contains(row.id());
        let on_screen = self.visible().filter_map(|place| self.listing.row(place)).filter(is_marked).count();
        let all = self.listing.rows().segments().flat_map(|(_, _, segment)| segment.iter());
        let looked_through = usize::try_from(LOOKED_THROUGH).unwrap_or(usize::MAX);
        let ids = all.take(looked_through).filter(is_marked).take(NAMED).map(|row| clean_head(row.id(), ID)).collect();
        CopySubject::Marked { rows, count, on_screen, ids }
    }

    pub(super) fn key_in_copy_menu(&mut self, code: KeyCode) -> Vec<Effect> {
        let Overlay::CopyMenu(menu) = std::mem::replace(&mut self.overlay, Overlay::None) else { return Vec::new() };
        match COPIES.iter().find(|(key, ..)| KeyCode::Char(*key) == code) {
            Some(&(_, what, words)) => self.copy(*menu, what, words),
            None => vec![Effect::Draw],
        }
    }

    /// Whether `list` does not know what the filter asks for: marks, changes, and what was seen of destinations and deliveries.
    fn is_filter_refused_by_list(&self) -> bool {
        let query = self.filter.query();
        let audit = || self.setup.audit.prepare(self.now.wall, Arc::default());
        query.asks_for_flags()
            || query.asks_for_probes()
            || query.asks_for_findings() && audit().lacks(query.findings()).is_some()
    }

    fn copy(&mut self, menu: CopyMenu, what: Copy, words: &'static str) -> Vec<Effect> {
        let CopyMenu { of, place } = menu;
        if what == Copy::ListCommand {
            if self.is_filter_refused_by_list() {
                return self.warn("no list command: this filter works in the explorer only");
            }
            return self.copied(what, &words.into(), &Safe::default(), copy::list_command(&place));
        }
        let whose = of.words(self.setup.glyphs.ellipsis);
        match of {
            CopySubject::Nothing => self.warn("no webhook to copy from"),
            CopySubject::One(row) => {
                let Some(row) = row.row().map(RowRef::unpack) else { return Vec::new() };
                match copy::text(what, &row, &place) {
                    Some(text) => self.copied(what, &words.into(), &whose, text),
                    None => self.warn(copy::refusal(&row)),
                }
            }
            CopySubject::Marked { rows, count, .. } => {
                self.run(Task::Copy { rows, what, words, whose, place, marked: count })
            }
        }
    }

    /// Puts a text on the clipboard; the same one pressed twice on a plain screen, unless somebody is at something else there.
    pub(super) fn copied(&mut self, what: Copy, words: &Safe, whose: &Safe, text: String) -> Vec<Effect> {
        let again = self.last_copy.as_ref().is_some_and(|last| (last.0, last.1.as_str()) == (what, text.as_str()));
        if again || self.setup.clipboard == Clipboard::Screen || copy::is_too_long(&text) {
            self.last_copy = None;
            if !matches!(self.overlay, Overlay::None) {
                return self.warn(safe!("the {} needs the whole screen: copy it again", words));
            }
            self.overlay = Overlay::PlainText(PlainText::new(what, text, self.size.0));
            return vec![Effect::Draw];
        }
        self.last_copy = Some((what, text.clone()));
        let colon = if whose.is_empty() { "" } else { ": " };
        let key = self.whose_key(what);
        let mut effects = self.inform(safe!("copied the {}{}{}{}; repeat to show it", words, colon, whose, key));
        effects.push(Effect::Copy(Untrusted::from(text)));
        effects
    }
}
