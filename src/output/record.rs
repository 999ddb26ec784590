//! Records, their columns and values. The table of columns of a kind of record is all that the formats know about it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::Number;
use serde_json::value::RawValue;

use crate::base::clock;
use crate::base::text::{Safe, clean};
use crate::model::{Destination, OwnedRow};

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
    /// The default format.
    pub fn usual(terminal: bool) -> Self {
        if terminal { Self::Table } else { Self::Tsv }
    }

    /// Returns true if malformed rows are written as received.
    pub fn passes_malformed(self) -> bool {
        matches!(self, Self::Json | Self::Ndjson)
    }
}

/// The color of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Plain,
    Good,
    Quiet,
    Warning,
}

/// A kind of record that can be written in every format.
pub trait Record: Sized + 'static {
    /// All columns, in the order of the help.
    const COLUMNS: &'static [Column<Self>];

    /// The default columns of a format, after `profile` if several profiles are read.
    fn usual(format: Format) -> &'static [&'static str];

    /// The text of `-o ids`; empty if records of this kind have no ids.
    fn id(&self) -> Safe;

    /// The whole record as JSON, if that is more than its default columns.
    fn json(&self) -> Option<Cow<'_, str>> {
        None
    }
}

/// An element of the output.
#[derive(Debug)]
pub enum SheetEntry<T> {
    Record(T),
    /// A malformed row, written as received.
    Malformed(OwnedRow),
}

impl<T> SheetEntry<T> {
    pub(super) fn record(&self) -> Option<&T> {
        match self {
            Self::Record(record) => Some(record),
            Self::Malformed(_) => None,
        }
    }
}

/// Computes the value of a record in a column. Ages depend on the current time.
type ValueFn<T> = for<'a> fn(&'a T, Timestamp) -> CellValue<'a>;

/// A column of a kind of record.
pub struct Column<T> {
    /// The name in `--columns`, the csv header and JSON. Stable.
    pub name: &'static str,
    pub about: &'static str,
    /// Numbers are aligned to the right.
    pub right: bool,
    /// May be cut to make the table fit.
    pub cut: bool,
    /// Written only as a field of JSON.
    pub only_json: bool,
    pub value: ValueFn<T>,
    pub tone: fn(&T) -> Tone,
}

impl<T> Column<T> {
    pub(super) const fn new(name: &'static str, about: &'static str, value: ValueFn<T>) -> Self {
        Self { name, about, right: false, cut: false, only_json: false, value, tone: |_| Tone::Plain }
    }

    /// A column of numbers.
    pub(super) const fn number(name: &'static str, about: &'static str, value: ValueFn<T>) -> Self {
        Self { right: true, ..Self::new(name, about, value) }
    }

    /// A column of long texts.
    pub(super) const fn long(name: &'static str, about: &'static str, value: ValueFn<T>) -> Self {
        Self { cut: true, ..Self::new(name, about, value) }
    }

    /// A field of JSON that is not a column of other formats.
    pub(super) const fn json(name: &'static str, value: ValueFn<T>) -> Self {
        Self { only_json: true, ..Self::new(name, "", value) }
    }

    pub(super) const fn toned(self, tone: fn(&T) -> Tone) -> Self {
        Self { tone, ..self }
    }
}

