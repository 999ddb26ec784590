//! The snapshots of one workspace. Each is the canonical JSON of `hookscope snapshot`, in a file named after its sequence
//! number, time and counts.

use std::cmp::Ordering;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Take};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::analysis::field_changes::is_changed;
use crate::base::files::{self, Existing};
use crate::base::text::{Safe, clean};
use crate::model::{Interner, OwnedRow, Rows, RowsById};
use crate::safe;
use crate::snapshot;

/// The most snapshots to keep, and their total size in bytes. The last two are kept whatever their size.
const MOST: usize = 200;
const MOST_BYTES: u64 = 1 << 30;
/// Older snapshots are removed, except the last [`ALWAYS`], so that a clock that was wrong once cannot empty the history.
const LONGEST: SignedDuration = SignedDuration::from_hours(400 * 24);
const ALWAYS: usize = 20;
const AT_LEAST: usize = 2;

const TIME: &str = "%Y%m%dT%H%M%SZ";

/// A saved snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub path: PathBuf,
    /// The position in the history, independent of the clock.
    pub sequence: u64,
    pub at: Timestamp,
    pub webhooks: u64,
    /// Changes since the previous snapshot; `None` if there is none or it cannot be read.
    pub counts: Option<Counts>,
}

/// Numbers of webhooks added, removed and changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub added: u64,
    pub removed: u64,
    pub changed: u64,
}

/// Differences between a snapshot and a listing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Difference {
    pub(super) counts: Counts,
    malformed_differ: bool,
}

impl Difference {
    pub(super) fn is_nothing(&self) -> bool {
        self.counts == Counts::default() && !self.malformed_differ
    }
}

/// One row of a snapshot: a webhook, or a malformed row, which has no id. At the end, an entry with empty JSON.
#[derive(Debug, Default)]
struct Entry {
    id: Option<String>,
    json: String,
}

impl Entry {
    fn row(&self) -> Option<OwnedRow> {
        OwnedRow::decode(&self.json)
    }
}

/// Reads the rows of a snapshot in the form that this program writes: one per line, webhooks sorted by id.
struct Lines {
    reader: Take<BufReader<File>>,
    line: Vec<u8>,
    last: Option<String>,
}

impl Lines {
    fn open(path: &Path) -> Option<Self> {
        let file = super::private_files::open(OpenOptions::new().read(true), path).ok()?;
        let mut lines = Self { reader: BufReader::new(file).take(MOST_BYTES), line: Vec::new(), last: None };
        lines.read()?;
        matches!(lines.line.as_slice(), b"[" | b"[]").then_some(lines)
    }

    /// Returns the next row, or the empty entry at the end; `None` if the file is not a valid snapshot.
    fn next(&mut self) -> Option<Entry> {
        if self.line == b"[]" {
            return Some(Entry::default());
        }
        self.read()?;
        if self.line == b"]" {
            self.line = b"[]".to_vec();
            return self.reader.fill_buf().is_ok_and(<[u8]>::is_empty).then(Entry::default);
        }
        let json = str::from_utf8(self.line.strip_suffix(b",").unwrap_or(&self.line)).ok()?;
        let row = OwnedRow::decode(json)?;
        let id = row.row().is_webhook().then(|| row.row().id().to_owned());
        if id.is_some() {
            if self.last >= id {
                return None;
            }
            self.last.clone_from(&id);
        }
        Some(Entry { id, json: json.to_owned() })
    }

    fn read(&mut self) -> Option<()> {
        self.line.clear();
        self.reader.read_until(b'\n', &mut self.line).ok()?;
        self.line.pop().filter(|&end| end == b'\n').map(|_end| ())
    }
}

