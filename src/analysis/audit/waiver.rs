//! Waivers: findings that the config accepts, for a reason, and often until a date.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::input::AuditInput;
use super::pattern::Pattern;
use crate::base::text::Untrusted;
use crate::model::{RowNumber, RowTable};

/// One `[[audit.allow]]` of the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The id of the rule.
    pub rule: &'static str,
    pub target: WaiverTarget,
    pub reason: Untrusted,
    /// The last day, in UTC, that it holds.
    pub expires: Option<Date>,
}

/// The webhooks whose findings a waiver accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaiverTarget {
    /// The webhook of an id.
    Webhook(Untrusted),
    /// The webhooks that deliver there.
    Url(Box<Pattern>),
}

impl Waiver {
    /// Returns true if its last day is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|last| TimeZone::UTC.to_datetime(now).date() > last)
    }
}

/// The waivers of one rule that hold.
#[derive(Default)]
struct RuleWaivers<'w> {
    ids: HashMap<&'w str, &'w Waiver>,
    patterns: Vec<(&'w Pattern, &'w Waiver)>,
}

impl<'w> RuleWaivers<'w> {
    fn find(&self, webhook: &AuditInput<'_>) -> Option<&'w Waiver> {
        let matches = |pattern: &Pattern| match &webhook.parsed {
            Some(url) => pattern.matches(url),
            None => pattern.matches_text(webhook.url()),
        };
        let by_url = || self.patterns.iter().find(|(pattern, _)| matches(pattern)).map(|&(_, waiver)| waiver);
        self.ids.get(webhook.id()).copied().or_else(by_url)
    }
}

/// The waivers that hold, by rule.
pub(super) struct ActiveWaivers<'w>(HashMap<&'w str, RuleWaivers<'w>>);

impl<'w> ActiveWaivers<'w> {
    pub(super) fn new(waivers: &'w [Waiver], now: Timestamp) -> Self {
        let mut rules: HashMap<&str, RuleWaivers<'_>> = HashMap::new();
        for waiver in waivers.iter().filter(|waiver| !waiver.is_expired(now)) {
            let of_rule = rules.entry(waiver.rule).or_default();
            match &waiver.target {
                WaiverTarget::Webhook(id) => {
                    of_rule.ids.entry(id.raw()).or_insert(waiver);
                }
                WaiverTarget::Url(pattern) => of_rule.patterns.push((pattern, waiver)),
            }
        }
        Self(rules)
    }

    /// The waiver that accepts the finding of a rule about one webhook.
    pub(super) fn find(&self, rule: &str, webhook: &AuditInput<'_>) -> Option<&'w Waiver> {
        self.0.get(rule)?.find(webhook)
    }

    /// The waiver that accepts a finding about several webhooks: without those that are waived, fewer than `least` would be
    /// left, too few for a finding. Of duplicates, one may be left.
    pub(super) fn find_for_all(
        &self,
        rule: &str,
        least: usize,
        webhooks: &[RowNumber],
        table: &RowTable<'_>,
    ) -> Option<&'w Waiver> {
        let of_rule = self.0.get(rule)?;
        let mut first = None;
        let mut left = 0;
        for &number in webhooks {
            let row = table.row(number).filter(|row| row.is_webhook());
            match row.and_then(|row| of_rule.find(&AuditInput::new(number, row))) {
                Some(waiver) => first = first.or(Some(waiver)),
                None => left += 1,
            }
        }
        first.filter(|_| left < least)
    }
}
