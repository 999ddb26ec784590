//! The command palette: every action by its name, found by a few letters of it.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::keymap::{ACTIONS, Entry};
use crate::text::Safe;

/// More than anybody types to find an action.
const MAX_INPUT: usize = 64;

/// What was typed, and what it finds.
#[derive(Debug, Clone)]
pub struct Palette {
    input: String,
    found: Vec<&'static Entry>,
    selected: usize,
}

impl Default for Palette {
    fn default() -> Self {
        Self { input: String::new(), found: ACTIONS.iter().collect(), selected: 0 }
    }
}

impl Palette {
    pub fn input(&self) -> Safe {
        crate::text::clean(&self.input)
    }

    pub fn found(&self) -> &[&'static Entry] {
        &self.found
    }

    pub fn selected(&self) -> usize {
        self.selected
    }

    pub fn chosen(&self) -> Option<&'static Entry> {
        self.found.get(self.selected).copied()
    }

    /// Takes typed or pasted text; control characters in it are no text.
    pub fn insert(&mut self, text: &str) {
        let room = MAX_INPUT.saturating_sub(self.input.chars().count());
        self.input.extend(text.chars().filter(|c| !c.is_control()).take(room));
        self.search();
    }

    /// Takes back a character; false when there is none.
    pub fn backspace(&mut self) -> bool {
        let had_one = self.input.pop().is_some();
        self.search();
        had_one
    }

    pub fn move_by(&mut self, rows: isize) {
        self.selected = self.selected.saturating_add_signed(rows).min(self.found.len().saturating_sub(1));
    }

    fn search(&mut self) {
        self.selected = 0;
        let pattern = Pattern::parse(&self.input, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut score = |text: &str| pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher);
        let typed = self.input.to_lowercase();
        // The letters of anything are somewhere in a long description: of that it takes whole words, and less than of a name.
        let is_told = |help: &str| typed.split_whitespace().all(|word| help.to_lowercase().contains(word));
        let mut scored: Vec<_> = ACTIONS
            .iter()
            .filter_map(|entry| {
                let name = score(entry.name).map(|name| name.saturating_add(1));
                name.or_else(|| is_told(entry.help).then_some(0)).map(|score| (score, entry))
            })
            .collect();
        scored.sort_by_key(|&(score, _)| std::cmp::Reverse(score));
        self.found = scored.into_iter().map(|(_, entry)| entry).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keymap::Action;

    #[test]
    fn a_few_letters_find_an_action() {
        let mut palette = Palette::default();
        assert_eq!(palette.found().len(), ACTIONS.len());
        palette.insert("rawj");
        assert_eq!(palette.chosen().map(|entry| entry.action), Some(Action::RawJson));
        while palette.backspace() {}
        palette.insert("quit\u{1b}\n");
        assert_eq!((palette.input().as_str(), palette.chosen().map(|entry| entry.action)), ("quit", Some(Action::Quit)));
        palette.insert("zzzz");
        assert!(palette.chosen().is_none());
        while palette.backspace() {}
        palette.insert("credentials");
        assert_eq!(palette.chosen().map(|entry| entry.action), Some(Action::Reveal));
        while palette.backspace() {}
        palette.insert("treat");
        assert!(palette.chosen().is_none(), "its letters are in many descriptions");
    }

    #[test]
    fn a_flood_of_text_is_cut() {
        let mut palette = Palette::default();
        palette.insert(&"x".repeat(1 << 20));
        assert_eq!(palette.input().width(), MAX_INPUT);
    }
}
