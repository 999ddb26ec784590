//! Earlier listings, and the background jobs that work on them.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use crate::analysis::audit::{Audit, LastActive};
use crate::cache::{CachedListing, Kept, Snapshot, Store, Unusable};
use crate::model::{Interner, RowPage, RowRef, Rows, Scope};

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

/// The page size of rows, chosen to match that of rows from the API.
#[derive(Debug, Clone)]
pub struct Layout {
    pub interner: Interner,
    pub page_size: u64,
    /// True if the API's pages are known to have this size. Otherwise a listing of a single short page takes the size of
    /// that page.
    pub is_known: bool,
}

impl Layout {
    /// Rows that were read into pages of [`Layout::page_size`].
    fn apply(&self, rows: Rows) -> Rows {
        if rows.page_size() == self.page_size || !self.is_known {
            return rows;
        }
        // A single short page.
        let mut laid_out = Rows::new(self.page_size);
        for (page, _, segment) in rows.segments() {
            laid_out.put(page, segment.clone());
        }
        laid_out
    }
}

/// Reads the cache.
pub fn recall(store: &Store, layout: &Layout, now: Timestamp) -> Result<Option<Arc<CachedListing>>, Unusable> {
    let cached = store.read_in_pages(&layout.interner, layout.page_size, now)?;
    Ok(cached.map(|CachedListing { rows, read_at }| Arc::new(CachedListing { rows: layout.apply(rows), read_at })))
}

/// Reads a snapshot of the history; `None` if it can no longer be read.
pub fn open(snapshot: &Snapshot, layout: &Layout) -> Option<CachedListing> {
    let rows = snapshot.read(&layout.interner, layout.page_size).ok()?;
    Some(CachedListing { rows: layout.apply(rows), read_at: snapshot.at })
}

/// Reads the snapshot before the newest one, which is the same as the cache. Damaged snapshots are skipped.
pub fn open_earlier(store: &Store, layout: &Layout) -> Option<(Snapshot, Arc<CachedListing>)> {
    let mut snapshots = store.history();
    snapshots.pop()?;
    let mut opened = snapshots.into_iter().rev().filter_map(|snapshot| Some((open(&snapshot, layout)?, snapshot)));
    opened.next().map(|(past, snapshot)| (snapshot, Arc::new(past)))
}

/// Searches the history for the last activity of the webhooks whose findings mention it. Returns `last`, the previous
/// result, if neither the webhooks nor the history have changed.
pub fn search(store: &Store, rows: &Rows, audit: &Audit, last: Arc<Searched>, now: Timestamp) -> Arc<Searched> {
    let asked = rows.webhooks().filter(|&row| audit.asks_for_last_active(row));
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

/// The rows of a scope, on pages of the layout's size.
pub fn select_scope(past: &CachedListing, scope: Scope, layout: &Layout) -> Rows {
    let wanted: Vec<RowRef<'_>> = past.rows.iter().map(|(_, row)| row).filter(|row| scope.admits(row.active())).collect();
    let size = usize::try_from(layout.page_size).unwrap_or(usize::MAX).max(1);
    layout.apply(wanted.chunks(size).map(|page| RowPage::of_rows(page.iter().copied())).collect())
}

/// Returns true if both are the same rows in the same order.
fn is_same(one: &Rows, other: &Rows) -> bool {
    one.count() == other.count() && one.iter().zip(other.iter()).all(|((_, one), (_, other))| one.is_same(other))
}

/// Writes a consistent listing to the cache and the history. If it is the same as the last one written, only its time is
/// updated.
///
/// # Errors
///
/// The file that cannot be written, and the reason.
pub fn keep(
    store: &Store,
    past: &CachedListing,
    last: Option<&CachedListing>,
    now: Timestamp,
    removed: &BTreeSet<String>,
) -> io::Result<Kept> {
    if let Some(last) = last.filter(|last| is_same(&last.rows, &past.rows))
        && store.keep_again(last.read_at, past.read_at)?
    {
        return Ok(Kept::Unchanged);
    }
    store.keep(&past.rows, past.read_at, now, removed)
}
