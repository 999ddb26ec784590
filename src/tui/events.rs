//! The loop: wait for anything, apply everything that is ready, draw once if something changed.

use std::future::{poll_fn, ready};
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;

use crossterm::event::Event;
use futures_core::Stream;
use ratatui::backend::Backend;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use super::app::App;
use super::console::{Console, ConsoleEvent, mouse_sequence};
use super::copy::osc52;
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
        loop {
            self.draw()?;
            if let Some(ended) = self.advance().await? {
                return Ok(ended);
            }
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

    /// Waits for anything to happen and applies everything that is ready then.
    pub async fn advance(&mut self) -> Result<Option<Ended>, Error> {
        let mut woken = Some(self.wait().await);
        for _ in 0..BATCH {
            let Some(this) = woken else { break };
            if let ControlFlow::Break(ended) = self.handle(this).await? {
                return Ok(Some(ended));
            }
            woken = self.ready().await;
        }
        Ok(None)
    }

    async fn wait(&mut self) -> Woken {
        let wake = self.app.next_wake();
        tokio::select! {
            biased;
            event = self.console.event(self.changed) => Woken::Console(event),
            event = next(&mut self.input) => Woken::Input(event),
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
                self.redraw()?;
                return Ok(ControlFlow::Continue(()));
            }
            Woken::TaskEnded => return Ok(ControlFlow::Break(Ended::Panicked)),
            Woken::Input(Some(Err(error))) => return Err(Error::terminal(&error)),
            Woken::Input(Some(Ok(event))) => match message(event) {
                Some(message) => message,
                None => return Ok(ControlFlow::Continue(())),
            },
            Woken::Fetch(event) => Message::Fetch(event),
            Woken::Tick => Message::Tick,
            Woken::Console(ConsoleEvent::Free) => return Ok(ControlFlow::Continue(())),
        };
        self.update(message).await
    }

    async fn update(&mut self, message: Message) -> Result<ControlFlow<Ended>, Error> {
        let mut effects = self.app.update(message, Moment::now());
        while !effects.is_empty() {
            let mut more = Vec::new();
            for effect in effects {
                match effect {
                    Effect::Draw => self.changed = true,
                    Effect::Redraw => self.redraw()?,
                    Effect::Demand(demand) => drop(self.fetch.demand.send_replace(demand)),
                    Effect::Copy(text) => self.console.send(&osc52(text.raw(), self.tmux)),
                    Effect::Mouse(on) => self.console.send(&mouse_sequence(on)),
                    Effect::Suspend => {
                        if let Err(why) = self.console.suspend(self.app.mouse).await {
                            more.extend(self.app.update(Message::NotSuspended(why), Moment::now()));
                        }
                        self.redraw()?;
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
