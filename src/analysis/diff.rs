//! What differs between a workspace and itself at another time: what came, what went, and what changed field by field.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use url::Url;

use crate::base::redact;
use crate::model::{EventEntry, Field, Json, RowRef, RowsById, Webhook, hash_secrets, same_value};

/// The differences of two listings, each sorted by id.
#[derive(Debug, Clone, Default)]
pub struct Diff<'a> {
    pub added: Vec<RowRef<'a>>,
    pub removed: Vec<RowRef<'a>>,
    /// Before and after, of the same id.
    pub changed: Vec<(RowRef<'a>, RowRef<'a>)>,
    /// How many ids both sides have.
    pub shared: usize,
}

/// Fields whose differences do not count: `url`, `events`, `is_active`, `created_at`, any other name, or a part of the URL such
/// as `url.query`.
#[derive(Debug, Clone, Default)]
pub struct Ignored(pub Vec<String>);

impl Ignored {
    fn covers(&self, field: &str) -> bool {
        self.0.iter().any(|name| field == name || (name == "url" && field.starts_with("url.")))
    }
}

/// One field that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name; a part of the URL is `url.host` or the like.
    pub field: String,
    pub kind: Kind,
}

/// How a field changed. The texts are true and unmasked, but for those that are named so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A part of the URL, or all of one that does not parse; `None` where it has no such part.
    Url { before: Option<UrlPart>, after: Option<UrlPart> },
    /// Names, or the JSON that stands in place of one.
    Events { added: Vec<String>, removed: Vec<String> },
    /// The value as JSON; `None` where there is none.
    Value { before: Option<String>, after: Option<String> },
}

/// A part of a URL. What is secret in it only the whole URL tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlPart {
    pub raw: String,
    pub masked: String,
}

