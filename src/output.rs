//! The output of commands: data on stdout, messages on stderr.
//!
//! A kind of record (webhooks, events, probes, …) has a table of columns; each format (`table`, `csv`, …) writes any kind of record.
//! A new column is one row of a table; a new format is one file and the arms in `document`. Start with `record`.

mod audit;
mod csv;
mod diff;
mod document;
mod events;
mod history;
mod json;
mod markdown;
mod openmetrics;
mod probes;
mod record;
mod sheet;
mod stdout;
mod table;
mod tsv;
mod verbosity;
mod webhooks;

pub use self::audit::{AuditFormat, AuditSheet, Audited, FindingRecord, SourceFile, summary};
pub use self::diff::{ChangeKind, DiffLine, Differences, change_line};
pub use self::document::Document;
pub use self::history::SavedSnapshot;
pub use self::markdown::code;
pub use self::openmetrics::{Measured, openmetrics};
pub use self::probes::ProbeRecord;
pub use self::record::{CellValue, Column, Format, Record, SheetEntry, Tone};
pub use self::sheet::{Cells, Sheet};
pub use self::stdout::{Output, OutputState, closed, is_stdout_closed, look_at_stdout};
pub use self::verbosity::{Verbosity, message};
pub use self::webhooks::ListedWebhook;
use crate::analysis::coverage::EventCoverage;

/// The name and description of a column.
type ColumnHelp = (&'static str, &'static str);

/// The columns of each kind of record, by command, for help.
pub fn columns_help() -> [(&'static str, Vec<ColumnHelp>); 6] {
    fn of<T: Record>() -> Vec<ColumnHelp> {
        T::COLUMNS.iter().filter(|column| !column.only_json).map(|column| (column.name, column.about)).collect()
    }
    [
        ("list, get", of::<ListedWebhook>()),
        ("events", of::<EventCoverage>()),
        ("audit", of::<FindingRecord>()),
        ("probe", of::<ProbeRecord>()),
        ("diff", of::<DiffLine>()),
        ("history", of::<SavedSnapshot>()),
    ]
}
