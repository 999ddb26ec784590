//! The API: one request in, one typed answer out. `fetch` decides what to request, how often and when to retry. Start at
//! [`Client`]; a failure is an [`ApiError`].
//!
//! Sources: <https://dialnexa.mintlify.app/api-reference/webhooks/list>, `…/webhooks/get`, `…/errors`, `…/pagination` and
//! `…/rate-limits`. The vendor's `OpenAPI` file and its live endpoints answer in other envelopes too; all of them decode
//! into the same [`Page`].

mod cause;
mod client;
mod error;
mod inspect;
mod keys;
mod kind;
mod rate;
mod route;
mod server_message;
mod wire;

pub(crate) use self::cause::{certificate_words, distrust, tls_words, without_number};
pub(crate) use self::client::is_der;
pub use self::client::{Client, ClientSettings, PageRequest, SettingSources};
pub use self::error::ApiError;
pub(crate) use self::error::unread_key;
pub use self::inspect::{Certificate, Inspection};
pub use self::keys::Renewal;
pub(crate) use self::kind::duration;
pub use self::kind::{Distrust, ErrorKind, Network, Nonsense, ProxyFault};
pub use self::rate::RateLimit;
pub use self::route::{BadProxy, ProxyServer, ProxyVariables, Route};
pub use self::wire::{Page, PageNumbers};

use crate::model::Interner;

/// A decoded answer, with the rate limit from its headers.
#[derive(Debug, Clone)]
pub struct ApiAnswer<T> {
    pub value: T,
    pub rate: Option<RateLimit>,
}

/// A failed request, with the rate limit from its headers.
#[derive(Debug, Clone)]
pub struct ApiFailure {
    pub error: ApiError,
    pub rate: Option<RateLimit>,
}

/// Reads the body of a saved page, in any envelope.
///
/// # Errors
///
/// The body is not a valid page, with the parser's own words.
pub fn saved_page(body: &[u8], interner: &Interner) -> Result<Page, ApiError> {
    wire::page(body, 1, interner).map_err(|why| {
        let error = ApiError::new(ErrorKind::Nonsense(why.why));
        error.with(crate::base::text::clean_head(&why.detail, 200))
    })
}

/// The most rows that the API returns on one page (api-reference/webhooks/list).
pub const MAX_PAGE_SIZE: u32 = 100;
