//! Atomic file writes: a temporary file beside the target is written, synced to disk, and moved into place.
//!
//! A writer holds a lock on its temporary file. One that exits early removes it ([`remove_unfinished`]); one that is killed
//! leaves it unlocked, and the next writer removes it. Uses no other module; start at [`write()`].

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use directories::{BaseDirs, ProjectDirs};
use rustix::fs::OFlags;
use tempfile::NamedTempFile;

/// Symlinks that lead to one file; the kernel follows no more either.
const MAX_LINKS: usize = 40;

/// Resolves a path to the file to write: the path itself, or the target of its symlinks, even if that does not exist.
/// Refuses symlinks owned by other users.
pub fn target(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        let owner = match target.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() => metadata.uid(),
            // Not a symlink, or missing.
            _ => return Ok(target),
        };
        if owner != 0 && owner != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other("a symlink owned by another user"));
        }
        let next = fs::read_link(&target)?;
        target = target.parent().unwrap_or(Path::new("")).join(next);
    }
    Err(io::Error::other("too many levels of symlinks"))
}

/// The directory for the program's own state. `None` if the home directory is relative, which would put it below the working
/// directory, and that may belong to another user.
pub fn state_dir() -> Option<PathBuf> {
    let dirs = ProjectDirs::from("", "", "hookscope")?;
    let directory = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
    directory.is_absolute().then(|| directory.to_owned())
}

/// The directory for data that the program can do without. Like [`state_dir`], never below the working directory by
/// accident, and `None` below a home directory that does not exist, as in containers and jobs.
pub fn cache_dir() -> Option<PathBuf> {
    let dirs = ProjectDirs::from("", "", "hookscope")?;
    let directory = dirs.cache_dir();
    let is_homeless = BaseDirs::new().is_none_or(|base| !base.home_dir().is_dir() && directory.starts_with(base.home_dir()));
    (directory.is_absolute() && !is_homeless).then(|| directory.to_owned())
}

/// The prefix and suffix of the names of unfinished files, and the number of letters and digits between them.
const UNFINISHED: (&str, &str) = (".hookscope-", ".tmp");
const RANDOM: usize = 6;
const DAY: Duration = Duration::from_hours(24);

/// The files that this process is writing.
static WRITING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Returns true for the name of an unfinished file.
pub fn is_unfinished(name: &str) -> bool {
    let (prefix, suffix) = UNFINISHED;
    let random = name.strip_prefix(prefix).and_then(|name| name.strip_suffix(suffix)).unwrap_or_default();
    random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Returns true for a name that earlier versions gave to unfinished files. Use only in a directory of this program.
pub fn is_unfinished_of_old(name: &str) -> bool {
    is_unfinished(&format!("{name}{}", UNFINISHED.1))
}

/// Removes unfinished files of earlier versions from a directory of this program once they are a day old: those versions
/// locked nothing.
pub fn remove_unfinished_of_old(directory: &Path, now: SystemTime) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_unfinished_of_old) {
            let path = entry.path();
            let Ok(Some(file)) = left_behind(&path) else { continue };
            let modified = file.metadata().and_then(|metadata| metadata.modified());
            if modified.is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age > DAY)) {
                drop(fs::remove_file(path));
            }
        }
    }
}

/// Removes the unfinished files of this process, which is about to exit, and blocks new ones.
pub fn remove_unfinished() {
    // A write that is just starting, on a disk that hangs, must not block the exit too.
    let Ok(writing) = WRITING.try_lock() else { return };
    for path in writing.iter() {
        drop(fs::remove_file(path));
    }
    std::mem::forget(writing);
}

/// Registers a file that this process is writing, for as long as the value lives.
struct Registered(PathBuf);

impl Drop for Registered {
    fn drop(&mut self) {
        writing().remove(&self.0);
    }
}

/// Creates a file that is removed unless it is moved into place.
fn begin(builder: &tempfile::Builder<'_, '_>, directory: &Path) -> io::Result<(NamedTempFile, Registered)> {
    loop {
        let mut writing = writing();
        let file = builder.tempfile_in(directory).map_err(|error| without_path(&error))?;
        let registered = Registered(file.path().to_owned());
        writing.insert(registered.0.clone());
        drop(writing);
        if is_held(file.as_file())? {
            return Ok((file, registered));
        }
    }
}

/// Removes from an error the random name of a file that never existed.
fn without_path(error: &io::Error) -> io::Error {
    let words = error.to_string();
    io::Error::new(error.kind(), words.split(" at path ").next().unwrap_or_default())
}

