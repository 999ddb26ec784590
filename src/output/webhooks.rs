//! The columns of webhooks.

use std::borrow::Cow;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::record::{CellValue, Column, Format, Record, SheetEntry, Tone};
use crate::base::clock;
use crate::base::text::{Safe, clean};
use crate::model::{EventEntry, Field, OwnedRow, RowRef, Webhook};

/// A webhook to write, with its profile if several are read.
#[derive(Debug)]
pub struct ListedWebhook {
    pub profile: Option<Arc<str>>,
    pub row: OwnedRow,
}

impl ListedWebhook {
    /// The entry of a row.
    pub fn entry(profile: Option<&Arc<str>>, row: OwnedRow) -> SheetEntry<Self> {
        if row.row().is_webhook() {
            SheetEntry::Record(Self { profile: profile.cloned(), row })
        } else {
            SheetEntry::Malformed(row)
        }
    }

    fn row(&self) -> RowRef<'_> {
        self.row.row()
    }

    /// A field that may be missing, or of another type than expected.
    fn field<T>(
        &self,
        field: fn(&Webhook) -> &Field<T>,
        value: impl FnOnce(&T) -> CellValue<'static>,
    ) -> CellValue<'static> {
        match self.row().webhook().as_ref().map(field) {
            Some(Field::Value(found)) => value(found),
            Some(Field::Odd(json)) => CellValue::odd(json.raw()),
            Some(Field::Missing) | None => CellValue::Missing,
        }
    }

    fn is_active(&self, value: impl FnOnce(bool) -> CellValue<'static>) -> CellValue<'static> {
        match self.row().active() {
            Some(active) => value(active),
            None => self.field(|webhook| &webhook.is_active, |&active| value(active)),
        }
    }

    fn created_at(&self) -> CellValue<'static> {
        self.field(|webhook| &webhook.created_at, |created| created.raw().to_owned().into())
    }
}

impl Record for ListedWebhook {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("id", "id of the webhook", |listed, _| listed.row().id().into()),
        Column::long("url", "destination; tables mask credentials", |listed, _| CellValue::Url(listed.row().url())),
        Column::long("events", "subscribed events, joined by commas", |listed, _| {
            listed.field(|webhook| &webhook.events, |events| event_list(events))
        }),
        Column::<Self>::new("is_active", "true or false", |listed, _| listed.is_active(CellValue::Bool)).toned(state_tone),
        Column::new("created_at", "time of creation, as sent by the API", |listed, _| listed.created_at()),
        Column::<Self>::new("status", "active or inactive", |listed, _| {
            listed.is_active(|active| if active { "active" } else { "inactive" }.into())
        })
        .toned(state_tone),
        Column::long("host", "host of the destination, normalized", |listed, _| {
            listed.row().host().map(|host| &*host.name).into()
        }),
        Column::number("event_count", "number of subscribed events", |listed, _| listed.row().event_count().into()),
        Column::<Self>::number("age", "time since creation: 8m, 5d, 2y", |listed, now| match listed.row().created_at() {
            Some(at) => clock::age(at, now).into(),
            None => clean(&listed.created_at().text()).into(),
        })
        .toned(|_| Tone::Quiet),
        Column::new("profile", "profile (--all-profiles)", |listed, _| listed.profile.as_deref().into()),
    ];

    fn usual(format: Format) -> &'static [&'static str] {
        match format {
            Format::Table => &["id", "status", "url", "events", "age"],
            Format::Csv => &["id", "url", "events", "is_active", "created_at"],
            Format::Tsv | Format::Markdown | Format::Json | Format::Ndjson | Format::Ids => {
                &["id", "status", "url", "events", "created_at"]
            }
        }
    }

    fn id(&self) -> Safe {
        clean(self.row().id())
    }

    fn json(&self) -> Option<Cow<'_, str>> {
        match self.profile.as_deref().zip(self.row().webhook()) {
            Some((profile, webhook)) => serde_json::to_string(&ProfileWebhook { profile, webhook }).ok().map(Cow::Owned),
            None => Some(self.row().json()),
        }
    }
}

/// A webhook as JSON that begins with its profile.
struct ProfileWebhook<'a> {
    profile: &'a str,
    webhook: Webhook,
}

impl Serialize for ProfileWebhook<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("profile", self.profile)?;
        // An unknown field of that name would appear twice.
        self.webhook.serialize_fields(&mut map, |name| name != "profile")?;
        map.end()
    }
}

fn state_tone(listed: &ListedWebhook) -> Tone {
    match listed.row().active() {
        Some(true) => Tone::Good,
        Some(false) => Tone::Quiet,
        None => Tone::Warning,
    }
}

fn event_list(events: &[EventEntry]) -> CellValue<'static> {
    let names = events.iter().map(|event| match event {
        EventEntry::Name(name) => name.raw(),
        EventEntry::Odd(json) => json.raw(),
    });
    let text = names.collect::<Vec<_>>().join(",");
    CellValue::Json { text, json: serde_json::to_string(events).unwrap_or_default() }
}
