//! Switching to a profile whose key command asks a person: both use the one terminal.

use std::os::unix::fs::PermissionsExt;

use hookscope::demo::{self, DemoOptions, DemoServer};
use rustix::process::Signal;
use tokio::runtime::Runtime;

use super::session::{Exit, HOOKSCOPE, Session, Setup};

/// Asks for the key itself, as others do for a passphrase.
const ASKING: &str = r#"["sh", "-c", "printf 'passphrase? ' >&2; read -r key; printf %s \"$key\""]"#;

/// Two demo servers, as long as it lives.
struct Servers {
    _runtime: Runtime,
    servers: [DemoServer; 2],
}

impl Servers {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let server = |webhooks| DemoServer::start(DemoOptions { webhooks, ..DemoOptions::default() });
        let servers = runtime.block_on(async { [server(1_200).await.unwrap(), server(7).await.unwrap()] });
        Self { _runtime: runtime, servers }
    }

    /// The explorer on `production`, with 1,200 webhooks; `staging` has 7.
    fn explorer(&self) -> Session {
        self.explorer_with(ASKING)
    }

    fn explorer_with(&self, command: &str) -> Session {
        let [production, staging] = &self.servers;
        let setup = Setup::new(HOOKSCOPE, &[]).size(120, 30).env("DIALNEXA_API_KEY", demo::KEY).config(&format!(
            "default_profile = 'production'\n[ui]\nclipboard = 'screen'\n\
             [profiles.production]\nbase_url = '{}'\ncolour = 'red'\n\
             [profiles.staging]\nbase_url = '{}'\napi_key_command = {command}\n",
            production.base_url(),
            staging.base_url(),
        ));
        let session = setup.start();
        session.wait_rows();
        session
    }
}

#[test]
fn where_no_thread_can_be_started_a_line_says_so_and_the_rest_works() {
    let servers = Servers::start();
    let mut session = servers.explorer_with(r#"["printf", "%s", "any:other-secret"]"#);
    session.allow_no_more_threads();
    session.type_keys("w2");
    back_in_production(&mut session, "not switched to staging: cannot start a thread");
    session.type_keys("r");
    session.wait("the rows again", |seen| seen.line(0).contains("live"));
    quit(&mut session);
}

fn asked(session: &mut Session) {
    // Earlier questions stay on the shell's screen.
    let before = session.count("passphrase? ");
    session.type_keys("w2");
    session.wait("the question", |seen| !seen.screen().alternate_screen() && seen.count("passphrase? ") > before);
    session.assert_restored();
    session.look(|seen| assert!(seen.text().contains("getting the key of staging"), "{}", seen.text()));
}

fn back_in_production(session: &mut Session, why: &str) {
    // What there is to say may take the place of the position.
    session.wait(why, |seen| {
        let text = seen.text();
        seen.screen().alternate_screen() && text.contains(why) && text.contains("crm.northwind")
    });
    assert!(session.is_raw());
    session.look(|seen| assert!(seen.line(0).contains("production"), "{}", seen.text()));
    session.type_keys("j");
    session.wait_text(" 2/1,200");
}

fn quit(session: &mut Session) {
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    session.assert_restored();
}

#[test]
fn filters_are_remembered_from_session_to_session_for_each_config() {
    let servers = Servers::start();
    let home = tempfile::tempdir().unwrap();
    let [production, staging] = servers.servers.each_ref().map(DemoServer::base_url);
    let command = format!(r#"["printf", "%s", "{}"]"#, demo::KEY);
    let config = format!(
        "[profiles.production]\nbase_url = '{production}'\napi_key_command = {command}\n\
         [profiles.staging]\nbase_url = '{staging}'\napi_key_command = {command}\n"
    );
    let explorer = |profile: &str, name: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, &config).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        let setup = Setup::new(HOOKSCOPE, &["--profile", profile, "--config", path.to_str().unwrap()]);
        let mut session = setup.env("XDG_STATE_HOME", home.path().to_str().unwrap()).start();
        session.wait("the rows", |seen| seen.text().contains(" 1/"));
        session.type_keys("/");
        session
    };
    let mut session = explorer("production", "one.toml");
    // The end comes right behind it.
    session.type_keys("billing\rq");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    // Another config has filters of its own.
    let mut session = explorer("production", "other.toml");
    session.type_keys("\x1b[Acrm");
    session.wait_text(" / crm");
    session.type_keys("\rq");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
    let mut session = explorer("staging", "one.toml");
    session.type_keys("\x1b[A");
    session.wait_text(" / billing");
    session.type_keys("\rq");
    assert_eq!(session.exit_and_drain(), Exit::Code(0));
}

