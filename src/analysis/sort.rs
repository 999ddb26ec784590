//! The order of webhooks.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;

use super::words::nearest;
use crate::base::text::{Safe, clean_head};
use crate::model::{Webhook, host, host_and_path};
use crate::safe;

/// What webhooks can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortKey {
    Created,
    Url,
    Host,
    Events,
    Status,
    Id,
}

/// One row of the table of keys.
#[derive(Debug)]
pub struct Entry {
    pub key: SortKey,
    /// The name on the command line and in the explorer.
    pub name: &'static str,
    /// What comes first, for help.
    pub help: &'static str,
}

/// Every key, in the order of the help and of the explorer's key for the next one.
pub const SORT_KEYS: &[Entry] = &[
    Entry { key: SortKey::Created, name: "created", help: "oldest first" },
    Entry { key: SortKey::Url, name: "url", help: "by host, then by path" },
    Entry { key: SortKey::Host, name: "host", help: "A to Z" },
    Entry { key: SortKey::Events, name: "events", help: "fewest events first" },
    Entry { key: SortKey::Status, name: "status", help: "active first" },
    Entry { key: SortKey::Id, name: "id", help: "A to Z" },
];

impl SortKey {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Url => "url",
            Self::Host => "host",
            Self::Events => "events",
            Self::Status => "status",
            Self::Id => "id",
        }
    }
}

/// A key and a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sort {
    pub key: SortKey,
    pub descending: bool,
}

impl Sort {
    /// Reads `created`, `created:asc` or `created:desc`. The error is a message that names what is allowed.
    pub fn parse(text: &str) -> Result<Self, Safe> {
        let (name, direction) = text.split_once(':').unwrap_or((text, "asc"));
        let Some(entry) = SORT_KEYS.iter().find(|entry| entry.name == name) else {
            let names = SORT_KEYS.iter().map(|entry| entry.name);
            let hint = nearest(name, names.clone()).map(|meant| safe!("; did you mean {}?", meant)).unwrap_or_default();
            let mut list = Safe::default();
            for name in names {
                list.push(&safe!("{}{}", if list.is_empty() { "" } else { ", " }, name));
            }
            return Err(safe!("{} is not a sort key ({}){}", shown(name), list, hint));
        };
        let descending = match direction {
            "asc" => false,
            "desc" => true,
            _ => {
                return Err(safe!("{} is not a direction: use {}:asc or {}:desc", shown(direction), entry.name, entry.name));
            }
        };
        Ok(Self { key: entry.key, descending })
    }

    /// The items in this order, equal ones as they were. Items without a value come last in both directions: malformed rows,
    /// and webhooks that lack the field or, for a host, whose URL does not parse.
    pub fn sorted<T>(self, items: Vec<T>, webhook: impl Fn(&T) -> Option<&Webhook>) -> Vec<T> {
        let order = self.order(items.iter().map(webhook));
        let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
        order.into_iter().filter_map(|place| items.get_mut(place).and_then(Option::take)).collect()
    }

    /// As [`Sort::sorted`], but only where each item would come from: the first place holds the index of the first item.
    pub fn order<'w>(self, webhooks: impl Iterator<Item = Option<&'w Webhook>>) -> Vec<usize> {
        let mut keyed: Vec<(Option<Key<'w>>, usize)> =
            webhooks.enumerate().map(|(place, webhook)| (webhook.and_then(|webhook| self.key.of(webhook)), place)).collect();
        keyed.sort_by(|(a, _), (b, _)| match (a, b) {
            (Some(a), Some(b)) if self.descending => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        });
        keyed.into_iter().map(|(_, place)| place).collect()
    }
}

/// What stands for a row when it is compared. All keys of one sort are of one kind.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'r> {
    Created(Timestamp),
    Url(Cow<'r, str>, Cow<'r, str>),
    Host(Cow<'r, str>),
    Events(usize),
    Inactive(bool),
    Id(&'r str),
}

impl SortKey {
    fn of(self, webhook: &Webhook) -> Option<Key<'_>> {
        match self {
            Self::Created => webhook.created_at.value()?.at().map(Key::Created),
            Self::Url => host_and_path(webhook.url.raw()).map(|(host, path)| Key::Url(host, path)),
            Self::Host => host(webhook.url.raw()).map(Key::Host),
            Self::Events => webhook.events.value().map(|events| Key::Events(events.len())),
            Self::Status => webhook.active().map(|active| Key::Inactive(!active)),
            Self::Id => Some(Key::Id(webhook.id.raw())),
        }
    }
}

