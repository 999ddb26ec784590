//! The loop: wait for anything, apply everything that is ready, draw once if something changed.

use std::future::{poll_fn, ready};
use std::io;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossterm::event::Event;
use futures_core::Stream;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::app::App;
use super::copy::osc52;
use super::finder::{Arranged, Finder};
use super::history::History;
use super::jobs::{Done, Job, Outcome, RemovalQuestion, Task};
use super::judge::{Judge, Judged};
use super::layout::clamp;
use super::message::{Effect, Message};
use super::prober::{Found, Prober};
use super::session::Session;
use super::session::loading::LoadAll;
use super::session::workspace::WorkspaceInfo;
use super::terminal::console::{Console, ConsoleEvent, mouse_sequence};
use super::terminal::frame_limiter::FrameLimiter;
use super::terminal::input::Keyboard;
use super::terminal::screen::Screen;
use super::view;
use super::workspaces::{Resolved, Workspaces};
use crate::api::{ApiError, Client, ClientSettings};
use crate::base::clock::Moment;
use crate::base::text::{Safe, Untrusted, clean};
use crate::cache::Store;
use crate::config::{Connection, Multiplexer};
use crate::error::{Error, Exit};
use crate::fetch::{self, Demand, FetchEvent, Policy, Source};
use crate::safe;

/// Messages that are applied before a frame is drawn, however many more are ready.
const BATCH: usize = 256;
/// While everything is read, pages are taken this often and not one by one: to wake the loop costs more than most pages do.
const GATHERING: Duration = Duration::from_millis(3);
/// How long the end waits for what is being written: somebody wants to be elsewhere.
pub const PARTING: Duration = Duration::from_secs(1);
/// And how long for a file that somebody asked for.
const EXPORTING: Duration = Duration::from_secs(20);
/// The number of SIGINT, which ctrl-c sends where the terminal is not raw.
const INTERRUPTED: u8 = 2;
/// How long after the failure of a key command an interrupt is one that was meant for it.
const INTERRUPT: Duration = Duration::from_millis(100);
/// How long a key command that was interrupted may take to end, before it is killed.
const ENDING: Duration = Duration::from_millis(500);

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
    /// Where it reads from, once that is open.
    pub source: Arc<OnceLock<Source>>,
    pub policy: Policy,
}

impl Fetch {
    /// Starts the task of a workspace.
    pub fn start(open: impl FnOnce() -> Result<Source, ApiError> + Send + 'static, policy: Policy, app: &App) -> Self {
        let (demand, wishes) = watch::channel(app.session.demand().clone());
        let source = Arc::<OnceLock<Source>>::default();
        let opened = Arc::clone(&source);
        let open = move || {
            let source = open()?;
            // Nothing else sets it.
            Ok(opened.get_or_init(|| source).clone())
        };
        let (events, task) = fetch::spawn(open, policy, wishes, app.session.load.packer.clone());
        Self { demand, events, task, source, policy }
    }
}

/// The explorer on any console, with any source of keys: the same loop in a terminal and in a test.
#[derive(Debug)]
pub struct Explorer<C, I> {
    pub app: App,
    pub screen: Screen,
    pub console: C,
    pub input: I,
    pub fetch: Fetch,
    /// What the client of the fetch task is made of; `None` for a file.
    pub api: Option<ClientSettings>,
    pub finder: Finder,
    pub judge: Judge,
    pub history: History,
    /// Where a workspace is remembered.
    pub store: fn(&Connection) -> Option<Store>,
    /// Work that is done beside the loop.
    pub jobs: JoinSet<Done>,
    /// How many of them write what was read, of whichever workspace.
    pub keeping: usize,
    /// How many of them write a file that somebody asked for.
    pub exporting: usize,
    /// Nobody waits for these files any more.
    pub is_stopped: Arc<AtomicBool>,
    pub workspaces: Workspaces,
    pub prober: Prober,
    /// Copied text is wrapped for it.
    pub multiplexer: Option<Multiplexer>,
    /// Something changed since the last frame.
    pub changed: bool,
    /// Somebody waits for what changed: it is more than the progress of something that takes long.
    pub urgent: bool,
    pub frame_limiter: FrameLimiter,
    /// How long the end waits for what is being written.
    pub parting: Duration,
    /// When pages are taken again, while everything is read.
    pub gathered_at: Option<Instant>,
}

