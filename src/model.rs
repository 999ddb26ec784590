//! Webhooks: as packed rows ([`RowPage`], [`Rows`]), and decoded where a single one is inspected ([`Webhook`]).
//!
//! Uses only the foundation (text, redact). Start at `page.rs`: every consumer reads its rows. `page_builder.rs` is where
//! JSON becomes rows; `webhook.rs` has the contract's fields.
//!
//! Source of the shapes: <https://dialnexa.mintlify.app/api-reference/webhooks/list>.

pub mod address;
mod fields;
mod host;
mod ids;
mod interner;
mod json;
mod normal;
mod page;
mod page_builder;
mod plain_row;
mod rows;
mod scope;
mod short_url;
#[cfg(test)]
pub(crate) mod testing;
mod webhook;

pub use self::fields::{CreatedAt, Destination, EventEntry, EventName, Field, WebhookId};
pub use self::host::{host, host_and_path, normal_host, path, without_final_dot};
pub use self::ids::IdSet;
pub use self::interner::{EventList, Interner, SharedName};
pub use self::json::{Json, RawFields, TooDeep, hash_secrets, holds_secret, raw_array, same_value};
pub use self::normal::{normalized, normalized_place, normalized_text};
pub use self::page::{OwnedRow, RowPage, RowRef};
pub use self::page_builder::{PageBuilder, RowsBuilder};
pub use self::rows::{RemovedRow, RepeatedIds, RowNumber, RowTable, Rows, RowsById, Segment};
pub use self::scope::Scope;
pub use self::short_url::{masked_path, public_path, short_url};
pub use self::webhook::{MalformedReason, Webhook};
