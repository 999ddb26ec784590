//! A config file that is there whole or not at all, and is its owner's alone from its first byte.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::safe;
use crate::text::clean;

/// Symlinks that lead to one file; the kernel follows no more either.
const MAX_LINKS: usize = 40;

/// The file to write for a path: the path itself, or what its symlinks lead to, whether that is there or not. A link that
/// somebody else made decides nothing here.
pub(super) fn target(path: &Path) -> Result<PathBuf, Error> {
    let failed = |why| Error::Output(safe!("{}: {}", clean(&path.to_string_lossy()), why));
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        let owner = match target.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() => metadata.uid(),
            // No link, or nothing at all.
            _ => return Ok(target),
        };
        if owner != 0 && owner != rustix::process::geteuid().as_raw() {
            return Err(failed("it is a symlink of another user"));
        }
        let next = fs::read_link(&target).map_err(|_why| failed("its symlink cannot be read"))?;
        target = target.parent().unwrap_or(Path::new("")).join(next);
    }
    Err(failed("too many symlinks"))
}

/// Writes a file beside its place and moves it there. `false` when something is there already and may not be replaced, whoever
/// put it there in the meantime.
pub(super) fn write(target: &Path, text: &str, replace: bool) -> Result<bool, Error> {
    try_write(target, text, replace)
        .map_err(|error| Error::Output(safe!("{}: {}", clean(&target.to_string_lossy()), clean(&error.to_string()))))
}

fn try_write(target: &Path, text: &str, replace: bool) -> io::Result<bool> {
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if fs::metadata(target).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("it is not a regular file"));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    // Made with mode 0600, whatever the umask says.
    let mut file = tempfile::Builder::new().prefix(".hookscope-").suffix(".toml").tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    if replace {
        file.persist(target)?;
    } else if let Err(error) = file.persist_noclobber(target) {
        return if error.error.kind() == io::ErrorKind::AlreadyExists { Ok(false) } else { Err(error.error) };
    }
    // The name is on the disk only when its directory is.
    File::open(directory)?.sync_all()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, lchown, symlink};

    use super::*;

    #[test]
    fn a_file_is_its_owners_alone_and_so_are_its_directories() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b/config.toml");
        assert!(write(&path, "x", false).unwrap());
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
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(!write(&path, "new", false).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert!(write(&path, "new", true).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_symlink_stays_one() {
        let home = tempfile::tempdir().unwrap();
        let link = home.path().join("config.toml");
        symlink("dotfiles/hookscope.toml", &link).unwrap();
        // Dangling at first.
        for text in ["first", "second"] {
            assert!(write(&target(&link).unwrap(), text, true).unwrap());
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
        let error = write(home.path(), "x", true).unwrap_err();
        assert!(error.to_string().contains("not a regular file"), "{error}");
        assert!(write(Path::new("/dev/null"), "x", true).is_err());
        assert!(write(Path::new("/dev/null/config.toml"), "x", false).is_err());
    }
}
