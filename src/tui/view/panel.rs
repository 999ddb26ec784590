//! The banner and the panel for missing or stale rows: the error, its start, and the keys to press.

use ratatui::layout::Rect;

use crate::analysis::audit::{FactKind, RuleSet};
use crate::api::{ErrorKind, unread_key};
use crate::base::clock;
use crate::base::text::{Safe, clean_head, grouped};
use crate::config::KeySource;
use crate::fetch::RowCount;
use crate::keymap::Action;
use crate::model::Scope;
use crate::safe;
use crate::tui::app::App;
use crate::tui::session::health::{ConnectionIssue, IssueStage};
use crate::tui::session::loading::LoadAll;
use crate::tui::terminal::canvas::{Canvas, Piece, line};

/// Draws the banner above stale rows.
pub(super) fn banner(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(trouble) = app.session.load.health.trouble().filter(|_| !area.is_empty()) else { return };
    let theme = app.settings.theme;
    let style = if trouble.stage == IssueStage::Failed { theme.error } else { theme.warning };
    canvas.pieces(area, &[Piece::plain(" "), Piece::new(banner_in_words(app, trouble, area.width), style)]);
}

/// Returns true if the API refused a key from the environment: no request can succeed until a restart with a different one.
pub(super) fn needs_restart(app: &App, trouble: &ConnectionIssue) -> bool {
    app.session.workspace.key_source == KeySource::Environment && trouble.error.kind == ErrorKind::Unauthorized
}

/// Returns advice on a failure. It names the environment variable only if the key is from there.
fn advice(app: &App, trouble: &ConnectionIssue) -> Safe {
    let check = match (trouble.error.kind, app.session.workspace.key_source) {
        (ErrorKind::Unauthorized, KeySource::Environment) => {
            return "API key wrong or revoked: restart hookscope with another DIALNEXA_API_KEY.".into();
        }
        (ErrorKind::Unauthorized, KeySource::Command) => "check api_key_command in the config",
        (ErrorKind::Unauthorized, KeySource::Config) => "check the key in the config",
        _ => return trouble.error.advice().clone(),
    };
    safe!("The API key is missing, wrong or revoked: {}.", check)
}

/// Returns short advice on a failure, to append to a line.
fn short_advice(app: &App, trouble: &ConnectionIssue) -> Safe {
    match (trouble.error.kind, app.session.workspace.key_source) {
        (ErrorKind::Unauthorized, KeySource::Environment | KeySource::Command) => Safe::default(),
        (ErrorKind::Unauthorized, KeySource::Config) => safe!(" {} check the key in the config", app.settings.glyphs.dot),
        _ => safe!(" {} {}", app.settings.glyphs.dot, trouble.error.advice()),
    }
}

/// Returns the hint to restart or press a key. A load of everything retries by itself and needs none.
fn press(app: &App, trouble: &ConnectionIssue, room: usize) -> Safe {
    if needs_restart(app, trouble) {
        let words = safe!(" {} restart hookscope with another DIALNEXA_API_KEY", app.settings.glyphs.dot);
        let short = safe!(" {} restart with a new DIALNEXA_API_KEY", app.settings.glyphs.dot);
        return if words.width() <= room { words } else { short };
    }
    let goes_on =
        app.session.load.all != LoadAll::No && trouble.stage != IssueStage::Failed || trouble.stage == IssueStage::Again;
    match app.settings.keymap.key(Action::Refresh).filter(|_| !goes_on) {
        Some(key) if runs_key_command(app, trouble) => {
            safe!(" {} {} runs api_key_command again", app.settings.glyphs.dot, key)
        }
        Some(key) => safe!(" {} {} retries", app.settings.glyphs.dot, key),
        None => Safe::default(),
    }
}

/// Returns true if a refresh by hand will run the key command again. Automatic retries do not.
fn runs_key_command(app: &App, trouble: &ConnectionIssue) -> bool {
    app.session.workspace.key_source == KeySource::Command && trouble.error.kind == ErrorKind::Unauthorized
}

