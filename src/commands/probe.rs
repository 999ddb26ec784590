//! `hookscope probe`: which destinations are reachable from this host.

use std::collections::HashMap;
use std::future::pending;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;
use url::Url;

use super::context::{Context, MalformedRows, row_filter};
use super::get;
use super::progress::{ProgressLine, ProgressWords};
use super::read_all::{WorkspaceReading, read_all};
use crate::analysis::destinations::{Destinations, Grouping, Member, Origin};
use crate::analysis::reach::{Reach, Tally, Trouble};
use crate::base::text::{Safe, grouped};
use crate::cli::args::ProbeArgs;
use crate::config::ProxySetting;
use crate::error::{Error, Exit};
use crate::fetch::{Summary, Wanted};
use crate::model::{Destination, OwnedRow, RowRef, Scope};
use crate::output::{Format, Output, OutputState, ProbeRecord, Sheet, SheetEntry};
use crate::probe::{self, Trust};
use crate::safe;

/// The number of SIGINT (POSIX).
const SIGINT: u8 = 2;

/// Reads the webhooks, and probes their destinations.
pub(super) async fn run(args: &ProbeArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let mut out = Output::stdout();
    let sheet: Sheet<ProbeRecord> = context.sheet(&out, args.output, None)?;
    if context.global.all_profiles && !args.ids.is_empty() {
        let message = "probe: ids cannot be combined with --all-profiles".into();
        return Err(Error::Usage { message, advice: Some("Select the workspace with --profile.".into()) });
    }
    // Invalid settings are reported before anything is read.
    let settings = settings(args.step_timeout, args.allow_private, context)?;
    let mut read = read(args, context).await?;
    note_proxy(context);
    let destinations = std::mem::take(&mut read.grouping).finish();
    let mut probing =
        ProbeRun { args, sheet, read: &read, out: &mut out, done: Vec::new(), tally: Tally::default(), counted: 0 };
    let wanted = destinations.targets.iter().map(|target| probe::Wanted::of(target, args.http)).collect();
    let ended = probing.probe(destinations, wanted, settings, context).await?;
    let (tally, counted) = (probing.tally, probing.counted);
    let state = probing.finish()?;
    if ended == ProbeEnd::ReaderGone {
        return Ok(Exit::Done);
    }
    let mut exit = read.exit.max(context.report_all(&read.summaries, MalformedRows::LeftOut, state));
    if ended == ProbeEnd::Interrupted {
        context.say.problem(&safe!("interrupted: {} of {} destinations probed", tally.done(), tally.wanted));
        return Ok(Exit::Signal(SIGINT));
    }
    if state == OutputState::Open && tally.wanted > 0 {
        context.say.note(&tally.words());
    }
    if counted > 0 {
        exit = exit.max(Exit::Found);
    }
    Ok(if args.exit_zero && exit == Exit::Found { Exit::Done } else { exit })
}

/// The settings of a probe, whose steps take at most that many seconds each.
pub(super) fn settings(step_timeout: u64, allow_private: bool, context: &Context<'_>) -> Result<probe::Settings, Error> {
    let extra_roots = context.config.network.extra_roots()?;
    let trust = Trust::new(extra_roots.as_deref()).map_err(|error| Error::Api { place: "certificates".into(), error })?;
    Ok(probe::Settings { step_timeout: Duration::from_secs(step_timeout), allow_private, trust, now: context.now })
}

/// Notes that the proxy is not used: DialNexa does not use one of this host, and a proxy would answer for the destination.
pub(super) fn note_proxy(context: &Context<'_>) {
    let named = match &context.config.network.proxy {
        ProxySetting::None => None,
        ProxySetting::Server(_) => Some("network.proxy"),
        ProxySetting::Environment => context.env.proxy,
    };
    if let Some(named) = named {
        context.say.note(&safe!("{} is not used: probe connects to destinations directly", named));
    }
}

/// The destinations to probe, and the state of the listings they are from.
struct ProbeInput {
    grouping: Grouping,
    /// The profile of each workspace, when several are read.
    profiles: Vec<Option<Arc<str>>>,
    summaries: Vec<(Summary, Safe)>,
    /// [`Exit::Done`] unless a workspace or a webhook could not be read.
    exit: Exit,
}

async fn read(args: &ProbeArgs, context: &Context<'_>) -> Result<ProbeInput, Error> {
    let query = context.query(args.filter.as_deref())?;
    let matches = |row: RowRef<'_>| query.matches(row);
    let filter = row_filter(&query, &matches);
    let mut grouping = Grouping::default();
    if !args.ids.is_empty() {
        let ids = get::distinct(&args.ids, "probe")?;
        let (rows, exit) = get::read(&ids, "probe", context).await?;
        let webhooks = rows.iter().map(OwnedRow::row).filter(|row| row.is_webhook());
        let wanted = webhooks.filter(|&row| args.scope.admits(row.active()) && filter.is_none_or(|filter| filter(row)));
        wanted.for_each(|row| grouping.add(row, 0));
        return Ok(ProbeInput { grouping, profiles: vec![None], summaries: Vec::new(), exit });
    }
    let all = read_all(context, Wanted { filter, ..Wanted::all(args.scope) }).await?;
    let (mut profiles, mut summaries) = (Vec::new(), Vec::new());
    for (number, WorkspaceReading { profile, place, reading, .. }) in all.workspaces.into_iter().enumerate() {
        reading.rows.webhooks().for_each(|row| grouping.add(row, number));
        profiles.push(profile);
        summaries.push((reading.summary, place));
    }
    Ok(ProbeInput { grouping, profiles, summaries, exit: all.exit })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProbeEnd {
    Whole,
    Interrupted,
    ReaderGone,
}

/// The progress line.
struct ProbeProgress {
    tally: Tally,
    since: Instant,
}

impl ProgressWords for ProbeProgress {
    fn words(&self, now: Instant) -> Safe {
        let Tally { wanted, dead, .. } = self.tally;
        let (done, wanted) = (grouped(self.tally.done() as u64), grouped(wanted as u64));
        let mut words = safe!("probing: {} of {}", done, wanted);
        if dead > 0 {
            words.push(&safe!(", {} unreachable", dead));
        }
        words.push(&safe!(" · {} s", now.duration_since(self.since).as_secs()));
        words
    }
}

/// A probe of all destinations, and its output.
struct ProbeRun<'a, W> {
    args: &'a ProbeArgs,
    sheet: Sheet<ProbeRecord>,
    read: &'a ProbeInput,
    out: &'a mut Output<W>,
    /// Records that are not written yet.
    done: Vec<SheetEntry<ProbeRecord>>,
    tally: Tally,
    /// Unreachable destinations that count for the exit code.
    counted: usize,
}

