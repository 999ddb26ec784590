//! The selected row and the part of the list that is on screen. Both are places in the listing; nothing here knows rows.

use std::ops::Range;

/// A selection that leaves the screen takes it along by a part of its height: a screen that moved with every row would be sent
/// with every row, which a slow link takes longer for than a key is pressed.
const STEPS: u64 = 3;

/// Which way the selection last went: pages are fetched ahead on that side.
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
    /// The last row was asked for while it was not known which one that is.
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

    /// The rows on a screen of this height.
    pub fn visible(self, height: u16, len: u64) -> Range<u64> {
        let end = self.offset.saturating_add(u64::from(height)).min(len);
        self.offset.min(end)..end
    }

    /// Moves by some rows, towards the end when positive.
    pub fn move_by(&mut self, rows: i64, len: u64) {
        self.to_end = false;
        self.travel = if rows < 0 { Travel::Up } else { Travel::Down };
        self.selected = self.selected.saturating_add_signed(rows).min(len.saturating_sub(1));
    }

    pub fn first(&mut self) {
        *self = Self { travel: Travel::Down, ..Self::default() };
    }

    /// Goes to the last row, and goes on when it turns out that there are more.
    pub fn last(&mut self, len: u64, exactly: bool) {
        self.selected = len.saturating_sub(1);
        self.travel = Travel::Up;
        self.to_end = !exactly;
    }

    /// Stays where it is, however far away the end turns out to be.
    pub fn stop(&mut self) {
        self.to_end = false;
    }

    pub fn select(&mut self, place: u64) {
        self.to_end = false;
        self.selected = place;
    }

    /// Returns true while the end is followed until it is known.
    pub fn goes_to_end(self) -> bool {
        self.to_end
    }

    /// A line above or below is not shown any longer.
    pub fn close_up(&mut self, place: u64) {
        self.selected -= u64::from(self.selected > place);
        self.offset -= u64::from(self.offset > place);
    }

    /// Follows a row that now stands elsewhere, so that it stays where it is on screen.
    pub fn follow(&mut self, place: u64) {
        self.offset = self.offset.saturating_add(place).saturating_sub(self.selected);
        self.selected = place;
    }

    /// Fits selection and screen to a listing that has changed, or to a screen that has.
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
