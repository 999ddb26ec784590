//! The ids of background jobs. They contain the session, so that results for an earlier one are recognized.

/// The number of a session. Each session has a different one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionId(pub u32);

impl SessionId {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// The id of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobId {
    pub session: SessionId,
    /// Greater than those of all earlier jobs of the session.
    pub number: u64,
}
