//! A mock of the API on a raw socket: it says any bytes at all, holds answers back, breaks off in the middle, and remembers
//! in which order it was asked and answered.
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its work fails the test")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hookscope::api::{Client, ClientSettings, SettingSources};
use hookscope::base::base_url::BaseUrl;
use hookscope::base::redact::ApiKey;
use hookscope::fetch::Policy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use url::Url;

/// The key of every test: its second half must appear nowhere but in the `Authorization` header.
pub(crate) const KEY: &str = "key_of_tests:s3cr3t-n3v3r-sh0wn";
pub(crate) const SECRET: &str = "s3cr3t-n3v3r-sh0wn";

/// Long enough for any event to happen that will happen at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    /// How often this target was asked for, this time included.
    pub(crate) time: usize,
    /// How many requests came before this one.
    pub(crate) index: usize,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let url = Url::parse("http://x").unwrap().join(&self.target).unwrap();
        url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    }

    /// The page that is asked for; 0 when it is no list request.
    pub(crate) fn page(&self) -> u64 {
        self.query("page").and_then(|page| page.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn limit(&self) -> u64 {
        self.query("limit").and_then(|limit| limit.parse().ok()).unwrap_or(20)
    }
}

/// What happened at the server.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Asked(Request),
    /// The last byte was written.
    Answered(u64),
    /// The client went away while its answer was held back.
    HungUp(u64),
}

/// The order of events.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) events: Vec<Event>,
    /// Connections accepted.
    pub(crate) connections: usize,
    /// The most requests that waited for their answers at once.
    pub(crate) peak: usize,
    open: usize,
}

impl Log {
    pub(crate) fn requests(&self) -> impl Iterator<Item = &Request> {
        self.events.iter().filter_map(|event| match event {
            Event::Asked(request) => Some(request),
            Event::Answered(_) | Event::HungUp(_) => None,
        })
    }

    /// The pages in the order they were asked for.
    pub(crate) fn pages(&self) -> Vec<u64> {
        self.requests().map(Request::page).collect()
    }

    pub(crate) fn hung_up(&self) -> Vec<u64> {
        let page = |event: &Event| if let Event::HungUp(page) = event { Some(*page) } else { None };
        self.events.iter().filter_map(page).collect()
    }

    /// How many requests had come when the first answer for this page was out.
    pub(crate) fn asked_before_answer(&self, page: u64) -> usize {
        let is_answer = |event: &Event| matches!(event, Event::Answered(answered) if *answered == page);
        let at = self.events.iter().position(is_answer).unwrap_or(self.events.len());
        self.events.iter().take(at).filter(|event| matches!(event, Event::Asked(_))).count()
    }

    fn ask(&mut self, request: &mut Request) {
        request.index = self.requests().count();
        request.time = 1 + self.requests().filter(|earlier| earlier.target == request.target).count();
        self.events.push(Event::Asked(request.clone()));
        self.open += 1;
        self.peak = self.peak.max(self.open);
    }
}

/// What happens after the bytes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The connection is closed in order.
    Fin,
    /// The connection is reset.
    Reset,
    /// Nothing more, for ever.
    Hang,
    /// A byte now and then, for ever.
    Drip,
}

/// Opened once for each answer that may go out.
pub(crate) type Gate = Arc<Semaphore>;

pub(crate) fn gate() -> Gate {
    Arc::new(Semaphore::new(0))
}

/// An answer, down to its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: String,
    headers: String,
    body: Vec<u8>,
    raw: Option<Vec<u8>>,
    declared: Option<usize>,
    gate: Option<Gate>,
    end: End,
}

