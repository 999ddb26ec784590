use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use super::*;
use crate::api::{Client, ClientSettings, SettingSources};
use crate::base::base_url::BaseUrl;
use crate::base::redact::ApiKey;
use crate::fetch::Held;

/// Answers each request with one row, whose id is the request's `is_active`.
async fn echo(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut head = vec![0; 4096];
        let read = stream.read(&mut head).await.unwrap();
        let head = String::from_utf8_lossy(&head[..read]).into_owned();
        let id = head.split_once("is_active=").map_or("all", |(_, rest)| rest.split([' ', '&']).next().unwrap());
        let body = format!(r#"[{{"id":"{id}","url":"https://x"}}]"#);
        let length = body.len();
        let reply = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(reply.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_came_before_its_request_was_ended_is_dropped() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = BaseUrl::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(echo(listener));
    let settings = ClientSettings {
        base_url,
        key: ApiKey::new("id:secret").unwrap(),
        renewal: None,
        timeout: Duration::from_secs(20),
        connect_timeout: Duration::from_secs(20),
        max_page_bytes: 1 << 20,
        proxy: None,
        extra_roots: None,
        sources: SettingSources::default(),
    };
    let source = Source::from(Arc::new(Client::new(&settings).unwrap()));
    let mut requests = Requests::new(Pages::new(&source, 100, Scope::All), Policy::default());
    requests.start(1);
    while !requests.aborts[&1].is_finished() {
        tokio::task::yield_now().await;
    }
    requests.change(|pages| pages.set_scope(Scope::Inactive));
    requests.start(1);
    let Some(Progress::Loaded { value, .. }) = requests.next().await else { panic!("no page") };
    assert_eq!(value.rows.row(0).unwrap().id(), "false");
    assert!(requests.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_over_before_it_was_waited_for_is_followed_by_another() {
    let source = Source::from(Arc::new(Held::default()));
    let mut requests = Requests::new(Pages::new(&source, 100, Scope::All), Policy::default());
    let budget = source.budget();
    let rate = RateLimit { limit: 100, remaining: 11, resets_in: Some(Duration::from_mins(1)) };
    lock(&budget).told(rate, Instant::now(), Instant::now());
    // Another reader has sent the only request.
    lock(&budget).send();
    for _ in 0..2 {
        assert!(!requests.has_room() && requests.pause_if_spent().unwrap().is_none());
        tokio::time::advance(OTHERS + Duration::from_millis(1)).await;
    }
    assert!(!requests.has_room() && requests.pause_if_spent().unwrap().is_none());
    assert!(matches!(requests.next().await, Some(Progress::Resumed)), "the queue has to wake up");
}

/// A server on the paused clock: a gateway that admits requests at a fixed rate, and a connection whose bandwidth is shared.
#[derive(Debug, Clone)]
struct Model {
    source: Source,
    server: Arc<Mutex<Gateway>>,
    latency: Duration,
    /// The time to transfer one page alone.
    transfer: Duration,
    in_flight: Arc<AtomicU64>,
}

/// Rate limiting as by nginx's `limit_req` with `nodelay`; the fields count requests.
#[derive(Debug)]
struct Gateway {
    /// The time between two requests; zero means no limit.
    gap: Duration,
    burst: u32,
    excess: f64,
    last: Instant,
    refusal: ErrorKind,
    refused: u32,
    asked: u32,
}

impl Gateway {
    fn admit(&mut self) -> Result<(), ErrorKind> {
        self.asked += 1;
        let now = Instant::now();
        if self.gap.is_zero() {
            return Ok(());
        }
        let excess = (self.excess - (now - self.last).div_duration_f64(self.gap)).max(0.0) + 1.0;
        if excess > f64::from(self.burst) + 1.0 + 1e-9 {
            self.refused += 1;
            return Err(self.refusal);
        }
        (self.excess, self.last) = (excess, now);
        Ok(())
    }
}

const TOO_MANY: ErrorKind = ErrorKind::RateLimited { retry_after: Some(Duration::from_secs(1)) };
const PAGES: u64 = 13;
const TIMEOUT: Duration = Duration::from_secs(20);

impl Model {
    fn new(gap: Duration, burst: u32, refusal: ErrorKind) -> Self {
        let server = Gateway { gap, burst, excess: 0.0, last: Instant::now(), refusal, refused: 0, asked: 0 };
        Self {
            source: Source::from(Arc::new(Held::default())),
            server: Arc::new(Mutex::new(server)),
            latency: Duration::from_millis(2),
            transfer: Duration::ZERO,
            in_flight: Arc::default(),
        }
    }

    /// A gateway that admits nothing.
    fn never(refusal: ErrorKind) -> Self {
        let model = Self::new(Duration::from_hours(1000), 0, refusal);
        model.server.lock().unwrap().excess = 1e6;
        model
    }

    async fn answer(self, number: u64) -> Result<ApiAnswer<u64>, ApiFailure> {
        let fail = |kind| ApiFailure { error: ApiError::new(kind), rate: None };
        sleep(self.latency / 2).await;
        self.server.lock().unwrap().admit().map_err(fail)?;
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let transfer = async {
            const STEP: Duration = Duration::from_millis(50);
            let mut left = self.transfer;
            while !left.is_zero() {
                sleep(STEP).await;
                left = left.saturating_sub(STEP / u32::try_from(self.in_flight.load(Ordering::Relaxed)).unwrap());
            }
            sleep(self.latency / 2).await;
        };
        let is_in_time = timeout(TIMEOUT, transfer).await.is_ok();
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        if is_in_time {
            Ok(ApiAnswer { value: number, rate: None })
        } else {
            Err(fail(ErrorKind::Network(Network::Timeout)))
        }
    }

    /// Reads like a simple client: one page at a time, with the wait that the server asks for, or else a second.
    async fn read_in_sequence(self) -> Duration {
        let started = Instant::now();
        for page in 1..=PAGES {
            while let Err(failure) = self.clone().answer(page).await {
                sleep(failure.error.wait().unwrap_or(Duration::from_secs(1))).await;
            }
        }
        started.elapsed()
    }

    /// Reads like a full read: page 1 alone, then the others. Returns the duration, and the errors of failed requests.
    async fn read(self) -> (Duration, Vec<ApiError>) {
        let started = Instant::now();
        let mut requests = Requests::new(self, Policy::default());
        let (mut next, mut settled, mut failures) = (1, 0, Vec::new());
        while settled < PAGES {
            while next <= PAGES && (next == 1 || settled > 0) && requests.has_room() {
                requests.start(next);
                next += 1;
            }
            match requests.next().await.unwrap() {
                Progress::Loaded { .. } => settled += 1,
                Progress::Failed { error, .. } => {
                    settled += 1;
                    failures.push(error);
                }
                _ => {}
            }
        }
        (started.elapsed(), failures)
    }

    fn refused(&self) -> u32 {
        self.server.lock().unwrap().refused
    }

    fn asked(&self) -> u32 {
        self.server.lock().unwrap().asked
    }
}

impl Ask for Model {
    type Value = u64;

    fn source(&self) -> &Source {
        &self.source
    }

    fn timeout(&self) -> Duration {
        TIMEOUT
    }

    fn ask(&self, number: u64) -> impl Future<Output = Result<ApiAnswer<u64>, ApiFailure>> + Send + 'static {
        self.clone().answer(number)
    }
}

#[tokio::test(start_paused = true)]
async fn at_a_fixed_rate_all_pages_arrive_about_as_fast_as_in_sequence() {
    fastrand::seed(7);
    for per_second in [1, 5, 20] {
        for burst in [0, 4, 12] {
            for told in [Some(Duration::from_secs(1)), None] {
                for refusal in [ErrorKind::RateLimited { retry_after: told }, ErrorKind::Unavailable { retry_after: told }] {
                    for latency in [2, 300] {
                        let model = || Model {
                            latency: Duration::from_millis(latency),
                            ..Model::new(Duration::from_secs(1) / per_second, burst, refusal)
                        };
                        let what = format!("{per_second}/s, burst {burst}, {refusal:?}, latency {latency} ms");
                        let in_sequence = model().read_in_sequence().await;
                        let (took, failures) = model().read().await;
                        assert_eq!(failures, [], "{what}");
                        assert!(took <= in_sequence.mul_f64(1.3), "{what}: {took:?}, in sequence {in_sequence:?}");
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_gateway_of_the_field_takes_as_long_as_it_asks() {
    let model = Model::new(Duration::from_millis(200), 0, TOO_MANY);
    let (took, failures) = model.clone().read().await;
    assert_eq!((took.as_secs(), failures), (12, vec![]));
    assert!(model.refused() <= 14, "{}", model.refused());
}

#[tokio::test(start_paused = true)]
async fn a_link_that_carries_eight_kilobytes_a_second_brings_all_pages() {
    let model = Model { transfer: Duration::from_millis(2800), ..Model::new(Duration::ZERO, 0, TOO_MANY) };
    let in_sequence = model.clone().read_in_sequence().await;
    let (took, failures) = model.read().await;
    assert_eq!(failures, []);
    assert!(took <= in_sequence.mul_f64(1.3), "{took:?}, in sequence {in_sequence:?}");
}

#[tokio::test(start_paused = true)]
async fn requests_that_time_out_together_come_one_by_one() {
    // Quick pages first, so that many are in flight when the connection becomes slow.
    let model = Model { transfer: Duration::from_secs(6), ..Model::new(Duration::ZERO, 0, TOO_MANY) };
    let mut requests = Requests::new(model, Policy::default());
    (0..20).for_each(|_| requests.window.answered(true));
    (1..=8).for_each(|number| requests.start(number));
    let mut loaded = 0;
    while let Some(progress) = requests.next().await {
        assert!(!matches!(progress, Progress::Failed { .. }), "{progress:?}");
        loaded += usize::from(matches!(progress, Progress::Loaded { .. }));
    }
    assert_eq!(loaded, 8);
}

/// Sends one request. Returns its duration, and the kind of its error.
async fn ask_once(model: &Model) -> (Duration, Option<ErrorKind>) {
    let started = Instant::now();
    let mut requests = Requests::new(model.clone(), Policy::default());
    requests.start(1);
    loop {
        match requests.next().await.unwrap() {
            Progress::Loaded { .. } => return (started.elapsed(), None),
            Progress::Failed { error, .. } => return (started.elapsed(), Some(error.kind)),
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_that_is_always_overloaded_ends_with_an_error() {
    for told in [Some(Duration::from_mins(1)), Some(Duration::from_secs(1)), None] {
        for refusal in [ErrorKind::RateLimited { retry_after: told }, ErrorKind::Unavailable { retry_after: told }] {
            let model = Model::never(refusal);
            let (took, error) = ask_once(&model).await;
            assert_eq!(error, Some(refusal));
            assert_eq!(model.asked(), 1 + Policy::default().retries);
            assert!(took <= Duration::from_secs(181), "{took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn many_requests_to_an_overloaded_api_end_too() {
    let model = Model::never(TOO_MANY);
    let mut requests = Requests::new(model.clone(), Policy::default());
    let (mut started, mut failed) = (0, 0);
    while failed < 20 {
        while started < 20 && requests.has_room() {
            started += 1;
            requests.start(started);
        }
        failed += u32::from(matches!(requests.next().await.unwrap(), Progress::Failed { .. }));
    }
    assert!(model.asked() <= 80, "{}", model.asked());
}

#[tokio::test(start_paused = true)]
async fn who_is_asked_to_wait_too_long_does_not_wait() {
    let model = Model::never(ErrorKind::Unavailable { retry_after: Some(Duration::from_secs(61)) });
    let (took, error) = ask_once(&model).await;
    assert!(error.is_some());
    assert_eq!((took.as_secs(), model.asked()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_proves_too_short_grows() {
    // A request is admitted every five seconds, but clients are asked to retry after one.
    let model = Model::new(Duration::from_secs(5), 0, TOO_MANY);
    assert_eq!(ask_once(&model).await.1, None);
    assert_eq!(ask_once(&model).await.1, None);
}

/// A limit in fixed windows of three seconds. The server reports their end and its time in whole seconds, rounded down.
#[derive(Debug, Clone)]
struct Windows {
    source: Source,
    started: Instant,
    /// Requests in each window.
    used: Arc<Mutex<BTreeMap<u64, u64>>>,
}

const LIMIT: u64 = 30;
const WINDOW_MILLIS: u64 = 3000;
/// The server's clock does not start at a whole second, and neither do its windows.
const OFFSET_MILLIS: u64 = 1_700;

impl Ask for Windows {
    type Value = ();

    fn source(&self) -> &Source {
        &self.source
    }

    fn ask(&self, _number: u64) -> impl Future<Output = Result<ApiAnswer<()>, ApiFailure>> + Send + 'static {
        let Self { started, used, .. } = self.clone();
        async move {
            let now = OFFSET_MILLIS + u64::try_from(started.elapsed().as_millis()).unwrap();
            let window = now / WINDOW_MILLIS;
            let used = {
                let mut windows = used.lock().unwrap();
                let used = windows.entry(window).or_default();
                *used += 1;
                *used
            };
            let resets_in = Duration::from_secs((window + 1) * WINDOW_MILLIS / 1000 - now / 1000);
            let remaining = LIMIT.saturating_sub(used);
            let rate = Some(RateLimit { limit: LIMIT, remaining, resets_in: Some(resets_in) });
            sleep(Duration::from_millis(5)).await;
            if used > LIMIT {
                let error = ApiError::new(ErrorKind::RateLimited { retry_after: Some(resets_in) });
                return Err(ApiFailure { error, rate });
            }
            Ok(ApiAnswer { value: (), rate })
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_is_rounded_down_costs_production_nothing() {
    let used = Arc::<Mutex<BTreeMap<u64, u64>>>::default();
    let windows =
        Windows { source: Source::from(Arc::new(Held::default())), started: Instant::now(), used: Arc::clone(&used) };
    let mut requests = Requests::new(windows, Policy::default());
    let (mut started, mut loaded) = (0, 0);
    while loaded < 200 {
        while started < 200 && requests.has_room() {
            started += 1;
            requests.start(started);
        }
        if started < 200 {
            requests.pause_if_spent().unwrap();
        }
        let progress = requests.next().await.unwrap();
        assert!(!matches!(progress, Progress::Failed { .. } | Progress::Retrying { .. }), "{progress:?}");
        loaded += u32::from(matches!(progress, Progress::Loaded { .. }));
    }
    let used = used.lock().unwrap();
    assert_eq!(used.values().sum::<u64>(), 200);
    assert!(used.values().all(|&used| used <= LIMIT - LIMIT / 10), "{used:?}");
}
