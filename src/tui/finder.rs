//! Filters and sorts in the background, so that typing never waits for matching.

use super::worker::{self, Worker};
use crate::analysis::IsNeeded;
use crate::analysis::filter_sort::{FilterSortRequest, FilterSortResult};

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
    pub request: FilterSortRequest,
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
    pub answer: FilterSortResult,
}

impl Wish {
    /// Works on the wish; see [`FilterSortRequest::run`].
    pub fn work(&self, is_needed: IsNeeded<'_>, tell: &mut dyn FnMut(Arranged)) -> Option<Arranged> {
        let addressed = |answer| Arranged { epoch: self.epoch, version: self.version, answer };
        let answer = self.request.run(is_needed, &mut |first| tell(addressed(first)))?;
        Some(addressed(answer))
    }
}

impl worker::Wish for Wish {
    type Answer = Arranged;
    type Memory = ();

    fn is_wanted_beside(&self, newer: &Self) -> bool {
        newer.epoch == self.epoch
    }

    fn work(&self, (): &mut (), is_needed: IsNeeded<'_>, tell: &mut dyn FnMut(Arranged)) -> Option<Arranged> {
        Self::work(self, is_needed, tell)
    }
}
