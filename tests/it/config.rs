//! The configuration as the program finds it: files that are wrong, the environment, and homes of every kind.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests: what fails here fails the test, and clippy allows that in test functions only"
)]

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// What must not be seen anywhere, in the shape of a key.
const KEY: &str = "kid:SENTINEL-KEY";

const XDG: [&str; 4] = ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"];

/// A home, a working directory and nothing of the real environment.
struct Sandbox(TempDir);

impl Sandbox {
    fn new() -> Self {
        let sandbox = Self(tempfile::tempdir().unwrap());
        for directory in ["home", "work", "xdg"] {
            fs::create_dir(sandbox.path(directory)).unwrap();
        }
        sandbox
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file that is the owner's alone.
    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        file.write_all(content.as_bytes()).unwrap();
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookscope"));
        command.args(arguments).env_clear().current_dir(self.path("work")).stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.path("home"));
        for name in XDG {
            command.env(name, self.path("xdg"));
        }
        command
    }

    /// A command that finds its directories below a home of its own.
    fn at_home(&self, home: &OsStr, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        for name in XDG {
            command.env_remove(name);
        }
        command.env("HOME", home);
        command
    }

    /// Commands without a usable home: nobody can write to the first two, not even root. The others would lead to the real
    /// home of whoever runs the tests, but for the other variables.
    fn homeless(&self, arguments: &[&str]) -> [Command; 4] {
        let mut empty = self.command(arguments);
        empty.env("HOME", "");
        let mut missing = self.command(arguments);
        missing.env_remove("HOME");
        let at = |home: &str| self.at_home(OsStr::new(home), arguments);
        [at("/dev/null"), at("/nonexistent/home"), empty, missing]
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// stderr of a command that ends with exit code 2 and writes no data.
fn refusal(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(text(&output.stdout), "", "{stderr}");
    assert!(stderr.starts_with("hookscope: ") && (1..=2).contains(&stderr.lines().count()), "{stderr}");
    assert!(!stderr.contains("SENTINEL"), "{stderr}");
    stderr
}

/// stdout of a command that succeeds in silence.
fn success(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_done(&output);
    text(&output.stdout)
}

fn assert_done(output: &Output) {
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}

/// Every file and directory below a directory.
fn tree(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(tree(&path));
        }
        found.push(path);
    }
    found
}

/// An API with an empty workspace. Its requests are looked at afterwards.
async fn empty_api() -> MockServer {
    let server = MockServer::start().await;
    let page = r#"{"data":[],"meta":{"page":1,"limit":100,"total":0}}"#;
    let answer = ResponseTemplate::new(200).set_body_raw(page, "application/json");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// The `Authorization` headers that reached a server; there is at least one request.
async fn authorizations(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    assert!(!requests.is_empty());
    let headers = requests.iter().map(|request| request.headers.get("authorization").unwrap().to_str().unwrap().to_owned());
    headers.collect()
}

async fn run(command: Command) -> Output {
    tokio::process::Command::from(command).output().await.unwrap()
}

mod invalid {
    use super::*;

    /// The line and the words of `# expect: LINE: words`.
    fn expectation(fixture: &str) -> (&str, &str) {
        let first = fixture.lines().next().and_then(|line| line.strip_prefix("# expect: "));
        first.and_then(|expected| expected.split_once(": ")).unwrap_or_else(|| panic!("no expectation in\n{fixture}"))
    }

    fn fixtures() -> Vec<PathBuf> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/invalid_configs");
        let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }

    #[test]
    fn each_is_refused_with_its_line_and_its_key() {
        let fixtures = fixtures();
        assert!(fixtures.len() >= 25);
        for path in fixtures {
            let name = path.file_stem().unwrap().to_string_lossy();
            let fixture = fs::read_to_string(&path).unwrap();
            let (line, words) = expectation(&fixture);
            let sandbox = Sandbox::new();
            let config = sandbox.write("xdg/hookscope/config.toml", &fixture);
            let stderr = refusal(&mut sandbox.command(&["list"]));
            let place = format!("hookscope: {}:{line}:", config.display());
            assert!(stderr.starts_with(&place), "{name}: line {line} is expected, but: {stderr}");
            assert!(stderr.contains(words), "{name}: {words:?} is expected, but: {stderr}");
        }
    }

    #[test]
    fn the_advice_lists_what_can_be_written_there() {
        for (config, known) in [
            ("[ui]\ncolour = true", "Known keys here: ascii, auto_load_limit, clipboard, mouse, refresh, theme, time"),
            ("[keys]\ndelete = ['d']", "Known keys here: acknowledge, auto-refresh, back, changes, copy,"),
            ("default_profile = 'x'\n[profiles.staging]", "Profiles: staging"),
        ] {
            let sandbox = Sandbox::new();
            sandbox.write("xdg/hookscope/config.toml", config);
            let stderr = refusal(&mut sandbox.command(&["list"]));
            assert!(stderr.contains(known), "{stderr}");
        }
    }

    #[test]
    fn a_config_with_a_key_that_others_can_read_is_refused() {
        let sandbox = Sandbox::new();
        let config = sandbox.write("xdg/hookscope/config.toml", &format!("api_key = '{KEY}'"));
        fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
        let stderr = refusal(&mut sandbox.command(&["list"]));
        assert!(stderr.contains(&format!("Run: chmod 600 {}", config.display())), "{stderr}");
    }

    #[test]
    fn a_wrong_config_is_wrong_for_the_demo_too() {
        let sandbox = Sandbox::new();
        sandbox.write("xdg/hookscope/config.toml", "[ui]\nmouse = 1");
        assert!(refusal(&mut sandbox.command(&["list", "--demo"])).contains("config.toml:2: ui.mouse: "));
    }
}

