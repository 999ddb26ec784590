//! What a probe found out about a destination. It is data: [`crate::probe`] is what goes and looks.

use core::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;

use crate::base::text::{Safe, grouped};
use crate::safe;

/// A certificate that ends sooner is worth a warning.
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

/// Why a destination is not reachable. The names are words that scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// The name has no address, or the name service did not say.
    Dns,
    /// Nobody listens there.
    Refused,
    /// A step took longer than it may. The look at the name service is [`Self::Dns`] then too.
    Timeout,
    /// No route, or this host may not go there.
    Unreachable,
    /// The connection was closed or reset.
    Reset,
    /// The certificate's time is over.
    TlsExpired,
    /// The certificate is not accepted: unknown issuer, not valid yet, revoked, malformed.
    TlsUntrusted,
    /// The certificate is for another name.
    TlsName,
    /// What answers does not speak TLS, or not with us.
    Tls,
    /// What answers does not speak HTTP.
    Http,
    /// Every address is a private one, and was not tried.
    Private,
    /// No URL that can be connected to.
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

    /// The stable word.
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

    /// What it means, in a few words for people.
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

    /// What to look at, or to do.
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

/// How a probe ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Reachable from this host; nothing is said about what the server does with a delivery.
    Reachable,
    Dead,
    /// Not looked at: a private address, or no URL.
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

/// How long the steps took; `None` for those that were not taken.
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

    /// Sets the time of a step.
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

/// How long a server's certificate lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasts {
    /// Clamped to the years that can be shown.
    pub not_after: Timestamp,
    /// Whole days until then; negative afterwards.
    pub days_left: i64,
}

/// What a probe found out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// Why it is not reachable; `None` when it is.
    pub trouble: Option<Trouble>,
    /// The step that failed.
    pub failed: Option<Step>,
    /// The system's or the certificate's own words.
    pub detail: Option<Safe>,
    /// The address that was connected to, or that failed last.
    pub address: Option<IpAddr>,
    pub times: Times,
    /// Of the server's certificate, whether it is accepted or not.
    pub certificate: Option<Lasts>,
    /// What `HEAD` was answered with.
    pub status: Option<u16>,
    /// The origin that a redirect leads to, if it says so.
    pub redirect: Option<Safe>,
}

impl Reach {
    /// Of a destination that is not worth a step.
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

    /// Whether the probe never got beyond this host's side: no name service, no route, nobody who answers. When that is so of all
    /// destinations, it says more about this host than about them. A refusal came from somewhere, so there is a route.
    pub fn may_be_our_fault(&self) -> bool {
        match self.trouble {
            Some(Trouble::Dns | Trouble::Unreachable) => true,
            Some(Trouble::Timeout | Trouble::Reset) => matches!(self.failed, Some(Step::Dns | Step::Tcp)),
            _ => false,
        }
    }

    /// An answer that says that the server has trouble of its own.
    pub fn is_server_error(&self) -> bool {
        self.status.is_some_and(|status| status >= 500)
    }

    /// A redirect, which DialNexa does not follow: it needs a 2xx.
    pub fn is_redirect(&self) -> bool {
        self.status.is_some_and(|status| (300..400).contains(&status))
    }

    /// A certificate that is accepted today and ends soon.
    pub fn is_expiring(&self) -> bool {
        self.trouble.is_none() && self.certificate.is_some_and(|lasts| lasts.days_left < FEW_DAYS)
    }
}

/// What probes found, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Destinations that are to be probed.
    pub wanted: usize,
    pub reachable: usize,
    pub dead: usize,
    pub untried: usize,
    /// Of those that are dead, how many have a name without an address.
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

    /// What there is to say in the end: `2 of 4 reachable from this host, 1 dead, 1 not tried`.
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
