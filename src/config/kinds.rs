//! The kinds of values that a key can have: how each is read from the file, and how it is written as TOML.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ratatui::style::Color;

use super::document::{Located, Section};
use super::error::ConfigError;
use super::file::expand_home;
use super::shown::{shown_path, toml_array, toml_string};
use crate::analysis::audit::{Pattern, Rule, Severity, Waiver, WaiverTarget};
use crate::api::ProxyServer;
use crate::base::redact;
use crate::base::text::{Safe, Untrusted, clean};
use crate::safe;

/// A kind of values of type `T`.
pub(super) trait ValueKind<T> {
    /// Reads a key; `None` if the file does not have it.
    fn read(&self, section: &mut Section<'_>, key: &str) -> Result<Option<T>, ConfigError>;

    /// Writes the value as TOML; `None` if it is not set.
    fn toml(&self, value: &T) -> Option<Safe>;

    /// The values by their full keys; several if the key is a table.
    fn entries(&self, key: String, value: &T) -> Vec<(String, Option<Safe>)> {
        vec![(key, self.toml(value))]
    }

    /// The smallest and the largest value.
    fn range(&self) -> Option<&RangeInclusive<u64>> {
        None
    }

    /// A value to show in documentation in place of a default.
    fn sample(&self) -> Option<Safe> {
        None
    }
}

/// A whole number.
pub(super) struct Number(pub(super) RangeInclusive<u64>);

impl<T: Copy + TryFrom<u64> + TryInto<u64>> ValueKind<T> for Number {
    fn read(&self, section: &mut Section<'_>, key: &str) -> Result<Option<T>, ConfigError> {
        Ok(section.integer(key, &self.0)?.and_then(|number| T::try_from(number).ok()))
    }

    fn toml(&self, value: &T) -> Option<Safe> {
        (*value).try_into().ok().map(|number: u64| safe!("{}", number))
    }

    fn range(&self) -> Option<&RangeInclusive<u64>> {
        Some(&self.0)
    }
}

/// A time in whole seconds.
pub(super) struct Seconds(pub(super) RangeInclusive<u64>);

impl ValueKind<Duration> for Seconds {
    fn read(&self, section: &mut Section<'_>, key: &str) -> Result<Option<Duration>, ConfigError> {
        Ok(section.integer(key, &self.0)?.map(Duration::from_secs))
    }

    fn toml(&self, value: &Duration) -> Option<Safe> {
        Some(safe!("{}", value.as_secs()))
    }

    fn range(&self) -> Option<&RangeInclusive<u64>> {
        Some(&self.0)
    }
}

/// `true` or `false`.
pub(super) struct Switch;

impl ValueKind<bool> for Switch {
    fn read(&self, section: &mut Section<'_>, key: &str) -> Result<Option<bool>, ConfigError> {
        section.boolean(key)
    }

