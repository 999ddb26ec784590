//! Rows in groups: by host, by event or by finding. Start at [`RowGrouping::group`].

mod findings;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

pub use self::findings::ByFinding;
use super::audit::{Rule, Severity};
use super::vocabulary::{self, WILDCARD};
use crate::base::text::Safe;
use crate::model::{EventList, RowRef, SharedName, path};
use crate::model::{OwnedRow, RowNumber, RowTable, Rows};

/// The most paths of a host to list; the others are counted.
const MAX_PATHS: usize = 1000;

/// The way to group rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowGrouping {
    /// By host, those with the most webhooks first, and expanded ones also by path.
    Hosts { expanded: Arc<BTreeSet<Box<str>>> },
    /// By event, sorted by name: the vendor's events, these, and all others that are subscribed to.
    Events { known: Arc<[Box<str>]> },
    /// By rule.
    Findings(ByFinding),
}

/// Rows in groups.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups {
    pub groups: Vec<Group>,
    /// The number of webhooks in them.
    pub webhooks: u64,
    /// The number of webhooks in the largest of them.
    pub most: u64,
}

/// A line of a view of groups: webhooks that have something in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub kind: GroupKind,
    pub active: u64,
    pub inactive: u64,
    /// Of the active ones: the number of events that a host receives, or of hosts that receive an event.
    pub reach: u64,
    pub webhooks: u64,
}

/// The thing that the webhooks of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupKind {
    Host {
        name: Box<str>,
        is_expanded: bool,
    },
    /// URLs without a host.
    NoHost,
    /// A path, without the query.
    Path {
        host: Box<str>,
        path: Box<str>,
    },
    /// The paths that are not listed.
    MorePaths {
        host: Box<str>,
        paths: u64,
    },
    Event {
        name: Box<str>,
        is_known: bool,
    },
    /// A rule that is broken.
    Rule {
        rule: &'static Rule,
        severity: Severity,
        is_expanded: bool,
    },
    /// A row that breaks it.
    RowFinding {
        rule: &'static str,
        number: RowNumber,
        row: OwnedRow,
        /// The index of the finding among those of the rule, if it is about several webhooks.
        joint: Option<u32>,
    },
    /// A finding about no particular webhook.
    WorkspaceFinding {
        rule: &'static str,
        message: Safe,
    },
    /// The rows that are not listed.
    MoreRows {
        rule: &'static str,
        more: u64,
    },
}

impl GroupKind {
    /// The name of the group that is expanded or collapsed here: the line's own, or that of the group it is listed in.
    pub fn parent(&self) -> Option<&str> {
        match self {
            Self::Host { name, .. } => Some(name),
            Self::Path { host, .. } | Self::MorePaths { host, .. } => Some(host),
            Self::Rule { rule, .. } => Some(rule.id),
            Self::RowFinding { rule, .. } | Self::WorkspaceFinding { rule, .. } | Self::MoreRows { rule, .. } => Some(rule),
            Self::NoHost | Self::Event { .. } => None,
        }
    }

    /// Returns true if both lines are about the same thing, whatever their counts and whether or not they are expanded.
    pub fn is_same_line(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Event { name, .. }, Self::Event { name: other, .. }) => name == other,
            (Self::RowFinding { rule, row, .. }, Self::RowFinding { rule: other_rule, row: other_row, .. }) => {
                rule == other_rule && row.is_version_of(other_row.row())
            }
            (Self::MorePaths { host, .. }, Self::MorePaths { host: other, .. }) => host == other,
            (Self::MoreRows { rule, .. }, Self::MoreRows { rule: other, .. }) => rule == other,
            _ if self.is_expanded().is_some() && other.is_expanded().is_some() => self.parent() == other.parent(),
            _ => self == other,
        }
    }

    /// Returns true if it is expanded; `None` if it cannot be.
    pub fn is_expanded(&self) -> Option<bool> {
        match self {
            Self::Host { is_expanded, .. } | Self::Rule { is_expanded, .. } => Some(*is_expanded),
            _ => None,
        }
    }
}

/// The counts of a group.
#[derive(Debug, Default)]
struct GroupCount<'r> {
    active: u64,
    inactive: u64,
    webhooks: u64,
    /// The event lists of active ones.
    lists: HashMap<u32, &'r Arc<EventList>>,
    /// The hosts of active ones.
    hosts: HashSet<u32>,
}

impl<'r> GroupCount<'r> {
    fn add(&mut self, row: RowRef<'r>) {
        self.tally(row);
        if row.active() == Some(true) {
            self.lists.extend(row.events().map(|list| (list.number, list)));
            self.hosts.extend(row.host().map(|host| host.number));
        }
    }

    /// Counts a row, without its events and host.
    fn tally(&mut self, row: RowRef<'_>) {
        self.webhooks += 1;
        match row.active() {
            Some(true) => self.active += 1,
            Some(false) => self.inactive += 1,
            None => {}
        }
    }

    fn merge(&mut self, other: &Self) {
        self.active += other.active;
        self.inactive += other.inactive;
        self.webhooks += other.webhooks;
        self.hosts.extend(&other.hosts);
    }

