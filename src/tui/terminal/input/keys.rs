//! The keys and mouse events that terminals encode as bytes: xterm and its relatives, rxvt, `PuTTY` and the Linux console.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// The modifiers that the keymap does not support (Super, Hyper, Meta).
const FOREIGN_MODIFIERS: u32 = 8 | 16 | 32;
/// The event type "release" of the kitty keyboard protocol, after the modifiers.
const RELEASE: &str = "3";

/// A character, with Alt if it came after an ESC.
pub(super) fn character(c: char, alt: bool) -> Option<Event> {
    let code = u32::from(c);
    let (code, modifiers) = match c {
        '\r' => (KeyCode::Enter, KeyModifiers::NONE),
        '\t' => (KeyCode::Tab, KeyModifiers::NONE),
        '\x7f' => (KeyCode::Backspace, KeyModifiers::NONE),
        '\0' => (KeyCode::Char(' '), KeyModifiers::CONTROL),
        '\x01'..='\x1a' => (KeyCode::Char(char::from_u32(code | 0x60)?), KeyModifiers::CONTROL),
        // As named by crossterm.
        '\x1c'..='\x1f' => (KeyCode::Char(char::from_u32(code + 0x18)?), KeyModifiers::CONTROL),
        _ if c.is_uppercase() => (KeyCode::Char(c), KeyModifiers::SHIFT),
        _ => (KeyCode::Char(c), KeyModifiers::NONE),
    };
    let modifiers = if alt { modifiers | KeyModifiers::ALT } else { modifiers };
    Some(key(code, modifiers))
}

/// A whole control sequence, without its ESC.
pub(super) fn sequence(bytes: &[u8]) -> Option<Event> {
    match *bytes {
        [b'[', b'[', last] => linux(last),
        [b'[', b'M', button, column, row] => x10_mouse(button, column, row),
        [b'[', b'O', last] => ss3(&[], last),
        [b'[', ref parameters @ .., last] => csi(parameters, last),
        [b'O', ref parameters @ .., last] => ss3(parameters, last),
        _ => None,
    }
}

/// `ESC O`, digits for modifiers, and a final byte.
fn ss3(parameters: &[u8], last: u8) -> Option<Event> {
    let numbers = numbers(parameters)?;
    let modifiers = modifiers_of(numbers.last().copied())?;
    match last {
        b'a'..=b'd' => Some(key(arrow(last)?, KeyModifiers::CONTROL)),
        b'M' => Some(key(KeyCode::Enter, modifiers)),
        // PuTTY in its rxvt mode.
        b'w' => Some(key(KeyCode::End, modifiers)),
        _ => Some(key(named(last)?, modifiers)),
    }
}

/// `ESC [`, parameters, and a final byte.
fn csi(parameters: &[u8], last: u8) -> Option<Event> {
    if let (Some(report), b'M' | b'm') = (parameters.strip_prefix(b"<"), last) {
        let [button, column, row] = numbers(report)?.try_into().ok()?;
        return mouse(button, column.checked_sub(1)?, row.checked_sub(1)?, last == b'm');
    }
    let numbers = numbers(parameters)?;
    match (last, &*numbers) {
        (b'M', &[button, column, row]) => mouse(button.checked_sub(32)?, column.checked_sub(1)?, row.checked_sub(1)?, false),
        // The keys of xterm's modifyOtherKeys and of the kitty keyboard protocol, which an earlier program may have left
        // enabled.
        (b'~', &[27, modifiers, code]) | (b'u', &[code, modifiers]) => encoded(code, modifiers_of(Some(modifiers))?),
        (b'u', &[code]) => encoded(code, KeyModifiers::NONE),
        (b'~', &[number]) => Some(key(numbered(number)?, KeyModifiers::NONE)),
        (b'~', &[number, modifiers]) => Some(key(numbered(number)?, modifiers_of(Some(modifiers))?)),
        // rxvt.
        (b'^', &[number]) => Some(key(numbered(number)?, KeyModifiers::CONTROL)),
        (b'$', &[number]) => Some(key(numbered(number)?, KeyModifiers::SHIFT)),
        (b'@', &[number]) => Some(key(numbered(number)?, KeyModifiers::CONTROL | KeyModifiers::SHIFT)),
        (b'a'..=b'd', &[]) => Some(key(arrow(last)?, KeyModifiers::SHIFT)),
        (b'Z', _) => Some(key(KeyCode::BackTab, KeyModifiers::SHIFT)),
        // A cursor position report also ends in R.
        (b'R', &[1, modifiers @ 2..=16]) | (b'A'..=b'D' | b'F' | b'H' | b'P'..=b'Q' | b'S', &[1, modifiers]) => {
            Some(key(named(last)?, modifiers_of(Some(modifiers))?))
        }
        (_, &[]) => Some(key(named(last)?, KeyModifiers::NONE)),
        (b'A'..=b'D' | b'F' | b'H', &[modifiers]) => Some(key(named(last)?, modifiers_of(Some(modifiers))?)),
        _ => None,
    }
}