    fn toml(&self, value: &bool) -> Option<Safe> {
        Some(if *value { "true".into() } else { "false".into() })
    }
}

/// One of several words.
pub(super) struct Choice<T: 'static>(pub(super) &'static [(&'static str, T)]);

impl<T: Copy + PartialEq> ValueKind<T> for Choice<T> {
    fn read(&self, section: &mut Section<'_>, key: &str) -> Result<Option<T>, ConfigError> {
        Ok(section.choice(key, self.0)?.map(|found| found.value))
    }

    fn toml(&self, value: &T) -> Option<Safe> {
        self.0.iter().find(|(_, known)| known == value).map(|(word, _)| toml_string(&(*word).into()))
    }
}

pub(super) const COLORS: &[(&str, Color)] = &[
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("gray", Color::Gray),
    ("dark-gray", Color::DarkGray),
    ("light-red", Color::LightRed),
    ("light-green", Color::LightGreen),
    ("light-yellow", Color::LightYellow),
    ("light-blue", Color::LightBlue),
    ("light-magenta", Color::LightMagenta),
    ("light-cyan", Color::LightCyan),
    ("white", Color::White),
];

/// The name of a color in the config.
pub fn color_name(color: Color) -> &'static str {
    COLORS.iter().find(|(_, known)| *known == color).map_or("default", |(name, _)| name)
}

/// The proxy setting for requests to the API. Loopback addresses are never proxied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxySetting {
    /// The proxy from `HTTPS_PROXY` and the other proxy variables.
    Environment,
    None,
    Server(ProxyServer),
}

pub(super) struct ProxyKind;

impl ValueKind<ProxySetting> for ProxyKind {
    fn read(&self, section: &mut Section<'_>, key: &str) -> Result<Option<ProxySetting>, ConfigError> {
        let Some(Located { value, place }) = section.string(key)? else { return Ok(None) };
        match value.as_str() {
            "environment" => Ok(Some(ProxySetting::Environment)),
            "none" => Ok(Some(ProxySetting::None)),
            // A value without a scheme is not an address, and may be a key pasted into the wrong line, so the message does
            // not quote it.
            text if text.contains("://") => match ProxyServer::parse(text, "network.proxy") {
                Ok(server) => Ok(Some(ProxySetting::Server(server))),
                Err(why) => Err(section.wrong(key, &clean(&why.to_string()), &place)),
            },
            _ => {
                let message = "must be \"environment\", \"none\" or a URL such as http://proxy.example:3128".into();
                Err(section.wrong(key, &message, &place))
            }
        }
    }

