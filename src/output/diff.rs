//! Differences as they are written: a line for each field that changed in tables, whole webhooks in JSON.

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::{Column, Format, Output, Record, Tone};
use crate::analysis::diff::{FieldChange, Kind};
use crate::model::{Destination, Entry, Json, Webhook};
use crate::redact::{MASK, mask_url};
use crate::text::{Safe, Untrusted, clean};

/// What happened to a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    Added,
    Removed,
    Changed,
    /// It is not in the listing, and whether it is gone could not be learned.
    Unknown,
    /// One that went and one that came have the same URL and events.
    Moved,
}

impl Happened {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
            Self::Moved => "moved",
        }
    }
}

/// One line of a difference.
#[derive(Debug, Clone)]
pub struct DiffLine {
    pub happened: Happened,
    pub id: Untrusted,
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
    of: Of,
}

/// What kind of text the values are, which decides how they may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Url,
    Userinfo,
    /// A query or a fragment, without the sign before it.
    Tail,
    Text,
    Json,
}

impl DiffLine {
    /// A webhook that came, went, or may have gone.
    pub fn whole(happened: Happened, webhook: &Webhook) -> Self {
        let url = Some(webhook.url.raw().to_owned());
        let (before, after) = if happened == Happened::Added { (None, url) } else { (url, None) };
        Self { happened, id: webhook.id.raw().into(), field: "url".to_owned(), before, after, of: Of::Url }
    }

    /// A webhook that seems to be another one now.
    pub fn moved(from: &str, to: &str) -> Self {
        let (before, after) = (Some(from.to_owned()), Some(to.to_owned()));
        Self { happened: Happened::Moved, id: from.into(), field: "id".to_owned(), before, after, of: Of::Text }
    }

    /// A field that changed.
    pub fn of(id: &str, change: FieldChange) -> Self {
        let of = match (&change.kind, change.field.as_str()) {
            (Kind::Url { .. }, "url") => Of::Url,
            (Kind::Url { .. }, "url.userinfo") => Of::Userinfo,
            (Kind::Url { .. }, "url.query" | "url.fragment") => Of::Tail,
            (Kind::Url { .. } | Kind::Events { .. }, _) => Of::Text,
            (Kind::Value { .. }, _) => Of::Json,
        };
        let (before, after) = match change.kind {
            Kind::Url { before, after } | Kind::Value { before, after } => (before, after),
            Kind::Events { added, removed } => (signed('-', &removed), signed('+', &added)),
        };
        Self { happened: Happened::Changed, id: id.into(), field: change.field, before, after, of }
    }

    /// Before and after for people; `None` where there is nothing.
    pub fn sides(&self, reveal: bool) -> (Option<Safe>, Option<Safe>) {
        let before = self.before.as_deref().map(|text| self.shown(Some(text), reveal));
        (before, self.after.is_some().then(|| self.shown_after(reveal)))
    }

    fn shown(&self, value: Option<&str>, reveal: bool) -> Safe {
        let Some(text) = value else { return Safe::default() };
        match self.of {
            Of::Url => Destination::new(text).clean(reveal),
            Of::Userinfo | Of::Tail if reveal => clean(text),
            Of::Userinfo => MASK.into(),
            Of::Tail => clean(mask_url(&format!("?{text}")).trim_start_matches('?')),
            Of::Text => clean(text),
            Of::Json => json(text).map_or_else(|| clean(text), |json| json.summary(LONGEST, reveal)),
        }
    }

    fn shown_after(&self, reveal: bool) -> Safe {
        let after = self.shown(self.after.as_deref(), reveal);
        // Else it would look as if nothing had changed.
        let hidden = self.before.is_some() && self.after.is_some() && after == self.shown(self.before.as_deref(), reveal);
        if hidden { crate::safe!("{} (another one)", after) } else { after }
    }
}

/// Columns that a single value of JSON may take in a table.
const LONGEST: usize = 1_000;

fn json(text: &str) -> Option<Json> {
    Json::new(serde_json::from_str::<&RawValue>(text).ok()?).ok()
}

