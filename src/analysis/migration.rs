//! Plans a migration to other events, hosts and URLs: which webhooks change, and which problems result.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use url::Url;

use crate::model::{
    Destination, EventEntry, EventName, Field, RowRef, Rows, Webhook, WebhookId, normalized_text, without_final_dot,
};

/// The longest destination that the API accepts, in characters (api-access/external-webhooks).
const LONGEST_URL: usize = 150;

/// The replacements of events, hosts and URLs. Each is applied once: a replacement is not mapped again.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// An event and its replacements; an empty list removes the event.
    pub events: BTreeMap<String, Vec<String>>,
    /// A host in lower case, and its replacement.
    pub hosts: BTreeMap<String, String>,
    /// A complete URL, and its replacement. It takes precedence over the mapping of its host.
    pub urls: BTreeMap<String, String>,
}

/// The effects of a mapping on a workspace.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The webhooks that change, in the order of the listing.
    pub changes: Vec<Change>,
    /// Events that are neither mapped nor a replacement, each with its number of subscribed webhooks.
    pub unmapped: BTreeMap<String, u64>,
    pub collisions: Vec<Collision>,
    /// Webhooks that would have no events left.
    pub without_events: Vec<WebhookId>,
    /// Webhooks that cannot be migrated, or that the API would reject, with the reason.
    pub doubts: Vec<(WebhookId, &'static str)>,
    /// Mappings that match nothing.
    pub unused: Vec<String>,
}

/// A webhook that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub before: Webhook,
    pub after: Webhook,
}

impl Change {
    /// The new URL, if it changes.
    pub fn url(&self) -> Option<&str> {
        (self.before.url != self.after.url).then(|| self.after.url.raw())
    }

    /// The new events, if they change.
    pub fn events(&self) -> Option<Vec<&str>> {
        (self.before.events != self.after.events).then(|| self.after.event_names().map(EventName::raw).collect())
    }
}

/// A webhook that would deliver events to the same destination as another one. They do not do so now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    pub id: WebhookId,
    pub with: WebhookId,
    pub events: Vec<String>,
}

