//! The demo API server: the documented contract of the webhook endpoints, over HTTP/1.1 on the
//! loopback interface.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use url::form_urlencoded;

use super::overlay::{Overlay, Patch, Served};
use super::workspace::{Webhook, Workspace};
use super::{FORBIDDEN_KEY, KEY, Options};
use crate::clock;

const LIST_PATH: &str = "/v1/user-webhooks";

const DEFAULT_LIMIT: u64 = 20;
const MAX_LIMIT: u64 = 100;

const RATE_WINDOW_SECONDS: u64 = 60;
const MIN_RATE_LIMIT: u64 = 600;

const MAX_CONNECTIONS: usize = 256;

/// The largest body of a request that is read, in bytes.
const MAX_BODY: usize = 64 << 10;

/// How long a connection may take to send a request. It also ends idle connections, hence longer
/// than any sensible interval of automatic refreshes.
const IDLE_TIMEOUT: Duration = Duration::from_mins(5);

/// The pause after a failed accept: running out of file descriptors lasts a while, and must not spin.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

const RATE_LIMIT_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const RATE_LIMIT_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// A running demo server. Dropping it ends the listener and its connections.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    /// Only the accept loop. A set, because it aborts its task when dropped.
    listening: JoinSet<()>,
}

impl Server {
    /// Binds the loopback interface and starts to serve on the current tokio runtime.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let mut listening = JoinSet::new();
        listening.spawn(accept(listener, Arc::new(Api::new(options))));
        Ok(Self { address, listening })
    }

    /// The base URL to give to a client, without a trailing slash.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Waits until the server no longer accepts connections, which is practically for ever.
    pub async fn stopped(&mut self) {
        self.listening.join_next().await;
    }
}

