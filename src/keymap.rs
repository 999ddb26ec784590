//! The actions of the explorer with their names and default keys. Dispatch, footer, help, command palette, the `[keys]`
//! section of the config and the README all use this table; keys are defined nowhere else.

use std::collections::BTreeMap;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::base::text::{Safe, clean_head};
use crate::safe;

/// An action of the explorer, bound to keys and listed in the command palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    MoveDown,
    MoveUp,
    HalfPageDown,
    HalfPageUp,
    PageDown,
    PageUp,
    First,
    Last,
    Open,
    Back,
    NextPane,
    Filter,
    NextScope,
    Sort,
    ReverseSort,
    ViewWebhooks,
    ViewHosts,
    ViewEvents,
    ViewFindings,
    ViewChanges,
    Mark,
    MarkAll,
    Acknowledge,
    Export,
    RawJson,
    Copy,
    Probe,
    ProbeAll,
    DiscardProbes,
    Refresh,
    AutoRefresh,
    LoadEverything,
    Profiles,
    TimeFormat,
    Reveal,
    Mouse,
    Palette,
    Help,
    Redraw,
    Suspend,
    Quit,
}

/// One row of the table.
#[derive(Debug)]
pub struct Entry {
    pub action: Action,
    /// The name in the config, in help and in the palette.
    pub name: &'static str,
    /// Default keys, as the config spells them.
    pub keys: &'static [&'static str],
    /// A short label for the footer.
    pub word: &'static str,
    /// A description, for help and palette.
    pub help: &'static str,
}

macro_rules! actions {
    ($($action:ident $name:literal [$($key:literal),*] $word:literal $help:literal;)*) => {
        /// Every action, in the order of the help.
        pub const ACTIONS: &[Entry] = &[
            $(Entry { action: Action::$action, name: $name, keys: &[$($key),*], word: $word, help: $help },)*
        ];
    };
}

actions! {
    MoveDown "move-down" ["j", "down"] "move" "move down, or scroll the detail";
    MoveUp "move-up" ["k", "up"] "move" "move up, or scroll the detail";
    HalfPageDown "half-page-down" ["ctrl-d"] "down" "move down half a page";
    HalfPageUp "half-page-up" ["ctrl-u"] "up" "move up half a page";
    PageDown "page-down" ["pgdn", "ctrl-f"] "down" "move down a page";
    PageUp "page-up" ["pgup", "ctrl-b"] "up" "move up a page";
    First "first" ["g", "home"] "first" "go to the top";
    Last "last" ["G", "end"] "last" "go to the bottom";
    Open "open" ["enter", "l", "right"] "open" "open the detail, a host, a rule or a finding";
    Back "back" ["esc", "h", "left"] "back" "go back one level; esc also clears the filter";
    NextPane "next-pane" ["tab"] "pane" "switch between the list and the detail";
    Filter "filter" ["/"] "filter" "filter the list; enter keeps the filter, esc clears it";
    NextScope "scope" ["a"] "scope" "cycle the scope: all, active, inactive";
    Sort "sort" ["s"] "sort" "cycle the sort: created, url, host, events, status, id, none";
    ReverseSort "reverse-sort" ["S"] "reverse" "reverse the sort order";
    ViewWebhooks "webhooks" ["1"] "webhooks" "webhooks: one line each";
    ViewHosts "hosts" ["2"] "hosts" "hosts: destinations by host; enter expands";
    ViewEvents "events" ["3"] "events" "events: subscribers per event; enter lists them";
    ViewFindings "findings" ["4"] "findings" "findings: audit results by rule; enter expands";
    ViewChanges "changes" ["5"] "changes" "changes: added, changed, removed; sort sets the baseline";
    Mark "mark" ["space"] "mark" "mark or unmark a webhook for copy and export";
    MarkAll "mark-all" ["*"] "mark all" "mark or unmark all listed webhooks";
    Acknowledge "acknowledge" ["."] "acknowledge" "acknowledge changes: clear the signs + ~ -";
    Export "export" ["e"] "export" "export marked (else listed) webhooks to a file";
    RawJson "raw-json" ["v"] "json" "toggle the raw JSON of the webhook";
    Copy "copy" ["y"] "copy" "copy the URL, the id, the JSON, a curl command or more";
    Probe "probe" ["p"] "probe" "probe the destination: is it reachable from this host?";
    ProbeAll "probe-all" ["P"] "probe all" "probe all marked (else listed) destinations; esc stops";
    DiscardProbes "discard-probes" ["D"] "discard" "discard all probe results";
    Refresh "refresh" ["r"] "refresh" "refresh; after an error, retry now";
    AutoRefresh "auto-refresh" ["R"] "auto" "toggle auto-refresh";
    LoadEverything "load-everything" ["L"] "load all" "load all webhooks, or reload them; esc stops";
    Profiles "profiles" ["w"] "profile" "switch to another profile";
    TimeFormat "time-format" ["t"] "time" "cycle the time format: relative, UTC, local";
    Reveal "reveal" ["x"] "reveal" "show or mask credentials in URLs";
    Mouse "mouse" ["m"] "mouse" "toggle the mouse (on: no terminal text selection)";
    Palette "palette" [":"] "command" "command palette: find an action by name";
    Help "help" ["?"] "help" "list all keys";
    Redraw "redraw" ["ctrl-l"] "redraw" "redraw the screen";
    Suspend "suspend" ["ctrl-z"] "suspend" "suspend to the shell; fg resumes";
    Quit "quit" ["q", "ctrl-c"] "quit" "quit";
}

