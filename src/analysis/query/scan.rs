//! A query over many packed rows: what they share is asked once, and what cannot hold a text is not read.

use std::ops::Range;
use std::sync::Arc;

use super::find::{Bytes, Finder, Patience, TooLong};
use super::{Condition, Flag, Query, Ranker, any_own_text};
use crate::analysis::audit::{RuleSet, Verdicts};
use crate::analysis::origins::ByOrigin;
use crate::analysis::probed::Probed;
use crate::model::{Block, IdSet, Letters, Named, RowRef, path};

/// What the explorer notes of webhooks, for `is:` and `finding:`, and of destinations, for `probe:`.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    pub marked: Arc<IdSet>,
    pub new: Arc<IdSet>,
    pub changed: Arc<IdSet>,
    pub gone: Arc<IdSet>,
    pub probed: Probed,
    /// What an audit found.
    pub verdicts: Arc<Verdicts>,
}

impl Flags {
    fn has(&self, flag: Flag, row: RowRef<'_>) -> bool {
        let ids = match flag {
            Flag::Marked => &self.marked,
            Flag::New => &self.new,
            Flag::Changed => &self.changed,
            Flag::Gone => &self.gone,
        };
        ids.contains(row.id())
    }

    /// Whether a query finds the same with both.
    pub fn are_same_to(&self, query: &Query, other: &Self) -> bool {
        (!query.asks_for_flags() || self.has_same_ids(other))
            && (!query.asks_for_probes() || self.probed.version() == other.probed.version())
            && (!query.asks_for_findings() || self.verdicts == other.verdicts)
    }

    fn has_same_ids(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.marked, &other.marked)
            && Arc::ptr_eq(&self.new, &other.new)
            && Arc::ptr_eq(&self.changed, &other.changed)
            && Arc::ptr_eq(&self.gone, &other.gone)
    }
}

/// A search that is under way. It remembers what it found out of shared texts, so one serves for all rows.
#[derive(Debug)]
pub struct Scan<'q> {
    query: &'q Query,
    flags: &'q Flags,
    terms: Vec<Vec<Plan<'q>>>,
    ranker: Option<Ranker>,
    /// Many rows of the block that is searched are asked for, from the first to the last.
    is_dense: bool,
}

/// When one row in so many is asked for, all of them are searched in one go.
const DENSE: usize = 8;

/// Hosts with smaller numbers than this are shared by many rows, or came first: of others each row would be asked on its own, and
/// what is known of them would be of no use and much.
const FEW_HOSTS: u32 = 16_384;

/// What is known in advance of a condition.
#[derive(Debug)]
struct Plan<'q> {
    /// Without these in its URL, its id and its events, no row is one of those.
    letters: Letters,
    /// Texts outside ASCII may have them in another guise.
    is_loose: bool,
    /// Having the letters is having the text.
    is_told: bool,
    /// What is looked for in the text of a block, if it can be.
    bytes: Option<Bytes<'q>>,
    sweep: Sweep<'q>,
    /// By the number of a list of events.
    lists: Known<bool>,
    /// By the number of a host.
    hosts: Known<bool>,
    by_origin: ByOrigin<bool>,
}

impl<'q> Scan<'q> {
    pub fn new(query: &'q Query, flags: &'q Flags) -> Self {
        let plans = |term: &'q super::Term| term.any.iter().map(Plan::new).collect();
        let ranker = query.is_ranked().then(|| Ranker::new(query));
        Self { query, flags, terms: query.terms.iter().map(plans).collect(), ranker, is_dense: false }
    }

    /// Turns to a block of which so many rows will be asked for. Whether one of them may be asked for, as far as the letters of
    /// all of them tell.
    pub fn enter(&mut self, block: &Block, rows: usize) -> bool {
        // What is in the JSON between the rows is not searched, and may be much.
        self.is_dense = block.is_plain() && rows.saturating_mul(DENSE) >= block.len();
        self.query
            .terms
            .iter()
            .zip(&self.terms)
            .all(|(term, plans)| term.negated || plans.iter().any(|plan| plan.may_be_in(block.letters())))
    }

