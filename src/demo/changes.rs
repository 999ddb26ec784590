//! Changes made to the demo workspace since the server started: `PATCH` as the vendor documents it
//! (api-reference/webhooks/update), so that a script that changes webhooks can be tried without harm. Uses the workspace;
//! start at [`DemoChanges`].

use std::collections::HashMap;

use serde_json::Value;

use super::workspace::{DemoWebhook, DemoWorkspace};

/// The longest destination that the API accepts, in characters.
const LONGEST_URL: usize = 150;

/// The fields that a request changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DemoPatch {
    url: Option<String>,
    events: Option<Vec<String>>,
    is_active: Option<bool>,
}

impl DemoPatch {
    /// Reads the body of a request, or names everything wrong with it.
    pub(super) fn read(body: &[u8]) -> Result<Self, Vec<String>> {
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return Err(vec!["the body must be a JSON object".to_owned()]);
        };
        let mut patch = Self::default();
        let mut wrong = Vec::new();
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("url", Value::String(url)) if url.starts_with("https://") && url.chars().count() <= LONGEST_URL => {
                    patch.url = Some(url);
                }
                ("url", _) => wrong.push("url must start with https:// and have at most 150 characters".to_owned()),
                ("events", Value::Array(events)) if events.iter().all(Value::is_string) => {
                    patch.events = Some(events.iter().filter_map(Value::as_str).map(str::to_owned).collect());
                }
                ("events", _) => wrong.push("each value in events must be a string".to_owned()),
                ("is_active", Value::Bool(is_active)) => patch.is_active = Some(is_active),
                ("is_active", _) => wrong.push("is_active must be a boolean value".to_owned()),
                // Accepted, and never returned.
                ("secret", Value::String(_)) => {}
                ("secret", _) => wrong.push("secret must be a string".to_owned()),
                (name, _) => wrong.push(format!("property {name} should not exist")),
            }
        }
        if wrong.is_empty() { Ok(patch) } else { Err(wrong) }
    }
}

/// The webhooks that were changed.
#[derive(Debug, Default)]
pub(super) struct DemoChanges {
    by_id: HashMap<String, DemoWebhook>,
    /// A webhook may have been activated or deactivated.
    have_activity: bool,
}

impl DemoChanges {
    /// Changes a webhook, which is given as it was at the start, and returns it.
    pub(super) fn patch(&mut self, webhook: DemoWebhook, patch: DemoPatch) -> &DemoWebhook {
        let changed = self.by_id.entry(webhook.id.clone()).or_insert(webhook);
        if let Some(url) = patch.url {
            changed.url = url.into();
        }
        if let Some(events) = patch.events {
            changed.events = events.into_iter().map(Into::into).collect();
        }
        if let Some(is_active) = patch.is_active {
            changed.is_active = is_active;
            self.have_activity = true;
        }
        changed
    }

    /// Returns the current state of a webhook, which is given as it was at the start.
    pub(super) fn current(&self, webhook: DemoWebhook) -> DemoWebhook {
        self.by_id.get(&webhook.id).cloned().unwrap_or(webhook)
    }

    /// Returns the number of listed webhooks, and those from `start` on, at most `limit`.
    pub(super) fn list(
        &self,
        workspace: DemoWorkspace,
        is_active: Option<bool>,
        start: u64,
        limit: u64,
    ) -> (u64, Vec<DemoWebhook>) {
        let rows = |filter, places: std::ops::Range<u64>| {
            places.filter_map(move |place| workspace.nth(filter, place)).map(|row| self.current(row))
        };
        let Some(wanted) = is_active.filter(|_| self.have_activity) else {
            let total = workspace.len(is_active);
            let end = start.saturating_add(limit).min(total);
            return (total, rows(is_active, start.min(total)..end).collect());
        };
        // The positions of active webhooks cannot be computed any more.
        let mut total = 0;
        let mut page = Vec::new();
        for row in rows(None, 0..workspace.len(None)).filter(|row| row.is_active == wanted) {
            if total >= start && total - start < limit {
                page.push(row);
            }
            total += 1;
        }
        (total, page)
    }
}