/// What a message repeats of a wrong word.
fn shown(word: &str) -> Safe {
    if word.is_empty() { "\"\"".into() } else { clean_head(word, 40) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;
    use crate::model::Row;

    fn row(json: &str) -> Row {
        Row::decode(&RawValue::from_string(json.to_owned()).unwrap()).unwrap()
    }

    fn sorted(sort: &str, rows: &[&str]) -> Vec<String> {
        let rows = rows.iter().map(|json| row(json)).collect();
        let sorted = Sort::parse(sort).unwrap().sorted(rows, Row::webhook);
        sorted.iter().map(|row| row.id().map_or("-", |id| id.raw()).to_owned()).collect()
    }

    #[test]
    fn a_sort_is_a_key_with_a_direction() {
        for entry in SORT_KEYS {
            assert_eq!(entry.key.name(), entry.name);
            assert_eq!(Sort::parse(entry.name), Ok(Sort { key: entry.key, descending: false }));
            assert_eq!(Sort::parse(&format!("{}:asc", entry.name)), Ok(Sort { key: entry.key, descending: false }));
            assert_eq!(Sort::parse(&format!("{}:desc", entry.name)), Ok(Sort { key: entry.key, descending: true }));
        }
    }

    #[test]
    fn a_wrong_sort_says_what_is_allowed() {
        let error = |text: &str| Sort::parse(text).unwrap_err().to_string();
        let keys = "(created, url, host, events, status, id)";
        assert_eq!(error("age"), format!("age is not a sort key {keys}"));
        assert_eq!(error("event:desc"), format!("event is not a sort key {keys}; did you mean events?"));
        assert_eq!(error(""), format!("\"\" is not a sort key {keys}"));
        assert_eq!(error("url:down"), "down is not a direction: use url:asc or url:desc");
        assert_eq!(error("url:"), "\"\" is not a direction: use url:asc or url:desc");
        assert_eq!(error("url:desc:asc"), "desc:asc is not a direction: use url:asc or url:desc");
        assert_eq!(error("\u{1b}[31m"), format!("^[[31m is not a sort key {keys}"));
        assert!(error(&"x".repeat(1_000_000)).len() < 200);
    }

    #[test]
    fn created_is_by_moment_not_by_text() {
        let rows = [
            r#"{"id":"odd","url":"u","created_at":5}"#,
            r#"{"id":"new","url":"u","created_at":"2024-06-01T01:00:00+02:00"}"#,
            "null",
            r#"{"id":"old","url":"u","created_at":"2024-05-31T22:00:00Z"}"#,
            r#"{"id":"none","url":"u"}"#,
            r#"{"id":"text","url":"u","created_at":"soon"}"#,
        ];
        assert_eq!(sorted("created", &rows), ["old", "new", "odd", "-", "none", "text"]);
        assert_eq!(sorted("created:desc", &rows), ["new", "old", "odd", "-", "none", "text"]);
    }

    #[test]
    fn a_url_is_by_host_and_then_by_path() {
        let rows = [
            r#"{"id":"b2","url":"http://b.com/2"}"#,
            r#"{"id":"odd","url":"not a url"}"#,
            r#"{"id":"b1","url":"https://user@B.com:8443/1"}"#,
            r#"{"id":"a","url":"https://a.com/9"}"#,
            r#"{"id":"b3","url":"https://b.com/3"}"#,
        ];
        assert_eq!(sorted("url", &rows), ["a", "b1", "b2", "b3", "odd"]);
        assert_eq!(sorted("url:desc", &rows), ["b3", "b2", "b1", "a", "odd"]);
        assert_eq!(sorted("host", &rows), ["a", "b2", "b1", "b3", "odd"]);
        assert_eq!(sorted("host:desc", &rows), ["b2", "b1", "b3", "a", "odd"]);
    }

    #[test]
    fn events_are_counted_and_the_active_come_first() {
        let rows = [
            r#"{"id":"a","url":"u","events":["x","y"],"is_active":false}"#,
            r#"{"id":"b","url":"u","events":{},"is_active":"true"}"#,
            r#"{"id":"c","url":"u","events":[],"is_active":true}"#,
            r#"{"id":"d","url":"u"}"#,
            r#"{"id":"e","url":"u","events":["x"],"is_active":true}"#,
        ];
        assert_eq!(sorted("events", &rows), ["c", "e", "a", "b", "d"]);
        assert_eq!(sorted("events:desc", &rows), ["a", "e", "c", "b", "d"]);
        assert_eq!(sorted("status", &rows), ["c", "e", "a", "b", "d"]);
        assert_eq!(sorted("status:desc", &rows), ["a", "c", "e", "b", "d"]);
        assert_eq!(sorted("id:desc", &rows), ["e", "d", "c", "b", "a"]);
    }

    fn any_row() -> impl Strategy<Value = Row> {
        let id = "[ab]{1,2}";
        let url = "https?://[ab][.]c/[ab]?|bad";
        let rest = prop::sample::select(vec![
            "",
            r#","events":[],"is_active":true,"created_at":"2024-01-01T00:00:00Z""#,
            r#","events":["x"],"is_active":false,"created_at":"2023-01-01T00:00:00Z""#,
            r#","events":5,"is_active":null,"created_at":"never""#,
        ]);
        let webhook = (id, url, rest).prop_map(|(id, url, rest)| row(&format!(r#"{{"id":"{id}","url":"{url}"{rest}}}"#)));
        prop_oneof![8 => webhook, 1 => Just(row("7"))]
    }

    proptest! {
        #[test]
        fn sorting_is_a_stable_permutation_with_what_is_missing_last(
            rows in prop::collection::vec(any_row(), 0..20),
            key in prop::sample::select(SORT_KEYS.iter().map(|entry| entry.key).collect::<Vec<_>>()),
            descending: bool,
        ) {
            let sort = Sort { key, descending };
            let order = sort.order(rows.iter().map(Row::webhook));
            let mut places = order.clone();
            places.sort_unstable();
            prop_assert_eq!(places, (0..rows.len()).collect::<Vec<_>>());
            let of = |place: usize| rows[place].webhook().and_then(|webhook| key.of(webhook));
            for pair in order.windows(2) {
                match (of(pair[0]), of(pair[1])) {
                    (Some(a), Some(b)) if a == b => prop_assert!(pair[0] < pair[1]),
                    (Some(a), Some(b)) => prop_assert_eq!(a > b, descending),
                    (None, None) => prop_assert!(pair[0] < pair[1]),
                    (before, _) => prop_assert!(before.is_some()),
                }
            }
            let expected: Vec<Row> = order.iter().map(|&place| rows[place].clone()).collect();
            prop_assert_eq!(sort.sorted(rows, Row::webhook), expected);
        }
    }
}
