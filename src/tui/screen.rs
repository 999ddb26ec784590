//! Frames: what is to be shown, what is shown already, and the difference between them, which is all that is sent.

use std::ops::Range;

use ratatui::backend::{Backend, ClearType};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::app::{App, Overlay};
use super::canvas::{Canvas, Pointer, Window};
use super::theme::Glyphs;
use super::view;
use crate::text::is_width_certain;

/// Unchanged cells between two changes that are sent again, because moving the cursor over them takes as many bytes.
const WORTH_BRIDGING: u16 = 4;

/// Changed cells that scrolling has to save: about as many as its bytes.
const WORTH_SCROLLING: usize = 24;

/// Blanks at the end of a line that are cleared at once: the clearing takes as many bytes.
const WORTH_CLEARING: usize = 3;

/// Changed cells from which on a line is worth being left out: to blank it takes some bytes too, and it is drawn later.
const WORTH_LEAVING_OUT: usize = 24;

/// Cells of new lines that are sent at once while a key is held.
const IN_A_HURRY: usize = 320;

/// How a backend moves lines.
type MoveLines<B> = fn(&mut B, &Shift) -> Result<(), <B as Backend>::Error>;

/// A terminal's cells, on a backend. `ratatui::Terminal` would ask the size for each frame, wait for cursor reports, and write
/// to stderr when it is dropped on a dead terminal.
#[derive(Debug)]
pub struct Screen<B: Backend> {
    backend: B,
    move_lines: Option<MoveLines<B>>,
    shown: Buffer,
    next: Buffer,
    /// The area that scrolls in the frame on screen.
    window: Option<Window>,
    /// The terminal cursor, which braille displays and input methods follow.
    pointer: Option<Pointer>,
}

impl<B: Backend> Screen<B> {
    pub fn new(backend: B, (width, height): (u16, u16)) -> Self {
        let empty = Buffer::empty(Rect { x: 0, y: 0, width, height });
        Self { backend, move_lines: None, shown: empty.clone(), next: empty, window: None, pointer: None }
    }

    /// Sets how the backend moves lines.
    #[must_use]
    pub fn moving_lines(self, move_lines: MoveLines<B>) -> Self {
        Self { move_lines: Some(move_lines), ..self }
    }

    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Draws a frame and sends only its differences from the last one.
    pub fn draw(&mut self, app: &App) -> Result<(), B::Error> {
        let is_hurried = app.is_hurried() && matches!(app.overlay, Overlay::None);
        self.draw_with(app.setup.glyphs, is_hurried, |canvas| view::draw(app, canvas))
    }

