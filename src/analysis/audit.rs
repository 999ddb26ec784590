//! The audit: rules over the webhooks of a workspace.
//!
//! Each rule is a file below this one and a row of [`RULES`]; help, `--list-rules`, README and the config know no other. A rule
//! looks at one webhook at a time (`Check::Webhook`), so that a changed row is judged again without the others, or at all of
//! them (`Check::Workspace`). What it cannot know from the listing comes in as [`Facts`].

mod auditor;
mod candidate;
mod confusable_host;
mod credentials_in_url;
mod dead_destination;
mod duplicate_destination;
mod expired_waiver;
mod facts;
mod failing_deliveries;
mod insecure_url;
mod invalid_url;
mod legacy_event;
mod long_inactive;
mod malformed_row;
mod no_events;
mod padded_event;
mod pattern;
mod private_destination;
mod repeated_event;
mod retired_destination;
mod rule_set;
mod test_endpoint;
mod tls_expiring;
mod uncovered_event;
mod unknown_event;
mod url_too_long;
mod verdicts;
mod waiver;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

pub use self::auditor::{Auditor, Question};
pub use self::candidate::{Candidate, Item, Loaded, Source};
pub use self::credentials_in_url::shown_url;
pub use self::facts::{Facts, LastActive, Limits, Probe, origin_of};
pub use self::pattern::{Pattern, Patterns};
pub use self::rule_set::RuleSet;
pub use self::verdicts::{OfPage, Reader, Said, Told, Verdicts, Work};
pub use self::waiver::{Waived, Waiver, Whose};
use super::vocabulary;
use super::words::nearest;
use crate::base::text::{Safe, clean_head};
use crate::model::{RowNumber, Rows};
use crate::safe;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Info,
    Warning,
    Error,
}

impl Severity {
    /// The worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Info];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One row of the table of rules.
#[derive(Debug)]
pub struct Rule {
    /// The name in reports, options and the config. Stable.
    pub id: &'static str,
    /// How bad it is unless the config says otherwise.
    pub severity: Severity,
    /// What it finds, in one line.
    pub about: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// What to do about a finding.
    pub advice: &'static str,
    check: Check,
}

/// Rules are told apart by their names.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

/// How a rule looks.
#[derive(Debug, Clone, Copy)]
enum Check {
    /// At one webhook; a message when something is wrong with it.
    Webhook(fn(&Candidate<'_>, &Basis) -> Option<Safe>),
    /// At all of them.
    Workspace(fn() -> Box<dyn Gather>),
    /// At all of them, for what none of them has. Of a part of a workspace it says nothing.
    Absence(fn() -> Box<dyn Gather>),
    /// At what is known of deliveries or destinations besides the listing; without such facts it finds nothing.
    Facts(Needs, fn(&Candidate<'_>, &Basis) -> Option<Safe>),
    /// At rows that are no webhooks.
    Malformed,
    /// At the waivers.
    Waivers,
}

/// What a rule must know besides the listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    Deliveries,
    Probe,
}

impl Needs {
    /// The option that brings it.
    pub const fn option(self) -> &'static str {
        match self {
            Self::Deliveries => "--deliveries",
            Self::Probe => "--probe",
        }
    }
}

/// Every rule, in the order of reports.
pub const RULES: &[Rule] = &[
    invalid_url::RULE,
    insecure_url::RULE,
    private_destination::RULE,
    retired_destination::RULE,
    no_events::RULE,
    duplicate_destination::RULE,
    credentials_in_url::RULE,
    test_endpoint::RULE,
    unknown_event::RULE,
    legacy_event::RULE,
    confusable_host::RULE,
    url_too_long::RULE,
    failing_deliveries::RULE,
    dead_destination::RULE,
    tls_expiring::RULE,
    uncovered_event::RULE,
    long_inactive::RULE,
    malformed_row::RULE,
    expired_waiver::RULE,
    repeated_event::RULE,
    padded_event::RULE,
];

impl Rule {
    /// The rule of that name.
    ///
    /// # Errors
    ///
    /// What to tell when there is none, with the one that was probably meant.
    pub fn find(name: &str) -> Result<&'static Self, Safe> {
        if let Some(rule) = Self::named(name) {
            return Ok(rule);
        }
        let shown = clean_head(name, 40);
        Err(match nearest(name, RULES.iter().map(|rule| rule.id)) {
            Some(meant) => safe!("unknown rule {}; did you mean {}?", shown, meant),
            None => safe!("unknown rule {}", shown),
        })
    }

    /// The rule of that name, if there is one.
    pub fn named(name: &str) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.id == name)
    }

    /// What it must know besides the listing.
    pub const fn needs(&self) -> Option<Needs> {
        match self.check {
            Check::Facts(needs, _) => Some(needs),
            _ => None,
        }
    }

