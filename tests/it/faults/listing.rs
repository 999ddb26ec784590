//! A whole listing, read from servers that are right, wrong, slow or strict.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hookscope::api::{ApiError, ErrorKind, Network};
use hookscope::fetch::{Limit, Policy, Problem, Progress, Reading, Source, Wanted, read_listing, read_webhooks};
use hookscope::model::{OwnedRow, RowRef, Scope, WebhookId};

use super::server::{self, End, Envelope, Gate, Listing, Reply, Request, Server, gate, rows};

/// Every row of a workspace.
const EVERYTHING: Wanted<'static> = Wanted::all(Scope::All);

/// The sizes at which pages begin, end and overflow.
const SIZES: [u64; 7] = [0, 1, 99, 100, 101, 200, 230];

fn source(server: &Server) -> Source {
    Source::from(server.client())
}

async fn read_with(server: &Server, policy: Policy, scope: Scope, limit: Limit) -> Result<Reading, ApiError> {
    read_listing(&source(server), policy, Wanted { limit, ..Wanted::all(scope) }, |_| {}).await
}

async fn read(server: &Server) -> Result<Reading, ApiError> {
    read_with(server, server::policy(), Scope::All, Limit::Everything).await
}

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
async fn read_all(server: &Server) -> Reading {
    read(server).await.unwrap()
}

fn ids(reading: &Reading) -> Vec<String> {
    reading.rows.webhooks().map(RowRef::id).map(str::to_owned).collect()
}

fn numbered(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("w{number}")).collect()
}

fn words(reading: &Reading) -> String {
    reading.summary.problems.iter().map(|problem| problem.explain().to_string()).collect::<Vec<_>>().join("\n")
}

/// Every row once and in order, and nothing to complain of.
fn assert_whole(reading: &Reading, rows: u64, what: &str) {
    assert_whole_from(reading, 0, rows, what);
}

fn assert_whole_from(reading: &Reading, first: u64, end: u64, what: &str) {
    assert_eq!(ids(reading), numbered(first..end), "{what}");
    assert_eq!(reading.summary.problems, [], "{what}");
}

mod whole {
    use super::*;

    #[tokio::test]
    async fn every_envelope_and_every_size_is_read_to_its_end() {
        for envelope in Envelope::ALL {
            for clamp in [100, 20] {
                for rows in SIZES {
                    let listing = Listing { envelope, rows, clamp };
                    let server = Server::start(move |request| listing.reply(request)).await;
                    let what = format!("{listing:?}");
                    assert_whole(&read_all(&server).await, rows, &what);
                    let log = server.log();
                    let pages = log.pages();
                    assert_eq!(log.asked_before_answer(1), 1, "{what}: page 1 tells how to go on");
                    let needed = usize::try_from(rows.div_ceil(clamp).max(1)).unwrap();
                    // Page 1 and the last one are read again, and all of them where no total confirms the first reading.
                    if matches!(envelope, Envelope::Seed | Envelope::OpenApi) {
                        assert_eq!(pages.len(), if needed > 1 { needed + 2 } else { 1 }, "{what}: {pages:?}");
                    } else {
                        let first = u64::try_from(pages.iter().collect::<HashSet<_>>().len()).unwrap();
                        let beyond = 1 + server::policy().max_concurrency as u64;
                        assert!(first <= needed as u64 + beyond, "{what}: {pages:?}");
                        assert!(pages.len() as u64 <= first * 2, "{what}: {pages:?}");
                    }
                }
            }
        }
    }

    #[tokio::test]
    async fn some_rows_need_only_their_pages() {
        let server = Server::start(|request| Listing::of(100_000).reply(request)).await;
        for (rows, requests) in [(5, 1), (100, 1), (101, 2), (450, 5)] {
            let before = server.log().pages().len();
            let reading = read_with(&server, server::policy(), Scope::All, Limit::Rows(rows)).await.unwrap();
            assert_whole(&reading, rows, "a part");
            assert_eq!(server.log().pages().len() - before, requests, "{rows} rows");
        }
    }

    #[tokio::test]
    async fn some_rows_of_a_short_listing_are_all_of_it() {
        for envelope in Envelope::ALL {
            let listing = Listing { envelope, ..Listing::of(230) };
            let server = Server::start(move |request| listing.reply(request)).await;
            let reading = read_with(&server, server::policy(), Scope::All, Limit::Rows(1_000_000)).await.unwrap();
            assert_whole(&reading, 230, &format!("{envelope:?}"));
        }
    }

