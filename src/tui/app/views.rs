//! Changing the view, and moving through groups.

use super::keys::Clears;
use super::{Action, App, Effect, Everything, Focus, RowRef, draw_if};
use crate::analysis::groups::{Broken, Kind};
use crate::analysis::query::quote;
use crate::analysis::rows::Standing;
use crate::tui::anchor::Anchor;
use crate::tui::group_pane::GroupPane;
use crate::tui::views::{Lines, View};

/// Lines of what the selected finding means, with their rule, and of groups from where on there is room for them.
const EXPLANATION: u16 = 6;
const EXPLAINED: u16 = 13;

/// Where a filter came from that a group set.
#[derive(Debug)]
pub(super) struct CameFrom {
    view: View,
    set: String,
    before: String,
}

impl App {
    /// The groups on screen, unless each line is a webhook.
    pub fn group_pane(&self) -> Option<&GroupPane> {
        self.group_panes.get(&self.view).filter(|_| self.shows_groups())
    }

    /// Whether each line is a webhook.
    pub fn shows_webhooks(&self) -> bool {
        matches!(self.view.entry().lines, Lines::Webhooks)
    }

    /// Whether each line is a change.
    pub fn shows_changes(&self) -> bool {
        matches!(self.view.entry().lines, Lines::Changes)
    }

    /// Whether each line is a group.
    pub fn shows_groups(&self) -> bool {
        matches!(self.view.entry().lines, Lines::Groups(_))
    }

    /// Begins with a filter and a view.
    pub fn start_with(&mut self, filter: &str, view: View) {
        if self.filter.set(filter, self.now.wall) {
            self.filter_changed();
        }
        let _nothing_to_draw_yet = self.show_view(view);
        self.notice = None;
    }

    pub(super) fn show_view(&mut self, view: View) -> Vec<Effect> {
        if self.view == view {
            return Vec::new();
        }
        self.view = view;
        self.focus = Focus::List;
        if self.shows_changes() {
            return self.open_changes();
        }
        if !self.shows_groups() {
            return vec![Effect::Draw];
        }
        self.group_panes.entry(view).or_default();
        match self.need_everything_or_say() {
            Some(words) => self.warn(words),
            None => vec![Effect::Draw],
        }
    }

    /// What an action does in a view of groups; `None` when it does the same everywhere.
    pub(super) fn perform_in_groups(&mut self, action: Action) -> Option<Vec<Effect>> {
        if !self.shows_groups() {
            return None;
        }
        let screenful = i64::from(self.group_lines().max(1));
        let is_webhook = self.row_of_group().is_some();
        let marked = self.row_of_group().filter(|_| action == Action::Mark).map(|row| Box::<str>::from(row.id()));
        let pane = self.group_panes.get_mut(&self.view)?;
        let moved = match action {
            Action::Mark if let Some(id) = marked => {
                pane.go(|cursor, len| cursor.move_by(1, len));
                self.toggle_mark(&id);
                return Some(vec![Effect::Draw]);
            }
            Action::MoveDown => pane.go(|cursor, len| cursor.move_by(1, len)),
            Action::MoveUp => pane.go(|cursor, len| cursor.move_by(-1, len)),
            Action::HalfPageDown => pane.go(|cursor, len| cursor.move_by((screenful / 2).max(1), len)),
            Action::HalfPageUp => pane.go(|cursor, len| cursor.move_by(-(screenful / 2).max(1), len)),
            Action::PageDown => pane.go(|cursor, len| cursor.move_by(screenful, len)),
            Action::PageUp => pane.go(|cursor, len| cursor.move_by(-screenful, len)),
            Action::First => pane.go(|cursor, _| cursor.first()),
            Action::Last => pane.go(|cursor, len| cursor.last(len, true)),
            Action::Copy if is_webhook => return None,
            Action::Open => return Some(self.open_group()),
            Action::Copy | Action::RawJson | Action::NextPane | Action::Mark | Action::Sort | Action::ReverseSort => {
                let key = self.setup.keymap.key(Action::ViewWebhooks).unwrap_or_default();
                return Some(self.inform(crate::safe!("not available in this view; {} shows the webhooks", key)));
            }
            _ => return None,
        };
        if moved {
            self.moves.press(self.now.instant);
        }
        Some(draw_if(moved))
    }

