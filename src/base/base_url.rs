//! The base URL of the API, and the origin that an API key is bound to. Uses `redact` and `text`; start at [`BaseUrl`].

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use crate::base::redact::mask_url;
use crate::base::text::{Safe, clean};

/// The vendor's base URL (<https://dialnexa.mintlify.app/api-reference/webhooks/list>).
pub const DEFAULT: &str = "https://api.dialnexa.com/v1";

/// A validated base URL: `https`, or `http` to loopback; without credentials, query and fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// The reason why a text is not a valid base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadBaseUrl {
    #[error("it is empty")]
    Empty,
    #[error("not a URL such as {DEFAULT}")]
    NotAUrl,
    #[error("must start with https:// (http:// is for loopback only: it would expose the API key)")]
    NotHttps,
    #[error("must not contain a user name or password")]
    Credentials,
    #[error("must not contain a query or a fragment")]
    Query,
}

impl BaseUrl {
    /// Parses a base URL. An empty path means `/v1`.
    pub fn parse(text: &str) -> Result<Self, BadBaseUrl> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadBaseUrl::Empty);
        }
        let Ok(mut url) = Url::parse(text) else { return Err(BadBaseUrl::NotAUrl) };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(BadBaseUrl::NotHttps),
            _ => return Err(BadBaseUrl::NotAUrl),
        }
        if !url.has_host() {
            return Err(BadBaseUrl::NotAUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadBaseUrl::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BadBaseUrl::Query);
        }
        let path = match url.path().trim_end_matches('/') {
            "" => "/v1".to_owned(),
            path => path.to_owned(),
        };
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Returns a URL below the base. The path is used as it is: data in it must be percent-encoded.
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/{path}", self.0.path()));
        url
    }

    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// Returns true if a key for one of them may be sent to the other: scheme, host and port are the same.
    pub fn same_origin(&self, other: &Self) -> bool {
        self.0.origin() == other.0.origin()
    }

    /// Returns true if requests stay on this machine: then no proxy may see them, and no certificate store is needed.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Returns the host, and the port unless it is the default, for a header line.
    pub fn host(&self) -> Safe {
        let host = self.0.host_str().unwrap_or_default();
        match self.0.port() {
            Some(port) => clean(&format!("{host}:{port}")),
            None => clean(host),
        }
    }

    /// Returns the URL for messages, with a token in its path masked.
    pub fn clean(&self) -> Safe {
        clean(&mask_url(self.0.as_str()))
    }
}

impl Default for BaseUrl {
    fn default() -> Self {
        match Self::parse(DEFAULT) {
            Ok(url) => url,
            Err(_) => unreachable!("a test parses the default"),
        }
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.clean(), f)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // Only this name is certain to be local: `localhost.` is looked up in the DNS.
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_parses() {
        assert_eq!(BaseUrl::default().clean().as_str(), DEFAULT);
    }

    #[test]
    fn a_token_in_the_path_is_masked() {
        let url = BaseUrl::parse("https://gateway.example.com/token=abc/v1").unwrap();
        assert_eq!(url.clean().as_str(), "https://gateway.example.com/token=***/v1");
        assert_eq!(format!("{url:?}"), "https://gateway.example.com/token=***/v1");
        assert_eq!(url.join("x").as_str(), "https://gateway.example.com/token=abc/v1/x");
    }

    #[test]
    fn an_empty_path_means_v1() {
        for text in ["https://a.com", "https://a.com/", "https://a.com/v1/"] {
            assert_eq!(BaseUrl::parse(text).unwrap().clean().as_str(), "https://a.com/v1");
        }
        assert_eq!(BaseUrl::parse("https://a.com/x/y").unwrap().join("z").as_str(), "https://a.com/x/y/z");
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for text in ["http://127.0.0.1:8080/v1", "http://localhost", "http://[::1]:9"] {
            assert!(BaseUrl::parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in [
            "http://api.dialnexa.com",
            "http://127.0.0.1.evil.com",
            "http://10.0.0.1",
            "http://localhost.evil.com",
            "http://localhost.",
        ] {
            assert_eq!(BaseUrl::parse(text), Err(BadBaseUrl::NotHttps), "{text}");
        }
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        assert_eq!(BaseUrl::parse("  "), Err(BadBaseUrl::Empty));
        for text in ["api.dialnexa.com", "ftp://a.com", "https://", "file:///etc/passwd", "data:x"] {
            assert_eq!(BaseUrl::parse(text), Err(BadBaseUrl::NotAUrl), "{text}");
        }
        assert_eq!(BaseUrl::parse("https://u:p@a.com"), Err(BadBaseUrl::Credentials));
        assert_eq!(BaseUrl::parse("https://a.com/v1?x=1"), Err(BadBaseUrl::Query));
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let base = BaseUrl::parse("https://a.com/v1").unwrap();
        assert!(base.same_origin(&BaseUrl::parse("https://A.com:443/v2").unwrap()));
        for other in ["https://a.com:444", "https://b.com", "http://localhost"] {
            assert!(!base.same_origin(&BaseUrl::parse(other).unwrap()));
        }
    }
}
