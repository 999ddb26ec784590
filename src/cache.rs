//! The local store of each workspace: its last consistent listing (the cache) and earlier snapshots (the history).
//!
//! The API has no history, so every consistent read is kept here: [`Store::keep`] replaces the cached listing when something
//! differs, and adds a snapshot to the history when webhooks differ. Files of a workspace carry its fingerprint, so that one
//! workspace is never shown under another's name; they are their owner's alone, appear whole or not at all, and hold neither
//! the key nor a `secret`. Two programs that read the same workspace at once write it once.
//!
//! ```text
//! cache dir    FINGERPRINT.cache   a header, then one row a line, in the API's order
//!              FINGERPRINT.lock    held while writing
//!              FINGERPRINT.removed ids that are confirmed as removed, as long as others of the cache are not
//! state dir    history/FINGERPRINT/00000012_20261125T103324Z_1200_2_0_1.json
//!              sequence, time (UTC), webhooks, and how many were added, removed and changed since the one before
//! ```
//!
//! All of it blocks: the explorer calls it on a thread for such work.

mod file;
mod history;
mod private_files;

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, OpenOptions};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

pub use self::file::{CachedListing, Unusable};
pub use self::history::{Counts, Dated, Snapshot, dated};
use self::private_files::{Lock, entries, is_directory, open, private_directory, remove_files, system_time, touch};
use crate::analysis::audit::LastActive;
use crate::base::files::{self, Existing};
use crate::config::{Connection, KeySource};
use crate::model::{Interner, RowRef, Rows};
use crate::snapshot::STORED_PAGE;

/// A cache of another workspace is removed after this time without an update.
const LONGEST: Duration = Duration::from_hours(180 * 24);
/// The most caches of other workspaces to keep, and their total size in bytes.
const MOST_FILES: usize = 50;
const MOST_BYTES: u64 = 4 << 30;
/// The most bytes of snapshots to search for one query.
const MOST_SEARCHED: u64 = 64 << 20;
/// Tolerance for listings read after the caller took the current time.
const CLOCKS: jiff::SignedDuration = jiff::SignedDuration::from_mins(1);

/// The most webhooks to request by id after one read, to confirm that they were removed.
pub const MAX_CONFIRMED: usize = 100;

/// The cache and history of one workspace. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    cache: PathBuf,
    history: PathBuf,
    name: String,
    /// The history of an earlier version, if it is not used: it may belong to another workspace, or renaming it failed.
    old_history: Option<PathBuf>,
}

/// The outcome of [`Store::keep`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// The listing was cached; `new` is true if it was also added to the history.
    Written { new: bool },
    /// The cache already has this listing, so only its time was updated.
    Unchanged,
    /// Not saved: another process is writing a listing that is just as recent.
    Busy,
    /// Not saved: the cached listing is newer.
    Outdated,
    /// Not saved: the listing lacks stored webhooks that are not confirmed as removed.
    Unconfirmed(Unconfirmed),
}

/// Stored webhooks that a new listing lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unconfirmed {
    /// The first ids, at most [`MAX_CONFIRMED`].
    pub ids: Vec<String>,
    /// The number of all of them.
    pub count: usize,
}

impl Unconfirmed {
    /// Collects the ids that are lacking; `None` if `each` returns false because it could not read all ids.
    fn gather(is_lacking: impl Fn(&str) -> bool, each: impl FnOnce(&mut dyn FnMut(&str)) -> bool) -> Option<Self> {
        let mut found = Self::default();
        each(&mut |id| {
            if is_lacking(id) {
                found.add(id);
            }
        })
        .then_some(found)
    }

    fn add(&mut self, id: &str) {
        self.count += 1;
        if self.ids.len() < MAX_CONFIRMED {
            self.ids.push(id.to_owned());
        }
    }
}

impl Store {
    /// Returns the store of a workspace; `None` for the demo, or without a home directory.
    pub fn of(connection: &Connection) -> Option<Self> {
        if connection.key_source == KeySource::Demo {
            return None;
        }
        Some(Self::below(files::cache_dir()?, &history_root()?, connection))
    }

    /// Like [`Store::of`], but read-only: data of an earlier version is read in place and not renamed.
    pub fn to_read(connection: &Connection) -> Option<Self> {
        if connection.key_source == KeySource::Demo {
            return None;
        }
        Some(Self::to_read_below(&files::cache_dir()?, &history_root()?, connection))
    }