    /// Whether its findings are about webhooks, and not about the workspace or rows that are none.
    pub const fn is_about_webhooks(&self) -> bool {
        matches!(self.check, Check::Webhook(_) | Check::Facts(..) | Check::Workspace(_))
    }
}

/// What rules rest on besides the webhooks.
#[derive(Debug)]
pub struct Basis {
    pub now: Timestamp,
    /// Destinations that are retired.
    pub retired: Patterns,
    pub facts: Arc<Facts>,
    known: BTreeSet<Box<str>>,
    /// Unknown names and what was probably meant: the same mistake is often made in many webhooks.
    meant: Mutex<HashMap<Box<str>, Option<Box<str>>>>,
    /// Only some of the webhooks are here: what is missing among them says nothing of the workspace.
    pub is_part: bool,
}

impl Basis {
    /// A basis with the vendor's event names and some more.
    pub fn new<'k>(now: Timestamp, known_besides: impl Iterator<Item = &'k str>) -> Self {
        let known = vocabulary::CURRENT.into_iter().chain(known_besides).map(Box::from).collect();
        Self { now, retired: Patterns::default(), facts: Arc::default(), known, meant: Mutex::default(), is_part: false }
    }

    /// Whether a subscription to `*` is one to every event: the config says so by naming it as a known event.
    fn has_wildcard(&self) -> bool {
        self.knows(vocabulary::WILDCARD)
    }

    /// Whether webhooks may be subscribed to an event of this name.
    fn knows(&self, event: &str) -> bool {
        self.known.contains(event)
    }
}

/// Something that is wrong.
#[derive(Debug, Clone)]
pub struct Finding {
    pub rule: &'static Rule,
    pub severity: Severity,
    /// The numbers of the webhooks that it is about, in their order; none when it is about the workspace.
    pub webhooks: Vec<u32>,
    pub message: Safe,
}

/// A rule that looks at all webhooks: it sees each once, in their order, and then says what it found.
trait Gather: Send {
    fn see(&mut self, webhook: &Candidate<'_>, basis: &Basis);
    /// Hands on its findings: the webhooks and a message each.
    fn finish(self: Box<Self>, source: &dyn Source, basis: &Basis, found: &mut dyn FnMut(Vec<u32>, Safe));
}

/// A rule that was chosen, with the severity that it has here.
#[derive(Debug, Clone, Copy)]
struct Chosen {
    /// Its place in [`RULES`].
    place: usize,
    rule: &'static Rule,
    severity: Severity,
}

/// An audit that is ready to run: which rules, how severe, and what is accepted.
#[derive(Debug)]
pub struct Audit {
    pub basis: Basis,
    chosen: Vec<Chosen>,
    waivers: Vec<Waiver>,
}

/// What an audit found.
#[derive(Debug, Default)]
pub struct Report {
    /// The worst first, then in the order of the rules and of the webhooks.
    pub findings: Vec<Finding>,
    /// What was found and is accepted.
    pub waived: Vec<Waived>,
    /// The webhooks that were looked at.
    pub webhooks: u64,
}

impl Audit {
    /// An audit with every rule at its own severity, and without waivers.
    pub fn new(basis: Basis) -> Self {
        let chosen = RULES.iter().enumerate().map(|(place, rule)| Chosen { place, rule, severity: rule.severity }).collect();
        Self { basis, chosen, waivers: Vec::new() }
    }

    /// Gives a rule another severity.
    pub fn set_severity(&mut self, rule: &Rule, severity: Severity) {
        for chosen in self.chosen.iter_mut().filter(|chosen| chosen.rule.id == rule.id) {
            chosen.severity = severity;
        }
    }

    /// Leaves out every rule that is not wanted.
    pub fn choose(&mut self, wanted: impl Fn(&Rule) -> bool) {
        self.chosen.retain(|chosen| wanted(chosen.rule));
    }

    /// Accepts findings.
    pub fn set_waivers(&mut self, waivers: Vec<Waiver>) {
        self.waivers = waivers;
    }

    /// The rules that are run, with their severities here.
    pub fn rules(&self) -> impl Iterator<Item = (&'static Rule, Severity)> {
        self.chosen.iter().map(|chosen| (chosen.rule, chosen.severity))
    }

    /// A rule that is asked for by its name and not run.
    pub fn lacks(&self, asked: impl IntoIterator<Item = RuleSet>) -> Option<&'static Rule> {
        asked.into_iter().find_map(|asked| {
            let rule = RULES.iter().find(|rule| RuleSet::of(rule) == asked)?;
            self.rules().all(|(run, _)| run != rule).then_some(rule)
        })
    }

    /// What the rules that look at one webhook say of one, waivers not regarded.
    pub fn check(&self, webhook: &Candidate<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        for &chosen in &self.chosen {
            if let Some(message) = chosen.check(webhook, &self.basis) {
                found.push(chosen.finding(vec![webhook.number], message));
            }
        }
        found
    }

