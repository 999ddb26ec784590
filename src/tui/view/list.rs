//! The list: one line per webhook.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::analysis::audit::RuleSet;
use crate::base::clock;
use crate::base::text::Safe;
use crate::config::TimeFormat;
use crate::model::{RowRef, short_url};
use crate::safe;
use crate::tui::app::App;
use crate::tui::session::listing::Cell;
use crate::tui::session::unread::UnreadChange;
use crate::tui::terminal::canvas::Canvas;
use crate::tui::theme::Glyphs;
use crate::tui::view::{lines, status_columns};

/// Below this width, the columns of findings and age are left out.
const NARROW: u16 = 30;
/// Below this width, the column of events is left out too.
const NARROW_FOR_EVENTS: u16 = 56;
/// The columns of `12 events`, with one before it.
const EVENTS: u16 = 10;
/// From this width on, findings are shown with the name of the worst rule.
const WIDE: u16 = 100;
/// The symbol of a webhook that may be removed.
pub(super) const LEFT: &str = "?";
/// The most events of a webhook to search for a match with the filter.
const MAX_EVENTS: usize = 100;

pub(super) fn draw(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    lines::draw(app, area, canvas, |place, _, area, canvas| row(app, place, area, canvas));
}

fn row(app: &App, place: u64, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    let glyphs = app.settings.glyphs;
    let area = behind(area, 1);
    let area = if app.session.marks.is_empty() {
        area
    } else {
        // Marks have a column of their own while anything is marked.
        if app.session.list.row(place).is_some_and(|row| row.is_webhook() && app.session.marks.contains(row.id())) {
            canvas.text(Rect { width: 1.min(area.width), ..area }, &glyphs.marked.into(), theme.accent);
        }
        behind(area, 1)
    };
    match app.session.list.cell(place) {
        Cell::Row(row) | Cell::Removed(row) | Cell::Left(row) if row.is_webhook() => {
            webhook_row(app, place, row, area, canvas);
        }
        Cell::Row(row) | Cell::Removed(row) | Cell::Left(row) => malformed_row(row, theme.error, area, canvas),
        Cell::Loading => {
            let dots = u16::try_from(8 + place % 17 * 7 % 17).unwrap_or(8);
            for x in 0..dots.min(area.width) {
                canvas.text(Rect { x: area.x + x, width: 1, ..area }, &glyphs.placeholder.into(), theme.quiet);
            }
        }
        Cell::Failed(error) => {
            canvas.text(area, &safe!("! {}", error.short()), theme.error);
        }
        Cell::Absent => {
            canvas.text(area, &"! missing: the API did not send this row".into(), theme.warning);
        }
    }
}

/// The part of an area after some columns.
pub(super) fn behind(area: Rect, columns: u16) -> Rect {
    Rect { x: area.x + columns.min(area.width), width: area.width.saturating_sub(columns), ..area }
}

fn malformed_row(row: RowRef<'_>, style: Style, area: Rect, canvas: &mut Canvas<'_>) {
    if let Some(reason) = row.malformed() {
        canvas.text(area, &safe!("! malformed: {}", reason.explain()), style);
    }
}