    fn to_read_below(cache: &Path, history: &Path, connection: &Connection) -> Self {
        let named = |name| Self::new(cache.to_owned(), history, name);
        let store = named(connection.fingerprint());
        if store.is_there() || !connection.old_fingerprint_is_certain() {
            return store;
        }
        named(connection.old_fingerprint())
    }

    /// Returns the store of a workspace in the given directories. Adopts the data of an earlier version if it certainly
    /// belongs to this workspace.
    fn below(cache: PathBuf, history: &Path, connection: &Connection) -> Self {
        let old = Self::new(cache.clone(), history, connection.old_fingerprint());
        let store = Self::new(cache, history, connection.fingerprint());
        if !connection.old_fingerprint_is_certain() {
            return Self { old_history: Some(old.history), ..store };
        }
        if let Err(error) = store.adopt(&old) {
            tracing::warn!("the history of an earlier version cannot be renamed: {error}");
            return Self { old_history: Some(old.history), ..store };
        }
        store
    }

    /// Returns a store in directories that may not exist yet.
    pub fn new(cache: PathBuf, history: &Path, name: String) -> Self {
        Self { history: history.join(&name), cache, name, old_history: None }
    }

    /// Renames data stored under an old name, unless this store already has some. The history is renamed last, so that an
    /// interrupted rename is completed next time.
    fn adopt(&self, old: &Self) -> io::Result<()> {
        let is_there = |path: &Path| path.symlink_metadata().is_ok();
        let caches = (old.path("cache"), self.path("cache"));
        let is_cache_left = || is_there(&caches.0) && !is_there(&caches.1);
        let is_left = || !is_there(&self.history) && (is_there(&old.history) || is_cache_left());
        if !is_left() {
            return Ok(());
        }
        private_directory(&self.cache)?;
        // Another process that holds the lock has adopted it, or will at its next start.
        let Some(_lock) = Lock::take(&self.path("lock"))? else { return Ok(()) };
        if !is_left() {
            return Ok(());
        }
        if is_cache_left() {
            fs::rename(&caches.0, &caches.1)?;
        }
        if is_there(&old.history) {
            fs::rename(&old.history, &self.history)?;
        }
        Ok(())
    }

    /// Returns true if a cache or a history exists.
    fn is_there(&self) -> bool {
        [&self.history, &self.path("cache")].iter().any(|path| path.symlink_metadata().is_ok())
    }

    /// The history of an earlier version, if it has snapshots and is not used.
    pub fn unused_history(&self) -> Option<&Path> {
        self.old_history.as_deref().filter(|path| !history::list(path).is_empty())
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.cache.join(format!("{}.{extension}", self.name))
    }

    /// Saves a complete, consistent listing, unless a later one is stored. A stored listing from the future was written with
    /// a wrong clock and is replaced.
    ///
    /// Saves nothing if the listing lacks stored webhooks that are not confirmed as removed, as the API can omit webhooks
    /// that exist. `removed` are the confirmed ids; they are remembered until all are confirmed.
    ///
    /// # Errors
    ///
    /// The listing cannot be written. It can still be shown.
    pub fn keep(&self, listing: &Rows, read_at: Timestamp, now: Timestamp, removed: &BTreeSet<String>) -> io::Result<Kept> {
        let digest = file::Digest::of(listing);
        if digest.bytes > file::MAX_BYTES {
            return Err(io::Error::other("the workspace is too large to be cached"));
        }
        let directory = private_directory(&self.cache)?;
        let Some(_lock) = Lock::take(&self.path("lock"))? else { return Ok(Kept::Busy) };
        let path = self.path("cache");
        let there = file::digest_in(&path);
        let now = now.saturating_add(CLOCKS).unwrap_or(now);
        if there.is_some() && file::read_at(&path, now).is_some_and(|there| there > read_at) {
            return Ok(Kept::Outdated);
        }
        // A cache with a time in the future is rewritten, since its header has the wrong time.
        if there.is_some_and(|there| there == digest) && file::read_at(&path, now).is_some() {
            touch(&path, read_at)?;
            self.forget_removed();
            return Ok(Kept::Unchanged);
        }
        let unconfirmed = self.unconfirmed(listing, now, removed)?;
        if unconfirmed.count > 0 {
            return Ok(Kept::Unconfirmed(unconfirmed));
        }
        // The history is written first: if the process ends here, the next read writes the cache.
        let new = self.add_to_history(listing, read_at)?;
        file::write(&path, listing, &digest, read_at)?;
        touch(&path, read_at)?;
        self.forget_removed();
        prune(&directory, &path, read_at);
        Ok(Kept::Written { new })
    }

