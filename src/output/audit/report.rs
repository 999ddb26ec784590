//! The contents of a report: what the audit found in each workspace.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use ring::digest;

use crate::analysis::audit::{Audit, Finding, Report, Severity, shown_url};
use crate::base::text::{Safe, clean_head, grouped};
use crate::model::{RowRef, Rows};
use crate::output::record::Format;
use crate::safe;

/// The columns of a URL in a report of any width.
pub(super) const URL_COLUMNS: usize = 200;

/// The most webhooks per finding in reports for people.
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
    /// The default format.
    pub fn usual(terminal: bool) -> Self {
        if terminal { Self::Table } else { Self::Tsv }
    }

    /// The format for records; `None` for reports.
    pub(super) fn of_records(self) -> Option<Format> {
        match self {
            Self::Tsv => Some(Format::Tsv),
            Self::Json => Some(Format::Json),
            Self::Ndjson => Some(Format::Ndjson),
            Self::Csv => Some(Format::Csv),
            Self::Table | Self::Markdown | Self::Sarif | Self::Junit => None,
        }
    }

    /// Returns true if the report contains the [`summary`].
    pub fn has_summary(self) -> bool {
        matches!(self, Self::Table | Self::Markdown)
    }
}

/// The findings in one workspace.
#[derive(Debug)]
pub struct Audited {
    /// The profile, when several are read.
    pub profile: Option<Arc<str>>,
    /// The name for messages.
    pub place: Safe,
    pub rows: Rows,
    pub report: Report,
    /// True if the listing is incomplete, so that no rule has passed.
    pub is_partial: bool,
}

impl Audited {
    fn webhook(&self, number: u32) -> Option<RowRef<'_>> {
        self.rows.row(number.into()).filter(|row| row.is_webhook())
    }

    /// The webhooks of a finding, with their numbers.
    pub(super) fn webhooks<'a>(&'a self, finding: &'a Finding) -> impl Iterator<Item = (u32, RowRef<'a>)> {
        finding.webhooks.iter().filter_map(|&number| Some((number, self.webhook(number)?)))
    }

    /// The id and masked URL of the first webhooks of a finding, and the number of other ones.
    pub(super) fn shown(&self, finding: &Finding) -> (Vec<(Safe, Safe)>, usize) {
        let shown = |(_, webhook): (u32, RowRef<'_>)| {
            let url = shown_url(webhook.url(), URL_COLUMNS);
            (clean_head(webhook.id(), 60), url)
        };
        let webhooks: Vec<_> = self.webhooks(finding).take(SHOWN_WEBHOOKS).map(shown).collect();
        let more = finding.webhooks.len().saturating_sub(webhooks.len());
        (webhooks, more)
    }

    /// An identifier of a finding that stays the same from run to run, for programs that compare reports.
    pub(super) fn fingerprint(&self, finding: &Finding) -> String {
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

/// The output of an audit.
pub struct AuditSheet<'a> {
    pub format: AuditFormat,
    pub now: Timestamp,
    /// The width of the terminal; `None` for any width.
    pub width: Option<usize>,
    pub colored: bool,
    /// Leaves csv cells that a spreadsheet would run as they are.
    pub raw: bool,
    /// True if the workspaces of all profiles were read.
    pub profiles: bool,
    /// The rules that were run.
    pub audit: &'a Audit,
    /// The lowest severity of a failure; `None` for no failures.
    pub fail_on: Option<Severity>,
    /// The file of the webhooks, if they are from one.
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

/// The number of findings in words: `2 errors, 1 warning in 1,234 webhooks; 3 waived`. An incomplete listing is never reported as
/// clean.
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

/// The findings by rule, each with the first one of its rule.
pub(super) fn by_rule(findings: &[Finding]) -> impl Iterator<Item = (&Finding, &[Finding])> {
    findings.chunk_by(|one, next| one.rule == next.rule).filter_map(|chunk| Some((chunk.first()?, chunk)))
}
