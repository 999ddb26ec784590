//! Keys: the action of each, and the actions that all views share.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::keymap::{Action, Key};
use crate::safe;
use crate::tui::app::App;
use crate::tui::detail::DetailForm;
use crate::tui::list_pane::Motion;
use crate::tui::message::{Effect, draw_if};
use crate::tui::picker::Picker;
use crate::tui::session::Session;
use crate::tui::session::loading::LoadAll;
use crate::tui::typed_ahead::LastFrame;
use crate::tui::ui::{Focus, Overlay};
use crate::tui::update::views::Clears;
use crate::tui::view_kind::View;

impl App {
    pub(super) fn key(&mut self, event: KeyEvent) -> Vec<Effect> {
        if event.kind == KeyEventKind::Release {
            return Vec::new();
        }
        let key = Key::from(event);
        if key == Key::CTRL_C {
            return vec![Effect::Quit];
        }
        self.ui.presses.press(self.now.instant);
        // A letter with Ctrl or Alt is not the letter.
        let is_plain = !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        let code = if is_plain { event.code } else { KeyCode::Null };
        if self.frame.as_ref().is_some_and(|frame| frame.takes_other_keys(&self.aim())) {
            // An overlay that was not drawn yet has opened or closed, so the key was meant for something else.
            return vec![Effect::Draw];
        }
        let had_notice = self.ui.notice.take().is_some();
        let effects = match self.ui.overlay {
            Overlay::None => match self.settings.keymap.action(key) {
                Some(Action::Back) if matches!(event.code, KeyCode::Char('h') | KeyCode::Left) => {
                    self.go_back(Clears::Nothing)
                }
                Some(action) => self.perform_in_list(action),
                None => Vec::new(),
            },
            Overlay::Help { .. } => self.key_in_help(key, code),
            Overlay::Palette(_) | Overlay::Profiles(_) | Overlay::Baselines(_) | Overlay::CopyMenu(_) => {
                self.key_in_picker(event)
            }
            Overlay::Filter => self.key_in_filter(event),
            Overlay::Export(_) => self.key_in_export(event),
            Overlay::PlainText(_) => self.key_in_plain_text(key, code),
        };
        if effects.is_empty() { draw_if(had_notice) } else { effects }
    }

    /// Performs the action of a key. A user who types ahead counts lines from the last frame. That is not possible for moves
    /// to an end or by a page, and for moves by a line at the end of the list, so after these the count is lost if something
    /// arrived.
    fn perform_in_list(&mut self, action: Action) -> Vec<Effect> {
        let from = self.list().cursor().selected();
        let is_move = self.ui.focus == Focus::List && action.is_move();
        let effects = self.perform(action);
        let is_by_lines = matches!(action, Action::Mark | Action::MoveDown | Action::MoveUp);
        if is_move && !(is_by_lines && self.list().cursor().selected() != from) {
            self.frame.iter_mut().for_each(LastFrame::lose_count);
        }
        effects
    }

