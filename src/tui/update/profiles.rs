//! Switching between workspaces.

use ratatui::style::Color;

use crate::base::text::Safe;
use crate::config::{KeySource, Profile};
use crate::keymap::Copy;
use crate::safe;
use crate::tui::app::App;
use crate::tui::message::Effect;
use crate::tui::picker::{Picker, PickerChoice};
use crate::tui::session::workspace::WorkspaceInfo;
use crate::tui::session::{Session, SessionStart};
use crate::tui::ui::Overlay;

impl App {
    /// The color of the workspace.
    pub fn colour(&self) -> Option<Color> {
        self.settings.profiles.get(self.session.workspace.at)?.colour
    }

    pub(super) fn choose_profile(&mut self) -> Vec<Effect> {
        if self.session.workspace.file.is_some() {
            return self.inform("reading from a file: no profile to switch to");
        }
        if self.session.workspace.key_source == KeySource::Demo {
            return self.inform("this is the demo: no profile to switch to");
        }
        if self.settings.profiles.len() < 2 {
            return self.inform("no other profile; add a section [profiles.NAME] to the config");
        }
        self.open_overlay(Overlay::Profiles(self.profile_picker()))
    }

    fn profile_picker(&self) -> Picker<usize> {
        let choice = |(at, profile): (usize, &Profile)| PickerChoice {
            value: at,
            key: None,
            name: profile.shown.clone(),
            beside: profile.host.clone(),
            is_current: at == self.session.workspace.at,
        };
        Picker::list(self.settings.profiles.iter().enumerate().map(choice).collect())
    }

    /// Starts a switch to another workspace. Until it succeeds, the current one stays on screen.
    pub(super) fn switch(&mut self, at: usize) -> Vec<Effect> {
        let Some(profile) = self.settings.profiles.get(at) else { return vec![Effect::Draw] };
        let name = profile.shown.clone();
        let is_shown = at == self.session.workspace.at;
        let was_switching = std::mem::replace(&mut self.ui.switching, !is_shown);
        let mut effects = match (is_shown, was_switching) {
            (true, false) => return self.inform(safe!("{} is already shown", name)),
            (true, true) => self.inform(safe!("staying with {}", name)),
            (false, _) => self.inform(safe!("switching to {}", name)),
        };
        effects.push(if is_shown { Effect::Stay } else { Effect::Switch(at) });
        effects
    }

    /// The warning about a copied request: its variable may hold the key of another workspace.
    pub(super) fn whose_key(&self, what: Copy) -> Safe {
        if !what.is_request()
            || self.session.workspace.key_source == KeySource::Environment
            || self.settings.profiles.len() < 2
        {
            return Safe::default();
        }
        safe!("; it needs the key of {}", self.session.workspace.profile)
    }

    pub(super) fn not_switched(&mut self, why: &Safe) -> Vec<Effect> {
        self.ui.switching = false;
        self.warn(why.clone())
    }

    /// Shows another workspace. Its session replaces the current one as a whole.
    pub(super) fn switched(&mut self, workspace: WorkspaceInfo) -> Vec<Effect> {
        // The last read is written to the cache of its own workspace.
        let last = self.in_session(Session::keep_at_last);
        let start = SessionStart {
            id: self.session.jobs.session.next(),
            scope: self.session.load.scope,
            generation: self.session.load.generation.next(),
            auto_refresh: self.session.load.end_auto_refresh(),
            filters: self.session.filter.history().to_vec(),
        };
        self.session = Session::new(workspace, start, &self.settings, self.now);
        self.ui.for_next_session();
        if let Overlay::Profiles(_) = self.ui.overlay {
            self.ui.overlay = Overlay::Profiles(self.profile_picker());
        }
        if let Some(deliveries) = &mut self.deliveries {
            deliveries.is_being_matched = false;
        }
        let (session, cx) = self.split();
        session.facts_changed(cx);
        if session.groups.of(cx.view).is_some() {
            session.need_everything();
        }
        let mut effects: Vec<_> = last.map(|job| Effect::Run(Box::new(job))).into_iter().collect();
        effects.push(Effect::Demand(session.demand().clone()));
        effects.extend(session.recall(cx));
        let words = safe!("switched to {}", self.session.workspace.profile);
        effects.extend(self.inform(words));
        effects
    }
}
