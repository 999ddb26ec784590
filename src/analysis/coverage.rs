//! Who hears which event: for every event that is known or subscribed to, its subscriptions.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::vocabulary::{self, WILDCARD};
use crate::model::{EventName, Webhook, host};

/// The subscriptions to one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCoverage {
    pub event: EventName,
    /// The vendor's pages, or the config, name it as an event to subscribe to.
    pub known: bool,
    /// Active webhooks that are subscribed to it. A webhook counts once, however often it names the event.
    pub active: usize,
    pub inactive: usize,
    /// Different hosts of the active ones.
    pub hosts: usize,
}

impl Serialize for EventCoverage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("EventCoverage", 5)?;
        fields.serialize_field("event", self.event.raw())?;
        fields.serialize_field("known", &self.known)?;
        fields.serialize_field("active", &self.active)?;
        fields.serialize_field("inactive", &self.inactive)?;
        fields.serialize_field("hosts", &self.hosts)?;
        fields.end()
    }
}

/// What is counted of one event while the webhooks pass by.
#[derive(Default)]
struct Count {
    active: usize,
    inactive: usize,
    hosts: HashSet<String>,
}

impl Count {
    fn add(&mut self, active: Option<bool>, host: Option<&String>) {
        match active {
            Some(true) => {
                self.active += 1;
                self.hosts.extend(host.cloned());
            }
            Some(false) => self.inactive += 1,
            None => {}
        }
    }
}

/// The coverage of every event that the webhooks name, and of every known one, in the order of the names. A webhook that does
/// not say whether it is active counts as neither. Where `*` is known, a webhook that is subscribed to it is subscribed to every
/// event.
pub fn coverage<'a>(
    webhooks: impl Iterator<Item = &'a Webhook>,
    known_besides: impl Iterator<Item = &'a str>,
) -> Vec<EventCoverage> {
    let known: HashSet<&str> = vocabulary::CURRENT.into_iter().chain(known_besides).collect();
    let mut counts: BTreeMap<EventName, Count> = known.iter().map(|name| (EventName::new(name), Count::default())).collect();
    // Subscribers of every event.
    let mut of_all = Count::default();
    for webhook in webhooks {
        let host = host(webhook.url.raw()).map(Cow::into_owned);
        let names: HashSet<_> = webhook.event_names().collect();
        let is_of_all = known.contains(WILDCARD) && names.iter().any(|name| name.raw() == WILDCARD);
        for name in names {
            let count = match counts.get_mut(name) {
                Some(count) => count,
                None => counts.entry(name.clone()).or_default(),
            };
            // It counts once, with those of every event.
            if !is_of_all || name.raw() == WILDCARD {
                count.add(webhook.active(), host.as_ref());
            }
        }
        if is_of_all {
            of_all.add(webhook.active(), host.as_ref());
        }
    }
    for (_, count) in counts.iter_mut().filter(|(name, _)| name.raw() != WILDCARD) {
        count.active += of_all.active;
        count.inactive += of_all.inactive;
        count.hosts.extend(of_all.hosts.iter().cloned());
    }
    let coverage = |(event, count): (EventName, Count)| EventCoverage {
        known: known.contains(event.raw()),
        event,
        active: count.active,
        inactive: count.inactive,
        hosts: count.hosts.len(),
    };
    counts.into_iter().map(coverage).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::model::Row;

    fn webhook(url: &str, events: &str, active: &str) -> Webhook {
        let json = format!(r#"{{"id":"w","url":"{url}","events":{events},"is_active":{active}}}"#);
        Row::decode(&RawValue::from_string(json).unwrap()).unwrap().webhook().unwrap().clone()
    }

    #[test]
    fn every_event_is_counted_by_webhook_and_host() {
        let webhooks = [
            webhook("https://a.com/1", r#"["call.ended","call.ended","mine"]"#, "true"),
            webhook("https://A.com:443/2", r#"["call.ended",7]"#, "true"),
            webhook("https://b.com", r#"["call.ended"]"#, "false"),
            webhook("no url", r#"["call.ended"]"#, "null"),
            webhook("https://b.com", r#""call.ended""#, "true"),
        ];
        let covered = coverage(webhooks.iter(), ["theirs"].into_iter());
        let of = |name: &str| covered.iter().find(|event| event.event.raw() == name).unwrap();
        let ended = of("call.ended");
        assert_eq!((ended.known, ended.active, ended.inactive, ended.hosts), (true, 2, 1, 1));
        assert_eq!((of("mine").known, of("mine").active), (false, 1));
        assert_eq!((of("theirs").known, of("theirs").active), (true, 0));
        assert_eq!(of("campaign.paused").active, 0);
        assert_eq!(covered.len(), vocabulary::CURRENT.len() + 2);
        assert!(covered.is_sorted_by_key(|event| event.event.raw().to_owned()));
    }

    #[test]
    fn a_wildcard_subscribes_to_every_event_where_the_config_knows_it() {
        let webhooks = [
            webhook("https://a.com/1", r#"["*","call.ended"]"#, "true"),
            webhook("https://b.com/1", r#"["*"]"#, "false"),
            webhook("https://c.com/1", r#"["call.ended","mine"]"#, "true"),
        ];
        let counts = |known: &[&str]| {
            let covered = coverage(webhooks.iter(), known.iter().copied());
            let of = |name: &str| {
                let event = covered.iter().find(|event| event.event.raw() == name).unwrap();
                (event.active, event.inactive, event.hosts)
            };
            ["call.ended", "mine", "campaign.paused", "*"].map(of)
        };
        assert_eq!(counts(&["*"]), [(2, 1, 2), (2, 1, 2), (1, 1, 1), (1, 1, 1)]);
        assert_eq!(counts(&[]), [(2, 0, 2), (1, 0, 1), (0, 0, 0), (1, 1, 1)]);
    }
}
