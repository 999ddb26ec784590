//! The fields of the language: one row each, with what it takes and how that is read. A new field is a row, a reader and the
//! [`Condition`] that it reads into.

use jiff::Timestamp;

use super::find::Finder;
use super::time::{self, NoMoment};
use super::value::Value;
use super::{Condition, Flag, QueryError, pattern};
use crate::analysis::audit::{RULES, Rule, RuleSet, Severity};
use crate::analysis::probed::Sought;
use crate::analysis::words::nearest;
use crate::model::normal_host;
use crate::safe;
use crate::text::{Safe, clean};

/// One row of the table.
#[derive(Debug)]
pub(super) struct Field {
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
    /// True if `|` is part of an unquoted value instead of ending it.
    pub(super) takes_bars: bool,
    pub(super) read: fn(&Value<'_>, Timestamp) -> Result<Condition, QueryError>,
}

/// Matches the whole text instead of a part of it.
const EXACTLY: &[&str] = &["="];

/// Every field, in the order of the help.
pub(super) const FIELDS: &[Field] = &[
    Field {
        name: "host",
        takes: "TEXT",
        example: "host:acme.com",
        help: "in the host of the URL, normalized",
        operators: EXACTLY,
        takes_bars: false,
        read: |value, _| Ok(host(value)),
    },
    Field {
        name: "path",
        takes: "TEXT",
        example: "path:=/dialnexa/crm",
        help: "in the path of the URL, without the query",
        operators: EXACTLY,
        takes_bars: false,
        read: |value, _| Ok(Condition::Path(finder(value))),
    },
    Field {
        name: "url",
        takes: "TEXT",
        example: "url:/dialnexa/",
        help: "in the URL, as registered",
        operators: EXACTLY,
        takes_bars: false,
        read: |value, _| Ok(Condition::Url(finder(value))),
    },
    Field {
        name: "id",
        takes: "TEXT",
        example: "id:=whk_c9v3nz8rq4pm",
        help: "id",
        operators: EXACTLY,
        takes_bars: false,
        read: |value, _| Ok(Condition::Id(finder(value))),
    },
    Field {
        name: "event",
        takes: "TEXT",
        example: "event:call.failed",
        help: "in the name of a subscribed event",
        operators: EXACTLY,
        takes_bars: false,
        read: |value, _| Ok(Condition::Event(finder(value))),
    },
    Field {
        name: "active",
        takes: "yes or no",
        example: "active:yes",
        help: "whether it is active; also true or false",
        operators: &[],
        takes_bars: false,
        read: |value, _| active(value),
    },
    Field {
        name: "created",
        takes: "TIME",
        example: "created:>30d",
        help: "when it was created; here: more than 30 days ago",
        operators: time::OPERATORS,
        takes_bars: false,
        read: created,
    },
    Field {
        name: "is",
        takes: "WORD",
        example: "is:marked",
        help: "marked, added, changed or removed (explorer only)",
        operators: &[],
        takes_bars: false,
        read: |value, _| flag(value),
    },
    Field {
        name: "finding",
        takes: "RULE",
        example: "finding:insecure-url",
        help: "audit findings; also any, error, warning, info",
        operators: &[],
        takes_bars: false,
        read: |value, _| finding(value),
    },
    Field {
        name: "probe",
        takes: "WORD",
        example: "probe:dead",
        help: "probe results (explorer only); see below",
        operators: &[],
        takes_bars: false,
        read: |value, _| probe(value),
    },
    Field {
        name: "re",
        takes: "PATTERN",
        example: r"re:/v[12]/|/hooks/",
        help: "regular expression, in the URL, id or an event",
        operators: &[],
        takes_bars: true,
        read: |value, _| regex(value),
    },
];

fn finder(value: &Value<'_>) -> Finder {
    if value.operator.is_empty() { Finder::part(&value.text) } else { Finder::Whole((&*value.text).into()) }
}

fn host(value: &Value<'_>) -> Condition {
    // Hosts are compared in one spelling: a name of other letters is looked for in its punycode, and no host ends in a dot.
    let text = value.text.trim();
    if !value.operator.is_empty() {
        return Condition::Host(Finder::WholeAnyCase(normal_host(text).unwrap_or_else(|| text.to_owned()).into()));
    }
    let ascii = if text.is_ascii() { None } else { normal_host(text) };
    let text = ascii.as_deref().unwrap_or(text);
    // The dot behind a single label is a part of a longer name: host:hooks.
    let whole_name = text.strip_suffix('.').filter(|name| name.contains('.'));
    Condition::Host(Finder::part_any_case(whole_name.unwrap_or(text)))
}

fn active(value: &Value<'_>) -> Result<Condition, QueryError> {
    match &*value.text {
        "yes" | "true" => Ok(Condition::Active(true)),
        "no" | "false" => Ok(Condition::Active(false)),
        _ => Err(value.wrong(safe!("active: must be yes or no, not {}", value.shown()), None)),
    }
}

fn flag(value: &Value<'_>) -> Result<Condition, QueryError> {
    match &*value.text {
        "marked" => Ok(Condition::Is(Flag::Marked)),
        // `new` and `gone` are the earlier spellings.
        "added" | "new" => Ok(Condition::Is(Flag::New)),
        "changed" => Ok(Condition::Is(Flag::Changed)),
        "removed" | "gone" => Ok(Condition::Is(Flag::Gone)),
        _ => Err(value.wrong(safe!("is: must be marked, added, changed or removed, not {}", value.shown()), None)),
    }
}

fn probe(value: &Value<'_>) -> Result<Condition, QueryError> {
    if let Some(sought) = Sought::named(&value.text) {
        return Ok(Condition::Probe(sought));
    }
    let advice = match nearest(&value.text, Sought::all().map(Sought::word)) {
        Some(meant) => safe!("Did you mean probe:{}?", meant),
        None => safe!("It takes {}.", clean(&Sought::all().map(Sought::word).collect::<Vec<_>>().join(", "))),
    };
    Err(value.wrong(safe!("unknown probe result {}", value.shown()), Some(advice)))
}

fn finding(value: &Value<'_>) -> Result<Condition, QueryError> {
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
            let words = RULES.iter().filter(|rule| rule.is_about_webhooks()).map(|rule| rule.id);
            let words = words.chain(Severity::ALL.map(Severity::name)).chain(["any"]);
            let advice = match nearest(&value.text, words) {
                Some(meant) => safe!("Did you mean finding:{}?", meant),
                None => "It takes any, error, warning, info or a rule; hookscope audit --list-rules lists them.".into(),
            };
            Err(value.wrong(safe!("unknown rule {}", value.shown()), Some(advice)))
        }
    }
}

