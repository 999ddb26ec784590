//! A thread that works on the latest request. A newer request replaces one that is waiting, and cancels the one in progress
//! if it asks for something else.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::mpsc;

use crate::analysis::IsNeeded;

/// The most answers to buffer for the loop.
const WAITING: usize = 2;

/// A request to a thread.
pub trait WorkRequest: Send + Sync + 'static {
    type Answer: Send + 'static;
    /// The state that the thread keeps between requests.
    type Memory: Default + Send + 'static;

    /// Returns true if the request is worth finishing although there is a newer one.
    fn is_needed_beside(&self, newer: &Self) -> bool;

    /// Works until it is done, or until `is_needed` returns false. `tell` takes answers before the last one.
    fn work(
        &self,
        memory: &mut Self::Memory,
        is_needed: IsNeeded<'_>,
        tell: &mut dyn FnMut(Self::Answer),
    ) -> Option<Self::Answer>;
}

/// A handle to the thread, which ends when the handle is dropped.
#[derive(Debug)]
pub struct Worker<W: WorkRequest> {
    mailbox: Arc<Mailbox<W>>,
    answers: mpsc::Receiver<W::Answer>,
}

#[derive(Debug)]
struct Mailbox<W> {
    letter: Mutex<Letter<W>>,
    changed: Condvar,
}

#[derive(Debug)]
struct Letter<W> {
    wish: Option<W>,
    is_over: bool,
}

impl<W: WorkRequest> Worker<W> {
    /// # Errors
    ///
    /// The thread cannot be started.
    pub fn start() -> io::Result<Self> {
        let letter = Mutex::new(Letter::<W> { wish: None, is_over: false });
        let mailbox = Arc::new(Mailbox { letter, changed: Condvar::new() });
        let (send, answers) = mpsc::channel(WAITING);
        let inbox = Arc::clone(&mailbox);
        thread::Builder::new().spawn(move || {
            let mut memory = W::Memory::default();
            while let Some(wish) = inbox.next() {
                let is_needed = || inbox.is_wanted(&wish);
                let mut tell = |first| drop(send.blocking_send(first));
                let whole = wish.work(&mut memory, &is_needed, &mut tell);
                if whole.is_some_and(|whole| send.blocking_send(whole).is_err()) {
                    return;
                }
            }
        })?;
        Ok(Self { mailbox, answers })
    }

    /// Sends a request, which replaces any request that is waiting.
    pub fn ask(&self, wish: W) {
        self.mailbox.lock().wish = Some(wish);
        self.mailbox.changed.notify_one();
    }

    /// The next answer; `None` if the thread has panicked.
    pub async fn answer(&mut self) -> Option<W::Answer> {
        self.answers.recv().await
    }
}

impl<W: WorkRequest> Drop for Worker<W> {
    fn drop(&mut self) {
        self.mailbox.lock().is_over = true;
        self.mailbox.changed.notify_one();
    }
}

impl<W: WorkRequest> Mailbox<W> {
    fn lock(&self) -> MutexGuard<'_, Letter<W>> {
        // A panic cannot leave it half-changed.
        self.letter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a request; `None` at the end.
    fn next(&self) -> Option<W> {
        let mut letter = self.lock();
        loop {
            if letter.is_over {
                return None;
            }
            if let Some(wish) = letter.wish.take() {
                return Some(wish);
            }
            letter = self.changed.wait(letter).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Returns true unless something else was requested in the meantime.
    fn is_wanted(&self, wish: &W) -> bool {
        let letter = self.lock();
        !letter.is_over && letter.wish.as_ref().is_none_or(|newer| wish.is_needed_beside(newer))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// The longest wait; nothing here takes as long.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Reports when it starts, and works until it is no longer needed.
    struct Endless(mpsc::UnboundedSender<()>);

    impl WorkRequest for Endless {
        type Answer = ();
        type Memory = ();

        fn is_needed_beside(&self, _newer: &Self) -> bool {
            false
        }

        fn work(&self, (): &mut (), is_needed: IsNeeded<'_>, _tell: &mut dyn FnMut(())) -> Option<()> {
            let _ends_with_the_test = self.0.send(());
            while is_needed() {
                thread::yield_now();
            }
            None
        }
    }

    #[tokio::test]
    async fn a_newer_wish_ends_the_one_before_and_a_drop_ends_the_thread() {
        let (begun, mut begins) = mpsc::unbounded_channel();
        let worker = Worker::start().unwrap();
        for _ in 0..3 {
            worker.ask(Endless(begun.clone()));
            timeout(PATIENCE, begins.recv()).await.unwrap().unwrap();
        }
        drop((worker, begun));
        assert_eq!(timeout(PATIENCE, begins.recv()).await, Ok(None), "the thread ends with it");
    }
}
