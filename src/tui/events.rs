//! The event loop: wait for events, apply all that are ready, and draw once if something changed.

use std::future::{poll_fn, ready};
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::time::Duration;

use crossterm::event::Event;
use futures_core::Stream;
use tokio::time::{Instant, sleep_until};

use super::app::App;
use super::copy::osc52;
use super::fetch_task::Fetch;
use super::history::History;
use super::job_runner::JobRunner;
use super::jobs::{Done, RemovalQuestion};
use super::layout::clamp;
use super::message::{Effect, Message};
use super::prober::{ProbeEvent, Prober};
use super::session::loading::LoadAll;
use super::session::workspace::WorkspaceInfo;
use super::terminal::console::{Console, ConsoleEvent, mouse_sequence};
use super::terminal::frame_limiter::FrameLimiter;
use super::terminal::input::Keyboard;
use super::terminal::screen::Screen;
use super::view;
use super::workers::{Workers, WorkersAnswer};
use super::workspaces::{Resolved, Workspaces};
use crate::api::ClientSettings;
use crate::base::clock::Moment;
use crate::base::text::{Untrusted, clean};
use crate::cache::Store;
use crate::config::{Connection, Multiplexer};
use crate::error::{Error, Exit};
use crate::fetch::{FetchEvent, Policy};
use crate::safe;

/// The most messages to apply before a frame is drawn.
const BATCH: usize = 256;
/// How the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Quit,
    Signal(u8),
    /// The terminal was closed.
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

/// The changes since the last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum PendingFrame {
    #[default]
    None,
    /// Only progress of a long operation.
    Progress,
    Urgent,
}

/// The explorer on any console, with any source of keys: the same loop in a terminal and in a test.
#[derive(Debug)]
pub struct Explorer<C, I> {
    pub app: App,
    pub screen: Screen,
    pub console: C,
    pub input: I,
    pub fetch: Fetch,
    pub workers: Workers,
    pub history: History,
    /// Opens the cache of a workspace.
    pub store: fn(&Connection) -> Option<Store>,
    pub jobs: JobRunner,
    pub workspaces: Workspaces,
    pub prober: Prober,
    /// The multiplexer that copied text is wrapped for.
    pub multiplexer: Option<Multiplexer>,
    pub pending: PendingFrame,
    pub frame_limiter: FrameLimiter,
    /// The longest wait at the end for the cache and the filter history.
    pub parting: Duration,
}

/// An event that the loop waits for.
enum LoopEvent {
    Console(ConsoleEvent),
    Input(Option<io::Result<Event>>),
    Fetch(FetchEvent),
    Workers(WorkersAnswer),
    Done(Box<Done>),
    Probed(ProbeEvent),
    TaskEnded,
    /// The connection to another workspace, or the reason why there is none.
    Resolved(usize, Resolved),
    Tick,
}

