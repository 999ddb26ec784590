//! Marking webhooks.

use crate::tui::app::App;
use crate::tui::list_pane::Motion;
use crate::tui::message::{Effect, draw_if};
use crate::tui::session::deferred::DeferredAction;

impl App {
    /// Marks the selected webhook or removes its mark, and goes on to the next.
    pub(super) fn mark(&mut self) -> Vec<Effect> {
        let Some(id) = self.session.list.selected_id() else { return self.warn("no webhook to mark") };
        self.mark_and_go_on(&id)
    }

    pub(super) fn mark_and_go_on(&mut self, id: &str) -> Vec<Effect> {
        self.session.toggle_mark(id);
        let mut effects = vec![Effect::Draw];
        effects.extend(self.go(Motion::By(1)));
        effects
    }

    /// Marks all listed webhooks, once all are loaded.
    pub(super) fn mark_all(&mut self) -> Vec<Effect> {
        if self.session.must_wait(DeferredAction::Mark) { draw_if(true) } else { self.session.mark_all_now() }
    }
}
