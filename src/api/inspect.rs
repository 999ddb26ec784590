//! The facts of one response besides its rows: the server's certificate, clock and rate limit.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use reqwest::Response;
use reqwest::header::DATE;
use reqwest::tls::TlsInfo;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::name::Name;

use super::error::ApiError;
use super::kind::{ErrorKind, Network};
use super::rate::RateLimit;
use super::wire::Page;
use crate::base::clock;
use crate::base::text::{Safe, clean_head};
use crate::safe;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

/// The facts of one request.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The first page, with at most one row if the server honors the limit.
    pub page: Result<Page, ApiError>,
    /// True if there was a connection, including TLS and a proxy's tunnel: a failure is then one of the request.
    pub is_connected: bool,
    /// True if there was a response, with any status.
    pub is_answered: bool,
    /// The server's clock minus ours, in seconds; `None` if the server does not report it.
    pub clock_ahead: Option<i64>,
    pub rate: Option<RateLimit>,
    /// `None` without TLS, and through a proxy's tunnel.
    pub certificate: Option<Certificate>,
    /// From the start of the connection to the last byte.
    pub elapsed: Duration,
}

impl Default for Inspection {
    fn default() -> Self {
        Self {
            page: Err(ApiError::new(ErrorKind::Network(Network::Other))),
            is_connected: false,
            is_answered: false,
            clock_ahead: None,
            rate: None,
            certificate: None,
            elapsed: Duration::ZERO,
        }
    }
}

impl Inspection {
    pub(super) fn look_at(&mut self, response: &Response) {
        let date = response.headers().get(DATE).and_then(|value| value.to_str().ok());
        let seconds = |time: SystemTime| Timestamp::try_from(time).ok().map(Timestamp::as_second);
        let server = date.and_then(|date| httpdate::parse_http_date(date).ok()).and_then(seconds);
        self.is_answered = true;
        self.clock_ahead = server.zip(seconds(clock::system_time())).map(|(server, ours)| server.saturating_sub(ours));
        self.rate = RateLimit::read(response.headers());
        let der = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
        self.certificate = der.and_then(Certificate::read);
    }
}

/// The parts of a certificate that a report shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The issuer's name, and its organization if it has one.
    pub issuer: Safe,
    pub not_after: Timestamp,
}

impl Certificate {
    /// Reads DER; `None` if it is not a certificate.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let certificate = x509_cert::Certificate::from_der(der).ok()?;
        let certificate = certificate.tbs_certificate();
        let not_after = certificate.validity().not_after.to_unix_duration().as_secs();
        // The last second of 9999 stands for "never" (RFC 5280), and exceeds the largest timestamp.
        let not_after = i64::try_from(not_after).ok().and_then(|second| Timestamp::from_second(second).ok());
        let not_after = not_after.unwrap_or(Timestamp::MAX);
        let issuer = match (part(certificate.issuer(), COMMON_NAME), part(certificate.issuer(), ORGANIZATION)) {
            (Some(name), Some(organization)) => safe!("{} ({})", name, organization),
            (Some(name), None) | (None, Some(name)) => name,
            (None, None) => "no name".into(),
        };
        Some(Self { issuer, not_after })
    }

    /// Whole days until it expires; negative afterwards.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        self.not_after.as_second().saturating_sub(now.as_second()).div_euclid(24 * 60 * 60)
    }
}

/// One part of a name. All string types in use are ASCII or UTF-8; other bytes are shown as marks.
fn part(name: &Name, wanted: ObjectIdentifier) -> Option<Safe> {
    let found = name.iter().find(|part| part.oid == wanted)?;
    Some(clean_head(&String::from_utf8_lossy(found.value.value()), 60))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn certificate(parts: &[(DnType, &str)]) -> Certificate {
        let mut params = CertificateParams::new(vec!["api.example".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in parts {
            params.distinguished_name.push(kind.clone(), *value);
        }
        params.not_after = rcgen::date_time_ymd(2030, 1, 2);
        let signed = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        Certificate::read(signed.der()).unwrap()
    }

    #[test]
    fn the_issuer_is_named_by_what_it_has() {
        for (parts, issuer) in [
            (&[(DnType::CommonName, "R11"), (DnType::OrganizationName, "Let's Encrypt")][..], "R11 (Let's Encrypt)"),
            (&[(DnType::CommonName, "R11")], "R11"),
            (&[(DnType::OrganizationName, "Acme\u{1b}[31m")], "Acme^[[31m"),
            (&[], "no name"),
        ] {
            assert_eq!(certificate(parts).issuer.as_str(), issuer);
        }
    }

    #[test]
    fn days_are_counted_down_to_the_end() {
        let certificate = certificate(&[]);
        let at = |time: &str| certificate.days_left(time.parse().unwrap());
        assert_eq!(at("2030-01-01T00:00:00Z"), 1);
        assert_eq!(at("2030-01-01T00:00:01Z"), 0);
        assert_eq!(at("2030-01-02T00:00:01Z"), -1);
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        for nonsense in [&b""[..], b"\x30\x80", b"not a certificate"] {
            assert_eq!(Certificate::read(nonsense), None);
        }
    }
}
