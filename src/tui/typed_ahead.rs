//! The selection: an index until its row is loaded, then an id. It stays on its webhook whatever arrives, even if the
//! webhook is removed.
//!
//! A key acts on the row that the user saw. Keys may be typed ahead of the frames (`jj space` arrives in one read over a
//! slow connection), and then the user counts from the last frame. So each key starts from the line that the last frame
//! showed as selected, and the resulting selection also counts as seen if
//!
//! - nothing arrived since that frame, so that the list is the one that the user counted in, on screen and beyond, or
//! - it was reached by single lines, and the frame showed that line there.
//!
//! A click refers to the line that the last frame showed under it, if that line is still in its place.
//!
//! In all other cases (rows arrived or moved in between, the filter or the sort order changed, the workspace was switched)
//! the count is lost: a key that acts on the selection has no effect and shows a notice. The next frame shows the selection,
//! and pressing the key again acts on it. Keys that only move are never refused.

use std::mem::Discriminant;

use ratatui::layout::Rect;

use super::list_pane::LineKey;
use super::ui::Overlay;
use super::view_kind::View;
use crate::analysis::sort::Sort;

/// The parts of a frame that accept clicks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts {
    /// The lines of the view, without their title.
    pub lines: Rect,
    pub detail: Rect,
}

/// The target of a key: the part of the UI that handles it, and the selection.
#[derive(Debug, Clone)]
pub struct Aim {
    pub taker: Taker,
    pub selected: SelectedLine,
    /// The selected line of the view, and the number of lines.
    pub place: u64,
    pub lines: u64,
}

/// The part of the UI that receives keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taker {
    pub overlay: Discriminant<Overlay>,
    /// True if the export dialog asks whether to replace a file.
    pub replaces: bool,
}

/// A selected line and its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedLine {
    pub list: ListIdentity,
    pub target: LineKey,
}

/// The settings that determine a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListIdentity {
    pub view: View,
    /// The workspace, since two workspaces may share ids.
    pub profile_at: usize,
    pub filter: String,
    pub sort: Option<Sort>,
}

/// The target of a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clicked {
    /// The line at this place.
    Line(u64),
    /// The empty space below the last line.
    Nothing,
    /// A line that has moved or disappeared since the last frame.
    Lost,
}

/// The last frame, and its selection after the keys pressed since.
#[derive(Debug)]
pub struct LastFrame {
    aim: Aim,
    /// The list shown, the place of its first line, and the content of each line.
    list: ListIdentity,
    first: u64,
    lines: Vec<LineKey>,
    /// The layout; `None` once the terminal is resized.
    parts: Option<Parts>,
    /// The place of the line being clicked.
    clicked: Option<u64>,
    /// True once the list has changed since the frame.
    is_outdated: bool,
    /// True if the selection may not be where a user counting from this frame expects it.
    is_lost: bool,
}

impl LastFrame {
    /// A frame that was just drawn, with the keys of its lines from the place `first` on.
    pub fn new(aim: Aim, first: u64, lines: Vec<LineKey>, parts: Parts) -> Self {
        let list = aim.selected.list.clone();
        Self { aim, list, first, lines, parts: Some(parts), clicked: None, is_outdated: false, is_lost: false }
    }

    fn line(&self, place: u64) -> Option<&LineKey> {
        self.lines.get(usize::try_from(place.checked_sub(self.first)?).ok()?)
    }

    /// The parts of the frame, if they are still where it showed them.
    pub fn parts(&self) -> Option<Parts> {
        self.parts
    }

    /// Forgets the parts, since the terminal has a different size.
    pub fn forget_parts(&mut self) {
        self.parts = None;
    }

    /// Records that something arrived that the frame does not show.
    pub fn outdate(&mut self) {
        self.is_outdated = true;
    }

    /// Records that a key moved the selection to a line that the user cannot have counted to if something arrived.
    pub fn lose_count(&mut self) {
        self.is_lost |= self.is_outdated;
    }

    /// Returns true if a different part of the UI receives the keys than in the frame.
    pub fn takes_other_keys(&self, now: &Aim) -> bool {
        self.aim.taker != now.taker
    }

    /// Returns true if the selection is the one that the frame showed. Otherwise the count is lost.
    pub fn confirms(&mut self, now: &Aim) -> bool {
        self.is_lost |= self.aim.selected != now.selected;
        !self.is_lost
    }

    /// The line that the frame showed in a row of the screen. `key` returns the current key of a place. If the line is no
    /// longer there, the count is lost.
    pub fn click(&mut self, row: u16, now: &Aim, key: impl Fn(u64) -> LineKey) -> Clicked {
        let clicked = self.clicked_line(row, now, key).unwrap_or(Clicked::Lost);
        match clicked {
            Clicked::Line(place) => self.clicked = Some(place),
            Clicked::Nothing => {}
            Clicked::Lost => self.is_lost = true,
        }
        clicked
    }

    fn clicked_line(&self, row: u16, now: &Aim, key: impl Fn(u64) -> LineKey) -> Option<Clicked> {
        if self.list != now.selected.list {
            return None;
        }
        let place = self.first.saturating_add(row.checked_sub(self.parts?.lines.y)?.into());
        match self.line(place) {
            Some(line) => (key(place) == *line).then_some(Clicked::Line(place)),
            None => Some(Clicked::Nothing),
        }
    }

    /// Updates the selection after a key that moved it from `from` to `to`.
    pub fn follow(&mut self, from: &Aim, to: Aim) {
        if self.aim.taker == from.taker {
            self.aim.taker = to.taker;
        }
        let clicked = self.clicked.take();
        let (list, other) = (&from.selected.list, &to.selected.list);
        // A selected line that no longer belongs to the list disappears when the selection leaves it.
        self.is_outdated |= list == other && from.lines != to.lines;
        if let Some(place) = clicked {
            // A click refers to a line of the frame, regardless of the keys before it.
            self.is_lost = self.line(place) != Some(&to.selected.target);
            self.aim.selected = to.selected;
            self.aim.place = place;
            return;
        }
        if self.aim.selected == from.selected && from.selected == to.selected && from.place == to.place {
            return;
        }
        let place = self.aim.place.saturating_add(to.place).saturating_sub(from.place);
        let is_same_question = (&list.filter, list.sort) == (&other.filter, other.sort);
        let is_as_shown = list == other && self.line(place) == Some(&to.selected.target);
        if self.aim.selected == from.selected && is_same_question && (!self.is_outdated || is_as_shown) {
            self.aim.selected = to.selected;
            self.aim.place = place;
        } else {
            self.is_lost = true;
        }
    }
}
