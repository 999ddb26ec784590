//! The stories behind the pictures: keys, passing time, and an API that goes down.

use std::time::Duration;

use hookscope::config;
use hookscope::demo::{self, DemoOptions, DemoServer};
use hookscope::tui::app::Setup;
use hookscope::tui::theme::Theme;
use reqwest::header::AUTHORIZATION;

use super::gateway::{Gateway, client};
use super::stage::Stage;
use super::svg::{self, DARK, LIGHT, Shot};
use super::{Picture, Result};

/// The filter typed in the tour.
const TYPED: [&str; 15] = ["c", "r", "m", "space", "c", "a", "l", "l", ".", "f", "a", "i", "l", "e", "d"];
/// The time between two letters, in milliseconds.
const LETTER: u32 = 130;

/// A still picture, and the keys that lead to it from the previous one.
struct View {
    name: &'static str,
    title: &'static str,
    keys: &'static str,
}

const VIEWS: [View; 7] = [
    View { name: "webhooks.svg", title: "The list of webhooks, and the detail of one", keys: "j j j j j" },
    View { name: "detail.svg", title: "A webhook as JSON", keys: "k k enter v" },
    View { name: "help.svg", title: "The keys of the explorer", keys: "v esc ?" },
    View { name: "hosts.svg", title: "Destinations by host", keys: "esc 2 j j j enter" },
    View { name: "events.svg", title: "Subscribers per event", keys: "3 j j" },
    View { name: "findings.svg", title: "Findings of the audit, by rule", keys: "4 enter j" },
    View { name: "filter.svg", title: "A filter while it is typed", keys: "1 / event:call.failed space -host:north" },
];

async fn server(webhooks: u64) -> Result<DemoServer> {
    Ok(DemoServer::start(DemoOptions { webhooks, ..DemoOptions::default() }).await?)
}

/// The address of a server, without the path.
fn origin(server: &DemoServer) -> String {
    server.base_url().trim_end_matches("/v1").to_owned()
}

/// Draws a still picture of each view.
pub(super) async fn views() -> Result<Vec<Picture>> {
    let server = server(DemoOptions::default().webhooks).await?;
    let mut stage = Stage::open(&origin(&server), |_| {}).await?;
    let mut pictures = Vec::new();
    for View { name, title, keys } in VIEWS {
        stage.keys(keys).await?;
        pictures.push(Picture { name, svg: svg::still(title, stage.frame(), &DARK) });
    }
    pictures.push(without_colors(&server).await?);
    Ok(pictures)
}

async fn without_colors(server: &DemoServer) -> Result<Picture> {
    let plain = |setup: &mut Setup| setup.settings.theme = Theme::new(&config::ThemeConfig::default(), false);
    let mut stage = Stage::open(&origin(server), plain).await?;
    stage.keys("j j j j j").await?;
    let title = "The explorer with NO_COLOR, in a light terminal";
    Ok(Picture { name: "no-color.svg", svg: svg::still(title, stage.frame(), &LIGHT) })
}

/// Draws the changes view after two webhooks were added and three changed.
pub(super) async fn changes() -> Result<Picture> {
    let webhooks = DemoOptions::default().webhooks;
    let (before, after) = (server(webhooks - 2).await?, server(webhooks).await?);
    for (id, change) in [
        ("whk_mhasayc30bej", r#"{"is_active":false}"#),
        ("whk_g3d2j48wgkqx", r#"{"url":"https://billing.northwind.example.com/hooks/invoice-reminders"}"#),
        ("whk_am7r70mf4fev", r#"{"events":["call.no_answer","call.failed"]}"#),
    ] {
        patch(&after, id, change).await?;
    }
    let gateway = Gateway::start(origin(&before)).await?;
    let mut stage = Stage::open(gateway.base_url(), |_| {}).await?;
    stage.keys("L").await?;
    gateway.forwards_to(origin(&after));
    stage.wait(Duration::from_mins(4)).await?;
    stage.keys("r 5 j").await?;
    Ok(Picture { name: "changes.svg", svg: svg::still("What changed since the start", stage.frame(), &DARK) })
}

async fn patch(server: &DemoServer, id: &str, change: &'static str) -> Result<()> {
    let patch = client()?.patch(format!("{}/user-webhooks/{id}", server.base_url()));
    patch.header(AUTHORIZATION, format!("Bearer {}", demo::KEY)).body(change).send().await?.error_for_status()?;
    Ok(())
}

/// Draws the tour: filter, finding, copy, and an API that goes down and comes back.
pub(super) async fn tour() -> Result<Picture> {
    let server = server(DemoOptions::default().webhooks).await?;
    let gateway = Gateway::start(origin(&server)).await?;
    let mut film = Film { stage: Stage::open(gateway.base_url(), |_| {}).await?, caption: "", shots: Vec::new() };

    film.caption = "All webhooks of a workspace: where they deliver, which events, what is wrong with them.";
    film.shoot(3_000);
    film.caption = "Type / and a few words: every one of them must match the URL, the id or an event.";
    film.types(&TYPED).await?;
    film.keys("enter", 1_500).await?;
    film.caption = "The detail shows what the audit found, and what to do about it.";
    film.keys("j", 400).await?;
    film.keys("j", 400).await?;
    film.keys("j", 3_000).await?;
    film.caption = "y m copies a Markdown block for the incident channel.";
    film.keys("y", 1_500).await?;
    film.keys("m", 2_500).await?;
    film.caption = "The API goes down: the rows stay, and one line says what happened and when the next retry is.";
    gateway.goes_down();
    film.keys("r", 2_000).await?;
    film.wait(10, 1_000).await?;
    film.keys("j", 1_000).await?;
    film.caption = "The API is back: the explorer has loaded the rows again by itself.";
    gateway.forwards_to(origin(&server));
    film.wait(20, 3_500).await?;
    let title = "A tour of hookscope: filter, finding, copy, and an API that goes down and comes back";
    Ok(Picture { name: "tour.svg", svg: svg::animated(title, &film.shots, &DARK) })
}

/// A story and the shots taken of it so far.
struct Film {
    stage: Stage,
    /// The caption of the next shots.
    caption: &'static str,
    shots: Vec<Shot>,
}

impl Film {
    fn shoot(&mut self, milliseconds: u32) {
        self.shots.push(Shot { frame: self.stage.frame(), caption: self.caption, milliseconds });
    }

    /// Presses keys, then takes a shot.
    async fn keys(&mut self, keys: &str, milliseconds: u32) -> Result<()> {
        self.stage.keys(keys).await?;
        self.shoot(milliseconds);
        Ok(())
    }

    /// Types a filter letter by letter.
    async fn types(&mut self, letters: &[&str]) -> Result<()> {
        self.keys("/", 4 * LETTER).await?;
        for letter in letters {
            self.keys(letter, LETTER).await?;
        }
        Ok(())
    }

    async fn wait(&mut self, seconds: u64, milliseconds: u32) -> Result<()> {
        self.stage.wait(Duration::from_secs(seconds)).await?;
        self.shoot(milliseconds);
        Ok(())
    }
}
