//! The background task of the explorer: what it asks for, what it leaves, and when it stops.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hookscope::api::{ApiError, Client, ErrorKind, Nonsense};
use hookscope::fetch::{Demand, FetchEvent, Generation, Policy, Source, spawn};
use hookscope::model::{Interner, Scope};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::server::{self, Envelope, Listing, Reply, Server, gate, rows};

/// Long enough for any event to happen that will happen at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// The explorer's side of the task.
struct Explorer {
    demand: watch::Sender<Demand>,
    events: mpsc::Receiver<FetchEvent>,
    task: JoinHandle<()>,
}

impl Explorer {
    fn new(server: &Server, wish: Demand) -> Self {
        Self::patient(server, server::policy(), wish)
    }

    fn patient(server: &Server, policy: Policy, wish: Demand) -> Self {
        let settings = server::settings(&server.base_url());
        Self::connecting(move || Client::new(&settings), policy, wish)
    }

    fn connecting(
        connect: impl FnOnce() -> Result<Client, ApiError> + Send + 'static,
        policy: Policy,
        wish: Demand,
    ) -> Self {
        let (demand, receiver) = watch::channel(wish);
        let (events, task) = spawn(move || Ok(Source::from(Arc::new(connect()?))), policy, receiver, Interner::default());
        Self { demand, events, task }
    }

    fn want(&self, wish: Demand) {
        self.demand.send_replace(wish);
    }

    #[expect(clippy::unwrap_used, reason = "a helper of tests")]
    async fn event(&mut self) -> FetchEvent {
        tokio::time::timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap()
    }

    /// The next page that comes, and the generation it came for.
    async fn loaded(&mut self) -> (u64, Generation) {
        loop {
            if let FetchEvent::Loaded { generation, page } = self.event().await {
                return (page.numbers.number, generation);
            }
        }
    }

    async fn failed(&mut self) -> (u64, ErrorKind) {
        loop {
            if let FetchEvent::Failed { page, error, .. } = self.event().await {
                return (page, error.kind);
            }
        }
    }

    #[expect(clippy::unwrap_used, reason = "a helper of tests")]
    async fn ended(self) {
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }
}

fn pages(pages: &[u64]) -> Demand {
    Demand { pages: pages.to_vec(), ..Demand::default() }
}

fn everything(first: &[u64]) -> Demand {
    Demand { everything: true, ..pages(first) }
}

fn later(wish: Demand) -> Demand {
    Demand { generation: wish.generation.next(), ..wish }
}

/// Lets every other task do what it can do.
async fn let_others_work() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn page_one_goes_first_and_alone_then_what_is_visible_then_the_rest() {
    let barrier = gate();
    let held = Arc::clone(&barrier);
    let server = Server::start(move |request| {
        let reply = Listing::of(10_000).reply(request);
        if request.page() == 1 { reply } else { reply.behind(&held) }
    })
    .await;
    let mut explorer = Explorer::new(&server, everything(&[40, 41]));
    server.until(|log| log.pages().len() == 4).await;
    assert_eq!(server.log().pages(), [1, 40, 41, 2]);
    assert_eq!(server.log().asked_before_answer(1), 1);
    // A page that becomes visible overtakes the rest.
    explorer.want(everything(&[90]));
    let_others_work().await;
    barrier.add_permits(1);
    server.until(|log| log.pages().len() == 6).await;
    assert_eq!(server.log().pages()[4..], [90, 3]);
    barrier.add_permits(98);
    let mut seen = BTreeSet::new();
    while seen.len() < 100 {
        assert!(seen.insert(explorer.loaded().await.0));
    }
    assert!(server.log().pages().len() <= 102, "and what confirms them");
    assert_eq!(server.log().peak, server::policy().max_concurrency);
}

