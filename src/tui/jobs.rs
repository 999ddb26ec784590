//! Background work on many rows: marking, copying and exporting them.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::copy::{self, CopyContext};
use super::job_id::JobId;
use super::session::changes::RemovalCheck;
use super::session::past::{self, Layout, Searched};
use crate::analysis::IsNeeded;
use crate::analysis::audit::Audit;
use crate::analysis::changes::{Changes, ChangesRequest};
use crate::analysis::deliveries::{DeliveryTally, UnmatchedAttempts};
use crate::analysis::destinations::Origin;
use crate::analysis::filter_sort::FilterSortResult;
use crate::analysis::origins::Origins;
use crate::analysis::refresh_diff::{RefreshDiff, RefreshedRows};
use crate::api::without_number;
use crate::base::files::{self, Existing};
use crate::base::text::{Safe, clean};
use crate::cache::{CachedListing, Kept, Snapshot, Store, Unusable};
use crate::deliveries;
use crate::fetch::{self, Policy, RemovalStatus, Source};
use crate::keymap::Copy;
use crate::model::{IdSet, OwnedRow, RowPage, RowRef, RowTable, Rows, Scope, WebhookId};
use crate::output::{Format, ListedWebhook, Output, Sheet, SheetEntry};
use crate::safe;

/// The most webhooks in a copy. An export has no limit.
pub const MAX_COPIED: usize = 10_000;
/// The size limit of a copy, in bytes.
const MAX_BYTES: usize = 4 << 20;
/// The number of rows to decode at once.
const CHUNK: usize = 1000;

/// Work for a background thread.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: JobId,
    pub task: Task,
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Job {}

/// Webhooks to request by their ids, to find out if they were removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalQuestion {
    pub id: JobId,
    pub ids: Vec<WebhookId>,
}

impl RemovalQuestion {
    /// Requests the webhooks. Only those that the API does not have are confirmed as removed.
    pub async fn ask(self, source: &Source, policy: Policy) -> Done {
        let fate = |status| match status {
            RemovalStatus::Removed => RemovalCheck::Removed,
            RemovalStatus::Present(_) => RemovalCheck::Present,
            RemovalStatus::Unknown(why) => RemovalCheck::Unknown(why),
        };
        let fates = match fetch::confirm_removed(source, policy, &self.ids, |_| {}).await {
            Ok(found) => self.ids.iter().zip(found).map(|(id, status)| (id.raw().into(), fate(status))).collect(),
            Err(error) => self.ids.iter().map(|id| (id.raw().into(), RemovalCheck::Unknown(error.short()))).collect(),
        };
        Done { id: self.id, outcome: Outcome::Asked(fates) }
    }
}

/// The work of a job.
#[derive(Debug, Clone)]
pub enum Task {
    /// Marks all rows, or unmarks them if all are marked.
    MarkAll {
        rows: ChosenRows,
        marks: Arc<IdSet>,
        /// True if the rows are all webhooks: unmarking then also removes the marks of webhooks that are no longer listed.
        is_of_all: bool,
    },
    /// Finds the changes since the last read.
    Compare(Box<RefreshedRows>),
    /// Reads an export of delivery attempts.
    ReadDeliveries {
        path: PathBuf,
    },
    /// Finds the attempts that match no webhook.
    MatchDeliveries {
        tally: Arc<DeliveryTally>,
        rows: Rows,
    },
    /// Collects at most `most` destinations of the rows, or of one host.
    Gather {
        rows: ChosenRows,
        host: Option<Box<str>>,
        most: usize,
    },
    /// Collects at most `most` destinations of these webhooks.
    GatherOf {
        webhooks: Vec<OwnedRow>,
        most: usize,
    },
    /// Reads the cache.
    Recall {
        store: Store,
        layout: Layout,
        now: Timestamp,
    },
    /// Selects the rows of a scope.
    Sift {
        past: Arc<CachedListing>,
        scope: Scope,
        layout: Layout,
    },
    /// Compares two listings, for the view of changes.
    Differences(Box<ChangesRequest>),
    /// Lists the snapshots in the history.
    Histories(Store),
    /// Reads a snapshot of the history.
    Open {
        snapshot: Snapshot,
        layout: Layout,
    },
    /// Reads the snapshot before the newest one, which is the same as the cache.
    OpenEarlier {
        store: Store,
        layout: Layout,
    },
    /// Writes a listing to the cache and the history.
    Keep {
        store: Store,
        past: Arc<CachedListing>,
        /// The listing that was written last.
        last: Option<Arc<CachedListing>>,
        /// Webhook ids that were confirmed as removed.
        removed: BTreeSet<String>,
        now: Timestamp,
    },
    /// Searches the history for when webhooks became inactive.
    SearchHistory {
        store: Store,
        rows: Rows,
        audit: Arc<Audit>,
        last: Arc<Searched>,
        now: Timestamp,
    },
    Copy {
        rows: ChosenRows,
        what: Copy,
        place: CopyContext,
        /// The number of marked webhooks, and how many of them are on screen.
        marked: usize,
        on_screen: usize,
    },
    Export(ExportTask),
}