mod choice {
    use super::*;

    #[test]
    fn a_config_that_was_named_must_be_there() {
        let sandbox = Sandbox::new();
        let missing = sandbox.path("missing.toml");
        let named = missing.to_str().unwrap();
        let by_option = refusal(&mut sandbox.command(&["--config", named, "--demo", "list"]));
        let by_variable = refusal(sandbox.command(&["--demo", "list"]).env("HOOKSCOPE_CONFIG", named));
        for stderr in [by_option, by_variable] {
            assert!(stderr.starts_with(&format!("hookscope: {named}: No such file")), "{stderr}");
        }
    }

    #[test]
    fn an_empty_name_is_an_error() {
        let sandbox = Sandbox::new();
        let stderr = refusal(sandbox.command(&["--demo", "list"]).env("HOOKSCOPE_CONFIG", ""));
        assert_eq!(stderr, "hookscope: HOOKSCOPE_CONFIG: it is empty\nName a config file, or unset the variable.\n");
    }

    #[test]
    fn the_option_beats_the_variable_and_that_the_usual_place() {
        let sandbox = Sandbox::new();
        sandbox.write("xdg/hookscope/config.toml", "usual = 1");
        let by_variable = sandbox.write("variable.toml", "variable = 1");
        sandbox.write("work/option.toml", "option = 1");
        let run = |arguments: &[&str], variable: Option<&Path>| {
            let mut command = sandbox.command(arguments);
            refusal(command.envs(variable.map(|path| ("HOOKSCOPE_CONFIG", path))))
        };
        assert!(run(&["list"], None).contains("config.toml:1: usual: "));
        assert!(run(&["list"], Some(&by_variable)).contains("variable.toml:1: variable: "));
        // A relative name is below the working directory.
        let stderr = run(&["list", "--config", "option.toml"], Some(&by_variable));
        assert!(stderr.starts_with("hookscope: option.toml:1: option: "), "{stderr}");
    }

    #[test]
    fn a_profile_that_is_not_there_is_named_with_its_source() {
        let sandbox = Sandbox::new();
        sandbox.write("xdg/hookscope/config.toml", "[profiles.staging]\n[profiles.production]");
        let variable = refusal(sandbox.command(&["list"]).env("HOOKSCOPE_PROFILE", "nowhere"));
        assert!(variable.starts_with("hookscope: HOOKSCOPE_PROFILE: unknown profile nowhere\n"), "{variable}");
        let option = refusal(sandbox.command(&["list", "--profile", "elsewhere"]).env("HOOKSCOPE_PROFILE", "staging"));
        assert!(option.starts_with("hookscope: --profile: unknown profile elsewhere\n"), "{option}");
        for stderr in [variable, option] {
            assert!(stderr.ends_with("Profiles: production, staging\n"), "{stderr}");
        }
    }

