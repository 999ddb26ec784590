//! Reports of an audit: for people, for programs, for tickets and for CI.

mod junit;
mod markdown;
mod sarif;
mod table;

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use ring::digest;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::{Cells, Column, Entry, Format, Output, Record, Sheet, Tone, View};
use crate::analysis::audit::{Audit, Candidate, Finding, Report, Rule, Severity, shown_url};
use crate::base::text::{Safe, clean_head, grouped};
use crate::model::{RowRef, Rows, WebhookId};
use crate::safe;

/// Findings that are turned into records at once: their ids are copied then.
const BATCH: usize = 1000;

/// Columns of a URL in a report on which nothing has to fit.
const URL_COLUMNS: usize = 200;

/// Webhooks of one finding that reports for people name.
const SHOWN_WEBHOOKS: usize = 10;

/// The formats of an audit's `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum AuditFormat {
    /// Grouped by severity and rule, with advice
    Table,
    /// One finding per line, tab-separated, without a header
    Tsv,
    /// One JSON array
    Json,
    /// One JSON object per line
    Ndjson,
    /// RFC 4180 with a header
    Csv,
    /// For tickets and pull requests
    Markdown,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, for CI
    Junit,
}

impl AuditFormat {
    /// What a format is when nobody chose one.
    pub fn usual(terminal: bool) -> Self {
        if terminal { Self::Table } else { Self::Tsv }
    }

    /// The format of all records that it is, if it is one.
    fn of_records(self) -> Option<Format> {
        match self {
            Self::Tsv => Some(Format::Tsv),
            Self::Json => Some(Format::Json),
            Self::Ndjson => Some(Format::Ndjson),
            Self::Csv => Some(Format::Csv),
            Self::Table | Self::Markdown | Self::Sarif | Self::Junit => None,
        }
    }

    /// Whether the report says in words how many findings there are.
    pub fn has_summary(self) -> bool {
        matches!(self, Self::Table | Self::Markdown)
    }
}

/// What was found in one workspace.
#[derive(Debug)]
pub struct Audited {
    /// The profile, when several are read.
    pub profile: Option<Arc<str>>,
    /// What messages call the workspace.
    pub place: Safe,
    pub rows: Rows,
    pub report: Report,
    /// Not everything could be read, so nothing can be called clean.
    pub is_partial: bool,
}

impl Audited {
    fn webhook(&self, number: u32) -> Option<RowRef<'_>> {
        self.rows.row(number.into()).filter(|row| row.is_webhook())
    }

    /// The webhooks of a finding, with their numbers.
    fn webhooks<'a>(&'a self, finding: &'a Finding) -> impl Iterator<Item = (u32, RowRef<'a>)> {
        finding.webhooks.iter().filter_map(|&number| Some((number, self.webhook(number)?)))
    }

    /// Those that a report for people names: the id and the URL, without credentials; and how many more there are.
    fn shown(&self, finding: &Finding) -> (Vec<(Safe, Safe)>, usize) {
        let shown = |(number, webhook): (u32, RowRef<'_>)| {
            let url = shown_url(&Candidate::new(number, webhook), URL_COLUMNS);
            (clean_head(webhook.id(), 60), url)
        };
        let webhooks: Vec<_> = self.webhooks(finding).take(SHOWN_WEBHOOKS).map(shown).collect();
        let more = finding.webhooks.len().saturating_sub(webhooks.len());
        (webhooks, more)
    }

    /// A name for a finding that stays the same from run to run, for programs that compare reports.
    fn fingerprint(&self, finding: &Finding) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        let mut add = |text: &str| {
            context.update(&(text.len() as u64).to_le_bytes());
            context.update(text.as_bytes());
        };
        add(finding.rule.id);
        add(self.profile.as_deref().unwrap_or_default());
        let mut ids: Vec<_> = self.webhooks(finding).map(|(_, webhook)| webhook.id()).collect();
        ids.sort_unstable();
        for id in &ids {
            add(id);
        }
        if ids.is_empty() {
            add(finding.message.as_str());
        }
        let digest = context.finish();
        let bytes = digest.as_ref().iter().take(16);
        format!("{:032x}", bytes.fold(0_u128, |number, &byte| number << 8 | u128::from(byte)))
    }
}