/// Something that the loop waits for.
enum LoopEvent {
    Console(ConsoleEvent),
    Input(Option<io::Result<Event>>),
    Fetch(FetchEvent),
    Arranged(Arranged),
    Judged(Box<Judged>),
    Done(Box<Done>),
    Probed(Found),
    TaskEnded,
    /// The way to another workspace was found, or not.
    Resolved(usize, Resolved),
    Tick,
}

impl<C, I> Explorer<C, I>
where
    C: Console,
    I: Keyboard,
{
    /// Runs until somebody or something ends it.
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

    /// Begins what is done once at the start.
    pub async fn begin(&mut self) -> Result<(), Error> {
        // It starts jobs and ends nothing.
        let _goes_on = self.update(Message::Begun).await?;
        Ok(())
    }

    /// Writes what is not written yet. It waits for that, but not for long: somebody wants to be elsewhere.
    ///
    /// # Errors
    ///
    /// A file that somebody asked for is not written.
    pub async fn part(&mut self) -> Result<(), Error> {
        let exported = self.finish_exports().await;
        if timeout(self.parting, self.write_the_last()).await.is_err() {
            tracing::warn!("writing the filter history and the cache timed out");
        }
        exported
    }

    async fn finish_exports(&mut self) -> Result<(), Error> {
        let mut ends_at = Instant::now() + EXPORTING;
        let mut is_stopped = false;
        let mut exported = Ok(());
        while self.exporting > 0 {
            tokio::select! {
                biased;
                done = self.jobs.join_next() => {
                    let Some(Ok(done)) = done else { return Err(Error::Output("an export failed".into())) };
                    exported = exported.and(unexported(&done.outcome));
                    self.take_at_last(done);
                    continue;
                }
                event = self.console.event(false), if !is_stopped => {
                    if !matches!(event, ConsoleEvent::Signal(_) | ConsoleEvent::Vanished) {
                        continue;
                    }
                }
                () = sleep_until(ends_at) => {}
            }
            if is_stopped {
                return Err(Error::Output("an export timed out and is unfinished".into()));
            }
            is_stopped = true;
            self.is_stopped.store(true, Ordering::Relaxed);
            ends_at = Instant::now() + self.parting;
        }
        exported
    }

    /// Takes what came of a job, and starts what is to be written after it.
    fn take_at_last(&mut self, done: Done) {
        self.count_done(&done);
        for effect in self.app.update(Message::Done(Box::new(done)), Moment::now()) {
            if let Effect::Run(job) = effect
                && matches!(job.task, Task::Keep { .. })
            {
                self.start(*job);
            }
        }
    }

    async fn write_the_last(&mut self) {
        self.history.written().await;
        // Once more for what was read while something was being written. What cannot be written is not tried for ever.
        for _ in 0..2 {
            if let Some(job) = self.app.in_session(Session::keep_at_last) {
                self.start(job);
            }
            while self.keeping > 0
                && let Some(done) = self.jobs.join_next().await
            {
                let Ok(done) = done else { return };
                self.take_at_last(done);
            }
        }
    }

    fn count_done(&mut self, done: &Done) {
        let is_export =
            matches!(done.outcome, Outcome::Exported { .. } | Outcome::Exists { .. } | Outcome::NotExported { .. });
        self.exporting = self.exporting.saturating_sub(usize::from(is_export));
        self.keeping = self.keeping.saturating_sub(usize::from(matches!(done.outcome, Outcome::Kept(_))));
    }

    fn start(&mut self, job: Job) {
        self.keeping += usize::from(matches!(job.task, Task::Keep { .. }));
        self.exporting += usize::from(matches!(job.task, Task::Export(_)));
        let is_stopped = Arc::clone(&self.is_stopped);
        drop(self.jobs.spawn_blocking(move || job.run(&|| !is_stopped.load(Ordering::Relaxed))));
    }

    /// The size may have changed between the moment it was asked for and the one since when changes are listened to.
    async fn catch_up(&mut self) -> Result<ControlFlow<Ended>, Error> {
        match self.console.size() {
            Some((width, height)) if clamp(width, height) != self.app.ui.size => self.remeasure().await,
            _ => Ok(ControlFlow::Continue(())),
        }
    }

    /// Draws a frame, if something changed and the last frame was taken.
    pub fn draw(&mut self) {
        let now = Moment::now().instant;
        if self.changed && self.console.is_free() && self.held_back(now).is_none() {
            let frame = self.screen.draw(self.app.settings.glyphs, |canvas| view::draw(&self.app, canvas));
            self.console.send(&frame);
            let _no_effects = self.app.update(Message::Drawn, Moment::now());
            self.frame_limiter.sent(frame.len(), now);
            self.changed = false;
            self.urgent = false;
        }
    }

    /// The end of the time in which no frame is drawn: while a key is held, or while there is only progress to show.
    fn held_back(&self, now: Instant) -> Option<Instant> {
        if self.app.is_repeating() {
            return self.frame_limiter.repeat_at(now);
        }
        if self.urgent { None } else { self.frame_limiter.progress_at(now) }
    }

    /// Waits for anything to happen, and handles it and what else is there already. What is taken is handled: it would be
    /// lost otherwise.
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
        let frame = if self.changed { self.held_back(Moment::now().instant) } else { None };
        let wake = self.app.next_wake().into_iter().chain(frame).min();
        let gathered_at = self.gathered_at.filter(|_| self.app.session.load.all != LoadAll::No);
        tokio::select! {
            biased;
            event = self.console.event(self.changed && frame.is_none()) => LoopEvent::Console(event),
            event = next(&mut self.input) => LoopEvent::Input(event),
            answer = self.finder.answer() => answer.map_or(LoopEvent::TaskEnded, LoopEvent::Arranged),
            answer = self.judge.answer() => answer.map_or(LoopEvent::TaskEnded, |judged| LoopEvent::Judged(Box::new(judged))),
            Some(done) = self.jobs.join_next() => done.map_or(LoopEvent::TaskEnded, |done| LoopEvent::Done(Box::new(done))),
            Some(event) = gathered(&mut self.fetch.events, gathered_at) => {
                self.gathered_at = Some(Instant::now() + GATHERING);
                LoopEvent::Fetch(event)
            }
            found = self.prober.next() => LoopEvent::Probed(found),
            _ = &mut self.fetch.task => LoopEvent::TaskEnded,
            (at, resolved) = self.workspaces.resolved() => LoopEvent::Resolved(at, resolved),
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => LoopEvent::Tick,
        }
    }

    /// What else is there already.
    async fn ready(&mut self) -> Option<LoopEvent> {
        tokio::select! {
            biased;
            event = next(&mut self.input) => Some(LoopEvent::Input(event)),
            Some(answer) = self.finder.answer() => Some(LoopEvent::Arranged(answer)),
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
            LoopEvent::TaskEnded | LoopEvent::Console(ConsoleEvent::Panicked) => {
                return Ok(ControlFlow::Break(Ended::Panicked));
            }
            LoopEvent::Input(Some(Err(error))) => return Err(Error::terminal(&error)),
            LoopEvent::Input(Some(Ok(event))) => match message(event) {
                Some(message) => message,
                None => return Ok(ControlFlow::Continue(())),
            },
            LoopEvent::Fetch(event) => Message::Fetch(event),
            LoopEvent::Probed(found) => Message::Probed(found),
            LoopEvent::Done(done) => {
                self.count_done(&done);
                Message::Done(done)
            }
            LoopEvent::Arranged(arranged) => Message::Arranged(arranged),
            LoopEvent::Judged(judged) => Message::Judged(judged),
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
            matches!(message, Message::Fetch(_) | Message::Arranged(_) | Message::Judged(_) | Message::Probed(_));
        let takes_long = |app: &App| app.session.load.all != LoadAll::No || app.session.probes.is_running();
        let was_sweeping = takes_long(&self.app);
        let effects = self.app.update(message, Moment::now());
        let is_progress = is_from_afar && was_sweeping && takes_long(&self.app);
        self.urgent |= !is_progress && !effects.is_empty();
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
                    Effect::Draw | Effect::Notice(_) => self.changed = true,
                    Effect::Redraw => self.redraw(),
                    Effect::Demand(demand) => drop(self.fetch.demand.send_replace(demand)),
                    Effect::Arrange(wish) => self.finder.ask(wish),
                    Effect::Judge(case) => self.judge.ask(*case),
                    Effect::Run(job) => self.start(*job),
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
                        more.extend(self.measured());
                        if let Err(why) = suspended {
                            more.extend(self.app.update(Message::NotSuspended(why), Moment::now()));
                        }
                    }
                    Effect::Switch(at) if self.workspaces.asks(at).is_some() => match Box::pin(self.ask_for(at)).await {
                        ControlFlow::Continue(effects) => more.extend(effects),
                        ControlFlow::Break(ended) => return Ok(ControlFlow::Break(ended)),
                    },
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

    /// Asks for webhooks beside the loop, the way that the fetch task has opened.
    fn ask(&mut self, question: RemovalQuestion) {
        let Some(source) = self.fetch.source.get().cloned() else { return };
        let policy = self.fetch.policy;
        drop(self.jobs.spawn(async move { question.ask(&source, policy).await }));
    }

    /// Gets the way to a workspace whose key command may ask a person.
    async fn ask_for(&mut self, at: usize) -> ControlFlow<Ended, Vec<Effect>> {
        self.workspaces.stop();
        let name = self.workspaces.asks(at).cloned().unwrap_or_default();
        let resolve = self.workspaces.resolve(at);
        let (resolved, mut effects) = self.lend_terminal(&name, resolve).await?;
        effects.extend(self.change_workspace(at, resolved));
        ControlFlow::Continue(effects)
    }

    /// Reads the key again that the API refused, if a command prints it that may ask a person.
    async fn renew_key(&mut self) -> ControlFlow<Ended, Vec<Effect>> {
        let Some((settings, renewal)) = self.api.as_ref().and_then(|api| Some((api, api.renewal.clone()?))) else {
            return ControlFlow::Continue(Vec::new());
        };
        if !renewal.asks {
            return ControlFlow::Continue(Vec::new());
        }
        let (settings, name) = (settings.clone(), self.app.session.workspace.profile.clone());
        let (read, mut effects) = self.lend_terminal(&name, async move { renewal.read().await }).await?;
        match read {
            Ok(key) if key == settings.key => {}
            Ok(key) => self.restart_fetch(ClientSettings { key, ..settings }),
            Err(why) => effects.extend(self.app.update(Message::NotRenewed(why), Moment::now())),
        }
        ControlFlow::Continue(effects)
    }

    fn restart_fetch(&mut self, settings: ClientSettings) {
        self.fetch.task.abort();
        self.api = Some(settings.clone());
        let open = move || Ok(Source::from(Arc::new(Client::new(&settings.never_asking())?)));
        self.fetch = Fetch::start(open, self.fetch.policy, &self.app);
    }

    /// Leaves the screen to a key command, which has the terminal until it ends.
    async fn lend_terminal<T>(
        &mut self,
        name: &Safe,
        command: impl Future<Output = Result<T, Safe>>,
    ) -> ControlFlow<Ended, (Result<T, Safe>, Vec<Effect>)> {
        self.input.pause().await;
        self.console.release(&safe!("hookscope: getting the key of {}; ctrl-c cancels", name));
        let answer = self.answer(command).await;
        self.console.retake(self.app.settings.mouse);
        self.input.resume();
        let effects = self.measured();
        ControlFlow::Continue((answer?, effects))
    }

    /// Waits for a key command, and for what ends it or the explorer before.
    async fn answer<T>(&mut self, command: impl Future<Output = Result<T, Safe>>) -> ControlFlow<Ended, Result<T, Safe>> {
        let mut command = pin!(command);
        let mut failed = None;
        loop {
            let event = tokio::select! {
                biased;
                event = self.console.event(false) => event,
                answer = &mut command, if failed.is_none() => match answer {
                    Ok(answer) => return ControlFlow::Continue(Ok(answer)),
                    Err(why) => {
                        failed = Some(why);
                        continue;
                    }
                },
                () = sleep(INTERRUPT), if failed.is_some() => return ControlFlow::Continue(Err(failed.unwrap_or_default())),
            };
            match event {
                // It reaches the command and the explorer at once, and is meant for the command.
                ConsoleEvent::Signal(INTERRUPTED) => {
                    if failed.is_none() {
                        // Until then it takes keys that are meant for the explorer.
                        drop(timeout(ENDING, command).await);
                    }
                    return ControlFlow::Continue(Err(failed.unwrap_or_else(|| "the key command was stopped".into())));
                }
                ConsoleEvent::Signal(number) => return ControlFlow::Break(Ended::Signal(number)),
                ConsoleEvent::Vanished => return ControlFlow::Break(Ended::Vanished),
                ConsoleEvent::Panicked => return ControlFlow::Break(Ended::Panicked),
                // The terminal is the command's.
                ConsoleEvent::Stopping | ConsoleEvent::Continued | ConsoleEvent::Resized | ConsoleEvent::Free => {}
            }
        }
    }

    /// Shows another workspace, if there is a way to it. The fetch task of the last one ends, and with its channel all that it
    /// could still say.
    fn change_workspace(&mut self, at: usize, resolved: Resolved) -> Vec<Effect> {
        let connection = match resolved {
            Ok(connection) => connection,
            Err(why) => return self.app.update(Message::NotSwitched(why), Moment::now()),
        };
        // Threads of its own, since the others still work on the last workspace.
        let threads = Finder::start().and_then(|finder| Ok((finder, Judge::start()?)));
        let (finder, judge) = match threads {
            Ok(threads) => threads,
            Err(error) => {
                let name = self.workspaces.all().get(at).map(|profile| profile.shown.clone()).unwrap_or_default();
                let why = safe!("not switched to {}: cannot start a thread: {}", name, clean(&error.to_string()));
                return self.app.update(Message::NotSwitched(why), Moment::now());
            }
        };
        self.fetch.task.abort();
        let workspace = WorkspaceInfo::new(at, &connection, (self.store)(&connection), self.workspaces.invocation(at));
        self.finder = finder;
        self.prober.stop();
        self.judge = judge;
        let effects = self.app.update(Message::Switched(Box::new(workspace)), Moment::now());
        self.fetch.policy = connection.policy;
        self.restart_fetch(connection.api);
        effects
    }

    fn redraw(&mut self) {
        self.changed = true;
        self.screen.reset(self.app.ui.size);
    }
}