/// Returns the text of the banner: the error and the age of the rows, then, if there is room, the state of the retry, the
/// key to press, the start of the failure if the rows are cached, and advice.
fn banner_in_words(app: &App, trouble: &ConnectionIssue, width: u16) -> Safe {
    let dot = app.settings.glyphs.dot;
    let cached_at = app.session.cached_at();
    let rows = match (cached_at, trouble.last_good) {
        (Some(at), _) => {
            let part = if app.session.list.lines.remembered() < app.session.list.lines.loaded() { "partly" } else { "list" };
            let (day, today) =
                (clock::day(at, &app.settings.shown_zone()), clock::day(app.now.wall, &app.settings.shown_zone()));
            let day = if day == today { Safe::default() } else { safe!(" {}", day) };
            safe!(" {} {} cached{} {}", dot, part, day, time(app, at))
        }
        (None, Some(at)) => safe!(" {} list from {}", dot, time(app, at)),
        (None, None) => safe!(" {} no rows loaded", dot),
    };
    let mut error = safe!("! {}", trouble.error.short());
    let room_beside = |error: &Safe| usize::from(width).saturating_sub(1 + error.width() + rows.width());
    if let Some(why) = trouble.error.unread_key.as_deref() {
        let words = safe!(" {} no new key: {}", dot, why);
        error.push(&words.fit(room_beside(&error), app.settings.glyphs.ellipsis));
    }
    let mut room = room_beside(&error);
    let press = press(app, trouble, room);
    let mut if_it_fits = |words: Safe| {
        let fits = words.width() <= room;
        room -= if fits { words.width() } else { 0 };
        if fits { words } else { Safe::default() }
    };
    let since = cached_at.map_or_else(Safe::default, |_| safe!(" since {}", time(app, trouble.since)));
    let stage = safe!(" {} {}", dot, trouble.stage_in_words(app.now.instant));
    let (since, stage, press) = if needs_restart(app, trouble) {
        let press = if_it_fits(press);
        (if_it_fits(since), if_it_fits(stage), press)
    } else if trouble.again_at.is_some() {
        // The countdown to the next retry matters most.
        let stage = if_it_fits(stage);
        let press = if_it_fits(press);
        (if_it_fits(since), stage, press)
    } else {
        let since = if_it_fits(since);
        if trouble.stage == IssueStage::Failed {
            // The failure is reported already, so the key to press comes first.
            let press = if_it_fits(press);
            (since, if cached_at.is_some() { Safe::default() } else { if_it_fits(stage) }, press)
        } else {
            let stage = if_it_fits(stage);
            (since, stage, if_it_fits(press))
        }
    };
    let advice = if_it_fits(short_advice(app, trouble));
    safe!("{}{}{}{}{}{}", error, since, rows, stage, press, advice)
}

/// Draws the panel in place of the list.
pub(super) fn instead_of_rows(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let is_searched =
        app.session.list.lines.loaded() > 0 && !app.session.filter.query().is_empty() && !app.session.is_searching();
    let text = match app.session.load.health.trouble() {
        Some(trouble) if is_searched => {
            let mut text = no_match(app);
            text.extend([Piece::plain(""), Piece::new(safe!("! {}", trouble.error.short()), app.settings.theme.warning)]);
            text
        }
        Some(trouble) => trouble_text(app, trouble),
        None if !app.session.list.lines.is_known() => first_load(app),
        None if app.session.is_searching() => Vec::new(),
        None if !app.session.filter.query().is_empty() => no_match(app),
        None if app.session.load.scope == Scope::All => empty_workspace(app),
        None => empty_scope(app),
    };
    let inner = Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(4), ..area };
    // Centered vertically, if there is room for that.
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
        Piece::new("Loading webhooks", app.settings.theme.strong),
        Piece::new(safe!("from {}", app.session.workspace.base_url.host()), app.settings.theme.quiet),
    ]
}

fn empty_workspace(app: &App) -> Vec<Piece> {
    vec![
        Piece::new("No webhooks", app.settings.theme.strong),
        Piece::plain("No webhooks are registered in this workspace."),
        Piece::plain(""),
        keys(app, &[Action::Refresh, Action::Help, Action::Quit]),
    ]
}

fn empty_scope(app: &App) -> Vec<Piece> {
    vec![
        Piece::new(safe!("No {} webhooks", app.session.load.scope.name()), app.settings.theme.strong),
        Piece::plain(what_was_looked_at(app)),
        Piece::plain(""),
        keys(app, &[Action::NextScope, Action::Refresh, Action::Help]),
    ]
}

