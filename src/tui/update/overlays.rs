//! Keys and pasted text in overlays.

use crossterm::event::{KeyCode, KeyEvent};

use crate::base::text::Untrusted;
use crate::keymap::{ACTIONS, Action, COPIES, Copy, Key};
use crate::tui::app::App;
use crate::tui::message::{Effect, draw_if};
use crate::tui::picker::Picked;
use crate::tui::session::changes::BaselineChoice;
use crate::tui::ui::Overlay;

/// A choice that was taken in a picker.
enum Pick {
    Action(Action),
    /// The index of a profile.
    Profile(usize),
    Baseline(BaselineChoice),
    Copy(Copy),
}

impl App {
    pub(super) fn open_overlay(&mut self, overlay: Overlay) -> Vec<Effect> {
        self.ui.overlay = overlay;
        vec![Effect::Draw]
    }

    pub(super) fn close_overlay(&mut self) -> Vec<Effect> {
        self.open_overlay(Overlay::None)
    }

    pub(super) fn key_in_help(&mut self, key: Key, code: KeyCode) -> Vec<Effect> {
        let action = self.settings.keymap.action(key);
        if code == KeyCode::Esc || matches!(action, Some(Action::Help | Action::Quit | Action::Back)) {
            return self.close_overlay();
        }
        let page = isize::try_from(self.ui.size.1 / 2).unwrap_or(1).max(1);
        let lines = match action {
            Some(Action::MoveDown) => 1,
            Some(Action::MoveUp) => -1,
            Some(Action::PageDown | Action::HalfPageDown) => page,
            Some(Action::PageUp | Action::HalfPageUp) => -page,
            Some(Action::First) => isize::MIN,
            Some(Action::Last) => isize::MAX,
            _ => return Vec::new(),
        };
        let body = usize::from(self.ui.size.1.saturating_sub(2));
        let Overlay::Help { scroll } = &mut self.ui.overlay else { return Vec::new() };
        *scroll = scroll.saturating_add_signed(lines).min((ACTIONS.len() + COPIES.len() + 2).saturating_sub(body));
        vec![Effect::Draw]
    }

    /// Handles a key in a picker, and the choice that it takes.
    pub(super) fn key_in_picker(&mut self, event: KeyEvent) -> Vec<Effect> {
        let action = self.settings.keymap.action(Key::from(event));
        let picked = match &mut self.ui.overlay {
            Overlay::Palette(picker) => picker.key(event, action).map(Pick::Action),
            Overlay::Profiles(picker) => picker.key(event, action).map(Pick::Profile),
            Overlay::Baselines(picker) => picker.key(event, action).map(Pick::Baseline),
            Overlay::CopyMenu(menu) => menu.picker.key(event, action).map(Pick::Copy),
            _ => Picked::Nothing,
        };
        match picked {
            Picked::Nothing => Vec::new(),
            Picked::Changed => vec![Effect::Draw],
            Picked::Closed => self.close_overlay(),
            Picked::Chosen(pick) => self.take_pick(pick),
        }
    }

    fn take_pick(&mut self, pick: Pick) -> Vec<Effect> {
        let overlay = std::mem::take(&mut self.ui.overlay);
        match (pick, overlay) {
            (Pick::Action(action), _) => {
                let mut effects = vec![Effect::Draw];
                effects.extend(self.perform(action));
                effects
            }
            (Pick::Profile(at), _) => self.switch(at),
            (Pick::Baseline(chosen), _) => self.change_baseline(chosen),
            (Pick::Copy(what), Overlay::CopyMenu(menu)) => self.copy(*menu, what),
            (Pick::Copy(_), _) => Vec::new(),
        }
    }

    pub(super) fn key_in_plain_text(&mut self, key: Key, code: KeyCode) -> Vec<Effect> {
        let exports = self.settings.keymap.action(key) == Some(Action::Export);
        let page = isize::try_from(self.ui.size.1).unwrap_or(isize::MAX);
        let Overlay::PlainText(plain) = &mut self.ui.overlay else { return Vec::new() };
        match code {
            KeyCode::Down | KeyCode::Char('j') => plain.scroll_by(1),
            KeyCode::Up | KeyCode::Char('k') => plain.scroll_by(-1),
            KeyCode::PageDown => plain.scroll_by(page),
            KeyCode::PageUp => plain.scroll_by(-page),
            _ if exports => return self.open_export(),
            _ => return self.close_overlay(),
        }
        vec![Effect::Draw]
    }

    pub(super) fn paste(&mut self, text: &Untrusted) -> Vec<Effect> {
        match &mut self.ui.overlay {
            Overlay::Palette(picker) => draw_if(picker.paste(text.raw())),
            Overlay::Profiles(picker) => draw_if(picker.paste(text.raw())),
            Overlay::Baselines(picker) => draw_if(picker.paste(text.raw())),
            Overlay::CopyMenu(menu) => draw_if(menu.picker.paste(text.raw())),
            Overlay::Filter => self.type_into_filter(text.raw()),
            Overlay::Export(_) => self.type_into_export(text.raw()),
            // Pasted text is not a command.
            Overlay::None | Overlay::Help { .. } | Overlay::PlainText(_) => Vec::new(),
        }
    }
}
