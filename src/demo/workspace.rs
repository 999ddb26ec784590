//! The made-up workspace: a chain of dental clinics, its own services and its partners.
//!
//! Every webhook is computed from its position alone, so a workspace of a million costs nothing
//! until it is asked for, and is the same on every run. Many of the first ones are written by hand:
//! they show what a real workspace looks like, with the mistakes that real workspaces contain.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;

/// One webhook, with the API's field names in the API's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Webhook {
    /// The opaque id.
    pub id: String,
    /// The destination.
    pub url: Cow<'static, str>,
    /// The names of the subscribed events.
    pub events: Vec<&'static str>,
    /// Whether deliveries are made.
    pub is_active: bool,
    /// When it was created: RFC 3339 in UTC, with milliseconds.
    pub created_at: String,
    /// A field that the contract does not name; few webhooks have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'static str>,
    /// Another field that the contract does not name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_count: Option<u8>,
}

/// All webhooks of the demo, computed on demand.
#[derive(Clone, Copy, Debug)]
pub struct Workspace {
    webhooks: u64,
}

impl Workspace {
    /// A workspace of that many webhooks.
    pub fn new(webhooks: u64) -> Self {
        // Beyond that, ids would repeat.
        Self { webhooks: webhooks.min(ID_MASK) }
    }

    /// How many webhooks there are, or how many are active or inactive.
    pub fn len(&self, is_active: Option<bool>) -> u64 {
        let in_full_cycles = self.webhooks / CYCLE * per_cycle(is_active);
        let last = self.webhooks % CYCLE;
        in_full_cycles + count(offsets(is_active).take_while(|offset| *offset < last))
    }

    /// The webhook at a position, counted from 0, of the filtered listing.
    pub fn nth(&self, is_active: Option<bool>, position: u64) -> Option<Webhook> {
        if position >= self.len(is_active) {
            return None;
        }
        let per_cycle = per_cycle(is_active);
        let in_cycle = usize::try_from(position % per_cycle).ok()?;
        let offset = offsets(is_active).nth(in_cycle)?;
        Some(webhook(position / per_cycle * CYCLE + offset))
    }

    /// The webhook with that id.
    pub fn find(&self, id: &str) -> Option<Webhook> {
        let index = decode_id(id)?;
        (index < self.webhooks).then(|| webhook(index))
    }
}

/// Activity repeats with this period, so that filtered positions are a matter of arithmetic.
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

fn webhook(index: u64) -> Webhook {
    let is_active = is_active(index);
    let mut draws = Draws::new(index);
    let created_at = created_at(&mut draws);
    let written = WRITTEN.iter().find(|row| row.index == index);
    let (url, events) = match written {
        Some(row) => (Cow::Borrowed(row.url), row.events.to_vec()),
        None => generated(index, is_active, &mut draws),
    };
    Webhook {
        id: encode_id(index),
        url,
        events,
        is_active,
        created_at,
        description: written.and_then(|row| row.description),
        retry_count: written.and_then(|row| row.retry_count),
    }
}

fn generated(index: u64, is_active: bool, draws: &mut Draws) -> (Cow<'static, str>, Vec<&'static str>) {
    let (team, event_sets) = draws.pick(&TEAMS);
    let mut events = draws.pick(&event_sets).to_vec();
    // Active webhooks never subscribe to it, so the workspace has an event that nobody hears.
    if !is_active && draws.below(3) == 0 {
        events.push("campaign.paused");
    }
    (Cow::Owned(destination(team, &place(index), draws)), events)
}

/// A destination in one of the shapes that this company uses. The place makes it unique.
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

/// Six digits that look arbitrary, and differ between any two of the first sixteen million webhooks.
fn place(index: u64) -> String {
    format!("{:06x}", index.wrapping_mul(MULTIPLIER) & 0x00ff_ffff)
}

/// The creation time. The order of the listing does not follow it, as in the API's own examples.
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

const ID_PREFIX: &str = "whk_";
const ID_DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ID_LENGTH: u32 = 12;
const ID_MASK: u64 = (1 << (5 * ID_LENGTH)) - 1;

