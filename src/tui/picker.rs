//! A picker: a digit or enter takes a choice, `/` narrows them.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::config::Profile;
use crate::keymap::Action;
use crate::text::{Safe, clean};

/// The keys of the first ones.
pub const DIGITS: [char; 9] = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];

/// More than anybody types to find a workspace.
const MAX_INPUT: usize = 64;

/// Something to pick.
pub trait Choice {
    /// What it is called.
    fn name(&self) -> &Safe;

    /// What else it can be found by; to match the name counts for more.
    fn beside(&self) -> &Safe;
}

impl Choice for Profile {
    fn name(&self) -> &Safe {
        &self.shown
    }

    fn beside(&self) -> &Safe {
        &self.host
    }
}

/// What was typed, and which of the choices it finds.
#[derive(Debug, Clone)]
pub struct Picker {
    input: String,
    /// Places among the choices.
    found: Vec<usize>,
    selected: usize,
    /// Letters are text.
    is_narrowing: bool,
    /// Enter was pressed where nothing could be taken.
    is_refused: bool,
}

/// What a key did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picked {
    Nothing,
    Changed,
    Closed,
    /// The place of what is taken.
    Chosen(usize),
}

impl Picker {
    /// With the one after the current one selected: of two, that is the other.
    pub fn new<C: Choice>(choices: &[C], current: usize) -> Self {
        let next = if current + 1 < choices.len() { current + 1 } else { 0 };
        let found = (0..choices.len()).collect();
        Self { input: String::new(), found, selected: next, is_narrowing: false, is_refused: false }
    }

    pub fn input(&self) -> Safe {
        clean(&self.input)
    }

    pub fn found(&self) -> &[usize] {
        &self.found
    }

    pub fn selected(&self) -> usize {
        self.selected
    }

    /// The place of the selected one.
    pub fn chosen(&self) -> Option<usize> {
        self.found.get(self.selected).copied()
    }

    /// The place of the one that a digit stands before.
    pub fn at_digit(&self, digit: char) -> Option<usize> {
        let index = DIGITS.iter().position(|&known| known == digit)?;
        self.found.get(index).copied()
    }

    /// Takes typed or pasted text; control characters in it are no text.
    pub fn insert<C: Choice>(&mut self, text: &str, choices: &[C]) {
        self.is_narrowing = true;
        let room = MAX_INPUT.saturating_sub(self.input.chars().count());
        self.input.extend(text.chars().filter(|c| !c.is_control()).take(room));
        self.narrow(choices);
    }

    /// Takes back a character; false when there is none.
    pub fn backspace<C: Choice>(&mut self, choices: &[C]) -> bool {
        let had_one = self.input.pop().is_some();
        self.narrow(choices);
        had_one
    }

    pub fn clear<C: Choice>(&mut self, choices: &[C]) {
        self.input.clear();
        self.narrow(choices);
    }

    /// Whether letters narrow the choices, and digits take none.
    pub fn is_narrowing(&self) -> bool {
        self.is_narrowing
    }

    /// Whether enter was pressed where nothing could be taken.
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// What a key does, given what it does in the list.
    pub fn key<C: Choice>(&mut self, event: KeyEvent, action: Option<Action>, choices: &[C]) -> Picked {
        let plain = !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        self.is_refused = false;
        match event.code {
            KeyCode::Esc if self.is_narrowing => self.widen(choices),
            KeyCode::Esc => return Picked::Closed,
            KeyCode::Enter => {
                let chosen = self.chosen();
                self.is_refused = chosen.is_none();
                return chosen.map_or(Picked::Changed, Picked::Chosen);
            }
            KeyCode::Down | KeyCode::Tab => self.move_by(1),
            KeyCode::Up | KeyCode::BackTab => self.move_by(-1),
            KeyCode::Char('n') if !plain => self.move_by(1),
            KeyCode::Char('p') if !plain => self.move_by(-1),
            KeyCode::Char('u') if !plain => self.clear(choices),
            KeyCode::Backspace if self.is_narrowing && !self.backspace(choices) => self.is_narrowing = false,
            KeyCode::Char(c) if plain && self.is_narrowing => self.insert(c.encode_utf8(&mut [0; 4]), choices),
            KeyCode::Char(digit) if plain && digit.is_ascii_digit() => {
                return self.at_digit(digit).map_or(Picked::Nothing, Picked::Chosen);
            }
            _ => return self.perform(action),
        }
        Picked::Changed
    }

    fn perform(&mut self, action: Option<Action>) -> Picked {
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

    /// Shows all choices again.
    fn widen<C: Choice>(&mut self, choices: &[C]) {
        self.clear(choices);
        self.is_narrowing = false;
    }

    pub fn move_by(&mut self, rows: isize) {
        self.selected = self.selected.saturating_add_signed(rows).min(self.found.len().saturating_sub(1));
    }

    fn narrow<C: Choice>(&mut self, choices: &[C]) {
        self.selected = 0;
        let pattern = Pattern::parse(&self.input, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut score = |text: &Safe| pattern.score(Utf32Str::new(text.as_str(), &mut buffer), &mut matcher);
        let mut scored: Vec<_> = choices
            .iter()
            .enumerate()
            .filter_map(|(at, choice)| {
                let (name, beside) = (score(choice.name()), score(choice.beside()));
                name.map(|name| name.saturating_mul(2)).max(beside).map(|score| (score, at))
            })
            .collect();
        scored.sort_by_key(|&(score, _)| std::cmp::Reverse(score));
        self.found = scored.into_iter().map(|(_, at)| at).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles(names: &[&str]) -> Vec<Profile> {
        let profile = |name: &&str| Profile {
            name: Some((*name).to_owned()),
            shown: clean(name),
            host: "api.dialnexa.com".into(),
            colour: None,
            asks: false,
        };
        names.iter().map(profile).collect()
    }

    #[test]
    fn the_other_one_of_two_is_selected() {
        let two = profiles(&["production", "staging"]);
        assert_eq!(Picker::new(&two, 0).chosen(), Some(1));
        assert_eq!(Picker::new(&two, 1).chosen(), Some(0));
        assert_eq!(Picker::new::<Profile>(&[], 0).chosen(), None);
    }

    #[test]
    fn letters_narrow_and_digits_count_what_is_left() {
        let all = profiles(&["eu", "production", "staging", "us"]);
        let mut picker = Picker::new(&all, 0);
        assert_eq!((picker.at_digit('3'), picker.at_digit('5'), picker.at_digit('0')), (Some(2), None, None));
        picker.insert("sg\n\u{1b}", &all);
        assert_eq!((picker.input().as_str(), picker.found(), picker.at_digit('1')), ("sg", &[2][..], Some(2)));
        picker.insert("zz", &all);
        assert_eq!((picker.chosen(), picker.at_digit('1')), (None, None));
        picker.move_by(3);
        while picker.backspace(&all) {}
        assert_eq!(picker.found().len(), 4);
        picker.insert("dialnexa", &all);
        assert_eq!(picker.found().len(), 4, "hosts are found too");
        picker.clear(&all);
        picker.move_by(-1);
        assert_eq!(picker.chosen(), Some(0));
        picker.move_by(100);
        assert_eq!(picker.chosen(), Some(3));
    }

    #[test]
    fn a_flood_of_text_is_cut() {
        let all = profiles(&["a"]);
        let mut picker = Picker::new(&all, 0);
        picker.insert(&"x".repeat(1 << 20), &all);
        assert_eq!(picker.input().width(), MAX_INPUT);
    }
}
