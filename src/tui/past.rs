//! A listing as it was at an earlier time, and the work that is done with it beside the loop.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use crate::analysis::rows::{Rows, Segment};
use crate::cache::{Kept, Snapshot, Store, Unusable};
use crate::model::{Block, Draft, Element, Roster, RowRef, Scope, SharedPacker};

/// All webhooks of a workspace at a time.
#[derive(Debug, Clone)]
pub struct Past {
    pub rows: Rows,
    pub at: Timestamp,
}

/// How rows are packed and put on pages, so that they fit those that come from the API.
#[derive(Debug, Clone)]
pub struct Layout {
    pub packer: SharedPacker,
    pub page_size: u64,
    /// Whether the API's pages are known to have this size; else one page that is shorter is a listing of its own size.
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
        self.blocks.push(Arc::new(self.layout.packer.pack(page)));
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

/// What the cache has.
pub fn recall(store: &Store, layout: Layout, now: Timestamp) -> Result<Option<Arc<Past>>, Unusable> {
    let mut pages = Pages::new(layout);
    let read_at = store.read_each(now, |row: Draft| pages.push(row))?;
    Ok(read_at.map(|at| Arc::new(Past { rows: pages.finish(), at })))
}

/// What is in a snapshot of the history; `None` when it cannot be read any more.
pub fn open(snapshot: &Snapshot, layout: Layout) -> Option<Past> {
    let roster = snapshot.read()?;
    let mut pages = Pages::new(layout);
    for entry in roster.sorted().chain(roster.malformed_rows()) {
        pages.push(Draft::decode(serde_json::from_str(entry.json()).ok()?).ok()?);
    }
    Some(Past { rows: pages.finish(), at: snapshot.at })
}

/// The rows of a scope, laid out anew.
pub fn sift(past: &Past, scope: Scope, layout: Layout) -> Rows {
    let mut pages = Pages::new(layout);
    for row in flat(&past.rows).filter(|row| scope.admits_state(row.active())) {
        pages.push(Draft::of_row(row.unpack()));
    }
    pages.finish()
}

/// Whether both are the same rows in the same order.
fn is_same(one: &Rows, other: &Rows) -> bool {
    one.count() == other.count() && flat(one).zip(flat(other)).all(|(one, other)| one.is_same(other))
}

fn flat(rows: &Rows) -> impl Iterator<Item = RowRef<'_>> {
    rows.segments().flat_map(|(_, _, segment)| segment.iter())
}

/// Writes a listing to the cache and the history. When it is what was kept last, only its time is noted. `None` when it has an id twice, and so is not what the workspace looks like.
///
/// # Errors
///
/// What cannot be written, and why.
pub fn keep(store: &Store, past: &Past, last: Option<&Past>) -> io::Result<Option<Kept>> {
    if let Some(last) = last.filter(|last| is_same(&last.rows, &past.rows))
        && store.keep_again(last.at, past.at)?
    {
        return Ok(Some(Kept::Unchanged));
    }
    let mut roster = Roster::default();
    for row in flat(&past.rows) {
        roster.push_row(&row.unpack());
    }
    roster.sort();
    if roster.repeated().is_some() {
        return Ok(None);
    }
    store.keep(&roster, past.at).map(Some)
}
