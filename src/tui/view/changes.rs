//! What came, went and changed since a time: the webhooks, and before and after of the selected one.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::analysis::changes::Entry;
use crate::keymap::Action;
use crate::model::{Scope, short_url};
use crate::safe;
use crate::text::{Safe, grouped};
use crate::tui::app::{App, Everything, Focus};
use crate::tui::change_detail;
use crate::tui::changes_pane::{Earlier, Fate, Later};
use crate::tui::layout::Panes;
use crate::tui::terminal::canvas::{Canvas, Piece, line};

pub(in crate::tui) fn draw(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    if app.changes.found().is_none() {
        title(app, line(area, 0), canvas);
        let area = inset(area);
        for (number, words) in (1..area.height).zip(why_nothing(app).paragraph(area.width.into())) {
            canvas.text(line(area, number), &words, app.setup.theme.quiet);
        }
        return;
    }
    match app.layout().panes {
        Panes::SideBySide { list: at, rule, detail: beside } | Panes::Stacked { list: at, rule, detail: beside } => {
            list(app, at, canvas);
            canvas.rule(rule, app.setup.theme.quiet);
            detail(app, beside, canvas);
        }
        Panes::One { pane } if app.focus == Focus::Detail => detail(app, pane, canvas),
        Panes::One { pane } => list(app, pane, canvas),
    }
}

fn inset(area: Rect) -> Rect {
    Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(2), ..area }
}

/// `since your last look, 3h ago: +2 ~1 -1`.
fn title(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = app.setup.theme;
    let old = app.changes_as_of();
    let (words, style) = match &old {
        Some(old) => (safe!("! {}", old), theme.warning),
        None => (app.basis_in_words(), theme.quiet),
    };
    let mut pieces = vec![Piece::plain("  "), Piece::new(words, style)];
    if app.changes.found().is_some() {
        let counts = app.changes.counts();
        let signed = [
            ("+", counts.added, theme.active),
            ("~", counts.changed, theme.warning),
            ("-", counts.removed, theme.error),
            ("?", counts.unknown, theme.warning),
        ];
        pieces.push(Piece::new(":", theme.quiet));
        for (sign, count, style) in signed.into_iter().filter(|&(_, count, _)| count > 0) {
            pieces.push(Piece::new(safe!(" {}{}", sign, grouped(count)), style.patch(theme.strong)));
        }
        if signed.iter().all(|&(_, count, _)| count == 0) {
            pieces.push(Piece::new(" no changes", theme.strong));
            if !app.changes.is_waiting() {
                pieces.push(Piece::plain(among_which(app)));
            }
        }
        let in_all = app.changes.found().map(|found| found.all).unwrap_or_default();
        if !app.filter.query().is_empty() && !app.changes.is_waiting() {
            pieces.push(Piece::plain(safe!(" {} {} in total", app.setup.glyphs.dot, grouped(in_all))));
        }
        let all = counts.added + counts.changed + counts.removed + counts.unknown;
        if all > app.changes.listed() {
            pieces.push(Piece::new(safe!(", first {} shown", grouped(app.changes.listed())), theme.quiet));
        }
        if app.changes.is_waiting() {
            pieces.push(Piece::new(", comparing", theme.quiet));
        }
        if old.is_some() {
            pieces.push(Piece::new(safe!(", {}", app.basis_in_words()), theme.quiet));
        }
    }
    canvas.pieces(area, &pieces);
}

/// ` among the 176 shown`, under a filter.
fn among_which(app: &App) -> Safe {
    match app.filter.query().is_empty() {
        true => Safe::default(),
        false if app.is_searching() => " among the listed webhooks".into(),
        false => safe!(" among the {} listed", grouped(app.listing.shown_here())),
    }
}

