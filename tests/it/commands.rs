//! The commands as scripts and people at a shell meet them: the real program, alone in a home of its own, against a mock of
//! the API or a file.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that cannot do its work fails the test"
)]

mod audit;
mod closed;
mod completions;
mod diff;
mod events;
mod examples;
mod filters;
mod formats;
mod from;
mod get;
mod help;
mod hosts;
mod kills;
mod limits;
mod man;
mod memory;
mod messages;
mod metrics;
mod options;
mod plan;
mod probe;
mod progress;
mod secrets;
mod snapshot;
mod streams;
mod sweeps;
mod usage;
mod watch;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::{Arc, Once};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::faults::server::{KEY, Reply, SECRET, Server};

/// What a command gets for its requests: one try each, so that a failure is told at once.
const ONCE: &str = "[network]\nretries = 0\n";

/// A home, and nothing of the real environment.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// With a config in its usual place.
    fn with_config(text: &str) -> Self {
        let home = Self::new();
        home.write("config/hookscope/config.toml", text);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file that is the owner's alone; commands are run where it is called by its name.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
        file.write_all(content.as_ref()).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A command that has no key and knows no API.
    fn command(&self, arguments: &[&str]) -> Command {
        heed_signals();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookscope"));
        command.args(arguments).env_clear().current_dir(self.0.path()).env("HOME", self.0.path());
        for name in ["CONFIG", "CACHE", "DATA", "STATE"] {
            command.env(format!("XDG_{name}_HOME"), self.path(&name.to_lowercase()));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// A command that talks to an API.
    fn at(&self, base_url: &str, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command.env("DIALNEXA_API_KEY", KEY).env("DIALNEXA_BASE_URL", base_url);
        command
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments)).await
    }
}

/// Has signals end the commands also where the tests ignore them, as behind `&` in a script or under `nohup`: a signal that is
/// caught here has its default again in what is started. Without /proc, nothing is known to be ignored.
fn heed_signals() {
    static HEEDED: Once = Once::new();
    HEEDED.call_once(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = mask.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap());
        for signal in [SIGHUP, SIGINT, SIGQUIT].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 1) {
            signal_hook::flag::register(signal, Arc::default()).unwrap();
        }
    });
}

/// How a command ended, and what it said.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ended {
    async fn of(mut command: Command) -> Self {
        Self::from(&command.spawn().unwrap().wait_with_output().await.unwrap())
    }

    /// Whatever happens, the key is not told, nothing panics, and nothing that a terminal acts on is on stderr.
    fn from(output: &Output) -> Self {
        let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8(bytes.clone()).unwrap());
        for text in [&stdout, &stderr] {
            assert!(!text.contains(SECRET), "the key is shown: {text}");
            assert!(!text.contains("panicked"), "{text}");
        }
        assert!(!stderr.contains(|c: char| c.is_control() && c != '\n'), "{stderr:?}");
        Self { code: output.status.code(), stdout, stderr }
    }

    /// stdout of a command that did all it was asked to, without a word.
    #[track_caller]
    fn data(&self) -> &str {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""));
        &self.stdout
    }

    fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }

    /// The words of a command that wrote no data, in one or two lines.
    #[track_caller]
    fn refusal(&self, code: i32) -> &str {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{}", self.stderr);
        assert!((1..=2).contains(&self.stderr.lines().count()), "{}", self.stderr);
        assert!(self.stderr.starts_with("hookscope: "), "{}", self.stderr);
        &self.stderr
    }

    /// Ended so, and said all of this on stderr.
    #[track_caller]
    fn says(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in {:?}", self.stderr);
        }
    }
}

/// Runs a command against an API.
async fn ask(server: &Server, arguments: &[&str]) -> Ended {
    Ended::of(Home::with_config(ONCE).at(&server.base_url(), arguments)).await
}

/// A section of the config, for a workspace of its own.
fn profile(name: &str, server: &Server) -> String {
    format!("[profiles.{name}]\napi_key = \"{KEY}\"\nbase_url = \"{}\"\n", server.base_url())
}

/// Runs a command whose stdin is this.
async fn feed(stdin: impl AsRef<[u8]>, arguments: &[&str]) -> Ended {
    let home = Home::new();
    let mut command = home.command(arguments);
    command.stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let output = tokio::join!(child.wait_with_output(), async move {
        // Whoever has seen enough reads no further.
        drop(pipe.write_all(stdin.as_ref()).await);
    });
    Ended::from(&output.0.unwrap())
}

/// A server of one page with these rows.
async fn serving(rows: &str) -> Server {
    let count = serde_json::from_str::<Vec<serde_json::Value>>(&format!("[{rows}]")).unwrap().len();
    let body = format!(r#"{{"data":[{rows}],"meta":{{"page":1,"limit":100,"total":{count}}}}}"#);
    Server::always(Reply::json(body)).await
}
