//! A config file as a tree of tables whose values know their line. Messages name the file, line, key and allowed values, and
//! never quote the file: any line of it may hold the key.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata, OpenOptions};
use std::io::Read;
use std::ops::RangeInclusive;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use rustix::fs::OFlags;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigError, Permissions};
use crate::api::without_number;
use crate::redact::MASK;
use crate::safe;
use crate::text::{Safe, clean, clean_head};

/// The largest config file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// A regular file that was opened once and is judged by what was opened.
pub(super) struct Opened {
    pub(super) text: String,
    pub(super) mode: u32,
    pub(super) owner: u32,
}

impl Opened {
    /// Neither the group nor others may do anything with it.
    pub(super) fn is_private(&self) -> bool {
        self.mode & (rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO).bits() == 0
    }

    /// Refuses a file that another user owns, as that user could change where a key comes from or is sent. Like OpenSSH,
    /// this checks the file that was opened, after symlinks. Directories are not checked: a file put in place of this one
    /// would have another owner.
    pub(super) fn of_another_user(&self, path: &Path) -> Option<ConfigError> {
        let me = rustix::process::geteuid().as_raw();
        (self.owner != 0 && self.owner != me).then(|| {
            ConfigError::new(safe!("belongs to another user (uid {}), who could change it", self.owner)).advise(safe!(
                "Run as root: chown {} {}",
                me,
                quoted(path)
            ))
        })
    }

    /// Like [`Opened::of_another_user`], but refuses a file that its group or others can write to.
    fn written_by_others(&self, path: &Path) -> Option<ConfigError> {
        let written = (rustix::fs::Mode::WGRP | rustix::fs::Mode::WOTH).bits();
        (self.mode & written != 0).then(|| {
            ConfigError::new("its group or others can write to it").advise(safe!("Run: chmod go-w {}", quoted(path)))
        })
    }
}

/// A path as a shell reads it.
pub(super) fn quoted(path: &Path) -> Safe {
    shlex::try_quote(&path.to_string_lossy()).map_or_else(|_| clean_path(path), |quoted| clean(&quoted))
}

/// Like [`read_bounded`], for a text file.
pub(super) fn open_bounded(path: &Path, limit: u64) -> Result<Opened, ConfigError> {
    let (bytes, metadata) = read_bounded(path, limit)?;
    let text = String::from_utf8(bytes).map_err(|_may_hold_a_key| ConfigError::new("not valid UTF-8"))?;
    Ok(Opened { text, mode: metadata.mode() & 0o7777, owner: metadata.uid() })
}

/// Opens a file without waiting for a writer (a FIFO would hang us), and reads at most `limit` bytes.
pub(super) fn read_bounded(path: &Path, limit: u64) -> Result<(Vec<u8>, Metadata), ConfigError> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let failed = |error: std::io::Error| {
        let advice = match error.kind() {
            std::io::ErrorKind::NotFound => Some("Correct the path, or create the file."),
            std::io::ErrorKind::PermissionDenied => Some("Make the file readable by you, or correct the path."),
            _ => None,
        };
        let words = ConfigError::new(clean(&without_number(&error.to_string())));
        ConfigError { advice: advice.map(Safe::from), ..words }
    };
    let file: File = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(ConfigError::new("not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(ConfigError::new(safe!("larger than {} KiB", limit >> 10)));
    }
    Ok((bytes, metadata))
}

/// The text of one config file.
pub(super) struct Document {
    pub(super) path: PathBuf,
    opened: Opened,
    /// The place of each key that was read, by its full name.
    found: RefCell<BTreeMap<String, Safe>>,
}

impl Document {
    pub(super) fn open(path: &Path) -> Result<Self, ConfigError> {
        let opened = open_bounded(path, MAX_BYTES).map_err(|error| error.at(&clean_path(path)))?;
        Ok(Self { path: path.to_owned(), opened, found: RefCell::default() })
    }

