use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;
use proptest::sample::select;

use super::Decoder;
use crate::keymap::{ACTIONS, Key};

/// The longest pauses that belong to a sequence: right after an ESC, and elsewhere.
const AFTER_ESC: Duration = Duration::from_millis(25);
const ELSEWHERE: Duration = Duration::from_millis(150);

const NONE: KeyModifiers = KeyModifiers::NONE;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
const ALT: KeyModifiers = KeyModifiers::ALT;
const CONTROL: KeyModifiers = KeyModifiers::CONTROL;

/// Replies to queries of other programs, and reports that terminals send by themselves.
const REPORTS: &[&str] = &[
    "\x1bP1$r2 q\x1b\\",
    "\x1bP0$r\x1b\\",
    "\x1bP>|XTerm(380)\x1b\\",
    "\x1bP1+r544e=787465726d\x1b\\",
    "\x1b]11;rgb:1c1c/1c1c/1c1c\x1b\\",
    "\x1b]11;rgb:1c1c/1c1c/1c1c\x07",
    "\x1b]4;1;rgb:cdcd/0000/0000\x1b\\",
    "\x1b]10;rgb:ffff/ffff/ffff\x07",
    "\x1b]52;c;cXVpdA==\x07",
    "\x1b]52;c;cXVpdA==\x1b\\",
    "\x1b]l漢字 é\x1b\\",
    "\x1b_Gi=31;OK\x1b\\",
    "\x1b^q\x1b\\",
    "\x1bXq\x1b\\",
    "\x1b[>41;330;0c",
    "\x1b[?64;1;2;6;9;15;18;21;22c",
    "\x1b[=0;1c",
    "\x1b[?997;1n",
    "\x1b[0n",
    "\x1b[?2026;2$y",
    "\x1b[4;1$y",
    "\x1b[24;80R",
    "\x1b[?24;80;1R",
    "\x1b[?1u",
    "\x1b[8;24;80t",
    "\x1b[4;600;800t",
    "\x1b[2;1;1;128;128;1;0x",
    "\x1b[48;24;80;600;800t",
    "\x1b[I",
    "\x1b[201~",
    "\x1b[?1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19;20c",
];

/// Input to the program, and the expected events.
#[derive(Debug, Clone)]
struct Sent {
    bytes: Vec<u8>,
    event: Option<Event>,
    /// True if only silence distinguishes it from the start of a longer sequence.
    is_prefix: bool,
}

fn sent(bytes: impl Into<Vec<u8>>, event: Event) -> Sent {
    Sent { bytes: bytes.into(), event: Some(event), is_prefix: false }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

fn character(c: char, modifiers: KeyModifiers) -> Event {
    key(KeyCode::Char(c), if c.is_uppercase() { modifiers | SHIFT } else { modifiers })
}

/// The parameter with which xterm encodes modifiers.
fn parameter(modifiers: KeyModifiers) -> u8 {
    let bits = [(SHIFT, 1), (ALT, 2), (CONTROL, 4)];
    1 + bits.iter().filter(|(modifier, _)| modifiers.contains(*modifier)).map(|(_, bit)| bit).sum::<u8>()
}

fn any_modifiers() -> impl Strategy<Value = KeyModifiers> {
    (0..8_u8).prop_map(|bits| {
        [SHIFT, ALT, CONTROL].into_iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, one)| one).collect()
    })
}