    /// The webhook that the selected line is about, if it is about one.
    pub(super) fn row_of_group(&self) -> Option<RowRef<'_>> {
        match &self.group_pane()?.selected()?.kind {
            Kind::Broken { row, .. } => row.row().filter(|row| row.is_webhook()),
            _ => None,
        }
    }

    /// Opens a host or a rule, or shows the webhooks of what is selected.
    fn open_group(&mut self) -> Vec<Effect> {
        let Some(pane) = self.group_panes.get_mut(&self.view) else { return Vec::new() };
        let mut row = None;
        let terms = match pane.selected().map(|group| group.kind.clone()) {
            Some(Kind::Host { name, .. }) => {
                pane.toggle(&name);
                return vec![Effect::Draw];
            }
            Some(Kind::Path { host, path }) => match crate::model::public_path(&host, &path) {
                // The filter stands on screen, and is remembered.
                Some(public) => format!("host:={} path:{}", quote(&host), quote(&public)),
                None => format!("host:={} path:={}", quote(&host), quote(&path)),
            },
            Some(Kind::Event { name, .. }) => format!("event:={}", quote(&name)),
            Some(Kind::Rule { rule, .. }) => {
                pane.toggle(rule.id);
                return vec![Effect::Draw];
            }
            Some(Kind::Broken { what: Broken::Webhook { .. }, rule, row: of, .. }) => {
                row = Some(of);
                format!("finding:{rule}")
            }
            Some(Kind::Broken { what: Broken::Malformed { .. }, row: of, .. }) => {
                // No filter finds what is no webhook.
                row = Some(of);
                String::new()
            }
            Some(Kind::NoHost | Kind::More { .. } | Kind::Said { .. } | Kind::MoreRows { .. }) | None => return Vec::new(),
        };
        self.show_webhooks(terms, row)
    }

    /// Shows the webhooks of a filter, and selects this row; Esc comes back.
    pub(super) fn show_webhooks(&mut self, terms: String, row: Option<Standing>) -> Vec<Effect> {
        let from = self.view;
        let before = self.filter.applied().to_owned();
        let text = match self.filter.applied() {
            "" => terms,
            applied => format!("{applied} {terms}"),
        };
        if self.filter.set(text.trim(), self.now.wall) {
            self.filter_changed();
        }
        let effects = self.show_view(View::Webhooks);
        if let Some(row) = row {
            self.select_row(Anchor::of(row, self.listing.rows()));
        }
        self.came_from = Some(CameFrom { view: from, set: self.filter.applied().to_owned(), before });
        effects
    }

    /// Back from a view of groups or changes.
    pub(super) fn back_from_view(&mut self, clears: Clears) -> Vec<Effect> {
        if let Some(effects) = self.stop_probing() {
            return effects;
        }
        if self.everything != Everything::No {
            return self.stop_loading();
        }
        let cleared = if clears == Clears::Filter { self.clear_filter() } else { Vec::new() };
        if !cleared.is_empty() {
            return cleared;
        }
        self.show_view(View::Webhooks)
    }

    /// The view that Esc goes back to, as long as the filter is the one that it set.
    pub fn way_back(&self) -> Option<View> {
        let from = self.came_from.as_ref().filter(|from| from.set == self.filter.applied())?;
        (self.view == View::Webhooks).then_some(from.view)
    }

    /// Back to the groups that the filter came from, without it.
    pub(super) fn return_to_groups(&mut self) -> bool {
        let Some(CameFrom { view, set, before }) = self.came_from.take() else { return false };
        if set != self.filter.applied() {
            return false;
        }
        self.filter.set(&before, self.now.wall);
        self.show_view(view);
        true
    }

    /// Lines of groups on screen: one is their title, and some are what the selected finding means.
    pub fn group_lines(&self) -> u16 {
        let height = self.layout().body.height.saturating_sub(1);
        if self.view == View::Findings && height >= EXPLAINED { height - EXPLANATION } else { height }
    }

    /// Keeps the selection of the groups on screen.
    pub(super) fn fit_groups(&mut self) {
        let height = self.group_lines();
        if let Some(pane) = self.group_panes.get_mut(&self.view) {
            pane.fit(height);
        }
    }
}
