//! The two sides of a comparison: a file, the live workspace, what is remembered of it.

use std::path::Path;

use super::workspace::Live;
use super::{Context, Exit, Fate};
use crate::api::Page;
use crate::error::Error;
use crate::fetch::{Problem, Summary};
use crate::model::{Line, Roster, WebhookId};
use crate::safe;
use crate::snapshot;
use crate::text::{Safe, clean_head};

/// What a word on the command line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named<'a> {
    Live,
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
}

impl<'a> Named<'a> {
    /// Reads a word. `./live` is a file of that name.
    pub(super) fn read(word: &'a str) -> Result<Self, Error> {
        match word {
            "live" => return Ok(Self::Live),
            "" => return Err(wrong("a side is empty".into())),
            _ => {}
        }
        if word == "-" || Path::new(word).exists() {
            return Ok(Self::File(Path::new(word)));
        }
        Err(wrong(safe!("{}: there is no such file", clean_head(word, 200))))
    }

    /// Reads the side itself.
    pub(super) async fn load(&self, context: &Context<'_>) -> Result<Side, Error> {
        match self {
            Self::Live => {
                let workspace = context.workspace().await?;
                let place = workspace.place().clone();
                let (roster, summary, live) = workspace.read_roster().await?;
                let exit = context.report(&summary, Fate::LeftOut, &place);
                Ok(Side { roster, place, exit, live })
            }
            Self::File(path) => {
                let (roster, page) = snapshot::read_roster(path)?;
                let place = snapshot::name(path);
                let exit = context.report(&judge(&roster, &page), Fate::LeftOut, &place);
                Ok(Side { roster, place, exit, live: None })
            }
        }
    }
}

fn wrong(message: Safe) -> Error {
    let advice = "diff takes a file, live, cache, or a time of the history: yesterday, 2h, 3d, 2026-11-01.";
    Error::Usage { message: safe!("diff: {}", message), advice: Some(advice.into()) }
}

/// What is wrong with a file that stands for a whole workspace.
fn judge(roster: &Roster, page: &Page<Line>) -> Summary {
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
