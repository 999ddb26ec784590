//! The signals that end a command.

use std::future::pending;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::base::files;

/// Removes unfinished files when a signal ends the program, which still ends by that signal. Without `interrupt`, ctrl-c is not
/// handled.
pub(super) fn end_clean(interrupt: bool) -> io::Result<()> {
    let mut signals = Signals::of(interrupt)?;
    tokio::spawn(async move {
        let signal = signals.next().await;
        files::remove_unfinished();
        if signal_hook::low_level::emulate_default_handler(signal.into()).is_err() {
            tracing::error!("signal {signal} did not end the program");
        }
    });
    Ok(())
}

/// The signals to handle. A signal that was ignored when the program started stays ignored, as `nohup` requires.
pub(super) struct Signals {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
    hangup: Option<Signal>,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Self::of(true)
    }

    fn of(interrupt: bool) -> io::Result<Self> {
        let ignored = ignored();
        let heard = |kind: SignalKind| {
            let bit = 1_u64.checked_shl(u32::try_from(kind.as_raw_value() - 1).unwrap_or(u32::MAX)).unwrap_or(0);
            if ignored & bit == 0 { signal(kind).map(Some) } else { Ok(None) }
        };
        Ok(Self {
            interrupt: if interrupt { heard(SignalKind::interrupt())? } else { None },
            terminate: heard(SignalKind::terminate())?,
            hangup: heard(SignalKind::hangup())?,
        })
    }

    /// Waits for one, and returns its number.
    pub(super) async fn next(&mut self) -> u8 {
        let kind = tokio::select! {
            () = receive(&mut self.interrupt) => SignalKind::interrupt(),
            () = receive(&mut self.terminate) => SignalKind::terminate(),
            () = receive(&mut self.hangup) => SignalKind::hangup(),
        };
        u8::try_from(kind.as_raw_value()).unwrap_or_default()
    }
}

async fn receive(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => pending().await,
    }
}

/// The signals that this process ignores, a bit each, as Linux tells it; elsewhere none are known to be.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}
