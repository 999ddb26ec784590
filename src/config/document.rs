//! A config file as a tree of tables whose values know their line. Messages name the file, line, key and allowed values, and
//! never quote the file: any line of it may hold the key. This is why serde does not read it: its messages quote values.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::file::{FileAccess, read_text};
use super::shown::{clean_path, shown_key, shown_profile};
use crate::base::text::{Safe, clean, clean_head};
use crate::safe;

/// The largest config file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The text of one config file.
pub(super) struct ConfigDocument {
    pub(super) path: PathBuf,
    pub(super) access: FileAccess,
    text: String,
    /// The place of each key that was read, by its full name.
    places: RefCell<BTreeMap<String, Safe>>,
}

impl ConfigDocument {
    pub(super) fn open(path: &Path) -> Result<Self, ConfigError> {
        let (text, access) = read_text(path, MAX_BYTES).map_err(|error| error.at(&clean_path(path)))?;
        Ok(Self { path: path.to_owned(), access, text, places: RefCell::default() })
    }

    pub(super) fn parse(&self) -> Result<Spanned<DeTable<'_>>, ConfigError> {
        DeTable::parse(&self.text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let before = self.text.get(..offset).unwrap_or_default();
            let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
            // The parser's own words name what it expected, not what it found.
            ConfigError::new(safe!("not valid TOML: {}", clean_head(error.message(), 120))).at(&safe!(
                "{}:{}",
                self.place(offset),
                column
            ))
        })
    }

    /// `path:line` of a byte of the file.
    fn place(&self, offset: usize) -> Safe {
        let line = self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1;
        safe!("{}:{}", clean_path(&self.path), line)
    }

    /// The `path:line` of every key that was read.
    pub(super) fn places(self) -> BTreeMap<String, Safe> {
        self.places.into_inner()
    }
}

/// A value and its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) place: Safe,
}

/// One table of the file. [`Section::finish`] refuses keys that were not read.
pub(super) struct Section<'a> {
    document: &'a ConfigDocument,
    /// `network`, `profiles.staging`, or nothing for the top level, as messages may show it.
    name: String,
    table: Option<&'a DeTable<'a>>,
    known: BTreeSet<String>,
    /// The table's own place, or that of the file.
    place: Safe,
}

impl<'a> Section<'a> {
    pub(super) fn root(document: &'a ConfigDocument, table: &'a Spanned<DeTable<'a>>) -> Self {
        let place = clean_path(&document.path);
        Self { document, name: String::new(), table: Some(table.get_ref()), known: BTreeSet::new(), place }
    }

