//! The set of rules that a webhook breaks, in four bytes: the explorer keeps a million of them.

use super::rule::{Rule, Severity};
use super::rules::RULES;

/// A set of rules, and of the severities that they have here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RuleSet(u32);

/// The bits from here on are severities, those before are rules.
const SEVERITIES: usize = 29;
const _: () = assert!(RULES.len() <= SEVERITIES, "every rule has a bit");

const fn severity_bit(severity: Severity) -> u32 {
    1 << (SEVERITIES + severity as usize)
}

impl RuleSet {
    /// Every rule.
    pub const ANY: Self = Self((1 << SEVERITIES) - 1);

    /// One rule, whatever its severity.
    pub fn of(rule: &Rule) -> Self {
        RULES.iter().position(|one| one == rule).map_or(Self::default(), |index| Self(1 << index))
    }

    /// All rules that have this severity.
    pub const fn of_severity(severity: Severity) -> Self {
        Self(severity_bit(severity))
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns true if anything is in both.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Adds the rule at an index of [`RULES`], with its severity.
    pub(super) fn insert(&mut self, index: usize, severity: Severity) {
        self.0 |= 1 << index | severity_bit(severity);
    }

    pub(super) const fn has(self, index: usize) -> bool {
        self.0 >> index & 1 == 1
    }

    /// The worst severity in it.
    pub fn worst(self) -> Option<Severity> {
        Severity::ALL.into_iter().find(|&severity| self.meets(Self::of_severity(severity)))
    }

    /// The number of rules in it.
    pub const fn len(self) -> u32 {
        (self.0 & Self::ANY.0).count_ones()
    }

    /// The rules in it, in the order of [`RULES`].
    pub fn rules(self) -> impl Iterator<Item = &'static Rule> {
        let mut left = self.0 & Self::ANY.0;
        std::iter::from_fn(move || {
            let index = left.trailing_zeros();
            left &= left.checked_sub(1)?;
            RULES.get(index as usize)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_knows_its_rules_and_the_worst_of_them() {
        let mut set = RuleSet::default();
        assert!(set.is_empty() && set.worst().is_none() && set.rules().next().is_none());
        set.insert(5, Severity::Warning);
        set.insert(16, Severity::Info);
        assert_eq!((set.len(), set.worst()), (2, Some(Severity::Warning)));
        let ids: Vec<_> = set.rules().map(|rule| rule.id).collect();
        assert_eq!(ids, ["duplicate-destination", "long-inactive"]);
        assert!(set.meets(RuleSet::ANY) && set.meets(RuleSet::of(&RULES[5])) && !set.meets(RuleSet::of(&RULES[0])));
        assert!(set.meets(RuleSet::of_severity(Severity::Info)) && !set.meets(RuleSet::of_severity(Severity::Error)));
    }
}
