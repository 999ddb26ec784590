//! The signals that end the program, and the job-control signals that stop it. Uses no other module; start at [`Ending`].

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use nix::sys::signal::{SIGTSTP, SIGTTIN, SIGTTOU, SigSet, SigmaskHow};
use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// The signals that end the program: all that do so by default, except for the program's own faults.
const ENDING: [Signal; 12] = [
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::TERM,
    Signal::ABORT,
    Signal::ALARM,
    Signal::USR1,
    Signal::USR2,
    Signal::VTALARM,
    Signal::PROF,
    Signal::XCPU,
    Signal::XFSZ,
];

/// A stream of the signals that end the program. Once it is created, they no longer end the process by themselves.
#[derive(Debug)]
pub struct Ending(Vec<(Signal, tokio::signal::unix::Signal)>);

impl Ending {
    pub fn listen() -> io::Result<Self> {
        let stream = |number: Signal| Ok((number, signal(SignalKind::from_raw(number.as_raw()))?));
        ENDING.into_iter().map(stream).collect::<io::Result<_>>().map(Self)
    }

    /// Waits for a signal, and returns its number.
    pub async fn next(&mut self) -> u8 {
        let number = poll_fn(|context| {
            let mut received = self.0.iter_mut().filter_map(|(number, stream)| {
                let is_ready = stream.poll_recv(context).is_ready();
                is_ready.then_some(*number)
            });
            received.next().map_or(Poll::Pending, Poll::Ready)
        });
        u8::try_from(number.await.as_raw()).unwrap_or_default()
    }
}

/// The job-control signals that stop a program.
pub fn stops() -> SigSet {
    SigSet::from_iter([SIGTSTP]) | background_stops()
}

/// The subset of [`stops`] that stops a background program when it uses the terminal.
pub fn background_stops() -> SigSet {
    SigSet::from_iter([SIGTTIN, SIGTTOU])
}

/// Runs `work` with these signals unblocked. Programs that it starts inherit the mask.
pub fn unblocked<T>(signals: SigSet, work: impl FnOnce() -> T) -> T {
    let before = signals.thread_swap_mask(SigmaskHow::SIG_UNBLOCK);
    let done = work();
    if let Ok(before) = before {
        let _was_the_mask_just_now = before.thread_set_mask();
    }
    done
}