impl Mapping {
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.hosts.is_empty() && self.urls.is_empty()
    }

    /// Plans the changes of the wanted webhooks. The others are used to find collisions.
    pub fn plan(&self, rows: &Rows, is_wanted: impl Fn(RowRef<'_>) -> bool) -> Plan {
        let mut plan = Plan::default();
        let mut used = BTreeSet::new();
        let spellings = Spellings::of(&self.urls);
        let targets: HashSet<&str> = self.events.values().flatten().map(String::as_str).collect();
        // All webhooks, and whether each is wanted.
        let all: Vec<(Webhook, bool)> = rows.iter().filter_map(|(_, row)| Some((row.webhook()?, is_wanted(row)))).collect();
        let mut after = Vec::with_capacity(all.len());
        for (webhook, is_wanted) in &all {
            if !is_wanted {
                after.push((webhook.clone(), false));
                continue;
            }
            if !self.events.is_empty() {
                for name in webhook.event_names().map(EventName::raw).collect::<BTreeSet<_>>() {
                    if !self.events.contains_key(name) && !targets.contains(name) {
                        *plan.unmapped.entry(name.to_owned()).or_default() += 1;
                    }
                }
            }
            let planned = self.apply(webhook, &spellings, &mut used, &mut plan.doubts);
            let planned = if webhook.id.path_segment().is_some() || planned == *webhook {
                planned
            } else {
                plan.doubts.push((webhook.id.clone(), "its id cannot be used in a URL, so it is left unchanged"));
                webhook.clone()
            };
            let is_changed = planned != *webhook;
            if is_changed {
                let no_events = |webhook: &Webhook| webhook.events.value().is_some_and(Vec::is_empty);
                if no_events(&planned) && !no_events(webhook) {
                    plan.without_events.push(webhook.id.clone());
                }
                plan.changes.push(Change { before: webhook.clone(), after: planned.clone() });
            }
            after.push((planned, is_changed));
        }
        plan.collisions = collisions(&all, &after);
        let all_names = self.events.keys().chain(self.hosts.keys()).chain(self.urls.keys());
        plan.unused = all_names.filter(|name| !used.contains(*name)).cloned().collect();
        plan
    }

    fn apply(
        &self,
        webhook: &Webhook,
        spellings: &Spellings<'_>,
        used: &mut BTreeSet<String>,
        doubts: &mut Vec<(WebhookId, &'static str)>,
    ) -> Webhook {
        let mut planned = webhook.clone();
        if let Some(url) = self.new_url(webhook.url.raw(), spellings, used) {
            if url.chars().count() > LONGEST_URL {
                doubts.push((webhook.id.clone(), "its new URL is longer than the 150 characters that the API accepts"));
            }
            if !url.starts_with("https://") {
                doubts.push((webhook.id.clone(), "its new URL does not start with https://, which the API refuses"));
            }
            planned.url = Destination::new(&url);
        }
        if self.events.is_empty() {
            return planned;
        }
        let only_names = |entries: &Vec<EventEntry>| entries.iter().all(|entry| matches!(entry, EventEntry::Name(_)));
        match &webhook.events {
            Field::Value(entries) if only_names(entries) => {
                let names = self.new_events(webhook, used);
                // Removing repeated names alone is not a change.
                if !names.iter().eq(webhook.event_names()) {
                    planned.events = Field::Value(names.into_iter().map(EventEntry::Name).collect());
                }
            }
            Field::Missing => {}
            Field::Value(_) | Field::Odd(_) => {
                doubts.push((webhook.id.clone(), "its events are not a list of names and are left unchanged"));
            }
        }
        planned
    }

    fn new_events(&self, webhook: &Webhook, used: &mut BTreeSet<String>) -> Vec<EventName> {
        let is_touched = webhook.event_names().any(|name| self.events.contains_key(name.raw()));
        if !is_touched {
            return webhook.event_names().cloned().collect();
        }
        let mut names: Vec<EventName> = Vec::new();
        let mut known = HashSet::new();
        let mut add = |name: EventName| {
            if known.insert(name.clone()) {
                names.push(name);
            }
        };
        for name in webhook.event_names() {
            match self.events.get(name.raw()) {
                Some(new) => {
                    used.insert(name.raw().to_owned());
                    for name in new {
                        add(EventName::new(name));
                    }
                }
                None => add(name.clone()),
            }
        }
        names
    }

    fn new_url(&self, url: &str, spellings: &Spellings<'_>, used: &mut BTreeSet<String>) -> Option<String> {
        let exact = self.urls.get_key_value(url);
        let new = if let Some((named, new)) = exact.or_else(|| spellings.find(url)) {
            used.insert(named.clone());
            new.clone()
        } else {
            let parsed = Url::parse(url).ok()?;
            let (host, new) = self.hosts.get_key_value(without_final_dot(parsed.host_str()?))?;
            used.insert(host.clone());
            with_host(url, &parsed, host, new)?
        };
        (new != url).then_some(new)
    }
}

/// The mapped URLs in normalized form, since a webhook may spell its URL differently.
struct Spellings<'m>(HashMap<String, (&'m String, &'m String)>);

impl<'m> Spellings<'m> {
    fn of(urls: &'m BTreeMap<String, String>) -> Self {
        let mut spellings = HashMap::new();
        for (named, new) in urls {
            spellings.entry(normalized_text(named)).or_insert((named, new));
        }
        Self(spellings)
    }

    fn find(&self, url: &str) -> Option<(&'m String, &'m String)> {
        if self.0.is_empty() { None } else { self.0.get(&normalized_text(url)).copied() }
    }
}

/// Replaces the host and keeps the spelling of everything else, except for surrounding white space, which parsers drop. A
/// URL whose host is spelled in an unusual way is returned as the parser spells it.
fn with_host(url: &str, parsed: &Url, host: &str, new: &str) -> Option<String> {
    let url = url.trim_matches(|c: char| c <= ' ');
    let start = url.find("://")? + 3;
    let (before, rest) = url.split_at_checked(start)?;
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end)?;
    let (userinfo, place) = match authority.rfind('@') {
        Some(at) => authority.split_at_checked(at + 1)?,
        None => ("", authority),
    };
    if let Some((spelled, port)) = place.split_at_checked(host.len())
        && spelled.eq_ignore_ascii_case(host)
        && let port = port.strip_prefix('.').unwrap_or(port)
        && (port.is_empty() || port.starts_with(':'))
    {
        return Some([before, userinfo, new, port, tail].concat());
    }
    let mut parsed = parsed.clone();
    parsed.set_host(Some(new)).ok()?;
    Some(parsed.into())
}

