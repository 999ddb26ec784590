//! Colors and symbols. Every meaning has a symbol or a word besides its color, so that nothing is lost without colors.

use ratatui::style::{Color, Modifier, Style};

use crate::analysis::audit::Severity;
use crate::config;

/// Styles by meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    pub accent: Style,
    pub active: Style,
    pub inactive: Style,
    pub warning: Style,
    pub error: Style,
    pub quiet: Style,
    pub strong: Style,
    /// Text that matches the filter.
    pub matched: Style,
    /// The selected entry of a menu.
    pub selected: Style,
    coloured: bool,
}

impl Theme {
    /// Creates a theme with the user's colors, or without any. Without colors, no color is ever set, not even the default
    /// one, since some writers turn that into a full reset.
    pub fn new(colours: &config::ThemeConfig, coloured: bool) -> Self {
        let style = |colour| coloured_style(colour, coloured);
        Self {
            accent: style(colours.accent).add_modifier(Modifier::BOLD),
            active: style(colours.active),
            inactive: style(colours.inactive),
            warning: style(colours.warning),
            error: style(colours.error).add_modifier(Modifier::BOLD),
            quiet: style(colours.quiet),
            strong: Style::new().add_modifier(Modifier::BOLD),
            matched: style(colours.accent).add_modifier(Modifier::UNDERLINED),
            selected: Style::new().add_modifier(Modifier::REVERSED),
            coloured,
        }
    }

    /// The style of a severity.
    pub const fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Error => self.error,
            Severity::Warning => self.warning,
            Severity::Info => self.quiet,
        }
    }

    /// The style of a color that is not in the theme.
    pub fn colour(self, colour: Color) -> Style {
        coloured_style(colour, self.coloured)
    }

    /// The style of the name of a workspace that has a color.
    pub fn mark(self, colour: Option<Color>) -> Style {
        match colour {
            Some(colour) if self.coloured => self.colour(colour).add_modifier(Modifier::BOLD | Modifier::REVERSED),
            _ => self.accent,
        }
    }
}

fn coloured_style(colour: Color, coloured: bool) -> Style {
    if coloured && colour != Color::Reset { Style::new().fg(colour) } else { Style::new() }
}

/// The symbols, in Unicode or in ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    pub ellipsis: &'static str,
    pub horizontal: &'static str,
    pub vertical: &'static str,
    pub active: &'static str,
    pub inactive: &'static str,
    pub selected: &'static str,
    pub dot: &'static str,
    pub placeholder: &'static str,
    pub bar: &'static str,
    /// The symbols of an expanded and a collapsed group.
    pub open: &'static str,
    pub closed: &'static str,
    pub ascending: &'static str,
    pub descending: &'static str,
    pub filter: &'static str,
    pub marked: &'static str,
}

impl Glyphs {
    pub const fn unicode() -> Self {
        Self {
            ellipsis: "…",
            horizontal: "─",
            vertical: "│",
            active: "●",
            inactive: "○",
            selected: "▌",
            dot: "·",
            placeholder: "┄",
            bar: "▇",
            open: "▾",
            closed: "▸",
            ascending: "▲",
            descending: "▼",
            filter: "⌕",
            marked: "✓",
        }
    }

    pub const fn ascii() -> Self {
        Self {
            ellipsis: "~",
            horizontal: "-",
            vertical: "|",
            active: "*",
            inactive: "o",
            selected: ">",
            dot: "-",
            placeholder: ".",
            bar: "#",
            open: "-",
            closed: "+",
            ascending: "^",
            descending: "v",
            filter: "/",
            marked: "#",
        }
    }

    /// The symbol of a severity.
    pub const fn severity(self, severity: Severity) -> &'static str {
        match severity {
            Severity::Error if self.is_ascii() => "X",
            Severity::Error => "✗",
            Severity::Warning => "!",
            Severity::Info => "i",
        }
    }

    /// The symbols of a reachable and an unreachable destination.
    pub const fn probe(self) -> [&'static str; 2] {
        if self.is_ascii() { ["=", "x"] } else { ["→", "✗"] }
    }

    pub const fn is_ascii(self) -> bool {
        self.dot.is_ascii()
    }
}
