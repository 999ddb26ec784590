//! What is selected and open in a view of groups.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cursor::Cursor;
use crate::analysis::groups::{Group, Groups, Kind};

/// The state of one view of groups.
#[derive(Debug, Clone, Default)]
pub struct GroupPane {
    pub cursor: Cursor,
    groups: Option<Arc<Groups>>,
    expanded: Arc<BTreeSet<Box<str>>>,
}

impl GroupPane {
    /// The groups; `None` until they are counted.
    pub fn groups(&self) -> Option<&Groups> {
        self.groups.as_deref()
    }

    pub fn len(&self) -> u64 {
        self.groups.as_ref().map_or(0, |groups| groups.groups.len() as u64)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn group(&self, place: u64) -> Option<&Group> {
        self.groups.as_ref()?.groups.get(usize::try_from(place).ok()?)
    }

    pub fn selected(&self) -> Option<&Group> {
        self.group(self.cursor.selected())
    }

    /// The groups that are open, by their names.
    pub fn expanded(&self) -> Arc<BTreeSet<Box<str>>> {
        Arc::clone(&self.expanded)
    }

    /// Opens a group, or closes it.
    pub fn toggle(&mut self, name: &str) {
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
        if let Some(place) = self.groups.as_ref().and_then(|groups| groups.groups.iter().position(is_its_line)) {
            self.cursor.select(place as u64);
        }
        Arc::make_mut(&mut self.expanded).remove(&name);
        true
    }

    /// Takes other groups. The selection stays with its group.
    pub fn take(&mut self, groups: Arc<Groups>) {
        let place =
            self.selected().and_then(|selected| groups.groups.iter().position(|group| is_same(&group.kind, &selected.kind)));
        if let Some(place) = place.map(|place| place as u64).filter(|&place| place != self.cursor.selected()) {
            self.cursor.follow(place);
        }
        self.groups = Some(groups);
    }

    /// Forgets the groups: they are of other rows.
    pub fn forget(&mut self) {
        self.groups = None;
    }
}

/// Whether both are the same thing, open or not.
fn is_same(one: &Kind, other: &Kind) -> bool {
    match (one, other) {
        (Kind::Event { name, .. }, Kind::Event { name: other, .. }) => name == other,
        (Kind::Broken { rule, number, .. }, Kind::Broken { rule: other_rule, number: other_number, .. }) => {
            (rule, number) == (other_rule, other_number)
        }
        _ if one.is_expanded().is_some() && other.is_expanded().is_some() => one.parent() == other.parent(),
        _ => one == other,
    }
}
