//! Audits in the background, so that nothing waits for a rule.

use super::worker::{self, Worker};
use crate::analysis::IsNeeded;
use crate::analysis::audit::{Auditor, Question, Verdicts};

/// The thread that does it.
pub type Judge = Worker<Case>;

/// Which rows are to be judged. The latest case counts; what is under way for an older one ends, and what was judged for it stays
/// known.
#[derive(Debug, Clone)]
pub struct Case {
    /// Another number for each.
    pub number: u64,
    /// Of the rows.
    pub version: u64,
    pub question: Question,
}

impl PartialEq for Case {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Case {}

/// What is to be said of a case.
#[derive(Debug, Clone)]
pub struct Judged {
    pub number: u64,
    pub version: u64,
    pub verdicts: Verdicts,
}

impl Case {
    /// Works on the case; see [`Auditor::answer`].
    pub fn judge(&self, auditor: &mut Auditor, is_needed: IsNeeded<'_>) -> Option<Judged> {
        let verdicts = auditor.answer(&self.question, self.number, is_needed)?;
        Some(Judged { number: self.number, version: self.version, verdicts })
    }
}

impl worker::Wish for Case {
    type Answer = Judged;
    type Memory = Auditor;

    fn is_wanted_beside(&self, _newer: &Self) -> bool {
        false
    }

    fn work(&self, auditor: &mut Auditor, is_needed: IsNeeded<'_>, _tell: &mut dyn FnMut(Judged)) -> Option<Judged> {
        self.judge(auditor, is_needed)
    }
}
