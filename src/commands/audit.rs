//! `hookscope audit`: every webhook against the rules.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read as _, Write};
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::Arc;

use url::Url;

use super::context::{Context, MalformedRows, refuse_unknown_findings};
use super::facts::Sources;
use super::read_all::{WorkspaceReading, read_all};
use crate::analysis::audit::{Audit, ExternalFacts, FactKind, Finding, LastActive, Pattern, RULES, Report, Rule, RuleSet};
use crate::analysis::query::Query;
use crate::base::text::{Safe, clean, clean_head, grouped};
use crate::cache::Store;
use crate::cli::args::AuditArgs;
use crate::error::{Error, Exit, reason};
use crate::fetch::{Reading, Wanted};
use crate::model::{RowNumber, RowRef, Rows, Scope};
use crate::output::{AuditFormat, AuditSheet, Audited, Output, OutputState, SourceFile, summary};
use crate::safe;
use crate::snapshot;

/// The largest file of retired destinations that is read, in bytes.
const MAX_RETIRED_BYTES: u64 = 4 << 20;

/// The most results in one report that GitHub accepts.
const GITHUB_RESULTS: usize = 25_000;

/// Reads the workspaces, runs the rules and writes the findings.
pub(super) async fn run(args: &AuditArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let mut out = Output::stdout();
    let (sources, mut exit) = Sources::open(args.deliveries.as_deref(), args.probe.then_some(args.step_timeout), context)?;
    let mut audit = prepare(args, sources.kinds(), context)?;
    let query = context.query_of_findings(args.filter.as_deref())?;
    refuse_unknown_findings(&query, &audit)?;
    let all = read_all(context, Wanted::all(args.scope)).await?;
    exit = exit.max(all.exit);
    let mut summaries = Vec::with_capacity(all.workspaces.len());
    let mut audited = Vec::with_capacity(all.workspaces.len());
    for WorkspaceReading { profile, place, reading: Reading { rows, summary }, store, .. } in all.workspaces {
        let mut facts = sources.gather(&rows, context).await;
        facts.last_active = store.map(|store| last_active(&store, &rows, &audit).into()).unwrap_or_default();
        audit.context.facts = Arc::new(facts);
        let is_part = args.scope == Scope::Inactive || !summary.problems.is_empty();
        let report = report(&audit, &query, &rows, is_part);
        audited.push(Audited { profile, place: place.clone(), rows, report, is_partial: !summary.is_whole() });
        summaries.push((summary, place));
    }
    // Without any reading, write no report. Otherwise, the report names the workspaces that could not be read.
    let nothing = audited.is_empty() && exit != Exit::Done;
    if !nothing {
        audited.extend(all.failed.into_iter().map(unread));
    }
    // The program ends soon: freeing a million small findings would take as long as writing them.
    let audited = ManuallyDrop::new(audited);
    let sheet = sheet(args, &out, &audit, context);
    let state = if nothing { OutputState::Open } else { out.send(|out| sheet.write(out, &audited))? };
    if state == OutputState::Open && !nothing {
        note_counts(&sheet, &audited, context);
    }
    exit = exit.max(context.report_all(&summaries, MalformedRows::LeftOut, state));
    let is_failure = |finding: &Finding| sheet.fail_on.is_some_and(|limit| finding.severity >= limit);
    let fails = audited.iter().flat_map(|one| &one.report.findings).any(is_failure);
    Ok(if fails && !args.exit_zero { exit.max(Exit::Found) } else { exit })
}

/// Runs the rules over a workspace. Of the findings, those on webhooks that match the query are kept.
fn report(audit: &Audit, query: &Query, rows: &Rows, is_part: bool) -> Report {
    let mut report = audit.run(rows, is_part);
    if !query.is_empty() {
        let matches = matching(query, rows, &report.rule_sets());
        let is_about = |finding: &Finding| finding.webhooks.iter().any(|number| matches.contains(number));
        report.findings.retain(is_about);
        report.waived.retain(|waived| is_about(&waived.finding));
        report.webhooks = matches.len() as u64;
    }
    report
}

/// Prepares the output of the report.
fn sheet<'a, W: Write>(args: &AuditArgs, out: &Output<W>, audit: &'a Audit, context: &Context<'_>) -> AuditSheet<'a> {
    let format = args.format.unwrap_or(AuditFormat::usual(out.is_terminal()));
    AuditSheet {
        format,
        now: context.now,
        width: out.terminal_width(),
        colored: context.is_colored(out),
        raw: args.raw,
        profiles: context.global.all_profiles,
        audit,
        fail_on: args.fail_on.severity(),
        file: if format == AuditFormat::Sarif { source_file(context) } else { None },
    }
}

/// Notes the number of findings if the report does not say it, and a report that GitHub rejects.
fn note_counts(sheet: &AuditSheet<'_>, audited: &[Audited], context: &Context<'_>) {
    let found: usize = audited.iter().map(|one| one.report.findings.len()).sum();
    let waived: usize = audited.iter().map(|one| one.report.waived.len()).sum();
    if !sheet.format.has_summary() && (found == 0 || waived > 0) {
        context.say.note(&summary(audited));
    }
    if sheet.format == AuditFormat::Sarif && found + waived > GITHUB_RESULTS {
        let (all, most) = (grouped((found + waived) as u64), grouped(GITHUB_RESULTS as u64));
        context.say.note(&safe!(
            "{} results, but GitHub rejects reports with more than {}; select rules with --rule",
            all,
            most
        ));
    }
}

/// The last time that the history has each webhook active, for findings that say it.
fn last_active(memory: &Store, rows: &Rows, audit: &Audit) -> HashMap<Box<str>, LastActive> {
    let wanted = rows.webhooks().filter(|&row| audit.asks_for_last_active(row));
    memory.last_active(wanted.map(RowRef::id).collect(), audit.context.now)
}