/// The value of a record in a column, from which each format takes what it needs.
#[derive(Debug, Clone, PartialEq)]
pub enum CellValue<'a> {
    /// A field that the record does not have: an empty cell, and absent from JSON.
    Missing,
    /// No value: an empty cell, and `null` in JSON.
    Null,
    Text(Cow<'a, str>),
    /// A URL; output for people masks its credentials.
    Url(&'a str),
    /// Text with another form for people.
    Masked(&'a str, Safe),
    Time(Timestamp),
    Number(Number),
    Bool(bool),
    /// A boolean that people read as `yes` or `no`.
    YesNo(bool),
    /// Joined by commas, and an array in JSON.
    List(Vec<&'a str>),
    /// A text, and JSON that differs from it.
    Json {
        text: String,
        json: String,
    },
}

impl CellValue<'_> {
    /// JSON as received, in place of a value of the expected type.
    pub(super) fn odd(json: &str) -> CellValue<'static> {
        CellValue::Json { text: json.to_owned(), json: json.to_owned() }
    }

    /// The true value as text, for tsv and csv.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Missing | Self::Null => "".into(),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Url(text) | Self::Masked(text, _) => Cow::Borrowed(text),
            Self::Json { text, .. } => Cow::Borrowed(text),
            Self::Time(time) => time.to_string().into(),
            Self::Number(number) => number.to_string().into(),
            Self::Bool(value) | Self::YesNo(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::List(items) => items.join(",").into(),
        }
    }

    /// The value for people, credentials masked.
    pub(super) fn shown(&self) -> Safe {
        match self {
            Self::Url(url) => Destination::new(url).clean(false),
            Self::Masked(_, shown) => shown.clone(),
            Self::Time(time) => clock::utc(*time),
            Self::YesNo(value) => Safe::from(if *value { "yes" } else { "no" }),
            _ => clean(&self.text()),
        }
    }
}

impl Serialize for CellValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Missing | Self::Null => serializer.serialize_none(),
            Self::Text(_) | Self::Url(_) | Self::Masked(..) | Self::Time(_) => serializer.serialize_str(&self.text()),
            Self::Number(number) => number.serialize(serializer),
            Self::Bool(value) | Self::YesNo(value) => serializer.serialize_bool(*value),
            Self::List(items) => items.serialize(serializer),
            Self::Json { json, .. } => {
                serde_json::from_str::<&RawValue>(json).map_err(S::Error::custom)?.serialize(serializer)
            }
        }
    }
}

impl<'a> From<&'a str> for CellValue<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for CellValue<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Safe> for CellValue<'_> {
    fn from(text: Safe) -> Self {
        Self::Text(text.to_string().into())
    }
}

impl From<bool> for CellValue<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<'a> From<Vec<&'a str>> for CellValue<'a> {
    fn from(items: Vec<&'a str>) -> Self {
        Self::List(items)
    }
}

impl<T: Into<Self>> From<Option<T>> for CellValue<'_> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! from_number {
    ($($number:ty),*) => {
        $(impl From<$number> for CellValue<'_> {
            fn from(number: $number) -> Self {
                Self::Number(number.into())
            }
        })*
    };
}
from_number!(u16, u64, i64, usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_takes_its_form_of_a_value() {
        let masked = CellValue::Masked("s3cret", "***".into());
        let odd = CellValue::odd(r#"{"a":1}"#);
        for (value, text, shown, json) in [
            (CellValue::from("a\tb"), "a\tb", "a^Ib", r#""a\tb""#),
            (CellValue::Url("https://u:p@x.io/"), "https://u:p@x.io/", "https://***@x.io/", r#""https://u:p@x.io/""#),
            (masked, "s3cret", "***", r#""s3cret""#),
            (CellValue::from(7_u64), "7", "7", "7"),
            (CellValue::from(true), "true", "true", "true"),
            (CellValue::YesNo(false), "false", "no", "false"),
            (CellValue::from(vec!["a", "b"]), "a,b", "a,b", r#"["a","b"]"#),
            (odd, r#"{"a":1}"#, r#"{"a":1}"#, r#"{"a":1}"#),
            (
                CellValue::Time(Timestamp::UNIX_EPOCH),
                "1970-01-01T00:00:00Z",
                "1970-01-01 00:00:00 UTC",
                r#""1970-01-01T00:00:00Z""#,
            ),
            (CellValue::from(None::<&str>), "", "", "null"),
        ] {
            assert_eq!((&*value.text(), value.shown().as_str()), (text, shown));
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
        }
    }
}
