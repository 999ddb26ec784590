//! The rows to show and their order: a filter and a sort over all rows that are loaded. Start with
//! [`FilterSortRequest::run`]. Each request is answered from the beginning; the explorer does so on a background thread.

mod order;
mod request;
mod row_filter;

use std::sync::Arc;

pub use self::request::{FilterSortRequest, FilterSortResult};
use self::row_filter::{MatchedRows, RowFilter, matching_rows, orders_by_score};
use super::IsNeeded;
use super::audit::RuleSet;
use crate::model::RowNumber;

impl FilterSortRequest {
    /// Filters, sorts and groups the rows; `None` when they are no longer needed. `report` is called with the first rows of
    /// a long result, if their order is that of the listing.
    pub fn run(&self, is_needed: IsNeeded<'_>, report: &mut dyn FnMut(FilterSortResult)) -> Option<FilterSortResult> {
        let by_score = orders_by_score(self);
        let in_order = self.sort.is_none() && !by_score;
        let MatchedRows { rows, mut scores } = matching_rows(self, is_needed, &mut |first| {
            if in_order {
                report(FilterSortResult { order: first.into(), is_whole: false, groups: None });
            }
        })?;
        let (gone, of_gone) = self.gone();
        scores.extend(of_gone);
        let groups = self.grouping.as_ref().map(|grouping| Arc::new(grouping.group(&self.rows, &rows)));
        let order = if in_order {
            with_gone_in_place(rows, &gone)
        } else {
            let mut all = rows;
            all.extend(gone.iter().map(|&(_, number)| number));
            self.sort.map_or_else(|| by_descending_score(&all, &scores), |sort| sort.rows(&self.rows, &all))
        };
        Some(FilterSortResult { order: order.into(), is_whole: true, groups })
    }

    /// The removed rows that match, as pairs of their former and their present numbers, and the scores.
    fn gone(&self) -> (Vec<(RowNumber, RowNumber)>, Vec<u32>) {
        let mut gone: Vec<_> =
            self.rows.removed().map(|(number, removed)| (removed.former, number, removed.row.row())).collect();
        gone.sort_unstable_by_key(|&(former, number, _)| (former, number));
        let mut filter = RowFilter::new(self);
        gone.retain(|&(_, number, row)| filter.take(number, row, RuleSet::default()));
        (gone.into_iter().map(|(former, number, _)| (former, number)).collect(), filter.matched.scores)
    }
}

/// Inserts removed rows among the others, at their former places.
fn with_gone_in_place(rows: Vec<RowNumber>, gone: &[(RowNumber, RowNumber)]) -> Vec<RowNumber> {
    if gone.is_empty() {
        return rows;
    }
    let mut order = Vec::with_capacity(rows.len() + gone.len());
    let mut rest = &*rows;
    for (before, &(former, number)) in (0..).zip(gone) {
        // Each removed row shifted the rows after it up by one.
        let (here, behind) = rest.split_at(rest.partition_point(|&row| row < former.saturating_sub(before)));
        order.extend_from_slice(here);
        order.push(number);
        rest = behind;
    }
    order.extend_from_slice(rest);
    order
}

/// Sorts the best matches first, equal ones by their numbers.
fn by_descending_score(rows: &[RowNumber], scores: &[u32]) -> Vec<RowNumber> {
    let mut rated: Vec<_> = rows.iter().zip(scores).map(|(&row, &score)| (!score, row)).collect();
    rated.sort_unstable();
    rated.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::row_filter::tests::{listing, request, row};
    use super::*;
    use crate::analysis::sort::{Sort, SortKey};

    fn run(request: &FilterSortRequest) -> Vec<RowNumber> {
        request.run(&|| true, &mut |_| {}).unwrap().order.to_vec()
    }

    #[test]
    fn the_best_matches_come_first_unless_a_sort_is_asked_for() {
        let urls = ["https://a.test/cxrxm", "https://b.test/crm", "https://c.test/x", "https://a.test/crm"];
        let rows = (0..).zip(urls).map(|(id, url)| row(url, id, "e", true, true)).collect::<Vec<_>>();
        let ranked = request(&listing(&rows, 3), "~crm");
        assert_eq!(run(&ranked), [1, 3, 0]);
        let by_url = Sort { key: SortKey::Url, descending: false };
        assert_eq!(run(&FilterSortRequest { sort: Some(by_url), ..ranked }), [3, 0, 1]);
    }

    #[test]
    fn the_first_rows_are_reported_before_the_others_if_they_stay_the_first() {
        let rows: Vec<_> = (0..1_000).map(|id| row("https://x.test/", id, "e", true, true)).collect();
        let listing = listing(&rows, 1);
        let reports = |request: &FilterSortRequest| {
            let mut reports = Vec::new();
            request.run(&|| true, &mut |first| reports.push((first.order.len() < 1_000, first.is_whole))).unwrap();
            reports
        };
        let plain = request(&listing, "x");
        assert_eq!(reports(&plain), [(true, false)]);
        assert_eq!(reports(&request(&listing, "~x")), []);
        let sort = Some(Sort { key: SortKey::Id, descending: true });
        assert_eq!(reports(&FilterSortRequest { sort, ..plain }), []);
    }
}
