//! The knowledge that rules need besides the rows.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::facts::ExternalFacts;
use super::pattern::Patterns;
use crate::analysis::vocabulary;

/// The context of an audit: the time, the configured names and patterns, and facts from outside the listing.
#[derive(Debug)]
pub struct AuditContext {
    pub now: Timestamp,
    /// Destinations that are retired.
    pub retired: Patterns,
    pub facts: Arc<ExternalFacts>,
    pub(super) known: BTreeSet<Box<str>>,
    /// Unknown event names and the known one that was probably meant: a mistake is often repeated in many webhooks.
    pub(super) meant: Mutex<HashMap<Box<str>, Option<Box<str>>>>,
}

impl AuditContext {
    /// A context with the vendor's event names and others.
    pub fn new<'k>(now: Timestamp, known_besides: impl Iterator<Item = &'k str>) -> Self {
        let known = vocabulary::CURRENT.into_iter().chain(known_besides).map(Box::from).collect();
        Self { now, retired: Patterns::default(), facts: Arc::default(), known, meant: Mutex::default() }
    }

    /// Returns true if `*` subscribes to every event: the config says so by naming it as a known event.
    pub(super) fn has_wildcard(&self) -> bool {
        self.knows(vocabulary::WILDCARD)
    }

    /// Returns true if an event of this name can be subscribed to.
    pub(super) fn knows(&self, event: &str) -> bool {
        self.known.contains(event)
    }
}
