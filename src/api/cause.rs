//! Classifies failures of the client library and describes them in our words. Its own messages name types, modules and web
//! pages; they go to the log.

use std::error::Error as StdError;

use jiff::Timestamp;
use rustls::CertificateError;

use super::error::ApiError;
use super::kind::{Distrust, ErrorKind, Network, Nonsense, ProxyFault};
use super::route::ProxyServer;
use crate::base::clock;
use crate::base::text::clean_head;
use crate::safe;

impl ApiError {
    /// Converts the error of a request that went through this proxy, if any.
    pub(super) fn from_reqwest(error: &reqwest::Error, proxy: Option<&ProxyServer>) -> Self {
        let told: Vec<_> = chain(error).skip(1).map(ToString::to_string).collect();
        tracing::debug!("no answer: {}", told.join(": "));
        let (kind, words) = classify(error);
        let kind = match proxy.zip(kind.network()) {
            Some((proxy, network)) if error.is_connect() => {
                proxy_fault(&told, network, proxy).map_or(kind, ErrorKind::Proxy)
            }
            _ => kind,
        };
        let words = match (proxy, kind) {
            (Some(proxy), ErrorKind::Proxy(_)) if words.is_empty() => proxy.named(),
            (Some(proxy), ErrorKind::Proxy(_)) => safe!("{}: {}", proxy.named(), clean_head(&words, 200)),
            (Some(proxy), _) if words.is_empty() => safe!("through the proxy {}", proxy.named()),
            (Some(proxy), _) => safe!("{}, through the proxy {}", clean_head(&words, 200), proxy.named()),
            (None, _) => clean_head(&words, 200),
        };
        let system = chain(error).filter_map(|cause| cause.downcast_ref::<std::io::Error>());
        let causes = system.filter(|cause| cause.raw_os_error().is_some()).map(|cause| clean_head(&cause.to_string(), 300));
        let mut failed = Self::new(kind).with(words);
        failed.causes = causes.collect();
        failed
    }
}

/// Returns the step at which the proxy failed; `None` if the proxy is not at fault. The library reports this only in its
/// messages.
fn proxy_fault(told: &[String], network: Network, proxy: &ProxyServer) -> Option<ProxyFault> {
    let says = |words: &str| told.iter().any(|told| told.contains(words));
    let is_of_proxy = says("tunnel error") || says("SOCKS error") || says("socks proxy");
    if says("proxy authorization required") || says("authentication") || says("credentials not accepted") {
        Some(ProxyFault::Login)
    } else if says("failed to create underlying connection") || says("error resolving for socks proxy") {
        Some(ProxyFault::Connect(network))
    } else if is_of_proxy {
        Some(ProxyFault::Tunnel { has_login: proxy.has_login() })
    } else {
        None
    }
}

/// Iterates over an error and its causes.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| cause_of(error))
}

/// Returns the kind of failure and its details, both from the chain of causes. `reqwest` itself reports only the stage that
/// failed.
fn classify(error: &reqwest::Error) -> (ErrorKind, String) {
    let mut words = String::new();
    let mut network = if error.is_timeout() {
        Some(Network::Timeout)
    } else if error.is_body() || error.is_decode() {
        Some(Network::CutOff)
    } else {
        None
    };
    for inner in chain(error).skip(1) {
        if let Some(http) = inner.downcast_ref::<hyper::Error>() {
            if http.is_parse_too_large() {
                return (ErrorKind::Nonsense(Nonsense::Headers), words);
            }
            if http.is_parse() {
                return (ErrorKind::Nonsense(Nonsense::NotHttp), words);
            }
        }
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            if let rustls::Error::InvalidCertificate(why) = tls {
                return (ErrorKind::Network(Network::Certificate(distrust(why))), certificate_words(why));
            }
            return (ErrorKind::Network(Network::Tls), tls_words(tls));
        }
        let told = inner.to_string();
        if let Some(why) = told.strip_prefix("failed to lookup address information: ") {
            words = without_number(why);
        }
        if told.starts_with("dns error") || told.contains("failed to lookup address") {
            network.get_or_insert(Network::Dns);
        }
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            use std::io::ErrorKind as Io;
            network = network.or(match io.kind() {
                Io::ConnectionRefused => Some(Network::Refused),
                Io::NetworkUnreachable | Io::HostUnreachable => Some(Network::Unreachable),
                Io::TimedOut => Some(Network::Timeout),
                Io::ConnectionReset | Io::ConnectionAborted | Io::UnexpectedEof | Io::BrokenPipe => Some(Network::CutOff),
                _ => None,
            });
            if network.is_none() && io.raw_os_error().is_some() {
                words = without_number(&told);
            }
        }
    }
    let fallback = if error.is_connect() || error.is_builder() { Network::Other } else { Network::CutOff };
    (ErrorKind::Network(network.unwrap_or(fallback)), words)
}