/// How an audit is to be written.
pub struct AuditSheet<'a> {
    pub format: AuditFormat,
    pub view: View,
    /// Columns of the terminal; `None` for as many as it takes.
    pub width: Option<usize>,
    pub coloured: bool,
    /// csv cells that a spreadsheet would run stay as they are.
    pub raw: bool,
    /// Every workspace of the config was read.
    pub profiles: bool,
    /// The rules that were run.
    pub audit: &'a Audit,
    /// From which severity on a finding is a failure; `None` for never.
    pub fail_on: Option<Severity>,
    /// The file that the webhooks are from, if it is one.
    pub file: Option<SourceFile>,
}

/// A file of webhooks, for reports that point to it.
#[derive(Debug)]
pub struct SourceFile {
    /// Relative to the working directory, percent-encoded.
    pub uri: String,
    /// The line of each webhook, by its id.
    pub lines: HashMap<String, u64>,
}

impl AuditSheet<'_> {
    /// Writes a whole report.
    pub fn write<W: Write>(&self, out: &mut Output<W>, audited: &[Audited]) -> io::Result<()> {
        match self.format {
            AuditFormat::Table => table::write(out, self, audited),
            AuditFormat::Markdown => markdown::write(out, self, audited),
            AuditFormat::Sarif => sarif::write(out, self, audited),
            AuditFormat::Junit => junit::write(out, self, audited),
            AuditFormat::Tsv | AuditFormat::Json | AuditFormat::Ndjson | AuditFormat::Csv => {
                self.write_records(out, audited)
            }
        }
    }

    fn write_records<W: Write>(&self, out: &mut Output<W>, audited: &[Audited]) -> io::Result<()> {
        let format = self.format.of_records().unwrap_or(Format::Json);
        let mut sheet: Sheet<Found> =
            Sheet::new(format, None, self.profiles, self.view).map_err(|words| io::Error::other(words.to_string()))?;
        sheet.cells = if self.raw { Cells::Raw } else { Cells::Guarded };
        let mut document = sheet.begin(out)?;
        for one in audited {
            for batch in one.report.findings.chunks(BATCH) {
                let entries: Vec<_> = batch.iter().map(|finding| Entry::Record(Found::new(one, finding))).collect();
                document.add(&entries)?;
            }
        }
        document.end()
    }
}

/// A finding as it is written for programs.
#[derive(Debug)]
pub struct Found {
    profile: Option<Arc<str>>,
    rule: &'static Rule,
    severity: Severity,
    webhooks: Vec<WebhookId>,
    message: Safe,
}

impl Found {
    fn new(audited: &Audited, finding: &Finding) -> Self {
        Self {
            profile: audited.profile.clone(),
            rule: finding.rule,
            severity: finding.severity,
            webhooks: audited.webhooks(finding).map(|(_, webhook)| WebhookId::new(webhook.id())).collect(),
            message: finding.message.clone(),
        }
    }

    fn ids(&self) -> Vec<&str> {
        self.webhooks.iter().map(WebhookId::raw).collect()
    }
}

impl Serialize for Found {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(profile) = &self.profile {
            map.serialize_entry("profile", &**profile)?;
        }
        map.serialize_entry("rule", self.rule.id)?;
        map.serialize_entry("severity", self.severity.name())?;
        map.serialize_entry("webhooks", &self.ids())?;
        map.serialize_entry("message", self.message.as_str())?;
        map.serialize_entry("advice", self.rule.advice)?;
        map.end()
    }
}

