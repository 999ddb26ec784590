//! stdout is data, stderr is everything else. Both are written through handles, so that a closed pipe is silence and a full
//! disk is an error instead of a panic.
//!
//! A kind of record has a table of [`Column`]s; each format is a file below this one and writes any kind of record. A new
//! column is one row of a table, a new format one file and one arm of [`Sheet::write`].

mod audit;
mod csv;
mod diff;
mod events;
mod history;
mod json;
mod markdown;
mod openmetrics;
mod probes;
mod table;
mod tsv;
mod webhooks;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use rustix::fs::OFlags;
use serde::Serialize;
use serde_json::value::RawValue;

pub use self::audit::{AuditFormat, AuditSheet, Audited, Found, SourceFile, summary};
pub use self::diff::{DiffLine, Differences, Happened, change_line};
pub use self::history::Kept;
pub use self::markdown::code;
pub use self::openmetrics::{Measured, openmetrics};
pub use self::probes::Probed;
pub use self::webhooks::Listed;
use crate::base::text::{Safe, clean, escape_json};
use crate::error::{Error, reason};
use crate::model::OwnedRow;
use crate::safe;

/// Whether anybody still reads the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    Listening,
    /// The pipe was closed: the program ends in silence, and successfully.
    Gone,
}

/// Where data goes, and whether that is a terminal.
pub struct Output<W> {
    writer: W,
    terminal: bool,
    closed: bool,
}

/// Whether stdout was closed when the program started.
static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Takes note of a stdout that is closed (`>&-`). To be called before `main`: see there.
pub fn look_at_stdout() {
    WAS_CLOSED.store(rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err(), Ordering::Relaxed);
}

/// Whether nothing can be written to stdout: it is closed, or open for reading only, which the standard library takes for a write
/// that succeeds.
pub fn is_stdout_closed() -> bool {
    let is_for_reading = |flags: OFlags| flags & OFlags::ACCMODE == OFlags::RDONLY;
    WAS_CLOSED.load(Ordering::Relaxed) || rustix::fs::fcntl_getfl(rustix::stdio::stdout()).is_ok_and(is_for_reading)
}

/// The error of a stdout that is closed.
pub fn closed() -> Error {
    Error::Output("stdout is closed".into())
}

impl Output<BufWriter<io::StdoutLock<'static>>> {
    pub fn stdout() -> Self {
        let stdout = io::stdout().lock();
        let terminal = stdout.is_terminal();
        Self { writer: BufWriter::with_capacity(64 << 10, stdout), terminal, closed: is_stdout_closed() }
    }
}

impl<W: Write> Output<W> {
    /// To anything that is no terminal.
    pub fn to(writer: W) -> Self {
        Self { writer, terminal: false, closed: false }
    }

    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Writes what `write` produces, all of it: a full disk shows at the last flush.
    pub fn send(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) -> Result<Reader, Error> {
        if self.closed {
            return Err(closed());
        }
        match write(self).and_then(|()| self.writer.flush()) {
            Ok(()) => Ok(Reader::Listening),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
            Err(error) => Err(Error::Output(reason(&error))),
        }
    }

    /// A line for people.
    pub fn line(&mut self, line: &Safe) -> io::Result<()> {
        writeln!(self.writer, "{line}")
    }

    /// One value a line, without the line break: JSON, escaped further when a terminal would act on it.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        if self.terminal {
            return self.json_text(&serde_json::to_string(value)?);
        }
        serde_json::to_writer(&mut self.writer, value)?;
        Ok(())
    }

    /// As [`Output::json`], of a text that is JSON already.
    pub fn json_text(&mut self, text: &str) -> io::Result<()> {
        if self.terminal {
            return self.writer.write_all(escape_json(text).as_bytes());
        }
        self.writer.write_all(text.as_bytes())
    }

    /// Texts that are JSON already, one a line.
    pub fn json_lines<'a>(&mut self, mut texts: impl Iterator<Item = &'a str>) -> io::Result<()> {
        texts.try_for_each(|text| {
            self.json_text(text)?;
            self.raw(b"\n")
        })
    }

    /// Writes text of the program itself, such as separators or a generated script.
    pub fn raw(&mut self, text: &[u8]) -> io::Result<()> {
        self.writer.write_all(text)
    }
}

/// Prints a message on stderr. If stderr is closed too, nothing can be reported.
pub fn message(line: &Safe) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// The verbosity of messages on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Say {
    /// Only errors and problems that affect the exit code.
    Quiet,
    #[default]
    Normal,
    Verbose,
}

impl Say {
    /// Prints a problem that affects the exit code, even with `--quiet`.
    pub fn problem(self, line: &Safe) {
        message(&safe!("hookscope: {}", line));
    }

