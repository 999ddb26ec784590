//! Rows by what an audit found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Broken, Count, Group, Kind};
use crate::analysis::audit::{Rule, RuleSet, Verdicts};
use crate::model::{RowNumber, RowTable, Rows};

/// Rows of one rule that are listed; the rest is counted.
const MAX_ROWS: usize = 1000;

/// What is to be grouped, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByFinding {
    pub verdicts: Arc<Verdicts>,
    /// The rules whose rows are listed.
    pub expanded: Arc<BTreeSet<Box<str>>>,
    /// Whether also what is about no webhook is wanted.
    pub is_about_all: bool,
}

impl ByFinding {
    /// The rules that are broken, the worst first, then in the order of the table of rules.
    pub(super) fn group(&self, rows: &Rows, numbers: &[RowNumber]) -> Vec<Group> {
        let table = RowTable::new(rows);
        let mut reader = self.verdicts.reader(rows);
        let mut counts: BTreeMap<&str, Count<'_>> = BTreeMap::new();
        let mut listed: BTreeMap<&str, Vec<RowNumber>> = BTreeMap::new();
        for &number in numbers {
            let set = reader.at(number);
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
        let mut rules = self.verdicts.rules().to_vec();
        rules.sort_by_key(|&(_, severity)| std::cmp::Reverse(severity));
        for (rule, severity) in rules {
            let said: Vec<_> = self.verdicts.said().iter().filter(|said| self.is_about_all && said.rule == rule).collect();
            let count = counts.remove(rule.id).unwrap_or_default();
            if count.webhooks == 0 && said.is_empty() {
                continue;
            }
            let is_expanded = self.expanded.contains(rule.id);
            groups.push(count.group(Kind::Rule { rule, severity, is_expanded }, count.webhooks + said.len() as u64));
            if !is_expanded {
                continue;
            }
            groups.extend(said.iter().map(|said| single(Kind::Said { rule: rule.id, message: said.message.clone() })));
            let of_rule = listed.remove(rule.id).unwrap_or_default();
            let of_rule = self.together(rule, rows, numbers).unwrap_or(of_rule);
            let shown = of_rule.len() as u64;
            groups.extend(of_rule.into_iter().filter_map(|number| self.line(rule, number, rows)));
            if shown < count.webhooks {
                groups.push(single(Kind::MoreRows { rule: rule.id, more: count.webhooks - shown }));
            }
        }
        groups
    }

    /// The rows of a rule whose findings are about several webhooks: those of one finding stand together.
    fn together(&self, rule: &Rule, rows: &Rows, numbers: &[RowNumber]) -> Option<Vec<RowNumber>> {
        let wanted = RuleSet::of(rule);
        let is_one = |number: &RowNumber| {
            numbers.binary_search(number).is_ok()
                && self.verdicts.at(rows, (*number).into()).is_some_and(|set| set.meets(wanted))
        };
        Some(self.verdicts.joint_numbers(rule)?.filter(is_one).take(MAX_ROWS).collect())
    }

    fn line(&self, rule: &Rule, number: RowNumber, rows: &Rows) -> Option<Group> {
        let owned = rows.owned_row(number.into())?;
        let row = owned.row();
        let what = match row.malformed() {
            None => Broken::Webhook { url: row.url().into() },
            Some(reason) => Broken::Malformed { reason },
        };
        let finding = self.verdicts.joint_finding(rule, number);
        let kind = Kind::Broken { rule: rule.id, number, row: owned.clone(), what, finding };
        let mut count = Count::default();
        count.tally(row);
        Some(count.group(kind, 0))
    }
}

fn single(kind: Kind) -> Group {
    Group { kind, active: 0, inactive: 0, reach: 0, webhooks: 0 }
}
