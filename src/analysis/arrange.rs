//! Which rows are shown, and in what order: a filter and a sort over everything that is here, done in the background and never
//! from the beginning when what was found before can be used.

mod order;

use std::sync::Arc;

use self::order::by_score;
use super::audit::RuleSet;
use super::groups::{Grouping, Groups};
use super::query::{Flags, Query, Scan};
use super::rows::{RowNumber, Rows, Segment};
use super::sort::Sort;
use crate::model::{RowRef, Scope};

/// Hits after which the first ones are told of: more than a screen shows.
const FIRST: usize = 256;
/// Pages between two looks at whether anybody still wants to know.
const PAGES_AT_ONCE: usize = 32;
/// Results that are kept to start later ones from, and the rows that they may have together.
const KEPT: usize = 24;
const KEPT_ROWS: usize = 8_000_000;

/// What is to be shown of which rows.
#[derive(Debug, Clone, Default)]
pub struct Question {
    pub rows: Rows,
    pub query: Query,
    /// The scope, when the server does not see to it.
    pub scope: Scope,
    pub flags: Flags,
    pub sort: Option<Sort>,
    /// Also put them into groups.
    pub grouping: Option<Grouping>,
}

/// Rows in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    pub order: Arc<[RowNumber]>,
    /// Whether these are all, and not just the first ones.
    pub is_whole: bool,
    /// The same rows in groups, if that was asked.
    pub groups: Option<Arc<Groups>>,
}

/// Answers questions, and remembers what it found.
#[derive(Debug, Default)]
pub struct Arranger {
    /// The newest last.
    kept: Vec<Found>,
}

/// The hits of a query, in the order of the listing.
#[derive(Debug, Clone)]
struct Found {
    rows: Rows,
    query: Query,
    scope: Scope,
    flags: Flags,
    hits: Arc<[RowNumber]>,
}

/// The rows that are gone and are asked for: the numbers that they had, in their order, and those that they have now.
fn gone(question: &Question) -> Vec<(RowNumber, RowNumber)> {
    let mut scan = Scan::new(&question.query, &question.flags);
    let mut gone: Vec<_> = question
        .rows
        .gone()
        .filter(|(_, gone)| {
            let is_admitted =
                |row: RowRef<'_>| question.scope.admits_state(row.active()) && scan.admits(row, RuleSet::default());
            gone.row().is_some_and(is_admitted)
        })
        .map(|(number, gone)| (gone.former, number))
        .collect();
    gone.sort_unstable();
    gone
}

/// The hits with those that are gone between them, each where it was.
fn in_their_places(hits: &[RowNumber], gone: &[(RowNumber, RowNumber)]) -> Vec<RowNumber> {
    let mut order = Vec::with_capacity(hits.len() + gone.len());
    let mut rest = hits;
    for (before, &(former, number)) in (0..).zip(gone) {
        // Every one that went moved those behind it up by one.
        let (here, behind) = rest.split_at(rest.partition_point(|&hit| hit < former.saturating_sub(before)));
        order.extend_from_slice(here);
        order.push(number);
        rest = behind;
    }
    order.extend_from_slice(rest);
    order
}

impl Arranger {
    /// Answers a question: in two parts when the first screenful is there long before the rest, with `tell` for the first of
    /// them. `None` when `goes_on` says that nobody wants to know any more.
    pub fn answer(
        &mut self,
        question: &Question,
        goes_on: &mut dyn FnMut() -> bool,
        tell: &mut dyn FnMut(Answer),
    ) -> Option<Answer> {
        let is_ranked = question.query.is_ranked();
        let in_order = question.sort.is_none() && !is_ranked;
        let hits = self.find(question, goes_on, &mut |first| {
            if in_order {
                tell(Answer { order: first.into(), is_whole: false, groups: None });
            }
        })?;
        let gone = gone(question);
        let groups = question.grouping.as_ref().map(|grouping| Arc::new(grouping.group(&question.rows, &hits)));
        let with_gone = || hits.iter().copied().chain(gone.iter().map(|&(_, number)| number)).collect::<Vec<_>>();
        let order = match question.sort {
            Some(sort) => sort.rows(&question.rows, &with_gone()).into(),
            None if is_ranked => by_score(question, &with_gone(), goes_on)?.into(),
            None if gone.is_empty() => hits,
            None => in_their_places(&hits, &gone).into(),
        };
        Some(Answer { order, is_whole: true, groups })
    }

