//! The way that requests take: straight, or through a proxy. Decided by the same code that decides it for the requests
//! themselves, so that `NO_PROXY` means the same in both places.

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use super::client::Proxy;
use crate::base_url::BaseUrl;
use crate::redact;
use crate::text::{Safe, clean};

/// Whom a connection is made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
    /// The proxy's address without its password, and whether the environment named it; `None` without a proxy.
    pub proxy: Option<(Safe, bool)>,
}

/// The way to an API. `None` when the proxy's address cannot be used.
pub fn route(base_url: &BaseUrl, proxy: &Proxy) -> Option<Route> {
    let proxy = match proxy {
        _ if base_url.is_loopback() => None,
        Proxy::None => None,
        Proxy::Url(url) => Some((url.clone(), false)),
        Proxy::Environment => match of_environment(base_url) {
            Some(text) => Some((Url::parse(&text).ok()?, true)),
            None => None,
        },
    };
    let url = proxy.as_ref().map_or(base_url.as_url(), |(url, _)| url);
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    // A scheme without a port of its own is spoken to as http.
    let port = url.port_or_known_default().unwrap_or(80);
    Some(Route { host, port, proxy: proxy.map(|(url, named)| (clean(&redact::mask_parsed(&url)), named)) })
}

fn of_environment(base_url: &BaseUrl) -> Option<String> {
    let uri = base_url.as_url().as_str().parse::<hyper::Uri>().ok()?;
    Some(Matcher::from_system().intercept(&uri)?.uri().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(base_url: &str, proxy: &str) -> Route {
        route(&BaseUrl::parse(base_url).unwrap(), &Proxy::Url(Url::parse(proxy).unwrap())).unwrap()
    }

    #[test]
    fn a_proxy_is_where_the_connection_goes() {
        let route = to("https://api.example", "http://bob:hunter2@proxy.example:3128");
        assert_eq!((route.host.as_str(), route.port), ("proxy.example", 3128));
        let (shown, _) = route.proxy.unwrap();
        assert_eq!(shown.as_str(), "http://***@proxy.example:3128/");
        assert_eq!(to("https://api.example", "http://[::1]").host, "::1");
        assert_eq!(to("https://api.example", "https://proxy.example").port, 443);
    }

    #[test]
    fn loopback_is_never_proxied() {
        let route = to("http://127.0.0.1:8080", "http://proxy.example:3128");
        assert_eq!((route.host.as_str(), route.port, route.proxy), ("127.0.0.1", 8080, None));
    }
}
