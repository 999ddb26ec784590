//! What opens above the footer: the command palette and the copy menu.

use ratatui::layout::Rect;

use crate::config::{Profile, color_name};
use crate::keymap::COPIES;
use crate::safe;
use crate::text::{Safe, clean};
use crate::tui::app::App;
use crate::tui::copy_menu::CopySubject;
use crate::tui::palette::Palette;
use crate::tui::picker::{DIGITS, Picker};
use crate::tui::session::changes::Bases;
use crate::tui::terminal::canvas::{Canvas, Piece, line};

/// Actions that are shown at once.
const ROWS: usize = 10;

pub(super) fn palette(app: &App, palette: &Palette, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    let first = (palette.selected() + 1).saturating_sub(ROWS);
    let found = palette.found().iter().enumerate().skip(first).take(ROWS);
    let area = open(app, found.len().max(1), canvas);
    if palette.found().is_empty() {
        canvas.text(line(area, 1), &"   no matching action".into(), theme.quiet);
    }
    for (number, (index, entry)) in (1..).zip(found) {
        let place = line(area, number);
        let keys = app.settings.key(entry.action);
        let name = clean(&format!("{:<17}", entry.name));
        let pieces = [
            Piece::plain("   "),
            Piece::new(name, theme.strong),
            Piece::new(clean(&format!("{keys:<8}")), theme.accent),
            Piece::plain(entry.help),
        ];
        canvas.pieces(place, &pieces);
        if index == palette.selected() {
            canvas.restyle(place, theme.selected);
        }
    }
    let all = palette.found().len();
    if all > ROWS {
        let place = safe!(" {}/{} ", palette.selected() + 1, all);
        canvas.text_right(Rect { width: area.width.saturating_sub(1), ..line(area, 0) }, &place, theme.quiet);
    }
    let footer = app.layout().footer;
    canvas.clear(footer);
    let used = canvas.pieces(footer, &[Piece::new(" :", theme.accent), Piece::plain(palette.input())]);
    let rest = Rect { x: footer.x + used, width: footer.width - used, ..footer };
    canvas.text(rest, &" ".into(), theme.selected);
    canvas.insert_at(rest);
}

pub(super) fn profiles(app: &App, picker: &Picker, canvas: &mut Canvas<'_>) {
    let (theme, glyphs) = (app.settings.theme, app.settings.glyphs);
    let all = &app.settings.profiles;
    let found: Vec<_> = picker.found().iter().filter_map(|&at| Some((at, all.get(at)?))).collect();
    let first = (picker.selected() + 1).saturating_sub(ROWS);
    let area = open(app, found.len().clamp(1, ROWS), canvas);
    if found.is_empty() {
        canvas.text(line(area, 1), &"   no matching profile".into(), theme.quiet);
    }
    let widest = |width: fn(&Profile) -> usize| all.iter().map(width).max().unwrap_or_default() + 2;
    let (names, hosts) = (widest(|profile| profile.shown.width()), widest(|profile| profile.host.width()));
    let padding = |columns: usize, text: &Safe| Piece::plain(clean(&" ".repeat(columns.saturating_sub(text.width()))));
    for (number, (index, &(at, profile))) in (1..).zip(found.iter().enumerate().skip(first).take(ROWS)) {
        let place = line(area, number);
        let digit = DIGITS.get(index).filter(|_| !picker.is_narrowing()).map_or(' ', |&digit| digit);
        let mark = if at == app.session.workspace.at { glyphs.active } else { " " };
        let mut pieces = vec![
            Piece::new(safe!(" {} ", clean(&digit.to_string())), theme.accent),
            Piece::new(safe!("{} ", Safe::literal(mark)), theme.active),
            Piece::new(profile.shown.clone(), theme.strong),
            padding(names, &profile.shown),
            Piece::plain(profile.host.clone()),
            padding(hosts, &profile.host),
        ];
        if let Some(colour) = profile.colour {
            pieces.push(Piece::new(color_name(colour), theme.colour(colour)));
        }
        canvas.pieces(place, &pieces);
        if index == picker.selected() {
            canvas.restyle(place, theme.selected);
            canvas.point(place);
        }
    }
    canvas.text(line(area, 0), &" switch to ".into(), theme.strong);
    picker_line(app, picker, " profile ", canvas);
}

/// The line below a picker: what is typed, or what can be pressed.
fn picker_line(app: &App, picker: &Picker, label: &'static str, canvas: &mut Canvas<'_>) {
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

/// Since when changes are to be told.
pub(super) fn bases(app: &App, bases: &Bases, canvas: &mut Canvas<'_>) {
    let (theme, glyphs) = (app.settings.theme, app.settings.glyphs);
    let Bases { choices, picker } = bases;
    let found: Vec<_> = picker.found().iter().filter_map(|&at| choices.get(at)).collect();
    let first = (picker.selected() + 1).saturating_sub(ROWS);
    let area = open(app, found.len().clamp(1, ROWS), canvas);
    if found.is_empty() {
        canvas.text(line(area, 1), &"   no matching time".into(), theme.quiet);
    }
    for (number, (index, choice)) in (1..).zip(found.iter().enumerate().skip(first).take(ROWS)) {
        let digit = DIGITS.get(index).filter(|_| !picker.is_narrowing()).map_or(' ', |&digit| digit);
        let mark = if choice.is_current { glyphs.active } else { " " };
        let pieces = [
            Piece::new(safe!(" {} ", clean(&digit.to_string())), theme.accent),
            Piece::new(safe!("{} ", Safe::literal(mark)), theme.active),
            Piece::new(clean(&format!("{:<21}", choice.name.as_str())), theme.strong),
            Piece::plain(choice.beside.clone()),
        ];
        canvas.pieces(line(area, number), &pieces);
        if index == picker.selected() {
            canvas.restyle(line(area, number), theme.selected);
            canvas.point(line(area, number));
        }
    }
    canvas.text(line(area, 0), &" changes since ".into(), theme.strong);
    if found.len() > ROWS {
        let place = safe!(" {}/{} ", picker.selected() + 1, found.len());
        canvas.text_right(Rect { width: area.width.saturating_sub(1), ..line(area, 0) }, &place, theme.quiet);
    }
    picker_line(app, picker, " since ", canvas);
}

pub(super) fn copies(app: &App, of: &CopySubject, canvas: &mut Canvas<'_>) {
    let area = open(app, COPIES.len(), canvas);
    for (number, (key, _, words)) in (1..).zip(COPIES) {
        let pieces = [Piece::new(safe!("   {}  ", clean(&key.to_string())), app.settings.theme.strong), Piece::plain(words)];
        canvas.pieces(line(area, number), &pieces);
    }
    let ellipsis = app.settings.glyphs.ellipsis;
    let title = match of {
        CopySubject::Nothing => safe!(" copy "),
        _ => safe!(" copy: {} ", of.words(ellipsis).fit(usize::from(area.width).saturating_sub(10), ellipsis)),
    };
    canvas.text(line(area, 0), &title, app.settings.theme.strong);
}

/// Clears room for some rows above the footer, below a rule. The rows start at line 1.
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