impl Action {
    /// Returns the action's entry in the table.
    pub fn entry(self) -> Option<&'static Entry> {
        ACTIONS.iter().find(|entry| entry.action == self)
    }

    /// Returns true for actions that move the selection. Marking is one, as it moves on to the next webhook.
    pub const fn is_move(self) -> bool {
        matches!(
            self,
            Self::Mark
                | Self::MoveDown
                | Self::MoveUp
                | Self::HalfPageDown
                | Self::HalfPageUp
                | Self::PageDown
                | Self::PageUp
                | Self::First
                | Self::Last
        )
    }
}

/// The kind of text that `y` and a second key copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copy {
    Url,
    Id,
    Json,
    Markdown,
    CurlGet,
    CurlPause,
    CurlDelete,
    ListCommand,
}

impl Copy {
    /// Returns true for a request that is sent with the key.
    pub const fn is_request(self) -> bool {
        matches!(self, Self::CurlGet | Self::CurlPause | Self::CurlDelete)
    }

    /// The singular and the plural of its name.
    pub const fn names(self) -> [&'static str; 2] {
        match self {
            Self::Url => ["URL", "URLs"],
            Self::Id => ["id", "ids"],
            Self::Json => ["JSON", "JSON objects"],
            Self::Markdown => ["Markdown", "Markdown blocks"],
            Self::CurlGet => ["curl command", "curl commands"],
            Self::CurlPause => ["pause command", "pause commands"],
            Self::CurlDelete => ["delete command", "delete commands"],
            Self::ListCommand => ["list command", "list commands"],
        }
    }

    /// Returns true for a shell command.
    pub const fn is_command(self) -> bool {
        self.is_request() || matches!(self, Self::ListCommand)
    }
}

/// The copy menu: the key, the kind of text, and a description.
pub const COPIES: [(char, Copy, &str); 8] = [
    ('u', Copy::Url, "URL"),
    ('i', Copy::Id, "id"),
    ('j', Copy::Json, "JSON"),
    ('m', Copy::Markdown, "Markdown block for the incident channel"),
    ('c', Copy::CurlGet, "curl command to read it"),
    ('p', Copy::CurlPause, "curl command to pause it"),
    ('d', Copy::CurlDelete, "curl command to delete it"),
    ('l', Copy::ListCommand, "hookscope list command for this list"),
];

/// A key with its modifiers, as far as terminals report them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const NAMED: [(&str, KeyCode); 15] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
];

impl Key {
    /// Always quits, even from a text input, and cannot be bound.
    pub const CTRL_C: Self = Self { code: KeyCode::Char('c'), modifiers: KeyModifiers::CONTROL };

    /// `j`, `G`, `ctrl-d`, `alt-x`, `pgdn`, `f5`, …
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut modifiers = KeyModifiers::NONE;
        loop {
            if let Some(after) = rest.strip_prefix("ctrl-").filter(|after| !after.is_empty()) {
                modifiers |= KeyModifiers::CONTROL;
                rest = after;
            } else if let Some(after) = rest.strip_prefix("alt-").filter(|after| !after.is_empty()) {
                modifiers |= KeyModifiers::ALT;
                rest = after;
            } else {
                break;
            }
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() && c != ' ' => KeyCode::Char(c),
            _ => match NAMED.iter().find(|(name, _)| *name == rest) {
                Some(&(_, code)) => code,
                None => KeyCode::F(rest.strip_prefix('f')?.parse().ok().filter(|n| (1..=24).contains(n))?),
            },
        };
        Some(Self { code, modifiers })
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        // An upper-case letter already implies Shift, and not all terminals report Shift with it.
        Self { code: event.code, modifiers: event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT) }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("alt-")?;
        }
        match (NAMED.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) => write!(f, "{}", clean_head(c.encode_utf8(&mut [0; 4]), 8)),
            (None, KeyCode::F(n)) => write!(f, "f{n}"),
            (None, _) => f.write_str("?"),
        }
    }
}

/// The keys of all actions.
#[derive(Debug, Clone)]
pub struct Keymap {
    bindings: Vec<(Key, Action)>,
}