/// Assigns numbers to destinations and events, since equal ones are compared often.
#[derive(Default)]
struct Deliveries<'w> {
    places: HashMap<String, u32>,
    events: HashMap<&'w str, u32>,
}

/// The destination and events of one webhook.
struct Delivery {
    place: u32,
    /// Sorted, without duplicates.
    events: Vec<u32>,
}

impl<'w> Deliveries<'w> {
    fn of(&mut self, webhook: &'w Webhook) -> Delivery {
        let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let place = *self.places.entry(normalized_text(webhook.url.raw())).or_insert(next);
        let number = |name: &'w EventName| {
            let next = u32::try_from(self.events.len()).unwrap_or(u32::MAX);
            *self.events.entry(name.raw()).or_insert(next)
        };
        let mut events: Vec<_> = webhook.event_names().map(number).collect();
        events.sort_unstable();
        events.dedup();
        Delivery { place, events }
    }
}

impl Delivery {
    /// Returns true if both deliver an event to the same destination.
    fn meets(&self, other: &Self) -> bool {
        self.place == other.place && is_any_in_both(&self.events, &other.events)
    }
}

fn is_any_in_both(one: &[u32], other: &[u32]) -> bool {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(first), Some(second)) = (one.peek(), other.peek()) {
        match first.cmp(second) {
            Ordering::Less => drop(one.next()),
            Ordering::Greater => drop(other.next()),
            Ordering::Equal => return true,
        }
    }
    false
}

