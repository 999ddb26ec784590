//! Writes to the terminal without blocking the loop. A write to a stalled SSH connection blocks, so a thread does it: the
//! loop goes on, draws no frame that could not be sent, and can always exit. Bytes that the terminal takes at once are
//! written directly, so that no thread has to wake up.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::Notify;

/// A handle to the thread that writes.
#[derive(Debug, Clone)]
pub struct TtyWriter {
    shared: Arc<TtyShared>,
}

#[derive(Debug, Default)]
struct TtyShared {
    queue: Mutex<TtyQueue>,
    /// Notified when bytes were queued or written.
    changed: Condvar,
    freed: Notify,
    broken: Notify,
}

#[derive(Default)]
struct TtyQueue {
    /// A handle to the same terminal that never blocks.
    direct: Option<Box<dyn Write + Send>>,
    pending: Vec<u8>,
    writing: bool,
    /// True if further bytes are dropped.
    closed: bool,
}

impl fmt::Debug for TtyQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TtyQueue")
            .field("pending", &self.pending.len())
            .field("writing", &self.writing)
            .finish_non_exhaustive()
    }
}

impl TtyQueue {
    fn is_free(&self) -> bool {
        self.pending.is_empty() && !self.writing
    }

    /// Writes as many bytes as possible without blocking, unless others are queued. Returns the rest.
    fn write_now<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if !self.is_free() {
            return bytes;
        }
        let Some(direct) = &mut self.direct else { return bytes };
        // After an error, the thread tries again, and waits if that helps.
        let written = direct.write(bytes).unwrap_or(0);
        bytes.get(written..).unwrap_or_default()
    }
}

impl TtyWriter {
    /// Starts the thread. It ends with the process, or when a write fails because the terminal was closed.
    pub fn new(mut out: impl Write + Send + 'static) -> io::Result<Self> {
        let writer = Self { shared: Arc::default() };
        let shared = Arc::clone(&writer.shared);
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
        Ok(writer)
    }

    /// Sets a handle to the same terminal that never blocks. While it takes all bytes, the thread has nothing to do.
    pub fn set_direct(&self, direct: impl Write + Send + 'static) {
        self.shared.lock().direct = Some(Box::new(direct));
    }

    /// Waits until a write fails.
    pub async fn broken(&self) {
        self.shared.broken.notified().await;
    }

    /// Queues bytes; once the writer is closed, they are dropped.
    pub fn send(&self, bytes: &[u8]) {
        let mut queue = self.shared.lock();
        if queue.closed || bytes.is_empty() {
            return;
        }
        let rest = queue.write_now(bytes);
        if !rest.is_empty() {
            queue.pending.extend_from_slice(rest);
            self.shared.changed.notify_all();
        }
    }

    /// Returns true if everything was written.
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

    /// Waits until everything was written, but no longer than `patience`. Returns true if it was.
    pub fn drain(&self, patience: Duration) -> bool {
        let busy = |queue: &mut TtyQueue| !queue.is_free();
        let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), patience, busy);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Drops all bytes that are sent from now on.
    pub fn close(&self) {
        self.shared.lock().closed = true;
    }
}

impl TtyShared {
    fn lock(&self) -> MutexGuard<'_, TtyQueue> {
        // The queue is never half-changed, so a panic elsewhere does not corrupt it.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Vec<u8> {
        let waited = self.changed.wait_while(self.lock(), |queue| queue.pending.is_empty());
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        queue.writing = true;
        std::mem::take(&mut queue.pending)
    }

    fn written(&self, failed: bool) {
        let mut queue = self.lock();
        queue.writing = false;
        if failed {
            queue.closed = true;
            queue.pending.clear();
            // The permit is stored if the loop is busy.
            self.broken.notify_one();
        }
        self.changed.notify_all();
        self.freed.notify_waiters();
    }
}

/// Writes all bytes, even to a terminal that another program left non-blocking.
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A terminal that takes bytes only when the test lets it.
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

    fn stalled() -> (TtyWriter, mpsc::Sender<()>, mpsc::Receiver<Vec<u8>>) {
        let (go_on, gate) = mpsc::channel();
        let (got, written) = mpsc::channel();
        (TtyWriter::new(Stalled { go_on: gate, got }).unwrap(), go_on, written)
    }

    #[tokio::test]
    async fn a_stalled_writer_blocks_nobody() {
        let (writer, go_on, written) = stalled();
        assert!(writer.is_free());
        writer.send(b"one");
        assert!(!writer.is_free() && !writer.drain(Duration::ZERO));
        go_on.send(()).unwrap();
        writer.freed().await;
        assert_eq!(written.recv().unwrap(), b"one");
    }

    /// A terminal that takes at most three bytes at once.
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
        let (writer, go_on, written) = stalled();
        let (got, direct) = mpsc::channel();
        writer.set_direct(Short(got));
        writer.send(b"one");
        assert!(writer.is_free());
        writer.send(b"two and more");
        writer.send(b", in order");
        assert!(!writer.is_free());
        assert_eq!(direct.try_iter().collect::<Vec<_>>(), [b"one", b"two"]);
        for _ in 0..2 {
            go_on.send(()).unwrap();
        }
        writer.freed().await;
        assert_eq!(written.try_iter().collect::<Vec<_>>().concat(), b" and more, in order");
    }

    #[test]
    fn a_closed_writer_takes_nothing_more() {
        let (writer, go_on, written) = stalled();
        writer.close();
        writer.send(b"late");
        assert!(writer.is_free());
        drop(go_on);
        assert!(written.try_recv().is_err());
    }

    /// A terminal that takes one byte at a time, and every second time none.
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
        let writer = TtyWriter::new(NonBlocking { ready: false, got }).unwrap();
        writer.send(b"all of it");
        writer.freed().await;
        assert_eq!(written.try_iter().collect::<Vec<_>>(), b"all of it");
    }

    #[tokio::test]
    async fn a_broken_writer_is_free_again() {
        let (writer, go_on, _) = stalled();
        drop(go_on);
        writer.send(b"lost");
        writer.broken().await;
        writer.freed().await;
        writer.send(b"lost too");
        assert!(writer.is_free());
    }
}
