//! The list of a view of groups, and which of its groups are expanded.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::analysis::groups::{Group, Groups};
use crate::model::Scope;
use crate::tui::list_pane::{LineKey, Lines, ListPane, Motion, Shown, ViewList as _};
use crate::tui::view_kind::View;

/// The list of one view of groups.
#[derive(Debug, Clone, Default)]
pub struct GroupPane {
    /// The groups; `None` until they are counted.
    pub list: ListPane<Option<Arc<Groups>>>,
    expanded: Arc<BTreeSet<Box<str>>>,
    /// True once all rows were loaded. Until then the first line is selected, unless the user moved the selection.
    is_settled: bool,
    /// The rows that are grouped.
    of: GroupsOf,
}

/// The lists of the views of groups.
#[derive(Debug, Default)]
pub struct GroupPanes {
    hosts: GroupPane,
    events: GroupPane,
    findings: GroupPane,
}

impl GroupPanes {
    /// The list of a view, if it is a view of groups.
    pub fn of(&self, view: View) -> Option<&GroupPane> {
        match view {
            View::Hosts => Some(&self.hosts),
            View::Events => Some(&self.events),
            View::Findings => Some(&self.findings),
            View::Webhooks | View::Changes => None,
        }
    }

    pub fn of_mut(&mut self, view: View) -> Option<&mut GroupPane> {
        match view {
            View::Hosts => Some(&mut self.hosts),
            View::Events => Some(&mut self.events),
            View::Findings => Some(&mut self.findings),
            View::Webhooks | View::Changes => None,
        }
    }

    /// Drops the groups, since the rows are different.
    pub fn forget(&mut self) {
        self.hosts.forget();
        self.events.forget();
        self.findings.forget();
    }
}

/// The rows that are grouped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupsOf {
    pub filter: String,
    pub scope: Scope,
}

fn position(groups: &[Group], line: &Group) -> Option<u64> {
    groups.iter().position(|group| line.kind.is_same_line(&group.kind)).map(|index| index as u64)
}

impl Lines for Option<Arc<Groups>> {
    type Line = Group;

    fn count(&self) -> u64 {
        self.as_ref().map_or(0, |groups| groups.groups.len() as u64)
    }

    fn line(&self, index: u64) -> Option<Group> {
        self.as_ref()?.groups.get(usize::try_from(index).ok()?).cloned()
    }

    fn find(&self, line: &mut Group) -> Option<u64> {
        let index = position(&self.as_ref()?.groups, line)?;
        *line = self.line(index)?;
        Some(index)
    }

    fn is_at(&self, index: u64, line: &mut Group) -> bool {
        let there = self.line(index).filter(|there| line.kind.is_same_line(&there.kind));
        there.map(|there| *line = there).is_some()
    }

    fn key(line: &Group, _place: u64) -> LineKey {
        LineKey::Group(Box::new(line.kind.clone()))
    }
}

impl GroupPane {
    /// The groups; `None` until they are counted.
    pub fn groups(&self) -> Option<&Groups> {
        self.list.lines.as_deref()
    }

    pub fn group(&self, place: u64) -> Option<&Group> {
        match self.list.shown(place) {
            Shown::Held(group) => Some(group),
            Shown::Listed(index) => self.groups()?.groups.get(usize::try_from(index).ok()?),
        }
    }

    pub fn selected(&self) -> Option<&Group> {
        self.group(self.list.selected())
    }

    /// The names of the expanded groups.
    pub fn expanded(&self) -> Arc<BTreeSet<Box<str>>> {
        Arc::clone(&self.expanded)
    }

    /// Expands a group, or collapses it.
    pub fn toggle(&mut self, name: &str) {
        self.is_settled = true;
        let expanded = Arc::make_mut(&mut self.expanded);
        if !expanded.remove(name) {
            expanded.insert(name.into());
        }
    }

    /// Collapses the group of the selection, and selects its line. Returns false if there is none.
    pub fn collapse(&mut self) -> bool {
        let Some(kind) = self.selected().map(|group| &group.kind) else { return false };
        if kind.is_expanded() == Some(false) {
            return false;
        }
        let Some(name) = kind.parent().map(Box::<str>::from) else { return false };
        let is_its_line = |group: &Group| group.kind.is_expanded().is_some() && group.kind.parent() == Some(&*name);
        if let Some(place) = self.groups().and_then(|groups| groups.groups.iter().position(is_its_line)) {
            self.list.go(Motion::To(place as u64));
        }
        Arc::make_mut(&mut self.expanded).remove(&name);
        true
    }

    /// Shows new groups. The selection stays on its group once the user has moved it or loading has ended.
    pub fn take(&mut self, groups: Arc<Groups>, of: GroupsOf, is_loading: bool) {
        let is_other_list = self.of != of;
        if !self.is_settled && !self.list.is_moved() {
            self.list.go_to_top();
        }
        self.is_settled |= !is_loading;
        self.of = of;
        self.list.lines = Some(groups);
        self.list.keep(is_other_list);
    }

    fn forget(&mut self) {
        self.list.lines = None;
        self.list.release();
    }
}