impl<W: Write> ProbeRun<'_, W> {
    fn streams(&self) -> bool {
        self.sheet.format == Format::Ndjson
    }

    async fn probe(
        &mut self,
        destinations: Destinations,
        wanted: Vec<probe::Wanted>,
        settings: probe::Settings,
        context: &Context<'_>,
    ) -> Result<ProbeEnd, Error> {
        let http = self.args.http;
        self.tally.wanted = destinations.invalid.len() + wanted.iter().map(|wanted| wanted.urls.len().max(1)).sum::<usize>();
        // From here on, Ctrl-C no longer ends the program by itself, unless installing the handler fails.
        let mut interrupts = signal(SignalKind::interrupt()).ok();
        let mut members = members_of(&destinations, http);
        for (text, members) in destinations.invalid {
            if self.note(&text, None, &Reach::untried(Trouble::InvalidUrl), &members)? == OutputState::Closed {
                return Ok(ProbeEnd::ReaderGone);
            }
        }
        let drawn = !(self.streams() && self.out.is_terminal());
        let line = ProbeProgress { tally: self.tally, since: Instant::now() };
        let progress = ProgressLine::start(line, context.say, drawn);
        let mut probing = probe::start(wanted, settings);
        loop {
            let answer = tokio::select! {
                biased;
                () = interrupted(&mut interrupts) => return Ok(ProbeEnd::Interrupted),
                answer = probing.next() => answer,
            };
            let Some(probe::Answer { origin, url, reach }) = answer else { return Ok(ProbeEnd::Whole) };
            let members = members.remove(&(origin.clone(), url.clone())).unwrap_or_default();
            let origin = Destination::new(&origin.to_string());
            let url = url.map(|url| Destination::new(url.as_str()));
            if self.note(&origin, url.as_ref(), &reach, &members)? == OutputState::Closed {
                return Ok(ProbeEnd::ReaderGone);
            }
            progress.update(|line| line.tally = self.tally);
        }
    }

    /// Records the result for one destination: a record for each workspace that delivers there.
    fn note(
        &mut self,
        origin: &Destination,
        url: Option<&Destination>,
        reach: &Reach,
        members: &[Member],
    ) -> Result<OutputState, Error> {
        self.tally.add(reach);
        self.counted += usize::from(reach.trouble.is_some() && self.counts(members));
        for (number, profile) in self.read.profiles.iter().enumerate() {
            let members: Vec<_> = members.iter().filter(|member| member.workspace == number).cloned().collect();
            if members.is_empty() {
                continue;
            }
            let (profile, origin, url) = (profile.clone(), origin.clone(), url.cloned());
            self.done.push(SheetEntry::Record(ProbeRecord { profile, origin, url, reach: reach.clone(), members }));
        }
        if !self.streams() {
            return Ok(OutputState::Open);
        }
        let Self { sheet, out, done, .. } = self;
        let reader = out.send(|out| sheet.write_lines(out, done))?;
        done.clear();
        Ok(reader)
    }

    /// Returns true if the command fails when this destination is unreachable: an active webhook delivers there, or the options
    /// name its webhooks.
    fn counts(&self, members: &[Member]) -> bool {
        let asked_for = !self.args.ids.is_empty() || self.args.scope == Scope::Inactive;
        asked_for || members.iter().any(|member| member.active != Some(false))
    }

    /// Writes the records that are not written yet.
    fn finish(mut self) -> Result<OutputState, Error> {
        // If nothing could be read, do not write an empty result.
        if self.streams() || self.read.profiles.is_empty() && self.read.exit != Exit::Done {
            return Ok(OutputState::Open);
        }
        self.done.sort_by_cached_key(|entry| match entry {
            SheetEntry::Record(probed) => (probed.profile.clone(), Some((probed.origin.clone(), probed.url.clone()))),
            SheetEntry::Malformed(_) => (None, None),
        });
        let Self { sheet, out, done, .. } = &mut self;
        out.send(|out| sheet.write(out, done))
    }
}

/// The webhooks of each destination.
fn members_of(destinations: &Destinations, http: bool) -> HashMap<(Origin, Option<Url>), Vec<Member>> {
    let mut found: HashMap<_, Vec<Member>> = HashMap::new();
    for target in &destinations.targets {
        for resource in &target.resources {
            let key = (target.origin.clone(), http.then(|| resource.url.clone()));
            found.entry(key).or_default().extend(resource.members.iter().cloned());
        }
    }
    found
}

/// Waits for Ctrl-C. Cancelling the wait loses none.
async fn interrupted(interrupts: &mut Option<Signal>) {
    match interrupts {
        Some(interrupts) => drop(interrupts.recv().await),
        None => pending().await,
    }
}