/// Makes the first webhook's id `whk_c9v3nz8rq4pm`, the one in the API's documentation.
const ID_SALT: u64 = 0x0627_63af_d18b_92d4;

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
const MULTIPLIER_INVERSE: u64 = 0xf1de_83e1_9937_733d;
const _: () = assert!(MULTIPLIER.wrapping_mul(MULTIPLIER_INVERSE) == 1);

/// Scatters an index over all ids. Each step can be undone: a product with an odd number by its
/// inverse, and a shift by half of the width by itself.
fn scatter(index: u64) -> u64 {
    fold(fold(index).wrapping_mul(MULTIPLIER) & ID_MASK) ^ ID_SALT
}

/// Undoes [`scatter`].
fn gather(scattered: u64) -> u64 {
    fold(fold(scattered ^ ID_SALT).wrapping_mul(MULTIPLIER_INVERSE) & ID_MASK)
}

fn fold(value: u64) -> u64 {
    value ^ (value >> (5 * ID_LENGTH / 2))
}

fn encode_id(index: u64) -> String {
    let scattered = scatter(index);
    let digits = (0..ID_LENGTH).rev().filter_map(|position| {
        let digit = usize::try_from((scattered >> (5 * position)) & 31).ok()?;
        ID_DIGITS.get(digit).copied().map(char::from)
    });
    ID_PREFIX.chars().chain(digits).collect()
}

fn decode_id(id: &str) -> Option<u64> {
    let digits = id.strip_prefix(ID_PREFIX)?;
    if digits.len() != ID_LENGTH as usize {
        return None;
    }
    let scattered = digits.bytes().try_fold(0, |value, byte| {
        let digit = ID_DIGITS.iter().position(|known| *known == byte)?;
        Some((value << 5) | digit as u64)
    })?;
    Some(gather(scattered))
}

type Events = &'static [&'static str];

const COMPLETED: Events = &["call.completed"];
const NO_ANSWER: Events = &["call.no_answer"];
const CAMPAIGNS: Events = &["campaign.completed"];
const LEADS: Events = &["workflow.lead.completed"];
const CALLS: Events = &["call.completed", "call.failed"];
const MISSED: Events = &["call.failed", "call.no_answer"];
const OUTCOMES: Events = &["call.completed", "call.failed", "call.no_answer"];
const SALES: Events = &["call.completed", "campaign.completed", "workflow.lead.completed"];
const TRANSCRIPTS: Events = &["call.completed", "call.transcript_ready"];
const INSIGHTS: Events = &["call.transcript_ready", "call.analysis_ready"];
const LIVE: Events = &["call.started", "call.ended"];
const ALERTS: Events = &["call.function_error", "alert.triggered"];
const REPORTING: Events =
    &["call.completed", "call.failed", "call.no_answer", "campaign.completed", "workflow.lead.completed"];
const EVERYTHING: Events = &[
    "call.completed",
    "call.failed",
    "call.no_answer",
    "campaign.completed",
    "workflow.lead.completed",
    "call.analysis_ready",
];
const WITH_PAUSES: Events = &["campaign.completed", "campaign.paused"];
const LEGACY: Events = &["call_initiated", "call_ended"];

/// The teams, each with the sets of events that its services subscribe to.
const TEAMS: [(&str, [Events; 3]); 7] = [
    ("crm", [SALES, CALLS, LEADS]),
    ("billing", [COMPLETED, CALLS, COMPLETED]),
    ("scheduling", [OUTCOMES, MISSED, NO_ANSWER]),
    ("analytics", [EVERYTHING, REPORTING, INSIGHTS]),
    ("support", [MISSED, ALERTS, LIVE]),
    ("recordings", [TRANSCRIPTS, INSIGHTS, COMPLETED]),
    ("campaigns", [CAMPAIGNS, REPORTING, SALES]),
];

const REGIONS: [&str; 4] = ["eu-west", "us-east", "us-west", "ap-south"];

const CITIES: [&str; 12] =
    ["boston", "austin", "denver", "tampa", "seattle", "leeds", "dublin", "oslo", "lyon", "porto", "utrecht", "pune"];

const PARTNERS: [&str; 5] = [
    "partners.brightcall.example.com/tenants",
    "api.smilebook.example.net/v3/inbound",
    "in.chartwise.example.org/t",
    "events.recallpilot.example.com/hooks",
    "bridge.molarmail.example.net/dialnexa",
];

