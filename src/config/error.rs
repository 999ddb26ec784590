//! The error of the configuration.

use crate::base::text::Safe;
use crate::safe;

/// A configuration error: the problem, its place and advice. It never quotes a value from the file, which might be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}{message}")]
pub struct ConfigError {
    /// `config.toml:3: `, `DIALNEXA_API_KEY: ` or nothing.
    place: Safe,
    message: Safe,
    /// Advice in a sentence of its own.
    pub advice: Option<Safe>,
}

impl ConfigError {
    pub(super) fn new(message: impl Into<Safe>) -> Self {
        Self { place: Safe::default(), message: message.into(), advice: None }
    }

    pub(super) fn at(mut self, place: &Safe) -> Self {
        self.place = safe!("{}: ", place);
        self
    }

    /// Names the key whose file or command cannot be used.
    pub(super) fn about(mut self, key: &'static str) -> Self {
        self.message = safe!("{}: {}", key, self.message);
        self
    }

    /// Names the file that cannot be used.
    pub(super) fn of(mut self, file: &Safe) -> Self {
        self.message = safe!("{} ({})", self.message, file);
        self
    }

    pub(super) fn advise(mut self, advice: impl Into<Safe>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The message without the place, for output that has only one line for it.
    pub fn brief(&self) -> &Safe {
        &self.message
    }
}
