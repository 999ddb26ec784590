//! The findings of the explorer: a few bytes for each row, and no message until one is shown.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::engine::{Audit, EnabledRule};
use super::input::AuditInput;
use super::message::enumerate;
use super::rule::{Rule, Severity};
use super::rule_set::RuleSet;
use super::rules::RULES;
use crate::base::text::{Safe, grouped};
use crate::model::{RowNumber, RowRef, Rows, Segment};
use crate::safe;

/// The most messages about several webhooks to keep; later ones are replaced by the description of the rule.
const MAX_MESSAGES: usize = 20_000;
/// The most webhooks of the same finding to name, and to look at for that.
const MAX_NAMED: usize = 5;
const MAX_SEARCHED: usize = 100;

/// The findings about the rows of a listing.
#[derive(Debug, Clone, Default)]
pub struct FindingsIndex {
    /// The number of the request that this answers. No two indexes have the same.
    pub(super) number: u64,
    pub(super) page_size: u64,
    pub(super) pages: BTreeMap<u64, PageFindings>,
    /// One for each rule whose findings are about several webhooks.
    pub(super) joint: Arc<[JointFindings]>,
    pub(super) of_workspace: Arc<[WorkspaceFinding]>,
    /// The rules that were run, with their severities, in the order of [`RULES`].
    pub(super) rules: Arc<[(&'static Rule, Severity)]>,
    pub(super) waived: u64,
    pub(super) is_whole: bool,
    pub(super) work: AuditWork,
}

/// The work of one request, in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuditWork {
    /// Rows checked by the rules that look at single rows.
    pub checked: u64,
    /// Rows seen by the rules that look at all of them.
    pub gathered: u64,
}

/// The findings about the rows of one page.
#[derive(Debug, Clone)]
pub(super) struct PageFindings {
    /// The rows that were checked.
    pub(super) segment: Segment,
    pub(super) sets: Arc<[RuleSet]>,
    /// The number of waived findings about single rows.
    pub(super) waived: u32,
}

/// The findings of a rule that are about several webhooks together. Each webhook is in one at most.
#[derive(Debug)]
pub(super) struct JointFindings {
    /// The index of the rule in [`RULES`].
    pub(super) rule: usize,
    /// The index in `members` at which each finding starts.
    starts: Vec<u32>,
    members: Vec<RowNumber>,
    /// Indexes in `members`, sorted by row number.
    by_number: Vec<u32>,
    messages: Vec<Safe>,
}

/// A finding about no particular webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceFinding {
    pub rule: &'static Rule,
    pub message: Safe,
}

/// A finding in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingText {
    pub rule: &'static Rule,
    pub severity: Severity,
    pub message: Safe,
}

impl PartialEq for FindingsIndex {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for FindingsIndex {}

impl PageFindings {
    /// The rules that a row breaks, if it is as it was when it was checked.
    pub(super) fn find(&self, segment: &Segment, offset: usize) -> Option<RuleSet> {
        let set = self.sets.get(offset).copied()?;
        if self.segment.is_same(segment) {
            return Some(set);
        }
        let (before, now) = (self.segment.page.row(offset)?, segment.page.row(offset)?);
        before.is_same(now).then_some(set)
    }
}

impl FindingsIndex {
    /// The rules that a row breaks; `None` if it was not checked yet.
    pub fn at(&self, rows: &Rows, number: u64) -> Option<RuleSet> {
        self.reader(rows).find(RowNumber::try_from(number).ok()?)
    }

    /// For many rows, which are looked up one after the other.
    pub fn reader<'i>(&'i self, rows: &'i Rows) -> FindingsReader<'i> {
        FindingsReader { index: self, rows, page: 0, found: None }
    }

    /// Returns true if these rows of a page were checked.
    pub fn has_page(&self, page: u64, segment: &Segment) -> bool {
        self.pages.get(&page).is_some_and(|checked| checked.segment.is_same(segment))
    }

