//! Changing the view, and the way back.

use crate::analysis::groups::GroupKind;
use crate::analysis::query::quote;
use crate::keymap::Action;
use crate::model::OwnedRow;
use crate::model::{RowRef, public_path};
use crate::safe;
use crate::tui::app::App;
use crate::tui::message::Effect;
use crate::tui::session::Session;
use crate::tui::session::filter_sort::CameFrom;
use crate::tui::session::groups::GroupPane;
use crate::tui::session::loading::LoadAll;
use crate::tui::session::webhook_list::Anchor;
use crate::tui::ui::Focus;
use crate::tui::view_kind::View;

/// The changes that going back may undo besides returning to the previous view. The keys that move left undo nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clears {
    Filter,
    Nothing,
}

impl App {
    /// The groups on screen, if the view shows groups.
    pub fn group_pane(&self) -> Option<&GroupPane> {
        self.session.groups.of(self.ui.view)
    }

    /// Returns true if each line is a webhook.
    pub fn shows_webhooks(&self) -> bool {
        self.ui.view == View::Webhooks
    }

    /// Starts with a filter and a view.
    pub fn start_with(&mut self, filter: &str, view: View) {
        if self.session.filter.set(filter, self.now.wall) {
            self.filter_changed();
        }
        let _nothing_to_draw_yet = self.show_view(view);
        self.ui.notice = None;
    }

    pub(super) fn show_view(&mut self, view: View) -> Vec<Effect> {
        if self.ui.view == view {
            return Vec::new();
        }
        self.ui.view = view;
        self.ui.focus = Focus::List;
        (view.entry().open)(self)
    }

    /// Loads all rows for a view of groups, or warns that some are missing.
    pub fn open_groups(&mut self) -> Vec<Effect> {
        match self.in_session(Session::need_everything_or_say) {
            Some(words) => self.warn(words),
            None => vec![Effect::Draw],
        }
    }

    /// Performs an action in a view of groups. Returns `None` if the action is the same in all views.
    pub fn perform_in_groups(&mut self, action: Action) -> Option<Vec<Effect>> {
        match action {
            Action::Open => Some(self.open_group()),
            Action::Mark => Some(match self.row_of_group().map(|row| Box::<str>::from(row.id())) {
                Some(id) => self.mark_and_go_on(&id),
                None => self.refuse_in_view(),
            }),
            Action::Copy if self.row_of_group().is_some() => None,
            Action::Copy | Action::RawJson | Action::NextPane | Action::Sort | Action::ReverseSort => {
                Some(self.refuse_in_view())
            }
            _ => None,
        }
    }

    /// Shows a notice with the view in which an action is available.
    pub(super) fn refuse_in_view(&mut self) -> Vec<Effect> {
        let key = self.settings.key(Action::ViewWebhooks);
        self.inform(safe!("not available in this view; {} shows the webhooks", key))
    }

    /// The webhook of the selected line, if it has one.
    pub(super) fn row_of_group(&self) -> Option<RowRef<'_>> {
        match &self.group_pane()?.selected()?.kind {
            GroupKind::RowFinding { row, .. } => Some(row.row()).filter(|row| row.is_webhook()),
            _ => None,
        }
    }

    /// Expands or collapses a host or a rule, or shows the webhooks of any other selected line.
    fn open_group(&mut self) -> Vec<Effect> {
        let Some(pane) = self.session.groups.of_mut(self.ui.view) else { return Vec::new() };
        let mut row = None;
        let terms = match pane.selected().map(|group| group.kind.clone()) {
            Some(GroupKind::Host { name, .. }) => {
                pane.toggle(&name);
                return vec![Effect::Draw];
            }
            Some(GroupKind::Path { host, path }) => match public_path(&host, &path) {
                // Credentials are left out, since the filter is shown on screen and saved in the history.
                Some(public) => format!("host:={} path:{}", quote(&host), quote(&public)),
                None => format!("host:={} path:={}", quote(&host), quote(&path)),
            },
            Some(GroupKind::Event { name, .. }) => format!("event:={}", quote(&name)),
            Some(GroupKind::Rule { rule, .. }) => {
                pane.toggle(rule.id);
                return vec![Effect::Draw];
            }
            Some(GroupKind::RowFinding { rule, row: of, .. }) => {
                // No filter finds a malformed row.
                let terms = if of.row().is_webhook() { format!("finding:{rule}") } else { String::new() };
                row = Some(of);
                terms
            }
            Some(
                GroupKind::NoHost
                | GroupKind::MorePaths { .. }
                | GroupKind::WorkspaceFinding { .. }
                | GroupKind::MoreRows { .. },
            )
            | None => return Vec::new(),
        };
        self.show_webhooks(terms, row)
    }

    /// Shows the webhooks of a filter, and selects this row; Esc returns.
    pub(super) fn show_webhooks(&mut self, terms: String, row: Option<OwnedRow>) -> Vec<Effect> {
        let from = self.ui.view;
        let before = self.session.filter.applied().to_owned();
        let text = match self.session.filter.applied() {
            "" => terms,
            applied => format!("{applied} {terms}"),
        };
        if self.session.filter.set(text.trim(), self.now.wall) {
            self.filter_changed();
        }
        let effects = self.show_view(View::Webhooks);
        if let Some(row) = row {
            self.session.select_row(Anchor::of(row, self.session.list.lines.rows()));
        }
        self.session.filter_sort.came_from =
            Some(CameFrom { view: from, set: self.session.filter.applied().to_owned(), before });
        effects
    }

    /// Goes back from a view of groups or changes.
    pub(super) fn back_from_view(&mut self, clears: Clears) -> Vec<Effect> {
        if let Some(effects) = self.in_session(Session::stop_probing) {
            return effects;
        }
        if self.session.load.all != LoadAll::No {
            return self.session.stop_loading();
        }
        let cleared = if clears == Clears::Filter { self.clear_filter() } else { Vec::new() };
        if !cleared.is_empty() {
            return cleared;
        }
        self.show_view(View::Webhooks)
    }

    /// The view that Esc returns to, as long as the filter is the one that was set there.
    pub fn way_back(&self) -> Option<View> {
        let from = self.session.filter_sort.came_from.as_ref().filter(|from| from.set == self.session.filter.applied())?;
        (self.ui.view == View::Webhooks).then_some(from.view)
    }

    /// Returns to the groups that the filter came from, and removes the filter.
    pub(super) fn return_to_groups(&mut self) -> bool {
        let Some(CameFrom { view, set, before }) = self.session.filter_sort.came_from.take() else { return false };
        if set != self.session.filter.applied() {
            return false;
        }
        self.session.filter.set(&before, self.now.wall);
        self.show_view(view);
        true
    }
}