/// Finds changed webhooks that would deliver an event to the same destination as another one, unless the two already do.
fn collisions(before: &[(Webhook, bool)], after: &[(Webhook, bool)]) -> Vec<Collision> {
    let mut deliveries = Deliveries::default();
    let was: Vec<_> = before.iter().map(|(webhook, _)| deliveries.of(webhook)).collect();
    let mut at: HashMap<(u32, u32), Vec<usize>> = HashMap::new();
    for (number, (webhook, _)) in after.iter().enumerate().filter(|(_, (webhook, _))| webhook.active() != Some(false)) {
        let Delivery { place, events } = deliveries.of(webhook);
        for event in events {
            at.entry((place, event)).or_default().push(number);
        }
    }
    // True if the pair collides already. It is looked up for each of their common events.
    let mut known: HashMap<(usize, usize), bool> = HashMap::new();
    let mut pairs: BTreeMap<(usize, usize), Vec<u32>> = BTreeMap::new();
    for ((_, event), numbers) in at {
        let Some((&first, &last)) = numbers.first().zip(numbers.last()) else { continue };
        for &number in &numbers {
            // One of the others represents all of them.
            let other = if number == first { last } else { first };
            let is_changed = after.get(number).is_some_and(|(_, is_changed)| *is_changed);
            if !is_changed || other == number || pairs.contains_key(&(other, number)) {
                continue;
            }
            let pair = (number.min(other), number.max(other));
            let meet = || was.get(pair.0).zip(was.get(pair.1)).is_some_and(|(one, other)| one.meets(other));
            if !*known.entry(pair).or_insert_with(meet) {
                pairs.entry((number, other)).or_default().push(event);
            }
        }
    }
    let names: HashMap<u32, &str> = deliveries.events.into_iter().map(|(name, number)| (number, name)).collect();
    let id = |number: usize| before.get(number).map(|(webhook, _)| webhook.id.clone());
    let pair = |((one, other), events): ((usize, usize), Vec<u32>)| {
        let mut events: Vec<_> = events.iter().filter_map(|event| names.get(event)).map(|&name| name.to_owned()).collect();
        events.sort();
        Some(Collision { id: id(one)?, with: id(other)?, events })
    };
    pairs.into_iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::rows_of;

    fn hook(id: &str, url: &str, events: &str) -> String {
        format!(r#"{{"id":"{id}","url":"{url}","events":{events},"is_active":true}}"#)
    }

    fn map<T: Clone>(pairs: &[(&str, T)]) -> BTreeMap<String, T> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn events(pairs: &[(&str, &[&str])]) -> Mapping {
        let owned: Vec<_> =
            pairs.iter().map(|(old, new)| (*old, new.iter().map(ToString::to_string).collect::<Vec<_>>())).collect();
        Mapping { events: map(&owned), ..Mapping::default() }
    }

    fn hosts(pairs: &[(&str, &str)]) -> Mapping {
        let owned: Vec<_> = pairs.iter().map(|(old, new)| (*old, (*new).to_owned())).collect();
        Mapping { hosts: map(&owned), ..Mapping::default() }
    }

    fn ids(ids: &[WebhookId]) -> Vec<&str> {
        ids.iter().map(WebhookId::raw).collect()
    }

    #[test]
    fn events_become_others_in_their_place() {
        let mapping = events(&[("call_ended", &["call.completed", "call.failed"]), ("gone", &[]), ("never", &["x"])]);
        let all = [
            hook("a", "https://a/", r#"["first","call_ended","call.failed"]"#),
            hook("b", "https://b/", r#"["gone"]"#),
            hook("c", "https://c/", r#"["call.completed","call.completed"]"#),
            hook("d", "https://d/", r#""call_ended""#),
            hook("e", "https://e/", "[]"),
        ];
        let plan = mapping.plan(&rows_of(&all), |_| true);
        let changes: Vec<_> = plan.changes.iter().map(|change| (change.before.id.raw(), change.events())).collect();
        assert_eq!(changes, [("a", Some(vec!["first", "call.completed", "call.failed"])), ("b", Some(vec![]))]);
        assert_eq!(plan.unmapped, map(&[("first", 1)]));
        assert_eq!((ids(&plan.without_events), plan.unused), (vec!["b"], vec!["never".to_owned()]));
        assert_eq!(plan.doubts.iter().map(|(id, _)| id.raw()).collect::<Vec<_>>(), ["d"]);
    }

    #[test]
    fn a_host_is_replaced_and_the_rest_of_the_url_is_as_it_was() {
        let mapping = hosts(&[("old.example.com", "new.example.com")]);
        for (url, expected) in [
            ("https://old.example.com", Some("https://new.example.com")),
            (
                "https://OLD.example.com:8443/%7ex?q=old.example.com#f",
                Some("https://new.example.com:8443/%7ex?q=old.example.com#f"),
            ),
            ("https://u:p@old.example.com/", Some("https://u:p@new.example.com/")),
            ("https://old%2Eexample.com/x", Some("https://new.example.com/x")),
            ("https://old.example.com./x", Some("https://new.example.com/x")),
            ("https://OLD.example.com.:8443/x", Some("https://new.example.com:8443/x")),
            ("https://old.example.com/x ", Some("https://new.example.com/x")),
            (" https://old.example.com ", Some("https://new.example.com")),
            ("https://old.exam\\tple.com/x", Some("https://new.example.com/x")),
            ("https://ｏld.example.com/x", Some("https://new.example.com/x")),
            ("https://sub.old.example.com/", None),
            ("https://old.example.com.evil.com/", None),
            ("https://old.example.com@evil.com/", None),
            ("old.example.com", None),
        ] {
            let plan = mapping.plan(&rows_of(&[hook("a", url, "[]")]), |_| true);
            assert_eq!(plan.changes.first().and_then(Change::url), expected, "{url}");
        }
    }

    #[test]
    fn an_exact_url_goes_before_its_host() {
        let mut mapping = hosts(&[("a.com", "b.com")]);
        mapping.urls = map(&[("https://a.com/x", "https://c.com/y".to_owned())]);
        let all = [hook("a", "https://a.com/x", "[]"), hook("b", "https://a.com/x/", "[]")];
        let plan = mapping.plan(&rows_of(&all), |_| true);
        assert_eq!(plan.changes.iter().filter_map(Change::url).collect::<Vec<_>>(), ["https://c.com/y", "https://c.com/y"]);
        // Every spelling of the URL is mapped, unless it has a mapping of its own.
        mapping.urls.insert("https://a.com/x/".to_owned(), "https://c.com/z".to_owned());
        for (url, expected) in [
            ("https://a.com/x", "https://c.com/y"),
            ("https://a.com/x/", "https://c.com/z"),
            ("https://A.com.:443/%78 ", "https://c.com/y"),
            ("https://a.com/x?q", "https://b.com/x?q"),
        ] {
            let plan = mapping.plan(&rows_of(&[hook("a", url, "[]")]), |_| true);
            assert_eq!(plan.changes.first().and_then(Change::url), Some(expected), "{url}");
        }
        let long = hosts(&[("a.com", &"b".repeat(200))]).plan(&rows_of(&all), |row| row.id() == "a");
        assert_eq!((long.changes.len(), long.doubts.len()), (1, 1));
        let insecure = hosts(&[("a.com", "b.com")]).plan(&rows_of(&[hook("a", "http://a.com/", "[]")]), |_| true);
        assert_eq!((insecure.changes.first().and_then(Change::url), insecure.doubts.len()), (Some("http://b.com/"), 1));
    }

    #[test]
    fn what_would_be_delivered_twice_is_told_unless_it_is_so_already() {
        let mapping = hosts(&[("old.com", "new.com")]);
        let pairs = |all: &[String], mapping: &Mapping| {
            let plan = mapping.plan(&rows_of(all), |_| true);
            let pair = |collision: &Collision| {
                format!("{} {} {}", collision.id.raw(), collision.with.raw(), collision.events.join(","))
            };
            plan.collisions.iter().map(pair).collect::<Vec<_>>()
        };
        let there = hook("n", "https://NEW.com:443/x#y", r#"["b","a","c"]"#);
        assert_eq!(pairs(&[hook("o", "https://old.com/x", r#"["a","b","z"]"#), there.clone()], &mapping), ["o n a,b"]);
        assert!(pairs(&[hook("o", "https://old.com/y", r#"["a"]"#), there], &mapping).is_empty());
        let both = [hook("o", "https://old.com/x", r#"["a"]"#), hook("p", "https://old.com/x", r#"["a"]"#)];
        assert!(pairs(&both, &mapping).is_empty());
        // Two events that are merged into one.
        let one = [hook("o", "https://x/", r#"["a"]"#), hook("p", "https://x/", r#"["b"]"#)];
        assert_eq!(pairs(&one, &events(&[("a", &["c"]), ("b", &["c"])])), ["o p c"]);
    }

    #[test]
    fn the_time_of_a_plan_is_linear_in_the_events() {
        let names: Vec<String> = (0..30_000).map(|number| format!("e.{number}")).collect();
        let events_json = serde_json::to_string(&names).unwrap();
        let all = [hook("a", "https://a.com/x", &events_json), hook("b", "https://b.com/x", &events_json)];
        let mut mapping = hosts(&[("b.com", "a.com")]);
        mapping.events = names.iter().map(|name| (name.clone(), vec![format!("new.{name}")])).collect();
        let plan = mapping.plan(&rows_of(&all), |_| true);
        assert_eq!(plan.changes.len(), 2);
        assert_eq!(plan.changes[0].events().unwrap().last(), Some(&"new.e.29999"));
        assert_eq!(plan.collisions.iter().map(|collision| collision.events.len()).collect::<Vec<_>>(), [30_000]);
        // They already deliver the same event to one destination.
        let all = [hook("a", "https://a.com/x", &events_json), hook("b", "https://a.com/x", &events_json)];
        assert!(hosts(&[("a.com", "b.com")]).plan(&rows_of(&all), |_| true).collisions.is_empty());
    }

    #[test]
    fn the_time_of_a_plan_is_linear_in_the_webhooks_of_one_url() {
        let all: Vec<_> = (0..20_000).map(|id| hook(&id.to_string(), "https://a.com/x", r#"["e"]"#)).collect();
        let plan = hosts(&[("a.com", "b.com")]).plan(&rows_of(&all), |_| true);
        assert_eq!((plan.changes.len(), plan.collisions.len()), (20_000, 0));
    }
}
