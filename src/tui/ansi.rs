//! Cells as terminal bytes, as few of them as possible: over a slow link every byte of a key press is waited for.
//!
//! ratatui's own backend for crossterm spends 14 bytes on a colour, and with `NO_COLOR` writes a colour as a full reset, which
//! drops bold and reverse as well.

use std::io::{self, Write};
use std::iter;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::screen::Shift;
use super::theme::Glyphs;
use crate::text::is_width_certain;

/// Attributes with the codes that turn them on and off.
const ATTRIBUTES: [(Modifier, u8, u8); 6] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::REVERSED, 7, 27),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// A ratatui backend that writes to anything, a frame at a time.
#[derive(Debug)]
pub struct AnsiBackend<W> {
    out: W,
    /// What is written with the next flush.
    frame: Script,
}

impl<W: Write> AnsiBackend<W> {
    pub fn new(out: W) -> Self {
        Self { out, frame: Script::default() }
    }

    /// Where it writes to.
    pub fn written(&self) -> &W {
        &self.out
    }

    /// Moves what some lines show up or down, by deleting or inserting lines at their top: every terminal does that within
    /// margins, while some have no command to scroll.
    pub fn move_lines(&mut self, shift: &Shift) -> io::Result<()> {
        let (top, bottom) = (u32::from(shift.lines.start) + 1, shift.lines.end);
        let command = if shift.is_up { 'M' } else { 'L' };
        self.frame.command(&format!("\x1b[{top};{bottom}r\x1b[{top}H\x1b[{}{command}\x1b[r", shift.by));
        self.frame.cursor = None;
        Ok(())
    }
}

/// How text is written from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Pen {
    foreground: Color,
    background: Color,
    attributes: Modifier,
}

impl Pen {
    const PLAIN: Self = Self { foreground: Color::Reset, background: Color::Reset, attributes: Modifier::empty() };

    fn of(cell: &Cell) -> Self {
        let drawn = ATTRIBUTES.iter().fold(Modifier::empty(), |all, &(attribute, ..)| all | attribute);
        Self { foreground: cell.fg, background: cell.bg, attributes: cell.modifier & drawn }
    }

    /// Whether a blank looks the same as a plain one.
    fn leaves_blanks_plain(self) -> bool {
        let shows = Modifier::REVERSED | Modifier::UNDERLINED | Modifier::CROSSED_OUT;
        self.background == Color::Reset && !self.attributes.intersects(shows)
    }

    /// Writes the shorter of the two ways from one style to another: the differences, or a reset and everything.
    fn turn_into(self, next: Self, out: &mut String) {
        if self == next {
            return;
        }
        let mut differences = Codes::default();
        let mut anew = Codes::default();
        anew.push_code(0);
        let mut off: Vec<u8> = Vec::new();
        for (attribute, _, code) in ATTRIBUTES {
            let goes = self.attributes.contains(attribute) && !next.attributes.contains(attribute);
            if goes && !off.contains(&code) {
                differences.push_code(code);
                off.push(code);
            }
        }
        for (attribute, code, off_code) in ATTRIBUTES {
            if next.attributes.contains(attribute) {
                anew.push_code(code);
                // An off-code may have taken a second attribute along.
                if !self.attributes.contains(attribute) || off.contains(&off_code) {
                    differences.push_code(code);
                }
            }
        }
        for (before, after, layer) in
            [(self.foreground, next.foreground, Layer::Foreground), (self.background, next.background, Layer::Background)]
        {
            if after != Color::Reset {
                anew.push_colour(after, layer);
            }
            if before != after {
                differences.push_colour(after, layer);
            }
        }
        let shorter = if next == Self::PLAIN {
            String::new()
        } else if anew.0.len() < differences.0.len() {
            anew.0
        } else {
            differences.0
        };
        out.push_str("\x1b[");
        out.push_str(&shorter);
        out.push('m');
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Foreground,
    Background,
}

/// The numbers between `ESC[` and `m`.
#[derive(Debug, Default)]
struct Codes(String);

impl Codes {
    fn push_code(&mut self, code: u8) {
        self.push_text(&code.to_string());
    }

    fn push_text(&mut self, codes: &str) {
        if !self.0.is_empty() {
            self.0.push(';');
        }
        self.0.push_str(codes);
    }

