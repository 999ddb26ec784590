//! Files and directories that only their owner can access, and the lock for writing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rustix::fs::OFlags;

use crate::base::files;

/// Lists a directory; empty if it does not exist.
pub(super) fn entries(directory: &Path) -> io::Result<impl Iterator<Item = PathBuf> + use<>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => Some(entries),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok(entries.into_iter().flatten().filter_map(|entry| entry.ok().map(|entry| entry.path())))
}

pub(super) fn is_directory(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
}

pub(super) fn remove_files(directory: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<u64> {
    let mut removed = 0;
    for path in entries(directory)? {
        if path.file_name().and_then(|name| name.to_str()).is_some_and(&wanted) && !is_directory(&path) {
            fs::remove_file(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Creates a directory that only its owner can access, or checks that an existing one is the user's.
pub(super) fn private_directory(path: &Path) -> io::Result<PathBuf> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let target = files::target(path)?;
    let metadata = target.symlink_metadata()?;
    if !metadata.is_dir() {
        return Err(io::Error::other("not a directory"));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("the directory belongs to another user"));
    }
    if metadata.mode() & 0o077 != 0 {
        fs::set_permissions(&target, fs::Permissions::from_mode(0o700))?;
    }
    Ok(target)
}

/// Opens a file of the store without following a symlink or blocking on a FIFO, and makes it accessible to its owner only.
pub(super) fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = options.mode(0o600).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("not a regular file of this user"));
    }
    if metadata.mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// The lock for writing, held as long as the value lives. It is released explicitly, since a child process that is being
/// started has copies of all open files until it runs.
pub(super) struct Lock(pub(super) File);

impl Lock {
    /// Takes the lock without waiting; `None` if another process holds it.
    pub(super) fn take(path: &Path) -> io::Result<Option<Self>> {
        let file = open(OpenOptions::new().write(true).create(true), path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        drop(self.0.unlock());
    }
}

/// Converts to the time of a file. Times before 1970 are not expected.
pub(super) fn system_time(at: Timestamp) -> SystemTime {
    let seconds = u64::try_from(at.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(at.subsec_nanosecond()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds)
}

/// Sets the time of a file to when the listing was read.
pub(super) fn touch(path: &Path, read_at: Timestamp) -> io::Result<()> {
    open(OpenOptions::new().write(true), path)?.set_modified(system_time(read_at))
}
