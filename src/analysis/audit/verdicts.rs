//! What an audit found in rows that are looked at one by one: a few bytes a row, and no message until somebody wants to read it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::candidate::with_item;
use super::{Audit, Check, Item, RULES, Rule, RuleSet, Severity, enumerate};
use crate::base::text::{Safe, grouped};
use crate::model::RowRef;
use crate::model::{RowNumber, Rows, Segment};
use crate::safe;

/// Messages about several webhooks that are kept; the others are told in the words of the rule.
const MAX_MESSAGES: usize = 20_000;
/// Webhooks of one finding that are named beside another, and those that are looked at for that.
const MAX_NAMED: usize = 5;
const MAX_LOOKED_AT: usize = 100;

/// What is known of rows.
#[derive(Debug, Clone, Default)]
pub struct Verdicts {
    /// Told apart by their numbers: no two have the same.
    pub(super) number: u64,
    pub(super) page_size: u64,
    pub(super) pages: BTreeMap<u64, Judged>,
    pub(super) together: Arc<[Together]>,
    pub(super) said: Arc<[Said]>,
    /// The rules that were run, with their severities, in the order of [`RULES`].
    pub(super) rules: Arc<[(&'static Rule, Severity)]>,
    /// Findings that were accepted.
    pub(super) accepted: u64,
    /// Whether the rules that look at all rows have looked at these.
    pub(super) is_whole: bool,
    pub(super) work: Work,
}

/// What had to be done for the verdicts, in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Judged by the rules that look at one webhook.
    pub judged: u64,
    /// Seen by the rules that look at all of them.
    pub gathered: u64,
}

/// One page.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) segment: Segment,
    /// What the rules say that look at one webhook.
    pub(super) alone: Arc<[RuleSet]>,
    /// The same, and what those say that look at all of them.
    pub(super) all: Arc<[RuleSet]>,
    pub(super) accepted: u32,
}

/// The findings of a rule that are about several webhooks together. Each webhook is in one at most.
#[derive(Debug)]
pub(super) struct Together {
    place: usize,
    /// Where each finding starts in `members`.
    starts: Vec<u32>,
    members: Vec<RowNumber>,
    /// Places in `members`, in the order of the numbers there.
    by_number: Vec<u32>,
    messages: Vec<Safe>,
}

/// A finding that is about no webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub rule: &'static Rule,
    pub message: Safe,
}

/// A finding, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub rule: &'static Rule,
    pub severity: Severity,
    pub message: Safe,
}

impl PartialEq for Verdicts {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Verdicts {}

impl Judged {
    /// The rules that a row breaks, if it is as it was when it was judged.
    pub(super) fn find(&self, segment: &Segment, offset: usize) -> Option<RuleSet> {
        let set = self.all.get(offset).copied()?;
        if self.segment.is_same(segment) {
            return Some(set);
        }
        let (before, now) = (self.segment.page.row(offset)?, segment.page.row(offset)?);
        before.is_same(now).then_some(set)
    }
}

impl Verdicts {
    /// The rules that a row breaks; `None` when it was not judged yet.
    pub fn at(&self, rows: &Rows, number: u64) -> Option<RuleSet> {
        if rows.page_size() != self.page_size || rows.is_removed(number) {
            return None;
        }
        let page = (number / self.page_size.max(1)).saturating_add(1);
        let offset = usize::try_from(number % self.page_size.max(1)).ok()?;
        let segment = rows.segment(page).filter(|segment| offset < segment.rows)?;
        self.pages.get(&page)?.find(segment, offset)
    }

    /// The same for the rows of a page.
    pub fn of_page(&self, page_size: u64, page: u64) -> OfPage<'_> {
        OfPage(if page_size == self.page_size { self.pages.get(&page) } else { None })
    }

    /// For rows that are asked for one after the other.
    pub fn reader<'v>(&'v self, rows: &'v Rows) -> Reader<'v> {
        Reader { verdicts: self, rows, page: 0, found: None }
    }

    /// Whether these are the rows that were judged.
    pub fn has_page(&self, page: u64, segment: &Segment) -> bool {
        self.pages.get(&page).is_some_and(|judged| judged.segment.is_same(segment))
    }

