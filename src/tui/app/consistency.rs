//! Whether what was read of everything can be all there is. A workspace that changes while its pages are read moves rows from one
//! page to another: one comes twice, and one not at all.

use super::{Action, App, Effect, Generation};
use crate::analysis::rows::Repeated;
use crate::safe;
use crate::text::{Safe, clean_head};
use crate::tui::jobs::Task;

/// How often everything is read before it is left at that.
const READS: u32 = 3;
/// More webhooks than these are looked at beside the loop.
const FEW: u64 = 20_000;

#[derive(Debug, Default)]
pub(super) struct Consistency {
    /// The read that was looked at last.
    checked: Option<Generation>,
    /// The job that looks at one.
    job: Option<u64>,
    /// Reads in a row that rows moved in.
    moved: u32,
}

impl Consistency {
    /// Whether it is not known yet what to think of the last read of everything.
    pub(super) fn is_looking(&self) -> bool {
        self.job.is_some()
    }

    /// What is read from here on is read for another reason.
    pub(super) fn start_over(&mut self) {
        *self = Self::default();
    }
}

impl App {
    /// Looks at a read of everything, once.
    pub(super) fn check_whole_read(&mut self) -> Vec<Effect> {
        if self.consistency.checked == Some(self.generation)
            || !self.listing.is_all_fresh()
            || self.listing.fresh_pages() == 0
        {
            return Vec::new();
        }
        self.consistency.checked = Some(self.generation);
        self.consistency.job = None;
        if self.listing.has_differing_totals() {
            return self.rows_moved(&"the totals of the pages differ".into());
        }
        let rows = self.listing.rows();
        if rows.count() <= FEW {
            let repeated = rows.repeated();
            return self.take_repeated(repeated);
        }
        let effects = self.run(Task::FindRepeated(self.listing.rows().clone()));
        self.consistency.job = Some(self.jobs.started);
        effects
    }

    /// What a job found of the read that is still shown.
    pub(super) fn found_repeated(&mut self, number: u64, repeated: Option<Repeated>) -> Vec<Effect> {
        let is_asked = self.consistency.job.take_if(|job| *job == number).is_some();
        if is_asked && self.consistency.checked == Some(self.generation) { self.take_repeated(repeated) } else { Vec::new() }
    }

    fn take_repeated(&mut self, repeated: Option<Repeated>) -> Vec<Effect> {
        let Some(Repeated { count, example }) = repeated else {
            self.consistency.moved = 0;
            self.listing.set_doubtful(false);
            return Vec::new();
        };
        let example = clean_head(&example, 30);
        self.rows_moved(&match count {
            1 => safe!("{} came twice", example),
            _ => safe!("{} ids came twice, such as {}", count, example),
        })
    }

    /// Reads again what is not too much, a few times. Then it is shown as it is.
    fn rows_moved(&mut self, what: &Safe) -> Vec<Effect> {
        self.consistency.moved += 1;
        self.listing.set_doubtful(true);
        let is_little = self.listing.extent().known() <= self.setup.auto_load_limit;
        if is_little && self.consistency.moved < READS {
            // What is seen here is no news, and nothing to compare with.
            let before = self.before.take();
            self.refresh();
            self.before = before;
            let read = self.consistency.moved + 1;
            return self.inform(safe!("{}: rows moved meanwhile, reading again ({} of {})", what, read, READS));
        }
        let again = if is_little { Action::Refresh } else { Action::LoadEverything };
        let key = self.setup.keymap.key(again).unwrap_or_default();
        self.warn(safe!("{}: rows moved meanwhile, some may be missing; {} reads again", what, key))
    }
}
