//! The environment variables, read once at startup. Nothing else in the program reads them.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use super::error::ConfigError;
use crate::api::ProxyVariables;

/// The variables and their meaning, for the documentation.
pub const VARIABLES: &[(&str, &str)] = &[
    ("DIALNEXA_API_KEY", "API key. Overrides the key of the profile chosen at startup."),
    ("DIALNEXA_BASE_URL", "Base URL of the API, as with --base-url."),
    ("HOOKSCOPE_CONFIG", "Config file, as with --config."),
    ("HOOKSCOPE_PROFILE", "Profile, as with --profile."),
    ("HOOKSCOPE_LOG", "Log filter, such as debug or hookscope::api=trace. Without it, nothing is logged."),
    ("NO_COLOR", "If not empty, disables color unless --color always is given."),
    (
        "HTTPS_PROXY, ALL_PROXY, NO_PROXY",
        "Proxy for requests to the API, also in lower case, unless network.proxy is set. Loopback is never proxied.",
    ),
    (
        "XDG_CONFIG_HOME, XDG_CACHE_HOME, XDG_STATE_HOME",
        "Directories to use instead of ~/.config, ~/.cache and ~/.local/state.",
    ),
    ("LC_ALL, LC_CTYPE, LANG", "Locale. If it is not UTF-8, the explorer draws only ASCII."),
    ("TERM, COLORTERM, TMUX, STY", "Terminal: its colors, and whether tmux or screen is in between."),
];

/// Proxy variables, in order of precedence. The first four apply to https, which the API uses.
const PROXIES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"];

/// The variables that hookscope uses.
#[derive(Clone, Default)]
pub struct Environment {
    /// `DIALNEXA_API_KEY`, even when it is empty: an empty key is a mistake to report, not a key to ignore.
    /// Not a text yet: the demo does not care what it is.
    pub api_key: Option<OsString>,
    /// `DIALNEXA_BASE_URL`.
    pub base_url: Option<String>,
    /// `HOOKSCOPE_CONFIG`.
    pub config: Option<PathBuf>,
    /// `HOOKSCOPE_PROFILE`.
    pub profile: Option<String>,
    /// `HOOKSCOPE_LOG`: the filter of the log.
    pub log: Option<String>,
    /// The name of the proxy variable that is set, if any, for messages about traffic that bypasses it.
    pub proxy: Option<&'static str>,
    /// The proxy variables that apply to the API.
    pub proxies: ProxyVariables,
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `TERM`.
    pub term: Option<String>,
    /// `COLORTERM`.
    pub colorterm: Option<String>,
    /// The multiplexer that this process runs in, if any.
    pub multiplexer: Option<Multiplexer>,
    /// True if the locale uses UTF-8.
    pub utf8: bool,
    /// The variable that sets the locale, and its value; `None` if none does.
    pub locale: Option<(&'static str, String)>,
}

impl Environment {
    /// Returns true on a Linux console, whose font lacks most symbols.
    pub fn is_linux_console(&self) -> bool {
        self.term.as_deref().is_some_and(|term| term == "linux" || term.starts_with("linux-"))
    }

    /// # Errors
    ///
    /// A variable that should be text is not UTF-8.
    pub fn read() -> Result<Self, ConfigError> {
        let locale = locale(["LC_ALL", "LC_CTYPE", "LANG"].map(|name| (name, env::var_os(name))));
        let term = env::var_os("TERM").map(|value| value.to_string_lossy().into_owned());
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        Ok(Self {
            api_key: env::var_os("DIALNEXA_API_KEY"),
            base_url: text("DIALNEXA_BASE_URL")?,
            config: env::var_os("HOOKSCOPE_CONFIG").map(PathBuf::from),
            profile: text("HOOKSCOPE_PROFILE")?,
            log: text("HOOKSCOPE_LOG")?,
            proxy: PROXIES.into_iter().find(|name| is_set(name)),
            proxies: ProxyVariables {
                proxy: first_set(&PROXIES[..4]),
                no_proxy: first_set(&["NO_PROXY", "no_proxy"]).map(|(_, value)| value).unwrap_or_default(),
            },
            no_color: is_set("NO_COLOR"),
            multiplexer: multiplexer(is_set("TMUX"), is_set("STY"), term.as_deref()),
            term,
            colorterm: env::var_os("COLORTERM").map(|value| value.to_string_lossy().into_owned()),
            utf8: locale.as_ref().is_some_and(|(_, value)| is_utf8(value)),
            locale,
        })
    }
}

/// A terminal multiplexer, which passes on escape sequences unknown to it only when they are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplexer {
    Tmux,
    /// GNU screen.
    Screen,
}

/// Returns the innermost multiplexer. If both variables are set, one runs inside the other, and the inner one sets TERM.
fn multiplexer(tmux: bool, screen: bool, term: Option<&str>) -> Option<Multiplexer> {
    match (tmux, screen) {
        (false, false) => None,
        (true, true) if term.is_some_and(|term| term.starts_with("tmux")) => Some(Multiplexer::Tmux),
        (_, true) => Some(Multiplexer::Screen),
        (true, false) => Some(Multiplexer::Tmux),
    }
}

fn text(name: &'static str) -> Result<Option<String>, ConfigError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(ConfigError::new("not valid UTF-8").at(&name.into()).advise("Correct or unset the variable."))
        }
    }
}

/// Returns the first variable that is set and not empty. Invalid UTF-8 becomes a character that no address contains.
fn first_set(names: &[&'static str]) -> Option<(&'static str, String)> {
    let values = names.iter().filter_map(|name| Some((*name, env::var_os(name)?)));
    values.map(|(name, value)| (name, value.to_string_lossy().into_owned())).find(|(_, value)| !value.is_empty())
}

/// Returns the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set and not empty.
fn locale(variables: [(&'static str, Option<OsString>); 3]) -> Option<(&'static str, String)> {
    let set = variables.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let (name, value) = set.into_iter().find(|(_, value)| !value.is_empty())?;
    Some((name, value.to_string_lossy().into_owned()))
}

fn is_utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inner_multiplexer_is_told_by_term() {
        use Multiplexer::{Screen, Tmux};
        for (tmux, screen, term, inner) in [
            (false, false, "xterm-256color", None),
            (true, false, "screen-256color", Some(Tmux)),
            (false, true, "screen.xterm-256color", Some(Screen)),
            (true, true, "tmux-256color", Some(Tmux)),
            (true, true, "screen", Some(Screen)),
        ] {
            assert_eq!(multiplexer(tmux, screen, Some(term)), inner, "{term}");
        }
    }

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        let chosen = |all: &str, ctype: &str, lang: &str| {
            locale([("LC_ALL", all), ("LC_CTYPE", ctype), ("LANG", lang)].map(|(name, value)| (name, Some(value.into()))))
        };
        let utf8 = |all, ctype, lang| chosen(all, ctype, lang).is_some_and(|(_, value)| is_utf8(&value));
        assert!(utf8("", "", "en_US.UTF-8"));
        assert!(utf8("C.utf8", "", "C"));
        assert!(!utf8("C", "", "en_US.UTF-8"));
        assert!(!utf8("", "", ""));
        assert_eq!(chosen("", "C", "en_US.UTF-8"), Some(("LC_CTYPE", "C".to_owned())));
        assert_eq!(locale([("LC_ALL", None), ("LC_CTYPE", None), ("LANG", None)]), None);
    }
}
