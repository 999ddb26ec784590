//! A picker: a list of choices, taken with a key, or with enter on the selected one. The palette, the profiles, the
//! baselines and the copy menu are pickers; they differ in the meaning of letters.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::base::text::{Safe, clean};
use crate::keymap::{ACTIONS, Action, COPIES, Copy};

/// The keys of the first choices of a list.
const DIGITS: [char; 9] = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];

/// The longest text that filters the choices.
const MAX_INPUT: usize = 64;

/// The meaning of letters in a picker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letters {
    /// They filter the choices.
    Narrow,
    /// They filter the choices after a slash. Before that, they are keys as in a list, and a digit takes a choice.
    NarrowAfterSlash,
    /// Each takes a choice; any other key closes the picker.
    Take,
}

/// One choice.
#[derive(Debug, Clone)]
pub struct PickerChoice<T> {
    pub value: T,
    /// The key that takes it.
    pub key: Option<char>,
    pub name: Safe,
    /// Additional text to search. Choices whose names match come first.
    pub beside: Safe,
    pub is_current: bool,
}

/// The choices, the typed text, and the choices that match it.
#[derive(Debug, Clone)]
pub struct Picker<T> {
    letters: Letters,
    choices: Vec<PickerChoice<T>>,
    input: String,
    /// The matching choices, as indexes.
    found: Vec<usize>,
    selected: usize,
    /// True while letters are text.
    is_narrowing: bool,
    /// True after enter was pressed without a match.
    is_refused: bool,
}

/// The result of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picked<T> {
    Nothing,
    Changed,
    Closed,
    Chosen(T),
}

impl<T> Picked<T> {
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Picked<U> {
        match self {
            Self::Nothing => Picked::Nothing,
            Self::Changed => Picked::Changed,
            Self::Closed => Picked::Closed,
            Self::Chosen(value) => Picked::Chosen(map(value)),
        }
    }
}

impl Picker<Action> {
    /// The command palette.
    pub fn palette() -> Self {
        let choice = |entry: &crate::keymap::Entry| PickerChoice {
            value: entry.action,
            key: None,
            name: entry.name.into(),
            beside: entry.help.into(),
            is_current: false,
        };
        Self::new(Letters::Narrow, ACTIONS.iter().map(choice).collect())
    }
}

impl Picker<Copy> {
    /// The choices of the copy menu.
    pub fn copies() -> Self {
        let choice = |&(key, copy, words): &(char, Copy, &'static str)| PickerChoice {
            value: copy,
            key: Some(key),
            name: words.into(),
            beside: Safe::default(),
            is_current: false,
        };
        Self::new(Letters::Take, COPIES.iter().map(choice).collect())
    }
}

impl<T: Clone> Picker<T> {
    fn new(letters: Letters, choices: Vec<PickerChoice<T>>) -> Self {
        let found = (0..choices.len()).collect();
        let is_narrowing = letters == Letters::Narrow;
        Self { letters, choices, input: String::new(), found, selected: 0, is_narrowing, is_refused: false }
    }

    /// A list whose first choices have digits. The choice after the current one is selected, which is the other one if there
    /// are two.
    pub fn list(mut choices: Vec<PickerChoice<T>>) -> Self {
        let current = choices.iter().position(|choice| choice.is_current).unwrap_or_default();
        let next = if current + 1 < choices.len() { current + 1 } else { 0 };
        for (choice, digit) in choices.iter_mut().zip(DIGITS) {
            choice.key = Some(digit);
        }
        Self { selected: next, ..Self::new(Letters::NarrowAfterSlash, choices) }
    }

    pub fn input(&self) -> Safe {
        clean(&self.input)
    }

    pub fn choices(&self) -> &[PickerChoice<T>] {
        &self.choices
    }

    /// The choices that match the typed text, the best first.
    pub fn found(&self) -> impl ExactSizeIterator<Item = Option<&PickerChoice<T>>> {
        self.found.iter().map(|&at| self.choices.get(at))
    }

    pub fn selected(&self) -> usize {
        self.selected
    }

    fn chosen(&self) -> Option<T> {
        self.choices.get(*self.found.get(self.selected)?).map(|choice| choice.value.clone())
    }

    fn with_key(&self, key: char) -> Option<T> {
        self.choices.iter().find(|choice| choice.key == Some(key)).map(|choice| choice.value.clone())
    }

