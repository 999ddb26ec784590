//! The views of groups: a table with a title.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::analysis::groups::{Group, GroupKind};
use crate::base::text::{Safe, clean_head, grouped};
use crate::model::{Scope, masked_path};
use crate::safe;
use crate::tui::app::App;
use crate::tui::terminal::canvas::{Canvas, line};
use crate::tui::view::{lines, status_columns};

/// The columns of a number.
const NUMBER: u16 = 9;
/// The most columns of a bar.
const BAR: u16 = 24;
/// Below this width, the share is left out.
const NARROW: u16 = 70;
/// The fewest columns of a name. To make room, the third number is left out first, then the second.
const NAME: u16 = 24;
/// The columns of a share without a bar, with two before it.
const SHARE: u16 = 8;

/// The table of a view of groups.
pub(super) struct GroupTable {
    /// The titles of the name and of the three numbers.
    pub(super) titles: [&'static str; 4],
    /// The smallest width with room for bars.
    pub(super) bars_from: u16,
}

pub(super) fn draw(app: &App, table: &GroupTable, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    let Some(pane) = app.group_pane() else { return };
    let columns = GroupColumns::new(area, table.bars_from);
    title(app, table, &columns, line(area, 0), canvas);
    let Some(groups) = pane.groups() else {
        canvas.text(line(area, 1), &"  counting".into(), theme.quiet);
        return;
    };
    let body = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
    lines::draw(app, body, canvas, |place, is_selected, at, canvas| {
        let Some(group) = pane.group(place) else { return };
        let (name, style) = name(app, group);
        canvas.text(columns.name(at), &name, if is_selected { style.patch(theme.strong) } else { style });
        for (column, number) in [group.active, group.inactive, group.reach].into_iter().take(columns.numbers).enumerate() {
            let style = if number == 0 { theme.quiet } else { Style::new() };
            canvas.text_right(columns.number(at, column), &grouped(number), style);
        }
        bar(app, group, groups.webhooks, groups.most, columns.bar(at), canvas);
    });
}

/// Returns true if the groups cover the whole workspace. Statements about all webhooks need that.
fn are_whole(app: &App) -> bool {
    app.session.list.lines.is_all_here() && app.session.load.scope == Scope::All && app.session.filter.query().is_empty()
}

fn title(app: &App, table: &GroupTable, columns: &GroupColumns, area: Rect, canvas: &mut Canvas<'_>) {
    let style = app.settings.theme.quiet;
    let [name, numbers @ ..] = table.titles;
    canvas.text(columns.name(area), &name.into(), style);
    for (column, title) in numbers.into_iter().take(columns.numbers).enumerate() {
        canvas.text_right(columns.number(area, column), &title.into(), style);
    }
    let share = match columns.bar(area).width {
        ..=SHARE => " share",
        _ if are_whole(app) => "% of webhooks",
        _ => "% of listed",
    };
    canvas.text(columns.bar(area), &share.into(), style);
}

/// Draws the share of all webhooks, and a bar on the scale of the largest group.
fn bar(app: &App, group: &Group, all: u64, most: u64, area: Rect, canvas: &mut Canvas<'_>) {
    if area.is_empty() || all == 0 {
        return;
    }
    if matches!(group.kind, GroupKind::Event { is_known: true, .. }) && group.active == 0 && are_whole(app) {
        canvas.text(
            Rect { x: area.x.saturating_add(1), ..area },
            &"no active subscriber".into(),
            app.settings.theme.warning,
        );
        return;
    }
    let share = Rect { width: 6.min(area.width), ..area };
    canvas.text_right(share, &percent(group.webhooks, all), app.settings.theme.quiet);
    let room = area.width.saturating_sub(7).min(BAR);
    let length = group.webhooks.saturating_mul(room.into()).checked_div(most).unwrap_or(0);
    let length = u16::try_from(length).unwrap_or(room).max(u16::from(group.webhooks > 0));
    let style = if group.active > 0 { app.settings.theme.active } else { app.settings.theme.quiet };
    for x in 0..length.min(room) {
        let cell = Rect { x: area.x.saturating_add(7).saturating_add(x), width: 1, ..area };
        canvas.text(cell, &app.settings.glyphs.bar.into(), style);
    }
}

/// Formats a share, like `8.6%`. A nonzero share is never rounded to zero, nor a partial one to 100%.
fn percent(part: u64, all: u64) -> Safe {
    let tenths = (u128::from(part) * 1000 + u128::from(all) / 2).checked_div(all.into()).unwrap_or(0);
    match tenths {
        0 if part > 0 => "<0.1%".into(),
        1000.. if part < all => ">99.9%".into(),
        _ => safe!("{}.{}%", u64::try_from(tenths / 10).unwrap_or(u64::MAX), u64::try_from(tenths % 10).unwrap_or(0)),
    }
}

/// The widths of the columns.
struct GroupColumns {
    name: u16,
    /// The number of numeric columns that fit.
    numbers: usize,
    bar: u16,
}

impl GroupColumns {
    fn new(area: Rect, bars_from: u16) -> Self {
        let bar = match area.width {
            width if width >= bars_from => (width / 4).min(BAR + 8),
            NARROW.. => SHARE,
            _ => 0,
        };
        let name = |numbers: u16| area.width.saturating_sub(2 + numbers * NUMBER + bar);
        let numbers = [3, 2].into_iter().find(|&numbers| name(numbers) >= NAME).unwrap_or(1);
        Self { name: name(numbers), numbers: numbers.into(), bar }
    }

