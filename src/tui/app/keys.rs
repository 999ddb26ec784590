//! Keys and pasted text.

use super::{
    ACTIONS, Action, App, COPIES, Effect, Everything, Focus, Form, Key, KeyCode, KeyEvent, KeyEventKind, KeyModifiers,
    Overlay, Palette, Untrusted, View, draw_if, grouped, safe,
};
use crate::tui::views::Lines;

/// What going back may undo besides the way here. The keys that lead to the left of the screen undo nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clears {
    Filter,
    Nothing,
}

impl App {
    pub(super) fn key(&mut self, event: KeyEvent) -> Vec<Effect> {
        if event.kind == KeyEventKind::Release {
            return Vec::new();
        }
        let key = Key::from(event);
        if key == Key::CTRL_C {
            return vec![Effect::Quit];
        }
        self.presses.press(self.now.instant);
        // A letter with Ctrl or Alt is not the letter.
        let is_plain = !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        let code = if is_plain { event.code } else { KeyCode::Null };
        if self.takes_others_keys() {
            // Something opened or closed that was not drawn yet: the key was meant for something else.
            return vec![Effect::Draw];
        }
        let had_notice = self.notice.take().is_some();
        let effects = match self.overlay {
            Overlay::None => match self.setup.keymap.action(key) {
                Some(Action::Back) if matches!(event.code, KeyCode::Char('h') | KeyCode::Left) => {
                    self.go_back(Clears::Nothing)
                }
                Some(action) => self.perform_in_list(action),
                None => Vec::new(),
            },
            Overlay::Help { .. } => self.key_in_help(key, code),
            Overlay::Palette(_) => self.key_in_palette(event),
            Overlay::Profiles(_) => self.key_in_profiles(event),
            Overlay::Bases(_) => self.key_in_bases(event),
            Overlay::CopyMenu(_) => self.key_in_copy_menu(code),
            Overlay::Filter => self.key_in_filter(event),
            Overlay::Export(_) => self.key_in_export(event),
            Overlay::PlainText(_) => self.key_in_plain_text(key, code),
        };
        if effects.is_empty() { draw_if(had_notice) } else { effects }
    }

    /// Performs the action of a key. A user who types ahead counts lines from the last frame. That fails for moves to an end
    /// or by a page, and for moves by a line that have no line to go to: they may lead elsewhere than they would have in
    /// that frame.
    fn perform_in_list(&mut self, action: Action) -> Vec<Effect> {
        let from = self.selected_place();
        let is_move = self.focus == Focus::List && action.is_move();
        let effects = self.perform(action);
        let is_by_lines = matches!(action, Action::Mark | Action::MoveDown | Action::MoveUp);
        if is_move && !(is_by_lines && self.selected_place() != from) {
            self.lose_count();
        }
        effects
    }

    pub(super) fn perform(&mut self, action: Action) -> Vec<Effect> {
        if action != Action::Copy {
            // Only the same copy right after another asks for the plain screen.
            self.last_copy = None;
        }
        if let Some(view) = View::of_action(action) {
            return self.show_view(view);
        }
        if matches!(action, Action::Open | Action::Mark | Action::Copy | Action::Probe)
            && let Some(effects) = self.refuse_unseen()
        {
            return effects;
        }
        if let Some(effects) = self.perform_in_groups(action).or_else(|| self.perform_in_changes(action)) {
            return effects;
        }
        let page = i64::from(self.layout().panes.list().height.max(1));
        match action {
            Action::MoveDown => self.go(1),
            Action::MoveUp => self.go(-1),
            Action::HalfPageDown => self.go((page / 2).max(1)),
            Action::HalfPageUp => self.go(-(page / 2).max(1)),
            Action::PageDown => self.go(page),
            Action::PageUp => self.go(-page),
            Action::First => self.go_first(),
            Action::Last => self.go_last(),
            Action::Open => self.set_focus(Focus::Detail),
            Action::Back => self.go_back(Clears::Filter),
            Action::Acknowledge => self.acknowledge(),
            Action::DiscardProbes => self.discard_probes(),
            Action::NextPane => self.set_focus(if self.focus == Focus::List { Focus::Detail } else { Focus::List }),
            Action::NextScope => self.change_scope(),
            Action::Filter => self.open_filter(),
            Action::Sort => self.sort_by_next(),
            Action::ReverseSort => self.reverse_sort(),
            Action::RawJson => self.toggle_raw_json(),
            Action::Copy => self.open_copy_menu(),
            Action::Probe => self.probe_selected(),
            Action::ProbeAll => self.probe_all(),
            Action::Refresh => self.ask_again(),
            Action::AutoRefresh => self.toggle_auto_refresh(),
            Action::LoadEverything => self.load_everything(),
            Action::Profiles => self.choose_profile(),
            Action::TimeFormat => {
                self.time = self.time.next();
                self.inform(safe!("time format: {}", self.time.name()))
            }
            Action::Reveal => {
                self.reveal = !self.reveal;
                self.inform(if self.reveal { "credentials in URLs are shown" } else { "credentials in URLs are masked" })
            }
            Action::Mouse => self.toggle_mouse(),
            Action::Palette => self.open_overlay(Overlay::Palette(Palette::default())),
            Action::Help => self.open_overlay(Overlay::Help { scroll: 0 }),
            Action::Redraw => vec![Effect::Redraw],
            Action::Mark => self.mark(),
            Action::MarkAll => self.mark_all(),
            Action::Export => self.open_export(),
            Action::ViewWebhooks | Action::ViewHosts | Action::ViewEvents | Action::ViewFindings | Action::ViewChanges => {
                Vec::new()
            }
            Action::Suspend => vec![Effect::Suspend],
            Action::Quit => vec![Effect::Quit],
        }
    }