    /// Whether the row is asked for, which breaks these rules. What is no webhook matches nothing but the empty query.
    pub fn admits(&mut self, row: RowRef<'q>, found: RuleSet) -> bool {
        if !row.is_webhook() {
            return self.query.is_empty();
        }
        let (flags, is_dense) = (self.flags, self.is_dense);
        self.query.terms.iter().zip(&mut self.terms).all(|(term, plans)| {
            let mut conditions = term.any.iter().zip(plans);
            conditions.any(|(condition, plan)| match condition {
                Condition::Finding(rules) => found.meets(*rules),
                _ => plan.holds(condition, row, flags, is_dense),
            }) != term.negated
        })
    }

    /// How well a row that is asked for matches; 0 without a fuzzy term.
    pub fn score(&mut self, row: RowRef<'_>) -> u32 {
        self.ranker.as_mut().map_or(0, |ranker| ranker.rate(&row))
    }
}

impl<'q> Plan<'q> {
    fn new(condition: &'q Condition) -> Self {
        let finder = match condition {
            Condition::Anywhere(finder)
            | Condition::Url(finder)
            | Condition::Id(finder)
            | Condition::Event(finder)
            | Condition::Path(finder) => Some(finder),
            // What a URL is resolved to may have other letters than the URL.
            _ => None,
        };
        let letters = match condition {
            Condition::Fuzzy(fuzzy) => fuzzy.letter_set(),
            _ => finder.map(Finder::letters).unwrap_or_default(),
        };
        Self {
            letters,
            is_loose: matches!(condition, Condition::Fuzzy(_)),
            is_told: finder.is_some_and(Finder::is_told_by_letters),
            bytes: finder.and_then(Finder::bytes),
            sweep: Sweep::default(),
            lists: Known::default(),
            hosts: Known::default(),
            by_origin: ByOrigin::default(),
        }
    }

    fn holds(&mut self, condition: &Condition, row: RowRef<'q>, flags: &Flags, is_dense: bool) -> bool {
        match condition {
            Condition::Anywhere(finder) => {
                self.of_events(row, |name| finder.is_in(name))
                    || self.may_be_in(row.letters())
                        && (self.is_told
                            || self.is_told_by_host(row, finder)
                            || self
                                .is_at(row, row.place_of_all(), is_dense)
                                .unwrap_or_else(|| any_own_text(&row, |text| finder.is_in(text))))
            }
            Condition::Url(finder) => {
                self.may_be_in(row.letters())
                    && (self.is_told_by_host(row, finder)
                        || self.is_in_text(row, row.places().0, finder, is_dense)
                        || row.place_of_respelled().is_some_and(|place| self.is_in_text(row, place, finder, is_dense)))
            }
            Condition::Id(finder) => self.may_be_in(row.letters()) && self.is_in_text(row, row.places().1, finder, is_dense),
            Condition::Path(finder) => self.may_be_in(row.letters()) && finder.is_in(path(row.url())),
            Condition::Event(finder) => self.of_events(row, |name| finder.is_in(name)),
            Condition::Host(finder) => self.is_in_host(row.host(), finder),
            Condition::Pattern(regex) => {
                self.of_events(row, |name| regex.is_match(name)) || any_own_text(&row, |text| regex.is_match(text))
            }
            Condition::Fuzzy(fuzzy) => {
                self.of_events(row, |name| fuzzy.is_in(name))
                    || self.may_be_in(row.letters()) && any_own_text(&row, |text| fuzzy.is_in(text))
            }
            Condition::Is(flag) => flags.has(*flag, row),
            Condition::Probe(sought) => self.by_origin.of(row, |origin| sought.holds(origin.as_ref(), &flags.probed)),
            Condition::Active(_) | Condition::Created(_) | Condition::Finding(_) => {
                condition.matches(&row, RuleSet::default())
            }
        }
    }