    fn toml(&self, value: &ProxySetting) -> Option<Safe> {
        Some(toml_string(&match value {
            ProxySetting::Environment => "environment".into(),
            ProxySetting::None => "none".into(),
            ProxySetting::Server(server) => server.shown(),
        }))
    }
}

/// The path of a file, and its line of the config, if it is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSetting(pub(super) Option<Located<PathBuf>>);

/// A file, with a sample path.
pub(super) struct FileKind(pub(super) &'static str);

impl ValueKind<FileSetting> for FileKind {
    fn read(&self, section: &mut Section<'_>, key: &str) -> Result<Option<FileSetting>, ConfigError> {
        let Some(Located { value, place }) = section.string(key)? else { return Ok(None) };
        Ok(Some(FileSetting(Some(Located { value: section.path(&expand_home(&value)), place }))))
    }

    fn toml(&self, value: &FileSetting) -> Option<Safe> {
        value.0.as_ref().map(|file| toml_string(&shown_path(&file.value)))
    }

    fn sample(&self) -> Option<Safe> {
        Some(toml_string(&self.0.into()))
    }
}

/// Patterns of hosts and URLs.
pub(super) struct PatternList;

impl ValueKind<Vec<Pattern>> for PatternList {
    fn read(&self, section: &mut Section<'_>, key: &str) -> Result<Option<Vec<Pattern>>, ConfigError> {
        let Some(Located { value: texts, place }) = section.strings(key)? else { return Ok(None) };
        let patterns = texts.iter().map(|text| parse_pattern(section, key, text, &place));
        patterns.collect::<Result<_, _>>().map(Some)
    }

    fn toml(&self, value: &Vec<Pattern>) -> Option<Safe> {
        Some(toml_array(&value.iter().map(Pattern::shown).collect::<Vec<_>>()))
    }
}

fn parse_pattern(section: &Section<'_>, key: &str, text: &str, place: &Safe) -> Result<Pattern, ConfigError> {
    Pattern::parse(text).map_err(|why| section.wrong(key, &safe!("not a valid pattern: {}", why), place))
}

/// Names of events.
pub(super) struct EventNames;

impl ValueKind<Vec<Untrusted>> for EventNames {
    fn read(&self, section: &mut Section<'_>, key: &str) -> Result<Option<Vec<Untrusted>>, ConfigError> {
        Ok(section.strings(key)?.map(|found| found.value.into_iter().map(Untrusted::from).collect()))
    }

    fn toml(&self, value: &Vec<Untrusted>) -> Option<Safe> {
        let names = value.iter().map(|name| clean(&redact::mask_url(name.raw())));
        Some(toml_array(&names.collect::<Vec<_>>()))
    }
}

/// `[[audit.allow]]`: waivers.
pub(super) struct Waivers;

impl ValueKind<Vec<Waiver>> for Waivers {
    fn read(&self, section: &mut Section<'_>, key: &str) -> Result<Option<Vec<Waiver>>, ConfigError> {
        section.sections(key)?.into_iter().map(read_waiver).collect::<Result<_, _>>().map(Some)
    }

    fn toml(&self, value: &Vec<Waiver>) -> Option<Safe> {
        let tables: Vec<_> = value.iter().map(|waiver| toml_waiver(waiver).to_string()).collect();
        Some(safe!("[{}]", clean(&tables.join(", "))))
    }
}

fn read_waiver(mut section: Section<'_>) -> Result<Waiver, ConfigError> {
    let named = section.required("rule")?;
    let rule = find_rule(&section, "rule", &named.value, &named.place)?.id;
    let target = match (section.string("webhook")?, section.string("url")?) {
        (Some(id), None) => WaiverTarget::Webhook(Untrusted::from(id.value)),
        (None, Some(url)) => WaiverTarget::Url(Box::new(parse_pattern(&section, "url", &url.value, &url.place)?)),
        (Some(_), Some(url)) => return Err(section.wrong("url", &"cannot be combined with webhook".into(), &url.place)),
        (None, None) => return Err(section.missing("webhook or url")),
    };
    let reason = section.required("reason")?;
    if reason.value.trim().is_empty() {
        return Err(section.wrong("reason", &"must not be empty".into(), &reason.place));
    }
    let expires = section.date("expires")?;
    section.finish()?;
    Ok(Waiver { rule, target, reason: Untrusted::from(reason.value), expires })
}

/// A waiver as an inline table.
fn toml_waiver(waiver: &Waiver) -> Safe {
    let (key, value) = match &waiver.target {
        WaiverTarget::Webhook(id) => ("webhook", id.clean_head(120)),
        WaiverTarget::Url(pattern) => ("url", pattern.shown()),
    };
    let expires = waiver.expires.map(|date| safe!(", expires = {}", toml_string(&clean(&date.to_string()))));
    safe!(
        "{{ rule = {}, {} = {}, reason = {}{} }}",
        toml_string(&waiver.rule.into()),
        key,
        toml_string(&value),
        toml_string(&waiver.reason.clean_head(200)),
        expires.unwrap_or_default()
    )
}

/// `[audit.severity]`: severities by rule.
pub(super) struct Severities;

const SEVERITIES: [(&str, Severity); 3] =
    [("info", Severity::Info), ("warning", Severity::Warning), ("error", Severity::Error)];

impl ValueKind<Vec<(&'static Rule, Severity)>> for Severities {
    fn read(&self, section: &mut Section<'_>, key: &str) -> Result<Option<Vec<(&'static Rule, Severity)>>, ConfigError> {
        let mut rules = section.section(key)?;
        let mut severities = Vec::new();
        for name in rules.names() {
            if let Some(Located { value: severity, place }) = rules.choice(&name, &SEVERITIES)? {
                severities.push((find_rule(&rules, &name, &name, &place)?, severity));
            }
        }
        Ok(Some(severities))
    }

    fn toml(&self, _value: &Vec<(&'static Rule, Severity)>) -> Option<Safe> {
        Some("{}".into())
    }

    fn entries(&self, key: String, value: &Vec<(&'static Rule, Severity)>) -> Vec<(String, Option<Safe>)> {
        if value.is_empty() {
            return vec![(key, self.toml(value))];
        }
        let entry = |(rule, severity): &(&Rule, _)| (format!("{key}.{}", rule.id), Choice(&SEVERITIES).toml(severity));
        value.iter().map(entry).collect()
    }
}

/// The rule that a key or a value names. The name is not quoted: a key may have been pasted there.
fn find_rule(section: &Section<'_>, key: &str, name: &str, place: &Safe) -> Result<&'static Rule, ConfigError> {
    Rule::find(name).map_err(|_quotes_the_name| {
        section.wrong(key, &"unknown rule".into(), place).advise("hookscope audit --list-rules lists the rules.")
    })
}
