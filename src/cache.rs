//! What is remembered of workspaces: the last consistent listing of each, and the snapshots of how it was before.
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

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rustix::fs::OFlags;

pub use self::file::{Cached, Unusable};
pub use self::history::{Counts, Dated, Snapshot, dated};
use crate::analysis::audit::LastActive;
use crate::config::{Connection, KeySource};
use crate::files::{self, Existing};
use crate::model::{CanonicalRows, Element, Line, Roster};

/// A cache of another workspace that was not touched for so long is removed.
const LONGEST: Duration = Duration::from_hours(180 * 24);
/// Caches of other workspaces that are kept at most, and the bytes that they may have together.
const MOST_FILES: usize = 50;
const MOST_BYTES: u64 = 4 << 30;
/// Bytes of snapshots that are searched for one question.
const MOST_SEARCHED: u64 = 64 << 20;
/// What may have been read since it was asked what time it is.
const CLOCKS: jiff::SignedDuration = jiff::SignedDuration::from_mins(1);

/// Webhooks that are requested by id after one read, to confirm that they were removed.
pub const MAX_CONFIRMED: usize = 100;

/// Where one workspace is remembered. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    cache: PathBuf,
    history: PathBuf,
    name: String,
    /// Where an earlier version kept the history, if it may be that of another workspace.
    old_history: Option<PathBuf>,
}

/// What became of a listing that was to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is cached; `new` says whether it was added to the history.
    Written { new: bool },
    /// It is what is there already: only its time was noted.
    Unchanged,
    /// Another program is writing: that one's listing is as good.
    Busy,
    /// What is there was read later: it stays.
    Outdated,
    /// What is there has webhooks that this one lacks, and nobody knows that they were removed: it stays.
    Unconfirmed(Unconfirmed),
}

/// Webhooks that are stored and that a new listing lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unconfirmed {
    /// The first of them, as many as may be requested after one read.
    pub ids: Vec<String>,
    /// All of them.
    pub count: usize,
}

impl Unconfirmed {
    /// Those of some ids that are lacking; `None` when `each` says that the ids are not all.
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
    /// That of a workspace. `None` for the demo, and without a home directory that could hold it.
    pub fn of(connection: &Connection) -> Option<Self> {
        if connection.key_source == KeySource::Demo {
            return None;
        }
        Some(Self::below(files::cache_dir()?, &history_root()?, connection))
    }

    /// As [`Store::of`], for reading alone: what an earlier version stored is read where it is, and nothing is written.
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

    /// That of a workspace in some directories. What an earlier version stored is adopted if it is certain to be of this workspace.
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

    /// A store in directories that need not be there yet.
    pub fn new(cache: PathBuf, history: &Path, name: String) -> Self {
        Self { history: history.join(&name), cache, name, old_history: None }
    }

