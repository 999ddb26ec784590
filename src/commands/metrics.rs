//! `hookscope metrics`: the workspace as OpenMetrics text, for a textfile collector.

use std::path::Path;
use std::sync::Arc;

use super::context::{Context, MalformedRows};
use super::facts::Sources;
use super::read_all::{WorkspaceReading, read_all};
use super::workspace::EVERYTHING;
use crate::analysis::audit::ExternalFacts;
use crate::analysis::coverage::coverage;
use crate::analysis::probed::Probed;
use crate::base::files::{self, Existing};
use crate::base::text::{Untrusted, clean};
use crate::cli::Global;
use crate::cli::args::MetricsArgs;
use crate::config::{Config, Environment, WorkspaceOptions};
use crate::error::{Error, Exit, reason};
use crate::output::{Measured, Output, OutputState, openmetrics};
use crate::safe;

/// Reads the workspaces, counts, and writes all gauges at once.
pub(super) async fn run(args: &MetricsArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let (sources, mut exit) = Sources::open(None, args.probe.then_some(args.step_timeout), context)?;
    let mut audit = context.config.audit.prepare(context.now, Arc::new(sources.kinds()));
    let label = label(context.global, context.config, context.env)?;
    let all = read_all(context, EVERYTHING).await?;
    exit = exit.max(all.exit);
    let mut measured: Vec<_> = all.failed.into_iter().map(|profile| Measured::unread(Some(profile))).collect();
    let mut summaries = Vec::with_capacity(all.workspaces.len());
    for WorkspaceReading { profile, place, reading, seconds, .. } in all.workspaces {
        let probed = sources.probe(&reading.rows).await;
        audit.context.facts =
            Arc::new(ExternalFacts { probes: probed.as_ref().map(Probed::facts), ..ExternalFacts::default() });
        let report = audit.run(&reading.rows, false);
        let count = |active: Option<bool>| reading.rows.webhooks().filter(|row| row.active() == active).count() as u64;
        measured.push(Measured {
            profile: profile.or_else(|| label.clone()),
            is_complete: reading.summary.is_whole(),
            seconds: Some(seconds),
            active: count(Some(true)),
            inactive: count(Some(false)),
            unknown: count(None),
            malformed: reading.summary.malformed,
            events: coverage(&reading.rows, context.config.audit.known_events.iter().map(Untrusted::raw)),
            findings: audit.rules().map(|(rule, severity)| (rule.id, severity, report.count(rule))).collect(),
            waived: report.waived.len() as u64,
            probed,
        });
        summaries.push((reading.summary, place));
    }
    write(args.file.as_deref(), &document(measured)?)?;
    Ok(exit.max(context.report_all(&summaries, MalformedRows::LeftOut, OutputState::Open)))
}

/// Refuses an option that is a format in every other command.
pub(super) fn check(args: &MetricsArgs) -> Result<(), Error> {
    match &args.output {
        None => Ok(()),
        Some(_) => Err(Error::Usage {
            message: "metrics has only one format, so it does not take -o".into(),
            advice: Some("To write to a file, use --file FILE.".into()),
        }),
    }
}

/// Writes that nothing could be read: what was written last must not go on saying that all is well, whatever it is that keeps
/// the workspace from being read. On stdout only what is up to the API is said so.
pub(super) fn write_unread(
    args: &MetricsArgs,
    global: &Global,
    env: Option<&Environment>,
    why: &Error,
) -> Result<(), Error> {
    let is_up_to_the_api = matches!(why.exit(), Exit::Refused | Exit::Unavailable);
    if matches!(why, Error::Output(_)) || check(args).is_err() || (args.file.is_none() && !is_up_to_the_api) {
        return Ok(());
    }
    // Only names are taken from the config, so its permissions do not matter.
    let config = env.and_then(|env| Config::examine(global.config.as_deref(), env).ok()).map(|(config, _)| config);
    let measured = match &config {
        Some(config) if global.all_profiles && config.profiles().next().is_some() => {
            config.profiles().map(|name| Measured::unread(Some(name.into()))).collect()
        }
        _ => {
            let env = env.cloned().unwrap_or_default();
            let label = label(global, &config.unwrap_or_default(), &env).ok().flatten();
            // Of a config that cannot be read the name is known when an option tells it.
            let named = || global.profile.as_deref().or(env.profile.as_deref()).map(Arc::from);
            vec![Measured::unread(label.or_else(named))]
        }
    };
    write(args.file.as_deref(), &document(measured)?)
}

/// The label of a single workspace, as soon as there are several: `node_exporter` drops one of two files with the same series.
fn label(global: &Global, config: &Config, env: &Environment) -> Result<Option<Arc<str>>, Error> {
    if global.demo || global.from.is_some() {
        return Ok(None);
    }
    let selection = WorkspaceOptions { profile: global.profile.clone(), base_url: None };
    Ok(config.profile_label(&selection, env)?.map(Arc::from))
}

fn document(measured: Vec<Measured>) -> Result<String, Error> {
    openmetrics(measured).map_err(|error| Error::Output(clean(&error.to_string())))
}

fn write(file: Option<&Path>, text: &str) -> Result<(), Error> {
    let Some(file) = file.filter(|file| *file != Path::new("-")) else {
        return Output::stdout().send(|out| out.raw(text.as_bytes())).map(|_reader| ());
    };
    let failed = |error: std::io::Error| Error::Output(safe!("{}: {}", clean(&file.to_string_lossy()), reason(&error)));
    let write = |out: &mut dyn std::io::Write| out.write_all(text.as_bytes());
    files::write_to(file, Existing::ReplacedShared, write).map(|_written| ()).map_err(failed)
}
