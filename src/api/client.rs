//! The HTTP client: `GET`, to one origin, with a deadline and a cap.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Certificate, Response, StatusCode};
use tokio::time::Instant;
use url::Url;

use super::error::ApiError;
use super::inspect::Inspection;
use super::keys::{Keys, Renewal};
use super::kind::{ErrorKind, Network, Nonsense};
use super::rate::{self, RateLimit};
use super::route::ProxyServer;
use super::server_message::{is_not_found, repeats, server_message};
use super::wire::{self, Page, Unreadable};
use super::{ApiAnswer, ApiFailure};
use crate::base::base_url::BaseUrl;
use crate::base::log;
use crate::base::redact::ApiKey;
use crate::base::text::{Safe, clean_head};
use crate::model::{Interner, OwnedRow, Scope, WebhookId};
use crate::safe;

const USER_AGENT: &str = concat!("hookscope/", env!("CARGO_PKG_VERSION"));
/// The collection (api-reference/webhooks/list).
const COLLECTION: &str = "user-webhooks";
/// The most redirects followed for one request, all within the API's own origin.
const MAX_REDIRECTS: usize = 3;
/// The length to which the body of an error response is read, in bytes.
const MAX_ERROR_BODY: usize = 64 << 10;
/// The most headers accepted in a response; gateways add dozens.
const MAX_HEADERS: usize = 512;

/// The settings of a client.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    pub base_url: BaseUrl,
    pub key: ApiKey,
    /// The source of a new key when the API refuses this one.
    pub renewal: Option<Renewal>,
    /// Total time of one request, from the connection to the last byte.
    pub timeout: Duration,
    pub connect_timeout: Duration,
    /// The largest body that is read, in bytes after decompression.
    pub max_page_bytes: usize,
    /// The proxy for requests. Loopback addresses are never proxied.
    pub proxy: Option<ProxyServer>,
    /// Certificates trusted in addition to the system's: a PEM bundle, or one certificate in DER.
    pub extra_roots: Option<Vec<u8>>,
    pub sources: SettingSources,
}

/// The sources of the key and the base URL, for advice: a variable, an option or a line of the config.
#[derive(Debug, Clone, Default)]
pub struct SettingSources {
    pub key: Option<Safe>,
    pub base_url: Option<Safe>,
}

impl ClientSettings {
    /// Drops the renewal if it would prompt the user for a key.
    #[must_use]
    pub fn never_asking(mut self) -> Self {
        self.renewal = self.renewal.filter(|renewal| !renewal.asks);
        self
    }
}

/// One page of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Counts from 1.
    pub number: u64,
    /// Rows per page.
    pub limit: u32,
    pub scope: Scope,
}

/// Talks to one origin with one key. It sends `GET` and nothing else, and has no way to send anything else.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    keys: Arc<Keys>,
    /// The proxy is the one in use, and the certificates are left out.
    settings: ClientSettings,
}

impl Client {
    /// Loads the certificate store, which takes milliseconds, so call it after the first frame.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Setup`] when certificates or the proxy cannot be used.
    pub fn new(settings: &ClientSettings) -> Result<Self, ApiError> {
        Self::set_up(settings, false)
    }

    /// A client that also looks at the server's certificate, for [`Client::inspect`].
    ///
    /// # Errors
    ///
    /// As [`Client::new`].
    pub fn inspector(settings: &ClientSettings) -> Result<Self, ApiError> {
        Self::set_up(settings, true)
    }

    fn set_up(settings: &ClientSettings, keep_certificates: bool) -> Result<Self, ApiError> {
        Self::build(settings, keep_certificates)
            .map_err(|words| ApiError::new(ErrorKind::Setup).with(clean_head(&words, 200)))
    }

