//! The state of the explorer and the only place where it changes: [`App::update`] takes a message and says what is to be done.
//! No IO, no async and no clock in here.

mod profiles;

use std::collections::HashMap;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::tz::TimeZone;
use ratatui::layout::Position;
use tokio::time::Instant;

pub use self::profiles::Workspace;
use super::copy::{self, Place};
use super::cursor::{Cursor, Travel};
use super::detail::{self, Form};
use super::health::{Health, Stage};
use super::layout::{Layout, Panes, clamp};
use super::listing::Listing;
use super::message::{Effect, Message};
use super::palette::Palette;
use super::picker::Picker;
use super::theme::{Glyphs, Theme};
use crate::api::Page;
use crate::base_url::BaseUrl;
use crate::clock::{self, Moment};
use crate::config::{Clipboard, Config, Connection, KeySource, Profile, TimeFormat};
use crate::fetch::{Demand, FetchEvent, Generation, RowCount};
use crate::keymap::{ACTIONS, Action, COPIES, Copy, Key, Keymap};
use crate::model::{Field, Row, Scope, Webhook, WebhookId};
use crate::safe;
use crate::text::{Safe, Untrusted, grouped};

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
            keymap: config.keymap.clone(),
            theme: Theme::new(&ui.theme, true),
            glyphs: if ui.ascii { Glyphs::ascii() } else { Glyphs::unicode() },
            zone: TimeZone::UTC,
            clipboard: ui.clipboard,
            refresh_every: ui.refresh,
            auto_refresh: false,
            auto_load_limit: ui.auto_load_limit,
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
    CopyMenu,
    /// A text on a plain screen, to select by hand.
    PlainText {
        text: String,
        scroll: usize,
    },
}

