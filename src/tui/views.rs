//! The views of the explorer: each is a row of this table, and a file below `view`. All share keys, mouse, selection and
//! counts.

use ratatui::layout::Rect;

use super::app::App;
use super::message::Effect;
use super::session::groups::GroupPane;
use super::terminal::canvas::{Canvas, Piece};
use super::view;
use super::view_kind::View;
use crate::analysis::groups::RowGrouping;
use crate::keymap::Action;

/// The first lines about the selected line of a view; `None` if none is selected.
type DetailLines = fn(&App, usize) -> Option<Vec<Vec<Piece>>>;

/// One row of the table.
pub struct ViewEntry {
    pub view: View,
    /// Its name in `--view`.
    pub name: &'static str,
    /// The action that shows it.
    pub action: Action,
    /// The grouping of the rows, if each line is a group.
    pub grouping: Option<fn(&App, &GroupPane) -> RowGrouping>,
    /// True if the first line is a title.
    pub has_title: bool,
    /// The lines below the list, if there is room for them.
    pub footing: u16,
    /// The first lines about the selected line, for a detail pane beside the list.
    pub detail: Option<DetailLines>,
    pub draw: fn(&App, Rect, &mut Canvas<'_>),
    /// Called when the view is shown.
    pub open: fn(&mut App) -> Vec<Effect>,
    /// Performs an action that the view handles differently; `None` for all others.
    pub perform: fn(&mut App, Action) -> Option<Vec<Effect>>,
    /// The keys in the footer, the most useful first.
    pub hints: &'static [Action],
}

const GROUP_HINTS: &[Action] = &[
    Action::Help,
    Action::MoveDown,
    Action::Open,
    Action::Filter,
    Action::ViewWebhooks,
    Action::ViewHosts,
    Action::ViewEvents,
    Action::ViewFindings,
    Action::ViewChanges,
];

const WEBHOOKS: ViewEntry = ViewEntry {
    view: View::Webhooks,
    name: "webhooks",
    action: Action::ViewWebhooks,
    grouping: None,
    has_title: false,
    footing: 0,
    detail: Some(App::webhook_in_lines),
    draw: view::webhooks,
    open: |_| vec![Effect::Draw],
    perform: |_, _| None,
    hints: &[
        Action::Help,
        Action::MoveDown,
        Action::Filter,
        Action::Open,
        Action::NextScope,
        Action::Sort,
        Action::Refresh,
        Action::Copy,
        Action::Probe,
        Action::Quit,
        Action::RawJson,
    ],
};

/// A view of groups, without its own fields.
const GROUPS: ViewEntry = ViewEntry {
    has_title: true,
    detail: None,
    open: App::open_groups,
    perform: App::perform_in_groups,
    hints: GROUP_HINTS,
    ..WEBHOOKS
};

/// Every view, in the order of their keys.
pub const VIEWS: &[ViewEntry] = &[
    WEBHOOKS,
    ViewEntry {
        view: View::Hosts,
        name: "hosts",
        action: Action::ViewHosts,
        grouping: Some(|_, pane| RowGrouping::Hosts { expanded: pane.expanded() }),
        draw: view::hosts,
        ..GROUPS
    },
    ViewEntry {
        view: View::Events,
        name: "events",
        action: Action::ViewEvents,
        grouping: Some(|app, _| RowGrouping::Events { known: app.settings.known_events.clone() }),
        draw: view::events,
        ..GROUPS
    },
    ViewEntry {
        view: View::Findings,
        name: "findings",
        action: Action::ViewFindings,
        grouping: Some(|app, pane| RowGrouping::Findings(app.session.by_finding(pane))),
        footing: 6,
        draw: view::findings,
        ..GROUPS
    },
    ViewEntry {
        view: View::Changes,
        name: "changes",
        action: Action::ViewChanges,
        has_title: true,
        detail: Some(App::change_in_lines),
        draw: view::changes,
        open: App::open_changes,
        perform: App::perform_in_changes,
        hints: &[
            Action::Help,
            Action::MoveDown,
            Action::Open,
            Action::Sort,
            Action::Refresh,
            Action::ViewWebhooks,
            Action::Copy,
        ],
        ..WEBHOOKS
    },
];

impl View {
    /// Its row in the table.
    pub fn entry(self) -> &'static ViewEntry {
        VIEWS.iter().find(|entry| entry.view == self).unwrap_or(&WEBHOOKS)
    }

    /// The view of this name.
    pub fn named(name: &str) -> Option<Self> {
        VIEWS.iter().find(|entry| entry.name == name).map(|entry| entry.view)
    }

    /// The view that an action shows.
    pub fn of_action(action: Action) -> Option<Self> {
        VIEWS.iter().find(|entry| entry.action == action).map(|entry| entry.view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_has_one_row() {
        for view in [View::Webhooks, View::Hosts, View::Events, View::Findings, View::Changes] {
            assert_eq!(VIEWS.iter().filter(|entry| entry.view == view).count(), 1);
            assert_eq!(view.entry().view, view);
            assert_eq!(View::named(view.entry().name), Some(view));
            assert_eq!(View::of_action(view.entry().action), Some(view));
        }
    }
}
