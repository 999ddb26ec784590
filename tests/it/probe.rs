//! The probe's engine against servers that are alive, and against those that are not in every way that has a word.
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its work fails the test")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hookscope::analysis::destinations::Origin;
use hookscope::analysis::reach::{Reach, State, Step, Trouble};
use hookscope::base::clock::Moment;
use hookscope::probe::{self, Answer, MAX_AT_ONCE, Probing, Settings, Trust, Wanted};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::faults::server::{End, Reply, Server, gate};
use crate::tls::Authority;

/// Long enough for everything that happens at all.
const PATIENCE: Duration = Duration::from_secs(20);
/// For what never happens.
const SHORT: Duration = Duration::from_millis(200);

/// What a server does with a connection.
#[derive(Clone)]
enum Manner {
    /// A handshake, and an answer to whatever is asked.
    Tls(Arc<rustls::ServerConfig>, &'static [u8]),
    Says(&'static [u8]),
    Closes,
    /// Accepts, and says nothing for ever.
    Silent,
}

/// A server on every address of loopback.
struct Host {
    port: u16,
    /// Connections that are open.
    open: watch::Sender<usize>,
    /// The most that were.
    peak: watch::Sender<usize>,
    _accepting: JoinSet<()>,
}

impl Host {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (open, peak) = (watch::Sender::new(0), watch::Sender::new(0));
        let mut accepting = JoinSet::new();
        let (opened, most) = (open.clone(), peak.clone());
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                opened.send_modify(|open| *open += 1);
                most.send_modify(|most| *most = (*most).max(*opened.borrow()));
                let (manner, opened) = (manner.clone(), opened.clone());
                connections.spawn(async move {
                    // A client that breaks off is what many tests are about.
                    drop(manner.meet(stream).await);
                    opened.send_modify(|open| *open -= 1);
                });
            }
        });
        Self { port, open, peak, _accepting: accepting }
    }

    async fn tls(config: rustls::ServerConfig) -> Self {
        Self::start(Manner::Tls(Arc::new(config), b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")).await
    }

    fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.port)
    }
}

impl Manner {
    async fn meet(self, mut stream: tokio::net::TcpStream) -> std::io::Result<()> {
        let mut rest = Vec::new();
        match self {
            Self::Tls(config, answer) => {
                let mut stream = TlsAcceptor::from(config).accept(stream).await?;
                while !rest.ends_with(b"\r\n\r\n") {
                    if stream.read_buf(&mut rest).await? == 0 {
                        return Ok(());
                    }
                }
                stream.write_all(answer).await?;
                stream.shutdown().await
            }
            Self::Says(words) => {
                stream.write_all(words).await?;
                stream.read_to_end(&mut rest).await.map(drop)
            }
            Self::Closes => Ok(()),
            Self::Silent => stream.read_to_end(&mut rest).await.map(drop),
        }
    }
}

fn settings(step_timeout: Duration, authority: &Authority) -> Settings {
    let trust = Trust::new(Some(authority.pem.as_bytes())).unwrap();
    Settings { step_timeout, allow_private: true, trust, now: Moment::now().wall }
}

fn wanted(url: &str, http: bool) -> Wanted {
    let url: Url = url.parse().unwrap();
    Wanted { origin: Origin::of(&url).unwrap(), urls: if http { vec![url] } else { Vec::new() } }
}

async fn all(mut probing: Probing) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some(answer) = probing.next().await {
        answers.push(answer);
    }
    answers
}

/// What is found of one URL.
async fn found(url: &str, http: bool, settings: Settings) -> Reach {
    let mut answers = all(probe::start([wanted(url, http)], settings)).await;
    let answer = answers.pop().unwrap();
    assert!(answers.is_empty());
    assert_eq!(answer.url.is_some(), http);
    answer.reach
}

