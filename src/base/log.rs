//! The log: a file in the state directory, written only if `HOOKSCOPE_LOG` is set. It never reaches the terminal; still,
//! every line is cleaned, and the keys in use are masked. Uses `files`, `redact` and `text`; start at [`start`].

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::OFlags;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::base::files;
use crate::base::redact::ApiKey;
use crate::base::text::{Safe, clean};
use crate::safe;

const FILE: &str = "hookscope.log";
/// The size from which the log is renamed at the next start, replacing the one renamed before, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// The keys in use.
static KEYS: Mutex<Vec<ApiKey>> = Mutex::new(Vec::new());

/// Starts the log, if there is a filter.
///
/// # Errors
///
/// The filter is not valid, or the file cannot be created.
pub fn start(filter: Option<&str>) -> Result<(), Safe> {
    let Some(filter) = filter.filter(|filter| !filter.trim().is_empty()) else { return Ok(()) };
    let filter = EnvFilter::builder()
        .parse(filter)
        .map_err(|_library_words| "not a valid filter; use a level such as debug, or hookscope=trace")?;
    let path = path().ok_or("no home directory for the log")?;
    let file = open(&path)
        .map_err(|why| safe!("cannot open {}: {}", clean(&path.to_string_lossy()), clean(&why.kind().to_string())))?;
    let lines = Lines(Arc::new(Mutex::new(file)));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(lines).finish();
    // This is the only subscriber: the log is started once.
    drop(tracing::subscriber::set_global_default(subscriber));
    tracing::info!("hookscope {} started", env!("CARGO_PKG_VERSION"));
    Ok(())
}

/// Masks a key in all further lines.
pub fn hide(key: &ApiKey) {
    let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    if !keys.contains(key) {
        keys.push(key.clone());
    }
}

fn path() -> Option<PathBuf> {
    files::state_dir().map(|directory| directory.join(FILE))
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    if path.symlink_metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() > MAX_BYTES) {
        std::fs::rename(path, path.with_extension("log.1"))?;
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// A writer of whole lines to the log.
#[derive(Clone)]
struct Lines(Arc<Mutex<File>>);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Lines {
    /// Called once per event.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        for key in KEYS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            text = key.scrub(&text);
        }
        let line = format!("{}\n", clean(text.trim_end_matches('\n')));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_line_is_clean_and_holds_no_key() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state/hookscope.log");
        hide(&ApiKey::new("kid:s3cret-of-the-log").unwrap());
        let mut lines = Lines(Arc::new(Mutex::new(open(&path).unwrap())));
        lines.write_all(b"Bearer kid:s3cret-of-the-log \x1b[31m\nsecond s3cret-of-the-log\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "Bearer *** ^[[31m^Jsecond ***\n");
        let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        open(&path).unwrap();
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn a_large_log_is_set_aside_and_a_link_is_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("hookscope.log");
        File::create(&path).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert_eq!(open(&path).unwrap().metadata().unwrap().len(), 0);
        assert!(home.path().join("hookscope.log.1").exists());
        std::fs::remove_file(&path).unwrap();
        symlink("/dev/null", &path).unwrap();
        assert!(open(&path).is_err());
    }
}
