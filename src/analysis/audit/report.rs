//! The report of an audit: every finding, in words.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::engine::{Audit, AuditRun, RunFinding};
use super::input::AuditInput;
use super::rule::{Rule, Severity};
use super::rule_set::RuleSet;
use super::rules::RULES;
use crate::base::text::Safe;
use crate::model::{RowNumber, Rows};

/// A finding.
#[derive(Debug, Clone)]
pub struct Finding {
    pub rule: &'static Rule,
    pub severity: Severity,
    /// The numbers of the webhooks that it is about, in their order; none if it is about the workspace.
    pub webhooks: Vec<RowNumber>,
    pub message: Safe,
}

/// A finding that a waiver accepts.
#[derive(Debug, Clone)]
pub struct WaivedFinding {
    pub finding: Finding,
    pub reason: Safe,
}

/// The findings of an audit.
#[derive(Debug, Default)]
pub struct Report {
    /// The worst first, then in the order of the rules and of the webhooks.
    pub findings: Vec<Finding>,
    /// In the same order.
    pub waived: Vec<WaivedFinding>,
    /// The number of webhooks that were audited.
    pub webhooks: u64,
}

impl Audit {
    /// Runs all rules over all webhooks. `is_part`: these are not all rows of the workspace.
    pub fn run<'a>(&'a self, rows: &Rows, is_part: bool) -> Report {
        let mut run = AuditRun::new(self, is_part);
        let mut report = Report::default();
        // By rule, so that each list is nearly sorted.
        let mut found: Vec<Vec<RunFinding<'a>>> = RULES.iter().map(|_| Vec::new()).collect();
        let mut add = |finding: RunFinding<'a>| {
            if let Some(of_rule) = found.get_mut(finding.rule.index) {
                of_rule.push(finding);
            }
        };
        for (number, row) in rows.iter() {
            let input = AuditInput::new(number, row);
            report.webhooks += u64::from(row.is_webhook());
            run.check(&input, &mut add);
            run.see(&input);
        }
        run.finish(rows, &mut add);
        for of_rule in &mut found {
            of_rule.sort_by_key(|finding| finding.webhooks.first().copied());
        }
        found.sort_by_key(|of_rule| Reverse(of_rule.first().map(|finding| finding.rule.severity)));
        for RunFinding { rule, webhooks, message, waiver } in found.into_iter().flatten() {
            let finding = Finding { rule: rule.rule, severity: rule.severity, webhooks, message };
            match waiver {
                Some(waiver) => report.waived.push(WaivedFinding { finding, reason: waiver.reason.clean_head(200) }),
                None => report.findings.push(finding),
            }
        }
        report
    }
}

impl Report {
    /// The number of findings of a rule.
    pub fn count(&self, rule: &Rule) -> u64 {
        self.findings.iter().filter(|finding| finding.rule == rule).count() as u64
    }

    /// The rules that webhooks break, by row number.
    pub fn rule_sets(&self) -> HashMap<RowNumber, RuleSet> {
        let mut sets: HashMap<RowNumber, RuleSet> = HashMap::new();
        for finding in &self.findings {
            let Some(index) = RULES.iter().position(|rule| rule == finding.rule) else { continue };
            for &number in &finding.webhooks {
                sets.entry(number).or_default().insert(index, finding.severity);
            }
        }
        sets
    }
}