impl Snapshot {
    /// Parses a name such as `00000012_20261125T103324Z_1200_2_0_1.json`.
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
        let mut parts = name.split('_');
        let sequence = parts.next()?.parse().ok()?;
        let at = jiff::civil::DateTime::strptime(TIME, parts.next()?).ok()?;
        let at = jiff::tz::TimeZone::UTC.to_timestamp(at).ok()?;
        let webhooks = parts.next()?.parse().ok()?;
        let numbers: Vec<u64> = parts.map(str::parse).collect::<Result<_, _>>().ok()?;
        let counts = match numbers.as_slice() {
            [] => None,
            &[added, removed, changed] => Some(Counts { added, removed, changed }),
            _ => return None,
        };
        Some(Self { path: path.to_owned(), sequence, at, webhooks, counts })
    }

    /// Compares a listing with this snapshot, which is read line by line; `None` if the snapshot is damaged.
    pub(super) fn compare(&self, listing: &Rows) -> Option<Difference> {
        let mut lines = Lines::open(&self.path)?;
        let by_id = RowsById::new(listing);
        let mut webhooks = by_id.iter().peekable();
        let mut difference = Difference::default();
        let mut old = lines.next()?;
        loop {
            let order = match (&old.id, webhooks.peek()) {
                (Some(old), Some(new)) => old.as_str().cmp(new.id()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            match order {
                Ordering::Less => difference.counts.removed += 1,
                Ordering::Greater => difference.counts.added += 1,
                Ordering::Equal => {
                    let new = webhooks.peek()?;
                    let is_changed = old.json != new.canonical_json() && is_changed(old.row()?.row(), *new);
                    difference.counts.changed += u64::from(is_changed);
                }
            }
            if order != Ordering::Less {
                webhooks.next();
            }
            if order != Ordering::Greater {
                old = lines.next()?;
            }
        }
        // Malformed rows come last.
        let mut malformed = 0;
        while !old.json.is_empty() {
            if old.id.is_some() {
                return None;
            }
            malformed += 1;
            old = lines.next()?;
        }
        difference.malformed_differ = malformed != listing.iter().filter(|(_, row)| !row.is_webhook()).count();
        Some(difference)
    }

    /// Passes the ids of its webhooks to `sink`. On `None` the snapshot is damaged, and the ids passed so far must be
    /// discarded.
    pub(super) fn each_id(&self, mut sink: impl FnMut(&str)) -> Option<()> {
        let mut lines = Lines::open(&self.path)?;
        loop {
            match lines.next()? {
                Entry { id: Some(id), .. } => sink(&id),
                // Malformed rows come last.
                Entry { id: None, .. } => return Some(()),
            }
        }
    }

    /// Passes the ids of its active webhooks to `sink`, up to the first damaged line.
    pub(super) fn each_active(&self, mut sink: impl FnMut(&str)) {
        #[derive(serde::Deserialize)]
        struct State {
            is_active: bool,
        }
        let Some(mut lines) = Lines::open(&self.path) else { return };
        while let Some(Entry { id: Some(id), json }) = lines.next() {
            if serde_json::from_str(&json).is_ok_and(|State { is_active }| is_active) {
                sink(&id);
            }
        }
    }

    /// Returns true if the file is not a valid snapshot, or has more or fewer webhooks than its name says. Reads it line by
    /// line.
    pub fn is_damaged(&self) -> bool {
        self.count() != Some(self.webhooks)
    }

    /// Counts its webhooks; `None` if the file is not a valid snapshot.
    fn count(&self) -> Option<u64> {
        let mut lines = Lines::open(&self.path)?;
        let mut webhooks = 0;
        loop {
            let entry = lines.next()?;
            if entry.json.is_empty() {
                return Some(webhooks);
            }
            webhooks += u64::from(entry.id.is_some());
        }
    }

    /// Reads the listing.
    ///
    /// # Errors
    ///
    /// A description of the damage.
    pub fn read(&self, interner: &Interner, page_size: u64) -> Result<Rows, Safe> {
        let listing = snapshot::read_in_pages(&self.path, interner, page_size).map_err(|error| clean(&error.to_string()))?;
        let webhooks = RowsById::new(&listing.rows).len();
        if webhooks as u64 != self.webhooks {
            return Err(safe!("{} has {} webhooks instead of {}", snapshot::name(&self.path), webhooks, self.webhooks));
        }
        if self.is_damaged() {
            return Err(safe!("{} was changed after it was written", snapshot::name(&self.path)));
        }
        Ok(listing.rows)
    }
}

/// A snapshot with a time that fits its place in the sequence.
#[derive(Debug, Clone, Copy)]
pub struct Dated<'s> {
    pub snapshot: &'s Snapshot,
    /// The recorded time, or that of the snapshot before it if the recorded one cannot be right.
    pub at: Timestamp,
    pub is_own: bool,
}

