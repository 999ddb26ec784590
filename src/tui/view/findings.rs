//! The view of findings by rule: the number of webhooks that break it, and if it is expanded, each of them.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::analysis::audit::Rule;
use crate::analysis::groups::{Group, GroupKind};
use crate::base::text::{Safe, clean_head, grouped};
use crate::model::short_url;
use crate::safe;
use crate::tui::app::App;
use crate::tui::list_pane::ViewList as _;
use crate::tui::terminal::canvas::{Canvas, Piece, line};
use crate::tui::view::lines;
use crate::tui::view::list::state_symbol;

/// The columns of a number.
const NUMBER: u16 = 9;
/// The columns of a rule with its symbols.
const RULE: u16 = 28;
/// The columns of the number of a group.
const GROUP: u16 = 14;
/// Below this width, the description of a rule is left out.
const NARROW: u16 = 64;

pub(in crate::tui) fn draw(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(pane) = app.group_pane() else { return };
    let columns = FindingColumns::new(area);
    title(app, &columns, line(area, 0), canvas);
    let body = Rect { y: area.y.saturating_add(1), height: app.list_height().min(area.height), ..area };
    if pane.list.is_empty() {
        canvas.text(line(body, 0), &nothing(app), app.settings.theme.quiet);
        return;
    }
    lines::draw(app, body, canvas, |place, is_selected, at, canvas| {
        if let Some(group) = pane.group(place) {
            group_line(app, group, is_selected, &columns, at, canvas);
        }
    });
    let footing = Rect { y: body.bottom(), height: area.bottom().saturating_sub(body.bottom()), ..area };
    if let (Some(group), false) = (pane.selected(), footing.is_empty() || app.is_hurried()) {
        explanation(app, group, footing, canvas);
    }
}

/// The text in place of an empty list: nothing was found, or the audit is not finished.
fn nothing(app: &App) -> Safe {
    if !app.session.is_audited() || app.group_pane().is_none_or(|pane| pane.groups().is_none()) {
        return if app.session.is_loading() { "  loading".into() } else { "  auditing".into() };
    }
    safe!("  no findings in {}{}", about_what(app).unwrap_or("these webhooks".into()), accepted(app))
}

/// The webhooks that the view covers; `None` for all.
fn about_what(app: &App) -> Option<Safe> {
    if !app.session.filter.query().is_empty() {
        return Some("the listed webhooks".into());
    }
    app.session.is_part().then(|| safe!("the loaded webhooks"))
}

fn accepted(app: &App) -> Safe {
    match app.session.findings_index().waived() {
        0 => Safe::default(),
        number => safe!(" {} {} waived", app.settings.glyphs.dot, grouped(number)),
    }
}

fn title(app: &App, columns: &FindingColumns, area: Rect, canvas: &mut Canvas<'_>) {
    let style = app.settings.theme.quiet;
    let of = about_what(app).map_or_else(Safe::default, |what| safe!(" in {}", what));
    let progress = if app.session.is_audited() { Safe::default() } else { safe!(" {} auditing", app.settings.glyphs.dot) };
    canvas.text(columns.name(area), &safe!("findings{}{}{}", of, accepted(app), progress), style);
    canvas.text_right(columns.number(area, 0), &"active".into(), style);
    canvas.text_right(columns.number(area, 1), &"all".into(), style);
}

