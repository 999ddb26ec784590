//! `hookscope probe`: which destinations are reachable from this host.

use std::collections::HashMap;
use std::future::pending;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;
use url::Url;

use super::progress::{ProgressLine, Words};
use super::{Context, Exit, Fate, exit_of, get, workspace};
use crate::analysis::destinations::{Destinations, Grouping, Member, Origin};
use crate::analysis::reach::{Reach, Tally, Trouble};
use crate::base::text::{Safe, grouped};
use crate::cli::args::ProbeArgs;
use crate::config::ProxySetting;
use crate::error::Error;
use crate::fetch::{Summary, Wanted};
use crate::model::{Destination, OwnedRow, RowRef, Scope};
use crate::output::{Entry, Format, Output, Probed, Reader, Sheet};
use crate::probe::{self, Trust};
use crate::safe;

/// The number of SIGINT (POSIX).
const SIGINT: u8 = 2;

/// Reads the webhooks, and probes where they deliver to.
pub(super) async fn run(args: &ProbeArgs, context: &Context<'_>) -> Result<Exit, Error> {
    let mut out = Output::stdout();
    let sheet: Sheet<Probed> = context.sheet(&out, args.output, None)?;
    if context.global.all_profiles && !args.ids.is_empty() {
        let message = "probe: ids cannot be combined with --all-profiles".into();
        return Err(Error::Usage { message, advice: Some("Select the workspace with --profile.".into()) });
    }
    // Before anything is read: what keeps it from being probed is known now.
    let settings = settings(args.step_timeout, args.allow_private, context)?;
    let mut read = read(args, context).await?;
    note_proxy(context);
    let destinations = std::mem::take(&mut read.grouping).finish();
    let mut sweep = Sweep { args, sheet, read: &read, out: &mut out, done: Vec::new(), tally: Tally::default(), counted: 0 };
    let wanted = destinations.targets.iter().map(|target| probe::Wanted::of(target, args.http)).collect();
    let ended = sweep.probe(destinations, wanted, settings, context).await?;
    let (tally, counted) = (sweep.tally, sweep.counted);
    let reader = sweep.finish()?;
    if ended == Ended::ReaderGone {
        return Ok(Exit::Done);
    }
    let mut exit = read.summaries.iter().fold(read.exit, |exit, (summary, _)| exit.max(exit_of(summary)));
    if reader == Reader::Listening {
        for (summary, place) in &read.summaries {
            context.report(summary, Fate::LeftOut, place);
        }
    }
    if ended == Ended::Interrupted {
        context.say.problem(&safe!("interrupted: {} of {} destinations probed", tally.done(), tally.wanted));
        return Ok(Exit::Signal(SIGINT));
    }
    if reader == Reader::Listening && tally.wanted > 0 {
        context.say.note(&tally.words());
    }
    if counted > 0 {
        exit = exit.max(Exit::Found);
    }
    Ok(if args.exit_zero && exit == Exit::Found { Exit::Done } else { exit })
}

/// How a probe is made, each step of so many seconds at most.
pub(super) fn settings(step_timeout: u64, allow_private: bool, context: &Context<'_>) -> Result<probe::Settings, Error> {
    let extra_roots = context.config.network.extra_roots()?;
    let trust = Trust::new(extra_roots.as_deref()).map_err(|error| Error::Api { place: "certificates".into(), error })?;
    Ok(probe::Settings { step_timeout: Duration::from_secs(step_timeout), allow_private, trust, now: context.now })
}

/// DialNexa does not go through a proxy of this host, and a proxy would answer in the place of a destination.
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

/// What was read of the workspaces.
struct Read {
    grouping: Grouping,
    /// The profile of each workspace, when several are read.
    profiles: Vec<Option<Arc<str>>>,
    summaries: Vec<(Summary, Safe)>,
    /// [`Exit::Done`] unless something kept a workspace or a webhook from being read.
    exit: Exit,
}