    fn build(settings: &ClientSettings, keep_certificates: bool) -> Result<Self, String> {
        // Fails if a provider is installed already, which can only be this one.
        drop(rustls::crypto::ring::default_provider().install_default());
        log::hide(&settings.key);
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers)
            .referer(false)
            .tls_info(keep_certificates)
            // `Client::send` follows redirects itself.
            .redirect(reqwest::redirect::Policy::none())
            .http1_max_headers(MAX_HEADERS)
            // The config has already read the proxy variables.
            .no_proxy()
            .connect_timeout(settings.connect_timeout);
        let proxy = settings.proxy.as_ref().filter(|_| !settings.base_url.is_loopback());
        if let Some(proxy) = proxy {
            let through = reqwest::Proxy::all(proxy.url().clone());
            builder = builder.proxy(through.map_err(|_may_hold_a_password| "the proxy cannot be used".to_owned())?);
        }
        if !settings.base_url.is_https() {
            // Without TLS, no certificate store is needed.
            builder = builder.tls_certs_only([]);
        } else if let Some(pem) = &settings.extra_roots {
            builder = builder.tls_certs_merge(extra_certificates(pem)?);
        }
        let http = builder.build().map_err(|error| {
            tracing::warn!("no client: {error:?}");
            "no valid certificate on this system or in network.ca_file".to_owned()
        })?;
        let keys = Arc::new(Keys::new(settings.key.clone(), settings.renewal.clone()));
        let settings = ClientSettings { proxy: proxy.cloned(), extra_roots: None, ..settings.clone() };
        Ok(Self { http, keys, settings })
    }

    pub fn base_url(&self) -> &BaseUrl {
        &self.settings.base_url
    }

    /// The total time of one request.
    pub fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// `GET /user-webhooks?page=&limit=&is_active=` (api-reference/webhooks/list).
    pub async fn list(&self, request: PageRequest, interner: &Interner) -> Result<ApiAnswer<Page>, ApiFailure> {
        self.get_and(self.list_url(request), |body| wire::page(body, request.number, interner)).await
    }

    fn list_url(&self, request: PageRequest) -> Url {
        let mut url = self.settings.base_url.join(COLLECTION);
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("page", &request.number.to_string());
            query.append_pair("limit", &request.limit.to_string());
            if let Some(active) = request.scope.is_active() {
                query.append_pair("is_active", if active { "true" } else { "false" });
            }
        }
        url
    }

    /// Requests one row of page 1 once, without retrying, and records everything that the response reveals about the API.
    pub async fn inspect(&self) -> Inspection {
        let started = Instant::now();
        let mut seen = Inspection::default();
        let request = PageRequest { number: 1, limit: 1, scope: Scope::All };
        let mut connected = true;
        let key = self.keys.in_use().key;
        let body = self.fetch(&key, self.list_url(request), &mut connected, |response| seen.look_at(response)).await;
        seen.is_connected = connected;
        seen.page = body.and_then(|body| self.read(&key, &body, |body| wire::page(body, 1, &Interner::default())));
        seen.elapsed = started.elapsed();
        seen
    }

    /// Returns the URL of a webhook; `None` if its id cannot be part of a URL, see [`WebhookId::path_segment`].
    pub fn webhook_url(base_url: &BaseUrl, id: &WebhookId) -> Option<Url> {
        Some(base_url.join(&format!("{COLLECTION}/{}", id.path_segment()?)))
    }

    /// `GET /user-webhooks/{id}` (api-reference/webhooks/get).
    pub async fn get(&self, id: &WebhookId, interner: &Interner) -> Result<ApiAnswer<OwnedRow>, ApiFailure> {
        match Self::webhook_url(&self.settings.base_url, id) {
            Some(url) => self.get_and(url, |body| wire::webhook(body, interner)).await,
            None => Err(ApiFailure { error: ApiError::new(ErrorKind::BadId), rate: None }),
        }
    }

    async fn get_and<T>(
        &self,
        url: Url,
        read: impl FnOnce(&[u8]) -> Result<T, Unreadable>,
    ) -> Result<ApiAnswer<T>, ApiFailure> {
        let mut rate = None;
        let mut used = self.keys.in_use();
        let mut body = self.fetch_with(&used.key, url.clone(), &mut rate).await;
        if let Err(refused) = &mut body
            && refused.kind == ErrorKind::Unauthorized
        {
            match self.keys.renewed(&used).await {
                Ok(Some(renewed)) => {
                    used = renewed;
                    body = self.fetch_with(&used.key, url, &mut rate).await;
                }
                Ok(None) => {}
                Err(why) => refused.unread_key = Some(Box::new(why)),
            }
        }
        body.and_then(|body| self.read(&used.key, &body, read))
            .map(|value| ApiAnswer { value, rate })
            .map_err(|error| ApiFailure { error, rate })
    }

    async fn fetch_with(&self, key: &ApiKey, url: Url, rate: &mut Option<RateLimit>) -> Result<Vec<u8>, ApiError> {
        self.fetch(key, url, &mut true, |response| *rate = RateLimit::read(response.headers())).await
    }

    /// Parses the response to a request that was sent with this key.
    fn read<T>(&self, key: &ApiKey, body: &[u8], read: impl FnOnce(&[u8]) -> Result<T, Unreadable>) -> Result<T, ApiError> {
        read(body).map_err(|why| ApiError::new(ErrorKind::Nonsense(why.why)).with(self.words(key, &why.detail)))
    }

    /// Cleans the server's message, and removes the key that was sent and the one in use now, in case it echoed them.
    fn words(&self, sent: &ApiKey, text: &str) -> Safe {
        clean_head(&self.keys.in_use().key.scrub(&sent.scrub(text)), 300)
    }

    /// Returns the body of a successful response. `look` gets the response before its body is read, and `connected` becomes
    /// false if no connection was made.
    async fn fetch(
        &self,
        key: &ApiKey,
        url: Url,
        connected: &mut bool,
        look: impl FnOnce(&Response),
    ) -> Result<Vec<u8>, ApiError> {
        // `reqwest` has a timeout too, but each redirect would restart it.
        let sent = Instant::now();
        let deadline = sent + self.settings.timeout;
        let asked = url.clone();
        let response = within(deadline, self.send(key, url, connected)).await.map_err(|error| self.named(error))?;
        look(&response);
        let status = response.status();
        tracing::debug!(%asked, status = status.as_u16(), ms = sent.elapsed().as_millis(), "answer");
        if !status.is_success() {
            return Err(self.refused(key, status, &asked, response, deadline).await);
        }
        if is_html(response.headers()) {
            return Err(ApiError::new(ErrorKind::Nonsense(Nonsense::Html)));
        }
        within(deadline, read_body(response, self.settings.max_page_bytes)).await
    }

    /// Names the proxy in a timeout without details: either the proxy or the API may be the one not answering.
    fn named(&self, error: ApiError) -> ApiError {
        match &self.settings.proxy {
            Some(proxy) if error.kind == ErrorKind::Network(Network::Timeout) && error.detail.is_none() => {
                error.with(safe!("through the proxy {}", proxy.named()))
            }
            _ => error,
        }
    }

    async fn refused(
        &self,
        key: &ApiKey,
        status: StatusCode,
        asked: &Url,
        response: Response,
        deadline: Instant,
    ) -> ApiError {
        let kind = match status {
            StatusCode::UNAUTHORIZED if asks_for_password(response.headers()) => ErrorKind::PasswordWanted,
            StatusCode::UNAUTHORIZED => ErrorKind::Unauthorized,
            StatusCode::FORBIDDEN => ErrorKind::Forbidden,
            StatusCode::TOO_MANY_REQUESTS => ErrorKind::RateLimited { retry_after: rate::retry_after(response.headers()) },
            StatusCode::SERVICE_UNAVAILABLE => ErrorKind::Unavailable { retry_after: rate::retry_after(response.headers()) },
            other => ErrorKind::Status(other.as_u16()),
        };
        // After a redirect, a 404 is about a different path.
        let may_be_proof = status == StatusCode::NOT_FOUND && response.url() == asked;
        let has_html_header = is_html(response.headers());
        // The status is what matters: if the body cannot be read or never ends, only the server's message is lost.
        let body = within(deadline, read_body(response, MAX_ERROR_BODY)).await.unwrap_or_default();
        let is_proof = may_be_proof && is_not_found(&body, asked.path());
        let kind = if is_proof { ErrorKind::NotFound } else { kind };
        let message = server_message(&body).filter(|message| !repeats(status, message));
        let refused = ApiError::new(kind).with(self.words(key, &message.unwrap_or_default()));
        match kind {
            ErrorKind::Unauthorized => match &self.settings.sources.key {
                Some(source) => refused.advised(key_advice(key, source)),
                None => refused,
            },
            ErrorKind::Status(404) => {
                let is_html = has_html_header || body.trim_ascii_start().starts_with(b"<");
                refused.advised(self.path_advice(asked, is_html))
            }
            _ => refused,
        }
    }

    /// Advice for a path that the server does not have.
    fn path_advice(&self, asked: &Url, is_html: bool) -> Safe {
        let path = clean_head(asked.path(), 100);
        let is_usual = self.settings.base_url.as_url().path().trim_end_matches('/').ends_with("/v1");
        let found = match (is_html, is_usual) {
            (true, _) => safe!("{} is an HTML page, so this is probably not the API. ", path),
            (false, true) => safe!("The server has no {}. ", path),
            (false, false) => Safe::default(),
        };
        let source = self.settings.sources.base_url.as_ref().map(|source| safe!(" ({})", source)).unwrap_or_default();
        safe!("{}Check base_url{}{}", found, source, if is_usual { "." } else { "; it usually ends in /v1." })
    }

    /// Follows redirects within the origin only: a client library that follows them itself sends the key along again on the
    /// second hop.
    async fn send(&self, key: &ApiKey, mut url: Url, connected: &mut bool) -> Result<Response, ApiError> {
        let authorization = authorization(key)?;
        for _ in 0..=MAX_REDIRECTS {
            let response =
                self.http.get(url.clone()).header(AUTHORIZATION, authorization.clone()).send().await.map_err(|error| {
                    *connected = !error.is_connect();
                    ApiError::from_reqwest(&error, self.settings.proxy.as_ref())
                })?;
            if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
                return Ok(response);
            }
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let next = location.and_then(|location| url.join(location).ok());
            match next {
                Some(next) if next.origin() == url.origin() => url = next,
                Some(next) => {
                    let words = format!("to {}", next.origin().ascii_serialization());
                    return Err(ApiError::new(ErrorKind::Redirect).with(clean_head(&words, 200)));
                }
                None => return Err(ApiError::new(ErrorKind::Redirect).with("no valid Location header".into())),
            }
        }
        Err(ApiError::new(ErrorKind::RedirectLoop))
    }
}

