//! The filter history: one file per config, shared by its workspaces.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use tokio::task::JoinHandle;

use crate::base::files::{self, Existing};
use crate::config::{Config, Connection, KeySource};
use crate::tui::session::filter::MAX_HISTORY;

/// The size limit of a history file: enough for a hundred of the longest filters.
const MAX_BYTES: u64 = 1 << 20;

/// The file with the filter history.
#[derive(Debug, Default)]
pub struct History {
    /// `None` for the demo, for files, and without a home directory.
    path: Option<PathBuf>,
    /// The write in progress.
    writing: Option<JoinHandle<()>>,
}

impl History {
    /// The history of a config; the demo has none.
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

    /// Returns the filters of earlier sessions, the newest last. A file that cannot be read counts as empty.
    pub fn read(&self) -> Vec<String> {
        self.path.as_deref().map(read).unwrap_or_default()
    }

    /// Writes the filters in the background, after any earlier write, so that a slow disk does not block the explorer.
    /// Filters may be private, so only the owner can read the file.
    pub fn write(&mut self, filters: Vec<String>) {
        let Some(path) = self.path.clone() else { return };
        let before = self.writing.take();
        self.writing = Some(tokio::spawn(async move {
            finished(before).await;
            finished(Some(tokio::task::spawn_blocking(move || write(&path, &filters)))).await;
        }));
    }

    /// Waits for all writes.
    pub async fn written(&mut self) {
        finished(self.writing.take()).await;
    }
}

/// Moves the filters of an earlier version, which kept one file per workspace, to the front of the config's history.
fn adopt(old: Option<&Path>, path: Option<&Path>) {
    let (Some(old), Some(path)) = (old, path) else { return };
    let mut filters = read(old);
    if filters.is_empty() {
        return;
    }
    let of_config = read(path);
    filters.retain(|filter| !of_config.contains(filter));
    filters.extend(of_config);
    filters.drain(..filters.len().saturating_sub(MAX_HISTORY));
    if write(path, &filters) {
        drop(std::fs::remove_file(old));
    }
}

/// Waits for a task to end, if there is one. A panic in it has already been reported.
async fn finished<T>(task: Option<JoinHandle<T>>) {
    if let Some(task) = task {
        drop(task.await);
    }
}

fn read(path: &Path) -> Vec<String> {
    let mut text = String::new();
    match File::open(path).map(|file| file.take(MAX_BYTES).read_to_string(&mut text)) {
        Ok(Ok(_)) => serde_json::from_str(&text).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Writes the history. Returns false on an error, which is logged.
fn write(path: &Path, filters: &[String]) -> bool {
    let text = serde_json::to_string(filters).unwrap_or_default();
    let written = files::target(path)
        .and_then(|target| files::write(&target, Existing::Replaced, |out| out.write_all(text.as_bytes())));
    if let Err(error) = &written {
        tracing::warn!("the filter history cannot be written: {error}");
    }
    written.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_of_an_earlier_version_are_moved_before_those_of_the_config() {
        let home = tempfile::tempdir().unwrap();
        let (old, path) = (home.path().join("old"), home.path().join("new"));
        let read = || {
            adopt(Some(&old), Some(&path));
            History::new(Some(path.clone())).read()
        };
        assert_eq!(read(), [""; 0]);
        let put = |filters: &[&str]| assert!(write(&old, &filters.iter().map(|&filter| filter.into()).collect::<Vec<_>>()));
        put(&["first", "second"]);
        assert_eq!(read(), ["first", "second"]);
        assert!(!old.exists());
        // By another workspace.
        put(&["second", "third"]);
        assert_eq!(read(), ["third", "first", "second"]);
        let many: Vec<_> = (0..MAX_HISTORY).map(|number| number.to_string()).collect();
        assert!(write(&old, &many));
        let merged = read();
        assert_eq!((merged.len(), &merged[MAX_HISTORY - 1]), (MAX_HISTORY, &"second".to_owned()));
    }
}
