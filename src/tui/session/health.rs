//! The state of the connection to the API.

use jiff::Timestamp;
use tokio::time::Instant;

use crate::api::ApiError;
use crate::base::clock::Moment;
use crate::base::text::Safe;
use crate::safe;

/// The state of the API according to its last answers.
#[derive(Debug, Clone, Default)]
pub enum Health {
    /// No answer yet.
    #[default]
    Unknown,
    Live {
        at: Timestamp,
    },
    Trouble(ConnectionIssue),
}

/// A problem with the API, and its start.
#[derive(Debug, Clone)]
pub struct ConnectionIssue {
    pub error: ApiError,
    pub since: Timestamp,
    /// The time of the last good answer, if there was one.
    pub last_good: Option<Timestamp>,
    pub stage: IssueStage,
    /// The time of the next automatic retry of a failed read.
    pub again_at: Option<Instant>,
}

/// The handling of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueStage {
    /// `attempt` of `of` failed; another one follows.
    Retrying { attempt: u32, of: u32 },
    /// No request is sent until then.
    Paused { until: Instant },
    /// Failed, until an automatic retry or a refresh by the user.
    Failed,
    /// Retrying after a failure, without an answer yet.
    Again,
}

impl Health {
    pub fn good(&mut self, now: Moment) {
        *self = Self::Live { at: now.wall };
    }

    pub fn bad(&mut self, error: ApiError, stage: IssueStage, now: Moment) {
        let (since, last_good) = match self {
            Self::Unknown => (now.wall, None),
            Self::Live { at } => (now.wall, Some(*at)),
            Self::Trouble(trouble) => (trouble.since, trouble.last_good),
        };
        *self = Self::Trouble(ConnectionIssue { error, since, last_good, stage, again_at: None });
    }

    /// Records that a request failed for good, and nothing is being retried.
    pub fn give_up(&mut self) {
        if let Self::Trouble(trouble) = self {
            trouble.stage = IssueStage::Failed;
        }
    }

    /// Records that a failed read is retried.
    pub fn try_again(&mut self) {
        if let Self::Trouble(trouble) = self
            && trouble.stage == IssueStage::Failed
        {
            trouble.stage = IssueStage::Again;
        }
    }

    /// Records that nothing is in flight: a reported retry or pause is over.
    pub fn settle(&mut self) {
        let Self::Trouble(trouble) = self else { return };
        match trouble.stage {
            IssueStage::Failed => {}
            // No good answer arrived in the meantime.
            IssueStage::Again => trouble.stage = IssueStage::Failed,
            IssueStage::Retrying { .. } | IssueStage::Paused { .. } => {
                *self = trouble.last_good.map_or(Self::Unknown, |at| Self::Live { at });
            }
        }
    }

    /// Records a good answer. An issue that failed for good remains.
    pub fn good_besides_failures(&mut self, now: Moment) {
        match self {
            Self::Trouble(trouble) if trouble.stage == IssueStage::Failed => trouble.last_good = Some(now.wall),
            _ => self.good(now),
        }
    }

    pub fn trouble(&self) -> Option<&ConnectionIssue> {
        match self {
            Self::Trouble(trouble) => Some(trouble),
            Self::Unknown | Self::Live { .. } => None,
        }
    }

    /// The time at which something is due or the text about it changes. A countdown on screen changes every second.
    pub fn next_wake(&self, now: Instant, is_on_screen: bool) -> Option<Instant> {
        let trouble = self.trouble()?;
        let until = match trouble.stage {
            IssueStage::Paused { until } => until,
            IssueStage::Failed if !is_on_screen => return trouble.again_at,
            IssueStage::Failed => trouble.again_at?,
            IssueStage::Retrying { .. } | IssueStage::Again => return None,
        };
        let whole_seconds = until.saturating_duration_since(now).as_nanos().div_ceil(1_000_000_000);
        let after = u64::try_from(whole_seconds.checked_sub(1)?).unwrap_or(u64::MAX);
        until.checked_sub(std::time::Duration::from_secs(after))
    }
}

impl ConnectionIssue {
    /// The handling in words.
    pub fn stage_in_words(&self, now: Instant) -> Safe {
        match self.stage {
            IssueStage::Retrying { attempt, of } => safe!("attempt {} of {} failed", attempt, of),
            IssueStage::Paused { until } => {
                safe!("resumes in {}", seconds(until, now))
            }
            IssueStage::Failed => match self.again_at {
                Some(at) => safe!("retry in {}", seconds(at, now)),
                None if self.error.is_transient() => "gave up".into(),
                None => "not retried".into(),
            },
            IssueStage::Again => "retrying".into(),
        }
    }
}

fn seconds(until: Instant, now: Instant) -> Safe {
    let left = until.saturating_duration_since(now).as_nanos().div_ceil(1_000_000_000);
    safe!("{} s", u64::try_from(left).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::api::ErrorKind;

    fn moment() -> Moment {
        Moment { instant: Instant::now(), wall: "2026-06-15T12:00:00Z".parse().unwrap() }
    }

    #[test]
    fn trouble_remembers_when_it_began_and_what_was_before() {
        let mut health = Health::default();
        let start = moment();
        health.good(start);
        let later = Moment { wall: start.wall + jiff::SignedDuration::from_secs(60), ..start };
        health.bad(ApiError::new(ErrorKind::Status(500)), IssueStage::Retrying { attempt: 1, of: 4 }, later);
        let much_later = Moment { wall: start.wall + jiff::SignedDuration::from_secs(90), ..start };
        health.bad(ApiError::new(ErrorKind::Status(503)), IssueStage::Failed, much_later);
        let trouble = health.trouble().unwrap();
        assert_eq!((trouble.since, trouble.last_good), (later.wall, Some(start.wall)));
        assert_eq!(trouble.error.kind, ErrorKind::Status(503));
    }

    #[test]
    fn what_was_given_up_and_is_asked_for_again_is_no_failure_until_it_is_one() {
        let mut health = Health::default();
        let stage = |health: &Health| health.trouble().map(|trouble| trouble.stage);
        health.bad(ApiError::new(ErrorKind::Status(500)), IssueStage::Retrying { attempt: 1, of: 4 }, moment());
        health.try_again();
        assert_eq!(stage(&health), Some(IssueStage::Retrying { attempt: 1, of: 4 }));
        health.give_up();
        health.try_again();
        assert_eq!(stage(&health), Some(IssueStage::Again));
        health.settle();
        assert_eq!(stage(&health), Some(IssueStage::Failed), "the response is no longer awaited");
        health.try_again();
        health.good(moment());
        assert_eq!(stage(&health), None);
    }

    #[test]
    fn a_countdown_wakes_at_each_second_and_nothing_else_does() {
        let mut health = Health::default();
        let now = moment();
        assert_eq!(health.next_wake(now.instant, true), None);
        let until = now.instant + Duration::from_millis(2500);
        health.bad(ApiError::new(ErrorKind::RateLimited { retry_after: None }), IssueStage::Paused { until }, now);
        assert_eq!(health.trouble().unwrap().stage_in_words(now.instant).as_str(), "resumes in 3 s");
        assert_eq!(health.next_wake(now.instant, true), Some(now.instant + Duration::from_millis(500)));
        assert_eq!(health.next_wake(until, true), None);
    }
}