/// `+call.ended +call.failed`.
fn signed(sign: char, names: &[String]) -> Option<String> {
    let signed: Vec<_> = names.iter().map(|name| format!("{sign}{name}")).collect();
    (!signed.is_empty()).then(|| signed.join(" "))
}

impl Serialize for DiffLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("change", self.happened.name())?;
        map.serialize_entry("id", self.id.raw())?;
        map.serialize_entry("field", &self.field)?;
        map.serialize_entry("before", &self.before)?;
        map.serialize_entry("after", &self.after)?;
        map.end()
    }
}

impl Record for DiffLine {
    const COLUMNS: &'static [Column<Self>] = &[
        Column {
            name: "change",
            about: "added, removed, changed, unknown (not listed, not known to be gone) or moved (perhaps)",
            right: false,
            cut: false,
            text: |line, _| line.happened.name().to_owned(),
            shown: None,
            tone,
            json: |line, _| to_raw_value(line.happened.name()).ok(),
        },
        Column {
            name: "id",
            about: "the webhook's id",
            right: false,
            cut: false,
            text: |line, _| line.id.raw().to_owned(),
            shown: None,
            tone: |_| Tone::Plain,
            json: |line, _| to_raw_value(line.id.raw()).ok(),
        },
        Column {
            name: "field",
            about: "what of it: a field, or a part of the URL",
            right: false,
            cut: true,
            text: |line, _| line.field.clone(),
            shown: None,
            tone: |_| Tone::Plain,
            json: |line, _| to_raw_value(&line.field).ok(),
        },
        Column {
            name: "before",
            about: "the value before; of events, the names that went",
            right: false,
            cut: true,
            text: |line, _| line.before.clone().unwrap_or_default(),
            shown: Some(|line, _| line.shown(line.before.as_deref(), false)),
            tone: |_| Tone::Plain,
            json: |line, _| to_raw_value(&line.before).ok(),
        },
        Column {
            name: "after",
            about: "the value after; of events, the names that came",
            right: false,
            cut: true,
            text: |line, _| line.after.clone().unwrap_or_default(),
            shown: Some(|line, _| line.shown_after(false)),
            tone: |_| Tone::Plain,
            json: |line, _| to_raw_value(&line.after).ok(),
        },
    ];

    fn usual(_: Format, _: bool) -> &'static [&'static str] {
        &["change", "id", "field", "before", "after"]
    }

    fn id(&self) -> Safe {
        self.id.clean()
    }
}

fn tone(line: &DiffLine) -> Tone {
    match line.happened {
        Happened::Added => Tone::Good,
        Happened::Removed | Happened::Unknown => Tone::Warning,
        Happened::Changed => Tone::Plain,
        Happened::Moved => Tone::Quiet,
    }
}