impl Reply {
    pub(crate) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::status("200 OK", body)
    }

    pub(crate) fn status(status: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: status.to_owned(),
            headers: String::new(),
            body: body.into(),
            raw: None,
            declared: None,
            gate: None,
            end: End::Fin,
        }
    }

    /// The API's own words for a webhook that does not exist.
    pub(crate) fn not_found() -> Self {
        Self::status("404 Not Found", r#"{"statusCode":404,"message":"Webhook not found","error":"Not Found"}"#)
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self::status("302 Found", "").header("Location", to)
    }

    /// These bytes and nothing else.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { raw: Some(bytes.into()), ..Self::json("") }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// `X-RateLimit-*`, with a reset so many seconds away by the server's clock.
    pub(crate) fn rate(self, limit: u64, remaining: u64, resets_in: u64) -> Self {
        self.header("X-RateLimit-Limit", &limit.to_string())
            .header("X-RateLimit-Remaining", &remaining.to_string())
            .header("X-RateLimit-Reset", &(1_711_958_400 + resets_in).to_string())
            .header("Date", "Mon, 01 Apr 2024 08:00:00 GMT")
    }

    /// A `Content-Length` of its own; [`usize::MAX`] leaves the header out.
    pub(crate) fn declaring(mut self, length: usize) -> Self {
        self.declared = Some(length);
        self
    }

    pub(crate) fn ending(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// Held back until the gate opens.
    pub(crate) fn behind(mut self, gate: &Gate) -> Self {
        self.gate = Some(Arc::clone(gate));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let length = match self.declared.unwrap_or(self.body.len()) {
            usize::MAX => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        let head = format!("HTTP/1.1 {}\r\n{}{length}Connection: close\r\n\r\n", self.status, self.headers);
        [head.as_bytes(), &self.body].concat()
    }
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// A running server. Dropping it closes everything.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    log: watch::Sender<Log>,
    _accepting: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = watch::Sender::new(Log::default());
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, log.clone(), Arc::new(handler)));
        Self { address, log, _accepting: accepting }
    }

    /// A server that always gives the same answer.
    pub(crate) async fn always(reply: Reply) -> Self {
        Self::start(move |_| reply.clone()).await
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub(crate) fn client(&self) -> Arc<Client> {
        Arc::new(Client::new(&settings(&self.base_url())).unwrap())
    }

    pub(crate) fn log(&self) -> watch::Ref<'_, Log> {
        self.log.borrow()
    }

    /// Waits until the log says so.
    pub(crate) async fn until(&self, happened: impl FnMut(&Log) -> bool) {
        let mut log = self.log.subscribe();
        let waited = tokio::time::timeout(PATIENCE, log.wait_for(happened)).await;
        assert!(waited.is_ok(), "it never happened: {:?}", self.log().events);
    }
}

/// An address where nobody listens.
pub(crate) async fn nobody() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    format!("http://{}/v1", listener.local_addr().unwrap())
}

pub(crate) fn settings(base_url: &str) -> ClientSettings {
    ClientSettings {
        base_url: BaseUrl::parse(base_url).unwrap(),
        key: ApiKey::new(KEY).unwrap(),
        renewal: None,
        timeout: PATIENCE,
        connect_timeout: PATIENCE,
        max_page_bytes: 1 << 20,
        proxy: None,
        extra_roots: None,
        sources: SettingSources::default(),
    }
}

pub(crate) fn policy() -> Policy {
    Policy {
        page_size: 100,
        retries: 2,
        max_concurrency: 4,
        backoff: Duration::from_millis(1),
        longest_backoff: Duration::from_millis(2),
        longest_wait: Duration::from_mins(1),
        ..Policy::default()
    }
}

async fn accept(listener: TcpListener, log: watch::Sender<Log>, handler: Arc<Handler>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        log.send_modify(|log| log.connections += 1);
        let (log, handler) = (log.clone(), Arc::clone(&handler));
        connections.spawn(async move {
            // A client that breaks off is what many tests are about.
            drop(serve(stream, &log, &*handler).await);
        });
    }
}

async fn serve(mut stream: TcpStream, log: &watch::Sender<Log>, handler: &Handler) -> std::io::Result<()> {
    let Some(mut request) = read_head(&mut stream).await? else { return Ok(()) };
    log.send_modify(|log| log.ask(&mut request));
    let page = request.page();
    let reply = handler(&request);
    if let Some(gate) = &reply.gate {
        let mut nothing = [0];
        tokio::select! {
            permit = gate.acquire() => permit.unwrap().forget(),
            _ = stream.read(&mut nothing) => {
                close(log, Event::HungUp(page));
                return Ok(());
            }
        }
    }
    // Before the last byte, after which the client may come again at once.
    log.send_modify(|log| log.open -= 1);
    let written = stream.write_all(&reply.bytes()).await;
    log.send_modify(|log| log.events.push(Event::Answered(page)));
    written?;
    match reply.end {
        End::Fin => stream.shutdown().await,
        End::Reset => stream.set_zero_linger(),
        End::Hang => {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.map(|_| ())
        }
        End::Drip => loop {
            stream.write_all(b" ").await?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        },
    }
}