    /// Returns true while letters filter the choices instead of taking one.
    pub fn is_narrowing(&self) -> bool {
        self.is_narrowing
    }

    /// Returns true after enter was pressed without a match.
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// Inserts pasted text.
    pub fn paste(&mut self, text: &str) -> bool {
        let takes_text = self.letters != Letters::Take;
        if takes_text {
            self.insert(text);
        }
        takes_text
    }

    /// Inserts typed or pasted text, without control characters.
    fn insert(&mut self, text: &str) {
        self.is_narrowing = true;
        let room = MAX_INPUT.saturating_sub(self.input.chars().count());
        self.input.extend(text.chars().filter(|c| !c.is_control()).take(room));
        self.narrow();
    }

    fn clear(&mut self) {
        self.input.clear();
        self.narrow();
    }

    fn move_by(&mut self, rows: isize) {
        self.selected = self.selected.saturating_add_signed(rows).min(self.found.len().saturating_sub(1));
    }

    /// Handles a key, given its action in a list.
    pub fn key(&mut self, event: KeyEvent, action: Option<Action>) -> Picked<T> {
        let is_plain = !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        if self.letters == Letters::Take {
            let taken = event.code.as_char().filter(|_| is_plain).and_then(|letter| self.with_key(letter));
            return taken.map_or(Picked::Closed, Picked::Chosen);
        }
        self.is_refused = false;
        match (event.code, self.letters) {
            (KeyCode::Esc, Letters::NarrowAfterSlash) if self.is_narrowing => {
                self.clear();
                self.is_narrowing = false;
            }
            (KeyCode::Esc, _) => return Picked::Closed,
            (KeyCode::Enter, letters) => return self.enter(letters),
            (KeyCode::Down | KeyCode::Tab, _) => self.move_by(1),
            (KeyCode::Up | KeyCode::BackTab, _) => self.move_by(-1),
            (KeyCode::Char('n'), _) if !is_plain => self.move_by(1),
            (KeyCode::Char('p'), _) if !is_plain => self.move_by(-1),
            (KeyCode::Char('u'), _) if !is_plain => self.clear(),
            (KeyCode::Backspace, letters) if self.is_narrowing => return self.backspace(letters),
            (KeyCode::Char(c), _) if is_plain && self.is_narrowing => self.insert(c.encode_utf8(&mut [0; 4])),
            (KeyCode::Char(digit), _) if is_plain && digit.is_ascii_digit() => {
                return self.with_key(digit).map_or(Picked::Nothing, Picked::Chosen);
            }
            (_, Letters::NarrowAfterSlash) => return self.perform(action),
            _ => return Picked::Nothing,
        }
        Picked::Changed
    }

    fn enter(&mut self, letters: Letters) -> Picked<T> {
        match self.chosen() {
            Some(chosen) => Picked::Chosen(chosen),
            None if letters == Letters::Narrow => Picked::Closed,
            None => {
                self.is_refused = true;
                Picked::Changed
            }
        }
    }

    /// Deletes a character. If there is none, filtering ends.
    fn backspace(&mut self, letters: Letters) -> Picked<T> {
        if self.input.pop().is_some() {
            self.narrow();
            return Picked::Changed;
        }
        if letters == Letters::Narrow {
            return Picked::Closed;
        }
        self.is_narrowing = false;
        Picked::Changed
    }

    fn perform(&mut self, action: Option<Action>) -> Picked<T> {
        match action {
            Some(Action::MoveDown) => self.move_by(1),
            Some(Action::MoveUp) => self.move_by(-1),
            Some(Action::First) => self.move_by(isize::MIN),
            Some(Action::Last) => self.move_by(isize::MAX),
            Some(Action::Filter) => self.is_narrowing = true,
            Some(Action::Back | Action::Quit) => return Picked::Closed,
            _ => return Picked::Nothing,
        }
        Picked::Changed
    }

