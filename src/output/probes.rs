//! The columns of probed destinations.

use std::sync::Arc;
use std::time::Duration;

use super::record::{CellValue, Column, Format, Record, Tone};
use crate::analysis::destinations::Member;
use crate::analysis::reach::{Reach, State, Step, Trouble};
use crate::base::text::{Safe, clean};
use crate::model::Destination;
use crate::safe;

/// A destination to write, with the profile of its webhooks if several are read.
#[derive(Debug)]
pub struct ProbeRecord {
    pub profile: Option<Arc<str>>,
    /// The connected origin; the text of a destination that is not a valid URL.
    pub origin: Destination,
    /// The URL of the HEAD request, if there was one.
    pub url: Option<Destination>,
    pub reach: Reach,
    /// The webhooks that deliver there.
    pub members: Vec<Member>,
}

impl ProbeRecord {
    /// The number of its webhooks that are active, or inactive.
    fn count(&self, active: bool) -> usize {
        self.members.iter().filter(|member| member.active == Some(active)).count()
    }

    fn ids(&self) -> Vec<&str> {
        self.members.iter().map(|member| member.id.raw()).collect()
    }

    /// Stable names of the warnings about a reachable destination.
    fn warnings(&self) -> Vec<&'static str> {
        let warnings = [
            ("tls-expiring", self.reach.is_expiring()),
            ("server-error", self.reach.is_server_error()),
            ("redirects", self.reach.is_redirect()),
        ];
        warnings.into_iter().filter(|(_, holds)| *holds).map(|(word, _)| word).collect()
    }

    /// The error or the warnings in words.
    fn note(&self) -> Safe {
        if let Some(trouble) = self.reach.trouble {
            return self.reach.detail.clone().unwrap_or_else(|| trouble.words().into());
        }
        let mut notes = Safe::default();
        let mut note = |words: Safe| notes.push(&safe!("{}{}", if notes.is_empty() { "" } else { "; " }, words));
        if self.reach.is_expiring() {
            note("certificate expires soon".into());
        }
        if self.reach.is_server_error() {
            note("server error".into());
        }
        if self.reach.is_redirect() {
            let target = self.reach.redirect.clone().unwrap_or_else(|| "an unknown target".into());
            note(safe!("redirects to {}; DialNexa requires a 2xx", target));
        }
        notes
    }

    fn error(&self) -> Option<&'static str> {
        self.reach.trouble.map(Trouble::word)
    }

    fn step(&self) -> Option<&'static str> {
        self.reach.failed.map(Step::name)
    }
}

/// Whole milliseconds.
fn milliseconds(took: Option<Duration>) -> CellValue<'static> {
    took.map(|took| u64::try_from((took.as_micros() + 500) / 1000).unwrap_or(u64::MAX)).into()
}

impl Record for ProbeRecord {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::long("origin", "scheme, host and port of the connection", |probed, _| CellValue::Url(probed.origin.raw())),
        Column::long("url", "requested URL (--http); tables mask credentials", |probed, _| match &probed.url {
            Some(url) => CellValue::Url(url.raw()),
            None => CellValue::Null,
        }),
        Column::<Self>::new("state", "reachable (from this host), dead, or untried", |probed, _| {
            probed.reach.state().word().into()
        })
        .toned(state_tone),
        Column::<Self>::new("error", "why it is unreachable, in one word", |probed, _| probed.error().into())
            .toned(state_tone),
        Column::new("step", "failed step: dns, tcp, tls or http", |probed, _| probed.step().into()),
        Column::long("note", "error or warnings, in words", |probed, _| probed.note().into()),
        Column::json("detail", |probed, _| probed.reach.detail.as_ref().map(Safe::as_str).into()),
        Column::json("warnings", |probed, _| probed.warnings().into()),
        Column::new("address", "address of the connection, or of the failed attempt", |probed, _| {
            probed.reach.address.map(|address| address.to_string()).into()
        }),
        Column::number("dns_ms", "duration of the DNS lookup", |probed, _| milliseconds(probed.reach.times.dns)),
        Column::number("tcp_ms", "duration of connecting", |probed, _| milliseconds(probed.reach.times.tcp)),
        Column::number("tls_ms", "duration of the TLS handshake", |probed, _| milliseconds(probed.reach.times.tls)),
        Column::number("http_ms", "duration of the HEAD request", |probed, _| milliseconds(probed.reach.times.http)),
        Column::number("total_ms", "duration of all steps", |probed, _| {
            milliseconds((probed.reach.state() != State::Untried).then(|| probed.reach.times.total()))
        }),
        Column::<Self>::number("days_left", "whole days until the certificate expires", |probed, _| {
            probed.reach.certificate.map(|lasts| lasts.days_left).into()
        })
        .toned(state_tone),
        Column::new("not_after", "time at which the certificate expires", |probed, _| {
            probed.reach.certificate.map(|lasts| lasts.not_after.to_string()).into()
        }),
        Column::number("http_status", "status of the response to HEAD", |probed, _| probed.reach.status.into()),
        Column::new("redirects_to", "origin that the response to HEAD redirects to", |probed, _| {
            probed.reach.redirect.as_ref().map(Safe::as_str).into()
        }),
        Column::number("active", "active webhooks with this destination", |probed, _| probed.count(true).into()),
        Column::number("inactive", "inactive webhooks with this destination", |probed, _| probed.count(false).into()),
        Column::long("webhooks", "ids of these webhooks, joined by commas", |probed, _| probed.ids().into()),
        Column::new("profile", "profile (--all-profiles)", |probed, _| probed.profile.as_deref().into()),
    ];

    fn usual(format: Format) -> &'static [&'static str] {
        match format {
            Format::Table | Format::Markdown => {
                &["state", "url", "error", "http_status", "total_ms", "days_left", "active", "inactive", "address", "note"]
            }
            Format::Tsv | Format::Csv | Format::Ids => {
                &["state", "origin", "error", "address", "total_ms", "days_left", "http_status", "active", "inactive", "url"]
            }
            Format::Json | Format::Ndjson => &[
                "origin",
                "url",
                "state",
                "error",
                "step",
                "detail",
                "warnings",
                "address",
                "dns_ms",
                "tcp_ms",
                "tls_ms",
                "http_ms",
                "total_ms",
                "days_left",
                "not_after",
                "http_status",
                "redirects_to",
                "active",
                "inactive",
                "webhooks",
            ],
        }
    }

    fn id(&self) -> Safe {
        clean(self.url.as_ref().unwrap_or(&self.origin).raw())
    }
}

fn state_tone(probed: &ProbeRecord) -> Tone {
    match probed.reach.state() {
        State::Reachable if probed.warnings().is_empty() => Tone::Good,
        State::Reachable | State::Dead => Tone::Warning,
        State::Untried => Tone::Quiet,
    }
}