impl Record for Found {
    const COLUMNS: &'static [Column<Self>] = &[
        Column {
            name: "severity",
            about: "error, warning or info",
            right: false,
            cut: false,
            text: |found, _| found.severity.name().to_owned(),
            shown: None,
            tone: |_| Tone::Plain,
            json: |found, _| raw(found.severity.name()),
        },
        Column {
            name: "rule",
            about: "name of the rule",
            right: false,
            cut: false,
            text: |found, _| found.rule.id.to_owned(),
            shown: None,
            tone: |_| Tone::Plain,
            json: |found, _| raw(found.rule.id),
        },
        Column {
            name: "webhooks",
            about: "ids of the affected webhooks, joined by commas",
            right: false,
            cut: true,
            text: |found, _| found.ids().join(","),
            shown: None,
            tone: |_| Tone::Plain,
            json: |found, _| raw(found.ids()),
        },
        Column {
            name: "message",
            about: "what is wrong",
            right: false,
            cut: true,
            text: |found, _| found.message.to_string(),
            shown: None,
            tone: |_| Tone::Plain,
            json: |found, _| raw(found.message.as_str()),
        },
        Column {
            name: "advice",
            about: "what to do",
            right: false,
            cut: true,
            text: |found, _| found.rule.advice.to_owned(),
            shown: None,
            tone: |_| Tone::Plain,
            json: |found, _| raw(found.rule.advice),
        },
        Column {
            name: "profile",
            about: "profile (--all-profiles)",
            right: false,
            cut: false,
            text: |found, _| found.profile.as_deref().unwrap_or_default().to_owned(),
            shown: None,
            tone: |_| Tone::Plain,
            json: |found, _| found.profile.as_deref().and_then(raw),
        },
    ];

    fn usual(_: Format, profiles: bool) -> &'static [&'static str] {
        if profiles {
            &["profile", "severity", "rule", "webhooks", "message", "advice"]
        } else {
            &["severity", "rule", "webhooks", "message", "advice"]
        }
    }

    fn id(&self) -> Safe {
        Safe::default()
    }
}

fn raw(value: impl Serialize) -> Option<Box<RawValue>> {
    to_raw_value(&value).ok()
}

/// How much was found, in words: `2 errors, 1 warning in 1,234 webhooks; 3 waived`. Of a part, nothing is called clean.
pub fn summary(audited: &[Audited]) -> Safe {
    let count = |severity| {
        let findings = audited.iter().flat_map(|one| &one.report.findings);
        findings.filter(|finding| finding.severity == severity).count() as u64
    };
    let is_partial = audited.iter().any(|one| one.is_partial);
    let mut out = Safe::default();
    for (severity, one, several) in
        [(Severity::Error, "error", "errors"), (Severity::Warning, "warning", "warnings"), (Severity::Info, "info", "info")]
    {
        let number = count(severity);
        if number == 0 {
            continue;
        }
        if !out.is_empty() {
            out.push(&", ".into());
        }
        out.push(&safe!("{} {}", grouped(number), if number == 1 { one } else { several }));
    }
    if out.is_empty() {
        out = if is_partial { "nothing found".into() } else { "no findings".into() };
    }
    let webhooks = audited.iter().map(|one| one.report.webhooks).sum();
    let the = if is_partial { "the " } else { "" };
    out.push(&safe!(" in {}{} {}", the, grouped(webhooks), if webhooks == 1 { "webhook" } else { "webhooks" }));
    if is_partial {
        out.push(&safe!(" that {} read; the listing is incomplete", if webhooks == 1 { "was" } else { "were" }));
    }
    let waived: usize = audited.iter().map(|one| one.report.waived.len()).sum();
    if waived > 0 {
        out.push(&safe!("; {} waived", grouped(waived as u64)));
    }
    out
}

/// Findings of one rule, one after the other in a report.
fn by_rule(findings: &[Finding]) -> impl Iterator<Item = (&Finding, &[Finding])> {
    findings.chunk_by(|one, next| one.rule == next.rule).filter_map(|chunk| Some((chunk.first()?, chunk)))
}
