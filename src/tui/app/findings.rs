//! What is wrong with the webhooks: when they are audited, and what is known of it.

use std::sync::Arc;

use jiff::Timestamp;

use super::{App, Effect, Scope, draw_if};
use crate::analysis::audit::{Audit, Facts, Question, Rule, RuleSet, Told, Verdicts};
use crate::analysis::groups::ByFinding;
use crate::analysis::rows::{RowNumber, Segment, Standing};
use crate::config;
use crate::text::Safe;
use crate::tui::group_pane::GroupPane;
use crate::tui::jobs::Task;
use crate::tui::judge::{Case, Judged};
use crate::tui::past::Searched;

/// The audit of the workspace that is shown.
#[derive(Debug)]
pub(super) struct Findings {
    settings: Arc<config::AuditConfig>,
    facts: Arc<Facts>,
    audit: Arc<Audit>,
    verdicts: Arc<Verdicts>,
    /// The version of the rows that were judged as a whole last, and those that this was asked for.
    known: Option<Asked>,
    asked: Option<Asked>,
    /// The pages that were asked for while others were still on their way.
    early: Vec<u64>,
    /// Of the last case, and the last one that was about other rows.
    number: u64,
    of_others: u64,
    selected: Selected,
    history: History,
}

/// The search of the history for when webhooks became inactive.
#[derive(Debug, Default)]
struct History {
    /// The job that is under way.
    job: Option<u64>,
    /// The version of the rows that it was for, and how often the history was written before.
    of: Option<(u64, u64)>,
    searched: Arc<Searched>,
}

/// What makes one case another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    version: u64,
    is_part: bool,
}

/// What is wrong with the selected webhook, and of what that was said.
#[derive(Debug, Default)]
struct Selected {
    of: Option<(u64, u64, Option<Segment>)>,
    told: Vec<Told>,
}

impl Findings {
    pub(super) fn new(settings: Arc<config::AuditConfig>, now: Timestamp) -> Self {
        let facts = Arc::<Facts>::default();
        let audit = Arc::new(settings.prepare(now, Arc::clone(&facts)));
        Self {
            settings,
            facts,
            audit,
            verdicts: Arc::default(),
            known: None,
            asked: None,
            early: Vec::new(),
            number: 0,
            of_others: 0,
            selected: Selected::default(),
            history: History::default(),
        }
    }

    /// Forgets what was found: it is of other rows.
    pub(super) fn start_over(&mut self) {
        self.verdicts = Arc::default();
        self.known = None;
        self.asked = None;
        self.early.clear();
        self.of_others = self.number;
        self.selected = Selected::default();
        self.history = History { searched: Arc::clone(&self.history.searched), ..History::default() };
    }

    /// Forgets what the history told: it is of another workspace.
    pub(super) fn forget_history(&mut self) {
        self.history = History::default();
    }

    /// Takes another audit; the rows have to be judged again by it. What the last one found stays until then.
    fn set_audit(&mut self, now: Timestamp) {
        self.audit = Arc::new(self.settings.prepare(now, Arc::clone(&self.facts)));
        self.asked = None;
        self.known = None;
    }
}

impl App {
    /// What an audit found, as far as it has come.
    pub fn verdicts(&self) -> &Arc<Verdicts> {
        &self.findings.verdicts
    }

    /// Whether every rule has looked at all rows that are here.
    pub fn is_judged(&self) -> bool {
        self.findings.known.is_some_and(|known| known == self.case())
    }

    /// Whether not all rows of the workspace are here: then nothing is said of what is missing among them.
    pub fn is_part(&self) -> bool {
        self.scope != Scope::All || !self.listing.is_all_here()
    }

    /// The rules that the row at a place breaks.
    pub fn broken_at(&self, place: u64) -> RuleSet {
        let number = self.listing.number(place);
        number.and_then(|number| self.findings.verdicts.at(self.listing.rows(), number)).unwrap_or_default()
    }

    /// What is wrong with the selected webhook, once the selection has stayed on it for a moment: it is a lot to send for a
    /// webhook that is only passed by.
    pub fn told(&self) -> &[Told] {
        if self.settles_at().is_some() { &[] } else { &self.findings.selected.told }
    }

    /// What a finding of a rule says of a row, as long as that is where it was.
    pub fn message_of(&self, rule: &Rule, number: RowNumber, row: &Standing) -> Option<Safe> {
        self.listing.rows().row(number.into()).filter(|there| row.is_of(*there))?;
        let told = self.findings.verdicts.explain(&self.findings.audit, self.listing.rows(), number.into());
        told.into_iter().find(|told| told.rule == rule).map(|told| told.message)
    }

    /// Audits by what is known now besides the listing: deliveries, what was seen of destinations, and what the history tells.
    pub(super) fn facts_changed(&mut self) {
        let probes = (!self.probes.known.is_empty()).then(|| self.probes.known.facts());
        let last_active = Arc::clone(&self.findings.history.searched.last_active);
        let deliveries = self.tally().cloned();
        self.findings.facts = Arc::new(Facts { deliveries, probes, last_active, ..Facts::default() });
        self.findings.set_audit(self.now.wall);
    }