    /// Returns the stored webhooks that are neither in the listing nor confirmed as removed.
    fn unconfirmed(&self, listing: &Rows, now: Timestamp, removed: &BTreeSet<String>) -> io::Result<Unconfirmed> {
        let mut ids: Vec<&str> = listing.webhooks().map(RowRef::id).collect();
        ids.sort_unstable();
        let before = self.known_removed();
        // A webhook that is listed again exists, even if it was confirmed as removed before.
        let is_listed = |id: &str| ids.binary_search(&id).is_ok();
        let known: BTreeSet<&String> = before.union(removed).filter(|id| !is_listed(id)).collect();
        let is_lacking = |id: &str| !is_listed(id) && !before.contains(id) && !removed.contains(id);
        let of_cache = Unconfirmed::gather(is_lacking, |sink| {
            let Ok(Some(cached)) = self.read(&Interner::default(), now) else { return false };
            cached.rows.webhooks().map(RowRef::id).for_each(sink);
            true
        });
        // Without a usable cache, the newest readable snapshot is used.
        let of_history = || {
            let each_id = |snapshot: &Snapshot| Unconfirmed::gather(is_lacking, |sink| snapshot.each_id(sink).is_some());
            self.history().iter().rev().find_map(each_id)
        };
        let found = of_cache.or_else(of_history).unwrap_or_default();
        if found.count > 0 && !known.iter().copied().eq(&before) {
            let text = serde_json::to_string(&known)?;
            files::write(&self.path("removed"), Existing::Replaced, |out| out.write_all(text.as_bytes()))?;
        }
        Ok(found)
    }

    /// The ids that were confirmed as removed before.
    fn known_removed(&self) -> BTreeSet<String> {
        let file = open(OpenOptions::new().read(true), &self.path("removed"));
        let read = file.ok().map(|file| serde_json::from_reader(BufReader::new(file.take(file::MAX_BYTES))));
        read.and_then(Result::ok).unwrap_or_default()
    }

    /// Forgets the ids that were confirmed as removed, since the cache is up to date.
    fn forget_removed(&self) {
        drop(fs::remove_file(self.path("removed")));
    }

    /// Updates the time of the cache after an unchanged listing was read, if the cache is still the one that this process
    /// wrote at `kept_at`. Returns false if another process has replaced it.
    ///
    /// # Errors
    ///
    /// The time cannot be updated.
    pub fn keep_again(&self, kept_at: Timestamp, read_at: Timestamp) -> io::Result<bool> {
        let path = self.path("cache");
        let there = open(OpenOptions::new().read(true), &path).and_then(|file| file.metadata()?.modified());
        let is_ours = there.is_ok_and(|modified| modified == system_time(kept_at));
        if is_ours {
            touch(&path, read_at)?;
            self.forget_removed();
        }
        Ok(is_ours)
    }

    fn add_to_history(&self, listing: &Rows, read_at: Timestamp) -> io::Result<bool> {
        let directory = private_directory(&self.history)?;
        let before = history::list(&directory);
        // If the last snapshot cannot be read, still add this one.
        let difference = before.last().and_then(|last| last.compare(listing));
        if difference.as_ref().is_some_and(history::Difference::is_nothing) {
            return Ok(false);
        }
        let sequence = before.last().map_or(1, |last| last.sequence.saturating_add(1));
        history::write(&directory, sequence, read_at, difference.map(|difference| difference.counts), listing)?;
        history::prune(&directory, read_at);
        Ok(true)
    }

    /// Reads the cached listing; `None` without one.
    ///
    /// # Errors
    ///
    /// The cache cannot be used. The next listing that is saved replaces it.
    pub fn read(&self, interner: &Interner, now: Timestamp) -> Result<Option<CachedListing>, Unusable> {
        self.read_in_pages(interner, STORED_PAGE, now)
    }

