//! The views of the explorer: a row of this table and a file below `view` each.

use ratatui::layout::Rect;

use super::app::App;
use super::session::groups::GroupPane;
use super::terminal::canvas::Canvas;
use super::view;
use super::view_kind::View;
use crate::analysis::groups::Grouping;
use crate::keymap::Action;

/// What one line of a view is.
#[derive(Clone, Copy)]
pub enum Lines {
    Webhooks,
    /// A group of them, made by the finder.
    Groups(fn(&App, &GroupPane) -> Grouping),
    /// A webhook that is not what it was.
    Changes,
}

/// One row of the table.
pub struct Entry {
    pub view: View,
    /// What `--view` calls it.
    pub name: &'static str,
    pub action: Action,
    pub lines: Lines,
    pub draw: fn(&App, Rect, &mut Canvas<'_>),
}

const WEBHOOKS: Entry = Entry {
    view: View::Webhooks,
    name: "webhooks",
    action: Action::ViewWebhooks,
    lines: Lines::Webhooks,
    draw: view::webhooks,
};

/// Every view, in the order of their keys.
pub const VIEWS: &[Entry] = &[
    WEBHOOKS,
    Entry {
        view: View::Hosts,
        name: "hosts",
        action: Action::ViewHosts,
        lines: Lines::Groups(|_, pane| Grouping::Hosts { expanded: pane.expanded() }),
        draw: view::hosts,
    },
    Entry {
        view: View::Events,
        name: "events",
        action: Action::ViewEvents,
        lines: Lines::Groups(|app, _| Grouping::Events { known: app.settings.known_events.clone() }),
        draw: view::events,
    },
    Entry {
        view: View::Findings,
        name: "findings",
        action: Action::ViewFindings,
        lines: Lines::Groups(|app, pane| Grouping::Findings(app.session.by_finding(pane))),
        draw: view::findings,
    },
    Entry { view: View::Changes, name: "changes", action: Action::ViewChanges, lines: Lines::Changes, draw: view::changes },
];

impl View {
    /// Its row in the table.
    pub fn entry(self) -> &'static Entry {
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
