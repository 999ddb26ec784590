//! Draws the picture of the README: a frame of the explorer on the demo workspace, as SVG on stdout.
//!
//! ```text
//! cargo run --release --example picture > docs/tour.svg
//! ```

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use hookscope::analysis::audit::Auditor;
use hookscope::api::{Client, PageRequest};
use hookscope::base_url::BaseUrl;
use hookscope::clock::Moment;
use hookscope::config::Config;
use hookscope::demo::{self, server::Server};
use hookscope::fetch::{FetchEvent, PackedPage};
use hookscope::model::{Packer, Scope};
use hookscope::redact::ApiKey;
use hookscope::tui::app::{App, Setup};
use hookscope::tui::canvas::Canvas;
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::view;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

const WIDTH: u16 = 112;
const HEIGHT: u16 = 26;
/// Of one cell, in the units of the picture.
const CELL: (f32, f32) = (8.4, 18.0);
const BACKGROUND: &str = "#16181d";
const FOREGROUND: &str = "#d7dae0";
/// Any free port would do; the same one each time makes the same picture.
const PORT: u16 = 41_800;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start(demo::Options { port: PORT, ..demo::Options::default() }).await?;
    let base_url = BaseUrl::parse(&server.base_url())?;
    let connection = Config::demo_connection(base_url, ApiKey::new(demo::KEY)?);
    let client = Client::new(&connection.api)?;
    let now = Moment { instant: tokio::time::Instant::now(), wall: "2026-11-16T03:12:44Z".parse()? };
    let setup = Setup { size: (WIDTH, HEIGHT), ..Setup::new(&Config::default(), &connection) };
    let mut app = App::new(setup, now);
    let request = PageRequest { number: 1, limit: connection.policy.page_size, scope: Scope::All };
    let page = client.list(request).await.map_err(|failure| failure.error)?.value;
    let generation = app.demand().generation;
    let page = PackedPage::of_rows(&Packer::default(), page);
    let mut effects = app.update(Message::Fetch(FetchEvent::Loaded { generation, page }), now);
    while let Some(Effect::Judge(case)) = effects.iter().rev().find(|effect| matches!(effect, Effect::Judge(_))) {
        let Some(judged) = case.judge(&mut Auditor::default(), &|| true) else { break };
        effects = app.update(Message::Judged(Box::new(judged)), now);
    }
    let down = KeyEvent::new(KeyCode::Char('j'), KeyModifiers::NONE);
    for number in 1..=5 {
        // No key is held.
        let now = Moment { instant: now.instant + Duration::from_secs(number), ..now };
        app.update(Message::Key(down), now);
    }
    let mut buffer = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
    view::draw(&app, &mut Canvas::new(&mut buffer, app.setup.glyphs));
    std::io::stdout().write_all(svg(&buffer)?.as_bytes())?;
    Ok(())
}

fn svg(buffer: &Buffer) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    let (width, height) = (f32::from(WIDTH) * CELL.0 + 16.0, f32::from(HEIGHT) * CELL.1 + 16.0);
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">"#
    )?;
    writeln!(out, r#"<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>"#)?;
    for (row, cells) in (0_u16..).zip(buffer.content().chunks(usize::from(WIDTH))) {
        let mut column = 0;
        for run in cells.chunk_by(|a, b| (a.fg, a.modifier) == (b.fg, b.modifier)) {
            write_run(&mut out, run, column, row)?;
            column += u16::try_from(run.len()).unwrap_or(0);
        }
    }
    out.push_str("</svg>\n");
    Ok(out)
}

/// Cells of one style in one line.
fn write_run(out: &mut String, run: &[Cell], column: u16, row: u16) -> std::fmt::Result {
    let Some(first) = run.first() else { return Ok(()) };
    let reversed = first.modifier.contains(Modifier::REVERSED);
    let (x, y) = (8.0 + f32::from(column) * CELL.0, 8.0 + f32::from(row) * CELL.1);
    let width = f32::from(u16::try_from(run.len()).unwrap_or(0)) * CELL.0;
    let colour = colour(first.fg);
    if reversed {
        writeln!(out, r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{}" fill="{colour}"/>"#, CELL.1)?;
    }
    let text: String = run.iter().map(Cell::symbol).collect();
    if text.trim().is_empty() {
        return Ok(());
    }
    let fill = if reversed { BACKGROUND } else { colour };
    let weight = if first.modifier.contains(Modifier::BOLD) { r#" font-weight="bold""# } else { "" };
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    writeln!(
        out,
        r#"<text x="{x:.1}" y="{:.1}" fill="{fill}"{weight} textLength="{width:.1}" lengthAdjust="spacingAndGlyphs" xml:space="preserve">{text}</text>"#,
        y + 13.5
    )
}

fn colour(colour: Color) -> &'static str {
    match colour {
        Color::Cyan => "#56b6c2",
        Color::Green => "#8cc265",
        Color::Yellow => "#d8a657",
        Color::Red => "#e06c75",
        Color::DarkGray => "#7f8694",
        _ => FOREGROUND,
    }
}
