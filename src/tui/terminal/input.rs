//! Reads keyboard, mouse and pastes in a thread. The thread sleeps until bytes arrive, a pause ends an unfinished sequence,
//! or the loop lends the terminal to another program.

mod decoder;
mod keys;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use std::time::Instant;

use crossterm::event::Event;
use futures_core::Stream;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use tokio::sync::mpsc;

pub use self::decoder::Decoder;
use super::console;

/// The most events to buffer for the loop. Further bytes stay in the terminal's buffer.
const WAITING: usize = 1024;
/// The most bytes to read at once: as many as a terminal buffers.
const CHUNK: usize = 4096;

/// Input that can leave stdin to another program for a while.
pub trait Keyboard: Stream<Item = io::Result<Event>> + Unpin {
    /// Returns once stdin is no longer read.
    fn pause(&mut self) -> impl Future<Output = ()>;
    /// Resumes reading stdin.
    fn resume(&mut self);
}

/// The stream of events from the terminal, until it is closed.
#[derive(Debug)]
pub struct Input {
    events: mpsc::Receiver<io::Result<Event>>,
    /// Events that arrived while waiting for a pause.
    held: VecDeque<io::Result<Event>>,
    /// A byte written to it makes the thread stop reading stdin until the next byte.
    bell: UnixStream,
    /// Receives a message once the thread has stopped reading.
    paused: mpsc::Receiver<()>,
}

impl Input {
    /// Starts the thread. It ends with the process, or when the terminal can no longer be read.
    pub fn start() -> io::Result<Self> {
        let (send, events) = mpsc::channel(WAITING);
        let (pausing, paused) = mpsc::channel(1);
        let (bell, rung) = UnixStream::pair()?;
        let mut reader = InputReader { rung, paused: pausing, decoder: Decoder::default(), deadline: None };
        thread::Builder::new().spawn(move || {
            loop {
                let (events, error) = match reader.next() {
                    Ok(Some(events)) => (events, None),
                    // The loop treats the end of the stream as the end of the terminal.
                    Ok(None) => return,
                    Err(error) if is_end(&error) || console::is_gone() => return,
                    Err(error) => (Vec::new(), Some(error)),
                };
                let is_last = error.is_some();
                let mut all = events.into_iter().map(Ok).chain(error.map(Err));
                if all.any(|event| send.blocking_send(event).is_err()) || is_last {
                    return;
                }
            }
        })?;
        Ok(Self { events, held: VecDeque::new(), bell, paused })
    }

    fn ring(&self) {
        // It fails only if the thread has ended, and then nothing reads stdin.
        drop((&self.bell).write_all(b"!"));
    }
}

/// The state of the thread.
struct InputReader {
    rung: UnixStream,
    paused: mpsc::Sender<()>,
    decoder: Decoder,
    /// The time at which silence ends an unfinished sequence.
    deadline: Option<Instant>,
}

impl InputReader {
    /// Waits for bytes or for the end of a pause, and returns the resulting events; `None` at the end of the terminal or of
    /// the explorer.
    fn next(&mut self) -> io::Result<Option<Vec<Event>>> {
        let stdin = rustix::stdio::stdin();
        let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&self.rung, PollFlags::IN)];
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // Always at most a few seconds.
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        let mut events = Vec::new();
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(0) => {
                self.decoder.pause(&mut events);
                self.deadline = None;
                return Ok(Some(events));
            }
            Err(Errno::INTR) => return Ok(Some(Vec::new())),
            polled => drop(polled?),
        }
        let [of_stdin, of_bell] = fds.map(|fd| fd.revents());
        if !of_bell.is_empty() {
            return Ok(self.wait_through_a_pause().then(Vec::new));
        }
        if !of_stdin.contains(PollFlags::IN) {
            return if console::is_gone() { Ok(None) } else { Ok(Some(Vec::new())) };
        }
        let mut bytes = [0; CHUNK];
        let read = match rustix::io::read(stdin, &mut bytes) {
            // A background job also gets this error, and has to stop.
            Err(Errno::IO) => console::as_a_job(|| rustix::io::read(stdin, &mut bytes)),
            read => read,
        };
        let count = match read {
            Ok(0) => return Ok(None),
            // Another program read the bytes, or a signal interrupted the call.
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Some(Vec::new())),
            read => read?,
        };
        self.decoder.feed(bytes.get(..count).unwrap_or_default(), &mut events);
        self.deadline = self.decoder.patience().map(|patience| Instant::now() + patience);
        Ok(Some(events))
    }

    /// Stops reading stdin from one byte of the bell to the next, and drops an unfinished sequence. Returns false if the
    /// explorer has ended.
    fn wait_through_a_pause(&mut self) -> bool {
        self.decoder = Decoder::default();
        self.deadline = None;
        let mut byte = [0];
        (&self.rung).read_exact(&mut byte).is_ok()
            && self.paused.blocking_send(()).is_ok()
            && (&self.rung).read_exact(&mut byte).is_ok()
    }
}

impl Keyboard for Input {
    async fn pause(&mut self) {
        self.ring();
        loop {
            // The thread may have to wait for room in the channel before it sees the bell.
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

/// Returns true for the error of a closed terminal, or of a background process whose shell has ended.
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