    pub(super) fn parse(&self) -> Result<Spanned<DeTable<'_>>, ConfigError> {
        DeTable::parse(&self.opened.text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let column = self
                .opened
                .text
                .get(..offset)
                .map_or(1, |before| before.chars().rev().take_while(|&c| c != '\n').count() + 1);
            let place = safe!("{}:{}", self.place(offset), column);
            // The parser's own words name what it expected, not what it found.
            ConfigError::new(safe!("not valid TOML: {}", clean_head(error.message(), 120))).at(&place)
        })
    }

    /// `path:line` of a byte of the file.
    fn place(&self, offset: usize) -> Safe {
        let line = self.opened.text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1;
        safe!("{}:{}", clean_path(&self.path), line)
    }

    /// Returns the file's permissions. Only its owner may write to it, or read it if it holds a key.
    pub(super) fn permissions(&self, holds_key: bool) -> Permissions {
        Permissions {
            mode: self.opened.mode,
            owner: self.opened.owner,
            holds_key,
            refusal: self.refusal(holds_key).map(|refusal| refusal.at(&clean_path(&self.path))),
        }
    }

    fn refusal(&self, holds_key: bool) -> Option<ConfigError> {
        if let Some(refusal) = self.opened.of_another_user(&self.path) {
            return Some(refusal);
        }
        if holds_key && !self.opened.is_private() {
            return Some(
                ConfigError::new("holds an API key, but others can read it")
                    .advise(safe!("Run: chmod 600 {}", quoted(&self.path))),
            );
        }
        self.opened.written_by_others(&self.path)
    }

    /// The `path:line` of every key that was read.
    pub(super) fn sources(&self) -> BTreeMap<String, Safe> {
        self.found.borrow().clone()
    }
}

pub(super) fn clean_path(path: &Path) -> Safe {
    clean(&path.to_string_lossy())
}

/// A name from the file as messages may show it. An API key that was pasted in place of a name must stay hidden, and the
/// names that mean something here are lower-case words.
pub(super) fn shown_key(name: &str) -> &str {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-');
    if name.bytes().all(is_word) { name } else { MASK }
}

/// A profile's name is the user's choice; but what has a colon looks like an API key.
pub(super) fn shown_profile(name: &str) -> &str {
    if name.contains(':') { MASK } else { name }
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

/// A value and its place in the file.
#[derive(Debug, Clone)]
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) place: Safe,
}

/// One table of the file. Every key that is asked for is known; [`Section::finish`] refuses the others.
pub(super) struct Section<'a> {
    document: &'a Document,
    /// `network`, `profiles.staging`, or nothing for the top level, as messages may show it.
    name: String,
    table: Option<&'a DeTable<'a>>,
    known: BTreeSet<String>,
    /// Its place in the file, if it is one of several.
    place: Option<Safe>,
}

impl<'a> Section<'a> {
    pub(super) fn root(document: &'a Document, table: &'a Spanned<DeTable<'a>>) -> Self {
        Self { document, name: String::new(), table: Some(table.get_ref()), known: BTreeSet::new(), place: None }
    }

    /// The directory that relative paths of this file are below.
    pub(super) fn directory(&self) -> &Path {
        self.document.path.parent().unwrap_or(Path::new(""))
    }

    /// A table below this one; one that is not there has no keys.
    pub(super) fn section(&mut self, key: &str) -> Result<Self, ConfigError> {
        let name = self.full_name(key);
        let table = match self.get(key) {
            None => None,
            Some((DeValue::Table(table), _)) => Some(table),
            Some((other, place)) => return Err(self.wrong_type(key, "a table", other, &place)),
        };
        Ok(Self { document: self.document, name, table, known: BTreeSet::new(), place: None })
    }

    /// The tables of an array of tables.
    pub(super) fn sections(&mut self, key: &str) -> Result<Vec<Self>, ConfigError> {
        let Some((value, place)) = self.get(key) else { return Ok(Vec::new()) };
        let wanted = "an array of tables";
        let DeValue::Array(array) = value else { return Err(self.wrong_type(key, wanted, value, &place)) };
        let name = self.full_name(key);
        let mut sections = Vec::new();
        for element in array {
            match element.get_ref() {
                DeValue::Table(table) => sections.push(Section {
                    document: self.document,
                    name: name.clone(),
                    table: Some(table),
                    known: BTreeSet::new(),
                    place: Some(self.document.place(element.span().start)),
                }),
                other => return Err(self.wrong_type(key, wanted, other, &place)),
            }
        }
        Ok(sections)
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, key: &'static str) -> Result<Found<String>, ConfigError> {
        self.string(key)?.ok_or_else(|| self.missing(key))
    }

    /// An error about a key that is not there.
    pub(super) fn missing(&self, key: &'static str) -> ConfigError {
        let error = ConfigError::new(safe!("{}: {} is missing", clean_head(&self.name, 60), key));
        match &self.place {
            Some(place) => error.at(place),
            None => error.at(&clean_path(&self.document.path)),
        }
    }

