//! The examples of the help: each is in the help of its command, and runs and ends as its table says.

use std::process::Stdio;

use clap::Command as Clap;
use hookscope::cli::examples::{EXAMPLES, Ends, Example};
use hookscope::cli::help;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;

use super::Home;
use crate::faults::server::{KEY, Listing, Server};
use crate::pty::session::{Exit, HOOKSCOPE, Setup};

/// Columns of a terminal in which an example keeps to one line.
const COLUMNS: usize = 80;
const OLD: &str = r#"[{"id":"a","url":"https://a.example.com/x?v=1","events":["call.completed"],"is_active":true,"created_at":"2024-03-01T10:00:00.000Z"}]"#;
const MAP: &str = "[events]\n\"call_ended\" = [\"call.completed\"]\n";

/// The lines of the examples in the help of a command and of those below it.
fn lines_of(command: &Clap, lines: &mut Vec<String>) {
    let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    assert!(help.contains("Examples:\n"), "{} has no examples", command.get_name());
    lines.extend(help.lines().filter_map(|line| line.strip_prefix("  $ ")).map(str::to_owned));
    command.get_subcommands().for_each(|below| lines_of(below, lines));
}

fn path() -> std::ffi::OsString {
    let program = std::path::Path::new(HOOKSCOPE).parent().unwrap().as_os_str().to_owned();
    let mut path = program;
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}

/// A home with the files that examples name.
fn home() -> Home {
    let home = Home::new();
    home.write("old.json", OLD);
    home.write("new.json", OLD.replace("/x", "/y"));
    home.write("map.toml", MAP);
    for name in ["cache/hookscope/x", ".config/fish/completions/x"] {
        home.write(name, "");
    }
    home
}

/// A line that a shell runs.
fn shell(home: &Home, line: &str, base_url: &str, key: &str) -> Command {
    let mut command = home.command(&[]);
    let mut shell = Command::new("bash");
    for (name, value) in command.as_std_mut().get_envs() {
        shell.env(name, value.unwrap());
    }
    let script = format!("set -o pipefail; {line}");
    shell.args(["--noprofile", "--norc", "-c", &script]).current_dir(home.path("."));
    shell.env("PATH", path()).env("EDITOR", "true").env("DIALNEXA_BASE_URL", base_url).env("DIALNEXA_API_KEY", key);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    shell
}

/// The demo API.
struct Demo {
    _child: Child,
    _lines: Lines<BufReader<ChildStdout>>,
    base_url: String,
    key: String,
}

impl Demo {
    async fn serve(home: &Home) -> Self {
        let mut child = home.command(&["demo", "serve"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut exported = Vec::new();
        for name in ["DIALNEXA_BASE_URL", "DIALNEXA_API_KEY"] {
            let line = lines.next_line().await.unwrap().unwrap();
            exported.push(line.strip_prefix(&format!("export {name}=")).unwrap().to_owned());
        }
        let key = exported.pop().unwrap();
        Self { _child: child, _lines: lines, base_url: exported.pop().unwrap(), key }
    }
}

/// Ends a command once it has printed a line or sent a request.
async fn interrupt(example: &Example) {
    let (asked, mut requests) = mpsc::unbounded_channel();
    let server = Server::start(move |request| {
        asked.send(()).unwrap();
        Listing::of(2).reply(request)
    })
    .await;
    let home = home();
    let mut command = shell(&home, &format!("exec {}", example.line), &server.base_url(), KEY);
    let mut child = command.process_group(0).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    tokio::select! {
        _ = requests.recv() => {}
        line = lines.next_line() => assert!(line.unwrap().is_some(), "{} printed nothing", example.line),
    }
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process_group(pid, Signal::INT).unwrap();
    let status = child.wait().await.unwrap();
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    assert_eq!(signal.map_or(status.code(), |signal| Some(128 + signal)), Some(130), "{}", example.line);
}

fn quit(example: &Example) {
    let script = format!("PATH=\"${{0%/*}}:$PATH\"; {}", example.line);
    let mut session = Setup::bash(&script).start();
    session.wait_text("1,200");
    session.type_keys("q");
    assert_eq!(session.exit_and_drain(), Exit::Code(0), "{}", example.line);
}

#[test]
fn the_help_has_the_examples_of_the_table() {
    let mut lines = Vec::new();
    lines_of(&help::command(Some(COLUMNS)), &mut lines);
    let all = EXAMPLES.iter().flat_map(|(_, examples)| examples.iter());
    assert!(all.clone().all(|example| lines.iter().any(|line| line == example.line)));
    assert_eq!(lines.len(), all.clone().count());
    for example in all {
        assert!(example.line.len() + "  $ ".len() <= COLUMNS, "{} is wrapped", example.line);
        assert!(example.line.contains("hookscope") && !example.about.ends_with('.'), "{example:?}");
    }
}

#[tokio::test]
async fn every_example_runs_and_ends_as_the_table_says() {
    let served = home();
    let demo = Demo::serve(&served).await;
    let mut wrong = Vec::new();
    for example in EXAMPLES.iter().flat_map(|(_, examples)| examples.iter()) {
        match example.ends {
            Ends::With(code) => {
                let home = home();
                let output = shell(&home, example.line, &demo.base_url, &demo.key).output().await.unwrap();
                if output.status.code() != Some(code.into()) {
                    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
                    wrong.push((example.line, output.status.code(), stderr));
                }
            }
            Ends::Interrupted => interrupt(example).await,
            Ends::Quit => quit(example),
            // Tests reach no other hosts.
            Ends::Elsewhere => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
