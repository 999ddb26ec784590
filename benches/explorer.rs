//! What a key press costs inside the program: the state machine and the frame, with few and with many webhooks loaded. The
//! two must not differ: no work for a frame grows with the number of webhooks.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up cannot run")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use hookscope::api::Page;
use hookscope::base_url::BaseUrl;
use hookscope::clock::Moment;
use hookscope::config::Config;
use hookscope::fetch::{FetchEvent, PackedPage};
use hookscope::model::{Packer, Row};
use hookscope::redact::ApiKey;
use hookscope::tui::ansi::AnsiBackend;
use hookscope::tui::app::{App, Setup};
use hookscope::tui::message::Message;
use hookscope::tui::screen::Screen;
use serde_json::value::RawValue;

const PAGE_SIZE: u64 = 100;

fn json(number: u64) -> Box<RawValue> {
    let text = format!(
        r#"{{"id":"whk_{number:012}","url":"https://hooks.example.com/tenants/{number}/inbound","events":["call.completed","call.failed"],"is_active":true,"created_at":"2024-04-01T08:00:00.000Z"}}"#
    );
    RawValue::from_string(text).expect("this is JSON")
}

/// An explorer with so many webhooks loaded.
fn app(webhooks: u64) -> App {
    let now = Moment::now();
    let demo = Config::demo_connection(BaseUrl::default(), ApiKey::new("id:secret").expect("this is a key"));
    let setup = Setup { size: (120, 40), ..Setup::new(&Config::default(), &demo) };
    let mut app = App::new(setup, now);
    let generation = app.demand().generation;
    let mut packer = Packer::default();
    for number in 1..=webhooks.div_ceil(PAGE_SIZE) {
        let rows = (number - 1) * PAGE_SIZE..number * PAGE_SIZE;
        let rows = rows.map(|i| Row::decode(&json(i)).expect("this is a webhook")).collect();
        let page = Page { number, rows, reported: None, limit: Some(PAGE_SIZE), total: Some(webhooks), total_pages: None };
        let page = PackedPage::of_rows(&mut packer, page);
        app.update(Message::Fetch(FetchEvent::Loaded { generation, page }), now);
    }
    app
}

fn keys(criterion: &mut Criterion) {
    for webhooks in [100, 100_000] {
        let mut app = app(webhooks);
        let mut screen = Screen::new(AnsiBackend::new(std::io::sink()), app.size);
        let keys = [KeyCode::Char('j'), KeyCode::Char('k')].map(|code| KeyEvent::new(code, KeyModifiers::NONE));
        let mut turn = keys.into_iter().cycle();
        criterion.bench_function(&format!("key to frame, {webhooks} webhooks"), |bencher| {
            bencher.iter(|| {
                if let Some(key) = turn.next() {
                    black_box(app.update(Message::Key(key), Moment::now()));
                    screen.draw(&app).expect("a sink takes everything");
                }
            });
        });
    }
}

fn rows(criterion: &mut Criterion) {
    let page: Vec<_> = (0..PAGE_SIZE).map(json).collect();
    criterion.bench_function("decode the rows of a page", |bencher| {
        bencher.iter(|| {
            for row in &page {
                black_box(Row::decode(row).expect("this is a webhook"));
            }
        });
    });
}

criterion_group!(benches, keys, rows);
criterion_main!(benches);
