//! Terminals that draw some text wider or narrower than we expect: everything else still stays in its place.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a terminal that cannot be modelled fails the test"
)]

use hookscope::base::text::is_width_certain;
use hookscope::tui::terminal::canvas::Canvas;
use hookscope::tui::terminal::screen::Screen;
use hookscope::tui::view;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthChar;

use crate::support::{SentPage, Stage, page};

/// The width of each character on a terminal, in columns.
type Widths = fn(char) -> usize;

/// The widths of an East Asian terminal, which draws every ambiguous character in two columns.
fn wide(c: char) -> usize {
    match c {
        '\u{1f1e6}'..='\u{1f1ff}' => 2,
        _ => c.width_cjk().unwrap_or(0),
    }
}

/// The widths of a terminal from before emoji were wide.
fn old(c: char) -> usize {
    match c {
        '\u{2300}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' => 1,
        _ => c.width().unwrap_or(0),
    }
}

/// The part of a terminal that the explorer uses.
struct Terminal {
    widths: Widths,
    /// The cells. The second half of a wide character is an empty string.
    grid: Vec<Vec<String>>,
    at: (usize, usize),
    margins: (usize, usize),
    wraps: bool,
}

impl Terminal {
    fn new(widths: Widths, (columns, rows): (u16, u16)) -> Self {
        let grid = vec![vec![" ".to_owned(); columns.into()]; rows.into()];
        Self { widths, grid, at: (0, 0), margins: (0, usize::from(rows) - 1), wraps: false }
    }

    fn columns(&self) -> usize {
        self.grid[0].len()
    }

    /// Blanks a cell, and with it the other half of a wide character.
    fn blank(&mut self, x: usize, y: usize) {
        let line = &mut self.grid[y];
        if line[x].is_empty() {
            " ".clone_into(&mut line[x - 1]);
        }
        if line.get(x + 1).is_some_and(String::is_empty) {
            " ".clone_into(&mut line[x + 1]);
        }
        " ".clone_into(&mut line[x]);
    }

    fn blank_all(&mut self, cells: impl Iterator<Item = usize>, y: usize) {
        let columns = self.columns();
        cells.filter(|&x| x < columns).for_each(|x| self.blank(x, y));
    }

    /// Moves lines between the margins, from the cursor on.
    fn shift(&mut self, count: usize, is_up: bool) {
        let blank = vec![" ".to_owned(); self.columns()];
        for _ in 0..count {
            let (from, to) = if is_up { (self.at.1, self.margins.1) } else { (self.margins.1, self.at.1) };
            self.grid.remove(from);
            self.grid.insert(to, blank.clone());
        }
    }

    fn text(&self, y: usize) -> String {
        self.grid[y].concat().trim_end().to_owned()
    }
}

impl vte::Perform for Terminal {
    fn print(&mut self, c: char) {
        let width = (self.widths)(c);
        let (mut x, y) = self.at;
        if width == 0 {
            if let Some(before) = (0..x).rev().find(|&x| !self.grid[y][x].is_empty()) {
                self.grid[y][before].push(c);
            }
            return;
        }
        if x + width > self.columns() {
            assert!(!self.wraps, "it wraps");
            x = self.columns() - width;
        }
        (x..x + width).for_each(|x| self.blank(x, y));
        self.grid[y][x] = c.to_string();
        (x + 1..x + width).for_each(|x| self.grid[y][x].clear());
        self.at.0 = x + width;
    }

    fn execute(&mut self, byte: u8) {
        panic!("control character {byte}");
    }

    fn csi_dispatch(&mut self, params: &vte::Params, intermediates: &[u8], _ignore: bool, last: char) {
        let numbers: Vec<usize> = params.iter().map(|param| param[0].into()).collect();
        let number = |index: usize| numbers.get(index).copied().filter(|&number| number > 0).unwrap_or(1);
        match last {
            'H' => self.at = (number(1) - 1, number(0) - 1),
            'G' => self.at.0 = number(0) - 1,
            'C' => self.at.0 += number(0),
            'J' => (0..self.grid.len()).for_each(|y| self.blank_all(0..self.columns(), y)),
            'M' | 'L' => self.shift(number(0), last == 'M'),
            'r' if numbers.len() > 1 => (self.margins, self.at) = ((number(0) - 1, number(1) - 1), (0, 0)),
            'r' => (self.margins, self.at) = ((0, self.grid.len() - 1), (0, 0)),
            'm' => {}
            'h' | 'l' if intermediates == b"?" => {
                if number(0) == 7 {
                    self.wraps = last == 'h';
                }
            }
            _ => panic!("unknown sequence: {numbers:?} {last}"),
        }
    }
}