fn characters() -> impl Strategy<Value = Sent> {
    let shown = prop_oneof![3 => proptest::char::range('!', '~'), 1 => select(vec!['é', 'ß', 'Ж', '漢', '👍', '\u{301}'])];
    let typed = (shown, any::<bool>()).prop_map(|(c, alt)| {
        let bytes = if alt { format!("\x1b{c}") } else { c.to_string() };
        let is_prefix = alt && "[O]PX^_".contains(c);
        Sent { is_prefix, ..sent(bytes, character(c, if alt { ALT } else { NONE })) }
    });
    let controls =
        (select(('a'..='z').filter(|c| !"im".contains(*c)).collect::<Vec<_>>()), any::<bool>()).prop_map(|(c, alt)| {
            let byte = u8::try_from(c).unwrap() & 0x1f;
            let (bytes, modifiers) = if alt { (vec![0x1b, byte], ALT | CONTROL) } else { (vec![byte], CONTROL) };
            sent(bytes, key(KeyCode::Char(c), modifiers))
        });
    // As if an earlier program left modifyOtherKeys or the kitty keyboard protocol enabled.
    let encoded = (proptest::char::range('a', 'z'), any_modifiers(), 0..3_u8).prop_map(|(c, modifiers, form)| {
        let (code, number) = (u32::from(c), parameter(modifiers));
        let shown = if modifiers.contains(SHIFT) { c.to_ascii_uppercase() } else { c };
        let bytes = match form {
            0 => format!("\x1b[27;{number};{code}~"),
            1 => format!("\x1b[{code};{number}u"),
            _ => format!("\x1b[{code};{number}:2u"),
        };
        sent(bytes, key(KeyCode::Char(shown), modifiers))
    });
    prop_oneof![4 => typed, 2 => controls, 1 => encoded]
}

fn simple_keys() -> impl Strategy<Value = Sent> {
    let keys = [
        ("\r", KeyCode::Enter, NONE),
        ("\x1b\r", KeyCode::Enter, ALT),
        ("\x1bOM", KeyCode::Enter, NONE),
        ("\t", KeyCode::Tab, NONE),
        ("\x1b[Z", KeyCode::BackTab, SHIFT),
        ("\x7f", KeyCode::Backspace, NONE),
        ("\x1b\x7f", KeyCode::Backspace, ALT),
        ("\0", KeyCode::Char(' '), CONTROL),
        (" ", KeyCode::Char(' '), NONE),
        ("\x1b ", KeyCode::Char(' '), ALT),
        // rxvt.
        ("\x1bOa", KeyCode::Up, CONTROL),
        ("\x1bOd", KeyCode::Left, CONTROL),
        ("\x1b[b", KeyCode::Down, SHIFT),
        ("\x1b[c", KeyCode::Right, SHIFT),
        ("\x1b\x1b[D", KeyCode::Left, ALT),
        ("\x1b\x1b[6~", KeyCode::PageDown, ALT),
        ("\x1b\x1bOC", KeyCode::Right, ALT),
        ("\x1b[7~", KeyCode::Home, NONE),
        ("\x1b[8^", KeyCode::End, CONTROL),
        ("\x1b[5$", KeyCode::PageUp, SHIFT),
        ("\x1b[6@", KeyCode::PageDown, CONTROL | SHIFT),
        // PuTTY.
        ("\x1bOw", KeyCode::End, NONE),
        ("\x1b[Ow", KeyCode::End, NONE),
        ("\x1b[11~", KeyCode::F(1), NONE),
        // The Linux console.
        ("\x1b[[A", KeyCode::F(1), NONE),
        ("\x1b[[E", KeyCode::F(5), NONE),
        // Older terminals.
        ("\x1b[5D", KeyCode::Left, CONTROL),
        ("\x1bO5C", KeyCode::Right, CONTROL),
        ("\x1bO1;3D", KeyCode::Left, ALT),
        ("\x1b[1;2R", KeyCode::F(3), SHIFT),
    ];
    let esc = Sent { is_prefix: true, ..sent("\x1b", key(KeyCode::Esc, NONE)) };
    let keys = keys.map(|(bytes, code, modifiers)| sent(bytes, key(code, modifiers)));
    prop_oneof![10 => select(keys.to_vec()), 1 => Just(esc)]
}