/// Assigns each snapshot a time that fits its place in the history. The times of most snapshots agree with the sequence;
/// those that do not, or are in the future, were recorded by a wrong clock and are replaced.
pub fn dated(snapshots: &[Snapshot], now: Timestamp) -> Vec<Dated<'_>> {
    // For each snapshot, the longest series of ascending times that ends there: its length, and the index before it.
    let mut series: Vec<Option<(usize, Option<usize>)>> = Vec::with_capacity(snapshots.len());
    for snapshot in snapshots {
        let before = snapshots.iter().zip(&series).enumerate().filter(|(_, (before, _))| before.at <= snapshot.at);
        let longest = before.filter_map(|(place, (_, series))| Some(((*series)?.0, place))).max();
        let (length, place) = longest.map_or((0, None), |(length, place)| (length, Some(place)));
        series.push((snapshot.at <= now).then_some((length + 1, place)));
    }
    // Of several of the same length, prefer the one with the latest time: clocks are behind more often than ahead.
    let ends = series.iter().zip(snapshots).enumerate();
    let last = ends.filter_map(|(place, (series, snapshot))| Some(((*series)?.0, snapshot.at, place))).max();
    let mut is_own = vec![false; snapshots.len()];
    let mut next = last.map(|(_, _, place)| place);
    while let Some(place) = next {
        if let Some(own) = is_own.get_mut(place) {
            *own = true;
        }
        next = series.get(place).copied().flatten().and_then(|(_, before)| before);
    }
    let first = snapshots.iter().zip(&is_own).find(|(_, is_own)| **is_own).map(|(snapshot, _)| snapshot.at);
    let mut at = first;
    let date = |(snapshot, is_own): (_, bool)| {
        let snapshot: &Snapshot = snapshot;
        if is_own || at.is_none() {
            at = Some(snapshot.at);
        }
        Dated { snapshot, at: at.unwrap_or(snapshot.at), is_own }
    };
    snapshots.iter().zip(is_own).map(date).collect()
}

pub(super) fn is_snapshot(name: &str) -> bool {
    Snapshot::of(Path::new(name)).is_some()
}

/// Lists the snapshots in a directory, oldest first. Skips symlinks and anything else that is not a regular file.
pub(super) fn list(directory: &Path) -> Vec<Snapshot> {
    let is_file = |path: &PathBuf| path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
    let paths = super::private_files::entries(directory).into_iter().flatten().filter(is_file);
    let mut snapshots: Vec<_> = paths.filter_map(|path| Snapshot::of(&path)).collect();
    snapshots.sort_by_key(|snapshot| snapshot.sequence);
    snapshots
}

pub(super) fn write(
    directory: &Path,
    sequence: u64,
    at: Timestamp,
    counts: Option<Counts>,
    listing: &Rows,
) -> io::Result<()> {
    let counts = counts.map(|counts| format!("_{}_{}_{}", counts.added, counts.removed, counts.changed));
    let time = at.strftime(TIME);
    let name = format!("{sequence:08}_{time}_{}{}.json", RowsById::new(listing).len(), counts.unwrap_or_default());
    files::write(&directory.join(name), Existing::Stays, |out| snapshot::write_listing(out, listing))?;
    Ok(())
}

/// Removes snapshots that are too old, too many or too large. Failures are ignored, as nothing depends on it.
pub(super) fn prune(directory: &Path, now: Timestamp) {
    files::remove_unfinished_of_old(directory, super::private_files::system_time(now));
    let mut bytes = 0;
    for (place, snapshot) in list(directory).iter().rev().enumerate() {
        bytes += snapshot.path.metadata().map_or(0, |metadata| metadata.len());
        let is_old = place >= ALWAYS && now.duration_since(snapshot.at) > LONGEST;
        if place >= MOST || is_old || (place >= AT_LEAST && bytes > MOST_BYTES) {
            drop(fs::remove_file(&snapshot.path));
        }
    }
}
