//! The output of differences: a line per changed field in tables, whole webhooks in JSON.

use std::io::{self, Write};

use serde_json::value::RawValue;

use super::record::{CellValue, Column, Format, Record, Tone};
use super::stdout::Output;
use crate::analysis::field_changes::{FieldChange, FieldChangeKind, UrlPart};
use crate::base::redact::mask_url;
use crate::base::text::{Safe, Untrusted, clean};
use crate::model::{Json, RowRef};

/// The kind of change of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Removed,
    Changed,
    /// Not listed, but its removal is not confirmed.
    Unknown,
    /// Possibly re-registered: one was removed and one was added with the same URL and events.
    Moved,
}

impl ChangeKind {
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
    pub happened: ChangeKind,
    pub id: Untrusted,
    pub field: String,
    before: Option<DiffValue>,
    after: Option<DiffValue>,
}

/// A value, by how people may see it.
#[derive(Debug, Clone)]
enum DiffValue {
    Url(UrlPart),
    Text(String),
    Json(String),
}

impl DiffValue {
    fn raw(&self) -> &str {
        match self {
            Self::Url(UrlPart { raw, .. }) | Self::Text(raw) | Self::Json(raw) => raw,
        }
    }

    fn shown(&self, reveal: bool) -> Safe {
        match self {
            Self::Url(part) => clean(if reveal { &part.raw } else { &part.masked }),
            Self::Text(text) => clean(text),
            Self::Json(text) => json(text).map_or_else(|| clean(text), |json| json.summary(LONGEST, reveal)),
        }
    }
}

impl DiffLine {
    /// A webhook that was added or removed, or that is unconfirmed.
    pub fn whole(happened: ChangeKind, row: RowRef<'_>) -> Self {
        let url = row.url();
        let url = Some(DiffValue::Url(UrlPart { raw: url.to_owned(), masked: mask_url(url) }));
        let (before, after) = if happened == ChangeKind::Added { (None, url) } else { (url, None) };
        Self { happened, id: row.id().into(), field: "url".to_owned(), before, after }
    }

    /// A webhook that was possibly re-registered with another id.
    pub fn moved(from: &str, to: &str) -> Self {
        let [before, after] = [from, to].map(|id| Some(DiffValue::Text(id.to_owned())));
        Self { happened: ChangeKind::Moved, id: from.into(), field: "id".to_owned(), before, after }
    }

    /// A field that changed.
    pub fn of(id: &str, change: FieldChange) -> Self {
        let [before, after] = match change.kind {
            FieldChangeKind::Url { before, after } => [before, after].map(|side| side.map(DiffValue::Url)),
            FieldChangeKind::Value { before, after } => [before, after].map(|side| side.map(DiffValue::Json)),
            FieldChangeKind::Events { added, removed } => {
                [signed('-', &removed), signed('+', &added)].map(|side| side.map(DiffValue::Text))
            }
        };
        Self { happened: ChangeKind::Changed, id: id.into(), field: change.field, before, after }
    }

    /// Before and after for people; `None` where there is nothing.
    pub fn sides(&self, reveal: bool) -> (Option<Safe>, Option<Safe>) {
        let before = self.before.as_ref().map(|value| value.shown(reveal));
        (before, self.after.is_some().then(|| self.shown_after(reveal)))
    }

    fn shown_before(&self) -> Safe {
        self.sides(false).0.unwrap_or_default()
    }

    fn shown_after(&self, reveal: bool) -> Safe {
        let shown = |value: &Option<DiffValue>| value.as_ref().map(|value| value.shown(reveal));
        let after = shown(&self.after).unwrap_or_default();
        // The masked texts are the same, but the values are not.
        let hidden = self.after.is_some() && shown(&self.before).as_ref() == Some(&after);
        if hidden { crate::safe!("{} (different)", after) } else { after }
    }
}

/// The most columns of a JSON value in a table.
const LONGEST: usize = 1_000;

