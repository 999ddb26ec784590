//! The fields of a webhook as typed values. Each keeps the true text and shows it only in a form that is safe on a terminal.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::ser::{Serialize, Serializer};
use url::Url;

use super::host;
use super::json::Json;
use crate::base::redact;
use crate::base::text::{Safe, Untrusted, clean, clean_head};

/// The opaque identifier of a webhook, such as `whk_c9v3nz8rq4pm`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct WebhookId(Untrusted);

impl WebhookId {
    pub fn new(id: &str) -> Self {
        Self(Untrusted::from(id))
    }

    /// The true value, for requests, comparing and machine formats.
    pub fn raw(&self) -> &str {
        self.0.raw()
    }

    /// The value as a terminal may show it.
    pub fn clean(&self) -> Safe {
        self.0.clean()
    }

    /// As [`WebhookId::clean`], in at most `columns` columns.
    pub fn clean_head(&self, columns: usize) -> Safe {
        self.0.clean_head(columns)
    }

    /// The id as one segment of a URL's path that decodes to exactly this id. `None` when it cannot be used in a URL: URL
    /// parsers drop an empty segment and follow `.` and `..`, however they are encoded.
    pub fn path_segment(&self) -> Option<String> {
        match self.raw() {
            "" | "." | ".." => None,
            id => Some(utf8_percent_encode(id, ENCODED).to_string()),
        }
    }
}

/// Everything but the unreserved characters (RFC 3986, 2.3): parsers strip tabs and line breaks, and curl expands `[1-3]`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A field that may be missing, or have a different type than in the contract; then it is shown as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field<T> {
    Missing,
    Value(T),
    Odd(Json),
}

impl<T> Field<T> {
    /// The value, if it is there and of the contract's type.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Odd(_) => None,
        }
    }
}

/// One entry of `events`: a name, or another JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventEntry {
    Name(EventName),
    Odd(Json),
}

impl EventEntry {
    /// The name, or the JSON in its place, as a terminal may show it.
    pub fn clean(&self) -> Safe {
        match self {
            Self::Name(name) => name.clean(),
            Self::Odd(json) => json.clean(),
        }
    }

    /// As [`EventEntry::clean`], in at most `columns` columns.
    pub fn clean_head(&self, columns: usize) -> Safe {
        match self {
            Self::Name(name) => name.0.clean_head(columns),
            Self::Odd(json) => json.clean_head(columns),
        }
    }
}

/// The name of an event, such as `call.completed`. Names are free strings to the API: an unknown name is data.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EventName(Untrusted);

impl EventName {
    pub fn new(name: &str) -> Self {
        Self(Untrusted::from(name))
    }

    /// As [`EventName::clean`], in at most `columns` columns.
    pub fn clean_head(&self, columns: usize) -> Safe {
        self.0.clean_head(columns)
    }

    pub fn raw(&self) -> &str {
        self.0.raw()
    }

    pub fn clean(&self) -> Safe {
        self.0.clean()
    }
}

/// The destination of a webhook: its URL as registered, which may not be a valid URL.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Destination(Untrusted);

impl Destination {
    pub fn new(url: &str) -> Self {
        Self(Untrusted::from(url))
    }

    /// The true value, with every credential in it.
    pub fn raw(&self) -> &str {
        self.0.raw()
    }

    /// The URL as software parses it; `None` if it is not valid.
    pub fn parse(&self) -> Option<Url> {
        host::parse(self.0.raw())
    }

    /// The URL as software parses it, if its spelling differs from the registered one.
    pub fn respelled(&self) -> Option<String> {
        host::host_and_respelled(self.0.raw()).1
    }

    /// The whole URL for a terminal, credentials masked unless `reveal`.
    pub fn clean(&self, reveal: bool) -> Safe {
        if reveal { self.0.clean() } else { clean(&redact::mask_url(self.0.raw())) }
    }

    /// As [`Destination::clean`], in at most `columns` columns, reading no more of a long URL than they can show.
    pub fn clean_head(&self, reveal: bool, columns: usize) -> Safe {
        if reveal {
            return self.0.clean_head(columns);
        }
        clean_head(&redact::mask_url_head(self.0.raw(), columns.saturating_mul(4)), columns)
    }
}

/// `created_at`: the text from the API, and its time if it is valid RFC 3339.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreatedAt {
    raw: Untrusted,
    at: Option<Timestamp>,
}

impl CreatedAt {
    pub fn new(text: &str) -> Self {
        Self { raw: Untrusted::from(text), at: text.parse().ok() }
    }

    pub fn raw(&self) -> &str {
        self.raw.raw()
    }

    /// The value as received, as a terminal may show it.
    pub fn clean(&self) -> Safe {
        self.raw.clean()
    }

    /// The time; `None` if the value is not valid RFC 3339.
    pub fn at(&self) -> Option<Timestamp> {
        self.at
    }
}

impl Serialize for EventEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Name(name) => serializer.serialize_str(name.raw()),
            Self::Odd(json) => json.serialize(serializer),
        }
    }
}
