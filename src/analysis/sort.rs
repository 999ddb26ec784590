//! The sort order of webhooks.

use super::words::nearest;
use crate::base::text::{Safe, clean_head};
use crate::safe;

/// The field to sort webhooks by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortKey {
    Created,
    Url,
    Host,
    Events,
    Status,
    Id,
}

/// A row of the table of sort keys.
#[derive(Debug)]
pub struct Entry {
    pub key: SortKey,
    /// The name on the command line and in the explorer.
    pub name: &'static str,
    /// The ascending order, for help.
    pub help: &'static str,
}

/// All sort keys, in the order of the help and of the explorer's key for the next one.
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

/// A sort key and a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sort {
    pub key: SortKey,
    pub descending: bool,
}

impl Sort {
    /// Parses `created`, `created:asc` or `created:desc`. The error message lists the valid values.
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
}

/// The start of an invalid word, for messages.
fn shown(word: &str) -> Safe {
    if word.is_empty() { "\"\"".into() } else { clean_head(word, 40) }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::model::testing::{paged_rows, rows_of};
    use crate::model::{Interner, RowNumber, RowRef, host, host_and_path};

    fn sorted(sort: &str, jsons: &[&str]) -> Vec<String> {
        let rows = rows_of(jsons);
        let all: Vec<RowNumber> = rows.iter().map(|(number, _)| number).collect();
        let id =
            |number: RowNumber| rows.row(number.into()).filter(|row| row.is_webhook()).map_or("-", RowRef::id).to_owned();
        Sort::parse(sort).unwrap().rows(&rows, &all).into_iter().map(id).collect()
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

    /// The value that a webhook is compared by.
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
    enum Key {
        Created(Timestamp),
        Url(String, String),
        Host(String),
        Events(usize),
        Inactive(bool),
        Id(String),
    }

    fn key_of(key: SortKey, row: RowRef<'_>) -> Option<Key> {
        let webhook = row.webhook()?;
        match key {
            SortKey::Created => webhook.created_at.value()?.at().map(Key::Created),
            SortKey::Url => host_and_path(webhook.url.raw()).map(|(host, path)| Key::Url(host.into(), path.into())),
            SortKey::Host => host(webhook.url.raw()).map(|host| Key::Host(host.into())),
            SortKey::Events => webhook.events.value().map(|events| Key::Events(events.len())),
            SortKey::Status => webhook.active().map(|active| Key::Inactive(!active)),
            SortKey::Id => Some(Key::Id(webhook.id.raw().to_owned())),
        }
    }

    fn any_row() -> impl Strategy<Value = String> {
        let url =
            r"https?://[ab][.]c/[ab]?|https://(a|b)\.com/a/long/path/[ab]{1,2}|http://A\.com:81/[ab]?|https://a\.com|none";
        let rest = prop::sample::select(vec![
            "",
            r#","events":[],"is_active":true,"created_at":"2024-01-01T00:00:00Z""#,
            r#","events":["x"],"is_active":false,"created_at":"2023-01-01T00:00:00.000Z""#,
            r#","events":["x","y"],"is_active":true,"created_at":"2024-01-01T00:00:00.000Z""#,
            r#","events":5,"is_active":null,"created_at":"never""#,
            r#","events":["x",1,null],"is_active":true"#,
        ]);
        let webhook = ("(w_alike_)?[ab]{1,2}", url, rest);
        let webhook = webhook.prop_map(|(id, url, rest)| format!(r#"{{"id":"{id}","url":"{url}"{rest}}}"#));
        prop_oneof![8 => webhook, 1 => Just("7".to_owned())]
    }

    proptest! {
        #[test]
        fn sorting_is_stable_with_what_is_missing_last(
            jsons in prop::collection::vec(any_row(), 0..30),
            page_size in 1_usize..30,
            key in prop::sample::select(SORT_KEYS.iter().map(|entry| entry.key).collect::<Vec<_>>()),
            descending: bool,
        ) {
            let rows = paged_rows(&Interner::default(), &jsons, page_size);
            let all: Vec<RowNumber> = rows.iter().map(|(number, _)| number).collect();
            let mut expected = all.clone();
            expected.sort_by(|&a, &b| {
                let [a, b] = [a, b].map(|number| key_of(key, rows.row(number.into()).unwrap()));
                match (a, b) {
                    (Some(a), Some(b)) if descending => b.cmp(&a),
                    (Some(a), Some(b)) => a.cmp(&b),
                    (a, b) => b.is_some().cmp(&a.is_some()),
                }
            });
            prop_assert_eq!(Sort { key, descending }.rows(&rows, &all), expected);
        }
    }
}