#[tokio::test]
async fn a_server_that_is_alive_has_an_address_times_and_days() {
    let authority = Authority::new("Test CA");
    let server = Host::tls(authority.sign("127.0.0.1", -1, 60)).await;
    let reach = found(&server.url("/"), false, settings(PATIENCE, &authority)).await;
    assert_eq!((reach.state(), reach.failed, reach.status), (State::Reachable, None, None));
    assert_eq!(reach.address, Some(Ipv4Addr::LOCALHOST.into()));
    assert!(reach.times.tcp.is_some() && reach.times.tls.is_some() && reach.times.http.is_none());
    // An address needs no name service.
    assert_eq!(reach.times.dns, None);
    let lasts = reach.certificate.unwrap();
    assert!((58..=60).contains(&lasts.days_left), "{lasts:?}");
    let named = found(&format!("https://localhost:{}", server.port), false, settings(PATIENCE, &authority)).await;
    assert!(named.times.dns.is_some());
    assert_eq!(named.trouble, Some(Trouble::TlsName));
}

#[tokio::test]
async fn a_certificate_that_is_not_accepted_has_its_word_and_its_days() {
    let authority = Authority::new("Test CA");
    let stranger = Authority::new("A stranger");
    let name = "127.0.0.1";
    for (config, trouble, days) in [
        (authority.sign(name, -30, -3), Trouble::TlsExpired, Some(-5..=-3)),
        (stranger.sign(name, -1, 60), Trouble::TlsUntrusted, Some(58..=60)),
        (authority.sign("other.example", -1, 60), Trouble::TlsName, Some(58..=60)),
        (authority.sign(name, 3, 60), Trouble::TlsUntrusted, Some(58..=60)),
        // Dates that no authority gives.
        (authority.sign_dates(name, (1950, 1, 1), (1951, 1, 1)), Trouble::TlsUntrusted, None),
        (authority.sign_dates(name, (2200, 1, 1), (1999, 1, 1)), Trouble::TlsExpired, Some(-20_000..=-5_000)),
        (authority.sign_dates(name, (9998, 1, 1), (9999, 12, 31)), Trouble::TlsUntrusted, Some(2_000_000..=3_000_000)),
    ] {
        let server = Host::tls(config).await;
        let reach = found(&server.url("/"), false, settings(PATIENCE, &authority)).await;
        assert_eq!((reach.trouble, reach.failed, reach.state()), (Some(trouble), Some(Step::Tls), State::Dead));
        assert!(reach.detail.is_some());
        let left = reach.certificate.map(|lasts| lasts.days_left);
        assert_eq!(left.is_some(), days.is_some(), "{reach:?}");
        assert!(days.is_none_or(|days| days.contains(&left.unwrap())), "{reach:?}");
    }
    // "Never" is a date that is accepted.
    let server = Host::tls(authority.sign_dates(name, (2020, 1, 1), (9999, 12, 31))).await;
    assert_eq!(found(&server.url("/"), false, settings(PATIENCE, &authority)).await.state(), State::Reachable);
}

#[tokio::test]
async fn what_is_no_server_has_its_word() {
    let authority = Authority::new("Test CA");
    let closed = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        format!("https://{}", listener.local_addr().unwrap())
    };
    assert_eq!(found(&closed, false, settings(PATIENCE, &authority)).await.trouble, Some(Trouble::Refused));
    let unknown = found("https://a.invalid/", false, settings(PATIENCE, &authority)).await;
    assert_eq!((unknown.trouble, unknown.failed, unknown.address), (Some(Trouble::Dns), Some(Step::Dns), None));
    for (manner, patience, trouble) in [
        (Manner::Silent, SHORT, Trouble::Timeout),
        (Manner::Closes, PATIENCE, Trouble::Reset),
        (Manner::Says(b"220 mail.example ESMTP\r\n"), PATIENCE, Trouble::Tls),
        // A warning of TLS that says that the client is not understood.
        (Manner::Says(b"\x15\x03\x03\x00\x02\x02\x28"), PATIENCE, Trouble::Tls),
    ] {
        let server = Host::start(manner).await;
        let reach = found(&server.url("/"), true, settings(patience, &authority)).await;
        assert_eq!((reach.trouble, reach.failed), (Some(trouble), Some(Step::Tls)));
        assert_eq!(reach.address, Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!((reach.certificate, reach.status), (None, None));
    }
}

