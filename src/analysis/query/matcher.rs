//! Matches packed rows against a query. Start with [`Matcher`]; [`Ranker`] rates the matches of a query with a `~word`.

use std::ops::Range;
use std::sync::Arc;

use nucleo_matcher::Config;

use super::condition::{Condition, RowFlag};
use super::fuzzy::letters;
use super::needle::Needle;
use super::parsed::Query;
use crate::analysis::audit::{FindingsIndex, RuleSet};
use crate::analysis::origins::ByOrigin;
use crate::analysis::probed::Probed;
use crate::model::{IdSet, RowPage, RowRef, SharedName, path};

/// Facts about webhooks besides their fields, for `is:`, `finding:` and `probe:`.
#[derive(Debug, Clone, Default)]
pub struct FilterFacts {
    pub marked: Arc<IdSet>,
    pub new: Arc<IdSet>,
    pub changed: Arc<IdSet>,
    pub gone: Arc<IdSet>,
    pub probed: Probed,
    /// The findings of an audit.
    pub findings: Arc<FindingsIndex>,
}

impl FilterFacts {
    fn has(&self, flag: RowFlag, row: RowRef<'_>) -> bool {
        let ids = match flag {
            RowFlag::Marked => &self.marked,
            RowFlag::New => &self.new,
            RowFlag::Changed => &self.changed,
            RowFlag::Gone => &self.gone,
        };
        ids.contains(row.id())
    }
}

/// Matches rows against a query. It remembers the result for event lists and hosts that rows share, so use one for many
/// rows.
#[derive(Debug)]
pub struct Matcher<'q> {
    query: &'q Query,
    facts: &'q FilterFacts,
    /// The progress of each condition, by term.
    terms: Vec<Vec<ConditionState>>,
    texts: PageTexts<'q>,
}

impl<'q> Matcher<'q> {
    pub fn new(query: &'q Query, facts: &'q FilterFacts) -> Self {
        let states = |conditions: &[Condition]| conditions.iter().map(|_| ConditionState::default()).collect();
        let terms: Vec<Vec<_>> = query.terms.iter().map(|term| states(&term.any)).collect();
        let searches_any_case = query.terms.iter().flat_map(|term| &term.any).any(|condition| match condition {
            Condition::Anywhere(needle) | Condition::Url(needle) | Condition::Id(needle) => needle.ignores_case(),
            _ => false,
        });
        Self { query, facts, terms, texts: PageTexts { searches_any_case, ..PageTexts::default() } }
    }

    /// Prepares for many rows of a page, in their order. A single row of any page can be matched without this.
    pub fn enter(&mut self, page: &'q RowPage) {
        self.texts.enter(page);
        for state in self.terms.iter_mut().flatten() {
            state.sweep = Sweep::default();
        }
    }

    /// Matches a row with these findings. A malformed row matches only the empty query.
    pub fn matches(&mut self, row: RowRef<'q>, findings: RuleSet) -> bool {
        if !row.is_webhook() {
            return self.query.is_empty();
        }
        let Self { query, facts, terms, texts } = self;
        query.terms.iter().zip(terms).all(|(term, states)| {
            let mut conditions = term.any.iter().zip(states);
            conditions.any(|(condition, state)| state.matches(condition, row, findings, facts, texts)) != term.negated
        })
    }
}

impl Query {
    /// Matches a single row without findings. [`Matcher`] is faster for many.
    pub fn matches(&self, row: RowRef<'_>) -> bool {
        self.matches_found(row, RuleSet::default())
    }

    /// Matches a single row with these findings.
    pub fn matches_found(&self, row: RowRef<'_>, findings: RuleSet) -> bool {
        self.is_empty() || Matcher::new(self, &FilterFacts::default()).matches(row, findings)
    }
}

/// The text of the page that is searched, and scratch space.
#[derive(Debug, Default)]
struct PageTexts<'q> {
    page: Option<&'q RowPage>,
    /// A condition searches in any case, so that the page is needed in lower case.
    searches_any_case: bool,
    /// The page with its ASCII letters in lower case: every text is at the same place as in the page.
    lower: String,
    is_ascii: bool,
    buffer: String,
}

impl<'q> PageTexts<'q> {
    fn enter(&mut self, page: &'q RowPage) {
        self.page = Some(page);
        if self.searches_any_case {
            self.lower.clear();
            self.lower.push_str(page.text());
            self.lower.make_ascii_lowercase();
            self.is_ascii = self.lower.is_ascii();
        }
    }

    /// Searches the text of a row at this place of its page.
    fn has(&mut self, needle: &Needle, row: RowRef<'_>, place: Range<usize>, sweep: &mut Sweep) -> bool {
        let page = row.page().text();
        let text = || page.get(place.clone()).unwrap_or_default();
        if needle.fits_one_line() && self.page.is_some_and(|entered| std::ptr::eq(entered, row.page())) {
            let page = if needle.ignores_case() { &self.lower } else { page };
            if sweep.is_in(needle, page.as_bytes(), &place) {
                return true;
            }
            // Some letters outside ASCII are other cases of letters within.
            if !needle.ignores_case() || self.is_ascii || text().is_ascii() {
                return false;
            }
        }
        needle.is_in(text(), &mut self.buffer)
    }
}

/// The progress of one condition through the rows.
#[derive(Debug, Default)]
struct ConditionState {
    sweep: Sweep,
    /// By the number of an event list.
    event_lists: KnownAnswers,
    /// By the number of a host.
    hosts: KnownAnswers,
    origins: ByOrigin<bool>,
}

