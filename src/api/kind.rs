//! The kinds of failure of a request, each with a short description and advice.

use std::time::Duration;

use crate::base::text::Safe;
use crate::safe;

/// The kinds of failure, by what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// 401: the key is missing, wrong or revoked.
    Unauthorized,
    /// 403: the key cannot read webhook configuration on this workspace.
    Forbidden,
    /// 404 from the API itself: the webhook does not exist. Any other 404 is a [`Self::Status`], which proves nothing.
    NotFound,
    /// 429, with the requested wait.
    RateLimited { retry_after: Option<Duration> },
    /// 503, with the requested wait.
    Unavailable { retry_after: Option<Duration> },
    /// The rate limit is nearly exhausted, and the rest is reserved for production.
    LimitNearlySpent { resets_in: Option<Duration> },
    /// Any other status that is not a success.
    Status(u16),
    /// 401 from a gateway that requires a user name and password.
    PasswordWanted,
    /// A redirect to another origin. The key was not sent there.
    Redirect,
    /// Too many redirects within the API's origin.
    RedirectLoop,
    /// The proxy failed, before the API was reached.
    Proxy(ProxyFault),
    /// No response at all.
    Network(Network),
    /// The body exceeds the limit, in bytes after decompression.
    TooLarge { limit: usize },
    /// A successful response that cannot be used.
    Nonsense(Nonsense),
    /// The client cannot be set up: invalid certificates or proxy.
    Setup,
    /// The id cannot be part of a URL; no request was sent.
    BadId,
}

/// The step at which a proxy failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyFault {
    /// Connecting to the proxy failed.
    Connect(Network),
    /// The proxy rejected the user name and password, or requires them: 407.
    Login,
    /// The proxy did not open a tunnel to the API: CONNECT failed. With a login, retrying may lock the account.
    Tunnel { has_login: bool },
}

/// The reason why no response was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    Dns,
    Refused,
    Unreachable,
    Timeout,
    /// The connection was lost, or the body was cut short.
    CutOff,
    Tls,
    /// The server's certificate is not accepted.
    Certificate(Distrust),
    Other,
}

/// The reason why a certificate is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    Expired,
    NotYetValid,
    UnknownIssuer,
    OtherName,
    /// Revoked, wrongly signed, for another purpose.
    Other,
}

/// The reason why a successful response cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nonsense {
    Empty,
    /// The server does not speak HTTP here.
    NotHttp,
    /// More headers than the client accepts.
    Headers,
    Html,
    NotUtf8,
    NotJson,
    TooDeep,
    NoWebhooks,
    /// The server answered a request for another page with page 1.
    SamePage,
    /// The page size changes with every page.
    Unsteady,
}

impl Network {
    fn short(self) -> Safe {
        match self {
            Self::Dns => "host name not found".into(),
            Self::Refused => "connection refused".into(),
            Self::Unreachable => "network unreachable".into(),
            Self::Timeout => "timed out".into(),
            Self::CutOff => "connection lost".into(),
            Self::Tls => "TLS failed".into(),
            Self::Certificate(Distrust::Expired) => "certificate expired".into(),
            Self::Certificate(Distrust::NotYetValid) => "certificate not yet valid".into(),
            Self::Certificate(Distrust::UnknownIssuer) => "certificate not trusted".into(),
            Self::Certificate(Distrust::OtherName) => "certificate name mismatch".into(),
            Self::Certificate(Distrust::Other) => "certificate not accepted".into(),
            Self::Other => "cannot connect".into(),
        }
    }

    fn advice(self) -> Safe {
        match self {
            Self::Dns => "Check base_url and the DNS settings of this machine.".into(),
            Self::Tls => "Check that base_url names a server with TLS on this port.".into(),
            Self::Certificate(Distrust::UnknownIssuer) => {
                "If a proxy uses its own certificates, set network.ca_file to its CA.".into()
            }
            Self::Certificate(Distrust::Expired | Distrust::NotYetValid) => {
                "Check the clock of this machine; if it is right, the server needs a new certificate.".into()
            }
            Self::Certificate(Distrust::OtherName) => {
                "Check base_url, and that its name resolves to the right server.".into()
            }
            Self::Certificate(Distrust::Other) => "Ask the administrator of the server to fix its certificate.".into(),
            Self::Timeout => "Check the network, or raise the limit with --timeout.".into(),
            _ => "Check the network, the proxy settings and base_url.".into(),
        }
    }
}

impl ErrorKind {
    /// A short description for a header line.
    pub fn short(self) -> Safe {
        match self {
            Self::Unauthorized => "401 unauthorized".into(),
            Self::Forbidden => "403 forbidden".into(),
            Self::NotFound | Self::Status(404) => "404 not found".into(),
            Self::RateLimited { .. } => "429 rate limited".into(),
            Self::Unavailable { .. } => "503 Service Unavailable".into(),
            Self::LimitNearlySpent { .. } => "rate limit nearly exhausted".into(),
            Self::Status(status) => match reason(status) {
                Some(reason) => safe!("{} {}", status, reason),
                None => safe!("status {}", status),
            },
            Self::PasswordWanted => "401 from a gateway".into(),
            Self::Redirect => "unexpected redirect".into(),
            Self::RedirectLoop => "too many redirects".into(),
            Self::Proxy(ProxyFault::Connect(network)) => safe!("proxy: {}", network.short()),
            Self::Proxy(ProxyFault::Login) => "proxy: 407, wrong user name or password".into(),
            Self::Proxy(ProxyFault::Tunnel { .. }) => "proxy: CONNECT refused".into(),
            Self::Network(network) => network.short(),
            Self::TooLarge { .. } => "response too large".into(),
            Self::Nonsense(Nonsense::Empty) => "empty response".into(),
            Self::Nonsense(Nonsense::NotHttp) => "response is not HTTP".into(),
            Self::Nonsense(Nonsense::Headers) => "too many response headers".into(),
            Self::Nonsense(Nonsense::Html) => "HTML instead of JSON".into(),
            Self::Nonsense(Nonsense::NotUtf8) => "response is not UTF-8".into(),
            Self::Nonsense(Nonsense::NotJson) => "response is not JSON".into(),
            Self::Nonsense(Nonsense::TooDeep) => "response nested too deeply".into(),
            Self::Nonsense(Nonsense::NoWebhooks) => "no webhooks in the response".into(),
            Self::Nonsense(Nonsense::SamePage) => "the server ignores the page parameter".into(),
            Self::Nonsense(Nonsense::Unsteady) => "page size keeps changing".into(),
            Self::Setup => "cannot set up the connection".into(),
            Self::BadId => "this id cannot be used in a URL".into(),
        }
    }