fn close(log: &watch::Sender<Log>, event: Event) {
    log.send_modify(|log| {
        log.open -= 1;
        log.events.push(event);
    });
}

/// Reads up to the empty line; a first byte that no method starts with is a TLS handshake, which has none.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
        if bytes.first().is_some_and(|byte| !byte.is_ascii_alphabetic()) {
            break;
        }
    }
    let head = String::from_utf8_lossy(&bytes);
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(Some(Request {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        headers: headers.collect(),
        time: 0,
        index: 0,
    }))
}

/// The ways in which the vendor's material wraps rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Envelope {
    Seed,
    NoMeta,
    OpenApi,
    Bare,
    StatusCode,
    Workflow,
}

impl Envelope {
    pub(crate) const ALL: [Self; 6] =
        [Self::Seed, Self::NoMeta, Self::OpenApi, Self::Bare, Self::StatusCode, Self::Workflow];

    /// `total` is JSON, so that it can lie.
    pub(crate) fn wrap(self, rows: &str, page: u64, size: u64, total: &str) -> String {
        let pages = total.parse::<u64>().map_or(0, |total| total.div_ceil(size));
        match self {
            Self::Seed => format!(r#"{{"data":[{rows}],"meta":{{"page":{page},"limit":{size},"total":{total}}}}}"#),
            Self::NoMeta => format!(r#"{{"data":[{rows}]}}"#),
            Self::OpenApi => format!(
                r#"{{"message":"Webhooks fetched successfully","webhooks":[{rows}],"page":{page},"limit":{size},"total":{total},"totalPages":{pages}}}"#
            ),
            Self::Bare => format!("[{rows}]"),
            Self::StatusCode => format!(r#"{{"statusCode":200,"data":[{rows}]}}"#),
            Self::Workflow => format!(r#"{{"data":[{rows}],"meta":{{"currentPage":{page},"totalPages":{pages}}}}}"#),
        }
    }
}

/// One row; every third one is inactive.
pub(crate) fn row(number: u64) -> String {
    let active = number % 3 != 2;
    format!(
        r#"{{"id":"w{number}","url":"https://hooks.example.com/{number}","events":["call.completed"],"is_active":{active},"created_at":"2024-03-01T10:00:00.000Z"}}"#
    )
}

pub(crate) fn rows(numbers: impl IntoIterator<Item = u64>) -> String {
    numbers.into_iter().map(row).collect::<Vec<_>>().join(",")
}

/// A well-behaved listing, to be spoilt by the tests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listing {
    pub(crate) envelope: Envelope,
    pub(crate) rows: u64,
    /// The most rows it gives on a page, whatever is asked for.
    pub(crate) clamp: u64,
}

impl Listing {
    pub(crate) fn of(rows: u64) -> Self {
        Self { envelope: Envelope::Seed, rows, clamp: 100 }
    }

    pub(crate) fn clamped(self, clamp: u64) -> Self {
        Self { clamp, ..self }
    }

    pub(crate) fn size(self, request: &Request) -> u64 {
        request.limit().min(self.clamp)
    }

    /// The rows of a page by their numbers.
    pub(crate) fn on_page(self, page: u64, size: u64) -> std::ops::Range<u64> {
        let start = ((page - 1) * size).min(self.rows);
        start..(start + size).min(self.rows)
    }

    pub(crate) fn body(self, request: &Request) -> String {
        let size = self.size(request);
        self.envelope.wrap(&rows(self.on_page(request.page(), size)), request.page(), size, &self.rows.to_string())
    }

    pub(crate) fn reply(self, request: &Request) -> Reply {
        Reply::json(self.body(request))
    }
}
