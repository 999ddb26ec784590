//! Keys, pastes and the mouse, read by a thread of its own.
//!
//! crossterm reads the terminal until it has a whole event, and waits in there for the rest of one: a paste whose end never
//! comes, half a character, half a sequence of a link that stalls. Its own stream may wait like that in the thread that polls it,
//! which is the loop's: deaf to signals from then on.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use crossterm::event::{Event, read};
use futures_core::Stream;
use tokio::sync::mpsc;

use super::console;

/// Events that wait for the loop; more of them wait in the terminal.
const WAITING: usize = 1024;

/// What the terminal sends, until it is gone.
#[derive(Debug)]
pub struct Input {
    events: mpsc::Receiver<io::Result<Event>>,
}

impl Input {
    /// Starts the thread. It ends with the process, or when the terminal cannot be read any more.
    pub fn start() -> Self {
        let (send, events) = mpsc::channel(WAITING);
        thread::spawn(move || {
            loop {
                let event = match read() {
                    // The console tells of sizes: in here they come late when the rest of an event is waited for.
                    Ok(Event::Resize(..)) => continue,
                    // What crossterm says of a terminal that is gone depends on the moment. The end of the events says it best.
                    Err(error) if is_end(&error) || console::is_gone() => return,
                    event => event,
                };
                let failed = event.is_err();
                if send.blocking_send(event).is_err() || failed {
                    return;
                }
            }
        });
        Self { events }
    }
}

/// Also what a process in the background gets whose shell is gone.
fn is_end(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

impl Stream for Input {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_recv(context)
    }
}