/// Why there is nothing to be told yet.
fn why_nothing(app: &App) -> Safe {
    let key = |action| app.setup.keymap.key(action).unwrap_or_default();
    if let Some((later, _)) = app.later() {
        if app.basis().1.is_none() && later == Later::Cached {
            return match app.changes.earlier {
                Earlier::NotAsked | Earlier::Asked if app.setup.store.is_some() => "comparing".into(),
                _ => "not known: the API has not answered, and no snapshot is older than the cache".into(),
            };
        }
        if app.basis().1.is_none() {
            return safe!("too many webhooks for this baseline; {} picks another", key(Action::Sort));
        }
        return "comparing".into();
    }
    if app.scope != Scope::All {
        return safe!("changes need scope all, not {}; {} shows all", app.scope.name(), key(Action::NextScope));
    }
    if app.listing.is_inconsistent() {
        return safe!("the list changed while loading; {} reloads it", key(Action::Refresh));
    }
    if app.everything != Everything::No || app.is_loading() && !app.listing.is_known() {
        return "loading all webhooks: changes need the full list".into();
    }
    if app.health.trouble().is_some() {
        return safe!("the API has not been read yet; {} retries", key(Action::Refresh));
    }
    safe!("changes need the full list; {} loads it", key(Action::LoadEverything))
}

fn list(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    title(app, line(area, 0), canvas);
    let body = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
    let pane = &app.changes;
    for (number, place) in (0..body.height).zip(pane.cursor().visible(body.height, pane.len())) {
        let Some(entry) = pane.entry(place) else { continue };
        row(app, entry, place == pane.cursor().selected(), line(body, number), canvas);
    }
    canvas.shows(body, pane.cursor().offset(), pane.cursor().selected());
}

/// `▌~ hooks.acme.com/crm     events +call.failed`.
fn row(app: &App, entry: &Entry, is_selected: bool, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = app.setup.theme;
    if is_selected {
        let style = if app.focus == Focus::List { theme.accent } else { theme.quiet };
        canvas.text(area, &app.setup.glyphs.selected.into(), style);
    }
    let fate = app.changes.fate(entry);
    let area = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    canvas.text(area, &change_detail::sign(entry, fate).into(), sign_style(app, entry, fate));
    let area = Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(2), ..area };
    let Some(webhook) = entry.row() else { return };
    let words = match entry {
        Entry::Added(_) | Entry::Removed(_) => Safe::default(),
        Entry::Changed(..) => change_detail::summary(entry, app.reveal),
    };
    // Two thirds for the destination, unless the other one needs less.
    let wanted = u16::try_from(words.width()).unwrap_or(u16::MAX);
    let right = wanted.min(area.width / 2);
    let left = area.width.saturating_sub(if right > 0 { right + 2 } else { 0 });
    let url = short_url(webhook.url(), app.reveal, left.into());
    let used = canvas.text(Rect { width: left, ..area }, &url, Style::new());
    // What the destination leaves is room for the rest.
    let x = area.x.saturating_add(used).saturating_add(2);
    let room = area.right().saturating_sub(x);
    let x = if room >= wanted { area.right().saturating_sub(wanted) } else { x };
    let room = Rect { x, width: area.right().saturating_sub(x), ..area };
    canvas.text(room, &words, theme.quiet);
}

fn sign_style(app: &App, entry: &Entry, fate: Option<&Fate>) -> Style {
    let theme = app.setup.theme;
    let style = match (entry, fate) {
        (Entry::Added(_), _) => theme.active,
        (Entry::Removed(_), Some(Fate::Gone)) => theme.error,
        (Entry::Changed(..) | Entry::Removed(_), _) => theme.warning,
    };
    style.patch(theme.strong)
}

fn detail(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    let enough = app.changes.scroll.saturating_add(usize::from(area.height)).saturating_add(1);
    // Nobody reads it before the key is released.
    let lines = if app.is_hurried() { Vec::new() } else { app.change_in_lines(enough) };
    for (number, pieces) in (0..area.height).zip(lines.iter().skip(app.changes.scroll)) {
        canvas.pieces(line(inner, number), pieces);
    }
    if lines.len() == enough {
        let more = line(area, area.height.saturating_sub(1));
        canvas.text_right(more, &app.setup.glyphs.ellipsis.into(), app.setup.theme.quiet);
    }
    if app.focus == Focus::Detail {
        for number in 0..area.height {
            canvas.text(Rect { width: 1, ..line(area, number) }, &app.setup.glyphs.selected.into(), app.setup.theme.accent);
        }
    }
}
