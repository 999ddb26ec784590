//! The error of a request: the kind of failure, its details and advice.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use super::kind::{ErrorKind, Network, Nonsense, ProxyFault};
use crate::base::text::Safe;
use crate::safe;

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub kind: ErrorKind,
    /// Details from the server or the system.
    pub detail: Option<Safe>,
    /// Messages of the operating system, from the outermost cause to the innermost.
    pub causes: Box<[Safe]>,
    /// The reason why the key could not be read again after the API refused it.
    pub unread_key: Option<Box<Safe>>,
    advice: Box<Safe>,
}

impl ApiError {
    pub fn new(kind: ErrorKind) -> Self {
        Self { kind, detail: None, causes: Box::default(), unread_key: None, advice: Box::new(kind.advice()) }
    }

    #[must_use]
    pub fn with(mut self, detail: Safe) -> Self {
        self.detail = (!detail.is_empty()).then_some(detail);
        self
    }

    /// Replaces the advice of the kind.
    #[must_use]
    pub(super) fn advised(self, advice: Safe) -> Self {
        Self { advice: Box::new(advice), ..self }
    }

    /// Advice on how to fix it, in one or two sentences.
    pub fn advice(&self) -> &Safe {
        &self.advice
    }

    /// A short description for a header line.
    pub fn short(&self) -> Safe {
        self.kind.short()
    }

    /// Returns true if the same request is likely to succeed later.
    pub fn is_transient(&self) -> bool {
        match self.kind {
            ErrorKind::RateLimited { .. } | ErrorKind::Unavailable { .. } => true,
            ErrorKind::Status(status) => status == 408 || status >= 500,
            ErrorKind::Network(network) | ErrorKind::Proxy(ProxyFault::Connect(network)) => {
                !matches!(network, Network::Tls | Network::Certificate(_))
            }
            ErrorKind::Nonsense(nonsense) => {
                !matches!(nonsense, Nonsense::TooDeep | Nonsense::SamePage | Nonsense::Unsteady | Nonsense::Headers)
            }
            ErrorKind::Unauthorized
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::LimitNearlySpent { .. }
            | ErrorKind::PasswordWanted
            | ErrorKind::Redirect
            | ErrorKind::RedirectLoop
            | ErrorKind::Proxy(ProxyFault::Login | ProxyFault::Tunnel { .. })
            | ErrorKind::TooLarge { .. }
            | ErrorKind::Setup
            | ErrorKind::BadId => false,
        }
    }

    /// Returns true if repeating the request minutes later may succeed and is safe. A login that the proxy refuses is not
    /// repeated, as that may lock the account.
    pub fn may_recover(&self) -> bool {
        !matches!(
            self.kind,
            ErrorKind::Proxy(ProxyFault::Login | ProxyFault::Tunnel { has_login: true })
                | ErrorKind::TooLarge { .. }
                | ErrorKind::Nonsense(Nonsense::SamePage | Nonsense::Unsteady)
                | ErrorKind::Setup
        )
    }

    /// Returns true if every other request with this key would fail as well.
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, ErrorKind::Unauthorized | ErrorKind::PasswordWanted | ErrorKind::Forbidden)
    }

    /// Returns true if the API is overloaded or limits the rate: 429 or 503.
    pub fn is_overload(&self) -> bool {
        matches!(self.kind, ErrorKind::RateLimited { .. } | ErrorKind::Unavailable { .. })
    }

    /// The time to wait before the next request, from the API's response or its rate limit.
    pub fn wait(&self) -> Option<Duration> {
        match self.kind {
            ErrorKind::RateLimited { retry_after: wait }
            | ErrorKind::Unavailable { retry_after: wait }
            | ErrorKind::LimitNearlySpent { resets_in: wait } => wait,
            _ => None,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.short().fmt(f)?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        if let Some(why) = &self.unread_key {
            write!(f, "; {}", unread_key(why))?;
        }
        Ok(())
    }
}

impl StdError for ApiError {}

/// Formats the reason why the key could not be read again, as a clause.
pub(crate) fn unread_key(why: &Safe) -> Safe {
    safe!("the key cannot be read again: {}", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_and_mistakes_are_never_tried_again() {
        for kind in [
            ErrorKind::Unauthorized,
            ErrorKind::Forbidden,
            ErrorKind::NotFound,
            ErrorKind::Status(404),
            ErrorKind::Status(400),
            ErrorKind::Redirect,
            ErrorKind::TooLarge { limit: 1 },
            ErrorKind::Setup,
        ] {
            assert!(!ApiError::new(kind).is_transient(), "{kind:?}");
        }
        for kind in [
            ErrorKind::RateLimited { retry_after: None },
            ErrorKind::Unavailable { retry_after: None },
            ErrorKind::Status(500),
            ErrorKind::Status(408),
            ErrorKind::Network(Network::CutOff),
            ErrorKind::Nonsense(Nonsense::Html),
        ] {
            assert!(ApiError::new(kind).is_transient(), "{kind:?}");
        }
    }
}
