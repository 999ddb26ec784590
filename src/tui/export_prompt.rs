//! The prompt for the file of an export.

use std::path::{Path, PathBuf};

use super::job_id::JobId;
use super::jobs::ChosenRows;
use super::prompt::Prompt;
use crate::base::text::{Safe, clean};
use crate::output::Format;
use crate::safe;

/// The formats of an export, by the ending of its file.
pub const FORMATS: [(&str, Format); 4] =
    [("json", Format::Json), ("ndjson", Format::Ndjson), ("csv", Format::Csv), ("md", Format::Markdown)];

/// The columns of the warning sign.
pub const WARNING: usize = 2;
/// The fewest columns of a path to show.
pub const SHORTEST_PATH: usize = 12;

/// The state of the prompt.
#[derive(Debug, Clone)]
pub struct ExportPrompt {
    pub prompt: Prompt,
    /// The rows to write: those marked or listed when the prompt was opened, and those loaded since.
    pub rows: ChosenRows,
    pub marked: Option<usize>,
    /// The number of webhooks in words, which never overstates what was loaded.
    pub words: Safe,
    /// True while more rows are being loaded.
    pub is_growing: bool,
    /// The name of a file that exists: entering the same name again replaces it.
    pub exists: Option<String>,
    /// The job that writes the file.
    pub job: Option<JobId>,
    /// The reason why the file was not written.
    pub error: Option<Safe>,
}

pub fn ending_of(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// The name with the ending of the next format.
pub fn with_next_ending(name: &str) -> String {
    let place = FORMATS.iter().position(|(ending, _)| *ending == ending_of(name));
    let next = FORMATS.iter().cycle().nth(place.map_or(0, |place| place + 1)).map_or("json", |(ending, _)| ending);
    let stem = if place.is_some() { name.rsplit_once('.').map_or(name, |(stem, _)| stem) } else { name };
    format!("{stem}.{next}")
}

pub fn expand_home(name: &str) -> PathBuf {
    let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
    match (name.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(name),
    }
}

/// The absolute path, with `~` for the home directory.
pub fn shown(path: &Path) -> Safe {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
    match home.and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned)) {
        Some(rest) => safe!("~/{}", clean(&rest.to_string_lossy())),
        None => clean(&path.to_string_lossy()),
    }
}
