//! Encodes a frame as terminal bytes, with short color codes: on a slow connection, every byte of a frame delays the
//! response to a key.
//!
//! ratatui's own backend for crossterm spends 14 bytes on a color, and with `NO_COLOR` writes a color as a full reset, which
//! drops bold and reverse as well.

use std::iter;
use std::ops::Range;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use crate::base::text::is_width_certain;
use crate::tui::theme::Glyphs;

/// The attributes that are drawn, with the codes that turn them on.
const ATTRIBUTES: [(Modifier, u8); 6] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::REVERSED, 7),
    (Modifier::CROSSED_OUT, 9),
];

/// The attributes that are visible on a space.
const SHOWN_ON_BLANKS: Modifier = Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT);

/// The named colors in the order of their codes: 30 to 37, then 90 to 97.
const NAMED_COLORS: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

/// The character of a horizontal rule.
const RULE: &str = Glyphs::unicode().horizontal;

/// Returns true if a space with this background and these attributes looks the same as a plain one.
pub(super) fn is_blank_plain(background: Color, attributes: Modifier) -> bool {
    background == Color::Reset && !attributes.intersects(SHOWN_ON_BLANKS)
}

/// The style of the text that is written next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Pen {
    foreground: Color,
    background: Color,
    attributes: Modifier,
}

impl Pen {
    const PLAIN: Self = Self { foreground: Color::Reset, background: Color::Reset, attributes: Modifier::empty() };

    fn of(cell: &Cell) -> Self {
        let drawn = ATTRIBUTES.iter().fold(Modifier::empty(), |all, &(attribute, _)| all | attribute);
        Self { foreground: cell.fg, background: cell.bg, attributes: cell.modifier & drawn }
    }

    fn leaves_blanks_plain(self) -> bool {
        is_blank_plain(self.background, self.attributes)
    }

    /// The sequence that changes the style to another one. Attributes are only turned off all at once, since the code that
    /// ends one of them may end another as well.
    fn change_to(self, next: Self) -> String {
        if next == Self::PLAIN {
            return "\x1b[m".to_owned();
        }
        let is_reset = !next.attributes.contains(self.attributes);
        let before = if is_reset { Self::PLAIN } else { self };
        let mut codes: Vec<String> = is_reset.then(|| "0".to_owned()).into_iter().collect();
        let added = next.attributes - before.attributes;
        codes
            .extend(ATTRIBUTES.iter().filter(|(attribute, _)| added.contains(*attribute)).map(|(_, code)| code.to_string()));
        if before.foreground != next.foreground {
            codes.push(color_code(next.foreground, 30));
        }
        if before.background != next.background {
            codes.push(color_code(next.background, 40));
        }
        format!("\x1b[{}m", codes.join(";"))
    }
}

/// The code of a color: `base` is 30 for the foreground and 40 for the background.
fn color_code(color: Color, base: usize) -> String {
    match color {
        Color::Indexed(index) => format!("{};5;{index}", base + 8),
        Color::Rgb(red, green, blue) => format!("{};2;{red};{green};{blue}", base + 8),
        _ => match NAMED_COLORS.iter().position(|&named| named == color) {
            Some(place @ 0..8) => (base + place).to_string(),
            Some(place) => (base + 60 + place - 8).to_string(),
            None => (base + 9).to_string(),
        },
    }
}

/// The position of the terminal's cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CursorPosition {
    /// `None` after a cell whose width depends on the terminal.
    x: Option<u16>,
    /// Always known, since line wrapping is off.
    y: u16,
}

/// The bytes of a frame: cells and commands, in the order in which the terminal gets them.
#[derive(Debug, Default)]
pub struct AnsiFrame {
    out: String,
    pen: Pen,
    /// `None` at first: other writers may have moved the cursor.
    cursor: Option<CursorPosition>,
    /// The next cell of the horizontal rule being drawn. It needs no cursor movement even if the terminal draws rules wider
    /// than expected: the rule ends at the right edge, so it only gets there early.
    rule: Option<(u16, u16)>,
}