    /// Runs all rules over all webhooks.
    pub fn run(&self, rows: &Rows) -> Report {
        let source: &dyn Source = &Loaded::new(rows, self.basis.is_part);
        let mut report = Report::default();
        // By rule, so that the order of the report needs no sorting.
        let mut found: Vec<Vec<Finding>> = self.chosen.iter().map(|_| Vec::new()).collect();
        let mut gatherers: Vec<Option<Box<dyn Gather>>> = self.chosen.iter().map(Chosen::gatherer).collect();
        source.visit_all(&mut |item| match item {
            Item::Webhook(webhook) => {
                report.webhooks += 1;
                for ((chosen, found), gatherer) in self.chosen.iter().zip(&mut found).zip(&mut gatherers) {
                    if let Some(gatherer) = gatherer {
                        gatherer.see(&webhook, &self.basis);
                    } else if let Some(message) = chosen.check(&webhook, &self.basis) {
                        found.push(chosen.finding(vec![webhook.number], message));
                    }
                }
            }
            Item::Malformed(number, reason) => {
                for (chosen, found) in self.chosen.iter().zip(&mut found) {
                    if matches!(chosen.rule.check, Check::Malformed) {
                        found.push(chosen.finding(Vec::new(), malformed_row::message(number, reason)));
                    }
                }
            }
        });
        for ((chosen, found), gatherer) in self.chosen.iter().zip(&mut found).zip(gatherers) {
            if let Some(gatherer) = gatherer {
                gatherer.finish(source, &self.basis, &mut |webhooks, message| found.push(chosen.finding(webhooks, message)));
            }
            if matches!(chosen.rule.check, Check::Waivers) {
                let expired = self.waivers.iter().filter(|waiver| waiver.is_expired(self.basis.now));
                found.extend(expired.map(|waiver| chosen.finding(Vec::new(), waiver.expired_message())));
            }
            found.sort_by_key(|finding| finding.webhooks.first().copied());
        }
        for severity in Severity::ALL {
            let of_severity = self.chosen.iter().zip(&mut found).filter(|(chosen, _)| chosen.severity == severity);
            of_severity.for_each(|(_, found)| report.findings.append(found));
        }
        waiver::apply(&self.waivers, self.basis.now, source, &mut report);
        report
    }
}

impl Report {
    /// How often a rule is broken.
    pub fn count(&self, rule: &Rule) -> u64 {
        self.findings.iter().filter(|finding| finding.rule == rule).count() as u64
    }

    /// The rules that rows break, by their numbers.
    pub fn rule_sets(&self) -> HashMap<RowNumber, RuleSet> {
        let mut sets: HashMap<RowNumber, RuleSet> = HashMap::new();
        for finding in &self.findings {
            let Some(place) = RULES.iter().position(|rule| rule == finding.rule) else { continue };
            for &number in &finding.webhooks {
                sets.entry(number).or_default().insert(place, finding.severity);
            }
        }
        sets
    }
}

impl Chosen {
    fn check(&self, webhook: &Candidate<'_>, basis: &Basis) -> Option<Safe> {
        match self.rule.check {
            Check::Webhook(check) | Check::Facts(_, check) => check(webhook, basis),
            Check::Workspace(_) | Check::Absence(_) | Check::Malformed | Check::Waivers => None,
        }
    }

    fn gatherer(&self) -> Option<Box<dyn Gather>> {
        match self.rule.check {
            Check::Workspace(start) | Check::Absence(start) => Some(start()),
            _ => None,
        }
    }

    fn finding(&self, webhooks: Vec<u32>, message: Safe) -> Finding {
        Finding { rule: self.rule, severity: self.severity, webhooks, message }
    }
}

/// A name in quotes, so that spaces around it can be seen.
fn quoted(name: &str) -> Safe {
    safe!("\"{}\"", clean_head(name, 60))
}

/// Some of many names, for a message: at most five, and how many more.
fn enumerate<'n>(names: impl Iterator<Item = &'n str>) -> Safe {
    enumerate_safe(names.map(|name| clean_head(name, 60)))
}

/// As [`enumerate`], of names that are ready to be shown.
fn enumerate_safe(names: impl Iterator<Item = Safe>) -> Safe {
    const SHOWN: usize = 5;
    let mut out = Safe::default();
    let mut more = 0_usize;
    for (place, name) in names.enumerate() {
        if place >= SHOWN {
            more += 1;
            continue;
        }
        if place > 0 {
            out.push(&", ".into());
        }
        out.push(&name);
    }
    if more > 0 {
        out.push(&safe!(" and {} more", more));
    }
    out
}

#[cfg(test)]
mod tests;
