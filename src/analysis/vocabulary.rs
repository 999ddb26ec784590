//! The event names in the vendor's documentation. The API accepts any string: an unknown name is data, not an error.

/// Event names to subscribe to: first those of the register-webhook page (api-access/external-webhooks), then those of the
/// newer monitor page (<https://dialnexa.com/docs/monitor/webhooks>).
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

/// The name of a subscription to every event, if the config lists it in `known_events`. The vendor does not document it.
pub const WILDCARD: &str = "*";

/// Names that deliveries carry as their `event_type` but that cannot be subscribed to (webhook payload and delivery-log
/// pages), each with the name that was probably meant.
pub const LEGACY: [(&str, Option<&str>); 3] = [
    ("call_initiated", Some("call.started")),
    ("call_ended", Some("call.completed or call.ended")),
    ("transfer_completed", None),
];
