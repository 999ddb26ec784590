//! The state of the explorer and the only place where it changes: [`App::update`] takes a message and says what is to be done.
//! No IO, no async and no clock in here.

mod arrange;
mod changes;
mod consistency;
mod copies;
mod deliveries;
mod fetched;
mod filter;
mod findings;
mod keys;
mod marks;
mod memory;
mod mouse;
mod news;
mod probes;
mod profiles;
mod recovery;
mod selection;
mod views;
mod wishes;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::tz::TimeZone;
use ratatui::layout::Position;
use tokio::time::Instant;

use self::arrange::Arranging;
use self::consistency::Consistency;
pub use self::copies::{CopyMenu, CopySubject};
pub use self::deliveries::{Deliveries, Figures};
use self::findings::Findings;
pub use self::marks::Export;
pub use self::memory::Memory;
use self::news::Before;
pub use self::news::{Change, Unseen};
pub use self::probes::{Probes, Sight, milliseconds};
pub use self::profiles::Workspace;
use self::recovery::Recovery;
use self::selection::Frame;
use self::views::CameFrom;
pub use self::wishes::Wish;
use super::anchor::Anchor;
use super::changes_pane::{Bases, ChangesPane};
use super::copy::{self, Place, PlainText};
use super::cursor::{Cursor, Travel};
use super::detail::{self, Form};
use super::filter::Filter;
use super::group_pane::GroupPane;
use super::health::{Health, Stage};
use super::layout::{Layout, Panes, clamp};
use super::listing::Listing;
use super::message::{Effect, Message};
use super::notes::notes;
use super::palette::Palette;
use super::picker::Picker;
use super::terminal::canvas::Piece;
use super::terminal::frame_limiter::KeyRepeat;
use super::theme::{Glyphs, Theme};
use super::views::View;
use crate::analysis::sort::Sort;
use crate::base_url::BaseUrl;
use crate::cache::Store;
use crate::clock::{self, Moment};
use crate::config::{self, Clipboard, Config, Connection, KeySource, Profile, TimeFormat};
use crate::fetch::{Demand, FetchEvent, Generation, PackedPage, RowCount};
use crate::keymap::{ACTIONS, Action, COPIES, Copy, Key, Keymap};
use crate::model::{IdSet, Packer, RowRef, Scope};
use crate::safe;
use crate::text::{Safe, Untrusted, grouped};

/// Without automatic refresh, rows are fresh for so long.
const FRESH: Duration = Duration::from_mins(5);

/// Rows that the mouse wheel moves.
const WHEEL: i64 = 3;

/// Everything that does not change while the explorer shows a workspace.
#[derive(Debug, Clone)]
pub struct Setup {
    pub profile: Safe,
    /// The file that the rows are from, if they are from one: then nothing is asked of the API.
    pub file: Option<Safe>,
    /// The workspaces that can be switched between, and the place of the one that is shown.
    pub profiles: Vec<Profile>,
    pub profile_at: usize,
    /// What a copied command begins with to reach the same workspace.
    pub invocation: Vec<String>,
    pub base_url: BaseUrl,
    pub key_source: KeySource,
    /// Where it is remembered; nowhere for the demo and for files.
    pub store: Option<Store>,
    pub keymap: Keymap,
    pub theme: Theme,
    pub glyphs: Glyphs,
    pub zone: TimeZone,
    pub clipboard: Clipboard,
    /// Between two automatic refreshes.
    pub refresh_every: Duration,
    /// Refresh automatically from the start.
    pub auto_refresh: bool,
    /// Rows that are loaded without asking.
    pub auto_load_limit: u64,
    /// What is wrong, and what of it is accepted.
    pub audit: Arc<config::AuditConfig>,
    /// Event names that are known besides the vendor's.
    pub known_events: Arc<[Box<str>]>,
    pub page_size: u32,
    pub scope: Scope,
    pub time: TimeFormat,
    pub mouse: bool,
    pub size: (u16, u16),
}

