//! What a webhook is: the fields of the contract, and everything else the API sent, kept as it came.
//!
//! Source of the shapes: <https://dialnexa.mintlify.app/api-reference/webhooks/list>.

pub mod address;
mod block;
mod canonical;
mod draft;
mod host;
mod ids;
mod json;
mod letters;
mod line;
mod normal;
mod roster;
mod row;

use std::fmt;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::ser::{Serialize, SerializeMap, Serializer};
use url::Url;

pub use self::block::{Block, EventList, Named, Packer, RowRef};
pub use self::canonical::{Canonical, CanonicalRows};
pub use self::draft::{Draft, Drafts};
pub use self::host::{host, host_and_path, normal_host, path, without_final_dot};
pub use self::ids::IdSet;
pub use self::json::{Json, RawFields, TooDeep, hash_secrets, holds_secret, raw_array, same_value};
pub use self::letters::{Letters, fold};
pub use self::line::Line;
pub use self::normal::{normalized, normalized_place, normalized_text};
pub use self::roster::{Entry, Roster};
pub use self::row::{Element, Elements, HashContract, Malformed, Reason, Row};
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

    /// The id as one segment of a URL's path that decodes to exactly this id. `None` when it cannot be used in a URL: URL parsers
    /// drop an empty segment and follow `.` and `..`, however they are encoded.
    pub fn path_segment(&self) -> Option<String> {
        match self.raw() {
            "" | "." | ".." => None,
            id => Some(utf8_percent_encode(id, ENCODED).to_string()),
        }
    }
}

/// Everything but the unreserved characters (RFC 3986, 2.3): parsers strip tabs and line breaks, and curl expands `[1-3]`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A field that may be missing, or be of another type than the contract says; then it is shown as it came.
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

/// One entry of `events`: a name, or whatever stood in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventEntry {
    Name(EventName),
    Odd(Json),
}

impl EventEntry {
    /// The name, or the JSON that stands in its place, as a terminal may show it.
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

/// Where a webhook delivers to: the URL as it was registered, which may be no URL at all.
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

    /// The URL as software will read it; `None` when it does not parse.
    pub fn parse(&self) -> Option<Url> {
        host::parse(self.0.raw())
    }

    /// The URL as software will read it, where that is spelled otherwise than it was registered.
    pub fn respelled(&self) -> Option<String> {
        host::host_and_respelled(self.0.raw(), Letters::of(self.0.raw())).1
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

/// A URL for a narrow column, in at most about `columns` columns: without `https://`, and with the host as it is really
/// resolved (punycode and all) instead of what the eye might take for the host. Credentials are masked unless `reveal`.
pub fn short_url(url: &str, reveal: bool, columns: usize) -> Safe {
    // Enough for every host name and some path.
    let bytes = columns.saturating_add(512);
    let Some(head) = redact::head_to_show(url, bytes) else { return redact::MASK.into() };
    let without_scheme = |shown: &str| clean_head(shown.strip_prefix("https://").unwrap_or(shown), columns);
    if host::is_plain(head) {
        return if reveal { without_scheme(head) } else { without_scheme(&redact::mask_url(head)) };
    }
    match host::parse(head) {
        Some(url) if reveal => without_scheme(url.as_str()),
        Some(url) => without_scheme(&redact::mask_parsed(&url)),
        None if reveal => without_scheme(head),
        None => without_scheme(&redact::mask_url(head)),
    }
}

/// A path of this host as it may be shown: masked where it is a credential.
pub fn masked_path(host: &str, path: &str) -> String {
    let masked = redact::mask_url(&format!("https://{host}{path}"));
    let shown = masked.strip_prefix("https://").and_then(|rest| rest.strip_prefix(host));
    shown.unwrap_or(redact::MASK).to_owned()
}

/// How the path begins before what is masked; `None` where nothing is.
pub fn public_path(host: &str, path: &str) -> Option<String> {
    let masked = masked_path(host, path);
    (masked != path).then(|| masked.split(redact::MASK).next().unwrap_or_default().to_owned())
}

/// `created_at`: RFC 3339 as the API sends it, and the moment it means if it parses.
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

    /// The value as a terminal may show it, as it came.
    pub fn clean(&self) -> Safe {
        self.raw.clean()
    }

    /// The moment, unless the value is no RFC 3339 time.
    pub fn at(&self) -> Option<Timestamp> {
        self.at
    }
}

/// One webhook subscription of a workspace.
///
/// Serialises as the contract has it (`id`, `url`, `events`, `is_active`, `created_at`), followed by the fields that the
/// contract does not know, verbatim. A signing secret is dropped before a webhook is made.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub url: Destination,
    pub events: Field<Vec<EventEntry>>,
    pub is_active: Field<bool>,
    pub created_at: Field<CreatedAt>,
    /// Fields that the contract does not have, in the order they came.
    pub unknown: Vec<(Untrusted, Json)>,
}