/// Rows to write to a file.
#[derive(Debug, Clone)]
pub struct ExportTask {
    pub rows: ChosenRows,
    pub format: Format,
    pub path: PathBuf,
    pub existing: Existing,
    pub now: Timestamp,
    /// The number of marked webhooks, if the marked ones are exported.
    pub marked: Option<usize>,
}

/// The result of a job.
#[derive(Debug, Clone)]
pub struct Done {
    pub id: JobId,
    pub outcome: Outcome,
}

#[derive(Debug, Clone)]
pub enum Outcome {
    Marked {
        rows: ChosenRows,
        before: Arc<IdSet>,
        marks: Arc<IdSet>,
        webhooks: u64,
        on: bool,
    },
    Copied {
        what: Copy,
        text: Option<String>,
        webhooks: usize,
        marked: usize,
        on_screen: usize,
    },
    Exported {
        path: PathBuf,
        webhooks: u64,
        marked: Option<usize>,
    },
    /// The file exists, and was kept.
    Exists {
        path: PathBuf,
    },
    Compared(RefreshDiff),
    Gathered(Gathered),
    Deliveries(Result<DeliveriesRead, Safe>),
    Matched(UnmatchedAttempts),
    Recalled(Result<Option<Arc<CachedListing>>, Unusable>),
    Sifted {
        scope: Scope,
        rows: Rows,
    },
    Differences(Arc<Changes>),
    /// The snapshots, the newest first.
    Histories(Vec<Snapshot>),
    /// The listing in a snapshot; `None` if it can no longer be read.
    Opened {
        snapshot: Snapshot,
        past: Option<Arc<CachedListing>>,
    },
    OpenedEarlier(Option<(Snapshot, Arc<CachedListing>)>),
    /// The removal checks of webhooks, by their ids.
    Asked(Vec<(Box<str>, RemovalCheck)>),
    Searched(Arc<Searched>),
    /// The result of a write of the cache.
    Kept(Result<Kept, Safe>),
    NotCopied {
        words: Safe,
    },
    NotExported {
        path: PathBuf,
        words: Safe,
        /// True if the error is from the operating system.
        is_of_system: bool,
    },
}

/// Origins to probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    pub origins: Vec<Origin>,
    /// True if there are more origins than the limit.
    pub are_more: bool,
    /// True if all listed webhooks were to be probed.
    pub is_about_all: bool,
}

/// An export of delivery attempts.
#[derive(Debug, Clone)]
pub struct DeliveriesRead {
    pub tally: Arc<DeliveryTally>,
    /// The problems that make it incomplete.
    pub problems: Vec<Safe>,
}

/// The rows that an action applies to. Removed rows are left out, even if they are shown.
#[derive(Debug, Clone)]
pub struct ChosenRows {
    pub rows: Rows,
    /// The listed rows, in their order; `None` for all.
    pub order: Option<FilterSortResult>,
    /// The ids to which the rows are limited, whether they are shown or not.
    pub only: Option<Arc<IdSet>>,
}

impl ChosenRows {
    fn for_each<'r>(&'r self, mut act: impl FnMut(RowRef<'r>) -> io::Result<()>) -> io::Result<()> {
        match (&self.order, &self.only) {
            (Some(answer), None) => {
                let table = RowTable::new(&self.rows);
                let there = answer.order.iter().filter(|&&number| !self.rows.is_removed(number.into()));
                there.filter_map(|&number| table.row(number)).try_for_each(act)
            }
            (_, only) => {
                let is_one = |row: &RowRef<'_>| only.as_ref().is_none_or(|ids| row.is_webhook() && ids.contains(row.id()));
                let mut segments = self.rows.segments();
                segments.try_for_each(|(_, _, segment)| segment.iter().filter(is_one).try_for_each(&mut act))
            }
        }
    }
}

