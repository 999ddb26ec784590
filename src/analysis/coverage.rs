//! Subscribers per event, for every event that is known or subscribed to.

use super::groups::{Group, GroupKind, RowGrouping};
use crate::model::{EventName, RowNumber, Rows};

/// The subscriptions to one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCoverage {
    pub event: EventName,
    /// The vendor's pages, or the config, name it as an event to subscribe to.
    pub known: bool,
    /// Active webhooks that are subscribed to it. A webhook counts once, however often it names the event.
    pub active: u64,
    pub inactive: u64,
    /// Different hosts of the active ones.
    pub hosts: u64,
}

/// The coverage of every event that the rows name and of every known one, by name. A webhook whose state is unknown counts as
/// neither active nor inactive. If `*` is known, a webhook subscribed to it is subscribed to every event.
pub fn coverage<'a>(rows: &Rows, known_besides: impl Iterator<Item = &'a str>) -> Vec<EventCoverage> {
    let numbers: Vec<RowNumber> = rows.iter().map(|(number, _)| number).collect();
    let groups = RowGrouping::Events { known: known_besides.map(Box::from).collect() }.group(rows, &numbers);
    let event = |group: Group| match group.kind {
        GroupKind::Event { name, is_known } => Some(EventCoverage {
            event: EventName::new(&name),
            known: is_known,
            active: group.active,
            inactive: group.inactive,
            hosts: group.reach,
        }),
        _ => None,
    };
    groups.groups.into_iter().filter_map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::vocabulary;
    use crate::model::testing::rows_of;

    fn webhook(url: &str, events: &str, active: &str) -> String {
        format!(r#"{{"id":"w","url":"{url}","events":{events},"is_active":{active}}}"#)
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
        let covered = coverage(&rows_of(&webhooks), ["theirs"].into_iter());
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
            let covered = coverage(&rows_of(&webhooks), known.iter().copied());
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
