//! The audit engine. It runs the rules over rows and reports every finding to a function, with the waiver that applies to it.
//! A [`Report`](super::Report) collects all findings at once; an [`Auditor`](super::Auditor) keeps them in an index and checks
//! only rows that changed. Start at [`AuditRun`].

use super::context::AuditContext;
use super::input::AuditInput;
use super::rule::{Check, Gather, Rule, Severity};
use super::rule_set::RuleSet;
use super::rules::{RULES, is_long_inactive};
use super::waiver::{ActiveWaivers, Waiver};
use crate::base::text::Safe;
use crate::model::{RowNumber, RowRef, RowTable, Rows};

/// A rule that is run, with its severity here.
#[derive(Debug, Clone, Copy)]
pub(super) struct EnabledRule {
    /// Its index in [`RULES`].
    pub(super) index: usize,
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
}

impl EnabledRule {
    /// Checks one row, if the rule looks at single rows. Waivers are not considered.
    pub(super) fn check(&self, input: &AuditInput<'_>, context: &AuditContext) -> Option<Safe> {
        match self.rule.check {
            Check::Webhook(check) | Check::Facts(_, check) if input.row.is_webhook() => check(input, context),
            Check::Malformed(check) => check(input),
            _ => None,
        }
    }

    /// Returns true if its findings are about several webhooks together.
    fn is_joint(&self) -> bool {
        matches!(self.rule.check, Check::Webhooks { .. })
    }
}

/// An audit that is ready to run: the rules, their severities, and the waivers.
#[derive(Debug)]
pub struct Audit {
    pub context: AuditContext,
    pub(super) enabled: Vec<EnabledRule>,
    waivers: Vec<Waiver>,
}

impl Audit {
    /// An audit with every rule at its own severity, and without waivers.
    pub fn new(context: AuditContext) -> Self {
        let enabled = RULES.iter().enumerate().map(|(index, rule)| EnabledRule { index, rule, severity: rule.severity });
        Self { context, enabled: enabled.collect(), waivers: Vec::new() }
    }

    /// Gives a rule another severity.
    pub fn set_severity(&mut self, rule: &Rule, severity: Severity) {
        for enabled in self.enabled.iter_mut().filter(|enabled| enabled.rule == rule) {
            enabled.severity = severity;
        }
    }

    /// Disables every rule that is not wanted.
    pub fn choose(&mut self, is_wanted: impl Fn(&Rule) -> bool) {
        self.enabled.retain(|enabled| is_wanted(enabled.rule));
    }

    pub fn set_waivers(&mut self, waivers: Vec<Waiver>) {
        self.waivers = waivers;
    }

    /// The rules that are run, with their severities here, in the order of [`RULES`].
    pub fn rules(&self) -> impl Iterator<Item = (&'static Rule, Severity)> {
        self.enabled.iter().map(|enabled| (enabled.rule, enabled.severity))
    }

    /// The first of these sets that is a single rule which is not run.
    pub fn lacks(&self, asked: impl IntoIterator<Item = RuleSet>) -> Option<&'static Rule> {
        asked.into_iter().find_map(|asked| {
            let rule = RULES.iter().find(|rule| RuleSet::of(rule) == asked)?;
            self.rules().all(|(run, _)| run != rule).then_some(rule)
        })
    }

    /// Returns true if `long-inactive` is run and reports the webhook. Its message includes when the webhook was last active,
    /// if the history has that.
    pub fn asks_for_last_active(&self, webhook: RowRef<'_>) -> bool {
        self.rules().any(|(rule, _)| is_long_inactive(rule, webhook, self.context.now))
    }

    /// The rules of a set that look at all rows, or those that look at single ones.
    pub(super) fn part_of(&self, set: RuleSet, is_joint: bool) -> RuleSet {
        if set.is_empty() {
            return set;
        }
        let mut part = RuleSet::default();
        for rule in self.enabled.iter().filter(|rule| rule.is_joint() == is_joint && set.has(rule.index)) {
            part.insert(rule.index, rule.severity);
        }
        part
    }
}

/// A finding as it is reported by a run.
#[derive(Debug)]
pub(super) struct RunFinding<'a> {
    pub(super) rule: EnabledRule,
    /// The numbers of the webhooks that it is about, in their order; none if it is about the workspace.
    pub(super) webhooks: Vec<RowNumber>,
    pub(super) message: Safe,
    /// The waiver that accepts it.
    pub(super) waiver: Option<&'a Waiver>,
}

/// One run of an audit: [`AuditRun::check`] finds the defects of a single row. For the rules that look at all rows,
/// [`AuditRun::see`] takes every row, and [`AuditRun::finish`] reports what they found.
pub(super) struct AuditRun<'a> {
    pub(super) audit: &'a Audit,
    waivers: ActiveWaivers<'a>,
    gatherers: Vec<(EnabledRule, Box<dyn Gather>)>,
}

impl<'a> AuditRun<'a> {
    /// `is_part`: not all rows of the workspace are audited.
    pub(super) fn new(audit: &'a Audit, is_part: bool) -> Self {
        let start = |&enabled: &EnabledRule| match enabled.rule.check {
            Check::Webhooks { start, .. } => Some((enabled, start())),
            Check::Absence(start) if !is_part => Some((enabled, start())),
            _ => None,
        };
        let gatherers = audit.enabled.iter().filter_map(start).collect();
        Self { audit, waivers: ActiveWaivers::new(&audit.waivers, audit.context.now), gatherers }
    }

    /// Applies the rules that look at single rows.
    pub(super) fn check(&self, input: &AuditInput<'_>, report: &mut dyn FnMut(RunFinding<'a>)) {
        for &rule in &self.audit.enabled {
            let Some(message) = rule.check(input, &self.audit.context) else { continue };
            let is_webhook = input.row.is_webhook();
            let webhooks = if is_webhook { vec![input.number] } else { Vec::new() };
            let waiver = if is_webhook { self.waivers.find(rule.rule.id, input) } else { None };
            report(RunFinding { rule, webhooks, message, waiver });
        }
    }

    /// Takes a row for the rules that look at all of them.
    pub(super) fn see(&mut self, input: &AuditInput<'_>) {
        if input.row.is_webhook() {
            for (_, gatherer) in &mut self.gatherers {
                gatherer.see(input, &self.audit.context);
            }
        }
    }

    /// Reports the findings of the rules that look at all rows, and of those that look at no row, rule by rule.
    pub(super) fn finish(self, rows: &Rows, report: &mut dyn FnMut(RunFinding<'a>)) {
        let Self { audit, waivers, gatherers } = self;
        let table = RowTable::new(rows);
        for (rule, gatherer) in gatherers {
            let least = if let Check::Webhooks { least, .. } = rule.rule.check { least } else { 1 };
            gatherer.finish(rows, &audit.context, &mut |webhooks, message| {
                let waiver = waivers.find_for_all(rule.rule.id, least, &webhooks, &table);
                report(RunFinding { rule, webhooks, message, waiver });
            });
        }
        for &rule in &audit.enabled {
            if let Check::Waiver(check) = rule.rule.check {
                for message in audit.waivers.iter().filter_map(|waiver| check(waiver, &audit.context)) {
                    report(RunFinding { rule, webhooks: Vec::new(), message, waiver: None });
                }
            }
        }
    }
}