/// Cursor and function keys as sent by xterm, in normal and application mode.
fn xterm_keys() -> impl Strategy<Value = Sent> {
    let letters = [
        ('A', KeyCode::Up),
        ('B', KeyCode::Down),
        ('C', KeyCode::Right),
        ('D', KeyCode::Left),
        ('H', KeyCode::Home),
        ('F', KeyCode::End),
        ('P', KeyCode::F(1)),
        ('Q', KeyCode::F(2)),
        ('S', KeyCode::F(4)),
    ];
    let numbers = [
        (1, KeyCode::Home),
        (2, KeyCode::Insert),
        (3, KeyCode::Delete),
        (4, KeyCode::End),
        (5, KeyCode::PageUp),
        (6, KeyCode::PageDown),
        (15, KeyCode::F(5)),
        (17, KeyCode::F(6)),
        (21, KeyCode::F(10)),
        (24, KeyCode::F(12)),
        (34, KeyCode::F(20)),
    ];
    let lettered =
        (select(letters.to_vec()), any_modifiers(), any::<bool>()).prop_map(|((last, code), modifiers, normal)| {
            let bytes = match (modifiers, normal) {
                (NONE, true) => format!("\x1b[{last}"),
                (NONE, false) => format!("\x1bO{last}"),
                _ => format!("\x1b[1;{}{last}", parameter(modifiers)),
            };
            sent(bytes, key(code, modifiers))
        });
    let numbered = (select(numbers.to_vec()), any_modifiers()).prop_map(|((number, code), modifiers)| {
        let bytes = match modifiers {
            NONE => format!("\x1b[{number}~"),
            _ => format!("\x1b[{number};{}~", parameter(modifiers)),
        };
        sent(bytes, key(code, modifiers))
    });
    prop_oneof![lettered, numbered]
}

fn mouse() -> impl Strategy<Value = Sent> {
    let kinds = [
        (0, 'M', MouseEventKind::Down(MouseButton::Left)),
        (0, 'm', MouseEventKind::Up(MouseButton::Left)),
        (2, 'M', MouseEventKind::Down(MouseButton::Right)),
        (32, 'M', MouseEventKind::Drag(MouseButton::Left)),
        (35, 'M', MouseEventKind::Moved),
        (64, 'M', MouseEventKind::ScrollUp),
        (65, 'M', MouseEventKind::ScrollDown),
    ];
    (select(kinds.to_vec()), 0..300_u16, 0..100_u16, any::<bool>()).prop_map(
        |((button, last, kind), column, row, control)| {
            let (held, modifiers) = if control { (16, CONTROL) } else { (0, NONE) };
            let bytes = format!("\x1b[<{};{};{}{last}", button + held, column + 1, row + 1);
            sent(bytes, Event::Mouse(MouseEvent { kind, column, row, modifiers }))
        },
    )
}

fn paste() -> impl Strategy<Value = Sent> {
    "([a-z漢\n\x03\x1b~]|\x1b\\[20[01]|\x1b\\[A){0,20}".prop_map(|text| {
        let end = "\x1b[201~";
        let text =
            std::iter::successors(Some(text), |text| text.contains(end).then(|| text.replace(end, ""))).last().unwrap();
        sent(format!("\x1b[200~{text}\x1b[201~"), Event::Paste(text))
    })
}

fn report() -> impl Strategy<Value = Sent> {
    let long = ("[a-z0-9;/=+?]{0,200}", select(vec![("\x1b]52;", "\x07"), ("\x1bP", "\x1b\\"), ("\x1b_", "\x1b\\")]));
    let long = long.prop_map(|(text, (open, close))| format!("{open}{text}q{close}"));
    let unknown = "\x1b\\[[<=>?][0-9;:]{0,40}[ -/]{0,2}[@-LN-ln-~]";
    prop_oneof![4 => select(REPORTS.to_vec()).prop_map(str::to_owned), 1 => long, 1 => unknown].prop_map(|text| Sent {
        bytes: text.into_bytes(),
        event: None,
        is_prefix: false,
    })
}

