//! Earlier listings of the workspace, and the state of its cache.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::cache::{CachedListing, Unconfirmed};
use crate::fetch::Generation;
use crate::model::Scope;
use crate::tui::job_id::JobId;

/// The operation in progress on the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheUse {
    #[default]
    Idle,
    /// The cache must not be written until it has been read.
    Reading,
    Writing,
}

/// Earlier listings of the workspace, and the state of the cache.
#[derive(Debug, Default)]
pub struct CacheState {
    /// The listing in the cache at the start.
    pub last_look: Option<Arc<CachedListing>>,
    /// The same, until it is compared with a full read.
    pub to_compare: Option<Arc<CachedListing>>,
    /// The same, and the number of the job, while it is being compared.
    pub being_compared: Option<(JobId, Arc<CachedListing>)>,
    pub cache: CacheUse,
    /// While a job filters the rows by scope: the scope, the page size and the time of the listing.
    pub sifting: Option<(Scope, u64, Timestamp)>,
    /// The first consistent read of everything, unless it is very large.
    pub first: Option<Arc<CachedListing>>,
    /// The last consistent read of everything, and its generation.
    pub full: Option<(Generation, Arc<CachedListing>)>,
    /// True while the last consistent read has yet to be written.
    pub is_unkept: bool,
    /// The number of writes.
    pub written: u64,
    /// The listing last written, and the one being written.
    pub kept: Option<Arc<CachedListing>>,
    pub writing: Option<Arc<CachedListing>>,
    pub kept_at: Option<Instant>,
    /// A read that is held back until these webhooks are confirmed as removed.
    pub unconfirmed: Option<(Unconfirmed, Arc<CachedListing>)>,
    pub warned: CacheWarnings,
}

/// The warnings shown since the last write, so that none is repeated.
#[derive(Debug, Default)]
pub struct CacheWarnings {
    /// The cache cannot be written.
    pub of_failure: bool,
    /// The cache was not updated: some removals are unconfirmed.
    pub of_doubt: bool,
}

impl CacheState {
    /// The listing in the cache at the start.
    pub fn last_look(&self) -> Option<&Arc<CachedListing>> {
        self.last_look.as_ref()
    }

    /// The first consistent read of everything.
    pub fn first(&self) -> Option<&Arc<CachedListing>> {
        self.first.as_ref()
    }

    /// Returns true while the cache is being read or written.
    pub fn is_busy(&self) -> bool {
        self.cache != CacheUse::Idle
    }

    /// The number of writes.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The last consistent read of everything, in this session or, failing that, an earlier one.
    pub fn latest(&self) -> Option<&Arc<CachedListing>> {
        self.full().or(self.last_look.as_ref())
    }

    /// The last consistent read of everything, and its generation.
    pub fn full_read(&self) -> Option<&(Generation, Arc<CachedListing>)> {
        self.full.as_ref()
    }

    /// The last consistent read of everything.
    pub fn full(&self) -> Option<&Arc<CachedListing>> {
        self.full.as_ref().map(|(_, past)| past)
    }
}