impl Setup {
    /// What the config and the connection say; the rest as it is for a terminal of 80 × 24 with colours and Unicode.
    pub fn new(config: &Config, connection: &Connection) -> Self {
        Self {
            profile: connection.profile.clone(),
            key_source: connection.key_source,
            page_size: connection.policy.page_size,
            ..Self::of_config(config, connection.api.base_url.clone())
        }
    }

    /// As [`Setup::new`], for the rows of a file. Copied requests go to the base URL.
    pub fn of_file(config: &Config, file: Safe, base_url: BaseUrl) -> Self {
        Self { file: Some(file), ..Self::of_config(config, base_url) }
    }

    fn of_config(config: &Config, base_url: BaseUrl) -> Self {
        let ui = &config.ui;
        Self {
            profile: "default".into(),
            file: None,
            profiles: Vec::new(),
            profile_at: 0,
            invocation: vec!["hookscope".to_owned()],
            base_url,
            key_source: KeySource::Config,
            store: None,
            keymap: config.keymap.clone(),
            theme: Theme::new(&config.theme, true),
            glyphs: if ui.ascii { Glyphs::ascii() } else { Glyphs::unicode() },
            zone: TimeZone::UTC,
            clipboard: ui.clipboard,
            refresh_every: ui.refresh,
            auto_refresh: false,
            auto_load_limit: ui.auto_load_limit,
            audit: Arc::new(config.audit.clone()),
            known_events: config.audit.known_events.iter().map(|name| name.raw().into()).collect(),
            page_size: config.network.page_size,
            scope: Scope::All,
            time: ui.time,
            mouse: ui.mouse,
            size: (80, 24),
        }
    }
}

/// What has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    List,
    Detail,
}

/// What lies over the panes and takes the keys.
#[derive(Debug, Clone)]
pub enum Overlay {
    None,
    Help {
        scroll: usize,
    },
    Palette(Palette),
    Profiles(Picker),
    /// Since when changes are told.
    Bases(Bases),
    CopyMenu(Box<CopyMenu>),
    /// The line in which a filter is typed.
    Filter,
    /// The line in which the name of a file is typed.
    Export(Export),
    /// A text on a plain screen, to select by hand.
    PlainText(PlainText),
}

/// Whether all rows are being loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Everything {
    #[default]
    No,
    /// Because something needs them; within the limit.
    Needed,
    /// Because somebody asked for it; however many they are.
    Asked,
}

/// When loading everything began, and how many pages were here then.
#[derive(Debug)]
struct Sweep {
    since: Instant,
    from: u64,
}

/// What was seen of a scope, and what of it nobody has looked at yet.
#[derive(Debug)]
struct Shelved {
    listing: Listing,
    cursor: Cursor,
    anchor: Option<Anchor>,
    unseen: Unseen,
    before: Option<Before>,
}

/// Work that is done beside the loop.
#[derive(Debug, Default)]
struct Jobs {
    started: u64,
    /// The last of them that was about another workspace.
    of_others: u64,
    /// The last of them that was about the rows of another scope, if it was about rows.
    of_other_scopes: u64,
    /// What is to be done with everything that a filter finds, once it is here.
    wishes: BTreeMap<Wish, String>,
}

/// A word in the footer until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    Info(Safe),
    Warning(Safe),
}

