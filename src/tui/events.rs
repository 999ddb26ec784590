//! The loop: wait for anything, apply everything that is ready, draw once if something changed.

use std::future::{poll_fn, ready};
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;

use crossterm::event::Event;
use futures_core::Stream;
use ratatui::backend::Backend;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep_until;

use super::app::App;
use super::console::{Console, ConsoleEvent, mouse_sequence};
use super::copy::osc52;
use super::finder::{Arranged, Finder};
use super::history::History;
use super::jobs::Done;
use super::layout::clamp;
use super::message::{Effect, Message};
use super::screen::Screen;
use crate::clock::Moment;
use crate::error::{Error, Exit};
use crate::fetch::{Demand, FetchEvent};
use crate::text::{Untrusted, clean};

/// Messages that are applied before a frame is drawn, however many more are ready.
const BATCH: usize = 256;

/// How the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Quit,
    Signal(u8),
    /// The terminal is gone.
    Vanished,
    /// The fetch task panicked.
    Panicked,
}

impl From<Ended> for Exit {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Quit => Self::Done,
            Ended::Signal(number) => Self::Signal(number),
            Ended::Vanished => Self::Signal(1),
            Ended::Panicked => Self::Panicked,
        }
    }
}

/// The fetch task as the loop sees it.
#[derive(Debug)]
pub struct Fetch {
    pub demand: watch::Sender<Demand>,
    pub events: mpsc::Receiver<FetchEvent>,
    pub task: JoinHandle<()>,
}

/// The explorer on any backend, with any source of keys: the same loop in a terminal and in a test.
#[derive(Debug)]
pub struct Explorer<B, C, I> {
    pub app: App,
    pub screen: Screen<B>,
    pub console: C,
    pub input: I,
    pub fetch: Fetch,
    pub finder: Finder,
    pub history: History,
    /// Work that is done beside the loop.
    pub jobs: JoinSet<Done>,
    /// Copied text is wrapped for tmux.
    pub tmux: bool,
    /// Something changed since the last frame.
    pub changed: bool,
}

/// What one wait brought.
enum Woken {
    Console(ConsoleEvent),
    Input(Option<io::Result<Event>>),
    Fetch(FetchEvent),
    Arranged(Arranged),
    Done(Box<Done>),
    TaskEnded,
    Tick,
}