fn webhook_row(app: &App, place: u64, row: RowRef<'_>, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    let (style, text_style) = match row.active() {
        Some(true) => (theme.active, Style::new()),
        Some(false) => (theme.inactive, theme.inactive),
        None => (theme.warning, Style::new()),
    };
    let symbol = state_symbol(row, app.settings.glyphs);
    canvas.text(area, &symbol.into(), style);
    let sign = match (app.session.change_at(place), app.session.list.cell(place)) {
        (Some(change), _) => Some((change.sign(), change_style(app, change))),
        (None, Cell::Left(_)) => Some((LEFT, theme.warning.patch(theme.strong))),
        (None, _) => None,
    };
    if let Some((sign, style)) = sign {
        let behind_symbol = behind(area, 1);
        canvas.text(Rect { width: 1.min(behind_symbol.width), ..behind_symbol }, &sign.into(), style);
    }
    let url_left = 2 + status_columns::draw_symbol(app, row, behind(area, 2), canvas);
    let figures = if area.width >= NARROW { status_columns::width(app, area) } else { 0 };
    let finding_width = if area.width >= WIDE { 28 } else { 2 };
    let (events, events_style) = event_count(app, row);
    // A count of three digits also leaves a column free before it.
    let wanted = u16::try_from(events.width() + 1).unwrap_or(EVENTS).max(EVENTS);
    let events_width = if area.width >= NARROW_FOR_EVENTS { wanted } else { 0 };
    let columns = if area.width >= NARROW { figures + events_width + finding_width + age_width(app) } else { 0 };
    let url_area = Rect { width: behind(area, url_left).width.saturating_sub(columns), ..behind(area, url_left) };
    let url = short_url(row.url(), app.session.reveal, url_area.width.into());
    let places = app.session.filter.query().places(url.as_str());
    canvas.highlighted(url_area, &url, text_style, &places, theme.matched);
    if columns == 0 {
        return;
    }
    status_columns::draw(app, row, Rect { x: url_area.right(), width: figures, ..area }, area.width, canvas);
    let events_area = Rect { x: url_area.right() + figures, width: events_width, ..area };
    canvas.text_right(events_area, &events, events_style);
    let finding_area = Rect { x: events_area.right(), width: finding_width, ..area };
    finding(app, app.session.broken_at(place), finding_area, canvas);
    let age_area = Rect { x: finding_area.right(), width: age_width(app), ..area };
    canvas.text_right(age_area, &created(app, row), theme.quiet);
}

/// Draws the severity of the worst finding, and if there is room, its rule and the number of others.
fn finding(app: &App, broken: RuleSet, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(severity) = broken.worst() else { return };
    let area = behind(area, 1);
    let mut words = Safe::from(app.settings.glyphs.severity(severity));
    if area.width > 1 {
        let worst = app
            .session
            .findings_index()
            .rules()
            .iter()
            .find(|(rule, own)| *own == severity && broken.meets(RuleSet::of(rule)));
        words.push(&worst.map_or_else(Safe::default, |(rule, _)| safe!(" {}", rule.id)));
        if broken.len() > 1 {
            words.push(&safe!(" +{}", broken.len() - 1));
        }
    }
    canvas.text(area, &words, app.settings.theme.severity(severity));
}

fn change_style(app: &App, change: UnreadChange) -> Style {
    let theme = app.settings.theme;
    let style = match change {
        UnreadChange::New => theme.active,
        UnreadChange::Changed => theme.warning,
        UnreadChange::Removed => theme.error,
    };
    style.patch(theme.strong)
}

/// `3 events`. Highlighted for an active webhook without events, which delivers nothing, and for a match of the filter.
fn event_count(app: &App, row: RowRef<'_>) -> (Safe, Style) {
    let theme = app.settings.theme;
    let Some(list) = row.events() else { return ("? events".into(), theme.warning) };
    let query = app.session.filter.query();
    let is_wanted = || list.events.iter().take(MAX_EVENTS).any(|event| query.is_event_wanted(&event.name));
    let style = if list.events.is_empty() && row.active() == Some(true) {
        theme.warning
    } else if !query.is_empty() && is_wanted() {
        theme.matched
    } else {
        theme.quiet
    };
    match row.event_count() {
        Some(1) => ("1 event".into(), style),
        Some(count) if count > 99 => ("99+ events".into(), style),
        Some(count) => (safe!("{} events", count), style),
        None => ("? events".into(), theme.warning),
    }
}

fn age_width(app: &App) -> u16 {
    match app.settings.time {
        TimeFormat::Relative => 5,
        TimeFormat::Utc | TimeFormat::Local => 11,
    }
}

fn created(app: &App, row: RowRef<'_>) -> Safe {
    match (row.created_at(), app.settings.time) {
        (None, _) => "?".into(),
        (Some(at), TimeFormat::Relative) => clock::age(at, app.now.wall),
        (Some(at), TimeFormat::Utc) => clock::day(at, &jiff::tz::TimeZone::UTC),
        (Some(at), TimeFormat::Local) => clock::day(at, &app.settings.zone),
    }
}

/// The state of a webhook as one symbol.
pub(super) fn state_symbol(row: RowRef<'_>, glyphs: Glyphs) -> &'static str {
    match row.active() {
        Some(true) => glyphs.active,
        Some(false) => glyphs.inactive,
        None => "?",
    }
}
