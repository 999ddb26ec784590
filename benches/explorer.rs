//! Benchmarks of the explorer's own work: parsing and storing pages, filtering and sorting a million webhooks, and a key
//! press with few and with many webhooks. The last two must take the same time: no work per frame grows with the number of
//! webhooks.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up cannot run")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use hookscope::analysis::filter_sort::FilterSortRequest;
use hookscope::analysis::query::Query;
use hookscope::analysis::sort::{SORT_KEYS, Sort};
use hookscope::api::{Page, PageNumbers};
use hookscope::base::base_url::BaseUrl;
use hookscope::base::clock::Moment;
use hookscope::base::redact::ApiKey;
use hookscope::config::Config;
use hookscope::fetch::{FetchEvent, Generation};
use hookscope::model::{Interner, PageBuilder, RowPage, Rows};
use hookscope::tui::app::{App, Setup};
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::session::listing::Listing;
use hookscope::tui::terminal::screen::Screen;
use hookscope::tui::view;
use hookscope::tui::workers::RowsRequest;

const PAGE_SIZE: u64 = 100;
const MILLION: u64 = 1_000_000;

/// A repeatable pseudo-random number.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

fn pick<'a>(words: &[&'a str], chance: u64) -> &'a str {
    let place = usize::try_from(chance).unwrap_or_default() % words.len();
    words.get(place).copied().unwrap_or_default()
}

/// The JSON of a webhook that looks like those of a real workspace.
fn json(number: u64) -> String {
    let chance = mixed(number);
    let host =
        pick(&["hooks.acme", "api.globex", "webhooks.initech", "events.hooli", "n8n.cyberdyne", "relay.tyrell"], chance);
    let domain = pick(&["example.com", "example.net", "example.org", "test"], chance >> 8);
    let path =
        pick(&["webhooks", "v1/events", "hooks/in", "api/callbacks/orders", "integrations/crm/webhook", "t"], chance >> 12);
    let names =
        ["call.completed", "call.failed", "call.no_answer", "campaign.completed", "campaign.paused", "call_initiated"];
    let mut events = String::new();
    for place in 0..=(chance >> 44) % 4 {
        let _never_fails =
            write!(events, "{}\"{}\"", if place > 0 { "," } else { "" }, pick(&names, (chance >> 50) + place));
    }
    let (day, active) = (1 + (chance >> 20) % 28, number % 5 != 2);
    format!(
        r#"{{"id":"whk_{:016x}{:04x}","url":"https://{host}.{domain}/{path}/{:x}","events":[{events}],"is_active":{active},"created_at":"2024-04-{day:02}T08:00:00.000Z"}}"#,
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15),
        chance & 0xFFFF,
        chance >> 40,
    )
}

/// Webhooks as a page, as if it had been received.
fn packed(interner: &Interner, webhooks: &[String]) -> Arc<RowPage> {
    let mut page = PageBuilder::new(interner);
    for json in webhooks {
        page.push(serde_json::from_str(json).expect("this is JSON")).expect("this is not deep");
    }
    page.finish()
}

/// Pages with this many webhooks in total.
fn pages(webhooks: u64) -> Vec<Page> {
    let interner = Interner::default();
    let page = |number: u64| {
        let rows = (number - 1) * PAGE_SIZE..(number * PAGE_SIZE).min(webhooks);
        let rows = packed(&interner, &rows.map(json).collect::<Vec<_>>());
        let (limit, total) = (Some(PAGE_SIZE), Some(webhooks));
        let numbers = PageNumbers { number, rows: rows.len() as u64, limit, total, ..PageNumbers::default() };
        Page { numbers, rows }
    };
    (1..=webhooks.div_ceil(PAGE_SIZE)).map(page).collect()
}

fn rows(pages: &[Page]) -> Rows {
    let mut rows = Rows::new(PAGE_SIZE);
    for page in pages {
        rows.put(page.numbers.number, Arc::clone(&page.rows).into());
    }
    rows
}

/// An explorer with these webhooks loaded.
fn app(pages: &[Page], size: (u16, u16)) -> App {
    let now = Moment::now();
    let demo = Config::demo_connection(BaseUrl::default(), ApiKey::new("id:secret").expect("this is a key"));
    let setup = Setup { size, ..Setup::new(&Config::default(), &demo) };
    let mut app = App::new(setup, now);
    let generation = app.session.demand().generation;
    for page in pages {
        app.update(Message::Fetch(FetchEvent::Loaded { generation, page: page.clone() }), now);
    }
    // Without this, the explorer waits for the end of the load and does less per key.
    let generation = app.session.demand().generation;
    app.update(Message::Fetch(FetchEvent::Swept { generation, problems: Vec::new() }), now);
    assert!(!app.session.is_loading(), "every row is here");
    app
}