    /// The rows that the question is about, in the order of the listing.
    fn find(
        &mut self,
        question: &Question,
        goes_on: &mut dyn FnMut() -> bool,
        tell: &mut dyn FnMut(&[RowNumber]),
    ) -> Option<Arc<[RowNumber]>> {
        let base = self.base(question);
        let is_same = base.as_ref().is_some_and(|base| base.query.narrows(&question.query));
        let mut scan = Scan::new(&question.query, &question.flags);
        let mut hits: Vec<RowNumber> = Vec::new();
        let mut told = false;
        let verdicts = question.query.asks_for_findings().then_some(&question.flags.verdicts);
        let mut admit = |page: u64, segment: &Segment, first: RowNumber, offset: RowNumber, hits: &mut Vec<RowNumber>| {
            let Some(row) = segment.block.row(offset as usize) else { return };
            let found = verdicts.map_or_else(RuleSet::default, |verdicts| {
                verdicts.of_page(question.rows.page_size(), page).at(segment, offset as usize)
            });
            if question.scope.admits_state(row.active()) && scan.admits(row, found) {
                hits.push(first + offset);
            }
        };
        let mut left: &[RowNumber] = base.as_ref().map_or(&[], |base| &base.hits);
        for (count, (page, first, segment)) in question.rows.segments().enumerate() {
            if count % PAGES_AT_ONCE == 0 && !goes_on() {
                return None;
            }
            let stop = first.saturating_add(RowNumber::try_from(segment.rows).unwrap_or(RowNumber::MAX));
            left = left.get(left.partition_point(|&hit| hit < first)..).unwrap_or_default();
            let (before, after) = left.split_at(left.partition_point(|&hit| hit < stop));
            left = after;
            let known = base.as_ref().and_then(|base| base.rows.segment(page));
            if known.is_some_and(|known| known.is_same(segment)) {
                if is_same {
                    hits.extend_from_slice(before);
                } else {
                    for &hit in before {
                        admit(page, segment, first, hit - first, &mut hits);
                    }
                }
            } else {
                for offset in 0..stop - first {
                    admit(page, segment, first, offset, &mut hits);
                }
            }
            if !told && hits.len() >= FIRST {
                told = true;
                tell(&hits);
            }
        }
        let hits: Arc<[RowNumber]> = hits.into();
        self.keep(question, &hits);
        Some(hits)
    }

    /// The earlier result with the fewest hits that has all that the question asks for.
    fn base(&self, question: &Question) -> Option<Found> {
        let usable = self.kept.iter().filter(|found| {
            found.rows.page_size() == question.rows.page_size()
                && found.scope == question.scope
                && found.flags.are_same_to(&found.query, &question.flags)
                && question.query.narrows(&found.query)
        });
        usable.min_by_key(|found| found.hits.len()).cloned()
    }

    fn keep(&mut self, question: &Question, hits: &Arc<[RowNumber]>) {
        let Question { rows, query, scope, flags, .. } = question.clone();
        // What was found in older rows serves no more once it was found in these.
        self.kept.retain(|found| !(found.query.narrows(&query) && query.narrows(&found.query)));
        self.kept.push(Found { rows, query, scope, flags, hits: Arc::clone(hits) });
        let mut room = KEPT_ROWS;
        let mut newest = 0;
        for found in self.kept.iter().rev().take(KEPT) {
            room = room.saturating_sub(found.hits.len());
            newest += usize::from(room > 0);
        }
        self.kept.drain(..self.kept.len().saturating_sub(newest.max(1)));
    }
}
