//! The only way to draw on the screen. A [`Canvas`] accepts only [`Safe`] text, and views get only a canvas, so code that
//! draws a raw string from outside does not compile.

use std::ops::Range;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::ansi::is_blank_plain;
use crate::base::text::Safe;
use crate::tui::theme::Glyphs;

/// A run of text in one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub text: Safe,
    pub style: Style,
}

impl Piece {
    pub fn new(text: impl Into<Safe>, style: Style) -> Self {
        Self { text: text.into(), style }
    }

    pub fn plain(text: impl Into<Safe>) -> Self {
        Self::new(text, Style::new())
    }
}

/// One screenful of cells to draw into.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    glyphs: Glyphs,
    window: Option<Window>,
    pointer: Option<Pointer>,
}

/// The terminal cursor as a frame sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer {
    pub position: Position,
    /// True only where text is typed.
    pub is_visible: bool,
}

/// An area of the screen that shows part of a longer list, one row per line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub area: Rect,
    /// The row on its first line.
    pub from: u64,
    /// The selected row.
    pub selected: u64,
}

impl Window {
    /// The lines of the screen that it covers.
    pub fn lines(&self) -> Range<u16> {
        self.area.top()..self.area.bottom()
    }
}

impl<'a> Canvas<'a> {
    pub fn new(buffer: &'a mut Buffer, glyphs: Glyphs) -> Self {
        Self { buffer, glyphs, window: None, pointer: None }
    }

    /// Declares that an area shows a part of a longer list, from one row on: when it scrolls, the terminal can move lines.
    pub fn shows(&mut self, area: Rect, from: u64, selected: u64) {
        self.window = Some(Window { area, from, selected });
    }

    /// Puts the hidden terminal cursor where the user is.
    pub fn point(&mut self, area: Rect) {
        self.pointer = Some(Pointer { position: area.as_position(), is_visible: false });
    }

    /// Shows the terminal's cursor where the next character goes.
    pub fn insert_at(&mut self, area: Rect) {
        self.pointer = Some(Pointer { position: area.as_position(), is_visible: true });
    }

    /// The terminal cursor of this frame. If no view has set it, it is hidden, at the selected row or at the top.
    pub fn pointer(&self) -> Pointer {
        let selected = || {
            let window = self.window.as_ref()?;
            let line = u16::try_from(window.selected.checked_sub(window.from)?).ok()?;
            (line < window.area.height).then(|| Position { x: window.area.x, y: window.area.y.saturating_add(line) })
        };
        self.pointer.unwrap_or_else(|| Pointer { position: selected().unwrap_or_default(), is_visible: false })
    }

    /// The area that scrolls, if there is one.
    pub fn window(self) -> Option<Window> {
        self.window
    }

    pub fn area(&self) -> Rect {
        self.buffer.area
    }

    pub fn glyphs(&self) -> Glyphs {
        self.glyphs
    }

    /// Writes into the first line of an area, cut with an ellipsis if it does not fit. Returns the columns used.
    pub fn text(&mut self, area: Rect, text: &Safe, style: Style) -> u16 {
        let area = area.intersection(self.buffer.area);
        if area.is_empty() {
            return 0;
        }
        if text.as_str().is_ascii() && text.width() <= area.width.into() {
            return self.ascii_text(area, text.as_str(), style);
        }
        let fitted = text.fit(area.width.into(), self.glyphs.ellipsis);
        let end = if self.glyphs.is_ascii() && !fitted.as_str().is_ascii() {
            let ascii = ascii(&fitted);
            self.buffer.set_stringn(area.x, area.y, ascii, area.width.into(), style)
        } else {
            self.buffer.set_stringn(area.x, area.y, fitted.as_str(), area.width.into(), style)
        };
        for x in area.x..end.0 {
            if let Some(cell) = self.buffer.cell_mut((x, area.y)).filter(|cell| cell.symbol() == " ") {
                plain_blank(cell);
            }
        }
        end.0 - area.x
    }

    /// As [`Canvas::text`], with an additional style for some byte ranges.
    pub fn highlighted(&mut self, area: Rect, text: &Safe, style: Style, places: &[Range<usize>], on_top: Style) -> u16 {
        let used = self.text(area, text, style);
        for place in places {
            let column_of = |byte: usize| {
                let mut at = 0;
                let before = text.cells().take_while(|(cluster, _)| {
                    at += cluster.len();
                    at <= byte
                });
                u16::try_from(before.map(|(_, width)| width).sum::<usize>()).unwrap_or(u16::MAX)
            };
            let (start, stop) = (column_of(place.start).min(used), column_of(place.end).min(used));
            let area = Rect { x: area.x.saturating_add(start), width: stop - start, height: 1, ..area };
            self.buffer.set_style(area.intersection(self.buffer.area), on_top);
        }
        used
    }

