//! What was changed of the made-up workspace since the server started: `PATCH` as the vendor documents it
//! (api-reference/webhooks/update), so that a script that changes webhooks can be tried without harm.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

use super::workspace::{Webhook, Workspace};

/// The longest destination that the API takes, in characters.
const LONGEST_URL: usize = 150;

/// A webhook as it is served, with the API's field names in the API's order.
#[derive(Debug, Serialize)]
pub(super) struct Served {
    id: String,
    url: Cow<'static, str>,
    events: Vec<Cow<'static, str>>,
    is_active: bool,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_count: Option<u8>,
}

/// What a request changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Patch {
    url: Option<String>,
    events: Option<Vec<String>>,
    is_active: Option<bool>,
}

impl Patch {
    /// Reads the body of a request, or names everything that is wrong with it.
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
                // It is taken, and never told again.
                ("secret", Value::String(_)) => {}
                ("secret", _) => wrong.push("secret must be a string".to_owned()),
                (name, _) => wrong.push(format!("property {name} should not exist")),
            }
        }
        if wrong.is_empty() { Ok(patch) } else { Err(wrong) }
    }
}

/// The changes, by id.
#[derive(Debug, Default)]
pub(super) struct Overlay(HashMap<String, Patch>);

impl Overlay {
    /// Changes a webhook, on top of what was changed before.
    pub(super) fn patch(&mut self, id: &str, patch: Patch) {
        let there = self.0.entry(id.to_owned()).or_default();
        there.url = patch.url.or(there.url.take());
        there.events = patch.events.or(there.events.take());
        there.is_active = patch.is_active.or(there.is_active);
    }

    /// The webhook as it is now.
    pub(super) fn serve(&self, webhook: Webhook) -> Served {
        let patch = self.0.get(&webhook.id);
        let url = patch.and_then(|patch| patch.url.clone()).map_or(webhook.url, Cow::Owned);
        let events = match patch.and_then(|patch| patch.events.as_ref()) {
            Some(events) => events.iter().cloned().map(Cow::Owned).collect(),
            None => webhook.events.into_iter().map(Cow::Borrowed).collect(),
        };
        Served {
            id: webhook.id,
            url,
            events,
            is_active: patch.and_then(|patch| patch.is_active).unwrap_or(webhook.is_active),
            created_at: webhook.created_at,
            description: webhook.description,
            retry_count: webhook.retry_count,
        }
    }

    /// How many webhooks are listed, and those from `start` on, at most `limit`.
    pub(super) fn list(&self, workspace: Workspace, is_active: Option<bool>, start: u64, limit: u64) -> (u64, Vec<Served>) {
        let Some(wanted) = is_active.filter(|_| self.0.values().any(|patch| patch.is_active.is_some())) else {
            let total = workspace.len(is_active);
            let start = start.min(total);
            let places = start..start.saturating_add(limit).min(total);
            return (total, places.filter_map(|place| workspace.nth(is_active, place)).map(|row| self.serve(row)).collect());
        };
        // Which are active is no matter of arithmetic any more.
        let all = (0..workspace.len(None)).filter_map(|place| workspace.nth(None, place)).map(|row| self.serve(row));
        let mut total = 0;
        let mut rows = Vec::new();
        for row in all.filter(|row| row.is_active == wanted) {
            if total >= start && total - start < limit {
                rows.push(row);
            }
            total += 1;
        }
        (total, rows)
    }
}
