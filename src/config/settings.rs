//! The sections `[network]`, `[ui]` and `[audit]`: each value with its default and its range.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::style::Color;

use super::document::{Section, read_bounded};
use super::explain::shown_path;
use super::key::expand_home;
use super::{ConfigError, MAX_CA_BYTES};
use crate::analysis::audit::{self, Basis, Facts, Pattern, Rule, Severity, Waiver, Whose};
use crate::api::{self, MAX_PAGE_SIZE, ProxyServer, ProxyVariables};
use crate::base_url::BaseUrl;
use crate::fetch::Policy;
use crate::redact::ApiKey;
use crate::safe;
use crate::text::{Safe, Untrusted, clean};

/// The proxy setting for requests to the API. Loopback addresses are never proxied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Proxy {
    /// The proxy from `HTTPS_PROXY` and the other proxy variables.
    #[default]
    Environment,
    None,
    Server(ProxyServer),
}

/// `[network]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    pub timeout: Duration,
    pub connect_timeout: Duration,
    pub retries: u32,
    pub max_concurrency: usize,
    pub page_size: u32,
    pub max_page_bytes: usize,
    pub max_rows: u64,
    pub max_bytes: u64,
    pub proxy: Proxy,
    /// The proxy variables that [`Proxy::Environment`] uses.
    pub(super) proxies: ProxyVariables,
    ca_file: Option<(PathBuf, Safe)>,
}

impl Default for Network {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(10),
            retries: policy.retries,
            max_concurrency: policy.max_concurrency,
            page_size: policy.page_size,
            max_page_bytes: 8 << 20,
            max_rows: policy.max_rows,
            max_bytes: policy.max_bytes,
            proxy: Proxy::Environment,
            proxies: ProxyVariables::default(),
            ca_file: None,
        }
    }
}

impl Network {
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let default = Self::default();
        let seconds = |found: Option<u64>, default| found.map_or(default, Duration::from_secs);
        let network = Self {
            timeout: seconds(section.integer("timeout", 1..=600)?, default.timeout),
            connect_timeout: seconds(section.integer("connect_timeout", 1..=600)?, default.connect_timeout),
            retries: number(section.integer("retries", 0..=10)?, default.retries),
            max_concurrency: number(section.integer("max_concurrency", 1..=32)?, default.max_concurrency),
            page_size: number(section.integer("page_size", 1..=MAX_PAGE_SIZE.into())?, default.page_size),
            max_page_bytes: number(section.integer("max_page_bytes", 65_536..=1 << 30)?, default.max_page_bytes),
            max_rows: section.integer("max_rows", 1_000..=1_000_000_000)?.unwrap_or(default.max_rows),
            max_bytes: section.integer("max_bytes", 1_048_576..=1 << 40)?.unwrap_or(default.max_bytes),
            proxy: read_proxy(section)?,
            proxies: ProxyVariables::default(),
            ca_file: section
                .string("ca_file")?
                .map(|found| (section.directory().join(expand_home(&found.value)), found.place)),
        };
        section.finish()?;
        Ok(network)
    }

    /// The settings that apply to fetching.
    pub fn policy(&self) -> Policy {
        Policy {
            page_size: self.page_size,
            retries: self.retries,
            max_concurrency: self.max_concurrency,
            max_rows: self.max_rows,
            max_bytes: self.max_bytes,
            ..Policy::default()
        }
    }

    /// The file with additional trusted certificates.
    pub(super) fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_ref().map(|(path, _)| path.as_path())
    }

    /// Reads `ca_file`: certificates trusted in addition to the system's, as a PEM bundle or one certificate in DER.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn extra_roots(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        let Some((path, place)) = &self.ca_file else { return Ok(None) };
        let failed = |error: ConfigError| error.about("network.ca_file").of(&shown_path(path)).at(place);
        Ok(Some(read_bounded(path, MAX_CA_BYTES).map_err(failed)?.0))
    }

    pub(super) fn api_settings(&self, base_url: BaseUrl, key: ApiKey) -> Result<api::Settings, ConfigError> {
        let extra_roots = self.extra_roots()?;
        let proxy = self.proxy_server(&base_url)?;
        Ok(api::Settings {
            base_url,
            key,
            renewal: None,
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
            max_page_bytes: self.max_page_bytes,
            proxy,
            extra_roots,
            sources: api::Sources::default(),
        })
    }

    /// The proxy that requests go through; none for loopback.
    ///
    /// # Errors
    ///
    /// A variable that names a proxy has a value that is not the address of one.
    pub fn proxy_server(&self, base_url: &BaseUrl) -> Result<Option<ProxyServer>, ConfigError> {
        match &self.proxy {
            _ if base_url.is_loopback() => Ok(None),
            Proxy::None => Ok(None),
            Proxy::Server(server) => Ok(Some(server.clone())),
            Proxy::Environment => self.proxies.server_for(base_url).map_err(|(name, why)| {
                ConfigError::new(clean(&why.to_string()))
                    .at(&name.into())
                    .advise("Correct or unset the variable, or set network.proxy.")
            }),
        }
    }
}