#[test]
fn what_is_typed_goes_to_the_command_and_then_to_the_explorer_again() {
    let servers = Servers::start();
    let mut session = servers.explorer();
    asked(&mut session);
    // Letters that are keys of the explorer too.
    session.type_keys(&format!("{}\n", demo::KEY));
    session.wait("the other workspace", |seen| seen.line(0).contains("staging") && seen.text().contains("1/7"));
    session
        .look(|seen| assert!(seen.screen().hide_cursor() && seen.screen().bracketed_paste() && !seen.text().contains("?_")));
    assert!(session.is_raw());
    session.type_keys("jj");
    session.wait_text(" 3/7");
    session.type_keys("yl");
    session.wait_text("env -u DIALNEXA_API_KEY hookscope --profile staging list");
    session.type_keys("qw1");
    session.wait("the first workspace", |seen| seen.line(0).contains("production") && seen.text().contains("1/1,200"));
    session.type_keys("yl");
    session.wait("the command", |seen| seen.text().trim_start().starts_with("hookscope list"));
    session.type_keys("q");
    session.wait_rows();
    quit(&mut session);
}

#[test]
fn ctrl_c_ends_the_command_and_not_the_explorer() {
    let servers = Servers::start();
    let mut session = servers.explorer();
    for _ in 0..3 {
        asked(&mut session);
        session.type_keys("\x03");
        session.wait("the explorer", |seen| seen.screen().alternate_screen() && seen.text().contains("/1,200"));
        session.wait("why", |seen| seen.text().contains("was stopped") || seen.text().contains("failed ("));
        assert!(session.is_raw());
    }
    session.type_keys("j");
    session.wait_text(" 2/1,200");
    quit(&mut session);
}

#[test]
fn a_command_that_ends_without_the_echo_leaves_the_terminal_as_it_was() {
    let servers = Servers::start();
    for (ending, typed) in [("read -r _; exit 1", "\nq\nqqq"), ("exec sleep 1000", "q\nq\x03")] {
        let command = format!(r#"["sh", "-c", "stty -echo; printf 'passphrase? ' >&2; {ending}"]"#);
        let mut session = servers.explorer_with(&command);
        session.type_keys("w2");
        session.wait("the question", |seen| !seen.screen().alternate_screen() && seen.text().contains("passphrase?"));
        // Nobody reads the last of it: it must not quit the explorer.
        session.type_keys(typed);
        session.wait("the explorer", |seen| seen.screen().alternate_screen() && seen.text().contains("/1,200"));
        session.type_keys("j");
        session.wait_text(" 2/1,200");
        quit(&mut session);
    }
}

#[test]
fn a_wrong_answer_leaves_the_old_workspace() {
    let servers = Servers::start();
    let mut session = servers.explorer();
    asked(&mut session);
    session.type_keys("no key\n");
    back_in_production(&mut session, "cannot switch to staging: api_key_command: ");
    quit(&mut session);
}

#[test]
fn a_signal_ends_both() {
    let servers = Servers::start();
    let mut session = servers.explorer();
    asked(&mut session);
    session.signal(Signal::TERM);
    assert_eq!(session.exit_and_drain(), Exit::Code(143));
    session.assert_restored();
}
