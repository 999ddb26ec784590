//! The environment, read once at the start: nothing else in the program looks at it.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use super::ConfigError;

/// The variables that mean something to hookscope.
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
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `TERM`.
    pub term: Option<String>,
    /// Inside tmux, which passes terminal sequences on only when they are wrapped.
    pub tmux: bool,
    /// The locale says UTF-8.
    pub utf8: bool,
}

impl Environment {
    /// # Errors
    ///
    /// A variable that should be text is not UTF-8.
    pub fn read() -> Result<Self, ConfigError> {
        Ok(Self {
            api_key: env::var_os("DIALNEXA_API_KEY"),
            base_url: text("DIALNEXA_BASE_URL")?,
            config: env::var_os("HOOKSCOPE_CONFIG").map(PathBuf::from),
            profile: text("HOOKSCOPE_PROFILE")?,
            no_color: env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            term: env::var_os("TERM").map(|value| value.to_string_lossy().into_owned()),
            tmux: env::var_os("TMUX").is_some_and(|value| !value.is_empty()),
            utf8: is_utf8(["LC_ALL", "LC_CTYPE", "LANG"].map(env::var_os)),
        })
    }
}

fn text(name: &'static str) -> Result<Option<String>, ConfigError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(ConfigError::new("it is not UTF-8").at(&name.into())),
    }
}

/// The first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set and not empty decides.
fn is_utf8(variables: [Option<OsString>; 3]) -> bool {
    variables.into_iter().flatten().find(|value| !value.is_empty()).is_some_and(|value| {
        let value = value.to_string_lossy().to_ascii_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        let locale =
            |all: &str, ctype: &str, lang: &str| is_utf8([all, ctype, lang].map(|value| Some(OsString::from(value))));
        assert!(locale("", "", "en_US.UTF-8"));
        assert!(locale("C.utf8", "", "C"));
        assert!(!locale("C", "", "en_US.UTF-8"));
        assert!(!locale("", "", ""));
        assert!(!is_utf8([None, None, None]));
    }
}
