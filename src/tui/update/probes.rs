//! The keys that probe.

use crate::analysis::destinations::Origin;
use crate::analysis::groups::GroupKind;
use crate::keymap::Action;
use crate::safe;
use crate::tui::app::App;
use crate::tui::jobs::Task;
use crate::tui::message::Effect;
use crate::tui::session::deferred::DeferredAction;
use crate::tui::session::probing::MAX_AT_A_TIME;

impl App {
    /// Probes the selected webhook, or the origins of the selected host.
    pub(super) fn probe_selected(&mut self) -> Vec<Effect> {
        if self.group_pane().is_some() {
            return self.probe_group();
        }
        let Some(row) = self.session.list.selected_row().filter(|row| row.is_webhook()) else {
            return self.warn("no webhook to probe");
        };
        match Origin::of_text(row.url()) {
            Some(origin) => self.in_session(|session, cx| session.probe(cx, vec![origin])),
            None => self.warn("cannot probe: not a valid http or https URL"),
        }
    }

    /// Probes every origin of the selected host.
    fn probe_group(&mut self) -> Vec<Effect> {
        let kind = self.group_pane().and_then(|pane| pane.selected()).map(|group| &group.kind);
        match kind {
            Some(GroupKind::Host { name: host, .. } | GroupKind::Path { host, .. } | GroupKind::MorePaths { host, .. }) => {
                let host = Some(host.clone());
                let rows = self.session.chosen_of_shown();
                self.session.gather(Task::Gather { rows, host, most: MAX_AT_A_TIME })
            }
            Some(GroupKind::NoHost) => self.warn("cannot probe: these URLs have no host"),
            Some(GroupKind::RowFinding { row, .. }) if row.row().is_webhook() => match Origin::of_text(row.row().url()) {
                Some(origin) => self.in_session(|session, cx| session.probe(cx, vec![origin])),
                None => self.warn("cannot probe: not a valid http or https URL"),
            },
            Some(
                GroupKind::Event { .. }
                | GroupKind::Rule { .. }
                | GroupKind::RowFinding { .. }
                | GroupKind::WorkspaceFinding { .. }
                | GroupKind::MoreRows { .. },
            ) => {
                let key = |action| self.settings.key(action);
                let (webhooks, hosts) = (key(Action::ViewWebhooks), key(Action::ViewHosts));
                self.inform(safe!("not available in this view; {} shows the webhooks, {} the hosts", webhooks, hosts))
            }
            None => self.warn("no host to probe"),
        }
    }

    /// Probes all marked webhooks, or all listed ones if none is marked, once all of them are loaded.
    pub(super) fn probe_all(&mut self) -> Vec<Effect> {
        if self.session.list.lines.loaded() == 0 {
            return self.warn("nothing to probe");
        }
        if self.session.marks.is_empty() && self.session.must_wait(DeferredAction::Probe) {
            return vec![Effect::Draw];
        }
        let rows = self.session.chosen();
        self.session.gather(Task::Gather { rows, host: None, most: MAX_AT_A_TIME })
    }
}
