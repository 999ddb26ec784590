//! Frames of the explorer as SVG: a single frame as a still picture, several as a CSS animation. No script and no web font
//! is needed: every run of text has a position and a width, so that columns line up in any font.

use std::collections::BTreeMap;

use quick_xml::escape::partial_escape;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

/// The size of a cell. At a font size of 15, the letters of most monospaced fonts are 9 wide.
const CELL: (usize, usize) = (9, 19);
const FONT_SIZE: usize = 15;
/// The distance from the top of a cell to the baseline.
const BASELINE: usize = 14;
const MARGIN: usize = 14;
/// The height of the caption below the frame.
const CAPTION: usize = 38;

/// The colors of a terminal theme: for each, its CSS class and fill.
pub(super) struct Palette {
    background: &'static str,
    foreground: &'static str,
    colors: [(Color, &'static str, &'static str); 5],
}

pub(super) const DARK: Palette = Palette {
    background: "#16181d",
    foreground: "#d7dae0",
    colors: [
        (Color::Cyan, "c", "#56b6c2"),
        (Color::Green, "g", "#8cc265"),
        (Color::Yellow, "y", "#d8a657"),
        (Color::Red, "r", "#e06c75"),
        (Color::DarkGray, "d", "#868d9b"),
    ],
};

pub(super) const LIGHT: Palette = Palette {
    background: "#fbfbf8",
    foreground: "#24292f",
    colors: [
        (Color::Cyan, "c", "#0b7285"),
        (Color::Green, "g", "#2b7a2b"),
        (Color::Yellow, "y", "#8a5a00"),
        (Color::Red, "r", "#b3261e"),
        (Color::DarkGray, "d", "#6a737d"),
    ],
};

/// A frame of an animation, its duration and the caption below it.
pub(super) struct Shot {
    pub(super) frame: Buffer,
    pub(super) caption: &'static str,
    pub(super) milliseconds: u32,
}

/// Draws a single frame.
pub(super) fn still(title: &str, frame: Buffer, palette: &Palette) -> String {
    animated(title, &[Shot { frame, caption: "", milliseconds: 1 }], palette)
}

/// Draws shots in an endless loop. With reduced motion, and in viewers without animation, the first shot is shown.
pub(super) fn animated(title: &str, shots: &[Shot], palette: &Palette) -> String {
    let groups = groups(shots, palette);
    let timeline = Timeline::new(shots, groups.keys().map(|(_, seen)| seen));
    let mut body = String::new();
    for ((_, seen), markup) in &groups {
        let class = timeline.class(seen).map(|class| format!(r#" class="{class}""#)).unwrap_or_default();
        body.push_str(&format!("<g{class}>\n{markup}</g>\n"));
    }
    let (width, height) = size(shots);
    let Palette { background, foreground, .. } = palette;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="{FONT_SIZE}" fill="{foreground}">
<title>{}</title>
<style>
{}{}</style>
<rect width="{width}" height="{height}" rx="8" fill="{background}"/>
{body}</svg>
"#,
        partial_escape(title),
        palette.css(),
        timeline.css(),
    )
}

fn size(shots: &[Shot]) -> (usize, usize) {
    let area = shots.first().map(|shot| shot.frame.area).unwrap_or_default();
    let caption = if shots.iter().any(|shot| !shot.caption.is_empty()) { CAPTION } else { 0 };
    (usize::from(area.width) * CELL.0 + 2 * MARGIN, usize::from(area.height) * CELL.1 + caption + 2 * MARGIN)
}

/// The markup by layer and set of shots: a piece that several shots share is written once.
fn groups(shots: &[Shot], palette: &Palette) -> BTreeMap<(Layer, Vec<usize>), String> {
    let mut seen_in = BTreeMap::<_, Vec<_>>::new();
    for (number, shot) in shots.iter().enumerate() {
        for piece in pieces(shot, palette) {
            seen_in.entry(piece).or_default().push(number);
        }
    }
    let mut groups = BTreeMap::<_, String>::new();
    for (Piece { layer, markup, .. }, seen) in seen_in {
        *groups.entry((layer, seen)).or_default() += &(markup + "\n");
    }
    groups
}

/// The order of drawing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Background,
    Text,
}

