//! The columns of webhooks.

use std::sync::Arc;

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::{Column, Entry, Format, Record, Tone};
use crate::base::clock;
use crate::base::text::{Safe, clean};
use crate::model::{Destination, EventEntry, Field, OwnedRow, Webhook};

/// A webhook as it is written, with the profile whose workspace it belongs to when several are read.
#[derive(Debug)]
pub struct Listed {
    pub profile: Option<Arc<str>>,
    pub row: OwnedRow,
}

impl Listed {
    /// The entry of a row.
    pub fn entry(profile: Option<&Arc<str>>, row: OwnedRow) -> Entry<Self> {
        if row.row().is_webhook() { Entry::Record(Self { profile: profile.cloned(), row }) } else { Entry::Malformed(row) }
    }

    /// A field in full, for values that the contract does not have.
    fn webhook(&self) -> Option<Webhook> {
        self.row.row().webhook()
    }
}

impl Serialize for Listed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some((profile, webhook)) = self.profile.as_ref().zip(self.webhook()) else {
            return self.row.row().serialize(serializer);
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("profile", &**profile)?;
        // A field of that name would be there twice.
        webhook.serialize_fields(&mut map, |name| name != "profile")?;
        map.end()
    }
}

impl Record for Listed {
    const COLUMNS: &'static [Column<Self>] = &[
        Column {
            name: "id",
            about: "id of the webhook",
            right: false,
            cut: false,
            text: |listed, _| listed.row.row().id().to_owned(),
            shown: None,
            tone: plain,
            json: |listed, _| raw(listed.row.row().id()),
        },
        Column {
            name: "url",
            about: "destination; tables mask credentials",
            right: false,
            cut: true,
            text: |listed, _| listed.row.row().url().to_owned(),
            shown: Some(|listed, _| Destination::new(listed.row.row().url()).clean(false)),
            tone: plain,
            json: |listed, _| raw(listed.row.row().url()),
        },
        Column {
            name: "events",
            about: "subscribed events, joined by commas",
            right: false,
            cut: true,
            text: |listed, _| text_of(listed, |webhook| &webhook.events, |events| join(events)),
            shown: None,
            tone: plain,
            json: |listed, _| json_of(listed, |webhook| &webhook.events, raw),
        },
        Column {
            name: "is_active",
            about: "true or false",
            right: false,
            cut: false,
            text: |listed, _| text_of(listed, |webhook| &webhook.is_active, ToString::to_string),
            shown: None,
            tone: state_tone,
            json: |listed, _| json_of(listed, |webhook| &webhook.is_active, raw),
        },
        Column {
            name: "created_at",
            about: "time of creation, as sent by the API",
            right: false,
            cut: false,
            text: |listed, _| text_of(listed, |webhook| &webhook.created_at, |created| created.raw().to_owned()),
            shown: None,
            tone: plain,
            json: |listed, _| json_of(listed, |webhook| &webhook.created_at, |created| raw(created.raw())),
        },
        Column {
            name: "status",
            about: "active or inactive",
            right: false,
            cut: false,
            text: |listed, _| text_of(listed, |webhook| &webhook.is_active, |&active| status(active).to_owned()),
            shown: None,
            tone: state_tone,
            json: |listed, _| json_of(listed, |webhook| &webhook.is_active, |&active| raw(status(active))),
        },
        Column {
            name: "host",
            about: "host of the destination, normalized",
            right: false,
            cut: true,
            text: |listed, _| host(listed).unwrap_or_default(),
            shown: None,
            tone: plain,
            json: |listed, _| raw(&host(listed)),
        },
        Column {
            name: "event_count",
            about: "number of subscribed events",
            right: true,
            cut: false,
            text: |listed, _| count(listed).map_or_else(String::new, |count| count.to_string()),
            shown: None,
            tone: plain,
            json: |listed, _| raw(&count(listed)),
        },
        Column {
            name: "age",
            about: "time since creation: 8m, 5d, 2y",
            right: true,
            cut: false,
            text: |listed, view| age(listed, view.now).to_string(),
            shown: None,
            tone: |_| Tone::Quiet,
            json: |listed, view| raw(age(listed, view.now).as_str()),
        },
        Column {
            name: "profile",
            about: "profile (--all-profiles)",
            right: false,
            cut: false,
            text: |listed, _| listed.profile.as_deref().unwrap_or_default().to_owned(),
            shown: None,
            tone: plain,
            json: |listed, _| raw(&listed.profile.as_deref()),
        },
    ];

    fn usual(format: Format, profiles: bool) -> &'static [&'static str] {
        let all: &[_] = match format {
            Format::Table => &["profile", "id", "status", "url", "events", "age"],
            Format::Csv => &["profile", "id", "url", "events", "is_active", "created_at"],
            Format::Tsv | Format::Markdown | Format::Json | Format::Ndjson | Format::Ids => {
                &["profile", "id", "status", "url", "events", "created_at"]
            }
        };
        if profiles { all } else { all.split_first().map_or(all, |(_, rest)| rest) }
    }

    fn id(&self) -> Safe {
        clean(self.row.row().id())
    }
}

fn plain(_: &Listed) -> Tone {
    Tone::Plain
}

fn state_tone(listed: &Listed) -> Tone {
    match listed.row.row().active() {
        Some(true) => Tone::Good,
        Some(false) => Tone::Quiet,
        None => Tone::Warning,
    }
}

const fn status(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}

/// A field as text: its value, the JSON in its place, or nothing.
fn text_of<T>(listed: &Listed, field: fn(&Webhook) -> &Field<T>, text: impl FnOnce(&T) -> String) -> String {
    match listed.webhook().as_ref().map(field) {
        Some(Field::Value(value)) => text(value),
        Some(Field::Odd(json)) => json.raw().to_owned(),
        Some(Field::Missing) | None => String::new(),
    }
}

fn json_of<T>(
    listed: &Listed,
    field: fn(&Webhook) -> &Field<T>,
    json: impl FnOnce(&T) -> Option<Box<RawValue>>,
) -> Option<Box<RawValue>> {
    match listed.webhook().as_ref().map(field)? {
        Field::Value(value) => json(value),
        Field::Odd(odd) => raw(odd),
        Field::Missing => None,
    }
}

fn raw<T: Serialize + ?Sized>(value: &T) -> Option<Box<RawValue>> {
    to_raw_value(value).ok()
}

fn join(events: &[EventEntry]) -> String {
    let names = events.iter().map(|event| match event {
        EventEntry::Name(name) => name.raw(),
        EventEntry::Odd(json) => json.raw(),
    });
    names.collect::<Vec<_>>().join(",")
}

fn host(listed: &Listed) -> Option<String> {
    listed.row.row().host().map(|host| host.name.to_string())
}

fn count(listed: &Listed) -> Option<usize> {
    listed.row.row().event_count()
}

fn age(listed: &Listed, now: Timestamp) -> Safe {
    match listed.row.row().created_at() {
        Some(at) => clock::age(at, now),
        None => clean(&text_of(listed, |webhook| &webhook.created_at, |created| created.raw().to_owned())),
    }
}