    /// Of the question that this answers: no two have the same.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether every rule has looked at all rows that were here.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The rules that were run, with their severities here, in the order of [`RULES`].
    pub fn rules(&self) -> &[(&'static Rule, Severity)] {
        &self.rules
    }

    /// The findings that are about no webhook.
    pub fn said(&self) -> &[Said] {
        &self.said
    }

    /// Findings that are accepted, and in no count.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// What had to be done for these verdicts, beyond those before.
    pub fn work(&self) -> Work {
        self.work
    }

    fn joint(&self, rule: &Rule) -> Option<&Together> {
        self.together.iter().find(|of| RULES.get(of.place) == Some(rule))
    }

    /// The rows of a rule, when several webhooks make one finding: those of one stand together.
    pub fn joint_numbers(&self, rule: &Rule) -> Option<impl Iterator<Item = RowNumber>> {
        Some(self.joint(rule)?.members.iter().copied())
    }

    /// Which finding of such a rule a row is in, counted from 0.
    pub fn joint_finding(&self, rule: &Rule, number: RowNumber) -> Option<u32> {
        self.joint(rule)?.finding_of(number).and_then(|finding| u32::try_from(finding).ok())
    }

    /// What is wrong with a row, in words: the worst first.
    pub fn explain(&self, audit: &Audit, rows: &Rows, number: u64) -> Vec<Told> {
        let Some(set) = self.at(rows, number).filter(|set| !set.is_empty()) else { return Vec::new() };
        let Some((row, number)) = rows.row(number).zip(RowNumber::try_from(number).ok()) else { return Vec::new() };
        let mut told = Vec::new();
        with_item(number, row, &mut |item| {
            for chosen in audit.chosen.iter().filter(|chosen| set.has(chosen.place)) {
                let message = match (&item, chosen.rule.check) {
                    (Item::Malformed(_, reason), Check::Malformed) => Some(reason.explain().into()),
                    (Item::Webhook(webhook), Check::Webhook(_) | Check::Facts(..)) => chosen.check(webhook, &audit.basis),
                    (Item::Webhook(_), Check::Workspace(_)) => self.joint_message(chosen.place, rows, number),
                    _ => None,
                };
                let message = message.unwrap_or_else(|| chosen.rule.about.into());
                told.push(Told { rule: chosen.rule, severity: chosen.severity, message });
            }
        });
        told.sort_by_key(|told| std::cmp::Reverse(told.severity));
        told
    }

    /// What is said of several webhooks together, and which ones these are besides one of them.
    fn joint_message(&self, place: usize, rows: &Rows, number: RowNumber) -> Option<Safe> {
        let of = self.together.iter().find(|of| of.place == place)?;
        let (members, message) = of.find(number)?;
        let message = message.cloned().unwrap_or_else(|| RULES.get(place).map_or(Safe::default(), |rule| rule.about.into()));
        // A finding may be about all of a million webhooks.
        let is_other =
            |member: &RowNumber| *member != number && self.at(rows, (*member).into()).is_some_and(|set| set.has(place));
        let near = members.iter().take(MAX_LOOKED_AT).copied().filter(is_other);
        let named: Vec<_> = near.filter_map(|member| rows.row(member.into())).map(RowRef::id).take(MAX_NAMED).collect();
        if named.is_empty() {
            return Some(message);
        }
        let more = match members.len().saturating_sub(1 + named.len()) {
            0 => Safe::default(),
            more => safe!(" and {} more", grouped(more as u64)),
        };
        Some(safe!("{}: also {}{}", message, enumerate(named.into_iter()), more))
    }
}

/// What is known of the rows of one page.
#[derive(Debug, Clone, Copy)]
pub struct OfPage<'v>(Option<&'v Judged>);

impl OfPage<'_> {
    /// The rules that a row of the page breaks, as far as it was judged.
    pub fn at(self, segment: &Segment, offset: usize) -> RuleSet {
        self.0.and_then(|judged| judged.find(segment, offset)).unwrap_or_default()
    }
}

/// Verdicts of rows by their numbers, which finds those of one page without another search.
#[derive(Debug)]
pub struct Reader<'v> {
    verdicts: &'v Verdicts,
    rows: &'v Rows,
    /// The page of the last row, and what is known of it.
    page: u64,
    found: Option<(&'v Segment, &'v Judged)>,
}

impl Reader<'_> {
    /// The rules that a row breaks, as far as it was judged. A row that is gone breaks none.
    pub fn at(&mut self, number: RowNumber) -> RuleSet {
        let number = u64::from(number);
        if self.rows.is_removed(number) || self.rows.page_size() != self.verdicts.page_size {
            return RuleSet::default();
        }
        let size = self.rows.page_size();
        let page = number / size + 1;
        if self.page != page {
            self.page = page;
            self.found = self.rows.segment(page).zip(self.verdicts.pages.get(&page));
        }
        let Some((segment, judged)) = self.found else { return RuleSet::default() };
        let offset = usize::try_from(number % size).unwrap_or(usize::MAX);
        if offset < segment.rows { judged.find(segment, offset).unwrap_or_default() } else { RuleSet::default() }
    }
}

impl Together {
    pub(super) fn new(place: usize) -> Self {
        Self { place, starts: Vec::new(), members: Vec::new(), by_number: Vec::new(), messages: Vec::new() }
    }

    pub(super) fn place(&self) -> usize {
        self.place
    }

    pub(super) fn add(&mut self, webhooks: &[u32], message: Safe) {
        self.starts.push(u32::try_from(self.members.len()).unwrap_or(u32::MAX));
        self.members.extend_from_slice(webhooks);
        if self.messages.len() < MAX_MESSAGES {
            self.messages.push(message);
        }
    }

    pub(super) fn close(&mut self) {
        let members = &self.members;
        self.by_number = (0..u32::try_from(members.len()).unwrap_or(u32::MAX)).collect();
        self.by_number.sort_unstable_by_key(|&place| members.get(place as usize).copied());
        self.starts.shrink_to_fit();
        self.members.shrink_to_fit();
    }

    /// The webhooks that a finding is about, in their order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = RowNumber> {
        self.by_number.iter().filter_map(|&place| self.members.get(place as usize).copied())
    }

    /// The place of the finding that a webhook is in.
    fn finding_of(&self, number: RowNumber) -> Option<usize> {
        let member = |&place: &u32| self.members.get(place as usize).copied();
        let found = self.by_number.binary_search_by_key(&Some(number), member).ok()?;
        let place = *self.by_number.get(found)?;
        self.starts.partition_point(|&start| start <= place).checked_sub(1)
    }

    /// The finding that a webhook is in: all webhooks of it, and the message if that is kept.
    fn find(&self, number: RowNumber) -> Option<(&[RowNumber], Option<&Safe>)> {
        let finding = self.finding_of(number)?;
        let start = *self.starts.get(finding)? as usize;
        let stop = self.starts.get(finding + 1).map_or(self.members.len(), |&stop| stop as usize);
        Some((self.members.get(start..stop)?, self.messages.get(finding)))
    }
}
