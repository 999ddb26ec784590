//! Asking for a key on the terminal, without echo. Whatever ends the asking, the terminal echoes again.

use std::io::{self, IsTerminal, Write};
use std::thread;

use rustix::process::Signal;
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr, tcsetattr,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::error::Error;
use crate::output;
use crate::redact::ApiKey;
use crate::safe;
use crate::text::{Safe, clean};

/// How often a wrong answer is asked again.
const TRIES: usize = 3;
/// The longest answer that is read, in bytes: a key with room for white space.
const MAX_LINE: usize = 2 * ApiKey::MAX_BYTES;
/// Turns a special character of a terminal off.
const DISABLED: u8 = 0;

/// What became of the question.
#[derive(Debug)]
pub(super) enum Asked {
    Key(ApiKey),
    /// Nothing was answered, or nobody could be asked.
    Nothing,
    /// A signal came instead of an answer.
    Interrupted(u8),
}

/// Asks for the key where somebody can answer: stdin and stderr are a terminal.
pub(super) async fn for_key() -> Result<Asked, Error> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(Asked::Nothing);
    }
    // Listened to before the echo goes off, so that none of them can leave it off.
    let mut signals = Signals::new().map_err(|error| Error::terminal(&error))?;
    let _echo_comes_back = NoEcho::new().map_err(|error| Error::terminal(&error))?;
    for _ in 0..TRIES {
        prompt();
        let answer = tokio::select! {
            signal = signals.next() => {
                end_line();
                return Ok(Asked::Interrupted(signal));
            }
            answer = read_line() => answer.map_err(|error| Error::terminal(&error))?,
        };
        end_line();
        if answer.trim_ascii().is_empty() {
            return Ok(Asked::Nothing);
        }
        match ApiKey::new(&String::from_utf8_lossy(&answer)) {
            Ok(key) => return Ok(Asked::Key(key)),
            Err(why) => output::message(&safe!("That is no API key: {}.", clean(&why.to_string()))),
        }
    }
    Err(Error::Usage {
        message: "no API key was given, and nothing was written".into(),
        advice: Some("Press Enter to leave the key out; it can be put into the file later.".into()),
    })
}

fn prompt() {
    let words = Safe::literal("API key (key_id:secret; it is not shown; Enter leaves it out): ");
    let mut stderr = io::stderr().lock();
    drop(write!(stderr, "{words}").and_then(|()| stderr.flush()));
}

/// The answer's own line break was not shown.
fn end_line() {
    drop(writeln!(io::stderr().lock()));
}

/// One line of stdin; what it has beyond its limit is read and dropped. The thread that waits for it may never come back: it
/// keeps nothing from ending.
async fn read_line() -> io::Result<Vec<u8>> {
    let (tell, told) = oneshot::channel();
    thread::Builder::new().spawn(move || {
        // Nobody listens any more when a signal came first.
        drop(tell.send(blocking_line()));
    })?;
    told.await.unwrap_or_else(|_panicked| Ok(Vec::new()))
}

fn blocking_line() -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut bytes = [0; 512];
    loop {
        let count = match rustix::io::read(rustix::stdio::stdin(), &mut bytes) {
            Ok(count) => count,
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        // The terminal hands out lines, so nothing of the next one is lost here.
        let chunk = bytes.get(..count).unwrap_or_default();
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let room = MAX_LINE.saturating_sub(line.len());
        line.extend(chunk.iter().take(end.unwrap_or(count)).take(room));
        if end.is_some() || count == 0 {
            return Ok(line);
        }
    }
}

/// The signals that end the program while it asks.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    quit: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> u8 {
        let signal = tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.quit.recv() => Signal::QUIT,
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.hangup.recv() => Signal::HUP,
        };
        u8::try_from(signal.as_raw()).unwrap_or_default()
    }
}

/// A terminal that does not echo, until this is dropped.
struct NoEcho(Termios);

impl NoEcho {
    /// What was typed before is dropped: it was shown.
    fn new() -> io::Result<Self> {
        let before = tcgetattr(rustix::stdio::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
        // Lines and signals, as usual.
        silent.local_modes.insert(LocalModes::ICANON | LocalModes::ISIG);
        // A stopped program would leave the shell without echo.
        silent.special_codes[SpecialCodeIndex::VSUSP] = DISABLED;
        tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        let stdin = rustix::stdio::stdin();
        // What was typed meanwhile is no command for the shell. Nothing waits here for a link that takes no output, and a
        // terminal that is gone needs no echo.
        let _gone = tcflush(stdin, QueueSelector::IFlush).and_then(|()| tcsetattr(stdin, OptionalActions::Now, &self.0));
    }
}
