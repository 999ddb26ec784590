//! Reports of an audit: for people, for programs, for tickets and for CI. `report` has their contents; each format is a file.

mod junit;
mod markdown;
mod record;
mod report;
mod sarif;
mod table;

use std::io::{self, Write};

pub use self::record::FindingRecord;
pub use self::report::{AuditFormat, AuditSheet, Audited, SourceFile, summary};
use super::record::{Format, SheetEntry};
use super::sheet::{Cells, Sheet};
use super::stdout::Output;

/// The most findings to turn into records at once, since that copies their ids.
const BATCH: usize = 1000;

impl AuditSheet<'_> {
    /// Writes a whole report.
    pub fn write<W: Write>(&self, out: &mut Output<W>, audited: &[Audited]) -> io::Result<()> {
        match self.format {
            AuditFormat::Table => table::write(out, self, audited),
            AuditFormat::Markdown => markdown::write(out, self, audited),
            AuditFormat::Sarif => sarif::write(out, self, audited),
            AuditFormat::Junit => junit::write(out, self, audited),
            AuditFormat::Tsv | AuditFormat::Json | AuditFormat::Ndjson | AuditFormat::Csv => {
                self.write_records(out, audited)
            }
        }
    }

    fn write_records<W: Write>(&self, out: &mut Output<W>, audited: &[Audited]) -> io::Result<()> {
        let format = self.format.of_records().unwrap_or(Format::Json);
        let mut sheet: Sheet<FindingRecord> =
            Sheet::new(format, None, self.profiles, self.now).map_err(|words| io::Error::other(words.to_string()))?;
        sheet.cells = if self.raw { Cells::Raw } else { Cells::Guarded };
        let mut document = sheet.begin(out)?;
        for one in audited {
            for batch in one.report.findings.chunks(BATCH) {
                let entries: Vec<_> =
                    batch.iter().map(|finding| SheetEntry::Record(FindingRecord::new(one, finding))).collect();
                document.add(&entries)?;
            }
        }
        document.end()
    }
}