    /// The number of the request that this answers. No two indexes have the same.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns true if every rule was applied to all rows.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The rules that were run, with their severities here, in the order of [`RULES`].
    pub fn rules(&self) -> &[(&'static Rule, Severity)] {
        &self.rules
    }

    /// The findings about no particular webhook.
    pub fn of_workspace(&self) -> &[WorkspaceFinding] {
        &self.of_workspace
    }

    /// The number of waived findings, which are in no other count.
    pub fn waived(&self) -> u64 {
        self.waived
    }

    /// The work that was done for this index, beyond earlier ones.
    pub fn work(&self) -> AuditWork {
        self.work
    }

    /// Returns true if the rows of a page were not checked yet. Rows that were loaded again unchanged count as checked.
    pub(super) fn is_changed(&mut self, page: u64, segment: &Segment) -> bool {
        let Some(checked) = self.pages.get_mut(&page) else { return true };
        if !checked.segment.is_same(segment) {
            let rows = || checked.segment.iter().zip(segment.iter());
            if checked.segment.rows != segment.rows || !rows().all(|(before, now)| before.is_same(now)) {
                return true;
            }
            checked.segment = segment.clone();
        }
        false
    }

    fn joint(&self, rule: &Rule) -> Option<&JointFindings> {
        self.joint.iter().find(|joint| RULES.get(joint.rule) == Some(rule))
    }

    /// The rows of a rule whose findings are about several webhooks; those of one finding are consecutive.
    pub fn joint_numbers(&self, rule: &Rule) -> Option<impl Iterator<Item = RowNumber>> {
        Some(self.joint(rule)?.members.iter().copied())
    }

    /// The index of the finding of such a rule that a row is in.
    pub fn joint_finding(&self, rule: &Rule, number: RowNumber) -> Option<u32> {
        self.joint(rule)?.finding_of(number).and_then(|finding| u32::try_from(finding).ok())
    }

    /// The findings about a row in words, the worst first.
    pub fn explain(&self, audit: &Audit, rows: &Rows, number: u64) -> Vec<FindingText> {
        let Some(set) = self.at(rows, number).filter(|set| !set.is_empty()) else { return Vec::new() };
        let Some((row, number)) = rows.row(number).zip(RowNumber::try_from(number).ok()) else { return Vec::new() };
        let input = AuditInput::new(number, row);
        let text = |enabled: &EnabledRule| {
            let rule = enabled.rule;
            // The number of a malformed row is beside the message.
            let malformed = || row.malformed().map(|reason| reason.explain().into());
            let message = malformed()
                .or_else(|| enabled.check(&input, &audit.context))
                .or_else(|| self.joint_message(rule, rows, number))
                .unwrap_or_else(|| rule.about.into());
            FindingText { rule, severity: enabled.severity, message }
        };
        let mut texts: Vec<_> = audit.enabled.iter().filter(|enabled| set.has(enabled.index)).map(text).collect();
        texts.sort_by_key(|text| Reverse(text.severity));
        texts
    }

    /// The message about several webhooks, and the others besides one of them.
    fn joint_message(&self, rule: &Rule, rows: &Rows, number: RowNumber) -> Option<Safe> {
        let (members, message) = self.joint(rule)?.find(number)?;
        let message = message.cloned().unwrap_or_else(|| rule.about.into());
        // A finding may be about all of a million webhooks.
        let is_other = |member: &RowNumber| {
            *member != number && self.at(rows, (*member).into()).is_some_and(|set| set.meets(RuleSet::of(rule)))
        };
        let near = members.iter().take(MAX_SEARCHED).copied().filter(is_other);
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

/// Looks up rows by number; for rows of one page after another without a new search.
#[derive(Debug)]
pub struct FindingsReader<'i> {
    index: &'i FindingsIndex,
    rows: &'i Rows,
    /// The page of the last row, and the findings about it.
    page: u64,
    found: Option<(&'i Segment, &'i PageFindings)>,
}

impl FindingsReader<'_> {
    /// The rules that a row breaks; `None` if it was not checked yet. A removed row is never checked.
    pub fn find(&mut self, number: RowNumber) -> Option<RuleSet> {
        let number = u64::from(number);
        let size = self.rows.page_size();
        if self.rows.is_removed(number) || size != self.index.page_size {
            return None;
        }
        let page = number / size + 1;
        if self.page != page {
            self.page = page;
            self.found = self.rows.segment(page).zip(self.index.pages.get(&page));
        }
        let (segment, checked) = self.found?;
        let offset = usize::try_from(number % size).ok().filter(|&offset| offset < segment.rows)?;
        checked.find(segment, offset)
    }
}

impl JointFindings {
    pub(super) fn new(rule: usize) -> Self {
        Self { rule, starts: Vec::new(), members: Vec::new(), by_number: Vec::new(), messages: Vec::new() }
    }

    pub(super) fn add(&mut self, webhooks: &[RowNumber], message: Safe) {
        self.starts.push(u32::try_from(self.members.len()).unwrap_or(u32::MAX));
        self.members.extend_from_slice(webhooks);
        if self.messages.len() < MAX_MESSAGES {
            self.messages.push(message);
        }
    }

    /// Prepares lookups, after the last finding was added.
    pub(super) fn close(&mut self) {
        let members = &self.members;
        self.by_number = (0..u32::try_from(members.len()).unwrap_or(u32::MAX)).collect();
        self.by_number.sort_unstable_by_key(|&index| members.get(index as usize).copied());
        self.starts.shrink_to_fit();
        self.members.shrink_to_fit();
    }

    /// The webhooks of all findings, in their order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = RowNumber> {
        self.by_number.iter().filter_map(|&index| self.members.get(index as usize).copied())
    }

    /// The index of the finding that a webhook is in.
    fn finding_of(&self, number: RowNumber) -> Option<usize> {
        let member = |&index: &u32| self.members.get(index as usize).copied();
        let found = self.by_number.binary_search_by_key(&Some(number), member).ok()?;
        let index = *self.by_number.get(found)?;
        self.starts.partition_point(|&start| start <= index).checked_sub(1)
    }

    /// The finding that a webhook is in: its webhooks, and its message if that was kept.
    fn find(&self, number: RowNumber) -> Option<(&[RowNumber], Option<&Safe>)> {
        let finding = self.finding_of(number)?;
        let start = *self.starts.get(finding)? as usize;
        let end = self.starts.get(finding + 1).map_or(self.members.len(), |&end| end as usize);
        Some((self.members.get(start..end)?, self.messages.get(finding)))
    }
}
