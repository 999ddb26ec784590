//! The pages that are wanted now: those on screen, the next ones in the direction of travel, or all.

use std::time::Duration;

use crate::fetch::Demand;
use crate::tui::app::App;
use crate::tui::cursor::Travel;
use crate::tui::list_pane::ViewList as _;
use crate::tui::message::Effect;
use crate::tui::session::loading::{LoadAll, LoadAllStart};

impl App {
    /// Tells the fetch task what is wanted, if that has changed.
    pub(super) fn update_demand(&mut self) -> Option<Effect> {
        self.watch_load_all();
        let demand = self.wanted();
        let load = &mut self.session.load;
        if demand.pages.is_empty() && !demand.everything {
            if self.session.list.lines.has_failures() {
                load.health.give_up();
            } else {
                load.health.settle();
            }
        }
        if demand == load.demanded {
            return None;
        }
        load.demanded = demand.clone();
        Some(Effect::Demand(demand))
    }

    fn wanted(&self) -> Demand {
        let mut pages = self.session.list.pages_of(&self.visible_or_first());
        pages.retain(|&page| self.session.list.lines.needs(page));
        if pages.is_empty() {
            pages.extend(self.page_ahead());
        }
        Demand {
            generation: self.session.load.generation,
            scope: self.session.load.scope,
            pages,
            everything: self.session.load.all != LoadAll::No,
        }
    }

    /// While nothing is known, the first screenful.
    fn visible_or_first(&self) -> std::ops::Range<u64> {
        let visible = self.visible();
        if visible.is_empty() { 0..1 } else { visible }
    }

    /// The page that the selection travels to, once it is less than half a page away.
    fn page_ahead(&self) -> Option<u64> {
        if !self.session.list.lines.is_known() || self.session.list.lines.order().is_some() {
            return None;
        }
        let near = self.session.list.lines.page_size() / 2;
        let visible = self.visible();
        let ahead = match self.session.list.cursor().travel() {
            Travel::Down => visible.end..visible.end.saturating_add(near),
            Travel::Up => visible.start.saturating_sub(near)..visible.start,
        };
        // Nobody waits for the row behind an unknown end.
        let known = self.session.list.lines.extent().known();
        let ahead = ahead.start.min(known)..ahead.end.min(known);
        self.session.list.pages_of(&ahead).into_iter().find(|&page| self.session.list.lines.needs(page))
    }

    /// How long loading everything will take, to judge by how long it took so far.
    pub fn time_left(&self) -> Option<Duration> {
        let (pages, of) = self.session.pages_loaded();
        let start = self.session.load.all_start.as_ref()?;
        let done = u32::try_from(pages.checked_sub(start.pages)?).ok().filter(|&done| done >= 3)?;
        let left = u32::try_from(of?.saturating_sub(pages)).ok()?;
        Some(self.now.instant.saturating_duration_since(start.since) / done * left)
    }

    /// Notes when loading everything began, for the time that it will take.
    fn watch_load_all(&mut self) {
        match (self.session.load.all, &self.session.load.all_start) {
            (LoadAll::No, _) => self.session.load.all_start = None,
            (_, None) => {
                self.session.load.all_start =
                    Some(LoadAllStart { since: self.now.instant, pages: self.session.list.lines.fresh_pages() });
            }
            (_, Some(_)) => {}
        }
    }
}
