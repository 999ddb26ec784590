//! `hookscope config init|path|show` as a person and as a script see them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests: what fails here fails the test, and clippy allows that in test functions only"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What must not be seen anywhere, in the shape of a key.
const KEY: &str = "kid:SENTINEL-KEY";
const EXAMPLE: &str = include_str!("../../config.example.toml");

/// A home with nothing of the real environment.
struct Place(TempDir);

/// How a command ended, and what it said.
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The usual place.
    fn usual(&self) -> PathBuf {
        self.path("xdg/hookscope/config.toml")
    }

    fn with(config: &str) -> Self {
        let place = Self::new();
        fs::create_dir_all(place.usual().parent().unwrap()).unwrap();
        fs::write(place.usual(), config).unwrap();
        fs::set_permissions(place.usual(), fs::Permissions::from_mode(0o600)).unwrap();
        place
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookscope"));
        command
            .arg("config")
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.path("xdg"))
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(arguments))
    }
}

impl Ended {
    fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        for said in [&stdout, &stderr] {
            assert!(!said.contains("SENTINEL"), "the key is shown: {said}");
            assert!(!said.contains("panicked") && !said.contains('\u{1b}'), "{said}");
        }
        Self { code: output.status.code(), stdout, stderr }
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn only_the_config_itself_is_its_business() {
    let place = Place::new();
    for command in ["init", "path", "show"] {
        for option in [&["--demo"][..], &["--from", "x"], &["--all-profiles"]] {
            let ended = place.run(&[&[command], option].concat());
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
            assert!(ended.stderr.contains(option.first().unwrap()), "{}", ended.stderr);
        }
    }
    assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 0);
}

mod path {
    use super::*;

    #[test]
    fn it_is_one_line_whether_the_file_is_there_or_not() {
        let place = Place::new();
        let usual = format!("{}\n", place.usual().display());
        let ended = place.run(&["path"]);
        assert_eq!((ended.code, ended.stdout, ended.stderr.as_str()), (Some(0), usual, ""));
        let ended = Ended::of(place.command(&["path"]).env("HOOKSCOPE_CONFIG", "/x/variable.toml"));
        assert_eq!(ended.stdout, "/x/variable.toml\n");
        let mut command = place.command(&["path", "--config", "option.toml"]);
        assert_eq!(Ended::of(command.env("HOOKSCOPE_CONFIG", "/x/variable.toml")).stdout, "option.toml\n");
        // What is in the file does not matter.
        assert_eq!(Place::with("nonsense").run(&["path"]).code, Some(0));
    }

    #[test]
    fn without_a_home_there_is_none() {
        for home in ["", "relative", "/dev/null"] {
            let place = Place::new();
            let mut command = place.command(&["path"]);
            command.env_remove("XDG_CONFIG_HOME").env("HOME", home);
            if home.starts_with('/') {
                assert_eq!(Ended::of(&mut command).code, Some(0));
                continue;
            }
            let ended = Ended::of(command.env("XDG_CONFIG_HOME", "relative").env("HOME", "relative"));
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
            assert!(ended.stderr.contains("no home directory") && ended.stderr.contains("--config"), "{}", ended.stderr);
        }
    }
}