    fn events(&self) -> u64 {
        let numbers = self.lists.values().flat_map(|list| list.events.iter().map(|event| event.number));
        numbers.collect::<HashSet<_>>().len() as u64
    }

    fn group(&self, kind: GroupKind, reach: u64) -> Group {
        Group { kind, active: self.active, inactive: self.inactive, reach, webhooks: self.webhooks }
    }
}

impl RowGrouping {
    /// Groups rows. Malformed rows are in no group by host or event.
    pub fn group(&self, rows: &Rows, numbers: &[RowNumber]) -> Groups {
        let table = RowTable::new(rows);
        let webhooks = || numbers.iter().filter_map(|&number| table.row(number)).filter(|row| row.is_webhook());
        let groups = match self {
            Self::Hosts { expanded } => by_host(webhooks(), expanded),
            Self::Events { known } => by_event(webhooks(), known),
            Self::Findings(by_finding) => by_finding.group(rows, numbers),
        };
        let most = groups.iter().map(|group| group.webhooks).max().unwrap_or(0);
        Groups { groups, webhooks: webhooks().count() as u64, most }
    }
}

fn by_host<'r>(rows: impl Iterator<Item = RowRef<'r>>, expanded: &BTreeSet<Box<str>>) -> Vec<Group> {
    let mut hosts: HashMap<Option<u32>, (Option<&Arc<SharedName>>, GroupCount<'r>)> = HashMap::new();
    let mut paths: HashMap<u32, HashMap<&str, GroupCount<'r>>> = HashMap::new();
    for row in rows {
        let host = row.host();
        hosts.entry(host.map(|host| host.number)).or_insert_with(|| (host, GroupCount::default())).1.add(row);
        if let Some(host) = host.filter(|host| expanded.contains(&host.name)) {
            paths.entry(host.number).or_default().entry(path(row.url())).or_default().add(row);
        }
    }
    let mut hosts: Vec<_> = hosts.into_values().collect();
    hosts.sort_unstable_by_key(|(host, count)| (Reverse(count.webhooks), host.is_none(), host.map(|host| &host.name)));
    let mut groups = Vec::with_capacity(hosts.len());
    for (host, count) in hosts {
        let Some(host) = host else {
            groups.push(count.group(GroupKind::NoHost, count.events()));
            continue;
        };
        let of_paths = paths.remove(&host.number);
        let kind = GroupKind::Host { name: host.name.clone(), is_expanded: of_paths.is_some() };
        groups.push(count.group(kind, count.events()));
        groups.extend(of_paths.into_iter().flat_map(|paths| in_paths(&host.name, paths)));
    }
    groups
}

fn in_paths(host: &str, paths: HashMap<&str, GroupCount<'_>>) -> Vec<Group> {
    let mut paths: Vec<_> = paths.into_iter().collect();
    paths.sort_unstable_by_key(|(path, count)| (Reverse(count.webhooks), *path));
    let rest = paths.split_off(paths.len().min(MAX_PATHS));
    let group = |(path, count): (&str, GroupCount<'_>)| {
        count.group(GroupKind::Path { host: host.into(), path: path.into() }, count.events())
    };
    let mut groups: Vec<_> = paths.into_iter().map(group).collect();
    if !rest.is_empty() {
        let sum = |part: fn(&GroupCount<'_>) -> u64| rest.iter().map(|(_, count)| part(count)).sum();
        groups.push(Group {
            kind: GroupKind::MorePaths { host: host.into(), paths: rest.len() as u64 },
            active: sum(|count| count.active),
            inactive: sum(|count| count.inactive),
            reach: 0,
            webhooks: sum(|count| count.webhooks),
        });
    }
    groups
}

fn by_event<'r>(rows: impl Iterator<Item = RowRef<'r>>, known: &[Box<str>]) -> Vec<Group> {
    let mut lists: HashMap<u32, (&Arc<EventList>, GroupCount<'r>)> = HashMap::new();
    let mut counts: BTreeMap<&str, GroupCount<'r>> = BTreeMap::new();
    let known: BTreeSet<&str> = known.iter().map(|name| &**name).chain(vocabulary::CURRENT).collect();
    counts.extend(known.iter().map(|&name| (name, GroupCount::default())));
    for row in rows {
        if let Some(list) = row.events() {
            lists.entry(list.number).or_insert_with(|| (list, GroupCount::default())).1.add(row);
        }
    }
    // The subscribers of every event, if the config knows the wildcard.
    let mut of_all = GroupCount::default();
    for (list, of_list) in lists.values() {
        // A webhook counts once, even if it lists the event twice.
        let names: BTreeSet<&str> = list.events.iter().map(|event| &*event.name).collect();
        let is_of_all = known.contains(WILDCARD) && names.contains(WILDCARD);
        for name in names {
            let count = counts.entry(name).or_default();
            if !is_of_all || name == WILDCARD {
                count.merge(of_list);
            }
        }
        if is_of_all {
            of_all.merge(of_list);
        }
    }
    for (_, count) in counts.iter_mut().filter(|(name, _)| **name != WILDCARD) {
        count.merge(&of_all);
    }
    let group = |(name, count): (&str, GroupCount<'_>)| {
        let kind = GroupKind::Event { name: name.into(), is_known: known.contains(name) };
        count.group(kind, count.hosts.len() as u64)
    };
    counts.into_iter().map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::rows_of;

    fn rows(webhooks: &[(&str, &str, &str)]) -> (Rows, Vec<RowNumber>) {
        let json = |(url, events, active): &(&str, &str, &str)| {
            format!(r#"{{"id":"w","url":"{url}","events":{events},"is_active":{active}}}"#)
        };
        let rows = rows_of(&webhooks.iter().map(json).collect::<Vec<_>>());
        let numbers = rows.iter().map(|(number, _)| number).collect();
        (rows, numbers)
    }

    #[test]
    fn hosts_are_counted_and_open_into_paths() {
        let (rows, all) = rows(&[
            ("https://a.com/x?k=1", r#"["e","f"]"#, "true"),
            ("https://a.com/x?k=2", r#"["f"]"#, "false"),
            ("https://A.com:443/y", r#"["f","g"]"#, "true"),
            ("https://b.com", r#"["e"]"#, "true"),
            ("no url", "[]", "null"),
        ]);
        let expanded = Arc::new(BTreeSet::from(["a.com".into()]));
        let groups = RowGrouping::Hosts { expanded }.group(&rows, &all);
        assert_eq!(groups.webhooks, 5);
        let shown: Vec<_> =
            groups.groups.iter().map(|group| (group.kind.clone(), group.active, group.inactive, group.reach)).collect();
        let path = |path: &str| GroupKind::Path { host: "a.com".into(), path: path.into() };
        assert_eq!(
            shown,
            [
                (GroupKind::Host { name: "a.com".into(), is_expanded: true }, 2, 1, 3),
                (path("/x"), 1, 1, 2),
                (path("/y"), 1, 0, 2),
                (GroupKind::Host { name: "b.com".into(), is_expanded: false }, 1, 0, 1),
                (GroupKind::NoHost, 0, 0, 0),
            ]
        );
    }

    #[test]
    fn only_some_paths_of_a_host_are_listed() {
        let urls: Vec<String> = (0..1005).map(|i| format!("https://a.com/{i}")).collect();
        let webhooks: Vec<_> = urls.iter().map(|url| (url.as_str(), "[]", "true")).collect();
        let (rows, all) = rows(&webhooks);
        let groups = RowGrouping::Hosts { expanded: Arc::new(BTreeSet::from(["a.com".into()])) }.group(&rows, &all).groups;
        let last = groups.last().unwrap();
        assert_eq!((groups.len(), &last.kind), (1002, &GroupKind::MorePaths { host: "a.com".into(), paths: 5 }));
        assert_eq!((last.active, last.webhooks), (5, 5));
    }

    #[test]
    fn known_events_and_those_subscribed_to_are_listed() {
        let (rows, all) = rows(&[
            ("https://a.com/", r#"["call.ended","mine","mine",7]"#, "true"),
            ("https://b.com/", r#"["call.ended"]"#, "true"),
            ("https://b.com/", r#"["call.ended"]"#, "false"),
        ]);
        let groups = RowGrouping::Events { known: ["theirs".into()].into() }.group(&rows, &all).groups;
        let of = |wanted: &str| {
            let is_it = |group: &&Group| matches!(&group.kind, GroupKind::Event { name, .. } if **name == *wanted);
            let group = groups.iter().find(is_it).unwrap();
            let GroupKind::Event { is_known, .. } = group.kind else { unreachable!() };
            (is_known, group.active, group.inactive, group.reach)
        };
        assert_eq!((of("call.ended"), of("mine"), of("theirs")), ((true, 2, 1, 2), (false, 1, 0, 1), (true, 0, 0, 0)));
        assert_eq!(groups.len(), vocabulary::CURRENT.len() + 2);
    }

    #[test]
    fn a_wildcard_subscribes_to_every_event_where_it_is_known() {
        let (rows, all) = rows(&[
            ("https://a.com/", r#"["*","call.ended"]"#, "true"),
            ("https://b.com/", r#"["*"]"#, "false"),
            ("https://c.com/", r#"["call.ended","mine"]"#, "true"),
        ]);
        let counts = |known: &[Box<str>]| {
            let groups = RowGrouping::Events { known: known.into() }.group(&rows, &all).groups;
            ["call.ended", "mine", "campaign.paused", "*"].map(|wanted| {
                let is_it = |group: &&Group| matches!(&group.kind, GroupKind::Event { name, .. } if **name == *wanted);
                let group = groups.iter().find(is_it).unwrap();
                (group.active, group.inactive, group.reach, group.webhooks)
            })
        };
        assert_eq!(counts(&["*".into()]), [(2, 1, 2, 3), (2, 1, 2, 3), (1, 1, 1, 2), (1, 1, 1, 2)]);
        assert_eq!(counts(&[]), [(2, 0, 2, 2), (1, 0, 1, 1), (0, 0, 0, 0), (1, 1, 1, 2)]);
    }
}
