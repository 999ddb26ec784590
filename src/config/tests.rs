use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use ratatui::style::Color;
use tempfile::TempDir;

use super::loaded::FILE;
use super::*;
use crate::base::base_url::BaseUrl;
use crate::base::text::Safe;
use crate::keymap::{ACTIONS, Keymap};

const EXAMPLE: &str = include_str!("../../config.example.toml");
/// A value in the shape of a key, which no message may contain.
const SENTINEL: &str = "SENTINEL-KEY";

/// A directory with a config file in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(config: &str) -> Self {
        let place = Self::new();
        place.write(FILE, config, 0o600);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(name);
        // An existing one may be read-only.
        drop(fs::remove_file(&path));
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn load(&self) -> Result<Config, ConfigError> {
        load(&self.path(FILE))
    }
}

fn load(path: &Path) -> Result<Config, ConfigError> {
    Config::load(Some(path), &Environment::default())
}

fn parse(config: &str) -> Result<Config, ConfigError> {
    Place::with(config).load()
}

fn profile(name: &str) -> WorkspaceOptions {
    WorkspaceOptions { profile: Some(name.to_owned()), ..WorkspaceOptions::default() }
}

fn at(base_url: &str) -> WorkspaceOptions {
    WorkspaceOptions { base_url: Some(base_url.to_owned()), ..WorkspaceOptions::default() }
}

fn with_key(key: &str) -> Environment {
    Environment { api_key: Some(key.into()), ..Environment::default() }
}

/// The complete text of an error, in every form in which it could be shown.
fn everything(error: &ConfigError) -> String {
    format!("{error}\n{}\n{error:?}", advice(error))
}

fn advice(error: &ConfigError) -> &str {
    error.advice.as_ref().map_or("", Safe::as_str)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

mod sample {
    use super::*;

    /// The sample config with the wanted lines uncommented. Prose has a space after the `#`.
    fn uncommented(wanted: impl Fn(&str) -> bool) -> String {
        let live = |line: &'static str| match line.strip_prefix('#') {
            Some(code) if !code.is_empty() && !code.starts_with(' ') && wanted(code) => code,
            _ => line,
        };
        EXAMPLE.lines().map(live).collect::<Vec<_>>().join("\n")
    }

    /// Prefixes of the lines that show a sample instead of a default: keys, profiles, certificates and waivers.
    const WITHOUT_DEFAULT: [&str; 5] = ["api_key", "default_profile", "[profiles.", "color = \"red\"", "ca_file"];
    const WAIVER: [&str; 6] = ["[[audit.allow]]", "rule = ", "webhook = ", "url = ", "reason = ", "expires = "];

    #[test]
    fn the_file_is_generated_from_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config.example.toml");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(path, example()).unwrap();
        }
        assert_eq!(fs::read_to_string(path).unwrap(), example(), "UPDATE_DOCS=1 rewrites it");
    }

    #[test]
    fn it_is_the_defaults_commented_and_uncommented() {
        let has_default = |code: &str| !WITHOUT_DEFAULT.iter().chain(&WAIVER).any(|start| code.starts_with(start));
        for text in [EXAMPLE.to_owned(), uncommented(has_default)] {
            let config = parse(&text).unwrap();
            assert_eq!(config.network, NetworkConfig::default());
            assert_eq!((&config.ui, config.theme), (&UiConfig::default(), ThemeConfig::default()));
            assert_eq!(config.audit, AuditConfig::default());
            for entry in ACTIONS {
                assert_eq!(config.keymap.keys(entry.action), Keymap::default().keys(entry.action), "{}", entry.name);
            }
            assert_eq!(config.stored_workspace(None).unwrap().base_url().unwrap().0, BaseUrl::default());
            assert!(config.top.key.is_none() && config.profiles.is_empty() && config.default_profile.is_none());
        }
    }

    #[test]
    fn its_waiver_names_a_webhook_or_a_url() {
        for other in ["webhook = ", "url = "] {
            let config = uncommented(|code| WAIVER.iter().any(|start| code.starts_with(start)) && !code.starts_with(other));
            let config = parse(&config).unwrap();
            assert_eq!(config.audit.allow.len(), 1);
            assert!(config.audit.allow[0].expires.is_some());
        }
    }

    #[test]
    fn each_way_to_store_a_key_parses() {
        for name in ["api_key = ", "api_key_file = ", "api_key_command = [\"pass\", \"show\", \"dialnexa\"]"] {
            assert!(parse(&uncommented(|code| code.starts_with(name))).unwrap().top.key.is_some(), "{name}");
        }
        let config = parse(&uncommented(|code| code.starts_with("ca_file"))).unwrap();
        assert_ne!(config.network, NetworkConfig::default());
    }

    #[test]
    fn its_profiles_parse() {
        let first = EXAMPLE.lines().position(|line| line.starts_with("#default_profile")).unwrap();
        let lines: Vec<_> = EXAMPLE.lines().skip(first).map_while(|line| line.strip_prefix('#')).collect();
        let config = parse(&lines.join("\n")).unwrap();
        assert_eq!(config.default_profile.as_deref(), Some("production"));
        assert_eq!(config.profiles.keys().collect::<Vec<_>>(), ["production", "staging"]);
        assert!(config.profiles.values().all(|profile| profile.key.is_some()));
    }

    #[test]
    fn its_ranges_are_enforced() {
        let sections =
            [("network", NetworkConfig::keys()), ("ui", UiConfig::keys()), ("ui.theme", ThemeConfig::keys())].into_iter();
        let keys = sections.flat_map(|(section, keys)| keys.into_iter().map(move |key| (section, key)));
        let mut checked = 0;
        for (section, KeyHelp { name, range, .. }) in keys {
            let Some((first, last)) = range.map(std::ops::RangeInclusive::into_inner) else { continue };
            let parse = |number: i128| parse(&format!("[{section}]\n{name} = {number}\n"));
            for allowed in [first, last] {
                assert!(parse(allowed.into()).is_ok(), "{name} = {allowed}");
            }
            for wrong in [i128::from(first) - 1, i128::from(last) + 1] {
                let error = parse(wrong).unwrap_err().to_string();
                assert!(
                    error.contains(&format!("{section}.{name}: must be a whole number from {first} to {last}")),
                    "{error}"
                );
            }
            checked += 1;
        }
        assert_eq!(checked, 10, "numbers in the table");
    }

    #[test]
    fn it_names_the_words_that_can_be_chosen() {
        let prose: Vec<_> = EXAMPLE
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .flat_map(|line| line.split([' ', ',', '"', '.']))
            .collect();
        for (section, key) in [("ui", "time"), ("ui", "clipboard"), ("ui.theme", "accent"), ("audit.severity", "no-events")]
        {
            let error = parse(&format!("[{section}]\n{key} = \"no-such-word\"\n")).unwrap_err().to_string();
            let (_, words) = error.split_once("must be one of ").unwrap();
            for word in words.split(", ") {
                assert!(prose.contains(&word), "{section}.{key}: {word}");
                assert!(parse(&format!("[{section}]\n{key} = \"{word}\"\n")).is_ok(), "{section}.{key}: {word}");
            }
        }
    }

    /// The valid keys of a section, taken from the advice about an invalid one.
    fn known_in(lines: &str) -> Vec<String> {
        let error = parse(&format!("{lines}\nno-such-key = 1\n")).unwrap_err();
        let known = advice(&error).strip_prefix("Known keys here: ").unwrap_or_else(|| panic!("{lines}: {error}"));
        known.split(", ").map(str::to_owned).collect()
    }

    #[test]
    fn it_shows_the_keys_of_the_top_level_of_profiles_and_of_waivers() {
        let waiver = "[[audit.allow]]\nrule = 'no-events'\nwebhook = 'a'\nreason = 'x'";
        for key in ["", "[profiles.production]", waiver].into_iter().flat_map(known_in) {
            let starts = [format!("#{key} = "), format!("[{key}]"), format!("#[{key}.")];
            assert!(EXAMPLE.lines().any(|line| starts.iter().any(|start| line.starts_with(start))), "{key}");
        }
    }
}

