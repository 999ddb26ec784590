//! Conditions of a query. The fields read them, the matcher evaluates them.

use regex::Regex;

use super::fuzzy::Fuzzy;
use super::needle::Needle;
use super::time::TimeRange;
use crate::analysis::audit::RuleSet;
use crate::analysis::probed::Sought;

/// Alternatives, one of which must match, or none if the term is negated.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) negated: bool,
    pub(super) any: Vec<Condition>,
}

#[derive(Debug)]
pub(super) enum Condition {
    /// In the URL, the id or the name of an event.
    Anywhere(Needle),
    Url(Needle),
    Id(Needle),
    Event(Needle),
    Host(Needle),
    /// In the part of the URL between the host and the query.
    Path(Needle),
    Active(bool),
    Created(TimeRange),
    Pattern(Regex),
    Fuzzy(Fuzzy),
    Is(RowFlag),
    Probe(Sought),
    /// A finding of one of these rules or severities.
    Finding(RuleSet),
}

/// Facts that the explorer records about a webhook besides its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowFlag {
    Marked,
    /// Added since the last refresh, and not yet seen by the user.
    New,
    Changed,
    Gone,
}

impl Term {
    /// The relative cost of evaluating it.
    pub(super) fn cost(&self) -> u32 {
        self.any.iter().map(Condition::cost).sum()
    }
}

impl Condition {
    fn cost(&self) -> u32 {
        match self {
            Self::Active(_) | Self::Created(_) | Self::Is(_) | Self::Finding(_) => 0,
            Self::Id(_) | Self::Probe(_) => 1,
            Self::Event(_) | Self::Host(_) => 2,
            Self::Url(_) | Self::Path(_) => 3,
            Self::Anywhere(_) => 6,
            Self::Pattern(_) | Self::Fuzzy(_) => 12,
        }
    }
}
