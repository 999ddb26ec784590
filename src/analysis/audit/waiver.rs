//! Findings that somebody accepted, for a reason and perhaps for a time.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Candidate, Check, Finding, Item, Pattern, Report, Rule, Source};
use crate::base::text::{Safe, Untrusted};
use crate::safe;

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
        let date = self.expires.map_or(Safe::default(), |date| crate::base::text::clean(&date.to_string()));
        let whose = match &self.of {
            Whose::Webhook(id) => id.clean_head(60),
            Whose::Url(pattern) => pattern.shown(),
        };
        safe!("waiver of {} for {} expired on {}: {}", self.rule, whose, date, self.reason.clean_head(120))
    }
}

/// The waivers of one rule that hold.
#[derive(Default)]
struct OfRule<'w> {
    ids: HashMap<&'w str, &'w Waiver>,
    patterns: Vec<(&'w Pattern, &'w Waiver)>,
}

impl<'w> OfRule<'w> {
    fn find(&self, webhook: &Candidate<'_>) -> Option<&'w Waiver> {
        let by_url = || self.patterns.iter().find(|(pattern, _)| pattern.matches(webhook)).map(|&(_, waiver)| waiver);
        self.ids.get(webhook.id).copied().or_else(by_url)
    }
}

/// The waivers that hold, by their rules.
pub(super) struct Accepted<'w>(HashMap<&'w str, OfRule<'w>>);

impl<'w> Accepted<'w> {
    pub(super) fn new(waivers: &'w [Waiver], now: Timestamp) -> Self {
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
        Self(rules)
    }

    /// What accepts the finding of a rule about one webhook.
    pub(super) fn find(&self, rule: &Rule, webhook: &Candidate<'_>) -> Option<&'w Waiver> {
        self.0.get(rule.id)?.find(webhook)
    }

    /// What accepts a finding about some webhooks. Several are accepted when it would be no finding without those that are: of
    /// duplicates one may be left.
    pub(super) fn find_for_all(&self, rule: &Rule, webhooks: &[u32], source: &dyn Source) -> Option<&'w Waiver> {
        let of_rule = self.0.get(rule.id)?;
        let may_stay = usize::from(needs_two(rule));
        let mut first = None;
        let mut open = 0;
        for &number in webhooks {
            let mut found = None;
            source.visit(number, &mut |item| {
                if let Item::Webhook(webhook) = item {
                    found = of_rule.find(&webhook);
                }
            });
            match found {
                Some(waiver) => first = first.or(Some(waiver)),
                None => open += 1,
            }
        }
        first.filter(|_| open <= may_stay)
    }
}

/// Moves the accepted findings of a report aside.
pub(super) fn apply(waivers: &[Waiver], now: Timestamp, source: &dyn Source, report: &mut Report) {
    let accepted = Accepted::new(waivers, now);
    if accepted.0.is_empty() {
        return;
    }
    let mut kept = Vec::with_capacity(report.findings.len());
    for finding in report.findings.drain(..) {
        match accepted.find_for_all(finding.rule, &finding.webhooks, source) {
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