impl<B, C, I> Explorer<B, C, I>
where
    B: Backend,
    B::Error: std::fmt::Display,
    C: Console,
    I: Stream<Item = io::Result<Event>> + Unpin,
{
    /// Runs until somebody or something ends it.
    pub async fn run(&mut self) -> Result<Ended, Error> {
        if let ControlFlow::Break(ended) = self.catch_up().await? {
            return Ok(ended);
        }
        loop {
            self.draw()?;
            if let Some(ended) = self.advance().await? {
                return Ok(ended);
            }
        }
    }

    /// The size may have changed between the moment it was asked for and the one since when changes are listened to.
    async fn catch_up(&mut self) -> Result<ControlFlow<Ended>, Error> {
        match self.console.size() {
            Some((width, height)) if clamp(width, height) != self.app.size => self.remeasure().await,
            _ => Ok(ControlFlow::Continue(())),
        }
    }

    /// Draws a frame, if something changed and the last frame was taken.
    pub fn draw(&mut self) -> Result<(), Error> {
        if self.changed && self.console.is_free() {
            self.screen.draw(&self.app).map_err(terminal_error)?;
            self.changed = false;
        }
        Ok(())
    }

    /// Waits for anything to happen, and handles it and what else is there already. What is taken is handled: it would be
    /// lost otherwise.
    pub async fn advance(&mut self) -> Result<Option<Ended>, Error> {
        let woken = self.wait().await;
        let mut flow = self.handle(woken).await?;
        for _ in 1..BATCH {
            if flow.is_break() {
                break;
            }
            let Some(woken) = self.ready().await else { break };
            flow = self.handle(woken).await?;
        }
        Ok(flow.break_value())
    }

    async fn wait(&mut self) -> Woken {
        let wake = self.app.next_wake();
        tokio::select! {
            biased;
            event = self.console.event(self.changed) => Woken::Console(event),
            event = next(&mut self.input) => Woken::Input(event),
            answer = self.finder.answer() => answer.map_or(Woken::TaskEnded, Woken::Arranged),
            Some(done) = self.jobs.join_next() => done.map_or(Woken::TaskEnded, |done| Woken::Done(Box::new(done))),
            Some(event) = self.fetch.events.recv() => Woken::Fetch(event),
            _ = &mut self.fetch.task => Woken::TaskEnded,
            () = sleep_until(wake.unwrap_or_else(tokio::time::Instant::now)), if wake.is_some() => Woken::Tick,
        }
    }

    /// What else is there already.
    async fn ready(&mut self) -> Option<Woken> {
        tokio::select! {
            biased;
            event = next(&mut self.input) => Some(Woken::Input(event)),
            Some(answer) = self.finder.answer() => Some(Woken::Arranged(answer)),
            Some(event) = self.fetch.events.recv() => Some(Woken::Fetch(event)),
            () = ready(()) => None,
        }
    }

    async fn handle(&mut self, woken: Woken) -> Result<ControlFlow<Ended>, Error> {
        let message = match woken {
            Woken::Console(ConsoleEvent::Signal(number)) => return Ok(ControlFlow::Break(Ended::Signal(number))),
            Woken::Console(ConsoleEvent::Vanished) | Woken::Input(None) => return Ok(ControlFlow::Break(Ended::Vanished)),
            Woken::Console(ConsoleEvent::Continued) => {
                self.console.retake(self.app.mouse);
                return self.remeasure().await;
            }
            Woken::Console(ConsoleEvent::Resized) => return self.remeasure().await,
            Woken::TaskEnded | Woken::Console(ConsoleEvent::Panicked) => return Ok(ControlFlow::Break(Ended::Panicked)),
            Woken::Input(Some(Err(error))) => return Err(Error::terminal(&error)),
            Woken::Input(Some(Ok(event))) => match message(event) {
                Some(message) => message,
                None => return Ok(ControlFlow::Continue(())),
            },
            Woken::Fetch(event) => Message::Fetch(event),
            Woken::Done(done) => Message::Done(done),
            Woken::Arranged(arranged) => Message::Arranged(arranged),
            Woken::Tick => Message::Tick,
            Woken::Console(ConsoleEvent::Free) => return Ok(ControlFlow::Continue(())),
        };
        self.update(message).await
    }

    async fn update(&mut self, message: Message) -> Result<ControlFlow<Ended>, Error> {
        let effects = self.app.update(message, Moment::now());
        self.apply(effects).await
    }

    /// Draws everything again, for the size that the terminal has now. While the program was stopped, nobody told it of a new
    /// one.
    async fn remeasure(&mut self) -> Result<ControlFlow<Ended>, Error> {
        let effects = self.measured();
        self.apply(effects).await
    }

    fn measured(&mut self) -> Vec<Effect> {
        match self.console.size() {
            Some((width, height)) => self.app.update(Message::Resize { width, height }, Moment::now()),
            None => vec![Effect::Redraw],
        }
    }

    async fn apply(&mut self, mut effects: Vec<Effect>) -> Result<ControlFlow<Ended>, Error> {
        while !effects.is_empty() {
            let mut more = Vec::new();
            for effect in effects {
                match effect {
                    Effect::Draw => self.changed = true,
                    Effect::Redraw => self.redraw()?,
                    Effect::Demand(demand) => drop(self.fetch.demand.send_replace(demand)),
                    Effect::Arrange(wish) => self.finder.ask(wish),
                    Effect::Run(job) => drop(self.jobs.spawn_blocking(move || job.run())),
                    Effect::Remember(filters) => self.history.write(filters),
                    Effect::Copy(text) => self.console.send(&osc52(text.raw(), self.tmux)),
                    Effect::Mouse(on) => self.console.send(&mouse_sequence(on)),
                    Effect::Suspend => {
                        let suspended = self.console.suspend(self.app.mouse).await;
                        more.extend(self.measured());
                        if let Err(why) = suspended {
                            more.extend(self.app.update(Message::NotSuspended(why), Moment::now()));
                        }
                    }
                    Effect::Quit => return Ok(ControlFlow::Break(Ended::Quit)),
                }
            }
            effects = more;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn redraw(&mut self) -> Result<(), Error> {
        self.changed = true;
        self.screen.clear(self.app.size).map_err(terminal_error)
    }
}

async fn next<I: Stream + Unpin>(stream: &mut I) -> Option<I::Item> {
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}

fn message(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) => Some(Message::Key(key)),
        Event::Paste(text) => Some(Message::Paste(Untrusted::from(text))),
        Event::Mouse(event) => Some(Message::Mouse(event)),
        Event::Resize(width, height) => Some(Message::Resize { width, height }),
        Event::FocusGained | Event::FocusLost => None,
    }
}

fn terminal_error(error: impl std::fmt::Display) -> Error {
    Error::Terminal(clean(&error.to_string()))
}