    /// Advice on how to fix it, in one or two sentences.
    pub(super) fn advice(self) -> Safe {
        match self {
            Self::Unauthorized => {
                "The API key is missing, wrong or revoked: check api_key in the config, or DIALNEXA_API_KEY.".into()
            }
            Self::Forbidden => {
                "This API key cannot read webhook configuration: use a key with permission to read webhooks.".into()
            }
            Self::NotFound | Self::Status(404) => "Check base_url; it usually ends in /v1.".into(),
            Self::RateLimited { retry_after: Some(wait) } => {
                safe!("The API says to wait {}; its rate limit is shared with production.", duration(wait))
            }
            Self::RateLimited { retry_after: None } => {
                "Try again in a minute; the API does not say how long to wait.".into()
            }
            Self::Unavailable { retry_after: Some(wait) } => {
                safe!("The API is overloaded or down for maintenance; it says to wait {}.", duration(wait))
            }
            Self::Unavailable { retry_after: None } => {
                "The API is overloaded or down for maintenance; try again later.".into()
            }
            Self::LimitNearlySpent { resets_in: Some(wait) } => {
                safe!("The last tenth of the rate limit is reserved for production; it resets in {}.", duration(wait))
            }
            Self::LimitNearlySpent { resets_in: None } => {
                "The last tenth of the rate limit is reserved for production; try again in a few minutes.".into()
            }
            Self::Status(400..=499) => "The API did not accept the request; check base_url.".into(),
            Self::Status(_) => "The API had an internal error; try again later.".into(),
            Self::PasswordWanted => {
                "A gateway in front of the API asks for a user name and password; this is not about the API key. Check base_url.".into()
            }
            Self::Redirect => "The key was not sent there. Check base_url.".into(),
            Self::RedirectLoop => "The server keeps redirecting to itself; check the path of base_url.".into(),
            Self::Proxy(ProxyFault::Connect(Network::Tls)) => {
                "If the proxy does not use TLS, use http:// in its address.".into()
            }
            Self::Proxy(ProxyFault::Connect(_)) => {
                "Check the proxy's address and the network; network.proxy = \"none\" uses no proxy.".into()
            }
            Self::Proxy(ProxyFault::Login) => {
                "Check the user name and password in the proxy's address; they were sent only once.".into()
            }
            Self::Proxy(ProxyFault::Tunnel { .. }) => {
                "The proxy refuses to connect to the API's host: ask its administrator, or add the host to NO_PROXY.".into()
            }
            Self::Network(network) => network.advice(),
            Self::TooLarge { limit } => {
                safe!("The limit for a page is {} MiB; raise it with network.max_page_bytes.", limit >> 20)
            }
            Self::Nonsense(Nonsense::Html) => {
                "A login page or a proxy answered instead of the API: check base_url and the network.".into()
            }
            Self::Nonsense(Nonsense::Unsteady) => {
                "The explorer needs pages of the same size; use a command, such as hookscope list.".into()
            }
            Self::Nonsense(Nonsense::SamePage) => "Only the first page of such a server can be read.".into(),
            Self::Nonsense(Nonsense::NotHttp) => "Check the port of base_url.".into(),
            Self::Nonsense(Nonsense::Headers) => "Ask the administrator of the server or gateway to send fewer.".into(),
            Self::Nonsense(_) => "Check base_url; if it is right, the API is having problems.".into(),
            Self::Setup => "Check network.ca_file, network.proxy and the system's certificates.".into(),
            Self::BadId => "An id that is empty, . or .. would change the path of the URL, so it is not sent.".into(),
        }
    }

    /// The reason why no response was received.
    pub(super) fn network(self) -> Option<Network> {
        if let Self::Network(network) = self { Some(network) } else { None }
    }
}

/// Formats a waiting time, rounded up: `2 s`, `5 min`, `3 h`.
pub(crate) fn duration(wait: Duration) -> Safe {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    match seconds {
        0..=119 => safe!("{} s", seconds),
        120..=7199 => safe!("{} min", seconds.div_ceil(60)),
        _ => safe!("{} h", seconds.div_ceil(3600)),
    }
}

fn reason(status: u16) -> Option<&'static str> {
    reqwest::StatusCode::from_u16(status).ok()?.canonical_reason()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up_to_what_a_person_reads() {
        let words = |millis| duration(Duration::from_millis(millis)).to_string();
        assert_eq!(words(1), "1 s");
        assert_eq!(words(90_000), "90 s");
        assert_eq!(words(121_000), "3 min");
        assert_eq!(words(7_200_001), "3 h");
    }
}
