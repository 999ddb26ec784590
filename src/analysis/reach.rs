//! The result of a probe of a destination. Data only: [`crate::probe`] does the probing.

use core::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;

use crate::base::text::{Safe, grouped};
use crate::safe;

/// Certificates that expire within this number of days cause a warning.
pub const FEW_DAYS: i64 = 14;

/// The steps of a probe, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Dns,
    Tcp,
    Tls,
    Http,
}

impl Step {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
        }
    }
}

/// The reason why a destination is not reachable. The names are stable, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// The name has no address, or the name service did not answer.
    Dns,
    /// No process listens on the port.
    Refused,
    /// A step exceeded its time limit. A timeout of the name lookup is [`Self::Dns`].
    Timeout,
    /// No route, or a local firewall rejects the connection.
    Unreachable,
    /// The connection was closed or reset.
    Reset,
    /// The certificate has expired.
    TlsExpired,
    /// The certificate is not accepted: unknown issuer, not valid yet, revoked, malformed.
    TlsUntrusted,
    /// The certificate is for another name.
    TlsName,
    /// The server does not speak TLS, or no TLS version or cipher in common with us.
    Tls,
    /// The server does not speak HTTP.
    Http,
    /// All addresses are private, so none was tried.
    Private,
    /// Not a URL that can be connected to.
    InvalidUrl,
}

impl Trouble {
    pub const ALL: [Self; 12] = [
        Self::Dns,
        Self::Refused,
        Self::Timeout,
        Self::Unreachable,
        Self::Reset,
        Self::TlsExpired,
        Self::TlsUntrusted,
        Self::TlsName,
        Self::Tls,
        Self::Http,
        Self::Private,
        Self::InvalidUrl,
    ];

    /// The stable name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Reset => "reset",
            Self::TlsExpired => "tls-expired",
            Self::TlsUntrusted => "tls-untrusted",
            Self::TlsName => "tls-name",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Private => "private",
            Self::InvalidUrl => "invalid-url",
        }
    }

    /// A short description.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Dns => "host name not found",
            Self::Refused => "connection refused",
            Self::Timeout => "timed out",
            Self::Unreachable => "network unreachable",
            Self::Reset => "connection closed",
            Self::TlsExpired => "certificate expired",
            Self::TlsUntrusted => "certificate not trusted",
            Self::TlsName => "certificate name mismatch",
            Self::Tls => "no TLS on this port",
            Self::Http => "no HTTP on this port",
            Self::Private => "private address, not tried",
            Self::InvalidUrl => "not a valid http or https URL",
        }
    }

    /// Advice for the user.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Dns => "check the name, and DNS on this host",
            Self::Refused => "check that the receiver is running, and on this port",
            Self::Timeout => "check for a firewall, or a receiver that hangs",
            Self::Unreachable => "check the route from this host",
            Self::Reset => "check whether a proxy or the receiver closes it",
            Self::TlsExpired => "renew the certificate: deliveries fail until then",
            Self::TlsUntrusted => "check that the chain is complete and publicly trusted",
            Self::TlsName => "get a certificate for this name, or change the URL",
            Self::Tls => "check that this port serves https",
            Self::Http => "check that this port serves HTTP",
            Self::Private => "DialNexa cannot reach it; probe --allow-private tries it",
            Self::InvalidUrl => "register it again with a valid URL",
        }
    }
}

/// The outcome of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Reachable from this host. This does not show that the server accepts deliveries.
    Reachable,
    Dead,
    /// Not tried: a private address, or not a valid URL.
    Untried,
}

impl State {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::Dead => "dead",
            Self::Untried => "untried",
        }
    }
}

/// The duration of each step; `None` for steps that were not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    pub dns: Option<Duration>,
    pub tcp: Option<Duration>,
    pub tls: Option<Duration>,
    pub http: Option<Duration>,
}

impl Times {
    pub fn total(&self) -> Duration {
        [self.dns, self.tcp, self.tls, self.http].into_iter().flatten().sum()
    }

    /// Sets the duration of a step.
    pub fn set(&mut self, step: Step, took: Duration) {
        let time = match step {
            Step::Dns => &mut self.dns,
            Step::Tcp => &mut self.tcp,
            Step::Tls => &mut self.tls,
            Step::Http => &mut self.http,
        };
        *time = Some(took);
    }
}

/// The validity of a server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasts {
    /// Clamped to the range of [`Timestamp`].
    pub not_after: Timestamp,
    /// Whole days until it expires; negative afterwards.
    pub days_left: i64,
}