#[tokio::test]
async fn any_answer_to_head_counts() {
    let authority = Authority::new("Test CA");
    let secure = Host::tls(authority.sign("127.0.0.1", -1, 60)).await;
    let reach = found(&secure.url("/x"), true, settings(PATIENCE, &authority)).await;
    assert_eq!((reach.state(), reach.status), (State::Reachable, Some(204)));
    for (status, code) in [("200 OK", 200), ("404 Not Found", 404), ("405 No", 405), ("500 Oh", 500)] {
        let server = Server::always(Reply::status(status, "")).await;
        let reach = found(&format!("http://{}/hook?x=1", server.address), true, settings(PATIENCE, &authority)).await;
        assert_eq!((reach.state(), reach.status), (State::Reachable, Some(code)));
        assert_eq!(reach.is_server_error(), code == 500);
        assert_eq!((reach.certificate, reach.times.tls), (None, None));
    }
}

#[tokio::test]
async fn one_head_is_all_that_is_sent() {
    let authority = Authority::new("Test CA");
    let server = Server::start(|_| Reply::redirect("/elsewhere").header("Set-Cookie", "a=b")).await;
    let mut wanted = wanted(&format!("http://{}/hook?x=%20y", server.address), true);
    wanted.urls.push(format!("http://{}/other", server.address).parse().unwrap());
    let answers = all(probe::start([wanted], settings(PATIENCE, &authority))).await;
    assert!(answers.iter().all(|answer| answer.reach.status == Some(302)), "{answers:?}");
    let log = server.log();
    let requests: Vec<_> = log.requests().collect();
    let targets: Vec<_> = requests.iter().map(|request| request.target.as_str()).collect();
    assert_eq!(targets, ["/hook?x=%20y", "/other"]);
    for request in requests {
        assert_eq!(request.method, "HEAD");
        let mut names: Vec<_> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort();
        assert_eq!(names, ["accept", "connection", "host", "user-agent"]);
        assert_eq!(request.header("host"), Some(server.address.to_string().as_str()));
    }
}

#[tokio::test]
async fn an_answer_that_is_none_has_its_word() {
    let authority = Authority::new("Test CA");
    let huge = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(1_000));
    for (reply, patience, trouble) in [
        (Reply::raw("SSH-2.0-OpenSSH_9.9\r\n\r\n"), PATIENCE, Trouble::Http),
        (Reply::raw(huge), PATIENCE, Trouble::Http),
        (Reply::raw(many), PATIENCE, Trouble::Http),
        (Reply::raw(""), PATIENCE, Trouble::Reset),
        (Reply::raw("HTTP/1.1 2").ending(End::Reset), PATIENCE, Trouble::Reset),
        (Reply::raw("").ending(End::Hang), SHORT, Trouble::Timeout),
    ] {
        let server = Server::always(reply).await;
        let reach = found(&format!("http://{}/", server.address), true, settings(patience, &authority)).await;
        assert_eq!((reach.trouble, reach.failed, reach.status), (Some(trouble), Some(Step::Http), None));
    }
}

#[tokio::test]
async fn private_addresses_are_not_connected_to() {
    let authority = Authority::new("Test CA");
    let server = Host::start(Manner::Silent).await;
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"] {
        let url = format!("https://{host}:{}/", server.port);
        let reach = found(&url, true, Settings { allow_private: false, ..settings(PATIENCE, &authority) }).await;
        assert_eq!((reach.trouble, reach.state()), (Some(Trouble::Private), State::Untried), "{host}");
        assert_eq!((reach.times.tcp, reach.address.is_some()), (None, true));
    }
    assert_eq!(*server.peak.borrow(), 0);
}

