//! One request: what goes out, what is understood of the answer, and when the client gives up.

use std::sync::Arc;
use std::time::Duration;

use hookscope::api::{ApiError, Client, ErrorKind, Network, Nonsense, Page, PageRequest, RateLimit};
use hookscope::model::{Interner, Scope, WebhookId};

use super::server::{self, End, Envelope, KEY, Listing, Reply, SECRET, Server, gate, nobody, row};

fn page_one() -> PageRequest {
    PageRequest { number: 1, limit: 100, scope: Scope::All }
}

/// The page or the error of a request for page 1.
async fn list(client: &Client) -> Result<Page, ApiError> {
    client.list(page_one(), &Interner::default()).await.map(|answer| answer.value).map_err(|failure| failure.error)
}

/// What a server's one answer is understood as.
async fn understood(reply: Reply) -> Result<Page, ApiError> {
    let server = Server::always(reply).await;
    list(&server.client()).await
}

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
async fn error_of(reply: Reply) -> ApiError {
    understood(reply).await.unwrap_err()
}

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
async fn impatient(server: &Server) -> ApiError {
    let mut settings = server::settings(&server.base_url());
    settings.timeout = Duration::from_millis(100);
    list(&Client::new(&settings).unwrap()).await.unwrap_err()
}

mod requests {
    use super::*;

    #[tokio::test]
    async fn a_request_says_who_asks_and_nothing_more() {
        let server = Server::start(|request| Listing::of(3).reply(request)).await;
        let client = server.client();
        list(&client).await.unwrap();
        let scoped = PageRequest { number: 7, limit: 20, scope: Scope::Inactive };
        client.list(scoped, &Interner::default()).await.unwrap();
        drop(client.get(&WebhookId::new("w1"), &Interner::default()).await);
        let log = server.log();
        for request in log.requests() {
            assert_eq!(request.method, "GET");
            assert_eq!(request.header("user-agent"), Some(concat!("hookscope/", env!("CARGO_PKG_VERSION"))));
            assert_eq!(request.header("authorization"), Some(&*format!("Bearer {KEY}")));
            assert_eq!(request.header("accept"), Some("application/json"));
            assert_eq!(request.header("referer"), None);
            assert_eq!(request.header("cookie"), None);
            let secrets = request.headers.iter().filter(|(_, value)| value.contains(SECRET)).count();
            assert_eq!((secrets, request.target.contains(SECRET)), (1, false));
        }
        let targets: Vec<_> = log.requests().map(|request| request.target.clone()).collect();
        assert_eq!(
            targets,
            [
                "/v1/user-webhooks?page=1&limit=100",
                "/v1/user-webhooks?page=7&limit=20&is_active=false",
                "/v1/user-webhooks/w1"
            ]
        );
    }

    #[tokio::test]
    async fn an_id_is_data_in_the_path() {
        let server = Server::always(Reply::json(row(1))).await;
        let client = server.client();
        for id in ["../../admin", "a/b", "a?b#c", "a%2Fb", "\u{1b}\r\né", "a b"] {
            client.get(&WebhookId::new(id), &Interner::default()).await.unwrap();
        }
        for id in ["", ".", ".."] {
            assert_eq!(
                client.get(&WebhookId::new(id), &Interner::default()).await.unwrap_err().error.kind,
                ErrorKind::BadId
            );
        }
        assert_eq!(server.log().requests().count(), 6);
        for request in server.log().requests() {
            let id = request.target.strip_prefix("/v1/user-webhooks/").unwrap();
            assert!(!id.is_empty() && !id.contains(['/', '?', '#', ' ']), "{id}");
            assert!(id.is_ascii() && id != "." && id != "..", "{id}");
        }
    }

    #[tokio::test]
    async fn one_webhook_comes_bare_or_wrapped() {
        for body in [row(1), format!(r#"{{"message":"ok","webhook":{}}}"#, row(1)), format!(r#"{{"data":{}}}"#, row(1))] {
            let server = Server::always(Reply::json(body)).await;
            let answer = server.client().get(&WebhookId::new("w1"), &Interner::default()).await.unwrap();
            assert_eq!(answer.value.row().id(), "w1");
        }
        let server = Server::always(Reply::not_found()).await;
        let failure = server.client().get(&WebhookId::new("w1"), &Interner::default()).await.unwrap_err();
        assert_eq!(failure.error.kind, ErrorKind::NotFound);
    }
}

mod answers {
    use super::*;

