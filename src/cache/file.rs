//! The cached listing of one workspace: a header, then one row per line.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use jiff::Timestamp;
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::base::files::{self, Existing};
use crate::model::{Interner, Rows, RowsBuilder};

/// The version of the format.
const VERSION: u32 = 1;
/// The size limit of a cache, in bytes.
pub(super) const MAX_BYTES: u64 = 2 << 30;
/// The size limit of the header, in bytes.
const MAX_HEADER: u64 = 4 << 10;

/// The last consistent listing.
#[derive(Debug, Clone)]
pub struct CachedListing {
    /// In the API's order.
    pub rows: Rows,
    pub read_at: Timestamp,
}

/// The reason why a cache is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("written by a newer version of hookscope")]
    Newer,
    #[error("damaged")]
    Damaged,
    #[error("unreadable ({0})")]
    Unreadable(io::ErrorKind),
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error.kind())
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    hookscope_cache: u32,
    /// RFC 3339.
    read_at: String,
    rows: u64,
    sha256: String,
}

/// A digest of a listing, which depends on the order of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digest {
    rows: u64,
    sha256: String,
    /// The size of all rows with their line breaks.
    pub(super) bytes: u64,
}

impl Digest {
    pub(super) fn of(listing: &Rows) -> Self {
        let mut running = Running::default();
        for (_, row) in listing.iter() {
            running.add(&row.canonical_json());
        }
        running.finish()
    }
}

/// A digest that is being computed.
struct Running {
    context: digest::Context,
    rows: u64,
    bytes: u64,
}

impl Default for Running {
    fn default() -> Self {
        Self { context: digest::Context::new(&digest::SHA256), rows: 0, bytes: 0 }
    }
}

impl Running {
    fn add(&mut self, row: &str) {
        self.context.update(row.as_bytes());
        self.context.update(b"\n");
        self.rows += 1;
        self.bytes += row.len() as u64 + 1;
    }

    fn finish(self) -> Digest {
        let mut sha256 = String::new();
        for byte in self.context.finish().as_ref() {
            sha256.push_str(&format!("{byte:02x}"));
        }
        Digest { rows: self.rows, sha256, bytes: self.bytes }
    }
}

/// Writes a listing, replacing the cached one.
pub(super) fn write(path: &Path, listing: &Rows, digest: &Digest, read_at: Timestamp) -> io::Result<()> {
    // A symlink is replaced, not followed: another program may have planted it.
    if path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
        std::fs::remove_file(path)?;
    }
    let header =
        Header { hookscope_cache: VERSION, read_at: read_at.to_string(), rows: digest.rows, sha256: digest.sha256.clone() };
    files::write(path, Existing::Replaced, |out: &mut dyn Write| {
        serde_json::to_writer(&mut *out, &header)?;
        out.write_all(b"\n")?;
        for (_, row) in listing.iter() {
            out.write_all(row.canonical_json().as_bytes())?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Returns the digest of the cached listing; `None` if the file is missing or damaged.
pub(super) fn digest_in(path: &Path) -> Option<Digest> {
    let file = super::private_files::open(OpenOptions::new().read(true), path).ok()?;
    let mut reader = BufReader::with_capacity(64 << 10, file);
    let header = header(&mut reader).ok()?;
    let mut reader = reader.take(MAX_BYTES + 1);
    let mut running = Running::default();
    loop {
        let part = reader.fill_buf().ok()?;
        if part.is_empty() {
            break;
        }
        running.context.update(part);
        running.bytes += part.len() as u64;
        let length = part.len();
        reader.consume(length);
    }
    let digest = Digest { rows: header.rows, ..running.finish() };
    (digest.sha256 == header.sha256).then_some(digest)
}

fn header(reader: &mut BufReader<File>) -> Result<Header, Unusable> {
    #[derive(Deserialize)]
    struct Version {
        hookscope_cache: u32,
    }

    let mut line = Vec::new();
    reader.take(MAX_HEADER).read_until(b'\n', &mut line)?;
    let version: Version = serde_json::from_slice(&line).map_err(|_not_ours| Unusable::Damaged)?;
    if version.hookscope_cache > VERSION {
        return Err(Unusable::Newer);
    }
    serde_json::from_slice(&line).map_err(|_not_ours| Unusable::Damaged)
}

/// Reads the cached listing into pages of `page_size` rows; `None` if there is none.
pub(super) fn read(
    path: &Path,
    interner: &Interner,
    page_size: u64,
    now: Timestamp,
) -> Result<Option<CachedListing>, Unusable> {
    let file = match super::private_files::open(OpenOptions::new().read(true), path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let metadata = file.metadata()?;
    if metadata.len() > MAX_BYTES + MAX_HEADER {
        return Err(Unusable::Damaged);
    }
    let touched = touched(&metadata);
    let mut reader = BufReader::with_capacity(64 << 10, file);
    let header = header(&mut reader)?;
    let written: Timestamp = header.read_at.parse().map_err(|_no_time| Unusable::Damaged)?;
    let mut running = Running::default();
    let mut rows = RowsBuilder::new(interner, page_size);
    let mut line = Vec::new();
    let mut reader = reader.take(MAX_BYTES);
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let text = line.strip_suffix(b"\n").and_then(|line| std::str::from_utf8(line).ok()).ok_or(Unusable::Damaged)?;
        running.add(text);
        let raw: &RawValue = serde_json::from_str(text).map_err(|_not_json| Unusable::Damaged)?;
        rows.push(raw).map_err(|_too_deep| Unusable::Damaged)?;
    }
    let digest = running.finish();
    if (digest.rows, &digest.sha256) != (header.rows, &header.sha256) {
        return Err(Unusable::Damaged);
    }
    Ok(Some(CachedListing { rows: rows.finish(), read_at: last_read(written, touched, now) }))
}

fn touched(metadata: &std::fs::Metadata) -> Option<Timestamp> {
    metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok())
}

/// Returns the time of the last read. A later read of the same listing only changes the modification time of the file. A
/// modification time in the future is ignored.
fn last_read(written: Timestamp, touched: Option<Timestamp>, now: Timestamp) -> Timestamp {
    touched.filter(|&touched| touched > written && touched <= now).unwrap_or(written)
}

/// Returns when the cached listing was read; `None` without a cache, or if that time is in the future.
pub(super) fn read_at(path: &Path, now: Timestamp) -> Option<Timestamp> {
    let file = super::private_files::open(OpenOptions::new().read(true), path).ok()?;
    let touched = touched(&file.metadata().ok()?);
    let header = header(&mut BufReader::new(file)).ok()?;
    let read_at = last_read(header.read_at.parse().ok()?, touched, now);
    Some(read_at).filter(|&read_at| read_at <= now)
}
