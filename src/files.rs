//! Files that are there whole or not at all: written beside their place, put on the disk, and moved there.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use directories::{BaseDirs, ProjectDirs};

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
            return Err(io::Error::other("it is a symlink of another user"));
        }
        let next = fs::read_link(&target)?;
        target = target.parent().unwrap_or(Path::new("")).join(next);
    }
    Err(io::Error::other("too many symlinks"))
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

/// What the names of files begin with that are not whole yet.
pub const UNFINISHED: &str = ".hookscope-";

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
        return Err(io::Error::other("it is not a regular file"));
    }
    if existing != Existing::ReplacedShared {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
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
    let file = builder.tempfile_in(directory)?;
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
}