    /// Prints a note, unless `--quiet`.
    pub fn note(self, line: &Safe) {
        if self != Self::Quiet {
            message(&safe!("hookscope: {}", line));
        }
    }

    /// Prints a note only on a terminal, where the program could seem to hang.
    pub fn note_at_terminal(self, line: &Safe) {
        if io::stderr().is_terminal() {
            self.note(line);
        }
    }

    /// Prints a detail for troubleshooting, with `--verbose`.
    pub fn detail(self, line: &Safe) {
        if self == Self::Verbose {
            message(&safe!("hookscope: {}", line));
        }
    }

    /// Prints an error (what, where, what to do), with its causes if `--verbose`.
    pub fn error(self, error: &Error) {
        tracing::error!("{error}");
        error.lines().iter().for_each(message);
        if self == Self::Verbose {
            error.causes().iter().for_each(|cause| message(&safe!("  caused by: {}", cause)));
        }
    }
}

/// The formats of `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns, cut to the terminal; uncut on a pipe
    Table,
    /// One record per line, tab-separated, without a header
    Tsv,
    /// One JSON array
    Json,
    /// One JSON object per line, written as pages arrive
    Ndjson,
    /// RFC 4180 with a header; spreadsheet formulas are defused
    Csv,
    /// A table for tickets and pull requests
    Markdown,
    /// One id per line
    Ids,
}

impl Format {
    /// What a format is when nobody chose one.
    pub fn usual(terminal: bool) -> Self {
        if terminal { Self::Table } else { Self::Tsv }
    }

    /// Whether rows that are no webhooks are passed on as they came.
    pub fn passes_malformed(self) -> bool {
        matches!(self, Self::Json | Self::Ndjson)
    }
}

/// How a value matters to a person who looks for what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Plain,
    Good,
    Quiet,
    Warning,
}

/// What a column needs to know besides the record.
#[derive(Debug, Clone, Copy)]
pub struct View {
    pub now: Timestamp,
}

/// One column of a kind of record.
pub struct Column<T> {
    /// In `--columns`, as the header of csv and as the key in JSON. Stable.
    pub name: &'static str,
    pub about: &'static str,
    /// A number: its digits stand below each other.
    pub right: bool,
    /// May be cut to make the table fit.
    pub cut: bool,
    /// The true value as text, for tsv and csv.
    pub text: fn(&T, View) -> String,
    /// The value for people, credentials masked; the text if there is none.
    pub shown: Option<fn(&T, View) -> Safe>,
    pub tone: fn(&T) -> Tone,
    /// The true value as JSON; `None` when the record does not have it.
    pub json: fn(&T, View) -> Option<Box<RawValue>>,
}

impl<T> Column<T> {
    pub(crate) fn shown(&self, record: &T, view: View) -> Safe {
        match self.shown {
            Some(shown) => shown(record, view),
            None => clean(&(self.text)(record, view)),
        }
    }
}

/// A kind of record that can be written in every format.
pub trait Record: Serialize + Sized + 'static {
    /// Every column that there is, in the order in which help names them.
    const COLUMNS: &'static [Column<Self>];
    /// The columns of a format when nobody chose any.
    fn usual(format: Format, profiles: bool) -> &'static [&'static str];
    /// What `-o ids` prints; empty when records of this kind have no ids.
    fn id(&self) -> Safe;
}

/// One element of what is written.
#[derive(Debug)]
pub enum Entry<T> {
    Record(T),
    /// A malformed row, written as received.
    Malformed(OwnedRow),
}

impl<T: Serialize> Serialize for Entry<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Record(record) => record.serialize(serializer),
            Self::Malformed(row) => row.row().serialize(serializer),
        }
    }
}

/// How records are to be written.
pub struct Sheet<T: Record> {
    pub format: Format,
    columns: Vec<&'static Column<T>>,
    /// Columns were chosen, so JSON has these and no other fields.
    chosen: bool,
    pub view: View,
    /// Columns of the terminal; `None` for as many as it takes.
    pub width: Option<usize>,
    pub coloured: bool,
    pub cells: Cells,
}

/// What csv does about spreadsheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cells {
    /// Cells that a spreadsheet would run are text.
    #[default]
    Guarded,
    /// Cells stay as they are.
    Raw,
    /// Guarded, after a byte order mark, and cells that look like numbers are text too.
    Excel,
}

