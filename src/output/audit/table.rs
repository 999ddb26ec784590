//! The report for people: by severity and rule, what to do under each. It fits 80 columns.

use std::io::{self, Write};

use super::report::{AuditSheet, Audited, by_rule, summary};
use crate::analysis::audit::{Finding, Severity};
use crate::base::text::{Safe, clean};
use crate::output::stdout::Output;
use crate::safe;

/// The default width.
const WIDTH: usize = 80;
const INDENT: usize = 4;

pub(super) fn write<W: Write>(out: &mut Output<W>, sheet: &AuditSheet<'_>, audited: &[Audited]) -> io::Result<()> {
    for one in audited {
        if let Some(profile) = &one.profile {
            let head = safe!("profile {}: {}", clean(profile), summary(std::slice::from_ref(one)));
            TablePage { out, sheet }.line(0, &head, BOLD)?;
            out.line(&Safe::default())?;
        }
        for severity in Severity::ALL {
            TablePage { out, sheet }.severity(severity, one)?;
        }
    }
    out.line(&summary(audited))
}

const BOLD: &str = "\x1b[1m";
const QUIET: &str = "\x1b[2m";

fn style(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "\x1b[1;31m",
        Severity::Warning => "\x1b[1;33m",
        Severity::Info => "\x1b[1;36m",
    }
}

struct TablePage<'a, 'b, W> {
    out: &'a mut Output<W>,
    sheet: &'a AuditSheet<'b>,
}

impl<W: Write> TablePage<'_, '_, W> {
    fn severity(&mut self, severity: Severity, audited: &Audited) -> io::Result<()> {
        let start = audited.report.findings.partition_point(|finding| finding.severity > severity);
        let end = audited.report.findings.partition_point(|finding| finding.severity >= severity);
        let findings = audited.report.findings.get(start..end).unwrap_or_default();
        for (first, findings) in by_rule(findings) {
            let head = safe!("{}: {}", severity.name(), first.rule.id);
            let tail = safe!("({}) {}", findings.len(), first.rule.about);
            self.head(&head, &tail, style(severity))?;
            for finding in findings {
                self.finding(finding, audited)?;
            }
            self.wrapped(2, &safe!("-> {}", first.rule.advice))?;
            self.out.line(&Safe::default())?;
        }
        Ok(())
    }

    fn head(&mut self, head: &Safe, tail: &Safe, style: &'static str) -> io::Result<()> {
        let room = self.width().saturating_sub(head.width() + 1);
        let mut lines = tail.paragraph(room.max(20)).into_iter();
        let first = lines.next().unwrap_or_default();
        if self.sheet.colored {
            writeln!(self.out.writer, "{style}{head}\x1b[0m {first}")?;
        } else {
            writeln!(self.out.writer, "{head} {first}")?;
        }
        lines.try_for_each(|line| self.line(INDENT, &line, ""))
    }

    fn finding(&mut self, finding: &Finding, audited: &Audited) -> io::Result<()> {
        let (webhooks, more) = audited.shown(finding);
        for (id, url) in webhooks {
            self.line(2, &safe!("{}  {}", id, url), "")?;
        }
        if more > 0 {
            self.line(2, &safe!("and {} more", more), "")?;
        }
        self.wrapped(INDENT, &finding.message)
    }

    fn wrapped(&mut self, indent: usize, text: &Safe) -> io::Result<()> {
        text.paragraph(self.width().saturating_sub(indent)).iter().try_for_each(|line| self.line(indent, line, QUIET))
    }

    /// One line, cut to the terminal where there is one.
    fn line(&mut self, indent: usize, text: &Safe, style: &'static str) -> io::Result<()> {
        let text = match self.sheet.width {
            Some(width) => text.fit(width.saturating_sub(indent).max(1), "…"),
            None => text.clone(),
        };
        if self.sheet.colored && !style.is_empty() {
            return writeln!(self.out.writer, "{:indent$}{style}{text}\x1b[0m", "");
        }
        writeln!(self.out.writer, "{:indent$}{text}", "")
    }

    fn width(&self) -> usize {
        self.sheet.width.unwrap_or(WIDTH).clamp(20, 100)
    }
}