fn created(value: &Value<'_>, now: Timestamp) -> Result<Condition, QueryError> {
    let wrong = |message: Safe, advice: Safe| value.wrong(message, Some(advice));
    time::read(value.operator, &value.text, now).map(Condition::Created).map_err(|why| match why {
        NoMoment::BareAge => wrong(
            safe!("the age {} needs a < or >", value.shown()),
            safe!("Write created:>{} for older, created:<{} for younger.", value.shown(), value.shown()),
        ),
        NoMoment::NoUnit => wrong(
            safe!("the age {} has no unit", value.shown()),
            "The units are m, h, d, w, mo and y: 30d is 30 days. Dates look like 2024-06-01.".into(),
        ),
        NoMoment::NoSuchDate => wrong(
            safe!("{} is not a valid date", value.shown()),
            "For example: created:<2024-06-01 or created:2024-06".into(),
        ),
        NoMoment::Unreadable => wrong(
            safe!("{} is neither an age nor a date", value.shown()),
            "For example: created:>30d (m, h, d, w, mo, y) or created:<2024-06-01".into(),
        ),
    })
}

fn regex(value: &Value<'_>) -> Result<Condition, QueryError> {
    let wrong = |why| value.wrong(safe!("not a valid regular expression: {}", why), None);
    pattern::compile(&value.text).map(Condition::Pattern).map_err(wrong)
}
