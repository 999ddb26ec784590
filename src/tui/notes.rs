//! Facts about a webhook besides its fields: the probe result, and the deliveries. Each has a fixed number of lines, so that
//! positions do not change from webhook to webhook.

use ratatui::style::Style;

use super::app::App;
use super::detail::Note;
use super::session::deliveries::Figures;
use super::session::probes::{ProbeStatus, milliseconds};
use super::theme::{Glyphs, Theme};
use crate::analysis::deliveries::DeliveryStats;
use crate::analysis::probed::Seen;
use crate::analysis::reach::{State, Step, Trouble};
use crate::base::clock;
use crate::base::text::{Safe, clean, grouped};
use crate::keymap::Action;
use crate::model::RowRef;
use crate::safe;

/// The most columns of a message from another program, such as an error.
const MAX_WORDS: usize = 120;

/// All notes about a row, in their order.
pub fn notes(app: &App, row: RowRef<'_>) -> Vec<Note> {
    if !row.is_webhook() {
        return Vec::new();
    }
    let probe = app.session.probe_status(row).map(|sight| probe(app, sight));
    let deliveries = app.figures_of(row).map(|figures| deliveries(app, &figures));
    probe.into_iter().chain(deliveries).collect()
}

fn probe(app: &App, sight: ProbeStatus<'_>) -> Note {
    let theme = app.settings.theme;
    let note = |first: Safe, style: Style, second: Safe| Note {
        label: "probe",
        first: (first, style),
        second: (second, theme.quiet),
    };
    match sight {
        ProbeStatus::Unknown => {
            let key = app.settings.key(Action::Probe);
            note(safe!("not probed; {} probes it", key), theme.quiet, Safe::default())
        }
        ProbeStatus::UnderWay => note("probing".into(), theme.quiet, Safe::default()),
        ProbeStatus::NoUrl => {
            let trouble = Trouble::InvalidUrl;
            note(safe!("? {}: {}", trouble.word(), trouble.words()), theme.warning, trouble.advice().into())
        }
        ProbeStatus::Seen(seen) => {
            let (words, style) = seen_in_words(seen, theme, &app.settings.glyphs);
            let age = clock::age_in_words(seen.at, app.now.wall);
            let second = match seen.reach.trouble {
                Some(trouble) => safe!("probed {}: {}", age, trouble.advice()),
                None => safe!("probed {}: reachable from this host", age),
            };
            note(words, style, second)
        }
    }
}

/// `dns ok · tls ok, 43 d left · 87 ms`, or the problem.
fn seen_in_words(seen: &Seen, theme: Theme, glyphs: &Glyphs) -> (Safe, Style) {
    let reach = &seen.reach;
    if let Some(trouble) = reach.trouble {
        let mut words = safe!("{}: {}", trouble.word(), trouble.words());
        if let Some(detail) = &reach.detail {
            words.push(&safe!(" ({})", detail.fit(MAX_WORDS, glyphs.ellipsis)));
        }
        let [_, dead] = glyphs.probe();
        return match reach.state() {
            State::Untried => (safe!("? {}", words), theme.quiet),
            _ => (safe!("{} {}", dead, words), theme.error),
        };
    }
    let mut parts: Vec<Safe> = Vec::new();
    if reach.times.dns.is_some() {
        parts.push(safe!("{} ok", Step::Dns.name()));
    }
    parts.push(match reach.certificate {
        Some(lasts) => safe!("{} ok, {}d left", Step::Tls.name(), lasts.days_left),
        None if reach.times.tls.is_some() => safe!("{} ok", Step::Tls.name()),
        None => safe!("{} ok, no tls", Step::Tcp.name()),
    });
    parts.push(safe!("{} ms", grouped(milliseconds(seen))));
    let words = joined(&parts, glyphs);
    if reach.is_expiring() { (safe!("! {}", words), theme.warning) } else { (words, theme.active) }
}

fn deliveries(app: &App, figures: &Figures) -> Note {
    let Theme { quiet, warning, error, .. } = app.settings.theme;
    let note =
        |first: Safe, style: Style, second: Safe| Note { label: "attempts", first: (first, style), second: (second, quiet) };
    match figures {
        Figures::Reading => note("reading the file".into(), quiet, Safe::default()),
        Figures::Failed(why) => note(safe!("! {}", why), warning, Safe::default()),
        Figures::None => note("none in the file".into(), quiet, Safe::default()),
        Figures::Known { stats, fails } => {
            let mut words = safe!("{}, {} failed", grouped(stats.attempts), grouped(stats.failures));
            if stats.failures > 0 {
                words.push(&safe!(" ({})", percent(stats)));
            }
            if stats.retries > 0 {
                words.push(&safe!(", {} retries", grouped(stats.retries)));
            }
            if stats.by_url {
                words.push(&", matched by URL".into());
            }
            let (words, style) = if *fails { (safe!("! {}", words), error) } else { (words, Style::new()) };
            note(words, style, last_failures(app, stats))
        }
    }
}

/// The time of the last failure, and the most frequent status and error.
fn last_failures(app: &App, stats: &DeliveryStats) -> Safe {
    let glyphs = &app.settings.glyphs;
    let mut parts = Vec::new();
    if let Some(at) = stats.last_failure {
        parts.push(safe!("last failure {}", clock::age_in_words(at, app.now.wall)));
    }
    if let Some((status, times)) = stats.top_status {
        parts.push(safe!("{}\u{d7} {}", grouped(times), status));
    }
    if let Some((error, times)) = &stats.top_error {
        parts.push(safe!("{}\u{d7} {}", grouped(*times), error.clean_head(MAX_WORDS)));
    }
    let words = joined(&parts, glyphs);
    if glyphs.is_ascii() { clean(&words.as_str().replace('\u{d7}', "x")) } else { words }
}

/// The percentage of failed attempts, rounded down, but at least 1 if any failed.
pub fn percent(stats: &DeliveryStats) -> Safe {
    let failed = u128::from(stats.failures) * 100;
    let attempts = u128::from(stats.attempts.max(1));
    let percent = if stats.failures == 0 { 0 } else { (failed / attempts).max(1) };
    safe!("{}%", u64::try_from(percent).unwrap_or(100))
}

fn joined(parts: &[Safe], glyphs: &Glyphs) -> Safe {
    let mut words = Safe::default();
    for part in parts {
        if !words.is_empty() {
            words.push(&safe!(" {} ", glyphs.dot));
        }
        words.push(part);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_never_none_in_a_hundred() {
        let percent =
            |attempts, failures| percent(&DeliveryStats { attempts, failures, ..DeliveryStats::default() }).to_string();
        assert_eq!((percent(0, 0).as_str(), percent(10_000, 1).as_str()), ("0%", "1%"));
        assert_eq!((percent(1000, 999).as_str(), percent(3, 3).as_str()), ("99%", "100%"));
    }
}
