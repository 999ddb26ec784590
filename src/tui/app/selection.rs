//! What is selected: an index until its row is loaded, then an id. It stays with its webhook whatever arrives, also when that is
//! removed, and what a key does is about what the user saw.

use std::mem::{Discriminant, discriminant};

use super::{App, Effect, Export, Overlay};
use crate::analysis::groups::Kind;
use crate::tui::anchor::Anchor;
use crate::tui::views::View;

/// What a key is about: what takes it, and what is selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Aim {
    view: View,
    overlay: Discriminant<Overlay>,
    /// An export would replace a file.
    replaces: bool,
    target: Target,
}

/// What is selected in a view.
#[derive(Debug, Clone)]
enum Target {
    Nothing,
    /// A row that is not loaded.
    Index(u64),
    /// A webhook, or a change of it.
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

impl App {
    pub(super) fn aim(&self) -> Aim {
        let replaces = matches!(&self.overlay, Overlay::Export(Export { exists: Some(_), .. }));
        Aim { view: self.view, overlay: discriminant(&self.overlay), replaces, target: self.target() }
    }

    fn target(&self) -> Target {
        if self.shows_changes() {
            return self.changes.selected().map_or(Target::Nothing, |entry| Target::Webhook(entry.id().into()));
        }
        if self.shows_groups() {
            let group = self.group_pane().and_then(|pane| pane.selected());
            return group.map_or(Target::Nothing, |group| Target::Group(Box::new(group.kind.clone())));
        }
        match self.selected_row() {
            Some(row) if row.is_webhook() => Target::Webhook(row.id().into()),
            Some(_) => Target::Malformed(self.cursor.selected()),
            None if self.listing.is_empty() => Target::Nothing,
            None => Target::Index(self.cursor.selected()),
        }
    }

    /// A frame was drawn: from now on keys are about what it shows.
    pub(super) fn drawn(&mut self) {
        self.aim = Some(self.aim());
    }

    /// A key did its work. What it made of what the last frame showed counts as seen, and nothing that arrived before it.
    pub(super) fn aim_on(&mut self, before: &Aim) {
        let now = self.aim();
        let Some(seen) = &mut self.aim else {
            self.aim = Some(now);
            return;
        };
        if (seen.overlay, seen.replaces) == (before.overlay, before.replaces) {
            (seen.overlay, seen.replaces) = (now.overlay, now.replaces);
        }
        if (seen.view, &seen.target) == (before.view, &before.target) {
            (seen.view, seen.target) = (now.view, now.target);
        }
    }

    /// Whether something else takes the keys than on the last frame.
    pub(super) fn takes_others_keys(&self) -> bool {
        let now = self.aim();
        let is_same = |seen: &Aim| (seen.overlay, seen.replaces) == (now.overlay, now.replaces);
        self.aim.as_ref().is_some_and(|seen| !is_same(seen))
    }

    /// Why nothing is done with the selection, if it is not the one that the last frame showed.
    pub(super) fn refuse_unseen(&mut self) -> Option<Vec<Effect>> {
        let now = self.aim();
        let is_same = |seen: &Aim| (seen.view, &seen.target) == (now.view, &now.target);
        if self.aim.as_ref().is_none_or(is_same) {
            return None;
        }
        Some(self.warn("the list just changed: look at the selection and press again"))
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
