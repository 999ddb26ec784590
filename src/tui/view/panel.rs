//! When there are no rows to show, or not those that should be there: what happened, since when, and what to press.

use ratatui::layout::Rect;

use crate::clock;
use crate::config::TimeFormat;
use crate::fetch::RowCount;
use crate::keymap::Action;
use crate::model::Scope;
use crate::safe;
use crate::text::{Safe, clean_head, grouped};
use crate::tui::app::App;
use crate::tui::canvas::{Canvas, Piece, line};
use crate::tui::health::{Stage, Trouble};

/// The line above rows that are not as fresh as they should be.
pub(super) fn banner(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(trouble) = app.health.trouble().filter(|_| !area.is_empty()) else { return };
    let theme = app.setup.theme;
    let dot = app.setup.glyphs.dot;
    let style = if trouble.stage == Stage::Failed { theme.error } else { theme.warning };
    let press =
        app.setup.keymap.key(Action::Refresh).map_or_else(Safe::default, |key| safe!(" {} {} tries again", dot, key));
    let stage = trouble.stage_in_words(app.now.instant);
    let words = match (app.cached_at(), trouble.last_good) {
        (Some(at), _) => cached_instead(app, trouble, at, &press),
        (None, Some(at)) => {
            safe!("! {} {} rows from {} {} {}{}", trouble.error.short(), dot, time(app, at), dot, stage, press)
        }
        (None, None) => safe!("! {} {} no rows yet {} {}{}", trouble.error.short(), dot, dot, stage, press),
    };
    canvas.pieces(area, &[Piece::plain(" "), Piece::new(words, style)]);
}

/// The rows of the cache are shown: since when, how old they are, and what to press; the rest where there is room.
fn cached_instead(app: &App, trouble: &Trouble, at: jiff::Timestamp, press: &Safe) -> Safe {
    let dot = app.setup.glyphs.dot;
    let part = if app.listing.remembered() < app.listing.loaded() { "some rows" } else { "rows" };
    let age = clock::recent_age_in_words(at, app.now.wall);
    let since = safe!("! {} since {} {} {} cached {}", trouble.error.short(), time(app, trouble.since), dot, part, age);
    let read = safe!("read {} {}", clock::day(at, &zone(app)), time(app, at));
    match trouble.stage {
        // To be pressed is all that is left.
        Stage::Failed => safe!("{}{} {} {}", since, press, dot, read),
        Stage::Retrying { .. } | Stage::Paused { .. } => {
            safe!("{} {} {}{} {} {}", since, dot, trouble.stage_in_words(app.now.instant), press, dot, read)
        }
    }
}

/// What stands in the list's place.
pub(super) fn instead_of_rows(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let text = match app.health.trouble() {
        Some(trouble) => trouble_text(app, trouble),
        None if !app.listing.is_known() => first_load(app),
        None if app.is_searching() => Vec::new(),
        None if !app.filter.query().is_empty() => no_match(app),
        None if app.scope == Scope::All => empty_workspace(app),
        None => empty_scope(app),
    };
    let inner = Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(4), ..area };
    // Centred in height where there is room for that.
    let lines: Vec<Piece> = text.into_iter().flat_map(|piece| wrapped(&piece, inner.width)).collect();
    let top = area.height.saturating_sub(u16::try_from(lines.len()).unwrap_or(u16::MAX)) / 3;
    for (number, piece) in (top..area.height).zip(lines) {
        canvas.text(line(inner, number), &piece.text, piece.style);
    }
}

fn wrapped(piece: &Piece, width: u16) -> Vec<Piece> {
    piece.text.wrap(width.into()).into_iter().map(|line| Piece::new(line, piece.style)).collect()
}

fn first_load(app: &App) -> Vec<Piece> {
    vec![
        Piece::new("Loading webhooks", app.setup.theme.strong),
        Piece::new(safe!("from {}", app.setup.base_url.host()), app.setup.theme.quiet),
    ]
}

fn empty_workspace(app: &App) -> Vec<Piece> {
    vec![
        Piece::new("No webhooks", app.setup.theme.strong),
        Piece::plain("This workspace has none registered: nothing is delivered anywhere."),
        Piece::plain(""),
        keys(app, &[Action::Refresh, Action::Help, Action::Quit]),
    ]
}