#[tokio::test]
async fn everything_is_read_to_its_end_in_every_envelope() {
    for envelope in Envelope::ALL {
        for rows in [0, 99, 100, 230, 300] {
            let listing = Listing { envelope, ..Listing::of(rows) };
            let server = Server::start(move |request| listing.reply(request)).await;
            let mut explorer = Explorer::new(&server, everything(&[1]));
            let mut seen = BTreeSet::new();
            while seen.len() < usize::try_from(rows.div_ceil(100).max(1)).unwrap() {
                let (page, _) = explorer.loaded().await;
                // Without a total, a page or a few beyond the end are asked for.
                if page == 1 || (page - 1) * 100 < rows {
                    assert!(seen.insert(page), "{listing:?}: page {page} came twice");
                }
            }
            let_others_work().await;
            assert!(server.log().pages().len() <= (seen.len() + 5) * 2, "{listing:?}: {:?}", server.log().pages());
        }
    }
}

#[tokio::test]
async fn what_scrolled_away_is_not_fetched() {
    let barrier = gate();
    let held = Arc::clone(&barrier);
    let server = Server::start(move |request| {
        let reply = Listing::of(10_000).reply(request);
        if matches!(request.page(), 10..=13) { reply.behind(&held) } else { reply }
    })
    .await;
    let policy = Policy { max_concurrency: 2, ..server::policy() };
    let mut explorer = Explorer::patient(&server, policy, pages(&[1]));
    assert_eq!(explorer.loaded().await.0, 1);
    explorer.want(pages(&[10, 11, 12, 13]));
    server.until(|log| log.pages().len() == 3).await;
    explorer.want(pages(&[12, 50, 51]));
    // The requests under way are dropped: the server sees their connections close.
    server.until(|log| log.hung_up().len() == 2).await;
    server.until(|log| log.pages().ends_with(&[12, 50])).await;
    explorer.want(pages(&[50, 51]));
    let mut seen = [explorer.loaded().await.0, explorer.loaded().await.0];
    seen.sort_unstable();
    assert_eq!(seen, [50, 51]);
    let_others_work().await;
    assert_eq!(server.log().pages(), [1, 10, 11, 12, 50, 51]);
    // What was dropped is fetched when it is wanted again.
    barrier.add_permits(1);
    explorer.want(pages(&[10]));
    assert_eq!(explorer.loaded().await.0, 10);
}

#[tokio::test]
async fn a_page_is_fetched_once_a_generation() {
    let server = Server::start(|request| Listing::of(10_000).reply(request)).await;
    let wish = pages(&[1, 2]);
    let mut explorer = Explorer::new(&server, wish.clone());
    assert_eq!(explorer.loaded().await, (1, wish.generation));
    assert_eq!(explorer.loaded().await, (2, wish.generation));
    explorer.want(pages(&[2, 1]));
    let_others_work().await;
    assert_eq!(server.log().pages(), [1, 2]);
    let refresh = later(wish);
    explorer.want(refresh.clone());
    let mut seen = [explorer.loaded().await, explorer.loaded().await];
    seen.sort_unstable();
    assert_eq!(seen, [(1, refresh.generation), (2, refresh.generation)]);
}

#[tokio::test]
async fn an_older_generation_is_dropped() {
    let barrier = gate();
    let held = Arc::clone(&barrier);
    let server = Server::start(move |request| {
        let reply = Listing::of(10_000).reply(request);
        if request.time == 1 { reply.behind(&held) } else { reply }
    })
    .await;
    let wish = pages(&[1]);
    let mut explorer = Explorer::new(&server, wish.clone());
    server.until(|log| log.pages().len() == 1).await;
    let refresh = later(wish);
    explorer.want(refresh.clone());
    server.until(|log| log.hung_up() == [1]).await;
    assert_eq!(explorer.loaded().await, (1, refresh.generation));
}

#[tokio::test]
async fn another_scope_asks_anew_from_page_one() {
    let server = Server::start(|request| Listing::of(10_000).reply(request)).await;
    let wish = pages(&[1, 7]);
    let mut explorer = Explorer::new(&server, wish.clone());
    explorer.loaded().await;
    explorer.loaded().await;
    let scoped = Demand { scope: Scope::Active, ..later(wish) };
    explorer.want(scoped.clone());
    assert_eq!(explorer.loaded().await, (1, scoped.generation), "page 1 goes alone again: its size may be another");
    assert_eq!(explorer.loaded().await, (7, scoped.generation));
    let log = server.log();
    let asked: Vec<_> = log.requests().map(|request| request.query("is_active")).collect();
    assert_eq!(asked, [None, None, Some("true".to_owned()), Some("true".to_owned())]);
}