fn read_proxy(section: &mut Section<'_>) -> Result<Proxy, ConfigError> {
    let Some(found) = section.string("proxy")? else { return Ok(Proxy::Environment) };
    match found.value.as_str() {
        "environment" => Ok(Proxy::Environment),
        "none" => Ok(Proxy::None),
        // A value without a scheme is not an address, and may be a key pasted into the wrong line, so the message does not
        // quote it.
        text if text.contains("://") => ProxyServer::parse(text, "network.proxy")
            .map(Proxy::Server)
            .map_err(|why| section.wrong("proxy", &clean(&why.to_string()), &found.place)),
        _ => {
            let message = "must be \"environment\", \"none\" or a URL such as http://proxy.example:3128".into();
            Err(section.wrong("proxy", &message, &found.place))
        }
    }
}

/// The format of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeFormat {
    #[default]
    Relative,
    Utc,
    Local,
}

impl TimeFormat {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relative => "relative",
            Self::Utc => "UTC",
            Self::Local => "local",
        }
    }

    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Relative => Self::Utc,
            Self::Utc => Self::Local,
            Self::Local => Self::Relative,
        }
    }
}

/// The destination of copied text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clipboard {
    /// Through the terminal, by OSC 52.
    #[default]
    Osc52,
    /// Onto a plain screen, to select by hand.
    Screen,
}

pub(super) const TIMES: [(&str, TimeFormat); 3] =
    [("relative", TimeFormat::Relative), ("utc", TimeFormat::Utc), ("local", TimeFormat::Local)];
pub(super) const CLIPBOARDS: [(&str, Clipboard); 2] = [("osc52", Clipboard::Osc52), ("screen", Clipboard::Screen)];

/// `[ui]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ui {
    /// The time between two automatic refreshes.
    pub refresh: Duration,
    pub time: TimeFormat,
    pub mouse: bool,
    pub ascii: bool,
    pub clipboard: Clipboard,
    /// Rows that are loaded without asking when everything is needed.
    pub auto_load_limit: u64,
    pub theme: Theme,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(30),
            time: TimeFormat::default(),
            mouse: false,
            ascii: false,
            clipboard: Clipboard::default(),
            auto_load_limit: 10_000,
            theme: Theme::default(),
        }
    }
}

impl Ui {
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let default = Self::default();
        let ui = Self {
            refresh: section.integer("refresh", 5..=86_400)?.map_or(default.refresh, Duration::from_secs),
            time: section.choice("time", &TIMES)?.unwrap_or(default.time),
            mouse: section.boolean("mouse")?.unwrap_or(default.mouse),
            ascii: section.boolean("ascii")?.unwrap_or(default.ascii),
            clipboard: section.choice("clipboard", &CLIPBOARDS)?.unwrap_or(default.clipboard),
            auto_load_limit: section.integer("auto_load_limit", 0..=10_000_000)?.unwrap_or(default.auto_load_limit),
            theme: Theme::read(&mut section.section("theme")?)?,
        };
        section.finish()?;
        Ok(ui)
    }
}

/// `[ui.theme]`: the terminal's 16 colors, by their role here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// The selection and what has the focus.
    pub accent: Color,
    pub active: Color,
    pub inactive: Color,
    pub warning: Color,
    pub error: Color,
    /// Secondary text: rules, labels, ages.
    pub quiet: Color,
}

impl Default for Theme {
    fn default() -> Self {
        Self {
            accent: Color::Cyan,
            active: Color::Green,
            inactive: Color::DarkGray,
            warning: Color::Yellow,
            error: Color::Red,
            quiet: Color::DarkGray,
        }
    }
}

pub(super) const COLOURS: [(&str, Color); 17] = [
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
pub fn colour_name(colour: Color) -> &'static str {
    COLOURS.iter().find(|(_, known)| *known == colour).map_or("default", |(name, _)| name)
}