    pub(super) fn go(&mut self, rows: i64) -> Vec<Effect> {
        if self.focus == Focus::Detail {
            return self.scroll_detail(rows);
        }
        let before = self.cursor.selected();
        self.cursor.move_by(rows, self.listing.len());
        self.moved(before)
    }

    fn go_first(&mut self) -> Vec<Effect> {
        if self.focus == Focus::Detail {
            return self.scroll_detail(i64::MIN);
        }
        let before = self.cursor.selected();
        self.cursor.first();
        self.moved(before)
    }

    fn go_last(&mut self) -> Vec<Effect> {
        if self.focus == Focus::Detail {
            return self.scroll_detail(i64::MAX);
        }
        let before = self.cursor.selected();
        self.cursor.last(self.listing.len(), self.is_end_known());
        self.moved(before)
    }

    pub(super) fn moved(&mut self, before: u64) -> Vec<Effect> {
        let moved = self.cursor.selected() != before;
        if moved {
            self.moves.press(self.now.instant);
            self.looked_at(before);
            self.detail_scroll = 0;
            self.arranging.stay();
            self.let_go();
        }
        draw_if(moved)
    }

    pub(super) fn scroll_detail(&mut self, lines: i64) -> Vec<Effect> {
        if self.shows_changes() {
            return self.scroll_change(lines);
        }
        let Some(row) = self.selected_row() else { return Vec::new() };
        let height = usize::from(self.layout().panes.detail().height);
        let lines = isize::try_from(lines).unwrap_or(if lines < 0 { isize::MIN } else { isize::MAX });
        let wanted = self.detail_scroll.saturating_add_signed(lines);
        let there = self.detail_lines(row, wanted.saturating_add(height)).len();
        let scroll = wanted.min(there.saturating_sub(height));
        let changed = scroll != self.detail_scroll;
        self.detail_scroll = scroll;
        draw_if(changed)
    }

    pub(super) fn set_focus(&mut self, focus: Focus) -> Vec<Effect> {
        let changed = self.focus != focus;
        self.focus = focus;
        draw_if(changed)
    }

    /// One level back: from the detail to the list, from its JSON to its fields, from loading everything to not; never quit.
    fn go_back(&mut self, clears: Clears) -> Vec<Effect> {
        self.last_copy = None;
        if let Some(pane) =
            self.group_panes.get_mut(&self.view).filter(|_| matches!(self.view.entry().lines, Lines::Groups(_)))
        {
            return if pane.collapse() { vec![Effect::Draw] } else { self.back_from_view(clears) };
        }
        if self.shows_changes() && self.focus == Focus::List {
            return self.back_from_view(clears);
        }
        self.cursor.stop();
        if self.focus == Focus::Detail {
            return self.set_focus(Focus::List);
        }
        if let Some(effects) = self.stop_probing() {
            return effects;
        }
        if self.everything != Everything::No {
            return self.stop_loading();
        }
        if self.detail_form == Form::Json {
            self.detail_form = Form::Fields;
            return vec![Effect::Draw];
        }
        if self.return_to_groups() {
            return vec![Effect::Draw];
        }
        match clears {
            Clears::Filter => self.clear_filter(),
            Clears::Nothing => Vec::new(),
        }
    }