#[tokio::test]
async fn a_refusal_stops_everything_until_the_next_generation() {
    for (status, kind) in [("401 Unauthorized", ErrorKind::Unauthorized), ("403 Forbidden", ErrorKind::Forbidden)] {
        let server = Server::start(move |request| match request.index {
            0 => Reply::status(status, ""),
            _ => Listing::of(300).reply(request),
        })
        .await;
        let mut explorer = Explorer::new(&server, everything(&[1]));
        assert_eq!(explorer.failed().await, (1, kind));
        explorer.want(everything(&[2, 3]));
        let_others_work().await;
        assert_eq!(server.log().pages(), [1]);
        let retry = later(everything(&[1]));
        explorer.want(retry.clone());
        for _ in 0..3 {
            assert_eq!(explorer.loaded().await.1, retry.generation);
        }
    }
}

#[tokio::test]
async fn a_page_that_fails_is_tried_again_then_given_up_then_asked_for_anew() {
    let server = Server::start(|request| match (request.page(), request.time) {
        (2, 1..=3) => Reply::status("500 Internal Server Error", ""),
        _ => Listing::of(300).reply(request),
    })
    .await;
    let wish = pages(&[1, 2]);
    let mut explorer = Explorer::new(&server, wish.clone());
    explorer.loaded().await;
    let mut retries = Vec::new();
    loop {
        match explorer.event().await {
            FetchEvent::Retrying { page, attempt, of, .. } => retries.push((page, attempt, of)),
            FetchEvent::Failed { page, error, .. } => break assert_eq!((page, error.kind), (2, ErrorKind::Status(500))),
            FetchEvent::Started { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(retries, [(2, 1, 3), (2, 2, 3)]);
    explorer.want(pages(&[2, 3]));
    assert_eq!(explorer.loaded().await.0, 3, "what failed for good is left alone");
    explorer.want(later(pages(&[2])));
    assert_eq!(explorer.loaded().await.0, 2);
}

#[tokio::test]
async fn a_pause_is_reported_and_then_it_goes_on() {
    let server = Server::start(|request| match request.index {
        0 => Reply::status("429 Too Many Requests", ""),
        _ => Listing::of(300).reply(request),
    })
    .await;
    let mut explorer = Explorer::new(&server, pages(&[1]));
    assert!(matches!(explorer.event().await, FetchEvent::Started { page: 1, .. }));
    assert!(matches!(explorer.event().await, FetchEvent::Paused { .. }));
    assert_eq!(explorer.loaded().await.0, 1);
}

#[tokio::test]
async fn a_person_who_asks_again_ends_a_pause() {
    let server = Server::start(|request| match request.index {
        0 => Reply::status("429 Too Many Requests", "").header("Retry-After", "59"),
        _ => Listing::of(300).reply(request),
    })
    .await;
    let wish = pages(&[1]);
    let mut explorer = Explorer::new(&server, wish.clone());
    explorer.event().await;
    assert!(matches!(explorer.event().await, FetchEvent::Paused { .. }));
    explorer.want(pages(&[1, 2]));
    let_others_work().await;
    assert_eq!(server.log().pages(), [1], "scrolling does not end it");
    explorer.want(later(wish));
    assert_eq!(explorer.loaded().await.0, 1);
}

#[tokio::test]
async fn what_scrolled_away_was_spent_all_the_same() {
    let barrier = gate();
    let held = Arc::clone(&barrier);
    // Two more requests may be sent after page 1, until the tenth is reached.
    let server = Server::start(move |request| {
        let left = 4_u64.saturating_sub(request.index as u64);
        let reply = Listing::of(10_000).reply(request).rate(20, left, 3600);
        if request.page() == 1 { reply } else { reply.behind(&held) }
    })
    .await;
    let mut explorer = Explorer::new(&server, pages(&[1]));
    explorer.loaded().await;
    explorer.want(pages(&[10, 11, 12]));
    server.until(|log| log.pages().len() == 3).await;
    explorer.want(pages(&[20, 21]));
    let (page, error) = explorer.failed().await;
    assert!(page == 20 && matches!(error, ErrorKind::LimitNearlySpent { resets_in: Some(_) }), "{page}: {error:?}");
    let_others_work().await;
    assert_eq!(server.log().pages(), [1, 10, 11]);
}

#[tokio::test]
async fn a_client_that_cannot_start_is_reported_each_time_it_is_asked() {
    let connect = || Err(ApiError::new(ErrorKind::Setup));
    let mut explorer = Explorer::connecting(connect, server::policy(), pages(&[1]));
    assert_eq!(explorer.failed().await, (1, ErrorKind::Setup));
    explorer.want(later(pages(&[1])));
    assert_eq!(explorer.failed().await, (1, ErrorKind::Setup));
    explorer.want(later(later(everything(&[]))));
    assert_eq!(explorer.failed().await, (1, ErrorKind::Setup));
}

#[tokio::test]
async fn an_explorer_that_reads_slowly_loses_nothing() {
    let server = Server::start(|request| Listing::of(20_000).clamped(100).reply(request)).await;
    let mut explorer = Explorer::new(&server, everything(&[1]));
    // More events than may wait.
    server.until(|log| log.pages().len() >= 32).await;
    let_others_work().await;
    let asked = server.log().pages().len();
    assert!(asked < 100, "{asked} pages were asked for ahead of a reader who does not read");
    let mut seen = BTreeSet::new();
    while seen.len() < 200 {
        assert!(seen.insert(explorer.loaded().await.0));
    }
}

mod ends {
    use super::*;

    async fn hanging() -> (Server, Explorer) {
        let barrier = gate();
        let server = Server::start(move |request| Listing::of(300).reply(request).behind(&barrier)).await;
        let explorer = Explorer::new(&server, pages(&[1]));
        server.until(|log| log.pages() == [1]).await;
        (server, explorer)
    }

    #[tokio::test]
    async fn with_its_reader() {
        let (server, mut explorer) = hanging().await;
        explorer.events = mpsc::channel(1).1;
        server.until(|log| log.hung_up() == [1]).await;
        explorer.ended().await;

        let server = Server::start(|request| Listing::of(300).reply(request)).await;
        let mut idle = Explorer::new(&server, pages(&[1]));
        idle.loaded().await;
        idle.events = mpsc::channel(1).1;
        idle.ended().await;

        let connect = || Err(ApiError::new(ErrorKind::Setup));
        let mut broken = Explorer::connecting(connect, server::policy(), pages(&[1]));
        broken.failed().await;
        broken.events = mpsc::channel(1).1;
        broken.ended().await;
    }

    #[tokio::test]
    async fn with_those_who_demand() {
        let (server, mut explorer) = hanging().await;
        explorer.demand = watch::channel(Demand::default()).0;
        server.until(|log| log.hung_up() == [1]).await;
        explorer.ended().await;
    }
}

mod everything_ends {
    use super::*;

    /// Reads until the task says that nothing is left, or fails.
    async fn to_the_end(explorer: &mut Explorer) -> Vec<FetchEvent> {
        let mut events = Vec::new();
        loop {
            let event = explorer.event().await;
            let end = matches!(event, FetchEvent::Swept { .. });
            events.push(event);
            if end {
                return events;
            }
        }
    }

    fn rows_of(events: &[FetchEvent]) -> usize {
        let rows = |event: &FetchEvent| match event {
            FetchEvent::Loaded { page, .. } => page.rows.len(),
            _ => 0,
        };
        events.iter().map(rows).sum()
    }

    #[tokio::test]
    async fn a_server_that_ignores_page_is_not_asked_for_ever() {
        for total in ["100000", "null"] {
            let server =
                Server::start(move |request| Reply::json(Envelope::Seed.wrap(&rows(0..100), request.page(), 100, total)))
                    .await;
            let mut explorer = Explorer::new(&server, everything(&[]));
            let events = to_the_end(&mut explorer).await;
            let refused = |event: &FetchEvent| matches!(event, FetchEvent::Failed { error, .. } if error.kind == ErrorKind::Nonsense(Nonsense::SamePage));
            assert!(events.iter().any(refused), "{events:?}");
            assert_eq!(rows_of(&events), 100, "no row is shown twice");
            assert!(server.log().pages().len() <= 10, "{:?}", server.log().pages());
        }
    }

    #[tokio::test]
    async fn a_total_that_claims_too_much_ends_in_a_few_empty_pages() {
        let server = Server::start(|request| {
            let first = (request.page() - 1) * 100;
            let part = rows(first.min(250)..(first + 100).min(250));
            Reply::json(Envelope::Seed.wrap(&part, request.page(), 100, "1000000"))
        })
        .await;
        let mut explorer = Explorer::new(&server, everything(&[]));
        assert_eq!(rows_of(&to_the_end(&mut explorer).await), 250);
        assert!(server.log().pages().len() < 30, "{:?}", server.log().pages().len());
    }

    #[tokio::test]
    async fn a_listing_that_was_read_says_so_once() {
        let server = Server::start(|request| Listing::of(230).reply(request)).await;
        let mut explorer = Explorer::new(&server, everything(&[]));
        assert_eq!(rows_of(&to_the_end(&mut explorer).await), 230);
        explorer.want(later(everything(&[])));
        assert_eq!(rows_of(&to_the_end(&mut explorer).await), 230);
    }

    #[tokio::test]
    async fn after_a_refusal_every_page_that_is_wanted_is_refused_without_asking() {
        let server = Server::start(|request| match request.index {
            0 => Listing::of(500).reply(request),
            _ => Reply::status("401 Unauthorized", "{}"),
        })
        .await;
        let mut explorer = Explorer::new(&server, pages(&[1]));
        explorer.loaded().await;
        let refresh = later(pages(&[1]));
        explorer.want(refresh.clone());
        assert_eq!(explorer.failed().await, (1, ErrorKind::Unauthorized));
        explorer.want(Demand { pages: vec![4], ..refresh });
        assert_eq!(explorer.failed().await, (4, ErrorKind::Unauthorized));
        assert_eq!(server.log().pages(), [1, 1]);
    }
}

#[tokio::test]
async fn a_listing_that_grew_by_a_page_is_no_server_that_repeats_itself() {
    let grown = Arc::new(AtomicBool::new(false));
    let has_grown = Arc::clone(&grown);
    let server = Server::start(move |request| {
        let number = request.page() - u64::from(has_grown.load(Ordering::Relaxed));
        let start = 1_000 + number * 100;
        let rows = rows(start..start + 100);
        Reply::json(format!(r#"{{"data":[{rows}],"meta":{{"page":{},"limit":100,"total":300}}}}"#, request.page()))
    })
    .await;
    let mut explorer = Explorer::new(&server, pages(&[1, 2]));
    assert_eq!((explorer.loaded().await.0, explorer.loaded().await.0), (1, 2));
    grown.store(true, Ordering::Relaxed);
    explorer.want(later(pages(&[2])));
    assert_eq!(explorer.loaded().await.0, 2, "what was page 1 is page 2 now");
}

#[tokio::test]
async fn pages_that_are_longer_each_time_are_not_asked_for_for_ever() {
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let server = Server::start(move |_| {
        let rows = rows(0..10 + count.fetch_add(1, Ordering::Relaxed));
        Reply::json(format!(r#"{{"data":[{rows}],"meta":{{"page":1,"limit":100,"total":300}}}}"#))
    })
    .await;
    let mut wish = pages(&[1]);
    let mut explorer = Explorer::new(&server, wish.clone());
    for _ in 0..20 {
        match explorer.event().await {
            FetchEvent::Failed { error, .. } => {
                assert_eq!(error.kind, ErrorKind::Nonsense(Nonsense::Unsteady));
                return;
            }
            // The explorer asks for everything anew.
            FetchEvent::Loaded { .. } => {
                wish = later(wish);
                explorer.want(wish.clone());
            }
            _ => {}
        }
    }
    panic!("it goes on and on");
}
