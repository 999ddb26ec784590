//! The lines of the report, and the step that failed first.

use crate::api::{ApiError, ErrorKind, Network};
use crate::base::text::{Safe, clean};
use crate::config::ConfigError;
use crate::error::{Error, Exit};
use crate::output::{Output, OutputState};
use crate::safe;

/// The steps between the config and the API, in order. If one fails, those after it are skipped.
const CHAIN: [&str; 9] = ["key", "base URL", "proxy", "DNS", "TCP", "TLS", "clock", "API", "rate limit"];
/// Columns of a step's name.
const STEP_COLUMNS: usize = 11;

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepMark {
    Ok,
    Fail,
    /// Not checked.
    Skip,
    /// It works, and is worth knowing.
    Note,
}

/// The reason not to go on with the next step.
#[derive(Debug)]
pub(super) enum Stop {
    /// The named step failed.
    Broken(&'static str),
    ReaderGone,
    Failed(Error),
}

impl Stop {
    /// Goes on although the step failed.
    pub(super) fn unless_broken(self) -> Result<(), Self> {
        match self {
            Self::Broken(_) => Ok(()),
            Self::ReaderGone | Self::Failed(_) => Err(self),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The first step that failed.
#[derive(Debug)]
struct FirstFailure {
    step: &'static str,
    words: Safe,
    advice: Option<Safe>,
    exit: Exit,
}

/// The report so far.
#[derive(Debug, Default)]
pub(super) struct DoctorReport {
    first: Option<FirstFailure>,
    /// Steps that failed besides the first.
    others: Vec<&'static str>,
    notes: usize,
    /// Steps of the chain that have a line.
    reported: usize,
}

impl DoctorReport {
    /// Writes a line at once: the next step may take seconds.
    pub(super) fn line(&mut self, mark: StepMark, step: &'static str, words: &Safe) -> Result<(), Stop> {
        let shown = match mark {
            StepMark::Ok => "ok  ",
            StepMark::Fail => "FAIL",
            StepMark::Skip => "skip",
            StepMark::Note => "note",
        };
        self.notes += usize::from(mark == StepMark::Note);
        if let Some(at) = CHAIN.iter().position(|known| *known == step) {
            self.reported = at + 1;
        }
        let padding = clean(&" ".repeat(STEP_COLUMNS.saturating_sub(step.len())));
        write(&safe!("{}  {}{}  {}", shown, step, padding, words))
    }

    pub(super) fn ok(&mut self, step: &'static str, words: &Safe) -> Result<(), Stop> {
        self.line(StepMark::Ok, step, words)
    }

    pub(super) fn skip(&mut self, step: &'static str, why: &Safe) -> Result<(), Stop> {
        self.line(StepMark::Skip, step, why)
    }

    /// Skips the rest of the chain if a step broke it.
    pub(super) fn skip_rest(&mut self, chain: Result<(), Stop>) -> Result<(), Stop> {
        match chain {
            Err(Stop::Broken(cause)) => {
                let rest = CHAIN.iter().skip(self.reported);
                rest.into_iter().try_for_each(|step| self.skip(step, &safe!("{} failed", cause)))
            }
            done => done,
        }
    }

    /// Reports a step that failed.
    pub(super) fn fail(&mut self, step: &'static str, words: Safe, advice: Option<Safe>, exit: Exit) -> Stop {
        if let Err(stop) = self.line(StepMark::Fail, step, &words) {
            return stop;
        }
        match self.first {
            None => self.first = Some(FirstFailure { step, words, advice, exit }),
            Some(_) => self.others.push(step),
        }
        Stop::Broken(step)
    }

    pub(super) fn fail_config(&mut self, step: &'static str, error: &ConfigError) -> Stop {
        self.fail(step, clean(&error.to_string()), error.advice.clone(), Exit::Usage)
    }

    pub(super) fn fail_api(&mut self, step: &'static str, error: &ApiError, host: Safe) -> Stop {
        let exit = Error::Api { place: host, error: error.clone() }.exit();
        let words = match &error.detail {
            // The step is named already: "TLS: TLS failed: …" would repeat it.
            detail if error.kind == ErrorKind::Network(Network::Tls) => {
                detail.clone().unwrap_or_else(|| "handshake failed".into())
            }
            _ => clean(&error.to_string()),
        };
        self.fail(step, words, Some(error.advice().clone()), exit)
    }

    pub(super) fn exit(&self) -> Exit {
        self.first.as_ref().map_or(Exit::Done, |first| first.exit)
    }

    /// Writes the last line.
    pub(super) fn sum_up(&self) -> Result<(), Stop> {
        write(&self.summary())
    }

    fn summary(&self) -> Safe {
        let Some(FirstFailure { step, words, advice, .. }) = &self.first else {
            return match self.notes {
                0 => "everything works".into(),
                1 => "everything works; 1 note".into(),
                notes => safe!("everything works; {} notes", notes),
            };
        };
        let mut sum = safe!("failed: {}: {}", step, words);
        if let Some(advice) = advice {
            sum = safe!("{}. {}", sum, advice);
        }
        match self.others.as_slice() {
            [] => sum,
            others => {
                let period = if advice.is_some() { "" } else { "." };
                safe!("{}{} Also failing: {}.", sum, period, clean(&others.join(", ")))
            }
        }
    }
}

fn write(line: &Safe) -> Result<(), Stop> {
    match Output::stdout().send(|out| out.line(line))? {
        OutputState::Open => Ok(()),
        OutputState::Closed => Err(Stop::ReaderGone),
    }
}
