//! The last line: keys, or the latest notice; and the position in the list.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::base::clock;
use crate::base::text::{Safe, grouped};
use crate::fetch::RowCount;
use crate::keymap::Action;
use crate::safe;
use crate::tui::app::App;
use crate::tui::list_pane::ViewList as _;
use crate::tui::notice::Notice;
use crate::tui::session::loading::LoadAll;
use crate::tui::terminal::canvas::{Canvas, Piece};
use crate::tui::ui::{Focus, Overlay};
use crate::tui::view::panel::needs_restart;
use crate::tui::view::prompt;
use crate::tui::view_kind::View;

const IN_DETAIL: [Action; 7] =
    [Action::Help, Action::MoveDown, Action::Back, Action::Copy, Action::Probe, Action::RawJson, Action::Reveal];

pub(super) fn draw(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    if area.is_empty() {
        return;
    }
    canvas.clear(area);
    let whole = Rect { width: area.width.saturating_sub(1), ..area };
    let position =
        Some(marks_and_position(app)).filter(|position| has_room_beside(app, whole, position)).unwrap_or_default();
    let width = u16::try_from(position.width()).unwrap_or(u16::MAX);
    canvas.text_right(whole, &position, Style::new());
    let room = Rect { width: area.width.saturating_sub(width.saturating_add(3)), ..area };
    match (&app.ui.notice, &app.ui.overlay) {
        // An error in the typed text is more important than a notice.
        (_, Overlay::Filter) if app.session.filter.error().is_some() => {
            prompt::PromptLine::filter(app).draw_below(app, room, canvas);
        }
        (_, Overlay::Export(export)) if export.error.is_some() => {
            prompt::PromptLine::export(export).draw_below(app, room, canvas);
        }
        (Some(Notice::Info(words)), _) => {
            canvas.pieces(room, &[Piece::plain(" "), Piece::plain(words)]);
        }
        (Some(Notice::Warning(words)), _) => {
            canvas.pieces(room, &[Piece::plain(" "), Piece::new(safe!("! {}", words), app.settings.theme.warning)]);
        }
        (None, Overlay::None) if app.session.load.all != LoadAll::No => progress(app, room, canvas),
        (None, Overlay::None) if app.session.probes.is_running() => probing(app, room, canvas),
        (None, Overlay::None) => hints(app, room, canvas),
        (None, Overlay::Filter) => prompt::PromptLine::filter(app).draw_below(app, room, canvas),
        (None, Overlay::Export(export)) => prompt::PromptLine::export(export).draw_below(app, room, canvas),
        (None, overlay) => {
            let theme = app.settings.theme;
            let mut pieces = vec![Piece::new(" esc", theme.strong), Piece::new(" back ", theme.quiet)];
            if let Overlay::Help { .. } = overlay {
                pieces.extend([Piece::new(" j k", theme.strong), Piece::new(" scroll", theme.quiet)]);
            }
            canvas.pieces(room, &pieces);
        }
    }
}

/// Returns true if the position fits beside the notice, which has priority.
fn has_room_beside(app: &App, area: Rect, position: &Safe) -> bool {
    let error = if let Overlay::Export(export) = &app.ui.overlay { export.error.as_ref() } else { None };
    let notice = app.ui.notice.as_ref().map(|(Notice::Info(words) | Notice::Warning(words))| words);
    let Some(words) = error.or(notice) else { return true };
    words.width() + position.width() + BESIDES <= area.width.into()
}

/// The columns before a notice, and between it and the position.
const BESIDES: usize = 5;

/// Draws as many keys as fit, the most useful first.
fn hints(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let is_in_detail = app.shows_webhooks() && app.ui.focus == Focus::Detail;
    let actions = if is_in_detail { &IN_DETAIL } else { app.ui.view.entry().hints };
    let is_useless =
        |action| action == Action::Refresh && app.session.load.health.trouble().is_some_and(|it| needs_restart(app, it));
    let mut pieces = Vec::new();
    let mut used = 0;
    if let (Some(view), Some(key)) = (app.way_back(), app.settings.keymap.key(Action::Back)) {
        let words = safe!(" back to {} ", view.entry().name);
        used = 1 + key.width() + words.width();
        pieces.extend([
            Piece::plain(" "),
            Piece::new(key, app.settings.theme.strong),
            Piece::new(words, app.settings.theme.quiet),
        ]);
    }
    for &action in actions.iter().filter(|&&action| !is_useless(action)) {
        let (Some(key), Some(entry)) = (app.settings.keymap.key(action), action.entry()) else { continue };
        let word = if action == Action::Sort && app.ui.view == View::Changes { "since" } else { entry.word };
        let width = 1 + key.width() + 1 + word.len() + 1;
        if used + width > usize::from(area.width) {
            break;
        }
        used += width;
        pieces.extend([
            Piece::plain(" "),
            Piece::new(key, app.settings.theme.strong),
            Piece::new(safe!(" {} ", word), app.settings.theme.quiet),
        ]);
    }
    canvas.pieces(area, &pieces);
}

/// Draws the progress of loading everything, and the estimated time left.
fn progress(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    let (pages, of) = app.session.pages_loaded();
    let of = of.map_or_else(Safe::default, |of| safe!(" of {}", grouped(of)));
    let left = match app.session.load.health.trouble() {
        Some(trouble) => safe!(", {}", trouble.stage_in_words(app.now.instant)),
        None => app.time_left().map_or_else(Safe::default, |left| safe!(", {} left", clock::seconds_in_words(left))),
    };
    let key = app.settings.key(Action::Back);
    let what_for = app.session.deferred_action().map_or_else(Safe::default, |action| safe!(" {}", action.words()));
    let words = safe!(" loading{}: {}{} pages{} ", what_for, grouped(pages), of, left);
    canvas.pieces(
        area,
        &[Piece::plain(words), Piece::new(safe!(" {}", key), theme.strong), Piece::new(" stops", theme.quiet)],
    );
}

/// `3 marked  12/1,234`: copies and exports apply to the marked webhooks, even those off screen.
fn marks_and_position(app: &App) -> Safe {
    match app.session.marks.len() {
        0 => position(app),
        marks => safe!("{} marked  {}", grouped(marks as u64), position(app)),
    }
}

/// Draws the progress of the probe.
fn probing(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    let Some(counts) = app.session.probes.progress() else { return };
    let number = |count: usize| grouped(count as u64);
    let mut words = safe!(" probing {} of {}", number(counts.done()), number(counts.wanted));
    if counts.dead > 0 {
        words.push(&safe!(", {} unreachable", number(counts.dead)));
    }
    let key = app.settings.key(Action::Back);
    let pieces = [Piece::plain(words), Piece::new(safe!("  {}", key), theme.strong), Piece::new(" stops", theme.quiet)];
    canvas.pieces(area, &pieces);
}

/// `12/1,234`, or `12/300+` while the end is unknown.
fn position(app: &App) -> Safe {
    if !app.shows_webhooks() {
        let list = app.list();
        let at = if list.is_empty() { 0 } else { list.cursor().selected() + 1 };
        return safe!("{}/{}", grouped(at), grouped(list.len()));
    }
    if app.session.list.is_empty() {
        return Safe::default();
    }
    let at = grouped(app.session.list.selected() + 1);
    if app.session.list.lines.order().is_some() || app.session.list.held().is_some() {
        return safe!("{}/{}", at, grouped(app.session.list.len()));
    }
    match app.session.list.lines.extent() {
        RowCount::Exactly(rows) => safe!("{}/{}", at, grouped(rows)),
        RowCount::AtLeast(rows) => safe!("{}/{}+", at, grouped(rows)),
    }
}