mod init {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_example_is_written_for_its_owner_alone() {
        let place = Place::new();
        let ended = place.run(&["init"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
        assert_eq!(fs::read_to_string(place.usual()).unwrap(), EXAMPLE);
        assert_eq!(
            (mode(&place.usual()), mode(&place.path("xdg/hookscope")), mode(&place.path("xdg"))),
            (0o600, 0o700, 0o700)
        );
        for words in [place.usual().to_str().unwrap(), "api_key", "hookscope doctor"] {
            assert!(ended.stderr.contains(words), "{}", ended.stderr);
        }
        assert_eq!(place.run(&["show"]).code, Some(0));
        let named = place.run(&["init", "-q", "--config", "named.toml"]);
        assert_eq!((named.code, named.stderr.as_str(), mode(&place.path("named.toml"))), (Some(0), "", 0o600));
    }

    #[test]
    fn what_is_there_is_replaced_by_force_only() {
        let place = Place::with("# mine");
        let ended = place.run(&["init"]);
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains("already exists") && ended.stderr.contains("--force"), "{}", ended.stderr);
        assert_eq!(fs::read_to_string(place.usual()).unwrap(), "# mine");
        assert_eq!(place.run(&["init", "--force"]).code, Some(0));
        assert_eq!(fs::read_to_string(place.usual()).unwrap(), EXAMPLE);
        assert_eq!(fs::read_dir(place.path("xdg/hookscope")).unwrap().count(), 2, "nothing else is left behind");
        let backup = place.path("xdg/hookscope/config.toml.bak");
        assert_eq!((fs::read_to_string(&backup).unwrap().as_str(), mode(&backup)), ("# mine", 0o600));
    }

    #[test]
    fn a_symlink_stays_one() {
        let place = Place::new();
        fs::create_dir_all(place.path("xdg/hookscope")).unwrap();
        symlink(place.path("dotfiles/hookscope.toml"), place.usual()).unwrap();
        assert_eq!(place.run(&["init"]).code, Some(0));
        assert_eq!(place.run(&["init"]).code, Some(2));
        assert_eq!(place.run(&["init", "--force"]).code, Some(0));
        assert!(place.usual().symlink_metadata().unwrap().is_symlink());
        assert_eq!((mode(&place.path("dotfiles/hookscope.toml")), mode(&place.path("dotfiles"))), (0o600, 0o700));
    }

    #[test]
    fn where_nothing_can_be_written_it_says_so() {
        let place = Place::new();
        for path in ["/dev/null/config.toml", "/proc/config.toml", "."] {
            let ended = place.run(&["init", "--force", "--config", path]);
            assert_eq!(ended.code, Some(4), "{}", ended.stderr);
            assert!(ended.stderr.contains("cannot write"), "{}", ended.stderr);
        }
    }

