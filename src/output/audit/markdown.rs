//! The report for a ticket or a pull request: a table for each rule, folded where it is long.

use std::io::{self, Write};

use super::report::{AuditSheet, Audited, by_rule, summary};
use crate::analysis::audit::Finding;
use crate::base::text::{Safe, clean};
use crate::output::markdown::{cell, code};
use crate::output::stdout::Output;
use crate::safe;

/// Findings of one rule that stand open; more of them are folded.
const OPEN: usize = 20;

pub(super) fn write<W: Write>(out: &mut Output<W>, _: &AuditSheet<'_>, audited: &[Audited]) -> io::Result<()> {
    out.line(&"## Webhook audit".into())?;
    out.line(&Safe::default())?;
    out.line(&safe!("{}.", summary(audited)))?;
    for one in audited {
        if let Some(profile) = &one.profile {
            out.line(&Safe::default())?;
            let of_one = summary(std::slice::from_ref(one));
            out.line(&safe!("### Profile {}: {}", code(&clean(profile)), of_one))?;
        }
        for (first, findings) in by_rule(&one.report.findings) {
            rule(out, one, first, findings)?;
        }
    }
    Ok(())
}

fn rule<W: Write>(out: &mut Output<W>, one: &Audited, first: &Finding, findings: &[Finding]) -> io::Result<()> {
    let blank = Safe::default();
    out.line(&blank)?;
    let (severity, id) = (first.severity.name(), first.rule.id);
    out.line(&safe!("#### {}: {}, {} ({})", severity, code(&id.into()), first.rule.about, findings.len()))?;
    out.line(&blank)?;
    out.line(&safe!("{}", first.rule.advice))?;
    out.line(&blank)?;
    let is_long = findings.len() > OPEN;
    if is_long {
        out.line(&safe!("<details><summary>{} findings</summary>", findings.len()))?;
        out.line(&blank)?;
    }
    out.line(&"| webhook | url | finding |".into())?;
    out.line(&"| --- | --- | --- |".into())?;
    for finding in findings {
        let (webhooks, more) = one.shown(finding);
        let join = |cells: Vec<Safe>| {
            let mut joined = Safe::default();
            for (place, cell) in cells.iter().enumerate() {
                joined.push(&Safe::from(if place > 0 { "<br>" } else { "" }));
                joined.push(cell);
            }
            joined
        };
        let mut ids: Vec<_> = webhooks.iter().map(|(id, _)| cell(id)).collect();
        if more > 0 {
            ids.push(safe!("and {} more", more));
        }
        let urls = webhooks.iter().map(|(_, url)| cell(url)).collect();
        out.line(&safe!("| {} | {} | {} |", join(ids), join(urls), cell(&finding.message)))?;
    }
    if is_long {
        out.line(&blank)?;
        out.line(&"</details>".into())?;
    }
    Ok(())
}