impl AnsiFrame {
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Writes a cell. After a cell whose width depends on the terminal, the next position is absolute.
    pub fn put(&mut self, (x, y): (u16, u16), cell: &Cell) {
        let symbol = cell.symbol();
        let is_rule = symbol == RULE;
        if !is_rule || self.rule != Some((x, y)) {
            self.move_to((x, y));
        }
        let pen = Pen::of(cell);
        if symbol != " " || !pen.leaves_blanks_plain() || !self.pen.leaves_blanks_plain() {
            self.set_pen(pen);
        }
        let width = u16::try_from(symbol.width()).unwrap_or(1);
        let is_certain = is_width_certain(symbol);
        if width > 1 && !is_certain {
            // A terminal may draw it narrower, so clear the cells that it may not cover.
            self.out.extend(iter::repeat_n(' ', width.into()));
            self.cursor = Some(CursorPosition { x: None, y });
            self.move_to((x, y));
        }
        self.out.push_str(symbol);
        let end = x.checked_add(width);
        self.cursor = Some(CursorPosition { x: end.filter(|_| is_certain), y });
        self.rule = end.filter(|_| is_rule).map(|x| (x, y));
    }

    pub fn move_to(&mut self, (x, y): (u16, u16)) {
        let (column, row) = (u32::from(x) + 1, u32::from(y) + 1);
        match self.cursor {
            Some(CursorPosition { x: Some(from), y: line }) if line == y && from <= x => {
                if from < x {
                    self.out.push_str(&format!("\x1b[{}C", x - from));
                }
            }
            Some(CursorPosition { y: line, .. }) if line == y => self.out.push_str(&format!("\x1b[{column}G")),
            _ => self.out.push_str(&format!("\x1b[{row};{column}H")),
        }
        self.cursor = Some(CursorPosition { x: Some(x), y });
    }

    /// Moves the text of some lines up or down, by deleting or inserting lines at the top: every terminal supports that
    /// within margins, while some lack a command to scroll.
    pub fn move_lines(&mut self, lines: &Range<u16>, by: u16, is_up: bool) {
        self.set_pen(Pen::PLAIN);
        let (top, bottom) = (u32::from(lines.start) + 1, lines.end);
        let command = if is_up { 'M' } else { 'L' };
        self.out.push_str(&format!("\x1b[{top};{bottom}r\x1b[{top}H\x1b[{by}{command}\x1b[r"));
        self.cursor = None;
    }

    /// Clears the screen and hides the cursor.
    pub fn clear(&mut self) {
        self.set_pen(Pen::PLAIN);
        self.out.push_str("\x1b[?25l\x1b[2J");
    }

    pub fn show_cursor(&mut self, is_visible: bool) {
        self.out.push_str(if is_visible { "\x1b[?25h" } else { "\x1b[?25l" });
    }

    /// Returns the bytes. The style is plain after them.
    pub fn finish(mut self) -> Vec<u8> {
        self.set_pen(Pen::PLAIN);
        self.out.into_bytes()
    }

