//! Tests of the listing, page by page.

use super::*;
use crate::api::Page;
use crate::model::testing::page_of;

/// A page of 100 rows at most, with the ids `w<start>` and so on.
pub(crate) fn page(number: u64, ids: Range<u64>, total: Option<u64>) -> Page {
    let json = |i: u64| format!(r#"{{"id":"w{i}","url":"https://x{i}.com/","is_active":true}}"#);
    let rows = page_of(&ids.map(json).collect::<Vec<_>>());
    let numbers = PageNumbers { number, rows: rows.len() as u64, limit: Some(100), total, ..PageNumbers::default() };
    Page { numbers, rows }
}

#[test]
fn an_empty_page_that_overtakes_the_last_one_leaves_no_ghosts() {
    let mut listing = Listing::new(Generation::default(), 100);
    for number in 1..=4 {
        listing.load(page(number, (number - 1) * 100..number * 100, None));
    }
    listing.load(page(5, 400..430, None));
    listing.refresh(Generation::default().next());
    for (number, ids) in [(1, 0..100), (2, 100..200), (4, 250..250), (3, 200..250)] {
        listing.load(page(number, ids, None));
    }
    assert_eq!((listing.extent(), listing.loaded()), (RowCount::Exactly(250), 250));
    assert!(listing.is_complete());
}

#[test]
fn a_page_that_is_longer_than_the_others_loses_no_row() {
    let mut listing = Listing::new(Generation::default(), 100);
    listing.load(page(1, 0..60, None));
    assert!(listing.load(page(2, 60..140, None)), "rows lie on other pages now");
    for (number, ids) in [(1, 0..60), (2, 60..140), (3, 140..200), (4, 200..200)] {
        assert!(!listing.load(page(number, ids, None)), "page {number}");
    }
    let shown: Vec<_> = (0..listing.len()).filter_map(|place| id(&listing, place)).collect();
    assert_eq!(shown, (0..200).map(|number| format!("w{number}")).collect::<Vec<_>>());
}

fn id(listing: &Listing, index: u64) -> Option<String> {
    match listing.cell(index) {
        Cell::Row(row) => Some(row.id().to_owned()),
        _ => None,
    }
}

#[test]
fn a_million_rows_cost_what_was_looked_at() {
    let mut listing = Listing::new(Generation::default(), 100);
    assert_eq!((listing.len(), listing.pages_of(&(0..40), None)), (0, vec![1]));
    listing.load(page(1, 0..100, Some(1_000_000)));
    assert_eq!(listing.len(), 1_000_000);
    assert_eq!(listing.pages_of(&(999_960..1_000_000), None), [10_000]);
    assert!(matches!(listing.cell(999_999), Cell::Loading));
    listing.load(page(10_000, 999_900..1_000_000, Some(1_000_000)));
    assert_eq!(id(&listing, 999_999).as_deref(), Some("w999999"));
    assert_eq!((listing.loaded(), listing.slots.len()), (200, 2));
}

#[test]
fn an_empty_listing_is_complete_and_asks_for_nothing() {
    for total in [Some(0), None] {
        let mut listing = Listing::new(Generation::default(), 100);
        listing.load(page(1, 0..0, total));
        assert!(listing.is_complete() && listing.is_empty() && !listing.needs(1), "{total:?}");
    }
}

#[test]
fn missing_rows_are_shown_as_missing() {
    let mut listing = Listing::new(Generation::default(), 100);
    listing.load(page(1, 0..100, Some(300)));
    listing.load(page(2, 100..150, Some(300)));
    listing.load(page(3, 200..200, Some(300)));
    assert_eq!((listing.len(), listing.loaded(), listing.is_complete()), (300, 150, false));
    assert!(matches!((listing.cell(160), listing.cell(299)), (Cell::Absent, Cell::Absent)));
}

#[test]
fn without_a_total_one_more_row_can_be_looked_at() {
    let mut listing = Listing::new(Generation::default(), 100);
    listing.load(page(1, 0..100, None));
    assert_eq!((listing.len(), listing.pages_of(&(70..110), None)), (101, vec![1, 2]));
    listing.load(page(2, 100..100, None));
    assert_eq!((listing.len(), listing.is_complete()), (100, true));
}

#[test]
fn a_failure_keeps_the_rows_of_its_page() {
    let mut listing = Listing::new(Generation::default(), 100);
    listing.load(page(1, 0..100, Some(150)));
    listing.refresh(Generation::default().next());
    assert!(listing.needs(1) && !listing.is_fresh(1));
    listing.failed(1, ApiError::new(crate::api::ErrorKind::Status(500)));
    assert_eq!(id(&listing, 5).as_deref(), Some("w5"));
    assert!(!listing.needs(1), "a failed page is not asked for again in its generation");
    listing.failed(2, ApiError::new(crate::api::ErrorKind::Status(500)));
    assert!(matches!(listing.cell(120), Cell::Failed(_)));
}

#[test]
fn a_refresh_that_finds_fewer_rows_drops_the_others() {
    let mut listing = Listing::new(Generation::default(), 100);
    listing.load(page(1, 0..100, Some(250)));
    listing.load(page(2, 100..200, Some(250)));
    listing.load(page(3, 200..250, Some(250)));
    assert!(listing.is_complete());
    listing.refresh(Generation::default().next());
    listing.load(page(1, 0..100, Some(120)));
    assert_eq!((listing.len(), listing.loaded()), (120, 120), "no more rows are here than there are");
    listing.load(page(2, 100..120, Some(120)));
    assert!(listing.is_complete());
}

#[test]
fn without_a_total_a_refresh_finds_the_end_nearer_too() {
    let mut listing = Listing::new(Generation::default(), 100);
    listing.load(page(1, 0..100, None));
    listing.load(page(2, 100..200, None));
    listing.load(page(3, 200..230, None));
    listing.refresh(Generation::default().next());
    listing.load(page(2, 100..150, None));
    assert_eq!((listing.len(), listing.loaded()), (150, 150));
}

#[test]
fn another_page_size_lays_the_rows_out_anew() {
    let mut listing = Listing::new(Generation::default(), 100);
    listing.load(page(1, 0..100, Some(250)));
    listing.load(page(3, 200..250, Some(250)));
    listing.refresh(Generation::default().next());
    listing.load(page(1, 0..50, Some(250)));
    assert_eq!((listing.page_size(), listing.loaded(), listing.pages_of(&(240..250), None)), (50, 50, vec![5]));
}

#[test]
fn rows_are_shown_in_the_order_that_is_given() {
    let mut listing = Listing::new(Generation::default(), 100);
    listing.load(page(1, 0..100, Some(250)));
    listing.load(page(3, 200..250, Some(250)));
    listing.arrange(Some(FilterSortResult { order: [240, 7, 8].into(), is_whole: true, groups: None }));
    assert_eq!((listing.len(), id(&listing, 0).as_deref(), listing.index_of(7)), (3, Some("w240"), Some(1)));
    assert_eq!((listing.number(2), listing.index_of(9), listing.pages_of(&(0..3), None)), (Some(8), None, vec![1, 3]));
    listing.arrange(None);
    assert_eq!((listing.len(), listing.number(9)), (250, Some(9)));
}

#[test]
fn a_scope_that_the_server_ignores_shows_nothing_until_it_is_known_what() {
    let mut listing = Listing::new(Generation::default(), 100);
    listing.load(page(1, 0..100, Some(150)));
    listing.keep_only(Scope::Inactive);
    assert_eq!((listing.kept(), listing.len(), listing.loaded()), (Some(Scope::Inactive), 0, 100));
}
