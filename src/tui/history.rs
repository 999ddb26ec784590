//! The filters that were typed, kept for the next time: a file for each config, whose workspaces share them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use tokio::task::JoinHandle;

use crate::config::{Config, Connection, KeySource};
use crate::files::{self, Existing};

/// What is read of a history: more than a hundred of the longest filters.
const MAX_BYTES: u64 = 1 << 20;

/// Where filters are kept.
#[derive(Debug, Default)]
pub struct History {
    /// Nowhere: for the demo, for files, and without a home directory.
    path: Option<PathBuf>,
    /// What is being written.
    writing: Option<JoinHandle<()>>,
}

impl History {
    /// That of a config; the demo has none.
    pub fn of(config: &Config, connection: &Connection) -> Self {
        if connection.key_source == KeySource::Demo {
            return Self::default();
        }
        let path = |name| files::state_dir().map(|directory| directory.join(format!("filters-{name}.json")));
        let (old, path) = (path(connection.old_fingerprint()), path(config.fingerprint()));
        adopt(old.as_deref(), path.as_deref());
        Self::new(path)
    }

    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, writing: None }
    }

    /// The filters of earlier times, the newest last. A file that cannot be read is no history.
    pub fn read(&self) -> Vec<String> {
        let mut text = String::new();
        let file = self.path.as_ref().and_then(|path| File::open(path).ok());
        let read = file.map(|file| file.take(MAX_BYTES).read_to_string(&mut text));
        if !matches!(read, Some(Ok(_))) {
            return Vec::new();
        }
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Writes them in the background, one list after the other: a slow disk stops nobody. A filter may hold what is nobody else's
    /// business, so the file is its owner's alone.
    pub fn write(&mut self, filters: Vec<String>) {
        let Some(path) = self.path.clone() else { return };
        let before = self.writing.take();
        self.writing = Some(tokio::spawn(async move {
            finished(before).await;
            finished(Some(tokio::task::spawn_blocking(move || write(&path, &filters)))).await;
        }));
    }

    /// Waits until everything is written.
    pub async fn written(&mut self) {
        finished(self.writing.take()).await;
    }
}

/// Renames the file of an earlier version, which kept one for each workspace, unless there is one for the config.
fn adopt(old: Option<&Path>, path: Option<&Path>) {
    if let (Some(old), Some(path)) = (old, path)
        && path.symlink_metadata().is_err()
    {
        drop(std::fs::rename(old, path));
    }
}

/// Waits for the end of a task, if there is one. One that panicked has told of it.
async fn finished(task: Option<JoinHandle<()>>) {
    if let Some(task) = task {
        drop(task.await);
    }
}

fn write(path: &Path, filters: &[String]) {
    let text = serde_json::to_string(filters).unwrap_or_default();
    let written = files::target(path)
        .and_then(|target| files::write(&target, Existing::Replaced, |out| out.write_all(text.as_bytes())));
    if let Err(error) = written {
        tracing::warn!("the filter history cannot be written: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_of_an_earlier_version_are_taken_over_once() {
        let home = tempfile::tempdir().unwrap();
        let (old, path) = (home.path().join("old"), home.path().join("new"));
        let read = || {
            adopt(Some(&old), Some(&path));
            History::new(Some(path.clone())).read()
        };
        assert_eq!(read(), [""; 0]);
        write(&old, &["first".to_owned()]);
        assert_eq!(read(), ["first"]);
        write(&old, &["other".to_owned()]);
        assert_eq!(read(), ["first"]);
    }
}