    fn set_pen(&mut self, pen: Pen) {
        if self.pen != pen {
            self.out.push_str(&self.pen.change_to(pen));
            self.pen = pen;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn bytes(cells: &[(u16, u16, Cell)]) -> String {
        let mut frame = AnsiFrame::default();
        for (x, y, cell) in cells {
            frame.put((*x, *y), cell);
        }
        String::from_utf8(frame.finish()).unwrap()
    }

    fn cell(symbol: &'static str, style: Style) -> Cell {
        let mut cell = Cell::new(symbol);
        cell.set_style(style);
        cell
    }

    #[test]
    fn a_color_costs_five_bytes() {
        let red = cell("a", Style::new().fg(Color::Red));
        assert_eq!(bytes(&[(0, 0, red.clone()), (1, 0, red), (2, 0, Cell::new("b"))]), "\x1b[1;1H\x1b[31maa\x1b[mb");
    }

    #[test]
    fn attributes_survive_the_end_of_others() {
        let both = cell("a", Style::new().add_modifier(Modifier::BOLD | Modifier::DIM).fg(Color::Red));
        let dim = cell("b", Style::new().add_modifier(Modifier::DIM).fg(Color::Red));
        assert_eq!(bytes(&[(0, 0, both), (1, 0, dim)]), "\x1b[1;1H\x1b[1;2;31ma\x1b[0;2;31mb\x1b[m");
    }

    #[test]
    fn a_move_within_a_line_is_short() {
        let x = Cell::new("x");
        let moves = [(0, 0), (1, 0), (3, 0), (2, 0), (0, 1)].map(|(column, row)| (column, row, x.clone()));
        assert_eq!(bytes(&moves), "\x1b[1;1Hxx\x1b[1Cx\x1b[3Gx\x1b[2;1Hx");
    }

    #[test]
    fn a_screen_without_colors_has_no_color_code_at_all() {
        let strong = cell("a", Style::new().add_modifier(Modifier::BOLD));
        assert_eq!(bytes(&[(0, 0, strong), (1, 0, Cell::new("b"))]), "\x1b[1;1H\x1b[1ma\x1b[mb");
    }

    #[test]
    fn a_blank_needs_no_change_of_style() {
        let red = cell("a", Style::new().fg(Color::Red));
        assert_eq!(bytes(&[(0, 0, red.clone()), (1, 0, Cell::new(" ")), (2, 0, red.clone())]), "\x1b[1;1H\x1b[31ma a\x1b[m");
        let reversed = cell("a", Style::new().add_modifier(Modifier::REVERSED));
        assert_eq!(
            bytes(&[(0, 0, reversed), (1, 0, Cell::new(" ")), (2, 0, red)]),
            "\x1b[1;1H\x1b[7ma\x1b[m \x1b[31ma\x1b[m"
        );
    }

    #[test]
    fn behind_a_cell_of_uncertain_width_columns_are_absolute() {
        let line = |text: &'static str| {
            let cells: Vec<_> =
                (0..).zip(text.chars()).map(|(x, c)| (x, 0, Cell::new(String::leak(c.to_string())))).collect();
            bytes(&cells)
        };
        assert_eq!(line("a漢"), "\x1b[1;1Ha漢");
        assert_eq!(line("a●bc"), "\x1b[1;1Ha●\x1b[3Gbc");
        assert_eq!(line("é…"), "\x1b[1;1Hé\x1b[2G…");
        assert_eq!(line("───x"), "\x1b[1;1H───\x1b[4Gx", "a rule goes on by itself");
    }

    fn any_style() -> impl Strategy<Value = Style> {
        let color = prop_oneof![
            Just(Color::Reset),
            Just(Color::Red),
            Just(Color::DarkGray),
            any::<u8>().prop_map(Color::Indexed),
            any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Color::Rgb(r, g, b)),
        ];
        let attributes = proptest::sample::subsequence(
            vec![Modifier::BOLD, Modifier::DIM, Modifier::ITALIC, Modifier::UNDERLINED, Modifier::REVERSED],
            0..=5,
        );
        (color.clone(), color, attributes).prop_map(|(fg, bg, attributes)| {
            Style::new().fg(fg).bg(bg).add_modifier(attributes.into_iter().fold(Modifier::empty(), |all, one| all | one))
        })
    }

    proptest! {
        /// A terminal that gets the bytes shows the buffer.
        #[test]
        fn a_terminal_shows_the_buffer(cells in proptest::collection::vec((0_u16..10, 0_u16..5, "[a-z漢]", any_style()), 0..40)) {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 22, 5));
            for (x, y, text, style) in cells {
                // In steps of two columns, so that no wide character is cut in half.
                buffer.set_string(2 * x, y, text, style);
            }
            let blank = Buffer::empty(buffer.area);
            let mut frame = AnsiFrame::default();
            for (x, y, cell) in blank.diff_iter(&buffer) {
                frame.put((x, y), cell);
            }
            let mut parser = vt100::Parser::new(5, 22, 0);
            parser.process(&frame.finish());
            for (position, cell) in buffer.area.positions().zip(buffer.content()) {
                let shown = parser.screen().cell(position.y, position.x).unwrap();
                if shown.is_wide_continuation() || cell.symbol() == " " {
                    continue;
                }
                prop_assert_eq!(shown.contents(), cell.symbol());
                let dim_too = cell.modifier.contains(Modifier::DIM);
                prop_assert!(dim_too || shown.bold() == cell.modifier.contains(Modifier::BOLD));
                // vt100 supports one intensity at a time.
                let bold_too = cell.modifier.contains(Modifier::BOLD);
                prop_assert!(bold_too || shown.dim() == cell.modifier.contains(Modifier::DIM));
                prop_assert_eq!(shown.inverse(), cell.modifier.contains(Modifier::REVERSED));
                prop_assert_eq!(shown.underline(), cell.modifier.contains(Modifier::UNDERLINED));
                let color = match cell.fg {
                    Color::Red => vt100::Color::Idx(1),
                    Color::DarkGray => vt100::Color::Idx(8),
                    Color::Indexed(index) => vt100::Color::Idx(index),
                    Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
                    _ => vt100::Color::Default,
                };
                prop_assert_eq!(shown.fgcolor(), color);
            }
        }
    }
}
