//! The route of requests to the API: direct, or through a proxy.

use std::fmt;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use crate::base::base_url::BaseUrl;
use crate::base::redact;
use crate::base::text::{Safe, clean};
use crate::safe;

const SCHEMES: [&str; 6] = ["http", "https", "socks5h", "socks5", "socks4a", "socks4"];

/// A proxy for requests, and the source of its address.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyServer {
    url: Url,
    /// `HTTPS_PROXY`, `network.proxy`, …
    source: &'static str,
}

/// The reason why a text is not a valid proxy address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadProxy {
    #[error("not the address of a proxy, such as http://proxy.example:3128 (in its password, write # as %23 and / as %2F)")]
    NotAUrl,
    #[error("must start with http://, https://, socks5h:// (the proxy resolves names), socks5://, socks4a:// or socks4://")]
    Scheme,
}

impl ProxyServer {
    /// Parses a proxy address. Without a scheme, it is an HTTP proxy.
    pub fn parse(text: &str, source: &'static str) -> Result<Self, BadProxy> {
        let text = text.trim();
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let mut url = Url::parse(&with_scheme).map_err(|_may_hold_a_password| BadProxy::NotAUrl)?;
        if !SCHEMES.contains(&url.scheme()) {
            return Err(BadProxy::Scheme);
        }
        // An unescaped `#`, `?` or `/` in a password ends the authority: the rest of the address would be dropped and the
        // part before it taken for the host.
        let has_rest = !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some();
        if has_rest || !url.has_host() {
            return Err(BadProxy::NotAUrl);
        }
        if url.scheme().starts_with("socks") && url.port().is_none() {
            url.set_port(Some(1080)).map_err(|()| BadProxy::NotAUrl)?;
        }
        // The library bypasses a proxy whose address it cannot use.
        let matcher = Matcher::builder().https(url.as_str()).build();
        let is_usable = matcher.intercept(&hyper::Uri::from_static("https://api.example/")).is_some();
        if is_usable { Ok(Self { url, source }) } else { Err(BadProxy::NotAUrl) }
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub fn source(&self) -> &'static str {
        self.source
    }

    /// The address without its password.
    pub fn shown(&self) -> Safe {
        clean(redact::mask_url(self.url.as_str()).trim_end_matches('/'))
    }

    /// `http://proxy.example:3128 (HTTPS_PROXY)`.
    pub fn named(&self) -> Safe {
        safe!("{} ({})", self.shown(), self.source)
    }

    pub fn has_login(&self) -> bool {
        !self.url.username().is_empty() || self.url.password().is_some()
    }

    pub fn is_socks(&self) -> bool {
        self.url.scheme().starts_with("socks")
    }
}

impl fmt::Debug for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.named(), f)
    }
}

/// The proxy variables of the environment that concern the API, which is reached by https.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxyVariables {
    /// The first variable that is set, with its value.
    pub proxy: Option<(&'static str, String)>,
    /// The value of `NO_PROXY`.
    pub no_proxy: String,
}

impl fmt::Debug for ProxyVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.proxy.as_ref().map(|(name, _)| name);
        f.debug_struct("ProxyVariables").field("proxy", &name).field("no_proxy", &self.no_proxy).finish()
    }
}

impl ProxyVariables {
    /// The proxy for an API.
    ///
    /// # Errors
    ///
    /// The name of the variable, if its value is not a valid proxy address.
    pub fn server_for(&self, base_url: &BaseUrl) -> Result<Option<ProxyServer>, (&'static str, BadProxy)> {
        match &self.proxy {
            Some((name, value)) if !self.excepts(base_url) => {
                ProxyServer::parse(value, name).map(Some).map_err(|why| (*name, why))
            }
            _ => Ok(None),
        }
    }

    /// Returns true if `NO_PROXY` exempts the API. The library matches host names, addresses and networks; ports and `*.`
    /// are handled here.
    fn excepts(&self, base_url: &BaseUrl) -> bool {
        let url = base_url.as_url();
        let port = url.port_or_known_default();
        let entries = self.no_proxy.split([',', ' ', '\t']).filter_map(|entry| {
            let (host, of_port) = split_port(entry);
            of_port
                .is_none_or(|of_port| Some(of_port) == port)
                .then(|| host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host))
        });
        let entries = entries.collect::<Vec<_>>().join(",");
        let matcher = Matcher::builder().https("http://proxy.example").no(entries).build();
        url.as_str().parse().is_ok_and(|uri| matcher.intercept(&uri).is_none())
    }
}