    #[tokio::test]
    async fn no_more_requests_are_out_than_allowed() {
        let together = gate();
        let held = Arc::clone(&together);
        let server = Server::start(move |request| {
            let reply = Listing::of(1_400).reply(request);
            if request.page() == 1 { reply } else { reply.behind(&held) }
        })
        .await;
        let policy = Policy { max_concurrency: 5, ..server::policy() };
        let reading = async {
            let reading = read_with(&server, policy, Scope::All, Limit::Everything).await.unwrap();
            assert_whole(&reading, 1_400, "in parallel");
        };
        let answers = async {
            // Each answer raises what may be in flight by one, up to the maximum.
            for asked in [4, 6, 8] {
                server.until(|log| log.pages().len() == asked).await;
                together.add_permits(1);
            }
            server.until(|log| log.pages().len() == 9).await;
            together.add_permits(11);
        };
        tokio::join!(reading, answers);
        assert_eq!(server.log().peak, 5);
        assert_eq!(server.log().asked_before_answer(1), 1);
    }

    #[tokio::test]
    async fn an_ignored_scope_is_applied_here() {
        let server = Server::start(|request| Listing::of(230).reply(request)).await;
        let reading = read_with(&server, server::policy(), Scope::Inactive, Limit::Everything).await.unwrap();
        assert!(reading.summary.scope_ignored);
        assert_eq!(ids(&reading), numbered((0..230).filter(|number| number % 3 == 2)));
        assert_eq!(reading.summary.problems, []);
        assert!(server.log().requests().all(|request| request.query("is_active").as_deref() == Some("false")));
        // Rows of the scope are what a limit counts.
        let reading = read_with(&server, server::policy(), Scope::Inactive, Limit::Rows(50)).await.unwrap();
        assert_eq!(ids(&reading), numbered((0..150).filter(|number| number % 3 == 2)));
    }

    #[tokio::test]
    async fn rows_that_are_no_webhooks_are_delivered_and_counted() {
        let odd = r#"null,{"id":7,"url":"https://x"},{"id":"no-url"},"text""#;
        let server = Server::start(move |_| {
            Reply::json(Envelope::Seed.wrap(&format!("{},{odd},{}", rows(0..1), rows(1..2)), 1, 100, "6"))
        })
        .await;
        let reading = read_all(&server).await;
        assert_eq!((reading.rows.count(), reading.summary.malformed, ids(&reading)), (6, 4, numbered(0..2)));
        assert_eq!(reading.summary.problems, []);
    }
}

mod failures {
    use super::*;

