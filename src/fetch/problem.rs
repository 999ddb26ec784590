//! The reasons why a read is incomplete or inconsistent.

use crate::api::ApiError;
use crate::base::text::{Safe, clean, grouped};
use crate::model::WebhookId;
use crate::safe;

/// A listing with more pages than this is treated as endless.
pub(super) const MAX_PAGES: u64 = 1_000_000;

/// A reason why a read is incomplete or inconsistent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    PageFailed {
        page: u64,
        error: ApiError,
    },
    /// Pages that were not requested because others had failed.
    NotRead {
        from: u64,
    },
    RepeatedIds {
        count: usize,
        example: WebhookId,
    },
    TotalChanged {
        first: u64,
        last: u64,
    },
    CountDiffers {
        claimed: u64,
        sent: u64,
    },
    PagesDiffer {
        claimed: u64,
        sent: u64,
    },
    /// A page was not the same when it was read a second time.
    PageChanged {
        page: u64,
    },
    /// The second reading of a page failed, so nothing confirms the first.
    Unconfirmed {
        page: u64,
        error: ApiError,
    },
    IgnoresPage {
        page: u64,
    },
    NeverEnds,
    /// Webhooks that were listed before, still exist, and are missing from the listing.
    LeftOut {
        count: usize,
        example: WebhookId,
    },
    TooManyRows {
        limit: u64,
    },
    TooManyBytes {
        limit: u64,
    },
    /// A single page was requested, and the server uses a different page size.
    PageSizeDiffers {
        asked: u64,
        used: u64,
    },
}

impl Problem {
    /// One sentence for stderr.
    pub fn explain(&self) -> Safe {
        match self {
            Self::PageFailed { page, error } => {
                safe!("page {} could not be read: {}. {}", page, clean(&error.to_string()), error.advice())
            }
            Self::NotRead { from } => safe!("page {} and later pages were not read", from),
            Self::RepeatedIds { count, example } => {
                let example = example.clean().fit(80, "…");
                match count {
                    1 => safe!("the id {} is listed more than once", example),
                    _ => safe!("{} ids are listed more than once, such as {}", *count, example),
                }
            }
            Self::TotalChanged { first, last } => {
                safe!("the list changed while loading: its total went from {} to {}", grouped(*first), grouped(*last))
            }
            Self::CountDiffers { claimed, sent } => {
                safe!("the API reported {} webhooks but sent {}", grouped(*claimed), grouped(*sent))
            }
            Self::PagesDiffer { claimed, sent } => {
                safe!("the API reported {} pages but sent {}", grouped(*claimed), grouped(*sent))
            }
            Self::PageChanged { page } => {
                safe!("the list changed while loading: page {} differed when read again", page)
            }
            Self::Unconfirmed { page, error } => safe!(
                "the list could not be confirmed: page {} could not be read again: {}. {}",
                page,
                clean(&error.to_string()),
                error.advice()
            ),
            Self::IgnoresPage { page } => {
                safe!("the server ignores the page parameter: page {} repeats an earlier page", page)
            }
            Self::PageSizeDiffers { asked, used } => {
                safe!("the server uses {} webhooks per page, not {}: this is a different part of the listing", used, asked)
            }
            Self::LeftOut { count: 1, example } => {
                safe!("the listing omitted {}, which exists: it changed while loading", example.clean().fit(80, "…"))
            }
            Self::LeftOut { count, example } => {
                let example = example.clean().fit(80, "…");
                safe!("the listing omitted {} existing webhooks, such as {}: it changed while loading", *count, example)
            }
            Self::NeverEnds => safe!("the listing did not end within {} pages", MAX_PAGES),
            Self::TooManyRows { limit } => {
                safe!("the listing has more than {} rows; network.max_rows sets this limit", grouped(*limit))
            }
            Self::TooManyBytes { limit } => {
                safe!("the listing has more than {} bytes; network.max_bytes sets this limit", grouped(*limit))
            }
        }
    }

    /// Returns true if the list may just have changed during the read, so that reading it again could help.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::RepeatedIds { .. }
                | Self::TotalChanged { .. }
                | Self::CountDiffers { .. }
                | Self::PagesDiffer { .. }
                | Self::PageChanged { .. }
        )
    }
}
