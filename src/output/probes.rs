//! The columns of what a probe found.

use std::sync::Arc;
use std::time::Duration;

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::{Column, Format, Record, Tone};
use crate::analysis::destinations::Member;
use crate::analysis::reach::{Reach, State};
use crate::base::text::{Safe, clean};
use crate::model::Destination;
use crate::safe;

/// A destination as it is written, with the profile whose webhooks deliver there when several are read.
#[derive(Debug)]
pub struct Probed {
    pub profile: Option<Arc<str>>,
    /// What was connected to; the text of a destination that is no URL.
    pub origin: Destination,
    /// What was asked for its head.
    pub url: Option<Destination>,
    pub reach: Reach,
    /// The webhooks that deliver there.
    pub members: Vec<Member>,
}

impl Probed {
    /// How many of its webhooks are active, or inactive, as far as the API says so.
    fn count(&self, active: bool) -> usize {
        self.members.iter().filter(|member| member.active == Some(active)).count()
    }

    fn ids(&self) -> Vec<&str> {
        self.members.iter().map(|member| member.id.raw()).collect()
    }

    /// What is worth knowing of a destination that is reachable.
    fn warnings(&self) -> Vec<&'static str> {
        let warnings = [
            ("tls-expiring", self.reach.is_expiring()),
            ("server-error", self.reach.is_server_error()),
            ("redirects", self.reach.is_redirect()),
        ];
        warnings.into_iter().filter(|(_, holds)| *holds).map(|(word, _)| word).collect()
    }

    /// What a person wants to be told besides the figures.
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
        self.reach.trouble.map(crate::analysis::reach::Trouble::word)
    }

    fn step(&self) -> Option<&'static str> {
        self.reach.failed.map(crate::analysis::reach::Step::name)
    }

    fn address(&self) -> Option<String> {
        self.reach.address.map(|address| address.to_string())
    }

    fn days_left(&self) -> Option<i64> {
        self.reach.certificate.map(|lasts| lasts.days_left)
    }

    fn not_after(&self) -> Option<String> {
        self.reach.certificate.map(|lasts| lasts.not_after.to_string())
    }

    fn total(&self) -> Option<u64> {
        milliseconds((self.reach.state() != State::Untried).then(|| self.reach.times.total()))
    }
}

/// Whole milliseconds.
fn milliseconds(took: Option<Duration>) -> Option<u64> {
    took.map(|took| u64::try_from((took.as_micros() + 500) / 1000).unwrap_or(u64::MAX))
}

impl Serialize for Probed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let times = self.reach.times;
        let mut fields = serializer.serialize_struct("Probed", 21)?;
        if let Some(profile) = &self.profile {
            fields.serialize_field("profile", &**profile)?;
        }
        fields.serialize_field("origin", self.origin.raw())?;
        fields.serialize_field("url", &self.url.as_ref().map(Destination::raw))?;
        fields.serialize_field("state", self.reach.state().word())?;
        fields.serialize_field("error", &self.error())?;
        fields.serialize_field("step", &self.step())?;
        fields.serialize_field("detail", &self.reach.detail.as_ref().map(Safe::as_str))?;
        fields.serialize_field("warnings", &self.warnings())?;
        fields.serialize_field("address", &self.address())?;
        fields.serialize_field("dns_ms", &milliseconds(times.dns))?;
        fields.serialize_field("tcp_ms", &milliseconds(times.tcp))?;
        fields.serialize_field("tls_ms", &milliseconds(times.tls))?;
        fields.serialize_field("http_ms", &milliseconds(times.http))?;
        fields.serialize_field("total_ms", &self.total())?;
        fields.serialize_field("days_left", &self.days_left())?;
        fields.serialize_field("not_after", &self.not_after())?;
        fields.serialize_field("http_status", &self.reach.status)?;
        fields.serialize_field("redirects_to", &self.reach.redirect.as_ref().map(Safe::as_str))?;
        fields.serialize_field("active", &self.count(true))?;
        fields.serialize_field("inactive", &self.count(false))?;
        fields.serialize_field("webhooks", &self.ids())?;
        fields.end()
    }
}

const fn column(
    name: &'static str,
    about: &'static str,
    text: fn(&Probed, super::View) -> String,
    json: fn(&Probed, super::View) -> Option<Box<RawValue>>,
) -> Column<Probed> {
    Column { name, about, right: false, cut: false, text, shown: None, tone: |_| Tone::Plain, json }
}

