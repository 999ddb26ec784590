//! The error of the program, its exit codes, and its lines on stderr.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::api::{ApiError, ErrorKind, without_number};
use crate::base::text::{Safe, clean};
use crate::config::ConfigError;
use crate::safe;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    Done,
    /// There are findings or differences, or a webhook was not found.
    Found,
    /// Wrong usage or configuration.
    Usage,
    /// 401 or 403.
    Refused,
    /// The API cannot be reached or understood, or the output cannot be written.
    Unavailable,
    /// The data that was read is incomplete, or may be.
    Incomplete,
    /// A bug: a thread panicked.
    Panicked,
    /// Ended by a signal with this number.
    Signal(u8),
}

/// Every exit code with its meaning, for help, man pages and docs.
pub const EXIT_CODES: [(&str, &str); 7] = [
    ("0", "success; for `audit`, `probe` and `diff`: nothing found"),
    (
        "1",
        "`audit` found something at or above `--fail-on`; `probe` found an unreachable destination of an active webhook; `diff` found a difference; `get` did not find an id",
    ),
    ("2", "usage or configuration error; the explorer without a terminal"),
    ("3", "the API refused the request: 401 or 403"),
    (
        "4",
        "the API is unreachable, sent an invalid response or said to wait longer than 60 s; the cache or snapshot asked for is missing or damaged; or the output cannot be written",
    ),
    (
        "5",
        "incomplete data: a page failed, the list kept changing while loading, or rows are malformed; stderr says what is missing",
    ),
    ("130, 143, 129", "terminated by SIGINT, SIGTERM, SIGHUP"),
];

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Found => Self::from(1),
            Exit::Usage => Self::from(2),
            Exit::Refused => Self::from(3),
            Exit::Unavailable => Self::from(4),
            Exit::Incomplete => Self::from(5),
            Exit::Panicked => Self::from(101),
            Exit::Signal(number) => Self::from(128 + number),
        }
    }
}

/// An error of a command or of the explorer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A usage error.
    #[error("{message}")]
    Usage { message: Safe, advice: Option<Safe> },
    #[error("{place}: {error}")]
    Api { place: Safe, error: ApiError },
    /// As [`Error::Api`], with the age of the cached listing.
    #[error("{place}: {error}")]
    Unread { place: Safe, error: ApiError, cached: Box<Safe> },
    /// The requested cached listing or snapshot does not exist.
    #[error("{message}")]
    NotKept { message: Safe, advice: Safe },
    #[error("the explorer needs a terminal ({why})")]
    NoTerminal { why: Safe },
    #[error("cannot write the output: {0}")]
    Output(Safe),
    #[error("cannot write {path}: {reason}")]
    Unwritable { path: Safe, reason: Safe },
    #[error("the demo server cannot start: {0}")]
    Demo(Safe),
    #[error("cannot use the terminal: {0}")]
    Terminal(Safe),
    #[error("cannot start: {0}")]
    Start(Safe),
}

impl Error {
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(_) | Self::Usage { .. } | Self::NoTerminal { .. } => Exit::Usage,
            Self::Api { error, .. } if error.is_refusal() => Exit::Refused,
            Self::Api { error, .. } if matches!(error.kind, ErrorKind::Setup | ErrorKind::BadId) => Exit::Usage,
            Self::NotKept { .. }
            | Self::Api { .. }
            | Self::Unread { .. }
            | Self::Output(_)
            | Self::Unwritable { .. }
            | Self::Demo(_)
            | Self::Terminal(_)
            | Self::Start(_) => Exit::Unavailable,
        }
    }

    /// The second line: what to do.
    pub fn advice(&self) -> Option<Safe> {
        match self {
            Self::Config(error) => error.advice.clone(),
            Self::Usage { advice, .. } => advice.clone(),
            Self::Api { error, .. } => Some(error.advice().clone()),
            Self::Unread { error, cached, .. } => {
                Some(safe!("{} Meanwhile, --cached uses the listing read {}.", error.advice(), **cached))
            }
            Self::NotKept { advice, .. } => Some(advice.clone()),
            Self::Unwritable { .. } => Some("Name a path that you can write to.".into()),
            Self::NoTerminal { .. } => Some("In scripts and pipes, use a command, such as: hookscope list -o json".into()),
            Self::Output(_) | Self::Demo(_) | Self::Terminal(_) | Self::Start(_) => None,
        }
    }

    /// The error without the hint about the cache, for comparisons that already use the cache.
    #[must_use]
    pub fn without_cache_hint(self) -> Self {
        match self {
            Self::Unread { place, error, .. } => Self::Api { place, error },
            other => other,
        }
    }

    /// The causes, the nearest first.
    pub fn causes(&self) -> &[Safe] {
        match self {
            Self::Api { error, .. } | Self::Unread { error, .. } => &error.causes,
            _ => &[],
        }
    }

    /// The lines for stderr.
    pub fn lines(&self) -> Vec<Safe> {
        let first = safe!("hookscope: {}", clean(&self.to_string()));
        [Some(first), self.advice()].into_iter().flatten().collect()
    }

    pub fn unwritable(path: &Path, error: &io::Error) -> Self {
        Self::Unwritable { path: clean(&path.to_string_lossy()), reason: reason(error) }
    }

    pub fn start(error: &io::Error) -> Self {
        Self::Start(reason(error))
    }

    pub fn terminal(error: &io::Error) -> Self {
        Self::Terminal(reason(error))
    }
}

/// The system's words for an error, without its number.
pub fn reason(error: &io::Error) -> Safe {
    clean(&without_number(&error.to_string()))
}