    fn narrow(&mut self) {
        self.selected = 0;
        let pattern = Pattern::parse(&self.input, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut score = |text: &Safe| pattern.score(Utf32Str::new(text.as_str(), &mut buffer), &mut matcher);
        let typed = self.input.to_lowercase();
        // Only whole words of a description match: the letters of any word occur in a long description.
        let is_described = |text: &Safe| {
            let text = text.as_str().to_lowercase();
            typed.split_whitespace().all(|word| text.contains(word)).then_some(0)
        };
        let by_words = self.letters == Letters::Narrow;
        let mut scored: Vec<_> = Vec::new();
        for (at, choice) in self.choices.iter().enumerate() {
            let name = score(&choice.name).map(|name| name.saturating_mul(2).saturating_add(1));
            let beside = if by_words { is_described(&choice.beside) } else { score(&choice.beside) };
            scored.extend(name.max(beside).map(|score| (score, at)));
        }
        scored.sort_by_key(|&(score, _)| std::cmp::Reverse(score));
        self.found = scored.into_iter().map(|(_, at)| at).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(names: &[&str]) -> Vec<PickerChoice<usize>> {
        let choice = |(value, name): (usize, &&str)| PickerChoice {
            value,
            key: None,
            name: clean(name),
            beside: "api.dialnexa.com".into(),
            is_current: false,
        };
        names.iter().enumerate().map(choice).collect()
    }

    fn list(names: &[&str], current: usize) -> Picker<usize> {
        let mut choices = choices(names);
        for (at, choice) in choices.iter_mut().enumerate() {
            choice.is_current = at == current;
        }
        Picker::list(choices)
    }

    fn press<T: Clone>(picker: &mut Picker<T>, key: KeyCode) -> Picked<T> {
        picker.key(KeyEvent::new(key, KeyModifiers::NONE), None)
    }

    #[test]
    fn the_other_one_of_two_is_selected() {
        assert_eq!(list(&["production", "staging"], 0).chosen(), Some(1));
        assert_eq!(list(&["production", "staging"], 1).chosen(), Some(0));
        assert_eq!(list(&[], 0).chosen(), None);
    }

    #[test]
    fn letters_narrow_a_list_and_digits_take_a_choice() {
        let mut picker = list(&["eu", "production", "staging", "us"], 0);
        assert_eq!(press(&mut picker, KeyCode::Char('3')), Picked::Chosen(2));
        assert_eq!(press(&mut picker, KeyCode::Char('5')), Picked::Nothing);
        picker.insert("sg\n\u{1b}");
        assert_eq!((picker.input().as_str(), picker.found.as_slice(), picker.chosen()), ("sg", &[2][..], Some(2)));
        picker.insert("zz");
        assert_eq!(press(&mut picker, KeyCode::Enter), Picked::Changed);
        assert!(picker.is_refused());
        picker.move_by(3);
        while picker.is_narrowing() {
            press(&mut picker, KeyCode::Backspace);
        }
        assert_eq!(picker.found.len(), 4);
        picker.insert("dialnexa");
        assert_eq!(picker.found.len(), 4, "hosts are found too");
        press(&mut picker, KeyCode::Esc);
        picker.move_by(-1);
        assert_eq!(picker.chosen(), Some(0));
        picker.move_by(100);
        assert_eq!(picker.chosen(), Some(3));
    }

    #[test]
    fn a_few_letters_find_an_action() {
        let mut palette = Picker::palette();
        assert_eq!(palette.found.len(), ACTIONS.len());
        for (typed, action) in [
            ("rawj", Some(Action::RawJson)),
            ("quit\u{1b}\n", Some(Action::Quit)),
            ("credentials", Some(Action::Reveal)),
            // Its letters occur in many descriptions.
            ("treat", None),
            ("zzzz", None),
        ] {
            palette.clear();
            palette.insert(typed);
            assert_eq!(palette.chosen(), action, "{typed}");
        }
        assert_eq!(press(&mut palette, KeyCode::Enter), Picked::Closed);
    }

    #[test]
    fn a_letter_takes_a_copy_and_any_other_key_closes_the_menu() {
        let (letter, copy, _) = COPIES[0];
        assert_eq!(press(&mut Picker::copies(), KeyCode::Char(letter)), Picked::Chosen(copy));
        for other in [KeyCode::Esc, KeyCode::Enter, KeyCode::Char('~'), KeyCode::Down] {
            assert_eq!(press(&mut Picker::copies(), other), Picked::Closed);
        }
    }

    #[test]
    fn a_flood_of_text_is_cut() {
        let mut picker = Picker::palette();
        picker.insert(&"x".repeat(1 << 20));
        assert_eq!(picker.input().width(), MAX_INPUT);
    }
}