/// A webhook written by hand.
struct Written {
    index: u64,
    url: &'static str,
    events: Events,
    description: Option<&'static str>,
    retry_count: Option<u8>,
}

impl Written {
    const fn described(self, description: &'static str) -> Self {
        Self { description: Some(description), ..self }
    }

    const fn retried(self, retry_count: u8) -> Self {
        Self { retry_count: Some(retry_count), ..self }
    }
}

const fn at(index: u64, url: &'static str, events: Events) -> Written {
    Written { index, url, events, description: None, retry_count: None }
}

/// The webhooks written by hand. Whether one is active follows from its index (see
/// [`INACTIVE_OFFSETS`]).
#[rustfmt::skip] // One row, one line: it is read as a table.
const WRITTEN: &[Written] = &[
    // An ordinary company: these, with some of the rows below, are the first screen.
    at(0, "https://crm.northwind.example.com/webhooks/dialnexa", SALES),
    at(1, "https://billing.northwind.example.com/v1/events/voice", COMPLETED),
    at(2, "https://hooks.eu-west.northwind.example.net/scheduling/calls", OUTCOMES),
    at(3, "https://n8n.ops.northwind.example.org/webhook/7b0e4c52-9d1f-4a86-b1c3-58e2f0a9d634", LEADS)
        .described("Hands a finished lead to the front desk"),
    at(4, "https://partners.brightcall.example.com/tenants/northwind-dental/inbound", EVERYTHING),
    at(6, "https://recordings.northwind.example.com/ingest/transcripts", TRANSCRIPTS),
    at(8, "https://analytics.northwind.example.com/api/v2/collect?source=dialnexa", EVERYTHING).retried(3),
    at(9, "https://support.staging.northwind.example.com/hooks/voice", ALERTS),
    at(11, "https://hooks.us-east.northwind.example.net/crm/clinics/boston", CALLS),
    at(12, "https://campaigns.northwind.example.com/dialnexa/events", WITH_PAUSES)
        .described("Off until the spring recall campaign"),
    at(14, "https://hooks.eu-west.northwind.example.net/kliniken/köln/anrufe", OUTCOMES),
    at(15, "https://api.smilebook.example.net/v3/clinics/northwind/call-outcomes", MISSED).retried(2),
    at(16, "https://scheduling.northwind.example.com/hooks/no-show-rebooking", NO_ANSWER),
    at(18, "https://n8n.ops.northwind.example.org/webhook-test/recall-campaign", CAMPAIGNS),
    at(20, "https://support.northwind.example.com/api/v1/tickets/from-call", MISSED),
    at(21, "https://in.chartwise.example.org/t/northwind/call-summaries", INSIGHTS),
    at(23, "https://scheduling.northwind.example.com/v1/clinics/leeds/calls", OUTCOMES),
    at(24, "https://hooks.ap-south.northwind.example.net/front-desk/live", LIVE),
    at(26, "https://campaigns.northwind.example.com/reports/nightly", CAMPAIGNS),
    at(27, "https://crm.staging.northwind.example.com/webhooks/dialnexa", SALES),
    at(29, "https://events.recallpilot.example.com/hooks/nwd-4471", REPORTING),
    at(31, "https://recordings.northwind.example.com/ingest/audio?tier=cold", COMPLETED),
    at(36, "https://bridge.molarmail.example.net/dialnexa/northwind/after-call", COMPLETED)
        .described("Thank-you mail, signed off by marketing").retried(1),
    at(37, "https://analytics.northwind.example.com/api/v2/funnels", REPORTING),
    at(38, "https://hooks.us-west.northwind.example.net/crm/lead-scores", LEADS),
    at(39, "https://billing.northwind.example.com/v1/events/payment-reminders", CALLS),
    // Duplicate destinations: the same URL, written differently.
    at(5, "https://CRM.Northwind.Example.com:443/webhooks/dialnexa", CALLS),
    at(63, "https://scheduling.northwind.example.com:443/hooks/no-show-rebooking", MISSED),
    at(444, "https://Analytics.northwind.example.com/api/v2/./funnels", OUTCOMES),
    // Hosts that were retired.
    at(7, "https://legacy.northwind.example.com/hooks/call-ended.php", LEGACY),
    at(17, "https://legacy.northwind.example.com/crm/dialnexa/inbound", CALLS),
    at(141, "https://legacy.northwind.example.com/cgi-bin/billing", COMPLETED),
    at(702, "https://legacy.northwind.example.com/recall/outcomes", MISSED),
    // Not encrypted.
    at(10, "http://billing.northwind.example.com/hooks/invoice-reminders", COMPLETED),
    at(88, "http://hooks.us-east.northwind.example.net/support/voicemail", NO_ANSWER),
    at(530, "http://in.chartwise.example.org/t/northwind/raw", INSIGHTS),
    // Request bins and tunnels.
    at(13, "https://webhook.site/3f1d6a2e-0c47-4b5d-9e88-72a41c06b9d3", COMPLETED),
    at(33, "https://northwind-crm-dev.ngrok-free.app/webhooks/dialnexa", SALES),
    at(109, "https://smee.io/nWdCallEvents01", OUTCOMES),
    at(284, "https://requestbin.com/r/en4nwdcalls0", CALLS),
    at(815, "https://eonwdcalls01.m.pipedream.net/voice", LIVE),
    // Event names with a mistake in them.
    at(19, "https://hooks.ap-south.northwind.example.net/billing/dunning", &["call.failed", "call.complete"]),
    at(71, "https://crm.northwind.example.com/webhooks/reactivation", &["call.completed", "campain.completed"]),
    at(205, "https://support.northwind.example.com/hooks/callbacks", &["call.no-answer"]),
    at(955, "https://campaigns.northwind.example.com/lead-export", &["workflow.lead.complete", "order.paid"]),
    // No events.
    at(22, "https://scheduling.staging.northwind.example.com/hooks/new-booking", &[]),
    at(96, "https://hooks.us-west.northwind.example.net/recordings/retention", &[]),
    at(613, "https://api.smilebook.example.net/v3/clinics/northwind/reviews", &[]),
    // Credentials in the URL. None of them is real.
    at(25, "https://dialnexa:not-a-real-password@crm.northwind.example.com/private/calls", CALLS),
    at(45, "https://in.chartwise.example.org/t/northwind/calls?token=not-a-real-token-5512", COMPLETED),
    at(164, "https://recordings.northwind.example.com/upload?clinic=oslo&sig=not-a-real-signature", TRANSCRIPTS),
    at(911, "https://northwind:not-a-real-password@bridge.molarmail.example.net/dialnexa", MISSED),
    // Destinations inside private networks.
    at(28, "https://10.20.0.14:8443/hooks/dialnexa", OUTCOMES),
    at(53, "https://localhost:3000/webhooks/dialnexa", COMPLETED),
    at(124, "https://crm-sync.svc.northwind.internal/calls", SALES),
    at(330, "https://recordings-worker/ingest", TRANSCRIPTS),
    at(770, "https://192.168.40.7/clinics/tampa/pbx", LIVE),
    // Names that deliveries carry, where the name of a subscription belongs.
    at(30, "https://analytics.northwind.example.com/v1/import", &["call_ended", "transfer_completed"]),
    at(83, "https://hooks.eu-west.northwind.example.net/crm/transfers", &["call.completed", "transfer_completed"]),
    at(486, "https://support.northwind.example.com/hooks/call-log", LEGACY),
    // URLs that do not parse.
    at(35, "https//billing.northwind.example.com/webhooks/dialnexa", CALLS),
    at(66, "crm.northwind.example.com/webhooks/dialnexa", SALES),
    at(250, "https://hooks.eu-west.northwind.example.net:84430/calls", OUTCOMES),
    at(1001, "https://front desk.northwind.example.com/calls", NO_ANSWER),
    // Hosts that imitate another one: Cyrillic letters, and the punycode of such a name.
    at(34, "https://crm.n\u{43e}rthwind.example.com/webhooks/dialnexa", SALES),
    at(176, "https://partners.xn--brightall-03h.example.com/tenants/northwind-dental/inbound", CALLS),
    at(649, "https://api.smileb\u{43e}\u{43e}k.example.net/v3/clinics/northwind/call-outcomes", MISSED),
    // Longer than the API allows.
    at(
        42,
        "https://analytics.northwind.example.com/api/v2/collect/organisations/northwind-dental/regions/eu-west/\
         clinics/amsterdam-zuid/departments/orthodontics/queues/new-patients/calls",
        REPORTING,
    ),
    at(
        395,
        "https://events.recallpilot.example.com/hooks/nwd-4471?utm_source=dialnexa&utm_medium=webhook&\
         utm_campaign=spring-recall&clinic=porto&segment=overdue-six-months&language=pt&channel=voice",
        CAMPAIGNS,
    ),
    // Text that tries to confuse a terminal: an escape sequence, and a change of writing direction.
    at(32, "https://hooks.us-east.northwind.example.net/support/escalations", &["call.failed", "alert.\u{1b}[31mred"]),
    at(57, "https://partners.brightcall.example.com/media/\u{202e}3pm.llac", TRANSCRIPTS),
    // Forgotten since they were switched off.
    at(47, "https://crm.northwind.example.com/webhooks/2024-migration", WITH_PAUSES)
        .described("Switched off after the 2024 migration"),
    at(58, "https://hooks.us-east.northwind.example.net/pilot/voice-agents", REPORTING),
];

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

    fn all() -> Vec<Webhook> {
        (0..WEBHOOKS).map(webhook).collect()
    }

    fn host(webhook: &Webhook) -> Option<String> {
        Some(Url::parse(&webhook.url).ok()?.host_str()?.to_owned())
    }

    fn host_is(webhook: &Webhook, test: impl Fn(&str) -> bool) -> bool {
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

    fn has_event(webhook: &Webhook, test: impl Fn(&str) -> bool) -> bool {
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
            let workspace = Workspace::new(webhooks);
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
        let workspace = Workspace::new(WEBHOOKS);
        let ids: HashSet<_> = all().into_iter().map(|webhook| webhook.id).collect();
        assert_eq!(ids.len() as u64, WEBHOOKS);
        for id in ids {
            assert_eq!(workspace.find(&id).unwrap().id, id);
        }
    }

    #[test]
    fn other_ids_are_not_found() {
        let workspace = Workspace::new(WEBHOOKS);
        let outside = encode_id(WEBHOOKS);
        for id in ["", "whk_", "whk_c9v3nz8rq4p", "whk_c9v3nz8rq4pmm", "whk_C9V3NZ8RQ4PM", "wh_abc123", &outside] {
            assert_eq!(workspace.find(id), None, "{id}");
        }
        assert_eq!(workspace.find("whk_éééééé"), None);
    }

    proptest! {
        #[test]
        fn any_webhook_of_a_million_is_found_by_position_and_id(index in 0_u64..1_000_000) {
            let workspace = Workspace::new(1_000_000);
            let expected = webhook(index);
            prop_assert_eq!(workspace.find(&expected.id), Some(expected.clone()));
            for filter in [None, Some(expected.is_active)] {
                let position = Workspace::new(index).len(filter);
                prop_assert_eq!(workspace.nth(filter, position), Some(expected.clone()));
            }
        }

        #[test]
        fn any_index_survives_its_id(index in 0..=ID_MASK) {
            prop_assert_eq!(decode_id(&encode_id(index)), Some(index));
        }
    }

    #[test]
    fn the_written_rows_are_distinct_and_fill_the_first_screen() {
        let indexes: HashSet<_> = WRITTEN.iter().map(|row| row.index).collect();
        assert_eq!(indexes.len(), WRITTEN.len());
        assert!((0..40).all(|index| indexes.contains(&index)));
        assert!(indexes.iter().all(|index| *index < WEBHOOKS));
    }

    #[test]
    fn every_class_of_problem_is_present_twice() {
        type Test = fn(&Webhook) -> bool;
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
        let mut destinations: BTreeMap<Url, Vec<&Webhook>> = BTreeMap::new();
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
        let subscribed =
            |event: &str, is_active: bool| rows.iter().any(|row| row.is_active == is_active && row.events.contains(&event));
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
        for row in (0..WEBHOOKS).filter(|index| WRITTEN.iter().all(|row| row.index != *index)).map(webhook) {
            let url = Url::parse(&row.url).unwrap();
            assert_eq!((url.as_str(), url.scheme()), (row.url.as_ref(), "https"));
            assert!((1..=7).contains(&row.events.len()) && !has_event(&row, is_unknown));
            assert!(row.url.len() <= 100 && !has_credentials(&row.url));
        }
    }
}
