//! The state machine: [`App::update`] takes a message, changes the state, and returns the effects for the loop to carry out.
//! It is pure: no IO, no async, no clock.

mod changes;
mod copies;
mod deliveries;
mod demand;
mod export;
mod filter;
mod filter_sort;
mod jobs;
mod keys;
mod lists;
mod marks;
mod mouse;
mod overlays;
mod probes;
mod profiles;
mod recovery;
mod typed_ahead;
mod views;
mod wakes;

#[cfg(test)]
mod tests;

use super::app::App;
use super::layout::clamp;
use super::message::{Effect, Message};
use super::session::Session;
use super::typed_ahead::LastFrame;
use super::ui::Overlay;
use crate::base::clock::Moment;

impl App {
    /// Handles a message. The state changes only here.
    pub fn update(&mut self, message: Message, now: Moment) -> Vec<Effect> {
        if matches!(message, Message::Drawn) {
            self.drawn();
            return Vec::new();
        }
        let (was_hurried, was_passing) = (self.is_hurried(), self.settles_at().is_some());
        self.now = now;
        let is_by_hand = matches!(message, Message::Key(_) | Message::Paste(_) | Message::Mouse(_));
        // A countdown moves no line.
        let is_from_elsewhere = !is_by_hand && !matches!(message, Message::Tick);
        let before = is_by_hand.then(|| self.aim());
        let mut effects = self.handle(message);
        self.take_notices(&mut effects);
        let mut more = self.follow_up();
        self.take_notices(&mut more);
        effects.append(&mut more);
        if let Some(before) = before {
            // Keys may arrive faster than frames.
            self.aim_on(&before);
        }
        if is_from_elsewhere && (effects.contains(&Effect::Draw) || effects.contains(&Effect::Redraw)) {
            self.frame.iter_mut().for_each(LastFrame::outdate);
        }
        // The time has come to show the details that were held back.
        if was_hurried && !self.is_hurried() || was_passing && self.settles_at().is_none() {
            effects.push(Effect::Draw);
        }
        effects
    }

    /// Shows the notices among the effects.
    fn take_notices(&mut self, effects: &mut [Effect]) {
        for effect in effects {
            if let Effect::Notice(notice) = effect {
                self.ui.notice = Some(notice.clone());
                *effect = Effect::Draw;
            }
        }
    }

    fn handle(&mut self, message: Message) -> Vec<Effect> {
        match message {
            Message::Drawn => Vec::new(),
            Message::Begun => self.in_session(Session::recall),
            Message::Key(key) => self.key(key),
            Message::Paste(text) => self.paste(&text),
            Message::Mouse(event) => self.mouse_event(event),
            Message::Resize { width, height } => {
                self.ui.size = clamp(width, height);
                self.frame.iter_mut().for_each(LastFrame::forget_parts);
                if let Overlay::PlainText(plain) = &mut self.ui.overlay {
                    plain.fit(self.ui.size.0);
                }
                vec![Effect::Redraw]
            }
            Message::Fetch(event) => self.in_session(|session, cx| session.fetched(cx, event)),
            Message::Rows(answer) => self.take_rows(answer),
            Message::Audited(answer) => self.session.audited(*answer),
            Message::Done(done) => self.done(*done),
            Message::Probed(found) => self.in_session(|session, cx| session.probed(cx, found)),
            Message::Tick => self.in_session(Session::tick),
            Message::NotSuspended(why) => self.warn(why),
            Message::Switched(workspace) => self.switched(*workspace),
            Message::NotSwitched(why) => self.not_switched(&why),
            Message::NotRenewed(why) => self.not_renewed(why),
        }
    }

    /// Does the work that the new state requires after any message.
    fn follow_up(&mut self) -> Vec<Effect> {
        self.session.show_all_when_due();
        self.session.list.keep(false);
        self.grow_export();
        self.fit();
        let mut effects: Vec<Effect> = self.update_demand().into_iter().collect();
        effects.extend(self.watch_recovery());
        let visible = self.visible();
        let (session, cx) = self.split();
        effects.extend(session.audit_request(cx, &visible).map(|request| Effect::Audit(Box::new(request))));
        effects.extend(session.tell_of_selected(cx));
        effects.extend(self.rows_request().map(Effect::FilterSort));
        let (session, cx) = self.split();
        effects.extend(session.take_full_read());
        effects.extend(session.keep_when_due(cx));
        effects.extend(session.search_history(cx));
        effects.extend(session.compare_when_read());
        effects.extend(session.find_changes(cx));
        effects.extend(session.do_deferred());
        effects.extend(self.match_deliveries());
        effects
    }
}