fn press(key: char) -> Message {
    Message::Key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE))
}

fn decoding(criterion: &mut Criterion) {
    let page: Vec<String> = (0..PAGE_SIZE).map(json).collect();
    criterion.bench_function("decode and pack a page", |bencher| {
        bencher.iter_batched(Interner::default, |interner| black_box(packed(&interner, &page)), BatchSize::SmallInput);
    });
}

fn inserting(criterion: &mut Criterion) {
    let pages = pages(MILLION);
    criterion.bench_function("insert 10,000 pages", |bencher| {
        bencher.iter_batched(
            || (Listing::new(Generation::default(), 100), pages.clone()),
            |(mut listing, pages)| {
                for page in pages {
                    listing.load(page);
                }
                listing
            },
            BatchSize::PerIteration,
        );
    });
}

fn request(rows: &Rows, text: &str) -> FilterSortRequest {
    let query = Query::parse(text, Moment::now().wall).expect("this is a query");
    FilterSortRequest { rows: rows.clone(), query, ..FilterSortRequest::default() }
}

fn filtering(criterion: &mut Criterion) {
    let rows = rows(&pages(MILLION));
    let terms = [
        "e",
        "q",
        "a",
        "ac",
        "acme",
        "hooks",
        "zq",
        "crm/webhook",
        "Acme",
        "-acme",
        "acme|hooli",
        "host:acme",
        "url:/crm/",
        "id:whk_9e37",
        "event:call.failed",
        "active:no",
        "created:<2024-04-10",
        r"re:/v\d/.*f$",
        "~acmcrm",
        "~hook",
        "acme crm active:yes",
    ];
    for term in terms {
        let request = request(&rows, term);
        criterion.bench_function(&format!("filter 1,000,000: {term}"), |bencher| {
            bencher.iter(|| request.run(&|| true, &mut |_| {}));
        });
    }
}

fn sorting(criterion: &mut Criterion) {
    let rows = rows(&pages(MILLION));
    for entry in SORT_KEYS {
        let sort = Some(Sort { key: entry.key, descending: false });
        let request = FilterSortRequest { sort, ..request(&rows, "") };
        criterion.bench_function(&format!("sort 1,000,000 by {}", entry.name), |bencher| {
            bencher.iter(|| request.run(&|| true, &mut |_| {}));
        });
    }
}

fn frames(criterion: &mut Criterion) {
    for webhooks in [100, 100_000, MILLION] {
        let mut app = app(&pages(webhooks), (200, 60));
        let mut screen = Screen::new(app.ui.size);
        criterion.bench_function(&format!("draw a frame of 200x60, {webhooks} webhooks"), |bencher| {
            bencher.iter(|| {
                screen.reset(app.ui.size);
                black_box(screen.draw(app.settings.glyphs, |canvas| view::draw(&app, canvas)));
            });
        });
        let mut turn = ['j', 'k'].into_iter().cycle();
        criterion.bench_function(&format!("a key from end to end, {webhooks} webhooks"), |bencher| {
            bencher.iter(|| {
                if let Some(key) = turn.next() {
                    black_box(app.update(press(key), Moment::now()));
                    black_box(screen.draw(app.settings.glyphs, |canvas| view::draw(&app, canvas)));
                }
            });
        });
        // The loop's work for a typed letter, before the filter thread starts.
        app.update(press('/'), Moment::now());
        let mut turn = ['a', 'b'].into_iter().cycle();
        criterion.bench_function(&format!("a letter of a filter on screen, {webhooks} webhooks"), |bencher| {
            bencher.iter(|| {
                if let Some(key) = turn.next() {
                    let wish: Option<RowsRequest> =
                        app.update(press(key), Moment::now()).into_iter().find_map(|effect| match effect {
                            Effect::FilterSort(wish) => Some(wish),
                            _ => None,
                        });
                    black_box(wish.expect("a letter asks for other rows"));
                    black_box(screen.draw(app.settings.glyphs, |canvas| view::draw(&app, canvas)));
                    app.update(Message::Key(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE)), Moment::now());
                }
            });
        });
    }
}

fn settings() -> Criterion {
    Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = settings(); targets = decoding, inserting, filtering, sorting, frames }
criterion_main!(benches);
