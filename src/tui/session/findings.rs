//! The audit of the workspace: its progress and its findings.

use std::sync::Arc;

use jiff::Timestamp;

use super::past::Searched;
use crate::analysis::audit::{Audit, ExternalFacts, FindingText, FindingsIndex};
use crate::config;
use crate::model::Segment;
use crate::tui::job_id::JobId;

/// The audit of the workspace on screen.
#[derive(Debug)]
pub struct Findings {
    pub settings: Arc<config::AuditConfig>,
    pub facts: Arc<ExternalFacts>,
    pub audit: Arc<Audit>,
    pub index: Arc<FindingsIndex>,
    /// The version of the rows that the last complete audit covers, and of those that were requested.
    pub known: Option<AuditKey>,
    pub asked: Option<AuditKey>,
    /// The pages whose audit was requested while others were still being loaded.
    pub early: Vec<u64>,
    /// The number of the last request, and of the last one about different rows.
    pub number: u64,
    pub of_others: u64,
    pub selected: SelectedFindings,
    pub history: HistorySearch,
}

/// The search of the history for when webhooks became inactive.
#[derive(Debug, Default)]
pub struct HistorySearch {
    /// The job in progress.
    pub job: Option<JobId>,
    /// The version of its rows, and the number of writes to the history before it.
    pub of: Option<(u64, u64)>,
    pub searched: Arc<Searched>,
}

/// The identity of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditKey {
    pub version: u64,
    pub is_part: bool,
}

/// The findings about the selected webhook, and the rows that they are about.
#[derive(Debug, Default)]
pub struct SelectedFindings {
    pub of: Option<(u64, u64, Option<Segment>)>,
    pub told: Vec<FindingText>,
}

impl Findings {
    pub fn new(settings: Arc<config::AuditConfig>, now: Timestamp) -> Self {
        let facts = Arc::<ExternalFacts>::default();
        let audit = Arc::new(settings.prepare(now, Arc::clone(&facts)));
        Self {
            settings,
            facts,
            audit,
            index: Arc::default(),
            known: None,
            asked: None,
            early: Vec::new(),
            number: 0,
            of_others: 0,
            selected: SelectedFindings::default(),
            history: HistorySearch::default(),
        }
    }

    /// Drops the findings, since the rows are different.
    pub fn start_over(&mut self) {
        self.index = Arc::default();
        self.known = None;
        self.asked = None;
        self.early.clear();
        self.of_others = self.number;
        self.selected = SelectedFindings::default();
        self.history = HistorySearch { searched: Arc::clone(&self.history.searched), ..HistorySearch::default() };
    }

    /// Prepares a new audit of all rows. The findings of the previous one stay until then.
    pub fn set_audit(&mut self, now: Timestamp) {
        self.audit = Arc::new(self.settings.prepare(now, Arc::clone(&self.facts)));
        self.asked = None;
        self.known = None;
    }
}
