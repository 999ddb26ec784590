//! Takes the terminal, restores it on every way out, and reports signals and its end. Start with [`Console`].

use std::fs::File;
use std::future::Future;
use std::io::{self, IsTerminal};
use std::panic::Location;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste};
use crossterm::queue;
use crossterm::style::ResetColor;
use crossterm::terminal::{
    Clear, ClearType, DisableLineWrap, EnableLineWrap, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use nix::sys::signal::raise;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fstat};
use rustix::io::Errno;
use rustix::process::{Signal, getpgrp, getpid, getsid, kill_current_process_group};
use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcgetpgrp, tcsetattr, ttyname};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use super::tty_writer::TtyWriter;
use crate::base::text::{Safe, clean};
use crate::output;
use crate::safe;
use crate::signals::{self, Ending};

/// The time limit for the last bytes, so that a stalled connection does not keep the program from exiting.
const PATIENCE: Duration = Duration::from_millis(500);
/// The time for a stop signal to take effect. A shell without job control discards it.
const STOP: Duration = Duration::from_millis(300);

/// The sequences that report buttons and the wheel (1000), as numbers (1006).
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";

/// The terminal to restore. It is taken out of here to do so, at the normal end, after an error, or in the panic hook of any
/// thread.
static TAKEN: Mutex<Option<TtyWriter>> = Mutex::new(None);

/// Notified of a panic in a thread or task that nothing waits for, such as a connection's. The panic hook has restored the
/// terminal, so the program cannot go on.
static PANICKED: Notify = Notify::const_new();

/// True while the terminal shows the explorer, so that it must be restored before the program stops.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// Notified when a job-control signal arrives while the explorer is shown.
static STOPPING: Notify = Notify::const_new();

/// An event from the terminal or the system that is not input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleEvent {
    /// A signal asks the program to end.
    Signal(u8),
    /// A signal asks the program to stop until it is continued.
    Stopping,
    /// The program was stopped and goes on: the terminal may be in any state.
    Continued,
    /// The size of the terminal may have changed.
    Resized,
    /// The terminal was closed.
    Vanished,
    /// The last frame was written.
    Free,
    /// A thread or task panicked, and the panic hook has restored the terminal.
    Panicked,
}

/// The output side of the terminal, as used by the loop.
pub trait Console {
    /// Sends bytes: frames, clipboard, mouse.
    fn send(&self, bytes: &[u8]);
    /// Returns true if all bytes were written. Until then, no frame is drawn.
    fn is_free(&self) -> bool;
    /// Waits for signals and for the end of the terminal, and if a frame is waiting, for [`Console::is_free`].
    fn event(&mut self, frame_waits: bool) -> impl Future<Output = ConsoleEvent>;
    /// Restores the terminal, stops the process group, and takes the terminal again when it is continued; or returns why it
    /// cannot. If it is continued only to end, returns the number of the ending signal, and does not use the terminal any
    /// more.
    fn suspend(&mut self, mouse: bool) -> impl Future<Output = Result<Option<u8>, &'static str>>;
    /// The size of the terminal, if it is known.
    fn size(&self) -> Option<(u16, u16)> {
        None
    }
    /// Restores the terminal and shows a line of text on it, until [`Console::retake`].
    fn release(&mut self, words: &Safe);
    /// Takes the terminal again, whatever state it is in.
    fn retake(&mut self, mouse: bool);
}

/// The console on a real terminal.
#[derive(Debug)]
pub struct Terminal {
    writer: TtyWriter,
    vanished: Arc<Notify>,
    signals: ConsoleSignals,
    /// The terminal settings when the terminal was last lent to another program.
    lent: Option<Termios>,
}

#[derive(Debug)]
struct ConsoleSignals {
    ending: Ending,
    continued: tokio::signal::unix::Signal,
    resized: tokio::signal::unix::Signal,
}

impl ConsoleSignals {
    fn new() -> io::Result<Self> {
        let listen = |number: Signal| signal(SignalKind::from_raw(number.as_raw()));
        Ok(Self { ending: Ending::listen()?, continued: listen(Signal::CONT)?, resized: listen(Signal::WINCH)? })
    }

    async fn next(&mut self) -> ConsoleEvent {
        tokio::select! {
            number = self.ending.next() => ConsoleEvent::Signal(number),
            () = STOPPING.notified() => ConsoleEvent::Stopping,
            _ = self.continued.recv() => ConsoleEvent::Continued,
            _ = self.resized.recv() => ConsoleEvent::Resized,
        }
    }
}

/// Returns true if another job is in the foreground of the terminal.
fn is_in_background() -> bool {
    tcgetpgrp(rustix::stdio::stdin()).is_ok_and(|foreground| foreground != getpgrp())
}

/// Blocks the job-control signals that stop a program, so that they wait for [`Console::suspend`] while the explorer is
/// shown; at other times they stop it as usual. Threads inherit the signal mask, so this must be called first.
///
/// A handler is not enough: only the default action continues to run if no shell could continue the program.
pub fn hold_stops() -> io::Result<()> {
    let stops = signals::stops();
    stops.thread_block()?;
    thread::Builder::new().spawn(move || {
        while let Ok(stop) = stops.wait() {
            if SHOWN.load(Ordering::SeqCst) {
                STOPPING.notify_one();
                continue;
            }
            // `raise` stops the process here until it is continued.
            let is_blocked = stops.thread_unblock().is_ok() && raise(stop).is_ok() && stops.thread_block().is_ok();
            if !is_blocked {
                return;
            }
        }
    })?;
    Ok(())
}