fn empty_scope(app: &App) -> Vec<Piece> {
    vec![
        Piece::new(safe!("No {} webhooks", app.scope.name()), app.setup.theme.strong),
        Piece::plain(what_was_looked_at(app)),
        Piece::plain(""),
        keys(app, &[Action::NextScope, Action::Refresh, Action::Help]),
    ]
}

/// "No webhook" is said of all of them only.
fn no_match(app: &App) -> Vec<Piece> {
    let theme = app.setup.theme;
    let loaded = grouped(app.listing.loaded());
    let (title, rest) = if app.listing.remembered() > 0 {
        (safe!("No match so far"), safe!("{} were searched, cached ones among them.", loaded))
    } else if app.listing.is_complete() {
        (safe!("No webhook matches"), safe!("All {} were searched.", loaded))
    } else {
        let of = match app.listing.extent() {
            RowCount::Exactly(rows) => safe!(" (of {})", grouped(rows)),
            RowCount::AtLeast(_) => Safe::default(),
        };
        let key = app.setup.keymap.key(Action::LoadEverything).unwrap_or_default();
        let more = if app.is_loading() { "more are being loaded.".into() } else { safe!("{} loads the rest.", key) };
        (safe!("No match so far"), safe!("{} loaded{} were searched; {}", loaded, of, more))
    };
    let text = clean_head(app.filter.applied(), 200);
    vec![
        Piece::new(title, theme.strong),
        Piece::new(text, theme.accent),
        Piece::plain(rest),
        Piece::plain(""),
        keys(app, &[Action::Filter, Action::Back, Action::Help]),
    ]
}

/// An empty part is not an empty whole.
fn what_was_looked_at(app: &App) -> Safe {
    let scope = app.scope.name();
    if app.listing.kept().is_none() {
        return safe!("Only {} ones are asked for; others may exist.", scope);
    }
    let loaded = grouped(app.listing.loaded());
    let rest = app.setup.keymap.key(Action::LoadEverything).unwrap_or_default();
    if app.listing.is_complete() {
        return safe!("None of all {} is {}.", loaded, scope);
    }
    safe!("None of the {} loaded is {}; {} loads the rest.", loaded, scope, rest)
}

fn trouble_text(app: &App, trouble: &Trouble) -> Vec<Piece> {
    let theme = app.setup.theme;
    let style = if trouble.stage == Stage::Failed { theme.error } else { theme.warning };
    let mut text = vec![Piece::new(safe!("! {}", trouble.error.short()), style)];
    if let Some(detail) = &trouble.error.detail {
        text.push(Piece::new(detail, theme.quiet));
    }
    text.push(Piece::plain(""));
    text.push(Piece::plain(trouble.error.advice()));
    text.push(Piece::plain(""));
    let stage = trouble.stage_in_words(app.now.instant);
    let dot = app.setup.glyphs.dot;
    let words = safe!("{} {} {} {} since {}", app.setup.base_url.host(), dot, stage, dot, time(app, trouble.since));
    text.push(Piece::new(words, theme.quiet));
    text.push(keys(app, &[Action::Refresh, Action::Help, Action::Quit]));
    text
}

/// `r refresh · ? help · q quit`.
fn keys(app: &App, actions: &[Action]) -> Piece {
    let mut words: Vec<String> = Vec::new();
    for &action in actions {
        if let (Some(key), Some(entry)) = (app.setup.keymap.key(action), action.entry()) {
            words.push(format!("{key} {}", entry.word));
        }
    }
    let words = words.join(&format!(" {} ", app.setup.glyphs.dot));
    Piece::new(crate::text::clean(&words), app.setup.theme.strong)
}

fn time(app: &App, at: jiff::Timestamp) -> Safe {
    clock::time_of_day(at, &zone(app))
}

fn zone(app: &App) -> jiff::tz::TimeZone {
    match app.time {
        TimeFormat::Utc => jiff::tz::TimeZone::UTC,
        TimeFormat::Relative | TimeFormat::Local => app.setup.zone.clone(),
    }
}
