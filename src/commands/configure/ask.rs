//! Questions of `config init` on the terminal: the key, without echo, and whether to check it. However a question ends,
//! the terminal echoes again.

use std::io::{self, IsTerminal, Write};
use std::thread;

use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr, tcsetattr,
};
use tokio::sync::oneshot;

use crate::base::redact::ApiKey;
use crate::base::text::{Safe, clean};
use crate::error::Error;
use crate::output;
use crate::safe;
use crate::signals::Ending;

/// Attempts to enter a key.
const TRIES: usize = 3;
/// The longest answer that is read, in bytes: a key with room for white space.
const MAX_LINE: usize = 2 * ApiKey::MAX_BYTES;
/// Turns a special character of a terminal off.
const DISABLED: u8 = 0;

/// The answer to a question.
#[derive(Debug)]
pub(super) enum DialogAnswer<T> {
    Given(T),
    /// An empty line, or the end of the input.
    Nothing,
    /// A signal ended the question.
    Interrupted(u8),
}

/// A dialog on the terminal.
pub(super) struct Dialog {
    signals: Ending,
}

impl Dialog {
    /// `None` unless stdin and stderr are a terminal.
    pub(super) fn open() -> Result<Option<Self>, Error> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(None);
        }
        // Before the echo goes off, so that no signal can leave it off.
        let signals = Ending::listen().map_err(|error| Error::terminal(&error))?;
        Ok(Some(Self { signals }))
    }

    /// Asks for the key, and asks again if its form is wrong.
    pub(super) async fn key(&mut self) -> Result<DialogAnswer<ApiKey>, Error> {
        let _echo_comes_back = NoEcho::new().map_err(|error| Error::terminal(&error))?;
        for _ in 0..TRIES {
            prompt(&"API key (key_id:secret, not shown; Enter to skip): ".into());
            let line = self.line().await?;
            // The line break of the answer was not shown.
            end_line();
            let line = match line {
                DialogAnswer::Given(line) if !line.trim_ascii().is_empty() => line,
                DialogAnswer::Given(_) | DialogAnswer::Nothing => return Ok(DialogAnswer::Nothing),
                DialogAnswer::Interrupted(signal) => return Ok(DialogAnswer::Interrupted(signal)),
            };
            match parse_key(&line) {
                Ok(key) => return Ok(DialogAnswer::Given(key)),
                Err(why) => output::message(&safe!("Not a valid key: {}.", why)),
            }
        }
        Err(Error::Usage {
            message: "no valid API key was entered, and nothing was written".into(),
            advice: Some("Press Enter to skip the key; you can add it to the file later.".into()),
        })
    }

    /// Asks a question whose default is yes. Any other answer means no, and so does the end of the input.
    pub(super) async fn confirm(&mut self, question: &Safe) -> Result<DialogAnswer<bool>, Error> {
        prompt(&safe!("{} [Y/n] ", question));
        Ok(match self.line().await? {
            DialogAnswer::Given(line) => {
                // Only a line that was ended is an answer.
                let word = line.strip_suffix(b"\n").map(|line| line.trim_ascii().to_ascii_lowercase());
                if word.is_none() {
                    end_line();
                }
                DialogAnswer::Given(word.is_some_and(|word| matches!(&*word, b"" | b"y" | b"yes")))
            }
            DialogAnswer::Nothing => DialogAnswer::Nothing,
            DialogAnswer::Interrupted(signal) => {
                end_line();
                DialogAnswer::Interrupted(signal)
            }
        })
    }

    /// Waits for something, or for a signal.
    pub(super) async fn wait<T>(&mut self, work: impl Future<Output = T>) -> DialogAnswer<T> {
        tokio::select! {
            signal = self.signals.next() => DialogAnswer::Interrupted(signal),
            done = work => DialogAnswer::Given(done),
        }
    }

    async fn line(&mut self) -> Result<DialogAnswer<Vec<u8>>, Error> {
        match self.wait(read_line()).await {
            DialogAnswer::Given(line) => Ok(DialogAnswer::Given(line.map_err(|error| Error::terminal(&error))?)),
            DialogAnswer::Nothing => Ok(DialogAnswer::Nothing),
            DialogAnswer::Interrupted(signal) => Ok(DialogAnswer::Interrupted(signal)),
        }
    }
}

/// A key in the form that the vendor hands out. The error never quotes the answer.
fn parse_key(line: &[u8]) -> Result<ApiKey, Safe> {
    let key = ApiKey::new(&String::from_utf8_lossy(line)).map_err(|why| clean(&why.to_string()))?;
    match key.public_id() {
        None => Err("it must have the form key_id:secret".into()),
        Some(_) if key.is_too_short() => {
            Err(safe!("the secret after the colon must have at least {} characters", ApiKey::MIN_SECRET))
        }
        Some(_) => Ok(key),
    }
}

fn prompt(words: &Safe) {
    let mut stderr = io::stderr().lock();
    drop(write!(stderr, "{words}").and_then(|()| stderr.flush()));
}

fn end_line() {
    drop(writeln!(io::stderr().lock()));
}

/// Reads one line of stdin with its line break, unless the input ends before. The part beyond the limit is dropped. The thread
/// that waits for it may never end, which does not keep the program from ending.
async fn read_line() -> io::Result<Vec<u8>> {
    let (tell, told) = oneshot::channel();
    thread::Builder::new().spawn(move || {
        // The receiver is gone if a signal came first.
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
        // The terminal passes on single lines, so nothing of the next one is lost here.
        let chunk = bytes.get(..count).unwrap_or_default();
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let room = MAX_LINE.saturating_sub(line.len());
        line.extend(chunk.iter().take(end.unwrap_or(count)).take(room));
        line.extend(end.map(|_| b'\n'));
        if end.is_some() || count == 0 {
            return Ok(line);
        }
    }
}

/// A terminal that does not echo, until this is dropped.
struct NoEcho(Termios);

impl NoEcho {
    /// Turns the echo off, and drops earlier input, which was shown.
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
        // Input that was not read is not meant for the shell. `Now` does not wait for output that a slow link does not accept,
        // and a terminal that is gone needs no echo.
        let _gone = tcflush(stdin, QueueSelector::IFlush).and_then(|()| tcsetattr(stdin, OptionalActions::Now, &self.0));
    }
}
