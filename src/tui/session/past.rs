//! Earlier listings, and the background jobs that work on them.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use crate::analysis::audit::{Audit, LastActive};
use crate::analysis::rows::{RowNumber, Rows, Segment, Table};
use crate::cache::{Kept, Snapshot, Store, Unusable};
use crate::model::{Block, Canonical, CanonicalRows, Draft, Element, Packer, RowRef, Scope};

/// The result of a search of the history for the last activity of inactive webhooks.
#[derive(Debug, Default)]
pub struct Searched {
    /// The ids searched for.
    ids: BTreeSet<Box<str>>,
    /// The newest snapshot at the time.
    newest: Option<Snapshot>,
    /// The last activity of each, by id.
    pub last_active: Arc<HashMap<Box<str>, LastActive>>,
}

/// All webhooks of a workspace at one time.
#[derive(Debug, Clone)]
pub struct Past {
    pub rows: Rows,
    pub at: Timestamp,
}

/// The packing and page size of rows, chosen to match those from the API.
#[derive(Debug, Clone)]
pub struct Layout {
    pub packer: Packer,
    pub page_size: u64,
    /// True if the API's pages are known to have this size. Otherwise a listing of a single short page takes the size of
    /// that page.
    pub is_known: bool,
}

/// Rows that are put on pages one by one.
struct Pages {
    layout: Layout,
    page: Vec<Draft>,
    blocks: Vec<Arc<Block>>,
}

impl Pages {
    fn new(layout: Layout) -> Self {
        Self { layout, page: Vec::new(), blocks: Vec::new() }
    }

    fn push(&mut self, row: Draft) {
        self.page.push(row);
        if self.page.len() as u64 >= self.layout.page_size {
            self.turn();
        }
    }

    fn turn(&mut self) {
        let page = std::mem::take(&mut self.page);
        self.blocks.push(Arc::new(self.layout.packer.pack_rows(page)));
    }

    fn finish(mut self) -> Rows {
        if !self.page.is_empty() {
            self.turn();
        }
        let page_size = match self.blocks.as_slice() {
            [only] if !self.layout.is_known => only.len() as u64,
            _ => self.layout.page_size,
        };
        let mut rows = Rows::new(page_size);
        for (number, block) in (1..).zip(self.blocks) {
            rows.put(number, Segment { rows: block.len(), block });
        }
        rows
    }
}

/// The listing in the cache.
pub fn recall(store: &Store, layout: Layout, now: Timestamp) -> Result<Option<Arc<Past>>, Unusable> {
    let mut pages = Pages::new(layout);
    let read_at = store.read_each(now, |row: Draft| pages.push(row))?;
    Ok(read_at.map(|at| Arc::new(Past { rows: pages.finish(), at })))
}

/// The listing in a snapshot of the history; `None` if it can no longer be read.
pub fn open(snapshot: &Snapshot, layout: Layout) -> Option<Past> {
    let roster = snapshot.read().ok()?;
    let mut pages = Pages::new(layout);
    for entry in roster.sorted().chain(roster.malformed_rows()) {
        pages.push(Draft::decode(serde_json::from_str(entry.json()).ok()?).ok()?);
    }
    Some(Past { rows: pages.finish(), at: snapshot.at })
}

/// The snapshot before the one that is as the cache. One that is damaged is passed over.
pub fn open_earlier(store: &Store, layout: &Layout) -> Option<(Snapshot, Arc<Past>)> {
    let mut snapshots = store.history();
    snapshots.pop()?;
    let mut opened = snapshots.into_iter().rev().filter_map(|snapshot| Some((open(&snapshot, layout.clone())?, snapshot)));
    opened.next().map(|(past, snapshot)| (snapshot, Arc::new(past)))
}

/// Searches the history for when those webhooks were last active of which a finding tells it. `last` is what was found before, and
/// is the answer again when neither the webhooks nor the history are others.
pub fn search(store: &Store, rows: &Rows, audit: &Audit, last: Arc<Searched>, now: Timestamp) -> Arc<Searched> {
    let asked = flat(rows).filter(|row| row.is_webhook() && audit.asks_for_last_active(row));
    let ids: BTreeSet<Box<str>> = asked.map(|row| row.id().into()).collect();
    if ids.is_empty() {
        return last;
    }
    let newest = store.history().pop();
    if ids == last.ids && newest == last.newest {
        return last;
    }
    let last_active = Arc::new(store.last_active(ids.iter().map(|id| &**id).collect(), now));
    Arc::new(Searched { ids, newest, last_active })
}

/// The rows of a scope, laid out anew.
pub fn sift(past: &Past, scope: Scope, layout: Layout) -> Rows {
    let mut pages = Pages::new(layout);
    for row in flat(&past.rows).filter(|row| scope.admits_state(row.active())) {
        pages.push(Draft::of_row(row.unpack()));
    }
    pages.finish()
}

/// Returns true if both are the same rows in the same order.
fn is_same(one: &Rows, other: &Rows) -> bool {
    one.count() == other.count() && flat(one).zip(flat(other)).all(|(one, other)| one.is_same(other))
}

fn flat(rows: &Rows) -> impl Iterator<Item = RowRef<'_>> {
    rows.segments().flat_map(|(_, _, segment)| segment.iter())
}

/// Packed rows as a listing that can be kept: none but the one that is being written is unpacked.
struct Packed<'r> {
    rows: &'r Rows,
    table: Table<'r>,
    by_id: Vec<RowNumber>,
}

impl<'r> Packed<'r> {
    fn new(rows: &'r Rows) -> Self {
        let table = Table::new(rows);
        let numbers = rows.segments().flat_map(|(_, first, segment)| (first..).take(segment.rows));
        let mut by_id: Vec<RowNumber> =
            numbers.filter(|&number| table.row(number).is_some_and(RowRef::is_webhook)).collect();
        let id = |number: &RowNumber| table.row(*number).map(RowRef::id);
        by_id.sort_unstable_by(|one, other| id(one).cmp(&id(other)));
        Self { rows, table, by_id }
    }
}

fn json(row: RowRef<'_>) -> Cow<'_, str> {
    Cow::Owned(row.unpack().canonical_json())
}

impl CanonicalRows for Packed<'_> {
    fn rows(&self) -> impl Iterator<Item = Cow<'_, str>> {
        flat(self.rows).map(json)
    }

    fn by_id(&self) -> impl Iterator<Item = Canonical<'_>> {
        let rows = self.by_id.iter().filter_map(|&number| self.table.row(number));
        rows.map(|row| Canonical { id: row.id(), json: json(row) })
    }

    fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.iter().filter_map(|&number| self.table.row(number)).map(RowRef::id)
    }

    fn malformed(&self) -> impl Iterator<Item = Cow<'_, str>> {
        flat(self.rows).filter(|row| !row.is_webhook()).map(json)
    }

    fn webhooks(&self) -> usize {
        self.by_id.len()
    }
}

/// Writes a consistent listing to the cache and the history. When it is what was kept last, only its time is noted.
///
/// # Errors
///
/// The file that cannot be written, and why.
pub fn keep(
    store: &Store,
    past: &Past,
    last: Option<&Past>,
    now: Timestamp,
    removed: &BTreeSet<String>,
) -> io::Result<Kept> {
    if let Some(last) = last.filter(|last| is_same(&last.rows, &past.rows))
        && store.keep_again(last.at, past.at)?
    {
        return Ok(Kept::Unchanged);
    }
    store.keep(&Packed::new(&past.rows), past.at, now, removed)
}