impl<C, I> Explorer<C, I>
where
    C: Console,
    I: Keyboard,
{
    /// Runs until the user, a signal or an error ends it.
    pub async fn run(&mut self) -> Result<Ended, Error> {
        if let ControlFlow::Break(ended) = self.catch_up().await? {
            return Ok(ended);
        }
        self.begin().await?;
        loop {
            self.draw();
            if let Some(ended) = self.advance().await? {
                return Ok(ended);
            }
        }
    }

    /// Starts the work that is done once at startup.
    pub async fn begin(&mut self) -> Result<(), Error> {
        // This message starts jobs, and never ends the loop.
        let _goes_on = self.update(Message::Begun).await?;
        Ok(())
    }

    /// Handles a change of size between the first frame and the start of the resize signals.
    async fn catch_up(&mut self) -> Result<ControlFlow<Ended>, Error> {
        match self.console.size() {
            Some((width, height)) if clamp(width, height) != self.app.ui.size => self.remeasure().await,
            _ => Ok(ControlFlow::Continue(())),
        }
    }

    /// Draws a frame if something changed and the terminal has taken the last frame.
    pub fn draw(&mut self) {
        let now = Moment::now().instant;
        if self.pending != PendingFrame::None && self.console.is_free() && self.held_back(now).is_none() {
            let frame = self.screen.draw(self.app.settings.glyphs, |canvas| view::draw(&self.app, canvas));
            self.console.send(&frame);
            let _no_effects = self.app.update(Message::Drawn, Moment::now());
            self.frame_limiter.sent(frame.len(), now);
            self.pending = PendingFrame::None;
        }
    }

    /// The end of the time in which no frame is drawn: while a key is held, or while there is only progress to show.
    fn held_back(&self, now: Instant) -> Option<Instant> {
        if self.app.is_repeating() {
            return self.frame_limiter.repeat_at(now);
        }
        if self.pending == PendingFrame::Urgent { None } else { self.frame_limiter.progress_at(now) }
    }

    /// Waits for an event, then handles it and all others that are ready. An event that was received is always handled, as
    /// it would be lost otherwise.
    pub async fn advance(&mut self) -> Result<Option<Ended>, Error> {
        let event = self.wait().await;
        let mut flow = self.handle(event).await?;
        for _ in 1..BATCH {
            if flow.is_break() {
                break;
            }
            let Some(event) = self.ready().await else { break };
            flow = self.handle(event).await?;
        }
        Ok(flow.break_value())
    }

    async fn wait(&mut self) -> LoopEvent {
        let has_changed = self.pending != PendingFrame::None;
        let frame = if has_changed { self.held_back(Moment::now().instant) } else { None };
        let wake = self.app.next_wake().into_iter().chain(frame).min();
        let is_loading_all = self.app.session.load.all != LoadAll::No;
        tokio::select! {
            biased;
            event = self.console.event(has_changed && frame.is_none()) => LoopEvent::Console(event),
            event = next(&mut self.input) => LoopEvent::Input(event),
            answer = self.workers.next() => LoopEvent::Workers(answer),
            Some(done) = self.jobs.next() => done.map_or(LoopEvent::TaskEnded, |done| LoopEvent::Done(Box::new(done))),
            event = self.fetch.next(is_loading_all) => event.map_or(LoopEvent::TaskEnded, LoopEvent::Fetch),
            found = self.prober.next() => LoopEvent::Probed(found),
            (at, resolved) = self.workspaces.resolved() => LoopEvent::Resolved(at, resolved),
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => LoopEvent::Tick,
        }
    }

    /// The next event, if one is ready.
    async fn ready(&mut self) -> Option<LoopEvent> {
        tokio::select! {
            biased;
            event = next(&mut self.input) => Some(LoopEvent::Input(event)),
            Some(answer) = self.workers.filter_sort.answer() => Some(LoopEvent::Workers(WorkersAnswer::Rows(answer))),
            Some(event) = self.fetch.events.recv() => Some(LoopEvent::Fetch(event)),
            found = self.prober.next() => Some(LoopEvent::Probed(found)),
            () = ready(()) => None,
        }
    }

    async fn handle(&mut self, event: LoopEvent) -> Result<ControlFlow<Ended>, Error> {
        let message = match event {
            LoopEvent::Console(ConsoleEvent::Signal(number)) => return Ok(ControlFlow::Break(Ended::Signal(number))),
            LoopEvent::Console(ConsoleEvent::Vanished) | LoopEvent::Input(None) => {
                return Ok(ControlFlow::Break(Ended::Vanished));
            }
            LoopEvent::Console(ConsoleEvent::Continued) => {
                self.console.retake(self.app.settings.mouse);
                return self.remeasure().await;
            }
            LoopEvent::Console(ConsoleEvent::Resized) => return self.remeasure().await,
            LoopEvent::Console(ConsoleEvent::Stopping) => return self.apply(vec![Effect::Suspend]).await,
            LoopEvent::TaskEnded | LoopEvent::Workers(WorkersAnswer::Ended) | LoopEvent::Console(ConsoleEvent::Panicked) => {
                return Ok(ControlFlow::Break(Ended::Panicked));
            }
            LoopEvent::Input(Some(Err(error))) => return Err(Error::terminal(&error)),
            LoopEvent::Input(Some(Ok(event))) => match message(event) {
                Some(message) => message,
                None => return Ok(ControlFlow::Continue(())),
            },
            LoopEvent::Fetch(event) => Message::Fetch(event),
            LoopEvent::Probed(found) => Message::Probed(found),
            LoopEvent::Done(done) => Message::Done(done),
            LoopEvent::Workers(WorkersAnswer::Rows(answer)) => Message::Rows(answer),
            LoopEvent::Workers(WorkersAnswer::Audit(answer)) => Message::Audited(answer),
            LoopEvent::Resolved(at, resolved) => {
                let effects = self.change_workspace(at, resolved);
                return self.apply(effects).await;
            }
            LoopEvent::Tick => Message::Tick,
            LoopEvent::Console(ConsoleEvent::Free) => return Ok(ControlFlow::Continue(())),
        };
        self.update(message).await
    }

    async fn update(&mut self, message: Message) -> Result<ControlFlow<Ended>, Error> {
        let is_from_afar =
            matches!(message, Message::Fetch(_) | Message::Rows(_) | Message::Audited(_) | Message::Probed(_));
        let takes_long = |app: &App| app.session.load.all != LoadAll::No || app.session.probes.is_running();
        let was_sweeping = takes_long(&self.app);
        let effects = self.app.update(message, Moment::now());
        let is_progress = is_from_afar && was_sweeping && takes_long(&self.app);
        if !is_progress && effects.iter().any(|effect| matches!(effect, Effect::Draw | Effect::Redraw)) {
            self.pending = PendingFrame::Urgent;
        }
        self.apply(effects).await
    }

    /// Draws the whole screen at the terminal's current size. A stopped program receives no resize signal.
    async fn remeasure(&mut self) -> Result<ControlFlow<Ended>, Error> {
        let effects = self.measured();
        self.apply(effects).await
    }

    pub(super) fn measured(&mut self) -> Vec<Effect> {
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
                    Effect::Draw | Effect::Notice(_) => self.pending = self.pending.max(PendingFrame::Progress),
                    Effect::Redraw => self.redraw(),
                    Effect::Demand(demand) => drop(self.fetch.demand.send_replace(demand)),
                    Effect::FilterSort(request) => self.workers.filter_sort.ask(request),
                    Effect::Audit(request) => self.workers.audit.ask(*request),
                    Effect::Run(job) => self.jobs.start(*job),
                    Effect::Probe(origins) => self.prober.ask(origins),
                    Effect::StopProbing => self.prober.stop(),
                    Effect::Ask(question) => self.ask(question),
                    Effect::Remember(filters) => self.history.write(filters),
                    Effect::Copy(text) => self.console.send(&osc52(text.raw(), self.multiplexer)),
                    Effect::Mouse(on) => self.console.send(&mouse_sequence(on)),
                    Effect::Suspend => {
                        let suspended = self.console.suspend(self.app.settings.mouse).await;
                        if let Ok(Some(number)) = suspended {
                            return Ok(ControlFlow::Break(Ended::Signal(number)));
                        }
                        self.pending = PendingFrame::Urgent;
                        more.extend(self.measured());
                        if let Err(why) = suspended {
                            more.extend(self.app.update(Message::NotSuspended(why), Moment::now()));
                        }
                    }
                    Effect::Switch(at) if self.workspaces.asks(at).is_some() => {
                        match Box::pin(self.connect_with_terminal(at)).await {
                            ControlFlow::Continue(effects) => more.extend(effects),
                            ControlFlow::Break(ended) => return Ok(ControlFlow::Break(ended)),
                        }
                    }
                    Effect::Switch(at) => self.workspaces.start(at),
                    Effect::RenewKey => match Box::pin(self.renew_key()).await {
                        ControlFlow::Continue(effects) => more.extend(effects),
                        ControlFlow::Break(ended) => return Ok(ControlFlow::Break(ended)),
                    },
                    Effect::Stay => self.workspaces.stop(),
                    Effect::Quit => return Ok(ControlFlow::Break(Ended::Quit)),
                }
            }
            effects = more;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Requests webhooks in the background, from the source that the fetch task has opened.
    fn ask(&mut self, question: RemovalQuestion) {
        let Some(source) = self.fetch.source.get().cloned() else { return };
        self.jobs.ask(question, source, self.fetch.policy);
    }

    /// Switches to another workspace, if the connection was resolved. The fetch task of the previous one ends, and its
    /// channel is dropped with its last events.
    pub(super) fn change_workspace(&mut self, at: usize, resolved: Resolved) -> Vec<Effect> {
        let connection = match resolved {
            Ok(connection) => connection,
            Err(why) => return self.app.update(Message::NotSwitched(why), Moment::now()),
        };
        // New threads, since the existing ones still work on the previous workspace.
        let workers = match Workers::start() {
            Ok(workers) => workers,
            Err(error) => {
                let name = self.workspaces.all().get(at).map(|profile| profile.shown.clone()).unwrap_or_default();
                let why = safe!("not switched to {}: cannot start a thread: {}", name, clean(&error.to_string()));
                return self.app.update(Message::NotSwitched(why), Moment::now());
            }
        };
        self.fetch.task.abort();
        let workspace = WorkspaceInfo::new(at, &connection, (self.store)(&connection), self.workspaces.invocation(at));
        self.workers = workers;
        self.prober.stop();
        let effects = self.app.update(Message::Switched(Box::new(workspace)), Moment::now());
        self.restart_fetch(connection.api, connection.policy);
        effects
    }

    pub(super) fn restart_fetch(&mut self, settings: ClientSettings, policy: Policy) {
        self.fetch.task.abort();
        self.fetch = Fetch::of_api(settings, policy, &self.app);
    }

    fn redraw(&mut self) {
        self.pending = self.pending.max(PendingFrame::Progress);
        self.screen.reset(self.app.ui.size);
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