#[tokio::test(start_paused = true)]
async fn black_holes_cost_no_more_than_their_share() {
    let authority = Authority::new("Test CA");
    let timeout = Duration::from_secs(2);
    let holes = Host::start(Manner::Silent).await;
    let closes = Host::start(Manner::Closes).await;
    let origins = (1..=200_u8).map(|number| {
        let port = if number % 2 == 0 { holes.port } else { closes.port };
        wanted(&format!("https://127.0.1.{number}:{port}"), false)
    });
    let started = Instant::now();
    let answers = all(probe::start(origins, settings(timeout, &authority))).await;
    let took = started.elapsed();
    let with = |trouble| answers.iter().filter(|answer| answer.reach.trouble == Some(trouble)).count();
    assert_eq!((answers.len(), with(Trouble::Timeout), with(Trouble::Reset)), (200, 100, 100));
    assert!(took <= timeout.mul_f64(1.3 * 100.0 / 16.0), "{took:?}");
    let peak = *holes.peak.borrow();
    assert!(peak <= MAX_AT_ONCE, "{peak} at once");
}

#[tokio::test]
async fn what_is_found_comes_at_once_and_dropping_it_ends_the_rest() {
    let authority = Authority::new("Test CA");
    let silent = Host::start(Manner::Silent).await;
    let alive = Host::tls(authority.sign("127.0.0.1", -1, 60)).await;
    let origins = (1..=100_u8).map(|number| wanted(&format!("https://127.0.2.{number}:{}", silent.port), false));
    let origins = std::iter::once(wanted(&alive.url("/"), false)).chain(origins);
    let mut probing = probe::start(origins, settings(PATIENCE, &authority));
    let first = probing.next().await.unwrap();
    assert_eq!(first.reach.state(), State::Reachable);
    let mut open = silent.open.subscribe();
    tokio::time::timeout(PATIENCE, open.wait_for(|open| *open == MAX_AT_ONCE)).await.unwrap().unwrap();
    drop(probing);
    tokio::time::timeout(PATIENCE, open.wait_for(|open| *open == 0)).await.unwrap().unwrap();
    assert_eq!(*silent.peak.borrow(), MAX_AT_ONCE);
}

#[tokio::test]
async fn one_origin_gets_few_connections_at_once() {
    let authority = Authority::new("Test CA");
    let hold = gate();
    let closed = hold.clone();
    let server = Server::start(move |request| {
        let reply = Reply::status("200 OK", "");
        if request.target == "/0" { reply } else { reply.behind(&closed) }
    })
    .await;
    let address: SocketAddr = server.address;
    let urls = (0..40).map(|number| format!("http://{address}/{number}").parse().unwrap());
    let origin = Origin::of(&format!("http://{address}/").parse().unwrap()).unwrap();
    let probing = probe::start([Wanted { origin, urls: urls.collect() }], settings(PATIENCE, &authority));
    let answers = tokio::spawn(all(probing));
    server.until(|log| log.requests().count() == 5).await;
    hold.add_permits(1_000);
    let answers = answers.await.unwrap();
    assert!(answers.len() == 40 && answers.iter().all(|answer| answer.reach.status == Some(200)));
    assert_eq!(server.log().peak, 4);
    let targets: std::collections::BTreeSet<_> = answers.iter().map(|answer| answer.url.clone()).collect();
    assert_eq!(targets.len(), 40);
}

#[tokio::test]
async fn an_open_probe_takes_more_and_what_is_asked_last_comes_first() {
    let authority = Authority::new("Test CA");
    let silent = Host::start(Manner::Silent).await;
    let alive = Host::tls(authority.sign("127.0.0.1", -1, 60)).await;
    let mut probing = probe::open(settings(PATIENCE, &authority));
    let holes =
        |from: u8| (from..from + 15).map(|number| wanted(&format!("https://127.0.4.{number}:{}", silent.port), false));
    // All but one of the connections are taken, and behind that more waits.
    probing.add(holes(1).collect());
    let mut open = silent.open.subscribe();
    tokio::time::timeout(PATIENCE, open.wait_for(|open| *open == MAX_AT_ONCE - 1)).await.unwrap().unwrap();
    probing.add(vec![wanted(&alive.url("/"), false)]);
    assert_eq!(probing.next().await.unwrap().reach.state(), State::Reachable);
    // It goes on for as long as it is there.
    probing.add(vec![wanted(&alive.url("/"), false)]);
    assert_eq!(probing.next().await.unwrap().reach.state(), State::Reachable);
    drop(probing);
    tokio::time::timeout(PATIENCE, open.wait_for(|open| *open == 0)).await.unwrap().unwrap();
}
