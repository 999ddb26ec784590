//! A line of text input.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation;

use crate::base::text::{Safe, clean};

/// The size limit of the text, in bytes. Longer pasted text is cut off.
const MAX_BYTES: usize = 10_000;

/// A text and the position of the cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    text: String,
    /// The position of the cursor in bytes, on the boundary of a grapheme cluster.
    at: usize,
}

impl Prompt {
    /// Creates a prompt with a text, and the cursor at its end.
    pub fn new(text: &str) -> Self {
        let text = text.get(..text.floor_char_boundary(MAX_BYTES)).unwrap_or_default();
        Self { text: text.to_owned(), at: text.len() }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The position of the cursor, in bytes.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Inserts typed or pasted text. Line breaks and tabs become spaces, and other control characters are dropped.
    pub fn insert(&mut self, text: &str) {
        let room = MAX_BYTES.saturating_sub(self.text.len());
        let head = text.get(..text.floor_char_boundary(room)).unwrap_or_default();
        let blank = |c: char| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c };
        let typed: String = head.chars().map(blank).filter(|c| !c.is_control()).collect();
        self.text.insert_str(self.at, &typed);
        self.at += typed.len();
    }

    /// Deletes the cluster before the cursor. Returns false if there is none.
    pub fn backspace(&mut self) -> bool {
        let start = self.before();
        let is_there = start < self.at;
        self.text.replace_range(start..self.at, "");
        self.at = start;
        is_there
    }

    pub fn delete(&mut self) {
        let stop = self.behind();
        self.text.replace_range(self.at..stop, "");
    }