mod workspace {
    use super::*;

    const PROFILES: &str = "
        api_key = 'id:top'
        default_profile = 'production'
        [profiles.production]
        api_key = 'id:production'
        [profiles.staging]
        api_key_file = 'staging.key'
        [profiles.tools]
        api_key_command = ['printf', 'id:tools']
        [profiles.plain]
    ";

    fn place() -> Place {
        let place = Place::with(PROFILES);
        place.write("staging.key", "id:staging\n", 0o600);
        place
    }

    async fn chosen(config: &Config, selection: &WorkspaceOptions, env: &Environment) -> (String, String, KeySource) {
        let connection = config.connection(selection, env).await.unwrap();
        (connection.profile.to_string(), connection.api.key.expose().to_owned(), connection.key_source)
    }

    #[tokio::test]
    async fn a_key_of_the_environment_wins_over_the_profile_and_that_over_the_top() {
        let place = place();
        let config = place.load().unwrap();
        for (name, key) in
            [("production", "id:production"), ("staging", "id:staging"), ("tools", "id:tools"), ("plain", "id:top")]
        {
            let selection = profile(name);
            let (stored, given) = (Environment::default(), with_key(" id:env\n"));
            let source = if name == "tools" { KeySource::Command } else { KeySource::Config };
            assert_eq!(chosen(&config, &selection, &stored).await, (name.into(), key.into(), source));
            assert_eq!(chosen(&config, &selection, &given).await, (name.into(), "id:env".into(), KeySource::Environment));
        }
    }

    #[tokio::test]
    async fn the_option_wins_over_the_variable_and_that_over_the_default_profile() {
        let place = place();
        let config = place.load().unwrap();
        let variable = Environment { profile: Some("plain".into()), ..Environment::default() };
        for (selection, env, name) in [
            (WorkspaceOptions::default(), Environment::default(), "production"),
            (WorkspaceOptions::default(), variable.clone(), "plain"),
            (profile("tools"), variable, "tools"),
        ] {
            assert_eq!(chosen(&config, &selection, &env).await.0, name);
        }
    }

    #[tokio::test]
    async fn the_top_level_is_the_default_profile_when_none_is_named() {
        let config = parse("api_key = 'id:top'\n[profiles.other]\napi_key = 'id:other'").unwrap();
        let env = Environment::default();
        let expected = ("default".into(), "id:top".into(), KeySource::Config);
        assert_eq!(chosen(&config, &WorkspaceOptions::default(), &env).await, expected);
        let (name, key, source) = chosen(&Config::default(), &WorkspaceOptions::default(), &with_key("id:env")).await;
        assert_eq!((name.as_str(), key.as_str(), source), ("default", "id:env", KeySource::Environment));
    }

    #[tokio::test]
    async fn an_unknown_profile_names_those_there_are() {
        let config = parse(PROFILES).unwrap();
        let variable = Environment { profile: Some("prod".into()), ..Environment::default() };
        for (selection, env, start) in [
            (profile("prod"), Environment::default(), "--profile: unknown profile prod"),
            (WorkspaceOptions::default(), variable, "HOOKSCOPE_PROFILE: unknown profile prod"),
            // A key does not make up for an unknown profile.
            (profile("Production"), with_key("id:env"), "--profile: unknown profile Production"),
        ] {
            let error = config.connection(&selection, &env).await.unwrap_err();
            assert_eq!(error.to_string(), start);
            assert_eq!(advice(&error), "Profiles: plain, production, staging, tools");
        }
        let error = Config::default().connection(&profile("x"), &with_key("id:env")).await.unwrap_err();
        assert!(advice(&error).contains("add a section [profiles.NAME]"), "{error}");
    }

