//! What is to be done with all webhooks that are shown, as soon as all of them are here.

use super::{App, Effect, Everything, draw_if};

/// Something to be done with all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wish {
    Mark,
    Probe,
}

impl Wish {
    /// What all is loaded for.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Mark => "to mark all",
            Self::Probe => "to probe all",
        }
    }
}

impl App {
    /// What waits for everything, if something does.
    pub fn waiting_wish(&self) -> Option<Wish> {
        self.jobs.wishes.keys().next().copied()
    }

    /// Whether a wish has to wait: what is missing is loaded, as far as that may be done without asking.
    pub(super) fn has_to_wait(&mut self, wish: Wish) -> bool {
        self.need_everything();
        let waits = !self.is_settled();
        if waits {
            self.jobs.wishes.insert(wish, self.filter.applied().to_owned());
        }
        waits
    }

    /// Whether the rows on screen are those that were asked for, and no more are on their way.
    pub(super) fn is_settled(&self) -> bool {
        self.everything == Everything::No && self.is_arranged_anew()
    }

    /// Does what waited, as soon as all are here; what waited in vain is said.
    pub(super) fn fulfil_wishes(&mut self) -> Vec<Effect> {
        let asked = self.jobs.wishes.len();
        self.jobs.wishes.retain(|_, filter| filter == self.filter.applied());
        if self.jobs.wishes.len() < asked {
            return self.warn("the filter changed: nothing marked or probed");
        }
        if self.jobs.wishes.is_empty() || !self.is_settled() {
            return Vec::new();
        }
        let is_complete = self.listing.is_complete();
        let mut effects = draw_if(true);
        for wish in std::mem::take(&mut self.jobs.wishes).into_keys() {
            effects.extend(match wish {
                Wish::Mark if is_complete => self.mark_all_now(),
                Wish::Mark => self.warn("nothing marked: not all webhooks are loaded"),
                Wish::Probe if is_complete => self.gather_shown(),
                Wish::Probe => self.warn("nothing probed: not all webhooks are loaded"),
            });
        }
        effects
    }
}
