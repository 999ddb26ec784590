//! What is selected and open in a view of groups.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cursor::Cursor;
use super::held::Selection;
use crate::analysis::groups::{Group, Groups};
use crate::model::Scope;

/// The state of one view of groups.
#[derive(Debug, Clone, Default)]
pub struct GroupPane {
    selection: Selection<Group>,
    groups: Option<Arc<Groups>>,
    expanded: Arc<BTreeSet<Box<str>>>,
    /// Nothing was selected by hand, and rows are still on their way: the first line is selected.
    is_settled: bool,
    /// The rows that these are the groups of.
    of: GroupsOf,
}

/// Which rows are grouped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupsOf {
    pub filter: String,
    pub scope: Scope,
}

impl GroupPane {
    /// The groups; `None` until they are counted.
    pub fn groups(&self) -> Option<&Groups> {
        self.groups.as_deref()
    }

    fn lines(&self) -> &[Group] {
        self.groups.as_ref().map_or(&[], |groups| &groups.groups)
    }

    pub fn cursor(&self) -> Cursor {
        self.selection.cursor
    }

    pub fn len(&self) -> u64 {
        if self.groups.is_none() { 0 } else { self.selection.len(self.lines()) }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn group(&self, place: u64) -> Option<&Group> {
        self.selection.line(&self.groups.as_ref()?.groups, place)
    }

    pub fn selected(&self) -> Option<&Group> {
        self.group(self.selection.cursor.selected())
    }

    /// Moves the selection by hand. Whether it is elsewhere now.
    pub fn go(&mut self, to: impl FnOnce(&mut Cursor, u64)) -> bool {
        self.is_settled = true;
        let lines = self.groups.as_ref().map_or(&[][..], |groups| &groups.groups);
        self.selection.go(lines, to)
    }

    /// Keeps the selection on screen.
    pub fn fit(&mut self, height: u16) {
        let len = self.len();
        self.selection.cursor.fit(height, len, true);
    }

    /// The groups that are open, by their names.
    pub fn expanded(&self) -> Arc<BTreeSet<Box<str>>> {
        Arc::clone(&self.expanded)
    }

    /// Opens a group, or closes it.
    pub fn toggle(&mut self, name: &str) {
        self.is_settled = true;
        let expanded = Arc::make_mut(&mut self.expanded);
        if !expanded.remove(name) {
            expanded.insert(name.into());
        }
    }

    /// Closes the group that the selection is in; its own line is selected then. Whether there was one.
    pub fn collapse(&mut self) -> bool {
        let Some(kind) = self.selected().map(|group| &group.kind) else { return false };
        if kind.is_expanded() == Some(false) {
            return false;
        }
        let Some(name) = kind.parent().map(Box::<str>::from) else { return false };
        let is_its_line = |group: &Group| group.kind.is_expanded().is_some() && group.kind.parent() == Some(&*name);
        if let Some(place) = self.lines().iter().position(is_its_line) {
            self.go(|cursor, _| cursor.select(place as u64));
        }
        Arc::make_mut(&mut self.expanded).remove(&name);
        true
    }

    /// Takes other groups. The selection stays with its group, once a hand or the end of loading has put it there.
    pub fn take(&mut self, groups: Arc<Groups>, of: GroupsOf, is_loading: bool) {
        let are_others = self.of != of;
        if !self.is_settled {
            self.selection.restart();
        }
        self.is_settled |= !is_loading;
        self.of = of;
        self.selection.keep(&groups.groups, |one, other| one.kind.is_same_line(&other.kind), are_others);
        self.groups = Some(groups);
    }

    /// Forgets the groups: they are of other rows.
    pub fn forget(&mut self) {
        self.groups = None;
    }
}