    #[test]
    fn a_default_profile_that_is_not_there_is_an_error_with_its_line() {
        let error = parse("\ndefault_profile = 'prod'\n[profiles.a]\n[profiles.b]\n").unwrap_err();
        assert!(error.to_string().ends_with("config.toml:2: default_profile: no such profile"), "{error}");
        assert_eq!(advice(&error), "Profiles: a, b");
        assert!(parse("default_profile = 'prod'").is_err());
    }

    #[test]
    fn two_keys_at_one_level_are_an_error_and_at_two_levels_none() {
        let ways = ["api_key = 'id:a'", "api_key_file = 'b'", "api_key_command = ['c']"];
        for first in ways {
            for second in ways.iter().filter(|&&second| second != first) {
                for header in ["", "[profiles.p]\n"] {
                    let error = parse(&format!("{header}{first}\n{second}\n")).unwrap_err().to_string();
                    assert!(error.contains("config.toml:"), "{error}");
                    assert!(error.contains("only one of api_key, api_key_file and api_key_command"), "{error}");
                }
                assert!(parse(&format!("{first}\n[profiles.p]\n{second}\n[profiles.q]\n{first}\n")).is_ok());
            }
        }
    }

    #[tokio::test]
    async fn without_a_key_the_advice_says_where_to_put_one() {
        let env = Environment::default();
        let place = Place::with("[profiles.p]");
        let config = place.load().unwrap();
        let error = config.connection(&profile("p"), &env).await.unwrap_err();
        assert_eq!(error.to_string(), "no API key for profile p");
        assert!(advice(&error).contains(place.path(FILE).to_str().unwrap()), "{}", advice(&error));
        let error = config.connection(&WorkspaceOptions::default(), &env).await.unwrap_err();
        assert!(advice(&error).contains("--profile (p)"), "{}", advice(&error));
        // Without a home directory, no config is found.
        let error = Config::default().connection(&WorkspaceOptions::default(), &env).await.unwrap_err();
        assert!(advice(&error).contains("DIALNEXA_API_KEY"), "{}", advice(&error));
    }

    #[tokio::test]
    async fn a_key_of_the_environment_that_is_none_is_an_error() {
        let config = parse("api_key = 'id:top'").unwrap();
        let not_utf8 = OsString::from_vec(b"id:SENTINEL-KEY\xff".to_vec());
        for value in ["".into(), " \t\n".into(), "id: SENTINEL-KEY".into(), "SENTINEL-KEY\u{7f}".into(), not_utf8] {
            let env = Environment { api_key: Some(value), ..Environment::default() };
            let error = config.connection(&WorkspaceOptions::default(), &env).await.unwrap_err();
            assert!(error.to_string().starts_with("DIALNEXA_API_KEY: the API key "), "{error}");
            assert!(!everything(&error).contains(SENTINEL), "{error}");
        }
    }

    #[tokio::test]
    async fn settings_reach_the_connection() {
        let config =
            parse("api_key = 'id:top'\n[network]\ntimeout = 7\nretries = 0\npage_size = 0x10\nproxy = 'none'").unwrap();
        let connection = config.connection(&WorkspaceOptions::default(), &Environment::default()).await.unwrap();
        assert_eq!(connection.api.timeout.as_secs(), 7);
        assert_eq!((connection.policy.retries, connection.policy.page_size), (0, 16));
        assert_eq!((connection.api.proxy, config.network.proxy), (None, ProxySetting::None));
    }

    #[tokio::test]
    async fn an_empty_name_of_a_config_file_is_an_error() {
        let env = Environment { config: Some(PathBuf::new()), ..Environment::default() };
        assert_eq!(Config::load(None, &env).unwrap_err().to_string(), "HOOKSCOPE_CONFIG: it is empty");
    }
}

mod binding {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum KeyAt {
        Top,
        Profile,
        Both,
        Environment,
    }

    /// An address, and a name for its origin.
    type Address = Option<(&'static str, &'static str)>;

    const VENDOR: (&str, &str) = ("https://api.dialnexa.com/v1", "vendor");
    const ADDRESSES: [Address; 6] = [
        None,
        Some(("https://a.example/v1", "a")),
        Some(("https://A.example:443/other/path", "a")),
        Some(("https://a.example:444/v1", "a:444")),
        Some(("https://b.example", "b")),
        Some(VENDOR),
    ];

    fn line(key: &str, address: Address) -> String {
        address.map_or_else(String::new, |(url, _)| format!("{key} = '{url}'\n"))
    }

    fn config(key_at: KeyAt, top: Address, profile: Address) -> Config {
        let key =
            |here: &[KeyAt], key: &str| if here.contains(&key_at) { format!("api_key = '{key}'\n") } else { String::new() };
        let top_key = key(&[KeyAt::Top, KeyAt::Both], "id:top");
        let profile_key = key(&[KeyAt::Profile, KeyAt::Both], "id:profile");
        let (top, profile) = (line("base_url", top), line("base_url", profile));
        parse(&format!("{top_key}{top}[profiles.p]\n{profile_key}{profile}")).unwrap()
    }

    fn given(address: Address) -> Option<String> {
        address.map(|(url, _)| url.to_owned())
    }

