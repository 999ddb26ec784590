//! A line that left its list and stays on screen while it is selected: the selection never slips to a neighbor.

use super::cursor::Cursor;

/// One line more than the list has.
#[derive(Debug, Clone)]
pub struct Held<T> {
    /// Where it is shown.
    pub place: u64,
    pub line: T,
}

/// What is shown at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<T> {
    Held(T),
    /// The line of the list with this index.
    Listed(u64),
}

/// The line at a place of a list that may have a held line in it.
pub fn line_at<T>(held: Option<&Held<T>>, place: u64) -> Line<&T> {
    match held {
        Some(held) if held.place == place => Line::Held(&held.line),
        Some(held) if held.place < place => Line::Listed(place - 1),
        _ => Line::Listed(place),
    }
}

/// The place at which the line of the list with this index is shown.
pub fn place_of<T>(held: Option<&Held<T>>, index: u64) -> u64 {
    index.saturating_add(u64::from(held.is_some_and(|held| held.place <= index)))
}

/// The selection of a list whose lines come and go: it stays on its line.
#[derive(Debug, Clone)]
pub struct Selection<T> {
    pub cursor: Cursor,
    held: Option<Held<T>>,
    /// The selected line as it was seen last.
    anchor: Option<T>,
}

impl<T> Default for Selection<T> {
    fn default() -> Self {
        Self { cursor: Cursor::default(), held: None, anchor: None }
    }
}

impl<T: Clone> Selection<T> {
    /// Lines on screen and beyond, the held one among them.
    pub fn len(&self, lines: &[T]) -> u64 {
        lines.len() as u64 + u64::from(self.held.is_some())
    }

    pub fn line<'a>(&'a self, lines: &'a [T], place: u64) -> Option<&'a T> {
        match line_at(self.held.as_ref(), place) {
            Line::Held(line) => Some(line),
            Line::Listed(index) => lines.get(usize::try_from(index).ok()?),
        }
    }

    pub fn selected<'a>(&'a self, lines: &'a [T]) -> Option<&'a T> {
        self.line(lines, self.cursor.selected())
    }

    /// Moves it by hand. Whether it is elsewhere now.
    pub fn go(&mut self, lines: &[T], to: impl FnOnce(&mut Cursor, u64)) -> bool {
        let before = self.cursor.selected();
        let len = self.len(lines);
        to(&mut self.cursor, len);
        if self.cursor.selected() == before {
            return false;
        }
        if let Some(held) = self.held.take() {
            self.cursor.close_up(held.place);
        }
        self.anchor = self.selected(lines).cloned();
        true
    }

    /// Goes back to the top: the lines are other ones.
    pub fn restart(&mut self) {
        *self = Self::default();
    }

    /// Finds the selected line among the lines as they are now. One that is not there any more stays where it was, unless other
    /// lines were asked for.
    pub fn keep(&mut self, lines: &[T], is_same: impl Fn(&T, &T) -> bool, are_others: bool) {
        self.held = None;
        let selected = self.cursor.selected();
        let found = self.anchor.as_ref().map(|anchor| lines.iter().position(|line| is_same(anchor, line)));
        match (found, &self.anchor) {
            (Some(Some(place)), _) if place as u64 == selected => {}
            (Some(Some(place)), _) => self.cursor.follow(place as u64),
            (Some(None), Some(anchor)) if !are_others => {
                let place = selected.min(lines.len() as u64);
                self.held = Some(Held { place, line: anchor.clone() });
                self.cursor.select(place);
                return;
            }
            (Some(None) | None, _) => {
                self.cursor.select(selected.min((lines.len() as u64).saturating_sub(1)));
            }
        }
        self.anchor = self.selected(lines).cloned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_stays_on_its_line() {
        let same = |one: &char, other: &char| one == other;
        let mut selection = Selection::default();
        let shown = |selection: &Selection<char>, lines: &[char]| {
            let shown: String = (0..selection.len(lines)).filter_map(|place| selection.line(lines, place)).collect();
            (shown, selection.selected(lines).copied())
        };
        let lines = ['a', 'b', 'c', 'd'];
        selection.keep(&lines, same, false);
        selection.go(&lines, |cursor, len| cursor.move_by(2, len));
        let more = ['x', 'a', 'b', 'c', 'd'];
        selection.keep(&more, same, false);
        assert_eq!(shown(&selection, &more), ("xabcd".to_owned(), Some('c')));
        let fewer = ['x', 'a', 'b', 'd'];
        selection.keep(&fewer, same, false);
        assert_eq!(shown(&selection, &fewer), ("xabcd".to_owned(), Some('c')), "it is held where it was");
        selection.keep(&fewer, same, false);
        assert_eq!(shown(&selection, &fewer), ("xabcd".to_owned(), Some('c')), "whatever else arrives");
        selection.keep(&more, same, false);
        assert_eq!((selection.len(&more), selection.selected(&more)), (5, Some(&'c')), "it came back");
        selection.keep(&fewer, same, false);
        selection.go(&fewer, |cursor, len| cursor.move_by(1, len));
        assert_eq!(shown(&selection, &fewer), ("xabd".to_owned(), Some('d')), "moving on lets it go");
        selection.keep(&['q'], same, true);
        assert_eq!(shown(&selection, &['q']), ("q".to_owned(), Some('q')), "other lines were asked for");
        selection.keep(&[], same, false);
        assert_eq!(shown(&selection, &[]), ("q".to_owned(), Some('q')), "the last one stays, too");
    }

    #[test]
    fn a_held_line_moves_those_below_it_down_by_one() {
        let held = Held { place: 2, line: 'x' };
        let shown: Vec<_> = (0..5).map(|place| line_at(Some(&held), place)).collect();
        assert_eq!(
            shown,
            [Line::Listed(0), Line::Listed(1), Line::Held(&'x'), Line::Listed(2), Line::Listed(3)],
            "nothing is lost or shown twice"
        );
        assert_eq!((0..4).map(|index| place_of(Some(&held), index)).collect::<Vec<_>>(), [0, 1, 3, 4]);
        assert_eq!((line_at(None::<&Held<char>>, 2), place_of(None::<&Held<char>>, 2)), (Line::Listed(2), 2));
    }
}
