//! The first line: the workspace, the number of loaded webhooks, and their age.

use ratatui::layout::Rect;

use crate::base::clock;
use crate::base::text::{Safe, clean_head, grouped};
use crate::config::KeySource;
use crate::fetch::RowCount;
use crate::model::Scope;
use crate::safe;
use crate::tui::app::App;
use crate::tui::session::health::{Health, IssueStage};
use crate::tui::session::loading::LoadAll;
use crate::tui::terminal::canvas::{Canvas, Piece};

pub(super) fn draw(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    if area.is_empty() {
        return;
    }
    let theme = app.settings.theme;
    let dot = app.settings.glyphs.dot;
    let identity = match &app.session.workspace.file {
        Some(file) => safe!("file {} {}", dot, file),
        None => safe!("{} {} {}", app.session.workspace.profile, dot, app.session.workspace.base_url.host()),
    };
    let identity = if app.shows_webhooks() { identity } else { safe!("{} {} {}", identity, dot, app.ui.view.entry().name) };
    let key = if app.session.workspace.key_source == KeySource::Environment {
        Safe::literal("  key: env")
    } else {
        Safe::default()
    };
    let coverage = coverage(app);
    let (status, status_style) = status(app);
    let sort = sort(app);
    let news = news(app);
    // A narrow header first leaves out the name, then the source of the key, the age and the sort order. The workspace, the
    // coverage and the filter are always shown.
    let revealed = if app.session.reveal { REVEALED } else { Safe::default() };
    let must = 1 + identity.width() + revealed.width() + 2 + coverage.width() + 1;
    let mut room = usize::from(area.width).saturating_sub(must);
    let mut take = |width: usize| {
        let fits = width <= room;
        room -= if fits { width } else { 0 };
        fits && width > 0
    };
    let filter_width = filter_width(app);
    let shortest = filter_width.min(SHORTEST_FILTER);
    let has_filter = shortest > 0 && (take(shortest) || take(3));
    let has_news = take(news.width());
    let has_sort = take(sort.width());
    let has_status = take(status.width() + 2);
    let has_key = take(key.width());
    let has_name = take("hookscope  ".len());
    let filter = if has_filter { filter(app, (shortest + room).min(filter_width)) } else { Safe::default() };
    let mut left = vec![Piece::plain(" ")];
    if has_name {
        left.push(Piece::new("hookscope  ", theme.quiet));
    }
    left.push(Piece::new(revealed, theme.warning));
    left.push(Piece::new(identity, theme.mark(app.colour())));
    if has_key {
        left.push(Piece::new(key, theme.quiet));
    }
    let mut pieces = vec![Piece::new(filter, theme.matched), Piece::plain(if has_filter { "  " } else { "" })];
    if has_sort {
        pieces.push(Piece::new(sort, theme.accent));
    }
    if has_news {
        pieces.push(Piece::new(news, theme.warning));
    }
    pieces.push(Piece::plain(coverage));
    if has_status {
        pieces.extend([Piece::plain("  "), Piece::new(status, status_style)]);
    }
    let right = 1 + pieces.iter().map(|piece| piece.text.width()).sum::<usize>();
    let right = u16::try_from(right).unwrap_or(u16::MAX).min(area.width);
    // One column in between, however narrow the screen.
    canvas.pieces(Rect { width: area.width.saturating_sub(right + 1), ..area }, &left);
    canvas.pieces(Rect { x: area.x + (area.width - right), width: right, ..area }, &pieces);
}

/// Shown while credentials are on screen, as the screen may be shared.
const REVEALED: Safe = Safe::literal("! revealed  ");
/// The columns of the filter that have priority over everything optional.
const SHORTEST_FILTER: usize = 14;

/// The columns of the whole filter with its surroundings; 0 without one.
fn filter_width(app: &App) -> usize {
    match app.session.filter.applied().trim() {
        "" => 0,
        text => clean_head(text, 200).width() + 4,
    }
}

/// `⌕ host:acme`, in this many columns with the two after it.
fn filter(app: &App, columns: usize) -> Safe {
    let glyphs = app.settings.glyphs;
    safe!("{} {}", glyphs.filter, clean_head(app.session.filter.applied().trim(), 200))
        .fit(columns.saturating_sub(2), glyphs.ellipsis)
}

/// `+2 ~1 -3  `: the unread changes.
fn news(app: &App) -> Safe {
    let mut words = Safe::default();
    for (change, count) in app.session.unread.counts().into_iter().filter(|&(_, count)| count > 0) {
        words.push(&safe!("{}{} ", change.sign(), grouped(count as u64)));
    }
    if words.is_empty() { words } else { safe!("{} ", words) }
}

/// `▲ host  `, while the rows are sorted.
fn sort(app: &App) -> Safe {
    let Some(sort) = app.session.filter_sort.sort.filter(|_| app.shows_webhooks()) else { return Safe::default() };
    let glyphs = app.settings.glyphs;
    safe!("{} {}  ", if sort.descending { glyphs.descending } else { glyphs.ascending }, sort.key.name())
}

