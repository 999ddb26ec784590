//! The state of the explorer. It changes only in [`App::update`], which takes a message and returns the effects for the loop
//! to carry out. Neither does IO or reads a clock.
//!
//! Start with [`Session`], [`Ui`] and [`ExplorerSettings`]; `update` handles messages and keys.

use std::ops::Range;
use std::time::Duration;

use super::layout::{Layout, Panes};
use super::list_pane::ViewList as _;
use super::message::Effect;
use super::notice::Notice;
use super::session::context::SessionContext;
use super::session::deliveries::Deliveries;
use super::session::workspace::WorkspaceInfo;
use super::session::{Session, SessionStart};
use super::settings::ExplorerSettings;
use super::typed_ahead::LastFrame;
use super::ui::{Focus, Ui};
use crate::base::base_url::BaseUrl;
use crate::base::clock::Moment;
use crate::base::text::Safe;
use crate::config::{Config, Connection, KeySource};
use crate::fetch::Generation;
use crate::model::Scope;

/// The age from which rows count as stale, without automatic refresh.
const FRESH: Duration = Duration::from_mins(5);

/// The start of the explorer: its workspace, settings and size.
#[derive(Debug, Clone)]
pub struct Setup {
    pub workspace: WorkspaceInfo,
    pub settings: ExplorerSettings,
    pub scope: Scope,
    /// Refresh automatically from the start.
    pub auto_refresh: bool,
    pub size: (u16, u16),
}

impl Setup {
    /// The workspace of a connection, on a terminal of 80 × 24 with colors and Unicode.
    pub fn new(config: &Config, connection: &Connection) -> Self {
        Self::of_workspace(config, WorkspaceInfo::new(0, connection, None, vec!["hookscope".to_owned()]))
    }

    /// As [`Setup::new`], for the rows of a file. Copied requests go to the base URL.
    pub fn of_file(config: &Config, file: Safe, base_url: BaseUrl) -> Self {
        let workspace = WorkspaceInfo {
            at: 0,
            profile: "default".into(),
            file: Some(file),
            base_url,
            key_source: KeySource::Config,
            store: None,
            page_size: config.network.page_size,
            invocation: vec!["hookscope".to_owned()],
        };
        Self::of_workspace(config, workspace)
    }

    fn of_workspace(config: &Config, workspace: WorkspaceInfo) -> Self {
        let settings = ExplorerSettings::of(config);
        Self { workspace, settings, scope: Scope::All, auto_refresh: false, size: (80, 24) }
    }
}

fn context<'a>(
    settings: &'a ExplorerSettings,
    ui: &Ui,
    now: Moment,
    deliveries: Option<&'a Deliveries>,
    profile_at: usize,
) -> SessionContext<'a> {
    SessionContext {
        now,
        settings,
        view: ui.view,
        is_hurried: ui.moves.is_held(now.instant),
        is_passing: ui.moves.settles_at(now.instant).is_some(),
        deliveries: deliveries.filter(|of| of.profile_at == profile_at).and_then(|of| of.tally.as_ref()),
    }
}

/// The explorer.
#[derive(Debug)]
pub struct App {
    pub session: Session,
    pub ui: Ui,
    pub settings: ExplorerSettings,
    /// The time of the last message.
    pub now: Moment,
    /// The delivery attempts, if an export of them was given at the start.
    pub deliveries: Option<Deliveries>,
    /// The last frame drawn, which keys and clicks refer to.
    pub frame: Option<LastFrame>,
}

impl App {
    pub fn new(setup: Setup, now: Moment) -> Self {
        let Setup { workspace, settings, scope, auto_refresh, size } = setup;
        let start = SessionStart {
            scope,
            generation: Generation::default().next(),
            auto_refresh,
            id: super::job_id::SessionId::default(),
            filters: Vec::new(),
        };
        Self {
            session: Session::new(workspace, start, &settings, now),
            ui: Ui::new(size),
            settings,
            now,
            deliveries: None,
            frame: None,
        }
    }

    /// The surroundings of the session.
    pub fn context(&self) -> SessionContext<'_> {
        context(&self.settings, &self.ui, self.now, self.deliveries.as_ref(), self.session.workspace.at)
    }

    /// The session, and the context that it needs to handle a message.
    pub fn split(&mut self) -> (&mut Session, SessionContext<'_>) {
        let at = self.session.workspace.at;
        (&mut self.session, context(&self.settings, &self.ui, self.now, self.deliveries.as_ref(), at))
    }

    /// Lets the session handle something.
    pub fn in_session<T>(&mut self, handle: impl FnOnce(&mut Session, SessionContext<'_>) -> T) -> T {
        let (session, cx) = self.split();
        handle(session, cx)
    }

    pub fn layout(&self) -> Layout {
        let has_banner = !self.session.list.is_empty() && self.session.load.health.trouble().is_some();
        Layout::new(self.ui.size.0, self.ui.size.1, has_banner)
    }

    /// The places of the webhooks on screen.
    pub fn visible(&self) -> Range<u64> {
        let list = &self.session.list;
        list.cursor().visible(self.layout().panes.list().height, list.len())
    }

    /// Returns true if the detail is on screen.
    pub fn shows_detail(&self) -> bool {
        !matches!(self.layout().panes, Panes::One { .. }) || self.ui.focus == Focus::Detail
    }

    /// Returns true if rows read at this time are older than the next refresh would make them.
    pub fn is_stale(&self, read_at: jiff::Timestamp) -> bool {
        let age = self.now.wall.duration_since(read_at);
        u64::try_from(age.as_secs()).is_ok_and(|seconds| seconds > self.fresh_for().as_secs())
    }

    /// The age up to which rows are fresh.
    pub fn fresh_for(&self) -> Duration {
        if self.session.load.auto_refresh.is_some() { self.settings.refresh_every } else { FRESH }
    }

    pub(super) fn warn(&mut self, words: impl Into<Safe>) -> Vec<Effect> {
        self.ui.notice = Some(Notice::Warning(words.into()));
        vec![Effect::Draw]
    }

    pub(super) fn inform(&mut self, words: impl Into<Safe>) -> Vec<Effect> {
        self.ui.notice = Some(Notice::Info(words.into()));
        vec![Effect::Draw]
    }
}