/// Advice on a refused key, with its public id and source.
fn key_advice(key: &ApiKey, source: &Safe) -> Safe {
    let has_secret = key.expose().split_once(':').is_some_and(|(_, secret)| !secret.is_empty());
    match key.public_id().filter(|_| has_secret) {
        Some(id) => {
            let id = id.fit(40, "…");
            safe!("The API refused key \"{}\" from {}: it is wrong, revoked or of another workspace.", id, source)
        }
        None => safe!("The API refused the key from {}: it is not of the form key_id:secret.", source),
    }
}

fn authorization(key: &ApiKey) -> Result<HeaderValue, ApiError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose()))
        .map_err(|_never_shown| ApiError::new(ErrorKind::Setup).with("the API key is not a valid header value".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn is_html(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
}

/// Returns true if the 401 is from a gateway that requires a user name and password. The API itself only accepts keys.
fn asks_for_password(headers: &HeaderMap) -> bool {
    let schemes = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let schemes: Vec<_> = schemes.map(str::to_ascii_lowercase).collect();
    let names = |name: &str| schemes.iter().any(|scheme| scheme.trim_start().starts_with(name));
    ["basic", "digest", "negotiate", "ntlm"].into_iter().any(names) && !names("bearer")
}

/// Parses `network.ca_file`: a PEM bundle, or one certificate in DER.
fn extra_certificates(bytes: &[u8]) -> Result<Vec<Certificate>, String> {
    let none = || "no valid certificate in network.ca_file".to_owned();
    let certificates = if is_der(bytes) {
        vec![Certificate::from_der(bytes).map_err(|_library_words| none())?]
    } else {
        Certificate::from_pem_bundle(bytes).map_err(|_library_words| none())?
    };
    if certificates.is_empty() { Err(none()) } else { Ok(certificates) }
}

/// Returns true for a certificate in DER, which starts with the tag of a sequence, and false for PEM, which is text.
pub(crate) fn is_der(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30)
}

async fn within<T>(deadline: Instant, work: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
    let done = tokio::time::timeout_at(deadline, work).await;
    done.unwrap_or_else(|_elapsed| Err(ApiError::new(ErrorKind::Network(Network::Timeout))))
}

/// Reads chunk by chunk, so that a small compressed body cannot become a huge one in memory.
async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, ApiError> {
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(ApiError::new(ErrorKind::TooLarge { limit }));
    }
    // Enough for a typical page; it grows for a larger one.
    let mut body = Vec::with_capacity(32 << 10);
    while let Some(chunk) = response.chunk().await.map_err(|error| ApiError::from_reqwest(&error, None))? {
        if body.len() + chunk.len() > limit {
            return Err(ApiError::new(ErrorKind::TooLarge { limit }));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    fn webhook_url(id: &str) -> Option<Url> {
        Client::webhook_url(&BaseUrl::parse("https://a.com/v1").unwrap(), &WebhookId::new(id))
    }

    /// The id that a server reads from the URL, after a client has parsed it.
    fn id_of(url: &Url) -> String {
        let url = Url::parse(url.as_str()).unwrap();
        assert_eq!((url.query(), url.fragment()), (None, None), "{url}");
        let segments: Vec<_> = url.path_segments().unwrap().collect();
        let ["v1", COLLECTION, id] = segments.as_slice() else { panic!("{url}") };
        percent_decode_str(id).decode_utf8().unwrap().into_owned()
    }

    #[test]
    fn an_id_is_requested_as_it_is_or_not_at_all() {
        for (id, segment) in [
            ("whk_c9v3nz8rq4pm", "whk_c9v3nz8rq4pm"),
            ("whk_1\n", "whk_1%0A"),
            ("a\tb\rc", "a%09b%0Dc"),
            ("../../admin", "..%2F..%2Fadmin"),
            ("a\\b?c#d", "a%5Cb%3Fc%23d"),
            ("%2e", "%252e"),
            ("%2E%2e", "%252E%252e"),
            (" . ", "%20.%20"),
            ("...", "..."),
            ("wh_[1-3]{a,b}", "wh_%5B1-3%5D%7Ba%2Cb%7D"),
            ("\u{1b}é", "%1B%C3%A9"),
        ] {
            let url = webhook_url(id).unwrap();
            assert_eq!(url.as_str(), format!("https://a.com/v1/user-webhooks/{segment}"));
            assert_eq!(id_of(&url), id);
        }
        for id in ["", ".", ".."] {
            assert_eq!(webhook_url(id), None, "{id:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn any_id_is_one_segment_that_decodes_to_it(id in r"(?s)([./\\?#%\t\r\n 2eE\[\]{}*@:;&=]|.){1,12}") {
            match webhook_url(&id) {
                Some(url) => prop_assert_eq!(id_of(&url), id),
                None => prop_assert!(matches!(id.as_str(), "." | "..")),
            }
        }
    }
}
