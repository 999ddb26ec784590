//! The text of the detail pane. It is built for each frame, up to the lines that are visible, since a webhook may have a
//! hundred thousand events.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::terminal::canvas::Piece;
use super::theme::{Glyphs, Theme};
use crate::analysis::audit::FindingText;
use crate::base::clock;
use crate::base::text::{Safe, clean, clean_head};
use crate::config::TimeFormat;
use crate::model::{CreatedAt, Field, MalformedReason, RowRef, Webhook};
use crate::safe;

/// The columns of the labels on the left.
const LABEL: usize = 9;
/// The fewest lines for the URL and for the warning, so that the lines below keep their position from webhook to webhook:
/// they are easier to find, and unchanged cells are not sent again.
const URL_LINES: usize = 2;
/// The most columns of a value to show. The rest is in the raw JSON and in copies.
const MAX_VALUE: usize = 4000;

/// The form in which a webhook is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DetailForm {
    /// Its fields, for people.
    #[default]
    Fields,
    /// The object as the API sent it.
    Json,
}

impl DetailForm {
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Fields => Self::Json,
            Self::Json => Self::Fields,
        }
    }
}

/// Two lines with a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub label: &'static str,
    pub first: (Safe, ratatui::style::Style),
    pub second: (Safe, ratatui::style::Style),
}

/// The settings for showing values.
#[derive(Debug, Clone)]
pub struct Style {
    pub width: u16,
    pub form: DetailForm,
    /// The word for a webhook that is no longer listed, and shown in its last state.
    pub past: Option<&'static str>,
    pub reveal: bool,
    pub time: TimeFormat,
    pub zone: TimeZone,
    pub now: Timestamp,
    pub theme: Theme,
    pub glyphs: Glyphs,
}

/// The first `max` lines about a row, with its notes and findings.
pub fn lines(row: RowRef<'_>, notes: &[Note], told: &[FindingText], style: &Style, max: usize) -> Vec<Vec<Piece>> {
    let mut text = Text { style, max, lines: Vec::new() };
    match row.webhook() {
        _ if style.form == DetailForm::Json => text.json_lines(&row.pretty_json(style.reveal)),
        Some(webhook) => {
            text.webhook(&webhook, notes);
            text.findings(told);
        }
        None => text.malformed(row),
    }
    text.lines.truncate(max);
    text.lines
}

struct Text<'a> {
    style: &'a Style,
    max: usize,
    lines: Vec<Vec<Piece>>,
}

