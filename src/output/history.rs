//! The columns of saved snapshots.

use jiff::Timestamp;

use super::record::{CellValue, Column, Format, Record, Tone};
use crate::base::text::{Safe, clean};

/// A snapshot, and its differences from the previous one; the first one has none.
#[derive(Debug, Clone)]
pub struct SavedSnapshot {
    pub time: Timestamp,
    pub webhooks: u64,
    pub added: Option<u64>,
    pub removed: Option<u64>,
    pub changed: Option<u64>,
    pub path: String,
    /// It can no longer be read.
    pub damaged: bool,
}

impl Record for SavedSnapshot {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("time", "time of the snapshot, in UTC", |saved, _| CellValue::Time(saved.time)),
        Column::number("webhooks", "number of webhooks", |saved, _| saved.webhooks.into()),
        Column::<Self>::number("added", "webhooks added since the previous snapshot", |saved, _| saved.added.into())
            .toned(|saved| tone(saved.added, Tone::Good)),
        Column::<Self>::number("removed", "webhooks removed since then", |saved, _| saved.removed.into())
            .toned(|saved| tone(saved.removed, Tone::Warning)),
        Column::<Self>::number("changed", "webhooks changed since then", |saved, _| saved.changed.into())
            .toned(|saved| tone(saved.changed, Tone::Plain)),
        Column::<Self>::new("path", "path of the snapshot, for diff and --from", |saved, _| saved.path.as_str().into())
            .toned(|_| Tone::Quiet),
        Column::<Self>::new("damaged", "whether the snapshot is damaged", |saved, _| {
            let text = if saved.damaged { "damaged" } else { "" };
            CellValue::Json { text: text.to_owned(), json: saved.damaged.to_string() }
        })
        .toned(|_| Tone::Warning),
    ];

    fn usual(_: Format) -> &'static [&'static str] {
        &["time", "webhooks", "added", "removed", "changed", "path", "damaged"]
    }

    fn id(&self) -> Safe {
        clean(&self.path)
    }
}

fn tone(count: Option<u64>, tone: Tone) -> Tone {
    if count.unwrap_or_default() == 0 { Tone::Quiet } else { tone }
}
