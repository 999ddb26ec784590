//! The steps of the terminal: size, colors, Unicode and clipboard.

use std::io::{self, IsTerminal};
use std::os::fd::BorrowedFd;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::report::{DoctorReport, StepMark, Stop};
use crate::base::text::{Safe, clean_head};
use crate::cli::ColorArg;
use crate::config::{Clipboard, Environment, Multiplexer, UiConfig};
use crate::safe;

/// Time limit of tmux for an option.
const TMUX_TIME: Duration = Duration::from_secs(2);
/// Bytes read from tmux: the values are short words.
const TMUX_BYTES: u64 = 64;

pub(super) async fn examine(
    report: &mut DoctorReport,
    ui: &UiConfig,
    env: &Environment,
    color: ColorArg,
) -> Result<(), Stop> {
    say_terminal(report, env)?;
    say_colours(report, env, color)?;
    say_unicode(report, ui, env)?;
    say_clipboard(report, ui, env).await
}

fn say_terminal(report: &mut DoctorReport, env: &Environment) -> Result<(), Stop> {
    let term = match env.term.as_deref() {
        None | Some("") => "TERM is not set".into(),
        Some(term) => safe!("TERM={}", clean_head(term, 40)),
    };
    let Some((columns, rows)) = size() else {
        return report.line(
            StepMark::Note,
            "terminal",
            &safe!("not a terminal: commands work, the explorer does not; {}", term),
        );
    };
    let size = match (columns, rows) {
        (0, _) | (_, 0) => "unknown size".into(),
        _ => safe!("{} columns, {} rows", columns, rows),
    };
    let words = safe!("{}, {}", size, term);
    match env.term.as_deref() {
        None | Some("" | "dumb") => {
            report.line(StepMark::Note, "terminal", &safe!("{}: the explorer needs a terminal with cursor control", words))
        }
        Some(_) => report.ok("terminal", &words),
    }
}

/// Columns and rows, also when the output goes into a pipe or a file.
fn size() -> Option<(u16, u16)> {
    let size =
        |terminal: BorrowedFd<'_>| rustix::termios::tcgetwinsize(terminal).ok().map(|size| (size.ws_col, size.ws_row));
    if io::stdout().is_terminal() {
        return size(rustix::stdio::stdout());
    }
    if io::stdin().is_terminal() { size(rustix::stdio::stdin()) } else { None }
}

fn say_colours(report: &mut DoctorReport, env: &Environment, color: ColorArg) -> Result<(), Stop> {
    if !color.enabled(env.no_color) {
        let why = if color == ColorArg::Never { "--color never" } else { "NO_COLOR is set; --color always overrides it" };
        return report.line(StepMark::Note, "colors", &safe!("off: {}", why));
    }
    let more = match env.colorterm.as_deref() {
        None | Some("") => "COLORTERM is not set".into(),
        Some(value) => safe!("COLORTERM={}", clean_head(value, 40)),
    };
    report.ok("colors", &safe!("on, 16 ANSI colors ({})", more))
}

fn say_unicode(report: &mut DoctorReport, ui: &UiConfig, env: &Environment) -> Result<(), Stop> {
    let locale = match &env.locale {
        Some((name, value)) => safe!("{}={}", *name, clean_head(value, 40)),
        None => "no locale set".into(),
    };
    if ui.ascii {
        return report.ok("unicode", &safe!("off: ui.ascii is on ({})", locale));
    }
    if env.is_linux_console() {
        return report.ok("unicode", &"off: the Linux console font lacks most symbols (TERM=linux)".into());
    }
    if env.utf8 {
        return report.ok("unicode", &locale);
    }
    report.line(StepMark::Note, "unicode", &safe!("{}: not UTF-8, so the explorer draws only ASCII", locale))
}

async fn say_clipboard(report: &mut DoctorReport, ui: &UiConfig, env: &Environment) -> Result<(), Stop> {
    if ui.clipboard == Clipboard::Screen {
        return report.ok("clipboard", &"plain screen for selecting by hand (ui.clipboard)".into());
    }
    match env.multiplexer {
        Some(Multiplexer::Tmux) => {}
        Some(Multiplexer::Screen) => {
            let words = "OSC 52, wrapped for GNU screen, if the terminal supports it; else set ui.clipboard = \"screen\"";
            return report.ok("clipboard", &words.into());
        }
        None => {
            return report
                .ok("clipboard", &"OSC 52, if the terminal supports it; else set ui.clipboard = \"screen\"".into());
        }
    }
    let (set_clipboard, allow_passthrough) = tokio::join!(tmux_option("set-clipboard"), tmux_option("allow-passthrough"));
    let (mark, words) = judge_tmux(set_clipboard.as_deref(), allow_passthrough.as_deref());
    report.line(mark, "clipboard", &words)
}

/// Decides from two options of tmux if OSC 52 works. tmux accepts the sequence with `set-clipboard on`, and passes it through
/// with `allow-passthrough`; older versions, which lack the latter, always pass it through.
fn judge_tmux(set_clipboard: Option<&str>, allow_passthrough: Option<&str>) -> (StepMark, Safe) {
    match (set_clipboard, allow_passthrough) {
        (None, _) => (StepMark::Note, "OSC 52 inside tmux, whose options could not be read".into()),
        (Some("on"), _) => (StepMark::Ok, "OSC 52; tmux accepts it (set-clipboard on)".into()),
        (_, Some("on" | "all")) => (StepMark::Ok, "OSC 52; tmux passes it through (allow-passthrough)".into()),
        (_, None) => (StepMark::Ok, "OSC 52; this version of tmux passes it through".into()),
        (Some(_), Some(_)) => {
            let words = "tmux blocks OSC 52; run: tmux set -s set-clipboard on (or set ui.clipboard = \"screen\")";
            (StepMark::Note, words.into())
        }
    }
}

/// The value of a global option; `None` if tmux does not answer.
async fn tmux_option(name: &str) -> Option<String> {
    let mut child = Command::new("tmux")
        .args(["show-options", "-gv", name])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let stdout = child.stdout.take()?;
    let told = async {
        let mut text = String::new();
        stdout.take(TMUX_BYTES).read_to_string(&mut text).await.ok()?;
        child.wait().await.ok()?.success().then(|| text.trim().to_owned())
    };
    timeout(TMUX_TIME, told).await.ok().flatten().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tmux_accepts_the_sequence_passes_it_through_or_blocks_it() {
        for (set_clipboard, allow_passthrough, mark, words) in [
            (Some("on"), Some("off"), StepMark::Ok, "accepts it"),
            (Some("external"), Some("on"), StepMark::Ok, "passes it through"),
            (Some("external"), Some("all"), StepMark::Ok, "passes it through"),
            (Some("external"), None, StepMark::Ok, "passes it through"),
            (Some("external"), Some("off"), StepMark::Note, "tmux set -s set-clipboard on"),
            (Some("off"), Some("off"), StepMark::Note, "tmux set -s set-clipboard on"),
            (None, None, StepMark::Note, "could not be read"),
        ] {
            let (judged, said) = judge_tmux(set_clipboard, allow_passthrough);
            assert_eq!(judged, mark, "{said}");
            assert!(said.as_str().contains(words), "{said}");
        }
    }
}