    fn push_colour(&mut self, colour: Color, layer: Layer) {
        let base = if layer == Layer::Foreground { 30 } else { 40 };
        match colour {
            Color::Reset => self.push_code(base + 9),
            Color::Black => self.push_code(base),
            Color::Red => self.push_code(base + 1),
            Color::Green => self.push_code(base + 2),
            Color::Yellow => self.push_code(base + 3),
            Color::Blue => self.push_code(base + 4),
            Color::Magenta => self.push_code(base + 5),
            Color::Cyan => self.push_code(base + 6),
            Color::Gray => self.push_code(base + 7),
            Color::DarkGray => self.push_code(base + 60),
            Color::LightRed => self.push_code(base + 61),
            Color::LightGreen => self.push_code(base + 62),
            Color::LightYellow => self.push_code(base + 63),
            Color::LightBlue => self.push_code(base + 64),
            Color::LightMagenta => self.push_code(base + 65),
            Color::LightCyan => self.push_code(base + 66),
            Color::White => self.push_code(base + 67),
            Color::Indexed(index) => self.push_text(&format!("{};5;{index}", base + 8)),
            Color::Rgb(red, green, blue) => self.push_text(&format!("{};2;{red};{green};{blue}", base + 8)),
        }
    }
}

/// The position of the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct At {
    /// `None` after a cell whose width depends on the terminal.
    x: Option<u16>,
    /// Always known, since line wrapping is off.
    y: u16,
}

/// A way to move the cursor to a cell.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// To a row and a column, both 1-based.
    Absolute(u16, u16),
    /// Some lines down, then to a 1-based column. This works whether or not a line feed returns to column 1.
    Column(u16, u16),
    /// Some lines straight down.
    Down(u16),
    /// Some columns to the right.
    Right(u16),
    /// To the left edge, some lines down, and some columns to the right.
    Edge(u16, u16),
}

impl Way {
    /// Returns the way that takes the fewest bytes from the cursor's position, as far as that is known. Line feeds never go
    /// beyond the target's line, so nothing scrolls.
    fn shortest(from: Option<At>, (x, y): (u16, u16)) -> Self {
        let absolute = Self::Absolute(y.saturating_add(1), x.saturating_add(1));
        let Some((from_x, down)) = from.and_then(|from| Some((from.x, y.checked_sub(from.y)?))) else {
            return absolute;
        };
        let straight = match from_x.and_then(|from_x| x.checked_sub(from_x)) {
            Some(columns) if down == 0 => Some(Self::Right(columns)),
            Some(0) => Some(Self::Down(down)),
            _ => None,
        };
        let others = [Self::Edge(down, x), Self::Column(down, x.saturating_add(1)), absolute];
        straight.into_iter().chain(others).min_by_key(|way| way.bytes()).unwrap_or(absolute)
    }

    fn bytes(self) -> u32 {
        const BRACKETED: u32 = 3;
        let digits = |number: u16| number.checked_ilog10().map_or(1, |tens| tens + 1);
        match self {
            Self::Absolute(row, 1) => BRACKETED + digits(row),
            Self::Absolute(row, column) => BRACKETED + digits(row) + 1 + digits(column),
            Self::Column(down, column) => u32::from(down) + BRACKETED + digits(column),
            Self::Right(0) => 0,
            Self::Right(1) | Self::Down(1) => BRACKETED,
            Self::Right(cells) | Self::Down(cells) => BRACKETED + digits(cells),
            Self::Edge(down, columns) => 1 + u32::from(down) + Self::Right(columns).bytes(),
        }
    }

    fn push_to(self, out: &mut String) {
        let line_feeds = |down: u16| iter::repeat_n('\n', down.into());
        match self {
            Self::Absolute(row, 1) => out.push_str(&format!("\x1b[{row}H")),
            Self::Absolute(row, column) => out.push_str(&format!("\x1b[{row};{column}H")),
            Self::Column(down, column) => {
                out.extend(line_feeds(down));
                out.push_str(&format!("\x1b[{column}G"));
            }
            Self::Down(1) => out.push_str("\x1b[B"),
            Self::Down(lines) => out.push_str(&format!("\x1b[{lines}B")),
            Self::Right(0) => {}
            Self::Right(1) => out.push_str("\x1b[C"),
            Self::Right(columns) => out.push_str(&format!("\x1b[{columns}C")),
            Self::Edge(down, columns) => {
                out.push('\r');
                out.extend(line_feeds(down));
                Self::Right(columns).push_to(out);
            }
        }
    }
}