fn anything() -> impl Strategy<Value = Sent> {
    prop_oneof![4 => characters(), 3 => simple_keys(), 3 => xterm_keys(), 1 => mouse(), 1 => paste(), 4 => report()]
}

/// The events of some bytes that arrive at once, without the silence after them.
fn decoded(bytes: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    Decoder::default().feed(bytes, &mut events);
    events
}

/// The events of some bytes and a silence.
fn after_silence(bytes: &[u8]) -> Vec<Event> {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    decoder.feed(bytes, &mut events);
    decoder.pause(&mut events);
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Exactly the pressed keys are returned, in order, however the bytes are split.
    #[test]
    fn what_was_pressed_comes_out(all in proptest::collection::vec(anything(), 1..12), cuts in any::<u64>()) {
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        let mut cuts = cuts;
        for one in &all {
            for &byte in &one.bytes {
                decoder.feed(&[byte], &mut events);
                cuts = cuts.rotate_left(1);
                let pause = if byte == 0x1b { AFTER_ESC } else { ELSEWHERE };
                // A pause that must not end a sequence.
                if cuts & 1 == 1 {
                    prop_assert!(decoder.patience().is_none_or(|patience| patience >= pause), "{decoder:?}");
                }
            }
            if one.is_prefix {
                let limit = if one.bytes == [0x1b] { Duration::from_millis(50) } else { ELSEWHERE };
                prop_assert!(decoder.patience().is_some_and(|patience| patience <= limit));
                decoder.pause(&mut events);
            }
            prop_assert_eq!(decoder.patience(), None, "{:?} is left unfinished", one);
        }
        let pressed: Vec<_> = all.into_iter().filter_map(|one| one.event).collect();
        prop_assert_eq!(events, pressed);
    }

    /// The result does not depend on how the bytes are split.
    #[test]
    fn pieces_make_no_difference(bytes in any::<Vec<u8>>(), piece in 1..5_usize) {
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        for piece in bytes.chunks(piece) {
            decoder.feed(piece, &mut events);
        }
        prop_assert_eq!(events, decoded(&bytes));
    }

    /// After any bytes, complete or not, ctrl-c works after the pause.
    #[test]
    fn ctrl_c_works_after_whatever_came(
        noise in prop_oneof![any::<Vec<u8>>(), "(\x1b[\\[O\\]P_^X]?|[0-9;?<>$~M]|\\PC){0,20}".prop_map(String::into_bytes)],
    ) {
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        decoder.feed(&noise, &mut events);
        decoder.pause(&mut events);
        prop_assert_eq!(decoder.patience(), None);
        events.clear();
        decoder.feed(b"\x03", &mut events);
        prop_assert_eq!(events, [key(KeyCode::Char('c'), CONTROL)]);
    }
}

#[test]
fn every_default_key_can_be_typed() {
    for name in ACTIONS.iter().flat_map(|entry| entry.keys) {
        let bytes = match *name {
            "down" => "\x1b[B".to_owned(),
            "up" => "\x1b[A".to_owned(),
            "right" => "\x1b[C".to_owned(),
            "left" => "\x1b[D".to_owned(),
            "home" => "\x1b[H".to_owned(),
            "end" => "\x1b[F".to_owned(),
            "pgup" => "\x1b[5~".to_owned(),
            "pgdn" => "\x1b[6~".to_owned(),
            "enter" => "\r".to_owned(),
            "esc" => "\x1b".to_owned(),
            "tab" => "\t".to_owned(),
            "space" => " ".to_owned(),
            _ => match name.strip_prefix("ctrl-") {
                Some(letter) => letter.bytes().map(|byte| char::from(byte & 0x1f)).collect(),
                None => (*name).to_owned(),
            },
        };
        let events = after_silence(bytes.as_bytes());
        let [Event::Key(event)] = *events else { panic!("{name}: {events:?}") };
        assert_eq!(Some(Key::from(event)), Key::parse(name));
    }
}

