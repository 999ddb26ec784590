//! The table of fields: everything about a field except the [`Condition`] that it is parsed into.

use jiff::Timestamp;

use super::condition::{Condition, RowFlag};
use super::error::QueryError;
use super::needle::Needle;
use super::pattern;
use super::time::{self, TimeError};
use super::value::FieldValue;
use crate::analysis::audit::{RULES, Rule, RuleSet, Severity};
use crate::analysis::probed::Sought;
use crate::analysis::words::nearest;
use crate::base::text::{Safe, clean};
use crate::model::normal_host;
use crate::safe;

/// One field.
#[derive(Debug)]
pub(super) struct FilterField {
    /// The name before the colon.
    pub(super) name: &'static str,
    /// A placeholder for the value, for the help.
    pub(super) takes: &'static str,
    /// An example of a complete term.
    pub(super) example: &'static str,
    /// A one-line description of what it matches.
    pub(super) help: &'static str,
    /// Operators allowed before the value. An operator comes before any of its own prefixes.
    pub(super) operators: &'static [&'static str],
    /// The values that it takes, for completion; empty if they depend on the workspace or are free text.
    pub(super) values: fn() -> Vec<&'static str>,
    /// True if `|` is part of an unquoted value instead of ending it.
    pub(super) takes_bars: bool,
    pub(super) read: fn(&FieldValue<'_>, Timestamp) -> Result<Condition, QueryError>,
}

/// Matches the whole text instead of a part of it.
const EXACTLY: &[&str] = &["="];

/// Every field, in the order of the help.
pub(super) const FIELDS: &[FilterField] = &[
    FilterField {
        name: "host",
        takes: "TEXT",
        example: "host:acme.com",
        help: "in the host of the URL, normalized",
        operators: EXACTLY,
        values: Vec::new,
        takes_bars: false,
        read: |value, _| Ok(host(value)),
    },
    FilterField {
        name: "path",
        takes: "TEXT",
        example: "path:=/dialnexa/crm",
        help: "in the path of the URL, without the query",
        operators: EXACTLY,
        values: Vec::new,
        takes_bars: false,
        read: |value, _| Ok(Condition::Path(needle(value))),
    },
    FilterField {
        name: "url",
        takes: "TEXT",
        example: "url:/dialnexa/",
        help: "in the URL, as registered",
        operators: EXACTLY,
        values: Vec::new,
        takes_bars: false,
        read: |value, _| Ok(Condition::Url(needle(value))),
    },
    FilterField {
        name: "id",
        takes: "TEXT",
        example: "id:=whk_c9v3nz8rq4pm",
        help: "id",
        operators: EXACTLY,
        values: Vec::new,
        takes_bars: false,
        read: |value, _| Ok(Condition::Id(needle(value))),
    },
    FilterField {
        name: "event",
        takes: "TEXT",
        example: "event:call.failed",
        help: "in the name of a subscribed event",
        operators: EXACTLY,
        values: Vec::new,
        takes_bars: false,
        read: |value, _| Ok(Condition::Event(needle(value))),
    },
    FilterField {
        name: "active",
        takes: "yes or no",
        example: "active:yes",
        help: "whether it is active; also true or false",
        operators: &[],
        values: || vec!["yes", "no"],
        takes_bars: false,
        read: |value, _| active(value),
    },
    FilterField {
        name: "created",
        takes: "TIME",
        example: "created:>30d",
        help: "when it was created; here: more than 30 days ago",
        operators: time::OPERATORS,
        values: Vec::new,
        takes_bars: false,
        read: created,
    },
    FilterField {
        name: "is",
        takes: "WORD",
        example: "is:marked",
        help: "marked, added, changed or removed (explorer only)",
        operators: &[],
        values: || vec!["marked", "added", "changed", "removed"],
        takes_bars: false,
        read: |value, _| flag(value),
    },
    FilterField {
        name: "finding",
        takes: "RULE",
        example: "finding:insecure-url",
        help: "audit findings; also any, error, warning, info",
        operators: &[],
        values: findings,
        takes_bars: false,
        read: |value, _| finding(value),
    },
    FilterField {
        name: "probe",
        takes: "WORD",
        example: "probe:dead",
        help: "probe results (explorer only); see below",
        operators: &[],
        values: probe_results,
        takes_bars: false,
        read: |value, _| probe(value),
    },
    FilterField {
        name: "re",
        takes: "PATTERN",
        example: r"re:/v[12]/|/hooks/",
        help: "regular expression, in the URL, id or an event",
        operators: &[],
        values: Vec::new,
        takes_bars: true,
        read: |value, _| regex(value),
    },
];

/// The values that a field takes, unless they depend on the workspace or are free text.
pub fn field_values(field: &str) -> Vec<&'static str> {
    FIELDS.iter().find(|row| row.name == field).map_or_else(Vec::new, |field| (field.values)())
}

fn needle(value: &FieldValue<'_>) -> Needle {
    if value.operator.is_empty() { Needle::part(&value.text) } else { Needle::whole(&value.text) }
}

