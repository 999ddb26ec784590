//! Splits terminal input into keys, mouse reports and pastes, by the structure of control sequences (ECMA-48). An unknown
//! sequence, such as a reply to a query of another program, is dropped as a whole; an unfinished one is abandoned after a
//! pause.
//!
//! Other parsers do not do that. crossterm and termina (derived from it) wait forever for the rest of unknown reports, and
//! take the rest of others for keys. vte parses the output of programs: it does not report whether it is inside a sequence,
//! which the pauses depend on, and lacks the keys of `PuTTY`, rxvt and the Linux console.

use std::iter;
use std::mem;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use super::keys;

/// The silence after which an ESC is the Esc key. The bytes of one key arrive less than 25 ms apart.
const ESC_PAUSE: Duration = Duration::from_millis(35);
/// The silence that ends any other unfinished sequence.
const SEQUENCE_PAUSE: Duration = Duration::from_millis(150);
/// The silence that ends an unfinished paste.
const PASTE_PAUSE: Duration = Duration::from_secs(1);
/// The most bytes of a paste to keep: more than any prompt takes.
const MAX_PASTE: usize = 64 * 1024;
/// The most bytes of a key after its ESC: more than any key has.
const MAX_SEQUENCE: usize = 34;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const PASTE_START: &[u8] = b"[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// Turns bytes into events, regardless of how they are split.
#[derive(Debug, Default)]
pub struct Decoder {
    state: DecoderState,
}

#[derive(Debug)]
enum DecoderState {
    /// Up to two ESCs and the bytes of a key or report after them; nothing at all between two keys.
    Key { escapes: u8, bytes: Vec<u8> },
    /// Inside an OSC, DCS, APC, PM or SOS string, which is always a report.
    Report { kind: u8, is_empty: bool },
    /// After an ESC in such a string.
    ReportEscape,
    /// Inside a bracketed paste, after the first `end` bytes of its end.
    Paste { text: Vec<u8>, end: usize },
}

impl DecoderState {
    /// The state between two keys.
    const IDLE: Self = Self::Key { escapes: 0, bytes: Vec::new() };
}

impl Default for DecoderState {
    fn default() -> Self {
        Self::IDLE
    }
}

impl Decoder {
    /// Takes the next bytes and appends the events that they complete.
    pub fn feed(&mut self, bytes: &[u8], events: &mut Vec<Event>) {
        for &byte in bytes {
            self.state = match mem::take(&mut self.state) {
                DecoderState::Key { escapes, bytes } => next_of_key(escapes, bytes, byte, events),
                DecoderState::Report { kind, .. } => next_of_report(kind, byte, events),
                DecoderState::ReportEscape if byte == b'\\' => DecoderState::IDLE,
                DecoderState::ReportEscape => next_of_key(1, Vec::new(), byte, events),
                DecoderState::Paste { text, end } => next_of_paste(text, end, byte, events),
            };
        }
    }

    /// Returns the silence after which [`Decoder::pause`] is due; `None` if nothing is unfinished.
    pub fn patience(&self) -> Option<Duration> {
        match &self.state {
            DecoderState::Key { escapes, bytes } if bytes.is_empty() => (*escapes > 0).then_some(ESC_PAUSE),
            DecoderState::Paste { .. } => Some(PASTE_PAUSE),
            _ => Some(SEQUENCE_PAUSE),
        }
    }

    /// Ends an unfinished sequence: an ESC becomes the Esc key, an introducer becomes a letter with Alt, and anything else
    /// is dropped.
    pub fn pause(&mut self, events: &mut Vec<Event>) {
        match mem::take(&mut self.state) {
            DecoderState::Key { escapes, bytes } => match *bytes {
                [] => events.extend(iter::repeat_n(esc(), escapes.into())),
                [b'[' | b'O'] => {
                    events.extend((escapes == 2).then(esc));
                    push_character(true, &bytes, events);
                }
                _ => {}
            },
            DecoderState::Report { kind, is_empty: true } => push_character(true, &[kind], events),
            DecoderState::Paste { text, .. } => events.push(paste(&text)),
            DecoderState::Report { .. } | DecoderState::ReportEscape => {}
        }
    }
}