/// The explorer.
#[derive(Debug)]
pub struct App {
    pub setup: Setup,
    pub now: Moment,
    pub size: (u16, u16),
    pub scope: Scope,
    pub listing: Listing,
    pub cursor: Cursor,
    /// Of the keys that move a selection.
    moves: KeyRepeat,
    /// The read that is to be started over when that is asked for once more.
    insisted_on: Option<Generation>,
    /// Of all keys.
    presses: KeyRepeat,
    pub health: Health,
    pub focus: Focus,
    pub overlay: Overlay,
    pub notice: Option<Notice>,
    pub time: TimeFormat,
    pub reveal: bool,
    pub mouse: bool,
    pub detail_form: Form,
    pub detail_scroll: usize,
    pub everything: Everything,
    /// The last generation whose load of everything has ended.
    swept: Option<Generation>,
    sweep: Option<Sweep>,
    pub filter: Filter,
    pub sort: Option<Sort>,
    /// The ids of the marked webhooks.
    pub marks: Arc<IdSet>,
    pub view: View,
    group_panes: BTreeMap<View, GroupPane>,
    /// The view that Esc goes back to, the filter that was set there, and the one before it.
    came_from: Option<CameFrom>,
    pub unseen: Unseen,
    before: Option<Before>,
    /// The running comparison: the number of its job, and the rows before the refresh.
    comparing: Option<(u64, Before)>,
    pub probes: Probes,
    /// The delivery attempts, if an export of them was given at the start.
    pub deliveries: Option<Deliveries>,
    pub memory: Memory,
    pub changes: ChangesPane,
    /// Shared by all rows of the workspace.
    packer: Packer,
    jobs: Jobs,
    arranging: Arranging,
    findings: Findings,
    consistency: Consistency,
    recovery: Recovery,
    /// When the next automatic refresh is due.
    pub auto_refresh: Option<Instant>,
    /// The selected row, once it is loaded.
    anchor: Option<Anchor>,
    /// The last frame drawn, which keys and clicks refer to.
    frame: Option<Frame>,
    last_copy: Option<(Copy, String)>,
    /// The state of the other scopes, restored when the user returns to them.
    shelf: HashMap<Scope, Shelved>,
    generation: Generation,
    /// The time at which the rows of this generation were requested.
    asked_at: jiff::Timestamp,
    /// The demand last sent to the fetch task.
    demanded: Demand,
    /// A switch to another workspace is under way.
    switching: bool,
}

impl App {
    pub fn new(setup: Setup, now: Moment) -> Self {
        let generation = Generation::default().next();
        Self {
            now,
            size: clamp(setup.size.0, setup.size.1),
            scope: setup.scope,
            listing: Listing::new(generation, setup.page_size),
            cursor: Cursor::default(),
            moves: KeyRepeat::default(),
            insisted_on: None,
            presses: KeyRepeat::default(),
            health: Health::default(),
            focus: Focus::List,
            overlay: Overlay::None,
            notice: None,
            time: setup.time,
            reveal: false,
            mouse: setup.mouse,
            detail_form: Form::default(),
            detail_scroll: 0,
            everything: Everything::No,
            swept: None,
            sweep: None,
            filter: Filter::default(),
            sort: None,
            marks: Arc::default(),
            unseen: Unseen::default(),
            before: None,
            comparing: None,
            probes: Probes::default(),
            deliveries: None,
            memory: Memory::default(),
            changes: ChangesPane::default(),
            packer: Packer::default(),
            jobs: Jobs::default(),
            view: View::default(),
            group_panes: BTreeMap::new(),
            came_from: None,
            arranging: Arranging::default(),
            findings: Findings::new(Arc::clone(&setup.audit), now.wall),
            consistency: Consistency::default(),
            recovery: Recovery::default(),
            auto_refresh: setup.auto_refresh.then(|| now.instant + setup.refresh_every),
            anchor: None,
            frame: None,
            last_copy: None,
            shelf: HashMap::new(),
            generation,
            asked_at: now.wall,
            demanded: Demand { generation, scope: setup.scope, pages: vec![1], everything: false },
            switching: false,
            setup,
        }
    }

    /// What is wanted now.
    pub fn demand(&self) -> &Demand {
        &self.demanded
    }

    /// What packs the rows of the workspace.
    pub fn packer(&self) -> &Packer {
        &self.packer
    }

