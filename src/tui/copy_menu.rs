//! The copy menu, for the webhooks that were selected or marked when it was opened.

use super::copy::CopyContext;
use super::jobs::ChosenRows;
use super::picker::Picker;
use crate::base::text::{Safe, clean_head, grouped};
use crate::keymap::Copy;
use crate::model::OwnedRow;
use crate::safe;

/// The most columns of an id.
pub const ID: usize = 40;
/// The most marked webhooks to name.
pub const NAMED: usize = 3;
/// The most rows to search for their names.
pub const LOOKED_THROUGH: u64 = 20_000;

/// The columns around a notice in the footer.
pub const NOTICE_EDGES: usize = 4;

/// The copy menu.
#[derive(Debug, Clone)]
pub struct CopyMenu {
    pub picker: Picker<Copy>,
    pub of: CopySubject,
    pub place: CopyContext,
}

/// The webhooks that a copy is about.
#[derive(Debug, Clone)]
pub enum CopySubject {
    /// None: only the `list` command can be copied.
    Nothing,
    One(OwnedRow),
    Marked {
        rows: ChosenRows,
        count: usize,
        on_screen: usize,
        /// The first ids.
        ids: Vec<Safe>,
    },
}

impl CopySubject {
    /// Describes the webhooks briefly.
    pub fn words(&self, ellipsis: &'static str) -> Safe {
        match self {
            Self::Nothing => Safe::default(),
            Self::One(row) if row.row().is_webhook() => clean_head(row.row().id(), ID),
            Self::One(_) => "a malformed row".into(),
            Self::Marked { count, on_screen, ids, .. } => {
                let mut words = safe!("{} marked", grouped(*count as u64));
                // The user may have forgotten marks that are off screen, and some copies are commands that delete.
                if on_screen < count {
                    words.push(&safe!(", {} on screen", *on_screen));
                }
                for (number, id) in ids.iter().enumerate() {
                    words.push(&safe!("{}{}", if number == 0 { " (" } else { ", " }, id));
                }
                if !ids.is_empty() {
                    words.push(&safe!("{})", if ids.len() < *count { safe!(", {}", ellipsis) } else { Safe::default() }));
                }
                words
            }
        }
    }
}

/// The words of the notice about a copy.
#[derive(Debug)]
pub struct CopyWords {
    /// `Markdown`, `471 ids`.
    pub what: Safe,
    /// ` of whk_9f2k`, `, 3 on screen`: left out if it does not fit.
    pub beside: Safe,
    pub it: &'static str,
}

impl CopyWords {
    pub fn one(what: Copy, whose: &Safe) -> Self {
        let [name, _] = what.names();
        let of = if what == Copy::Id { "" } else { " of" };
        let beside = if whose.is_empty() { Safe::default() } else { safe!("{} {}", of, whose) };
        Self { what: name.into(), beside, it: "it" }
    }

    /// The words for a copy of marked webhooks, some of which may not be loaded or on screen.
    pub fn many(what: Copy, webhooks: usize, marked: usize, on_screen: usize) -> Self {
        let [one, several] = what.names();
        let (name, it) = if webhooks == 1 { (one, "it") } else { (several, "them") };
        let mut what = safe!("{} {}", grouped(webhooks as u64), name);
        if webhooks < marked {
            what.push(&safe!(" of {} marked", grouped(marked as u64)));
        }
        let beside = if on_screen < webhooks { safe!(", {} on screen", on_screen) } else { Safe::default() };
        Self { what, beside, it }
    }
}