    fn draw_with(&mut self, glyphs: Glyphs, is_hurried: bool, draw: impl FnOnce(&mut Canvas<'_>)) -> Result<(), B::Error> {
        self.next.reset();
        let mut canvas = Canvas::new(&mut self.next, glyphs);
        draw(&mut canvas);
        let pointer = canvas.pointer();
        let window = canvas.window();
        let has_scrolled = self.scroll(window.as_ref())?;
        if let Some(window) = window.as_ref().filter(|_| is_hurried) {
            self.leave_out(window);
        }
        self.window = window;
        let mut updates = bridged(&self.shown, &self.next);
        let tails = blank_tails(&self.shown, &self.next, &updates);
        updates.retain(|&(x, y, _)| !tails.iter().any(|tail| tail.y == y && tail.x <= x));
        if has_scrolled || !updates.is_empty() || !tails.is_empty() || self.pointer != Some(pointer) {
            let mut left = updates.as_slice();
            for tail in tails {
                // After its line is drawn, the cursor is often there already.
                let (before, behind) = left.split_at(left.partition_point(|&(_, y, _)| y <= tail.y));
                self.backend.draw(before.iter().copied())?;
                self.backend.set_cursor_position(tail)?;
                self.backend.clear_region(ClearType::UntilNewLine)?;
                left = behind;
            }
            self.backend.draw(left.iter().copied())?;
            self.point(pointer)?;
            self.backend.flush()?;
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(())
    }

    /// Puts the terminal cursor in its place after everything is drawn.
    fn point(&mut self, pointer: Pointer) -> Result<(), B::Error> {
        self.backend.set_cursor_position(pointer.position)?;
        let was_visible = self.pointer.is_some_and(|before| before.is_visible);
        self.pointer = Some(pointer);
        match (was_visible, pointer.is_visible) {
            (false, true) => self.backend.show_cursor(),
            (true, false) => self.backend.hide_cursor(),
            _ => Ok(()),
        }
    }

    /// Clears the terminal, whose size may have changed, so that the next frame draws every cell.
    pub fn clear(&mut self, (width, height): (u16, u16)) -> Result<(), B::Error> {
        let empty = Buffer::empty(Rect { x: 0, y: 0, width, height });
        self.shown = empty.clone();
        self.next = empty;
        self.window = None;
        // Another program may have left the cursor visible.
        self.pointer = None;
        self.backend.hide_cursor()?;
        self.backend.clear()
    }

    /// Leaves lines blank if the selection moves faster than the connection can follow. Most lines are then new in each
    /// frame, and those far from the selection would scroll off before they arrived.
    fn leave_out(&mut self, window: &Window) {
        let mut new: Vec<(u16, usize)> = Vec::new();
        for y in window.lines() {
            let columns = window.area.left()..window.area.right();
            let changed = columns.filter(|&x| self.shown.cell((x, y)) != self.next.cell((x, y))).count();
            if changed > WORTH_LEAVING_OUT {
                new.push((y, changed));
            }
        }
        // With few new lines, the frames keep up with the selection.
        if new.len() <= usize::from(window.area.height / 2) {
            return;
        }
        new.sort_by_key(|&(y, _)| window.distance(y));
        let mut sent = 0;
        let mut is_sent = |&(_, changed): &(u16, usize)| {
            sent += changed;
            sent <= IN_A_HURRY
        };
        // Whatever it takes, the nearest one is shown.
        let near = new.iter().take_while(|line| is_sent(line)).count().max(1);
        for &(y, _) in new.iter().skip(near) {
            let line = Rect { y, height: 1, ..window.area };
            line.positions().for_each(|position| self.next.cell_mut(position).map_or((), Cell::reset));
        }
    }

    /// Lets the terminal move whole lines when what they show moved, if less is left to be drawn then. Whether it did.
    fn scroll(&mut self, window: Option<&Window>) -> Result<bool, B::Error> {
        let shift = self.window.as_ref().zip(window).and_then(|(before, now)| Shift::between(before, now));
        let (Some(shift), Some(move_lines)) = (shift, self.move_lines) else { return Ok(false) };
        let mut moved = self.shown.clone();
        shift.apply(&mut moved);
        let left = |shown: &Buffer| shown.diff_iter(&self.next).count();
        if left(&moved) + WORTH_SCROLLING > left(&self.shown) {
            return Ok(false);
        }
        self.shown = moved;
        move_lines(&mut self.backend, &shift)?;
        Ok(true)
    }
}

/// Whole lines that move; those behind them become blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    pub lines: Range<u16>,
    pub by: u16,
    pub is_up: bool,
}

impl Shift {
    /// How the lines moved between two frames, if some that were there are still there.
    fn between(before: &Window, now: &Window) -> Option<Self> {
        let by = u16::try_from(before.from.abs_diff(now.from)).ok()?;
        let is_possible = before.lines() == now.lines() && (1..now.area.height).contains(&by);
        is_possible.then(|| Self { lines: now.lines(), by, is_up: now.from > before.from })
    }