    #[tokio::test]
    async fn the_variable_chooses_a_profile() {
        let server = empty_api().await;
        let sandbox = Sandbox::new();
        let config = format!("[profiles.staging]\napi_key = '{KEY}'\nbase_url = '{}'", server.uri());
        sandbox.write("xdg/hookscope/config.toml", &config);
        let mut command = sandbox.command(&["list"]);
        command.env("HOOKSCOPE_PROFILE", "staging");
        assert_done(&run(command).await);
        assert!(authorizations(&server).await.iter().all(|value| *value == format!("Bearer {KEY}")));
    }

    #[test]
    fn without_a_key_both_ways_to_one_are_named() {
        let sandbox = Sandbox::new();
        let stderr = refusal(&mut sandbox.command(&["list"]));
        let usual = sandbox.path("xdg/hookscope/config.toml");
        for words in ["no API key", usual.to_str().unwrap(), "hookscope config init", "DIALNEXA_API_KEY", "hookscope --demo"]
        {
            assert!(stderr.contains(words), "{stderr}");
        }
    }
}

mod key {
    use super::*;

    #[tokio::test]
    async fn each_way_to_store_it_leads_to_the_request() {
        let sandbox = Sandbox::new();
        sandbox.write("home/secrets/key", &format!("{KEY}\n"));
        sandbox.write("xdg/hookscope/key", KEY);
        for (i, stored) in [
            format!("api_key = '{KEY}'"),
            "api_key_file = 'key'".to_owned(),
            "api_key_file = '~/secrets/key'".to_owned(),
            format!("api_key_command = ['printf', '{KEY}']"),
        ]
        .into_iter()
        .enumerate()
        {
            let server = empty_api().await;
            let config = format!("{stored}\nbase_url = '{}'", server.uri());
            let config = sandbox.write(&format!("xdg/hookscope/{i}.toml"), &config);
            assert_done(&run(sandbox.command(&["list", "--config", config.to_str().unwrap()])).await);
            assert!(authorizations(&server).await.iter().all(|value| *value == format!("Bearer {KEY}")), "{stored}");
        }
    }

    #[tokio::test]
    async fn a_stored_one_is_not_sent_elsewhere() {
        let server = empty_api().await;
        let sandbox = Sandbox::new();
        sandbox.write("xdg/hookscope/config.toml", &format!("api_key = '{KEY}'"));
        let by_option = sandbox.command(&["list", "--base-url", &server.uri()]);
        let mut by_variable = sandbox.command(&["list"]);
        by_variable.env("DIALNEXA_BASE_URL", server.uri());
        for mut command in [by_option, by_variable] {
            assert!(refusal(&mut command).contains("nothing was sent"));
        }
        assert_eq!(server.received_requests().await.unwrap().len(), 0);
    }

    #[tokio::test]
    async fn that_of_the_environment_goes_where_the_user_says() {
        let server = empty_api().await;
        let sandbox = Sandbox::new();
        sandbox.write("xdg/hookscope/config.toml", "api_key = 'kid:stored'");
        let mut command = sandbox.command(&["list", "--base-url", &server.uri()]);
        command.env("DIALNEXA_API_KEY", KEY);
        assert_done(&run(command).await);
        assert!(authorizations(&server).await.iter().all(|value| *value == format!("Bearer {KEY}")));
    }