impl Webhook {
    /// The names subscribed to, without entries that are no names.
    pub fn event_names(&self) -> impl Iterator<Item = &EventName> {
        self.events.value().into_iter().flatten().filter_map(|entry| match entry {
            EventEntry::Name(name) => Some(name),
            EventEntry::Odd(_) => None,
        })
    }

    /// Whether it delivers, as far as the API said so.
    pub fn active(&self) -> Option<bool> {
        self.is_active.value().copied()
    }

    /// The whole object as indented JSON, for people: a line a string, keys and values spelled as they came, credentials in
    /// URLs masked unless `reveal`.
    pub fn pretty_json(&self, reveal: bool) -> Vec<Safe> {
        serde_json::to_string(self).map_or_else(|_impossible| Vec::new(), |text| json::pretty(&text, reveal))
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("id", &self.id).field("url", &self.url.clean(false)).finish_non_exhaustive()
    }
}

impl Webhook {
    /// Its fields as entries of a JSON object: the contract's, then the others as far as their names are wanted.
    pub fn serialize_fields<M: SerializeMap>(&self, map: &mut M, wanted: impl Fn(&str) -> bool) -> Result<(), M::Error> {
        map.serialize_entry("id", self.id.raw())?;
        map.serialize_entry("url", self.url.raw())?;
        match &self.events {
            Field::Missing => {}
            Field::Value(events) => map.serialize_entry("events", events)?,
            Field::Odd(json) => map.serialize_entry("events", json)?,
        }
        match &self.is_active {
            Field::Missing => {}
            Field::Value(active) => map.serialize_entry("is_active", active)?,
            Field::Odd(json) => map.serialize_entry("is_active", json)?,
        }
        match &self.created_at {
            Field::Missing => {}
            Field::Value(created) => map.serialize_entry("created_at", created.raw())?,
            Field::Odd(json) => map.serialize_entry("created_at", json)?,
        }
        for (name, value) in self.unknown.iter().filter(|(name, _)| wanted(name.raw())) {
            map.serialize_entry(name.raw(), value)?;
        }
        Ok(())
    }
}

impl Serialize for Webhook {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_fields(&mut map, |_| true)?;
        map.end()
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

/// Which webhooks are asked for: the API's `is_active` parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash, clap::ValueEnum)]
pub enum Scope {
    #[default]
    All,
    Active,
    Inactive,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::All, Self::Active, Self::Inactive];

    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }

    /// The next scope in the order all, active, inactive.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::All => Self::Active,
            Self::Active => Self::Inactive,
            Self::Inactive => Self::All,
        }
    }

    /// The value of the `is_active` query parameter.
    pub const fn is_active(self) -> Option<bool> {
        match self {
            Self::All => None,
            Self::Active => Some(true),
            Self::Inactive => Some(false),
        }
    }

    /// Whether a row belongs to the scope. A row that does not say so plainly belongs to every scope: hiding it would be a
    /// guess.
    pub fn admits(self, element: &impl Element) -> bool {
        self.admits_state(element.active())
    }

    /// As [`Scope::admits`], by what the row says.
    pub fn admits_state(self, active: Option<bool>) -> bool {
        match (self.is_active(), active) {
            (Some(wanted), Some(active)) => wanted == active,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_destination_shows_the_host_that_is_resolved() {
        let short = |url: &str| short_url(url, false, 60).to_string();
        assert_eq!(short("https://hooks.acme.com/crm"), "hooks.acme.com/crm");
        assert_eq!(short("http://hooks.acme.com/crm"), "http://hooks.acme.com/crm");
        assert_eq!(short("https://good.com@evil.com/x"), "***@evil.com/x");
        assert_eq!(short("https://аpple.com/x"), "xn--pple-43d.com/x");
        assert_eq!(short("https://2130706433/x"), "127.0.0.1/x");
        assert_eq!(short("not a url \u{202e}"), "not a url <U+202E>");
    }

    #[test]
    fn a_huge_destination_is_not_read_to_its_end() {
        let url = format!("https://a.com/{}", "x".repeat(8 << 20));
        assert!(short_url(&url, false, 40).as_str().len() < 2000);
    }

    #[test]
    fn the_scope_goes_round() {
        assert_eq!(Scope::ALL.map(Scope::next), [Scope::Active, Scope::Inactive, Scope::All]);
    }
}