/// An element and its place in the picture.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Piece {
    layer: Layer,
    y: usize,
    column: usize,
    markup: String,
}

fn pieces(shot: &Shot, palette: &Palette) -> Vec<Piece> {
    let lines = shot.frame.content().chunks(usize::from(shot.frame.area.width.max(1)));
    let bottom = MARGIN + lines.len() * CELL.1;
    let mut pieces = Vec::new();
    for (row, cells) in lines.enumerate() {
        let y = MARGIN + row * CELL.1;
        let piece = |layer, column, markup| Piece { layer, y, column, markup };
        pieces.extend(backgrounds(cells).iter().map(|run| piece(Layer::Background, run.column, run.background(y, palette))));
        pieces.extend(runs(cells).iter().map(|run| piece(Layer::Text, run.column, run.markup(y, palette))));
    }
    if !shot.caption.is_empty() {
        let (y, words) = (bottom + CAPTION * 3 / 4, partial_escape(shot.caption));
        let markup =
            format!(r#"<text x="{MARGIN}" y="{y}" font-family="system-ui,sans-serif" font-size="17">{words}</text>"#);
        pieces.push(Piece { layer: Layer::Text, y, column: 0, markup });
    }
    pieces
}

/// Neighboring cells that are drawn as one element: text of one style, or a repeated shape.
struct Run<'a> {
    column: usize,
    width: usize,
    text: String,
    style: &'a Cell,
}

/// The cells of a line that are visible, with their columns and widths: a wide character hides the cell after it.
fn visible(cells: &[Cell]) -> impl Iterator<Item = (usize, usize, &Cell)> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let (column, cell) = (next, cells.get(next)?);
        let width = cell.symbol().width().max(1);
        next += width;
        Some((column, width, cell))
    })
}

/// The runs of text and shapes in a line.
fn runs(cells: &[Cell]) -> Vec<Run<'_>> {
    let mut runs = Vec::<Run<'_>>::new();
    for (column, width, cell) in visible(cells).filter(|(_, _, cell)| cell.symbol() != " ") {
        match runs.last_mut() {
            Some(run) if run.takes(cell, column) => {
                run.text.extend(std::iter::repeat_n(' ', column - run.end()));
                run.text.push_str(cell.symbol());
                run.width = column + width - run.column;
            }
            _ => runs.push(Run { column, width, text: cell.symbol().to_owned(), style: cell }),
        }
    }
    runs
}

/// The runs of cells in reversed colors, which have a background.
fn backgrounds(cells: &[Cell]) -> Vec<Run<'_>> {
    let mut runs = Vec::<Run<'_>>::new();
    for (column, width, cell) in visible(cells).filter(|(_, _, cell)| cell.modifier.contains(Modifier::REVERSED)) {
        match runs.last_mut() {
            Some(run) if run.end() == column && run.style.fg == cell.fg => run.width += width,
            _ => runs.push(Run { column, width, text: String::new(), style: cell }),
        }
    }
    runs
}

