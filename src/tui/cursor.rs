//! The selected row and the part of the list on screen, both as places in the listing.

use std::ops::Range;

/// The screen scrolls by a fraction of its height when the selection leaves it. Scrolling by one row per key would send the
/// whole screen with each key, and a slow connection would fall behind.
const STEPS: u64 = 3;

/// The direction of the last move: pages are fetched ahead in this direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Travel {
    #[default]
    Down,
    Up,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    selected: u64,
    offset: u64,
    travel: Travel,
    /// The user asked for the last row while the end was unknown.
    to_end: bool,
}

impl Cursor {
    pub fn selected(self) -> u64 {
        self.selected
    }

    /// The row at the top of the screen.
    pub fn offset(self) -> u64 {
        self.offset
    }

    pub fn travel(self) -> Travel {
        self.travel
    }

    /// The range of rows on a screen of this height.
    pub fn visible(self, height: u16, len: u64) -> Range<u64> {
        let end = self.offset.saturating_add(u64::from(height)).min(len);
        self.offset.min(end)..end
    }

    /// Moves by some rows, toward the end if positive.
    pub fn move_by(&mut self, rows: i64, len: u64) {
        self.to_end = false;
        self.travel = if rows < 0 { Travel::Up } else { Travel::Down };
        self.selected = self.selected.saturating_add_signed(rows).min(len.saturating_sub(1));
    }

    pub fn first(&mut self) {
        *self = Self { travel: Travel::Down, ..Self::default() };
    }

    /// Moves to the last row, and on to the real end if it turns out that there are more.
    pub fn last(&mut self, len: u64, exactly: bool) {
        self.selected = len.saturating_sub(1);
        self.travel = Travel::Up;
        self.to_end = !exactly;
    }

    /// Stops following the end.
    pub fn stop(&mut self) {
        self.to_end = false;
    }

    pub fn select(&mut self, place: u64) {
        self.to_end = false;
        self.selected = place;
    }

    /// Returns true while following an end that is not yet known.
    pub fn goes_to_end(self) -> bool {
        self.to_end
    }

    /// Removes the line at a place from the positions.
    pub fn close_up(&mut self, place: u64) {
        self.selected -= u64::from(self.selected > place);
        self.offset -= u64::from(self.offset > place);
    }

    /// Follows a row to its new place, so that it stays at the same line of the screen.
    pub fn follow(&mut self, place: u64) {
        self.offset = self.offset.saturating_add(place).saturating_sub(self.selected);
        self.selected = place;
    }

    /// Adjusts the selection and the offset after the list or the screen changed.
    pub fn fit(&mut self, height: u16, len: u64, exactly: bool) {
        let height = u64::from(height.max(1));
        if self.to_end {
            self.selected = len.saturating_sub(1);
            self.to_end = !exactly;
        }
        self.selected = self.selected.min(len.saturating_sub(1));
        let lowest = self.selected.saturating_sub(height - 1);
        let ahead = (height / STEPS).max(1) - 1;
        if self.offset < lowest {
            self.offset = lowest.saturating_add(ahead);
        } else if self.offset > self.selected {
            self.offset = self.selected.saturating_sub(ahead);
        }
        self.offset = self.offset.min(len.saturating_sub(height.min(len)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_screen_follows_the_selection() {
        let mut cursor = Cursor::default();
        cursor.move_by(12, 100);
        cursor.fit(10, 100, true);
        assert_eq!((cursor.selected(), cursor.visible(10, 100)), (12, 5..15), "two more lines than it would take");
        cursor.move_by(-5, 100);
        cursor.fit(10, 100, true);
        assert_eq!((cursor.selected(), cursor.visible(10, 100)), (7, 5..15));
        cursor.move_by(-3, 100);
        cursor.fit(10, 100, true);
        assert_eq!((cursor.selected(), cursor.visible(10, 100)), (4, 2..12));
        cursor.last(100, true);
        cursor.fit(10, 100, true);
        assert_eq!((cursor.selected(), cursor.visible(10, 100)), (99, 90..100));
        cursor.move_by(50, 100);
        assert_eq!(cursor.selected(), 99);
    }

    #[test]
    fn the_end_is_followed_until_it_is_known() {
        let mut cursor = Cursor::default();
        cursor.last(101, false);
        cursor.fit(10, 201, false);
        assert_eq!(cursor.selected(), 200);
        cursor.fit(10, 230, true);
        assert_eq!(cursor.selected(), 229);
        cursor.fit(10, 500, true);
        assert_eq!(cursor.selected(), 229, "the end was found: rows that come later do not move the selection");
    }

    #[test]
    fn a_row_that_moved_stays_where_it_was_on_screen() {
        let mut cursor = Cursor::default();
        cursor.move_by(25, 100);
        cursor.fit(10, 100, true);
        let line = cursor.selected() - cursor.offset();
        cursor.follow(27);
        cursor.fit(10, 102, true);
        assert_eq!((cursor.selected(), cursor.selected() - cursor.offset()), (27, line));
    }

    proptest! {
        #[test]
        fn the_selection_is_always_on_screen(
            moves in proptest::collection::vec(any::<i64>(), 0..8),
            len in prop_oneof![0_u64..50, Just(u64::MAX)],
            height in 0_u16..60,
        ) {
            let mut cursor = Cursor::default();
            for rows in moves {
                cursor.move_by(rows, len);
                cursor.fit(height, len, true);
                let visible = cursor.visible(height, len);
                prop_assert!(len == 0 || height == 0 || visible.contains(&cursor.selected()), "{cursor:?} {visible:?}");
            }
        }
    }
}
