//! The audit: when to run it, and its findings.

use std::ops::Range;
use std::sync::Arc;

use super::context::SessionContext;
use super::findings::{AuditKey, SelectedFindings};
use super::groups::GroupPane;
use super::past::Searched;
use super::state::Session;
use crate::analysis::audit::{AuditRequest, ExternalFacts, FindingsIndex, Rule, RuleSet};
use crate::analysis::groups::ByFinding;
use crate::base::text::Safe;
use crate::model::Scope;
use crate::model::{OwnedRow, RowNumber, Segment};
use crate::tui::job_id::JobId;
use crate::tui::jobs::Task;
use crate::tui::message::{Effect, draw_if};

impl Session {
    /// The findings so far.
    pub fn findings_index(&self) -> &Arc<FindingsIndex> {
        &self.findings.index
    }

    /// Returns true once every rule was applied to all loaded rows.
    pub fn is_audited(&self) -> bool {
        self.findings.known.is_some_and(|known| known == self.audit_key())
    }

    /// Returns true if not all rows of the workspace are loaded. Findings then do not cover the missing rows.
    pub fn is_part(&self) -> bool {
        self.load.scope != Scope::All || !self.list.lines.is_all_here()
    }

    /// The rules that the row at a place breaks.
    pub fn broken_at(&self, place: u64) -> RuleSet {
        let number = self.list.number(place);
        number.and_then(|number| self.findings.index.at(self.list.lines.rows(), number)).unwrap_or_default()
    }

    /// The message of a finding about a row, if the row is still at this number.
    pub fn message_of(&self, rule: &Rule, number: RowNumber, row: &OwnedRow) -> Option<Safe> {
        self.list.lines.rows().row(number.into()).filter(|there| row.is_version_of(*there))?;
        let told = self.findings.index.explain(&self.findings.audit, self.list.lines.rows(), number.into());
        told.into_iter().find(|told| told.rule == rule).map(|told| told.message)
    }

    /// Runs the audit again with the current facts besides the listing: deliveries, probe results and the history.
    pub fn facts_changed(&mut self, cx: SessionContext<'_>) {
        let probes = (!self.probes.known.is_empty()).then(|| self.probes.known.facts());
        let last_active = Arc::clone(&self.findings.history.searched.last_active);
        let deliveries = cx.deliveries.cloned();
        self.findings.facts = Arc::new(ExternalFacts { deliveries, probes, last_active, ..ExternalFacts::default() });
        self.findings.set_audit(cx.now.wall);
    }

    /// Searches the history in the background, once no rows are being loaded, and again when the rows or the history change.
    pub fn search_history(&mut self, cx: SessionContext<'_>) -> Vec<Effect> {
        let is_moving = !self.list.lines.is_known() || self.is_loading() || self.cache.is_busy();
        let of = (self.list.lines.version(), self.cache.written());
        let history = &self.findings.history;
        if is_moving || history.job.is_some() || history.of == Some(of) {
            return Vec::new();
        }
        let Some(store) = self.workspace.store.clone() else { return Vec::new() };
        let (rows, audit) = (self.list.lines.rows().clone(), Arc::clone(&self.findings.audit));
        let last = Arc::clone(&history.searched);
        let (id, effect) = self.jobs.start(Task::SearchHistory { store, rows, audit, last, now: cx.now.wall });
        self.findings.history.job = Some(id);
        self.findings.history.of = Some(of);
        vec![effect]
    }

    /// Takes the result of a search of the history.
    pub fn take_searched(&mut self, cx: SessionContext<'_>, id: JobId, searched: Arc<Searched>) -> Vec<Effect> {
        if self.findings.history.job.take_if(|job| *job == id).is_none() {
            return Vec::new();
        }
        let before = std::mem::replace(&mut self.findings.history.searched, searched);
        if before.last_active != self.findings.history.searched.last_active {
            self.facts_changed(cx);
        }
        Vec::new()
    }

