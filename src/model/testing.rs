//! Rows for tests.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::interner::Interner;
use super::page::{OwnedRow, RowPage};
use super::page_builder::PageBuilder;
use super::rows::Rows;
use super::webhook::Webhook;

/// Builds a page from JSON texts.
pub(crate) fn page_of<S: AsRef<str>>(jsons: &[S]) -> Arc<RowPage> {
    interned_page(&Interner::default(), jsons)
}

/// As [`page_of`], sharing names with other pages.
pub(crate) fn interned_page<S: AsRef<str>>(interner: &Interner, jsons: &[S]) -> Arc<RowPage> {
    let mut page = PageBuilder::new(interner);
    for json in jsons {
        page.push(&RawValue::from_string(json.as_ref().to_owned()).unwrap()).unwrap();
    }
    page.finish()
}

/// Builds a listing of one page.
pub(crate) fn rows_of<S: AsRef<str>>(jsons: &[S]) -> Rows {
    [page_of(jsons)].into_iter().collect()
}

/// Builds a listing with this many rows per page, but for the last one.
pub(crate) fn paged_rows<S: AsRef<str>>(interner: &Interner, jsons: &[S], page_size: usize) -> Rows {
    let mut rows = Rows::new(page_size as u64);
    for (page, jsons) in (1..).zip(jsons.chunks(page_size)) {
        rows.put(page, interned_page(interner, jsons).into());
    }
    rows
}

/// Decodes a webhook.
pub(crate) fn webhook_of(json: &str) -> Webhook {
    Webhook::decode_text(json).unwrap()
}

/// Builds a single row.
pub(crate) fn row_of(json: &str) -> OwnedRow {
    OwnedRow::new(&page_of(&[json]), 0).unwrap()
}