impl Job {
    /// Runs the job, which may take seconds. An export is canceled once `is_needed` returns false.
    pub fn run(self, is_needed: IsNeeded<'_>) -> Done {
        let outcome = match self.task {
            Task::MarkAll { rows, marks, is_of_all } => mark_all(rows, marks, is_of_all),
            Task::Copy { rows, what, place, marked, on_screen } => match copied_texts(&rows, what, &place) {
                Ok(texts) => {
                    let webhooks = texts.len();
                    let text = (webhooks > 0).then(|| copy::joined(what, &texts));
                    Outcome::Copied { what, text, webhooks, marked, on_screen }
                }
                Err(words) => Outcome::NotCopied { words },
            },
            Task::ReadDeliveries { path } => Outcome::Deliveries(read_deliveries(&path)),
            Task::MatchDeliveries { tally, rows } => Outcome::Matched(matched(&tally, &rows)),
            Task::Gather { rows, host, most } => Outcome::Gathered(gather(&rows, host.as_deref(), most)),
            Task::GatherOf { webhooks, most } => {
                let mut origins = Origins::new(most);
                webhooks.iter().map(OwnedRow::row).for_each(|row| origins.add(row));
                let are_more = origins.are_more;
                Outcome::Gathered(Gathered { origins: origins.finish(), are_more, is_about_all: false })
            }
            Task::Compare(reads) => Outcome::Compared(reads.compare()),
            Task::Recall { store, layout, now } => Outcome::Recalled(past::recall(&store, &layout, now)),
            Task::Sift { past, scope, layout } => Outcome::Sifted { scope, rows: past::select_scope(&past, scope, &layout) },
            Task::Differences(sides) => Outcome::Differences(Arc::new(sides.compare())),
            Task::Histories(store) => {
                let mut snapshots = store.history();
                snapshots.reverse();
                Outcome::Histories(snapshots)
            }
            Task::Open { snapshot, layout } => {
                let past = past::open(&snapshot, &layout).map(Arc::new);
                Outcome::Opened { snapshot, past }
            }
            Task::OpenEarlier { store, layout } => Outcome::OpenedEarlier(past::open_earlier(&store, &layout)),
            Task::Keep { store, past, last, removed, now } => {
                let kept = past::keep(&store, &past, last.as_deref(), now, &removed);
                Outcome::Kept(kept.map_err(|error| clean(&error.to_string())))
            }
            Task::SearchHistory { store, rows, audit, last, now } => {
                Outcome::Searched(past::search(&store, &rows, &audit, last, now))
            }
            Task::Export(export) => export.write(is_needed),
        };
        Done { id: self.id, outcome }
    }
}

fn read_deliveries(path: &Path) -> Result<DeliveriesRead, Safe> {
    let mut tally = DeliveryTally::default();
    let report = deliveries::load(path, &mut tally).map_err(|error| clean(&error.to_string()))?;
    Ok(DeliveriesRead { tally: Arc::new(tally), problems: report.problems() })
}

fn matched(tally: &DeliveryTally, rows: &Rows) -> UnmatchedAttempts {
    let webhooks = rows.segments().flat_map(|(_, _, segment)| segment.iter()).filter(|row| row.is_webhook());
    tally.unmatched(webhooks.map(|row| (row.id(), row.url())))
}

fn gather(rows: &ChosenRows, host: Option<&str>, most: usize) -> Gathered {
    let is_wanted = |row: RowRef<'_>| host.is_none_or(|host| row.host().is_some_and(|named| *named.name == *host));
    let mut origins = Origins::new(most);
    let done = rows.for_each(|row| {
        if row.is_webhook() && is_wanted(row) {
            origins.add(row);
        }
        Ok(())
    });
    debug_assert!(done.is_ok(), "nothing in here fails");
    let are_more = origins.are_more;
    Gathered { origins: origins.finish(), are_more, is_about_all: host.is_none() && rows.only.is_none() }
}