fn group_line(app: &App, group: &Group, is_selected: bool, columns: &FindingColumns, at: Rect, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    let glyphs = app.settings.glyphs;
    let strong = |style: Style| if is_selected { style.patch(theme.strong) } else { style };
    match &group.kind {
        GroupKind::Rule { rule, severity, is_expanded } => {
            let style = theme.severity(*severity);
            let pieces = [
                Piece::plain(if *is_expanded { glyphs.open } else { glyphs.closed }),
                Piece::new(safe!(" {} ", glyphs.severity(*severity)), style),
                Piece::new(rule.id, strong(style)),
            ];
            canvas.pieces(columns.rule(at), &pieces);
            canvas.text(columns.about(at), &rule.about.into(), theme.quiet);
            if group.webhooks > 0 {
                canvas.text_right(columns.number(at, 0), &grouped(group.active), theme.quiet);
            }
            canvas.text_right(columns.number(at, 1), &grouped(group.reach), Style::new());
        }
        GroupKind::RowFinding { number, row, joint, .. } => {
            // Only the number of a group follows a row.
            let wide = columns.wide(at, joint.is_some());
            let symbol = state_symbol(row.row(), glyphs);
            let (symbol, text) = match row.row().malformed() {
                None => {
                    let room = usize::from(wide.width.saturating_sub(4));
                    (symbol, short_url(row.row().url(), app.session.reveal, room))
                }
                Some(reason) => ("?", safe!("row {}: {}", grouped(u64::from(*number) + 1), reason.explain())),
            };
            let style = strong(if group.active > 0 { Style::new() } else { theme.inactive });
            canvas.text(wide, &safe!("  {} {}", symbol, text), style);
            if let Some(joint) = joint {
                let words = safe!("group {}", grouped(u64::from(*joint) + 1));
                canvas.text_right(columns.behind(at), &words, theme.quiet);
            }
        }
        GroupKind::WorkspaceFinding { message, .. } => {
            canvas.text(columns.wide(at, false), &safe!("    {}", message), strong(Style::new()));
        }
        GroupKind::MoreRows { more, .. } => {
            let words = safe!("    {} and {} more", glyphs.ellipsis, grouped(*more));
            canvas.text(columns.wide(at, false), &words, strong(theme.quiet));
        }
        GroupKind::Host { .. }
        | GroupKind::NoHost
        | GroupKind::Path { .. }
        | GroupKind::MorePaths { .. }
        | GroupKind::Event { .. } => {}
    }
}

/// The explanation of the selected finding, and its advice.
fn explanation(app: &App, group: &Group, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = app.settings.theme;
    canvas.rule(line(area, 0), theme.quiet);
    let Some(rule) = group.kind.parent().and_then(Rule::named) else { return };
    let message = match &group.kind {
        GroupKind::RowFinding { number, row, .. } => app.session.message_of(rule, *number, row),
        GroupKind::WorkspaceFinding { message, .. } => Some(message.clone()),
        _ => None,
    };
    let whose = match &group.kind {
        GroupKind::RowFinding { row, .. } => Some(row.row()).filter(|row| row.is_webhook()),
        _ => None,
    };
    let whose = whose.map(|row| safe!("{}  {}", clean_head(row.id(), 40), short_url(row.url(), app.session.reveal, 500)));
    let what = message.map_or_else(|| safe!("{}. {}", rule.about, rule.why), |message| safe!("{}.", message));
    let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    let what = what.paragraph(inner.width.into());
    let todo = safe!("What to do: {}", rule.advice).paragraph(inner.width.into());
    // Room for the advice is reserved, however long the rest is.
    let room = usize::from(area.height.saturating_sub(1)).saturating_sub(todo.len()).max(1);
    let whose = whose.map(|whose| (whose.fit(inner.width.into(), app.settings.glyphs.ellipsis), theme.strong));
    let lines = whose.into_iter().chain(what.into_iter().map(|line| (line, Style::new()))).take(room);
    let lines = lines.chain(todo.into_iter().map(|line| (line, theme.quiet)));
    for (number, (text, style)) in (1..area.height).zip(lines) {
        canvas.text(line(inner, number), &text, style);
    }
}

/// The positions of the columns.
struct FindingColumns {
    area: Rect,
}

impl FindingColumns {
    fn new(area: Rect) -> Self {
        Self { area }
    }

    fn name(&self, at: Rect) -> Rect {
        Rect { x: at.x.saturating_add(2), width: self.area.width.saturating_sub(2 + 2 * NUMBER), ..at }
    }

    fn rule(&self, at: Rect) -> Rect {
        let name = self.name(at);
        Rect { width: if self.area.width >= NARROW { RULE.min(name.width) } else { name.width }, ..name }
    }

    fn about(&self, at: Rect) -> Rect {
        let (name, rule) = (self.name(at), self.rule(at));
        Rect { x: rule.right(), width: name.right().saturating_sub(rule.right()), ..at }
    }

    fn number(&self, at: Rect, column: u16) -> Rect {
        let x = self.name(at).right().saturating_add(column * NUMBER);
        Rect { x, width: NUMBER.min(self.area.right().saturating_sub(x)), ..at }
    }

    /// The area of a line that is one text, with or without a word after it.
    fn wide(&self, at: Rect, has_word: bool) -> Rect {
        let word = if has_word { GROUP } else { 0 };
        Rect { x: at.x.saturating_add(2), width: self.area.width.saturating_sub(2 + word), ..at }
    }

    /// The area of that word.
    fn behind(&self, at: Rect) -> Rect {
        let width = GROUP.min(self.area.width);
        Rect { x: self.area.right().saturating_sub(width), width, ..at }
    }
}
