//! Keys, pastes and the mouse, read by a thread of its own.
//!
//! crossterm reads the terminal until it has a whole event, and waits in there for the rest of one: a paste whose end never
//! comes, half a character, half a sequence of a link that stalls. Its own stream may wait like that in the thread that polls it,
//! which is the loop's: deaf to signals from then on.
//!
//! Between events the thread waits for the terminal by itself, so that it can be told to leave it to another program.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use crossterm::event::{Event, poll, read};
use futures_core::Stream;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use tokio::sync::mpsc;

use super::console;
use crate::clock;

/// Events that wait for the loop; more of them wait in the terminal.
const WAITING: usize = 1024;

/// How long crossterm may look for events that it has read already: so many looks at the clock, of which it takes half as many
/// before it begins. With no time left it does not look, and what it is given it spends running in circles, while the loop,
/// which was just woken, may be waiting for this very processor.
const GLANCE: u32 = 16;
/// What it does between those looks takes its time as well.
const SHORTEST_GLANCE: Duration = Duration::from_micros(2);
/// A thread that is kept from running for as long as it may look does not look at all. So it looks again, with patience, when
/// something has come or nothing has for a while.
const LOOK: Duration = Duration::from_micros(50);
const WHILE: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// Keys that can leave stdin to another program for a while.
pub trait Keyboard: Stream<Item = io::Result<Event>> + Unpin {
    /// Returns when stdin is not read any more.
    fn pause(&mut self) -> impl Future<Output = ()>;
    /// Stdin is read again.
    fn resume(&mut self);
}

/// What the terminal sends, until it is gone.
#[derive(Debug)]
pub struct Input {
    events: mpsc::Receiver<io::Result<Event>>,
    /// What came while a pause was waited for.
    held: VecDeque<io::Result<Event>>,
    /// A byte in here makes the thread wait for another one.
    bell: UnixStream,
    /// The thread says here that it waits.
    paused: mpsc::Receiver<()>,
}

impl Input {
    /// Starts the thread. It ends with the process, or when the terminal cannot be read any more.
    pub fn start() -> io::Result<Self> {
        let (send, events) = mpsc::channel(WAITING);
        let (tell, paused) = mpsc::channel(1);
        let (bell, rung) = UnixStream::pair()?;
        let reader = Reader { rung, tell, glance: (clock::cost_of_a_look() * GLANCE).max(SHORTEST_GLANCE) };
        thread::spawn(move || {
            while let Some(event) = reader.next() {
                let failed = event.is_err();
                if send.blocking_send(event).is_err() || failed {
                    return;
                }
            }
        });
        Ok(Self { events, held: VecDeque::new(), bell, paused })
    }

    fn ring(&self) {
        // Without the thread there is nobody to be told.
        drop((&self.bell).write_all(b"!"));
    }
}

/// The thread's side.
struct Reader {
    rung: UnixStream,
    tell: mpsc::Sender<()>,
    /// See [`GLANCE`].
    glance: Duration,
}

impl Reader {
    /// The next event; `None` at the end of the terminal or of the explorer.
    fn next(&self) -> Option<io::Result<Event>> {
        loop {
            let event = match self.has_event() {
                Ok(true) => read(),
                Ok(false) => continue,
                Err(error) => Err(error),
            };
            return match event {
                // The console tells of sizes: in here they come late when the rest of an event is waited for.
                Ok(Event::Resize(..)) => continue,
                // What crossterm says of a terminal that is gone depends on the moment. The end of the events says it best.
                Err(error) if is_end(&error) || console::is_gone() => None,
                event => Some(event),
            };
        }
    }

    /// Whether crossterm has an event; if not, waits until it may have one.
    fn has_event(&self) -> io::Result<bool> {
        if poll(self.glance)? {
            return Ok(true);
        }
        let waited = self.wait(Some(&WHILE))?;
        if poll(LOOK)? {
            return Ok(true);
        }
        if waited == Waited::InVain {
            if poll(LOOK)? {
                return Ok(true);
            }
            self.wait(None)?;
        }
        Ok(false)
    }

    /// Waits for more on stdin, where nothing is read meanwhile, and through a pause.
    fn wait(&self, patience: Option<&Timespec>) -> io::Result<Waited> {
        let stdin = rustix::stdio::stdin();
        let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&self.rung, PollFlags::IN)];
        match rustix::event::poll(&mut fds, patience) {
            Ok(0) => return Ok(Waited::InVain),
            Err(Errno::INTR) => return Ok(Waited::ForSomething),
            polled => drop(polled?),
        }
        let [of_stdin, of_bell] = fds.map(|fd| fd.revents());
        if !of_bell.is_empty() {
            let mut byte = [0];
            (&self.rung).read_exact(&mut byte)?;
            self.tell.blocking_send(()).map_err(io::Error::other)?;
            (&self.rung).read_exact(&mut byte)?;
        } else if !of_stdin.contains(PollFlags::IN) && console::is_gone() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(Waited::ForSomething)
    }
}

/// What a wait came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waited {
    ForSomething,
    InVain,
}

impl Keyboard for Input {
    async fn pause(&mut self) {
        self.ring();
        loop {
            // The thread may be waiting for room before it can hear the bell.
            tokio::select! {
                _ = self.paused.recv() => return,
                Some(event) = self.events.recv() => self.held.push_back(event),
            }
        }
    }

    fn resume(&mut self) {
        self.ring();
    }
}

/// Also what a process in the background gets whose shell is gone.
fn is_end(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::IO.raw_os_error())
}

impl Stream for Input {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.held.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None => self.events.poll_recv(context),
        }
    }
}
