//! The table of keys: each row has the name of a key, its type, default, kind and help. The structs, the reading of the
//! file, `config show`, the sample config and the reference in the documentation come from these rows. To add a key, add a
//! row and run `UPDATE_DOCS=1 cargo test sample` and `UPDATE_DOCS=1 cargo test --test it docs`.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::style::Color;

use super::document::Section;
use super::error::ConfigError;
use super::file::read_bytes;
use super::kinds::{
    COLORS, Choice, EventNames, FileKind, FileSetting, Number, PatternList, ProxyKind, ProxySetting, Seconds, Severities,
    Switch, ValueKind, Waivers,
};
use super::shown::shown_path;
use crate::analysis::audit::{Audit, AuditContext, ExternalFacts, Pattern, Rule, Severity, Waiver};
use crate::api::{self, MAX_PAGE_SIZE};
use crate::base::base_url::BaseUrl;
use crate::base::redact::ApiKey;
use crate::base::text::{Safe, Untrusted};
use crate::fetch::Policy;

/// The largest certificate bundle that is read, in bytes.
const MAX_CA_BYTES: u64 = 4 << 20;

/// A key in the sample config and in the documentation.
#[derive(Debug)]
pub struct KeyHelp {
    pub name: &'static str,
    /// The default, or a sample value if there is none, as TOML.
    pub value: Safe,
    pub has_default: bool,
    /// The smallest and the largest value of a number.
    pub range: Option<RangeInclusive<u64>>,
    pub help: &'static str,
}

impl KeyHelp {
    fn new<T>(name: &'static str, kind: &impl ValueKind<T>, default: &T, help: &'static str) -> Self {
        let default = kind.toml(default);
        let has_default = default.is_some();
        let value = default.or_else(|| kind.sample()).unwrap_or_default();
        Self { name, value, has_default, range: kind.range().cloned(), help }
    }
}

/// Defines the struct of a section: `key: type = default, kind, help;`. A key without help is a table that the sample config
/// shows separately.
macro_rules! section {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $key:ident: $type:ty = $default:expr, $kind:expr $(, $help:literal)?;)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $($(#[$doc])* pub $key: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($key: $default,)* }
            }
        }

        impl $name {
            pub(super) fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
                let read = Self {
                    $($key: match $kind.read(section, stringify!($key))? {
                        Some(value) => value,
                        None => $default,
                    },)*
                };
                section.finish()?;
                Ok(read)
            }

            /// The values as TOML, by their full keys.
            pub(super) fn entries(&self, section: &str) -> Vec<(String, Option<Safe>)> {
                let mut entries = Vec::new();
                $(entries.extend($kind.entries(format!("{section}.{}", stringify!($key)), &self.$key));)*
                entries
            }

            /// The keys for the documentation.
            pub fn keys() -> Vec<KeyHelp> {
                vec![$($(KeyHelp::new(stringify!($key), &$kind, &$default, $help),)?)*]
            }
        }
    };
}

section! {
    /// `[network]`.
    NetworkConfig {
        timeout: Duration = Duration::from_secs(20), Seconds(1..=600), "Time limit of a request, in seconds";
        connect_timeout: Duration = Duration::from_secs(10), Seconds(1..=600), "Time limit of connecting, as part of timeout, in seconds";
        retries: u32 = Policy::default().retries, Number(0..=10), "Retries of a failed request";
        max_concurrency: usize = Policy::default().max_concurrency, Number(1..=32),
            "Concurrent requests of a full read. A tenth of the rate limit always stays unused";
        page_size: u32 = Policy::default().page_size, Number(1..=MAX_PAGE_SIZE.into()), "Webhooks per request";
        max_page_bytes: usize = 8 << 20, Number(65_536..=1 << 30), "Size limit of a response, in bytes";
        max_rows: u64 = Policy::default().max_rows, Number(1_000..=1_000_000_000),
            "A full read stops after this many webhooks, in case a server sends an endless list";
        max_bytes: u64 = Policy::default().max_bytes, Number(1 << 20..=1 << 40), "The same limit in bytes of all responses";
        proxy: ProxySetting = ProxySetting::Environment, ProxyKind,
            "Proxy: \"environment\" (HTTPS_PROXY, ALL_PROXY, NO_PROXY), \"none\", or a URL such as \"http://proxy.example:3128\" or \"socks5h://proxy.example:1080\". Loopback is never proxied";
        ca_file: FileSetting = FileSetting::default(), FileKind("/etc/ssl/company.pem"),
            "Certificates to trust in addition to those of the system, in PEM or DER. Not set by default";
    }
}

