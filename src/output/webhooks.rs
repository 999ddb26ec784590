//! The columns of webhooks.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::{Column, Format, Record, Tone};
use crate::base::clock;
use crate::base::text::{Safe, clean};
use crate::model::{self, EventEntry, Field, Webhook};

/// A webhook as it is written, with the profile whose workspace it belongs to when several are read.
#[derive(Debug)]
pub struct Listed {
    pub profile: Option<Arc<str>>,
    pub webhook: Webhook,
}

impl Serialize for Listed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(profile) = &self.profile else { return self.webhook.serialize(serializer) };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("profile", &**profile)?;
        // A field of that name would be there twice.
        self.webhook.serialize_fields(&mut map, |name| name != "profile")?;
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
            text: |listed, _| listed.webhook.id.raw().to_owned(),
            shown: None,
            tone: plain,
            json: |listed, _| raw(listed.webhook.id.raw()),
        },
        Column {
            name: "url",
            about: "destination; tables mask credentials",
            right: false,
            cut: true,
            text: |listed, _| listed.webhook.url.raw().to_owned(),
            shown: Some(|listed, _| listed.webhook.url.clean(false)),
            tone: plain,
            json: |listed, _| raw(listed.webhook.url.raw()),
        },
        Column {
            name: "events",
            about: "subscribed events, joined by commas",
            right: false,
            cut: true,
            text: |listed, _| text_of(&listed.webhook.events, |events| join(events)),
            shown: None,
            tone: plain,
            json: |listed, _| json_of(&listed.webhook.events, raw),
        },
        Column {
            name: "is_active",
            about: "true or false",
            right: false,
            cut: false,
            text: |listed, _| text_of(&listed.webhook.is_active, ToString::to_string),
            shown: None,
            tone: state_tone,
            json: |listed, _| json_of(&listed.webhook.is_active, raw),
        },
        Column {
            name: "created_at",
            about: "time of creation, as sent by the API",
            right: false,
            cut: false,
            text: |listed, _| text_of(&listed.webhook.created_at, |created| created.raw().to_owned()),
            shown: None,
            tone: plain,
            json: |listed, _| json_of(&listed.webhook.created_at, |created| raw(created.raw())),
        },
        Column {
            name: "status",
            about: "active or inactive",
            right: false,
            cut: false,
            text: |listed, _| text_of(&listed.webhook.is_active, |&active| status(active).to_owned()),
            shown: None,
            tone: state_tone,
            json: |listed, _| json_of(&listed.webhook.is_active, |&active| raw(status(active))),
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
        self.webhook.id.clean()
    }
}

fn plain(_: &Listed) -> Tone {
    Tone::Plain
}

fn state_tone(listed: &Listed) -> Tone {
    match listed.webhook.is_active {
        Field::Value(true) => Tone::Good,
        Field::Value(false) => Tone::Quiet,
        Field::Odd(_) | Field::Missing => Tone::Warning,
    }
}

const fn status(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}

/// A field as text: its value, the JSON that stands in its place, or nothing.
fn text_of<T>(field: &Field<T>, text: impl FnOnce(&T) -> String) -> String {
    match field {
        Field::Value(value) => text(value),
        Field::Odd(json) => json.raw().to_owned(),
        Field::Missing => String::new(),
    }
}

fn json_of<T>(field: &Field<T>, json: impl FnOnce(&T) -> Option<Box<RawValue>>) -> Option<Box<RawValue>> {
    match field {
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
    model::host(listed.webhook.url.raw()).map(Cow::into_owned)
}

fn count(listed: &Listed) -> Option<usize> {
    listed.webhook.events.value().map(Vec::len)
}

fn age(listed: &Listed, now: Timestamp) -> Safe {
    match &listed.webhook.created_at {
        Field::Value(created) => match created.at() {
            Some(at) => clock::age(at, now),
            None => created.clean(),
        },
        Field::Odd(json) => json.clean(),
        Field::Missing => clean(""),
    }
}
