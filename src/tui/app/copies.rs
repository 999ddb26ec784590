//! The copy menu: it is about the webhooks that were selected or marked when it opened.

use std::sync::Arc;

use crossterm::event::KeyCode;

use super::{Action, App, COPIES, Clipboard, Copy, Effect, Overlay, Place, PlainText, Safe, Untrusted, copy, grouped, safe};
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

/// Columns at both ends of a notice in the footer.
pub(super) const NOTICE_EDGES: usize = 4;

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

/// The words of the notice about a copy.
#[derive(Debug)]
pub(super) struct CopyWords {
    /// `Markdown`, `471 ids`.
    what: Safe,
    /// ` of whk_9f2k`, `, 3 on screen`: left out if there is no room.
    beside: Safe,
    it: &'static str,
}

impl CopyWords {
    fn one(what: Copy, whose: &Safe) -> Self {
        let [name, _] = what.names();
        let of = if what == Copy::Id { "" } else { " of" };
        let beside = if whose.is_empty() { Safe::default() } else { safe!("{} {}", of, whose) };
        Self { what: name.into(), beside, it: "it" }
    }

    /// The words for a copy of marked webhooks, some of which may not be loaded or not be on screen.
    pub(super) fn many(what: Copy, webhooks: usize, marked: usize, on_screen: usize) -> Self {
        let [one, several] = what.names();
        let (name, it) = if webhooks == 1 { (one, "it") } else { (several, "them") };
        let mut what = safe!("{} {}", grouped(webhooks as u64), name);
        if webhooks < marked {
            what.push(&safe!(" of {} marked", grouped(marked as u64)));
        }
        let beside = if on_screen < webhooks { safe!(", {} on screen", on_screen) } else { Safe::default() };
        Self { what, beside, it }
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
            Some(&(_, what, _)) => self.copy(*menu, what),
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

    fn copy(&mut self, menu: CopyMenu, what: Copy) -> Vec<Effect> {
        let CopyMenu { of, place } = menu;
        if what == Copy::ListCommand {
            if self.is_filter_refused_by_list() {
                return self.warn("no list command: this filter works in the explorer only");
            }
            return self.copied(what, &CopyWords::one(what, &Safe::default()), copy::list_command(&place));
        }
        match of {
            CopySubject::Nothing => self.warn("no webhook to copy from"),
            CopySubject::One(row) => {
                let whose = CopySubject::One(row.clone()).words(self.setup.glyphs.ellipsis);
                let Some(row) = row.row().map(RowRef::unpack) else { return Vec::new() };
                match copy::text(what, &row, &place) {
                    Some(text) => self.copied(what, &CopyWords::one(what, &whose), text),
                    None => self.warn(copy::refusal(&row)),
                }
            }
            CopySubject::Marked { rows, count, on_screen, .. } => {
                self.run(Task::Copy { rows, what, place, marked: count, on_screen })
            }
        }
    }

    /// Puts a text on the clipboard; the same one pressed twice on a plain screen, unless somebody is at something else there.
    pub(super) fn copied(&mut self, what: Copy, words: &CopyWords, text: String) -> Vec<Effect> {
        let again = self.last_copy.as_ref().is_some_and(|last| (last.0, last.1.as_str()) == (what, text.as_str()));
        if again || self.setup.clipboard == Clipboard::Screen || copy::is_too_long(&text) {
            self.last_copy = None;
            if !matches!(self.overlay, Overlay::None) {
                return self.warn("a copy to select by hand needs the whole screen: copy again");
            }
            self.overlay = Overlay::PlainText(PlainText::new(what, text, self.size.0));
            return vec![Effect::Draw];
        }
        self.last_copy = Some((what, text.clone()));
        let mut effects = self.inform(self.copied_in_words(what, words));
        effects.push(Effect::Copy(Untrusted::from(text)));
        effects
    }

    /// `copied Markdown of whk_9f2k; y m again shows it`. Where that is too wide, first the webhook is left out.
    fn copied_in_words(&self, what: Copy, words: &CopyWords) -> Safe {
        let key = COPIES.iter().find(|(_, copy, _)| *copy == what).map(|(key, ..)| clean_head(&key.to_string(), 1));
        let again = match (self.setup.keymap.key(Action::Copy), key) {
            (Some(menu), Some(key)) => safe!("; {} {} again shows {}", menu, key, words.it),
            _ => Safe::default(),
        };
        let whose_key = self.whose_key(what);
        let must = "copied ".len() + words.what.width() + whose_key.width();
        let mut room = usize::from(self.size.0).saturating_sub(NOTICE_EDGES + must);
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