    /// As [`Canvas::text`] for ASCII that fits, the usual case: one column per byte, and no clusters to find.
    fn ascii_text(&mut self, area: Rect, text: &str, style: Style) -> u16 {
        let mut x = area.x;
        for symbol in text.split_inclusive(|_| true) {
            if let Some(cell) = self.buffer.cell_mut((x, area.y)) {
                cell.set_symbol(symbol).set_style(style);
                if symbol == " " {
                    plain_blank(cell);
                }
            }
            x += 1;
        }
        x - area.x
    }

    /// Writes pieces one after the other into the first line of an area.
    pub fn pieces(&mut self, area: Rect, pieces: &[Piece]) -> u16 {
        let mut used = 0;
        for piece in pieces {
            let rest = Rect { x: area.x + used, width: area.width - used, ..area };
            used += self.text(rest, &piece.text, piece.style);
        }
        used
    }

    /// As [`Canvas::text`], ending at the right edge.
    pub fn text_right(&mut self, area: Rect, text: &Safe, style: Style) -> u16 {
        let width = u16::try_from(text.width()).unwrap_or(u16::MAX).min(area.width);
        self.text(Rect { x: area.x + (area.width - width), width, ..area }, text, style)
    }

    /// Replaces the style of an area.
    pub fn restyle(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area.intersection(self.buffer.area), Style::reset().patch(style));
    }

    /// Clears an area.
    pub fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for position in area.positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
            }
        }
    }

    /// Fills an area with rule characters, vertical ones if its height is more than a line.
    pub fn rule(&mut self, area: Rect, style: Style) {
        let symbol = if area.height > area.width { self.glyphs.vertical } else { self.glyphs.horizontal };
        for position in area.intersection(self.buffer.area).positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.set_symbol(symbol).set_style(style);
            }
        }
    }
}

/// Removes the style from a space on which it is not visible. The space then differs less often from others, which saves
/// bytes.
fn plain_blank(cell: &mut Cell) {
    if is_blank_plain(cell.bg, cell.modifier) {
        cell.reset();
    }
}

/// The text for terminals without Unicode: other characters become as many question marks as they have columns.
fn ascii(text: &Safe) -> String {
    let mut out = String::new();
    for (cluster, width) in text.cells() {
        match cluster {
            "…" => out.push('~'),
            _ if cluster.is_ascii() => out.push_str(cluster),
            _ => out.extend(std::iter::repeat_n('?', width)),
        }
    }
    out
}

/// One line of an area, counted from its top; empty if there is no such line.
pub fn line(area: Rect, number: u16) -> Rect {
    let inside = number < area.height;
    Rect { y: area.y.saturating_add(if inside { number } else { 0 }), height: u16::from(inside), ..area }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::text::clean;

    #[test]
    fn text_outside_the_screen_is_cut_off() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 5, 2));
        let mut canvas = Canvas::new(&mut buffer, Glyphs::unicode());
        assert_eq!(canvas.text(Rect::new(0, 0, 50, 1), &"abcdefgh".into(), Style::new()), 5);
        assert_eq!(canvas.text(Rect::new(0, 9, 5, 1), &"x".into(), Style::new()), 0);
        assert_eq!(canvas.text_right(Rect::new(0, 1, 5, 1), &"漢".into(), Style::new()), 2);
        canvas.rule(Rect::new(3, 0, 9, 9), Style::new());
        assert_eq!(buffer.cell((0, 0)).unwrap().symbol(), "a");
        assert_eq!(buffer.cell((3, 1)).unwrap().symbol(), Glyphs::unicode().horizontal);
    }

    #[test]
    fn an_ascii_terminal_gets_ascii() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 1));
        Canvas::new(&mut buffer, Glyphs::ascii()).text(Rect::new(0, 0, 8, 1), &clean("é漢字abcdef"), Style::new());
        let shown: String = buffer.content().iter().map(Cell::symbol).collect();
        assert_eq!(shown, "?????ab~");
    }
}