/// A number, which stands at the right.
const fn number(
    name: &'static str,
    about: &'static str,
    text: fn(&Probed, super::View) -> String,
    json: fn(&Probed, super::View) -> Option<Box<RawValue>>,
) -> Column<Probed> {
    Column { right: true, ..column(name, about, text, json) }
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn raw<T: Serialize + ?Sized>(value: &T) -> Option<Box<RawValue>> {
    to_raw_value(value).ok()
}

impl Record for Probed {
    const COLUMNS: &'static [Column<Self>] = &[
        Column {
            cut: true,
            shown: Some(|probed, _| probed.origin.clean(false)),
            ..column(
                "origin",
                "scheme, host and port of the connection",
                |probed, _| probed.origin.raw().to_owned(),
                |probed, _| raw(probed.origin.raw()),
            )
        },
        Column {
            cut: true,
            shown: Some(|probed, _| probed.url.as_ref().unwrap_or(&probed.origin).clean(false)),
            ..column(
                "url",
                "requested URL (--http); tables mask credentials",
                |probed, _| probed.url.as_ref().map(|url| url.raw().to_owned()).unwrap_or_default(),
                |probed, _| raw(&probed.url.as_ref().map(Destination::raw)),
            )
        },
        Column {
            tone: state_tone,
            ..column(
                "state",
                "reachable (from this host), dead, or untried",
                |probed, _| probed.reach.state().word().to_owned(),
                |probed, _| raw(probed.reach.state().word()),
            )
        },
        Column {
            tone: state_tone,
            ..column(
                "error",
                "why it is unreachable, in one word",
                |probed, _| text(probed.error()),
                |probed, _| raw(&probed.error()),
            )
        },
        column(
            "step",
            "failed step: dns, tcp, tls or http",
            |probed, _| text(probed.step()),
            |probed, _| raw(&probed.step()),
        ),
        Column {
            cut: true,
            ..column(
                "note",
                "error or warnings, in words",
                |probed, _| probed.note().to_string(),
                |probed, _| raw(probed.note().as_str()),
            )
        },
        column(
            "address",
            "address of the connection, or of the failed attempt",
            |probed, _| text(probed.address()),
            |probed, _| raw(&probed.address()),
        ),
        number(
            "dns_ms",
            "duration of the DNS lookup",
            |probed, _| text(milliseconds(probed.reach.times.dns)),
            |probed, _| raw(&milliseconds(probed.reach.times.dns)),
        ),
        number(
            "tcp_ms",
            "duration of connecting",
            |probed, _| text(milliseconds(probed.reach.times.tcp)),
            |probed, _| raw(&milliseconds(probed.reach.times.tcp)),
        ),
        number(
            "tls_ms",
            "duration of the TLS handshake",
            |probed, _| text(milliseconds(probed.reach.times.tls)),
            |probed, _| raw(&milliseconds(probed.reach.times.tls)),
        ),
        number(
            "http_ms",
            "duration of the HEAD request",
            |probed, _| text(milliseconds(probed.reach.times.http)),
            |probed, _| raw(&milliseconds(probed.reach.times.http)),
        ),
        number("total_ms", "duration of all steps", |probed, _| text(probed.total()), |probed, _| raw(&probed.total())),
        Column {
            shown: Some(|probed, _| probed.days_left().map(|days| safe!("{}", days)).unwrap_or_default()),
            tone: state_tone,
            ..number(
                "days_left",
                "whole days until the certificate expires",
                |probed, _| text(probed.days_left()),
                |probed, _| raw(&probed.days_left()),
            )
        },
        column(
            "not_after",
            "time at which the certificate expires",
            |probed, _| text(probed.not_after()),
            |probed, _| raw(&probed.not_after()),
        ),
        number(
            "http_status",
            "status of the response to HEAD",
            |probed, _| text(probed.reach.status),
            |probed, _| raw(&probed.reach.status),
        ),
        column(
            "redirects_to",
            "origin that the response to HEAD redirects to",
            |probed, _| text(probed.reach.redirect.as_ref()),
            |probed, _| raw(&probed.reach.redirect.as_ref().map(Safe::as_str)),
        ),
        number(
            "active",
            "active webhooks with this destination",
            |probed, _| probed.count(true).to_string(),
            |probed, _| raw(&probed.count(true)),
        ),
        number(
            "inactive",
            "inactive webhooks with this destination",
            |probed, _| probed.count(false).to_string(),
            |probed, _| raw(&probed.count(false)),
        ),
        Column {
            cut: true,
            ..column(
                "webhooks",
                "ids of these webhooks, joined by commas",
                |probed, _| probed.ids().join(","),
                |probed, _| raw(&probed.ids()),
            )
        },
        column(
            "profile",
            "profile (--all-profiles)",
            |probed, _| probed.profile.as_deref().unwrap_or_default().to_owned(),
            |probed, _| raw(&probed.profile.as_deref()),
        ),
    ];

    fn usual(format: Format, profiles: bool) -> &'static [&'static str] {
        let all: &[_] = match format {
            Format::Table | Format::Markdown => &[
                "profile",
                "state",
                "url",
                "error",
                "http_status",
                "total_ms",
                "days_left",
                "active",
                "inactive",
                "address",
                "note",
            ],
            Format::Tsv | Format::Csv | Format::Json | Format::Ndjson | Format::Ids => &[
                "profile",
                "state",
                "origin",
                "error",
                "address",
                "total_ms",
                "days_left",
                "http_status",
                "active",
                "inactive",
                "url",
            ],
        };
        if profiles { all } else { all.split_first().map_or(all, |(_, rest)| rest) }
    }

    fn id(&self) -> Safe {
        clean(self.url.as_ref().unwrap_or(&self.origin).raw())
    }
}

fn state_tone(probed: &Probed) -> Tone {
    match probed.reach.state() {
        State::Reachable if probed.warnings().is_empty() => Tone::Good,
        State::Reachable | State::Dead => Tone::Warning,
        State::Untried => Tone::Quiet,
    }
}
