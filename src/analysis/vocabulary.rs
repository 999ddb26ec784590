//! The event names that the vendor's pages know. Names are free strings to the API: an unknown one is data, not an error.

/// Names to subscribe to: first those of the register-webhook page (api-access/external-webhooks), then those of the newer
/// monitor page (<https://dialnexa.com/docs/monitor/webhooks>).
pub const CURRENT: [&str; 12] = [
    "call.completed",
    "call.failed",
    "call.no_answer",
    "campaign.completed",
    "campaign.paused",
    "workflow.lead.completed",
    "call.started",
    "call.ended",
    "call.transcript_ready",
    "call.analysis_ready",
    "call.function_error",
    "alert.triggered",
];

/// A subscription to every event, where the config names it in `known_events`: the vendor's pages do not.
pub const WILDCARD: &str = "*";

/// Names that deliveries carry as their `event_type`, which are no names to subscribe to (webhook payload and delivery-log
/// pages), each with what was probably meant.
pub const LEGACY: [(&str, Option<&str>); 3] = [
    ("call_initiated", Some("call.started")),
    ("call_ended", Some("call.completed or call.ended")),
    ("transfer_completed", None),
];
