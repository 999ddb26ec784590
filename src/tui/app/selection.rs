//! The selection: an index until its row is loaded, then an id. It stays with its webhook whatever arrives, also when that is
//! removed.
//!
//! A key acts on what the user saw. Keys may be typed ahead of the frames (`jj space` arrives in one read over a slow link), and then
//! the user counts from the last frame. So each key starts from the line that the last frame showed as selected, and where it leads
//! counts as seen, too, if
//!
//! - nothing arrived since that frame: the list is the one that the user counted in, on screen and beyond, or
//! - it leads by lines to the one that the frame showed there.
//!
//! A click is about the line that the last frame showed under it, if that line is still in its place.
//!
//! In all other cases (rows came or moved in between, the filter or the sort order is another one, the workspace was switched) the
//! count is lost: a key that acts on the selection acts on nothing and says so. The next frame shows the selection, and the key
//! pressed again acts on that. Keys that only move are never refused.

use std::mem::{Discriminant, discriminant};
use std::ops::Range;

use super::mouse::Parts;
use super::{App, Effect, Export, GroupPane, Overlay, Sort};
use crate::analysis::groups::Kind;
use crate::tui::anchor::Anchor;
use crate::tui::views::View;

/// The target of a key: the part of the UI that handles it, and the selection.
#[derive(Debug, Clone)]
pub(super) struct Aim {
    taker: Taker,
    selected: SelectedLine,
    /// The selected line of the view, and the number of lines.
    place: u64,
    lines: u64,
}

/// The part of the UI that handles keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Taker {
    overlay: Discriminant<Overlay>,
    /// The export dialog asks whether to replace a file.
    replaces: bool,
}

/// A selected line and its list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SelectedLine {
    list: List,
    target: Target,
}

/// The choices that make up a list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct List {
    view: View,
    /// The workspace, since two workspaces may share ids.
    profile_at: usize,
    filter: String,
    sort: Option<Sort>,
}

/// The content of a line, by which it is found again.
#[derive(Debug, Clone)]
enum Target {
    Nothing,
    /// A row that is not loaded, by its place.
    Index(u64),
    /// A webhook or a change to it, by the webhook's id.
    Webhook(Box<str>),
    Malformed(u64),
    Group(Box<Kind>),
}

impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::Index(one), Self::Index(other)) | (Self::Malformed(one), Self::Malformed(other)) => one == other,
            (Self::Webhook(one), Self::Webhook(other)) => one == other,
            (Self::Group(one), Self::Group(other)) => one.is_same_line(other),
            _ => false,
        }
    }
}

impl Eq for Target {}

/// The target of a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clicked {
    /// The line at this place.
    Line(u64),
    /// The empty space below the last line.
    Nothing,
    /// A line that has moved or disappeared since the last frame.
    Lost,
}

/// The last frame, and its selection after the keys pressed since.
#[derive(Debug)]
pub(super) struct Frame {
    aim: Aim,
    /// The list shown, the place of its first line, and the content of each line.
    list: List,
    first: u64,
    lines: Vec<Target>,
    /// The layout; `None` once the terminal is resized.
    parts: Option<Parts>,
    /// The place of the line being clicked.
    clicked: Option<u64>,
    /// True once the list has changed since the frame.
    is_outdated: bool,
    /// True if the selection may not be where a user counting from this frame expects it.
    is_lost: bool,
}

impl Frame {
    fn line(&self, place: u64) -> Option<&Target> {
        self.lines.get(usize::try_from(place.checked_sub(self.first)?).ok()?)
    }