    /// Whether a text of a row has what is looked for.
    fn is_in_text(&mut self, row: RowRef<'q>, place: Range<usize>, finder: &Finder, is_dense: bool) -> bool {
        let text = || row.block().text().get(place.clone()).unwrap_or_default();
        self.is_at(row, place.clone(), is_dense).unwrap_or_else(|| finder.is_in(text()))
    }

    /// Whether what is looked for is at a place in the text of a row's block. `None` when that cannot be told in this way.
    fn is_at(&mut self, row: RowRef<'q>, place: Range<usize>, is_dense: bool) -> Option<bool> {
        let bytes = self.bytes.filter(|bytes| bytes.is_exact() || row.letters().is_ascii())?;
        if is_dense {
            return self.sweep.is_at(bytes, row.block(), place).ok();
        }
        let text = row.block().text().as_bytes().get(place)?;
        Some(bytes.find(text, &mut Patience::with(text.len())).ok()?.is_some())
    }

    /// Whether an event of the row is one of those.
    fn of_events(&mut self, row: RowRef<'_>, is_one: impl Fn(&str) -> bool) -> bool {
        let Some(list) = row.events() else { return false };
        if let Some(known) = self.lists.get(list.number) {
            return known;
        }
        let is_wanted = |event: &Arc<Named>| self.may_be_in(event.letters) && is_one(&event.name);
        let found = self.may_be_in(list.letters) && list.events.iter().any(is_wanted);
        self.lists.set(list.number, found)
    }

    /// Whether the URL of the row has it because its host has. Otherwise what follows the host may have it.
    fn is_told_by_host(&mut self, row: RowRef<'_>, finder: &Finder) -> bool {
        let host = row.host_in_url().filter(|host| host.number < FEW_HOSTS);
        finder.is_part() && self.is_in_host(host, finder)
    }

    fn is_in_host(&mut self, host: Option<&Arc<Named>>, finder: &Finder) -> bool {
        let Some(host) = host else { return false };
        self.hosts.get(host.number).unwrap_or_else(|| self.hosts.set(host.number, finder.is_in(&host.name)))
    }

    fn may_be_in(&self, letters: Letters) -> bool {
        letters.cover(self.letters) || self.is_loose && !letters.is_ascii()
    }
}

/// What was found out of texts that many rows share, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Known<T>(Vec<Option<T>>);

impl<T: Copy> Known<T> {
    pub(super) fn get(&self, number: u32) -> Option<T> {
        self.0.get(number as usize).copied().flatten()
    }

    pub(super) fn set(&mut self, number: u32, found: T) -> T {
        let place = number as usize;
        if self.0.len() <= place {
            self.0.resize(place + 1, None);
        }
        if let Some(known) = self.0.get_mut(place) {
            *known = Some(found);
        }
        found
    }
}

/// A search through the text of a block, for rows that are asked for one behind the other.
#[derive(Debug, Default)]
struct Sweep<'q> {
    block: Option<&'q Block>,
    /// From where on it was searched.
    from: usize,
    /// The first place behind that.
    found: Range<usize>,
    /// What is left for all searches of the block.
    patience: Patience,
    /// The search took too long: it is not begun again for every row.
    is_given_up: bool,
}

impl<'q> Sweep<'q> {
    fn is_at(&mut self, bytes: Bytes<'_>, block: &'q Block, place: Range<usize>) -> Result<bool, TooLong> {
        if !self.block.is_some_and(|last| std::ptr::eq(last, block)) {
            let patience = Patience::with(block.text().len());
            *self = Self { block: Some(block), from: usize::MAX, patience, ..Self::default() };
        }
        if self.is_given_up {
            return Err(TooLong);
        }
        if !(self.from..=self.found.start).contains(&place.start) {
            let text = block.text().as_bytes().get(place.start..).unwrap_or_default();
            let found = bytes.find(text, &mut self.patience);
            self.is_given_up = found.is_err();
            self.found = found?.map_or(usize::MAX..usize::MAX, |found| place.start + found.start..place.start + found.end);
            self.from = place.start;
        }
        Ok(self.found.end <= place.end)
    }
}