impl ConditionState {
    fn matches(
        &mut self,
        condition: &Condition,
        row: RowRef<'_>,
        findings: RuleSet,
        facts: &FilterFacts,
        texts: &mut PageTexts<'_>,
    ) -> bool {
        match condition {
            Condition::Anywhere(needle) => {
                self.any_event(row, |name| needle.is_in(name, &mut texts.buffer)) || {
                    let (url, id) = row.places();
                    let mut places = [url, id].into_iter().chain(row.place_of_respelled());
                    places.any(|place| texts.has(needle, row, place, &mut self.sweep))
                }
            }
            Condition::Url(needle) => {
                let mut places = [row.places().0].into_iter().chain(row.place_of_respelled());
                places.any(|place| texts.has(needle, row, place, &mut self.sweep))
            }
            Condition::Id(needle) => texts.has(needle, row, row.places().1, &mut self.sweep),
            Condition::Event(needle) => self.any_event(row, |name| needle.is_in(name, &mut texts.buffer)),
            Condition::Host(needle) => self.host(row, |name| needle.is_in(name, &mut texts.buffer)),
            Condition::Path(needle) => needle.is_in(path(row.url()), &mut texts.buffer),
            Condition::Active(wanted) => row.active() == Some(*wanted),
            Condition::Created(range) => row.created_at().is_some_and(|at| range.contains(at)),
            Condition::Pattern(regex) => {
                self.any_event(row, |name| regex.is_match(name)) || own_texts(row).any(|text| regex.is_match(text))
            }
            Condition::Fuzzy(fuzzy) => {
                self.any_event(row, |name| fuzzy.is_in(name)) || own_texts(row).any(|text| fuzzy.is_in(text))
            }
            Condition::Is(flag) => facts.has(*flag, row),
            Condition::Probe(sought) => self.origins.of(row, |origin| sought.holds(origin.as_ref(), &facts.probed)),
            Condition::Finding(rules) => findings.meets(*rules),
        }
    }

    fn any_event(&mut self, row: RowRef<'_>, mut is_match: impl FnMut(&str) -> bool) -> bool {
        row.events().is_some_and(|list| {
            self.event_lists.get_or_find(list.number, || list.events.iter().any(|event| is_match(&event.name)))
        })
    }

    fn host(&mut self, row: RowRef<'_>, is_match: impl FnOnce(&str) -> bool) -> bool {
        row.host().is_some_and(|host: &Arc<SharedName>| self.hosts.get_or_find(host.number, || is_match(&host.name)))
    }
}

/// The URL and the id of a row, and the other spelling of its URL.
fn own_texts(row: RowRef<'_>) -> impl Iterator<Item = &str> {
    [row.url(), row.id()].into_iter().chain(row.respelled_url())
}

/// A forward search through the text of a page, for rows that are asked about in their order: each byte is read about once.
#[derive(Debug, Default)]
struct Sweep {
    /// The search began here.
    from: usize,
    /// The first match from there on, or the end of all texts; `None` before the first search.
    found: Option<Range<usize>>,
}

impl Sweep {
    fn is_in(&mut self, needle: &Needle, page: &[u8], place: &Range<usize>) -> bool {
        let known = self.found.take().filter(|found| (self.from..=found.start).contains(&place.start));
        let found = known.unwrap_or_else(|| {
            self.from = place.start;
            needle.find_folded(page, place.start).unwrap_or(usize::MAX..usize::MAX)
        });
        let is_in = found.end <= place.end;
        self.found = Some(found);
        is_in
    }
}

/// Answers about texts that many rows share, by the numbers of the texts.
#[derive(Debug, Default)]
struct KnownAnswers(Vec<Option<bool>>);

impl KnownAnswers {
    fn get_or_find(&mut self, number: u32, find: impl FnOnce() -> bool) -> bool {
        let place = number as usize;
        if let Some(known) = self.0.get(place).copied().flatten() {
            return known;
        }
        if self.0.len() <= place {
            self.0.resize(place + 1, None);
        }
        let found = find();
        if let Some(known) = self.0.get_mut(place) {
            *known = Some(found);
        }
        found
    }
}

/// Rates the rows that a query matches. It owns the working memory of the rating, about 135 KiB: use one for many rows.
#[derive(Debug)]
pub struct Ranker<'q> {
    query: &'q Query,
    matcher: nucleo_matcher::Matcher,
    letters: Vec<char>,
}

impl<'q> Ranker<'q> {
    pub fn new(query: &'q Query) -> Self {
        Self { query, matcher: nucleo_matcher::Matcher::new(Config::DEFAULT), letters: Vec::new() }
    }

    /// The score of a row that matches, the more the better. Each fuzzy term adds the score of its best match; other terms
    /// add nothing.
    pub fn score(&mut self, row: RowRef<'_>) -> u32 {
        let Self { query, matcher, letters: buffer } = self;
        let names = || row.events().into_iter().flat_map(|list| list.events.iter().map(|event| &*event.name));
        let mut total = 0_u32;
        for term in query.terms.iter().filter(|term| !term.negated) {
            let mut best = 0;
            for condition in &term.any {
                let Condition::Fuzzy(fuzzy) = condition else { continue };
                for text in own_texts(row).chain(names()) {
                    best = best.max(fuzzy.score(letters(text, buffer), matcher).unwrap_or(0));
                }
            }
            total = total.saturating_add(best.into());
        }
        total
    }
}
