//! The demo API server: serves [`super::api`] over HTTP/1.1 on the loopback interface. Uses `clock` for the time. Start at
//! [`DemoServer`].

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt as _, Collected, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::api::DemoApi;
use crate::base::clock;

const MAX_CONNECTIONS: usize = 256;

/// The largest request body that is read, in bytes.
const MAX_BODY: usize = 64 << 10;

/// The time that a connection may take to send a request. It also ends idle connections, hence it is longer than any
/// sensible interval of automatic refreshes.
const IDLE_TIMEOUT: Duration = Duration::from_mins(5);

/// The pause after a failed accept: running out of file descriptors lasts a while, and must not spin.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Settings of the demo server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoOptions {
    /// The number of webhooks in the workspace.
    pub webhooks: u64,
    /// The delay of each response.
    pub latency: Duration,
    /// The port on the loopback interface; 0 takes any free one.
    pub port: u16,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self { webhooks: 1_200, latency: Duration::ZERO, port: 0 }
    }
}

/// A running demo server. Dropping it ends the listener and its connections.
#[derive(Debug)]
pub struct DemoServer {
    address: SocketAddr,
    /// The accept loop. It is in a set because a set aborts its tasks when dropped.
    listening: JoinSet<()>,
}

impl DemoServer {
    /// Binds the loopback interface, and serves on the current tokio runtime.
    pub async fn start(options: DemoOptions) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let mut listening = JoinSet::new();
        listening.spawn(accept(listener, Arc::new(DemoApi::new(options.webhooks)), options.latency));
        Ok(Self { address, listening })
    }

    /// Returns the base URL for clients, without a trailing slash.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Waits until the server stops accepting connections, which is practically forever.
    pub async fn stopped(&mut self) {
        self.listening.join_next().await;
    }
}

/// Accepts connections forever. The set owns them, so aborting this task aborts them too.
async fn accept(listener: TcpListener, api: Arc<DemoApi>, latency: Duration) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, Arc::clone(&api), latency));
                }
                Err(_) => sleep(ACCEPT_RETRY).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, api: Arc<DemoApi>, latency: Duration) {
    let service = service_fn(move |request| {
        let api = Arc::clone(&api);
        async move { Ok::<_, Infallible>(serve(&api, request, latency).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    // A client that broke off or does not speak HTTP needs no answer.
    drop(connection.await);
}

async fn serve(api: &DemoApi, request: Request<Incoming>, latency: Duration) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    // A body that is too long or breaks off is treated as empty, which is not valid JSON.
    let body = match head.method {
        Method::PATCH => Limited::new(body, MAX_BODY).collect().await.map_or_else(|_| Bytes::new(), Collected::to_bytes),
        _ => Bytes::new(),
    };
    let response = api.respond(&Request::from_parts(head, body), unix_seconds());
    if !latency.is_zero() {
        sleep(latency).await;
    }
    response
}

fn unix_seconds() -> u64 {
    clock::system_time().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::super::api::{FORBIDDEN_KEY, KEY};
    use super::super::rate_limit::RATE_WINDOW_SECONDS;
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
        async fn connect(server: &DemoServer) -> Self {
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

    async fn start() -> (DemoServer, Client) {
        let server = DemoServer::start(DemoOptions { webhooks: WEBHOOKS, ..DemoOptions::default() }).await.unwrap();
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
        let limit = 600;
        for used in 1..=limit {
            let answer = if used % 2 == 0 { &mut client } else { &mut other }.get("/v1/user-webhooks?limit=1").await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.number("x-ratelimit-limit"), limit);
            assert_eq!(answer.number("x-ratelimit-remaining"), limit - used);
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
}
