//! Splits terminal input into keys, mouse reports and pastes, by the structure of control sequences (ECMA-48). A sequence with no
//! meaning here, such as a reply to a query that another program sent, is dropped whole; one that stays unfinished is given up
//! after a pause.
//!
//! Other parsers do not do that. crossterm and termina (derived from it) wait forever for the rest of reports that they do not
//! know, and take the rest of others for keys. vte reads what programs send to terminals: it does not tell whether it is inside a
//! sequence, which the pauses depend on, and does not know the keys of `PuTTY`, rxvt and the Linux console.

use std::mem;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use super::keys;

/// Silence after an ESC that makes it the Esc key. The bytes of one key arrive less than 25 ms apart.
const ESC_PAUSE: Duration = Duration::from_millis(35);
/// Silence that ends any other unfinished sequence.
const SEQUENCE_PAUSE: Duration = Duration::from_millis(150);
/// Silence that ends an unfinished paste.
const PASTE_PAUSE: Duration = Duration::from_secs(1);
/// Bytes of a paste that are kept: more than any prompt takes.
const MAX_PASTE: usize = 64 * 1024;
/// Parameter bytes of a sequence that are kept. No key has as many.
const MAX_PARAMETERS: usize = 32;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const PASTE_END: &[u8] = b"\x1b[201~";

/// Turns bytes into events, however they are cut.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    /// Inside a UTF-8 character of `len` bytes.
    Char { bytes: Vec<u8>, len: usize, alt: bool },
    /// After one ESC, or two.
    Escape { twice: bool },
    /// After `ESC O`.
    Ss3 { parameters: Parameters, alt: bool },
    /// After `ESC [`.
    Csi { parameters: Parameters, alt: bool },
    /// After `ESC [ [`, a function key of the Linux console.
    Linux,
    /// After `ESC [ M`, a mouse report of three bytes.
    Mouse(Vec<u8>),
    /// After `ESC [ O`: a focus report, or most of `PuTTY`'s End.
    Focus,
    /// Inside an OSC, DCS, APC, PM or SOS string.
    Text { kind: u8, is_empty: bool },
    /// After an ESC in such a string.
    TextEscape,
    /// Inside a bracketed paste, with so many bytes of its end seen.
    Paste { text: Vec<u8>, end: usize },
}

/// The bytes between the introducer of a sequence and its final byte.
#[derive(Debug, Default)]
struct Parameters {
    bytes: Vec<u8>,
    overflowed: bool,
}

impl Parameters {
    fn push(&mut self, byte: u8) {
        if self.bytes.len() < MAX_PARAMETERS {
            self.bytes.push(byte);
        } else {
            self.overflowed = true;
        }
    }

    fn get(&self) -> Option<&[u8]> {
        (!self.overflowed).then_some(&*self.bytes)
    }

    fn is_one_number(&self) -> bool {
        !self.bytes.is_empty() && self.bytes.iter().all(u8::is_ascii_digit)
    }
}

impl Decoder {
    /// Takes the next bytes and appends the events that they complete.
    pub fn feed(&mut self, bytes: &[u8], events: &mut Vec<Event>) {
        for &byte in bytes {
            self.state = self.step(byte, events);
        }
    }

    /// The silence after which [`Decoder::pause`] is due; `None` when nothing is unfinished.
    pub fn patience(&self) -> Option<Duration> {
        match self.state {
            State::Ground => None,
            State::Escape { .. } => Some(ESC_PAUSE),
            State::Paste { .. } => Some(PASTE_PAUSE),
            _ => Some(SEQUENCE_PAUSE),
        }
    }

    /// Ends what is unfinished: an ESC was the Esc key, an introducer a letter with Alt, and the rest is dropped.
    pub fn pause(&mut self, events: &mut Vec<Event>) {
        let introducer = match mem::take(&mut self.state) {
            State::Escape { twice } => {
                events.extend((0..=u8::from(twice)).map(|_| esc()));
                return;
            }
            State::Paste { text, .. } => {
                events.push(paste(&text));
                return;
            }
            State::Ss3 { parameters, alt } if parameters.bytes.is_empty() => (b'O', alt),
            State::Csi { parameters, alt } if parameters.bytes.is_empty() => (b'[', alt),
            State::Text { kind, is_empty: true } => (kind, false),
            _ => return,
        };
        let (byte, alt) = introducer;
        if alt {
            events.push(esc());
        }
        events.extend(keys::ascii(byte, true));
    }