fn json(text: &str) -> Option<Json> {
    Json::new(serde_json::from_str::<&RawValue>(text).ok()?).ok()
}

/// `+call.ended +call.failed`.
fn signed(sign: char, names: &[String]) -> Option<String> {
    let signed: Vec<_> = names.iter().map(|name| format!("{sign}{name}")).collect();
    (!signed.is_empty()).then(|| signed.join(" "))
}

impl Record for DiffLine {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new(
            "change",
            "added, removed, changed, unknown (not listed, removal not confirmed) or moved (possibly re-registered)",
            |line, _| line.happened.name().into(),
        )
        .toned(tone),
        Column::new("id", "id of the webhook", |line, _| line.id.raw().into()),
        Column::long("field", "changed field, or part of the URL", |line, _| line.field.as_str().into()),
        Column::long("before", "value before; for events, the removed names", |line, _| {
            masked(line.before.as_ref(), line.shown_before())
        }),
        Column::long("after", "value after; for events, the added names", |line, _| {
            masked(line.after.as_ref(), line.shown_after(false))
        }),
    ];

    fn usual(_: Format) -> &'static [&'static str] {
        &["change", "id", "field", "before", "after"]
    }

    fn id(&self) -> Safe {
        self.id.clean()
    }
}

fn masked(value: Option<&DiffValue>, shown: Safe) -> CellValue<'_> {
    value.map_or(CellValue::Null, |value| CellValue::Masked(value.raw(), shown))
}

fn tone(line: &DiffLine) -> Tone {
    match line.happened {
        ChangeKind::Added => Tone::Good,
        ChangeKind::Removed | ChangeKind::Unknown => Tone::Warning,
        ChangeKind::Changed => Tone::Plain,
        ChangeKind::Moved => Tone::Quiet,
    }
}

