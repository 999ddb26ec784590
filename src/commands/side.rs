//! The listings that can be compared: a file, the live workspace, its cache, or a snapshot in its history.

use std::path::Path;

use jiff::Timestamp;

use super::context::{Context, MalformedRows};
use super::open::{found_in_cache, note_cache_age};
use super::workspace::{EVERYTHING, Workspace};
use crate::analysis::query::moment;
use crate::base::clock;
use crate::base::text::{Safe, clean, clean_head};
use crate::cache::{CachedListing, Snapshot, dated};
use crate::cli::Global;
use crate::error::{Error, Exit};
use crate::fetch::{self, Reading, Summary};
use crate::model::{Interner, Rows};
use crate::safe;
use crate::snapshot::{self, FileListing, STORED_PAGE};

/// A word on the command line that names a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListingName<'a> {
    Live,
    Cache,
    /// The newest snapshot in the history at that time.
    Time(Timestamp),
    File(&'a Path),
}

/// One side of a comparison: a whole listing.
pub(super) struct ComparisonSide {
    pub(super) rows: Rows,
    /// The name for messages.
    pub(super) place: Safe,
    /// Done, or incomplete; the reason is already reported.
    pub(super) exit: Exit,
    /// The workspace to request webhooks from by id, if the API is its source.
    pub(super) live: Option<Workspace>,
    /// The time at which a consistent listing was read from the API, until it is stored.
    pub(super) unstored: Option<Timestamp>,
}

impl<'a> ListingName<'a> {
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

    /// Reads the listing. The command is for advice that repeats its arguments.
    pub(super) async fn load(&self, context: &Context<'_>, command: &'static str) -> Result<ComparisonSide, Error> {
        match self {
            Self::Live => {
                let mut workspace = context.workspace().await?;
                let read_at = clock::Moment::now().wall;
                let read = workspace.read_unstored(EVERYTHING, true).await;
                let Reading { rows, summary } = read.map_err(|error| workspace.failed(error))?;
                let place = workspace.place.clone();
                let exit = context.report(&summary, MalformedRows::LeftOut, &place);
                let live = workspace.is_live().then_some(workspace);
                let unstored = live.as_ref().filter(|_| summary.problems.is_empty()).map(|_| read_at);
                Ok(ComparisonSide { rows, place, exit, live, unstored })
            }
            Self::Cache => {
                let (store, place) = context.remembered().await?;
                let read = store.read(&Interner::default(), context.now);
                let CachedListing { rows, read_at } = found_in_cache(read, &place, context.say)?;
                note_cache_age(read_at, context.now, &place, context.say);
                Ok(ComparisonSide::saved(rows, safe!("{} (cache)", place), context))
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
                Ok(ComparisonSide::saved(rows, name, context))
            }
            Self::File(path) => {
                context.say.note_stdin_terminal(path, "webhooks");
                let FileListing { rows, numbers } = snapshot::read(path, &Interner::default())?;
                let place = snapshot::name(path);
                let Reading { summary, .. } = fetch::check_saved(&rows, numbers, EVERYTHING);
                let exit = context.report(&summary, MalformedRows::LeftOut, &place);
                Ok(ComparisonSide { rows, place, exit, live: None, unstored: None })
            }
        }
    }
}

/// The newest snapshot at a time. If snapshots have impossible times, their order counts, which is noted.
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

/// The error for a time without a snapshot, with the oldest time to compare with.
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

impl ComparisonSide {
    /// Stores a live listing: after both sides were read, since the other one may be the cache, and after removals were
    /// confirmed.
    pub(super) async fn store(&mut self) {
        if let (Some(live), Some(read_at)) = (&mut self.live, self.unstored.take()) {
            self.rows = live.keep(std::mem::take(&mut self.rows), read_at).await.0;
        }
    }

    /// A listing that was consistent when it was saved.
    fn saved(rows: Rows, place: Safe, context: &Context<'_>) -> Self {
        let malformed = rows.iter().filter(|(_, row)| !row.is_webhook()).count() as u64;
        let exit = context.report(&Summary { malformed, ..Summary::default() }, MalformedRows::LeftOut, &place);
        Self { rows, place, exit, live: None, unstored: None }
    }
}
