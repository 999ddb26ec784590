//! A parsed query, and its properties that follow from its terms alone.

use std::sync::Arc;

use jiff::Timestamp;

use super::condition::{Condition, Term};
use super::error::QueryError;
use super::parser;
use crate::analysis::audit::RuleSet;
use crate::base::text::Safe;

/// A parsed query. Clones share its terms.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub(super) terms: Arc<[Term]>,
    hint: Option<Arc<Safe>>,
}

impl Query {
    /// Parses a query of at most 4,096 bytes. Ages are converted to times, counted from `now`.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, QueryError> {
        let (mut terms, hint) = parser::parse(text, now)?;
        // All terms must match, so the cheap ones are checked first.
        terms.sort_by_key(Term::cost);
        Ok(Self { terms: terms.into(), hint: hint.map(Arc::new) })
    }

    fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.terms.iter().flat_map(|term| &term.any)
    }

    /// Returns true if the query uses facts that only the explorer knows, such as `is:marked`.
    pub fn asks_for_flags(&self) -> bool {
        self.conditions().any(|condition| matches!(condition, Condition::Is(_)))
    }

    /// The rules that its `finding:` terms name.
    pub fn findings(&self) -> impl Iterator<Item = RuleSet> {
        self.conditions().filter_map(|condition| match condition {
            Condition::Finding(rules) => Some(*rules),
            _ => None,
        })
    }

    pub fn asks_for_findings(&self) -> bool {
        self.findings().next().is_some()
    }

    pub fn asks_for_probes(&self) -> bool {
        self.conditions().any(|condition| matches!(condition, Condition::Probe(_)))
    }

    /// Returns true if evaluating the query takes much longer than reading the rows, so that more threads help.
    pub fn is_slow(&self) -> bool {
        self.conditions().any(|condition| matches!(condition, Condition::Pattern(_) | Condition::Fuzzy(_)))
    }

    /// Returns true if a word is case-sensitive because it has a capital letter.
    pub fn minds_case(&self) -> bool {
        self.conditions().any(|condition| match condition {
            Condition::Anywhere(needle)
            | Condition::Url(needle)
            | Condition::Id(needle)
            | Condition::Event(needle)
            | Condition::Path(needle) => needle.is_case_sensitive_part(),
            _ => false,
        })
    }

    /// A hint for a query that is valid but looks as if it were written in another language: `host:*.acme.com`, `a OR b`.
    pub fn hint(&self) -> Option<&Safe> {
        self.hint.as_deref()
    }

    /// Returns true if the query has no terms, so that everything matches.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Returns true if matches have a score, which is the case if a fuzzy term is not negated. A [`Ranker`](super::Ranker)
    /// computes it.
    pub fn is_ranked(&self) -> bool {
        let fuzzy = |condition: &Condition| matches!(condition, Condition::Fuzzy(_));
        self.terms.iter().any(|term| !term.negated && term.any.iter().any(fuzzy))
    }
}
