//! A sheet: the chosen format and columns of a kind of record.

use jiff::Timestamp;

use super::record::{Column, Format, Record};
use crate::base::text::{Safe, clean, clean_head};
use crate::safe;

/// How records are to be written.
pub struct Sheet<T: Record> {
    pub format: Format,
    pub(super) columns: Vec<&'static Column<T>>,
    /// True if the columns were chosen by name: JSON then has these fields only.
    pub(super) has_chosen_columns: bool,
    pub(super) now: Timestamp,
    /// The width of the terminal; `None` for any width.
    pub width: Option<usize>,
    pub colored: bool,
    pub cells: Cells,
}

/// The protection of csv cells against spreadsheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cells {
    /// Formulas are turned into text.
    #[default]
    Guarded,
    /// Cells stay as they are.
    Raw,
    /// Guarded, after a byte order mark, and cells that look like numbers are turned into text too.
    Excel,
}

impl<T: Record> Sheet<T> {
    /// `columns` are the chosen ones; `profiles` is true if several profiles are read.
    ///
    /// # Errors
    ///
    /// A column is unknown or given twice; the message lists the known ones.
    pub fn new(format: Format, columns: Option<&str>, profiles: bool, now: Timestamp) -> Result<Self, Safe> {
        let names: Vec<&str> = match columns {
            Some(names) => names.split(',').map(str::trim).collect(),
            None => {
                let has_profile = profiles && T::COLUMNS.iter().any(|column| column.name == "profile");
                has_profile.then_some("profile").into_iter().chain(T::usual(format).iter().copied()).collect()
            }
        };
        let wrong = |what: Safe| {
            let known = T::COLUMNS.iter().filter(|column| !column.only_json).map(|column| column.name);
            safe!("{}; columns: {}", what, clean(&known.collect::<Vec<_>>().join(", ")))
        };
        let mut found: Vec<&'static Column<T>> = Vec::with_capacity(names.len());
        for name in names {
            let column = T::COLUMNS.iter().find(|column| column.name == name);
            let column = column.filter(|column| !column.only_json || columns.is_none());
            let column = column.ok_or_else(|| match name {
                "" => wrong("a column name is missing".into()),
                name => wrong(safe!("unknown column {}", clean_head(name, 40))),
            })?;
            // Readers of JSON disagree about an object with two fields of one name.
            if found.iter().any(|found| found.name == name) {
                return Err(wrong(safe!("column {} is given twice", column.name)));
            }
            found.push(column);
        }
        Ok(Self {
            format,
            columns: found,
            has_chosen_columns: columns.is_some(),
            now,
            width: None,
            colored: false,
            cells: Cells::default(),
        })
    }
}
