//! JUnit XML, which every CI server reads. A finding that fails the audit is a failure, another one is skipped, and a rule
//! without findings is a passed test.

use std::borrow::Cow;
use std::io::{self, Write};

use super::report::{AuditSheet, Audited};
use crate::analysis::audit::{Finding, Rule};
use crate::base::text::clean;
use crate::output::stdout::Output;

pub(super) fn write<W: Write>(out: &mut Output<W>, sheet: &AuditSheet<'_>, audited: &[Audited]) -> io::Result<()> {
    let suites: Vec<_> = audited.iter().map(|one| TestSuite::new(sheet, one)).collect();
    let sum = |of: fn(&TestCounts) -> usize| suites.iter().map(|suite| of(&suite.counts)).sum::<usize>();
    let whole = TestCounts {
        tests: sum(|counts| counts.tests),
        failures: sum(|counts| counts.failures),
        errors: sum(|counts| counts.errors),
        skipped: sum(|counts| counts.skipped),
    };
    line(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    line(out, &format!("<testsuites name=\"hookscope audit\"{}>", whole.attributes()))?;
    for suite in &suites {
        suite.write(out)?;
    }
    line(out, "</testsuites>")
}

/// The number of test cases, by kind.
#[derive(Default)]
struct TestCounts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl TestCounts {
    /// The attributes, in the order of the common schema.
    fn attributes(&self) -> String {
        let Self { tests, failures, errors, skipped } = self;
        format!(" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"")
    }
}

/// One workspace.
struct TestSuite<'a> {
    sheet: &'a AuditSheet<'a>,
    one: &'a Audited,
    counts: TestCounts,
    /// Rules that found nothing.
    passed: Vec<&'static Rule>,
}

impl<'a> TestSuite<'a> {
    fn new(sheet: &'a AuditSheet<'a>, one: &'a Audited) -> Self {
        let found = |rule: &Rule| one.report.findings.iter().any(|finding| finding.rule == rule);
        // Of a part, nothing is called passed.
        let passed: Vec<_> = if one.is_partial {
            Vec::new()
        } else {
            sheet.audit.rules().map(|(rule, _)| rule).filter(|rule| !found(rule)).collect()
        };
        let mut counts = TestCounts { errors: usize::from(one.is_partial), ..TestCounts::default() };
        for finding in &one.report.findings {
            if is_failure(sheet, finding) {
                counts.failures += 1;
            } else {
                counts.skipped += 1;
            }
        }
        counts.skipped += one.report.waived.len();
        counts.tests = counts.failures + counts.skipped + counts.errors + passed.len();
        Self { sheet, one, counts, passed }
    }

    fn write<W: Write>(&self, out: &mut Output<W>) -> io::Result<()> {
        let name = clean(self.one.profile.as_deref().unwrap_or("webhooks"));
        line(out, &format!("  <testsuite name=\"{}\"{}>", escape(name.as_str()), self.counts.attributes()))?;
        if self.one.is_partial {
            line(out, "    <testcase classname=\"hookscope\" name=\"everything was read\">")?;
            let text = format!("{}: not all webhooks could be read", self.one.place);
            line(out, &format!("      <error type=\"incomplete\" message=\"{}\"/>", escape(&text)))?;
            line(out, "    </testcase>")?;
        }
        for finding in &self.one.report.findings {
            let (message, severity) = (escape(finding.message.as_str()), finding.severity.name());
            self.begin(out, finding)?;
            if is_failure(self.sheet, finding) {
                let advice = escape(finding.rule.advice);
                line(out, &format!("      <failure type=\"{severity}\" message=\"{message}\">{advice}</failure>"))?;
            } else {
                line(out, &format!("      <skipped message=\"{severity}: {message}\"/>"))?;
            }
            line(out, "    </testcase>")?;
        }
        for waived in &self.one.report.waived {
            self.begin(out, &waived.finding)?;
            line(out, &format!("      <skipped message=\"waived: {}\"/>", escape(waived.reason.as_str())))?;
            line(out, "    </testcase>")?;
        }
        for rule in &self.passed {
            let (id, about) = (escape(rule.id), escape(rule.about));
            line(out, &format!("    <testcase classname=\"hookscope.{id}\" name=\"{about}\"/>"))?;
        }
        line(out, "  </testsuite>")
    }

    fn begin<W: Write>(&self, out: &mut Output<W>, finding: &Finding) -> io::Result<()> {
        let (webhooks, more) = self.one.shown(finding);
        let mut name: Vec<_> = webhooks.iter().map(|(id, url)| format!("{id} {url}")).collect();
        if more > 0 {
            name.push(format!("and {more} more"));
        }
        if name.is_empty() {
            name.push(finding.message.to_string());
        }
        let (class, name) = (escape(finding.rule.id), name.join(", "));
        line(out, &format!("    <testcase classname=\"hookscope.{class}\" name=\"{}\">", escape(&name)))
    }
}

fn is_failure(sheet: &AuditSheet<'_>, finding: &Finding) -> bool {
    sheet.fail_on.is_some_and(|limit| finding.severity >= limit)
}

fn line<W: Write>(out: &mut Output<W>, text: &str) -> io::Result<()> {
    out.raw(text.as_bytes())?;
    out.raw(b"\n")
}

/// A cleaned text inside XML: control characters, which XML cannot have at all, were made visible before.
fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}