/// The number of blanks from which erasing is cheaper than writing: if nothing follows them directly, and if text does.
const WORTH_ERASING: u16 = 6;
const WORTH_ERASING_BEFORE_TEXT: u16 = 12;

/// The character of a horizontal rule.
const RULE: &str = Glyphs::unicode().horizontal;

/// Cells and commands, encoded for the terminal in order.
#[derive(Debug, Default)]
struct Script {
    out: String,
    pen: Pen,
    /// `None` at first: other writers may have moved the cursor.
    cursor: Option<At>,
    /// The next cell of the horizontal rule being drawn. It needs no cursor movement even if the terminal draws rules wider
    /// than expected: the rule ends at the right edge, so it only gets there early.
    rule: Option<(u16, u16)>,
    /// Plain blanks not yet written: their first cell and their number.
    blanks: Option<((u16, u16), u16)>,
}

impl Script {
    fn put(&mut self, place: (u16, u16), cell: &Cell) {
        let next = Pen::of(cell);
        if cell.symbol() == " " && next.leaves_blanks_plain() && self.pen.leaves_blanks_plain() {
            match &mut self.blanks {
                Some((start, count)) if is_behind(*start, *count, place) => *count += 1,
                _ => {
                    self.put_blanks(Some(place));
                    self.blanks = Some((place, 1));
                }
            }
            return;
        }
        self.put_blanks(Some(place));
        let is_rule = cell.symbol() == RULE;
        if !is_rule || self.rule != Some(place) {
            self.move_to(place);
        }
        self.pen.turn_into(next, &mut self.out);
        self.pen = next;
        let (x, y) = place;
        let width = u16::try_from(cell.symbol().width()).unwrap_or(1);
        let is_certain = is_width_certain(cell.symbol());
        if width > 1 && !is_certain {
            // A terminal may draw it narrower, so clear the cells that it may not cover.
            self.out.extend(iter::repeat_n(' ', width.into()));
            self.cursor = Some(At { x: None, y });
            self.move_to(place);
        }
        self.out.push_str(cell.symbol());
        let x = x.checked_add(width);
        self.cursor = Some(At { x: x.filter(|_| is_certain), y });
        self.rule = x.filter(|_| is_rule).map(|x| (x, y));
    }

    /// Writes or erases the pending blanks. `next` is the cell to be written after them.
    fn put_blanks(&mut self, next: Option<(u16, u16)>) {
        let Some((start, count)) = self.blanks.take() else { return };
        self.move_to(start);
        let is_before_text = next.is_some_and(|next| is_behind(start, count, next));
        if count >= if is_before_text { WORTH_ERASING_BEFORE_TEXT } else { WORTH_ERASING } {
            self.out.push_str(&format!("\x1b[{count}X"));
        } else {
            self.out.extend(iter::repeat_n(' ', usize::from(count)));
            self.cursor = Some(At { x: start.0.checked_add(count), y: start.1 });
        }
    }

    fn move_to(&mut self, place: (u16, u16)) {
        Way::shortest(self.cursor, place).push_to(&mut self.out);
        let (x, y) = place;
        self.cursor = Some(At { x: Some(x), y });
    }

    /// Adds a command that does not move the cursor. The style is reset first, so that cleared cells are plain.
    fn command(&mut self, sequence: &str) {
        self.put_blanks(None);
        self.pen.turn_into(Pen::PLAIN, &mut self.out);
        self.pen = Pen::PLAIN;
        self.out.push_str(sequence);
    }

    fn end(mut self) -> String {
        self.command("");
        self.out
    }
}

/// Returns true if a place directly follows `count` cells that start at the given one.
fn is_behind((x, y): (u16, u16), count: u16, place: (u16, u16)) -> bool {
    x.checked_add(count).is_some_and(|x| (x, y) == place)
}