/// The file of `--from`, for a report that points to its lines. stdin has no name, and a file that cannot be read again has no
/// lines.
fn source_file(context: &Context<'_>) -> Option<SourceFile> {
    let path = context.global.from.as_deref().filter(|path| *path != Path::new("-"))?;
    let directory = std::env::current_dir().ok()?;
    let file = Url::from_file_path(directory.join(path)).ok()?;
    let relative = Url::from_directory_path(&directory).ok()?.make_relative(&file)?;
    // A first part with a colon would be a scheme.
    let is_scheme = relative.split('/').next().is_some_and(|first| first.contains(':'));
    let uri = if is_scheme { format!("./{relative}") } else { relative };
    Some(SourceFile { uri, lines: snapshot::id_lines(path).unwrap_or_default() })
}

/// The empty report of a workspace that could not be read.
fn unread(profile: Arc<str>) -> Audited {
    let place = safe!("{}", clean(&profile));
    Audited { profile: Some(profile), place, rows: Rows::default(), report: Report::default(), is_partial: true }
}

/// The webhooks that a query matches.
fn matching(query: &Query, rows: &Rows, found: &HashMap<RowNumber, RuleSet>) -> HashSet<RowNumber> {
    let found = |number| found.get(&number).copied().unwrap_or_default();
    let matches = rows.iter().filter(|&(number, row)| row.is_webhook() && query.matches_found(row, found(number)));
    matches.map(|(number, _)| number).collect()
}

/// Prepares the audit according to the options and the config.
fn prepare(args: &AuditArgs, facts: ExternalFacts, context: &Context<'_>) -> Result<Audit, Error> {
    let mut audit = context.config.audit.prepare(context.now, Arc::new(facts));
    for text in &args.retired {
        let message = |why: Safe| safe!("--retired: {} is not a valid pattern: {}", clean_head(text, 60), why);
        let wrong = |why| Error::Usage { message: message(why), advice: None };
        audit.context.retired.add(Pattern::parse(text).map_err(wrong)?);
    }
    if let Some(file) = &args.retired_file {
        for pattern in read_retired(file)? {
            audit.context.retired.add(pattern);
        }
    }
    let only = rules("--rule", &args.rule)?;
    let without = rules("--skip", &args.skip)?;
    let lacks = |needs: &FactKind| !audit.context.facts.has(*needs);
    if let Some((rule, needs)) = only.iter().find_map(|rule| Some((rule, rule.needs().filter(lacks)?))) {
        let advice = safe!("Add {}, or remove the rule.", needs.option());
        return Err(Error::Usage { message: safe!("--rule: {} needs {}", rule.id, needs.option()), advice: Some(advice) });
    }
    audit.choose(|rule| (only.is_empty() || only.contains(&rule)) && !without.contains(&rule));
    if audit.rules().next().is_none() {
        return Err(usage("no rules left to run".into()));
    }
    if args.no_waivers {
        audit.set_waivers(Vec::new());
    }
    Ok(audit)
}

fn usage(message: Safe) -> Error {
    Error::Usage { message, advice: Some("Run hookscope audit --list-rules to list the rules.".into()) }
}

fn rules(option: &'static str, names: &[String]) -> Result<Vec<&'static Rule>, Error> {
    let find = |name: &String| Rule::find(name.trim()).map_err(|why| usage(safe!("{}: {}", option, why)));
    names.iter().map(find).collect()
}

/// Reads the patterns of a file, one per line.
fn read_retired(path: &Path) -> Result<Vec<Pattern>, Error> {
    let shown = clean_head(&path.to_string_lossy(), 200);
    let wrong = |why: Safe| Error::Usage { message: safe!("--retired-file: {}: {}", shown, why), advice: None };
    let file = File::open(path).map_err(|error| wrong(reason(&error)))?;
    let mut text = String::new();
    let read = file.take(MAX_RETIRED_BYTES + 1).read_to_string(&mut text).map_err(|error| wrong(reason(&error)))?;
    if read as u64 > MAX_RETIRED_BYTES {
        return Err(wrong(safe!("the file is larger than {} MiB", MAX_RETIRED_BYTES >> 20)));
    }
    let mut patterns = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    for (place, line) in text.lines().enumerate() {
        let pattern = line.split('#').next().unwrap_or_default().trim();
        if !pattern.is_empty() {
            let parsed =
                Pattern::parse(pattern).map_err(|why| wrong(safe!("line {} is not a valid pattern: {}", place + 1, why)))?;
            patterns.push(parsed);
        }
    }
    Ok(patterns)
}

/// Prints the rules, or one of them at length.
pub(super) fn explain(args: &AuditArgs) -> Result<Exit, Error> {
    let text = match &args.explain {
        Some(name) => at_length(Rule::find(name).map_err(|why| usage(safe!("--explain: {}", why)))?),
        None => {
            let line = |rule: &Rule| format!("{:<22} {:<8} {}\n", rule.id, rule.severity.name(), rule.about);
            RULES.iter().map(line).collect()
        }
    };
    Output::stdout().send(|out| out.raw(text.as_bytes())).map(|_reader| Exit::Done)
}

fn at_length(rule: &Rule) -> String {
    let mut text = format!("{} ({})\n\n", rule.id, rule.severity.name());
    let mut wrap = |words: Safe| {
        for line in words.paragraph(80) {
            text.push_str(line.as_str());
            text.push('\n');
        }
    };
    wrap(safe!("Finds: {}.", rule.about));
    wrap(safe!("Why: {}", rule.why));
    wrap(safe!("What to do: {}", rule.advice));
    if let Some(needs) = rule.needs() {
        wrap(safe!("Needs {}.", needs.option()));
    }
    text
}
