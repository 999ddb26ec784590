//! The demo workspace: a chain of dental clinics, its own services and its partners.
//!
//! Every webhook is computed from its position alone, so that a workspace of a million costs nothing until it is requested,
//! and is the same on every run. Many of the first ones are written by hand: they show what a real workspace looks like,
//! with the mistakes that real workspaces contain. Uses `ids` and `company`; start at [`DemoWorkspace`].

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;

use super::company::{CITIES, PARTNERS, REGIONS, TEAMS, WRITTEN_ROWS};
use super::ids::{ID_MASK, MULTIPLIER, decode_id, encode_id};

/// A webhook, with the API's field names in the API's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DemoWebhook {
    pub id: String,
    pub url: Cow<'static, str>,
    pub events: Vec<Cow<'static, str>>,
    pub is_active: bool,
    /// RFC 3339 in UTC, with milliseconds.
    pub created_at: String,
    /// A field that the contract does not name. Few webhooks have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'static str>,
    /// Another field that the contract does not name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_count: Option<u8>,
}

/// All webhooks of the demo, computed on demand.
#[derive(Clone, Copy, Debug)]
pub struct DemoWorkspace {
    webhooks: u64,
}

impl DemoWorkspace {
    pub fn new(webhooks: u64) -> Self {
        // With more, ids would repeat.
        Self { webhooks: webhooks.min(ID_MASK) }
    }

    /// Returns the number of webhooks, or of the active or inactive ones.
    pub fn len(&self, is_active: Option<bool>) -> u64 {
        let in_full_cycles = self.webhooks / CYCLE * per_cycle(is_active);
        let last = self.webhooks % CYCLE;
        in_full_cycles + count(offsets(is_active).take_while(|offset| *offset < last))
    }

    /// Returns the webhook at a position, from 0, of the filtered listing.
    pub fn nth(&self, is_active: Option<bool>, position: u64) -> Option<DemoWebhook> {
        if position >= self.len(is_active) {
            return None;
        }
        let per_cycle = per_cycle(is_active);
        let in_cycle = usize::try_from(position % per_cycle).ok()?;
        let offset = offsets(is_active).nth(in_cycle)?;
        Some(webhook(position / per_cycle * CYCLE + offset))
    }

    /// Returns the webhook with this id.
    pub fn find(&self, id: &str) -> Option<DemoWebhook> {
        let index = decode_id(id)?;
        (index < self.webhooks).then(|| webhook(index))
    }
}

/// Activity repeats with this period, so that filtered positions can be computed.
const CYCLE: u64 = 20;

/// The positions in each cycle that are inactive: 15%.
const INACTIVE_OFFSETS: [u64; 3] = [7, 12, 18];

fn is_active(index: u64) -> bool {
    !INACTIVE_OFFSETS.contains(&(index % CYCLE))
}

/// The positions in a cycle that pass the filter.
fn offsets(filter: Option<bool>) -> impl Iterator<Item = u64> {
    (0..CYCLE).filter(move |offset| filter.is_none_or(|wanted| wanted == is_active(*offset)))
}

fn per_cycle(filter: Option<bool>) -> u64 {
    count(offsets(filter))
}

fn count(items: impl Iterator) -> u64 {
    items.map(|_| 1).sum()
}

fn webhook(index: u64) -> DemoWebhook {
    let is_active = is_active(index);
    let mut draws = Draws::new(index);
    let created_at = created_at(&mut draws);
    let written = WRITTEN_ROWS.iter().find(|row| row.index == index);
    let (url, events) = match written {
        Some(row) => (Cow::Borrowed(row.url), owned(row.events)),
        None => generated(index, is_active, &mut draws),
    };
    DemoWebhook {
        id: encode_id(index),
        url,
        events,
        is_active,
        created_at,
        description: written.and_then(|row| row.description),
        retry_count: written.and_then(|row| row.retry_count),
    }
}

fn generated(index: u64, is_active: bool, draws: &mut Draws) -> (Cow<'static, str>, Vec<Cow<'static, str>>) {
    let (team, event_sets) = draws.pick(&TEAMS);
    let mut events = owned(draws.pick(&event_sets));
    // Active webhooks never subscribe to it, so that the workspace has an event without an active subscriber.
    if !is_active && draws.below(3) == 0 {
        events.push("campaign.paused".into());
    }
    (Cow::Owned(destination(team, &place(index), draws)), events)
}