    /// The one place where anything changes.
    pub fn update(&mut self, message: Message, now: Moment) -> Vec<Effect> {
        let (was_hurried, was_passing) = (self.is_hurried(), self.settles_at().is_some());
        self.now = now;
        let is_by_hand = matches!(message, Message::Key(_) | Message::Paste(_) | Message::Mouse(_));
        // A countdown moves no line.
        let is_from_elsewhere = !is_by_hand && !matches!(message, Message::Tick);
        let before = is_by_hand.then(|| self.aim());
        let mut effects = match message {
            Message::Drawn => {
                self.drawn();
                return Vec::new();
            }
            Message::Begun => self.recall(),
            Message::Key(key) => self.key(key),
            Message::Paste(text) => self.paste(&text),
            Message::Mouse(event) => self.mouse_event(event),
            Message::Resize { width, height } => {
                self.size = clamp(width, height);
                self.forget_parts();
                if let Overlay::PlainText(plain) = &mut self.overlay {
                    plain.fit(self.size.0);
                }
                vec![Effect::Redraw]
            }
            Message::Fetch(event) => self.fetched(event),
            Message::Arranged(arranged) => self.arranged(arranged),
            Message::Judged(judged) => self.judged(*judged),
            Message::Done(done) => self.done(*done),
            Message::Probed(found) => self.probed(found),
            Message::Tick => self.tick(),
            Message::NotSuspended(why) => self.warn(why),
            Message::Switched(workspace) => self.switched(*workspace),
            Message::NotSwitched(why) => self.not_switched(&why),
            Message::NotRenewed(why) => self.not_renewed(why),
        };
        self.show_all_when_due();
        self.keep_selection();
        self.grow_export();
        self.fit();
        self.watch_sweep();
        let demand = self.wanted();
        if demand.pages.is_empty() && !demand.everything {
            if self.listing.has_failures() {
                self.health.give_up();
            } else {
                self.health.settle();
            }
        }
        if demand != self.demanded {
            self.demanded = demand.clone();
            effects.push(Effect::Demand(demand));
        }
        effects.extend(self.watch_recovery());
        effects.extend(self.case_to_judge().map(|case| Effect::Judge(Box::new(case))));
        effects.extend(self.tell_of_selected());
        effects.extend(self.wish().map(Effect::Arrange));
        effects.extend(self.take_full_read());
        effects.extend(self.keep_when_due());
        effects.extend(self.search_history());
        effects.extend(self.compare_when_read());
        effects.extend(self.find_changes());
        effects.extend(self.fulfil_wishes());
        effects.extend(self.match_deliveries());
        if let Some(before) = before {
            // Keys come faster than frames.
            self.aim_on(&before);
        }
        if is_from_elsewhere && (effects.contains(&Effect::Draw) || effects.contains(&Effect::Redraw)) {
            self.outdate_frame();
        }
        // Whatever came just now, and if it is nothing: the time is over in which what takes reading is not shown.
        if was_hurried && !self.is_hurried() || was_passing && self.settles_at().is_none() {
            effects.push(Effect::Draw);
        }
        effects
    }

    /// When something on screen changes without anything happening: a countdown, an age, an automatic refresh.
    pub fn next_wake(&self) -> Option<Instant> {
        let ages = (self.time == TimeFormat::Relative).then(|| self.next_age_change()).flatten();
        let now = self.now.instant;
        let released = self.moves.released_at(now).into_iter().chain(self.presses.released_at(now)).min();
        let live = match self.health {
            Health::Live { at } if self.setup.file.is_none() && self.cached_at().is_none() => self.next_live_age(at),
            _ => None,
        };
        let past = self.cached_at().into_iter().chain(self.changes_since());
        let past = past.map(|at| clock::recent_age_changes_in(at, self.now.wall)).min();
        let past = past.map(|seconds| self.now.instant + Duration::from_secs(u64::try_from(seconds).unwrap_or(60).max(1)));
        let told = self.settles_at().filter(|_| !self.broken_at(self.cursor.selected()).is_empty());
        let other = [self.health.next_wake(self.now.instant, self.shows_countdown()), self.auto_refresh, self.keeps_at()];
        other.into_iter().chain([ages, released, past, told, live]).flatten().min()
    }

