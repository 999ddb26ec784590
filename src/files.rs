//! Files that are there whole or not at all: written beside their place, put on the disk, and moved there.
//!
//! A writer holds a lock on the file beside the place. One that ends early removes it ([`remove_unfinished`]); what one that was
//! killed left behind is found without a lock, and removed by the next writer.

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

/// The file to write for a path: the path itself, or what its symlinks lead to, whether that is there or not. A link that
/// somebody else made decides nothing here.
pub fn target(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        let owner = match target.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() => metadata.uid(),
            // No link, or nothing at all.
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

/// Where the program keeps what it notes for itself. A relative home would put it below the working directory, whoever owns
/// that.
pub fn state_dir() -> Option<PathBuf> {
    let dirs = ProjectDirs::from("", "", "hookscope")?;
    let directory = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
    directory.is_absolute().then(|| directory.to_owned())
}

/// Where the program keeps what it can do without. As [`state_dir`], never below the working directory by accident; and nowhere
/// below a home that is none, as containers and jobs have it.
pub fn cache_dir() -> Option<PathBuf> {
    let dirs = ProjectDirs::from("", "", "hookscope")?;
    let directory = dirs.cache_dir();
    let is_homeless = BaseDirs::new().is_none_or(|base| !base.home_dir().is_dir() && directory.starts_with(base.home_dir()));
    (directory.is_absolute() && !is_homeless).then(|| directory.to_owned())
}

/// What the names of files begin and end with that are not whole yet, and how many letters and digits are between.
const UNFINISHED: (&str, &str) = (".hookscope-", ".tmp");
const RANDOM: usize = 6;
const DAY: Duration = Duration::from_hours(24);

/// The files that this process is writing.
static WRITING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Whether a file of this name was never finished.
pub fn is_unfinished(name: &str) -> bool {
    let (prefix, suffix) = UNFINISHED;
    let random = name.strip_prefix(prefix).and_then(|name| name.strip_suffix(suffix)).unwrap_or_default();
    random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a file of this name may be one that an earlier version never finished. Only in a directory of this program.
pub fn is_unfinished_of_old(name: &str) -> bool {
    is_unfinished(&format!("{name}{}", UNFINISHED.1))
}

/// Removes what an earlier version left behind in a directory of this program more than a day ago: it locked nothing.
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

/// Removes the files that this process has not finished: it is about to end. No other file is begun from now on.
pub fn remove_unfinished() {
    // A file that is begun just now, on a disk that hangs, must not hang the end too.
    let Ok(writing) = WRITING.try_lock() else { return };
    for path in writing.iter() {
        drop(fs::remove_file(path));
    }
    std::mem::forget(writing);
}

/// Notes that this process writes a file, as long as the value lives.
struct Registered(PathBuf);

impl Drop for Registered {
    fn drop(&mut self) {
        writing().remove(&self.0);
    }
}

/// Begins a file that is removed unless it is moved to its place.
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

/// The error without the random name of a file that was never there.
fn without_path(error: &io::Error) -> io::Error {
    let words = error.to_string();
    io::Error::new(error.kind(), words.split(" at path ").next().unwrap_or_default())
}

/// Locks a file, so that nobody takes it for one that was left behind. False when somebody did before that.
fn is_held(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(false),
        Ok(()) => Ok(file.metadata()?.nlink() > 0),
        // Where files cannot be locked nothing is taken to be left behind.
        Err(TryLockError::Error(_)) => Ok(true),
    }
}

fn writing() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes what writers of this user left behind in a directory: they are gone, since nobody holds its lock.
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

/// The lock of a file that a writer left behind; `None` when it is another file, or somebody writes it.
fn left_behind(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    let is_ours = metadata.is_file() && metadata.nlink() == 1 && metadata.uid() == rustix::process::geteuid().as_raw();
    Ok((is_ours && file.try_lock().is_ok()).then_some(file))
}

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, whoever put it there and whenever.
    Stays,
    /// It is replaced, by a file that is its owner's alone.
    Replaced,
    /// It is replaced, by a file with its permissions.
    ReplacedAlike,
    /// As [`Existing::ReplacedAlike`]; and a new one may be read by whoever the umask lets. For what other users collect.
    /// Directories are not made for it.
    ReplacedShared,
}

/// Writes to what a path given by the user leads to. A device or a pipe is written to, not replaced; else as `write`.
pub fn write_to<T>(
    file: &Path,
    existing: Existing,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> io::Result<Option<T>> {
    let target = target(file)?;
    // What /dev/stdout leads to has no name of its own when it is a pipe: it can be opened, but not be found by its name.
    let target = if target.exists() || !file.exists() { target } else { file.to_owned() };
    if fs::metadata(&target).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        let mut writer = BufWriter::new(OpenOptions::new().write(true).open(&target)?);
        let value = write(&mut writer)?;
        writer.flush()?;
        return Ok(Some(value));
    }
    self::write(&target, existing, write)
}

/// Writes a file. `None` when something is there already and stays. What is new is its owner's alone from the first byte on,
/// and so are directories that are made for it.
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
    // Else it is made with mode 0600, whatever the umask says.
    match (existing, &there) {
        (Existing::ReplacedAlike, Some(there)) => {
            builder.permissions(there.permissions());
        }
        // Less what the umask says.
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
        // Whatever the umask says.
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
        // Nothing else is left behind.
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
        // What the umask makes of any new file.
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
        // Dangling at first.
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
        // A writer that is at work in the midst of another one.
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
