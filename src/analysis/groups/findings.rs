//! Rows by the rules that they break.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Group, GroupCount, GroupKind};
use crate::analysis::audit::{FindingsIndex, Rule, RuleSet, WorkspaceFinding};
use crate::model::{RowNumber, RowTable, Rows};

/// The most rows of a rule to list; the others are counted.
const MAX_ROWS: usize = 1000;

/// The findings to group rows by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByFinding {
    pub findings: Arc<FindingsIndex>,
    /// The rules whose rows are listed.
    pub expanded: Arc<BTreeSet<Box<str>>>,
    /// Also list findings about no particular webhook.
    pub is_about_all: bool,
}

impl ByFinding {
    /// The rules that are broken, the worst first, then in the order of `RULES`.
    pub(super) fn group(&self, rows: &Rows, numbers: &[RowNumber]) -> Vec<Group> {
        let table = RowTable::new(rows);
        let mut reader = self.findings.reader(rows);
        let mut counts: BTreeMap<&str, GroupCount<'_>> = BTreeMap::new();
        let mut listed: BTreeMap<&str, Vec<RowNumber>> = BTreeMap::new();
        for &number in numbers {
            let set = reader.find(number).unwrap_or_default();
            let Some(row) = table.row(number).filter(|_| !set.is_empty()) else { continue };
            for rule in set.rules() {
                counts.entry(rule.id).or_default().tally(row);
                if self.expanded.contains(rule.id) {
                    let listed = listed.entry(rule.id).or_default();
                    if listed.len() < MAX_ROWS {
                        listed.push(number);
                    }
                }
            }
        }
        let mut groups = Vec::new();
        let mut rules = self.findings.rules().to_vec();
        rules.sort_by_key(|&(_, severity)| std::cmp::Reverse(severity));
        for (rule, severity) in rules {
            let is_listed = |finding: &&WorkspaceFinding| self.is_about_all && finding.rule == rule;
            let of_workspace: Vec<_> = self.findings.of_workspace().iter().filter(is_listed).collect();
            let count = counts.remove(rule.id).unwrap_or_default();
            if count.webhooks == 0 && of_workspace.is_empty() {
                continue;
            }
            let is_expanded = self.expanded.contains(rule.id);
            groups.push(
                count.group(GroupKind::Rule { rule, severity, is_expanded }, count.webhooks + of_workspace.len() as u64),
            );
            if !is_expanded {
                continue;
            }
            let message = |finding: &&WorkspaceFinding| finding.message.clone();
            let lines =
                of_workspace.iter().map(message).map(|message| GroupKind::WorkspaceFinding { rule: rule.id, message });
            groups.extend(lines.map(single));
            let of_rule = listed.remove(rule.id).unwrap_or_default();
            let of_rule = self.joint_rows(rule, rows, numbers).unwrap_or(of_rule);
            let shown = of_rule.len() as u64;
            groups.extend(of_rule.into_iter().filter_map(|number| self.line(rule, number, rows)));
            if shown < count.webhooks {
                groups.push(single(GroupKind::MoreRows { rule: rule.id, more: count.webhooks - shown }));
            }
        }
        groups
    }

    /// The rows of a rule whose findings are about several webhooks; those of one finding are consecutive.
    fn joint_rows(&self, rule: &Rule, rows: &Rows, numbers: &[RowNumber]) -> Option<Vec<RowNumber>> {
        let wanted = RuleSet::of(rule);
        let is_one = |number: &RowNumber| {
            numbers.binary_search(number).is_ok()
                && self.findings.at(rows, (*number).into()).is_some_and(|set| set.meets(wanted))
        };
        Some(self.findings.joint_numbers(rule)?.filter(is_one).take(MAX_ROWS).collect())
    }

    fn line(&self, rule: &Rule, number: RowNumber, rows: &Rows) -> Option<Group> {
        let owned = rows.owned_row(number.into())?;
        let row = owned.row();
        let joint = self.findings.joint_finding(rule, number);
        let kind = GroupKind::RowFinding { rule: rule.id, number, row: owned.clone(), joint };
        let mut count = GroupCount::default();
        count.tally(row);
        Some(count.group(kind, 0))
    }
}

fn single(kind: GroupKind) -> Group {
    Group { kind, active: 0, inactive: 0, reach: 0, webhooks: 0 }
}
