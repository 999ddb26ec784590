//! Runs the commands of a page as a reader would, against the demo API, and compares their output with the output that the
//! page shows.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use regex::Regex;
use tempfile::TempDir;

/// A placeholder line for any number of omitted lines.
pub(crate) const ELISION: &str = "…";
/// The home directory that pages show.
const HOME: &str = "/home/you";
/// Printed between the output of each command and its exit code.
const END: char = '\u{1e}';
/// Programs that a machine may lack: a word in the blocks that need one, and a command that succeeds if it is there. Blocks
/// whose program is missing are skipped.
const OPTIONAL: [(&str, &str); 2] = [("sqlite3", "command -v sqlite3"), ("pandas", "python3 -c 'import pandas'")];

/// A command of a `console` block, and the output that the page shows.
#[derive(Debug, Default)]
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) shown: Vec<String>,
}

/// Splits a `console` block into steps. A command continues after a line that ends with `\` and on lines that begin with
/// `> `.
pub(crate) fn steps(block: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step { command: command.to_owned(), ..Step::default() }),
            (None, Some(step)) if step.shown.is_empty() && goes_on(&step.command, line) => {
                let line = line.strip_prefix("> ").unwrap_or(line);
                write!(step.command, "\n{line}").unwrap();
            }
            (None, Some(step)) => step.shown.push(line.to_owned()),
            (None, None) => panic!("a console block begins with a command, not with {line:?}"),
        }
    }
    steps
}

fn goes_on(command: &str, line: &str) -> bool {
    command.ends_with('\\') || line.starts_with("> ")
}

/// A reader's home directory and shell.
pub(crate) struct Sandbox {
    home: TempDir,
    base_url: String,
}

impl Sandbox {
    /// With `hookscope` and `jq` on PATH, and the variables of the demo API.
    pub(crate) fn new(base_url: &str) -> Self {
        let home = TempDir::new().unwrap();
        let bin = home.path().join(".bin");
        fs::create_dir(&bin).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_hookscope"));
        symlink(program, bin.join("hookscope")).unwrap();
        if !is_there("command -v jq") {
            let stand_in = program.with_file_name("examples").join("jq");
            assert!(stand_in.exists(), "jq is missing: install it, or build its stand-in with cargo build --examples");
            symlink(stand_in, bin.join("jq")).unwrap();
        }
        Self { home, base_url: base_url.to_owned() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file that only its owner can read.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let path = std::env::var("PATH").unwrap_or_default();
        let home = self.path().display();
        vec![
            ("PATH", format!("{home}/.bin:{path}")),
            ("HOME", home.to_string()),
            ("TZ", "UTC".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("DIALNEXA_API_KEY", hookscope::demo::KEY.to_owned()),
            ("DIALNEXA_BASE_URL", self.base_url.clone()),
            ("GIT_AUTHOR_NAME", "you".to_owned()),
            ("GIT_AUTHOR_EMAIL", "you@example.com".to_owned()),
            ("GIT_COMMITTER_NAME", "you".to_owned()),
            ("GIT_COMMITTER_EMAIL", "you@example.com".to_owned()),
        ]
    }

    /// Runs a script in which a pipeline fails if any of its commands does: the exit code of `jq` says nothing about
    /// hookscope.
    fn shell(&self, script: &str) -> (String, Option<i32>) {
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-o", "pipefail", "-c", &format!("exec 2>&1\n{script}")])
            .env_clear()
            .envs(self.variables());
        let output = command.current_dir(self.path()).stdin(Stdio::null()).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    }

    /// Runs a script. Returns its output if it fails.
    pub(crate) fn script(&self, script: &str) -> Result<(), String> {
        let (output, code) = self.shell(&format!("set -e\n{script}"));
        if code == Some(0) { Ok(()) } else { Err(format!("exit code {code:?}\n{output}")) }
    }

    /// Runs the commands of one shell session. Returns the lines that each prints, and its exit code.
    pub(crate) fn session(&self, steps: &[Step]) -> Vec<(Vec<String>, u8)> {
        let script = steps.iter().fold(String::new(), |mut script, step| {
            writeln!(script, "{}\ncode=$?; printf '\\036%s\\n' $code; (exit $code)", step.command).unwrap();
            script
        });
        let (output, _) = self.shell(&script);
        let output = output.replace(&self.path().display().to_string(), HOME);
        let mut parts = output.split(END);
        let mut printed = parts.next().unwrap_or_default();
        let steps = parts.map(|part| {
            let (code, next) = part.split_once('\n').unwrap();
            let lines = std::mem::replace(&mut printed, next).lines().map(str::to_owned).collect();
            (lines, code.parse().unwrap())
        });
        steps.collect()
    }
}

/// Finds an optional program that a script needs and this machine lacks.
pub(crate) fn missing(script: &str) -> Option<&'static str> {
    OPTIONAL.into_iter().find(|(word, test)| script.contains(word) && !is_there(test)).map(|(word, _)| word)
}

/// Returns true if a shell command succeeds.
fn is_there(test: &str) -> bool {
    Command::new("sh").args(["-c", test]).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

/// Masks the parts of a line that differ from run to run: times, ages, durations, ports, and the width of columns.
fn masked(line: &str) -> String {
    static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?UTC|Z|[+-]\d\d:?\d\d)?", "TIME"),
            (r"\d{4}-\d\d-\d\d", "DATE"),
            (r"\b\d\d:\d\d:\d\d\b", "TIME"),
            (r"(127\.0\.0\.1|localhost):\d+", "HOST:PORT"),
            (r"\b\d+(\.\d+)? ?(ms|s|m|h|d|w|mo|y|days)\b", "AGE"),
            (r" {2,}", "  "),
            (r"-{4,}", "----"),
        ]
        .map(|(pattern, mask)| (Regex::new(pattern).unwrap(), mask))
        .into()
    });
    MASKS.iter().fold(line.trim_end().to_owned(), |line, (pattern, mask)| pattern.replace_all(&line, *mask).into_owned())
}

/// Returns true if the page shows this output, apart from what differs from run to run.
pub(crate) fn agree(shown: &[String], printed: &[String]) -> bool {
    let shown: Vec<_> = shown.iter().map(|line| masked(line)).collect();
    let printed: Vec<_> = printed.iter().map(|line| masked(line)).collect();
    matches(&shown, &printed)
}

fn matches(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((line, shown)) if line == ELISION => (0..=printed.len()).any(|skipped| matches(shown, &printed[skipped..])),
        Some((line, shown)) => {
            printed.split_first().is_some_and(|(first, printed)| line == first && matches(shown, printed))
        }
    }
}

/// Returns the lines that the page should show, with as many before and after an elision as now.
pub(crate) fn updated(shown: &[String], printed: &[String]) -> Vec<String> {
    let Some(head) = shown.iter().position(|line| line == ELISION) else { return printed.to_vec() };
    let tail = shown.len() - head - 1;
    if head + tail >= printed.len() {
        return printed.to_vec();
    }
    let elision = [ELISION.to_owned()];
    [&printed[..head], &elision, &printed[printed.len() - tail..]].concat()
}