impl<W: Write> Backend for AnsiBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, cells: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        for (x, y, cell) in cells {
            self.frame.put((x, y), cell);
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.frame.command("\x1b[?25l");
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.frame.command("\x1b[?25h");
        Ok(())
    }

    /// Not supported: over some connections a query for the position is never answered.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();
        self.frame.put_blanks(None);
        self.frame.move_to((x, y));
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.frame.command(match region {
            ClearType::All => "\x1b[2J",
            ClearType::AfterCursor => "\x1b[J",
            ClearType::BeforeCursor => "\x1b[1J",
            ClearType::CurrentLine => "\x1b[2K",
            ClearType::UntilNewLine => "\x1b[K",
        });
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        let (width, height) = crossterm::terminal::size()?;
        Ok(Size { width, height })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::default() })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(std::mem::take(&mut self.frame).end().as_bytes())?;
        self.out.flush()
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
        let mut backend = AnsiBackend::new(Vec::new());
        backend.draw(cells.iter().map(|(x, y, cell)| (*x, *y, cell))).unwrap();
        backend.flush().unwrap();
        String::from_utf8(backend.out).unwrap()
    }

    fn cell(symbol: &'static str, style: Style) -> Cell {
        let mut cell = Cell::new(symbol);
        cell.set_style(style);
        cell
    }

    #[test]
    fn a_colour_costs_five_bytes() {
        let red = cell("a", Style::new().fg(Color::Red));
        assert_eq!(bytes(&[(0, 0, red.clone()), (1, 0, red), (2, 0, Cell::new("b"))]), "\x1b[1H\x1b[31maa\x1b[mb");
    }

    #[test]
    fn attributes_that_share_an_off_code_survive_each_other() {
        let both = cell("a", Style::new().add_modifier(Modifier::BOLD | Modifier::DIM).fg(Color::Red));
        let dim = cell("b", Style::new().add_modifier(Modifier::DIM).fg(Color::Red));
        assert_eq!(bytes(&[(0, 0, both), (1, 0, dim)]), "\x1b[1H\x1b[1;2;31ma\x1b[22;2mb\x1b[m");
    }

    #[test]
    fn moves_take_the_shortest_way() {
        let x = Cell::new("x");
        let moves =
            [(0, 0), (1, 0), (3, 0), (6, 0), (0, 1), (5, 2), (1, 3), (0, 9)].map(|(column, row)| (column, row, x.clone()));
        assert_eq!(bytes(&moves), "\x1b[1Hxx\x1b[Cx\x1b[2Cx\r\nx\n\x1b[6Gx\r\n\x1b[Cx\x1b[10Hx");
    }

    #[test]
    fn a_screen_without_colours_has_no_colour_code_at_all() {
        let strong = cell("a", Style::new().add_modifier(Modifier::BOLD));
        assert_eq!(bytes(&[(0, 0, strong), (1, 0, Cell::new("b"))]), "\x1b[1H\x1b[1ma\x1b[mb");
    }

    #[test]
    fn a_blank_needs_no_change_of_style() {
        let red = cell("a", Style::new().fg(Color::Red));
        assert_eq!(bytes(&[(0, 0, red.clone()), (1, 0, Cell::new(" ")), (2, 0, red.clone())]), "\x1b[1H\x1b[31ma a\x1b[m");
        let reversed = cell("a", Style::new().add_modifier(Modifier::REVERSED));
        assert_eq!(bytes(&[(0, 0, reversed), (1, 0, Cell::new(" ")), (2, 0, red)]), "\x1b[1H\x1b[7ma\x1b[m \x1b[31ma\x1b[m");
    }

    #[test]
    fn behind_a_cell_of_uncertain_width_columns_are_absolute() {
        let line = |text: &'static str| {
            let cells: Vec<_> =
                (0..).zip(text.chars()).map(|(x, c)| (x, 0, Cell::new(String::leak(c.to_string())))).collect();
            bytes(&cells)
        };
        assert_eq!(line("a漢"), "\x1b[1Ha漢");
        assert_eq!(line("a●bc"), "\x1b[1Ha●\x1b[3Gbc");
        assert_eq!(line("é…"), "\x1b[1Hé\r\x1b[C…");
        assert_eq!(line("───x"), "\x1b[1H───\x1b[4Gx", "a rule goes on by itself");
    }

    #[test]
    fn long_blanks_are_erased() {
        let line = |text: &'static str| {
            (0..).zip(text.split("").filter(|symbol| !symbol.is_empty())).map(|(x, symbol)| (x, 0, Cell::new(symbol)))
        };
        let written = |text| bytes(&line(text).collect::<Vec<_>>());
        assert_eq!(written("a     "), "\x1b[1Ha     ");
        assert_eq!(written("a      "), "\x1b[1Ha\x1b[6X");
        assert_eq!(written("a           b"), "\x1b[1Ha           b");
        assert_eq!(written("a            b"), "\x1b[1Ha\x1b[12X\x1b[12Cb");
        let jump = bytes(&line("a      ").chain([(9, 0, Cell::new("b"))]).collect::<Vec<_>>());
        assert_eq!(jump, "\x1b[1Ha\x1b[6X\x1b[8Cb");
    }

    fn any_style() -> impl Strategy<Value = Style> {
        let colour = prop_oneof![
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
        (colour.clone(), colour, attributes).prop_map(|(fg, bg, attributes)| {
            Style::new().fg(fg).bg(bg).add_modifier(attributes.into_iter().fold(Modifier::empty(), |all, one| all | one))
        })
    }

    proptest! {
        /// Blanks that are erased are blank, and the text around them stays.
        #[test]
        fn a_frame_takes_the_place_of_another(frames in proptest::collection::vec("(ab?| {1,20}|漢){2,20}", 2..5)) {
            let area = Rect::new(0, 0, 24, 3);
            let mut backend = AnsiBackend::new(Vec::new());
            let mut shown = Buffer::empty(area);
            for frame in &frames {
                let mut next = Buffer::empty(area);
                for (y, from) in (0..).zip([0, 7, 13]) {
                    next.set_string(0, y, frame.chars().skip(from).collect::<String>(), Style::new());
                }
                backend.draw(shown.diff(&next).into_iter()).unwrap();
                backend.flush().unwrap();
                shown = next;
            }
            let screen = |bytes: &[u8]| {
                let mut parser = vt100::Parser::new(3, 24, 0);
                parser.process(bytes);
                parser.screen().rows(0, 24).map(|line| line.trim_end().to_owned()).collect::<Vec<_>>()
            };
            let mut fresh = AnsiBackend::new(Vec::new());
            fresh.draw(Buffer::empty(area).diff(&shown).into_iter()).unwrap();
            fresh.flush().unwrap();
            prop_assert_eq!(screen(&backend.out), screen(&fresh.out));
        }

        /// What a terminal shows after the bytes is what the buffer has.
        #[test]
        fn a_terminal_shows_the_buffer(cells in proptest::collection::vec((0_u16..10, 0_u16..5, "[a-z漢]", any_style()), 0..40)) {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 22, 5));
            for (x, y, text, style) in cells {
                // In steps of two columns, so that none cuts a wide character in half.
                buffer.set_string(2 * x, y, text, style);
            }
            let blank = Buffer::empty(buffer.area);
            let mut backend = AnsiBackend::new(Vec::new());
            backend.draw(blank.diff(&buffer).into_iter()).unwrap();
            backend.flush().unwrap();
            let mut parser = vt100::Parser::new(5, 22, 0);
            parser.process(&backend.out);
            for (position, cell) in buffer.area.positions().zip(buffer.content()) {
                let shown = parser.screen().cell(position.y, position.x).unwrap();
                if shown.is_wide_continuation() || cell.symbol() == " " {
                    continue;
                }
                prop_assert_eq!(shown.contents(), cell.symbol());
                let dim_too = cell.modifier.contains(Modifier::DIM);
                prop_assert!(dim_too || shown.bold() == cell.modifier.contains(Modifier::BOLD));
                // vt100 knows one intensity at a time.
                let bold_too = cell.modifier.contains(Modifier::BOLD);
                prop_assert!(bold_too || shown.dim() == cell.modifier.contains(Modifier::DIM));
                prop_assert_eq!(shown.inverse(), cell.modifier.contains(Modifier::REVERSED));
                prop_assert_eq!(shown.underline(), cell.modifier.contains(Modifier::UNDERLINED));
                let colour = match cell.fg {
                    Color::Red => vt100::Color::Idx(1),
                    Color::DarkGray => vt100::Color::Idx(8),
                    Color::Indexed(index) => vt100::Color::Idx(index),
                    Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
                    _ => vt100::Color::Default,
                };
                prop_assert_eq!(shown.fgcolor(), colour);
            }
        }
    }
}