/// The result of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// The reason why it is not reachable; `None` if it is.
    pub trouble: Option<Trouble>,
    /// The step that failed.
    pub failed: Option<Step>,
    /// Details from the system or about the certificate.
    pub detail: Option<Safe>,
    /// The connected address, or the last one that failed.
    pub address: Option<IpAddr>,
    pub times: Times,
    /// The server's certificate, trusted or not.
    pub certificate: Option<Lasts>,
    /// The status of the response to `HEAD`.
    pub status: Option<u16>,
    /// The origin of a redirect's target, if the response names it.
    pub redirect: Option<Safe>,
}

impl Reach {
    /// The result for a destination that is not probed.
    pub fn untried(trouble: Trouble) -> Self {
        Self { trouble: Some(trouble), ..Self::default() }
    }

    pub fn state(&self) -> State {
        match self.trouble {
            None => State::Reachable,
            Some(Trouble::Private | Trouble::InvalidUrl) => State::Untried,
            Some(_) => State::Dead,
        }
    }

    /// Returns true if the cause may be on this host's side: no name service, no route, no answer. If this is so for all
    /// destinations, this host is the likely cause. A refused connection does not count, since it proves that there is a
    /// route.
    pub fn may_be_our_fault(&self) -> bool {
        match self.trouble {
            Some(Trouble::Dns | Trouble::Unreachable) => true,
            Some(Trouble::Timeout | Trouble::Reset) => matches!(self.failed, Some(Step::Dns | Step::Tcp)),
            _ => false,
        }
    }

    /// Returns true for a 5xx status.
    pub fn is_server_error(&self) -> bool {
        self.status.is_some_and(|status| status >= 500)
    }

    /// Returns true for a redirect. DialNexa does not follow it: a delivery needs a 2xx.
    pub fn is_redirect(&self) -> bool {
        self.status.is_some_and(|status| (300..400).contains(&status))
    }

    /// Returns true for a trusted certificate that expires soon.
    pub fn is_expiring(&self) -> bool {
        self.trouble.is_none() && self.certificate.is_some_and(|lasts| lasts.days_left < FEW_DAYS)
    }
}

/// A summary of probe results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Destinations to probe.
    pub wanted: usize,
    pub reachable: usize,
    pub dead: usize,
    pub untried: usize,
    /// Unreachable destinations whose name has no address.
    unnamed: usize,
}

impl Tally {
    pub fn add(&mut self, reach: &Reach) {
        self.unnamed += usize::from(reach.trouble == Some(Trouble::Dns));
        match reach.state() {
            State::Reachable => self.reachable += 1,
            State::Dead => self.dead += 1,
            State::Untried => self.untried += 1,
        }
    }

    pub fn done(self) -> usize {
        self.reachable + self.dead + self.untried
    }

    /// The summary in words: `2 of 4 reachable from this host, 1 unreachable, 1 not tried`.
    pub fn words(self) -> Safe {
        let number = |count: usize| grouped(count as u64);
        if self.dead > 1 && self.unnamed == self.dead && self.reachable == 0 {
            return safe!("{} unreachable: no host name was found; check DNS on this host", number(self.dead));
        }
        let mut words = safe!("{} of {} reachable from this host", number(self.reachable), number(self.done()));
        if self.dead > 0 {
            words.push(&safe!(", {} unreachable", number(self.dead)));
        }
        if self.untried > 0 {
            words.push(&safe!(", {} not tried", number(self.untried)));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_has_a_word_of_its_own() {
        let mut words = Trouble::ALL.map(Trouble::word).to_vec();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Trouble::ALL.len());
    }

    #[test]
    fn what_was_not_tried_is_not_called_dead() {
        assert_eq!(Reach::untried(Trouble::Private).state(), State::Untried);
        assert_eq!(Reach { trouble: Some(Trouble::Timeout), ..Reach::default() }.state(), State::Dead);
        assert_eq!(Reach::default().state(), State::Reachable);
    }

    #[test]
    fn warnings_are_about_what_is_reachable() {
        let lasts = |days_left| Some(Lasts { not_after: Timestamp::UNIX_EPOCH, days_left });
        assert!(Reach { certificate: lasts(13), ..Reach::default() }.is_expiring());
        assert!(!Reach { certificate: lasts(14), ..Reach::default() }.is_expiring());
        let expired = Reach { certificate: lasts(-1), trouble: Some(Trouble::TlsExpired), ..Reach::default() };
        assert!(!expired.is_expiring());
        assert!(Reach { status: Some(503), ..Reach::default() }.is_server_error());
        assert!(!Reach { status: Some(404), ..Reach::default() }.is_server_error());
        for status in [301, 302, 303, 307, 308] {
            assert!(Reach { status: Some(status), ..Reach::default() }.is_redirect());
        }
        assert!(!Reach { status: Some(204), ..Reach::default() }.is_redirect() && !Reach::default().is_redirect());
    }
}
