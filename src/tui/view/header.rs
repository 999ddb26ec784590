//! The first line: whose webhooks these are, how many of them are here, and how fresh they are.

use ratatui::layout::Rect;

use crate::clock;
use crate::config::{KeySource, TimeFormat};
use crate::fetch::RowCount;
use crate::model::Scope;
use crate::safe;
use crate::text::{Safe, grouped};
use crate::tui::app::{App, Everything};
use crate::tui::canvas::{Canvas, Piece};
use crate::tui::health::{Health, Stage};

pub(super) fn draw(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    if area.is_empty() {
        return;
    }
    let theme = app.setup.theme;
    let dot = app.setup.glyphs.dot;
    let identity = match &app.setup.file {
        Some(file) => safe!("file {} {}", dot, file),
        None => safe!("{} {} {}", app.setup.profile, dot, app.setup.base_url.host()),
    };
    let key = if app.setup.key_source == KeySource::Environment { Safe::literal("  key: env") } else { Safe::default() };
    let coverage = coverage(app);
    let (status, status_style) = status(app);
    // What is left out when it gets narrow: first the name, then where the key is from, then how fresh it is. Never whose
    // webhooks these are, nor how many of them are missing.
    let room = usize::from(area.width);
    let needed = 1 + identity.width() + 2 + coverage.width() + 1;
    let with_status = needed + status.width() + 2;
    let with_key = with_status + key.width();
    let with_name = with_key + "hookscope  ".len();
    let mut left = vec![Piece::plain(" ")];
    if with_name <= room {
        left.push(Piece::new("hookscope  ", theme.quiet));
    }
    left.push(Piece::new(identity, theme.mark(app.colour())));
    if with_key <= room {
        left.push(Piece::new(key, theme.quiet));
    }
    let mut right = coverage.width() + 1;
    if with_status <= room {
        right += status.width() + 2;
    }
    let right = u16::try_from(right).unwrap_or(u16::MAX).min(area.width);
    // One column between them, however narrow it gets.
    canvas.pieces(Rect { width: area.width.saturating_sub(right + 1), ..area }, &left);
    let place = Rect { x: area.x + (area.width - right), width: right, ..area };
    let mut pieces = vec![Piece::plain(coverage)];
    if with_status <= room {
        pieces.extend([Piece::plain("  "), Piece::new(status, status_style)]);
    }
    canvas.pieces(place, &pieces);
}

/// `all 1,234`, `300 of 1,234`, `active 300+`: what is here never looks like more than it is.
fn coverage(app: &App) -> Safe {
    let scope = app.scope.name();
    if !app.listing.is_known() {
        return scope.into();
    }
    let loaded = app.listing.loaded();
    let rows = app.listing.rows();
    if app.listing.filters() {
        let here = grouped(app.listing.len());
        return match rows {
            RowCount::Exactly(rows) if rows == loaded => safe!("{} {} of {}", scope, here, grouped(rows)),
            RowCount::Exactly(rows) => safe!("{} {} of {} loaded (of {})", scope, here, grouped(loaded), grouped(rows)),
            RowCount::AtLeast(_) => safe!("{} {} of {} loaded", scope, here, grouped(loaded)),
        };
    }
    // "all" is said of all only.
    let prefix = if app.scope == Scope::All { Safe::default() } else { safe!("{} ", scope) };
    match rows {
        RowCount::Exactly(rows) if rows == loaded => safe!("{} {}", scope, grouped(rows)),
        RowCount::Exactly(rows) => safe!("{}{} of {}", prefix, grouped(loaded), grouped(rows)),
        RowCount::AtLeast(_) => safe!("{}{}+", prefix, grouped(loaded)),
    }
}

fn status(app: &App) -> (Safe, ratatui::style::Style) {
    let theme = app.setup.theme;
    match &app.health {
        Health::Trouble(trouble) => match trouble.stage {
            Stage::Paused { .. } => (trouble.stage_in_words(app.now.instant), theme.warning),
            Stage::Retrying { .. } => ("trouble".into(), theme.warning),
            Stage::Failed => ("failed".into(), theme.error),
        },
        Health::Unknown => ("loading".into(), theme.quiet),
        Health::Live { .. } if app.everything != Everything::No => ("loading all".into(), theme.quiet),
        Health::Live { .. } if app.is_loading() => ("loading".into(), theme.quiet),
        // It is as old as it is, whenever it was read.
        Health::Live { .. } if app.setup.file.is_some() => ("offline".into(), theme.quiet),
        Health::Live { at } => {
            let time = match app.time {
                TimeFormat::Utc => clock::time_of_day(*at, &jiff::tz::TimeZone::UTC),
                TimeFormat::Relative | TimeFormat::Local => clock::time_of_day(*at, &app.setup.zone),
            };
            let word = if app.auto_refresh.is_some() { "auto" } else { "live" };
            (safe!("{} {}", word, time), theme.active)
        }
    }
}
