//! The two sides of a comparison: a file, the live workspace, what is remembered of it.

use std::path::Path;

use jiff::Timestamp;

use super::workspace::{Live, found_in_cache, say_age};
use super::{Context, Exit, Fate, note_terminal};
use crate::analysis::query::moment;
use crate::api::Page;
use crate::base::clock;
use crate::base::text::{Safe, clean, clean_head};
use crate::cache::{Snapshot, dated};
use crate::cli::Global;
use crate::error::Error;
use crate::fetch::{Problem, Summary};
use crate::model::{Line, Roster, WebhookId};
use crate::safe;
use crate::snapshot;

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
    pub(super) roster: Roster,
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
                let (roster, summary, live) = workspace.read_roster().await?;
                let exit = context.report(&summary, Fate::LeftOut, &place);
                let (live, read_at) = live.unzip();
                let unstored = read_at.filter(|_| summary.problems.is_empty());
                Ok(Side { roster, place, exit, live, unstored })
            }
            Self::Cache => {
                let (store, place) = context.remembered().await?;
                let (roster, read_at) = found_in_cache(store.read_roster(context.now), &place, context.say)?;
                say_age(read_at, context.now, &place, context.say);
                Ok(Side::remembered(roster, safe!("{} (cache)", place), context))
            }
            Self::Time(at) => {
                let (store, place) = context.remembered().await?;
                let history = store.history();
                let snapshot = newest_at(&history, *at, &place, context, command)?;
                let name = safe!("{} ({})", place, clock::utc(snapshot.at));
                context.say.detail(&safe!("{}: using {}", name, clean(&snapshot.path.to_string_lossy())));
                let roster = snapshot.read().map_err(|why| Error::NotKept {
                    message: safe!("{}: a snapshot in the history is damaged: {}", place, why),
                    advice: "Use another one: hookscope history lists the snapshots and marks damaged ones.".into(),
                })?;
                Ok(Side::remembered(roster, name, context))
            }
            Self::File(path) => {
                note_terminal(path, "webhooks", context.say);
                let (roster, page) = snapshot::read_roster(path)?;
                let place = snapshot::name(path);
                let exit = context.report(&judge(&roster, &page), Fate::LeftOut, &place);
                Ok(Side { roster, place, exit, live: None, unstored: None })
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
            self.roster = live.keep(std::mem::take(&mut self.roster), read_at).await.0;
        }
    }

    /// What was consistent when it was read.
    fn remembered(roster: Roster, place: Safe, context: &Context<'_>) -> Self {
        let summary = Summary { malformed: roster.malformed(), ..Summary::default() };
        let exit = context.report(&summary, Fate::LeftOut, &place);
        Self { roster, place, exit, live: None, unstored: None }
    }
}

/// What is wrong with a file that stands for a whole workspace.
fn judge(roster: &Roster, page: &Page<Vec<Line>>) -> Summary {
    let mut summary = Summary { malformed: roster.malformed(), total: page.total, pages: 1, ..Summary::default() };
    let sent = roster.rows().count() as u64;
    if let Some(claimed) = page.total.filter(|&total| total != sent) {
        summary.problems.push(Problem::CountDiffers { claimed, sent });
    } else if let Some(claimed) = page.total_pages.filter(|&pages| page.total.is_none() && pages > 1) {
        summary.problems.push(Problem::PagesDiffer { claimed, sent: 1 });
    }
    if let Some((count, example)) = roster.repeated() {
        summary.problems.push(Problem::RepeatedIds { count, example: WebhookId::new(example) });
    }
    summary
}
