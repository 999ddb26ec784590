//! Which rows are shown, and in what order: what the finder is asked, and what becomes of its answers.

use std::sync::Arc;

use super::{Action, App, Effect, Everything, Safe, Scope, Sort, grouped, safe};
use crate::analysis::filter_sort::{FilterSortRequest, FilterSortResult};
use crate::analysis::groups::Grouping;
use crate::analysis::query::FilterFacts;
use crate::analysis::rows::RowNumber;
use crate::analysis::sort::SORT_KEYS;
use crate::tui::anchor::Anchor;
use crate::tui::finder::{Arranged, Wish};
use crate::tui::group_pane::GroupsOf;
use crate::tui::views::Lines;

/// Where things stand with the finder.
#[derive(Debug, Default)]
pub(super) struct Arranging {
    /// What was asked last.
    asked: Option<Asked>,
    epoch: u64,
    /// The epoch of the last whole answer.
    answered: u64,
    /// The rows that it was about.
    answered_version: u64,
    /// The selection goes to the first row with the next answer.
    to_top: bool,
    /// The row that it goes to with the next answer that has it.
    to: Option<Anchor>,
    /// The filter and the scope of the rows that are shown.
    shown: (String, Option<Scope>),
}

/// What makes one question another one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    filter: String,
    scope: Scope,
    sort: Option<Sort>,
    grouping: Option<Grouping>,
    /// Of the rows.
    version: u64,
}

impl Arranging {
    /// Whatever was asked is to be asked anew, and what is still answered of it is not taken.
    pub(super) fn ask_again(&mut self) {
        self.asked = None;
        self.epoch += 1;
    }

    /// The same, for other rows.
    pub(super) fn start_over(&mut self) {
        self.ask_again();
        self.to = None;
    }

    pub(super) fn go_to_top(&mut self) {
        self.to_top = true;
        self.to = None;
    }

    /// Whether the next answer is about other rows, and is shown from its top.
    pub(super) fn goes_to_top(&self) -> bool {
        self.to_top
    }

    /// The selection is where somebody put it.
    pub(super) fn stay(&mut self) {
        self.to = None;
    }

    /// The selection goes to this row with the next answer that has it.
    pub(super) fn go_to(&mut self, row: Anchor) {
        self.to = Some(row);
    }
}

impl App {
    /// Whether the rows are chosen or sorted here, so that all of them are needed.
    pub fn is_arranged(&self) -> bool {
        !self.filter.query().is_empty()
            || self.sort.is_some()
            || self.listing.kept().is_some()
            || self.listing.rows().gone().next().is_some()
    }

    /// Whether the rows on screen are not yet those that were asked for.
    pub fn is_searching(&self) -> bool {
        let waits_for_verdicts = self.filter.query().asks_for_findings() && !self.is_judged();
        waits_for_verdicts || self.arranging.asked.is_some() && self.arranging.answered != self.arranging.epoch
    }

    /// Whether the rows on screen are those that were asked for, of all that are here.
    pub(super) fn is_arranged_anew(&self) -> bool {
        let is_answered = |asked: &Asked| asked.version == self.arranging.answered_version;
        !self.is_searching() && self.arranging.asked.as_ref().is_none_or(is_answered)
    }

    /// What the finder has to be told, if that has changed.
    pub(super) fn wish(&mut self) -> Option<Wish> {
        let grouping = match self.view.entry().lines {
            Lines::Groups(grouping) => self.group_panes.get(&self.view).map(|pane| grouping(self, pane)),
            Lines::Webhooks | Lines::Changes => None,
        };
        if !self.listing.is_known() || (grouping.is_none() && !self.is_arranged()) {
            if self.arranging.asked.take().is_some() {
                self.arranging.epoch += 1;
            }
            return None;
        }
        let asked = Asked {
            filter: self.filter.applied().to_owned(),
            scope: self.listing.kept().unwrap_or_default(),
            sort: self.sort,
            grouping,
            version: self.listing.version() + self.probes_version(),
        };
        let version = asked.version;
        let before = self.arranging.asked.replace(asked.clone());
        if before.as_ref() == Some(&asked) {
            return None;
        }
        // More rows are no other question.
        if before.is_none_or(|before| before != Asked { version: before.version, ..asked.clone() }) {
            self.arranging.epoch += 1;
        }
        let request = FilterSortRequest {
            rows: self.listing.rows().clone(),
            query: self.filter.query().clone(),
            scope: asked.scope,
            facts: self.facts(),
            sort: self.sort,
            grouping: asked.grouping,
        };
        Some(Wish { epoch: self.arranging.epoch, version, request })
    }

    /// What is known of webhooks besides their fields.
    pub(super) fn facts(&self) -> FilterFacts {
        let (new, changed, gone) = self.unseen.flags();
        let (probed, verdicts) = (self.probes.known.clone(), Arc::clone(self.verdicts()));
        FilterFacts { marked: Arc::clone(&self.marks), new, changed, gone, probed, verdicts }
    }

    /// Counts what probes found, as far as the filter asks for it: to know more is no other question.
    fn probes_version(&self) -> u64 {
        if self.filter.query().asks_for_probes() { self.probes.known.version() } else { 0 }
    }

