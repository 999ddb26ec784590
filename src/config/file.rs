//! Bounded reading of files, and the permissions that a file with secrets must have. What counts is the file that was
//! opened, after symlinks.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::error::ConfigError;
use super::shown::quoted;
use crate::api::without_number;
use crate::base::text::clean;
use crate::safe;

/// The permission bits and the owner of an opened file.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileAccess {
    pub(super) mode: u32,
    pub(super) owner: u32,
}

impl FileAccess {
    /// Returns true if neither the group nor others may do anything with the file.
    pub(super) fn is_private(self) -> bool {
        self.mode & (Mode::RWXG | Mode::RWXO).bits() == 0
    }

    /// Refuses a file that another user owns, as that user could change where a key comes from or is sent. Directories are
    /// not checked: a file put in place of this one would have another owner.
    pub(super) fn check_owner(self, path: &Path) -> Result<(), ConfigError> {
        let me = rustix::process::geteuid().as_raw();
        if self.owner == 0 || self.owner == me {
            return Ok(());
        }
        Err(ConfigError::new(safe!("belongs to another user (uid {}), who could change it", self.owner)).advise(safe!(
            "Run as root: chown {} {}",
            me,
            quoted(path)
        )))
    }

    /// Refuses a file with a key that others can read.
    pub(super) fn check_readers(self, path: &Path) -> Result<(), ConfigError> {
        if self.is_private() {
            return Ok(());
        }
        Err(ConfigError::new("holds an API key, but others can read it").advise(safe!("Run: chmod 600 {}", quoted(path))))
    }

    pub(super) fn check_writers(self, path: &Path) -> Result<(), ConfigError> {
        if self.mode & (Mode::WGRP | Mode::WOTH).bits() == 0 {
            return Ok(());
        }
        Err(ConfigError::new("its group or others can write to it").advise(safe!("Run: chmod go-w {}", quoted(path))))
    }
}

/// Like [`read_bytes`], for a text file.
pub(super) fn read_text(path: &Path, limit: u64) -> Result<(String, FileAccess), ConfigError> {
    let (bytes, access) = read_bytes(path, limit)?;
    let text = String::from_utf8(bytes).map_err(|_may_hold_a_key| ConfigError::new("not valid UTF-8"))?;
    Ok((text, access))
}

/// Opens a file without waiting for a writer (a FIFO would hang us), and reads at most `limit` bytes.
pub(super) fn read_bytes(path: &Path, limit: u64) -> Result<(Vec<u8>, FileAccess), ConfigError> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| unreadable(&error))?;
    let metadata = file.metadata().map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        return Err(ConfigError::new("not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > limit {
        return Err(ConfigError::new(safe!("larger than {} KiB", limit >> 10)));
    }
    Ok((bytes, FileAccess { mode: metadata.mode() & 0o7777, owner: metadata.uid() }))
}

fn unreadable(error: &io::Error) -> ConfigError {
    let words = ConfigError::new(clean(&without_number(&error.to_string())));
    match error.kind() {
        io::ErrorKind::NotFound => words.advise("Correct the path, or create the file."),
        io::ErrorKind::PermissionDenied => words.advise("Make the file readable by you, or correct the path."),
        _ => words,
    }
}

/// Replaces a leading `~/` with the home directory.
pub(super) fn expand_home(path: &str) -> PathBuf {
    let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}
