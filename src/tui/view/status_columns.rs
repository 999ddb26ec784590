//! The columns for probes and deliveries in a line of the list. Each is shown once it has content.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::list::behind;
use crate::analysis::reach::State;
use crate::base::text::Safe;
use crate::model::RowRef;
use crate::safe;
use crate::tui::app::App;
use crate::tui::notes::percent;
use crate::tui::session::deliveries::Figures;
use crate::tui::session::probes::{ProbeStatus, milliseconds};
use crate::tui::terminal::canvas::Canvas;

/// From this width on, there is room for words.
const WIDE: u16 = 88;
/// The columns of the words of a probe, and of the percentage of failed deliveries, with one before each.
const WORDS: u16 = 14;
const SHARE: u16 = 6;

/// Draws the symbol of a probe, and returns its columns.
pub(super) fn draw_symbol(app: &App, row: RowRef<'_>, area: Rect, canvas: &mut Canvas<'_>) -> u16 {
    let Some(sight) = app.session.probe_status(row) else { return 0 };
    let (symbol, style) = symbol(app, sight);
    canvas.text(Rect { width: 1.min(area.width), ..area }, &symbol.into(), style);
    2
}

/// The symbol of a host and a space after it, once anything was probed.
pub(super) fn host_symbol(app: &App, host: &str) -> Safe {
    if !app.session.probes.are_shown() {
        return Safe::default();
    }
    let (symbol, _) = symbol(app, app.session.probes.of_host(host));
    safe!("{} ", symbol)
}

/// The columns that [`draw`] needs in a line of this width.
pub(super) fn width(app: &App, area: Rect) -> u16 {
    let words = if app.session.probes.are_shown() && area.width >= WIDE { WORDS } else { 0 };
    let share = if app.tally().is_some() { SHARE } else { 0 };
    words + share
}

/// Draws the words of a probe if there is room, and the percentage of failed deliveries.
pub(super) fn draw(app: &App, row: RowRef<'_>, area: Rect, of: u16, canvas: &mut Canvas<'_>) {
    let mut area = area;
    if let Some(sight) = app.session.probe_status(row).filter(|_| of >= WIDE) {
        let (_, style) = symbol(app, sight);
        canvas.text_right(Rect { width: WORDS.min(area.width), ..area }, &words(sight), style);
        area = behind(area, WORDS);
    }
    if let Some(Figures::Known { stats, fails }) = app.figures_of(row).filter(|_| area.width >= SHARE) {
        let theme = app.settings.theme;
        let (share, style) = match fails {
            true => (safe!("!{}", percent(&stats)), theme.error),
            false if stats.failures > 0 || of >= WIDE => (percent(&stats), theme.quiet),
            false => (Safe::default(), Style::new()),
        };
        canvas.text_right(area, &share, style);
    }
}

fn symbol(app: &App, sight: ProbeStatus<'_>) -> (&'static str, Style) {
    let (theme, glyphs) = (app.settings.theme, app.settings.glyphs);
    let [reachable, dead] = glyphs.probe();
    match sight {
        ProbeStatus::Unknown => (" ", theme.quiet),
        ProbeStatus::UnderWay => (glyphs.ellipsis, theme.quiet),
        ProbeStatus::NoUrl => ("?", theme.warning),
        ProbeStatus::Seen(seen) => match seen.reach.state() {
            State::Reachable if seen.reach.is_expiring() => ("!", theme.warning),
            State::Reachable => (reachable, theme.active),
            State::Dead => (dead, theme.error),
            State::Untried => ("?", theme.quiet),
        },
    }
}

fn words(sight: ProbeStatus<'_>) -> Safe {
    match sight {
        ProbeStatus::Unknown => Safe::default(),
        ProbeStatus::UnderWay => "probing".into(),
        ProbeStatus::NoUrl => "invalid-url".into(),
        ProbeStatus::Seen(seen) => match (seen.reach.trouble, seen.reach.certificate) {
            (Some(trouble), _) => trouble.word().into(),
            (None, Some(lasts)) if seen.reach.is_expiring() => safe!("{}d left", lasts.days_left),
            (None, _) => safe!("{} ms", milliseconds(seen)),
        },
    }
}
