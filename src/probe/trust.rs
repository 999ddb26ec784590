//! The trusted certificates, and a TLS handshake that records the server's certificate: an untrusted one also has an expiry
//! date.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::api::{ApiError, Certificate, ErrorKind, is_der};

/// The certificates of the system and of the config, the same as for the API client.
#[derive(Clone)]
pub struct Trust {
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust")
    }
}

impl Trust {
    /// Loads the system's certificates, which takes milliseconds, and `extra_roots` in PEM or DER.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Setup`] if there are none, or `extra_roots` contains none.
    pub fn new(extra_roots: Option<&[u8]>) -> Result<Self, ApiError> {
        let failed = |words: &'static str| ApiError::new(ErrorKind::Setup).with(words.into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let extra = match extra_roots {
            Some(der) if is_der(der) => vec![CertificateDer::from(der.to_vec())],
            pem => CertificateDer::pem_slice_iter(pem.unwrap_or_default())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_library_words| failed("no valid certificate in network.ca_file"))?,
        };
        let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(|error| {
            tracing::warn!("no certificates: {error}");
            failed("no valid certificate on this system or in network.ca_file")
        })?;
        Ok(Self { provider, verifier: Arc::new(verifier) })
    }

    /// Performs a TLS handshake. `seen` becomes the server's certificate, trusted or not; `None` if the server sent none, or
    /// one that does not parse.
    pub(super) async fn shake_hands(
        &self,
        stream: TcpStream,
        name: ServerName<'static>,
        protocols: &[&str],
        seen: &mut Option<Certificate>,
    ) -> io::Result<TlsStream<TcpStream>> {
        let witness = Arc::new(Witness { verifier: Arc::clone(&self.verifier), seen: OnceLock::new() });
        let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(&witness) as _;
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        config.resumption = Resumption::disabled();
        let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        *seen = witness.seen.get().and_then(|der| Certificate::read(der));
        shaken
    }
}

/// Delegates to the verifier, and records the server's certificate.
#[derive(Debug)]
struct Witness {
    verifier: Arc<dyn ServerCertVerifier>,
    seen: OnceLock<CertificateDer<'static>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.seen.get_or_init(|| end_entity.clone().into_owned());
        self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pem_is_refused() {
        let broken = "-----BEGIN CERTIFICATE-----\nnot base64 !\n-----END CERTIFICATE-----\n";
        assert_eq!(Trust::new(Some(broken.as_bytes())).unwrap_err().kind, ErrorKind::Setup);
    }
}
