//! Filters and sorts in the background, so that typing never waits for matching.

use super::worker::{self, Worker};
use crate::analysis::GoesOn;
use crate::analysis::arrange::{Answer, Arranger, Question};

/// The thread that does it.
pub type Finder = Worker<Wish>;

/// Which rows are to be shown. The latest wish counts.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Another number for another question. The same question about more rows keeps it: its answer is not cut short, so that
    /// rows that stream in cannot keep it from ever being given.
    pub epoch: u64,
    /// Of the rows.
    pub version: u64,
    pub question: Question,
    /// Another letter may follow soon.
    pub is_typed: bool,
}

impl PartialEq for Wish {
    fn eq(&self, other: &Self) -> bool {
        (self.epoch, self.version) == (other.epoch, other.version)
    }
}

impl Eq for Wish {}

/// An answer to a wish.
#[derive(Debug, Clone)]
pub struct Arranged {
    pub epoch: u64,
    pub version: u64,
    pub answer: Answer,
}

impl Wish {
    /// Works on the wish; see [`Arranger::answer`].
    pub fn work(&self, arranger: &mut Arranger, goes_on: GoesOn<'_>, tell: &mut dyn FnMut(Arranged)) -> Option<Arranged> {
        let addressed = |answer| Arranged { epoch: self.epoch, version: self.version, answer };
        let answer = arranger.answer(&self.question, goes_on, &mut |first| tell(addressed(first)))?;
        Some(addressed(answer))
    }
}

impl worker::Wish for Wish {
    type Answer = Arranged;
    type Memory = Arranger;

    fn is_wanted_beside(&self, newer: &Self) -> bool {
        newer.epoch == self.epoch
    }

    fn work(&self, arranger: &mut Arranger, goes_on: GoesOn<'_>, tell: &mut dyn FnMut(Arranged)) -> Option<Arranged> {
        Self::work(self, arranger, goes_on, tell)
    }

    fn prepare(&self, arranger: &mut Arranger, goes_on: GoesOn<'_>) {
        if self.is_typed {
            arranger.look_ahead(goes_on);
        }
    }
}
