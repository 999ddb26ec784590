//! Decides which pages to read, in what order, how many at once, and how often to retry. The only code that knows about
//! paging.
//!
//! All readers use `requests`: the background `task` of the explorer, which follows a [`Demand`] and reports
//! [`FetchEvent`]s; [`read_listing`] and [`stream_listing`], which read a whole listing, either consistently or with a list
//! of problems; and [`read_page`] and [`read_webhooks`], which read a single page, or webhooks by id. They read from a
//! [`Source`].

mod budget;
mod complete;
mod crawler;
mod explain;
#[cfg(test)]
pub(crate) mod histories;
mod layout;
mod pass;
mod problem;
mod removal;
mod requests;
mod single;
mod source;
mod task;
mod window;

use std::time::Duration;

pub use self::complete::{Limit, Reading, Summary, Wanted, check_saved, read_listing, stream_listing, stream_saved};
pub use self::explain::explain;
pub use self::layout::{PageLayout, RowCount};
pub use self::pass::is_whole_listing;
pub use self::problem::Problem;
pub use self::removal::{MissingWebhooks, RemovalAnswers, RemovalStatus, confirm_removed};
pub use self::requests::Progress;
pub use self::single::{read_page, read_webhooks};
pub use self::source::{Held, Source};
pub use self::task::{Demand, FetchEvent, Generation, spawn};

/// The limits of requests and reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Rows to request per page.
    pub page_size: u32,
    /// The number of retries of a failed request.
    pub retries: u32,
    /// The most requests in flight at once; fewer if the API or the connection is overloaded.
    pub max_concurrency: usize,
    /// The pause before the first retry; it doubles with each further one. The real pause is a random part of it, so that
    /// many clients do not retry at the same time.
    pub backoff: Duration,
    /// The longest pause between two attempts, and the longest wait that the API may ask for.
    pub longest_backoff: Duration,
    pub longest_wait: Duration,
    /// Rows and bytes received after which a full read stops, since a listing may be endless.
    pub max_rows: u64,
    pub max_bytes: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            page_size: crate::api::MAX_PAGE_SIZE,
            retries: 3,
            max_concurrency: 8,
            backoff: Duration::from_millis(500),
            longest_backoff: Duration::from_secs(8),
            longest_wait: Duration::from_mins(1),
            max_rows: 2_000_000,
            max_bytes: 1 << 30,
        }
    }
}