fn next_of_key(mut escapes: u8, mut bytes: Vec<u8>, byte: u8, events: &mut Vec<Event>) -> DecoderState {
    if bytes.is_empty() && escapes == 2 && !matches!(byte, b'[' | b'O') {
        // Only a sequence starts with two ESCs, so the first was the Esc key.
        events.push(esc());
        escapes = 1;
    }
    if bytes.is_empty() && byte == ESC {
        return DecoderState::Key { escapes: escapes + 1, bytes };
    }
    // One byte more than the limit shows that the sequence is too long.
    bytes.truncate(MAX_SEQUENCE);
    bytes.push(byte);
    match progress(escapes > 0, &bytes) {
        Progress::Unfinished => DecoderState::Key { escapes, bytes },
        Progress::Character => {
            push_character(escapes > 0, &bytes, events);
            DecoderState::IDLE
        }
        Progress::Sequence if bytes == PASTE_START => DecoderState::Paste { text: Vec::new(), end: 0 },
        Progress::Sequence => {
            let event = if bytes.len() > MAX_SEQUENCE { None } else { keys::sequence(&bytes) };
            // After a second ESC, this is a key with Alt in rxvt and on macOS.
            events.extend(event.map(|event| if escapes == 2 { with_alt(event) } else { event }));
            DecoderState::IDLE
        }
        Progress::Report => DecoderState::Report { kind: byte, is_empty: true },
        Progress::Broken if bytes.len() == 1 => DecoderState::IDLE,
        Progress::Broken => next_of_key(0, Vec::new(), byte, events),
    }
}

/// The meaning of the bytes of a key so far.
enum Progress {
    Unfinished,
    Character,
    Sequence,
    /// The introducer of a string.
    Report,
    /// The last byte does not belong to the ones before it.
    Broken,
}

fn progress(is_escaped: bool, bytes: &[u8]) -> Progress {
    match bytes {
        [b'[' | b'O', ..] if is_escaped => progress_of_sequence(bytes),
        [b']' | b'P' | b'X' | b'^' | b'_'] if is_escaped => Progress::Report,
        _ => match std::str::from_utf8(bytes) {
            Ok(_) => Progress::Character,
            Err(error) if error.error_len().is_none() => Progress::Unfinished,
            Err(_) => Progress::Broken,
        },
    }
}

fn progress_of_sequence(bytes: &[u8]) -> Progress {
    let is_number = |parameters: &[u8]| !parameters.is_empty() && parameters.iter().all(u8::is_ascii_digit);
    match *bytes {
        // A function key of the Linux console.
        [b'[', b'[', last] if last.is_ascii_graphic() => Progress::Sequence,
        // PuTTY's End, and a mouse report of three bytes.
        [b'[', b'O', b'w'] | [b'[', b'M', _, _, b' '..=0xff] => Progress::Sequence,
        [b'[' | b'O'] | [b'[', b'[' | b'M' | b'O'] | [b'[', b'M', .., b' '..=0xff] => Progress::Unfinished,
        // Without the w, `ESC [ O` was a focus report, and a new sequence starts.
        [b'[', b'[' | b'O', ..] => Progress::Broken,
        // rxvt ends keys with Shift like this; reports have more than a number in front.
        [b'[', ref parameters @ .., b'$'] if is_number(parameters) => Progress::Sequence,
        [b'[', .., b' '..=b'?'] | [b'O', .., b'0'..=b'9' | b';'] => Progress::Unfinished,
        [_, .., 0x40..=0x7e] => Progress::Sequence,
        _ => Progress::Broken,
    }
}

fn next_of_report(kind: u8, byte: u8, events: &mut Vec<Event>) -> DecoderState {
    match byte {
        ESC => DecoderState::ReportEscape,
        BEL if kind == b']' => DecoderState::IDLE,
        // No report contains these keys, and a user who presses them wants to quit.
        0x03 | 0x18 | 0x1a => next_of_key(0, Vec::new(), byte, events),
        _ => DecoderState::Report { kind, is_empty: false },
    }
}

fn next_of_paste(mut text: Vec<u8>, end: usize, byte: u8, events: &mut Vec<Event>) -> DecoderState {
    if PASTE_END.get(end) == Some(&byte) {
        if end + 1 < PASTE_END.len() {
            return DecoderState::Paste { text, end: end + 1 };
        }
        events.push(paste(&text));
        return DecoderState::IDLE;
    }
    // The bytes that looked like the end are text. Only the first is an ESC, so no other start of the end is missed.
    let is_start = byte == ESC;
    let seen = PASTE_END.get(..end).unwrap_or_default();
    let room = MAX_PASTE.saturating_sub(text.len());
    text.extend(seen.iter().chain((!is_start).then_some(&byte)).take(room));
    DecoderState::Paste { text, end: usize::from(is_start) }
}

fn push_character(alt: bool, bytes: &[u8], events: &mut Vec<Event>) {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    events.extend(text.chars().filter_map(|c| keys::character(c, alt)));
}

fn paste(text: &[u8]) -> Event {
    Event::Paste(String::from_utf8_lossy(text).into_owned())
}

fn esc() -> Event {
    Event::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE))
}

fn with_alt(event: Event) -> Event {
    match event {
        Event::Key(key) => Event::Key(KeyEvent { modifiers: key.modifiers | KeyModifiers::ALT, ..key }),
        event => event,
    }
}
