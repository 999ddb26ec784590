//! `hookscope metrics`: the workspace as OpenMetrics text, for a textfile collector.

use std::path::Path;
use std::sync::Arc;

use super::facts::Sources;
use super::sweep::{Read, read_all};
use super::{Context, Exit, Fate};
use crate::analysis::audit::Facts;
use crate::analysis::coverage::coverage;
use crate::analysis::probed::Probed;
use crate::cli::MetricsArgs;
use crate::error::Error;
use crate::files::{self, Existing};
use crate::model::{Row, Scope, Webhook};
use crate::output::{Measured, Output, openmetrics};
use crate::safe;
use crate::text::{Untrusted, clean};

/// Reads the workspaces, counts, and writes all gauges at once.
pub(super) async fn run(args: &MetricsArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let (sources, mut exit) = Sources::open(None, args.probe.then_some(args.step_timeout), context)?;
    let mut audit = context.config.audit.prepare(context.now, Arc::new(sources.kinds()));
    let sweep = match read_all(context, Scope::All).await {
        Ok(sweep) => sweep,
        Err(error) => {
            // What was written last must not go on saying that everything was read.
            if matches!(error.exit(), Exit::Refused | Exit::Unavailable) {
                write(args.output.as_deref(), &document(vec![Measured::unread(None)])?)?;
            }
            return Err(error);
        }
    };
    exit = exit.max(sweep.exit);
    let mut measured: Vec<_> = sweep.failed.into_iter().map(|profile| Measured::unread(Some(profile))).collect();
    let mut reports = Vec::with_capacity(sweep.workspaces.len());
    for Read { profile, place, reading, seconds } in sweep.workspaces {
        let probed = sources.probe(&reading.rows).await;
        audit.basis.facts = Arc::new(Facts { probes: probed.as_ref().map(Probed::facts), ..Facts::default() });
        let report = audit.run(&reading.rows.as_slice());
        let webhooks = || reading.rows.iter().filter_map(Row::webhook);
        let count = |active: Option<bool>| webhooks().filter(|webhook| Webhook::active(webhook) == active).count() as u64;
        measured.push(Measured {
            profile,
            is_complete: reading.summary.is_whole(),
            seconds: Some(seconds),
            active: count(Some(true)),
            inactive: count(Some(false)),
            unknown: count(None),
            malformed: reading.summary.malformed,
            events: coverage(webhooks(), context.config.audit.known_events.iter().map(Untrusted::raw)),
            findings: audit.rules().map(|(rule, severity)| (rule.id, severity, report.count(rule))).collect(),
            waived: report.waived.len() as u64,
            probed,
        });
        reports.push((reading.summary, place));
    }
    write(args.output.as_deref(), &document(measured)?)?;
    for (summary, place) in reports {
        exit = exit.max(context.report(&summary, Fate::LeftOut, &place));
    }
    Ok(exit)
}

fn document(measured: Vec<Measured>) -> Result<String, Error> {
    openmetrics(measured).map_err(|error| Error::Output(clean(&error.to_string())))
}

fn write(file: Option<&Path>, text: &str) -> Result<(), Error> {
    let Some(file) = file.filter(|file| *file != Path::new("-")) else {
        return Output::stdout().send(|out| out.raw(text.as_bytes())).map(|_reader| ());
    };
    let failed =
        |error: std::io::Error| Error::Output(safe!("{}: {}", clean(&file.to_string_lossy()), clean(&error.to_string())));
    let target = files::target(file).map_err(failed)?;
    files::write(&target, Existing::ReplacedShared, |out| out.write_all(text.as_bytes())).map(|_written| ()).map_err(failed)
}
