//! Webhooks however they are kept, and matching of decoded ones: they are packed to be matched.

use std::borrow::Cow;

use jiff::Timestamp;

use super::matcher::{FilterFacts, Matcher, Ranker};
use super::parsed::Query;
use crate::analysis::audit::RuleSet;
use crate::model::{Draft, Element as _, EventName, Packer, Row, RowRef, Webhook, host};

impl Query {
    /// Matches a webhook without findings.
    pub fn matches(&self, webhook: &Webhook) -> bool {
        self.matches_found(webhook, RuleSet::default())
    }

    /// Matches a webhook with these findings.
    pub fn matches_found(&self, webhook: &Webhook, findings: RuleSet) -> bool {
        self.is_empty()
            || with_row(webhook, |row| Matcher::new(self, &FilterFacts::default()).matches(row, findings)).unwrap_or(false)
    }
}

impl Ranker<'_> {
    /// As [`Ranker::score`], for a decoded webhook.
    pub fn score_webhook(&mut self, webhook: &Webhook) -> u32 {
        with_row(webhook, |row| self.score(row)).unwrap_or(0)
    }
}

fn with_row<T>(webhook: &Webhook, read: impl FnOnce(RowRef<'_>) -> T) -> Option<T> {
    let page = Packer::default().pack_rows([Draft::of_row(Row::Webhook(webhook.clone()))]);
    page.row(0).map(read)
}

/// A webhook, however it is kept.
pub trait Subject {
    /// The true URL.
    fn url(&self) -> &str;

    /// The true id.
    fn id(&self) -> &str;

    /// The names of the events that it is subscribed to.
    fn names(&self) -> impl Iterator<Item = &str>;

    /// The number of entries of its list of events, names or not; `None` when it has no list.
    fn event_count(&self) -> Option<usize>;

    /// The host that the URL really names.
    fn host(&self) -> Option<Cow<'_, str>>;

    fn active(&self) -> Option<bool>;

    fn created_at(&self) -> Option<Timestamp>;
}

impl Subject for Webhook {
    fn url(&self) -> &str {
        self.url.raw()
    }

    fn id(&self) -> &str {
        self.id.raw()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.event_names().map(EventName::raw)
    }

    fn event_count(&self) -> Option<usize> {
        self.events.value().map(Vec::len)
    }

    fn host(&self) -> Option<Cow<'_, str>> {
        host(self.url.raw())
    }

    fn active(&self) -> Option<bool> {
        self.active()
    }

    fn created_at(&self) -> Option<Timestamp> {
        self.created_at.value()?.at()
    }
}

impl Subject for RowRef<'_> {
    fn url(&self) -> &str {
        RowRef::url(*self)
    }

    fn id(&self) -> &str {
        RowRef::id(*self)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.events().into_iter().flat_map(|list| list.events.iter().map(|event| &*event.name))
    }

    fn event_count(&self) -> Option<usize> {
        RowRef::event_count(*self)
    }

    fn host(&self) -> Option<Cow<'_, str>> {
        RowRef::host(*self).map(|host| Cow::Borrowed(&*host.name))
    }

    fn active(&self) -> Option<bool> {
        RowRef::active(*self)
    }

    fn created_at(&self) -> Option<Timestamp> {
        RowRef::created_at(*self)
    }
}