impl Run<'_> {
    fn end(&self) -> usize {
        self.column + self.width
    }

    /// Decides if the cell in a later column continues this run. Two spaces in a row would collapse into one, and a
    /// character outside ASCII may come from a fallback font with other widths, so each of them starts a new run.
    fn takes(&self, cell: &Cell, column: usize) -> bool {
        let same_style = (self.style.fg, self.style.modifier) == (cell.fg, cell.modifier);
        let same_kind = if self.text.is_ascii() {
            cell.symbol().is_ascii() && column <= self.end() + 1
        } else {
            column == self.end() && self.style.symbol() == cell.symbol() && shape(cell.symbol()).is_some()
        };
        same_style && same_kind
    }

    fn background(&self, top: usize, palette: &Palette) -> String {
        rect(palette.class(self.style.fg), (MARGIN + self.column * CELL.0, top), (self.width * CELL.0, CELL.1))
    }

    fn markup(&self, top: usize, palette: &Palette) -> String {
        let Self { column, width, text, style } = self;
        let (x, width) = (MARGIN + column * CELL.0, width * CELL.0);
        let color = palette.class(style.fg);
        if let Some(shape) = shape(style.symbol()) {
            let width = if shape.width == CELL.0 { width } else { shape.width };
            return rect(color, (x + shape.x, top + shape.y), (width, shape.height));
        }
        let classes = [
            if style.modifier.contains(Modifier::REVERSED) { "i" } else { color },
            if style.modifier.contains(Modifier::BOLD) { "b" } else { "" },
            if style.modifier.contains(Modifier::UNDERLINED) { "u" } else { "" },
        ];
        // A single symbol outside ASCII keeps its own width.
        let fixed = if text.is_ascii() { format!(r#" textLength="{width}""#) } else { String::new() };
        let (y, class, text) = (top + BASELINE, class(&classes), partial_escape(text.as_str()));
        format!(r#"<text x="{x}" y="{y}"{class}{fixed}>{text}</text>"#)
    }
}

fn rect(color: &str, (x, y): (usize, usize), (width, height): (usize, usize)) -> String {
    format!(r#"<rect x="{x}" y="{y}"{} width="{width}" height="{height}"/>"#, class(&[color]))
}

/// The class attribute; empty without classes.
fn class(classes: &[&str]) -> String {
    let classes: Vec<_> = classes.iter().copied().filter(|class| !class.is_empty()).collect();
    if classes.is_empty() { String::new() } else { format!(r#" class="{}""#, classes.join(" ")) }
}

/// A rectangle within a cell.
struct Shape {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

/// The rectangle that replaces a box-drawing symbol, which many fonts draw with gaps between cells.
fn shape(symbol: &str) -> Option<Shape> {
    let (width, height) = CELL;
    Some(match symbol {
        "─" => Shape { x: 0, y: height / 2, width, height: 1 },
        "│" => Shape { x: width / 2, y: 0, width: 1, height },
        "▌" => Shape { x: 0, y: 0, width: width / 2, height },
        "▇" => Shape { x: 0, y: 2, width, height: height - 5 },
        _ => return None,
    })
}

impl Palette {
    /// The class of a color; empty for the foreground.
    fn class(&self, color: Color) -> &'static str {
        self.colors.iter().find(|(known, ..)| *known == color).map_or("", |(_, class, _)| class)
    }

    fn css(&self) -> String {
        let mut css = String::new();
        for (_, class, fill) in self.colors {
            css.push_str(&format!(".{class}{{fill:{fill}}}"));
        }
        format!("{css}.i{{fill:{}}}.b{{font-weight:bold}}.u{{text-decoration:underline}}\n", self.background)
    }
}

/// The CSS animations, one for each set of shots in [`groups`].
struct Timeline {
    /// The end of each shot, in milliseconds.
    ends: Vec<u32>,
    /// Their names by set of shots. A run that is in every shot needs none.
    animations: BTreeMap<Vec<usize>, String>,
}

impl Timeline {
    fn new<'a>(shots: &[Shot], seen: impl Iterator<Item = &'a Vec<usize>>) -> Self {
        let ends = shots.iter().scan(0, |end, shot| {
            *end += shot.milliseconds;
            Some(*end)
        });
        let mut animations: BTreeMap<_, _> =
            seen.filter(|seen| seen.len() < shots.len()).map(|seen| (seen.clone(), String::new())).collect();
        for (number, class) in animations.values_mut().enumerate() {
            *class = format!("s{number}");
        }
        Self { ends: ends.collect(), animations }
    }

    /// The class of what these shots show; none if they are all shots.
    fn class(&self, seen: &[usize]) -> Option<&str> {
        self.animations.get(seen).map(String::as_str)
    }

    fn css(&self) -> String {
        let Some(&total) = self.ends.last().filter(|_| !self.animations.is_empty()) else { return String::new() };
        let mut css = String::new();
        for (seen, class) in &self.animations {
            let at_first = visibility(seen.contains(&0));
            css.push_str(&format!(
                ".{class}{{visibility:{at_first};animation:{class} {total}ms step-end infinite}}@keyframes {class}{{{}}}\n",
                self.keyframes(seen, total)
            ));
        }
        css + "@media (prefers-reduced-motion:reduce){g{animation:none!important}}\n"
    }

    fn keyframes(&self, seen: &[usize], total: u32) -> String {
        let mut frames = String::new();
        let mut before = None;
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        for (number, start) in starts.take(self.ends.len()).enumerate() {
            let is_seen = seen.contains(&number);
            if before != Some(is_seen) {
                let percent = f64::from(start) * 100.0 / f64::from(total);
                frames.push_str(&format!("{percent:.2}%{{visibility:{}}}", visibility(is_seen)));
            }
            before = Some(is_seen);
        }
        frames
    }
}

fn visibility(is_seen: bool) -> &'static str {
    if is_seen { "visible" } else { "hidden" }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn frame(lines: &[&str]) -> Buffer {
        Buffer::with_lines(lines.iter().copied())
    }

    fn shot(lines: &[&str]) -> Shot {
        Shot { frame: frame(lines), caption: "", milliseconds: 1_000 }
    }

    #[test]
    fn a_run_ends_at_two_spaces_and_at_every_character_outside_ascii() {
        let cases: [(_, &[_]); 4] = [
            ("one two  three", &[(0, "one two"), (9, "three")]),
            ("köln.de", &[(0, "k"), (1, "ö"), (2, "ln.de")]),
            ("a漢字b", &[(0, "a"), (1, "漢"), (3, "字"), (5, "b")]),
            ("──│──", &[(0, "──"), (2, "│"), (3, "──")]),
        ];
        for (line, expected) in cases {
            let frame = frame(&[line]);
            let runs = runs(frame.content());
            let found: Vec<_> = runs.iter().map(|run| (run.column, run.text.as_str())).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn text_is_escaped_and_keeps_its_width() {
        let svg = still("a < b & c", frame(&["<b>&\"x\""]), &DARK);
        assert!(svg.contains("<title>a &lt; b &amp; c</title>"), "{svg}");
        let text = format!(r#"<text x="{MARGIN}" y="{}" textLength="63">&lt;b&gt;&amp;"x"</text>"#, MARGIN + BASELINE);
        assert!(svg.contains(&text), "{svg}");
    }

    #[test]
    fn reversed_cells_have_a_background_including_spaces_and_wide_characters() {
        let mut frame = Buffer::empty(Rect::new(0, 0, 9, 1));
        let reversed = Style::new().fg(Color::Red).add_modifier(Modifier::REVERSED);
        frame.set_string(0, 0, "  ab  漢", reversed);
        let svg = still("", frame, &DARK);
        assert!(svg.contains(r#"<rect x="14" y="14" class="r" width="72" height="19"/>"#), "{svg}");
        assert!(svg.contains(r#"<text x="32" y="28" class="i" textLength="18">ab</text>"#), "{svg}");
    }

    #[test]
    fn shots_share_what_stays_and_the_first_one_is_shown_without_animation() {
        let svg = animated("", &[shot(&["same", "one"]), shot(&["same", "two"]), shot(&["same", "one"])], &DARK);
        for once in ["same", "one", "two"] {
            assert_eq!(svg.matches(&format!(">{once}</text>")).count(), 1, "{svg}");
        }
        let rules = [
            ".s0{visibility:visible;animation:s0 3000ms step-end infinite}\
             @keyframes s0{0.00%{visibility:visible}33.33%{visibility:hidden}66.67%{visibility:visible}}",
            ".s1{visibility:hidden;animation:s1 3000ms step-end infinite}\
             @keyframes s1{0.00%{visibility:hidden}33.33%{visibility:visible}66.67%{visibility:hidden}}",
            "@media (prefers-reduced-motion:reduce){g{animation:none!important}}",
        ];
        assert!(svg.contains(&rules.join("\n")), "{svg}");
        assert!(!still("", frame(&["x"]), &DARK).contains("animation"));
    }
}
