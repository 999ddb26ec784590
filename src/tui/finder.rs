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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use jiff::Timestamp;
    use serde_json::value::RawValue;

    use super::*;
    use crate::analysis::query::Query;
    use crate::analysis::rows::{Rows, Segment};
    use crate::model::{Draft, Element as _, Packer};

    #[test]
    fn it_looks_ahead_only_of_what_is_typed() {
        let json = RawValue::from_string(r#"{"id":"w","url":"https://x.test/in"}"#.to_owned()).unwrap();
        let drafts = (0..1_000).map(|_| Draft::decode(&json).unwrap());
        let block = Arc::new(Packer::default().pack_rows(drafts));
        let mut rows = Rows::new(1_000);
        for page in 1..=60 {
            rows.put(page, Segment { rows: block.len(), block: Arc::clone(&block) });
        }
        let query = Query::parse("x", Timestamp::UNIX_EPOCH).unwrap();
        let question = Question { rows, query, ..Question::default() };
        for is_typed in [true, false] {
            let wish = Wish { epoch: 1, version: 1, question: question.clone(), is_typed };
            let mut arranger = Arranger::default();
            assert!(wish.work(&mut arranger, &|| true, &mut |_| {}).is_some());
            let looks = AtomicBool::new(false);
            let goes_on = || {
                looks.store(true, Ordering::Relaxed);
                true
            };
            worker::Wish::prepare(&wish, &mut arranger, &goes_on);
            assert_eq!(looks.into_inner(), is_typed);
        }
    }
}
