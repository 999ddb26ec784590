//! Keys and pasted text in what lies over the panes.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::keymap::{ACTIONS, Action, COPIES, Key};
use crate::text::Untrusted;
use crate::tui::app::App;
use crate::tui::message::Effect;
use crate::tui::palette::Palette;
use crate::tui::ui::Overlay;

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

    pub(super) fn key_in_palette(&mut self, event: KeyEvent) -> Vec<Effect> {
        let Overlay::Palette(palette) = &mut self.ui.overlay else { return Vec::new() };
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let is_plain = !control && !event.modifiers.contains(KeyModifiers::ALT);
        match event.code {
            KeyCode::Esc => return self.close_overlay(),
            KeyCode::Enter => {
                let chosen = palette.chosen().map(|entry| entry.action);
                self.ui.overlay = Overlay::None;
                let mut effects = vec![Effect::Draw];
                effects.extend(chosen.map(|action| self.perform(action)).unwrap_or_default());
                return effects;
            }
            KeyCode::Down | KeyCode::Tab => palette.move_by(1),
            KeyCode::Up | KeyCode::BackTab => palette.move_by(-1),
            KeyCode::Char('n') if control => palette.move_by(1),
            KeyCode::Char('p') if control => palette.move_by(-1),
            KeyCode::Char('u') if control => *palette = Palette::default(),
            KeyCode::Backspace => {
                let emptied = !palette.backspace();
                if emptied {
                    return self.close_overlay();
                }
            }
            KeyCode::Char(c) if is_plain => palette.insert(c.encode_utf8(&mut [0; 4])),
            _ => return Vec::new(),
        }
        vec![Effect::Draw]
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
            Overlay::Palette(palette) => {
                palette.insert(text.raw());
                vec![Effect::Draw]
            }
            Overlay::Profiles(picker) => {
                picker.insert(text.raw(), &self.settings.profiles);
                vec![Effect::Draw]
            }
            Overlay::Bases(bases) => {
                bases.picker.insert(text.raw(), &bases.choices);
                vec![Effect::Draw]
            }
            Overlay::Filter => self.type_into_filter(text.raw()),
            Overlay::Export(_) => self.type_into_export(text.raw()),
            // Text is no command.
            Overlay::None | Overlay::Help { .. } | Overlay::CopyMenu(_) | Overlay::PlainText(_) => Vec::new(),
        }
    }
}