fn mark_all(rows: ChosenRows, before: Arc<IdSet>, is_of_all: bool) -> Outcome {
    let mut marks = IdSet::clone(&before);
    let mut webhooks = 0;
    let mut added = 0;
    let each = |act: &mut dyn FnMut(&str)| {
        let done = rows.for_each(|row| {
            if row.is_webhook() {
                act(row.id());
            }
            Ok(())
        });
        debug_assert!(done.is_ok(), "nothing in here fails");
    };
    each(&mut |id| {
        webhooks += 1;
        added += u64::from(marks.insert(id));
    });
    let on = added > 0 || webhooks == 0;
    if !on {
        if is_of_all {
            marks = IdSet::default();
            for row in rows.rows.segments().flat_map(|(_, _, segment)| segment.iter()) {
                if row.is_webhook() && before.contains(row.id()) {
                    marks.insert(row.id());
                }
            }
        }
        each(&mut |id| {
            marks.remove(id);
        });
    }
    Outcome::Marked { rows, before, marks: Arc::new(marks), webhooks, on }
}

fn copied_texts(rows: &ChosenRows, what: Copy, place: &CopyContext) -> Result<Vec<String>, Safe> {
    let mut texts = Vec::new();
    let mut bytes = 0;
    let mut refused = None;
    let taken = rows.for_each(|row| {
        let text = copy::text(what, row, place);
        if text.is_none() && row.is_webhook() {
            refused = Some(copy::refusal(row));
            return Err(io::ErrorKind::InvalidData.into());
        }
        bytes += text.as_ref().map_or(0, String::len);
        if texts.len() == MAX_COPIED || bytes > MAX_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        texts.extend(text);
        Ok(())
    });
    if let Some(words) = refused {
        return Err(words);
    }
    if taken.is_err() {
        let most = if bytes > MAX_BYTES { "4 MB" } else { "10,000" };
        return Err(safe!("more than {} to copy: export to a file instead", most));
    }
    Ok(texts)
}

impl ExportTask {
    fn write(self, is_needed: IsNeeded<'_>) -> Outcome {
        let Self { rows, format, path, existing, now, marked } = self;
        let written = files::target(&path).and_then(|target| {
            // Do not create the directory: a missing one was probably mistyped.
            if let Some(directory) = target.parent().filter(|directory| !directory.as_os_str().is_empty()) {
                directory.metadata()?;
            }
            files::write(&target, existing, |file| {
                let mut out = Output::to(file);
                let sheet = Sheet::<ListedWebhook>::new(format, None, false, now)
                    .map_err(|why| io::Error::other(why.to_string()))?;
                match write_rows(&rows, &sheet, &mut out, is_needed)? {
                    0 if marked.is_some() => Err(io::Error::other("none of the marked webhooks is still listed")),
                    webhooks => Ok(webhooks),
                }
            })
        });
        match written {
            Ok(Some(webhooks)) => Outcome::Exported { path, webhooks, marked },
            Ok(None) => Outcome::Exists { path },
            Err(error) => {
                let is_of_system = error.kind() != io::ErrorKind::Other;
                Outcome::NotExported { path, words: clean(&system_words(&error)), is_of_system }
            }
        }
    }
}

/// The message of an error, without the system's number and in lower case, to continue a sentence.
fn system_words(error: &io::Error) -> String {
    let mut words = without_number(&error.to_string());
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    words
}

/// Writes the rows in chunks, so that a million of them are never decoded at once.
fn write_rows<W: Write>(
    rows: &ChosenRows,
    sheet: &Sheet<ListedWebhook>,
    out: &mut Output<W>,
    is_needed: IsNeeded<'_>,
) -> io::Result<u64> {
    let mut document = sheet.begin(out)?;
    let mut chunk: Vec<RowRef<'_>> = Vec::with_capacity(CHUNK);
    let entries = |chunk: &mut Vec<RowRef<'_>>| -> Vec<SheetEntry<ListedWebhook>> {
        let page = RowPage::of_rows(chunk.drain(..));
        page.owned_rows().map(|row| ListedWebhook::entry(None, row)).collect()
    };
    let mut webhooks = 0;
    rows.for_each(|row| {
        webhooks += 1;
        chunk.push(row);
        if chunk.len() == CHUNK {
            if !is_needed() {
                return Err(io::Error::other("stopped before everything was written"));
            }
            document.add(&entries(&mut chunk))?;
        }
        Ok(())
    })?;
    document.add(&entries(&mut chunk))?;
    document.end()?;
    Ok(webhooks)
}