    /// What came is kept.
    pub(super) fn stop_loading(&mut self) -> Vec<Effect> {
        self.everything = Everything::No;
        self.inform(safe!("loading stopped: {} loaded", grouped(self.listing.loaded())))
    }

    fn toggle_auto_refresh(&mut self) -> Vec<Effect> {
        let every = self.setup.refresh_every;
        if self.end_auto_refresh() {
            return self.inform("auto-refresh off");
        }
        self.auto_refresh = Some(self.now.instant + every);
        self.inform(safe!("auto-refresh every {} s", every.as_secs()))
    }

    /// Loads the rows that are missing. If none are, or if some are older than the rest, reads everything again.
    fn load_everything(&mut self) -> Vec<Effect> {
        let is_done = self.listing.is_all_fresh() || self.listing.has_old_rows() || self.is_swept();
        if self.everything == Everything::No && is_done {
            self.consistency.start_over();
            self.refresh();
        }
        self.everything = Everything::Asked;
        // The progress display is the feedback.
        draw_if(true)
    }

    fn toggle_raw_json(&mut self) -> Vec<Effect> {
        self.detail_form = self.detail_form.other();
        self.detail_scroll = 0;
        // If only one pane fits, show the one with the JSON.
        if self.detail_form == Form::Json && !self.shows_detail() {
            self.focus = Focus::Detail;
        }
        vec![Effect::Draw]
    }

    fn toggle_mouse(&mut self) -> Vec<Effect> {
        self.mouse = !self.mouse;
        let mut effects = self.inform(if self.mouse { "mouse on" } else { "mouse off" });
        effects.push(Effect::Mouse(self.mouse));
        effects
    }

    fn open_overlay(&mut self, overlay: Overlay) -> Vec<Effect> {
        self.overlay = overlay;
        vec![Effect::Draw]
    }

    pub(super) fn close_overlay(&mut self) -> Vec<Effect> {
        self.open_overlay(Overlay::None)
    }

    fn key_in_help(&mut self, key: Key, code: KeyCode) -> Vec<Effect> {
        let action = self.setup.keymap.action(key);
        if code == KeyCode::Esc || matches!(action, Some(Action::Help | Action::Quit | Action::Back)) {
            return self.close_overlay();
        }
        let page = isize::try_from(self.size.1 / 2).unwrap_or(1).max(1);
        let lines = match action {
            Some(Action::MoveDown) => 1,
            Some(Action::MoveUp) => -1,
            Some(Action::PageDown | Action::HalfPageDown) => page,
            Some(Action::PageUp | Action::HalfPageUp) => -page,
            Some(Action::First) => isize::MIN,
            Some(Action::Last) => isize::MAX,
            _ => return Vec::new(),
        };
        let body = usize::from(self.size.1.saturating_sub(2));
        let Overlay::Help { scroll } = &mut self.overlay else { return Vec::new() };
        *scroll = scroll.saturating_add_signed(lines).min((ACTIONS.len() + COPIES.len() + 2).saturating_sub(body));
        vec![Effect::Draw]
    }

    fn key_in_palette(&mut self, event: KeyEvent) -> Vec<Effect> {
        let Overlay::Palette(palette) = &mut self.overlay else { return Vec::new() };
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let is_plain = !control && !event.modifiers.contains(KeyModifiers::ALT);
        match event.code {
            KeyCode::Esc => return self.close_overlay(),
            KeyCode::Enter => {
                let chosen = palette.chosen().map(|entry| entry.action);
                self.overlay = Overlay::None;
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

    fn key_in_plain_text(&mut self, key: Key, code: KeyCode) -> Vec<Effect> {
        let exports = self.setup.keymap.action(key) == Some(Action::Export);
        let page = isize::try_from(self.size.1).unwrap_or(isize::MAX);
        let Overlay::PlainText(plain) = &mut self.overlay else { return Vec::new() };
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
        match &mut self.overlay {
            Overlay::Palette(palette) => {
                palette.insert(text.raw());
                vec![Effect::Draw]
            }
            Overlay::Profiles(picker) => {
                picker.insert(text.raw(), &self.setup.profiles);
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