    fn apply(&self, buffer: &mut Buffer) {
        let width = usize::from(buffer.area.width);
        let cells = usize::from(self.lines.start) * width..usize::from(self.lines.end) * width;
        let by = usize::from(self.by) * width;
        let Some(cells) = buffer.content.get_mut(cells) else { return };
        let blank = if self.is_up {
            cells.rotate_left(by);
            cells.len() - by..cells.len()
        } else {
            cells.rotate_right(by);
            0..by
        };
        if let Some(blank) = cells.get_mut(blank) {
            blank.fill(Cell::EMPTY);
        }
    }
}

/// Where lines end in blanks that were something else before, and clearing them is cheaper than writing them.
fn blank_tails(shown: &Buffer, next: &Buffer, updates: &[(u16, u16, &Cell)]) -> Vec<Position> {
    let blank = Cell::EMPTY;
    let mut tails = Vec::new();
    for line in updates.chunk_by(|(_, y, _), (_, other, _)| y == other).filter(|line| line.len() > WORTH_CLEARING) {
        let Some(&(_, y, _)) = line.first() else { continue };
        let columns = next.area.left()..next.area.right();
        // The second half of a wide character is no blank: who clears it clears the character.
        let is_half = |x: u16| {
            let before = x.checked_sub(1).and_then(|x| next.cell((x, y)));
            before.is_some_and(|cell| cell.symbol().width() > 1)
        };
        let is_blank = |x: &u16| next.cell((*x, y)).is_some_and(|cell| *cell == blank) && !is_half(*x);
        let length = columns.clone().rev().take_while(is_blank).count();
        let tail = columns.skip(usize::from(next.area.width) - length);
        let changed = tail.clone().filter(|&x| shown.cell((x, y)) != next.cell((x, y))).count();
        if changed > WORTH_CLEARING {
            tails.extend(tail.take(1).map(|x| Position { x, y }));
        }
    }
    tails
}

/// The changed cells in reading order, and behind those that a terminal may draw wider, what they may cover.
fn changes<'a>(shown: &Buffer, next: &'a Buffer) -> Vec<(u16, u16, &'a Cell)> {
    let is_certain = |buffer: &Buffer, x, y| buffer.cell((x, y)).is_none_or(|cell| is_width_certain(cell.symbol()));
    let mut changes = Vec::new();
    let mut differences = shown.diff_iter(next).peekable();
    while let Some((mut x, y, mut cell)) = differences.next() {
        changes.push((x, y, cell));
        while !is_certain(shown, x, y) || !is_certain(next, x, y) {
            x = x.saturating_add(u16::try_from(cell.symbol().width()).unwrap_or(1).max(1));
            let is_next = differences.peek().is_some_and(|&(next_x, next_y, _)| next_y == y && next_x <= x);
            match next.cell((x, y)).filter(|covered| !is_next && **covered != Cell::EMPTY) {
                Some(covered) => cell = covered,
                None => break,
            }
            changes.push((x, y, cell));
        }
    }
    changes
}

/// The cells that are drawn, in reading order, and the few unchanged ones between them that are cheaper than a jump.
fn bridged<'a>(shown: &Buffer, next: &'a Buffer) -> Vec<(u16, u16, &'a Cell)> {
    let mut updates: Vec<(u16, u16, &Cell)> = Vec::new();
    for (x, y, cell) in changes(shown, next) {
        if let Some(&(last_x, last_y, last)) = updates.last() {
            let gap = last_x.saturating_add(1)..x;
            if last_y == y && gap.len() <= usize::from(WORTH_BRIDGING) {
                let between: Option<Vec<_>> = gap.map(|x| Some((x, y, plain_cell(next, x, y, last)?))).collect();
                updates.extend(between.into_iter().flatten());
            }
        }
        updates.push((x, y, cell));
    }
    updates
}