/// Reads from the terminal or sets its modes with the default actions of SIGTTIN and SIGTTOU, which stop a background job.
/// While they are blocked, reading fails, and setting modes affects the foreground job.
pub(super) fn as_a_job<T>(work: impl FnOnce() -> T) -> T {
    signals::unblocked(signals::background_stops(), work)
}

impl Terminal {
    /// Takes the terminal: raw mode, alternate screen, no cursor. Signal handlers are installed first, so that no signal can
    /// leave the terminal in this state.
    pub fn take(mouse: bool) -> io::Result<Self> {
        let signals = ConsoleSignals::new()?;
        let out = File::from(rustix::stdio::stdout().try_clone_to_owned()?);
        let vanished = watch()?;
        let writer = TtyWriter::new(out)?;
        as_a_job(enable_raw_mode)?;
        if let Some(direct) = reopened() {
            writer.set_direct(direct);
        }
        *taken() = Some(writer.clone());
        SHOWN.store(true, Ordering::SeqCst);
        writer.send(&entering(mouse));
        Ok(Self { writer, vanished, signals, lent: None })
    }
}

/// Opens the terminal of stdout again, so that writes to it do not block, while writes of other programs that share stdout
/// still do. `None` if that is not allowed, such as after `su`.
fn reopened() -> Option<File> {
    let stdout = rustix::stdio::stdout();
    let path = ttyname(stdout, Vec::new()).ok()?;
    let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let terminal = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    // In another mount namespace, this path may be a different terminal.
    let is_same = fstat(&terminal).ok()?.st_rdev == fstat(stdout).ok()?.st_rdev;
    is_same.then(|| File::from(terminal))
}

impl Console for Terminal {
    fn send(&self, bytes: &[u8]) {
        self.writer.send(bytes);
    }

    fn is_free(&self) -> bool {
        self.writer.is_free()
    }

    async fn event(&mut self, frame_waits: bool) -> ConsoleEvent {
        tokio::select! {
            biased;
            () = self.vanished.notified() => ConsoleEvent::Vanished,
            () = PANICKED.notified() => ConsoleEvent::Panicked,
            () = self.writer.broken() => ConsoleEvent::Vanished,
            event = self.signals.next() => event,
            () = self.writer.freed(), if frame_waits => ConsoleEvent::Free,
        }
    }

    async fn suspend(&mut self, mouse: bool) -> Result<Option<u8>, &'static str> {
        // No shell can continue the session leader.
        if getsid(None).is_ok_and(|leader| leader == getpid()) {
            return Err("no shell to suspend to");
        }
        leave_screen(&self.writer, b"");
        let stopped = leave_raw_mode().and_then(|()| Ok(kill_current_process_group(Signal::TSTP)?));
        if stopped.is_ok() {
            // The process is stopped here until it is continued. If the stop has no effect, it goes on after a moment.
            drop(tokio::time::timeout(STOP, self.signals.continued.recv()).await);
        }
        // A shell that ends a stopped job continues it in the background, where taking the terminal would stop it again.
        if is_in_background()
            && let Ok(number) = tokio::time::timeout(STOP, self.signals.ending.next()).await
        {
            abandon();
            return Ok(Some(number));
        }
        self.retake(mouse);
        stopped.map(|()| None).map_err(|_why| "cannot suspend")
    }

    fn size(&self) -> Option<(u16, u16)> {
        // crossterm would start a program to get the size.
        rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok().map(|size| (size.ws_col, size.ws_row))
    }

    fn release(&mut self, words: &Safe) {
        leave_screen(&self.writer, safe!("{}\r\n", words).as_str().as_bytes());
        // An error here recurs in `retake`, and the terminal stays as it is.
        drop(leave_raw_mode());
        self.lent = tcgetattr(rustix::stdio::stdin()).ok();
    }

    fn retake(&mut self, mouse: bool) {
        // crossterm only sets raw mode if it believes that it is not set.
        let again = as_a_job(|| {
            disable_raw_mode()?;
            if let Some(modes) = self.lent.take() {
                // A program that was killed may have turned off echo, and its unread input is not meant for us.
                tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &modes)?;
                tcflush(rustix::stdio::stdin(), QueueSelector::IFlush)?;
            }
            enable_raw_mode()
        });
        if again.is_ok() {
            SHOWN.store(true, Ordering::SeqCst);
            self.writer.send(&entering(mouse));
        }
    }
}

/// Checks that stdin and stdout are a terminal that can position the cursor.
///
/// # Errors
///
/// The reason why not.
pub fn check(term: Option<&str>) -> Result<(), &'static str> {
    if !io::stdin().is_terminal() {
        return Err("stdin is not a terminal");
    }
    if !io::stdout().is_terminal() {
        return Err("stdout is not a terminal");
    }
    match term {
        None | Some("") => Err("TERM is not set"),
        Some("dumb") => Err("TERM=dumb cannot position the cursor"),
        Some(_) => Ok(()),
    }
}