impl Theme {
    fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let mut theme = Self::default();
        for (key, colour) in [
            ("accent", &mut theme.accent),
            ("active", &mut theme.active),
            ("inactive", &mut theme.inactive),
            ("warning", &mut theme.warning),
            ("error", &mut theme.error),
            ("quiet", &mut theme.quiet),
        ] {
            if let Some(chosen) = section.choice(key, &COLOURS)? {
                *colour = chosen;
            }
        }
        section.finish()?;
        Ok(theme)
    }
}

/// `[audit]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audit {
    /// Patterns of hosts and URLs that are retired.
    pub retired: Vec<Pattern>,
    /// Event names that are known besides the vendor's.
    pub known_events: Vec<Untrusted>,
    /// Findings that are accepted.
    pub allow: Vec<Waiver>,
    /// Rules with another severity.
    pub severity: Vec<(&'static Rule, Severity)>,
}

pub(super) const SEVERITIES: [(&str, Severity); 3] =
    [("info", Severity::Info), ("warning", Severity::Warning), ("error", Severity::Error)];

impl Audit {
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let mut retired = Vec::new();
        if let Some(found) = section.strings("retired")? {
            for text in &found.value {
                let wrong = |why: Safe| section.wrong("retired", &safe!("not a valid pattern: {}", why), &found.place);
                retired.push(Pattern::parse(text).map_err(wrong)?);
            }
        }
        let known = section.strings("known_events")?;
        let known_events = known.into_iter().flat_map(|found| found.value).map(Untrusted::from).collect();
        let mut allow = Vec::new();
        for mut entry in section.sections("allow")? {
            allow.push(read_waiver(&mut entry)?);
        }
        let mut severities = section.section("severity")?;
        let mut severity = Vec::new();
        for name in severities.names() {
            if let Some(chosen) = severities.found_choice(&name, &SEVERITIES)? {
                severity.push((rule_of(&severities, &name, &name, &chosen.place)?, chosen.value));
            }
        }
        section.finish()?;
        Ok(Self { retired, known_events, allow, severity })
    }

    /// Prepares the configured audit. Leaves out rules that need facts which are missing: such a rule did not run, so it has
    /// not passed either.
    pub fn prepare(&self, now: Timestamp, facts: Arc<Facts>) -> audit::Audit {
        let mut basis = Basis::new(now, self.known_events.iter().map(Untrusted::raw));
        self.retired.iter().for_each(|pattern| basis.retired.add(pattern.clone()));
        let mut audit = audit::Audit::new(basis);
        for (rule, severity) in &self.severity {
            audit.set_severity(rule, *severity);
        }
        audit.choose(|rule| rule.needs().is_none_or(|needs| facts.has(needs)));
        audit.basis.facts = facts;
        audit.set_waivers(self.allow.clone());
        audit
    }
}

/// One `[[audit.allow]]`.
fn read_waiver(section: &mut Section<'_>) -> Result<Waiver, ConfigError> {
    let named = section.required("rule")?;
    let rule = rule_of(section, "rule", &named.value, &named.place)?.id;
    let of = match (section.string("webhook")?, section.string("url")?) {
        (Some(id), None) => Whose::Webhook(Untrusted::from(id.value)),
        (None, Some(url)) => {
            let wrong = |why: Safe| section.wrong("url", &safe!("not a valid pattern: {}", why), &url.place);
            Whose::Url(Box::new(Pattern::parse(&url.value).map_err(wrong)?))
        }
        (Some(_), Some(url)) => return Err(section.wrong("url", &"cannot be combined with webhook".into(), &url.place)),
        (None, None) => return Err(section.missing("webhook or url")),
    };
    let reason = section.required("reason")?;
    if reason.value.trim().is_empty() {
        return Err(section.wrong("reason", &"must not be empty".into(), &reason.place));
    }
    let expires = section.date("expires")?;
    section.finish()?;
    Ok(Waiver { rule, of, reason: Untrusted::from(reason.value), expires })
}

/// The rule that a key or a value names. The name is not quoted: a key may have been pasted there.
fn rule_of(section: &Section<'_>, key: &str, name: &str, place: &Safe) -> Result<&'static Rule, ConfigError> {
    Rule::find(name).map_err(|_quotes_the_name| {
        section.wrong(key, &"unknown rule".into(), place).advise("hookscope audit --list-rules lists the rules.")
    })
}

/// Converts a number whose range was already checked.
fn number<T: TryFrom<u64>>(found: Option<u64>, default: T) -> T {
    found.and_then(|number| T::try_from(number).ok()).unwrap_or(default)
}