    #[tokio::test]
    async fn an_empty_one_in_the_environment_is_not_ignored() {
        let server = empty_api().await;
        let sandbox = Sandbox::new();
        sandbox.write("xdg/hookscope/config.toml", &format!("api_key = '{KEY}'\nbase_url = '{}'", server.uri()));
        for wrong in
            [OsStr::new(""), OsStr::new(" "), OsStr::new("kid: SENTINEL-KEY"), OsStr::from_bytes(b"SENTINEL-KEY\xff")]
        {
            let stderr = refusal(sandbox.command(&["list"]).env("DIALNEXA_API_KEY", wrong));
            assert!(stderr.starts_with("hookscope: DIALNEXA_API_KEY: "), "{stderr}");
        }
        assert_eq!(server.received_requests().await.unwrap().len(), 0);
    }

    #[test]
    fn the_demo_does_not_look_at_it() {
        let sandbox = Sandbox::new();
        for value in [OsStr::new(""), OsStr::from_bytes(b"\xff"), OsStr::new(KEY)] {
            let ids =
                success(sandbox.command(&["list", "--demo", "--limit", "2", "-o", "ids"]).env("DIALNEXA_API_KEY", value));
            assert_eq!(ids.lines().count(), 2);
        }
    }

    #[test]
    fn help_does_not_show_it() {
        let sandbox = Sandbox::new();
        for arguments in [&["--help"][..], &["-h"], &["list", "--help"], &["help", "list"], &["demo", "serve", "--help"]] {
            let help = success(sandbox.command(arguments).env("DIALNEXA_API_KEY", KEY));
            assert!(help.contains("Usage: hookscope") && !help.contains("SENTINEL"), "{help}");
        }
        let output = sandbox.command(&["list", "--no-such-option"]).env("DIALNEXA_API_KEY", KEY).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(!text(&output.stderr).contains("SENTINEL"));
    }
}

mod home {
    use super::*;

    const DEMO: &[&str] = &["list", "--demo", "--limit", "1", "-o", "ids"];

    #[test]
    fn the_demo_needs_none() {
        let sandbox = Sandbox::new();
        for mut command in sandbox.homeless(DEMO) {
            assert_eq!(success(&mut command).lines().count(), 1, "{command:?}");
        }
    }

    #[tokio::test]
    async fn a_key_of_the_environment_needs_none() {
        let server = empty_api().await;
        let sandbox = Sandbox::new();
        for mut command in sandbox.homeless(&["list"]) {
            command.env("DIALNEXA_API_KEY", KEY).env("DIALNEXA_BASE_URL", server.uri());
            assert_done(&run(command).await);
        }
    }

    #[tokio::test]
    async fn a_read_only_one_is_enough() {
        let server = empty_api().await;
        let sandbox = Sandbox::new();
        let config = format!("api_key = '{KEY}'\nbase_url = '{}'", server.uri());
        let config = sandbox.write("home/.config/hookscope/config.toml", &config);
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let home = sandbox.path("home");
        mode(&config, 0o400);
        mode(&home, 0o500);
        let outputs =
            [run(sandbox.at_home(home.as_os_str(), &["list"])).await, run(sandbox.at_home(home.as_os_str(), DEMO)).await];
        // So that the directory can be removed.
        mode(&home, 0o700);
        outputs.iter().for_each(assert_done);
    }

    #[test]
    fn a_relative_one_is_neither_read_nor_written() {
        let sandbox = Sandbox::new();
        // Whoever can write to the working directory must not configure the program.
        sandbox.write("work/home/.config/hookscope/config.toml", "planted = true");
        sandbox.write("work/.config/hookscope/config.toml", "planted = true");
        let before = tree(&sandbox.path("work"));
        for home in ["home", ".", "./home", "elsewhere"] {
            success(&mut sandbox.at_home(OsStr::new(home), DEMO));
            let stderr = refusal(&mut sandbox.at_home(OsStr::new(home), &["list"]));
            assert!(stderr.contains("no API key") && stderr.contains("hookscope config init --config FILE"), "{stderr}");
        }
        assert_eq!(tree(&sandbox.path("work")), before);
    }

    #[test]
    fn a_relative_config_home_is_not_read_either() {
        let sandbox = Sandbox::new();
        sandbox.write("work/xdg/hookscope/config.toml", "planted = true");
        success(sandbox.command(DEMO).env("XDG_CONFIG_HOME", "xdg"));
    }
}