    /// Deletes the word before the cursor, and the spaces after it.
    pub fn delete_word(&mut self) {
        let head = self.head().trim_end();
        let start = head
            .rfind(char::is_whitespace)
            .map_or(0, |blank| blank + head.get(blank..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
        self.text.replace_range(start..self.at, "");
        self.at = start;
    }

    /// Deletes from the cursor to the end of the word.
    pub fn delete_word_after(&mut self) {
        let end = self.word_end();
        self.text.replace_range(self.at..end, "");
    }

    /// Deletes everything before the cursor.
    pub fn delete_to_start(&mut self) {
        self.text.replace_range(..self.at, "");
        self.at = 0;
    }

    pub fn delete_to_end(&mut self) {
        self.text.truncate(self.at);
    }

    pub fn left(&mut self) {
        self.at = self.before();
    }

    pub fn right(&mut self) {
        self.at = self.behind();
    }

    /// Moves to the start of the word before the cursor.
    pub fn word_left(&mut self) {
        self.at = self.word_start();
    }

    /// Moves to the end of the word after the cursor.
    pub fn word_right(&mut self) {
        self.at = self.word_end();
    }

    pub fn start(&mut self) {
        self.at = 0;
    }

    pub fn end(&mut self) {
        self.at = self.text.len();
    }

    /// The part of the text around the cursor that fits into this many columns, the column of the cursor, and the column of
    /// another position in the text, if it is visible.
    pub fn window(&self, columns: usize, place: Option<usize>) -> PromptWindow {
        let before = clean(self.head());
        // The cursor itself takes a column.
        let room = columns.saturating_sub(1);
        let skipped = before.width().saturating_sub(room);
        let mut left = skipped;
        let mut text = String::new();
        for (cluster, width) in before.cells() {
            if left > 0 {
                left = left.saturating_sub(width);
            } else {
                text.push_str(cluster);
            }
        }
        let head = clean(&text);
        let cursor = head.width();
        let rest = clean(self.text.get(self.at..).unwrap_or_default()).fit(columns.saturating_sub(cursor), "");
        let column_of = |byte: usize| clean(self.text.get(..byte).unwrap_or_default()).width();
        let place = place.map(column_of).map(|column| column.saturating_sub(skipped)).filter(|&column| column < columns);
        PromptWindow { head, rest, cursor, place, is_cut: skipped > 0 }
    }

    /// Handles an editing key. Returns false if the key has no effect on text.
    pub fn edit(&mut self, event: KeyEvent) -> bool {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        match event.code {
            KeyCode::Char('b') if alt => self.word_left(),
            KeyCode::Char('f') if alt => self.word_right(),
            KeyCode::Char('d') if alt => self.delete_word_after(),
            KeyCode::Char(_) if alt => return false,
            KeyCode::Left if control || alt => self.word_left(),
            KeyCode::Right if control || alt => self.word_right(),
            KeyCode::Backspace if control || alt => self.delete_word(),
            KeyCode::Delete if control || alt => self.delete_word_after(),
            KeyCode::Char('w') if control => self.delete_word(),
            KeyCode::Char('u') if control => self.delete_to_start(),
            KeyCode::Char('k') if control => self.delete_to_end(),
            KeyCode::Char('a') if control => self.start(),
            KeyCode::Char('e') if control => self.end(),
            KeyCode::Char('h') if control => drop(self.backspace()),
            KeyCode::Char(c) if !control => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace => drop(self.backspace()),
            KeyCode::Delete => self.delete(),
            KeyCode::Left => self.left(),
            KeyCode::Right => self.right(),
            KeyCode::Home => self.start(),
            KeyCode::End => self.end(),
            _ => return false,
        }
        true
    }

    /// The start of the word before the cursor. A word consists of letters and digits.
    fn word_start(&self) -> usize {
        let mut start = self.at;
        let mut is_inside = false;
        for (at, cluster) in self.head().grapheme_indices(true).rev() {
            let is_word = cluster.starts_with(char::is_alphanumeric);
            if is_inside && !is_word {
                break;
            }
            is_inside |= is_word;
            start = at;
        }
        start
    }

    /// The end of the word after the cursor.
    fn word_end(&self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut end = self.at;
        let mut is_inside = false;
        for cluster in rest.graphemes(true) {
            let is_word = cluster.starts_with(char::is_alphanumeric);
            if is_inside && !is_word {
                break;
            }
            is_inside |= is_word;
            end += cluster.len();
        }
        end
    }

    fn head(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    fn before(&self) -> usize {
        self.head().grapheme_indices(true).next_back().map_or(0, |(start, _)| start)
    }

    fn behind(&self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at + rest.graphemes(true).next().map_or(0, str::len)
    }
}

/// The visible part of a [`Prompt`].
#[derive(Debug, PartialEq, Eq)]
pub struct PromptWindow {
    pub head: Safe,
    pub rest: Safe,
    /// True if the start of the text is cut off.
    pub is_cut: bool,
    /// The column of the cursor.
    pub cursor: usize,
    /// The column of the requested position.
    pub place: Option<usize>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_edited_by_clusters_and_words() {
        let mut prompt = Prompt::new("host:acme ");
        prompt.insert("cafe\u{301}");
        prompt.backspace();
        assert_eq!(prompt.text(), "host:acme caf");
        prompt.delete_word();
        assert_eq!(prompt.text(), "host:acme ");
        prompt.start();
        prompt.right();
        prompt.delete();
        prompt.insert("-\u{1b}\n");
        assert_eq!((prompt.text(), prompt.at()), ("h- st:acme ", 3));
        prompt.delete_to_end();
        prompt.delete_to_start();
        assert!(!prompt.backspace() && prompt.text().is_empty());
    }

    #[test]
    fn alt_and_ctrl_move_by_words_and_type_nothing() {
        let mut prompt = Prompt::new("host:acme.com cafe\u{301} now");
        let press = |prompt: &mut Prompt, code, modifiers| {
            let is_edit = prompt.edit(KeyEvent::new(code, modifiers));
            (is_edit, prompt.text().get(..prompt.at()).unwrap().to_owned())
        };
        let (alt, control) = (KeyModifiers::ALT, KeyModifiers::CONTROL);
        for (code, modifiers, head) in [
            (KeyCode::Char('b'), alt, "host:acme.com cafe\u{301} "),
            (KeyCode::Left, control, "host:acme.com "),
            (KeyCode::Left, alt, "host:acme."),
            (KeyCode::Char('f'), alt, "host:acme.com"),
            (KeyCode::Right, control, "host:acme.com cafe\u{301}"),
            (KeyCode::Right, alt, "host:acme.com cafe\u{301} now"),
        ] {
            assert_eq!(press(&mut prompt, code, modifiers), (true, head.to_owned()), "{code:?}");
        }
        assert!(!press(&mut prompt, KeyCode::Char('x'), alt).0);
        press(&mut prompt, KeyCode::Backspace, alt);
        assert_eq!(prompt.text(), "host:acme.com cafe\u{301} ");
        prompt.start();
        press(&mut prompt, KeyCode::Char('d'), alt);
        assert_eq!(prompt.text(), ":acme.com cafe\u{301} ");
    }

    #[test]
    fn a_window_has_the_cursor_in_it() {
        let mut prompt = Prompt::new("0123456789");
        let window = prompt.window(5, Some(8));
        assert_eq!((window.head.as_str(), window.rest.as_str(), window.cursor, window.place), ("6789", "", 4, Some(2)));
        prompt.start();
        let window = prompt.window(5, Some(8));
        assert_eq!((window.head.as_str(), window.rest.as_str(), window.cursor, window.place), ("", "01234", 0, None));
    }

    #[test]
    fn a_flood_of_text_is_cut() {
        let mut prompt = Prompt::default();
        prompt.insert(&"é".repeat(1 << 20));
        assert_eq!(prompt.text().len(), MAX_BYTES);
    }

    proptest! {
        #[test]
        fn no_editing_panics_or_loses_its_place(text in ".{0,12}", steps in proptest::collection::vec(0..12_u8, 0..20), columns in 0..12_usize) {
            let mut prompt = Prompt::new(&text);
            for step in steps {
                match step {
                    0 => prompt.left(),
                    1 => prompt.right(),
                    2 => drop(prompt.backspace()),
                    3 => prompt.delete(),
                    4 => prompt.delete_word(),
                    5 => prompt.insert(&text),
                    6 => prompt.start(),
                    7 => prompt.end(),
                    8 => prompt.word_left(),
                    9 => prompt.word_right(),
                    10 => prompt.delete_word_after(),
                    _ => prompt.delete_to_end(),
                }
                prop_assert!(prompt.text().is_char_boundary(prompt.at()));
                let window = prompt.window(columns, Some(prompt.at()));
                prop_assert!(window.head.width() + window.rest.width() <= columns.max(window.cursor));
            }
        }
    }
}
