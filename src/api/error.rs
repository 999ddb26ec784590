//! Errors of a single request, described for the person who has to fix them.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::safe;
use crate::text::Safe;

/// A failed request: the kind of failure and its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub kind: ErrorKind,
    /// Details from the server or the system.
    pub detail: Option<Safe>,
    /// Messages of the operating system, from the outermost cause to the innermost.
    pub causes: Box<[Safe]>,
    /// The reason why the key could not be read again after the API refused it.
    pub unread_key: Option<Box<Safe>>,
    /// Advice that replaces that of the kind.
    pub own_advice: Option<Box<Safe>>,
}

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

/// The reason why there was no response.
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
}

impl ApiError {
    pub fn new(kind: ErrorKind) -> Self {
        Self { kind, detail: None, causes: Box::default(), unread_key: None, own_advice: None }
    }

    #[must_use]
    pub fn with(mut self, detail: Safe) -> Self {
        self.detail = (!detail.is_empty()).then_some(detail);
        self
    }

    /// Replaces the advice of the kind.
    #[must_use]
    pub(super) fn advised(mut self, advice: Option<Safe>) -> Self {
        self.own_advice = advice.map(Box::new);
        self
    }

    /// Returns true if the same request is likely to succeed later.
    pub fn is_transient(&self) -> bool {
        match self.kind {
            ErrorKind::RateLimited { .. } | ErrorKind::Unavailable { .. } => true,
            ErrorKind::Status(status) => status == 408 || status >= 500,
            ErrorKind::Network(network) | ErrorKind::Proxy(ProxyFault::Connect(network)) => {
                !matches!(network, Network::Tls | Network::Certificate(_))
            }
            ErrorKind::Nonsense(nonsense) => {
                !matches!(nonsense, Nonsense::TooDeep | Nonsense::SamePage | Nonsense::Unsteady | Nonsense::Headers)
            }
            ErrorKind::Unauthorized
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::LimitNearlySpent { .. }
            | ErrorKind::PasswordWanted
            | ErrorKind::Redirect
            | ErrorKind::RedirectLoop
            | ErrorKind::Proxy(ProxyFault::Login | ProxyFault::Tunnel { .. })
            | ErrorKind::TooLarge { .. }
            | ErrorKind::Setup
            | ErrorKind::BadId => false,
        }
    }

    /// Returns true if repeating the request minutes later may succeed and is safe. A login that the proxy refuses is not
    /// repeated, as that may lock the account.
    pub fn may_recover(&self) -> bool {
        !matches!(
            self.kind,
            ErrorKind::Proxy(ProxyFault::Login | ProxyFault::Tunnel { has_login: true })
                | ErrorKind::TooLarge { .. }
                | ErrorKind::Nonsense(Nonsense::SamePage | Nonsense::Unsteady)
                | ErrorKind::Setup
        )
    }