    #[tokio::test]
    async fn a_refusal_is_not_argued_with() {
        for (status, kind) in [
            ("401 Unauthorized", ErrorKind::Unauthorized),
            ("403 Forbidden", ErrorKind::Forbidden),
            ("404 Not Found", ErrorKind::Status(404)),
            ("400 Bad Request", ErrorKind::Status(400)),
        ] {
            let server = Server::always(Reply::status(status, r#"{"message":"no"}"#)).await;
            assert_eq!(read(&server).await.unwrap_err().kind, kind);
            assert_eq!(server.log().pages(), [1], "{status}");
        }
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again_and_then_given_up() {
        let cut = || Reply::json("[").declaring(100);
        let failures = [
            Reply::status("500 Internal Server Error", ""),
            Reply::status("503 Service Unavailable", "<html>"),
            Reply::status("408 Request Timeout", ""),
            Reply::status("429 Too Many Requests", "").header("Retry-After", "0"),
            cut(),
            cut().ending(End::Reset),
            Reply::raw(""),
            Reply::json("<html>"),
        ];
        for failure in failures {
            let server = Server::always(failure.clone()).await;
            assert!(read(&server).await.unwrap_err().is_transient(), "{failure:?}");
            assert_eq!(server.log().pages(), [1, 1, 1], "{failure:?}");

            let server = Server::start(move |request| match request.time {
                1 | 2 => failure.clone(),
                _ => Listing::of(230).reply(request),
            })
            .await;
            assert_whole(&read_all(&server).await, 230, "after trouble");
        }
    }

    #[tokio::test]
    async fn without_retries_one_failure_is_enough() {
        let server = Server::always(Reply::status("500 Internal Server Error", "")).await;
        let policy = Policy { retries: 0, ..server::policy() };
        let error = read_with(&server, policy, Scope::All, Limit::Everything).await.unwrap_err();
        assert_eq!((error.kind, server.log().pages()), (ErrorKind::Status(500), vec![1]));
    }

    #[tokio::test]
    async fn a_page_that_fails_for_good_is_named_and_the_others_are_there() {
        let server = Server::start(|request| match request.page() {
            2 => Reply::status("500 Internal Server Error", r#"{"message":"no database"}"#),
            _ => Listing::of(430).reply(request),
        })
        .await;
        let reading = read_all(&server).await;
        assert_eq!(ids(&reading), numbered((0..100).chain(200..430)));
        assert!(
            matches!(reading.summary.problems[..], [Problem::PageFailed { page: 2, .. }]),
            "{:?}",
            reading.summary.problems
        );
        assert!(words(&reading).contains("page 2"));
        assert_eq!(server.log().pages().iter().filter(|&&page| page == 2).count(), 3);
    }

    #[tokio::test]
    async fn three_pages_that_fail_are_enough() {
        let server = Server::start(|request| match request.page() {
            1 => Listing::of(10_000).reply(request),
            _ => Reply::status("400 Bad Request", ""),
        })
        .await;
        let reading = read_all(&server).await;
        assert_eq!(ids(&reading), numbered(0..100));
        assert!(
            reading.summary.problems.iter().any(|problem| matches!(problem, Problem::NotRead { .. })),
            "{}",
            words(&reading)
        );
        assert!(server.log().pages().len() <= 10);
    }

    #[tokio::test]
    async fn a_key_that_is_revoked_while_reading_ends_it() {
        let server = Server::start(|request| match request.page() {
            1 => Listing::of(10_000).reply(request),
            _ => Reply::status("401 Unauthorized", ""),
        })
        .await;
        let reading = read_all(&server).await;
        assert_eq!(ids(&reading), numbered(0..100));
        assert!(server.log().pages().len() <= 1 + server::policy().max_concurrency + 1, "{:?}", server.log().pages());
        assert!(words(&reading).contains("401"), "{}", words(&reading));
    }
}

mod limits {
    use super::*;

    fn too_many(wait: &str) -> Reply {
        let reply = Reply::status("429 Too Many Requests", r#"{"message":"slow down"}"#);
        reply.header("Retry-After", wait).header("Date", "Mon, 01 Apr 2024 08:00:00 GMT")
    }

    #[tokio::test]
    async fn a_long_wait_is_an_error_that_names_the_time() {
        for (wait, named) in [("61", "61 s"), ("Mon, 01 Apr 2024 09:30:00 GMT", "90 min")] {
            let server = Server::always(too_many(wait)).await;
            let error = read(&server).await.unwrap_err();
            assert!(error.advice().as_str().contains(named), "{wait}: {}", error.advice());
            assert_eq!(server.log().pages(), [1], "{wait}");
        }
    }

    #[tokio::test]
    async fn an_unavailable_api_is_waited_for_as_it_asks() {
        for wait in ["1", "Mon, 01 Apr 2024 08:00:01 GMT"] {
            let server = Server::start(move |request| match request.time {
                1 => Reply::status("503 Service Unavailable", "")
                    .header("Retry-After", wait)
                    .header("Date", "Mon, 01 Apr 2024 08:00:00 GMT"),
                _ => Listing::of(3).reply(request),
            })
            .await;
            let mut waits = Vec::new();
            let watch = |progress: &Progress| {
                if let Progress::Paused { error, .. } = progress {
                    waits.push(error.wait());
                }
            };
            let reading = read_listing(&source(&server), server::policy(), EVERYTHING, watch).await.unwrap();
            assert_whole(&reading, 3, wait);
            assert_eq!(waits, [Some(Duration::from_secs(1))], "{wait}");
        }
        let server = Server::always(Reply::status("503 Service Unavailable", "").header("Retry-After", "3600")).await;
        let error = read(&server).await.unwrap_err();
        assert!(error.advice().as_str().contains("60 min"), "{}", error.advice());
        assert_eq!(server.log().pages(), [1]);
    }

    #[tokio::test]
    async fn a_long_wait_in_the_middle_is_named_too() {
        let server = Server::start(|request| match request.page() {
            2 => too_many("3600"),
            _ => Listing::of(230).reply(request),
        })
        .await;
        let reading = read_all(&server).await;
        assert_eq!(ids(&reading), numbered((0..100).chain(200..230)));
        assert!(words(&reading).contains("60 min"), "{}", words(&reading));
    }

    #[tokio::test]
    async fn a_wait_that_cannot_be_used_is_a_short_one() {
        let epoch_and_milliseconds = ["1711958430", "86400000", "1000000000000000000000000000000"];
        let dates = ["Mon, 01 Apr 2024 07:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"];
        for wait in ["0", "-5", "soon", "1.5", "", "\u{ff}"].into_iter().chain(epoch_and_milliseconds).chain(dates) {
            let server = Server::start(move |request| match request.time {
                1 => too_many(wait),
                _ => Listing::of(3).reply(request),
            })
            .await;
            assert_whole(&read_all(&server).await, 3, wait);
            assert_eq!(server.log().pages(), [1, 1], "{wait}");
        }
    }

    #[tokio::test]
    async fn a_pause_applies_to_all_requests() {
        // Page 2 gets a 429 with a wait. The answers for pages 3 and 4 arrive during the pause, one by one, and make room.
        let gates: [Gate; 2] = [gate(), gate()];
        let held = gates.clone();
        let server = Server::start(move |request| match (request.page(), request.time) {
            (2, 1) => too_many("1"),
            (page @ 3..=4, _) => Listing::of(900).reply(request).behind(&held[usize::try_from(page).unwrap() - 3]),
            _ => Listing::of(900).reply(request),
        })
        .await;
        let pauses = AtomicU64::new(0);
        let reading = read_listing(&source(&server), server::policy(), EVERYTHING, |progress| match progress {
            Progress::Paused { .. } => {
                pauses.fetch_add(1, Ordering::Relaxed);
                gates[0].add_permits(1);
            }
            Progress::Loaded { number, .. } if *number == 3 => gates[1].add_permits(1),
            _ => {}
        })
        .await
        .unwrap();
        assert_whole(&reading, 900, "after a pause");
        assert_eq!(pauses.into_inner(), 1);
        assert_eq!(server.log().asked_before_answer(4), 4, "{:?}", server.log().pages());
    }

    /// A server with a limit of requests, which counts what is left and says so. It never refuses: what is left below the
    /// tenth belongs to others, and only they may spend it.
    struct Window {
        limit: u64,
        used: AtomicU64,
        overspent: AtomicBool,
        resets_in: u64,
    }

    impl Window {
        fn new(limit: u64, used: u64, resets_in: u64) -> Arc<Self> {
            Arc::new(Self { limit, used: used.into(), overspent: false.into(), resets_in })
        }

        fn spend(&self, reply: Reply) -> Reply {
            let used = 1 + self.used.fetch_add(1, Ordering::Relaxed);
            let left = self.limit.saturating_sub(used);
            // The first request cannot know.
            if left < self.limit.div_ceil(10) && used > 1 {
                self.overspent.store(true, Ordering::Relaxed);
            }
            reply.rate(self.limit, left, self.resets_in)
        }

        fn refill(&self) {
            self.used.store(0, Ordering::Relaxed);
        }
    }

    fn nearly_spent(reading: &Reading) -> bool {
        let is = |problem: &Problem| matches!(problem, Problem::PageFailed { error, .. } if matches!(error.kind, ErrorKind::LimitNearlySpent { .. }));
        reading.summary.problems.iter().any(is)
    }

    #[tokio::test]
    async fn a_tenth_of_the_limit_is_left_to_production() {
        for limit in [10, 15, 20, 37] {
            let window = Window::new(limit, 0, 3600);
            let spending = Arc::clone(&window);
            let listing = Listing::of(2_000).clamped(20);
            let server = Server::start(move |request| spending.spend(listing.reply(request))).await;
            let reading = read_all(&server).await;
            assert!(!window.overspent.load(Ordering::Relaxed), "of {limit}: {:?}", server.log().pages());
            let spendable = limit - limit.div_ceil(10);
            assert_eq!(ids(&reading), numbered(0..spendable * 20), "of {limit}");
            assert!(nearly_spent(&reading), "{}", words(&reading));
            assert!(words(&reading).contains("60 min"), "{}", words(&reading));
            let unread = format!("page {} and later pages", spendable + 2);
            assert!(words(&reading).contains(&unread), "{}", words(&reading));
        }
    }

    #[tokio::test]
    async fn a_near_reset_is_waited_for() {
        let window = Window::new(10, 0, 1);
        let spending = Arc::clone(&window);
        let listing = Listing::of(400).clamped(20);
        let server = Server::start(move |request| spending.spend(listing.reply(request))).await;
        let policy = Policy { max_concurrency: 16, ..server::policy() };
        let reading = read_listing(&source(&server), policy, EVERYTHING, |progress| {
            if matches!(progress, Progress::Paused { .. }) {
                window.refill();
            }
        })
        .await
        .unwrap();
        assert_whole(&reading, 400, "over three windows");
        assert!(!window.overspent.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn answers_out_of_order_do_not_make_the_limit_larger() {
        // Three requests are out when three may still be sent; their answers come back in the wrong order.
        let window = Window::new(20, 14, 3600);
        let gates: [Gate; 2] = [gate(), gate()];
        let (spending, held) = (Arc::clone(&window), gates.clone());
        let server = Server::start(move |request| {
            let reply = spending.spend(Listing::of(2_000).reply(request));
            match request.page() {
                3 => reply.behind(&held[0]),
                2 => reply.behind(&held[1]),
                _ => reply,
            }
        })
        .await;
        let reading = read_listing(&source(&server), server::policy(), EVERYTHING, |progress| match progress {
            Progress::Loaded { number, .. } if *number == 4 => gates[0].add_permits(1),
            Progress::Loaded { number, .. } if *number == 3 => gates[1].add_permits(1),
            _ => {}
        })
        .await
        .unwrap();
        assert!(!window.overspent.load(Ordering::Relaxed), "{:?}", server.log().pages());
        assert!(nearly_spent(&reading));
        assert_eq!(server.log().pages(), [1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn retries_are_paid_from_the_same_purse() {
        let window = Window::new(20, 15, 3600);
        let spending = Arc::clone(&window);
        let server = Server::start(move |request| {
            spending.spend(match request.page() {
                1 => Listing::of(2_000).reply(request),
                _ => Reply::status("500 Internal Server Error", ""),
            })
        })
        .await;
        let reading = read_all(&server).await;
        assert!(!window.overspent.load(Ordering::Relaxed), "{:?}", server.log().pages());
        assert!(nearly_spent(&reading), "{}", words(&reading));
        assert_eq!(ids(&reading), numbered(0..100));
    }

    #[tokio::test]
    async fn reading_again_is_paid_from_the_same_purse() {
        // Three pages, a total that is wrong, and nothing left for a second try.
        let window = Window::new(20, 15, 3600);
        let spending = Arc::clone(&window);
        let server = Server::start(move |request| {
            let numbers = Listing::of(230).on_page(request.page(), 100);
            spending.spend(Reply::json(Envelope::Seed.wrap(&rows(numbers), request.page(), 100, "231")))
        })
        .await;
        let reading = read_all(&server).await;
        assert!(!window.overspent.load(Ordering::Relaxed), "{:?}", server.log().pages());
        assert_eq!(ids(&reading), numbered(0..230));
        assert!(
            reading.summary.problems.contains(&Problem::CountDiffers { claimed: 231, sent: 230 }),
            "{}",
            words(&reading)
        );
    }

    #[tokio::test]
    async fn without_a_reset_the_wait_that_is_asked_for_is_the_reset() {
        let told = |reply: Reply| reply.header("X-RateLimit-Limit", "100").header("X-RateLimit-Remaining", "0");
        let server = Server::start(move |request| match request.time {
            1 => told(too_many("1")),
            _ => Listing::of(30).reply(request),
        })
        .await;
        assert_whole(&read_all(&server).await, 30, "after a second");
        assert_eq!(server.log().pages(), [1, 1]);
    }

    #[tokio::test]
    async fn a_limit_of_nothing_is_no_limit() {
        let server = Server::start(|request| Listing::of(230).reply(request).rate(0, 0, 3600)).await;
        assert_whole(&read_all(&server).await, 230, "a limit of 0");
    }

    #[tokio::test]
    async fn a_limit_of_one_is_one_a_window() {
        let server = Server::start(|request| Listing::of(230).reply(request).rate(1, 0, 0)).await;
        assert_whole(&read_all(&server).await, 230, "windows of one request");
        assert_eq!(server.log().peak, 1);
    }
}

mod inconsistent {
    use super::*;

    fn wrap(rows: &str, request: &Request, total: &str) -> Reply {
        Reply::json(Envelope::Seed.wrap(rows, request.page(), 100, total))
    }

    fn page_of(request: &Request, total: u64) -> String {
        rows(Listing::of(total).on_page(request.page(), 100))
    }

    #[tokio::test]
    async fn a_server_that_ignores_page_is_found_out() {
        for envelope in Envelope::ALL {
            let server =
                Server::start(move |request| Reply::json(envelope.wrap(&rows(0..100), request.page(), 100, "230"))).await;
            let reading = read_all(&server).await;
            assert_eq!(ids(&reading), numbered(0..100), "{envelope:?}");
            assert!(
                reading.summary.problems.iter().any(|problem| matches!(problem, Problem::IgnoresPage { .. })),
                "{envelope:?}: {}",
                words(&reading)
            );
            assert!(server.log().pages().len() <= 3, "{envelope:?}: it is asked once, not three times");
        }
    }

    #[tokio::test]
    async fn rows_that_move_are_read_again_until_they_rest() {
        // A row is inserted in front after page 1 was read, at the first try only: its last row comes again on page 2.
        let server = Server::start(|request| match (request.page(), request.time) {
            (page @ 2.., 1) => wrap(&rows((page - 1) * 100 - 1..(page * 100 - 1).min(230)), request, "230"),
            _ => wrap(&page_of(request, 230), request, "230"),
        })
        .await;
        assert_whole(&read_all(&server).await, 230, "at the second try");
        assert_eq!(server.log().pages().len(), 3 + 3 + 2);
    }

    #[tokio::test]
    async fn ids_that_keep_coming_twice_are_reported_after_three_tries() {
        let server = Server::start(|request| match request.page() {
            1 => wrap(&rows(0..100), request, "200"),
            _ => wrap(&rows(99..199), request, "200"),
        })
        .await;
        let reading = read_all(&server).await;
        assert_eq!(ids(&reading), numbered(0..199), "each id once");
        assert!(
            matches!(&reading.summary.problems[..], [Problem::RepeatedIds { count: 1, example }] if example.raw() == "w99"),
            "{}",
            words(&reading)
        );
        assert_eq!(server.log().pages().len(), 6);
    }

    #[tokio::test]
    async fn a_total_that_changes_is_read_again() {
        let server = Server::start(|request| match (request.page(), request.time) {
            (1, 1) => wrap(&rows(0..100), request, "229"),
            _ => wrap(&page_of(request, 230), request, "230"),
        })
        .await;
        assert_whole(&read_all(&server).await, 230, "at the second try");
        assert_eq!(server.log().pages().len(), 3 + 3 + 2);

        let restless = Server::start(|request| {
            let total = 230 + request.index;
            wrap(&page_of(request, 230), request, &total.to_string())
        })
        .await;
        let reading = read_all(&restless).await;
        assert_eq!(ids(&reading), numbered(0..230));
        assert!(matches!(reading.summary.problems[..], [Problem::TotalChanged { .. }]), "{}", words(&reading));
        assert_eq!(restless.log().pages().len(), 9);
    }

    #[tokio::test]
    async fn totals_that_are_no_counts_are_not_said() {
        for total in ["-1", r#""230""#, "null", "230.5", "18446744073709551616", "{}", "true"] {
            let server = Server::start(move |request| wrap(&page_of(request, 230), request, total)).await;
            assert_whole(&read_all(&server).await, 230, total);
        }
    }

    #[tokio::test]
    async fn a_row_that_slips_past_without_a_total_is_missed() {
        // The first row is deleted after page 1 was served: row 100 moves from page 2 to page 1.
        for envelope in [Envelope::NoMeta, Envelope::Bare, Envelope::StatusCode, Envelope::Workflow] {
            let server = Server::start(move |request| {
                let deleted = u64::from(request.index > 0);
                let numbers = Listing::of(150 - deleted).on_page(request.page(), 100);
                let numbers = numbers.start + deleted..numbers.end + deleted;
                Reply::json(envelope.wrap(&rows(numbers), request.page(), 100, &(150 - deleted).to_string()))
            })
            .await;
            assert_whole_from(&read_all(&server).await, 1, 150, &format!("{envelope:?}"));
        }
    }

    #[tokio::test]
    async fn what_keeps_changing_without_a_total_is_named() {
        let server = Server::start(|request| {
            let deleted = request.index as u64;
            let numbers = Listing::of(150).on_page(request.page(), 100);
            Reply::json(Envelope::Bare.wrap(&rows(numbers.start + deleted..numbers.end + deleted), 1, 100, ""))
        })
        .await;
        let reading = read_all(&server).await;
        assert!(matches!(reading.summary.problems[..], [Problem::PageChanged { .. }]), "{}", words(&reading));
        assert!(words(&reading).contains("the list changed while loading"), "{}", words(&reading));
    }

    #[tokio::test]
    async fn a_second_reading_that_fails_confirms_nothing() {
        let server = Server::start(|request| match (request.page(), request.time) {
            (1, 1) | (2.., _) => Listing::of(230).reply(request),
            _ => Reply::status("500 Internal Server Error", ""),
        })
        .await;
        let reading = read_all(&server).await;
        assert_eq!(ids(&reading), numbered(0..230));
        assert!(matches!(reading.summary.problems[..], [Problem::Unconfirmed { page: 1, .. }]), "{}", words(&reading));
    }

    #[tokio::test]
    async fn a_listing_that_never_ends_stops_at_a_bound() {
        let never_ends =
            |request: &Request| Reply::json(format!("[{}]", rows(request.page() * 100..request.page() * 100 + 100)));
        for (policy, name) in [
            (Policy { max_rows: 1_000, ..server::policy() }, "1,000 rows; network.max_rows"),
            (Policy { max_bytes: 100_000, ..server::policy() }, "100,000 bytes; network.max_bytes"),
        ] {
            let server = Server::start(never_ends).await;
            let reading = read_with(&server, policy, Scope::All, Limit::Everything).await.unwrap();
            assert!(words(&reading).contains(name), "{}", words(&reading));
            assert!(server.log().pages().len() < 40, "{:?}", server.log().pages());
        }
    }

    #[tokio::test]
    async fn rows_behind_the_limit_do_not_count() {
        let odd = r#"null,{"id":7,"url":"https://x"}"#;
        let server = Server::start(move |_| {
            Reply::json(Envelope::Seed.wrap(&format!("{},{odd},{}", rows(0..2), rows(0..1)), 1, 100, "5"))
        })
        .await;
        for (limit, malformed) in [(1, 0), (2, 0), (3, 1)] {
            let reading = read_with(&server, server::policy(), Scope::All, Limit::Rows(limit)).await.unwrap();
            assert_eq!((reading.rows.count(), reading.summary.malformed), (limit, malformed));
            assert_eq!(reading.summary.problems, [], "{limit}");
        }
    }

    #[tokio::test]
    async fn a_total_that_lies_loses_no_row() {
        for total in ["0", "10", "99", "150", "199", "229", "231", "1000", "100000", "18446744073709551615"] {
            let server = Server::start(move |request| wrap(&page_of(request, 230), request, total)).await;
            let reading = read_all(&server).await;
            assert_eq!(ids(&reading), numbered(0..230), "{total}");
            let claimed = total.parse().unwrap();
            assert_eq!(reading.summary.problems, [Problem::CountDiffers { claimed, sent: 230 }], "{total}");
            let pages = server.log().pages().len();
            assert!(pages <= 3 * 12, "{total}: {pages} requests");
        }
    }

    #[tokio::test]
    async fn a_number_of_pages_that_lies_is_reported() {
        for pages in ["4", "1000000000000", "18446744073709551615"] {
            let server = Server::start(move |request| {
                let rows = page_of(request, 230);
                let page = request.page();
                Reply::json(format!(r#"{{"data":[{rows}],"meta":{{"currentPage":{page},"totalPages":{pages}}}}}"#))
            })
            .await;
            let reading = read_all(&server).await;
            assert_eq!(ids(&reading), numbered(0..230), "{pages}");
            let claimed = pages.parse().unwrap();
            assert_eq!(reading.summary.problems, [Problem::PagesDiffer { claimed, sent: 3 }], "{pages}");
        }
    }

    #[tokio::test]
    async fn an_empty_page_in_the_middle_is_not_the_end() {
        let server = Server::start(|request| match (request.page(), request.time) {
            (2, 1) => wrap("", request, "430"),
            _ => wrap(&page_of(request, 430), request, "430"),
        })
        .await;
        assert_whole(&read_all(&server).await, 430, "filled at the second try");

        let empty = Server::start(|request| match request.page() {
            2 => wrap("", request, "430"),
            _ => wrap(&page_of(request, 430), request, "430"),
        })
        .await;
        let reading = read_all(&empty).await;
        assert_eq!(ids(&reading), numbered((0..100).chain(200..430)));
        assert_eq!(reading.summary.problems, [Problem::CountDiffers { claimed: 430, sent: 330 }]);
    }

    #[tokio::test]
    async fn a_second_try_that_fails_does_not_lose_the_first() {
        for status in ["500 Internal Server Error", "401 Unauthorized"] {
            for fails in [1, 2] {
                let server = Server::start(move |request| match request.time {
                    1 => wrap(&page_of(request, 230), request, "231"),
                    _ if request.page() >= fails => Reply::status(status, ""),
                    _ => wrap(&page_of(request, 230), request, "231"),
                })
                .await;
                let reading = read_all(&server).await;
                assert_eq!(ids(&reading), numbered(0..230), "{status} from page {fails}");
                let differs = Problem::CountDiffers { claimed: 231, sent: 230 };
                assert!(reading.summary.problems.contains(&differs), "{}", words(&reading));
            }
        }
    }

    #[tokio::test]
    async fn the_page_size_is_what_page_one_had() {
        // The server says 100 and gives 30: with a total, pages are counted by what came.
        let server = Server::start(|request| {
            let numbers = Listing::of(230).clamped(30).on_page(request.page(), 30);
            Reply::json(Envelope::Seed.wrap(&rows(numbers), request.page(), 100, "230"))
        })
        .await;
        assert_whole(&read_all(&server).await, 230, "pages of 30");
        assert_eq!(server.log().pages().len(), 8 + 2);
    }

    #[tokio::test]
    async fn a_broken_page_is_asked_for_again_and_the_rest_is_not() {
        let server = Server::start(|request| match (request.page(), request.time) {
            (2, 1) => Reply::json("[").declaring(100).ending(End::Reset),
            _ => Listing::of(430).reply(request),
        })
        .await;
        let mut retried = Vec::new();
        let reading = read_listing(&source(&server), server::policy(), EVERYTHING, |progress| {
            if let Progress::Retrying { number: page, attempt, of, error } = progress {
                retried.push((*page, *attempt, *of, error.kind));
            }
        })
        .await
        .unwrap();
        assert_whole(&reading, 430, "after a reset");
        assert_eq!(retried, [(2, 1, 3, ErrorKind::Network(Network::CutOff))]);
        let mut pages = server.log().pages();
        pages.sort_unstable();
        assert_eq!(pages, [1, 1, 2, 2, 3, 4, 5, 5]);
    }
    #[tokio::test]
    async fn one_reader_after_the_other_leaves_the_tenth_alone() {
        let server = Server::start(|request| {
            let left = 15_u64.saturating_sub(request.index as u64);
            let reply = if request.page() == 0 { Reply::not_found() } else { Listing::of(10_000).reply(request) };
            reply.rate(100, left, 3600)
        })
        .await;
        let source = source(&server);
        for _ in 0..3 {
            // The first one is stopped, the others do not even begin.
            drop(read_listing(&source, server::policy(), EVERYTHING, |_| {}).await);
        }
        let spent = server.log().requests().count();
        assert_eq!(spent, 6, "from 15 down to 10");
        let ids: Vec<_> = (0..20).map(|number| WebhookId::new(&format!("x{number}"))).collect();
        let read = read_webhooks(&source, server::policy(), &ids, |_| {}).await.unwrap();
        let is_spared = |result: &Result<OwnedRow, ApiError>| matches!(result, Err(error) if matches!(error.kind, ErrorKind::LimitNearlySpent { .. }));
        assert!(read.iter().all(is_spared), "{read:?}");
        assert_eq!(server.log().requests().count(), spent);
    }

    #[tokio::test]
    async fn readers_side_by_side_share_what_is_left() {
        let server = Server::start(|request| {
            let left = 30_u64.saturating_sub(request.index as u64);
            Listing::of(10_000).reply(request).rate(100, left, 3600)
        })
        .await;
        let source = source(&server);
        let read = || read_listing(&source, server::policy(), EVERYTHING, |_| {});
        drop(tokio::join!(read(), read(), read()));
        let spent = server.log().requests().count();
        assert!(
            (15..=24).contains(&spent),
            "{spent} requests, of which 20 may be spent, and two go out before anybody knows"
        );
    }
}
