//! The view of changes since a baseline: the webhooks, and the differences of the selected one.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::analysis::changes::ChangeEntry;
use crate::base::text::{Safe, grouped};
use crate::keymap::Action;
use crate::model::{Scope, short_url};
use crate::safe;
use crate::tui::app::App;
use crate::tui::change_detail;
use crate::tui::session::changes::{ComparedListing, EarlierSnapshot, RemovalCheck};
use crate::tui::session::loading::LoadAll;
use crate::tui::terminal::canvas::{Canvas, Piece, line};
use crate::tui::view::{lines, panes};

pub(in crate::tui) fn draw(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    if app.session.changes.found().is_none() {
        title(app, line(area, 0), canvas);
        let area = inset(area);
        for (number, words) in (1..area.height).zip(why_nothing(app).paragraph(area.width.into())) {
            canvas.text(line(area, number), &words, app.settings.theme.quiet);
        }
        return;
    }
    panes::draw(app, canvas, list);
}

fn inset(area: Rect) -> Rect {
    Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(2), ..area }
}

/// `since your last look, 3h ago: +2 ~1 -1`.
fn title(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    let old = app.session.changes_as_of(app.context());
    let (words, style) = match &old {
        Some(old) => (safe!("! {}", old), theme.warning),
        None => (app.session.baseline_in_words(app.context()), theme.quiet),
    };
    let mut pieces = vec![Piece::plain("  "), Piece::new(words, style)];
    if app.session.changes.found().is_some() {
        let counts = app.session.changes.counts();
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
            if !app.session.changes.is_waiting() {
                pieces.push(Piece::plain(among_which(app)));
            }
        }
        let in_all = app.session.changes.found().map(|found| found.all).unwrap_or_default();
        if !app.session.filter.query().is_empty() && !app.session.changes.is_waiting() {
            pieces.push(Piece::plain(safe!(" {} {} in total", app.settings.glyphs.dot, grouped(in_all))));
        }
        let all = counts.added + counts.changed + counts.removed + counts.unknown;
        if all > app.session.changes.listed() {
            pieces.push(Piece::new(safe!(", first {} shown", grouped(app.session.changes.listed())), theme.quiet));
        }
        if app.session.changes.is_waiting() {
            pieces.push(Piece::new(", comparing", theme.quiet));
        }
        if old.is_some() {
            pieces.push(Piece::new(safe!(", {}", app.session.baseline_in_words(app.context())), theme.quiet));
        }
    }
    canvas.pieces(area, &pieces);
}

/// ` among the 176 listed`, under a filter.
fn among_which(app: &App) -> Safe {
    match app.session.filter.query().is_empty() {
        true => Safe::default(),
        false if app.session.is_searching() => " among the listed webhooks".into(),
        false => safe!(" among the {} listed", grouped(app.session.list.lines.shown_here())),
    }
}

/// The reason why the list of changes is empty.
fn why_nothing(app: &App) -> Safe {
    let key = |action| app.settings.key(action);
    if let Some((later, _)) = app.session.later() {
        if app.session.basis().1.is_none() && later == ComparedListing::Cached {
            return match app.session.changes.earlier {
                EarlierSnapshot::NotAsked | EarlierSnapshot::Asked if app.session.workspace.store.is_some() => {
                    "comparing".into()
                }
                _ => "not known: the API has not answered, and no snapshot is older than the cache".into(),
            };
        }
        if app.session.basis().1.is_none() {
            return safe!("too many webhooks for this baseline; {} picks another", key(Action::Sort));
        }
        return "comparing".into();
    }
    if app.session.load.scope != Scope::All {
        return safe!("changes need scope all, not {}; {} shows all", app.session.load.scope.name(), key(Action::NextScope));
    }
    if app.session.list.lines.is_inconsistent() {
        return safe!("the list changed while loading; {} reloads it", key(Action::Refresh));
    }
    if app.session.load.all != LoadAll::No || app.session.is_loading() && !app.session.list.lines.is_known() {
        return "loading all webhooks: changes need the full list".into();
    }
    if app.session.load.health.trouble().is_some() {
        return safe!("the API has not been read yet; {} retries", key(Action::Refresh));
    }
    safe!("changes need the full list; {} loads it", key(Action::LoadEverything))
}

fn list(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    title(app, line(area, 0), canvas);
    let body = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
    lines::draw(app, body, canvas, |place, _, area, canvas| {
        if let Some(entry) = app.session.changes.entry(place) {
            row(app, entry, area, canvas);
        }
    });
}

/// `▌~ hooks.acme.com/crm     events +call.failed`.
fn row(app: &App, entry: &ChangeEntry, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    let fate = app.session.changes.fate(entry);
    let area = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    canvas.text(area, &change_detail::sign(entry, fate).into(), sign_style(app, entry, fate));
    let area = Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(2), ..area };
    let webhook = entry.row();
    let words = match entry {
        ChangeEntry::Added(_) | ChangeEntry::Removed(_) => Safe::default(),
        ChangeEntry::Changed(..) => change_detail::summary(entry, app.session.reveal),
    };
    // Two thirds for the destination, unless the change needs less.
    let wanted = u16::try_from(words.width()).unwrap_or(u16::MAX);
    let right = wanted.min(area.width / 2);
    let left = area.width.saturating_sub(if right > 0 { right + 2 } else { 0 });
    let url = short_url(webhook.url(), app.session.reveal, left.into());
    let used = canvas.text(Rect { width: left, ..area }, &url, Style::new());
    // The rest of the line is for the change.
    let x = area.x.saturating_add(used).saturating_add(2);
    let room = area.right().saturating_sub(x);
    let x = if room >= wanted { area.right().saturating_sub(wanted) } else { x };
    let room = Rect { x, width: area.right().saturating_sub(x), ..area };
    canvas.text(room, &words, theme.quiet);
}

fn sign_style(app: &App, entry: &ChangeEntry, fate: Option<&RemovalCheck>) -> Style {
    let theme = app.settings.theme;
    let style = match (entry, fate) {
        (ChangeEntry::Added(_), _) => theme.active,
        (ChangeEntry::Removed(_), Some(RemovalCheck::Removed)) => theme.error,
        (ChangeEntry::Changed(..) | ChangeEntry::Removed(_), _) => theme.warning,
    };
    style.patch(theme.strong)
}