    /// The key that an address is allowed to receive: a stored key is bound to the address in effect at its own level.
    fn allowed(key_at: KeyAt, top: Address, profile: Address, target: &str) -> Option<&'static str> {
        let of_top = top.unwrap_or(VENDOR).1;
        let of_profile = profile.or(top).unwrap_or(VENDOR).1;
        let (key, home) = match key_at {
            KeyAt::Environment => return Some("id:env"),
            KeyAt::Top => ("id:top", of_top),
            KeyAt::Profile | KeyAt::Both => ("id:profile", of_profile),
        };
        (home == target).then_some(key)
    }

    #[tokio::test]
    async fn a_stored_key_goes_to_the_origin_of_its_own_level_and_to_no_other() {
        for key_at in [KeyAt::Top, KeyAt::Profile, KeyAt::Both, KeyAt::Environment] {
            for top in ADDRESSES {
                for profile in ADDRESSES {
                    let config = config(key_at, top, profile);
                    for option in ADDRESSES {
                        for variable in ADDRESSES {
                            check(&config, key_at, [top, profile, option, variable]).await;
                        }
                    }
                }
            }
        }
    }

    async fn check(config: &Config, key_at: KeyAt, addresses: [Address; 4]) {
        let case = format!("key at {key_at:?}, address at top, profile, option, variable: {addresses:?}");
        let [top, profile, option, variable] = addresses;
        let selection = WorkspaceOptions { profile: Some("p".into()), base_url: given(option) };
        let env = Environment {
            base_url: given(variable),
            api_key: (key_at == KeyAt::Environment).then(|| "id:env".into()),
            ..Environment::default()
        };
        let (url, origin) = option.or(variable).or(profile).or(top).unwrap_or(VENDOR);
        match (config.connection(&selection, &env).await, allowed(key_at, top, profile, origin)) {
            (Ok(connection), Some(key)) => {
                assert_eq!(connection.api.key.expose(), key, "{case}");
                assert_eq!(connection.api.base_url, BaseUrl::parse(url).unwrap(), "{case}");
            }
            (Err(error), None) => assert!(error.to_string().contains("nothing was sent"), "{case}: {error}"),
            (outcome, wanted) => panic!("{case}: {outcome:?}, but {wanted:?} was expected"),
        }
    }

    #[tokio::test]
    async fn every_way_to_store_a_key_is_bound() {
        for key in ["api_key = 'id:a'", "api_key_file = 'never-read'", "api_key_command = ['/never/run']"] {
            let config = parse(key).unwrap();
            let error = config.connection(&at("https://evil.example"), &Environment::default()).await.unwrap_err();
            assert!(error.to_string().contains("config.toml:1: the API key is stored for"), "{key}: {error}");
            assert!(advice(&error).contains("DIALNEXA_API_KEY"), "{key}: {error}");
        }
    }

    #[tokio::test]
    async fn another_scheme_or_port_is_another_place_and_another_path_is_not() {
        let config = parse("api_key = 'id:a'\nbase_url = 'https://localhost:8443/v1'").unwrap();
        let env = Environment::default();
        for allowed in ["https://localhost:8443", "https://LOCALHOST:8443/v2"] {
            assert!(config.connection(&at(allowed), &env).await.is_ok(), "{allowed}");
        }
        for refused in ["http://localhost:8443", "https://localhost", "https://127.0.0.1:8443", "https://localhost.:8443"] {
            let error = config.connection(&at(refused), &env).await.unwrap_err().to_string();
            // The message shows the part in which the addresses differ.
            let expected = format!("is stored for https://localhost:8443 and is not sent to {refused}: nothing was sent");
            assert!(error.contains(&expected), "{error}");
        }
    }

    #[tokio::test]
    async fn plain_http_is_for_loopback_from_every_source() {
        let stored = |url: &str| {
            [format!("base_url = '{url}'\napi_key = 'id:a'\n[profiles.p]"), format!("[profiles.p]\nbase_url = '{url}'")]
        };
        let selections = |url: &str| {
            let variable = Environment { base_url: Some(url.into()), ..with_key("id:env") };
            [(at(url), with_key("id:env")), (WorkspaceOptions::default(), variable)]
        };
        for url in ["http://localhost:1", "http://127.0.0.1", "http://127.9.9.9:80/v1", "http://[::1]:1"] {
            for config in stored(url) {
                assert!(parse(&config).is_ok(), "{config}");
            }
            for (selection, env) in selections(url) {
                assert!(Config::default().connection(&selection, &env).await.is_ok(), "{url}");
            }
        }
        for url in
            ["http://api.dialnexa.com", "http://10.0.0.1", "http://localhost.evil.example", "http://[::2]", "http://0.0.0.0"]
        {
            for config in stored(url) {
                let error = parse(&config).unwrap_err().to_string();
                assert!(error.contains("base_url: must start with https://"), "{config}: {error}");
            }
            for ((selection, env), source) in selections(url).into_iter().zip(["--base-url: ", "DIALNEXA_BASE_URL: "]) {
                let error = Config::default().connection(&selection, &env).await.unwrap_err().to_string();
                assert!(error.starts_with(source) && error.contains("must start with https://"), "{error}");
            }
        }
    }

    #[tokio::test]
    async fn an_empty_address_is_an_error_and_not_the_default() {
        let variable = Environment { base_url: Some(String::new()), ..with_key("id:env") };
        for (selection, env) in [(at(""), with_key("id:env")), (WorkspaceOptions::default(), variable)] {
            let error = Config::default().connection(&selection, &env).await.unwrap_err().to_string();
            assert!(error.ends_with(": it is empty"), "{error}");
        }
    }
}

mod files {
    use super::*;

    const WITH_KEY: &str = "api_key = 'id:SENTINEL-KEY'";

    #[test]
    fn a_config_with_a_key_is_for_its_owner_alone() {
        let place = Place::new();
        for text in [WITH_KEY, "[profiles.p]\napi_key = 'id:SENTINEL-KEY'"] {
            for mode in [0o600, 0o400, 0o700] {
                assert!(load(&place.write(FILE, text, mode)).is_ok(), "{mode:o}");
            }
            for mode in [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o777] {
                let path = place.write(FILE, text, mode);
                let error = load(&path).unwrap_err();
                assert!(error.to_string().contains("others can read it"), "{mode:o}: {error}");
                assert_eq!(advice(&error), format!("Run: chmod 600 {}", path.display()));
                assert!(!everything(&error).contains(SENTINEL));
            }
        }
    }

    #[test]
    fn the_chmod_can_be_pasted_into_a_shell() {
        let place = Place::new();
        let error = load(&place.write("my $(config).toml", WITH_KEY, 0o644)).unwrap_err();
        assert!(advice(&error).ends_with("/my $(config).toml'"), "{}", advice(&error));
    }