impl<'a> Diff<'a> {
    /// Compares two listings.
    pub fn of(before: &RowsById<'a>, after: &RowsById<'a>, ignored: &Ignored) -> Self {
        let mut diff = Self::default();
        let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (Some(old), Some(new)) => old.id().cmp(new.id()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return diff,
            };
            match order {
                Ordering::Less => diff.removed.extend(old.next()),
                Ordering::Greater => diff.added.extend(new.next()),
                Ordering::Equal => {
                    if let (Some(old), Some(new)) = (old.next(), new.next()) {
                        diff.shared += 1;
                        if differ(old, new, ignored) {
                            diff.changed.push((old, new));
                        }
                    }
                }
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// Leaves out what no side of is wanted.
    pub fn retain(&mut self, wanted: impl Fn(RowRef<'_>) -> bool) {
        self.added.retain(|&row| wanted(row));
        self.removed.retain(|&row| wanted(row));
        self.changed.retain(|&(before, after)| wanted(before) || wanted(after));
    }

    /// Whether the two sides look like different workspaces: both have webhooks, and no id in common.
    pub fn shares_nothing(&self) -> bool {
        self.shared == 0 && !self.added.is_empty() && !self.removed.is_empty()
    }

    /// Webhooks that seem to have been registered anew: one that went and one that came with the same URL and events, by their
    /// ids. Each stands in one pair.
    pub fn moved(&self) -> Vec<(RowRef<'a>, RowRef<'a>)> {
        if self.added.is_empty() || self.removed.is_empty() {
            return Vec::new();
        }
        let mut gone: HashMap<(String, BTreeSet<String>), Vec<RowRef<'a>>> = HashMap::new();
        for &entry in self.removed.iter().rev() {
            if let Some(webhook) = entry.webhook() {
                gone.entry(purpose(&webhook)).or_default().push(entry);
            }
        }
        let former = |&entry: &RowRef<'a>| Some((gone.get_mut(&purpose(&entry.webhook()?))?.pop()?, entry));
        self.added.iter().filter_map(former).collect()
    }
}

/// What a webhook is for.
pub(super) fn purpose(webhook: &Webhook) -> (String, BTreeSet<String>) {
    (webhook.url.raw().to_owned(), entries(webhook).unwrap_or_default())
}

/// Returns true if any field differs. Values that are only spelled differently are the same.
pub fn is_changed(before: RowRef<'_>, after: RowRef<'_>) -> bool {
    differ(before, after, &Ignored::default())
}

fn differ(before: RowRef<'_>, after: RowRef<'_>, ignored: &Ignored) -> bool {
    // Nearly always all fields are the same.
    if before.is_same(after) {
        return false;
    }
    match (before.webhook(), after.webhook()) {
        (Some(before), Some(after)) => !changes(&before, &after, ignored).is_empty(),
        _ => true,
    }
}

/// What changed of a webhook: the parts of the URL, the events, then the other fields in the order in which they are written.
pub fn changes(before: &Webhook, after: &Webhook, ignored: &Ignored) -> Vec<FieldChange> {
    let salt = before.id.raw();
    let mut found = url_changes(before.url.raw(), after.url.raw(), salt);
    found.extend(event_changes(before, after));
    let value = |field: &str, before: Option<String>, after: Option<String>| {
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) => {
                let (before, after) = alike(&before, &after, |json| hash_secrets(json, salt));
                (Some(before.into_owned()), Some(after.into_owned()))
            }
            missing => missing,
        };
        let same = match (&before, &after) {
            (Some(before), Some(after)) => same_value(before, after),
            (None, None) => true,
            _ => false,
        };
        (!same).then(|| FieldChange { field: field.to_owned(), kind: Kind::Value { before, after } })
    };
    let active = |webhook: &Webhook| json(&webhook.is_active, ToString::to_string);
    let created =
        |webhook: &Webhook| json(&webhook.created_at, |created| serde_json::Value::from(created.raw()).to_string());
    found.extend(value("is_active", active(before), active(after)));
    found.extend(value("created_at", created(before), created(after)));
    let unknown = |webhook: &Webhook, wanted: &str| {
        let found = webhook.unknown.iter().find(|(name, _)| name.raw() == wanted);
        found.map(|(_, json)| json.raw().to_owned())
    };
    let names: BTreeSet<_> = before.unknown.iter().chain(&after.unknown).map(|(name, _)| name.raw()).collect();
    found.extend(names.into_iter().filter_map(|name| value(name, unknown(before, name), unknown(after, name))));
    found.retain(|change| !ignored.covers(&change.field));
    found
}

fn json<T>(field: &Field<T>, text: impl FnOnce(&T) -> String) -> Option<String> {
    match field {
        Field::Missing => None,
        Field::Value(value) => Some(text(value)),
        Field::Odd(json) => Some(json.raw().to_owned()),
    }
}

/// Events as a set: their order and how often one is named mean nothing. What is no list is compared as a value.
fn event_changes(before: &Webhook, after: &Webhook) -> Option<FieldChange> {
    let field = "events".to_owned();
    if let (Some(old), Some(new)) = (entries(before), entries(after)) {
        let (added, removed) = (new.difference(&old).cloned().collect(), old.difference(&new).cloned().collect());
        return (old != new).then_some(FieldChange { field, kind: Kind::Events { added, removed } });
    }
    let text = |webhook: &Webhook| json(&webhook.events, |events| serde_json::to_string(events).unwrap_or_default());
    let (before, after) = (text(before), text(after));
    let same = match (&before, &after) {
        (Some(before), Some(after)) => same_value(before, after),
        _ => before == after,
    };
    (!same).then_some(FieldChange { field, kind: Kind::Value { before, after } })
}

fn entries(webhook: &Webhook) -> Option<BTreeSet<String>> {
    let text = |entry: &EventEntry| match entry {
        EventEntry::Name(name) => name.raw().to_owned(),
        EventEntry::Odd(json) => Json::raw(json).to_owned(),
    };
    Some(webhook.events.value()?.iter().map(text).collect())
}

/// The two sides of a value, with the credentials of both hashed where those of one are: a snapshot without secrets can be
/// compared with a workspace that has them.
fn alike<'a>(before: &'a str, after: &'a str, hashed: impl Fn(&str) -> String) -> (Cow<'a, str>, Cow<'a, str>) {
    match (redact::holds_hash(before), redact::holds_hash(after)) {
        (true, false) => (before.into(), hashed(after).into()),
        (false, true) => (hashed(before).into(), after.into()),
        _ => (before.into(), after.into()),
    }
}