/// Locks a file, so that no other process removes it as a leftover. Returns false if one was faster.
fn is_held(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(false),
        Ok(()) => Ok(file.metadata()?.nlink() > 0),
        // If files cannot be locked, none is treated as a leftover.
        Err(TryLockError::Error(_)) => Ok(true),
    }
}

fn writing() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the files that this user's writers left in a directory. An unlocked file has no writer.
fn remove_left_behind(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_unfinished) {
            let path = entry.path();
            if let Ok(Some(_lock)) = left_behind(&path) {
                drop(fs::remove_file(path));
            }
        }
    }
}

/// Locks a file that a writer left behind. `None` if it is still being written, or is not a regular file of this user.
fn left_behind(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    let is_ours = metadata.is_file() && metadata.nlink() == 1 && metadata.uid() == rustix::process::geteuid().as_raw();
    Ok((is_ours && file.try_lock().is_ok()).then_some(file))
}

/// The treatment of a file that already exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Keeps it, even if it appears during the write.
    Stays,
    /// Replaces it with a file that only its owner can access.
    Replaced,
    /// Replaces it with a file that has its permissions.
    ReplacedAlike,
    /// As [`Existing::ReplacedAlike`], but a new file gets the permissions that the umask allows. For files that other users
    /// collect. Creates no directories.
    ReplacedShared,
}

/// Writes to the target of a path given by the user. A device or a pipe is written to directly, anything else as by `write`.
pub fn write_to<T>(
    file: &Path,
    existing: Existing,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> io::Result<Option<T>> {
    let target = target(file)?;
    // If stdout is a pipe, the target of /dev/stdout has no path of its own: it can only be opened through the link.
    let target = if target.exists() || !file.exists() { target } else { file.to_owned() };
    if fs::metadata(&target).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        let mut writer = BufWriter::new(OpenOptions::new().write(true).open(&target)?);
        let value = write(&mut writer)?;
        writer.flush()?;
        return Ok(Some(value));
    }
    self::write(&target, existing, write)
}