    pub(super) fn arranged(&mut self, arranged: Arranged) -> Vec<Effect> {
        if arranged.epoch != self.arranging.epoch {
            return Vec::new();
        }
        if !arranged.answer.is_whole && !self.is_welcome(&arranged.answer) {
            return Vec::new();
        }
        let is_loading = self.is_loading() || !self.is_judged();
        if let Some((groups, pane)) = arranged.answer.groups.clone().zip(self.group_panes.get_mut(&self.view)) {
            let of = GroupsOf { filter: self.filter.applied().to_owned(), scope: self.scope };
            pane.take(groups, of, is_loading);
        }
        if arranged.answer.is_whole {
            self.arranging.answered = arranged.epoch;
            self.arranging.answered_version = arranged.version;
        }
        if self.is_arranged() {
            self.show(Some(arranged.answer));
        }
        vec![Effect::Draw]
    }

    /// Whether the first rows of an answer are worth showing before the others are known: not in place of all that were known
    /// before, and not without the one that is selected.
    fn is_welcome(&self, first: &FilterSortResult) -> bool {
        let number = self.listing.number(self.cursor.selected()).and_then(|number| RowNumber::try_from(number).ok());
        let has_selected = number.is_none_or(|number| first.order.contains(&number));
        self.is_searching() && (self.arranging.to_top || has_selected)
    }

    /// Shows all rows again, as soon as nothing chooses or sorts them.
    pub(super) fn show_all_when_due(&mut self) {
        if self.listing.order().is_some() && !self.is_arranged() {
            self.show(None);
        }
    }

    /// Shows these rows. The selection stays with its webhook, at the same line of the screen, wherever it is now; other rows
    /// begin at the top.
    pub(super) fn show(&mut self, order: Option<FilterSortResult>) {
        let is_whole = order.as_ref().is_none_or(|answer| answer.is_whole);
        let has_nothing = self.anchor.is_none() && self.listing.is_empty();
        let shown = (self.filter.applied().to_owned(), self.listing.kept());
        let are_others = std::mem::replace(&mut self.arranging.shown, shown.clone()) != shown;
        self.listing.arrange(order);
        if has_nothing {
            // The webhook that was selected before the filter, unless the filter still leaves it out.
            let home = self
                .filter
                .home()
                .filter(|home| home.number().is_some_and(|number| self.listing.place_of(number).is_some()));
            self.anchor = home.cloned();
        }
        let to_top = std::mem::take(&mut self.arranging.to_top);
        if let Some(mut wanted) = self.arranging.to.take() {
            wanted.find(self.listing.rows());
            let is_shown = wanted.number().is_some_and(|number| self.listing.place_of(number).is_some());
            if is_shown || wanted.number().is_none() && !to_top {
                // One that was removed meanwhile is shown where the selection was.
                self.let_go();
                self.anchor = Some(wanted);
                return self.keep_selection();
            }
            self.arranging.to = Some(wanted).filter(|_| !is_whole);
        }
        if to_top {
            self.let_go();
            self.cursor.first();
        } else if are_others {
            let number = self.anchor.as_ref().and_then(Anchor::number);
            if number.and_then(|number| self.listing.place_of(number)).is_none() {
                self.let_go();
            }
        }
        self.keep_selection();
    }

    pub(super) fn sort_by_next(&mut self) -> Vec<Effect> {
        let next = match self.sort {
            None => SORT_KEYS.first(),
            Some(sort) => SORT_KEYS.iter().skip_while(|entry| entry.key != sort.key).nth(1),
        };
        self.sort = next.map(|entry| Sort { key: entry.key, descending: false });
        self.tell_sort()
    }

    pub(super) fn reverse_sort(&mut self) -> Vec<Effect> {
        let Some(sort) = &mut self.sort else {
            return self.warn("no sort order to reverse; s sorts");
        };
        sort.descending = !sort.descending;
        self.tell_sort()
    }

    fn tell_sort(&mut self) -> Vec<Effect> {
        let Some(sort) = self.sort else { return self.inform("unsorted: the order of the API") };
        let partly = self.need_everything_or_say();
        let direction = if sort.descending { "descending" } else { "ascending" };
        let help = SORT_KEYS.iter().find(|entry| entry.key == sort.key).map_or("", |entry| entry.help);
        let first = if sort.descending { Safe::default() } else { safe!(", {}", help) };
        match partly {
            Some(words) => self.warn(safe!("sorted by {}; {}", sort.key.name(), words)),
            None => self.inform(safe!("sorted by {}, {}{}", sort.key.name(), direction, first)),
        }
    }

    /// Returns the words for how many of the loaded rows come from the cache. At least one must.
    pub fn how_many_cached(&self) -> &'static str {
        if self.listing.remembered() == self.listing.loaded() { "all" } else { "some of them" }
    }

    /// Loads everything if that needs no confirmation; otherwise returns a message about what is missing.
    pub(super) fn need_everything_or_say(&mut self) -> Option<Safe> {
        self.need_everything();
        let is_here = self.listing.is_all_here();
        let is_coming = self.everything != Everything::No || is_here || !self.listing.is_known();
        if is_coming {
            return None;
        }
        if self.listing.remembered() > 0 && self.listing.is_complete() {
            let loaded = grouped(self.listing.loaded());
            return Some(safe!("{} loaded, {} from the cache", loaded, self.how_many_cached()));
        }
        if self.is_swept() {
            return Some(safe!("{} loaded; the rest failed to load", grouped(self.listing.loaded())));
        }
        let key = self.setup.keymap.key(Action::LoadEverything).unwrap_or_default();
        let live = self.listing.loaded().saturating_sub(self.listing.remembered());
        let loaded = if live == 1 { "is" } else { "are" };
        Some(safe!("only {} {} loaded; {} loads the rest", grouped(live), loaded, key))
    }
}