#[test]
fn what_stays_unfinished_is_given_up_after_a_pause() {
    for bytes in [
        "\x1b[?1;2",
        "\x1b[<0;10",
        "\x1b]11;rgb:1c",
        "\x1bP1$r",
        "\x1b_G",
        "\x1b[M!",
        "\x1bO5",
        "\x1b[[",
        "\x1b[O",
        "\u{c3}",
    ] {
        let bytes = if bytes == "\u{c3}" { &b"\xc3"[..] } else { bytes.as_bytes() };
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        decoder.feed(bytes, &mut events);
        assert_eq!(decoder.patience(), Some(ELSEWHERE), "{bytes:?}");
        decoder.pause(&mut events);
        assert_eq!((events, decoder.patience()), (vec![], None), "{bytes:?}");
    }
}

#[test]
fn an_unfinished_paste_is_given_up_after_a_second() {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    decoder.feed(b"\x1b[200~abc\x1b[2", &mut events);
    assert_eq!(decoder.patience(), Some(Duration::from_secs(1)));
    decoder.pause(&mut events);
    decoder.feed(b"j", &mut events);
    assert_eq!(events, [Event::Paste("abc".into()), character('j', NONE)]);
}

#[test]
fn a_paste_keeps_what_a_prompt_could_take_and_no_more() {
    let bytes = [b"\x1b[200~".to_vec(), vec![b'a'; 1 << 20], b"\x1b[201~".to_vec()].concat();
    let events = decoded(&bytes);
    let [Event::Paste(text)] = &*events else { panic!("{} events", events.len()) };
    assert_eq!(text.len(), 64 * 1024);
}

#[test]
fn whoever_presses_alt_and_a_bracket_can_still_get_out() {
    let ctrl_c = key(KeyCode::Char('c'), CONTROL);
    for bytes in ["\x1b]\x03", "\x1bPj\x03", "\x1b[1\x03", "\x1bO\x03", "\x1b[<0;\x03"] {
        assert_eq!(decoded(bytes.as_bytes()).last(), Some(&ctrl_c), "{bytes:?}");
    }
    assert_eq!(after_silence(b"\x1b]"), [character(']', ALT)]);
    assert_eq!(after_silence(b"\x1b\x1b"), [key(KeyCode::Esc, NONE), key(KeyCode::Esc, NONE)]);
}

#[test]
fn a_sequence_that_another_one_interrupts_is_dropped() {
    let down = key(KeyCode::Down, NONE);
    for bytes in [
        "\x1b[?1;2\x1b[B",
        "\x1b]11;rgb\x1b[B",
        "\x1bP1$r\x1bOB",
        "\x1bO\x1b[B",
        "\x1b[M!\x1b[B",
        "\x1b[[\x1b[B",
        "\x1b[O\x1b[B",
    ] {
        assert_eq!(decoded(bytes.as_bytes()), std::slice::from_ref(&down), "{bytes:?}");
    }
}

#[test]
fn what_is_no_key_of_ours_is_no_other_key() {
    // Released, with Super, a key of the private use area, a cursor position, a lone continuation byte, a key beyond the
    // last.
    for bytes in ["\x1b[97;1:3u", "\x1b[97;9u", "\x1b[57399u", "\x1b[1;80R", "\x1b[35~", "\x1b[[F", "\x1bOj"] {
        assert_eq!(after_silence(bytes.as_bytes()), [], "{bytes:?}");
    }
    assert_eq!(after_silence(b"\x80\xff\xc0"), []);
}

#[test]
fn old_mouse_reports_are_read() {
    let down = |column, row| {
        let kind = MouseEventKind::Down(MouseButton::Left);
        Event::Mouse(MouseEvent { kind, column, row, modifiers: NONE })
    };
    assert_eq!(decoded(b"\x1b[M !!"), [down(0, 0)]);
    assert_eq!(decoded(b"\x1b[32;10;5M"), [down(9, 4)]);
}