/// The text of one change as a JSON object: `time` if there is one, `kind`, `id`, `before`, `after`.
pub fn change_line(
    time: Option<&str>,
    happened: ChangeKind,
    id: &str,
    before: Option<RowRef<'_>>,
    after: Option<RowRef<'_>>,
) -> String {
    let json = |row: Option<RowRef<'_>>| row.map_or_else(|| "null".to_owned(), |row| row.canonical_json().into_owned());
    let (before, after) = (json(before), json(after));
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let time = time.map(|time| format!(r#""time":{},"#, quoted(time))).unwrap_or_default();
    let (kind, id) = (happened.name(), quoted(id));
    format!(r#"{{{time}"kind":"{kind}","id":{id},"before":{before},"after":{after}}}"#)
}

/// The result of a comparison, in the order of the ids.
pub struct Differences<'a> {
    pub added: Vec<RowRef<'a>>,
    pub removed: Vec<RowRef<'a>>,
    pub changed: Vec<(RowRef<'a>, RowRef<'a>)>,
    pub unknown: Vec<RowRef<'a>>,
    pub moved: Vec<(RowRef<'a>, RowRef<'a>)>,
}

impl Differences<'_> {
    /// Writes one document: `added`, `removed` and `changed`; then `unknown` and `moved`, if there are any.
    pub fn write_json<W: Write>(&self, out: &mut Output<W>) -> io::Result<()> {
        out.raw(b"{\"added\": [")?;
        array(out, self.added.iter(), |out, entry| out.json_text(&entry.canonical_json()))?;
        out.raw(b"],\n\"removed\": [")?;
        array(out, self.removed.iter(), |out, entry| out.json_text(&entry.canonical_json()))?;
        out.raw(b"],\n\"changed\": [")?;
        array(out, self.changed.iter(), |out, (before, after)| {
            out.raw(b"{\"id\":")?;
            out.json(&before.id())?;
            out.raw(b",\"before\":")?;
            out.json_text(&before.canonical_json())?;
            out.raw(b",\"after\":")?;
            out.json_text(&after.canonical_json())?;
            out.raw(b"}")
        })?;
        if !self.unknown.is_empty() {
            out.raw(b"],\n\"unknown\": [")?;
            array(out, self.unknown.iter(), |out, entry| out.json_text(&entry.canonical_json()))?;
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

    /// One change per line, as JSON.
    pub fn lines<'s>(&'s self, time: Option<&'s str>) -> impl Iterator<Item = String> + 's {
        let line = move |happened, before: Option<RowRef<'_>>, after: Option<RowRef<'_>>| {
            let id = before.or(after).map_or("", RowRef::id);
            change_line(time, happened, id, before, after)
        };
        (self.added.iter().map(move |&entry| line(ChangeKind::Added, None, Some(entry))))
            .chain(self.removed.iter().map(move |&entry| line(ChangeKind::Removed, Some(entry), None)))
            .chain(self.changed.iter().map(move |&(before, after)| line(ChangeKind::Changed, Some(before), Some(after))))
            .chain(self.unknown.iter().map(move |&entry| line(ChangeKind::Unknown, Some(entry), None)))
    }
}

/// Writes the elements of an array, one per line.
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
    use crate::analysis::field_changes::{IgnoredFields, field_changes};
    use crate::model::testing::webhook_of;

    /// The lines of a webhook whose URL changed: field, before and after.
    fn shown(before: &str, after: &str) -> Vec<(String, String, String)> {
        let webhook = |url: &str| webhook_of(&format!(r#"{{"id":"a","url":"{url}"}}"#));
        let changes = field_changes(&webhook(before), &webhook(after), &IgnoredFields::default());
        let line = |change| {
            let line = DiffLine::of("a", change);
            (line.field.clone(), line.shown_before().to_string(), line.shown_after(false).to_string())
        };
        changes.into_iter().map(line).collect()
    }

    #[test]
    fn credentials_are_masked_for_people_and_a_change_of_them_is_seen() {
        let hook = |token: &str| format!("https://hooks.slack.com/services/T0/B0/{token}");
        for (before, after, expected) in [
            ("https://a:b@x.io/", "https://a:c@x.io/", ("url.userinfo", "***", "*** (different)")),
            (
                "https://x.io/?x=1&token=s3cret",
                "https://x.io/?x=1&token=0ther",
                ("url.query", "x=1&token=***", "x=1&token=*** (different)"),
            ),
            (
                "https://x.io/?x=1&token=s3cret",
                "https://x.io/?x=2&token=0ther",
                ("url.query", "x=1&token=***", "x=2&token=***"),
            ),
            ("https://x.io/#access_token=s3cret", "https://x.io/#top", ("url.fragment", "access_token=***", "top")),
            (&hook("s3cret"), &hook("0ther"), ("url.path", "/services/T0/B0/***", "/services/T0/B0/*** (different)")),
            ("https://joe:p/w@x.io/", "https://x.io/", ("url", "https://***@x.io/", "https://x.io/")),
            ("https://x.io/", "https://y.io/", ("url.host", "x.io", "y.io")),
        ] {
            let (field, before_shown, after_shown) = expected;
            assert_eq!(shown(before, after), [(field.into(), before_shown.into(), after_shown.into())], "{before}");
        }
        let json = FieldChangeKind::Value { before: None, after: Some(r#""https://x/?key=s3cret""#.to_owned()) };
        let line = DiffLine::of("a", FieldChange { field: "hook".to_owned(), kind: json });
        assert_eq!(line.shown_after(false).as_str(), r#""https://x/?key=***""#);
        let removed = FieldChangeKind::Events { added: Vec::new(), removed: vec!["a\u{1b}[31m".to_owned()] };
        let line = DiffLine::of("a", FieldChange { field: "events".to_owned(), kind: removed });
        assert_eq!(line.shown_before().as_str(), "-a^[[31m");
    }
}