/// The parts of the URL that differ; all of it when one does not parse, or when only the spelling differs.
fn url_changes(before: &str, after: &str, salt: &str) -> Vec<FieldChange> {
    let (before, after) = &alike(before, after, |url| redact::hash_url(url, salt));
    if before == after {
        return Vec::new();
    }
    let change = |part: &str, before: Option<UrlPart>, after: Option<UrlPart>| FieldChange {
        field: if part.is_empty() { "url".to_owned() } else { format!("url.{part}") },
        kind: Kind::Url { before, after },
    };
    let all_of = |url: &str| Some(UrlPart { raw: url.to_owned(), masked: redact::mask_url(url) });
    let whole = || vec![change("", all_of(before), all_of(after))];
    let (Ok(old), Ok(new)) = (Url::parse(before), Url::parse(after)) else { return whole() };
    let mut found = Vec::new();
    for ((part, old), (_, new)) in masked_parts(&old).into_iter().zip(masked_parts(&new)) {
        if old.as_ref().map(|part| &part.raw) != new.as_ref().map(|part| &part.raw) {
            found.push(change(part, old, new));
        }
    }
    if found.is_empty() { whole() } else { found }
}

/// The parts of a URL, each beside itself as it is when the whole URL is masked.
fn masked_parts(url: &Url) -> Vec<(&'static str, Option<UrlPart>)> {
    let masked = Url::parse(&redact::mask_url(url.as_str())).map(|masked| parts(&masked).map(|(_, text)| text));
    let masked = masked.unwrap_or_default();
    let part = |((name, raw), masked): ((&'static str, Option<String>), Option<String>)| {
        (name, raw.map(|raw| UrlPart { raw, masked: masked.unwrap_or_else(|| redact::MASK.to_owned()) }))
    };
    parts(url).into_iter().zip(masked).map(part).collect()
}

/// The parts of a URL in their order, by name.
fn parts(url: &Url) -> [(&'static str, Option<String>); 7] {
    let userinfo = match (url.username(), url.password()) {
        ("", None) => None,
        (user, None) => Some(user.to_owned()),
        (user, Some(password)) => Some(format!("{user}:{password}")),
    };
    [
        ("scheme", Some(url.scheme().to_owned())),
        ("userinfo", userinfo),
        ("host", url.host_str().map(str::to_owned)),
        ("port", url.port().map(|port| port.to_string())),
        ("path", Some(url.path().to_owned())),
        ("query", url.query().map(str::to_owned)),
        ("fragment", url.fragment().map(str::to_owned)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Rows;
    use crate::model::testing::rows_of;

    fn compared<'r>(before: &'r Rows, after: &'r Rows, ignored: &Ignored) -> Diff<'r> {
        Diff::of(&RowsById::new(before), &RowsById::new(after), ignored)
    }

    fn ids<'r>(rows: &[RowRef<'r>]) -> Vec<&'r str> {
        rows.iter().map(|row| row.id()).collect()
    }

    /// The changes of one webhook, a line each.
    fn changed(before: &str, after: &str, ignored: &[&str]) -> Vec<String> {
        let (before, after) = (rows_of(&[before]), rows_of(&[after]));
        let ignored = Ignored(ignored.iter().map(ToString::to_string).collect());
        let diff = compared(&before, &after, &ignored);
        let Some((old, new)) = diff.changed.first() else { return Vec::new() };
        let text = |side: Option<String>| side.unwrap_or_else(|| "-".to_owned());
        let line = |change: FieldChange| match change.kind {
            Kind::Url { before, after } => {
                let [before, after] = [before, after].map(|side| text(side.map(|part| part.raw)));
                format!("{} {before} {after}", change.field)
            }
            Kind::Value { before, after } => format!("{} {} {}", change.field, text(before), text(after)),
            Kind::Events { added, removed } => format!("{} +{} -{}", change.field, added.join(","), removed.join(",")),
        };
        changes(&old.webhook().unwrap(), &new.webhook().unwrap(), &ignored).into_iter().map(line).collect()
    }

    #[test]
    fn what_came_went_and_changed_is_told() {
        let before = rows_of(&[r#"{"id":"c","url":"u"}"#, r#"{"id":"a","url":"u"}"#, r#"{"id":"b","url":"u"}"#]);
        let after = rows_of(&[r#"{"id":"d","url":"u"}"#, r#"{"id":"b","url":"v"}"#, r#"{"id":"a","url":"u"}"#]);
        let diff = compared(&before, &after, &Ignored::default());
        assert_eq!((ids(&diff.added), ids(&diff.removed)), (vec!["d"], vec!["c"]));
        assert_eq!(diff.changed.iter().map(|(before, _)| before.id()).collect::<Vec<_>>(), ["b"]);
        assert!(diff.shared == 2 && !diff.shares_nothing());
        assert!(compared(&before, &before, &Ignored::default()).is_empty());
    }

    #[test]
    fn a_url_is_compared_by_its_parts() {
        let url = |url: &str| format!(r#"{{"id":"a","url":"{url}"}}"#);
        let changed = |before: &str, after: &str| changed(&url(before), &url(after), &[]);
        assert_eq!(changed("https://a.com/x", "https://b.com/x"), ["url.host a.com b.com"]);
        assert_eq!(
            changed("http://a.com/x?k=1", "https://u:p@a.com:8443/y#f"),
            [
                "url.scheme http https",
                "url.userinfo - u:p",
                "url.port - 8443",
                "url.path /x /y",
                "url.query k=1 -",
                "url.fragment - f"
            ]
        );
        assert_eq!(changed("https://a.com", "https://A.com/"), ["url https://a.com https://A.com/"]);
        assert_eq!(changed("no url", "https://a.com/"), ["url no url https://a.com/"]);
        assert_eq!(changed(r"https:\/\/a.com\/", "https://a.com/"), Vec::<String>::new());
    }

    #[test]
    fn events_are_a_set() {
        let events = |events: &str| format!(r#"{{"id":"a","url":"u","events":{events}}}"#);
        let changed = |before: &str, after: &str| changed(&events(before), &events(after), &[]);
        assert_eq!(changed(r#"["x","y"]"#, r#"["y","x","x"]"#), Vec::<String>::new());
        assert_eq!(changed(r#"["x","y"]"#, r#"["y","z",7]"#), ["events +7,z -x"]);
        assert_eq!(changed("[]", "null"), ["events [] null"]);
        assert_eq!(changed(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#), Vec::<String>::new());
    }

    #[test]
    fn other_fields_are_compared_by_value() {
        let before = r#"{"id":"a","url":"u","is_active":true,"created_at":"t","n":1.0,"o":{"x":1,"y":2},"gone":null}"#;
        let after = r#"{"id":"a","url":"u","is_active":"yes","o":{"y":2,"x":1},"n":1,"new":"\u001b"}"#;
        assert_eq!(
            changed(before, after, &[]),
            [r#"is_active true "yes""#, r#"created_at "t" -"#, "gone null -", r#"new - "\u001b""#]
        );
        assert_eq!(changed(before, after, &["is_active", "created_at", "new"]), ["gone null -"]);
        assert!(changed(before, after, &["is_active", "created_at", "new", "gone"]).is_empty());
    }

    #[test]
    fn a_part_of_the_url_can_be_ignored_and_all_of_it_too() {
        let (before, after) = (r#"{"id":"a","url":"https://a.com/?v=1"}"#, r#"{"id":"a","url":"https://b.com/?v=2"}"#);
        assert_eq!(changed(before, after, &["url.query"]), ["url.host a.com b.com"]);
        assert!(changed(before, after, &["url"]).is_empty());
        assert_eq!(changed(before, after, &["ur"]).len(), 2);
    }

    #[test]
    fn what_was_registered_anew_is_recognised_once() {
        let hook = |id: &str, events: &str| format!(r#"{{"id":"{id}","url":"https://a.com/","events":{events}}}"#);
        let before = rows_of(&[&hook("a", r#"["x","y"]"#), &hook("b", r#"["x","y"]"#), &hook("c", r#"["z"]"#)]);
        let after = rows_of(&[&hook("n", r#"["y","x"]"#), &hook("o", r#"["other"]"#)]);
        let diff = compared(&before, &after, &Ignored::default());
        let moved: Vec<_> = diff.moved().iter().map(|(old, new)| (old.id(), new.id())).collect();
        assert_eq!(moved, [("a", "n")]);
        assert!(diff.shares_nothing());
    }

    #[test]
    fn a_filter_looks_at_both_sides() {
        let before = rows_of(&[r#"{"id":"a","url":"https://old/"}"#, r#"{"id":"b","url":"https://old/"}"#]);
        let after = rows_of(&[r#"{"id":"a","url":"https://new/"}"#, r#"{"id":"c","url":"https://new/"}"#]);
        let wanted = |word: &'static str| {
            let mut diff = compared(&before, &after, &Ignored::default());
            diff.retain(|row| row.url().contains(word));
            (diff.added.len(), diff.removed.len(), diff.changed.len())
        };
        assert_eq!((wanted("old"), wanted("new"), wanted("none")), ((0, 1, 1), (1, 0, 1), (0, 0, 0)));
    }
}
