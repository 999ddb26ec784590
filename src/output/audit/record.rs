//! The columns of findings.

use std::sync::Arc;

use super::report::Audited;
use crate::analysis::audit::{Finding, Rule, Severity};
use crate::base::text::Safe;
use crate::model::WebhookId;
use crate::output::record::{Column, Format, Record};

/// A finding to write in formats for programs.
#[derive(Debug)]
pub struct FindingRecord {
    profile: Option<Arc<str>>,
    rule: &'static Rule,
    severity: Severity,
    webhooks: Vec<WebhookId>,
    message: Safe,
}

impl FindingRecord {
    pub(super) fn new(audited: &Audited, finding: &Finding) -> Self {
        Self {
            profile: audited.profile.clone(),
            rule: finding.rule,
            severity: finding.severity,
            webhooks: audited.webhooks(finding).map(|(_, webhook)| WebhookId::new(webhook.id())).collect(),
            message: finding.message.clone(),
        }
    }
}

impl Record for FindingRecord {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("severity", "error, warning or info", |found, _| found.severity.name().into()),
        Column::new("rule", "name of the rule", |found, _| found.rule.id.into()),
        Column::long("webhooks", "ids of the affected webhooks, joined by commas", |found, _| {
            found.webhooks.iter().map(WebhookId::raw).collect::<Vec<_>>().into()
        }),
        Column::long("message", "what is wrong", |found, _| found.message.as_str().into()),
        Column::long("advice", "what to do", |found, _| found.rule.advice.into()),
        Column::new("profile", "profile (--all-profiles)", |found, _| found.profile.as_deref().into()),
    ];

    fn usual(format: Format) -> &'static [&'static str] {
        match format {
            Format::Json | Format::Ndjson => &["rule", "severity", "webhooks", "message", "advice"],
            _ => &["severity", "rule", "webhooks", "message", "advice"],
        }
    }

    fn id(&self) -> Safe {
        Safe::default()
    }
}