    /// Updates the selection after a key that moved it from `from` to `to`.
    fn follow(&mut self, from: &Aim, to: Aim) {
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

impl App {
    pub(super) fn aim(&self) -> Aim {
        let place = self.selected_place();
        let replaces = matches!(&self.overlay, Overlay::Export(Export { exists: Some(_), .. }));
        let list = List {
            view: self.view,
            profile_at: self.setup.profile_at,
            filter: self.filter.applied().to_owned(),
            sort: self.sort,
        };
        Aim {
            taker: Taker { overlay: discriminant(&self.overlay), replaces },
            selected: SelectedLine { list, target: self.target_at(place) },
            place,
            lines: self.lines_of_view(),
        }
    }

    fn lines_of_view(&self) -> u64 {
        if self.shows_changes() {
            return self.changes.len();
        }
        if self.shows_groups() {
            return self.group_pane().map_or(0, GroupPane::len);
        }
        self.listing.len()
    }

    /// The place of the selected line in the view.
    pub(super) fn selected_place(&self) -> u64 {
        if self.shows_changes() {
            return self.changes.cursor().selected();
        }
        if self.shows_groups() {
            return self.group_pane().map_or(0, |pane| pane.cursor().selected());
        }
        self.cursor.selected()
    }

    /// The places of the view that are on screen.
    fn places_on_screen(&self) -> Range<u64> {
        if self.shows_changes() {
            return self.changes.cursor().visible(self.change_lines(), self.lines_of_view());
        }
        if self.shows_groups() {
            let visible = |pane: &GroupPane| pane.cursor().visible(self.group_lines(), pane.len());
            return self.group_pane().map_or(0..0, visible);
        }
        self.visible()
    }

    fn target_at(&self, place: u64) -> Target {
        if self.shows_changes() {
            return self.changes.entry(place).map_or(Target::Nothing, |entry| Target::Webhook(entry.id().into()));
        }
        if self.shows_groups() {
            let group = self.group_pane().and_then(|pane| pane.group(place));
            return group.map_or(Target::Nothing, |group| Target::Group(Box::new(group.kind.clone())));
        }
        match self.listing.row(place) {
            Some(row) if row.is_webhook() => Target::Webhook(row.id().into()),
            Some(_) => Target::Malformed(place),
            None if self.listing.is_empty() => Target::Nothing,
            None => Target::Index(place),
        }
    }

    /// A frame was drawn: from now on keys are about what it shows.
    pub(super) fn drawn(&mut self) {
        let places = self.places_on_screen();
        let aim = self.aim();
        self.frame = Some(Frame {
            list: aim.selected.list.clone(),
            aim,
            parts: Some(self.parts()),
            clicked: None,
            first: places.start,
            lines: places.map(|place| self.target_at(place)).collect(),
            is_outdated: false,
            is_lost: false,
        });
    }

    /// Something arrived that the last frame does not show.
    pub(super) fn outdate_frame(&mut self) {
        if let Some(frame) = &mut self.frame {
            frame.is_outdated = true;
        }
    }

    /// The parts of the last frame, if they are still where it showed them.
    pub(super) fn parts_of_frame(&self) -> Option<Parts> {
        self.frame.as_ref()?.parts
    }

    /// The terminal has another size.
    pub(super) fn forget_parts(&mut self) {
        if let Some(frame) = &mut self.frame {
            frame.parts = None;
        }
    }

    /// The line that the last frame showed in a row of the screen. Where that line is not here any more, the count is lost.
    pub(super) fn clicked(&mut self, row: u16) -> Clicked {
        let clicked = self.line_of_frame(row).unwrap_or(Clicked::Lost);
        if let Some(frame) = &mut self.frame {
            match clicked {
                Clicked::Line(place) => frame.clicked = Some(place),
                Clicked::Nothing => {}
                Clicked::Lost => frame.is_lost = true,
            }
        }
        clicked
    }

    fn line_of_frame(&self, row: u16) -> Option<Clicked> {
        let frame = self.frame.as_ref().filter(|frame| frame.list == self.aim().selected.list)?;
        let place = frame.first.saturating_add(row.checked_sub(frame.parts?.lines.y)?.into());
        match frame.line(place) {
            Some(target) => (self.target_at(place) == *target).then_some(Clicked::Line(place)),
            None => Some(Clicked::Nothing),
        }
    }

    /// A key moved the selection to where the user cannot have counted to if something arrived.
    pub(super) fn lose_count(&mut self) {
        if let Some(frame) = &mut self.frame {
            frame.is_lost |= frame.is_outdated;
        }
    }

    /// A key did its work. Where it led from what the last frame showed counts as seen if the user could count on it.
    pub(super) fn aim_on(&mut self, before: &Aim) {
        let now = self.aim();
        match &mut self.frame {
            Some(frame) => frame.follow(before, now),
            None => self.drawn(),
        }
    }

    /// Whether something else takes the keys than on the last frame.
    pub(super) fn takes_others_keys(&self) -> bool {
        let taker = self.aim().taker;
        self.frame.as_ref().is_some_and(|frame| frame.aim.taker != taker)
    }

    /// Why nothing is done with the selection, if it is not the one that the last frame showed.
    pub(super) fn refuse_unseen(&mut self) -> Option<Vec<Effect>> {
        let now = self.aim().selected;
        let frame = self.frame.as_mut()?;
        if !frame.is_lost && frame.aim.selected == now {
            return None;
        }
        frame.is_lost = true;
        Some(self.warn("the list just changed: check the selection and press again"))
    }

    /// Keeps the selection on its webhook: it follows it, and holds it on screen where it left the list.
    pub(super) fn keep_selection(&mut self) {
        if self.cursor.goes_to_end() {
            self.let_go();
            return;
        }
        let Some(anchor) = &mut self.anchor else {
            self.anchor = self.anchor_here();
            return;
        };
        anchor.renew(self.listing.rows());
        let (row, number, selected) = (anchor.standing().clone(), anchor.number(), self.cursor.selected());
        if number.is_some() && !self.listing.holds() && self.listing.number(selected) == number {
            return;
        }
        self.listing.release();
        match number.and_then(|number| self.listing.place_of(number)) {
            Some(place) if place == selected => {}
            Some(place) => self.cursor.follow(place),
            None => {
                let place = selected.min(self.listing.listed());
                self.cursor.select(place);
                self.listing.hold(place, row, number);
            }
        }
    }

    /// The selected row, if it is loaded.
    pub(super) fn anchor_here(&self) -> Option<Anchor> {
        if self.listing.holds() {
            return self.anchor.clone();
        }
        Anchor::at(self.listing.rows(), self.listing.number(self.cursor.selected())?)
    }

    /// The selection is elsewhere now. A row that was held is not shown any longer.
    pub(super) fn let_go(&mut self) {
        self.anchor = None;
        if let Some(place) = self.listing.release() {
            self.cursor.close_up(place);
        }
    }

    /// Does not hold a row any longer that is not listed.
    pub(super) fn let_go_of_lost(&mut self) {
        if let Some(anchor) = &mut self.anchor {
            anchor.renew(self.listing.rows());
            if anchor.number().is_none() {
                self.let_go();
            }
        }
    }

    /// Selects a row as soon as it is shown.
    pub(super) fn select_row(&mut self, mut anchor: Anchor) {
        anchor.find(self.listing.rows());
        if self.arranging.goes_to_top() || anchor.number().and_then(|number| self.listing.place_of(number)).is_none() {
            self.arranging.go_to(anchor);
            return;
        }
        self.let_go();
        if let Some(place) = anchor.number().and_then(|number| self.listing.place_of(number)) {
            self.cursor.select(place);
            self.anchor = Some(anchor);
        }
    }
}