    fn step(&mut self, byte: u8, events: &mut Vec<Event>) -> State {
        match mem::take(&mut self.state) {
            State::Char { bytes, len, alt } => next_of_char(bytes, len, alt, byte, events),
            State::Escape { twice } => after_escape(twice, byte, events),
            State::Ss3 { mut parameters, alt } => match byte {
                b'0'..=b'9' | b';' => {
                    parameters.push(byte);
                    State::Ss3 { parameters, alt }
                }
                0x40..=0x7e => {
                    let key = parameters.get().and_then(|bytes| keys::ss3(bytes, byte));
                    events.extend(key.map(|key| with_alt(key, alt)));
                    State::Ground
                }
                _ => start(byte, false, events),
            },
            State::Csi { parameters, alt } => next_of_csi(parameters, alt, byte, events),
            State::Linux => {
                if byte.is_ascii_graphic() {
                    events.extend(keys::linux(byte));
                    State::Ground
                } else {
                    start(byte, false, events)
                }
            }
            State::Mouse(mut bytes) => {
                if byte < b' ' {
                    return start(byte, false, events);
                }
                bytes.push(byte);
                if let [button, column, row] = *bytes {
                    events.extend(keys::x10_mouse(button, column, row));
                    return State::Ground;
                }
                State::Mouse(bytes)
            }
            State::Focus if byte == b'w' => {
                events.extend(keys::ss3(&[], byte));
                State::Ground
            }
            State::Ground | State::Focus => start(byte, false, events),
            State::Text { kind, .. } => match byte {
                ESC => State::TextEscape,
                BEL if kind == b']' => State::Ground,
                // No report contains these, and whoever presses them wants to get out.
                0x03 | 0x18 | 0x1a => start(byte, false, events),
                _ => State::Text { kind, is_empty: false },
            },
            State::TextEscape if byte == b'\\' => State::Ground,
            State::TextEscape => after_escape(false, byte, events),
            State::Paste { text, end } => next_of_paste(text, end, byte, events),
        }
    }
}

/// Takes the first byte of anything; `alt` after an ESC.
fn start(byte: u8, alt: bool, events: &mut Vec<Event>) -> State {
    let len = match byte {
        ESC => return State::Escape { twice: false },
        0..0x80 => {
            events.extend(keys::ascii(byte, alt));
            return State::Ground;
        }
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return State::Ground,
    };
    State::Char { bytes: vec![byte], len, alt }
}

fn next_of_char(mut bytes: Vec<u8>, len: usize, alt: bool, byte: u8, events: &mut Vec<Event>) -> State {
    if !matches!(byte, 0x80..=0xbf) {
        return start(byte, false, events);
    }
    bytes.push(byte);
    if bytes.len() < len {
        return State::Char { bytes, len, alt };
    }
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    events.extend(text.chars().map(|c| keys::char(c, alt)));
    State::Ground
}

fn after_escape(twice: bool, byte: u8, events: &mut Vec<Event>) -> State {
    match byte {
        // With another ESC before it, these are keys with Alt in rxvt and on macOS.
        b'[' => return State::Csi { parameters: Parameters::default(), alt: twice },
        b'O' => return State::Ss3 { parameters: Parameters::default(), alt: twice },
        ESC if !twice => return State::Escape { twice: true },
        _ => {}
    }
    if twice {
        events.push(esc());
    }
    match byte {
        ESC => State::Escape { twice: true },
        b']' | b'P' | b'X' | b'^' | b'_' => State::Text { kind: byte, is_empty: true },
        _ => start(byte, true, events),
    }
}

fn next_of_csi(mut parameters: Parameters, alt: bool, byte: u8, events: &mut Vec<Event>) -> State {
    let is_final = match byte {
        // rxvt ends keys with Shift like this; reports have more than a number before it.
        b'$' => parameters.is_one_number(),
        b' '..=b'?' => false,
        0x40..=0x7e => true,
        _ => return start(byte, false, events),
    };
    if !is_final {
        parameters.push(byte);
        return State::Csi { parameters, alt };
    }
    match (parameters.get(), byte) {
        (Some([]), b'[') => State::Linux,
        (Some([]), b'M') => State::Mouse(Vec::new()),
        (Some([]), b'O') => State::Focus,
        (Some(b"200"), b'~') => State::Paste { text: Vec::new(), end: 0 },
        (bytes, _) => {
            let event = bytes.and_then(|bytes| keys::csi(bytes, byte));
            events.extend(event.map(|event| with_alt(event, alt)));
            State::Ground
        }
    }
}

fn next_of_paste(mut text: Vec<u8>, end: usize, byte: u8, events: &mut Vec<Event>) -> State {
    if PASTE_END.get(end) == Some(&byte) {
        if end + 1 < PASTE_END.len() {
            return State::Paste { text, end: end + 1 };
        }
        events.push(paste(&text));
        return State::Ground;
    }
    // What looked like the end is text. Only its first byte is an ESC, so no other start of it is missed.
    let is_start = byte == ESC;
    let seen = PASTE_END.get(..end).unwrap_or_default();
    let room = MAX_PASTE.saturating_sub(text.len());
    text.extend(seen.iter().chain((!is_start).then_some(&byte)).take(room));
    State::Paste { text, end: usize::from(is_start) }
}

fn paste(text: &[u8]) -> Event {
    Event::Paste(String::from_utf8_lossy(text).into_owned())
}

fn esc() -> Event {
    Event::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE))
}

fn with_alt(event: Event, alt: bool) -> Event {
    match event {
        Event::Key(mut key) if alt => {
            key.modifiers |= KeyModifiers::ALT;
            Event::Key(key)
        }
        event => event,
    }
}