    /// Renames what is stored under an old name, unless something is stored under this one. The history comes last: without it,
    /// a rename that was interrupted is finished.
    fn adopt(&self, old: &Self) -> io::Result<()> {
        let is_there = |path: &Path| path.symlink_metadata().is_ok();
        let caches = (old.path("cache"), self.path("cache"));
        let is_cache_left = || is_there(&caches.0) && !is_there(&caches.1);
        let is_left = || !is_there(&self.history) && (is_there(&old.history) || is_cache_left());
        if !is_left() {
            return Ok(());
        }
        private_directory(&self.cache)?;
        // Another program that writes here has adopted it, or will find it at its next start.
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

    /// Whether anything is stored.
    fn is_there(&self) -> bool {
        [&self.history, &self.path("cache")].iter().any(|path| path.symlink_metadata().is_ok())
    }

    /// A history that an earlier version kept and that is not used, because it may be that of another workspace.
    pub fn unused_history(&self) -> Option<&Path> {
        self.old_history.as_deref().filter(|path| !history::list(path).is_empty())
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.cache.join(format!("{}.{extension}", self.name))
    }

    /// Keeps a whole listing that was read consistently at a time, unless a later one is there. What is from a time that has
    /// not come yet was written by a clock that was wrong, and is replaced.
    ///
    /// Webhooks that are stored and that the listing lacks must have been removed, or nothing is kept: a listing can leave out
    /// what is there. `removed` are those of which that is confirmed; they are remembered until all are.
    ///
    /// # Errors
    ///
    /// What cannot be written, and why: no reason to fail for whoever wants to show the listing.
    pub fn keep(
        &self,
        listing: &impl CanonicalRows,
        read_at: Timestamp,
        now: Timestamp,
        removed: &BTreeSet<String>,
    ) -> io::Result<Kept> {
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
        // The time of one from the future has to be written anew.
        if there.is_some_and(|there| there == digest) && file::read_at(&path, now).is_some() {
            touch(&path, read_at)?;
            self.forget_removed();
            return Ok(Kept::Unchanged);
        }
        let unconfirmed = self.unconfirmed(listing, now, removed)?;
        if unconfirmed.count > 0 {
            return Ok(Kept::Unconfirmed(unconfirmed));
        }
        // The history comes first: what is lost when it ends here is found again at the next read.
        let new = self.add_to_history(listing, read_at)?;
        file::write(&path, listing, &digest, read_at)?;
        touch(&path, read_at)?;
        self.forget_removed();
        prune(&directory, &path, read_at);
        Ok(Kept::Written { new })
    }

    /// What is stored, not in the listing, and not confirmed as removed.
    fn unconfirmed(
        &self,
        listing: &impl CanonicalRows,
        now: Timestamp,
        removed: &BTreeSet<String>,
    ) -> io::Result<Unconfirmed> {
        let ids: Vec<&str> = listing.ids().collect();
        let before = self.known_removed();
        // What is listed again is there, whatever was confirmed before.
        let is_listed = |id: &str| ids.binary_search(&id).is_ok();
        let known: BTreeSet<&String> = before.union(removed).filter(|id| !is_listed(id)).collect();
        let is_lacking = |id: &str| !is_listed(id) && !before.contains(id) && !removed.contains(id);
        let of_cache = Unconfirmed::gather(is_lacking, |sink| {
            let read = self.read_each(now, |line: Line| line.id_text().map(&mut *sink).unwrap_or_default());
            matches!(read, Ok(Some(_)))
        });
        // Without a cache, the newest snapshot that can be read is what is known of the workspace.
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

    /// Forgets the ids that were confirmed as removed: the cache has what it should have.
    fn forget_removed(&self) {
        drop(fs::remove_file(self.path("removed")));
    }

    /// Notes that a listing was read again and is the same, if it is still the one that this program kept before: then its
    /// file has the time of that read. False when another one is there.
    ///
    /// # Errors
    ///
    /// The time cannot be noted.
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

    fn add_to_history(&self, listing: &impl CanonicalRows, read_at: Timestamp) -> io::Result<bool> {
        let directory = private_directory(&self.history)?;
        let before = history::list(&directory);
        // One that cannot be read any more is no reason to keep nothing.
        let difference = before.last().and_then(|last| last.compare(listing));
        if difference.as_ref().is_some_and(history::Difference::is_nothing) {
            return Ok(false);
        }
        let sequence = before.last().map_or(1, |last| last.sequence.saturating_add(1));
        history::write(&directory, sequence, read_at, difference.map(|difference| difference.counts), listing)?;
        history::prune(&directory, read_at);
        Ok(true)
    }

    /// The last listing that was kept; `None` when there is none.
    ///
    /// # Errors
    ///
    /// There is one that cannot be used. It is replaced by the next one that is kept.
    pub fn read<E: Element>(&self, now: Timestamp) -> Result<Option<Cached<E>>, Unusable> {
        file::read(&self.path("cache"), now)
    }

    /// As [`Store::read`], handing on each row; tells when they were read. What was handed on counts only when there is no
    /// error.
    ///
    /// # Errors
    ///
    /// As [`Store::read`].
    pub fn read_each<E: Element>(&self, now: Timestamp, sink: impl FnMut(E)) -> Result<Option<Timestamp>, Unusable> {
        file::read_each(&self.path("cache"), now, sink)
    }

    /// As [`Store::read`], as little more than its texts.
    ///
    /// # Errors
    ///
    /// As [`Store::read`].
    pub fn read_roster(&self, now: Timestamp) -> Result<Option<(Roster, Timestamp)>, Unusable> {
        file::read_roster(&self.path("cache"), now)
    }

    /// When the last listing that was kept was read, as far as its file tells; `None` when there is none.
    pub fn read_at(&self) -> Option<Timestamp> {
        let file = open(OpenOptions::new().read(true), &self.path("cache")).ok()?;
        Timestamp::try_from(file.metadata().ok()?.modified().ok()?).ok()
    }

    /// When webhooks that are inactive now were last seen active, by their ids; not of those that the history never saw so.
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
            // Where no webhook changed, none became inactive.
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

    /// The snapshots that were kept, the oldest first.
    pub fn history(&self) -> Vec<Snapshot> {
        history::list(&self.history)
    }
}

/// Where the histories of all workspaces are.
pub fn history_root() -> Option<PathBuf> {
    files::state_dir().map(|directory| directory.join("history"))
}

/// Removes what is cached of every workspace, and their histories if asked to. Returns how many files that were.
pub fn clear(with_history: bool) -> io::Result<u64> {
    let mut removed = 0;
    if let Some(directory) = files::cache_dir() {
        removed += remove_files(&directory, is_ours)?;
    }
    if let Some(root) = history_root().filter(|_| with_history) {
        for directory in entries(&root)?.filter(|path| is_directory(path)) {
            removed += remove_files(&directory, |name| history::is_snapshot(name) || is_unfinished(name))?;
            // Whatever else is in there is not ours to remove.
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

fn is_directory(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
}

/// What is in a directory; nothing when there is no such directory.
fn entries(directory: &Path) -> io::Result<impl Iterator<Item = PathBuf> + use<>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => Some(entries),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok(entries.into_iter().flatten().filter_map(|entry| entry.ok().map(|entry| entry.path())))
}

fn remove_files(directory: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<u64> {
    let mut removed = 0;
    for path in entries(directory)? {
        if path.file_name().and_then(|name| name.to_str()).is_some_and(&wanted) && !is_directory(&path) {
            fs::remove_file(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// A directory that nobody else can look into or put anything into. It is made if it is not there.
fn private_directory(path: &Path) -> io::Result<PathBuf> {
    fs::DirBuilder::new().recursive(true).mode_0700().create(path)?;
    let target = files::target(path)?;
    let metadata = target.symlink_metadata()?;
    if !metadata.is_dir() {
        return Err(io::Error::other("not a directory"));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("the directory belongs to another user"));
    }
    if metadata.mode() & 0o077 != 0 {
        fs::set_permissions(&target, fs::Permissions::from_mode(0o700))?;
    }
    Ok(target)
}

trait Private {
    fn mode_0700(&mut self) -> &mut Self;
}

impl Private for fs::DirBuilder {
    fn mode_0700(&mut self) -> &mut Self {
        std::os::unix::fs::DirBuilderExt::mode(self, 0o700)
    }
}

/// Opens a file of the store as it is, whatever somebody may have put in its place. From then on it is its owner's alone.
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = options.mode(0o600).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("not a regular file of this user"));
    }
    if metadata.mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// The right to write, as long as the value lives. It is given back even where a program that is being started still has a copy
/// of the file: until it runs, it has copies of all of them.
struct Lock(File);

impl Lock {
    /// `None` when another program has it. It never waits.
    fn take(path: &Path) -> io::Result<Option<Self>> {
        let file = open(OpenOptions::new().write(true).create(true), path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        drop(self.0.unlock());
    }
}

/// The time as files have it; none is from before 1970.
fn system_time(at: Timestamp) -> SystemTime {
    let seconds = u64::try_from(at.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(at.subsec_nanosecond()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds)
}

/// Notes when a listing was read: the time of its file.
fn touch(path: &Path, read_at: Timestamp) -> io::Result<()> {
    open(OpenOptions::new().write(true), path)?.set_modified(system_time(read_at))
}

/// Removes caches of other workspaces that are old or too many. None of them is needed, so what cannot be removed stays.
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