/// Whether all rows are being loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Everything {
    #[default]
    No,
    /// Because something needs them; within the limit.
    Needed,
    /// Because somebody asked for it; however many they are.
    Asked,
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
    /// When the next automatic refresh is due.
    pub auto_refresh: Option<Instant>,
    /// The selected webhook at the last refresh, until it is found again.
    following: Option<WebhookId>,
    last_copy: Option<(Copy, String)>,
    /// What was seen of the other scopes, to come back to.
    shelf: HashMap<Scope, (Listing, Cursor)>,
    generation: Generation,
    /// What the fetch task was told last.
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
            auto_refresh: setup.auto_refresh.then(|| now.instant + setup.refresh_every),
            following: None,
            last_copy: None,
            shelf: HashMap::new(),
            generation,
            demanded: Demand { generation, scope: setup.scope, pages: vec![1], everything: false },
            switching: false,
            setup,
        }
    }

    /// What is wanted now.
    pub fn demand(&self) -> &Demand {
        &self.demanded
    }

    /// The one place where anything changes.
    pub fn update(&mut self, message: Message, now: Moment) -> Vec<Effect> {
        self.now = now;
        let mut effects = match message {
            Message::Key(key) => self.key(key),
            Message::Paste(text) => self.paste(&text),
            Message::Mouse(event) => self.mouse_event(event),
            Message::Resize { width, height } => {
                self.size = clamp(width, height);
                vec![Effect::Redraw]
            }
            Message::Fetch(event) => self.fetched(event),
            Message::Tick => self.tick(),
            Message::NotSuspended(why) => self.warn(why),
            Message::Switched(workspace) => self.switched(*workspace),
            Message::NotSwitched(why) => self.not_switched(&why),
        };
        self.fit();
        let demand = self.wanted();
        if demand.pages.is_empty() && !demand.everything {
            self.health.settle();
        }
        if demand != self.demanded {
            self.demanded = demand.clone();
            effects.push(Effect::Demand(demand));
        }
        effects
    }

    /// When something on screen changes without anything happening: a countdown, an age, an automatic refresh.
    pub fn next_wake(&self) -> Option<Instant> {
        let ages = (self.time == TimeFormat::Relative).then(|| self.next_age_change()).flatten();
        [self.health.next_wake(self.now.instant), self.auto_refresh, ages].into_iter().flatten().min()
    }

    fn next_age_change(&self) -> Option<Instant> {
        let created = |row: &Row| row.webhook()?.created_at.value()?.at();
        let visible = self.visible().filter_map(|place| self.listing.row(place)).filter_map(created);
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

    pub fn selected_row(&self) -> Option<&Row> {
        self.listing.row(self.cursor.selected())
    }

    /// Whether the detail is on screen.
    pub fn shows_detail(&self) -> bool {
        !matches!(self.layout().panes, Panes::One { .. }) || self.focus == Focus::Detail
    }

    pub fn detail_style(&self) -> detail::Style {
        detail::Style {
            // A column stays free on either side.
            width: self.layout().panes.detail().width.saturating_sub(2),
            form: self.detail_form,
            reveal: self.reveal,
            time: self.time,
            zone: self.setup.zone.clone(),
            now: self.now.wall,
            theme: self.setup.theme,
            glyphs: self.setup.glyphs,
        }
    }

    /// Whether something is being read that is not here yet.
    pub fn is_loading(&self) -> bool {
        let given_up = self.health.trouble().is_some_and(|trouble| trouble.stage == Stage::Failed);
        !given_up && (!self.demanded.pages.is_empty() || self.everything != Everything::No)
    }

    /// Keeps selection and screen inside the listing.
    fn fit(&mut self) {
        let exactly = matches!(self.listing.rows(), RowCount::Exactly(_)) || self.listing.filters();
        let before = self.cursor.selected();
        self.cursor.fit(self.layout().panes.list().height, self.listing.len(), exactly);
        if self.cursor.selected() != before {
            self.detail_scroll = 0;
        }
        if self.detail_scroll > 0 {
            self.scroll_detail(0);
        }
    }

    fn wanted(&self) -> Demand {
        let mut pages: Vec<u64> =
            self.listing.pages_of(&self.visible_or_first()).filter(|&p| self.listing.needs(p)).collect();
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
        if !self.listing.is_known() || self.listing.filters() {
            return None;
        }
        let near = self.listing.page_size() / 2;
        let visible = self.visible();
        let ahead = match self.cursor.travel() {
            Travel::Down => visible.end..visible.end.saturating_add(near),
            Travel::Up => visible.start.saturating_sub(near)..visible.start,
        };
        // Nobody waits for the row behind an unknown end.
        let known = self.listing.rows().known();
        let ahead = ahead.start.min(known)..ahead.end.min(known);
        self.listing.pages_of(&ahead).find(|&page| self.listing.needs(page))
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

/// What the fetch task reports.
impl App {
    fn fetched(&mut self, event: FetchEvent) -> Vec<Effect> {
        if event.generation() != self.generation {
            // An answer to a question that nobody asks any more.
            return Vec::new();
        }
        match event {
            FetchEvent::Started { page, .. } => {
                self.listing.started(page);
                return Vec::new();
            }
            FetchEvent::Loaded { page, .. } => self.loaded(page),
            FetchEvent::Retrying { attempt, of, error, .. } => {
                self.health.bad(error, Stage::Retrying { attempt, of }, self.now);
            }
            FetchEvent::Paused { until, error, .. } => self.health.bad(error, Stage::Paused { until }, self.now),
            FetchEvent::Failed { page, error, .. } => {
                self.listing.failed(page, error.clone());
                if error.is_refusal() || !error.is_transient() {
                    // To ask again and again would not help.
                    self.auto_refresh = None;
                }
                self.health.bad(error, Stage::Failed, self.now);
                if self.everything != Everything::No {
                    self.everything = Everything::No;
                    return self.warn(safe!("loading stopped: page {} failed", page));
                }
            }
            FetchEvent::Swept { .. } => {
                self.everything = Everything::No;
                if let (RowCount::Exactly(rows), false) = (self.listing.rows(), self.listing.is_complete()) {
                    let sent = grouped(self.listing.loaded());
                    return self.warn(safe!("the API says {} webhooks, but sent {}", grouped(rows), sent));
                }
            }
        }
        vec![Effect::Draw]
    }

    fn loaded(&mut self, page: Page) {
        let ignored = !self.listing.filters() && !page.rows.iter().all(|row| self.scope.admits(row));
        // Rows that are kept or dropped here move others: the selection stays with its row.
        let anchor = self.listing.filters().then(|| self.listing.anchor(self.cursor.selected())).flatten();
        if self.listing.load(page) {
            self.generation = self.generation.next();
            self.listing.adopt(self.generation);
        }
        if let Some(place) = anchor.and_then(|anchor| self.listing.place_of(anchor)) {
            self.cursor.follow(place);
        }
        if self.listing.has_failures() {
            self.health.good_besides_failures(self.now);
        } else {
            self.health.good(self.now);
        }
        if ignored {
            self.filter_here();
        }
        if self.everything == Everything::Needed && self.listing.rows().known() > self.setup.auto_load_limit {
            self.everything = Everything::No;
        }
        self.follow_selection();
        if self.listing.is_complete() {
            self.everything = Everything::No;
        }
    }

    /// The server sends what was not asked for: from now on the scope is a filter of ours, which needs all rows.
    fn filter_here(&mut self) {
        self.listing.keep_only(self.scope);
        self.need_everything();
        let words = if self.everything == Everything::No {
            safe!("the server ignores is_active; filtering here, L loads more than {}", grouped(self.setup.auto_load_limit))
        } else {
            "the server ignores is_active; filtering here".into()
        };
        self.notice = Some(Notice::Warning(words));
    }

    /// Loads all rows, unless they are more than may be loaded without asking.
    fn need_everything(&mut self) {
        if self.everything == Everything::No && self.listing.rows().known() <= self.setup.auto_load_limit {
            self.everything = Everything::Needed;
        }
    }

    /// After a refresh the selection stays with its webhook, if that is on the pages read again.
    fn follow_selection(&mut self) {
        let Some(id) = self.following.take() else { return };
        if let Some(place) = self.listing.find(&id) {
            if place != self.cursor.selected() {
                self.cursor.follow(place);
            }
            return;
        }
        let mut visible = self.listing.pages_of(&self.visible());
        if self.everything != Everything::No || visible.any(|page| self.listing.needs(page)) {
            self.following = Some(id);
            return;
        }
        let id = id.clean_head(30);
        self.notice = Some(Notice::Warning(safe!("{} is not on this page any more", id)));
    }

    fn refresh(&mut self) {
        let was_complete = self.listing.is_complete() && self.listing.loaded() > 0;
        self.following = self.selected_row().and_then(Row::id).cloned();
        self.generation = self.generation.next();
        self.listing.refresh(self.generation);
        self.everything = Everything::No;
        if was_complete || self.listing.filters() {
            self.need_everything();
        }
        if self.auto_refresh.is_some() {
            self.auto_refresh = Some(self.now.instant + self.setup.refresh_every);
        }
    }

    /// A refresh by hand. While an answer is waited for, asking again would only start the waiting anew.
    fn ask_again(&mut self) -> Vec<Effect> {
        if self.is_loading() && self.health.trouble().is_none() {
            return self.inform("still loading");
        }
        self.refresh();
        vec![Effect::Draw]
    }

    /// What was seen of a scope is shown again at once when it comes back, and read again.
    fn change_scope(&mut self) {
        self.generation = self.generation.next();
        let fresh = (Listing::new(self.generation, self.setup.page_size), Cursor::default());
        let next = self.shelf.remove(&self.scope.next()).unwrap_or(fresh);
        let seen = (std::mem::replace(&mut self.listing, next.0), std::mem::replace(&mut self.cursor, next.1));
        self.shelf.insert(self.scope, seen);
        self.scope = self.scope.next();
        self.listing.refresh(self.generation);
        self.following = self.selected_row().and_then(Row::id).cloned();
        self.everything = Everything::No;
        if self.listing.filters() {
            self.need_everything();
        }
        self.detail_scroll = 0;
    }

    fn tick(&mut self) -> Vec<Effect> {
        if self.auto_refresh.is_some_and(|due| due <= self.now.instant) {
            if self.is_loading() {
                // The last one is still under way.
                self.auto_refresh = Some(self.now.instant + self.setup.refresh_every);
            } else {
                self.refresh();
            }
        }
        vec![Effect::Draw]
    }
}

/// Keys, mouse and pasted text.
impl App {
    fn key(&mut self, event: KeyEvent) -> Vec<Effect> {
        if event.kind == KeyEventKind::Release {
            return Vec::new();
        }
        let key = Key::from(event);
        if key == Key::CTRL_C {
            return vec![Effect::Quit];
        }
        let had_notice = self.notice.take().is_some();
        let effects = match self.overlay {
            Overlay::None => match self.setup.keymap.action(key) {
                Some(action) => self.perform(action),
                None => Vec::new(),
            },
            Overlay::Help { .. } => self.key_in_help(key, event.code),
            Overlay::Palette(_) => self.key_in_palette(event),
            Overlay::Profiles(_) => self.key_in_profiles(event),
            Overlay::CopyMenu => self.key_in_copy_menu(event.code),
            Overlay::PlainText { .. } => self.key_in_plain_text(event.code),
        };
        if effects.is_empty() { draw_if(had_notice) } else { effects }
    }

    fn perform(&mut self, action: Action) -> Vec<Effect> {
        if action != Action::Copy {
            // Only the same copy right after another asks for the plain screen.
            self.last_copy = None;
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
            Action::Back => self.back(),
            Action::NextPane => self.set_focus(if self.focus == Focus::List { Focus::Detail } else { Focus::List }),
            Action::NextScope => {
                self.change_scope();
                vec![Effect::Draw]
            }
            Action::RawJson => {
                self.detail_form = self.detail_form.other();
                self.detail_scroll = 0;
                // Where only one pane fits, the JSON would otherwise be out of sight.
                if self.detail_form == Form::Json && !self.shows_detail() {
                    self.focus = Focus::Detail;
                }
                vec![Effect::Draw]
            }
            Action::Copy => {
                if self.selected_row().is_none() {
                    return self.warn("there is no webhook to copy from");
                }
                self.overlay = Overlay::CopyMenu;
                vec![Effect::Draw]
            }
            Action::Refresh => self.ask_again(),
            Action::AutoRefresh => self.toggle_auto_refresh(),
            Action::LoadEverything => self.load_everything(),
            Action::Profiles => self.choose_profile(),
            Action::TimeFormat => {
                self.time = self.time.next();
                self.inform(safe!("times: {}", self.time.name()))
            }
            Action::Reveal => {
                self.reveal = !self.reveal;
                self.inform(if self.reveal { "credentials in URLs are shown" } else { "credentials in URLs are masked" })
            }
            Action::Mouse => {
                self.mouse = !self.mouse;
                let mut effects = self.inform(if self.mouse { "mouse on" } else { "mouse off" });
                effects.push(Effect::Mouse(self.mouse));
                effects
            }
            Action::Palette => {
                self.overlay = Overlay::Palette(Palette::default());
                vec![Effect::Draw]
            }
            Action::Help => {
                self.overlay = Overlay::Help { scroll: 0 };
                vec![Effect::Draw]
            }
            Action::Redraw => vec![Effect::Redraw],
            Action::Suspend => vec![Effect::Suspend],
            Action::Quit => vec![Effect::Quit],
        }
    }

    fn go(&mut self, rows: i64) -> Vec<Effect> {
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
            return self.scroll_detail(i64::from(u16::MAX));
        }
        let before = self.cursor.selected();
        let exactly = matches!(self.listing.rows(), RowCount::Exactly(_)) || self.listing.filters();
        self.cursor.last(self.listing.len(), exactly);
        self.moved(before)
    }

    fn moved(&mut self, before: u64) -> Vec<Effect> {
        let moved = self.cursor.selected() != before;
        if moved {
            self.detail_scroll = 0;
            self.following = None;
        }
        draw_if(moved)
    }

    fn scroll_detail(&mut self, lines: i64) -> Vec<Effect> {
        let Some(row) = self.selected_row() else { return Vec::new() };
        let height = usize::from(self.layout().panes.detail().height);
        let lines = isize::try_from(lines).unwrap_or(isize::MIN);
        let wanted = self.detail_scroll.saturating_add_signed(lines);
        let there = detail::lines(row, &self.detail_style(), wanted.saturating_add(height)).len();
        let scroll = wanted.min(there.saturating_sub(height));
        let changed = scroll != self.detail_scroll;
        self.detail_scroll = scroll;
        draw_if(changed)
    }

    fn set_focus(&mut self, focus: Focus) -> Vec<Effect> {
        let changed = self.focus != focus;
        self.focus = focus;
        draw_if(changed)
    }

    /// One level back: from the detail to the list, from its JSON to its fields, from loading everything to not; never quit.
    fn back(&mut self) -> Vec<Effect> {
        self.cursor.stop();
        if self.focus == Focus::Detail {
            return self.set_focus(Focus::List);
        }
        if self.everything != Everything::No {
            self.everything = Everything::No;
            return self.inform("loading stopped");
        }
        let had_json = self.detail_form == Form::Json;
        self.detail_form = Form::Fields;
        draw_if(had_json)
    }

    fn toggle_auto_refresh(&mut self) -> Vec<Effect> {
        let every = self.setup.refresh_every;
        self.auto_refresh = if self.auto_refresh.is_some() { None } else { Some(self.now.instant + every) };
        if self.auto_refresh.is_some() {
            self.inform(safe!("refreshing every {} s", every.as_secs()))
        } else {
            self.inform("automatic refresh off")
        }
    }

    fn load_everything(&mut self) -> Vec<Effect> {
        if self.listing.is_complete() {
            return self.inform("everything is loaded");
        }
        self.everything = Everything::Asked;
        self.inform("loading everything; esc stops")
    }

    fn close_overlay(&mut self) -> Vec<Effect> {
        self.overlay = Overlay::None;
        vec![Effect::Draw]
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
            KeyCode::Char(c) if !control => palette.insert(c.encode_utf8(&mut [0; 4])),
            _ => return Vec::new(),
        }
        vec![Effect::Draw]
    }

    fn key_in_copy_menu(&mut self, code: KeyCode) -> Vec<Effect> {
        self.overlay = Overlay::None;
        let chosen = COPIES.iter().find(|(key, ..)| KeyCode::Char(*key) == code);
        match chosen {
            Some(&(_, what, words)) => self.copy(what, words),
            None => vec![Effect::Draw],
        }
    }

    fn copy(&mut self, what: Copy, words: &'static str) -> Vec<Effect> {
        let place = Place {
            base_url: self.setup.base_url.clone(),
            invocation: self.setup.invocation.clone(),
            scope: self.scope,
            reveal: self.reveal,
        };
        let Some(text) = self.selected_row().and_then(|row| copy::text(what, row, &place)) else {
            return self.warn("a malformed row can be copied as json only");
        };
        let again = self.last_copy.as_ref().is_some_and(|last| (last.0, last.1.as_str()) == (what, text.as_str()));
        if again || self.setup.clipboard == Clipboard::Screen || text.len() > copy::MAX_OSC52 {
            self.last_copy = None;
            self.overlay = Overlay::PlainText { text, scroll: 0 };
            return vec![Effect::Draw];
        }
        self.last_copy = Some((what, text.clone()));
        let mut effects = self.inform(safe!(
            "copied the {} ({} bytes); again shows it{}",
            words,
            grouped(text.len() as u64),
            self.whose_key(what)
        ));
        effects.push(Effect::Copy(Untrusted::from(text)));
        effects
    }

    fn key_in_plain_text(&mut self, code: KeyCode) -> Vec<Effect> {
        let Overlay::PlainText { text, scroll } = &mut self.overlay else { return Vec::new() };
        match code {
            KeyCode::Down | KeyCode::Char('j') => *scroll = scroll.saturating_add(1),
            KeyCode::Up | KeyCode::Char('k') => *scroll = scroll.saturating_sub(1),
            KeyCode::PageDown => *scroll = scroll.saturating_add(usize::from(self.size.1)),
            KeyCode::PageUp => *scroll = scroll.saturating_sub(usize::from(self.size.1)),
            _ => return self.close_overlay(),
        }
        *scroll = (*scroll).min(copy::plain(text, self.size.0).len().saturating_sub(1));
        vec![Effect::Draw]
    }

    fn paste(&mut self, text: &Untrusted) -> Vec<Effect> {
        match &mut self.overlay {
            Overlay::Palette(palette) => {
                palette.insert(text.raw());
                vec![Effect::Draw]
            }
            Overlay::Profiles(picker) => {
                picker.insert(text.raw(), &self.setup.profiles);
                vec![Effect::Draw]
            }
            // Text is no command.
            Overlay::None | Overlay::Help { .. } | Overlay::CopyMenu | Overlay::PlainText { .. } => Vec::new(),
        }
    }

    fn mouse_event(&mut self, event: MouseEvent) -> Vec<Effect> {
        if !self.mouse || !matches!(self.overlay, Overlay::None) {
            return Vec::new();
        }
        let panes = self.layout().panes;
        let at = Position::new(event.column, event.row);
        let in_detail = self.shows_detail() && panes.detail().contains(at);
        let in_list = !(in_detail && matches!(panes, Panes::One { .. })) && panes.list().contains(at);
        match event.kind {
            MouseEventKind::ScrollDown | MouseEventKind::ScrollUp => {
                let rows = if event.kind == MouseEventKind::ScrollDown { WHEEL } else { -WHEEL };
                if in_detail && !in_list {
                    return self.scroll_detail(rows);
                }
                let before = self.cursor.selected();
                self.cursor.move_by(rows, self.listing.len());
                self.moved(before)
            }
            MouseEventKind::Down(MouseButton::Left) if in_list => {
                let place = self.cursor.offset() + u64::from(event.row - panes.list().y);
                self.focus = Focus::List;
                if place < self.listing.len() {
                    let before = self.cursor.selected();
                    self.cursor.select(place);
                    self.moved(before);
                }
                vec![Effect::Draw]
            }
            MouseEventKind::Down(MouseButton::Left) if in_detail => self.set_focus(Focus::Detail),
            _ => Vec::new(),
        }
    }
}

fn draw_if(changed: bool) -> Vec<Effect> {
    if changed { vec![Effect::Draw] } else { Vec::new() }
}

/// The state of a webhook as one symbol.
pub fn state_symbol(webhook: &Webhook, glyphs: Glyphs) -> &'static str {
    match webhook.is_active {
        Field::Value(true) => glyphs.active,
        Field::Value(false) => glyphs.inactive,
        Field::Odd(_) | Field::Missing => "?",
    }
}
