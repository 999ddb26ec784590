//! The made-up company: its teams, its partners, the sets of events that they subscribe to, and the webhooks that are
//! written by hand. Data only; [`super::workspace`] makes webhooks of it.

pub(super) type EventSet = &'static [&'static str];

const COMPLETED: EventSet = &["call.completed"];
const NO_ANSWER: EventSet = &["call.no_answer"];
const CAMPAIGNS: EventSet = &["campaign.completed"];
const LEADS: EventSet = &["workflow.lead.completed"];
const CALLS: EventSet = &["call.completed", "call.failed"];
const MISSED: EventSet = &["call.failed", "call.no_answer"];
const OUTCOMES: EventSet = &["call.completed", "call.failed", "call.no_answer"];
const SALES: EventSet = &["call.completed", "campaign.completed", "workflow.lead.completed"];
const TRANSCRIPTS: EventSet = &["call.completed", "call.transcript_ready"];
const INSIGHTS: EventSet = &["call.transcript_ready", "call.analysis_ready"];
const LIVE: EventSet = &["call.started", "call.ended"];
const ALERTS: EventSet = &["call.function_error", "alert.triggered"];
const REPORTING: EventSet =
    &["call.completed", "call.failed", "call.no_answer", "campaign.completed", "workflow.lead.completed"];
const EVERYTHING: EventSet = &[
    "call.completed",
    "call.failed",
    "call.no_answer",
    "campaign.completed",
    "workflow.lead.completed",
    "call.analysis_ready",
];
const WITH_PAUSES: EventSet = &["campaign.completed", "campaign.paused"];
const LEGACY: EventSet = &["call_initiated", "call_ended"];

/// The teams, each with the sets of events that its services subscribe to.
pub(super) const TEAMS: [(&str, [EventSet; 3]); 7] = [
    ("crm", [SALES, CALLS, LEADS]),
    ("billing", [COMPLETED, CALLS, COMPLETED]),
    ("scheduling", [OUTCOMES, MISSED, NO_ANSWER]),
    ("analytics", [EVERYTHING, REPORTING, INSIGHTS]),
    ("support", [MISSED, ALERTS, LIVE]),
    ("recordings", [TRANSCRIPTS, INSIGHTS, COMPLETED]),
    ("campaigns", [CAMPAIGNS, REPORTING, SALES]),
];

pub(super) const REGIONS: [&str; 4] = ["eu-west", "us-east", "us-west", "ap-south"];

pub(super) const CITIES: [&str; 12] =
    ["boston", "austin", "denver", "tampa", "seattle", "leeds", "dublin", "oslo", "lyon", "porto", "utrecht", "pune"];

pub(super) const PARTNERS: [&str; 5] = [
    "partners.brightcall.example.com/tenants",
    "api.smilebook.example.net/v3/inbound",
    "in.chartwise.example.org/t",
    "events.recallpilot.example.com/hooks",
    "bridge.molarmail.example.net/dialnexa",
];

/// A webhook written by hand.
pub(super) struct WrittenRow {
    pub(super) index: u64,
    pub(super) url: &'static str,
    pub(super) events: EventSet,
    pub(super) description: Option<&'static str>,
    pub(super) retry_count: Option<u8>,
}

impl WrittenRow {
    const fn described(self, description: &'static str) -> Self {
        Self { description: Some(description), ..self }
    }

    const fn retried(self, retry_count: u8) -> Self {
        Self { retry_count: Some(retry_count), ..self }
    }
}

const fn at(index: u64, url: &'static str, events: EventSet) -> WrittenRow {
    WrittenRow { index, url, events, description: None, retry_count: None }
}

/// The webhooks written by hand. The index decides which of them are active.
#[rustfmt::skip] // One row per line: it is read as a table.
pub(super) const WRITTEN_ROWS: &[WrittenRow] = &[
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
