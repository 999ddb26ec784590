//! The list of a view: the selected line, the lines on screen, and the keys that move between them. Every view has one. The
//! selection follows its line when that moves, and stays on screen if the line leaves the list.
//!
//! Start at [`ListPane`]; the lines of a view implement [`Lines`], and the explorer handles all lists as a [`ViewList`].

use std::fmt::Debug;

use super::cursor::Cursor;
use crate::analysis::groups::GroupKind;
use crate::keymap::Action;

/// The lines of a list as they are now, by index.
pub trait Lines {
    type Line: Clone + Debug;

    /// The number of lines.
    fn count(&self) -> u64;

    /// The line at an index, if it is loaded.
    fn line(&self, index: u64) -> Option<Self::Line>;

    /// Updates a line that was seen earlier to its current state, and returns its index if it is in the list.
    fn find(&self, line: &mut Self::Line) -> Option<u64>;

    /// Returns true if a line is at an index. Much cheaper than finding it in a long list.
    fn is_at(&self, index: u64, line: &mut Self::Line) -> bool;

    /// The identity of a line at a place, by which it is recognized in a later frame.
    fn key(line: &Self::Line, place: u64) -> LineKey;

    /// Returns true if no more lines follow the last one.
    fn is_end_known(&self) -> bool {
        true
    }
}

/// The identity of a line.
#[derive(Debug, Clone)]
pub enum LineKey {
    Nothing,
    /// A line that is not loaded, by its place.
    Index(u64),
    /// A webhook or a change to it, by the webhook's id.
    Webhook(Box<str>),
    Malformed(u64),
    Group(Box<GroupKind>),
}

impl PartialEq for LineKey {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::Index(one), Self::Index(other)) | (Self::Malformed(one), Self::Malformed(other)) => one == other,
            (Self::Webhook(one), Self::Webhook(other)) => one == other,
            (Self::Group(one), Self::Group(other)) => one.is_same_line(other),
            _ => false,
        }
    }
}

impl Eq for LineKey {}

/// A move of the selection, or of a text that scrolls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// By some lines, toward the end if positive.
    By(i64),
    First,
    Last,
    To(u64),
}

impl Motion {
    /// The motion of an action in a list of this height; `None` if the action moves nothing.
    pub fn of(action: Action, height: u16) -> Option<Self> {
        let page = i64::from(height.max(1));
        let half = (page / 2).max(1);
        Some(match action {
            Action::MoveDown => Self::By(1),
            Action::MoveUp => Self::By(-1),
            Action::HalfPageDown => Self::By(half),
            Action::HalfPageUp => Self::By(-half),
            Action::PageDown => Self::By(page),
            Action::PageUp => Self::By(-page),
            Action::First => Self::First,
            Action::Last => Self::Last,
            _ => return None,
        })
    }

    /// The number of lines by which a text scrolls.
    pub fn lines(self) -> isize {
        match self {
            Self::By(lines) => isize::try_from(lines).unwrap_or(if lines < 0 { isize::MIN } else { isize::MAX }),
            Self::First | Self::To(_) => isize::MIN,
            Self::Last => isize::MAX,
        }
    }
}

/// The content of a place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown<T> {
    /// The selected line, which is not in the list.
    Held(T),
    /// The line of the list with this index.
    Listed(u64),
}

/// The list of a view, with any kind of lines.
pub trait ViewList {
    fn cursor(&self) -> Cursor;

    /// The number of places: one for each line, and one for a selected line that left the list.
    fn len(&self) -> u64;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Moves the selection. Returns true if it is on a different line now.
    fn go(&mut self, motion: Motion) -> bool;

    /// Keeps the selection on screen, and inside the list.
    fn fit(&mut self, height: u16);

    /// The identity of the line at a place.
    fn key(&self, place: u64) -> LineKey;

    /// The number of lines of the selected line's detail that are above its area.
    fn scroll(&self) -> usize;

    fn scroll_to(&mut self, line: usize);
}

/// A list and its selection. A *place* is a position on screen and beyond; it differs from the index of a line only behind a
/// selected line that left the list and is held in its place.
#[derive(Debug, Clone)]
pub struct ListPane<L: Lines> {
    pub lines: L,
    cursor: Cursor,
    /// The selected line as it was last seen, once it is loaded.
    anchor: Option<L::Line>,
    /// The place of the selected line while it is not in the list.
    held: Option<u64>,
    /// True if the user has moved the selection.
    is_moved: bool,
    /// Lines of the selected line's detail that are above its area.
    pub scroll: usize,
}

