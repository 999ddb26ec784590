//! Which pages are read, in what order, how many at once, and how often a failed one is tried again. The only code that
//! knows paging.
//!
//! The readers stand on the same `requests`: the background `task` of the explorer, which follows a [`Demand`] and reports
//! [`FetchEvent`]s; [`read_listing`] and [`stream_listing`], which read a whole listing, consistently or with a list of what is
//! wrong; [`read_page`] and [`read_webhooks`], which read what was named. All of them read from a [`Source`].

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

/// How patient and how greedy the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Rows asked for a page.
    pub page_size: u32,
    /// Times that a failed request is tried again.
    pub retries: u32,
    /// The most requests in flight at once; fewer when the API or the link cannot take them.
    pub max_concurrency: usize,
    /// The first pause before another try; each further one may be twice as long. The real pause is a random part of it,
    /// so that many clients do not come back together.
    pub backoff: Duration,
    /// The longest pause between two tries, and the longest wait that the API may ask for.
    pub longest_backoff: Duration,
    pub longest_wait: Duration,
    /// Rows and bytes of answers after which a full read stops: the listing may have no end.
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
