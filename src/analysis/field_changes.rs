//! The differences of two versions of a webhook, field by field.

use std::borrow::Cow;
use std::collections::BTreeSet;

use url::Url;

use crate::base::redact;
use crate::model::{EventEntry, Field, Json, RowRef, Webhook, hash_secrets, same_value};

/// Fields whose differences are ignored: `url`, `events`, `is_active`, `created_at`, any other name, or a part of the URL such
/// as `url.query`.
#[derive(Debug, Clone, Default)]
pub struct IgnoredFields(pub Vec<String>);

impl IgnoredFields {
    fn covers(&self, field: &str) -> bool {
        self.0.iter().any(|name| field == name || (name == "url" && field.starts_with("url.")))
    }
}

/// A field that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name; a part of the URL is `url.host` or the like.
    pub field: String,
    pub kind: FieldChangeKind,
}

/// The change of a field. Texts are true and unmasked, except [`UrlPart::masked`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldChangeKind {
    /// A part of the URL, or all of one that does not parse; `None` if the URL has no such part.
    Url { before: Option<UrlPart>, after: Option<UrlPart> },
    /// Names, or the JSON of entries that are not strings.
    Events { added: Vec<String>, removed: Vec<String> },
    /// The value as JSON; `None` if there is none.
    Value { before: Option<String>, after: Option<String> },
}

/// A part of a URL. Its secrets can be recognized only in the whole URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlPart {
    pub raw: String,
    pub masked: String,
}

/// The URL and the events of a webhook: those that share them are probably the same subscription.
pub(super) fn purpose(webhook: &Webhook) -> (String, BTreeSet<String>) {
    (webhook.url.raw().to_owned(), entries(webhook).unwrap_or_default())
}

/// Returns true if any field differs. Values that are only spelled differently are the same.
pub fn is_changed(before: RowRef<'_>, after: RowRef<'_>) -> bool {
    differ(before, after, &IgnoredFields::default())
}

pub(super) fn differ(before: RowRef<'_>, after: RowRef<'_>, ignored: &IgnoredFields) -> bool {
    // Nearly always all fields are the same.
    if before.is_same(after) {
        return false;
    }
    match (before.webhook(), after.webhook()) {
        (Some(before), Some(after)) => !field_changes(&before, &after, ignored).is_empty(),
        _ => true,
    }
}

/// The changes of a webhook: the parts of the URL, the events, then the other fields in the order in which they are written.
pub fn field_changes(before: &Webhook, after: &Webhook, ignored: &IgnoredFields) -> Vec<FieldChange> {
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
        (!same).then(|| FieldChange { field: field.to_owned(), kind: FieldChangeKind::Value { before, after } })
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

/// Compares events as a set: their order and repetition have no meaning. A value that is not a list is compared as it is.
fn event_changes(before: &Webhook, after: &Webhook) -> Option<FieldChange> {
    let field = "events".to_owned();
    if let (Some(old), Some(new)) = (entries(before), entries(after)) {
        let (added, removed) = (new.difference(&old).cloned().collect(), old.difference(&new).cloned().collect());
        return (old != new).then_some(FieldChange { field, kind: FieldChangeKind::Events { added, removed } });
    }
    let text = |webhook: &Webhook| json(&webhook.events, |events| serde_json::to_string(events).unwrap_or_default());
    let (before, after) = (text(before), text(after));
    let same = match (&before, &after) {
        (Some(before), Some(after)) => same_value(before, after),
        _ => before == after,
    };
    (!same).then_some(FieldChange { field, kind: FieldChangeKind::Value { before, after } })
}

fn entries(webhook: &Webhook) -> Option<BTreeSet<String>> {
    let text = |entry: &EventEntry| match entry {
        EventEntry::Name(name) => name.raw().to_owned(),
        EventEntry::Odd(json) => Json::raw(json).to_owned(),
    };
    Some(webhook.events.value()?.iter().map(text).collect())
}

/// Two versions of a value. If the credentials in one are hashed, hashes those in the other, so that a redacted snapshot can be
/// compared with a workspace.
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
        kind: FieldChangeKind::Url { before, after },
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
    use crate::model::testing::row_of;

    /// The changes of one webhook, a line each.
    fn changed(before: &str, after: &str, ignored: &[&str]) -> Vec<String> {
        let [before, after] = [before, after].map(row_of);
        let (before, after) = (before.row(), after.row());
        let ignored = IgnoredFields(ignored.iter().map(ToString::to_string).collect());
        let changes = field_changes(&before.webhook().unwrap(), &after.webhook().unwrap(), &ignored);
        assert_eq!(differ(before, after, &ignored), !changes.is_empty());
        let text = |side: Option<String>| side.unwrap_or_else(|| "-".to_owned());
        let line = |change: FieldChange| match change.kind {
            FieldChangeKind::Url { before, after } => {
                let [before, after] = [before, after].map(|side| text(side.map(|part| part.raw)));
                format!("{} {before} {after}", change.field)
            }
            FieldChangeKind::Value { before, after } => format!("{} {} {}", change.field, text(before), text(after)),
            FieldChangeKind::Events { added, removed } => {
                format!("{} +{} -{}", change.field, added.join(","), removed.join(","))
            }
        };
        changes.into_iter().map(line).collect()
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
}