    /// The grouping of rows in the view of findings.
    pub fn by_finding(&self, pane: &GroupPane) -> ByFinding {
        ByFinding {
            findings: Arc::clone(&self.findings.index),
            expanded: pane.expanded(),
            is_about_all: self.filter.query().is_empty(),
        }
    }

    fn audit_key(&self) -> AuditKey {
        AuditKey { version: self.list.lines.version(), is_part: self.is_part() }
    }

    /// The next request to the audit thread, if anything changed. While rows are being loaded, only those on screen are
    /// audited, then all.
    pub fn audit_request(&mut self, cx: SessionContext<'_>, visible: &Range<u64>) -> Option<AuditRequest> {
        const DAY: i64 = 86_400;
        if !self.list.lines.is_known() || cx.is_hurried {
            return None;
        }
        if cx.now.wall.as_second() / DAY != self.findings.audit.context.now.as_second() / DAY {
            // The audit depends on the date, since some findings are about ages.
            self.findings.set_audit(cx.now.wall);
        }
        let key = self.audit_key();
        let only = if self.is_loading() { Some(self.pages_to_audit(visible)?) } else { None };
        if only.is_none() {
            if self.findings.asked == Some(key) {
                return None;
            }
            self.findings.asked = Some(key);
            self.findings.early.clear();
        }
        self.findings.number += 1;
        Some(AuditRequest {
            number: self.findings.number,
            rows: self.list.lines.rows().clone(),
            audit: Arc::clone(&self.findings.audit),
            is_part: key.is_part,
            only,
        })
    }

    /// The loaded pages on screen that were neither audited nor requested; `None` if there are none.
    fn pages_to_audit(&mut self, visible: &Range<u64>) -> Option<Vec<u64>> {
        let rows = self.list.lines.rows();
        let is_to_audit = |&page: &u64| {
            self.list.lines.is_fresh(page)
                && rows.segment(page).is_some_and(|segment| !self.findings.index.has_page(page, segment))
        };
        let mut pages = self.list.pages_of(visible);
        pages.retain(is_to_audit);
        if pages.is_empty() || pages == self.findings.early {
            return None;
        }
        self.findings.asked = None;
        self.findings.early.clone_from(&pages);
        Some(pages)
    }

    /// Takes findings.
    pub fn audited(&mut self, index: FindingsIndex) -> Vec<Effect> {
        if index.number() <= self.findings.of_others {
            return Vec::new();
        }
        if index.is_whole() && index.number() == self.findings.number {
            self.findings.known = self.findings.asked;
        }
        self.findings.index = Arc::new(index);
        if self.filter.query().asks_for_findings() {
            self.filter_sort.ask_again();
        }
        vec![Effect::Draw]
    }

    /// Explains the findings about the selected webhook, if the selection or the findings changed.
    pub fn tell_of_selected(&mut self, cx: SessionContext<'_>) -> Vec<Effect> {
        let Some(number) = self.list.number(self.list.selected()).filter(|_| !cx.is_passing) else {
            return Vec::new();
        };
        let rows = self.list.lines.rows();
        let segment = rows.segment(number / rows.page_size() + 1).cloned();
        let index = self.findings.index.number();
        let is_same = |of: &(u64, u64, Option<Segment>)| {
            (of.0, of.1) == (number, index)
                && match (&of.2, &segment) {
                    (Some(before), Some(now)) => before.is_same(now),
                    (before, now) => before.is_none() && now.is_none(),
                }
        };
        if self.findings.selected.of.as_ref().is_some_and(is_same) {
            return Vec::new();
        }
        let of = (number, index, segment);
        let told = self.findings.index.explain(&self.findings.audit, self.list.lines.rows(), number);
        let changed = told != self.findings.selected.told;
        self.findings.selected = SelectedFindings { of: Some(of), told };
        draw_if(changed)
    }
}
