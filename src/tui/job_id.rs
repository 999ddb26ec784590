//! The ids of background jobs. They name the session, so that an answer for an earlier one is recognized.

/// The number of a session; each has another.
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
