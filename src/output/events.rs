//! The columns of the subscribers per event.

use super::record::{CellValue, Column, Format, Record, Tone};
use crate::analysis::coverage::EventCoverage;
use crate::base::text::Safe;

impl Record for EventCoverage {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::long("event", "name of the event", |coverage, _| coverage.event.raw().into()).toned(active_tone),
        Column::<Self>::new("known", "whether the event is in the vendor's list or in the config", |coverage, _| {
            CellValue::YesNo(coverage.known)
        })
        .toned(|coverage| if coverage.known { Tone::Plain } else { Tone::Warning }),
        Column::<Self>::number("active", "active subscribers", |coverage, _| coverage.active.into()).toned(active_tone),
        Column::number("inactive", "inactive subscribers", |coverage, _| coverage.inactive.into()),
        Column::number("hosts", "distinct hosts of the active subscribers", |coverage, _| coverage.hosts.into()),
    ];

    fn usual(_: Format) -> &'static [&'static str] {
        &["event", "known", "active", "inactive", "hosts"]
    }

    fn id(&self) -> Safe {
        self.event.clean()
    }
}

/// An event without active subscribers stands out.
fn active_tone(coverage: &EventCoverage) -> Tone {
    if coverage.active == 0 { Tone::Warning } else { Tone::Plain }
}