async fn read(args: &ProbeArgs, context: &Context<'_>) -> Result<Read, Error> {
    let query = context.query(args.filter.as_deref())?;
    let scope = args.scope;
    let matches = |row: RowRef<'_>| query.matches(row);
    let filter: Option<&dyn Fn(RowRef<'_>) -> bool> = if query.is_empty() { None } else { Some(&matches) };
    let mut read = Read { grouping: Grouping::default(), profiles: Vec::new(), summaries: Vec::new(), exit: Exit::Done };
    if !args.ids.is_empty() {
        let ids = get::distinct(&args.ids, "probe")?;
        let (rows, exit) = get::read(&ids, "probe", context).await?;
        let webhooks = rows.iter().map(OwnedRow::row).filter(|row| row.is_webhook());
        let wanted = webhooks.filter(|&row| scope.admits(row.active()) && filter.is_none_or(|filter| filter(row)));
        wanted.for_each(|row| read.grouping.add(row, 0));
        read.profiles.push(None);
        read.exit = exit;
        return Ok(read);
    }
    let workspaces = if context.global.all_profiles {
        workspace::open_all(context.global, context.config, context.env, context.say).await?
    } else {
        vec![Ok(context.workspace().await?)]
    };
    for workspace in workspaces {
        let number = read.profiles.len();
        let opened = match workspace {
            Ok(workspace) => {
                let (profile, place) = (workspace.profile.clone(), workspace.place().clone());
                let reading = workspace.read(Wanted { filter, ..Wanted::all(args.scope) }).await;
                reading.map(|reading| (profile, place, reading))
            }
            Err(error) => Err(error),
        };
        match opened {
            Ok((profile, place, reading)) => {
                reading.rows.webhooks().for_each(|row| read.grouping.add(row, number));
                read.profiles.push(profile);
                read.summaries.push((reading.summary, place));
            }
            // One of several does not keep the others from being probed.
            Err(error) if context.global.all_profiles => {
                context.say.error(&error);
                read.exit = read.exit.max(error.exit());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Whole,
    Interrupted,
    ReaderGone,
}

/// The progress line.
struct Line {
    tally: Tally,
    since: Instant,
}

impl Words for Line {
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

/// A probe of everything, and what is written of it.
struct Sweep<'a, W> {
    args: &'a ProbeArgs,
    sheet: Sheet<Probed>,
    read: &'a Read,
    out: &'a mut Output<W>,
    /// Records that are not written yet.
    done: Vec<Entry<Probed>>,
    tally: Tally,
    /// Those that are not reachable and decide the exit code.
    counted: usize,
}

impl<W: Write> Sweep<'_, W> {
    fn streams(&self) -> bool {
        self.sheet.format == Format::Ndjson
    }

    async fn probe(
        &mut self,
        destinations: Destinations,
        wanted: Vec<probe::Wanted>,
        settings: probe::Settings,
        context: &Context<'_>,
    ) -> Result<Ended, Error> {
        let http = self.args.http;
        self.tally.wanted = destinations.invalid.len() + wanted.iter().map(|wanted| wanted.urls.len().max(1)).sum::<usize>();
        // From here on Ctrl-C does not end the program by itself; where it cannot be waited for, it still does.
        let mut interrupts = signal(SignalKind::interrupt()).ok();
        let mut members = members_of(&destinations, http);
        for (text, members) in destinations.invalid {
            if self.note(&text, None, &Reach::untried(Trouble::InvalidUrl), &members)? == Reader::Gone {
                return Ok(Ended::ReaderGone);
            }
        }
        let drawn = !(self.streams() && self.out.is_terminal());
        let line = Line { tally: self.tally, since: Instant::now() };
        let progress = ProgressLine::start(line, context.say, drawn);
        let mut probing = probe::start(wanted, settings);
        loop {
            let answer = tokio::select! {
                biased;
                () = interrupted(&mut interrupts) => return Ok(Ended::Interrupted),
                answer = probing.next() => answer,
            };
            let Some(probe::Answer { origin, url, reach }) = answer else { return Ok(Ended::Whole) };
            let members = members.remove(&(origin.clone(), url.clone())).unwrap_or_default();
            let origin = Destination::new(&origin.to_string());
            let url = url.map(|url| Destination::new(url.as_str()));
            if self.note(&origin, url.as_ref(), &reach, &members)? == Reader::Gone {
                return Ok(Ended::ReaderGone);
            }
            progress.update(|line| line.tally = self.tally);
        }
    }

    /// Takes note of what was found of one destination: a record for each workspace that delivers there.
    fn note(
        &mut self,
        origin: &Destination,
        url: Option<&Destination>,
        reach: &Reach,
        members: &[Member],
    ) -> Result<Reader, Error> {
        self.tally.add(reach);
        self.counted += usize::from(reach.trouble.is_some() && self.counts(members));
        for (number, profile) in self.read.profiles.iter().enumerate() {
            let members: Vec<_> = members.iter().filter(|member| member.workspace == number).cloned().collect();
            if members.is_empty() {
                continue;
            }
            let (profile, origin, url) = (profile.clone(), origin.clone(), url.cloned());
            self.done.push(Entry::Record(Probed { profile, origin, url, reach: reach.clone(), members }));
        }
        if !self.streams() {
            return Ok(Reader::Listening);
        }
        let Self { sheet, out, done, .. } = self;
        let reader = out.send(|out| sheet.write_lines(out, done))?;
        done.clear();
        Ok(reader)
    }

    /// Whether a destination that is not reachable is one to fail for: an active webhook delivers there, or inactive ones were
    /// asked for.
    fn counts(&self, members: &[Member]) -> bool {
        let asked_for = !self.args.ids.is_empty() || self.args.scope == Scope::Inactive;
        asked_for || members.iter().any(|member| member.active != Some(false))
    }

    /// Writes what is not written yet. `None` when nobody reads it.
    fn finish(mut self) -> Result<Reader, Error> {
        // Workspaces of which nothing could be read are not workspaces without destinations.
        if self.streams() || self.read.profiles.is_empty() && self.read.exit != Exit::Done {
            return Ok(Reader::Listening);
        }
        self.done.sort_by_cached_key(|entry| match entry {
            Entry::Record(probed) => (probed.profile.clone(), Some((probed.origin.clone(), probed.url.clone()))),
            Entry::Malformed(_) => (None, None),
        });
        let Self { sheet, out, done, .. } = &mut self;
        out.send(|out| sheet.write(out, done))
    }
}

/// The webhooks behind each answer that is to come.
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

/// Waits for Ctrl-C. A call that is cancelled misses none.
async fn interrupted(interrupts: &mut Option<Signal>) {
    match interrupts {
        Some(interrupts) => drop(interrupts.recv().await),
        None => pending().await,
    }
}
