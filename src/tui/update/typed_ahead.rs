//! Keys and clicks refer to the last frame. See [`crate::tui::typed_ahead`].

use std::mem::discriminant;

use ratatui::layout::Rect;

use crate::tui::app::App;
use crate::tui::export_prompt::ExportPrompt;
use crate::tui::layout::Panes;
use crate::tui::message::Effect;
use crate::tui::typed_ahead::{Aim, Clicked, LastFrame, ListIdentity, Parts, SelectedLine, Taker};
use crate::tui::ui::Overlay;

impl App {
    /// The current target of a key.
    pub(super) fn aim(&self) -> Aim {
        let list = self.list();
        let place = list.cursor().selected();
        let replaces = matches!(&self.ui.overlay, Overlay::Export(ExportPrompt { exists: Some(_), .. }));
        let identity = ListIdentity {
            view: self.ui.view,
            profile_at: self.session.workspace.at,
            filter: self.session.filter.applied().to_owned(),
            sort: self.session.filter_sort.sort,
        };
        Aim {
            taker: Taker { overlay: discriminant(&self.ui.overlay), replaces },
            selected: SelectedLine { list: identity, target: list.key(place) },
            place,
            lines: list.len(),
        }
    }

    /// Records that a frame was drawn. From now on keys refer to it.
    pub(super) fn drawn(&mut self) {
        let list = self.list();
        let places = list.cursor().visible(self.list_height(), list.len());
        let (first, lines) = (places.start, places.map(|place| list.key(place)).collect());
        self.frame = Some(LastFrame::new(self.aim(), first, lines, self.parts()));
    }

    /// The parts as they are drawn now. Areas below an overlay accept no clicks.
    fn parts(&self) -> Parts {
        if !matches!(self.ui.overlay, Overlay::None) {
            return Parts::default();
        }
        let layout = self.layout();
        let (entry, height) = (self.ui.view.entry(), self.list_height());
        let below_title = |area: Rect| {
            let y = area.y.saturating_add(u16::from(entry.has_title));
            Rect { y, height, ..area }.intersection(area)
        };
        if entry.detail.is_none() {
            return Parts { lines: below_title(layout.body), detail: Rect::default() };
        }
        let lines = below_title(layout.panes.list());
        match (layout.panes, self.shows_detail()) {
            (Panes::One { pane }, true) => Parts { lines: Rect::default(), detail: pane },
            (_, true) => Parts { lines, detail: layout.panes.detail() },
            (_, false) => Parts { lines, detail: Rect::default() },
        }
    }

    /// The line that the last frame showed in a row of the screen.
    pub(super) fn clicked(&mut self, row: u16) -> Clicked {
        let now = self.aim();
        let list = self.session.list_of(self.ui.view);
        self.frame.as_mut().map_or(Clicked::Lost, |frame| frame.click(row, &now, |place| list.key(place)))
    }

    /// Updates the selection after a key. Its target counts as seen if the user could count on it.
    pub(super) fn aim_on(&mut self, before: &Aim) {
        let now = self.aim();
        match &mut self.frame {
            Some(frame) => frame.follow(before, now),
            None => self.drawn(),
        }
    }

    /// Refuses an action on the selection if the last frame did not show it.
    pub(super) fn refuse_unseen(&mut self) -> Option<Vec<Effect>> {
        let now = self.aim();
        let is_seen = self.frame.as_mut()?.confirms(&now);
        (!is_seen).then(|| self.warn("the list just changed: check the selection and press again"))
    }
}
