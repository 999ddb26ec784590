//! A scripted explorer: the real state machine, view and fetch task, with a clock and a keyboard that the story controls.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use hookscope::analysis::audit::{AuditRequest, Auditor};
use hookscope::api::Client;
use hookscope::base::base_url::BaseUrl;
use hookscope::base::clock::Moment;
use hookscope::base::redact::ApiKey;
use hookscope::config::Config;
use hookscope::demo;
use hookscope::fetch::{Policy, Source};
use hookscope::tui::app::{App, Setup};
use hookscope::tui::fetch_task::Fetch;
use hookscope::tui::message::{Effect, Message};
use hookscope::tui::terminal::canvas::Canvas;
use hookscope::tui::view;
use hookscope::tui::workers::RowsRequest;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use tokio::time::{Instant, timeout};

use super::Result;

pub(super) const SIZE: (u16, u16) = (100, 30);
/// The start of every story.
const NOW: &str = "2026-11-16T03:12:44Z";
/// The address in the header. The real port differs on every run.
const SHOWN_URL: &str = "http://127.0.0.1:8080/v1";
/// The time between two keys, long enough that no key counts as held.
const KEYSTROKE: Duration = Duration::from_millis(200);
/// The longest wait for the fetch task.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Stage {
    app: Box<App>,
    now: Moment,
    fetch: Fetch,
    auditor: Auditor,
    /// The latest requests to the filter thread and to the audit thread.
    wish: Option<RowsRequest>,
    request: Option<Box<AuditRequest>>,
}

impl Stage {
    /// Opens the explorer on the API at this address and waits for its first rows.
    pub(super) async fn open(address: &str, adjust: impl FnOnce(&mut Setup)) -> Result<Self> {
        let connection = Config::demo_connection(BaseUrl::parse(address)?, ApiKey::new(demo::KEY)?);
        // One request at a time and no retries, so that events arrive in the same order on every run.
        let policy = Policy { max_concurrency: 1, retries: 0, ..connection.policy };
        let mut setup = Setup { size: SIZE, ..Setup::new(&Config::default(), &connection) };
        setup.workspace.base_url = BaseUrl::parse(SHOWN_URL)?;
        adjust(&mut setup);
        let now = Moment { instant: Instant::now(), wall: NOW.parse()? };
        let app = Box::new(App::new(setup, now));
        let settings = connection.api;
        let fetch = Fetch::start(move || Ok(Source::from(Arc::new(Client::new(&settings)?))), policy, None, &app);
        let auditor = Auditor::default();
        let mut stage = Self { app, now, fetch, auditor, wish: None, request: None };
        stage.send(Message::Begun).await?;
        Ok(stage)
    }

    /// Presses keys, separated by spaces. A word that is not a key name is typed letter by letter.
    pub(super) async fn keys(&mut self, keys: &str) -> Result<()> {
        for key in keys.split(' ') {
            match key {
                "enter" => self.press(KeyCode::Enter).await?,
                "esc" => self.press(KeyCode::Esc).await?,
                "space" => self.press(KeyCode::Char(' ')).await?,
                word => {
                    for letter in word.chars() {
                        self.press(KeyCode::Char(letter)).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn press(&mut self, code: KeyCode) -> Result<()> {
        self.pass(KEYSTROKE);
        self.send(Message::Key(KeyEvent::new(code, KeyModifiers::NONE))).await?;
        // Details are shown only after the selection has rested.
        self.wait(KEYSTROKE).await
    }

    /// Lets time pass.
    pub(super) async fn wait(&mut self, time: Duration) -> Result<()> {
        self.pass(time);
        self.send(Message::Tick).await
    }

    fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.wall += time;
    }

    /// Sends a message, then everything that follows from it, until nothing is pending.
    async fn send(&mut self, message: Message) -> Result<()> {
        let mut next = Some(message);
        while let Some(message) = next {
            self.apply(message).await?;
            next = if self.is_reading() { Some(self.fetched().await?) } else { self.arrange_or_audit() };
        }
        self.apply(Message::Drawn).await
    }

    fn is_reading(&self) -> bool {
        let demand = self.app.session.demand();
        demand.everything || !demand.pages.is_empty()
    }

    async fn fetched(&mut self) -> Result<Message> {
        let event = timeout(PATIENCE, self.fetch.events.recv()).await?;
        Ok(Message::Fetch(event.ok_or("the fetch task ended")?))
    }

    /// Filters or audits in place of the threads, so that the result is never early or late.
    fn arrange_or_audit(&mut self) -> Option<Message> {
        if let Some(wish) = self.wish.take() {
            return wish.run(&|| true, &mut |_first| {}).map(Message::Rows);
        }
        let request = self.request.take()?;
        let index = self.auditor.answer(&request, &|| true)?;
        Some(Message::Audited(Box::new(index)))
    }

    async fn apply(&mut self, message: Message) -> Result<()> {
        let mut messages = VecDeque::from([message]);
        while let Some(message) = messages.pop_front() {
            for effect in self.app.update(message, self.now) {
                messages.extend(self.carry_out(effect).await);
            }
        }
        Ok(())
    }

    /// Carries out an effect as the event loop does, if it can change the screen.
    async fn carry_out(&mut self, effect: Effect) -> Option<Message> {
        match effect {
            Effect::Demand(demand) => drop(self.fetch.demand.send_replace(demand)),
            Effect::FilterSort(wish) => self.wish = Some(wish),
            Effect::Audit(request) => self.request = Some(request),
            Effect::Run(job) => return Some(Message::Done(Box::new(job.run(&|| true)))),
            Effect::Ask(question) => {
                let done = Box::pin(question.ask(self.fetch.source.get()?, self.fetch.policy)).await;
                return Some(Message::Done(Box::new(done)));
            }
            _ => {}
        }
        None
    }

    /// The current frame, with a block cursor in a text input.
    pub(super) fn frame(&self) -> Buffer {
        let (width, height) = self.app.ui.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        let mut canvas = Canvas::new(&mut buffer, self.app.settings.glyphs);
        view::draw(&self.app, &mut canvas);
        let pointer = canvas.pointer();
        if let Some(cell) = buffer.cell_mut(pointer.position).filter(|_| pointer.is_visible) {
            cell.modifier |= Modifier::REVERSED;
        }
        buffer
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.fetch.task.abort();
    }
}