    /// Returns true if every other request with this key would fail as well.
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, ErrorKind::Unauthorized | ErrorKind::PasswordWanted | ErrorKind::Forbidden)
    }

    /// Returns true if the API is overloaded or limits the rate: 429 or 503.
    pub fn is_overload(&self) -> bool {
        matches!(self.kind, ErrorKind::RateLimited { .. } | ErrorKind::Unavailable { .. })
    }

    /// The time to wait before the next request, from the API's response or its rate limit.
    pub fn wait(&self) -> Option<Duration> {
        match self.kind {
            ErrorKind::RateLimited { retry_after: wait }
            | ErrorKind::Unavailable { retry_after: wait }
            | ErrorKind::LimitNearlySpent { resets_in: wait } => wait,
            _ => None,
        }
    }

    /// A short description for a header line.
    pub fn short(&self) -> Safe {
        match self.kind {
            ErrorKind::Unauthorized => "401 unauthorized".into(),
            ErrorKind::Forbidden => "403 forbidden".into(),
            ErrorKind::NotFound | ErrorKind::Status(404) => "404 not found".into(),
            ErrorKind::RateLimited { .. } => "429 rate limited".into(),
            ErrorKind::Unavailable { .. } => "503 Service Unavailable".into(),
            ErrorKind::LimitNearlySpent { .. } => "rate limit nearly exhausted".into(),
            ErrorKind::Status(status) => match reason(status) {
                Some(reason) => safe!("{} {}", status, reason),
                None => safe!("status {}", status),
            },
            ErrorKind::PasswordWanted => "401 from a gateway".into(),
            ErrorKind::Redirect => "unexpected redirect".into(),
            ErrorKind::RedirectLoop => "too many redirects".into(),
            ErrorKind::Proxy(ProxyFault::Connect(network)) => safe!("proxy: {}", network.short()),
            ErrorKind::Proxy(ProxyFault::Login) => "proxy: 407, wrong user name or password".into(),
            ErrorKind::Proxy(ProxyFault::Tunnel { .. }) => "proxy: CONNECT refused".into(),
            ErrorKind::Network(network) => network.short(),
            ErrorKind::TooLarge { .. } => "response too large".into(),
            ErrorKind::Nonsense(Nonsense::Empty) => "empty response".into(),
            ErrorKind::Nonsense(Nonsense::NotHttp) => "response is not HTTP".into(),
            ErrorKind::Nonsense(Nonsense::Headers) => "too many response headers".into(),
            ErrorKind::Nonsense(Nonsense::Html) => "HTML instead of JSON".into(),
            ErrorKind::Nonsense(Nonsense::NotUtf8) => "response is not UTF-8".into(),
            ErrorKind::Nonsense(Nonsense::NotJson) => "response is not JSON".into(),
            ErrorKind::Nonsense(Nonsense::TooDeep) => "response nested too deeply".into(),
            ErrorKind::Nonsense(Nonsense::NoWebhooks) => "no webhooks in the response".into(),
            ErrorKind::Nonsense(Nonsense::SamePage) => "the server ignores the page parameter".into(),
            ErrorKind::Nonsense(Nonsense::Unsteady) => "page size keeps changing".into(),
            ErrorKind::Setup => "cannot set up the connection".into(),
            ErrorKind::BadId => "this id cannot be used in a URL".into(),
        }
    }

    /// Advice on how to fix it, in one or two sentences.
    pub fn advice(&self) -> Safe {
        if let Some(own) = &self.own_advice {
            return Safe::clone(own);
        }
        match self.kind {
            ErrorKind::Unauthorized => {
                "The API key is missing, wrong or revoked: check api_key in the config, or DIALNEXA_API_KEY.".into()
            }
            ErrorKind::Forbidden => {
                "This API key cannot read webhook configuration: use a key with permission to read webhooks.".into()
            }
            ErrorKind::NotFound | ErrorKind::Status(404) => "Check base_url; it usually ends in /v1.".into(),
            ErrorKind::RateLimited { retry_after: Some(wait) } => {
                safe!("The API says to wait {}; its rate limit is shared with production.", duration(wait))
            }
            ErrorKind::RateLimited { retry_after: None } => {
                "Try again in a minute; the API does not say how long to wait.".into()
            }
            ErrorKind::Unavailable { retry_after: Some(wait) } => {
                safe!("The API is overloaded or down for maintenance; it says to wait {}.", duration(wait))
            }
            ErrorKind::Unavailable { retry_after: None } => {
                "The API is overloaded or down for maintenance; try again later.".into()
            }
            ErrorKind::LimitNearlySpent { resets_in: Some(wait) } => {
                safe!("The last tenth of the rate limit is reserved for production; it resets in {}.", duration(wait))
            }
            ErrorKind::LimitNearlySpent { resets_in: None } => {
                "The last tenth of the rate limit is reserved for production; try again in a few minutes.".into()
            }
            ErrorKind::Status(400..=499) => "The API did not accept the request; check base_url.".into(),
            ErrorKind::Status(_) => "The API had an internal error; try again later.".into(),
            ErrorKind::PasswordWanted => {
                "A gateway in front of the API asks for a user name and password; this is not about the API key. Check base_url.".into()
            }
            ErrorKind::Redirect => "The key was not sent there. Check base_url.".into(),
            ErrorKind::RedirectLoop => "The server keeps redirecting to itself; check the path of base_url.".into(),
            ErrorKind::Proxy(ProxyFault::Connect(Network::Tls)) => {
                "If the proxy does not use TLS, use http:// in its address.".into()
            }
            ErrorKind::Proxy(ProxyFault::Connect(_)) => {
                "Check the proxy's address and the network; network.proxy = \"none\" uses no proxy.".into()
            }
            ErrorKind::Proxy(ProxyFault::Login) => {
                "Check the user name and password in the proxy's address; they were sent only once.".into()
            }
            ErrorKind::Proxy(ProxyFault::Tunnel { .. }) => {
                "The proxy refuses to connect to the API's host: ask its administrator, or add the host to NO_PROXY.".into()
            }
            ErrorKind::Network(network) => network_advice(network),
            ErrorKind::TooLarge { limit } => {
                safe!("The limit for a page is {} MiB; raise it with network.max_page_bytes.", limit >> 20)
            }
            ErrorKind::Nonsense(Nonsense::Html) => {
                "A login page or a proxy answered instead of the API: check base_url and the network.".into()
            }
            ErrorKind::Nonsense(Nonsense::Unsteady) => {
                "The explorer needs pages of the same size; use a command, such as hookscope list.".into()
            }
            ErrorKind::Nonsense(Nonsense::SamePage) => "Only the first page of such a server can be read.".into(),
            ErrorKind::Nonsense(Nonsense::NotHttp) => "Check the port of base_url.".into(),
            ErrorKind::Nonsense(Nonsense::Headers) => "Ask the administrator of the server or gateway to send fewer.".into(),
            ErrorKind::Nonsense(_) => "Check base_url; if it is right, the API is having problems.".into(),
            ErrorKind::Setup => "Check network.ca_file, network.proxy and the system's certificates.".into(),
            ErrorKind::BadId => "An id that is empty, . or .. would change the path of the URL, so it is not sent.".into(),
        }
    }
}