impl<T: Record> Sheet<T> {
    /// # Errors
    ///
    /// A column that does not exist, or that is named twice; the message lists those that there are.
    pub fn new(format: Format, columns: Option<&str>, profiles: bool, view: View) -> Result<Self, Safe> {
        let names: Vec<&str> = match columns {
            Some(names) => names.split(',').map(str::trim).collect(),
            None => T::usual(format, profiles).to_vec(),
        };
        let wrong = |what: Safe| {
            let known: Vec<_> = T::COLUMNS.iter().map(|column| column.name).collect();
            safe!("{}; columns: {}", what, clean(&known.join(", ")))
        };
        let mut columns_found: Vec<&'static Column<T>> = Vec::with_capacity(names.len());
        for name in names {
            let column = T::COLUMNS.iter().find(|column| column.name == name);
            let column = column.ok_or_else(|| match name {
                "" => wrong("a column name is missing".into()),
                name => wrong(safe!("unknown column {}", crate::base::text::clean_head(name, 40))),
            })?;
            // JSON would have a name twice in one object, which no two readers take alike.
            if columns_found.iter().any(|found| found.name == name) {
                return Err(wrong(safe!("column {} is given twice", column.name)));
            }
            columns_found.push(column);
        }
        Ok(Self {
            format,
            columns: columns_found,
            chosen: columns.is_some(),
            view,
            width: None,
            coloured: false,
            cells: Cells::default(),
        })
    }

    /// Columns were chosen: JSON has these and no other fields.
    pub fn has_chosen_columns(&self) -> bool {
        self.chosen
    }

    /// Writes a whole document.
    pub fn write<W: Write>(&self, out: &mut Output<W>, entries: &[Entry<T>]) -> io::Result<()> {
        if self.format == Format::Table {
            return table::write(out, self, &records(entries).collect::<Vec<_>>());
        }
        let mut document = self.begin(out)?;
        document.add(entries)?;
        document.end()
    }

    /// Begins a document that is written in parts. A table for people cannot be: its columns are as wide as its widest cell.
    pub fn begin<'a, W: Write>(&'a self, out: &'a mut Output<W>) -> io::Result<Document<'a, T, W>> {
        match self.format {
            Format::Json => out.raw(b"[")?,
            Format::Csv => csv::header(out, self)?,
            Format::Markdown => markdown::header(out, self)?,
            Format::Ndjson | Format::Ids | Format::Tsv => {}
            Format::Table => return Err(io::Error::other("a table cannot be written in parts")),
        }
        Ok(Document { sheet: self, out, is_empty: true })
    }

    /// Writes entries as JSON, one a line: a part of a document that goes on.
    pub fn write_lines<W: Write>(&self, out: &mut Output<W>, entries: &[Entry<T>]) -> io::Result<()> {
        json::lines(out, entries.iter().map(|entry| self.fields(entry)))
    }

    fn fields<'a>(&'a self, entry: &'a Entry<T>) -> json::Fields<'a, T> {
        json::Fields { entry, columns: self.chosen.then_some(&self.columns), view: self.view }
    }
}

/// A document that is under way.
pub struct Document<'a, T: Record, W: Write> {
    sheet: &'a Sheet<T>,
    out: &'a mut Output<W>,
    is_empty: bool,
}

impl<T: Record, W: Write> Document<'_, T, W> {
    /// Writes some more of its entries.
    pub fn add(&mut self, entries: &[Entry<T>]) -> io::Result<()> {
        let Self { sheet, out, .. } = self;
        match sheet.format {
            Format::Json => {
                for entry in entries {
                    out.raw(if self.is_empty { b"\n" } else { b",\n" })?;
                    out.json(&sheet.fields(entry))?;
                    self.is_empty = false;
                }
                Ok(())
            }
            Format::Ndjson => sheet.write_lines(out, entries),
            Format::Ids => records(entries).try_for_each(|record| out.line(&record.id())),
            Format::Tsv => tsv::write(out, sheet, records(entries)),
            Format::Csv => csv::write(out, sheet, records(entries)),
            Format::Markdown => markdown::write(out, sheet, records(entries)),
            Format::Table => Ok(()),
        }
    }

    /// Writes what stands behind the last entry.
    pub fn end(self) -> io::Result<()> {
        match self.sheet.format {
            Format::Json => self.out.raw(if self.is_empty { b"]\n" } else { b"\n]\n" }),
            _ => Ok(()),
        }
    }
}

/// The entries that are records.
fn records<T>(entries: &[Entry<T>]) -> impl Iterator<Item = &T> {
    entries.iter().filter_map(|entry| match entry {
        Entry::Record(record) => Some(record),
        Entry::Malformed(_) => None,
    })
}

/// The columns that there are, for help: name and what it is.
pub fn columns_help() -> [(&'static str, Vec<(&'static str, &'static str)>); 6] {
    fn of<T: Record>() -> Vec<(&'static str, &'static str)> {
        T::COLUMNS.iter().map(|column| (column.name, column.about)).collect()
    }
    [
        ("list, get", of::<Listed>()),
        ("events", of::<crate::analysis::coverage::EventCoverage>()),
        ("audit", of::<Found>()),
        ("probe", of::<Probed>()),
        ("diff", of::<DiffLine>()),
        ("history", of::<Kept>()),
    ]
}