impl Text<'_> {
    fn is_full(&self) -> bool {
        self.lines.len() >= self.max
    }

    fn push(&mut self, pieces: Vec<Piece>) {
        self.lines.push(pieces);
    }

    fn blank(&mut self) {
        self.push(Vec::new());
    }

    /// A value with its label, wrapped below itself.
    fn labelled(&mut self, label: &'static str, value: &Safe, style: ratatui::style::Style) {
        self.wrapped(label, Safe::wrap, value, style);
    }

    /// As [`Self::labelled`], for sentences, which are broken at spaces.
    fn prose(&mut self, label: &'static str, words: &Safe, style: ratatui::style::Style) {
        self.wrapped(label, Safe::paragraph, words, style);
    }

    fn wrapped(
        &mut self,
        label: &'static str,
        wrap: fn(&Safe, usize) -> Vec<Safe>,
        value: &Safe,
        style: ratatui::style::Style,
    ) {
        let width = usize::from(self.style.width);
        let indent = if width >= 3 * LABEL { LABEL } else { 0 };
        let quiet = self.style.theme.quiet;
        let mut label = label;
        if indent == 0 && !label.is_empty() {
            self.push(vec![Piece::new(std::mem::take(&mut label), quiet)]);
        }
        for line in wrap(value, width.saturating_sub(indent)) {
            if self.is_full() {
                return;
            }
            let padded = if indent > 0 { safe!("{}", clean(&format!("{label:<LABEL$}"))) } else { Safe::default() };
            self.push(vec![Piece::new(padded, quiet), Piece::new(line, style)]);
            label = "";
        }
    }

    fn webhook(&mut self, webhook: &Webhook, notes: &[Note]) {
        let theme = self.style.theme;
        self.heading(webhook);
        let below = self.lines.len() + URL_LINES;
        let url = webhook.url.clean_head(self.style.reveal, MAX_VALUE);
        for line in url.wrap(self.style.width.into()) {
            self.push(vec![Piece::plain(line)]);
        }
        if let Some(warning) = deceptive(webhook) {
            self.push(vec![Piece::new(safe!("! {}", warning), theme.warning)]);
        }
        while self.lines.len() < below {
            self.blank();
        }
        let created = self.created(&webhook.created_at);
        self.labelled("created", &created, created_style(&webhook.created_at, theme));
        for note in notes {
            self.note(note);
        }
        self.events(webhook);
        for (name, value) in &webhook.unknown {
            if self.is_full() {
                return;
            }
            // A label is at most as wide as its column; a longer name gets a line of its own.
            let name = name.clean_head(80);
            if name.width() < LABEL {
                let value = value.summary(MAX_VALUE, self.style.reveal);
                let width = usize::from(self.style.width).saturating_sub(LABEL);
                let padded = safe!("{}", clean(&format!("{name:<LABEL$}")));
                let mut label = Some(padded);
                for line in value.wrap(width) {
                    let left = label.take().unwrap_or_else(|| clean(&" ".repeat(LABEL)));
                    self.push(vec![Piece::new(left, theme.quiet), Piece::plain(line)]);
                }
            } else {
                self.push(vec![Piece::new(name, theme.quiet)]);
                self.labelled("", &value.summary(MAX_VALUE, self.style.reveal), ratatui::style::Style::new());
            }
        }
    }

    /// Adds a note, in at least two lines, so that the lines below keep their position. Its first part is cut to one line.
    fn note(&mut self, note: &Note) {
        let below = self.lines.len() + 2;
        let width = usize::from(self.style.width).saturating_sub(LABEL);
        self.labelled(note.label, &note.first.0.fit(width, self.style.glyphs.ellipsis), note.first.1);
        if !note.second.0.is_empty() {
            self.labelled("", &note.second.0, note.second.1);
        }
        while self.lines.len() < below {
            self.blank();
        }
    }

    fn heading(&mut self, webhook: &Webhook) {
        let Style { theme, glyphs, .. } = *self.style;
        let (mark, word, style) = match &webhook.is_active {
            Field::Value(true) => (glyphs.active, "active".into(), theme.active),
            Field::Value(false) => (glyphs.inactive, "inactive".into(), theme.inactive),
            Field::Odd(json) => ("?", safe!("is_active: {}", json.clean_head(40)), theme.warning),
            Field::Missing => ("?", "is_active is missing".into(), theme.warning),
        };
        let id = webhook.id.clean_head(MAX_VALUE);
        let (state, style) = match self.style.past {
            None => (safe!("{} {}", mark, word), style),
            Some(past) => (safe!("{}, was {}", past, word), theme.warning),
        };
        let room = usize::from(self.style.width).saturating_sub(state.width() + 2);
        let gap = usize::from(self.style.width).saturating_sub(id.width().min(room) + state.width());
        if id.width() > room {
            for line in id.wrap(self.style.width.into()) {
                self.push(vec![Piece::new(line, theme.strong)]);
            }
            self.push(vec![Piece::new(state, style)]);
            return;
        }
        self.push(vec![Piece::new(id, theme.strong), Piece::plain(clean(&" ".repeat(gap))), Piece::new(state, style)]);
    }

    fn events(&mut self, webhook: &Webhook) {
        let theme = self.style.theme;
        match &webhook.events {
            Field::Missing => self.labelled("events", &"missing".into(), theme.warning),
            Field::Odd(json) => {
                self.labelled("events", &safe!("{} (not a list)", json.clean_head(MAX_VALUE)), theme.warning);
            }
            Field::Value(events) if events.is_empty() => self.labelled("events", &"none".into(), theme.warning),
            Field::Value(events) => {
                let mut label = "events";
                for event in events {
                    if self.is_full() {
                        return;
                    }
                    self.labelled(label, &event.clean_head(MAX_VALUE), ratatui::style::Style::new());
                    label = "";
                }
            }
        }
    }

    /// The findings, the worst first, with their advice.
    fn findings(&mut self, told: &[FindingText]) {
        let Style { theme, glyphs, .. } = *self.style;
        let mut label = "findings";
        for FindingText { rule, severity, message } in told {
            if self.is_full() {
                return;
            }
            let words = safe!("{} {}: {}", glyphs.severity(*severity), rule.id, message);
            self.prose(label, &words, theme.severity(*severity));
            self.prose("", &safe!("What to do: {}", rule.advice), theme.quiet);
            label = "";
        }
    }

    fn created(&self, created: &Field<CreatedAt>) -> Safe {
        let Style { glyphs, time, now, .. } = *self.style;
        match created {
            Field::Missing => "missing".into(),
            Field::Odd(json) => safe!("{} (not a time)", json.clean_head(200)),
            Field::Value(created) => match created.at() {
                None => safe!("{} (not a time)", created.clean().fit(200, glyphs.ellipsis)),
                Some(at) => {
                    let absolute = match time {
                        TimeFormat::Local => clock::local(at, &self.style.zone),
                        TimeFormat::Relative | TimeFormat::Utc => clock::utc(at),
                    };
                    safe!("{} {} {}", absolute, glyphs.dot, clock::age_in_words(at, now))
                }
            },
        }
    }

    fn malformed(&mut self, row: RowRef<'_>) {
        let theme = self.style.theme;
        self.push(vec![Piece::new("malformed row", theme.error)]);
        self.push(vec![Piece::plain(safe!(
            "The API sent an entry that is not a valid webhook: {}.",
            row.malformed().map_or("", MalformedReason::explain)
        ))]);
        self.blank();
        self.json_lines(&row.pretty_json(self.style.reveal));
    }

    fn json_lines(&mut self, json: &[Safe]) {
        for line in json {
            for piece in clean_head(line.as_str(), MAX_VALUE).chunks(self.style.width.into()) {
                if self.is_full() {
                    return;
                }
                self.push(vec![Piece::plain(piece)]);
            }
        }
    }
}

