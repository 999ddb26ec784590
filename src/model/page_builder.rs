//! Builds pages: the one place where JSON becomes rows.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::fields::{CreatedAt, EventEntry, Field};
use super::host::host_and_respelled;
use super::interner::{EventList, Interner, SharedName, push_name};
use super::json::{Json, TooDeep};
use super::page::{NEVER, NONE, OwnedRow, PackedRow, RowPage, RowState, size, table_index};
use super::plain_row::{self, PlainRow, usual_time};
use super::rows::Rows;
use super::webhook::Webhook;

/// A page that is being filled.
#[derive(Debug, Default)]
pub struct PageBuilder {
    interner: Interner,
    text: String,
    rows: Vec<PackedRow>,
    lists: Vec<Arc<EventList>>,
    hosts: Vec<Arc<SharedName>>,
    json: Vec<(u32, u32, u32)>,
    /// The encoded event names of the row that is being added.
    names: String,
}

impl PageBuilder {
    pub fn new(interner: &Interner) -> Self {
        Self { interner: interner.clone(), ..Self::default() }
    }

    /// Adds one element of a listing. An element that is not a valid webhook becomes a malformed row.
    ///
    /// # Errors
    ///
    /// The element is nested too deeply.
    pub fn push(&mut self, raw: &RawValue) -> Result<(), TooDeep> {
        self.names.clear();
        if let Some(plain) = plain_row::read(raw.get(), &mut self.names) {
            self.push_plain(&plain);
            return Ok(());
        }
        match Webhook::decode(raw)? {
            Ok(webhook) => self.push_webhook(&webhook),
            Err(_reason) => {
                let json = Json::new(raw)?;
                self.push_row("", "", PackedRow::MALFORMED);
                self.keep_json(json.raw());
            }
        }
        Ok(())
    }

    /// The number of rows so far.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn finish(self) -> Arc<RowPage> {
        Arc::new(RowPage {
            text: self.text.into(),
            rows: self.rows.into(),
            lists: self.lists.into(),
            hosts: self.hosts.into(),
            json: self.json.into(),
        })
    }

    fn push_plain(&mut self, plain: &PlainRow<'_>) {
        let state = if plain.active { RowState::Active } else { RowState::Inactive };
        let list = self.list();
        self.push_row(plain.url, plain.id, PackedRow { list, state, created: plain.created, ..PackedRow::MALFORMED });
    }

    fn push_webhook(&mut self, webhook: &Webhook) {
        let list = match &webhook.events {
            Field::Value(_) => {
                self.names.clear();
                for name in webhook.event_names() {
                    push_name(&mut self.names, name.raw());
                }
                self.list()
            }
            Field::Missing | Field::Odd(_) => NONE,
        };
        let state = match webhook.active() {
            Some(true) => RowState::Active,
            Some(false) => RowState::Inactive,
            None => RowState::Unknown,
        };
        let created = webhook.created_at.value().and_then(CreatedAt::at).map_or(NEVER, Timestamp::as_millisecond);
        let packed = PackedRow { list, state, created, ..PackedRow::MALFORMED };
        self.push_row(webhook.url.raw(), webhook.id.raw(), packed);
        if !is_plain(webhook) {
            self.keep_json(&serde_json::to_string(webhook).unwrap_or_default());
        }
    }

    /// Adds a row and derives the rest from its URL.
    fn push_row(&mut self, url: &str, id: &str, packed: PackedRow) {
        let start = size(self.text.len());
        for part in [url, "\n", id, "\n"] {
            self.text.push_str(part);
        }
        let (host, respelled) = host_and_respelled(url);
        if let Some(respelled) = &respelled {
            self.text.push_str(respelled);
            self.text.push('\n');
        }
        let (is_host_in_url, is_respelled) = (matches!(host, Some(Cow::Borrowed(_))), respelled.is_some());
        let host = host.map_or(NONE, |host| table_index(&mut self.hosts, &self.interner.host(&host)));
        let (url, id) = (size(url.len()), size(id.len()));
        self.rows.push(PackedRow { start, url, id, host, is_host_in_url, is_respelled, ..packed });
    }

    /// Stores the JSON of the last row.
    fn keep_json(&mut self, json: &str) {
        let start = size(self.text.len());
        self.text.push_str(json);
        self.json.push((size(self.rows.len().saturating_sub(1)), start, size(json.len())));
    }

    /// The index of the list of the names read last.
    fn list(&mut self) -> u32 {
        table_index(&mut self.lists, &self.interner.event_list(&self.names))
    }
}

/// Returns true if a webhook's JSON can be written again from its packed fields.
fn is_plain(webhook: &Webhook) -> bool {
    let names_only = |events: &Vec<EventEntry>| events.iter().all(|entry| matches!(entry, EventEntry::Name(_)));
    webhook.unknown.is_empty()
        && webhook.events.value().is_some_and(names_only)
        && webhook.is_active.value().is_some()
        && webhook.created_at.value().is_some_and(|created| usual_time(created.raw()).is_some())
}

impl OwnedRow {
    /// Decodes a single row; `None` if the text is not JSON, or nested too deeply.
    pub fn decode(json: &str) -> Option<Self> {
        let mut page = PageBuilder::default();
        page.push(serde_json::from_str(json).ok()?).ok()?;
        Self::new(&page.finish(), 0)
    }
}

/// A listing that is being read row by row, as pages of one size.
#[derive(Debug)]
pub struct RowsBuilder {
    interner: Interner,
    page_size: usize,
    page: PageBuilder,
    pages: Vec<Arc<RowPage>>,
}

impl RowsBuilder {
    /// Starts a listing with this many rows per page.
    pub fn new(interner: &Interner, page_size: u64) -> Self {
        let page_size = usize::try_from(page_size).unwrap_or(usize::MAX).max(1);
        Self { interner: interner.clone(), page_size, page: PageBuilder::new(interner), pages: Vec::new() }
    }

    /// Adds a row; see [`PageBuilder::push`].
    ///
    /// # Errors
    ///
    /// The row is nested too deeply.
    pub fn push(&mut self, raw: &RawValue) -> Result<(), TooDeep> {
        self.page.push(raw)?;
        if self.page.len() >= self.page_size {
            self.end_page();
        }
        Ok(())
    }

    pub fn interner(&self) -> &Interner {
        &self.interner
    }

    fn end_page(&mut self) {
        let page = std::mem::replace(&mut self.page, PageBuilder::new(&self.interner));
        self.pages.push(page.finish());
    }

    pub fn finish(mut self) -> Rows {
        if !self.page.is_empty() {
            self.end_page();
        }
        self.pages.into_iter().collect()
    }
}
