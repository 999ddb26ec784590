//! Classifies the failures of a step.

use std::io;

use crate::analysis::reach::Trouble;
use crate::api::{Distrust, certificate_words, distrust, tls_words, without_number};
use crate::base::text::{Safe, clean_head};

/// The reason why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) trouble: Trouble,
    /// The system's message; empty if it would add nothing.
    pub(super) detail: Safe,
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        Self { trouble, detail: Safe::default() }
    }
}

/// Classifies a failed connection or handshake.
pub(super) fn io_fault(error: &io::Error) -> Fault {
    use io::ErrorKind as Io;
    let trouble = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => {
            let trouble = match distrust(why) {
                Distrust::Expired => Trouble::TlsExpired,
                Distrust::OtherName => Trouble::TlsName,
                Distrust::NotYetValid | Distrust::UnknownIssuer | Distrust::Other => Trouble::TlsUntrusted,
            };
            return Fault { trouble, detail: clean_head(&certificate_words(why), 200) };
        }
        Some(tls) => return Fault { trouble: Trouble::Tls, detail: clean_head(&tls_words(tls), 200) },
        None => match error.kind() {
            Io::ConnectionRefused => Trouble::Refused,
            Io::TimedOut => Trouble::Timeout,
            Io::ConnectionReset | Io::ConnectionAborted | Io::UnexpectedEof | Io::BrokenPipe | Io::NotConnected => {
                Trouble::Reset
            }
            _ => Trouble::Unreachable,
        },
    };
    // For other errors, the message comes from the library, not from the system.
    let is_of_system = error.raw_os_error().is_some();
    let detail = if is_of_system { clean_head(&without_number(&error.to_string()), 200) } else { Safe::default() };
    Fault { trouble, detail }
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError as Bad;

    use super::*;

    #[test]
    fn failures_have_their_words() {
        for (kind, trouble) in [
            (io::ErrorKind::ConnectionRefused, Trouble::Refused),
            (io::ErrorKind::UnexpectedEof, Trouble::Reset),
            (io::ErrorKind::HostUnreachable, Trouble::Unreachable),
            (io::ErrorKind::PermissionDenied, Trouble::Unreachable),
            (io::ErrorKind::TimedOut, Trouble::Timeout),
        ] {
            assert_eq!(io_fault(&kind.into()).trouble, trouble);
        }
        let tls = |error: rustls::Error| io_fault(&io::Error::new(io::ErrorKind::InvalidData, error)).trouble;
        assert_eq!(tls(rustls::Error::DecryptError), Trouble::Tls);
        assert_eq!(tls(Bad::Expired.into()), Trouble::TlsExpired);
        assert_eq!(tls(Bad::NotValidForName.into()), Trouble::TlsName);
        for bad in [Bad::NotValidYet, Bad::UnknownIssuer, Bad::BadEncoding, Bad::Revoked] {
            assert_eq!(tls(bad.into()), Trouble::TlsUntrusted);
        }
    }
}
