//! The list of the view on screen: its height, and the motions of its selection. All views share this.

use crate::tui::app::App;
use crate::tui::list_pane::{Motion, ViewList};
use crate::tui::message::{Effect, draw_if};
use crate::tui::ui::{Focus, Overlay};
use crate::tui::view_kind::View;

/// The smallest height with room for lines below a list.
const ROOM_FOR_FOOTING: u16 = 13;

impl App {
    /// The list of the view on screen.
    pub fn list(&self) -> &dyn ViewList {
        self.session.list_of(self.ui.view)
    }

    pub(super) fn list_mut(&mut self) -> &mut dyn ViewList {
        self.session.list_of_mut(self.ui.view)
    }

    /// The number of lines of the list on screen.
    pub fn list_height(&self) -> u16 {
        self.height_of(self.ui.view)
    }

    fn height_of(&self, view: View) -> u16 {
        let (entry, layout) = (view.entry(), self.layout());
        let area = if entry.detail.is_some() { layout.panes.list() } else { layout.body };
        let has_prompt = view == View::Webhooks && matches!(self.ui.overlay, Overlay::Filter | Overlay::Export(_));
        let is_covered = has_prompt && area.bottom() == layout.body.bottom();
        let height = area.height.saturating_sub(u16::from(entry.has_title) + u16::from(is_covered));
        if height >= ROOM_FOR_FOOTING { height - entry.footing } else { height }
    }

    /// Moves the selection, or scrolls the detail if that has the focus.
    pub(super) fn go(&mut self, motion: Motion) -> Vec<Effect> {
        if self.ui.focus == Focus::Detail { self.scroll_detail(motion) } else { self.move_selection(motion) }
    }

    pub(super) fn move_selection(&mut self, motion: Motion) -> Vec<Effect> {
        let before = self.session.list.selected();
        let left = self.session.change_at(before).zip(self.session.list.row(before).map(|row| Box::<str>::from(row.id())));
        let moved = self.list_mut().go(motion);
        if moved {
            self.ui.moves.press(self.now.instant);
            if self.shows_webhooks() {
                self.session.filter_sort.stay();
                if let Some((change, id)) = left {
                    self.session.unread.look_at(&id, change);
                }
            }
        }
        draw_if(moved)
    }

    pub(super) fn scroll_detail(&mut self, motion: Motion) -> Vec<Effect> {
        let height = usize::from(self.layout().panes.detail().height);
        let before = self.list().scroll();
        let wanted = before.saturating_add_signed(motion.lines());
        let Some(lines) = self.selected_lines(wanted.saturating_add(height)) else { return Vec::new() };
        let scroll = wanted.min(lines.len().saturating_sub(height));
        self.list_mut().scroll_to(scroll);
        draw_if(scroll != before)
    }

    /// Keeps selection, screen and detail within the lists. The rows on screen are loaded in every view.
    pub(super) fn fit(&mut self) {
        for view in [View::Webhooks, self.ui.view] {
            let height = self.height_of(view);
            self.session.list_of_mut(view).fit(height);
        }
        if self.list().scroll() > 0 {
            self.scroll_detail(Motion::By(0));
        }
    }
}