    pub(super) fn perform(&mut self, action: Action) -> Vec<Effect> {
        if action != Action::Copy {
            // Only two identical copies in a row show the plain screen.
            self.session.last_copy = None;
        }
        if let Some(view) = View::of_action(action) {
            return self.show_view(view);
        }
        if matches!(action, Action::Open | Action::Mark | Action::Copy | Action::Probe)
            && let Some(effects) = self.refuse_unseen()
        {
            return effects;
        }
        if let Some(motion) = Motion::of(action, self.list_height()) {
            return self.go(motion);
        }
        if let Some(effects) = (self.ui.view.entry().perform)(self, action) {
            return effects;
        }
        match action {
            Action::Open => self.set_focus(Focus::Detail),
            Action::Back => self.go_back(Clears::Filter),
            Action::Acknowledge => self.in_session(Session::acknowledge),
            Action::DiscardProbes => self.in_session(Session::discard_probes),
            Action::NextPane => self.set_focus(if self.ui.focus == Focus::List { Focus::Detail } else { Focus::List }),
            Action::NextScope => self.change_scope(),
            Action::Filter => self.open_filter(),
            Action::Sort => self.sort_by_next(),
            Action::ReverseSort => self.reverse_sort(),
            Action::RawJson => self.toggle_raw_json(),
            Action::Copy => self.open_copy_menu(),
            Action::Probe => self.probe_selected(),
            Action::ProbeAll => self.probe_all(),
            Action::Refresh => self.in_session(Session::ask_again),
            Action::AutoRefresh => self.in_session(Session::toggle_auto_refresh),
            Action::LoadEverything => self.in_session(Session::load_everything),
            Action::Profiles => self.choose_profile(),
            Action::TimeFormat => self.change_time_format(),
            Action::Reveal => self.toggle_reveal(),
            Action::Mouse => self.toggle_mouse(),
            Action::Palette => self.open_overlay(Overlay::Palette(Picker::palette())),
            Action::Help => self.open_overlay(Overlay::Help { scroll: 0 }),
            Action::Redraw => vec![Effect::Redraw],
            Action::Mark => self.mark(),
            Action::MarkAll => self.mark_all(),
            Action::Export => self.open_export(),
            Action::MoveDown
            | Action::MoveUp
            | Action::HalfPageDown
            | Action::HalfPageUp
            | Action::PageDown
            | Action::PageUp
            | Action::First
            | Action::Last
            | Action::ViewWebhooks
            | Action::ViewHosts
            | Action::ViewEvents
            | Action::ViewFindings
            | Action::ViewChanges => Vec::new(),
            Action::Suspend => vec![Effect::Suspend],
            Action::Quit => vec![Effect::Quit],
        }
    }

    pub(super) fn set_focus(&mut self, focus: Focus) -> Vec<Effect> {
        let changed = self.ui.focus != focus;
        self.ui.focus = focus;
        draw_if(changed)
    }

    /// Goes one level back: from the detail to the list, from its JSON to its fields, or stops loading everything; never
    /// quits.
    fn go_back(&mut self, clears: Clears) -> Vec<Effect> {
        self.session.last_copy = None;
        if let Some(pane) = self.session.groups.of_mut(self.ui.view) {
            return if pane.collapse() { vec![Effect::Draw] } else { self.back_from_view(clears) };
        }
        if self.ui.view == View::Changes && self.ui.focus == Focus::List {
            return self.back_from_view(clears);
        }
        self.session.list.stop();
        if self.ui.focus == Focus::Detail {
            return self.set_focus(Focus::List);
        }
        if let Some(effects) = self.in_session(Session::stop_probing) {
            return effects;
        }
        if self.session.load.all != LoadAll::No {
            return self.session.stop_loading();
        }
        if self.ui.detail_form == DetailForm::Json {
            self.ui.detail_form = DetailForm::Fields;
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

    fn change_time_format(&mut self) -> Vec<Effect> {
        self.settings.time = self.settings.time.next();
        self.inform(safe!("time format: {}", self.settings.time.name()))
    }

    fn toggle_reveal(&mut self) -> Vec<Effect> {
        self.session.reveal = !self.session.reveal;
        self.inform(if self.session.reveal { "credentials in URLs are shown" } else { "credentials in URLs are masked" })
    }

    fn toggle_raw_json(&mut self) -> Vec<Effect> {
        self.ui.detail_form = self.ui.detail_form.other();
        self.list_mut().scroll_to(0);
        // If only one pane fits, show the one with the JSON.
        if self.ui.detail_form == DetailForm::Json && !self.shows_detail() {
            self.ui.focus = Focus::Detail;
        }
        vec![Effect::Draw]
    }

    fn change_scope(&mut self) -> Vec<Effect> {
        if let Some(deliveries) = &mut self.deliveries {
            deliveries.is_being_matched = false;
        }
        self.in_session(Session::change_scope)
    }

    fn toggle_mouse(&mut self) -> Vec<Effect> {
        self.settings.mouse = !self.settings.mouse;
        let mut effects = self.inform(if self.settings.mouse { "mouse on" } else { "mouse off" });
        effects.push(Effect::Mouse(self.settings.mouse));
        effects
    }
}
