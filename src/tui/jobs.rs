//! Work on many rows that is done beside the loop: marking, copying and writing them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::copy::{self, Place};
use crate::analysis::arrange::Answer;
use crate::analysis::deliveries::{Tally, Unmatched};
use crate::analysis::destinations::Origin;
use crate::analysis::news::{News, Reads};
use crate::analysis::origins::Origins;
use crate::analysis::rows::{Rows, Table};
use crate::deliveries;
use crate::files::{self, Existing};
use crate::keymap::Copy;
use crate::model::{IdSet, Row, RowRef};
use crate::output::{Entry, Format, Listed, Output, Sheet, View};
use crate::text::{Safe, clean};

/// Webhooks that one copy takes: more is an export.
pub const MAX_COPIED: usize = 10_000;
/// Rows that are unpacked at once.
const CHUNK: usize = 1000;

/// Something to be done, and for which workspace.
#[derive(Debug, Clone)]
pub struct Job {
    /// Another one for each job.
    pub number: u64,
    pub task: Task,
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Job {}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Task {
    /// Marks all of them, or if all are marked none.
    MarkAll {
        rows: Chosen,
        marks: Arc<IdSet>,
    },
    /// Finds what is new since the last read.
    Compare(Box<Reads>),
    /// Reads an export of delivery attempts.
    ReadDeliveries {
        path: PathBuf,
    },
    /// Finds the attempts that belong to no webhook.
    MatchDeliveries {
        tally: Arc<Tally>,
        rows: Rows,
    },
    /// Finds where they deliver to, those of one host or all, and at most so many.
    Gather {
        rows: Chosen,
        host: Option<Box<str>>,
        most: usize,
    },
    Copy {
        rows: Chosen,
        what: Copy,
        words: &'static str,
        place: Place,
    },
    Export {
        rows: Chosen,
        format: Format,
        path: PathBuf,
        existing: Existing,
        now: Timestamp,
    },
}

/// What came of a job.
#[derive(Debug, Clone)]
pub struct Done {
    pub number: u64,
    pub outcome: Outcome,
}

#[derive(Debug, Clone)]
pub enum Outcome {
    Marked {
        marks: Arc<IdSet>,
        webhooks: u64,
        on: bool,
    },
    Copied {
        what: Copy,
        words: &'static str,
        text: Option<String>,
        webhooks: usize,
    },
    Exported {
        path: PathBuf,
        webhooks: u64,
    },
    /// Something is there already, and was left as it is.
    Exists {
        path: PathBuf,
    },
    Compared(News),
    Gathered(Gathered),
    Deliveries(Result<Read, Safe>),
    Matched(Unmatched),
    Failed {
        words: Safe,
    },
}

/// Origins to be probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    pub origins: Vec<Origin>,
    /// There are more than were to be gathered.
    pub are_more: bool,
    /// It was asked for everything that is there.
    pub is_about_all: bool,
}

/// An export of delivery attempts.
#[derive(Debug, Clone)]
pub struct Read {
    pub tally: Arc<Tally>,
    /// What keeps it from being whole.
    pub problems: Vec<Safe>,
}

/// Rows that something is to be done with.
#[derive(Debug, Clone)]
pub struct Chosen {
    pub rows: Rows,
    /// Those that are shown, in their order; `None` for all.
    pub order: Option<Answer>,
    /// Only those with these ids, whether they are shown or not.
    pub only: Option<Arc<IdSet>>,
}

