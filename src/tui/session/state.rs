//! The parts of a session.

use std::sync::Arc;

use super::cache::CacheState;
use super::changes::ChangesPane;
use super::deferred::SessionJobs;
use super::filter::Filter;
use super::filter_sort::FilterSort;
use super::findings::Findings;
use super::groups::GroupPanes;
use super::listing::Listing;
use super::loading::{LoadAll, Loading};
use super::probes::Probes;
use super::unread::UnreadChanges;
use super::workspace::WorkspaceInfo;
use crate::base::clock::Moment;
use crate::fetch::{Demand, Generation, RowCount};
use crate::keymap::Copy;
use crate::model::{IdSet, Scope};
use crate::tui::job_id::SessionId;
use crate::tui::list_pane::{ListPane, ViewList};
use crate::tui::settings::ExplorerSettings;
use crate::tui::view_kind::View;

/// The state of one workspace.
#[derive(Debug)]
pub struct Session {
    pub workspace: WorkspaceInfo,
    pub load: Loading,
    pub list: ListPane<Listing>,
    pub unread: UnreadChanges,
    pub filter: Filter,
    pub filter_sort: FilterSort,
    /// The ids of the marked webhooks.
    pub marks: Arc<IdSet>,
    pub probes: Probes,
    pub findings: Findings,
    pub cache: CacheState,
    pub changes: ChangesPane,
    pub groups: GroupPanes,
    pub jobs: SessionJobs,
    /// True if credentials in URLs are shown.
    pub reveal: bool,
    /// The last copied text. Copying it again right away shows it on a plain screen.
    pub last_copy: Option<(Copy, String)>,
}

/// The values that a session starts with.
#[derive(Debug)]
pub struct SessionStart {
    pub id: SessionId,
    pub scope: Scope,
    /// Later than any generation of an earlier session.
    pub generation: Generation,
    pub auto_refresh: bool,
    /// The filter history, the newest filter last.
    pub filters: Vec<String>,
}

impl Session {
    pub fn new(workspace: WorkspaceInfo, start: SessionStart, settings: &ExplorerSettings, now: Moment) -> Self {
        let SessionStart { id, scope, generation, auto_refresh, filters } = start;
        let auto_refresh = auto_refresh.then(|| now.instant + settings.refresh_every);
        Self {
            list: ListPane::new(Listing::new(generation, workspace.page_size)),
            load: Loading::new(scope, generation, now, auto_refresh, settings.auto_load_limit),
            unread: UnreadChanges::default(),
            filter: Filter::with_history(filters),
            filter_sort: FilterSort::default(),
            marks: Arc::default(),
            probes: Probes::default(),
            findings: Findings::new(Arc::clone(&settings.audit), now.wall),
            cache: CacheState::default(),
            changes: ChangesPane::default(),
            groups: GroupPanes::default(),
            jobs: SessionJobs::new(id),
            reveal: false,
            last_copy: None,
            workspace,
        }
    }

    /// The list of a view.
    pub fn list_of(&self, view: View) -> &dyn ViewList {
        match (view, self.groups.of(view)) {
            (_, Some(groups)) => &groups.list,
            (View::Changes, None) => &self.changes.list,
            (_, None) => &self.list,
        }
    }

    pub fn list_of_mut(&mut self, view: View) -> &mut dyn ViewList {
        match (view, self.groups.of_mut(view)) {
            (_, Some(groups)) => &mut groups.list,
            (View::Changes, None) => &mut self.changes.list,
            (_, None) => &mut self.list,
        }
    }

    /// The demand last sent to the fetch task.
    pub fn demand(&self) -> &Demand {
        &self.load.demanded
    }

    /// Returns true if rows are being loaded.
    pub fn is_loading(&self) -> bool {
        !self.load.has_given_up() && (!self.load.demanded.pages.is_empty() || self.load.all != LoadAll::No)
    }

    /// The number of pages loaded in this read, and of all pages if it is known.
    pub fn pages_loaded(&self) -> (u64, Option<u64>) {
        let listing = &self.list.lines;
        let of = match listing.extent() {
            RowCount::Exactly(rows) => Some(rows.div_ceil(listing.page_size())),
            RowCount::AtLeast(_) => None,
        };
        (listing.fresh_pages(), of)
    }
}