    #[tokio::test]
    async fn every_envelope_is_read_from_the_wire() {
        for envelope in Envelope::ALL {
            let server = Server::start(move |request| Listing { envelope, ..Listing::of(230) }.reply(request)).await;
            let page = list(&server.client()).await.unwrap();
            assert_eq!(page.rows.len(), 100, "{envelope:?}");
            let total = matches!(envelope, Envelope::Seed | Envelope::OpenApi).then_some(230);
            assert_eq!(page.numbers.total, total, "{envelope:?}");
            let pages = matches!(envelope, Envelope::Workflow | Envelope::OpenApi).then_some(3);
            assert_eq!(page.numbers.total_pages, pages, "{envelope:?}");
        }
    }

    #[tokio::test]
    async fn a_byte_order_mark_and_gzip_are_no_obstacle() {
        assert!(understood(Reply::json(format!("\u{feff}[{}]\r\n", row(1)))).await.is_ok());
        let body = gzip::stored(format!("[{}]", row(1)).as_bytes());
        let page = understood(Reply::json(body).header("Content-Encoding", "gzip")).await.unwrap();
        assert_eq!(page.rows.len(), 1);
    }

    #[tokio::test]
    async fn a_success_that_is_none_is_told_apart() {
        let nonsense: [(&str, Vec<u8>, Nonsense); 9] = [
            ("empty", b"".to_vec(), Nonsense::Empty),
            ("html", b"<!doctype html><title>Sign in</title>".to_vec(), Nonsense::Html),
            ("latin-1", b"[{\"id\":\"caf\xe9\"}]".to_vec(), Nonsense::NotUtf8),
            ("cut json", br#"{"data":[{"id":"#.to_vec(), Nonsense::NotJson),
            ("trailing garbage", br#"{"data":[]}{"data":[]}"#.to_vec(), Nonsense::NotJson),
            ("deep", format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).into(), Nonsense::TooDeep),
            ("no webhooks", br#"{"ok":true}"#.to_vec(), Nonsense::NoWebhooks),
            ("a number", b"42".to_vec(), Nonsense::NoWebhooks),
            ("nul bytes", vec![0; 100], Nonsense::NotJson),
        ];
        for (name, body, why) in nonsense {
            assert_eq!(error_of(Reply::json(body)).await.kind, ErrorKind::Nonsense(why), "{name}");
        }
        let page = Reply::json(r"[]").header("Content-Type", "TEXT/HTML; charset=utf-8");
        assert_eq!(error_of(page).await.kind, ErrorKind::Nonsense(Nonsense::Html));
    }

    #[tokio::test]
    async fn deep_nesting_inside_a_row_is_an_error_and_no_crash() {
        let row = format!(r#"[{{"id":"a","url":"u","x":{}{}}}]"#, "[".repeat(5000), "]".repeat(5000));
        assert_eq!(error_of(Reply::json(row)).await.kind, ErrorKind::Nonsense(Nonsense::TooDeep));
    }

    #[tokio::test]
    async fn what_a_server_says_of_an_error_is_passed_on_harmlessly() {
        let detail = async |body: &str| {
            let error = error_of(Reply::status("400 Bad Request", body)).await;
            assert_eq!(error.kind, ErrorKind::Status(400));
            error.detail.map(|detail| detail.to_string())
        };
        assert_eq!(
            detail(r#"{"statusCode":400,"message":"page must be positive"}"#).await.unwrap(),
            "page must be positive"
        );
        assert_eq!(detail(r#"{"message":["page is bad","limit is bad"]}"#).await.unwrap(), "page is bad; limit is bad");
        assert!(!detail(r#"{"message":"\u001b]0;owned\u0007"}"#).await.unwrap().contains(['\u{1b}', '\u{7}']));
        assert!(detail(&format!(r#"{{"message":"{}"}}"#, "x".repeat(50_000))).await.unwrap().len() < 400);
        for silent in ["", "<html><body>Bad Request</body></html>", r#"{"message":{"a":1}}"#, r#"{"message":""}"#] {
            assert_eq!(detail(silent).await, None, "{silent}");
        }
        // The status is the news, however large the body.
        assert_eq!(detail(&format!(r#"{{"message":"{}"}}"#, "x".repeat(1 << 20))).await, None);
    }

    #[tokio::test]
    async fn statuses_become_kinds() {
        let kinds = [
            ("401 Unauthorized", ErrorKind::Unauthorized),
            ("403 Forbidden", ErrorKind::Forbidden),
            ("404 Not Found", ErrorKind::Status(404)),
            ("429 Too Many Requests", ErrorKind::RateLimited { retry_after: None }),
            ("500 Internal Server Error", ErrorKind::Status(500)),
            ("503 Service Unavailable", ErrorKind::Unavailable { retry_after: None }),
            ("304 Not Modified", ErrorKind::Status(304)),
            ("418 I'm a teapot", ErrorKind::Status(418)),
            ("599 Whatever", ErrorKind::Status(599)),
        ];
        for (status, kind) in kinds {
            assert_eq!(error_of(Reply::status(status, "")).await.kind, kind, "{status}");
        }
    }

    #[tokio::test]
    async fn a_gateway_that_wants_a_password_is_no_wrong_key() {
        for (challenge, kind) in [
            ("Basic realm=\"staging\"", ErrorKind::PasswordWanted),
            ("Negotiate", ErrorKind::PasswordWanted),
            ("Bearer", ErrorKind::Unauthorized),
        ] {
            let error = error_of(Reply::status("401 Unauthorized", "").header("WWW-Authenticate", challenge)).await;
            assert_eq!(error.kind, kind, "{challenge}");
            assert!(error.is_refusal(), "{challenge}");
        }
    }

    #[tokio::test]
    async fn many_headers_are_read_and_too_many_are_called_that() {
        let with_headers = |count: usize| {
            (0..count).fold(Reply::json("[]"), |reply, number| reply.header(&format!("X-Gateway-{number}"), "x"))
        };
        assert!(understood(with_headers(300)).await.is_ok());
        let error = error_of(with_headers(600)).await;
        assert_eq!(error.kind, ErrorKind::Nonsense(Nonsense::Headers));
        assert!(!error.is_transient());
    }

    #[tokio::test]
    async fn the_rate_limit_is_read_from_successes_and_errors() {
        let told = RateLimit { limit: 600, remaining: 61, resets_in: Some(Duration::from_secs(30)) };
        let server = Server::always(Reply::json("[]").rate(600, 61, 30)).await;
        assert_eq!(server.client().list(page_one(), &Interner::default()).await.unwrap().rate, Some(told));
        for status in ["401 Unauthorized", "429 Too Many Requests", "500 Internal Server Error"] {
            let server = Server::always(Reply::status(status, "").rate(600, 61, 30)).await;
            assert_eq!(
                server.client().list(page_one(), &Interner::default()).await.unwrap_err().rate,
                Some(told),
                "{status}"
            );
        }
        let server = Server::always(Reply::json("not json").rate(600, 61, 30)).await;
        assert_eq!(server.client().list(page_one(), &Interner::default()).await.unwrap_err().rate, Some(told));
        let server = Server::always(Reply::json("[]").header("X-RateLimit-Limit", "many")).await;
        assert_eq!(server.client().list(page_one(), &Interner::default()).await.unwrap().rate, None);
    }
}

mod rotation {
    use hookscope::api::Renewal;
    use hookscope::base::redact::ApiKey;

    use super::*;

    #[expect(clippy::unwrap_used, reason = "a helper of tests")]
    fn rotating(server: &Server, renewal: impl Fn() -> Result<ApiKey, &'static str> + Send + Sync + 'static) -> Client {
        let mut settings = server::settings(&server.base_url());
        settings.renewal = Some(Renewal::new(false, move || {
            let read = renewal();
            async move { read.map_err(Into::into) }
        }));
        Client::new(&settings).unwrap()
    }

    /// An answer with an old key comes when another one is in use.
    #[tokio::test]
    async fn words_of_a_server_lose_the_key_that_was_sent_and_the_one_in_use() {
        const SECOND: &str = "id:another-secret";
        let gate = gate();
        let held = Arc::clone(&gate);
        let server = Server::start(move |request| {
            let echo = format!(r#"{{"message":"not {} nor {SECOND}"}}"#, request.header("authorization").unwrap());
            match (request.page(), request.header("authorization")) {
                (2, _) => Reply::status("400 Bad Request", echo).behind(&held),
                (3, _) => Reply::json(echo).behind(&held),
                (_, Some(key)) if key.ends_with(KEY) => Reply::status("401 Unauthorized", "{}"),
                _ => Listing::of(3).reply(request),
            }
        })
        .await;
        let client = rotating(&server, || Ok(ApiKey::new(SECOND).unwrap()));
        let interner = Interner::default();
        let page = |number| client.list(PageRequest { number, ..page_one() }, &interner);
        let rotated = async {
            server.until(|log| log.requests().count() == 2).await;
            assert_eq!(list(&client).await.unwrap().rows.len(), 3);
            gate.add_permits(2);
        };
        let (refused, no_page, ()) = tokio::join!(page(2), page(3), rotated);
        for error in [refused.unwrap_err().error, no_page.unwrap_err().error] {
            let words = format!("{error} {error:?}");
            assert!(words.contains("not Bearer"), "{words}");
            assert!(!words.contains(SECRET) && !words.contains("another-secret"), "{words}");
        }
    }

    #[tokio::test]
    async fn a_refusal_says_why_there_is_no_other_key() {
        let server = Server::always(Reply::status("401 Unauthorized", r#"{"message":"revoked"}"#)).await;
        let error = list(&rotating(&server, || Err("api_key_file: No such file"))).await.unwrap_err();
        let words = "401 unauthorized: revoked; the key cannot be read again: api_key_file: No such file";
        assert_eq!(error.to_string(), words);
    }
}

mod redirects {
    use super::*;

    #[tokio::test]
    async fn the_key_does_not_follow_to_another_origin() {
        let thief = Server::always(Reply::json("[]")).await;
        let elsewhere = thief.address;
        let port = elsewhere.port();
        for to in
            [format!("http://{elsewhere}/v1/user-webhooks"), format!("//{elsewhere}/"), format!("http://localhost:{port}/")]
        {
            for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
                let error = error_of(Reply::status(status, "").header("Location", &to)).await;
                assert_eq!(error.kind, ErrorKind::Redirect, "{to}");
                assert!(!error.is_transient());
            }
        }
        assert_eq!(thief.log().connections, 0);
    }

    #[tokio::test]
    async fn a_second_hop_is_watched_like_the_first() {
        let thief = Server::always(Reply::json("[]")).await;
        let away = format!("http://{}/v1", thief.address);
        let server = Server::start(move |request| match request.index {
            0 => Reply::redirect("/moved?page=1"),
            _ => Reply::redirect(&away),
        })
        .await;
        assert_eq!(list(&server.client()).await.unwrap_err().kind, ErrorKind::Redirect);
        assert_eq!((server.log().requests().count(), thief.log().connections), (2, 0));
    }

    #[tokio::test]
    async fn a_redirect_within_the_origin_is_followed_with_the_key() {
        let server = Server::start(|request| match request.index {
            0 => Reply::redirect("/v2/user-webhooks?page=1&limit=100"),
            _ => Listing::of(3).reply(request),
        })
        .await;
        assert_eq!(list(&server.client()).await.unwrap().rows.len(), 3);
        let log = server.log();
        let last = log.requests().last().unwrap();
        assert_eq!(last.target, "/v2/user-webhooks?page=1&limit=100");
        assert!(last.header("authorization").unwrap().contains(SECRET));
        assert_eq!(last.header("referer"), None);
    }

    #[tokio::test]
    async fn a_loop_ends() {
        let server = Server::start(|request| Reply::redirect(&request.target)).await;
        let error = list(&server.client()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::RedirectLoop);
        let words = format!("{error}. {}", error.advice());
        assert!(!words.contains("elsewhere") && !words.contains("not sent"), "{words}");
        assert_eq!(server.log().requests().count(), 4);
    }

    #[tokio::test]
    async fn a_redirect_to_nowhere_is_an_error() {
        for location in ["http://", "https://[", "\u{ff}"] {
            assert_eq!(error_of(Reply::redirect(location)).await.kind, ErrorKind::Redirect, "{location}");
        }
        assert_eq!(error_of(Reply::status("302 Found", "")).await.kind, ErrorKind::Redirect);
        assert_eq!(error_of(Reply::redirect("file:///etc/passwd")).await.kind, ErrorKind::Redirect);
    }
}

mod bodies {
    use super::*;

    const CAP: usize = 64 << 10;

    #[expect(clippy::unwrap_used, reason = "a helper of tests")]
    async fn capped(reply: Reply) -> Result<Page, ApiError> {
        let server = Server::always(reply).await;
        let mut settings = server::settings(&server.base_url());
        settings.max_page_bytes = CAP;
        list(&Client::new(&settings).unwrap()).await
    }

    fn padded(bytes: usize) -> Vec<u8> {
        let mut body = b"[]".to_vec();
        body.resize(bytes, b' ');
        body
    }

    #[tokio::test]
    async fn a_body_up_to_the_cap_is_read_and_no_further() {
        assert!(capped(Reply::json(padded(CAP))).await.is_ok());
        let too_large = Some(ErrorKind::TooLarge { limit: CAP });
        for reply in [
            Reply::json(padded(CAP + 1)),
            Reply::json(padded(CAP + 1)).declaring(usize::MAX),
            // The end never comes, so it is not waited for.
            Reply::json(padded(CAP + 1)).declaring(usize::MAX).ending(End::Hang),
            // Nothing of it comes.
            Reply::json("").declaring(1 << 40).ending(End::Hang),
        ] {
            assert_eq!(capped(reply).await.err().map(|error| error.kind), too_large);
        }
    }

    #[tokio::test]
    async fn a_gzip_bomb_stops_at_the_cap() {
        let bomb = gzip::spaces(4 << 20);
        assert!(bomb.len() < CAP, "{} bytes are no bomb", bomb.len());
        let reply = Reply::json(bomb).header("Content-Encoding", "gzip").declaring(usize::MAX).ending(End::Hang);
        assert_eq!(capped(reply).await.unwrap_err().kind, ErrorKind::TooLarge { limit: CAP });
    }

    #[tokio::test]
    async fn a_body_without_its_end_is_cut_off() {
        let body = Listing::of(3).envelope.wrap(&row(1), 1, 100, "1");
        for end in [End::Fin, End::Reset] {
            let error = error_of(Reply::json(body.clone()).declaring(body.len() + 10).ending(end)).await;
            assert_eq!(error.kind, ErrorKind::Network(Network::CutOff), "{end:?}: {error}");
            assert!(error.is_transient());
        }
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[]   \r\n";
        assert_eq!(error_of(Reply::raw(chunked)).await.kind, ErrorKind::Network(Network::CutOff));
        let gzip = gzip::stored(b"[]");
        let cut = Reply::json(gzip.get(..gzip.len() - 12).unwrap()).header("Content-Encoding", "gzip");
        assert_eq!(error_of(cut).await.kind, ErrorKind::Network(Network::CutOff));
    }

    #[tokio::test]
    async fn an_answer_that_is_not_http_is_told_from_one_that_is_cut_off() {
        for (bytes, kind) in [
            ("", ErrorKind::Network(Network::CutOff)),
            ("SSH-2.0-OpenSSH_9.6\r\n", ErrorKind::Nonsense(Nonsense::NotHttp)),
            ("HTTP/1.1 2", ErrorKind::Network(Network::CutOff)),
        ] {
            let error = error_of(Reply::raw(bytes)).await;
            assert_eq!(error.kind, kind, "{bytes:?}: {error}");
            assert!(error.is_transient());
        }
    }

    #[tokio::test]
    async fn the_deadline_is_for_the_whole_request() {
        let drip = Reply::json("[").declaring(1000).ending(End::Drip);
        let silent = Reply::json("[]").behind(&gate());
        let half_a_head = Reply::raw("HTTP/1.1 200 OK\r\nContent-Le").ending(End::Hang);
        let half_a_body = Reply::json("[").declaring(2).ending(End::Hang);
        for reply in [drip, silent, half_a_head, half_a_body] {
            let server = Server::always(reply.clone()).await;
            assert_eq!(impatient(&server).await.kind, ErrorKind::Network(Network::Timeout), "{reply:?}");
        }
    }

    #[tokio::test]
    async fn a_refusal_counts_even_when_its_words_never_end() {
        for end in [End::Hang, End::Drip] {
            let server = Server::always(Reply::status("401 Unauthorized", "{").declaring(1000).ending(end)).await;
            assert_eq!(impatient(&server).await.kind, ErrorKind::Unauthorized, "{end:?}");
        }
        let cut = Reply::status("403 Forbidden", "{").declaring(1000);
        assert_eq!(error_of(cut).await.kind, ErrorKind::Forbidden);
    }
}

mod connections {
    use super::*;

    #[tokio::test]
    async fn nobody_listens() {
        let client = Client::new(&server::settings(&nobody().await)).unwrap();
        assert_eq!(list(&client).await.unwrap_err().kind, ErrorKind::Network(Network::Refused));
    }

    #[tokio::test]
    async fn tls_to_a_plain_port_is_named() {
        let server = Server::always(Reply::status("400 Bad Request", "")).await;
        let client = Client::new(&server::settings(&format!("https://{}/v1", server.address))).unwrap();
        let error = list(&client).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Network(Network::Tls), "{error}");
        assert!(!error.is_transient());
    }

    #[tokio::test]
    async fn plain_http_to_a_tls_port_is_no_answer() {
        // The alert of a TLS server that was spoken to in plain text.
        let error = error_of(Reply::raw(b"\x15\x03\x03\x00\x02\x02\x46".as_slice())).await;
        assert_eq!(error.kind, ErrorKind::Nonsense(Nonsense::NotHttp), "{error}");
    }
}

/// Gzip made by hand: what is needed of it is a bomb, and that takes no compressor.
mod gzip {
    const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

    /// One block that is not compressed.
    pub(super) fn stored(data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
        let mut bytes = HEAD.to_vec();
        bytes.push(1);
        bytes.extend(length.to_le_bytes());
        bytes.extend((!length).to_le_bytes());
        bytes.extend(data);
        bytes.extend(crc32(data).to_le_bytes());
        bytes.extend(u32::from(length).to_le_bytes());
        bytes
    }

    /// At least so many spaces: one of them, and then "the same again, 258 times" over and over. The end is left out.
    pub(super) fn spaces(bytes: usize) -> Vec<u8> {
        let mut bits = Bits { bytes: HEAD.to_vec(), used: 8 };
        // The last block, with the fixed codes.
        bits.push(0b110, 3);
        bits.push(0x30 + u16::from(b' '), 8);
        for _ in 0..=bytes / 258 {
            bits.push(0b1100_0101, 8);
            bits.push(0, 5);
        }
        bits.bytes
    }

    struct Bits {
        bytes: Vec<u8>,
        used: u32,
    }

    impl Bits {
        /// The code's first bit first.
        fn push(&mut self, code: u16, length: u32) {
            for at in (0..length).rev() {
                if self.used == 8 {
                    self.bytes.push(0);
                    self.used = 0;
                }
                if let Some(last) = self.bytes.last_mut() {
                    *last |= u8::from(code >> at & 1 == 1) << self.used;
                }
                self.used += 1;
            }
        }
    }

    fn crc32(data: &[u8]) -> u32 {
        !data.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
        })
    }
}
