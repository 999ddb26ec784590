//! The pickers above the footer: the command palette, the profiles, the baselines and the copy menu.

use ratatui::layout::Rect;

use crate::base::text::{Safe, clean};
use crate::config::color_name;
use crate::keymap::{Action, Copy};
use crate::safe;
use crate::tui::app::App;
use crate::tui::copy_menu::CopySubject;
use crate::tui::picker::{Picker, PickerChoice};
use crate::tui::session::changes::BaselineChoice;
use crate::tui::terminal::canvas::{Canvas, Piece, line};

/// The most choices on screen.
const ROWS: usize = 10;

pub(super) fn palette(app: &App, picker: &Picker<Action>, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    draw(app, picker, &"   no matching action".into(), canvas, |choice| {
        let keys = app.settings.key(choice.value);
        vec![
            Piece::plain("   "),
            Piece::new(clean(&format!("{:<17}", choice.name.as_str())), theme.strong),
            Piece::new(clean(&format!("{keys:<8}")), theme.accent),
            Piece::plain(choice.beside.clone()),
        ]
    });
    let footer = app.layout().footer;
    canvas.clear(footer);
    let used = canvas.pieces(footer, &[Piece::new(" :", theme.accent), Piece::plain(picker.input())]);
    let rest = Rect { x: footer.x + used, width: footer.width - used, ..footer };
    canvas.text(rest, &" ".into(), theme.selected);
    canvas.insert_at(rest);
}

pub(super) fn profiles(app: &App, picker: &Picker<usize>, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    let widest = |width: fn(&PickerChoice<usize>) -> usize| picker.choices().iter().map(width).max().unwrap_or_default() + 2;
    let (names, hosts) = (widest(|choice| choice.name.width()), widest(|choice| choice.beside.width()));
    let padding = |columns: usize, text: &Safe| Piece::plain(clean(&" ".repeat(columns.saturating_sub(text.width()))));
    let area = draw(app, picker, &"   no matching profile".into(), canvas, |choice| {
        let mut pieces = start(app, picker, choice);
        pieces.extend([
            Piece::new(choice.name.clone(), theme.strong),
            padding(names, &choice.name),
            Piece::plain(choice.beside.clone()),
            padding(hosts, &choice.beside),
        ]);
        let colour = app.settings.profiles.get(choice.value).and_then(|profile| profile.colour);
        pieces.extend(colour.map(|colour| Piece::new(color_name(colour), theme.colour(colour))));
        pieces
    });
    canvas.text(line(area, 0), &" switch to ".into(), theme.strong);
    input_line(app, picker, " profile ", canvas);
}

/// Draws the baselines to choose from.
pub(super) fn baselines(app: &App, picker: &Picker<BaselineChoice>, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    let area = draw(app, picker, &"   no matching time".into(), canvas, |choice| {
        let mut pieces = start(app, picker, choice);
        pieces.push(Piece::new(clean(&format!("{:<21}", choice.name.as_str())), theme.strong));
        pieces.push(Piece::plain(choice.beside.clone()));
        pieces
    });
    canvas.text(line(area, 0), &" changes since ".into(), theme.strong);
    input_line(app, picker, " since ", canvas);
}

pub(super) fn copies(app: &App, picker: &Picker<Copy>, of: &CopySubject, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    let area = open(app, picker.choices().len(), canvas);
    for (number, choice) in (1..).zip(picker.choices()) {
        let key = choice.key.map(|key| clean(&key.to_string())).unwrap_or_default();
        let pieces = [Piece::new(safe!("   {}  ", key), theme.strong), Piece::plain(choice.name.clone())];
        canvas.pieces(line(area, number), &pieces);
    }
    let ellipsis = app.settings.glyphs.ellipsis;
    let title = match of {
        CopySubject::Nothing => safe!(" copy "),
        _ => safe!(" copy: {} ", of.words(ellipsis).fit(usize::from(area.width).saturating_sub(10), ellipsis)),
    };
    canvas.text(line(area, 0), &title, theme.strong);
}

/// Draws the matching choices that are visible, including the selected one.
fn draw<T: Clone>(
    app: &App,
    picker: &Picker<T>,
    none: &Safe,
    canvas: &mut Canvas<'_>,
    pieces: impl Fn(&PickerChoice<T>) -> Vec<Piece>,
) -> Rect {
    let theme = app.settings.theme;
    let all = picker.found().len();
    let first = (picker.selected() + 1).saturating_sub(ROWS);
    let area = open(app, all.clamp(1, ROWS), canvas);
    if all == 0 {
        canvas.text(line(area, 1), none, theme.quiet);
    }
    for (number, (index, choice)) in (1..).zip(picker.found().enumerate().skip(first).take(ROWS)) {
        let place = line(area, number);
        canvas.pieces(place, &choice.map(&pieces).unwrap_or_default());
        if index == picker.selected() {
            canvas.restyle(place, theme.selected);
            canvas.point(place);
        }
    }
    if all > ROWS {
        let place = safe!(" {}/{} ", picker.selected() + 1, all);
        canvas.text_right(Rect { width: area.width.saturating_sub(1), ..line(area, 0) }, &place, theme.quiet);
    }
    area
}

/// The key of a choice, and the mark of the current one.
fn start<T: Clone>(app: &App, picker: &Picker<T>, choice: &PickerChoice<T>) -> Vec<Piece> {
    let key = choice.key.filter(|_| !picker.is_narrowing()).unwrap_or(' ');
    let mark = if choice.is_current { app.settings.glyphs.active } else { " " };
    vec![
        Piece::new(safe!(" {} ", clean(&key.to_string())), app.settings.theme.accent),
        Piece::new(safe!("{} ", Safe::literal(mark)), app.settings.theme.active),
    ]
}

/// Draws the line below a list: the typed text, or the keys.
fn input_line<T: Clone>(app: &App, picker: &Picker<T>, label: &'static str, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    let footer = app.layout().footer;
    canvas.clear(footer);
    let mut pieces = vec![Piece::new(label, theme.accent)];
    if picker.is_narrowing() {
        pieces.extend([Piece::plain("/"), Piece::plain(picker.input()), Piece::new(" ", theme.selected)]);
    }
    pieces.push(if picker.is_refused() {
        Piece::new(" ! no match: esc shows all", theme.warning)
    } else if picker.is_narrowing() {
        Piece::new("  enter selects, esc shows all", theme.quiet)
    } else {
        Piece::new("digit or enter selects, j k move, / filters", theme.quiet)
    });
    canvas.pieces(footer, &pieces);
}

/// Clears some rows above the footer, below a rule. The rows start at line 1.
fn open(app: &App, rows: usize, canvas: &mut Canvas<'_>) -> Rect {
    let screen = canvas.area();
    let bottom = screen.height.saturating_sub(app.layout().footer.height);
    let height = u16::try_from(rows + 1).unwrap_or(u16::MAX).min(bottom);
    let area = Rect { x: 0, y: bottom - height, width: screen.width, height };
    canvas.clear(area);
    canvas.point(area);
    canvas.rule(line(area, 0), app.settings.theme.quiet);
    area
}