/// The reason why a `[keys]` section is invalid; `action` names the line at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub action: &'static str,
    pub message: Safe,
}

impl Default for Keymap {
    fn default() -> Self {
        match Self::new(&BTreeMap::new()) {
            Ok(keymap) => keymap,
            Err(_) => unreachable!("a test builds the default keymap"),
        }
    }
}

impl Keymap {
    /// The default keys, with those of some actions replaced.
    pub fn new(replaced: &BTreeMap<Action, Vec<Key>>) -> Result<Self, Conflict> {
        let mut keymap = Self { bindings: Vec::new() };
        // The user's keys come first, so that a conflict is reported on one of the user's lines.
        let (chosen, default): (Vec<_>, Vec<_>) = ACTIONS.iter().partition(|entry| replaced.contains_key(&entry.action));
        for entry in default {
            for key in entry.keys.iter().filter_map(|key| Key::parse(key)) {
                keymap.bind(key, entry)?;
            }
        }
        for entry in chosen {
            for &key in replaced.get(&entry.action).into_iter().flatten() {
                keymap.bind(key, entry)?;
            }
        }
        if keymap.action(Key::CTRL_C).is_none() {
            keymap.bindings.push((Key::CTRL_C, Action::Quit));
        }
        Ok(keymap)
    }

    fn bind(&mut self, key: Key, entry: &Entry) -> Result<(), Conflict> {
        let other = self.action(key).or((key == Key::CTRL_C).then_some(Action::Quit));
        match other.filter(|&other| other != entry.action).and_then(Action::entry) {
            Some(other) => {
                let shown = clean_head(&key.to_string(), 20);
                let message = safe!("key {} is already bound to {}: bind that to another key too", shown, other.name);
                Err(Conflict { action: entry.name, message })
            }
            None => {
                self.bindings.push((key, entry.action));
                Ok(())
            }
        }
    }

    /// Returns the action of a key.
    pub fn action(&self, key: Key) -> Option<Action> {
        self.bindings.iter().find(|(bound, _)| *bound == key).map(|&(_, action)| action)
    }

    /// The keys of an action for display, such as `j down`.
    pub fn keys(&self, action: Action) -> Vec<Safe> {
        self.spelled(action).collect()
    }

    /// The first key of an action.
    pub fn key(&self, action: Action) -> Option<Safe> {
        self.spelled(action).next()
    }

    fn spelled(&self, action: Action) -> impl Iterator<Item = Safe> {
        let keys = self.bindings.iter().filter(move |(_, bound)| *bound == action);
        keys.map(|(key, _)| clean_head(&key.to_string(), 20))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_one_row_and_its_keys_parse() {
        let keymap = Keymap::new(&BTreeMap::new()).unwrap();
        for entry in ACTIONS {
            assert_eq!(ACTIONS.iter().filter(|other| other.action == entry.action).count(), 1, "{}", entry.name);
            assert_eq!(ACTIONS.iter().filter(|other| other.name == entry.name).count(), 1, "{}", entry.name);
            for key in entry.keys {
                let parsed = Key::parse(key).unwrap();
                assert_eq!(keymap.action(parsed), Some(entry.action), "{key}");
                assert_eq!(parsed.to_string(), *key);
            }
        }
    }

    #[test]
    fn keys_are_read_as_terminals_send_them() {
        let press = |code, modifiers| Key::from(KeyEvent::new(code, modifiers));
        assert_eq!(press(KeyCode::Char('G'), KeyModifiers::SHIFT), Key::parse("G").unwrap());
        assert_eq!(press(KeyCode::Char('d'), KeyModifiers::CONTROL), Key::parse("ctrl-d").unwrap());
        assert_eq!(Key::parse("-").unwrap().to_string(), "-");
        assert_eq!(Key::parse("ctrl--").unwrap().to_string(), "ctrl--");
        for nonsense in ["", "jj", "ctrl-", "f0", "f25", "hyper-x", "\u{1b}"] {
            assert_eq!(Key::parse(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn a_key_cannot_do_two_things() {
        let replaced =
            |action, keys: &[&str]| BTreeMap::from([(action, keys.iter().filter_map(|key| Key::parse(key)).collect())]);
        let conflict = Keymap::new(&replaced(Action::Refresh, &["a"])).unwrap_err();
        assert_eq!(conflict.action, "refresh");
        assert!(conflict.message.as_str().contains("scope"), "{}", conflict.message);
        assert!(Keymap::new(&replaced(Action::Refresh, &["ctrl-c"])).is_err());
        let keymap = Keymap::new(&replaced(Action::Refresh, &["f5"])).unwrap();
        assert_eq!(keymap.action(Key::parse("r").unwrap()), None);
        let keymap = Keymap::new(&replaced(Action::Quit, &["Q"])).unwrap();
        assert_eq!(keymap.action(Key::CTRL_C), Some(Action::Quit));
    }
}
