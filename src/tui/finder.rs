//! Filters and sorts in the background: a thread that works on the latest wish, so that typing never waits for matching.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::mpsc;

use crate::analysis::arrange::{Answer, Arranger, Question};

/// Answers that wait for the loop. Each is told with the whole order, so few are enough.
const WAITING: usize = 2;

/// Which rows are to be shown. The latest wish counts.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Another number for another question. The same question about more rows keeps it: its answer is not cut short, so that
    /// rows that stream in cannot keep it from ever being given.
    pub epoch: u64,
    /// Of the rows.
    pub version: u64,
    pub question: Question,
}

impl PartialEq for Wish {
    fn eq(&self, other: &Self) -> bool {
        (self.epoch, self.version) == (other.epoch, other.version)
    }
}

impl Eq for Wish {}

/// An answer to a wish.
#[derive(Debug, Clone)]
pub struct Arranged {
    pub epoch: u64,
    pub version: u64,
    pub answer: Answer,
}

impl Wish {
    /// Works on the wish; see [`Arranger::answer`].
    pub fn work(
        &self,
        arranger: &mut Arranger,
        goes_on: &mut dyn FnMut() -> bool,
        tell: &mut dyn FnMut(Arranged),
    ) -> Option<Arranged> {
        let addressed = |answer| Arranged { epoch: self.epoch, version: self.version, answer };
        let answer = arranger.answer(&self.question, goes_on, &mut |first| tell(addressed(first)))?;
        Some(addressed(answer))
    }
}

/// The thread as the loop sees it. It ends when this is dropped.
#[derive(Debug)]
pub struct Finder {
    mailbox: Arc<Mailbox>,
    answers: mpsc::Receiver<Arranged>,
}

#[derive(Debug, Default)]
struct Mailbox {
    letter: Mutex<Letter>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Letter {
    wish: Option<Wish>,
    is_over: bool,
}

impl Finder {
    pub fn start() -> Self {
        let mailbox = Arc::<Mailbox>::default();
        let (send, answers) = mpsc::channel(WAITING);
        let inbox = Arc::clone(&mailbox);
        thread::spawn(move || {
            let mut arranger = Arranger::default();
            while let Some(wish) = inbox.next() {
                let mut goes_on = || inbox.is_wanted(&wish);
                let mut tell = |first| drop(send.blocking_send(first));
                let whole = wish.work(&mut arranger, &mut goes_on, &mut tell);
                if let Some(whole) = whole
                    && send.blocking_send(whole).is_err()
                {
                    return;
                }
            }
        });
        Self { mailbox, answers }
    }

    /// Tells what is to be shown now, in place of what was told before.
    pub fn ask(&self, wish: Wish) {
        self.mailbox.lock().wish = Some(wish);
        self.mailbox.changed.notify_one();
    }

    /// The next answer; `None` when the thread has ended, which it does only by a panic.
    pub async fn answer(&mut self) -> Option<Arranged> {
        self.answers.recv().await
    }
}

impl Drop for Finder {
    fn drop(&mut self) {
        self.mailbox.lock().is_over = true;
        self.mailbox.changed.notify_one();
    }
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Letter> {
        // A letter is whole between any two statements.
        self.letter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a wish; `None` at the end.
    fn next(&self) -> Option<Wish> {
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

    /// Whether no other question was asked since.
    fn is_wanted(&self, wish: &Wish) -> bool {
        let letter = self.lock();
        !letter.is_over && letter.wish.as_ref().is_none_or(|newer| newer.epoch == wish.epoch)
    }
}
