//! The way to the terminal. A write to a stalled SSH link blocks, so a thread of its own does it: the loop goes on, draws no
//! frame that could not be sent, and can always end. What the terminal takes at once needs no thread to wake up: it is written
//! without blocking.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::Notify;

/// A handle to the writing thread.
#[derive(Debug, Clone)]
pub struct Link {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Something is there to be written, or was written.
    changed: Condvar,
    freed: Notify,
    broken: Notify,
}

#[derive(Default)]
struct State {
    /// Writes what is taken at once, and never blocks.
    direct: Option<Box<dyn Write + Send>>,
    pending: Vec<u8>,
    writing: bool,
    /// Nothing is taken any more.
    closed: bool,
    /// Bytes that were taken so far.
    taken: u64,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("pending", &self.pending.len()).field("writing", &self.writing).finish_non_exhaustive()
    }
}

impl State {
    fn is_free(&self) -> bool {
        self.pending.is_empty() && !self.writing
    }

    /// Writes what can be written without blocking and without getting ahead of anything; returns the rest.
    fn write_now<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if !self.is_free() {
            return bytes;
        }
        let Some(direct) = &mut self.direct else { return bytes };
        // Whatever is wrong, the thread will find out, and wait if that helps.
        let written = direct.write(bytes).unwrap_or(0);
        bytes.get(written..).unwrap_or_default()
    }
}

impl Link {
    /// Starts the thread. It ends with the process, or when a write fails: then the terminal is gone, which others notice.
    pub fn new(mut out: impl Write + Send + 'static) -> io::Result<Self> {
        let link = Self { shared: Arc::default() };
        let shared = Arc::clone(&link.shared);
        thread::Builder::new().spawn(move || {
            loop {
                let bytes = shared.next();
                let failed = write_all(&mut out, &bytes).is_err();
                shared.written(failed);
                if failed {
                    return;
                }
            }
        })?;
        Ok(link)
    }

    /// Has the same terminal written to from here as long as that does not block, through a handle that never does.
    pub fn set_direct(&self, direct: impl Write + Send + 'static) {
        self.shared.lock().direct = Some(Box::new(direct));
    }

    /// Waits until a write fails.
    pub async fn broken(&self) {
        self.shared.broken.notified().await;
    }

    /// Queues bytes; once the link is closed they are dropped.
    pub fn send(&self, bytes: &[u8]) {
        let mut state = self.shared.lock();
        if state.closed {
            return;
        }
        state.taken += bytes.len() as u64;
        let rest = state.write_now(bytes);
        if !rest.is_empty() {
            state.pending.extend_from_slice(rest);
            self.shared.changed.notify_all();
        }
    }

    /// Bytes that were queued so far.
    pub fn sent(&self) -> u64 {
        self.shared.lock().taken
    }

    /// Whether everything was written.
    pub fn is_free(&self) -> bool {
        self.shared.lock().is_free()
    }

    /// Waits until everything was written.
    pub async fn freed(&self) {
        loop {
            let freed = self.shared.freed.notified();
            if self.is_free() {
                return;
            }
            freed.await;
        }
    }

    /// Waits until everything was written, but no longer than this; whether it was.
    pub fn drain(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut state = self.shared.lock();
        while !state.is_free() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
            state = waited.0;
        }
        true
    }

    /// Takes no more bytes from anybody.
    pub fn close(&self) {
        self.shared.lock().closed = true;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements: a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Vec<u8> {
        let mut state = self.lock();
        while state.pending.is_empty() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.writing = true;
        std::mem::take(&mut state.pending)
    }

    fn written(&self, failed: bool) {
        let mut state = self.lock();
        state.writing = false;
        if failed {
            state.closed = true;
            state.pending.clear();
            // A permit is kept for a loop that is busy just now.
            self.broken.notify_one();
        }
        self.changed.notify_all();
        self.freed.notify_waiters();
    }
}

/// Writes everything, also to a terminal that some other program left non-blocking.
fn write_all(out: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let stdout = rustix::stdio::stdout();
                poll(&mut [PollFd::new(&stdout, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error),
        }
    }
    out.flush()
}

/// Collects a frame and sends it whole.
#[derive(Debug)]
pub struct FrameWriter {
    link: Link,
    frame: Vec<u8>,
}

impl FrameWriter {
    pub fn new(link: Link) -> Self {
        Self { link, frame: Vec::new() }
    }
}

impl Write for FrameWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.frame.is_empty() {
            self.link.send(&self.frame);
            self.frame.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A terminal that takes what it gets only when it is told to.
    struct Stalled {
        go_on: mpsc::Receiver<()>,
        got: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.go_on.recv().map_err(io::Error::other)?;
            self.got.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn stalled() -> (Link, mpsc::Sender<()>, mpsc::Receiver<Vec<u8>>) {
        let (go_on, gate) = mpsc::channel();
        let (got, written) = mpsc::channel();
        (Link::new(Stalled { go_on: gate, got }).unwrap(), go_on, written)
    }

    #[tokio::test]
    async fn a_stalled_link_blocks_nobody() {
        let (link, go_on, written) = stalled();
        assert!(link.is_free());
        link.send(b"one");
        assert!(!link.is_free() && !link.drain(Duration::ZERO));
        go_on.send(()).unwrap();
        link.freed().await;
        assert_eq!(written.recv().unwrap(), b"one");
    }

    /// A terminal that takes three bytes at once.
    struct Short(mpsc::Sender<Vec<u8>>);

    impl Write for Short {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = &bytes[..bytes.len().min(3)];
            self.0.send(taken.to_vec()).map_err(io::Error::other)?;
            Ok(taken.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_is_taken_at_once_needs_no_thread_and_nothing_gets_ahead() {
        let (link, go_on, written) = stalled();
        let (got, direct) = mpsc::channel();
        link.set_direct(Short(got));
        link.send(b"one");
        assert!(link.is_free());
        link.send(b"two and more");
        link.send(b", in order");
        assert!(!link.is_free());
        assert_eq!(direct.try_iter().collect::<Vec<_>>(), [b"one", b"two"]);
        for _ in 0..2 {
            go_on.send(()).unwrap();
        }
        link.freed().await;
        assert_eq!(written.try_iter().collect::<Vec<_>>().concat(), b" and more, in order");
        assert_eq!(link.sent(), 25);
    }

    #[test]
    fn a_closed_link_takes_nothing_more() {
        let (link, go_on, written) = stalled();
        link.close();
        link.send(b"late");
        assert!(link.is_free());
        drop(go_on);
        assert!(written.try_recv().is_err());
    }

    /// A terminal that takes one byte at a time, every second time.
    struct NonBlocking {
        ready: bool,
        got: mpsc::Sender<u8>,
    }

    impl Write for NonBlocking {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.ready = !self.ready;
            let Some(&byte) = bytes.first().filter(|_| self.ready) else { return Err(ErrorKind::WouldBlock.into()) };
            self.got.send(byte).map_err(io::Error::other)?;
            Ok(1)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_terminal_that_does_not_block_gets_everything() {
        let (got, written) = mpsc::channel();
        let link = Link::new(NonBlocking { ready: false, got }).unwrap();
        link.send(b"all of it");
        link.freed().await;
        assert_eq!(written.try_iter().collect::<Vec<_>>(), b"all of it");
    }

    #[tokio::test]
    async fn a_broken_link_is_free_again() {
        let (link, go_on, _) = stalled();
        drop(go_on);
        link.send(b"lost");
        link.broken().await;
        link.freed().await;
        link.send(b"lost too");
        assert!(link.is_free());
    }
}
