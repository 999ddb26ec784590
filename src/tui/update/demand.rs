//! The pages to fetch now: those on screen, the next ones in the direction of travel, or all.

use std::time::Duration;

use crate::fetch::Demand;
use crate::tui::app::App;
use crate::tui::cursor::Travel;
use crate::tui::list_pane::ViewList as _;
use crate::tui::message::Effect;
use crate::tui::session::loading::{LoadAll, LoadAllStart};

impl App {
    /// Sends the fetch task a new demand, if it has changed.
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

    /// The rows on screen, or the first one while none are known.
    fn visible_or_first(&self) -> std::ops::Range<u64> {
        let visible = self.visible();
        if visible.is_empty() { 0..1 } else { visible }
    }

    /// The next page in the direction of travel, once it is less than half a page away.
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
        // The row after an unknown end need not be fetched ahead.
        let known = self.session.list.lines.extent().known();
        let ahead = ahead.start.min(known)..ahead.end.min(known);
        self.session.list.pages_of(&ahead).into_iter().find(|&page| self.session.list.lines.needs(page))
    }

    /// The estimated time to load everything, based on the time so far.
    pub fn time_left(&self) -> Option<Duration> {
        let (pages, of) = self.session.pages_loaded();
        let start = self.session.load.all_start.as_ref()?;
        let done = u32::try_from(pages.checked_sub(start.pages)?).ok().filter(|&done| done >= 3)?;
        let left = u32::try_from(of?.saturating_sub(pages)).ok()?;
        Some(self.now.instant.saturating_duration_since(start.since) / done * left)
    }

    /// Records when loading everything began, for that estimate.
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