/// Advice for a network failure.
fn network_advice(network: Network) -> Safe {
    match network {
        Network::Dns => "Check base_url and the DNS settings of this machine.".into(),
        Network::Tls => "Check that base_url names a server with TLS on this port.".into(),
        Network::Certificate(Distrust::UnknownIssuer) => {
            "If a proxy uses its own certificates, set network.ca_file to its CA.".into()
        }
        Network::Certificate(Distrust::Expired | Distrust::NotYetValid) => {
            "Check the clock of this machine; if it is right, the server needs a new certificate.".into()
        }
        Network::Certificate(Distrust::OtherName) => {
            "Check base_url, and that its name resolves to the right server.".into()
        }
        Network::Certificate(Distrust::Other) => "Ask the administrator of the server to fix its certificate.".into(),
        Network::Timeout => "Check the network, or raise the limit with --timeout.".into(),
        _ => "Check the network, the proxy settings and base_url.".into(),
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.short().fmt(f)?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        if let Some(why) = &self.unread_key {
            write!(f, "; {}", unread_key(why))?;
        }
        Ok(())
    }
}

impl StdError for ApiError {}

/// Formats the reason why the key could not be read again, as a clause.
pub(crate) fn unread_key(why: &Safe) -> Safe {
    safe!("the key cannot be read again: {}", why)
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

/// `message` of an error: a string, or an array of them, one per invalid field (api-reference/errors).
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Message {
    One(String),
    Many(Vec<String>),
}

impl Message {
    fn text(self) -> String {
        match self {
            Self::One(text) => text,
            Self::Many(texts) => texts.join("; "),
        }
    }
}

/// The server's `message`.
pub(super) fn server_message(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Body {
        message: Message,
    }
    Some(serde_json::from_slice::<Body>(body).ok()?.message.text())
}

/// Returns true if the server's message only repeats the status, such as `Forbidden` or `403 Forbidden` for a 403.
pub(super) fn repeats(status: reqwest::StatusCode, text: &str) -> bool {
    let text = text.trim().trim_end_matches(['.', '!']);
    let without_number = text.strip_prefix(status.as_str()).unwrap_or(text).trim_start_matches([' ', ':', '-']);
    let reason = status.canonical_reason().unwrap_or_default();
    without_number.is_empty() || without_number.eq_ignore_ascii_case(reason)
}

/// Returns true if the body of a 404 is the API's own statement that a webhook does not exist: `{"statusCode": 404,
/// "message": …, "error": …}`. A gateway sends a different body. A framework without a route for the path sends the same
/// fields, but its message names the path.
pub(super) fn is_not_found(body: &[u8], path: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Body {
        #[serde(rename = "statusCode")]
        status: u16,
        message: Message,
        #[serde(rename = "error")]
        _error: String,
    }
    let Ok(body) = serde_json::from_slice::<Body>(body) else { return false };
    let message = body.message.text();
    let names_a_route = message.contains(path) || message.starts_with("Cannot GET") || message.starts_with("Route GET");
    body.status == 404 && !names_a_route
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_strings_or_arrays() {
        let read = |body: &str| server_message(body.as_bytes());
        assert_eq!(read(r#"{"statusCode":400,"message":"no"}"#).as_deref(), Some("no"));
        assert_eq!(read(r#"{"message":["a","b"]}"#).as_deref(), Some("a; b"));
        for nonsense in ["", "{}", r#"{"message":5}"#, r#"{"message":[1]}"#, "<html>"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_text_that_repeats_the_status_is_known() {
        use reqwest::StatusCode;
        for (status, text) in [
            (StatusCode::FORBIDDEN, "Forbidden"),
            (StatusCode::NOT_FOUND, "404 Not Found"),
            (StatusCode::INTERNAL_SERVER_ERROR, "internal server error."),
            (StatusCode::TOO_MANY_REQUESTS, "429: Too Many Requests"),
            (StatusCode::BAD_GATEWAY, "502"),
        ] {
            assert!(repeats(status, text), "{text}");
        }
        for text in ["Forbidden resource", "403 for this key", "Not Found"] {
            assert!(!repeats(StatusCode::FORBIDDEN, text), "{text}");
        }
    }

    #[test]
    fn only_the_apis_own_404_is_proof() {
        let is_proof = |body: &str| is_not_found(body.as_bytes(), "/v1/user-webhooks/a");
        assert!(is_proof(r#"{"statusCode":404,"message":"Webhook not found","error":"Not Found"}"#));
        assert!(is_proof(r#"{"error":"Not Found","message":["Webhook not found"],"statusCode":404,"path":"x"}"#));
        for other in [
            "",
            "{}",
            "<html>404</html>",
            r#"{"message":"no Route matched with those values"}"#,
            r#"{"statusCode":404,"message":"Resource not found"}"#,
            r#"{"statusCode":500,"message":"Webhook not found","error":"Not Found"}"#,
            r#"{"statusCode":"404","message":"Webhook not found","error":"Not Found"}"#,
            r#"{"statusCode":404,"message":"Cannot GET /v1/user-webhooks/a","error":"Not Found"}"#,
            r#"{"statusCode":404,"message":"Cannot GET /user-webhooks/a","error":"Not Found"}"#,
            r#"{"statusCode":404,"message":"Route GET:/v1/user-webhooks/a not found","error":"Not Found"}"#,
            r#"[{"statusCode":404,"message":"Webhook not found","error":"Not Found"}]"#,
        ] {
            assert!(!is_proof(other), "{other}");
        }
    }

    #[test]
    fn refusals_and_mistakes_are_never_tried_again() {
        for kind in [
            ErrorKind::Unauthorized,
            ErrorKind::Forbidden,
            ErrorKind::NotFound,
            ErrorKind::Status(404),
            ErrorKind::Status(400),
            ErrorKind::Redirect,
            ErrorKind::TooLarge { limit: 1 },
            ErrorKind::Setup,
        ] {
            assert!(!ApiError::new(kind).is_transient(), "{kind:?}");
        }
        for kind in [
            ErrorKind::RateLimited { retry_after: None },
            ErrorKind::Unavailable { retry_after: None },
            ErrorKind::Status(500),
            ErrorKind::Status(408),
            ErrorKind::Network(Network::CutOff),
            ErrorKind::Nonsense(Nonsense::Html),
        ] {
            assert!(ApiError::new(kind).is_transient(), "{kind:?}");
        }
    }

    #[test]
    fn waits_are_rounded_up_to_what_a_person_reads() {
        let words = |millis| duration(Duration::from_millis(millis)).to_string();
        assert_eq!(words(1), "1 s");
        assert_eq!(words(90_000), "90 s");
        assert_eq!(words(121_000), "3 min");
        assert_eq!(words(7_200_001), "3 h");
    }
}