fn created_style(created: &Field<CreatedAt>, theme: Theme) -> ratatui::style::Style {
    match created {
        Field::Value(created) if created.at().is_some() => ratatui::style::Style::new(),
        _ => theme.warning,
    }
}

/// The real destination, if the URL looks like another one.
fn deceptive(webhook: &Webhook) -> Option<Safe> {
    let Some(url) = webhook.url.parse() else { return Some("not a valid URL".into()) };
    let host = url.host_str().unwrap_or_default();
    let raw = webhook.url.raw();
    let authority = raw.split_once("://").map_or(raw, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let seen = authority
        .rsplit_once(':')
        .map_or(authority, |(host, port)| if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { authority });
    (!seen.eq_ignore_ascii_case(host)).then(|| safe!("delivers to {}", clean_head(host, 260)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::row_of;

    fn shown(json: &str, form: DetailForm, max: usize) -> Vec<String> {
        let row = row_of(json);
        let style = Style {
            width: 60,
            form,
            past: None,
            reveal: false,
            time: TimeFormat::Utc,
            zone: TimeZone::UTC,
            now: "2026-06-15T12:00:00Z".parse().unwrap(),
            theme: Theme::new(&crate::config::ThemeConfig::default(), true),
            glyphs: Glyphs::unicode(),
        };
        let text = |line: Vec<Piece>| line.iter().map(|piece| piece.text.as_str()).collect::<String>().trim_end().to_owned();
        lines(row.row(), &[], &[], &style, max).into_iter().map(text).collect()
    }

    #[test]
    fn every_field_is_shown_unknown_ones_too() {
        let lines = shown(
            r#"{"id":"whk_1","url":"https://x.com/a?token=s3","events":["call.completed","call.failed"],"is_active":true,
                "created_at":"2024-04-01T08:00:00.000Z","retries":3,"description of it":{"a":[1e30]}}"#,
            DetailForm::Fields,
            100,
        );
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["whk_1", "●", "active"]);
        assert_eq!(lines[1], "https://x.com/a?token=***");
        assert_eq!(
            lines[3..],
            [
                "created  2024-04-01 08:00:00 UTC · 2y ago",
                "events   call.completed",
                "         call.failed",
                "retries  3",
                "description of it",
                r#"         {"a":[1e30]}"#,
            ]
        );
    }

    #[test]
    fn wrong_types_are_shown_as_they_came_and_marked() {
        let lines = shown(r#"{"id":"a","url":"u","events":"x","is_active":"true","created_at":5}"#, DetailForm::Fields, 100)
            .join("\n");
        for mark in [r#"? is_active: "true""#, "! not a valid URL", r#""x" (not a list)"#, "5 (not a time)"] {
            assert!(lines.contains(mark), "{mark} is not in\n{lines}");
        }
    }

    #[test]
    fn the_real_host_is_named_when_the_eye_would_see_another() {
        for (url, host) in [
            ("https://good.com@evil.com/x", Some("evil.com")),
            ("https://аpple.com/x", Some("xn--pple-43d.com")),
            ("https://2130706433/", Some("127.0.0.1")),
            ("https://x.com:8443/", None),
            ("https://X.com/", None),
        ] {
            let text = shown(&format!(r#"{{"id":"a","url":"{url}"}}"#), DetailForm::Fields, 100).join("\n");
            match host {
                Some(host) => assert!(text.contains(&format!("! delivers to {host}")), "{url}: {text}"),
                None => assert!(!text.contains("delivers to"), "{url}: {text}"),
            }
        }
    }

    #[test]
    fn raw_json_is_the_contract_then_the_rest() {
        let lines = shown(r#"{"n":1E400,"id":"a","url":"u","secret":"x"}"#, DetailForm::Json, 100);
        assert_eq!(lines, ["{", r#"  "id": "a","#, r#"  "url": "u","#, r#"  "n": 1E400"#, "}"]);
    }

    #[test]
    fn no_more_lines_are_made_than_are_looked_at() {
        let events = vec!["\"e\""; 100_000].join(",");
        assert_eq!(shown(&format!(r#"{{"id":"a","url":"u","events":[{events}]}}"#), DetailForm::Fields, 20).len(), 20);
    }
}