    fn name(&self, area: Rect) -> Rect {
        Rect { x: area.x.saturating_add(2), width: self.name, ..area }
    }

    fn number(&self, area: Rect, column: usize) -> Rect {
        let before = u16::try_from(column).unwrap_or(0).saturating_mul(NUMBER);
        let x = area.x.saturating_add(2).saturating_add(self.name).saturating_add(before);
        Rect { x, width: NUMBER.min(area.right().saturating_sub(x)), ..area }
    }

    fn bar(&self, area: Rect) -> Rect {
        let width = self.bar.saturating_sub(2);
        Rect { x: area.right().saturating_sub(width), width, ..area }
    }
}

/// The name of a group, with its style.
fn name(app: &App, group: &Group) -> (Safe, Style) {
    let theme = app.settings.theme;
    let glyphs = app.settings.glyphs;
    match &group.kind {
        GroupKind::Host { name, is_expanded } => {
            let mark = if *is_expanded { glyphs.open } else { glyphs.closed };
            let style = if group.active == 0 { theme.inactive } else { Style::new() };
            (safe!("{} {}{}", mark, status_columns::host_symbol(app, name), clean_head(name, 260)), style)
        }
        GroupKind::NoHost => (safe!("! no host: not a valid URL"), theme.warning),
        GroupKind::Path { host, path } => {
            let path = match &**path {
                "" => "/".into(),
                path if app.session.reveal => clean_head(path, 500),
                path => clean_head(&masked_path(host, path), 500),
            };
            (safe!("    {}", path), if group.active == 0 { theme.inactive } else { Style::new() })
        }
        GroupKind::MorePaths { paths, .. } => {
            (safe!("    {} and {} more paths", glyphs.ellipsis, grouped(*paths)), theme.quiet)
        }
        GroupKind::Event { name, is_known } => {
            let name = clean_head(name, 200);
            match (group.active, is_known) {
                // Without all webhooks loaded, this is not a problem.
                (0, true) if are_whole(app) => (safe!("! {}", name), theme.warning),
                (0, true) => (safe!("  {}", name), theme.inactive),
                (0, false) => (safe!("? {}", name), theme.inactive),
                (_, true) => (safe!("  {}", name), Style::new()),
                (_, false) => (safe!("? {}", name), Style::new()),
            }
        }
        GroupKind::Rule { .. }
        | GroupKind::RowFinding { .. }
        | GroupKind::WorkspaceFinding { .. }
        | GroupKind::MoreRows { .. } => (Safe::default(), Style::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_but_never_to_none_or_all() {
        let shares = [(0, 9), (1, 1_000_000), (1, 2000), (11, 13), (2, 13), (999_999, 1_000_000), (7, 7), (0, 0)];
        let words = shares.map(|(part, all)| percent(part, all).to_string());
        assert_eq!(words, ["0.0%", "<0.1%", "0.1%", "84.6%", "15.4%", ">99.9%", "100.0%", "0.0%"]);
    }
}