impl NetworkConfig {
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

    /// The settings of an API client without a proxy and additional certificates.
    pub(super) fn direct(&self, base_url: BaseUrl, key: ApiKey) -> api::ClientSettings {
        api::ClientSettings {
            base_url,
            key,
            renewal: None,
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
            max_page_bytes: self.max_page_bytes,
            proxy: None,
            extra_roots: None,
            sources: api::SettingSources::default(),
        }
    }

    /// Reads `ca_file`: certificates trusted in addition to the system's, as a PEM bundle or one certificate in DER.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn extra_roots(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        let FileSetting(Some(file)) = &self.ca_file else { return Ok(None) };
        let failed = |error: ConfigError| error.about("network.ca_file").of(&shown_path(&file.value)).at(&file.place);
        Ok(Some(read_bytes(&file.value, MAX_CA_BYTES).map_err(failed)?.0))
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
    const WORDS: &[(&str, Self)] = &[("relative", Self::Relative), ("utc", Self::Utc), ("local", Self::Local)];

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

impl Clipboard {
    const WORDS: &[(&str, Self)] = &[("osc52", Self::Osc52), ("screen", Self::Screen)];
}

section! {
    /// `[ui]`.
    UiConfig {
        refresh: Duration = Duration::from_secs(30), Seconds(5..=86_400), "Interval of auto-refresh, in seconds. R toggles auto-refresh";
        time: TimeFormat = TimeFormat::default(), Choice(TimeFormat::WORDS), "Time format at startup: \"relative\", \"utc\" or \"local\"";
        mouse: bool = false, Switch, "Enable the mouse at startup. While it is on, the terminal cannot select text";
        ascii: bool = false, Switch, "Draw with ASCII characters only, as in a locale that is not UTF-8";
        clipboard: Clipboard = Clipboard::default(), Choice(Clipboard::WORDS),
            "Clipboard: \"osc52\" (through the terminal, also over SSH) or \"screen\" (a plain screen to select text from)";
        auto_load_limit: u64 = 10_000, Number(0..=10_000_000),
            "Webhooks that filters, sorting and audits load by themselves. For more, press L";
    }
}

section! {
    /// `[ui.theme]`: the terminal's 16 colors, by their role here.
    #[derive(Copy)]
    ThemeConfig {
        accent: Color = Color::Cyan, Choice(COLORS), "The selection and the focused pane";
        active: Color = Color::Green, Choice(COLORS), "Active, reachable, live";
        inactive: Color = Color::DarkGray, Choice(COLORS), "Inactive webhooks";
        warning: Color = Color::Yellow, Choice(COLORS), "Warnings";
        error: Color = Color::Red, Choice(COLORS), "Errors";
        quiet: Color = Color::DarkGray, Choice(COLORS), "Rules, labels, ages";
    }
}

section! {
    /// `[audit]`.
    AuditConfig {
        retired: Vec<Pattern> = Vec::new(), PatternList,
            "Retired hosts and URL patterns, such as \"old.example.com\" or \"*.legacy.example.com\"";
        known_events: Vec<Untrusted> = Vec::new(), EventNames, "Event names to accept in addition to the vendor's";
        /// Findings that are accepted.
        allow: Vec<Waiver> = Vec::new(), Waivers;
        /// Rules with another severity than their own.
        severity: Vec<(&'static Rule, Severity)> = Vec::new(), Severities;
    }
}

impl AuditConfig {
    /// Prepares the configured audit. Leaves out rules that need facts which are missing: such a rule did not run, so it has
    /// not passed either.
    pub fn prepare(&self, now: Timestamp, facts: Arc<ExternalFacts>) -> Audit {
        let mut context = AuditContext::new(now, self.known_events.iter().map(Untrusted::raw));
        self.retired.iter().for_each(|pattern| context.retired.add(pattern.clone()));
        let mut audit = Audit::new(context);
        for (rule, severity) in &self.severity {
            audit.set_severity(rule, *severity);
        }
        audit.choose(|rule| rule.needs().is_none_or(|needs| facts.has(needs)));
        audit.context.facts = facts;
        audit.set_waivers(self.allow.clone());
        audit
    }
}