fn owned(events: &[&'static str]) -> Vec<Cow<'static, str>> {
    events.iter().copied().map(Cow::Borrowed).collect()
}

/// Returns a destination in one of the shapes that this company uses. The place makes it unique.
fn destination(team: &str, place: &str, draws: &mut Draws) -> String {
    let city = draws.pick(&CITIES);
    let region = draws.pick(&REGIONS);
    let partner = draws.pick(&PARTNERS);
    match draws.below(12) {
        0 | 1 => format!("https://{team}.northwind.example.com/webhooks/dialnexa/{place}"),
        2 | 3 => format!("https://{team}.northwind.example.com/v1/clinics/{city}-{place}/calls"),
        4 => format!("https://{team}.northwind.example.com/api/events?source={city}&desk={place}"),
        5..=7 => format!("https://hooks.{region}.northwind.example.net/{team}/{city}/{place}"),
        8 => format!("https://{team}.staging.northwind.example.com/hooks/voice-{place}"),
        9 => format!("https://n8n.ops.northwind.example.org/webhook/{team}-{city}-{place}"),
        _ => format!("https://{partner}/northwind/{city}-{place}/{team}"),
    }
}

/// Returns six digits that look arbitrary, and differ between any two of the first sixteen million webhooks.
fn place(index: u64) -> String {
    format!("{:06x}", index.wrapping_mul(MULTIPLIER) & 0x00ff_ffff)
}

/// Returns a creation time. The order of the listing does not follow it, as in the API's own examples.
fn created_at(draws: &mut Draws) -> String {
    const EARLIEST: Timestamp = Timestamp::constant(1_641_772_800, 0); // 2022-01-10
    const LATEST: Timestamp = Timestamp::constant(1_794_700_800, 0); // 2026-11-15
    let span = LATEST.as_millisecond().abs_diff(EARLIEST.as_millisecond());
    let created = EARLIEST.as_millisecond().saturating_add_unsigned(draws.below(span));
    format!("{:.3}", Timestamp::from_millisecond(created).unwrap_or(EARLIEST))
}

/// Arbitrary but repeatable numbers for one webhook: the `SplitMix64` generator.
struct Draws(u64);

impl Draws {
    fn new(index: u64) -> Self {
        Self(index)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let number = self.next();
        let index = usize::try_from(number % choices.len().max(1) as u64).unwrap_or_default();
        choices.get(index).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use proptest::prelude::*;
    use url::Url;

    use super::*;
    use crate::analysis::vocabulary;

    const WEBHOOKS: u64 = 1_200;
    const FILTERS: [Option<bool>; 3] = [None, Some(true), Some(false)];
    const LEGACY_EVENTS: [&str; 3] = ["call_initiated", "call_ended", "transfer_completed"];

    fn all() -> Vec<DemoWebhook> {
        (0..WEBHOOKS).map(webhook).collect()
    }

    fn host(webhook: &DemoWebhook) -> Option<String> {
        Some(Url::parse(&webhook.url).ok()?.host_str()?.to_owned())
    }

    fn host_is(webhook: &DemoWebhook, test: impl Fn(&str) -> bool) -> bool {
        host(webhook).is_some_and(|host| test(&host))
    }

    fn is_private(host: &str) -> bool {
        !host.contains('.') || host.ends_with(".internal") || ["10.", "192.168."].iter().any(|net| host.starts_with(net))
    }

    fn is_test_endpoint(host: &str) -> bool {
        ["webhook.site", "ngrok-free.app", "smee.io", "requestbin.com", "pipedream.net"]
            .iter()
            .any(|service| host.ends_with(service))
    }

    fn has_credentials(url: &str) -> bool {
        Url::parse(url)
            .is_ok_and(|url| url.password().is_some() || url.query_pairs().any(|(name, _)| name == "token" || name == "sig"))
    }

    fn has_event(webhook: &DemoWebhook, test: impl Fn(&str) -> bool) -> bool {
        webhook.events.iter().any(|event| test(event))
    }

    fn is_unknown(event: &str) -> bool {
        !vocabulary::CURRENT.contains(&event) && !LEGACY_EVENTS.contains(&event)
    }

    #[test]
    fn it_is_the_same_every_time() {
        assert_eq!(all(), all());
        let row = webhook(1_000);
        assert_eq!(row.id, "whk_x50z6v4v5mnr");
        assert_eq!(row.url, "https://scheduling.staging.northwind.example.com/hooks/voice-f4b208");
        assert_eq!(row.created_at, "2024-04-04T14:51:20.776Z");
    }

    #[test]
    fn filtered_listings_agree_with_the_whole() {
        for webhooks in [0, 1, 7, 8, 19, 20, 21, WEBHOOKS] {
            let workspace = DemoWorkspace::new(webhooks);
            for filter in FILTERS {
                let expected: Vec<_> = (0..webhooks)
                    .map(webhook)
                    .filter(|webhook| filter.is_none_or(|wanted| wanted == webhook.is_active))
                    .collect();
                let listed: Vec<_> =
                    (0..workspace.len(filter)).filter_map(|position| workspace.nth(filter, position)).collect();
                assert_eq!(listed, expected);
                assert_eq!(workspace.nth(filter, workspace.len(filter)), None);
                assert_eq!(workspace.nth(filter, u64::MAX), None);
            }
        }
    }

    #[test]
    fn every_id_is_unique_and_found() {
        let workspace = DemoWorkspace::new(WEBHOOKS);
        let ids: HashSet<_> = all().into_iter().map(|webhook| webhook.id).collect();
        assert_eq!(ids.len() as u64, WEBHOOKS);
        for id in ids {
            assert_eq!(workspace.find(&id).unwrap().id, id);
        }
    }

    #[test]
    fn other_ids_are_not_found() {
        let workspace = DemoWorkspace::new(WEBHOOKS);
        let outside = encode_id(WEBHOOKS);
        for id in ["", "whk_", "whk_c9v3nz8rq4p", "whk_c9v3nz8rq4pmm", "whk_C9V3NZ8RQ4PM", "wh_abc123", &outside] {
            assert_eq!(workspace.find(id), None, "{id}");
        }
        assert_eq!(workspace.find("whk_éééééé"), None);
    }

    proptest! {
        #[test]
        fn any_webhook_of_a_million_is_found_by_position_and_id(index in 0_u64..1_000_000) {
            let workspace = DemoWorkspace::new(1_000_000);
            let expected = webhook(index);
            prop_assert_eq!(workspace.find(&expected.id), Some(expected.clone()));
            for filter in [None, Some(expected.is_active)] {
                let position = DemoWorkspace::new(index).len(filter);
                prop_assert_eq!(workspace.nth(filter, position), Some(expected.clone()));
            }
        }
    }

    #[test]
    fn the_written_rows_are_distinct_and_fill_the_first_screen() {
        let indexes: HashSet<_> = WRITTEN_ROWS.iter().map(|row| row.index).collect();
        assert_eq!(indexes.len(), WRITTEN_ROWS.len());
        assert!((0..40).all(|index| indexes.contains(&index)));
        assert!(indexes.iter().all(|index| *index < WEBHOOKS));
    }

    #[test]
    fn every_class_of_problem_is_present_twice() {
        type Test = fn(&DemoWebhook) -> bool;
        let classes: [(&str, Test); 15] = [
            ("invalid URL", |row| Url::parse(&row.url).is_err()),
            ("not encrypted", |row| row.url.starts_with("http://")),
            ("private destination", |row| host_is(row, is_private)),
            ("retired and active", |row| row.is_active && host_is(row, |host| host.starts_with("legacy."))),
            ("active without events", |row| row.is_active && row.events.is_empty()),
            ("credentials", |row| has_credentials(&row.url)),
            ("active test endpoint", |row| row.is_active && host_is(row, is_test_endpoint)),
            ("unknown event", |row| has_event(row, is_unknown)),
            ("legacy event", |row| has_event(row, |event| LEGACY_EVENTS.contains(&event))),
            ("confusable host", |row| host_is(row, |host| host.contains("xn--"))),
            ("long URL", |row| row.url.chars().count() > 150),
            ("long inactive", |row| !row.is_active && row.created_at.as_str() < "2024"),
            ("description", |row| row.description.is_some()),
            ("retry count", |row| row.retry_count.is_some()),
            ("other alphabet", |row| !row.url.is_ascii()),
        ];
        let rows = all();
        for (class, test) in classes {
            assert!(rows.iter().filter(|row| test(row)).count() >= 2, "{class}");
        }
    }

    #[test]
    fn text_that_confuses_terminals_is_present() {
        assert!(all().iter().any(|row| has_event(row, |event| event.contains('\u{1b}'))));
        assert!(all().iter().any(|row| row.url.contains('\u{202e}')));
    }

    #[test]
    fn only_the_planted_destinations_are_duplicates() {
        let rows = all();
        let mut destinations: BTreeMap<Url, Vec<&DemoWebhook>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.is_active) {
            if let Ok(url) = Url::parse(&row.url) {
                destinations.entry(url).or_default().push(row);
            }
        }
        destinations.retain(|_, rows| rows.len() > 1);
        assert_eq!(destinations.len(), 3);
        for rows in destinations.values() {
            let [first, second] = rows.as_slice() else { panic!("{rows:?}") };
            assert_ne!(first.url, second.url);
            assert!(first.events.iter().any(|event| second.events.contains(event)));
        }
    }

    #[test]
    fn only_one_known_event_has_no_active_subscriber() {
        let rows = all();
        let subscribed = |event: &str, is_active: bool| {
            rows.iter().any(|row| row.is_active == is_active && row.events.iter().any(|known| known == event))
        };
        let uncovered: Vec<_> = vocabulary::CURRENT.into_iter().filter(|event| !subscribed(event, true)).collect();
        assert_eq!(uncovered, ["campaign.paused"]);
        assert!(subscribed("campaign.paused", false));
    }

    #[test]
    fn creation_times_are_canonical_and_in_range() {
        for row in all() {
            let created: Timestamp = row.created_at.parse().unwrap();
            assert_eq!(format!("{created:.3}"), row.created_at);
            assert!(("2022-01-10".."2026-11-15").contains(&row.created_at.as_str()));
        }
    }

    #[test]
    fn generated_rows_have_no_problem() {
        for row in (0..WEBHOOKS).filter(|index| WRITTEN_ROWS.iter().all(|row| row.index != *index)).map(webhook) {
            let url = Url::parse(&row.url).unwrap();
            assert_eq!((url.as_str(), url.scheme()), (row.url.as_ref(), "https"));
            assert!((1..=7).contains(&row.events.len()) && !has_event(&row, is_unknown));
            assert!(row.url.len() <= 100 && !has_credentials(&row.url));
        }
    }
}