    /// Resolves a relative path of the file, which starts at the file's directory.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.document.path.parent().unwrap_or(Path::new("")).join(path)
    }

    /// A table below this one. A missing table has no keys.
    pub(super) fn section(&mut self, key: &str) -> Result<Self, ConfigError> {
        let found = self.get(key, &"a table".into(), |value| value.as_table().ok_or(value))?;
        Ok(self.below(key, found.map(|found| found.value), self.place.clone()))
    }

    /// The tables of an array of tables.
    pub(super) fn sections(&mut self, key: &str) -> Result<Vec<Self>, ConfigError> {
        let found = self.get(key, &"an array of tables".into(), |value| {
            let elements = value.as_array().ok_or(value)?.iter();
            let tables =
                elements.map(|element| Ok((element.get_ref().as_table().ok_or(element.get_ref())?, element.span())));
            tables.collect::<Result<Vec<_>, _>>()
        })?;
        let tables = found.map(|found| found.value).unwrap_or_default().into_iter();
        Ok(tables.map(|(table, span)| self.below(key, Some(table), self.document.place(span.start))).collect())
    }

    fn below(&self, key: &str, table: Option<&'a DeTable<'a>>, place: Safe) -> Self {
        Self { document: self.document, name: self.full_name(key), table, known: BTreeSet::new(), place }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.table.into_iter().flat_map(DeTable::keys).map(|key| key.get_ref().to_string()).collect()
    }

    /// Returns true if this section has the key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    pub(super) fn string(&mut self, key: &str) -> Result<Option<Located<String>>, ConfigError> {
        self.get(key, &"a string".into(), |value| value.as_str().map(str::to_owned).ok_or(value))
    }

    /// A required string.
    pub(super) fn required(&mut self, key: &'static str) -> Result<Located<String>, ConfigError> {
        self.string(key)?.ok_or_else(|| self.missing(key))
    }

    pub(super) fn strings(&mut self, key: &str) -> Result<Option<Located<Vec<String>>>, ConfigError> {
        self.get(key, &"an array of strings".into(), |value| {
            let elements = value.as_array().ok_or(value)?.iter().map(Spanned::get_ref);
            elements.map(|element| element.as_str().map(str::to_owned).ok_or(element)).collect()
        })
    }

    pub(super) fn boolean(&mut self, key: &str) -> Result<Option<bool>, ConfigError> {
        let found = self.get(key, &"true or false".into(), |value| value.as_bool().ok_or(value))?;
        Ok(found.map(|found| found.value))
    }

    pub(super) fn integer(&mut self, key: &str, allowed: &RangeInclusive<u64>) -> Result<Option<u64>, ConfigError> {
        let wanted = safe!("a whole number from {} to {}", *allowed.start(), *allowed.end());
        let found = self.get(key, &wanted, |value| value.as_integer().ok_or(value))?;
        let Some(Located { value: digits, place }) = found else { return Ok(None) };
        let number = u64::from_str_radix(&digits.as_str().replace('_', ""), digits.radix()).ok();
        match number.filter(|number| allowed.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(self.wrong(key, &safe!("must be {}", wanted), &place)),
        }
    }

    /// A day, as a date of TOML or as a string.
    pub(super) fn date(&mut self, key: &str) -> Result<Option<Date>, ConfigError> {
        let wanted = "a date such as 2026-12-31".into();
        let found = self.get(key, &wanted, |value| match value {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Datetime(date) => Ok(date.to_string()),
            other => Err(other),
        })?;
        let Some(Located { value: text, place }) = found else { return Ok(None) };
        match Date::strptime("%Y-%m-%d", &text) {
            Ok(date) => Ok(Some(date)),
            Err(_) => Err(self.wrong(key, &safe!("must be {}", wanted), &place)),
        }
    }

    /// One of several words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &str,
        choices: &[(&'static str, T)],
    ) -> Result<Option<Located<T>>, ConfigError> {
        let Some(Located { value: word, place }) = self.string(key)? else { return Ok(None) };
        match choices.iter().find(|(choice, _)| *choice == word) {
            Some(&(_, value)) => Ok(Some(Located { value, place })),
            None => {
                let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
                Err(self.wrong(key, &safe!("must be one of {}", clean(&words.join(", "))), &place))
            }
        }
    }

    /// An error about a key of this section.
    pub(super) fn wrong(&self, key: &str, message: &Safe, place: &Safe) -> ConfigError {
        ConfigError::new(safe!("{}: {}", clean_head(&self.full_name(key), 60), message)).at(place)
    }

    /// An error about a key that is not there.
    pub(super) fn missing(&self, key: &'static str) -> ConfigError {
        ConfigError::new(safe!("{}: {} is missing", clean_head(&self.name, 60), key)).at(&self.place)
    }

    /// Refuses unknown keys: those that were not read.
    pub(super) fn finish(&self) -> Result<(), ConfigError> {
        let mut keys = self.table.into_iter().flat_map(DeTable::keys);
        let Some(unknown) = keys.find(|key| !self.known.contains(key.get_ref().as_ref())) else { return Ok(()) };
        let place = self.document.place(unknown.span().start);
        let known: Vec<_> = self.known.iter().map(String::as_str).collect();
        Err(self
            .wrong(unknown.get_ref(), &"unknown key".into(), &place)
            .advise(safe!("Known keys here: {}", clean(&known.join(", ")))))
    }

    fn full_name(&self, key: &str) -> String {
        let key = match self.name.as_str() {
            "profiles" | "events" | "hosts" => shown_profile(key),
            _ => shown_key(key),
        };
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// Looks up a key. `convert` returns the value, or the part of it that has another type than what is wanted.
    fn get<T>(
        &mut self,
        key: &str,
        wanted: &Safe,
        convert: impl FnOnce(&'a DeValue<'a>) -> Result<T, &'a DeValue<'a>>,
    ) -> Result<Option<Located<T>>, ConfigError> {
        self.known.insert(key.to_owned());
        let Some(value) = self.table.and_then(|table| table.get(key)) else { return Ok(None) };
        let place = self.document.place(value.span().start);
        self.document.places.borrow_mut().insert(self.full_name(key), place.clone());
        match convert(value.get_ref()) {
            Ok(value) => Ok(Some(Located { value, place })),
            Err(other) => Err(self.wrong(key, &safe!("must be {}, not {}", wanted, type_of(other)), &place)),
        }
    }
}

/// The type of a value, with its article.
fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
