//! The filter language: which webhooks a text asks for. The same in the explorer and for every `--filter`.
//!
//! A query is terms with blanks between them, and a webhook matches when it matches all. A term is alternatives with `|`
//! between them, negated as a whole by a leading `-` or `!`. An alternative is a word, a field with a value, or a fuzzy word.
//! [`help()`] has the whole of it, in the words for its users.

mod fields;
mod find;
mod fuzzy;
mod help;
mod highlight;
mod hint;
mod next;
mod parser;
mod pattern;
mod rank;
mod scan;
mod subject;
mod time;
mod value;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use regex::Regex;
use unicode_segmentation::UnicodeSegmentation;

use self::find::Finder;
use self::fuzzy::Fuzzy;
pub use self::help::{fields, help};
pub use self::next::NextLetters;
pub use self::rank::Ranker;
pub use self::scan::{Flags, Scan};
pub use self::subject::Subject;
use self::time::When;
pub use self::time::moment;
use super::audit::RuleSet;
use super::probed::Sought;
use crate::model::path;
use crate::text::Safe;

/// A query that has been understood. A copy shares its terms.
#[derive(Debug, Clone, Default)]
pub struct Query {
    terms: Arc<[Term]>,
    /// The place of the term that was written last.
    last: Option<usize>,
    hint: Option<Arc<Safe>>,
}

/// Why a text is no query, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// The bytes of the query that are wrong, on the boundaries of characters. Never beyond its end.
    pub span: Range<usize>,
    pub message: Safe,
    /// What to write instead, if that can be told.
    pub advice: Option<Safe>,
}

impl QueryError {
    /// Where in the query the error begins: 1 at its first character, as a reader counts them.
    pub fn column(&self, query: &str) -> usize {
        let whole = |&(start, cluster): &(usize, &str)| start + cluster.len() <= self.span.start;
        query.grapheme_indices(true).take_while(whole).count() + 1
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl std::error::Error for QueryError {}

/// What a webhook must be, or must not be.
#[derive(Debug)]
struct Term {
    negated: bool,
    /// One of these is enough.
    any: Vec<Condition>,
}

#[derive(Debug)]
enum Condition {
    /// In the URL, the id or the name of an event.
    Anywhere(Finder),
    Url(Finder),
    Id(Finder),
    Event(Finder),
    Host(Finder),
    /// Up to the query.
    Path(Finder),
    Active(bool),
    Created(When),
    Pattern(Regex),
    Fuzzy(Fuzzy),
    Is(Flag),
    Probe(Sought),
    /// A finding of one of these rules or severities.
    Finding(RuleSet),
}

/// What the explorer notes of a webhook besides its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    Marked,
    /// Since the last read that was looked at: it was not there before, or was different.
    New,
    Changed,
    /// It was there before.
    Gone,
}

impl Query {
    /// Reads a query of at most 4,096 bytes. Ages become moments here, counted from `now`.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, QueryError> {
        let (terms, hint) = parser::parse(text, now)?;
        let mut terms: Vec<_> = terms.into_iter().enumerate().collect();
        // All must hold, in whatever order: what costs least may rule a webhook out first.
        terms.sort_by_key(|(_, term)| term.cost());
        let last = terms.iter().position(|&(written, _)| written + 1 == terms.len());
        Ok(Self { terms: terms.into_iter().map(|(_, term)| term).collect(), last, hint: hint.map(Arc::new) })
    }

    /// Whether the webhook is asked for; nothing is known to be wrong with it.
    pub fn matches(&self, webhook: &impl Subject) -> bool {
        self.matches_found(webhook, RuleSet::default())
    }

    /// Whether a webhook is asked for that breaks these rules.
    pub fn matches_found(&self, webhook: &impl Subject, found: RuleSet) -> bool {
        self.terms.iter().all(|term| term.matches(webhook, found))
    }

    fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.terms.iter().flat_map(|term| &term.any)
    }

    /// Whether it asks for what only the explorer knows, such as `is:marked`.
    pub fn asks_for_flags(&self) -> bool {
        self.conditions().any(|condition| matches!(condition, Condition::Is(_)))
    }

    /// What it asks for of an audit.
    pub fn findings(&self) -> impl Iterator<Item = RuleSet> {
        self.conditions().filter_map(|condition| match condition {
            Condition::Finding(rules) => Some(*rules),
            _ => None,
        })
    }

    /// Whether it asks for what an audit found.
    pub fn asks_for_findings(&self) -> bool {
        self.findings().next().is_some()
    }

    /// Whether what each row has of its own is read to answer it: what many rows share, and the letters that a text has, take much
    /// less.
    pub fn reads_texts(&self) -> bool {
        self.conditions().any(|condition| match condition {
            Condition::Anywhere(finder) => !finder.is_told_by_letters(),
            Condition::Url(_)
            | Condition::Id(_)
            | Condition::Path(_)
            | Condition::Pattern(_)
            | Condition::Fuzzy(_)
            | Condition::Is(_)
            | Condition::Probe(_) => true,
            Condition::Host(_)
            | Condition::Event(_)
            | Condition::Active(_)
            | Condition::Created(_)
            | Condition::Finding(_) => false,
        })
    }

    /// Whether a word is found only in the case in which it was written, because that has a capital letter.
    pub fn minds_case(&self) -> bool {
        self.conditions().any(|condition| match condition {
            Condition::Anywhere(finder)
            | Condition::Url(finder)
            | Condition::Id(finder)
            | Condition::Event(finder)
            | Condition::Path(finder) => finder.minds_case(),
            _ => false,
        })
    }

    /// Whether it asks what probes found out.
    pub fn asks_for_probes(&self) -> bool {
        self.conditions().any(|condition| matches!(condition, Condition::Probe(_)))
    }

    /// Whether whatever this query finds is found by the other one too, as far as that can be told from the words: then its
    /// search can start from what the other one found.
    pub fn narrows(&self, other: &Self) -> bool {
        other.terms.iter().all(|wide| self.terms.iter().any(|narrow| narrow.implies(wide)))
    }

    /// A hint for a query that is valid but looks as if it were written in another language: `host:*.acme.com`, `a OR b`.
    pub fn hint(&self) -> Option<&Safe> {
        self.hint.as_deref()
    }

    /// Whether everything matches because nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether some matches are better than others, as a [`Ranker`] tells: when there is a fuzzy term that is not negated.
    pub fn is_ranked(&self) -> bool {
        let fuzzy = |condition: &Condition| matches!(condition, Condition::Fuzzy(_));
        self.terms.iter().any(|term| !term.negated && term.any.iter().any(fuzzy))
    }
}

