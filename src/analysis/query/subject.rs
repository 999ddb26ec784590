//! Webhooks as an audit reads them, however they are kept.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::model::{EventName, RowRef, Webhook, host};

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