    /// Searches the history beside the loop, once the rows have come to rest, and again after either changed.
    pub(super) fn search_history(&mut self) -> Vec<Effect> {
        let is_moving = !self.listing.is_known() || self.is_loading() || self.memory.is_busy();
        let of = (self.listing.version(), self.memory.written());
        let history = &self.findings.history;
        if is_moving || history.job.is_some() || history.of == Some(of) {
            return Vec::new();
        }
        let Some(store) = self.setup.store.clone() else { return Vec::new() };
        let (rows, audit) = (self.listing.rows().clone(), Arc::clone(&self.findings.audit));
        let last = Arc::clone(&history.searched);
        let effects = self.run(Task::SearchHistory { store, rows, audit, last, now: self.now.wall });
        self.findings.history.job = Some(self.jobs.started);
        self.findings.history.of = Some(of);
        effects
    }

    pub(super) fn take_searched(&mut self, number: u64, searched: Arc<Searched>) -> Vec<Effect> {
        if self.findings.history.job.take_if(|job| *job == number).is_none() {
            return Vec::new();
        }
        let before = std::mem::replace(&mut self.findings.history.searched, searched);
        if before.last_active != self.findings.history.searched.last_active {
            self.facts_changed();
        }
        Vec::new()
    }

    /// How the view of findings groups the rows.
    pub fn by_finding(&self, pane: &GroupPane) -> ByFinding {
        ByFinding {
            verdicts: Arc::clone(&self.findings.verdicts),
            expanded: pane.expanded(),
            is_about_all: self.filter.query().is_empty(),
        }
    }

    fn case(&self) -> Asked {
        Asked { version: self.listing.version(), is_part: self.is_part() }
    }

    /// What has to be judged now, if that has changed. While rows are on their way only what is on screen, and all of them
    /// once they have come to rest.
    pub(super) fn case_to_judge(&mut self) -> Option<Case> {
        const DAY: i64 = 86_400;
        if !self.listing.is_known() || self.is_hurried() {
            return None;
        }
        if self.now.wall.as_second() / DAY != self.findings.audit.basis.now.as_second() / DAY {
            // Ages are findings, by the day.
            self.findings.set_audit(self.now.wall);
        }
        let case = self.case();
        let only = if self.is_loading() { Some(self.pages_to_judge()?) } else { None };
        if only.is_none() {
            if self.findings.asked == Some(case) {
                return None;
            }
            self.findings.asked = Some(case);
            self.findings.early.clear();
        }
        self.findings.number += 1;
        let question = Question {
            rows: self.listing.rows().clone(),
            audit: Arc::clone(&self.findings.audit),
            is_part: case.is_part,
            only,
        };
        Some(Case { number: self.findings.number, version: case.version, question })
    }

    /// The pages on screen that are here and were not judged; `None` when there are none, or they were asked for.
    fn pages_to_judge(&mut self) -> Option<Vec<u64>> {
        let rows = self.listing.rows();
        let is_to_judge = |&page: &u64| {
            self.listing.is_fresh(page)
                && rows.segment(page).is_some_and(|segment| !self.findings.verdicts.has_page(page, segment))
        };
        let mut pages = self.listing.pages_of(&self.visible());
        pages.retain(is_to_judge);
        if pages.is_empty() || pages == self.findings.early {
            return None;
        }
        self.findings.asked = None;
        self.findings.early.clone_from(&pages);
        Some(pages)
    }

    pub(super) fn judged(&mut self, judged: Judged) -> Vec<Effect> {
        if judged.number <= self.findings.of_others {
            return Vec::new();
        }
        let is_whole = judged.verdicts.is_whole();
        self.findings.verdicts = Arc::new(judged.verdicts);
        if is_whole && judged.number == self.findings.number {
            self.findings.known = self.findings.asked;
        }
        if self.filter.query().asks_for_findings() {
            self.arranging.ask_again();
        }
        vec![Effect::Draw]
    }

    /// Puts into words what is wrong with the selected webhook, when it is another one or something else is known.
    pub(super) fn tell_of_selected(&mut self) -> Vec<Effect> {
        let Some(number) = self.listing.number(self.cursor.selected()).filter(|_| self.settles_at().is_none()) else {
            return Vec::new();
        };
        let rows = self.listing.rows();
        let segment = rows.segment(number / rows.page_size() + 1).cloned();
        let verdicts = self.findings.verdicts.number();
        let is_same = |of: &(u64, u64, Option<Segment>)| {
            (of.0, of.1) == (number, verdicts)
                && match (&of.2, &segment) {
                    (Some(before), Some(now)) => before.is_same(now),
                    (before, now) => before.is_none() && now.is_none(),
                }
        };
        if self.findings.selected.of.as_ref().is_some_and(is_same) {
            return Vec::new();
        }
        let of = (number, verdicts, segment);
        let told = self.findings.verdicts.explain(&self.findings.audit, self.listing.rows(), number);
        let changed = told != self.findings.selected.told;
        self.findings.selected = Selected { of: Some(of), told };
        draw_if(changed)
    }
}
