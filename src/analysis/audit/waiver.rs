//! Findings that somebody accepted, for a reason and perhaps for a time.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Check, Finding, Item, Pattern, Report, Rule, Source};
use crate::safe;
use crate::text::{Safe, Untrusted};

/// One `[[audit.allow]]` of the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The id of the rule.
    pub rule: &'static str,
    pub of: Whose,
    pub reason: Untrusted,
    /// The last day, in UTC, that it holds.
    pub expires: Option<Date>,
}

/// Whose findings are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Those of a webhook, by its id.
    Webhook(Untrusted),
    /// Those of the webhooks that deliver there.
    Url(Box<Pattern>),
}

/// A finding that was accepted.
#[derive(Debug, Clone)]
pub struct Waived {
    pub finding: Finding,
    pub reason: Safe,
}

impl Waiver {
    /// Whether its last day is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|last| TimeZone::UTC.to_datetime(now).date() > last)
    }

    /// What to tell of one that holds no more.
    pub(super) fn expired_message(&self) -> Safe {
        let date = self.expires.map_or(Safe::default(), |date| crate::text::clean(&date.to_string()));
        let whose = match &self.of {
            Whose::Webhook(id) => id.clean_head(60),
            Whose::Url(pattern) => pattern.shown(),
        };
        safe!("the waiver of {} for {} expired on {}: {}", self.rule, whose, date, self.reason.clean_head(120))
    }
}

/// The waivers of one rule that hold.
#[derive(Default)]
struct OfRule<'w> {
    ids: HashMap<&'w str, &'w Waiver>,
    patterns: Vec<(&'w Pattern, &'w Waiver)>,
}

impl<'w> OfRule<'w> {
    fn find(&self, number: u32, source: &dyn Source) -> Option<&'w Waiver> {
        let mut found = None;
        source.visit(number, &mut |item| {
            if let Item::Webhook(webhook) = item {
                let by_url =
                    || self.patterns.iter().find(|(pattern, _)| pattern.matches(&webhook)).map(|&(_, waiver)| waiver);
                found = self.ids.get(webhook.id).copied().or_else(by_url);
            }
        });
        found
    }
}

/// Moves the accepted findings of a report aside. A finding about several webhooks is accepted when it would not be one
/// without those that are: of duplicates one may be left.
pub(super) fn apply(waivers: &[Waiver], now: Timestamp, source: &dyn Source, report: &mut Report) {
    let mut rules: HashMap<&str, OfRule<'_>> = HashMap::new();
    for waiver in waivers.iter().filter(|waiver| !waiver.is_expired(now)) {
        let of_rule = rules.entry(waiver.rule).or_default();
        match &waiver.of {
            Whose::Webhook(id) => {
                of_rule.ids.entry(id.raw()).or_insert(waiver);
            }
            Whose::Url(pattern) => of_rule.patterns.push((pattern, waiver)),
        }
    }
    if rules.is_empty() {
        return;
    }
    let mut kept = Vec::with_capacity(report.findings.len());
    for finding in report.findings.drain(..) {
        let Some(of_rule) = rules.get(finding.rule.id).filter(|_| !finding.webhooks.is_empty()) else {
            kept.push(finding);
            continue;
        };
        let may_stay = usize::from(needs_two(finding.rule));
        let mut first = None;
        let mut open = 0;
        for &number in &finding.webhooks {
            match of_rule.find(number, source) {
                Some(waiver) => first = first.or(Some(waiver)),
                None => open += 1,
            }
        }
        match first.filter(|_| open <= may_stay) {
            Some(waiver) => report.waived.push(Waived { finding, reason: waiver.reason.clean_head(200) }),
            None => kept.push(finding),
        }
    }
    report.findings = kept;
}

/// Whether one webhook alone cannot break the rule.
fn needs_two(rule: &Rule) -> bool {
    matches!(rule.check, Check::Workspace(_)) && rule.id == super::duplicate_destination::RULE.id
}