    /// When the age of live rows changes on screen, or its color.
    fn next_live_age(&self, read_at: jiff::Timestamp) -> Option<Instant> {
        let age = u64::try_from(self.now.wall.duration_since(read_at).as_secs()).ok()?;
        let fresh = if self.auto_refresh.is_some() { self.setup.refresh_every } else { FRESH };
        let stale = fresh.as_secs().saturating_add(1).checked_sub(age).filter(|&left| left > 0);
        let changes = u64::try_from(clock::age_changes_in(read_at, self.now.wall)).ok()?;
        let seconds = stale.into_iter().chain([changes.max(1)]).min()?;
        self.now.instant.checked_add(Duration::from_secs(seconds))
    }

    /// When the selection will have stayed long enough for what takes long to read, if it has not yet.
    fn settles_at(&self) -> Option<Instant> {
        self.moves.settles_at(self.now.instant)
    }

    /// Whether a key is held that moves the selection: then only what changes with each row is shown, and what takes reading
    /// waits.
    pub fn is_hurried(&self) -> bool {
        self.moves.is_held(self.now.instant)
    }

    /// Whether a key is held, whatever it does: frames are spaced by what they cost then.
    pub fn is_repeating(&self) -> bool {
        self.is_hurried() || self.presses.is_held(self.now.instant)
    }

    fn next_age_change(&self) -> Option<Instant> {
        let visible = self.visible().filter_map(|place| self.listing.row(place)).filter_map(RowRef::created_at);
        let seconds = visible.map(|then| clock::age_changes_in(then, self.now.wall)).min()?;
        // Ages are read by the minute, however many rows there are to change at different seconds.
        Some(self.now.instant + Duration::from_secs(u64::try_from(seconds).unwrap_or_default().max(60)))
    }

    pub fn layout(&self) -> Layout {
        let has_rows = !self.listing.is_empty();
        Layout::new(self.size.0, self.size.1, has_rows && self.health.trouble().is_some())
    }

    /// The places of the listing on screen.
    pub fn visible(&self) -> std::ops::Range<u64> {
        self.cursor.visible(self.layout().panes.list().height, self.listing.len())
    }