/// `ESC [ [` and a letter.
fn linux(last: u8) -> Option<Event> {
    let number = last.checked_sub(b'A').filter(|number| *number < 5)?;
    Some(key(KeyCode::F(number + 1), KeyModifiers::NONE))
}

/// `ESC [ M` and three bytes.
fn x10_mouse(button: u8, column: u8, row: u8) -> Option<Event> {
    let [button, column, row] = [button.checked_sub(32)?, column.checked_sub(33)?, row.checked_sub(33)?].map(u32::from);
    mouse(button, column, row, false)
}

fn mouse(button: u32, column: u32, row: u32, is_release: bool) -> Option<Event> {
    let is_motion = button & 32 != 0;
    let pressed = match button & 3 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let kind = match (button & !(4 | 8 | 16 | 32), pressed) {
        (64, _) => MouseEventKind::ScrollUp,
        (65, _) => MouseEventKind::ScrollDown,
        (66, _) => MouseEventKind::ScrollLeft,
        (67, _) => MouseEventKind::ScrollRight,
        (0..=2, Some(button)) if is_release => MouseEventKind::Up(button),
        (0..=2, Some(button)) if is_motion => MouseEventKind::Drag(button),
        (0..=2, Some(button)) => MouseEventKind::Down(button),
        (3, None) if is_motion => MouseEventKind::Moved,
        // Reports of three bytes do not identify the button.
        (3, None) => MouseEventKind::Up(MouseButton::Left),
        _ => return None,
    };
    let held = [(4, KeyModifiers::SHIFT), (8, KeyModifiers::ALT), (16, KeyModifiers::CONTROL)];
    let modifiers = held.iter().filter(|(bit, _)| button & bit != 0).map(|(_, modifier)| *modifier).collect();
    Some(Event::Mouse(MouseEvent { kind, column: column.try_into().ok()?, row: row.try_into().ok()?, modifiers }))
}

/// Parses numbers between semicolons, an empty one as 1. `None` for anything else: sequences with a private mark or an
/// intermediate byte are reports.
fn numbers(parameters: &[u8]) -> Option<Vec<u32>> {
    let text = std::str::from_utf8(parameters).ok()?;
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(';').map(number).collect()
}

/// A number, which may be followed by a colon and the event type of the kitty keyboard protocol, or another layout's key.
fn number(text: &str) -> Option<u32> {
    let (number, details) = text.split_once(':').unwrap_or((text, ""));
    if details == RELEASE || !details.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') {
        return None;
    }
    match number {
        "" => Some(1),
        _ if number.bytes().all(|byte| byte.is_ascii_digit()) => number.parse().ok(),
        _ => None,
    }
}

/// The modifiers of a parameter, which is one more than a set of bits.
fn modifiers_of(parameter: Option<u32>) -> Option<KeyModifiers> {
    let bits = parameter.map_or(0, |parameter| parameter.saturating_sub(1));
    if bits & FOREIGN_MODIFIERS != 0 || bits > 0xff {
        return None;
    }
    let known = [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)];
    Some(known.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, modifier)| *modifier).collect())
}

/// The key of a code point with modifiers.
fn encoded(code: u32, modifiers: KeyModifiers) -> Option<Event> {
    let c = char::from_u32(code)?;
    let is_shifted = modifiers.contains(KeyModifiers::SHIFT);
    let code = match c {
        '\r' => KeyCode::Enter,
        '\t' if is_shifted => KeyCode::BackTab,
        '\t' => KeyCode::Tab,
        '\x1b' => KeyCode::Esc,
        '\x7f' | '\x08' => KeyCode::Backspace,
        // Keys that the keymap does not support are in the private use area.
        _ if c.is_control() || matches!(c, '\u{e000}'..='\u{f8ff}') => return None,
        _ if is_shifted => KeyCode::Char(c.to_uppercase().next().unwrap_or(c)),
        _ => KeyCode::Char(c),
    };
    Some(key(code, modifiers))
}

/// The key of `ESC [ number ~`.
fn numbered(number: u32) -> Option<KeyCode> {
    let function = |number: u32, offset: u32| Some(KeyCode::F(u8::try_from(number - offset).ok()?));
    match number {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        11..=15 => function(number, 10),
        17..=21 => function(number, 11),
        23..=26 => function(number, 12),
        28..=29 => function(number, 13),
        31..=34 => function(number, 14),
        _ => None,
    }
}

/// The key of a final letter.
fn named(last: u8) -> Option<KeyCode> {
    match last {
        b'A'..=b'D' => arrow(last),
        b'F' => Some(KeyCode::End),
        b'H' => Some(KeyCode::Home),
        b'P'..=b'S' => Some(KeyCode::F(last - b'P' + 1)),
        _ => None,
    }
}

fn arrow(last: u8) -> Option<KeyCode> {
    match last.to_ascii_uppercase() {
        b'A' => Some(KeyCode::Up),
        b'B' => Some(KeyCode::Down),
        b'C' => Some(KeyCode::Right),
        b'D' => Some(KeyCode::Left),
        _ => None,
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}