/// The text for a filter without matches. Only a filter over all webhooks is said to match none of them.
fn no_match(app: &App) -> Vec<Piece> {
    let theme = app.settings.theme;
    let loaded = grouped(app.session.list.lines.loaded());
    let (title, rest) = if app.session.list.lines.remembered() > 0 {
        (safe!("No match so far"), safe!("Searched {}, {} from the cache.", loaded, app.session.how_many_cached()))
    } else if app.session.list.lines.is_all_here() {
        (safe!("No webhooks match"), safe!("Searched all {}.", loaded))
    } else {
        let of = match app.session.list.lines.extent() {
            RowCount::Exactly(rows) => safe!(" (of {})", grouped(rows)),
            RowCount::AtLeast(_) => Safe::default(),
        };
        let key = app.settings.key(Action::LoadEverything);
        let more = if app.session.is_loading() { "more are loading.".into() } else { safe!("{} loads the rest.", key) };
        (safe!("No match so far"), safe!("Searched {} loaded{}; {}", loaded, of, more))
    };
    let text = clean_head(app.session.filter.applied(), 200);
    let mut pieces = vec![Piece::new(title, theme.strong), Piece::new(text, theme.accent), Piece::plain(rest)];
    pieces.extend(unknown_so_far(app).map(|words| Piece::new(words, theme.warning)));
    if app.session.filter.query().minds_case() {
        pieces.push(Piece::plain("A word with a capital letter is case-sensitive."));
    }
    pieces.extend([Piece::plain(""), keys(app, &[Action::Filter, Action::Back, Action::Help])]);
    pieces
}

/// A notice about facts that the filter uses and that are not known yet.
fn unknown_so_far(app: &App) -> Option<Safe> {
    let query = app.session.filter.query();
    // A filter for any finding also covers those that need no probe.
    let is_of_probes =
        |rules: RuleSet| rules != RuleSet::ANY && rules.rules().any(|rule| rule.needs() == Some(FactKind::Probe));
    if query.asks_for_probes() || query.findings().any(is_of_probes) {
        let key = app.settings.key(Action::ProbeAll);
        return (!app.session.probes.are_shown())
            .then(|| safe!("Nothing probed yet: clear the filter, then {} probes all.", key));
    }
    None
}

/// The text for an empty list: an empty part does not mean that the workspace is empty.
fn what_was_looked_at(app: &App) -> Safe {
    let scope = app.session.load.scope.name();
    if app.session.list.lines.kept().is_none() {
        return safe!("The scope is {}; other webhooks may exist.", scope);
    }
    let loaded = grouped(app.session.list.lines.loaded());
    let rest = app.settings.key(Action::LoadEverything);
    if app.session.list.lines.is_all_here() {
        return safe!("None of the {} webhooks is {}.", loaded, scope);
    }
    safe!("None of the {} loaded is {}; {} loads the rest.", loaded, scope, rest)
}

fn trouble_text(app: &App, trouble: &ConnectionIssue) -> Vec<Piece> {
    let theme = app.settings.theme;
    let style = if trouble.stage == IssueStage::Failed { theme.error } else { theme.warning };
    let mut text = vec![Piece::new(safe!("! {}", trouble.error.short()), style)];
    if let Some(detail) = &trouble.error.detail {
        text.push(Piece::new(detail, theme.quiet));
    }
    text.extend(trouble.error.unread_key.as_deref().map(|why| Piece::new(unread_key(why), theme.warning)));
    text.push(Piece::plain(""));
    text.push(Piece::plain(advice(app, trouble)));
    if let Some(key) = app.settings.keymap.key(Action::Refresh).filter(|_| runs_key_command(app, trouble)) {
        text.push(Piece::plain(safe!("{} runs api_key_command again.", key)));
    }
    text.push(Piece::plain(""));
    let stage = trouble.stage_in_words(app.now.instant);
    let dot = app.settings.glyphs.dot;
    let words =
        safe!("{} {} {} {} since {}", app.session.workspace.base_url.host(), dot, stage, dot, time(app, trouble.since));
    text.push(Piece::new(words, theme.quiet));
    let refresh: &[Action] = if needs_restart(app, trouble) { &[] } else { &[Action::Refresh] };
    text.push(keys(app, &[refresh, &[Action::Help, Action::Quit]].concat()));
    text
}

/// `r refresh · ? help · q quit`.
fn keys(app: &App, actions: &[Action]) -> Piece {
    let mut words: Vec<String> = Vec::new();
    for &action in actions {
        if let (Some(key), Some(entry)) = (app.settings.keymap.key(action), action.entry()) {
            words.push(format!("{key} {}", entry.word));
        }
    }
    let words = words.join(&format!(" {} ", app.settings.glyphs.dot));
    Piece::new(crate::base::text::clean(&words), app.settings.theme.strong)
}

fn time(app: &App, at: jiff::Timestamp) -> Safe {
    clock::time_of_day(at, &app.settings.shown_zone())
}
