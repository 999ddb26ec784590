//! The two sides of a comparison: a file, the live workspace, what is remembered of it.

use std::path::Path;

use jiff::Timestamp;

use super::workspace::{EVERYTHING, Live, found_in_cache, say_age};
use super::{Context, Exit, Fate, note_terminal};
use crate::analysis::query::moment;
use crate::base::clock;
use crate::base::text::{Safe, clean, clean_head};
use crate::cache::{CachedListing, Snapshot, dated};
use crate::cli::Global;
use crate::error::Error;
use crate::fetch::{self, Reading, Summary};
use crate::model::{Interner, Rows};
use crate::safe;
use crate::snapshot::{self, FileListing, STORED_PAGE};

/// What a word on the command line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named<'a> {
    Live,
    Cache,
    /// The state of the workspace at a time, as the history has it.
    Time(Timestamp),
    File(&'a Path),
}

/// One side, all of it.
pub(super) struct Side {
    pub(super) rows: Rows,
    /// What messages call it.
    pub(super) place: Safe,
    /// Done, or incomplete; it was told why.
    pub(super) exit: Exit,
    /// The API that it is from, to be asked again.
    pub(super) live: Option<Live>,
    /// When a consistent listing of the API was read that is to be stored.
    pub(super) unstored: Option<Timestamp>,
}

impl<'a> Named<'a> {
    /// Reads a word. A file goes before a time of the same spelling; `./live` is a file of that name.
    pub(super) fn read(word: &'a str, now: Timestamp) -> Result<Self, Error> {
        match word {
            "live" => return Ok(Self::Live),
            "cache" => return Ok(Self::Cache),
            _ if word == "-" || Path::new(word).exists() => return Ok(Self::File(Path::new(word))),
            _ => {}
        }
        moment(word, now).map(Self::Time).ok_or_else(|| Error::Usage {
            message: safe!("no such file, and not a valid time: {}", clean_head(word, 200)),
            advice: Some("Use a file, live, cache, or a time in the history, such as yesterday, 3d or 2026-11-01.".into()),
        })
    }

    /// The source in effect: `--cached` and `--from` replace the live workspace.
    pub(super) fn resolve(self, global: &'a Global) -> Self {
        match (self, &global.from) {
            (Self::Live, Some(path)) => Self::File(path),
            (Self::Live, None) if global.cached => Self::Cache,
            (named, _) => named,
        }
    }

    /// Reads the side itself, for a command whose arguments advice repeats.
    pub(super) async fn load(&self, context: &Context<'_>, command: &'static str) -> Result<Side, Error> {
        match self {
            Self::Live => {
                let workspace = context.workspace().await?;
                let place = workspace.place().clone();
                let (rows, summary, live) = workspace.read_unstored().await?;
                let exit = context.report(&summary, Fate::LeftOut, &place);
                let (live, read_at) = live.unzip();
                let unstored = read_at.filter(|_| summary.problems.is_empty());
                Ok(Side { rows, place, exit, live, unstored })
            }
            Self::Cache => {
                let (store, place) = context.remembered().await?;
                let read = store.read(&Interner::default(), context.now);
                let CachedListing { rows, read_at } = found_in_cache(read, &place, context.say)?;
                say_age(read_at, context.now, &place, context.say);
                Ok(Side::remembered(rows, safe!("{} (cache)", place), context))
            }
            Self::Time(at) => {
                let (store, place) = context.remembered().await?;
                let history = store.history();
                let snapshot = newest_at(&history, *at, &place, context, command)?;
                let name = safe!("{} ({})", place, clock::utc(snapshot.at));
                context.say.detail(&safe!("{}: using {}", name, clean(&snapshot.path.to_string_lossy())));
                let read = snapshot.read(&Interner::default(), STORED_PAGE);
                let rows = read.map_err(|why| Error::NotKept {
                    message: safe!("{}: a snapshot in the history is damaged: {}", place, why),
                    advice: "Use another one: hookscope history lists the snapshots and marks damaged ones.".into(),
                })?;
                Ok(Side::remembered(rows, name, context))
            }
            Self::File(path) => {
                note_terminal(path, "webhooks", context.say);
                let FileListing { rows, numbers } = snapshot::read(path, &Interner::default())?;
                let place = snapshot::name(path);
                let Reading { summary, .. } = fetch::check_saved(&rows, numbers, EVERYTHING);
                let exit = context.report(&summary, Fate::LeftOut, &place);
                Ok(Side { rows, place, exit, live: None, unstored: None })
            }
        }
    }
}

/// The newest snapshot at a time. Clocks that were wrong do not change the order of snapshots; that it counts is said.
fn newest_at<'h>(
    history: &'h [Snapshot],
    at: Timestamp,
    place: &Safe,
    context: &Context<'_>,
    command: &'static str,
) -> Result<&'h Snapshot, Error> {
    let dated = dated(history, context.now);
    let newest = dated.iter().rev().find(|dated| dated.at <= at);
    let Some(newest) = newest else { return Err(no_snapshot(dated.first().map(|first| first.at), at, place, command)) };
    let by_clock = history.iter().rev().find(|snapshot| snapshot.at <= at);
    if !newest.is_own || by_clock != Some(newest.snapshot) {
        let wrong = dated.iter().filter(|dated| !dated.is_own).count();
        let (snapshots, have) = if wrong == 1 { ("snapshot", "has a time") } else { ("snapshots", "have times") };
        context.say.note(&safe!(
            "{}: {} {} in the history {} that cannot be right; using the order in which they were written",
            place,
            wrong,
            snapshots,
            have
        ));
    }
    Ok(newest.snapshot)
}

/// Why nothing is known of a time, with the oldest time that a command can compare with.
fn no_snapshot(first: Option<Timestamp>, at: Timestamp, place: &Safe, command: &'static str) -> Error {
    let Some(first) = first else {
        let advice = "Every full read that finds a change adds a snapshot; hookscope history lists them.";
        return Error::NotKept { message: safe!("{}: no history yet", place), advice: advice.into() };
    };
    Error::NotKept {
        message: safe!("{}: no snapshot from {}; the history starts {}", place, clock::utc(at), clock::utc(first)),
        advice: safe!("Oldest to compare with: hookscope {} {}", command, clock::rfc3339_not_before(first)),
    }
}

impl Side {
    /// Stores it, if it is a live one: after both sides were read, since one of them may be what is stored, and after what it
    /// lacks was asked for.
    pub(super) async fn store(&mut self) {
        if let (Some(live), Some(read_at)) = (&self.live, self.unstored.take()) {
            self.rows = live.keep(std::mem::take(&mut self.rows), read_at).await.0;
        }
    }

    /// What was consistent when it was read.
    fn remembered(rows: Rows, place: Safe, context: &Context<'_>) -> Self {
        let malformed = rows.iter().filter(|(_, row)| !row.is_webhook()).count() as u64;
        let exit = context.report(&Summary { malformed, ..Summary::default() }, Fate::LeftOut, &place);
        Self { rows, place, exit, live: None, unstored: None }
    }
}