/// The text of one change as a JSON object: `time` if there is one, `kind`, `id`, `before`, `after`.
pub fn change_line(
    time: Option<&str>,
    happened: Happened,
    id: &str,
    before: Option<Entry<'_>>,
    after: Option<Entry<'_>>,
) -> String {
    let (before, after) = (before.map_or("null", Entry::json), after.map_or("null", Entry::json));
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let time = time.map(|time| format!(r#""time":{},"#, quoted(time))).unwrap_or_default();
    let (kind, id) = (happened.name(), quoted(id));
    format!(r#"{{{time}"kind":"{kind}","id":{id},"before":{before},"after":{after}}}"#)
}

/// What is written of a comparison, in the order of the ids.
pub struct Differences<'a> {
    pub added: Vec<Entry<'a>>,
    pub removed: Vec<Entry<'a>>,
    pub changed: Vec<(Entry<'a>, Entry<'a>)>,
    pub unknown: Vec<Entry<'a>>,
    pub moved: Vec<(Entry<'a>, Entry<'a>)>,
}

impl Differences<'_> {
    /// One document: `added`, `removed` and `changed`; then `unknown` and `moved`, if there are any.
    pub fn write_json<W: Write>(&self, out: &mut Output<W>) -> io::Result<()> {
        out.raw(b"{\"added\": [")?;
        array(out, self.added.iter(), |out, entry| out.json_text(entry.json()))?;
        out.raw(b"],\n\"removed\": [")?;
        array(out, self.removed.iter(), |out, entry| out.json_text(entry.json()))?;
        out.raw(b"],\n\"changed\": [")?;
        array(out, self.changed.iter(), |out, (before, after)| {
            out.raw(b"{\"id\":")?;
            out.json(&before.id())?;
            out.raw(b",\"before\":")?;
            out.json_text(before.json())?;
            out.raw(b",\"after\":")?;
            out.json_text(after.json())?;
            out.raw(b"}")
        })?;
        if !self.unknown.is_empty() {
            out.raw(b"],\n\"unknown\": [")?;
            array(out, self.unknown.iter(), |out, entry| out.json_text(entry.json()))?;
        }
        if !self.moved.is_empty() {
            out.raw(b"],\n\"moved\": [")?;
            array(out, self.moved.iter(), |out, (from, to)| {
                out.raw(b"{\"from\":")?;
                out.json(&from.id())?;
                out.raw(b",\"to\":")?;
                out.json(&to.id())?;
                out.raw(b"}")
            })?;
        }
        out.raw(b"]}\n")
    }

    /// One change a line, as JSON.
    pub fn lines<'s>(&'s self, time: Option<&'s str>) -> impl Iterator<Item = String> + 's {
        let line = move |happened, before: Option<Entry<'_>>, after: Option<Entry<'_>>| {
            let id = before.or(after).map_or("", Entry::id);
            change_line(time, happened, id, before, after)
        };
        (self.added.iter().map(move |&entry| line(Happened::Added, None, Some(entry))))
            .chain(self.removed.iter().map(move |&entry| line(Happened::Removed, Some(entry), None)))
            .chain(self.changed.iter().map(move |&(before, after)| line(Happened::Changed, Some(before), Some(after))))
            .chain(self.unknown.iter().map(move |&entry| line(Happened::Unknown, Some(entry), None)))
    }
}

/// The elements of an array, one a line.
fn array<T, W: Write>(
    out: &mut Output<W>,
    elements: impl ExactSizeIterator<Item = T>,
    mut write: impl FnMut(&mut Output<W>, T) -> io::Result<()>,
) -> io::Result<()> {
    let is_empty = elements.len() == 0;
    for (i, element) in elements.enumerate() {
        out.raw(if i == 0 { b"\n" } else { b",\n" })?;
        write(out, element)?;
    }
    if is_empty { Ok(()) } else { out.raw(b"\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(field: &str, kind: Kind) -> (String, String) {
        let line = DiffLine::of("a", FieldChange { field: field.to_owned(), kind });
        (line.shown(line.before.as_deref(), false).to_string(), line.shown_after(false).to_string())
    }

    fn url(before: &str, after: &str) -> Kind {
        Kind::Url { before: Some(before.to_owned()), after: Some(after.to_owned()) }
    }

    #[test]
    fn credentials_are_masked_for_people_and_a_change_of_them_is_seen() {
        let pair = |before: &str, after: &str| (before.to_owned(), after.to_owned());
        assert_eq!(shown("url.userinfo", url("a:b", "a:c")), pair("***", "*** (another one)"));
        assert_eq!(
            shown("url.query", url("x=1&token=s3cret", "x=1&token=0ther")),
            pair("x=1&token=***", "x=1&token=*** (another one)")
        );
        assert_eq!(shown("url.query", url("x=1&token=s3cret", "x=2&token=0ther")), pair("x=1&token=***", "x=2&token=***"));
        assert_eq!(shown("url.fragment", url("access_token=s3cret", "top")), pair("access_token=***", "top"));
        assert_eq!(shown("url", url("joe:pw@x", "y")), pair("***@x", "y"));
        let json = Kind::Value { before: None, after: Some(r#""https://x/?key=s3cret""#.to_owned()) };
        assert_eq!(shown("hook", json), pair("", r#""https://x/?key=***""#));
        assert_eq!(shown("url.host", url("a\u{1b}[31m", "b")).0, "a^[[31m");
    }
}