/// The system's words for an error, without its number.
pub(crate) fn without_number(words: &str) -> String {
    words.split(" (os error ").next().unwrap_or(words).to_owned()
}

/// Explains a failed handshake, unless the certificate was the reason.
pub(crate) fn tls_words(error: &rustls::Error) -> String {
    use rustls::{AlertDescription as Alert, Error};
    match error {
        Error::AlertReceived(Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::InsufficientSecurity)
        | Error::PeerIncompatible(_) => "no TLS version or cipher in common".to_owned(),
        Error::AlertReceived(Alert::UnrecognisedName) => "the server does not know this host name".to_owned(),
        Error::AlertReceived(Alert::CertificateRequired) => "the server requires a client certificate".to_owned(),
        Error::AlertReceived(alert) => format!("the server sent TLS alert {}", u8::from(*alert)),
        Error::InvalidMessage(_) => "the response is not TLS".to_owned(),
        _ => String::new(),
    }
}

/// Returns the cause of an error. An `io::Error` wraps its cause, but its `source()` is the source of that cause, so
/// following it would skip the error that explains the failure.
fn cause_of<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// Maps a verifier's error to a [`Distrust`].
pub(crate) fn distrust(why: &CertificateError) -> Distrust {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Distrust::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Distrust::NotYetValid,
        CertificateError::UnknownIssuer => Distrust::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Distrust::OtherName,
        _ => Distrust::Other,
    }
}

/// Explains why a certificate is not accepted, with its dates or host names.
pub(crate) fn certificate_words(why: &CertificateError) -> String {
    let day = |time: rustls::pki_types::UnixTime| {
        let second = i64::try_from(time.as_secs()).ok().and_then(|second| Timestamp::from_second(second).ok());
        second.map_or_else(|| "an unknown date".to_owned(), |at| clock::utc(at).to_string())
    };
    match why {
        CertificateError::ExpiredContext { not_after, .. } => format!("it was valid until {}", day(*not_after)),
        CertificateError::NotValidYetContext { not_before, .. } => format!("it is valid from {}", day(*not_before)),
        CertificateError::UnknownIssuer => "its issuer is not trusted here".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().take(3).map(|name| bare_name(name)).collect();
            let names = if names.is_empty() { "no host name".to_owned() } else { names.join(", ") };
            format!("it is for {names}, not for {}", expected.to_str())
        }
        CertificateError::NotValidForName => "it is for another name".to_owned(),
        CertificateError::Expired => "it has expired".to_owned(),
        CertificateError::NotValidYet => "it is not yet valid".to_owned(),
        CertificateError::Revoked => "it was revoked".to_owned(),
        CertificateError::BadEncoding => "it is damaged".to_owned(),
        CertificateError::BadSignature => "its signature is wrong".to_owned(),
        CertificateError::UnhandledCriticalExtension => "it has an unknown critical extension".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not for server authentication".to_owned()
        }
        // The verifier reports this one only by the name of a constant.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "it is a CA certificate, not a server certificate".to_owned()
        }
        _ => "it is not a valid server certificate".to_owned(),
    }
}

/// Returns `api.example` for `DnsName("api.example")`, the form in which the verifier lists the names of a certificate.
fn bare_name(presented: &str) -> &str {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(presented);
    inner.trim_matches('"')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::pki_types::ServerName;

    use super::*;

    /// Imitates the verifier, which reports this only by the name of a constant.
    #[derive(Debug, thiserror::Error)]
    #[error("CaUsedAsEndEntity")]
    struct CaUsedAsEndEntity;

    #[test]
    fn what_is_wrong_with_a_certificate_is_told_without_names_of_types() {
        let expected = ServerName::try_from("api.example").unwrap();
        let presented = vec!["DnsName(\"other.example\")".to_owned(), "IpAddress(127.0.0.1)".to_owned()];
        let name = CertificateError::NotValidForNameContext { expected, presented };
        assert_eq!(certificate_words(&name), "it is for other.example, 127.0.0.1, not for api.example");
        let authority = CertificateError::Other(rustls::OtherError(Arc::new(CaUsedAsEndEntity)));
        assert_eq!(certificate_words(&authority), "it is a CA certificate, not a server certificate");
        for why in [
            CertificateError::BadEncoding,
            CertificateError::Revoked,
            CertificateError::UnhandledCriticalExtension,
            CertificateError::ApplicationVerificationFailure,
            CertificateError::InvalidPurpose,
            CertificateError::UnknownRevocationStatus,
        ] {
            let words = certificate_words(&why);
            assert!(words.starts_with("it ") && !words.contains(&format!("{why:?}")), "{words}");
        }
    }

    #[test]
    fn the_system_speaks_without_its_numbers() {
        assert_eq!(without_number("Permission denied (os error 13)"), "Permission denied");
        assert_eq!(without_number("no number"), "no number");
    }
}