    /// As [`Store::read`], with this many rows per page.
    ///
    /// # Errors
    ///
    /// As [`Store::read`].
    pub fn read_in_pages(
        &self,
        interner: &Interner,
        page_size: u64,
        now: Timestamp,
    ) -> Result<Option<CachedListing>, Unusable> {
        file::read(&self.path("cache"), interner, page_size, now)
    }

    /// Returns when the cached listing was read, from the file's modification time; `None` without a cache.
    pub fn read_at(&self) -> Option<Timestamp> {
        let file = open(OpenOptions::new().read(true), &self.path("cache")).ok()?;
        Timestamp::try_from(file.metadata().ok()?.modified().ok()?).ok()
    }

    /// Returns when inactive webhooks were last seen active, by id. Omits those that are not active in any snapshot
    /// searched.
    pub fn last_active(&self, mut ids: BTreeSet<&str>, now: Timestamp) -> HashMap<Box<str>, LastActive> {
        let mut found = HashMap::new();
        if ids.is_empty() {
            return found;
        }
        let snapshots = self.history();
        let mut bytes = 0;
        let mut newer: Option<Dated<'_>> = None;
        for dated in dated(&snapshots, now).into_iter().rev() {
            let snapshot = dated.snapshot;
            // No webhook became inactive between snapshots without changes.
            let may_have = newer.and_then(|newer| newer.snapshot.counts).is_none_or(|counts| counts.changed > 0);
            if may_have && !ids.is_empty() && bytes < MOST_SEARCHED {
                bytes += snapshot.path.metadata().map_or(0, |metadata| metadata.len());
                let active = LastActive { seen: dated.at, inactive_by: newer.map(|newer| newer.at) };
                snapshot.each_active(|id| {
                    if ids.remove(id) {
                        found.insert(id.into(), active);
                    }
                });
            }
            newer = Some(dated);
        }
        found
    }

    /// The saved snapshots, oldest first.
    pub fn history(&self) -> Vec<Snapshot> {
        history::list(&self.history)
    }
}

/// The directory with the histories of all workspaces.
pub fn history_root() -> Option<PathBuf> {
    files::state_dir().map(|directory| directory.join("history"))
}

/// Removes the caches of all workspaces, and their histories if requested. Returns the number of files removed.
pub fn clear(with_history: bool) -> io::Result<u64> {
    let mut removed = 0;
    if let Some(directory) = files::cache_dir() {
        removed += remove_files(&directory, is_ours)?;
    }
    if let Some(root) = history_root().filter(|_| with_history) {
        for directory in entries(&root)?.filter(|path| is_directory(path)) {
            removed += remove_files(&directory, |name| history::is_snapshot(name) || is_unfinished(name))?;
            // Leave other files alone.
            drop(fs::remove_dir(directory));
        }
    }
    Ok(removed)
}

fn is_ours(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("cache" | "lock" | "removed")) || is_unfinished(name)
}

fn is_unfinished(name: &str) -> bool {
    files::is_unfinished(name) || files::is_unfinished_of_old(name)
}

/// Removes caches of other workspaces that are old, too many or too large. Failures are ignored, as none of them is needed.
fn prune(directory: &Path, own: &Path, now: Timestamp) {
    let now = system_time(now);
    files::remove_unfinished_of_old(directory, now);
    let is_old = |modified: SystemTime| now.duration_since(modified).is_ok_and(|age| age > LONGEST);
    let mut caches = Vec::new();
    for path in entries(directory).into_iter().flatten().filter(|path| path != own) {
        let Ok(metadata) = path.symlink_metadata() else { continue };
        if path.extension().is_some_and(|extension| extension == "cache") {
            caches.push((metadata.modified().unwrap_or(now), metadata.len(), path));
        }
    }
    caches.sort_by_key(|cache| std::cmp::Reverse(cache.0));
    let mut bytes = 0;
    for (place, (modified, length, path)) in caches.into_iter().enumerate() {
        bytes += length;
        if place >= MOST_FILES || bytes > MOST_BYTES || is_old(modified) {
            drop(fs::remove_file(path.with_extension("removed")));
            drop(fs::remove_file(path));
        }
    }
}

#[cfg(test)]
mod tests;
