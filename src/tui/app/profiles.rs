//! Which workspace is shown, and the way to another one.

use std::collections::HashMap;
use std::sync::Arc;

use crossterm::event::KeyEvent;
use ratatui::style::Color;

use super::{App, Everything, Focus, Memory, Notice, Overlay, Recovery, Unseen};
use crate::base_url::BaseUrl;
use crate::cache::Store;
use crate::config::{Connection, KeySource};
use crate::keymap::{Copy, Key};
use crate::model::Packer;
use crate::safe;
use crate::text::Safe;
use crate::tui::changes_pane::ChangesPane;
use crate::tui::cursor::Cursor;
use crate::tui::filter::Filter;
use crate::tui::group_pane::GroupPane;
use crate::tui::health::Health;
use crate::tui::listing::Listing;
use crate::tui::message::Effect;
use crate::tui::picker::{Picked, Picker};

/// Another workspace, as far as it concerns the screen.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Its place among the profiles.
    at: usize,
    profile: Safe,
    base_url: BaseUrl,
    key_source: KeySource,
    store: Option<Store>,
    page_size: u32,
    invocation: Vec<String>,
    /// The filters of earlier times, the newest last.
    history: Vec<String>,
}

impl Workspace {
    pub fn new(
        at: usize,
        connection: &Connection,
        store: Option<Store>,
        invocation: Vec<String>,
        history: Vec<String>,
    ) -> Self {
        Self {
            history,
            at,
            profile: connection.profile.clone(),
            base_url: connection.api.base_url.clone(),
            key_source: connection.key_source,
            store,
            page_size: connection.policy.page_size,
            invocation,
        }
    }
}

impl App {
    /// The colour that marks the workspace.
    pub fn colour(&self) -> Option<Color> {
        self.setup.profiles.get(self.setup.profile_at)?.colour
    }

    pub(super) fn choose_profile(&mut self) -> Vec<Effect> {
        if self.setup.file.is_some() {
            return self.inform("reading from a file: no profile to switch to");
        }
        if self.setup.key_source == KeySource::Demo {
            return self.inform("this is the demo: no profile to switch to");
        }
        if self.setup.profiles.len() < 2 {
            return self.inform("no other profile; add a section [profiles.NAME] to the config");
        }
        self.overlay = Overlay::Profiles(Picker::new(&self.setup.profiles, self.setup.profile_at));
        vec![Effect::Draw]
    }

    pub(super) fn key_in_profiles(&mut self, event: KeyEvent) -> Vec<Effect> {
        let action = self.setup.keymap.action(Key::from(event));
        let Overlay::Profiles(picker) = &mut self.overlay else { return Vec::new() };
        match picker.key(event, action, &self.setup.profiles) {
            Picked::Nothing => Vec::new(),
            Picked::Changed => vec![Effect::Draw],
            Picked::Closed => self.close_overlay(),
            Picked::Chosen(at) => self.switch(at),
        }
    }

    /// Asks for another workspace. Until it is there, this one stays as it is.
    fn switch(&mut self, at: usize) -> Vec<Effect> {
        self.overlay = Overlay::None;
        let Some(profile) = self.setup.profiles.get(at) else { return vec![Effect::Draw] };
        let name = profile.shown.clone();
        let is_shown = at == self.setup.profile_at;
        let was_switching = std::mem::replace(&mut self.switching, !is_shown);
        let mut effects = match (is_shown, was_switching) {
            (true, false) => return self.inform(safe!("{} is already shown", name)),
            (true, true) => self.inform(safe!("staying with {}", name)),
            (false, _) => self.inform(safe!("switching to {}", name)),
        };
        effects.push(if is_shown { Effect::Stay } else { Effect::Switch(at) });
        effects
    }

    /// What has to be said of a copied request: the variable in it may hold the key of another workspace.
    pub(super) fn whose_key(&self, what: Copy) -> Safe {
        if !what.is_request() || self.setup.key_source == KeySource::Environment || self.setup.profiles.len() < 2 {
            return Safe::default();
        }
        safe!("; it needs the key of {}", self.setup.profile)
    }

    pub(super) fn not_switched(&mut self, why: &Safe) -> Vec<Effect> {
        self.switching = false;
        self.warn(why.clone())
    }

    /// From here on nothing of the last workspace is left: no row, no place in the list, no error, no text to be copied.
    pub(super) fn switched(&mut self, to: Workspace) -> Vec<Effect> {
        let Workspace { at, profile, base_url, key_source, store, page_size, invocation, history } = to;
        // What was read of the last one is written where it belongs.
        let mut effects: Vec<_> = self.keep_at_last().map(|job| Effect::Run(Box::new(job))).into_iter().collect();
        self.setup.profile_at = at;
        self.setup.profile = profile;
        self.setup.base_url = base_url;
        self.setup.key_source = key_source;
        self.setup.store = store;
        self.setup.page_size = page_size;
        self.setup.invocation = invocation;
        self.switching = false;
        // Answers to what was asked before are those of the other workspace.
        self.new_generation();
        self.listing = Listing::new(self.generation, page_size);
        self.cursor = Cursor::default();
        self.shelf = HashMap::new();
        self.health = Health::default();
        self.everything = Everything::No;
        self.sweep = None;
        self.filter = Filter::with_history(history);
        self.sort = None;
        self.marks = Arc::default();
        self.unseen = Unseen::default();
        self.before = None;
        self.comparing = None;
        self.memory = Memory::default();
        self.changes = ChangesPane::default();
        self.packer = Packer::default();
        self.group_panes.values_mut().for_each(|pane| *pane = GroupPane::default());
        self.came_from = None;
        self.arranging.start_over();
        self.findings.start_over();
        self.findings.forget_history();
        self.consistency.start_over();
        self.forget_jobs();
        self.forget_probes();
        self.facts_changed();
        self.anchor = None;
        self.last_copy = None;
        self.detail_scroll = 0;
        self.focus = Focus::List;
        // What is to be seen of one workspace's credentials says nothing about another's.
        self.reveal = false;
        if matches!(
            self.overlay,
            Overlay::CopyMenu(_) | Overlay::PlainText(_) | Overlay::Filter | Overlay::Export(_) | Overlay::Bases(_)
        ) {
            self.overlay = Overlay::None;
        }
        if let Overlay::Profiles(_) = self.overlay {
            self.overlay = Overlay::Profiles(Picker::new(&self.setup.profiles, at));
        }
        self.auto_refresh = self.end_auto_refresh().then(|| self.now.instant + self.setup.refresh_every);
        self.recovery = Recovery::default();
        if self.shows_groups() {
            self.need_everything();
        }
        self.notice = Some(Notice::Info(safe!("switched to {}", self.setup.profile)));
        effects.extend(self.recall());
        effects.push(Effect::Draw);
        effects
    }
}
