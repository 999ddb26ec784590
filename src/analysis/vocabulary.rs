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