/// Splits `host:8443` or `[::1]:8443`. An IPv6 address needs brackets to have a port.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((host, rest)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, port.parse().ok()),
        _ => (entry, None),
    }
}

/// The host and port of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
}

impl Route {
    pub fn new(base_url: &BaseUrl, proxy: Option<&ProxyServer>) -> Self {
        let url = proxy.map_or(base_url.as_url(), ProxyServer::url);
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        Self { host, port: url.port_or_known_default().unwrap_or(80) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base_url(text: &str) -> BaseUrl {
        BaseUrl::parse(text).unwrap()
    }

    fn variables(proxy: &str, no_proxy: &str) -> ProxyVariables {
        ProxyVariables { proxy: Some(("HTTPS_PROXY", proxy.to_owned())), no_proxy: no_proxy.to_owned() }
    }

    #[test]
    fn a_proxy_is_where_the_connection_goes_and_its_password_is_not_shown() {
        for (text, named, host, port) in [
            ("http://bob:hunter2@proxy.example:3128", "http://***@proxy.example:3128 (HTTPS_PROXY)", "proxy.example", 3128),
            ("proxy.example:3128", "http://proxy.example:3128 (HTTPS_PROXY)", "proxy.example", 3128),
            (" http://[::1] ", "http://[::1] (HTTPS_PROXY)", "::1", 80),
            ("https://proxy.example/", "https://proxy.example (HTTPS_PROXY)", "proxy.example", 443),
            ("socks5h://bob:hunter2@proxy.example", "socks5h://***@proxy.example:1080 (HTTPS_PROXY)", "proxy.example", 1080),
        ] {
            let proxy = ProxyServer::parse(text, "HTTPS_PROXY").unwrap();
            assert_eq!((proxy.named().as_str(), format!("{proxy:?}").as_str()), (named, named));
            let route = Route::new(&base_url("https://api.example"), Some(&proxy));
            assert_eq!((route.host.as_str(), route.port), (host, port), "{text}");
        }
    }

    #[test]
    fn what_is_not_the_address_of_a_proxy_is_refused_and_never_repeated() {
        for text in
            ["http://bob:12#hunter2@proxy.example:3128", "http://bob:hunter2/@proxy.example:3128", "http://", "::", "a b"]
        {
            assert_eq!(ProxyServer::parse(text, "HTTPS_PROXY"), Err(BadProxy::NotAUrl), "{text}");
        }
        assert_eq!(ProxyServer::parse("ftp://proxy.example", "HTTPS_PROXY"), Err(BadProxy::Scheme));
        let error = variables("http://bob:12#hunter2@p", "").server_for(&base_url("https://api.example"));
        assert_eq!(error, Err(("HTTPS_PROXY", BadProxy::NotAUrl)));
        assert!(!format!("{:?}", variables("http://bob:hunter2@p", "")).contains("hunter2"));
    }

    #[test]
    fn no_proxy_knows_names_addresses_networks_ports_and_stars() {
        let is_direct = |no_proxy: &str, api: &str| {
            variables("http://proxy.example", no_proxy).server_for(&base_url(api)).unwrap().is_none()
        };
        for (no_proxy, api) in [
            ("api.corp.test", "https://api.corp.test"),
            ("x, .corp.test", "https://api.corp.test"),
            ("*.corp.test", "https://api.corp.test"),
            ("*.CORP.test other", "https://deep.api.corp.test"),
            ("api.corp.test:443", "https://api.corp.test"),
            ("*.corp.test:8443", "https://api.corp.test:8443"),
            ("10.0.0.0/8", "https://10.1.2.3"),
            ("10.1.2.3:8443", "https://10.1.2.3:8443"),
            ("fd00::1", "https://[fd00::1]"),
            ("[fd00::1]:8443", "https://[fd00::1]:8443"),
            ("*", "https://api.corp.test"),
        ] {
            assert!(is_direct(no_proxy, api), "{no_proxy} excepts {api}");
        }
        for (no_proxy, api) in [
            ("", "https://api.corp.test"),
            ("corp.test:8443", "https://api.corp.test"),
            ("*.corp.test:443", "https://api.corp.test:8443"),
            ("*.corp.test", "https://notcorp.test"),
            ("[fd00::1]:8443", "https://[fd00::1]"),
            ("fd00::2", "https://[fd00::1]"),
        ] {
            assert!(!is_direct(no_proxy, api), "{no_proxy} does not except {api}");
        }
        // The value of an unused variable is not checked.
        assert_eq!(variables("::", "*").server_for(&base_url("https://api.example")), Ok(None));
    }
}
