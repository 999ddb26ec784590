//! The settings of the explorer: those of the config, and those that the user changes at run time. They are kept when the
//! workspace changes.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::theme::{Glyphs, Theme};
use crate::base::text::Safe;
use crate::config::{self, Clipboard, Config, Profile, TimeFormat};
use crate::keymap::{Action, Keymap};

#[derive(Debug, Clone)]
pub struct ExplorerSettings {
    /// The workspaces that can be switched between.
    pub profiles: Vec<Profile>,
    pub keymap: Keymap,
    pub theme: Theme,
    pub glyphs: Glyphs,
    /// The local time zone.
    pub zone: TimeZone,
    pub time: TimeFormat,
    pub mouse: bool,
    pub clipboard: Clipboard,
    /// The time between two automatic refreshes.
    pub refresh_every: Duration,
    /// The most rows that are loaded without asking.
    pub auto_load_limit: u64,
    /// The rules of the audit, and its waivers.
    pub audit: Arc<config::AuditConfig>,
    /// Known event names besides the vendor's.
    pub known_events: Arc<[Box<str>]>,
}

impl ExplorerSettings {
    /// The settings of a config, for a terminal with colors and Unicode.
    pub fn of(config: &Config) -> Self {
        let ui = &config.ui;
        Self {
            profiles: Vec::new(),
            keymap: config.keymap.clone(),
            theme: Theme::new(&config.theme, true),
            glyphs: if ui.ascii { Glyphs::ascii() } else { Glyphs::unicode() },
            zone: TimeZone::UTC,
            time: ui.time,
            mouse: ui.mouse,
            clipboard: ui.clipboard,
            refresh_every: ui.refresh,
            auto_load_limit: ui.auto_load_limit,
            audit: Arc::new(config.audit.clone()),
            known_events: config.audit.known_events.iter().map(|name| name.raw().into()).collect(),
        }
    }

    /// The key of an action as it is shown; empty if it has none.
    pub fn key(&self, action: Action) -> Safe {
        self.keymap.key(action).unwrap_or_default()
    }

    /// The time zone in which times are shown.
    pub fn shown_zone(&self) -> TimeZone {
        match self.time {
            TimeFormat::Utc => TimeZone::UTC,
            TimeFormat::Relative | TimeFormat::Local => self.zone.clone(),
        }
    }
}