    pub fn selected_row(&self) -> Option<RowRef<'_>> {
        self.listing.row(self.cursor.selected())
    }

    fn selected_id(&self) -> Option<Box<str>> {
        self.selected_row().filter(|row| row.is_webhook()).map(|row| row.id().into())
    }

    /// Whether the detail is on screen.
    pub fn shows_detail(&self) -> bool {
        !matches!(self.layout().panes, Panes::One { .. }) || self.focus == Focus::Detail
    }

    /// The first `max` lines of the detail of a row.
    pub fn detail_lines(&self, row: RowRef<'_>, max: usize) -> Vec<Vec<Piece>> {
        detail::lines(&row.unpack(), &notes(self, row), self.told(), &self.detail_style(), max)
    }

    fn detail_style(&self) -> detail::Style {
        detail::Style {
            // A column stays free on either side.
            width: self.layout().panes.detail().width.saturating_sub(2),
            form: self.detail_form,
            past: None,
            reveal: self.reveal,
            time: self.time,
            zone: self.setup.zone.clone(),
            now: self.now.wall,
            theme: self.setup.theme,
            glyphs: self.setup.glyphs,
        }
    }

    /// Whether what was read then is older than the next refresh would make it.
    pub fn is_stale(&self, read_at: jiff::Timestamp) -> bool {
        let fresh = if self.auto_refresh.is_some() { self.setup.refresh_every } else { FRESH };
        let age = self.now.wall.duration_since(read_at);
        u64::try_from(age.as_secs()).is_ok_and(|seconds| seconds > fresh.as_secs())
    }

    /// Whether something is being read that is not here yet.
    pub fn is_loading(&self) -> bool {
        let given_up = self.health.trouble().is_some_and(|trouble| trouble.stage == Stage::Failed);
        !given_up && (!self.demanded.pages.is_empty() || self.everything != Everything::No)
    }

    /// Pages that are here and of this read, and how many there are.
    pub fn pages_loaded(&self) -> (u64, Option<u64>) {
        let of = match self.listing.extent() {
            RowCount::Exactly(rows) => Some(rows.div_ceil(self.listing.page_size())),
            RowCount::AtLeast(_) => None,
        };
        (self.listing.fresh_pages(), of)
    }

    /// How long loading everything will take, to judge by how long it took so far.
    pub fn time_left(&self) -> Option<Duration> {
        let (pages, of) = self.pages_loaded();
        let sweep = self.sweep.as_ref()?;
        let done = u32::try_from(pages.checked_sub(sweep.from)?).ok().filter(|&done| done >= 3)?;
        let left = u32::try_from(of?.saturating_sub(pages)).ok()?;
        Some(self.now.instant.saturating_duration_since(sweep.since) / done * left)
    }

    /// Notes when loading everything began, for the time that it will take.
    fn watch_sweep(&mut self) {
        match (self.everything, &self.sweep) {
            (Everything::No, _) => self.sweep = None,
            (_, None) => self.sweep = Some(Sweep { since: self.now.instant, from: self.listing.fresh_pages() }),
            (_, Some(_)) => {}
        }
    }

    /// Keeps selection and screen inside the listing.
    fn fit(&mut self) {
        let exactly = self.is_end_known();
        let before = self.cursor.selected();
        self.cursor.fit(self.list_height(), self.listing.len(), exactly);
        if self.cursor.selected() != before {
            self.detail_scroll = 0;
        }
        if self.detail_scroll > 0 {
            self.scroll_detail(0);
        }
        self.fit_groups();
        self.fit_changes();
    }

    /// Lines of the list that nothing covers.
    fn list_height(&self) -> u16 {
        let layout = self.layout();
        let list = layout.panes.list();
        let covered = matches!(self.overlay, Overlay::Filter | Overlay::Export(_)) && list.bottom() == layout.body.bottom();
        list.height.saturating_sub(u16::from(covered))
    }

    /// Whether the last row that there is to move to is the last one.
    fn is_end_known(&self) -> bool {
        matches!(self.listing.extent(), RowCount::Exactly(_)) || self.listing.order().is_some()
    }

    fn wanted(&self) -> Demand {
        let mut pages = self.listing.pages_of(&self.visible_or_first());
        pages.retain(|&page| self.listing.needs(page));
        if pages.is_empty() {
            pages.extend(self.page_ahead());
        }
        Demand { generation: self.generation, scope: self.scope, pages, everything: self.everything != Everything::No }
    }

    /// While nothing is known, the first screenful.
    fn visible_or_first(&self) -> std::ops::Range<u64> {
        let visible = self.visible();
        if visible.is_empty() { 0..1 } else { visible }
    }

    /// The page that the selection travels to, once it is less than half a page away.
    fn page_ahead(&self) -> Option<u64> {
        if !self.listing.is_known() || self.listing.order().is_some() {
            return None;
        }
        let near = self.listing.page_size() / 2;
        let visible = self.visible();
        let ahead = match self.cursor.travel() {
            Travel::Down => visible.end..visible.end.saturating_add(near),
            Travel::Up => visible.start.saturating_sub(near)..visible.start,
        };
        // Nobody waits for the row behind an unknown end.
        let known = self.listing.extent().known();
        let ahead = ahead.start.min(known)..ahead.end.min(known);
        self.listing.pages_of(&ahead).into_iter().find(|&page| self.listing.needs(page))
    }

    fn warn(&mut self, words: impl Into<Safe>) -> Vec<Effect> {
        self.notice = Some(Notice::Warning(words.into()));
        vec![Effect::Draw]
    }

    fn inform(&mut self, words: impl Into<Safe>) -> Vec<Effect> {
        self.notice = Some(Notice::Info(words.into()));
        vec![Effect::Draw]
    }
}

fn draw_if(changed: bool) -> Vec<Effect> {
    if changed { vec![Effect::Draw] } else { Vec::new() }
}

/// The state of a webhook as one symbol.
pub fn state_symbol(row: RowRef<'_>, glyphs: Glyphs) -> &'static str {
    match row.active() {
        Some(true) => glyphs.active,
        Some(false) => glyphs.inactive,
        None => "?",
    }
}