impl<L: Lines + Default> Default for ListPane<L> {
    fn default() -> Self {
        Self::new(L::default())
    }
}

impl<L: Lines> ListPane<L> {
    pub fn new(lines: L) -> Self {
        Self { lines, cursor: Cursor::default(), anchor: None, held: None, is_moved: false, scroll: 0 }
    }

    pub fn selected(&self) -> u64 {
        self.cursor.selected()
    }

    pub fn anchor(&self) -> Option<&L::Line> {
        self.anchor.as_ref()
    }

    pub fn anchor_mut(&mut self) -> Option<&mut L::Line> {
        self.anchor.as_mut()
    }

    /// The selected line and its place while it is not in the list.
    pub fn held(&self) -> Option<(u64, &L::Line)> {
        self.held.zip(self.anchor.as_ref())
    }

    /// Returns true if the user has moved the selection.
    pub fn is_moved(&self) -> bool {
        self.is_moved
    }

    /// The content of a place.
    pub fn shown(&self, place: u64) -> Shown<&L::Line> {
        match self.held() {
            Some((held, line)) if held == place => Shown::Held(line),
            Some((held, _)) if held < place => Shown::Listed(place - 1),
            _ => Shown::Listed(place),
        }
    }

    /// The place of the line with an index.
    pub fn place_of(&self, index: u64) -> u64 {
        index.saturating_add(u64::from(self.held.is_some_and(|held| held <= index)))
    }

    /// The selected line, if it is loaded.
    pub fn selected_line(&self) -> Option<L::Line> {
        self.line_at(self.selected())
    }

    fn line_at(&self, place: u64) -> Option<L::Line> {
        match self.shown(place) {
            Shown::Held(line) => Some(line.clone()),
            Shown::Listed(index) => self.lines.line(index),
        }
    }

    /// Drops the selected line. A held line leaves the screen.
    pub fn let_go(&mut self) {
        self.anchor = None;
        if let Some(place) = self.held.take() {
            self.cursor.close_up(place);
        }
    }

    /// Stops showing a held line, until [`Self::keep`] looks for it again.
    pub fn release(&mut self) {
        self.held = None;
    }

    /// Selects a line whose place is not known. [`Self::keep`] finds it.
    pub fn follow(&mut self, line: L::Line) {
        self.let_go();
        self.anchor = Some(line);
    }

    /// Selects a line whose place is known.
    pub fn select(&mut self, place: u64, line: L::Line) {
        self.let_go();
        self.cursor.select(place);
        self.anchor = Some(line);
    }

    /// Selects the first line.
    pub fn go_to_top(&mut self) {
        self.let_go();
        self.cursor.first();
    }

    /// Restores an earlier position.
    pub fn set_cursor(&mut self, cursor: Cursor) {
        self.cursor = cursor;
    }

    /// Stops following an end that is not known yet.
    pub fn stop(&mut self) {
        self.cursor.stop();
    }

    /// Keeps the selection on its line after the lines changed. A line that left the list is held in its place, unless the
    /// list is a different one.
    pub fn keep(&mut self, is_other_list: bool) {
        if self.cursor.goes_to_end() {
            self.let_go();
            return;
        }
        let selected = self.cursor.selected();
        let Some(mut line) = self.anchor.take() else {
            self.anchor = self.lines.line(selected);
            return;
        };
        if self.held.is_none() && self.lines.is_at(selected, &mut line) {
            self.anchor = Some(line);
            return;
        }
        self.held = None;
        match self.lines.find(&mut line) {
            Some(index) if index == selected => {}
            Some(index) => self.cursor.follow(index),
            None if is_other_list => {
                self.cursor.select(selected.min(self.lines.count().saturating_sub(1)));
                self.anchor = self.lines.line(self.cursor.selected());
                self.scroll = 0;
                return;
            }
            None => {
                let place = selected.min(self.lines.count());
                self.cursor.select(place);
                self.held = Some(place);
            }
        }
        self.anchor = Some(line);
    }
}

impl<L: Lines> ViewList for ListPane<L> {
    fn cursor(&self) -> Cursor {
        self.cursor
    }