/// Why a file is not written that somebody asked for.
fn unexported(outcome: &Outcome) -> Result<(), Error> {
    match outcome {
        Outcome::NotExported { path, words, .. } => {
            Err(Error::Output(safe!("{}: {}", clean(&path.to_string_lossy()), words)))
        }
        Outcome::Exists { path } => {
            Err(Error::Output(safe!("{}: this file exists, nothing was written", clean(&path.to_string_lossy()))))
        }
        _ => Ok(()),
    }
}

/// What the fetch task says, but not before then. Giving up the wait loses nothing.
async fn gathered(events: &mut mpsc::Receiver<FetchEvent>, then: Option<Instant>) -> Option<FetchEvent> {
    if let Some(then) = then {
        sleep_until(then).await;
    }
    events.recv().await
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Generation;

    #[tokio::test(start_paused = true)]
    async fn pages_are_gathered_until_their_time_and_no_longer() {
        let (send, mut events) = mpsc::channel(8);
        let swept = || FetchEvent::Swept { generation: Generation::default(), problems: Vec::new() };
        let start = Instant::now();
        send.send(swept()).await.unwrap();
        assert!(gathered(&mut events, Some(start + GATHERING)).await.is_some());
        assert!(start.elapsed() >= GATHERING);
        let start = Instant::now();
        send.send(swept()).await.unwrap();
        assert!(gathered(&mut events, None).await.is_some());
        send.send(swept()).await.unwrap();
        assert!(gathered(&mut events, Some(start)).await.is_some());
        assert_eq!(start.elapsed(), Duration::ZERO, "nothing is held back outside a batch, or after its time");
        // Given up while it waits, it has taken nothing.
        send.send(swept()).await.unwrap();
        let wait = gathered(&mut events, Some(start + GATHERING));
        assert!(timeout(Duration::from_millis(1), wait).await.is_err());
        assert_eq!(events.len(), 1);
    }
}
