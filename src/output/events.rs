//! The columns of the coverage of events.

use serde_json::value::to_raw_value;

use super::{Column, Format, Record, Tone};
use crate::analysis::coverage::EventCoverage;
use crate::base::text::Safe;

impl Record for EventCoverage {
    const COLUMNS: &'static [Column<Self>] = &[
        Column {
            name: "event",
            about: "name of the event",
            right: false,
            cut: true,
            text: |coverage, _| coverage.event.raw().to_owned(),
            shown: None,
            tone: deaf_tone,
            json: |coverage, _| to_raw_value(coverage.event.raw()).ok(),
        },
        Column {
            name: "known",
            about: "whether the event is in the vendor's list or in the config",
            right: false,
            cut: false,
            text: |coverage, _| coverage.known.to_string(),
            shown: Some(|coverage, _| if coverage.known { "yes" } else { "no" }.into()),
            tone: |coverage| if coverage.known { Tone::Plain } else { Tone::Warning },
            json: |coverage, _| to_raw_value(&coverage.known).ok(),
        },
        Column {
            name: "active",
            about: "active subscribers",
            right: true,
            cut: false,
            text: |coverage, _| coverage.active.to_string(),
            shown: None,
            tone: deaf_tone,
            json: |coverage, _| to_raw_value(&coverage.active).ok(),
        },
        Column {
            name: "inactive",
            about: "inactive subscribers",
            right: true,
            cut: false,
            text: |coverage, _| coverage.inactive.to_string(),
            shown: None,
            tone: |_| Tone::Plain,
            json: |coverage, _| to_raw_value(&coverage.inactive).ok(),
        },
        Column {
            name: "hosts",
            about: "distinct hosts of the active subscribers",
            right: true,
            cut: false,
            text: |coverage, _| coverage.hosts.to_string(),
            shown: None,
            tone: |_| Tone::Plain,
            json: |coverage, _| to_raw_value(&coverage.hosts).ok(),
        },
    ];

    fn usual(_: Format, _: bool) -> &'static [&'static str] {
        &["event", "known", "active", "inactive", "hosts"]
    }

    fn id(&self) -> Safe {
        self.event.clean()
    }
}

/// An event that nobody hears stands out.
fn deaf_tone(coverage: &EventCoverage) -> Tone {
    if coverage.active == 0 { Tone::Warning } else { Tone::Plain }
}