    #[test]
    fn one_of_many_wins() {
        let place = Place::new();
        let children: Vec<_> = (0..6)
            .map(|_| place.command(&["init", "-q"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
            .collect();
        let codes = children.into_iter().map(|mut child| child.wait().unwrap().code());
        assert_eq!(codes.filter(|code| *code == Some(0)).count(), 1);
        assert_eq!(fs::read_to_string(place.usual()).unwrap(), EXAMPLE);
    }
}

mod asking {
    use rustix::process::Signal;
    use rustix::termios::{LocalModes, tcgetattr};

    use super::*;
    use crate::faults::server::{Listing, Reply, Server, nobody};
    use crate::pty::session::{Exit, HOOKSCOPE, Seen, Session, Setup};

    const PROMPT: &str = "API key (";
    const QUESTION: &str = "[Y/n] ";

    fn start(place: &Place) -> Session {
        let path = place.path("config.toml");
        Setup::new(HOOKSCOPE, &["config", "init", "--config", path.to_str().unwrap()]).start()
    }

    fn wait_prompts(session: &Session, count: usize) {
        session.wait("the question", |seen| seen.count(PROMPT) == count);
        assert!(!tcgetattr(session.tty()).unwrap().local_modes.contains(LocalModes::ECHO));
    }

    /// Answers whether to check the key.
    fn answer(session: &mut Session, reply: &str) {
        session.wait("whether to check the key", |seen| seen.count(QUESTION) == 1);
        session.type_keys(&format!("{reply}\n"));
    }

    /// Waits for the end; nothing of the key was ever on the terminal, which is as it was.
    fn end(mut session: Session) -> (Exit, String) {
        let exit = session.exit_and_drain();
        session.assert_modes_restored();
        let said = session.look(|seen| String::from_utf8(seen.raw().to_vec()).unwrap());
        assert!(!said.contains("SENTINEL"), "{said}");
        (exit, said.replace(Seen::MARK, ""))
    }

    #[test]
    fn a_key_is_written_and_not_shown() {
        let place = Place::new();
        let mut session = start(&place);
        wait_prompts(&session, 1);
        session.type_keys(&format!("{KEY}\n"));
        answer(&mut session, "n");
        let (exit, said) = end(session);
        assert_eq!(exit, Exit::Code(0), "{said}");
        assert!(said.contains("Check the key against the API (api.dialnexa.com) now? [Y/n] "), "{said}");
        assert!(said.contains("hookscope doctor ") && !said.contains("The key"), "{said}");
        let written = fs::read_to_string(place.path("config.toml")).unwrap();
        assert_eq!(written, EXAMPLE.replace("#api_key = \"key_id:secret\"", &format!("api_key = \"{KEY}\"")));
        assert_eq!(mode(&place.path("config.toml")), 0o600);
        let shown = place.run(&["show", "--config", "config.toml"]);
        assert!(shown.stdout.contains("\napi_key = \"***\"") && shown.stdout.contains("id kid"), "{}", shown.stdout);
    }

    #[test]
    fn no_answer_is_no_key() {
        for answer in ["\n", "  \n", "\x04"] {
            let place = Place::new();
            let mut session = start(&place);
            wait_prompts(&session, 1);
            session.type_keys(answer);
            let (exit, said) = end(session);
            assert_eq!(exit, Exit::Code(0), "{said}");
            assert_eq!(fs::read_to_string(place.path("config.toml")).unwrap(), EXAMPLE);
        }
    }

    #[test]
    fn what_is_no_key_is_explained_and_asked_again() {
        let place = Place::new();
        let mut session = start(&place);
        for (i, wrong) in ["kid: SENTINEL-KEY", "SENTINEL\u{e9}"].into_iter().enumerate() {
            wait_prompts(&session, i + 1);
            session.type_keys(&format!("{wrong}\n"));
        }
        wait_prompts(&session, 3);
        session.type_keys(&format!("{KEY}\n"));
        answer(&mut session, "n");
        let (exit, said) = end(session);
        assert_eq!((exit, said.matches("Not a valid key: ").count()), (Exit::Code(0), 2), "{said}");
        assert!(fs::read_to_string(place.path("config.toml")).unwrap().contains(KEY));
    }

    #[test]
    fn the_form_of_the_key_is_checked() {
        for (wrong, why) in [
            ("SENTINEL-without-a-colon", "it must have the form key_id:secret"),
            (":SENTINEL-KEY", "it must have the form key_id:secret"),
            ("SENTINEL:short", "the secret after the colon must have at least 8 characters"),
            ("'kid:SENTINEL-KEY'", "in quotes"),
        ] {
            let place = Place::new();
            let mut session = start(&place);
            wait_prompts(&session, 1);
            session.type_keys(&format!("{wrong}\n"));
            wait_prompts(&session, 2);
            session.type_keys("\n");
            let (exit, said) = end(session);
            assert_eq!(exit, Exit::Code(0), "{said}");
            assert!(said.contains("Not a valid key: ") && said.contains(why), "{said}");
            assert!(!said.contains(QUESTION), "{said}");
            assert_eq!(fs::read_to_string(place.path("config.toml")).unwrap(), EXAMPLE);
        }
    }

    /// Types a key at the prompt of a config for an API, and answers the question.
    async fn checked(base_url: &str, reply: &str) -> (Exit, String, Place) {
        checked_with(base_url, &format!("{reply}\n"), &[]).await
    }

    /// As [`checked`], with options, and with the keys of the answer.
    async fn checked_with(base_url: &str, keys: &str, options: &[&str]) -> (Exit, String, Place) {
        let place = Place::new();
        let path = place.path("config.toml");
        let words = [&["config", "init", "--config", path.to_str().unwrap()], options].concat();
        let setup = Setup::new(HOOKSCOPE, &words);
        let mut session = setup.env("DIALNEXA_BASE_URL", base_url).start();
        let keys = keys.to_owned();
        let (exit, said) = tokio::task::spawn_blocking(move || {
            wait_prompts(&session, 1);
            session.type_keys(&format!("{KEY}\n"));
            session.wait("whether to check the key", |seen| seen.count(QUESTION) == 1);
            session.type_keys(&keys);
            end(session)
        })
        .await
        .unwrap();
        (exit, said, place)
    }

    #[tokio::test]
    async fn the_key_is_checked_with_one_request_if_the_user_agrees() {
        let bad = |status: &str| Reply::status(status, r#"{"statusCode":401,"message":"no","error":"no"}"#);
        for yes in ["", "y", "YES"] {
            let server = Server::start(|request| Listing::of(7).reply(request)).await;
            let (exit, said, place) = checked(&server.base_url(), yes).await;
            assert_eq!(exit, Exit::Code(0), "{said}");
            assert!(said.contains("The key works: 127.0.0.1:") && said.contains(" has 7 webhooks."), "{said}");
            assert_eq!(server.log().requests().count(), 1);
            let header = server.log().requests().next().unwrap().header("authorization").unwrap().to_owned();
            assert_eq!(header, format!("Bearer {KEY}"));
            let written = fs::read_to_string(place.path("config.toml")).unwrap();
            assert!(written.contains(&format!("\nbase_url = \"{}\"\n", server.base_url())), "{written}");
        }
        for (reply, code, words) in [
            (bad("401 Unauthorized"), 3, &["The key does not work: ", "401 unauthorized", "set api_key in the file"][..]),
            (bad("403 Forbidden"), 3, &["The key does not work: ", "403 forbidden", "permission to read webhooks"]),
            (bad("500 Internal Server Error"), 0, &["The key could not be checked: ", "500"]),
        ] {
            let server = Server::always(reply).await;
            let (exit, said, place) = checked(&server.base_url(), "y").await;
            assert_eq!(exit, Exit::Code(code), "{said}");
            assert!(words.iter().all(|words| said.contains(words)), "{said}");
            assert_eq!(server.log().requests().count(), 1);
            assert!(fs::read_to_string(place.path("config.toml")).unwrap().contains(KEY));
        }
    }

    #[tokio::test]
    async fn without_consent_or_network_the_key_is_written_all_the_same() {
        let server = Server::start(|request| Listing::of(1).reply(request)).await;
        for no in ["n", "no", "maybe"] {
            let (exit, said, place) = checked(&server.base_url(), no).await;
            assert_eq!(exit, Exit::Code(0), "{said}");
            assert!(!said.contains("The key") && said.contains("hookscope doctor "), "{said}");
            assert!(fs::read_to_string(place.path("config.toml")).unwrap().contains(KEY));
        }
        assert_eq!(server.log().connections, 0);
        let (exit, said, place) = checked(&nobody().await, "y").await;
        assert_eq!(exit, Exit::Code(0), "{said}");
        assert!(said.contains("The key could not be checked: ") && said.contains("connection refused"), "{said}");
        assert!(fs::read_to_string(place.path("config.toml")).unwrap().contains(KEY));
    }

    #[tokio::test]
    async fn the_end_of_the_input_is_no() {
        let server = Server::start(|request| Listing::of(1).reply(request)).await;
        for keys in ["\x04", "y\x04\x04", " \x04\x04"] {
            let (exit, said, place) = checked_with(&server.base_url(), keys, &[]).await;
            assert_eq!(exit, Exit::Code(0), "{said}");
            assert!(!said.contains("The key"), "{said}");
            assert!(fs::read_to_string(place.path("config.toml")).unwrap().contains(KEY));
        }
        assert_eq!(server.log().connections, 0);
    }

    #[tokio::test]
    async fn one_webhook_is_one_and_the_timeout_is_that_of_the_option() {
        let server = Server::start(|request| Listing::of(1).reply(request)).await;
        let (_, said, _) = checked(&server.base_url(), "").await;
        assert!(said.contains(" has 1 webhook."), "{said}");
        let gate = crate::faults::server::gate();
        let server = Server::start(move |request| Listing::of(1).reply(request).behind(&gate)).await;
        let (exit, said, _) = checked_with(&server.base_url(), "y\n", &["--timeout", "1"]).await;
        assert_eq!(exit, Exit::Code(0), "{said}");
        assert!(said.contains("timed out"), "{said}");
    }

    #[test]
    fn a_base_url_that_is_not_valid_is_told_before_any_question() {
        let place = Place::new();
        let mut command = place.command(&["init", "--config", "config.toml"]);
        let ended = Ended::of(command.env("DIALNEXA_BASE_URL", "http://example.com"));
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains("DIALNEXA_BASE_URL: must start with https://"), "{}", ended.stderr);
        assert!(!place.path("config.toml").exists());
    }

    #[test]
    fn after_three_wrong_answers_nothing_is_written() {
        let place = Place::new();
        let mut session = start(&place);
        for i in 1..=3 {
            wait_prompts(&session, i);
            session.type_keys("SENTINEL KEY\n");
        }
        let (exit, said) = end(session);
        assert_eq!(exit, Exit::Code(2), "{said}");
        assert!(!place.path("config.toml").exists());
    }

    #[test]
    fn a_signal_restores_the_echo_and_writes_nothing() {
        for (signal, code) in [
            (None, 130),
            (Some(Signal::INT), 130),
            (Some(Signal::TERM), 143),
            (Some(Signal::HUP), 129),
            (Some(Signal::QUIT), 131),
            (Some(Signal::USR1), 138),
            (Some(Signal::ALARM), 142),
        ] {
            let place = Place::new();
            let mut session = start(&place);
            wait_prompts(&session, 1);
            match signal {
                Some(signal) => session.signal(signal),
                // Ctrl-C, in the middle of the key.
                None => session.type_keys("kid:SENTINEL\x03"),
            }
            let (exit, said) = end(session);
            assert_eq!(exit, Exit::Code(code), "{said}");
            assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn nothing_is_asked_when_it_could_not_be_written() {
        let place = Place::new();
        fs::write(place.path("config.toml"), "# mine").unwrap();
        let (exit, said) = end(start(&place));
        assert_eq!(exit, Exit::Code(2));
        assert!(said.contains("already exists") && !said.contains(PROMPT), "{said}");
    }

    #[test]
    fn nobody_is_asked_who_cannot_see_the_question() {
        for script in [r#""$0" config init --config x 2>err"#, r#""$0" config init --config x </dev/null"#] {
            let mut session = Setup::bash(script).start();
            assert_eq!(session.exit_and_drain(), Exit::Code(0));
            assert_eq!(session.count(PROMPT), 0);
        }
    }
}

mod show {
    use std::collections::BTreeMap;

    use super::*;

    /// The value and the source of each line with a value, and the source of each without.
    fn lines(stdout: &str) -> BTreeMap<String, (Option<String>, String)> {
        let mut found = BTreeMap::new();
        for line in stdout.lines().filter(|line| !line.starts_with("# ")) {
            let (start, source) = line.rsplit_once("  # ").unwrap_or_else(|| panic!("no source: {line}"));
            let (key, value) = match start.trim_end().split_once(" = ") {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (start.trim_end().strip_prefix('#').unwrap().to_owned(), None),
            };
            assert!(found.insert(key, (value, source.to_owned())).is_none(), "twice: {line}");
        }
        found
    }

    fn shown(place: &Place, arguments: &[&str], env: &[(&str, &str)]) -> BTreeMap<String, (Option<String>, String)> {
        let mut command = place.command(&[&["show"], arguments].concat());
        let ended = Ended::of(command.envs(env.iter().copied()));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        lines(&ended.stdout)
    }

    /// Every key of the example, in order, by its full name. Profiles and waivers have no lines of their own.
    fn keys_of_the_example() -> Vec<(String, String)> {
        let mut section = String::new();
        let mut keys = Vec::new();
        for line in EXAMPLE.lines() {
            let code = line.strip_prefix('#').filter(|code| !code.starts_with(' ')).unwrap_or(line);
            if let Some(name) = code.strip_prefix('[').and_then(|code| code.strip_suffix(']')) {
                section = format!("{name}.");
            } else if let Some((key, value)) = code.split_once(" = ").filter(|_| !line.starts_with("# ")) {
                keys.push((format!("{section}{key}"), value.to_owned()));
            }
        }
        keys.retain(|(key, _)| !key.starts_with("profiles.") && !key.starts_with("[audit.allow]."));
        keys
    }

    #[test]
    fn every_key_of_the_example_is_there_in_its_order_and_with_its_default() {
        let place = Place::new();
        let first = place.run(&["show"]).stdout;
        assert_eq!(first, place.run(&["show"]).stdout);
        let found = lines(&first);
        let expected = keys_of_the_example();
        assert!(expected.len() > 50);
        for (key, value) in &expected {
            let (shown, source) = found.get(key).unwrap_or_else(|| panic!("{key} is not shown"));
            match shown {
                Some(shown) => assert_eq!((shown, source.as_str()), (value, "default"), "{key}"),
                None => assert!(source == "not set" || key == "api_key", "{key}: {source}"),
            }
        }
        let position = |key: &str| {
            let starts = |line: &&str| [format!("{key} = "), format!("#{key} ")].iter().any(|start| line.starts_with(start));
            first.lines().position(|line| starts(&line)).unwrap()
        };
        assert!(expected.iter().map(|(key, _)| position(key)).is_sorted());
        assert!(found.contains_key("audit.severity"));
        assert_eq!(found["audit.allow"], (Some("[]".to_owned()), "default".to_owned()));
        assert_eq!(found["api_key"], (None, "no API key".to_owned()));
        assert!(first.lines().next().unwrap().ends_with("default location, does not exist"), "{first}");
    }

    #[test]
    fn it_is_toml() {
        let place = Place::with(
            "[profiles.a]\nbase_url = 'https://x.example'\n[audit]\nknown_events = ['\"\\']\n\
             [[audit.allow]]\nrule = 'no-events'\nwebhook = '\"\\'\nreason = '\"'\nexpires = 2026-12-31\n",
        );
        let ended = place.run(&["show", "--profile", "a", "--timeout", "3"]);
        assert!(toml::de::DeTable::parse(&ended.stdout).is_ok(), "{}", ended.stdout);
    }

    #[test]
    fn each_value_has_its_source() {
        let place = Place::with(&format!(
            "api_key = '{KEY}'\ndefault_profile = 'a'\n[profiles.a]\nbase_url = 'https://a.example'\napi_key = 'ida:SENTINEL'\n\
             [profiles.b]\n[network]\nretries = 0\nproxy = 'http://bob:SENTINEL@proxy.example:1'\nca_file = 'ca.pem'\n\
             [ui]\ntime = 'utc'\n[ui.theme]\nerror = 'light-red'\n[keys]\nquit = ['Q']\n[audit]\nretired = ['*.old.example']\n\
             [audit.severity]\nno-events = 'error'\n",
        ));
        let config = place.usual().display().to_string();
        let at = |line: u32| format!("{config}:{line}");
        let found = shown(&place, &[], &[]);
        for (key, value, line) in [
            ("profile", "\"a\"", 2),
            ("default_profile", "\"a\"", 2),
            ("base_url", "\"https://a.example/v1\"", 4),
            ("network.retries", "0", 8),
            ("network.proxy", "\"http://***@proxy.example:1\"", 9),
            ("ui.time", "\"utc\"", 12),
            ("ui.theme.error", "\"light-red\"", 14),
            ("keys.quit", "[\"Q\", \"ctrl-c\"]", 16),
            ("audit.retired", "[\"*.old.example\"]", 18),
            ("audit.severity.no-events", "\"error\"", 20),
        ] {
            assert_eq!(found[key], (Some(value.to_owned()), at(line)), "{key}");
        }
        assert_eq!(found["api_key"], (Some("\"***\"".to_owned()), format!("{}, id ida", at(5))));
        assert_eq!(found["config"], (Some(format!("\"{config}\"")), "default location".to_owned()));
        assert!(found["network.ca_file"].0.as_ref().unwrap().ends_with("ca.pem\""));

        let env =
            [("HOOKSCOPE_PROFILE", "b"), ("DIALNEXA_BASE_URL", "https://x.example"), ("DIALNEXA_API_KEY", "env:SENTINEL")];
        let found = shown(&place, &[], &env);
        assert_eq!(found["profile"].1, "HOOKSCOPE_PROFILE");
        assert_eq!(found["base_url"], (Some("\"https://x.example/v1\"".to_owned()), "DIALNEXA_BASE_URL".to_owned()));
        assert_eq!(found["api_key"].1, "DIALNEXA_API_KEY, id env");
        let options = ["--profile", "a", "--base-url", "https://y.example", "--timeout", "7", "--config", &config];
        let found = shown(&place, &options, &env);
        for (key, source) in
            [("profile", "--profile"), ("base_url", "--base-url"), ("network.timeout", "--timeout"), ("config", "--config")]
        {
            assert_eq!(found[key].1, source);
        }
        assert_eq!(shown(&place, &[], &[("HOOKSCOPE_CONFIG", &config)])["config"].1, "HOOKSCOPE_CONFIG");
    }

    #[test]
    fn the_colour_is_that_of_the_profile() {
        let place = Place::with("[profiles.a]\ncolour = 'light-red'\n[profiles.b]\n");
        let found = shown(&place, &["--profile", "a"], &[]);
        assert_eq!(found["color"], (Some("\"light-red\"".to_owned()), format!("{}:2", place.usual().display())));
        assert_eq!(shown(&place, &["--profile", "b"], &[])["color"], (Some("\"default\"".to_owned()), "default".to_owned()));
        assert!(!shown(&place, &[], &[]).contains_key("color"), "only a profile has a color");
    }

    #[test]
    fn no_key_file_is_read_and_no_command_run() {
        let place = Place::with("api_key_file = '/dev/null/none'");
        let found = shown(&place, &[], &[]);
        assert_eq!(found["api_key_file"].0.as_deref(), Some("\"/dev/null/none\""));
        assert_eq!(found["api_key"], (None, "not set".to_owned()));
        let place = Place::with("api_key_command = ['touch', 'SENTINEL']");
        let found = shown(&place, &[], &[]);
        assert_eq!(found["api_key_command"].0.as_deref(), Some("[\"touch\"]"));
        assert!(!place.path("SENTINEL").exists());
        // A key that was pasted in the wrong place.
        for line in
            ["api_key_file = 'kid:SENTINEL'", "api_key_command = ['kid:SENTINEL']", "[network]\nca_file = 'kid:SENTINEL'"]
        {
            shown(&Place::with(line), &[], &[]);
        }
    }

    #[test]
    fn a_key_for_another_address_and_a_wrong_one_are_said() {
        let place = Place::with(&format!("api_key = '{KEY}'"));
        let ended = place.run(&["show", "--base-url", "https://x.example"]);
        let notes: Vec<_> = ended.stdout.lines().filter(|line| line.starts_with("# note: ")).collect();
        assert!(ended.code == Some(0) && notes.len() == 2, "{}", ended.stdout);
        assert!(notes[0].contains("is not sent to https://x.example"), "{}", ended.stdout);
        let found = shown(&place, &[], &[("DIALNEXA_API_KEY", "")]);
        assert_eq!(found["api_key"], (None, "DIALNEXA_API_KEY: the API key is empty".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_an_error_as_ever() {
        for (config, arguments) in [
            ("[ui]\nmouse = 1", &[][..]),
            ("", &["--profile", "x"]),
            ("", &["--base-url", "ftp://x"]),
            ("", &["--config", "x"]),
        ] {
            let ended = Place::with(config).run(&[&["show"], arguments].concat());
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{config}");
            assert!(ended.stderr.starts_with("hookscope: "), "{}", ended.stderr);
        }
    }
}
