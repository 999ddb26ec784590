//! Draws the pictures in docs/ from real frames of the explorer on the demo workspace: an animated tour, and one picture per
//! view.
//!
//! ```text
//! cargo run --example tour
//! ```
//!
//! The pictures are the same on every machine. A test compares them with the files (`tests/it/pictures.rs`).

mod gateway;
mod stage;
mod stories;
mod svg;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A picture, and the name of its file.
pub(crate) struct Picture {
    pub(crate) name: &'static str,
    pub(crate) svg: String,
}

impl Picture {
    pub(crate) fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(self.name)
    }
}

/// All pictures.
pub(crate) async fn pictures() -> Result<Vec<Picture>> {
    let mut pictures = vec![stories::tour().await?, stories::changes().await?];
    pictures.extend(stories::views().await?);
    Ok(pictures)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    for picture in pictures().await? {
        let path = picture.path();
        fs::write(&path, picture.svg).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}