/// Draws the explorer into a buffer of cells.
fn cells(stage: &Stage) -> Buffer {
    let (width, height) = stage.app.ui.size;
    let mut buffer = Buffer::empty(Rect { x: 0, y: 0, width, height });
    view::draw(&stage.app, &mut Canvas::new(&mut buffer, stage.app.settings.glyphs));
    buffer
}

/// Checks that every cell of certain width is in its place.
fn assert_in_place(terminal: &Terminal, buffer: &Buffer) -> Result<(), TestCaseError> {
    for (position, cell) in buffer.area.positions().zip(buffer.content()) {
        let (x, y) = (usize::from(position.x), usize::from(position.y));
        let shown = &terminal.grid[y][x];
        let symbol = cell.symbol();
        // A wide sign in the last column has no other place than the one before it.
        let is_covered = x + 2 == terminal.columns()
            && buffer.cell((position.x + 1, position.y)).is_some_and(|last| !is_width_certain(last.symbol()));
        let is_right = shown == symbol || symbol == " " || !is_width_certain(symbol) || is_covered;
        prop_assert!(is_right, "{x},{y}: {shown:?} for {symbol:?} in {:?}", terminal.text(y));
    }
    Ok(())
}

/// Draws a session with these event names, and checks every frame.
fn explore(names: &[String], widths: Widths, size: (u16, u16)) -> Result<(), TestCaseError> {
    let webhook = |(number, name): (usize, &String)| {
        let event = serde_json::to_string(name).unwrap();
        format!(r#"{{"id":"w{number}","url":"https://h{number}.example.com/{number}","events":[{event}],"is_active":true}}"#)
    };
    let mut rows: Vec<_> = names.iter().enumerate().map(webhook).collect();
    rows.extend((names.len()..40).map(|number| webhook((number, &"call.completed".to_owned()))));
    let mut stage = Stage::new(size.0, size.1);
    stage.load(SentPage { rows, ..page(1, 0..0, Some(40)) });
    let mut screen = Screen::new(stage.app.ui.size);
    let mut terminal = Terminal::new(widths, size);
    let mut parser = vte::Parser::new();
    for keys in ["g", "3", "j", "j", "enter", "v", "1", "pgdn", "pgup", "?", "esc", "4", "2", "enter", ": o"] {
        stage.keys(keys);
        let frame = screen.draw(stage.app.settings.glyphs, |canvas| view::draw(&stage.app, canvas));
        parser.advance(&mut terminal, &frame);
        assert_in_place(&terminal, &cells(&stage))?;
        prop_assert!(terminal.text(0).contains(" production"), "{}", terminal.text(0));
    }
    Ok(())
}

#[test]
fn plain_data_is_in_place_where_our_own_signs_are_two_columns_wide() {
    for size in [(80, 24), (110, 24), (140, 40)] {
        explore(&[], wide, size).unwrap();
        explore(&[], old, size).unwrap();
    }
}

#[test]
fn one_emoji_with_a_modifier_moves_no_line() {
    for widths in [wide, old, |c: char| c.width().unwrap_or(0)] {
        for size in [(110, 24), (80, 24)] {
            explore(&["👍🏽.done".to_owned()], widths, size).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_events_are_called_the_rest_is_in_place(
        names in proptest::collection::vec("([a-z.]|[é漢한Ж●…👍✓]|👍🏽|🇩🇪|क्ष|का|👩\u{200d}💻|1\u{20e3}|e\u{301}|\\PC){1,12}", 1..20),
        is_wide in any::<bool>(),
    ) {
        explore(&names, if is_wide { wide } else { old }, (110, 24))?;
    }
}