/// `all 1,234`, `300 of 1,234`, `active 300+`: never overstates what is loaded.
fn coverage(app: &App) -> Safe {
    if !app.session.list.lines.is_known() {
        // "all" is only used for scope all.
        return match app.session.load.scope {
            Scope::All if app.session.load.health.trouble().is_some() => "no rows".into(),
            Scope::All => Safe::default(),
            scope => scope.name().into(),
        };
    }
    cached(app).unwrap_or_else(|| live_coverage(app))
}

/// `all 1,234 cached 3h ago`, `100 of 1,234, rest cached 3h ago`: cached rows are always labeled.
fn cached(app: &App) -> Option<Safe> {
    let age = clock::recent_age_in_words(app.session.cached_at()?, app.now.wall);
    let live = app.session.list.lines.loaded() - app.session.list.lines.remembered();
    let is_chosen = app.session.list.lines.kept().is_some() || !app.session.filter.query().is_empty();
    Some(match app.session.list.lines.extent() {
        RowCount::Exactly(rows) if live > 0 && !is_chosen => {
            safe!("{} of {}, rest cached {}", grouped(live), grouped(rows), age)
        }
        _ if live > 0 => safe!("{}, partly cached {}", live_coverage(app), age),
        _ => safe!("{} cached {}", live_coverage(app), age),
    })
}

fn live_coverage(app: &App) -> Safe {
    let scope = app.session.load.scope.name();
    let loaded = app.session.list.lines.loaded();
    let rows = app.session.list.lines.extent();
    if app.session.list.lines.kept().is_some() || !app.session.filter.query().is_empty() {
        let prefix = if app.session.load.scope == Scope::All { Safe::default() } else { safe!("{} ", scope) };
        let here = if app.session.is_searching() { "?".into() } else { grouped(app.session.list.lines.len()) };
        return match rows {
            RowCount::Exactly(rows) if rows == loaded => safe!("{}{} of {}", prefix, here, grouped(rows)),
            RowCount::Exactly(rows) => safe!("{}{} of {} loaded (of {})", prefix, here, grouped(loaded), grouped(rows)),
            RowCount::AtLeast(_) => safe!("{}{} of {} loaded", prefix, here, grouped(loaded)),
        };
    }
    // "all" is only used for scope all.
    let prefix = if app.session.load.scope == Scope::All { Safe::default() } else { safe!("{} ", scope) };
    match rows {
        RowCount::Exactly(rows) if rows == loaded && app.session.list.lines.is_inconsistent() => {
            safe!("{}{} loaded", prefix, grouped(rows))
        }
        RowCount::Exactly(rows)
            if rows == loaded && (app.session.list.lines.is_consistent() || app.session.cached_at().is_some()) =>
        {
            safe!("{} {}", scope, grouped(rows))
        }
        RowCount::Exactly(rows) => safe!("{}{} of {}", prefix, grouped(loaded), grouped(rows)),
        RowCount::AtLeast(_) => safe!("{}{}+", prefix, grouped(loaded)),
    }
}

fn status(app: &App) -> (Safe, ratatui::style::Style) {
    let theme = app.settings.theme;
    match &app.session.load.health {
        Health::Trouble(trouble) => match trouble.stage {
            IssueStage::Paused { .. } | IssueStage::Again => (trouble.stage_in_words(app.now.instant), theme.warning),
            IssueStage::Retrying { .. } => ("retrying".into(), theme.warning),
            IssueStage::Failed => ("failed".into(), theme.error),
        },
        Health::Unknown => ("loading".into(), theme.quiet),
        Health::Live { .. } if app.session.load.all != LoadAll::No => ("loading all".into(), theme.quiet),
        Health::Live { .. } if app.session.is_loading() => ("loading".into(), theme.quiet),
        Health::Live { .. } if app.session.list.lines.is_inconsistent() => ("inconsistent".into(), theme.warning),
        // Some rows are cached, which the coverage shows already.
        Health::Live { .. } if app.session.cached_at().is_some() => (Safe::default(), theme.quiet),
        // A file does not get older by being read later.
        Health::Live { .. } if app.session.workspace.file.is_some() => ("offline".into(), theme.quiet),
        Health::Live { at } => {
            let time = clock::time_of_day(*at, &app.settings.shown_zone());
            let word = if app.session.load.auto_refresh.is_some() { "auto" } else { "live" };
            // A refresh of the rows on screen does not cover the rest.
            let part = if app.session.list.lines.has_old_rows() { ", rest stale" } else { "" };
            let age = clock::age(*at, app.now.wall);
            let age = if age.as_str() == "now" { Safe::default() } else { safe!(" {} ago", age) };
            let style = if app.is_stale(*at) { theme.warning } else { theme.active };
            (safe!("{} {}{}{}", word, time, age, part), style)
        }
    }
}