/// Restores the terminal, if it is still taken. Returns true if all bytes were written; if not, it accepts no messages
/// either.
pub fn restore() -> bool {
    let Some(writer) = taken().take() else { return true };
    let is_drained = leave_screen(&writer, b"");
    writer.close();
    // If this fails, there is nothing left to do about it.
    drop(leave_raw_mode());
    is_drained
}

/// Leaves the alternate screen, and writes some last bytes. Returns true if all bytes were written.
fn leave_screen(writer: &TtyWriter, last: &[u8]) -> bool {
    writer.send(&leaving());
    writer.send(last);
    writer.drain(PATIENCE)
}

fn leave_raw_mode() -> io::Result<()> {
    let left = as_a_job(disable_raw_mode);
    SHOWN.store(false, Ordering::SeqCst);
    left
}

/// Drops a terminal that was closed or restored for good, so that nothing more is written to it.
pub fn abandon() {
    if let Some(writer) = taken().take() {
        writer.close();
    }
}

/// Installs a panic hook that restores the terminal before the message is printed, in any thread.
pub fn restore_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        if restore() {
            let words = panic.payload_as_str().unwrap_or("no message");
            let place = panic.location().map(place).unwrap_or_default();
            output::message(&safe!("hookscope: internal error at {}: {}", clean(&place), clean(words)));
            output::message(&"This is a bug; please report it with the line above.".into());
        }
        PANICKED.notify_one();
    }));
}

/// The file, line and column of a panic.
fn place(location: &Location<'_>) -> String {
    format!("{}:{}:{}", without_folders(location.file()), location.line(), location.column())
}

/// The path of a source file without the directories of the build machine: `ratatui-core-0.1.0/src/buffer.rs`.
fn without_folders(file: &str) -> &str {
    if !Path::new(file).is_absolute() {
        return file;
    }
    let (root, _) = file.rsplit_once("/src/").or_else(|| file.rsplit_once('/')).unwrap_or_default();
    let krate = if file.contains("/src/") { root.rfind('/').unwrap_or_default() } else { root.len() };
    file.get(krate + 1..).unwrap_or(file)
}

fn taken() -> std::sync::MutexGuard<'static, Option<TtyWriter>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a thread that waits for the end of the terminal. crossterm does not notice it, and keeps reading a closed
/// terminal.
fn watch() -> io::Result<Arc<Notify>> {
    let vanished = Arc::new(Notify::new());
    let notify = Arc::clone(&vanished);
    thread::Builder::new().spawn(move || {
        while poll_end(None) == Err(Errno::INTR) {}
        // The permit is stored if the loop is busy.
        notify.notify_one();
    })?;
    Ok(vanished)
}

/// Returns true if the terminal was closed.
pub fn is_gone() -> bool {
    poll_end(Some(&Timespec::default())) != Ok(0)
}

/// Waits until stdin or stdout is closed at the other end.
fn poll_end(timeout: Option<&Timespec>) -> Result<usize, Errno> {
    let (stdin, stdout) = (rustix::stdio::stdin(), rustix::stdio::stdout());
    // Without requested events, poll reports only the end and errors.
    let mut fds = [PollFd::new(&stdin, PollFlags::empty()), PollFd::new(&stdout, PollFlags::empty())];
    poll(&mut fds, timeout)
}

fn entering(mouse: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail. A character that is wider than expected must not wrap the line.
    drop(queue!(bytes, EnterAlternateScreen, Clear(ClearType::All), Hide, DisableLineWrap, EnableBracketedPaste));
    if mouse {
        bytes.extend(MOUSE_ON);
    }
    bytes
}

fn leaving() -> Vec<u8> {
    let mut bytes = Vec::new();
    drop(queue!(bytes, ResetColor, DisableMouseCapture, DisableBracketedPaste, EnableLineWrap, LeaveAlternateScreen, Show));
    bytes
}

/// The sequence that turns reports of mouse buttons and the wheel on or off. Movement is not reported, since each move would
/// be sent over the connection.
pub fn mouse_sequence(on: bool) -> Vec<u8> {
    if on {
        return MOUSE_ON.into();
    }
    let mut bytes = Vec::new();
    drop(queue!(bytes, DisableMouseCapture));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_does_not_tell_where_the_program_was_built() {
        for (file, shown) in [
            ("src/tui/app.rs", "src/tui/app.rs"),
            ("/home/u/.cargo/registry/src/index.crates.io-1/url-2.5.0/src/lib.rs", "url-2.5.0/src/lib.rs"),
            ("/rustc/0123/library/core/src/option.rs", "core/src/option.rs"),
            ("/home/u/src/hookscope/src/tui/app.rs", "hookscope/src/tui/app.rs"),
            ("/build/out/generated.rs", "generated.rs"),
            ("/src/lib.rs", "src/lib.rs"),
            ("", ""),
        ] {
            assert_eq!(without_folders(file), shown, "{file}");
        }
    }
}
