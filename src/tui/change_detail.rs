//! The text about one change: the differences, then the webhook.

use ratatui::style::Style as Look;

use super::detail::{self, DetailForm, Style};
use super::session::changes::RemovalCheck;
use super::terminal::canvas::Piece;
use crate::analysis::changes::ChangeEntry;
use crate::analysis::field_changes::{FieldChange, FieldChangeKind};
use crate::base::text::{Safe, clean_head};
use crate::output::DiffLine;
use crate::safe;

/// The most columns of a value to show. The rest is in the raw JSON and in copies.
const MAX_VALUE: usize = 4000;

/// The change in words.
pub fn words(entry: &ChangeEntry, fate: Option<&RemovalCheck>) -> Safe {
    match (entry, fate) {
        (ChangeEntry::Added(_), _) => "added".into(),
        (ChangeEntry::Changed(..), _) => "changed".into(),
        (ChangeEntry::Removed(_), Some(RemovalCheck::Removed)) => "removed (the API answers 404)".into(),
        (ChangeEntry::Removed(_), Some(RemovalCheck::Asked)) => "unconfirmed: not listed; asking the API".into(),
        (ChangeEntry::Removed(_), Some(RemovalCheck::Unknown(why))) => safe!("unconfirmed: not listed; {}", why),
        (ChangeEntry::Removed(_), Some(RemovalCheck::Present) | None) => "unconfirmed: not listed".into(),
    }
}

/// The symbol of a change. A webhook that may still exist is not marked as removed.
pub fn sign(entry: &ChangeEntry, fate: Option<&RemovalCheck>) -> &'static str {
    match (entry, fate) {
        (ChangeEntry::Added(_), _) => "+",
        (ChangeEntry::Changed(..), _) => "~",
        (ChangeEntry::Removed(_), Some(RemovalCheck::Removed)) => "-",
        (ChangeEntry::Removed(_), _) => "?",
    }
}

/// The word that replaces the state of a webhook that is no longer listed.
fn past(entry: &ChangeEntry, fate: Option<&RemovalCheck>) -> Option<&'static str> {
    match (entry, fate) {
        (ChangeEntry::Added(_) | ChangeEntry::Changed(..), _) => None,
        (ChangeEntry::Removed(_), Some(RemovalCheck::Removed)) => Some("removed"),
        (ChangeEntry::Removed(_), _) => Some("unconfirmed"),
    }
}

/// The first `max` lines about a change. `moved` is the id of the webhook that it was possibly re-registered as or from.
pub fn lines(
    entry: &ChangeEntry,
    fate: Option<&RemovalCheck>,
    moved: Option<&str>,
    style: &Style,
    max: usize,
) -> Vec<Vec<Piece>> {
    let mut lines = Vec::new();
    if style.form == DetailForm::Fields {
        let heading = safe!("{} {}", sign(entry, fate), words(entry, fate)).wrap(style.width.into());
        lines.extend(heading.into_iter().map(|line| vec![Piece::new(line, style.theme.strong)]));
        if let ChangeEntry::Changed(_, fields) = entry {
            for change in fields.iter().take(max) {
                field(entry, change, style, max, &mut lines);
            }
        }
        if let Some(id) = moved {
            let word = if matches!(entry, ChangeEntry::Added(_)) { "from" } else { "as" };
            let words = safe!("possibly re-registered {} {}: same URL and events", word, clean_head(id, MAX_VALUE));
            lines.extend(words.wrap(style.width.into()).into_iter().map(|line| vec![Piece::new(line, style.theme.quiet)]));
        }
        lines.push(Vec::new());
    }
    let style = Style { past: past(entry, fate), ..style.clone() };
    lines.extend(detail::lines(entry.row(), &[], &[], &style, max.saturating_sub(lines.len())));
    lines.truncate(max);
    lines
}

/// A field, with its old value above its new one.
fn field(entry: &ChangeEntry, change: &FieldChange, style: &Style, max: usize, lines: &mut Vec<Vec<Piece>>) {
    let theme = style.theme;
    lines.push(vec![Piece::new(clean_head(&change.field, 80), theme.quiet)]);
    let mut side = |sign: &'static str, value: &Safe, look: Look| {
        let mut sign = sign;
        for line in value.wrap(usize::from(style.width).saturating_sub(4)) {
            if lines.len() < max {
                lines.push(vec![Piece::new(safe!("  {} ", sign), look), Piece::plain(line)]);
            }
            sign = " ";
        }
    };
    if let FieldChangeKind::Events { added, removed } = &change.kind {
        for name in removed.iter().take(max) {
            side("-", &clean_head(name, MAX_VALUE), theme.error);
        }
        for name in added.iter().take(max) {
            side("+", &clean_head(name, MAX_VALUE), theme.active);
        }
        return;
    }
    match DiffLine::of(entry.id(), change.clone()).sides(style.reveal) {
        (None, None) => side(" ", &"too long to show here".into(), theme.quiet),
        (before, after) => {
            side("-", &before.unwrap_or_else(|| "(none)".into()), theme.error);
            side("+", &after.unwrap_or_else(|| "(none)".into()), theme.active);
        }
    }
}

/// The change in one line: the values of a single short field, otherwise the names of the fields.
pub fn summary(entry: &ChangeEntry, reveal: bool) -> Safe {
    let ChangeEntry::Changed(_, fields) = entry else { return Safe::default() };
    if let [only] = fields.as_slice()
        && let Some(values) = values(entry, only, reveal)
    {
        return safe!("{} {}", clean_head(&only.field, 40), values);
    }
    let mut words = Safe::default();
    for change in fields.iter().take(SHOWN) {
        let comma = if words.is_empty() { "" } else { ", " };
        words.push(&safe!("{}{}", comma, clean_head(&change.field, 40)));
    }
    words
}

/// Fields and events that one line can show.
const SHOWN: usize = 6;
/// Bytes of a value that one line can show.
const SHORT: usize = 200;

fn values(entry: &ChangeEntry, change: &FieldChange, reveal: bool) -> Option<Safe> {
    if let FieldChangeKind::Events { added, removed } = &change.kind {
        let mut words = Safe::default();
        let signed = added.iter().map(|name| ("+", name)).chain(removed.iter().map(|name| ("-", name)));
        for (sign, name) in signed.take(SHOWN) {
            words.push(&safe!("{}{} ", sign, clean_head(name, 60)));
        }
        return Some(words);
    }
    let lengths = match &change.kind {
        FieldChangeKind::Url { before, after } => [before, after].map(|side| side.as_ref().map_or(0, |part| part.raw.len())),
        FieldChangeKind::Value { before, after } => [before, after].map(|side| side.as_ref().map_or(0, String::len)),
        FieldChangeKind::Events { .. } => return None,
    };
    if lengths.iter().any(|&length| length > SHORT) {
        return None;
    }
    let (before, after) = DiffLine::of(entry.id(), change.clone()).sides(reveal);
    let none = || "(none)".into();
    Some(safe!("{} > {}", before.unwrap_or_else(none), after.unwrap_or_else(none)))
}