/// A cell that can be sent after another one without a change of style, and is one column wide in every terminal.
fn plain_cell<'a>(buffer: &'a Buffer, x: u16, y: u16, like: &Cell) -> Option<&'a Cell> {
    let cell = buffer.cell((x, y))?;
    let upright = |cell: &Cell| cell.bg == Color::Reset && !cell.modifier.contains(Modifier::REVERSED);
    let same_style =
        (cell.fg, cell.bg, cell.modifier) == (like.fg, like.bg, like.modifier) || (*cell == Cell::EMPTY && upright(like));
    let narrow = |cell: &Cell| cell.symbol().width() == 1 && is_width_certain(cell.symbol());
    (same_style && narrow(like) && narrow(cell)).then_some(cell)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::Style;

    use super::*;
    use crate::safe;
    use crate::text::clean;
    use crate::tui::ansi::AnsiBackend;
    use crate::tui::cursor::Cursor;

    fn changed(before: &[&str], after: &[&str]) -> Vec<(u16, u16, String)> {
        let (before, after) = (Buffer::with_lines(before.to_vec()), Buffer::with_lines(after.to_vec()));
        bridged(&before, &after).into_iter().map(|(x, y, cell)| (x, y, cell.symbol().to_owned())).collect()
    }

    fn text(cells: &[(u16, u16, String)]) -> String {
        cells.iter().map(|(_, _, symbol)| symbol.as_str()).collect()
    }

    #[test]
    fn short_gaps_are_sent_along_and_long_ones_are_not() {
        assert_eq!(text(&changed(&["call.completed"], &["call.compared "])), "ared ");
        assert_eq!(text(&changed(&["a1234b"], &["x1234y"])), "x1234y");
        assert_eq!(text(&changed(&["a12345b"], &["x12345y"])), "xy");
        assert_eq!(changed(&["ab", "cd"], &["ab", "cd"]), []);
    }

    #[test]
    fn a_gap_in_another_style_is_not_sent_along() {
        let before = Buffer::with_lines(["a12b"]);
        let mut after = Buffer::with_lines(["x12y"]);
        after.set_style(Rect::new(1, 0, 2, 1), Style::new().add_modifier(Modifier::BOLD));
        let sent = bridged(&before, &after);
        assert_eq!(sent.len(), 4, "the gap changed its style, so it is sent as a change");
        let mut before = before;
        before.set_style(Rect::new(1, 0, 2, 1), Style::new().add_modifier(Modifier::BOLD));
        assert_eq!(bridged(&before, &after).len(), 2);
    }

    #[test]
    fn long_blank_tails_are_cleared() {
        let before = Buffer::with_lines(["shor     ", "a long line of text"]);
        let after = Buffer::with_lines(["s        ", "a                  "]);
        let tails = |before: &Buffer, after: &Buffer| blank_tails(before, after, &bridged(before, after));
        assert_eq!(tails(&before, &after), [Position { x: 1, y: 1 }]);
        assert_eq!(tails(&after, &before), []);
        let mut reversed = after.clone();
        reversed.set_style(Rect::new(0, 1, 19, 1), Style::new().add_modifier(Modifier::REVERSED));
        assert_eq!(tails(&before, &reversed), [], "a reversed space is not a space");
        let wide = Buffer::with_lines(["", "漢                 "]);
        assert_eq!(tails(&before, &wide), [Position { x: 0, y: 0 }, Position { x: 2, y: 1 }]);
    }

    #[test]
    fn what_stands_before_a_cleared_tail_stays() {
        let mut screen = Screen::new(AnsiBackend::new(Vec::new()), (30, 1));
        for words in ["a long line of text, and more", "abc 漢字"] {
            let draw = |canvas: &mut Canvas<'_>| {
                canvas.text(Rect::new(0, 0, 30, 1), &words.into(), Style::new());
            };
            screen.draw_with(Glyphs::unicode(), false, draw).unwrap();
        }
        let bytes = screen.backend().written();
        assert!(bytes.windows(3).any(|bytes| bytes == b"\x1b[K"), "{:?}", String::from_utf8_lossy(bytes));
        assert_eq!(terminal(bytes, (30, 1)), ["abc 漢字"]);
    }

    /// What a terminal shows after the bytes of some frames.
    fn terminal(bytes: &[u8], (width, height): (u16, u16)) -> Vec<String> {
        let mut parser = vt100::Parser::new(height, width, 0);
        parser.process(bytes);
        parser.screen().rows(0, width).map(|row| row.trim_end().to_owned()).collect()
    }

    /// A list of rows beside the words of another pane, from each of these rows on, on a screen of 60 × 24.
    fn scrolled(offsets: &[u64]) -> (Vec<String>, Vec<u8>) {
        hurried(&offsets.iter().map(|&offset| (offset, false)).collect::<Vec<_>>())
    }

    /// As [`scrolled`], in a hurry or not.
    fn hurried(frames: &[(u64, bool)]) -> (Vec<String>, Vec<u8>) {
        listed(40, |row| letter(row).to_string().repeat(28), frames)
    }

    /// Another one for each of 26 rows.
    fn letter(row: u64) -> char {
        char::from(b'a' + u8::try_from(row % 26).unwrap())
    }

    /// As [`hurried`], with these texts in a list of so many columns.
    fn listed(width: u16, text: impl Fn(u64) -> String, frames: &[(u64, bool)]) -> (Vec<String>, Vec<u8>) {
        let size = (width + 20, 24);
        let mut screen = Screen::new(AnsiBackend::new(Vec::new()), size).moving_lines(AnsiBackend::move_lines);
        for &(offset, is_hurried) in frames {
            let draw = |canvas: &mut Canvas<'_>| {
                canvas.text(Rect::new(0, 0, 60, 1), &"header".into(), Style::new());
                for y in 1..23_u16 {
                    let row = offset + u64::from(y);
                    canvas.text(Rect::new(1, y, width - 2, 1), &clean(&text(row)), Style::new());
                    canvas.text(Rect::new(width, y, 20, 1), &safe!("detail {}", y), Style::new());
                }
                let mut cursor = Cursor::default();
                cursor.select(6);
                cursor.follow(offset + 6);
                canvas.shows(Rect::new(0, 1, width, 22), cursor);
                canvas.text(Rect::new(0, 23, 60, 1), &"footer".into(), Style::new());
            };
            screen.draw_with(Glyphs::unicode(), is_hurried, draw).unwrap();
        }
        let bytes = screen.backend().written().clone();
        (terminal(&bytes, size), bytes)
    }

    #[test]
    fn lines_that_moved_are_moved_by_the_terminal() {
        for (from, to, command) in [(0, 3, "\x1b[3M"), (9, 5, "\x1b[4L")] {
            let (shown, bytes) = scrolled(&[from, to]);
            assert_eq!(shown, scrolled(&[to]).0);
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains(&format!("\x1b[2;23r\x1b[2H{command}\x1b[r")), "{text:?}");
        }
    }

    #[test]
    fn a_jump_to_other_rows_is_drawn() {
        let (shown, bytes) = scrolled(&[0, 500]);
        assert_eq!(shown, scrolled(&[500]).0);
        assert!(!bytes.ends_with(b"r") && !String::from_utf8(bytes).unwrap().contains("\x1b[r"));
    }

    #[test]
    fn who_is_faster_than_the_link_sees_what_is_around_the_selection() {
        let (whole, bytes) = scrolled(&[0, 500]);
        let (shown, fewer) = hurried(&[(0, false), (500, true)]);
        let there: Vec<_> = (0..24).filter(|&y| !shown[y].starts_with("    ")).collect();
        let near = [0].into_iter().chain(2..13).chain([23]);
        assert_eq!(there, near.collect::<Vec<_>>(), "{shown:#?}");
        assert!(fewer.len() < bytes.len());
        let (_, stopped) = hurried(&[(0, false), (500, true), (500, false)]);
        assert!(
            stopped.len() < bytes.len() + bytes.len() / 4,
            "the way there costs little: {} {}",
            stopped.len(),
            bytes.len()
        );
        assert!(there.iter().all(|&y| shown[y] == whole[y]) && shown[1].ends_with("detail 1"), "{shown:#?}");
        assert_eq!(hurried(&[(0, false), (500, true), (500, false)]).0, whole, "who stops sees all");
        assert_eq!(hurried(&[(0, false), (11, true)]).0, scrolled(&[11]).0, "half of the lines are new");
        assert_ne!(hurried(&[(0, false), (12, true)]).0, scrolled(&[12]).0);
    }

    #[test]
    fn lines_that_are_alike_are_not_left_out() {
        let alike = |row| format!("{}{}", "x".repeat(13), letter(row).to_string().repeat(WORTH_LEAVING_OUT));
        let frames = |last| [(0, false), (500, last)];
        assert_eq!(listed(40, alike, &frames(true)), listed(40, alike, &frames(false)));
        let other = |row| format!("{}{}", "x".repeat(12), letter(row).to_string().repeat(WORTH_LEAVING_OUT + 1));
        assert_ne!(listed(40, other, &frames(true)).0, listed(40, other, &frames(false)).0);
    }

    #[test]
    fn the_selected_line_is_shown_however_long_it_is() {
        let long = |row| letter(row).to_string().repeat(IN_A_HURRY + 1);
        let (shown, _) = listed(340, long, &[(0, false), (500, true)]);
        let there: Vec<_> = (1..23).filter(|&y| shown[y].starts_with(' ') && !shown[y].starts_with("  ")).collect();
        assert_eq!(there, [7]);
    }

    proptest! {
        #[test]
        fn however_it_scrolls_the_terminal_shows_the_last_frame(
            frames in proptest::collection::vec((0_u64..30, any::<bool>()), 0..6),
            last in 0_u64..30,
        ) {
            let frames: Vec<_> = frames.into_iter().chain([(last, false)]).collect();
            prop_assert_eq!(hurried(&frames).0, scrolled(&[last]).0);
        }
    }

    #[test]
    fn wide_characters_are_never_bridged() {
        assert_eq!(text(&changed(&["a漢b"], &["x漢y"])), "xy");
    }
}