/// Accepts connections for ever. The set owns them, so aborting this task aborts them too.
async fn accept(listener: TcpListener, api: Arc<Api>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, Arc::clone(&api)));
                }
                Err(_) => sleep(ACCEPT_RETRY).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, api: Arc<Api>) {
    let service = service_fn(move |request| {
        let api = Arc::clone(&api);
        async move { Ok::<_, Infallible>(api.serve(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    // An error here is a client that broke off or does not speak HTTP: there is nobody to tell.
    drop(connection.await);
}

struct Api {
    workspace: Workspace,
    changed: Mutex<Overlay>,
    latency: Duration,
    rate: Mutex<RateWindow>,
}

impl Api {
    fn new(options: Options) -> Self {
        Self {
            workspace: Workspace::new(options.webhooks),
            changed: Mutex::default(),
            latency: options.latency,
            rate: Mutex::new(RateWindow::new(rate_limit(options.webhooks))),
        }
    }

    async fn serve(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        // What is too long, or breaks off, is no JSON.
        let body = match head.method {
            Method::PATCH => Limited::new(body, MAX_BODY)
                .collect()
                .await
                .map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes),
            _ => Bytes::new(),
        };
        let response = self.respond(&Request::from_parts(head, body), unix_seconds());
        if !self.latency.is_zero() {
            sleep(self.latency).await;
        }
        response
    }

    fn respond(&self, request: &Request<Bytes>, now: u64) -> Response<Full<Bytes>> {
        let allowance = self.rate.lock().unwrap_or_else(PoisonError::into_inner).take(now);
        let mut response = match self.answer(request, &allowance) {
            Ok(body) => json_response(StatusCode::OK, body),
            Err(refusal) => refusal.into_response(),
        };
        allowance.write_headers(response.headers_mut());
        response
    }

    fn answer(&self, request: &Request<Bytes>, allowance: &Allowance) -> Result<Vec<u8>, Refusal> {
        if allowance.exceeded {
            return Err(Refusal::TooManyRequests);
        }
        let route = Route::of(request).ok_or_else(|| no_such_route(request))?;
        authorize(request)?;
        match route {
            Route::List => self.list(request.uri().query().unwrap_or_default()),
            Route::Get { id } => self.get(id),
            Route::Patch { id } => self.patch(id, request.body()),
        }
    }

    fn changed(&self) -> MutexGuard<'_, Overlay> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list(&self, query: &str) -> Result<Vec<u8>, Refusal> {
        let ListQuery { page, limit, is_active } = ListQuery::parse(query).map_err(Refusal::BadRequest)?;
        let start = (page - 1).saturating_mul(limit);
        let (total, data) = self.changed().list(self.workspace, is_active, start, limit);
        let meta = Meta { page, limit, total, total_pages: total.div_ceil(limit) };
        to_json(&Page { data, meta })
    }

    fn get(&self, encoded_id: &str) -> Result<Vec<u8>, Refusal> {
        to_json(&self.changed().serve(self.find(encoded_id)?))
    }

    fn patch(&self, encoded_id: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let webhook = self.find(encoded_id)?;
        let patch = Patch::read(body).map_err(Refusal::BadRequest)?;
        let mut changed = self.changed();
        changed.patch(&webhook.id, patch);
        to_json(&changed.serve(webhook))
    }

    fn find(&self, encoded_id: &str) -> Result<Webhook, Refusal> {
        // An id that is not UTF-8 cannot be one of ours: the replacement character makes it unknown.
        let id = percent_decode_str(encoded_id).decode_utf8_lossy();
        self.workspace.find(&id).ok_or_else(|| Refusal::NotFound("Webhook not found".to_owned()))
    }
}

enum Route<'a> {
    List,
    Get { id: &'a str },
    Patch { id: &'a str },
}

impl<'a> Route<'a> {
    fn of<B>(request: &'a Request<B>) -> Option<Self> {
        let rest = request.uri().path().strip_prefix(LIST_PATH)?;
        let id = rest.strip_prefix('/').filter(|id| !id.is_empty() && !id.contains('/'));
        match (request.method(), id) {
            (&Method::GET, None) if rest.is_empty() => Some(Self::List),
            (&Method::GET, Some(id)) => Some(Self::Get { id }),
            (&Method::PATCH, Some(id)) => Some(Self::Patch { id }),
            _ => None,
        }
    }
}

fn no_such_route<B>(request: &Request<B>) -> Refusal {
    let uri = request.uri();
    let target = uri.path_and_query().map_or_else(|| uri.path(), |target| target.as_str());
    Refusal::NotFound(format!("Cannot {} {target}", request.method()))
}

fn authorize<B>(request: &Request<B>) -> Result<(), Refusal> {
    match bearer_key(request) {
        Some(KEY) => Ok(()),
        Some(FORBIDDEN_KEY) => Err(Refusal::Forbidden),
        _ => Err(Refusal::Unauthorized),
    }
}

fn bearer_key<B>(request: &Request<B>) -> Option<&str> {
    let (scheme, key) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key)
}

struct ListQuery {
    page: u64,
    limit: u64,
    is_active: Option<bool>,
}

impl ListQuery {
    /// Reads the query string, or names every parameter that is invalid. Unknown parameters are
    /// ignored, and of a repeated one the last counts.
    fn parse(query: &str) -> Result<Self, Vec<String>> {
        let mut page = Ok(1);
        let mut limit = Ok(DEFAULT_LIMIT);
        let mut is_active = Ok(None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "page" => page = parse_number("page", &value, u64::MAX),
                "limit" => limit = parse_number("limit", &value, MAX_LIMIT),
                "is_active" => is_active = parse_is_active(&value).map(Some),
                _ => {}
            }
        }
        match (limit, page, is_active) {
            (Ok(limit), Ok(page), Ok(is_active)) => Ok(Self { page, limit, is_active }),
            (limit, page, is_active) => Err([limit.err(), page.err(), is_active.err()].into_iter().flatten().collect()),
        }
    }
}

fn parse_number(name: &str, value: &str, max: u64) -> Result<u64, String> {
    // Wider than any number that is accepted, to tell a number out of range from what is no number.
    let Ok(number) = value.parse::<i128>() else {
        return Err(format!("{name} must be an integer number"));
    };
    if number < 1 {
        return Err(format!("{name} must not be less than 1"));
    }
    match u64::try_from(number) {
        Ok(number) if number <= max => Ok(number),
        _ => Err(format!("{name} must not be greater than {max}")),
    }
}

fn parse_is_active(value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("is_active must be a boolean value".to_owned()),
    }
}

#[derive(Serialize)]
struct Page {
    data: Vec<Served>,
    meta: Meta,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    page: u64,
    limit: u64,
    total: u64,
    total_pages: u64,
}

/// Why a request is not answered with `200`.
enum Refusal {
    BadRequest(Vec<String>),
    Unauthorized,
    Forbidden,
    NotFound(String),
    TooManyRequests,
    Internal,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody {
    status_code: u16,
    message: Message,
    error: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Message {
    One(String),
    Many(Vec<String>),
}

impl Refusal {
    fn into_response(self) -> Response<Full<Bytes>> {
        let status = self.status();
        let body = ErrorBody {
            status_code: status.as_u16(),
            message: self.into_message(),
            error: status.canonical_reason().unwrap_or_default(),
        };
        json_response(status, to_json(&body).unwrap_or_default())
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn into_message(self) -> Message {
        let text = match self {
            Self::BadRequest(messages) => return Message::Many(messages),
            Self::NotFound(message) => return Message::One(message),
            Self::Unauthorized => "API key is missing or invalid",
            Self::Forbidden => "You do not have permission to access this resource",
            Self::TooManyRequests => "Too many requests. Please slow down and retry after a moment.",
            Self::Internal => "Internal server error",
        };
        Message::One(text.to_owned())
    }
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(value).or(Err(Refusal::Internal))
}

fn json_response(status: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

/// Requests per window: high enough to read a large workspace several times within one.
fn rate_limit(webhooks: u64) -> u64 {
    webhooks.div_ceil(MAX_LIMIT).saturating_mul(4).max(MIN_RATE_LIMIT)
}

/// A fixed-window request counter, shared by all connections. A window starts with the first
/// request after the previous one ended.
struct RateWindow {
    limit: u64,
    started: u64,
    used: u64,
}

impl RateWindow {
    fn new(limit: u64) -> Self {
        Self { limit, started: 0, used: 0 }
    }

    /// Counts one request at the given Unix time.
    fn take(&mut self, now: u64) -> Allowance {
        // A clock that was set back starts a window too: else the old one could last for hours.
        if !(self.started..self.started.saturating_add(RATE_WINDOW_SECONDS)).contains(&now) {
            self.started = now;
            self.used = 0;
        }
        self.used = self.used.saturating_add(1);
        let reset = self.started.saturating_add(RATE_WINDOW_SECONDS);
        Allowance {
            limit: self.limit,
            remaining: self.limit.saturating_sub(self.used),
            reset,
            retry_after: reset.saturating_sub(now),
            exceeded: self.used > self.limit,
        }
    }
}

/// What the rate limit says about one request.
struct Allowance {
    limit: u64,
    remaining: u64,
    /// Unix seconds.
    reset: u64,
    /// Seconds until the reset.
    retry_after: u64,
    exceeded: bool,
}

impl Allowance {
    fn write_headers(&self, headers: &mut HeaderMap) {
        headers.insert(RATE_LIMIT_LIMIT, HeaderValue::from(self.limit));
        headers.insert(RATE_LIMIT_REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RATE_LIMIT_RESET, HeaderValue::from(self.reset));
        if self.exceeded {
            headers.insert(RETRY_AFTER, HeaderValue::from(self.retry_after));
        }
    }
}

fn unix_seconds() -> u64 {
    clock::system_time().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const WEBHOOKS: u64 = 45;

    struct Answer {
        status: u16,
        headers: HashMap<String, String>,
        body: Value,
    }

    impl Answer {
        fn number(&self, header: &str) -> u64 {
            self.headers[header].parse().unwrap()
        }
    }

    /// One connection to the server, kept alive between requests.
    struct Client {
        stream: TcpStream,
    }

    impl Client {
        async fn connect(server: &Server) -> Self {
            Self { stream: TcpStream::connect(server.address).await.unwrap() }
        }

        async fn get(&mut self, target: &str) -> Answer {
            self.send("GET", target, Some(&format!("Bearer {KEY}"))).await
        }

        async fn send(&mut self, method: &str, target: &str, key: Option<&str>) -> Answer {
            let authorization = key.map_or(String::new(), |key| format!("Authorization: {key}\r\n"));
            let request = format!("{method} {target} HTTP/1.1\r\nHost: demo\r\n{authorization}\r\n");
            self.stream.write_all(request.as_bytes()).await.unwrap();
            self.answer().await
        }

        async fn patch(&mut self, target: &str, body: &str) -> Answer {
            let head = format!("PATCH {target} HTTP/1.1\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {}", body.len());
            self.stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
            self.answer().await
        }

        async fn answer(&mut self) -> Answer {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let mut lines = head.lines();
            let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
            let headers: HashMap<_, _> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect();
            let mut body = vec![0; headers["content-length"].parse().unwrap()];
            self.stream.read_exact(&mut body).await.unwrap();
            Answer { status, headers, body: serde_json::from_slice(&body).unwrap() }
        }
    }

    async fn start() -> (Server, Client) {
        let server = Server::start(Options { webhooks: WEBHOOKS, ..Options::default() }).await.unwrap();
        let client = Client::connect(&server).await;
        (server, client)
    }

    fn ids(answer: &Answer) -> Vec<String> {
        let rows = answer.body["data"].as_array().unwrap();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn the_base_url_names_the_bound_port() {
        let (server, _client) = start().await;
        assert_eq!(server.base_url(), format!("http://127.0.0.1:{}/v1", server.address.port()));
        assert_ne!(server.address.port(), 0);
    }

    #[tokio::test]
    async fn pages_follow_one_another_and_end() {
        let (_server, mut client) = start().await;
        let mut seen = Vec::new();
        for (page, rows) in [(1, 20), (2, 20), (3, 5), (4, 0), (u64::MAX, 0)] {
            let answer = client.get(&format!("/v1/user-webhooks?page={page}")).await;
            assert_eq!(answer.status, 200);
            assert_eq!(ids(&answer).len(), rows, "page {page}");
            let meta = json!({"page": page, "limit": 20, "total": WEBHOOKS, "totalPages": 3});
            assert_eq!(answer.body["meta"], meta);
            seen.extend(ids(&answer));
        }
        let all = client.get("/v1/user-webhooks?limit=100").await;
        assert_eq!(seen, ids(&all));
    }

    #[tokio::test]
    async fn a_row_has_the_fields_of_the_contract() {
        let (_server, mut client) = start().await;
        let answer = client.get("/v1/user-webhooks?limit=1").await;
        let row = &answer.body["data"][0];
        assert_eq!(row["id"], "whk_c9v3nz8rq4pm");
        assert_eq!(row["url"], "https://crm.northwind.example.com/webhooks/dialnexa");
        assert_eq!(row["is_active"], true);
        assert!(row["events"].is_array());
        assert!(row["created_at"].is_string());
        assert_eq!(row.as_object().unwrap().len(), 5);
    }

    #[tokio::test]
    async fn is_active_filters() {
        let (_server, mut client) = start().await;
        let mut totals = Vec::new();
        for wanted in [true, false] {
            let answer = client.get(&format!("/v1/user-webhooks?limit=100&is_active={wanted}")).await;
            let rows = answer.body["data"].as_array().unwrap();
            assert!(rows.iter().all(|row| row["is_active"] == wanted));
            assert_eq!(answer.body["meta"]["total"], rows.len());
            totals.push(rows.len());
        }
        assert_eq!(totals, [39, 6]);
    }

    #[tokio::test]
    async fn invalid_parameters_are_all_named() {
        let (_server, mut client) = start().await;
        let cases: [(&str, &[&str]); 8] = [
            ("limit=101&page=0", &["limit must not be greater than 100", "page must not be less than 1"]),
            ("limit=0", &["limit must not be less than 1"]),
            ("limit=-1", &["limit must not be less than 1"]),
            ("limit=ten", &["limit must be an integer number"]),
            ("page=", &["page must be an integer number"]),
            ("page=1.5", &["page must be an integer number"]),
            ("page=99999999999999999999", &["page must not be greater than 18446744073709551615"]),
            ("is_active=yes", &["is_active must be a boolean value"]),
        ];
        for (query, messages) in cases {
            let answer = client.get(&format!("/v1/user-webhooks?{query}")).await;
            let expected = json!({"statusCode": 400, "message": messages, "error": "Bad Request"});
            assert_eq!((answer.status, answer.body), (400, expected), "{query}");
        }
        for query in ["limit=1", "limit=100", "page=1&unknown=%FF", "limit=0&limit=5"] {
            let answer = client.get(&format!("/v1/user-webhooks?{query}")).await;
            assert_eq!(answer.status, 200, "{query}");
        }
    }

    #[tokio::test]
    async fn one_webhook_is_found_by_its_id() {
        let (_server, mut client) = start().await;
        let plain = client.get("/v1/user-webhooks/whk_c9v3nz8rq4pm").await;
        assert_eq!(plain.status, 200);
        assert_eq!(plain.body["id"], "whk_c9v3nz8rq4pm");
        let encoded = client.get("/v1/user-webhooks/whk%5Fc9v3nz8rq4p%6d").await;
        assert_eq!(plain.body, encoded.body);

        for id in ["whk_c9v3nz8rq4pn", "nope", "%FF", "%", "%2e%2e%2f"] {
            let answer = client.get(&format!("/v1/user-webhooks/{id}")).await;
            let expected = json!({"statusCode": 404, "message": "Webhook not found", "error": "Not Found"});
            assert_eq!((answer.status, answer.body), (404, expected), "{id}");
        }
    }

    #[tokio::test]
    async fn a_webhook_can_be_changed_until_the_server_ends() {
        let (_server, mut client) = start().await;
        let target = "/v1/user-webhooks/whk_c9v3nz8rq4pm";
        let before = client.get(target).await.body;
        let changed = client.patch(target, r#"{"url":"https://new.example.com/","events":["x"],"secret":"s"}"#).await;
        assert_eq!((changed.status, &changed.body["url"]), (200, &json!("https://new.example.com/")));
        let paused = client.patch(target, r#"{"is_active":false}"#).await.body;
        let mut expected = before;
        expected["url"] = json!("https://new.example.com/");
        expected["events"] = json!(["x"]);
        expected["is_active"] = json!(false);
        assert_eq!((&paused, &client.get(target).await.body), (&expected, &expected));
        let listed = client.get("/v1/user-webhooks?limit=100").await.body;
        assert_eq!((&listed["data"][0], &listed["meta"]["total"]), (&expected, &json!(WEBHOOKS)));
        for (is_active, total) in [(true, 38), (false, 7)] {
            let listed = client.get(&format!("/v1/user-webhooks?limit=5&page=2&is_active={is_active}")).await.body;
            assert_eq!(listed["meta"]["total"], total);
            let rows = listed["data"].as_array().unwrap();
            assert!(rows.len() == (total - 5).min(5) && rows.iter().all(|row| row["is_active"] == is_active));
        }
    }

    #[tokio::test]
    async fn a_wrong_change_is_refused_and_changes_nothing() {
        let (_server, mut client) = start().await;
        let target = "/v1/user-webhooks/whk_c9v3nz8rq4pm";
        let before = client.get(target).await.body;
        for (body, messages) in [
            ("", &["the body must be a JSON object"] as &[_]),
            ("[]", &["the body must be a JSON object"]),
            (r#"{"events":["x"],"url":"http://x"}"#, &["url must start with https:// and have at most 150 characters"]),
            (
                r#"{"events":[1],"is_active":1}"#,
                &["each value in events must be a string", "is_active must be a boolean value"],
            ),
            (r#"{"id":"x"}"#, &["property id should not exist"]),
        ] {
            let answer = client.patch(target, body).await;
            assert_eq!((answer.status, &answer.body["message"]), (400, &json!(messages)), "{body}");
        }
        assert_eq!(client.patch("/v1/user-webhooks/nope", "{}").await.status, 404);
        assert_eq!(client.get(target).await.body, before);
    }

    #[tokio::test]
    async fn the_key_decides_who_may_read() {
        let (_server, mut client) = start().await;
        let cases = [
            (None, 401),
            (Some(KEY.to_owned()), 401),
            (Some(format!("Basic {KEY}")), 401),
            (Some(format!("Bearer {KEY}x")), 401),
            (Some(format!("bearer {KEY}")), 200),
            (Some(format!("Bearer {FORBIDDEN_KEY}")), 403),
        ];
        for (key, status) in cases {
            for target in ["/v1/user-webhooks", "/v1/user-webhooks/whk_c9v3nz8rq4pm"] {
                let answer = client.send("GET", target, key.as_deref()).await;
                assert_eq!(answer.status, status, "{key:?}");
                assert!(status == 200 || answer.body["statusCode"] == status);
                assert!(answer.headers.contains_key("x-ratelimit-limit"));
            }
        }
    }

    #[tokio::test]
    async fn other_routes_do_not_exist() {
        let (_server, mut client) = start().await;
        for (method, target) in [
            ("POST", "/v1/x"),
            ("POST", "/v1/user-webhooks"),
            ("DELETE", "/v1/user-webhooks/whk_c9v3nz8rq4pm"),
            ("GET", "/"),
            ("GET", "/v1/user-webhooks/"),
            ("GET", "/v1/user-webhooks/a/b"),
            ("GET", "/v1/user-webhooksx?page=1"),
            ("OPTIONS", "*"),
        ] {
            let answer = client.send(method, target, None).await;
            let message = format!("Cannot {method} {target}");
            let expected = json!({"statusCode": 404, "message": message, "error": "Not Found"});
            assert_eq!((answer.status, answer.body), (404, expected));
        }
    }

    #[tokio::test]
    async fn a_request_body_is_ignored() {
        let (_server, mut client) = start().await;
        let request =
            format!("GET /v1/user-webhooks HTTP/1.1\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 3\r\n\r\n{{{{{{");
        client.stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(client.answer().await.status, 200);
    }

    #[tokio::test]
    async fn what_is_not_http_ends_only_its_own_connection() {
        let (server, mut client) = start().await;
        let mut hostile = Client::connect(&server).await;
        hostile.stream.write_all(b"\x16\x03\x01\0\xff nonsense\r\n\r\n").await.unwrap();
        let mut rest = Vec::new();
        hostile.stream.read_to_end(&mut rest).await.unwrap();
        assert!(rest.starts_with(b"HTTP/1.1 400"));
        assert_eq!(client.get("/v1/user-webhooks").await.status, 200);
    }

    #[tokio::test]
    async fn the_rate_limit_is_shared_and_enforced() {
        let (server, mut client) = start().await;
        let mut other = Client::connect(&server).await;
        for used in 1..=MIN_RATE_LIMIT {
            let answer = if used % 2 == 0 { &mut client } else { &mut other }.get("/v1/user-webhooks?limit=1").await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.number("x-ratelimit-limit"), MIN_RATE_LIMIT);
            assert_eq!(answer.number("x-ratelimit-remaining"), MIN_RATE_LIMIT - used);
            assert!(answer.number("x-ratelimit-reset") > unix_seconds() - RATE_WINDOW_SECONDS);
            assert!(answer.headers.contains_key("date"));
            assert!(!answer.headers.contains_key("retry-after"));
        }
        let answer = client.get("/v1/user-webhooks").await;
        assert_eq!((answer.status, &answer.body["error"]), (429, &json!("Too Many Requests")));
        assert_eq!(answer.number("x-ratelimit-remaining"), 0);
        assert!((1..=RATE_WINDOW_SECONDS).contains(&answer.number("retry-after")));
    }

    #[tokio::test]
    async fn dropping_the_server_ends_its_connections() {
        let (server, mut client) = start().await;
        assert_eq!(client.get("/v1/user-webhooks").await.status, 200);
        let address = server.address;
        drop(server);
        assert_eq!(client.stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[test]
    fn a_rate_window_starts_again_after_its_end() {
        let mut window = RateWindow::new(2);
        let taken: Vec<_> = [1000, 1030, 1059, 1060, 500]
            .map(|now| window.take(now))
            .iter()
            .map(|allowance| (allowance.remaining, allowance.reset, allowance.retry_after, allowance.exceeded))
            .collect();
        let expected =
            [(1, 1060, 60, false), (0, 1060, 30, false), (0, 1060, 1, true), (1, 1120, 60, false), (1, 560, 60, false)];
        assert_eq!(taken, expected);
    }

    #[test]
    fn the_rate_limit_grows_with_the_workspace() {
        assert_eq!(rate_limit(0), 600);
        assert_eq!(rate_limit(1_200), 600);
        assert_eq!(rate_limit(1_000_000), 40_000);
        assert_eq!(rate_limit(u64::MAX), u64::MAX.div_ceil(100) * 4);
    }
}
