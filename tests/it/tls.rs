//! Certificates, good ones and bad ones.
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its work fails the test")]

use std::sync::Arc;

use hookscope::base::clock::Moment;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;

/// An authority of the tests.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
    pub(crate) der: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params.distinguished_name.push(DnType::OrganizationName, "Tests");
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().to_vec());
        Self { issuer: Issuer::new(params, key), pem, der }
    }

    /// A certificate for a name that is valid between two days, counted from today.
    pub(crate) fn sign(&self, name: &str, from: i64, to: i64) -> rustls::ServerConfig {
        let day = |from_today: i64| {
            let date = (Moment::now().wall + SignedDuration::from_hours(24 * from_today)).to_zoned_datetime(TimeZone::UTC);
            let part = |number: i8| u8::try_from(number).unwrap();
            (date.year().into(), part(date.month()), part(date.day()))
        };
        self.sign_dates(name, day(from), day(to))
    }

    /// A certificate between any two dates: year, month, day.
    pub(crate) fn sign_dates(&self, name: &str, from: (i32, u8, u8), to: (i32, u8, u8)) -> rustls::ServerConfig {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
        params.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap()
    }
}