fn host(value: &FieldValue<'_>) -> Condition {
    // Hosts are compared in one spelling: a name of other letters is searched for in its punycode, and no host ends in a
    // dot.
    let text = value.text.trim();
    if !value.operator.is_empty() {
        return Condition::Host(Needle::whole_any_case(normal_host(text).as_deref().unwrap_or(text)));
    }
    let ascii = if text.is_ascii() { None } else { normal_host(text) };
    let text = ascii.as_deref().unwrap_or(text);
    // The dot behind a single label is a part of a longer name: host:hooks.
    let whole_name = text.strip_suffix('.').filter(|name| name.contains('.'));
    Condition::Host(Needle::part_any_case(whole_name.unwrap_or(text)))
}

fn active(value: &FieldValue<'_>) -> Result<Condition, QueryError> {
    match &*value.text {
        "yes" | "true" => Ok(Condition::Active(true)),
        "no" | "false" => Ok(Condition::Active(false)),
        _ => Err(value.wrong(safe!("active: must be yes or no, not {}", value.shown()), None)),
    }
}

fn flag(value: &FieldValue<'_>) -> Result<Condition, QueryError> {
    match &*value.text {
        "marked" => Ok(Condition::Is(RowFlag::Marked)),
        // `new` and `gone` are older spellings.
        "added" | "new" => Ok(Condition::Is(RowFlag::New)),
        "changed" => Ok(Condition::Is(RowFlag::Changed)),
        "removed" | "gone" => Ok(Condition::Is(RowFlag::Gone)),
        _ => Err(value.wrong(safe!("is: must be marked, added, changed or removed, not {}", value.shown()), None)),
    }
}

fn probe_results() -> Vec<&'static str> {
    Sought::all().map(Sought::word).collect()
}

fn probe(value: &FieldValue<'_>) -> Result<Condition, QueryError> {
    if let Some(sought) = Sought::named(&value.text) {
        return Ok(Condition::Probe(sought));
    }
    let advice = match nearest(&value.text, probe_results().into_iter()) {
        Some(meant) => safe!("Did you mean probe:{}?", meant),
        None => safe!("It takes {}.", clean(&probe_results().join(", "))),
    };
    Err(value.wrong(safe!("unknown probe result {}", value.shown()), Some(advice)))
}

fn findings() -> Vec<&'static str> {
    let rules = RULES.iter().filter(|rule| rule.is_about_webhooks()).map(|rule| rule.id);
    rules.chain(Severity::ALL.map(Severity::name)).chain(["any"]).collect()
}

fn finding(value: &FieldValue<'_>) -> Result<Condition, QueryError> {
    if &*value.text == "any" {
        return Ok(Condition::Finding(RuleSet::ANY));
    }
    if let Some(severity) = Severity::ALL.into_iter().find(|severity| severity.name() == &*value.text) {
        return Ok(Condition::Finding(RuleSet::of_severity(severity)));
    }
    match Rule::named(&value.text) {
        Some(rule) if rule.is_about_webhooks() => Ok(Condition::Finding(RuleSet::of(rule))),
        Some(rule) => Err(value.wrong(safe!("{} applies to the workspace, not to a webhook", rule.id), None)),
        None => {
            let advice = match nearest(&value.text, findings().into_iter()) {
                Some(meant) => safe!("Did you mean finding:{}?", meant),
                None => "It takes any, error, warning, info or a rule; hookscope audit --list-rules lists them.".into(),
            };
            Err(value.wrong(safe!("unknown rule {}", value.shown()), Some(advice)))
        }
    }
}

fn created(value: &FieldValue<'_>, now: Timestamp) -> Result<Condition, QueryError> {
    let wrong = |message: Safe, advice: Safe| value.wrong(message, Some(advice));
    time::read(value.operator, &value.text, now).map(Condition::Created).map_err(|why| match why {
        TimeError::BareAge => wrong(
            safe!("the age {} needs a < or >", value.shown()),
            safe!("Write created:>{} for older, created:<{} for younger.", value.shown(), value.shown()),
        ),
        TimeError::NoUnit => wrong(
            safe!("the age {} has no unit", value.shown()),
            "The units are m, h, d, w, mo and y: 30d is 30 days. Dates look like 2024-06-01.".into(),
        ),
        TimeError::NoSuchDate => wrong(
            safe!("{} is not a valid date", value.shown()),
            "For example: created:<2024-06-01 or created:2024-06".into(),
        ),
        TimeError::Unreadable => wrong(
            safe!("{} is neither an age nor a date", value.shown()),
            "For example: created:>30d (m, h, d, w, mo, y) or created:<2024-06-01".into(),
        ),
    })
}

fn regex(value: &FieldValue<'_>) -> Result<Condition, QueryError> {
    let wrong = |why| value.wrong(safe!("not a valid regular expression: {}", why), None);
    pattern::compile(&value.text).map(Condition::Pattern).map_err(wrong)
}