    fn len(&self) -> u64 {
        self.lines.count().saturating_add(u64::from(self.held.is_some()))
    }

    fn go(&mut self, motion: Motion) -> bool {
        self.is_moved = true;
        let (before, len) = (self.cursor.selected(), self.len());
        match motion {
            Motion::By(lines) => self.cursor.move_by(lines, len),
            Motion::First => self.cursor.first(),
            Motion::Last => self.cursor.last(len, self.lines.is_end_known()),
            Motion::To(place) => self.cursor.select(place),
        }
        if self.cursor.selected() == before {
            return false;
        }
        self.let_go();
        self.anchor = self.lines.line(self.cursor.selected());
        self.scroll = 0;
        true
    }

    fn fit(&mut self, height: u16) {
        let before = self.cursor.selected();
        self.cursor.fit(height, self.len(), self.lines.is_end_known());
        if self.cursor.selected() != before {
            self.scroll = 0;
        }
    }

    fn key(&self, place: u64) -> LineKey {
        match self.line_at(place) {
            Some(line) => L::key(&line, place),
            None if place < self.len() => LineKey::Index(place),
            None => LineKey::Nothing,
        }
    }

    fn scroll(&self) -> usize {
        self.scroll
    }

    fn scroll_to(&mut self, line: usize) {
        self.scroll = line;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Lines for Vec<u32> {
        type Line = u32;

        fn count(&self) -> u64 {
            self.len() as u64
        }

        fn line(&self, index: u64) -> Option<u32> {
            self.get(usize::try_from(index).ok()?).copied()
        }

        fn find(&self, line: &mut u32) -> Option<u64> {
            self.iter().position(|other| other == line).map(|index| index as u64)
        }

        fn is_at(&self, index: u64, line: &mut u32) -> bool {
            self.line(index) == Some(*line)
        }

        fn key(line: &u32, _place: u64) -> LineKey {
            LineKey::Webhook(line.to_string().into())
        }
    }

    fn pane(lines: &[u32], selected: u64) -> ListPane<Vec<u32>> {
        let mut pane = ListPane::new(lines.to_vec());
        pane.go(Motion::To(selected));
        pane
    }

    fn shown(pane: &ListPane<Vec<u32>>) -> Vec<u32> {
        (0..pane.len()).filter_map(|place| pane.line_at(place)).collect()
    }

    #[test]
    fn the_selection_follows_its_line() {
        let mut pane = pane(&[1, 2, 3, 4], 2);
        pane.lines = vec![9, 1, 2, 3];
        pane.keep(false);
        assert_eq!((pane.selected(), pane.selected_line()), (3, Some(3)));
    }

    #[test]
    fn a_line_that_left_stays_in_its_place_until_the_selection_leaves_it() {
        let mut pane = pane(&[1, 2, 3, 4], 2);
        pane.lines = vec![1, 2, 4];
        pane.keep(false);
        assert_eq!((pane.selected(), shown(&pane)), (2, vec![1, 2, 3, 4]));
        assert_eq!((pane.place_of(2), pane.held()), (3, Some((2, &3))));
        pane.lines = vec![1, 2, 3, 4];
        pane.keep(false);
        assert_eq!((pane.held(), shown(&pane)), (None, vec![1, 2, 3, 4]), "it came back");
        pane.lines = vec![1, 2, 4];
        pane.keep(false);
        assert!(pane.go(Motion::By(1)));
        assert_eq!((pane.selected_line(), shown(&pane)), (Some(4), vec![1, 2, 4]));
        pane.lines = Vec::new();
        pane.keep(false);
        assert_eq!((pane.selected(), shown(&pane)), (0, vec![4]), "the last line stays too");
    }

    #[test]
    fn of_another_list_nothing_is_held() {
        let mut pane = pane(&[1, 2, 3, 4], 3);
        pane.lines = vec![5, 6];
        pane.keep(true);
        assert_eq!((pane.selected(), shown(&pane)), (1, vec![5, 6]));
    }

    #[test]
    fn a_move_to_where_the_selection_is_moves_nothing() {
        let mut pane = pane(&[1, 2], 1);
        assert!(!pane.go(Motion::By(5)) && !pane.go(Motion::Last) && pane.go(Motion::First));
        assert_eq!(pane.key(7), LineKey::Nothing);
    }
}