impl Term {
    fn matches(&self, webhook: &impl Subject, found: RuleSet) -> bool {
        self.any.iter().any(|condition| condition.matches(webhook, found)) != self.negated
    }

    fn implies(&self, other: &Self) -> bool {
        let each_in =
            |these: &[Condition], those: &[Condition]| these.iter().all(|this| those.iter().any(|that| this.implies(that)));
        match (self.negated, other.negated) {
            (false, false) => each_in(&self.any, &other.any),
            (true, true) => each_in(&other.any, &self.any),
            _ => false,
        }
    }

    /// What asking costs, roughly and relatively.
    fn cost(&self) -> u32 {
        self.any.iter().map(Condition::cost).sum()
    }
}

impl Condition {
    fn matches(&self, webhook: &impl Subject, found: RuleSet) -> bool {
        match self {
            Self::Anywhere(finder) => any_text(webhook, |text| finder.is_in(text)),
            Self::Url(finder) => {
                finder.is_in(webhook.url()) || webhook.respelled_url().is_some_and(|url| finder.is_in(&url))
            }
            Self::Id(finder) => finder.is_in(webhook.id()),
            Self::Event(finder) => webhook.names().any(|name| finder.is_in(name)),
            Self::Host(finder) => webhook.host().is_some_and(|host| finder.is_in(&host)),
            Self::Path(finder) => finder.is_in(path(webhook.url())),
            Self::Active(wanted) => webhook.active() == Some(*wanted),
            Self::Created(when) => webhook.created_at().is_some_and(|at| when.contains(at)),
            Self::Pattern(regex) => any_text(webhook, |text| regex.is_match(text)),
            Self::Fuzzy(fuzzy) => any_text(webhook, |text| fuzzy.is_in(text)),
            Self::Is(_) | Self::Probe(_) => false,
            Self::Finding(rules) => found.meets(*rules),
        }
    }

    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Anywhere(this) | Self::Url(this) | Self::Id(this) | Self::Event(this), Self::Anywhere(that))
            | (Self::Url(this), Self::Url(that))
            | (Self::Id(this), Self::Id(that))
            | (Self::Event(this), Self::Event(that))
            | (Self::Host(this), Self::Host(that))
            | (Self::Path(this), Self::Path(that) | Self::Url(that)) => this.implies(that),
            (Self::Active(this), Self::Active(that)) => this == that,
            (Self::Created(this), Self::Created(that)) => this == that,
            (Self::Pattern(this), Self::Pattern(that)) => this.as_str() == that.as_str(),
            (Self::Fuzzy(this), Self::Fuzzy(that)) => this.implies(that),
            (Self::Is(this), Self::Is(that)) => this == that,
            (Self::Probe(this), Self::Probe(that)) => this == that,
            (Self::Finding(this), Self::Finding(that)) => this == that,
            _ => false,
        }
    }

    fn cost(&self) -> u32 {
        match self {
            Self::Active(_) | Self::Created(_) | Self::Is(_) | Self::Finding(_) => 0,
            Self::Id(_) | Self::Probe(_) => 1,
            Self::Event(_) => 2,
            Self::Url(_) | Self::Host(_) | Self::Path(_) => 3,
            Self::Anywhere(_) => 6,
            Self::Pattern(_) | Self::Fuzzy(_) => 12,
        }
    }
}

/// Whether a text in which a word without a field is looked for is one of those.
fn any_text(webhook: &impl Subject, is_one: impl Fn(&str) -> bool) -> bool {
    any_own_text(webhook, &is_one) || webhook.names().any(is_one)
}

/// Whether one of the texts that a webhook has of its own is one of those.
fn any_own_text(webhook: &impl Subject, is_one: impl Fn(&str) -> bool) -> bool {
    is_one(webhook.url()) || is_one(webhook.id()) || webhook.respelled_url().is_some_and(|url| is_one(&url))
}

/// The text as a value that a query searches for as it stands: in quotes, unless it means nothing else without them.
pub fn quote(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-');
    if !text.is_empty() && !text.starts_with('-') && text.bytes().all(plain) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
