//! Filtering and sorting: the requests to the background thread, its answers, and the sort keys.

use crate::analysis::filter_sort::FilterSortRequest;
use crate::analysis::sort::{SORT_KEYS, Sort};
use crate::base::text::Safe;
use crate::safe;
use crate::tui::app::App;
use crate::tui::message::Effect;
use crate::tui::session::Session;
use crate::tui::session::filter_sort::FilterSortKey;
use crate::tui::session::groups::GroupsOf;
use crate::tui::workers::{RowsAnswer, RowsRequest};

impl App {
    /// The request for the rows to show, if the criteria or the rows changed.
    pub(super) fn rows_request(&mut self) -> Option<RowsRequest> {
        let grouping = self.ui.view.entry().grouping.zip(self.group_pane()).map(|(grouping, pane)| grouping(self, pane));
        if !self.session.list.lines.is_known() || (grouping.is_none() && !self.session.is_arranged()) {
            if self.session.filter_sort.asked.take().is_some() {
                self.session.filter_sort.epoch += 1;
            }
            return None;
        }
        let asked = FilterSortKey {
            filter: self.session.filter.applied().to_owned(),
            scope: self.session.list.lines.kept().unwrap_or_default(),
            sort: self.session.filter_sort.sort,
            grouping,
            version: self.session.list.lines.version() + self.session.probes_version(),
        };
        let version = asked.version;
        let before = self.session.filter_sort.asked.replace(asked.clone());
        if before.as_ref() == Some(&asked) {
            return None;
        }
        // A request that differs only in its rows keeps its epoch.
        if before.is_none_or(|before| before != FilterSortKey { version: before.version, ..asked.clone() }) {
            self.session.filter_sort.epoch += 1;
        }
        let request = FilterSortRequest {
            rows: self.session.list.lines.rows().clone(),
            query: self.session.filter.query().clone(),
            scope: asked.scope,
            facts: self.session.facts(),
            sort: self.session.filter_sort.sort,
            grouping: asked.grouping,
        };
        Some(RowsRequest { epoch: self.session.filter_sort.epoch, version, request })
    }

    pub(super) fn take_rows(&mut self, rows: RowsAnswer) -> Vec<Effect> {
        if rows.epoch != self.session.filter_sort.epoch {
            return Vec::new();
        }
        if !rows.answer.is_whole && !self.session.is_welcome(&rows.answer) {
            return Vec::new();
        }
        let is_loading = self.session.is_loading() || !self.session.is_audited();
        if let Some((groups, pane)) = rows.answer.groups.clone().zip(self.session.groups.of_mut(self.ui.view)) {
            let of = GroupsOf { filter: self.session.filter.applied().to_owned(), scope: self.session.load.scope };
            pane.take(groups, of, is_loading);
        }
        if rows.answer.is_whole {
            self.session.filter_sort.answered = rows.epoch;
            self.session.filter_sort.answered_version = rows.version;
        }
        if self.session.is_arranged() {
            self.session.show(Some(rows.answer));
        }
        vec![Effect::Draw]
    }

    pub(super) fn sort_by_next(&mut self) -> Vec<Effect> {
        let next = match self.session.filter_sort.sort {
            None => SORT_KEYS.first(),
            Some(sort) => SORT_KEYS.iter().skip_while(|entry| entry.key != sort.key).nth(1),
        };
        self.session.filter_sort.sort = next.map(|entry| Sort { key: entry.key, descending: false });
        self.tell_sort()
    }

    pub(super) fn reverse_sort(&mut self) -> Vec<Effect> {
        let Some(sort) = &mut self.session.filter_sort.sort else {
            return self.warn("no sort order to reverse; s sorts");
        };
        sort.descending = !sort.descending;
        self.tell_sort()
    }

    fn tell_sort(&mut self) -> Vec<Effect> {
        let Some(sort) = self.session.filter_sort.sort else { return self.inform("unsorted: the order of the API") };
        let partly = self.in_session(Session::need_everything_or_say);
        let direction = if sort.descending { "descending" } else { "ascending" };
        let help = SORT_KEYS.iter().find(|entry| entry.key == sort.key).map_or("", |entry| entry.help);
        let first = if sort.descending { Safe::default() } else { safe!(", {}", help) };
        match partly {
            Some(words) => self.warn(safe!("sorted by {}; {}", sort.key.name(), words)),
            None => self.inform(safe!("sorted by {}, {}{}", sort.key.name(), direction, first)),
        }
    }
}
