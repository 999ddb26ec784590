//! The columns of snapshots that were kept.

use jiff::Timestamp;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::to_raw_value;

use super::{Column, Format, Record, Tone};
use crate::base::clock;
use crate::base::text::{Safe, clean};

/// A snapshot, and how it differs from the one before; the first one has none.
#[derive(Debug, Clone)]
pub struct Kept {
    pub time: Timestamp,
    pub webhooks: u64,
    pub added: Option<u64>,
    pub removed: Option<u64>,
    pub changed: Option<u64>,
    pub path: String,
    /// It cannot be read any more.
    pub damaged: bool,
}

impl Serialize for Kept {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", &self.time.to_string())?;
        map.serialize_entry("webhooks", &self.webhooks)?;
        map.serialize_entry("added", &self.added)?;
        map.serialize_entry("removed", &self.removed)?;
        map.serialize_entry("changed", &self.changed)?;
        map.serialize_entry("path", &self.path)?;
        map.serialize_entry("damaged", &self.damaged)?;
        map.end()
    }
}

impl Record for Kept {
    const COLUMNS: &'static [Column<Self>] = &[
        Column {
            name: "time",
            about: "time of the snapshot, in UTC",
            right: false,
            cut: false,
            text: |kept, _| kept.time.to_string(),
            shown: Some(|kept, _| clock::utc(kept.time)),
            tone: |_| Tone::Plain,
            json: |kept, _| to_raw_value(&kept.time.to_string()).ok(),
        },
        Column {
            name: "webhooks",
            about: "number of webhooks",
            right: true,
            cut: false,
            text: |kept, _| kept.webhooks.to_string(),
            shown: None,
            tone: |_| Tone::Plain,
            json: |kept, _| to_raw_value(&kept.webhooks).ok(),
        },
        Column {
            name: "added",
            about: "webhooks added since the previous snapshot",
            right: true,
            cut: false,
            text: |kept, _| text(kept.added),
            shown: None,
            tone: |kept| tone(kept.added, Tone::Good),
            json: |kept, _| to_raw_value(&kept.added).ok(),
        },
        Column {
            name: "removed",
            about: "webhooks removed since then",
            right: true,
            cut: false,
            text: |kept, _| text(kept.removed),
            shown: None,
            tone: |kept| tone(kept.removed, Tone::Warning),
            json: |kept, _| to_raw_value(&kept.removed).ok(),
        },
        Column {
            name: "changed",
            about: "webhooks changed since then",
            right: true,
            cut: false,
            text: |kept, _| text(kept.changed),
            shown: None,
            tone: |kept| tone(kept.changed, Tone::Plain),
            json: |kept, _| to_raw_value(&kept.changed).ok(),
        },
        Column {
            name: "path",
            about: "path of the snapshot, for diff and --from",
            right: false,
            cut: false,
            text: |kept, _| kept.path.clone(),
            shown: None,
            tone: |_| Tone::Quiet,
            json: |kept, _| to_raw_value(&kept.path).ok(),
        },
        Column {
            name: "damaged",
            about: "whether the snapshot is damaged",
            right: false,
            cut: false,
            text: |kept, _| if kept.damaged { "damaged".to_owned() } else { String::new() },
            shown: None,
            tone: |_| Tone::Warning,
            json: |kept, _| to_raw_value(&kept.damaged).ok(),
        },
    ];

    fn usual(_: Format, _: bool) -> &'static [&'static str] {
        &["time", "webhooks", "added", "removed", "changed", "path", "damaged"]
    }

    fn id(&self) -> Safe {
        clean(&self.path)
    }
}

fn text(count: Option<u64>) -> String {
    count.map(|count| count.to_string()).unwrap_or_default()
}

fn tone(count: Option<u64>, tone: Tone) -> Tone {
    if count.unwrap_or_default() == 0 { Tone::Quiet } else { tone }
}