/// Writes a file. Returns `None` if it exists and is kept. A new file, and every directory created for it, is private to its
/// owner from the start, except with [`Existing::ReplacedShared`].
pub fn write<T>(
    target: &Path,
    existing: Existing,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> io::Result<Option<T>> {
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let there = fs::metadata(target).ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        return Err(io::Error::other("not a regular file"));
    }
    if existing != Existing::ReplacedShared {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED.0).suffix(UNFINISHED.1).rand_bytes(RANDOM);
    // Otherwise it is created with mode 0600.
    match (existing, &there) {
        (Existing::ReplacedAlike, Some(there)) => {
            builder.permissions(there.permissions());
        }
        // Reduced by the umask.
        (Existing::ReplacedShared, None) => {
            builder.permissions(Permissions::from_mode(0o666));
        }
        _ => {}
    }
    remove_left_behind(directory);
    let (file, _registered) = begin(&builder, directory)?;
    let mut writer = BufWriter::new(file);
    let value = write(&mut writer)?;
    let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    if let (Existing::ReplacedShared, Some(there)) = (existing, there) {
        // Unlike the mode at creation, this is not reduced by the umask.
        file.as_file().set_permissions(there.permissions())?;
    }
    file.as_file().sync_all()?;
    if existing == Existing::Stays {
        if let Err(error) = file.persist_noclobber(target) {
            return if error.error.kind() == io::ErrorKind::AlreadyExists { Ok(None) } else { Err(error.error) };
        }
    } else {
        file.persist(target)?;
    }
    // The name is on the disk only when its directory is.
    File::open(directory)?.sync_all()?;
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{lchown, symlink};

    use super::*;

    fn put(target: &Path, text: &str, existing: Existing) -> io::Result<Option<()>> {
        write(target, existing, |out| out.write_all(text.as_bytes()))
    }

    #[test]
    fn a_file_is_its_owners_alone_and_so_are_its_directories() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b/config.toml");
        assert!(put(&path, "x", Existing::Stays).unwrap().is_some());
        let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!((mode(&home.path().join("a")), mode(&home.path().join("a/b"))), (0o700, 0o700));
        // No temporary file is left behind.
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn an_error_names_no_file_that_only_this_program_knows() {
        let home = tempfile::tempdir().unwrap();
        let error = put(&home.path().join("none/x"), "x", Existing::ReplacedShared).unwrap_err();
        assert_eq!((error.kind(), error.to_string().contains("hookscope-")), (io::ErrorKind::NotFound, false), "{error}");
    }

    #[test]
    fn what_is_there_is_replaced_only_when_that_is_wished() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.toml");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(put(&path, "new", Existing::Stays).unwrap().is_none());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert!(put(&path, "new", Existing::Replaced).unwrap().is_some());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(put(&path, "newer", Existing::ReplacedAlike).unwrap().is_some());
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o640);
        let failed = write(&path, Existing::Replaced, |out| {
            out.write_all(b"half")?;
            Err::<(), _>(io::Error::other("cut off"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "newer");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_others_collect_is_as_readable_as_what_was_there() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("hookscope.prom");
        let mode = || path.metadata().unwrap().mode() & 0o777;
        assert!(put(&path, "x", Existing::ReplacedShared).unwrap().is_some());
        let beside = home.path().join("beside");
        fs::write(&beside, "").unwrap();
        // The permissions of any new file under this umask.
        assert_eq!(mode(), beside.metadata().unwrap().mode() & 0o777);
        for there in [0o644, 0o666, 0o600] {
            fs::set_permissions(&path, Permissions::from_mode(there)).unwrap();
            assert!(put(&path, "y", Existing::ReplacedShared).unwrap().is_some());
            assert_eq!(mode(), there);
        }
        assert!(put(&home.path().join("not-there/x"), "x", Existing::ReplacedShared).is_err());
    }

    #[test]
    fn a_symlink_stays_one() {
        let home = tempfile::tempdir().unwrap();
        let link = home.path().join("config.toml");
        symlink("dotfiles/hookscope.toml", &link).unwrap();
        // The link is dangling at first.
        for text in ["first", "second"] {
            assert!(put(&target(&link).unwrap(), text, Existing::Replaced).unwrap().is_some());
            assert!(link.symlink_metadata().unwrap().is_symlink());
            assert_eq!(fs::read_to_string(home.path().join("dotfiles/hookscope.toml")).unwrap(), text);
        }
        symlink("loop", home.path().join("loop")).unwrap();
        assert!(target(&home.path().join("loop")).is_err());
    }

    #[test]
    fn a_symlink_of_another_user_is_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let link = home.path().join("config.toml");
        symlink("planted", &link).unwrap();
        // Only root can give a link away.
        if lchown(&link, Some(65_534), None).is_ok() {
            assert!(target(&link).unwrap_err().to_string().contains("another user"));
        }
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let home = tempfile::tempdir().unwrap();
        let error = put(home.path(), "x", Existing::Replaced).unwrap_err();
        assert!(error.to_string().contains("not a regular file"), "{error}");
        assert!(put(Path::new("/dev/null"), "x", Existing::ReplacedAlike).is_err());
        assert!(put(Path::new("/dev/null/config.toml"), "x", Existing::Stays).is_err());
    }

    #[test]
    fn what_a_writer_left_behind_is_removed_by_the_next_and_nothing_else_is() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        fs::write(path(".hookscope-abc123.tmp"), "half").unwrap();
        let others = [
            ".hookscope-.tmp",
            ".hookscope-backup",
            ".hookscope-abc12.tmp",
            ".hookscope-abc.12.tmp",
            "hookscope-abc123.tmp",
        ];
        for name in others {
            fs::write(path(name), "not ours").unwrap();
        }
        fs::write(path("linked"), "has another name").unwrap();
        fs::hard_link(path("linked"), path(".hookscope-abc124.tmp")).unwrap();
        symlink("linked", path(".hookscope-abc125.tmp")).unwrap();
        fs::create_dir(path(".hookscope-abc126.tmp")).unwrap();
        // A write that is in progress while another one starts.
        put(&path("outer"), "", Existing::Replaced).unwrap();
        let written = write(&path("outer"), Existing::Replaced, |out| {
            out.write_all(b"whole")?;
            put(&path("inner"), "x", Existing::Replaced).map(drop)
        });
        assert!(written.unwrap().is_some());
        assert_eq!(fs::read_to_string(path("outer")).unwrap(), "whole");
        assert!(!path(".hookscope-abc123.tmp").exists());
        for name in
            others.into_iter().chain([".hookscope-abc124.tmp", ".hookscope-abc125.tmp", ".hookscope-abc126.tmp", "inner"])
        {
            assert!(path(name).symlink_metadata().is_ok(), "{name}");
        }
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), others.len() + 6);
    }

    #[test]
    fn a_file_that_was_taken_for_one_that_was_left_behind_is_not_written() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".hookscope-abc123.tmp");
        let begun = File::create(&path).unwrap();
        assert!(is_held(&begun).unwrap());
        assert!(left_behind(&path).unwrap().is_none(), "its writer lives");
        drop(begun);
        let begun = File::create(&path).unwrap();
        let taken = left_behind(&path).unwrap().unwrap();
        assert!(!is_held(&begun).unwrap());
        fs::remove_file(&path).unwrap();
        drop(taken);
        assert!(!is_held(&begun).unwrap());
    }
}