    #[test]
    fn a_config_without_a_key_is_nobodys_business() {
        let place = Place::new();
        for text in
            ["", "[ui]\nmouse = true", "api_key_file = 'x'", "api_key_command = ['x']\n[profiles.p]\napi_key_file = 'x'"]
        {
            assert!(load(&place.write(FILE, text, 0o644)).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_config_that_others_can_write_is_refused_whatever_it_holds() {
        let place = Place::new();
        for text in ["", "[ui]\nmouse = true", "api_key_command = ['x']", "base_url = 'https://x.example'"] {
            for mode in [0o664, 0o646, 0o666, 0o620, 0o602] {
                let path = place.write(FILE, text, mode);
                let error = load(&path).unwrap_err();
                assert!(error.to_string().ends_with("config.toml: its group or others can write to it"), "{error}");
                assert_eq!(advice(&error), format!("Run: chmod go-w {}", path.display()));
                // The target of the symlink is checked, not the link.
                let link = place.path("link.toml");
                drop(fs::remove_file(&link));
                symlink(&path, &link).unwrap();
                assert!(load(&link).is_err());
            }
            let path = place.write(FILE, text, 0o644);
            if is_root() && chown(&path, Some(65_534), None).is_ok() {
                let error = load(&path).unwrap_err();
                assert!(error.to_string().contains("belongs to another user (uid 65534)"), "{error}");
                assert_eq!(advice(&error), format!("Run as root: chown 0 {}", path.display()));
                fs::remove_file(&path).unwrap();
            }
        }
    }

    #[test]
    fn a_config_with_a_key_belongs_to_its_user() {
        let place = Place::with(WITH_KEY);
        // Only root can give a file away.
        if is_root() && chown(place.path(FILE), Some(65_534), None).is_ok() {
            let error = place.load().unwrap_err();
            assert!(error.to_string().contains("belongs to another user"), "{error}");
        }
    }

    #[test]
    fn what_is_no_config_file_is_an_error_and_no_hang() {
        let place = Place::new();
        let fifo = place.path("fifo");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let directory = place.0.path().to_owned();
        for path in [fifo, directory, "/dev/zero".into(), "/dev/null".into()] {
            let error = load(&path).unwrap_err().to_string();
            assert_eq!(error, format!("{}: not a regular file", path.display()));
        }
        let large = format!("{WITH_KEY}\n#{}", "x".repeat(1 << 20));
        for (content, wrong) in
            [(large.as_bytes(), "larger than 1024 KiB"), (b"api_key = 'id:SENTINEL-KEY\xff'", "not valid UTF-8")]
        {
            let error = load(&place.write("wrong.toml", content, 0o600)).unwrap_err();
            assert!(error.to_string().ends_with(&format!("wrong.toml: {wrong}")), "{error}");
            assert!(!everything(&error).contains(SENTINEL));
        }
        let missing = load(&place.path("missing.toml")).unwrap_err().to_string();
        assert!(missing.contains("missing.toml: No such file"), "{missing}");
    }

    #[test]
    fn the_largest_config_is_read() {
        let place = Place::new();
        let start = format!("{WITH_KEY}\n#");
        let text = format!("{start}{}", "x".repeat((1 << 20) - start.len()));
        assert!(load(&place.write(FILE, text, 0o600)).is_ok());
    }

    #[test]
    fn a_deep_config_is_an_error_and_no_crash() {
        for text in ["[".repeat(100_000), format!("a = {}", "[".repeat(100_000)), format!("a = {}", "{a=".repeat(100_000))] {
            assert!(parse(&text).is_err());
        }
        let path = "a.".repeat(100_000);
        for text in [format!("{path}a = 1"), format!("[{path}a]"), format!("[[{path}a]]"), format!("x = {{ {path}a = 1 }}")]
        {
            assert!(parse(&text).is_err());
        }
    }

    #[test]
    fn a_symlink_to_a_config_works_and_its_target_is_judged() {
        let place = Place::new();
        let target = place.write("real.toml", WITH_KEY, 0o600);
        symlink(&target, place.path(FILE)).unwrap();
        assert!(place.load().is_ok());
        place.write("real.toml", WITH_KEY, 0o644);
        assert!(place.load().is_err());
    }

    async fn key_file(mode: u32, content: &[u8]) -> Result<String, ConfigError> {
        // Relative to the config's directory, not the working directory.
        let place = Place::with("api_key_file = 'secrets/key'");
        fs::create_dir(place.path("secrets")).unwrap();
        place.write("secrets/key", content, mode);
        let connection = place.load()?.connection(&WorkspaceOptions::default(), &Environment::default()).await?;
        Ok(connection.api.key.expose().to_owned())
    }

    #[tokio::test]
    async fn a_key_file_is_for_its_owner_alone() {
        for mode in [0o600, 0o400] {
            assert_eq!(key_file(mode, b"id:SENTINEL-KEY\n").await.unwrap(), "id:SENTINEL-KEY");
        }
        for mode in [0o644, 0o640, 0o444, 0o666, 0o460] {
            let error = key_file(mode, b"id:SENTINEL-KEY\n").await.unwrap_err();
            assert!(error.to_string().contains("config.toml:1: api_key_file: "), "{mode:o}: {error}");
            assert!(advice(&error).starts_with("Run: chmod 600 /"), "{mode:o}: {}", advice(&error));
            assert!(advice(&error).ends_with("/secrets/key"), "{mode:o}: {}", advice(&error));
            assert!(!everything(&error).contains(SENTINEL));
        }
    }

    #[tokio::test]
    async fn a_mounted_secret_of_root_may_be_shared_through_its_group() {
        assert_eq!(key_file(0o440, b"id:a").await.is_ok(), is_root());
    }

    #[tokio::test]
    async fn a_key_file_of_another_user_is_refused() {
        let place = Place::with("api_key_file = 'key'");
        let key = place.write("key", "id:SENTINEL-KEY", 0o600);
        if is_root() && chown(&key, Some(65_534), None).is_ok() {
            let error =
                place.load().unwrap().connection(&WorkspaceOptions::default(), &Environment::default()).await.unwrap_err();
            assert!(error.to_string().contains("belongs to another user"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_key_file_without_a_key_is_an_error() {
        let long = "x".repeat(10_000);
        for content in
            [b"" as &[u8], b"\n", b"id:SENTINEL-KEY two", b"SENTINEL-KEY\xff", b"a\nSENTINEL-KEY", long.as_bytes()]
        {
            let error = key_file(0o600, content).await.unwrap_err();
            assert!(error.to_string().contains("config.toml:1: api_key_file: "), "{error}");
            assert!(!everything(&error).contains(SENTINEL), "{error}");
        }
        for path in ["/dev/zero", "/dev/null", ".", "missing"] {
            let config = parse(&format!("api_key_file = '{path}'")).unwrap();
            let error =
                config.connection(&WorkspaceOptions::default(), &Environment::default()).await.unwrap_err().to_string();
            assert!(error.contains("config.toml:1: api_key_file: "), "{path}: {error}");
        }
    }
}

mod silence {
    use super::*;

    /// The error of an invalid config, either when it is loaded or when its key is used.
    async fn mistake(config: &str) -> ConfigError {
        match parse(config) {
            Ok(config) => config.connection(&WorkspaceOptions::default(), &Environment::default()).await.unwrap_err(),
            Err(error) => error,
        }
    }

    /// Files with the key in a wrong place, and the line that the message must name.
    const HOSTILE: &[(&str, u32)] = &[
        // The right key name with an invalid value.
        ("api_key = ['kid:SENTINEL-KEY']", 1),
        ("api_key = { kid = 'SENTINEL-KEY' }", 1),
        ("api_key = [['kid:SENTINEL-KEY'], 1]", 1),
        ("api_key = 'kid: SENTINEL-KEY'", 1),
        ("api_key = 'kid:SENTINEL-KEY\u{e9}'", 1),
        ("api_key = '''\nkid:SENTINEL-KEY\nkid:SENTINEL-KEY'''", 1),
        ("api_key.kid = 'SENTINEL-KEY'", 1),
        ("[api_key]\nSENTINEL-KEY = 1", 1),
        ("[[api_key]]\nkid = 'SENTINEL-KEY'", 1),
        ("[profiles.p]\napi_key = ['kid:SENTINEL-KEY']", 2),
        // Not valid TOML.
        ("api_key = kid:SENTINEL-KEY", 1),
        ("api_key = SENTINEL-KEY", 1),
        ("api_key = 'kid:SENTINEL-KEY", 1),
        ("api_key = \"kid:SENTINEL-KEY", 1),
        ("api_key = \"kid:\\SENTINEL-KEY\"", 1),
        ("api_key = \"kid:\\uSENTINEL-KEY\"", 1),
        ("api_key = 'kid:SENTINEL-KEY' x", 1),
        ("api_key = 'kid:SENTINEL-KEY'SENTINEL-KEY", 1),
        ("api_key = 'kid:SENTINEL-KEY'\napi_key = 'kid:SENTINEL-KEY'", 2),
        ("api_key kid:SENTINEL-KEY", 1),
        ("api_key: kid:SENTINEL-KEY", 1),
        ("api_key = ", 1),
        ("\n\nkid:SENTINEL-KEY\n", 3),
        ("SENTINEL-KEY", 1),
        ("api_key = 0xSENTINEL-KEY", 1),
        ("api_key = 1979-SENTINEL-KEY", 1),
        ("api_key = 12SENTINEL-KEY", 1),
        ("api_key = [kid:SENTINEL-KEY", 1),
        ("[SENTINEL-KEY", 1),
        ("[profiles.kid:SENTINEL-KEY]", 1),
        ("export DIALNEXA_API_KEY=kid:SENTINEL-KEY", 1),
        // The key as a name.
        ("'kid:SENTINEL-KEY' = 1", 1),
        ("SENTINEL-KEY = 'api_key'", 1),
        ("\n[SENTINEL-KEY]", 2),
        ("['kid:SENTINEL-KEY']", 1),
        ("kid.SENTINEL-KEY = 1", 1),
        ("network.SENTINEL-KEY = 1", 1),
        ("[network]\n'kid:SENTINEL-KEY' = 1", 2),
        ("[ui.theme]\nSENTINEL-KEY = 'red'", 2),
        ("[keys]\nSENTINEL-KEY = ['j']", 2),
        ("[audit.severity]\nSENTINEL-KEY = 'much'", 2),
        ("[audit.severity]\n'kid:SENTINEL-KEY' = 1", 2),
        ("[profiles]\n'kid:SENTINEL-KEY' = 1", 2),
        ("[profiles.'kid:SENTINEL-KEY']\napi_key = 1", 2),
        ("default_profile = 'x'\n[profiles.'kid:SENTINEL-KEY']", 1),
        // The key as another value.
        ("profiles = 'kid:SENTINEL-KEY'", 1),
        ("[profiles]\napi_key = 'kid:SENTINEL-KEY'", 2),
        ("[profiles.p]\nkey = 'kid:SENTINEL-KEY'", 2),
        ("default_profile = 'kid:SENTINEL-KEY'", 1),
        ("default_profile = 'SENTINEL-KEY'\n[profiles.p]", 1),
        ("base_url = 'kid:SENTINEL-KEY'", 1),
        ("base_url = 'https://kid:SENTINEL-KEY@api.dialnexa.com/v1'", 1),
        ("base_url = 'https://api.dialnexa.com/v1?api_key=SENTINEL-KEY'", 1),
        ("base_url = 'http://api.dialnexa.com/SENTINEL-KEY'", 1),
        ("[profiles.p]\nbase_url = 'https://kid:SENTINEL-KEY@api.dialnexa.com'", 2),
        ("api_key_file = 'kid:SENTINEL-KEY'", 1),
        ("api_key_file = '/dev/null/SENTINEL-KEY'", 1),
        ("api_key_file = ['kid:SENTINEL-KEY']", 1),
        ("api_key_command = 'echo kid:SENTINEL-KEY'", 1),
        ("api_key_command = ['kid:SENTINEL-KEY']", 1),
        ("api_key_command = ['false', 'kid:SENTINEL-KEY']", 1),
        ("api_key_command = ['echo', 'kid: SENTINEL-KEY']", 1),
        ("api_key_command = ['', 'kid:SENTINEL-KEY']", 1),
        ("api_key_command = [['kid:SENTINEL-KEY']]", 1),
        ("api_key = 'kid:SENTINEL-KEY'\napi_key_command = ['kid:SENTINEL-KEY']", 2),
        ("network = 'kid:SENTINEL-KEY'", 1),
        ("[network]\ntimeout = 'kid:SENTINEL-KEY'", 2),
        ("[network]\nproxy = 'kid:SENTINEL-KEY'", 2),
        ("[network]\nproxy = 'ftp://kid:SENTINEL-KEY@proxy.example'", 2),
        ("api_key = 'kid:SENTINEL-KEY'\n[network]\nca_file = 'kid:SENTINEL-KEY'", 3),
        ("[ui]\ntime = 'kid:SENTINEL-KEY'", 2),
        ("[ui.theme]\naccent = 'kid:SENTINEL-KEY'", 2),
        ("[keys]\nquit = 'kid:SENTINEL-KEY'", 2),
        ("[keys]\nquit = ['kid:SENTINEL-KEY']", 2),
        ("[audit]\nretired = 'kid:SENTINEL-KEY'", 2),
        ("[audit.severity]\nno-events = 'kid:SENTINEL-KEY'", 2),
        ("[audit.severity]\n'kid:SENTINEL-KEY' = 'info'", 2),
        ("[audit]\nretired = ['kid: SENTINEL-KEY']", 2),
        ("[[audit.allow]]\nrule = 'kid:SENTINEL-KEY'", 2),
        ("[[audit.allow]]\nrule = 'no-events'\nwebhook = 'x'\nkid-SENTINEL-KEY = 1\nreason = 'x'", 4),
        ("[[audit.allow]]\nrule = 'no-events'\nurl = 'kid: SENTINEL-KEY'", 3),
        ("[[audit.allow]]\nrule = 'no-events'\nurl = 'a.example'\nreason = 'x'\nexpires = 'kid:SENTINEL-KEY'", 5),
    ];

    #[tokio::test]
    async fn a_mistake_names_the_line_and_never_quotes_it() {
        for (config, line) in HOSTILE {
            let error = mistake(config).await;
            let shown = everything(&error);
            assert!(!shown.contains("SENTINEL"), "{config}\n{shown}");
            assert!(error.to_string().contains(&format!("config.toml:{line}:")), "{config}\n{shown}");
        }
    }

    #[test]
    fn what_is_told_of_a_config_hides_what_looks_like_a_key() {
        // A path without a colon is treated as a path.
        let hostile = HOSTILE.iter().filter(|(config, _)| !config.contains("'/dev/null/"));
        let mut told = 0;
        for (text, _) in hostile {
            let Ok(config) = parse(text) else { continue };
            let key = config.stored_workspace(None).unwrap().key();
            let key = key.map(|key| (key.place.clone(), key.source(), key.shown()));
            let shown = format!("{:?}{:?}{:?}{key:?}", config.values(), config.profile_names(), config.default_profile());
            assert!(!shown.contains("SENTINEL"), "{text}\n{shown}");
            told += 1;
        }
        assert!(told >= 5, "{told}");
    }

    #[tokio::test]
    async fn a_list_of_profiles_hides_what_looks_like_a_key() {
        let config = parse("[profiles.'kid:SENTINEL-KEY']\n[profiles.p]").unwrap();
        for selection in [profile("x"), WorkspaceOptions::default()] {
            let error = config.connection(&selection, &Environment::default()).await.unwrap_err();
            assert!(!everything(&error).contains(SENTINEL), "{error:?}");
            assert!(advice(&error).contains("***, p"), "{error:?}");
        }
        let error = config.connection(&profile("kid:SENTINEL-KEY"), &Environment::default()).await.unwrap_err();
        assert_eq!(error.to_string(), "no API key for profile ***");
    }

    #[test]
    fn a_config_can_be_logged() {
        let config = parse("api_key = 'kid:SENTINEL-KEY'\n[profiles.p]\napi_key = 'kid:SENTINEL-KEY'").unwrap();
        assert!(!format!("{config:?}").contains(SENTINEL));
    }

    const BROKEN: &str = "
api_key = \"kid:SENTINEL-KEY\"
base_url = \"https://kid:SENTINEL-KEY@a.example\"
[profiles.p]
api_key_command = [\"kid:SENTINEL-KEY\"]
[network]
proxy = \"kid:SENTINEL-KEY\"
";

    proptest! {
        #[test]
        fn no_slip_of_the_fingers_shows_the_key(
            slips in proptest::collection::vec((0..BROKEN.len(), "[\\[\\]\"'=.:\n{}#, ]?"), 1..6),
        ) {
            let mut text = BROKEN.to_owned();
            for (at, typed) in slips {
                // The key itself stays whole, so that it can be searched for.
                let end = (at + 1).min(text.len());
                if text.get(at..end).is_some_and(|old| old.len() == 1 && !SENTINEL.contains(old)) {
                    text.replace_range(at..end, &typed);
                }
            }
            if let Err(error) = parse(&text) {
                let shown = everything(&error);
                prop_assert!(!shown.contains("SENTINEL"), "{text}\n{shown}");
            }
        }
    }
}

mod profiles {
    use super::*;

    const CONFIG: &str = "
        default_profile = 'production'
        [profiles.production]
        api_key = 'id:production'
        base_url = 'https://production.example'
        color = 'light-red'
        [profiles.plain]
        api_key = 'id:plain'
        colour = 'default'
        [profiles.staging]
        api_key_command = ['printf', 'id:staging']
        base_url = 'https://staging.example'
        color = 'cyan'
        [profiles.keyless]
    ";

    async fn profiles(config: &Config, selection: &WorkspaceOptions, env: &Environment) -> Profiles {
        let start = config.connection(selection, env).await.unwrap();
        Profiles::new(config, selection, env, &start).unwrap()
    }

    fn names(profiles: &Profiles) -> Vec<Option<&str>> {
        profiles.all().iter().map(|profile| profile.name.as_deref()).collect()
    }

    #[tokio::test]
    async fn each_is_described_with_its_host_and_its_colour() {
        let config = parse(CONFIG).unwrap();
        let profiles = profiles(&config, &WorkspaceOptions::default(), &Environment::default()).await;
        let told = |profile: &Profile| (profile.shown.to_string(), profile.host.to_string(), profile.colour, profile.asks);
        let told: Vec<_> = profiles.all().iter().map(told).collect();
        let profile = |name: &str, host: &str, colour, asks| (name.to_owned(), host.to_owned(), colour, asks);
        assert_eq!(
            told,
            [
                profile("keyless", "api.dialnexa.com", None, false),
                profile("plain", "api.dialnexa.com", None, false),
                profile("production", "production.example", Some(Color::LightRed), false),
                profile("staging", "staging.example", Some(Color::Cyan), true),
            ]
        );
        assert_eq!(profiles.start_at(), 2);
    }

    #[tokio::test]
    async fn what_was_given_for_the_start_applies_to_no_other() {
        let config = parse(CONFIG).unwrap();
        let env = Environment { base_url: Some("https://variable.example".into()), ..with_key("id:env") };
        for selection in [WorkspaceOptions::default(), at("https://option.example")] {
            let profiles = profiles(&config, &selection, &env).await;
            let staging = profiles.connection(3).await.unwrap();
            assert_eq!((staging.profile.as_str(), staging.key_source), ("staging", KeySource::Command));
            assert_eq!(staging.api.key.expose(), "id:staging");
            assert_eq!(staging.api.base_url.host().as_str(), "staging.example");
            let back = profiles.connection(profiles.start_at()).await.unwrap();
            assert_eq!((back.profile.as_str(), back.key_source), ("production", KeySource::Environment));
            assert_eq!(back.api.key.expose(), "id:env");
            assert!(["option.example", "variable.example"].contains(&back.api.base_url.host().as_str()));
            assert_eq!(profiles.all()[2].host, back.api.base_url.host());
            let error = profiles.connection(0).await.unwrap_err();
            assert_eq!(error.to_string(), "no API key for profile keyless", "a key of the environment is none for it");
        }
    }

    #[tokio::test]
    async fn the_command_of_the_start_runs_once_and_those_of_others_each_time() {
        let place = Place::new();
        let command = |name: &str| {
            let runs = place.path(name).display().to_string();
            format!("[profiles.{name}]\napi_key_command = ['sh', '-c', 'echo x >>{runs}; echo id:{name}']\n")
        };
        let config = parse(&format!("default_profile = 'a'\n{}{}", command("a"), command("b"))).unwrap();
        let profiles = profiles(&config, &WorkspaceOptions::default(), &Environment::default()).await;
        assert_eq!(profiles.all().iter().map(|profile| profile.asks).collect::<Vec<_>>(), [false, true]);
        for at in [1, 0, 1, 0] {
            profiles.connection(at).await.unwrap();
        }
        let runs = |name: &str| fs::read_to_string(place.path(name)).unwrap().lines().count();
        assert_eq!((runs("a"), runs("b")), (1, 2));
    }

    #[tokio::test]
    async fn the_top_level_is_one_of_them_where_a_run_without_a_profile_reads_it() {
        let read = parse("api_key = 'id:top'\n[profiles.a]\napi_key = 'id:a'").unwrap();
        let none = Environment::default();
        let variable = Environment { profile: Some("a".into()), ..Environment::default() };
        assert_eq!(names(&profiles(&read, &WorkspaceOptions::default(), &none).await), [None, Some("a")]);
        assert_eq!(names(&profiles(&read, &profile("a"), &none).await), [None, Some("a")]);
        assert_eq!(profiles(&read, &profile("a"), &none).await.start_at(), 1);
        assert_eq!(names(&profiles(&read, &WorkspaceOptions::default(), &variable).await), [Some("a")]);
        let shadowed = parse("api_key = 'id:top'\ndefault_profile = 'a'\n[profiles.a]").unwrap();
        assert_eq!(names(&profiles(&shadowed, &WorkspaceOptions::default(), &none).await), [Some("a")]);
        let keyless = parse("[profiles.a]\napi_key = 'id:a'").unwrap();
        assert_eq!(names(&profiles(&keyless, &profile("a"), &none).await), [Some("a")]);
        assert_eq!(names(&profiles(&keyless, &WorkspaceOptions::default(), &with_key("id:env")).await), [None, Some("a")]);
    }

    #[tokio::test]
    async fn a_key_of_the_top_level_is_bound_to_its_address() {
        let config = parse("api_key = 'id:top'\n[profiles.a]\n[profiles.b]\nbase_url = 'https://b.example'").unwrap();
        let selection = at("https://elsewhere.example");
        let profiles = profiles(&config, &selection, &with_key("id:env")).await;
        assert_eq!(profiles.connection(1).await.unwrap().api.key.expose(), "id:top");
        let error = profiles.connection(2).await.unwrap_err();
        assert!(error.brief().as_str().contains("is not sent to https://b.example: nothing was sent"), "{error}");
    }

    #[tokio::test]
    async fn a_name_that_looks_like_a_key_is_not_shown() {
        let config = parse("api_key = 'id:top'\n[profiles.'kid:SENTINEL-KEY']").unwrap();
        let profiles = profiles(&config, &WorkspaceOptions::default(), &Environment::default()).await;
        let shown: Vec<_> = profiles.all().iter().map(|profile| profile.shown.as_str()).collect();
        assert_eq!(shown, ["default", "***"]);
        assert_eq!(profiles.connection(1).await.unwrap().profile.as_str(), "***");
    }
}