impl Chosen {
    fn for_each(&self, mut act: impl FnMut(RowRef<'_>) -> io::Result<()>) -> io::Result<()> {
        match (&self.order, &self.only) {
            (Some(answer), None) => {
                let table = Table::new(&self.rows);
                answer.order.iter().filter_map(|&number| table.row(number)).try_for_each(act)
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
    /// Does it. This may take seconds.
    pub fn run(self) -> Done {
        let outcome = match self.task {
            Task::MarkAll { rows, marks } => mark_all(&rows, marks),
            Task::Copy { rows, what, words, place } => copied(&rows, what, words, &place),
            Task::ReadDeliveries { path } => Outcome::Deliveries(read_deliveries(&path)),
            Task::MatchDeliveries { tally, rows } => Outcome::Matched(matched(&tally, &rows)),
            Task::Gather { rows, host, most } => Outcome::Gathered(gather(&rows, host.as_deref(), most)),
            Task::Compare(reads) => Outcome::Compared(reads.compare()),
            Task::Export { rows, format, path, existing, now } => export(&rows, format, path, existing, now),
        };
        Done { number: self.number, outcome }
    }
}

fn read_deliveries(path: &Path) -> Result<Read, Safe> {
    let mut tally = Tally::default();
    let report = deliveries::load(path, &mut tally).map_err(|error| clean(&error.to_string()))?;
    Ok(Read { tally: Arc::new(tally), problems: report.problems() })
}

fn matched(tally: &Tally, rows: &Rows) -> Unmatched {
    let mut matching = tally.matching();
    let webhooks = rows.segments().flat_map(|(_, _, segment)| segment.iter()).filter(|row| row.is_webhook());
    webhooks.for_each(|row| matching.add(row.id(), row.url()));
    matching.finish()
}

fn gather(rows: &Chosen, host: Option<&str>, most: usize) -> Gathered {
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

fn mark_all(rows: &Chosen, marks: Arc<IdSet>) -> Outcome {
    let mut marks = Arc::unwrap_or_clone(marks);
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
        each(&mut |id| {
            marks.remove(id);
        });
    }
    Outcome::Marked { marks: Arc::new(marks), webhooks, on }
}

fn copied(rows: &Chosen, what: Copy, words: &'static str, place: &Place) -> Outcome {
    let mut texts = Vec::new();
    let taken = rows.for_each(|row| {
        if texts.len() == MAX_COPIED {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        texts.extend(copy::text(what, &row.unpack(), place));
        Ok(())
    });
    if taken.is_err() {
        return Outcome::Failed { words: "more than 10,000 are marked: export them to a file".into() };
    }
    let webhooks = texts.len();
    let text = match what {
        Copy::Json => format!("[\n{}\n]", texts.join(",\n")),
        _ => texts.join("\n"),
    };
    Outcome::Copied { what, words, text: (webhooks > 0).then_some(text), webhooks }
}

fn export(rows: &Chosen, format: Format, path: PathBuf, existing: Existing, now: Timestamp) -> Outcome {
    let written = files::target(&path).and_then(|target| {
        // One that is not there was mistyped.
        if let Some(directory) = target.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            directory.metadata()?;
        }
        files::write(&target, existing, |file| {
            let mut out = Output::to(file);
            let sheet =
                Sheet::<Listed>::new(format, None, false, View { now }).map_err(|why| io::Error::other(why.to_string()))?;
            write_rows(rows, &sheet, &mut out)
        })
    });
    match written {
        Ok(Some(webhooks)) => Outcome::Exported { path, webhooks },
        Ok(None) => Outcome::Exists { path },
        Err(error) => Outcome::Failed { words: clean(&error.to_string()) },
    }
}

/// Writes the rows by and by: a million of them are never unpacked at once.
fn write_rows<W: Write>(rows: &Chosen, sheet: &Sheet<Listed>, out: &mut Output<W>) -> io::Result<u64> {
    let mut document = sheet.begin(out)?;
    let mut chunk: Vec<Entry<Listed>> = Vec::with_capacity(CHUNK);
    let mut webhooks = 0;
    rows.for_each(|row| {
        webhooks += 1;
        chunk.push(match row.unpack() {
            Row::Webhook(webhook) => Entry::Record(Listed { profile: None, webhook }),
            Row::Malformed(malformed) => Entry::Malformed(malformed.json),
        });
        if chunk.len() == CHUNK {
            document.add(&chunk)?;
            chunk.clear();
        }
        Ok(())
    })?;
    document.add(&chunk)?;
    document.end()?;
    Ok(webhooks)
}