    /// A day, as a date of TOML or as a text.
    pub(super) fn date(&mut self, key: &str) -> Result<Option<Date>, ConfigError> {
        let Some((value, place)) = self.get(key) else { return Ok(None) };
        let text = match value {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(date) => date.to_string(),
            other => return Err(self.wrong_type(key, "a date such as 2026-12-31", other, &place)),
        };
        match Date::strptime("%Y-%m-%d", &text) {
            Ok(date) => Ok(Some(date)),
            Err(_) => Err(self.wrong(key, &"must be a date such as 2026-12-31".into(), &place)),
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.table.into_iter().flat_map(DeTable::keys).map(|key| key.get_ref().to_string()).collect()
    }

    pub(super) fn string(&mut self, key: &str) -> Result<Option<Found<String>>, ConfigError> {
        match self.get(key) {
            None => Ok(None),
            Some((DeValue::String(text), place)) => Ok(Some(Found { value: text.to_string(), place })),
            Some((other, place)) => Err(self.wrong_type(key, "a string", other, &place)),
        }
    }

    pub(super) fn strings(&mut self, key: &str) -> Result<Option<Found<Vec<String>>>, ConfigError> {
        let Some((value, place)) = self.get(key) else { return Ok(None) };
        let wanted = "an array of strings";
        let DeValue::Array(array) = value else { return Err(self.wrong_type(key, wanted, value, &place)) };
        let mut strings = Vec::new();
        for element in array {
            match element.get_ref() {
                DeValue::String(text) => strings.push(text.to_string()),
                other => return Err(self.wrong_type(key, wanted, other, &place)),
            }
        }
        Ok(Some(Found { value: strings, place }))
    }

    pub(super) fn boolean(&mut self, key: &str) -> Result<Option<bool>, ConfigError> {
        match self.get(key) {
            None => Ok(None),
            Some((DeValue::Boolean(value), _)) => Ok(Some(*value)),
            Some((other, place)) => Err(self.wrong_type(key, "true or false", other, &place)),
        }
    }

    pub(super) fn integer(&mut self, key: &str, allowed: RangeInclusive<u64>) -> Result<Option<u64>, ConfigError> {
        let Some((value, place)) = self.get(key) else { return Ok(None) };
        let wanted = safe!("a whole number from {} to {}", *allowed.start(), *allowed.end());
        let DeValue::Integer(digits) = value else {
            return Err(self.wrong(key, &safe!("must be {}, not {}", wanted, type_of(value)), &place));
        };
        let number = u64::from_str_radix(&digits.as_str().replace('_', ""), digits.radix()).ok();
        match number.filter(|number| allowed.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(self.wrong(key, &safe!("must be {}", wanted), &place)),
        }
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&'static str, T)]) -> Result<Option<T>, ConfigError> {
        Ok(self.found_choice(key, choices)?.map(|found| found.value))
    }

    /// Like [`Section::choice`], but with its place.
    pub(super) fn found_choice<T: Copy>(
        &mut self,
        key: &str,
        choices: &[(&'static str, T)],
    ) -> Result<Option<Found<T>>, ConfigError> {
        let Some(found) = self.string(key)? else { return Ok(None) };
        match choices.iter().find(|(word, _)| *word == found.value) {
            Some(&(_, value)) => Ok(Some(Found { value, place: found.place })),
            None => {
                let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
                Err(self.wrong(key, &safe!("must be one of {}", clean(&words.join(", "))), &found.place))
            }
        }
    }

    /// Returns true if this section has the key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// An error about a key of this section.
    pub(super) fn wrong(&self, key: &str, message: &Safe, place: &Safe) -> ConfigError {
        ConfigError::new(safe!("{}: {}", clean_head(&self.full_name(key), 60), message)).at(place)
    }

    /// Refuses unknown keys: those that were not read.
    pub(super) fn finish(&self) -> Result<(), ConfigError> {
        for key in self.table.into_iter().flat_map(DeTable::keys) {
            let name = key.get_ref();
            if !self.known.contains(name.as_ref()) {
                let place = self.document.place(key.span().start);
                let known: Vec<_> = self.known.iter().map(String::as_str).collect();
                return Err(self
                    .wrong(name, &"unknown key".into(), &place)
                    .advise(safe!("Known keys here: {}", clean(&known.join(", ")))));
            }
        }
        Ok(())
    }

    fn wrong_type(&self, key: &str, wanted: &'static str, found: &DeValue<'_>, place: &Safe) -> ConfigError {
        self.wrong(key, &safe!("must be {}, not {}", wanted, type_of(found)), place)
    }

    fn full_name(&self, key: &str) -> String {
        let key = match self.name.as_str() {
            "profiles" | "events" | "hosts" => shown_profile(key),
            _ => shown_key(key),
        };
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn get(&mut self, key: &str) -> Option<(&'a DeValue<'a>, Safe)> {
        self.known.insert(key.to_owned());
        let value = self.table?.get(key)?;
        let place = self.document.place(value.span().start);
        self.document.found.borrow_mut().insert(self.full_name(key), place.clone());
        Some((value.get_ref(), place))
    }
}
